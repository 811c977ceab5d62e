"""What the disaster cost, machine by machine: recovery point, bytes lost, recovery time, and every disk by checksum.

Everything comes from the lab's outside handles and the service's own timestamps, so that anyone can compute it again:

    recovery point     the one that Site Recovery says the failover used, and its time
    bytes lost         lengths of the writes (`/_lab/writes`) to the machine's disks after what the point holds
    checksums          SHA-256 of the whole disk: of the source's disk as of the point, and of the failed-over disk as it
                       was when its machine was made, both read through Azure's own way (a SAS URL, a page blob)
    recovery time      from the loss of the region to the end of the machine's failover job, or of the last thing that its
                       path waited for, whichever is later; by the service's times
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from farshore.cli.handles import Handles
from farshore.plan.model import Plan, PlannedMachine


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """One machine's figures, in the contract's shape."""

    machine: PlannedMachine
    disks: tuple[Mapping[str, Any], ...]
    recovery_point: Mapping[str, Any] | None
    bytes_lost: int | None
    recovery_point_seconds: float | None
    measured: float | None
    predicted: float | None
    objective: float | None

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.machine.id.text,
            "target_id": self.machine.target_id.text,
            "disks": [dict(disk) for disk in self.disks],
            "recovery_point": None if self.recovery_point is None else dict(self.recovery_point),
            "bytes_lost": self.bytes_lost,
            "recovery_point_seconds": self.recovery_point_seconds,
            "recovery_time_seconds": {
                "measured": self.measured,
                "predicted": self.predicted,
                "objective": self.objective,
            },
        }


def time_of(text: str) -> datetime:
    """An ISO time as the service writes it."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
