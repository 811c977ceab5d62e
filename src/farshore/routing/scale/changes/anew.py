"""Some machines, as they are after a change, counted again in an estate that is otherwise known.

Most changes that are not about routes come to this: some machines are gone, new, elsewhere, behind another security
group, or in a network that other peerings join to the rest. How their flows arrive is found from the gateways that
announce their addresses, how their replies go from their subnets' tables; whatever else either hangs on, gateways,
appliances and BGP, is as it was. So they are laid out as units of their own, in the island that they are in now or in
several that they tie together, and counted in each condition that those are ever in. What they came to before is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from farshore.arm.decode import Network
from farshore.routing.scale.answers import Answers
from farshore.routing.scale.arrivals import Arrivals, arrivals
from farshore.routing.scale.changes.differing import standing, with_classes, with_sources, with_targets
from farshore.routing.scale.changes.pieces import lying_in
from farshore.routing.scale.checks import Checks
from farshore.routing.scale.classes import Tables, subnet_group
from farshore.routing.scale.columns import Columns
from farshore.routing.scale.conditions import Condition, Silence, silence_of
from farshore.routing.scale.ingress import ingress_of, passing_of
from farshore.routing.scale.islands import Island, of_class
from farshore.routing.scale.line import Positions
from farshore.routing.scale.model import Model
from farshore.routing.scale.networks import Networks
from farshore.routing.scale.outcomes import WORDS
from farshore.routing.scale.prefixes import Prefixes, of_networks
from farshore.routing.scale.tables import routes_of
from farshore.routing.scale.tally import Counts
from farshore.routing.scale.targets import State, Target
from farshore.routing.scale.units import machinery_of, units_of

if TYPE_CHECKING:
    from farshore.routing.scale.changes.proven import Difference, Proven
    from farshore.routing.scale.reach import Reach

Longs = npt.NDArray[np.int64]
Announced = list[list[tuple[Network, int]]]
"""By gateway: prefixes, and the network that answers for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anew:
    """Machines before and after."""

    rows: Longs
    """What they were, by row in the proven model. Whoever has the address of one of them is one of them."""
    columns: Columns
    """What is there after. Its machines are these alone."""
    networks: Networks
    announced: Announced
    """All that covers an address of theirs."""
    painted: frozenset[int] = frozenset()
    """The networks whose subnets answer otherwise than they did."""


def counted_anew(proven: Proven, anew: Anew, reach: Reach | None = None) -> Difference:
    """What comes of the change, in the proven reach or its like over finer ends."""
    reach = reach or proven.reach
    found = np.zeros((len(proven.elements) + 1, len(WORDS)), dtype=np.int64)
    _take_away(proven, reach, anew.rows, found)
    if len(anew.columns.machines):
        _add(proven, reach, anew, found)
    return found


def _take_away(proven: Proven, reach: Reach, rows: Longs, found: Difference) -> None:
    units, machines = np.unique(proven.reach.model.units.of_machine[rows], return_counts=True)
    for number, at in proven.islands_of(units.astype(np.int64)).items():
        places = proven.places_of(units[at].astype(np.int64))
        for moment in proven.moments[number]:
            found[moment.who] -= machines[at] @ reach.count(number, moment.condition)[places]


def _add(proven: Proven, reach: Reach, anew: Anew, found: Difference) -> None:
    model, targets = _around(reach.model, anew)
    model, told = _peopled(model, anew)
    held = [island for island in _gathered(proven, model, anew, told, targets) if len(island.island.units)]
    # Where nothing new is hung on, what is known of the answers holds.
    known = len(model.targets) == len(reach.model.targets) and len(model.sources) == len(reach.model.sources)
    answers = reach.answers if known else Answers(model)
    again = reach.apart(model, [each.island for each in held], answers)
    silences = _silences(proven, model)
    states = standing(proven, targets, range(len(proven.elements) + 1))
    for number, each in enumerate(held):
        rows = each.island.units
        counted: dict[tuple[object, ...], Counts] = {}
        for condition, who in _conditions(proven, each.of, silences, states):
            now = again.tallied(number, condition, again.ways_in(number, condition), answers, counted)
            found[who] += model.units.count[rows].astype(np.int64) @ now


