"""What nobody can read or follow makes no answer definite: groups with markers or not there, public ways in."""

from __future__ import annotations

from typing import Any

import pytest

from farshore.estate.estate import Estate
from farshore.routing import Disposition, elements, judge, trace, trace_one_way, unread
from farshore.routing.scale.reach import Reach
from routing.small import Net, flow, id_of
from routing.test_routing_traces import with_endpoint
from twin.corners import hub, router, site

ASKED = flow("dc", "192.168.0.9", "10.1.0.4")
GROUP = id_of("networkSecurityGroups", "g")


def rule(**given: Any) -> dict[str, Any]:
    plain = {
        "priority": 100,
        "direction": "Inbound",
        "access": "Deny",
        "protocol": "*",
        "sourceAddressPrefix": "203.0.113.0/24",
        "destinationAddressPrefix": "*",
        "sourcePortRange": "*",
        "destinationPortRange": "*",
    }
    return {"name": "r", "properties": {**plain, **given}}


def guarded(*rules: dict[str, Any], named: str = GROUP, on_subnet: bool = False) -> Estate:
    net = hub()
    if rules:
        net.add("networkSecurityGroups", "g", securityRules=list(rules))
    if on_subnet:
        subnet = net.bodies[id_of("virtualNetworks", "spoke")]["properties"]["subnets"][0]
        subnet["properties"]["networkSecurityGroup"] = {"id": named}
    else:
        net.bodies[id_of("networkInterfaces", "vm1-nic")]["properties"]["networkSecurityGroup"] = {"id": named}
    return net.estate(site(router()))


def words(estate: Estate) -> tuple[str, dict[str, int]]:
    """Of the flow, and at scale of all."""
    return judge(*trace(estate, ASKED)).kind, {word: n for word, n in Reach.of(estate).totals().items() if n}


def test_a_group_that_can_be_read_is_asked() -> None:
    assert words(guarded(rule()))[0] == "delivered"


@pytest.mark.parametrize(
    "marked",
    [
        {"sourceAddressPrefix": "<param:x>"},
        {"access": "<param:x>"},
        {"destinationPortRange": "<param:x>"},
        {"protocol": "<param:x>"},
        {"direction": "<param:x>"},
        {"sourceAddressPrefix": None, "sourceAddressPrefixes": ["10.0.0.0/8", "10.<param:x>.0.0/16"]},
    ],
)
@pytest.mark.parametrize("on_subnet", [False, True])
def test_a_marker_in_a_rule_makes_what_the_group_lets_pass_unknown(marked: dict[str, Any], on_subnet: bool) -> None:
    one, many = words(guarded(rule(**marked), on_subnet=on_subnet))
    assert one == "unknown" and many.get("unknown"), many


@pytest.mark.parametrize("named", [GROUP, "<param:x>"])
@pytest.mark.parametrize("on_subnet", [False, True])
def test_a_group_that_is_not_there_or_not_named_lets_nobody_know(named: str, on_subnet: bool) -> None:
    one, many = words(guarded(named=named, on_subnet=on_subnet))
    assert one == "unknown" and many.get("unknown"), many


def test_a_no_that_can_be_read_stands_beside_a_group_that_can_t() -> None:
    net = hub()
    net.add("networkSecurityGroups", "g", securityRules=[rule(sourceAddressPrefix="*")])
    net.bodies[id_of("networkInterfaces", "vm1-nic")]["properties"]["networkSecurityGroup"] = {"id": GROUP}
    subnet = net.bodies[id_of("virtualNetworks", "spoke")]["properties"]["subnets"][0]
    subnet["properties"]["networkSecurityGroup"] = {"id": "<param:x>"}
    assert judge(*trace(net.estate(site(router())), ASKED)).kind == "denied"


# The internet


def from_internet(estate: Estate, to: str) -> str:
    return judge(*trace(estate, flow("internet", "198.51.100.7", to))).kind


def published(net: Net) -> Net:
    public = net.add("publicIPAddresses", "ip", ipAddress="20.50.1.2")
    nic = net.bodies[id_of("networkInterfaces", "vm1-nic")]["properties"]
    nic["ipConfigurations"][0]["properties"]["publicIPAddress"] = {"id": public}
    return net


def test_whether_the_internet_comes_in_by_a_public_address_is_not_known() -> None:
    estate = published(hub()).estate(site(router()))
    assert [from_internet(estate, to) for to in ("20.50.1.2", "10.1.0.4")] == ["unknown", "unknown"]
    assert [from_internet(estate, to) for to in ("20.50.1.3", "10.1.0.5")] == ["unreachable", "unreachable"]


