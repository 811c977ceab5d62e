"""A machine that starts again with old data is stopped in time, or somebody is told that it is not (D92)."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from farshore.examples import read
from farshore.plan import make_plan
from farshore.plan.left_running import left_running
from farshore.plan.model import Plan

KEPT = "single-circuit-kept-addresses"


@cache
def made(name: str, scenario: str = "published") -> Plan:
    return make_plan(read(name)[1], None, scenario)


def without(plan: Plan, verb: str) -> Plan:
    gone = {step.id: step.after for step in plan.steps if step.action.verb == verb}
    steps = tuple(
        replace(step, after=tuple(before for id_ in step.after for before in gone.get(id_, (id_,))))
        for step in plan.steps
        if step.id not in gone
    )
    return replace(plan, steps=steps)


@pytest.mark.parametrize(
    "scenario",
    ["published", "grey", "data-plane", "maintenance", "early", "stay", "no-way-back", "never+no-way-back"],
)
def test_a_plan_as_it_is_made_leaves_none_running(scenario: str) -> None:
    assert left_running(made(KEPT, scenario)) == ()


@pytest.mark.parametrize("scenario", ["published", "grey", "data-plane"])
def test_without_the_deallocations_every_machine_is_told(scenario: str) -> None:
    plan = made(KEPT, scenario)
    told = left_running(without(plan, "deallocate"))
    assert [item.machine for item in told] == [machine.id.text for machine in plan.machines]
    assert str(told[0]) == (
        "When the region is back db1 may run there with old data, and is deallocated by no step (D92)"
    )


def test_a_deallocation_that_nothing_waits_for_is_told() -> None:
    plan = made(KEPT)
    late = replace(
        plan,
        steps=tuple(
            replace(step, after=("return",)) if step.id == "reprotect/machine/db1" else step for step in plan.steps
        ),
    )
    (told,) = left_running(late)
    assert told.machine.endswith("/db1")
    assert str(told).endswith("need not be deallocated before reprotect/machine/db1 (D92)")


def test_where_no_region_was_lost_nothing_starts_again() -> None:
    assert left_running(made("two-circuits-two-locations", "circuit")) == ()
