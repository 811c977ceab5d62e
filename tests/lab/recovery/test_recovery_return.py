"""There and back: reprotection of managed and unmanaged disks, failback, regions that go in between (S45 to S51)."""

from __future__ import annotations

import pytest

from farshore.lab.durations import DURATIONS
from lab.recovery.estate import AWAY, BLOBS, CACHES, HOME, SOURCE, TARGET, container, disk_id, item_id, nic_id, vm_id
from lab.recovery.world import World, refusal, when


def moved(name: str = "web1", **options: object) -> World:
    """Failed over from a lost region, committed, and the region has returned."""
    world = World(name, **options)  # type: ignore[arg-type]
    world.protect(name)
    world.wait(minutes=10)
    world.fault(HOME, "lost")
    world.fail_over(name)
    world.fault(HOME, "returned")
    world.wait(minutes=10)
    return world


def protected(world: World, name: str, region: str) -> None:
    world.until(lambda: world.state(name, region) == "Protected")


# Managed disks: switchprotection. ------------------------------------------------------------------------------------


def test_the_item_begins_anew_under_the_other_container() -> None:
    """S50: another id, the same lifecycle, swapped roles; S51: failback is PrimaryToRecovery."""
    world = moved()
    lifecycle = world.item("web1")["providerSpecificDetails"]["lifecycleId"]
    job = world.succeeds(world.switch("web1"))
    details = job["customDetails"]
    assert details["instanceType"] == "SwitchProtectionJobDetails"
    assert details["newReplicationProtectedItemId"].lower() == item_id("web1", AWAY).lower()
    assert [task["name"] for task in job["tasks"]] == [
        "ReprotectPrerequisitesCheckTask",
        "ShutdownOldVmTask",
        "DeleteOldVmTask",
        "EnableReverseReplicationTask",
    ]
    assert not world.exists(item_id("web1"))
    item = world.item("web1", AWAY)
    assert (item["protectionState"], item["activeLocation"]) == ("InitialReplicationInProgress", "Primary")
    assert item["providerSpecificDetails"]["lifecycleId"] is None, "until it is Protected"
    protected(world, "web1", AWAY)
    details = world.item("web1", AWAY)["providerSpecificDetails"]
    assert details["lifecycleId"] == lifecycle
    assert (details["primaryFabricLocation"], details["recoveryFabricLocation"]) == (AWAY, HOME)
    assert (details["initialPrimaryFabricLocation"], details["initialRecoveryFabricLocation"]) == (HOME, AWAY)


def test_the_old_machine_is_turned_off_and_deleted_and_its_disks_are_compared() -> None:
    """S46. Its NICs go with it, its disks stay until the replicas have taken over."""
    world = moved()
    assert world.power(vm_id("web1")) == "running", "the returned machine is stale and runs"
    answer = world.switch("web1")
    world.until(lambda: not world.exists(vm_id("web1")) or world.power(vm_id("web1")) == "deallocated", step=2)
    world.succeeds(answer)
    assert not world.exists(vm_id("web1")) and not world.exists(nic_id("web1-nic"))
    disks = world.item("web1", AWAY)["providerSpecificDetails"]["protectedManagedDisks"]
    assert [disk["recoveryOrignalTargetDiskId"] for disk in disks] == [disk_id("web1-os"), disk_id("web1-data")]
    assert world.exists(disk_id("web1-os"))
    protected(world, "web1", AWAY)
    assert not world.exists(disk_id("web1-os"))
    assert world.exists(disk_id("web1-os-ASRReplica", SOURCE))
    assert not world.exists(disk_id("web1-os-ASRReplica", TARGET)), "the way there is over"


def test_x19_keeps_the_old_machine_turned_off() -> None:
    world = moved(keep_source_after_reprotect=True)
    world.succeeds(world.switch("web1"))
    protected(world, "web1", AWAY)
    assert world.power(vm_id("web1")) == "deallocated"
    world.fail_over("web1", AWAY, shutdown=True)
    assert world.power(vm_id("web1")) == "running"
    assert world.addresses(nic_id("web1-nic")) == ["10.1.0.4"]


