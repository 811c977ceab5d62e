"""Small networks as plain words: what a drawing (drawing.py) makes, and all that the walker reads.

The walker knows nothing of Azure's resources, and the engine gets the resources (building.py) and nothing of the words.
Addresses follow from a range's number and a spoke's: 10.<range>.<spoke>.0/24 and fd00:<range>:<spoke>::/48, the hub
being spoke 0. Two hubs of one range are a region and its copy that kept the addresses.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from ipaddress import ip_network

DEFAULT = "0.0.0.0/0"
POOLS = ("pool", "half", "apart")
REGIONS = ("eastasia", "southeastasia")
SERVICES = {
    "Storage": ("20.60.0.0/16", "20.61.0.0/16", "20.64.0.0/16", "2603:1040:60::/48", "2603:1040:64::/48"),
    "Storage.eastasia": ("20.60.0.0/16", "2603:1040:60::/48"),
    "Storage.southeastasia": ("20.61.0.0/16",),
    "Storage.japaneast": ("20.64.0.0/16", "2603:1040:64::/48"),
    "Sql.eastasia": ("20.62.0.0/16",),
    "Sql.southeastasia": ("20.63.0.0/16",),
    "AzureCloud.eastasia": ("20.60.0.0/16", "20.62.0.0/16", "2603:1040:60::/48"),
    "AzureCloud": ("20.60.0.0/16", "20.61.0.0/16", "20.62.0.0/16", "20.64.0.0/16", "2603:1040:60::/48"),
}
"""What the estate has been told of service tags' prefixes."""


@dataclass(frozen=True)
class Table:
    routes: tuple[tuple[str, str], ...]
    """(prefix or service tag, an appliance's address or `None`, `Internet`, `VnetLocal`, `VirtualNetworkGateway`)."""
    propagates: bool


@dataclass(frozen=True)
class Rule:
    direction: str
    """`Inbound` or `Outbound`."""
    access: str
    protocol: str
    source: str
    """A prefix, a tag, or `mine` and `nobody's`: the application security groups with and without the machine."""
    destination: str
    ports: str


Group = tuple[Rule, ...]
"""Rules, first asked first; None in its place: no group."""


@dataclass(frozen=True)
class Spoke:
    hub: int
    range: int
    number: int
    six: bool
    single: bool
    """The machine has no address in the second family (R10a)."""
    region: str
    grown: bool
    """It has more space than its hub knows: the peering is not synced (R31)."""
    table: Table | None
    connected: bool
    lends: bool
    uses: bool
    access: bool
    forwarded: bool
    """Of the spoke's half of the peering (R30)."""
    group: Group | None
    nic_group: Group | None
    second: bool = False
    """The machine has a second IPv4 address, in a configuration that stands before its primary one."""
    services: tuple[str, ...] = ()
    """Service endpoints of its subnet, without `Microsoft.`."""

    @property
    def name(self) -> str:
        return f"spoke{self.hub}{self.number}"

    @property
    def known(self) -> tuple[str, ...]:
        """Its space, as its hub knows it."""
        return _both(f"10.{self.range}.{self.number}.0/24", f"fd00:{self.range}:{self.number}::/48", self.six)

    @property
    def spaces(self) -> tuple[str, ...]:
        return (*self.known, *((f"10.{self.range}.{self.number + 10}.0/24",) if self.grown else ()))

    @property
    def machine(self) -> tuple[str, ...]:
        held = _both(
            f"10.{self.range}.{self.number}.4", f"fd00:{self.range}:{self.number}::4", self.six and not self.single
        )
        return (*held, f"10.{self.range}.{self.number}.5") if self.second else held


