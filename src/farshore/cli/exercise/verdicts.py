"""What can be said at the end of a phase: objectives by packets of the lab, machines by what was measured of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from farshore.cli.exercise.residents import Diary
from farshore.cli.words import many
from farshore.plan.foreseen import POINT, TIME
from farshore.plan.interruption import is_taken
from farshore.plan.model import Phase, Plan
from farshore.plan.scenario.scenario import scenario_named
from farshore.plan.scenario.words import Over
from farshore.prove.values import Proof
from farshore.report.record import marked
from farshore.times import moment

DELIVERED, DENIED = "Delivered", "Denied"


def objectives(plan: Plan, proof: Proof, diary: Diary, phase: str) -> list[dict[str, Any]]:
    """The summary's rows: each objective met by every packet, or how the first one ended."""
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
                "trace": marked(traces.get((objective.name, phase)) or _way(given)),
            }
        )
    return rows


def unmet(
    plan: Plan, rows: Sequence[Mapping[str, Any]], silent: frozenset[str] = frozenset()
) -> list[Mapping[str, Any]]:
    """The rows of objectives that are not met: what should arrive did not, or what should be denied was not. Nothing is
    owed to a site that is `silent`: nobody is there."""
    denied = {objective.name for objective in plan.objectives if objective.deny}
    owed = {item.name for item in plan.objectives if item.deny or not {item.from_, item.to} & silent}
    return [
        row
        for row in rows
        if row["name"] in owed and row["verdict"] != (DENIED if row["name"] in denied else DELIVERED)
    ]


def exposed(plan: Plan, rows: Sequence[Mapping[str, Any]], returned_at: datetime | None) -> str:
    """A sentence about packets that met old data or a second network where nothing excuses it; empty where none did.
    Exempt (D63): one circuit, kept addresses, the disconnect failed, from the region's return until its DELETE."""
    guarded = any(step.may_fail and step.action.verb == "delete" for step in plan.of_phase(Phase.FAILOVER))
    bad = [row for row in rows if not guarded or returned_at is None or moment(str(row["since"])) < returned_at]
    if not bad:
        return ""
    packets = sum(int(row["packets"]) for row in bad)
    first = bad[0]
    return (
        f"{many(packets, 'packet')} met old data or a second network, the first of {first['name']} at {first['since']}:"
        f" {first['disposition']}"
    )


def time_of(answer: Any, otherwise: datetime) -> datetime:
    """When the lab says that something happened."""
    said = answer.get("time") or answer.get("at") if isinstance(answer, dict) else None
    return moment(str(said)) if said else otherwise


OLDER_ON_PURPOSE = frozenset({Over.CHOSEN, Over.CHANGED, Over.APPLICATION})
"""A person who asks for such a point knows that it is old."""


def excuse_of(plan: Plan, *, waited: bool) -> Callable[[str], str]:
    """Why an objective could not be kept, by `recovery time` and `recovery point`; empty where nothing excuses it. Not
    kept it is all the same."""
    older = scenario_named(plan.scenario).over in OLDER_ON_PURPOSE
    excuses = {
        TIME: "a person had to decide, and what that takes no plan can promise" if waited else "",
        POINT: "the scenario goes to an older point on purpose" if older else "",
    }
    return lambda what: excuses[what]


def wrong_machines(plan: Plan, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Sentences about machines whose disks differ from their recovery point, or whose recovery time could not be
    measured; and of machines that were stopped first (the dead are not), with anything lost."""
    over = scenario_named(plan.scenario).over
    dead = {machine.id.text for machine in plan.machines if is_taken(plan, machine)}
    moved = {str(step.action.arguments["vm"]).lower() for step in plan.steps if step.action.verb == "failover"}
    said = []
    for row in rows:
        name = str(row["id"]).rsplit("/", 1)[-1]
        moves = str(row["target_id"]).lower() in moved
        if moves and not row["disks"]:
            said.append(f"{name}: no disk of a failover was found")
        for disk in row["disks"]:
            if disk["recovery_point_sha256"] != disk["failed_over_sha256"]:
                said.append(f"{name}: {disk['id']} is not the bytes of its recovery point")
        times = row["recovery_time_seconds"]
        if times["measured"] is None and times["predicted"] is not None:
            said.append(f"{name}: no recovery time could be measured")
        if over is Over.PLANNED and row["bytes_lost"] and row["id"] not in dead:
            said.append(f"{name}: {many(row['bytes_lost'], 'byte')} lost, and it was stopped first")
    return said + _torn_groups(plan, rows)


def _torn_groups(plan: Plan, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Consistency groups whose machines came of different moments. That the disks are those of the moment their
    checksums say."""
    by_item = {machine.item.key: machine.id.key for machine in plan.machines}
    points = {str(row["id"]).lower(): (row.get("recovery_point") or {}).get("time") for row in rows}
    said = []
    for step in plan.of_phase(Phase.FAILOVER):
        if step.action.verb == "shared_point":
            items: Any = step.action.arguments["items"]
            times = {points.get(by_item[str(item).lower()]) for item in items}
            if len(times) > 1 or None in times:
                moments = ", ".join(sorted(str(time) for time in times))
                said.append(f"{step.id.rsplit('/', 1)[-1]}: its machines are of different moments: {moments}")
    return said


def _way(answers: Sequence[Mapping[str, Any]]) -> str:
    return str(answers[0].get("trace") or answers[0].get("because") or "") if answers else ""
