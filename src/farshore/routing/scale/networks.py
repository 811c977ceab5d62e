"""The networks of a skeleton by number, and what each knows of the others: peerings, gateways, next hops.

    own      the network's address space                   peers    who it routes to directly, and by which prefixes
    source   where its subnets' BGP rows come from          target   what stands at a next hop (R21)

A *source* is the ExpressRoute gateways of a network and of those whose gateway it uses, in the order in which their
rows win (R19). VPN gateways, Route Servers and Virtual WAN hubs beside them are not followed here: what only they can
decide is *unknown*, and `routing.walk` answers it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from farshore.arm.decode import Address, Network
from farshore.arm.network import VirtualNetwork
from farshore.routing.peering import LivePeering
from farshore.routing.prefixes import covered
from farshore.routing.scale.prefixes import Prefixes, of_networks
from farshore.routing.vpn import is_vpn
from farshore.routing.world import World

Pair = tuple[int, int]
"""Two networks by number, the smaller first: a peering, both halves."""


class Source(NamedTuple):
    """Where BGP rows come from."""

    gateways: tuple[str, ...]
    """ExpressRoute gateways by lower-case id, the first wins."""
    others: tuple[str, ...]
    """VPN gateways, Route Servers and connections to virtual WAN hubs, which are not followed."""


class Peer(NamedTuple):
    network: int
    """-1 where the network behind it is not in the estate."""
    prefixes: tuple[Network, ...]
    live: LivePeering


@dataclass(frozen=True, slots=True, kw_only=True)
class Networks:
    """See the theory above."""

    world: World
    """The world in which everything works that the resources say works."""
    all: tuple[VirtualNetwork, ...]
    numbers: dict[str, int]
    peers: tuple[tuple[Peer, ...], ...]
    ranges: Prefixes
    """The address spaces of all networks."""

    def __len__(self) -> int:
        return len(self.all)

    def near(self, network: int, without: frozenset[Pair]) -> tuple[Peer, ...]:
        """The peers that a network reaches, when some peerings are down."""
        held = self.peers[network]
        if not without:
            return held
        return tuple(peer for peer in held if pair(network, peer.network) not in without)

    def source(self, network: int, without: frozenset[Pair] = frozenset()) -> Source:
        """Where the BGP rows of a network's subnets come from (R19, R29)."""
        keys = [network, *(peer.network for peer in self.near(network, without) if peer.live.uses_remote_gateway)]
        gateways: list[str] = []
        others: list[str] = []
        for number in keys:
            key = self.all[number].id.key
            for gateway in self.world.index.gateways_in.get(key, ()):
                (others if is_vpn(gateway) else gateways).append(gateway.id.key)
            others += [id_ for id_, server in self.world.ground.route_servers.items() if server.network == key]
        # A Route Server of which nobody can read where it stands may stand anywhere.
        others += [id_ for id_, (where, _) in self.world.doubts.servers.items() if not where]
        hanging = self.world.ground.hanging.get(self.all[network].id.key)
        others += [] if hanging is None else [hanging[1].id.key]
        return Source(tuple(gateways), tuple(others))

    def located(self, network: int, address: Address, without: frozenset[Pair] = frozenset()) -> int:
        """The network in which a next hop stands, as seen from one: its own or one peered directly (R21); -1 for none.

        The order is that of `routing.machines`: the first of them in which anybody holds the address."""
        for number in self.reachable(network, address, without):
            key = self.all[number].id.key
            if self.world.index.at(key, address) or self.world.index.frontend(key, address) is not None:
                return number
        return -1

    def hidden_near(self, network: int) -> bool:
        """Whether a NIC that can't be read may stand at a next hop of a network (R21)."""
        keys = (self.all[network].id.key, *(peer.live.remote_key for peer in self.peers[network]))
        return bool(self.world.doubts.hidden_in(keys))

    def reachable(self, network: int, address: Address, without: frozenset[Pair]) -> Iterator[int]:
        """The networks in which a next hop may stand (R21), the own one first."""
        if covered(address, self.all[network].address_space):
            yield network
        for number, prefixes, _ in self.near(network, without):
            if number >= 0 and covered(address, prefixes):
                yield number

    def announced(self, gateway: str, without: frozenset[Pair] = frozenset()) -> list[tuple[Network, int]]:
        """What a gateway announces, and which network answers for it (R40, R13)."""
        found = self.world.index.gateways[gateway]
        network = self.world.index.network_of(found.subnet)
        if network is None:
            return []
        told = self.world.ground.spoken_for(network)
        numbered = [(prefix, self.numbers.get(key, -1)) for prefix, key in told]
        own = self.numbers[network.id.key]
        return [(prefix, number) for prefix, number in numbered if pair(own, number) not in without]


def pair(one: int, other: int) -> Pair:
    return (one, other) if one < other else (other, one)


def networks_of(world: World) -> Networks:
    """The networks of a world."""
    all_ = tuple(world.index.networks.values())
    numbers = {network.id.key: number for number, network in enumerate(all_)}
    peers = tuple(
        tuple(
            Peer(numbers.get(live.remote_key, -1), live.prefixes, live)
            for live in world.ground.peerings.get(network.id.key, ())
        )
        for network in all_
    )
    ranges, _ = of_networks([prefix for network in all_ for prefix in network.address_space])
    return Networks(world=world, all=all_, numbers=numbers, peers=peers, ranges=ranges)
