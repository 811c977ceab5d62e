"""A route table changed, and proven again.

It is felt by the machines of its subnets, at the ends that its changed routes cover. Those ends, cut where a changed
route begins or stops, are answered by the old table and by the new; subnets of which both are alike are asked about
once. A table by which packets under way go on, a gateway's, an appliance's, or one with a next hop that no table had
before, is felt further: the islands are counted again (waypoints.py). One that ties an island to another is asked
about its own machines, in both (anew.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from farshore.routing.scale.arrivals import Place
from farshore.routing.scale.changes.anew import Anew, announced_over, closed, counted_anew
from farshore.routing.scale.changes.pieces import Ranges, covered, cut, cuts_a_network, lying_in, refined
from farshore.routing.scale.changes.proven import Difference, Moment, Proven
from farshore.routing.scale.changes.waypoints import Waypoint, counted_again
from farshore.routing.scale.classes import Class, Tables
from farshore.routing.scale.columns import Indexes, Table
from farshore.routing.scale.ends import Ends
from farshore.routing.scale.model import Model
from farshore.routing.scale.outcomes import WORDS, Codes, distinct
from farshore.routing.scale.tables import Routes, routes_of, unclear_tags, users_win

Longs = npt.NDArray[np.int64]


class _Change(NamedTuple):
    """A table before and after, each with its routes, and the ranges of those that only one side has; None where all
    may be felt."""

    before: tuple[Table, Routes]
    after: tuple[Table, Routes]
    ranges: Ranges | None


def routed(proven: Proven, table: Table) -> Difference | None:
    """What comes of a route table having these routes instead. None where there is no such table, or it has no short
    way: where it cuts a network's own range that a site has as well."""
    model = proven.reach.model
    old = model.columns.tables.get(table.key)
    if old is None:
        return None
    before, after = zip((old, table), routes_of((old, table), model.world.outside.service_prefixes), strict=True)
    known = model.world.outside.service_prefixes
    everywhere = (
        old.propagates != table.propagates
        or old.unclear != table.unclear
        or unclear_tags(old, known) != unclear_tags(table, known)
    )
    change = _Change(before, after, None if everywhere else _changed(before[1], after[1]))
    passed = any(subnet in model.places for _, subnet in proven.users.get(table.key, ()))
    found = None if passed else _by_its_own(proven, change)
    return _anew(proven, change, passed) if found is None else found


def _changed(old: Routes, new: Routes) -> Ranges:
    """The ranges of routes that only one side has."""
    sides = []
    for routes in (old, new):
        ways = [routes.kinds[hop] for hop in routes.hops]
        sides.append(set(zip(routes.first.tolist(), routes.last.tolist(), routes.length.tolist(), ways, strict=True)))
    ranges = sorted({(first, last) for first, last, _, _ in sides[0] ^ sides[1]})
    return (
        np.array([first for first, _ in ranges], dtype=np.uint64),
        np.array([last for _, last in ranges], dtype=np.uint64),
    )


# By its own machines


def _by_its_own(proven: Proven, change: _Change) -> Difference | None:
    """Where a table's own machines are all that feel it. None where they are not."""
    model = proven.reach.model
    ends, of_end = model.ends, model.line
    if change.ranges is not None:
        ends, of_end = cut(ends, covered(ends, model.blocks, change.ranges), change.ranges)
    found = np.zeros((len(proven.elements) + 1, len(WORDS)), dtype=np.int64)
    if not len(ends):
        return found
    if cuts_a_network(ends, of_end):
        return None
    sides = (_Side.of(model, ends, *change.before), _Side.of(model, ends, *change.after))
    alike = _alike(proven, change, sides)
    if any(side.further for side in sides):
        return None
    for subnets in alike:
        units, machines = np.unique(model.units.of_machine[proven.rows_in(subnets)], return_counts=True)
        for number, at in proven.islands_of(units.astype(np.int64)).items():
            if any(_beyond(proven, number, side.of_subnet(subnets[0])) for side in sides):
                return None
            _felt(proven, number, _Units(units[at].astype(np.int64), machines[at]), subnets[0], sides, of_end, found)
    return found


def _alike(proven: Proven, change: _Change, sides: Sequence[_Side]) -> list[list[str]]:
    """The table's subnets, those together that answer alike before and after; the first of each is laid out."""
    model, tables = proven.reach.model, sides[1].tables
    (old, routes), (new, others) = change.before, change.after
    more = [way for way in others.kinds if way not in routes.kinds]
    found: dict[tuple[int, ...], list[str]] = {}
    for network, subnet in proven.users.get(new.key, ()):
        rows = (tables.row(network, way) for way in more)
        source = tables.source(network) if new.propagates and not old.propagates else -1
        key = (model.class_of[subnet], source, *rows)
        if key not in found:
            for side in sides:
                side.tables.subnet(network, subnet)
        found.setdefault(key, []).append(subnet)
    return list(found.values())


class _Units(NamedTuple):
    """Units of one island, and how many machines of each are meant."""

    units: Longs
    machines: Longs


