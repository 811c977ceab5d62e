"""What the disaster cost, machine by machine: recovery point, bytes lost, recovery time, and every disk by checksum.

Everything comes from the lab's outside handles and the service's own timestamps, so that anyone can compute it again:

    recovery point     the one that Site Recovery says the failover used, and its time
    bytes lost         lengths of the writes (`/_lab/writes`) to the machine's disks that the point does not hold, up to
                       the end of its service, or later where it was back before people were turned away from it; of a
                       machine that was stopped first, up to when it is served again
    checksums          SHA-256 of the whole disk: the source as of the point by the lab, the failed-over disk
                       as it was made by us, read by Azure's own way
    recovery time      from the end of its service (the loss, where the disaster ends it) to the end of the machine's
                       failover job, or of the last operation that its path waited for, whichever is later; by the
                       service's times
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from farshore.cli.exercise.disks import DiskReader
from farshore.cli.handles import Handles
from farshore.plan.interruption import is_taken
from farshore.plan.model import Phase, Plan, PlannedMachine
from farshore.report.record import Wanted, last_met_at, machine_row, served_at, service_ended_at
from farshore.run.machine import State
from farshore.times import moment, stamp

FAILOVERS = frozenset({"UnplannedFailover", "PlannedFailover", "Failover", "ChangePit"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A disk that a failover made, and what it was made of."""

    source: str
    disk: str
    size: int
    sequence: int
    """The last write that the recovery point holds of this disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """The recovery point that a machine's failover used."""

    id: str
    time: datetime
    sequence: int
    disks: tuple[Made, ...]


async def machines(
    plan: Plan, state: State, handles: Handles, reader: DiskReader, lost_at: datetime, wanted: Mapping[str, Wanted]
) -> list[dict[str, Any]]:
    """The summary's `machines`, in the plan's order. `state` is the run's after the failover."""
    sizes = {str(row["disk"]).lower(): int(row["size"]) for row in (await handles.get("disks"))["value"]}
    rows = []
    for machine in plan.machines:
        used = await _used(machine, handles, sizes)
        disks = [] if used is None else [await _compared(made, handles, reader) for made in used.disks]
        row = machine_row(plan, state, machine, lost_at, wanted.get(machine.id.key))
        row["disks"] = disks
        if used is not None:
            ended = service_ended_at(plan, state, machine, lost_at) or lost_at
            stopped = _is_stopped_first(plan, machine)
            until = (served_at(plan, state, machine) or ended) if stopped else ended
            until = max(until, last_met_at(plan, state, machine) or until)
            row["recovery_point"] = {"id": used.id, "time": stamp(used.time)}
            row["recovery_point_seconds"] = max(0.0, (ended - used.time).total_seconds())
            row["bytes_lost"] = await _bytes_lost(used, handles, until)
        rows.append(row)
    return rows


def _is_stopped_first(plan: Plan, machine: PlannedMachine) -> bool:
    """In good order: of one that the disaster took nothing more was to be had."""
    moves = (step for step in plan.of_phase(Phase.FAILOVER) if step.action.verb == "failover")
    asked = any(step.subject.lower() == machine.item.key and step.action.arguments["shutdown"] for step in moves)
    return asked and not is_taken(plan, machine)


async def _used(machine: PlannedMachine, handles: Handles, sizes: Mapping[str, int]) -> Used | None:
    """The latest point of the machine's item that a failover (no test) was made of."""
    answer = await handles.get("recovery-points", item=machine.item.text, used="true")
    found: list[tuple[str, Used]] = []
    for point in answer["value"]:
        for use in point["used_by"]:
            if use["scenario"] not in FAILOVERS or str(use["machine"]).lower() != machine.target_id.key:
                continue
            disks = tuple(
                Made(
                    source=disk["source"],
                    disk=disk["disk"],
                    size=sizes[str(disk["disk"]).lower()],
                    sequence=int(disk["sequence"]),
                )
                for disk in use["disks"]
            )
            used = Used(id=point["id"], time=moment(point["time"]), sequence=int(point["sequence"]), disks=disks)
            found.append((str(use["time"]), used))
    return max(found, key=lambda item: item[0])[1] if found else None


async def _compared(made: Made, handles: Handles, reader: DiskReader) -> dict[str, Any]:
    how = {"written": "true"} if reader.written else {}
    source = await handles.get("disks", disk=made.source, sequence=str(made.sequence), **how)
    return {
        "id": made.disk,
        "source_id": made.source,
        "sequence": made.sequence,
        "recovery_point_sha256": source["sha256"],
        "failed_over_sha256": await reader.sha256(made.disk, made.size, made.sequence),
    }


async def _bytes_lost(used: Used, handles: Handles, until: datetime) -> int:
    lost = 0
    for made in used.disks:
        rows = await _writes(handles, made.source, used.sequence)
        lost += sum(int(row["length"]) for row in rows if moment(row["time"]) <= until)
    return lost


async def _writes(handles: Handles, disk: str, since: int) -> Sequence[Mapping[str, Any]]:
    rows: list[Mapping[str, Any]] = []
    following: int | None = since
    while following is not None:
        page = await handles.get("writes", disk=disk, since=str(following), limit="10000")
        rows += page["value"]
        following = page["next"]
    return rows
