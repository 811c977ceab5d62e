"""What people delete and change under a protected machine: a job fails and says why, and the clock goes on.

Each test takes something away that a later event of Site Recovery counts on. `Cloud.advance` must not raise; the job
must end; the item must be in a state from which a person can go on.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from farshore.arm.ids import resource_id
from lab.recovery.estate import (
    AWAY,
    BLOBS,
    CACHES,
    GROUPS,
    HOME,
    POLICY,
    SOURCE,
    TARGET,
    VAULT,
    disk_id,
    item_id,
    network_id,
    nic_body,
    nic_id,
    vm_id,
)
from lab.recovery.world import World, when

APP = f"{network_id('vnet-target')}/subnets/app"


@pytest.fixture
def world() -> World:
    made = World("web1")
    made.protect("web1")
    made.wait(minutes=10)
    return made


def shown_point_time(world: World) -> str:
    return str(world.points("web1")[-1]["properties"]["recoveryPointTime"])


# The machine and its parts, at home. ---------------------------------------------------------------------------------


def test_a_deleted_machine_can_still_be_failed_over_with_all_that_it_wrote(world: World) -> None:
    world.delete(vm_id("web1"))
    world.wait(hours=2)
    before = shown_point_time(world)
    world.wait(minutes=30)
    assert shown_point_time(world) == before
    assert "153007" in {error["errorCode"] for error in world.item("web1")["healthErrors"]}
    world.succeeds(world.failover("web1"))
    [used] = world.used("web1")[-1]["used_by"]
    assert [disk["bytes_lost"] for disk in used["disks"]] == [0, 0]
    assert world.power(vm_id("web1", TARGET)) == "running"


def test_a_machine_deleted_while_it_is_enabled_fails_the_job_and_leaves_no_item() -> None:
    world = World("web1")
    answer = world.enable("web1")
    world.delete(vm_id("web1"))
    assert world.fails(answer) == "VirtualMachineNotRunning"
    assert not world.exists(item_id("web1"))
    assert not world.exists(disk_id("web1-os-ASRReplica", TARGET))


def test_a_machine_deleted_in_initial_replication_holds_it_up_until_protection_is_disabled() -> None:
    world = World("web1")
    world.succeeds(world.enable("web1"))
    world.delete(vm_id("web1"))
    world.wait(hours=5)
    assert world.state("web1") == "InitialReplicationInProgress"
    world.succeeds(world.send("DELETE", item_id("web1")))
    assert not world.exists(item_id("web1"))


def test_a_machine_deleted_while_the_failover_stops_it_does_not_stop_the_failover(world: World) -> None:
    answer = world.failover("web1", shutdown=True)
    world.wait(5)
    world.delete(vm_id("web1"))
    world.succeeds(answer)
    assert world.state("web1") == "UnplannedFailoverCommitPendingStatesBegin"


def test_the_machine_made_again_under_its_name_is_not_stale(world: World) -> None:
    """A failover marks the machine it came from as stale: one that is not there cannot be, nor its namesake."""
    body = world.get(vm_id("web1"))
    world.delete(vm_id("web1"))
    world.fail_over("web1")
    world.put(vm_id("web1"), {key: body[key] for key in ("location", "properties")})
    assert not world.cloud.table("machines")[vm_id("web1").lower()]["superseded"]


def test_a_data_disk_deleted_at_home_is_still_in_the_recovery_points(world: World) -> None:
    world.delete(vm_id("web1"))
    world.delete(disk_id("web1-data"))
    world.wait(minutes=10)
    world.succeeds(world.failover("web1"))
    names = [disk["name"] for disk in world.get(vm_id("web1", TARGET))["properties"]["storageProfile"]["dataDisks"]]
    assert names == ["web1-data"]


def test_without_the_source_nic_the_item_is_protected_and_failover_says_what_is_missing() -> None:
    world = World("web1")
    world.succeeds(world.enable("web1"))
    world.cloud.remove(resource_id(nic_id("web1-nic")))
    world.until(lambda: world.state("web1") == "Protected")
    assert world.item("web1")["providerSpecificDetails"]["vmNics"] == []
    assert world.fails(world.failover("web1")) == "NetworkProfileNotSpecified"


# Storage. ------------------------------------------------------------------------------------------------------------


def test_without_its_cache_account_replication_stands_still_until_the_account_is_back(world: World) -> None:
    body = world.get(CACHES[HOME])
    world.delete(CACHES[HOME])
    gone = world.now
    world.wait(minutes=90)
    assert when(shown_point_time(world)) <= gone
    assert world.item("web1")["replicationHealth"] == "Critical"
    world.put(CACHES[HOME], {"location": HOME, "sku": body["sku"], "kind": "StorageV2", "properties": {}})
    world.wait(minutes=15)
    assert when(shown_point_time(world)) > gone
    assert world.item("web1")["replicationHealth"] == "Normal"


def test_what_was_written_after_the_cache_account_went_is_lost_in_a_failover(world: World) -> None:
    world.delete(CACHES[HOME])
    gone = world.now
    world.wait(minutes=20)
    world.fault(HOME, "lost")
    lost_at = world.now
    world.succeeds(world.failover("web1"))
    used = world.used("web1")[-1]
    assert when(used["time"]) <= gone
    for disk in used["used_by"][0]["disks"]:
        own = [
            w for w in world.writes(disk["source"]) if w["sequence"] > used["sequence"] and when(w["time"]) <= lost_at
        ]
        assert disk["bytes_lost"] == sum(w["length"] for w in own) > 0


@pytest.mark.parametrize("why", ["deleted", "written to"])
def test_a_replica_that_a_person_touched_stops_replication_not_the_clock(world: World, why: str) -> None:
    replica = disk_id("web1-data-ASRReplica", TARGET)
    if why == "deleted":
        world.delete(replica)
    else:
        world.put(nic_id("thief-nic", TARGET), nic_body("thief-nic", TARGET, AWAY, APP, None))
        profile = {
            "osDisk": {
                "name": "x",
                "createOption": "Attach",
                "osType": "Linux",
                "managedDisk": {"id": replica},
            }
        }
        nics = {"networkInterfaces": [{"id": nic_id("thief-nic", TARGET)}]}
        properties = {
            "storageProfile": profile,
            "networkProfile": nics,
            "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
        }
        world.put(vm_id("thief", TARGET), {"location": AWAY, "properties": properties})
    touched = world.now
    world.wait(hours=2)
    assert when(shown_point_time(world)) <= touched
    assert world.item("web1")["replicationHealth"] == "Critical"


def test_a_deleted_replica_fails_the_failover_and_leaves_nothing_behind(world: World) -> None:
    world.delete(disk_id("web1-data-ASRReplica", TARGET))
    assert world.fails(world.failover("web1")) == "NotFound"
    assert world.state("web1") == "UnplannedFailoverFailed"
    for left in (vm_id("web1", TARGET), nic_id("web1-nic", TARGET), disk_id("web1-os", TARGET)):
        assert not world.exists(left), left
    assert world.cloud.table("volume_names").get(disk_id("web1-data", TARGET).lower()) is None


def test_unmanaged_disks_need_their_account_in_the_recovery_region() -> None:
    world = World("file1")
    world.protect("file1")
    world.delete(BLOBS[AWAY])
    assert world.fails(world.failover("file1")) == "StorageAccountNotFound"
    assert world.state("file1") == "UnplannedFailoverFailed"


@pytest.mark.parametrize("left", ["web1-os", "web1-data"])
def test_disabling_protection_leaves_a_replica_that_somebody_reads(world: World, left: str) -> None:
    replica = disk_id(f"{left}-ASRReplica", TARGET)
    world.lend(replica)
    world.succeeds(world.send("DELETE", item_id("web1")))
    assert not world.exists(item_id("web1"))
    assert world.exists(replica)
    other = {"web1-os": "web1-data", "web1-data": "web1-os"}[left]
    assert not world.exists(disk_id(f"{other}-ASRReplica", TARGET))


def test_reprotection_leaves_a_replica_that_somebody_reads(world: World) -> None:
    world.lend(disk_id("web1-os-ASRReplica", TARGET))
    world.fail_over("web1")
    world.succeeds(world.switch("web1"))
    world.until(lambda: world.state("web1", AWAY) == "Protected")


def test_a_test_disk_that_somebody_reads_fails_the_cleanup_whole_and_the_next_one_succeeds(world: World) -> None:
    world.succeeds(world.test("web1"))
    world.lend(disk_id("web1-data-ASRtest", TARGET), seconds=3600)
    assert world.fails(world.verb("web1", "testFailoverCleanup")) == "OperationNotAllowed"
    item = world.item("web1")
    assert item["allowedOperations"] == ["TestFailoverCleanup"]
    assert item["testFailoverState"] == "WaitingForCompletion"
    assert item["currentScenario"]["scenarioName"] == "None"
    assert "161011" in {error["errorCode"] for error in item["healthErrors"]}
    world.wait(hours=1)
    world.succeeds(world.verb("web1", "testFailoverCleanup"))
    for left in (vm_id("web1-test", TARGET), disk_id("web1-data-ASRtest", TARGET), disk_id("web1-os-ASRtest", TARGET)):
        assert not world.exists(left), left


def test_applying_a_point_refuses_before_it_takes_anything_away(world: World) -> None:
    point = world.points("web1")[0]["name"]
    world.succeeds(world.failover("web1"))
    world.lend(disk_id("web1-os", TARGET), seconds=3600)
    body = {"recoveryPointId": point, "providerSpecificDetails": {"instanceType": "A2A"}}
    assert world.fails(world.verb("web1", "applyRecoveryPoint", body)) == "OperationNotAllowed"
    assert world.power(vm_id("web1", TARGET)) == "running"
    assert "ChangePit" in world.allowed("web1")
    world.wait(hours=1)
    world.succeeds(world.verb("web1", "applyRecoveryPoint", body))


# The target. ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gone", "code"),
    [
        (network_id("vnet-target"), "NetworkNotFound"),
        (APP, "SubnetNotFound"),
        (f"{GROUPS}/rg-vms", "ResourceGroupNotFound"),
    ],
)
def test_a_target_that_has_gone_fails_the_failover(gone: str, code: str) -> None:
    world = World("web1")
    world.put(f"{GROUPS}/rg-vms", {"location": AWAY})
    world.succeeds(world.enable("web1", recoveryResourceGroupId=f"{GROUPS}/rg-vms"))
    world.until(lambda: world.state("web1") == "Protected")
    world.delete(gone)
    assert world.fails(world.failover("web1")) == code
    assert world.state("web1") == "UnplannedFailoverFailed"
    assert world.allowed("web1") == {"UnplannedFailover", "TestFailover", "DisableProtection"}


def test_a_failed_failover_succeeds_when_its_target_is_there_again(world: World) -> None:
    body = world.get(network_id("vnet-target"))
    world.delete(network_id("vnet-target"))
    job = world.failover("web1")
    world.fails(job)
    world.put(network_id("vnet-target"), {key: body[key] for key in ("location", "properties")})
    world.wait(minutes=20)
    world.succeeds(world.failover("web1"))


@pytest.mark.parametrize("gone", [network_id("vnet-drill"), f"{network_id('vnet-drill')}/subnets/app"])
def test_a_drill_network_that_goes_during_the_test_fails_it(world: World, gone: str) -> None:
    answer = world.test("web1")
    world.wait(5)
    assert world.send("DELETE", gone).ok
    assert world.fails(answer) in ("NetworkNotInRegion", "SubnetNotFound")
    assert world.state("web1") == "Protected"
    assert "TestFailover" in world.allowed("web1")


@pytest.mark.parametrize(
    ("made", "code"),
    [("machine", "VirtualMachineNameInUse"), ("disk", "DiskNameInUse"), ("nic", "NetworkInterfaceNameInUse")],
)
def test_a_name_that_is_taken_fails_the_failover_and_the_holder_keeps_it(world: World, made: str, code: str) -> None:
    world.put(nic_id("web1-nic", TARGET), nic_body("web1-nic", TARGET, AWAY, APP, "10.1.0.77"))
    if made == "machine":
        nics = {"networkInterfaces": [{"id": nic_id("web1-nic", TARGET)}]}
        os = {"createOption": "FromImage", "osType": "Linux", "name": "other-os"}
        image = {"publisher": "p", "offer": "o", "sku": "s", "version": "latest"}
        properties = {
            "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
            "storageProfile": {"osDisk": os, "imageReference": image},
            "networkProfile": nics,
        }
        world.put(vm_id("web1", TARGET), {"location": AWAY, "properties": properties})
    if made == "disk":
        world.delete(nic_id("web1-nic", TARGET))
        empty = {"creationData": {"createOption": "Empty"}, "diskSizeGB": 1}
        world.put(disk_id("web1-data", TARGET), {"location": AWAY, "properties": empty})
    assert world.fails(world.failover("web1")) == code
    if made == "disk":
        assert world.exists(disk_id("web1-data", TARGET))
    else:
        assert world.addresses(nic_id("web1-nic", TARGET)) == ["10.1.0.77"]


def test_a_machine_deleted_before_the_service_starts_it_fails_the_failover_and_nothing_is_left(world: World) -> None:
    answer = world.failover("web1")
    world.until(lambda: world.exists(vm_id("web1", TARGET)), step=1)
    made = resource_id(vm_id("web1", TARGET))
    world.cloud.type_of(made).take_away(world.cloud, made)
    assert world.fails(answer) == "VirtualMachineNotFound"
    assert world.state("web1") == "UnplannedFailoverFailed"
    for left in (nic_id("web1-nic", TARGET), disk_id("web1-os", TARGET), disk_id("web1-data", TARGET)):
        assert not world.exists(left), left
    world.succeeds(world.failover("web1"))


def test_a_test_machine_deleted_by_hand_can_be_cleaned_up(world: World) -> None:
    world.succeeds(world.test("web1"))
    world.delete(vm_id("web1-test", TARGET))
    world.succeeds(world.verb("web1", "testFailoverCleanup"))
    assert "TestFailover" in world.allowed("web1")
    for left in (nic_id("web1-nic-test", TARGET), disk_id("web1-os-ASRtest", TARGET)):
        assert not world.exists(left), left
    world.succeeds(world.test("web1"))


def test_a_failed_over_machine_deleted_by_hand_is_not_reprotected(world: World) -> None:
    world.fail_over("web1")
    world.delete(vm_id("web1", TARGET))
    details: dict[str, object] = {"recoveryContainerId": item_id("web1").rsplit("/", 2)[0], "policyId": POLICY}
    details |= {"recoveryResourceGroupId": SOURCE, "vmManagedDisks": []}
    body = {"properties": {"replicationProtectedItemName": "web1", "providerSpecificDetails": details}}
    answer = world.send("POST", f"{item_id('web1').rsplit('/', 2)[0]}/switchprotection", body)
    assert answer.status == 409 and answer.body["error"]["code"] == "VirtualMachineNotFound"


def test_a_machine_deleted_during_reprotection_fails_it_and_the_item_stays_committed(world: World) -> None:
    world.fail_over("web1")
    answer = world.switch("web1")
    world.wait(10)
    world.delete(vm_id("web1", TARGET))
    assert world.fails(answer) == "VirtualMachineNotFound"
    assert world.state("web1") == "UnplannedFailoverCommitted"
    assert world.allowed("web1") == {"ReverseReplicate", "DisableProtection"}


def test_the_group_at_home_deleted_during_reprotection_fails_it(world: World) -> None:
    world.fail_over("web1")
    answer = world.switch("web1")
    world.wait(5)
    assert world.send("DELETE", SOURCE).ok
    world.fails(answer)
    assert world.state("web1") == "UnplannedFailoverCommitted"


# The vault's own objects. --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", ["enabling", "protected", "testing", "tested", "failing over", "failed over"])
def test_the_group_of_a_vault_with_protected_machines_is_not_deleted(phase: str) -> None:
    world = World("web1")
    answer = world.enable("web1")
    if phase != "enabling":
        world.succeeds(answer)
        world.until(lambda: world.state("web1") == "Protected")
    after: dict[str, Callable[[], object]] = {
        "testing": lambda: world.test("web1"),
        "tested": lambda: world.succeeds(world.test("web1")),
        "failing over": lambda: world.failover("web1"),
        "failed over": lambda: world.succeeds(world.failover("web1")),
    }
    if phase in after:
        after[phase]()
    answer = world.send("DELETE", VAULT.split("/providers")[0])
    world.wait(hours=1)
    assert world.exists(VAULT)
    assert world.exists(item_id("web1"))
    jobs = world.rows(f"{VAULT}/replicationJobs")
    assert all(job["properties"]["endTime"] is not None for job in jobs), "every job has ended"


def test_the_group_of_a_vault_without_machines_goes_whole() -> None:
    world = World()
    assert world.send("DELETE", VAULT.split("/providers")[0]).status == 202
    world.wait(minutes=10)
    assert not world.exists(VAULT)
    assert not world.cloud.of_type("Microsoft.RecoveryServices/vaults/replicationPolicies")


def test_a_policy_that_keeps_nothing_leaves_the_latest_point(world: World) -> None:
    world.wait(hours=3)
    assert len(world.points("web1")) > 10
    world.policy(history_minutes=0)
    world.wait(minutes=6)
    assert len(world.points("web1")) == 1
    world.succeeds(world.failover("web1", point=world.points("web1")[0]["name"]))


def test_a_point_that_is_pruned_while_the_failover_stops_the_machine_fails_it(world: World) -> None:
    oldest = world.points("web1")[0]["name"]
    answer = world.failover("web1", shutdown=True, point=oldest)
    world.policy(history_minutes=0)
    world.wait(minutes=1)
    assert world.fails(answer) == "RecoveryPointNotFound"
    assert world.state("web1") == "UnplannedFailoverFailed"


@pytest.mark.parametrize("address", ["10.1.0.300", "nonsense", "fe80::1"])
@pytest.mark.parametrize("key", ["recoveryStaticIPAddress", "tfoStaticIPAddress"])
def test_an_address_that_is_none_is_refused_when_it_is_set(world: World, key: str, address: str) -> None:
    nic = world.item("web1")["providerSpecificDetails"]["vmNics"][0]
    config = {"ipConfigName": "ipconfig1", key: address}
    answer = world.patch("web1", {"vmNics": [{"nicId": nic["nicId"], "ipConfigs": [config]}]})
    assert answer.status == 400, answer


def test_points_follow_every_five_minutes_where_nothing_was_touched(world: World) -> None:
    """The measure for the tests above: RPO stays within a cycle and the time that a point takes."""
    world.wait(hours=1)
    assert world.now - when(shown_point_time(world)) < timedelta(minutes=8)