def _around(model: Model, anew: Anew) -> tuple[Model, list[Target]]:
    """The model after the change but for its units, and the next hops that it has more."""
    if not anew.painted:
        return replace(model, columns=anew.columns, networks=anew.networks), []
    keys = {
        subnet.route_table.key
        for number in anew.painted
        for subnet in anew.networks.all[number].subnets
        if subnet.route_table is not None and subnet.route_table.key in anew.columns.tables
    }
    services = model.world.outside.service_prefixes
    held = sorted(keys)
    tables = Tables(
        networks=anew.networks,
        ends=model.ends,
        blocks=model.blocks,
        columns=anew.columns,
        routes=dict(zip(held, routes_of((anew.columns.tables[key] for key in held), services), strict=True)),
        sources={source: number for number, source in enumerate(model.sources)},
        targets={target: number for number, target in enumerate(model.targets)},
    )
    for number in anew.painted:
        tables.network(number)
    every = list(tables.classes)
    classes = {subnet: every[number] for subnet, number in tables.class_of.items()}
    targets = list(tables.targets)[len(model.targets) :]
    after = with_targets(model, targets) if targets else model
    after = with_sources(after, list(tables.sources)[len(model.sources) :])
    after, _ = with_classes(after, classes, tables.painted)
    return replace(after, columns=anew.columns, networks=anew.networks), targets


def _peopled(model: Model, anew: Anew) -> tuple[Model, Prefixes]:
    """The model with these machines as its only ones, and what is announced of them."""
    machines, networks = anew.columns.machines, anew.networks
    numbers = {target: number for number, target in enumerate(model.targets)}
    machinery = machinery_of(anew.columns, networks, model.outcomes, model.sessions, numbers)

    def way(known: Arrivals, pairs: Sequence[tuple[Network, int]]) -> Arrivals:
        if not pairs:
            none = np.zeros(0, dtype=np.int64)
            return replace(known, rows=none, kinds=none.astype(np.int32), decisions={}, size=0)
        return arrivals(machinery, known.entrance, [prefix for prefix, _ in pairs], model.places, model.leads)

    ways = tuple(way(known, pairs) for known, pairs in zip(model.arrivals, anew.announced, strict=True))
    told, _ = of_networks([prefix for pairs in anew.announced for prefix, _ in pairs])
    groups = {key: subnet_group(networks, key) for key in machines.subnet_keys}
    checks = Checks(anew.columns, model.ends, model.service, model.world.service_tags)
    units = units_of(
        anew.columns, model.class_of, groups, checks, told, model.in_doubt, machinery, ways, model.appliances
    )
    return replace(model, arrivals=ways, checks=checks, units=units), told


# Islands


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gathered:
    """Units that hang on some islands together."""

    of: tuple[int, ...]
    island: Island


def _gathered(
    proven: Proven, model: Model, anew: Anew, told: Prefixes, targets: Sequence[Target]
) -> Iterable[_Gathered]:
    """The units by what they hang on."""
    speakers = _speakers(told, anew.announced)
    units = model.units
    pairs, inverse = np.unique(np.stack([units.cls, told.match(units.place)], axis=1), axis=0, return_inverse=True)
    groups: dict[tuple[int, ...], list[int]] = {}
    hanging: dict[tuple[int, ...], set[int]] = {}
    for at, (cls, meant) in enumerate(pairs.tolist()):
        anchors = {*speakers[meant]} if meant >= 0 else set[int]()
        if cls >= 0:
            anchors |= _anchors(model, of_class(model, model.classes[cls].source, model.classes[cls].rows))
        of = tuple(sorted(proven.islands_by(anchors)))
        groups.setdefault(of, []).append(at)
        hanging.setdefault(of, set()).update(anchors)
    passing = proven.kept("passing", lambda: passing_of(model.sessions))
    for of, held in groups.items():
        rows = np.flatnonzero(np.isin(inverse.reshape(-1), held))
        islands = [proven.reach.islands[number] for number in of]
        gateways = tuple(sorted(gateway for island in islands for gateway in island.gateways))
        more = {anchor - len(model.gateways) for anchor in hanging[of] if anchor >= len(model.gateways)}
        ingress = ingress_of(model.sessions, [anew.announced[number] for number in gateways], passing)
        classes = sorted(set(units.cls[rows].tolist()) - {-1})
        yield _Gathered(
            of=of,
            island=Island(
                gateways=gateways,
                targets=tuple(sorted({target for island in islands for target in island.targets} | more)),
                classes=tuple(classes),
                sources=tuple(sorted({model.classes[number].source for number in classes})),
                units=rows,
                ingress=ingress,
                meant=ingress.prefixes.match(units.place[rows]),
            ),
        )


