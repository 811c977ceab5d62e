"""System routes: what every subnet has without any configuration (R1, R2, R5), and the IPv6 twins.

    the network's own prefixes          VnetLocal     one row a prefix of the address space, never one a subnet
    peered networks' prefixes           VNetPeering   or VNetGlobalPeering to another region
    0.0.0.0/0 (and ::/0)                Internet
    10/8 172.16/12 192.168/16 100.64/10 None          dropped; the platform lists more at times (R4)
    services with an endpoint           VirtualNetworkServiceEndpoint, only on subnets that have the endpoint (R22)
    private endpoints                   InterfaceEndpoint, /32, in their network and its peers (R8)

A network prefix equal to a reserved range, or larger, takes the reserved row's place; one merely inside leaves it
(R2). What a service's endpoint covers is in service_endpoints.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network

from farshore.arm.decode import Network, Reader
from farshore.arm.ids import ResourceId
from farshore.arm.network import NextHopType, Subnet, VirtualNetwork
from farshore.estate.outside import Outside
from farshore.routing.index import PRIVATE_ENDPOINTS, Index, network_key
from farshore.routing.peering import LivePeering
from farshore.routing.prefixes import inside
from farshore.routing.service_endpoints import endpoint_prefixes
from farshore.routing.values import EffectiveRoute, RouteSource, RouteState

RESERVED = tuple(ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"))
ANYWHERE = (ip_network("0.0.0.0/0"), ip_network("::/0"))


def system_routes(
    network: VirtualNetwork, subnet: Subnet, peerings: tuple[LivePeering, ...], index: Index, outside: Outside
) -> Iterator[EffectiveRoute]:
    """The system rows of one subnet, both families, all Active."""
    for prefix in network.address_space:
        yield _row(prefix, NextHopType.VNET_LOCAL, by=network.id.text)
    for live in peerings:
        for prefix in live.prefixes:
            yield _row(prefix, live.next_hop_type, by=live.peering.id.text)
    for prefix in ANYWHERE:
        yield _row(prefix, NextHopType.INTERNET)
    for prefix in RESERVED if outside.none_prefixes is None else outside.none_prefixes:
        if not any(inside(prefix, own) for own in network.address_space):
            yield _row(prefix, NextHopType.NONE)
    for service in subnet.service_endpoints:
        for prefix in endpoint_prefixes(service, network.location, outside.service_prefixes):
            yield _row(prefix, NextHopType.VIRTUAL_NETWORK_SERVICE_ENDPOINT, name=service)
    yield from _private_endpoints(network, peerings, index)


def governed_endpoints(index: Index) -> frozenset[str]:
    """The private endpoints, as rows name them, in subnets where network policies let user-defined routes govern them
    (R49). Not their addresses: a source and its target may have one address each for two endpoints."""
    found: set[str] = set()
    for body in index.bodies(PRIVATE_ENDPOINTS):
        place = Reader(body).id("properties.subnet")
        policy = "" if place is None else _policy(place, index)
        if policy.lower() in ("enabled", "routetableenabled"):
            found.add(str(body["id"]))
    return frozenset(found)


def _policy(place: ResourceId, index: Index) -> str:
    network = index.network_of(place)
    items = () if network is None else index.raw(network.id).items("properties.subnets")
    named = (item for item in items if (item.text("name") or "").lower() == place.name.lower())
    return next((item.text("properties.privateEndpointNetworkPolicies") or "" for item in named), "")


def _private_endpoints(
    network: VirtualNetwork, peerings: tuple[LivePeering, ...], index: Index
) -> Iterator[EffectiveRoute]:
    near = {network.id.key} | {live.remote_key for live in peerings}
    for body in index.bodies(PRIVATE_ENDPOINTS):
        read = Reader(body)
        subnet = read.id("properties.subnet")
        if subnet is not None and network_key(subnet) in near:
            for id_ in read.ids("properties.networkInterfaces"):
                for address in index.addresses(id_):
                    yield _row(ip_network(address), NextHopType.INTERFACE_ENDPOINT, by=str(body["id"]))


def _row(prefix: Network, kind: str, *, name: str | None = None, by: str | None = None) -> EffectiveRoute:
    return EffectiveRoute(
        source=RouteSource.DEFAULT.value,
        state=RouteState.ACTIVE.value,
        address_prefix=prefix,
        next_hop_type=str(kind),
        name=name,
        by=by,
    )
