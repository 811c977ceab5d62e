"""For programs: one JSON document on stdout and nothing else; progress as plain lines on stderr."""

from __future__ import annotations

import sys
from typing import Any

from farshore.errors import FarshoreError


class JsonView:
    def answer(self, document: Any, text: str) -> None:
        from farshore.arm.json import pretty

        sys.stdout.write(pretty(document))
        sys.stdout.flush()

    def progress(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    def status(self, line: str) -> None:
        """Nothing: a program does not watch."""

    def error(self, error: FarshoreError) -> None:
        self.answer({"error": error.as_json()}, "")
