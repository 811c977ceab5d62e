"""The planner: an estate and its project in, the whole story as a graph out.

    provision -> protect -> drill -> (disaster) -> failover -> commit -> (return) -> return -> reprotect -> failback

Phases follow each other as the verbs that run them do; within a phase steps wait only for what they need. When the
graph stands, the world is walked along it once, and each step that will check routes is told the table that the
routing library predicts for that moment.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from farshore.assess.objectives import objectives_of
from farshore.errors import InputError
from farshore.estate.estate import Estate
from farshore.plan.builders import drill, failback, failover, guard, protect, reprotect
from farshore.plan.builders.provision import NetworkBuilder, check_circuits
from farshore.plan.design import make_design
from farshore.plan.draft import Draft
from farshore.plan.drift import digests
from farshore.plan.effects import apply, start
from farshore.plan.graph import predicted_recovery
from farshore.plan.model import Event, Phase, Plan, Step, order
from farshore.routing import EffectiveRoute, effective_routes

PUBLISHED = "published"
_SCENARIOS = {PUBLISHED: "the published story: provision, protect, drill, disaster, failover, return, failback"}


def scenarios() -> dict[str, str]:
    """The names of the scenarios, each with one line about it."""
    return dict(_SCENARIOS)


def make_plan(
    estate: Estate,
    assessment: object = None,
    scenario: str = PUBLISHED,
    *,
    provision_ahead: Iterable[str] | None = None,
) -> Plan:
    """The plan of a scenario. `provision_ahead` replaces the project's own list. What is wrong with the estate is
    the assessment's business: a plan is made as the estate and the project say, and proven as it stands. Raises
    `InputError` for an unknown scenario, and where there is nothing to plan with."""
    if scenario not in _SCENARIOS:
        raise InputError(
            f"There is no scenario {scenario}",
            value=scenario,
            expected="one of " + ", ".join(_SCENARIOS),
            remedy="farshore plan --scenario list lists them",
        )
    design = make_design(estate, provision_ahead)
    draft = Draft(estate)
    draft.begin(Phase.PROVISION, ())
    network = NetworkBuilder(design, draft)
    network.build(ahead=True)
    if "connection" in design.ahead:
        network.build_connections()
        check_circuits(design, draft)
    protect.build(design, draft)
    # A disaster waits for no drill: it may strike before one, and in the middle of it.
    failover.disaster(design, draft)
    drill.build(design, draft)
    failover.build(design, draft, network)
    failover.commit(design, draft)
    guard.returns(design, draft)
    discharging = guard.build(design, draft)
    reprotect.build(design, draft)
    failback.build(design, draft, network)
    plan = Plan(
        estate=estate.fingerprint,
        scenario=scenario,
        topology=design.project.topology.value,
        steps=tuple(draft.steps),
        events=tuple(draft.events),
        obligations=(failover.obligation(design, discharging),),
        machines=tuple(machine.planned for machine in design.machines),
        objectives=objectives_of(estate),
        source_region=design.project.source_region,
        target_region=design.project.target.region,
        made_from=digests(estate),
    )
    plan = replace(plan, steps=with_expected_routes(plan, estate))
    return replace(plan, predicted_recovery_seconds=predicted_recovery(plan))


def with_expected_routes(plan: Plan, estate: Estate) -> tuple[Step, ...]:
    """The steps, each check of routes with the rows that its NIC will have at that moment."""
    both: tuple[Step | Event, ...] = (*plan.steps, *plan.events)
    nodes = {node.id: node for node in both}
    world = start(estate, plan)
    told: dict[str, Step] = {}
    for id_ in order(plan.steps, plan.events):
        node = nodes[id_]
        if isinstance(node, Step) and node.action.verb == "check_routes":
            nic = str(node.action.arguments["nic"])
            rows = [_row(route) for route in effective_routes(world.estate, nic) if route.state == "Active"]
            told[id_] = replace(node, action=replace(node.action, arguments={**node.action.arguments, "rows": rows}))
        world = apply(world, node.effects)
    return tuple(told.get(step.id, step) for step in plan.steps)


def _row(route: EffectiveRoute) -> dict[str, Any]:
    """A row as a check compares it (R9). Next hops are said where the plan itself decides them: an appliance's
    address is, the routers of Microsoft's edge are not."""
    said = route.source == "User"
    return {
        "source": route.source,
        "prefix": str(route.address_prefix),
        "next_hop_type": route.next_hop_type,
        "next_hop_ip_addresses": [str(address) for address in route.next_hop_ip_addresses] if said else [],
    }


__all__ = ["PUBLISHED", "make_plan", "scenarios", "with_expected_routes"]
