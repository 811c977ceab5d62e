"""Recovery points of a protection cluster: one moment of all its nodes (S26).

Every five minutes, and once more for a failover to the latest, a point of the same moment is made of each node: what
one node had told another by then is on both or on neither. A cluster's point is there for as long as each of its
nodes' is. While one node is not replicated there are no new ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab.answers import Refused, child_not_found
from farshore.lab.call import Call
from farshore.lab.paging import page
from farshore.lab.recovery import records, shipping
from farshore.lab.recovery.names import CLUSTERS, shown_id
from farshore.lab.recovery.objects import Shown
from farshore.lab.recovery.points import EVERY
from farshore.lab.recovery.records import Record
from farshore.lab.recovery.states import REPLICATING
from farshore.lab.registry import event, resource_type, view
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

TABLE = "recovery.clusterPoints"
POINT = "recovery.clusterPoint"
POINTS = f"{CLUSTERS}/recoveryPoints"


def begin(cloud: Cloud, cluster: ResourceId) -> None:
    cloud.table(TABLE)[cluster.key] = []
    cloud.at(cloud.now + EVERY, POINT, cluster.key, None)


def stop(cloud: Cloud, cluster: ResourceId) -> None:
    cloud.table(TABLE).pop(cluster.key, None)
    cloud.cancel(POINT, cluster.key)


@event(POINT)
def every_five_minutes(cloud: Cloud, subject: str, data: Any) -> None:
    body = cloud.body(subject)
    if body is not None:
        take(cloud, resource_id(str(body["id"])))
        cloud.at(cloud.now + EVERY, POINT, subject, None)


def take(cloud: Cloud, cluster: ResourceId) -> None:
    """A point of all nodes as of the last moment that has arrived of each; none if one has a later point already."""
    held = records.nodes(cloud, cluster)
    if not held or any(records.phase_of(record) not in REPLICATING for _, record in held):
        return
    at = min(shipping.shipped_until(cloud, record) for _, record in held)
    if any((last := records.time_of(record, "last_point")) is None or at <= last for _, record in held):
        return
    taken = {item.key: records.points(shipping.take(cloud, item, record, at))[-1] for item, record in held}
    row = {
        "name": cloud.guid("clusterPoint", cluster.key, stamp(at)),
        "time": stamp(at),
        "nodes": {key: point.name for key, point in taken.items()},
    }
    cloud.table(TABLE)[cluster.key] = [*listed(cloud, cluster), row]


def listed(cloud: Cloud, cluster: ResourceId) -> list[Record]:
    """The points that can be chosen now, oldest first: each node still has its part."""
    names = {
        item.key: {point.name for point in shipping.listed(cloud, record)}
        for item, record in records.nodes(cloud, cluster)
    }
    rows: list[Record] = cloud.table(TABLE).get(cluster.key) or []
    return [
        row
        for row in rows
        if set(row["nodes"]) == set(names) and all(name in names[key] for key, name in row["nodes"].items())
    ]


def find(cloud: Cloud, cluster: ResourceId, wanted: str | None) -> Record:
    """The point that a request means, by id or name; None is the latest, made of what has arrived since."""
    if wanted is None:
        take(cloud, cluster)
    name = (wanted or "").rstrip("/").rsplit("/", 1)[-1].lower()
    found = [row for row in listed(cloud, cluster) if wanted is None or row["name"].lower() == name]
    if not found:
        raise Refused(404, "RecoveryPointNotFound", f"The recovery point '{wanted or 'Latest'}' is not there.")
    return found[-1]


@resource_type(POINTS)
class ClusterPoints(Shown):
    noun = "recovery point"
    kind = "RecoveryPoint"

    def get(self, call: Call) -> Response:
        cluster = call.id.parent
        assert cluster is not None
        for row in listed(call.cloud, cluster):
            if row["name"].lower() == call.id.name.lower():
                return Response(status=200, body=_shown(call.cloud, cluster, row))
        raise child_not_found(call.id)


@view(CLUSTERS, "recoveryPoints")
def of_a_cluster(call: Call) -> Response:
    cluster = resource_id(str(call.must_exist()["id"]))
    rows = sorted(listed(call.cloud, cluster), key=lambda row: str(row["name"]))
    return page(call, [_shown(call.cloud, cluster, row) for row in rows])


def _shown(cloud: Cloud, cluster: ResourceId, row: Record) -> Body:
    return {
        "id": shown_id(cluster.child("recoveryPoints", row["name"])),
        "name": row["name"],
        "type": POINTS,
        "properties": {
            "recoveryPointTime": row["time"],
            "recoveryPointType": "CrashConsistent",
            "providerSpecificDetails": {
                "instanceType": "A2A",
                "recoveryPointSyncType": "MultiVmSyncRecoveryPoint",
                # Azure's description has these in the usual spelling, where the service's own ids have a capital S.
                "nodes": ["/subscriptions/" + _id(cloud, key).split("/", 2)[2] for key in row["nodes"]],
            },
        },
    }


def _id(cloud: Cloud, key: str) -> str:
    body = cloud.body(key)
    return key if body is None else str(body["id"])
