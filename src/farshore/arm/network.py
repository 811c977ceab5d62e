"""Microsoft.Network, as far as routing and recovery read it: frozen models and one decoder each.

A decoder takes a body as ARM answers it (children nested in their parent) and returns a model. Field names are
Azure's in snake case. `unknown` lists the paths whose values were markers. The body itself stays in the estate,
whole: models are for reading, never for writing back.
"""

from __future__ import annotations

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
    name = read.text("name") or last_name(read.text("id"))
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
    name = read.text("name") or last_name(read.text("id"))
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
        name=read.text("name") or last_name(read.text("id")),
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
        name=read.text("name") or last_name(read.text("id")),
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
        name=read.text("name") or last_name(read.text("id")),
        private_ip_address=read.address("properties.privateIPAddress"),
        private_ip_allocation_method=read.text("properties.privateIPAllocationMethod") or "Dynamic",
        subnet=read.id("properties.subnet"),
        primary=read.flag("properties.primary"),
        public_ip_address=read.id("properties.publicIPAddress"),
        application_security_groups=read.ids("properties.applicationSecurityGroups"),
        load_balancer_backend_address_pools=read.ids("properties.loadBalancerBackendAddressPools"),
        load_balancer_inbound_nat_rules=read.ids("properties.loadBalancerInboundNatRules"),
    )


def normal_location(text: str | None) -> str:
    """`East Asia` and `eastasia` are one region."""
    return (text or "").replace(" ", "").lower()


def last_name(text: str | None) -> str:
    """What stands behind a text's last slash."""
    return (text or "unnamed").rsplit("/", 1)[-1]
