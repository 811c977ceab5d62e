"""A table that packets under way meet, changed and proven again.

A gateway's table sees flows on their way in (R36), an appliance's sees both ways. A route that begins, stops or leads
elsewhere is felt by

    the machines whose address it covers      they may arrive otherwise, and are told apart anew
    the machines of the table's own subnets   their replies go by it
    every machine of an island                where an appliance sends by it what is for an end that the route covers

They are laid out as units of their own, in a model that differs from the proven one in the changed table alone, and
counted again in each moment of their islands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from farshore.routing.scale.answers import Answers
from farshore.routing.scale.arrivals import ENDED, Arrivals, Decision, Machinery, Place, kinds_of
from farshore.routing.scale.changes.differing import standing, with_classes, with_targets
from farshore.routing.scale.classes import Class
from farshore.routing.scale.columns import Indexes
from farshore.routing.scale.conditions import Condition
from farshore.routing.scale.islands import Island
from farshore.routing.scale.line import Bools
from farshore.routing.scale.model import Model
from farshore.routing.scale.outcomes import UNKNOWN, WORDS
from farshore.routing.scale.tables import Painted
from farshore.routing.scale.tally import Counts
from farshore.routing.scale.targets import Target
from farshore.routing.scale.units import Units, machinery_of
from farshore.routing.world import World

if TYPE_CHECKING:
    from farshore.routing.scale.changes.proven import Difference, Proven
    from farshore.routing.scale.reach import Reach

Longs = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waypoint:
    """A change of a table by which packets under way go on."""

    places: Mapping[str, Place]
    """Its subnets, as places that packets may come by, after the change."""
    classes: Mapping[str, Class]
    """By subnet, all that have the table, how it answers then."""
    painted: Sequence[Painted]
    """What those classes' tables are numbered in."""
    targets: Sequence[Target]
    """Next hops that no table had before."""
    covered: Bools
    """By machine: whether a changed route covers its address."""
    own: Mapping[str, Longs]
    """By subnet its machines."""
    replies: bool
    """Whether a changed route covers an end."""
    turned: frozenset[int]
    """The gateways that fall silent by it, or speak again (R23)."""
    speaks: bool
    """Which of the two."""


def counted_again(proven: Proven, reach: Reach, waypoint: Waypoint) -> Difference | None:
    """What comes of the change, in a proven reach or its like over finer ends. None where it ties an island to what the
    island has not."""
    model = reach.model if not waypoint.targets else with_targets(reach.model, waypoint.targets)
    machinery = replace(
        proven.kept("machinery", lambda: _machinery(model)),
        targets={target: number for number, target in enumerate(model.targets)},
    )
    ways = [_arriving(model, machinery, waypoint, way) for way in model.arrivals]
    after, numbers = with_classes(model, waypoint.classes, waypoint.painted)
    after = replace(after, arrivals=tuple(way.arrivals for way in ways))
    parts = _parts(model, waypoint, numbers, ways)
    sending = {
        target
        for target, subnets in enumerate(model.leads)
        if waypoint.replies and not waypoint.classes.keys().isdisjoint(subnets)
    }
    for island in reach.islands:
        if not sending.isdisjoint(island.targets) or not waypoint.turned.isdisjoint(island.gateways):
            parts = parts.with_rest(model, island.units)
    after = replace(after, units=parts.units(model))
    # What no gateway announces is not reached, whatever its replies would come to.
    touched = {number: rows for number, rows in proven.islands_of(parts.unit).items() if reach.islands[number].gateways}
    islands = list(reach.islands)
    for number, rows in touched.items():
        within = _within(after, islands[number], rows, proven.places_of(parts.unit[rows]), len(reach.model.targets))
        if within is None:
            return None
        islands[number] = within
    # Where no reply goes otherwise, what is known of the answers holds.
    answers = Answers(after) if sending or any(len(held) for held in waypoint.own.values()) else reach.answers
    again = reach.in_parts(after, islands, answers)
    found = np.zeros((len(proven.elements) + 1, len(WORDS)), dtype=np.int64)
    for number, rows in touched.items():
        was_at, machines = proven.places_of(parts.unit[rows]), parts.count[rows].astype(np.int64)
        known: dict[tuple[object, ...], Counts] = {}
        for moment in proven.moments[number]:
            was = reach.count(number, moment.condition)[was_at]
            here = replace(moment.condition, silence=moment.condition.silence[parts.unit])
            for condition, who in _conditions(proven, waypoint, here, moment.who):
                now = again.tallied(number, condition, again.ways_in(number, condition), answers, known)
                found[who] += machines @ (now - was)
    return found


