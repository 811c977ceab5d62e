"""Plain tables: columns as wide as their widest cell, two spaces between them, nothing drawn around them.

On a terminal that is too narrow the widest columns give way, the last one first: what does not fit goes on in the
next line, under itself (`lines.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from farshore.cli.views.human import style
from farshore.cli.views.lines import hanging, terminal_width, wrapped

NARROWEST = 8
LAST = 24
"""So narrow the last column may become before others are touched."""


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, indent: int = 2) -> list[str]:
    """Lines; columns in which no row has anything are left out. No rows, no lines."""
    if not rows:
        return []
    kept = [index for index in range(len(heads)) if any(row[index] for row in rows)]
    widths = [max(len(heads[i]), *(len(row[i]) for row in rows)) for i in kept]
    room = terminal_width()
    if room is not None:
        _fit(widths, room - indent - 2 * (len(widths) - 1))
    lines = [style(line, "quiet") for line in _lines([heads[i] for i in kept], widths, indent)]
    for row in rows:
        lines += _lines([row[i] for i in kept], widths, indent)
    return lines


def facts(rows: Sequence[tuple[str, str]]) -> list[str]:
    """A name and what is to be said of it, one a line."""
    width = max((len(name) for name, _ in rows), default=0)
    lines: list[str] = []
    for name, text in rows:
        first, *rest = hanging(text, width + 2)
        lines += [
            f"{style(f'{name:<{width}}', 'quiet')}  {first}".rstrip(),
            *(" " * (width + 2) + part for part in rest),
        ]
    return lines


def _fit(widths: list[int], room: int) -> None:
    over = sum(widths) - room
    if over > 0:
        given = min(over, max(0, widths[-1] - LAST))
        widths[-1] -= given
        over -= given
    while over > 0 and max(widths) > NARROWEST:
        widths[widths.index(max(widths))] -= 1
        over -= 1


def _lines(cells: Sequence[str], widths: Sequence[int], indent: int) -> list[str]:
    parted = [wrapped(cell, width) for cell, width in zip(cells, widths, strict=True)]
    return [
        (" " * indent + "  ".join(f"{part:<{width}}" for part, width in zip(parts, widths, strict=True))).rstrip()
        for parts in zip_longest(*parted, fillvalue="")
    ]
