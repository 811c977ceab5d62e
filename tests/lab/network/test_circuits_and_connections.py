"""Circuits, their peerings and authorizations, and what may be connected to them (E1 to E19, E32 to E40)."""

from __future__ import annotations

import copy

import pytest

from farshore.arm.json import Body
from lab.core.bench import SUBSCRIPTION, Lab, net, network_body, refusal, subnet, vnet
from lab.core.kinds import CIRCUIT, PEERING

ER = net("er", kind="expressRouteCircuits")
PRIVATE = ER + "/peerings/AzurePrivatePeering"
OTHER_SUBSCRIPTION = "00000000-0000-0000-0000-000000000002"


def circuit(**changes: object) -> Body:
    body = copy.deepcopy(CIRCUIT)
    for name, value in changes.items():
        where = body["sku"] if name in ("tier", "family") else body["properties"]["serviceProviderProperties"]
        where[name] = value
    return body


def peering(**changes: object) -> Body:
    return {"properties": {**PEERING["properties"], **changes}}


def connection(gateway: str = "gw", location: str = "eastasia", to: str = ER, **more: object) -> Body:
    properties: Body = {
        "connectionType": "ExpressRoute",
        "virtualNetworkGateway1": {"id": net(gateway, kind="virtualNetworkGateways")},
        "peer": {"id": to},
    }
    return {"location": location, "properties": {**properties, **more}}


def cn(name: str = "cn") -> str:
    return net(name, kind="connections")


def hub(lab: Lab, name: str, space: str, location: str = "eastasia", gateway: str = "gw", sku: str = "ErGw1AZ") -> None:
    lab.made(vnet(name), network_body(space, location=location, GatewaySubnet=space.replace("/24", "/25")))
    inside = {"subnet": {"id": subnet(name, "GatewaySubnet")}}
    lab.made(
        net(gateway, kind="virtualNetworkGateways"),
        {
            "location": location,
            "properties": {
                "gatewayType": "ExpressRoute",
                "sku": {"name": sku},
                "ipConfigurations": [{"name": "default", "properties": inside}],
            },
        },
    )


@pytest.fixture
def lab() -> Lab:
    """A gateway and a circuit whose provider has done its part."""
    made = Lab()
    made.made(ER, CIRCUIT)
    made.made(PRIVATE, PEERING)
    made.wait(days=1)
    hub(made, "hub", "10.10.10.0/24")
    return made


def test_a_circuit_waits_for_its_provider() -> None:
    lab = Lab()
    lab.made(ER, CIRCUIT)
    shown = lab.properties(ER)
    assert shown["serviceProviderProvisioningState"] == "NotProvisioned"
    assert shown["circuitProvisioningState"] == "Enabled" and len(shown["serviceKey"]) == 36
    lab.gone(ER)
    lab.made(ER, CIRCUIT)
    lab.wait(days=1)
    assert lab.properties(ER)["serviceProviderProvisioningState"] == "Provisioned"
    # E2: what the provider has built is not deleted from this side.
    assert refusal(lab.delete(ER)) == "CircuitProvisionedCannotBeDeleted"


def test_an_update_shows_the_circuit_as_disabled_while_it_lasts(lab: Lab) -> None:
    """Recorded."""
    answer = lab.put(ER, circuit(bandwidthInMbps=2000))
    assert answer.status == 200 and answer.body["properties"]["circuitProvisioningState"] == "Disabled"
    lab.follow(answer)
    shown = lab.properties(ER)
    assert shown["circuitProvisioningState"] == "Enabled"
    assert shown["serviceProviderProvisioningState"] == "Provisioned"
    assert [item["name"] for item in shown["peerings"]] == ["AzurePrivatePeering"]


