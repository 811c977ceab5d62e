"""What VPN gateways are asked beside routes: captures, resets and profiles, answered as recorded."""

from __future__ import annotations

import json

import pytest

from farshore.arm.json import Body
from lab.core.bench import Lab, net, network_body, refusal, subnet, vnet

BOTH = ("azure-asyncoperation", "location")
GATEWAY = net("door", kind="virtualNetworkGateways")


def gateway(**changes: object) -> Body:
    item: Body = {"name": "first", "properties": {"subnet": {"id": subnet("edge", "GatewaySubnet")}}}
    properties = {"gatewayType": "VPN", "vpnType": "routebased", "sku": {"name": "VpnGw1"}, "ipConfigurations": [item]}
    return {"location": "eastasia", "properties": {**properties, **changes}}


@pytest.fixture
def lab() -> Lab:
    lab = Lab()
    lab.made(vnet("edge"), network_body("10.7.0.0/16", GatewaySubnet="10.7.0.0/26"))
    return lab


def test_a_gateways_type_is_taken_in_any_case_and_shown_in_azures(lab: Lab) -> None:
    lab.made(GATEWAY, gateway())
    shown = lab.properties(GATEWAY)
    assert (shown["gatewayType"], shown["vpnType"]) == ("Vpn", "RouteBased")
    assert shown["bgpSettings"]["bgpPeeringAddresses"] and shown["vpnGatewayGeneration"] == "Generation1"
    lab.made(GATEWAY, gateway(gatewayType="vpn"))
    assert refusal(lab.put(GATEWAY, gateway(gatewayType="wifi"))) == "InvalidRequestFormat"


def test_a_captures_start_tells_a_text_and_its_stop_finds_nothing(lab: Lab) -> None:
    lab.made(GATEWAY, gateway())
    answer = lab.post(f"{GATEWAY}/startPacketCapture", {})
    assert answer.status == 202 and answer.body is None and all(name in answer.headers for name in BOTH)
    told = lab.follow(answer).body["properties"]["output"]
    assert json.loads(told)["Status"] == "Successful" and lab.get(answer.headers["location"]).body == told
    ended = lab.follow(lab.post(f"{GATEWAY}/stopPacketCapture", {"sasUrl": "https://kept.example/x"}))
    assert ended.body["status"] == "Failed" and ended.body["error"]["code"] == "NoPacketCaptureResponseDataFound"
    # It holds the gateway no longer.
    lab.made(GATEWAY, gateway())


def test_gateways_of_a_virtual_wan_are_reset_and_write_profiles() -> None:
    lab = Lab()
    ring, dial = net("ring", kind="vpnGateways"), net("dial", kind="p2svpngateways")
    for one in (ring, dial):
        lab.made(one, {"location": "eastasia", "properties": {}})
    answer = lab.post(f"{ring}/reset")
    assert answer.status == 202 and lab.follow(answer).body == {"status": "Succeeded", "properties": {}}
    asked = lab.post(f"{dial}/generatevpnprofile", {"authenticationMethod": "EAPTLS"})
    lab.follow(asked)
    assert asked.status == 202 and lab.get(asked.headers["location"]).body["profileUrl"].endswith(".zip")


def test_an_id_has_its_types_as_azure_spells_them() -> None:
    lab = Lab()
    shown = lab.made(net("dial", kind="P2SVPNGATEWAYS"), {"location": "eastasia", "properties": {}})
    assert shown["id"].endswith("/Microsoft.Network/p2sVpnGateways/dial")
    lab.made(vnet("edge"), network_body("10.7.0.0/16"))
    path = f"{vnet('edge')}/SUBNETS/Apps"
    shown = lab.made(path, {"properties": {"addressPrefix": "10.7.1.0/24"}})
    assert shown["id"] == f"{vnet('edge')}/subnets/Apps"


def test_the_result_of_what_was_begun_with_both_headers_says_them_again(lab: Lab) -> None:
    lab.made(GATEWAY, gateway())
    for method, url in (("POST", f"{GATEWAY}/reset"), ("DELETE", GATEWAY)):
        answer = lab.send(method, url)
        lab.follow(answer)
        result = lab.get(answer.headers["location"])
        assert result.status in (200, 204)
        assert [result.headers[name] for name in BOTH] == [answer.headers[name] for name in BOTH]


def test_a_nat_rule_is_static_unless_it_says_otherwise(lab: Lab) -> None:
    mapped: Body = {"internalMappings": [{"addressSpace": "10.7.9.0/24"}], "mode": "EgressSnat"}
    rules = [{"name": "fixed", "properties": mapped}, {"name": "moving", "properties": {**mapped, "type": "Dynamic"}}]
    shown = lab.made(GATEWAY, gateway(natRules=rules))["properties"]["natRules"]
    assert [rule["properties"]["type"] for rule in shown] == ["Static", "Dynamic"]
