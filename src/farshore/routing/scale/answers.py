"""What tables answer for every end, each table once for each thing that it hangs on.

A base is what the BGP rows of a source make of every end; a way is what an appliance makes of them; a class of subnets
answers by its own table over both. Each is found by what it hangs on, and equal answers get equal numbers, so that a
failure which changes nothing to be seen here is found to be nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from farshore.routing.scale.classes import Class
from farshore.routing.scale.conditions import Condition
from farshore.routing.scale.egress import Egress
from farshore.routing.scale.model import Model
from farshore.routing.scale.outcomes import UNKNOWN, UNREACHABLE, Codes
from farshore.routing.scale.tables import users_win
from farshore.routing.scale.targets import followed

Key = tuple[int, ...]
"""Numbers of what answers hang on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """What the BGP rows of a source make of every end; equal ones have one number."""

    number: int
    length: npt.NDArray[np.int8]
    code: Codes


@dataclass(slots=True)
class Answers:
    """The answers of a model's tables, as far as anybody asked."""

    model: Model
    _bases: dict[tuple[object, ...], Base] = field(default_factory=dict)
    _numbered: list[Base] = field(default_factory=list)
    _by_content: dict[tuple[bytes, bytes], Base] = field(default_factory=dict)
    _ways: dict[tuple[object, ...], Key] = field(default_factory=dict)
    _vectors: list[Codes] = field(default_factory=list)
    _vector_numbers: dict[bytes, int] = field(default_factory=dict)

    def base(self, source: int, condition: Condition) -> Base:
        """The BGP rows of a source, its first gateway before the next where they are as long (R19). Source -1 has none:
        what nothing else matches is dropped, or leaves for the internet, which is as far from the site."""
        numbers = self.model.gateway_numbers
        keys = () if source < 0 else self.model.sources[source].gateways
        held = [numbers[key] for key in keys if key in numbers]
        key = (source, *(condition.heard[number].tobytes() for number in held))
        found = self._bases.get(key)
        if found is None:
            choices = [self.model.gateways[number].egress(condition.heard[number]) for number in held]
            found = self._bases[key] = self._based(source, choices)
        return found

    def _based(self, source: int, choices: Sequence[Egress]) -> Base:
        model = self.model
        length = np.full(len(model.ends), -1, dtype=np.int8)
        code = np.full(len(model.ends), model.outcomes.nowhere, dtype=np.int16)
        for choice in choices:
            better = choice.length > length
            length[better] = choice.length[better]
            code[better] = choice.code[better]
        unknown = model.outcomes.simple(UNKNOWN)
        code[(length > 0) & (length < model.reserved)] = unknown
        if source >= 0 and model.sources[source].others:
            blind = model.blind[source]
            code[blind > length] = unknown
            length = np.maximum(length, blind)
        content = (length.tobytes(), code.tobytes())
        found = self._by_content.get(content)
        if found is None:
            found = self._by_content[content] = Base(number=len(self._numbered), length=length, code=code)
            self._numbered.append(found)
        return found

    def ways(self, targets: Sequence[int], condition: Condition) -> Key:
        """For each target of an island the number of what it makes of every end."""
        if not targets:
            return ()
        behind = sorted(self.behind(targets))
        bases = {source: self.base(source, condition) for source in behind}
        key = (*targets, *(base.number for base in bases.values()), *(condition.states[target] for target in targets))
        found = self._ways.get(key)
        if found is None:
            found = self._ways[key] = self._followed(targets, condition)
        return found

    def behind(self, targets: Sequence[int]) -> set[int]:
        """The sources that targets send on by."""
        return {cls.source for target in targets for cls in self._behind(target)}

    def _behind(self, target: int) -> list[Class]:
        """How the subnets answer by which a target may send on."""
        numbers = (self.model.class_of.get(subnet) for subnet in self.model.leads[target])
        return [self.model.classes[number] for number in numbers if number is not None]

    def _followed(self, targets: Sequence[int], condition: Condition) -> Key:
        model = self.model
        local = {target: number for number, target in enumerate(targets)}
        size = len(model.ends)

        def step(subnet: str) -> tuple[Codes, Codes]:
            sends = np.full(size, -1, dtype=np.int16)
            if subnet not in model.class_of:
                return np.full(size, model.outcomes.simple(UNKNOWN), dtype=np.int16), sends
            cls = model.classes[model.class_of[subnet]]
            base, table = self.base(cls.source, condition), model.painted[cls.table]
            users = users_win(table.length, base.length)
            ends = base.code.copy()
            for hop, row in enumerate(cls.rows):
                here = users & (table.hop == hop)
                if row >= 0:
                    sends[here] = local[row]
                else:
                    ends[here] = model.constant[row][here]
            return ends, sends

        states = [condition.states[target] for target in targets]
        made = followed(states, step, model.outcomes, size, model.outcomes.simple(UNREACHABLE))
        return tuple(self._number(codes) for codes in made)

    def _number(self, codes: Codes) -> int:
        content = codes.tobytes()
        found = self._vector_numbers.get(content)
        if found is None:
            found = self._vector_numbers[content] = len(self._vectors)
            self._vectors.append(codes)
        return found

    def numbered(self, number: int) -> Base:
        """A base by its number."""
        return self._numbered[number]

    def vector(self, number: int) -> Codes:
        """What a target makes of every end, by the number that `ways` gives."""
        return self._vectors[number]

    def tallied(self, codes: Codes) -> npt.NDArray[np.int64]:
        """By end: an outcome and the end's site as one number."""
        model = self.model
        if len(model.contested):
            codes = codes.copy()
            codes[model.contested] = self.model.doubted(codes[model.contested])
        return codes.astype(np.int64) * len(model.blocks) + model.ends.sites

    def codes(self, number: int, bases: dict[int, int], ways: dict[int, int]) -> Codes:
        """By end: the outcome of a reply from a subnet of a class, end by end as its table has it."""
        model = self.model
        cls = model.classes[number]
        base, table = self._numbered[bases[cls.source]], model.painted[cls.table]
        found = base.code.copy()
        users = users_win(table.length, base.length)
        for hop, row in enumerate(cls.rows):
            here = users & (table.hop == hop)
            found[here] = (self._vectors[ways[row]] if row >= 0 else model.constant[row])[here]
        if len(model.contested):
            found[model.contested] = self.model.doubted(found[model.contested])
        return found
