"""What each source resource is called in the target, and which address is its there.

A counterpart is what already stands in the target for a source resource, or the id that it will get. What exists is
found in this order, so that a target network which somebody built before is corrected and never built twice:

  1. the id that `target.names` gives, in the target's group
  2. what Azure's own references show: the gateway in the counterpart's GatewaySubnet, the table that the
     counterpart's subnet has, the peering that leads to the counterpart of the remote network, the network that Site
     Recovery maps a network to (S33)
  3. for a network: the one in the target's group and region that has exactly its (mapped) address space; else the one
     that Site Recovery made of it, in whatever group: its name with Site Recovery's own suffix, and its ranges, which
     are the source's (S31, D22, D86). The drill's network never

Children keep their names: Site Recovery places machines by the subnet's name (S34, D87). So do machines and their
NICs, which live in another group than the source's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv4Network, ip_address, ip_network

from farshore.arm.compute import VIRTUAL_MACHINES
from farshore.arm.connectivity import VirtualNetworkGateway
from farshore.arm.decode import Address, Network
from farshore.arm.ids import ResourceId, make_id, resource_id
from farshore.arm.json import Body
from farshore.arm.network import (
    CONNECTIONS,
    EXPRESS_ROUTE_CIRCUITS,
    NETWORK_INTERFACES,
    NETWORK_SECURITY_GROUPS,
    PEERINGS,
    PUBLIC_IP_ADDRESSES,
    ROUTE_TABLES,
    VIRTUAL_NETWORK_GATEWAYS,
    VIRTUAL_NETWORKS,
    Subnet,
    VirtualNetwork,
)
from farshore.estate.estate import Estate
from farshore.estate.project import Project

Attached = Callable[[Subnet], ResourceId | None]

NETWORK_MAPPINGS = "Microsoft.RecoveryServices/vaults/replicationFabrics/replicationNetworks/replicationNetworkMappings"
SITE_RECOVERY_SUFFIX = "-asr"
"""What Site Recovery puts behind the name of what it makes in the target (S31)."""


def mapped_network(project: Project, prefix: Network) -> Network:
    """The range in the target: the same, or moved by the row of `addresses.map` that holds it."""
    for row in () if project.keep_addresses else project.address_map:
        if isinstance(prefix, IPv4Network) and isinstance(row.from_, IPv4Network) and prefix.subnet_of(row.from_):
            offset = int(prefix.network_address) - int(row.from_.network_address)
            return ip_network((int(row.to.network_address) + offset, prefix.prefixlen))
    return prefix


def mapped_address(project: Project, address: Address) -> Address:
    for row in () if project.keep_addresses else project.address_map:
        if isinstance(address, IPv4Address) and address in row.from_:
            return ip_address(int(row.to.network_address) + int(address) - int(row.from_.network_address))
    return address


def is_mapped(project: Project, prefix: Network) -> bool:
    """Whether the range is kept on purpose, or covered by a row of the map; one from a range to itself keeps it."""
    kept = (row.from_ for row in project.address_map if row.from_ == row.to)
    within = any(row.version == prefix.version and prefix.subnet_of(row) for row in kept)  # type: ignore[arg-type]
    return project.keep_addresses or within or mapped_network(project, prefix) != prefix


class Counterparts:
    """The target's side of an estate. Needs `estate.project`."""

    def __init__(self, estate: Estate) -> None:
        assert estate.project is not None, "counterparts need a project"
        self.estate = estate
        self.project: Project = estate.project
        self._held: dict[str, ResourceId] = {}
        self._mappings: dict[ResourceId, set[ResourceId]] | None = None

    def name(self, source: str) -> str:
        return self.project.target.name(source)

    def of(self, source: ResourceId) -> ResourceId:
        """The counterpart's id, whether it exists or not."""
        held = self._held.get(source.key)
        if held is None:
            held = self._held[source.key] = self._find(source)
        return held

    def exists(self, source: ResourceId) -> bool:
        return self.estate.get(self.of(source)) is not None

    def group(self, source: ResourceId) -> ResourceId:
        """The target's resource group, in the subscription of a source resource."""
        return resource_id(f"/subscriptions/{source.subscription}/resourceGroups/{self.project.target.resource_group}")

    def named(self, source: ResourceId) -> ResourceId:
        """The id by name alone."""
        assert source.parent is None, f"{source} is a child: it keeps its name"
        name = source.name if _keeps_its_name(source) else self.name(source.name)
        id_ = make_id(source.subscription, self.project.target.resource_group, source.type, name)
        if id_ == source:
            # The target's group is the source's own: only another name tells them apart.
            return make_id(source.subscription, self.project.target.resource_group, source.type, self.name(source.name))
        return id_

    def circuits(self) -> tuple[ResourceId, ...]:
        """The circuits that the target will be reached by: those that its gateways are connected to already; else
        the ones with a site's router behind them that the source does not use; else the source's own (D57). Where
        two circuits and new addresses let both hubs be on both (D91), a target on one of the source's lacks the
        rest."""
        region = self.project.target.region
        there = _unique(
            connection.peer
            for connection in self.estate.connections
            if connection.peer is not None and self._region_of(connection.virtual_network_gateway1) == region
        )
        source = self.source_circuits()
        known = _unique(router.circuit for site in self.estate.sites for router in site.routers)
        others = tuple(id_ for id_ in known if id_ not in source)
        if not others and not self.estate.sites:
            others = tuple(circuit.id for circuit in self.estate.express_route_circuits if circuit.id not in source)
        lacks = not self.project.single_circuit and not self.project.keep_addresses and set(there) < set(source)
        return there if there and (others or not lacks) else others or source

    def joined(self, gateway: ResourceId, circuit: ResourceId | None) -> ResourceId | None:
        """The connection that there is between the counterpart of a source's gateway and a circuit."""
        there = self.of(gateway)
        return next(
            (c.id for c in self.estate.connections if c.virtual_network_gateway1 == there and c.peer == circuit), None
        )

    def source_circuits(self) -> tuple[ResourceId, ...]:
        """The circuits that gateways of the source region are connected to."""
        return _unique(
            connection.peer
            for connection in self.estate.connections
            if connection.peer is not None
            and self._region_of(connection.virtual_network_gateway1) == self.project.source_region
        )

    # How each type is found. ---------------------------------------------------------------------------------------

    def _find(self, source: ResourceId) -> ResourceId:
        if source.is_a(EXPRESS_ROUTE_CIRCUITS):
            return source
        if source.parent is not None:
            parent = self.of(source.parent)
            if source.is_a(PEERINGS) and (there := self._peering(source, parent)) is not None:
                return there
            return parent.child(source.pairs[-1][0], source.name)
        named = self.named(source)
        if self.estate.get(named) is not None:
            return named
        if source.is_a(VIRTUAL_NETWORKS):
            return self._network(source) or named
        if source.is_a(VIRTUAL_NETWORK_GATEWAYS):
            return self._gateway(source) or named
        if source.is_a(CONNECTIONS):
            return self._connection(source) or named
        if source.is_a(PUBLIC_IP_ADDRESSES):
            return self._public_ip(source) or named
        if source.is_a(ROUTE_TABLES):
            return self._on_subnets(source, lambda subnet: subnet.route_table) or named
        if source.is_a(NETWORK_SECURITY_GROUPS):
            return self._on_subnets(source, lambda subnet: subnet.network_security_group) or named
        return named

    def _network(self, source: ResourceId) -> ResourceId | None:
        network = self.estate.virtual_network(source)
        if network is None or not network.address_space:
            return None
        own = set(network.address_space)
        wanted = {mapped_network(self.project, prefix) for prefix in own}
        group = self.project.target.resource_group.lower()
        there = [
            other
            for other in self.estate.virtual_networks
            if other.location == self.project.target.region and other.id != self.project.drill.network
        ]
        # A mapping to a network of other ranges is a mistake (FS502), and no counterpart.
        mapped = [other for other in there if other.id in self._mapped(source) and _share(other, own | wanted)]
        here = [
            other
            for other in there
            if (other.id.resource_group or "").lower() == group and set(other.address_space) == wanted
        ]
        made = [
            other
            for other in there
            if other.name.lower() == f"{source.name}{SITE_RECOVERY_SUFFIX}".lower()
            and set(other.address_space) in (own, wanted)
        ]
        return next((found[0].id for found in (mapped, here, made) if len(found) == 1), None)

    def _mapped(self, source: ResourceId) -> frozenset[ResourceId]:
        """The networks that Site Recovery maps a network to."""
        if self._mappings is None:
            self._mappings = {}
            for body in self.estate.of_type(NETWORK_MAPPINGS):
                ends = mapping_ends(body)
                if ends is not None:
                    self._mappings.setdefault(ends[0], set()).add(ends[1])
        return frozenset(self._mappings.get(source, ()))

    def _peering(self, source: ResourceId, parent: ResourceId) -> ResourceId | None:
        own, there = self.estate.virtual_network(source.parent), self.estate.virtual_network(parent)
        peering = None if own is None else next((p for p in own.peerings if p.id == source), None)
        if peering is None or peering.remote_virtual_network is None or there is None:
            return None
        remote = self.of(peering.remote_virtual_network)
        return next((item.id for item in there.peerings if item.remote_virtual_network == remote), None)

    def _gateway(self, source: ResourceId) -> ResourceId | None:
        gateway = self.estate.virtual_network_gateway(source)
        if gateway is None or gateway.subnet is None:
            return None
        subnet = self.of(gateway.subnet)
        return next((other.id for other in self._gateways_like(gateway) if other.subnet == subnet), None)

    def _gateways_like(self, gateway: VirtualNetworkGateway) -> Iterable[VirtualNetworkGateway]:
        return (g for g in self.estate.virtual_network_gateways if g.gateway_type == gateway.gateway_type)

    def _connection(self, source: ResourceId) -> ResourceId | None:
        connection = self.estate.connection(source)
        if connection is None or connection.virtual_network_gateway1 is None:
            return None
        gateway, circuits = connection.virtual_network_gateway1, self.circuits()
        if connection.peer in circuits:
            # Of two connections to one circuit, one is the other's counterpart (D91).
            return self.joined(gateway, connection.peer)
        return next((id_ for circuit in circuits if (id_ := self.joined(gateway, circuit)) is not None), None)

    def _public_ip(self, source: ResourceId) -> ResourceId | None:
        for gateway in self.estate.virtual_network_gateways:
            if source in gateway.public_ip_addresses:
                there = self.estate.virtual_network_gateway(self.of(gateway.id))
                place = gateway.public_ip_addresses.index(source)
                if there is not None and place < len(there.public_ip_addresses):
                    return there.public_ip_addresses[place]
        return None

    def _on_subnets(self, source: ResourceId, attached: Attached) -> ResourceId | None:
        """The table (or group) that the counterparts of this one's subnets have, where they agree on one."""
        found = set()
        for network in self.estate.virtual_networks:
            for subnet in network.subnets:
                if attached(subnet) == source and network.location == self.project.source_region:
                    there = self.estate.subnet(self.of(subnet.id))
                    if there is not None and (other := attached(there)) is not None and other != source:
                        found.add(other)
        return found.pop() if len(found) == 1 else None

    def _region_of(self, gateway: ResourceId | None) -> str | None:
        found = self.estate.virtual_network_gateway(gateway)
        return None if found is None else found.location


