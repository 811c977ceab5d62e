"""Virtual WAN hubs, as far as a spoke's effective routes go (R50).

A hub is a `virtualHubs` resource with an address prefix of its own. Networks hang on it by a
`hubVirtualNetworkConnections` child, and get, measured in one published table:

    the hub's prefix                  VNetPeering             the connection is a peering that Microsoft keeps
    other networks of the WAN         VirtualNetworkGateway   next hop: the hub router's address
    what circuits say                 VirtualNetworkGateway   next hop: the edge's address
    what VPN sites say                VirtualNetworkGateway   next hop: the VPN gateway's instances

An ingress NAT rule of the VPN gateway rewrites a prefix that equals its internal one (R50). Between kinds of branch the
same prefix goes by `hubRoutingPreference`, ExpressRoute where it is not set (R19); a connected network comes before
both. A connection sees what propagates to the table that it is associated with; branches propagate to the default one.

Routes of custom route tables, routing intent, and what lies behind a branch are not known here: a hub that has the
first two makes its spokes' tables unknown, and a walk that comes to a branch ends there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from farshore.arm.decode import Address, Network, Reader
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.network import NextHopType
from farshore.estate.door import marker_places
from farshore.routing.bgp import AZURE_ASN
from farshore.routing.failures import LINKS
from farshore.routing.gateways import link_prefix, msee_addresses
from farshore.routing.hub_bodies import (
    DEFAULT_TABLE,
    EXPRESS_ROUTE_GATEWAYS,
    VPN_GATEWAYS,
    HubConnection,
    VirtualHub,
    circuits_of,
    default_addresses,
    ingress_nat,
    sites_of,
)
from farshore.routing.peering import LivePeering
from farshore.routing.route_servers import sessions_of
from farshore.routing.values import EffectiveRoute, RouteSource, RouteState

if TYPE_CHECKING:
    from farshore.routing.world import World

ORDER = {"expressroute": ("circuit", "vpn"), "vpngateway": ("vpn", "circuit")}
"""By `hubRoutingPreference`; `ASPath` compares paths first."""


@dataclass(frozen=True, slots=True)
class _Branch:
    """A route from a branch: what kind, its path's length, its next hops."""

    kind: str
    length: int
    hops: tuple[Address, ...]


Hanging = tuple[VirtualHub, HubConnection]
"""A hub, and the connection by which a network hangs on it."""


def hanging_on(hubs: Mapping[str, VirtualHub]) -> dict[str, Hanging]:
    """By network: the hub that it hangs on. There is at most one."""
    found: dict[str, Hanging] = {}
    for hub in hubs.values():
        for connection in hub.connections:
            found.setdefault(connection.network, (hub, connection))
    return found


def hub_prefix(hanging: Hanging | None, peerings: tuple[LivePeering, ...]) -> Iterator[EffectiveRoute]:
    """The row of the hub's own prefix, where the peering that Microsoft keeps is not among the network's own."""
    prefix = None if hanging is None else hanging[0].prefix
    if hanging is not None and prefix is not None and not any(prefix in live.prefixes for live in peerings):
        yield EffectiveRoute(
            source=RouteSource.DEFAULT.value,
            state=RouteState.ACTIVE.value,
            address_prefix=prefix,
            next_hop_type=NextHopType.VNET_PEERING.value,
            by=hanging[1].id.text,
        )


def hub_rows(world: World, hub: VirtualHub, connection: HubConnection) -> Iterator[EffectiveRoute]:
    """The VirtualNetworkGateway rows that a hub gives a network."""
    if not world.health.placed(hub.id, hub.location):
        return
    router = _router(world, hub)
    taken: set[Network] = set()
    for other in _siblings(world, hub, connection):
        network = world.index.networks.get(other.network)
        for prefix in () if network is None else network.address_space:
            if prefix not in taken:
                taken.add(prefix)
                yield _row(prefix, router, other.id.text)
    if connection.associated != DEFAULT_TABLE:
        return
    for prefix, hops in _branches(world, hub).items():
        if prefix not in taken:
            taken.add(prefix)
            yield _row(prefix, hops or router, hub.id.text)
    for far in _far(world, hub):
        for prefix in _branches(world, far):
            if prefix not in taken:
                taken.add(prefix)
                yield _row(prefix, router, hub.id.text)


