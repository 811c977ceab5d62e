"""The story as its summary (docs/reference/schemas.md, `exercise`), and as the evidence that the report is made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from farshore.cli.exercise.story import Told
from farshore.cli.projects import Folder
from farshore.cli.runs import leave
from farshore.cli.words import many
from farshore.prove.file import proof_as_json
from farshore.report import record
from farshore.report.html import Evidence
from farshore.report.map import map_svg
from farshore.report.steps import step_rows


def summary_of(told: Told, report: Path | None) -> dict[str, Any]:
    """The summary of a whole story."""
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
        "objectives_not_kept": told.not_kept,
        "guard": told.guard or dict(record.NO_GUARD),
        "residue": told.residue,
        "findings": [] if told.assessment is None else [finding.as_json() for finding in told.assessment.findings],
        "proof": None if proof is None else record.proof_row(proof),
        "report": None if report is None else str(report),
        "decisions": told.decisions,
        "exposed": told.exposed,
        "halted": told.halted,
    }


def headline_of(told: Told) -> str:
    """How it ended, in a sentence."""
    if not told.held:
        return f"Stopped: {told.halted}"
    if not told.not_kept:
        return "Everything that was promised held."
    missed = many(len(told.not_kept), "recovery objective")
    if told.ok:
        return f"Everything that was promised held, but for {missed} that nobody could keep on this way."
    return f"Safety and bytes held to the end; not kept: {missed}."


def leave_evidence(told: Told, folder: Folder) -> Path | None:
    """Write the run's files: plan.json, proof.json, summary.json, report.html and the signed bundle. Nothing is
    written where nothing was planned."""
    if told.estate is None or told.plan is None or told.proof is None:
        return None
    report = folder.run(told.run_id) / "report.html"
    summary = summary_of(told, report)
    evidence = evidence_of(told, summary, proof_as_json(told.proof))
    bodies = told.estate.resources.values()
    leave(folder, told.run_id, record.files_of(bodies, told.plan, told.proof, summary, evidence, told.events))
    return report


def evidence_of(told: Told, summary: dict[str, Any], proof: Any) -> Evidence:
    plan = told.plan
    assert plan is not None
    regions = (plan.source_region, plan.target_region)
    name = told.example or (told.estate.project.name if told.estate and told.estate.project else "exercise")
    return Evidence(
        title=f"{name}: {plan.source_region} to {plan.target_region} and back",
        headline=headline_of(told),
        summary=summary,
        proof=proof,
        steps=step_rows(plan, told.events),
        obligations=record.obligations(plan),
        carried=record.carried(plan),
        names=record.names(plan),
        learned=told.learned,
        decisions=told.decisions,
        maps=[(caption, map_svg(estate, regions=regions, title=caption)) for caption, estate in told.maps],
    )
