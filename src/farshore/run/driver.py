"""The driver of one run: it sends, sleeps and writes, and nothing else does.

    round    all outcomes of one instant, sorted by step -> events -> the machine -> what follows -> one transaction
    then     the commands that the round called for begin, each as an actor of the clock

What is written is durable before a command begins, so an intention is on disk before its request leaves. A process
that takes a run over folds the journal, writes that every act under way is in doubt, waits out what may still be in
flight (`Verb.grace`), and looks. What was only being looked at or followed is begun anew.

The driver ends when nothing is under way any more: the phases are over, or a step has failed and what comes after it
must wait, or only a person can go on. What a person then says (`farshore runs approve`) the next driver reads.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from farshore.arm.http import Request, Wait
from farshore.azure.conversation import Sender, length
from farshore.azure.lro import pending_from
from farshore.clock import ActorClock, WallClock
from farshore.errors import ArmError, FarshoreError, Fault, JournalError, TransportError
from farshore.plan.file import plan_digest
from farshore.plan.model import Phase, Plan, Step, StepKind
from farshore.run import machine
from farshore.run.actuators import CommandActuator, NameActuator, NameCommand, SiteActuator, instruction
from farshore.run.events import Kind, RunEvent
from farshore.run.journal import Asked as Wanted
from farshore.run.journal import Journal
from farshore.run.machine import WIDTH, Act, Command, Follow, Look, Record, State
from farshore.run.probers import Prober, SocketProber
from farshore.run.states import ACTIVE, StepState
from farshore.run.verbs import verb_named
from farshore.run.verbs.base import (
    Absent,
    Accepted,
    AgainError,
    Apply,
    Asked,
    Connect,
    Execute,
    InProgress,
    Present,
    Refused,
    Rename,
    Situation,
    Talk,
)

Hear = Callable[[RunEvent], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """How it stands when nothing is under way any more."""

    state: State
    failed: tuple[str, ...]
    """Steps that failed and were not expected to."""
    waiting: tuple[str, ...]
    """Steps that wait for a person."""
    faults: Mapping[str, Mapping[str, Any]]
    halted: bool
    """Whether a phase that was asked for has not come to its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    step: str
    kind: Kind
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Crash:
    """A mistake of ours, and no outcome: the process ends with it, and the next one doubts what it was about."""

    step: str
    error: Exception


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """Somebody wants something of the run: a round without outcomes takes it in."""

    step: str


LISTENING, BEATING = 1.0, 15.0
"""Seconds of the wall's time between two looks for what people ask, and between two signs of life."""


