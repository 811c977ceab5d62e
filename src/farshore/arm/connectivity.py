"""Gateways, connections and circuits of Microsoft.Network: see `arm/network.py`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from farshore.arm.decode import Address, Network, Reader
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.arm.network import last_name, normal_location


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
    name = read.text("name") or last_name(read.text("id"))
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
        id=peering.child("connections", read.text("name") or last_name(read.text("id"))),
        peer=None if other is None else other.parent,
        status=read.text("properties.circuitConnectionStatus") or "Connected",
        provisioning_state=read.text("properties.provisioningState") or "Succeeded",
    )
