"""People at the site who use the machines: packets along every objective, so often, and what became of them.

The traffic goes through the lab's own data plane (`POST /_lab/packets`), as somebody beside Farshore would send it.
A packet is *exposed* when a site could meet a stale machine or a second network: it was taken by a machine with old
data, by one that is not promised, or two networks answered for the address and nothing decided (the contract's
exposure of the guard, D63). It is *served* when the promised machine took it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from farshore.assess import resolve
from farshore.cli.handles import Handles
from farshore.clock import ActorClock
from farshore.estate.estate import Estate
from farshore.plan.model import Plan

EXPOSED = frozenset({"Stale", "Ambiguous", "WrongOwner"})


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """One end of a flow: what the lab calls it, and its address, at home and on the far shore."""

    home: str
    away: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """One flow that people use: an objective's, between two ends."""

    objective: str
    name: str
    machine: str | None
    """The machine that it reaches, by its id in the source in lower case."""
    source: End
    destination: End
    protocol: str
    port: int | None
    denied: bool = False


def traffic_of(estate: Estate, plan: Plan) -> tuple[Traffic, ...]:
    """Every flow of every objective of the plan, with each promised address on both sides."""
    away = {machine.address: machine.target_address for machine in plan.machines}
    found = []
    for objective in plan.objectives:
        for conversation in resolve(objective, estate):
            source, destination = str(conversation.source.address), str(conversation.destination.address)
            found.append(
                Traffic(
                    objective=objective.name,
                    name=str(conversation),
                    machine=None if conversation.destination.machine is None else conversation.destination.machine.key,
                    source=End(home=source, away=away.get(source, source)),
                    destination=End(home=destination, away=away.get(destination, destination)),
                    protocol=conversation.protocol,
                    port=conversation.port,
                    denied=objective.deny,
                )
            )
    return tuple(found)


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
    """(objective, flow) to the last answer."""


class Residents:
    """Sends the traffic every so often on the lab's clock until told to stop."""

    def __init__(self, handles: Handles, clock: ActorClock, traffic: Sequence[Traffic]) -> None:
        self._handles = handles
        self._clock = clock
        self.traffic = tuple(traffic)
        self._every = timedelta(seconds=60)
        self._away = False
        self.diary = Diary()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = self._clock.spawn(self._live(), "residents")

    async def stop(self) -> None:
        if self._task is None:
            return
        self._task.cancel()
        async with self._clock.idle():
            await asyncio.gather(self._task, return_exceptions=True)
        if not self._task.cancelled() and (error := self._task.exception()) is not None:
            raise error

    async def _live(self) -> None:
        while True:
            await self._clock.sleep(self._every, "residents")
            await self.round()

    def every(self, interval: timedelta) -> None:
        """How often from the next round on: every second where it matters, every minute where nothing happens."""
        self._every = interval

    def watch_for(self, *, away: bool) -> None:
        """From now on machines are expected on the far shore (or at home); `diary.served` starts anew."""
        self._away = away
        self.diary.served = {}

    async def round(self) -> None:
        """Every flow once."""
        now = self._clock.now()
        exposed = 0
        good: dict[str, bool] = {}
        sent = await self._handles.post("packets", {"packets": [self._packet(flow) for flow in self.traffic]})
        for flow, answer in zip(self.traffic, sent["value"], strict=True):
            self.diary.packets += 1
            self.diary.last[flow.objective, flow.name] = answer
            exposed += answer["disposition"] in EXPOSED
            if flow.machine is not None and not flow.denied:
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
        source, destination = (
            (flow.source.away, flow.destination.away) if self._away else (flow.source.home, flow.destination.home)
        )
        return {"from": source, "to": destination, "protocol": flow.protocol, "port": flow.port}