def _conditions(
    proven: Proven, waypoint: Waypoint, condition: Condition, who: Sequence[int]
) -> Iterator[tuple[Condition, list[int]]]:
    """What a moment's condition becomes, and for whom."""
    for states, some in standing(proven, waypoint.targets, who).items():
        for heard, few in _hearing(proven, waypoint, condition.heard, some):
            yield replace(condition, heard=heard, states=(*condition.states, *states)), few


def _hearing(
    proven: Proven, waypoint: Waypoint, heard: tuple[Bools, ...], who: list[int]
) -> list[tuple[tuple[Bools, ...], list[int]]]:
    """What gateways hear, where some of them fall silent or speak again."""
    if not waypoint.turned:
        return [(heard, who)]
    found: dict[bytes, tuple[tuple[Bools, ...], list[int]]] = {}
    for number in who:
        after = list(heard)
        for gateway in waypoint.turned:
            after[gateway] = _hears(proven, gateway, number) if waypoint.speaks else np.zeros_like(heard[gateway])
        key = b"".join(after[gateway].tobytes() for gateway in sorted(waypoint.turned))
        found.setdefault(key, (tuple(after), []))[1].append(number)
    return list(found.values())


def _hears(proven: Proven, gateway: int, who: int) -> Bools:
    """What a gateway hears that speaks, with nothing failed or under an element."""
    model = proven.reach.model
    down = frozenset[str]() if who == 0 else proven.elements[who - 1].down
    outside = model.columns.skeleton.outside
    world = World(model.columns.skeleton.with_outside(replace(outside, down=outside.down | down)))
    return model.gateways[gateway].speaking(world, model.sessions.up(world))


def _machinery(model: Model) -> Machinery:
    return machinery_of(model.columns, model.networks, model.outcomes, model.sessions, {})


class _Way(NamedTuple):
    """The ways in by a gateway after the change."""

    arrivals: Arrivals
    machines: Longs
    """Those that arrive otherwise, in order."""
    kinds: Indexes
    """And of which kind each then is."""


def _arriving(model: Model, machinery: Machinery, waypoint: Waypoint, way: Arrivals) -> _Way:
    at = np.flatnonzero(waypoint.covered[way.rows])
    made = {
        subnet: machinery.decide(place, way.rows[at], frozenset())
        for subnet, place in waypoint.places.items()
        if subnet in way.decisions
    }
    before = {subnet: held.of(way.kinds[at]) for subnet, held in way.decisions.items()}
    moved = np.zeros(len(at), dtype=bool)
    for subnet, held in made.items():
        moved |= (held.ends != before[subnet].ends) | (held.sends != before[subnet].sends)
    kept = np.flatnonzero(moved)
    at = at[kept]
    if not len(at):
        return _Way(way, at, way.kinds[at])
    made = {subnet: held.of(kept) for subnet, held in {**before, **made}.items()}
    waiting = [subnet for held in made.values() for subnet in _sent_to(model, held)]
    while waiting:
        subnet = waiting.pop()
        place = waypoint.places.get(subnet) or model.places.get(subnet)
        if subnet not in made and place is not None:
            made[subnet] = machinery.decide(place, way.rows[at], frozenset())
            waiting += _sent_to(model, made[subnet])
    kinds, first = kinds_of(list(made.values()), len(at))
    # No other kind comes by a place that none came by before.
    nowhere = Decision(
        ends=np.full(way.size, model.outcomes.simple(UNKNOWN), dtype=np.int16),
        sends=np.full(way.size, ENDED, dtype=np.int32),
    )
    decisions = {subnet: way.decisions.get(subnet, nowhere).and_then(held.of(first)) for subnet, held in made.items()}
    arrivals = replace(way, decisions=decisions, size=way.size + len(first))
    return _Way(arrivals, way.rows[at], kinds + np.int32(way.size))


