"""Pools of several members: what comes to each, and what is said where that is not the same."""

from __future__ import annotations

from typing import Any

import pytest

from farshore.arm.json import Body
from farshore.routing import Disposition, Trace, describe, judge, trace, trace_one_way
from routing.small import Net, flow, id_of
from routing.test_routing_traces import IN, router, site

OWN = id_of("loadBalancers", "lb")
POOL = OWN + "/backendAddressPools/p"
FRONT = OWN + "/frontendIPConfigurations/f"
ALL_PORTS = {"protocol": "All", "frontendPort": 0, "backendPort": 0}


def place(net: Net, nic: str, at: int = 0) -> Body:
    found: Body = net.bodies[id_of("networkInterfaces", nic)]["properties"]["ipConfigurations"][at]["properties"]
    return found


def rule(name: str = "r", **more: Any) -> Body:
    ends = {"frontendIPConfiguration": {"id": FRONT}, "backendAddressPool": {"id": POOL}}
    return {"name": name, "properties": {**ends, **ALL_PORTS, **more}}


def group(net: Net, name: str, direction: str, access: str, **more: Any) -> dict[str, str]:
    said = {"priority": 100, "direction": direction, "access": access, "protocol": "*", "sourcePortRange": "*"}
    said |= {"sourceAddressPrefix": "*", "destinationAddressPrefix": "*", "destinationPortRange": "*", **more}
    return {"id": net.add("networkSecurityGroups", name, securityRules=[{"name": "no", "properties": said}])}


def pooled(*second: tuple[str, str], aside: tuple[tuple[str, str], ...] = ()) -> Net:
    """A hub whose load balancer 10.0.1.100 has fw1 in one subnet and fw2 in another, whose table has the routes
    `second`; all of a spoke's traffic with the site goes there. A firewall fw3 stands aside, its table has `aside`."""
    net = Net()
    through = "10.0.1.100"
    net.network(
        "hub",
        "10.0.0.0/16",
        one={"addressPrefix": "10.0.1.0/24", "routeTable": net.table("rt-one")},
        two={"addressPrefix": "10.0.2.0/24", "routeTable": net.table("rt-two", *second)},
        three={"addressPrefix": "10.0.3.0/24", "routeTable": net.table("rt-three", *aside)},
        GatewaySubnet={"addressPrefix": "10.0.255.0/27", "routeTable": net.table("rt-gw", ("10.1.0.0/24", through))},
    )
    table = net.table("rt-spoke", ("0.0.0.0/0", through), propagate=False)
    net.network("spoke", "10.1.0.0/24", app={"addressPrefix": "10.1.0.0/24", "routeTable": table})
    net.peer("hub", "spoke", lend=True)
    net.machine("vm", ("spoke", "app", "10.1.0.4"))
    net.gateway("gw", "hub")
    net.circuit("er", "Hong Kong")
    net.connect("gw", "er")
    for number, subnet in enumerate(("one", "two", "three"), 1):
        net.machine(f"fw{number}", ("hub", subnet, f"10.0.{number}.4"), forward=True)
        if number < 3:
            place(net, f"fw{number}-nic")["loadBalancerBackendAddressPools"] = [{"id": POOL}]
    front = {"privateIPAddress": through, "subnet": {"id": id_of("virtualNetworks/subnets", "hub", "one")}}
    net.add(
        "loadBalancers",
        "lb",
        frontendIPConfigurations=[{"name": "f", "properties": front}],
        backendAddressPools=[{"name": "p"}],
        loadBalancingRules=[rule()],
    )
    return net


def both(net: Net) -> tuple[Trace, Trace]:
    return trace(net.estate(site(router())), IN)


def appliances(found: Trace) -> list[str]:
    return [hop.name for hop in found.hops if hop.kind == "appliance"]


def test_members_that_come_to_the_same_end_are_one_hop() -> None:
    forward, back = both(pooled())
    assert judge(forward, back, through=OWN).good
    assert appliances(forward) == appliances(back) == ["fw1-nic, fw2-nic"]
    firewalls = [id_of("networkInterfaces", f"fw{number}-nic") for number in (1, 2)]
    assert judge(forward, back, through=firewalls).good
    assert judge(forward, back, through=firewalls[0]).kind == "bypass", "fw2 has its share"


def test_a_member_whose_table_loses_it_loses_its_share() -> None:
    forward, back = both(pooled(("192.168.0.0/16", "None")))
    assert forward.disposition == Disposition.DELIVERED
    assert back.disposition == Disposition.NO_ROUTE
    assert back.because.startswith("by fw2-nic, a member of lb: "), describe(back)
    assert appliances(back) == ["fw2-nic"]
    assert judge(forward, back).kind == "unreachable"