def test_a_region_and_a_subscription_have_so_many_circuits() -> None:
    """E7. One that is there is still changed."""
    lab = Lab()
    regions = ("eastasia", "southeastasia", "japaneast", "westeurope", "northeurope")
    for number in range(10):
        lab.made(net(f"er{number}", kind="expressRouteCircuits"), CIRCUIT)
    assert refusal(lab.put(ER, CIRCUIT)) == "ExpressRouteCircuitCountLimitReached"
    assert lab.put(net("er3", kind="expressRouteCircuits"), circuit(bandwidthInMbps=2000)).ok
    for number in range(10, 50):
        lab.made(net(f"er{number}", kind="expressRouteCircuits"), {**circuit(), "location": regions[number // 10]})
    assert refusal(lab.put(ER, {**circuit(), "location": "uksouth"})) == "ExpressRouteCircuitCountLimitReached"
    elsewhere = ER.replace(SUBSCRIPTION, OTHER_SUBSCRIPTION)
    lab.made(elsewhere.partition("/providers/")[0], {"location": "eastasia"})
    lab.made(elsewhere, CIRCUIT)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"bandwidthInMbps": 500}, "CircuitBandwidthCannotBeLowered"),
        ({"bandwidthInMbps": 1234}, "InvalidRequestFormat"),
        ({"tier": "Gold"}, "InvalidRequestFormat"),
        ({"family": "Free"}, "InvalidRequestFormat"),
        ({"peeringLocation": ""}, "InvalidRequestFormat"),
    ],
)
def test_a_circuit_that_azure_would_not_change(lab: Lab, changes: dict[str, object], code: str) -> None:
    assert refusal(lab.put(ER, circuit(**changes))) == code
    assert lab.properties(ER)["serviceProviderProperties"]["bandwidthInMbps"] == 1000


def test_a_bill_that_is_unlimited_stays_so(lab: Lab) -> None:
    """E5."""
    lab.made(ER, circuit(family="UnlimitedData", name="Standard_UnlimitedData"))
    assert refusal(lab.put(ER, CIRCUIT)) == "CircuitSkuFamilyCannotBeChanged"
    lab.made(ER, circuit(family="UnlimitedData", tier="Premium"))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"peerASN": 65515}, "InvalidPeerASN"),
        ({"peerASN": "65010"}, "InvalidRequestFormat"),
        ({"vlanId": None}, "InvalidRequestFormat"),
        ({"primaryPeerAddressPrefix": None}, "InvalidRequestFormat"),
        ({"primaryPeerAddressPrefix": "172.16.0.1/30"}, "InvalidAddressPrefixFormat"),
        ({"secondaryPeerAddressPrefix": "172.16.0.0/30"}, "InvalidPeerAddressPrefix"),
        ({"peeringType": "AzurePublicPeering"}, "InvalidPeeringType"),
    ],
)
def test_a_peering_that_azure_would_not_take(changes: dict[str, object], code: str) -> None:
    """E8, E9, alone and inside its circuit's PUT."""
    lab = Lab()
    inside = circuit()
    inside["properties"]["peerings"] = [{"name": "AzurePrivatePeering", **peering(**changes)}]
    assert refusal(lab.put(ER, inside)) == code
    assert lab.get(ER).status == 404
    lab.made(ER, CIRCUIT)
    assert refusal(lab.put(PRIVATE, peering(**changes))) == code


@pytest.mark.parametrize("changes", [{"peeringLocation": "Singapore"}, {"serviceProviderName": "Colt"}])
def test_a_circuit_stays_with_its_provider_and_at_its_place(lab: Lab, changes: dict[str, object]) -> None:
    """E4."""
    before = lab.properties(ER)["serviceProviderProperties"]
    assert refusal(lab.put(ER, circuit(**changes))) == "PropertyChangeNotAllowed"
    assert lab.properties(ER)["serviceProviderProperties"] == before
    lab.made(ER, circuit(peeringLocation="HONG KONG"))


def test_a_tier_is_given_up_where_nothing_linked_needs_it(lab: Lab) -> None:
    """E5, E17: Premium to Standard where the usage fits."""
    lab.made(ER, circuit(tier="Premium"))
    hub(lab, "us", "10.40.0.0/24", "westus", "us-gw")
    lab.made(cn("us"), connection("us-gw", "westus"))
    assert refusal(lab.put(ER, circuit())) == "ExpressRouteCircuitRegionNotAllowed"
    assert lab.body(ER)["sku"]["tier"] == "Premium"
    lab.made(ER, circuit(tier="Premium", bandwidthInMbps=2000))
    lab.gone(cn("us"))
    lab.made(ER, circuit(bandwidthInMbps=2000))


def test_a_peering_made_inside_its_circuit_is_whole() -> None:
    lab = Lab()
    inside = circuit()
    inside["properties"]["peerings"] = [{"name": "AzurePrivatePeering", **peering()}]
    lab.made(ER, inside)
    assert lab.properties(PRIVATE)["azureASN"] == 12076
    assert lab.properties(PRIVATE)["provisioningState"] == "Succeeded"


