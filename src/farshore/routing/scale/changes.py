"""One change to an estate, proven again under every failure, at the cost of what it touches.

What is kept of a proof is, island by island, each *moment*: a condition that the island is in with nothing failed or
under some failures, which failures those are, and how flows arrive. A change is then felt in one of three places:

    a route table     the machines of its subnets alone, at the ends that its changed routes cover. Those ends, cut
                      where a changed route begins or stops, are answered by the old table and by the new
    one by which      the islands of what comes by it, where that arrives or goes on otherwise (waypoints.py): a
    packets go on     gateway's table, an appliance's, or one with a next hop that no table had before
    a weight          the islands of the connection's gateway: they are counted again, and nothing else is

What comes out is a difference of cells by word, with nothing failed and under each element. A change that is felt
further has no short way: a gateway that falls silent or speaks again by its own table's propagation (R23), a route that
makes two islands one, one that cuts a network's own range which a site has as well. The answer is None, and the estate
is to be counted anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from farshore.routing.failures import Element
from farshore.routing.scale.answers import Answers, Base
from farshore.routing.scale.arrivals import Place
from farshore.routing.scale.classes import Class, Tables
from farshore.routing.scale.columns import Indexes, Table
from farshore.routing.scale.conditions import Condition
from farshore.routing.scale.egress import Gateway, rank_of
from farshore.routing.scale.ends import Ends
from farshore.routing.scale.model import Model
from farshore.routing.scale.outcomes import WORDS, Codes
from farshore.routing.scale.pieces import Ranges, covered, cut, cuts_a_network, lying_in, refined
from farshore.routing.scale.reach import Reach
from farshore.routing.scale.tables import Painted, Routes, routes_of
from farshore.routing.scale.tally import Counts
from farshore.routing.scale.waypoints import Waypoint, counted_again

T = TypeVar("T")

Difference = npt.NDArray[np.int64]
"""By condition (nothing failed, then each element) and word: cells more, or fewer. Its rows sum to nothing."""


@dataclass(slots=True)
class Moment:
    """An island in one condition."""

    condition: Condition
    ways_in: Codes
    """By unit of the island, and site."""
    bases: dict[int, Base]
    """By source."""
    vectors: dict[int, Codes]
    """By target: what it makes of every end."""
    who: list[int]
    """0 for nothing failed, n + 1 for element n."""


@dataclass(slots=True)
class Proven:
    """A reach with nothing failed and under each element, ready for changes."""

    reach: Reach
    elements: tuple[Element, ...]
    moments: list[list[Moment]] = field(default_factory=list)
    """By island."""
    island_of: Indexes = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    """By unit."""
    _place_of: Indexes = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    _by_subnet: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    _users: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    """By route table: (network, subnet)."""
    _subnet_numbers: dict[str, int] = field(default_factory=dict)
    _kept: dict[str, Any] = field(default_factory=dict)

    @staticmethod
    def of(reach: Reach, elements: Sequence[Element]) -> Proven:
        """Everything under each element. Costs what the first proof did, less what `reach` has counted already."""
        made = Proven(reach, tuple(elements))
        conditions = [reach.cold, *(reach.under(element).condition for element in elements)]
        made.moments = [made._moments_of(number, conditions) for number in range(len(reach.islands))]
        model = reach.model
        made.island_of = np.zeros(len(model.units), dtype=np.int32)
        made._place_of = np.zeros(len(model.units), dtype=np.int32)
        for number, island in enumerate(reach.islands):
            made.island_of[island.units] = number
            made._place_of[island.units] = np.arange(len(island.units))
        machines = model.columns.machines
        made._by_subnet = np.argsort(machines.subnets, kind="stable")
        made._subnet_numbers = {key: number for number, key in enumerate(machines.subnet_keys)}
        for number, network in enumerate(model.networks.all):
            for subnet in network.subnets:
                if subnet.route_table is not None:
                    made._users.setdefault(subnet.route_table.key, []).append((number, subnet.id.key))
        return made

    def _moments_of(self, number: int, conditions: Sequence[Condition]) -> list[Moment]:
        reach = self.reach
        found: dict[tuple[object, ...], Moment] = {}
        for who, condition in enumerate(conditions):
            key = reach.condition_key(number, condition)
            if key not in found:
                bases, vectors = _behind(reach, reach.answers, number, condition)
                found[key] = Moment(condition, reach.ways_in(number, condition), bases, vectors, [])
            found[key].who.append(who)
        return list(found.values())

    def kept(self, name: str, make: Callable[[], T]) -> T:
        """What is worth making once for all changes, and not before one needs it."""
        if name not in self._kept:
            self._kept[name] = make()
        held: T = self._kept[name]
        return held

    # A route table

    def table(self, table: Table) -> Difference | None:
        """What comes of a route table having these routes instead. None where there is no such table, or it has no
        short way (theory above)."""
        model = self.reach.model
        old = model.columns.tables.get(table.key)
        if old is None:
            return None
        services = model.world.outside.service_prefixes
        before, after = zip((old, table), routes_of((old, table), services), strict=True)
        everywhere = old.propagates != table.propagates or old.unclear != table.unclear
        change = _Change(before, after, None if everywhere else _changed(before[1], after[1]))
        if all(subnet not in model.places for _, subnet in self._users.get(table.key, ())):
            found = self._by_its_own(change)
            if found is not None:
                return found
        return self._anew(change)

    def _by_its_own(self, change: _Change) -> Difference | None:
        """Where a table's own machines are all that feel it. None where they are not."""
        model, subnets = self.reach.model, self._users.get(change.after[0].key, [])
        ends, of_end = model.ends, model.line
        if change.ranges is not None:
            ends, of_end = cut(ends, covered(ends, model.blocks, change.ranges), change.ranges)
        found = np.zeros((len(self.elements) + 1, len(WORDS)), dtype=np.int64)
        if not len(ends):
            return found
        if cuts_a_network(ends, of_end):
            return None
        sides = [_Side.of(model, ends, *change.before), _Side.of(model, ends, *change.after)]
        for network in {network for network, _ in subnets}:
            for side in sides:
                side.tables.network(network)
        if any(side.further for side in sides):
            return None
        for _, subnet in subnets:
            if not self._felt(subnet, sides, of_end, found):
                return None
        return found

    def _anew(self, change: _Change) -> Difference | None:
        """Where others feel it: the islands that they are in are counted again (waypoints.py)."""
        reach, ranges, (table, routes) = self.reach, change.ranges, change.after
        users = self._users.get(table.key, [])
        if change.before[0].propagates != table.propagates and self._speaks_by(subnet for _, subnet in users):
            # A gateway without propagation in its own subnet says and hears nothing (R23).
            return None
        model = reach.model if ranges is None else refined(reach.model, ranges)
        if model is None:
            return None
        if model is not reach.model:
            reach = reach.through(model)
        side = _Side.of(model, model.ends, table, routes)
        for network in {network for network, _ in users}:
            side.tables.network(network)
        addresses = model.columns.machines.addresses
        return counted_again(
            self,
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
                own={subnet: self._rows_in(subnet) for _, subnet in users},
                replies=ranges is None or bool(len(covered(model.ends, model.blocks, ranges))),
            ),
        )

    def _speaks_by(self, subnets: Iterable[str]) -> bool:
        """Whether any of some subnets is a gateway's."""
        gateways = self.reach.model.world.index.gateways.values()
        return not {gateway.subnet.key for gateway in gateways if gateway.subnet is not None}.isdisjoint(subnets)

    def islands_of(self, units: npt.NDArray[np.int64]) -> dict[int, npt.NDArray[np.int64]]:
        """By island: which of some units are in it."""
        of_island = self.island_of[units]
        return {number: np.flatnonzero(of_island == number) for number in np.unique(of_island).tolist()}

    def islands_by(self, anchors: Iterable[int]) -> set[int]:
        """The islands of some gateways and targets, numbered after them; next hops that are new are in none."""
        of = self.kept("of_anchor", self._of_anchors)
        return {of[anchor] for anchor in anchors if anchor in of}

    def _of_anchors(self) -> dict[int, int]:
        gateways = len(self.reach.model.gateways)
        return {
            anchor: number
            for number, island in enumerate(self.reach.islands)
            for anchor in (*island.gateways, *(gateways + target for target in island.targets))
        }

    def moment_of(self, number: int) -> list[int]:
        """With nothing failed and under each element: the moment of an island."""
        found: dict[int, list[int]] = self.kept("moment_of", dict)
        if number not in found:
            held = [0] * (len(self.elements) + 1)
            for at, moment in enumerate(self.moments[number]):
                for who in moment.who:
                    held[who] = at
            found[number] = held
        return found[number]

    def places_of(self, units: npt.NDArray[np.int64]) -> Indexes:
        """Where units stand in their islands."""
        return self._place_of[units]

    @property
    def homes(self) -> Indexes:
        """By machine its network; -1 for one that is not there."""
        return self.kept("homes", lambda: self.reach.model.units.home[self.reach.model.units.of_machine])

    def rows_of_nic(self, nic: str) -> npt.NDArray[np.int64]:
        """A NIC's rows among the machines, by its lower-case id."""
        return self._rows("nic", self.reach.model.columns.machines.nics, nic)

    def rows_of_machine(self, machine: str) -> npt.NDArray[np.int64]:
        """A machine's rows, by its lower-case id."""
        return self._rows("machine", self.reach.model.columns.machines.holders, machine)

    def _rows(self, what: str, names: Sequence[str], name: str) -> npt.NDArray[np.int64]:
        known = self.kept(what, lambda: _numbered(names))
        return np.array(known.get(name, ()), dtype=np.int64)

    def _rows_in(self, subnet: str) -> npt.NDArray[np.int64]:
        """A subnet's machines."""
        number = self._subnet_numbers.get(subnet)
        if number is None:
            return np.zeros(0, dtype=np.int64)
        order, subnets = self._by_subnet, self.reach.model.columns.machines.subnets
        first, last = np.searchsorted(subnets, [number, number + 1], sorter=order).tolist()
        return order[first:last]

    def _machines_in(self, subnet: str) -> Iterator[tuple[int, int]]:
        """The units that a subnet's machines are of, and how many are of each."""
        units, counts = np.unique(self.reach.model.units.of_machine[self._rows_in(subnet)], return_counts=True)
        yield from zip(units.tolist(), counts.tolist(), strict=True)

    def _felt(self, subnet: str, sides: Sequence[_Side], of_end: Indexes, found: Difference) -> bool:
        """Adds what the machines of a subnet make of it; False where another island would have to be asked."""
        replies: dict[int, list[tuple[Codes, Codes]]] = {}
        for unit, machines in self._machines_in(subnet):
            number, place = int(self.island_of[unit]), int(self._place_of[unit])
            if number not in replies:
                if any(self._beyond(number, side.of_subnet(subnet)) for side in sides):
                    return False
                replies[number] = [self._replies(subnet, sides, moment, of_end) for moment in self.moments[number]]
            # In most moments the few ends are answered as in most others.
            alike: dict[tuple[bytes, ...], tuple[Moment, tuple[Codes, Codes], list[int]]] = {}
            for moment, (before, after) in zip(self.moments[number], replies[number], strict=True):
                if before is not after:
                    key = (moment.ways_in[place].tobytes(), before.tobytes(), after.tobytes())
                    alike.setdefault(key, (moment, (before, after), []))[2].extend(moment.who)
            for moment, pair, who in alike.values():
                way = moment.ways_in[place].tolist()
                less, more = (
                    np.bincount(self.reach.words_of(unit, way, codes, of_end), minlength=len(WORDS)) for codes in pair
                )
                found[who] += machines * (more - less)
        return True

    def _beyond(self, number: int, cls: Class) -> bool:
        """Whether a subnet hangs on what its island has not."""
        island = self.reach.islands[number]
        return cls.source not in self.moments[number][0].bases or any(
            row >= 0 and row not in island.targets for row in cls.rows
        )

    def _replies(self, subnet: str, sides: Sequence[_Side], moment: Moment, of_end: Indexes) -> tuple[Codes, Codes]:
        """What replies come to before and after; one thing twice where that is the same."""
        before, after = (side.codes(side.of_subnet(subnet), moment, of_end) for side in sides)
        return (before, before) if np.array_equal(before, after) else (before, after)

    # A weight

    def weight(self, connection: str, weight: int) -> Difference | None:
        """What comes of a connection, by lower-case id, having another weight. None where there is no such thing."""
        model = self.reach.model
        found = np.zeros((len(self.elements) + 1, len(WORDS)), dtype=np.int64)
        touched = [number for number, gateway in enumerate(model.gateways) if connection in gateway.connections]
        if not touched:
            # None of a site's routers is on its circuit, or it is no gateway's: nothing is heard over it.
            return found if connection in model.world.index.connections else None
        gateways = list(model.gateways)
        for number in touched:
            gateways[number] = _weighed(gateways[number], connection, weight)
        answers = Answers(replace(model, gateways=tuple(gateways)))
        for number, island in enumerate(self.reach.islands):
            if not set(touched).isdisjoint(island.gateways):
                counts = model.units.count[island.units].astype(np.int64)
                known: dict[tuple[object, ...], Counts] = {}
                for moment in self.moments[number]:
                    after = self.reach.tallied(number, moment.condition, moment.ways_in, answers, known)
                    before = self.reach.count(number, moment.condition)
                    if after is not before:
                        found[moment.who] += counts @ (after - before)
        return found


