"""What the service knows of a protected item beside the body that it shows.

A record holds the phase, the machine that is replicated, its disks with their volumes, the recovery points, and the
machine on the other side. Records are JSON values in the table `recovery.items` by the item's key, never changed in
place: `change(cloud, item, phase=...)` keeps a new one.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab import operations
from farshore.lab.answers import Refused, child_not_found, not_implemented
from farshore.lab.call import Call
from farshore.lab.recovery.names import shown_id
from farshore.lab.recovery.points import Point
from farshore.lab.recovery.states import Phase, require
from farshore.times import moment, stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

TABLE = "recovery.items"
Record = dict[str, Any]


def new(vm: ResourceId, policy: str, disks: list[Record], *, direction: str, lifecycle: str) -> Record:
    """The record of an item that begins.

    `other` is the machine on the other side (what a failover made, or what reprotection came from); `network` and
    `subnet` where the machine goes unless the item says otherwise; `home_nics` the settings that bring it back;
    `switched` says that the item came of a reprotection; `failover`, `landed` and `test` are what is under way;
    `excluded` has the keys of disks that somebody has decided not to protect; `cluster` is the protection cluster that
    the machine is a node of.
    """
    return {
        "vm": vm.text,
        "policy": policy,
        "disks": disks,
        "direction": direction,
        "switched": False,
        "lifecycle": lifecycle,
        "phase": Phase.ENABLING,
        "shipping": False,
        "shipped_until": None,
        "points": [],
        "last_point": None,
        "last_app_point": None,
        "protected_at": None,
        "tested": False,
        "network": None,
        "subnet": None,
        "home_nics": [],
        "excluded": [],
        "cluster": None,
        "other": None,
        "failover": None,
        "landed": None,
        "test": None,
        "lag_seconds": 0.0,
    }


def get(cloud: Cloud, item: ResourceId | str) -> Record | None:
    found: Record | None = cloud.table(TABLE).get(item.key if isinstance(item, ResourceId) else item.lower())
    return found


def of(cloud: Cloud, item: ResourceId) -> Record:
    """The record of an item; refused where the item is not there, or is one that the lab only shows."""
    record = get(cloud, item)
    if record is None:
        raise _unknown(cloud, item)
    return record


def _unknown(cloud: Cloud, item: ResourceId) -> Refused:
    body = cloud.body(item)
    if body is None:
        return child_not_found(item)
    kind = (body["properties"].get("providerSpecificDetails") or {}).get("instanceType")
    if kind != "A2A":
        return not_implemented(f"the provider of instanceType {kind}: it replicates Azure to Azure, instanceType A2A")
    state = body["properties"].get("protectionState")
    message = (
        f"{item.name} came with an estate and is only shown: the lab acts on items that name their machine "
        f"(fabricObjectId), its protected disks and the container they go to, in a state that it has, not '{state}'."
    )
    return Refused(409, "OperationNotAllowed", message)


def put(cloud: Cloud, item: ResourceId, record: Record) -> None:
    cloud.table(TABLE)[item.key] = record


def change(cloud: Cloud, item: ResourceId, **fields: Any) -> Record:
    record = {**of(cloud, item), **fields}
    put(cloud, item, record)
    return record


def drop(cloud: Cloud, item: ResourceId) -> None:
    cloud.table(TABLE).pop(item.key, None)


def phase_of(record: Record) -> Phase:
    return Phase(record["phase"])


def items(cloud: Cloud) -> Iterator[tuple[ResourceId, Record]]:
    """Every item with its record."""
    for key in list(cloud.table(TABLE)):
        body = cloud.body(key)
        if body is not None:
            yield resource_id(str(body["id"])), cloud.table(TABLE)[key]


def nodes(cloud: Cloud, cluster: ResourceId) -> list[tuple[ResourceId, Record]]:
    """The items that are a cluster's nodes, by their keys."""
    found = [each for each in items(cloud) if str(each[1].get("cluster")).lower() == cluster.key]
    return sorted(found, key=lambda each: each[0].key)


def for_machine(cloud: Cloud, vm: str) -> Iterator[tuple[ResourceId, Record]]:
    """The items that replicate this machine now."""
    return ((item, record) for item, record in items(cloud) if record["vm"].lower() == vm.lower())


def enter(call: Call, operation: str) -> tuple[ResourceId, Record, Body]:
    """The item of a verb, its record and its body; refused unless its state allows the operation."""
    body = call.must_exist()
    call.id = resource_id(str(body["id"]))
    record = of(call.cloud, call.id)
    busy = operations.busy(call.cloud, call.id) is not None
    require(phase_of(record), operation, str(body["properties"]["friendlyName"]), busy)
    return call.id, record, body


def points(record: Record) -> list[Point]:
    """The recovery points that the record holds, oldest first."""
    return [point_of(row) for row in record["points"]]


def point_of(row: Record) -> Point:
    return Point(
        name=row["name"],
        time=moment(row["time"]),
        sequence=row["sequence"],
        lives=timedelta(seconds=row["lives"]),
        kind=row["kind"],
        shared=bool(row.get("shared")),
    )


def point_row(point: Point) -> Record:
    return {
        "name": point.name,
        "time": stamp(point.time),
        "sequence": point.sequence,
        "lives": point.lives.total_seconds(),
        "kind": point.kind,
        **({"shared": True} if point.shared else {}),
    }


def properties(cloud: Cloud, item: ResourceId, details: Body | None = None, **more: Any) -> None:
    """Change properties of an item's body, and of its provider's details."""
    body = cloud.body(item)
    assert body is not None
    found = {**body["properties"], **more}
    if details:
        found["providerSpecificDetails"] = {**found["providerSpecificDetails"], **details}
    cloud.write(item, {**body, "properties": found}, forwards=False)


def scenario(cloud: Cloud, item: ResourceId, name: str, job: str) -> None:
    """A job takes hold of an item: it shows as the current scenario, and nothing else may begin."""
    current = {
        "scenarioName": name,
        "jobId": shown_id(item.top.child("replicationJobs", job)),
        "startTime": stamp(cloud.now),
    }
    cloud.hold(item, job)
    properties(cloud, item, currentScenario=current)


def idle(cloud: Cloud, item: ResourceId) -> None:
    """The job lets go."""
    cloud.let_go(item)
    if cloud.exists(item):
        properties(cloud, item, currentScenario=no_scenario(item))


def no_scenario(item: ResourceId) -> Body:
    none = shown_id(item.top.child("replicationJobs", "None"))
    return {"scenarioName": "None", "jobId": none, "startTime": "1753-01-01T01:01:01Z"}


def time_of(record: Record, name: str) -> datetime | None:
    text = record.get(name)
    return None if text is None else moment(text)