def test_a_peering_that_carries_a_connection_stays(lab: Lab) -> None:
    lab.made(cn(), connection())
    assert refusal(lab.delete(PRIVATE)) == "PeeringInUseCannotBeDeleted"
    emptied = circuit()
    emptied["properties"]["peerings"] = []
    assert refusal(lab.put(ER, emptied)) == "PeeringInUseCannotBeDeleted"
    assert refusal(lab.delete(ER)) == "CircuitInUseCannotBeDeleted"
    refused = lab.put(PRIVATE, peering(primaryPeerAddressPrefix="10.10.10.248/30"))
    assert refusal(refused) == "PeerAddressPrefixOverlapsVnet"
    lab.gone(cn())
    lab.gone(PRIVATE)


def test_a_connection_is_made_in_minutes(lab: Lab) -> None:
    answer = lab.put(cn(), connection())
    assert answer.status == 201 and answer.body["properties"]["connectionStatus"] == "Unknown"
    lab.follow(answer)
    shown = lab.properties(cn())
    assert shown["connectionStatus"] == "Connected" and shown["routingWeight"] == 0
    assert refusal(lab.delete(net("gw", kind="virtualNetworkGateways"))) == "VirtualNetworkGatewayCannotBeDeleted"
    again = lab.put(cn("second"), connection())
    assert refusal(again) == "ConnectionAlreadyExists"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (connection(routingWeight=32001), "InvalidRoutingWeight"),
        (connection(routingWeight=-1), "InvalidRoutingWeight"),
        (connection(connectionType="IPsec"), "ConnectionTypeNotSupportedByGateway"),
        (connection(connectionType="Carrier"), "InvalidRequestFormat"),
        (connection(location="southeastasia"), "InvalidResourceReference"),
        (connection(to=net("none", kind="expressRouteCircuits")), "InvalidResourceReference"),
        (connection(gateway="none"), "InvalidResourceReference"),
        ({"location": "eastasia", "properties": {"connectionType": "ExpressRoute"}}, "LinkedInvalidPropertyId"),
        (connection(authorizationKey="11111111-1111-4111-8111-111111111111"), "AuthorizationKeyInvalid"),
    ],
)
def test_a_connection_that_azure_would_not_make(lab: Lab, body: Body, code: str) -> None:
    assert refusal(lab.put(cn(), body)) == code
    assert lab.get(cn()).status == 404


def test_a_connection_needs_a_gateway_a_peering_and_a_provider_that_are_done() -> None:
    """E33."""
    lab = Lab()
    lab.made(ER, CIRCUIT)
    hub(lab, "hub", "10.10.10.0/24")
    assert refusal(lab.put(cn(), connection())) == "ExpressRouteCircuitNotProvisioned"
    lab.wait(days=1)
    assert refusal(lab.put(cn(), connection())) == "ExpressRouteCircuitPrivatePeeringNotConfigured"
    lab.made(PRIVATE, peering(state="Disabled"))
    assert refusal(lab.put(cn(), connection())) == "ExpressRouteCircuitPrivatePeeringNotConfigured"
    lab.made(PRIVATE, PEERING)
    lab.gone(net("gw", kind="virtualNetworkGateways"))
    inside = {"subnet": {"id": subnet("hub", "GatewaySubnet")}}
    answer = lab.put(
        net("gw", kind="virtualNetworkGateways"),
        {
            "location": "eastasia",
            "properties": {
                "gatewayType": "ExpressRoute",
                "sku": {"name": "Standard"},
                "ipConfigurations": [{"name": "default", "properties": inside}],
            },
        },
    )
    refused = lab.put(cn(), connection())
    assert refusal(refused) == "ReferencedResourceNotProvisioned"
    lab.follow(answer)
    lab.made(cn(), connection())


def test_two_networks_of_one_range_are_not_on_one_circuit(lab: Lab) -> None:
    """E39, D20; and E40: with the first region lost the second is taken."""
    lab.made(cn(), connection())
    hub(lab, "far", "10.10.10.0/24", "southeastasia", "far-gw")
    second = connection("far-gw", "southeastasia")
    refused = lab.put(cn("far"), second)
    assert refusal(refused) == "ExpressRouteCircuitVnetAddressSpaceOverlap"
    assert "10.10.10.0/24" in refused.body["error"]["message"] and cn() in refused.body["error"]["message"]
    assert lab.get(cn("far")).status == 404


