"""What a subnet's table holds, fact by fact, on estates as small as the fact allows."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address, ip_network

import pytest

from farshore.arm.ids import resource_id
from farshore.estate.estate import Estate
from farshore.estate.outside import Advertisement, Outside
from farshore.routing import EffectiveRoute, effective_routes, learned_routes, select, trace, trace_one_way, unread
from farshore.routing.scale import Reach

from .small import Net, flow, id_of
from .test_routing_traces import IN, hub, router, site

SPOKE = id_of("virtualNetworks/subnets", "spoke", "app")
NVA = id_of("virtualNetworks/subnets", "hub", "nva")
GATEWAY_SUBNET = id_of("virtualNetworks/subnets", "hub", "GatewaySubnet")


def rows(estate: Estate, subnet: str = SPOKE) -> set[tuple[str, str, str, str]]:
    """(source, state, prefix, next hop type)."""
    return {
        (row.source, row.state, str(row.address_prefix), row.next_hop_type) for row in effective_routes(estate, subnet)
    }


def hops(estate: Estate, address: str, subnet: str = SPOKE) -> str:
    """The next hop type that an address gets, or its next hop's address."""
    choice = select(effective_routes(estate, subnet), ip_address(address))
    assert choice.chosen is not None
    held = choice.chosen.next_hop_ip_addresses
    return str(held[0]) if choice.chosen.next_hop_type == "VirtualAppliance" else choice.chosen.next_hop_type


def one_spoke(*routes: tuple[str, str], propagate: bool = True) -> Net:
    """A hub with a gateway and an appliance; a spoke with a table of its own."""
    net = Net()
    net.network("hub", "10.0.0.0/16", nva="10.0.1.0/24", GatewaySubnet="10.0.255.0/27")
    table = net.table("rt-spoke", *routes, propagate=propagate)
    net.network("spoke", "10.1.0.0/24", app={"addressPrefix": "10.1.0.0/25", "routeTable": table})
    net.peer("hub", "spoke", lend=True)
    net.machine("nva", ("hub", "nva", "10.0.1.4"), forward=True)
    net.machine("vm", ("spoke", "app", "10.1.0.4"))
    net.gateway("gw", "hub")
    net.circuit("er", "Hong Kong")
    net.connect("gw", "er")
    return net


def test_r4_a_learned_default_replaces_the_system_s_and_takes_the_reserved_rows_out() -> None:
    found = rows(one_spoke().estate(site(router(), prefix="0.0.0.0/0")))
    defaults = {row for row in found if row[2] == "0.0.0.0/0"}
    assert defaults == {("VirtualNetworkGateway", "Active", "0.0.0.0/0", "VirtualNetworkGateway")}
    assert not any(row[3] == "None" for row in found)


WORDS = ("VirtualNetworkGateway", "VnetLocal", "Internet", "VirtualAppliance", "VirtualApplianceEcmp", "None")


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("spelled", [str, str.lower, str.upper])
def test_r7_r11_a_choice_has_azure_s_word_its_address_and_its_table_however_it_was_spelled(
    word: str, spelled: Callable[[str], str]
) -> None:
    """What Network Watcher's nextHop answers: nextHopType, nextHopIpAddress, routeTableId."""
    net = one_spoke()
    held: dict[str, object] = {"addressPrefix": "10.9.0.0/16", "nextHopType": spelled(word)}
    several = ("10.0.1.4", "10.0.1.5")
    if word == "VirtualAppliance":
        held["nextHopIpAddress"] = several[0]
    if word == "VirtualApplianceEcmp":
        held["nextHop"] = {"nextHopIpAddresses": list(several)}
    table = id_of("routeTables", "rt-spoke")
    net.bodies[table]["properties"]["routes"] = [{"name": "one", "properties": held}]
    chosen = select(effective_routes(net.estate(), SPOKE), ip_address("10.9.0.1")).chosen
    assert chosen is not None and (chosen.next_hop_type, chosen.by) == (word, table)
    hops = {"VirtualAppliance": several[:1], "VirtualApplianceEcmp": several}.get(word, ())
    assert tuple(map(str, chosen.next_hop_ip_addresses)) == hops


