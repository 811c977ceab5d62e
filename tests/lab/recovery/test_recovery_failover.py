"""Failover, another point, commit: with and without the source region, in and out of order (S15, S19, S43, S44)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from farshore.arm.http import Response
from lab.recovery.estate import AWAY, HOME, TARGET, disk_id, item_id, network_id, nic_id, vm_id
from lab.recovery.world import World, refusal, when

MOVED = vm_id("web1", TARGET)


@pytest.fixture
def world() -> World:
    made = World("web1")
    made.protect("web1")
    made.wait(minutes=20)
    return made


def apply(world: World, point: str | None) -> Response:
    return world.verb(
        "web1", "applyRecoveryPoint", {"recoveryPointId": point, "providerSpecificDetails": {"instanceType": "A2A"}}
    )


def test_the_states_of_a_failover(world: World) -> None:
    """S19, line by line."""
    answer = world.failover("web1")
    assert world.state("web1") == "UnplannedFailoverInitiated" and world.allowed("web1") == set()
    job = world.succeeds(answer)
    item = world.item("web1")
    assert item["protectionState"] == "UnplannedFailoverCommitPendingStatesBegin"
    assert (item["protectionStateDescription"], item["activeLocation"]) == ("Failover completed", "Recovery")
    assert set(item["allowedOperations"]) == {"Commit", "ChangePit", "DisableProtection", "CompleteMigration"}
    assert item["lastSuccessfulFailoverTime"] == job["endTime"]
    assert item["failoverRecoveryPointId"] == job["customDetails"]["protectedItemDetails"][0]["recoveryPointId"]
    assert item["providerSpecificDetails"]["recoveryFabricObjectId"] == MOVED.lower()
    commit = world.succeeds(world.commit("web1"))
    assert commit["scenarioName"] == "CommitFailover"
    assert (when(commit["endTime"]) - when(commit["startTime"])).total_seconds() < 20
    item = world.item("web1")
    assert (item["protectionState"], item["activeLocation"]) == ("UnplannedFailoverCommitted", "Recovery")
    assert set(item["allowedOperations"]) == {"ReverseReplicate", "DisableProtection"}


def test_without_the_source_region_it_takes_no_word_from_it(world: World) -> None:
    """S43."""
    world.fault(HOME, "lost")
    job = world.succeeds(world.failover("web1"))
    assert world.power(MOVED) == "running"
    assert [task["name"] for task in job["tasks"]] == [
        "PreFailoverPrerequisitesCheckTask",
        "ProcessRecoveryPointTask",
        "CreateVirtualMachineTask",
        "StartVirtualMachineTask",
    ]
    [used] = world.used("web1")[-1]["used_by"]
    assert sum(disk["bytes_lost"] for disk in used["disks"]) > 0


def test_a_shutdown_that_cannot_be_had_is_skipped(world: World) -> None:
    world.fault(HOME, "lost")
    job = world.succeeds(world.failover("web1", shutdown=True))
    skipped = [task for task in job["tasks"] if task["name"] == "SourceVmShutdownTask"]
    assert [(task["state"], task["stateDescription"]) for task in skipped] == [("Failed", "Skipped")]


def test_a_machine_that_is_shut_down_loses_nothing(world: World) -> None:
    job = world.succeeds(world.failover("web1", shutdown=True))
    assert "SourceVmShutdownTask" in [task["name"] for task in job["tasks"]]
    assert world.power(vm_id("web1")) == "deallocated"
    point = world.used("web1")[-1]
    [used] = point["used_by"]
    assert [disk["bytes_lost"] for disk in used["disks"]] == [0, 0]
    assert world.holds_all(point, used, whole=True), "all that it ever wrote"


def test_without_shutdown_the_source_runs_on_and_is_stale(world: World) -> None:
    world.succeeds(world.failover("web1"))
    assert world.power(vm_id("web1")) == "running"
    assert world.cloud.table("machines")[vm_id("web1").lower()]["superseded"]
    assert not world.cloud.table("machines")[MOVED.lower()]["superseded"]


def test_the_failed_over_disk_is_its_recovery_point_byte_for_byte(world: World) -> None:
    """By the lab's own sums, and by what a client reads through a SAS."""
    world.fault(HOME, "lost")
    answer = world.failover("web1")
    world.until(lambda: world.exists(MOVED), step=1)
    world.send("POST", f"{MOVED}/deallocate")
    point = world.used("web1", sha256=True)[-1]
    [used] = point["used_by"]
    assert [disk["sha256"] for disk in used["disks"]] == [disk["sha256"] for disk in point["disks"]]
    world.done(answer)
    for source, made in zip(point["disks"], used["disks"], strict=True):
        assert world.sha256(source["disk"], point["sequence"]) == world.sha256(made["disk"], point["sequence"])


