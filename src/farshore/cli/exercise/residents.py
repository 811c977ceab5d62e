"""People at the site who use the machines: packets along every objective, so often, and what became of them.

The traffic goes through the lab's own data plane (`POST /_lab/packets`), as somebody beside Farshore would send it.
A packet is *exposed* when a site could meet a stale machine or a second network: it was taken by a machine with old
data, by one that is not promised, or two networks answered for the address and nothing decided (the contract's
exposure of the guard, D63). It is *served* when the promised machine took it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from farshore.cli.handles import Handles
from farshore.clock import LabClock

EXPOSED = frozenset({"Stale", "Ambiguous", "WrongOwner"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """One flow that people use: an objective's, to one machine."""

    objective: str
    source: str
    """A site's name, or the address of a machine."""
    machine: str
    """The machine's id in the source, lower case."""
    home: str
    away: str
    """The promised address on each side."""
    protocol: str
    port: int | None


@dataclass(slots=True)
class Diary:
    """What the traffic saw."""

    packets: int = 0
    exposed_packets: int = 0
    exposed_seconds: float = 0.0
    exposed_first: datetime | None = None
    exposed_last: datetime | None = None
    served: dict[str, datetime] = field(default_factory=dict)
    """Machine to the first moment, since the last `watch_for`, at which every flow to it was served."""
    last: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    """(objective, machine) to the last answer."""


class Residents:
    """Sends the traffic every so often on the lab's clock until told to stop."""

    def __init__(self, handles: Handles, clock: LabClock, traffic: Sequence[Traffic]) -> None:
        self._handles = handles
        self._clock = clock
        self._traffic = tuple(traffic)
        self._every = timedelta(seconds=60)
        self._away: Callable[[], bool] = lambda: False
        self.diary = Diary()
        self._task: asyncio.Task[None] | None = None
        self._stopping = False

    def every(self, interval: timedelta) -> None:
        """How often from the next round on: every second where it matters, every minute where nothing happens."""
        self._every = interval

    def watch_for(self, *, away: bool) -> None:
        """From now on machines are expected on the far shore (or at home); `diary.served` starts anew."""
        self._away = lambda: away
        self.diary.served = {}

    async def round(self) -> None:
        """Every flow once."""
        now = self._clock.now()
        exposed = 0
        good: dict[str, bool] = {}
        for flow in self._traffic:
            answer = await self._handles.post("packets", self._packet(flow))
            self.diary.packets += 1
            self.diary.last[flow.objective, flow.machine] = answer
            exposed += answer["disposition"] in EXPOSED
            good[flow.machine] = good.get(flow.machine, True) and answer["disposition"] == "Delivered"
        for machine, is_good in good.items():
            if is_good:
                self.diary.served.setdefault(machine, now)
        if exposed:
            self.diary.exposed_packets += exposed
            self.diary.exposed_first = self.diary.exposed_first or now
            self.diary.exposed_last = now
            self.diary.exposed_seconds += self._every.total_seconds()

    def _packet(self, flow: Traffic) -> dict[str, Any]:
        destination = flow.away if self._away() else flow.home
        return {"from": flow.source, "to": destination, "protocol": flow.protocol, "port": flow.port}