@pytest.mark.parametrize(
    ("changed", "unknown"),
    [
        ({}, False),
        ({"disablePeeringRoute": "None"}, False),
        ({"disablePeeringRoute": "All"}, True),
        ({"hasBgpOverride": False}, False),
        ({"hasBgpOverride": True}, True),
    ],
)
def test_r12_what_the_newer_fields_do_to_others_rows_is_not_known(changed: dict[str, object], unknown: bool) -> None:
    """One flow hangs on the peering, one on BGP inside of the route; a third hangs on neither."""
    net = one_spoke(("192.168.0.0/16", "10.0.1.4"))
    table = net.bodies[id_of("routeTables", "rt-spoke")]["properties"]
    by_peering = "hasBgpOverride" not in changed
    (table if by_peering else table["routes"][0]["properties"]).update(changed)
    estate = net.estate(site(router(), prefix="192.168.7.0/24"))
    vm = id_of("networkInterfaces", "vm-nic")
    address = "10.0.1.4" if by_peering else "192.168.7.1"
    there = trace_one_way(estate, flow(vm, "10.1.0.4", address))
    assert (there.disposition.value == "InsufficientInformation") is unknown, there.because
    assert any("rt-spoke" in text for text in unread(estate, SPOKE)) is unknown
    assert trace_one_way(estate, flow(vm, "10.1.0.4", "198.51.100.1")).disposition.value == "LeftEstate"
    assert bool(Reach.of(estate).totals()["unknown"]) is unknown


@pytest.mark.parametrize("kind", ["VirtualApplianceEcmp", "HyperNetGateway"])
def test_at_scale_too_nobody_knows_where_a_next_hop_leads_that_nobody_knows(kind: str) -> None:
    estate = one_spoke(("0.0.0.0/0", kind), propagate=False).estate(site(router()))
    _, back = trace(estate, flow("dc", "192.168.1.1", "10.1.0.4"))
    assert back.disposition.value == "InsufficientInformation"
    totals = Reach.of(estate).totals()
    assert (totals["unknown"], totals["unreachable"]) == (1, 0)


@pytest.mark.parametrize(
    ("prefixes", "address", "taken"),
    [
        ((("10.1.0.0/16", "User"), ("10.1.2.0/24", "VirtualNetworkGateway")), "10.1.2.3", 1),
        ((("10.1.0.0/16", "VirtualNetworkGateway"), ("10.1.0.0/16", "User")), "10.1.2.3", 1),
        ((("10.1.0.0/16", "Internet"), ("10.1.0.0/16", "VirtualNetworkGateway")), "10.1.2.3", 1),
        ((("10.1.0.0/16", "VnetLocal"), ("10.1.2.0/24", "VirtualNetworkGateway")), "10.1.2.3", 0),
        ((("10.1.0.0/16", "VNetPeering"), ("10.1.2.0/24", "VirtualNetworkGateway")), "10.1.2.3", 0),
        ((("10.1.0.0/16", "VNetPeering"), ("10.1.2.0/24", "User")), "10.1.2.3", 1),
        ((("20.0.0.0/8", "VirtualNetworkServiceEndpoint"), ("20.1.2.0/24", "User")), "20.1.2.3", 0),
        ((("20.0.0.0/8", "VirtualNetworkServiceEndpoint"), ("20.1.2.0/24", "VirtualNetworkGateway")), "20.1.2.3", 0),
    ],
)
def test_r14_longest_then_user_bgp_system_but_for_the_network_s_own_peered_and_services_ranges(
    prefixes: tuple[tuple[str, str], ...], address: str, taken: int
) -> None:
    """test_routing_select.py has the same rules over tables of any kind."""
    table = [
        EffectiveRoute(
            source=kind if kind in ("User", "VirtualNetworkGateway") else "Default",
            state="Active",
            address_prefix=ip_network(prefix),
            next_hop_type="VirtualAppliance" if kind == "User" else kind,
        )
        for prefix, kind in prefixes
    ]
    for rows_ in (table, table[::-1]):
        choice = select(rows_, ip_address(address))
        assert choice.chosen == table[taken]
        assert [passed.route for passed in choice.passed_over] == [table[1 - taken]]


def test_r15_a_user_s_route_leaves_the_equal_one_as_invalid() -> None:
    found = rows(one_spoke(("10.1.0.0/24", "10.0.1.4")).estate())
    assert ("Default", "Invalid", "10.1.0.0/24", "VnetLocal") in found
    assert ("User", "Active", "10.1.0.0/24", "VirtualAppliance") in found


def test_r16_a_default_to_an_appliance_does_not_capture_what_goes_to_a_peer() -> None:
    estate = one_spoke(("0.0.0.0/0", "10.0.1.4")).estate()
    assert hops(estate, "10.0.1.77") == "VNetPeering"
    assert hops(estate, "198.51.100.1") == "10.0.1.4"


def test_r17_a_route_as_long_as_the_network_s_or_longer_captures_its_own_traffic() -> None:
    estate = one_spoke(("10.1.0.0/24", "10.0.1.4"), ("10.1.0.0/25", "VnetLocal")).estate()
    assert hops(estate, "10.1.0.200") == "10.0.1.4"
    assert hops(estate, "10.1.0.5") == "VnetLocal"


