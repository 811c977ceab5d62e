"""How each type of the lab is made: what the tests of every resource's life go through."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from farshore.arm.json import Body
from lab.core.bench import COMPUTE, Lab, machine_body, net, network_body, nic_body, rid, subnet, vnet

STORAGE = "Microsoft.Storage/storageAccounts"
CIRCUIT: Body = {
    "location": "eastasia",
    "sku": {"name": "Standard_MeteredData", "tier": "Standard", "family": "MeteredData"},
    "properties": {
        "serviceProviderProperties": {
            "serviceProviderName": "Equinix",
            "peeringLocation": "Hong Kong",
            "bandwidthInMbps": 1000,
        }
    },
}
PEERING: Body = {
    "properties": {
        "peeringType": "AzurePrivatePeering",
        "peerASN": 65010,
        "primaryPeerAddressPrefix": "172.16.0.0/30",
        "secondaryPeerAddressPrefix": "172.16.0.4/30",
        "vlanId": 100,
    }
}
RULE: Body = {
    "properties": {
        "direction": "Inbound",
        "access": "Allow",
        "protocol": "Tcp",
        "priority": 200,
        "sourcePortRange": "*",
        "destinationPortRange": "443",
        "sourceAddressPrefix": "*",
        "destinationAddressPrefix": "*",
    }
}
ROUTE: Body = {
    "properties": {
        "addressPrefix": "0.0.0.0/0",
        "nextHopType": "VirtualAppliance",
        "nextHopIpAddress": "10.10.10.10",
    }
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How one type of the lab is made: its id, its body, and what must be there before."""

    url: str
    body: Body
    before: Callable[[Lab], object] = lambda lab: None
    created: int = 201
    updated: int = 200
    deleted: int = 202
    state: str = "Updating"
    tagged: bool = True
    headers: tuple[str, ...] = ("azure-asyncoperation",)
    delete_headers: tuple[str, ...] = ("azure-asyncoperation", "location")
    shown: Mapping[str, Any] = field(default_factory=dict)
    """What the finished resource says of itself, beside what was sent."""


def hub(lab: Lab) -> None:
    lab.made(vnet("hub"), network_body("10.10.10.0/24", nva="10.10.10.0/25", GatewaySubnet="10.10.10.128/25"))


def spoke(lab: Lab) -> None:
    lab.made(vnet("spoke"), network_body("10.1.0.0/24", app="10.1.0.0/25"))


def nic(lab: Lab) -> None:
    spoke(lab)
    lab.made(net("nic", kind="networkInterfaces"), nic_body(subnet("spoke", "app")))


def machine(lab: Lab) -> None:
    nic(lab)
    lab.made(rid(f"{COMPUTE}/virtualMachines", "vm"), machine_body(net("nic", kind="networkInterfaces")))


GATEWAY: Body = {
    "location": "eastasia",
    "properties": {
        "gatewayType": "ExpressRoute",
        "sku": {"name": "ErGw1AZ", "tier": "ErGw1AZ"},
        "ipConfigurations": [{"name": "default", "properties": {"subnet": {"id": subnet("hub", "GatewaySubnet")}}}],
    },
}


def gateway(lab: Lab) -> None:
    hub(lab)
    lab.made(net("gw", kind="virtualNetworkGateways"), GATEWAY)


def circuit(lab: Lab) -> None:
    lab.made(net("er", kind="expressRouteCircuits"), CIRCUIT)
    lab.made(net("er", kind="expressRouteCircuits") + "/peerings/AzurePrivatePeering", PEERING)
    lab.wait(days=1)


def both(lab: Lab) -> None:
    gateway(lab)
    circuit(lab)


