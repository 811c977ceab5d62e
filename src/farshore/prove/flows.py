"""Which flows an objective promises, and which of them stand for one another.

An objective says who must reach whom. Its ends are sites, planned machines, other hosts of the estate, or the
internet. A machine's address is where it is promised at the moment in question; a site's is one address of each part
that its prefixes fall into.

Two machines are of one class when nothing that the estate or the plan holds can tell them apart: the same subnet and
security group on both sides, addresses inside exactly the same prefixes of everything written anywhere (tables, rules,
filters, address spaces), and the same steps in the same order. One flow of each class is decided and stands for all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from ipaddress import ip_address, ip_network
from typing import Any

from farshore.arm.decode import Address, Network
from farshore.arm.ids import ResourceId
from farshore.arm.json import fingerprint
from farshore.arm.network import NetworkInterface, network_interface
from farshore.errors import InputError
from farshore.estate.estate import Estate
from farshore.estate.outside import Site
from farshore.estate.project import Objective
from farshore.estate.resolving import matches
from farshore.plan.effects import World
from farshore.plan.model import Plan, PlannedMachine, Promise, PutResource, SetMachine
from farshore.prove.cuts import Poset, members
from farshore.prove.slices import Slices
from farshore.routing.values import Flow

SITE_ADDRESSES = 16
"""At most so many parts of a site's prefixes are looked at."""

OUTSIDE = ip_address("8.8.8.8")
"""An address of the internet; those set aside for documentation are not public to a router."""


class EndKind(StrEnum):
    SITE = "site"
    MACHINE = "machine"
    HOST = "host"
    INTERNET = "internet"


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """One end of promised flows. `name`: a site's name, a machine's source id or a NIC's id in lower case."""

    kind: EndKind
    name: str
    address: Address | None = None
    """None for a planned machine: it follows the promise."""

    @property
    def shown(self) -> str:
        return self.name.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class PromisedFlow:
    """A flow that an objective promises, for itself and for `members - 1` others of its class."""

    objective: Objective
    source: End
    destination: End
    protocol: str
    port: int | None
    members: int = 1
    machines: tuple[str, ...] = ()
    """All planned machines that this flow speaks for, by source id in lower case."""
    expected: Mapping[ResourceId | None, Address] = field(default_factory=dict, repr=False, compare=False)
    """The address that the plan gives each NIC of the machines at its ends."""

    @property
    def ends(self) -> tuple[str, ...]:
        """The planned machines at its ends, in the order that slices use."""
        found = {end.name for end in (self.source, self.destination) if end.kind is EndKind.MACHINE}
        return tuple(sorted(found))

    def at(self, world: World, *, expected: bool = False) -> Flow | None:
        """The flow at one moment; None where nothing can send it, because the NIC that is promised is not there
        (`expected`: the flow as it will be)."""
        source, destination = _address(self.source, world), _address(self.destination, world)
        if source is None and expected:
            source = self._expected(self.source, world)
        # What is promised is an address: packets come for it before the NIC that will answer is there.
        destination = destination or self._expected(self.destination, world)
        if source is None or destination is None:
            return None
        name = self.source.name
        if self.source.kind is EndKind.MACHINE:
            name = world.promises[name].text
        return Flow(
            source=name,
            source_address=source,
            destination_address=destination,
            protocol=self.protocol,
            destination_port=self.port,
        )

    def _expected(self, end: End, world: World) -> Address | None:
        return self.expected.get(world.promises.get(end.name))


def promised_flows(
    objectives: Iterable[Objective], plan: Plan, estate: Estate, slices: Slices
) -> tuple[PromisedFlow, ...]:
    """The flows of all objectives, one of each class. Raises `InputError` for an end that nobody knows."""
    book = _Book(plan, estate, slices)
    found: list[PromisedFlow] = []
    for objective in objectives:
        classes: dict[object, PromisedFlow] = {}
        for protocol, port in map(_port, objective.ports):
            for source in book.ends(objective.from_, objective):
                for destination in book.ends(objective.to, objective):
                    if source.kind is destination.kind and source.name == destination.name:
                        continue
                    flow = PromisedFlow(
                        objective=objective,
                        source=source,
                        destination=destination,
                        protocol=protocol,
                        port=port,
                        expected={**book.expected(source), **book.expected(destination)},
                    )
                    flow = replace(flow, machines=flow.ends)
                    key = (protocol, port, book.class_of(flow))
                    held = classes.get(key)
                    if held is not None:
                        machines = tuple(dict.fromkeys((*held.machines, *flow.machines)))
                        flow = replace(held, members=held.members + 1, machines=machines)
                    classes[key] = flow
        found += classes.values()
    return tuple(found)


