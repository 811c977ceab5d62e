"""The report: one self-contained HTML file. Nothing is loaded from anywhere, nothing in it moves.

It is made from `Evidence`, values that the run left: the exercise's summary, the proof, the plan's steps
with what their journal says, the findings, and the map. A number in the report is a number in the evidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import jinja2
import markupsafe

from farshore import __version__
from farshore.report.timeline import timeline_svg
from farshore.times import clock_time, span

BY_HAND = ("hand", "not-understood")
"""Of what hangs on the machines: what somebody has to do or to look at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was promised, proven and done. All values are JSON values but the map, which is SVG."""

    title: str
    headline: str
    """How it ended, or stands, in a sentence."""
    summary: Mapping[str, Any]
    """The exercise's summary (docs/reference/schemas.md), or as much of it as the run has."""
    proof: Mapping[str, Any]
    steps: Sequence[Mapping[str, Any]]
    """`{id, phase, letter, title, subject, state, started_at, ended_at, expected_duration_seconds, note}`."""
    measured_from: str = "from the loss of the region"
    """Where recovery times begin."""
    obligations: Sequence[Mapping[str, Any]] = ()
    carried: Sequence[Mapping[str, Any]] = ()
    """`{machine, holder, path, refers, how, why, instruction, steps}`: what hangs on the machines (plan.json)."""
    names: Sequence[Mapping[str, Any]] = ()
    """`{record, type, old, new, because}`: records whose addresses a failover changes (plan.json)."""
    learned: Sequence[str] = ()
    decisions: Sequence[Mapping[str, Any]] = ()
    """Where the run stopped and asked a person: `at` and what was `asked`."""
    """What a drill proved and what it did not, in sentences."""
    maps: Sequence[tuple[str, str]] = field(default=())
    """Caption and SVG."""


def render(evidence: Evidence) -> str:
    """The report's HTML."""
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters |= {"span": measured, "moment": moment, "short": short, "digest": digest, "asked": asked}
    folder = files("farshore.report") / "templates"
    template = environment.from_string((folder / "report.html.j2").read_text())
    return template.render(
        evidence=evidence,
        summary=evidence.summary,
        proof=evidence.proof,
        steps=evidence.steps,
        by_hand=[row for row in evidence.carried if row["how"] in BY_HAND],
        handled=_by_reason([row for row in evidence.carried if row["how"] not in BY_HAND]),
        residue=_by_reason(evidence.summary.get("residue") or ()),
        maps=[(caption, markupsafe.Markup(svg)) for caption, svg in evidence.maps],
        timeline=markupsafe.Markup(timeline_svg(evidence.summary.get("phases", []))),
        style=markupsafe.Markup((folder / "report.css").read_text()),
        version=__version__,
        worst=_worst(evidence.summary.get("machines", [])),
    )


def measured(seconds: float | None) -> str:
    """A length of time, or that it was not measured."""
    return "not measured" if seconds is None else span(seconds)


def asked(seconds: float | None) -> str:
    """What an objective asks for; `none` where none does."""
    return "none" if seconds is None else span(seconds)


def moment(text: str | None) -> str:
    """A time as people read it; nothing for None."""
    return clock_time(text) if text else ""


def short(id_: str | None) -> str:
    """An ARM id without subscription and group: `virtualMachines/vm1`."""
    if not id_:
        return ""
    lower = id_.lower()
    if "/providers/" not in lower:
        return id_
    parts = id_[lower.rindex("/providers/") + 11 :].split("/")
    return "/".join(parts[1:])


def digest(text: str | None) -> str:
    return "" if not text else text[:16]


def _by_reason(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """Differences under their reason, in the order in which reasons appear."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(str(row["why"]), []).append(row)
    return list(groups.items())


def _worst(machines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The figures a reader looks for first: the worst of every machine."""
    times = [
        m["recovery_time_seconds"]["measured"] for m in machines if m["recovery_time_seconds"]["measured"] is not None
    ]
    points = [m["recovery_point_seconds"] for m in machines if m["recovery_point_seconds"] is not None]
    lost = [m["bytes_lost"] for m in machines if m["bytes_lost"] is not None]
    equal = [
        disk["recovery_point_sha256"] == disk["failed_over_sha256"] and disk["failed_over_sha256"] is not None
        for machine in machines
        for disk in machine["disks"]
    ]
    return {
        "recovery_time": max(times, default=None),
        "recovery_point": max(points, default=None),
        "bytes_lost": sum(lost) if lost else None,
        "disks": len(equal),
        "equal": sum(equal),
    }
