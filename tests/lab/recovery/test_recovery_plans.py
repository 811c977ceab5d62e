"""Recovery plans: groups, limits, order of boot, actions, and what their jobs tell (S16, S52 to S54)."""

from __future__ import annotations

from typing import Any

import pytest

from farshore.arm.http import Response
from lab.recovery.estate import AWAY, HOME, TARGET, VAULT, fabric, item_id, network_id, plan_id, vm_id
from lab.recovery.plans import manual, planned, resume, run_plan
from lab.recovery.world import World, refusal, when


def groups(*kinds: tuple[str, list[str]]) -> dict[str, Any]:
    return {
        "properties": {
            "primaryFabricId": fabric(HOME),
            "recoveryFabricId": fabric(AWAY),
            "failoverDeploymentModel": "ResourceManager",
            "groups": [
                {"groupType": kind, "replicationProtectedItems": [{"id": item_id(name)} for name in names]}
                for kind, names in kinds
            ],
        }
    }


def put(world: World, *kinds: tuple[str, list[str]]) -> Response:
    return world.send("PUT", plan_id("plan"), groups(*kinds))


@pytest.fixture(scope="module")
def pair() -> World:
    """Two protected machines; what these tests do to it is refused."""
    world = World("web1", "web2")
    world.protect("web1", "web2")
    return world


def test_shutdown_and_failover_come_before_boot_whether_sent_or_not(pair: World) -> None:
    """S52."""
    pair.succeeds(put(pair, ("Boot", ["web1"]), ("Boot", ["web2"])))
    shown = pair.get(plan_id("plan"))["properties"]
    assert [group["groupType"] for group in shown["groups"]] == ["Shutdown", "Failover", "Boot", "Boot"]
    assert shown["allowedOperations"] == ["UnplannedFailover", "TestFailover"], "recorded"
    [listed] = pair.rows(f"{VAULT}/replicationRecoveryPlans")
    assert listed["properties"]["groups"] == [], "a list does not show them"
    pair.succeeds(pair.send("DELETE", plan_id("plan")))
    assert not pair.exists(plan_id("plan"))


def test_seven_boot_groups_and_not_eight(pair: World) -> None:
    empty: list[tuple[str, list[str]]] = [("Boot", [])] * 6
    assert put(pair, ("Boot", ["web1"]), *empty).status == 202
    pair.wait(minutes=1)
    assert refusal(put(pair, ("Boot", ["web1"]), *empty, ("Boot", []))) == (400, "TooManyGroups")


def test_what_a_plan_refuses(pair: World) -> None:
    assert refusal(put(pair, ("Boot", ["web1"]), ("Boot", ["web1"]))) == (400, "DuplicateItem")
    assert refusal(put(pair, ("Boot", ["nobody"]))) == (400, "InvalidParameter")
    assert refusal(put(pair, ("Start", ["web1"]))) == (400, "InvalidParameter")
    other = groups(("Boot", ["web1"]))
    other["properties"] |= {"primaryFabricId": fabric(AWAY), "recoveryFabricId": fabric(HOME)}
    assert refusal(pair.send("PUT", plan_id("other"), other)) == (400, "InvalidItem"), "one direction for all"
    body = groups(("Boot", ["web1"]))
    del body["properties"]["recoveryFabricId"]
    assert refusal(pair.send("PUT", plan_id("other"), body)) == (400, "InvalidParameter")


def test_an_item_may_be_in_several_plans(pair: World) -> None:
    for name in ("one", "two"):
        pair.succeeds(pair.send("PUT", plan_id(name), groups(("Boot", ["web1"]))))
        pair.succeeds(pair.send("DELETE", plan_id(name)))


def test_a_plan_is_not_reprotected(pair: World) -> None:
    """S50: each item is switched by itself."""
    pair.succeeds(put(pair, ("Boot", ["web1"])))
    assert refusal(pair.send("POST", f"{plan_id('plan')}/reProtect")) == (400, "OperationNotSupported")


