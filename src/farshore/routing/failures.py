"""What can fail in an estate, and the names by which `Outside.down` says that it has.

    region:eastasia             everything in the region: gateways, NICs, machines, appliances
    location:hong kong          a peering location: every circuit that ends there (E4: links don't help)
    CIRCUIT                     a circuit, both links
    CIRCUIT#primary             one of its two links (E4), `#secondary` the other
    GATEWAY                     a gateway, all instances
    GATEWAY#0, GATEWAY#1        one instance (E26), or by its address: GATEWAY#10.10.10.140
    CONNECTION                  a connection; CONNECTION#10.11.16.14: its tunnel from one instance
    HUB, SERVER, HUB'S GATEWAY  a virtual WAN hub, a Route Server, a gateway in a hub
    NIC, MACHINE                a NIC; a machine with all its NICs
    router:site/name            a site's router
    link:site/site              a line between two sites, their names in order
    CIRCUIT CONNECTION          Global Reach between two circuits (E46), by the id that one of them holds
    BGP CONNECTION              a Route Server's or hub's session with one neighbour
    ADDRESS                     a BGP neighbour: outside the estate, or an appliance by the address that it speaks from

They are matched as Azure matches names: in any case, and a region by its display name too, `region:East Asia`.
`Outside.unknown` uses the same names for what nobody can tell about.

What has failed falls silent: BGP withdraws what it said, and traffic takes what remains. What has no BGP is not
noticed: a route to a dead appliance stays Active and the traffic is lost (R25).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from farshore.arm.connectivity import CircuitConnection, Connection, ExpressRouteCircuit, VirtualNetworkGateway
from farshore.arm.decode import Address
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.network import NetworkInterface
from farshore.estate.estate import Estate
from farshore.estate.outside import Outside
from farshore.routing.gateways import addressed
from farshore.routing.index import AZURE_FIREWALLS, Index

LINKS = ("primary", "secondary")
INSTANCES = (0, 1)
"""A gateway's (E26)."""
WORKING = frozenset({"succeeded", "updating"})
"""Provisioning states in which a resource does its work: an update doesn't interrupt it, a failed one never began."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One thing that can fail: `Outside.down | element.down` is the world in which it has."""

    kind: str
    """circuit-link, circuit, peering-location, gateway-instance, gateway, connection, appliance, region, router,
    site-link, global-reach."""
    name: str
    down: frozenset[str]
    id: ResourceId | None = None

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def elements(estate: Estate) -> tuple[Element, ...]:
    """Everything in the estate and around it that can fail by itself, in a stable order."""
    index = Index(estate)
    found: list[Element] = []
    for circuit in index.circuits.values():
        if circuit.private_peering is not None:
            for link in LINKS:
                found.append(
                    _element("circuit-link", f"{circuit.id.name} {link}", f"{circuit.id.key}#{link}", circuit.id)
                )
    found += [_element("circuit", item.id.name, item.id.key, item.id) for item in index.circuits.values()]
    locations = {
        item.peering_location.lower(): item.peering_location
        for item in index.circuits.values()
        if item.peering_location
    }
    found += [_element("peering-location", name, f"location:{key}") for key, name in sorted(locations.items())]
    for gateway in index.gateways.values():
        for number in INSTANCES:
            name = f"{gateway.id.name} {number}"
            found.append(_element("gateway-instance", name, f"{gateway.id.key}#{number}", gateway.id))
    found += [_element("gateway", item.id.name, item.id.key, item.id) for item in index.gateways.values()]
    found += [_element("connection", item.id.name, item.id.key, item.id) for item in index.connections.values()]
    found += _appliances(index)
    regions = sorted({item.location for item in index.networks.values() if item.location})
    found += [_element("region", name, f"region:{name}") for name in regions]
    for site in estate.sites:
        for router in site.routers:
            name = f"{site.name}/{router.name}"
            found.append(_element("router", name, f"router:{name}".lower()))
    for line in sorted({line_name(site.name, link.to) for site in estate.sites for link in site.links}):
        found.append(_element("site-link", line.removeprefix("link:"), line))
    for circuit in index.circuits.values():
        for reach in () if circuit.private_peering is None else circuit.private_peering.connections:
            name = f"{circuit.id.name}/{reach.id.name}"
            found.append(_element("global-reach", name, reach.id.key, reach.id))
    return tuple(found)


def line_name(one: str, other: str) -> str:
    """By which a line between two sites may be down."""
    return f"link:{'/'.join(sorted((one.lower(), other.lower())))}"


def _element(kind: str, name: str, down: str, id_: ResourceId | None = None) -> Element:
    return Element(kind=kind, name=name, down=frozenset({down}), id=id_)


