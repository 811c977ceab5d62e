"""Counting an island: every unit's ends by word, for all its units at once.

Subnets' tables are alike but for a few routes. What most ends come to in one is its *shape*: the BGP rows of its
source, and its own default route where they have nothing. There are few shapes; for each, and each way in, the words
of all ends are one array, whose running counts answer how many ends of a word lie in any interval. A check lets
intervals of ends pass, so a unit's counts are sums of differences; and a table's other routes are corrections, cell
by cell, of the ends that they cover (the prefix sums and the deltas of the notes on the prototype: the work grows
with routes and rules, and hardly with what there is of machines times prefixes).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from farshore.routing.scale.answers import Answers
from farshore.routing.scale.groups import PASSES, REFUSED, UNCLEAR
from farshore.routing.scale.model import Model
from farshore.routing.scale.outcomes import DENIED, GOOD, STALE, UNKNOWN, UNREACHABLE, WORDS, Codes, distinct
from farshore.routing.scale.tables import users_win

Counts = npt.NDArray[np.int64]
"""By unit and word: how many ends, for one machine of the unit."""

Longs = npt.NDArray[np.int64]
IGNORED = len(WORDS)
NO_DEFAULT = -1_000_000


@dataclass(slots=True)
class Tally:
    """What stays the same of an island's counting, whatever fails."""

    model: Model
    units: Longs
    shapes: list[tuple[int, int]]
    """(source, the row of the default route or `NO_DEFAULT`)."""
    shape_of: Longs
    """By unit; -1 for one whose subnet is not there."""
    states: Longs
    """By unit, site and what its check says: how many ends."""
    begins: Longs
    """By unit: where its intervals begin; one more at the end."""
    lows: Longs
    highs: Longs
    delta_unit: Longs
    delta_end: Longs
    delta_length: npt.NDArray[np.int8]
    delta_row: Longs
    delta_source: Longs

    def counts(self, answers: Answers, ways_in: Codes, bases: dict[int, int], ways: dict[int, int]) -> Counts:
        """The counts of the island's units. `ways_in`: by unit and site the outcome of a flow; `bases` and `ways`: by
        source and by target, the numbers of what they make of every end."""
        model = self.model
        found = np.zeros((len(self.units), len(WORDS)), dtype=np.int64)
        if not ways_in.size:
            return found
        vectors = _Vectors(answers, bases, ways)
        shaped = [vectors.shape(source, default) for source, default in self.shapes]
        deltas = self._deltas(vectors, shaped)
        unique, inverse = distinct(ways_in)
        for number, way in enumerate(unique):
            here = inverse == number
            arriving = self._unarrived(found, here, way)
            table = self._words(way, arriving)
            for shape, vector in enumerate(shaped):
                rows = np.flatnonzero(here & (self.shape_of == shape))
                if len(rows):
                    found[rows] += self._by_interval(table[vector], rows)
            self._corrected(found, here, table, deltas)
        assert int(found.sum()) == len(found) * len(model.ends), "every cell has one word"
        return found

    def _unarrived(self, found: Counts, here: npt.NDArray[np.bool_], way: Sequence[int]) -> list[int]:
        """Counts what never comes to the machine, or is refused there; returns the sites from which flows arrive."""
        model = self.model
        arriving = []
        for site, code in enumerate(way):
            word = model.outcomes.known[code].word
            if word not in (GOOD, STALE):
                found[here, word] += model.blocks[site].stop - model.blocks[site].start
                continue
            arriving.append(site)
            found[here, DENIED] += self.states[here, site, REFUSED]
            found[here, UNKNOWN] += self.states[here, site, UNCLEAR]
            nowhere = here & (self.shape_of < 0)
            found[nowhere, UNREACHABLE] += self.states[nowhere, site, PASSES]
        return arriving

    def _words(self, way: Sequence[int], arriving: Sequence[int]) -> npt.NDArray[np.int8]:
        """By (outcome of the reply, site) as one number: its word."""
        model = self.model
        sites = len(model.blocks)
        table = np.full(len(model.outcomes.known) * sites, IGNORED, dtype=np.int8)
        for site in arriving:
            table[site::sites] = model.outcomes.judged(way[site], model.sessions.sites[site].name)
        return table

    def _by_interval(self, words: npt.NDArray[np.int8], rows: Longs) -> Counts:
        """For some units of one shape: the words of the ends that their checks let pass."""
        found = np.zeros((len(rows), len(WORDS)), dtype=np.int64)
        first, last = self.begins[rows], self.begins[rows + 1]
        taken = _ranges(first, last)
        lows, highs = self.lows[taken], self.highs[taken]
        edges = np.concatenate([[0], np.cumsum(last - first)])
        for word in np.flatnonzero(np.bincount(words, minlength=IGNORED + 1)[:IGNORED]).tolist():
            running = np.concatenate([[0], np.cumsum(words == word)])
            sums = np.concatenate([[0], np.cumsum(running[highs] - running[lows])])
            found[:, word] = sums[edges[1:]] - sums[edges[:-1]]
        return found

    def _deltas(self, vectors: _Vectors, shaped: Sequence[Longs]) -> tuple[Longs, Longs, Longs]:
        """The cells in which a table differs from its shape: unit, what the shape says there, and what it is."""
        rows = self.delta_row
        taken = np.zeros(len(rows), dtype=bool)
        new = np.zeros(len(rows), dtype=np.int64)
        for source in np.unique(self.delta_source).tolist():
            here = self.delta_source == source
            taken[here] = users_win(self.delta_length[here], vectors.length(source)[self.delta_end[here]])
        for row in np.unique(rows[taken]).tolist():
            here = taken & (rows == row)
            new[here] = vectors.row(row)[self.delta_end[here]]
        cells = np.flatnonzero(taken)
        old = np.zeros(len(cells), dtype=np.int64)
        shape = self.shape_of[self.delta_unit[cells]]
        for number, vector in enumerate(shaped):
            here = shape == number
            old[here] = vector[self.delta_end[cells[here]]]
        return self.delta_unit[cells], old, new[cells]

    def _corrected(
        self,
        found: Counts,
        here: npt.NDArray[np.bool_],
        table: npt.NDArray[np.int8],
        deltas: tuple[Longs, Longs, Longs],
    ) -> None:
        units, old, new = deltas
        mine = here[units]
        if not mine.any():
            return
        width = IGNORED + 1
        at = units[mine] * width
        size = len(found) * width
        change = np.bincount(at + table[new[mine]], minlength=size) - np.bincount(at + table[old[mine]], minlength=size)
        found += change.reshape(len(found), width)[:, :IGNORED]


