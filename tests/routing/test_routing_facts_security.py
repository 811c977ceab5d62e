"""Security groups on the way, fact by fact."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network

import pytest

from farshore.estate.outside import Filter
from farshore.routing import trace_one_way

from .small import Net, flow, id_of
from .test_routing_facts_gateways import OUT, VM, direct
from .test_routing_facts_tables import one_spoke
from .test_routing_traces import IN, hub, router, site


def group(net: Net, name: str, *rules: tuple[str, str, str, str]) -> dict[str, str]:
    """Rules as (direction, access, source, destination), asked in this order."""
    made = [
        {
            "name": f"rule{number}",
            "properties": {
                "priority": 100 + number,
                "direction": direction,
                "access": access,
                "protocol": "*",
                "sourcePortRange": "*",
                "destinationPortRange": "*",
                "sourceAddressPrefix": source,
                "destinationAddressPrefix": destination,
            },
        }
        for number, (direction, access, source, destination) in enumerate(rules)
    ]
    return {"id": net.add("networkSecurityGroups", name, securityRules=made)}


def on_subnet(net: Net, network: str, subnet: str, held: dict[str, str]) -> None:
    subnets = net.bodies[id_of("virtualNetworks", network)]["properties"]["subnets"]
    next(item for item in subnets if item["name"] == subnet)["properties"]["networkSecurityGroup"] = held


def on_nic(net: Net, nic: str, held: dict[str, str]) -> None:
    net.bodies[id_of("networkInterfaces", nic)]["properties"]["networkSecurityGroup"] = held


DENY_IN = ("Inbound", "Deny", "192.168.0.0/16", "*")
ALLOW_IN = ("Inbound", "Allow", "192.168.0.0/16", "*")


def test_r42_the_lowest_number_that_matches_decides_in_whatever_order_they_stand() -> None:
    net = direct(("er", "Hong Kong", 0))
    held = group(net, "nsg", ALLOW_IN, DENY_IN, ("Inbound", "Allow", "*", "*"))
    on_nic(net, "vm-nic", held)
    rules = net.bodies[held["id"]]["properties"]["securityRules"]
    numbers = [rule["properties"] for rule in rules]
    for priorities, passes in (((100, 200, 300), True), ((200, 100, 300), False), ((4096, 4095, 100), True)):
        for rule, priority in zip(numbers, priorities, strict=True):
            rule["priority"] = priority
        for ordered in (rules, rules[::-1]):
            net.bodies[held["id"]]["properties"]["securityRules"] = ordered
            found = trace_one_way(net.estate(site(router())), IN)
            assert (found.disposition.value == "Delivered") is passes, (priorities, found.because)


@pytest.mark.parametrize(
    ("source", "rule"),
    [("192.168.1.1", None), ("203.0.113.7", "DenyAllInBound")],
)
def test_r42_the_default_rules_let_in_what_virtual_network_means_and_nothing_else(
    source: str, rule: str | None
) -> None:
    net = direct(("er", "Hong Kong", 0))
    on_nic(net, "vm-nic", group(net, "nsg"))
    home = replace(site(router()), prefixes=(ip_network("192.168.0.0/16"), ip_network("203.0.113.0/24")))
    kept = Filter(direction="out", prefix=ip_network("203.0.113.0/24"), action="deny")
    estate = net.estate(replace(home, routers=(replace(router(), filters=(kept,)),)))
    found = trace_one_way(estate, flow("dc", source, "10.1.0.4"))
    assert (found.disposition.value == "Delivered") is (rule is None), found.because
    assert rule is None or rule in found.because


@pytest.mark.parametrize(("address", "out"), [("10.0.0.9", True), ("198.51.100.7", True), ("172.31.0.9", False)])
def test_r42_the_default_rules_let_out_to_virtual_network_and_the_internet(address: str, out: bool) -> None:
    net = direct(("er", "Hong Kong", 0))
    on_nic(net, "vm-nic", group(net, "nsg"))
    found = trace_one_way(net.estate(site(router())), flow(VM, "10.1.0.4", address))
    assert (found.disposition.value != "Denied") is out, found.because
    assert out or "DenyAllOutBound" in found.because


@pytest.mark.parametrize("protocol", ["Tcp", "Udp", "Icmp", "Esp", "Ah", "*"])
def test_r42_a_rule_is_about_one_protocol_or_all(protocol: str) -> None:
    net = direct(("er", "Hong Kong", 0))
    held = group(net, "nsg", DENY_IN)
    on_nic(net, "vm-nic", held)
    net.bodies[held["id"]]["properties"]["securityRules"][0]["properties"]["protocol"] = protocol
    for asked in ("tcp", "udp", "icmp", "esp", "ah"):
        found = trace_one_way(net.estate(site(router())), replace(IN, protocol=asked))
        assert (found.disposition.value == "Denied") is (protocol.lower() in ("*", asked)), (asked, found.because)


@pytest.mark.parametrize(("subnet", "nic", "says"), [("deny", "allow", "on-subnet"), ("allow", "deny", "on-nic")])
def test_r43_both_groups_must_allow_and_inward_the_subnet_s_is_asked_first(subnet: str, nic: str, says: str) -> None:
    net = direct(("er", "Hong Kong", 0))
    rule = {"allow": ALLOW_IN, "deny": DENY_IN}
    on_subnet(net, "spoke", "app", group(net, "on-subnet", rule[subnet]))
    on_nic(net, "vm-nic", group(net, "on-nic", rule[nic]))
    found = trace_one_way(net.estate(site(router())), IN)
    assert found.disposition.value == "Denied" and says in found.because


def test_r43_outward_the_nic_s_is_asked_first() -> None:
    net = direct(("er", "Hong Kong", 0))
    deny = ("Outbound", "Deny", "*", "192.168.0.0/16")
    on_subnet(net, "spoke", "app", group(net, "on-subnet", deny))
    on_nic(net, "vm-nic", group(net, "on-nic", deny))
    found = trace_one_way(net.estate(site(router())), OUT)
    assert found.disposition.value == "Denied" and "on-nic" in found.because


def test_r43_without_a_group_everything_passes() -> None:
    assert trace_one_way(direct(("er", "Hong Kong", 0)).estate(site(router())), IN).disposition.value == "Delivered"


def test_r43_groups_hold_inside_a_subnet_too() -> None:
    net = direct(("er", "Hong Kong", 0))
    net.machine("vm2", ("spoke", "app", "10.1.0.5"))
    on_nic(net, "vm-nic", group(net, "closed", ("Inbound", "Deny", "10.1.0.5/32", "*")))
    inside = flow(id_of("networkInterfaces", "vm2-nic"), "10.1.0.5", "10.1.0.4")
    assert trace_one_way(net.estate(), inside).disposition.value == "Denied"


@pytest.mark.parametrize("learned", [True, False])
def test_r44_virtual_network_means_what_the_gateway_has_learned(learned: bool) -> None:
    net = direct(("er", "Hong Kong", 0))
    on_nic(
        net,
        "vm-nic",
        group(net, "nsg", ("Inbound", "Allow", "VirtualNetwork", "*"), ("Inbound", "Deny", "*", "*")),
    )
    withheld = Filter(direction="out", prefix=ip_network("192.168.0.0/16"), action="deny")
    told = replace(router(), filters=() if learned else (withheld,))
    found = trace_one_way(net.estate(site(told)), IN)
    assert found.disposition.value == ("Delivered" if learned else "Denied"), found.because


@pytest.mark.parametrize(
    ("route", "source", "inside"),
    [
        (None, "10.0.1.4", True),
        (None, "192.168.1.1", False),
        ("192.168.0.0/16", "192.168.1.1", True),
        ("192.168.1.0/24", "192.168.2.1", False),
        ("0.0.0.0/0", "192.168.1.1", True),
    ],
)
def test_r44_virtual_network_means_peers_and_the_prefixes_of_the_subnet_s_own_routes(
    route: str | None, source: str, inside: bool
) -> None:
    """The site's range is not learned here. A default route makes it everything."""
    net = one_spoke(*([] if route is None else [(route, "10.0.1.4")]), propagate=False)
    on_nic(net, "vm-nic", group(net, "nsg", ("Inbound", "Allow", "VirtualNetwork", "*"), ("Inbound", "Deny", "*", "*")))
    withheld = Filter(direction="out", prefix=ip_network("192.168.0.0/16"), action="deny")
    estate = net.estate(site(replace(router(), filters=(withheld,))))
    nva = id_of("networkInterfaces", "nva-nic")
    found = trace_one_way(estate, flow(nva if source == "10.0.1.4" else "dc", source, "10.1.0.4"))
    assert found.disposition.value == ("Delivered" if inside else "Denied"), found.because


def test_r45_a_group_on_an_appliance_sees_the_flow_s_own_ends() -> None:
    net = Net()
    hub(net)
    nic = net.machine("nva", ("hub", "nva", "10.0.1.4"), forward=True).rsplit("/", 1)[-1]
    on_nic(net, nic, group(net, "nva", ("Inbound", "Deny", "192.168.0.0/16", "10.1.0.0/24")))
    found = trace_one_way(net.estate(site(router())), IN)
    assert found.disposition.value == "Denied" and "nva" in found.because


# What no test has to cite
