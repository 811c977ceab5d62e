"""People at the site who use the machines: a packet a second along every objective, and what became of them.

The traffic goes through the lab's own data plane (`POST /_lab/traffic`), as somebody beside Farshore would send it.
A packet is *exposed* when a site could meet a stale machine or a second network: it was taken by a machine with old
data, by one that is not promised, or two networks answered for the address and nothing decided (the exposure
of the guard, D63).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from farshore.assess import resolve
from farshore.cli.handles import Handles
from farshore.estate.estate import Estate
from farshore.plan.model import Plan, PlannedMachine
from farshore.times import moment

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
    nics = {machine.id.key: machine for machine in plan.machines}
    found = []
    for objective in plan.objectives:
        for conversation in resolve(objective, estate):
            source, destination = str(conversation.source.address), str(conversation.destination.address)
            machine = conversation.source.machine
            found.append(
                Traffic(
                    objective=objective.name,
                    name=str(conversation),
                    machine=None if conversation.destination.machine is None else conversation.destination.machine.key,
                    source=_sender(nics.get(machine.key) if machine is not None else None, source),
                    destination=End(home=destination, away=away.get(destination, destination)),
                    protocol=conversation.protocol,
                    port=conversation.port,
                    denied=objective.deny,
                )
            )
    return tuple(found)


def _sender(machine: PlannedMachine | None, address: str) -> End:
    """Who sends. A machine by its NIC: of two that have one address only the promised one is anybody's to count on."""
    if machine is None:
        return End(home=address, away=address)
    return End(home=machine.nic.text, away=machine.target_nic.text)


@dataclass(slots=True)
class Diary:
    """What the traffic saw."""

    packets: int = 0
    exposed_packets: int = 0
    exposed_seconds: float = 0.0
    exposed: list[dict[str, Any]] = field(default_factory=list)
    """Each while in which a flow was exposed: its name, disposition, since, until, packets."""
    last: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    """(objective, flow) to the answer of the last round."""


class Residents:
    """Every flow's packet each second, from the first `watch_for` on; and each once more, looked at closely, in a
    `round`."""

    def __init__(self, handles: Handles, traffic: Sequence[Traffic]) -> None:
        self._handles = handles
        self.traffic = tuple(traffic)
        self._away = False
        self._sending = False
        self._returned: frozenset[str] = frozenset()
        self.diary = Diary()

    async def watch_for(self, *, away: bool, but: Iterable[str] = ()) -> None:
        """From now on machines are looked for on the far shore, or at home; `but` those with these NICs or addresses at
        home, which are there."""
        returned = frozenset(but)
        if self._sending and (away, returned) == (self._away, self._returned):
            return
        self._away, self._returned = away, returned
        flows = [{"name": f"{flow.objective}: {flow.name}", **self._packet(flow)} for flow in self.traffic]
        await self._handles.post("traffic", {"flows": flows, "go_on": self._sending})
        self._sending = True

    async def hear(self) -> Diary:
        """The diary as of now."""
        told = await self._handles.get("traffic")
        rows = [{"name": flow["name"], **spell} for flow in told["value"] for spell in flow["spells"]]
        self.diary.packets = told["packets"]
        self.diary.exposed = [row for row in rows if row["disposition"] in EXPOSED]
        self.diary.exposed_packets = sum(row["packets"] for row in self.diary.exposed)
        spans = sorted((moment(row["since"]), moment(row["until"])) for row in self.diary.exposed)
        self.diary.exposed_seconds = _length(spans)
        return self.diary

    async def round(self) -> None:
        """Every flow once, with all that the lab can say of its way."""
        sent = await self._handles.post("packets", {"packets": [self._packet(flow) for flow in self.traffic]})
        for flow, answer in zip(self.traffic, sent["value"], strict=True):
            self.diary.last[flow.objective, flow.name] = answer

    def _packet(self, flow: Traffic) -> dict[str, Any]:
        source, destination = self._now(flow.source), self._now(flow.destination)
        return {"from": source, "to": destination, "protocol": flow.protocol, "port": flow.port}

    def _now(self, end: End) -> str:
        return end.away if self._away and end.home not in self._returned else end.home


def _length(spans: Sequence[tuple[datetime, datetime]]) -> float:
    """Seconds that any of these spans covers, which are in the order of their beginnings."""
    total, end = 0.0, None
    for since, until in spans:
        begin = since if end is None else max(since, end)
        if until > begin:
            total += (until - begin).total_seconds()
            end = until
    return total