def test_the_range_of_a_spoke_counts_where_its_gateway_announces_it(lab: Lab) -> None:
    lab.made(cn(), connection())
    lab.made(vnet("spoke"), network_body("10.1.0.0/24"))
    flags = {"allowGatewayTransit": True}
    lab.made(
        vnet("hub", "virtualNetworkPeerings", "s"),
        {"properties": {"remoteVirtualNetwork": {"id": vnet("spoke")}, **flags}},
    )
    lab.made(
        vnet("spoke", "virtualNetworkPeerings", "h"),
        {"properties": {"remoteVirtualNetwork": {"id": vnet("hub")}, "useRemoteGateways": True}},
    )
    hub(lab, "far", "10.1.0.0/24", "southeastasia", "far-gw")
    refused = lab.put(cn("far"), connection("far-gw", "southeastasia"))
    assert refusal(refused) == "ExpressRouteCircuitVnetAddressSpaceOverlap"


def test_a_standard_circuit_stays_in_its_part_of_the_world(lab: Lab) -> None:
    """E17."""
    hub(lab, "us", "10.40.0.0/24", "westus", "us-gw")
    refused = lab.put(cn("us"), connection("us-gw", "westus"))
    assert refusal(refused) == "ExpressRouteCircuitRegionNotAllowed"
    lab.made(ER, circuit(tier="Premium"))
    lab.made(cn("us"), connection("us-gw", "westus"))


def test_one_authorization_makes_one_connection(lab: Lab) -> None:
    """E34."""
    far = ER + "/authorizations/far"
    lab.made(far, {"properties": {}})
    key = lab.properties(far)["authorizationKey"]
    lab.made(cn(), connection(authorizationKey=key))
    shown = lab.properties(far)
    assert shown["authorizationUseStatus"] == "InUse" and shown["connectionResourceUri"] == cn()
    hub(lab, "far", "10.20.0.0/24", "southeastasia", "far-gw")
    refused = lab.put(cn("far"), connection("far-gw", "southeastasia", authorizationKey=key))
    assert refusal(refused) == "AuthorizationKeyInvalid" and key not in refused.body["error"]["message"]
    lab.gone(cn())
    assert lab.properties(far)["authorizationUseStatus"] == "Available"
    lab.made(cn("far"), connection("far-gw", "southeastasia", authorizationKey=key))
    # Revoked: the connection that it made goes with it.
    lab.gone(far)
    assert lab.get(cn("far")).status == 404


def test_a_connection_stays_with_the_authorization_that_it_was_made_with(lab: Lab) -> None:
    """E34: a later PUT that says nothing of the key, as clients send it, does not set the authorization free."""
    one, two = (f"{ER}/authorizations/{name}" for name in ("one", "two"))
    lab.made(one, {"properties": {}})
    lab.made(two, {"properties": {}})
    key, other = (lab.properties(name)["authorizationKey"] for name in (one, two))
    lab.made(cn(), connection(authorizationKey=key))
    lab.made(cn(), connection(routingWeight=10))
    lab.made(cn(), connection(routingWeight=10, authorizationKey=key))
    assert lab.properties(one)["authorizationUseStatus"] == "InUse"
    refused = lab.put(cn(), connection(authorizationKey="11111111-1111-4111-8111-111111111111"))
    assert refusal(refused) == "AuthorizationKeyInvalid"
    hub(lab, "far", "10.20.0.0/24", "southeastasia", "far-gw")
    lab.made(cn("far"), connection("far-gw", "southeastasia", authorizationKey=other))
    assert refusal(lab.put(cn(), connection(authorizationKey=other))) == "AuthorizationKeyInvalid"
    lab.gone(one)
    assert lab.get(cn()).status == 404 and lab.get(cn("far")).status == 200


def test_a_circuit_of_another_subscription_needs_a_key(lab: Lab) -> None:
    group = f"/subscriptions/{OTHER_SUBSCRIPTION}/resourceGroups/rg-theirs"
    lab.must(lab.put(group, {"location": "southeastasia"}))
    theirs = f"{group}/providers/Microsoft.Network/expressRouteCircuits/er"
    lab.made(theirs, CIRCUIT)
    lab.made(theirs + "/peerings/AzurePrivatePeering", PEERING)
    lab.wait(days=1)
    assert refusal(lab.put(cn(), connection(to=theirs))) == "AuthorizationKeyInvalid"
    lab.made(theirs + "/authorizations/a", {"properties": {}})
    key = lab.properties(theirs + "/authorizations/a")["authorizationKey"]
    lab.made(cn(), connection(to=theirs, authorizationKey=key))


