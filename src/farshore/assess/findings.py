"""Findings: what `assess` has to say, and the table of rules that say it.

A rule is a function in `assess/rules/` under `@rule(code, ...)`; the code never changes meaning. It yields findings by
`error`, `warning` and `info`, which leave code and sources to the rule. A finding that only follows from another is
folded under it (`consequences`). Findings are results, never exceptions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
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
    """Its shape: docs/reference/schemas.md. `subject` is the ARM id to change, or a path in farshore.yaml."""

    code: str
    severity: Severity
    subject: str
    summary: str
    evidence: tuple[str, ...] = ()
    remedy: str = ""
    source: tuple[str, ...] = ()
    consequences: tuple[str, ...] = ()
    way: frozenset[str] = field(default=frozenset(), repr=False, compare=False)
    """For a finding about a flow: lower-case ids and paths of all that its way rests on (`folding.py`)."""

    @property
    def order(self) -> tuple[int, str, str]:
        """Errors first, then by code and subject."""
        return (list(Severity).index(self.severity), self.code, self.subject.lower())

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


def error(subject: object, summary: str, *because: str, remedy: str) -> Finding:
    """What stops traffic, lets it past the appliance or endangers data. The rule that returns it gives its code."""
    return _finding(Severity.ERROR, subject, summary, because, remedy)


def warning(subject: object, summary: str, *because: str, remedy: str) -> Finding:
    """A caution on what works."""
    return _finding(Severity.WARNING, subject, summary, because, remedy)


def info(subject: object, summary: str, *because: str, remedy: str = "") -> Finding:
    """What is absent and the plan will build, and what is good to know."""
    return _finding(Severity.INFO, subject, summary, because, remedy)


def _finding(severity: Severity, subject: object, summary: str, because: tuple[str, ...], remedy: str) -> Finding:
    return Finding(code="", severity=severity, subject=str(subject), summary=summary, evidence=because, remedy=remedy)


Check = Callable[["Context"], Iterable[Finding]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    code: str
    title: str
    source: tuple[str, ...]
    check: Check

    def findings(self, context: Context) -> Iterator[Finding]:
        """What the rule has to say, under its code and with its sources."""
        for finding in self.check(context):
            yield replace(finding, code=self.code, source=self.source)


RULES: dict[str, Rule] = {}


def rule(code: str, title: str, *source: str) -> Callable[[Check], Check]:
    """Register a rule under its code. `source` are fact numbers or addresses."""

    def register(check: Check) -> Check:
        assert code not in RULES, f"{code} is taken by {RULES[code].title}"
        RULES[code] = Rule(code=code, title=title, source=source, check=check)
        return check

    return register
