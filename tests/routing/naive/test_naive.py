"""The engine and a twin that walks one packet at a time agree on where every flow goes, both ways.

`make naive NETWORKS=20000` draws so many networks, in parts with seeds of their own; `make test` draws a few hundred.
"""

from __future__ import annotations

import os
from collections import Counter
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from farshore.estate.estate import Estate
from farshore.routing import Disposition, Flow, Routing, Trace
from routing.small import id_of

from .networks import Words, estate_of, words
from .walker import End, Walker

NETWORKS = int(os.environ.get("FARSHORE_NAIVE", "400"))
PARTS = 8

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
    networks = 0

    @seed(part)
    @settings(
        max_examples=max(1, NETWORKS // PARTS),
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(words())
    def agree(drawn: Words) -> None:
        nonlocal networks
        networks += 1
        met.update(compared(drawn, estate_of(drawn)))

    agree()
    print(f"naive twin, part {part}: {networks:,} networks, {sum(met.values()):,} ways: {dict(met)}")
    assert met["delivered"] and met["lost"]


def compared(drawn: Words, estate: Estate) -> list[str]:
    """Every flow both ways; the words that were met."""
    routing, walker, met = Routing(estate), Walker(drawn), []
    for home in drawn.homes:
        for prefix in home.prefixes:
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
