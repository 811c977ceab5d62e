"""What a gateway does with every end at once, under what works at the moment (E41).

A gateway hears sessions over its connections. Per prefix it takes the sessions with the greatest weight, among them the
shortest path, and shares what is equal over at most four circuits. Its order over sessions never changes; a failure
only takes sessions away. So it chooses once for each policy (sessions.py), over a table of policy by session, and what
it chose is one of a few sets of sessions, whose outcome is found once: one site, or two that nothing decides between.

A prefix without a session is withdrawn, and the match falls to the next longer that is there (prefixes.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from farshore.estate.outside import Site
from farshore.routing.failures import INSTANCES
from farshore.routing.gateways import MOST_CIRCUITS, addressed
from farshore.routing.scale.ends import Ends
from farshore.routing.scale.line import Bools
from farshore.routing.scale.outcomes import AMBIGUOUS, GOOD, UNKNOWN, UNREACHABLE, Codes, Outcome, Outcomes
from farshore.routing.scale.prefixes import Indexes
from farshore.routing.scale.sessions import Sessions, policies
from farshore.routing.world import World

NEVER = 1 << 60
LONGEST_PATH = 1 << 16
"""Weight decides before any path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Egress:
    """A gateway's choice for every end. `length` is that of the route it has, -1 for none."""

    length: npt.NDArray[np.int8]
    code: Codes


@dataclass(slots=True)
class Gateway:
    """One gateway's order over the sessions that it may hear."""

    key: str
    sessions: Sessions
    ends: Ends
    outcomes: Outcomes
    columns: npt.NDArray[np.int64]
    """The sessions it may hear, in `Sessions.all`, in the order in which its circuits are listed."""
    connections: tuple[str, ...]
    """By column: the connection over which it comes."""
    rank: npt.NDArray[np.int64]
    """By column: the smaller is preferred."""
    says: Bools
    """Policy by column."""
    policy: Indexes
    """By prefix."""
    mute: Bools
    """By prefix: the gateway, or another on its circuits, announces the same prefix itself, so ranges collide."""
    known_at: Bools
    """By site and end: whether the site has a prefix of its own there, other than 0/0."""
    names: frozenset[str]
    """By which the gateway, its instances and connections may be down."""
    _usual: Bools | None = None
    _held: dict[bytes, Egress] = field(default_factory=dict)
    _ways: list[tuple[int, int]] = field(default_factory=list)
    """By set of sessions: the site (-1 for several), and the outcome there."""
    _numbers: dict[bytes, int] = field(default_factory=dict)

    def over(self, ends: Ends, known_at: Bools) -> Gateway:
        """The same gateway over other ends."""
        return self._anew(ends=ends, known_at=known_at)

    def ranking(self, rank: npt.NDArray[np.int64]) -> Gateway:
        """The same gateway with another order over its sessions."""
        return self._anew(rank=rank)

    def _anew(self, **other: Any) -> Gateway:
        """A gateway that has chosen nothing yet."""
        return replace(self, **other, _held={}, _ways=[], _numbers={})

    def egress(self, up: Bools) -> Egress:
        """The choice where `up` tells which columns work."""
        key = up.tobytes()
        found = self._held.get(key)
        if found is None:
            found = self._held[key] = self._choose(up)
        return found

    def working(self, world: World, up: Bools, down: frozenset[str]) -> Bools:
        """Which columns work, where `up` tells it of all sessions; `down` is what has failed beside what was down."""
        if down.isdisjoint(self.names):
            if self._usual is None:
                self._usual = self._own(world)
            return up[self.columns] & self._usual
        return up[self.columns] & self._own(world)

    def _own(self, world: World) -> Bools:
        """Which columns the gateway and its connections leave."""
        if not world.works(world.index.gateways[self.key]):
            return np.zeros(len(self.columns), dtype=bool)
        return self._joined(world)

    def speaking(self, world: World, up: Bools) -> Bools:
        """Which columns work where its own subnet's table lets it speak (R23), whatever that says in this world."""
        if not world.health.gateway(world.index.gateways[self.key]):
            return np.zeros(len(self.columns), dtype=bool)
        return up[self.columns] & self._joined(world)

    def _joined(self, world: World) -> Bools:
        """Which columns the connections leave."""
        health, connections = world.health, world.index.connections
        return np.array([health.connection(connections[key]) for key in self.connections], dtype=bool)

    def _choose(self, up: Bools) -> Egress:
        ends, outcomes = self.ends, self.outcomes
        chosen, there = self._of_policies(up)
        there_of = there[self.policy]
        resolved = self.sessions.prefixes.resolved(there_of)
        route = resolved[ends.prefix] if len(ends) else np.zeros(0, dtype=np.int32)
        held = np.maximum(route, 0)
        lengths = np.where(route >= 0, self.sessions.prefixes.length[held], -1).astype(np.int8)
        ways = np.where(route >= 0, chosen[self.policy[held]], -1)
        lost = outcomes.simple(UNREACHABLE)
        # The last way is no way. A site that told us of 0/0 and knows the address no closer sends it to the internet.
        sites = np.array([*(site for site, _ in self._ways), -1], dtype=np.int64)
        taken = np.array([*(code for _, code in self._ways), lost], dtype=np.int16)
        at_home = (sites[ways] < 0) | (self.known_at[sites[ways], np.arange(len(ends))])
        elsewhere = outcomes.simple(UNKNOWN) if outcomes.joined else lost
        code = np.where(at_home, taken[ways], elsewhere).astype(np.int16)
        unclear = (route >= 0) & (self.mute[held] | (lengths < ends.azure))
        code[unclear] = outcomes.simple(UNKNOWN)
        return Egress(length=lengths, code=code)

    def _of_policies(self, up: Bools) -> tuple[npt.NDArray[np.int64], Bools]:
        """By policy: which set of sessions is chosen, as a number in `_ways`, and whether there is any."""
        able = self.says & up
        if not able.size:
            return np.zeros(len(self.says), dtype=np.int64), np.zeros(len(self.says), dtype=bool)
        ranked = np.where(able, self.rank, NEVER)
        best = ranked.min(axis=1)
        sets, which = policies(able & (ranked == best[:, None]))
        numbers = np.array([self._way(bits) for bits in sets], dtype=np.int64)
        return numbers[which], best < NEVER

    def _way(self, bits: Bools) -> int:
        key = bits.tobytes()
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = len(self._ways)
            self._ways.append(self._outcome(np.flatnonzero(bits).tolist()))
        return found

    def _outcome(self, columns: list[int]) -> tuple[int, int]:
        every = [self.sessions.all[self.columns[column]] for column in columns]
        circuits = list(dict.fromkeys(session.circuit for session in every))[:MOST_CIRCUITS]
        taken = [session for session in every if session.circuit in circuits]
        sites = sorted({session.site for session in taken})
        if len(sites) != 1:
            word = AMBIGUOUS if sites else UNREACHABLE
            return -1, self.outcomes.simple(word)
        site = self.sessions.sites[sites[0]]
        keys = firewall(site, {session.router.name for session in taken})
        return sites[0], self.outcomes.number(Outcome(GOOD, site.name, keys))


