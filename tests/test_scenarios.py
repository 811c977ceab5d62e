"""Scenarios are transcripts (style 24): a comment saying why, a command, dashes, the exact answer.

    # Both regions offer the range. Nobody may call that working.
    trace datacenter 192.168.4.20 -> 10.1.0.4 tcp/443
    ----
    ...

Each file of tests/scenarios runs from top to bottom on one session. A command is a function in a file of
tests/scenarios/commands, by its name; adding one is adding a file. `FARSHORE_GOLDEN=write` rewrites the answers, and
the difference is what gets reviewed.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from scenarios.commands import run
from scenarios.session import Session

FOLDER = Path(__file__).parent / "scenarios"


@dataclass
class Entry:
    """One comment, command and answer."""

    comment: list[str]
    command: str
    answer: str

    def __str__(self) -> str:
        return "\n".join([*self.comment, self.command, "----", self.answer]).rstrip() + "\n"


def read(text: str) -> list[Entry]:
    """Entries begin with a comment; an answer goes on to the next one and may hold empty lines."""
    found: list[Entry] = []
    lines = text.splitlines()
    while lines:
        comment = []
        while lines and lines[0].startswith("#"):
            comment.append(lines.pop(0))
        assert comment, f"an entry begins with a comment that says why, not with {lines[0]!r}"
        command = lines.pop(0)
        assert lines and lines.pop(0) == "----", f"after {command!r} come four dashes"
        answer: list[str] = []
        while lines and not lines[0].startswith("#"):
            answer.append(lines.pop(0))
        found.append(Entry(comment, command, "\n".join(answer).rstrip()))
    return found


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.stem)
def test_scenario(path: Path) -> None:
    session = Session()
    entries = read(path.read_text())
    told = [Entry(entry.comment, entry.command, run(session, entry.command)) for entry in entries]
    if os.environ.get("FARSHORE_GOLDEN") == "write":
        path.write_text("\n".join(map(str, told)))
    assert [str(entry) for entry in told] == [str(entry) for entry in entries]


def test_a_transcript_reads_back_as_written() -> None:
    text = "# why\nroutes a\n----\none\n\ntwo\n\n# why\n# again\nroutes b\n----\nthree\n"
    assert "\n".join(map(str, read(text))) == text
