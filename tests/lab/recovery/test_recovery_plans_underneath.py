"""A recovery plan that waits for a person, and what becomes of its machines meanwhile: the job ends, time goes on."""

from __future__ import annotations

import pytest

from lab.recovery.estate import TARGET, VAULT, disk_id, item_id, plan_id, vm_id
from lab.recovery.plans import planned, resume, run_plan


@pytest.mark.parametrize("verb", ["unplannedFailover", "testFailover"])
@pytest.mark.parametrize("meanwhile", ["disabled", "failed over"])
def test_a_member_that_left_while_a_plan_waited_fails_the_job_and_the_rest_goes_on(verb: str, meanwhile: str) -> None:
    world = planned(["web1", "web2"], start="before")
    job = run_plan(world, verb)
    if meanwhile == "disabled":
        world.succeeds(world.send("DELETE", item_id("web1")))
    else:
        world.succeeds(world.failover("web1"))
    resume(world, job)
    assert world.job(job)["state"] == "Failed"
    assert world.job(job)["errors"][0]["serviceErrorDetails"]["code"] in (
        "ProtectedItemNotFound",
        "OperationNotAllowed",
    )
    moved = {"unplannedFailover": vm_id("web2", TARGET), "testFailover": vm_id("web2-test", TARGET)}[verb]
    assert world.power(moved) == "running"


def test_a_plan_none_of_whose_members_is_left_ends() -> None:
    world = planned(["web1"], start="before")
    job = run_plan(world, "unplannedFailover")
    world.succeeds(world.send("DELETE", item_id("web1")))
    resume(world, job)
    assert world.job(job)["state"] == "Failed"


@pytest.mark.parametrize("verb", ["unplannedFailover", "testFailover"])
def test_a_member_taken_further_while_its_plan_waits_does_not_stop_the_plan(verb: str) -> None:
    world = planned(["web1"], ["web2"], start=1)
    job = run_plan(world, verb)
    if verb == "testFailover":
        world.succeeds(world.verb("web1", "testFailoverCleanup"))
    else:
        world.succeeds(world.commit("web1"))
        world.succeeds(world.switch("web1"))
    resume(world, job)
    assert world.job(job)["state"] == "Succeeded"


@pytest.mark.parametrize("verb", ["unplannedFailover", "testFailover"])
def test_a_cancelled_plan_leaves_no_machine_half_way(verb: str) -> None:
    world = planned(["web1"], ["web2"], start=0)
    job = run_plan(world, verb)
    assert world.job(job)["state"] == "Suspended"
    assert world.send("POST", f"{VAULT}/replicationJobs/{job}/cancel").ok
    world.wait(minutes=20)
    assert world.job(job)["state"] == "Cancelled"
    assert all(task["state"] != "InProgress" for task in world.job(job)["tasks"])
    for name in ("web1", "web2"):
        assert world.allowed(name), f"{name} is in {world.state(name)} and nothing can be done with it"


@pytest.mark.parametrize("verb", ["unplannedFailover", "testFailover"])
def test_a_machine_deleted_while_its_plan_waits_fails_the_job(verb: str) -> None:
    world = planned(["web1"], ["web2"], start=1)
    job = run_plan(world, verb)
    world.delete(vm_id("web2" if verb == "unplannedFailover" else "web2-test", TARGET))
    resume(world, job)
    assert world.job(job)["state"] == "Failed"
    assert world.allowed("web2") == {"UnplannedFailover", "TestFailover", "DisableProtection"}


def test_one_member_that_cannot_be_cleaned_up_does_not_keep_the_others() -> None:
    world = planned(["web1", "web2"])
    job = run_plan(world, "testFailover")
    assert world.job(job)["state"] == "Succeeded"
    world.lend(disk_id("web1-os-ASRtest", TARGET), seconds=7200)
    assert world.fails(world.send("POST", f"{plan_id('plan')}/testFailoverCleanup")) == "OperationNotAllowed"
    assert world.allowed("web1") == {"TestFailoverCleanup"}
    assert "TestFailover" in world.allowed("web2")


def test_the_group_of_a_vault_whose_plan_runs_is_not_deleted_under_it() -> None:
    world = planned(["web1"], start="before")
    job = run_plan(world, "unplannedFailover")
    world.send("DELETE", VAULT.split("/providers")[0])
    world.wait(minutes=10)
    if world.exists(VAULT):
        resume(world, job)
        world.wait(hours=1)
        assert "endTime" in world.job(job)