def test_whether_the_internet_comes_in_by_a_public_load_balancer_is_not_known() -> None:
    net = hub()
    front = {"publicIPAddress": {"id": id_of("publicIPAddresses", "ip")}}
    balancer = net.add("loadBalancers", "lb", frontendIPConfigurations=[{"name": "f", "properties": front}])
    nic = net.bodies[id_of("networkInterfaces", "vm1-nic")]["properties"]
    nic["ipConfigurations"][0]["properties"]["loadBalancerBackendAddressPools"] = [
        {"id": f"{balancer}/backendAddressPools/all"}
    ]
    assert from_internet(net.estate(site(router())), "10.1.0.4") == "unknown"


def test_every_failure_is_still_counted_where_a_group_can_t_be_read() -> None:
    estate = guarded(rule(sourceAddressPrefix="<param:x>"))
    reach = Reach.of(estate)
    for element in elements(reach.model.columns.skeleton):
        assert sum(reach.totals(reach.under(element)).values()) == sum(reach.totals().values())


def test_an_appliance_whose_subnet_is_not_there_forwards_nothing() -> None:
    """A plan may take a subnet away, or never build it: that is an answer and no bad input."""
    net = hub()
    body = net.bodies[id_of("virtualNetworks", "hub")]["properties"]
    assert words(net.estate(site(router())))[0] == "delivered"
    body["subnets"] = [item for item in body["subnets"] if item["name"] != "nva"]
    estate = net.estate(site(router()))
    forward, _ = trace(estate, ASKED)
    assert (
        forward.disposition == "PathDead" and "subnets/nva of" in forward.because and "is not there" in forward.because
    )
    assert {word for word, cells in words(estate)[1].items()} <= {"unreachable"}


# Private endpoints, and machines with several NICs


@pytest.mark.parametrize("hidden", ["the NIC", "its address", "the subnet", "the list"])
def test_an_endpoint_of_which_a_nic_or_its_address_can_t_be_read_is_not_absent(hidden: str) -> None:
    net = with_endpoint(("0.0.0.0/0", "None"))
    endpoint = net.bodies[id_of("privateEndpoints", "pe")]
    if hidden == "the list":
        endpoint["properties"]["networkInterfaces"] = "[parameters('interfaces')]"
    elif hidden == "its address":
        configuration = net.bodies[id_of("networkInterfaces", "pe-nic")]["properties"]["ipConfigurations"][0]
        configuration["properties"]["privateIPAddress"] = "<param:x>"
    else:
        part = endpoint["properties"]
        (part["networkInterfaces"][0] if hidden == "the NIC" else part["subnet"])["id"] = "<param:x>"
    estate = net.estate()
    source = id_of("networkInterfaces", "vm-nic")
    found = trace_one_way(estate, flow(source, "10.0.1.4", "10.0.2.4"))
    assert found.disposition == Disposition.INSUFFICIENT_INFORMATION and found.missing
    assert unread(estate, source)
    beside = trace_one_way(estate, flow(source, "10.0.1.4", "10.0.1.4"))
    assert beside.disposition == Disposition.DELIVERED


def test_a_machine_s_other_nic_whose_address_can_t_be_read_may_be_where_it_leaves() -> None:
    """Each NIC has its own subnet's table: that of the first is not the second's."""
    net = Net()
    closed = {"addressPrefix": "10.0.2.0/24", "routeTable": net.table("rt", ("0.0.0.0/0", "None"))}
    net.network("n", "10.0.0.0/16", open="10.0.1.0/24", closed=closed)
    net.machine("vm", ("n", "open", "10.0.1.4"), ("n", "closed", "10.0.2.4"))
    vm = id_of("virtualMachines", "vm")
    out = {at: flow(vm, at, "198.51.100.9") for at in ("10.0.1.4", "10.0.2.4")}
    ends = {at: trace_one_way(net.estate(), asked).disposition for at, asked in out.items()}
    assert ends == {"10.0.1.4": Disposition.LEFT_ESTATE, "10.0.2.4": Disposition.NO_ROUTE}
    del net.bodies[vm]["properties"]["networkProfile"]["networkInterfaces"][1]
    assert trace_one_way(net.estate(), out["10.0.2.4"]).disposition == Disposition.NO_ROUTE, "the NIC says whose it is"
    configuration = net.bodies[id_of("networkInterfaces", "vm-nic2")]["properties"]["ipConfigurations"][0]
    configuration["properties"]["privateIPAddress"] = "<param:x>"
    hidden = trace_one_way(net.estate(), out["10.0.2.4"])
    assert hidden.disposition == Disposition.INSUFFICIENT_INFORMATION
    assert trace_one_way(net.estate(), out["10.0.1.4"]).disposition == Disposition.LEFT_ESTATE
