"""The machine of a run: (state, event) -> (state, commands), and nothing else.

The state is the fold of the journal over the plan. There is no other state: what a driver forgets when it dies is
what it had not written down, and that is at most who was about to be asked.

    step        one event: the new state, and the commands that follow from it
    follow_up   what has to be written next: intentions of steps whose time has come, the end of a phase
    takeover    what a process writes that takes a run over: every act that was under way is in doubt
    unanswered  what a process writes that settles a run which is given up
    commands    the commands that are open in a state, for a process that has just folded it

A step's time has come when its phase is open and everything it comes after is behind it: steps done, skipped, or
failed as the plan expected (D62), and events that have happened. `width` steps at most are under way at once, in the
plan's order; a step that waits for a person takes no place. A step that fails holds up those that come after it and
nobody else: every other downward closed set of steps is a cut that was proven.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from farshore.errors import Fault, JournalError
from farshore.plan.file import plan_digest
from farshore.plan.model import Phase, Plan, Step
from farshore.run.events import OF_THE_RUN, Kind, RunEvent
from farshore.run.states import ACTIVE, RUN_TRANSITIONS, SETTLED, TRANSITIONS, RunStatus, StepState

WIDTH = 10
ABANDONED = Fault(code="Abandoned", message="the run was given up before this was done, or known to be")
"""What a step that was under way has come to, where a look does not find it done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What the journal says of one step."""

    state: StepState = StepState.WAITING
    n: int = 0
    intended_at: datetime | None = None
    attempt: int = 0
    """How often the act has been begun."""
    again_at: datetime | None = None
    """After a refusal: when the act is tried again."""
    doubts: int = 0
    accepted_at: datetime | None = None
    pending: Mapping[str, Any] = field(default_factory=dict)
    approved_by: tuple[str, ...] = ()
    """In the order in which they did."""
    settled_at: datetime | None = None
    result: Mapping[str, Any] = field(default_factory=dict)
    fault: Mapping[str, Any] | None = None
    expected: bool = False
    """Failed as the plan expected: those that come after it go on, and its obligation stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    plan: Plan
    steps: Mapping[str, Record]
    status: RunStatus = RunStatus.NEW
    n: int = 0
    started: tuple[Phase, ...] = ()
    ended: tuple[Phase, ...] = ()
    happened: tuple[str, ...] = ()

    def is_behind(self, id_: str) -> bool:
        """Whether what comes after this step or event may begin."""
        record = self.steps.get(id_)
        if record is None:
            return id_ in self.happened
        return record.state in (StepState.DONE, StepState.SKIPPED) or record.expected


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    step: str
    doubted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    step: str


Command = Look | Act | Follow


def check_plan(plan: Plan, events: Sequence[RunEvent]) -> None:
    """Raises `JournalError` where a run was begun with another plan than this one: its steps would be carried out in
    an order that nobody has proven."""
    begun = events[0].body.get("digest") if events else None
    if begun is not None and begun != plan_digest(plan):
        raise JournalError("the plan is not the one that the run was begun with; put that plan.json back")


def initial(plan: Plan) -> State:
    return State(plan=plan, steps={step.id: Record() for step in plan.steps})


def fold(plan: Plan, events: Iterable[RunEvent]) -> State:
    """The state that a journal tells."""
    state = initial(plan)
    for event in events:
        state, _ = step(state, event)
    return state


def step(state: State, event: RunEvent) -> tuple[State, tuple[Command, ...]]:
    """The state after one event, and the commands that it calls for. An event that the tables do not allow, or that
    is not the next one, raises `JournalError`."""
    if event.kind in OF_THE_RUN:
        return _of_run(state, event), ()
    record = state.steps.get(event.step)
    if record is None:
        raise JournalError(f"the journal tells of step {event.step!r}, which the plan does not hold")
    if event.n != record.n + 1:
        raise JournalError(f"event {event.n} of step {event.step} comes after event {record.n}")
    after = TRANSITIONS.get((record.state, event.kind))
    if after is None:
        raise JournalError(f"step {event.step} is {record.state} and can't be {event.kind}")
    if event.kind is Kind.RETRIED and record.expected:
        # Steps after it have begun: a moment with it under way again is none that was proven. Its obligation stands.
        raise JournalError(f"step {event.step} failed as the plan expected and can't be {event.kind}")
    if event.kind is Kind.SKIPPED and not _may_be_skipped(state, event.step):
        raise JournalError(f"step {event.step} can't be skipped before the steps that it comes after are done")
    if event.kind is Kind.APPROVED and _is_to_be_approved_again(state.plan.step(event.step), record, event):
        after = record.state
    changed = _changed(replace(record, state=after, n=event.n), event)
    return replace(state, steps={**state.steps, event.step: changed}), _command(event.step, changed)


def _is_to_be_approved_again(asked: Step | None, record: Record, event: RunEvent) -> bool:
    """Whether a decision waits for more people after this one. Raises `JournalError` for somebody who isn't asked, or
    who has approved before."""
    arguments: Any = {} if asked is None else asked.action.arguments
    deciders = arguments.get("deciders")
    if not deciders:
        return False
    by = event.body.get("by")
    if by not in deciders:
        raise JournalError(f"step {event.step} is for {' or '.join(deciders)} to approve, not for {by}")
    if by in record.approved_by:
        raise JournalError(f"{by} has approved step {event.step} already")
    return len(record.approved_by) + 1 < int(arguments["quorum"])


def _may_be_skipped(state: State, step_id: str) -> bool:
    """A step that counts as done before what it comes after is a moment that no proof has looked at."""
    found = state.plan.step(step_id)
    return found is not None and all(state.is_behind(id_) for id_ in found.after)


