"""The BGP tables that Azure prints: what a gateway, a Route Server or a circuit's edge learned, and what it says (E11).

A gateway's own networks stand first, without a next hop and with an empty path. Next hops of circuit routes are the
edge's addresses in the gateway's own subnet, where they are known; only the gateway itself shows those.
"""

from __future__ import annotations

from collections.abc import Iterator

from farshore.arm.ids import ResourceId
from farshore.arm.network import VirtualNetworkGateway
from farshore.errors import InputError
from farshore.routing.bgp import AZURE_ASN, Heard, rows
from farshore.routing.failures import LINKS
from farshore.routing.gateways import instances, msee_at_gateway
from farshore.routing.route_servers import RouteServer, heard_from_appliances
from farshore.routing.values import BgpRoute
from farshore.routing.vpn import is_vpn
from farshore.routing.world import World


def learned_by(world: World, id_: ResourceId, instance: str | None) -> tuple[BgpRoute, ...]:
    """What a gateway, Route Server or circuit has been told."""
    gateway = world.index.gateways.get(id_.key)
    if gateway is not None:
        return rows(_gateway_learned(world, gateway)) if world.health.gateway(gateway) else ()
    if id_.key in world.index.circuits:
        return rows(_circuit_learned(world, id_, instance))
    server = world.ground.route_servers.get(id_.key)
    if server is not None:
        return rows(heard_from_appliances(server, world.outside, world.health))
    raise _nothing(id_)


def advertised_by(world: World, id_: ResourceId, instance: str | None, to: str | None) -> tuple[BgpRoute, ...]:
    """What a gateway, Route Server or circuit says."""
    gateway = world.index.gateways.get(id_.key)
    if gateway is not None:
        return rows(_gateway_says(world, gateway))
    if id_.key in world.index.circuits:
        sides = [instance] if instance else LINKS
        edges = [world.exchange.edges[id_.key, side] for side in sides if (id_.key, side) in world.exchange.edges]
        return rows(route for edge in edges for route in edge.towards_site())
    server = world.ground.route_servers.get(id_.key)
    if server is not None:
        return rows(_server_says(world, server, to))
    raise _nothing(id_)


def _nothing(id_: ResourceId) -> InputError:
    return InputError(
        "Nothing in the estate speaks BGP under this id",
        value=id_.text,
        expected="the id of a virtual network gateway, an ExpressRoute circuit, or a Route Server",
    )


def _circuit_learned(world: World, id_: ResourceId, instance: str | None) -> Iterator[Heard]:
    for side in [instance] if instance else LINKS:
        edge = world.exchange.edges.get((id_.key, side))
        if edge is not None:
            yield from edge.heard


def _gateway_learned(world: World, gateway: VirtualNetworkGateway) -> Iterator[Heard]:
    for prefix, network in world.announced(gateway):
        yield Heard(prefix, (), (), gateway.id.key, network)
    for route in world.heard_by(gateway):
        hops = route.next_hops
        if route.link is not None:
            hops = msee_at_gateway(world.outside, route.link, gateway.id.key, route.prefix.version) or hops
        yield route._replace(next_hops=hops)


def _gateway_says(world: World, gateway: VirtualNetworkGateway) -> Iterator[Heard]:
    hops = instances(gateway, world.index, world.outside, world.health)
    for prefix, tail, network in world.speaker(gateway).says:
        own = tuple(hop for hop in hops if hop.version == prefix.version)
        path = (gateway.asn if is_vpn(gateway) else AZURE_ASN, *tail)
        yield Heard(prefix, path, own, gateway.id.key, network)


def _server_says(world: World, server: RouteServer, to: str | None) -> Iterator[Heard]:
    for prefix, network in world.ground.spoken_for(world.index.networks[server.network]):
        yield Heard(prefix, (AZURE_ASN,), server.addresses, server.id.key, network)
    for prefix, routes in world.server_routes(server).items():
        if not any(route.said_by == f"peer:{to}" for route in routes):
            yield Heard(prefix, (AZURE_ASN, *routes[0].as_path), server.addresses, server.id.key, server.network)
