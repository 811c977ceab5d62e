"""What a plan foresees of its recovery objectives, before anything is touched: those that it can't keep, and why.

A recovery time is foreseen where a machine's service ends and begins again (`graph.py`). It is held against what each
objective that reaches the machine asks for, and the longest part of the way is named: what one would have to shorten.
Of an objective's machines the slowest speaks for all.

A recovery point is foreseen by the policy: a crash-consistent point follows every five minutes, an application-
consistent one every hour (S25), so the disaster may find the last of them as old as that. Who is stopped first loses
nothing to a crash-consistent point; and how old a point is that a person chooses nobody can foresee.

Neither makes a plan unsafe: they are warnings, beside the proof.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from farshore.assess.context import Context
from farshore.assess.objectives import machines_reached
from farshore.estate.estate import Estate
from farshore.estate.project import Objective
from farshore.plan.durations import DECISION, RECOVERY_POINT
from farshore.plan.graph import Recovered, recoveries
from farshore.plan.interruption import is_taken, struck, takes_effect_at_its_end
from farshore.plan.model import Lose, Phase, Plan
from farshore.plan.recovery import APPLICATION_CONSISTENT_IN_MINUTES
from farshore.plan.scenario.scenario import scenario_named
from farshore.plan.scenario.words import Over
from farshore.times import span

TIME, POINT = "recovery time", "recovery point"
HOURLY = timedelta(minutes=APPLICATION_CONSISTENT_IN_MINUTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Short:
    """An objective that the plan falls short of, by its own prediction."""

    objective: str
    what: str
    """`recovery time` or `recovery point`."""
    predicted_seconds: float
    asked_seconds: float
    machine: str
    """ARM id of the machine that is worst off."""
    decides: str
    """What the figure comes from."""

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__} | {"said": str(self)}

    def __str__(self) -> str:
        name = self.machine.rsplit("/", 1)[-1]
        predicted, asked = span(self.predicted_seconds), span(self.asked_seconds)
        if self.what == TIME:
            return (
                f"Objective {self.objective} asks for a recovery time of {asked}, and {predicted} is predicted for"
                f" {name}: {self.decides}"
            )
        return (
            f"Objective {self.objective} asks for a recovery point of {asked}, and the one of {name} may be {predicted}"
            f" old: {self.decides}"
        )


def shorts(plan: Plan, estate: Estate) -> tuple[Short, ...]:
    """Every objective that the plan foresees not to keep, in the objectives' order."""
    asking = [objective for objective in plan.objectives if not objective.deny]
    times, points = {found.machine: found for found in recoveries(plan)}, dict(_points(plan))
    slowest = max((found.seconds for found in times.values()), default=0.0)
    oldest = max((age for age, _ in points.values()), default=timedelta(0))
    asking = [o for o in asking if o.recovery_time.total_seconds() < slowest or o.recovery_point < oldest]
    if not asking:
        return ()
    context = Context(estate)
    return tuple(found for objective in asking for found in _of(plan, context, objective, times, points))


def recovery_line(plan: Plan) -> str:
    """The predicted recovery, and from when exactly it counts; empty where nobody's service ends."""
    found = max(recoveries(plan), key=lambda item: item.seconds, default=None)
    if found is None:
        return ""
    told = f"predicted recovery: all served {span(found.seconds)} after "
    cut = None if found.cut is None else plan.step(found.cut)
    if cut is None:
        return f"{told}the loss, {span(DECISION.duration)} of it to decide"
    event = struck(plan)
    lost = event is not None and any(isinstance(effect, Lose) for effect in event.effects)
    edge = "end" if takes_effect_at_its_end(cut) else "beginning"
    told += f"people lose them, which is at the {edge} of '{cut.title}'; until then the source serves on."
    ahead = f"{span(found.begins)} of the failover before that" if found.begins else ""
    if lost:
        return f"{told} Not counted: {' and '.join(filter(None, (f'{span(DECISION.duration)} to decide', ahead)))}"
    return f"{told} Nothing is lost, and no time to decide is counted" + (f", nor {ahead}" if ahead else "")


def _of(
    plan: Plan,
    context: Context,
    objective: Objective,
    times: dict[str, Recovered],
    points: dict[str, tuple[timedelta, str]],
) -> Iterator[Short]:
    reached = machines_reached(context, objective)
    ids = {machine.id.key: machine.id.text for machine in plan.machines if machine.id.key in reached}
    late = [times[key] for key in ids if key in times]
    worst = max(late, key=lambda found: found.seconds, default=None)
    if worst is not None and worst.seconds > objective.recovery_time.total_seconds():
        yield Short(
            objective=objective.name,
            what=TIME,
            predicted_seconds=worst.seconds,
            asked_seconds=objective.recovery_time.total_seconds(),
            machine=ids[worst.machine],
            decides=_longest(plan, worst),
        )
    old = max((key for key in ids if key in points), key=lambda key: points[key][0], default=None)
    if old is not None and points[old][0] > objective.recovery_point:
        yield Short(
            objective=objective.name,
            what=POINT,
            predicted_seconds=points[old][0].total_seconds(),
            asked_seconds=objective.recovery_point.total_seconds(),
            machine=ids[old],
            decides=points[old][1],
        )


def _longest(plan: Plan, found: Recovered) -> str:
    steps = [step for id_ in found.path.steps if (step := plan.step(id_)) is not None]
    longest = max(steps, key=lambda step: step.expected_duration)
    if found.cut is None and longest.expected_duration < DECISION.duration:
        return f"{span(DECISION.duration)} of it to decide"
    return f"{span(longest.expected_duration)} of it for '{longest.title}'"


def _points(plan: Plan) -> Iterator[tuple[str, tuple[timedelta, str]]]:
    """Machine (id in lower case) to how old its recovery point may be, and why."""
    over = scenario_named(plan.scenario).over
    if over in (Over.CHOSEN, Over.CHANGED):
        return
    moves = {step.subject.lower(): step for step in plan.of_phase(Phase.FAILOVER) if step.action.verb == "failover"}
    for machine in plan.machines:
        move = moves.get(machine.item.key)
        if move is None:
            continue
        if over is Over.APPLICATION:
            yield machine.id.key, (HOURLY, "an application-consistent point is taken once an hour (S25)")
        elif not move.action.arguments["shutdown"] or is_taken(plan, machine):
            every = RECOVERY_POINT.duration
            yield machine.id.key, (every, "a crash-consistent point is taken every five minutes (S25)")
