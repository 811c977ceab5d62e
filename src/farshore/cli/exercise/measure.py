"""What the disaster cost, machine by machine: recovery point, bytes lost, recovery time, and every disk by checksum.

Everything comes from the lab's outside handles and the service's own timestamps, so that anyone can compute it again:

    recovery point     the one that Site Recovery says the failover used, and its time
    bytes lost         lengths of the writes (`/_lab/writes`) to the machine's disks that the point does not hold, up to
                       the loss of the region
    checksums          SHA-256 of the whole disk: the source as of the point by the lab, the failed-over disk
                       as it was made by us, read by Azure's own way
    recovery time      from the loss of the region to the end of the machine's failover job, or of the last operation
                       that its path waited for, whichever is later; by the service's times
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from farshore.cli.exercise.disks import DiskReader
from farshore.cli.handles import Handles
from farshore.plan.durations import RECOVERY_POINT
from farshore.plan.model import Plan, PlannedMachine
from farshore.run.machine import State
from farshore.times import moment, stamp

FAILOVERS = frozenset({"UnplannedFailover", "PlannedFailover", "Failover"})


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the objectives ask for a machine."""

    recovery_time: timedelta
    recovery_point: timedelta


async def machines(
    plan: Plan, state: State, handles: Handles, reader: DiskReader, lost_at: datetime, wanted: Mapping[str, Wanted]
) -> list[dict[str, Any]]:
    """The contract's `machines`, in the plan's order. `state` is the run's after the failover."""
    sizes = {str(row["disk"]).lower(): int(row["size"]) for row in (await handles.get("disks"))["value"]}
    rows = []
    for machine in plan.machines:
        used = await _used(machine, handles, sizes)
        disks = [] if used is None else [await _compared(made, handles, reader) for made in used.disks]
        served = served_at(plan, state, machine)
        asked = wanted.get(machine.id.key)
        rows.append(
            {
                "id": machine.id.text,
                "target_id": machine.target_id.text,
                "disks": disks,
                "recovery_point": None if used is None else {"id": used.id, "time": stamp(used.time)},
                "bytes_lost": None if used is None else await _bytes_lost(used, handles, lost_at),
                "recovery_point_seconds": None if used is None else (lost_at - used.time).total_seconds(),
                "recovery_point_predicted_seconds": RECOVERY_POINT.duration.total_seconds(),
                "recovery_point_objective_seconds": None if asked is None else asked.recovery_point.total_seconds(),
                "recovery_time_seconds": {
                    "measured": None if served is None else (served - lost_at).total_seconds(),
                    "predicted": plan.predicted_recovery_seconds.get(machine.id.key),
                    "objective": None if asked is None else asked.recovery_time.total_seconds(),
                },
            }
        )
    return rows


def served_at(plan: Plan, state: State, machine: PlannedMachine) -> datetime | None:
    """When the last of what the machine's service waited for had ended, by the service's own times: its failover, and
    in its failover's phase every step of the network that its last check comes after."""
    last = next((s for s in plan.steps if s.action.verb == "check_routes" and _is_of(s.subject, machine)), None)
    failover = next(
        (s for s in plan.steps if s.action.verb == "failover" and s.subject.lower() == machine.item.key), None
    )
    if failover is None:
        return None
    ends = [_ended(state, failover.id)]
    waiting = list(last.after) if last is not None else []
    seen: set[str] = set()
    while waiting:
        id_ = waiting.pop()
        step = plan.step(id_)
        if id_ in seen or step is None or step.phase is not failover.phase:
            continue
        seen.add(id_)
        waiting += step.after
        if step.action.verb not in ("failover", "check_machine", "check_routes"):
            ends.append(_ended(state, id_))
    known = [end for end in ends if end is not None]
    return max(known) if ends[0] is not None else None


def _is_of(subject: str, machine: PlannedMachine) -> bool:
    return subject.lower() in (machine.target_nic.key, machine.target_id.key)


def _ended(state: State, step_id: str) -> datetime | None:
    """The service's end of a step's operation or job; nothing where the step found its work done already."""
    record = state.steps.get(step_id)
    ended = None if record is None else record.result.get("ended_at")
    return moment(str(ended)) if ended else None


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
    source = await handles.get("disks", disk=made.source, sequence=str(made.sequence))
    return {
        "id": made.disk,
        "recovery_point_sha256": source["sha256"],
        "failed_over_sha256": await reader.sha256(made.disk, made.size, made.sequence),
    }


async def _bytes_lost(used: Used, handles: Handles, lost_at: datetime) -> int:
    lost = 0
    for made in used.disks:
        rows = await _writes(handles, made.source, used.sequence)
        lost += sum(int(row["length"]) for row in rows if moment(row["time"]) <= lost_at)
    return lost


async def _writes(handles: Handles, disk: str, since: int) -> Sequence[Mapping[str, Any]]:
    rows: list[Mapping[str, Any]] = []
    following: int | None = since
    while following is not None:
        page = await handles.get("writes", disk=disk, since=str(following), limit="10000")
        rows += page["value"]
        following = page["next"]
    return rows
