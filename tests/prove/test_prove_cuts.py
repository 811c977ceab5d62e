"""Cuts against a twin that walks every order of a plan, one step after another."""

from __future__ import annotations

from hypothesis import given, settings

from farshore.plan.model import Event, Lose, Phase, Plan, Restore
from farshore.prove.covered import Coverage, key_of
from farshore.prove.cuts import Moment, Poset, count_cuts, explore, members, poset_of, states_of
from farshore.prove.slices import Slices
from farshore.prove.values import Proof
from prove.plans import nodes_of, orders, plan, step, tag

State = tuple[frozenset[str], frozenset[str]]
"""Steps and events with effects that are behind us, and which of them failed."""


def every_prefix(plan_: Plan) -> set[State]:
    """All states of all prefixes of all linear extensions, with both outcomes of a step that may fail."""
    nodes = nodes_of(plan_)
    fallible = {item.id for item in plan_.steps if item.may_fail}
    seen: set[tuple[frozenset[str], frozenset[str]]] = set()
    states: set[State] = set()

    def walk(done: frozenset[str], failed: frozenset[str]) -> None:
        if (done, failed) in seen:
            return
        seen.add((done, failed))
        states.add((frozenset(i for i in done if nodes[i].effects), failed))
        for id_, node in nodes.items():
            if id_ not in done and done.issuperset(node.after):
                walk(done | {id_}, failed)
                if id_ in fallible:
                    walk(done | {id_}, failed | {id_})

    walk(frozenset(), frozenset())
    return states


def named(poset: Poset, moment: Moment) -> State:
    return frozenset(poset.ids(moment.done)), frozenset(poset.ids(moment.failed))


def moments(poset: Poset, within: int | None = None, limit: int = 20_000) -> tuple[list[Moment], bool]:
    reached = explore(poset, poset.all if within is None else within, 0, lambda key, index: 0, limit)
    return [moment for moment, _ in reached.moments], reached.exhaustive


@settings(max_examples=150, deadline=None)
@given(orders())
def test_moments_are_the_prefixes_of_every_order(plan_: Plan) -> None:
    poset = poset_of(plan_)
    found, exhaustive = moments(poset)
    assert exhaustive
    assert {named(poset, moment) for moment in found} == every_prefix(plan_)
    assert len(found) == len(set(found)) == count_cuts(poset)
    assert [m.done.bit_count() for m in found] == sorted(m.done.bit_count() for m in found)


@settings(max_examples=100, deadline=None)
@given(orders(6))
def test_a_slice_passes_through_what_the_whole_leaves_in_it(plan_: Plan) -> None:
    poset = poset_of(plan_)
    whole, _ = moments(poset)
    within = poset.all & 0b10110110
    part, _ = moments(poset, within)
    assert set(part) == {Moment(moment.done & within, moment.failed & within) for moment in whole}


@settings(max_examples=60, deadline=None)
@given(orders(6))
def test_every_cut_with_steps_under_way_is_covered(plan_: Plan) -> None:
    poset = poset_of(plan_)
    slices = Slices(plan_, poset)
    part = slices.of()
    found, _ = moments(poset, part.bits)
    proof = Proof(
        ok=True,
        cuts=0,
        states=0,
        evaluations=0,
        exhaustive=True,
        failures=(),
        enumerated=frozenset(map(part.key, found)),
    )
    coverage = Coverage(proof, plan_)
    nodes = nodes_of(plan_)
    events = {event.id for event in plan_.events}
    done: set[str] = set()
    while len(done) < len(nodes):
        ready = {id_ for id_, node in nodes.items() if id_ not in done and done.issuperset(node.after)}
        assert coverage.holds(done - events, ready - events, done & events)
        assert key_of(plan_, done - events, ready - events, done & events) <= proof.enumerated
        blocked = set(nodes) - done - ready
        for id_ in blocked:
            assert not coverage.holds(done - events, {id_}, done & events) or not any(
                nodes[before].effects for before in beneath(plan_, id_) - done
            )
        done.add(sorted(ready)[0])
    assert coverage.holds(done - events, (), done & events)
    assert not coverage.holds({*done, "no such step"}, (), events)


def beneath(plan_: Plan, id_: str) -> set[str]:
    nodes = nodes_of(plan_)
    found: set[str] = set()
    stack = list(nodes[id_].after)
    while stack:
        before = stack.pop()
        if before not in found:
            found.add(before)
            stack += nodes[before].after
    return found


