"""The machine's tables, one pair at a time: what is allowed, what raises, and what each event leaves behind."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from farshore.errors import JournalError
from farshore.plan.file import plan_digest
from farshore.plan.model import Event, Phase, Plan
from farshore.run import machine
from farshore.run.cuts import cuts_of
from farshore.run.events import OF_THE_RUN, Kind, RunEvent
from farshore.run.machine import Act, Follow, Look, Record, State
from farshore.run.states import RUN_TRANSITIONS, TRANSITIONS, RunStatus, StepState, figure
from prove.plans import plan, step
from run.talk import NOW

OF_STEPS = [kind for kind in Kind if kind not in OF_THE_RUN]


def started(plan_: Plan, *phases: Phase, status: RunStatus = RunStatus.RUNNING) -> State:
    return replace(machine.initial(plan_), status=status, started=phases or (Phase.PROVISION,))


def with_step(run: State, id_: str, **fields: Any) -> State:
    return replace(run, steps={**run.steps, id_: replace(run.steps[id_], **fields)})


def after(state: State, *told: tuple[str, Kind] | tuple[str, Kind, dict[str, Any]]) -> State:
    """The state after these events, numbered as they come."""
    for item in told:
        body = item[2] if len(item) == 3 else {}
        state, _ = machine.step(state, machine.event(state, item[0], item[1], NOW, body))
    return state


ONE = plan([step("a")])


# The tables. ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("before", "kind"), list(product(StepState, OF_STEPS)))
def test_every_pair_of_a_step(before: StepState, kind: Kind) -> None:
    state = with_step(started(ONE), "a", state=before, n=7)
    copy = replace(state, steps=dict(state.steps))
    event = RunEvent(step="a", n=8, kind=kind, at=NOW)
    if (before, kind) in TRANSITIONS:
        found, commands = machine.step(state, event)
        assert found.steps["a"].state is TRANSITIONS[before, kind] and found.steps["a"].n == 8
        wanted = {
            StepState.LOOKING: (Look(step="a", doubted=False),),
            StepState.DOUBTED: (Look(step="a", doubted=True),),
            StepState.ACTING: (Act(step="a"),),
            StepState.FOLLOWING: (Follow(step="a"),),
        }
        assert commands == wanted.get(found.steps["a"].state, ())
        assert machine.commands(found) == commands, "who folds a state finds the same commands open"
    else:
        with pytest.raises(JournalError, match=f"{before} and can't be {kind}"):
            machine.step(state, event)
    assert state == copy, "a state is a value"


@pytest.mark.parametrize(("before", "kind"), list(product(RunStatus, sorted(OF_THE_RUN))))
def test_every_pair_of_a_run(before: RunStatus, kind: Kind) -> None:
    state = replace(machine.initial(ONE), status=before, n=3)
    body = {"phase": "provision", "event": "disaster"}
    event = RunEvent(step="", n=4, kind=kind, at=NOW, body=body)
    if (before, kind) in RUN_TRANSITIONS:
        found, commands = machine.step(state, event)
        assert found.status is RUN_TRANSITIONS[before, kind] and commands == ()
        assert found.started == ((Phase.PROVISION,) if kind is Kind.PHASE_STARTED else ())
        assert found.happened == (("disaster",) if kind is Kind.HAPPENED else ())
    else:
        with pytest.raises(JournalError, match=f"{before} and can't be {kind}"):
            machine.step(state, event)


def test_no_state_is_a_trap() -> None:
    """From every state of a step there is a way to done or skipped, and none leads out of them."""
    ends = {StepState.DONE, StepState.SKIPPED}
    assert not {before for before, _ in TRANSITIONS} & ends
    good, grown = set(ends), True
    while grown:
        more = {before for (before, _), found in TRANSITIONS.items() if found in good} - good
        good, grown = good | more, bool(more)
    assert good == set(StepState)


def test_an_act_follows_a_look_and_nothing_else() -> None:
    into = {(before, kind) for (before, kind), found in TRANSITIONS.items() if found is StepState.ACTING}
    assert into == {
        (StepState.LOOKING, Kind.ABSENT),
        (StepState.DOUBTED, Kind.ABSENT),
        # A refusal says that nothing has happened.
        (StepState.ACTING, Kind.REFUSED),
        (StepState.FOLLOWING, Kind.REFUSED),
    }


@pytest.mark.parametrize("n", [0, 1, 3])
def test_an_event_out_of_turn_raises(n: int) -> None:
    state = after(started(ONE), ("a", Kind.INTENDED))
    with pytest.raises(JournalError, match="comes after event 1"):
        machine.step(state, RunEvent(step="a", n=n, kind=Kind.ABSENT, at=NOW))
    with pytest.raises(JournalError, match="comes after event 0"):
        machine.step(state, RunEvent(step="", n=n + 2, kind=Kind.PAUSED, at=NOW))


def test_an_event_about_nobody_raises() -> None:
    with pytest.raises(JournalError, match="does not hold"):
        machine.step(started(ONE), RunEvent(step="zzz", n=1, kind=Kind.INTENDED, at=NOW))
    with pytest.raises(JournalError, match="about the run"):
        machine.step(started(ONE), RunEvent(step="a", n=1, kind=Kind.PAUSED, at=NOW))
    with pytest.raises(JournalError, match="does not hold"):
        machine.step(started(ONE), RunEvent(step="", n=1, kind=Kind.INTENDED, at=NOW))


def test_the_figure_shows_every_transition() -> None:
    drawn = figure()
    assert drawn.count("-->") == len(TRANSITIONS) + len(RUN_TRANSITIONS) + 4
    assert "acting --> doubted: doubted" in drawn


# What events leave behind. -------------------------------------------------------------------------------------------


def test_attempts_and_refusals() -> None:
    told: list[Any] = [("a", Kind.INTENDED), ("a", Kind.ABSENT)]
    first = after(started(ONE), *told)
    assert first.steps["a"].attempt == 1 and first.steps["a"].intended_at == NOW
    refused = after(first, ("a", Kind.REFUSED, {"wait_seconds": 30}))
    record = refused.steps["a"]
    assert (record.state, record.attempt, record.again_at) == (StepState.ACTING, 2, NOW + timedelta(seconds=30))
    accepted = after(refused, ("a", Kind.ACCEPTED, {"pending": {"operation": "u"}}))
    assert accepted.steps["a"].pending == {"operation": "u"} and accepted.steps["a"].accepted_at == NOW
    again = after(accepted, ("a", Kind.REFUSED, {"wait_seconds": 1}))
    assert again.steps["a"].pending == {} and again.steps["a"].accepted_at is None, "that operation is over"


def test_a_retried_step_keeps_its_first_intention_and_gets_its_attempts_back() -> None:
    failed = after(
        started(ONE),
        ("a", Kind.INTENDED),
        ("a", Kind.ABSENT),
        ("a", Kind.DOUBTED),
        ("a", Kind.FAILED, {"fault": {"code": "X"}}),
    )
    assert failed.steps["a"].fault == {"code": "X"} and failed.steps["a"].settled_at == NOW
    state, commands = machine.step(failed, machine.event(failed, "a", Kind.RETRIED, NOW + timedelta(hours=1)))
    record = state.steps["a"]
    assert record.intended_at == NOW and record.attempt == 0 and record.doubts == 0
    assert record.fault is None and record.settled_at is None
    assert commands == (Look(step="a", doubted=False),), "it looks before it acts"


def test_a_failure_that_the_plan_expected_is_behind_and_can_t_be_taken_back() -> None:
    """What comes after it has begun: a moment with it under way again would be no cut of the proof."""
    story = plan([step("a", may_fail=True), step("b", after=["a"])])
    state = after(started(story), ("a", Kind.INTENDED), ("a", Kind.FAILED, {"fault": {}, "expected": True}))
    assert state.is_behind("a") and [item.id for item in machine.ready(state)] == ["b"]
    with pytest.raises(JournalError, match="expected"):
        after(state, ("a", Kind.RETRIED))


# What comes next. ----------------------------------------------------------------------------------------------------


def test_a_step_begins_when_all_that_it_comes_after_is_behind() -> None:
    story = plan(
        [step("a"), step("b", after=["a"]), step("c", after=["a", "lost"]), step("d", phase=Phase.DRILL)],
        [Event(id="lost", title="lost")],
    )
    state = started(story)

    def ready(state: State) -> list[str]:
        return [item.id for item in machine.ready(state)]

    assert ready(state) == ["a"]
    done = after(state, ("a", Kind.INTENDED), ("a", Kind.DONE))
    assert ready(done) == ["b"]
    assert ready(after(done, ("", Kind.HAPPENED, {"event": "lost"}))) == ["b", "c"]
    assert ready(after(done, ("", Kind.PHASE_STARTED, {"phase": "drill"}))) == ["b", "d"]
    skipped = after(state, ("a", Kind.SKIPPED))
    assert ready(skipped) == ["b"], "a person answers for what he skips"
    failed = after(state, ("a", Kind.INTENDED), ("a", Kind.FAILED))
    assert ready(failed) == [], "a failed step holds up those that come after it"


def test_a_failed_step_holds_up_nobody_else() -> None:
    story = plan([step("a"), step("b", after=["a"]), step("x"), step("y", after=["x"])])
    state = after(started(story), ("a", Kind.INTENDED), ("a", Kind.FAILED), ("x", Kind.INTENDED), ("x", Kind.DONE))
    assert [event.step for event in machine.follow_up(state, NOW)] == ["y"]


def test_width_counts_what_is_under_way_and_not_who_waits_for_a_person() -> None:
    story = plan([step(name) for name in "abcde"])
    state = after(started(story), ("a", Kind.INTENDED), ("b", Kind.INTENDED), ("b", Kind.ABSENT), ("b", Kind.ASKED))
    assert [event.step for event in machine.follow_up(state, NOW, width=2)] == ["c"]
    assert [event.step for event in machine.follow_up(state, NOW, width=1)] == []
    assert [event.step for event in machine.follow_up(state, NOW, width=9)] == ["c", "d", "e"], "in the plan's order"


def test_a_phase_ends_when_all_its_steps_are_behind() -> None:
    story = plan([step("a"), step("b", may_fail=True)])
    state = after(
        started(story, Phase.PROVISION, Phase.DRILL),
        ("a", Kind.INTENDED),
        ("a", Kind.DONE),
        ("b", Kind.INTENDED),
        ("b", Kind.FAILED, {"expected": True}),
    )
    events = machine.follow_up(state, NOW)
    assert [(event.n, event.body["phase"]) for event in events] == [(1, "provision"), (2, "drill")]
    ended = state
    for event in events:
        ended, _ = machine.step(ended, event)
    assert machine.follow_up(ended, NOW) == () and machine.is_over(ended)


@pytest.mark.parametrize("kind", [Kind.PAUSED, Kind.CANCELLED])
def test_nothing_new_begins_in_a_run_that_is_paused_or_cancelled(kind: Kind) -> None:
    story = plan([step("a"), step("b")])
    state = after(started(story), ("a", Kind.INTENDED), ("", kind))
    assert machine.follow_up(state, NOW) == ()
    assert machine.commands(state) == (Look(step="a", doubted=False),), "what is under way comes to its end"
    done = after(state, ("a", Kind.DONE))
    assert machine.is_over(done)
    if kind is Kind.PAUSED:
        assert [event.step for event in machine.follow_up(after(done, ("", Kind.RESUMED)), NOW)] == ["b"]
    else:
        with pytest.raises(JournalError):
            after(done, ("", Kind.RESUMED))


def test_a_phase_may_be_opened_while_the_run_is_paused() -> None:
    """Who says `failover` and then `resume` has said both, in either order."""
    story = plan([step("a", phase=Phase.FAILOVER)])
    paused = after(started(story), ("", Kind.PAUSED), ("", Kind.PHASE_STARTED, {"phase": "failover"}))
    assert machine.follow_up(paused, NOW)[-1].kind is Kind.PHASE_ENDED, "provision holds nothing"
    resumed = after(paused, ("", Kind.RESUMED))
    assert [event.step for event in machine.follow_up(resumed, NOW)][-1] == "a"


def test_who_takes_a_run_over_doubts_what_was_acting_and_nothing_else() -> None:
    states = dict(zip("abcdefghi", StepState, strict=True))
    state = started(plan([step(name) for name in states]))
    for name, found in states.items():
        state = with_step(state, name, state=found, n=1)
    doubted = [event.step for event in machine.takeover(state, NOW)]
    assert [states[name] for name in doubted] == [StepState.ACTING]
    for event in machine.takeover(state, NOW):
        state, commands = machine.step(state, event)
        assert commands == (Look(step=event.step, doubted=True),)


# Cuts. ---------------------------------------------------------------------------------------------------------------


def test_cuts_say_what_is_done_and_what_may_have_taken_effect() -> None:
    story = plan([step("a"), step("b"), step("c", after=["a"])], [Event(id="lost", title="lost")])
    state = machine.initial(story)
    events: list[RunEvent] = []

    def tell(step_id: str, kind: Kind, **body: Any) -> None:
        nonlocal state
        events.append(machine.event(state, step_id, kind, NOW, body))
        state, _ = machine.step(state, events[-1])

    tell("", Kind.RUN_STARTED)
    tell("", Kind.PHASE_STARTED, phase="provision")
    tell("a", Kind.INTENDED)
    tell("a", Kind.ABSENT)
    tell("b", Kind.INTENDED)
    tell("a", Kind.DONE)
    tell("b", Kind.FAILED)
    tell("", Kind.HAPPENED, event="lost")
    found = [(set(cut.done), set(cut.under_way)) for cut in cuts_of(story, events)]
    assert found == [
        (set(), set()),
        (set(), {"a"}),
        (set(), {"a", "b"}),
        ({"a"}, {"b"}),
        # A failed step may have taken effect.
        ({"a", "lost"}, {"b"}),
    ]


def test_a_record_begins_waiting() -> None:
    assert machine.initial(ONE).steps == {"a": Record()}
    assert machine.fold(ONE, []) == machine.initial(ONE)


def test_a_step_is_not_skipped_before_what_it_comes_after() -> None:
    begun = started(plan([step("a"), step("b", after=["a"])]), Phase.PROVISION)
    with pytest.raises(JournalError, match="before the steps that it comes after"):
        after(begun, ("b", Kind.SKIPPED))
    assert after(begun, ("a", Kind.SKIPPED), ("b", Kind.SKIPPED)).is_behind("b")


def test_a_run_goes_on_with_the_plan_that_it_began_with() -> None:
    mine, edited = plan([step("a")]), plan([step("a"), step("b")])
    begun = RunEvent(step="", n=1, kind=Kind.RUN_STARTED, at=NOW, body={"digest": plan_digest(mine)})
    machine.check_plan(mine, [begun])
    with pytest.raises(JournalError, match="not the one that the run was begun with"):
        machine.check_plan(edited, [begun])