@pytest.mark.parametrize("direction", ["PrimaryToRecovery", "RecoveryToPrimary"])
def test_all_the_way_home_with_everything_that_was_written(direction: str) -> None:
    """S47, S51: both directions are understood on a switched item."""
    world = moved()
    world.succeeds(world.switch("web1"))
    protected(world, "web1", AWAY)
    world.wait(minutes=30)
    job = world.succeeds(world.failover("web1", shutdown=True, region=AWAY, direction=direction))
    point = world.used("web1", AWAY)[-1]
    [used] = point["used_by"]
    assert [disk["bytes_lost"] for disk in used["disks"]] == [0, 0]
    assert [disk["disk"] for disk in used["disks"]] == [disk_id("web1-os"), disk_id("web1-data")]
    assert world.holds_all(point, used, whole=True)
    assert world.power(vm_id("web1")) == "running"
    assert world.addresses(nic_id("web1-nic")) == ["10.1.0.4"]
    world.succeeds(world.commit("web1", AWAY))
    world.succeeds(world.switch("web1", HOME, AWAY))
    protected(world, "web1", HOME)
    assert not world.exists(vm_id("web1", TARGET)), "S47: with managed disks the far side is cleaned up"
    assert not world.exists(nic_id("web1-nic", TARGET)) and not world.exists(disk_id("web1-os", TARGET))
    assert world.allowed("web1") == {"UnplannedFailover", "DisableProtection", "TestFailover"}
    assert job["state"] == "Succeeded"


def test_the_road_can_be_walked_again_and_again() -> None:
    world = World("web1")
    world.protect("web1")
    life = world.item("web1")["providerSpecificDetails"]["lifecycleId"]
    here, there = HOME, AWAY
    for _ in range(4):
        world.wait(minutes=6)
        world.fail_over("web1", here, shutdown=True)
        world.succeeds(world.switch("web1", there, here))
        protected(world, "web1", there)
        assert world.item("web1", there)["providerSpecificDetails"]["lifecycleId"] == life
        here, there = there, here
    lost = [
        disk["bytes_lost"]
        for point in world.handle("recovery-points", used="true")["value"]
        for used in point["used_by"]
        for disk in used["disks"]
    ]
    assert lost == [0] * 8
    replicas = [body["id"] for body in world.cloud.bodies.under("/") if "ASRReplica" in str(body["id"])]
    assert len(replicas) == 2 and all("rg-target" in replica for replica in replicas)


def test_a_switched_item_is_tested_like_any_other() -> None:
    world = moved()
    world.succeeds(world.switch("web1"))
    protected(world, "web1", AWAY)
    assert "161011" in {error["errorCode"] for error in world.item("web1", AWAY)["healthErrors"]}
    answer = world.test("web1", network="vnet-source", region=AWAY)
    world.succeeds(answer)
    assert world.addresses(nic_id("web1-nic-test")) == ["10.1.0.254"], "the network of the failback: S36"
    world.succeeds(world.verb("web1", "testFailoverCleanup", region=AWAY))


# What it needs. ------------------------------------------------------------------------------------------------------


def test_not_before_commit_and_not_while_the_region_is_away() -> None:
    """S45."""
    world = World("web1")
    world.protect("web1")
    assert refusal(world.switch("web1", HOME, AWAY))[0] in (404, 409)
    world.fault(HOME, "lost")
    world.succeeds(world.failover("web1"))
    answer = world.switch("web1")
    assert refusal(answer) == (409, "OperationNotAllowed")
    world.succeeds(world.commit("web1"))
    assert refusal(world.switch("web1")) == (409, "PrimaryRegionUnavailable")
    world.fault(HOME, "returned")
    world.wait(minutes=10)
    world.succeeds(world.switch("web1"))


def test_what_switching_refuses() -> None:
    world = moved()
    given = {
        "instanceType": "A2A",
        "recoveryContainerId": container(HOME),
        "policyId": f"{container(HOME).split('/replicationFabrics')[0]}/replicationPolicies/policy",
        "recoveryResourceGroupId": SOURCE,
        **world.disks_of(vm_id("web1", TARGET), AWAY, HOME),
    }

    def switched(name: str = "web1", **details: object) -> tuple[int, str]:
        body = {"replicationProtectedItemName": name, "providerSpecificDetails": {**given, **details}}
        return refusal(world.send("POST", f"{container(HOME)}/switchprotection", {"properties": body}))

    assert switched("nobody") == (404, "NotFound")
    assert switched(vmManagedDisks=[]) == (400, "VMDisksMissing")
    assert switched(policyId="/nowhere") == (400, "InvalidParameter")
    assert switched(recoveryContainerId=container(AWAY)) == (400, "ContainersNotPaired")
    assert switched(recoveryResourceGroupId=f"{SOURCE}-x") == (400, "InvalidParameter")
    old = [{**disk, "diskId": disk_id("web1-os")} for disk in given["vmManagedDisks"]]
    assert switched(vmManagedDisks=old) == (400, "DiskNotAttached"), "the disks of the machine as it runs now"
    cache = [{**disk, "primaryStagingAzureStorageAccountId": CACHES[HOME]} for disk in given["vmManagedDisks"]]
    assert switched(vmManagedDisks=cache) == (400, "StagingAccountNotInRegion"), "S45: a cache where it runs now"
    assert refusal(world.reprotect("web1")) == (400, "VMDisksMissing"), "S50: reProtect knows no managed disks"
    assert world.allowed("web1") == {"ReverseReplicate", "DisableProtection"}


