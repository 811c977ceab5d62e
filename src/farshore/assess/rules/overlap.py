"""Address ranges that would meet: on one circuit, at one site, between site and Azure (D17 to D20, D60, D66, E39).

Two networks with overlapping ranges can't be connected to one circuit at the same time. That is an error only where
both connections are meant to be up at once: they are, or the project wants the target's before a failover.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from farshore.arm.connectivity import Connection
from farshore.arm.decode import Network
from farshore.arm.ids import ResourceId
from farshore.arm.network import VirtualNetwork
from farshore.assess.context import Context, Side
from farshore.assess.findings import Finding, error, rule, warning
from farshore.estate.counterparts import mapped_network
from farshore.estate.project import Link, Topology
from farshore.routing.prefixes import inside, overlap


@rule("FS331", "Networks with overlapping ranges are connected to one circuit", "D20", "D60", "E39", "E40")
def connected_at_once(context: Context) -> Iterator[Finding]:
    for there in context.connections(context.target):
        for here in context.connections(context.source):
            if there.peer is None or there.peer != here.peer:
                continue
            both = _common(_said(context, context.source, here), _said(context, context.target, there))
            if both:
                yield error(
                    there.id,
                    f"{here.id.name} and {there.id.name} connect overlapping ranges to {there.peer.name} at once",
                    *(f"{one} in the source and {other} in the target" for one, other in both),
                    "Azure refuses the second, or the circuit splits the traffic between the two",
                    remedy=f"delete {there.id.name} until the source is disconnected, or use new addresses",
                )


@rule("FS332", "Overlapping ranges are meant to be on one circuit at the same time", "D20", "D60", "D66", "E39")
def meant_at_once(context: Context) -> Iterator[Finding]:
    shared = [id_ for id_ in context.target_circuits if id_ in context.source_circuits]
    if not shared or context.project.link is Link.COLD or context.connections(context.target):
        return
    said, moved = _announced_ahead(context)
    both = _common(said, moved)
    if not both:
        return
    project = context.project
    if project.keep_addresses:
        # The topology says which of the two is the slip: the link, or the addresses.
        subject = "link" if project.topology.value.endswith("kept-addresses") else "addresses"
    else:
        subject = "addresses/map"
    yield error(
        subject,
        f"Source and target would have overlapping ranges on {shared[0].name} at the same time",
        *(f"{one} in the source, {other} in the target" for one, other in both[:6]),
        f"link is {project.link}: the target's connection is made before the source's is gone",
        remedy="set link to cold, or map every announced range, the hub's too, to one that is free",
    )


@rule("FS333", "A site's range overlaps a range of Azure", "E38", "R14", "R33")
def site_overlaps(context: Context) -> Iterator[Finding]:
    for site in context.estate.sites:
        for prefix in site.prefixes:
            if prefix.prefixlen == 0:
                continue
            for name, space in _spaces(context):
                if overlap(prefix, space):
                    yield error(
                        f"sites/{site.name}",
                        f"{prefix} of {site.name} overlaps {space} of {name}: the network keeps that traffic to itself",
                        "a network's own and peered ranges are preferred over what BGP says",
                        remedy=f"narrow the prefixes of {site.name}, or give {name} another range",
                    )
                    break


@rule("FS334", "Two sites announce overlapping ranges", "E41", "E42")
def sites_overlap(context: Context) -> Iterator[Finding]:
    sites = context.estate.sites
    for at, site in enumerate(sites):
        for other in sites[:at]:
            both = _common(other.prefixes, site.prefixes)
            if not both:
                continue
            one, two = both[0]
            same = one == two
            finding = error if same else warning
            yield finding(
                f"sites/{site.name}",
                f"{other.name} announces {one} and {site.name} {two}:"
                f" {'replies go to either' if same else 'the longer prefix takes its part of the other site'}",
                remedy="give each site its own prefixes; one site with several routers is one site",
            )


KEPT_BY_SOME = (Topology.TWO_CIRCUITS_TWO_LOCATIONS, Topology.TWO_CIRCUITS_ONE_LOCATION)
"""Topologies in which a range may be kept beside ranges that move, such as the hub's."""


@rule("FS335", "A row of the address map leads to a range that is taken", "D17", "D79", "D89")
def map_leads_to_taken(context: Context) -> Iterator[Finding]:
    project = context.project
    if project.keep_addresses:
        return
    target = {network.id for network in context.target.networks} | {project.drill.network}
    for place, row in enumerate(project.address_map):
        if row.from_ == row.to and project.topology in KEPT_BY_SOME:
            continue  # kept on purpose: two circuits can hold both (D52), and only other rows move
        taken = [(f"{site.name}", prefix) for site in context.estate.sites for prefix in site.prefixes]
        taken += [(n.name, p) for n in context.estate.virtual_networks if n.id not in target for p in n.address_space]
        hit = next(((name, prefix) for name, prefix in taken if prefix.prefixlen and overlap(prefix, row.to)), None)
        if hit is not None:
            yield error(
                f"addresses/map/{place}",
                f"{row.from_} is mapped to {row.to}, which overlaps {hit[1]} of {hit[0]}",
                remedy="map it to a range that no network and no site has",
            )


@rule("FS336", "A row of the address map moves nothing", "D79")
def idle_row(context: Context) -> Iterator[Finding]:
    spaces = [prefix for network in context.source.networks for prefix in network.address_space]
    for place, row in enumerate(context.project.address_map):
        if not any(overlap(row.from_, prefix) for prefix in spaces):
            yield warning(
                f"addresses/map/{place}",
                f"No network in scope has {row.from_}",
                f"networks: {', '.join(map(str, spaces))}",
                remedy="correct the row or remove it",
            )


