"""A plan told step by step round a table: when, who does what, what people lose meanwhile, where it stops and asks.

The clock is the plan's own prediction, and T+0 is the disaster. What comes before it is counted back from it; after it
people take `DECISION` to decide. When what was lost returns nobody can expect: the clock goes on as though it returned
as soon as the far shore serves. Nothing is read and nothing acts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from farshore.plan.durations import DECISION
from farshore.plan.graph import finish_times
from farshore.plan.interruption import lost_at_once
from farshore.plan.model import Phase, Plan, Step, StepKind
from farshore.run.actuators import instruction
from farshore.times import span

BEFORE = (Phase.PROVISION, Phase.PROTECT, Phase.DRILL)
_ARM = "Farshore, by ARM"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that is told."""

    begins_seconds: float
    ends_seconds: float
    phase: str
    step: str
    who: str
    what: str
    how: str
    """What exactly is sent, set, asked or read."""
    stops: bool
    """The run waits here for a person."""

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tabletop:
    scenario: str
    lines: tuple[Line, ...]
    losses: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "format": 1,
            "kind": "tabletop",
            "scenario": self.scenario,
            "steps": [line.as_json() for line in self.lines],
            "losses": list(self.losses),
            "stops": [line.step for line in self.lines if line.stops],
        }


def tabletop(plan: Plan) -> Tabletop:
    """The plan as it would go, in the order in which things begin."""
    early = plan.of_phase(*BEFORE)
    late = tuple(step for step in plan.steps if step.phase not in BEFORE)
    before, after = finish_times(early), finish_times(late, plan.events)
    length = max(before.values(), default=timedelta(0))
    lines = [_line(step, before[step.id] - length) for step in early]
    lines += [_line(step, after[step.id] + DECISION.duration) for step in late]
    for event in plan.events:
        at = (after[event.id] + (DECISION.duration if after[event.id] else timedelta(0))).total_seconds()
        lines.append(_event(event.id, event.title, at))
    lines.sort(key=lambda line: (line.begins_seconds, line.step not in {e.id for e in plan.events}, line.ends_seconds))
    return Tabletop(scenario=plan.scenario, lines=tuple(lines), losses=tuple(_losses(plan)))


def tabletop_text(told: Tabletop) -> str:
    """For people: a line a step with its clock, and under it what exactly is done."""
    out = [f"Scenario {told.scenario}, told from the plan; nothing acts. T+0 is the disaster.", ""]
    out += [*told.losses, ""]
    phase = ""
    for line in told.lines:
        if line.phase != phase:
            phase = line.phase
            out += ["", phase.upper()]
        out.append(f"{_clock(line.begins_seconds):<14}  {line.who:<18}  {line.what}")
        if line.how:
            out.append(f"{'':<14}  {'':<18}  {line.how}")
        if line.stops:
            out.append(f"{'':<14}  {'':<18}  STOPS: the run goes on when it is told that this is done")
    stops = sum(line.stops for line in told.lines)
    out += ["", f"The run would stop and ask {stops} times." if stops else "The run would ask nobody."]
    return "\n".join(out)


# Parts. ------------------------------------------------------------------------------------------------------------


def _line(step: Step, end: timedelta) -> Line:
    who, how, stops = _told(step)
    return Line(
        begins_seconds=(end - step.expected_duration).total_seconds(),
        ends_seconds=end.total_seconds(),
        phase=step.phase.value,
        step=step.id,
        who=who,
        what=step.title,
        how=how,
        stops=stops,
    )


def _event(id_: str, title: str, at: float) -> Line:
    return Line(
        begins_seconds=at, ends_seconds=at, phase=id_, step=id_, who="what happens", what=title, how="", stops=False
    )


def _told(step: Step) -> tuple[str, str, bool]:
    """Who, how exactly, and whether the run waits for them."""
    arguments: Any = step.action.arguments
    if step.kind is StepKind.SITE:
        command = arguments.get("command")
        text = instruction(str(arguments["site"]), arguments["routers"])
        who = "the site's people" if command is None else "the site's program"
        return who, text if command is None else f"{' '.join(command)}: {text}", command is None
    if step.kind is StepKind.PERSON:
        return "a person", str(arguments.get("instruction") or ""), True
    if step.kind is StepKind.CHECK:
        return "Farshore reads", _read(step), False
    if step.action.verb == "change_names":
        rows = [f"{_short(row['record'])} {row['from']} to {row['to']}" for row in arguments["records"]]
        return "the user's program", f"{' '.join(arguments['command'])}: {', '.join(rows)}", False
    maybe = "; a refusal is expected here, and leaves an obligation" if step.may_fail else ""
    return _ARM, f"{step.action.verb} {_short(step.subject)}{maybe}", False


def _read(step: Step) -> str:
    arguments: Any = step.action.arguments
    match step.action.verb:
        case "read_circuit":
            expect = arguments["expect"]
            wanted = [f"{text} there" for text in expect["present"]] + [f"{text} gone" for text in expect["absent"]]
            return f"the tables of both links: {', '.join(wanted)}"
        case "check_routes":
            return f"the NIC's effective routes: {len(arguments['rows'])} rows as proven, and no other"
        case "check_machine":
            return f"power state, and the address {arguments['address']}"
        case "check_clean":
            return f"{len(arguments['absent'])} resources gone, and no disk of theirs"
        case _:
            return f"{step.action.verb} {_short(step.subject)}"


def _short(subject: str) -> str:
    return "/".join(subject.rsplit("/", 2)[-2:])


def _losses(plan: Plan) -> list[str]:
    """What people lose meanwhile, machine by machine."""
    found = []
    for machine in plan.machines:
        seconds = plan.predicted_recovery_seconds.get(machine.id.key)
        if seconds is None:
            found.append(f"{machine.id.name}: never lost to the people who use it")
        else:
            since = "the disaster" if lost_at_once(plan, machine) else "the first step that takes it away"
            found.append(f"{machine.id.name}: not served for {span(seconds)} from {since}, by prediction")
    return found


def _clock(seconds: float) -> str:
    return f"T{'-' if seconds < 0 else '+'}{span(abs(seconds))}"
