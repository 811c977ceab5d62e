"""What an outage takes away from an estate, and what answers it.

An outage is a set of elements that stop working, by the names of `Outside.down`, and `control-plane:REGION` for the
half of a region that no packet meets: its ARM. What is left decides the answer.

    MOVE    machines go over, and what reaches them with them
    SWAP    connectivity goes over to the other circuit, no machine moves (D48, D53, D91)
    HOLD    nothing has to be done: what is there twice is left once, and it is looked at

A region can die in halves. Without its ARM nothing of it can be written (E36, L36), and what runs there runs on: in a
grey outage its gateway announces what it always did, so a site goes on meeting its machines, alive or dead. Without its
data plane no packet passes, but ARM stops machines and deletes connections.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from farshore.arm.ids import ResourceId
from farshore.estate.estate import Estate
from farshore.estate.outside import Site
from farshore.plan.design import Design, Machine, appliance_nics
from farshore.plan.model import CONTROL_PLANE
from farshore.plan.scenario.scenario import Scenario
from farshore.plan.scenario.words import Outage


class Answer(StrEnum):
    MOVE = "move"
    SWAP = "swap"
    HOLD = "hold"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What is gone, and how the source is then."""

    elements: tuple[str, ...]
    answer: Answer
    arm: bool
    """The source's ARM answers: what is there can be stopped, deleted, changed."""
    announces: bool
    """The source's gateways go on announcing."""
    runs: bool
    """Machines of the source run and can be met: they serve until they are told not to."""


def taken(scenario: Scenario, design: Design) -> Taken:
    """What the scenario's outage takes from this estate. Empty elements where it takes nothing (`sensible.py` says
    where that makes no sense)."""
    outage = scenario.outage
    return Taken(
        elements=tuple(_ELEMENTS[outage](design)),
        answer=answer_of(scenario, design),
        arm=outage not in (Outage.REGION, Outage.GREY, Outage.GREY_DEAD),
        announces=outage not in (Outage.REGION, Outage.DATA_PLANE),
        runs=outage not in (Outage.REGION, Outage.DATA_PLANE, Outage.GREY_DEAD),
    )


def answer_of(scenario: Scenario, design: Design) -> Answer:
    match scenario.outage:
        case Outage.CIRCUIT | Outage.LOCATION | Outage.ROUTER | Outage.SWAP:
            return Answer.HOLD if connected_twice(design) and scenario.outage is not Outage.SWAP else Answer.SWAP
        case Outage.CIRCUIT_LINK | Outage.GATEWAY_INSTANCE | Outage.SITE:
            return Answer.HOLD
        case Outage.APPLIANCE:
            return Answer.HOLD if _in_pairs(design) else Answer.MOVE
        case _:
            return Answer.MOVE


def cut_off(scenario: Scenario, design: Design, taken: Taken) -> tuple[Machine, ...]:
    """The machines whose service ends where they are: every one, but of a zone only those that stood in it, so long as
    every appliance has a member left in another."""
    gone = frozenset(taken.elements)
    pairs = [appliance_nics(design.estate, appliance) for appliance in design.project.appliances]
    left = all(
        any(nic.virtual_machine is None or nic.virtual_machine.key not in gone for nic in nics) for nics in pairs
    )
    if scenario.outage is Outage.ZONE and left:
        return tuple(machine for machine in design.machines if machine.id.key in gone)
    return design.machines


def connected_twice(design: Design) -> bool:
    """The source is connected to a second circuit already (D91: with new addresses)."""
    return len(design.source_circuits) > 1


def primary_circuit(design: Design) -> ResourceId | None:
    """The circuit that the source is reached by: the heaviest connection's (E42), then the one that a site's routers
    prefer; None where there is no connection."""
    preferred = {
        router.circuit: max(router.local_preference, 0) for site in design.estate.sites for router in site.routers
    }
    ranked = sorted(
        (connection for connection in design.connections if connection.peer is not None),
        key=lambda connection: (-(connection.routing_weight or 0), -preferred.get(connection.peer, 0)),  # type: ignore[arg-type]
    )
    return ranked[0].peer if ranked else None


