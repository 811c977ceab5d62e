"""Break things: every edit that a person might have made, in every example where it can be made, in the source and in
a target that stands beforehand. `assess` blames what was edited, and healthy estates stay quiet."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from farshore.assess import Severity

from . import breaks_circuits, breaks_machines, breaks_networks, breaks_recovery
from .broken import ALL, ANYWHERE, PLANNED, SHIPPED, TARGETS, At, Break, Ground

BREAKS = (*breaks_networks.BREAKS, *breaks_circuits.BREAKS, *breaks_machines.BREAKS, *breaks_recovery.BREAKS)


def _rows() -> Iterator[object]:
    """Each edit in each example: in the source wherever it applies, and on one kind of prepared target, another for
    each example and edit in turn, in every second example. All of the kinds are the same rule to the assessment, and a
    test of each would take minutes."""
    for number, row in enumerate(BREAKS):
        targets = tuple(ground for ground in row.grounds if ground.target)
        for place, example in enumerate(row.examples):
            grounds = [ground for ground in row.grounds if not ground.target]
            if targets and (len(row.examples) < len(ALL) or (number + place) % 2 == 0):
                grounds.append(targets[(number + place) % len(targets)])
            for ground in grounds:
                yield pytest.param(row, ground, example, id=f"{row.name}-{ground.name}-{example}")


@pytest.mark.parametrize(("row", "ground", "example"), tuple(_rows()))
def test_what_was_edited_is_blamed(row: Break, ground: Ground, example: str) -> None:
    at = At(ground, example)
    row.edit(at)
    blamed = row.subject(at).lower()
    assessment = at.bench.assess()
    told = "\n".join(f"{f.code} {f.severity} {f.subject}: {f.summary}" for f in assessment.findings)
    found = [f for f in assessment.findings if f.severity == row.severity and f.subject.lower() == blamed]
    assert found, f"nothing blames {blamed}:\n{told}"
    assert assessment.ok is (row.severity != "error"), told
    # What only follows from the edit is told under it: an engineer at night is not sent to a dozen places.
    errors = {f.subject for f in assessment.findings if f.severity is Severity.ERROR}
    assert len(errors) <= 4, told


@pytest.mark.parametrize("example", ALL)
@pytest.mark.parametrize("ground", ANYWHERE, ids=lambda ground: ground.name)
def test_healthy_grounds_stay_quiet(ground: Ground, example: str) -> None:
    assessment = At(ground, example).bench.assess()
    assert assessment.ok, [f"{f.code} {f.subject}" for f in assessment.findings if f.severity is Severity.ERROR]


def test_edits_have_names_of_their_own() -> None:
    names = [(row.name, row.grounds, row.examples) for row in BREAKS]
    assert len(names) == len(set(names))


def test_the_table_reaches_every_example_and_ground() -> None:
    assert {example for row in BREAKS for example in row.examples} == set(ALL)
    assert {ground for row in BREAKS for ground in row.grounds} == {SHIPPED, PLANNED, *TARGETS}
