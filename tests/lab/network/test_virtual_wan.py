"""A virtual WAN of the lab: what Azure was recorded to make and show of hubs, sites, gateways and connections."""

from __future__ import annotations

import pytest

from farshore.arm.json import Body
from lab.core.bench import Lab, net, network_body, refusal, vnet

WAN, HUB, SITE = (net("one", kind=kind) for kind in ("virtualWans", "virtualHubs", "vpnSites"))
GATEWAY = net("one", kind="vpnGateways")
TABLE = f"{HUB}/hubRouteTables/defaultRouteTable"
CERTIFICATES = net("dial", kind="vpnServerConfigurations")


def of(place: str, **properties: object) -> Body:
    kind = {WAN: "virtualWan", HUB: "virtualHub", SITE: "remoteVpnSite"}[place]
    body: Body = {"properties": {kind: {"id": place}, **properties}}
    return body if place == SITE else {"location": "eastasia", **body}


def link(name: str) -> Body:
    return {"name": name, "properties": {"ipAddress": "203.0.113.9", "linkProperties": {"linkProviderName": "telco"}}}


@pytest.fixture
def lab() -> Lab:
    lab = Lab()
    lab.made(WAN, {"location": "eastasia", "properties": {}})
    lab.made(HUB, of(WAN, addressPrefix="10.77.0.0/23"))
    return lab


@pytest.fixture
def joined(lab: Lab) -> Lab:
    """With a gateway, and a site of two links."""
    lab.made(SITE, of(WAN, addressSpace={}, vpnSiteLinks=[link("copper"), link("glass")]))
    lab.made(GATEWAY, of(HUB))
    return lab


def test_a_hubs_router_is_ready_long_after_its_hub(lab: Lab) -> None:
    shown = lab.properties(HUB)
    assert (shown["routingState"], shown["virtualRouterIps"]) == ("Provisioning", [])
    lab.wait(hours=1)
    shown = lab.properties(HUB)
    assert shown["routingState"] == "Provisioned" and len(shown["virtualRouterIps"]) == 2
    # A client can't say otherwise, and another PUT changes nothing of it.
    lab.made(HUB, of(WAN, addressPrefix="10.77.0.0/23", routingState="None", virtualRouterIps=[], sku="Basic"))
    assert lab.properties(HUB) == {**shown, "sku": "Basic"}
    assert "sku" not in shown


def test_a_route_server_waits_for_no_router() -> None:
    lab = Lab()
    lab.made(HUB, {"location": "eastasia", "properties": {"sku": "Standard"}})
    assert lab.properties(HUB)["routingState"] == "Provisioned"
    lab.made(f"{HUB}/bgpConnections/peer", {"properties": {"peerIp": "10.1.1.4", "peerAsn": 65010}})


def test_new_tags_of_a_hub_take_time_and_give_nothing_to_poll(lab: Lab) -> None:
    answer = lab.send("PATCH", HUB, {"tags": {"for": "branches"}})
    assert answer.status == 200 and answer.body["properties"]["provisioningState"] == "Updating"
    assert "azure-asyncoperation" not in answer.headers
    lab.wait(minutes=30)
    assert lab.body(HUB)["tags"] == {"for": "branches"}
    assert lab.properties(HUB)["provisioningState"] == "Succeeded"
    assert lab.send("PATCH", WAN, {"tags": {}}).body["properties"]["provisioningState"] == "Succeeded"


def test_a_wan_and_a_hub_show_what_stands_in_them(joined: Lab) -> None:
    lab = joined
    shown = lab.properties(WAN)
    assert (shown["virtualHubs"], shown["vpnSites"]) == ([{"id": HUB}], [{"id": SITE}])
    partner = net("guard", kind="securityPartnerProviders")
    lab.made(partner, of(HUB, securityProviderName="ZScaler"))
    shown = lab.properties(HUB)
    assert (shown["vpnGateway"], shown["securityPartnerProvider"]) == ({"id": GATEWAY}, {"id": partner})
    assert shown["securityProviderName"] == "zscaler" and "azureFirewall" not in shown
    lab.gone(GATEWAY)
    assert "vpnGateway" not in lab.properties(HUB)


