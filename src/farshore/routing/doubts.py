"""What nobody can read, and what hangs on it (style 11).

A marker stands where a deployment would know a value. What a table or an announcement is made of may hang on one:

    a network's ranges, whom it is peered with      its tables, its peers' tables, whoever announces it
    a half's flags and state (R28, R29)             the tables of both sides, as far as they lead to the other one, and
                                                    the announcement of the side that uses the other's gateway
    a gateway, its connections and circuits         the routes of every network that uses the gateway, and what it
                                                    announces
    a Route Server and its neighbours (R46)         what these say, in its network's tables and to its gateways
    a NIC's address, subnet, pools                  who stands at an address of the network, or of any
    a NIC's forwarding, its machine's power         whether it answers, whether it forwards (R24, R25)
    where a thing stands                            whether it works, when a region or a peering location is down

A doubt is said of some addresses or of all. What it is said of ends in insufficient information, even where the rest
alone would lead somewhere: what can't be read may lead elsewhere. And nobody can say that there is *no* route while
anything that BGP is made of can't be read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from ipaddress import ip_network
from typing import TYPE_CHECKING, NamedTuple

from farshore.arm.connectivity import Connection, ExpressRouteCircuit, VirtualNetworkGateway
from farshore.arm.decode import Address, Network, Reader
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.network import LOAD_BALANCERS, VIRTUAL_HUBS, NetworkInterface, Peering, Subnet, VirtualNetwork
from farshore.estate.door import marker_places
from farshore.routing.index import AZURE_FIREWALLS, PRIVATE_ENDPOINTS, network_key
from farshore.routing.prefixes import covered
from farshore.routing.vpn import far_gateways, is_vpn

if TYPE_CHECKING:
    from farshore.estate.estate import Estate
    from farshore.routing.failures import Deciding
    from farshore.routing.index import Index

_FRONT = re.compile(
    r"properties\.(frontendIPConfigurations|ipConfigurations|backendAddressPools|loadBalancingRules|inboundNatRules"
    r"|virtualHub)\b"
)
_CONFIGURATIONS = re.compile(r"properties(\.ipConfigurations(\[\d+\](\.properties)?)?)?")
_HALF = re.compile(r"properties\.virtualNetworkPeerings\[(\d+)\]\.(?:properties\.)?(\w+)")
_PART = re.compile(r"properties(\.(virtualNetworkPeerings|subnets)(\[\d+\](\.properties)?)?)?")
"""A marker in place of what a network is made of."""
_WHO = ("remoteVirtualNetwork", "remoteAddressSpace", "remoteSubnetNames", "localSubnetNames", "peerCompleteVnets")
_OF_GATEWAY = (
    "ipConfigurations",
    "gatewayType",
    "provisioningState",
    "allowRemoteVnetTraffic",
    "activeActive",
    "bgpSettings",
)
_OF_CONNECTION = (
    "peer",
    "virtualNetworkGateway1",
    "virtualNetworkGateway2",
    "localNetworkGateway2",
    "routingWeight",
    "provisioningState",
    "connectionType",
    "enableBgp",
)
_OF_LOCAL = re.compile(r"properties(\.(localNetworkAddressSpace|bgpSettings|gatewayIpAddress)\b|$)")
_OF_PUBLIC = re.compile(r"properties(\.ipAddress$|$)")
_OF_ENDPOINT = re.compile(r"properties(\.(networkInterfaces|subnet)\b|$)")
_OF_SERVER = re.compile(r"properties\.(allowBranchToBranchTraffic|hubRoutingPreference|subnet|peerIp)\b")
_PLACE_OF_CIRCUIT = ("serviceProviderProperties", "expressRoutePort")
_OF_CIRCUIT = ("peerings", "serviceProviderProvisioningState", "circuitProvisioningState")


class Doubt(NamedTuple):
    """Something that can't be read. `ranges`: the addresses that it matters for; None for all."""

    text: str
    ranges: tuple[Network, ...] | None = None

    def of(self, address: Address) -> bool:
        """Whether it matters for an address."""
        return self.ranges is None or covered(address, self.ranges)


