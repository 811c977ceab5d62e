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

from farshore.plan.model import MachineState, Phase, Plan, Restore, SetMachine, Shore, below_of

MOVES = frozenset({"failover"})
TURNS = frozenset({"switch_protection", "reprotect_unmanaged"})
"""What turns the old machine off, at the latest (S46)."""


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
    stops = _stops(plan)
    gone, again = _first(plan, MOVES), _first(plan, TURNS)
    below = below_of(plan, [*(id_ for ids in stops.values() for id_ in ids), *again.values()])
    for machine in plan.machines:
        if machine.at is not Shore.HOME or machine.item.key not in gone:
            continue
        stopped, turned = stops.get(machine.id.key, ()), again.get(machine.item.key)
        if not stopped:
            yield LeftRunning(machine=machine.id.text, before="")
        elif turned is not None and not any(below.bit[id_] & below.under[turned] for id_ in stopped):
            yield LeftRunning(machine=machine.id.text, before=turned)


def _first(plan: Plan, verbs: frozenset[str]) -> dict[str, str]:
    """For each protected item (its id in lower case) the first step of these verbs, drills aside."""
    found: dict[str, str] = {}
    for step in plan.steps:
        if step.action.verb in verbs and step.phase is not Phase.DRILL:
            found.setdefault(str(step.action.arguments.get("id")).lower(), step.id)
    return found


def _stops(plan: Plan) -> dict[str, list[str]]:
    """For each machine (its id in lower case) the steps that stop it."""
    found: dict[str, list[str]] = {}
    for step in plan.steps:
        for effect in step.effects:
            if isinstance(effect, SetMachine) and effect.state is MachineState.STOPPED:
                found.setdefault(effect.id.key, []).append(step.id)
    return found
