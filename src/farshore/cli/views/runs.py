"""Runs as people read them: how it stands, what failed or waits, and the one next action."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from farshore.cli.views.human import style
from farshore.cli.views.lines import shown
from farshore.cli.views.table import facts, table
from farshore.cli.words import many
from farshore.plan.model import Phase
from farshore.times import span

if TYPE_CHECKING:
    from farshore.cli.abandoning import Way
    from farshore.cli.carrying import Carried
    from farshore.cli.runs import Run

TINTS = {"halted": "error", "waiting": "warning", "paused": "warning", "over": "good"}


def carried_text(name: str, carried: Carried) -> str:
    """How a phase ended, in a few lines."""
    run = carried.run
    if run is None:
        lines = []
        if carried.findings:
            from farshore.cli.views.findings import findings_text

            lines.append(findings_text(carried.findings))
        if carried.proof is not None:
            from farshore.prove.describe import describe_proof

            lines.append(shown(describe_proof(carried.proof)))
        return "\n\n".join([*lines, style("Nothing was touched.", "error")])
    if carried.done_before:
        head = f"{name}: there was nothing left to do."
    elif carried.ok:
        took = _took(run, carried.phases)
        done = len(run.plan.of_phase(*carried.phases))
        head = style(f"{name}: {many(done, 'step')}, {took}.", "good")
    else:
        head = style(f"{name}: not at its end.", "error")
    lines = [head, "", *_standing(run)]
    if run.plan.remains:
        from farshore.cli.views.plan import remains_lines

        lines += remains_lines(run.plan)
    if name == "failover" and carried.ok:
        lines += ["", "Look at the machines before you commit: a commit drops their other recovery points (S44)."]
    return "\n".join(lines)


def way_text(way: Way) -> str:
    """The way back from a run before it begins: its plan, and what the proof says of it."""
    from farshore.cli.views.plan import plan_text
    from farshore.prove.describe import describe_proof

    return "\n\n".join([f"the way back from run {way.run.id}", plan_text(way.plan), shown(describe_proof(way.proof))])


def runs_text(runs: Sequence[Run], holders: Sequence[str | None]) -> str:
    """One line a run, the oldest first."""
    if not runs:
        return "no runs yet; farshore provision begins one"
    rows = []
    for run, holder in zip(runs, holders, strict=True):
        done = sum(run.state.is_behind(step.id) for step in run.plan.steps)
        at = run.events[-1].at
        rows.append(
            (
                run.id,
                run.status,
                f"{done} of {len(run.plan.steps)}",
                _time(at),
                holder or "",
                "nothing: it is being driven" if holder else run.next_action(),
            )
        )
    return "\n".join(table(("run", "status", "steps", "last event", "driven by", "next"), rows, indent=0))


def run_text(run: Run, driver: str, *, all_steps: bool) -> str:
    """A run: phases with their times, then what is under way, failed or asked; every step where wanted."""
    rows = []
    for phase in Phase:
        steps = run.plan.of_phase(phase)
        if not steps:
            continue
        done = sum(run.state.is_behind(step.id) for step in steps)
        state = "done" if phase in run.state.ended else "under way" if phase in run.state.started else "to come"
        rows.append((phase.value, state, f"{done} of {len(steps)}", _took(run, (phase,)) if done else ""))
    lines = [*_standing(run, driver), "", *table(("phase", "state", "steps", "took"), rows, indent=0)]
    if all_steps:
        lines += ["", *_steps(run)]
    return "\n".join(lines)


def _standing(run: Run, driver: str = "") -> list[str]:
    steps = run.state.steps
    titles = {step.id: step.title for step in run.plan.steps}
    lines = facts(
        [
            ("run", run.id),
            ("status", style(run.status, TINTS.get(run.status, "strong"))),
            *[("happened", name) for name in run.state.happened],
            *([("driven by", driver)] if driver else []),
            ("next", "nothing: it is being driven" if driver else run.next_action()),
        ]
    )
    for id_ in run.failed:
        fault = steps[id_].fault or {}
        lines += ["", f"{style('failed', 'error')}  {titles[id_]}", f"  step     {id_}"]
        lines.append(f"  because  {fault.get('code')}: {fault.get('message')}")
    for id_ in run.waiting:
        lines += ["", f"{style('asked', 'warning')}   {titles[id_]}", f"  step     {id_}"]
        lines += [
            f"  {'do' if at == 0 else '':<7}  {line}" for at, line in enumerate(run.instruction(id_).splitlines())
        ]
    for owed in run.owed:
        lines += ["", f"{style('owed', 'warning')}    {owed.title}", f"  because  {owed.because}"]
    return lines


def _steps(run: Run) -> list[str]:
    from farshore.report.steps import step_rows

    rows = [
        (
            row["phase"],
            row["state"],
            "" if row["seconds"] is None else span(row["seconds"]),
            span(row["expected_duration_seconds"]),
            row["id"],
            row["title"] + (f" ({row['note']})" if row["note"] else ""),
        )
        for row in step_rows(run.plan, run.events)
    ]
    return table(("phase", "state", "took", "expected", "step", "title"), rows, indent=0)


def _took(run: Run, phases: Sequence[Phase]) -> str:
    records = [run.state.steps[step.id] for step in run.plan.steps if step.phase in phases]
    begun = [record.intended_at for record in records if record.intended_at is not None]
    ended = [record.settled_at for record in records if record.settled_at is not None]
    return span(max(ended) - min(begun)) if begun and ended else ""


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"
