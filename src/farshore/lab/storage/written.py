"""GET /_lab/writes and GET /_lab/disks: what machines wrote, and what a disk holds.

    GET /_lab/writes?disk=ID&since=N&limit=M
    {"value": [{"sequence", "disk", "volume", "offset", "length", "time"}], "next"}

    GET /_lab/disks                         {"value": [{"disk", "size", "sequence"}]}
    GET /_lab/disks?disk=ID&sequence=N      {"disk", "size", "sequence", "sha256"}
    GET /_lab/disks?disk=ID&written=true    the same, `sha256` of what was written alone

`disk` is a managed disk's id or a page blob's URL, as it was named when it was written; a disk that was deleted and
made again under its name has another `volume`. `since` is a sequence number, rows after it are shown; `next` is the
`since` of the following page, or null. Sequence numbers run over all disks in the order of time. A disk that is gone
is still told about. `sha256` is the plain SHA-256 of the whole disk as of write N (now, without N): it is computed
when asked for, so that anybody can compare it with the bytes that he read himself. With `written=true` it is the
digest of each written run's offset and length (8 bytes each, the highest first) and bytes: a disk's page list read by
Azure's own way and its ranges make the same, and nobody hashes a gibibyte of zeros.
"""

from __future__ import annotations

from farshore.arm.http import Response
from farshore.lab.answers import Refused, bad_request, quoted
from farshore.lab.call import Call, whole_number
from farshore.lab.registry import handle
from farshore.lab.storage import volumes
from farshore.times import stamp

PAGE = 1000


@handle("GET", "_lab/writes")
def writes(call: Call) -> Response:
    since, limit = _number(call, "since", 0), _number(call, "limit", PAGE)
    rows = volumes.log(call.cloud).rows(disk=call.query.get("disk"), since=since, limit=limit)
    value = [
        {
            "sequence": row.sequence,
            "disk": row.disk,
            "volume": row.volume,
            "offset": row.offset,
            "length": row.length,
            "time": stamp(row.time),
        }
        for row in rows
    ]
    following = rows[-1].sequence if len(rows) == limit else None
    return Response(status=200, body={"value": value, "next": following})


@handle("GET", "_lab/disks")
def disks(call: Call) -> Response:
    cloud = call.cloud
    log = volumes.log(cloud)
    name = call.query.get("disk")
    if name is None:
        value = [
            {"disk": log.name(number), "size": log.size(number), "sequence": log.head(number)}
            for number in cloud.table("volume_names").values()
        ]
        return Response(status=200, body={"value": value})
    number = volumes.volume_of(cloud, name) or log.named(name)
    if number is None:
        raise Refused(404, "NotFound", f"There is no disk {name}.")
    sequence = _number(call, "sequence", log.last_sequence)
    digest = log.written_sha256 if call.query.get("written", "").lower() == "true" else log.sha256
    body = {
        "disk": log.name(number),
        "size": log.size(number),
        "sequence": log.head(number, sequence),
        "sha256": digest(number, sequence),
    }
    return Response(status=200, body=body)


def _number(call: Call, name: str, default: int) -> int:
    text = call.query.get(name, str(default))
    found = whole_number(text)
    if found is None:
        raise bad_request("InvalidQueryParameterValue", f"{name} is a number, not {quoted(text)}.", name)
    return found
