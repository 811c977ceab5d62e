"""A network's peerings changed, and proven again.

A peering joins a network to another whose gateway announces it and gives it routes (R29, R40), and in which its next
hops stand (R21). Where one of the two is a *leaf*, with no gateway and nothing to send by in it, the leaf's machines
alone feel that; and whoever has an address in a range of the leaf's, which is then announced or is not. What joins two
networks with gateways or appliances has no short way.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from farshore.arm.decode import Address, Network
from farshore.arm.network import Peering, VirtualNetwork
from farshore.routing.gateways import spoken_for
from farshore.routing.peering import seen_from
from farshore.routing.prefixes import covered
from farshore.routing.scale.arrivals import parsed
from farshore.routing.scale.changes.anew import Anew, Announced, announced_over, closed, counted_anew
from farshore.routing.scale.changes.pieces import refined
from farshore.routing.scale.changes.proven import Difference, Proven
from farshore.routing.scale.line import Positions
from farshore.routing.scale.model import Model
from farshore.routing.scale.networks import Networks, Peer
from farshore.routing.scale.prefixes import of_networks
from farshore.routing.scale.tables import APPLIANCE, routes_of


def peered(proven: Proven, network: VirtualNetwork) -> Difference | None:
    """What comes of a network having these peerings, and where nothing stands in it, of its subnets having other route
    tables and security groups. None where both sides of a changed peering have gateways or appliances, where a range is
    a site's as well, where a route begins inside what a site has, and where anything else of the network is changed."""
    model = proven.reach.model
    number = model.networks.numbers.get(network.id.key)
    if number is None or not _like(model.networks.all[number], network):
        return None
    others = _others(model.networks, number, network)
    leaves = None if others is None else _leaves(proven, number, others)
    if others is None or leaves is None:
        return None
    if model.networks.all[number].subnets != network.subnets:
        if number in _stands(proven) or _cuts(model, network):
            return None
        leaves.add(number)
    after = _joined(model.networks, number, network, others)
    prefixes, _ = of_networks(
        [prefix for leaf in leaves for held in (model.networks, after) for prefix in _ranges(held, leaf)]
    )
    contested = model.ends.first[model.contested]
    if (prefixes.match(contested) >= 0).any() or any(_found_in(proven, after, leaf) for leaf in leaves):
        return None
    machines = model.columns.machines
    inside = np.isin(proven.homes, sorted(leaves)) | (prefixes.match(machines.addresses) >= 0)
    rows = closed(proven, np.flatnonzero(inside))
    held = machines.taken(rows)
    return counted_anew(
        proven,
        Anew(
            rows=rows,
            columns=replace(model.columns, machines=held),
            networks=after,
            announced=_announced(proven, after, {number, *others}, leaves, held.addresses),
            painted=frozenset(leaves),
        ),
    )


def _like(one: VirtualNetwork, other: VirtualNetwork) -> bool:
    """Whether two networks differ in peerings and in what subnets are associated with, at most."""
    plain = [
        tuple(replace(subnet, route_table=None, network_security_group=None) for subnet in network.subnets)
        for network in (one, other)
    ]
    return plain[0] == plain[1] and replace(one, peerings=other.peerings, subnets=other.subnets) == other


def _cuts(model: Model, network: VirtualNetwork) -> bool:
    """Whether a table of its subnets has a route that begins or stops inside an end."""
    keys = {subnet.route_table.key for subnet in network.subnets if subnet.route_table is not None}
    tables = [model.columns.tables[key] for key in sorted(keys) if key in model.columns.tables]
    held = routes_of(tables, model.world.outside.service_prefixes)
    if not held:
        return False
    first, last = (np.concatenate([getattr(routes, side) for routes in held]) for side in ("first", "last"))
    order = np.argsort(first)
    return refined(model, (first[order], last[order])) is not model


def _others(networks: Networks, number: int, after: VirtualNetwork) -> set[int] | None:
    """The networks at the other sides of the peerings that changed; None where one is not in the estate."""
    before = networks.all[number]
    changed = set(before.peerings) ^ set(after.peerings)
    keys = {half.remote_virtual_network.key for half in changed if half.remote_virtual_network is not None}
    found = {networks.numbers.get(key, -1) for key in keys} - {number}
    return None if -1 in found else found


