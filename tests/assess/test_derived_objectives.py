"""What an objective that nobody wrote promises to survive: what is built, and no more (D91, E4, E26)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from farshore import examples
from farshore.assess import assess, derive_objectives
from farshore.plan.make import make_plan
from farshore.prove import prove

from .bench import BOTH, NEAR, ONE, TWO, Bench, bench
from .paired import paired

EVERYWHERE = ("circuit-link", "gateway-instance")
ALL_OF_IT = ("circuit-link", "circuit", "peering-location", "gateway-instance")


def promised(made: Bench) -> dict[str, tuple[str, ...]]:
    made.project.pop("objectives")
    return {objective.name: objective.survive for objective in derive_objectives(made.estate())}


@pytest.mark.parametrize("example", examples.names())
def test_a_circuit_is_promised_where_both_hubs_are_on_both(example: str) -> None:
    assert set(promised(bench(example)).values()) == {ALL_OF_IT if example == BOTH else EVERYWHERE}


@pytest.mark.parametrize("example", examples.names())
def test_what_is_derived_is_proven(example: str) -> None:
    project, estate = examples.read(example)
    estate = estate.with_project(replace(project, objectives=(), given=project.given - {"objectives"}))
    assert assess(estate).ok
    proof = prove(estate, make_plan(estate))
    assert proof.ok, [item.summary for item in proof.counterexamples]


def test_kept_addresses_promise_no_circuit_of_two() -> None:
    """The source is on two circuits, and the target on a third alone (D91)."""
    assert set(promised(paired()).values()) == {EVERYWHERE}


def test_two_circuits_of_one_place_promise_no_place() -> None:
    made = bench(BOTH)
    made.properties("er-singapore")["serviceProviderProperties"]["peeringLocation"] = "Hong Kong"
    assert set(promised(made).values()) == {("circuit-link", "circuit", "gateway-instance")}


def test_a_hub_on_one_circuit_promises_none() -> None:
    made = bench(BOTH)
    made.remove("cn-source-hub-singapore")
    assert set(promised(made).values()) == {EVERYWHERE}


def test_a_site_on_one_circuit_promises_none_and_another_does() -> None:
    made = bench(BOTH)
    office: dict[str, Any] = {
        "name": "office",
        "asn": 65011,
        "prefixes": ["192.169.0.0/16"],
        "routers": [{"name": "ce9", "circuit": "er-hongkong"}],
    }
    made.project["sites"].append(office)
    found = promised(made)
    assert found["office to machines"] == EVERYWHERE and found["datacenter to machines"] == ALL_OF_IT


@pytest.mark.parametrize("example", [TWO, NEAR, ONE])
def test_no_topology_that_keeps_addresses_promises_a_place(example: str) -> None:
    assert not any("peering-location" in survive for survive in promised(bench(example)).values())