def test_a_sites_links_are_parts_of_it_that_can_be_read_alone(joined: Lab) -> None:
    shown = joined.properties(SITE)
    assert shown["addressSpace"] == {"addressPrefixes": []} and shown["deviceProperties"] == {"linkSpeedInMbps": 0}
    rows = joined.body(f"{SITE}/vpnSiteLinks")["value"]
    assert rows == shown["vpnSiteLinks"] and joined.body(f"{SITE}/vpnSiteLinks/glass") == rows[1]
    assert rows[0]["properties"]["linkProperties"] == {"linkProviderName": "telco", "linkSpeedInMbps": 0}
    assert joined.get(f"{SITE}/vpnSiteLinks/none").status == 404
    plain = net("plain", kind="vpnSites")
    assert "vpnSiteLinks" not in joined.made(plain, of(WAN))["properties"]
    assert joined.body(f"{plain}/vpnSiteLinks")["value"] == []


def test_a_gateways_instances_are_known_when_it_is_ready(lab: Lab) -> None:
    answer = lab.put(GATEWAY, of(HUB))
    shown = answer.body["properties"]
    assert shown["ipConfigurations"] == [] and "bgpPeeringAddresses" not in shown["bgpSettings"]
    lab.follow(answer)
    shown = lab.properties(GATEWAY)
    assert len(shown["ipConfigurations"]) == len(shown["bgpSettings"]["bgpPeeringAddresses"]) == 2


def test_how_a_connection_fares_is_told_to_who_asks_for_it_alone(joined: Lab) -> None:
    lab, url = joined, f"{GATEWAY}/vpnConnections/branch"
    answer = lab.put(url, of(SITE))
    lab.follow(answer)
    (row,) = lab.body(f"{GATEWAY}/vpnConnections")["value"]
    (inside,) = lab.properties(GATEWAY)["connections"]
    for body in (answer.body, row, inside):
        assert "connectionStatus" not in body["properties"] and body["properties"]["routingWeight"] == 0
    assert lab.properties(url)["connectionStatus"] == "Unknown"


def test_a_connection_with_links_says_everything_at_these(joined: Lab) -> None:
    lab, url = joined, f"{GATEWAY}/vpnConnections/branch"
    parts = [
        {"name": name, "properties": {"vpnSiteLink": {"id": f"{SITE}/vpnSiteLinks/{name}"}, "routingWeight": weight}}
        for name, weight in (("copper", 3), ("glass", 0))
    ]
    answer = lab.put(url, of(SITE, vpnLinkConnections=parts))
    shown = answer.body["properties"]
    assert not {"routingWeight", "connectionBandwidth", "connectionStatus"} & set(shown)
    assert shown["routingConfiguration"]["associatedRouteTable"] == {"id": TABLE}
    one = shown["vpnLinkConnections"][0]
    assert one["id"] == f"{url}/vpnLinkConnections/copper" and one["properties"]["provisioningState"] == "Updating"
    assert (one["properties"]["routingWeight"], one["properties"]["connectionBandwidth"]) == (3, 10)
    lab.follow(answer)
    states = [part["properties"]["connectionStatus"] for part in lab.properties(url)["vpnLinkConnections"]]
    assert states == ["Unknown", "Unknown"] and "connectionStatus" not in lab.properties(url)
    old = lab.send("GET", f"{url}?api-version=2020-11-01").body["properties"]["vpnLinkConnections"][0]
    assert "vpnLinkConnectionMode" not in old["properties"]


def test_a_hub_connection_that_names_no_tables_propagates_to_the_default_one(lab: Lab) -> None:
    lab.made(vnet("farm"), network_body("10.78.0.0/24"))
    sent: Body = {"remoteVirtualNetwork": {"id": vnet("farm")}, "routingConfiguration": {"propagatedRouteTables": {}}}
    url = f"{HUB}/hubVirtualNetworkConnections/farm"
    lab.made(url, {"properties": sent})
    shown = lab.properties(url)["routingConfiguration"]
    assert shown["propagatedRouteTables"] == {"labels": ["default"], "ids": [{"id": TABLE}]}
    old = lab.send("GET", f"{url}?api-version=2021-05-01").body["properties"]
    assert "connectivityStatus" not in old
    assert "staticRoutesConfig" not in old["routingConfiguration"]["vnetRoutes"]
    # And a neighbour of the hub's router stands in a network that is connected.
    neighbour: Body = {"peerIp": "10.78.0.4", "peerAsn": 65010}
    refused = lab.put(f"{HUB}/bgpConnections/peer", {"properties": neighbour})
    assert refusal(refused) == "HubBgpConnectionMustReferenceFullyProvisionedHubVirtualNetworkConnection"
    lab.made(f"{HUB}/bgpConnections/peer", {"properties": {**neighbour, "hubVirtualNetworkConnection": {"id": url}}})


