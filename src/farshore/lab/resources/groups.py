"""Microsoft.Resources/resourceGroups: where a group is located matters (L36).

PUT 200 or 201 at once; DELETE 202 with a Location that answers 202 until everything in the group is gone, then 200
(recorded). The parts of a group go with it, the dependent ones first; what refuses to go makes the whole fail.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.arm.network import normal_location
from farshore.arm.regions import find_region
from farshore.lab import operations
from farshore.lab.answers import Refused, group_going, group_not_found
from farshore.lab.call import Call
from farshore.lab.patterns import RESOURCES
from farshore.lab.registry import completion, resource_type
from farshore.lab.types import Put, ResourceType, set_state

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation


MOST_ROUNDS = 6
"""How often what could not go before the rest had is tried: chains of what holds what are shorter."""


@resource_type("Microsoft.Resources/resourceGroups")
class ResourceGroups(ResourceType):
    pattern = RESOURCES
    delete_takes = "group.delete"

    def on_put(self, put: Put) -> Body:
        # Clients write `resourcegroups`, and are told the id in ARM's own spelling (recorded).
        id_ = f"/subscriptions/{put.id.subscription}/resourceGroups/{put.id.name}"
        body: Body = {"id": id_, "name": put.id.name, "type": self.type, "location": put.location}
        if put.body.get("tags"):
            body["tags"] = put.body["tags"]
        return {**body, "properties": {"provisioningState": "Succeeded"}}

    def check_place(self, call: Call, id_: ResourceId, body: Body, before: Body | None) -> None:
        location = body.get("location")
        if before is None and not location:
            raise Refused(400, "LocationRequired", "The location property is required for this definition.")
        if location and find_region(str(location)) is None:
            raise Refused(
                400,
                "LocationNotAvailableForResourceGroup",
                f"The provided location '{location}' is not available for resource group.",
            )
        if before is None:
            return
        if before["properties"].get("provisioningState") == "Deleting":
            raise group_going(id_.name)
        if location and normal_location(str(location)) != normal_location(str(before["location"])):
            raise Refused(
                409,
                "InvalidResourceGroupLocation",
                f"Invalid resource group location '{location}'. The Resource group already exists in location "
                f"'{before['location']}'.",
            )

    def full_id(self, call: Call) -> ResourceId:
        """In ARM's spelling: clients write `resourcegroups` too."""
        body = call.cloud.body(call.id)
        return resource_id(str(body["id"])) if body is not None else call.id.group_id or call.id

    def lock(self, cloud: Cloud, id_: ResourceId) -> ResourceId:
        return id_

    def get(self, call: Call) -> Response:
        if not call.cloud.exists(call.id):
            raise group_not_found(call.id.name)
        return Response(status=200, body=call.cloud.show(call.id))

    def delete(self, call: Call) -> Response:
        cloud, id_ = call.cloud, call.id
        if not cloud.exists(id_):
            raise group_not_found(id_.name)
        operation = operations.busy(cloud, id_)
        if operation is None:
            set_state(cloud, id_, "Deleting")
            operation = self.begin(call, id_, "delete", created=False)
        return Response(status=202, headers=operations.headers(operation, ("location",), call.base))

    def operation_failed(self, cloud: Cloud, operation: Operation, refused: Refused) -> None:
        """A group that could not go is as good as before."""
        super().operation_failed(cloud, operation, refused)
        set_state(cloud, operation.resource_id, "Succeeded")

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        return body


@completion("Microsoft.Resources/resourceGroups", "delete")
def deleted(cloud: Cloud, operation: Operation) -> Body | None:
    """Everything in it, the last made first; a second look at what could not go before the rest had."""
    group = operation.resource_id
    cloud.let_go(group, operation.id)
    inside = [resource_id(str(body["id"])) for body in reversed(cloud.bodies.under(group.key + "/"))]
    refused: Refused | None = None
    for _ in range(MOST_ROUNDS):
        left = []
        for id_ in inside:
            if not cloud.exists(id_):
                continue
            kind = cloud.type_of(id_)
            try:
                kind.on_delete(cloud, id_)
            except Refused as why:
                refused = why
                left.append(id_)
                continue
            kind.take_away(cloud, id_)
        inside = left
        if not inside:
            cloud.remove(group)
            return {}
    assert refused is not None
    raise Refused(409, refused.code, refused.message)
