"""What there is twice: appliances behind a load balancer, sites, zones; and a way between the shores."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from matrix.estates import write

from farshore.cli.exercise import verdicts
from farshore.estate.estate import Estate
from farshore.estate.files import load
from farshore.plan import Plan, make_plan
from farshore.plan.builders.outage import DISASTER
from farshore.plan.interruption import is_taken, lost_at_once
from farshore.plan.model import Lose, PutResource, StepKind, Suspend
from farshore.prove import prove
from plan.estates import BOTH, NEW, ONE, TWO


def given(tmp_path: Path, name: str, **project: object) -> Estate:
    """One of the matrix's estates, from its folder; keywords replace sections of farshore.yaml."""
    write(name, tmp_path / "project")
    file = tmp_path / "project" / "farshore.yaml"
    file.write_text(yaml.safe_dump({**yaml.safe_load(file.read_text()), **project}))
    return load(tmp_path / "project")[1]


def proven(estate: Estate, plan: Plan) -> list[str]:
    return [found.summary for found in prove(estate, plan).counterexamples if not found.exempt]


def suspended(plan: Plan) -> set[str]:
    event = next(event for event in plan.events if event.id == DISASTER)
    return {effect.machine.name for effect in event.effects if isinstance(effect, Suspend)}


# A pair. -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [TWO, NEW])
def test_a_load_balancer_in_the_target_is_the_appliance_by_its_address_whatever_its_name(
    name: str, tmp_path: Path
) -> None:
    estate = given(tmp_path, f"{name}/pair")
    plan = make_plan(estate, None, "no-drill")
    (front,) = {step.subject.rsplit("/", 1)[-1] for step in plan.steps if "/loadBalancers/" in step.subject}
    assert front == "nva-lb", "the template names it as the source does, no pattern was followed"
    assert not proven(estate, plan)
    checks = [step for step in plan.steps if step.id.startswith("provision/appliance-check/")]
    assert len(checks) == 2, "each member is looked at"


def test_the_last_of_a_pair_is_the_last_of_its_kind(tmp_path: Path) -> None:
    """`survive: [appliance]` promises to do without one; where the scenario has taken it, without another is more."""
    estate = given(tmp_path, f"{TWO}/pair")
    plan = make_plan(estate, None, "appliance+no-drill")
    assert not any(step.action.verb == "failover" for step in plan.steps), "held by the other"
    assert not proven(estate, plan)
    whole = make_plan(estate, None, "circuit-link+no-drill")
    single = replace(estate, resources={**estate.resources, **_without_its_pool(estate)})
    assert proven(single, whole), "one behind the load balancer is not two"


def _without_its_pool(estate: Estate) -> dict[str, dict[str, object]]:
    (nic,) = [nic for nic in estate.network_interfaces if nic.id.name == "nva2-nic"]
    body = copy.deepcopy(estate.get(nic.id))
    assert body is not None
    del body["properties"]["ipConfigurations"][0]["properties"]["loadBalancerBackendAddressPools"]
    return {nic.id.key: body}


def test_a_person_who_deploys_a_pair_is_told_of_its_load_balancer(tmp_path: Path) -> None:
    estate = given(tmp_path, f"{NEW}/pair")
    assert estate.project is not None
    (appliance,) = estate.project.appliances
    by_hand = replace(appliance, template=None, manual=True)
    estate = replace(estate, project=replace(estate.project, appliances=(by_hand,)))
    plan = make_plan(estate, None, "no-drill")
    (asked,) = [step for step in plan.steps if step.kind is StepKind.PERSON and "appliance" in step.id]
    assert "load balancer nva-lb-asr (10.110.10.10)" in str(asked.action.arguments["instruction"])
    assert any("/loadBalancers/" in str(e.body["id"]) for e in asked.effects if isinstance(e, PutResource))
    assert not proven(estate, plan)


# Zones. ------------------------------------------------------------------------------------------------------------


