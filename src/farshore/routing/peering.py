"""Virtual network peering: which networks reach which, and whose gateway a network uses (R28 to R33).

A peering is two resources, one on each side, and carries traffic only while both are `Connected` (R28). Where the other
network is not in the estate, its own half is taken to be what this one says. A peering is not transitive. What a side
routes to is its *synced copy* of the other's address space, which lags behind until the peering is synced (R31). With
`peerCompleteVnets` false only the named subnets of the other side are reached (R32).

`useRemoteGateways` on the spoke and `allowGatewayTransit` on the side that has the gateway give the spoke the gateway's
routes, and make the gateway announce the spoke (R29, R40). The flags for access and forwarded traffic do not stop a
packet, they change what the `VirtualNetwork` tag of security groups covers (R30, X3): security.py reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from farshore.arm.decode import Network
from farshore.arm.network import NextHopType, Peering, VirtualNetwork
from farshore.routing.index import Index
from farshore.routing.prefixes import distinct


@dataclass(frozen=True, slots=True, kw_only=True)
class LivePeering:
    """A peering that carries traffic, seen from one side."""

    peering: Peering
    back: Peering | None
    """The other half; None where its network is not in the estate."""
    remote: VirtualNetwork | None
    remote_key: str
    """The remote network's lower-case id."""
    prefixes: tuple[Network, ...]
    """What this side routes to the remote network."""
    next_hop_type: str

    @property
    def uses_remote_gateway(self) -> bool:
        """Whether this side is a spoke that uses the other's gateway (R29)."""
        back = self.back
        return self.peering.use_remote_gateways and back is not None and back.allow_gateway_transit

    @property
    def lends_gateway(self) -> bool:
        """Whether the other side uses this side's gateway (R29)."""
        back = self.back
        return self.peering.allow_gateway_transit and back is not None and back.use_remote_gateways


def live_peerings(index: Index) -> dict[str, tuple[LivePeering, ...]]:
    """The peerings that carry traffic, by the lower-case id of the network that owns the side."""
    # A hub has hundreds of halves: the one that answers is looked up, not searched for.
    halves: dict[tuple[str, str], Peering] = {}
    for key, network in index.networks.items():
        for peering in network.peerings:
            if peering.remote_virtual_network is not None:
                halves.setdefault((key, peering.remote_virtual_network.key), peering)
    return {key: tuple(_live(index, network, halves)) for key, network in index.networks.items() if network.peerings}


def _live(index: Index, network: VirtualNetwork, halves: Mapping[tuple[str, str], Peering]) -> list[LivePeering]:
    found = []
    for peering in network.peerings:
        if peering.remote_virtual_network is None:
            continue
        remote = index.networks.get(peering.remote_virtual_network.key)
        back = None if remote is None else halves.get((remote.id.key, network.id.key))
        live = seen_from(network, peering, remote, back)
        if live is not None:
            found.append(live)
    return found


def seen_from(
    network: VirtualNetwork, peering: Peering, remote: VirtualNetwork | None, back: Peering | None
) -> LivePeering | None:
    """A network's half as what carries traffic; None where it does not. `remote`: the network behind it, None where it
    is not in the estate, and `back` that one's own half."""
    key = peering.remote_virtual_network
    if key is None or not _connected(peering) or (remote is not None and (back is None or not _connected(back))):
        return None
    far = remote is not None and remote.location != network.location
    kind = NextHopType.VNET_GLOBAL_PEERING if far else NextHopType.VNET_PEERING
    return LivePeering(
        peering=peering,
        back=back,
        remote=remote,
        remote_key=key.key,
        prefixes=_reached(peering, remote),
        next_hop_type=kind.value,
    )


def _connected(peering: Peering) -> bool:
    return peering.peering_state.lower() == "connected"


def _reached(peering: Peering, remote: VirtualNetwork | None) -> tuple[Network, ...]:
    if remote is None:
        return peering.remote_address_space
    if not peering.peer_complete_vnets:
        named = (remote.subnet(name) for name in peering.remote_subnet_names)
        return distinct(prefix for subnet in named if subnet is not None for prefix in subnet.address_prefixes)
    return peering.remote_address_space or remote.address_space
