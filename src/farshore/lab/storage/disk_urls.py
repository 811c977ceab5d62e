"""URLs that read a disk's bytes for a while: shared access signatures of managed disks.

`beginGetAccess` answers `{lab}/_disk/{disk guid}/abcd?sv=..&sr=b&sig=..`, Azure's own form behind a path of the lab.
Until it expires, or `endGetAccess` takes it back, GET and HEAD answer the bytes as a page blob would
(`lab/storage/ranges.py`). Extension of the lab: `&sequence=N` reads the disk as it was right after write N of the
write log (`GET /_lab/writes`); the signature does not cover it.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId
from farshore.lab.call import Call
from farshore.lab.regions import must_reach
from farshore.lab.registry import handle
from farshore.lab.storage import ranges, volumes
from farshore.times import moment, stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

TABLE = "disk_access"
VERSION = "2018-03-28"


def lend(cloud: Cloud, disk: ResourceId, base: str, seconds: int) -> str:
    """A new URL for this disk, good for so many seconds."""
    name = cloud.guid("access", disk.key, cloud.count("access", disk.key))
    until = cloud.now + timedelta(seconds=seconds)
    signature = b64encode(hashlib.sha256(f"{cloud.seed_number}/{name}".encode()).digest()).decode()
    cloud.table(TABLE)[name] = {"disk": disk.text, "until": stamp(until), "sig": signature}
    se = until.strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{base}/_disk/{name}/abcd?sv={VERSION}&sr=b&sp=r&se={quote(se)}&sig={quote(signature, safe='')}"


def take_back(cloud: Cloud, disk: ResourceId) -> None:
    rows = cloud.table(TABLE)
    for name in [name for name, row in rows.items() if row["disk"].lower() == disk.key]:
        del rows[name]


def lent(cloud: Cloud, disk: ResourceId) -> bool:
    """Whether somebody holds a URL for this disk that has not expired."""
    rows = cloud.table(TABLE).values()
    return any(row["disk"].lower() == disk.key and moment(row["until"]) > cloud.now for row in rows)


@handle("HEAD", "_disk")
@handle("GET", "_disk")
def read_disk(call: Call) -> Response:
    cloud = call.cloud
    row = cloud.table(TABLE).get(call.rest.split("/", 1)[0])
    if row is None or row["sig"] != call.query.get("sig") or moment(row["until"]) <= cloud.now:
        return ranges.refused(403, "AuthenticationFailed", "Server failed to authenticate the request.")
    disk = cloud.body(row["disk"])
    number = volumes.volume_of(cloud, row["disk"])
    if disk is None or number is None:
        return ranges.refused(404, "BlobNotFound", "The specified blob does not exist.")
    must_reach(cloud, str(disk.get("location")))
    return ranges.answer(call, number)
