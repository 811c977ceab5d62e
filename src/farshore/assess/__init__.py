"""What would break: `assess(estate) -> Assessment`, pure.

Every rule of `rules/` looks at one `Context` and says all it has to say; what only follows from something else is
folded under it. An assessment is good when it holds no error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from farshore.assess.context import Context
from farshore.assess.doubtful import as_far_as_read
from farshore.assess.findings import RULES, Finding, Severity
from farshore.assess.folding import folded
from farshore.assess.objectives import derive_objectives, objectives_of, resolve
from farshore.assess.rules import load
from farshore.estate.estate import Estate
from farshore.estate.project import Objective

__all__ = ["Assessment", "Finding", "Severity", "assess", "derive_objectives", "objectives_of", "resolve"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """All findings, errors first, then by code and subject."""

    findings: tuple[Finding, ...]
    objectives: tuple[Objective, ...] = ()
    """What was asked: the user's objectives, or the derived ones."""

    @property
    def ok(self) -> bool:
        return not any(finding.severity is Severity.ERROR for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        return {"format": 1, "ok": self.ok, "findings": [finding.as_json() for finding in self.findings]}


def assess(estate: Estate, objectives: tuple[Objective, ...] | None = None) -> Assessment:
    """Everything that the rules find. Raises `InputError` where the estate has no project."""
    load()
    asked = objectives_of(estate) if objectives is None else objectives
    context = Context(estate, asked)
    found = [finding for code in sorted(RULES) for finding in RULES[code].findings(context)]
    found = as_far_as_read(estate, folded(found))
    return Assessment(findings=tuple(sorted(found, key=lambda finding: finding.order)), objectives=asked)
