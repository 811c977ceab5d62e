"""Reprotection: a machine that has been failed over is replicated the other way (S45 to S47, S50).

It is refused until the failover is committed, and while the region to go back to does not answer. Then, within the
job: the old machine is turned off and deleted with its NICs, its disks stay as seeds and become the replicas, the
disks are compared, the differences sent, and the item is Protected again. Where no managed disk is left of the old
machine there is nothing to compare with: everything is sent, as when the item was first protected (S46).

    switchprotection   managed disks; a POST to the container where the item lives, with the disks of the machine as it
                       runs now. The item ends, and one of the same name and `lifecycleId` begins under the other
                       container: its roles are swapped, so failback is `PrimaryToRecovery` (S51).
    reProtect          unmanaged disks; the item keeps its id and its roles, and goes back `RecoveryToPrimary`. After
                       the way home the machine in the recovery region is left behind, deallocated (S47: unmanaged
                       disks are not cleaned up).

X19: `keep_source_after_reprotect` leaves the old machine as it is, turned off; failback then replaces it.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab import machines
from farshore.lab.answers import Refused, bad_request
from farshore.lab.call import Call
from farshore.lab.compute import attached, power
from farshore.lab.recovery import jobs, landing, records
from farshore.lab.recovery.container_mappings import mapped
from farshore.lab.recovery.disks import forget_replicas, protected_disks
from farshore.lab.recovery.item_bodies import properties_of, unmanaged
from farshore.lab.recovery.item_nics import homeward
from farshore.lab.recovery.item_settings import details_of
from farshore.lab.recovery.names import CONTAINERS, ITEMS, looked_up, shown_id
from farshore.lab.recovery.network_mappings import default_network
from farshore.lab.recovery.objects import fabric_location, fabric_of, keep, must_find, must_find_child
from farshore.lab.recovery.records import Record, enter
from farshore.lab.recovery.replicating import begin_replication
from farshore.lab.recovery.states import Phase
from farshore.lab.registry import action, event

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

STEP = "recovery.reprotect"
SWITCH = "SwitchReplicationGroupProtection"
"""How the service calls the job of a machine (recorded)."""
TURN_OFF_AFTER = timedelta(seconds=30)
"""Until the old machine is turned off; twice as long after that it is deleted. No page says: the lab's choice."""


@action(CONTAINERS, "switchprotection")
def switch_protection(call: Call) -> Response:
    call.must_exist()
    container, sent = call.id, call.properties()
    name = sent.get("replicationProtectedItemName") or ""
    call.id = must_find_child(call.cloud, container, "replicationProtectedItems", name)
    item, record, body = enter(call, "ReverseReplicate")
    details = details_of(sent)
    into = must_find(call.cloud, details.get("recoveryContainerId"), "recoveryContainerId")
    if not any(disk["managed"] for disk in record["disks"]):
        raise bad_request("OperationNotSupported", "A machine with unmanaged disks is reprotected by reProtect.")
    here = other_container(call.cloud, body)
    checked(call.cloud, record, here, into, details)
    call.id = container
    return _start(call, "switchprotection", SWITCH, item, here, into, details)


@action(ITEMS, "reProtect")
def reprotect(call: Call) -> Response:
    item, record, body = enter(call, "ReverseReplicate")
    details = details_of(call.properties())
    if any(disk["managed"] for disk in record["disks"]):
        raise bad_request("VMDisksMissing", "Managed disk details not provided.", "vmDisks")
    into = must_find(call.cloud, details.get("recoveryContainerId"), "recoveryContainerId")
    container = item.parent
    assert container is not None
    here = other_container(call.cloud, body) if into == container else container
    checked(call.cloud, record, here, into, details)
    return _start(call, "reProtect", "ReverseReplication", item, here, into, details)


