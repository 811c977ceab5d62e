"""What an application gateway shows of its parts, as recorded. Nothing of it carries anything."""

from __future__ import annotations

from typing import Any

import pytest

from farshore.arm.json import Body
from lab.core.bench import Lab, net, network_body, refusal, subnet, vnet
from lab.core.kinds import KINDS

GATEWAY = net("door", kind="applicationGateways")
ADDRESS = net("out", kind="publicIPAddresses")


def at(kind: str, name: str) -> Body:
    return {"id": f"{GATEWAY}/{kind}/{name}"}


def gateway(tier: str) -> Body:
    """As the CLI sends it: with words in lower case, and a pool that is nothing but a name."""
    listener = {
        "frontendIPConfiguration": at("frontendIPConfigurations", "front"),
        "frontendPort": at("frontendPorts", "80"),
        "protocol": "http",
    }
    rule = {
        "ruleType": "Basic",
        "httpListener": at("httpListeners", "web"),
        "backendAddressPool": at("backendAddressPools", "all"),
        "backendHttpSettings": at("backendHttpSettingsCollection", "plain"),
    }
    settings = {"port": 80, "protocol": "http", "cookieBasedAffinity": "disabled", "probe": at("probes", "alive")}
    return {
        "location": "eastasia",
        "properties": {
            "sku": {"name": tier, "tier": tier},
            "gatewayIPConfigurations": [{"name": "own", "properties": {"subnet": {"id": subnet("web", "gate")}}}],
            "frontendIPConfigurations": [{"name": "front", "properties": {"publicIPAddress": {"id": ADDRESS}}}],
            "frontendPorts": [{"name": "80", "properties": {"port": 80}}],
            "backendAddressPools": [{"name": "all"}],
            "backendHttpSettingsCollection": [{"name": "plain", "properties": settings}],
            "httpListeners": [{"name": "web", "properties": listener}],
            "probes": [{"name": "alive", "properties": {"protocol": "Http", "path": "/", "interval": 30}}],
            "requestRoutingRules": [{"name": "only", "properties": rule}],
        },
    }


def made(tier: str = "Standard_v2") -> tuple[Lab, Body]:
    lab = Lab()
    lab.made(vnet("web"), network_body("10.9.0.0/24", gate="10.9.0.0/25"))
    lab.made(ADDRESS, KINDS["public address"].body)
    return lab, lab.made(GATEWAY, gateway(tier))


def inner(body: Body, kind: str) -> Any:
    (part,) = body["properties"][kind]
    return part["properties"]


def test_parts_show_who_refers_to_them_and_what_is_usual() -> None:
    _, shown = made()
    (pool,) = shown["properties"]["backendAddressPools"]
    assert pool == {
        "name": "all",
        "id": f"{GATEWAY}/backendAddressPools/all",
        "etag": shown["etag"],
        "type": "Microsoft.Network/applicationGateways/backendAddressPools",
        "properties": {
            "provisioningState": "Succeeded",
            "backendAddresses": [],
            "requestRoutingRules": [at("requestRoutingRules", "only")],
        },
    }
    assert inner(shown, "frontendPorts")["httpListeners"] == [at("httpListeners", "web")]
    assert inner(shown, "frontendIPConfigurations")["httpListeners"] == [at("httpListeners", "web")]
    assert inner(shown, "probes")["backendHttpSettings"] == [at("backendHttpSettingsCollection", "plain")]
    settings = inner(shown, "backendHttpSettingsCollection")
    assert (settings["protocol"], settings["cookieBasedAffinity"], settings["requestTimeout"]) == (
        "Http",
        "Disabled",
        30,
    )
    listener = inner(shown, "httpListeners")
    assert (listener["protocol"], listener["hostNames"], listener["requireServerNameIndication"]) == ("Http", [], False)


def test_what_it_was_told_about_users_is_not_kept() -> None:
    lab, shown = made()
    shown["properties"]["requestRoutingRules"] = []
    again = lab.made(GATEWAY, shown)
    assert "requestRoutingRules" not in inner(again, "backendAddressPools")
    assert "requestRoutingRules" not in inner(again, "httpListeners")
    assert again["properties"]["operationalState"] == "Running"


@pytest.mark.parametrize(("tier", "second"), [("Standard", False), ("Standard_v2", True)])
def test_each_generation_lists_what_it_has(tier: str, second: bool) -> None:
    _, shown = made(tier)
    of_second = {"trustedRootCertificates", "sslProfiles", "privateLinkConfigurations", "privateEndpointConnections"}
    assert (of_second <= set(shown["properties"])) is second
    assert ("authenticationCertificates" in shown["properties"]) is not second
    assert shown["properties"]["redirectConfigurations"] == [] == shown["properties"]["sslCertificates"]


def test_it_stands_still_until_it_has_been_made_and_when_it_is_told_to() -> None:
    lab = Lab()
    lab.made(vnet("web"), network_body("10.9.0.0/24", gate="10.9.0.0/25"))
    lab.made(ADDRESS, KINDS["public address"].body)
    answer = lab.put(GATEWAY, gateway("Standard_v2"))
    assert answer.status == 201 and answer.body["properties"]["operationalState"] == "Stopped"
    assert inner(answer.body, "httpListeners")["provisioningState"] == "Updating"
    lab.follow(answer)
    assert lab.properties(GATEWAY)["operationalState"] == "Running"
    for verb, state in (("stop", "Stopped"), ("start", "Running")):
        told = lab.post(f"{GATEWAY}/{verb}")
        assert told.status == 202
        lab.follow(told)
        assert lab.properties(GATEWAY)["operationalState"] == state


def test_its_public_address_is_in_use() -> None:
    lab, _ = made()
    assert lab.properties(ADDRESS)["ipConfiguration"] == at("frontendIPConfigurations", "front")
    assert refusal(lab.delete(ADDRESS), 400) == "PublicIPAddressCannotBeDeleted"
    lab.gone(GATEWAY)
    lab.gone(ADDRESS)


def test_rules_of_a_ddos_policy_are_ready_before_it_is() -> None:
    lab = Lab()
    policy = net("flood", kind="ddosCustomPolicies")
    rules = [{"name": "syn", "properties": {"detectionMode": "TrafficThreshold"}}]
    answer = lab.put(policy, {"location": "eastasia", "properties": {"detectionRules": rules}})
    properties = answer.body["properties"]
    (rule,) = properties["detectionRules"]
    assert rule["id"] == f"{policy}/ddosDetectionRules/syn"
    assert properties["provisioningState"] == "Updating" and rule["properties"]["provisioningState"] == "Succeeded"
    assert properties["frontendIpConfigurations"] == properties["publicIPAddresses"] == []
    assert "resourceGuid" not in properties


@pytest.mark.parametrize(("sku", "second"), [("Standard", False), ("StandardV2", True)])
def test_a_nat_gateway_of_the_second_generation_shows_more(sku: str, second: bool) -> None:
    lab = Lab()
    url = net("nat", kind="natGateways")
    shown = lab.made(url, {"location": "eastasia", "sku": {"name": sku}, "properties": {}})["properties"]
    more = {"scope": "Public", "flowlogs": {"logsVersions": {}}}
    assert {key: shown[key] for key in more if key in shown} == (more if second else {})