def _far(world: World, hub: VirtualHub) -> list[VirtualHub]:
    """The other hubs of the WAN that work."""
    others = [other for other in world.ground.hubs.values() if other.wan == hub.wan and other.id != hub.id]
    return [other for other in others if world.health.placed(other.id, other.location)]


def hub_doubts(world: World, hanging: Hanging | None) -> Iterator[str]:
    """What can't be read of hubs that a network's table hangs on. Of one that hangs on none: whether it does."""
    unread = world.ground.unread_in_wans
    if hanging is None:
        yield from (text for text in unread if "remoteVirtualNetwork" in text or text.endswith("properties"))
        return
    hub = hanging[0]
    yield from (*hub.unclear, *unread)
    for other in world.ground.hubs.values() if world.health.deciding.region else ():
        if other.wan == hub.wan and "location" in marker_places(world.estate.resources[other.id.key]):
            yield f"{other.id.short} location"


def _row(prefix: Network, hops: tuple[Address, ...], by: str) -> EffectiveRoute:
    return EffectiveRoute(
        source=RouteSource.VIRTUAL_NETWORK_GATEWAY.value,
        state=RouteState.ACTIVE.value,
        address_prefix=prefix,
        next_hop_type=NextHopType.VIRTUAL_NETWORK_GATEWAY.value,
        next_hop_ip_addresses=hops,
        by=by,
    )


def _siblings(world: World, hub: VirtualHub, connection: HubConnection) -> Iterator[HubConnection]:
    """Connections whose networks a connection sees: of its own hub first, then of the WAN's others."""
    for where in (hub, *_far(world, hub)):
        for other in where.connections:
            if other.network != connection.network and connection.associated in other.propagated:
                yield other


def _router(world: World, hub: VirtualHub) -> tuple[Address, ...]:
    """The router's address as it shows in next hops: what has been seen, else what the body says."""
    seen = world.outside.gateway_instances.get(hub.id.key, {})
    return tuple(seen.get("public") or seen.get("private") or hub.router)


# Branches


def _branches(world: World, hub: VirtualHub) -> dict[Network, tuple[Address, ...]]:
    """What a hub's branches say: by prefix the next hops of the best. The same for all networks that hang on it."""
    known: dict[Network, tuple[Address, ...]] | None = world.settled.memo.get(("branches", hub.id.key))
    if known is None:
        known = world.settled.memo["branches", hub.id.key] = _heard_from(world, hub)
    return known


def _heard_from(world: World, hub: VirtualHub) -> dict[Network, tuple[Address, ...]]:
    found: dict[Network, list[_Branch]] = {}
    for prefix, branch in (*_from_circuits(world, hub), *_from_vpn(world, hub), *_from_peers(world, hub)):
        found.setdefault(prefix, []).append(branch)
    return {prefix: _best(hub, branches) for prefix, branches in found.items()}


def _best(hub: VirtualHub, branches: list[_Branch]) -> tuple[Address, ...]:
    order = ORDER.get(hub.preference, ORDER["expressroute"])

    def rank(branch: _Branch) -> tuple[int, int]:
        kind = order.index(branch.kind) if branch.kind in order else -1
        return (branch.length, kind) if hub.preference == "aspath" else (kind, branch.length)

    best = min(map(rank, branches))
    return tuple(dict.fromkeys(hop for branch in branches if rank(branch) == best for hop in branch.hops))


