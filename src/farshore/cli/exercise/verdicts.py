"""What can be said at the end of a phase, and from what: packets of the lab, the proof, the journal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from farshore.cli.exercise.measure import Wanted
from farshore.cli.exercise.residents import Diary, Traffic
from farshore.plan.model import Phase, Plan
from farshore.prove.covered import uncovered_cut
from farshore.prove.values import Proof
from farshore.run.cuts import cuts_of
from farshore.run.events import RunEvent
from farshore.run.machine import State
from farshore.run.states import StepState
from farshore.times import moment

DELIVERED, DENIED = "Delivered", "Denied"


def objectives(plan: Plan, proof: Proof, diary: Diary, phase: str) -> list[dict[str, Any]]:
    """The contract's rows: each objective met by every packet, or how the first one ended."""
    answers: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for (name, _), answer in diary.last.items():
        answers[name].append(answer)
    traces = {(verdict.objective, verdict.phase): verdict.trace for verdict in proof.verdicts}
    rows = []
    for objective in plan.objectives:
        given = answers.get(objective.name, [])
        wanted = DENIED if objective.deny else DELIVERED
        bad = next((answer for answer in given if answer["disposition"] != wanted), None)
        rows.append(
            {
                "name": objective.name,
                "phase": phase,
                "verdict": str(bad["disposition"]) if bad is not None else wanted if given else "NoFlow",
                "flows": len(given),
                "trace": traces.get((objective.name, phase)) or _way(given),
            }
        )
    return rows


def unmet(plan: Plan, rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rows of objectives that are not met: what should arrive did not, or what should be denied was not."""
    denied = {objective.name for objective in plan.objectives if objective.deny}
    return [row for row in rows if row["verdict"] != (DENIED if row["name"] in denied else DELIVERED)]


def time_of(answer: Any, otherwise: datetime) -> datetime:
    """When the lab says that something happened."""
    said = answer.get("time") or answer.get("at") if isinstance(answer, dict) else None
    return moment(str(said)) if said else otherwise


def learned(plan: Plan) -> list[str]:
    """What a drill in an isolated network proved, and what it can't have proved."""
    tested = [step for step in plan.of_phase(Phase.DRILL) if step.action.verb == "test_failover"]
    return [
        f"{len(tested)} machines booted from their recovery points, each with its own address",
        "The test network is connected to nothing: production could not be touched, no packet left it (D16).",
        "The path over the target's circuit, gateway and appliance was not part of this drill. It is computed by the"
        " proof, and read back from the circuit's tables and the machines' effective routes at failover.",
    ]


def recovery_objectives(plan: Plan, traffic: Iterable[Traffic]) -> dict[str, Wanted]:
    """The strictest of the objectives that reach each machine, by the machine's id in lower case. A machine that no
    objective reaches has none."""
    asked = {objective.name: objective for objective in plan.objectives}
    strictest: dict[str, Wanted] = {}
    for flow in traffic:
        if flow.machine is not None and not flow.denied:
            objective, known = asked[flow.objective], strictest.get(flow.machine)
            strictest[flow.machine] = Wanted(
                recovery_time=min(objective.recovery_time, known.recovery_time if known else objective.recovery_time),
                recovery_point=min(
                    objective.recovery_point, known.recovery_point if known else objective.recovery_point
                ),
            )
    return strictest


def wrong_machines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Sentences about machines whose disks differ from their recovery point, that came back too late, or with
    data too old."""
    said = []
    for row in rows:
        name = str(row["id"]).rsplit("/", 1)[-1]
        if not row["disks"]:
            said.append(f"{name}: no disk of a failover was found")
        for disk in row["disks"]:
            if disk["recovery_point_sha256"] != disk["failed_over_sha256"]:
                said.append(f"{name}: {disk['id']} is not the bytes of its recovery point")
        times = row["recovery_time_seconds"]
        if times["measured"] is None:
            said.append(f"{name}: no recovery time could be measured")
        elif times["objective"] is not None and times["measured"] > times["objective"]:
            said.append(
                f"{name}: served again after {times['measured']:.0f} s, {times['objective']:.0f} s were asked for"
            )
        point, wanted = row["recovery_point_seconds"], row["recovery_point_objective_seconds"]
        if point is not None and wanted is not None and point > wanted:
            said.append(f"{name}: its recovery point was {point:.0f} s old, {wanted:.0f} s were asked for")
    return said


def guard(plan: Plan, state: State, diary: Diary | None) -> dict[str, Any]:
    """The contract's `guard`: from the journal's results, which hold the service's own times, and from the packets
    that somebody sent."""
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
        "disconnect_error": error,
        "region_answered_at": None if watch is None else _result(state, watch.id, "answered_at"),
        "delete_sent_at": None if delete is None else _result(state, delete.id, "sent_at"),
        "exposure_seconds": None if diary is None else diary.exposed_seconds,
        "exposure_packets": None if diary is None else diary.exposed_packets,
    }


def uncovered(plan: Plan, proof: Proof | None, events: Sequence[RunEvent]) -> str | None:
    """The first moment of the run that was not among the proof's cuts, as a sentence; None when all were."""
    if proof is None:
        return "there is no proof"
    for cut in cuts_of(plan, events):
        missed = uncovered_cut(proof, plan, cut)
        if missed:
            return missed
    return None


def _result(state: State, step_id: str, key: str) -> str | None:
    found = state.steps[step_id].result.get(key)
    return None if found is None else str(found)


def _way(answers: Sequence[Mapping[str, Any]]) -> str:
    return str(answers[0].get("trace") or answers[0].get("because") or "") if answers else ""
