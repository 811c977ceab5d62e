"""A virtual network: one host that is its fabric, a routing table for every subnet.

What comes from a machine meets the table of the machine's subnet; what comes from a gateway that of the GatewaySubnet
(R36); what comes over a peering has been decided on the other side and is delivered. The choice is the kernel's: the
longest prefix, and among equal ones the lowest metric:

    5    user-defined                               User            R14.2
    10   the network's own, and its peers'          Default
    20   what BIRD learned from the gateways        BGP             not inside 10's, not where propagation is off (R23)
    30   reserved None rows

An own prefix is `throw`: on to DELIVER, which knows the machines. None is `prohibit`, nobody there `unreachable`, the
internet `blackhole`: the kernel's own words then say why something was lost. Azure's None rows give way to a 0/0 that a
user or BGP gives (R3, R4): where one may come, they and the internet stand in a table that is asked last.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network

from farshore.arm.decode import Address, Network
from farshore.arm.network import Route, Subnet, VirtualNetwork
from farshore.twin.bird import Session, network_tables
from farshore.twin.draft import DELIVER, LAST, SUBNET, WIRES, Draft, Host, via
from farshore.twin.ground import Ground, inside
from farshore.twin.machines import Machines

USER, SYSTEM, BGP, RESERVED = 5, 10, 20, 30
RESERVED_PREFIXES = tuple(ip_network(t) for t in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"))
ANYWHERE = {4: ip_network("0.0.0.0/0"), 6: ip_network("::/0")}
FAMILIES = (4, 6)
OWN = "#own"


class Fabric:
    """The host of one network."""

    def __init__(self, ground: Ground, draft: Draft, network: VirtualNetwork) -> None:
        self.ground = ground
        self.draft = draft
        self.network = network
        self.host = draft.host(f"network:{network.id.key}")
        self.own = Subnet(id=network.id.child("subnets", OWN), name=OWN, address_prefixes=())
        """For what this host has to say itself (a time to live that has run out): a subnet without a table, that hears
        BGP."""
        self.numbers = {subnet.name.lower(): number for number, subnet in enumerate((*network.subnets, self.own))}

    def lay(self, machines: Machines, fabrics: dict[str, Fabric]) -> None:
        """Rules and rows, once all hosts stand."""
        host, key = self.host, self.network.id.key
        for family in FAMILIES:
            host.ip.append(f"-{family} rule add lookup {DELIVER} priority 200")
        for prefix in self.network.address_space:
            host.ip.append(f"-{prefix.version} route add unreachable {prefix} table {DELIVER} metric {RESERVED}")
        held: set[Address] = set()
        for _standing, port in machines.by_nic.values():
            if port.network == key:
                self._plugged(port.wires[0], port.subnet.name)
                for address in port.addresses:
                    if address in held:
                        self.draft.missing[port.nic.key] = f"{address} is held twice in {self.network.name}"
                        continue
                    held.add(address)
                    there = _standing.host.at[address.version]
                    line = f"{address} via {there} dev {port.wires[0]} onlink table {DELIVER}"
                    host.ip.append(f"-{address.version} route add {line}")
        self._frontends(machines)
        for subnet in (*self.network.subnets, self.own):
            host.ip += self._rows(subnet, machines, fabrics)
        for family in FAMILIES:
            # Its own BGP sessions, which a learned 0/0 must not lead away.
            host.ip.append(f"-{family} rule add iif lo to {WIRES[family]} lookup main priority 140")
            host.ip.append(f"-{family} rule add iif lo lookup {SUBNET + self.numbers[OWN]} priority 150")

    def from_gateway(self, wire: str, subnet: str) -> None:
        """What comes by this wire comes out of a gateway."""
        self._plugged(wire, subnet)

    def listen(self, sessions: list[Session]) -> None:
        """Learn from the gateways, into every subnet with propagation."""
        shielded = [*self.network.address_space]
        for item in self.ground.peered.get(self.network.id.key, ()):
            shielded += item.prefixes
        numbers = [
            SUBNET + self.numbers[subnet.name.lower()]
            for subnet in (*self.network.subnets, self.own)
            if not self._silent(subnet)
        ]
        self.host.bird += network_tables(sessions, numbers, shielded, metric=BGP)

    def _silent(self, subnet: Subnet) -> bool:
        table = self.ground.estate.route_table(subnet.route_table)
        return table is not None and table.disable_bgp_route_propagation

    def _plugged(self, wire: str, subnet: str) -> None:
        number = self.numbers[subnet.lower()]
        for family in FAMILIES:
            self.host.ip.append(f"-{family} rule add iif {wire} lookup {SUBNET + number} priority 100")
            self.host.ip.append(f"-{family} rule add iif {wire} lookup {LAST + number} priority 300")

    def _frontends(self, machines: Machines) -> None:
        """A load balancer's address is its first working member's."""
        for balancer, network, address in self.ground.frontends:
            if network != self.network.id.key:
                continue
            found = machines.member(balancer, address)
            if found is None:
                continue
            standing, port = found
            wire = self._way_to(standing.host, port.network, port.wires, port.nic.key)
            there = standing.host.at[address.version]
            length = 32 if address.version == 4 else 128
            self.host.ip.append(f"-{address.version} route add {address} via {there} dev {wire} onlink table {DELIVER}")
            standing.host.ip.append(f"-{address.version} address add {address}/{length} dev lo")
            standing.host.answers.append(str(address))

    def _way_to(self, there: Host, network: str, wires: list[str], nic: str) -> str:
        """The wire to a next hop: its own NIC's in its own network, else a short way of this network's."""
        if network == self.network.id.key:
            return wires[0]
        wire = self.draft.wire(self.host, there, nic)
        if wire not in wires:
            wires.append(wire)
        return wire

    # Rows

    def _rows(self, subnet: Subnet, machines: Machines, fabrics: dict[str, Fabric]) -> Iterator[str]:
        number = self.numbers[subnet.name.lower()]
        table = self.ground.estate.route_table(subnet.route_table)
        seen: set[Network] = set()
        for route in () if table is None else table.routes:
            if not isinstance(route.address_prefix, str) and route.address_prefix not in seen:
                seen.add(route.address_prefix)
                yield _line(self._user(route, route.address_prefix, machines), SUBNET + number, USER)
        for prefix in self.network.address_space:
            yield _line(_kind("throw", prefix), SUBNET + number, SYSTEM)
        done = set(self.network.address_space)
        for item in self.ground.peered.get(self.network.id.key, ()):
            there = fabrics.get(item.remote)
            for prefix in item.prefixes:
                if prefix in done:
                    continue
                done.add(prefix)
                way = _kind("unreachable", prefix)
                if there is not None:
                    wire = self.draft.wire(self.host, there.host)
                    way = (prefix.version, via(there.host, prefix, wire))
                yield _line(way, SUBNET + number, SYSTEM)
        may_come = ANYWHERE[4] in seen or any(ANYWHERE[4] in site.prefixes for site in self.ground.estate.sites)
        seen_none = self.ground.estate.outside.none_prefixes
        for prefix in RESERVED_PREFIXES if seen_none is None else seen_none:
            if not any(inside(prefix, own) for own in self.network.address_space):
                yield _line(_kind("prohibit", prefix), (LAST if may_come else SUBNET) + number, RESERVED)
        for family in FAMILIES:
            yield _line(_kind("blackhole", ANYWHERE[family]), LAST + number, RESERVED)

    def _user(self, route: Route, prefix: Network, machines: Machines) -> tuple[int, str]:
        kind = route.next_hop_type.lower()
        if kind == "vnetlocal":
            if not any(inside(prefix, own) for own in self.network.address_space):
                return _kind("unreachable", prefix)
            return _kind("throw", prefix)
        if kind == "internet":
            return _kind("blackhole", prefix)
        if kind == "none":
            return _kind("prohibit", prefix)
        if kind == "virtualappliance" and route.next_hop_ip_address is not None:
            found = machines.next_hop(self.network.id.key, route.next_hop_ip_address)
            if found is not None:
                standing, port = found
                wire = self._way_to(standing.host, port.network, port.wires, port.nic.key)
                return prefix.version, via(standing.host, prefix, wire)
        # A dead appliance (R25), or a gateway that is no VPN gateway (R21): the row stays, and leads nowhere.
        return _kind("unreachable", prefix)


def _kind(kind: str, prefix: Network) -> tuple[int, str]:
    return prefix.version, f"{kind} {prefix}"


def _line(way: tuple[int, str], table: int, metric: int) -> str:
    family, text = way
    return f"-{family} route add {text} table {table} metric {metric}"


def fabrics_of(ground: Ground, draft: Draft) -> dict[str, Fabric]:
    """The networks whose region is there, and the wires of their peerings."""
    found = {key: Fabric(ground, draft, item) for key, item in ground.networks.items() if ground.stands(key)}
    for key, fabric in found.items():
        for item in ground.peered[key]:
            if item.remote in found:
                draft.wire(fabric.host, found[item.remote].host)
    return found
