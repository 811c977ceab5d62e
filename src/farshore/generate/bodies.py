"""ARM bodies as Azure returns them, one function a type, for what a generated estate holds."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network
from typing import Any
from uuid import NAMESPACE_URL, uuid5

Body = dict[str, Any]

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg-generated"
NETWORK = f"{GROUP}/providers/Microsoft.Network"
COMPUTE = f"{GROUP}/providers/Microsoft.Compute"


def network_id(kind: str, name: str) -> str:
    return f"{NETWORK}/{kind}/{name}"


def named(kind: str, name: str, location: str, properties: Body, **more: Any) -> Body:
    """A top-level body of Microsoft.Network."""
    own = network_id(kind, name)
    guid = str(uuid5(NAMESPACE_URL, own))
    whole = {"provisioningState": "Succeeded", "resourceGuid": guid, **properties}
    return {
        "id": own,
        "name": name,
        "type": f"Microsoft.Network/{kind}",
        "etag": f'W/"{guid}"',
        "location": location,
        **more,
        "properties": whole,
    }


def inside(parent: str, kind: str, name: str, properties: Body) -> Body:
    """A body nested in its parent's."""
    return {
        "id": f"{parent}/{kind}/{name}",
        "name": name,
        "properties": {"provisioningState": "Succeeded", **properties},
    }


def subnet(network: str, name: str, prefix: IPv4Network, table: str = "", group: str = "") -> Body:
    properties: Body = {"addressPrefix": str(prefix)}
    if table:
        properties["routeTable"] = {"id": network_id("routeTables", table)}
    if group:
        properties["networkSecurityGroup"] = {"id": network_id("networkSecurityGroups", group)}
    return inside(network_id("virtualNetworks", network), "subnets", name, properties)


def peering(network: str, far: str, far_space: Sequence[str], state: str = "Connected", **flags: bool) -> Body:
    """One half; `far_space` is its synced copy of the other's address space (R31)."""
    properties: Body = {
        "peeringState": state,
        "peeringSyncLevel": "FullyInSync",
        "remoteVirtualNetwork": {"id": network_id("virtualNetworks", far)},
        "allowVirtualNetworkAccess": True,
        "allowForwardedTraffic": True,
        "allowGatewayTransit": False,
        "useRemoteGateways": False,
        **flags,
        "remoteAddressSpace": {"addressPrefixes": list(far_space)},
    }
    return inside(network_id("virtualNetworks", network), "virtualNetworkPeerings", f"to-{far}", properties)


def virtual_network(name: str, location: str, space: Sequence[str], subnets: list[Body], peerings: list[Body]) -> Body:
    properties = {
        "addressSpace": {"addressPrefixes": list(space)},
        "subnets": subnets,
        "virtualNetworkPeerings": peerings,
        "enableDdosProtection": False,
    }
    return named("virtualNetworks", name, location, properties)


def route_table(name: str, location: str, routes: Sequence[tuple[str, str]], *, propagate: bool) -> Body:
    """Routes as (prefix, next hop): an address, or a next hop type."""
    own = network_id("routeTables", name)
    held = []
    for number, (prefix, hop) in enumerate(routes):
        properties: Body = {"addressPrefix": prefix, "nextHopType": hop, "hasBgpOverride": False}
        if hop[0].isdigit():
            properties |= {"nextHopType": "VirtualAppliance", "nextHopIpAddress": hop}
        held.append(inside(own, "routes", f"r{number}", properties))
    return named("routeTables", name, location, {"disableBgpRoutePropagation": not propagate, "routes": held})


def security_group(name: str, location: str, rules: Sequence[Body]) -> Body:
    own = network_id("networkSecurityGroups", name)
    held = [
        inside(
            own,
            "securityRules",
            f"rule{number}",
            {
                "priority": 100 + 10 * number,
                "sourcePortRange": "*",
                "destinationAddressPrefix": "*",
                **rule,
            },
        )
        for number, rule in enumerate(rules)
    ]
    return named("networkSecurityGroups", name, location, {"securityRules": held, "defaultSecurityRules": []})


def network_interface(
    name: str,
    location: str,
    subnet_id: str,
    address: str,
    *,
    forward: bool = False,
    machine: str = "",
    group: str = "",
    application: str = "",
    pool: str = "",
) -> Body:
    item: Body = {
        "privateIPAddress": address,
        "privateIPAllocationMethod": "Static",
        "privateIPAddressVersion": "IPv4",
        "subnet": {"id": subnet_id},
        "primary": True,
    }
    if application:
        item["applicationSecurityGroups"] = [{"id": network_id("applicationSecurityGroups", application)}]
    if pool:
        item["loadBalancerBackendAddressPools"] = [{"id": pool}]
    own = network_id("networkInterfaces", name)
    properties: Body = {
        "ipConfigurations": [inside(own, "ipConfigurations", "ipconfig1", item)],
        "enableIPForwarding": forward,
        "enableAcceleratedNetworking": True,
        "primary": True,
    }
    if machine:
        properties["virtualMachine"] = {"id": f"{COMPUTE}/virtualMachines/{machine}"}
    if group:
        properties["networkSecurityGroup"] = {"id": network_id("networkSecurityGroups", group)}
    return named("networkInterfaces", name, location, properties)


