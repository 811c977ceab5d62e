"""An estate seen through a few ends: what is asked when a change is felt at those and nowhere else.

The gateways choose among the prefixes around these ends, the appliances follow them, and every unit of an island is
asked about them together, as two small tables of unit by end. It is the same model with shorter columns.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from farshore.routing.scale.answers import Base
from farshore.routing.scale.changes.pieces import through
from farshore.routing.scale.columns import Indexes
from farshore.routing.scale.egress import Gateway
from farshore.routing.scale.line import Bools
from farshore.routing.scale.model import Model
from farshore.routing.scale.outcomes import GOOD, STALE, WORDS, Codes
from farshore.routing.scale.prefixes import Prefixes
from farshore.routing.scale.sessions import policies
from farshore.routing.scale.tables import Painted, users_win


def around(model: Model, of_end: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The prefixes that some ends may be matched by, in their order."""
    around = set[int]()
    for number in np.unique(model.ends.prefix[of_end]).tolist():
        while number >= 0 and number not in around:
            around.add(number)
            number = int(model.sessions.prefixes.parent[number])
    return np.array(sorted(around), dtype=np.int64)


def telling(
    model: Model,
    of_end: Indexes,
    chain: npt.NDArray[np.int64],
    at: int,
    columns: npt.NDArray[np.int64],
    says: bool,
) -> Model:
    """A model as it looks through some ends, in which sessions tell a prefix, or don't."""
    whole = model.sessions.prefixes
    place = {old: new for new, old in enumerate(chain.tolist())}
    prefixes = Prefixes(
        first=whole.first[chain],
        last=whole.last[chain],
        length=whole.length[chain],
        parent=np.array([place.get(old, -1) for old in whole.parent[chain].tolist()], dtype=np.int32),
    )
    table = model.sessions.says[chain]
    table[place[at], columns] = says
    sessions = replace(model.sessions, prefixes=prefixes, says=table)
    taken = model.ends.taken(of_end)
    prefix = np.array([place[old] for old in taken.prefix.tolist()], dtype=np.int32)
    seen = through(model, replace(taken, prefix=prefix), of_end)

    def gateway(held: Gateway) -> Gateway:
        rows, policy = policies(np.ascontiguousarray(table[:, held.columns]))
        return replace(held, sessions=sessions, says=rows, policy=policy, mute=held.mute[chain])

    return replace(seen, sessions=sessions, gateways=tuple(map(gateway, seen.gateways)))


def at_ends(base: Base, of_end: npt.NDArray[np.int64]) -> Base:
    return Base(number=base.number, length=base.length[of_end], code=base.code[of_end])


Behind = tuple[dict[int, Base], dict[int, Codes]]


def alike(one: dict[int, Base], other: dict[int, Base]) -> bool:
    # As bytes: quicker than NumPy's own comparison where there are few ends.
    return all(
        base.code.tobytes() == other[source].code.tobytes() and base.length.tobytes() == other[source].length.tobytes()
        for source, base in one.items()
    )