def event(state: State, step_id: str, kind: Kind, at: datetime, body: Mapping[str, Any] | None = None) -> RunEvent:
    """The next event of a step (or of the run), with its number. Raises `JournalError` for a step of another plan."""
    if kind not in OF_THE_RUN and step_id not in state.steps:
        raise JournalError(f"the plan does not hold step {step_id!r}")
    n = state.n if kind in OF_THE_RUN else state.steps[step_id].n
    return RunEvent(step="" if kind in OF_THE_RUN else step_id, n=n + 1, kind=kind, at=at, body=body or {})


def follow_up(state: State, at: datetime, width: int = WIDTH) -> tuple[RunEvent, ...]:
    """What has to be written after a round: ends of phases, and intentions of steps whose time has come."""
    found: list[RunEvent] = []
    n = state.n
    for phase in state.started:
        if phase not in state.ended and all(state.is_behind(item.id) for item in state.plan.of_phase(phase)):
            n += 1
            found.append(RunEvent(step="", n=n, kind=Kind.PHASE_ENDED, at=at, body={"phase": phase.value}))
    if state.status is not RunStatus.RUNNING:
        return tuple(found)
    free = width - sum(record.state in ACTIVE for record in state.steps.values())
    for item in ready(state)[: max(free, 0)]:
        found.append(event(state, item.id, Kind.INTENDED, at))
    return tuple(found)


def ready(state: State) -> list[Step]:
    """Steps that may begin, in the plan's order."""
    return [
        item
        for item in state.plan.steps
        if item.phase in state.started
        and state.steps[item.id].state is StepState.WAITING
        and all(state.is_behind(id_) for id_ in item.after)
    ]


def takeover(state: State, at: datetime) -> tuple[RunEvent, ...]:
    """Acts that were under way when a process died are in doubt. (Looks and polls are simply begun anew.)"""
    return tuple(
        event(state, id_, Kind.DOUBTED, at, {"why": "the process that did it is gone"})
        for id_, record in state.steps.items()
        if record.state is StepState.ACTING
    )


def unanswered(state: State, at: datetime) -> tuple[RunEvent, ...]:
    """What a process writes that settles a run: nobody waits any more for what people were asked to do. They may have
    done it."""
    return tuple(
        event(state, id_, Kind.FAILED, at, {"fault": {"code": ABANDONED.code, "message": ABANDONED.message}})
        for id_, record in state.steps.items()
        if record.state is StepState.ASKED
    )


def commands(state: State) -> tuple[Command, ...]:
    """The commands that are open in a state."""
    return tuple(command for id_, record in state.steps.items() for command in _command(id_, record))


def is_over(state: State) -> bool:
    """Whether nothing is under way: no command open, nobody asked."""
    return not any(record.state in ACTIVE or record.state is StepState.ASKED for record in state.steps.values())


def _command(id_: str, record: Record) -> tuple[Command, ...]:
    match record.state:
        case StepState.LOOKING:
            return (Look(step=id_, doubted=False),)
        case StepState.DOUBTED:
            return (Look(step=id_, doubted=True),)
        case StepState.ACTING:
            return (Act(step=id_),)
        case StepState.FOLLOWING:
            return (Follow(step=id_),)
    return ()


def _changed(record: Record, event: RunEvent) -> Record:
    body, at = event.body, event.at
    if record.state in SETTLED:
        record = replace(record, settled_at=at)
    match event.kind:
        case Kind.INTENDED:
            return replace(record, intended_at=at)
        case Kind.RETRIED:
            # The first intention stands: what an earlier attempt did is still to be found.
            return replace(record, settled_at=None, fault=None, expected=False, attempt=0, doubts=0, again_at=None)
        case Kind.ABSENT:
            return replace(record, attempt=record.attempt + 1, again_at=None)
        case Kind.REFUSED:
            wait = timedelta(seconds=float(body.get("wait_seconds", 0)))
            return replace(record, attempt=record.attempt + 1, again_at=at + wait, pending={}, accepted_at=None)
        case Kind.DOUBTED:
            return replace(record, doubts=record.doubts + 1)
        case Kind.ACCEPTED:
            return replace(record, accepted_at=at, pending=body.get("pending") or {})
        case Kind.ASKED:
            return replace(record, approved_by=())
        case Kind.APPROVED:
            by = body.get("by")
            return replace(record, accepted_at=at, approved_by=(*record.approved_by, *([] if by is None else [by])))
        case Kind.DONE:
            return replace(record, result=body.get("result") or {})
        case Kind.FAILED:
            return replace(record, fault=body.get("fault"), expected=bool(body.get("expected")))
    return record


def _of_run(state: State, event: RunEvent) -> State:
    if event.step:
        raise JournalError(f"{event.kind} is about the run, not about step {event.step}")
    if event.n != state.n + 1:
        raise JournalError(f"event {event.n} of the run comes after event {state.n}")
    after = RUN_TRANSITIONS.get((state.status, event.kind))
    if after is None:
        raise JournalError(f"the run is {state.status} and can't be {event.kind}")
    state = replace(state, status=after, n=event.n)
    match event.kind:
        case Kind.PHASE_STARTED:
            return replace(state, started=(*state.started, Phase(event.body["phase"])))
        case Kind.PHASE_ENDED:
            return replace(state, ended=(*state.ended, Phase(event.body["phase"])))
        case Kind.HAPPENED:
            return replace(state, happened=tuple(dict.fromkeys((*state.happened, str(event.body["event"])))))
    return state
