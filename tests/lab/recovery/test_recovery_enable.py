"""Enabling, initial replication, Protected, and what an item shows and lets itself be told (S11 to S13, S18 to S22)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lab.recovery.estate import (
    AWAY,
    BLOBS,
    CACHES,
    HOME,
    SOURCE,
    TARGET,
    VAULT,
    container,
    disk_id,
    item_id,
    network_id,
    nic_id,
    vm_id,
)
from lab.recovery.world import World, refusal, when


@pytest.fixture
def world() -> World:
    made = World("web1", "web2")
    made.protect("web1")
    return made


def test_from_nothing_to_protected_in_the_recorded_states() -> None:
    world = World("web1")
    answer = world.enable("web1")
    seen = [(world.state("web1"), tuple(world.item("web1")["allowedOperations"]))]
    while seen[-1][0] != "Protected":
        world.wait(10)
        now = (world.state("web1"), tuple(world.item("web1")["allowedOperations"]))
        if now != seen[-1]:
            seen.append(now)
    assert seen == [
        ("UnprotectedStatesBegin", ()),
        ("InitialReplicationInProgress", ("DisableProtection",)),
        ("InitialReplicationRecoveryCompletionPending", ("DisableProtection",)),
        ("Protected", ("UnplannedFailover", "DisableProtection", "TestFailover")),
    ]
    assert world.succeeds(answer)["scenarioName"] == "EnableDr"


def test_the_job_shows_on_the_item_while_it_lasts() -> None:
    world = World("web1")
    answer = world.enable("web1")
    scenario = world.item("web1")["currentScenario"]
    assert scenario["scenarioName"] == "EnableDr"
    assert scenario["jobId"].endswith(answer.headers["location"].split("?")[0].rsplit("/", 1)[1])
    world.succeeds(answer)
    idle = world.item("web1")["currentScenario"]
    assert idle["scenarioName"] == "None" and idle["startTime"].startswith("1753-01-01")


def test_what_is_known_only_when_it_is_protected(world: World) -> None:
    fresh = World("web1")
    fresh.succeeds(fresh.enable("web1"))
    details = fresh.item("web1")["providerSpecificDetails"]
    assert (details["vmNics"], details["lifecycleId"], details["selectedRecoveryAzureNetworkId"]) == ([], None, None)
    assert {disk["diskState"] for disk in details["protectedManagedDisks"]} == {"InitialReplicationPending"}
    details = world.item("web1")["providerSpecificDetails"]
    assert details["lifecycleId"] and details["selectedRecoveryAzureNetworkId"] == network_id("vnet-target")
    assert {disk["diskState"] for disk in details["protectedManagedDisks"]} == {"Protected"}
    assert details["vmSyncedConfigDetails"]["tags"] == {"tier": "web"}
    assert [disk["recoveryReplicaDiskId"] for disk in details["protectedManagedDisks"]] == [
        disk_id("web1-os-ASRReplica", TARGET),
        disk_id("web1-data-ASRReplica", TARGET),
    ]


def test_no_verb_but_disabling_before_it_is_protected() -> None:
    world = World("web1")
    world.succeeds(world.enable("web1"))
    for answer in (world.failover("web1"), world.test("web1"), world.commit("web1"), world.patch("web1", {})):
        assert refusal(answer) == (409, "OperationNotAllowed")
    world.succeeds(world.send("DELETE", item_id("web1")))
    world.wait(hours=2)
    assert not world.exists(item_id("web1")), "what was scheduled for it does not bring it back"
    world.protect("web1")


def changed(world: World, **details: Any) -> tuple[int, str]:
    return refusal(world.enable("web2", **details))


def test_what_enabling_refuses(world: World) -> None:
    os_disk = {
        "diskId": disk_id("web2-os"),
        "primaryStagingAzureStorageAccountId": CACHES[HOME],
        "recoveryResourceGroupId": TARGET,
    }
    assert changed(world, fabricObjectId=vm_id("nobody")) == (400, "InvalidParameter")
    assert changed(world, fabricObjectId=vm_id("web1")) == (409, "MachineAlreadyProtected")
    assert changed(world, recoveryContainerId=container(HOME)) == (400, "ContainersNotPaired")
    assert changed(world, recoveryResourceGroupId=f"{TARGET}-x") == (400, "InvalidParameter")
    assert changed(world, recoveryAzureNetworkId=network_id("vnet-x")) == (400, "InvalidParameter")
    assert changed(world, vmManagedDisks=[], vmDisks=[]) == (400, "VMDisksMissing")
    assert changed(world, vmManagedDisks=[{**os_disk, "diskId": disk_id("web1-os")}]) == (400, "DiskNotAttached")
    data = {**os_disk, "diskId": disk_id("web2-data")}
    assert changed(world, vmManagedDisks=[data]) == (400, "OsDiskNotProtected")
    away = {**os_disk, "primaryStagingAzureStorageAccountId": CACHES[AWAY]}
    assert changed(world, vmManagedDisks=[away]) == (400, "StagingAccountNotInRegion"), "S27"
    assert refusal(world.enable("web1")) == (409, "ProtectedItemExists")
    assert not world.exists(item_id("web2"))
    assert world.enable("web2", vmManagedDisks=[os_disk]).status == 202, "a data disk may be left out"


def test_a_machine_with_blobs_names_its_account_in_the_recovery_region() -> None:
    world = World("file1")
    disks = world.disks_of(vm_id("file1"), HOME, AWAY)["vmDisks"]
    wrong = [{**disk, "recoveryAzureStorageAccountId": BLOBS[HOME]} for disk in disks]
    assert refusal(world.enable("file1", vmDisks=wrong)) == (400, "StorageAccountNotInRegion")
    world.protect("file1")
    details = world.item("file1")["providerSpecificDetails"]
    assert details["protectedManagedDisks"] is None
    assert [disk["recoveryDiskUri"] for disk in details["protectedDisks"]] == [
        "https://blobsaway.blob.core.windows.net/vhds/file1-os.vhd",
        "https://blobsaway.blob.core.windows.net/vhds/file1-data.vhd",
    ]


def test_a_machine_that_does_not_run_gets_no_agent() -> None:
    world = World("web1")
    assert world.send("POST", f"{vm_id('web1')}/deallocate").ok
    world.wait(minutes=5)
    check = f"{vm_id('web1')}/providers/Microsoft.RecoveryServices/replicationEligibilityResults/default"
    assert [error["code"] for error in world.get(check)["properties"]["errors"]] == ["VirtualMachineNotRunning"]
    assert world.fails(world.enable("web1")) == "VirtualMachineNotRunning"
    assert not world.exists(item_id("web1"))
    assert world.send("POST", f"{vm_id('web1')}/start").ok
    world.wait(minutes=5)
    assert world.get(check)["properties"]["errors"] == []
    world.protect("web1")


def test_a_lost_source_holds_initial_replication_up_until_it_has_returned() -> None:
    world = World("web1")
    world.succeeds(world.enable("web1"))
    world.fault(HOME, "lost")
    world.wait(hours=6)
    assert world.state("web1") == "InitialReplicationInProgress"
    world.fault(HOME, "returned")
    world.until(lambda: world.state("web1") == "Protected")


def test_a_lost_target_holds_initial_replication_up_too() -> None:
    world = World("web1", vault_in="japaneast")
    world.succeeds(world.enable("web1"))
    world.fault(AWAY, "lost")
    world.wait(hours=6)
    assert world.state("web1") == "InitialReplicationInProgress"
    world.fault(AWAY, "returned")
    world.until(lambda: world.state("web1") == "Protected")


@pytest.mark.parametrize("region", [HOME, AWAY])
def test_a_region_lost_while_it_is_enabled_fails_the_job_and_a_second_try_succeeds(region: str) -> None:
    world = World("web1", vault_in="japaneast")
    answer = world.enable("web1")
    world.wait(60)
    world.fault(region, "lost")
    world.fails(answer)
    assert not world.exists(item_id("web1"))
    world.fault(region, "returned")
    world.wait(minutes=15)
    world.protect("web1")


def test_a_vault_in_the_lost_region_lets_its_jobs_stand_still() -> None:
    """S10: that is why a vault does not belong into the region that it protects from."""
    world = World("web1", vault_in=HOME)
    world.protect("web1")
    world.fault(HOME, "lost")
    assert world.failover("web1").status == 503


# What an item shows of the present. ----------------------------------------------------------------------------------


def test_health_says_that_no_test_was_done_and_that_points_are_missing(world: World) -> None:
    """S22."""
    world.wait(minutes=10)
    item = world.item("web1")
    assert [error["errorCode"] for error in item["healthErrors"]] == ["161011"]
    assert (item["replicationHealth"], item["failoverHealth"]) == ("Normal", "Warning")
    assert 0 <= item["providerSpecificDetails"]["rpoInSeconds"] < 480
    world.fault(HOME, "lost")
    world.wait(minutes=75)
    item = world.item("web1")
    assert {error["errorCode"] for error in item["healthErrors"]} == {"161011", "153007"}
    assert item["replicationHealth"] == "Critical"
    assert item["providerSpecificDetails"]["rpoInSeconds"] > 3600
    health = world.get(f"{VAULT}/replicationVaultHealth")["properties"]["protectedItemsHealth"]
    assert health["categorizedResourceCounts"]["protectedItemsCriticalCount"] == 1


def test_points_follow_every_five_minutes_and_are_pruned() -> None:
    """S25: two hours whole, then one an hour, nothing older than the policy says."""
    world = World("web1")
    world.policy(history_minutes=360)
    world.protect("web1")
    world.wait(hours=9)
    times = [when(point["properties"]["recoveryPointTime"]) for point in world.points("web1")]
    recent = [time for time in times if world.now - time <= timedelta(hours=2)]
    assert 22 <= len(recent) <= 25
    assert 3 <= len(times) - len(recent) <= 5
    assert world.now - times[0] <= timedelta(hours=6)
    assert {point["properties"]["recoveryPointType"] for point in world.points("web1")} == {"CrashConsistent"}


def test_application_consistent_points_where_the_policy_asks_for_them() -> None:
    world = World("web1")
    world.policy(app_minutes=60)
    world.protect("web1")
    world.wait(hours=4)
    kinds = [point["properties"]["recoveryPointType"] for point in world.points("web1")]
    assert 2 <= kinds.count("ApplicationConsistent") <= 6
    one = next(point for point in world.points("web1") if point["properties"]["recoveryPointType"][:3] == "App")
    assert world.get(one["id"])["name"] == one["name"]


def test_points_are_listed_in_no_order(world: World) -> None:
    world.wait(hours=2)
    listed = [row["properties"]["recoveryPointTime"] for row in world.rows(f"{item_id('web1')}/recoveryPoints")]
    assert len(listed) > 20 and listed != sorted(listed) and listed != sorted(listed, reverse=True)


# What it lets itself be told. ----------------------------------------------------------------------------------------


def test_settings_of_an_item_are_kept(world: World) -> None:
    nic = world.item("web1")["providerSpecificDetails"]["vmNics"][0]
    config = {"ipConfigName": "ipconfig1", "recoveryStaticIPAddress": "10.1.0.40", "recoverySubnetName": "app"}
    said = {
        "recoveryAzureVMName": "web1-dr",
        "recoveryAzureVMSize": "Standard_D4s_v5",
        "selectedTfoAzureNetworkId": network_id("vnet-drill"),
        "vmNics": [{"nicId": nic["nicId"], "ipConfigs": [config], "recoveryNicName": "web1-dr-nic"}],
    }
    world.succeeds(world.patch("web1", said))
    details = world.item("web1")["providerSpecificDetails"]
    assert details["recoveryAzureVMName"] == "web1-dr" and details["tfoAzureVMName"] == "web1-dr-test"
    assert details["selectedTfoAzureNetworkId"] == network_id("vnet-drill")
    assert details["vmNics"][0]["ipConfigs"][0]["recoveryStaticIPAddress"] == "10.1.0.40"
    assert details["vmNics"][0]["ipConfigs"][0]["recoveryIPAddressType"] == "Static"
    world.succeeds(world.failover("web1"))
    machine = world.get(vm_id("web1-dr", TARGET))["properties"]
    assert machine["hardwareProfile"]["vmSize"] == "Standard_D4s_v5"
    assert world.addresses(nic_id("web1-dr-nic", TARGET)) == ["10.1.0.40"]
    assert world.get(vm_id("web1-dr", TARGET))["tags"] == {"tier": "web"}
    assert "osProfile" not in machine


@pytest.mark.parametrize(
    "said",
    [
        {"selectedRecoveryAzureNetworkId": network_id("nowhere")},
        {"vmNics": [{"nicId": "nobody's"}]},
        {"vmNics": [{"nicId": nic_id("web1-nic"), "recoveryNetworkSecurityGroupId": f"{SOURCE}/nsg"}]},
        {"recoveryAvailabilitySetId": f"{SOURCE}/avset"},
    ],
)
def test_settings_that_name_what_is_not_there_are_refused(world: World, said: dict[str, Any]) -> None:
    assert world.patch("web1", said).status == 400


def test_disabling_leaves_the_machine_and_takes_the_replicas(world: World) -> None:
    world.succeeds(world.send("DELETE", item_id("web1")))
    assert world.power(vm_id("web1")) == "running"
    assert not world.exists(disk_id("web1-os-ASRReplica", TARGET))
    assert world.send("DELETE", item_id("web1")).status == 204
    world.protect("web1")


def test_remove_is_another_word_for_it(world: World) -> None:
    world.succeeds(world.send("POST", f"{item_id('web1')}/remove", {"properties": {}}))
    assert not world.exists(item_id("web1"))


def test_a_vault_lists_its_items_and_filters_them(world: World) -> None:
    world.protect("web2")
    path = f"{VAULT}/replicationProtectedItems"
    assert {row["name"] for row in world.rows(path)} == {"web1", "web2"}
    found = world.send("GET", path, None, **{"$filter": "friendlyName%20eq%20'web2'"})
    assert [row["name"] for row in found.body["value"]] == ["web2"]
    assert world.send("GET", path, None, **{"$filter": "nonsense"}).status == 400


def test_a_protected_item_goes_on_telling_of_its_initial_replication(world: World) -> None:
    """Recorded; of its disks nothing is told any more."""
    details = world.item("web1")["providerSpecificDetails"]
    assert (details["monitoringJobType"], details["monitoringPercentageCompletion"]) == ("InitialReplication", 0)
    assert {disk["monitoringJobType"] for disk in details["protectedManagedDisks"]} == {None}
    assert details["rtoInSeconds"] is None