def test_a_member_that_sends_in_circles_is_told_before_one_that_loses() -> None:
    net = pooled(("10.1.0.0/24", "10.0.1.100"))
    forward, back = both(net)
    assert forward.disposition == Disposition.LOOPED
    assert judge(forward, back).kind == "looped"
    net.bodies[id_of("networkInterfaces", "fw1-nic")]["properties"]["enableIPForwarding"] = False
    assert both(net)[0].disposition == Disposition.LOOPED


def test_members_that_arrive_by_other_stateful_things_are_not_told_apart() -> None:
    forward, back = both(pooled(("10.1.0.0/24", "10.0.3.4")))
    assert forward.disposition == Disposition.INSUFFICIENT_INFORMATION
    assert forward.missing == ("which of fw1-nic and fw2-nic lb takes",)
    assert judge(forward, back).kind == "unknown"


def test_the_group_of_every_member_is_asked() -> None:
    net = pooled()
    net.bodies[id_of("networkInterfaces", "fw2-nic")]["properties"]["networkSecurityGroup"] = group(
        net, "g", "Inbound", "Deny"
    )
    forward, _ = both(net)
    assert forward.disposition == Disposition.DENIED
    assert "fw2-nic" in forward.because


def test_a_reply_by_the_same_frontend_comes_to_the_member_that_knows_the_flow() -> None:
    """Its hash is the same both ways. What comes to a member directly may come to the other one."""
    net = pooled()
    refuses = group(net, "g", "Inbound", "Deny", sourceAddressPrefix="10.1.0.0/24")
    for number in (1, 2):
        net.bodies[id_of("networkInterfaces", f"fw{number}-nic")]["properties"]["networkSecurityGroup"] = refuses
    assert judge(*both(net)).good
    net.bodies[id_of("routeTables", "rt-spoke")]["properties"]["routes"][0]["properties"]["nextHopIpAddress"] = (
        "10.0.1.4"
    )
    assert judge(*both(net)).kind == "denied"


def test_two_frontends_of_a_balancer_are_two_hashes() -> None:
    net = pooled()
    fronts = net.bodies[OWN]["properties"]["frontendIPConfigurations"]
    fronts.append({"name": "g", "properties": {**fronts[0]["properties"], "privateIPAddress": "10.0.1.101"}})
    other = {"frontendIPConfiguration": {"id": OWN + "/frontendIPConfigurations/g"}}
    net.bodies[OWN]["properties"]["loadBalancingRules"].append(rule("s", **other))
    assert judge(*both(net)).good
    net.bodies[id_of("routeTables", "rt-gw")]["properties"]["routes"][0]["properties"]["nextHopIpAddress"] = (
        "10.0.1.101"
    )
    assert judge(*both(net)).kind == "asymmetric"


@pytest.mark.parametrize("pools", [(True, True), (False, True), (True, False)])
def test_a_machine_is_one_member_whichever_of_its_addresses_are_in_the_pool(pools: tuple[bool, bool]) -> None:
    """What comes to it past its load balancer meets the same state."""
    net = pooled()
    del place(net, "fw2-nic")["loadBalancerBackendAddressPools"]
    held = net.bodies[id_of("networkInterfaces", "fw1-nic")]["properties"]["ipConfigurations"]
    second = {**held[0]["properties"], "privateIPAddress": "10.0.1.5", "primary": False}
    held.append({"name": "b", "properties": second})
    for at, within in enumerate(pools):
        held[at]["properties"]["loadBalancerBackendAddressPools"] = [{"id": POOL}] if within else []
    for past in ("10.0.1.4", "10.0.1.5"):
        routes = net.bodies[id_of("routeTables", "rt-spoke")]["properties"]["routes"]
        routes[0]["properties"]["nextHopIpAddress"] = past
        assert judge(*both(net)).good
    assert appliances(both(net)[0]) == ["fw1-nic"]


def bare(net: Net, *held: tuple[str, str]) -> None:
    """The pool as addresses and networks."""
    for number in (1, 2):
        place(net, f"fw{number}-nic").pop("loadBalancerBackendAddressPools", None)
    addresses = [
        {"name": address, "properties": {"ipAddress": address, "virtualNetwork": {"id": id_of("virtualNetworks", at)}}}
        for address, at in held
    ]
    pool = {"name": "p", "properties": {"loadBalancerBackendAddresses": addresses}}
    net.bodies[OWN]["properties"]["backendAddressPools"] = [pool]


