"""Disks that join or leave a protected item, and the warnings that a client may dismiss (S6).

addDisks             disks that the machine has and replication has not; each is Protected when it has been copied
                     whole, and recovery points from before that are without it
removeDisks          never the operating system's disk; the replica goes with it
resolveHealthErrors  an error whose `customerResolvability` is Allowed: new disks are to stay unprotected. One that
                     is not there (any more) needs nothing; any other is refused
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab import operations
from farshore.lab.answers import Refused, bad_request
from farshore.lab.call import Call
from farshore.lab.compute import attached
from farshore.lab.recovery import health, item_jobs, jobs, records
from farshore.lab.recovery.disks import disk_records, forget_replicas, in_place, make_replicas
from farshore.lab.recovery.item_bodies import managed, unmanaged
from farshore.lab.recovery.item_settings import details_of
from farshore.lab.recovery.names import ITEMS
from farshore.lab.recovery.objects import fabric_location, fabric_of, objects
from farshore.lab.recovery.records import Record, enter
from farshore.lab.recovery.replicating import BYTES_A_SECOND
from farshore.lab.registry import action, listener
from farshore.lab.storage import volumes
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation


@action(ITEMS, "addDisks")
def add_disks(call: Call) -> Response:
    item, record, body = enter(call, "UnplannedFailover")
    details = details_of(call.properties())
    _joining(call.cloud, item, record, body, details)
    return item_jobs.begin(
        call,
        item,
        "addDisks",
        scenario="AddDisks",
        title="Add disks",
        takes="recovery.update",
        data={"details": details},
    )


@jobs.job_done(ITEMS, "addDisks")
def added(cloud: Cloud, operation: Operation) -> Body | None:
    item = operation.resource_id
    records.idle(cloud, item)
    record, body = records.of(cloud, item), cloud.body(item)
    assert body is not None
    _join(cloud, item, record, _joining(cloud, item, record, body, operation.data["details"]))
    return None


@listener("recovery.looked")
def protect_new_disks(cloud: Cloud, subject: str, data: Any) -> None:
    """Disks that came since, for an item that wants them protected: kept as the operating system's disk is. What
    can't be protected stays a warning."""
    record, body = records.get(cloud, subject), cloud.body(subject)
    if record is None or body is None or operations.busy(cloud, item := resource_id(str(body["id"]))) is not None:
        return
    if body["properties"]["providerSpecificDetails"].get("autoProtectionOfDataDisk") != "Enabled":
        return
    first = record["disks"][0]
    given = [
        {
            "diskId": disk.key,
            "primaryStagingAzureStorageAccountId": first["staging"],
            "recoveryResourceGroupId": first["group"],
        }
        for disk in health.unprotected(cloud, record)
        if disk.id is not None and disk.key.lower() not in record["excluded"]
    ]
    if given and first["managed"]:
        with suppress(Refused):
            _join(cloud, item, record, _joining(cloud, item, record, body, {"vmManagedDisks": given}))


def _join(cloud: Cloud, item: ResourceId, record: Record, joining: list[Record]) -> None:
    make_replicas(cloud, {"disks": joining})
    log = volumes.log(cloud)
    size = sum(length for disk in joining for _, length in log.ranges(disk["volume"]))
    takes = cloud.duration("recovery.seed", item.key, cloud.count("seed", item.key))
    since = stamp(cloud.now + takes + timedelta(seconds=size / BYTES_A_SECOND))
    _keep(cloud, item, [*record["disks"], *({**disk, "since": since} for disk in joining)], record["excluded"])


@action(ITEMS, "removeDisks")
def remove_disks(call: Call) -> Response:
    item, record, _ = enter(call, "UnplannedFailover")
    wanted = _named(call)
    _leaving(record, wanted)
    return item_jobs.begin(
        call,
        item,
        "removeDisks",
        scenario="RemoveDisks",
        title="Remove disks",
        takes="recovery.update",
        data={"disks": wanted},
    )


@jobs.job_done(ITEMS, "removeDisks")
def removed(cloud: Cloud, operation: Operation) -> Body | None:
    item = operation.resource_id
    records.idle(cloud, item)
    record = records.of(cloud, item)
    leaving = _leaving(record, operation.data["disks"])
    left = [disk for disk in record["disks"] if disk not in leaving]
    _keep(cloud, item, left, [*record["excluded"], *operation.data["disks"]])
    forget_replicas(cloud, {"disks": leaving})
    return None