def test_order_that_a_step_without_effects_carries_is_kept() -> None:
    # b looks, and changes nothing; c still never happens before a.
    poset = poset_of(plan([step("a", tag("a")), step("b", after=["a"]), step("c", tag("c"), after=["b"])]))
    assert {named(poset, moment)[0] for moment in moments(poset)[0]} == {
        frozenset(),
        frozenset({"a"}),
        frozenset({"a", "c"}),
    }


def test_counting_is_exact_where_listing_is_hopeless() -> None:
    wide = plan([step(f"s{n}", tag(f"s{n}")) for n in range(40)])
    assert count_cuts(poset_of(wide)) == 2**40
    chains = plan(
        [step(f"c{c}-{n}", tag("x"), after=[f"c{c}-{n - 1}"] if n else []) for c in range(12) for n in range(4)]
    )
    assert count_cuts(poset_of(chains)) == 5**12
    # Two hundred machines in four phases, each phase wholly after the one before.
    layers = plan(
        [
            step(f"l{layer}-{n}", tag("x"), after=[f"l{layer - 1}-{m}" for m in range(200)] if layer else [])
            for layer in range(4)
            for n in range(200)
        ]
    )
    assert count_cuts(poset_of(layers)) == 4 * (2**200 - 1) + 1


def test_beyond_the_limit_every_phase_is_still_looked_at() -> None:
    steps = [
        step(
            f"{phase}-{n}",
            tag(f"{phase}-{n}"),
            phase=phase,
            after=[f"{Phase.PROVISION}-0"] if phase is Phase.FAILOVER else [],
        )
        for phase in (Phase.PROVISION, Phase.FAILOVER)
        for n in range(10)
    ]
    poset = poset_of(plan(steps))
    found, exhaustive = moments(poset, limit=200)
    assert not exhaustive
    assert len(found) <= 300
    assert len(found) == len(set(found))
    full = poset.all
    assert any(moment.done == full for moment in found)
    first = poset.through(Phase.PROVISION)
    assert any(moment.done == first for moment in found)
    assert any(moment.done & first == first and moment.done.bit_count() == 11 for moment in found)


def test_where_order_matters_both_worlds_are_kept() -> None:
    poset = poset_of(plan([step("a", tag("x", "a")), step("b", tag("x", "b"))]))
    reached = explore(poset, poset.all, 0, lambda key, index: index + 1)
    both = [key for moment, key in reached.moments if moment.done == poset.all]
    assert sorted(both) == [1, 2]


def test_writes_on_a_lost_region_wait_for_its_return() -> None:
    from farshore.arm.ids import make_id
    from farshore.estate.estate import Estate
    from farshore.plan import actions
    from prove.plans import SUBSCRIPTION

    id_ = make_id(SUBSCRIPTION, "rg", "Microsoft.Network/connections", "c")
    estate = Estate.from_resources([{"id": id_.text, "name": "c", "location": "eastasia", "properties": {}}])
    region = ("region:eastasia", "control-plane:eastasia")
    disaster = Event(id="disaster", title="lost", effects=(Lose(elements=region),))
    back = Event(id="return", title="back", after=("disaster",), effects=(Restore(elements=region),))
    delete = step("delete", tag("c"), after=["disaster"], action=actions.delete(id_))
    then = step("then", tag("then"), after=["delete"])

    waiting = poset_of(plan([delete, then], [disaster, back]), estate)
    assert {named(waiting, m)[0] for m in moments(waiting)[0]} == {
        frozenset(),
        frozenset({"disaster"}),
        frozenset({"disaster", "return"}),
        frozenset({"disaster", "return", "delete"}),
        frozenset({"disaster", "return", "delete", "then"}),
    }
    dark = Event(id="disaster", title="dark", effects=(Lose(elements=("region:eastasia",)),))
    answering = poset_of(plan([delete], [dark]), estate)
    assert frozenset({"disaster", "delete"}) in {named(answering, m)[0] for m in moments(answering)[0]}
    never = poset_of(plan([delete, then], [disaster]), estate)
    assert {named(never, m)[0] for m in moments(never)[0]} == {frozenset(), frozenset({"disaster"})}
    assert never.ids(sum(1 << i for i, node in enumerate(never.nodes) if node.impossible)) == ("delete", "then")


def test_states_of_a_cut_hold_each_choice_of_what_is_under_way() -> None:
    poset = poset_of(plan([step("a", tag("a")), step("b", tag("b")), step("c", tag("c"), after=["a"])]))
    states = set(states_of(poset, ["a"], ["b", "c"], [], poset.all))
    assert {len(list(members(state.done))) for state in states} == {1, 2, 3}
    assert len(states) == 4
    assert not list(states_of(poset, [], ["c"], [], poset.all))
