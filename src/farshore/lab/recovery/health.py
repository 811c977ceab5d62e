"""What a protected item shows of the present: state, recovery point objective, health (S19, S21, S22).

Health errors: 161011 until a test failover has been done and cleaned up (a warning on the item's failover
health), 153007 when there has been no crash-consistent point for an hour (critical), 153039 while the machine has disks
that came after protection and are not replicated (Azure's page on replication issues of its machines; a warning that a
client may dismiss with `resolveHealthErrors`), and what `ailments.py` was told to show.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.lab import operations
from farshore.lab.compute import attached
from farshore.lab.compute.attached import Attached
from farshore.lab.recovery import ailments, records, shipping
from farshore.lab.recovery.disks import arrived
from farshore.lab.recovery.jobs import entity_id
from farshore.lab.recovery.records import Record
from farshore.lab.recovery.states import NOT_YET, REPLICATING, SHOWN, Phase
from farshore.lab.storage import volumes
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

NO_TEST, NO_POINT, NEW_DISKS = "161011", "153007", "153039"
SUMMARIES = {
    NO_TEST: "No successful test failover",
    NO_POINT: "No crash consistent recovery point in the last 60 minutes",
    NEW_DISKS: "Disks available for protection",
}
TOO_LONG = timedelta(minutes=60)
"""Without a crash-consistent point (S22)."""
MIB = 1 << 20


def present(cloud: Cloud, item: ResourceId, record: Record, properties: Body) -> Body:
    """An item's properties as of now."""
    phase = records.phase_of(record)
    shown = SHOWN[phase]
    busy = operations.busy(cloud, item) is not None
    errors = health_errors(cloud, item, record, properties)
    failover = {error["errorLevel"] for error in errors if error["errorCategory"] == "TestFailover"}
    replication = {error["errorLevel"] for error in errors if error["errorCategory"] != "TestFailover"}
    found = {
        **properties,
        "protectionState": shown.state,
        "protectionStateDescription": shown.description,
        "allowedOperations": [] if busy else [*shown.allowed, *_repairs(cloud, record, phase)],
        "replicationHealth": worst(replication),
        "failoverHealth": worst(failover),
        "healthErrors": errors,
    }
    found["providerSpecificDetails"] = _details(cloud, record, phase, properties["providerSpecificDetails"])
    return found


def _repairs(cloud: Cloud, record: Record, phase: Phase) -> list[str]:
    return ["RepairReplication"] if phase in REPLICATING and shipping.broken(cloud, record) else []


def worst(levels: Iterable[str]) -> str:
    """The gravest of some levels of errors or of health."""
    found = set(levels)
    return next((level for level in ("Critical", "Warning") if level in found), "Normal")


def health_errors(cloud: Cloud, item: ResourceId, record: Record, properties: Body) -> list[Body]:
    if records.phase_of(record) not in REPLICATING:
        return []
    name = properties["friendlyName"]
    since = records.time_of(record, "protected_at")
    last = records.time_of(record, "last_point")
    found = []
    if not record.get("tested"):
        found.append(
            _error(
                cloud,
                item,
                code=NO_TEST,
                level="Warning",
                category="TestFailover",
                message=f"No successful test failover has been done on the virtual machine '{name}'.",
                causes="No successful test failover has been done on the virtual machine after it was replicated.",
                action="Do a test failover on the virtual machine.",
                since=since,
            )
        )
    for ailment in ailments.errors(cloud, record, name):
        found.append(_error(cloud, item, category="Replication", **ailment))
    if last is not None and cloud.now - last > TOO_LONG:
        found.append(
            _error(
                cloud,
                item,
                code=NO_POINT,
                level="Critical",
                category="Replication",
                message=f"No crash consistent recovery point available for the VM '{name}' in the last 60 minutes.",
                causes="The source does not run or can't be reached, or changes faster than they can be shipped.",
                action="See that the source runs and that its way to the cache storage account is open.",
                since=last + TOO_LONG,
            )
        )
    new = [disk for disk in unprotected(cloud, record) if disk.key.lower() not in record["excluded"]]
    if new:
        found.append(
            _error(
                cloud,
                item,
                code=NEW_DISKS,
                level="Warning",
                category="Replication",
                message=f"{len(new)} disk(s) of the virtual machine '{name}' are available for protection.",
                causes="Disks were added to the virtual machine after its replication was enabled.",
                action="Protect the disks, or dismiss this warning.",
                since=since,
                resolvable=True,
            )
        )
    return found


