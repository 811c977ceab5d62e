"""Every finding has two estates: the smallest edit of an example that shows it, and one that does not (style 27)."""

from __future__ import annotations

import pytest

from farshore import examples
from farshore.assess import Severity, assess
from farshore.assess.findings import RULES
from farshore.assess.rules import load

from . import cases_capacity, cases_circuits, cases_machines, cases_networks, cases_reach, cases_shared, cases_target
from .bench import bench, built
from .casebook import Case

CASES = (
    *cases_networks.CASES,
    *cases_capacity.CASES,
    *cases_circuits.CASES,
    *cases_reach.CASES,
    *cases_shared.CASES,
    *cases_machines.CASES,
    *cases_target.CASES,
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_edit_shows_it(case: Case) -> None:
    assessment = case.shown.assess()
    found = [finding for finding in assessment.findings if finding.code == case.code]
    told = "\n".join(f"{f.code} {f.severity} {f.subject}: {f.summary}" for f in assessment.findings)
    assert found, f"no {case.code} among\n{told}"
    subjects = [finding.subject.lower() for finding in found]
    assert any(subject.endswith(case.subject.lower()) for subject in subjects), told
    severities = {f.severity.value for f in found if f.subject.lower().endswith(case.subject.lower())}
    assert case.severity in severities, told
    if case.severity == "error":
        assert not assessment.ok


@pytest.mark.parametrize("case", CASES, ids=str)
def test_without_the_edit_it_is_not_said(case: Case) -> None:
    assert not case.hidden.findings(case.code)


def test_every_code_has_both() -> None:
    load()
    assert set(RULES) == {case.code for case in CASES}


@pytest.mark.parametrize("name", examples.names())
def test_examples_as_shipped_are_good(name: str) -> None:
    _, estate = examples.read(name)
    assessment = assess(estate)
    assert assessment.ok, [finding.summary for finding in assessment.findings if finding.severity is Severity.ERROR]


@pytest.mark.parametrize("name", examples.names())
def test_examples_stay_good_when_the_target_stands(name: str) -> None:
    assessment = built(name).assess()
    assert assessment.ok, [finding.summary for finding in assessment.findings if finding.severity is Severity.ERROR]


def test_every_rule_says_what_to_do() -> None:
    for case in CASES:
        for finding in case.shown.assess().findings:
            assert finding.summary and finding.source, finding
            assert finding.remedy or finding.severity is Severity.INFO, finding


def test_findings_come_in_order() -> None:
    made = bench()
    made.project["drill"] = {"address_space": ["10.1.0.0/24"]}
    findings = made.assess().findings
    assert [finding.order for finding in findings] == sorted(finding.order for finding in findings)
    assert findings[0].severity is Severity.ERROR
