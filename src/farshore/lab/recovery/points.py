"""Which recovery points a policy keeps (S25).

Site Recovery makes a crash-consistent point every five minutes and keeps all of the last two hours, one an hour for
the rest of the first day, one every two hours up to a week, then one every four; nothing older than the policy's
retention, and the latest always. Which point stays is settled when it is made: the first of its hour lives a day, the
first of its two hours a week, and so on. So pruning is only a comparison of ages, and it does not matter how often,
or how late, it is done.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

EVERY = timedelta(minutes=5)
"""S25: the frequency of crash-consistent points, fixed by the service."""

RECENT = timedelta(hours=2)
"""How long every point is kept (S25)."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_OF = (
    (timedelta(hours=4), timedelta(days=15)),
    (timedelta(hours=2), timedelta(days=7)),
    (timedelta(hours=1), timedelta(days=1)),
)
"""The slot that a point is the first of, and how long it is kept therefore."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A moment to which a machine can be brought back: all its disks as of write `sequence`."""

    name: str
    time: datetime
    sequence: int
    lives: timedelta
    kind: str = "CrashConsistent"
    """Or `ApplicationConsistent`, where the policy asks for such points."""
    shared: bool = False
    """Whether it is of one moment for all machines of a replication group."""


def lives(time: datetime, previous: datetime | None) -> timedelta:
    """How long a point made at `time` stays, if retention allows; `previous` is when the last one was made."""
    for slot, life in _FIRST_OF:
        if previous is None or (previous - _EPOCH) // slot != (time - _EPOCH) // slot:
            return life
    return RECENT


def kept(points: Iterable[Point], now: datetime, retention: timedelta) -> list[Point]:
    """The points that are left at `now`, oldest first."""
    ordered = sorted(points, key=lambda point: (point.time, point.sequence))
    return [point for point in ordered[:-1] if now - point.time <= min(point.lives, retention)] + ordered[-1:]
