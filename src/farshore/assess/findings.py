"""Findings: what `assess` has to say, and the table of rules that say it.

A rule is a function in `assess/rules/` under `@rule(code, ...)`; the code never changes meaning. A finding that
only follows from another is folded under it (`consequences`). Findings are results, never exceptions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from farshore.assess.context import Context


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Contract, "Findings". `subject` is the ARM id to change, or a path in farshore.yaml."""

    code: str
    severity: Severity
    subject: str
    summary: str
    evidence: tuple[str, ...] = ()
    remedy: str = ""
    source: tuple[str, ...] = ()
    consequences: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "severity": self.severity.value,
            "subject": self.subject,
            "summary": self.summary,
            "evidence": list(self.evidence),
            "remedy": self.remedy,
            "source": list(self.source),
            "consequences": list(self.consequences),
        }


Check = Callable[["Context"], Iterable[Finding]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    code: str
    title: str
    source: tuple[str, ...]
    check: Check


RULES: dict[str, Rule] = {}


def rule(code: str, title: str, *source: str) -> Callable[[Check], Check]:
    """Register a rule under its code. `source` are fact numbers or addresses."""

    def register(check: Check) -> Check:
        assert code not in RULES, f"{code} is taken by {RULES[code].title}"
        RULES[code] = Rule(code=code, title=title, source=source, check=check)
        return check

    return register
