"""Application security groups: members by name, and what security rules make of them."""

from __future__ import annotations

from typing import Any

import pytest

from farshore.arm.json import Body
from lab.core.bench import COMPUTE, GROUP, Lab, machine_body, net, network_body, nic_body, refusal, rid, subnet, vnet

WEB, DATA = (net(name, kind="applicationSecurityGroups") for name in ("web", "data"))
NSG = net("nsg", kind="networkSecurityGroups")
HERE: Body = {"location": "eastasia"}


def nic_of(name: str, place: str, *groups: str, address: str | None = None) -> Body:
    body = nic_body(place, address)
    body["properties"]["ipConfigurations"][0]["properties"]["applicationSecurityGroups"] = [
        {"id": group} for group in groups
    ]
    return body


def rule(priority: int, access: str, **ends: Any) -> Body:
    properties = {"direction": "Inbound", "access": access, "protocol": "*", "priority": priority}
    ports = {"sourcePortRange": "*", "destinationPortRange": "*"}
    usual = {} if ends.get("sourceApplicationSecurityGroups") else {"sourceAddressPrefix": "*"}
    if not ends.get("destinationApplicationSecurityGroups"):
        usual["destinationAddressPrefix"] = "*"
    return {"name": f"r{priority}", "properties": properties | ports | usual | ends}


def machine(lab: Lab, name: str, *groups: str) -> str:
    nic = net(f"{name}-nic", kind="networkInterfaces")
    lab.made(nic, nic_of(name, subnet("spoke", "app"), *groups))
    lab.made(rid(f"{COMPUTE}/virtualMachines", name), machine_body(nic))
    return nic


@pytest.fixture
def lab() -> Lab:
    """Two machines of the web's, one of the data's, one of nobody's; only the web may come to the data."""
    made = Lab()
    for group in (WEB, DATA):
        made.made(group, HERE)
    rules = [
        rule(
            200,
            "Allow",
            sourceApplicationSecurityGroups=[{"id": WEB}],
            destinationApplicationSecurityGroups=[{"id": DATA}],
        ),
        rule(300, "Deny", destinationApplicationSecurityGroups=[{"id": DATA}]),
    ]
    made.made(NSG, {**HERE, "properties": {"securityRules": rules}})
    body = network_body("10.1.0.0/24", app="10.1.0.0/25")
    body["properties"]["subnets"][0]["properties"]["networkSecurityGroup"] = {"id": NSG}
    made.made(vnet("spoke"), body)
    for name, *groups in (("web1", WEB), ("web2", WEB), ("data", DATA), ("other",)):
        machine(made, name, *groups)
    return made


def nic(name: str) -> str:
    return net(f"{name}-nic", kind="networkInterfaces")


def address(lab: Lab, name: str) -> str:
    return str(lab.properties(nic(name))["ipConfigurations"][0]["properties"]["privateIPAddress"])


def test_a_group_says_nothing_but_that_it_is_there(lab: Lab) -> None:
    shown = lab.body(WEB)
    assert shown["type"] == "Microsoft.Network/applicationSecurityGroups"
    assert shown["properties"] == {"provisioningState": "Succeeded"}


def test_members_may_come_and_others_may_not(lab: Lab) -> None:
    data = address(lab, "data")
    assert lab.packet(nic("web1"), data)["disposition"] == "Delivered"
    refused = lab.packet(nic("other"), data)
    assert refused["disposition"] == "Denied" and "r300" in refused["because"]
    assert lab.packet(nic("data"), address(lab, "other"))["disposition"] == "Delivered"


def test_who_leaves_a_group_loses_what_it_let_pass(lab: Lab) -> None:
    body = lab.body(nic("web1"))
    body["properties"]["ipConfigurations"][0]["properties"]["applicationSecurityGroups"] = []
    lab.made(nic("web1"), body)
    assert lab.packet(nic("web1"), address(lab, "data"))["disposition"] == "Denied"
    assert lab.packet(nic("web2"), address(lab, "data"))["disposition"] == "Delivered"


def test_effective_rules_show_the_members_addresses(lab: Lab) -> None:
    [held] = lab.follow(lab.post(nic("data") + "/effectiveNetworkSecurityGroups")).body["value"]
    first, second, *_ = held["effectiveSecurityRules"]
    web = {f"{address(lab, name)}/32" for name in ("web1", "web2")}
    assert set(first["expandedSourceAddressPrefix"]) == set(first["sourceAddressPrefixes"]) == web
    assert first["expandedDestinationAddressPrefix"] == [f"{address(lab, 'data')}/32"]
    assert second["sourceAddressPrefix"] == "0.0.0.0/0" and "expandedSourceAddressPrefix" not in second


def test_a_flow_is_verified_by_membership(lab: Lab) -> None:
    watcher = net("watcher", kind="networkWatchers")
    lab.must(lab.put(watcher, HERE))

    def verified(remote: str) -> Body:
        question = {
            "targetResourceId": rid(f"{COMPUTE}/virtualMachines", "data"),
            "direction": "Inbound",
            "protocol": "TCP",
            "localPort": "1433",
            "remotePort": "50000",
            "localIPAddress": address(lab, "data"),
            "remoteIPAddress": address(lab, remote),
        }
        found = dict(lab.follow(lab.post(f"{watcher}/ipFlowVerify", question)).body)
        assert found.pop("ruleId") == ""
        return found

    assert verified("web2") == {"access": "Allow", "ruleName": "securityRules/r200"}
    assert verified("other") == {"access": "Deny", "ruleName": "securityRules/r300"}


