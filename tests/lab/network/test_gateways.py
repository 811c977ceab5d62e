"""ExpressRoute gateways: where they may stand, of what size, and the long time they take (E20 to E27, R35)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from farshore.arm.json import Body
from lab.core.bench import Lab, net, network_body, refusal, subnet, vnet

GW = net("gw", kind="virtualNetworkGateways")


def body(sku: str | None = "ErGw1AZ", into: str | None = None, kind: str = "ExpressRoute", **inside: object) -> Body:
    properties: Body = {
        "gatewayType": kind,
        "ipConfigurations": [
            {"name": "default", "properties": {"subnet": {"id": into or subnet("hub", "GatewaySubnet")}, **inside}}
        ],
    }
    if sku is not None:
        properties["sku"] = {"name": sku, "tier": sku}
    return {"location": "eastasia", "properties": properties}


@pytest.fixture
def lab() -> Lab:
    made = Lab()
    made.made(vnet("hub"), network_body("10.10.10.0/24", nva="10.10.10.0/25", GatewaySubnet="10.10.10.128/25"))
    return made


def test_a_gateway_takes_the_time_that_azure_takes(lab: Lab) -> None:
    """E24: up to 45 minutes; until then it is Updating and does nothing."""
    began = lab.now
    answer = lab.put(GW, body())
    assert answer.status == 201 and answer.body["properties"]["provisioningState"] == "Updating"
    lab.wait(minutes=20)
    shown = lab.properties(GW)
    assert shown["provisioningState"] == "Updating" and not shown["bgpSettings"].get("bgpPeeringAddress")
    assert lab.get(answer.headers["azure-asyncoperation"]).body == {"status": "InProgress"}
    end = lab.follow(answer)
    assert end.body == {"status": "Succeeded"}
    assert timedelta(minutes=28) < lab.now - began < timedelta(minutes=48)
    shown = lab.properties(GW)
    assert shown["provisioningState"] == "Succeeded"
    assert shown["bgpSettings"]["asn"] == 65515
    assert shown["bgpSettings"]["bgpPeeringAddress"] == "10.10.10.140,10.10.10.141"


def test_two_gateways_of_two_seeds_take_different_times() -> None:
    def minutes(seed: int) -> float:
        lab = Lab(seed=seed)
        lab.made(vnet("hub"), network_body("10.10.10.0/24", GatewaySubnet="10.10.10.128/25"))
        began = lab.now
        lab.follow(lab.put(GW, body()))
        return (lab.now - began).total_seconds() / 60

    times = [minutes(seed) for seed in range(1, 9)]
    assert len(set(times)) == len(times) and minutes(1) == times[0]
    assert 33 < sorted(times)[4] < 43


@pytest.mark.parametrize("sku", [None, "Basic", "VpnGw1", "ErGw1Az", "ergw1az"])
def test_only_a_sku_for_express_route_will_do(lab: Lab, sku: str | None) -> None:
    """E21; the message is the recorded one."""
    refused = lab.put(GW, body(sku))
    assert refusal(refused) == "InvalidGatewaySkuSpecifiedForGatewayDeploymentType"
    assert "with DeploymentType VMScaleSet. The allowed Skus are" in refused.body["error"]["message"]
    assert lab.get(GW).status == 404


def test_a_gateway_stands_in_gateway_subnet_and_nowhere_else(lab: Lab) -> None:
    assert refusal(lab.put(GW, body(into=subnet("hub", "nva")))) == "InvalidGatewaySubnet"
    assert refusal(lab.put(GW, body(into=subnet("hub", "none")))) == "InvalidResourceReference"
    lab.made(vnet("far"), network_body("10.20.0.0/24", location="southeastasia", GatewaySubnet="10.20.0.0/25"))
    assert refusal(lab.put(GW, body(into=subnet("far", "GatewaySubnet")))) == "InvalidResourceReference"
    lab.made(vnet("small"), network_body("10.30.0.0/24", GatewaySubnet="10.30.0.0/28"))
    assert refusal(lab.put(GW, body(into=subnet("small", "GatewaySubnet")))) == "GatewaySubnetTooSmall"
    without = body()
    without["properties"]["ipConfigurations"] = []
    assert refusal(lab.put(GW, without)) == "InvalidRequestFormat"
    assert refusal(lab.put(GW, body(kind="Magic"))) == "InvalidRequestFormat"


def test_one_gateway_of_a_kind_in_a_network(lab: Lab) -> None:
    """E22, also while the first is being made."""
    answer = lab.put(GW, body())
    refused = lab.put(net("second", kind="virtualNetworkGateways"), body())
    assert refusal(refused) == "ParentVnetAlreadyHasGateways" and GW in refused.body["error"]["message"]
    lab.follow(answer)
    lab.made(net("vpn", kind="virtualNetworkGateways"), body("VpnGw1AZ", kind="Vpn"))


def test_a_default_route_on_gateway_subnet_blocks_the_gateway(lab: Lab) -> None:
    """R35."""
    table = net("rt", kind="routeTables")
    route: Body = {"name": "all", "properties": {"addressPrefix": "0.0.0.0/0", "nextHopType": "Internet"}}
    lab.made(table, {"location": "eastasia", "properties": {"routes": [route]}})
    inside: Body = {"properties": {"addressPrefix": "10.10.10.128/25", "routeTable": {"id": table}}}
    lab.made(subnet("hub", "GatewaySubnet"), inside)
    assert refusal(lab.put(GW, body())) == "DefaultRouteNotAllowedOnGatewaySubnet"
    lab.gone(table + "/routes/all")
    lab.made(GW, body())


def test_a_basic_address_is_not_for_express_route(lab: Lab) -> None:
    """E25, L35."""
    pip = net("pip", kind="publicIPAddresses")
    lab.made(pip, {"location": "eastasia", "sku": {"name": "Basic"}})
    refused = lab.put(GW, body(publicIPAddress={"id": pip}))
    assert refusal(refused) == "PublicIpWithBasicSkuNotAllowedOnExpressRouteGateways"


@pytest.mark.parametrize(
    ("first", "second", "taken"),
    [
        ("Standard", "HighPerformance", True),
        ("HighPerformance", "UltraPerformance", True),
        ("ErGw1AZ", "ErGw3AZ", True),
        ("ErGw2AZ", "ErGw1AZ", True),
        ("HighPerformance", "Standard", True),
        ("UltraPerformance", "Standard", False),
        ("Standard", "ErGw1AZ", False),
        ("ErGw3AZ", "ErGw1AZ", False),
    ],
)
def test_a_gateway_is_resized_along_its_line_only(lab: Lab, first: str, second: str, taken: bool) -> None:
    lab.made(GW, body(first))
    addresses = lab.properties(GW)["bgpSettings"]["bgpPeeringAddress"]
    answer = lab.put(GW, body(second))
    if not taken:
        assert refusal(answer) == "GatewaySkuChangeNotAllowed"
        assert lab.properties(GW)["sku"]["name"] == first
        return
    began = lab.now
    lab.follow(answer)
    assert lab.now - began < timedelta(minutes=15)
    assert lab.properties(GW)["sku"]["name"] == second
    assert lab.properties(GW)["bgpSettings"]["bgpPeeringAddress"] == addresses


def test_a_gateway_does_not_become_one_of_another_kind(lab: Lab) -> None:
    """E22: what is no change of size is a new gateway."""
    lab.made(GW, body())
    vpn = body("VpnGw1AZ", kind="Vpn")
    vpn["properties"]["vpnType"] = "RouteBased"
    assert refusal(lab.put(GW, vpn)) == "PropertyChangeNotAllowed"
    assert lab.properties(GW)["gatewayType"] == "ExpressRoute"


def test_a_gateway_being_made_cannot_be_asked_or_deleted(lab: Lab) -> None:
    answer = lab.put(GW, body())
    assert refusal(lab.post(GW + "/getLearnedRoutes"), 409) == "GatewayNotProvisioned"
    assert refusal(lab.delete(GW), 409) == "AnotherOperationInProgress"
    lab.follow(answer)
    told = lab.follow(lab.post(GW + "/getLearnedRoutes"))
    assert told.status == 200 and told.body == {"value": told.body["value"]}
    lab.gone(GW)


def test_gateway_subnet_is_in_use_while_there_is_a_gateway(lab: Lab) -> None:
    lab.made(GW, body())
    assert refusal(lab.delete(subnet("hub", "GatewaySubnet"))) == "InUseSubnetCannotBeDeleted"
    assert refusal(lab.delete(vnet("hub"))) == "InUseSubnetCannotBeDeleted"
    # What cannot be asked: the table of GatewaySubnet is nobody's NIC's.
    assert refusal(lab.post(subnet("hub", "GatewaySubnet") + "/effectiveRouteTable"), 501) == "NotImplementedByLab"
    assert refusal(lab.post(GW + "/effectiveRouteTable"), 501) == "NotImplementedByLab"
    assert refusal(lab.post(net("x", kind="networkInterfaces") + "/effectiveRouteTable"), 404) == "ResourceNotFound"
