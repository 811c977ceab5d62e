"""Who reaches whom in a whole estate, and what each failure costs: counted over units and ends.

A *cell* is one machine's address and one end of one site: a flow from there to here, and its reply. Its word is that of
`routing.verdicts`. Nothing is ever laid out cell by cell: for each unit the replies' outcomes of all ends are a
histogram, once a site, of the ends that its check lets pass; the word is a small table of (way in, way back), and
counts are their product. An island is counted once for each condition that it is ever in (islands.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from farshore.errors import InputError
from farshore.estate.estate import Estate
from farshore.estate.outside import names_of
from farshore.routing.failures import Element
from farshore.routing.scale.answers import Answers
from farshore.routing.scale.classes import LOST_ROW
from farshore.routing.scale.columns import Columns, columns_of
from farshore.routing.scale.conditions import SILENT, UNCLEAR, UNTOLD, Condition, condition_of
from farshore.routing.scale.groups import PASSES, REFUSED, Service
from farshore.routing.scale.ingress import Entries
from farshore.routing.scale.islands import Island, islands_of
from farshore.routing.scale.line import Bools
from farshore.routing.scale.model import Model, model_of
from farshore.routing.scale.outcomes import DENIED, GOOD, STALE, UNKNOWN, UNREACHABLE, WORDS, Codes, Outcome, distinct
from farshore.routing.scale.tally import Counts, Tally, tally_of

Guards = tuple[str, ...] | None
"""Appliances on a way in that have groups of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What an estate comes to under one condition."""

    condition: Condition
    islands: dict[int, Counts]
    """The islands that are not as with nothing failed: counts of their units."""


@dataclass(slots=True)
class Reach:
    """All machines and all sites' prefixes of an estate, both ways, for one service."""

    model: Model
    islands: list[Island]
    answers: Answers
    cold: Condition
    cold_counts: list[Counts] = field(default_factory=list)
    """By island."""
    _counted: dict[tuple[object, ...], Counts] = field(default_factory=dict)
    _by_content: dict[tuple[object, ...], Counts] = field(default_factory=dict)
    _entries: dict[tuple[object, ...], tuple[Entries, ...]] = field(default_factory=dict)
    _arriving: dict[tuple[object, ...], Codes] = field(default_factory=dict)
    _guards: dict[str, int] = field(default_factory=dict)
    _tallies: dict[tuple[int, tuple[str, ...]], Tally] = field(default_factory=dict)

    @staticmethod
    def of(estate: Estate | Columns, service: Service | None = None) -> Reach:
        """The reach of an estate with nothing failed."""
        columns = columns_of(estate) if isinstance(estate, Estate) else estate
        model = model_of(columns, service or Service())
        made = Reach(model, islands_of(model), Answers(model), condition_of(model, frozenset()))
        made.cold_counts = [made.count(number, made.cold) for number in range(len(made.islands))]
        return made

    def through(self, model: Model) -> Reach:
        """The same estate over other ends."""
        return Reach(model, self.islands, Answers(model), self.cold, _entries=self._entries)

    def in_parts(self, model: Model, islands: list[Island], answers: Answers) -> Reach:
        """The same estate in other units: what does not hang on them is kept."""
        return Reach(model, islands, answers, self.cold, _entries=self._entries, _guards=self._guards)

    def apart(self, model: Model, islands: list[Island], answers: Answers) -> Reach:
        """Other machines, or machines otherwise, in the same estate: nothing that hangs on them is kept."""
        return Reach(model, islands, answers, self.cold)

    def under(self, element: Element) -> Standing:
        """What it comes to when an element has failed."""
        return self.standing(condition_of(self.model, element.down))

    def when(self, down: frozenset[str]) -> Standing:
        """What it comes to when things are down, by the names of `Outside.down`. Raises `InputError` for one machine of
        those that are counted together."""
        down = names_of(down)
        machines = self.model.columns.machines
        counted = down.intersection((*machines.nics, *machines.holders)).difference(self.model.appliances)
        if counted:
            raise InputError(
                "This machine is counted together with others, and can't fail alone here",
                value=min(counted),
                expected="something that others hang on (`elements`), or the reach of an estate in which it is down",
            )
        return self.standing(condition_of(self.model, down))

    def standing(self, condition: Condition) -> Standing:
        """What it comes to in a condition."""
        touched = self.touched(condition)
        return Standing(condition=condition, islands={number: self.count(number, condition) for number in touched})

    def touched(self, condition: Condition) -> list[int]:
        """The islands that are in another condition than with nothing failed."""
        return [
            number
            for number in range(len(self.islands))
            if self.condition_key(number, condition) != self.condition_key(number, self.cold)
        ]

    def counts_cold(self) -> Counts:
        """Of every unit, with nothing failed."""
        return self.counts(Standing(condition=self.cold, islands={}))

    def counts(self, standing: Standing) -> Counts:
        """Of every unit."""
        found = np.zeros((len(self.model.units), len(WORDS)), dtype=np.int64)
        for number, island in enumerate(self.islands):
            found[island.units] = standing.islands.get(number, self.cold_counts[number])
        return found

    def totals(self, standing: Standing | None = None) -> dict[str, int]:
        """Cells by word, every machine counted; with nothing failed, or in a standing."""
        summed = np.zeros(len(WORDS), dtype=np.int64)
        for number, island in enumerate(self.islands):
            counts = (
                self.cold_counts[number] if standing is None else standing.islands.get(number, self.cold_counts[number])
            )
            summed += self.model.units.count[island.units].astype(np.int64) @ counts
        return {word: int(count) for word, count in zip(WORDS, summed, strict=True)}

    # One island

    def count(self, number: int, condition: Condition) -> Counts:
        """The counts of an island's units in a condition."""
        key = (number, *self.condition_key(number, condition))
        found = self._counted.get(key)
        if found is None:
            ways_in = self.ways_in(number, condition)
            bases, ways = self._behind(self.answers, number, condition)
            content = (number, ways_in.tobytes(), *bases.values(), *ways.values())
            found = self._by_content.get(content)
            if found is None:
                found = self._by_content[content] = self._tallied(self.answers, number, ways_in, bases, ways)
            self._counted[key] = found
        return found

    def tallied(
        self,
        number: int,
        condition: Condition,
        ways_in: Codes,
        answers: Answers,
        known: dict[tuple[object, ...], Counts],
    ) -> Counts:
        """The counts of an island's units where tables answer otherwise. `known`: what was counted before with these
        answers in this island."""
        bases, ways = self._behind(answers, number, condition)
        content = (ways_in.tobytes(), *bases.values(), *ways.values())
        if content not in known:
            known[content] = self._tallied(answers, number, ways_in, bases, ways)
        return known[content]

    def condition_key(self, number: int, condition: Condition) -> tuple[object, ...]:
        """What of a condition an island feels."""
        island = self.islands[number]
        heard = tuple(condition.heard[number].tobytes() for number in island.gateways)
        states = tuple(condition.states[number] for number in island.targets)
        return (heard, states, condition.silence[island.units].tobytes())

    def _behind(self, answers: Answers, number: int, condition: Condition) -> tuple[dict[int, int], dict[int, int]]:
        """What the answers of an island's subnets hang on: by source the number of its base, by target that of its
        way."""
        island = self.islands[number]
        bases = {source: answers.base(source, condition).number for source in island.sources}
        return bases, dict(zip(island.targets, answers.ways(island.targets, condition), strict=True))

    # The way in

    def ways_in(self, number: int, condition: Condition) -> Codes:
        """By unit and site: the outcome of a flow."""
        island, model = self.islands[number], self.model
        units, outcomes = model.units, model.outcomes
        rows = island.units
        found = np.full((len(rows), len(model.blocks)), outcomes.simple(UNREACHABLE), dtype=np.int16)
        if len(island.ingress.prefixes) and len(rows):
            ways = [self._arrivals(gateway, condition) for gateway in island.gateways]
            announced = island.meant >= 0
            meant = np.maximum(island.meant, 0)
            for site, entries in enumerate(self.entries(number, condition)):
                found[:, site] = self._entered(island, entries, ways, np.where(announced, entries.which[meant], -1))
                by = entries.goes_by[meant]
                lengths = island.ingress.prefixes.length[np.maximum(by, 0)]
                closer = announced & (by >= 0) & (units.contested[rows] >= lengths)
                found[closer, site] = outcomes.simple(UNKNOWN)
        if outcomes.joined:
            # What no circuit offers a site may come to it by way of another site: a line, Global Reach (E46).
            nowhere = (found == outcomes.simple(UNREACHABLE)) & (units.contested[rows] >= 0)[:, None]
            found[nowhere if not model.passes_on else slice(None)] = outcomes.simple(UNKNOWN)
        lost = Outcome(UNREACHABLE)
        silence = condition.silence[rows]
        self._replace(found, silence == SILENT, lambda known: lost)
        self.with_old_data(found, rows)
        found[units.unclear[rows] | (silence == UNCLEAR) | (silence == UNTOLD)] = outcomes.simple(UNKNOWN)
        return found

    def with_old_data(self, ways_in: Codes, rows: npt.NDArray[np.int64]) -> None:
        """What comes of arriving at machines that may run with old data, by the checks before some units."""
        units, checks = self.model.units, self.model.checks
        stale = units.stale[rows]
        if stale.any():
            hang = {check: checks.hangs_on_tag(check) for check in set(units.check[rows][stale].tolist())}
            screened = stale & np.array([hang.get(check, False) for check in units.check[rows].tolist()], dtype=bool)
            self._replace(ways_in, screened, lambda known: known._replace(word=STALE, screened=True))
            self._replace(ways_in, stale & ~screened, lambda known: known._replace(word=STALE, screened=False))

    def entries(self, number: int, condition: Condition) -> tuple[Entries, ...]:
        """By site: where its flows get into an island."""
        island, model = self.islands[number], self.model
        key = (number, *(condition.heard[gateway].tobytes() for gateway in island.gateways))
        found = self._entries.get(key)
        if found is None:
            heard = np.zeros((len(island.gateways), len(model.sessions.all)), dtype=bool)
            for row, gateway in enumerate(island.gateways):
                np.logical_or.at(heard[row], model.gateways[gateway].columns, condition.heard[gateway])
            found = tuple(island.ingress.entries(site, heard) for site in range(len(model.blocks)))
            self._entries[key] = found
        return found

    def _entered(
        self, island: Island, entries: Entries, ways: Sequence[Codes], entry_of: npt.NDArray[np.int64]
    ) -> Codes:
        """By unit: the outcome of a flow from one site."""
        outcomes = self.model.outcomes
        unknown = outcomes.simple(UNKNOWN)
        found = np.full(len(entry_of), outcomes.simple(UNREACHABLE), dtype=np.int16)
        for at in np.unique(entry_of[entry_of >= 0]).tolist():
            here, entry = np.flatnonzero(entry_of == at), entries.every[at]
            if entry.gateway < 0:
                found[here] = outcomes.simple(entry.word)
                continue
            kinds = self.model.units.kinds[island.gateways[entry.gateway]][island.units[here]]
            codes = ways[entry.gateway]
            ends = np.full(len(here), unknown, dtype=np.int16)
            ends[kinds >= 0] = codes[kinds[kinds >= 0]]
            for key in entry.stateful:
                ends = outcomes.through(ends, key, ())
            found[here] = ends
        return found

    def _arrivals(self, gateway: int, condition: Condition) -> Codes:
        way = self.model.arrivals[gateway]
        key = (gateway, *(condition.states[number] for number in way.targets))
        found = self._arriving.get(key)
        if found is None:
            found = self._arriving[key] = way.outcomes(condition.states, self.model.outcomes)
        return found

    def _replace(self, codes: Codes, rows: Bools, change: Callable[[Outcome], Outcome]) -> None:
        """What comes of arriving at machines that are not as they should be."""
        outcomes = self.model.outcomes
        here = codes[rows]
        if here.size:
            for code in np.unique(here).tolist():
                if outcomes.known[code].word in (GOOD, STALE):
                    here[here == code] = outcomes.number(change(outcomes.known[code]))
            codes[rows] = here

    # Words

    def _tallied(
        self, answers: Answers, number: int, ways_in: Codes, bases: dict[int, int], ways: dict[int, int]
    ) -> Counts:
        """By unit and word: how many ends."""
        units = self.islands[number].units
        if not ways_in.size or all(self._guards_on(way) == () for way in distinct(ways_in)[0]):
            return self._tally(number, ()).counts(answers, ways_in, bases, ways)
        # Appliances with a group of their own stand before some machines and not before others: each in its turn.
        found = np.zeros((len(units), len(WORDS)), dtype=np.int64)
        of_unit = [self._guards_on(way) for way in ways_in.tolist()]
        for held in set(of_unit):
            here = np.array([other == held for other in of_unit], dtype=bool)
            found[here] = self._behind_guards(answers, number, held, ways_in, bases, ways)[here]
        return found

    def _behind_guards(
        self, answers: Answers, number: int, held: Guards, ways_in: Codes, bases: dict[int, int], ways: dict[int, int]
    ) -> Counts:
        if held is not None and all(self._check_of(guard) >= 0 for guard in held):
            return self._tally(number, held).counts(answers, ways_in, bases, ways)
        known = self.model.outcomes.known
        found = np.zeros((len(ways_in), len(WORDS)), dtype=np.int64)
        for site, block in enumerate(self.model.blocks):
            for row, code in enumerate(ways_in[:, site].tolist()):
                word = known[code].word
                found[row, UNKNOWN if word in (GOOD, STALE) else word] += block.stop - block.start
        return found

    def _tally(self, number: int, guards: tuple[str, ...]) -> Tally:
        found = self._tallies.get((number, guards))
        if found is None:
            units = self.islands[number].units
            checks = [self._behind_all(guards, unit) for unit in units.tolist()]
            found = self._tallies[(number, guards)] = tally_of(self.model, units, checks)
        return found

    def _guards_on(self, way: Sequence[int]) -> Guards:
        """The appliances with groups on a way in, from every site from which it arrives; None where sites differ."""
        known = self.model.outcomes.known
        held = {known[code].guards for code in way if known[code].word in (GOOD, STALE)}
        return () if not held else next(iter(held)) if len(held) == 1 else None

    def _behind_all(self, guards: tuple[str, ...], unit: int) -> int:
        """The check before a unit behind those of some appliances."""
        model = self.model
        found = int(model.units.check[unit])
        for guard in guards:
            found = model.checks.both(self._check_of(guard), found)
        return model.checks.before_old_data(found) if guards and model.units.stale[unit] else found

    def _check_of(self, guard: str) -> int:
        found = self._guards.get(guard)
        if found is None:
            found = self._guards[guard] = self.model.checks.of_appliance(self.groups_of(guard))
        return found

    def groups_of(self, guard: str) -> tuple[str, ...]:
        """The groups of the NIC of a guard (`targets.State`), inward: the subnet's, then its own."""
        index = self.model.world.index
        found = index.nics[guard.partition("#")[0]]
        subnet = None if found.primary is None else index.subnet(found.primary.subnet)
        held = (None if subnet is None else subnet.network_security_group, found.network_security_group)
        return tuple(id_.key for id_ in held if id_ is not None)

    # Cell by cell

    def words(self, condition: Condition) -> npt.NDArray[np.int8]:
        """Every cell by itself: by unit and end its word. For looking at few machines; nothing else lays cells out."""
        model = self.model
        found = np.full((len(model.units), len(model.ends)), UNREACHABLE, dtype=np.int8)
        line = np.arange(len(model.ends))
        for number, island in enumerate(self.islands):
            ways_in, behind = self.ways_in(number, condition), self._behind(self.answers, number, condition)
            for unit, way in zip(island.units.tolist(), ways_in.tolist(), strict=True):
                cls = int(model.units.cls[unit])
                codes = self.answers.codes(cls, *behind) if cls >= 0 else model.constant[LOST_ROW]
                found[unit] = self.words_of(unit, way, codes, line)
        return found

    def words_of(self, unit: int, way: Sequence[int], codes: Codes, of_end: npt.NDArray[Any]) -> npt.NDArray[np.int8]:
        """The words of some ends for one machine of a unit. `way`: by site what a flow comes to; `codes`: by end what
        its reply does; `of_end`: which ends they are."""
        model = self.model
        guards = self._guards_on(way)
        unclear = guards is None or any(self._check_of(guard) < 0 for guard in guards)
        check = self._behind_all(() if unclear or guards is None else guards, unit)
        states = model.checks.all[check][of_end]
        sites = model.ends.sites[of_end]
        found = np.full(len(of_end), UNREACHABLE, dtype=np.int8)
        for site in np.unique(sites).tolist():
            here = sites == site
            word = model.outcomes.known[way[site]].word
            if word not in (GOOD, STALE):
                found[here] = word
            elif unclear:
                found[here] = UNKNOWN
            else:
                judged = model.outcomes.judged(way[site], model.sessions.sites[site].name)
                words = judged[codes[here]] if int(model.units.cls[unit]) >= 0 else UNREACHABLE
                passed = states[here]
                found[here] = np.where(passed == PASSES, words, np.where(passed == REFUSED, DENIED, UNKNOWN))
        return found
