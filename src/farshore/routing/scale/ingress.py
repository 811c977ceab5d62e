"""By which gateway a flow from a site enters Azure, for every announced prefix at once (E40, E42).

A site hears, on each of its sessions, what the gateways of that circuit announce, as far as its filters let it in. It
takes the longest prefix, then the greatest local preference; what is equal shares the traffic. The circuit's edge then
decides by its own table: the longest prefix that any gateway there announces. Two networks that answer for it there, and
nothing that decides, are an ambiguity; two links or two gateways of one network are not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from farshore.arm.decode import Network
from farshore.routing.scale.egress import firewall
from farshore.routing.scale.line import Bools
from farshore.routing.scale.outcomes import AMBIGUOUS, UNREACHABLE
from farshore.routing.scale.prefixes import Indexes, Prefixes, of_networks
from farshore.routing.scale.sessions import Sessions, filtered, policies
from farshore.routing.world import World

NEVER = 1 << 60


class Entry(NamedTuple):
    """Where a flow gets into Azure."""

    gateway: int
    """By number in `Ingress.gateways`; -1 where `word` says why not."""
    stateful: tuple[str, ...] = ()
    word: int = UNREACHABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """What works at the moment, as entries ask for it."""

    sessions: Bools
    joined: Bools
    """Gateway by circuit: connected, and speaking."""

    @property
    def key(self) -> bytes:
        return self.sessions.tobytes() + self.joined.tobytes()


@dataclass(slots=True)
class Ingress:
    """See the theory above."""

    sessions: Sessions
    gateways: tuple[str, ...]
    circuits: dict[str, int]
    prefixes: Prefixes
    """All that any gateway announces."""
    speakers: tuple[tuple[tuple[int, int], ...], ...]
    """Distinct sets of gateways that announce a prefix, with the networks that answer numbered by first mention: what
    decides is whether they are one network, not which."""
    spoken_by: Indexes
    """By prefix: which of `speakers`."""
    spoken: list[list[tuple[int, int]]] = field(default_factory=list)
    """By prefix: the gateways that announce it, each with the network that answers."""
    sites: tuple[_Site, ...] = ()

    def open(self, world: World, up: Bools) -> Open:
        """What of this works in a world, where `up` tells it of all sessions."""
        joined = np.zeros((len(self.gateways), len(self.circuits)), dtype=bool)
        numbers = {key: number for number, key in enumerate(self.gateways)}
        for connection in world.index.connections.values():
            first, peer = connection.virtual_network_gateway1, connection.peer
            if first is None or peer is None or first.key not in numbers or peer.key not in self.circuits:
                continue
            gateway = world.index.gateways[first.key]
            works = world.health.gateway(gateway) and not world.propagation_off(gateway)
            if works and world.health.connection(connection):
                joined[numbers[first.key], self.circuits[peer.key]] = True
        return Open(sessions=up, joined=joined)

    def entries(self, site: int, open_: Open) -> tuple[Indexes, list[Entry], Indexes]:
        """For a site and each announced prefix, as the longest that means an address: which entry (into the list) a
        flow takes, and the prefix that the site goes by (-1 for none)."""
        own = self.sites[site]
        told = np.zeros((len(self.speakers), len(self.circuits)), dtype=bool)
        for number, held in enumerate(self.speakers):
            for gateway, _ in held:
                told[number] |= open_.joined[gateway]
        works = open_.sessions[own.columns]
        able = told[own.speakers][:, own.circuits] & own.lets_in & works
        if able.shape[1]:
            ranked = np.where(able, own.rank, NEVER)
            best = ranked.min(axis=1)
            taken = able & (ranked == best[:, None])
            there = (best < NEVER)[own.policy]
        else:
            taken = able
            there = np.zeros(len(self.prefixes), dtype=bool)
        goes_by = self.prefixes.resolved(there)
        return self._numbered(own, taken, goes_by, open_)

    def _numbered(
        self, own: _Site, taken: Bools, goes_by: Indexes, open_: Open
    ) -> tuple[Indexes, list[Entry], Indexes]:
        sets, which = policies(taken)
        columns = [tuple(np.flatnonzero(bits).tolist()) for bits in sets]
        held = np.maximum(goes_by, 0)
        way = which[own.policy[held]].astype(np.int64) if len(which) else np.zeros(len(goes_by), dtype=np.int64)
        meant = np.arange(len(goes_by), dtype=np.int64)
        # What an address means by its longest prefix is asked of the edges once for each way and set of speakers;
        # where the site goes by a shorter one, because the longer is withdrawn or filtered, once for each prefix.
        kinds = max(1, len(self.speakers))
        keys = np.where(goes_by == meant, way * kinds + self.spoken_by, -2 - meant)
        keys[goes_by < 0] = -1
        unique, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        entries = [
            Entry(-1) if key == -1 else self._entry(own, columns[int(way[at])], int(at), int(goes_by[at]), open_)
            for key, at in zip(unique.tolist(), first.tolist(), strict=True)
        ]
        return inverse.reshape(-1).astype(np.int32), entries, goes_by

    def _entry(self, own: _Site, columns: tuple[int, ...], meant: int, goes_by: int, open_: Open) -> Entry:
        """What the edges on these sessions make of an address that `meant` is the longest prefix of."""
        heard: dict[tuple[int, int], None] = {}
        routers = set()
        for column in columns:
            session = self.sessions.all[own.columns[column]]
            routers.add(session.router.name)
            circuit = self.circuits[session.circuit]
            at = meant
            while at >= 0:
                said = [pair for pair in self.spoken[at] if open_.joined[pair[0], circuit]]
                if said or at == goes_by:
                    heard.update(dict.fromkeys(said))
                    break
                at = int(self.prefixes.parent[at])
        keys = firewall(self.sessions.sites[own.number], routers)
        if len({network for _, network in heard}) > 1:
            return Entry(-1, keys, AMBIGUOUS)
        return Entry(next(iter(heard))[0], keys) if heard else Entry(-1, keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Site:
    """A site's order over its sessions."""

    number: int
    columns: npt.NDArray[np.int64]
    circuits: npt.NDArray[np.int64]
    rank: npt.NDArray[np.int64]
    policy: Indexes
    """By announced prefix: which of the rows below."""
    speakers: Indexes
    lets_in: Bools
    """By row and column."""


