"""From a gateway to a machine: what the tables on the way make of each machine's address.

A packet that has entered by a gateway meets the GatewaySubnet's table, and then those of the appliances that it is sent
to (R36). Each such table either ends the way, by handing the packet to a network, or names a next hop. Machines for
which every table on the way says the same are one *kind*, and there are few kinds: failures are asked about kinds.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import Any

import numpy as np
import numpy.typing as npt

from farshore.arm.decode import Address, Network
from farshore.routing.scale.columns import Indexes
from farshore.routing.scale.line import Lengths, Positions, position
from farshore.routing.scale.networks import Networks, Pair
from farshore.routing.scale.outcomes import (
    AMBIGUOUS,
    GOOD,
    UNKNOWN,
    UNREACHABLE,
    WRONG_OWNER,
    Codes,
    Outcomes,
)
from farshore.routing.scale.prefixes import Prefixes, of_networks, prefixes_of
from farshore.routing.scale.tables import APPLIANCE, Routes, users_win
from farshore.routing.scale.targets import State, Target, followed

ENDED, ITSELF = -1, -2


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A subnet whose table decides."""

    key: str
    network: int
    routes: Routes
    unclear: bool = False
    doubted: Prefixes = of_networks(())[0]
    """Ranges about which it can't be read what its table says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a place makes of the machines of a domain: an outcome, or a target that it sends to."""

    ends: Codes
    sends: Indexes
    """The number of a target, `ENDED` for none."""

    def of(self, rows: npt.NDArray[Any]) -> Decision:
        """What it makes of some of them."""
        return Decision(ends=self.ends[rows], sends=self.sends[rows])

    def and_then(self, other: Decision) -> Decision:
        """What it makes of its own, and another of others."""
        return Decision(ends=np.concatenate([self.ends, other.ends]), sends=np.concatenate([self.sends, other.sends]))


