"""What can be written in a journal: one event, told once, never changed.

An event is about a step, or about the run itself (`step` is empty). `n` counts the events of one step from 1, so that
(run, step, n) names it for ever. `body` holds JSON values:

    run_started     plan (its estate's fingerprint), scenario, topology
    driver_started  pid, host, epoch: a process has taken the run; all it finds acting is in doubt
    phase_started   phase: its steps may begin             phase_ended   phase
    happened        event: what the scenario took away or gave back; anyway: who went on against what
                    was seen, and what that was
    paused, resumed, cancelled                             by
    intended        the step will be looked at, and done if it is not: durable before any request leaves
    absent          it has been looked at and is not done: the act follows
    refused         fault, wait_seconds: the answer was no, nothing has happened, it is tried again
    doubted         why: whether the act took effect is not known
    accepted        pending (where to ask), attempt; found: a look found it under way
    asked           instruction: a person has to do it     approved      by
    done            result                                 failed        fault, expected, obligation
    skipped, retried                                       by, why

`at` is the moment of the clock that the run is driven by. Service timestamps, where a step has them, are in `result`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from farshore.errors import JournalError
from farshore.times import moment, stamp


class Kind(StrEnum):
    RUN_STARTED = "run_started"
    DRIVER_STARTED = "driver_started"
    PHASE_STARTED = "phase_started"
    PHASE_ENDED = "phase_ended"
    HAPPENED = "happened"
    PAUSED = "paused"
    RESUMED = "resumed"
    CANCELLED = "cancelled"

    INTENDED = "intended"
    ABSENT = "absent"
    REFUSED = "refused"
    DOUBTED = "doubted"
    ACCEPTED = "accepted"
    ASKED = "asked"
    APPROVED = "approved"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    RETRIED = "retried"


OF_THE_RUN = frozenset(
    {
        Kind.RUN_STARTED,
        Kind.DRIVER_STARTED,
        Kind.PHASE_STARTED,
        Kind.PHASE_ENDED,
        Kind.HAPPENED,
        Kind.PAUSED,
        Kind.RESUMED,
        Kind.CANCELLED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEvent:
    step: str
    """A step's id; empty for the run itself."""
    n: int
    kind: Kind
    at: datetime
    body: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {"step": self.step, "n": self.n, "at": stamp(self.at), "kind": self.kind.value, "body": dict(self.body)}


def event_from_json(value: Mapping[str, Any]) -> RunEvent:
    """The event in a line of a journal; raises `JournalError`."""
    try:
        step, n, at, body = value["step"], value["n"], value["at"], value.get("body") or {}
        for part, kind in ((step, str), (n, int), (at, str), (body, Mapping)):
            if not isinstance(part, kind):
                raise TypeError(f"{part!r} is out of place")
        return RunEvent(step=step, n=n, kind=Kind(value["kind"]), at=moment(at), body=body)
    except (KeyError, ValueError, TypeError) as error:
        raise JournalError(f"this is no event that this version can read: {dict(value)} ({error})") from None
