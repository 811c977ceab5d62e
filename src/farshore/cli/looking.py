"""Is the outage the one that the run is planned for? Asked once, before a failover first begins.

A plan is proven over what its scenario takes: begun in another outage, its moments are none that the proof has looked
at, and a plan for a dead region starts machines before anybody is turned away from the ones that live.

    ARM          of the source's region, asked for the resource that the guard asks for, a few times: it answers, or it
                 is silent; what tells neither (a refusal, throttling) is not known
    the circuits of the source: their tables list what its gateways announce, or not. A dead gateway's routes go when
                 BGP has given it up, minutes later (D62): that is waited for
    the primary circuit, where it is what is dead: its tables have no row of a site's

What is seen and contradicts the scenario stops the failover. What can't be seen is said, and stops nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from farshore.arm.http import Request, Response
from farshore.azure.conversation import Conversation, ask, converse, pause
from farshore.azure.lro import NO_ANSWER_YET, pending_of
from farshore.errors import ArmError, InputError, TransportError
from farshore.plan.builders.guard import probe_of
from farshore.plan.make import designed
from farshore.plan.scenario.outages import primary_circuit, taken
from farshore.plan.scenario.scenario import Scenario, scenario_named, usual_over
from farshore.plan.scenario.sensible import why_not
from farshore.plan.scenario.words import TITLES, Outage
from farshore.run.verbs.base import url
from farshore.run.verbs.circuits import Rows, rows_of, table_request

if TYPE_CHECKING:
    from farshore.arm.ids import ResourceId
    from farshore.cli.stage import Stage
    from farshore.estate.estate import Estate
    from farshore.plan.design import Design
    from farshore.plan.model import Plan

TRIES = 3
"""One lost packet is no outage."""
PATIENCE = timedelta(seconds=4)
"""For one answer."""
BETWEEN = timedelta(seconds=2)
TABLE = timedelta(seconds=90)
"""For one link's table, which takes seconds to be made."""
WITHDRAWAL = timedelta(minutes=5)
"""BGP gives a neighbour up after three minutes."""
AGAIN = timedelta(seconds=20)
LINKS = ("primary", "secondary")
OF_A_REGION = frozenset({Outage.REGION, Outage.GREY, Outage.GREY_DEAD, Outage.DATA_PLANE})
OF_A_CIRCUIT = frozenset({Outage.CIRCUIT, Outage.LOCATION})
GATEWAYS = "65515"
"""The AS number of Azure's gateways: a row without it is a site's."""


class ContradictedError(InputError):
    """What is seen is not what the run is planned for."""

    code = "OutageNotAsPlanned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """One thing that was looked at."""

    so: bool | None
    """It is there: ARM answers, routes are listed. None where nobody could tell."""
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    planned: Scenario
    arm: Sign
    announced: Sign | None = None
    """What the source's gateways announce, where the scenario says anything of it."""
    circuit: Sign | None = None
    """The primary circuit, where it is what is dead."""
    against: tuple[str, ...] = ()

    @property
    def unknown(self) -> tuple[str, ...]:
        signs = (self.arm, self.announced, self.circuit)
        return tuple(sign.said for sign in signs if sign is not None and sign.so is None)


async def look(plan: Plan, estate: Estate, stage: Stage, tell: Callable[[str], None], *, wait: bool) -> Seen:
    """See whether the outage is the one that the plan is for; `wait` until routes of what is dead are withdrawn.
    `estate`: as the run began with it. Raises `InputError` where the plan's scenario has no name that is known."""
    scenario = scenario_named(plan.scenario)
    design = designed(estate, scenario)
    lost = taken(scenario, design)
    probe, circuits = probe_of(design), design.source_circuits
    arm = await _answers(probe, plan.source_region, stage)
    seen = Seen(planned=scenario, arm=arm, against=_against(arm, lost.arm))
    until = stage.clock.now() + (WITHDRAWAL if wait else timedelta(0))
    dead = primary_circuit(design) if scenario.outage in OF_A_CIRCUIT else None
    if scenario.outage in OF_A_REGION and circuits and design.gateways:
        gone = until if not lost.announces and not seen.against else None
        announced = await _gone(lambda: _announced(design, plan.source_region, stage), gone, stage, tell)
        seen = replace(seen, announced=announced, against=(*seen.against, *_against(announced, lost.announces)))
    elif dead is not None:
        circuit = await _gone(lambda: _sites(dead, stage), None if seen.against else until, stage, tell)
        seen = replace(seen, circuit=circuit, against=(*seen.against, *_against(circuit, False)))
    return seen