@dataclass(slots=True)
class Arrivals:
    """The ways in by one gateway, for the machines that it announces."""

    entrance: str
    """The GatewaySubnet, lower-case."""
    rows: npt.NDArray[np.int64]
    """The machines that its announced prefixes cover, by row."""
    kinds: Indexes
    """By machine in `rows`."""
    decisions: dict[str, Decision]
    """By subnet, over kinds."""
    size: int

    @property
    def targets(self) -> list[int]:
        """The targets that any of its ways comes by."""
        sent = [made.sends[made.sends >= 0] for made in self.decisions.values()]
        return np.unique(np.concatenate(sent)).tolist() if sent else []

    def outcomes(self, states: Sequence[State], outcomes: Outcomes) -> Codes:
        """How it ends for each kind, given who works at each target."""
        if self.entrance not in self.decisions:
            return np.full(self.size, outcomes.simple(UNKNOWN), dtype=np.int16)
        lost = outcomes.simple(UNREACHABLE)

        def step(subnet: str) -> tuple[Codes, Codes]:
            held = self.decisions.get(subnet)
            if held is None:
                # A place that no machine's way was thought to come by: an appliance in a subnet that is not known.
                nothing = np.full(self.size, outcomes.simple(UNKNOWN), dtype=np.int16)
                return nothing, np.full(self.size, ENDED, dtype=np.int16)
            return held.ends, held.sends.astype(np.int16)

        door = State("", "", (), (self.entrance,))
        return followed([*states, door], step, outcomes, self.size, lost)[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Machinery:
    """What decisions about machines are made of."""

    networks: Networks
    outcomes: Outcomes
    addresses: Positions
    homes: Indexes
    """By machine: its network, -1 for one that is not there."""
    twice: npt.NDArray[np.bool_]
    """Machines whose address another NIC of the same network holds as well."""
    claimed: Lengths
    """By machine: the length of the longest prefix of a site that covers its address, which a table without a closer
    row sends back there; -1 for none."""
    held: Container[tuple[int, int]]
    """Every (network, position) that a NIC holds."""
    also: Mapping[tuple[int, int], tuple[int, ...]]
    """By (network, position): all positions of the NIC there, where it has several."""
    targets: dict[Target, int]

    def decide(self, place: Place, rows: npt.NDArray[np.int64], without: frozenset[Pair]) -> Decision:
        """What a place makes of some machines."""
        if place.unclear:
            unknown = self.outcomes.simple(UNKNOWN)
            return Decision(
                ends=np.full(len(rows), unknown, dtype=np.int16), sends=np.full(len(rows), ENDED, dtype=np.int32)
            )
        places = self.addresses[rows]
        owners, network_length = self._system(place.network, places, without)
        length, hop = _users(place.routes, places)
        by_user = users_win(length, network_length) & (length >= 0)
        ends = np.full(len(rows), self.outcomes.simple(UNREACHABLE), dtype=np.int16)
        ends[(self.claimed[rows] >= 0) & ~by_user & (network_length < 0)] = self.outcomes.simple(UNKNOWN)
        delivered = ~by_user & (network_length >= 0)
        ends[delivered] = self._handed(owners[delivered], rows[delivered])
        sends = np.full(len(rows), ENDED, dtype=np.int32)
        for number, (kind, address) in enumerate(place.routes.kinds):
            here = by_user & (hop == number)
            if not here.any():
                continue
            if kind == "vnetlocal":
                ends[here] = self._handed(np.full(int(here.sum()), place.network, dtype=np.int32), rows[here])
            elif kind == APPLIANCE:
                self._sent(place, address, here, rows, ends, sends, without)
        if len(place.doubted):
            here = place.doubted.match(places) >= 0
            ends[here], sends[here] = self.outcomes.simple(UNKNOWN), ENDED
        return Decision(ends=ends, sends=sends)

    def _sent(
        self,
        place: Place,
        text: str,
        here: npt.NDArray[np.bool_],
        rows: npt.NDArray[np.int64],
        ends: Codes,
        sends: Indexes,
        without: frozenset[Pair],
    ) -> None:
        address = parsed(text)
        if address is None:
            return
        where = self.networks.located(place.network, address, without)
        if where >= 0:
            number = self.targets.get(Target(where, address))
            assert number is not None, "every next hop that exists was numbered when the tables were read"
            sends[here] = number
        else:
            # Nobody who forwards. One who doesn't takes what is for itself all the same.
            if self.networks.hidden_near(place.network):
                ends[here] = self.outcomes.simple(UNKNOWN)
            near = self.networks.reachable(place.network, address, without)
            where = next((held for held in near if (held, position(address)) in self.held), -1)
            if where < 0:
                return
        # What is for the NIC at the next hop, by any of its addresses, that takes and does not forward (R24).
        own = self.also.get((where, position(address)), (position(address),))
        itself = here & np.isin(self.addresses[rows], np.array(own, dtype=np.uint64))
        sends[itself] = ENDED
        ends[itself] = self._handed(np.full(int(itself.sum()), where, dtype=np.int32), rows[itself])

    def _handed(self, owners: Indexes, rows: npt.NDArray[np.int64]) -> Codes:
        """What comes of handing a packet to a network."""
        found = np.full(len(rows), self.outcomes.simple(GOOD), dtype=np.int16)
        found[self.twice[rows]] = self.outcomes.simple(AMBIGUOUS)
        for at in np.flatnonzero(owners != self.homes[rows]).tolist():
            other = (int(owners[at]), int(self.addresses[rows[at]]))
            word = UNKNOWN if other[0] < 0 else WRONG_OWNER if other in self.held else UNREACHABLE
            found[at] = self.outcomes.simple(word)
        return found

    def _system(
        self, network: int, places: Positions, without: frozenset[Pair]
    ) -> tuple[Indexes, npt.NDArray[np.int16]]:
        """The network that a subnet's system rows hand each address to, and the length of that row; -1 for none."""
        held: list[tuple[Network, int]] = [(prefix, network) for prefix in self.networks.all[network].address_space]
        for peer in self.networks.near(network, without):
            held += [(prefix, peer.network) for prefix in peer.prefixes]
        prefixes, which = of_networks([prefix for prefix, _ in held])
        owner = np.full(len(prefixes), -1, dtype=np.int32)
        for at, (_, number) in reversed(list(zip(which.tolist(), held, strict=True))):
            owner[at] = number
        return _at(prefixes, owner, places)


def _at(prefixes: Prefixes, values: Indexes, places: Positions) -> tuple[Indexes, npt.NDArray[np.int16]]:
    found = prefixes.match(places)
    if not len(prefixes):
        return found, np.full(len(places), -1, dtype=np.int16)
    held = np.maximum(found, 0)
    return (
        np.where(found >= 0, values[held], -1).astype(np.int32),
        np.where(found >= 0, prefixes.length[held], -1).astype(np.int16),
    )


def _users(routes: Routes, places: Positions) -> tuple[npt.NDArray[np.int16], Indexes]:
    """The length of the longest user's route for each address, and its next hop."""
    prefixes, which = prefixes_of(routes.first, routes.last, routes.length)
    hops = np.zeros(len(prefixes), dtype=np.int32)
    hops[which] = np.array(routes.hops, dtype=np.int32)
    found, length = _at(prefixes, hops, places)
    return length, found


@lru_cache(maxsize=65536)
def parsed(text: str) -> Address | None:
    """A next hop's address; None for what is none."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def arrivals(
    machinery: Machinery,
    entrance: str,
    announced: Sequence[Network],
    places: dict[str, Place],
    leads: Sequence[tuple[str, ...]],
    without: frozenset[Pair] = frozenset(),
) -> Arrivals:
    """The ways in by a gateway. `leads`: by target the subnets that it may ever send on by."""
    rows = _covered(announced, machinery.addresses)
    decisions: dict[str, Decision] = {}
    waiting = [entrance] if entrance in places else []
    while waiting:
        subnet = waiting.pop()
        if subnet in decisions or subnet not in places:
            continue
        decisions[subnet] = made = machinery.decide(places[subnet], rows, without)
        for number in np.unique(made.sends[made.sends >= 0]).tolist():
            waiting += leads[number]
    kinds, first = kinds_of(list(decisions.values()), len(rows))
    over_kinds = {subnet: made.of(first) for subnet, made in decisions.items()}
    return Arrivals(entrance=entrance, rows=rows, kinds=kinds, decisions=over_kinds, size=len(first))


def kinds_of(decisions: Sequence[Decision], size: int) -> tuple[Indexes, npt.NDArray[np.int64]]:
    """Machines alike in every decision: by machine its kind, and by kind one such machine."""
    kinds = np.zeros(size, dtype=np.int64)
    for made in decisions:
        for column in (made.ends.astype(np.int64), made.sends.astype(np.int64)):
            if len(column) and column.min() != column.max():
                kinds = np.unique(kinds * (1 << 17) + column + 2, return_inverse=True)[1].reshape(-1)
    _, first, inverse = np.unique(kinds, return_index=True, return_inverse=True)
    return inverse.reshape(-1).astype(np.int32), first


def _covered(announced: Sequence[Network], addresses: Positions) -> npt.NDArray[np.int64]:
    prefixes, _ = of_networks(announced)
    if not len(prefixes):
        return np.zeros(0, dtype=np.int64)
    return np.flatnonzero(prefixes.match(addresses) >= 0)
