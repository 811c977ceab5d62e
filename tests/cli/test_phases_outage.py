"""Before a failover first begins the verb looks whether the outage is the one that the run is planned for."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from farshore import examples
from farshore.cli.looking import Seen, look
from farshore.cli.projects import read_folder
from farshore.cli.stage import Stage
from farshore.plan import make_plan
from outside import answer, at_lab, farshore
from plan.estates import TWO

ER = "er-hongkong"


@pytest.fixture(scope="session")
def _grey(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return begun(tmp_path_factory.mktemp("grey"), "grey")


@pytest.fixture(scope="session")
def _data_plane(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return begun(tmp_path_factory.mktemp("data-plane"), "data-plane")


@pytest.fixture
def grey(_grey: Path, tmp_path: Path) -> Path:
    """A project whose run is planned for a grey outage and protected."""
    return Path(shutil.copytree(_grey, tmp_path / "project"))


@pytest.fixture
def data_plane(_data_plane: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(_data_plane, tmp_path / "project"))


def begun(place: Path, scenario: str) -> Path:
    folder = place / "project"
    shutil.copytree(examples.path(TWO), folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    answer(folder, "provision", "--scenario", scenario)
    answer(folder, "protect")
    return folder


def struck(folder: Path, kind: str, wait: timedelta = timedelta(minutes=5), **what: Any) -> None:
    async def act(stage: Stage) -> None:
        await stage.handles.fault(kind, **what)
        await stage.clock.sleep(wait, "wait")

    at_lab(folder, act)


def silent(folder: Path) -> None:
    struck(folder, "control-plane", region="eastasia", state="down")


def journal(folder: Path) -> bytes:
    [path] = (folder / ".farshore" / "runs").glob("*/journal.jsonl")
    return path.read_bytes()


def refused(folder: Path, *arguments: str) -> dict[str, Any]:
    """The error of a failover that is refused, with nothing written and nobody changed."""
    written, machines = journal(folder), running(folder)
    error: dict[str, Any] = answer(folder, "failover", "--yes", *arguments, status=2)["error"]
    assert error["code"] == "OutageNotAsPlanned" and error["message"].startswith("Nothing was begun")
    assert journal(folder) == written and running(folder) == machines
    assert answer(folder, "runs", "show")["happened"] == []
    return error


def running(folder: Path) -> set[str]:
    subscription = "/subscriptions/00000000-0000-0000-0000-000000000001"
    url = f"{subscription}/providers/Microsoft.Compute/virtualMachines?api-version=2024-07-01"
    vms = at_lab(folder, lambda stage: stage.client.list_all(url))
    return {str(vm["id"]).lower() for vm in vms}


def gone_on(folder: Path, *arguments: str) -> str:
    """A failover that comes to its end; what was said on the way."""
    process = farshore(folder, "failover", "--yes", *arguments, "--format", "json")
    said, told = process.communicate(timeout=300)
    assert process.returncode == 0, told + said
    return told


def test_a_grey_outage_is_not_the_loss_of_the_region(protected: Path) -> None:
    silent(protected)
    error = refused(protected)
    assert f"{ER} still lists 10.10.10.0/24, 10.1.0.0/24, 10.2.0.0/24 by the gateway" in error["message"]
    assert "It looks like grey" in error["message"]
    assert "--scenario grey" in error["remedy"] and "--anyway" in error["remedy"]


def test_with_nothing_lost_nothing_is_begun(protected: Path) -> None:
    error = refused(protected)
    assert "ARM of eastasia answers" in error["message"] and "nothing of the region is lost" in error["message"]
    assert "maintenance" in error["remedy"]


def test_a_lost_region_is_gone_on_with_once_its_routes_are_withdrawn(protected: Path) -> None:
    struck(protected, "region", timedelta(0), region="eastasia", state="lost")
    told = gone_on(protected)
    assert "waiting until it is withdrawn" in told and "not known" not in told
    assert answer(protected, "runs", "verify")["ok"]
    assert answer(protected, "failover")["ok"], "what has begun is not asked about again"


def test_a_grey_outage_that_was_planned_is_gone_on_with(grey: Path) -> None:
    silent(grey)
    assert "withdrawn" not in gone_on(grey)
    assert answer(grey, "runs", "verify")["ok"]


def test_a_lost_region_is_no_grey_outage(grey: Path) -> None:
    struck(grey, "region", region="eastasia", state="lost")
    error = refused(grey)
    assert f"{ER} lists nothing" in error["message"] and "It looks like region" in error["message"]


def test_a_dead_data_plane_is_one_whose_arm_answers_and_a_lost_packet_is_no_silence(data_plane: Path) -> None:
    struck(data_plane, "data-plane", region="eastasia", state="down")
    struck(data_plane, "control-plane", region="eastasia", state="down")
    error = refused(data_plane)
    assert "ARM of eastasia does not answer" in error["message"] and "It looks like region" in error["message"]
    struck(data_plane, "control-plane", timedelta(0), region="eastasia", state="up")
    struck(data_plane, "no-answer", timedelta(0), method="GET", path="ergw-source-hub", count=2)
    gone_on(data_plane)


def test_who_knows_better_goes_on_and_it_is_written(protected: Path) -> None:
    silent(protected)
    gone_on(protected, "--anyway")
    assert b'"anyway":{"by":' in journal(protected) and b"still lists" in journal(protected)
    checks = {row["name"]: row for row in answer(protected, "runs", "verify", status=2)["checks"]}
    assert not checks["proof"]["ok"] and "went on in an outage" in checks["proof"]["said"]


def test_what_cannot_be_seen_stops_nobody(protected: Path) -> None:
    silent(protected)
    struck(protected, "no-answer", timedelta(0), method="POST", path=f"{ER}/peerings", count=2)
    told = gone_on(protected)
    assert f"not known: the route tables of {ER} can't be read" in told
    assert b"anyway" not in journal(protected)


ARM_IS_SILENT = {"kind": "control-plane", "region": "eastasia", "state": "down"}
MAY_NOT_READ = {"kind": "refuse", "code": "AuthorizationFailed", "status": 403, "path": "ergw-source-hub", "count": 9}


@pytest.mark.parametrize(
    ("scenario", "fault", "against", "unknown"),
    [
        ("maintenance", None, "", ""),
        ("maintenance", ARM_IS_SILENT, "ARM of eastasia does not answer", ""),
        ("swap", None, "", ""),
        ("circuit", None, "er-hongkong lists 192.168.0.0/16 by a site", ""),
        ("circuit", {"kind": "circuit", "name": ER, "state": "down"}, "", ""),
        ("grey", MAY_NOT_READ, "", "whether ARM of eastasia answers is not known"),
        ("data-plane", ARM_IS_SILENT, "ARM of eastasia does not answer", ""),
    ],
)
def test_what_a_scenario_says_is_looked_at_and_nothing_else(
    scenario: str, fault: dict[str, Any] | None, against: str, unknown: str, project: Path
) -> None:
    _, estate = read_folder(project)

    async def seen(stage: Stage) -> Seen:
        if fault is not None:
            what = dict(fault)
            if "name" in what:
                name = what.pop("name")
                what["id"] = next(c.id.text for c in estate.express_route_circuits if c.id.name == name)
            await stage.handles.fault(what.pop("kind"), **what)
        return await look(make_plan(estate, None, scenario), estate, stage, lambda line: None, wait=True)

    found = at_lab(project, seen)
    assert "; ".join(found.against)[: len(against) or None] == against
    assert "; ".join(found.unknown)[: len(unknown) or None] == unknown
