"""What some of the types that are shape only show of what Azure makes for them.

    MADE     type -> properties that depend on the resource and on what was sent, shown from the beginning
    FILLED   type -> properties that are known once the operation is over
    TOLD     type -> properties that depend on who refers to it, in every answer

A hub has two route tables before anybody asks for one; a gateway of a virtual WAN has two instances; what has a public
name gets one. Addresses and names are the lab's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab.answers import Refused, bad_request
from farshore.lab.network import asns, express_route_ports
from farshore.lab.network.addresses import next_free
from farshore.lab.network.flow_logs import flow_log
from farshore.lab.network.packet_captures import capture
from farshore.lab.network.public_ip_addresses import address_of
from farshore.lab.network.references import configurations, in_use, ref
from farshore.lab.network.route_servers import placed
from farshore.lab.types import Put

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

INSTANCES = ("Instance0", "Instance1")
MOST_OF_A_HUB = 80
"""Public addresses of a firewall in a hub."""
TABLES = (("defaultRouteTable", "default"), ("noneRouteTable", "none"))


def _hub_connection(put: Put) -> Body:
    """It is associated with the default table and propagates to it, unless it was told otherwise (recorded)."""
    hub = put.id.parent
    assert hub is not None
    table = {"id": f"{hub.text}/hubRouteTables/defaultRouteTable"}
    return {
        "resourceGuid": put.before_properties.get("resourceGuid") or put.cloud.guid("resourceGuid", put.id.key),
        "routingConfiguration": _routing(put.properties.get("routingConfiguration") or {}, table, statics=True),
    }


def _routing(sent: Body, table: Body | None, *, statics: bool) -> Body:
    vnet = sent.get("vnetRoutes") or {}
    routes: Body = {"staticRoutes": [], **vnet}
    if statics:
        usual = {"propagateStaticRoutes": True, "vnetLocalRouteOverrideCriteria": "Contains"}
        routes["staticRoutesConfig"] = {**usual, **(vnet.get("staticRoutesConfig") or {})}
    return {
        "associatedRouteTable": table,
        "propagatedRouteTables": {"labels": ["default"], "ids": [] if table is None else [table]},
        **sent,
        "vnetRoutes": routes,
    }


def _vpn_gateway(put: Put) -> Body:
    settings = put.properties.get("bgpSettings") or {}
    return {
        "bgpSettings": {"asn": asns.GATEWAYS, "peerWeight": 0, "bgpPeeringAddresses": [], **settings},
        "vpnGatewayScaleUnit": put.properties.get("vpnGatewayScaleUnit") or 1,
    }


def _vpn_connection(put: Put) -> Body:
    gateway = put.id.parent
    hub = ref(None if gateway is None else put.cloud.body(gateway), "virtualHub")
    table = None if hub is None else {"id": f"{hub}/hubRouteTables/defaultRouteTable"}
    usual = {
        "connectionStatus": "Unknown",
        "routingWeight": 0,
        "ingressBytesTransferred": 0,
        "egressBytesTransferred": 0,
        "enableBgp": False,
        "enableRateLimiting": False,
        "enableInternetSecurity": False,
        "useLocalAzureIpAddress": False,
        "usePolicyBasedTrafficSelectors": False,
        "vpnLinkConnections": [],
        "trafficSelectorPolicies": [],
        "dpdTimeoutSeconds": 0,
        "connectionBandwidth": 10,
        "vpnConnectionProtocolType": "IKEv2",
        "ipsecPolicies": [],
    }
    missing = {key: value for key, value in usual.items() if put.properties.get(key) is None}
    return {
        **missing,
        "routingConfiguration": _routing(put.properties.get("routingConfiguration") or {}, table, statics=False),
    }


def _firewall_rules(put: Put) -> Body:
    """A policy of an application gateway looks on and does nothing until it is told to (recorded)."""
    settings = {
        "requestBodyCheck": True,
        "maxRequestBodySizeInKb": 128,
        "fileUploadLimitInMb": 100,
        "requestBodyInspectLimitInKB": 128,
        "fileUploadEnforcement": True,
        "requestBodyEnforcement": True,
    }
    managed = put.properties.get("managedRules")
    rules: Body = {"exclusions": [], **(managed if isinstance(managed, dict) else {})}
    sets = rules.get("managedRuleSets")
    if isinstance(sets, list):
        rules["managedRuleSets"] = [
            {**item, "ruleGroupOverrides": item.get("ruleGroupOverrides") or []} for item in sets
        ]
    told = put.properties.get("policySettings")
    return {
        "policySettings": {
            **settings,
            "state": "Disabled",
            "mode": "Detection",
            **(told if isinstance(told, dict) else {}),
        },
        "managedRules": rules,
    }


def _bastion(put: Put) -> Body:
    items = [
        {**item, "properties": {"privateIPAllocationMethod": "Dynamic", **(item.get("properties") or {})}}
        for item in put.properties.get("ipConfigurations") or []
    ]
    return {"ipConfigurations": items} if items else {}


def _firewall(put: Put) -> Body:
    """Rules of its own, if it stands in a network: those of one in a hub are its policy's (recorded)."""
    if str((put.properties.get("sku") or {}).get("name")).lower() == "azfw_hub":
        return {}
    collections: Body = {"networkRuleCollections": [], "applicationRuleCollections": [], "natRuleCollections": []}
    usual = {"threatIntelMode": "Alert", **collections}
    return {key: value for key, value in usual.items() if put.properties.get(key) is None}