def test_a_zone_ends_the_service_of_what_stood_in_it(tmp_path: Path) -> None:
    """Of everyone where the appliance stood in it too; where it has another member, the others serve on until they
    move."""
    alone = make_plan(given(tmp_path / "alone", f"{TWO}/zones"), None, "zone+no-drill")
    assert suspended(alone) == {"db1", "app1"}
    estate = given(tmp_path / "pair", f"{TWO}/pair")
    plan = make_plan(estate, None, "zone+no-drill")
    assert suspended(plan) == {"db1"}
    assert not proven(estate, plan)
    ends = {machine.id.name: (is_taken(plan, machine), lost_at_once(plan, machine)) for machine in plan.machines}
    assert ends == {"db1": (True, True), "app1": (False, False)}


def test_what_a_dead_machine_had_not_sent_is_no_loss_of_a_move_on_purpose(tmp_path: Path) -> None:
    plan = make_plan(given(tmp_path, f"{TWO}/zones"), None, "zone+no-drill")
    rows = [_row(machine.id.text, machine.target_id.text) for machine in plan.machines]
    (said,) = verdicts.wrong_machines(plan, rows)
    assert said.startswith("app1: 4,096 bytes lost")


def _row(id_: str, target: str) -> dict[str, object]:
    return {
        "id": id_,
        "target_id": target,
        "disks": [{"id": "d", "recovery_point_sha256": "x", "failed_over_sha256": "x"}],
        "bytes_lost": 4096,
        "recovery_point_seconds": 1.0,
        "recovery_point_objective_seconds": 900.0,
        "recovery_time_seconds": {"measured": 1.0, "predicted": 1.0, "objective": 3600.0},
    }


def test_a_machine_goes_home_into_its_own_zone(tmp_path: Path) -> None:
    plan = make_plan(given(tmp_path, f"{TWO}/zones"), None, "zone+no-drill")
    back: dict[str, Any] = {
        step.id: step.action.arguments for step in plan.steps if step.action.verb == "switch_protection"
    }
    zones = {id_: arguments.get("settings", {}).get("recoveryAvailabilityZone") for id_, arguments in back.items()}
    assert zones["reprotect/machine/db1"] == "1" and zones["reprotect/machine/app1"] == "2"
    assert zones["failback/reprotect/db1"] == "1", "and into the one that farshore.yaml says, there"


# Sites, and both shores. -------------------------------------------------------------------------------------------


def test_nothing_is_owed_to_a_site_that_is_gone_and_all_to_the_others(tmp_path: Path) -> None:
    estate = given(tmp_path, f"{TWO}/sites")
    plan = make_plan(estate, None, "site+cold+no-drill")
    assert not proven(estate, plan)
    both = _also_taking(plan, "datacenter", estate)
    assert any("no router of datacenter has a working link" in said for said in proven(estate, both))
    rows = [{"name": name, "verdict": "NoRoute"} for name in ("datacenter to machines", "branch to machines")]
    assert verdicts.unmet(plan, rows, frozenset({"branch"})) == rows[:1]
    assert verdicts.unmet(plan, rows) == rows


def _also_taking(plan: Plan, site: str, estate: Estate) -> Plan:
    """The plan of a disaster that takes this site too, so that there is none for whom others go on."""
    taken = [
        f"router:{held.name}/{router.name}" for held in estate.sites if held.name == site for router in held.routers
    ]
    first, *rest = plan.events
    return replace(plan, events=(replace(first, effects=(*first.effects, Lose(elements=tuple(taken)))), *rest))


@pytest.mark.parametrize("name", [TWO, ONE])
def test_each_site_is_turned_away_by_itself(name: str, tmp_path: Path) -> None:
    """Two sites, two steps, in no order: every cut between them is proven."""
    estate = given(tmp_path, f"{name}/sites")
    plan = make_plan(estate, None, "grey+cold+no-drill")
    fences = [step.id for step in plan.steps if step.id.startswith("failover/fence/")]
    assert len(fences) == (2 if name == TWO else 0)
    assert not proven(estate, plan)


@pytest.mark.parametrize("name", [NEW, BOTH])
def test_some_go_home_where_gateways_give_both_shores_a_way(name: str, tmp_path: Path) -> None:
    """E38: with the flag on both gateways; without it the objective between the two is not proven."""
    joined = given(tmp_path / "joined", f"{name}/joined")
    plan = make_plan(joined, None, "partial+no-drill")
    assert not proven(joined, plan)
    apart = given(tmp_path / "apart", name)
    assert any("is unreachable" in said for said in proven(apart, make_plan(apart, None, "partial+no-drill")))