def contradicted(seen: Seen, plan: Plan, run_id: str, estate: Estate) -> ContradictedError:
    """What whoever is on call is told."""
    like, outages = _like(seen)
    words = [name for name in (_name(seen.planned, outage, estate) for outage in outages) if name is not None]
    remedy = ""
    if words:
        others = f" (or {', '.join(words[1:])})" if words[1:] else ""
        remedy = f"farshore provision --new --scenario {words[0]}{others}, then protect and failover, go by such a plan"
        if seen.arm.so is False:
            remedy += " (farshore runs skip passes over a step that halts since it only asks what stands in the region)"
        remedy += "; "
    return ContradictedError(
        f"Nothing was begun: this is not the outage that run {run_id} is planned for. Seen: {'; '.join(seen.against)}."
        f" It looks like {like}",
        value=run_id,
        expected=f"{plan.scenario}: {TITLES[seen.planned.outage]}",
        remedy=f"{remedy}farshore failover --anyway goes on with this one, which is not proven for what is seen",
    )


def _like(seen: Seen) -> tuple[str, tuple[Outage, ...]]:
    """The scenarios that what was seen looks like, the first of them the likeliest: in words, and as outages."""
    if seen.circuit is not None and seen.arm.so:
        return "an outage in which the primary circuit lives", ()
    announced = None if seen.announced is None else seen.announced.so
    match seen.arm.so, announced:
        case False, False:
            outages: tuple[Outage, ...] = (Outage.REGION,)
        case False, True:
            outages = (Outage.GREY, Outage.GREY_DEAD)
        case False, None:
            outages = (Outage.GREY, Outage.REGION)
        case True, False:
            outages = (Outage.DATA_PLANE,)
        case True, True:
            said = f"an outage in which nothing of the region is lost, or {Outage.DATA_PLANE} in its first minutes"
            return said, (Outage.MAINTENANCE, Outage.DATA_PLANE)
        case True, None:
            said = f"{Outage.DATA_PLANE} ({TITLES[Outage.DATA_PLANE]}), or one in which nothing of the region is lost"
            return said, (Outage.DATA_PLANE,)
        case None, True:
            outages = (Outage.GREY, Outage.GREY_DEAD)
        case _:
            outages = (Outage.REGION, Outage.DATA_PLANE)
    outages = tuple(outage for outage in outages if outage is not seen.planned.outage)
    return " or ".join(f"{outage} ({TITLES[outage]})" for outage in outages), outages


def _name(planned: Scenario, outage: Outage, estate: Estate) -> str | None:
    """The run's scenario in another outage, else that outage alone; None where neither makes sense here."""
    usual = planned.over is usual_over(planned.outage)
    same = replace(planned, outage=outage, over=usual_over(outage) if usual else planned.over)
    for scenario in (same, scenario_named(outage.value)):
        if why_not(scenario, designed(estate, scenario)) is None:
            return scenario.name
    return None


# Looking. ------------------------------------------------------------------------------------------------------------


async def _answers(probe: ResourceId, region: str, stage: Stage) -> Sign:
    """Whether ARM of the region answers for a resource of it. Who may not read is told so by ARM's front door, which
    stands elsewhere, and what is not there is not asked of the region: both tell nothing."""
    told: list[int | None] = []
    for number in range(TRIES):
        if number:
            await stage.clock.sleep(BETWEEN, "look")
        request = Request(method="GET", url=url(probe), repeatable=False, timeout=PATIENCE)
        status = await _status(request, stage)
        if status is not None and status < 400:
            return Sign(so=True, said=f"ARM of {region} answers for {probe.name}")
        told.append(status)
    if all(status is None or status in NO_ANSWER_YET - {429} for status in told):
        return Sign(so=False, said=f"ARM of {region} does not answer for {probe.name} ({TRIES} tries)")
    refused = next(status for status in told if status is not None)
    return Sign(so=None, said=f"whether ARM of {region} answers is not known: asked for {probe.name} it says {refused}")


