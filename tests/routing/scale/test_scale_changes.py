"""A change proven again says what an estate counted anew says, cell by cell, under every element.

An estate counted anew may be cut into other ends than before. So both are laid out machine by machine over the common
refinement of the two, and the difference of the words there is what the short way has to answer.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from ipaddress import ip_network
from random import Random

import numpy as np
import numpy.typing as npt
import pytest

from farshore.estate.estate import Change, Estate
from farshore.estate.outside import Filter, Router
from farshore.routing import Element, elements
from farshore.routing.scale.changes.proven import Proven
from farshore.routing.scale.changes.routed import routed
from farshore.routing.scale.changes.told import preferred, told
from farshore.routing.scale.changes.weighed import weighed
from farshore.routing.scale.columns import Columns, Table, columns_of
from farshore.routing.scale.line import address_at
from farshore.routing.scale.outcomes import WORDS
from farshore.routing.scale.prefixes import of_networks
from farshore.routing.scale.reach import Reach
from farshore.routing.scale.sessions import filtered
from routing.scale.estates import ROUTES, estate_of

SEEDS = int(os.environ.get("FARSHORE_SCALE_SEEDS", "40"))
HOPS = (("None", ""), ("Internet", ""), ("VnetLocal", ""), ("VirtualNetworkGateway", ""))


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_table_s_change_is_what_counting_anew_gives(seed: int) -> None:
    draw = Random(seed)
    columns = columns_of(estate_of(seed))
    reach = Reach.of(columns)
    every = elements(columns.skeleton)
    proven = Proven.of(reach, every)
    unanswered = []
    for key in sorted(columns.tables):
        table = _edited(draw, columns, columns.tables[key])
        found = routed(proven, table)
        if found is None:
            unanswered.append(table)
            continue
        cut = _with_cuts(columns, columns.tables[key], table)
        before, after = Reach.of(cut), Reach.of(_with_table(cut, table))
        for row, element in enumerate((None, *every)):
            assert (found[row] == _difference(before, after, element)).all(), f"seed {seed}, {table}, {element}"
    for table in unanswered:
        assert _further(columns, reach, table), f"seed {seed}: {table} has a short way"


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_weight_s_change_is_what_counting_anew_gives(seed: int) -> None:
    draw = Random(seed)
    estate = estate_of(seed)
    reach = Reach.of(estate)
    every = elements(reach.model.columns.skeleton)
    proven = Proven.of(reach, every)
    for connection in estate.connections:
        weight = draw.choice((0, 10, 200))
        found = weighed(proven, connection.id.key, weight)
        if found is None:
            continue
        body = dict(estate.resources[connection.id.key])
        body["properties"] = {**body["properties"], "routingWeight": weight}
        after = Reach.of(replace(estate, resources={**estate.resources, connection.id.key: body}, _views={}, _keys={}))
        for row, element in enumerate((None, *every)):
            assert (found[row] == _difference(reach, after, element)).all(), f"seed {seed}, {connection.id}, {element}"


def _with_table(columns: Columns, table: Table) -> Columns:
    """With this table; whether a gateway speaks by it is asked of the skeleton (R23)."""
    skeleton = columns.skeleton
    if table.key in skeleton.resources:
        body = skeleton.resources[table.key]
        flags = {"disableBgpRoutePropagation": not table.propagates}
        skeleton = skeleton.with_changes([Change(put={**body, "properties": {**body["properties"], **flags}})])
    return replace(columns, skeleton=skeleton, tables={**columns.tables, table.key: table})


def _edited(draw: Random, columns: Columns, table: Table) -> Table:
    """A route more, a route less, or gateway routes kept out."""
    rows = list(zip(table.prefixes, table.next_hop_types, table.next_hops, strict=True))
    what = draw.random()
    if rows and what < 0.3:
        rows.remove(draw.choice(rows))
    elif what < 0.4:
        return replace(table, propagates=not table.propagates)
    else:
        sites = [str(prefix) for site in columns.skeleton.sites for prefix in site.prefixes]
        hops = [row[1:] for other in columns.tables.values() for row in _rows(other)]
        # Next hops that no table had: a machine's, which may forward or not, and one where nobody stands.
        hops += [("VirtualAppliance", str(address_at(place))) for place in columns.machines.addresses[::3].tolist()]
        hops.append(("VirtualAppliance", "10.1.0.199"))
        rows.append((draw.choice([*ROUTES, *sites, _part(draw, sites)]), *draw.choice([*HOPS, *hops])))
    prefixes, kinds, ways = zip(*rows, strict=True) if rows else ((), (), ())
    return replace(table, prefixes=prefixes, next_hop_types=kinds, next_hops=ways)


def _rows(table: Table) -> list[tuple[str, str, str]]:
    return list(zip(table.prefixes, table.next_hop_types, table.next_hops, strict=True))


def _with_cuts(columns: Columns, *tables: Table) -> Columns:
    """The same, and a network that nothing is in or leads to, whose table has the prefixes of some tables: so that ends
    are cut alike, whichever of them is used. Its range is another network's, which cuts nothing."""
    network = next(iter(columns.skeleton.virtual_networks))
    id_ = f"{network.id.text.rpartition('/')[0]}/cuts"
    prefixes = list(dict.fromkeys(prefix for table in tables for prefix in table.prefixes))
    held = replace(
        tables[0],
        key=f"{id_}-table".lower(),
        prefixes=tuple(prefixes),
        next_hop_types=("None",) * len(prefixes),
        next_hops=("",) * len(prefixes),
    )
    space = [str(prefix) for prefix in network.address_space]
    subnet = {
        "name": "all",
        "id": f"{id_}/subnets/all",
        "properties": {"addressPrefix": space[0], "routeTable": {"id": held.key}},
    }
    body = {
        "id": id_,
        "location": network.location,
        "properties": {"addressSpace": {"addressPrefixes": space}, "subnets": [subnet]},
    }
    skeleton = columns.skeleton.with_changes([Change(put=body)])
    return replace(columns, skeleton=skeleton, tables={**columns.tables, held.key: held})