def _nat_gateway(put: Put) -> Body:
    """What one of the second generation shows besides (recorded)."""
    if str((put.body.get("sku") or {}).get("name")).lower() != "standardv2":
        return {}
    usual: Body = {"scope": "Public", "flowlogs": {"logsVersions": {}}}
    return {key: value for key, value in usual.items() if put.properties.get(key) is None}


def _names_of_zones(put: Put) -> Body:
    """Which records it has made in each zone: none, as the lab makes none."""
    items = put.properties.get("privateDnsZoneConfigs") or []
    return {
        "privateDnsZoneConfigs": [
            {**item, "properties": {**(item.get("properties") or {}), "recordSets": []}}
            for item in items
            if isinstance(item, dict)
        ]
    }


def _profile(put: Put) -> Body:
    """Containers share no subnet with what else has an address (recorded)."""
    for interface in put.properties.get("containerNetworkInterfaceConfigurations") or []:
        for item in configurations(interface) if isinstance(interface, dict) else []:
            subnet = ref(item, "subnet")
            held = [] if subnet is None else in_use(put.cloud, resource_id(subnet))
            if held:
                raise bad_request(
                    "IpConfigProfileCannotReferToSubnetInUseWithResource",
                    f"The profile {put.id.text} cannot refer to subnet {subnet} since it is in use with {held[0]}.",
                )
    return {}


MADE: Mapping[str, Callable[[Put], Body]] = {
    "networkprofiles": _profile,
    "virtualhubs/hubvirtualnetworkconnections": _hub_connection,
    "vpngateways": _vpn_gateway,
    "vpngateways/vpnconnections": _vpn_connection,
    "expressrouteports": express_route_ports.made,
    "bastionhosts": _bastion,
    "applicationgatewaywebapplicationfirewallpolicies": _firewall_rules,
    "networkwatchers/flowlogs": flow_log,
    "networkwatchers/packetcaptures": capture,
    "privateendpoints/privatednszonegroups": _names_of_zones,
    "azurefirewalls": _firewall,
    "natgateways": _nat_gateway,
}


def _hub_ready(cloud: Cloud, id_: ResourceId, body: Body) -> Body:
    """Its route tables, if it has a range (a Route Server has none)."""
    if not body["properties"].get("addressPrefix"):
        return {}
    kind = cloud.type_of(id_.child("hubRouteTables", "x"))
    for name, label in TABLES:
        table = id_.child("hubRouteTables", name)
        if not cloud.exists(table):
            properties = {"routes": [], "labels": [label]}
            put = Put(cloud=cloud, id=table, body={"name": name, "properties": properties}, before=None, query={})
            kind.keep(put, "Succeeded")
    return {}


