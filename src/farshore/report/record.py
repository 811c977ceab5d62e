"""What a run's own record says, whoever drove it: an exercise in one go, or people verb by verb.

The record is the plan, the proof and the journal, by the service's own times; no cloud is asked. Rows and values are
those of the exercise's summary (docs/reference/schemas.md). What only an exercise can measure in its lab (packets,
bytes, checksums) is None here; the exercise fills it in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from farshore.arm.json import Body, dumps, pretty
from farshore.assess import resolve
from farshore.assess.context import Context
from farshore.assess.objectives import machines_reached
from farshore.estate.estate import Estate
from farshore.estate.project import Objective
from farshore.plan.carried.file import carried_as_json, name_as_json
from farshore.plan.durations import RECOVERY_POINT
from farshore.plan.file import plan_as_json
from farshore.plan.foreseen import POINT, TIME
from farshore.plan.graph import bringing_steps
from farshore.plan.interruption import (
    cut_by,
    lost_at_once,
    may_return,
    takes_effect_at_its_end,
    turned_away_by,
)
from farshore.plan.model import Phase, Plan, PlannedMachine, Step
from farshore.prove.file import proof_as_json
from farshore.prove.values import Proof
from farshore.report.html import Evidence, render
from farshore.run.events import Kind, RunEvent
from farshore.run.machine import State
from farshore.run.states import StepState
from farshore.times import moment, span

COMPUTED = "gateway rows: computed, not read (GatewaySubnet's routes can't be asked for)"
NO_GUARD: dict[str, Any] = {
    "disconnect_error": None,
    "region_answered_at": None,
    "delete_sent_at": None,
    "exposure_seconds": None,
    "exposure_packets": None,
}


def files_of(
    estate: Iterable[Body], plan: Plan, proof: Proof, summary: Any, evidence: Evidence, events: Iterable[RunEvent]
) -> dict[str, bytes]:
    """The files that a run leaves, and that its bundle holds: the bodies it began with, what was promised, proven and
    done, and the report of it."""
    return {
        "estate.json": pretty(list(estate)).encode(),
        "plan.json": pretty(plan_as_json(plan)).encode(),
        "proof.json": pretty(proof_as_json(proof)).encode(),
        "summary.json": pretty(summary).encode(),
        "report.html": render(evidence).encode(),
        "journal.jsonl": b"".join(dumps(event.as_json()) + b"\n" for event in events),
    }


def marked(trace: str) -> str:
    """A flow's way, with what of it nobody can be asked for said to be computed: Azure answers with the effective
    routes of NICs and the tables of circuits, and with those of no GatewaySubnet."""
    by_gateway = any(line.split()[:1] == ["gateway"] for line in trace.splitlines())
    return f"{trace}\n\n{COMPUTED}" if by_gateway else trace


def obligations(plan: Plan) -> list[dict[str, str]]:
    """What is owed after the run, and why."""
    return [{"title": owed.title, "because": owed.because} for owed in plan.obligations]


def carried(plan: Plan) -> list[dict[str, Any]]:
    """What hangs on the machines, as in plan.json."""
    return [carried_as_json(row) for row in plan.carried]


def names(plan: Plan) -> list[dict[str, str]]:
    """The records whose addresses a failover changes, as in plan.json."""
    return [name_as_json(change) for change in plan.names]


def proof_row(proof: Proof) -> dict[str, Any]:
    """The summary's `proof`."""
    return {
        "ok": proof.ok,
        "cuts": proof.cuts,
        "states": proof.states,
        "exhaustive": proof.exhaustive,
        "failures": list(proof.failures),
        "counterexamples": [example.summary for example in proof.counterexamples],
    }


