"""Replication groups (S12, S58): machines of one vault under one `multiVmGroupName`, whose points are of one moment.

While all of them ship their changes, a point that is ready is one for the whole group; while one does not, each has
points of its own. At most 16 machines are of one group.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from farshore.arm.ids import ResourceId
from farshore.lab.answers import Refused
from farshore.lab.recovery import records
from farshore.lab.recovery.records import Record
from farshore.lab.recovery.states import REPLICATING

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

MOST = 16


def id_of(cloud: Cloud, item: ResourceId, name: object, lifecycle: str) -> str:
    """The group's id: one for all that are in it; of a machine alone, its own."""
    return cloud.guid("group", item.top.key, str(name).lower()) if name else cloud.guid("group", lifecycle)


def name_of(cloud: Cloud, item: ResourceId) -> str | None:
    """The group that an item was put into."""
    details = ((cloud.body(item) or {}).get("properties") or {}).get("providerSpecificDetails") or {}
    return details.get("multiVmGroupName") or None


def members(cloud: Cloud, item: ResourceId, name: str) -> list[tuple[ResourceId, Record]]:
    """Every item of a group, in the order of their ids."""
    found = [
        (other, record)
        for other, record in records.items(cloud)
        if other.top == item.top and (name_of(cloud, other) or "").lower() == name.lower()
    ]
    return sorted(found, key=lambda each: each[0].key)


def together(cloud: Cloud, item: ResourceId) -> list[tuple[ResourceId, Record]] | None:
    """The group of an item where all of it is replicating now; None of one that is alone."""
    name = name_of(cloud, item)
    if name is None:
        return None
    found = members(cloud, item, name)
    ships = all(record["shipping"] and records.phase_of(record) in REPLICATING for _, record in found)
    return found if len(found) > 1 and ships else None


def check(cloud: Cloud, item: ResourceId, name: object) -> None:
    """Raise `Refused` for a group that is full."""
    if isinstance(name, str) and name and len(members(cloud, item, name)) >= MOST:
        raise Refused(400, "ReplicationGroupFull", f"The replication group {name} has {MOST} machines already (S58).")
