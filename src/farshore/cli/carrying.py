"""Carrying out a part of a plan: the run it belongs to, found or begun; what must come first; the driving itself.

A run begins the way an exercise does: the estate is read from the cloud, judged, planned and proven, and nothing is
touched until all of it is good. After that only the plan is read: a run of last month is resumed as it was planned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from farshore.cli import runs
from farshore.cli.hearing import Hearing
from farshore.cli.projects import subscriptions_of
from farshore.cli.runs import Command, Run
from farshore.cli.words import many
from farshore.clock import LabClock
from farshore.errors import InputError
from farshore.plan.builders.outage import DISASTER
from farshore.plan.model import Phase
from farshore.run import run_phases
from farshore.run.machine import initial
from farshore.run.states import RunStatus, StepState

if TYPE_CHECKING:
    from farshore.assess.findings import Finding
    from farshore.cli.stage import Stage
    from farshore.cli.views import View
    from farshore.estate.estate import Estate
    from farshore.plan.model import Plan
    from farshore.prove.values import Proof


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What a command came to."""

    run: Run | None = None
    phases: tuple[Phase, ...] = ()
    done_before: bool = False
    """There was nothing left to do."""
    findings: tuple[Finding, ...] = ()
    """Errors of the estate, or drift from the plan: nothing was touched."""
    proof: Proof | None = None
    """A proof that fails: nothing was touched."""

    @property
    def ok(self) -> bool:
        if self.run is None:
            return False
        return all(phase in self.run.state.ended for phase in self.phases)

    def as_json(self) -> dict[str, Any]:
        run = self.run
        answer: dict[str, Any] = {
            "run": None if run is None else run.id,
            "ok": self.ok,
            "phases": [phase.value for phase in self.phases],
            "findings": [finding.as_json() for finding in self.findings],
        }
        if self.proof is not None:
            from farshore.prove.file import proof_as_json

            answer["proof"] = proof_as_json(self.proof)
        if run is not None:
            answer |= run_as_json(run)
        return answer


@dataclass(slots=True)
class Beginning:
    """How a new run is begun, where one has to be."""

    scenario: str
    plan_file: Path | None
    anew: bool = False
    """Begin a new run even where one is under way."""
    run_id: str | None = None
    """The run meant, where the user has named one."""
    confirm: Callable[[Plan], None] | None = None
    """Asks a person before the plan is gone on with; raises `InputError` where they do not want it."""
    anyway: str | None = None
    """Who goes on with a failover though what is seen is not the outage of the plan; None: it is refused."""
    estate: Estate | None = None
    findings: tuple[Finding, ...] = ()
    proof: Proof | None = None


async def carry_out(name: str, stage: Stage, declared: Estate, view: View, beginning: Beginning) -> Carried:
    """Find or begin the run, and drive the command's phases to their end. Raises `InputError` where something else
    has to come first."""
    run = await _run_for(stage, declared, view, beginning)
    if run is None:
        failing = None if beginning.proof is None or beginning.proof.ok else beginning.proof
        return Carried(findings=beginning.findings, proof=failing)
    command = runs.commands_of(run.plan)[name]
    phases = tuple(phase for phase in command.phases if run.plan.of_phase(phase))
    if all(phase in run.state.ended for phase in phases):
        return Carried(run=run, phases=phases, done_before=True)
    if run.state.status is RunStatus.PAUSED:
        raise InputError(f"Run {run.id} is paused", value=run.id, remedy=f"farshore runs resume {run.id}")
    if run.is_passed(command):
        raise InputError(
            f"Run {run.id} is past its {name}",
            value=run.id,
            expected=f"a run in which nothing has begun that comes after the {name}",
            remedy=run.next_action(),
        )
    first = run.comes_first(command)
    if first is not None:
        begun = f"has not come to its end in run {run.id}" if run.events else "has not begun: no run is under way"
        # A drill that is still to come is nothing that a commit waits for.
        stands = run.events and run.status != runs.BETWEEN
        raise InputError(
            f"{name.capitalize()} comes after {first}, which {begun}",
            value=run.id if run.events else None,
            expected=f"a run in which {first} is done",
            remedy=run.next_action() if stands else f"farshore {first}",
        )
    await _must_return(command, run, stage)
    said = await _as_planned(command, run, stage, declared, view, beginning)
    if beginning.confirm is not None:
        beginning.confirm(run.plan)
    if not run.events:
        assert beginning.estate is not None
        runs.begin(stage.folder, run.id, beginning.estate, run.plan, beginning.proof)
        cuts = 0 if beginning.proof is None else beginning.proof.cuts
        view.progress(f"run {run.id}: {many(len(run.plan.steps), 'step')}, proven over {many(cuts, 'cut')}")
    return await drive(run, phases, stage, view, command.happened(run.plan), said)


async def _must_return(command: Command, run: Run, stage: Stage) -> None:
    """A guard that watches turns a clock that stands still, and nobody else can: a region that nobody has told to
    return would be watched for ever."""
    if Phase.RETURN not in command.phases or not isinstance(stage.clock, LabClock):
        return
    shown = await stage.handles.get("faults")
    lost = {row["region"] for row in shown["regions"] if not row["returning"]}
    planned = {row.get("region") for row in shown["planned"]}
    if run.plan.source_region in lost - planned:
        raise InputError(
            f"{run.plan.source_region} is lost in the lab, and nothing will bring it back",
            value=run.plan.source_region,
            expected="a region that returns, now or later",
            remedy=f"farshore lab fault region {run.plan.source_region} returned, now or with --in 10m",
        )