def _address(end: End, world: World) -> Address | None:
    if end.kind is not EndKind.MACHINE:
        return end.address
    nic = world.estate.network_interface(world.promises.get(end.name))
    return None if nic is None or nic.primary is None else nic.primary.private_ip_address


def _port(text: str) -> tuple[str, int | None]:
    """`tcp/443`, `icmp`, `tcp/*`."""
    protocol, _, number = text.lower().partition("/")
    if protocol and (number in ("", "*") or number.isdecimal()):
        return protocol, int(number) if number.isdecimal() else None
    raise InputError("This is not a port of an objective", value=text, expected="tcp/443, udp/53 or icmp")


class _Book:
    """Ends by name, and classes of machines."""

    def __init__(self, plan: Plan, estate: Estate, slices: Slices) -> None:
        self._plan = plan
        self._estate = estate
        self._slices = slices
        self._machines = {machine.id.key: machine for machine in plan.machines}
        self._classes: dict[str, str] = {}

    # Ends. ---------------------------------------------------------------------------------------------------------

    def ends(self, name: str, objective: Objective) -> tuple[End, ...]:
        site = self._estate.site(name)
        if site is not None:
            return tuple(self._site_ends(site, site.prefixes))
        if name.lower() == "machines":
            return tuple(self._machine_end(machine) for machine in self._plan.machines)
        if name.lower() == "internet":
            return (End(kind=EndKind.INTERNET, name="internet", address=OUTSIDE),)
        prefix = _network(name)
        found = tuple(self._within(prefix)) if prefix is not None else tuple(self._named(name))
        if not found:
            raise InputError(
                f"Objective {objective.name} names {name}, which is no site, machine or range of this estate",
                value=name,
                expected="a site, `machines`, a machine's name or id, a range that holds machines or is a site's",
            )
        return found

    def expected(self, end: End) -> Mapping[ResourceId | None, Address]:
        machine = self._machines.get(end.name) if end.kind is EndKind.MACHINE else None
        if machine is None:
            return {}
        return {machine.nic: ip_address(machine.address), machine.target_nic: ip_address(machine.target_address)}

    def _within(self, prefix: Network) -> Iterator[End]:
        for machine in self._plan.machines:
            if ip_address(machine.address) in prefix or ip_address(machine.target_address) in prefix:
                yield self._machine_end(machine)
        planned = {nic.key for machine in self._plan.machines for nic in (machine.nic, machine.target_nic)}
        for nic in self._estate.network_interfaces:
            address = None if nic.primary is None else nic.primary.private_ip_address
            if address is not None and address in prefix and nic.id.key not in planned and nic.virtual_machine:
                yield End(kind=EndKind.HOST, name=nic.id.key, address=address)
        for site in self._estate.sites:
            parts = [smaller for own in site.prefixes if (smaller := _common(own, prefix)) is not None]
            if parts:
                yield from self._site_ends(site, tuple(parts))

    def _named(self, name: str) -> Iterator[End]:
        """Planned machines of that name, id or pattern; where there is none, another host of the estate."""
        planned = [machine for machine in self._plan.machines if matches(machine.id, name)]
        if planned:
            yield from map(self._machine_end, planned)
            return
        for nic in self._estate.network_interfaces:
            address = None if nic.primary is None else nic.primary.private_ip_address
            owners = (nic.id,) if nic.virtual_machine is None else (nic.id, nic.virtual_machine)
            if address is not None and any(matches(owner, name) for owner in owners):
                yield End(kind=EndKind.HOST, name=nic.id.key, address=address)

    def _machine_end(self, machine: PlannedMachine) -> End:
        return End(kind=EndKind.MACHINE, name=machine.id.key)

    def _site_ends(self, site: Site, prefixes: Iterable[Network]) -> Iterator[End]:
        """One address for each part into which what is written anywhere cuts the prefixes."""
        seen: dict[frozenset[Network], Address] = {}
        for prefix in prefixes:
            for candidate in _candidates(prefix, self._written):
                seen.setdefault(self._atom(candidate), candidate)
        for address in list(seen.values())[:SITE_ADDRESSES]:
            yield End(kind=EndKind.SITE, name=site.name, address=address)

    # Classes. ------------------------------------------------------------------------------------------------------

    def class_of(self, flow: PromisedFlow) -> object:
        def of(end: End) -> object:
            return self.machine_class(end.name) if end.kind is EndKind.MACHINE else end

        return of(flow.source), of(flow.destination), self._order_between(flow)

    def _order_between(self, flow: PromisedFlow) -> object:
        """How the steps of two machines stand to each other, without their names."""
        if len(flow.ends) < 2:
            return None
        one, other = flow.ends
        own = [list(members(self._slices.own.get(machine, 0))) for machine in (one, other)]
        stated = self._slices.poset.stated
        crossing = [
            (place, there)
            for mine, theirs in (own, own[::-1])
            for place, index in enumerate(mine)
            for there, lower in enumerate(theirs)
            if stated[index] >> lower & 1
        ]
        return one == flow.source.name, tuple(crossing)

    def machine_class(self, key: str) -> str:
        if key not in self._classes:
            self._classes[key] = fingerprint(self._description(self._machines[key]))
        return self._classes[key]

    def _description(self, machine: PlannedMachine) -> list[Any]:
        """All that could tell the machine from another, with its own names left out."""
        names = {
            machine.id.key: "machine",
            machine.nic.key: "nic",
            machine.target_id.key: "target",
            machine.target_nic.key: "target-nic",
        }
        effects: list[Any] = []
        poset: Poset = self._slices.poset
        for index in members(self._slices.own.get(machine.id.key, 0)):
            for effect in poset.nodes[index].effects:
                match effect:
                    case PutResource(body=body):
                        id_ = str(body["id"]).lower()
                        what: Any = self._nic(network_interface(body)) if "/networkinterfaces/" in id_ else None
                    case SetMachine(id=target, state=state):
                        id_, what = target.key, state.value
                    case Promise(nic=nic):
                        id_, what = nic.key, None
                    case _:
                        id_, what = str(getattr(effect, "id", "")).lower(), None
                effects.append([type(effect).__name__, names.get(id_, id_), what])
        source = self._estate.network_interface(machine.nic)
        places = [self._atom_text(machine.address), self._atom_text(machine.target_address)]
        shape = self._slices.of(machine.id.key).shape
        return [None if source is None else self._nic(source), places, effects, shape]

    def _nic(self, nic: NetworkInterface) -> list[Any]:
        return [
            nic.enable_ip_forwarding,
            _key(nic.network_security_group),
            [
                [
                    _key(item.subnet),
                    self._atom_text(str(item.private_ip_address)) if item.private_ip_address else None,
                    sorted(group.key for group in item.application_security_groups),
                    sorted(pool.key for pool in item.load_balancer_backend_address_pools),
                    item.primary,
                ]
                for item in nic.ip_configurations
            ],
        ]

    def _atom_text(self, address: str) -> list[str]:
        return sorted(str(prefix) for prefix in self._atom(ip_address(address)))

    def _atom(self, address: Address) -> frozenset[Network]:
        return frozenset(prefix for prefix in self._written if address in prefix)

    @cached_property
    def _written(self) -> tuple[Network, ...]:
        """Every prefix, and every single address that is no NIC's own, written in the estate, the plan or a site."""
        found: dict[Network, None] = {}
        bodies = [*self._estate.resources.values()]
        for node in self._slices.poset.nodes:
            for effect in node.effects:
                if isinstance(effect, PutResource):
                    bodies.append(effect.body)
                router = getattr(effect, "router", None)
                if router is not None:
                    found |= dict.fromkeys(item.prefix for item in router.filters)
        for body in bodies:
            found |= dict.fromkeys(_prefixes(body))
        for site in self._estate.sites:
            found |= dict.fromkeys(site.prefixes)
            found |= dict.fromkeys(item.prefix for router in site.routers for item in router.filters)
        found |= dict.fromkeys(item.prefix for item in self._estate.outside.advertised)
        return tuple(found)


