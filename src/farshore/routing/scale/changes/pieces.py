"""The ends that some ranges cover, cut at the ranges' borders; and a model as it looks through such pieces.

A route that begins inside an end tells the end's addresses apart. What is asked about them then is asked of pieces,
each of one end that the model knows: its columns are taken by them, and only what lies inside an end is looked up anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Generic, TypeVar

import numpy as np

from farshore.routing.scale.columns import Indexes
from farshore.routing.scale.ends import Ends
from farshore.routing.scale.line import Bools, Positions, public
from farshore.routing.scale.model import Model, Numbered, blind_of, constant_of, reserved_of
from farshore.routing.scale.tables import laid

Ranges = tuple[Positions, Positions]
"""Where each begins and ends, in the order in which they begin."""

T = TypeVar("T")


def lying_in(places: Positions, ranges: Ranges) -> Bools:
    """Which places lie in any of some ranges."""
    first, last = ranges
    if not len(first):
        return np.zeros(len(places), dtype=bool)
    before = np.searchsorted(first, places, side="right") - 1
    found: Bools = (before >= 0) & (places <= np.maximum.accumulate(last)[np.maximum(before, 0)])
    return found


def covered(ends: Ends, blocks: Sequence[slice], ranges: Ranges) -> Indexes:
    """The ends that ranges cover, in whole or in part. `blocks`: the sites' parts."""
    found = np.zeros(len(ends), dtype=bool)
    for block in blocks:
        lows = np.searchsorted(ends.last[block], ranges[0], side="left") + block.start
        highs = np.searchsorted(ends.first[block], ranges[1], side="right") + block.start
        for low, high in zip(lows.tolist(), highs.tolist(), strict=True):
            found[low:high] = True
    return np.flatnonzero(found).astype(np.int32)


def cut(ends: Ends, of_end: Indexes, ranges: Ranges) -> tuple[Ends, Indexes]:
    """Some ends, cut where ranges begin or stop, and for each piece the end that it is of."""
    cuts = np.unique(np.concatenate([ranges[0], ranges[1] + np.uint64(1)]))
    low = np.searchsorted(cuts, ends.first[of_end], side="right")
    high = np.searchsorted(cuts, ends.last[of_end], side="right")
    if not (high > low).any():
        return ends.taken(of_end), of_end
    first, last, whose = ends.first[of_end].tolist(), ends.last[of_end].tolist(), of_end.tolist()
    begins: list[int] = []
    stops: list[int] = []
    pieces: list[int] = []
    for at, end in enumerate(whose):
        inside = cuts[low[at] : high[at]].tolist()
        begins += [first[at], *inside]
        stops += [*(border - 1 for border in inside), last[at]]
        pieces += [end] * (len(inside) + 1)
    of_piece = np.array(pieces, dtype=np.int32)
    starts = np.array(begins, dtype=np.uint64)
    taken = replace(ends.taken(of_piece), first=starts, last=np.array(stops, dtype=np.uint64), public=public(starts))
    return taken, of_piece


def cuts_a_network(pieces: Ends, of_end: Indexes) -> bool:
    """Whether any contested end is in more than one piece."""
    return bool(pieces.contested[1:][of_end[1:] == of_end[:-1]].any())


def through(model: Model, ends: Ends, of_end: Indexes) -> Model:
    """A model as it looks through some ends, of which each is one of its own, or a piece of one. Checks stay those of
    the model's own ends."""
    return replace(
        model,
        ends=ends,
        contested=np.flatnonzero(ends.contested),
        line=np.arange(len(of_end), dtype=np.int32),
        blocks=tuple(ends.of_site(site) for site in range(len(model.blocks))),
        painted=Made(model.painted, lambda table: laid(table.length[of_end], table.hop[of_end], table.kinds)),
        blind=Made(model.blind, lambda lengths: lengths[of_end]),
        gateways=tuple(held.over(ends, held.known_at[:, of_end]) for held in model.gateways),
        constant={row: codes[of_end] for row, codes in model.constant.items()},
        reserved=model.reserved[of_end],
    )


def refined(model: Model, ranges: Ranges) -> Model | None:
    """A model whose ends no range cuts: the same one, or one that looks through the pieces. None where a network's own
    range would be cut: what is told of a contested end hangs on what else is in it."""
    ends, of_end = cut(model.ends, model.line, ranges)
    if len(ends) == len(model.ends):
        return model
    if cuts_a_network(ends, of_end):
        return None
    return replace(
        through(model, ends, of_end),
        # What was asked of the whole of an end, or of where it begins.
        constant=constant_of(ends, model.outcomes, model.columns.machines.addresses),
        reserved=reserved_of(ends),
        blind=[blind_of(model.world, source, ends) for source in model.sources],
        checks=model.checks.through(ends, of_end),
    )


class Made(Generic[T]):
    """Things by number, each made from one of others when it is asked for."""

    def __init__(self, items: Numbered[T], make: Callable[[T], T]) -> None:
        self._items, self._make = items, make
        self._made: dict[int, T] = {}

    def __getitem__(self, number: int) -> T:
        if number not in self._made:
            self._made[number] = self._make(self._items[number])
        return self._made[number]
