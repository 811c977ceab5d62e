"""Sets of prefixes: who contains whom, and the longest that contains a position, for whole arrays at once.

Prefixes either nest or are apart, so a set is a forest, and the longest match of a position is found by sorting: among
prefixes in the order (first, length) the last one that begins at or before a position is the match, or one of its
ancestors is. A route that is withdrawn leaves the match to its parent; `resolved` follows parents for all at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from farshore.arm.decode import Network
from farshore.routing.scale.line import Bools, Lengths, Positions, span

Indexes = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefixes:
    """Distinct prefixes in the order (first, length): a parent stands before its children."""

    first: Positions
    last: Positions
    length: Lengths
    parent: Indexes
    """The next longer one that contains it; -1 for none."""

    def __len__(self) -> int:
        return len(self.first)

    def match(self, places: Positions) -> Indexes:
        """The longest prefix that contains each position; -1 for none."""
        if not len(self):
            return np.full(len(places), -1, dtype=np.int32)
        found = (np.searchsorted(self.first, places, side="right") - 1).astype(np.int32)
        while True:
            held = np.maximum(found, 0)
            outside = (found >= 0) & (self.last[held] < places)
            if not outside.any():
                return found
            found = np.where(outside, self.parent[held], found)

    def lengths_at(self, places: Positions) -> Lengths:
        """The length of the longest prefix that contains each position; -1 for none."""
        found = self.match(places)
        if not len(self):
            return np.full(len(places), -1, dtype=np.int16)
        lengths: Lengths = np.where(found >= 0, self.length[np.maximum(found, 0)], -1).astype(np.int16)
        return lengths

    def resolved(self, there: Bools) -> Indexes:
        """For each prefix the longest that is there among it and its ancestors; -1 for none."""
        found = np.arange(len(self), dtype=np.int32)
        while True:
            gone = (found >= 0) & ~there[np.maximum(found, 0)] if len(self) else np.zeros(0, dtype=bool)
            if not gone.any():
                return found
            found = np.where(gone, self.parent[np.maximum(found, 0)], found)


def prefixes_of(first: Positions, last: Positions, length: Lengths) -> tuple[Prefixes, Indexes]:
    """The distinct ones of some prefixes, and for each given one which it is."""
    keys = np.rec.fromarrays([first, length])
    _, at, which = np.unique(keys, return_index=True, return_inverse=True)
    first, last, length = first[at], last[at], length[at]
    parent = np.full(len(first), -1, dtype=np.int32)
    open_: list[int] = []
    ends = last.tolist()
    for number, start in enumerate(first.tolist()):
        while open_ and ends[open_[-1]] < start:
            open_.pop()
        if open_:
            parent[number] = open_[-1]
        open_.append(number)
    return Prefixes(first=first, last=last, length=length, parent=parent), which.astype(np.int32).reshape(-1)


def of_networks(networks: Sequence[Network]) -> tuple[Prefixes, Indexes]:
    """`prefixes_of` for parsed ones."""
    pairs = [span(prefix) for prefix in networks]
    return prefixes_of(
        np.array([first for first, _ in pairs], dtype=np.uint64),
        np.array([last for _, last in pairs], dtype=np.uint64),
        np.array([prefix.prefixlen for prefix in networks], dtype=np.int16),
    )


def longest_action(prefixes: Prefixes, filters: Prefixes, allows: Bools) -> Bools:
    """Whether each prefix passes a list of filters: the longest one that contains it decides, none allows (E42)."""
    if not len(filters):
        return np.ones(len(prefixes), dtype=bool)
    found = filters.match(prefixes.first)
    while True:
        held = np.maximum(found, 0)
        longer = (found >= 0) & (filters.length[held] > prefixes.length)
        if not longer.any():
            break
        found = np.where(longer, filters.parent[held], found)
    passed: Bools = np.where(found >= 0, allows[np.maximum(found, 0)], True)
    return passed
