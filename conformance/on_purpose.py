"""Differences that are meant, each with its reason. An entry that fits no difference any more is an error.

`file` is a pattern of recordings' names and `path` one of key paths, as `fnmatch` reads them (a `[` is written `[[]`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from conformance.compare import Difference


@dataclass(frozen=True, slots=True, kw_only=True)
class OnPurpose:
    file: str
    path: str
    expected: str
    reason: str

    def fits(self, difference: Difference) -> bool:
        name = difference.where.split(":")[0]
        return (
            fnmatchcase(name, self.file)
            and fnmatchcase(difference.path, self.path)
            and fnmatchcase(difference.expected, self.expected)
        )


ON_PURPOSE: tuple[OnPurpose, ...] = ()


def reason_of(difference: Difference) -> str | None:
    return next((entry.reason for entry in ON_PURPOSE if entry.fits(difference)), None)


def stale(differences: Iterable[Difference]) -> list[OnPurpose]:
    """Entries that fit nothing."""
    seen = list(differences)
    return [entry for entry in ON_PURPOSE if not any(entry.fits(one) for one in seen)]
