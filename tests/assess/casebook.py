"""One case of a finding: a healthy estate, the smallest edit that shows it, and where it points.

`quiet` is the estate that does not show it: the same one without the edit, unless that shows it by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .bench import TWO, Bench, Edit, bench, built

Make = Callable[[str], Bench]


def nothing(_: Bench) -> None:
    """No edit."""


def both(*edits: Edit) -> Edit:
    """One edit that is several."""

    def edit(bench: Bench) -> None:
        for each in edits:
            each(bench)

    return edit


@dataclass(frozen=True, kw_only=True)
class Case:
    code: str
    subject: str
    """The end of the finding's subject, without regard to case."""
    edit: Edit
    make: Make = bench
    example: str = TWO
    severity: str = "error"
    quiet: Edit = nothing
    quiet_example: str | None = None
    quiet_make: Make | None = None

    @property
    def shown(self) -> Bench:
        made = self.make(self.example)
        self.edit(made)
        return made

    @property
    def hidden(self) -> Bench:
        made = (self.quiet_make or self.make)(self.quiet_example or self.example)
        self.quiet(made)
        return made

    def __str__(self) -> str:
        return f"{self.code} {self.subject}"


def case(
    code: str,
    subject: str,
    edit: Edit,
    *,
    target: bool = False,
    example: str = TWO,
    severity: str = "error",
    quiet: Edit = nothing,
    quiet_example: str | None = None,
    quiet_target: bool = False,
) -> Case:
    """`target`: the target network stands already."""
    return Case(
        code=code,
        subject=subject,
        edit=edit,
        make=built if target else bench,
        example=example,
        severity=severity,
        quiet=quiet,
        quiet_example=quiet_example,
        quiet_make=built if quiet_target else None,
    )
