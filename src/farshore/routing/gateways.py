"""A virtual network's gateways: what they say, what they learn, and which of it the network's subnets get.

An ExpressRoute gateway says the whole address space of its network, and of every peered network that uses it as its
remote gateway (R40), synced copies (R31) and all. `summarizedGatewayPrefixes` replaces a network's own prefixes (R13).
It never passes on what it learned from a circuit to another (E10). Beside its circuits it learns the routes of the VPN
gateway of its network (R47), and those of a Route Server that lets branches talk (R46).

Towards on-premises a network prefers, strongest first (E41): the more specific prefix; the connection's weight; the
shortest AS path; and what is equal shares the traffic, over at most four circuits. Between kinds of gateway the same
prefix goes by ExpressRoute first, then VPN, then what an appliance told a Route Server (R19).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from farshore.arm.connectivity import ExpressRouteCircuit, VirtualNetworkGateway
from farshore.arm.decode import Address, Network
from farshore.arm.network import VirtualNetwork
from farshore.estate.outside import Outside
from farshore.routing.bgp import Heard, Link
from farshore.routing.index import Index
from farshore.routing.peering import LivePeering

if TYPE_CHECKING:
    from farshore.routing.failures import Health

MOST_CIRCUITS = 4
"""Egress shares the traffic over at most four circuits (E16, E41)."""

INSTANCES = (12, 13)
"""Where in its subnet a gateway's two instances stand: measured in every published table, documented nowhere."""


def spoken_for(network: VirtualNetwork, peerings: Iterable[LivePeering], index: Index) -> Iterator[tuple[Network, str]]:
    """The prefixes that a gateway of `network` announces (R40), with the network that answers for each."""
    summary = index.raw(network.id).networks("properties.summarizedGatewayPrefixes")
    for prefix in summary or network.address_space:
        yield prefix, network.id.key
    for live in peerings:
        if live.lends_gateway:
            for prefix in live.prefixes:
                yield prefix, live.remote_key


def instances(gateway: VirtualNetworkGateway, index: Index, outside: Outside, health: Health) -> tuple[Address, ...]:
    """The addresses of a gateway's instances that work, both families."""
    held = addressed(gateway, index, outside)
    return tuple(address for number, address in held if health.instance(gateway.id, number))


def addressed(gateway: VirtualNetworkGateway, index: Index, outside: Outside) -> Iterator[tuple[int, Address]]:
    """A gateway's instances by number, whatever works: the addresses that were seen of them, else those that they say,
    else those where they usually stand. The second family's belong to the same instances, in the same order."""
    given = outside.gateway_instances.get(gateway.id.key, {}).get("private") or gateway.bgp_peering_addresses
    for family in (4, 6):
        yield from enumerate([a for a in given if a.version == family] or _usual(gateway, index, family))


def _usual(gateway: VirtualNetworkGateway, index: Index, family: int) -> Iterator[Address]:
    subnet = index.gateway_subnet(gateway)
    for prefix in () if subnet is None else subnet.address_prefixes:
        if prefix.version == family and prefix.num_addresses > max(INSTANCES) + 1:
            yield from (prefix.network_address + offset for offset in INSTANCES)
            return


def preferred(routes: Iterable[Heard]) -> tuple[Heard, ...]:
    """E41 among routes of one prefix: weight, then path, then up to four circuits together."""
    held = tuple(routes)
    best = min(((-route.weight, len(route.as_path)) for route in held), default=(0, 0))
    equal = [route for route in held if (-route.weight, len(route.as_path)) == best]
    circuits = distinct_circuits(equal)[:MOST_CIRCUITS]
    return tuple(route for route in equal if route.link is None or route.link[0] in circuits)


def distinct_circuits(routes: Iterable[Heard]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(route.link[0] for route in routes if route.link is not None))


def link_prefix(circuit: ExpressRouteCircuit, side: str) -> Network | None:
    """The prefix of one of a circuit's two links (E9); None where its private peering gives none."""
    peering = circuit.private_peering
    if peering is None:
        return None
    return peering.primary_peer_address_prefix if side == "primary" else peering.secondary_peer_address_prefix


def msee_addresses(outside: Outside, circuit: str, side: str, link_prefix: Network | None) -> tuple[Address, ...]:
    """The edge's address as it shows in next hops: what has been seen, else Microsoft's end of the link (E9)."""
    seen = outside.msee.get(circuit, {}).get(side)
    if isinstance(seen, IPv4Address | IPv6Address):
        return (seen,)
    return () if link_prefix is None or link_prefix.num_addresses < 4 else (link_prefix.network_address + 2,)


def msee_at_gateway(outside: Outside, link: Link, gateway: str, family: int) -> tuple[Address, ...]:
    """The edge's addresses inside the gateway's own subnet, where they have been seen: only the gateway shows them."""
    seen = outside.msee.get(link[0], {}).get("at_gateway")
    there = seen.get(gateway) if isinstance(seen, Mapping) else None
    held = there.get(link[1]) if isinstance(there, Mapping) else None
    return tuple(address for address in held or () if address.version == family)


def customer_addresses(link_prefix: Network | None) -> tuple[Address, ...]:
    """The customer's router takes the first usable address of the link (E9)."""
    return () if link_prefix is None or link_prefix.num_addresses < 4 else (link_prefix.network_address + 1,)
