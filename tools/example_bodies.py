"""Resource bodies as Azure returns them, for the examples: the article's hub, spokes and circuits.

Everything is computed from names, GUIDs and MAC addresses too, so that the same examples come out every time.
"""

from __future__ import annotations

import uuid
from typing import Any

Body = dict[str, Any]

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
REGION = "eastasia"
ELSEWHERE = "southeastasia"
SOURCE_GROUP = "rg-source"
CIRCUIT_GROUP = "rg-expressroute"
TARGET_GROUP = "rg-farshore-dr"
DATACENTER = "192.168.0.0/16"
HUB, NVA_SUBNET, GATEWAY_SUBNET = "10.10.10.0/24", "10.10.10.0/25", "10.10.10.128/25"
NVA = "10.10.10.10"


def guid(*parts: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "farshore/" + "/".join(parts)))


def group_id(name: str) -> str:
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{name}"


def id_of(kind: str, name: str, group: str = SOURCE_GROUP) -> str:
    return f"{group_id(group)}/providers/{kind}/{name}"


def network_id(name: str) -> str:
    return id_of("Microsoft.Network/virtualNetworks", name)


def subnet_id(network: str, subnet: str) -> str:
    return f"{network_id(network)}/subnets/{subnet}"


def resource(kind: str, name: str, properties: Body, *, group: str = SOURCE_GROUP, region: str = REGION) -> Body:
    """A top-level body of Microsoft.Network."""
    id_ = id_of(kind, name, group)
    state = {"provisioningState": "Succeeded", "resourceGuid": guid(id_)}
    return {
        "id": id_,
        "name": name,
        "type": kind,
        "etag": etag(id_),
        "location": region,
        "properties": state | properties,
    }


def child(parent: str, kind: str, name: str, properties: Body) -> Body:
    """A body that Azure nests in its parent; `kind` is the whole type."""
    id_ = f"{parent}/{kind.rsplit('/', 1)[1]}/{name}"
    return {
        "id": id_,
        "name": name,
        "type": kind,
        "etag": etag(id_),
        "properties": {"provisioningState": "Succeeded"} | properties,
    }


def etag(id_: str) -> str:
    return f'W/"{guid("etag", id_)}"'


def resource_group(name: str, region: str) -> Body:
    return {
        "id": group_id(name),
        "name": name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": region,
        "properties": {"provisioningState": "Succeeded"},
    }


# Networks. -----------------------------------------------------------------------------------------------------------


def virtual_network(name: str, prefix: str, subnets: list[Body], peerings: list[Body]) -> Body:
    return resource(
        "Microsoft.Network/virtualNetworks",
        name,
        {
            "addressSpace": {"addressPrefixes": [prefix]},
            "subnets": subnets,
            "virtualNetworkPeerings": peerings,
            "enableDdosProtection": False,
        },
    )


def subnet(
    network: str,
    name: str,
    prefix: str,
    *,
    table: str | None = None,
    security_group: str | None = None,
    storage: bool = False,
    used_by: tuple[str, ...] = (),
) -> Body:
    properties: Body = {"addressPrefix": prefix}
    if security_group is not None:
        properties["networkSecurityGroup"] = {"id": id_of("Microsoft.Network/networkSecurityGroups", security_group)}
    if table is not None:
        properties["routeTable"] = {"id": id_of("Microsoft.Network/routeTables", table)}
    if used_by:
        properties["ipConfigurations"] = [{"id": id_} for id_ in used_by]
    if storage:
        properties["serviceEndpoints"] = [
            {"provisioningState": "Succeeded", "service": "Microsoft.Storage", "locations": [REGION, ELSEWHERE]}
        ]
    properties["delegations"] = []
    properties["privateEndpointNetworkPolicies"] = "Disabled"
    properties["privateLinkServiceNetworkPolicies"] = "Enabled"
    return child(network_id(network), "Microsoft.Network/virtualNetworks/subnets", name, properties)


