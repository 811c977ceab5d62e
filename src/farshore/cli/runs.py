"""A project's runs as the verbs see them: the folder that each keeps, the plan it is tied to, what may come next.

    .farshore/runs/<id>/plan.json, estate.json,
                        sites.json, proof.json    written before the run's first event, whole, or not at all
    .farshore/runs.db                             the journal; the state of a run is the fold of its events

A run carries out one plan, phase by phase, by as many commands as its users like. The current run is the latest one
that is neither over nor cancelled.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from farshore.arm.json import loads, pretty
from farshore.errors import InputError, JournalError
from farshore.plan.file import plan_as_json, plan_from_json
from farshore.plan.interruption import may_return, struck
from farshore.plan.model import Obligation, Phase, Plan, order
from farshore.run import machine
from farshore.run.events import Kind, RunEvent
from farshore.run.journal import Journal
from farshore.run.machine import State
from farshore.run.states import RunStatus, StepState

if TYPE_CHECKING:
    from datetime import datetime

    from farshore.cli.projects import Folder
    from farshore.estate.estate import Estate
    from farshore.estate.project import Project
    from farshore.prove.values import Proof


BETWEEN = "between phases"
"""The status of a run of which nothing is under way, asked, failed or said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A verb of the command line as a part of a plan."""

    phases: tuple[Phase, ...]
    event: str | None = None
    """What has happened, where somebody gives this command; the first of several (`return`, `return-data`)."""

    def happened(self, plan: Plan) -> tuple[str, ...]:
        """The plan's events that have happened where somebody gives this command: a region that came back in halves, or
        again and again, is there by then. What may return at any moment is watched for from now on."""
        if self.event is None:
            return ()
        nodes = {event.id for event in plan.events}
        own = {id_ for id_ in nodes if id_ == self.event or id_.startswith(f"{self.event}-")}
        first = struck(plan)
        if first is not None and first.id in own:
            own |= set(may_return(plan))
        return tuple(id_ for id_ in order(plan.steps, plan.events) if id_ in own)


COMMANDS: Mapping[str, Command] = {
    "provision": Command(phases=(Phase.PROVISION,)),
    "protect": Command(phases=(Phase.PROTECT,)),
    "drill": Command(phases=(Phase.DRILL,)),
    "failover": Command(phases=(Phase.FAILOVER,), event="disaster"),
    "commit": Command(phases=(Phase.COMMIT,)),
    "reprotect": Command(phases=(Phase.RETURN, Phase.REPROTECT), event="return"),
    "failback": Command(phases=(Phase.FAILBACK,)),
    "runs abandon": Command(phases=(Phase.ABANDON,)),
}
"""In the order of the story; the last is a run of its own."""


def commands_of(plan: Plan) -> Mapping[str, Command]:
    """The commands as parts of this plan: where what was lost may return at any moment, the guard is on beside the
    failover, not after it."""
    if not may_return(plan):
        return COMMANDS
    guarded = {"failover": (Phase.FAILOVER, Phase.RETURN), "reprotect": (Phase.REPROTECT,)}
    return {name: replace(command, phases=guarded.get(name, command.phases)) for name, command in COMMANDS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run as it stands."""

    id: str
    plan: Plan
    events: Sequence[RunEvent]
    state: State

    @property
    def status(self) -> str:
        """paused, cancelled, over, waiting (for a person), halted (a step failed), under way, or between phases."""
        if self.state.status in (RunStatus.PAUSED, RunStatus.CANCELLED):
            return self.state.status.value
        if self.is_over:
            return "over"
        if self.waiting:
            return "waiting"
        if self.failed:
            return "halted"
        return "under way" if self.open_phases else BETWEEN

    @property
    def is_over(self) -> bool:
        return self.state.status is RunStatus.CANCELLED or (self.next_command is None and not self.open_phases)

    @property
    def open_phases(self) -> tuple[Phase, ...]:
        """Begun, and not at their end."""
        return tuple(phase for phase in self.state.started if phase not in self.state.ended)

    @property
    def failed(self) -> tuple[str, ...]:
        """Steps that failed and were not expected to."""
        return tuple(id_ for id_, r in self.state.steps.items() if r.state is StepState.FAILED and not r.expected)

    @property
    def waiting(self) -> tuple[str, ...]:
        """Steps that a person is asked for."""
        return tuple(id_ for id_, r in self.state.steps.items() if r.state is StepState.ASKED)

    @property
    def owed(self) -> tuple[Obligation, ...]:
        """Obligations that stand: what raised them has happened, and what discharges them is not behind us yet."""
        raised = {
            step.obligation
            for step in self.plan.steps
            if step.obligation is not None and self.state.steps[step.id].expected
        }
        return tuple(
            owed
            for owed in self.plan.obligations
            if owed.id in raised and not all(self.state.is_behind(id_) for id_ in owed.discharged_by)
        )

    def instruction(self, step: str) -> str:
        """What the person was asked to do."""
        asked = [event for event in self.events if event.step == step and event.kind is Kind.ASKED]
        return str(asked[-1].body.get("instruction") or "") if asked else ""

    def deciders(self, step: str) -> tuple[str, ...]:
        """Those whose word a decision still waits for; nobody where anyone may say it."""
        found = self.plan.step(step)
        named: Any = () if found is None else found.action.arguments.get("deciders", ())
        return tuple(name for name in named if name not in self.state.steps[step].approved_by)

    def _by(self, step: str) -> str:
        deciders = self.deciders(step)
        found = self.plan.step(step)
        if not deciders or found is None:
            return ""
        quorum: Any = found.action.arguments["quorum"]
        more = quorum - len(self.state.steps[step].approved_by)
        return f" --by {deciders[0]}" if more == len(deciders) == 1 else f" --by NAME ({more} of {', '.join(deciders)})"

    @property
    def next_command(self) -> str | None:
        """The first command that is not at its end, from the last one that has begun: what was passed over before it,
        as a drill before a disaster, is not gone back to."""
        commands = [(name, command) for name, command in commands_of(self.plan).items() if self._held(command)]
        begun = [at for at, (_, command) in enumerate(commands) if set(command.phases) & set(self.state.started)]
        later = commands[begun[-1] if begun else 0 :]
        return next((name for name, command in later if not self._held(command) <= set(self.state.ended)), None)

    def is_passed(self, command: Command) -> bool:
        """Whether a later command has begun, so that this one would do harm or nothing."""
        following = list(commands_of(self.plan).values())
        later = following[following.index(command) + 1 :]
        begun = set(self.state.started)
        return not self._held(command) & begun and any(self._held(other) & begun for other in later)

    def comes_first(self, command: Command) -> str | None:
        """The command that has to be given before this one: the first whose steps this one's steps, or the event
        that this one says has happened, come after."""
        nodes = {node.id: node for nodes in (self.plan.steps, self.plan.events) for node in nodes}
        owners = {step.id: step.phase for step in self.plan.steps}
        waiting = [id_ for step in self.plan.of_phase(*command.phases) for id_ in step.after]
        missing: set[Phase] = set()
        seen: set[str] = set()
        while waiting:
            id_ = waiting.pop()
            if id_ in seen:
                continue
            seen.add(id_)
            if id_ not in owners:
                waiting += nodes[id_].after
            elif owners[id_] not in command.phases and owners[id_] not in self.state.ended:
                missing.add(owners[id_])
        return next((name for name, other in commands_of(self.plan).items() if missing & set(other.phases)), None)

    def _held(self, command: Command) -> set[Phase]:
        return {phase for phase in command.phases if self.plan.of_phase(phase)}

    def next_action(self) -> str:
        """One sentence for whoever is on call."""
        if self.state.status is RunStatus.CANCELLED:
            return "nothing: the run was cancelled; the next command begins a new one"
        if self.state.status is RunStatus.PAUSED:
            return f"farshore runs resume {self.id}"
        if self.failed:
            return f"mend the cause, then: farshore runs retry --run {self.id}, and farshore runs resume {self.id}" + (
                "" if self.plan.of_phase(Phase.ABANDON) else f"; or give it up: farshore runs abandon {self.id}"
            )
        if self.waiting:
            step = self.waiting[0]
            return f"do what is asked, then: farshore runs approve {step} --run {self.id}{self._by(step)}"
        if self.open_phases:
            return f"farshore runs resume {self.id}"
        following = self.next_command
        return f"farshore {following}" if following else "nothing: the run is over"


