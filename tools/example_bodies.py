"""Resource bodies as Azure returns them, for the examples: the article's hub, spokes, circuits and machines.

Everything is computed from names, GUIDs and MAC addresses too, so that the same examples come out every time.
"""

from __future__ import annotations

import hashlib
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
GIB = 1024**3
CREATED = "2026-03-02T08:00:00.0000000+00:00"


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


def connection(name: str, gateway_name: str, circuit: str) -> Body:
    return resource(
        "Microsoft.Network/connections",
        name,
        {
            "virtualNetworkGateway1": {"id": id_of("Microsoft.Network/virtualNetworkGateways", gateway_name)},
            "peer": {"id": circuit},
            "connectionType": "ExpressRoute",
            "routingWeight": 0,
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


# Machines. -----------------------------------------------------------------------------------------------------------


def nic_configuration(machine: str) -> str:
    return f"{id_of('Microsoft.Network/networkInterfaces', machine + '-nic')}/ipConfigurations/ipconfig1"


def network_interface(machine: str, subnet_: str, address: str, *, forwarding: bool = False) -> Body:
    kind, name = "Microsoft.Network/networkInterfaces", f"{machine}-nic"
    configuration = nic_configuration(machine)
    mac = hashlib.sha256(machine.encode()).hexdigest()[:6].upper()
    return resource(
        kind,
        name,
        {
            "ipConfigurations": [
                {
                    "id": configuration,
                    "name": "ipconfig1",
                    "type": f"{kind}/ipConfigurations",
                    "etag": etag(configuration),
                    "properties": {
                        "provisioningState": "Succeeded",
                        "privateIPAddress": address,
                        "privateIPAllocationMethod": "Static",
                        "subnet": {"id": subnet_},
                        "primary": True,
                        "privateIPAddressVersion": "IPv4",
                    },
                }
            ],
            "dnsSettings": {"dnsServers": [], "appliedDnsServers": []},
            "macAddress": f"00-22-48-{mac[0:2]}-{mac[2:4]}-{mac[4:6]}",
            "enableAcceleratedNetworking": False,
            "enableIPForwarding": forwarding,
            "primary": True,
            "virtualMachine": {"id": id_of("Microsoft.Compute/virtualMachines", machine)},
            "hostedWorkloads": [],
            "nicType": "Standard",
        },
    )


def disk_name(machine: str, lun: int | None) -> str:
    return f"{machine}-os" if lun is None else f"{machine}-data{lun}"


def managed_disk(machine: str, lun: int | None) -> Body:
    name = disk_name(machine, lun)
    id_ = id_of("Microsoft.Compute/disks", name)
    system: Body = {"osType": "Linux", "hyperVGeneration": "V2"} if lun is None else {}
    return {
        "id": id_,
        "name": name,
        "type": "Microsoft.Compute/disks",
        "location": REGION,
        "sku": {"name": "StandardSSD_LRS", "tier": "Standard"},
        "managedBy": id_of("Microsoft.Compute/virtualMachines", machine),
        "properties": system
        | {
            "creationData": {"createOption": "FromImage" if lun is None else "Empty"},
            "diskSizeGB": 1,
            "diskSizeBytes": GIB,
            "diskIOPSReadWrite": 500,
            "diskMBpsReadWrite": 60,
            "encryption": {"type": "EncryptionAtRestWithPlatformKey"},
            "networkAccessPolicy": "AllowAll",
            "publicNetworkAccess": "Enabled",
            "timeCreated": CREATED,
            "uniqueId": guid(id_),
            "diskState": "Attached",
            "provisioningState": "Succeeded",
        },
    }


def virtual_machine(name: str, data_disks: int, *, size: str = "Standard_D2s_v5", account: str | None = None) -> Body:
    """A running Linux machine; with `account` its disks are page blobs there and not managed (D3, S28)."""
    id_ = id_of("Microsoft.Compute/virtualMachines", name)

    def disk(lun: int | None) -> Body:
        called = disk_name(name, lun)
        place: Body
        if account is None:
            place = {
                "managedDisk": {"id": id_of("Microsoft.Compute/disks", called), "storageAccountType": "StandardSSD_LRS"}
            }
        else:
            place = {"vhd": {"uri": f"https://{account}.blob.core.windows.net/vhds/{called}.vhd"}}
        option = {"createOption": "FromImage" if lun is None else "Empty", "caching": "None", "diskSizeGB": 1}
        return ({"osType": "Linux"} if lun is None else {"lun": lun}) | {"name": called} | option | place

    return {
        "id": id_,
        "name": name,
        "type": "Microsoft.Compute/virtualMachines",
        "location": REGION,
        "properties": {
            "vmId": guid(id_),
            "hardwareProfile": {"vmSize": size},
            "storageProfile": {
                "imageReference": {
                    "publisher": "Canonical",
                    "offer": "ubuntu-24_04-lts",
                    "sku": "server",
                    "version": "latest",
                },
                "osDisk": disk(None),
                "dataDisks": [disk(lun) for lun in range(data_disks)],
            },
            "osProfile": {
                "computerName": name,
                "adminUsername": "operator",
                "linuxConfiguration": {"disablePasswordAuthentication": True, "provisionVMAgent": True},
                "allowExtensionOperations": True,
            },
            "networkProfile": {
                "networkInterfaces": [
                    {
                        "id": id_of("Microsoft.Network/networkInterfaces", f"{name}-nic"),
                        "properties": {"primary": True},
                    }
                ]
            },
            "provisioningState": "Succeeded",
            "timeCreated": CREATED,
            "instanceView": {
                "computerName": name,
                "osName": "ubuntu",
                "statuses": [
                    {
                        "code": "ProvisioningState/succeeded",
                        "level": "Info",
                        "displayStatus": "Provisioning succeeded",
                        "time": CREATED,
                    },
                    {"code": "PowerState/running", "level": "Info", "displayStatus": "VM running"},
                ],
            },
        },
    }


def storage_account(name: str) -> Body:
    return {
        "id": id_of("Microsoft.Storage/storageAccounts", name),
        "name": name,
        "type": "Microsoft.Storage/storageAccounts",
        "location": REGION,
        "sku": {"name": "Standard_LRS", "tier": "Standard"},
        "kind": "StorageV2",
        "properties": {
            "provisioningState": "Succeeded",
            "creationTime": CREATED,
            "primaryLocation": REGION,
            "statusOfPrimary": "available",
            "primaryEndpoints": {"blob": f"https://{name}.blob.core.windows.net/"},
            "allowSharedKeyAccess": True,
            "allowBlobPublicAccess": False,
            "minimumTlsVersion": "TLS1_2",
            "supportsHttpsTrafficOnly": True,
            "networkAcls": {"bypass": "AzureServices", "defaultAction": "Allow"},
        },
    }
