"""When a machine's service ends, read from the plan itself: the recovery time counts from there.

What the disaster takes ends it at once: a region, the machine, the way to it. Where the machine serves on (it is moved
on purpose, or only ARM is gone), it ends with the first step that stops it or takes the way to it: its own failover,
the sites' fence, the deletion of its connection. What Azure does counts from its beginning, since nobody knows when
within it the packets stop; what people do at a site, or have somebody do, counts from its end, when they say that it is
done. A deletion that the plan expects to fail counts for nothing.

And where it is promised when all is over: at home again, or in the target, where it stays.
"""

from __future__ import annotations

from collections.abc import Iterator

from farshore.arm.ids import ResourceId
from farshore.arm.network import CONNECTIONS
from farshore.plan.model import (
    CONTROL_PLANE,
    DeleteResource,
    Effect,
    Event,
    Lose,
    MachineState,
    Phase,
    Plan,
    PlannedMachine,
    Promise,
    SetMachine,
    SetRouter,
    Step,
    StepKind,
    Suspend,
    order,
)


def struck(plan: Plan) -> Event | None:
    """The event with which the scenario begins: the first one."""
    return plan.events[0] if plan.events else None


def may_return(plan: Plan) -> tuple[str, ...]:
    """Events with which what was lost comes back at any moment after the disaster, whatever is under way: the guard is
    on beside the failover. Empty where it comes back after it."""
    first = struck(plan)
    return () if first is None else tuple(event.id for event in plan.events if event.after == (first.id,))


def lost_at_once(plan: Plan, machine: PlannedMachine) -> bool:
    """Whether the disaster itself ends the machine's service."""
    event = struck(plan)
    gone = _lost(event)
    if event is None:
        return False
    if any(isinstance(effect, Promise) and effect.machine == machine.id for effect in event.effects):
        return True
    if not gone:
        return False
    planned = {item.id.key for item in plan.machines}
    if gone <= planned:
        return machine.id.key in gone
    counted = {effect.machine.key for effect in event.effects if isinstance(effect, Promise | Suspend)}
    return machine.id.key in counted


def is_taken(plan: Plan, machine: PlannedMachine) -> bool:
    """Whether the disaster takes the machine itself, which then writes and sends nothing more: it can't be stopped in
    good order, and what it had not sent is lost."""
    return machine.id.key in _lost(struck(plan))


def cut_by(plan: Plan, machine: PlannedMachine) -> tuple[str, ...]:
    """The steps any of which ends the machine's service where it was; empty where the disaster does, or nothing."""
    return () if lost_at_once(plan, machine) else turned_away_by(plan, machine)


def turned_away_by(plan: Plan, machine: PlannedMachine) -> tuple[str, ...]:
    """The steps after any of which nobody meets the machine where it was, should it be there (again)."""
    return tuple(step.id for step in plan.of_phase(Phase.FAILOVER) if any(_ends(step, machine)))


def takes_effect_at_its_end(step: Step) -> bool:
    """Whether people do it (see the theory)."""
    return step.kind in (StepKind.SITE, StepKind.PERSON)


def staying(plan: Plan) -> frozenset[str]:
    """Machines (ids in lower case) that are promised in the target when the plan is over: they stay there."""
    nodes: dict[str, Step | Event] = {}
    for items in (plan.steps, plan.events):
        nodes.update({item.id: item for item in items})
    last: dict[str, ResourceId] = {}
    for id_ in order(plan.steps, plan.events):
        last |= {e.machine.key: e.nic for e in nodes[id_].effects if isinstance(e, Promise)}
    return frozenset(m.id.key for m in plan.machines if last.get(m.id.key) == m.target_nic)


def _ends(step: Step, machine: PlannedMachine) -> Iterator[bool]:
    for effect in () if step.may_fail else step.effects:
        yield _cuts(effect, machine.id)


def _cuts(effect: Effect, machine: ResourceId) -> bool:
    match effect:
        case SetMachine(id=id_, state=state):
            return id_ == machine and state is not MachineState.RUNNING
        case SetRouter(router=router):
            return any(item.action == "deny" for item in router.filters)
        case DeleteResource(id=id_):
            return id_.is_a(CONNECTIONS)
        case Lose():
            return True
        case _:
            return False


def _lost(event: Event | None) -> set[str]:
    effects = () if event is None else event.effects
    found = {name.lower() for effect in effects if isinstance(effect, Lose) for name in effect.elements}
    return {name for name in found if not name.startswith(CONTROL_PLANE)}
