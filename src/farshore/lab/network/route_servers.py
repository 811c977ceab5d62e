"""Azure Route Server: a `virtualHubs` with an `ipConfigurations` child in a RouteServerSubnet, and neighbours (R46).

    PUT virtualHubs/{h}/ipConfigurations/{c}      once ready, the hub has two `virtualRouterIps` there
    POST virtualHubs/{h}/bgpConnections/{b}/learnedRoutes | advertisedRoutes
                                                  202 with location; rows of each of its two instances:
                                                  {"RouteServiceRole_IN_0": [...], "RouteServiceRole_IN_1": [...]}

What appliances tell it is said to the lab (`lab/announcements.py`); the tables are those of `farshore.routing` on the
lab's own resources.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab import dataplane, operations
from farshore.lab.answers import Refused, bad_request
from farshore.lab.call import Call
from farshore.lab.network.addresses import RESERVED_AT_START, subnet_prefixes
from farshore.lab.network.references import ref
from farshore.lab.network.router_tables import route_row
from farshore.lab.registry import action, completion
from farshore.routing.values import BgpRoute

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

SESSIONS = "Microsoft.Network/virtualHubs/bgpConnections"
SUBNET = "RouteServerSubnet"
ROLE = "RouteServiceRole_IN_{}"
WEIGHT = 32768
"""Of what a neighbour told, as a Route Server shows it."""


def placed(cloud: Cloud, id_: ResourceId, body: Body) -> Body:
    """The hub's two addresses, known when its configuration is ready. Raises `Refused` for another subnet."""
    hub, subnet = id_.parent, ref(body, "subnet")
    held = None if hub is None else cloud.body(hub)
    if hub is None or held is None or subnet is None or not cloud.exists(resource_id(subnet)):
        return {}
    place = resource_id(subnet)
    if place.name.lower() != SUBNET.lower():
        # R46; no page names the code: ours.
        raise Refused(400, "InvalidRouteServerSubnet", f"{id_.text}: its subnet must be named {SUBNET}.")
    spaces = [space for space in subnet_prefixes(cloud, place) if space.version == 4]
    if spaces:
        own = [str(spaces[0].network_address + RESERVED_AT_START + number) for number in (0, 1)]
        cloud.write(hub, {**held, "properties": {**held["properties"], "virtualRouterIps": own}})
    return {}


@action(SESSIONS, "learnedRoutes")
def learned(call: Call) -> Response:
    return _asked(call, "learnedRoutes")


@action(SESSIONS, "advertisedRoutes")
def advertised(call: Call) -> Response:
    return _asked(call, "advertisedRoutes")


@completion(SESSIONS, "learnedRoutes")
def told_learned(cloud: Cloud, operation: Operation) -> Body:
    hub, own, peer = _between(cloud, operation)
    routes = dataplane.plane(cloud).routing.learned_routes(hub, peer=peer)
    return {ROLE.format(at): [_row(route, address, peer, WEIGHT) for route in routes] for at, address in enumerate(own)}


@completion(SESSIONS, "advertisedRoutes")
def told_advertised(cloud: Cloud, operation: Operation) -> Body:
    hub, own, peer = _between(cloud, operation)
    routing = dataplane.plane(cloud).routing
    return {
        ROLE.format(at): [
            _row(route, address, "", 0) for route in routing.advertised_routes(f"{hub.key}#{address}", peer)
        ]
        for at, address in enumerate(own)
    }


def _asked(call: Call, verb: str) -> Response:
    call.must_exist()
    hub = call.id.parent
    assert hub is not None
    if hub.key not in dataplane.plane(call.cloud).routing.world.ground.route_servers:
        raise bad_request("NotARouteServer", f"{hub.text} has no IP configuration in a {SUBNET}.")
    return call.accept(verb, duration="network.query")


def _between(cloud: Cloud, operation: Operation) -> tuple[ResourceId, list[str], str]:
    """A Route Server, its own addresses, and the neighbour's."""
    operations.must_be_there(cloud, operation)
    hub = operation.resource_id.parent
    assert hub is not None
    session: Any = cloud.body(operation.resource_id)
    own = ((cloud.body(hub) or {}).get("properties") or {}).get("virtualRouterIps") or []
    return hub, [str(address) for address in own], str(session["properties"].get("peerIp"))


def _row(route: BgpRoute, own: str, peer: str, weight: int) -> Body:
    return route_row(route, own=own, peer=peer, origin="EBgp" if peer else "Igp", weight=weight)
