"""BGP sessions between sites and circuits, and what is said over them, as a table of bits.

A session is one router of a site on one link of one circuit. What a site's router says differs from session to session
by its filters (and the prefixes it has), so who says which prefix is a table of prefix by session. Prefixes with equal
rows share a policy: whoever chooses among sessions (E41) chooses once a policy, not once a prefix.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from farshore.estate.outside import Router, Site
from farshore.routing.failures import LINKS
from farshore.routing.scale.line import SIXES, Bools
from farshore.routing.scale.prefixes import Indexes, Prefixes, longest_action, of_networks
from farshore.routing.world import World

FEW = 16
"""So few rows are compared faster one by one than as arrays."""


class Session(NamedTuple):
    site: int
    router: Router
    circuit: str
    side: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sessions:
    """Every session that could be, and what sites say over it."""

    sites: tuple[Site, ...]
    all: tuple[Session, ...]
    prefixes: Prefixes
    """All that any site has."""
    owned: tuple[Indexes, ...]
    """By site: which of `prefixes` are its own."""
    says: Bools
    """Prefix by session."""

    def up(self, world: World) -> Bools:
        """Which sessions work in a world (E4, E33)."""
        found = np.zeros(len(self.all), dtype=bool)
        for number, session in enumerate(self.all):
            circuit = world.index.circuits.get(session.circuit)
            found[number] = (
                circuit is not None
                and world.health.link(circuit, session.side)
                and world.health.router(self.sites[session.site].name, session.router.name)
            )
        return found


def sessions_of(world: World) -> Sessions:
    """The sessions of an estate's sites."""
    sites = world.estate.sites
    every = [prefix for site in sites for prefix in site.prefixes]
    prefixes, which = of_networks(every)
    owned, begin = [], 0
    for site in sites:
        owned.append(which[begin : begin + len(site.prefixes)])
        begin += len(site.prefixes)
    found = [
        Session(number, router, router.circuit.key, side)
        for number, site in enumerate(sites)
        for router in site.routers
        for side in LINKS
        if side in router.links and router.circuit.key in world.index.circuits
    ]
    says = np.zeros((len(prefixes), len(found)), dtype=bool)
    passes: dict[tuple[int, str], Bools] = {}
    for column, session in enumerate(found):
        key = (session.site, session.router.name)
        if key not in passes:
            passes[key] = filtered(prefixes, session.router, "out")
        own = owned[session.site]
        says[own, column] = passes[key][own]
        peering = world.index.circuits[session.circuit].private_peering
        if peering is None or not peering.ipv6_enabled:
            says[prefixes.first >= np.uint64(SIXES), column] = False
    return Sessions(sites=sites, all=tuple(found), prefixes=prefixes, owned=tuple(owned), says=says)


def filtered(prefixes: Prefixes, router: Router, direction: str) -> Bools:
    """Which prefixes a router's filters let through in one direction."""
    held = [item for item in router.filters if item.direction == direction]
    filters, which = of_networks([item.prefix for item in held])
    allows = np.ones(len(filters), dtype=bool)
    # Of two filters with one prefix the first decides: it is written last.
    for number, item in reversed(list(zip(which.tolist(), held, strict=True))):
        allows[number] = item.action == "allow"
    return longest_action(prefixes, filters, allows)


def policies(says: Bools) -> tuple[Bools, Indexes]:
    """The distinct rows of a table of bits, and which of them each row is."""
    if not says.size:
        return says[:1], np.zeros(len(says), dtype=np.int32)
    if len(says) <= FEW:
        numbers: dict[bytes, int] = {}
        few = [numbers.setdefault(row.tobytes(), len(numbers)) for row in says]
        return says[[few.index(number) for number in range(len(numbers))]], np.array(few, dtype=np.int32)
    packed = np.packbits(says, axis=1)
    whole = np.ascontiguousarray(packed).view(np.dtype((np.void, packed.shape[1]))).reshape(-1)
    _, at, which = np.unique(whole, return_index=True, return_inverse=True)
    return says[at], which.astype(np.int32).reshape(-1)
