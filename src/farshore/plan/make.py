"""The planner: an estate and its project in, the whole story of a scenario as a graph out.

    provision -> protect -> drill -> (disaster) -> failover -> commit -> (return) -> return -> reprotect -> failback

What the outage leaves decides what failover and failback are (`scenario/outages.py`): machines move, or connectivity
does, or nothing has to. Phases follow each other as the verbs that run them do; within a phase steps wait only for what
they need. When the graph stands, the world is walked along it once, and each step that will check routes is told the
table that the routing library predicts for that moment.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from farshore.assess.objectives import objectives_of
from farshore.errors import InputError
from farshore.estate.estate import Estate
from farshore.plan.builders import (
    checks,
    drill,
    failback,
    failover,
    guard,
    hold,
    outage,
    path_drill,
    protect,
    reprotect,
    stay,
    swap,
)
from farshore.plan.builders.provision import NetworkBuilder, check_circuits
from farshore.plan.carried.names import changes
from farshore.plan.carried.rows import rows_of
from farshore.plan.design import Design, make_design
from farshore.plan.draft import Draft
from farshore.plan.drift import digests
from farshore.plan.effects import apply, start
from farshore.plan.graph import predicted_recovery
from farshore.plan.model import Event, Obligation, Phase, Plan, Step, order
from farshore.plan.scenario.outages import Answer, Taken, taken
from farshore.plan.scenario.scenario import PUBLISHED, Scenario, scenario_named
from farshore.plan.scenario.sensible import instead, why_not
from farshore.plan.scenario.words import Back, Drill, Over, Returns
from farshore.routing import EffectiveRoute, effective_routes


def make_plan(
    estate: Estate,
    assessment: object = None,
    scenario: str = PUBLISHED,
    *,
    provision_ahead: Iterable[str] | None = None,
) -> Plan:
    """The plan of a scenario. `provision_ahead` replaces the project's own list. What is wrong with the estate is
    the assessment's business: a plan is made as the estate and the project say, and proven as it stands. Raises
    `InputError` for an unknown scenario, for one that makes no sense here, and where there is nothing to plan with."""
    told = scenario_named(scenario)
    design = designed(estate, told, provision_ahead)
    refusal = why_not(told, design)
    if refusal is not None:
        near = instead(told, design)
        if near is not None:
            raise InputError(
                f"Scenario '{told.name}' contradicts itself, whatever the estate: {refusal}",
                value=scenario,
                expected=f"words that agree: {near.name}",
                remedy=f"write the whole scenario: --scenario {near.name}",
            )
        raise InputError(
            f"Scenario {told.name} makes no sense for this estate: {refusal}",
            value=scenario,
            expected="a scenario that this estate can meet",
            remedy="farshore plan --scenario list lists the words",
        )
    checks.refuse(design)
    lost = taken(told, design)
    draft = Draft(estate)
    network = _before(design, told, lost, draft)
    obligations = _ANSWERS[lost.answer](design, told, lost, draft, network)
    plan = Plan(
        estate=estate.fingerprint,
        scenario=told.name,
        topology=design.project.topology.value,
        steps=tuple(draft.steps),
        events=tuple(draft.events),
        obligations=obligations,
        machines=tuple(machine.planned for machine in design.machines),
        objectives=objectives_of(estate),
        source_region=design.project.source_region,
        target_region=design.project.target.region,
        made_from=digests(estate),
        carried=rows_of(design, draft.steps),
        names=changes(design),
    )
    plan = replace(plan, steps=with_expected_routes(plan, estate))
    return replace(plan, predicted_recovery_seconds=predicted_recovery(plan))


def designed(estate: Estate, scenario: Scenario, provision_ahead: Iterable[str] | None = None) -> Design:
    """The design of an estate under a scenario's posture and provisioning."""
    if estate.project is not None and (told := scenario.of(estate.project)) != estate.project:
        estate = estate.with_project(told)
    return make_design(estate, provision_ahead, application_consistent=scenario.over is Over.APPLICATION)


# The story's parts. ------------------------------------------------------------------------------------------------


def _before(design: Design, scenario: Scenario, lost: Taken, draft: Draft) -> NetworkBuilder:
    """Everything ahead of the outage, and the outage: it waits for no drill, it may strike before one, and in the
    middle of it."""
    draft.begin(Phase.PROVISION, ())
    network = NetworkBuilder(design, draft)
    network.build(ahead=True)
    if "connection" in design.ahead:
        network.build_connections()
        check_circuits(design, draft)
    protect.build(design, draft)
    outage.strikes(design, scenario, lost, draft)
    if scenario.drill is Drill.ISOLATED:
        drill.build(design, draft)
    elif scenario.drill is Drill.PATH:
        path_drill.build(design, draft)
    return network


def _move(
    design: Design, scenario: Scenario, lost: Taken, draft: Draft, network: NetworkBuilder
) -> tuple[Obligation, ...]:
    failover.build(design, scenario, lost, draft, network)
    moved = draft.ends()
    failover.commit(design, scenario, draft)
    committed = draft.ends()
    events = outage.returns(design, scenario, lost, draft)
    discharging = guard.build(design, scenario, lost, draft, events, moved)
    owed = () if lost.arm else (failover.obligation(design, discharging),)
    if scenario.back is Back.NONE:
        return owed
    # Replication back needs the region whole and the failover final (S45); one that returns early waits for neither.
    reprotect.build(design, draft, committed if scenario.returns is Returns.EARLY else events[1:])
    if scenario.back is Back.STAY:
        stay.build(design, draft)
    elif scenario.back is Back.PARTIAL:
        failback.some(design, draft)
    else:
        failback.build(design, draft, network)
    return owed


def _swap(
    design: Design, scenario: Scenario, lost: Taken, draft: Draft, network: NetworkBuilder
) -> tuple[Obligation, ...]:
    swap.over(design, scenario, draft, network)
    events = outage.returns(design, scenario, lost, draft)
    if events:
        swap.restored(design, draft, events)
    swap.back(design, scenario, draft, network)
    return ()


def _hold(
    design: Design, scenario: Scenario, lost: Taken, draft: Draft, network: NetworkBuilder
) -> tuple[Obligation, ...]:
    hold.over(design, lost, draft)
    hold.restored(design, draft, outage.returns(design, scenario, lost, draft))
    return ()


_ANSWERS = {Answer.MOVE: _move, Answer.SWAP: _swap, Answer.HOLD: _hold}


# What checks will find. --------------------------------------------------------------------------------------------


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


__all__ = ["PUBLISHED", "designed", "make_plan", "with_expected_routes"]
