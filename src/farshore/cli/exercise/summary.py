"""The story as the contract's summary, and as the evidence that the report is made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from farshore.arm.json import dumps, pretty
from farshore.cli.exercise.story import Told
from farshore.cli.projects import Folder
from farshore.cli.runs import leave
from farshore.plan.file import plan_as_json
from farshore.prove.file import proof_as_json
from farshore.report.html import Evidence, render
from farshore.report.map import map_svg
from farshore.report.steps import step_rows

NO_GUARD = {
    "disconnect_error": None,
    "region_answered_at": None,
    "delete_sent_at": None,
    "exposure_seconds": None,
    "exposure_packets": None,
}


def summary_of(told: Told, report: Path | None) -> dict[str, Any]:
    """The contract's exercise summary."""
    proof = told.proof
    return {
        "format": 1,
        "example": told.example,
        "ok": told.ok,
        "wall_seconds": round(told.wall_seconds, 3),
        "simulated_seconds": round(told.simulated_seconds, 3),
        "phases": told.phases.as_json(),
        "machines": told.machines,
        "objectives": told.objectives,
        "guard": told.guard or dict(NO_GUARD),
        "residue": told.residue,
        "findings": [] if told.assessment is None else [finding.as_json() for finding in told.assessment.findings],
        "proof": None
        if proof is None
        else {
            "ok": proof.ok,
            "cuts": proof.cuts,
            "states": proof.states,
            "exhaustive": proof.exhaustive,
            "failures": list(proof.failures),
            "counterexamples": [example.summary for example in proof.counterexamples],
        },
        "report": None if report is None else str(report),
        "halted": told.halted,
    }


def leave_evidence(told: Told, folder: Folder) -> Path | None:
    """Write the run's files: plan.json, proof.json, summary.json, report.html and the signed bundle. Nothing is
    written where nothing was planned."""
    if told.plan is None or told.proof is None:
        return None
    report = folder.run(told.run_id) / "report.html"
    summary = summary_of(told, report)
    proof = proof_as_json(told.proof)
    evidence = evidence_of(told, summary, proof)
    held = {
        "estate.json": None if told.estate is None else pretty(list(told.estate.resources.values())).encode(),
        "plan.json": pretty(plan_as_json(told.plan)).encode(),
        "proof.json": pretty(proof).encode(),
        "summary.json": pretty(summary).encode(),
        "report.html": render(evidence).encode(),
        "journal.jsonl": b"".join(dumps(event.as_json()) + b"\n" for event in told.events),
    }
    leave(folder, told.run_id, {name: data for name, data in held.items() if data is not None})
    return report


def evidence_of(told: Told, summary: dict[str, Any], proof: Any) -> Evidence:
    plan = told.plan
    assert plan is not None
    regions = (plan.source_region, plan.target_region)
    name = told.example or (told.estate.project.name if told.estate and told.estate.project else "exercise")
    return Evidence(
        title=f"{name}: {plan.source_region} to {plan.target_region} and back",
        headline="Everything that was promised held." if told.ok else f"Stopped: {told.halted}",
        summary=summary,
        proof=proof,
        steps=step_rows(plan, told.events),
        obligations=[{"title": owed.title, "because": owed.because} for owed in plan.obligations],
        learned=told.learned,
        maps=[(caption, map_svg(estate, regions=regions, title=caption)) for caption, estate in told.maps],
    )