class Doubts:
    """The doubts of an estate's resources, by lower-case id. `deciding`: what decides who has failed."""

    def __init__(self, estate: Estate, index: Index, deciding: Deciding) -> None:
        self._estate = estate
        self._index = index
        self._deciding = deciding

    @cached_property
    def networks(self) -> dict[str, tuple[Doubt, ...]]:
        """By network: what hangs on its own fields and on its peers'."""
        anywhere = [
            Doubt(text)
            for gateway in self._index.gateways.values()
            if gateway.subnet is None
            for text in marked(gateway.id, gateway.unknown, ("ipConfigurations",))
        ]
        found = {key: (*anywhere, *self._of_network(network)) for key, network in self._index.networks.items()}
        return {key: held for key, held in found.items() if held}

    @cached_property
    def gateways(self) -> dict[str, tuple[str, ...]]:
        """By gateway."""
        everywhere = tuple(self._everywhere())
        found = {key: (*everywhere, *self._of_gateway(held)) for key, held in self._index.gateways.items()}
        return {key: held for key, held in found.items() if held}

    @cached_property
    def anything(self) -> frozenset[str]:
        """The gateways that may announce any address, for all that can be read."""
        if any(True for _ in self._everywhere()):
            return frozenset(self._index.gateways)
        networks = {key: self._index.network_of(held.subnet) for key, held in self._index.gateways.items()}
        return frozenset(
            key for key, held in networks.items() if held is not None and any(True for _ in self._announced_by(held))
        )

    @cached_property
    def routes(self) -> tuple[str, ...]:
        """All that BGP is made of and can't be read."""
        found = [text for held in self.gateways.values() for text in held]
        found += self._everywhere()
        found += (doubt.text for held in self.networks.values() for doubt in held)
        for circuit in self._index.circuits.values():
            found += self._of_circuit(circuit)
        return tuple(dict.fromkeys(found))

    @cached_property
    def hidden(self) -> tuple[tuple[str, str], ...]:
        """What might hold an address: (the network's id, what can't be read); an empty id for any network. NICs, load
        balancers and firewalls."""
        found = []
        for nic in self._index.nics.values():
            whole = [path for path in nic.unknown if _CONFIGURATIONS.fullmatch(path)]
            found += [("", f"{nic.id.short} {path.removeprefix('properties.')}") for path in sorted(whole)]
            for at, item in enumerate(nic.ip_configurations if nic.unknown else ()):
                place = f"ipConfigurations[{at}]"
                texts = marked(nic.id, nic.unknown, (place,))
                if any("Address" in text or "subnet" in text or "Pools" in text for text in texts):
                    where = "" if item.subnet is None else network_key(item.subnet)
                    found += [(where, text) for text in texts]
        for kind in (LOAD_BALANCERS, AZURE_FIREWALLS):
            for body in self._index.bodies(kind):
                places = (place for place in marker_places(body) if _FRONT.match(place))
                id_ = resource_id(str(body["id"]))
                found += [("", f"{id_.short} {place.removeprefix('properties.')}") for place in places]
        return tuple(dict.fromkeys(found))

    def hidden_in(self, networks: Iterable[str]) -> tuple[str, ...]:
        """NICs that might hold an address of some networks."""
        keys = {"", *networks}
        return tuple(text for where, text in self.hidden if where in keys)

    @cached_property
    def announced(self) -> tuple[tuple[tuple[Network, ...], tuple[str, ...]], ...]:
        """Ranges of networks of which nobody can tell whether and by whom they are announced."""
        found = []
        for key, doubts in self.networks.items():
            texts = tuple(doubt.text for doubt in doubts if doubt.ranges is None)
            if texts:
                found.append((self._ranges(self._index.networks[key]), texts))
        return tuple(found)

    def of_appliance(self, nic: NetworkInterface) -> tuple[str, ...]:
        """Whether anybody can say that a NIC's machine forwards, and by which of its NICs (R24)."""
        machine = self._index.machines.get(self._index.machine_of.get(nic.id.key, ""))
        found = [*self.of_nic(nic), *marked(nic.id, nic.unknown, ("enableIPForwarding",))]
        if machine is not None:
            found += marked(machine.id, machine.unknown, ("networkProfile",))
            others = (self._index.nics.get(id_.key) for id_ in machine.network_interfaces)
            for other in others:
                if other is not None and other.unknown:
                    found += marked(other.id, other.unknown, ("enableIPForwarding", "ipConfigurations"))
        return tuple(dict.fromkeys(found))

    def of_nic(self, nic: NetworkInterface) -> tuple[str, ...]:
        """Whether anybody can say that a NIC's machine answers."""
        found = [*marked(nic.id, nic.unknown, ("virtualMachine",)), *self.stands(nic)] if nic.unknown else []
        machine = self._index.machines.get(self._index.machine_of.get(nic.id.key, ""))
        if machine is not None and machine.unknown and machine.power_state is None:
            found += marked(machine.id, machine.unknown, ("instanceView", "provisioningState"))
        return tuple(found)

    @cached_property
    def instances(self) -> tuple[str, ...]:
        """What hides where gateways' instances stand: next hops hang on it, no way does."""
        found: list[str] = []
        for gateway in self._index.gateways.values():
            network, subnet = self._index.network_of(gateway.subnet), self._index.gateway_subnet(gateway)
            if network is not None and subnet is not None:
                found += self.of_subnet(network, subnet, ("addressPrefix",))
        return tuple(dict.fromkeys(found))

    # Route Servers

    @cached_property
    def servers(self) -> dict[str, tuple[str, tuple[str, ...]]]:
        """By Route Server: the network that it stands in, empty where that can't be read, and what can't be."""
        places = {
            hub.key: Reader(body).id("properties.subnet")
            for body in self._index.bodies(VIRTUAL_HUBS + "/ipConfigurations")
            for hub in (resource_id(str(body["id"])).parent,)
            if hub is not None
        }
        found: dict[str, list[str]] = {}
        for kind in ("", "/ipConfigurations", "/bgpConnections"):
            for body in self._index.bodies(VIRTUAL_HUBS + kind):
                id_ = resource_id(str(body["id"]))
                server = id_.parent if kind else id_
                if server is not None and server.key in places:
                    read = (place for place in marker_places(body) if _OF_SERVER.match(place))
                    found.setdefault(server.key, []).extend(
                        f"{id_.short} {place.removeprefix('properties.')}" for place in read
                    )
        return {
            key: ("" if (place := places[key]) is None else network_key(place), tuple(texts))
            for key, texts in found.items()
            if texts
        }

    # Networks

    def of_subnet(self, network: VirtualNetwork, subnet: Subnet, fields: Iterable[str]) -> tuple[str, ...]:
        """Which of a subnet's own fields can't be read."""
        if not network.unknown:
            return ()
        at = network.subnets.index(subnet)
        return tuple(marked(network.id, network.unknown, [f"subnets[{at}].properties.{name}" for name in fields]))

    def where(self, thing: NetworkInterface | VirtualNetwork | VirtualNetworkGateway) -> tuple[str, ...]:
        """Whether nobody can tell in which region a thing is."""
        return (f"{thing.id.short} location",) if "location" in thing.unknown else ()

    @cached_property
    def endpoints(self) -> tuple[tuple[str, Doubt], ...]:
        """By network, empty for any: private endpoints of which nobody can tell which addresses they take, or whether
        user-defined routes govern them (R49)."""
        found: list[tuple[str, Doubt]] = []
        for body in self._index.bodies(PRIVATE_ENDPOINTS):
            read, id_ = Reader(body), resource_id(str(body["id"]))
            place = read.id("properties.subnet")
            network = self._index.network_of(place)
            subnet = None if network is None or place is None else network.subnet(place.name)
            nics = read.ids("properties.networkInterfaces")
            known = tuple(ip_network(address) for nic in nics for address in self._index.addresses(nic))
            hidden = [
                f"{id_.short} {p.removeprefix('properties.')}" for p in marker_places(body) if _OF_ENDPOINT.match(p)
            ]
            for nic in (self._index.nics.get(nic.key) for nic in nics):
                hidden += [] if nic is None else marked(nic.id, nic.unknown, ("ipConfigurations",))
            if network is None or subnet is None:
                found += [("", Doubt(text, known or None)) for text in hidden]
                continue
            found += [(network.id.key, Doubt(text, subnet.address_prefixes or None)) for text in hidden]
            policy = f"subnets[{network.subnets.index(subnet)}].properties.privateEndpointNetworkPolicies"
            if f"properties.{policy}" in marker_places(self._index.raw(network.id).body):
                found.append((network.id.key, Doubt(f"{network.id.short} {policy}", known)))
        return tuple(found)

    def _of_network(self, network: VirtualNetwork) -> Iterator[Doubt]:
        yield from map(Doubt, _space(network))
        for text in marked(network.id, network.unknown, ("summarizedGatewayPrefixes",)):
            yield Doubt(text)
        own = _halves(network)
        for at, half in enumerate(network.peerings):
            remote = self._remote(half)
            for name in own.get(at, ()):
                if name != "allowGatewayTransit":
                    scoped = name == "peeringState" and not half.use_remote_gateways and remote is not None
                    ranges = self._ranges(remote) if scoped and remote is not None else None
                    yield Doubt(f"{network.id.short} peering {half.name} {name}", ranges)
            if remote is not None and remote.unknown:
                yield from self._of_remote(network, half, remote)

    def _of_remote(self, network: VirtualNetwork, half: Peering, remote: VirtualNetwork) -> Iterator[Doubt]:
        """What of a network's table hangs on what can't be read of a peer."""
        yield from map(Doubt, _space(remote))
        uses = half.use_remote_gateways or any("useRemoteGateways" in names for names in _halves(network).values())
        for at, names in _halves(remote).items():
            back = remote.peerings[at]
            towards = back.remote_virtual_network
            if towards is not None and towards.key != network.id.key:
                continue
            for name in names:
                text = f"{remote.id.short} peering {back.name} {name}"
                if name in ("peeringState", *_WHO):
                    yield Doubt(text, None if uses else self._ranges(remote))
                elif name == "allowGatewayTransit" and uses:
                    yield Doubt(text)
                elif name == "useRemoteGateways" and half.allow_gateway_transit:
                    # Only what is announced hangs on it, and what comes in is for the other side.
                    yield Doubt(text, self._ranges(remote))

    def _remote(self, half: Peering) -> VirtualNetwork | None:
        id_ = half.remote_virtual_network
        return None if id_ is None else self._index.networks.get(id_.key)

    def _ranges(self, network: VirtualNetwork) -> tuple[Network, ...]:
        """A network's own ranges, and what its peers take for them (R31)."""
        found = [*network.address_space]
        for half in network.peerings:
            remote = self._remote(half)
            for back in () if remote is None else remote.peerings:
                if back.remote_virtual_network is not None and back.remote_virtual_network.key == network.id.key:
                    found += back.remote_address_space
        return tuple(dict.fromkeys(found))

    # Gateways

    def _everywhere(self) -> Iterator[str]:
        """What may be about any gateway."""
        for connection in self._index.connections.values():
            if connection.virtual_network_gateway1 is None:
                yield from marked(connection.id, connection.unknown, _OF_CONNECTION)
        for gateway in self._index.gateways.values():
            if gateway.subnet is None:
                yield from marked(gateway.id, gateway.unknown, ("ipConfigurations",))
        for network in self._index.networks.values():
            for at, names in _halves(network).items():
                half = network.peerings[at]
                if "remoteVirtualNetwork" in names and (half.use_remote_gateways or "useRemoteGateways" in names):
                    yield f"{network.id.short} peering {half.name} remoteVirtualNetwork"

    def _announced_by(self, network: VirtualNetwork) -> Iterator[str]:
        """Of which nobody can tell that a gateway of a network announces it."""
        yield from _space(network)
        halves = _halves(network)
        for at, half in enumerate(network.peerings):
            remote = self._remote(half)
            if half.allow_gateway_transit or "allowGatewayTransit" in halves.get(at, ()):
                yield from () if remote is None else _space(remote)
                if half.remote_virtual_network is None:
                    yield f"{network.id.short} peering {half.name} remoteVirtualNetwork"

    def _of_gateway(self, gateway: VirtualNetworkGateway) -> Iterator[str]:
        yield from self._of_itself(gateway)
        for connection in self._index.connections.values():
            ends = (connection.virtual_network_gateway1, connection.virtual_network_gateway2)
            if gateway.id.key in {end.key for end in ends if end is not None}:
                yield from self._of_connection(connection)
        if is_vpn(gateway):
            yield from self._of_far_ends(gateway)

    def _of_far_ends(self, gateway: VirtualNetworkGateway) -> Iterator[str]:
        """What hides who is at the other ends of a gateway's tunnels, and whether it answers."""
        for far in dict.fromkeys(far_gateways(gateway, self._index)):
            yield from self._of_itself(far)
            for connection in self._connections_of(far):
                yield from self._of_connection(connection)
        every = [held for held in self._index.gateways.values() if is_vpn(held)]
        by_local = any(held.local_network_gateway2 is not None for held in self._connections_of(gateway))
        for other in every if len(every) > 1 and by_local else ():
            yield from marked(other.id, other.unknown, ("bgpSettings", "ipConfigurations"))
            for public in other.public_ip_addresses:
                places = marker_places(self._index.raw(public).body)
                yield from (f"{public.short} {p.removeprefix('properties.')}" for p in places if _OF_PUBLIC.match(p))

    def _connections_of(self, gateway: VirtualNetworkGateway) -> list[Connection]:
        return [held for held in self._index.connections.values() if held.virtual_network_gateway1 == gateway.id]

    def _of_itself(self, gateway: VirtualNetworkGateway) -> Iterator[str]:
        """Whether a gateway speaks, and what of its own networks."""
        yield from marked(gateway.id, gateway.unknown, _OF_GATEWAY)
        yield from self.stands(gateway)
        network = self._index.network_of(gateway.subnet)
        if network is not None:
            yield from self._announced_by(network)
        subnet = self._index.gateway_subnet(gateway)
        if network is not None and subnet is not None:
            at = network.subnets.index(subnet)
            yield from marked(network.id, network.unknown, (f"subnets[{at}].properties.routeTable",))
            table = self._estate.route_table(subnet.route_table)
            if table is not None:
                yield from marked(table.id, table.unknown, ("disableBgpRoutePropagation",))
            named = {gateway.id.key, *(held.id.key for held in self._connections_of(gateway))}
            if gateway.id.key in self.unaddressed and not named.isdisjoint(self._deciding.addresses):
                yield from self.of_subnet(network, subnet, ("addressPrefix",))

    def _of_connection(self, connection: Connection) -> Iterator[str]:
        yield from marked(connection.id, connection.unknown, _OF_CONNECTION)
        local = connection.local_network_gateway2
        if local is not None:
            places = marker_places(self._index.raw(local).body)
            yield from (f"{local.short} {p.removeprefix('properties.')}" for p in places if _OF_LOCAL.match(p))
        circuit = None if connection.peer is None else self._index.circuits.get(connection.peer.key)
        if circuit is not None:
            yield from self._of_circuit(circuit)

    def _of_circuit(self, circuit: ExpressRouteCircuit) -> list[str]:
        return marked(
            circuit.id, circuit.unknown, (*_OF_CIRCUIT, *(_PLACE_OF_CIRCUIT if self._deciding.location else ()))
        )

    # Places

    def stands(self, thing: NetworkInterface | VirtualNetwork | VirtualNetworkGateway) -> tuple[str, ...]:
        """Whether nobody can tell if a thing's region is one that is down."""
        return self.where(thing) if self._deciding.region else ()

    def unplaced(self, deciding: Deciding) -> bool:
        """Whether something is down by what nobody can read of a thing that others hang on: in which region a gateway,
        a network or a hub stands, where a circuit ends, which addresses a gateway's instances have."""
        return bool(
            (deciding.region and self._unplaced_in_regions)
            or (deciding.location and self._unplaced_circuits)
            or not deciding.addresses.isdisjoint(self.unaddressed)
        )

    @cached_property
    def _unplaced_in_regions(self) -> bool:
        gateways, networks = self._index.gateways.values(), self._index.networks.values()
        hubs = ("location" in marker_places(body) for body in self._index.bodies(VIRTUAL_HUBS))
        return any(map(self.where, gateways)) or any(map(self.where, networks)) or any(hubs)

    @cached_property
    def _unplaced_circuits(self) -> bool:
        return any(marked(item.id, item.unknown, _PLACE_OF_CIRCUIT) for item in self._index.circuits.values())

    @cached_property
    def unaddressed(self) -> frozenset[str]:
        """Gateways, and their connections, of which no instance can be told by an address: they name none themselves,
        and where instances usually stand (E26) hangs on a prefix that can't be read."""
        found = set[str]()
        for gateway in self._index.gateways.values():
            network, subnet = self._index.network_of(gateway.subnet), self._index.gateway_subnet(gateway)
            if network is None or subnet is None or gateway.bgp_peering_addresses:
                continue
            if self.of_subnet(network, subnet, ("addressPrefix",)):
                found |= {gateway.id.key, *(held.id.key for held in self._connections_of(gateway))}
        return frozenset(found)


def _space(network: VirtualNetwork) -> list[str]:
    """What hides a network's ranges, or all that its parts say."""
    parts = (path for path in sorted(network.unknown) if _PART.fullmatch(path))
    whole = [f"{network.id.short} {path.removeprefix('properties.')}" for path in parts]
    return [*marked(network.id, network.unknown, ("addressSpace",)), *whole]


def _halves(network: VirtualNetwork) -> dict[int, list[str]]:
    """By peering of a network: the fields that can't be read."""
    found: dict[int, list[str]] = {}
    for path in sorted(network.unknown):
        half = _HALF.match(path)
        if half is not None:
            found.setdefault(int(half[1]), []).append(half[2])
    return found


def marked(id_: ResourceId, unknown: frozenset[str], fields: Iterable[str]) -> list[str]:
    """What of some fields under `properties` can't be read, as texts for a person."""
    wanted = tuple(f"properties.{field}" for field in fields)
    found = (path for path in sorted(unknown) if path.startswith(wanted) or path == "properties")
    return [f"{id_.short} {path.removeprefix('properties.')}" for path in found]
