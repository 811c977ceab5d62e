"""What Azure makes and shows of a virtual WAN: hubs, their connections, VPN sites and gateways.

Recorded: a hub has two route tables before anybody asks for one, and its router is ready long after its PUT is over:
`routingState` goes from None to Provisioning and to Provisioned with two addresses. A hub shows the gateways that stand
in it, a WAN its hubs and sites. A gateway has two instances, whose addresses are known when it is ready. A connection
with links to a site's links says everything of itself at these, one without says it itself; how it fares
(`connectionStatus`) is told only to who asks for it alone. A Route Server is a hub without a WAN and is ready at once.
Addresses and names are the lab's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body, Json
from farshore.lab.answers import bad_request, child_not_found
from farshore.lab.call import Call
from farshore.lab.network import asns
from farshore.lab.network.public_ip_addresses import address_of
from farshore.lab.network.references import ref
from farshore.lab.paging import page
from farshore.lab.registry import event, named_view, view
from farshore.lab.types import Put

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

HUBS = "Microsoft.Network/virtualHubs"
SITES = "Microsoft.Network/vpnSites"
STANDING: Mapping[str, str] = {
    "Microsoft.Network/vpnGateways": "vpnGateway",
    "Microsoft.Network/expressRouteGateways": "expressRouteGateway",
    "Microsoft.Network/p2sVpnGateways": "p2SVpnGateway",
    "Microsoft.Network/azureFirewalls": "azureFirewall",
    "Microsoft.Network/securityPartnerProviders": "securityPartnerProvider",
}
"""What stands in a hub, and the property in which the hub shows it."""
INSTANCES = ("Instance0", "Instance1")
TABLES = (("defaultRouteTable", "default"), ("noneRouteTable", "none"))
ROUTER = "virtualHubs.router"
ROUTERS_ADDRESSES = (68, 69)
"""Where in a hub's range its router has its two addresses."""
LINK_SHOWN: Body = {
    "connectionBandwidth": 10,
    "ipsecPolicies": [],
    "vpnConnectionProtocolType": "IKEv2",
    "ingressBytesTransferred": 0,
    "egressBytesTransferred": 0,
    "packetCaptureDiagnosticState": "None",
    "enableBgp": False,
    "enableRateLimiting": False,
    "useLocalAzureIpAddress": False,
    "usePolicyBasedTrafficSelectors": False,
    "routingWeight": 0,
    "dpdTimeoutSeconds": 0,
    "vpnLinkConnectionMode": "Default",
    "vpnGatewayCustomBgpAddresses": [],
}
OWN = (
    "connectionBandwidth",
    "ipsecPolicies",
    "vpnConnectionProtocolType",
    "enableBgp",
    "enableRateLimiting",
    "useLocalAzureIpAddress",
    "usePolicyBasedTrafficSelectors",
    "routingWeight",
)
"""What of this a connection without links shows itself."""


def _object(value: Any) -> Body:
    return value if isinstance(value, dict) else {}


def _named(items: Any) -> list[Body]:
    """Parts of a body, each with its properties."""
    return [{**item, "properties": _object(item.get("properties"))} for item in items or [] if isinstance(item, dict)]


def _table(hub: str | None) -> Body | None:
    return None if hub is None else {"id": f"{hub}/hubRouteTables/defaultRouteTable"}


def _routing(sent: Any, table: Body | None, *, statics: bool) -> Body:
    """Associated with the default table and propagated to it, unless it was told otherwise (recorded)."""
    sent = _object(sent)
    vnet = _object(sent.get("vnetRoutes"))
    routes: Body = {"staticRoutes": [], **vnet}
    if statics:
        usual = {"propagateStaticRoutes": True, "vnetLocalRouteOverrideCriteria": "Contains"}
        routes["staticRoutesConfig"] = {**usual, **_object(vnet.get("staticRoutesConfig"))}
    return {
        "associatedRouteTable": table,
        **sent,
        "propagatedRouteTables": sent.get("propagatedRouteTables")
        or {"labels": ["default"], "ids": [] if table is None else [table]},
        "vnetRoutes": routes,
    }


# What is shown from the beginning. -----------------------------------------------------------------------------------


def hub_connection(put: Put) -> Body:
    hub = put.id.parent
    assert hub is not None
    return {
        "resourceGuid": put.before_properties.get("resourceGuid") or put.cloud.guid("resourceGuid", put.id.key),
        "routingConfiguration": _routing(put.properties.get("routingConfiguration"), _table(hub.text), statics=True),
    }


