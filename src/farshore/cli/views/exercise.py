"""The story's end as people read it: what held, the figures that matter, where the report is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from farshore.cli.views.human import style
from farshore.cli.views.lines import shown
from farshore.cli.words import many
from farshore.times import span

if TYPE_CHECKING:
    from farshore.cli.exercise.story import Told


def exercise_text(told: Told, report: Path | None) -> str:
    """A dozen lines."""
    from farshore.cli.exercise.summary import headline_of

    lines = [""]
    if told.assessment is not None and not told.assessment.ok:
        from farshore.cli.views.findings import findings_text

        errors = [finding for finding in told.assessment.findings if finding.severity == "error"]
        lines += [findings_text(errors), ""]
    if told.proof is not None and not told.proof.ok:
        from farshore.prove.describe import describe_proof

        lines += [shown(describe_proof(told.proof)), ""]
    lines += _machines(told)
    for decision in told.decisions:
        lines += [shown(f"The run stopped and asked: {decision['asked']}"), ""]
    if told.guard:
        exposure = span(told.guard["exposure_seconds"])
        lines.append(f"exposure to stale machines  {exposure}, {many(told.guard['exposure_packets'], 'packet')}")
    if told.residue:
        rows = many(len(told.residue), "row")
        lines.append(f"not as it was               {rows}, each with its reason in the report")
    lines.append(
        f"time                        {span(told.simulated_seconds)} in the lab, {told.wall_seconds:.1f} s here"
    )
    if report is not None:
        lines.append(f"report                      {report}")
    lines.append("")
    for row in told.not_kept:
        lines.append(f"{style('not kept', 'warning' if row['excuse'] else 'error')}  {shown(row['said'])}")
    lines.append(style(headline_of(told), "good" if told.ok else "error"))
    return "\n".join(lines)


def _machines(told: Told) -> list[str]:
    if not told.machines:
        return []
    rows = [("machine", "recovery time", "predicted", "recovery point", "bytes lost", "disks")]
    for machine in told.machines:
        times = machine["recovery_time_seconds"]
        equal = sum(d["recovery_point_sha256"] == d["failed_over_sha256"] for d in machine["disks"])
        rows.append(
            (
                str(machine["id"]).rsplit("/", 1)[-1],
                span(times["measured"]) if times["measured"] is not None else "unknown",
                span(times["predicted"]) if times["predicted"] is not None else "",
                span(machine["recovery_point_seconds"]) if machine["recovery_point_seconds"] is not None else "unknown",
                f"{machine['bytes_lost'] or 0:,}",
                f"{equal} of {len(machine['disks'])} equal their point",
            )
        )
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return [*text, ""]
