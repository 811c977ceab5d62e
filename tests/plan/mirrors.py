"""An example after a run that stayed, as its plan leaves it, with the items that Site Recovery has. Without a lab."""

from __future__ import annotations

from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.estate.estate import Change, Estate
from farshore.plan.effects import apply, start
from farshore.plan.make import designed, make_plan
from farshore.plan.mirror import Mirror, mirrored
from farshore.plan.model import Event, Plan, SetMachine, Step, order
from farshore.plan.scenario.scenario import scenario_named


def with_circuits_elsewhere(estate: Estate) -> Estate:
    """The examples' circuits, and their group, are located in the target: once it is the source that would be an error
    (FS802, FS803). Here in a third region."""
    circuits = [circuit.id for circuit in estate.express_route_circuits]
    ids = {*circuits, *(id_.group_id for id_ in circuits if id_.group_id is not None)}
    bodies = [body for id_ in ids if (body := estate.get(id_)) is not None]
    return estate.with_changes([Change(put={**body, "location": "koreacentral"}) for body in bodies])


def stayed(begun: Estate, scenario: str = "stay+no-drill") -> tuple[Plan, Estate]:
    """The plan, and the estate after it."""
    plan = make_plan(begun, None, scenario)
    both: tuple[Step | Event, ...] = (*plan.steps, *plan.events)
    nodes = {node.id: node for node in both}
    world = start(begun, plan)
    for id_ in order(plan.steps, plan.events):
        world = apply(world, [effect for effect in nodes[id_].effects if not isinstance(effect, SetMachine)])
    # What is down, stopped or stale while a plan is carried out is no part of a reading.
    now = world.estate.with_outside(begun.outside)
    return plan, now.with_changes([Change(put=body) for body in _replication(begun, plan)])


def mirror_of(begun: Estate, scenario: str = "stay+no-drill") -> tuple[Mirror, Estate]:
    """The mirror, and the estate that it is of, under its project."""
    plan, now = stayed(begun, scenario)
    mirror = mirrored(begun, plan, now, "mirror")
    return mirror, Estate.from_resources(list(now.resources.values()), mirror.project)


def _replication(begun: Estate, plan: Plan) -> list[Body]:
    recovery = designed(begun, scenario_named(plan.scenario)).recovery
    container = recovery.containers[recovery.target]
    bodies: list[Body] = [recovery.vault_body(), recovery.fabric_body(recovery.target), _bare(container)]
    for machine in plan.machines:
        item = machine.reverse_item if machine.managed else machine.item
        details = {"instanceType": "A2A", "fabricObjectId": machine.target_id.text}
        properties = {"protectionState": "Protected", "providerSpecificDetails": details}
        bodies.append({**_bare(item), "properties": properties})
    return bodies


def _bare(id_: ResourceId) -> Body:
    return {"id": id_.text, "name": id_.name, "type": id_.type, "properties": {}}
