"""What a drill of a plan is: its kind, where its machines stand, and what it can prove.

isolated       machines in a network of their own: boot, address, order
path           machines where sites reach them: circuit, gateway and appliance of the target too
connectivity   the other circuit instead of the primary, no machine moved (the scenario's word `swap`)
tabletop       the plan told step by step; nothing acts
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from farshore.plan.model import Phase, Plan
from farshore.plan.scenario.scenario import scenario_named
from farshore.plan.scenario.words import Drill, Outage


class DrillKind(StrEnum):
    ISOLATED = "isolated"
    PATH = "path"
    CONNECTIVITY = "connectivity"
    TABLETOP = "tabletop"


def kinds_of(plan: Plan) -> tuple[DrillKind, ...]:
    """The drills that a plan holds; an outage that is none (`swap`) is one of them."""
    scenario = scenario_named(plan.scenario)
    found = []
    if plan.of_phase(Phase.DRILL):
        found.append(DrillKind.PATH if scenario.drill is Drill.PATH else DrillKind.ISOLATED)
    if scenario.outage is Outage.SWAP:
        found.append(DrillKind.CONNECTIVITY)
    return tuple(found)


def drilled_addresses(plan: Plan) -> Mapping[str, str]:
    """Machine (its id in lower case) to the address at which its test is looked at."""
    return {
        step.subject.lower(): str(step.action.arguments["address"])
        for step in plan.of_phase(Phase.DRILL)
        if step.action.verb == "check_machine"
    }


def leads_through(plan: Plan) -> bool:
    """Whether a path drill's way leads through an appliance: the gateway's table is told of it."""
    return any(step.id.startswith("drill/route/") for step in plan.of_phase(Phase.DRILL))
