"""Which check stands before each machine, and what every check says of each end.

Inbound the subnet's group is asked before the NIC's (R43): a machine's check is the pair of them, each with the rules
that are about this machine (groups.py). Equal answers are one check, however many groups give them.

Before machines with old data a check also keeps what it says where the tag VirtualNetwork covers nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from farshore.arm.decode import Network
from farshore.routing.scale.columns import Columns, Indexes, Machines
from farshore.routing.scale.ends import Ends
from farshore.routing.scale.groups import (
    PASSES,
    REFUSED,
    UNCLEAR,
    Rule,
    Service,
    States,
    chosen,
    painted,
    readable,
    rules_of,
    without_tag,
)


class Checks:
    """See the theory above. Check 0 lets everything pass."""

    def __init__(self, columns: Columns, ends: Ends, service: Service, tags: Mapping[str, tuple[Network, ...]]) -> None:
        self._columns = columns
        self._ends = ends
        self._service = service
        self._tags = tags
        self.all: list[States] = [np.full(len(ends), PASSES, dtype=np.int8)]
        self._tagless: list[States] = [self.all[0]]
        """By check what it says without the tag; kept only where anything may run with old data."""
        self._tells = bool(columns.skeleton.outside.stale)
        self._numbers: dict[bytes, int] = {self._content(self.all[0], self.all[0]): 0}
        self._rules: dict[tuple[str, str], tuple[Rule, ...]] = {}
        self._pairs: dict[tuple[int, int], int] = {}
        self._kept: dict[int, tuple[npt.NDArray[np.bool_] | None, npt.NDArray[np.int64]]] = {}

    def through(self, ends: Ends, of_end: Indexes) -> Checks:
        """The same checks over other ends, each one of these or a piece of one: it passes where the whole does."""
        found = Checks(self._columns, ends, self._service, self._tags)
        found.all = [states[of_end] for states in self.all]
        found._tagless = [states[of_end] for states in self._tagless]
        both = zip(found.all, found._tagless, strict=True)
        found._numbers = {self._content(*states): number for number, states in enumerate(both)}
        found._pairs = dict(self._pairs)
        return found

    def of_machines(self, machines: Machines, network_groups: Sequence[str]) -> Indexes:
        """The number of each machine's check. `network_groups`: by subnet its group, lower-case, or empty."""
        if not len(machines):
            return np.zeros(0, dtype=np.int32)
        numbers: dict[str, int] = {"": 0}
        by_subnet = np.array([numbers.setdefault(key, len(numbers)) for key in network_groups], dtype=np.int32)
        first = self._one(machines, by_subnet[machines.subnets], list(numbers))
        second = self._one(machines, machines.groups, machines.group_keys)
        joined = first.astype(np.int64) << 32 | second
        unique, inverse = np.unique(joined, return_inverse=True)
        both = np.array([self._both(int(key) >> 32, int(key) & 0xFFFFFFFF) for key in unique], dtype=np.int32)
        found: Indexes = both[inverse.reshape(-1)]
        return found

    def _one(self, machines: Machines, group: Indexes, keys: Sequence[str]) -> Indexes:
        """The check of one group a machine."""
        found = np.zeros(len(machines), dtype=np.int32)
        order = np.argsort(group, kind="stable")
        edges = np.searchsorted(group[order], np.arange(len(keys) + 1))
        for number, key in enumerate(keys):
            rows = order[edges[number] : edges[number + 1]]
            if len(rows) and key:
                found[rows] = self._of_group(machines, rows, key)
        return found

    def _of_group(self, machines: Machines, rows: npt.NDArray[np.int64], key: str) -> Indexes:
        body = self._columns.groups.get(key)
        if body is None or not readable(body):
            unclear = np.full(len(self._ends), UNCLEAR, dtype=np.int8)
            return np.full(len(rows), self._number(unclear, unclear), dtype=np.int32)
        rules = self._rules.get((key, "Inbound"))
        if rules is None:
            rules = self._rules[(key, "Inbound")] = rules_of(body, "Inbound", self._service, self._tags)
        kinds, masks = chosen(
            rules, machines.addresses[rows], machines.application_groups[rows], machines.application_sets
        )
        numbers = np.array([self._painted(rules, places) for places in masks], dtype=np.int32)
        return numbers[kinds]

    def _painted(self, rules: Sequence[Rule], places: Sequence[int]) -> int:
        states = painted(rules, places, self._ends)
        return self._number(states, painted(without_tag(rules), places, self._ends) if self._tells else states)

    def _both(self, first: int, second: int) -> int:
        if first == 0 or second == 0 or first == second:
            return first or second
        found = self._pairs.get((first, second))
        if found is None:
            one, other = (
                np.where(held[first] == PASSES, held[second], held[first]).astype(np.int8)
                for held in (self.all, self._tagless)
            )
            found = self._pairs[(first, second)] = self._number(one, other)
        return found

    def _number(self, states: States, tagless: States) -> int:
        content = self._content(states, tagless)
        found = self._numbers.get(content)
        if found is None:
            found = self._numbers[content] = len(self.all)
            self.all.append(states)
            self._tagless.append(tagless)
        return found

    def _content(self, states: States, tagless: States) -> bytes:
        return states.tobytes() + tagless.tobytes() if self._tells else states.tobytes()

    def before_old_data(self, check: int) -> int:
        """The check as it stands before a machine with old data: where it is the tag that refuses, and the rest would
        let pass, nobody here can say whether it does."""
        states, tagless = self.all[check], self._tagless[check]
        unclear = (states == REFUSED) & (tagless != REFUSED)
        return self._number(np.where(unclear, UNCLEAR, states).astype(np.int8), tagless)

    def before_all_old_data(self, numbers: Indexes) -> Indexes:
        unique, inverse = np.unique(numbers, return_inverse=True)
        found = np.array([self.before_old_data(number) for number in unique.tolist()], dtype=np.int32)
        return found[inverse.reshape(-1)]

    def hangs_on_tag(self, check: int) -> bool:
        """Whether a check lets any end pass by the tag alone. Told where anything may run with old data."""
        return bool(((self.all[check] == PASSES) & (self._tagless[check] != PASSES)).any())

    def of_appliance(self, groups: Sequence[str]) -> int:
        """The check of what an appliance forwards: `groups` are those of its NIC and subnet, asked inward and outward
        (R45). -1 where a rule is about some destinations only: which, an appliance's check does not tell apart."""
        found = 0
        for direction, keys in (("Inbound", groups), ("Outbound", tuple(reversed(groups)))):
            for key in keys:
                body = self._columns.groups.get(key)
                if body is None or not readable(body):
                    return -1
                rules = rules_of(body, direction, self._service, self._tags)
                if not all(rule.everyone for rule in rules[:-1]):
                    return -1
                found = self._both(found, self._painted(rules, range(len(rules))))
        return found

    def both(self, first: int, second: int) -> int:
        """One check behind another: the first that does not let an end pass decides."""
        return self._both(first, second)

    def passing(self, check: int) -> npt.NDArray[np.bool_] | None:
        """Which ends pass; None where all do."""
        return None if check == 0 else self.all[check] == PASSES

    def counts(self, check: int, blocks: Sequence[slice]) -> npt.NDArray[np.int64]:
        """By site: how many ends are refused, pass, and are unclear."""
        held = self._kept.get(check)
        if held is None:
            states = self.all[check]
            counted = np.stack([np.bincount(states[block], minlength=3) for block in blocks]).astype(np.int64)
            held = self._kept[check] = (self.passing(check), counted)
        return held[1]


__all__ = ["PASSES", "REFUSED", "Checks"]