def _start(
    call: Call, verb: str, scenario: str, item: ResourceId, here: ResourceId, into: ResourceId, details: Body
) -> Response:
    response, job = jobs.begin(
        call,
        verb,
        scenario=scenario,
        title="Reprotect",
        target=jobs.item_target(call.cloud, item),
        takes=call.cloud.duration("recovery.switch", item.key, call.cloud.count("switch", item.key)),
        data={"item": item.text, "into": into.text, "here": here.text, "details": details},
    )
    begin(call.cloud, item, job, scenario)
    return response


def checked(cloud: Cloud, record: Record, here: ResourceId, into: ResourceId, details: Body) -> list[Record]:
    """The disks to protect from container `here` into another, if all that is needed is there (S45)."""
    policy = must_find(cloud, details.get("policyId"), "policyId")
    target = fabric_location(cloud, fabric_of(into))
    if cloud.is_lost(target):
        message = f"Region {target} can't be reached: a machine is reprotected when it has returned."
        raise Refused(409, "PrimaryRegionUnavailable", message)
    if mapped(cloud, here, into, policy.key) is None:
        raise bad_request("ContainersNotPaired", f"{here.name} is not mapped to {into.name} with {policy.name}.")
    must_find(cloud, details.get("recoveryResourceGroupId"), "recoveryResourceGroupId")
    machine = resource_id(record["other"])
    if not cloud.exists(machine):
        raise Refused(409, "VirtualMachineNotFound", f"Machine {machine.name} is not there any more (S49).")
    return protected_disks(cloud, machine, details, fabric_location(cloud, fabric_of(here)), target)


def begin(cloud: Cloud, item: ResourceId, job: str, scenario: str) -> None:
    jobs.start_task(cloud, job, "ReprotectPrerequisitesCheckTask", "Prerequisites check for re-protection")
    records.change(cloud, item, phase=Phase.REPROTECTING)
    records.scenario(cloud, item, scenario, job)
    cloud.at(cloud.now + TURN_OFF_AFTER, STEP, item.key, {"job": job, "step": "off"})


@event(STEP)
def step(cloud: Cloud, subject: str, data: Any) -> None:
    """The old machine goes: turned off first, deleted a minute later."""
    record, body = records.get(cloud, subject), cloud.body(subject)
    if record is None or body is None or records.phase_of(record) != Phase.REPROTECTING:
        return
    item, old = resource_id(str(body["id"])), resource_id(record["vm"])
    if cloud.is_lost(cloud.region_of(old)):
        cloud.at(cloud.now + TURN_OFF_AFTER, STEP, item.key, data)
        return
    if data["step"] == "off":
        jobs.start_task(cloud, data["job"], "ShutdownOldVmTask", "Turn off the virtual machine in the other region")
        _turn_off(cloud, item, old)
        cloud.at(cloud.now + 2 * TURN_OFF_AFTER, STEP, item.key, {**data, "step": "delete"})
        return
    jobs.start_task(cloud, data["job"], "DeleteOldVmTask", "Delete the virtual machine in the other region")
    _delete_old(cloud, record)
    jobs.start_task(cloud, data["job"], "EnableReverseReplicationTask", "Enable replication in the other direction")


def _turn_off(cloud: Cloud, item: ResourceId, old: ResourceId) -> None:
    """The old machine stops, and what would bring its successor back to its place is remembered."""
    machine = cloud.body(old)
    if machine is not None:
        power.halt(cloud, old, "deallocated")
        records.change(cloud, item, home_nics=homeward(cloud, item, machine), home_name=old.name)


def _delete_old(cloud: Cloud, record: Record) -> None:
    """Its NICs go with it; one that another machine has by now stays."""
    if not stays(cloud, record):
        with suppress(Refused):
            landing.take_off(cloud, resource_id(record["vm"]), with_disks=False)


