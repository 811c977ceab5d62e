"""Jobs: tasks and their times, errors, and what can be done to a job (S8, S17, S23, S24)."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from farshore.arm.json import Body
from lab.recovery.estate import TARGET, VAULT, item_id, network_id, plan_id, vm_id
from lab.recovery.plans import planned, run_plan
from lab.recovery.world import World, job_id, refusal, when

JOBS = f"{VAULT}/replicationJobs"


@pytest.fixture
def world() -> World:
    made = World("web1")
    made.protect("web1")
    made.wait(minutes=10)
    return made


def found(world: World, text: str) -> list[str]:
    answer = world.send("GET", JOBS, None, **{"$filter": quote(text)})
    assert answer.status == 200, answer
    return [row["properties"]["scenarioName"] for row in answer.body["value"]]


def test_every_job_of_a_life_has_ended_with_tasks_that_do_not_overlap(world: World) -> None:
    world.succeeds(world.test("web1"))
    world.succeeds(world.verb("web1", "testFailoverCleanup"))
    world.fail_over("web1", shutdown=True)
    world.succeeds(world.switch("web1"))
    world.wait(hours=2)
    for row in world.rows(JOBS):
        job = world.job(row["name"])
        assert job["state"] == "Succeeded" and job["allowedActions"] == [] and job["errors"] == []
        assert job["tasks"], job["scenarioName"]
        times = [when(job["startTime"])]
        for task in job["tasks"]:
            assert (task["state"], task["taskType"]) == ("Succeeded", "TaskDetails")
            times += [when(task["startTime"]), when(task["endTime"])]
        assert times == sorted(times) and when(job["endTime"]) >= times[-1]


def test_a_list_shows_jobs_without_their_tasks(world: World) -> None:
    row = world.rows(JOBS)[-1]["properties"]
    assert (row["tasks"], row["customDetails"], row["activityId"]) == ([], None, None)
    assert row["targetObjectName"] and row["targetInstanceType"]


def test_filters_of_the_list(world: World) -> None:
    begin = world.now
    world.wait(1)
    world.fail_over("web1")
    text = begin.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert found(world, f"StartTime ge '{text}'") == ["CommitFailover", "UnplannedFailover"], (
        "the newest first (recorded)"
    )
    assert found(world, f"startTime ge '{text}' and scenarioName eq 'CommitFailover'") == ["CommitFailover"]
    assert found(world, "targetObjectName eq 'web1'") == ["CommitFailover", "UnplannedFailover", "EnableDr"]
    assert found(world, "state eq 'Failed'") == []
    assert refusal(world.send("GET", JOBS, None, **{"$filter": "nonsense"})) == (400, "InvalidFilter")


def test_a_failed_job_says_why_as_the_service_does(world: World) -> None:
    """S23: and the operation says it too; the status document itself answers 200 (S17)."""
    world.delete(network_id("vnet-target"))
    answer = world.failover("web1")
    assert world.fails(answer) == "NetworkNotFound"
    job = world.job(job_id(answer))
    [error] = job["errors"]
    assert error["errorLevel"] == "Error" and error["taskId"] == job["tasks"][-1]["taskId"]
    assert when(error["creationTime"]) == when(job["endTime"])
    assert job["tasks"][-1]["state"] == "Failed" and job["allowedActions"] == ["Restart"]
    status = world.get(answer.headers["azure-asyncoperation"].split("?")[0])
    assert status["error"]["code"] == "NetworkNotFound"


def restarted(world: World, failed: str) -> Body:
    """The job that does again what failed, once it has succeeded; the client waits for one that restarts it."""
    before = {row["name"] for row in world.rows(JOBS)}
    answer = world.send("POST", f"{JOBS}/{failed}/restart")
    restart = world.succeeds(answer)
    assert (restart["scenarioName"], restart["targetObjectName"]) == ("RestartJob", failed)
    shown = world.get(str(answer.headers["location"]).split("?")[0])
    assert (shown["name"], shown["properties"]["state"]) == (job_id(answer), "Succeeded")
    (again,) = {row["name"] for row in world.rows(JOBS)} - before - {job_id(answer)}
    world.until(lambda: "endTime" in world.job(again))
    assert world.job(again)["state"] == "Succeeded"
    return world.job(again)


def test_a_failed_job_is_restarted_as_it_was_asked_for(world: World) -> None:
    point = world.points("web1")[0]
    body = world.get(network_id("vnet-target"))
    world.delete(network_id("vnet-target"))
    failed = world.failover("web1", point=point["id"])
    world.fails(failed)
    world.put(network_id("vnet-target"), {key: body[key] for key in ("location", "properties")})
    assert restarted(world, job_id(failed))["scenarioName"] == "UnplannedFailover"
    assert world.used("web1")[-1]["id"] == point["id"]
    assert world.power(vm_id("web1", TARGET)) == "running"


def test_what_can_t_be_done_to_a_job(world: World) -> None:
    answer = world.failover("web1")
    job = f"{JOBS}/{job_id(answer)}"
    for verb in ("resume", "cancel", "restart"):
        assert refusal(world.send("POST", f"{job}/{verb}", {"properties": {}})) == (409, "OperationNotAllowed")
    world.succeeds(answer)
    for verb in ("resume", "cancel", "restart"):
        assert refusal(world.send("POST", f"{job}/{verb}", {"properties": {}})) == (409, "OperationNotAllowed")
    assert refusal(world.send("GET", f"{JOBS}/0000")) == (404, "NotFound")
    assert refusal(world.send("POST", f"{JOBS}/0000/cancel")) == (404, "NotFound")


def test_a_restart_of_an_item_that_has_gone_is_refused(world: World) -> None:
    world.delete(network_id("vnet-target"))
    failed = world.failover("web1")
    world.fails(failed)
    world.succeeds(world.send("DELETE", item_id("web1")))
    assert refusal(world.send("POST", f"{JOBS}/{job_id(failed)}/restart"))[0] == 404


def test_cancelling_a_plan_that_waits() -> None:
    world = planned(["web1"], start="before")
    name = run_plan(world, "unplannedFailover")
    world.succeeds(world.send("POST", f"{JOBS}/{name}/cancel"))
    job = world.job(name)
    assert (job["state"], job["stateDescription"], job["allowedActions"]) == ("Cancelled", "Cancelled", [])
    assert world.get(plan_id("plan"))["properties"]["currentScenarioStatus"] == "Cancelled"
    assert world.state("web1") == "Protected"
    assert world.job(run_plan(world, "testFailover"))["state"] == "Suspended", "the plan can be run again"


def test_export_is_a_job_too(world: World) -> None:
    assert world.succeeds(world.send("POST", f"{JOBS}/export", {}))["scenarioName"] == "ExportJobs"
    assert world.send("POST", f"{JOBS}/import", {}).status == 501


def test_a_vault_refreshes_its_health(world: World) -> None:
    job = world.succeeds(world.send("POST", f"{VAULT}/replicationVaultHealth/default/refresh"))
    assert (job["scenarioName"], job["tasks"][0]["friendlyName"]) == (
        "RefreshVaultHealth",
        "Refreshing failover health",
    ), "recorded"


def test_polling_by_either_url_tells_the_same(world: World) -> None:
    """S17."""
    answer = world.failover("web1")
    result = answer.headers["location"].split("?")[0]
    status = answer.headers["azure-asyncoperation"].split("?")[0]
    assert world.send("GET", result).status == 202
    assert world.get(status)["status"] == "InProgress"
    world.succeeds(answer)
    assert world.send("GET", result).status in (200, 204)
    assert world.get(status)["status"] == "Succeeded"


def test_what_the_lab_does_not_have_says_so(world: World) -> None:
    for verb in ("switchProvider", "updateAppliance"):
        assert refusal(world.verb("web1", verb)) == (501, "NotImplementedByLab")
    assert world.send("GET", f"{VAULT}/replicationvCenters").body["value"] == []


def test_enabling_that_failed_is_restarted_once_the_machine_runs() -> None:
    world = World("web1")
    answer = world.enable("web1")
    assert world.send("POST", f"{vm_id('web1')}/deallocate").ok
    assert world.fails(answer) == "VirtualMachineNotRunning"
    assert not world.exists(item_id("web1"))
    assert world.send("POST", f"{vm_id('web1')}/start").ok
    world.wait(minutes=5)
    assert restarted(world, job_id(answer))["scenarioName"] == "EnableDr"
    world.until(lambda: world.state("web1") == "Protected")


def test_a_plan_that_failed_is_restarted_as_it_was_asked_for() -> None:
    world = planned(["web1"])
    network = f"{TARGET}/providers/Microsoft.Network/virtualNetworks/vnet-target"
    body = world.get(network)
    world.delete(network)
    failed = run_plan(world, "unplannedFailover")
    assert world.job(failed)["state"] == "Failed"
    world.put(network, {key: body[key] for key in ("location", "properties")})
    restarted(world, failed)
    assert world.power(vm_id("web1", TARGET)) == "running"


def test_the_result_of_a_verb_is_what_it_was_about(world: World) -> None:
    answer = world.failover("web1")
    world.succeeds(answer)
    found = world.get(answer.headers["location"].split("?")[0])
    assert found["id"] == item_id("web1").replace("/subscriptions/", "/Subscriptions/")
    exported = world.send("POST", f"{JOBS}/export", {"jobStatus": "Failed"})
    world.succeeds(exported)
    result = world.get(exported.headers["location"].split("?")[0])
    assert result["properties"]["customDetails"]["instanceType"] == "ExportJobDetails"
    gone = world.send("DELETE", item_id("web1"))
    world.succeeds(gone)
    assert world.send("GET", gone.headers["location"].split("?")[0]).status == 204


def test_a_job_under_way_has_no_end_and_its_task_ends_at_the_beginning_of_time(world: World) -> None:
    """Recorded; once it is over it says when."""
    answer = world.failover("web1")
    assert "endTime" not in world.job(job_id(answer))
    [task] = [task for task in world.job(job_id(answer))["tasks"] if task["state"] == "InProgress"]
    assert task["endTime"] == "0001-01-01T00:00:00"
    assert all(task["endTime"] >= task["startTime"] for task in world.succeeds(answer)["tasks"])


def test_jobs_of_a_machine_are_called_as_the_service_calls_them(world: World) -> None:
    """Recorded. The client looks for them by these names when it does not know whether a request arrived."""
    world.fail_over("web1")
    job = world.succeeds(world.switch("web1"))
    assert (job["scenarioName"], job["friendlyName"]) == ("SwitchReplicationGroupProtection", "Reprotect")
    assert job["targetInstanceType"] == "Vm"
    jobs = {row["properties"]["scenarioName"]: row["properties"]["friendlyName"] for row in world.rows(JOBS)}
    assert jobs["EnableDr"] == "Enable replication" and jobs["CommitFailover"] == "Commit"