def test_the_bytes_that_a_client_reads_of_a_moved_disk_are_those_of_the_source(world: World) -> None:
    assert world.send("POST", f"{vm_id('web1')}/deallocate").ok
    world.wait(minutes=5)
    world.succeeds(world.failover("web1"))
    assert world.send("POST", f"{MOVED}/deallocate").ok
    world.wait(minutes=5)
    log = world.writes(disk_id("web1-data", TARGET))
    assert world.pages(disk_id("web1-os-ASRReplica", TARGET)) == world.pages(disk_id("web1-os"))
    assert log, "the machine wrote after it was moved, so its own disk has gone on"
    assert world.pages(disk_id("web1-data", TARGET)) != world.pages(disk_id("web1-data"))


def test_latest_makes_a_point_of_what_was_shipped(world: World) -> None:
    """S26."""
    before = world.points("web1")[-1]
    world.wait(minutes=4)
    world.succeeds(world.failover("web1"))
    used = world.used("web1")[-1]
    assert used["id"] != before["id"] and when(used["time"]) > when(before["properties"]["recoveryPointTime"])


@pytest.mark.parametrize("by", ["id", "name"])
def test_a_custom_point(world: World, by: str) -> None:
    point = world.points("web1")[1]
    world.succeeds(world.failover("web1", point=point[by]))
    assert world.used("web1")[-1]["id"] == point["id"]


def test_what_failover_refuses(world: World) -> None:
    assert refusal(world.failover("web1", direction="RecoveryToPrimary")) == (400, "InvalidFailoverDirection")
    assert refusal(world.failover("web1", direction="")) == (400, "InvalidFailoverDirection")
    assert refusal(world.failover("web1", point="nowhere")) == (404, "RecoveryPointNotFound")
    assert refusal(world.commit("web1")) == (409, "OperationNotAllowed")
    assert refusal(world.verb("web1", "applyRecoveryPoint")) == (409, "OperationNotAllowed")
    assert refusal(world.switch("web1", here=HOME, there=AWAY)) == (404, "NotFound"), "no item is under that container"
    assert refusal(world.verb("nobody", "unplannedFailover")) == (404, "NotFound")
    assert world.state("web1") == "Protected"


def test_two_verbs_at_once_on_one_item(world: World) -> None:
    """While a job runs nothing else does, whatever the verb; the answer says why."""
    answer = world.failover("web1")
    for other in (
        world.failover("web1"),
        world.test("web1"),
        world.commit("web1"),
        world.patch("web1", {}),
        world.verb("web1", "testFailoverCleanup"),
    ):
        assert refusal(other) == (409, "OperationNotAllowed")
        assert "another job is in progress" in other.body["error"]["message"]
    assert world.send("DELETE", item_id("web1")).status == 409
    world.succeeds(answer)
    first, second = world.commit("web1"), world.commit("web1")
    assert (first.status, second.status) == (202, 409)
    world.succeeds(first)


def test_a_failover_in_a_lost_target_waits_for_it() -> None:
    world = World("web1", vault_in="japaneast")
    world.protect("web1")
    answer = world.failover("web1")
    world.fault(AWAY, "lost")
    world.wait(hours=3)
    assert world.state("web1") == "UnplannedFailoverInitiated" and world.cloud.body(MOVED) is None
    world.fault(AWAY, "returned")
    world.succeeds(answer)


def test_the_source_region_lost_in_the_middle_changes_nothing_that_was_settled(world: World) -> None:
    answer = world.failover("web1", shutdown=True)
    world.until(lambda: world.power(vm_id("web1")) == "deallocated", step=2)
    world.fault(HOME, "lost")
    world.succeeds(answer)
    [used] = world.used("web1")[-1]["used_by"]
    assert [disk["bytes_lost"] for disk in used["disks"]] == [0, 0]


def test_the_source_region_lost_before_the_machine_was_stopped_loses_the_last_seconds(world: World) -> None:
    answer = world.failover("web1", shutdown=True)
    world.wait(5)
    world.fault(HOME, "lost")
    job = world.succeeds(answer)
    assert [t["stateDescription"] for t in job["tasks"] if t["name"] == "SourceVmShutdownTask"] == ["Skipped"]
    [used] = world.used("web1")[-1]["used_by"]
    assert sum(disk["bytes_lost"] for disk in used["disks"]) > 0


def test_the_returned_region_has_its_old_data_and_changes_nothing_here(world: World) -> None:
    """D92: it starts by itself, stale; nothing of it reaches the machine that serves."""
    world.fault(HOME, "lost")
    world.fail_over("web1")
    lost = world.now
    world.wait(hours=1)
    mine = world.writes(disk_id("web1-data"))[-1]
    world.fault(HOME, "returned")
    world.wait(minutes=10)
    assert world.power(vm_id("web1")) == "running"
    later = [w for w in world.writes(disk_id("web1-data")) if when(w["time"]) > lost]
    assert later and all(when(w["time"]) > lost + timedelta(hours=1) for w in later)
    before = [w for w in world.writes(disk_id("web1-data")) if w["sequence"] < later[0]["sequence"]]
    assert before[-1] == mine, "it goes on where it was"
    assert world.points("web1") == [], "and nothing is replicated from it"
    assert world.cloud.table("machines")[vm_id("web1").lower()]["superseded"]


