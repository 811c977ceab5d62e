"""Recovery objectives that were not kept: by what was measured, whoever is to blame."""

from __future__ import annotations

from typing import Any

import pytest
from matrix.cell import Silence

from farshore.cli.exercise import verdicts
from farshore.cli.exercise.log import Phases
from farshore.cli.exercise.story import Told
from farshore.cli.exercise.summary import headline_of
from farshore.clock import WallClock
from farshore.plan import Plan, make_plan
from farshore.plan.foreseen import POINT, TIME
from farshore.report.record import objectives_not_kept
from plan.estates import ONE, example

ESTATE = example(ONE)


def rows(plan: Plan, *, time: float = 60.0, point: float = 60.0) -> list[dict[str, Any]]:
    """Machines of which the last was served and replicated as said, and the others at once."""
    told = [
        {"id": machine.id.text, "recovery_time_seconds": {"measured": 1.0}, "recovery_point_seconds": 1.0}
        for machine in plan.machines
    ]
    told[-1] |= {"recovery_time_seconds": {"measured": time}, "recovery_point_seconds": point}
    return told


@pytest.mark.parametrize(("time", "point", "missed"), [(3600, 900, set()), (4342, 900, {TIME}), (60, 1361, {POINT})])
def test_what_was_measured_is_held_against_what_was_asked_for(time: float, point: float, missed: set[str]) -> None:
    plan = make_plan(ESTATE)
    found = objectives_not_kept(plan, ESTATE, rows(plan, time=time, point=point))
    assert {row["what"] for row in found} == missed
    for row in found:
        assert row["machine"] == plan.machines[-1].id.text, "the worst of its machines speaks for an objective"
        assert row["measured_seconds"] > row["asked_seconds"] and row["excuse"] is None


def test_an_excuse_is_told_and_keeps_nothing() -> None:
    plan = make_plan(ESTATE, None, "application-consistent")
    excuse = verdicts.excuse_of(plan, waited=False)
    found = objectives_not_kept(plan, ESTATE, rows(plan, time=4342, point=1361), excuse)
    assert {row["what"]: row["excuse"] for row in found} == {
        TIME: None,
        POINT: "the scenario goes to an older point on purpose",
    }


def test_what_nobody_could_keep_is_told_and_no_failure() -> None:
    """A person had to decide: what that takes no plan can promise."""
    plan = make_plan(ESTATE)
    told = Told(example=None, phases=Phases(WallClock(), Silence()))
    told.not_kept = objectives_not_kept(plan, ESTATE, rows(plan, time=4342), verdicts.excuse_of(plan, waited=True))
    assert told.not_kept and told.ok
    assert "nobody could keep on this way" in headline_of(told)


def test_a_story_that_keeps_no_objective_has_held_and_is_not_good() -> None:
    plan = make_plan(ESTATE)
    told = Told(example=None, phases=Phases(WallClock(), Silence()))
    assert told.ok and headline_of(told) == "Everything that was promised held."
    told.not_kept = objectives_not_kept(plan, ESTATE, rows(plan, time=4342))
    assert told.held and not told.ok
    assert headline_of(told).startswith("Safety and bytes held to the end; not kept: ")