def test_an_address_in_a_pool_is_whoever_holds_it_in_its_network() -> None:
    net = pooled(("192.168.0.0/16", "None"))
    bare(net, ("10.0.1.4", "hub"))
    assert judge(*both(net)).good
    bare(net, ("10.0.1.4", "hub"), ("10.0.2.4", "hub"))
    assert judge(*both(net)).kind == "unreachable"
    for unknown in (("10.0.1.9", "hub"), ("10.0.1.4", "elsewhere")):
        bare(net, ("10.0.1.4", "hub"), unknown)
        forward, _ = both(net)
        assert forward.disposition == Disposition.INSUFFICIENT_INFORMATION
        assert forward.missing == (f"who has {unknown[0]} in {unknown[1]}",)
    pool = net.bodies[OWN]["properties"]["backendAddressPools"][0]["properties"]
    pool["loadBalancerBackendAddresses"] = [{"name": "a", "properties": {"ipAddress": "10.0.1.4"}}]
    assert both(net)[0].missing == ("in which network 10.0.1.4 is",)
    pool["virtualNetwork"] = {"id": id_of("virtualNetworks", "hub")}
    assert judge(*both(net)).good


def test_a_pool_that_names_its_members_itself_is_read_like_theirs() -> None:
    net = pooled()
    one = id_of("networkInterfaces", "fw1-nic") + "/ipConfigurations/a"
    for field in ("backendIPConfigurations", "loadBalancerBackendAddresses"):
        bare(net)
        named = [{"id": one}, {"id": one.replace("fw1-nic", "gone")}]
        by_address = [{"name": "a", "properties": {"networkInterfaceIPConfiguration": item}} for item in named]
        pool = net.bodies[OWN]["properties"]["backendAddressPools"][0]["properties"]
        pool[field] = (named if field.startswith("backend") else by_address)[:1]
        assert appliances(both(net)[0]) == ["fw1-nic"]
        pool[field] = named if field.startswith("backend") else by_address
        assert both(net)[0].missing == ("who is networkInterfaces/gone/ipConfigurations/a",)


def test_a_next_hop_is_known_where_a_rule_takes_every_port() -> None:
    net = pooled()
    rules = net.bodies[OWN]["properties"]["loadBalancingRules"]
    rules[:] = [rule(protocol="Tcp", frontendPort=443, backendPort=443)]
    forward, _ = both(net)
    assert forward.missing == ("what lb does with ports that its rules don't name",)
    rules[:] = [{"name": "r", "properties": {k: v for k, v in rule()["properties"].items() if k not in ALL_PORTS}}]
    assert judge(*both(net)).good, "half a reading: nothing says that it is for some ports only"


def to_front(net: Net, port: int | None = 443) -> Trace:
    return trace_one_way(net.estate(site(router())), flow("dc", "192.168.1.1", "10.0.1.100", port))


def test_a_rule_leads_its_port_to_its_pool_and_no_other() -> None:
    net = pooled()
    rules = net.bodies[OWN]["properties"]["loadBalancingRules"]
    rules[:] = [rule(protocol="Tcp", frontendPort=443, backendPort=8443)]
    assert to_front(net).disposition == Disposition.DELIVERED
    for port in (80, None):
        found = to_front(net, port)
        assert found.disposition == Disposition.INSUFFICIENT_INFORMATION, describe(found)
        assert found.missing[0].startswith("what lb does with"), found.missing
    rules[:] = [rule(protocol="Udp", frontendPort=443, backendPort=443)]
    assert to_front(net).disposition == Disposition.INSUFFICIENT_INFORMATION


def test_what_a_group_says_of_a_frontend_s_packets_is_known_where_translation_changes_nothing() -> None:
    """A member sees its own address and the rule's backend port, with a floating address the frontend's: no fact says
    which of them its groups are asked about."""
    net = pooled()
    net.bodies[OWN]["properties"]["loadBalancingRules"][:] = [rule(protocol="Tcp", frontendPort=443, backendPort=8443)]
    nic = net.bodies[id_of("networkInterfaces", "fw2-nic")]["properties"]
    ends = {}
    for ports in ("*", "8443", "443", "80"):
        nic["networkSecurityGroup"] = group(net, "g", "Inbound", "Deny", destinationPortRange=ports)
        ends[ports] = to_front(net).disposition
    unknown = Disposition.INSUFFICIENT_INFORMATION
    assert ends == {"*": Disposition.DENIED, "8443": unknown, "443": unknown, "80": Disposition.DELIVERED}


