"""Gaps in traffic: bounded where something is left, and told where nothing is."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from farshore.cli.witness import gaps
from farshore.cli.witness.flows import ends_of
from farshore.cli.witness.states import as_it_is
from farshore.errors import InputError
from farshore.estate.estate import Estate
from farshore.twin.blueprint import Blueprint
from farshore.twin.running import Twin
from twin.corners import CORNERS
from twin.needs import needs_a_twin

pytestmark = needs_a_twin

SOON_MS = 3000.0
"""BIRD sees a lost wire at once; a busy machine may take its time."""


@pytest.fixture(scope="module")
def twin() -> Iterator[Twin]:
    with Twin() as running:
        yield running


def without(estate: Estate, name: str) -> Blueprint:
    return as_it_is(estate, (name,)).blueprint


def failure(twin: Twin, estate: Estate, name: str) -> gaps.Gap:
    before = as_it_is(estate, ()).blueprint
    twin.do("build", plan=before.plan)
    return gaps.failure(twin, before, without(estate, name), name, ends_of(estate, frozenset(before.hosts)), 443)


def test_a_link_that_fails_is_survived_by_the_other(twin: Twin) -> None:
    gap = failure(twin, CORNERS["through_an_appliance"][0](), "circuit-link er primary")
    assert gap.flows == 3 and gap.not_back == 0
    assert gap.gaps_ms[-1] < SOON_MS


def test_a_circuit_that_fails_is_not_survived_alone(twin: Twin) -> None:
    gap = failure(twin, CORNERS["through_an_appliance"][0](), "circuit er")
    assert gap.flows == 3 and gap.not_back == 3 and gap.as_json()["median_ms"] is None


def test_a_circuit_that_fails_is_survived_by_a_second(twin: Twin) -> None:
    gap = failure(twin, CORNERS["a_path_decides"][0](), "circuit er")
    assert gap.flows == 3 and gap.not_back == 0
    assert gap.gaps_ms[-1] < SOON_MS


@pytest.mark.skipif("FARSHORE_TWIN" not in os.environ, reason="make twin waits for both orders")
def test_a_connection_that_is_made_first_takes_over_sooner(twin: Twin) -> None:
    estate = CORNERS["a_path_decides"][0]()
    both = as_it_is(estate, ()).blueprint
    ends = ends_of(estate, frozenset(both.hosts))
    others = without(estate, "connection gw-er"), without(estate, "connection gw-er2")
    found = {}
    for first in ("make", "break"):
        twin.do("build", plan=both.plan)
        found[first] = gaps.takeover(twin, both, others, ends, 443, first=first)
        assert found[first].flows == 3 and found[first].not_back == 0
    assert found["make"].gaps_ms[-1] < SOON_MS
    assert found["break"].gaps_ms[-1] > found["make"].gaps_ms[-1]


def test_what_has_no_host_can_not_fail(twin: Twin) -> None:
    estate = CORNERS["through_an_appliance"][0]()
    before = as_it_is(estate, ()).blueprint
    with pytest.raises(InputError, match="Nothing in the twin fails"):
        gaps.failure(twin, before, before, "nothing", [], 443)
