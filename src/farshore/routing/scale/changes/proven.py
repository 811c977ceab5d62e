"""A proof that is kept for changes.

What is kept is, island by island, each *moment*: a condition that the island is in with nothing failed or under some
failures, which failures those are, and how flows arrive. A change is felt in few islands, and in each moment once,
however many failures bring it about (changed.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from farshore.routing.failures import Element
from farshore.routing.scale.answers import Answers, Base
from farshore.routing.scale.columns import Indexes
from farshore.routing.scale.conditions import Condition
from farshore.routing.scale.outcomes import Codes
from farshore.routing.scale.reach import Reach

T = TypeVar("T")

Difference = npt.NDArray[np.int64]
"""By condition (nothing failed, then each element) and word: cells more, or fewer."""


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


@dataclass(slots=True, kw_only=True)
class Proven:
    """A reach with nothing failed and under each element, ready for changes."""

    reach: Reach
    elements: tuple[Element, ...]
    moments: list[list[Moment]]
    """By island."""
    island_of: Indexes
    """By unit."""
    users: dict[str, list[tuple[int, str]]]
    """By route table: (network, subnet)."""
    _place_of: Indexes
    """By unit: where it stands in its island."""
    _kept: dict[str, Any] = field(default_factory=dict)

    @staticmethod
    def of(reach: Reach, elements: Sequence[Element]) -> Proven:
        """Everything under each element. Costs what the first proof did, less what `reach` has counted already."""
        conditions = [reach.cold, *(reach.under(element).condition for element in elements)]
        island_of, place_of = (np.zeros(len(reach.model.units), dtype=np.int32) for _ in range(2))
        for number, island in enumerate(reach.islands):
            island_of[island.units] = number
            place_of[island.units] = np.arange(len(island.units))
        users: dict[str, list[tuple[int, str]]] = {}
        for number, network in enumerate(reach.model.networks.all):
            for subnet in network.subnets:
                if subnet.route_table is not None:
                    users.setdefault(subnet.route_table.key, []).append((number, subnet.id.key))
        return Proven(
            reach=reach,
            elements=tuple(elements),
            moments=[_moments_of(reach, number, conditions) for number in range(len(reach.islands))],
            island_of=island_of,
            users=users,
            _place_of=place_of,
        )

    def kept(self, name: str, make: Callable[[], T]) -> T:
        """What is worth making once for all changes, and not before one needs it."""
        if name not in self._kept:
            self._kept[name] = make()
        held: T = self._kept[name]
        return held

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

    def rows_in(self, subnets: Iterable[str]) -> npt.NDArray[np.int64]:
        """The machines of some subnets, in their order."""
        machines = self.reach.model.columns.machines
        numbers = self.kept("subnet", lambda: {key: number for number, key in enumerate(machines.subnet_keys)})
        asked = np.zeros(len(numbers), dtype=bool)
        asked[[numbers[subnet] for subnet in subnets if subnet in numbers]] = True
        return np.flatnonzero(asked[machines.subnets])


def _numbered(names: Sequence[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for number, name in enumerate(names):
        found.setdefault(name, []).append(number)
    return found


def _moments_of(reach: Reach, number: int, conditions: Sequence[Condition]) -> list[Moment]:
    found: dict[tuple[object, ...], Moment] = {}
    for who, condition in enumerate(conditions):
        key = reach.condition_key(number, condition)
        if key not in found:
            bases, vectors = _behind(reach, reach.answers, number, condition)
            found[key] = Moment(condition, reach.ways_in(number, condition), bases, vectors, [])
        found[key].who.append(who)
    return list(found.values())


def _behind(
    reach: Reach, answers: Answers, number: int, condition: Condition
) -> tuple[dict[int, Base], dict[int, Codes]]:
    island = reach.islands[number]
    bases = {source: answers.base(source, condition) for source in {*island.sources, -1}}
    numbers = zip(island.targets, answers.ways(island.targets, condition), strict=True)
    return bases, {target: answers.vector(way) for target, way in numbers}