_OWN_ADDRESSES = frozenset({"privateIPAddress", "ipAddress", "bgpPeeringAddress"})
"""Fields in which a lone address is somebody's own, not a rule about it."""


def _prefixes(value: Any, field: str = "") -> Iterator[Network]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _prefixes(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _prefixes(inner, field)
    elif isinstance(value, str) and field not in _OWN_ADDRESSES:
        found = _network(value)
        if found is not None:
            yield found


def _network(text: str) -> Network | None:
    if not text or not (text[0].isdigit() or ":" in text) or len(text) > 49:
        return None
    try:
        return ip_network(text)
    except ValueError:
        return None


def _common(one: Network, other: Network) -> Network | None:
    if one.version != other.version or not one.overlaps(other):
        return None
    return one if one.prefixlen >= other.prefixlen else other


def _candidates(prefix: Network, written: Iterable[Network]) -> Iterator[Address]:
    """Addresses of a prefix such that each of its parts holds one: of every written prefix inside it the first hosts,
    and the first after its end."""
    inner = [other for other in written if other.version == prefix.version and _common(prefix, other) == other]
    for network in (prefix, *inner):
        for value in (
            int(network.network_address) + 10,
            int(network.network_address),
            int(network.broadcast_address) + 1,
        ):
            if int(prefix.network_address) <= value <= int(prefix.broadcast_address):
                yield prefix.network_address + (value - int(prefix.network_address))


def _key(id_: ResourceId | None) -> str | None:
    return None if id_ is None else id_.key
