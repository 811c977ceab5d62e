"""Machines that a plan moves and leaves running at home: what it says of nothing, because no packet need meet them.

When a region returns its machines start again by themselves, with the data that they had when it was lost (D92). A
fence keeps sites from them, so that a plan without their deallocation may well be proven; but they go on by themselves,
with jobs, mails and clients inside the region, until a reprotection turns them off (S46). A plan that Farshore makes
stops every one of them, and before it protects the machine towards home. One that somebody has edited may not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from farshore.plan.model import (
    Event,
    MachineState,
    Phase,
    Plan,
    PlannedMachine,
    Restore,
    SetMachine,
    Shore,
    Step,
    order,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftRunning:
    """A machine that starts again with old data, and that nothing stops in time."""

    machine: str
    """ARM id, in the source."""
    before: str
    """The step that should come behind its deallocation and need not; empty where nothing deallocates it."""

    def as_json(self) -> dict[str, Any]:
        return {"machine": self.machine, "before": self.before, "source": "D92", "said": str(self)}

    def __str__(self) -> str:
        name = self.machine.rsplit("/", 1)[-1]
        stops = f"need not be deallocated before {self.before}" if self.before else "is deallocated by no step"
        return f"When the region is back {name} may run there with old data, and {stops} (D92)"


def left_running(plan: Plan) -> tuple[LeftRunning, ...]:
    """Every such machine, in the plan's order. None where nothing returns."""
    returns = any(
        isinstance(effect, Restore) and _is_region(effect) for event in plan.events for effect in event.effects
    )
    return tuple(_of(plan)) if returns else ()


def _is_region(effect: Restore) -> bool:
    return any(element.startswith(("region:", "control-plane:")) for element in effect.elements)


def _of(plan: Plan) -> Iterator[LeftRunning]:
    behind = _behind(plan)
    for machine in plan.machines:
        gone = _first(plan, "failover", machine)
        if machine.at is not Shore.HOME or gone is None:
            continue
        stops = {step.id for step in plan.steps if _stops(step, machine)}
        again = _first(plan, ("switch_protection", "reprotect_unmanaged"), machine)
        if not stops:
            yield LeftRunning(machine=machine.id.text, before="")
        elif again is not None and not stops & behind[again.id]:
            yield LeftRunning(machine=machine.id.text, before=again.id)


def _first(plan: Plan, verbs: str | tuple[str, ...], machine: PlannedMachine) -> Step | None:
    """The first of these that is asked of the machine's item in the source, drills aside."""
    for step in plan.steps:
        mine = str(step.action.arguments.get("id")).lower() == machine.item.key
        if (
            mine
            and step.phase is not Phase.DRILL
            and step.action.verb in ((verbs,) if isinstance(verbs, str) else verbs)
        ):
            return step
    return None


def _stops(step: Step, machine: PlannedMachine) -> bool:
    return any(
        isinstance(effect, SetMachine) and effect.id == machine.id and effect.state is MachineState.STOPPED
        for effect in step.effects
    )


def _behind(plan: Plan) -> dict[str, set[str]]:
    """For each step and event all that it comes after, however far."""
    both: tuple[Step | Event, ...] = (*plan.steps, *plan.events)
    after = {node.id: node.after for node in both}
    found: dict[str, set[str]] = {}
    for id_ in order(plan.steps, plan.events):
        found[id_] = {far for near in after[id_] for far in (near, *found[near])}
    return found
