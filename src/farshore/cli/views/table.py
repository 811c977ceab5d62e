"""Plain tables: columns as wide as their widest cell, two spaces between them, nothing drawn around them.

On a terminal that is too narrow a table gives way in its last column: what does not fit goes on in the next line,
under itself. Nothing is ever cut off. What is piped into another program is not wrapped at all.
"""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Sequence

from farshore.cli.views.human import style

NARROWEST = 24


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, indent: int = 2) -> list[str]:
    """Lines; columns in which no row has anything are left out. No rows, no lines."""
    if not rows:
        return []
    kept = [index for index in range(len(heads)) if any(row[index] for row in rows)]
    widths = [max(len(heads[i]), *(len(row[i]) for row in rows)) for i in kept]
    room = _terminal()
    before = indent + sum(width + 2 for width in widths[:-1])
    last = None if room is None else max(NARROWEST, room - before)
    lines = [style(line, "quiet") for line in _lines([heads[i] for i in kept], widths, indent, last)]
    for row in rows:
        lines += _lines([row[i] for i in kept], widths, indent, last)
    return lines


def _lines(cells: Sequence[str], widths: Sequence[int], indent: int, last: int | None) -> list[str]:
    head = " " * indent + "".join(f"{cell:<{width}}  " for cell, width in zip(cells[:-1], widths[:-1], strict=True))
    if last is None or len(cells[-1]) <= last:
        return [(head + cells[-1]).rstrip()]
    parts = textwrap.wrap(cells[-1], last, break_long_words=False, break_on_hyphens=False)
    return [(head + parts[0]).rstrip(), *(" " * len(head) + part for part in parts[1:])]


def facts(rows: Sequence[tuple[str, str]]) -> list[str]:
    """A name and what is to be said of it, one a line."""
    width = max((len(name) for name, _ in rows), default=0)
    return [f"{style(f'{name:<{width}}', 'quiet')}  {text}".rstrip() for name, text in rows]


def _terminal() -> int | None:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
