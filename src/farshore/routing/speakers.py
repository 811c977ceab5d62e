"""Who speaks BGP over circuits in a world, and over what: all that the exchange (exchange.py) starts from.

A gateway that works says its own networks (R40) and, where branches may talk, what appliances told its network's Route
Server (R46); not what it reaches itself, which comes before an appliance's word (R19). An edge is there while its
circuit is (E33); its customer's side may fail alone (E4). What has failed says nothing, whoever it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from farshore.arm.decode import Network
from farshore.arm.network import VirtualNetworkGateway
from farshore.routing.circuits import Attachment
from farshore.routing.exchange import Inputs, OpenLink, Speaker
from farshore.routing.failures import LINKS
from farshore.routing.gateways import customer_addresses, instances, link_prefix, msee_addresses
from farshore.routing.vpn import is_vpn

if TYPE_CHECKING:
    from farshore.routing.world import World


def inputs_of(world: World, *, bare: bool = False) -> Inputs:
    """What the exchange over circuits starts from in a world. `bare`: without what Route Servers tell gateways."""
    attachments = tuple(_attachments(world))
    connected = (world.index.gateways[key] for key in sorted({attachment.gateway for attachment in attachments}))
    circuits, health = world.index.circuits, world.health
    heard = (a for a in world.outside.advertised if a.to.partition("#")[0] in circuits and health.neighbour(a.peer))
    return Inputs(
        speakers=tuple(speaker(world, item, bare=bare) for item in connected if not is_vpn(item) and world.works(item)),
        attachments=attachments,
        links=tuple(_links(world)),
        sites=world.estate.sites,
        silent_routers=health.silent_routers,
        advertised=tuple(heard),
        reaches=tuple(sorted(reaches(world))),
        cut_lines=health.cut_lines,
    )


def speaker(world: World, gateway: VirtualNetworkGateway, *, bare: bool = False) -> Speaker:
    """What a gateway says, from which instances."""
    says = [(prefix, (), network) for prefix, network in world.announced(gateway)]
    more = () if bare else _passed_on(world, gateway)
    return Speaker(
        gateway=gateway.id.key,
        says=(*says, *more),
        instances=instances(gateway, world.index, world.outside, world.health),
    )


def _passed_on(world: World, gateway: VirtualNetworkGateway) -> Iterator[tuple[Network, tuple[int, ...], str]]:
    """What a gateway says of a Route Server's routes, in the form of `Speaker.says`."""
    network = world.index.network_of(gateway.subnet)
    servers = [] if network is None else list(world.servers_for(network.id.key))
    if not servers:
        return
    own = {prefix for prefix, _ in world.announced(gateway)}
    reached = world.tunnels(gateway) if is_vpn(gateway) else world.bare_exchange.learned.get(gateway.id.key, ())
    known = own | {route.prefix for route in reached}
    for server in servers:
        for prefix, routes in world.server_routes(server).items():
            if prefix not in known:
                yield prefix, routes[0].as_path, server.network


def reaches(world: World) -> set[tuple[str, str]]:
    """The pairs of circuits that Global Reach joins; either may hold the connection, or both."""
    circuits = world.index.circuits
    return {
        (min(circuit.id.key, reach.peer.key), max(circuit.id.key, reach.peer.key))
        for circuit in circuits.values()
        for reach in (() if circuit.private_peering is None else circuit.private_peering.connections)
        if reach.peer is not None and reach.peer.key in circuits and world.health.reach(reach)
    }


def _links(world: World) -> Iterator[OpenLink]:
    for circuit in world.index.circuits.values():
        peering = circuit.private_peering
        for side in LINKS:
            if peering is not None and world.health.edge(circuit):
                prefix = link_prefix(circuit, side)
                yield OpenLink(
                    link=(circuit.id.key, side),
                    customer_works=world.health.link(circuit, side),
                    families=(4, 6) if peering.ipv6_enabled else (4,),
                    customer=customer_addresses(prefix),
                    microsoft=msee_addresses(world.outside, circuit.id.key, side, prefix),
                )


def _attachments(world: World) -> Iterator[Attachment]:
    for connection in world.index.connections.values():
        end = connection.virtual_network_gateway1
        gateway = None if end is None else world.index.gateways.get(end.key)
        if gateway is not None and connection.peer is not None and world.health.connection(connection):
            yield Attachment(
                connection=connection.id.key,
                gateway=gateway.id.key,
                circuit=connection.peer.key,
                weight=connection.routing_weight,
                allow_remote_vnet_traffic=gateway.allow_remote_vnet_traffic,
            )
