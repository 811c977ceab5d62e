"""Small networks as plain words, drawn by Hypothesis, and the estate that an engine is given of one.

Words alone: the twin (walker.py) reads them and nothing of Azure's resources, the engine reads the resources and
nothing of the words. One drawing has hubs with gateways on circuits, an appliance or none, spokes peered well or badly,
tables that lead to the appliance, past it and nowhere, sites with preferences and filters, and things that are down.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import ip_network
from typing import Any

from hypothesis import strategies as st

from farshore.arm.ids import resource_id
from farshore.estate.estate import Estate
from farshore.estate.outside import Filter, Outside, Router, Site
from routing.small import Net, id_of

SITE_PREFIXES = ("172.16.0.0/16", "172.16.1.0/24", "172.20.0.0/16", "192.168.0.0/16", "192.168.7.0/24")
INSIDE = "10.1.1.128/25"
"""A part of the first spoke's space, where no machine is: a site may say it (R14)."""
DEFAULT = "0.0.0.0/0"
PLACES = ("Hong Kong", "Singapore")


@dataclass(frozen=True)
class Table:
    routes: tuple[tuple[str, str], ...]
    """(prefix, an appliance's address or `None`, `Internet`, `VnetLocal`)."""
    propagates: bool


@dataclass(frozen=True)
class Spoke:
    name: str
    hub: int
    space: str
    machine: str
    table: Table | None
    connected: bool
    lends: bool
    uses: bool
    rules: tuple[tuple[str, str], ...]
    """Inbound, in order: (Allow or Deny, source), then everything is allowed; none at all for no group."""


@dataclass(frozen=True)
class Hub:
    number: int
    gateway: bool
    weights: tuple[int | None, ...]
    """By circuit; None for no connection."""
    appliance: str
    """`none`, `works`, `off` (no IP forwarding)."""
    tables: tuple[Table | None, Table | None, Table | None]
    """Of the GatewaySubnet, the appliance's subnet and the machine's."""

    @property
    def name(self) -> str:
        return f"hub{self.number}"

    @property
    def base(self) -> str:
        return f"10.{self.number + 1}.0"


@dataclass(frozen=True)
class Speaker:
    """A site's router on one circuit."""

    circuit: int
    preference: int
    prepend: int
    both_links: bool
    denied_out: str | None
    denied_in: str | None


@dataclass(frozen=True)
class Home:
    name: str
    prefixes: tuple[str, ...]
    speakers: tuple[Speaker, ...]


@dataclass(frozen=True)
class Words:
    circuits: int
    hubs: tuple[Hub, ...]
    spokes: tuple[Spoke, ...]
    homes: tuple[Home, ...]
    down: frozenset[str]
    """`circuit 0`, `link 0 primary`, `gateway 0`, `appliance 0`, `router dc0 1`."""

    def machines(self) -> dict[str, str]:
        """Addresses by NIC name."""
        found = {f"{hub.name}vm-nic": f"{hub.base}.132" for hub in self.hubs}
        return found | {f"{spoke.name}vm-nic": spoke.machine for spoke in self.spokes}


@st.composite
def words(draw: st.DrawFn) -> Words:
    """One network."""
    circuits = draw(st.integers(1, 2))
    count = draw(st.integers(1, 2))
    hops = [f"10.{number + 1}.0.68" for number in range(count)] + ["None", "Internet", "VnetLocal"]
    spaces = [f"10.{hub + 1}.{spoke}.0/24" for hub in range(count) for spoke in range(1, 3)]
    prefixes = st.sampled_from([*SITE_PREFIXES, *spaces, "0.0.0.0/0", "10.0.0.0/8", "172.16.1.128/25"])
    routes = st.lists(st.tuples(prefixes, st.sampled_from(hops)), max_size=3, unique_by=lambda route: route[0])
    # Most tables and things are as they should be: where all is broken, only what broke first is seen.
    table = st.none() | st.none() | st.builds(Table, routes.map(tuple), st.booleans())
    gateway_table = st.none() | st.builds(Table, routes.map(tuple), st.sampled_from([True, True, True, False]))
    hubs = tuple(
        Hub(
            number,
            draw(st.sampled_from([True, True, True, False])),
            tuple(draw(st.sampled_from([0, 0, 0, 10, None])) for _ in range(circuits)),
            draw(st.sampled_from(["works", "works", "off", "none"])),
            (draw(gateway_table), draw(table), draw(table)),
        )
        for number in range(count)
    )
    rule = st.tuples(st.sampled_from(["Allow", "Deny"]), st.sampled_from([*SITE_PREFIXES, "10.0.0.0/8"]))
    spokes = tuple(
        Spoke(
            f"spoke{hub}{number}",
            hub,
            f"10.{hub + 1}.{number}.0/24",
            f"10.{hub + 1}.{number}.4",
            draw(table),
            draw(st.sampled_from([True, True, True, False])),
            draw(st.sampled_from([True, True, False])),
            draw(st.sampled_from([True, True, False])),
            tuple(draw(st.lists(rule, max_size=2))),
        )
        for hub in range(count)
        for number in range(1, 1 + draw(st.integers(0, 2)))
    )
    # One of the two at most: together a packet may visit two sites, which the walker does not follow.
    more = draw(st.sampled_from([(), (), (), (), (INSIDE,), (DEFAULT,)]))
    denied = st.sampled_from([None] * 8 + list(SITE_PREFIXES))
    refused = st.sampled_from([None] * 8 + ["10.0.0.0/8", *spaces])
    homes = tuple(
        Home(
            f"dc{number}",
            (
                *draw(st.lists(st.sampled_from(SITE_PREFIXES), min_size=1, max_size=3, unique=True)),
                *(more if not number else ()),
            ),
            tuple(
                Speaker(
                    circuit,
                    draw(st.sampled_from([100, 100, 200])),
                    draw(st.sampled_from([0, 0, 1])),
                    draw(st.booleans()),
                    draw(denied),
                    draw(refused),
                )
                for circuit in range(circuits)
                if draw(st.sampled_from([True, True, True, False]))
            ),
        )
        for number in range(draw(st.integers(1, 2)))
    )
    things = [f"circuit {n}" for n in range(circuits)] + [f"gateway {n}" for n in range(count)]
    things += [f"link {n} {side}" for n in range(circuits) for side in ("primary", "secondary")]
    things += [f"appliance {n}" for n in range(count)]
    things += [f"router {home.name} {speaker.circuit}" for home in homes for speaker in home.speakers]
    down = frozenset(draw(st.lists(st.sampled_from(things), max_size=2) if draw(st.booleans()) else st.just([])))
    return Words(circuits, hubs, spokes, homes, down)


