"""Findings as people read them (style 19): code, severity, summary; subject, because, remedy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from farshore.cli.views.human import style
from farshore.cli.views.lines import hanging

if TYPE_CHECKING:
    from farshore.assess.findings import Finding


def findings_text(findings: Iterable[Finding], *, details: bool = True) -> str:
    """All findings, errors first, and a line that counts them."""
    listed = list(findings)
    blocks = [finding_text(finding, details=details) for finding in listed]
    counts = Counter(finding.severity.value for finding in listed)
    total = ", ".join(
        f"{counts[name]} {name}{'s' if counts[name] != 1 and name != 'info' else ''}"
        for name in ("error", "warning", "info")
        if counts[name]
    )
    return ("\n\n" if details else "\n").join([*blocks, total or "nothing found"])


def finding_text(finding: Finding, *, details: bool = True) -> str:
    severity = finding.severity.value
    tint = {"error": "error", "warning": "warning"}.get(severity, "quiet")
    before = f"{finding.code} {severity:<8} "
    first, *rest = hanging(finding.summary, len(before))
    head = "\n".join(
        [f"{finding.code} {style(f'{severity:<8}', tint)} {first}", *(" " * len(before) + part for part in rest)]
    )
    if not details:
        return head
    rows = [("subject", short(finding.subject))]
    rows += [("because" if index == 0 else "", line) for index, line in enumerate(finding.evidence)]
    rows += [("remedy", finding.remedy)] if finding.remedy else []
    rows += [("source", ", ".join(finding.source))] if finding.source else []
    rows += [("then also", ", ".join(finding.consequences))] if finding.consequences else []
    return "\n".join([head, *(_row(name, text) for name, text in rows)])


def short(subject: str) -> str:
    """An ARM id without subscription and group; anything else as it is."""
    from farshore.arm.ids import ResourceId
    from farshore.errors import InputError

    try:
        return ResourceId(subject).short if subject.startswith("/") else subject
    except InputError:
        return subject


def _row(name: str, text: str) -> str:
    first, *rest = hanging(text, 12)
    return "\n".join([f"  {name:<10}{first}", *(" " * 12 + part for part in rest)])
