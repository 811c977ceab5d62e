"""Test failover: beside production, in its own network, and done only when cleaned up (S14, S36, S37, S42)."""

from __future__ import annotations

import pytest

from lab.recovery.estate import AWAY, HOME, TARGET, disk_id, item_id, network_id, nic_id, vm_id
from lab.recovery.world import World, refusal, when

TEST = vm_id("web1-test", TARGET)
NIC = nic_id("web1-nic-test", TARGET)


@pytest.fixture
def world() -> World:
    made = World("web1")
    made.protect("web1")
    made.wait(minutes=10)
    return made


def test_a_drill_from_begin_to_end(world: World) -> None:
    job = world.succeeds(world.test("web1"))
    names = [task["name"] for task in job["tasks"]]
    assert names == [
        "TestFailoverPrerequisitesCheckTask",
        "CreateTestVirtualMachineTask",
        "PrepareTestVirtualMachineTask",
        "StartTestVirtualMachineTask",
    ], "S24"
    assert 100 < (when(job["endTime"]) - when(job["startTime"])).total_seconds() < 350
    assert job["customDetails"]["instanceType"] == "TestFailoverJobDetails"
    assert job["customDetails"]["testFailoverStatus"] == "WaitingForCompletion"
    item = world.item("web1")
    assert (item["protectionState"], item["protectionStateDescription"]) == (
        "Protected",
        "Cleanup test failover pending",
    )
    assert (item["testFailoverState"], item["testFailoverStateDescription"]) == (
        "WaitingForCompletion",
        "Waiting for user input",
    )
    assert item["allowedOperations"] == ["TestFailoverCleanup"], "S19: nothing else while it stands"
    assert item["providerSpecificDetails"]["testFailoverRecoveryFabricObjectId"] == TEST.lower()
    assert world.power(TEST) == "running" and world.power(vm_id("web1")) == "running"

    world.succeeds(world.verb("web1", "testFailoverCleanup", {"comments": "it booted"}))
    item = world.item("web1")
    assert item["testFailoverState"] == "None"
    assert set(item["allowedOperations"]) == {"UnplannedFailover", "DisableProtection", "TestFailover"}
    for left in (TEST, NIC, disk_id("web1-os-ASRtest", TARGET), disk_id("web1-data-ASRtest", TARGET)):
        assert not world.exists(left), left


def test_it_counts_only_after_cleanup(world: World) -> None:
    """S42."""
    world.succeeds(world.test("web1"))
    item = world.item("web1")
    assert item.get("lastSuccessfulTestFailoverTime") is None
    assert [error["errorCode"] for error in item["healthErrors"]] == ["161011"]
    world.succeeds(world.verb("web1", "testFailoverCleanup"))
    item = world.item("web1")
    assert when(item["lastSuccessfulTestFailoverTime"]) <= world.now
    assert (item["healthErrors"], item["failoverHealth"]) == ([], "Normal")


def test_a_failed_drill_does_not_count(world: World) -> None:
    world.delete(disk_id("web1-data-ASRReplica", TARGET))
    world.fails(world.test("web1"))
    assert [error["errorCode"] for error in world.item("web1")["healthErrors"]] == ["161011"]


def test_replication_and_production_go_on_during_a_drill(world: World) -> None:
    world.succeeds(world.test("web1"))
    before, written = len(world.points("web1")), len(world.writes(disk_id("web1-data")))
    tested = len(world.writes(disk_id("web1-data-ASRtest", TARGET)))
    world.wait(hours=1)
    assert len(world.points("web1")) >= before + 11
    assert len(world.writes(disk_id("web1-data"))) > written
    assert len(world.writes(disk_id("web1-data-ASRtest", TARGET))) > tested, "the test machine writes to its own disks"
    world.succeeds(world.verb("web1", "testFailoverCleanup"))
    world.succeeds(world.failover("web1"))
    point = world.used("web1")[-1]
    assert world.holds_all(point, point["used_by"][-1])


@pytest.mark.parametrize("when_lost", ["before", "while", "pending"])
def test_a_drill_needs_nothing_of_the_source_region(world: World, when_lost: str) -> None:
    if when_lost == "before":
        world.fault(HOME, "lost")
    answer = world.test("web1")
    if when_lost == "while":
        world.wait(20)
        world.fault(HOME, "lost")
    world.succeeds(answer)
    if when_lost == "pending":
        world.fault(HOME, "lost")
    world.succeeds(world.verb("web1", "testFailoverCleanup"))
    world.succeeds(world.failover("web1"))


def test_a_drill_waits_for_its_own_region() -> None:
    world = World("web1", vault_in="japaneast")
    world.protect("web1")
    answer = world.test("web1")
    world.wait(20)
    world.fault(AWAY, "lost")
    world.wait(hours=2)
    job = str(answer.headers["location"]).split("?")[0].rsplit("/", 1)[1]
    assert world.job(job)["state"] == "InProgress"
    assert world.cloud.body(TEST) is None, "nothing is made in a region that does not answer"
    world.fault(AWAY, "returned")
    world.succeeds(answer)