@rule("FS337", "Source and target networks with overlapping ranges are peered", "D89", "L28", "L29", "R33")
def peered_overlap(context: Context) -> Iterator[Finding]:
    ours = {network.id: network for network in context.target.networks}
    for there in ours.values():
        for peering in there.peerings:
            remote = context.estate.virtual_network(peering.remote_virtual_network)
            if remote is not None and remote.id not in ours and _common(there.address_space, remote.address_space):
                yield error(
                    peering.id,
                    f"{there.name} is peered with {remote.name}, which has the same range",
                    f"{', '.join(map(str, there.address_space))} and {', '.join(map(str, remote.address_space))}",
                    remedy=f"delete the peering {peering.name}",
                )


@rule("FS339", "Networks that are joined, or subnets of one network, have overlapping ranges", "L28", "L29")
def joined_overlap(context: Context) -> Iterator[Finding]:
    for side in context.sides:
        for at, network in enumerate(side.networks):
            for other in side.networks[:at]:
                both = _common(other.address_space, network.address_space)
                if both and (_peers_of(context, network) & _peers_of(context, other)):
                    slip, whole = (other, network) if _is_newly(context, other) else (network, other)
                    yield error(
                        slip.id,
                        f"{slip.name} and {whole.name} overlap and have a peer in common: Azure peers only one of them",
                        *(f"{one} and {two}" for one, two in both),
                        remedy=f"give {slip.name} a range of its own",
                    )
            yield from _subnets_of(network)


def _peers_of(context: Context, network: VirtualNetwork) -> set[ResourceId]:
    """The network and all that is peered with it, from either side."""
    out = {peering.remote_virtual_network for peering in network.peerings if peering.remote_virtual_network is not None}
    back = {n.id for n in context.estate.virtual_networks for p in n.peerings if p.remote_virtual_network == network.id}
    return {network.id} | out | back


def _is_newly(context: Context, network: VirtualNetwork) -> bool:
    """Whether a peer's copy of the ranges is of before: then it is this network that has changed."""
    copies = (
        set(peering.remote_address_space)
        for other in context.estate.virtual_networks
        for peering in other.peerings
        if peering.remote_virtual_network == network.id and peering.peer_complete_vnets
    )
    return any(copy and copy != set(network.address_space) for copy in copies)


def _subnets_of(network: VirtualNetwork) -> Iterator[Finding]:
    for at, subnet in enumerate(network.subnets):
        outside = [p for p in subnet.address_prefixes if not any(inside(p, space) for space in network.address_space)]
        if outside and network.address_space:
            yield error(
                subnet.id,
                f"{subnet.id.short} has {', '.join(map(str, outside))}, which {network.name} does not have",
                f"{network.name} has {', '.join(map(str, network.address_space))}",
                remedy=f"give it a range inside {network.name}",
            )
        for other in network.subnets[:at]:
            if _common(other.address_prefixes, subnet.address_prefixes):
                yield error(
                    subnet.id,
                    f"{subnet.id.short} and {other.name} overlap",
                    f"{', '.join(map(str, subnet.address_prefixes))} and {', '.join(map(str, other.address_prefixes))}",
                    remedy=f"give {subnet.name} a range of its own",
                )


@rule("FS338", "A shared network can't be peered with both sides", "D89", "L29")
def shared_services(context: Context) -> Iterator[Finding]:
    """Kept addresses: a third network that is peered with the source's can't be with the target's at the same time."""
    if not context.project.keep_addresses:
        return
    ours = {network.id for network in context.source.networks}
    for network in context.source.networks:
        for peering in network.peerings:
            remote = context.estate.virtual_network(peering.remote_virtual_network)
            if (
                remote is not None
                and remote.id not in ours
                and remote.id not in {n.id for n in context.target.networks}
            ):
                yield warning(
                    peering.id,
                    f"{remote.name} is peered with {network.name}; while it is, the target's network of the same range"
                    " can't be",
                    remedy=f"plan how {remote.name} is reached from the target, or give the target new addresses",
                )


def _said(context: Context, side: Side, connection: Connection) -> tuple[Network, ...]:
    gateway = context.estate.virtual_network_gateway(connection.virtual_network_gateway1)
    return () if gateway is None else context.announced(side, gateway)


def _announced_ahead(context: Context) -> tuple[tuple[Network, ...], tuple[Network, ...]]:
    """What the source announces, and what the target will; with a silent link only its hub's ranges."""
    said: dict[Network, None] = {}
    moved: dict[Network, None] = {}
    for gateway in context.express_route_gateways(context.source):
        own: ResourceId | None = None if gateway.subnet is None else gateway.subnet.parent
        for prefix in context.announced(context.source, gateway):
            said[prefix] = None
            hub = context.estate.virtual_network(own)
            if context.project.link is not Link.SILENT or (hub is not None and prefix in hub.address_space):
                moved[mapped_network(context.project, prefix)] = None
    return tuple(said), tuple(moved)


def _common(one: Iterable[Network], other: Iterable[Network]) -> list[tuple[Network, Network]]:
    return [(a, b) for a in one for b in other if overlap(a, b)]


def _spaces(context: Context) -> Iterator[tuple[str, Network]]:
    for side in context.sides:
        for network in side.networks:
            yield from ((network.name, prefix) for prefix in network.address_space)
    for row in context.project.address_map if not context.project.keep_addresses else ():
        yield "addresses/map", row.to
