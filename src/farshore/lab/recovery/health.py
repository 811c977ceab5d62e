"""What a protected item shows of the present: state, recovery point objective, health (S19, S21, S22).

Two health errors: 161011 until a test failover has been done and cleaned up (a warning on the item's failover
health), 153007 when there has been no crash-consistent point for an hour (critical).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.lab import operations
from farshore.lab.recovery import records
from farshore.lab.recovery.jobs import entity_id
from farshore.lab.recovery.records import Record
from farshore.lab.recovery.states import REPLICATING, SHOWN, Phase
from farshore.lab.storage import volumes
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

TOO_LONG = timedelta(minutes=60)
MIB = 1 << 20


def present(cloud: Cloud, item: ResourceId, record: Record, properties: Body) -> Body:
    """An item's properties as of now."""
    phase = records.phase_of(record)
    shown = SHOWN[phase]
    busy = operations.busy(cloud, item) is not None
    errors = health_errors(cloud, item, record, properties)
    levels = {error["errorLevel"] for error in errors}
    found = {
        **properties,
        "protectionState": shown.state,
        "protectionStateDescription": shown.description,
        "allowedOperations": [] if busy else list(shown.allowed),
        "replicationHealth": "Critical" if "Critical" in levels else "Normal",
        "failoverHealth": "Warning" if "Warning" in levels else "Normal",
        "healthErrors": errors,
    }
    found["providerSpecificDetails"] = _details(cloud, record, phase, properties["providerSpecificDetails"])
    return found


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
                code="161011",
                level="Warning",
                category="TestFailover",
                message=f"No successful test failover has been done on the virtual machine '{name}'.",
                causes="No successful test failover has been done on the virtual machine after it was replicated.",
                action="Do a test failover on the virtual machine.",
                since=since,
            )
        )
    if last is not None and cloud.now - last > TOO_LONG:
        found.append(
            _error(
                cloud,
                item,
                code="153007",
                level="Critical",
                category="Replication",
                message=f"No crash consistent recovery point available for the VM '{name}' in the last 60 minutes.",
                causes="The source does not run or can't be reached, or changes faster than they can be shipped.",
                action="See that the source runs and that its way to the cache storage account is open.",
                since=last + TOO_LONG,
            )
        )
    return found


def _details(cloud: Cloud, record: Record, phase: Phase, details: Body) -> Body:
    protected = phase not in (Phase.ENABLING, Phase.INITIAL_REPLICATION, Phase.FIRST_POINT_PENDING)
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
    for key in ("protectedManagedDisks", "protectedDisks"):
        if details[key]:
            found[key] = [_disk(cloud, record, phase, shown) for shown in details[key]]
    return found


def _disk(cloud: Cloud, record: Record, phase: Phase, shown: Body) -> Body:
    protected = phase not in (Phase.ENABLING, Phase.INITIAL_REPLICATION, Phase.FIRST_POINT_PENDING)
    source = str(shown.get("diskId") or shown.get("diskUri")).lower()
    disk = next(disk for disk in record["disks"] if str(disk["source"]).lower() == source)
    pending = 0.0
    if protected and record["points"] and phase in REPLICATING:
        pending = volumes.log(cloud).written_after(disk["volume"], record["points"][-1]["sequence"]) / MIB
    job = "InitialReplication" if phase in (Phase.INITIAL_REPLICATION, Phase.FIRST_POINT_PENDING) else None
    state = "Protected" if protected else "InitialReplicationPending"
    return {**shown, "diskState": state, "monitoringJobType": job, "dataPendingAtSourceAgentInMB": pending}


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
        "errorId": f"6:{code}",
        "customerResolvability": "NotAllowed",
    }


def _minute(now: datetime) -> datetime:
    """The service looks once a minute."""
    return now.replace(second=0, microsecond=0)
