"""What an api-version shows, and what a PUT that changes nothing does (recorded)."""

from __future__ import annotations

import pytest

from lab.core.bench import Lab, net, network_body, subnet, vnet
from lab.core.kinds import KINDS, balancer, spoke


def shown(lab: Lab, url: str, version: str) -> set[str]:
    return set(lab.body(f"{url}?api-version={version}")["properties"])


def test_a_property_is_not_shown_to_a_version_that_did_not_know_it() -> None:
    lab = Lab()
    KINDS["peering"].before(lab)
    lab.made(KINDS["peering"].url, KINDS["peering"].body)
    later = shown(lab, KINDS["peering"].url, "2022-01-01") - shown(lab, KINDS["peering"].url, "2020-07-01")
    assert later == {"peeringSyncLevel", "remoteVirtualNetworkAddressSpace", "peerCompleteVnets"}


def test_a_property_that_is_no_longer_shown_was_shown_once() -> None:
    lab = Lab()
    lab.made(vnet("hub"), network_body("10.0.0.0/24"))
    assert "enableVmProtection" in shown(lab, vnet("hub"), "2020-07-01")
    assert "enableVmProtection" not in shown(lab, vnet("hub"), "2022-01-01")


def test_children_inside_are_shown_as_the_version_has_them() -> None:
    lab = Lab()
    lab.made(vnet("hub"), network_body("10.0.0.0/24", a="10.0.0.0/25"))
    old = lab.body(f"{vnet('hub')}?api-version=2018-01-01")["properties"]["subnets"][0]["properties"]
    assert "delegations" not in old and "privateEndpointNetworkPolicies" not in old


@pytest.mark.parametrize(("version", "policies"), [("2020-07-01", "Enabled"), ("2022-01-01", "Disabled")])
def test_a_default_is_that_of_the_version_of_the_put(version: str, policies: str) -> None:
    lab = Lab()
    spoke(lab)
    url = subnet("spoke", "db")
    made = lab.made(f"{url}?api-version={version}", {"properties": {"addressPrefix": "10.1.0.128/25"}})
    assert made["properties"]["privateEndpointNetworkPolicies"] == policies


def test_a_put_that_changes_tags_alone_is_over_when_it_is_answered() -> None:
    lab = Lab()
    url = net("rt", kind="routeTables")
    body = lab.made(url, KINDS["route table"].body)
    answer = lab.put(url, {**body, "tags": {"owner": "network"}})
    assert answer.status == 200 and answer.body["properties"]["provisioningState"] == "Succeeded"
    assert lab.get(answer.headers["azure-asyncoperation"]).body == {"status": "Succeeded"}
    changed = {**body, "properties": {**body["properties"], "disableBgpRoutePropagation": True}}
    assert lab.put(url, changed).body["properties"]["provisioningState"] == "Updating"


def test_the_parts_of_a_balancer_show_who_refers_to_them() -> None:
    lab = Lab()
    balancer(lab)
    url = net("lb", kind="loadBalancers")
    rule = f"{url}/loadBalancingRules/all"
    for part in ("frontendIPConfigurations/front", "backendAddressPools/pool", "probes/probe"):
        assert lab.properties(f"{url}/{part}")["loadBalancingRules"] == [{"id": rule}]
    front = lab.properties(f"{url}/frontendIPConfigurations/front")
    assert front["privateIPAddress"] == "10.1.0.4"
    item = {
        "subnet": {"id": subnet("spoke", "app")},
        "loadBalancerBackendAddressPools": [{"id": f"{url}/backendAddressPools/pool"}],
    }
    nic = net("behind", kind="networkInterfaces")
    properties = {"ipConfigurations": [{"name": "one", "properties": item}]}
    made = lab.made(nic, {"location": "eastasia", "properties": properties})
    own = made["properties"]["ipConfigurations"][0]
    assert own["properties"]["privateIPAddress"] == "10.1.0.5", "the front's address is taken"
    assert lab.properties(f"{url}/backendAddressPools/pool")["backendIPConfigurations"] == [{"id": own["id"]}]
    assert [row["id"] for row in lab.body(f"{url}/networkInterfaces")["value"]] == [nic]


def test_what_protects_an_address_is_shown_of_a_standard_one() -> None:
    """Recorded: a Basic address has nothing to inherit."""
    lab = Lab()
    for sku, version, told in (
        ("Standard", "2022-05-01", True),
        ("Standard", "2022-01-01", False),
        ("Basic", "2022-09-01", False),
    ):
        url = net(f"{sku}-{version}", kind="publicIPAddresses") + f"?api-version={version}"
        body = {"location": "eastasia", "sku": {"name": sku}, "properties": {"publicIPAllocationMethod": "Static"}}
        assert ("ddosSettings" in lab.made(url, body)["properties"]) is told


def test_what_kind_an_interface_is_was_not_always_told() -> None:
    lab = Lab()
    KINDS["interface"].before(lab)
    url = KINDS["interface"].url
    lab.made(url, KINDS["interface"].body)
    assert "nicType" not in shown(lab, url, "2019-07-01") and "nicType" in shown(lab, url, "2020-03-01")
    assert "kind" not in lab.body(f"{url}?api-version=2020-11-01")
    assert lab.body(f"{url}?api-version=2021-08-01")["kind"] == "Regular"
