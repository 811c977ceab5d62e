"""What a scenario takes away and gives back, done to the lab by its faults.

The plan's first event says what is lost; its others what comes back, and in which order. A region that dies whole is
the lab's own `region` fault, in which each gateway falls silent and comes back in its own time. One that comes back in
halves has the other half taken away besides, beforehand, and given back later.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from farshore.arm.ids import resource_id
from farshore.arm.network import EXPRESS_ROUTE_CIRCUITS, VIRTUAL_NETWORK_GATEWAYS
from farshore.cli.handles import Handles
from farshore.plan.model import CONTROL_PLANE, Effect, Lose, Plan
from farshore.plan.scenario.words import Returns
from farshore.times import stamp

HALF_LATER = timedelta(minutes=10)
"""Between a region's two halves, where they come back one after the other."""
FLAPS = (timedelta(0), timedelta(minutes=4), timedelta(minutes=12))
"""When a flapping region comes, goes, and comes for good."""
REGION = "region:"
_KINDS: Mapping[str, str] = {
    EXPRESS_ROUTE_CIRCUITS.lower(): "circuit",
    VIRTUAL_NETWORK_GATEWAYS.lower(): "gateway",
    "microsoft.network/connections": "connection",
    "microsoft.network/networkinterfaces": "nic",
    "microsoft.compute/virtualmachines": "machine",
}

Fault = Mapping[str, Any]


def lost_in(effects: Iterable[Effect]) -> tuple[str, ...]:
    """The elements that effects take away."""
    return tuple(name for effect in effects if isinstance(effect, Lose) for name in effect.elements)


def faults_of(elements: Sequence[str]) -> Iterator[Fault]:
    """The lab's faults for elements that are lost, without their state."""
    regions = {name.removeprefix(REGION) for name in elements if name.startswith(REGION)}
    controls = {name.removeprefix(CONTROL_PLANE) for name in elements if name.startswith(CONTROL_PLANE)}
    yield from ({"kind": "region", "region": name} for name in sorted(regions & controls))
    yield from ({"kind": "data-plane", "region": name} for name in sorted(regions - controls))
    yield from ({"kind": "control-plane", "region": name} for name in sorted(controls - regions))
    for name in elements:
        if not name.startswith((REGION, CONTROL_PLANE)):
            yield _fault(name)


def _fault(name: str) -> Fault:
    if name.startswith("location:"):
        return {"kind": "location", "location": name.removeprefix("location:")}
    if name.startswith("router:"):
        site, _, router = name.removeprefix("router:").partition("/")
        return {"kind": "router", "site": site, "router": router}
    text, _, part = name.partition("#")
    id_ = resource_id(text)
    if part:
        own = {"link": part} if id_.is_a(EXPRESS_ROUTE_CIRCUITS) else {"instance": int(part)}
        kind = "circuit-link" if id_.is_a(EXPRESS_ROUTE_CIRCUITS) else "gateway-instance"
        return {"kind": kind, "id": id_.text, **own}
    return {"kind": _KINDS[id_.type.lower()], "id": id_.text}


class Outage:
    """One outage in one lab."""

    def __init__(self, handles: Handles, plan: Plan, returns: Returns) -> None:
        self._handles = handles
        self._region = plan.source_region
        self._returns = returns
        self.elements = lost_in(plan.events[0].effects) if plan.events else ()
        self._by_people: list[Fault] = []

    async def strike(self) -> Any:
        """Take away what the scenario takes; the lab's last answer."""
        answer: Any = None
        for fault in faults_of(self.elements):
            answer = await self._handles.post("faults", {**fault, "state": "lost"})
        half = {Returns.CONTROL_FIRST: "data-plane", Returns.DATA_FIRST: "control-plane"}.get(self._returns)
        if half is not None:
            await self._handles.fault(half, region=self._region, state="lost")
        return answer

    async def give_back(self, at: datetime) -> timedelta:
        """Everything comes back, from `at` on; how long after it the last of it is given back."""
        if self._returns is Returns.FLAPPING:
            for index, offset in enumerate(FLAPS):
                await self._all("lost" if index % 2 else "returned", at + offset)
            return FLAPS[-1]
        await self._all("returned", at)
        half = {Returns.CONTROL_FIRST: "data-plane", Returns.DATA_FIRST: "control-plane"}.get(self._returns)
        if half is None:
            return timedelta(0)
        await self._handles.fault(half, region=self._region, state="returned", at=stamp(at + HALF_LATER))
        return HALF_LATER

    async def by_person(self, effects: Iterable[Effect]) -> None:
        """What a person was asked to have done is done: the elements that the step takes away are gone."""
        for fault in faults_of(lost_in(effects)):
            self._by_people.append(fault)
            await self._handles.post("faults", {**fault, "state": "lost"})

    async def people_undo(self) -> None:
        """What people had taken away is theirs to give back, once it does no harm."""
        for fault in self._by_people:
            await self._handles.post("faults", {**fault, "state": "returned"})
        self._by_people = []

    async def _all(self, state: str, at: datetime) -> None:
        for fault in faults_of(self.elements):
            await self._handles.post("faults", {**fault, "state": state, "at": stamp(at)})
