"""Microsoft.Network, as far as routing and recovery read it: frozen models and one decoder each.

A decoder takes a body as ARM answers it (children nested in their parent) and returns a model. Field names are
Azure's in snake case. `unknown` lists the paths whose values were markers. The body itself stays in the estate,
whole: models are for reading, never for writing back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from farshore.arm.decode import Address, Network, Reader
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body

VIRTUAL_NETWORKS = "Microsoft.Network/virtualNetworks"
SUBNETS = "Microsoft.Network/virtualNetworks/subnets"
PEERINGS = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings"
ROUTE_TABLES = "Microsoft.Network/routeTables"
NETWORK_SECURITY_GROUPS = "Microsoft.Network/networkSecurityGroups"
NETWORK_INTERFACES = "Microsoft.Network/networkInterfaces"
PUBLIC_IP_ADDRESSES = "Microsoft.Network/publicIPAddresses"
VIRTUAL_NETWORK_GATEWAYS = "Microsoft.Network/virtualNetworkGateways"
CONNECTIONS = "Microsoft.Network/connections"
EXPRESS_ROUTE_CIRCUITS = "Microsoft.Network/expressRouteCircuits"
VIRTUAL_HUBS = "Microsoft.Network/virtualHubs"
LOAD_BALANCERS = "Microsoft.Network/loadBalancers"


class NextHopType(StrEnum):
    """R7 (writable) and R8 (only in effective routes)."""

    VIRTUAL_NETWORK_GATEWAY = "VirtualNetworkGateway"
    VNET_LOCAL = "VnetLocal"
    INTERNET = "Internet"
    VIRTUAL_APPLIANCE = "VirtualAppliance"
    VIRTUAL_APPLIANCE_ECMP = "VirtualApplianceEcmp"
    NONE = "None"
    VNET_PEERING = "VNetPeering"
    VNET_GLOBAL_PEERING = "VNetGlobalPeering"
    VIRTUAL_NETWORK_SERVICE_ENDPOINT = "VirtualNetworkServiceEndpoint"
    INTERFACE_ENDPOINT = "InterfaceEndpoint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subnet:
    id: ResourceId
    name: str
    address_prefixes: tuple[Network, ...]
    route_table: ResourceId | None = None
    network_security_group: ResourceId | None = None
    service_endpoints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Peering:
    """One side of a peering (R28 to R33): what the owning network accepts from its peer."""

    id: ResourceId
    name: str
    remote_virtual_network: ResourceId | None
    allow_virtual_network_access: bool
    allow_forwarded_traffic: bool
    allow_gateway_transit: bool
    use_remote_gateways: bool
    peering_state: str
    peering_sync_level: str | None = None
    remote_address_space: tuple[Network, ...] = ()
    """The synced copy (R31): what this side routes to. Empty where the body does not show it."""
    peer_complete_vnets: bool = True
    local_subnet_names: tuple[str, ...] = ()
    remote_subnet_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualNetwork:
    id: ResourceId
    name: str
    location: str
    address_space: tuple[Network, ...]
    subnets: tuple[Subnet, ...] = ()
    peerings: tuple[Peering, ...] = ()
    unknown: frozenset[str] = frozenset()

    def subnet(self, name: str) -> Subnet | None:
        """The subnet of that name, without regard to case."""
        return next((subnet for subnet in self.subnets if subnet.name.lower() == name.lower()), None)


def virtual_network(body: Body) -> VirtualNetwork:
    """Shape: `Microsoft.Network/virtualNetworks` with `subnets` and `virtualNetworkPeerings` inside."""
    read = Reader(body)
    own = resource_id(str(body["id"]))
    subnets = tuple(_subnet(own, item) for item in read.items("properties.subnets"))
    peerings = tuple(_peering(own, item) for item in read.items("properties.virtualNetworkPeerings"))
    space = read.networks("properties.addressSpace.addressPrefixes")
    return VirtualNetwork(
        id=own,
        name=own.name,
        location=normal_location(read.text("location")),
        address_space=space,
        subnets=subnets,
        peerings=peerings,
        unknown=frozenset(read.unknown),
    )


def _subnet(own: ResourceId, read: Reader) -> Subnet:
    name = read.text("name") or _last(read.text("id"))
    prefixes = read.networks("properties.addressPrefixes") or read.networks("properties.addressPrefix")
    endpoints = tuple(s for item in read.items("properties.serviceEndpoints") if (s := item.text("service")))
    return Subnet(
        id=own.child("subnets", name),
        name=name,
        address_prefixes=prefixes,
        route_table=read.id("properties.routeTable"),
        network_security_group=read.id("properties.networkSecurityGroup"),
        service_endpoints=endpoints,
    )


def _peering(own: ResourceId, read: Reader) -> Peering:
    name = read.text("name") or _last(read.text("id"))
    return Peering(
        id=own.child("virtualNetworkPeerings", name),
        name=name,
        remote_virtual_network=read.id("properties.remoteVirtualNetwork"),
        allow_virtual_network_access=read.flag("properties.allowVirtualNetworkAccess", True),
        allow_forwarded_traffic=read.flag("properties.allowForwardedTraffic"),
        allow_gateway_transit=read.flag("properties.allowGatewayTransit"),
        use_remote_gateways=read.flag("properties.useRemoteGateways"),
        peering_state=read.text("properties.peeringState") or "Initiated",
        peering_sync_level=read.text("properties.peeringSyncLevel"),
        remote_address_space=read.networks("properties.remoteAddressSpace.addressPrefixes"),
        peer_complete_vnets=read.flag("properties.peerCompleteVnets", True),
        local_subnet_names=read.texts("properties.localSubnetNames"),
        remote_subnet_names=read.texts("properties.remoteSubnetNames"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A user-defined route (R7). `address_prefix` is a network, or the text of a service tag (R18)."""

    name: str
    address_prefix: Network | str
    next_hop_type: str
    next_hop_ip_address: Address | None = None
    next_hop_ip_addresses: tuple[Address, ...] = ()  # of VirtualApplianceEcmp
    has_bgp_override: bool = False
    """Whether it comes before what BGP says inside of its prefix, in a way that nobody has measured (R12)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteTable:
    id: ResourceId
    location: str
    disable_bgp_route_propagation: bool
    routes: tuple[Route, ...]
    disable_peering_route: str = "None"
    """`All`: what peerings give is kept out, in a way that nobody has measured (R12)."""
    unknown: frozenset[str] = frozenset()


def route_table(body: Body) -> RouteTable:
    read = Reader(body)
    routes = tuple(route for item in read.items("properties.routes") if (route := _route(item)) is not None)
    return RouteTable(
        id=resource_id(str(body["id"])),
        location=normal_location(read.text("location")),
        disable_bgp_route_propagation=read.flag("properties.disableBgpRoutePropagation"),
        routes=routes,
        disable_peering_route=read.text("properties.disablePeeringRoute") or "None",
        unknown=frozenset(read.unknown),
    )


def _route(read: Reader) -> Route | None:
    prefix = read.text("properties.addressPrefix")
    if prefix is None:
        return None
    return Route(
        name=read.text("name") or _last(read.text("id")),
        # A service tag has no slash, a prefix always does.
        address_prefix=read.networks("properties.addressPrefix")[0] if "/" in prefix else prefix,
        next_hop_type=read.text("properties.nextHopType") or "None",
        next_hop_ip_address=read.address("properties.nextHopIpAddress"),
        next_hop_ip_addresses=read.addresses("properties.nextHop.nextHopIpAddresses"),
        has_bgp_override=read.flag("properties.hasBgpOverride"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityRule:
    """R42; singular and plural forms are merged into the tuples."""

    name: str
    priority: int
    direction: str
    access: str
    protocol: str
    source_address_prefixes: tuple[str, ...]
    destination_address_prefixes: tuple[str, ...]
    source_port_ranges: tuple[str, ...]
    destination_port_ranges: tuple[str, ...]
    source_application_security_groups: tuple[ResourceId, ...] = ()
    destination_application_security_groups: tuple[ResourceId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSecurityGroup:
    id: ResourceId
    location: str
    security_rules: tuple[SecurityRule, ...]
    unknown: frozenset[str] = frozenset()


def network_security_group(body: Body) -> NetworkSecurityGroup:
    read = Reader(body)
    return NetworkSecurityGroup(
        id=resource_id(str(body["id"])),
        location=normal_location(read.text("location")),
        security_rules=tuple(_security_rule(item) for item in read.items("properties.securityRules")),
        unknown=frozenset(read.unknown),
    )


def _security_rule(read: Reader) -> SecurityRule:
    def both(name: str) -> tuple[str, ...]:
        one = read.text(f"properties.{name}")
        plural = name + "es" if name.endswith("Prefix") else name + "s"
        return (() if one is None else (one,)) + read.texts(f"properties.{plural}")

    return SecurityRule(
        name=read.text("name") or _last(read.text("id")),
        priority=read.number("properties.priority") or 0,
        direction=read.text("properties.direction") or "Inbound",
        access=read.text("properties.access") or "Deny",
        protocol=read.text("properties.protocol") or "*",
        source_address_prefixes=both("sourceAddressPrefix"),
        destination_address_prefixes=both("destinationAddressPrefix"),
        source_port_ranges=both("sourcePortRange"),
        destination_port_ranges=both("destinationPortRange"),
        source_application_security_groups=read.ids("properties.sourceApplicationSecurityGroups"),
        destination_application_security_groups=read.ids("properties.destinationApplicationSecurityGroups"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class IpConfiguration:
    name: str
    private_ip_address: Address | None
    private_ip_allocation_method: str
    subnet: ResourceId | None
    primary: bool
    public_ip_address: ResourceId | None = None
    application_security_groups: tuple[ResourceId, ...] = ()
    load_balancer_backend_address_pools: tuple[ResourceId, ...] = ()
    load_balancer_inbound_nat_rules: tuple[ResourceId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkInterface:
    id: ResourceId
    location: str
    ip_configurations: tuple[IpConfiguration, ...]
    enable_ip_forwarding: bool
    network_security_group: ResourceId | None
    virtual_machine: ResourceId | None
    unknown: frozenset[str] = frozenset()

    @property
    def primary(self) -> IpConfiguration | None:
        """The primary configuration; the only one is primary even where the body does not say so."""
        named = [item for item in self.ip_configurations if item.primary]
        return named[0] if named else self.ip_configurations[0] if self.ip_configurations else None


def network_interface(body: Body) -> NetworkInterface:
    read = Reader(body)
    return NetworkInterface(
        id=resource_id(str(body["id"])),
        location=normal_location(read.text("location")),
        ip_configurations=tuple(_ip_configuration(item) for item in read.items("properties.ipConfigurations")),
        enable_ip_forwarding=read.flag("properties.enableIPForwarding"),
        network_security_group=read.id("properties.networkSecurityGroup"),
        virtual_machine=read.id("properties.virtualMachine"),
        unknown=frozenset(read.unknown),
    )


def _ip_configuration(read: Reader) -> IpConfiguration:
    return IpConfiguration(
        name=read.text("name") or _last(read.text("id")),
        private_ip_address=read.address("properties.privateIPAddress"),
        private_ip_allocation_method=read.text("properties.privateIPAllocationMethod") or "Dynamic",
        subnet=read.id("properties.subnet"),
        primary=read.flag("properties.primary"),
        public_ip_address=read.id("properties.publicIPAddress"),
        application_security_groups=read.ids("properties.applicationSecurityGroups"),
        load_balancer_backend_address_pools=read.ids("properties.loadBalancerBackendAddressPools"),
        load_balancer_inbound_nat_rules=read.ids("properties.loadBalancerInboundNatRules"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualNetworkGateway:
    """E20. `subnet` is the GatewaySubnet of the network that it stands in."""

    id: ResourceId
    location: str
    gateway_type: str
    sku: str | None
    active_active: bool
    enable_bgp: bool
    asn: int
    subnet: ResourceId | None
    public_ip_addresses: tuple[ResourceId, ...]
    bgp_peering_addresses: tuple[Address, ...]
    allow_remote_vnet_traffic: bool
    allow_virtual_wan_traffic: bool
    provisioning_state: str
    unknown: frozenset[str] = frozenset()


def virtual_network_gateway(body: Body) -> VirtualNetworkGateway:
    read = Reader(body)
    subnets = [item.id("properties.subnet") for item in read.items("properties.ipConfigurations")]
    publics = [item.id("properties.publicIPAddress") for item in read.items("properties.ipConfigurations")]
    bgp = read.text("properties.bgpSettings.bgpPeeringAddress") or ""
    addresses = Reader({"a": [part.strip() + "/32" for part in bgp.split(",") if part.strip()]}).networks("a")
    return VirtualNetworkGateway(
        id=resource_id(str(body["id"])),
        location=normal_location(read.text("location")),
        gateway_type=read.text("properties.gatewayType") or "Vpn",
        sku=read.text("properties.sku.name"),
        active_active=read.flag("properties.activeActive") or read.flag("properties.active"),
        enable_bgp=read.flag("properties.enableBgp"),
        asn=read.number("properties.bgpSettings.asn") or 65515,
        subnet=next((subnet for subnet in subnets if subnet is not None), None),
        public_ip_addresses=tuple(public for public in publics if public is not None),
        bgp_peering_addresses=tuple(network.network_address for network in addresses),
        allow_remote_vnet_traffic=read.flag("properties.allowRemoteVnetTraffic"),
        allow_virtual_wan_traffic=read.flag("properties.allowVirtualWanTraffic"),
        provisioning_state=read.text("properties.provisioningState") or "Succeeded",
        unknown=frozenset(read.unknown),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """E32. `peer` is the circuit of an ExpressRoute connection."""

    id: ResourceId
    location: str
    connection_type: str
    virtual_network_gateway1: ResourceId | None
    virtual_network_gateway2: ResourceId | None
    local_network_gateway2: ResourceId | None
    peer: ResourceId | None
    routing_weight: int
    express_route_gateway_bypass: bool
    enable_bgp: bool
    provisioning_state: str
    unknown: frozenset[str] = frozenset()


def connection(body: Body) -> Connection:
    read = Reader(body)
    return Connection(
        id=resource_id(str(body["id"])),
        location=normal_location(read.text("location")),
        connection_type=read.text("properties.connectionType") or "",
        virtual_network_gateway1=read.id("properties.virtualNetworkGateway1"),
        virtual_network_gateway2=read.id("properties.virtualNetworkGateway2"),
        local_network_gateway2=read.id("properties.localNetworkGateway2"),
        peer=read.id("properties.peer"),
        routing_weight=read.number("properties.routingWeight") or 0,
        express_route_gateway_bypass=read.flag("properties.expressRouteGatewayBypass"),
        enable_bgp=read.flag("properties.enableBgp"),
        provisioning_state=read.text("properties.provisioningState") or "Succeeded",
        unknown=frozenset(read.unknown),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitConnection:
    """Global Reach: a private peering joined to another circuit's (E46)."""

    id: ResourceId
    peer: ResourceId | None
    """The other circuit."""
    status: str
    provisioning_state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitPeering:
    """E8, E9: the customer's router takes the first usable address of each /30, Microsoft's the second."""

    id: ResourceId
    peering_type: str
    state: str
    peer_asn: int | None
    azure_asn: int
    primary_peer_address_prefix: Network | None
    secondary_peer_address_prefix: Network | None
    ipv6_enabled: bool = False
    """Whether IPv6 has a session of its own (`ipv6PeeringConfig`): without it a circuit carries IPv4 only."""
    connections: tuple[CircuitConnection, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpressRouteCircuit:
    id: ResourceId
    location: str
    sku_tier: str | None
    sku_family: str | None
    peering_location: str | None
    service_provider: str | None
    bandwidth_in_mbps: int | None
    service_provider_provisioning_state: str
    circuit_provisioning_state: str
    peerings: tuple[CircuitPeering, ...]
    provisioning_state: str
    unknown: frozenset[str] = frozenset()

    @property
    def private_peering(self) -> CircuitPeering | None:
        """The one peering that reaches virtual networks (E9, D45)."""
        return next((item for item in self.peerings if item.peering_type == "AzurePrivatePeering"), None)


def global_reach(
    circuits: Iterable[ExpressRouteCircuit],
) -> list[tuple[frozenset[ResourceId], CircuitConnection]]:
    """The pairs of circuits that Global Reach joins or should join, each once, with a connection that says so (E46)."""
    found: dict[frozenset[ResourceId], CircuitConnection] = {}
    for circuit in circuits:
        for connection in () if circuit.private_peering is None else circuit.private_peering.connections:
            if connection.peer is not None:
                found.setdefault(frozenset((circuit.id, connection.peer)), connection)
    return list(found.items())


def express_route_circuit(body: Body) -> ExpressRouteCircuit:
    read = Reader(body)
    own = resource_id(str(body["id"]))
    return ExpressRouteCircuit(
        id=own,
        location=normal_location(read.text("location")),
        sku_tier=read.text("sku.tier"),
        sku_family=read.text("sku.family"),
        peering_location=read.text("properties.serviceProviderProperties.peeringLocation"),
        service_provider=read.text("properties.serviceProviderProperties.serviceProviderName"),
        bandwidth_in_mbps=read.number("properties.serviceProviderProperties.bandwidthInMbps")
        or read.thousands("properties.bandwidthInGbps"),
        service_provider_provisioning_state=read.text("properties.serviceProviderProvisioningState") or "Provisioned",
        circuit_provisioning_state=read.text("properties.circuitProvisioningState") or "Enabled",
        peerings=tuple(_circuit_peering(own, item) for item in read.items("properties.peerings")),
        provisioning_state=read.text("properties.provisioningState") or "Succeeded",
        unknown=frozenset(read.unknown),
    )


def _circuit_peering(own: ResourceId, read: Reader) -> CircuitPeering:
    name = read.text("name") or _last(read.text("id"))
    return CircuitPeering(
        id=own.child("peerings", name),
        peering_type=read.text("properties.peeringType") or name,
        state=read.text("properties.state") or "Enabled",
        peer_asn=read.number("properties.peerASN"),
        azure_asn=read.number("properties.azureASN") or 12076,
        primary_peer_address_prefix=read.network("properties.primaryPeerAddressPrefix"),
        secondary_peer_address_prefix=read.network("properties.secondaryPeerAddressPrefix"),
        ipv6_enabled=isinstance(read.raw("properties.ipv6PeeringConfig"), dict)
        and (read.text("properties.ipv6PeeringConfig.state") or "Enabled").lower() == "enabled",
        connections=tuple(
            _circuit_connection(own.child("peerings", name), item) for item in read.items("properties.connections")
        ),
    )


def _circuit_connection(peering: ResourceId, read: Reader) -> CircuitConnection:
    other = read.id("properties.peerExpressRouteCircuitPeering")
    return CircuitConnection(
        id=peering.child("connections", read.text("name") or _last(read.text("id"))),
        peer=None if other is None else other.parent,
        status=read.text("properties.circuitConnectionStatus") or "Connected",
        provisioning_state=read.text("properties.provisioningState") or "Succeeded",
    )


def normal_location(text: str | None) -> str:
    """`East Asia` and `eastasia` are one region."""
    return (text or "").replace(" ", "").lower()


def _last(text: str | None) -> str:
    return (text or "unnamed").rsplit("/", 1)[-1]
