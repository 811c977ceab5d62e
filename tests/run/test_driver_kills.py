"""A run that is killed, at every kind of moment, and goes on as if nothing had happened."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from farshore.plan import actions
from farshore.plan.model import Plan
from farshore.run import cuts_of, machine
from farshore.run.states import StepState
from prove.plans import step
from run.bench import Bench, id_of, put_step, story

CREATED = "abcdefgh"
PLAN = story(
    *(put_step(name) for name in "abcd"),
    *(put_step(name, after=["a", "b"]) for name in "ef"),
    step("undo", after=["c"], action=actions.delete(id_of("c"))),
    put_step("g", after=["e", "undo"]),
    put_step("h", after=["d"]),
)


def proven(bench: Bench, plan: Plan) -> None:
    """What must hold at the end, whatever was in between."""
    events = bench.journal.read("r")
    state = machine.fold(plan, events)
    assert {record.state for record in state.steps.values()} == {StepState.DONE}
    for name in CREATED:
        assert sum(row["status"] < 400 for row in bench.writes(name)) == 1, f"{name} was created twice"
        assert bench.there(name) == (name != "c")
    after = {step.id: set(step.after) for step in plan.steps}
    for cut in cuts_of(plan, events):
        assert all(after[id_] <= cut.done for id_ in cut.done | cut.under_way)


@pytest.mark.parametrize("moment", [0.05, 0.3, 0.5, 0.9, 1.05, 1.3, 3, 6.3, 9])
def test_killed_at_each_kind_of_moment(moment: float, tmp_path: Path) -> None:
    """Before the first look, between look and act, with the write on its way there and back, while it is followed."""
    bench = Bench(tmp_path / "runs.db")
    outcome = bench.run(PLAN, kills=[moment])
    assert not outcome.halted
    proven(bench, PLAN)


@pytest.mark.parametrize("seed", range(15))
def test_killed_again_and_again(seed: int, tmp_path: Path) -> None:
    """The second time perhaps in the middle of a doubt."""
    random = Random(seed)
    bench = Bench(tmp_path / "runs.db")
    kills = [random.choice((0.1, 0.7, 1.0, 30, 95, random.uniform(0, 12))) for _ in range(random.randint(2, 6))]
    outcome = bench.run(PLAN, kills=kills)
    assert not outcome.halted, kills
    proven(bench, PLAN)


def test_a_request_that_outlives_its_sender_is_waited_out(tmp_path: Path) -> None:
    """It arrives half a minute later; the look that ends the doubt comes after it, and finds it."""
    bench = Bench(tmp_path / "runs.db")
    bench.run(story(put_step("a")), kills=[0.9])
    assert bench.kinds("a")[:3] == ["intended", "absent", "doubted"]
    assert len(bench.writes("a")) == 1 and bench.there("a")
    assert sum(request.method == "PUT" for request in bench.sent) == 1


def test_a_plan_of_another_run_is_refused(tmp_path: Path) -> None:
    from farshore.errors import JournalError

    bench = Bench(tmp_path / "runs.db")
    bench.run(story(put_step("a")))
    with pytest.raises(JournalError, match="not the one that the run was begun with"):
        bench.run(story(put_step("b")))