def estate_of(drawn: Words) -> Estate:
    """The resources that the words describe."""
    net = Net()
    for number in range(drawn.circuits):
        net.circuit(f"er{number}", PLACES[number], 100 + number)
    for hub in drawn.hubs:
        _hub(net, hub)
    for spoke in drawn.spokes:
        _spoke(net, spoke)
    return net.estate(*map(_site, drawn.homes), outside=Outside(down=frozenset(map(_name, drawn.down))))


def _subnet(net: Net, prefix: str, name: str, table: Table | None) -> dict[str, Any]:
    found: dict[str, Any] = {"addressPrefix": prefix}
    if table is not None:
        found["routeTable"] = net.table(f"rt-{name}", *table.routes, propagate=table.propagates)
    return found


def _hub(net: Net, hub: Hub) -> None:
    net.network(
        hub.name,
        f"{hub.base}.0/24",
        GatewaySubnet=_subnet(net, f"{hub.base}.0/26", f"{hub.name}-gateway", hub.tables[0]),
        nva=_subnet(net, f"{hub.base}.64/27", f"{hub.name}-nva", hub.tables[1]),
        app=_subnet(net, f"{hub.base}.128/27", f"{hub.name}-app", hub.tables[2]),
    )
    net.machine(f"{hub.name}vm", (hub.name, "app", f"{hub.base}.132"))
    if hub.appliance != "none":
        net.machine(f"nva{hub.number}", (hub.name, "nva", f"{hub.base}.68"), forward=hub.appliance == "works")
    if hub.gateway:
        net.gateway(f"gw{hub.number}", hub.name)
        for circuit, weight in enumerate(hub.weights):
            if weight is not None:
                net.connect(f"gw{hub.number}", f"er{circuit}", weight)


def _spoke(net: Net, spoke: Spoke) -> None:
    subnet = _subnet(net, spoke.space, spoke.name, spoke.table)
    if spoke.rules:
        rules = [*spoke.rules, ("Allow", "*")]
        held = [
            {
                "name": f"r{at}",
                "properties": {
                    "priority": 100 + at,
                    "direction": "Inbound",
                    "access": access,
                    "protocol": "*",
                    "sourceAddressPrefix": source,
                    "destinationAddressPrefix": "*",
                    "sourcePortRange": "*",
                    "destinationPortRange": "*",
                },
            }
            for at, (access, source) in enumerate(rules)
        ]
        subnet["networkSecurityGroup"] = {
            "id": net.add("networkSecurityGroups", f"nsg-{spoke.name}", securityRules=held)
        }
    net.network(spoke.name, spoke.space, app=subnet)
    hub = f"hub{spoke.hub}"
    net.peer(hub, spoke.name, state="Connected" if spoke.connected else "Disconnected")
    for name, flag, value in ((hub, "allowGatewayTransit", spoke.lends), (spoke.name, "useRemoteGateways", spoke.uses)):
        half = net.bodies[id_of("virtualNetworks", name)]["properties"]["virtualNetworkPeerings"][-1]
        half["properties"][flag] = value
    net.machine(f"{spoke.name}vm", (spoke.name, "app", spoke.machine))


def _site(home: Home) -> Site:
    routers = []
    for speaker in home.speakers:
        made = Router(
            name=f"ce{speaker.circuit}",
            circuit=resource_id(id_of("expressRouteCircuits", f"er{speaker.circuit}")),
            links=("primary", "secondary") if speaker.both_links else ("primary",),
            local_preference=speaker.preference,
            prepend=speaker.prepend,
        )
        filters = [
            Filter(direction=direction, prefix=ip_network(prefix), action="deny")
            for direction, prefix in (("out", speaker.denied_out), ("in", speaker.denied_in))
            if prefix is not None
        ]
        routers.append(replace(made, filters=tuple(filters)))
    prefixes = tuple(ip_network(prefix) for prefix in home.prefixes)
    return Site(name=home.name, asn=65010, prefixes=prefixes, routers=tuple(routers))


def _name(down: str) -> str:
    """A thing as `Outside.down` calls it."""
    kind, *rest = down.split()
    if kind == "router":
        return f"router:{rest[0]}/ce{rest[1]}"
    id_ = {
        "circuit": id_of("expressRouteCircuits", f"er{rest[0]}"),
        "link": id_of("expressRouteCircuits", f"er{rest[0]}"),
        "gateway": id_of("virtualNetworkGateways", f"gw{rest[0]}"),
        "appliance": id_of("virtualMachines", f"nva{rest[0]}"),
    }[kind].lower()
    return f"{id_}#{rest[1]}" if kind == "link" else id_