@dataclass(slots=True)
class _Vectors:
    """By end, as (outcome, site) in one number: what rows come to in one condition."""

    answers: Answers
    bases: dict[int, int]
    ways: dict[int, int]

    def length(self, source: int) -> npt.NDArray[np.int8]:
        return self.answers.numbered(self.bases[source]).length

    def row(self, row: int) -> Longs:
        """What a next hop makes of every end."""
        codes = self.answers.vector(self.ways[row]) if row >= 0 else self.answers.model.constant[row]
        return self.answers.tallied(codes)

    def shape(self, source: int, default: int) -> Longs:
        """The rows of a source, and a default route where it has nothing as long."""
        base = self.answers.numbered(self.bases[source])
        if default == NO_DEFAULT:
            return self.answers.tallied(base.code)
        codes = self.answers.vector(self.ways[default]) if default >= 0 else self.answers.model.constant[default]
        return self.answers.tallied(np.where(base.length <= 0, codes, base.code).astype(np.int16))


def tally_of(model: Model, units: Longs, checks: Sequence[int]) -> Tally:
    """The tally of some units, each behind a check."""
    tables = {number: _parts(model, number) for number in set(model.units.cls[units].tolist()) if number >= 0}
    shapes: dict[tuple[int, int], int] = {}
    shape_of = np.full(len(units), -1, dtype=np.int64)
    begins, lows, highs = [0], [], []
    deltas: list[tuple[Any, ...]] = []
    intervals = {check: _passing(model, check) for check in set(checks)}
    for at, (cls, check) in enumerate(zip(model.units.cls[units].tolist(), checks, strict=True)):
        low, high = intervals[check]
        lows.append(low)
        highs.append(high)
        begins.append(begins[-1] + len(low))
        if cls >= 0:
            default, ends, length, row = tables[cls]
            source = model.classes[cls].source
            shape_of[at] = shapes.setdefault((source, default), len(shapes))
            if len(ends):
                passing = model.checks.passing(check)
                kept = slice(None) if passing is None else passing[ends]
                ends, length, row = ends[kept], length[kept], row[kept]
                deltas.append((np.full(len(ends), at), ends, length, row, np.full(len(ends), source)))
    columns = [np.concatenate(column) for column in zip(*deltas, strict=True)] if deltas else [_NONE] * 5
    states = [model.checks.counts(check, model.blocks) for check in checks]
    return Tally(
        model=model,
        units=units,
        shapes=list(shapes),
        shape_of=shape_of,
        states=np.stack(states) if states else np.zeros((0, len(model.blocks), 3), dtype=np.int64),
        begins=np.array(begins, dtype=np.int64),
        lows=np.concatenate(lows) if lows else _NONE,
        highs=np.concatenate(highs) if highs else _NONE,
        delta_unit=columns[0],
        delta_end=columns[1],
        delta_length=columns[2].astype(np.int8),
        delta_row=columns[3],
        delta_source=columns[4],
    )


_NONE = np.zeros(0, dtype=np.int64)


def _parts(model: Model, number: int) -> tuple[int, Longs, npt.NDArray[np.int8], Longs]:
    """A class as its default route's row, and the ends where it has a longer one: which, how long, and its row."""
    cls = model.classes[number]
    table = model.painted[cls.table]
    rows = np.array(cls.rows, dtype=np.int64)
    whole = np.flatnonzero(table.length == 0)
    default = int(rows[table.hop[whole[0]]]) if len(whole) else NO_DEFAULT
    ends = np.flatnonzero(table.length > 0)
    return default, ends, table.length[ends], rows[table.hop[ends]] if len(ends) else _NONE


def _passing(model: Model, check: int) -> tuple[Longs, Longs]:
    """The intervals of ends that pass a check."""
    passing = model.checks.passing(check)
    if passing is None:
        return np.array([0]), np.array([len(model.ends)])
    edges = np.flatnonzero(np.diff(np.concatenate([[False], passing, [False]]).astype(np.int8)))
    return edges[::2], edges[1::2]


def _ranges(first: Longs, last: Longs) -> Longs:
    """All numbers of some ranges, one range after the other."""
    sizes = last - first
    if not len(sizes) or not sizes.sum():
        return _NONE
    starts = np.repeat(first - np.concatenate([[0], np.cumsum(sizes)[:-1]]), sizes)
    return starts + np.arange(int(sizes.sum()))
