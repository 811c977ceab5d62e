"""Addresses: given, kept, asked for, taken (L17 to L19, L25)."""

from __future__ import annotations

import copy
from ipaddress import ip_network
from typing import Any

import pytest

from farshore.arm.http import Response
from farshore.arm.json import Body
from lab.core.bench import COMPUTE, Lab, machine_body, net, network_body, nic_body, refusal, rid, subnet, vnet

APP = subnet("spoke", "app")


@pytest.fixture
def lab() -> Lab:
    made = Lab()
    made.made(vnet("spoke"), network_body("10.1.0.0/24", app="10.1.0.0/28", other="10.1.0.16/28"))
    return made


def nic(name: str) -> str:
    return net(name, kind="networkInterfaces")


def address(lab: Lab, name: str, at: int = 0) -> str:
    return str(lab.properties(nic(name))["ipConfigurations"][at]["properties"]["privateIPAddress"])


def configurations(*given: str | None, subnet_id: str = APP) -> Body:
    items = []
    for at, text in enumerate(given):
        inside: Body = {"subnet": {"id": subnet_id}, "primary": at == 0}
        if text is not None:
            inside |= {"privateIPAddress": text, "privateIPAllocationMethod": "Static"}
        items.append({"name": f"c{at}", "properties": inside})
    return {"location": "eastasia", "properties": {"ipConfigurations": items}}


def test_dynamic_addresses_begin_after_the_reserved_four_and_are_kept(lab: Lab) -> None:
    for number in range(3):
        lab.made(nic(f"n{number}"), nic_body(APP))
    assert [address(lab, f"n{number}") for number in range(3)] == ["10.1.0.4", "10.1.0.5", "10.1.0.6"]
    lab.gone(nic("n0"))
    lab.made(nic("n1"), nic_body(APP))
    assert address(lab, "n1") == "10.1.0.5"
    lab.made(nic("n3"), nic_body(APP))
    assert address(lab, "n3") == "10.1.0.4"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("10.1.0.0", "PrivateIPAddressInReservedRange"),
        ("10.1.0.3", "PrivateIPAddressInReservedRange"),
        ("10.1.0.15", "PrivateIPAddressInReservedRange"),
        ("10.1.0.20", "PrivateIPAddressNotInSubnet"),
        ("192.168.0.4", "PrivateIPAddressNotInSubnet"),
        ("10.1.0.300", "InvalidIPAddressFormat"),
        ("10.1.0.5", "PrivateIPAddressIsAllocated"),
    ],
)
def test_a_static_address_that_cannot_be_had(lab: Lab, text: str, code: str) -> None:
    lab.made(nic("first"), nic_body(APP, "10.1.0.5"))
    assert refusal(lab.put(nic("second"), nic_body(APP, text))) == code
    assert lab.get(nic("second")).status == 404
    lab.made(nic("first"), nic_body(APP, "10.1.0.5"))


def test_a_full_subnet_gives_no_more(lab: Lab) -> None:
    for number in range(11):
        lab.made(nic(f"n{number}"), nic_body(APP))
    assert address(lab, "n10") == "10.1.0.14"
    assert refusal(lab.put(nic("n11"), nic_body(APP))) == "SubnetIsFull"


def test_two_configurations_of_one_interface_never_share_an_address(lab: Lab) -> None:
    assert refusal(lab.put(nic("n"), configurations("10.1.0.6", "10.1.0.6"))) == "PrivateIPAddressIsAllocated"
    lab.made(nic("n"), configurations(None, "10.1.0.4"))
    assert [address(lab, "n", at) for at in (0, 1)] == ["10.1.0.5", "10.1.0.4"]


def test_two_dynamic_configurations_pass_over_what_another_has(lab: Lab) -> None:
    lab.made(nic("first"), nic_body(APP, "10.1.0.5"))
    lab.made(nic("n"), configurations(None, None))
    assert [address(lab, "n", at) for at in (0, 1)] == ["10.1.0.4", "10.1.0.6"]


def test_a_configuration_gets_an_address_of_its_own_family(lab: Lab) -> None:
    both: Body = {
        "location": "eastasia",
        "properties": {
            "addressSpace": {"addressPrefixes": ["10.6.0.0/24", "fd00:6::/48"]},
            "subnets": [{"name": "a", "properties": {"addressPrefixes": ["10.6.0.0/25", "fd00:6::/64"]}}],
        },
    }
    lab.made(vnet("dual"), both)
    body = configurations(None, None, subnet_id=subnet("dual", "a"))
    body["properties"]["ipConfigurations"][1]["properties"]["privateIPAddressVersion"] = "IPv6"
    lab.made(nic("n"), body)
    assert [address(lab, "n", at) for at in (0, 1)] == ["10.6.0.4", "fd00:6::4"]


