"""Harmless edits: nothing is said of them that was not said before, and all of them together are proven."""

from __future__ import annotations

from functools import cache

import pytest

from assess.bench import BOTH, NEAR, NEW, ONE, TWO
from assess.broken import At
from farshore.assess import assess
from farshore.plan.make import make_plan
from farshore.prove import Counterexample, Proof, prove
from farshore.prove.repair import repair
from prove.faults.harmless import HARMLESS, Harmless, at_of
from prove.faults.reading import estate_of, slice_of


@cache
def _said(example: str) -> frozenset[tuple[str, str, str]]:
    estate = estate_of(at_of(example))
    return frozenset((f.code, f.severity.value, f.subject.lower()) for f in assess(estate).findings)


@pytest.mark.parametrize("edit", slice_of(HARMLESS), ids=lambda edit: edit.name)
def test_nothing_is_said_of_it(edit: Harmless) -> None:
    at = at_of(edit.example)
    edit.edit(at)
    estate = estate_of(at)
    found = {(f.code, f.severity.value, f.subject.lower()) for f in assess(estate).findings}
    assert found == _said(edit.example)
    assert repair(estate, proven=False) is None


@pytest.mark.parametrize("example", slice_of((TWO, NEAR, ONE, NEW, BOTH)))
def test_all_of_them_together_are_proven(example: str) -> None:
    at = at_of(example)
    for edit in HARMLESS:
        if edit.example == example:
            edit.edit(at)
    changed, plain = _proof(at), _proof(at_of(example))
    assert changed.ok
    assert {_name(item) for item in changed.counterexamples} == {_name(item) for item in plain.counterexamples}
    assert {(item.objective, item.phase) for item in changed.verdicts} == {
        (item.objective, item.phase) for item in plain.verdicts
    }
    assert changed.failures == plain.failures
    assert {item.failed for item in changed.exposures} == {item.failed for item in plain.exposures}


def _proof(at: At) -> Proof:
    estate = estate_of(at)
    return prove(estate, make_plan(estate))


def _name(item: Counterexample) -> tuple[str, str, str, bool]:
    return item.claim, item.kind, item.objective, item.exempt


def test_there_are_enough_of_them_and_each_is_its_own() -> None:
    assert len(HARMLESS) >= 50
    assert len({edit.name for edit in HARMLESS}) == len(HARMLESS)