def test_a_region_that_returns_before_anybody_failed_over_is_replicated_again(world: World) -> None:
    world.fault(HOME, "lost")
    lost = world.now
    world.wait(hours=2)
    assert when(world.points("web1")[-1]["properties"]["recoveryPointTime"]) <= lost
    world.fault(HOME, "returned")
    world.wait(minutes=15)
    assert when(world.points("web1")[-1]["properties"]["recoveryPointTime"]) > lost + timedelta(hours=2)
    job = world.succeeds(world.failover("web1", shutdown=True))
    [used] = world.used("web1")[-1]["used_by"]
    assert [disk["bytes_lost"] for disk in used["disks"]] == [0, 0], job


# Another point, and commit. ------------------------------------------------------------------------------------------


def test_another_point_makes_the_machine_again(world: World) -> None:
    first = world.points("web1")[0]
    world.succeeds(world.failover("web1"))
    before = world.get(MOVED)["properties"]["vmId"]
    job = world.succeeds(apply(world, first["name"]))
    assert job["scenarioName"] == "ChangePit"
    assert world.get(MOVED)["properties"]["vmId"] != before
    assert world.addresses(nic_id("web1-nic", TARGET)) == ["10.1.0.4"]
    item = world.item("web1")
    assert item["failoverRecoveryPointId"] == first["id"]
    assert "Commit" in item["allowedOperations"] and "ChangePit" in item["allowedOperations"]
    used = next(point for point in world.used("web1") if point["id"] == first["id"])
    assert world.holds_all(used, used["used_by"][0])
    assert used["used_by"][0]["scenario"] == "ChangePit"


def test_an_earlier_point_loses_more(world: World) -> None:
    world.wait(hours=1)
    world.fault(HOME, "lost")
    points = world.points("web1")
    world.succeeds(world.failover("web1"))
    lost = {}
    for point in (points[-1], points[0]):
        world.succeeds(apply(world, point["name"]))
        row = next(row for row in world.used("web1") if row["id"] == point["id"])
        lost[point["id"]] = sum(disk["bytes_lost"] for disk in row["used_by"][-1]["disks"])
    assert lost[points[0]["id"]] > lost[points[-1]["id"]] > 0


def test_a_network_that_has_gone_fails_the_change_and_a_later_one_succeeds(world: World) -> None:
    point = world.points("web1")[0]["name"]
    world.succeeds(world.failover("web1"))
    body = world.get(network_id("vnet-target"))
    for gone in (MOVED, nic_id("web1-nic", TARGET), network_id("vnet-target")):
        world.delete(gone)
    assert world.fails(apply(world, point)) == "NetworkNotFound"
    assert "ChangePit" in world.allowed("web1")
    world.put(network_id("vnet-target"), {key: body[key] for key in ("location", "properties")})
    world.succeeds(apply(world, point))
    assert world.power(MOVED) == "running"


def test_a_lost_target_fails_the_change_and_a_later_one_succeeds() -> None:
    world = World("web1", vault_in="japaneast")
    world.protect("web1")
    world.wait(minutes=20)
    point = world.points("web1")[0]["name"]
    world.succeeds(world.failover("web1"))
    world.fault(AWAY, "lost")
    assert world.fails(apply(world, point)) == "RecoveryRegionUnavailable"
    world.fault(AWAY, "returned")
    world.wait(minutes=10)
    world.succeeds(apply(world, point))


def test_commit_deletes_the_points_and_ends_the_choice(world: World) -> None:
    """S44."""
    point = world.points("web1")[0]
    world.fail_over("web1")
    assert world.points("web1") == []
    assert not world.exists(point["id"])
    assert refusal(apply(world, point["name"])) == (409, "OperationNotAllowed")
    assert refusal(world.commit("web1")) == (409, "OperationNotAllowed")
    assert refusal(world.failover("web1")) == (409, "OperationNotAllowed")


def test_no_point_is_made_after_a_failover(world: World) -> None:
    world.succeeds(world.failover("web1"))
    made = len(world.handle("recovery-points")["value"])
    world.wait(hours=2)
    assert len(world.handle("recovery-points")["value"]) == made


@pytest.mark.parametrize("committed", [False, True])
def test_disabling_after_a_failover_leaves_the_machine_that_runs(world: World, committed: bool) -> None:
    world.succeeds(world.failover("web1"))
    if committed:
        world.succeeds(world.commit("web1"))
    world.succeeds(world.send("DELETE", item_id("web1")))
    assert world.power(MOVED) == "running"
    assert not world.exists(disk_id("web1-os-ASRReplica", TARGET))
