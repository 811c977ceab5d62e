"""The matrix: what it leaves out has a reason, and what it carries out ends good."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network

import pytest
from matrix.cell import Result, carry_out
from matrix.cells import Cell, cells
from matrix.estates import names, small, variant_of
from matrix.report import far_off, report

from farshore import examples
from farshore.estate.outside import Filter
from farshore.plan.make import designed, make_plan
from farshore.plan.model import SetRouter
from farshore.plan.scenario.scenario import scenario_named
from farshore.plan.scenario.sensible import why_not
from farshore.plan.scenario.words import Back, Outage, Returns
from farshore.prove import prove

TWO, KEPT, NEW = "two-circuits-two-locations", "single-circuit-kept-addresses", "two-circuits-new-addresses"


@pytest.mark.parametrize("topology", names())
def test_every_combination_is_carried_out_or_has_its_reason(topology: str) -> None:
    found, left_out = cells(topology)
    told = {cell.scenario for cell in found}
    assert len(told) == len(found) > 0 and all(reason for reason in left_out)
    for name in told:
        scenario = scenario_named(name)
        assert scenario.name == name
        assert why_not(scenario, designed(small(topology), scenario)) is None


def test_every_word_is_carried_out_somewhere_and_a_variant_where_it_differs() -> None:
    every = [cell for name in names() for cell in cells(name)[0]]
    scenarios = [scenario_named(cell.scenario) for cell in every]
    assert {scenario.outage for scenario in scenarios} == set(Outage)
    assert {scenario.returns for scenario in scenarios} == set(Returns)
    assert {scenario.back for scenario in scenarios} == set(Back)
    for cell in every:
        variant = variant_of(cell.estate)
        assert variant is None or variant.meets(scenario_named(cell.scenario))
    assert len(every) < 900, "the whole matrix stays within twenty minutes of two cores"


def test_what_a_topology_can_and_cannot_meet() -> None:
    outages = {name: {scenario_named(cell.scenario).outage for cell in cells(name)[0]} for name in examples.names()}
    movable = {Outage.REGION, Outage.GREY, Outage.GREY_DEAD, Outage.DATA_PLANE, Outage.MAINTENANCE, Outage.APPLIANCE}
    assert all(movable <= found for found in outages.values())
    assert Outage.CIRCUIT in outages[TWO] and Outage.CIRCUIT not in outages[KEPT]
    assert Outage.LOCATION in outages[TWO] and Outage.LOCATION not in outages["two-circuits-one-location"]
    assert {scenario_named(cell.scenario).posture for cell in cells(KEPT)[0]} == {scenario_named("cold").posture}


@pytest.mark.parametrize(
    ("name", "scenario", "decisions"),
    [
        (TWO, "circuit+cold+no-drill", 0),
        (TWO, "swap+armed+no-drill", 0),
        (NEW, "circuit+armed+no-drill", 0),
        (TWO, "maintenance+silent+no-drill", 0),
        (KEPT, "grey+cold+no-drill", 1),
        (TWO, "data-first+armed+no-drill", 0),
        (TWO, "early+armed+no-drill", 0),
        (KEPT, "early+cold+no-drill", 0),
        (f"{TWO}/zones", "zone+armed+no-drill", 0),
        (f"{TWO}/pair", "appliance+cold+no-drill", 0),
        (f"{TWO}/sites", "site+cold+no-drill", 0),
        (f"{NEW}/joined", "partial+armed+no-drill", 0),
    ],
)
def test_a_cell_ends_good(name: str, scenario: str, decisions: int) -> None:
    result = carry_out(Cell(estate=name, scenario=scenario), 1)
    assert result.ok, result.said
    assert result.decisions == decisions
    if "maintenance" in scenario:
        assert result.bytes_lost == 0
    if "zone" in scenario:
        assert result.bytes_lost > 0, "what the dead machine had not sent"
    assert (result.exposed_seconds > 0) <= (name == KEPT), "only the guard's interval is exempt (D63)"
    if result.ratio is not None:
        assert 0.7 <= result.ratio <= 1.4


def test_a_cell_that_is_not_good_is_told() -> None:
    result = carry_out(Cell(estate=KEPT, scenario="circuit"), 1)
    assert not result.ok and "one circuit" in result.said
    assert "not good: single-circuit-kept-addresses circuit" in report([result], {})


def test_far_from_its_prediction_is_the_median_of_a_scenario() -> None:
    def result(ratio: float) -> Result:
        return Result(
            estate=TWO,
            scenario="cold",
            ok=True,
            said="",
            decisions=0,
            ratio=ratio,
            exposed_seconds=0.0,
            bytes_lost=0,
            packets_exposed=0,
            wall_seconds=0.0,
        )

    assert far_off([result(0.5), result(1.0), result(1.1)]) == {}
    assert far_off([result(0.5), result(0.7), result(1.1)]) == {"cold": 0.7}


@pytest.mark.parametrize("posture", ["cold", "armed"])
def test_a_swap_leaves_every_router_as_it_was(posture: str) -> None:
    """Where both networks are on both circuits no circuit is the target's alone: none is to be ranked behind."""
    estate = small(NEW)
    plan = make_plan(estate, scenario=f"swap+{posture}+no-drill")
    last = {
        effect.router.name: effect.router
        for step in plan.steps
        for effect in step.effects
        if isinstance(effect, SetRouter)
    }
    assert last and all(router in site.routers for router in last.values() for site in estate.sites)
    assert prove(estate, plan).ok


def test_a_circuit_that_the_site_itself_denies_is_no_second_circuit() -> None:
    """What a drill sets aside was there before; what the user's router never believed is a fault of the estate."""
    estate = small(NEW)
    (site,) = estate.sites
    denied = tuple(Filter(direction="in", prefix=p, action="deny") for p in (ip_network("10.0.0.0/8"),))
    routers = tuple(replace(r, filters=denied) if r.name == "ce2" else r for r in site.routers)
    proof = prove(estate.with_sites((replace(site, routers=routers),)), make_plan(estate, scenario="no-drill"))
    assert any("when circuit er-hongkong fails" in example.summary for example in proof.counterexamples)
