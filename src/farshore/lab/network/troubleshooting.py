"""POST networkWatchers/troubleshoot and queryTroubleshootResult: what is wrong with a gateway or a connection.

    troubleshoot             {targetResourceId, properties: {storageId, storagePath}}; 202 with location
    queryTroubleshootResult  {targetResourceId} -> what the last one found, at once

What it finds is what the lab knows: a gateway that is down, one without a connection (recorded, UnHealthy), a
connection that is not connected. Ids of findings are Azure's own; nothing is written to the storage.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab import faults
from farshore.lab.answers import Refused, bad_request
from farshore.lab.call import Call
from farshore.lab.network import watcher_targets as targets
from farshore.lab.network.references import CONNECTIONS, GATEWAYS, ref
from farshore.lab.network.watcher_targets import WATCHERS
from farshore.lab.registry import action, completion
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

FOUND = "troubleshooting.found"
"""Key of a gateway or connection -> what was found last."""
ENDS = ("virtualNetworkGateway1", "virtualNetworkGateway2")
HELP = ("ask whoever runs the network", "https://azure.microsoft.com/support", "support")
NO_FAULT = ("NoFault", "No fault is known", "The resource works as far as the platform can see.", HELP)
GATEWAY_DOWN = ("VipUnResponsive", "The gateway can not be reached", "Nobody answers at its address.", HELP)
NO_CONNECTIONS = (
    "NoConnectionsFoundForGateway",
    "The gateway has no connections",
    "A gateway does nothing until a connection ties it to a site or to another gateway.",
    ("create a connection", "https://learn.microsoft.com/azure/vpn-gateway", "connections"),
)
DISCONNECTED = ("ConnectionIsMarkedDisconnected", "The connection is down", "Its far end does not answer.", HELP)


@action(WATCHERS, "troubleshoot")
def troubleshoot(call: Call) -> Response:
    place = call.properties()
    if not place.get("storageId") or not place.get("storagePath"):
        raise bad_request("InvalidRequestFormat", "Troubleshooting needs a storageId and a storagePath.")
    return call.accept("troubleshoot", duration="network.query", data={"target": _target(call).text})


@action(WATCHERS, "queryTroubleshootResult")
def last_found(call: Call) -> Response:
    target = _target(call)
    found = call.cloud.table(FOUND).get(target.key)
    if found is None:
        raise Refused(404, "TroubleshootResultNotFound", f"Nobody has troubleshot {target.text} yet.")
    return Response(status=200, body=found)


@completion(WATCHERS, "troubleshoot")
def told(cloud: Cloud, operation: Operation) -> Body:
    data: Any = operation.data
    target = resource_id(data["target"])
    body = cloud.body(target)
    if body is None:
        raise Refused(404, "ResourceNotFound", f"The resource {target.text} was not found.")
    fault = _of_connection(cloud, body) if target.is_a(CONNECTIONS) else _of_gateway(cloud, target)
    id_, summary, detail, (text, uri, words) = fault or NO_FAULT
    advice = {"actionText": text, "actionUri": uri, "actionUriText": words}
    found: Body = {
        "startTime": operation.started,
        "endTime": stamp(cloud.now),
        "code": "Healthy" if fault is None else "UnHealthy",
        "results": [{"id": id_, "summary": summary, "detail": detail, "recommendedActions": [advice]}],
    }
    cloud.table(FOUND)[target.key] = found
    return found


def _target(call: Call) -> ResourceId:
    targets.must_say(call, "targetResourceId")
    target = targets.id_of(call.object()["targetResourceId"])
    if not (target.is_a(GATEWAYS) or target.is_a(CONNECTIONS)):
        raise bad_request("InvalidParameter", f"{target.text} is no gateway and no connection.")
    if not call.cloud.exists(target):
        raise Refused(404, "ResourceNotFound", f"The resource {target.text} was not found.")
    return target


Finding = tuple[str, str, str, tuple[str, str, str]]


def _of_gateway(cloud: Cloud, gateway: ResourceId) -> Finding | None:
    if gateway.key in faults.down(cloud):
        return GATEWAY_DOWN
    tied = [body for body in cloud.of_type(CONNECTIONS) if gateway.key in {_key(body, name) for name in ENDS}]
    return None if tied else NO_CONNECTIONS


def _of_connection(cloud: Cloud, body: Body) -> Finding | None:
    if any(_key(body, name) in faults.down(cloud) for name in ENDS):
        return GATEWAY_DOWN
    shown = cloud.show(resource_id(str(body["id"]))) or body
    return None if shown["properties"].get("connectionStatus") == "Connected" else DISCONNECTED


def _key(body: Body, name: str) -> str:
    return (ref(body, name) or "").lower()
