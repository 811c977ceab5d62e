"""How a lost region comes back: in which order events happen, what the guard does in between, and when replication
back begins (D63, D64, D92, S45)."""

from __future__ import annotations

import pytest

from farshore.plan import Plan, make_plan
from farshore.plan.model import CONTROL_PLANE, Lose, MachineState, Phase, Restore, SetMachine
from farshore.prove import prove
from plan.estates import NEW, ONE, TWO, example
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


@pytest.mark.parametrize("scenario", EVENTS)
def test_each_is_proven(scenario: str) -> None:
    estate = example()
    proof = prove(estate, make_plan(estate, None, scenario))
    assert proof.ok and proof.exhaustive, [example.summary for example in proof.counterexamples[:2]]
