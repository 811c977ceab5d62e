"""What an estate's tables come to when some of it has failed.

Everything here is a function of what works, and kept by that: the gateways' choices by the sessions that reach them,
the ways through appliances by who stands at their addresses and what the gateways behind them chose, the answers of a
class of subnets by all of it. A failure touches few of these; the rest is found as it was. So the work of every failure
together is some times that of one, however many failures there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from farshore.routing.scale.egress import Egress
from farshore.routing.scale.ingress import Entry
from farshore.routing.scale.line import Bools
from farshore.routing.scale.model import LOST_ROW, Class, Model
from farshore.routing.scale.outcomes import UNKNOWN, UNREACHABLE, Codes
from farshore.routing.scale.targets import State, followed, state_of
from farshore.routing.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """What the BGP rows of a source make of every end; `number` tells equal ones."""

    number: int
    length: npt.NDArray[np.int8]
    code: Codes


@dataclass(slots=True)
class Tables:
    """The tables of a model under whatever works, each built once."""

    model: Model
    _bases: dict[tuple[object, ...], Base] = field(default_factory=dict)
    _numbers: dict[tuple[bytes, bytes], Base] = field(default_factory=dict)
    _ways: dict[tuple[object, ...], tuple[int, ...]] = field(default_factory=dict)
    _vectors: list[Codes] = field(default_factory=list)
    _vector_numbers: dict[bytes, int] = field(default_factory=dict)
    _groups: list[list[int]] | None = None

    def base(self, source: int, egress: dict[str, Egress], working: dict[str, bytes]) -> Base:
        """The BGP rows of a source, its first gateway before the next where they are as long (R19)."""
        held = [key for key in self.model.sources[source].gateways if key in egress]
        key = (source, *(working[gateway] for gateway in held))
        found = self._bases.get(key)
        if found is None:
            found = self._bases[key] = self._based(source, [egress[gateway] for gateway in held])
        return found

    def no_base(self) -> Base:
        """A table without BGP rows: what nothing else matches is dropped, or leaves for the internet, which is as far from the site."""
        found = self._bases.get(("none",))
        if found is None:
            found = self._bases[("none",)] = self._based(-1, [])
        return found

    def _based(self, source: int, held: Sequence[Egress]) -> Base:
        model = self.model
        length = np.full(len(model.ends), -1, dtype=np.int8)
        code = model.constant[LOST_ROW].copy()
        for egress in held:
            better = egress.length > length
            length[better] = egress.length[better]
            code[better] = egress.code[better]
        unknown = model.outcomes.simple(UNKNOWN)
        code[(length > 0) & (length < model.reserved)] = unknown
        if source >= 0 and model.sources[source].others:
            blind = model.blind[source]
            code[blind > length] = unknown
            length = np.maximum(length, blind)
        content = (length.tobytes(), code.tobytes())
        found = self._numbers.get(content)
        if found is None:
            found = self._numbers[content] = Base(number=len(self._numbers), length=length, code=code)
        return found

    def vector(self, number: int) -> Codes:
        """What a target makes of every end, by the number that `ways` gives."""
        return self._vectors[number]

    def ways(self, bases: Sequence[Base], states: Sequence[State]) -> tuple[int, ...]:
        """For each target the number of what it makes of every end, given the bases of all sources."""
        found = [0] * len(self.model.targets)
        for group in self._apart():
            sources = sorted({self._class(subnet).source for target in group for subnet in self.model.leads[target] if subnet in self.model.class_of} - {-1})
            key = (group[0], *(bases[source].number for source in sources), *(states[target] for target in group))
            held = self._ways.get(key)
            if held is None:
                held = self._ways[key] = self._followed(group, bases, states)
            for target, number in zip(group, held, strict=True):
                found[target] = number
        return tuple(found)

    def _class(self, subnet: str) -> Class:
        return self.model.classes[self.model.class_of[subnet]]

    def _apart(self) -> list[list[int]]:
        """Targets in groups that never send to each other."""
        if self._groups is None:
            leader = list(range(len(self.model.targets)))

            def lead(target: int) -> int:
                while leader[target] != target:
                    target = leader[target]
                return target

            for target, held in enumerate(self.model.leads):
                for subnet in held:
                    for row in self._class(subnet).rows if subnet in self.model.class_of else ():
                        if row >= 0:
                            leader[lead(row)] = lead(target)
            groups: dict[int, list[int]] = {}
            for target in range(len(leader)):
                groups.setdefault(lead(target), []).append(target)
            self._groups = list(groups.values())
        return self._groups

    def _followed(self, group: Sequence[int], bases: Sequence[Base], states: Sequence[State]) -> tuple[int, ...]:
        model = self.model
        local = {target: number for number, target in enumerate(group)}
        size = len(model.ends)

        def step(subnet: str) -> tuple[Codes, Codes]:
            if subnet not in model.class_of:
                return np.full(size, model.outcomes.simple(UNKNOWN), dtype=np.int16), np.full(size, -1, dtype=np.int16)
            cls = self._class(subnet)
            base = self.no_base() if cls.source < 0 else bases[cls.source]
            table = model.painted[cls.table]
            users = table.length >= base.length
            ends = base.code.copy()
            sends = np.full(size, -1, dtype=np.int16)
            for hop, row in enumerate(cls.rows):
                here = users & (table.hop == hop)
                if row >= 0:
                    sends[here] = local[row]
                else:
                    ends[here] = model.constant[row][here]
            return ends, sends

        dead = model.outcomes.simple(UNREACHABLE)
        made = followed([states[target] for target in group], step, model.outcomes, size, dead)
        return tuple(self._number(codes) for codes in made)

    def _number(self, codes: Codes) -> int:
        content = codes.tobytes()
        found = self._vector_numbers.get(content)
        if found is None:
            found = self._vector_numbers[content] = len(self._vectors)
            self._vectors.append(codes)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One condition of the estate: what works, and what tables come to."""

    bases: tuple[Base, ...]
    """By source."""
    ways: tuple[int, ...]
    """By target."""
    states: tuple[State, ...]
    entries: tuple[tuple[npt.NDArray[np.int32], list[Entry], npt.NDArray[np.int32]], ...]
    """By site: see `Ingress.entries`."""
    entries_key: bytes
    dead: Bools
    """By unit: nobody answers."""


