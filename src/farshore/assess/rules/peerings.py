"""Peerings of spokes and hubs: both halves there, connected, in sync, with the flags of the article (D42, D43).

    spoke to hub    access on   forwarded traffic on   gateway transit off   use remote gateways on
    hub to spoke    access on   forwarded traffic on   gateway transit on    use remote gateways off

The first two flags change what the `VirtualNetwork` tag covers (R30, X3); older descriptions have them stop traffic.
They are judged strictly, as the article sets them. `useRemoteGateways` needs a gateway that stands (L30): in a target
without one, or whose link is `silent`, it is the plan's to set.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from farshore.arm.network import Peering, VirtualNetwork
from farshore.assess.context import Context, Side
from farshore.assess.findings import Finding, error, rule, warning
from farshore.estate.project import Link

CONNECTED = "connected"
IN_SYNC = "fullyinsync"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """A spoke, its hub, and the two halves between them."""

    side: Side
    spoke: VirtualNetwork
    hub: VirtualNetwork
    there: Peering | None
    """Spoke to hub."""
    back: Peering | None
    """Hub to spoke."""

    @property
    def halves(self) -> tuple[tuple[VirtualNetwork, VirtualNetwork, Peering], ...]:
        found = ((self.spoke, self.hub, self.there), (self.hub, self.spoke, self.back))
        return tuple((own, remote, peering) for own, remote, peering in found if peering is not None)


@rule("FS231", "A network with machines has no peering with the hub", "D35", "R28")
def missing(context: Context) -> Iterator[Finding]:
    for spoke in context.source.spokes:
        has_gateway = any(
            gateway.subnet is not None and gateway.subnet.parent == spoke.network.id
            for gateway in context.express_route_gateways(context.source)
        )
        if spoke.hub is None and context.source.hubs and not has_gateway:
            hubs = ", ".join(hub.name for hub in context.source.hubs)
            yield error(
                spoke.network.id,
                f"{spoke.network.name} holds machines and is peered with no hub: no site reaches them",
                f"hubs in {context.source.region}: {hubs}",
                remedy=f"peer {spoke.network.name} with its hub, both halves",
            )
    for pair in _pairs(context):
        if pair.side.is_target:
            continue  # a half that is absent in the target is the plan's to make
        for own, remote, half in ((pair.spoke, pair.hub, pair.there), (pair.hub, pair.spoke, pair.back)):
            if half is None:
                yield error(
                    own.id,
                    f"{own.name} has no peering to {remote.name}, which has one to it: nothing passes between them",
                    "both halves must exist and be Connected",
                    remedy=f"create the peering from {own.name} to {remote.name}",
                )


@rule("FS232", "A peering is not connected", "R28", "L31")
def not_connected(context: Context) -> Iterator[Finding]:
    for pair in _pairs(context):
        for own, remote, peering in pair.halves:
            half_built = pair.side.is_target and peering.peering_state.lower() == "initiated" and len(pair.halves) == 1
            if peering.peering_state.lower() != CONNECTED and not half_built:
                cure = (
                    "delete both halves and create them again: a Disconnected half can't be revived alone"
                    if peering.peering_state.lower() == "disconnected"
                    else f"create the other half, from {remote.name} to {own.name}"
                )
                yield error(
                    peering.id,
                    f"The peering from {own.name} to {remote.name} is {peering.peering_state}: it carries no traffic",
                    f"peeringState is {peering.peering_state}",
                    remedy=cure,
                )


@rule("FS233", "A peering is not in sync with the other network's address space", "R31")
def not_in_sync(context: Context) -> Iterator[Finding]:
    for pair in _pairs(context):
        for own, remote, peering in pair.halves:
            level = peering.peering_sync_level
            copy = set(peering.remote_address_space)
            stale = bool(copy) and peering.peer_complete_vnets and copy != set(remote.address_space)
            if stale or (level is not None and level.lower() != IN_SYNC):
                yield error(
                    peering.id,
                    f"The peering from {own.name} to {remote.name} routes to an old copy of {remote.name}'s ranges",
                    f"peeringSyncLevel is {level}" if level is not None else "no peeringSyncLevel",
                    f"copy {_list(peering.remote_address_space)}, now {_list(remote.address_space)}",
                    remedy="sync the peering: PUT it with syncRemoteAddressSpace=true",
                )


@rule("FS234", "A peering does not allow virtual network access", "D42", "D43", "R30")
def no_access(context: Context) -> Iterator[Finding]:
    for pair in _pairs(context):
        for own, remote, peering in pair.halves:
            if not peering.allow_virtual_network_access:
                yield error(
                    peering.id,
                    f"The peering from {own.name} to {remote.name} does not allow virtual network access",
                    "allowVirtualNetworkAccess is false: the other network is outside the tag VirtualNetwork,"
                    " and default security rules deny it",
                    remedy="set allowVirtualNetworkAccess to true",
                )


@rule("FS235", "A peering does not allow forwarded traffic", "D42", "D43", "D76", "R30", "R38")
def no_forwarded_traffic(context: Context) -> Iterator[Finding]:
    if not context.steered:
        return
    for pair in _pairs(context):
        for own, remote, peering in pair.halves:
            if not peering.allow_forwarded_traffic:
                yield error(
                    peering.id,
                    f"The peering from {own.name} to {remote.name} does not allow forwarded traffic:"
                    " what the appliance passes on comes from elsewhere",
                    "allowForwardedTraffic is false",
                    remedy="set allowForwardedTraffic to true",
                )


@rule("FS236", "The hub's peering does not allow gateway transit", "D43", "D76", "R29", "L30")
def no_gateway_transit(context: Context) -> Iterator[Finding]:
    for pair in _pairs(context):
        if pair.back is not None and _lends_gateway(context, pair) and not pair.back.allow_gateway_transit:
            yield error(
                pair.back.id,
                f"{pair.hub.name} does not lend its gateway to {pair.spoke.name}:"
                f" {_list(pair.spoke.address_space)} is not announced to any site",
                "allowGatewayTransit is false",
                "useRemoteGateways on the spoke's side is refused without it",
                remedy="set allowGatewayTransit to true on the hub's side, then useRemoteGateways on the spoke's",
            )


@rule("FS237", "A spoke's peering does not use the hub's gateway", "D42", "D76", "R29", "R40")
def no_remote_gateway(context: Context) -> Iterator[Finding]:
    for pair in _pairs(context):
        if pair.there is None or pair.there.use_remote_gateways or _own_gateway(context, pair.spoke):
            continue
        if not _has_gateway(context, pair.hub) or (pair.side.is_target and context.project.link is Link.SILENT):
            continue
        if pair.side.is_target and pair.back is None:
            continue  # Azure would refuse it yet: the plan makes the hub's half first (L30)
        yield error(
            pair.there.id,
            f"{pair.spoke.name} does not use the gateway of {pair.hub.name}: no site learns"
            f" {_list(pair.spoke.address_space)}",
            "useRemoteGateways is false",
            remedy="set useRemoteGateways to true",
        )


@rule("FS238", "useRemoteGateways is set where it can't be", "R29", "D43")
def remote_gateway_twice(context: Context) -> Iterator[Finding]:
    for side in context.sides:
        for network in side.networks:
            using = [peering for peering in network.peerings if peering.use_remote_gateways]
            if _own_gateway(context, network):
                for peering in using:
                    yield error(
                        peering.id,
                        f"{network.name} has a gateway of its own and asks for another by {peering.name}",
                        "useRemoteGateways is true in a network with a gateway",
                        remedy="set useRemoteGateways to false",
                    )
            elif len(using) > 1:
                hubs = {hub.id for hub in side.hubs}
                wrong = [p for p in using if p.remote_virtual_network not in hubs] or using[1:]
                for peering in wrong:
                    yield error(
                        peering.id,
                        f"{network.name} uses remote gateways by {len(using)} peerings, and only one may",
                        *(f"{p.name} has useRemoteGateways" for p in using),
                        remedy=f"set useRemoteGateways to false on {peering.name}",
                    )


@rule("FS239", "A spoke's peering offers gateway transit that it doesn't have", "D42")
def idle_transit(context: Context) -> Iterator[Finding]:
    for pair in _pairs(context):
        if pair.there is not None and pair.there.allow_gateway_transit and not _own_gateway(context, pair.spoke):
            yield warning(
                pair.there.id,
                f"The peering from {pair.spoke.name} to {pair.hub.name} allows gateway transit and has no gateway",
                "allowGatewayTransit is true; the article has it off on this side",
                remedy="set allowGatewayTransit to false on the spoke's side",
            )


def _pairs(context: Context) -> Iterator[_Pair]:
    for side in context.sides:
        for spoke in side.spokes:
            if spoke.hub is not None:
                yield _Pair(
                    side=side,
                    spoke=spoke.network,
                    hub=spoke.hub,
                    there=context.peering_between(spoke.network, spoke.hub),
                    back=context.peering_between(spoke.hub, spoke.network),
                )


def _has_gateway(context: Context, network: VirtualNetwork) -> bool:
    return bool(context.index.gateways_in.get(network.id.key))


_own_gateway = _has_gateway


def _lends_gateway(context: Context, pair: _Pair) -> bool:
    """Whether the hub has a gateway to lend, or will have the source's counterpart."""
    home = context.home_of(pair.hub)
    return not _own_gateway(context, pair.spoke) and (_has_gateway(context, pair.hub) or _has_gateway(context, home))


def _list(prefixes: tuple[object, ...]) -> str:
    return ", ".join(map(str, prefixes)) or "nothing"
