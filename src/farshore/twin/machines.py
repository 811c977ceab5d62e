"""Machines and appliances: one host each, a wire for every NIC, a ruleset for its groups.

A NIC's address is the machine's; what leaves takes that address's NIC, what is passed on leaves by the NIC that it came
in by. A host passes packets on where a NIC has IP forwarding (R24). Machines that do not run have no host: to a packet
that is the same as an address that nobody holds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from farshore.arm.decode import Address, Reader
from farshore.arm.ids import ResourceId, resource_id
from farshore.twin.draft import SUBNET, Draft, Host
from farshore.twin.ground import AZURE_FIREWALLS, Ground, Place, covers, network_of


@dataclass
class Port:
    """A NIC of a host: where it is plugged in, and the wires that lead to it."""

    network: str
    subnet: ResourceId
    addresses: list[Address]
    nic: ResourceId
    wires: list[str] = field(default_factory=list)
    """The first leads to its own network; the others are other networks' short ways to it as their next hop."""
    security_group: ResourceId | None = None


@dataclass
class Standing:
    """A host with its ports."""

    host: Host
    ports: list[Port]


class Machines:
    """All that stand, by NIC and by address."""

    def __init__(self, ground: Ground, draft: Draft) -> None:
        self.ground = ground
        self.draft = draft
        self.by_nic: dict[str, tuple[Standing, Port]] = {}
        self.all: list[Standing] = []

    def stand(self, networks: dict[str, Host]) -> None:
        """Make the hosts, and wire each to its networks."""
        for place in self.ground.places:
            if self.ground.runs(place.nic) and place.network in networks and self.ground.subnet(place.subnet):
                self._place(place, networks[place.network])
        for body in self.ground.estate.of_type(AZURE_FIREWALLS):
            self._firewall(resource_id(str(body["id"])), Reader(body), networks)
        for standing in self.all:
            _plug(standing)

    def next_hop(self, network: str, address: Address) -> tuple[Standing, Port] | None:
        """Who stands at a next hop as seen from a network: in it, or in one peered with it directly (R21)."""
        near = [network] if covers(self.ground.networks[network].address_space, address) else []
        for item in self.ground.peered.get(network, ()):
            if item.remote in self.ground.networks and covers(item.prefixes, address):
                near.append(item.remote)
        for where in near:
            if self.ground.at.get((where, address)):
                return self.by_nic.get(self.ground.at[where, address][0].nic.id.key)
            firewall = self.by_nic.get(f"{where}#{address}")
            if firewall is not None:
                return firewall
            balancer = self.ground.frontend(where, address)
            if balancer is not None:
                return self.member(balancer, address)
            if not self.ground.stands(where):
                return None
        return None

    def member(self, balancer: ResourceId, address: Address) -> tuple[Standing, Port] | None:
        """The member that takes what comes to a load balancer's address. Each gets a share; the twin shows one, and of
        members that run the one with IP forwarding off, whose share is lost (limits.py)."""
        standing = [
            (place.nic, self.by_nic[place.nic.id.key])
            for place in self.ground.members(balancer, address)
            if place.nic.id.key in self.by_nic
        ]
        standing.sort(key=lambda item: item[0].enable_ip_forwarding)
        return standing[0][1] if standing else None

    def _place(self, place: Place, network: Host) -> None:
        nic = place.nic
        known = self.by_nic.get(nic.id.key)
        if known is not None:
            known[1].addresses.append(place.address)
            known[0].host.answers.append(str(place.address))
            return
        key = self.ground.machine_of[nic.id.key]
        standing = next((item for item in self.all if item.host.name == f"machine:{key}"), None)
        if standing is None:
            host = self.draft.host(f"machine:{key}", forwards=False, stateful=self._stateful(nic.id.key, key))
            standing = Standing(host, [])
            self.all.append(standing)
        host = standing.host
        host.forwards = host.forwards or nic.enable_ip_forwarding
        port = Port(place.network, place.subnet, [place.address], nic.id, security_group=nic.network_security_group)
        port.wires.append(self.draft.wire(host, network, nic.id.key))
        host.answers.append(str(place.address))
        standing.ports.append(port)
        self.by_nic[nic.id.key] = (standing, port)

    def _firewall(self, id_: ResourceId, read: Reader, networks: dict[str, Host]) -> None:
        for item in read.items("properties.ipConfigurations"):
            address, subnet = item.address("properties.privateIPAddress"), item.id("properties.subnet")
            if address is None or subnet is None or id_.key in self.ground.down:
                continue
            network = networks.get(network_of(subnet))
            if network is None or self.ground.subnet(subnet) is None or f"machine:{id_.key}" in self.draft.hosts:
                continue
            host = self.draft.host(f"machine:{id_.key}", stateful=self._stateful(id_.key))
            port = Port(network_of(subnet), subnet, [address], id_, [self.draft.wire(host, network, id_.key)])
            standing = Standing(host, [port])
            self.all.append(standing)
            self.by_nic[f"{port.network}#{address}"] = (standing, port)

    def _stateful(self, *keys: str) -> bool:
        """Whether an appliance keeps state, by what the project says; it does where nothing is said."""
        project = self.ground.estate.project
        for appliance in () if project is None else project.appliances:
            existing = None if appliance.existing is None else appliance.existing.key
            if appliance.source.key in keys or (existing is not None and existing in keys):
                return appliance.stateful
        return True


def _plug(standing: Standing) -> None:
    """Addresses, and the way out of each NIC."""
    host = standing.host
    for number, port in enumerate(standing.ports):
        wire = port.wires[0]
        for address in port.addresses:
            length = 32 if address.version == 4 else 128
            more = " nodad" if address.version == 6 else ""
            host.ip.append(f"-{address.version} address add {address}/{length} dev {wire}{more}")
            host.ip.append(f"-{address.version} rule add from {address} lookup {SUBNET + number} priority 90")


def way_out(standing: Standing, networks: dict[str, Host]) -> None:
    """The routes out, once it is known which wires lead in: what came by a wire goes on by its NIC."""
    host = standing.host
    for number, port in enumerate(standing.ports):
        network, wire = networks[port.network], port.wires[0]
        for family in sorted({address.version for address in port.addresses}):
            source = next(address for address in port.addresses if address.version == family)
            line = f"default via {network.at[family]} dev {wire} onlink src {source}"
            host.ip.append(f"-{family} route add {line} table {SUBNET + number}")
            if number == 0:
                host.ip.append(f"-{family} route add {line}")
            for inward in port.wires:
                host.ip.append(f"-{family} rule add iif {inward} lookup {SUBNET + number} priority 100")
