"""A circuit that grows in a failover: one step beside the others, that says what can't be undone."""

from __future__ import annotations

import pytest

from farshore.errors import InputError
from farshore.estate.estate import Estate
from farshore.estate.project import Approvals, Raise
from farshore.plan.builders.outage import DISASTER
from farshore.plan.make import make_plan
from farshore.plan.model import Phase, Step
from farshore.prove import prove
from plan.estates import TWO, edited, example, with_project

_, SINGAPORE = (circuit.id for circuit in example(TWO).express_route_circuits)


def raised(
    mbps: int = 1000, estate: Estate | None = None, scenario: str = "published", people: str = ""
) -> Step | None:
    estate = with_project(
        estate or example(TWO),
        raise_bandwidth=(Raise(circuit=SINGAPORE, mbps=mbps),),
        approvals=Approvals(failover=tuple(people.split())),
    )
    return make_plan(estate, scenario=scenario).step("failover/raise/er-singapore")


@pytest.mark.parametrize("scenario", ["published", "maintenance", "swap", "grey"])
def test_it_says_that_it_cannot_be_undone_and_no_machine_waits(scenario: str) -> None:
    step = raised(scenario=scenario)
    assert step is not None and step.after == (DISASTER,) and not step.effects
    assert "from 200 Mbps to 1000 Mbps, once it is approved: it can't be lowered again (E6, D49)" in step.title
    told = str(step.action.arguments["instruction"])
    assert "It can't be lowered again (E6, D49)" in told and "Equinix must raise its own limit too" in told
    estate = example(TWO, raise_bandwidth=(Raise(circuit=SINGAPORE, mbps=1000),))
    plan = make_plan(estate, scenario=scenario)
    assert not [other.id for other in plan.of_phase(Phase.FAILOVER) if step.id in other.after]
    assert plan.predicted_recovery_seconds == make_plan(example(TWO), scenario=scenario).predicted_recovery_seconds


def test_the_people_who_may_approve_it_are_named() -> None:
    step = raised(people="anna ben")
    assert step is not None and step.action.arguments["deciders"] == ["anna", "ben"]
    assert "1 of anna, ben must approve it" in str(step.action.arguments["instruction"])


@pytest.mark.parametrize("mbps", [50, 100, 200])
def test_a_circuit_that_is_as_large_already_is_left_alone(mbps: int) -> None:
    assert raised(mbps) is None


def test_only_what_the_traffic_will_be_on_is_raised() -> None:
    hong_kong = example(TWO).express_route_circuits[0].id
    plan = make_plan(example(TWO, raise_bandwidth=(Raise(circuit=hong_kong, mbps=10_000),)))
    assert not [step for step in plan.steps if "/raise/" in step.id]


def test_a_circuit_of_the_lost_region_cannot_be_written_in_its_disaster() -> None:
    there = edited(example(TWO), SINGAPORE, lambda body: body.update(location="eastasia"))
    assert raised(estate=there) is None
    assert raised(estate=there, scenario="maintenance") is not None


def test_a_circuit_on_its_owners_port_has_no_providers_bandwidth() -> None:
    def direct(body: dict[str, object]) -> None:
        properties = body["properties"]
        assert isinstance(properties, dict)
        del properties["serviceProviderProperties"]
        properties["bandwidthInGbps"] = 5

    with pytest.raises(InputError, match="is no provider's circuit"):
        raised(estate=edited(example(TWO), SINGAPORE, direct))


def test_a_plan_that_raises_is_proven() -> None:
    estate = example(TWO, raise_bandwidth=(Raise(circuit=SINGAPORE, mbps=1000),))
    plan = make_plan(estate)
    with_, without = prove(estate, plan), prove(example(TWO), make_plan(example(TWO)))
    assert with_.ok and (with_.cuts, with_.states) == (without.cuts, without.states)
