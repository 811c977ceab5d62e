"""For people: text on stdout, progress on stderr, colour only on a terminal and never against NO_COLOR."""

from __future__ import annotations

import os
import shutil
import sys
from typing import Any, TextIO

from farshore.cli.views.lines import fitted, hanging, terminal_width
from farshore.errors import FarshoreError

STYLES = {"error": "31", "warning": "33", "good": "32", "quiet": "2", "strong": "1"}


def coloured(stream: TextIO) -> bool:
    return stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def style(text: str, name: str, stream: TextIO | None = None) -> str:
    """`text` in a style, where the stream is a terminal."""
    return f"\x1b[{STYLES[name]}m{text}\x1b[0m" if coloured(stream or sys.stdout) else text


def _plain(text: object) -> str:
    """What came from a file, without what would move a terminal's cursor or colour it."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in str(text))


def _said(before: str, columns: int, text: object) -> list[str]:
    """A part of a message for stderr, behind what takes so many columns."""
    first, *rest = hanging(_plain(text), columns, sys.stderr)
    return [before + first, *(" " * columns + part for part in rest)]


class HumanView:
    def __init__(self) -> None:
        self._status_shown = False

    def answer(self, document: Any, text: str) -> None:
        self._clear()
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
        sys.stdout.flush()

    def progress(self, line: str) -> None:
        self._clear()
        print(fitted(line, terminal_width(sys.stderr)), file=sys.stderr, flush=True)

    def status(self, line: str) -> None:
        if not coloured(sys.stderr):
            return
        width = shutil.get_terminal_size().columns
        sys.stderr.write("\r\x1b[2K" + style(line[: width - 1], "quiet", sys.stderr))
        sys.stderr.flush()
        self._status_shown = True

    def error(self, error: FarshoreError) -> None:
        self._clear()
        said = error.as_json()
        place = ":".join(str(part) for part in (said["file"], said["line"]) if part is not None)
        head = style("error", "error", sys.stderr)
        lines = _said(f"{head}  ", 7, (f"{place}: " if place else "") + str(said["message"]))
        for name in ("value", "expected", "remedy"):
            if said[name] not in (None, ""):
                lines += _said(f"  {name:<9} ", 12, said[name])
        print("\n".join(lines), file=sys.stderr, flush=True)

    def _clear(self) -> None:
        if self._status_shown:
            sys.stderr.write("\r\x1b[2K")
            self._status_shown = False