@action(ITEMS, "resolveHealthErrors")
def resolve_health_errors(call: Call) -> Response:
    item, record, body = enter(call, "UnplannedFailover")
    wanted = [str(each.get("healthErrorId")) for each in objects(call.properties().get("healthErrors"), "healthErrors")]
    if not wanted:
        raise bad_request("InvalidParameter", "healthErrors names no error to resolve.", "healthErrors")
    for error in health.health_errors(call.cloud, item, record, body["properties"]):
        if error["errorId"] in wanted and error["customerResolvability"] != "Allowed":
            message = f"The health error {error['errorCode']} can't be dismissed: {error['recommendedAction']}"
            raise Refused(409, "HealthErrorNotResolvable", message)
    return item_jobs.begin(
        call,
        item,
        "resolveHealthErrors",
        scenario="ResolveHealthErrors",
        title="Resolve health errors",
        takes="recovery.quick",
        data={"errors": wanted},
    )


@jobs.job_done(ITEMS, "resolveHealthErrors")
def resolved(cloud: Cloud, operation: Operation) -> Body | None:
    item = operation.resource_id
    records.idle(cloud, item)
    record = records.of(cloud, item)
    if health.error_id(health.NEW_DISKS) in operation.data["errors"]:
        left = [disk.key.lower() for disk in health.unprotected(cloud, record)]
        records.change(cloud, item, excluded=sorted({*record["excluded"], *left}))
    return None


def _joining(cloud: Cloud, item: ResourceId, record: Record, body: Body, details: Body) -> list[Record]:
    """The records of the disks that a request adds. Raises `Refused`."""
    held = {str(disk["source"]).lower() for disk in record["disks"]}
    into = resource_id(str(body["properties"]["recoveryContainerId"]))
    ends = fabric_location(cloud, fabric_of(item)), fabric_location(cloud, fabric_of(into))
    if record["direction"] == "RecoveryToPrimary":
        ends = ends[1], ends[0]
    found = disk_records(cloud, resource_id(record["vm"]), details, *ends)
    for disk in found:
        if str(disk["source"]).lower() in held:
            raise Refused(409, "DiskAlreadyProtected", f"Disk {disk['name']} is protected already.")
        if disk["managed"] != record["disks"][0]["managed"]:
            raise bad_request("InvalidParameter", "A machine's disks are all managed, or all blobs.")
    return found


def _named(call: Call) -> list[str]:
    details = details_of(call.properties())
    found = []
    for name in ("vmManagedDisksIds", "vmDisksUris"):
        given = details.get(name) or []
        if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
            raise bad_request("InvalidRequestContent", f"{name} is a list of texts.", name)
        found += [each.lower() for each in given]
    if not found:
        raise bad_request("VMDisksMissing", "vmManagedDisksIds names no disk to remove.", "vmManagedDisksIds")
    return found


def _leaving(record: Record, wanted: list[str]) -> list[Record]:
    there = {str(disk["source"]).lower(): disk for disk in record["disks"]}
    for key in wanted:
        if key not in there:
            raise bad_request("DiskNotProtected", f"Disk {key} is not protected by this item.")
        if there[key]["lun"] is None:
            raise bad_request("OsDiskNotProtected", "The operating system's disk can't be removed from protection.")
    return [there[key] for key in dict.fromkeys(wanted)]


def _keep(cloud: Cloud, item: ResourceId, disks: list[Record], excluded: list[str]) -> None:
    """The item with these disks; what has left the machine meanwhile is no longer remembered as excluded."""
    record = records.of(cloud, item)
    there = {disk.key.lower() for disk in attached.disks(cloud.body(record["vm"]) or {})}
    record = records.change(
        cloud,
        item,
        disks=in_place(disks),
        excluded=sorted({key for key in excluded if key in there}),
    )
    before = (cloud.body(item) or {})["properties"]["providerSpecificDetails"]
    now = {"protectedManagedDisks": managed(record), "protectedDisks": unmanaged(record)}
    shown = {name: _as_before(before[name], disks_) for name, disks_ in now.items()}
    records.properties(cloud, item, shown)


def _as_before(before: list[Body] | None, now: list[Body] | None) -> list[Body] | None:
    """The disks that were there are shown as they were."""
    known = {str(disk.get("diskId") or disk.get("diskUri")).lower(): disk for disk in before or []}
    return now and [known.get(str(disk.get("diskId") or disk.get("diskUri")).lower(), disk) for disk in now]