def test_two_reprotections_at_once() -> None:
    world = moved()
    first, second = world.switch("web1"), world.switch("web1")
    assert (first.status, refusal(second)) == (202, (409, "OperationNotAllowed"))
    world.succeeds(first)


def test_without_the_old_machine_everything_is_sent() -> None:
    """S46: full seeding; the network comes from the mapping."""
    world = moved()
    world.delete(vm_id("web1"))
    for disk in ("web1-os", "web1-data"):
        world.delete(disk_id(disk))
    world.delete(nic_id("web1-nic"))
    world.succeeds(world.switch("web1"))
    disks = world.item("web1", AWAY)["providerSpecificDetails"]["protectedManagedDisks"]
    assert [disk["recoveryOrignalTargetDiskId"] for disk in disks] == [None, None]
    protected(world, "web1", AWAY)
    world.fail_over("web1", AWAY, shutdown=True)
    assert world.power(vm_id("web1")) == "running"


def test_what_is_gone_is_not_compared_with() -> None:
    """S46: comparing takes its own time; where no disk is left of the old machine, all is sent as at the first time."""
    took = {}
    for kept in (True, False):
        world = moved()
        if not kept:
            world.delete(vm_id("web1"))
            for disk in ("web1-os", "web1-data"):
                world.delete(disk_id(disk))
        world.succeeds(world.switch("web1"))
        begun = world.cloud.now
        protected(world, "web1", AWAY)
        took[kept] = (world.cloud.now - begun).total_seconds()
    compared, seeded = DURATIONS["recovery.compare"][0], DURATIONS["recovery.seed"][0]
    assert abs((took[True] - took[False]) - (compared - seeded)) < 0.3 * (compared - seeded)


# Regions that go in between. -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [5, 20, 45, 200])
@pytest.mark.parametrize("name", ["web1", "file1"])
def test_home_lost_in_the_middle_of_reprotection_fails_it_and_the_second_try_succeeds(name: str, after: int) -> None:
    world = moved(name, vault_in="japaneast")
    begin = world.switch if name == "web1" else world.reprotect
    answer = begin(name)
    world.wait(after)
    there = world.cloud.body(vm_id(name)) is not None
    world.fault(HOME, "lost")
    assert world.fails(answer) == "PrimaryRegionUnavailable"
    assert (world.cloud.body(vm_id(name)) is not None) == there, "nothing is deleted in a region that is away"
    assert world.state(name) == "UnplannedFailoverCommitted"
    assert world.power(vm_id(name, TARGET)) == "running"
    world.fault(HOME, "returned")
    world.wait(minutes=10)
    world.succeeds(begin(name))
    region = AWAY if name == "web1" else HOME
    protected(world, name, region)
    direction = "PrimaryToRecovery" if name == "web1" else "RecoveryToPrimary"
    world.fail_over(name, region, shutdown=True, direction=direction)
    assert world.addresses(nic_id(f"{name}-nic")) == ["10.1.0.4"]


@pytest.mark.parametrize("name", ["web1", "file1"])
def test_home_lost_and_returned_within_reprotection_only_delays_the_old_machine_s_end(name: str) -> None:
    world = moved(name, vault_in="japaneast")
    answer = (world.switch if name == "web1" else world.reprotect)(name)
    world.wait(10)
    world.fault(HOME, "lost")
    world.wait(60)
    world.fault(HOME, "returned")
    world.succeeds(answer)
    assert not world.exists(vm_id(name))
    protected(world, name, AWAY if name == "web1" else HOME)


@pytest.mark.parametrize("lost", [HOME, AWAY])
def test_a_region_lost_while_disks_are_compared_holds_that_up(lost: str) -> None:
    world = moved(vault_in="japaneast")
    world.succeeds(world.switch("web1"))
    world.fault(lost, "lost")
    world.wait(hours=8)
    assert world.state("web1", AWAY) == "InitialReplicationInProgress"
    world.fault(lost, "returned")
    protected(world, "web1", AWAY)
    world.wait(minutes=10)
    world.fail_over("web1", AWAY, shutdown=True)