LOCAL_GATEWAY: Body = {
    "location": "eastasia",
    "properties": {
        "gatewayIpAddress": "192.0.2.7",
        "localNetworkAddressSpace": {"addressPrefixes": ["192.168.0.0/16"]},
        "bgpSettings": {"asn": 65010, "bgpPeeringAddress": "192.168.0.1"},
    },
}
VPN_GATEWAY: Body = {
    "location": "eastasia",
    "properties": {
        "gatewayType": "Vpn",
        "vpnType": "RouteBased",
        "sku": {"name": "VpnGw1", "tier": "VpnGw1"},
        "ipConfigurations": [{"name": "default", "properties": {"subnet": {"id": subnet("hub", "GatewaySubnet")}}}],
        "vpnClientConfiguration": {
            "vpnClientAddressPool": {"addressPrefixes": ["172.31.0.0/24"]},
            "vpnClientRootCertificates": [{"name": "root", "properties": {"publicCertData": "MII"}}],
        },
    },
}
BALANCER: Body = {
    "location": "eastasia",
    "sku": {"name": "Standard"},
    "properties": {
        "frontendIPConfigurations": [{"name": "front", "properties": {"subnet": {"id": subnet("spoke", "app")}}}],
        "backendAddressPools": [{"name": "pool"}],
        "probes": [{"name": "probe", "properties": {"port": 443}}],
        "loadBalancingRules": [
            {
                "name": "all",
                "properties": {
                    "frontendIPConfiguration": {
                        "id": net("lb", kind="loadBalancers") + "/frontendIPConfigurations/front"
                    },
                    "backendAddressPool": {"id": net("lb", kind="loadBalancers") + "/backendAddressPools/pool"},
                    "probe": {"id": net("lb", kind="loadBalancers") + "/probes/probe"},
                    "frontendPort": 443,
                    "backendPort": 443,
                },
            }
        ],
    },
}


def tunnel(lab: Lab) -> None:
    hub(lab)
    lab.made(net("vpn", kind="virtualNetworkGateways"), VPN_GATEWAY)
    lab.made(net("site", kind="localNetworkGateways"), LOCAL_GATEWAY)


def balancer(lab: Lab) -> None:
    spoke(lab)
    lab.made(net("lb", kind="loadBalancers"), BALANCER)


def virtual_hub(lab: Lab) -> None:
    spoke(lab)
    properties = {"addressPrefix": "10.200.0.0/23"}
    lab.made(net("vhub", kind="virtualHubs"), {"location": "eastasia", "properties": properties})


def peers(lab: Lab) -> None:
    hub(lab)
    spoke(lab)