def _over(cloud: Cloud, item: ResourceId) -> Record:
    """The steps that a lost region has held up are done when the job ends."""
    cloud.cancel(STEP, item.key)
    record = records.of(cloud, item)
    old = resource_id(record["vm"])
    if cloud.exists(old):
        if machines.power(cloud, old) != "deallocated":
            _turn_off(cloud, item, old)
        _delete_old(cloud, records.of(cloud, item))
    return records.of(cloud, item)


def _back(cloud: Cloud, item: ResourceId) -> None:
    """Reprotection came to nothing: it can be asked for again."""
    cloud.cancel(STEP, item.key)
    records.change(cloud, item, phase=Phase.COMMITTED)
    records.idle(cloud, item)


def stays(cloud: Cloud, record: Record) -> bool:
    """Whether the old machine is left: X19, or on the way home with unmanaged disks (S47)."""
    unmanaged = not any(disk["managed"] for disk in record["disks"])
    return cloud.settings.keep_source_after_reprotect or (unmanaged and record["direction"] == "RecoveryToPrimary")


@jobs.job_done(CONTAINERS, "switchprotection")
def switched(cloud: Cloud, operation: Operation) -> Body | None:
    item, into = resource_id(operation.data["item"]), resource_id(operation.data["into"])
    fresh = switch(cloud, item, resource_id(operation.data["here"]), into, operation.data["details"])
    jobs.change(
        cloud,
        operation.id,
        customDetails={
            "instanceType": "SwitchProtectionJobDetails",
            "affectedObjectDetails": {},
            "newReplicationProtectedItemId": shown_id(fresh),
        },
    )
    return None


def switch(
    cloud: Cloud,
    item: ResourceId,
    here: ResourceId,
    into: ResourceId,
    details: Body,
    cluster: ResourceId | None = None,
) -> ResourceId:
    """The item begins anew under the other container, as a node of a cluster if told so. Raises `Refused`."""
    record, begun = _turned(cloud, item, here, into, details, "PrimaryToRecovery")
    body = cloud.body(item)
    assert body is not None
    fresh = here.child("replicationProtectedItems", item.name)
    begun["switched"] = True
    begun["disks"] = _with_seeds(cloud, record, begun["disks"])
    begun["cluster"] = None if cluster is None else cluster.text
    shown = _switched_body(cloud, fresh, begun, record, body, into, details)
    forget_replicas(cloud, record)
    cloud.type_of(item).take_away(cloud, item)
    records.drop(cloud, item)
    cloud.let_go(item)
    records.put(cloud, fresh, begun)
    keep(cloud, fresh, ITEMS, shown)
    seeded = any(disk.get("original") for disk in begun["disks"])
    begin_replication(cloud, fresh, "recovery.compare" if seeded else "recovery.seed")
    return fresh


def _turned(
    cloud: Cloud, item: ResourceId, here: ResourceId, into: ResourceId, details: Body, direction: str
) -> tuple[Record, Record]:
    """The record of an item whose old machine is out of the way, and the one that it goes on with. Raises `Refused`,
    and the item can be reprotected again."""
    record = records.of(cloud, item)
    try:
        disks = checked(cloud, record, here, into, details)
    except Refused:
        _back(cloud, item)
        raise
    record = _over(cloud, item)
    machine, policy = resource_id(record["other"]), str(details["policyId"])
    begun = records.new(machine, policy, disks, direction=direction, lifecycle=record["lifecycle"])
    begun |= {"home_nics": record["home_nics"], "network": _home_network(cloud, here, record)}
    begun["other"] = record["vm"] if cloud.exists(resource_id(record["vm"])) else None
    return record, begun


