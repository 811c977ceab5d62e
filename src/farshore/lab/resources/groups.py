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
from farshore.lab import operations
from farshore.lab.answers import Refused, group_not_found
from farshore.lab.call import Call
from farshore.lab.patterns import RESOURCES
from farshore.lab.registry import completion, resource_type
from farshore.lab.types import Put, ResourceType, free

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation


@resource_type("Microsoft.Resources/resourceGroups")
class ResourceGroups(ResourceType):
    pattern = RESOURCES

    def on_put(self, put: Put) -> Body:
        body: Body = {"id": put.id.text, "name": put.id.name, "type": self.type, "location": put.location}
        if put.body.get("tags"):
            body["tags"] = put.body["tags"]
        return {**body, "properties": {"provisioningState": "Succeeded"}}

    def check_place(self, call: Call, id_: ResourceId, body: Body, before: Body | None) -> None:
        if before is None and not body.get("location"):
            raise Refused(400, "LocationRequired", "The location property is required for this definition.")

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
        operation = self.begin(call, id_, "delete", created=False)
        return Response(status=202, headers=operations.headers(operation, ("location",), call.base))

    delete_takes = "group.delete"

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        return body


@completion("Microsoft.Resources/resourceGroups", "delete")
def deleted(cloud: Cloud, operation: Operation) -> Body | None:
    """Everything in it, the last made first; a second look at what could not go before the rest had."""
    group = operation.resource_id
    free(cloud, operation, group)
    inside = [
        resource_id(str(body["id"]))
        for body in reversed(cloud.all_bodies())
        if str(body["id"]).lower().startswith(group.key + "/")
    ]
    refused: Refused | None = None
    for _ in range(6):
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
    raise refused
