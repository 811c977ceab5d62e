"""What a virtual network gateway shows of itself beside what it was given.

Recorded: a gateway under way has `vpnClientConfiguration` though nobody asked for one, an ASN of 0 where none was
given, and no addresses; when it is ready the client configuration that nobody asked for is gone, and each IP
configuration has its BGP address and its tunnel's public address. What was asked for shows whom it serves once ready.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab.network import asns
from farshore.lab.network.addresses import RESERVED_AT_START, subnet_prefixes
from farshore.lab.network.public_ip_addresses import address_of
from farshore.lab.network.references import GATEWAYS, configurations, ref, subnet_of
from farshore.lab.types import Put

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

DEFAULTS: Body = {
    "enableBgp": False,
    "activeActive": False,
    "allowRemoteVnetTraffic": False,
    "allowVirtualWanTraffic": False,
}
UNASKED: Body = {
    "packetCaptureDiagnosticState": "None",
    "enablePrivateIpAddress": False,
    "isMigrateToCSES": False,
    "virtualNetworkGatewayPolicyGroups": [],
    "enableBgpRouteTranslationForNat": False,
    "disableIPSecReplayProtection": False,
    "vpnType": "RouteBased",
}
CLIENT_LISTS = (
    "vpnClientRootCertificates",
    "vpnClientRevokedCertificates",
    "vngClientConnectionConfigurations",
    "radiusServers",
    "vpnClientIpsecPolicies",
)
CERTIFICATES = CLIENT_LISTS[:2]
SPELLED = {"gatewayType": ("ExpressRoute", "Vpn"), "vpnType": ("RouteBased", "PolicyBased")}
SECOND_GENERATION = ("VpnGw4", "VpnGw5", "VpnGw4AZ", "VpnGw5AZ")


def kept(put: Put, body: Body) -> Body:
    """The properties to keep of a PUT; `body` is the standard one."""
    id_, before, sent = put.id, put.before_properties, {**body["properties"], **_spelled(body["properties"])}
    is_vpn = sent.get("gatewayType") == "Vpn"
    sku = sent.get("sku") or {"name": "Basic"}
    generation = "Generation2" if sku.get("name") in SECOND_GENERATION else "Generation1"
    properties = {
        **DEFAULTS,
        **put.unasked({**UNASKED, "vpnGatewayGeneration": generation if is_vpn else "None"}),
        **sent,
        "ipConfigurations": [_configuration(id_, item) for item in configurations(body)],
        "sku": {"capacity": 2, **sku, "tier": sku.get("tier") or sku.get("name")},
    }
    held = before.get("bgpSettings") or {}
    given = sent.get("bgpSettings") or {}
    asn = given.get("asn") or held.get("asn") or (0 if is_vpn else asns.GATEWAYS)
    properties["bgpSettings"] = {"peerWeight": 0, **held, **given, "asn": asn}
    if is_vpn:
        properties["bgpSettings"]["bgpPeeringAddresses"] = _peering_addresses(properties, held)
    if sent.get("vpnClientConfiguration") is not None:
        client = _client(sent["vpnClientConfiguration"], str(sku.get("name")))
        for kind in CERTIFICATES:
            client[kind] = [_certificate(id_, kind, item) for item in client[kind]]
        properties["vpnClientConfiguration"] = client
    return properties


def kind_of(properties: Body) -> str | None:
    """The type of a gateway as Azure spells it; None where it is none of them."""
    found = _spelled({"gatewayType": None, **properties})["gatewayType"]
    return str(found) if found in SPELLED["gatewayType"] else None


def _spelled(properties: Body) -> Body:
    """Recorded: `VPN` is taken and shown as `Vpn`."""
    return {
        name: next((known for known in spellings if known.lower() == str(properties[name]).lower()), properties[name])
        for name, spellings in SPELLED.items()
        if name in properties
    }


def ready(cloud: Cloud, body: Body) -> Body:
    """The properties once the gateway works: its ASN, its addresses."""
    properties = dict(body["properties"])
    settings = dict(properties.get("bgpSettings") or {})
    settings["asn"] = settings.get("asn") or asns.GATEWAYS
    own = own_addresses(cloud, body)
    if not settings.get("bgpPeeringAddress"):
        settings["bgpPeeringAddress"] = ",".join(own)
    if properties.get("gatewayType") == "Vpn":
        told = [text for text in str(settings["bgpPeeringAddress"]).split(",") if text]
        settings["bgpPeeringAddresses"] = [
            {**item, "defaultBgpIpAddresses": told[at : at + 1] or own[at : at + 1], "tunnelIpAddresses": tunnel}
            for at, (item, tunnel) in enumerate(
                zip(settings.get("bgpPeeringAddresses") or [], _tunnels(cloud, body), strict=False)
            )
        ]
    return {**properties, "bgpSettings": settings}


def shown(body: Body, etag: str) -> Body:
    """The body of a GET."""
    properties = dict(body["properties"])
    state = properties.get("provisioningState", "Succeeded")
    under_way = state == "Updating"
    items = []
    for item in configurations(body):
        inner = {**(item.get("properties") or {}), "provisioningState": state}
        first: Body = {key: item[key] for key in ("name", "id") if key in item}
        items.append({**first, "etag": etag, **item, "properties": inner})
    properties["ipConfigurations"] = items
    client = properties.get("vpnClientConfiguration")
    if client is None and under_way:
        properties["vpnClientConfiguration"] = _client({}, str((properties.get("sku") or {}).get("name")))
    elif client is not None and not under_way:
        client = {
            **client,
            **{kind: [{**one, "etag": etag} for one in client.get(kind) or []] for kind in CERTIFICATES},
        }
        counts = ("vpnClientConnectionsCount", "totalIngressBytesTransferred", "totalEgressBytesTransferred")
        properties["vpnClientConfiguration"] = {**client, "vpnClientConnectionHealth": dict.fromkeys(counts, 0)}
    return {**body, "properties": properties}


def own_addresses(cloud: Cloud, body: Body) -> list[str]:
    """The instances' addresses: a VPN gateway has the last usable one, and of two instances each one of its own, the
    first two (recorded); an ExpressRoute gateway has two, the twelfth and thirteenth."""
    subnet = subnet_of(body)
    spaces = () if subnet is None else subnet_prefixes(cloud, resource_id(subnet))
    if not spaces:
        return []
    space = spaces[0]
    if body["properties"].get("gatewayType") == "ExpressRoute":
        return [str(space[12]), str(space[13])]
    first = RESERVED_AT_START
    two = body["properties"].get("activeActive")
    return [str(space[first]), str(space[first + 1])] if two else [str(space[-2])]


def _configuration(id_: ResourceId, item: Body) -> Body:
    name = str(item.get("name") or "default")
    return {
        "name": name,
        "id": f"{id_.text}/ipConfigurations/{name}",
        "type": GATEWAYS + "/ipConfigurations",
        "properties": {
            "privateIPAllocationMethod": "Dynamic",
            **(item.get("properties") or {}),
            "provisioningState": "Succeeded",
        },
    }


def _certificate(id_: ResourceId, kind: str, item: Body) -> Body:
    """A certificate is a sub-resource."""
    name = str(item.get("name"))
    properties = {"provisioningState": "Succeeded", **(item.get("properties") or {})}
    return {"name": name, "id": f"{id_.text}/{kind}/{name}", "properties": properties}


def _peering_addresses(properties: Body, held: Body) -> list[Body]:
    """One entry an IP configuration; what is known of it already stays."""
    given = (properties["bgpSettings"]).get("bgpPeeringAddresses") or []
    before = {str(item.get("ipconfigurationId")).lower(): item for item in held.get("bgpPeeringAddresses") or []}
    custom = {str(item.get("ipconfigurationId")).lower(): item.get("customBgpIpAddresses") for item in given}
    found = []
    for item in properties["ipConfigurations"]:
        key = str(item["id"]).lower()
        entry = {
            "ipconfigurationId": item["id"],
            "defaultBgpIpAddresses": before.get(key, {}).get("defaultBgpIpAddresses") or [],
            "customBgpIpAddresses": custom.get(key) or [],
        }
        if "tunnelIpAddresses" in before.get(key, {}):
            entry["tunnelIpAddresses"] = before[key]["tunnelIpAddresses"]
        found.append(entry)
    return found


def _tunnels(cloud: Cloud, body: Body) -> list[list[str]]:
    """The public address of each IP configuration."""
    found = []
    for item in configurations(body):
        public = ref(item, "publicIPAddress")
        known = None if public is None else (cloud.body(public) or {}).get("properties", {}).get("ipAddress")
        found.append([] if public is None else [str(known or address_of(cloud, resource_id(public)))])
    return found


def _client(sent: Body, sku: str) -> Body:
    """A configuration for VPN clients with everything that Azure shows of one."""
    sent = {name: value for name, value in sent.items() if value is not None}
    ways: list[Any] = sent.get("vpnAuthenticationTypes") or [
        way
        for way, keys in (
            ("Certificate", ("vpnClientRootCertificates",)),
            ("Radius", ("radiusServerAddress", "radiusServers")),
            ("AAD", ("aadTenant",)),
        )
        if any(sent.get(key) for key in keys)
    ]
    protocols = sent.get("vpnClientProtocols") or (["SSTP"] if sku == "Basic" else ["OpenVPN", "IkeV2"])
    return {
        **{name: [] for name in CLIENT_LISTS},
        **sent,
        "vpnClientProtocols": protocols,
        "vpnAuthenticationTypes": ways,
    }