async def _status(request: Request, stage: Stage) -> int | None:
    try:
        answer = await converse(_try(request), stage.client, stage.clock, "look")
    except ArmError as error:
        return error.fault.status or 401
    return None if answer is None else answer.status


async def _gone(see: Callable[[], Any], until: datetime | None, stage: Stage, tell: Callable[[str], None]) -> Sign:
    """What is seen, looked at again until it is gone or `until` has come."""
    told = False
    while True:
        sign: Sign = await see()
        if until is None or not sign.so or stage.clock.now() >= until:
            return sign
        if not told:
            tell(f"{sign.said}: waiting until it is withdrawn, until {until:%H:%M:%S} at most")
            told = True
        await stage.clock.sleep(AGAIN, "look")


async def _announced(design: Design, region: str, stage: Stage) -> Sign:
    """Whether a circuit of the source still has what its gateways announce."""
    wanted = [str(prefix) for prefix in design.announced]
    silent: list[str] = []
    for circuit in design.source_circuits:
        for rows in await _tables(circuit, stage):
            if rows is None:
                silent.append(circuit.name)
                continue
            shown = {str(row.get("network")) for row in rows}
            listed = [prefix for prefix in wanted if prefix in shown]
            if listed:
                return Sign(
                    so=True, said=f"{circuit.name} still lists {', '.join(listed[:3])} by the gateway of {region}"
                )
    names = ", ".join(circuit.name for circuit in design.source_circuits)
    if silent:
        return Sign(so=None, said=f"what the gateway of {region} announces is not known: {_unread(silent)}")
    return Sign(so=False, said=f"{names} lists nothing by the gateway of {region} any more")


async def _sites(circuit: ResourceId, stage: Stage) -> Sign:
    """Whether a site is heard on a circuit."""
    tables = await _tables(circuit, stage)
    for rows in tables:
        for row in rows or ():
            if GATEWAYS not in str(row.get("path") or "").split():
                return Sign(so=True, said=f"{circuit.name} lists {row.get('network')} by a site")
    if None in tables:
        return Sign(so=None, said=f"whether {circuit.name} is dead is not known: {_unread([circuit.name])}")
    return Sign(so=False, said=f"{circuit.name} hears no site")


def _unread(names: Iterable[str]) -> str:
    return f"the route tables of {', '.join(dict.fromkeys(names))} can't be read"


async def _tables(circuit: ResourceId, stage: Stage) -> Sequence[Rows | None]:
    """Both links' rows; None for one that can't be read."""
    found: list[Rows | None] = []
    for link in LINKS:
        try:
            found.append(await converse(_table(circuit, link, stage.clock.now()), stage.client, stage.clock, "look"))
        except ArmError:
            found.append(None)
    return found


def _table(circuit: ResourceId, link: str, now: datetime) -> Conversation[Rows | None]:
    until = now + TABLE
    answer = yield from _try(replace(table_request(circuit, link), timeout=PATIENCE))
    address: str | None = None
    while answer is not None and answer.status == 202:
        pending = pending_of(answer)
        address = pending.location or pending.operation or address
        answer = None
        while address is not None and (answer is None or answer.status in NO_ANSWER_YET):
            now = yield from pause(BETWEEN)
            if now >= until:
                return None
            answer = yield from _try(Request(method="GET", url=address, repeatable=False, timeout=PATIENCE))
    return None if answer is None or not answer.ok else rows_of(answer)


def _try(request: Request) -> Conversation[Response | None]:
    try:
        return (yield from ask(request))
    except TransportError:
        return None


def _against(sign: Sign, planned: bool) -> tuple[str, ...]:
    return () if sign.so is None or sign.so is planned else (sign.said,)