def declared_at(events: Iterable[RunEvent]) -> datetime | None:
    """When the disaster was declared; None before it."""
    told = (event.at for event in events if event.kind is Kind.HAPPENED and event.body.get("event") == "disaster")
    return next(told, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the objectives ask for a machine."""

    recovery_time: timedelta
    recovery_point: timedelta

    @classmethod
    def of(cls, objective: Objective) -> Wanted:
        return cls(recovery_time=objective.recovery_time, recovery_point=objective.recovery_point)


def wanted_of(plan: Plan, estate: Estate) -> dict[str, Wanted]:
    """The strictest of the objectives that reach each machine, by the machine's id in lower case. A machine that no
    objective reaches has none."""
    strictest: dict[str, Wanted] = {}
    for objective in plan.objectives:
        for conversation in () if objective.deny else resolve(objective, estate):
            if conversation.destination.machine is None:
                continue
            key = conversation.destination.machine.key
            known = strictest.get(key, Wanted.of(objective))
            strictest[key] = Wanted(
                recovery_time=min(known.recovery_time, objective.recovery_time),
                recovery_point=min(known.recovery_point, objective.recovery_point),
            )
    return strictest


def objectives_not_kept(
    plan: Plan, estate: Estate, rows: Iterable[Mapping[str, Any]], excuse: Callable[[str], str] = lambda what: ""
) -> list[dict[str, Any]]:
    """The summary's rows of objectives that a measured recovery time or point passes, each with the machine that is
    worst off. `excuse` says of a recovery time or point why nobody could keep it."""
    measured = {
        TIME: {_key(row): row["recovery_time_seconds"]["measured"] for row in rows},
        POINT: {_key(row): row["recovery_point_seconds"] for row in rows},
    }
    context, found = Context(estate), []
    for objective in plan.objectives:
        reached = frozenset() if objective.deny else machines_reached(context, objective)
        for what, asked in ((TIME, objective.recovery_time), (POINT, objective.recovery_point)):
            known = {key: seconds for key, seconds in measured[what].items() if seconds is not None and key in reached}
            worst = max(known, key=lambda key: known[key], default=None)
            if worst is None or known[worst] <= asked.total_seconds():
                continue
            machine = next(item.id for item in plan.machines if item.id.key == worst)
            found.append(
                {
                    "objective": objective.name,
                    "what": what,
                    "measured_seconds": known[worst],
                    "asked_seconds": asked.total_seconds(),
                    "machine": machine.text,
                    "excuse": excuse(what) or None,
                    "said": f"objective {objective.name} asks for a {what} of {span(asked)}, and {machine.name}'s was"
                    f" {span(known[worst])}" + (f": {excuse(what)}" if excuse(what) else ""),
                }
            )
    return found


def _key(row: Mapping[str, Any]) -> str:
    return str(row["id"]).lower()


def machine_row(
    plan: Plan, state: State, machine: PlannedMachine, lost_at: datetime, asked: Wanted | None
) -> dict[str, Any]:
    """The summary's row of one machine: its recovery time, from the end of its service (the loss, or the first step
    that takes it away, `plan/interruption.py`) to the service's own end of what the machine waited for."""
    served = served_at(plan, state, machine)
    ended = service_ended_at(plan, state, machine, lost_at)
    return {
        "id": machine.id.text,
        "target_id": machine.target_id.text,
        "disks": [],
        "recovery_point": None,
        "bytes_lost": None,
        "recovery_point_seconds": None,
        "recovery_point_predicted_seconds": RECOVERY_POINT.duration.total_seconds(),
        "recovery_point_objective_seconds": None if asked is None else asked.recovery_point.total_seconds(),
        "recovery_time_seconds": {
            "measured": None if served is None or ended is None else (served - ended).total_seconds(),
            "predicted": plan.predicted_recovery_seconds.get(machine.id.key),
            "objective": None if asked is None else asked.recovery_time.total_seconds(),
        },
    }


def service_ended_at(plan: Plan, state: State, machine: PlannedMachine, lost_at: datetime) -> datetime | None:
    """When people lost the machine where it was; None where they never did."""
    return lost_at if lost_at_once(plan, machine) else _first(plan, state, cut_by(plan, machine))


def last_met_at(plan: Plan, state: State, machine: PlannedMachine) -> datetime | None:
    """Until when people may have met the machine where it was, though the disaster had ended its service: where it may
    be back before they are turned away. None where it is not met again, or not before others have its place."""
    return _first(plan, state, turned_away_by(plan, machine)) if may_return(plan) else None


def _first(plan: Plan, state: State, ids: Iterable[str]) -> datetime | None:
    steps = [step for id_ in ids if (step := plan.step(id_)) is not None]
    return min((began for step in steps if (began := _cut(state, step)) is not None), default=None)


def served_at(plan: Plan, state: State, machine: PlannedMachine) -> datetime | None:
    """When the last of what the machine's service waited for had ended, by the service's own times: its failover where
    it moves, and every step that brings its network to the sites (`plan/graph.py`)."""
    moves = (step for step in plan.of_phase(Phase.FAILOVER) if step.action.verb == "failover")
    failover = next((step for step in moves if step.subject.lower() == machine.item.key), None)
    ends = [] if failover is None else [_ended(state, failover.id)]
    ends += [_ended(state, step.id) for step in bringing_steps(plan)]
    known = [end for end in ends if end is not None]
    return max(known, default=None) if failover is None or ends[0] is not None else None


def _cut(state: State, step: Step) -> datetime | None:
    """When a step takes the machine away: what people do at its end, else at the service's own beginning of its job or
    operation, else when it was intended."""
    record = state.steps.get(step.id)
    if record is None:
        return None
    if takes_effect_at_its_end(step):
        return _ended(state, step.id) or record.accepted_at
    told = record.result.get("started_at") or record.result.get("sent_at")
    return moment(str(told)) if told else record.intended_at


def _ended(state: State, step_id: str) -> datetime | None:
    """The service's end of a step's operation or job; nothing where the step found its work done already."""
    record = state.steps.get(step_id)
    ended = None if record is None else record.result.get("ended_at")
    return moment(str(ended)) if ended else None


def guard(plan: Plan, state: State) -> dict[str, Any]:
    """The summary's `guard`, from the results of its steps, which hold the service's own times (D60 to D65)."""
    disconnect = next((s for s in plan.of_phase(Phase.FAILOVER) if s.may_fail and s.action.verb == "delete"), None)
    watch = next((s for s in plan.of_phase(Phase.RETURN) if s.action.verb == "await_region"), None)
    delete = next((s for s in plan.of_phase(Phase.RETURN) if s.action.verb == "delete"), None)
    error = None
    if disconnect is not None:
        record = state.steps[disconnect.id]
        fault = record.fault or {}
        error = (
            f"{fault.get('code')}: {fault.get('message')}"
            if record.state is StepState.FAILED
            else "none: the connection was deleted while its region was lost"
            if record.state is StepState.DONE
            else None
        )
    return {
        **NO_GUARD,
        "disconnect_error": error,
        "region_answered_at": None if watch is None else _result(state, watch.id, "answered_at"),
        "delete_sent_at": None if delete is None else _result(state, delete.id, "sent_at"),
    }


def _result(state: State, step_id: str, key: str) -> str | None:
    found = state.steps[step_id].result.get(key)
    return None if found is None else str(found)
