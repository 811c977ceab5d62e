"""`farshore runs abandon` from outside: shown, refused where it is not its turn, and what somebody else uses stays."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from matrix.estates import write

from farshore.arm.http import Request, checked
from farshore.cli.stage import Stage
from outside import answer, at_lab

TWO = "two-circuits-two-locations"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write(TWO, tmp_path / "project")
    return tmp_path / "project"


def refused(project: Path, *arguments: str) -> dict[str, Any]:
    error: dict[str, Any] = answer(project, *arguments, status=1)["error"]
    return error


def test_shown_then_carried_out_and_nothing_is_left_to_give_up(project: Path) -> None:
    answer(project, "provision")
    shown = answer(project, "runs", "abandon", "--show")
    assert shown["run"] == "published-1" and shown["proof"]["ok"]
    deleted = [s["subject"] for s in shown["plan"]["steps"] if s["action"]["verb"] == "delete"]
    assert deleted[0].endswith("/connections/cn-source-hub-asr"), "what was connected last is cut off first"
    assert answer(project, "runs", "show", "published-1")["status"] == "paused", "until then it may go on"
    told = answer(project, "runs", "abandon")
    assert told["ok"] and told["abandoned"] == "published-1" and told["run"] == "published-1-abandoned-1"
    assert [row["status"] for row in answer(project, "runs", "list")["value"]] == ["cancelled", "over"]
    assert answer(project, "runs", "verify")["ok"]
    assert "the way back from" in refused(project, "runs", "abandon")["message"]
    assert "nothing to undo" in refused(project, "runs", "abandon", "published-1")["message"]


def test_a_later_run_comes_first(project: Path) -> None:
    answer(project, "provision")
    answer(project, "provision", "--new")
    assert "begun after published-1" in refused(project, "runs", "abandon", "published-1")["message"]


def test_what_somebody_else_uses_stays_and_is_told(project: Path) -> None:
    answer(project, "provision")
    network = answer(project, "runs", "abandon", "--show")["plan"]["steps"]
    spoke = next(s["subject"] for s in network if s["id"] == "abandon/provision/network/Source-vNet1")
    nic = f"{spoke.split('/providers/')[0]}/providers/Microsoft.Network/networkInterfaces/theirs"
    properties = {"subnet": {"id": f"{spoke}/subnets/app"}, "privateIPAllocationMethod": "Dynamic"}
    body = {
        "location": "southeastasia",
        "properties": {"ipConfigurations": [{"name": "one", "properties": properties}]},
    }

    async def put(stage: Stage) -> None:
        request = Request(method="PUT", url=f"{nic}?api-version=2024-05-01", body=body)
        checked(await stage.client.send(request), request)
        await stage.clock.sleep(timedelta(minutes=2), "a NIC")

    at_lab(project, put)
    told = answer(project, "runs", "abandon")
    assert told["ok"]
    stays = {row["id"].rsplit("/", 1)[-1]: row["why"] for row in told["remains"]}
    assert stays["Source-vNet1-asr"] == "networkInterfaces/theirs uses it"
    assert "needs it" in stays["rt-source-vnet1-asr"] and "needs it" in stays["nsg-source-vnet1-app-asr"]
    assert not {"Source-vNet2-asr", "Source-Hub-vNet-asr"} & stays.keys()
