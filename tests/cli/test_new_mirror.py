"""`farshore new --mirror` where there is nothing to turn round: one message, and nothing is written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from farshore import examples
from farshore.cli import mirroring, readings, runs
from farshore.cli.app import run
from farshore.cli.projects import Folder, read_folder
from farshore.clock import WallClock
from farshore.errors import InputError
from farshore.estate import files
from farshore.estate.files import load
from farshore.plan.make import make_plan
from farshore.run import machine
from farshore.run.events import Kind
from plan.mirrors import stayed

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


@pytest.fixture
def turned(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose run has stayed, as its cloud would tell."""
    folder, (_, estate) = Folder(project), read_folder(project)
    plan, now = stayed(estate)
    runs.begin(folder, "one-1", estate, plan, None)
    monkeypatch.setattr(mirroring, "_stayed", lambda _: SimpleNamespace(id="one-1", plan=plan))
    monkeypatch.setattr(readings, "from_cloud", lambda *_: readings.Reading(now, "the lab"))
    return project


def test_what_is_written_can_be_read_and_says_what_is_not_as_before(
    turned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = turned.parent / "home"
    home.mkdir()
    assert run(["new", str(home), "--mirror", str(turned), "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["files"] == ["estate.json", "farshore.yaml"]
    [said] = told["notes"]["replace_vault"]
    assert "S10" in said
    mirror, estate = load(home)
    assert (mirror.name, mirror.source_region, mirror.target.region) == ("home", "southeastasia", "eastasia")
    assert estate.get(mirror.appliances[0].source) is not None
    text = (home / "farshore.yaml").read_text()
    assert text.startswith(f"# {ONE} with its regions changed: run one-1 has moved the machines to southeastasia")
    assert said.split(" (S10)")[0] in " ".join(line.removeprefix("# ") for line in text.splitlines())
    assert sorted(item.name for item in turned.parent.iterdir()) == ["home", "project"]


def test_half_a_mirror_is_none(
    turned: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: Any) -> None:
        raise InputError("The disk is full", value="x", expected="room", remedy="make some")

    monkeypatch.setattr(files, "write_estate", fails)
    assert refused(turned, capsys)["message"] == "The disk is full"