def _speakers(told: Prefixes, announced: Announced) -> list[set[int]]:
    """By prefix the gateways that announce it, or a wider one."""
    pairs = [(number, prefix) for number, held in enumerate(announced) for prefix, _ in held]
    _, which = of_networks([prefix for _, prefix in pairs])
    found: list[set[int]] = [set() for _ in range(len(told))]
    for at, (gateway, _) in zip(which.tolist(), pairs, strict=True):
        found[at].add(gateway)
    # Wider ones stand before those inside them.
    for at, parent in enumerate(told.parent.tolist()):
        found[at] |= found[parent] if parent >= 0 else set()
    return found


def _anchors(model: Model, held: Iterable[int]) -> set[int]:
    """The gateways and targets that some hang on, by way of whatever targets send on by."""
    found, waiting = set[int](), list(held)
    while waiting:
        number = waiting.pop()
        if number in found:
            continue
        found.add(number)
        if number >= len(model.gateways):
            for subnet in model.leads[number - len(model.gateways)]:
                if subnet in model.class_of:
                    cls = model.classes[model.class_of[subnet]]
                    waiting += of_class(model, cls.source, cls.rows)
    return found


# Conditions


def _silences(proven: Proven, model: Model) -> list[Silence]:
    """With nothing failed and under each element."""
    down = model.world.outside.down
    return [silence_of(model, down), *(silence_of(model, down | element.down) for element in proven.elements)]


def _conditions(
    proven: Proven, islands: Sequence[int], silences: Sequence[Silence], states: dict[tuple[State, ...], list[int]]
) -> Iterable[tuple[Condition, list[int]]]:
    """The conditions that some islands are ever in together, each with who brings it about."""
    of = [proven.moment_of(number) for number in islands]
    at_new = {who: held for held, every in states.items() for who in every}
    found: dict[tuple[tuple[int, ...], bytes, tuple[State, ...]], list[int]] = {}
    for who, held in enumerate(silences):
        found.setdefault((tuple(column[who] for column in of), held.tobytes(), at_new[who]), []).append(who)
    for (moments, _, new), every in found.items():
        heard, known = list(proven.reach.cold.heard), list(proven.reach.cold.states)
        for number, moment in zip(islands, moments, strict=True):
            island, condition = proven.reach.islands[number], proven.moments[number][moment].condition
            for gateway in island.gateways:
                heard[gateway] = condition.heard[gateway]
            for target in island.targets:
                known[target] = condition.states[target]
        yield Condition(heard=tuple(heard), states=(*known, *new), silence=silences[every[0]]), every


def closed(proven: Proven, rows: Longs) -> Longs:
    """Some machines, and whoever has an address of one of them."""
    addresses = proven.reach.model.columns.machines.addresses
    return np.flatnonzero(np.isin(addresses, addresses[rows]))


def collides(model: Model, addresses: Positions) -> bool:
    """Whether any of some addresses lies in an end that is a site's and a network's: what such an end comes to hangs on
    who has its addresses."""
    first, last = model.ends.first[model.contested], model.ends.last[model.contested]
    order = np.argsort(first)
    return bool(lying_in(addresses, (first[order], last[order])).any())


def announced_over(proven: Proven, addresses: Positions) -> Announced:
    """What gateways announce that covers any of some addresses."""
    model = proven.reach.model
    told = model.announced_prefixes
    covering = {number for number in np.unique(told.match(addresses)).tolist() if number >= 0}
    for number in list(covering):
        while (number := int(told.parent[number])) >= 0 and number not in covering:
            covering.add(number)
    by_prefix = proven.kept("announced", lambda: _by_prefix(model))
    found: Announced = [[] for _ in model.gateways]
    for number in sorted(covering):
        for gateway, pair in by_prefix[number]:
            found[gateway].append(pair)
    return found


def _by_prefix(model: Model) -> list[list[tuple[int, tuple[Network, int]]]]:
    """By announced prefix: each gateway that does, with the prefix and the network that answers."""
    pairs = [(number, pair) for number, held in enumerate(model.announced) for pair in held]
    _, which = of_networks([prefix for _, (prefix, _) in pairs])
    found: list[list[tuple[int, tuple[Network, int]]]] = [[] for _ in range(len(model.announced_prefixes))]
    for at, pair in zip(which.tolist(), pairs, strict=True):
        found[at].append(pair)
    return found
