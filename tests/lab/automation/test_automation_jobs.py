"""Jobs as a client sees them, with somebody who takes them and runs nothing (`lab/automation/queue.py`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from farshore.lab import open_lab
from farshore.lab.automation import queue
from lab.automation.account import ACCOUNT, Automation
from lab.core.bench import Lab, refusal

TEXT = "print('1.0')\n"


def waiting(here: Automation, **properties: Any) -> str:
    """A job that only waits for somebody who runs programs."""
    here.runbook("Connect", TEXT)
    job = here.start("Connect", **properties)
    here.lab.wait(minutes=5)
    return job


def test_without_anybody_who_runs_programs_a_job_waits_and_says_so() -> None:
    here = Automation()
    job = waiting(here)
    here.lab.wait(hours=3)
    shown = here.lab.properties(job)
    assert (shown["status"], shown["startTime"]) == ("Activating", None)
    assert "lab up --runbooks" in shown["statusDetails"]


def test_a_job_runs_writes_and_completes() -> None:
    here = Automation()
    here.asset("variables", "key", value='"hidden"', isEncrypted=True)
    here.asset("credentials", "login", userName="me", password="pass")
    job = waiting(here, parameters={"[PARAMETER 2]": "b", "[PARAMETER 1]": "a", "other": "c"}, runOn="worker")
    program = queue.take(here.lab.cloud)
    assert program is not None and queue.take(here.lab.cloud) is None
    assert (program.text, program.arguments) == (TEXT, ("a", "b", "c"))
    assert program.assets == {
        "variables": {"key": '"hidden"'},
        "credentials": {"login": {"username": "me", "password": "pass"}},
    }
    assert here.status(job) == "Running"
    queue.told(here.lab.cloud, program.job, "Output", ["1.0", "two"])
    queue.told(here.lab.cloud, program.job, "Error", ["careful"])
    queue.ended(here.lab.cloud, program.job, 0)
    shown = here.lab.properties(job)
    assert (shown["status"], shown["runOn"], shown["provisioningState"]) == ("Completed", "worker", "Succeeded")
    assert shown["startTime"] and shown["endTime"] and shown["exception"] is None
    assert here.lab.get(f"{job}/output").body == b"1.0\ntwo"
    assert here.lab.get(f"{job}/runbookContent").body == TEXT.encode()
    rows = here.lab.body(f"{job}/streams")["value"]
    assert [row["properties"]["streamType"] for row in rows] == ["Output", "Output", "Error"]
    assert here.lab.body(rows[2]["id"])["properties"]["streamText"] == "careful"
    only = here.lab.body(f"{job}/streams?$filter=properties/streamType%20eq%20'Error'")["value"]
    assert [row["properties"]["summary"] for row in only] == ["careful"]
    [listed] = here.lab.body(f"{ACCOUNT}/jobs")["value"]
    assert listed["properties"]["status"] == "Completed" and "parameters" not in listed["properties"]
    assert here.lab.properties(f"{ACCOUNT}/runbooks/Connect")["jobCount"] == 1


@pytest.mark.parametrize(("status", "why", "said"), [(3, "", "exit status 3"), (None, "out of time", "out of time")])
def test_a_job_fails_with_its_program(status: int | None, why: str, said: str) -> None:
    here = Automation()
    job = waiting(here)
    program = queue.take(here.lab.cloud)
    assert program is not None
    queue.ended(here.lab.cloud, program.job, status, why)
    shown = here.lab.properties(job)
    assert shown["status"] == "Failed" and said in shown["exception"]


def test_where_somebody_runs_programs_a_job_only_waits_its_turn() -> None:
    here = Automation()
    queue.attend(here.lab.cloud)
    job = waiting(here)
    assert (here.status(job), here.lab.properties(job)["statusDetails"]) == ("Activating", "None")


def test_the_order_of_parameters() -> None:
    digits = f"[PARAMETER {'9' * 5000}]"
    sent = {digits: "d", "b": "b", "[parameter 10]": "10", "[PARAMETER 9]": "9", "a": "a"}
    assert queue.arguments(sent) == ("9", "10", "d", "b", "a")


def test_a_job_runs_what_was_published_when_it_was_made() -> None:
    here = Automation()
    waiting(here)
    here.runbook("Connect", "print(2)")
    program = queue.take(here.lab.cloud)
    assert program is not None and program.text == TEXT


def test_stop_suspend_and_resume() -> None:
    here = Automation()
    job = waiting(here)
    assert here.lab.post(f"{job}/suspend").status == 200
    assert here.status(job) == "Suspended" and queue.take(here.lab.cloud) is None
    assert refusal(here.lab.post(f"{job}/suspend"), 409) == "Conflict"
    assert here.lab.post(f"{job}/resume").status == 200
    assert refusal(here.lab.post(f"{job}/resume"), 409) == "Conflict"
    here.lab.wait(minutes=5)
    program = queue.take(here.lab.cloud)
    assert program is not None
    assert here.lab.post(f"{job}/suspend").status == 200
    assert queue.wanted(here.lab.cloud, program.job) == "Suspended"
    assert here.lab.post(f"{job}/resume").status == 200
    assert queue.wanted(here.lab.cloud, program.job) == "Running"
    assert here.lab.post(f"{job}/stop").status == 200
    assert here.status(job) == queue.wanted(here.lab.cloud, program.job) == "Stopping"
    queue.ended(here.lab.cloud, program.job, -9)
    assert here.status(job) == "Stopped"
    assert refusal(here.lab.post(f"{job}/stop"), 409) == "Conflict"
    second = here.start("Connect", "job2")
    assert here.lab.post(f"{second}/stop").status == 200
    assert here.status(second) == "Stopped"


def test_what_a_job_refuses() -> None:
    here = Automation()
    place = f"{ACCOUNT}/jobs/job1"
    assert refusal(here.lab.put(place, {"properties": {}})) == "BadRequest"
    assert refusal(here.lab.put(place, {"properties": {"runbook": {"name": "Connect"}}}), 404) == "NotFound"
    here.lab.must(here.lab.put(f"{ACCOUNT}/runbooks/Connect", {"properties": {"runbookType": "Python3"}}))
    assert refusal(here.lab.put(place, {"properties": {"runbook": {"name": "Connect"}}})) == "BadRequest"
    here.runbook("Connect", TEXT)
    listed = {"runbook": {"name": "Connect"}, "parameters": [1]}
    assert refusal(here.lab.put(place, {"properties": listed})) == "BadRequest"
    here.start("Connect")
    assert refusal(here.lab.put(place, {"properties": {"runbook": {"name": "Connect"}}}), 409) == "Conflict"
    assert refusal(here.lab.delete(place), 405)
    assert refusal(here.lab.get(f"{ACCOUNT}/jobs?$filter=x"), 501)


def test_a_runbook_of_another_language_fails_and_says_why() -> None:
    here = Automation()
    here.runbook("Connect", "Write-Output 1", kind="PowerShell72")
    job = here.start("Connect")
    here.lab.wait(minutes=5)
    shown = here.lab.properties(job)
    assert shown["status"] == "Failed" and "PowerShell72" in shown["exception"]


def test_a_job_of_a_lost_region_begins_when_it_has_returned() -> None:
    """L36."""
    here = Automation()
    here.runbook("Connect", TEXT)
    here.start("Connect")
    here.lab.fault(kind="region", region="southeastasia", state="lost")
    here.lab.wait(hours=1)
    assert queue.take(here.lab.cloud) is None
    here.lab.fault(kind="region", region="southeastasia", state="returned")
    here.lab.wait(hours=1)
    assert queue.take(here.lab.cloud) is not None


def test_what_ran_when_the_lab_died_has_failed(tmp_path: Path) -> None:
    here = Automation(Lab(tmp_path / "lab.db"))
    job = waiting(here)
    assert queue.take(here.lab.cloud) is not None
    here.lab.cloud.store.close()
    here.lab.cloud = open_lab(tmp_path / "lab.db", now=here.lab.now)
    shown = here.lab.properties(job)
    assert shown["status"] == "Failed" and "how far it came is not known" in shown["exception"]
    here.lab.cloud.store.close()