def summary_of(error: Body) -> str:
    """An error in a few words; one that has none of its own is told whole."""
    return SUMMARIES.get(str(error["errorCode"]), str(error["errorMessage"]))


def error_id(code: str) -> str:
    """By which a client names an error to resolve."""
    return f"6:{code}"


def unprotected(cloud: Cloud, record: Record) -> list[Attached]:
    """The disks that are attached to an item's machine and are not replicated."""
    held = {str(disk["source"]).lower() for disk in record["disks"]}
    return [disk for disk in attached.disks(cloud.body(record["vm"]) or {}) if disk.key.lower() not in held]


def _details(cloud: Cloud, record: Record, phase: Phase, details: Body) -> Body:
    protected = phase not in NOT_YET
    state = "Protected" if protected else "UnprotectedStatesBegin"
    found = {
        **details,
        "vmProtectionState": state,
        "vmProtectionStateDescription": "Protected" if protected else "Enabling protection",
        "lastHeartbeat": stamp(_minute(cloud.now)) if record["shipping"] or not protected else record["shipped_until"],
    }
    last = records.time_of(record, "last_point")
    if phase in REPLICATING and last is not None:
        calculated = _minute(cloud.now)
        found["rpoInSeconds"] = max(0, int((calculated - last).total_seconds()))
        found["lastRpoCalculatedTime"] = stamp(calculated)
    if phase in REPLICATING and (left := unprotected(cloud, record)):
        auto = {"diskAutoProtectionStatus": details.get("autoProtectionOfDataDisk") or "Disabled"}
        found["unprotectedDisks"] = [{"diskLunId": disk.lun, **auto} for disk in left]
    for key in ("protectedManagedDisks", "protectedDisks"):
        if details[key]:
            found[key] = [_disk(cloud, record, phase, shown) for shown in details[key]]
    return found


def _disk(cloud: Cloud, record: Record, phase: Phase, shown: Body) -> Body:
    protected = phase not in NOT_YET
    source = str(shown.get("diskId") or shown.get("diskUri")).lower()
    disk = next(disk for disk in record["disks"] if str(disk["source"]).lower() == source)
    pending = 0.0
    if protected and record["points"] and phase in REPLICATING:
        pending = volumes.log(cloud).written_after(disk["volume"], record["points"][-1]["sequence"]) / MIB
    joined = protected and arrived(disk, cloud.now)
    first = phase in (Phase.INITIAL_REPLICATION, Phase.FIRST_POINT_PENDING) or (protected and not joined)
    job = "InitialReplication" if first else None
    state = "Protected" if joined else "InitialReplicationPending"
    return {
        **shown,
        "diskState": state,
        "resyncRequired": phase in REPLICATING and disk in shipping.broken(cloud, {"disks": [disk]}),
        "monitoringJobType": job,
        "dataPendingAtSourceAgentInMB": pending,
    }


def _error(
    cloud: Cloud,
    item: ResourceId,
    *,
    code: str,
    level: str,
    category: str,
    message: str,
    causes: str,
    action: str,
    since: datetime | None,
    resolvable: bool = False,
) -> Body:
    return {
        "innerHealthErrors": [],
        "errorSource": "ReplicationUnitFailoverValidatorError",
        "errorType": "8010",
        "errorLevel": level,
        "errorCategory": category,
        "errorCode": code,
        "summaryMessage": "",
        "errorMessage": message,
        "possibleCauses": causes,
        "recommendedAction": action,
        "creationTimeUtc": stamp(since or cloud.now),
        "recoveryProviderErrorMessage": None,
        "entityId": entity_id(cloud, item),
        "errorId": error_id(code),
        "customerResolvability": "Allowed" if resolvable else "NotAllowed",
    }


def _minute(now: datetime) -> datetime:
    """The service looks once a minute."""
    return now.replace(second=0, microsecond=0)
