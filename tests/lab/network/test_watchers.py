"""Network watchers: each question in the form of Azure's models, answered as the lab's own packets go (R11)."""

from __future__ import annotations

from typing import Any

import pytest

from farshore.arm.http import Response
from farshore.arm.json import Body
from lab.core.bench import COMPUTE, NETWORK, SUBSCRIPTION, Lab, example_lab, refusal, rid

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/NetworkWatcherRG"
WATCHER = rid(f"{NETWORK}/networkWatchers", "NetworkWatcher_eastasia", group="NetworkWatcherRG")
WEB1 = rid(f"{COMPUTE}/virtualMachines", "web1", group="rg-source")
WEB1_NIC = rid(f"{NETWORK}/networkInterfaces", "web1-nic", group="rg-source")
NVA_NIC = rid(f"{NETWORK}/networkInterfaces", "nva-nic", group="rg-source")
SITE = "192.168.4.20"


@pytest.fixture
def lab() -> Lab:
    made = example_lab()
    made.must(made.put(GROUP, {"location": "eastasia"}))
    made.must(made.put(WATCHER, {"location": "eastasia"}))
    return made


def asked(lab: Lab, question: str, **body: Any) -> Body:
    answer = lab.post(f"{WATCHER}/{question}", body)
    assert answer.status == 202 and set(answer.headers) >= {"location"} and "azure-asyncoperation" not in answer.headers
    return dict(lab.follow(answer).body)


def next_hop(lab: Lab, destination: str, source: str = "10.1.0.4") -> Body:
    return asked(lab, "nextHop", targetResourceId=WEB1, sourceIPAddress=source, destinationIPAddress=destination)


def flow(lab: Lab, **more: Any) -> Body:
    wanted: Body = {
        "targetResourceId": WEB1,
        "direction": "Inbound",
        "protocol": "TCP",
        "localPort": "443",
        "remotePort": "50000",
        "localIPAddress": "10.1.0.4",
        "remoteIPAddress": SITE,
    }
    return asked(lab, "ipFlowVerify", **(wanted | more))


def said(access: str, rule: str) -> Body:
    return {"access": access, "ruleName": rule, "ruleId": ""}


def test_a_watcher_is_made_at_once_and_shows_itself(lab: Lab) -> None:
    shown = lab.body(WATCHER)
    assert shown["properties"] == {"provisioningState": "Succeeded", "runningOperationIds": []}
    assert [row["name"] for row in lab.body(f"{GROUP}/providers/Microsoft.Network/networkWatchers")["value"]] == [
        "NetworkWatcher_eastasia"
    ]


def test_the_next_hop_is_that_of_the_effective_row(lab: Lab) -> None:
    """A user's route names its table; a system route says so."""
    table = lab.follow(lab.post(WEB1_NIC + "/effectiveRouteTable")).body["value"]
    user = next(row for row in table if row["source"] == "User" and row["state"] == "Active")
    found = next_hop(lab, user["addressPrefix"][0].split("/")[0].replace("0.0.0.0", "8.8.8.8"))
    assert found["nextHopType"] == "VirtualAppliance" and found["nextHopIpAddress"] == user["nextHopIpAddress"][0]
    assert "/routeTables/" in found["routeTableId"] and lab.get(found["routeTableId"]).status == 200
    # Recorded, though the models call it VnetLocal.
    assert next_hop(lab, "10.1.0.5") == {"nextHopType": "VirtualNetwork", "routeTableId": "System Route"}


def test_the_next_hop_follows_what_is_broken(lab: Lab) -> None:
    """The appliance's own subnet learns the site by BGP (R36) until its gateway falls silent."""
    question: Body = {"targetResourceId": NVA_NIC, "sourceIPAddress": "10.10.10.10", "destinationIPAddress": SITE}
    assert asked(lab, "nextHop", **question)["nextHopType"] == "VirtualNetworkGateway"
    gateway = rid(f"{NETWORK}/virtualNetworkGateways", "ergw-source-hub", group="rg-source")
    lab.fault(kind="gateway", id=gateway, state="down")
    assert asked(lab, "nextHop", **question)["nextHopType"] != "VirtualNetworkGateway"


