"""Who reaches whom in a whole estate, and what each failure costs: counted over units and ends.

A *cell* is one machine's address and one end of one site: a flow from there to here, and its reply. Its word is that of
`routing.judge`. Nothing is ever laid out cell by cell: for each unit the replies' outcomes of all ends are a histogram,
once a site, of the ends that its check lets pass; the word is a small table of (way in, way back), and counts are their
product.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from farshore.estate.estate import Estate
from farshore.routing.failures import Element
from farshore.routing.scale.columns import Columns, columns_of
from farshore.routing.scale.groups import PASSES, REFUSED, UNCLEAR, Service
from farshore.routing.scale.model import Model, model_of
from farshore.routing.scale.moment import Base, Moment, Tables, moment_of
from farshore.routing.scale.outcomes import DENIED, GOOD, STALE, UNKNOWN, UNREACHABLE, WORDS, WRONG_OWNER, Codes, Outcome

Key = tuple[int, ...]
"""A class, and the numbers of all that its answers hang on."""

Counts = npt.NDArray[np.int64]
"""By unit and word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What an estate comes to under one failure, or none."""

    element: Element | None
    counts: Counts
    """By unit and word: how many ends, for one machine of the unit."""
    touched: int
    """How many units had to be counted again."""

    @property
    def good(self) -> npt.NDArray[np.int64]:
        """By unit: the ends that it is reached from, and answers."""
        found: npt.NDArray[np.int64] = self.counts[:, GOOD]
        return found


@dataclass(slots=True)
class Reach:
    """All machines and all sites' prefixes of an estate, both ways, for one service."""

    model: Model
    tables: Tables
    cold: Moment
    standing: Standing
    _histograms: dict[tuple[object, ...], npt.NDArray[np.int32]] = field(default_factory=dict)
    _ways_in: dict[tuple[object, ...], Codes] = field(default_factory=dict)
    _fo_cold: Codes | None = None
    _keys_cold: list[Key] = field(default_factory=list)
    _guards: dict[str, int] = field(default_factory=dict)

    @staticmethod
    def of(estate: Estate | Columns, service: Service | None = None) -> Reach:
        """The reach of an estate with nothing failed."""
        columns = columns_of(estate) if isinstance(estate, Estate) else estate
        model = model_of(columns, service or Service())
        tables = Tables(model)
        cold = moment_of(tables, frozenset())
        nothing = np.zeros((len(model.units), len(WORDS)), dtype=np.int64)
        made = Reach(model, tables, cold, Standing(element=None, counts=nothing, touched=0))
        made._fo_cold = made._all_ways_in(cold)
        made._keys_cold = made._keys(cold)
        counts = made._counted(np.arange(len(model.units)), made._fo_cold, made._keys_cold, cold)
        made.standing = Standing(element=None, counts=counts, touched=len(model.units))
        return made

    def under(self, element: Element) -> Standing:
        """What it comes to when an element has failed."""
        return self.when(element.down, element)

    def when(self, down: frozenset[str], element: Element | None = None) -> Standing:
        """What it comes to when things are down, by the names of `Outside.down`."""
        moment = moment_of(self.tables, down, self.cold)
        ways_in = self._all_ways_in(moment)
        keys, changed_class = self._keys_changed(moment)
        assert self._fo_cold is not None, "the cold ways in are found first"
        units = self.model.units
        changed = (ways_in != self._fo_cold).any(axis=1) if ways_in.shape[1] else np.zeros(len(units), dtype=bool)
        known = units.cls >= 0
        if len(changed_class):
            changed |= known & changed_class[np.maximum(units.cls, 0)]
        rows = np.flatnonzero(changed)
        counts = self.standing.counts.copy()
        counts[rows] = self._counted(rows, ways_in[rows], keys, moment)
        return Standing(element=element, counts=counts, touched=len(rows))

    def words(self, down: frozenset[str] = frozenset()) -> npt.NDArray[np.int8]:
        """Every cell by itself: by unit and end its word. For looking at few machines; nothing else lays cells out."""
        moment = moment_of(self.tables, down, self.cold)
        model = self.model
        found = np.full((len(model.units), len(model.ends)), UNREACHABLE, dtype=np.int8)
        for unit, way in enumerate(self._all_ways_in(moment)):
            for site, block in enumerate(model.blocks):
                found[unit, block] = self._cells(unit, int(way[site]), site, block, moment)
        return found

    def _cells(self, unit: int, way: int, site: int, block: slice, moment: Moment) -> npt.NDArray[np.int8]:
        model = self.model
        word = model.outcomes.known[way].word
        size = block.stop - block.start
        if word not in (GOOD, STALE):
            return np.full(size, word, dtype=np.int8)
        check = self._guarded(int(model.units.check[unit]), [way], [0])
        if check < 0:
            return np.full(size, UNKNOWN, dtype=np.int8)
        cls = int(model.units.cls[unit])
        name = model.sessions.sites[site].name
        words = np.full(size, UNREACHABLE, dtype=np.int8)
        if cls >= 0:
            codes = self.codes(cls, moment)[block]
            words = model.outcomes.judged(way, name)[codes]
        states = model.checks.all[check][block]
        return np.where(states == PASSES, words, np.where(states == REFUSED, DENIED, UNKNOWN)).astype(np.int8)

    # The way in

    def _all_ways_in(self, moment: Moment) -> Codes:
        """By unit and site: the outcome of a flow."""
        model = self.model
        units, outcomes = model.units, model.outcomes
        found = np.full((len(units), len(moment.entries)), outcomes.simple(UNREACHABLE), dtype=np.int16)
        unknown = outcomes.simple(UNKNOWN)
        ways = [self._arriving(gateway, moment) for gateway in range(len(model.arrivals))]
        announced = units.meant >= 0
        meant = np.maximum(units.meant, 0)
        lengths = model.ingress.prefixes.length
        for site, (which, entries, goes_by) in enumerate(moment.entries):
            if not len(which):
                continue
            entry_of = np.where(announced, which[meant], -1)
            for number in np.unique(entry_of[announced]).tolist():
                here = np.flatnonzero(entry_of == number)
                entry = entries[number]
                if entry.gateway < 0:
                    found[here, site] = outcomes.simple(entry.word)
                    continue
                kinds = model.units.kinds[entry.gateway][here]
                codes = ways[entry.gateway]
                ends = np.where(kinds >= 0, codes[np.maximum(kinds, 0)], unknown) if len(codes) else np.full(len(here), unknown)
                ends = ends.astype(np.int16)
                for key in entry.stateful:
                    ends = outcomes.through(ends, key, "")
                found[here, site] = ends
            by = goes_by[meant]
            closer = announced & (by >= 0) & (units.contested >= lengths[np.maximum(by, 0)])
            found[closer, site] = unknown
        self._replace(found, moment.dead, lambda known: known._replace(word=UNREACHABLE, stateful=(), guards=()))
        self._replace(found, units.stale, lambda known: known._replace(word=STALE))
        return found

    def _replace(self, codes: Codes, rows: npt.NDArray[np.bool_], change: Callable[[Outcome], Outcome]) -> None:
        """What comes of arriving at machines that are not as they should be."""
        outcomes = self.model.outcomes
        here = codes[rows]
        if here.size:
            for code in np.unique(here).tolist():
                if outcomes.known[code].word == GOOD:
                    here[here == code] = outcomes.number(change(outcomes.known[code]))
            codes[rows] = here

    def _arriving(self, gateway: int, moment: Moment) -> Codes:
        way = self.model.arrivals[gateway]
        involved = sorted({number for made in way.decisions.values() for number in np.unique(made.sends[made.sends >= 0]).tolist()})
        key = (gateway, *(moment.states[number] for number in involved))
        found = self._ways_in.get(key)
        if found is None:
            found = self._ways_in[key] = way.outcomes(moment.states, self.model.outcomes)
        return found

    # The way back

    def _keys(self, moment: Moment) -> list[Key]:
        """By class: what its answers hang on."""
        return [self._key(number, moment) for number in range(len(self.model.classes))]

    def _key(self, number: int, moment: Moment) -> Key:
        cls = self.model.classes[number]
        base = self.tables.no_base() if cls.source < 0 else moment.bases[cls.source]
        return (number, base.number, *(moment.ways[row] for row in cls.rows if row >= 0))

    def _keys_changed(self, moment: Moment) -> tuple[list[Key], npt.NDArray[np.bool_]]:
        """`_keys`, and by class whether its key is another than with nothing failed."""
        cold = self.cold
        keys = list(self._keys_cold)
        changed = np.zeros(len(keys), dtype=bool)
        for source, (new, old) in enumerate(zip(moment.bases, cold.bases, strict=True)):
            if new.number != old.number:
                changed[self.model.by_source[source]] = True
        for target, (now, then) in enumerate(zip(moment.ways, cold.ways, strict=True)):
            if now != then:
                changed[self.model.by_target[target]] = True
        for number in np.flatnonzero(changed).tolist():
            keys[number] = self._key(number, moment)
        return keys, changed

    def codes(self, cls: int, moment: Moment) -> Codes:
        """By end: the outcome of a reply from a subnet of a class."""
        stack, at = self._stacked(cls, moment)
        found: Codes = stack.reshape(-1)[at]
        contested = self.model.contested
        if len(contested):
            found[contested] = self._doubted(found[contested])
        return found

    def _doubted(self, codes: Codes) -> Codes:
        """Where a site's range and a network's collide, only what surely arrives, or surely comes to another, is said:
        edges and gateways that know both are for `routing.trace`."""
        outcomes = self.model.outcomes
        unknown = outcomes.simple(UNKNOWN)
        sure = [code if outcomes.known[code].word in (GOOD, WRONG_OWNER) else unknown for code in codes.tolist()]
        return np.array(sure, dtype=np.int16)

    def _stacked(self, number: int, moment: Moment) -> tuple[Codes, npt.NDArray[np.int64]]:
        model = self.model
        cls = model.classes[number]
        base: Base = self.tables.no_base() if cls.source < 0 else moment.bases[cls.source]
        table = model.painted[cls.table]
        size = len(model.ends)
        rows = [self.tables.vector(moment.ways[row]) if row >= 0 else model.constant[row] for row in cls.rows]
        stack = np.stack([base.code, *rows]) if rows else base.code[None, :]
        line = np.arange(size)
        users = table.length >= base.length
        at = np.where(users, (table.hop.astype(np.int64) + 1) * size + line, line)
        return stack, at

    def _histogram(self, check: int, key: Key, moment: Moment) -> npt.NDArray[np.int32]:
        """By outcome and site: how many ends that pass a check have it."""
        held = self._histograms.get((check, *key))
        if held is None:
            codes = self.codes(key[0], moment).astype(np.int64)
            sites = len(self.model.blocks)
            codes = codes * sites + self.model.ends.sites
            passing = self.model.checks.passing(check)
            if passing is not None:
                codes = codes[passing]
            held = self._histograms[(check, *key)] = np.bincount(codes).astype(np.int32)
        return held

    # Words

    def _counted(
        self, rows: npt.NDArray[np.int64], ways_in: Codes, keys: Sequence[Key], moment: Moment
    ) -> Counts:
        """By unit in `rows` and word: how many ends."""
        model = self.model
        counts = np.zeros((len(rows), len(WORDS)), dtype=np.int64)
        if not len(rows) or not ways_in.shape[1]:
            return counts
        unique, inverse = np.unique(ways_in, axis=0, return_inverse=True)
        inverse = inverse.reshape(-1)
        for number, way in enumerate(unique):
            here = np.flatnonzero(inverse == number)
            counts[here] = self._alike(rows[here], way.tolist(), keys, moment)
        assert int(counts.sum()) == len(rows) * len(model.ends), "every cell has one word"
        return counts

    def _alike(
        self, rows: npt.NDArray[np.int64], way: list[int], keys: Sequence[Key], moment: Moment
    ) -> Counts:
        """Counts for units whose flows come in alike."""
        model = self.model
        outcomes, units = model.outcomes, model.units
        counts = np.zeros((len(rows), len(WORDS)), dtype=np.int64)
        words = [outcomes.known[code].word for code in way]
        sizes = [block.stop - block.start for block in model.blocks]
        arriving = [site for site, word in enumerate(words) if word in (GOOD, STALE)]
        for site, word in enumerate(words):
            if word not in (GOOD, STALE):
                counts[:, word] += sizes[site]
        if not arriving:
            return counts
        checks = [self._guarded(check, way, arriving) for check in units.check[rows].tolist()]
        if any(check < 0 for check in checks):
            counts[:, UNKNOWN] += sum(sizes[site] for site in arriving)
            return counts
        states = np.stack([model.checks.counts(check, model.blocks) for check in checks])
        for site in arriving:
            counts[:, DENIED] += states[:, site, REFUSED]
            counts[:, UNKNOWN] += states[:, site, UNCLEAR]
        nowhere = units.cls[rows] < 0
        for site in arriving:
            counts[nowhere, UNREACHABLE] += states[nowhere, site, PASSES]
        placed = np.flatnonzero(~nowhere)
        if len(placed):
            held = [self._histogram(checks[at], keys[int(units.cls[rows[at]])], moment) for at in placed.tolist()]
            width = max(map(len, held))
            stacked = np.zeros((len(held), width), dtype=np.int64)
            for number, histogram in enumerate(held):
                stacked[number, : len(histogram)] = histogram
            counts[placed] += stacked @ self._words(way, arriving, width)
        return counts

    def _guarded(self, check: int, way: list[int], arriving: Sequence[int]) -> int:
        """A machine's check behind those of the appliances on its way; -1 where they cannot be told."""
        guards = {self.model.outcomes.known[way[site]].guards for site in arriving}
        if guards == {()}:
            return check
        if len(guards) > 1:
            return -1
        for guard in next(iter(guards)):
            known = self._guards.get(guard)
            if known is None:
                known = self._guards[guard] = self.model.checks.of_appliance(self._groups_of(guard))
            if known < 0:
                return -1
            check = self.model.checks.both(known, check)
        return check

    def _groups_of(self, nic: str) -> tuple[str, ...]:
        """The groups of a NIC, inward: the subnet's, then its own."""
        index = self.model.world.index
        found = index.nics[nic]
        subnet = None if found.primary is None else index.subnet(found.primary.subnet)
        held = (None if subnet is None else subnet.network_security_group, found.network_security_group)
        return tuple(id_.key for id_ in held if id_ is not None)

    def _words(self, way: list[int], arriving: Sequence[int], width: int) -> npt.NDArray[np.int64]:
        """By (outcome of the reply, site): one for its word."""
        model = self.model
        sites = len(model.blocks)
        table = np.zeros((width, len(WORDS)), dtype=np.int64)
        for site in arriving:
            judged = model.outcomes.judged(way[site], model.sessions.sites[site].name)
            rows = np.arange(site, width, sites)
            table[rows, judged[: len(rows)]] = 1
        return table


def totals(reach: Reach, standing: Standing) -> dict[str, int]:
    """Cells by word, every machine counted."""
    summed = reach.model.units.count.astype(np.int64) @ standing.counts
    return {word: int(count) for word, count in zip(WORDS, summed, strict=True)}


def under_each(reach: Reach, elements: Iterable[Element]) -> list[Standing]:
    """What it comes to under each failure."""
    return [reach.under(element) for element in elements]
