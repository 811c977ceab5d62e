"""What `runs skip` lets nobody pass over at night: what was read and is not so, and what ends an interval that is
exempt only until then."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from farshore import examples
from farshore.cli.stage import Stage
from outside import answer, at_lab

ONE = "single-circuit-kept-addresses"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    shutil.copytree(examples.path(ONE), folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for verb in ("provision", "protect"):
        answer(folder, verb)
    return folder


def test_a_circuit_that_is_not_clear_is_not_passed_over(project: Path) -> None:
    """D62: rows still there = stop. The region was planned as dead, and goes on announcing."""

    async def lose(stage: Stage) -> None:
        await stage.handles.fault("control-plane", region="eastasia", state="down")
        await stage.clock.sleep(timedelta(minutes=5), "wait")

    at_lab(project, lose)
    halted = answer(project, "failover", "--anyway", status=2)
    [failed] = [row["id"] for row in halted["failed"]]
    assert failed.startswith("failover/circuit-clear/")
    told = answer(project, "runs", "skip", failed, "--why", "night", status=2)
    assert not told["written"] and "split between the two (D62)" in told["because"]


def test_the_guard_s_disconnect_is_not_skipped(project: Path) -> None:
    """D63: without it nothing ends the interval in which two networks answer."""

    async def region(stage: Stage, state: str) -> None:
        await stage.handles.fault("region", region="eastasia", state=state)
        await stage.clock.sleep(timedelta(minutes=5), "wait")

    at_lab(project, lambda stage: region(stage, "lost"))
    for verb in ("failover", "commit"):
        assert answer(project, verb)["ok"]
    at_lab(project, lambda stage: region(stage, "returned"))
    refusal = {"status": 403, "code": "Denied", "method": "DELETE", "path": "cn-source-hub", "count": 500}
    at_lab(project, lambda stage: stage.handles.fault("refuse", **refusal))
    halted = answer(project, "reprotect", status=2)
    [step] = [row["id"] for row in halted["failed"] if row["id"].startswith("return/disconnect/")]
    told = answer(project, "runs", "skip", step, "--why", "night", status=2)
    assert not told["written"] and "Without this step" in told["because"]