def _numbered(names: Sequence[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for number, name in enumerate(names):
        found.setdefault(name, []).append(number)
    return found


class _Change(NamedTuple):
    """A table before and after, each with its routes, and the ranges of those that only one side has; None where all
    may be felt."""

    before: tuple[Table, Routes]
    after: tuple[Table, Routes]
    ranges: Ranges | None


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
        return over(self.model, base, table, cls, moment.vectors, of_end)


def over(model: Model, base: Base, table: Painted, cls: Class, vectors: dict[int, Codes], of_end: Indexes) -> Codes:
    """A table over what BGP says, piece by piece."""
    found: Codes = base.code[of_end].copy()
    users = table.length >= base.length[of_end]
    for hop, row in enumerate(cls.rows):
        here = users & (table.hop == hop)
        if here.any():
            found[here] = (vectors[row] if row >= 0 else model.constant[row])[of_end[here]]
    contested = model.ends.contested[of_end]
    if contested.any():
        found[contested] = model.doubted(found[contested])
    return found


def _behind(
    reach: Reach, answers: Answers, number: int, condition: Condition
) -> tuple[dict[int, Base], dict[int, Codes]]:
    island = reach.islands[number]
    bases = {source: answers.base(source, condition) for source in {*island.sources, -1}}
    numbers = zip(island.targets, answers.ways(island.targets, condition), strict=True)
    return bases, {target: answers.vector(way) for target, way in numbers}


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


def _weighed(gateway: Gateway, connection: str, weight: int) -> Gateway:
    """A gateway with another weight on one connection."""
    rank = gateway.rank.copy()
    for column, key in enumerate(gateway.connections):
        if key == connection:
            session = gateway.sessions.all[int(gateway.columns[column])]
            rank[column] = rank_of(weight, session.router.prepend)
    return replace(gateway, rank=rank, _held={}, _ways=[], _numbers={})
