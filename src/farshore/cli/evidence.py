"""The report of a run that was carried out verb by verb, from what the run keeps and nothing else: its estate, plan,
proof and journal. It can be written at any moment, of a run that is not over too, and without any cloud.

What only an exercise measures is not in it: packets, disks by checksum, bytes lost.
"""

from __future__ import annotations

from typing import Any

from farshore.arm.json import Body, loads
from farshore.assess import assess
from farshore.cli import runs
from farshore.cli.exercise.verdicts import excuse_of
from farshore.cli.projects import Folder
from farshore.cli.runs import Run
from farshore.errors import InputError
from farshore.estate.estate import Estate
from farshore.plan.model import Phase, StepKind
from farshore.prove.file import proof_as_json
from farshore.prove.values import Proof
from farshore.report import learned, record
from farshore.report.html import Evidence
from farshore.report.map import map_svg
from farshore.report.steps import step_rows
from farshore.run.states import StepState
from farshore.times import stamp


def write_report(folder: Folder, run: Run, estate: Estate) -> tuple[dict[str, Any], str]:
    """Write report.html and the bundle; the summary, and the fingerprint of the key that signed. `estate`: the run's
    own, under the project. Raises `InputError` where the proof is not kept."""
    proof = runs.proof_of(folder, run.id)
    if proof is None:
        raise InputError("This run's proof is not there", file=str(folder.run(run.id) / "proof.json"))
    summary = summary_of(run, estate, proof)
    regions = (run.plan.source_region, run.plan.target_region)
    caption = "The estate that the plan was made for"
    evidence = Evidence(
        title=f"{run.id}: {regions[0]} to {regions[1]}",
        headline=_headline(run),
        measured_from="from the moment at which the disaster was declared; the loss itself is not on record",
        summary=summary,
        proof=proof_as_json(proof),
        steps=step_rows(run.plan, run.events),
        obligations=record.obligations(run.plan),
        carried=record.carried(run.plan),
        names=record.names(run.plan),
        learned=learned.sentences(run.plan, proof) if learned.is_over(run.plan, run.state.ended) else (),
        maps=[(caption, map_svg(estate, regions=regions, title=caption))],
    )
    files = record.files_of(estate.resources.values(), run.plan, proof, summary, evidence, run.events)
    fingerprint = runs.leave(folder, run.id, files)
    return summary, fingerprint


def _headline(run: Run) -> str:
    if run.status == "over":
        return "This run is over: every phase that began is at its end."
    return f"This run is {run.status}. Next: {run.next_action()}."


def summary_of(run: Run, estate: Estate, proof: Proof) -> dict[str, Any]:
    """As much of an exercise's summary as the run's own record can say."""
    machines = _machines(run, estate)
    asked = (step for step in run.plan.of_phase(Phase.FAILOVER) if step.kind is StepKind.PERSON)
    waited = any(run.state.steps[step.id].state is StepState.DONE for step in asked if step.id in run.state.steps)
    not_kept = record.objectives_not_kept(run.plan, estate, machines, excuse_of(run.plan, waited=waited))
    return {
        "format": 1,
        "example": None,
        "ok": not run.failed and not run.waiting and all(row["excuse"] for row in not_kept),
        "wall_seconds": None,
        "simulated_seconds": None,
        "phases": [row for phase in run.state.started if (row := _phase(run, phase)) is not None],
        "machines": machines,
        "objectives_not_kept": not_kept,
        "objectives": [
            {
                "name": verdict.objective,
                "phase": verdict.phase,
                "verdict": "proven" if verdict.proven else "not proven",
                "flows": verdict.flows,
                "trace": record.marked(verdict.trace),
            }
            for verdict in proof.verdicts
        ],
        "guard": record.guard(run.plan, run.state),
        "residue": None,
        "findings": [finding.as_json() for finding in assess(estate).findings],
        "proof": record.proof_row(proof),
        "report": None,
        "halted": run.failed[0] if run.failed else None,
    }


def kept_estate(folder: Folder, run_id: str) -> list[Body] | None:
    """The bodies that a run began with."""
    path = folder.run(run_id) / "estate.json"
    return loads(path.read_bytes()) if path.is_file() else None


def _phase(run: Run, phase: Phase) -> dict[str, Any] | None:
    steps = [run.state.steps[step.id] for step in run.plan.of_phase(phase)]
    begun = [step.intended_at for step in steps if step.intended_at is not None]
    ended = [step.settled_at for step in steps if step.settled_at is not None]
    if not begun:
        return None
    last = max([*begun, *ended])
    ok = not any(step.state is StepState.FAILED and not step.expected for step in steps)
    return {"name": phase.value, "started_at": stamp(min(begun)), "ended_at": stamp(last), "ok": ok}


def _machines(run: Run, estate: Estate) -> list[dict[str, Any]]:
    """Recovery times, from the moment at which the disaster was declared to the service's own end of what each
    machine waited for; nothing before a failover."""
    lost_at = record.declared_at(run.events)
    if lost_at is None:
        return []
    wanted = record.wanted_of(run.plan, estate)
    return [
        record.machine_row(run.plan, run.state, machine, lost_at, wanted.get(machine.id.key))
        for machine in run.plan.machines
    ]