def test_a_flow_is_allowed_or_denied_by_the_rule_that_decides(lab: Lab) -> None:
    """R42, R43."""
    group = rid(f"{NETWORK}/networkSecurityGroups", "nsg", group="rg-source")
    rule = {"access": "Deny", "direction": "Inbound", "protocol": "Tcp", "priority": 200}
    ends = {"sourcePortRange": "*", "destinationPortRange": "22", "sourceAddressPrefix": "*"}
    rules = [{"name": "no-ssh", "properties": {**rule, **ends, "destinationAddressPrefix": "*"}}]
    lab.made(group, {"location": "eastasia", "properties": {"securityRules": rules}})
    nic = lab.body(WEB1_NIC)
    nic["properties"]["networkSecurityGroup"] = {"id": group}
    lab.made(WEB1_NIC, nic)
    # The subnet's group is asked first (R43), and says no to what the NIC's is not asked about then.
    assert flow(lab, localPort="22") == said("Deny", "securityRules/deny-the-rest")
    place = nic["properties"]["ipConfigurations"][0]["properties"]["subnet"]["id"]
    held = lab.body(place)
    del held["properties"]["networkSecurityGroup"]
    lab.made(place, held)
    assert flow(lab, localPort="22") == said("Deny", "securityRules/no-ssh")
    assert flow(lab) == said("Allow", "defaultSecurityRules/AllowVnetInBound")
    # The subnet's 0/0 route to the appliance makes VirtualNetwork everything (R44).
    out = flow(lab, direction="Outbound", remoteIPAddress="8.8.8.8")
    assert out == said("Allow", "defaultSecurityRules/AllowVnetOutBound")
    del held["properties"]["routeTable"]
    lab.made(place, held)
    outside = flow(lab, remoteIPAddress="8.8.8.8")
    assert outside == said("Deny", "defaultSecurityRules/DenyAllInBound")
    out = flow(lab, direction="Outbound", remoteIPAddress="8.8.8.8")
    assert out == said("Allow", "defaultSecurityRules/AllowInternetOutBound")
    seen = asked(lab, "securityGroupView", targetResourceId=WEB1)["networkInterfaces"]
    [view] = [row for row in seen if row["id"] == WEB1_NIC]
    rules_of = view["securityRuleAssociations"]
    assert rules_of["networkInterfaceAssociation"]["id"] == WEB1_NIC
    assert [item["name"] for item in rules_of["networkInterfaceAssociation"]["securityRules"]] == ["no-ssh"]
    assert len(rules_of["defaultSecurityRules"]) == 6
    assert rules_of["effectiveSecurityRules"][0]["name"] == "securityRules/no-ssh"


def test_connectivity_is_that_of_a_packet(lab: Lab) -> None:
    question: Body = {"source": {"resourceId": WEB1}, "destination": {"address": SITE, "port": 443}}
    found = asked(lab, "connectivityCheck", **question)
    assert found["connectionStatus"] == "Reachable" and found["probesFailed"] == 0
    kinds = [hop["type"] for hop in found["hops"]]
    assert kinds[0] == "Source" and "VirtualAppliance" in kinds and "VirtualNetworkGateway" in kinds
    assert all(a["nextHopIds"] == [b["id"]] for a, b in zip(found["hops"], found["hops"][1:], strict=False))
    assert not any(hop["issues"] for hop in found["hops"])
    assert found["hops"][-1]["type"] == "Destination"
    lab.fault(kind="appliance", id=NVA_NIC, state="down")
    assert all([link["nextHopId"] for link in hop["links"]] == hop["nextHopIds"] for hop in found["hops"])
    assert all([link["nextHopId"] for link in hop["previousLinks"]] == hop["previousHopIds"] for hop in found["hops"])
    found = asked(lab, "connectivityCheck", **question)
    assert found["connectionStatus"] == "Unreachable" and found["probesFailed"] == found["probesSent"] > 0
    [issue] = [issue for hop in found["hops"] for issue in hop["issues"]]
    assert issue["severity"] == "Error" and issue["type"] == "Platform"


def test_what_is_called_by_a_name_is_nobodys_the_lab_knows(lab: Lab) -> None:
    """A destination that is no resource has no `resourceId`."""
    destination = {"address": "www.example.com", "port": 443}
    found = asked(lab, "connectivityCheck", source={"resourceId": WEB1}, destination=destination, protocol="Https")
    assert found["connectionStatus"] == "Unknown" and found["hops"][0]["resourceId"] == WEB1
    assert found["hops"][-1]["address"] == "www.example.com" and "resourceId" not in found["hops"][-1]


def bare(lab: Lab) -> None:
    """The first web server without a group of its own or of its subnet."""
    place = lab.body(WEB1_NIC)["properties"]["ipConfigurations"][0]["properties"]["subnet"]["id"]
    held = lab.body(place)
    held["properties"].pop("networkSecurityGroup", None)
    lab.made(place, held)


def test_where_no_group_stands_there_is_nothing_to_verify_or_to_view(lab: Lab) -> None:
    bare(lab)
    wanted = {"targetResourceId": WEB1, "direction": "Inbound", "protocol": "TCP", "localPort": "443"}
    ends = {"remotePort": "1", "localIPAddress": "10.1.0.4", "remoteIPAddress": SITE}
    assert refusal(lab.post(WATCHER + "/ipFlowVerify", wanted | ends)) == "NsgsNotAppliedOnNic"
    assert asked(lab, "securityGroupView", targetResourceId=WEB1) == {"networkInterfaces": []}


def test_a_flow_may_leave_its_own_port_open_and_name_its_protocol_in_any_case(lab: Lab) -> None:
    assert flow(lab, protocol="Tcp", localPort="22", remotePort="*")["access"] == "Deny"


def diagnosed(lab: Lab, port: str) -> Body:
    profile = {"direction": "Inbound", "protocol": "TCP", "source": SITE, "destination": "10.1.0.4"}
    profile["destinationPort"] = port
    [row] = asked(lab, "networkConfigurationDiagnostic", targetResourceId=WEB1, profiles=[profile])["results"]
    assert row["profile"] == profile
    return dict(row["networkSecurityGroupResult"])


