"""Script actions of a plan: a runbook's job is started, waited for and heard out (S54, S55)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from farshore.arm.json import Body
from farshore.lab.automation import queue
from farshore.lab.automation.queue import Program
from lab.recovery.estate import SOURCE, TARGET, VAULT, plan_id, vm_id
from lab.recovery.plans import manual, planned, run_plan
from lab.recovery.world import World

ACCOUNT = f"{VAULT.split('/providers/')[0]}/providers/Microsoft.Automation/automationAccounts/auto"
RUNBOOK = f"{ACCOUNT}/runbooks/Connect"


def scripted(where: str = "endGroupActions", **details: Any) -> World:
    """One machine in a boot group with a script at its start or end."""
    world = planned(["web1"])
    world.put(ACCOUNT, {"location": "southeastasia", "properties": {}})
    world.put(RUNBOOK, {"properties": {"runbookType": "Python3"}})
    assert world.send("PUT", f"{RUNBOOK}/draft/content", "print(1)").ok
    world.wait(minutes=1)
    assert world.send("POST", f"{RUNBOOK}/publish").ok
    world.wait(minutes=1)
    script = {"instanceType": "AutomationRunbookActionDetails", "runbookId": RUNBOOK, "fabricLocation": "Recovery"}
    action = {**manual("UnplannedFailover", "TestFailover"), "actionName": "connect"}
    groups = world.get(plan_id("plan"))["properties"]["groups"]
    groups[2][where] = [{**action, "customDetails": {**script, **details}}]
    world.succeeds(world.send("PATCH", plan_id("plan"), {"properties": {"groups": groups}}))
    return world


def run(world: World, verb: str = "unplannedFailover") -> str:
    return run_plan(world, verb)


def taken(world: World) -> tuple[Program, Body]:
    """The program that waits, and the context that it is given."""
    program = queue.take(world.cloud)
    assert program is not None
    return program, json.loads(program.arguments[0])


def task_of(job: Body) -> Body:
    [task] = [task for task in job["tasks"] if task["name"] == "connect"]
    return dict(task)


def test_a_plan_waits_for_its_runbook_and_shows_what_it_said() -> None:
    world = scripted()
    name = run(world)
    assert world.job(name)["state"] == "InProgress"
    program, context = taken(world)
    assert (context["RecoveryPlanName"], context["GroupId"]) == ("plan", "1")
    assert (context["FailoverType"], context["FailoverDirection"]) == ("Unplanned", "PrimaryToSecondary")
    [machine] = context["VmMap"].values()
    assert (machine["RoleName"], machine["ResourceGroupName"]) == ("web1", TARGET.rsplit("/", 1)[1])
    assert machine["RecoveryPointId"] and machine["SubscriptionId"] in ACCOUNT
    queue.told(world.cloud, program.job, "Output", ["joined"])
    queue.ended(world.cloud, program.job, 0)
    world.wait(minutes=5)
    job = world.job(name)
    assert job["state"] == "Succeeded"
    details = task_of(job)["customDetails"]
    assert (details["accountName"], details["runbookName"], details["jobOutput"]) == ("auto", "Connect", "joined")
    started = world.get(f"{ACCOUNT}/jobs/{details['jobId']}")["properties"]
    assert (started["status"], started["startedBy"]) == ("Completed", "Azure Site Recovery")


def test_before_a_group_has_started_nobody_knows_where_its_machines_are() -> None:
    """S55."""
    world = scripted("startGroupActions")
    run(world, "testFailover")
    _, context = taken(world)
    assert context["FailoverType"] == "Test"
    [machine] = context["VmMap"].values()
    assert set(machine.values()) == {""}


def test_a_test_failover_tells_of_the_test_machine() -> None:
    world = scripted()
    run(world, "testFailover")
    _, context = taken(world)
    [machine] = context["VmMap"].values()
    assert machine["RoleName"].startswith("web1") and machine["RoleName"] != "web1" and machine["RecoveryPointId"]


def test_a_runbook_that_fails_makes_the_plan_fail_and_the_machines_start() -> None:
    world = scripted("startGroupActions")
    name = run(world)
    program, _ = taken(world)
    queue.ended(world.cloud, program.job, 1, "no such gateway")
    world.wait(minutes=20)
    job = world.job(name)
    assert (job["state"], task_of(job)["state"]) == ("Failed", "Failed")
    said = job["errors"][0]["serviceErrorDetails"]
    assert said["code"] == "RunbookFailed" and "no such gateway" in said["message"]
    assert world.power(vm_id("web1", TARGET)) == "running"


@pytest.mark.parametrize("timeout", ["600", "00:10:00"])
def test_a_job_that_nobody_runs_fails_when_its_time_is_over_and_says_what_to_do(timeout: str) -> None:
    world = scripted(timeout=timeout)
    name = run(world)
    world.wait(minutes=20)
    job = world.job(name)
    assert job["state"] == "Failed"
    said = job["errors"][0]["serviceErrorDetails"]
    assert said["code"] == "RunbookTimedOut" and "lab up --runbooks" in said["message"]
    assert queue.take(world.cloud) is None, "the job was stopped"
    world.succeeds(world.commit("web1"))


def test_a_clock_that_is_turned_far_at_once_leaves_a_moment_to_begin() -> None:
    world = scripted(timeout="60")
    queue.attend(world.cloud)
    name = run(world)
    world.wait(hours=5)
    assert world.job(name)["state"] == "InProgress"
    program, _ = taken(world)
    assert program.limit_seconds == 60
    queue.ended(world.cloud, program.job, 0)
    world.wait(minutes=5)
    assert world.job(name)["state"] == "Succeeded"


@pytest.mark.parametrize("runbook", ["/x", f"{SOURCE}/providers/Microsoft.Automation/automationAccounts/a/runbooks/b"])
def test_a_runbook_that_is_not_there_fails_at_once(runbook: str) -> None:
    world = scripted(runbookId=runbook)
    job = world.job(run(world))
    assert job["state"] == "Failed"
    assert job["errors"][0]["serviceErrorDetails"]["code"] == "RunbookNotFound"


def test_a_plan_does_not_wait_for_an_account_that_was_deleted() -> None:
    world = scripted()
    name = run(world)
    assert world.send("DELETE", ACCOUNT).ok
    world.wait(minutes=5)
    assert world.job(name)["state"] == "Failed"
