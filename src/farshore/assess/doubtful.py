"""A finding that rests on what nobody can read says so.

Where a marker stands for a value, a rule reads the field as if it had none, and what it finds may come of that alone:
an unreadable `enableIPForwarding` looks like one that is off. A finding about a resource with such a field, or about
one that it refers to or that refers to it, holds as far as can be read, and names what can't. So does any where a
reference can't be read: nobody can tell what it would have led to.
"""

from __future__ import annotations

from dataclasses import replace

from farshore.arm.ids import references, resource_id
from farshore.assess.findings import Finding, Severity
from farshore.errors import InputError
from farshore.estate.estate import Estate

STEPS = 2
"""Over so many references a value is looked for: a machine's NIC, and the NIC's subnet."""
NAMED = 3
"""So many are named in a finding."""
OF_THE_UNKNOWN = ("FS821", "FS822", "FS906")
"""Codes that speak of what is not known."""


def as_far_as_read(estate: Estate, findings: list[Finding]) -> list[Finding]:
    """The findings, those that may rest on a marker with that said."""
    unread = _unread(estate)
    if not unread:
        return findings
    near = _references(estate)
    return [_doubted(finding, unread, near) for finding in findings]


def _doubted(finding: Finding, unread: dict[str, list[str]], near: dict[str, set[str]]) -> Finding:
    if finding.severity is Severity.INFO or finding.code in OF_THE_UNKNOWN:
        return finding
    around = _around(finding.subject, near)
    texts = [text for key, held in unread.items() for text in held if key in around or text.endswith(".id")]
    if not texts:
        return finding
    more = f" and {len(texts) - NAMED} more" if len(texts) > NAMED else ""
    return replace(
        finding,
        summary=f"{finding.summary}, as far as can be read",
        evidence=(*finding.evidence, f"can't be read: {', '.join(texts[:NAMED])}{more}"),
        remedy=f"read the estate from Azure, where it has all its values; if it still holds: {finding.remedy}",
    )


def _unread(estate: Estate) -> dict[str, list[str]]:
    """By lower-case id of a top-level resource: what of it can't be read, and is more than a label."""
    found: dict[str, list[str]] = {}
    for text in estate.unknown:
        id_, _, path = text.partition(" ")
        if path.startswith(("properties.", "location", "zones")):
            short = "/".join(id_.split("/")[-2:])
            found.setdefault(_top(id_) or id_.lower(), []).append(f"{short} {path.removeprefix('properties.')}")
    return found


def _around(subject: str, near: dict[str, set[str]]) -> set[str]:
    """A subject's resource and those within a few references of it; all, for one that is of the project."""
    top = _top(subject)
    if top is None:
        return set(near)
    found, edge = {top}, {top}
    for _ in range(STEPS):
        edge = {other for key in edge for other in near.get(key, ())} - found
        found |= edge
    return found


def _references(estate: Estate) -> dict[str, set[str]]:
    """Which resources name which, either way."""
    found: dict[str, set[str]] = {key: set() for key in estate.resources}
    for key, body in estate.resources.items():
        for named in references(body):
            if named.key != key:
                found[key].add(named.key)
                found.setdefault(named.key, set()).add(key)
    return found


def _top(text: str) -> str | None:
    """The lower-case id of the top-level resource that an id is of; None for what is no id."""
    try:
        return resource_id(text).top.key
    except InputError:
        return None
