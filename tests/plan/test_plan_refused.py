"""What Site Recovery would refuse (S19, S42 to S45): no plan of ours asks for it, and an edit that does is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farshore import examples
from farshore.plan import Plan, make_plan
from farshore.plan.model import Action, PlannedMachine, Shore, Step
from farshore.plan.refused import RULES, Refusal, State, refusals
from plan.estates import example

SCENARIOS = (
    "published",
    "maintenance+stay",
    "change-point+no-way-back",
    "grey+no-drill",
    "nothing-ahead+latest-processed",
)
TWO = "two-circuits-two-locations"


def without(plan: Plan, *verbs: str) -> Plan:
    """The plan without the steps of these verbs; who came after one of them comes after what it came after."""
    gone = {step.id: step.after for step in plan.steps if step.action.verb in verbs}
    assert gone

    def kept(after: tuple[str, ...]) -> tuple[str, ...]:
        found = [before for id_ in after for before in (kept(gone[id_]) if id_ in gone else (id_,))]
        return tuple(dict.fromkeys(found))

    return replace(
        plan,
        steps=tuple(replace(step, after=kept(step.after)) for step in plan.steps if step.id not in gone),
        events=tuple(replace(event, after=kept(event.after)) for event in plan.events),
    )


def refused(plan: Plan) -> dict[str, list[Refusal]]:
    """What is refused, by verb."""
    found: dict[str, list[Refusal]] = {}
    for refusal in refusals(plan):
        step = plan.step(refusal.step)
        assert step is not None
        found.setdefault(step.action.verb, []).append(refusal)
    return found


@pytest.mark.parametrize("name", examples.names())
def test_no_plan_of_ours_asks_for_it(name: str) -> None:
    estate = example(name)
    for scenario in SCENARIOS:
        plan = make_plan(estate, scenario=scenario)
        assert any(step.action.verb in RULES for step in plan.steps)
        assert refusals(plan) == (), scenario


def test_a_plan_without_its_commits_is_refused_at_the_reprotection() -> None:
    plan = make_plan(example(TWO))
    found = refused(without(plan, "commit"))
    assert set(found) == {"switch_protection", "reprotect_unmanaged"}
    first = found["switch_protection"][0]
    assert (first.state, first.source) == (State.FAILED_OVER, "S45, S50")
    assert first.after.startswith("failover/")
    assert str(first) == (
        f"Site Recovery refuses {first.step} ({first.title}) where it comes behind {first.after}:"
        f" {first.machine.rsplit('/', 1)[-1]} is then failed over and not committed, and has to be committed (S45, S50)"
    )


def test_nothing_fails_back_that_was_not_protected_again() -> None:
    plan = make_plan(example(TWO))
    found = refused(without(plan, "switch_protection", "reprotect_unmanaged"))
    assert {refusal.state for refusal in found["failover"]} == {State.COMMITTED}
    assert len(found["failover"]) == len(plan.machines)


def test_a_point_is_not_changed_behind_the_commit() -> None:
    """S44: the commit deletes the recovery points."""
    plan = make_plan(example(TWO), scenario="change-point")
    steps = {step.id: step for step in plan.steps}
    changes = [step for step in plan.steps if step.action.verb == "change_point"]
    for change in changes:
        commit = next(s for s in plan.steps if s.action.verb == "commit" and s.subject == change.subject)
        steps[commit.id] = replace(commit, after=change.after)
        steps[change.id] = replace(change, after=(commit.id,))
        for step in steps.values():
            if change.id in step.after:
                steps[step.id] = replace(step, after=tuple(id_ for id_ in step.after if id_ != change.id))
    found = refused(replace(plan, steps=tuple(steps.values())))
    assert [refusal.step for refusal in found["change_point"]] == [change.id for change in changes]
    assert {refusal.state for refusal in found["change_point"]} == {State.COMMITTED}


def test_a_failover_needs_no_cleanup_of_a_test_and_a_commit_no_second_word() -> None:
    """The run cleans up before a failover by itself, and a step that finds its work done asks for nothing."""
    plan = make_plan(example(TWO))
    assert refusals(without(plan, "test_failover_cleanup")) == ()
    assert refusals(without(plan, "test_failover")) == ()
    assert refusals(without(plan, "enable_replication")) == ()  # it may be protected: the plan doesn't say


def test_what_was_before_the_plan_decides() -> None:
    """A plan that begins with the reprotection: of machines on the far shore, on this one, and on their way."""
    plan = make_plan(example(TWO))
    outward = {machine.item.text for machine in plan.machines}
    steps = tuple(
        replace(step, after=())
        for step in plan.steps
        if step.action.verb == "switch_protection" and step.action.arguments["id"] in outward
    )
    assert steps

    def of(**changes: object) -> int:
        machines = tuple(replace(machine, **changes) for machine in plan.machines)  # type: ignore[arg-type]
        return len(refusals(replace(plan, steps=steps, events=(), machines=machines)))

    assert of(at=Shore.THERE) == 0
    assert of(at=Shore.HOME) == len(steps)
    assert of(at=Shore.HOME, settled=False) == 0


# A naive twin: every order that a partial order allows, one after another. --------------------------------------------

PLAN = make_plan(example(TWO))
ONE = PLAN.machines[0]
VERBS = sorted(RULES)


Asked = tuple[str, bool, tuple[int, ...]]
"""A verb, whether it is asked of the other item, and the numbers of the steps it comes after."""


@st.composite
def asked(draw: st.DrawFn) -> list[Asked]:
    """Up to five steps in a random partial order."""
    return [
        (draw(st.sampled_from(VERBS)), draw(st.booleans()), tuple(i for i in range(index) if draw(st.booleans())))
        for index in range(draw(st.integers(1, 5)))
    ]


def planned(asked: list[Asked], at: Shore, settled: bool) -> Plan:
    machine = replace(ONE, at=at, settled=settled)
    steps = []
    for index, (verb, there, after) in enumerate(asked):
        here, other = (machine.reverse_item, machine.item) if there else (machine.item, machine.reverse_item)
        arguments = {"id": here.text}
        if verb == "switch_protection":
            arguments["reverse_item"] = other.text
        action = Action(verb=verb, arguments=arguments)
        steps.append(replace(PLAN.steps[0], id=f"s{index}", action=action, after=tuple(f"s{i}" for i in after)))
    return replace(PLAN, steps=tuple(steps), events=(), machines=(machine,))


def naive(plan: Plan) -> set[str]:
    """Steps that are refused in some order: each order is walked to its first refusal, with the pairs of an item and a
    word in which the machine may be."""
    machine = plan.machines[0]
    refused_: set[str] = set()
    for order in permutations(plan.steps):
        place = {step.id: index for index, step in enumerate(order)}
        if any(place[before] > place[step.id] for step in order for before in step.after):
            continue
        may = set(beginnings(machine))
        for step in order:
            may = set(after(step, may))
            if not may:
                refused_.add(step.id)
                break
    return refused_


def beginnings(machine: PlannedMachine) -> Iterator[tuple[str, str]]:
    for item in (machine.item.key, machine.reverse_item.key):
        ahead = (item == machine.item.key) == (machine.at is Shore.HOME)
        for word in ("none", "protected", "tested", "failed over", "committed"):
            if not machine.settled or (word in ("none", "protected", "tested")) == ahead:
                yield item, word


TABLE = {
    "enable_replication": {"none": "protected", "protected": "protected"},
    "test_failover": {"protected": "tested", "tested": "tested"},
    "test_failover_cleanup": {"tested": "protected", "protected": "protected"},
    "failover": {"protected": "failed over", "tested": "failed over", "failed over": "failed over"},
    "change_point": {"failed over": "failed over"},
    "commit": {"failed over": "committed", "committed": "committed"},
    "switch_protection": {"committed": "protected"},
    "reprotect_unmanaged": {"committed": "protected", "protected": "protected"},
}


def after(step: Step, may: set[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    arguments, verb = step.action.arguments, step.action.verb
    item = str(arguments["id"]).lower()
    for held, word in may:
        if held == item and word in TABLE[verb]:
            yield str(arguments.get("reverse_item", item)).lower(), TABLE[verb][word]
        elif verb == "switch_protection" and (held, word) == (str(arguments["reverse_item"]).lower(), "protected"):
            yield held, word


@settings(max_examples=100)
@given(asked(), st.sampled_from(Shore), st.booleans())
def test_a_naive_twin_agrees(asked: list[Asked], at: Shore, settled: bool) -> None:
    plan = planned(asked, at, settled)
    assert {refusal.step for refusal in refusals(plan)} == naive(plan)
