"""The story's own book: phases with their lab times, and how they ended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from farshore.cli.views import View
from farshore.clock import Clock
from farshore.times import span, stamp


class HaltedError(Exception):
    """The story can't go on; it is told to its end all the same, and the answer is bad."""


@dataclass(slots=True)
class Phases:
    """`with phases("drill") as phase:` times a phase in lab time; `phase.ok = False` or `HaltedError` makes it bad."""

    clock: Clock
    view: View
    told: list[Phase] = field(default_factory=list)

    @contextmanager
    def __call__(self, name: str) -> Iterator[Phase]:
        phase = Phase(name=name, started_at=self.clock.now())
        self.told.append(phase)
        self.view.status(f"{name} ...")
        try:
            yield phase
        except HaltedError:
            phase.ok = False
            raise
        except BaseException:
            phase.ok = False
            raise
        finally:
            phase.ended_at = self.clock.now()
            took = span(phase.ended_at - phase.started_at)
            mark = "" if phase.ok else "  NOT GOOD"
            said = f"  {phase.said}" if phase.said else ""
            self.view.progress(f"{phase.started_at:%H:%M:%S}  {name:<10} {took:>12}{mark}{said}")

    def as_json(self) -> list[dict[str, Any]]:
        return [phase.as_json() for phase in self.told]


@dataclass(slots=True)
class Phase:
    name: str
    started_at: datetime
    ended_at: datetime | None = None
    ok: bool = True
    said: str = ""
    """What it came to, in a few words."""

    def halt(self, said: str) -> None:
        """This phase did not do what it is for; the story stops."""
        self.said = said
        raise HaltedError(said)

    def as_json(self) -> dict[str, Any]:
        ended = self.ended_at or self.started_at
        return {
            "name": self.name,
            "started_at": stamp(self.started_at),
            "ended_at": stamp(ended),
            "ok": self.ok,
        }
