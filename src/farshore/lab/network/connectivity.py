"""POST networkWatchers/connectivityCheck: the way from a machine to an address or another machine, hop by hop.

    {source, destination, protocol?} -> hops, connectionStatus, probesSent, probesFailed

`connectionStatus` is Reachable or Unreachable (recorded), and Unknown for what lies outside of the lab: the internet,
and whatever is called by a name, as the lab resolves none. Each hop links to the next and back; an end that is no
resource has no `resourceId`. Latencies are nominal, a millisecond a link: the lab measures none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from farshore.arm.decode import is_address
from farshore.arm.http import Response
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.lab import dataplane
from farshore.lab.answers import bad_request, quoted
from farshore.lab.call import Call
from farshore.lab.network import watcher_targets as targets
from farshore.lab.network.references import NICS
from farshore.lab.network.watcher_targets import WATCHERS
from farshore.lab.registry import action, completion
from farshore.routing.values import Disposition, Trace

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

PROBES = 30
"""That a check tells of having sent (recorded): all arrive, or none does."""
TYPES = {"machine": "VirtualMachine", "appliance": "VirtualAppliance", "gateway": "VirtualNetworkGateway"}
"""Kinds of hop, as a check shows them between source and destination."""
ISSUES = {
    Disposition.DENIED: ("NetworkSecurityRule", "RuleName"),
    Disposition.NO_ROUTE: ("UserDefinedRoute", "RouteType"),
}
"""Why a flow did not arrive and under which key its context says more, where Azure has a word for it; all else is the
platform's."""
NEIGHBOUR = "VirtualNetwork"
"""`linkType` of what is one network's business (recorded)."""


@action(WATCHERS, "connectivityCheck")
def connectivity_check(call: Call) -> Response:
    asked = call.object()
    source, destination = asked.get("source"), asked.get("destination")
    if not isinstance(source, dict) or not isinstance(destination, dict):
        raise bad_request("InvalidRequestFormat", "A connectivity check needs a source and a destination.")
    if not destination.get("resourceId") and not destination.get("address"):
        raise bad_request("InvalidRequestFormat", "The destination needs a resourceId or an address.")
    if str(asked.get("protocol") or "Tcp").lower() not in ("tcp", "icmp", "http", "https"):
        raise bad_request("InvalidParameter", f"protocol is Tcp, Http, Https or Icmp, not {quoted(asked['protocol'])}.")
    if destination.get("port") is not None:
        targets.port(str(destination["port"]), "destination.port", one=True)
    targets.nic(call, targets.id_of(source.get("resourceId")).text, must_run=True)
    if destination.get("resourceId"):
        targets.nic(call, targets.id_of(destination["resourceId"]).text, must_run=False)
    return call.accept("connectivityCheck", duration="network.query", data=asked)


@completion(WATCHERS, "connectivityCheck")
def told_connectivity(cloud: Cloud, operation: Operation) -> Body:
    asked: Any = operation.data
    protocol = "icmp" if str(asked.get("protocol")).lower() == "icmp" else "tcp"
    found = way(cloud, asked["source"], asked["destination"], protocol)
    status, hops = found["status"], found["hops"]
    body: Body = {"hops": hops, "connectionStatus": status}
    if status == "Reachable":
        took = max(1, len(hops) - 1)
        body |= {"avgLatencyInMs": took, "minLatencyInMs": took, "maxLatencyInMs": took}
    return {**body, "probesSent": PROBES, "probesFailed": PROBES if status == "Unreachable" else 0}


def way(cloud: Cloud, start: Body, end: Body, protocol: str) -> Body:
    """Whether it can be reached, and the hops."""
    source = targets.interface(cloud, str(start["resourceId"]))
    if end.get("resourceId"):
        goal = targets.first_address(cloud, targets.interface(cloud, str(end["resourceId"])))
    else:
        goal = str(end["address"])
    shown = (str(start["resourceId"]), str(end.get("resourceId") or ""))
    if not is_address(goal):
        return {"status": "Unknown", "hops": _linked(cloud, [_end("Source", cloud, source, shown[0]), _far(goal, "")])}
    port = None if protocol == "icmp" else int(end.get("port") or 80)
    forward, back, good = dataplane.ways(cloud, source.text, goal, protocol, port)
    status = "Reachable" if good else "Unreachable"
    if dataplane.UNKNOWN & {forward.disposition, back.disposition}:
        status = "Unknown"
    return {"status": status, "hops": _hops(cloud, source, goal, shown, (forward, back, good))}


def _hops(
    cloud: Cloud, source: ResourceId, goal: str, shown: tuple[str, str], ways: tuple[Trace, Trace, bool]
) -> list[Body]:
    """The way there, both ends included; what stopped the flow is an issue of the last hop that it reached."""
    forward, back, good = ways
    found = [_end("Source", cloud, source, shown[0])]
    for hop in forward.hops:
        if hop.kind not in TYPES or str(hop.id).lower() == source.key:
            continue
        address = ""
        if isinstance(hop.id, ResourceId) and hop.id.is_a(NICS):
            address = targets.first_address(cloud, hop.id)
        found.append({"type": TYPES[hop.kind], "address": address, "resourceId": "" if hop.id is None else str(hop.id)})
    arrived = forward.disposition == Disposition.DELIVERED
    if arrived and forward.delivered_to is not None and len(found) > 1:
        found.pop()
    reached = len(found) - 1
    taken = "" if forward.delivered_to is None else forward.delivered_to.text
    found.append(_far(goal, shown[1] or taken))
    hops = _linked(cloud, found)
    if not good:
        ended = back if arrived else forward
        type_, key = ISSUES.get(ended.disposition, ("Platform", "reason"))
        issue = {"origin": "Inbound" if arrived else "Outbound", "severity": "Error", "type": type_}
        hops[-1 if arrived else reached]["issues"] = [{**issue, "context": [{"key": key, "value": ended.because}]}]
    return hops


def _end(type_: str, cloud: Cloud, nic: ResourceId, shown: str) -> Body:
    return {"type": type_, "address": targets.first_address(cloud, nic), "resourceId": shown}


def _far(address: str, shown: str) -> Body:
    return {"type": "Destination", "address": address, **({"resourceId": shown} if shown else {})}


def _linked(cloud: Cloud, rows: list[Body]) -> list[Body]:
    """Hops with ids, and with links to the next and back."""
    ids = [cloud.guid("hop", rows[0]["resourceId"], rows[-1]["address"], at) for at in range(len(rows))]
    found = []
    for at, row in enumerate(rows):
        after, before = ids[at + 1 : at + 2], ids[at - 1 : at] if at else []
        found.append(
            {
                "type": row["type"],
                "id": ids[at],
                **{key: value for key, value in row.items() if key != "type"},
                "nextHopIds": after,
                "links": [_link(id_) for id_ in after],
                "previousHopIds": before,
                "previousLinks": [_link(id_) for id_ in before],
                "issues": [],
            }
        )
    return found


def _link(to: str) -> Body:
    rest: Body = {"properties": {}, "context": {}, "issues": [], "resourceId": ""}
    return {"nextHopId": to, "linkType": NEIGHBOUR, **rest}
