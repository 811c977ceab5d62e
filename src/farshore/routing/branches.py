"""What gateways say of what a Route Server tells them, where branches may talk (`allowBranchToBranchTraffic`, R46).

An appliance's word goes on over circuits and through tunnels; what tunnels lead to goes on over circuits, and what
circuits lead to through tunnels. Of equal prefixes a Route Server takes ExpressRoute's before a tunnel's before an
appliance's (R19), and nobody is told what comes before that where he is. Paths are those that a Route Server was seen
to tell: behind the gateway's own number what the teller had heard.

What came through a tunnel in this way goes no further: its gateway has the number of Route Servers, 65515, and a
gateway at the other end that stood beside one too would have it as well. A tunnel without BGP tells nothing so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from farshore.arm.connectivity import VirtualNetworkGateway
from farshore.arm.decode import Network
from farshore.arm.network import VirtualNetwork
from farshore.routing.bgp import Heard
from farshore.routing.doubts import Doubt
from farshore.routing.places import server_texts
from farshore.routing.vpn import Said, far_gateways, is_vpn

if TYPE_CHECKING:
    from farshore.routing.world import World


def passed_on(world: World, gateway: VirtualNetworkGateway) -> Iterator[Said]:
    """What a gateway says beside its own networks: what Route Servers tell it and it did not know."""
    network = world.index.network_of(gateway.subnet)
    servers = [] if network is None else list(world.servers_for(network.id.key))
    if network is None or not servers:
        return
    known = {prefix for prefix, _ in world.announced(gateway)} | {route.prefix for route in reached(world, gateway)}
    others = said_by_gateways(world, network.id.key, towards=gateway)
    told = [*others, *_by_appliances(world, network.id.key)]
    for prefix, path, leads_to in told:
        if prefix not in known:
            known.add(prefix)
            yield prefix, path, leads_to


def reached(world: World, gateway: VirtualNetworkGateway) -> tuple[Heard, ...]:
    """What a gateway was told over its circuits or tunnels, before any Route Server has told gateways anything."""
    if not world.works(gateway):
        return ()
    return world.tunnels(gateway, bare=True) if is_vpn(gateway) else world.bare_exchange.learned.get(gateway.id.key, ())


def said_by_gateways(world: World, network: str, *, towards: VirtualNetworkGateway | None = None) -> Iterator[Said]:
    """What a network's gateways tell its Route Server of circuits and tunnels, circuits first (R19). `towards`: what of
    it is of use to one of them, which has what is told of its own kind."""
    for other in sorted(world.index.gateways_in.get(network, ()), key=is_vpn):
        if towards is None or is_vpn(other) != is_vpn(towards):
            for prefix, routes in world.preferred_of(reached(world, other)).items():
                first = routes[0]
                leads_to = network if first.leads_to == "clients" else first.leads_to
                # A static route has no path: the gateway's number tells it from the gateway's own networks (E38).
                yield prefix, first.as_path or (other.asn,), leads_to


def _by_appliances(world: World, network: str) -> Iterator[Said]:
    for server in world.servers_for(network):
        for prefix, routes in world.server_routes(server).items():
            yield prefix, routes[0].as_path, server.network


def exchanged(world: World, network: str) -> tuple[Network, ...]:
    """What tunnels of a network's gateways lead to, which circuits are told where branches talk; of any network for an
    empty id."""
    found = (held for key, held in world.index.gateways_in.items() if network in ("", key))
    tunnels = (gateway for held in found if len(held) > 1 for gateway in held if is_vpn(gateway))
    return tuple(dict.fromkeys(route.prefix for gateway in tunnels for route in reached(world, gateway)))


def unread_through_tunnels(world: World, network: VirtualNetwork) -> Iterator[Doubt]:
    """What VPN gateways that a network uses may hear through their tunnels, of which nobody can tell whether a Route
    Server at the other end tells it."""
    unclear = [(key, where, texts) for key, where, texts in server_texts(world) if texts]
    near = [network.id.key, *(live.remote_key for live in world.ground.remote_of.get(network.id.key, ()))]
    own = [held for key in near for held in world.index.gateways_in.get(key, ()) if is_vpn(held)] if unclear else []
    ends = (world.index.network_of(far.subnet) for gateway in own for far in far_gateways(gateway, world.index))
    for end in ends:
        for key, where, texts in unclear:
            if end is not None and where in ("", end.id.key):
                said = [advert.prefix for advert in world.outside.advertised if advert.to.partition("#")[0] == key]
                for beside in world.index.gateways_in.get(end.id.key, ()):
                    said += () if is_vpn(beside) else (route.prefix for route in reached(world, beside))
                yield from (Doubt(text, tuple(dict.fromkeys(said))) for text in texts)
