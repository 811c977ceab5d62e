"""Who must approve a failover is asked before anything of it is done; with nobody named nobody is asked."""

from __future__ import annotations

import pytest

from farshore.estate.project import Approvals
from farshore.plan import make_plan
from farshore.plan.model import Phase, StepKind
from farshore.prove import prove
from plan.estates import ONE, TWO, example
from plan.test_plan_order import below

NAMED = Approvals(failover=("alice", "bob"), quorum=2)


@pytest.mark.parametrize(
    ("name", "scenario"),
    [(TWO, "no-drill"), (ONE, "no-drill"), (ONE, "grey+no-drill"), (TWO, "nothing-ahead+no-drill")],
)
def test_everything_of_a_failover_comes_after_their_word(name: str, scenario: str) -> None:
    plan = make_plan(example(name, approvals=NAMED), scenario=scenario)
    steps = plan.of_phase(Phase.FAILOVER)
    asked = steps[0]
    assert asked.kind is StepKind.PERSON and asked.title == "2 of alice, bob approve the failover"
    assert asked.action.arguments["deciders"] == ["alice", "bob"] and asked.action.arguments["quorum"] == 2
    assert all(asked.id in below(plan, step.id) for step in steps[1:])


def test_what_their_answer_takes_is_recovery_time() -> None:
    asked, unasked = (make_plan(example(TWO, approvals=given)) for given in (NAMED, Approvals()))
    assert not [step for step in unasked.steps if "approve" in step.title]
    for machine in asked.machines:
        more = asked.predicted_recovery_seconds[machine.id.key] - unasked.predicted_recovery_seconds[machine.id.key]
        assert more == 600


def test_it_is_proven_as_without() -> None:
    estate = example(ONE, approvals=NAMED)
    assert prove(estate, make_plan(estate, scenario="no-drill")).ok