def test_r18_an_explicit_prefix_beats_a_tag_and_a_regional_tag_a_global_one() -> None:
    net = one_spoke(("Storage", "Internet"), ("Storage.EastAsia", "10.0.1.4"), ("20.60.0.0/16", "None"))
    shared = (ip_network("20.60.0.0/16"), ip_network("20.61.0.0/16"))
    outside = Outside(service_prefixes={"Storage": shared, "Storage.EastAsia": shared})
    estate = net.estate(outside=outside)
    assert hops(estate, "20.60.0.1") == "None"
    assert hops(estate, "20.61.0.1") == "10.0.1.4"


def test_r19_expressroute_wins_over_a_tunnel_with_the_same_prefix() -> None:
    net = one_spoke()
    vpn = net.gateway("vpn", "hub", kind="Vpn", bgpSettings={"asn": 65515, "bgpPeeringAddress": "10.0.255.30"})
    told = Advertisement(
        to=vpn.lower(), peer=ip_address("203.0.113.9"), prefix=ip_network("192.168.0.0/16"), as_path=(65010,)
    )
    estate = net.estate(site(router()), outside=Outside(advertised=(told,)))
    assert "192.168.0.0/16" in {str(route.network) for route in learned_routes(estate, vpn)}
    learned = [row for row in effective_routes(estate, SPOKE) if str(row.address_prefix) == "192.168.0.0/16"]
    assert {row.by for row in learned} == {id_of("virtualNetworkGateways", "gw")}


@pytest.mark.parametrize(("hop", "good"), [("10.0.1.4", True), ("192.168.0.4", False), ("10.9.0.4", False)])
def test_r21_an_appliance_is_directly_reachable_or_is_none(hop: str, good: bool) -> None:
    estate = one_spoke(("0.0.0.0/0", hop), propagate=False).estate(site(router()))
    out = trace_one_way(estate, flow(id_of("networkInterfaces", "vm-nic"), "10.1.0.4", "192.168.0.9"))
    assert (out.disposition.value == "Delivered") is good, out.because


def test_r23_propagation_off_takes_every_gateway_route_from_a_subnet() -> None:
    told = one_spoke(propagate=False).estate(site(router()))
    assert not [row for row in rows(told) if row[0] == "VirtualNetworkGateway"]
    assert [row for row in rows(one_spoke().estate(site(router()))) if row[0] == "VirtualNetworkGateway"]


def test_r23_propagation_off_on_the_gateway_s_own_subnet_stops_the_gateway() -> None:
    net = one_spoke()
    subnets = net.bodies[id_of("virtualNetworks", "hub")]["properties"]["subnets"]
    off = net.table("rt-gateway", propagate=False)
    next(item for item in subnets if item["name"] == "GatewaySubnet")["properties"]["routeTable"] = off
    estate = net.estate(site(router()))
    assert not [row for row in rows(estate) if row[0] == "VirtualNetworkGateway"]
    assert trace_one_way(estate, IN).disposition.value != "Delivered"


def test_r23_propagation_off_on_the_gateway_s_own_subnet_stops_a_vpn_gateway_too() -> None:
    for propagates in (True, False):
        net = Net()
        gateway_subnet = {"addressPrefix": "10.0.255.0/27", "routeTable": net.table("rt", propagate=propagates)}
        net.network("hub", "10.0.0.0/16", nva="10.0.1.0/24", GatewaySubnet=gateway_subnet)
        net.machine("nva", ("hub", "nva", "10.0.1.4"))
        vpn = {"id": net.gateway("vpn", "hub", kind="Vpn")}
        space = {"addressPrefixes": ["172.30.0.0/16"]}
        local = {"id": net.add("localNetworkGateways", "branch", localNetworkAddressSpace=space)}
        net.add(
            "connections",
            "tunnel",
            connectionType="IPsec",
            virtualNetworkGateway1=vpn,
            localNetworkGateway2=local,
        )
        estate = net.estate()
        learned = [row for row in rows(estate, NVA) if row[0] == "VirtualNetworkGateway"]
        assert bool(learned) is bool(learned_routes(estate, vpn["id"])) is propagates
        out = trace_one_way(estate, flow(id_of("networkInterfaces", "nva-nic"), "10.0.1.4", "172.30.0.9"))
        assert (out.disposition.value == "LeftEstate") is propagates, out.because


def test_r24_an_appliance_s_nic_must_forward() -> None:
    for forwards in (True, False):
        net = Net()
        hub(net)
        net.machine("nva", ("hub", "nva", "10.0.1.4"), forward=forwards)
        assert (trace_one_way(net.estate(site(router())), IN).disposition.value == "Delivered") is forwards


