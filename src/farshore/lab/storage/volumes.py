"""The lab's write log, and which volume each disk keeps its bytes in.

`log(cloud)` is the lab's one log, brought up to the lab's moment. Disks and snapshots are known by their ARM id, page
blobs by their URL; a name that is deleted and made again gets another volume, and the log keeps the rows of both.
Every function here that changes the log also hands what is new to the store, so that it is committed with the answer
that rests on it.

    volumes        number -> name, size, parent, since when a machine writes, origin
    writes         first sequence of a batch -> packed rows (raw)
    volume_names   disk id or blob URL, lower case -> number
    write_log      "now" -> the moment up to which the log has been brought
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from farshore.lab.storage.blocks import BLOCK
from farshore.lab.storage.write_log import Volume, WriteLog
from farshore.times import moment, stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

_ROW = struct.Struct(">QIqQI")
_LOGS: WeakKeyDictionary[Cloud, WriteLog] = WeakKeyDictionary()

_MIB = 1 << 20
IMAGES = {
    "image:os": ((0, BLOCK), (_MIB, 2 * _MIB)),
    "image:data": ((0, BLOCK), (_MIB, 64 * 1024)),
}
"""What an installed system and a formatted disk have written: (offset, length). Disks of one image begin alike."""


def log(cloud: Cloud) -> WriteLog:
    """The lab's write log as of the lab's moment."""
    found = _LOGS.get(cloud)
    if found is None:
        found = _LOGS[cloud] = _open(cloud)
    found.advance(cloud.now)
    save(cloud, found)
    return found


def volume_of(cloud: Cloud, name: str) -> int | None:
    """The volume of a disk's id or a blob's URL."""
    found: int | None = cloud.table("volume_names").get(name.lower())
    return found


def ensure(cloud: Cloud, name: str, size: int, image: str | None = None) -> int:
    """The volume of this name: the one that is there, grown if need be, or a new one made from an image or empty."""
    number = volume_of(cloud, name)
    writes = log(cloud)
    if number is None:
        held = None if image is None else _image(cloud, image)
        number = writes.create(name, size, cloud.now, image=held)
        cloud.table("volume_names")[name.lower()] = number
    elif writes.size(number) < size:
        writes.resize(number, size)
    save(cloud, writes)
    return number


def branch(cloud: Cloud, name: str, parent: int, sequence: int, size: int | None = None) -> int:
    """A new volume of this name that holds what `parent` held after write `sequence`."""
    writes = log(cloud)
    number = writes.branch(parent, sequence, name=name, size=size or writes.size(parent), now=cloud.now)
    cloud.table("volume_names")[name.lower()] = number
    save(cloud, writes)
    return number


def follow(cloud: Cloud, name: str, parent: int, sequence: int) -> None:
    """The replica of this name holds what `parent` held after write `sequence`."""
    number = volume_of(cloud, name)
    if number is None:
        branch(cloud, name, parent, sequence)
        return
    writes = log(cloud)
    writes.follow(number, parent, sequence)
    save(cloud, writes)


def rename(cloud: Cloud, old: str, new: str) -> None:
    """The same bytes under another name: a replica that takes over a seed."""
    names = cloud.table("volume_names")
    names[new.lower()] = names.pop(old.lower())


def forget(cloud: Cloud, name: str) -> None:
    """The disk is gone; what was written to it stays in the log."""
    number = cloud.table("volume_names").pop(name.lower(), None)
    if number is not None:
        stop(cloud, [number])


def start(cloud: Cloud, volumes: list[int], rate: float) -> None:
    """A machine runs and writes to these volumes: its rate in bytes a second, shared out evenly."""
    writes = log(cloud)
    for number in volumes:
        writes.start(number, cloud.now, rate / len(volumes))
    save(cloud, writes)


def stop(cloud: Cloud, volumes: list[int]) -> None:
    writes = log(cloud)
    for number in volumes:
        writes.stop(number, cloud.now)
    save(cloud, writes)


def save(cloud: Cloud, writes: WriteLog) -> None:
    """Hand what is new to the store."""
    volumes, rows = writes.unsaved()
    for held in volumes:
        cloud.table("volumes")[str(held.number)] = _volume_row(held)
    if rows:
        packed = b"".join(_ROW.pack(*row) for row in rows)
        cloud.table("writes", raw=True)[f"{rows[0][0]:012}"] = packed
    if volumes or rows:
        cloud.table("write_log")["now"] = stamp(writes.now)


def _open(cloud: Cloud) -> WriteLog:
    kept = cloud.table("write_log").get("now")
    found = WriteLog(seed=cloud.seed_number, start=cloud.now if kept is None else moment(kept))
    if kept is not None:
        volumes = [_volume(int(key), row) for key, row in cloud.table("volumes").items()]
        found.restore(volumes, _rows(cloud), moment(kept))
    return found


def _rows(cloud: Cloud) -> Iterator[tuple[int, int, int, int, int]]:
    for packed in cloud.table("writes", raw=True).values():
        yield from _ROW.iter_unpack(packed)


def _volume_row(held: Volume) -> dict[str, Any]:
    return {
        "name": held.name,
        "size": held.size,
        "parent": held.parent,
        "parent_sequence": held.parent_sequence,
        "writing_since": held.writing_since,
        "rate": held.rate,
        "origin": held.origin.hex(),
    }


def _volume(number: int, row: dict[str, Any]) -> Volume:
    return Volume(number=number, **{**row, "origin": bytes.fromhex(row["origin"])})


def _image(cloud: Cloud, image: str) -> int:
    number = volume_of(cloud, image)
    if number is None:
        writes = log(cloud)
        number = writes.create(image, 4 * _MIB, cloud.now)
        for offset, length in IMAGES[image]:
            writes.write(number, offset, length, cloud.now)
        cloud.table("volume_names")[image] = number
    return number