def mapping_ends(body: Body) -> tuple[ResourceId, ResourceId] | None:
    """The two networks of a network mapping, as it is sent or as it is shown (S5)."""
    properties = body.get("properties") or {}
    details = properties.get("fabricSpecificDetails") or {}
    ends = details.get("primaryNetworkId") or properties.get("primaryNetworkId"), properties.get("recoveryNetworkId")
    if not all(isinstance(end, str) and end.startswith("/") for end in ends):
        return None
    return resource_id(str(ends[0])), resource_id(str(ends[1]))


def _share(network: VirtualNetwork, ranges: set[Network]) -> bool:
    """Whether a network has any address of these ranges."""
    return any(
        one.version == other.version and one.overlaps(other) for one in network.address_space for other in ranges
    )


def network_of(estate: Estate, subnet: ResourceId | None) -> VirtualNetwork | None:
    """The network that a subnet belongs to."""
    return None if subnet is None else estate.virtual_network(subnet.parent)


def _keeps_its_name(source: ResourceId) -> bool:
    return source.is_a(VIRTUAL_MACHINES) or source.is_a(NETWORK_INTERFACES)


def _unique(ids: Iterable[ResourceId | None]) -> tuple[ResourceId, ...]:
    return tuple(dict.fromkeys(id_ for id_ in ids if id_ is not None))