def _leaves(proven: Proven, number: int, others: Iterable[int]) -> set[int] | None:
    """Of each changed peering the sides that are leaves; None where there is none."""
    found = set[int]()
    for other in others:
        here = {number, other} - _stands(proven)
        if not here:
            return None
        found |= here
    return found


def _stands(proven: Proven) -> set[int]:
    """The networks in which something stands that packets may go on by, or that BGP comes from."""
    return proven.kept("stands", lambda: _standing(proven.reach.model))


def _standing(model: Model) -> set[int]:
    networks, world = model.networks, model.world
    found = {target.network for target in model.targets} | {place.network for place in model.places.values()}
    keys = {*world.index.gateways_in, *world.ground.hanging}
    keys |= {server.network for server in world.ground.route_servers.values()}
    return found | {networks.numbers[key] for key in keys if key in networks.numbers}


def _found_in(proven: Proven, after: Networks, leaf: int) -> bool:
    """Whether a next hop that another network's table names is then found in a leaf."""
    model = proven.reach.model
    named = proven.kept("named", lambda: _named(model))
    for peer in after.peers[leaf]:
        for address in named.get(peer.network, ()):
            for back in after.peers[peer.network]:
                if back.network == leaf and covered(address, back.prefixes):
                    key = after.all[leaf].id.key
                    if model.world.index.at(key, address) or model.world.index.frontend(key, address) is not None:
                        return True
    return False


def _named(model: Model) -> dict[int, set[Address]]:
    """By network the next hops that its tables name."""
    found: dict[int, set[Address]] = {}
    for network, way in model.next_hops:
        address = parsed(way.removeprefix(APPLIANCE))
        if address is not None:
            found.setdefault(network, set()).add(address)
    return found


# The networks after


def _joined(networks: Networks, number: int, network: VirtualNetwork, others: Iterable[int]) -> Networks:
    every = list(networks.all)
    every[number] = network
    peers = list(networks.peers)
    peers[number] = tuple(_seen(networks, network, every))
    for other in others:
        kept = [peer for peer in peers[other] if peer.network != number]
        back = list(_seen(networks, every[other], every, only=number))
        order = {half.name: at for at, half in enumerate(every[other].peerings)}
        peers[other] = tuple(sorted([*kept, *back], key=lambda peer: order[peer.live.peering.name]))
    return replace(networks, all=tuple(every), peers=tuple(peers))


def _seen(
    networks: Networks, network: VirtualNetwork, every: list[VirtualNetwork], only: int | None = None
) -> Iterable[Peer]:
    """What a network's halves come to, in their order; `only`: those towards one network."""
    for half in network.peerings:
        key = "" if half.remote_virtual_network is None else half.remote_virtual_network.key
        number = networks.numbers.get(key, -1)
        if only is not None and number != only:
            continue
        remote = None if number < 0 else every[number]
        live = seen_from(network, half, remote, None if remote is None else _half(remote, network))
        if live is not None:
            yield Peer(number, live.prefixes, live)


def _half(of: VirtualNetwork, towards: VirtualNetwork) -> Peering | None:
    return next(
        (
            half
            for half in of.peerings
            if half.remote_virtual_network is not None and half.remote_virtual_network.key == towards.id.key
        ),
        None,
    )


def _ranges(networks: Networks, leaf: int) -> list[Network]:
    """A leaf's own ranges, and what its peers take for them, which may lag behind (R31)."""
    found = list(networks.all[leaf].address_space)
    for peer in networks.peers[leaf]:
        if peer.network >= 0:
            back = (held.prefixes for held in networks.peers[peer.network] if held.network == leaf)
            found += [prefix for prefixes in back for prefix in prefixes]
    return found


def _announced(proven: Proven, after: Networks, touched: set[int], leaves: set[int], addresses: Positions) -> Announced:
    """What covers the addresses, said by the gateways of the networks that a peering changed as these now say it."""
    model = proven.reach.model
    found = announced_over(proven, addresses)
    index = model.world.index
    for number, key in enumerate(model.gateway_numbers):
        network = index.network_of(index.gateways[key].subnet)
        if network is None or after.numbers[network.id.key] not in touched:
            continue
        home = after.numbers[network.id.key]
        kept = [pair for pair in found[number] if pair[1] not in leaves]
        lives = (peer.live for peer in after.peers[home] if peer.network in leaves)
        said = spoken_for(after.all[home], lives, index)
        found[number] = [*kept, *((prefix, after.numbers[key]) for prefix, key in said if after.numbers[key] in leaves)]
    return found
