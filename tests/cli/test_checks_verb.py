"""Checks of the user's own in a run by verbs: a wave waits for the one before, what failed is retried once it is
mended, and a circuit is raised by whoever may say so."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from farshore import examples
from farshore.cli.stage import Stage
from outside import answer, at_lab

PUBLISHED = "two-circuits-two-locations"
CHECKS = """\
checks:
  - name: it is ready
    wave: 1
    command: [/bin/sh, -c, "test -e ready-$FARSHORE_MACHINE || { echo not yet; exit 1; }"]
    within_minutes: 1
  - {name: web answers, machines: ["web*"], http: {https: true, path: /health}}
  - {name: db from inside, machines: [db1], tcp: 443, from: web1}
  - {name: its own, machines: [app1], script: {file: own.sh}}
raise_bandwidth: [{circuit: er-singapore, mbps: 1000}]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    shutil.copytree(examples.path(PUBLISHED), folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    text = (folder / "farshore.yaml").read_text()
    text = text.replace("checks: []\nraise_bandwidth: []\n", CHECKS)
    (folder / "farshore.yaml").write_text(text.replace("{failover: [], quorum: 1}", "{failover: [anna], quorum: 1}"))
    (folder / "own.sh").write_text("#!/bin/sh\nhostname\nping -c 1 $FARSHORE_ADDRESS\n")
    return folder


async def lose(stage: Stage) -> None:
    await stage.handles.fault("region", region="eastasia", state="lost")
    await stage.clock.sleep(timedelta(minutes=5), "wait")


def results(folder: Path) -> dict[str, Any]:
    """What the steps of the run have found, by their ids."""
    lines = (folder / ".farshore" / "runs" / "published-1" / "journal.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    return {event["step"]: event["body"].get("result") for event in events if event["kind"] == "done"}


def _approved_by_anna(project: Path) -> Any:
    """How far the failover goes once she has said that it may begin."""
    [asked] = answer(project, "failover", status=2)["waiting"]
    answer(project, "runs", "approve", asked["id"], "--by", "anna")
    return answer(project, "runs", "resume", status=2)


def test_a_wave_waits_for_the_checks_of_the_one_before(project: Path) -> None:
    answer(project, "provision")
    answer(project, "protect")
    at_lab(project, lose)
    (project / "ready-file1").touch()
    halted = _approved_by_anna(project)
    [failed] = halted["failed"]
    assert failed["id"] == "failover/holds/it-is-ready/db1" and failed["fault"]["code"] == "CheckFailed"
    assert "the last answer was: /bin/sh ended with status 1: not yet" in failed["fault"]["message"]
    assert "farshore runs retry" in halted["next"], "what holds machines up comes before what does not"
    [waiting] = halted["waiting"]
    assert waiting["id"] == "failover/raise/er-singapore" and "can't be lowered again" in waiting["instruction"]
    found = results(project)
    assert {"failover/machine/db1", "failover/holds/it-is-ready/file1"} <= set(found)
    assert not any(id_.startswith("failover/machine/web") for id_ in found), "the next wave has not begun"

    (project / "ready-db1").touch()
    assert answer(project, "runs", "retry")["written"]
    answer(project, "runs", "resume", status=2)
    found = results(project)
    asked = found["failover/holds/web-answers/web1"]
    assert asked["asked_from"] == "site datacenter, in the lab's data plane" and "HTTP 200" in asked["said"]
    assert found["failover/holds/db-from-inside/db1"]["asked_from"] == "machine web1 by run command"
    assert "app1 / PING 10.2.0.4" in found["failover/holds/its-own/app1"]["said"]
    assert "failover/raise/er-singapore" not in found

    said = answer(project, "runs", "approve", waiting["id"], "--by", "bert", status=1)["error"]["message"]
    assert "is for anna to approve, not for bert" in said
    answer(project, "runs", "approve", waiting["id"], "--by", "anna")
    assert answer(project, "runs", "resume")["next"] == "farshore commit"
    assert results(project)["failover/raise/er-singapore"]["by"] == "anna"
    assert answer(project, "commit")["ok"]
    assert answer(project, "runs", "verify")["ok"], "every moment is among those that were proven"
    html = Path(answer(project, "report")["report"]).read_text()
    assert "tcp/443 from machine web1 by run command" in html, "the report tells who was asked what, and from where"


def test_a_check_that_does_not_hold_can_be_left_out(project: Path) -> None:
    answer(project, "provision")
    answer(project, "protect")
    at_lab(project, lose)
    (project / "ready-file1").touch()
    [failed] = _approved_by_anna(project)["failed"]
    assert answer(project, "runs", "skip", failed["id"], "--why", "the database is watched elsewhere")["written"]
    assert answer(project, "runs", "skip", "failover/raise/er-singapore", "--why", "large enough")["written"]
    assert answer(project, "runs", "resume")["ok"]

    async def mbps(stage: Stage) -> Any:
        assert stage.cloud is not None
        [circuit] = [
            body for body in stage.cloud.of_type("Microsoft.Network/expressRouteCircuits") if "singapore" in body["id"]
        ]
        return circuit["properties"]["serviceProviderProperties"]["bandwidthInMbps"]

    assert at_lab(project, mbps) == 200


def test_a_check_with_a_mistake_is_refused_with_its_line(project: Path) -> None:
    text = (project / "farshore.yaml").read_text()
    line = next(number for number, said in enumerate(text.splitlines(), 1) if "db from inside" in said)
    for wrong, said in (("from: nva", "does not move"), ("form: web1", "unknown key form"), ("from: web9", "web9")):
        (project / "farshore.yaml").write_text(text.replace("from: web1", wrong))
        error = answer(project, "plan", status=1)["error"]
        assert error["line"] == line and said in error["message"], error
