"""Who speaks BGP over circuits in a world, and over what: all that the exchange (exchange.py) starts from.

A gateway that works says its own networks (R40) and, where branches may talk, what its network's Route Server tells it
(branches.py). An edge is there while its circuit is (E33); its customer's side may fail alone (E4). What has failed
says nothing, whoever it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from farshore.arm.connectivity import VirtualNetworkGateway
from farshore.routing.branches import passed_on
from farshore.routing.circuits import Attachment
from farshore.routing.exchange import Inputs, OpenLink, Speaker
from farshore.routing.failures import LINKS
from farshore.routing.gateways import customer_addresses, instances, link_prefix, msee_addresses
from farshore.routing.vpn import Said, is_vpn

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
    return Speaker(
        gateway=gateway.id.key,
        says=said_by(world, gateway, bare=bare),
        instances=instances(gateway, world.index, world.outside, world.health),
    )


def said_by(world: World, gateway: VirtualNetworkGateway, *, bare: bool = False) -> tuple[Said, ...]:
    """What a gateway of either kind says by BGP."""
    own = ((prefix, (), network) for prefix, network in world.announced(gateway))
    return (*own, *(() if bare else passed_on(world, gateway)))


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