def _felt(
    proven: Proven,
    number: int,
    held: _Units,
    subnet: str,
    sides: Sequence[_Side],
    of_end: Indexes,
    found: Difference,
) -> None:
    """Adds what machines of one island, in a subnet or others alike, make of it."""
    places = proven.places_of(held.units)
    # In most moments the few ends are answered as in most others.
    alike: dict[tuple[bytes, ...], tuple[Codes, tuple[Codes, Codes], list[int]]] = {}
    for moment in proven.moments[number]:
        before, after = (side.codes(side.of_subnet(subnet), moment, of_end) for side in sides)
        if not np.array_equal(before, after):
            ways = moment.ways_in[places]
            key = (ways.tobytes(), before.tobytes(), after.tobytes())
            alike.setdefault(key, (ways, (before, after), []))[2].extend(moment.who)
    for ways, pair, who in alike.values():
        for unit, way, machines in _told_apart(proven.reach.model, held, ways):
            less, more = (
                np.bincount(proven.reach.words_of(unit, way, codes, of_end), minlength=len(WORDS)) for codes in pair
            )
            found[who] += machines * (more - less)


def _told_apart(model: Model, held: _Units, ways: Codes) -> Iterator[tuple[int, list[int], int]]:
    """Of units that arrive alike and are behind one check: one, how it arrives, and how many machines they are."""
    unique, which = distinct(ways)
    checks = model.units.check[held.units].astype(np.int64)
    keys, first, inverse = np.unique(which * (int(checks.max()) + 1) + checks, return_index=True, return_inverse=True)
    machines = np.bincount(inverse.reshape(-1), weights=held.machines, minlength=len(keys)).astype(np.int64)
    for at, count in zip(first.tolist(), machines.tolist(), strict=True):
        yield int(held.units[at]), unique[int(which[at])], count


def _beyond(proven: Proven, number: int, cls: Class) -> bool:
    """Whether a subnet hangs on what its island has not."""
    island = proven.reach.islands[number]
    return cls.source not in proven.moments[number][0].bases or any(
        row >= 0 and row not in island.targets for row in cls.rows
    )


@dataclass(slots=True)
class _Side:
    """How a table answers a few ends, before a change or after it."""

    model: Model
    tables: Tables
    known: tuple[int, int]
    """How many sources and targets the model has."""

    @staticmethod
    def of(model: Model, ends: Ends, table: Table, routes: Routes) -> _Side:
        tables = Tables(
            networks=model.networks,
            ends=ends,
            blocks=tuple(ends.of_site(site) for site in range(len(model.blocks))),
            columns=replace(model.columns, tables={table.key: table}),
            routes={table.key: routes},
            sources={source: number for number, source in enumerate(model.sources)},
            targets={target: number for number, target in enumerate(model.targets)},
        )
        return _Side(model, tables, (len(model.sources), len(model.targets)))

    @property
    def further(self) -> bool:
        """Whether something turned up that the model does not have."""
        return (len(self.tables.sources), len(self.tables.targets)) != self.known

    def of_subnet(self, subnet: str) -> Class:
        return list(self.tables.classes)[self.tables.class_of[subnet]]

    def codes(self, cls: Class, moment: Moment, of_end: Indexes) -> Codes:
        """What a reply comes to, by piece."""
        base, table = moment.bases[cls.source], self.tables.painted[cls.table]
        found: Codes = base.code[of_end].copy()
        users = users_win(table.length, base.length[of_end])
        for hop, row in enumerate(cls.rows):
            here = users & (table.hop == hop)
            if here.any():
                found[here] = (moment.vectors[row] if row >= 0 else self.model.constant[row])[of_end[here]]
        contested = self.model.ends.contested[of_end]
        if contested.any():
            found[contested] = self.model.doubted(found[contested])
        return found


# Further


def _anew(proven: Proven, change: _Change, passed: bool) -> Difference | None:
    """Where others feel it, or its own machines do in another island. `passed`: whether packets under way meet it."""
    reach, ranges, (table, routes) = proven.reach, change.ranges, change.after
    users = proven.users.get(table.key, [])
    model = reach.model if ranges is None else refined(reach.model, ranges)
    if model is None:
        return None
    if model is not reach.model:
        reach = reach.through(model)
    side = _Side.of(model, model.ends, table, routes)
    for network, subnet in users:
        side.tables.subnet(network, subnet)
    addresses = model.columns.machines.addresses
    turned = change.before[0].propagates != table.propagates
    found = counted_again(
        proven,
        reach,
        Waypoint(
            places={
                subnet: Place(key=subnet, network=network, routes=routes, unclear=table.unclear)
                for network, subnet in users
            },
            classes={subnet: side.of_subnet(subnet) for _, subnet in users},
            painted=side.tables.painted,
            targets=list(side.tables.targets)[len(model.targets) :],
            covered=np.ones(len(addresses), dtype=bool) if ranges is None else lying_in(addresses, ranges),
            own={subnet: proven.rows_in([subnet]) for _, subnet in users},
            replies=ranges is None or bool(len(covered(model.ends, model.blocks, ranges))),
            turned=_speaking_by(model, {subnet for _, subnet in users}) if turned else frozenset(),
            speaks=table.propagates,
        ),
    )
    if found is not None or passed:
        return found
    rows = closed(proven, proven.rows_in(subnet for _, subnet in users))
    columns = model.columns
    after = replace(columns, tables={**columns.tables, table.key: table}, machines=columns.machines.taken(rows))
    return counted_anew(
        proven,
        Anew(
            rows=rows,
            columns=after,
            networks=model.networks,
            announced=announced_over(proven, after.machines.addresses),
            painted=frozenset(network for network, _ in users),
        ),
        reach,
    )


def _speaking_by(model: Model, subnets: Iterable[str]) -> frozenset[int]:
    """The gateways that stand in some subnets."""
    held = set(subnets)
    gateways = model.world.index.gateways
    return frozenset(
        number
        for key, number in model.gateway_numbers.items()
        if (subnet := gateways[key].subnet) is not None and subnet.key in held
    )