@jobs.job_done(ITEMS, "reProtect")
def reprotected(cloud: Cloud, operation: Operation) -> Body | None:
    """The item goes the other way, under its own id."""
    item, into = operation.resource_id, resource_id(operation.data["into"])
    here, details = resource_id(operation.data["here"]), operation.data["details"]
    back = records.of(cloud, item)["direction"] == "PrimaryToRecovery"
    direction = "RecoveryToPrimary" if back else "PrimaryToRecovery"
    record, begun = _turned(cloud, item, here, into, details, direction)
    forget_replicas(cloud, record)
    records.put(cloud, item, begun)
    records.idle(cloud, item)
    records.properties(
        cloud,
        item,
        {
            "fabricObjectId": looked_up(resource_id(begun["vm"])),
            "protectedDisks": unmanaged(begun),
            "recoveryAzureVMName": record.get("home_name") or resource_id(record["vm"]).name,
            "recoveryAzureResourceGroupId": must_find(cloud, details["recoveryResourceGroupId"], "group").text,
            "recoveryFabricObjectId": None,
            "selectedRecoveryAzureNetworkId": None,
            "lifecycleId": None,
        },
        policyId=shown_id(resource_id(str(details["policyId"]))),
        failoverRecoveryPointId=None,
    )
    begin_replication(cloud, item, "recovery.compare")
    return None


def _switched_body(
    cloud: Cloud, fresh: ResourceId, begun: Record, record: Record, body: Body, into: ResourceId, details: Body
) -> Body:
    """The new item: the old one with its roles swapped, and what brings the machine back to where it was."""
    old = body["properties"]["providerSpecificDetails"]
    machine = cloud.body(begun["vm"]) or {}
    home = record["home_nics"]
    shown = properties_of(
        cloud,
        fresh,
        begun,
        into=into,
        group=must_find(cloud, details["recoveryResourceGroupId"], "recoveryResourceGroupId").text,
        vm_name=record.get("home_name") or resource_id(record["vm"]).name,
        vm_size=str((machine["properties"].get("hardwareProfile") or {}).get("vmSize") or old["recoveryAzureVMSize"]),
        os_type=old["osType"],
        nics=[_unknown_yet(nic, source) for nic, source in zip(home, attached.nics(machine), strict=False)],
        # The group is the machine's, whichever way it is replicated.
        settings={**details, "multiVmGroupName": old.get("multiVmGroupName")},
        first=(old["initialPrimaryFabricLocation"], old["initialRecoveryFabricLocation"]),
    )
    # Recorded: the tags are known from the beginning.
    more = {**shown["providerSpecificDetails"], "vmSyncedConfigDetails": old["vmSyncedConfigDetails"]}
    return {**shown, "providerSpecificDetails": more}


def _unknown_yet(nic: Body, source: ResourceId) -> Body:
    """A NIC of a switched item before it is protected: where it goes is known, what it is now is not (recorded)."""
    configs = [
        {**config, "name": None, "subnetName": None, "staticIPAddress": None, "recoveryLBBackendAddressPoolIds": []}
        for config in nic["ipConfigs"]
    ]
    now = {"sourceNicArmId": looked_up(source), "vMNetworkName": None, "selectionType": "NotSelected"}
    return {**nic, **now, "ipConfigs": configs}


def _with_seeds(cloud: Cloud, record: Record, disks: list[Record]) -> list[Record]:
    """Each disk with the old disk that it is compared with, if that is still there (S46)."""
    old = {disk["lun"]: disk["source"] for disk in record["disks"] if disk["managed"]}
    return [
        {**disk, "original": old[disk["lun"]]}
        if disk["lun"] in old and cloud.body(str(old[disk["lun"]])) is not None
        else disk
        for disk in disks
    ]


def _home_network(cloud: Cloud, here: ResourceId, record: Record) -> str | None:
    """Where the machine came from; without the old machine, what its network is mapped to."""
    if record["home_nics"]:
        return str(record["home_nics"][0]["recoveryVMNetworkId"])
    return default_network(cloud, fabric_of(here), cloud.body(record["other"]) or {})


def other_container(cloud: Cloud, body: Body) -> ResourceId:
    return must_find(cloud, body["properties"]["recoveryContainerId"], "recoveryContainerId")
