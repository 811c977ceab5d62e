"""Packets from the sites to the machines of a path drill, sent while they stand.

Each flow that an objective promises from outside to a machine is sent to the machine's address in the drill. A flow is
proven once one of its packets was delivered there and its reply came home, both through an appliance where the
gateway's table leads to one; the way is the lab's own word.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from farshore.cli.exercise.residents import Traffic
from farshore.cli.handles import Handles
from farshore.clock import ActorClock
from farshore.plan.drills import drilled_addresses
from farshore.plan.model import Plan

EVERY = timedelta(seconds=10)
"""A test machine stands for minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One flow of a path drill: from where, to which machine's test, at which address."""

    name: str
    source: str
    machine: str
    address: str
    protocol: str
    port: int | None


def tried(plan: Plan, traffic: Sequence[Traffic]) -> tuple[Tried, ...]:
    """What a path drill tries of the traffic that people use: from the sites to each machine."""
    addresses = drilled_addresses(plan)
    own = {text for machine in plan.machines for text in (machine.address, machine.nic.text)}
    return tuple(
        Tried(
            name=flow.name,
            source=flow.source.home,
            machine=flow.machine,
            address=addresses[flow.machine],
            protocol=flow.protocol,
            port=flow.port,
        )
        for flow in traffic
        if flow.machine is not None and flow.machine in addresses and not flow.denied and flow.source.home not in own
    )


class PathWatch:
    """Sends every flow every ten seconds of the lab's until told to stop, and keeps the first good answer of each."""

    def __init__(self, handles: Handles, clock: ActorClock, flows: Sequence[Tried], *, through: bool) -> None:
        self._handles, self._clock, self.flows = handles, clock, tuple(flows)
        self.through = ("appliance",) if through else ()
        self.proven: dict[Tried, Mapping[str, Any]] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = self._clock.spawn(self._live(), "path drill")

    async def stop(self) -> None:
        assert self._task is not None
        self._task.cancel()
        async with self._clock.idle():
            await asyncio.gather(self._task, return_exceptions=True)
        if not self._task.cancelled() and (error := self._task.exception()) is not None:
            raise error

    @property
    def missed(self) -> tuple[Tried, ...]:
        return tuple(flow for flow in self.flows if flow not in self.proven)

    async def _live(self) -> None:
        while self.missed:
            await self._clock.sleep(EVERY, "path drill")
            asked = self.missed
            packets = [{"from": f.source, "to": f.address, "protocol": f.protocol, "port": f.port} for f in asked]
            answer = await self._handles.post("packets", {"packets": packets})
            for flow, said in zip(asked, answer["value"], strict=True):
                if said["disposition"] == "Delivered" and all(_passes(said, kind) for kind in self.through):
                    self.proven[flow] = said


def _passes(answer: Mapping[str, Any], kind: str) -> bool:
    """Whether the packet and its reply pass something of that kind."""
    return all(any(hop["kind"] == kind for hop in answer[side]["hops"]) for side in ("forward", "back"))