def virtual_machine(name: str, location: str, nics: Sequence[str], *, power: str = "running") -> Body:
    disk = f"{COMPUTE}/disks/{name}-os"
    return {
        "id": f"{COMPUTE}/virtualMachines/{name}",
        "name": name,
        "type": "Microsoft.Compute/virtualMachines",
        "location": location,
        "properties": {
            "provisioningState": "Succeeded",
            "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
            "storageProfile": {
                "osDisk": {
                    "osType": "Linux",
                    "name": f"{name}-os",
                    "createOption": "FromImage",
                    "managedDisk": {"id": disk},
                },
                "dataDisks": [],
            },
            "networkProfile": {
                "networkInterfaces": [
                    {"id": network_id("networkInterfaces", nic), "properties": {"primary": True}} for nic in nics
                ]
            },
            "instanceView": {"statuses": [{"code": f"PowerState/{power}", "level": "Info"}]},
        },
    }


def gateway(name: str, location: str, network: str) -> Body:
    own = network_id("virtualNetworkGateways", name)
    item = inside(
        own,
        "ipConfigurations",
        "default",
        {
            "privateIPAllocationMethod": "Dynamic",
            "subnet": {"id": f"{network_id('virtualNetworks', network)}/subnets/GatewaySubnet"},
            "publicIPAddress": {"id": network_id("publicIPAddresses", f"pip-{name}")},
        },
    )
    sku = {"name": "ErGw1AZ", "tier": "ErGw1AZ", "capacity": 2}
    return named(
        "virtualNetworkGateways",
        name,
        location,
        {"gatewayType": "ExpressRoute", "sku": sku, "ipConfigurations": [item], "allowRemoteVnetTraffic": False},
    )


def public_ip_address(name: str, location: str) -> Body:
    properties = {"publicIPAddressVersion": "IPv4", "publicIPAllocationMethod": "Static"}
    return named("publicIPAddresses", name, location, properties, sku={"name": "Standard", "tier": "Regional"})


def circuit(number: int, region: str, place: str) -> Body:
    name = f"er-{number}"
    own = network_id("expressRouteCircuits", name)
    base = f"100.64.{number % 256}"
    item = inside(
        own,
        "peerings",
        "AzurePrivatePeering",
        {
            "peeringType": "AzurePrivatePeering",
            "state": "Enabled",
            "peerASN": 65000,
            "azureASN": 12076,
            "primaryPeerAddressPrefix": f"{base}.0/30",
            "secondaryPeerAddressPrefix": f"{base}.4/30",
            "vlanId": 100,
        },
    )
    provider = {"serviceProviderName": "Equinix", "peeringLocation": place, "bandwidthInMbps": 1000}
    return named(
        "expressRouteCircuits",
        name,
        region,
        {
            "circuitProvisioningState": "Enabled",
            "serviceProviderProvisioningState": "Provisioned",
            "serviceProviderProperties": provider,
            "peerings": [item],
        },
        sku={"name": "Premium_MeteredData", "tier": "Premium", "family": "MeteredData"},
    )


def connection(name: str, location: str, gateway_name: str, number: int, weight: int) -> Body:
    return named(
        "connections",
        name,
        location,
        {
            "connectionType": "ExpressRoute",
            "virtualNetworkGateway1": {"id": network_id("virtualNetworkGateways", gateway_name)},
            "peer": {"id": network_id("expressRouteCircuits", f"er-{number}")},
            "routingWeight": weight,
            "enableBgp": False,
            "expressRouteGatewayBypass": False,
        },
    )


def load_balancer(name: str, location: str, subnet_id: str, address: str) -> Body:
    own = network_id("loadBalancers", name)
    front = inside(
        own, "frontendIPConfigurations", "frontend", {"privateIPAddress": address, "subnet": {"id": subnet_id}}
    )
    pool = inside(own, "backendAddressPools", "pool", {})
    rule = inside(
        own,
        "loadBalancingRules",
        "ha",
        {
            "protocol": "All",
            "frontendPort": 0,
            "backendPort": 0,
            "frontendIPConfiguration": {"id": front["id"]},
            "backendAddressPool": {"id": pool["id"]},
        },
    )
    properties = {"frontendIPConfigurations": [front], "backendAddressPools": [pool], "loadBalancingRules": [rule]}
    return named("loadBalancers", name, location, properties, sku={"name": "Standard", "tier": "Regional"})


def azure_firewall(name: str, location: str, subnet_id: str, address: str) -> Body:
    own = network_id("azureFirewalls", name)
    item = inside(
        own, "azureFirewallIpConfigurations", "default", {"privateIPAddress": address, "subnet": {"id": subnet_id}}
    )
    properties = {"sku": {"name": "AZFW_VNet", "tier": "Standard"}, "ipConfigurations": [item]}
    return named("azureFirewalls", name, location, properties)
