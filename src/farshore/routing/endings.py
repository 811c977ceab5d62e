"""One packet under way: the hops so far, the places it has been to, and the ways in which it may end.

Where a marker may hide what would be otherwise, not knowing enough is said instead of an end (style 11, doubts.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from farshore.arm.ids import ResourceId
from farshore.routing.hops import comes_to, hangs_on_bgp
from farshore.routing.places import label
from farshore.routing.security import Packet
from farshore.routing.values import Disposition, Flow, Hop, Trace

if TYPE_CHECKING:
    from farshore.routing.world import World

MOST_HOPS = 64
"""A stop for walks that no loop check catches; no estate comes near it."""


class Walked:
    """See the theory above."""

    __slots__ = ("been", "destination", "established", "flow", "hops", "packet", "world")

    def __init__(self, world: World, flow: Flow, established: frozenset[str]) -> None:
        self.world = world
        self.flow = flow
        self.destination = flow.destination_address
        self.established = established
        self.hops: list[Hop] = []
        self.been: set[str] = set()
        self.packet: Packet | None = None

    def end(
        self,
        disposition: Disposition,
        because: str,
        *,
        missing: tuple[str, ...] = (),
        delivered_to: ResourceId | None = None,
    ) -> Trace:
        found = Trace(
            flow=self.flow,
            hops=tuple(self.hops),
            disposition=disposition,
            because=because,
            missing=missing,
            delivered_to=delivered_to,
        )
        if self.world.settles or not hangs_on_bgp(found):
            return found
        because = "sites pass routes on to each other and take them back without end: at some moments it goes this way"
        missing = ("a state in which BGP between the sites and circuits settles",)
        return replace(
            found,
            disposition=Disposition.INSUFFICIENT_INFORMATION,
            because=because,
            missing=missing,
            delivered_to=None,
        )

    def stopped(self, disposition: Disposition, because: str) -> Trace:
        """An end for want of something: not knowing enough is said instead, where a marker may hide it (style 11)."""
        missing = self.world.doubts.routes
        if missing:
            return self.end(Disposition.INSUFFICIENT_INFORMATION, f"{because}, as far as we can see", missing=missing)
        return self.end(disposition, because)

    def unread(self, what: str, missing: Sequence[str]) -> Trace | None:
        """The end where something can't be read, or None where everything can."""
        because = f"{what} can't be read"
        return self.end(Disposition.INSUFFICIENT_INFORMATION, because, missing=tuple(missing)) if missing else None

    def any_of(self, ways: Sequence[Callable[[], Trace]], because: str, missing: str) -> Trace:
        """By any of several ways: where all lead to the same end, it does not matter by which."""
        ends = self.each(ways)
        if len({comes_to(end) for end in ends}) == 1:
            return ends[0]
        return self.end(Disposition.INSUFFICIENT_INFORMATION, because, missing=(missing,))

    def each(self, ways: Sequence[Callable[[], Trace]]) -> list[Trace]:
        """Where several ways from here end. It is still here then."""
        hops, been, established = tuple(self.hops), frozenset(self.been), self.established
        ends = []
        for way in ways:
            ends.append(way())
            self.hops, self.been, self.established = list(hops), set(been), established
        return ends

    def of_equals(self, names: Sequence[str], ways: Sequence[Callable[[], Trace]]) -> Trace:
        either = " and ".join(names)
        return self.any_of(
            ways, f"{either} are equal ways, and they lead to different ends", f"which of {either} it takes"
        )

    def ambiguous(self, prefix: object, answering: tuple[str, ...], where: str) -> Trace:
        names = tuple(label(self.world, key) for key in answering)
        because = f"{prefix} is announced on {where} by {' and by '.join(names)}, and nothing decides between them"
        return self.end(Disposition.AMBIGUOUS, because, missing=names)

    def first_time(self, place: str) -> bool:
        if place in self.been or len(self.hops) > MOST_HOPS:
            return False
        self.been.add(place)
        return True
