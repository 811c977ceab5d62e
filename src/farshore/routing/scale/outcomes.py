"""How one direction of a flow ends, as a small number; and the word for a flow and its reply, as a table of them.

An outcome is what a trace comes to, without its hops: how it ended, where, and the stateful things that it met (R39),
in order. There are few: some for each site, router pair and appliance. They are numbered as they turn up, so arrays of
outcomes are arrays of integers; putting an appliance in front of a whole array is one look-up, and the word for every
pair of a flow and its reply is `judge` of single traces, asked once a pair of numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.int16]

WORDS = (
    "delivered",
    "ambiguous",
    "looped",
    "stale",
    "wrong-owner",
    "asymmetric",
    "unknown",
    "denied",
    "unreachable",
)
"""The words of `routing.verdicts`, by number: what is good, what is unsafe, what is not known, what is lost."""

GOOD, AMBIGUOUS, LOOPED, STALE, WRONG_OWNER, ASYMMETRIC, UNKNOWN, DENIED, UNREACHABLE = range(len(WORDS))


class Outcome(NamedTuple):
    """One direction's end."""

    word: int
    """`GOOD` where it was taken; else the word that a trace's disposition stands for."""
    where: str = ""
    """The site that took it; empty for a machine."""
    stateful: tuple[str, ...] = ()
    guards: tuple[str, ...] = ()
    """The appliances on the way whose NIC has a security group to ask: a reply that comes by one that the flow did not
    pass has no record there (R43)."""
    routeless: bool = False
    """Of a reply that is lost: whether no route at all is for it, by BGP or a user's. `VirtualNetwork` does not mean
    there then what the flow came from (R44)."""
    screened: bool = False
    """Of what came to a machine with old data: whether a group let it pass by what `VirtualNetwork` covers."""


def distinct(rows: Codes) -> tuple[list[list[int]], npt.NDArray[np.int64]]:
    """The distinct rows of a table of outcomes, and which of them each row is."""
    key = np.zeros(len(rows), dtype=np.int64)
    for column in rows.T.astype(np.int64):
        if column[0] != column[-1] or (column != column[0]).any():
            key = np.unique(key * (1 << 15) + column, return_inverse=True)[1].reshape(-1)
    numbers, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    del numbers
    return rows[first].tolist(), inverse.reshape(-1)


@dataclass(slots=True)
class Outcomes:
    """Outcomes by number, and numbers by outcome."""

    known: list[Outcome]
    numbers: dict[Outcome, int]
    blind: bool
    """Whether something can't be read that BGP is made of: nobody can say then that there is no route (doubts.py)."""
    joined: bool
    """Whether sites are joined, by lines or Global Reach: what comes to another may go on to the right one."""
    _before: dict[tuple[str, tuple[str, ...]], dict[int, int]]
    _judged: dict[tuple[int, str], list[int]]

    @staticmethod
    def new(*, joined: bool = False, blind: bool = False) -> Outcomes:
        return Outcomes([], {}, blind, joined, {}, {})

    def number(self, outcome: Outcome) -> int:
        found = self.numbers.get(outcome)
        if found is None:
            found = self.numbers[outcome] = len(self.known)
            self.known.append(outcome)
            assert found < np.iinfo(np.int16).max, "outcomes are few by nature"
        return found

    def simple(self, word: int) -> int:
        """The number of an end that has nothing to it but its word."""
        return self.number(Outcome(UNKNOWN if self.blind and word == UNREACHABLE else word))

    @property
    def nowhere(self) -> int:
        """The number of a reply's end where no route is for it."""
        return self.number(Outcome(UNKNOWN if self.blind else UNREACHABLE, routeless=True))

    def through(self, codes: Codes, state_key: str, guards: tuple[str, ...]) -> Codes:
        """What ways come to with an appliance in front of them. `state_key` and `guards` are empty where it keeps no
        state, or has no group to ask."""
        if not len(codes) or not (state_key or guards):
            return codes
        known = self._before.setdefault((state_key, guards), {})
        present = np.flatnonzero(np.bincount(codes)).tolist()
        table = np.full(present[-1] + 1, -1, dtype=np.int16)
        for code in present:
            found = known.get(code)
            if found is None:
                found = known[code] = self._put_before(code, state_key, guards)
            table[code] = found
        passed: Codes = table[codes]
        return passed

    def partly_lost(self, codes: Codes, dead: int) -> Codes:
        """What ways come to of which a share is lost for sure."""
        lost = [number for number, held in enumerate(self.known) if held.word in (GOOD, DENIED, UNREACHABLE)]
        return np.where(np.isin(codes, lost), dead, self.simple(UNKNOWN)).astype(np.int16)

    def _put_before(self, code: int, state_key: str, guards: tuple[str, ...]) -> int:
        old = self.known[code]
        stateful = (state_key, *old.stateful) if state_key else old.stateful
        return self.number(Outcome(old.word, old.where, stateful, (*guards, *old.guards)))

    def judged(self, forward: int, site: str) -> npt.NDArray[np.int8]:
        """The word for a flow from `site` that went by `forward`, by the number of its reply's outcome."""
        held = self._judged.setdefault((forward, site), [])
        there = self.known[forward]
        while len(held) < len(self.known):
            held.append(self._word(there, self.known[len(held)], site))
        return np.array(held, dtype=np.int8)

    def _word(self, there: Outcome, home: Outcome, site: str) -> int:
        """`routing.verdicts` on outcomes: in the same order."""
        if there.word not in (GOOD, STALE):
            return there.word
        if there.word == STALE:
            covered = not home.routeless and home.word != UNKNOWN
            return STALE if covered or not (there.screened or there.guards) else UNKNOWN
        if home.word == UNREACHABLE:
            return UNREACHABLE
        if any(guard not in there.guards for guard in home.guards):
            return UNKNOWN
        if home.word != GOOD:
            return home.word
        if home.where != site:
            return UNKNOWN if self.joined else WRONG_OWNER
        return ASYMMETRIC if _asymmetric(there, home) else GOOD


def _asymmetric(there: Outcome, home: Outcome) -> bool:
    """R39, E44: a stateful thing that sees one direction only, or several that share traffic but no state."""
    if any("|" in key for key in (*there.stateful, *home.stateful)):
        return True
    return sorted(there.stateful) != sorted(home.stateful)