def begin(folder: Folder, run_id: str, estate: Estate, plan: Plan, proof: Proof | None) -> None:
    """Keep what a run begins with: what a process that resumes it will read, and what its report is made of."""
    from farshore.lab.sites import as_row

    place = folder.run(run_id)
    place.mkdir(parents=True, exist_ok=True)
    write_whole(place / "estate.json", pretty(list(estate.resources.values())).encode())
    write_whole(place / "sites.json", pretty([as_row(site) for site in estate.sites]).encode())
    if proof is not None:
        from farshore.prove.file import proof_as_json

        write_whole(place / "proof.json", pretty(proof_as_json(proof)).encode())
    write_whole(place / "plan.json", pretty(plan_as_json(plan)).encode())


def begun_with(folder: Folder, run_id: str, project: Project) -> Estate:
    """The estate that a run began with, its sites as they were then (of a run that did not keep them, as farshore.yaml
    has them). Raises `InputError` where it is not kept."""
    from farshore.estate.estate import Estate
    from farshore.lab.sites import from_row

    kept, sites = folder.run(run_id) / "estate.json", folder.run(run_id) / "sites.json"
    if not kept.is_file():
        raise InputError(
            f"What run {run_id} began with is not there",
            file=str(kept),
            expected="the estate.json that the run wrote when it began",
            remedy="put it back from a copy; without it nobody can say how it was before the run",
        )
    estate = Estate.from_resources(loads(kept.read_bytes()), project)
    return estate.with_sites(tuple(map(from_row, loads(sites.read_bytes())))) if sites.is_file() else estate


