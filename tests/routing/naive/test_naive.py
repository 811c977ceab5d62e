"""The engine and a twin that walks one packet at a time agree on every row, every way and every verdict.

`make naive NETWORKS=20000` draws so many networks, in parts with seeds of their own; `make test` draws a few hundred.
"""

from __future__ import annotations

import os
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from .comparing import WORDS, compared
from .drawing import words
from .words import Words

NETWORKS = int(os.environ.get("FARSHORE_NAIVE", "400"))
"""Distinct ones. Hypothesis draws some twice, and those count once."""
PARTS = 8
DRAWN = 1.6
"""At most so many times as many are drawn; what is drawn after there are enough is not looked at."""
MANY = 1000
"""In so many networks everything is met that is compared."""
VERDICTS = (
    "delivered",
    "ambiguous",
    "looped",
    "wrong-owner",
    "bypass",
    "asymmetric",
    "denied",
    "unreachable",
    "unknown",
)
INVALID = ("VnetLocal", "VNetPeering", "VNetGlobalPeering", "Internet", "InterfaceEndpoint")
UNDRAWN = {"unknown", "verdict unknown"}
"""Members of a pool that a flow comes to past different things: compared where it is met, and not met in some 1,700
networks. tests/routing/test_routing_pools.py shows it on networks made for it."""
EVERYTHING = {
    *set(WORDS.values()) - UNDRAWN,
    *{f"verdict {kind}" for kind in VERDICTS} - UNDRAWN,
    *(f"row Default {kind} Invalid" for kind in INVALID),
    "row VirtualNetworkGateway VirtualNetworkGateway Invalid",
    "one way delivered",
    "row of a Route Server",
    "row Default VirtualNetworkServiceEndpoint Active",
    "one way service",
    "delivered by a line",
    "delivered by Global Reach",
    "delivered by what a site passed on",
    "shared by appliances",
}


@pytest.mark.parametrize("part", range(PARTS))
def test_the_engine_and_the_walker_agree(part: int) -> None:
    met = Counter[str]()
    wanted = -(-NETWORKS // PARTS)
    seen = set[Words]()

    @seed(part)
    @settings(
        max_examples=int(wanted * DRAWN),
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(words())
    def agree(drawn: Words) -> None:
        if len(seen) < wanted and drawn not in seen:
            met.update(compared(drawn))
            seen.add(drawn)

    agree()
    print(f"naive twin, part {part}: {len(seen):,} distinct networks, {sum(met.values()):,} answers: {dict(met)}")
    assert len(seen) == wanted
    assert (EVERYTHING if wanted >= MANY else {"delivered", "no route"}) <= {
        thing for thing, times in met.items() if times
    }
