"""The matrix: what it leaves out has a reason, and what it carries out ends good."""

from __future__ import annotations

import pytest
from matrix.cell import Result, carry_out
from matrix.cells import Cell, cells
from matrix.estates import small
from matrix.report import far_off, report

from farshore import examples
from farshore.plan.make import designed
from farshore.plan.scenario.scenario import scenario_named
from farshore.plan.scenario.sensible import why_not
from farshore.plan.scenario.words import Outage

TWO, KEPT, NEW = "two-circuits-two-locations", "single-circuit-kept-addresses", "two-circuits-new-addresses"


@pytest.mark.parametrize("topology", examples.names())
def test_every_combination_is_carried_out_or_has_its_reason(topology: str) -> None:
    found, left_out = cells(topology)
    names = {cell.scenario for cell in found}
    assert len(names) == len(found) and all(reason for reason in left_out)
    for name in names:
        scenario = scenario_named(name)
        assert scenario.name == name
        assert why_not(scenario, designed(small(topology), scenario)) is None


def test_what_a_topology_can_and_cannot_meet() -> None:
    outages = {name: {scenario_named(cell.scenario).outage for cell in cells(name)[0]} for name in examples.names()}
    movable = {Outage.REGION, Outage.GREY, Outage.GREY_DEAD, Outage.DATA_PLANE, Outage.MAINTENANCE, Outage.APPLIANCE}
    assert all(movable <= found for found in outages.values())
    assert Outage.CIRCUIT in outages[TWO] and Outage.CIRCUIT not in outages[KEPT]
    assert Outage.LOCATION in outages[TWO] and Outage.LOCATION not in outages["two-circuits-one-location"]
    assert {scenario_named(cell.scenario).posture for cell in cells(KEPT)[0]} == {scenario_named("cold").posture}


@pytest.mark.parametrize(
    ("topology", "scenario", "decisions"),
    [
        (TWO, "circuit+cold+no-drill", 0),
        (TWO, "swap+armed+no-drill", 0),
        (NEW, "circuit+armed+no-drill", 0),
        (TWO, "maintenance+silent+no-drill", 0),
        (KEPT, "grey+cold+no-drill", 1),
        (TWO, "data-first+armed+no-drill", 0),
    ],
)
def test_a_cell_ends_good(topology: str, scenario: str, decisions: int) -> None:
    result = carry_out(Cell(topology=topology, scenario=scenario), 1)
    assert result.ok, result.said
    assert result.decisions == decisions
    if "maintenance" in scenario:
        assert result.bytes_lost == 0
    if result.ratio is not None:
        assert 0.7 <= result.ratio <= 1.4


def test_a_cell_that_is_not_good_is_told() -> None:
    result = carry_out(Cell(topology=KEPT, scenario="circuit"), 1)
    assert not result.ok and "one circuit" in result.said
    assert "not good: single-circuit-kept-addresses circuit" in report([result], {})


def test_far_from_its_prediction_is_the_median_of_a_scenario() -> None:
    def result(ratio: float) -> Result:
        return Result(
            topology=TWO,
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
