"""What only follows from something else is folded under it (style 19).

The rules about flows (FS9xx) see an estate as a packet does: one wrong table makes a dozen flows fail. Where another
error sits on a flow's way, the flow's finding is a consequence of it: its code is added to the root's `consequences`
and it is not told again. What fails with nothing else wrong on its way stands for itself.
"""

from __future__ import annotations

from dataclasses import replace

from farshore.assess.findings import Finding, Severity

FLOWS = "FS9"
"""Codes of findings that a trace gave."""


def folded(findings: list[Finding]) -> list[Finding]:
    """The findings with consequences under their roots."""
    roots = [f for f in findings if f.severity is Severity.ERROR and not f.code.startswith(FLOWS)]
    if not roots:
        return findings
    consequences: dict[int, list[str]] = {}
    kept: list[Finding] = []
    for finding in findings:
        root = _root(finding, roots) if finding.code.startswith(FLOWS) else None
        if root is None:
            kept.append(finding)
        elif finding.code not in consequences.setdefault(id(root), []):
            consequences[id(root)].append(finding.code)
    return [replace(f, consequences=tuple(consequences[id(f)])) if id(f) in consequences else f for f in kept]


def _root(finding: Finding, roots: list[Finding]) -> Finding | None:
    """The first error whose subject the flow's way rests on; a child counts for its parent, and the other way round."""
    for root in roots:
        subject = root.subject.lower()
        if subject in finding.way or any(item.startswith(subject + "/") for item in finding.way):
            return root
    return None