def second_site(estate: Estate) -> Site | None:
    """The site that an outage of one takes: the last of several."""
    return estate.sites[-1] if len(estate.sites) > 1 else None


def silent_sites(sites: Iterable[Site], down: Container[str]) -> frozenset[str]:
    """Names of the sites of which no router is left, where another has one: nobody is there to be served, and those
    who are go on. `down`: what the scenario has taken, as in `Outside.down`."""
    left = {site.name: any(f"router:{site.name}/{r.name}".lower() not in down for r in site.routers) for site in sites}
    return frozenset(name for name, there in left.items() if not there) if any(left.values()) else frozenset()


def zone_of(design: Design) -> str | None:
    """The zone that an outage takes: the first in which a machine that moves stands."""
    zones = sorted({zone for machine in design.machines for zone in machine.vm.zones})
    return zones[0] if zones else None


# What each takes. --------------------------------------------------------------------------------------------------


def _region(design: Design) -> Iterator[str]:
    yield f"region:{design.project.source_region}"
    yield from _control_plane(design)


def _control_plane(design: Design) -> Iterator[str]:
    yield f"{CONTROL_PLANE}{design.project.source_region}"


def _grey_dead(design: Design) -> Iterator[str]:
    yield from _control_plane(design)
    for vm in design.estate.virtual_machines:
        if vm.location == design.project.source_region:
            yield vm.id.key


def _data_plane(design: Design) -> Iterator[str]:
    yield f"region:{design.project.source_region}"


def _zone(design: Design) -> Iterator[str]:
    zone = zone_of(design)
    for vm in design.estate.virtual_machines:
        if zone is not None and vm.location == design.project.source_region and zone in vm.zones:
            yield vm.id.key


def _circuit(design: Design) -> Iterator[str]:
    circuit = primary_circuit(design)
    if circuit is not None:
        yield circuit.key


def _circuit_link(design: Design) -> Iterator[str]:
    yield from (f"{key}#primary" for key in _circuit(design))


def _location(design: Design) -> Iterator[str]:
    circuit = design.estate.express_route_circuit(primary_circuit(design))
    if circuit is not None and circuit.peering_location:
        yield f"location:{circuit.peering_location.lower()}"


def _router(design: Design) -> Iterator[str]:
    circuit = primary_circuit(design)
    for site in design.estate.sites:
        for router in site.routers:
            if router.circuit == circuit:
                yield f"router:{site.name}/{router.name}".lower()


def _gateway_instance(design: Design) -> Iterator[str]:
    yield from (f"{gateway.id.key}#0" for gateway in design.gateways)


def _appliance(design: Design) -> Iterator[str]:
    for appliance in design.project.appliances[:1]:
        for nic in appliance_nics(design.estate, appliance)[:1]:
            yield (nic.virtual_machine or nic.id).key


def _site(design: Design) -> Iterator[str]:
    site = second_site(design.estate)
    for router in () if site is None else site.routers:
        yield f"router:{site.name}/{router.name}".lower()  # type: ignore[union-attr]


def _nothing(design: Design) -> Iterator[str]:
    return iter(())


def _in_pairs(design: Design) -> bool:
    """Every appliance has another that takes over."""
    return bool(design.project.appliances) and all(
        len(appliance_nics(design.estate, appliance)) > 1 for appliance in design.project.appliances
    )


_ELEMENTS: Mapping[Outage, Callable[[Design], Iterator[str]]] = {
    Outage.REGION: _region,
    Outage.GREY: _control_plane,
    Outage.GREY_DEAD: _grey_dead,
    Outage.DATA_PLANE: _data_plane,
    Outage.ZONE: _zone,
    Outage.CIRCUIT: _circuit,
    Outage.CIRCUIT_LINK: _circuit_link,
    Outage.LOCATION: _location,
    Outage.ROUTER: _router,
    Outage.GATEWAY_INSTANCE: _gateway_instance,
    Outage.APPLIANCE: _appliance,
    Outage.SITE: _site,
    Outage.MAINTENANCE: _nothing,
    Outage.SWAP: _nothing,
}
