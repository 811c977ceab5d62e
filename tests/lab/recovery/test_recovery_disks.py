"""Disks that join and leave a protected machine: addDisks, removeDisks, and the warning that can be dismissed (S6)."""

from __future__ import annotations

from typing import Any

import pytest

from farshore.arm.json import Body
from lab.recovery.estate import CACHES, HOME, TARGET, disk_id, item_id, vm_id
from lab.recovery.world import World, refusal

NEW_DISKS = "153039"


def given(*names: str) -> Body:
    disks = [
        {
            "diskId": disk_id(name),
            "primaryStagingAzureStorageAccountId": CACHES[HOME],
            "recoveryResourceGroupId": TARGET,
        }
        for name in names
    ]
    return {"providerSpecificDetails": {"instanceType": "A2A", "vmManagedDisks": disks}}


def leaving(*names: str) -> Body:
    return {"providerSpecificDetails": {"instanceType": "A2A", "vmManagedDisksIds": [disk_id(name) for name in names]}}


def attach(world: World, name: str, lun: int = 5) -> None:
    """Another disk of web1, made and attached as a person would."""
    body: Body = {"location": HOME, "sku": {"name": "Premium_LRS"}}
    body["properties"] = {"creationData": {"createOption": "Empty"}, "diskSizeGB": 4}
    world.put(disk_id(name), body)
    vm = world.get(vm_id("web1"))
    entry = {"lun": lun, "name": name, "createOption": "Attach", "managedDisk": {"id": disk_id(name)}}
    vm["properties"]["storageProfile"]["dataDisks"].append(entry)
    world.put(vm_id("web1"), vm)


def codes(world: World) -> set[str]:
    return {error["errorCode"] for error in world.item("web1")["healthErrors"]}


def disks(world: World) -> dict[str, Any]:
    shown = world.item("web1")["providerSpecificDetails"]["protectedManagedDisks"]
    return {disk["diskName"]: disk for disk in shown}


@pytest.fixture
def world() -> World:
    world = World("web1")
    world.protect("web1")
    return world


def test_a_disk_that_came_after_protection_is_a_warning_that_can_be_dismissed(world: World) -> None:
    assert NEW_DISKS not in codes(world)
    attach(world, "web1-late")
    item = world.item("web1")
    assert NEW_DISKS in codes(world) and item["replicationHealth"] == "Warning"
    assert item["providerSpecificDetails"]["unprotectedDisks"] == [
        {"diskLunId": 5, "diskAutoProtectionStatus": "Disabled"}
    ]
    [error] = [error for error in item["healthErrors"] if error["errorCode"] == NEW_DISKS]
    assert error["customerResolvability"] == "Allowed"
    world.succeeds(world.verb("web1", "resolveHealthErrors", {"healthErrors": [{"healthErrorId": error["errorId"]}]}))
    assert NEW_DISKS not in codes(world) and world.item("web1")["replicationHealth"] == "Normal"
    assert world.item("web1")["providerSpecificDetails"]["unprotectedDisks"], "it is unprotected all the same"


def test_an_error_that_only_a_drill_mends_is_not_dismissed(world: World) -> None:
    [error] = world.item("web1")["healthErrors"]
    wanted = {"healthErrors": [{"healthErrorId": error["errorId"]}]}
    assert refusal(world.verb("web1", "resolveHealthErrors", wanted)) == (409, "HealthErrorNotResolvable")
    assert codes(world) == {"161011"}


def test_a_disk_that_is_added_is_in_the_points_that_come_after_it_was_copied(world: World) -> None:
    attach(world, "web1-late")
    before = {point["name"] for point in world.points("web1")}
    world.succeeds(world.verb("web1", "addDisks", given("web1-late")))
    assert NEW_DISKS not in codes(world)
    assert disks(world)["web1-late"]["diskState"] == "InitialReplicationPending"
    assert disks(world)["web1-data"]["diskState"] == "Protected"
    assert world.exists(disk_id("web1-late-ASRReplica", TARGET))
    world.wait(hours=1)
    assert disks(world)["web1-late"]["diskState"] == "Protected"
    points = world.points("web1")
    counts = [len(point["properties"]["providerSpecificDetails"]["disks"]) for point in points]
    assert counts == sorted(counts) and (counts[0], counts[-1]) == (2, 3)
    assert all(len(p["properties"]["providerSpecificDetails"]["disks"]) == 2 for p in points if p["name"] in before)