def test_a_gateway_takes_as_many_circuits_as_its_size(lab: Lab) -> None:
    """E27: four for ErGw1AZ."""
    for number in range(5):
        name = net(f"er{number}", kind="expressRouteCircuits")
        lab.made(name, CIRCUIT)
        lab.made(name + "/peerings/AzurePrivatePeering", PEERING)
    lab.wait(days=1)
    for number in range(4):
        lab.made(cn(f"cn{number}"), connection(to=net(f"er{number}", kind="expressRouteCircuits")))
    refused = lab.put(cn("cn4"), connection(to=net("er4", kind="expressRouteCircuits")))
    assert refusal(refused) == "GatewayConnectionLimit"


def test_a_network_is_on_four_circuits_of_one_place(lab: Lab) -> None:
    """E16, however great the gateway."""
    hub(lab, "big", "10.20.0.0/24", gateway="big-gw", sku="ErGw3AZ")
    names = [net(f"er{number}", kind="expressRouteCircuits") for number in range(6)]
    for name in names:
        lab.made(name, circuit(peeringLocation="Singapore") if name == names[5] else CIRCUIT)
        lab.made(name + "/peerings/AzurePrivatePeering", PEERING)
    lab.wait(days=1)
    for number in range(4):
        lab.made(cn(f"cn{number}"), connection("big-gw", to=names[number]))
    refused = lab.put(cn("cn4"), connection("big-gw", to=names[4]))
    assert refusal(refused) == "GatewayConnectionLimit" and "Hong Kong" in refused.body["error"]["message"]
    lab.made(cn("cn5"), connection("big-gw", to=names[5]))
    lab.gone(cn("cn0"))
    lab.made(cn("cn4"), connection("big-gw", to=names[4]))


@pytest.mark.parametrize(
    ("changes", "there"),
    [
        ({}, False),
        ({"peeringLocation": "Singapore"}, True),
        ({"peeringLocation": "Singapore", "tier": "Local", "family": "UnlimitedData"}, False),
        ({"peeringLocation": "London", "tier": "Premium"}, False),
    ],
)
def test_global_reach_joins_what_can_be_joined(lab: Lab, changes: dict[str, object], there: bool) -> None:
    """E46: at two locations, not Local, and Premium at both ends between geopolitical regions. It comes out when the
    PUT has been taken (recorded), and whoever has not been joined takes up no room."""
    other = net("other", kind="expressRouteCircuits")
    lab.made(other, circuit(**changes))
    lab.made(other + "/peerings/AzurePrivatePeering", PEERING)
    lab.wait(days=1)
    reach: Body = {
        "properties": {
            "peerExpressRouteCircuitPeering": {"id": other + "/peerings/AzurePrivatePeering"},
            "addressPrefix": "10.99.0.0/29",
        }
    }
    asked = lab.put(PRIVATE + "/connections/reach", reach)
    assert asked.status == 201
    ended = lab.follow(asked).body
    seen = lab.get(other + "/peerings/AzurePrivatePeering/peerConnections/reach")
    if not there:
        assert (ended["status"], ended["error"]["code"]) == ("Failed", "InvalidCircuitConnection")
        assert seen.status == 404
        return
    assert seen.status == 200
    # E15: it is one of ten links of a Standard circuit.
    for number in range(10):
        hub(lab, f"v{number}", f"10.50.{number}.0/24", gateway=f"gw{number}")
        asked = lab.put(cn(f"cn{number}"), connection(f"gw{number}"))
        assert (refusal(asked) == "ExpressRouteCircuitLinkLimit") if number == 9 else lab.follow(asked).ok


def test_a_connection_keeps_its_ends(lab: Lab) -> None:
    lab.made(cn(), connection())
    other = net("er2", kind="expressRouteCircuits")
    lab.made(other, CIRCUIT)
    assert refusal(lab.put(cn(), connection(to=other))) == "PropertyChangeNotAllowed"
    lab.made(cn(), connection(routingWeight=10))
    assert lab.properties(cn())["routingWeight"] == 10
