"""Drills as plans: what comes before what, and that production is safe while they stand."""

from __future__ import annotations

import os
from ipaddress import ip_address, ip_network

import pytest

from farshore import examples
from farshore.assess import assess
from farshore.errors import InputError
from farshore.estate.project import AddressMap, Drill, Link
from farshore.plan import make_plan
from farshore.plan.drills import DrillKind, drilled_addresses, kinds_of
from farshore.plan.model import Phase, Plan, PutResource
from farshore.prove import prove
from farshore.report.learned import Claim, learned
from plan.estates import ONE, TWO, example, with_project
from plan.test_plan_order import below

CONNECTED = [name for name in examples.names() if name != ONE]


def step_of(plan: Plan, name: str) -> str:
    return next(step.id for step in plan.of_phase(Phase.DRILL) if step.id.startswith(f"drill/{name}"))


@pytest.mark.parametrize("name", CONNECTED)
def test_a_path_drill_is_announced_last_and_withdrawn_first(name: str) -> None:
    """D41, D85: a site never meets a test machine past the appliance."""
    plan = make_plan(example(name), scenario="path-drill")
    announced, withdrawn = step_of(plan, "peering/drill"), step_of(plan, "unpeer/drill")
    assert {step_of(plan, "peering/hub"), step_of(plan, "route/"), step_of(plan, "network/")} <= below(plan, announced)
    assert announced in below(plan, step_of(plan, "test/"))
    tests = {step.id for step in plan.of_phase(Phase.DRILL) if step.action.verb == "test_failover_cleanup"}
    assert len(tests) == len(plan.machines)
    assert tests <= below(plan, withdrawn)
    assert {withdrawn, step_of(plan, "withdrawn/")} <= below(plan, step_of(plan, "unroute/"))
    assert {step_of(plan, "unroute/"), step_of(plan, "unpeer/hub")} <= below(plan, step_of(plan, "remove/network"))
    last = "drill/clean"
    assert below(plan, last) >= {step.id for step in plan.of_phase(Phase.DRILL)} - {last}


@pytest.mark.parametrize("name", CONNECTED)
def test_a_path_drill_announces_nothing_that_anybody_else_has(name: str) -> None:
    estate = example(name)
    plan = make_plan(estate, scenario="path-drill")
    kept = [prefix for network in estate.virtual_networks for prefix in network.address_space]
    kept += [prefix for site in estate.sites for prefix in site.prefixes]
    put = next(step for step in plan.of_phase(Phase.DRILL) if step.id.startswith("drill/network/"))
    effect = put.effects[0]
    assert isinstance(effect, PutResource)
    spaces = [ip_network(text) for text in effect.body["properties"]["addressSpace"]["addressPrefixes"]]
    assert spaces
    assert not any(space.overlaps(other) for space in spaces for other in kept if other.version == 4)
    addresses = [ip_address(address) for address in drilled_addresses(plan).values()]
    assert all(any(address in space for space in spaces) for address in addresses)


def test_machines_of_a_drill_start_in_the_failovers_waves() -> None:
    plan = make_plan(example(TWO))
    first = {step_of(plan, f"check/{name}") for name in ("db1", "file1")}
    for name in ("web1", "web2", "app1", "app2"):
        assert first <= below(plan, step_of(plan, f"test/{name}"))


def test_a_cold_link_has_no_path_to_drill() -> None:
    with pytest.raises(InputError, match="cold"):
        make_plan(example(ONE), scenario="path-drill")


def test_a_range_that_a_site_has_is_refused() -> None:
    estate = with_project(example(TWO), drill=Drill(address_space=(ip_network("192.168.4.0/22"),)))
    with pytest.raises(InputError, match=r"192\.168\.4\.0/22 is datacenter's too"):
        make_plan(estate, scenario="path-drill")


@pytest.mark.skipif("FARSHORE_STORIES" not in os.environ, reason="make stories proves each cut of a path drill")
def test_production_is_proven_safe_while_a_path_drill_stands() -> None:
    estate = example(TWO)
    plan = make_plan(estate, scenario="path-drill")
    proof = prove(estate, plan)
    assert proof.ok
    assert proof.exhaustive
    said = {item.claim: item.said for item in learned(plan, proof) if item.proven}
    assert f"{proof.cuts} cuts" in said[Claim.PRODUCTION]


@pytest.mark.parametrize(
    ("scenario", "kinds"),
    [
        ("published", (DrillKind.ISOLATED,)),
        ("path-drill", (DrillKind.PATH,)),
        ("swap+no-drill", (DrillKind.CONNECTIVITY,)),
        ("no-drill", ()),
    ],
)
def test_each_kind_says_what_it_proves_and_what_not(scenario: str, kinds: tuple[DrillKind, ...]) -> None:
    plan = make_plan(example(TWO), scenario=scenario)
    assert kinds_of(plan) == kinds
    told = learned(plan)
    proven = {item.claim for item in told if item.proven}
    assert (Claim.BOOT in proven) == bool({DrillKind.ISOLATED, DrillKind.PATH} & set(kinds))
    assert (Claim.PATH in proven) == (DrillKind.PATH in kinds)
    assert (Claim.CIRCUIT in proven) == (DrillKind.CONNECTIVITY in kinds)
    unproven = {item.claim for item in told if not item.proven}
    assert (Claim.APPLICATION in unproven) == bool(plan.of_phase(Phase.DRILL))


@pytest.mark.parametrize("link", [Link.ARMED, Link.SILENT])
def test_a_target_hub_may_have_its_own_range_beside_kept_spokes(link: Link) -> None:
    """The guide's page on drills offers it: both hubs' appliances can be reached at the same time."""
    rows = [("10.10.10.0/24", "10.110.10.0/24"), ("10.1.0.0/24", "10.1.0.0/24"), ("10.2.0.0/24", "10.2.0.0/24")]
    kept = tuple(AddressMap(from_=ip_network(here), to=ip_network(there)) for here, there in rows)
    estate = example(TWO, keep_addresses=False, address_map=kept, link=link)
    assert assess(estate).ok
    plan = make_plan(estate, scenario="path-drill")
    hops = [
        effect.body["properties"]["nextHopIpAddress"]
        for step in plan.of_phase(Phase.DRILL)
        for effect in step.effects
        if isinstance(effect, PutResource) and "nextHopIpAddress" in effect.body["properties"]
    ]
    assert hops
    assert all(ip_address(hop) in ip_network("10.110.10.0/24") for hop in hops)
    assert all(machine.address == machine.target_address for machine in plan.machines)
    assert prove(estate, make_plan(estate, scenario="no-drill")).ok
