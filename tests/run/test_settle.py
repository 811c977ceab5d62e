"""A run that is given up: what was under way is found out, and nothing more begins."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from farshore.lab.transport import lab_client, lab_clock
from farshore.plan.model import Phase, Plan
from farshore.run import machine
from farshore.run.driver import Driver
from farshore.run.events import Kind
from farshore.run.states import StepState
from prove.plans import step
from run.bench import Bench, put_step, story
from run.talk import NOW


def settle(bench: Bench, plan: Plan) -> dict[str, StepState]:
    """Pause the run and settle it; the state of each step."""

    async def whole() -> None:
        clock = lab_clock(bench.cloud)
        state = machine.fold(plan, bench.journal.read("r"))
        at = max(clock.now(), NOW)
        bench.journal.hold("r")
        bench.journal.append("r", [machine.event(state, "", Kind.PAUSED, at, {})])
        bench.journal.release("r")
        async with clock.actor("bench"), lab_client(bench.cloud, clock) as client:
            await Driver(plan, run_id="r", client=client, journal=bench.journal, clock=clock).settle()

    asyncio.run(whole())
    return {id_: record.state for id_, record in machine.fold(plan, bench.journal.read("r")).steps.items()}


PLAN = story(put_step("a"), put_step("b", after=["a"]))


@pytest.mark.parametrize(
    ("moment", "state", "there"),
    [(0.1, StepState.FAILED, False), (0.9, StepState.DONE, True), (3, StepState.DONE, True)],
)
def test_what_arrived_is_done_and_what_did_not_is_not_done_any_more(
    moment: float, state: StepState, there: bool, tmp_path: Path
) -> None:
    """Killed while it looks, with the write on its way, and while it is followed. (What is still on its way when its
    sender has gone is waited out.)"""
    bench = Bench(tmp_path / "runs.db")
    killed(bench, moment)
    assert settle(bench, PLAN) == {"a": state, "b": StepState.WAITING}
    assert bench.there("a") is there
    if not there:
        fault = machine.fold(PLAN, bench.journal.read("r")).steps["a"].fault
        assert fault is not None and fault["code"] == "Abandoned"


def test_nobody_waits_for_a_person_any_more(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "runs.db")
    asked = story(step("ask"))
    bench.run(asked, Phase.PROVISION)
    assert settle(bench, asked) == {"ask": StepState.FAILED}


def killed(bench: Bench, moment: float) -> None:
    """One process that lives so many seconds; what it has sent arrives."""

    async def whole() -> None:
        from datetime import timedelta

        from farshore.run import run_phases
        from run.bench import Wire

        clock = lab_clock(bench.cloud)
        async with clock.actor("bench"), lab_client(bench.cloud, clock) as client:
            wire = Wire(client, clock)
            work = run_phases(PLAN, [Phase.PROVISION], run_id="r", client=wire, journal=bench.journal, clock=clock)
            task = clock.spawn(work, "life")
            await clock.sleep(timedelta(seconds=moment))
            task.cancel()
            async with clock.idle():
                await asyncio.gather(task, return_exceptions=True)
            await clock.sleep(timedelta(seconds=60))

    asyncio.run(whole())
