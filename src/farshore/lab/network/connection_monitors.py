"""Microsoft.Network/networkWatchers/connectionMonitors: shape only. What a monitor would watch, and whether it does.

    PUT          tracked. Of one source and one destination (api-versions before 2019-11-01), or of endpoints, tests and
                 groups of both. It starts when it is made, unless told not to
    POST start   200 with both headers and nothing in it
    POST stop    202 with both headers
    POST query   202 with location; the way of a monitor of one source and one destination as it is now

A monitor of one source and one destination is shown to later api-versions as endpoints that they understand, by the
names that Azure gives them (recorded). Only such a one shows its `monitoringStatus`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.lab import operations
from farshore.lab.answers import bad_request
from farshore.lab.call import Call
from farshore.lab.network import connectivity
from farshore.lab.network.shape_only import Shape, ShapeOnly
from farshore.lab.registry import action, completion, resource_type
from farshore.lab.types import Put
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

MONITORS = "Microsoft.Network/networkWatchers/connectionMonitors"
ENDPOINTS_SINCE = "2019-11-01"
SINGLE = ("source", "destination", "monitoringIntervalInSeconds", "autoStart")
"""What only a monitor of one source and one destination has."""
BOTH = ("azure-asyncoperation", "location")
PROBES = 3
"""That a state tells of (recorded)."""


@resource_type(MONITORS)
class ConnectionMonitors(ShapeOnly):
    """Any of them; see the theory above."""

    shape = Shape(tracked=True)
    tracked = True
    apart = True
    forwards = False

    def validate(self, put: Put) -> None:
        super().validate(put)
        if not _is_single(put.body):
            return
        source, destination = put.properties["source"], put.properties.get("destination")
        goal = destination if isinstance(destination, dict) else {}
        if not isinstance(source.get("resourceId"), str) or not (goal.get("resourceId") or goal.get("address")):
            raise bad_request("InvalidRequestFormat", "A monitor needs a source and a destination.")

    def on_put(self, put: Put) -> Body:
        body = super().on_put(put)
        return {**body, "properties": {**body["properties"], **_made(put)}}

    def on_ready(self, cloud: Cloud, id_: ResourceId) -> None:
        body = cloud.body(id_)
        if body is None:
            return
        properties = {**body["properties"], "startTime": stamp(cloud.now)}
        if _is_single(body) and properties["autoStart"]:
            properties["monitoringStatus"] = "Running"
        cloud.write(id_, {**body, "properties": properties})

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        shown = super().show(cloud, id_, body, query)
        version = query.get("api-version", "")
        return _with_endpoints(shown) if _is_single(body) and version >= ENDPOINTS_SINCE else shown


@action(MONITORS, "start")
def start(call: Call) -> Response:
    call.must_exist()
    return call.accept("start", duration="network.query", status=200, headers=BOTH)


@action(MONITORS, "stop")
def stop(call: Call) -> Response:
    call.must_exist()
    return call.accept("stop", duration="network.query", headers=BOTH)


@action(MONITORS, "query")
def query(call: Call) -> Response:
    call.must_exist()
    return call.accept("query", duration="network.query")


@completion(MONITORS, "start")
def started(cloud: Cloud, operation: Operation) -> None:
    _mark(cloud, operation, "Running")


@completion(MONITORS, "stop")
def stopped(cloud: Cloud, operation: Operation) -> None:
    _mark(cloud, operation, "Stopped")


@completion(MONITORS, "query")
def told(cloud: Cloud, operation: Operation) -> Body:
    operations.must_be_there(cloud, operation)
    body = cloud.body(operation.resource_id) or {"properties": {}}
    properties = body["properties"]
    running = properties.get("monitoringStatus", "Running") == "Running"
    status = "Active" if running else "Inactive"
    if not _is_single(body):
        return {"sourceStatus": status, "states": []}
    found = connectivity.way(cloud, properties["source"], properties["destination"], "tcp")
    took = max(1, len(found["hops"]) - 1)
    state = {
        "connectionState": found["status"],
        "startTime": properties.get("startTime", operation.started),
        "evaluationState": "InProgress" if running else "Completed",
        "avgLatencyInMs": took,
        "minLatencyInMs": took,
        "maxLatencyInMs": took,
        "probesSent": PROBES,
        "probesFailed": PROBES if found["status"] == "Unreachable" else 0,
        "hops": [_hop(row) for row in found["hops"]],
    }
    return {"sourceStatus": status, "states": [state]}


def _made(put: Put) -> Body:
    if _is_single(put.body):
        sent = put.properties
        return {
            "source": {"port": 0, **sent["source"]},
            "destination": {"port": 0, **(sent.get("destination") or {})},
            "monitoringIntervalInSeconds": sent.get("monitoringIntervalInSeconds") or 60,
            "autoStart": sent.get("autoStart") is not False,
            "monitoringStatus": "NotStarted",
        }
    return {
        "endpoints": put.properties.get("endpoints") or [],
        "testConfigurations": [_test(item) for item in put.properties.get("testConfigurations") or []],
        "testGroups": [
            {"disable": False, **item} if isinstance(item, dict) else item
            for item in put.properties.get("testGroups") or []
        ],
        "outputs": put.properties.get("outputs") or [],
        "connectionMonitorType": "MultiEndpoint",
    }


def _test(item: Any) -> Any:
    tcp = item.get("tcpConfiguration") if isinstance(item, dict) else None
    return {**item, "tcpConfiguration": {"disableTraceRoute": False, **tcp}} if isinstance(tcp, dict) else item


def _with_endpoints(body: Body) -> Body:
    """A monitor of one source and one destination, as those see it who know endpoints."""
    properties = dict(body["properties"])
    source, destination = properties["source"], properties["destination"]
    rest = {key: value for key, value in properties.items() if key not in (*SINGLE, "startTime", "monitoringStatus")}
    ends: list[Any] = [("defaultSourceEndpoint", source), ("defaultDestinationEndpoint", destination)]
    test = {
        "name": "defaultTestConfiguration",
        "testFrequencySec": properties["monitoringIntervalInSeconds"],
        "protocol": "Tcp",
        "tcpConfiguration": {"port": destination["port"], "disableTraceRoute": False},
    }
    group = {
        "name": "defaultTestGroup",
        "disable": False,
        "testConfigurations": [test["name"]],
        "sources": [ends[0][0]],
        "destinations": [ends[1][0]],
    }
    found = {
        **rest,
        "endpoints": [{"name": name, **{k: v for k, v in end.items() if k != "port"}} for name, end in ends],
        "testConfigurations": [test],
        "testGroups": [group],
        "outputs": [],
        **({"startTime": properties["startTime"]} if "startTime" in properties else {}),
        "monitoringStatus": properties["monitoringStatus"],
        "connectionMonitorType": "SingleSourceDestination",
    }
    return {**body, "properties": found}


def _hop(row: Body) -> Body:
    """A hop as a monitor tells it: its links have no kind."""
    links = {
        name: [{"nextHopId": link["nextHopId"], "type": "", **_rest(link)} for link in row[name]]
        for name in ("links", "previousLinks")
    }
    return {**row, **links}


def _rest(link: Body) -> Body:
    return {key: value for key, value in link.items() if key not in ("nextHopId", "linkType")}


def _is_single(body: Body) -> bool:
    properties = body.get("properties")
    return isinstance(properties, dict) and isinstance(properties.get("source"), dict)


def _mark(cloud: Cloud, operation: Operation, status: str) -> None:
    operations.must_be_there(cloud, operation)
    body = cloud.body(operation.resource_id)
    if body is not None and _is_single(body):
        cloud.write(operation.resource_id, {**body, "properties": {**body["properties"], "monitoringStatus": status}})