def peering(network: str, remote: str, remote_prefix: str, name: str, *, transit: bool, remote_gateways: bool) -> Body:
    """One side, as the article's tables print it (D42, D43)."""
    body = child(
        network_id(network),
        "Microsoft.Network/virtualNetworks/virtualNetworkPeerings",
        name,
        {
            "resourceGuid": guid("peering", *sorted((network, remote))),
            "peeringState": "Connected",
            "peeringSyncLevel": "FullyInSync",
            "remoteVirtualNetwork": {"id": network_id(remote)},
            "allowVirtualNetworkAccess": True,
            "allowForwardedTraffic": True,
            "allowGatewayTransit": transit,
            "useRemoteGateways": remote_gateways,
            "doNotVerifyRemoteGateways": False,
            "peerCompleteVnets": True,
            "remoteAddressSpace": {"addressPrefixes": [remote_prefix]},
            "remoteVirtualNetworkAddressSpace": {"addressPrefixes": [remote_prefix]},
        },
    )
    return body


def route_table(name: str, routes: dict[str, str], subnets: list[str], *, propagation: bool) -> Body:
    """Every route of these tables leads to the NVA."""
    kind = "Microsoft.Network/routeTables"
    return resource(
        kind,
        name,
        {
            "disableBgpRoutePropagation": not propagation,
            "routes": [
                child(
                    id_of(kind, name),
                    f"{kind}/routes",
                    route,
                    {
                        "addressPrefix": prefix,
                        "nextHopType": "VirtualAppliance",
                        "nextHopIpAddress": NVA,
                        "hasBgpOverride": False,
                    },
                )
                for route, prefix in routes.items()
            ],
            "subnets": [{"id": id_} for id_ in subnets],
        },
    )


def security_group(name: str, rules: list[tuple[str, int, str, str, str, str, str]], subnets: list[str]) -> Body:
    """Rules as (name, priority, access, protocol, source, destination, port), all inbound."""
    kind = "Microsoft.Network/networkSecurityGroups"
    own = id_of(kind, name)
    defaults = [
        ("AllowVnetInBound", 65000, "Inbound", "Allow", "VirtualNetwork", "VirtualNetwork"),
        ("AllowAzureLoadBalancerInBound", 65001, "Inbound", "Allow", "AzureLoadBalancer", "*"),
        ("DenyAllInBound", 65500, "Inbound", "Deny", "*", "*"),
        ("AllowVnetOutBound", 65000, "Outbound", "Allow", "VirtualNetwork", "VirtualNetwork"),
        ("AllowInternetOutBound", 65001, "Outbound", "Allow", "*", "Internet"),
        ("DenyAllOutBound", 65500, "Outbound", "Deny", "*", "*"),
    ]
    return resource(
        kind,
        name,
        {
            "securityRules": [
                child(
                    own,
                    f"{kind}/securityRules",
                    rule,
                    _rule(priority, "Inbound", access, protocol, source, destination, port),
                )
                for rule, priority, access, protocol, source, destination, port in rules
            ],
            "defaultSecurityRules": [
                child(
                    own,
                    f"{kind}/defaultSecurityRules",
                    rule,
                    _rule(priority, direction, access, "*", source, destination, "*"),
                )
                for rule, priority, direction, access, source, destination in defaults
            ],
            "subnets": [{"id": id_} for id_ in subnets],
        },
    )


def _rule(priority: int, direction: str, access: str, protocol: str, source: str, destination: str, port: str) -> Body:
    return {
        "protocol": protocol,
        "sourcePortRange": "*",
        "destinationPortRange": port,
        "sourceAddressPrefix": source,
        "destinationAddressPrefix": destination,
        "access": access,
        "priority": priority,
        "direction": direction,
    }


# ExpressRoute. -------------------------------------------------------------------------------------------------------