def test_a_diagnostic_tells_how_far_each_rule_fits_down_to_the_one_that_decides(lab: Lab) -> None:
    no = diagnosed(lab, "22")
    [group] = no["evaluatedNetworkSecurityGroups"]
    assert no["securityRuleAccessResult"] == "Deny" == group["matchedRule"]["action"]
    assert group["matchedRule"]["ruleName"] == "UserRule_deny-the-rest" == group["rulesEvaluationResult"][-1]["name"]
    assert all(group["rulesEvaluationResult"][-1][f"{part}Matched"] for part in ("protocol", "source", "destination"))
    assert not group["rulesEvaluationResult"][0]["destinationPortMatched"]
    assert diagnosed(lab, "443")["securityRuleAccessResult"] == "Allow"
    bare(lab)
    assert diagnosed(lab, "22") == {"securityRuleAccessResult": "Allow", "evaluatedNetworkSecurityGroups": []}


def test_what_is_wrong_with_a_gateway_is_told_again_when_asked(lab: Lab) -> None:
    gateway = rid(f"{NETWORK}/virtualNetworkGateways", "ergw-source-hub", group="rg-source")
    question: Body = {"targetResourceId": gateway, "properties": {"storageId": "s", "storagePath": "https://s/t"}}
    assert refusal(lab.post(WATCHER + "/troubleshoot", {"targetResourceId": gateway})) == "InvalidRequestFormat"
    assert lab.post(WATCHER + "/queryTroubleshootResult", question).status == 404
    found = asked(lab, "troubleshoot", **question)
    assert found["code"] == "Healthy" and [row["id"] for row in found["results"]] == ["NoFault"]
    lab.fault(kind="gateway", id=gateway, state="down")
    found = asked(lab, "troubleshoot", **question)
    assert found["code"] == "UnHealthy" and set(found["results"][0]["recommendedActions"][0]) == {
        "actionText",
        "actionUri",
        "actionUriText",
    }
    again = lab.post(WATCHER + "/queryTroubleshootResult", {"targetResourceId": gateway})
    assert again.status == 200 and again.body == found


def test_a_topology_is_what_stands_in_a_group_of_the_watchers_region(lab: Lab) -> None:
    answer = lab.must(lab.post(WATCHER + "/topology", {"targetResourceGroupName": "rg-source"}))
    assert answer.status == 200 and set(answer.headers) >= {"azure-asyncoperation", "location"}
    found = answer.body
    rows = {row["id"]: row for row in found["resources"]}
    assert WEB1_NIC in rows and {row["location"] for row in rows.values()} == {"eastasia"}
    assert {row["associationType"] for row in rows[WEB1_NIC]["associations"]} == {"Associated"}
    assert {row["name"] for row in rows[WEB1]["associations"]} == {"web1-nic"}
    assert rows[WEB1]["associations"][0]["associationType"] == "Contains" and rows[WEB1]["properties"] == {}
    network = next(row for row in rows.values() if row["id"].lower().endswith("/source-vnet1"))
    assert "Contains" in {row["associationType"] for row in network["associations"]}
    part = lab.must(lab.post(WATCHER + "/topology", {"targetVirtualNetwork": {"id": network["id"]}})).body
    assert network["id"] in {row["id"] for row in part["resources"]} and len(part["resources"]) < len(rows)


QUESTION: Body = {"targetResourceId": WEB1, "sourceIPAddress": "10.1.0.4", "destinationIPAddress": SITE}


@pytest.mark.parametrize(
    ("question", "change", "code"),
    [
        ("nextHop", {"sourceIPAddress": None}, "InvalidRequestFormat"),
        ("nextHop", {"destinationIPAddress": "here"}, "InvalidParameter"),
        ("nextHop", {"targetResourceId": "web1"}, "LinkedInvalidPropertyId"),
        ("nextHop", {"targetResourceId": GROUP}, "InvalidParameter"),
        ("ipFlowVerify", {}, "InvalidRequestFormat"),
        ("connectivityCheck", {}, "InvalidRequestFormat"),
        ("connectivityCheck", {"source": {"resourceId": WEB1}, "destination": {"port": 1}}, "InvalidRequestFormat"),
        ("topology", {}, "InvalidRequestFormat"),
    ],
)
def test_what_is_no_question_is_refused(lab: Lab, question: str, change: Body, code: str) -> None:
    answer: Response = lab.post(f"{WATCHER}/{question}", QUESTION | change)
    assert refusal(answer) == code


def test_who_does_not_run_and_who_is_elsewhere_can_not_be_asked_about(lab: Lab) -> None:
    other = rid(f"{NETWORK}/networkWatchers", "NetworkWatcher_southeastasia", group="NetworkWatcherRG")
    lab.must(lab.put(other, {"location": "southeastasia"}))
    assert refusal(lab.post(other + "/nextHop", QUESTION)) == "TargetResourceNotInWatcherRegion"
    lab.follow(lab.post(WEB1 + "/deallocate"))
    assert refusal(lab.post(WATCHER + "/nextHop", QUESTION)) == "VMNotRunning"