def _part(draw: Random, prefixes: list[str]) -> str:
    """A part of one of some prefixes, or the whole where it is as small as can be told."""
    whole = ip_network(draw.choice(prefixes))
    smallest = 64 if whole.version == 6 else 32
    length = min(smallest, whole.prefixlen + draw.choice((1, 2, 8)))
    return str(next(whole.subnets(new_prefix=max(length, whole.prefixlen))))


def _further(columns: Columns, before: Reach, table: Table) -> bool:
    """Whether a change has no short way: a network's range that a site has as well is cut, or a gateway's or an
    appliance's table ties islands together."""
    after = Reach.of(_with_table(columns, table))
    contested = [
        reach.model.ends.taken(np.flatnonzero(reach.model.ends.contested).astype(np.int32)) for reach in (before, after)
    ]
    if len(contested[0]) < len(contested[1]):
        return True
    passed = any(
        subnet.route_table is not None and subnet.route_table.key == table.key and subnet.id.key in before.model.places
        for network in before.model.networks.all
        for subnet in network.subnets
    )
    island_of = {gateway: number for number, island in enumerate(before.islands) for gateway in island.gateways}
    return passed and any(len({island_of[gateway] for gateway in island.gateways}) > 1 for island in after.islands)


def _difference(before: Reach, after: Reach, element: Element | None) -> npt.NDArray[np.int64]:
    firsts = [_starts(reach) for reach in (before, after)]
    pieces = sorted({*firsts[0], *firsts[1]})
    found = Counter[int]()
    for sign, reach, starts in ((-1, before, firsts[0]), (1, after, firsts[1])):
        condition = reach.cold if element is None else reach.under(element).condition
        words = reach.words(condition)[reach.model.units.of_machine]
        for word, count in zip(*np.unique(words[:, _holding(starts, pieces)], return_counts=True), strict=True):
            found[int(word)] += sign * int(count)
    return np.array([found[word] for word in range(len(WORDS))], dtype=np.int64)


def _starts(reach: Reach) -> list[tuple[int, int]]:
    ends = reach.model.ends
    return list(zip(ends.sites.tolist(), ends.first.tolist(), strict=True))


def _holding(starts: list[tuple[int, int]], pieces: list[tuple[int, int]]) -> list[int]:
    """For each piece the end that holds it: both are sorted by site, then by position."""
    found, at = [], 0
    for piece in pieces:
        while at + 1 < len(starts) and starts[at + 1] <= piece:
            at += 1
        found.append(at)
    return found


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_prefix_told_or_withheld_is_what_counting_anew_gives(seed: int) -> None:
    draw = Random(seed)
    estate = _explicit(estate_of(seed))
    reach = Reach.of(estate)
    every = elements(reach.model.columns.skeleton)
    proven = Proven.of(reach, every)
    for site in estate.sites:
        for router in site.routers:
            prefix = draw.choice(site.prefixes)
            now = next(item.action for item in router.filters if item.prefix == prefix and item.direction == "out")
            found = told(proven, site.name, router.name, prefix, now == "deny")
            if found is None:
                continue
            turned = {"deny": "allow", "allow": "deny"}[now]
            filters = tuple(
                replace(item, action=turned) if (item.prefix, item.direction) == (prefix, "out") else item
                for item in router.filters
            )
            after = Reach.of(_with_router(estate, site.name, replace(router, filters=filters)))
            for row, element in enumerate((None, *every)):
                expected = _difference(reach, after, element)
                assert (found[row] == expected).all(), f"seed {seed}, {site.name}/{router.name} {prefix}, {element}"


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_preference_s_change_is_what_counting_anew_gives(seed: int) -> None:
    draw = Random(seed)
    estate = estate_of(seed)
    reach = Reach.of(estate)
    every = elements(reach.model.columns.skeleton)
    proven = Proven.of(reach, every)
    for site in estate.sites:
        for router in site.routers:
            preference = draw.choice((50, 100, 300))
            found = preferred(proven, site.name, router.name, preference)
            assert found is not None
            after = Reach.of(_with_router(estate, site.name, replace(router, local_preference=preference)))
            for row, element in enumerate((None, *every)):
                expected = _difference(reach, after, element)
                assert (found[row] == expected).all(), f"seed {seed}, {site.name}/{router.name}, {element}"


def _with_router(estate: Estate, site: str, router: Router) -> Estate:
    sites = tuple(
        replace(held, routers=tuple(router if other.name == router.name else other for other in held.routers))
        if held.name == site
        else held
        for held in estate.sites
    )
    return replace(estate, sites=sites, _views={}, _keys={})


def _explicit(estate: Estate) -> Estate:
    """Each router's filters outward, said prefix by prefix: so one can be turned without the others."""
    for site in estate.sites:
        prefixes, which = of_networks(list(site.prefixes))
        for router in site.routers:
            passes = filtered(prefixes, router, "out")[which].tolist()
            said = tuple(
                Filter(direction="out", prefix=prefix, action="allow" if allowed else "deny")
                for prefix, allowed in zip(site.prefixes, passes, strict=True)
            )
            kept = tuple(item for item in router.filters if item.direction != "out")
            estate = _with_router(estate, site.name, replace(router, filters=(*said, *kept)))
    return estate
