"""Every drill of a project, and how good what it proved still is.

A proof of the past decays in two ways: by age, half a year after it (S42 advises a drill at least so often), and by
change: a resource that the plan was made from is not as it was then. Rows are made of the plans, proofs and journals
that runs keep, and of the tabletops that were recorded; nothing is stored for this.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from farshore.plan.drills import DrillKind
from farshore.report.learned import Learned
from farshore.times import stamp

LASTS = timedelta(days=183)
"""How long a drill's proof counts where nothing has changed (S42: at least every six months)."""
SHOWN = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Drilled:
    """One drill of the past."""

    run: str
    kind: DrillKind
    scenario: str
    at: datetime
    ok: bool
    learned: tuple[Learned, ...] = ()
    made_from: Mapping[str, str] | None = None
    """Digests of the resources that its plan was made from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    drilled: Drilled
    due: datetime
    changed: tuple[str, ...]
    """Resources that are not as they were, by id in lower case."""
    now: datetime

    @property
    def counts(self) -> bool:
        """Whether what it proved still holds."""
        return self.drilled.ok and not self.changed and self.now < self.due

    def as_json(self) -> dict[str, Any]:
        one = self.drilled
        return {
            "run": one.run,
            "kind": one.kind.value,
            "scenario": one.scenario,
            "at": stamp(one.at),
            "ok": one.ok,
            "age_days": (self.now - one.at).days,
            "due": stamp(self.due),
            "counts": self.counts,
            "changed": list(self.changed),
            "learned": [item.as_json() for item in one.learned],
        }


def judged(drills: Iterable[Drilled], digests: Mapping[str, str], now: datetime) -> tuple[Judged, ...]:
    """Drills by date, each with what has become of its proof. `digests`: of the estate as it is (`plan/drift.py`)."""
    return tuple(
        Judged(drilled=one, due=one.at + LASTS, changed=tuple(_changed(one.made_from, digests)), now=now)
        for one in sorted(drills, key=lambda one: one.at)
    )


def due(history: Iterable[Judged]) -> dict[DrillKind, Judged | None]:
    """For each kind the latest drill that still counts; None where one is due now."""
    rows = tuple(history)
    return {
        kind: max((row for row in rows if row.drilled.kind is kind and row.counts), key=_age, default=None)
        for kind in DrillKind
    }


def history_as_json(history: tuple[Judged, ...]) -> dict[str, Any]:
    calendar = {kind.value: None if row is None else stamp(row.due) for kind, row in due(history).items()}
    return {"format": 1, "value": [row.as_json() for row in history], "due": calendar}


def history_text(history: tuple[Judged, ...]) -> str:
    """For people: each drill with what it proved, then what is due."""
    lines = []
    for row in history:
        one = row.drilled
        good = "counts" if row.counts else "failed" if not one.ok else "STALE"
        lines.append(f"{one.at:%Y-%m-%d}  {one.kind.value:<12}  {one.run}  {good}")
        lines += [f"  {'proved' if item.proven else 'not proved'}: {item.said}" for item in one.learned]
        if one.ok and row.now >= row.due:
            lines.append(f"  stale by age: {(row.now - one.at).days} days (S42)")
        if row.changed:
            names = ", ".join(key.rsplit("/", 1)[-1] for key in row.changed[:SHOWN])
            more = f" and {len(row.changed) - SHOWN} more" if len(row.changed) > SHOWN else ""
            lines.append(f"  stale by change: {names}{more}")
    lines += ["" if lines else "No drill is on record.", "Due"]
    for kind, latest in due(history).items():
        lines.append(f"  {kind.value:<12}  {'now' if latest is None else f'{latest.due:%Y-%m-%d}'}")
    return "\n".join(lines)


def _changed(then: Mapping[str, str] | None, now: Mapping[str, str]) -> Iterable[str]:
    """What the plan was made from and is not as it was. What has come since took nothing from what was proved."""
    return (key for key, digest in (then or {}).items() if now.get(key) != digest)


def _age(row: Judged) -> datetime:
    return row.drilled.at