def test_clients_dial_in_as_a_configuration_says(lab: Lab) -> None:
    shown = lab.made(CERTIFICATES, {"location": "southeastasia", "properties": {}})["properties"]
    assert (shown["vpnProtocols"], shown["vpnAuthenticationTypes"]) == (["OpenVPN", "IkeV2"], ["Certificate"])
    assert shown["radiusServers"] == [] and "resourceGuid" not in shown
    old = lab.send("GET", f"{CERTIFICATES}?api-version=2020-04-01").body["properties"]
    assert set(shown) - set(old) == {"configurationPolicyGroups"}
    pool = {"vpnClientAddressPool": {"addressPrefixes": ["10.79.0.0/24"]}}
    sent = {
        "vpnServerConfiguration": {"id": CERTIFICATES},
        "p2SConnectionConfigurations": [{"name": "all", "properties": pool}],
    }
    url = net("dial", kind="p2sVpnGateways")
    answer = lab.put(url, of(HUB, **sent))
    (part,) = answer.body["properties"]["p2SConnectionConfigurations"]
    assert part["id"] == f"{url}/p2sConnectionConfigurations/all"
    assert part["properties"]["provisioningState"] == "Updating" and part["properties"]["enableInternetSecurity"]
    assert part["properties"]["routingConfiguration"]["associatedRouteTable"] == {"id": TABLE}
    assert answer.body["properties"]["vpnServerConfigurationLocation"] == "southeastasia"
    lab.follow(answer)
    assert lab.properties(HUB)["p2SVpnGateway"] == {"id": url}


def test_a_route_map_shows_all_that_a_rule_could_say(lab: Lab) -> None:
    rule: Body = {
        "name": "prepend",
        "matchCriteria": [{"matchCondition": "Contains", "routePrefix": ["10.0.0.0/8"]}],
        "actions": [{"type": "Add", "parameters": [{"asPath": ["65001"]}]}],
    }
    shown = lab.made(f"{HUB}/routeMaps/out", {"properties": {"rules": [rule]}})["properties"]
    assert shown["associatedInboundConnections"] == shown["associatedOutboundConnections"] == []
    (told,) = shown["rules"]
    assert told["nextStepIfMatched"] == "Unknown" and told["matchCriteria"][0]["community"] == []
    assert told["actions"][0]["parameters"] == [{"routePrefix": [], "community": [], "asPath": ["65001"]}]


def test_a_circuits_connection_to_a_hub_is_routed_as_any_other(lab: Lab) -> None:
    gateway = net("edge", kind="expressRouteGateways")
    lab.made(gateway, of(HUB))
    url = f"{gateway}/expressRouteConnections/line"
    circuit = net("over", kind="expressRouteCircuits")
    peering: Body = {"expressRouteCircuitPeering": {"id": f"{circuit}/peerings/AzurePrivatePeering"}}
    shown = lab.made(url, {"properties": peering})["properties"]
    assert (shown["routingWeight"], shown["enableInternetSecurity"]) == (0, False)
    assert shown["routingConfiguration"]["propagatedRouteTables"] == {"labels": ["default"], "ids": [{"id": TABLE}]}
    told: Body = {"propagatedRouteTables": {"labels": ["branches"], "ids": []}}
    again = lab.made(url, {"properties": {**peering, "routingConfiguration": told}})["properties"]
    assert again["routingConfiguration"]["propagatedRouteTables"] == told["propagatedRouteTables"]
    assert again["resourceGuid"] == shown["resourceGuid"]
