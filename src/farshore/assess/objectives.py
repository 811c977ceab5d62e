"""Objectives: who must reach whom, taken from farshore.yaml, or from what the estate is evidently there for.

Where the user gives none, each site reaches the machines, and spokes reach each other where their tables lead through
an appliance. A derived objective claims to survive what every topology gives, a link of a circuit (E4) and an
instance of a gateway (E26), and a circuit or its location only where each side is on several of them and the site too.
A single circuit survives no circuit or location, and with kept addresses two circuits don't either, because the second
is the target's and can't join the source's hub (D91, D20).

`resolve` turns an objective's words into conversations between endpoints of the source, as things stand.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from itertools import pairwise

from farshore.arm.decode import Address, Network
from farshore.arm.ids import ResourceId
from farshore.assess.context import Context, Machine, Spoke
from farshore.estate.estate import Estate
from farshore.estate.outside import Site
from farshore.estate.project import SURVIVABLE, Objective, Topology
from farshore.estate.resolving import matches
from farshore.routing.prefixes import covers
from farshore.routing.values import Flow

EVERY_TOPOLOGY_GIVES = ("circuit-link", "gateway-instance")
SHARED = ("circuit", "peering-location")
"""What both hubs have to be on several of, for an objective to survive the loss of one (D91)."""
ALL_PAIRS_UP_TO = 6
"""Among more spokes than this, a derived objective joins each with the next: all pairs of thousands help nobody."""
OUTSIDE = ip_address("203.0.113.10")
"""An address of the internet that no estate holds (RFC 5737)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One end of a conversation: a site's host, or a machine's (or another NIC's) address."""

    name: str
    """What a person calls it."""
    place: str
    """What a `Flow` calls it: a site's name, a NIC's id, `internet`."""
    address: Address
    machine: ResourceId | None = None
    nic: ResourceId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One flow that an objective speaks of."""

    objective: Objective
    source: Endpoint
    destination: Endpoint
    protocol: str
    port: int | None

    @property
    def flow(self) -> Flow:
        return Flow(
            source=self.source.place,
            source_address=self.source.address,
            destination_address=self.destination.address,
            protocol=self.protocol,
            destination_port=self.port,
        )

    def __str__(self) -> str:
        port = self.protocol if self.port is None else f"{self.protocol}/{self.port}"
        return f"{self.source.name} -> {self.destination.name} {port}"


def derive_objectives(estate: Estate) -> tuple[Objective, ...]:
    """What an estate with these sites and tables is there for. Raises `InputError` where it has no project."""
    context = Context(estate)
    return (*_from_sites(context), *_between_spokes(context))


def objectives_of(estate: Estate) -> tuple[Objective, ...]:
    """The project's own objectives; derived ones where the file says nothing about them."""
    given = () if estate.project is None else tuple(o for o in estate.project.objectives if not o.derived)
    if given or (estate.project is not None and "objectives" in estate.project.given):
        return given
    return derive_objectives(estate)


def resolve(objective: Objective, estate: Estate) -> tuple[Conversation, ...]:
    """Every conversation of the objective, in the source. Empty where an end means nothing here."""
    return resolve_in(Context(estate), objective)


def resolve_in(context: Context, objective: Objective) -> tuple[Conversation, ...]:
    """`resolve`, with the context at hand."""
    return tuple(conversations(context, objective))


def conversations(context: Context, objective: Objective) -> Iterator[Conversation]:
    """Those of `resolve_in`, one after the other: all are as many as machines times prefixes."""
    froms, tos = _ends(context, objective.from_), _ends(context, objective.to)
    yield from (
        Conversation(objective=objective, source=source, destination=destination, protocol=protocol, port=port)
        for protocol, port in map(_port, objective.ports)
        for source in froms
        for destination in tos
        if source.place != destination.place
    )


def one_of_each(context: Context, objective: Objective, kind: Callable[[Endpoint], Hashable]) -> Iterator[Conversation]:
    """Of `resolve_in`'s conversations between ends of the same kinds the first, in the same order: without walking
    through all of them, which are as many as machines times prefixes."""
    froms, tos = _ends(context, objective.from_), _ends(context, objective.to)
    places: dict[Hashable, dict[str, tuple[int, Endpoint]]] = {}
    for at, end in enumerate(tos):
        of_kind = places.setdefault(kind(end), {})
        if len(of_kind) < 2:  # the first, and another where the first is the source itself
            of_kind.setdefault(end.place, (at, end))
    for protocol, port in dict.fromkeys(map(_port, objective.ports)):
        missing: dict[Hashable, dict[Hashable, None]] = {}
        for source in froms:
            left = missing.setdefault(kind(source), dict.fromkeys(places))
            met = {
                other: found
                for other in left
                if (found := next((f for f in places[other].values() if f[1].place != source.place), None)) is not None
            }
            for other, (_, end) in sorted(met.items(), key=lambda item: item[1][0]):
                del left[other]
                yield Conversation(objective=objective, source=source, destination=end, protocol=protocol, port=port)


def machines_reached(context: Context, objective: Objective) -> frozenset[str]:
    """The machines (ids in lower case) that `resolve_in`'s conversations lead to, without walking through them."""
    sources = {end.place for end in _ends(context, objective.from_)}
    ends = _ends(context, objective.to) if objective.ports else ()
    return frozenset(
        end.machine.key for end in ends if end.machine is not None and (len(sources) > 1 or sources - {end.place})
    )


def can_survive(topology: Topology, *, keep: bool) -> frozenset[str]:
    """The failures that a topology can promise to survive in its best building (E4, D48, D53, D57, D91).

    Two circuits survive the loss of one only where both networks may be on both circuits ahead: with new addresses."""
    found = {*EVERY_TOPOLOGY_GIVES, "appliance"}
    if not keep and not topology.value.startswith("single-circuit"):
        found.add("circuit")
        if topology is not Topology.TWO_CIRCUITS_ONE_LOCATION:
            found.add("peering-location")
    return frozenset(found)


def several(context: Context, site: Site | None = None) -> frozenset[str]:
    """Of `SHARED`, what both sides have more than one of: the source now, the target once the
    plan has connected it. With a site, only circuits count that one of its routers is on."""
    mine = None if site is None else {router.circuit for router in site.routers}
    found = set(SHARED)
    for side in (context.source_circuits, context.target_circuits):
        circuits = [
            circuit for circuit in context.circuits if circuit.id in side and (mine is None or circuit.id in mine)
        ]
        if len(circuits) < 2:
            found.discard("circuit")
        if len({(circuit.peering_location or circuit.id.key).lower() for circuit in circuits}) < 2:
            found.discard("peering-location")
    return frozenset(found)


# Derived ones. -----------------------------------------------------------------------------------------------------


def _from_sites(context: Context) -> Iterator[Objective]:
    spoke_networks = {spoke.network.id for spoke in context.source.spokes}
    in_spokes = [machine for machine in context.machines if _network(machine) in spoke_networks]
    appliance = _appliance(context)
    for site in context.estate.sites:
        if appliance is None or len(in_spokes) == len(context.machines):
            yield _derived(context, f"{site.name} to machines", site.name, "machines", appliance, site)
            continue
        # Machines in the hub itself are reached without the appliance (R36 speaks of spokes).
        for network in context.source.networks:
            through = appliance if network.id in spoke_networks else None
            if any(_network(machine) == network.id for machine in context.machines):
                for prefix in network.address_space:
                    yield _derived(context, f"{site.name} to {network.name}", site.name, str(prefix), through, site)


def _between_spokes(context: Context) -> Iterator[Objective]:
    appliance = _appliance(context)
    if appliance is None:
        return
    for hub in context.source.hubs:
        spokes = context.source.spokes_of(hub)
        for one, other in _pairs(spokes):
            if one.network.address_space and other.network.address_space:
                name = f"{one.network.name} to {other.network.name}"
                ends = str(one.network.address_space[0]), str(other.network.address_space[0])
                yield _derived(context, name, *ends, appliance)


def _pairs(spokes: tuple[Spoke, ...]) -> Iterator[tuple[Spoke, Spoke]]:
    if len(spokes) <= ALL_PAIRS_UP_TO:
        yield from ((one, other) for at, one in enumerate(spokes) for other in spokes[at + 1 :])
    else:
        yield from pairwise(spokes)


def _appliance(context: Context) -> str | None:
    """The one appliance that the tables lead through, by the id of its NIC or load balancer."""
    if not context.steered or len(context.source.appliances) != 1:
        return None
    address = context.source.appliances[0]
    for item in context.project.appliances:
        if address in context.addresses_of(item.source):
            return item.source.text
    for network in context.source.networks:
        frontend = context.frontend_at(network, address)
        if frontend is not None:
            return frontend.id.text
        for holder in context.index.at(network.id.key, address):
            return holder.nic.id.text
    return None


def _derived(
    context: Context, name: str, from_: str, to: str, through: str | None, site: Site | None = None
) -> Objective:
    project = context.project
    built = several(context, site) & can_survive(project.topology, keep=project.keep_addresses)
    survive = tuple(name for name in SURVIVABLE if name in EVERY_TOPOLOGY_GIVES or name in built)
    return Objective(name=name, from_=from_, to=to, through=through, survive=survive, derived=True)


# Ends. -------------------------------------------------------------------------------------------------------------


def _ends(context: Context, name: str) -> tuple[Endpoint, ...]:
    return context.remember(("ends", name), lambda: tuple(_named(context, name)))


def _named(context: Context, name: str) -> Iterable[Endpoint]:
    site = context.estate.site(name)
    if site is not None:
        return [Endpoint(name=site.name, place=site.name, address=_host(prefix)) for prefix in site.prefixes]
    if name.lower() == "machines":
        return (end for machine in context.machines if (end := _end(machine)) is not None)
    if name.lower() == "internet":
        return (Endpoint(name="internet", place="internet", address=OUTSIDE),)
    prefix = _prefix(name)
    if prefix is not None:
        return _within(context, prefix)
    everyone = (*context.machines, *context.bystanders)
    return (end for machine in everyone if matches(machine.id, name) and (end := _end(machine)) is not None)


def _within(context: Context, prefix: Network) -> Iterator[Endpoint]:
    everyone = (*context.machines, *context.bystanders)
    known = context.remember("everyone", lambda: [end for machine in everyone if (end := _end(machine)) is not None])
    yield from (end for end in known if covers(prefix, end.address))
    for site in context.estate.sites:
        for own in site.prefixes:
            if own.version == prefix.version and own.overlaps(prefix):
                smaller = own if own.prefixlen >= prefix.prefixlen else prefix
                yield Endpoint(name=site.name, place=site.name, address=_host(smaller))


def _end(machine: Machine) -> Endpoint | None:
    if machine.nic is None or machine.address is None:
        return None
    nic = machine.nic.id
    return Endpoint(name=machine.name, place=nic.text, address=machine.address, machine=machine.id, nic=nic)


def _host(prefix: Network) -> Address:
    """Any host of a range stands for it: the tenth address, or the first of a short one."""
    return prefix[10] if prefix.num_addresses > 10 else prefix[0]


def _prefix(text: str) -> Network | None:
    try:
        return ip_network(text)
    except ValueError:
        return None


def _port(text: str) -> tuple[str, int | None]:
    protocol, _, number = text.lower().partition("/")
    return protocol, int(number) if number.isdecimal() else None


def _network(machine: Machine) -> ResourceId | None:
    return machine.subnets[0].parent if machine.subnets else None
