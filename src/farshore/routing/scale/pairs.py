"""Every pair of failures, at the price of few.

Two failures that touch different islands cost the sum of what each costs. Where both touch an island, that island alone
is counted in the condition that both make, and a condition seen before is not counted again. A spoke whose only peering
fails loses what it still had, whatever else has failed. So pairs are sums, corrected island by island; none of them is
ever laid out machine by machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from farshore.routing.failures import Element
from farshore.routing.scale.conditions import Condition, condition_of, together
from farshore.routing.scale.islands import Island
from farshore.routing.scale.outcomes import GOOD
from farshore.routing.scale.peerings import Spoke
from farshore.routing.scale.reach import Reach, Standing
from farshore.routing.scale.tally import Counts

Losses = npt.NDArray[np.int64]

SIZES = {"gateway-instance": 0, "connection": 1, "circuit-link": 1, "router": 1, "appliance": 1, "circuit": 2}
SIZES |= {"gateway": 3, "peering-location": 4, "region": 5}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """What every pair of failures costs, in cells that were delivered and are not."""

    elements: tuple[Element, ...]
    spokes: tuple[Spoke, ...]
    alone: Losses
    """By element, then by spoke."""
    of_elements: Losses
    """Element by element, above the diagonal."""
    with_spokes: Losses
    """Element by spoke."""

    @property
    def number(self) -> int:
        """How many pairs there are."""
        every = len(self.elements) + len(self.spokes)
        return every * (every - 1) // 2

    def worst(self, most: int) -> list[tuple[int, int, str, str]]:
        """What no single failure shows: pairs that cost more than both alone together, as (lost together, lost more
        than that sum, one, other). Most first; of those that cost as much, the smaller things first."""
        first, second = np.triu_indices(len(self.elements), 1)
        lost = self.of_elements[first, second]
        more = lost - self.alone[first] - self.alone[second]
        size = np.array([SIZES.get(element.kind, 0) for element in self.elements], dtype=np.int64)
        order = np.lexsort((size[first] + size[second], -more))
        return [
            (int(lost[at]), int(more[at]), str(self.elements[int(first[at])]), str(self.elements[int(second[at])]))
            for at in order[: min(most, int(np.count_nonzero(more > 0)))]
        ]


def pairs_of(
    reach: Reach, elements: Sequence[Element], standings: Sequence[Standing], spokes: Sequence[Spoke]
) -> Pairs:
    """Every pair of elements, given what each comes to alone."""
    lost = [_losses(reach, standing) for standing in standings]
    alone = np.array([sum(held.values()) for held in lost], dtype=np.int64)
    matrix = alone[:, None] + alone[None, :]
    touching: list[list[int]] = [[] for _ in reach.islands]
    for number, held in enumerate(lost):
        for island in held:
            touching[island].append(number)
    as_one = set(_as_one(reach, elements))
    for number, members in enumerate(touching):
        for at, first in enumerate(members):
            one = standings[first].condition
            for second in members[at + 1 :]:
                if (first, second) not in as_one:
                    met = _met(reach.islands[number], one, standings[second].condition, reach.cold)
                    cost = _loss(reach, number, reach.count(number, met))
                    matrix[first, second] += cost - lost[first][number] - lost[second][number]
    for first, second in as_one:
        both = reach.standing(condition_of(reach.model, elements[first].down | elements[second].down))
        matrix[first, second] = sum(_losses(reach, both).values())
    cross, spoke_alone = _spokes(reach, standings, spokes)
    return Pairs(
        elements=tuple(elements),
        spokes=tuple(spokes),
        alone=np.concatenate([alone, spoke_alone]),
        of_elements=np.triu(matrix, 1),
        with_spokes=alone[:, None] + cross,
    )


def _as_one(reach: Reach, elements: Sequence[Element]) -> Iterator[tuple[int, int]]:
    """Pairs that are more than their parts (conditions.py)."""
    kinds = ("gateway-instance", "appliance", "region")
    able = [number for number, element in enumerate(elements) if element.kind in kinds]
    for at, first in enumerate(able):
        for second in able[at + 1 :]:
            if together(reach.model, elements[first], elements[second]):
                yield first, second


def _met(island: Island, one: Condition, other: Condition, cold: Condition) -> Condition:
    """`conditions.met`, as far as one island sees it."""
    heard, states = list(one.heard), list(one.states)
    for gateway in island.gateways:
        heard[gateway] = one.heard[gateway] & other.heard[gateway]
    for target in island.targets:
        if one.states[target] == cold.states[target]:
            states[target] = other.states[target]
    silence = np.maximum(one.silence, other.silence)
    return replace(one, heard=tuple(heard), states=tuple(states), silence=silence)


def _losses(reach: Reach, standing: Standing) -> dict[int, int]:
    """By island that a failure touches: the cells that are lost there."""
    return {number: _loss(reach, number, counts) for number, counts in standing.islands.items()}


def _loss(reach: Reach, number: int, counts: Counts) -> int:
    machines = reach.model.units.count[reach.islands[number].units].astype(np.int64)
    return int(machines @ (reach.cold_counts[number][:, GOOD] - counts[:, GOOD]))


def _spokes(reach: Reach, standings: Sequence[Standing], spokes: Sequence[Spoke]) -> tuple[Losses, Losses]:
    """By element and spoke what is left for the spoke's peering to lose, and what it loses alone."""
    spoke_of = np.full(len(reach.model.units), -1, dtype=np.int64)
    for number, spoke in enumerate(spokes):
        spoke_of[spoke.units] = number
    left = np.zeros((len(standings), len(spokes)), dtype=np.int64)
    cold = np.zeros(len(spokes), dtype=np.int64)
    units = reach.model.units
    per_island = []
    for number, island in enumerate(reach.islands):
        here = spoke_of[island.units]
        mine = np.flatnonzero(here >= 0)
        per_island.append((here[mine], mine, units.count[island.units[mine]].astype(np.int64)))
        np.add.at(cold, here[mine], per_island[-1][2] * reach.cold_counts[number][mine, GOOD])
    for row, standing in enumerate(standings):
        left[row] = cold
        for number, counts in standing.islands.items():
            here, mine, machines = per_island[number]
            np.add.at(left[row], here, machines * (counts[mine, GOOD] - reach.cold_counts[number][mine, GOOD]))
    return left, cold
