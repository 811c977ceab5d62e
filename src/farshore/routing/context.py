"""`Routing(estate)`: the questions that others ask, answered with everything shared that can be.

What nobody can tell about right now (`Outside.unknown`: a lost region's gateway may still announce) is tried both ways.
Where every way gives the same answer it does not matter, and the answer stands; else the trace ends in
`InsufficientInformation` and names what was missing (style 11).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import combinations

from farshore.arm.ids import ResourceId, resource_id
from farshore.estate.estate import Estate
from farshore.routing.latest import Latest
from farshore.routing.replies import both_ways
from farshore.routing.tables import advertised_by, learned_by, unread_by
from farshore.routing.values import BgpRoute, Disposition, EffectiveRoute, Flow, Trace
from farshore.routing.walk import trace_one_way
from farshore.routing.world import World

MOST_UNKNOWN = 4
"""Up to so many unknown things every combination is tried; beyond, all, none, and each alone."""


class Routing:
    """One estate's routing. Make one for an estate and ask it everything: tables are built once, when asked for."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate

    @cached_property
    def world(self) -> World:
        """The world in which everything unknown works."""
        return World(self.estate)

    def effective_routes(self, nic_or_subnet_id: ResourceId | str) -> tuple[EffectiveRoute, ...]:
        """The effective table of a NIC or subnet (R1 to R23)."""
        return self.world.effective_routes(_id(nic_or_subnet_id))

    def learned_routes(
        self, id_: ResourceId | str, instance: str | None = None, peer: str | None = None
    ) -> tuple[BgpRoute, ...]:
        """What a gateway, Route Server or circuit has been told. `instance`: `primary` or `secondary` of a circuit, an
        address of a gateway, whose instances are told the same; `peer`: one neighbour of a Route Server, and of nothing
        else. Raises `InputError` where there is no such thing."""
        return learned_by(self.world, *_split(id_, instance), peer)

    def advertised_routes(self, id_: ResourceId | str, to: str | None = None) -> tuple[BgpRoute, ...]:
        """What a gateway, Route Server or circuit says, to one neighbour's address or to all. A Route Server says
        something else to one than to another, a circuit's neighbours are on one link each, a gateway says the same to
        whoever asks. An instance of a gateway or Route Server is named in the id, after `#`. Raises `InputError` where
        there is no such thing."""
        return advertised_by(self.world, *_split(id_, None), to)

    def unread(self, id_: ResourceId | str) -> tuple[str, ...]:
        """What the tables of a NIC, subnet, gateway, Route Server or circuit hang on and nobody can read: their rows
        are as far as can be read. Empty where everything can."""
        return unread_by(self.world, _id(id_))

    def trace_one_way(self, flow: Flow) -> Trace:
        """One flow's way, one direction, every group asked as for a new flow."""
        return self._agreed([(down, trace_one_way(world, flow)) for down, world in self._worlds])

    def trace(self, flow: Flow) -> tuple[Trace, Trace]:
        """A flow's way and its reply's. Security groups let a reply pass where they saw the flow."""
        pairs = [(down, both_ways(world, flow)) for down, world in self._worlds]
        if len(pairs) == 1:
            return pairs[0][1]
        forward = self._agreed([(down, pair[0]) for down, pair in pairs])
        return forward, self._agreed([(down, pair[1]) for down, pair in pairs])

    @cached_property
    def _worlds(self) -> tuple[tuple[frozenset[str], World], ...]:
        """The world as it is, or every way it may be, each with what is down in it beside what we know."""
        outside = self.estate.outside
        unknown = sorted(outside.unknown - outside.down)
        found: list[tuple[frozenset[str], World]] = [(frozenset(), self.world)]
        for chosen in _ways(unknown):
            if chosen:
                down = frozenset(chosen)
                other = self.estate.with_outside(replace(outside, down=outside.down | down))
                found.append((down, World(other)))
        return tuple(found)

    def _agreed(self, traces: Sequence[tuple[frozenset[str], Trace]]) -> Trace:
        """The one answer of all worlds, or that there is none, and for want of knowing what."""
        _, first = traces[0]
        if all(_answer(other) == _answer(first) for _, other in traces[1:]):
            return first
        ends = dict.fromkeys(f"{trace.disposition} ({trace.because})" for _, trace in traces)
        because = f"it may end as {' or as '.join(ends)}" if len(ends) > 1 else "it may pass other stateful things"
        return replace(
            first,
            disposition=Disposition.INSUFFICIENT_INFORMATION,
            because=because,
            missing=tuple(f"whether {_short(name)} works" for name in self._decisive(traces)),
            delivered_to=None,
        )

    def _decisive(self, traces: Sequence[tuple[frozenset[str], Trace]]) -> tuple[str, ...]:
        """Which unknown things make a difference; all, where not every combination was tried."""
        answers = {down: _answer(trace) for down, trace in traces}
        unknown = sorted(self.estate.outside.unknown - self.estate.outside.down)
        found = [
            name
            for name in unknown
            if any(down | {name} in answers and answers[down | {name}] != answers[down] for down in answers)
        ]
        return tuple(found or unknown)


MOST_CONTEXTS = 64
_contexts = Latest[int, Routing](MOST_CONTEXTS)


def routing_of(estate: Estate) -> Routing:
    """The routing of an estate, the same object while the estate is one of the latest that were asked about."""
    return _contexts.get(id(estate), lambda: Routing(estate))


def _ways(unknown: list[str]) -> Iterator[tuple[str, ...]]:
    """What may be down: every combination of a few, else none, all, and each alone."""
    sizes = range(len(unknown) + 1) if len(unknown) <= MOST_UNKNOWN else (0, 1, len(unknown))
    for size in sizes:
        yield from combinations(unknown, size)


def _answer(trace: Trace) -> tuple[object, ...]:
    return trace.disposition, trace.delivered_to, trace.stateful_hops


def _short(name: str) -> str:
    return name if ":" in name else name.rpartition("/")[2]


def _id(id_: ResourceId | str) -> ResourceId:
    return id_ if isinstance(id_, ResourceId) else resource_id(id_)


def _split(id_: ResourceId | str, instance: str | None) -> tuple[ResourceId, str | None]:
    """An id may name its instance after `#`."""
    text, _, inside = str(id_).partition("#")
    return resource_id(text), instance or inside or None