def leave(folder: Folder, run_id: str, files: Mapping[str, bytes]) -> str:
    """Keep a run's evidence, and all of it in a signed bundle; the fingerprint of the key that signed."""
    from farshore.report.bundle import signing_key, write_bundle

    place = folder.run(run_id)
    place.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        write_whole(place / name, data)
    return write_bundle(place / "bundle", files, signing_key(folder.state / "signing-key.pem"))


def write_whole(path: Path, data: bytes) -> None:
    """The file as it was, or as it is to be; never half of it."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_bytes(data)
    os.replace(beside, path)


def open_journal(folder: Folder) -> Journal:
    """The project's journal. Raises `JournalError` where runs lie beside it that it knows nothing of: whoever began
    another would begin it over what they have built."""
    journal = Journal(folder.runs_db, mirror=folder.state / "runs")
    known = set(journal.runs())
    for path in sorted((folder.state / "runs").glob("*/journal.jsonl")):
        if path.parent.name not in known and path.stat().st_size:
            journal.close()
            raise JournalError(
                f"{folder.runs_db} knows nothing of run {path.parent.name}, whose events are in {path}: put back a copy"
                " of runs.db, or move the run's folder away if it is not to be gone on with"
            )
    return journal


def new_id(journal: Journal, stem: str) -> str:
    """`exercise-1`, `published-3`: the first of its name that is free."""
    taken = set(journal.runs())
    return next(f"{stem}-{n}" for n in range(1, len(taken) + 2) if f"{stem}-{n}" not in taken)


def read(folder: Folder, journal: Journal, run_id: str) -> Run:
    """A run by its id. Raises `InputError` where there is none, `JournalError` where it can't be read."""
    events = journal.read(run_id)
    if not events:
        known = journal.runs()
        raise InputError(
            f"There is no run {run_id}",
            value=run_id,
            expected=f"one of {', '.join(known[-6:])}" if known else "a run; there is none in this project yet",
            remedy="farshore runs list shows them" if known else "farshore provision begins one",
        )
    plan = _plan(folder.run(run_id) / "plan.json")
    return Run(id=run_id, plan=plan, events=events, state=machine.fold(plan, events))


def latest(folder: Folder, journal: Journal, run_id: str | None) -> Run:
    """The run of this id, else the latest."""
    known = journal.runs()
    if run_id is None and not known:
        raise InputError("There are no runs in this project yet", remedy="farshore provision begins one")
    return read(folder, journal, run_id or known[-1])


def current(folder: Folder, journal: Journal) -> Run | None:
    """The latest run, unless it is over."""
    known = journal.runs()
    found = read(folder, journal, known[-1]) if known else None
    return None if found is None or found.is_over else found


def check(run: Run, kind: Kind, now: datetime, step: str, body: Mapping[str, Any] | None) -> RunEvent:
    """The event that a person's word would be. Raises `JournalError` where it makes no sense in the run's state."""
    event = machine.event(run.state, step, kind, now, body)
    machine.step(run.state, event)
    return event


def tell(
    journal: Journal, run: Run, kind: Kind, now: datetime, *, step: str = "", body: Mapping[str, Any] | None = None
) -> bool:
    """Write down what a person wants of a run: at once where nobody drives it, else for its driver to write. True
    where it is written. Raises `JournalError` where it makes no sense in the run's state, `HeldError`."""
    event = check(run, kind, now, step, body)
    if journal.holder(run.id) is not None:
        journal.ask(run.id, kind, step, body)
        return False
    journal.hold(run.id)
    try:
        journal.append(run.id, [event])
    finally:
        journal.release(run.id)
    return True


def proof_of(folder: Folder, run_id: str) -> Proof | None:
    """The proof that a run began with."""
    from farshore.prove.file import proof_from_json

    path = folder.run(run_id) / "proof.json"
    return proof_from_json(loads(path.read_bytes()), file=str(path)) if path.is_file() else None


def _plan(path: Path) -> Plan:
    if not path.is_file():
        raise InputError(
            "This run's plan is not there",
            file=str(path),
            expected="the plan.json that the run began with",
            remedy="put it back from a copy; without it nobody can say what the run was to do",
        )
    return plan_from_json(loads(path.read_bytes()), file=str(path))
