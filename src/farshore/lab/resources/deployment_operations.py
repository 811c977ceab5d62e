"""Microsoft.Resources/deployments/operations: what a deployment did to each resource, and how that ended.

One for each resource that was begun, and where the whole succeeded one for its outputs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from farshore.arm.http import Response
from farshore.arm.json import Body
from farshore.lab.answers import Refused
from farshore.lab.call import Call
from farshore.lab.patterns import DEPLOYMENTS as PATTERN
from farshore.lab.registry import resource_type
from farshore.lab.resources import deploying
from farshore.lab.resources.templates import DEPLOYMENTS
from farshore.lab.types import ResourceType

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

OPERATIONS = f"{DEPLOYMENTS}/operations"


@resource_type(OPERATIONS)
class DeploymentOperations(ResourceType):
    pattern = PATTERN
    tracked = False

    def get(self, call: Call) -> Response:
        parent = call.id.parent
        assert parent is not None
        row = call.cloud.table(deploying.TABLE).get(parent.key)
        found = [body for body in _shown(call.cloud, row) if body["operationId"].lower() == call.id.name.lower()]
        if not found:
            raise Refused(
                404, "DeploymentOperationNotFound", f"The deployment operation '{call.id.name}' could not be found."
            )
        return Response(status=200, body=found[0])

    def rows(self, call: Call, found: list[Body]) -> list[Body]:
        return _shown(call.cloud, call.cloud.table(deploying.TABLE).get(call.id.key))

    def put(self, call: Call) -> Response:
        raise Refused(405, "MethodNotAllowed", "The operations of a deployment are read, and nothing else.")

    patch = put
    delete = put


def _shown(cloud: Cloud, row: Body | None) -> list[Body]:
    if row is None:
        return []
    found = [_operation(cloud, row, key, step) for key, step in row["steps"].items() if step["began"] or step["error"]]
    if row["state"] == "Succeeded":
        last = {**deploying.new_step("", "", "", ()), "state": "succeeded", "status": "OK"}
        last |= {"provisioning": "EvaluateDeploymentOutput", "began": row["began"], "ended": row["began"]}
        found.append(_operation(cloud, row, "outputs", last))
    return found


def _operation(cloud: Cloud, row: Body, key: str, step: Body) -> Body:
    name = cloud.guid("deployment operation", row["correlation"], key).replace("-", "").upper()[:16]
    states = {"running": "Running", "succeeded": "Succeeded", "failed": "Failed", "waiting": "Running"}
    properties: Body = {
        "provisioningOperation": step["provisioning"],
        "provisioningState": states[step["state"]],
        "timestamp": step["ended"] or step["began"] or row["began"],
        "duration": "PT0S",
        "trackingId": cloud.guid("tracking", row["correlation"], key),
    }
    if step["status"]:
        properties["statusCode"] = step["status"]
    if step["error"]:
        properties["statusMessage"] = {"status": "Failed", "error": step["error"]}
    if step["id"]:
        properties["serviceRequestId"] = cloud.guid("service request", row["correlation"], key)
        properties["targetResource"] = {
            "id": step["id"],
            "resourceType": step["type"],
            "resourceName": step["name"],
        }
    return {"id": f"{row['id']}/operations/{name}", "operationId": name, "properties": properties}
