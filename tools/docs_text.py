"""What the pages made from the code share: links to facts, wrapped lines, cells of tables."""

from __future__ import annotations

import re
import sys
import textwrap
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

WIDTH = 118
MADE = "<!-- Written by tools/make_docs.py from the code. Change the code, then run `make docs`. -->"
FACT = re.compile(r"(?<![\w\[#'/.<-])([RESLDX][1-9][0-9]?a?)(?![\w'\]]|-\w)")


def linked(text: str, page: str = "facts.md") -> str:
    """Fact numbers as links into facts.md."""
    return FACT.sub(lambda found: f"[{found[1]}]({page}#{found[1].lower()})", text)


def wrapped(text: str, first: str = "", then: str = "") -> str:
    return textwrap.fill(
        " ".join(text.split()),
        WIDTH,
        initial_indent=first,
        subsequent_indent=then,
        break_long_words=False,
        break_on_hyphens=False,
    )


def cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