def public_ip(name: str, address: str, used_by: str) -> Body:
    kind = "Microsoft.Network/publicIPAddresses"
    body = resource(
        kind,
        name,
        {
            "ipAddress": address,
            "publicIPAddressVersion": "IPv4",
            "publicIPAllocationMethod": "Static",
            "idleTimeoutInMinutes": 4,
            "ipTags": [],
            "ipConfiguration": {"id": used_by},
        },
    )
    return body | {"sku": {"name": "Standard", "tier": "Regional"}, "zones": ["1", "2", "3"]}


def gateway(name: str, network: str, public: str, addresses: tuple[str, str]) -> Body:
    kind = "Microsoft.Network/virtualNetworkGateways"
    configuration = f"{id_of(kind, name)}/ipConfigurations/default"
    return resource(
        kind,
        name,
        {
            "gatewayType": "ExpressRoute",
            "sku": {"name": "ErGw1AZ", "tier": "ErGw1AZ", "capacity": 2},
            "ipConfigurations": [
                {
                    "id": configuration,
                    "name": "default",
                    "type": f"{kind}/ipConfigurations",
                    "etag": etag(configuration),
                    "properties": {
                        "provisioningState": "Succeeded",
                        "privateIPAllocationMethod": "Dynamic",
                        "publicIPAddress": {"id": id_of("Microsoft.Network/publicIPAddresses", public)},
                        "subnet": {"id": subnet_id(network, "GatewaySubnet")},
                    },
                }
            ],
            "enableBgp": False,
            "activeActive": False,
            "bgpSettings": {"asn": 65515, "bgpPeeringAddress": ",".join(addresses), "peerWeight": 0},
            "allowRemoteVnetTraffic": False,
            "allowVirtualWanTraffic": False,
        },
    )


def connection(name: str, gateway_name: str, circuit: str, weight: int = 0) -> Body:
    return resource(
        "Microsoft.Network/connections",
        name,
        {
            "virtualNetworkGateway1": {"id": id_of("Microsoft.Network/virtualNetworkGateways", gateway_name)},
            "peer": {"id": circuit},
            "connectionType": "ExpressRoute",
            "routingWeight": weight,
            "enableBgp": False,
            "expressRouteGatewayBypass": False,
            "enablePrivateLinkFastPath": False,
            "connectionStatus": "Connected",
        },
    )


def circuit_id(name: str) -> str:
    return id_of("Microsoft.Network/expressRouteCircuits", name, CIRCUIT_GROUP)


def circuit(name: str, peering_location: str, bandwidth: int, links: tuple[str, str], vlan: int) -> Body:
    """A provisioned circuit with private peering (E1, E8, E9), located where the lost region can't take it (L36)."""
    kind = "Microsoft.Network/expressRouteCircuits"
    private = child(
        circuit_id(name),
        f"{kind}/peerings",
        "AzurePrivatePeering",
        {
            "peeringType": "AzurePrivatePeering",
            "state": "Enabled",
            "azureASN": 12076,
            "peerASN": 65010,
            "primaryPeerAddressPrefix": links[0],
            "secondaryPeerAddressPrefix": links[1],
            "primaryAzurePort": f"{name}-primary",
            "secondaryAzurePort": f"{name}-secondary",
            "vlanId": vlan,
            "lastModifiedBy": "Customer",
            "gatewayManagerEtag": "1",
            "connections": [],
            "peeredConnections": [],
        },
    )
    body = resource(
        kind,
        name,
        {
            "circuitProvisioningState": "Enabled",
            "serviceProviderProvisioningState": "Provisioned",
            "allowClassicOperations": False,
            "serviceKey": guid("service key", name),
            "serviceProviderProperties": {
                "serviceProviderName": "Equinix",
                "peeringLocation": peering_location,
                "bandwidthInMbps": bandwidth,
            },
            "peerings": [private],
            "authorizations": [],
            "gatewayManagerEtag": "1",
            "globalReachEnabled": False,
        },
        group=CIRCUIT_GROUP,
        region=ELSEWHERE,
    )
    return body | {"sku": {"name": "Standard_MeteredData", "tier": "Standard", "family": "MeteredData"}}