KINDS = {
    "network": Kind(url=vnet("hub"), body=network_body("10.10.10.0/24", nva="10.10.10.0/25")),
    "subnet": Kind(
        url=subnet("spoke", "db"), body={"properties": {"addressPrefix": "10.1.0.128/25"}}, before=spoke, tagged=False
    ),
    "peering": Kind(
        url=vnet("hub", "virtualNetworkPeerings", "to-spoke"),
        body={"properties": {"remoteVirtualNetwork": {"id": vnet("spoke")}}},
        before=peers,
        tagged=False,
        shown={"peeringState": "Initiated", "peeringSyncLevel": "RemoteNotInSync"},
    ),
    "route table": Kind(
        url=net("rt", kind="routeTables"),
        body={"location": "eastasia", "properties": {"routes": [{"name": "all", **ROUTE}]}},
        shown={"disableBgpRoutePropagation": False},
    ),
    "route": Kind(
        url=net("rt", kind="routeTables") + "/routes/all",
        body=ROUTE,
        before=lambda lab: lab.made(net("rt", kind="routeTables"), {"location": "eastasia"}),
        tagged=False,
        shown={"hasBgpOverride": False},
    ),
    "security group": Kind(
        url=net("nsg", kind="networkSecurityGroups"),
        body={"location": "eastasia", "properties": {"securityRules": [{"name": "web", **RULE}]}},
    ),
    "security rule": Kind(
        url=net("nsg", kind="networkSecurityGroups") + "/securityRules/web",
        body=RULE,
        before=lambda lab: lab.made(net("nsg", kind="networkSecurityGroups"), {"location": "eastasia"}),
        tagged=False,
    ),
    "application group": Kind(url=net("asg", kind="applicationSecurityGroups"), body={"location": "eastasia"}),
    "interface": Kind(
        url=net("nic", kind="networkInterfaces"),
        body=nic_body(subnet("spoke", "app")),
        before=spoke,
        # Recorded: one that no machine has is done when it is answered, and so is its deletion.
        state="Succeeded",
        deleted=200,
        shown={"enableIPForwarding": False},
    ),
    "public address": Kind(
        url=net("pip", kind="publicIPAddresses"),
        body={
            "location": "eastasia",
            "sku": {"name": "Standard"},
            "properties": {"publicIPAllocationMethod": "Static"},
        },
        shown={"publicIPAddressVersion": "IPv4"},
    ),
    "circuit": Kind(
        url=net("er", kind="expressRouteCircuits"),
        body=CIRCUIT,
        shown={"circuitProvisioningState": "Enabled", "serviceProviderProvisioningState": "NotProvisioned"},
    ),
    "circuit peering": Kind(
        url=net("er", kind="expressRouteCircuits") + "/peerings/AzurePrivatePeering",
        body=PEERING,
        before=lambda lab: lab.made(net("er", kind="expressRouteCircuits"), CIRCUIT),
        tagged=False,
        shown={"azureASN": 12076, "state": "Enabled"},
    ),
    "authorization": Kind(
        url=net("er", kind="expressRouteCircuits") + "/authorizations/far",
        body={"properties": {}},
        before=lambda lab: lab.made(net("er", kind="expressRouteCircuits"), CIRCUIT),
        tagged=False,
        shown={"authorizationUseStatus": "Available"},
    ),
    "gateway": Kind(url=net("gw", kind="virtualNetworkGateways"), body=GATEWAY, before=hub),
    "connection": Kind(
        url=net("cn", kind="connections"),
        body={
            "location": "eastasia",
            "properties": {
                "connectionType": "ExpressRoute",
                "virtualNetworkGateway1": {"id": net("gw", kind="virtualNetworkGateways")},
                "peer": {"id": net("er", kind="expressRouteCircuits")},
            },
        },
        before=both,
        shown={"connectionStatus": "Connected", "routingWeight": 0},
    ),
    "disk": Kind(
        url=rid(f"{COMPUTE}/disks", "d"),
        body={"location": "eastasia", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 4}},
        created=202,
        updated=202,
        state="Updating",
        headers=("azure-asyncoperation", "location"),
        shown={"diskState": "Unattached", "diskSizeBytes": 4 << 30},
    ),
    "snapshot": Kind(
        url=rid(f"{COMPUTE}/snapshots", "s"),
        body={
            "location": "eastasia",
            "properties": {
                "creationData": {"createOption": "Copy", "sourceResourceId": rid(f"{COMPUTE}/disks", "d")},
            },
        },
        before=lambda lab: lab.made(
            rid(f"{COMPUTE}/disks", "d"),
            {"location": "eastasia", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 4}},
        ),
        created=202,
        updated=202,
        state="Updating",
        headers=("azure-asyncoperation", "location"),
        shown={"diskSizeGB": 4},
    ),
    "availability set": Kind(
        url=rid(f"{COMPUTE}/availabilitySets", "set"),
        body={"location": "eastasia", "sku": {"name": "Aligned"}},
        created=200,
        deleted=200,
        state="",
        headers=(),
        delete_headers=(),
        shown={"platformFaultDomainCount": 2},
    ),
    "placement group": Kind(
        url=rid(f"{COMPUTE}/proximityPlacementGroups", "close"),
        body={"location": "eastasia", "properties": {"proximityPlacementGroupType": "Standard"}},
        deleted=200,
        state="",
        headers=(),
        delete_headers=(),
        shown={"virtualMachines": [], "availabilitySets": []},
    ),
    "reservation group": Kind(
        url=rid(f"{COMPUTE}/capacityReservationGroups", "kept"),
        body={"location": "eastasia", "zones": ["1"]},
        deleted=200,
        state="",
        headers=(),
        delete_headers=(),
    ),
    "reservation": Kind(
        url=rid(f"{COMPUTE}/capacityReservationGroups", "kept") + "/capacityReservations/d2",
        body={"location": "eastasia", "sku": {"name": "Standard_D2s_v3", "capacity": 1}},
        before=lambda lab: lab.made(rid(f"{COMPUTE}/capacityReservationGroups", "kept"), {"location": "eastasia"}),
        state="Creating",
        shown={"platformFaultDomainCount": 3},
    ),
    "run command": Kind(
        url=rid(f"{COMPUTE}/virtualMachines", "vm") + "/runCommands/probe",
        body={"location": "eastasia", "properties": {"source": {"script": "hostname"}}},
        before=machine,
        state="Creating",
        shown={"asyncExecution": False},
    ),
    "machine": Kind(
        url=rid(f"{COMPUTE}/virtualMachines", "vm"),
        body=machine_body(net("nic", kind="networkInterfaces")),
        before=nic,
        state="Creating",
    ),
    "storage account": Kind(
        url=rid(STORAGE, "stlab"),
        body={"location": "eastasia", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"},
        created=202,
        deleted=200,
        state="",
        headers=("location",),
        delete_headers=(),
        shown={"statusOfPrimary": "available"},
    ),
    "local gateway": Kind(url=net("site", kind="localNetworkGateways"), body=LOCAL_GATEWAY),
    "vpn gateway": Kind(
        url=net("vpn", kind="virtualNetworkGateways"),
        body=VPN_GATEWAY,
        before=hub,
        shown={"vpnGatewayGeneration": "Generation1", "activeActive": False, "natRules": []},
    ),
    "vpn connection": Kind(
        url=net("cn", kind="connections"),
        body={
            "location": "eastasia",
            "properties": {
                "connectionType": "IPsec",
                "virtualNetworkGateway1": {"id": net("vpn", kind="virtualNetworkGateways")},
                "localNetworkGateway2": {"id": net("site", kind="localNetworkGateways")},
                "sharedKey": "a-key-of-the-test",
            },
        },
        before=tunnel,
        shown={"connectionProtocol": "IKEv2", "connectionStatus": "Unknown", "routingWeight": 0},
    ),
    "balancer": Kind(
        url=net("lb", kind="loadBalancers"),
        body=BALANCER,
        before=spoke,
        state="Succeeded",
        shown={"inboundNatRules": []},
    ),
    "pool": Kind(
        url=net("lb", kind="loadBalancers") + "/backendAddressPools/second",
        body={"properties": {}},
        before=balancer,
        tagged=False,
    ),
    "route filter": Kind(url=net("rf", kind="routeFilters"), body={"location": "eastasia"}, shown={"rules": []}),
    "route filter rule": Kind(
        url=net("rf", kind="routeFilters") + "/routeFilterRules/exchange",
        body={"properties": {"access": "Allow", "communities": ["12076:5010"]}},
        before=lambda lab: lab.made(net("rf", kind="routeFilters"), {"location": "eastasia"}),
        tagged=False,
        shown={"routeFilterRuleType": "Community"},
    ),
    "virtual hub": Kind(
        url=net("vhub", kind="virtualHubs"),
        body={"location": "eastasia", "properties": {"addressPrefix": "10.200.0.0/23"}},
        shown={"virtualRouterAsn": 65515, "routingState": "Provisioned"},
    ),
    "hub connection": Kind(
        url=net("vhub", kind="virtualHubs") + "/hubVirtualNetworkConnections/spoke",
        body={"properties": {"remoteVirtualNetwork": {"id": vnet("spoke")}, "routingConfiguration": {}}},
        before=virtual_hub,
        tagged=False,
        shown={"connectivityStatus": "Connected"},
    ),
    "private endpoint": Kind(
        url=net("pe", kind="privateEndpoints"),
        body={
            "location": "eastasia",
            "properties": {
                "subnet": {"id": subnet("spoke", "app")},
                "privateLinkServiceConnections": [
                    {
                        "name": "to",
                        "properties": {
                            "privateLinkServiceId": rid("Microsoft.Elsewhere/things", "thing"),
                            "groupIds": ["blob"],
                        },
                    }
                ],
            },
        },
        before=spoke,
        shown={"customDnsConfigs": [{"fqdn": "thing.blob.core.windows.net", "ipAddresses": ["10.1.0.4"]}]},
    ),
    "nat gateway": Kind(
        url=net("nat", kind="natGateways"),
        body={"location": "eastasia", "properties": {}},
        shown={"idleTimeoutInMinutes": 4},
    ),
    "firewall": Kind(
        url=net("fw", kind="azureFirewalls"),
        body={
            "location": "eastasia",
            "properties": {
                "ipConfigurations": [{"name": "one", "properties": {"subnet": {"id": subnet("spoke", "app")}}}],
            },
        },
        before=spoke,
        shown={"threatIntelMode": "Alert"},
    ),
    "network watcher": Kind(
        url=net("watcher", kind="networkWatchers"), body={"location": "eastasia"}, state="Succeeded"
    ),
}
