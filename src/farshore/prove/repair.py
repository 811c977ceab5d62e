"""The smallest change to an estate or its project that takes away what is wrong with it: found by trying.

    repair(estate) -> Repair | None

`assess` says what is wrong and with what; `edits/` says what could be done there and around it. Each edit is tried:
the estate is assessed as it would be. An edit helps when the error is gone and no other has come; of those that help,
the one that leaves the fewest errors, then the fewest new warnings, then the one nearest to what was blamed. To promise
less is tried only where nothing else helps. What is still wrong then is mended the same way, one edit after the other.
At the end the plan of the mended estate is proven: a change is offered only if both hold.

The search is about no fault in particular: it knows the settings of Azure's resources and where to look, and lets the
assessment and the proof judge.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice

from farshore.arm.ids import ResourceId, resource_id
from farshore.assess import Assessment, Finding, Severity, assess
from farshore.assess.doubtful import OF_THE_UNKNOWN
from farshore.errors import InputError
from farshore.estate.estate import Estate
from farshore.plan.make import make_plan
from farshore.prove.edits import Edit, edits_of, project_edits
from farshore.prove.edits.near import around
from farshore.prove.prover import prove
from farshore.prove.values import Proof, Repaired

MOST_TRIED = 400
"""Edits for one error: an assessment of a small estate takes some hundredths of a second."""
MOST_WEAKER = 32
"""Edits that promise less: they are tried where no other helps."""
LOOKED_AT = 40_000
"""Resources that are assessed for one error, all edits together: large estates try fewer."""
MOST_ERRORS = 8
"""Errors that are looked at in one round: where none of these can be mended, the next ones seldom can."""
MOST_EDITS = 6
"""An estate that needs more is not mended by small changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """Edits, in order, after which the estate assesses without error and its plan is proven."""

    edits: tuple[Edit, ...]
    estate: Estate
    """As it would be."""
    proof: Proof | None = None
    """Of the plan of the estate as it would be; None where nothing was asked to be proven."""

    @property
    def text(self) -> str:
        return "; then ".join(edit.text for edit in self.edits)

    @property
    def subjects(self) -> tuple[str, ...]:
        return tuple(edit.subject for edit in self.edits)


def repair(estate: Estate, *, scenario: str = "published", proven: bool = True) -> Repair | None:
    """The smallest change found; None where none was, or nothing is wrong. `proven=False` leaves the proof out."""
    now = estate
    edits: list[Edit] = []
    held = _judged(estate)
    while held is not None and not held.ok:
        if len(edits) == MOST_EDITS:
            return None
        found = _best(now, held)
        if found is None:
            return None
        edit, now, held = found
        edits.append(edit)
    if held is None or not edits:
        return None
    if not proven:
        return Repair(edits=tuple(edits), estate=now)
    try:
        proof = prove(now, make_plan(now, None, scenario))
    except InputError:
        # An estate that assesses well and from which no plan can be made is no repair.
        return None
    return Repair(edits=tuple(edits), estate=now, proof=proof) if proof.ok else None


def with_repair(estate: Estate, proof: Proof, scenario: str) -> Proof:
    """The proof with what to do about the estate, where the assessment finds errors in it."""
    found = repair(estate, scenario=scenario)
    if found is None:
        return proof
    return replace(proof, repair=tuple(Repaired(subject=edit.subject, text=edit.text) for edit in found.edits))


def _best(estate: Estate, held: Assessment) -> tuple[Edit, Estate, Assessment] | None:
    """The best edit for the first error that any edit helps."""
    known = _names(held, Severity.ERROR)
    quiet = _names(held, Severity.WARNING)
    unknown = _unknown(held)
    tries = max(10, min(MOST_TRIED, LOOKED_AT // max(1, len(estate.resources))))
    for finding in _errors(held)[:MOST_ERRORS]:
        best: tuple[tuple[int, int], Edit, Estate, Assessment] | None = None
        for edit in chain(islice(_candidates(estate, finding), tries), islice(_weaker(estate), MOST_WEAKER)):
            if edit.weakens and best is not None:
                break
            tried = _after(estate, edit)
            if tried is None:
                continue
            after, judged = tried
            left = _names(judged, Severity.ERROR)
            if _name(finding) in left or not left < known or _unknown(judged) - unknown:
                continue
            score = (len(left), len(_names(judged, Severity.WARNING) - quiet))
            if best is None or score < best[0]:
                best = (score, edit, after, judged)
            if score == (0, 0):
                break
        if best is not None:
            return best[1:]
    return None


def _after(estate: Estate, edit: Edit) -> tuple[Estate, Assessment] | None:
    """The estate with the edit and what is said of it; None where it can't be so."""
    try:
        after = edit.apply(estate)
    except InputError:
        return None
    judged = _judged(after)
    return None if judged is None else (after, judged)


def _judged(estate: Estate) -> Assessment | None:
    try:
        return assess(estate)
    except InputError:
        return None


def _errors(held: Assessment) -> list[Finding]:
    return [finding for finding in held.findings if finding.severity is Severity.ERROR]


def _names(held: Assessment, severity: Severity) -> frozenset[tuple[str, str, str]]:
    return frozenset(_name(finding) for finding in held.findings if finding.severity is severity)


def _unknown(held: Assessment) -> frozenset[tuple[str, str, str]]:
    """What nobody can tell: an error that is only out of sight is not mended."""
    return frozenset(_name(finding) for finding in held.findings if finding.code in OF_THE_UNKNOWN)


def _name(finding: Finding) -> tuple[str, str, str]:
    return finding.code, finding.subject.lower(), finding.summary


def _candidates(estate: Estate, finding: Finding) -> Iterator[Edit]:
    """Edits of what is blamed and of what stands around it; of the project where a path is blamed, then of what the
    finding's way rests on."""
    seen: set[tuple[str, str]] = set()
    for edit in _near(estate, finding):
        if not edit.weakens and (edit.subject, edit.text) not in seen:
            seen.add((edit.subject, edit.text))
            yield edit


def _weaker(estate: Estate) -> Iterator[Edit]:
    """Edits that change nothing but what is promised."""
    return (edit for edit in project_edits(estate, "objectives") if edit.weakens)


def _near(estate: Estate, finding: Finding) -> Iterator[Edit]:
    subject = _id(finding.subject)
    if subject is None:
        yield from project_edits(estate, finding.subject)
    ids = [id_ for text in (finding.subject, *sorted(finding.way)) if (id_ := _id(text)) is not None]
    for id_ in around(estate, ids):
        yield from edits_of(estate, id_)
    for key in ("sites", "addresses", "appliances", "machines", "drill", "target", "objectives"):
        yield from project_edits(estate, key)


def _id(text: str) -> ResourceId | None:
    try:
        return resource_id(text) if text.startswith("/") else None
    except InputError:
        return None
