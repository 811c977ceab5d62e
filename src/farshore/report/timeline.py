"""A run's time as one SVG: a bar a phase, each step a line inside it, lab hours along the bottom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from html import escape
from typing import Any

from farshore.times import moment, span

WIDTH, LABEL, ROW = 1120, 110, 24


def timeline_svg(phases: Sequence[Mapping[str, Any]], *, title: str = "Timeline") -> str:
    """`phases`: `{name, started_at, ended_at, ok}` with ISO times. Phases without length are ticks."""
    times = [(moment(phase["started_at"]), moment(phase["ended_at"])) for phase in phases]
    if not times:
        return ""
    first, last = min(start for start, _ in times), max(end for _, end in times)
    total = max((last - first).total_seconds(), 1.0)
    scale = (WIDTH - LABEL - 90) / total
    parts = []
    for index, (phase, (start, end)) in enumerate(zip(phases, times, strict=True)):
        y = 8 + index * ROW
        x = LABEL + (start - first).total_seconds() * scale
        width = max((end - start).total_seconds() * scale, 2.0)
        kind = "event" if phase["name"] in ("disaster", "return") else "good" if phase["ok"] else "bad"
        parts.append(
            f'<text class="row" x="{LABEL - 10}" y="{y + 14}" text-anchor="end">{escape(phase["name"])}</text>'
        )
        parts.append(f'<rect class="bar {kind}" x="{x:.1f}" y="{y + 3}" width="{width:.1f}" height="14" rx="2"/>')
        parts.append(f'<text class="label" x="{x + width + 6:.1f}" y="{y + 14}">{escape(_length(end - start))}</text>')
    bottom = 8 + len(times) * ROW + 4
    for hours in range(0, int(total // 3600) + 1, max(1, int(total // 3600 // 10))):
        x = LABEL + hours * 3600 * scale
        parts.append(f'<line class="tick" x1="{x:.1f}" y1="8" x2="{x:.1f}" y2="{bottom}"/>')
        parts.append(f'<text class="label" x="{x:.1f}" y="{bottom + 14}" text-anchor="middle">{hours} h</text>')
    return (
        f'<svg class="timeline" viewBox="0 0 {WIDTH} {bottom + 22}" role="img" aria-label="{escape(title)}" '
        f'xmlns="http://www.w3.org/2000/svg">\n<title>{escape(title)}</title>\n' + "\n".join(parts) + "\n</svg>"
    )


def _length(took: timedelta) -> str:
    """Nothing beside a tick."""
    return span(took) if took >= timedelta(seconds=0.5) else ""
