"""Commands compute, views speak: one small protocol, one view for people and one for programs."""

from __future__ import annotations

from typing import Any, Protocol

from farshore.errors import FarshoreError


class View(Protocol):
    """How a verb answers."""

    def answer(self, document: Any, text: str) -> None:
        """The verb's one answer: `document` for programs, `text` for people."""

    def progress(self, line: str) -> None:
        """Something happened on the way (stderr)."""

    def status(self, line: str) -> None:
        """What is going on right now: one line that the next one replaces on a terminal, nothing elsewhere."""

    def error(self, error: FarshoreError) -> None:
        """The command could not be done."""


def make_view(format_: str) -> View:
    """The view of `human` or `json`."""
    if format_ == "json":
        from farshore.cli.views.json import JsonView

        return JsonView()
    from farshore.cli.views.human import HumanView

    return HumanView()
