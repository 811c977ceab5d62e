"""Lines as wide as the terminal: broken at a space, else after a sign (`/`, `-`, `_`), and under what they belong to.

Nothing is ever cut off. What is piped into another program is not wrapped at all: it is the other program's to read,
line by line.
"""

from __future__ import annotations

import re
import shutil
import sys
from itertools import pairwise
from typing import TextIO

BREAKS = re.compile(r"(?<=[/_-])(?!\d)")
"""After a sign, but never inside a prefix."""
GAP = re.compile(r"(?<=\S) {2,}(?=\S)")
"""What stands between two columns."""
LEAST = 24
"""So many columns a text is given at least, however narrow the terminal."""
EASY = 40
"""In so many columns a text of any length is read with ease; in fewer, one of a few lines."""
FEW = 3
FEWEST_COLUMNS, SHORT_CELL = 4, 12
"""Of a matrix."""


def terminal_width(stream: TextIO | None = None) -> int | None:
    """Columns of the terminal; None where the stream, stdout by default, goes elsewhere."""
    return shutil.get_terminal_size().columns if (stream or sys.stdout).isatty() else None


def hanging(text: str, before: int, stream: TextIO | None = None) -> list[str]:
    """A text in lines that leave `before` columns free on a terminal; one line where the stream goes elsewhere."""
    room = terminal_width(stream)
    return [text] if room is None else wrapped(text, max(LEAST, room - before))


def shown(text: str) -> str:
    """A figure of plain text as stdout takes it."""
    return fitted(text, terminal_width())


def fitted(text: str, room: int | None) -> str:
    """A figure of plain text, in lines of at most `room` columns. A line that is too long goes on under its last
    column where that is wide enough, else two columns further in than it began; a matrix of short words that is too
    wide comes in parts, each with the first column. `room` None: the text as it is."""
    if room is None:
        return text
    blocks = text.split("\n\n")
    return "\n\n".join(_block(block.split("\n"), room) for block in blocks)


def wrapped(text: str, width: int) -> list[str]:
    """A text in lines of a width."""
    lines = [""]
    for word in text.split(" "):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if len(joined) <= width:
            lines[-1] = joined
            continue
        if lines[-1]:
            lines.append("")
        for piece in BREAKS.split(word):
            while len(lines[-1]) + len(piece) > width:
                if lines[-1]:
                    lines.append("")
                    continue
                lines[-1], piece = piece[:width], piece[width:]
            lines[-1] += piece
    return lines


def _block(lines: list[str], room: int) -> str:
    if max(map(len, lines)) <= room:
        return "\n".join(lines)
    parts = _matrix(lines, room)
    return "\n".join(line for text in lines for line in _line(text, room)) if parts is None else "\n\n".join(parts)


def _line(text: str, room: int) -> list[str]:
    if len(text) <= room:
        return [text]
    begins, goes_on = _place(text, room)
    first, *rest = wrapped(text[begins:], max(LEAST, room - goes_on))
    return [text[:begins] + first, *(" " * goes_on + part for part in rest)]


def _place(text: str, room: int) -> tuple[int, int]:
    """Where of a line its text begins, and where that goes on: at its last column in which no word has to be broken
    that needn't be, and which it doesn't run down like a ladder."""
    indent = len(text) - len(text.lstrip(" "))
    for gap in reversed(list(GAP.finditer(text))):
        width = room - gap.end()
        rest = text[gap.end() :]
        longest = max((len(word) for word in rest.split() if len(word) <= room - indent - 2), default=0)
        if longest <= width and (width >= EASY or (width > 0 and len(wrapped(rest, width)) <= FEW)):
            return gap.end(), gap.end()
    return indent, indent + 2


def _matrix(lines: list[str], room: int) -> list[str] | None:
    """The parts of a table whose columns after the first are of short words, each as wide as there is room; None for
    a block that is no such table."""
    starts = [0, *(gap.end() for gap in GAP.finditer(lines[0]))]
    rows = [[line[at:to] for at, to in pairwise([*starts, None])] for line in lines]
    words = [cell.rstrip() for row in rows for cell in row[1:]]
    whole = all(cell == cell.lstrip() and " " not in cell and len(cell) <= SHORT_CELL for cell in words)
    aligned = all(cell.endswith("  ") or not rest for row in rows for cell, rest in pairwise(row))
    if len(lines) < 2 or len(starts) < FEWEST_COLUMNS or not whole or not aligned:
        return None
    widths = [max(len(row[number]) for row in rows) for number in range(len(starts))]
    groups: list[list[int]] = [[]]
    for number in range(1, len(starts)):
        taken = widths[0] + sum(widths[other] for other in groups[-1])
        if groups[-1] and taken + len(lines[0][starts[number] :].split()[0]) > room:
            groups.append([])
        groups[-1].append(number)
    parts = [
        "\n".join("".join([row[0].ljust(widths[0]), *(row[number] for number in group)]).rstrip() for row in rows)
        for group in groups
    ]
    return parts if max(len(line) for part in parts for line in part.split("\n")) <= room else None
