"""POST networkWatchers/topology: what stands in a group, a network or a subnet, and what hangs on what.

Answered at once, 200 with the headers of an operation that is over (recorded): machines and what is of the network, in
the watcher's region. A machine contains its interfaces, a network its subnets; what refers to another is associated
with it. Rows have `properties`, and there is nothing in them (recorded).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab import registry
from farshore.lab.answers import Refused, bad_request
from farshore.lab.call import Call
from farshore.lab.compute import attached
from farshore.lab.network.references import configurations, ref
from farshore.lab.network.watcher_targets import WATCHERS, id_of
from farshore.lab.registry import action, completion
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

OURS = "microsoft.network/"
BOTH = ("azure-asyncoperation", "location")


@action(WATCHERS, "topology")
def topology(call: Call) -> Response:
    call.must_exist()
    asked, cloud = call.object(), call.cloud
    group = asked.get("targetResourceGroupName")
    place = ref({"properties": asked}, "targetSubnet") or ref({"properties": asked}, "targetVirtualNetwork")
    if place is not None and not cloud.exists(id_of(place)):
        raise Refused(404, "ResourceNotFound", f"The lab has no resource {place}.")
    if place is None and (not isinstance(group, str) or not group or "/" in group):
        raise bad_request("InvalidRequestFormat", "A topology is of a resource group, a network or a subnet.")
    scope = f"/subscriptions/{call.id.subscription}/resourcegroups/{str(group).lower()}/" if place is None else ""
    if scope and not cloud.exists(id_of(scope.rstrip("/"))):
        raise Refused(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")
    body = {
        "id": cloud.guid("topology", call.id.key, scope or place),
        "createdDateTime": stamp(cloud.now),
        "lastModified": stamp(cloud.now),
        "resources": _standing(
            cloud, scope, None if place is None else id_of(place), str(call.must_exist()["location"])
        ),
    }
    return call.accept("topology", duration=timedelta(0), data=body, status=200, headers=BOTH, body=body)


@completion(WATCHERS, "topology")
def told_topology(cloud: Cloud, operation: Operation) -> Body:
    found: Body = operation.data
    return found


def _standing(cloud: Cloud, scope: str, place: ResourceId | None, location: str) -> list[Body]:
    """Machines and resources of the network, in a group or in and around one network or subnet, of the watcher's
    region."""
    bodies = {}
    for name in cloud.bodies.types():
        if name != attached.VIRTUAL_MACHINES.lower() and (
            not name.startswith(OURS) or name.startswith(WATCHERS.lower())
        ):
            continue
        for body in cloud.of_type(name):
            key = str(body["id"]).lower()
            if (scope and key.startswith(scope)) or (place is not None and _touches(cloud, body, place)):
                bodies[key] = body
    rows = []
    for body in bodies.values():
        id_ = resource_id(str(body["id"]))
        if cloud.region_of(id_) not in (None, location):
            continue
        rows.append(
            {
                "name": id_.name,
                "id": id_.text,
                "location": cloud.region_of(id_) or location,
                "associations": list(_associations(cloud, id_, body)),
                "properties": {},
            }
        )
    return rows


def _touches(cloud: Cloud, body: Body, place: ResourceId) -> bool:
    key = str(body["id"]).lower()
    if resource_id(str(body["id"])).is_a(attached.VIRTUAL_MACHINES):
        return any(_touches(cloud, held, place) for nic in attached.nics(body) if (held := cloud.body(nic)) is not None)
    if key == place.key or key.startswith(place.key + "/") or place.key.startswith(key + "/"):
        return True
    return any((ref(item, "subnet") or "").lower().startswith(place.key) for item in configurations(body))


def _associations(cloud: Cloud, id_: ResourceId, body: Body) -> Iterator[Body]:
    kind = registry.TYPES.get(id_.type.lower())
    for name in () if kind is None else kind.nested:
        for child in cloud.children(id_, name):
            yield {"name": child["name"], "resourceId": child["id"], "associationType": "Contains"}
    held = [ref(body, name) for name in ("networkSecurityGroup", "routeTable", "virtualMachine")]
    for item in configurations(body):
        held += [ref(item, "subnet"), ref(item, "publicIPAddress")]
    if id_.is_a(attached.VIRTUAL_MACHINES):
        for nic in attached.nics(body):
            yield {"name": nic.name, "resourceId": nic.text, "associationType": "Contains"}
    for text in dict.fromkeys(filter(None, held)):
        yield {"name": text.rsplit("/", 1)[-1], "resourceId": text, "associationType": "Associated"}