def express_connection(put: Put) -> Body:
    gateway = put.id.parent
    hub = ref(None if gateway is None else put.cloud.body(gateway), "virtualHub")
    return {
        "resourceGuid": put.before_properties.get("resourceGuid") or put.cloud.guid("resourceGuid", put.id.key),
        "routingConfiguration": _routing(put.properties.get("routingConfiguration"), _table(hub), statics=False),
    }


def site(put: Put) -> Body:
    found: Body = {"deviceProperties": {"linkSpeedInMbps": 0, **_object(put.properties.get("deviceProperties"))}}
    if put.properties.get("addressSpace") is not None:
        found["addressSpace"] = {"addressPrefixes": [], **_object(put.properties["addressSpace"])}
    links = _named(put.properties.get("vpnSiteLinks"))
    for link in links:
        speed = {"linkSpeedInMbps": 0, **_object(link["properties"].get("linkProperties"))}
        link["properties"] = {**link["properties"], "linkProperties": speed}
    return {**found, **({"vpnSiteLinks": links} if links else {})}


def gateway(put: Put) -> Body:
    held, settings = put.before_properties.get("bgpSettings"), put.properties.get("bgpSettings")
    return {
        "bgpSettings": {"asn": asns.GATEWAYS, "peerWeight": 0, **_object(held), **_object(settings)},
        "vpnGatewayScaleUnit": put.properties.get("vpnGatewayScaleUnit") or 1,
    }


def connection(put: Put) -> Body:
    parent = put.id.parent
    hub = ref(None if parent is None else put.cloud.body(parent), "virtualHub")
    links = _named(put.properties.get("vpnLinkConnections"))
    usual = {"ingressBytesTransferred": 0, "egressBytesTransferred": 0, "enableInternetSecurity": False}
    if not links:
        usual |= {name: LINK_SHOWN[name] for name in OWN}
    missing = {key: value for key, value in usual.items() if put.properties.get(key) is None}
    for link in links:
        link["properties"] = LINK_SHOWN | {key: one for key, one in link["properties"].items() if one is not None}
    return {
        **missing,
        **({"vpnLinkConnections": links} if links else {}),
        "routingConfiguration": _routing(put.properties.get("routingConfiguration"), _table(hub), statics=False),
    }


def client_gateway(put: Put) -> Body:
    hub, settings = ref(put.body, "virtualHub"), ref(put.body, "vpnServerConfiguration")
    place = None if settings is None else (put.cloud.body(settings) or {}).get("location")
    configurations = _named(put.properties.get("p2SConnectionConfigurations"))
    for one in configurations:
        routing = _routing(one["properties"].get("routingConfiguration"), _table(hub), statics=False)
        one["properties"] = {"enableInternetSecurity": True, **one["properties"], "routingConfiguration": routing}
    found: Body = {} if place is None else {"vpnServerConfigurationLocation": place}
    return {**found, "p2SConnectionConfigurations": configurations} if configurations else found


def route_map(put: Put) -> Body:
    """Everything that a rule could match or set is shown, as nothing."""
    empty: Body = {"routePrefix": [], "community": [], "asPath": []}
    rules = []
    for rule in put.properties.get("rules") or []:
        if isinstance(rule, dict):
            matches = [{**empty, **item} for item in rule.get("matchCriteria") or [] if isinstance(item, dict)]
            actions = [
                {
                    **item,
                    "parameters": [{**empty, **one} for one in item.get("parameters") or [] if isinstance(one, dict)],
                }
                for item in rule.get("actions") or []
                if isinstance(item, dict)
            ]
            rules.append({"nextStepIfMatched": "Unknown", **rule, "matchCriteria": matches, "actions": actions})
    return {"rules": rules}


def must_be_of_a_connection(put: Put) -> None:
    """Recorded: a BGP peer of a WAN's hub is in a network that is connected to the hub, and names the connection."""
    hub = put.id.parent
    of_wan = hub is not None and ref(put.cloud.body(hub), "virtualWan") is not None
    if of_wan and ref(put.body, "hubVirtualNetworkConnection") is None:
        raise bad_request(
            "HubBgpConnectionMustReferenceFullyProvisionedHubVirtualNetworkConnection",
            f"{put.id.text} names no connection of its hub to a network that is provisioned.",
        )


# What is known once the operation is over. ---------------------------------------------------------------------------


