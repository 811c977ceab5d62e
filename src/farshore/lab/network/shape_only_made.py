"""What some of the types that are shape only show of what Azure makes for them.

    MADE     type -> properties that depend on the resource and on what was sent, shown from the beginning
    FILLED   type -> properties that are known once the operation is over
    TOLD     type -> properties that depend on who refers to it, in every answer
    ALONE    type -> the body that a GET of the resource itself answers, where a list or a parent says less
    CHECKED  type -> raises `Refused` for the few PUTs that are refused all the same

What has a public name gets one. Addresses and names are the lab's own; those of a virtual WAN are `virtual_wan.py`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab.answers import Refused, bad_request
from farshore.lab.network import express_route_ports, virtual_wan
from farshore.lab.network.addresses import next_free
from farshore.lab.network.flow_logs import flow_log
from farshore.lab.network.packet_captures import capture
from farshore.lab.network.public_ip_addresses import address_of
from farshore.lab.network.references import configurations, in_use, ref
from farshore.lab.network.route_servers import placed
from farshore.lab.types import Put

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

MOST_OF_A_HUB = 80
"""Public addresses of a firewall in a hub."""


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
    "virtualhubs/hubvirtualnetworkconnections": virtual_wan.hub_connection,
    "virtualhubs/routemaps": virtual_wan.route_map,
    "expressroutegateways/expressrouteconnections": virtual_wan.express_connection,
    "vpnsites": virtual_wan.site,
    "vpngateways": virtual_wan.gateway,
    "vpngateways/vpnconnections": virtual_wan.connection,
    "p2svpngateways": virtual_wan.client_gateway,
    "expressrouteports": express_route_ports.made,
    "bastionhosts": _bastion,
    "applicationgatewaywebapplicationfirewallpolicies": _firewall_rules,
    "networkwatchers/flowlogs": flow_log,
    "networkwatchers/packetcaptures": capture,
    "privateendpoints/privatednszonegroups": _names_of_zones,
    "azurefirewalls": _firewall,
    "natgateways": _nat_gateway,
}


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
    "virtualhubs": virtual_wan.hub_ready,
    "virtualhubs/ipconfigurations": placed,
    "vpngateways": virtual_wan.gateway_ready,
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
    "virtualwans": virtual_wan.wan_shown,
    "virtualhubs": virtual_wan.hub_shown,
    "ddosprotectionplans": _protected,
    "publicipprefixes": _given_out,
}

ALONE: Mapping[str, Callable[[Body], Body]] = {"vpngateways/vpnconnections": virtual_wan.connection_alone}
CHECKED: Mapping[str, Callable[[Put], None]] = {"virtualhubs/bgpconnections": virtual_wan.must_be_of_a_connection}
