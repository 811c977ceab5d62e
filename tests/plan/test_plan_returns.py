"""How a lost region comes back: in which order events happen, what the guard does in between, and when replication
back begins (D63, D64, D92, S45)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from matrix.estates import small

from farshore.plan import Plan, make_plan
from farshore.plan.interruption import cut_by, may_return, turned_away_by
from farshore.plan.model import CONTROL_PLANE, Lose, MachineState, Phase, Restore, SetMachine
from farshore.prove import prove
from plan.estates import BOTH, NEW, ONE, TWO, example
from plan.test_plan_order import below, named

EVENTS = {
    "control-first": ["disaster", "return", "return-data"],
    "data-first": ["disaster", "return", "return-control"],
    "flapping": ["disaster", "return", "return-lost", "return-again"],
    "never+no-way-back": ["disaster", "return"],
}


def _restored(plan: Plan, event: str) -> set[str]:
    found = next(item for item in plan.events if item.id == event)
    return {name for effect in found.effects if isinstance(effect, Restore) for name in effect.elements}


def _stale_with(plan: Plan) -> list[str]:
    """Events with which old machines run again."""
    return [
        event.id
        for event in plan.events
        if any(isinstance(e, SetMachine) and e.state is MachineState.STALE for e in event.effects)
    ]


@pytest.mark.parametrize("name", [TWO, ONE, NEW])
@pytest.mark.parametrize("scenario", EVENTS)
def test_events_follow_each_other_and_the_guard_waits_for_the_first_only(scenario: str, name: str) -> None:
    plan = make_plan(example(name), None, scenario)
    assert [event.id for event in plan.events] == EVENTS[scenario]
    for before, after in zip(EVENTS[scenario][1:], EVENTS[scenario][2:], strict=False):
        assert before in below(plan, after)
    events = set(EVENTS[scenario][1:])
    guarding = plan.of_phase(Phase.RETURN)
    assert guarding[0].id.startswith("return/watch/")
    watching = [step.id for step in guarding if step.id.startswith("return/watch-arm/")]
    assert len(watching) == (len(events) > 1)
    for step in guarding:
        # Packets pass before ARM answers: nothing can be stopped yet, and nothing is tried.
        met = events if scenario == "data-first" and step.id != guarding[0].id else {"return"}
        if step.id not in watching:
            assert below(plan, step.id) & events == met, "the guard acts on the first sign of life"
    for machine in plan.machines:
        [stopped] = [s for s in guarding if s.action.verb == "deallocate" and s.subject == str(machine.id)]
        assert named(plan, "watch/", Phase.RETURN)[0].id in below(plan, stopped.id)
    for step in plan.of_phase(Phase.REPROTECT):
        assert events <= below(plan, step.id), "replication back needs the region whole (S45)"


def test_each_half_comes_back_once_and_old_machines_with_the_data_plane() -> None:
    region, arm = "region:eastasia", f"{CONTROL_PLANE}eastasia"
    first = make_plan(example(), None, "control-first")
    assert (_restored(first, "return"), _restored(first, "return-data")) == ({arm}, {region})
    assert _stale_with(first) == ["return-data"]
    data = make_plan(example(), None, "data-first")
    assert (_restored(data, "return"), _restored(data, "return-control")) == ({region}, {arm})
    assert _stale_with(data) == ["return"], "machines are met before ARM can stop them: the fence is what holds"
    flapping = make_plan(example(), None, "flapping")
    again = next(event for event in flapping.events if event.id == "return-lost")
    assert [e.elements for e in again.effects if isinstance(e, Lose)] == [(region, arm)]
    assert _restored(flapping, "return") == _restored(flapping, "return-again") == {region, arm}
    assert _stale_with(flapping) == ["return"], "a machine that was stopped once stays so"


def test_the_one_circuit_s_connection_goes_before_the_old_machines_are_stopped() -> None:
    for scenario in EVENTS:
        plan = make_plan(example(ONE), None, scenario)
        [cut] = named(plan, "disconnect/", Phase.RETURN)
        for step in named(plan, "deallocate/", Phase.RETURN):
            assert cut.id in below(plan, step.id)


def test_a_region_that_never_returns_leaves_the_watch_and_what_is_owed() -> None:
    plan = make_plan(example(), None, "never+no-way-back")
    assert not plan.of_phase(Phase.REPROTECT, Phase.FAILBACK)
    [owed] = plan.obligations
    assert set(owed.discharged_by) == {step.id for step in named(plan, "deallocate/", Phase.RETURN)}


@pytest.mark.parametrize("name", [TWO, ONE, NEW])
def test_a_region_may_return_at_any_moment_of_a_failover_its_halves_in_any_order(name: str) -> None:
    plan = make_plan(example(name), None, "early")
    assert may_return(plan) == ("return", "return-control")
    assert _restored(plan, "return") == {"region:eastasia"}
    assert _restored(plan, "return-control") == {f"{CONTROL_PLANE}eastasia"}
    (watch,) = named(plan, "watch/", Phase.RETURN)
    assert not {step.phase for step in plan.steps if step.id in below(plan, watch.id)} & {Phase.FAILOVER, Phase.COMMIT}
    for step in (*plan.of_phase(Phase.FAILOVER), *plan.of_phase(Phase.COMMIT)):
        assert not below(plan, step.id) & set(may_return(plan)), "the failover waits for no return"
    for step in named(plan, "verify/", Phase.RETURN):
        assert {"failover", "return"} <= {id_.partition("/")[0] for id_ in below(plan, step.id)}
    for step in plan.of_phase(Phase.REPROTECT):
        assert {s.id for s in plan.of_phase(Phase.COMMIT, Phase.RETURN)} <= below(plan, step.id)


@pytest.mark.parametrize("name", [TWO, ONE])
def test_machines_that_may_be_back_are_given_up_before_others_take_their_place(name: str) -> None:
    """Where addresses are kept: no site can meet them by then, and they are stopped only after."""
    plan = make_plan(example(name), None, "early")
    (given_up,) = named(plan, "given-up/", Phase.FAILOVER)
    for step in plan.of_phase(Phase.FAILOVER):
        if step.action.verb == "failover":
            assert given_up.id in below(plan, step.id)
    for step in named(plan, "deallocate/", Phase.RETURN):
        assert given_up.id in below(plan, step.id)
    for cut in named(plan, "disconnect/", Phase.RETURN):
        assert given_up.id not in below(plan, cut.id), "a connection goes with the first sign of life (D64)"


def test_who_is_back_early_is_met_until_people_are_turned_away() -> None:
    """What they write until then is lost too: `bytes_lost` counts it."""
    plan = make_plan(small(TWO), None, "early+no-drill")
    ends = ("failover/fence/datacenter", "failover/given-up/eastasia")
    assert all(turned_away_by(plan, machine) == ends and not cut_by(plan, machine) for machine in plan.machines)
    elsewhere = make_plan(small(NEW), None, "early+no-drill")
    assert not any(turned_away_by(elsewhere, machine) for machine in elsewhere.machines), "addresses are new"


@pytest.mark.parametrize("name", [TWO, ONE, NEW, BOTH])
def test_an_early_return_is_proven_at_every_moment(name: str) -> None:
    """With one circuit and kept addresses but for the guard's interval (D63)."""
    estate = small(name)
    proof = prove(estate, make_plan(estate, None, "early+no-drill"))
    assert proof.ok and proof.exhaustive, [found.summary for found in proof.counterexamples if not found.exempt]
    assert any(found.exempt for found in proof.counterexamples) == (name == ONE)


def test_a_plan_that_counts_on_the_region_s_absence_is_not_proven_for_an_early_return() -> None:
    """Why it is a word of its own: a site that has not been turned away yet meets the old machines."""
    estate = small(TWO)
    plan = make_plan(estate, None, "no-drill")
    early = tuple(replace(e, after=("disaster",)) if e.id == "return" else e for e in plan.events)
    proof = prove(estate, replace(plan, events=early))
    assert "stale" in {found.kind for found in proof.counterexamples if not found.exempt}


@pytest.mark.parametrize("scenario", EVENTS)
def test_each_is_proven(scenario: str) -> None:
    estate = example()
    proof = prove(estate, make_plan(estate, None, scenario))
    assert proof.ok and proof.exhaustive, [example.summary for example in proof.counterexamples[:2]]