def same(one: Behind, other: Behind) -> bool:
    return alike(one[0], other[0]) and all(
        codes.tobytes() == other[1][target].tobytes() for target, codes in one[1].items()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stacks:
    """Every class and every check over all ends, as two tables: to look at many of them through few ends."""

    length: npt.NDArray[np.int8]
    row: npt.NDArray[np.int16]
    source: npt.NDArray[np.int64]
    """By class."""
    checks: npt.NDArray[np.int8]

    @staticmethod
    def of(model: Model) -> Stacks:
        shape = (len(model.classes), len(model.ends))
        length, row = np.full(shape, -1, dtype=np.int8), np.full(shape, -1, dtype=np.int16)
        for number, cls in enumerate(model.classes):
            table: Painted = model.painted[cls.table]
            length[number] = table.length
            if cls.rows:
                row[number] = np.array([*cls.rows, -1], dtype=np.int16)[table.hop]
        source = np.array([cls.source for cls in model.classes], dtype=np.int64)
        return Stacks(length=length, row=row, source=source, checks=np.stack(model.checks.all))


class Cells(NamedTuple):
    """Cells of an island's units, one row each, with what their replies come to."""

    units: npt.NDArray[np.int64]
    sites: Indexes
    before: npt.NDArray[np.int16]
    after: npt.NDArray[np.int16]


@dataclass(slots=True, kw_only=True)
class Few:
    """The units of an island, and how their tables and checks look at a few ends. Unit by end."""

    model: Model
    units: npt.NDArray[np.int64]
    of_end: npt.NDArray[np.int64]
    sites: Indexes
    sources: npt.NDArray[np.int64]
    """By unit."""
    length: npt.NDArray[np.int8]
    passes: Bools
    here: Bools
    """By unit: whether its subnet is there."""
    rows: list[int] = field(default_factory=list)
    place: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 0), dtype=np.int64))
    """By unit and end: which of `rows` its table has there."""
    _known: dict[tuple[bytes, ...], npt.NDArray[np.int16]] = field(default_factory=dict)

    @staticmethod
    def of(model: Model, stacks: Stacks, units: npt.NDArray[np.int64], of_end: npt.NDArray[np.int64]) -> Few:
        classes = model.units.cls[units]
        here = classes >= 0
        held = np.ix_(np.maximum(classes, 0), of_end)
        row = stacks.row[held]
        rows, place = np.unique(row, return_inverse=True)
        return Few(
            model=model,
            units=units,
            of_end=of_end,
            sites=model.ends.sites[of_end],
            sources=stacks.source[np.maximum(classes, 0)],
            length=stacks.length[held],
            passes=stacks.checks[np.ix_(model.units.check[units], of_end)] == 1,
            here=here,
            rows=rows.tolist(),
            place=place.reshape(row.shape),
        )

    def cells(self, before: Behind, after: Behind) -> Cells:
        """The cells whose reply is another."""
        replies = [self._replies(*behind) for behind in (before, after)]
        units, ends = np.nonzero((replies[0] != replies[1]) & self.passes & self.here[:, None])
        return Cells(units, self.sites[ends], replies[0][units, ends], replies[1][units, ends])

    def change(self, cells: Cells, ways_in: Codes) -> npt.NDArray[np.int64] | None:
        """Cells more or fewer by word; None where an appliance's own group stands before some of them."""
        found = np.zeros(len(WORDS), dtype=np.int64)
        if not len(cells.units):
            return found
        known, outcomes = self.model.outcomes.known, self.model.outcomes
        arrives = ways_in[cells.units, cells.sites].astype(np.int64)
        weights = self.model.units.count[self.units[cells.units]].astype(np.int64)
        keys = arrives * len(self.model.blocks) + cells.sites
        for key in np.flatnonzero(np.bincount(keys)).tolist():
            way, site = divmod(key, len(self.model.blocks))
            if known[way].word not in (GOOD, STALE):
                continue
            if known[way].guards:
                return None
            mine = keys == key
            judged = outcomes.judged(way, self.model.sessions.sites[site].name)
            for sign, codes in ((-1, cells.before), (1, cells.after)):
                counts = np.bincount(judged[codes[mine]], weights=weights[mine], minlength=len(WORDS))
                found += sign * counts.astype(np.int64)
        return found

    def _replies(self, bases: dict[int, Base], vectors: dict[int, Codes]) -> npt.NDArray[np.int16]:
        """By unit and end what a reply comes to. Most failures leave the few ends as they were."""
        order = sorted(bases)
        content = (
            *(bases[source].length.tobytes() for source in order),
            *(bases[source].code.tobytes() for source in order),
            *(vectors[row].tobytes() for row in self.rows if row >= 0),
        )
        found = self._known.get(content)
        if found is None:
            found = self._known[content] = self._replied(order, bases, vectors)
        return found

    def _replied(self, order: list[int], bases: dict[int, Base], vectors: dict[int, Codes]) -> npt.NDArray[np.int16]:
        at = np.searchsorted(order, self.sources)
        lengths = np.stack([bases[source].length for source in order])[at]
        codes: npt.NDArray[np.int16] = np.stack([bases[source].code for source in order])[at].astype(np.int16)
        users = users_win(self.length, lengths) & (self.length >= 0)
        ways = [vectors[row] if row >= 0 else self.model.constant[row][self.of_end] for row in self.rows]
        own = np.stack(ways)[self.place, np.arange(len(self.of_end))]
        return np.where(users, own, codes).astype(np.int16)