@pytest.mark.parametrize(("which", "disks_then"), [(0, 1), (-1, 2)])
def test_a_failover_makes_the_disks_that_its_point_is_of(world: World, which: int, disks_then: int) -> None:
    attach(world, "web1-late")
    world.succeeds(world.verb("web1", "addDisks", given("web1-late")))
    world.wait(hours=1)
    world.succeeds(world.failover("web1", point=world.points("web1")[which]["id"]))
    profile = world.get(vm_id("web1", TARGET))["properties"]["storageProfile"]
    assert len(profile["dataDisks"]) == disks_then


def test_a_disk_that_is_removed_loses_its_replica_and_is_no_warning(world: World) -> None:
    world.succeeds(world.verb("web1", "removeDisks", leaving("web1-data")))
    assert set(disks(world)) == {"web1-os"}
    assert not world.exists(disk_id("web1-data-ASRReplica", TARGET))
    assert world.exists(disk_id("web1-data")) and NEW_DISKS not in codes(world)
    world.succeeds(world.failover("web1"))
    assert world.get(vm_id("web1", TARGET))["properties"]["storageProfile"]["dataDisks"] == []


@pytest.mark.parametrize(
    ("verb", "body", "code"),
    [
        ("addDisks", given("web1-data"), (409, "DiskAlreadyProtected")),
        ("addDisks", given("elsewhere"), (400, "DiskNotAttached")),
        ("addDisks", {}, (400, "VMDisksMissing")),
        ("removeDisks", leaving("web1-os"), (400, "OsDiskNotProtected")),
        ("removeDisks", leaving("elsewhere"), (400, "DiskNotProtected")),
        ("removeDisks", {}, (400, "VMDisksMissing")),
        ("resolveHealthErrors", {}, (400, "InvalidParameter")),
    ],
)
def test_what_is_refused_changes_nothing(world: World, verb: str, body: Body, code: tuple[int, str]) -> None:
    before = world.item("web1")
    assert refusal(world.verb("web1", verb, body)) == code
    assert world.item("web1") == before


def test_nothing_is_added_to_an_item_that_has_been_failed_over(world: World) -> None:
    attach(world, "web1-late")
    world.succeeds(world.failover("web1"))
    assert refusal(world.verb("web1", "addDisks", given("web1-late"))) == (409, "OperationNotAllowed")


def test_a_replica_that_is_gone_is_repaired(world: World) -> None:
    assert refusal(world.verb("web1", "repairReplication")) == (409, "OperationNotAllowed"), "nothing to repair"
    world.delete(disk_id("web1-data-ASRReplica", TARGET))
    world.wait(hours=2)
    assert "RepairReplication" in world.allowed("web1")
    assert (disks(world)["web1-data"]["resyncRequired"], disks(world)["web1-os"]["resyncRequired"]) == (True, False)
    assert "153007" in codes(world)
    world.succeeds(world.verb("web1", "repairReplication"))
    world.wait(minutes=20)
    assert world.exists(disk_id("web1-data-ASRReplica", TARGET))
    assert "RepairReplication" not in world.allowed("web1") and "153007" not in codes(world)
    world.succeeds(world.failover("web1"))
    [point] = [row for row in world.handle("recovery-points")["value"] if row["used_by"]]
    assert world.holds_all(point, point["used_by"][0])


def test_sizes_and_the_agent_of_an_item(world: World) -> None:
    sizes = world.rows(f"{item_id('web1')}/targetComputeSizes")
    assert all(row["properties"]["memoryInGB"] > 0 for row in sizes) and len(sizes) > 5
    before = world.item("web1")["providerSpecificDetails"]["agentVersion"]
    job = world.succeeds(world.verb("web1", "updateMobilityService"))
    assert job["scenarioName"] == "UpdateMobilityService"
    assert world.item("web1")["providerSpecificDetails"]["agentVersion"] == before


@pytest.mark.parametrize("auto", ["Enabled", "Disabled"])
def test_new_disks_are_protected_by_themselves_where_that_was_asked_for(auto: str) -> None:
    """S12."""
    world = World("web1")
    world.succeeds(world.enable("web1", autoProtectionOfDataDisk=auto))
    world.until(lambda: world.state("web1") == "Protected")
    attach(world, "web1-late")
    world.wait(hours=1)
    assert ("web1-late" in disks(world)) == (auto == "Enabled")
    assert (NEW_DISKS in codes(world)) == (auto == "Disabled")
