"""The drill's network: one of its own, touching nothing (D14 to D16, D19, S36, S42, X12).

Equal ranges are no harm in a network that is isolated; a drill's network that overlaps others can't be joined to the
circuit or to a peer without harm, so a range that nothing else has is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator

from farshore.arm.decode import Network
from farshore.arm.network import VirtualNetwork
from farshore.assess.context import Context
from farshore.assess.findings import Finding, error, rule, warning
from farshore.estate.counterparts import mapped_network
from farshore.routing.prefixes import overlap

NETWORK = "drill/network"
SPACE = "drill/address_space"


@rule("FS701", "The drill's network is the one that a failover uses", "D16", "S36", "S42")
def same_network(context: Context) -> Iterator[Finding]:
    network = context.project.drill.network
    if network is None:
        return
    for home in context.source.networks:
        there = context.counterparts.of(home.id)
        for id_, what in ((there, f"which {home.name} fails over to"), (home.id, "where production runs")):
            if id_ == network:
                yield error(
                    NETWORK,
                    f"The drill would start machines in {network.name}, {what}",
                    "a drill beside production takes its addresses",
                    remedy="name a separate network, or give drill.address_space a range",
                )
                return
    replaced = _stands_in_for(context)
    if replaced is not None:
        yield error(
            NETWORK,
            f"The drill would start machines in {network.name}, which has the ranges of {replaced.name} and is joined"
            " to the target: a failover would use it",
            "a drill beside production takes its addresses",
            remedy="name a separate network, or give drill.address_space a range",
        )


@rule("FS702", "The drill's network is not there, or not in the target region", "D16", "S42")
def absent(context: Context) -> Iterator[Finding]:
    id_ = context.project.drill.network
    if id_ is None:
        return
    network = context.estate.virtual_network(id_)
    if network is None:
        yield error(
            NETWORK,
            f"The estate holds no network {id_.name}, which the drill names",
            remedy="read it into the estate, or give drill.address_space a range instead",
        )
    elif network.location != context.project.target.region and id_ not in {n.id for n in context.source.networks}:
        yield error(
            NETWORK,
            f"The drill's network {id_.name} is in {network.location}, not in {context.project.target.region}",
            remedy=f"name a network in {context.project.target.region}",
        )


@rule("FS703", "The drill's address space overlaps another", "D16", "D19", "S42")
def overlaps(context: Context) -> Iterator[Finding]:
    space = context.project.drill.address_space
    for prefix in space:
        hit = next(((name, other) for name, other in _taken(context) if overlap(prefix, other)), None)
        if hit is not None:
            yield error(
                SPACE,
                f"The drill's range {prefix} overlaps {hit[1]} of {hit[0]}",
                remedy="give the drill a range that nothing else has",
            )
    for at, prefix in enumerate(space):
        if any(overlap(prefix, other) for other in space[:at]):
            yield error(SPACE, f"The drill's range {prefix} overlaps another of its own", remedy="name each range once")


@rule("FS704", "The drill's network is joined to others", "D16", "S42", "D19")
def joined(context: Context) -> Iterator[Finding]:
    network = context.estate.virtual_network(context.project.drill.network)
    ours = {n.id for side in context.sides for n in side.networks}
    if network is None or network.id in ours or _stands_in_for(context) is not None:
        return
    peers = [p.remote_virtual_network for p in network.peerings if p.remote_virtual_network is not None]
    peers += [
        n.id for n in context.estate.virtual_networks for p in n.peerings if p.remote_virtual_network == network.id
    ]
    for peer in dict.fromkeys(peers):
        if peer in ours:
            yield error(
                network.id,
                f"The drill's network {network.name} is peered with {peer.name}: a drill would meet production",
                remedy=f"delete the peering between {network.name} and {peer.name}",
            )
    for gateway in context.index.gateways_in.get(network.id.key, ()):
        if any(c.virtual_network_gateway1 == gateway.id for c in context.estate.connections):
            yield error(
                network.id,
                f"The drill's network {network.name} is connected by {gateway.id.name}: a drill would be announced",
                remedy="delete the connection, or use another network",
            )


@rule("FS705", "The drill's network lacks a subnet that machines need", "S34", "S42")
def subnets(context: Context) -> Iterator[Finding]:
    network = context.estate.virtual_network(context.project.drill.network)
    if network is None or network.id in {n.id for side in context.sides for n in side.networks}:
        return
    wanted = dict.fromkeys(subnet.name for machine in context.machines for subnet in machine.subnets)
    absent_names = [name for name in wanted if network.subnet(name) is None]
    if absent_names:
        finding = error if not network.subnets else warning
        yield finding(
            network.id,
            f"The drill's network {network.name} has no subnet {', '.join(absent_names)}: machines land in the first"
            " by alphabet",
            f"it has {', '.join(subnet.name for subnet in network.subnets) or 'no subnet'}",
            remedy=f"add {', '.join(absent_names)} to {network.name}",
        )


@rule("FS706", "The drill's network has the addresses of production", "D19", "S36", "X12")
def same_addresses(context: Context) -> Iterator[Finding]:
    """Isolated, that is allowed; with a single circuit and kept addresses the article asks for others (D19)."""
    network = context.estate.virtual_network(context.project.drill.network)
    if network is None or not (context.project.single_circuit and context.project.keep_addresses):
        return
    if network.id in {n.id for side in context.sides for n in side.networks}:
        return
    hit = next(((n, o) for n, o in _taken(context) for p in network.address_space if overlap(p, o)), None)
    if hit is not None:
        yield warning(
            network.id,
            f"The drill's network {network.name} overlaps {hit[1]} of {hit[0]}, and there is a single circuit",
            remedy="drill in a network with other addresses",
        )


def _stands_in_for(context: Context) -> VirtualNetwork | None:
    """The source's network whose counterpart the drill's network would be by region, group, ranges and peerings.

    An isolated network of the same ranges is a good one for a drill (S42); what is peered with others of the target's
    group, or holds a gateway, was not built for drills."""
    network = context.estate.virtual_network(context.project.drill.network)
    target = context.project.target
    if network is None or network.location != target.region:
        return None
    group = target.resource_group.lower()
    peers = [peering.remote_virtual_network for peering in network.peerings]
    joined = any(peer is not None and (peer.resource_group or "").lower() == group for peer in peers)
    if (network.id.resource_group or "").lower() != group or not (
        joined or context.index.gateways_in.get(network.id.key)
    ):
        return None
    for home in context.source.networks:
        if {mapped_network(context.project, prefix) for prefix in home.address_space} == set(network.address_space):
            return home
    return None


def _taken(context: Context) -> Iterator[tuple[str, Network]]:
    for network in context.source.networks:
        for prefix in network.address_space:
            yield network.name, prefix
            yield f"the counterpart of {network.name}", mapped_network(context.project, prefix)
    for network in context.target.networks:
        yield from ((network.name, prefix) for prefix in network.address_space)
    for site in context.estate.sites:
        yield from ((site.name, prefix) for prefix in site.prefixes if prefix.prefixlen)