class Driver:
    """One run, one process, one event loop. `drive` may be called again for further phases."""

    def __init__(
        self,
        plan: Plan,
        *,
        run_id: str,
        client: Sender,
        journal: Journal,
        clock: ActorClock,
        actuators: Mapping[str, SiteActuator] | None = None,
        names: NameActuator | None = None,
        prober: Prober | None = None,
        on_event: Hear | None = None,
        width: int = WIDTH,
    ) -> None:
        self._plan, self._run, self._client = plan, run_id, client
        self._journal, self._clock, self._width = journal, clock, width
        self._actuators, self._names = dict(actuators or {}), names
        self._prober = prober or SocketProber()
        self._hear = on_event
        self._inbox = clock.inbox("driver")
        self._state = machine.initial(plan)
        self._sent: dict[str, datetime] = {}
        """When each step's act was first begun."""
        self._going: dict[str, Any] = {}
        self._ears: list[asyncio.Task[None]] = []
        self._settling = False

    async def settle(self) -> RunOutcome:
        """Begin nothing more, and find out how what was under way has ended: it is looked at and followed to its end;
        what can't be told is `failed` with what was answered, or `NoAnswer`; what turns out not to have been done, and
        acts and checks that wait to be begun, with the code `Abandoned`. The run has to be paused or cancelled. Raises
        `HeldError` when fenced off."""
        self._settling = True
        try:
            return await self.drive(())
        finally:
            self._settling = False

    async def drive(
        self, phases: Sequence[Phase], happened: Iterable[str] = (), said: Mapping[str, Any] | None = None
    ) -> RunOutcome:
        """Carry out these phases, and what was left of those begun before. `said`: what is written with the events
        that have happened. Raises `HeldError` when fenced off."""
        async with self._clock.actor("driver"):
            epoch = self._journal.hold(self._run)
            try:
                self._open(epoch, phases, happened, said or {})
                self._round(())
                self._start(machine.commands(self._state))
                self._listen()
                while self._going:
                    heard = sorted(await self._inbox.take(), key=lambda heard: heard.step)
                    self._round([outcome for outcome in heard if isinstance(outcome, _Outcome)])
                    for crash in heard:
                        if isinstance(crash, _Crash):
                            raise crash.error
                return self._outcome(phases)
            finally:
                for task in (*self._going.values(), *self._ears):
                    task.cancel()
                self._going, self._ears = {}, []
                self._journal.release(self._run)

    def _listen(self) -> None:
        """On a clock that goes by itself, hear what people ask of the run while nothing else happens (a watch can take
        days), and give signs of life. A clock that jumps leaves no time in which somebody could ask."""
        if isinstance(self._clock, WallClock):
            self._ears.append(asyncio.get_running_loop().create_task(self._hear_and_beat()))

    async def _hear_and_beat(self) -> None:
        beaten = time.monotonic()
        while True:
            await asyncio.sleep(LISTENING)
            try:
                if self._journal.asks(self._run):
                    self._inbox.put(_Asked(step=""))
                if time.monotonic() - beaten > BEATING:
                    self._journal.beat(self._run)
                    beaten = time.monotonic()
            except FarshoreError as error:
                self._inbox.put(_Crash(step="", error=error))
                return

    # Rounds. -------------------------------------------------------------------------------------------------------

    def _open(self, epoch: int, phases: Sequence[Phase], happened: Iterable[str], said: Mapping[str, Any]) -> None:
        """Fold what there is, take it over, and open the phases."""
        self._state, self._sent = machine.initial(self._plan), {}
        told = self._journal.read(self._run)
        machine.check_plan(self._plan, told)
        for event in told:
            self._take_in(event)
        now = self._clock.now()
        opening: list[RunEvent] = []

        def add(kind: Kind, body: Mapping[str, Any]) -> None:
            event = machine.event(self._state, "", kind, now, body)
            self._take_in(event)
            opening.append(event)

        if not told:
            add(
                Kind.RUN_STARTED,
                {
                    "plan": self._plan.estate,
                    "digest": plan_digest(self._plan),
                    "scenario": self._plan.scenario,
                    "topology": self._plan.topology,
                },
            )
        add(Kind.DRIVER_STARTED, {"pid": os.getpid(), "host": socket.gethostname(), "epoch": epoch})
        for event in machine.takeover(self._state, now):
            self._take_in(event)
            opening.append(event)
        if self._settling:
            for event in machine.unanswered(self._state, now):
                self._take_in(event)
                opening.append(event)
        for name in happened:
            if name not in self._state.happened:
                add(Kind.HAPPENED, {"event": name, **said})
        for phase in phases:
            if phase not in self._state.started:
                add(Kind.PHASE_STARTED, {"phase": phase.value})
        self._journal.append(self._run, opening)
        self._tell(opening)

    def _round(self, outcomes: Sequence[_Outcome]) -> None:
        """Outcomes become events, what follows from them is added, all of it is written, and then it begins."""
        now = self._clock.now()
        written: list[RunEvent] = []
        commands: list[Command] = []
        for outcome in outcomes:
            self._going.pop(outcome.step, None)
            event = machine.event(self._state, outcome.step, outcome.kind, now, outcome.body)
            commands += self._take_in(event)
            written.append(event)
        answered: list[int] = []
        for asked in self._journal.asks(self._run):
            answered.append(asked.seq)
            wanted = self._wanted(asked, now)
            if wanted is not None:
                commands += self._take_in(wanted)
                written.append(wanted)
        while following := machine.follow_up(self._state, now, self._width):
            for event in following:
                commands += self._take_in(event)
                written.append(event)
        if written or answered:
            self._journal.append(self._run, written, answered)
        self._tell(written)
        self._start(commands)

    def _wanted(self, asked: Wanted, now: datetime) -> RunEvent | None:
        """The event that somebody asks for, if it still makes sense: a step approved twice is approved."""
        try:
            event = machine.event(self._state, asked.step, asked.kind, now, asked.body)
            machine.step(self._state, event)
        except JournalError:
            return None
        return event

    def _take_in(self, event: RunEvent) -> tuple[Command, ...]:
        self._state, commands = machine.step(self._state, event)
        if event.kind is Kind.ABSENT:
            self._sent.setdefault(event.step, event.at)
        return commands

    def _tell(self, events: Iterable[RunEvent]) -> None:
        if self._hear is not None:
            for event in events:
                self._hear(event)

    def _outcome(self, phases: Sequence[Phase]) -> RunOutcome:
        steps = self._state.steps
        failed = tuple(id_ for id_, r in steps.items() if r.state is StepState.FAILED and not r.expected)
        waiting = tuple(id_ for id_, r in steps.items() if r.state is StepState.ASKED)
        return RunOutcome(
            state=self._state,
            failed=failed,
            waiting=waiting,
            faults={id_: r.fault for id_, r in steps.items() if r.fault is not None},
            halted=any(phase not in self._state.ended for phase in phases),
        )

    # Commands. -----------------------------------------------------------------------------------------------------

    def _start(self, commands: Iterable[Command]) -> None:
        for command in commands:
            if command.step in self._going or self._state.steps[command.step].state not in ACTIVE:
                continue
            work = self._perform(command, self._state.steps[command.step])
            self._going[command.step] = self._clock.spawn(work, command.step)

    async def _perform(self, command: Command, record: Record) -> None:
        """One command to its outcome. Whatever goes wrong is an outcome too; nothing is lost between."""
        step = self._plan.step(command.step)
        assert step is not None
        try:
            kind, body = await self._done(command, step, record)
        except ArmError as error:
            kind, body = Kind.FAILED, self._failure(step, error.fault)
        except TransportError as error:
            if isinstance(command, Act):
                kind, body = Kind.DOUBTED, {"why": str(error)}
            else:
                kind, body = Kind.FAILED, self._failure(step, Fault(code="NoAnswer", message=str(error)))
        except Exception as error:
            self._inbox.put(_Crash(step=step.id, error=error))
            return
        self._inbox.put(_Outcome(step=step.id, kind=kind, body=body))

    async def _done(self, command: Command, step: Step, record: Record) -> tuple[Kind, Mapping[str, Any]]:
        verb = verb_named(step.action.verb)
        situation = self._situation(step, record)
        if self._settling and (isinstance(command, Act) or step.kind is StepKind.CHECK):
            return Kind.FAILED, {"fault": _as_json(machine.ABANDONED)}
        match command:
            case Look(doubted=doubted):
                if doubted:
                    await self._wait(verb.grace(situation), step.id)
                    situation = self._situation(step, record)
                looked = await self._hold(verb.look(situation), step)
                match looked:
                    case Present(result=result):
                        return Kind.DONE, {"result": dict(result)}
                    case InProgress(pending=pending):
                        return Kind.ACCEPTED, {"pending": pending.as_json(), "found": True}
                    case Absent():
                        if self._settling:
                            return Kind.FAILED, {"fault": _as_json(machine.ABANDONED)}
                        if doubted and record.attempt >= verb.attempts(situation):
                            fault = Fault(code="NoAnswer", message=f"no answer after {record.attempt} attempts")
                            return Kind.FAILED, self._failure(step, fault)
                        return Kind.ABSENT, {}
            case Act():
                if record.again_at is not None:
                    await self._clock.sleep(max(record.again_at - self._clock.now(), timedelta(0)), step.id)
                    situation = self._situation(step, record)
                acted = await self._hold(verb.act(situation), step)
                match acted:
                    case Accepted(pending=pending):
                        return Kind.ACCEPTED, {"pending": pending.as_json(), "attempt": record.attempt}
                    case Asked(instruction=text):
                        return Kind.ASKED, {"instruction": text}
                    case Refused() as refused:
                        return self._refusal(step, record, situation, refused)
            case Follow():
                try:
                    return Kind.DONE, {"result": dict(await self._hold(verb.follow(situation), step))}
                except AgainError as again:
                    return self._refusal(step, record, situation, again.refused)
        raise AssertionError(f"{command} came to nothing")

    def _refusal(
        self, step: Step, record: Record, situation: Situation, refused: Refused
    ) -> tuple[Kind, Mapping[str, Any]]:
        if record.attempt >= verb_named(step.action.verb).attempts(situation):
            return Kind.FAILED, self._failure(step, refused.fault)
        wait = max(refused.wait, timedelta(0)).total_seconds()
        return Kind.REFUSED, {"fault": _as_json(refused.fault), "wait_seconds": wait}

    def _situation(self, step: Step, record: Record) -> Situation:
        assert record.intended_at is not None
        return Situation(
            step=step.id,
            arguments=step.action.arguments,
            now=self._clock.now(),
            intended_at=record.intended_at,
            attempt=record.attempt,
            sent_at=self._sent.get(step.id),
            accepted_at=record.accepted_at,
            pending=pending_from(record.pending),
            doubted=record.doubts > 0,
            approved_by=", ".join(record.approved_by) or None,
            before={id_: self._state.steps[id_].result for id_ in step.after if id_ in self._state.steps},
        )

    async def _hold(self, talk: Talk[Any], step: Step) -> Any:
        """Hold a conversation: send its requests, let its time pass, give its orders to the site."""
        said: Any = None
        error: TransportError | None = None
        try:
            while True:
                wanted = talk.throw(error) if error is not None else talk.send(said)
                said, error = None, None
                match wanted:
                    case Request():
                        try:
                            said = await self._client.send(wanted)
                        except TransportError as silence:
                            error = silence
                    case Wait():
                        await self._wait(wanted, step.id)
                        said = self._clock.now()
                    case Apply():
                        said = await self._apply(wanted)
                    case Rename():
                        await (self._names or NameCommand(wanted.command)).rename(wanted.order)
                    case Connect():
                        said = await self._prober.connect(wanted)
                    case Execute():
                        environment = {**wanted.environment, "FARSHORE_RUN": self._run}
                        said = await self._prober.execute(replace(wanted, environment=environment))
        except StopIteration as end:
            return end.value
        finally:
            talk.close()

    async def _apply(self, order: Apply) -> Asked | None:
        actuator = self._actuators.get(order.site)
        if actuator is None and order.command is not None:
            actuator = CommandActuator(order.command)
        if actuator is None:
            return Asked(instruction=instruction(order.site, order.routers))
        await actuator.apply(order.site, order.routers)
        return None

    async def _wait(self, wait: Wait, name: str) -> None:
        await self._clock.sleep(length(wait, self._clock.now()), name)

    def _failure(self, step: Step, fault: Fault) -> dict[str, Any]:
        return {"fault": _as_json(fault), "expected": step.may_fail, "obligation": step.obligation}


def _as_json(fault: Fault) -> dict[str, Any]:
    return {"code": fault.code, "message": fault.message, "target": fault.target, "status": fault.status}