def hub_ready(cloud: Cloud, id_: ResourceId, body: Body) -> Body:
    """Its route tables, if it has a range (a Route Server has none), and its router some time on."""
    properties = body["properties"]
    if properties.get("addressPrefix"):
        kind = cloud.type_of(id_.child("hubRouteTables", "x"))
        for name, label in TABLES:
            table = id_.child("hubRouteTables", name)
            if not cloud.exists(table):
                sent = {"name": name, "properties": {"routes": [], "labels": [label]}}
                kind.keep(Put(cloud=cloud, id=table, body=sent, before=None, query={}), "Succeeded")
    if ref(body, "virtualWan") is None:
        return {"routingState": "Provisioned"}
    if properties.get("routingState") not in (None, "None"):
        return {}
    takes: timedelta = cloud.duration(ROUTER, id_.key)
    cloud.at(cloud.now + takes, ROUTER, id_.key, None)
    return {"routingState": "Provisioning"}


@event(ROUTER)
def routes(cloud: Cloud, subject: str, data: Json) -> None:
    """A hub's router is ready."""
    body = cloud.body(subject)
    if body is None:
        return
    base = _base(body["properties"])
    own = [f"{base}.{number}" for number in ROUTERS_ADDRESSES]
    properties = {**body["properties"], "routingState": "Provisioned", "virtualRouterIps": own}
    cloud.write(resource_id(str(body["id"])), {**body, "properties": properties})


def _base(properties: Body) -> str:
    """The first three numbers of a hub's range."""
    return str(properties.get("addressPrefix") or "10.0.0.0/24").split("/")[0].rsplit(".", 1)[0]


def gateway_ready(cloud: Cloud, id_: ResourceId, body: Body) -> Body:
    """Two instances, each with an address outside, one inside and one for BGP (recorded: these)."""
    hub = cloud.body(str(ref(body, "virtualHub") or ""))
    base = _base((hub or {}).get("properties") or {})
    peers, places = [], []
    for at, instance in enumerate(INSTANCES):
        public = address_of(cloud, id_.child("instances", instance))
        inside, bgp = f"{base}.{4 + at}", f"{base}.{13 - at}"
        peers.append(
            {
                "ipconfigurationId": instance,
                "defaultBgpIpAddresses": [bgp],
                "customBgpIpAddresses": [],
                "tunnelIpAddresses": [public, inside],
            }
        )
        places.append({"id": instance, "publicIpAddress": public, "privateIpAddress": inside})
    settings = {**body["properties"].get("bgpSettings", {}), "bgpPeeringAddresses": peers}
    return {"bgpSettings": settings, "ipConfigurations": places}


# What depends on what else there is. ---------------------------------------------------------------------------------


def wan_shown(cloud: Cloud, id_: ResourceId) -> Body:
    """Its hubs and sites, as soon as there are any."""
    found = {"virtualHubs": _of(cloud, HUBS, "virtualWan", id_), "vpnSites": _of(cloud, SITES, "virtualWan", id_)}
    return {name: [{"id": item["id"]} for item in items] for name, items in found.items() if items}


def hub_shown(cloud: Cloud, id_: ResourceId) -> Body:
    """What stands in it."""
    found: Body = {}
    for type_, name in STANDING.items():
        for item in _of(cloud, type_, "virtualHub", id_)[:1]:
            found[name] = {"id": item["id"]}
            provider = item["properties"].get("securityProviderName")
            if provider:
                found["securityProviderName"] = str(provider).lower()
    return found


def _of(cloud: Cloud, type_: str, name: str, id_: ResourceId) -> list[Body]:
    return [item for item in cloud.of_type(type_) if (ref(item, name) or "").lower() == id_.key]


def connection_alone(body: Body) -> Body:
    """How a connection fares: no router of a site has dialled in."""
    properties = body["properties"]
    if properties.get("provisioningState") != "Succeeded":
        return body
    unknown = {"connectionStatus": "Unknown"}
    links = properties.get("vpnLinkConnections")
    if not links:
        return {**body, "properties": {**properties, **unknown}}
    told = [{**link, "properties": {**link["properties"], **unknown}} for link in links]
    return {**body, "properties": {**properties, "vpnLinkConnections": told}}


@view(SITES, "vpnSiteLinks")
def links_of_site(call: Call) -> Response:
    return page(call, call.show()["properties"].get("vpnSiteLinks") or [])


@named_view(SITES, "vpnSiteLinks")
def link_of_site(call: Call) -> Response:
    for one in call.show()["properties"].get("vpnSiteLinks") or []:
        if str(one["name"]).lower() == (call.argument or "").lower():
            return Response(status=200, body=one)
    raise child_not_found(call.id.child("vpnSiteLinks", str(call.argument)))