def test_a_group_that_is_named_stays(lab: Lab) -> None:
    for name in ("web1", "web2"):
        assert refusal(lab.delete(WEB)) == "ApplicationSecurityGroupInUse"
        lab.gone(rid(f"{COMPUTE}/virtualMachines", name))
        lab.follow(lab.delete(nic(name)))
    refused = lab.delete(WEB)
    assert refusal(refused) == "ApplicationSecurityGroupInUse"
    assert "SecurityRule(s)" in refused.body["error"]["message"]
    lab.gone(f"{NSG}/securityRules/r200")
    lab.gone(WEB)


def test_members_are_of_one_network_and_of_one_region(lab: Lab) -> None:
    lab.made(vnet("other"), network_body("10.2.0.0/24", app="10.2.0.0/25"))
    stray = net("stray", kind="networkInterfaces")
    refused = lab.put(stray, nic_of("stray", subnet("other", "app"), WEB))
    assert refusal(refused) == "ApplicationSecurityGroupMembersNotInSameVnet"
    far = net("far", kind="applicationSecurityGroups")
    lab.made(far, {"location": "southeastasia"})
    for wrong in (far, NSG, net("nowhere", kind="applicationSecurityGroups")):
        refused = lab.put(stray, nic_of("stray", subnet("other", "app"), wrong))
        assert refusal(refused) == "InvalidResourceReference"


def test_all_configurations_of_a_nic_name_the_same_groups(lab: Lab) -> None:
    body = nic_of("two", subnet("spoke", "app"), WEB)
    second: Body = {"name": "b", "properties": {"subnet": {"id": subnet("spoke", "app")}}}
    body["properties"]["ipConfigurations"].append(second)
    code = "AllIpConfigurationsOnANicMustBelongToTheSameApplicationSecurityGroups"
    assert refusal(lab.put(net("two", kind="networkInterfaces"), body)) == code
    second["properties"]["applicationSecurityGroups"] = [{"id": WEB}]
    lab.made(net("two", kind="networkInterfaces"), body)


def test_the_groups_of_a_rule_are_of_one_network(lab: Lab) -> None:
    """Whichever comes last is refused: the rule, or the NIC that would make its groups of two networks."""
    code = "AllApplicationSecurityGroupsInSecurityRuleMustBeFromSameVnet"
    lab.made(vnet("other"), network_body("10.2.0.0/24", app="10.2.0.0/25"))
    third, fourth = (net(name, kind="applicationSecurityGroups") for name in ("third", "fourth"))
    for group in (third, fourth):
        lab.made(group, HERE)
    lab.made(net("in-other", kind="networkInterfaces"), nic_of("in-other", subnet("other", "app"), third))
    ends = {"sourceApplicationSecurityGroups": [{"id": WEB}], "destinationApplicationSecurityGroups": [{"id": third}]}
    assert refusal(lab.put(f"{NSG}/securityRules/mixed", rule(400, "Allow", **ends))) == code
    ends["destinationApplicationSecurityGroups"] = [{"id": fourth}]
    lab.made(f"{NSG}/securityRules/mixed", rule(400, "Allow", **ends))
    late = net("late", kind="networkInterfaces")
    assert refusal(lab.put(late, nic_of("late", subnet("other", "app"), fourth))) == code
    lab.made(late, nic_of("late", subnet("spoke", "app"), fourth))


def test_an_end_of_a_rule_names_groups_or_prefixes(lab: Lab) -> None:
    both = rule(400, "Allow", sourceApplicationSecurityGroups=[{"id": WEB}], sourceAddressPrefix="10.0.0.0/8")
    assert refusal(lab.put(f"{NSG}/securityRules/both", both)) == "SecurityRuleParameterContainsMoreThanOneValue"
    one = rule(400, "Allow", sourceApplicationSecurityGroups=[{"id": WEB}], sourceAddressPrefix="")
    lab.made(f"{NSG}/securityRules/both", one)


@pytest.mark.parametrize("wrong", ["text", [1], {"id": WEB}, [{"id": "nothing"}]])
def test_what_is_no_list_of_groups_is_refused_at_the_door(lab: Lab, wrong: Any) -> None:
    body = nic_body(subnet("spoke", "app"))
    body["properties"]["ipConfigurations"][0]["properties"]["applicationSecurityGroups"] = wrong
    assert lab.put(net("odd", kind="networkInterfaces"), body).status == 400
    assert lab.put(f"{NSG}/securityRules/odd", rule(400, "Allow", sourceApplicationSecurityGroups=wrong)).status == 400


def test_an_estates_members_are_known() -> None:
    """A lab that is given an estate knows who is in which group without having been asked to put it there."""
    source = Lab()
    source.made(WEB, HERE)
    source.made(vnet("spoke"), network_body("10.1.0.0/24", app="10.1.0.0/25"))
    source.made(net("n", kind="networkInterfaces"), nic_of("n", subnet("spoke", "app"), WEB))
    bodies = [source.body(url) for url in (WEB, vnet("spoke"), net("n", kind="networkInterfaces"))]
    seeded = Lab(resources=bodies, groups={GROUP: "eastasia"})
    assert refusal(seeded.delete(WEB)) == "ApplicationSecurityGroupInUse"
