"""Faults of a plan: steps taken out or let run too early, by hand, in the plans of the five examples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from assess.bench import BOTH, NEAR, NEW, ONE, TWO
from farshore.plan.file import plan_as_json, plan_from_json
from farshore.plan.model import Plan

CONNECTION = "failover/connection/cn-source-hub"


@dataclass(frozen=True)
class PlanFault:
    name: str
    example: str
    edit: Callable[[Plan], Plan]
    claim: str
    after: str
    """The step or event that the counterexample must name."""
    mend: str
    """What the change must speak of."""


def without(*ids: str) -> Callable[[Plan], Plan]:
    def edit(plan: Plan) -> Plan:
        document = plan_as_json(plan)
        document["steps"] = [step for step in document["steps"] if step["id"] not in ids]
        return plan_from_json(document)

    return edit


def before(id_: str, *needed: str) -> Callable[[Plan], Plan]:
    """The step comes after nothing but `needed`."""
    return lambda plan: replace(
        plan, steps=tuple(replace(step, after=needed) if step.id == id_ else step for step in plan.steps)
    )


def not_after(id_: str, other: str) -> Callable[[Plan], Plan]:
    return lambda plan: replace(
        plan,
        steps=tuple(
            replace(step, after=tuple(held for held in step.after if held != other)) if step.id == id_ else step
            for step in plan.steps
        ),
    )


SITE, FENCE, ARMED = "provision/site/datacenter", "failover/fence/datacenter", "provision/connection/cn-source-hub"
NIC = "provision/appliance/nva-nic/networkInterfaces/nva-nic"
PEERING = "provision/peering/Source-vNet1-to-Source-Hub-vNet"
SECOND = "provision/connection/cn-source-hub-singapore"
HOME = "failback/disconnect/cn-source-hub-asr"

PLANS: tuple[PlanFault, ...] = (
    PlanFault("the site's step is missing", TWO, without(SITE), "safety", ARMED, SITE),
    PlanFault("the fence is missing", NEAR, without(FENCE), "safety", "return", FENCE),
    PlanFault("connected before the site prefers", TWO, not_after(ARMED, SITE), "safety", ARMED, SITE),
    PlanFault(
        "the GatewaySubnet's table is missing",
        NEW,
        without("provision/route-table/rt-source-gateway"),
        "safety",
        "failover/machine/db1",
        "provision/route-table/rt-source-gateway",
    ),
    PlanFault("a peering is missing", NEW, without(PEERING), "reachability", "failover/machine/db1", PEERING),
    PlanFault("the appliance's NIC is missing", ONE, without(NIC), "reachability", CONNECTION, NIC),
    PlanFault(
        "the gateway is missing",
        NEW,
        without("provision/gateway/Source-Hub-vNet"),
        "reachability",
        "failover/machine/db1",
        "provision/gateway/Source-Hub-vNet",
    ),
    PlanFault("armed before the disconnect", ONE, before(CONNECTION, "disaster"), "safety", "return", CONNECTION),
    PlanFault(
        "a machine is forgotten",
        NEW,
        without("failover/machine/web1"),
        "reachability",
        "disaster",
        "failover/machine/web1",
    ),
    PlanFault(
        "two connections on the way home", ONE, without(HOME), "safety", "failback/connection/cn-source-hub", HOME
    ),
    PlanFault(
        "the target is on one circuit of two", BOTH, without(SECOND), "reachability", "failover/machine/db1", SECOND
    ),
    PlanFault("the target is not connected", NEW, without(ARMED), "reachability", "failover/machine/db1", ARMED),
)
