"""The engine and a twin that walks one packet at a time agree on where every flow goes, both ways.

`make naive NETWORKS=20000` draws so many networks, in parts with seeds of their own; `make test` draws a few hundred.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from farshore.estate.estate import Estate
from farshore.routing import Disposition, Flow, Routing, Trace, effective, selection, world
from routing.small import id_of

from .networks import DEFAULT, Words, estate_of, words
from .walker import End, Walker

NETWORKS = int(os.environ.get("FARSHORE_NAIVE", "400"))
"""Distinct ones. Hypothesis draws some twice, and those count once."""
PARTS = 8
DRAWN = 2
"""At most so many times as many are drawn; what is drawn after there are enough is not looked at."""

SAME = {Disposition.DELIVERED: "delivered", Disposition.AMBIGUOUS: "ambiguous"}


def said(trace: Trace) -> End:
    """A trace in the twin's words."""
    word = SAME.get(trace.disposition, "lost")
    if word != "delivered":
        return End(word)
    crossed = tuple(str(id_).rsplit("/", 1)[-1].removesuffix("-nic") for id_ in trace.appliances)
    at = trace.hops[-1].name if trace.delivered_to is None else trace.delivered_to.name
    circuits = frozenset(int(hop.name.removeprefix("er")[:1]) for hop in trace.hops if hop.kind == "circuit")
    return End(word, at, crossed, circuits)


def agrees(found: End, expected: End) -> bool:
    """The engine may show one of several equal circuits."""
    if expected.word != "delivered":
        return found.word == expected.word
    alike = (found.word, found.at, found.crossed) == (expected.word, expected.at, expected.crossed)
    return alike and bool(found.circuits) == bool(expected.circuits) and found.circuits <= expected.circuits


@pytest.mark.parametrize("part", range(PARTS))
def test_the_engine_and_the_walker_agree(part: int) -> None:
    met = Counter[str]()
    wanted = -(-NETWORKS // PARTS)
    seen = set[Words]()

    @seed(part)
    @settings(
        max_examples=wanted * DRAWN,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(words())
    def agree(drawn: Words) -> None:
        if len(seen) < wanted and drawn not in seen:
            met.update(compared(drawn, estate_of(drawn)))
            seen.add(drawn)

    agree()
    print(f"naive twin, part {part}: {len(seen):,} distinct networks, {sum(met.values()):,} ways: {dict(met)}")
    assert len(seen) == wanted
    assert met["delivered"] and met["lost"]


def into_a_network_by_bgp(patch: pytest.MonkeyPatch) -> None:
    """R14.3 forgotten: BGP's more specific routes get into a network's own space."""
    patch.setattr(effective, "within", lambda *_: False)
    patch.setattr(selection, "SHIELDS", frozenset())


def reserved_for_ever(patch: pytest.MonkeyPatch) -> None:
    """R3 and R4 forgotten: the reserved None rows stay beside a 0/0."""
    right = effective.effective

    def wrong(system, bgp, user, governed=frozenset()):  # type: ignore[no-untyped-def]
        held = list(system)
        rows = right(held, bgp, user, governed)
        kept = {row.address_prefix for row in rows}
        none = [row for row in held if row.next_hop_type == "None" and row.address_prefix not in kept]
        return (*rows, *none)

    patch.setattr(world, "effective", wrong)


@pytest.mark.parametrize("plant", [into_a_network_by_bgp, reserved_for_ever])
def test_a_wrong_engine_is_found(monkeypatch: pytest.MonkeyPatch, plant: Callable[[pytest.MonkeyPatch], None]) -> None:
    plant(monkeypatch)

    @seed(1)
    @settings(
        max_examples=600,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(words())
    def agree(drawn: Words) -> None:
        compared(drawn, estate_of(drawn))

    with pytest.raises(AssertionError):
        agree()


def compared(drawn: Words, estate: Estate) -> list[str]:
    """Every flow both ways; the words that were met."""
    routing, walker, met = Routing(estate), Walker(drawn), []
    for home in drawn.homes:
        for prefix in (prefix for prefix in home.prefixes if prefix != DEFAULT):
            source = str(ip_network(prefix)[9])
            for nic, address in drawn.machines().items():
                there = Flow(
                    source=home.name, source_address=ip_address(source), destination_address=ip_address(address)
                )
                back = Flow(
                    source=id_of("networkInterfaces", nic),
                    source_address=ip_address(address),
                    destination_address=ip_address(source),
                )
                for flow, expected in (
                    (there, walker.inward(home, source, address)),
                    (back, walker.outward(nic, source)),
                ):
                    trace = routing.trace_one_way(flow)
                    assert agrees(said(trace), expected), (
                        f"{flow}: {trace.disposition.value}, {trace.because}; {expected}"
                    )
                    met.append(expected.word)
    return met
