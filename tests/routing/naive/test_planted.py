"""The comparison can fail: an engine with one fact forgotten or turned round (plants.py) disagrees with the twin.

Each error is planted in turn, and the drawn networks are gone through until one shows it; how many that took is printed
(`pytest -rP`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cache

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from farshore.routing import exchange

from .comparing import compared
from .drawing import words
from .plants import PLANTS
from .plants_joined import JOINED
from .plants_replies import REPLIES
from .words import Words

SEEDS = 24
DRAWN = 100
"""By each seed: what one seed draws is much alike."""


@cache
def networks() -> tuple[Words, ...]:
    """Some distinct networks."""
    found: dict[Words, None] = {}
    for number in range(SEEDS):

        @seed(number)
        @settings(
            max_examples=DRAWN,
            deadline=None,
            database=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
        @given(words())
        def keep(drawn: Words) -> None:
            found[drawn] = None

        keep()
    return tuple(found)


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    """The engine keeps what BGP settled to, from before a plant and with it."""
    exchange.converge.cache_clear()
    yield
    exchange.converge.cache_clear()


ALL = PLANTS + JOINED + REPLIES


@pytest.mark.skipif("FARSHORE_NAIVE" not in os.environ, reason="make naive plants errors, and CI runs it")
@pytest.mark.parametrize("plant", ALL, ids=lambda plant: plant.__name__)
def test_a_wrong_engine_is_found(monkeypatch: pytest.MonkeyPatch, plant: Callable[[pytest.MonkeyPatch], None]) -> None:
    plant(monkeypatch)
    for looked_at, drawn in enumerate(networks(), 1):
        try:
            compared(drawn)
        except AssertionError:
            print(f"{plant.__name__}: network {looked_at}")
            return
    pytest.fail(f"{len(networks())} networks, and nobody noticed {plant.__name__}")
