"""What has happened where somebody gives a command: every event of the plan that the command stands for, and what a
failover says of the world before it is begun."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from matrix.estates import write

from farshore import examples
from farshore.cli.runs import COMMANDS, commands_of
from farshore.cli.stage import Stage
from farshore.cli.verbs.phases import declared
from farshore.plan import make_plan
from farshore.plan.model import Phase
from farshore.times import stamp
from outside import answer, at_lab
from plan.estates import BOTH, TWO, example


@pytest.mark.parametrize(
    ("scenario", "events"),
    [
        ("published", ("return",)),
        ("control-first", ("return", "return-data")),
        ("data-first", ("return", "return-control")),
        ("flapping", ("return", "return-lost", "return-again")),
        ("maintenance", ()),
        ("circuit", ("return",)),
    ],
)
def test_reprotect_says_that_all_of_the_region_has_returned(scenario: str, events: tuple[str, ...]) -> None:
    plan = make_plan(example(), None, scenario)
    assert COMMANDS["reprotect"].happened(plan) == events
    assert COMMANDS["failover"].happened(plan) == ("disaster",)
    assert COMMANDS["provision"].happened(plan) == ()
    assert commands_of(plan) == COMMANDS


def test_a_failover_whose_region_may_return_any_time_has_the_guard_beside_it() -> None:
    plan = make_plan(example(), None, "early")
    commands = commands_of(plan)
    assert commands["failover"].phases == (Phase.FAILOVER, Phase.RETURN)
    assert commands["failover"].happened(plan) == ("disaster", "return", "return-control")
    assert commands["reprotect"].phases == (Phase.REPROTECT,)


@pytest.mark.parametrize(
    ("name", "scenario", "said"),
    [
        (TWO, "published", "This declares: Region eastasia is lost. 6 machines will be started in southeastasia"),
        (TWO, "maintenance", "nothing is lost: machines are moved on purpose. 6 machines will be stopped, and started"),
        (TWO, "swap", "Connectivity goes over; no machine moves."),
        (TWO, "circuit", "This declares: eastasia: the primary circuit is dead; the region is healthy. Connectivity"),
        (BOTH, "circuit", "Nothing is changed, only looked at."),
    ],
)
def test_a_failover_says_what_the_plan_s_first_event_is(name: str, scenario: str, said: str) -> None:
    text = declared(make_plan(example(name), None, scenario))
    assert said in text


def test_a_region_that_returned_in_halves_is_reprotected_verb_by_verb(tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(examples.path(TWO), project, ignore=shutil.ignore_patterns("*.py", "__pycache__"))

    def region(state: str) -> None:
        async def act(stage: Stage) -> None:
            await stage.handles.fault("region", region="eastasia", state=state)
            await stage.clock.sleep(timedelta(minutes=5), "wait")

        at_lab(project, act)

    answer(project, "provision", "--scenario", "control-first")
    answer(project, "protect")
    region("lost")
    for verb in ("failover", "commit"):
        answer(project, verb)
    region("returned")
    told = answer(project, "reprotect")
    assert told["ok"] and told["happened"] == ["disaster", "return", "return-data"]
    assert answer(project, "failback")["status"] == "over"
    assert answer(project, "runs", "verify")["ok"]


def test_a_region_that_returns_in_the_middle_of_a_failover_is_met_by_its_guard_verb_by_verb(tmp_path: Path) -> None:
    project = tmp_path / "project"
    write(TWO, project)

    async def lose(stage: Stage) -> None:
        await stage.handles.fault("region", region="eastasia", state="lost")
        await stage.clock.sleep(timedelta(minutes=5), "wait")

    async def plan_return(stage: Stage) -> None:
        at = stamp(stage.clock.now() + timedelta(minutes=6))
        await stage.handles.fault("region", region="eastasia", state="returned", at=at)

    answer(project, "provision", "--scenario", "early+no-drill")
    answer(project, "protect")
    at_lab(project, lose)
    refused = answer(project, "failover", status=1)
    assert "nothing will bring it back" in refused["error"]["message"]
    at_lab(project, plan_return)
    told = answer(project, "failover")
    assert told["ok"] and told["happened"] == ["disaster", "return", "return-control"]
    assert answer(project, "commit")["ok"]
    assert answer(project, "reprotect")["ok"]
    assert answer(project, "failback")["status"] == "over"
    assert answer(project, "runs", "verify")["ok"]
