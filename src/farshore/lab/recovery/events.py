"""replicationEvents: what has happened in a vault that somebody should know of (S8).

A protected machine that gets a health error, and one that is rid of its last (`VmHealth`), and a job that failed
(`JobFailure`). The service looks at its items whenever a recovery point is due. What an event's code is in Azure to
Azure has not been measured; here it is the code of the error, and for a machine that is well again the code that is
recorded of other providers, and names none of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab.answers import child_not_found
from farshore.lab.call import Call
from farshore.lab.paging import page
from farshore.lab.recovery import filters, health, jobs, records
from farshore.lab.recovery.names import EVENTS, FABRICS, VAULTS, looked_up, shown_id
from farshore.lab.recovery.objects import Shown, fabric_location, fabric_of
from farshore.lab.registry import listener, resource_type, view
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

TABLE = "recovery.events"
HEALTH_CHANGED = "SRSVMHealthChanged"
_NAMES = {"starttime": "timeofoccurrence", "endtime": "timeofoccurrence", "fabricname": "fabricid"}


@resource_type(EVENTS)
class Events(Shown):
    noun = "event"
    kind = "Event"

    def get(self, call: Call) -> Response:
        row = call.cloud.table(TABLE).get(call.id.key)
        if row is None:
            raise child_not_found(call.id)
        return Response(status=200, body=row)


@view(VAULTS, "replicationEvents")
def listed(call: Call) -> Response:
    """The vault's events, newest first (recorded); `$filter` over names of an event's properties, `startTime` and
    `endTime`."""
    call.must_exist()
    tests = filters.tests(call.query.get("$filter", ""), _NAMES)
    prefix = call.id.key + "/"
    rows = [row for key, row in call.cloud.table(TABLE).items() if key.startswith(prefix)]
    rows = [row for row in rows if all(test(row) for test in tests)]
    newest = sorted(rows, key=lambda row: (row["properties"]["timeOfOccurrence"], row["name"]), reverse=True)
    return page(call, newest)


@listener("recovery.looked")
def health_changed(cloud: Cloud, subject: str, data: Any) -> None:
    """An item has a health error that it had not when it was looked at last, or has none any more."""
    record, body = records.get(cloud, subject), cloud.body(subject)
    if record is None or body is None:
        return
    item = resource_id(str(body["id"]))
    errors = health.health_errors(cloud, item, record, body["properties"])
    told, now = set(record.get("told") or []), {error["errorCode"] for error in errors}
    if told == now:
        return
    records.change(cloud, item, told=sorted(now))
    name = body["properties"]["friendlyName"]
    for error in errors:
        if error["errorCode"] not in told:
            text, level = health.summary_of(error), str(error["errorLevel"])
            _write(cloud, item, "VmHealth", error["errorCode"], text, level, name, errors=[error])
    if not now:
        _write(cloud, item, "VmHealth", HEALTH_CHANGED, "Replication health changed to OK.", "OK", name)


@listener("recovery.jobFailed")
def job_failed(cloud: Cloud, subject: str, data: Any) -> None:
    """`data` is what the job was about."""
    row = jobs.get(cloud, subject)
    assert row is not None
    job, about = row["properties"], resource_id(data["about"])
    error = job["errors"][-1]["serviceErrorDetails"]
    details = {
        "instanceType": "JobStatus",
        "jobId": row["id"],
        "jobFriendlyName": job["friendlyName"],
        "jobStatus": job["state"],
        "affectedObjectType": job["targetInstanceType"],
    }
    _write(
        cloud,
        about,
        "JobFailure",
        error["code"],
        f"{job['friendlyName']} failed: {error['message']}",
        "Critical",
        job["targetObjectName"],
        details=details,
    )


def _write(
    cloud: Cloud,
    about: ResourceId,
    kind: str,
    code: str,
    description: str,
    severity: str,
    name: str,
    *,
    errors: list[Body] | None = None,
    details: Body | None = None,
) -> None:
    vault = about.top
    id_ = vault.child("replicationEvents", cloud.guid("event", about.key, cloud.count("event", about.key)))
    fabric = fabric_of(about) if about.type.lower().startswith(FABRICS.lower()) else None
    properties = {
        "eventCode": code,
        "description": description,
        "eventType": kind,
        "affectedObjectFriendlyName": name,
        "affectedObjectCorrelationId": jobs.entity_id(cloud, about),
        "severity": severity,
        "timeOfOccurrence": stamp(cloud.now),
        "fabricId": None if fabric is None else shown_id(fabric),
        "providerSpecificDetails": _provider(cloud, about),
        "eventSpecificDetails": details,
        "healthErrors": errors or [],
    }
    cloud.table(TABLE)[id_.key] = {"id": shown_id(id_), "name": id_.name, "type": EVENTS, "properties": properties}


def _provider(cloud: Cloud, about: ResourceId) -> Body | None:
    """What Azure to Azure adds to an event about one of its items."""
    record, body = records.get(cloud, about), cloud.body(about)
    if record is None or body is None:
        return None
    ends = fabric_of(about), resource_id(str(body["properties"]["recoveryFabricId"]))
    return {
        "instanceType": "A2A",
        "protectedItemName": about.name,
        "fabricObjectId": looked_up(resource_id(record["vm"])),
        "fabricName": ends[0].name,
        "fabricLocation": fabric_location(cloud, ends[0]),
        "remoteFabricName": ends[1].name,
        "remoteFabricLocation": fabric_location(cloud, ends[1]),
    }