def ingress_of(world: World, sessions: Sessions, announced: dict[str, list[tuple[Network, int]]]) -> Ingress:
    """The entries of an estate. `announced`: by gateway what it announces, and the network that answers (R40)."""
    gateways = tuple(announced)
    told = [(prefix, number, network) for number, key in enumerate(gateways) for prefix, network in announced[key]]
    prefixes, which = of_networks([prefix for prefix, _, _ in told])
    spoken: list[list[tuple[int, int]]] = [[] for _ in range(len(prefixes))]
    for at, (_, gateway, network) in zip(which.tolist(), told, strict=True):
        spoken[at].append((gateway, network))
    numbers: dict[tuple[tuple[int, int], ...], int] = {}
    spoken_by = np.array([numbers.setdefault(_alike(held), len(numbers)) for held in spoken], dtype=np.int32)
    circuits = {key: number for number, key in enumerate(world.index.circuits)}
    found = Ingress(
        sessions=sessions,
        gateways=gateways,
        circuits=circuits,
        prefixes=prefixes,
        speakers=tuple(numbers),
        spoken_by=spoken_by,
        spoken=spoken,
    )
    found.sites = tuple(_site(number, found) for number in range(len(sessions.sites)))
    return found


def _alike(held: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Speakers with their networks numbered by first mention."""
    seen: dict[int, int] = {}
    return tuple((gateway, seen.setdefault(network, len(seen))) for gateway, network in dict.fromkeys(held))


def _site(number: int, ingress: Ingress) -> _Site:
    sessions = ingress.sessions
    columns = np.array([at for at, session in enumerate(sessions.all) if session.site == number], dtype=np.int64)
    held = [sessions.all[at] for at in columns]
    passes = {session.router.name: session.router for session in held}
    by_router = {name: filtered(ingress.prefixes, router, "in") for name, router in passes.items()}
    lets_in = (
        np.stack([by_router[session.router.name] for session in held], axis=1)
        if held
        else np.zeros((len(ingress.prefixes), 0), dtype=bool)
    )
    rows, row_of = policies(lets_in)
    keys = row_of.astype(np.int64) * max(1, len(ingress.speakers)) + ingress.spoken_by
    unique, policy = np.unique(keys, return_inverse=True)
    kinds = max(1, len(ingress.speakers))
    return _Site(
        number=number,
        columns=columns,
        circuits=np.array([ingress.circuits[session.circuit] for session in held], dtype=np.int64),
        rank=np.array([-session.router.local_preference for session in held], dtype=np.int64),
        policy=policy.astype(np.int32).reshape(-1),
        speakers=(unique % kinds).astype(np.int32),
        lets_in=rows[unique // kinds] if len(rows) else np.zeros((len(unique), len(held)), dtype=bool),
    )
