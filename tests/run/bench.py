"""A run in a real lab, in this process, on the lab's clock, behind a wire that loses what it is told to lose."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from farshore.arm.http import Request, Response
from farshore.arm.ids import ResourceId, make_id
from farshore.arm.json import Body
from farshore.azure.conversation import Sender
from farshore.cli.handles import Handles, LabSite
from farshore.clock import LabClock
from farshore.errors import TransportError
from farshore.estate.estate import Estate
from farshore.lab import open_lab
from farshore.lab.transport import lab_client, lab_clock
from farshore.plan import actions
from farshore.plan.model import Action, Phase, Plan, Step
from farshore.run import run_phases
from farshore.run.driver import RunOutcome
from farshore.run.events import RunEvent
from farshore.run.journal import Journal
from prove.plans import SUBSCRIPTION, plan, step
from run.talk import NOW

EAST, SOUTH = "eastasia", "southeastasia"
TRAVEL = timedelta(milliseconds=200)


def network(name: str, region: str = SOUTH, **properties: Any) -> Action:
    """PUT a virtual network."""
    id_ = id_of(name, region)
    space = {"addressSpace": {"addressPrefixes": ["10.0.0.0/24"]}, **properties}
    return actions.put({"id": id_.text, "name": name, "location": region, "properties": space})


def id_of(name: str, region: str = SOUTH) -> ResourceId:
    return make_id(SUBSCRIPTION, f"rg-{region}", "Microsoft.Network/virtualNetworks", name)


def put_step(name: str, *, after: Sequence[str] = (), region: str = SOUTH, phase: Phase = Phase.PROVISION) -> Step:
    return step(name, after=after, phase=phase, action=network(name, region))


Fault = Callable[[Request, int], Response | str | None]
"""What becomes of a request (its number among those with this method and path): an answer in the lab's place, or
`lost` on the way there, or `unanswered` on the way back, or nothing."""


@dataclass(slots=True)
class Wire:
    """Between the driver and the lab. A request takes its time both ways, so a run can die in between; one that has
    left arrives all the same, `late` seconds after its sender has gone."""

    client: Sender
    clock: LabClock
    fault: Fault = lambda request, number: None
    sent: list[Request] = field(default_factory=list)
    late: float = 30

    async def send(self, request: Request) -> Response:
        path = request.url.split("?")[0]
        number = sum(each.method == request.method and each.url.split("?")[0] == path for each in self.sent)
        self.sent.append(request)
        fault = self.fault(request, number)
        try:
            await self.clock.sleep(TRAVEL)
        except asyncio.CancelledError:
            if request.method != "GET":
                self.clock.spawn(self._arrive(request), f"late {len(self.sent)}")
            raise
        if fault == "lost":
            await self.clock.sleep(request.timeout or timedelta(seconds=60))
            raise TransportError(f"{request} got lost")
        if isinstance(fault, Response):
            return fault
        response = await self.client.send(request)
        await self.clock.sleep(TRAVEL)
        if fault == "unanswered":
            raise TransportError(f"the answer to {request} got lost")
        return response

    async def _arrive(self, request: Request) -> None:
        await self.clock.sleep(timedelta(seconds=self.late))
        await self.client.send(request)


class Bench:
    """One lab, one journal, one process after the other."""

    def __init__(self, path: Path | None = None, estate: Estate | None = None) -> None:
        """A lab with two empty groups, or with an estate and its sites."""
        self.cloud = open_lab(None, now=NOW, sites=() if estate is None else estate.sites)
        groups: list[Body] = [
            {
                "id": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-{region}",
                "name": f"rg-{region}",
                "type": "Microsoft.Resources/resourceGroups",
                "location": region,
                "properties": {"provisioningState": "Succeeded"},
            }
            for region in (EAST, SOUTH)
        ]
        self.cloud.seed(groups if estate is None else list(estate.resources.values()))
        self.path = path
        self.journal = Journal(path)
        self.events: list[RunEvent] = []
        self.sent: list[Request] = []
        self.now = NOW

    def run(
        self,
        plan_: Plan,
        *phases: Phase,
        fault: Fault | None = None,
        kills: Sequence[float] = (),
        beside: Callable[[LabClock], Any] | None = None,
        **more: Any,
    ) -> RunOutcome:
        """Drive these phases. `kills`: for each, a process that lives so many seconds of lab time at most; the one
        after the last of them lives on."""

        async def whole() -> RunOutcome:
            clock = lab_clock(self.cloud)
            async with clock.actor("bench"), lab_client(self.cloud, clock) as client:
                handles = Handles(client)
                people = {site: LabSite(handles, clock, person=False) for site in self.cloud.table("sites")}
                given = {"actuators": people, **more}
                wire = Wire(client, clock, sent=self.sent)
                wire.fault = fault or wire.fault
                other = clock.spawn(beside(clock), "beside") if beside else None
                try:
                    for seconds in (*kills, None):
                        found = await self._life(plan_, phases or (Phase.PROVISION,), wire, seconds, given)
                        if found is not None:
                            return found
                finally:
                    self.now = clock.now()
                    if other is not None:
                        other.cancel()
            raise AssertionError("the last process lives to the end")

        return asyncio.run(whole())

    async def _life(
        self, plan_: Plan, phases: Sequence[Phase], wire: Wire, seconds: float | None, more: dict[str, Any]
    ) -> RunOutcome | None:
        """How one process ended; None where it was killed."""
        clock = wire.clock

        async def life() -> RunOutcome:
            return await run_phases(
                plan_,
                phases,
                run_id="r",
                client=wire,
                journal=self.journal,
                clock=clock,
                on_event=self.events.append,
                **more,
            )

        async def kill() -> None:
            await clock.sleep(timedelta(seconds=seconds or 0))
            task.cancel()

        task = clock.spawn(life(), "life")
        killer = None if seconds is None else clock.spawn(kill(), "killer")
        try:
            async with clock.idle():
                return await task
        except asyncio.CancelledError:
            if self.path is not None:
                self.journal.close()
                self.journal = Journal(self.path)
            return None
        finally:
            if killer is not None:
                killer.cancel()

    def writes(self, name: str, method: str = "PUT") -> list[Any]:
        """The writes that reached the lab for a resource of this name, with their answers."""
        found = [row for _, row in self.cloud.store.shelf("requests").items()]
        return [row for row in found if row["method"] == method and f"/{name}?" in row["url"]]

    def kinds(self, step_id: str) -> list[str]:
        return [event.kind.value for event in self.journal.read("r") if event.step == step_id]

    def there(self, name: str, region: str = SOUTH) -> bool:
        return self.cloud.exists(id_of(name, region))


def story(*steps: Step, **more: Any) -> Plan:
    return plan(steps, **more)
