"""Objectives that a plan falls short of by its own prediction, and from when the predicted recovery counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from farshore.assess import objectives_of
from farshore.estate.estate import Estate
from farshore.plan import make_plan
from farshore.plan.foreseen import POINT, TIME, Short, recovery_line, shorts
from plan.estates import ONE, TWO, example, with_project


def asking(estate: Estate, *, time: float = 60, point: float = 15) -> Estate:
    """The estate with every objective asking for other times, in minutes."""
    told = timedelta(minutes=time), timedelta(minutes=point)
    asked = [replace(o, derived=False, recovery_time=told[0], recovery_point=told[1]) for o in objectives_of(estate)]
    return with_project(estate, objectives=tuple(asked))


def found(estate: Estate, scenario: str) -> tuple[Short, ...]:
    return shorts(make_plan(estate, None, scenario), estate)


@pytest.mark.parametrize("name", [ONE, TWO])
def test_the_published_plan_keeps_what_the_examples_ask_for(name: str) -> None:
    assert found(example(name), "published") == ()


def test_a_recovery_time_beyond_its_objective_is_told_with_what_decides_it() -> None:
    estate = asking(example(TWO), time=5)
    told = found(estate, "nothing-ahead")
    assert told and {short.what for short in told} == {TIME}
    assert {short.asked_seconds for short in told} == {300.0}
    slowest = max(make_plan(estate, None, "nothing-ahead").predicted_recovery_seconds.values())
    assert max(short.predicted_seconds for short in told) == slowest
    assert "asks for a recovery time of 5 min, and" in str(told[0]) and "of it for 'Create" in str(told[0])


def test_hourly_points_cant_keep_fifteen_minutes() -> None:
    told = found(example(TWO), "application-consistent")
    assert told and {short.what for short in told} == {POINT}
    assert "asks for a recovery point of 15 min, and" in str(told[0]) and "once an hour (S25)" in str(told[0])


def test_points_every_five_minutes_cant_keep_three() -> None:
    told = found(asking(example(TWO), point=3), "published")
    assert {short.what for short in told} == {POINT}
    assert not found(asking(example(TWO), point=3), "maintenance+planned"), "who is stopped first loses nothing"


def test_what_a_prediction_is_counted_from() -> None:
    def line(name: str, scenario: str) -> str:
        return recovery_line(make_plan(example(name), None, scenario))

    assert line(TWO, "published").endswith("after the loss, 5 min of it to decide")
    grey = line(TWO, "grey")
    assert "5 min 28 s after people lose them, which is at the end of 'Site datacenter denies" in grey
    assert grey.endswith("Not counted: 5 min to decide and 10 min of the failover before that")
    planned = line(ONE, "maintenance+planned")
    assert "at the beginning of 'Fail machine" in planned
    assert planned.endswith("Nothing is lost, and no time to decide is counted")
