"""The report of a run that was carried out verb by verb, from what the run keeps and nothing else: its estate, plan,
proof and journal. It can be written at any moment, of a run that is not over too, and without any cloud.

What only an exercise measures is not in it: packets, disks by checksum, bytes lost.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from farshore.arm.json import Body, dumps, loads, pretty
from farshore.assess import assess
from farshore.cli import runs
from farshore.cli.exercise import verdicts
from farshore.cli.exercise.measure import served_at
from farshore.cli.projects import Folder
from farshore.cli.runs import Run
from farshore.errors import InputError
from farshore.estate.estate import Estate
from farshore.plan.file import plan_as_json
from farshore.plan.model import Phase
from farshore.prove.file import proof_as_json
from farshore.prove.values import Proof
from farshore.report.html import Evidence, render
from farshore.report.map import map_svg
from farshore.report.steps import step_rows
from farshore.run.events import Kind
from farshore.run.states import StepState
from farshore.times import stamp


def write_report(folder: Folder, run: Run, estate: Estate) -> tuple[dict[str, Any], str]:
    """Write report.html and the bundle; the summary, and the fingerprint of the key that signed. `estate`: the run's
    own, under the project. Raises `InputError` where the proof is not kept."""
    proof = runs.proof_of(folder, run.id)
    if proof is None:
        raise InputError("This run's proof is not there", file=str(folder.run(run.id) / "proof.json"))
    summary = summary_of(run, estate, proof)
    proven = proof_as_json(proof)
    regions = (run.plan.source_region, run.plan.target_region)
    caption = "The estate that the plan was made for"
    evidence = Evidence(
        title=f"{run.id}: {regions[0]} to {regions[1]}",
        headline=f"This run is {run.status}. Next: {run.next_action()}.",
        summary=summary,
        proof=proven,
        steps=step_rows(run.plan, run.events),
        obligations=[{"title": owed.title, "because": owed.because} for owed in run.plan.obligations],
        learned=verdicts.learned(run.plan) if Phase.DRILL in run.state.ended else (),
        maps=[(caption, map_svg(estate, regions=regions, title=caption))],
    )
    fingerprint = runs.leave(
        folder,
        run.id,
        {
            "estate.json": pretty(list(estate.resources.values())).encode(),
            "plan.json": pretty(plan_as_json(run.plan)).encode(),
            "proof.json": pretty(proven).encode(),
            "summary.json": pretty(summary).encode(),
            "report.html": render(evidence).encode(),
            "journal.jsonl": b"".join(dumps(event.as_json()) + b"\n" for event in run.events),
        },
    )
    return summary, fingerprint


def summary_of(run: Run, estate: Estate, proof: Proof) -> dict[str, Any]:
    """As much of the contract's exercise summary as the run's own record can say."""
    return {
        "format": 1,
        "example": None,
        "ok": not run.failed and not run.waiting,
        "wall_seconds": None,
        "simulated_seconds": None,
        "phases": [row for phase in run.state.started if (row := _phase(run, phase)) is not None],
        "machines": _machines(run),
        "objectives": [
            {
                "name": verdict.objective,
                "phase": verdict.phase,
                "verdict": "proven" if verdict.proven else "not proven",
                "flows": verdict.flows,
                "trace": verdict.trace,
            }
            for verdict in proof.verdicts
        ],
        "guard": verdicts.guard(run.plan, run.state, None),
        "residue": None,
        "findings": [finding.as_json() for finding in assess(estate).findings],
        "proof": {
            "ok": proof.ok,
            "cuts": proof.cuts,
            "states": proof.states,
            "exhaustive": proof.exhaustive,
            "failures": list(proof.failures),
        },
        "report": None,
        "halted": run.failed[0] if run.failed else None,
    }


def kept_estate(folder: Folder, run_id: str) -> list[Body] | None:
    """The bodies that a run began with."""
    path = folder.run(run_id) / "estate.json"
    return loads(path.read_bytes()) if path.is_file() else None


def _phase(run: Run, phase: Phase) -> dict[str, Any] | None:
    records = [run.state.steps[step.id] for step in run.plan.of_phase(phase)]
    begun = [record.intended_at for record in records if record.intended_at is not None]
    ended = [record.settled_at for record in records if record.settled_at is not None]
    if not begun:
        return None
    last = max([*begun, *ended])
    ok = not any(record.state is StepState.FAILED and not record.expected for record in records)
    return {"name": phase.value, "started_at": stamp(min(begun)), "ended_at": stamp(last), "ok": ok}


def _machines(run: Run) -> list[dict[str, Any]]:
    """Recovery times, from the moment at which the disaster was declared to the service's own end of what each
    machine waited for; nothing before a failover."""
    lost_at = _declared(run)
    if lost_at is None:
        return []
    rows: list[dict[str, Any]] = []
    for machine in run.plan.machines:
        served = served_at(run.plan, run.state, machine)
        rows.append(
            {
                "id": machine.id.text,
                "target_id": machine.target_id.text,
                "disks": [],
                "recovery_point": None,
                "bytes_lost": None,
                "recovery_point_seconds": None,
                "recovery_point_predicted_seconds": None,
                "recovery_point_objective_seconds": None,
                "recovery_time_seconds": {
                    "measured": None if served is None else (served - lost_at).total_seconds(),
                    "predicted": run.plan.predicted_recovery_seconds.get(machine.id.key),
                    "objective": None,
                },
            }
        )
    return rows


def _declared(run: Run) -> datetime | None:
    told = [event.at for event in run.events if event.kind is Kind.HAPPENED and event.body.get("event") == "disaster"]
    return told[0] if told else None