def test_a_plan_holds_a_hundred_items_and_not_one_more() -> None:
    names = [f"vm{number:03}" for number in range(101)]
    world = World(*names)
    for name in names:
        assert world.enable(name).status == 202
    assert refusal(put(world, ("Boot", names))) == (400, "TooManyItems")
    assert put(world, ("Boot", names[:60]), ("Boot", names[60:100])).status == 202


# A run. --------------------------------------------------------------------------------------------------------------


def test_groups_start_one_after_the_other_and_their_members_together() -> None:
    """S53."""
    world = planned(["web1", "web2"], ["web3"])
    world.fault(HOME, "lost")
    job = world.job(run_plan(world, "unplannedFailover"))
    assert job["state"] == "Succeeded"

    def task(kind: str, name: str) -> dict[str, Any]:
        found: dict[str, Any] = next(t for t in job["tasks"] if t["taskId"] == f"{kind}/{name}")
        return found

    made = {name: task("CreateVirtualMachineTask", name) for name in ("web1", "web2", "web3")}
    started = {name: task("StartVirtualMachineTask", name) for name in made}
    assert max(t["startTime"] for t in made.values()) <= min(t["startTime"] for t in started.values()), "in parallel"
    assert started["web1"]["startTime"] == started["web2"]["startTime"]
    assert started["web3"]["startTime"] >= max(started[name]["endTime"] for name in ("web1", "web2"))
    assert when(job["endTime"]) >= when(started["web3"]["endTime"])
    assert {member["name"] for member in job["customDetails"]["protectedItemDetails"]} == set(made)
    for name in made:
        assert world.power(vm_id(name, TARGET)) == "running"


def test_commit_and_cleanup_of_a_plan_do_all_its_machines() -> None:
    world = planned(["web1"], ["web2"])
    test = world.job(run_plan(world, "testFailover"))
    assert test["customDetails"]["instanceType"] == "TestFailoverJobDetails"
    assert [m["testVmName"] for m in test["customDetails"]["protectedItemDetails"]] == ["web1-test", "web2-test"]
    assert world.get(plan_id("plan"))["properties"]["allowedOperations"] == ["TestFailoverCleanup"]
    job = world.succeeds(world.send("POST", f"{plan_id('plan')}/testFailoverCleanup"))
    assert job["tasks"]
    for name in ("web1", "web2"):
        assert not world.exists(vm_id(f"{name}-test", TARGET))
        assert world.item(name)["lastSuccessfulTestFailoverTime"]
    run_plan(world, "unplannedFailover")
    assert world.get(plan_id("plan"))["properties"]["allowedOperations"] == ["Commit"]
    world.succeeds(world.send("POST", f"{plan_id('plan')}/failoverCommit"))
    assert {world.state(name) for name in ("web1", "web2")} == {"UnplannedFailoverCommitted"}


def test_a_plan_needs_all_its_members_to_allow_it() -> None:
    world = planned(["web1"], ["web2"])
    world.succeeds(world.test("web2"))
    answer = world.send("POST", f"{plan_id('plan')}/unplannedFailover", direction())
    assert refusal(answer) == (409, "OperationNotAllowed")
    assert "web2" in answer.body["error"]["message"]
    assert world.state("web1") == "Protected"


def direction(to: str = "PrimaryToRecovery", **more: Any) -> dict[str, Any]:
    return {"properties": {"failoverDirection": to, "sourceSiteOperations": "NotRequired", **more}}


def test_two_runs_of_one_plan_at_once() -> None:
    world = planned(["web1"])
    first = world.send("POST", f"{plan_id('plan')}/unplannedFailover", direction())
    for verb in ("unplannedFailover", "testFailover", "failoverCommit"):
        body = direction(networkId=network_id("vnet-drill"))
        assert refusal(world.send("POST", f"{plan_id('plan')}/{verb}", body)) == (409, "OperationNotAllowed")
    assert world.send("DELETE", plan_id("plan")).status == 409
    assert refusal(world.failover("web1")) == (409, "OperationNotAllowed")
    world.succeeds(first)