def _appliances(index: Index) -> list[Element]:
    """One for each machine that forwards, else for each NIC that does (R24); and each Azure Firewall."""
    found: dict[str, Element] = {}
    for body in index.bodies(AZURE_FIREWALLS):
        firewall = resource_id(str(body["id"]))
        found[firewall.key] = _element("appliance", firewall.name, firewall.key, firewall)
    for key, nic in index.nics.items():
        if nic.enable_ip_forwarding:
            holder = index.machine_of.get(key, key)
            machine = index.machines.get(holder)
            id_ = machine.id if machine is not None else nic.id
            found.setdefault(id_.key, _element("appliance", id_.name, id_.key, id_))
    return list(found.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Deciding:
    """What decides who has failed, where more is down than things by their own names."""

    region: bool = False
    """In which region a thing stands."""
    location: bool = False
    """At which peering location a circuit ends."""
    addresses: frozenset[str] = frozenset()
    """Which addresses the instances have of these gateways, and of these connections' gateways, by lower-case id."""

    @staticmethod
    def of(down: frozenset[str]) -> Deciding:
        """With these names down."""
        parts = [name.partition("#") for name in down]
        return Deciding(
            region=any(name.startswith("region:") for name in down),
            location=any(name.startswith("location:") for name in down),
            addresses=frozenset(
                key for key, _, inside in parts if inside and inside not in LINKS and not inside.isdigit()
            ),
        )


class Health:
    """What works in one world: an estate's resources under one `Outside`. Nobody else looks a name up that is down."""

    __slots__ = ("_down", "_index", "_regions_down", "_stopped", "cut_lines", "deciding", "silent_routers")

    def __init__(self, index: Index, outside: Outside) -> None:
        self._index = index
        self._down = outside.down | frozenset(_by_number(index, outside))
        self._stopped = outside.stopped
        self._regions_down = frozenset(name.split(":", 1)[1] for name in outside.down if name.startswith("region:"))
        self.deciding = Deciding.of(outside.down)
        """What matters of things beside what they say, since something is down by it."""
        self.silent_routers = frozenset(name for name in outside.down if name.startswith("router:"))
        self.cut_lines = frozenset(name for name in outside.down if name.startswith("link:"))

    def region(self, location: str) -> bool:
        return location not in self._regions_down

    def edge(self, circuit: ExpressRouteCircuit) -> bool:
        """Whether a circuit's edge is there: provided, its private peering enabled, its location working (E33)."""
        peering = circuit.private_peering
        location = (circuit.peering_location or "").lower()
        return (
            peering is not None
            and peering.state.lower() == "enabled"
            and circuit.service_provider_provisioning_state.lower() == "provisioned"
            and circuit.circuit_provisioning_state.lower() == "enabled"
            and circuit.id.key not in self._down
            and f"location:{location}" not in self._down
        )

    def link(self, circuit: ExpressRouteCircuit, link: str) -> bool:
        """Whether the customer's side of a link works. When it doesn't, the edge still hears gateways (measured)."""
        return self.edge(circuit) and f"{circuit.id.key}#{link}" not in self._down

    def gateway(self, gateway: VirtualNetworkGateway) -> bool:
        """Whether a gateway speaks: provisioned (L30), its region there, an instance alive."""
        return (
            gateway.provisioning_state.lower() in WORKING
            and gateway.id.key not in self._down
            and self.region(gateway.location)
            and any(self.instance(gateway.id, number) for number in INSTANCES)
        )

    def instance(self, gateway: ResourceId, number: int) -> bool:
        return f"{gateway.key}#{number}" not in self._down

    def connection(self, connection: Connection) -> bool:
        return connection.provisioning_state.lower() in WORKING and connection.id.key not in self._down

    def named(self, name: str) -> bool:
        """Whether a thing works that fails by its name alone: a Route Server, a session of its, a gateway in a hub, one
        of its instances, a tunnel from one."""
        return name not in self._down

    def neighbour(self, address: Address) -> bool:
        """Whether a BGP neighbour speaks of which nothing but its address is known."""
        return not self._down or str(address) not in self._down

    def placed(self, id_: ResourceId, location: str) -> bool:
        """Whether a thing works that fails by its name or with its region: a virtual WAN hub, a firewall."""
        return id_.key not in self._down and self.region(location)

    def reach(self, connection: CircuitConnection) -> bool:
        """Whether Global Reach joins its two circuits (E46)."""
        return (
            connection.provisioning_state.lower() in WORKING
            and connection.status.lower() == "connected"
            and connection.id.key not in self._down
        )

    def line(self, one: str, other: str) -> bool:
        return not self.cut_lines or line_name(one, other) not in self.cut_lines

    def router(self, site: str, router: str) -> bool:
        return not self.silent_routers or f"router:{site}/{router}".lower() not in self.silent_routers

    def nic(self, nic: NetworkInterface) -> str | None:
        """Why nothing answers at a NIC, or None where something does."""
        if not self.region(nic.location):
            return f"region {nic.location} is down"
        if nic.id.key in self._down:
            return f"{nic.id.short} is down"
        key = self._index.machine_of.get(nic.id.key)
        if key is None:
            return f"{nic.id.short} is attached to no machine"
        if key in self._down:
            return f"{key.rsplit('/', 1)[-1]} is down"
        machine = self._index.machines.get(key)
        state = None if machine is None else machine.power_state
        if machine is not None and state is None and machine.provisioning_state.lower() == "creating":
            return f"{machine.id.name} is being made"
        if key in self._stopped or nic.id.key in self._stopped:
            return f"{key.rsplit('/', 1)[-1]} does not run"
        if state in ("deallocated", "deallocating", "stopped", "stopping"):
            return f"{key.rsplit('/', 1)[-1]} is {state}"
        return None

    def speaks(self, nic: NetworkInterface, address: Address) -> bool:
        """Whether who holds a NIC speaks BGP from an address. Of a machine that is not in the estate its word is
        taken."""
        if nic.id.key in self._index.machine_of:
            return self.neighbour(address) and self.nic(nic) is None
        return self.neighbour(address) and nic.id.key not in self._down and self.region(nic.location)


def _by_number(index: Index, outside: Outside) -> Iterator[str]:
    """The gateways' instances that are down by an address, by their numbers."""
    for name in outside.down:
        key, _, instance = name.partition("#")
        gateway = index.gateways.get(key) if instance else None
        if gateway is not None:
            held = addressed(gateway, index, outside)
            yield from (f"{key}#{number}" for number, address in held if str(address) == instance)