def test_dynamic_becomes_static_where_it_stands_and_a_new_subnet_gives_a_new_one(lab: Lab) -> None:
    lab.made(nic("n"), nic_body(APP))
    lab.made(nic("n"), nic_body(APP, "10.1.0.4"))
    assert lab.properties(nic("n"))["ipConfigurations"][0]["properties"]["privateIPAllocationMethod"] == "Static"
    lab.made(nic("n"), nic_body(subnet("spoke", "other")))
    assert address(lab, "n") == "10.1.0.20"
    lab.made(nic("next"), nic_body(APP, "10.1.0.4"))


def test_an_interface_needs_a_subnet_of_its_own_region(lab: Lab) -> None:
    assert refusal(lab.put(nic("n"), {"location": "eastasia"})) == "InvalidRequestFormat"
    assert refusal(lab.put(nic("n"), nic_body(subnet("spoke", "none")))) == "InvalidResourceReference"
    assert refusal(lab.put(nic("n"), nic_body(APP, location="southeastasia"))) == "InvalidResourceReference"
    lab.made(vnet("far"), network_body("10.9.0.0/24", app="10.9.0.0/25"))
    two = configurations(None, None)
    two["properties"]["ipConfigurations"][1]["properties"]["subnet"] = {"id": subnet("far", "app")}
    assert refusal(lab.put(nic("n"), two)) == "SubnetsNotInSameVnet"


def test_an_interface_in_use_stays_with_its_machine(lab: Lab) -> None:
    vm = rid(f"{COMPUTE}/virtualMachines", "vm")
    lab.made(nic("n"), nic_body(APP))
    lab.made(vm, machine_body(nic("n")))
    shown = lab.properties(nic("n"))
    assert shown["virtualMachine"]["id"] == vm and shown["primary"] is True and shown["macAddress"]
    refused = lab.delete(nic("n"))
    assert refusal(refused) == "NicInUse" and vm in refused.body["error"]["message"]
    other = lab.put(rid(f"{COMPUTE}/virtualMachines", "vm2"), machine_body(nic("n")))
    assert refusal(other) == "NicInUse"
    # An update of the interface does not take it from its machine.
    lab.made(nic("n"), nic_body(APP, enableIPForwarding=True))
    assert lab.properties(nic("n"))["virtualMachine"]["id"] == vm
    lab.gone(vm)
    assert "virtualMachine" not in lab.properties(nic("n"))
    lab.gone(nic("n"))


def test_a_public_address_in_use_stays(lab: Lab) -> None:
    pip = net("pip", kind="publicIPAddresses")
    body: Body = {
        "location": "eastasia",
        "sku": {"name": "Standard"},
        "properties": {"publicIPAllocationMethod": "Static"},
    }
    lab.made(pip, body)
    given = lab.properties(pip)["ipAddress"]
    lab.made(nic("n"), nic_body(APP))
    with_public = nic_body(APP)
    with_public["properties"]["ipConfigurations"][0]["properties"]["publicIPAddress"] = {"id": pip}
    lab.made(nic("n"), with_public)
    assert lab.properties(pip)["ipConfiguration"]["id"] == nic("n") + "/ipConfigurations/a"
    assert refusal(lab.delete(pip)) == "PublicIPAddressCannotBeDeleted"
    taken = lab.put(nic("m"), with_public)
    assert refusal(taken) == "PublicIPAddressInUse"
    lab.made(nic("n"), nic_body(APP))
    assert lab.properties(pip)["ipAddress"] == given
    lab.gone(pip)
    missing = lab.put(nic("n"), with_public)
    assert refusal(missing) == "InvalidResourceReference"