@dataclass(frozen=True)
class Hub:
    number: int
    range: int
    region: str
    six: bool
    gateway: bool
    open: bool
    """Its gateway talks to others over a circuit (E38)."""
    vpn: tuple[tuple[str, ...], ...] | None
    """The prefixes behind each tunnel of a VPN gateway to a branch; None for no such gateway."""
    weights: tuple[int | None, ...]
    """By circuit; None for no connection."""
    appliance: str
    """`none`, `works`, `off` (no IP forwarding); `pool` and `half`: two behind a load balancer, the second one off.
    `apart` is a pool whose second member is in a subnet of its own."""
    bare: bool
    """The load balancer's pools hold addresses."""
    stateful: bool
    """Its appliances and load balancer keep state; the project says where they don't."""
    tables: tuple[Table | None, Table | None, Table | None]
    """Of the GatewaySubnet, the appliance's subnet and the machine's."""
    aside: Table | None
    """Of the second member's own subnet."""
    appliance_group: Group | None
    endpoint: str | None
    """The network policies of a private endpoint's subnet, `Enabled` or `Disabled`; None for no endpoint."""
    server: tuple[Word, ...] | None
    """What its appliances tell a Route Server; None for no such server."""
    branches: bool
    """The Route Server talks to the network's gateway, too."""
    second: bool = False
    """Its machine and its appliances have a second IPv4 address each."""
    services: tuple[str, ...] = ()
    """Service endpoints of the appliance's subnet and the machine's."""

    @property
    def name(self) -> str:
        return f"hub{self.number}"

    @property
    def known(self) -> tuple[str, ...]:
        return self.spaces

    @property
    def spaces(self) -> tuple[str, ...]:
        return _both(f"10.{self.range}.0.0/24", f"fd00:{self.range}:0::/48", self.six)

    @property
    def machine(self) -> tuple[str, ...]:
        held = _both(f"10.{self.range}.0.132", f"fd00:{self.range}:0:2::4", self.six)
        return (*held, f"10.{self.range}.0.133") if self.second else held

    @property
    def members(self) -> dict[str, tuple[str, ...]]:
        """The appliances' addresses by their machines' names."""
        found, apart = {}, self.appliance == "apart"
        for at in range({"none": 0, "works": 1, "off": 1}.get(self.appliance, 2)):
            aside = bool(at) and apart
            held = _both(
                f"10.{self.range}.0.{100 if aside else 68 + at}",
                f"fd00:{self.range}:0:{3 if aside else 1}::{4 + at}",
                self.six,
            )
            more = (f"10.{self.range}.0.{80 + at}",) if self.second and not aside else ()
            found[f"nva{self.number}{'ab'[at]}"] = (*held, *more)
        return found

    def is_aside(self, member: str) -> bool:
        return self.appliance == "apart" and member == f"nva{self.number}b"

    @property
    def endpoint_address(self) -> str | None:
        return None if self.endpoint is None else f"10.{self.range}.0.196"

    @property
    def fronts(self) -> tuple[str, ...]:
        """The load balancer's addresses."""
        held = _both(f"10.{self.range}.0.70", f"fd00:{self.range}:0:1::6", self.six)
        return held if self.appliance in POOLS else ()


@dataclass(frozen=True)
class Word:
    """One prefix that an appliance tells a Route Server."""

    member: int
    """Which of the hub's appliances; one that isn't there says nothing."""
    prefix: str
    path: int
    """The length of the AS path."""


@dataclass(frozen=True)
class Speaker:
    """A site's router on one circuit."""

    circuit: int
    preference: int
    med: int
    prepend: int
    both_links: bool
    denied_out: str | None
    denied_in: str | None
    passes: tuple[int, ...] = ()
    """The circuits whose routes it tells its own (E48)."""


@dataclass(frozen=True)
class Home:
    name: str
    prefixes: tuple[str, ...]
    speakers: tuple[Speaker, ...]
    firewall: bool
    asn: int = 65010


@dataclass(frozen=True)
class Line:
    """A line between the first two sites, over which they speak BGP."""

    preferences: tuple[int, int]
    """What each gives to what the other tells."""
    transit: bool
    """Each tells the other what it takes from its circuits, and its circuits what the other has."""


@dataclass(frozen=True)
class Words:
    circuits: int
    hubs: tuple[Hub, ...]
    spokes: tuple[Spoke, ...]
    homes: tuple[Home, ...]
    joined: bool
    """A tunnel leads from the first hub's VPN gateway to the second one's."""
    line: Line | None
    reach: tuple[tuple[int, int], ...]
    """Pairs of circuits that Global Reach joins (E46)."""
    protocol: str
    port: int
    down: frozenset[str]
    """`circuit 0`, `link 0 primary`, `gateway 0`, `vpn 0`, `server 0`, `machine nva0a`, `router dc0 1`, `region
    eastasia`; `tunnel 0 1` to a branch, `half 0`: a hub's side of the tunnel between two; `line`, `reach 0 1`."""

    @property
    def serviced(self) -> bool:
        """Whether any subnet has a service endpoint or a route for a service tag."""
        tables = [
            table for held in self.networks for table in (held.tables if isinstance(held, Hub) else (held.table,))
        ]
        named = {prefix for table in tables if table is not None for prefix, _ in table.routes}
        return any(held.services for held in self.networks) or not named.isdisjoint(SERVICES)

    @property
    def networks(self) -> tuple[Hub | Spoke, ...]:
        return self.hubs + self.spokes

    def network(self, name: str) -> Hub | Spoke:
        return next(held for held in self.networks if held.name == name)

    def machines(self) -> dict[str, tuple[str, ...]]:
        """Addresses by NIC name, one machine a network."""
        return {f"{held.name}vm-nic": held.machine for held in self.networks}

    def nics(self, network: Hub | Spoke) -> dict[str, tuple[str, ...]]:
        """All in one network: its machine's, and a hub's appliances'."""
        members = network.members if isinstance(network, Hub) else {}
        return {f"{network.name}vm-nic": network.machine} | {f"{name}-nic": held for name, held in members.items()}

    def network_of(self, nic: str) -> Hub | Spoke:
        return next(held for held in self.networks if nic in self.nics(held))

    def addresses(self, home: Home) -> list[str]:
        """One address in each of a site's prefixes."""
        return [str(ip_network(prefix)[9]) for prefix in home.prefixes if prefix != DEFAULT]


@cache
def _both(four: str, six: str, both: bool) -> tuple[str, ...]:
    return (four, str(ip_network(six) if "/" in six else six)) if both else (four,)
