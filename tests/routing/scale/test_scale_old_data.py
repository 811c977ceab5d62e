"""A machine with old data takes a packet that nobody can answer: whether its group lets it in hangs on R44."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from farshore.estate.outside import Filter, Outside, Router, Site
from farshore.routing import Flow, Routing, judge
from farshore.routing.scale.outcomes import WORDS
from farshore.routing.scale.reach import Reach
from routing.small import Net, id_of

ANYBODY = {"sourceAddressPrefix": "*", "access": "Allow"}
ALL = {"direction": "Inbound", "protocol": "*", "destinationAddressPrefix": "*", "destinationPortRange": "*"}
OF_THE_TAG = {"sourceAddressPrefix": "VirtualNetwork", "access": "Deny"}


@pytest.mark.parametrize(
    ("rules", "traced", "at_scale"),
    [
        ([], "denied", "unknown"),
        ([ANYBODY], "stale", "stale"),
        ([OF_THE_TAG, ANYBODY], "stale", "unknown"),
    ],
)
def test_what_only_the_tag_lets_in_is_not_known_where_nothing_leads_back(
    rules: list[dict[str, str]], traced: str, at_scale: str
) -> None:
    net = Net()
    given: list[dict[str, Any]] = [
        {"name": f"r{at}", "properties": {"priority": 100 + at, **ALL, **rule}} for at, rule in enumerate(rules)
    ]
    group = {"id": net.add("networkSecurityGroups", "nsg", securityRules=given)}
    app = {"addressPrefix": "10.1.0.128/27", "networkSecurityGroup": group}
    net.network("hub", "10.1.0.0/24", GatewaySubnet="10.1.0.0/26", app=app)
    circuit = net.circuit("er", "Hong Kong", 100)
    net.gateway("gw", "hub")
    net.connect("gw", "er")
    nic = net.machine("vm", ("hub", "app", "10.1.0.132"))
    silent = Filter(direction="out", prefix=ip_network("192.168.0.0/16"), action="deny")
    router = Router(name="ce", circuit=circuit, links=("primary", "secondary"), filters=(silent,))
    site = Site(name="dc", asn=65010, prefixes=(ip_network("192.168.0.0/16"),), routers=(router,))
    outside = Outside(stale=frozenset({id_of("virtualMachines", "vm").lower()}))
    estate = net.estate(site, outside=outside)

    flow = Flow(source="dc", source_address=ip_address("192.168.0.9"), destination_address=ip_address("10.1.0.132"))
    assert judge(*Routing(estate).trace(flow), promised=nic).kind == traced
    reach = Reach.of(estate)
    assert {WORDS[word] for word in reach.words(reach.cold).ravel()} == {at_scale}