def test_the_far_region_lost_in_the_middle_of_failback_loses_only_the_last_seconds() -> None:
    world = moved(vault_in="japaneast")
    world.succeeds(world.switch("web1"))
    protected(world, "web1", AWAY)
    world.wait(minutes=10)
    answer = world.failover("web1", shutdown=True, region=AWAY)
    world.wait(2)
    world.fault(AWAY, "lost")
    world.succeeds(answer)
    [used] = world.used("web1", AWAY)[-1]["used_by"]
    assert 0 < sum(disk["bytes_lost"] for disk in used["disks"]) < 64 * 1024 * 120
    assert world.power(vm_id("web1")) == "running"


def test_home_lost_in_the_middle_of_failback_holds_it_up() -> None:
    world = moved(vault_in="japaneast")
    world.succeeds(world.switch("web1"))
    protected(world, "web1", AWAY)
    answer = world.failover("web1", shutdown=True, region=AWAY)
    world.wait(30)
    world.fault(HOME, "lost")
    world.wait(hours=2)
    assert world.state("web1", AWAY) == "UnplannedFailoverInitiated"
    world.fault(HOME, "returned")
    world.succeeds(answer)
    assert world.power(vm_id("web1")) == "running"


# Unmanaged disks: reProtect. -----------------------------------------------------------------------------------------


def test_an_item_with_blobs_keeps_its_id_and_its_roles() -> None:
    """S50: reProtect; it goes back RecoveryToPrimary."""
    world = moved("file1")
    assert refusal(world.switch("file1")) == (400, "OperationNotSupported")
    job = world.succeeds(world.reprotect("file1"))
    assert job["scenarioName"] == "ReverseReplication"
    protected(world, "file1", HOME)
    assert not world.exists(item_id("file1", AWAY))
    assert not world.exists(vm_id("file1"))
    assert refusal(world.failover("file1")) == (400, "InvalidFailoverDirection")
    world.wait(minutes=10)
    world.succeeds(world.failover("file1", shutdown=True, direction="RecoveryToPrimary"))
    item = world.item("file1")
    assert item["activeLocation"] == "Primary"
    [used] = world.used("file1", sha256=True)[-1]["used_by"]
    assert [disk["disk"] for disk in used["disks"]] == [
        "https://blobshome.blob.core.windows.net/vhds/file1-os.vhd",
        "https://blobshome.blob.core.windows.net/vhds/file1-data.vhd",
    ]
    for disk in used["disks"]:
        assert (disk["bytes_lost"], disk["sha256"]) == (0, world.sha256(disk["source"])), "by checksum, once"
    assert world.addresses(nic_id("file1-nic")) == ["10.1.0.4"]


def test_on_the_way_home_the_far_machine_is_left_behind() -> None:
    """S47: unmanaged disks are not cleaned up; the next failover makes its own again."""
    world = moved("file1")
    world.succeeds(world.reprotect("file1"))
    protected(world, "file1", HOME)
    world.fail_over("file1", shutdown=True, direction="RecoveryToPrimary")
    world.succeeds(world.reprotect("file1", HOME, AWAY))
    protected(world, "file1", HOME)
    assert world.power(vm_id("file1", TARGET)) == "deallocated"
    world.wait(minutes=10)
    world.fail_over("file1", shutdown=True)
    assert world.power(vm_id("file1", TARGET)) == "running"
    assert world.addresses(nic_id("file1-nic", TARGET)) == ["10.1.0.4"]
    [used] = world.used("file1")[-1]["used_by"]
    assert [disk["bytes_lost"] for disk in used["disks"]] == [0, 0]


def test_a_client_reads_an_unmanaged_disk_with_the_account_s_key() -> None:
    """A page blob read by ranges."""
    from farshore.arm.http import Request

    world = moved("file1")
    keys = world.send("POST", f"{BLOBS[AWAY]}/listKeys").body["keys"]
    headers = {"authorization": f"AccountKey {keys[0]['value']}", "x-ms-range": "bytes=0-4095"}
    url = "/_blob/blobsaway/vhds/file1-os.vhd"
    answer = world.cloud.handle(Request(method="GET", url=url, headers=headers), world.now)
    assert answer.status == 206 and len(answer.body) == 4096
    refused = world.cloud.handle(Request(method="GET", url=url), world.now)
    assert refused.status == 403


def test_times_of_the_way_back_are_the_service_s_own() -> None:
    world = moved()
    job = world.succeeds(world.switch("web1"))
    starts = [when(task["startTime"]) for task in job["tasks"]]
    ends = [when(task["endTime"]) for task in job["tasks"]]
    assert starts == sorted(starts) and ends == sorted(ends)
    assert when(job["startTime"]) == starts[0] and when(job["endTime"]) == ends[-1]
    assert all(one <= two for one, two in zip(starts, ends, strict=True))
