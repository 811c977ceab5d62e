"""The values of routing: routes, flows, hops, traces, and how a flow ended.

Rows have Azure's own form (R9). A choice keeps what it passed over and why; a trace keeps each hop's choice; both
print as plain text with `describe` (style 8, 9).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address

from farshore.arm.decode import Address, Network
from farshore.arm.ids import ResourceId
from farshore.errors import InputError


class RouteSource(StrEnum):
    DEFAULT = "Default"
    USER = "User"
    VIRTUAL_NETWORK_GATEWAY = "VirtualNetworkGateway"


class RouteState(StrEnum):
    ACTIVE = "Active"
    INVALID = "Invalid"


@dataclass(frozen=True, slots=True, kw_only=True, order=False)
class EffectiveRoute:
    """One row of a subnet's or NIC's table: one prefix, one source, its next hops."""

    source: str
    state: str
    address_prefix: Network
    next_hop_type: str
    next_hop_ip_addresses: tuple[Address, ...] = ()
    name: str | None = None
    by: str | None = None
    """Whose doing it is: a route table's or peering's id, a gateway's. Azure prints none of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BgpRoute:
    """One row of a gateway's or circuit's BGP table (E11)."""

    network: Network
    next_hop: Address | None
    as_path: tuple[int, ...]
    weight: int = 0
    origin: str | None = None
    source_peer: Address | None = None
    by: str | None = None
    """The resource or router it came from, for reasons."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedOver:
    route: EffectiveRoute
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The route that was taken and those that were not."""

    chosen: EffectiveRoute | None
    passed_over: tuple[PassedOver, ...] = ()


class Disposition(StrEnum):
    """How a flow ended, one way."""

    DELIVERED = "Delivered"
    NO_ROUTE = "NoRoute"
    """A route of type None, or none at all."""
    NO_MACHINE = "NoMachine"
    """The network that owns the range has no running machine at that address."""
    PATH_DEAD = "PathDead"
    """A hop does not work: a gateway, circuit, appliance, region (R25)."""
    DENIED = "Denied"
    """A security group said no; the hop names the rule."""
    LOOPED = "Looped"
    AMBIGUOUS = "Ambiguous"
    """Two networks answer for one address and nothing decides between them."""
    WRONG_OWNER = "WrongOwner"
    """A machine took it that is not the one which is promised."""
    STALE = "Stale"
    """A machine took it that may run with old data (D92)."""
    LEFT_ESTATE = "LeftEstate"
    """Out to the internet or a neighbour that nobody described."""
    INSUFFICIENT_INFORMATION = "InsufficientInformation"


PROTOCOLS = ("tcp", "udp", "icmp", "esp", "ah")
"""What security rules tell apart (R42)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """`source` and `destination` are a site's name, a NIC's or machine's id, or `internet`; addresses decide."""

    source: str
    source_address: Address
    destination_address: Address
    protocol: str = "tcp"
    destination_port: int | None = 443
    source_port: int | None = None

    def __post_init__(self) -> None:
        """Raises `InputError` for what is no address, protocol (R42) or port."""
        for address in (self.source_address, self.destination_address):
            if not isinstance(address, IPv4Address | IPv6Address):
                expected = "an address of the module ipaddress, as ip_address('10.1.0.4') gives"
                raise InputError("This is not an address", value=address, expected=expected)
        if not isinstance(self.protocol, str) or self.protocol.lower() not in PROTOCOLS:
            raise InputError("This is no protocol", value=self.protocol, expected=f"one of {', '.join(PROTOCOLS)}")
        for port in (self.destination_port, self.source_port):
            if port is not None and (not isinstance(port, int) or not 0 <= port <= 65535):
                raise InputError("This is no port", value=port, expected="0 to 65535, or None for none")

    def __str__(self) -> str:
        port = "" if self.destination_port is None else f"/{self.destination_port}"
        reply = f" from {self.source_port}" if self.destination_port is None and self.source_port is not None else ""
        return f"{self.source_address} -> {self.destination_address} {self.protocol}{port}{reply}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One place a flow passed.

    `kind`: site, router, circuit, gateway, appliance, machine, tunnel, endpoint, internet."""

    kind: str
    name: str
    id: ResourceId | str | None = None
    choice: Choice | None = None
    because: str = ""
    stateful: bool = False
    state_key: str = ""
    """What keeps the state of a stateful hop: the machine for each of its NICs, a frontend for its pool, one
    router of a site with a firewall. `|` between several, when either may see a packet. Empty: the hop itself."""
    front: str = ""
    """The load balancer that chose an appliance, or the machine at its end."""
    hashed_by: str = ""
    """Which of its frontends, where several members share what comes there; lower-case."""
    others: tuple[ResourceId, ...] = ()
    """Those that share the traffic with this one and come to the same: a packet may meet any of them."""
    any_of: tuple[frozenset[str], ...] = ()
    """Where several share the traffic: of each all that it may be named by, lower-case ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A flow's way, one direction, and how it ended. Several live ways (ECMP over one network) are one trace."""

    flow: Flow
    hops: tuple[Hop, ...]
    disposition: Disposition
    because: str
    missing: tuple[str, ...] = ()
    """With InsufficientInformation: what was missing. With Ambiguous: the candidates."""
    delivered_to: ResourceId | None = None
    """The NIC that took it, or None for a site (`hops[-1]` names it)."""

    @property
    def stateful_hops(self) -> tuple[str, ...]:
        """The stateful things on the way, in order, by id or name: what the other direction must meet too (R39)."""
        return tuple(hop.state_key or str(hop.id or hop.name).lower() for hop in self.hops if hop.stateful)

    @property
    def appliances(self) -> tuple[ResourceId, ...]:
        return tuple(hop.id for hop in self.hops if hop.kind == "appliance" and isinstance(hop.id, ResourceId))
