"""The plan that a verb works on: the file it was given, or a new one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from farshore.assess.findings import Finding
    from farshore.estate.estate import Estate
    from farshore.plan.model import Plan
    from farshore.prove.values import Proof


@dataclass(frozen=True, slots=True)
class Planned:
    plan: Plan
    findings: tuple[Finding, ...] = ()
    """Drift between the plan's estate and this one."""

    @property
    def drifted(self) -> bool:
        return any(finding.severity.value == "error" for finding in self.findings)

    @property
    def drift(self) -> str:
        """What has changed, in a line."""
        first, *more = (finding.summary for finding in self.findings)
        return f"{first}{f', and {len(more)} more' if more else ''}"


def plan_for(estate: Estate, scenario: str, plan_file: Path | None) -> Planned:
    """The plan in `plan_file`, checked against the estate, or one made for `scenario`."""
    from farshore.plan import make_plan

    if plan_file is None:
        return Planned(make_plan(estate, None, scenario))
    from farshore.estate.files import read_json_file
    from farshore.plan.file import check_against, plan_from_json

    plan = plan_from_json(read_json_file(plan_file), file=str(plan_file))
    return Planned(plan, tuple(check_against(plan, estate)))


def speaks_against(plan: Plan, proof: Proof) -> str | None:
    """The first thing that speaks against a plan, as a sentence: a claim that fails, a step that would be refused."""
    from farshore.plan.refused import refusals

    failing = next((example.summary for example in proof.counterexamples if not example.exempt), None)
    if failing is not None:
        return failing
    refused = next(iter(refusals(plan)), None)
    return None if refused is None else f"{refused}."