def _from_circuits(world: World, hub: VirtualHub) -> Iterator[tuple[Network, _Branch]]:
    for gateway, read in _of_hub(world, hub, EXPRESS_ROUTE_GATEWAYS):
        circuits = [key for key in circuits_of(world.index, gateway, read) if key in world.index.circuits]
        edges: list[tuple[Address, ...]] = []
        for circuit in circuits:
            for side in LINKS:
                edge = world.exchange.edges.get((circuit, side))
                shown = world.outside.msee.get(circuit)
                # Where it has been seen which edges show, the others don't.
                if edge is None or (shown and side not in shown):
                    continue
                hops = msee_addresses(world.outside, circuit, side, link_prefix(world.index.circuits[circuit], side))
                edges.append(hops)
                for prefix, routes in edge.best.items():
                    if not routes[0].said_by.startswith("/"):
                        yield prefix, _Branch("circuit", len(routes[0].as_path), hops)
        seen = tuple(dict.fromkeys(hop for hops in edges for hop in hops))
        for advert in world.outside.advertised:
            if advert.to.partition("#")[0] == gateway.key and world.health.neighbour(advert.peer):
                hops = (advert.next_hop,) if advert.next_hop is not None else seen or (advert.peer,)
                yield advert.prefix, _Branch("circuit", len(advert.as_path), hops)


def _from_vpn(world: World, hub: VirtualHub) -> Iterator[tuple[Network, _Branch]]:
    for gateway, read in _of_hub(world, hub, VPN_GATEWAYS):
        instances = _instances(world, gateway, read)
        nat = dict(ingress_nat(world.index, gateway, read))
        for advert in world.outside.advertised:
            to, _, instance = advert.to.partition("#")
            if to == gateway.key and AZURE_ASN not in advert.as_path and world.health.neighbour(advert.peer):
                own = tuple(item for item in instances if str(item) == instance) if instance else instances
                hops = own or ((advert.next_hop or advert.peer),)
                yield nat.get(advert.prefix, advert.prefix), _Branch("vpn", len(advert.as_path), hops)
        for site in sites_of(world.index, gateway, read):
            for prefix in Reader(site).networks("properties.addressSpace.addressPrefixes"):
                yield nat.get(prefix, prefix), _Branch("vpn", 0, instances)


def _from_peers(world: World, hub: VirtualHub) -> Iterator[tuple[Network, _Branch]]:
    """What is said to the hub itself: by an appliance that is its BGP neighbour, or by whom nobody knows closer."""
    sessions = dict(sessions_of(hub.id, world.index))
    for advert in world.outside.advertised:
        speaks = world.health.neighbour(advert.peer) and world.health.named(sessions.get(advert.peer, ""))
        heard = advert.to.partition("#")[0] == hub.id.key and speaks
        if heard and AZURE_ASN not in advert.as_path:
            yield advert.prefix, _Branch("peer", len(advert.as_path), (advert.next_hop or advert.peer,))


def _of_hub(world: World, hub: VirtualHub, kind: str) -> Iterator[tuple[ResourceId, Reader]]:
    """The gateways of a kind in a hub: those that name it, and the one that it names, its body there or not."""
    field = "vpnGateway" if kind == VPN_GATEWAYS else "expressRouteGateway"
    named = world.index.raw(hub.id).id(f"properties.{field}")
    found = {} if named is None else {named.key: (named, Reader({}))}
    for body in world.index.bodies(kind):
        id_, read = resource_id(str(body["id"])), Reader(body)
        if read.id("properties.virtualHub") == hub.id or id_ == named:
            found[id_.key] = (id_, read)
    yield from (held for key, held in found.items() if world.health.named(key))


def _instances(world: World, gateway: ResourceId, read: Reader) -> tuple[Address, ...]:
    seen = world.outside.gateway_instances.get(gateway.key, {})
    if seen.get("private"):
        return tuple(a for a in seen["private"] if world.health.named(f"{gateway.key}#{a}"))
    return tuple(a for a in default_addresses(read) if world.health.named(f"{gateway.key}#{a}"))
