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
    assert next_hop(lab, "10.1.0.5") == {"nextHopType": "VnetLocal", "routeTableId": "System Route"}


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
    assert flow(lab, localPort="22") == {"access": "Deny", "ruleName": "securityRules/deny-the-rest"}
    place = nic["properties"]["ipConfigurations"][0]["properties"]["subnet"]["id"]
    held = lab.body(place)
    del held["properties"]["networkSecurityGroup"]
    lab.made(place, held)
    assert flow(lab, localPort="22") == {"access": "Deny", "ruleName": "securityRules/no-ssh"}
    assert flow(lab) == {"access": "Allow", "ruleName": "defaultSecurityRules/AllowVnetInBound"}
    # The subnet's 0/0 route to the appliance makes VirtualNetwork everything (R44).
    out = flow(lab, direction="Outbound", remoteIPAddress="8.8.8.8")
    assert out == {"access": "Allow", "ruleName": "defaultSecurityRules/AllowVnetOutBound"}
    del held["properties"]["routeTable"]
    lab.made(place, held)
    outside = flow(lab, remoteIPAddress="8.8.8.8")
    assert outside == {"access": "Deny", "ruleName": "defaultSecurityRules/DenyAllInBound"}
    out = flow(lab, direction="Outbound", remoteIPAddress="8.8.8.8")
    assert out == {"access": "Allow", "ruleName": "defaultSecurityRules/AllowInternetOutBound"}
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
    assert found["connectionStatus"] == "Connected" and found["probesFailed"] == 0
    kinds = [hop["type"] for hop in found["hops"]]
    assert kinds[0] == "Source" and "VirtualAppliance" in kinds and "VirtualNetworkGateway" in kinds
    assert all(a["nextHopIds"] == [b["id"]] for a, b in zip(found["hops"], found["hops"][1:], strict=False))
    assert not any(hop["issues"] for hop in found["hops"])
    assert found["hops"][-1]["type"] == "Destination"
    lab.fault(kind="appliance", id=NVA_NIC, state="down")
    found = asked(lab, "connectivityCheck", **question)
    assert found["connectionStatus"] == "Disconnected" and found["probesFailed"] == found["probesSent"] > 0
    [issue] = [issue for hop in found["hops"] for issue in hop["issues"]]
    assert issue["severity"] == "Error" and issue["type"] == "Platform"


def test_a_topology_is_what_stands_in_a_group_of_the_watchers_region(lab: Lab) -> None:
    found = lab.must(lab.post(WATCHER + "/topology", {"targetResourceGroupName": "rg-source"})).body
    rows = {row["id"]: row for row in found["resources"]}
    assert WEB1_NIC in rows and {row["location"] for row in rows.values()} == {"eastasia"}
    assert {row["associationType"] for row in rows[WEB1_NIC]["associations"]} == {"Associated"}
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
