"""Azure Route Server: appliances tell a network's subnets, and its gateways, by BGP where to go (R46).

A Route Server is a `virtualHubs` resource whose `ipConfigurations` child stands in the RouteServerSubnet; its
neighbours are `bgpConnections`. What appliances say comes from outside the estate (`Outside.advertised`). It is not in
the data path: next hops are the appliances' own. Per prefix the shortest AS path is used and passed on, equal ones
share the traffic. With branch-to-branch traffic it also tells the network's gateways, and them to the appliances.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from farshore.arm.decode import Address, Reader
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.network import VIRTUAL_HUBS
from farshore.estate.outside import Outside
from farshore.routing.bgp import AZURE_ASN, Heard
from farshore.routing.failures import Health
from farshore.routing.index import Index, network_key


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteServer:
    id: ResourceId
    network: str
    """The lower-case id of the virtual network it stands in."""
    addresses: tuple[Address, ...]
    branch_to_branch: bool
    peers: frozenset[Address]


def route_servers(index: Index) -> dict[str, RouteServer]:
    """Every Route Server, by lower-case id."""
    found = {}
    for body in index.bodies(VIRTUAL_HUBS + "/ipConfigurations"):
        subnet = Reader(body).id("properties.subnet")
        hub = resource_id(str(body["id"])).parent
        if subnet is not None and hub is not None:
            read = index.raw(hub)
            found[hub.key] = RouteServer(
                id=hub,
                network=network_key(subnet),
                addresses=tuple(_addresses(read)),
                branch_to_branch=read.flag("properties.allowBranchToBranchTraffic"),
                peers=frozenset(_peers(hub, index)),
            )
    return found


def heard_from_appliances(server: RouteServer, outside: Outside, health: Health) -> tuple[Heard, ...]:
    """What the neighbours say that are configured and work."""
    return tuple(
        Heard(
            advert.prefix,
            advert.as_path,
            (advert.next_hop or advert.peer,),
            f"peer:{advert.peer}",
            server.network,
        )
        for advert in outside.advertised
        if advert.to.partition("#")[0] == server.id.key
        and advert.peer in server.peers
        and AZURE_ASN not in advert.as_path
        and str(advert.peer) not in health.down
        and server.id.key not in health.down
    )


def _addresses(read: Reader) -> Iterator[Address]:
    for text in read.texts("properties.virtualRouterIps"):
        found = Reader({"a": text}).address("a")
        if found is not None:
            yield found


def _peers(hub: ResourceId, index: Index) -> Iterator[Address]:
    for body in index.bodies(VIRTUAL_HUBS + "/bgpConnections"):
        parent = resource_id(str(body["id"])).parent
        address = Reader(body).address("properties.peerIp")
        if parent == hub and address is not None:
            yield address