def _vpn_gateway_ready(cloud: Cloud, id_: ResourceId, body: Body) -> Body:
    """Two instances, each with an address inside and one outside."""
    hub = cloud.body(str(ref(body, "virtualHub") or ""))
    prefix = str(((hub or {}).get("properties") or {}).get("addressPrefix") or "10.0.0.0/24")
    base = prefix.split("/")[0].rsplit(".", 1)[0]
    peers, places = [], []
    for at, instance in enumerate(INSTANCES):
        public = address_of(cloud, id_.child("instances", instance))
        inside = f"{base}.{12 + at}"
        peers.append(
            {
                "ipconfigurationId": instance,
                "defaultBgpIpAddresses": [inside],
                "customBgpIpAddresses": [],
                "tunnelIpAddresses": [public, inside],
            }
        )
        places.append({"id": instance, "publicIpAddress": public, "privateIpAddress": inside})
    settings = {**body["properties"].get("bgpSettings", {}), "bgpPeeringAddresses": peers}
    return {"bgpSettings": settings, "ipConfigurations": places}


def _firewall_ready(cloud: Cloud, id_: ResourceId, body: Body) -> Body:
    """Its address inside, the lowest that is free in its subnet."""
    items = []
    for item in configurations(body):
        properties = dict(item.get("properties") or {})
        subnet = ref(item, "subnet")
        if subnet is not None and "privateIPAddress" not in properties and cloud.exists(resource_id(subnet)):
            try:
                properties["privateIPAddress"] = str(next_free(cloud, resource_id(subnet)))
            except Refused:
                continue
        items.append({**item, "properties": {"privateIPAllocationMethod": "Dynamic", **properties}})
    found: Body = {"ipConfigurations": items} if items else {}
    hub = cloud.body(str(ref(body, "virtualHub") or ""))
    if hub is not None:
        found["hubIPAddresses"] = _in_hub(cloud, id_, body["properties"].get("hubIPAddresses"), hub)
    return found


def _in_hub(cloud: Cloud, id_: ResourceId, asked: Any, hub: Body) -> Body:
    """One address inside, and as many outside as were asked for (recorded)."""
    public = (asked if isinstance(asked, dict) else {}).get("publicIPs")
    public = public if isinstance(public, dict) else {}
    given = public.get("addresses") or []
    number = public.get("count")
    number = number if isinstance(number, int) and 0 < number <= MOST_OF_A_HUB else 1
    made = [{"address": address_of(cloud, id_.child("publicIPs", str(at)))} for at in range(len(given), number)]
    base = str(hub["properties"].get("addressPrefix") or "10.0.0.0/24").split("/")[0].rsplit(".", 1)[0]
    return {"privateIPAddress": f"{base}.132", "publicIPs": {"addresses": [*given, *made], "count": number}}


def _bastion_ready(cloud: Cloud, id_: ResourceId, body: Body) -> Body:
    return {"dnsName": f"bst-{cloud.guid('bastion', id_.key)}.bastion.azure.com"}


def _prefix_ready(cloud: Cloud, id_: ResourceId, body: Body) -> Body:
    length = body["properties"].get("prefixLength", 28)
    base = address_of(cloud, id_).rsplit(".", 1)[0]
    return {"ipPrefix": f"{base}.{0 if length < 25 else 16 * (len(id_.key) % 8)}/{length}"}


FILLED: Mapping[str, Callable[[Cloud, ResourceId, Body], Body]] = {
    "virtualhubs": _hub_ready,
    "virtualhubs/ipconfigurations": placed,
    "vpngateways": _vpn_gateway_ready,
    "expressrouteports": express_route_ports.filled,
    "azurefirewalls": _firewall_ready,
    "bastionhosts": _bastion_ready,
    "publicipprefixes": _prefix_ready,
}


def _protected(cloud: Cloud, id_: ResourceId) -> Body:
    """The networks and addresses that name a plan; nothing of them where nobody does (recorded)."""
    return _naming(cloud, id_, "virtualNetworks", "ddosProtectionPlan") | _naming(
        cloud, id_, "publicIPAddresses", "ddosSettings", "ddosProtectionPlan"
    )


def _given_out(cloud: Cloud, id_: ResourceId) -> Body:
    """The addresses of a prefix."""
    return _naming(cloud, id_, "publicIPAddresses", "publicIPPrefix")


def _naming(cloud: Cloud, target: ResourceId, kind: str, *path: str) -> Body:
    bodies = cloud.of_type(f"Microsoft.Network/{kind}")
    named = [{"id": body["id"]} for body in bodies if str(ref(body, *path)).lower() == target.key]
    return {kind: named} if named else {}


TOLD: Mapping[str, Callable[[Cloud, ResourceId], Body]] = {
    "expressrouteports": express_route_ports.shown,
    "ddosprotectionplans": _protected,
    "publicipprefixes": _given_out,
}
