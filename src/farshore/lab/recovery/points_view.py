"""recoveryPoints of a protected item, as Azure lists them: in no order (S25)."""

from __future__ import annotations

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab.answers import child_not_found
from farshore.lab.call import Call
from farshore.lab.paging import page
from farshore.lab.recovery import records, shipping
from farshore.lab.recovery.disks import disks_at
from farshore.lab.recovery.names import ITEMS, POINTS, shown_id
from farshore.lab.recovery.objects import Shown
from farshore.lab.recovery.points import Point
from farshore.lab.recovery.records import Record
from farshore.lab.registry import resource_type, view
from farshore.times import stamp


@resource_type(POINTS)
class RecoveryPoints(Shown):
    noun = "recovery point"
    kind = "RecoveryPoint"

    def get(self, call: Call) -> Response:
        item = call.id.parent
        assert item is not None
        record = records.of(call.cloud, item)
        for point in shipping.listed(call.cloud, record):
            if point.name.lower() == call.id.name.lower():
                return Response(status=200, body=_shown(item, record, point))
        raise child_not_found(call.id)


@view(ITEMS, "recoveryPoints")
def listed(call: Call) -> Response:
    item = resource_id(str(call.must_exist()["id"]))
    record = records.of(call.cloud, item)
    found = sorted(shipping.listed(call.cloud, record), key=lambda point: point.name)
    return page(call, [_shown(item, record, point) for point in found])


def _shown(item: ResourceId, record: Record, point: Point) -> Body:
    return {
        "id": shown_id(item.child("recoveryPoints", point.name)),
        "name": point.name,
        "type": POINTS,
        "properties": {
            "recoveryPointTime": stamp(point.time),
            "recoveryPointType": point.kind,
            "providerSpecificDetails": {
                "instanceType": "A2A",
                "recoveryPointSyncType": "MultiVmSyncRecoveryPoint" if point.shared else "PerVmRecoveryPoint",
                "disks": [disk["source"] for disk in disks_at(record, point.time)],
            },
        },
    }