def nat(*, by: str) -> Net:
    """An inbound NAT rule leads port 2222 to fw3, which no pool holds; said by the rule or by the NIC."""
    net = pooled()
    given = {"frontendIPConfiguration": {"id": FRONT}, "protocol": "Tcp", "frontendPort": 2222, "backendPort": 22}
    net.bodies[OWN]["properties"] |= {
        "inboundNatRules": [{"name": "ssh", "properties": given}],
        "loadBalancingRules": [rule(protocol="Tcp", frontendPort=443, backendPort=443)],
    }
    if by == "rule":
        given["backendIPConfiguration"] = {"id": id_of("networkInterfaces", "fw3-nic") + "/ipConfigurations/a"}
    elif by == "nic":
        place(net, "fw3-nic")["loadBalancerInboundNatRules"] = [{"id": OWN + "/inboundNatRules/ssh"}]
    return net


@pytest.mark.parametrize("by", ["rule", "nic"])
def test_an_inbound_nat_rule_leads_its_port_to_one_machine(by: str) -> None:
    net = nat(by=by)
    found = to_front(net, 2222)
    assert found.disposition == Disposition.DELIVERED, describe(found)
    assert found.delivered_to is not None and found.delivered_to.name == "fw3-nic"
    web = to_front(net, 443).delivered_to
    assert web is not None and web.name == "fw1-nic"
    assert to_front(net, 22).disposition == Disposition.INSUFFICIENT_INFORMATION
    net.bodies[OWN]["properties"]["loadBalancingRules"] = []
    for number in (1, 2):
        del place(net, f"fw{number}-nic")["loadBalancerBackendAddressPools"]
    assert to_front(net, 2222).delivered_to == found.delivered_to


def test_an_inbound_nat_rule_of_nobody_leads_nobody_knows_where() -> None:
    found = to_front(nat(by="nobody"), 2222)
    assert found.disposition == Disposition.INSUFFICIENT_INFORMATION
    assert found.missing == ("to whom ssh of lb leads",)


def test_a_range_of_ports_to_a_pool_is_exact_where_the_pool_has_one_member() -> None:
    net = pooled()
    given = {"frontendIPConfiguration": {"id": FRONT}, "protocol": "Tcp", "backendPort": 22}
    given |= {"frontendPortRangeStart": 500, "frontendPortRangeEnd": 600, "backendAddressPool": {"id": POOL}}
    net.bodies[OWN]["properties"] |= {
        "inboundNatRules": [{"name": "ssh", "properties": given}],
        "loadBalancingRules": [],
    }
    assert to_front(net, 550).missing == ("which member has port 550 by ssh of lb",)
    del place(net, "fw2-nic")["loadBalancerBackendAddressPools"]
    assert to_front(net, 550).disposition == Disposition.DELIVERED
    assert to_front(net, 601).disposition == Disposition.INSUFFICIENT_INFORMATION


def test_every_member_that_may_have_taken_it_replies() -> None:
    """Members of a pool of servers: one's own table loses the reply."""
    net = pooled()
    assert judge(*trace(net.estate(site(router())), flow("dc", "192.168.1.1", "10.0.1.100"))).good
    net = pooled(("192.168.0.0/16", "None"))
    forward, back = trace(net.estate(site(router())), flow("dc", "192.168.1.1", "10.0.1.100"))
    assert forward.disposition == Disposition.DELIVERED
    assert back.disposition == Disposition.NO_ROUTE
    assert back.because.startswith("by fw2-nic, a member of lb: "), describe(back)


def test_what_leaves_for_the_internet_has_its_reply_by_every_member() -> None:
    net = pooled(("0.0.0.0/0", "Internet"), ("10.1.0.0/24", "None"))
    asked = flow(id_of("networkInterfaces", "vm-nic"), "10.1.0.4", "8.8.8.8")
    forward, back = trace(net.estate(), asked)
    assert forward.disposition == Disposition.LEFT_ESTATE
    assert back.disposition == Disposition.NO_ROUTE, describe(back)


@pytest.mark.parametrize("beside", ["alone", "both"])
def test_pools_and_nat_rules_that_stand_beside_their_balancer_are_read_as_its_own(beside: str) -> None:
    """Templates and exports list `backendAddressPools` and `inboundNatRules` as resources of their own."""
    for net in (pooled(), nat(by="rule")):
        body = net.bodies[OWN]
        expected = [describe(found) for found in (*both(net), to_front(net, 2222))]
        for name in ("backendAddressPools", "inboundNatRules"):
            held = body["properties"].get(name, [])
            for item in held:
                id_ = f"{OWN}/{name}/{item['name']}"
                net.bodies[id_] = {"id": id_, "name": item["name"], "properties": item.get("properties", {})}
            if beside == "alone":
                body["properties"][name] = []
        estate = net.estate(site(router()))
        assert not [id_ for id_ in estate.unread if "loadBalancers" in id_]
        assert [describe(found) for found in (*both(net), to_front(net, 2222))] == expected