async def _as_planned(
    command: Command, run: Run, stage: Stage, declared: Estate, view: View, beginning: Beginning
) -> dict[str, Any]:
    """Before a failover first begins: is the outage the one that the run is planned for? What is written with it where
    it is gone on with all the same. Raises `ContradictedError`."""
    if command.event != DISASTER or DISASTER in run.state.happened or Phase.FAILOVER in run.state.started:
        return {}
    from farshore.cli.looking import contradicted, look

    view.status("looking whether the outage is the one that was planned ...")
    try:
        project = declared.project
        assert project is not None, "read_folder reads both"
        estate = beginning.estate if not run.events else runs.begun_with(stage.folder, run.id, project)
        assert estate is not None, "a run that is not begun has an estate"
        seen = await look(run.plan, estate, stage, view.progress, wait=beginning.anyway is None)
    except InputError as error:
        view.progress(f"whether the outage is the one that was planned is not known: {error.message}")
        return {}
    for line in seen.unknown:
        view.progress(line)
    if not seen.against:
        return {}
    if beginning.anyway is None:
        raise contradicted(seen, run.plan, run.id, estate)
    return {"anyway": {"by": beginning.anyway, "seen": list(seen.against)}}


async def drive(
    run: Run,
    phases: Sequence[Phase],
    stage: Stage,
    view: View,
    happened: Sequence[str] = (),
    said: Mapping[str, Any] | None = None,
) -> Carried:
    """Drive phases of a run until nothing is under way."""
    await run_phases(
        run.plan,
        phases,
        run_id=run.id,
        client=stage.client,
        journal=stage.journal,
        clock=stage.clock,
        actuators=stage.actuators,
        names=stage.names,
        prober=stage.prober,
        happened=happened,
        said=said,
        on_event=Hearing(run.plan, view),
    )
    return Carried(run=runs.read(stage.folder, stage.journal, run.id), phases=tuple(phases))


async def _run_for(stage: Stage, declared: Estate, view: View, beginning: Beginning) -> Run | None:
    """The run that is meant: the one named, else the current one, else a new one. None where the estate, the plan or
    the proof is not good."""
    if beginning.run_id is not None:
        return runs.read(stage.folder, stage.journal, beginning.run_id)
    found = None if beginning.anew else runs.current(stage.folder, stage.journal)
    if found is None:
        return await _begun(stage, declared, view, beginning)
    if beginning.plan_file is not None:
        raise InputError(
            f"Run {found.id} is under way with a plan of its own",
            value=str(beginning.plan_file),
            expected="no --plan while a run is under way",
            remedy=f"leave --plan out, or begin another run with --new (farshore runs cancel {found.id} ends this one)",
        )
    return found


async def _begun(stage: Stage, declared: Estate, view: View, beginning: Beginning) -> Run | None:
    from farshore.assess import assess
    from farshore.azure.inventory import read_estate
    from farshore.cli.planned import plan_for
    from farshore.estate.estate import Estate
    from farshore.plan.left_running import left_running
    from farshore.plan.refused import refusals
    from farshore.prove import prove

    view.status("reading the estate ...")
    bodies = await read_estate(stage.client, subscriptions_of(declared))
    estate = Estate.from_resources(bodies, declared.project)
    # In a lab the sites can be asked too: an earlier run may have changed what farshore.yaml says of them.
    estate = beginning.estate = estate.with_sites(await stage.sites(declared.sites))
    assessment = assess(estate)
    if not assessment.ok:
        beginning.findings = tuple(f for f in assessment.findings if f.severity.value == "error")
        return None
    planned = plan_for(estate, beginning.scenario, beginning.plan_file)
    if planned.drifted:
        beginning.findings = planned.findings
        return None
    proof = prove(estate, planned.plan, tell=view.status)
    beginning.proof = proof
    if not proof.ok:
        return None
    for refusal in refusals(planned.plan):
        # The steps before it may be what is needed tonight.
        view.progress(f"warning: {refusal}; the run will halt there")
    for left in left_running(planned.plan):
        view.progress(f"warning: {left}")
    run_id = runs.new_id(stage.journal, planned.plan.scenario)
    return Run(id=run_id, plan=planned.plan, events=(), state=initial(planned.plan))


def run_as_json(run: Run) -> dict[str, Any]:
    """The run as it stands, for programs."""
    steps = run.state.steps
    titles = {step.id: step.title for step in run.plan.steps}
    return {
        "status": run.status,
        "scenario": run.plan.scenario,
        "steps": {state.value: sum(r.state is state for r in steps.values()) for state in StepState},
        "started": [phase.value for phase in run.state.started],
        "ended": [phase.value for phase in run.state.ended],
        "happened": list(run.state.happened),
        "failed": [{"id": id_, "title": titles[id_], "fault": steps[id_].fault} for id_ in run.failed],
        "expected_failures": [
            {"id": id_, "title": titles[id_], "fault": r.fault} for id_, r in steps.items() if r.expected
        ],
        "waiting": [{"id": id_, "title": titles[id_], "instruction": run.instruction(id_)} for id_ in run.waiting],
        "next": run.next_action(),
    }