def _sent_to(model: Model, decision: Decision) -> list[str]:
    """The subnets that packets may go on by."""
    targets = np.unique(decision.sends[decision.sends >= 0]).tolist()
    return [subnet for target in targets for subnet in model.leads[target]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """Parts of units, a row each."""

    unit: Longs
    """Which it is a part of."""
    count: Longs
    cls: Indexes
    kinds: tuple[Indexes, ...]
    """By gateway."""

    def with_rest(self, model: Model, units: Longs) -> _Parts:
        """And what is left of some units."""
        taken = np.bincount(self.unit, weights=self.count, minlength=len(model.units)).astype(np.int64)
        left = model.units.count[units] - taken[units]
        rest = units[left > 0]
        return _Parts(
            unit=np.concatenate([self.unit, rest]),
            count=np.concatenate([self.count, left[left > 0]]),
            cls=np.concatenate([self.cls, model.units.cls[rest]]),
            kinds=tuple(
                np.concatenate([mine, kinds[rest]]) for mine, kinds in zip(self.kinds, model.units.kinds, strict=True)
            ),
        )

    def units(self, model: Model) -> Units:
        return model.units.parts(self.unit, self.count.astype(np.int32), self.cls, self.kinds)


def _parts(model: Model, waypoint: Waypoint, numbers: Mapping[str, int], ways: Sequence[_Way]) -> _Parts:
    """The machines that the change tells apart from the rest of their units."""
    units = model.units
    own = list(waypoint.own.values())
    machines = np.unique(np.concatenate([*(way.machines for way in ways), *own])).astype(np.int64)
    unit = units.of_machine[machines].astype(np.int64)
    cls = units.cls[unit]
    for subnet, held in waypoint.own.items():
        cls[np.isin(machines, held)] = numbers[subnet]
    columns = [unit, cls.astype(np.int64)]
    for way, known in zip(ways, units.kinds, strict=True):
        kinds = known[unit].astype(np.int64)
        kinds[np.searchsorted(machines, way.machines)] = way.kinds
        columns.append(kinds)
    found, count = np.unique(np.stack(columns, axis=1), axis=0, return_counts=True)
    return _Parts(
        unit=found[:, 0],
        count=count.astype(np.int64),
        cls=found[:, 1].astype(np.int32),
        kinds=tuple(found[:, at].astype(np.int32) for at in range(2, found.shape[1])),
    )


def _within(model: Model, island: Island, rows: Longs, places: Indexes, known: int) -> Island | None:
    """An island of these rows alone, with the targets from `known` on that they hang on. None where they hang on what
    the island has not."""
    of_units = {number for number in model.units.cls[rows].tolist() if number >= 0}
    targets = {*island.targets, *(target for gateway in island.gateways for target in model.arrivals[gateway].targets)}
    while True:
        classes = [model.classes[number] for number in of_units | _behind(model, targets)]
        more = {row for cls in classes for row in cls.rows if row >= 0} - targets
        if not more:
            break
        targets |= more
    gateways = {
        model.gateway_numbers[key]
        for cls in classes
        if cls.source >= 0
        for key in model.sources[cls.source].gateways
        if key in model.gateway_numbers
    }
    new = sorted(target for target in targets if target >= known)
    if not targets <= {*island.targets, *new} or not gateways <= set(island.gateways):
        return None
    sources = {model.classes[number].source for number in of_units}
    return replace(
        island,
        targets=(*island.targets, *new),
        units=rows,
        meant=island.meant[places],
        sources=tuple(sorted(sources)),
    )


def _behind(model: Model, targets: Iterable[int]) -> set[int]:
    """The classes by which targets may send on."""
    return {model.class_of[subnet] for target in targets for subnet in model.leads[target] if subnet in model.class_of}
