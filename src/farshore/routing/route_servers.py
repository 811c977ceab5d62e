"""Azure Route Server: appliances tell a network's subnets, and its gateways, by BGP where to go (R46).

A Route Server is a `virtualHubs` resource whose `ipConfigurations` child stands in the RouteServerSubnet; its
neighbours are `bgpConnections`: appliances in its own network or in one peered with it. What they say comes from
outside the estate (`Outside.advertised`); one whose machine does not run says nothing, so what it said is withdrawn,
unlike a row of a user's table (R25), and so it is where nobody holds the address, or nobody near. A Route Server is not
in the data path: next hops are the appliances' own. Per prefix the shortest AS path is used and passed on, equal ones
share the traffic. With branch-to-branch traffic it also tells the network's gateways, and them to the appliances.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from farshore.arm.decode import Address, Reader
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.network import VIRTUAL_HUBS, NetworkInterface
from farshore.estate.outside import Outside
from farshore.routing.bgp import AZURE_ASN, Heard
from farshore.routing.failures import Health
from farshore.routing.index import Index, network_key
from farshore.routing.peering import LivePeering
from farshore.routing.prefixes import covered


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteServer:
    id: ResourceId
    network: str
    """The lower-case id of the virtual network it stands in."""
    addresses: tuple[Address, ...]
    branch_to_branch: bool
    location: str
    """The region of its network."""
    preference: str
    """`hubRoutingPreference`, lower-case; empty where it is not set, which is ExpressRoute (R19)."""
    peers: Mapping[Address, NetworkInterface | None]
    """Its neighbours, each with the NIC that holds the address; None for one in a network out of sight."""
    nobody: tuple[Address, ...]
    """The neighbours at whose address nobody stands, as far as can be read."""
    sessions: Mapping[Address, str]
    """The lower-case id of the BGP connection to each of them."""


def route_servers(index: Index, peerings: Mapping[str, tuple[LivePeering, ...]]) -> dict[str, RouteServer]:
    """Every Route Server, by lower-case id. `peerings`: the live ones, by network."""
    found = {}
    for body in index.bodies(VIRTUAL_HUBS + "/ipConfigurations"):
        subnet = Reader(body).id("properties.subnet")
        hub = resource_id(str(body["id"])).parent
        if subnet is not None and hub is not None:
            read, where = index.raw(hub), network_key(subnet)
            network = index.networks.get(where)
            lives = peerings.get(where, ())
            near = (where, *(live.remote_key for live in lives))
            sessions = dict(sessions_of(hub, index))
            held = {address: _held_by(index, near, address) for address in sessions}
            unseen = {a for a, nic in held.items() if nic is None and (network is None or _out_of_sight(a, lives))}
            found[hub.key] = RouteServer(
                id=hub,
                network=where,
                location="" if network is None else network.location,
                addresses=tuple(_addresses(read)),
                branch_to_branch=read.flag("properties.allowBranchToBranchTraffic"),
                preference=(read.text("properties.hubRoutingPreference") or "").lower(),
                peers={address: nic for address, nic in held.items() if nic is not None or address in unseen},
                nobody=tuple(address for address, nic in held.items() if nic is None and address not in unseen),
                sessions=sessions,
            )
    return found


def heard_from_appliances(server: RouteServer, outside: Outside, health: Health) -> tuple[Heard, ...]:
    """What the neighbours say that are configured and work."""
    if not health.placed(server.id, server.location):
        return ()
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
        and health.named(server.sessions[advert.peer])
        and _speaks(server.peers[advert.peer], advert.peer, health)
    )


def _speaks(nic: NetworkInterface | None, address: Address, health: Health) -> bool:
    return health.neighbour(address) if nic is None else health.speaks(nic, address)


def speakers_of(servers: Iterable[RouteServer], index: Index) -> frozenset[str]:
    """The NICs and machines whose failure a Route Server notices, by lower-case id."""
    nics = [nic.id.key for nic in chain.from_iterable(server.peers.values() for server in servers) if nic is not None]
    return frozenset((*nics, *(index.machine_of[key] for key in nics if key in index.machine_of)))


def _addresses(read: Reader) -> Iterator[Address]:
    for text in read.texts("properties.virtualRouterIps"):
        found = Reader({"a": text}).address("a")
        if found is not None:
            yield found


def _held_by(index: Index, near: Iterable[str], address: Address) -> NetworkInterface | None:
    """The NIC that holds an address in the first of some networks that has one."""
    found = (holder.nic for key in near for holder in index.at(key, address))
    return next(found, None)


def _out_of_sight(address: Address, lives: Iterable[LivePeering]) -> bool:
    """Whether an address may be in a peered network that the estate doesn't hold, whose machines nobody sees."""
    unseen = (live.prefixes for live in lives if live.remote is None)
    return any(not prefixes or covered(address, prefixes) for prefixes in unseen)


def sessions_of(hub: ResourceId, index: Index) -> Iterator[tuple[Address, str]]:
    """The neighbours of a Route Server or hub by their addresses, with the ids of the BGP connections to them."""
    for body in index.bodies(VIRTUAL_HUBS + "/bgpConnections"):
        id_ = resource_id(str(body["id"]))
        address = Reader(body).address("properties.peerIp")
        if id_.parent == hub and address is not None:
            yield address, id_.key
