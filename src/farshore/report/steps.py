"""A run's steps as rows: what was planned, how long it was expected to take, and what its journal says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from farshore.plan.model import Plan, order
from farshore.run.events import RunEvent
from farshore.run.machine import fold
from farshore.times import stamp


def step_rows(plan: Plan, events: Iterable[RunEvent]) -> list[dict[str, Any]]:
    """`{id, phase, letter, title, subject, state, started_at, ended_at, seconds, expected_duration_seconds, note}`,
    in the order in which they began; those that never began come last, in the plan's order."""
    state = fold(plan, events)
    rank = {id_: index for index, id_ in enumerate(order(plan.steps, plan.events))}
    rows = []
    for step in plan.steps:
        record = state.steps[step.id]
        started, ended = record.intended_at, record.settled_at
        note = _found(record.result)
        if record.fault:
            note = f"{record.fault.get('code')}: {record.fault.get('message')}"
            note += " (the plan expected this)" if record.expected else ""
        rows.append(
            {
                "id": step.id,
                "phase": step.phase.value,
                "letter": step.letter,
                "title": step.title,
                "subject": step.subject,
                "state": record.state.value,
                "started_at": None if started is None else stamp(started),
                "ended_at": None if ended is None else stamp(ended),
                "seconds": (ended - started).total_seconds() if started and ended else None,
                "expected_duration_seconds": step.expected_duration.total_seconds(),
                "note": note,
            }
        )
    return sorted(rows, key=lambda row: (row["started_at"] is None, row["started_at"] or "", rank[row["id"]]))


def _found(result: Mapping[str, Any]) -> str:
    """What a check of the user's was told, and from where it was asked."""
    return f"{result['asked']} from {result['asked_from']}: {result['said']}" if "asked_from" in result else ""