@pytest.mark.parametrize("kind", ["Latest", "LatestProcessed", "LatestCrashConsistent"])
def test_the_point_that_a_plan_asks_for(kind: str) -> None:
    """S16."""
    world = planned(["web1"])
    world.wait(minutes=23)
    before = world.points("web1")[-1]["id"]
    details = [{"instanceType": "A2A", "recoveryPointType": kind}]
    body = direction(providerSpecificDetails=details)
    world.succeeds(world.send("POST", f"{plan_id('plan')}/unplannedFailover", body))
    assert (world.used("web1")[-1]["id"] == before) == (kind != "Latest")


def test_what_a_run_refuses() -> None:
    world = planned(["web1"])
    run = f"{plan_id('plan')}/unplannedFailover"
    assert refusal(world.send("POST", run, direction("RecoveryToPrimary"))) == (400, "InvalidFailoverDirection")
    bad = direction(providerSpecificDetails=[{"recoveryPointType": "Oldest"}])
    assert refusal(world.send("POST", run, bad)) == (400, "InvalidParameter")
    app = direction(providerSpecificDetails=[{"recoveryPointType": "LatestApplicationConsistent"}])
    assert refusal(world.send("POST", run, app)) == (404, "RecoveryPointNotFound"), "the policy makes none"
    assert world.state("web1") == "Protected"


def test_a_member_that_fails_lets_the_others_go_on_and_the_job_fail() -> None:
    world = planned(["web1"], ["web2"])
    world.succeeds(world.patch("web1", {"recoveryAzureVMName": "web2"}))
    job = world.job(run_plan(world, "unplannedFailover"))
    assert job["state"] == "Failed"
    assert job["errors"][0]["serviceErrorDetails"]["code"].endswith("InUse")
    states = {world.state(name) for name in ("web1", "web2")}
    assert states == {"UnplannedFailoverFailed", "UnplannedFailoverCommitPendingStatesBegin"}
    assert len(job["customDetails"]["protectedItemDetails"]) == 1, "those that were moved"


# Actions. ------------------------------------------------------------------------------------------------------------


def test_a_manual_action_suspends_the_job_until_somebody_resumes_it() -> None:
    """S54."""
    world = planned(["web1"], ["web2"], start=1)
    name = run_plan(world, "unplannedFailover")
    job = world.job(name)
    assert (job["state"], job["allowedActions"]) == ("Suspended", ["Resume", "Cancel"])
    waiting = job["tasks"][-1]
    assert waiting["customDetails"] == {"instanceType": "ManualActionTaskDetails", "description": "look"}
    assert world.power(vm_id("web1", TARGET)) == "running"
    assert world.power(vm_id("web2", TARGET)) != "running"
    assert world.get(plan_id("plan"))["properties"]["currentScenarioStatus"] == "Suspended"
    world.wait(hours=5)
    assert world.job(name)["state"] == "Suspended"
    resume(world, name)
    assert world.job(name)["state"] == "Succeeded"
    assert world.power(vm_id("web2", TARGET)) == "running"
    again = world.send("POST", f"{VAULT}/replicationJobs/{name}/resume", {"properties": {}})
    assert refusal(again) == (409, "OperationNotAllowed")


def test_an_action_runs_for_its_kinds_of_failover_and_its_directions_only() -> None:
    world = planned(["web1"])
    body = world.get(plan_id("plan"))
    boot = body["properties"]["groups"][2]
    boot["startGroupActions"] = [manual("TestFailover")]
    boot["endGroupActions"] = [{**manual("UnplannedFailover"), "failoverDirections": ["RecoveryToPrimary"]}]
    world.succeeds(world.send("PATCH", plan_id("plan"), {"properties": {"groups": body["properties"]["groups"]}}))
    assert world.job(run_plan(world, "unplannedFailover"))["state"] == "Succeeded"


def test_a_plan_whose_source_is_lost_in_the_middle_goes_on() -> None:
    world = planned(["web1"], ["web2"])
    body = direction()
    body["properties"]["sourceSiteOperations"] = "Required"
    answer = world.send("POST", f"{plan_id('plan')}/unplannedFailover", body)
    world.wait(5)
    world.fault(HOME, "lost")
    world.succeeds(answer)
    assert {world.power(vm_id(name, TARGET)) for name in ("web1", "web2")} == {"running"}
