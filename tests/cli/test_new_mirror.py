"""`farshore new --mirror` where there is nothing to turn round: one message, and nothing is written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from farshore import examples
from farshore.cli import runs
from farshore.cli.app import run
from farshore.cli.projects import Folder, read_folder
from farshore.clock import WallClock
from farshore.plan.make import make_plan
from farshore.run import machine
from farshore.run.events import Kind

ONE = "single-circuit-kept-addresses"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    shutil.copytree(examples.path(ONE), folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return folder


def refused(project: Path, capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, Any]:
    """The error; nothing is left where the mirror was to be."""
    home = project.parent / "home"
    assert run(["new", str(home), "--mirror", str(project), *more, "--format", "json"]) == 1
    error: dict[str, Any] = json.loads(capsys.readouterr().out)["error"]
    assert [item.name for item in project.parent.iterdir()] == ["project"]
    assert error["value"] and error["expected"] and error["remedy"], error
    return error


def begun(project: Path, scenario: str) -> None:
    """A run that is under way, as far as its journal says."""
    folder, (_, estate) = Folder(project), read_folder(project)
    plan = make_plan(estate, None, scenario)
    runs.begin(folder, "one-1", estate, plan, None)
    journal = runs.open_journal(folder)
    try:
        journal.hold("one-1")
        body = {"plan": plan.estate, "scenario": plan.scenario, "topology": plan.topology}
        journal.append("one-1", [machine.event(machine.initial(plan), "", Kind.RUN_STARTED, WallClock().now(), body)])
    finally:
        journal.close()


def test_a_project_without_runs(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no runs" in refused(project, capsys)["message"]
    assert not (project / ".farshore").exists()


def test_a_run_that_came_home(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begun(project, "no-drill")
    assert "far shore for good" in refused(project, capsys)["message"]


def test_a_run_that_is_not_over(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begun(project, "stay+no-drill")
    assert "is not over" in refused(project, capsys)["message"]


def test_one_beginning_is_chosen(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(project, capsys, "--example", ONE)["value"] == "--example --mirror"