def firewall(site: Site, routers: set[str]) -> tuple[str, ...]:
    """What keeps state at a site: each of its routers for itself, behind a stateful firewall (E42, E44)."""
    if not site.stateful_firewall:
        return ()
    return ("|".join(sorted(f"{site.name}/{router}".lower() for router in routers)),)


def rank_of(weight: int, prepend: int) -> int:
    """Where a session stands in a gateway's order, the smaller before the greater: the greater weight, then the
    shorter path (E41)."""
    return prepend - weight * LONGEST_PATH


def gateways_of(
    world: World, keys: Sequence[str], sessions: Sessions, ends: Ends, outcomes: Outcomes, announced: Bools
) -> tuple[Gateway, ...]:
    """Gateways by lower-case id, each with the sessions of its circuits. `announced`: the sites' prefixes that some
    gateway announces as well."""
    known_at = np.stack([lengths > 0 for lengths in ends.own]) if ends.own else np.zeros((1, 0), dtype=bool)
    return tuple(_gateway(world, key, sessions, ends, outcomes, announced, known_at) for key in keys)


def _gateway(
    world: World, key: str, sessions: Sessions, ends: Ends, outcomes: Outcomes, announced: Bools, known_at: Bools
) -> Gateway:
    held = [
        (number, rank_of(connection.routing_weight, session.router.prepend), connection.id.key)
        for connection in world.index.connections.values()
        if connection.virtual_network_gateway1 is not None and connection.virtual_network_gateway1.key == key
        for number, session in enumerate(sessions.all)
        if connection.peer is not None and session.circuit == connection.peer.key
    ]
    columns = np.array([number for number, _, _ in held], dtype=np.int64)
    gateway = world.index.gateways[key]
    own = {key, f"region:{gateway.location}", *(f"{key}#{number}" for number in INSTANCES)}
    own |= {f"{key}#{address}" for _, address in addressed(gateway, world.index, world.outside)}
    says, policy = policies(np.ascontiguousarray(sessions.says[:, columns]))
    return Gateway(
        key=key,
        sessions=sessions,
        ends=ends,
        outcomes=outcomes,
        columns=columns,
        connections=tuple(id_ for _, _, id_ in held),
        names=frozenset({*own, *(id_ for _, _, id_ in held)}),
        rank=np.array([rank for _, rank, _ in held], dtype=np.int64),
        says=says,
        policy=policy,
        mute=announced,
        known_at=known_at,
    )
