"""Microsoft.Network/networkWatchers/packetCaptures: shape only. What a capture would write, and whether it would still.

    PUT               defaults for what was not said; a capture begins at once
    POST queryStatus  202 with location and, already there, what it will say: Running, Stopped (recorded)
    POST stop         202 with both headers

Nothing is captured: packets of the lab are computed and never sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from farshore.arm.http import Response
from farshore.arm.json import Body
from farshore.lab import operations
from farshore.lab.call import Call
from farshore.lab.registry import action, completion
from farshore.lab.types import Put
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

CAPTURES = "Microsoft.Network/networkWatchers/packetCaptures"
DEFAULTS = {"bytesToCapturePerPacket": 0, "totalBytesPerSession": 1 << 30, "timeLimitInSeconds": 18000}
"""All of each packet, 1 GiB, five hours (recorded)."""
STARTED = "packetCaptures.started"
"""Key of a capture -> {"at", "stopped"}."""


def capture(put: Put) -> Body:
    """What a capture shows beside what was sent."""
    rows = put.cloud.table(STARTED)
    if put.created:
        rows[put.id.key] = {"at": stamp(put.cloud.now), "stopped": False}
    said = {name: put.properties.get(name, value) for name, value in DEFAULTS.items()}
    place = dict(put.properties.get("storageLocation") or {})
    if place.get("storagePath"):
        place["storagePathFileName"] = str(place["storagePath"]).rsplit("/", 1)[-1]
    return {**said, "filters": put.properties.get("filters") or [], "storageLocation": place}


def _status(cloud: Cloud, operation: Operation) -> Body:
    operations.must_be_there(cloud, operation)
    id_ = operation.resource_id
    row = cloud.table(STARTED).get(id_.key) or {"at": operation.started, "stopped": True}
    return {
        "name": id_.name,
        "id": id_.text,
        "captureStartTime": row["at"],
        "packetCaptureStatus": "Stopped" if row["stopped"] else "Running",
        "packetCaptureError": [],
    }


@action(CAPTURES, "queryStatus")
def query_status(call: Call) -> Response:
    call.must_exist()
    answer = call.accept("queryStatus", duration="network.query")
    operation = operations.find(call.cloud, answer.headers["location"].split("?")[0].rsplit("/", 1)[-1])
    assert operation is not None
    return Response(status=202, headers=answer.headers, body=_status(call.cloud, operation))


@action(CAPTURES, "stop")
def stop(call: Call) -> Response:
    call.must_exist()
    return call.accept("stop", duration="network.query", headers=("azure-asyncoperation", "location"))


@completion(CAPTURES, "stop")
def stopped(cloud: Cloud, operation: Operation) -> Body | None:
    operations.must_be_there(cloud, operation)
    rows = cloud.table(STARTED)
    row = rows.get(operation.resource_id.key)
    if row is not None:
        rows[operation.resource_id.key] = {**row, "stopped": True}
    return None


completion(CAPTURES, "queryStatus")(_status)