def moment_of(tables: Tables, down: frozenset[str], cold: Moment | None = None) -> Moment:
    """The estate with some things down, by the names of `Outside.down`. `cold` is the same with nothing more down."""
    model = tables.model
    estate = model.columns.skeleton
    outside = estate.outside
    world = model.world if not down else World(estate.with_outside(replace(outside, down=outside.down | down)))
    up = model.sessions.up(world)
    egress: dict[str, Egress] = {}
    working: dict[str, bytes] = {}
    for key, gateway in model.gateways.items():
        able = gateway.working(world, up)
        egress[key], working[key] = gateway.egress(able), able.tobytes()
    bases = tuple(tables.base(source, egress, working) for source in range(len(model.sources)))
    states = tuple(state_of(world, model.networks, target) for target in model.targets)
    open_ = model.ingress.open(world, up)
    if cold is not None and open_.key == cold.entries_key:
        entries = cold.entries
    else:
        entries = tuple(model.ingress.entries(site, open_) for site in range(len(model.sessions.sites)))
    return Moment(
        bases=bases,
        ways=tables.ways(bases, states),
        states=states,
        entries=entries,
        entries_key=open_.key,
        dead=_dead(model, down),
    )


def _dead(model: Model, down: frozenset[str]) -> Bools:
    units = model.units
    dead = ~units.runs
    regions = {name.removeprefix("region:") for name in (*down, *model.columns.skeleton.outside.down) if name.startswith("region:")}
    for number, name in enumerate(model.columns.machines.region_names):
        if name in regions:
            dead = dead | (units.region == number)
    for number, key in enumerate(model.appliances):
        if key in down:
            dead = dead | (units.appliance == number)
    return dead

