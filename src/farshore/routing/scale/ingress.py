"""By which gateway a flow from a site enters Azure, for every announced prefix at once (E40, E42).

A site hears, on each of its sessions, what the gateways of that circuit announce, as far as its filters let it in. It
takes the longest prefix, then the greatest local preference; what is equal shares the traffic. The circuit's edge
then decides by its own table: the longest prefix that any gateway there announces. Two networks that answer for it
there, and nothing that decides, are an ambiguity; two links or two gateways of one network are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from farshore.arm.decode import Network
from farshore.routing.scale.egress import NEVER, firewall
from farshore.routing.scale.line import Bools
from farshore.routing.scale.outcomes import AMBIGUOUS, UNREACHABLE
from farshore.routing.scale.prefixes import Indexes, Prefixes, of_networks
from farshore.routing.scale.sessions import Sessions, filtered, policies

FEW = 64
"""So many ways to choose are gone through one by one; more are worth an array."""


class Entry(NamedTuple):
    """Where a flow gets into Azure."""

    gateway: int
    """Which of the speakers; -1 where `word` says why none."""
    stateful: tuple[str, ...] = ()
    word: int = UNREACHABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """Of one site, by announced prefix as the longest that means an address."""

    which: Indexes
    """Into `every`."""
    every: tuple[Entry, ...]
    goes_by: Indexes
    """The prefix that the site goes by; -1 for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingress:
    """What some gateways announce, and how each site chooses among it."""

    sessions: Sessions
    prefixes: Prefixes
    spoken: tuple[tuple[tuple[int, int], ...], ...]
    """By prefix: the gateways that announce it, each with the network that answers."""
    kinds: tuple[tuple[int, ...], ...]
    """Distinct sets of gateways that announce a prefix for one network; prefixes alike in it are asked about once."""
    kind_of: Indexes
    sites: tuple[_Site, ...]
    flat: bool
    """Whether no prefix lies in another."""
    example: Indexes
    """By kind: a prefix of it."""

    def entries(self, site: int, heard: Bools) -> Entries:
        """The entries of a site. `heard`: by gateway and session, whether they hear each other."""
        own = self.sites[site]
        told = np.stack([heard[list(kind)].any(axis=0) for kind in self.kinds])[:, own.columns]
        able = told[own.kinds] & own.lets_in
        if able.shape[1]:
            ranked = np.where(able, own.rank, NEVER)
            best = ranked.min(axis=1)
            taken = able & (ranked == best[:, None])
            there = (best < NEVER)[own.policy]
        else:
            taken, there = able, np.zeros(len(self.prefixes), dtype=bool)
        if self.flat and len(taken) <= FEW:
            every = tuple(
                self._by_kind(own, bits, int(kind), heard) for bits, kind in zip(taken, own.kinds, strict=True)
            )
            goes_by = np.where(there, np.arange(len(there), dtype=np.int32), np.int32(-1))
            return Entries(which=own.policy, every=every, goes_by=goes_by)
        return self._numbered(own, taken, self.prefixes.resolved(there), heard)

    def _by_kind(self, own: _Site, bits: Bools, kind: int, heard: Bools) -> Entry:
        """The entry of every prefix of a kind, where none lies in another."""
        columns = np.flatnonzero(bits).tolist()
        at = int(self.example[kind])
        return self._entry(own, columns, at, at, heard) if columns else Entry(-1)

    def _numbered(self, own: _Site, taken: Bools, goes_by: Indexes, heard: Bools) -> Entries:
        sets, which = policies(taken)
        columns = [np.flatnonzero(bits).tolist() for bits in sets]
        way = which[own.policy[np.maximum(goes_by, 0)]].astype(np.int64)
        meant = np.arange(len(goes_by), dtype=np.int64)
        # What an address means by its longest prefix is asked of the edges once for each way and kind of prefix; where
        # the site goes by a shorter one, because the longer is withdrawn or filtered, once for each prefix.
        alone = len(self.kinds) + meant
        keys = np.where(goes_by == meant, self.kind_of, alone) + way * (len(self.kinds) + len(meant))
        keys[goes_by < 0] = -1
        unique, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        every = tuple(
            Entry(-1) if key == -1 else self._entry(own, columns[int(way[at])], int(at), int(goes_by[at]), heard)
            for key, at in zip(unique.tolist(), first.tolist(), strict=True)
        )
        return Entries(which=inverse.reshape(-1).astype(np.int32), every=every, goes_by=goes_by)

    def _entry(self, own: _Site, columns: Sequence[int], meant: int, goes_by: int, heard: Bools) -> Entry:
        """What the edges on these sessions make of an address that `meant` is the longest prefix of."""
        answering: dict[tuple[int, int], None] = {}
        routers = set()
        for column in columns:
            number = int(own.columns[column])
            routers.add(self.sessions.all[number].router.name)
            at = meant
            while at >= 0:
                said = [pair for pair in self.spoken[at] if heard[pair[0], number]]
                if said or at == goes_by:
                    answering.update(dict.fromkeys(said))
                    break
                at = int(self.prefixes.parent[at])
        keys = firewall(self.sessions.sites[own.number], routers)
        if len({network for _, network in answering}) > 1:
            return Entry(-1, keys, AMBIGUOUS)
        return Entry(next(iter(answering))[0], keys) if answering else Entry(-1, keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Site:
    """A site's order over its sessions."""

    number: int
    columns: npt.NDArray[np.int64]
    """Its sessions, in `Sessions.all`."""
    rank: npt.NDArray[np.int64]
    policy: Indexes
    """By prefix: which of the rows below."""
    kinds: Indexes
    lets_in: Bools
    """By row and column."""


def ingress_of(sessions: Sessions, announced: Sequence[Sequence[tuple[Network, int]]], passing: _Passing) -> Ingress:
    """The entries by some gateways. `announced`: by gateway what it announces, and the network that answers (R40)."""
    told = [(prefix, number, network) for number, pairs in enumerate(announced) for prefix, network in pairs]
    prefixes, which = of_networks([prefix for prefix, _, _ in told])
    spoken: list[list[tuple[int, int]]] = [[] for _ in range(len(prefixes))]
    for at, (_, gateway, network) in zip(which.tolist(), told, strict=True):
        spoken[at].append((gateway, network))
    kinds: dict[tuple[int, ...], int] = {}
    kind_of = [kinds.setdefault(_kind(at, pairs), len(kinds)) for at, pairs in enumerate(spoken)]
    kind_array = np.array(kind_of, dtype=np.int32)
    return Ingress(
        flat=not len(prefixes) or bool((prefixes.parent < 0).all()),
        example=np.unique(kind_array, return_index=True)[1].astype(np.int32),
        sessions=sessions,
        prefixes=prefixes,
        spoken=tuple(tuple(dict.fromkeys(pairs)) for pairs in spoken),
        kinds=tuple(tuple(gateway for gateway in kind if gateway >= 0) for kind in kinds),
        kind_of=kind_array,
        sites=tuple(
            _site(number, sessions, prefixes, kind_array, len(kinds), passing) for number in range(len(sessions.sites))
        ),
    )


def _kind(at: int, pairs: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    """Which gateways announce a prefix; one that several networks answer for is a kind of its own."""
    gateways = tuple(dict.fromkeys(gateway for gateway, _ in pairs))
    return gateways if len({network for _, network in pairs}) == 1 else (*gateways, -1 - at)


class _Passing:
    """Which prefixes each router lets in; routers without such filters let in all."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._open = {
            number: not any(item.direction == "in" for item in session.router.filters)
            for number, session in enumerate(sessions.all)
        }

    def table(self, columns: Sequence[int], prefixes: Prefixes) -> Bools:
        """Prefix by session."""
        found = np.ones((len(prefixes), len(columns)), dtype=bool)
        known: dict[tuple[int, str], Bools] = {}
        for at, column in enumerate(columns):
            if not self._open[column]:
                session = self._sessions.all[column]
                key = (session.site, session.router.name)
                if key not in known:
                    known[key] = filtered(prefixes, session.router, "in")
                found[:, at] = known[key]
        return found


def passing_of(sessions: Sessions) -> _Passing:
    """What routers let in."""
    return _Passing(sessions)


def _site(
    number: int, sessions: Sessions, prefixes: Prefixes, kind_of: Indexes, kinds: int, passing: _Passing
) -> _Site:
    columns = [at for at, session in enumerate(sessions.all) if session.site == number]
    held = [sessions.all[at] for at in columns]
    rows, row_of = policies(passing.table(columns, prefixes))
    keys = row_of.astype(np.int64) * max(1, kinds) + kind_of
    unique, policy = np.unique(keys, return_inverse=True)
    none = np.zeros((len(unique), len(held)), dtype=bool)
    return _Site(
        number=number,
        columns=np.array(columns, dtype=np.int64),
        rank=np.array(
            [rank_of(session.router.local_preference, session.router.med) for session in held], dtype=np.int64
        ),
        policy=policy.astype(np.int32).reshape(-1),
        kinds=(unique % max(1, kinds)).astype(np.int32),
        lets_in=rows[unique // max(1, kinds)] if held and len(rows) else none,
    )


MED_BITS = 31


def rank_of(preference: int, med: int) -> int:
    """Where a router stands in its site's order, the smaller before the greater: preference, then MED (E42). Paths to
    Azure are all of one length."""
    return med - (preference << MED_BITS)


def preferring(rank: npt.NDArray[np.int64], preference: int) -> npt.NDArray[np.int64]:
    """The same with another preference."""
    return (rank & ((1 << MED_BITS) - 1)) - (preference << MED_BITS)