def test_an_interface_that_joins_a_group_is_under_way_with_its_configurations(lab: Lab) -> None:
    """Recorded; any other change of a NIC that no machine has is over when it is answered."""
    group, url = net("web", kind="applicationSecurityGroups"), nic("n")
    lab.made(group, {"location": "eastasia"})
    body = nic_body(APP)
    lab.made(url, body)
    grouped = copy.deepcopy(body)
    grouped["properties"]["ipConfigurations"][0]["properties"]["applicationSecurityGroups"] = [{"id": group}]
    for sent, state in ((grouped, "Updating"), ({**grouped, "tags": {"a": "b"}}, "Succeeded"), (body, "Updating")):
        answer = lab.put(url, sent)
        properties = answer.body["properties"]
        (item,) = properties["ipConfigurations"]
        assert properties["provisioningState"] == item["properties"]["provisioningState"] == state
        lab.follow(answer)
        assert lab.properties(url)["ipConfigurations"][0]["properties"]["provisioningState"] == "Succeeded"


def test_configurations_of_an_interface_can_be_asked_for_one_by_one(lab: Lab) -> None:
    url = nic("n")
    made = lab.made(url, nic_body(APP))
    (item,) = made["properties"]["ipConfigurations"]
    assert lab.body(f"{url}/ipConfigurations/{item['name']}") == item
    assert lab.body(f"{url}/ipConfigurations") == {"value": [item]}
    assert refusal(lab.get(f"{url}/ipConfigurations/none"), 404) == "NotFound"
    assert refusal(lab.get(nic("none") + "/ipConfigurations"), 404) == "ResourceNotFound"


def test_an_interface_tells_the_balancers_that_it_stands_behind(lab: Lab) -> None:
    url, front = nic("n"), net("lb", kind="loadBalancers")
    place = {"name": "front", "properties": {"subnet": {"id": APP}}}
    pools = [{"name": "one"}, {"name": "two"}]
    lab.made(
        front,
        {"location": "eastasia", "properties": {"frontendIPConfigurations": [place], "backendAddressPools": pools}},
    )
    body = nic_body(APP)
    lab.made(url, body)
    assert lab.body(f"{url}/loadBalancers") == {"value": []}
    behind = [{"id": f"{front}/backendAddressPools/{pool['name']}"} for pool in pools]
    body["properties"]["ipConfigurations"][0]["properties"]["loadBalancerBackendAddressPools"] = behind
    lab.made(url, body)
    assert [item["id"] for item in lab.body(f"{url}/loadBalancers")["value"]] == [front]


def public(lab: Lab, name: str, sku: str = "Basic", **properties: Any) -> Response:
    body = {"location": "eastasia", "sku": {"name": sku}, "properties": properties}
    return lab.put(net(name, kind="publicIPAddresses"), body)


@pytest.mark.parametrize(
    ("sku", "properties", "code"),
    [
        ("Standard", {"publicIPAllocationMethod": "Dynamic"}, "StandardSkuPublicIPAddressesMustBeStatic"),
        (
            "Basic",
            {"publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv6"},
            "CannotSpecifyPublicIpAllocationMethodAsStaticForIpV6PublicIp",
        ),
        ("Basic", {"dnsSettings": {"domainNameLabel": "Not_A_Label"}}, "InvalidDomainNameLabel"),
        ("Basic", {"dnsSettings": {"domainNameLabel": "taken"}}, "DnsRecordInUse"),
    ],
)
def test_an_address_that_cannot_be_is_refused(lab: Lab, sku: str, properties: Body, code: str) -> None:
    named: Body = {"dnsSettings": {"domainNameLabel": "taken"}}
    lab.follow(public(lab, "first", **named))
    assert refusal(public(lab, "second", sku, **properties)) == code
    assert public(lab, "first", **named).status == 200


def test_an_address_of_a_prefix_is_in_its_range(lab: Lab) -> None:
    """The one that is asked for is shown at once (recorded); a prefix tells which it has given out."""
    prefix = net("range", kind="publicIPPrefixes")
    made = lab.made(prefix, {"location": "eastasia", "properties": {"prefixLength": 30}})
    space = [str(item) for item in ip_network(made["properties"]["ipPrefix"])]
    within = {"publicIPAllocationMethod": "Static", "publicIPPrefix": {"id": prefix}}
    asked = public(lab, "asked", "Standard", ipAddress=space[0], **within)
    assert asked.body["properties"]["ipAddress"] == space[0]
    lab.follow(asked)
    lab.follow(public(lab, "given", "Standard", **within))
    assert lab.properties(net("given", kind="publicIPAddresses"))["ipAddress"] == space[1]
    names = [net(name, kind="publicIPAddresses") for name in ("asked", "given")]
    assert lab.properties(prefix)["publicIPAddresses"] == [{"id": name} for name in names]