def test_cleanup_in_a_lost_region_fails_and_can_be_asked_for_again() -> None:
    world = World("web1", vault_in="japaneast")
    world.protect("web1")
    world.succeeds(world.test("web1"))
    world.fault(AWAY, "lost")
    assert world.fails(world.verb("web1", "testFailoverCleanup")) == "RecoveryRegionUnavailable"
    assert world.item("web1")["testFailoverState"] == "WaitingForCompletion"
    world.fault(AWAY, "returned")
    world.wait(minutes=10)
    world.succeeds(world.verb("web1", "testFailoverCleanup"))
    assert not world.exists(TEST)


# Which point, which network, which address. --------------------------------------------------------------------------


def test_the_point_that_was_asked_for(world: World) -> None:
    point = world.points("web1")[0]
    world.succeeds(world.test("web1", point=point["id"]))
    [used] = world.used("web1", sha256=True)
    assert used["id"] == point["id"]
    [landed] = used["used_by"]
    assert landed["scenario"] == "TestFailover" and landed["machine"] == TEST
    assert [disk["sha256"] for disk in landed["disks"]] == [disk["sha256"] for disk in used["disks"]]
    assert world.item("web1")["failoverRecoveryPointId"] == point["id"]


def test_what_a_drill_refuses(world: World) -> None:
    assert refusal(world.test("web1", network="vnet-nowhere")) == (400, "InvalidParameter")
    assert refusal(world.test("web1", point="0000")) == (404, "RecoveryPointNotFound")
    body = {"failoverDirection": "RecoveryToPrimary", "networkId": network_id("vnet-drill")}
    assert refusal(world.verb("web1", "testFailover", body)) == (400, "InvalidFailoverDirection")
    body = {"networkType": "NoNetworkAttachAsInput"}
    assert refusal(world.verb("web1", "testFailover", body)) == (400, "InvalidParameter")
    assert refusal(world.verb("web1", "testFailoverCleanup")) == (409, "OperationNotAllowed")
    assert world.allowed("web1") == {"UnplannedFailover", "DisableProtection", "TestFailover"}


def test_a_network_in_another_region_fails_the_job(world: World) -> None:
    assert world.fails(world.test("web1", network="vnet-source")) == "NetworkNotInRegion"


def test_in_a_network_of_its_own_it_has_the_address_of_production(world: World) -> None:
    world.succeeds(world.test("web1"))
    assert world.addresses(NIC) == ["10.1.0.4"]


def test_in_the_failover_network_it_takes_one_from_the_end(world: World) -> None:
    """S36: the reserved address stays free for the real failover."""
    world.succeeds(world.test("web1", network="vnet-target"))
    assert world.addresses(NIC) == ["10.1.0.254"]
    world.succeeds(world.verb("web1", "testFailoverCleanup"))
    world.succeeds(world.failover("web1"))
    assert world.addresses(nic_id("web1-nic", TARGET)) == ["10.1.0.4"]


def test_x8_makes_it_take_the_reserved_one() -> None:
    world = World("web1", test_failover_takes_reserved_address=True)
    world.protect("web1")
    world.succeeds(world.test("web1", network="vnet-target"))
    assert world.addresses(NIC) == ["10.1.0.4"]


def test_what_the_item_presets_wins(world: World) -> None:
    """S37."""
    nic = world.item("web1")["providerSpecificDetails"]["vmNics"][0]
    config = {"ipConfigName": "ipconfig1", "tfoStaticIPAddress": "10.1.0.99", "tfoSubnetName": "app"}
    said = {
        "selectedTfoAzureNetworkId": network_id("vnet-drill"),
        "vmNics": [{"nicId": nic["nicId"], "ipConfigs": [config], "tfoNicName": "drill-nic"}],
    }
    world.succeeds(world.patch("web1", said))
    world.succeeds(world.test("web1", network="vnet-target"))
    assert world.addresses(nic_id("drill-nic", TARGET)) == ["10.1.0.99"]
    subnet = world.get(nic_id("drill-nic", TARGET))["properties"]["ipConfigurations"][0]["properties"]["subnet"]["id"]
    assert subnet == f"{network_id('vnet-drill')}/subnets/app"


def test_the_replicas_are_not_touched_by_a_drill(world: World) -> None:
    world.succeeds(world.test("web1"))
    world.succeeds(world.verb("web1", "testFailoverCleanup"))
    for disk in ("web1-os", "web1-data"):
        assert world.exists(disk_id(f"{disk}-ASRReplica", TARGET))
    assert world.exists(item_id("web1"))


def test_unmanaged_disks_are_tested_as_blobs() -> None:
    world = World("file1")
    world.protect("file1")
    world.succeeds(world.test("file1"))
    point = world.used("file1")[-1]
    [landed] = point["used_by"]
    blobs = [disk["disk"] for disk in landed["disks"]]
    assert blobs == [
        "https://blobsaway.blob.core.windows.net/vhds/file1-os-ASRtest.vhd",
        "https://blobsaway.blob.core.windows.net/vhds/file1-data-ASRtest.vhd",
    ]
    assert world.holds_all(point, landed)
    world.succeeds(world.verb("file1", "testFailoverCleanup"))
    assert not any(world.cloud.table("volume_names").get(blob.lower()) for blob in blobs)