@pytest.mark.parametrize("forwards", [True, False])
def test_r24_what_is_for_another_address_of_the_next_hop_s_nic_it_takes_and_forwards_nothing(forwards: bool) -> None:
    """In a table of its own subnet it would come back for ever."""
    net = Net()
    table = net.table("rt", ("10.0.1.0/24", "10.0.1.4"))
    net.network("hub", "10.0.0.0/16", nva={"addressPrefix": "10.0.1.0/24", "routeTable": table}, app="10.0.2.0/24")
    subnet = {"id": id_of("virtualNetworks/subnets", "hub", "nva")}
    nva = net.machine("nva", ("hub", "nva", "10.0.1.4"), forward=forwards)
    more = {"privateIPAddress": "10.0.1.9", "primary": False, "subnet": subnet}
    net.bodies[nva]["properties"]["ipConfigurations"].append({"name": "more", "properties": more})
    net.machine("vm", ("hub", "nva", "10.0.1.5"))
    for address in ("10.0.1.4", "10.0.1.9"):
        found = trace_one_way(net.estate(), flow(id_of("networkInterfaces", "vm-nic"), "10.0.1.5", address))
        assert found.delivered_to == resource_id(nva), found.because
        assert [hop.kind for hop in found.hops] == ["machine", "machine"], "no appliance on the way"


def test_r25_a_dead_appliance_leaves_its_route_active_and_takes_the_traffic() -> None:
    net = one_spoke(("0.0.0.0/0", "10.0.1.4"), propagate=False)
    nva = id_of("virtualMachines", "nva").lower()
    estate = net.estate(site(router()), outside=Outside(down=frozenset({nva})))
    assert ("User", "Active", "0.0.0.0/0", "VirtualAppliance") in rows(estate)
    out = trace_one_way(estate, flow(id_of("networkInterfaces", "vm-nic"), "10.1.0.4", "192.168.0.9"))
    assert out.disposition.value != "Delivered" and "nva" in out.because


def test_r26_a_default_to_an_appliance_or_from_a_site_ends_direct_reach_of_the_internet() -> None:
    assert hops(one_spoke().estate(), "198.51.100.1") == "Internet"
    assert hops(one_spoke().estate(site(router(), prefix="0.0.0.0/0")), "198.51.100.1") == "VirtualNetworkGateway"


def test_r36_the_way_in_passes_the_appliance_only_where_the_gateway_s_table_says_so() -> None:
    for route, passes in ((("10.1.0.0/24", "10.0.1.4"), True), (("10.99.0.0/24", "10.0.1.4"), False)):
        net = Net()
        hub(net, gateway_routes=(route,))
        net.machine("nva", ("hub", "nva", "10.0.1.4"), forward=True)
        found = trace_one_way(net.estate(site(router())), IN)
        assert bool(found.appliances) is passes


def test_r36_a_gateway_route_shorter_than_the_spoke_s_peering_captures_nothing() -> None:
    net = Net()
    hub(net, gateway_routes=(("10.1.0.0/16", "10.0.1.4"),))
    net.machine("nva", ("hub", "nva", "10.0.1.4"), forward=True)
    assert not trace_one_way(net.estate(site(router())), IN).appliances


def test_r37_a_default_alone_is_passed_by_what_the_gateway_learned() -> None:
    stays, bypassed = (
        one_spoke(("0.0.0.0/0", "10.0.1.4"), propagate=propagate).estate(site(router())) for propagate in (False, True)
    )
    assert hops(stays, "192.168.1.1") == "10.0.1.4"
    assert hops(bypassed, "192.168.1.1") == "VirtualNetworkGateway"


@pytest.mark.parametrize("both", [True, False])
def test_r38_spokes_meet_through_the_hub_s_appliance_where_both_say_so(both: bool) -> None:
    net = one_spoke(("10.2.0.0/24", "10.0.1.4"))
    back = net.table("rt-other", *([("10.1.0.0/24", "10.0.1.4")] if both else []))
    net.network("other", "10.2.0.0/24", app={"addressPrefix": "10.2.0.0/25", "routeTable": back})
    net.peer("hub", "other", lend=True)
    net.machine("vm2", ("other", "app", "10.2.0.4"))
    estate = net.estate()
    there = trace_one_way(estate, flow(id_of("networkInterfaces", "vm-nic"), "10.1.0.4", "10.2.0.4"))
    again = trace_one_way(estate, flow(id_of("networkInterfaces", "vm2-nic"), "10.2.0.4", "10.1.0.4"))
    assert there.disposition.value == "Delivered"
    assert (again.disposition.value == "Delivered") is both


@pytest.mark.parametrize(("where", "kind"), [("eastasia", "VNetPeering"), ("westeurope", "VNetGlobalPeering")])
def test_r8_a_peer_of_another_region_has_a_next_hop_type_of_its_own(where: str, kind: str) -> None:
    net = Net()
    net.network("one", "10.1.0.0/24", app="10.1.0.0/25")
    net.network("other", "10.2.0.0/24", location=where, app="10.2.0.0/25")
    net.peer("one", "other")
    found = rows(net.estate(), id_of("virtualNetworks/subnets", "one", "app"))
    assert ("Default", "Active", "10.2.0.0/24", kind) in found
