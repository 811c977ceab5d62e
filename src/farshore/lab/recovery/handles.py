"""GET /_lab/recovery-points: every recovery point there ever was, and what became of it.

    GET /_lab/recovery-points[?item=ID][&used=true][&sha256=true]
    {"value": [{"id", "item", "machine", "time", "type", "sequence",
                "disks": [{"disk", "volume", "sequence", "sha256"}],
                "used_by": [{"job", "scenario", "machine", "time",
                             "disks": [{"source", "disk", "volume", "sequence", "bytes_lost", "sha256"}]}]}]}

A point is one write of the lab's log, `sequence`: all disks of a machine as of that write. Each disk's own `sequence`
is the last write to it that the point holds; `volume` tells disks of one name apart (`/_lab/writes`). `used_by` has
the failovers and tests that were made of it, and the disks that they made, each with the write it began with.
`bytes_lost` is what the source's disk had taken after the point when the new disk was made; what a stale machine
writes later is no loss of this failover. `sha256` is computed when asked for: of the source as of the point, and of
the disk that was made as it was then. That they are equal is the lab's promise, and can be checked by reading both
(`lab/storage/disk_urls.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from farshore.arm.http import Response
from farshore.arm.json import Body
from farshore.lab.call import Call
from farshore.lab.recovery.shipping import HISTORY
from farshore.lab.registry import handle
from farshore.lab.storage import volumes

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud


@handle("GET", "_lab/recovery-points")
def recovery_points(call: Call) -> Response:
    item = call.query.get("item", "").lower()
    used, hashed = call.query.get("used") == "true", call.query.get("sha256") == "true"
    value = [
        _shown(call.cloud, row, hashed)
        for row in call.cloud.table(HISTORY).values()
        if (not item or row["item"].lower() == item) and (not used or row["used_by"])
    ]
    return Response(status=200, body={"value": value})


def _shown(cloud: Cloud, row: Body, hashed: bool) -> Body:
    head = {name: row[name] for name in ("id", "item", "machine", "time", "sequence")}
    disks = [{"disk": disk["disk"], **_state(cloud, disk["volume"], row["sequence"], hashed)} for disk in row["disks"]]
    used_by = [
        {
            **{name: used[name] for name in ("job", "scenario", "machine", "time")},
            "disks": [
                {
                    "source": disk["source"],
                    "disk": disk["disk"],
                    "bytes_lost": _lost(cloud, row, disk["source"], used["last_sequence"]),
                    **_state(cloud, disk["volume"], row["sequence"], hashed),
                }
                for disk in used["disks"]
            ],
        }
        for used in row["used_by"]
    ]
    return {**head, "type": row["kind"], "disks": disks, "used_by": used_by}


def _lost(cloud: Cloud, row: Body, source: str, until: int) -> int:
    """Bytes of the source's writes between the point and the moment at which it was used."""
    volume = next(disk["volume"] for disk in row["disks"] if disk["disk"] == source)
    return volumes.log(cloud).written_after(volume, row["sequence"], until)


def _state(cloud: Cloud, volume: int, sequence: int, hashed: bool) -> Body:
    log = volumes.log(cloud)
    found: Body = {"volume": volume, "sequence": log.head(volume, sequence)}
    return {**found, "sha256": log.sha256(volume, sequence)} if hashed else found
