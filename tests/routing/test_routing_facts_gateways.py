"""What gateways, circuits and sites say to each other and choose, fact by fact."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest

from farshore.arm.ids import resource_id
from farshore.estate.outside import Advertisement, Filter, Outside, Router, Site
from farshore.routing import advertised_routes, effective_routes, judge, learned_routes, trace, trace_one_way

from .small import Net, flow, id_of
from .test_routing_traces import IN, hub, router, site

VM = id_of("networkInterfaces", "vm-nic")
GATEWAY = id_of("virtualNetworkGateways", "gw")
OUT = flow(VM, "10.1.0.4", "192.168.1.1")


def direct(*circuits: tuple[str, str, int]) -> Net:
    """A hub whose gateway is connected to circuits, as (name, place, weight); a spoke with nothing between."""
    net = Net()
    net.network("hub", "10.0.0.0/16", GatewaySubnet="10.0.255.0/27")
    net.network("spoke", "10.1.0.0/24", app="10.1.0.0/25")
    net.peer("hub", "spoke", lend=True)
    net.machine("vm", ("spoke", "app", "10.1.0.4"))
    net.gateway("gw", "hub")
    for number, (name, place, weight) in enumerate(circuits):
        net.circuit(name, place, number)
        net.connect("gw", name, weight)
    return net


TWO = (("er1", "Hong Kong", 0), ("er2", "Singapore", 0))


def ways(net: Net, *sites: Site) -> set[str]:
    """The sites' routers by which a gateway's choice leaves to 192.168/16."""
    found = learned_routes(net.estate(*sites), GATEWAY)
    return {str(route.by) for route in found if route.network == ip_network("192.168.0.0/16")}


def test_r40_a_gateway_says_its_network_s_whole_space_and_that_of_spokes_that_use_it() -> None:
    net = direct(("er", "Hong Kong", 0))
    net.network("stranger", "10.3.0.0/24", app="10.3.0.0/25")
    net.peer("hub", "stranger")
    said = {str(route.network) for route in advertised_routes(net.estate(site(router())), GATEWAY)}
    assert {"10.0.0.0/16", "10.1.0.0/24"} <= said and not said & {"10.3.0.0/24", "10.1.0.0/25"}


def test_r48_the_edge_puts_its_own_number_for_the_gateway_s_and_hides_private_ones_from_the_site() -> None:
    net = direct(("er", "Hong Kong", 0))
    net.network("other", "10.8.0.0/16", app="10.8.0.0/24", GatewaySubnet="10.8.255.0/27")
    net.gateway("gw2", "other", allowRemoteVnetTraffic=True)
    net.bodies[GATEWAY]["properties"]["allowRemoteVnetTraffic"] = True
    net.connect("gw2", "er")
    heard = learned_routes(net.estate(site(router())), id_of("virtualNetworkGateways", "gw2"))
    assert {route.as_path for route in heard if route.network == ip_network("10.1.0.0/24")} == {(12076, 12076)}

    net.network(
        "hub3", "10.9.0.0/16", GatewaySubnet="10.9.255.0/27", RouteServerSubnet="10.9.3.0/27", nva="10.9.1.0/24"
    )
    net.gateway("gw3", "hub3")
    net.connect("gw3", "er")
    net.machine("speaker", ("hub3", "nva", "10.9.1.4"))
    place = {"id": id_of("virtualNetworks/subnets", "hub3", "RouteServerSubnet")}
    server = net.add("virtualHubs", "rs", virtualRouterIps=["10.9.3.4", "10.9.3.5"], allowBranchToBranchTraffic=True)
    net.add("virtualHubs/ipConfigurations", "rs", "ip", subnet=place)
    net.add("virtualHubs/bgpConnections", "rs", "nva", peerIp="10.9.1.4", peerAsn=65001)
    told = Advertisement(
        to=server.lower(), peer=ip_address("10.9.1.4"), prefix=ip_network("172.20.0.0/16"), as_path=(65001, 8075)
    )
    estate = net.estate(site(router()), outside=Outside(advertised=(told,)))
    said = advertised_routes(estate, id_of("expressRouteCircuits", "er"))
    paths = {str(route.network): route.as_path for route in said}
    assert paths["10.1.0.0/24"] == (12076,)
    assert paths["172.20.0.0/16"] == (12076, 8075), "65001 is private"


def test_e41_weight_is_looked_at_before_the_path() -> None:
    routers = router("ce1", "er1"), replace(router("ce2", "er2"), prepend=3)
    equal, weighed = direct(*TWO), direct(TWO[0], ("er2", "Singapore", 50))
    for net, circuit in ((equal, "er1"), (weighed, "er2")):
        forward, _ = trace(net.estate(site(*routers)), OUT)
        assert any(hop.kind == "circuit" and circuit in hop.name for hop in forward.hops), forward


def test_e41_a_longer_prefix_is_looked_at_before_weight() -> None:
    net = direct(TWO[0], ("er2", "Singapore", 50))
    longer = site(router("ce1", "er1"), name="near", prefix="192.168.1.0/24")
    forward = trace_one_way(net.estate(longer, site(router("ce2", "er2"))), OUT)
    assert forward.hops[-1].name == "near"


def test_e35_the_greatest_weight_wins_and_none_is_nought() -> None:
    for weights, circuit in (((0, 1), "er2"), ((32000, 1), "er1")):
        net = direct(("er1", "Hong Kong", weights[0]), ("er2", "Singapore", weights[1]))
        forward = trace_one_way(net.estate(site(router("ce1", "er1"), router("ce2", "er2"))), OUT)
        assert any(hop.kind == "circuit" and circuit in hop.name for hop in forward.hops), (weights, forward)


@pytest.mark.parametrize(("connected", "used"), [(1, 1), (4, 4), (6, 4)])
def test_e16_e41_equal_circuits_share_the_traffic_and_no_more_than_four_of_them(connected: int, used: int) -> None:
    places = ("Hong Kong", "Singapore", "Tokyo", "Osaka", "Seoul", "Busan")[:connected]
    net = direct(*((f"er{number}", place, 0) for number, place in enumerate(places)))
    estate = net.estate(site(*(router(f"ce{number}", f"er{number}") for number in range(connected))))
    row = next(row for row in effective_routes(estate, VM) if row.source == "VirtualNetworkGateway")
    assert len(row.next_hop_ip_addresses) == 2 * used, "two links each"
    circuit = next(hop for hop in trace_one_way(estate, OUT).hops if hop.kind == "circuit")
    assert len(circuit.name.split(", ")) == used


def test_e42_the_way_in_is_the_site_s_choice_and_local_preference_comes_first() -> None:
    for preferences, circuit in (((100, 200), "er2"), ((200, 100), "er1")):
        routers = (
            replace(router("ce1", "er1"), local_preference=preferences[0]),
            replace(router("ce2", "er2"), local_preference=preferences[1]),
        )
        forward = trace_one_way(direct(*TWO).estate(site(*routers)), IN)
        assert any(hop.kind == "circuit" and circuit in hop.name for hop in forward.hops), forward


def test_e42_a_filter_inward_keeps_a_site_from_a_circuit() -> None:
    denied = (Filter(direction="in", prefix=ip_network("10.0.0.0/8"), action="deny"),)
    routers = replace(router("ce1", "er1"), filters=denied, local_preference=300), router("ce2", "er2")
    forward = trace_one_way(direct(*TWO).estate(site(*routers)), IN)
    assert any(hop.kind == "circuit" and "er2" in hop.name for hop in forward.hops), forward


@pytest.mark.parametrize(("lost", "circuit"), [(("#primary",), "er1"), (("#primary", "#secondary"), "er2")])
def test_e43_the_standby_circuit_is_taken_when_both_links_of_the_preferred_one_are_down(
    lost: tuple[str, ...], circuit: str
) -> None:
    net = direct(("er1", "Hong Kong", 100), ("er2", "Singapore", 0))
    down = frozenset(id_of("expressRouteCircuits", "er1").lower() + link for link in lost)
    estate = net.estate(site(router("ce1", "er1"), router("ce2", "er2")), outside=Outside(down=down))
    assert any(hop.kind == "circuit" and circuit in hop.name for hop in trace_one_way(estate, OUT).hops)


@pytest.mark.parametrize("stateful", [False, True])
def test_e44_r39_asymmetry_alone_blocks_nothing_and_with_state_on_one_way_it_does(stateful: bool) -> None:
    routers = replace(router("ce1", "er1"), local_preference=200), router("ce2", "er2")
    net = direct(("er1", "Hong Kong", 0), ("er2", "Singapore", 50))
    home = replace(site(*routers), stateful_firewall=stateful)
    forward, back = trace(net.estate(home), IN)
    assert forward.disposition.value == back.disposition.value == "Delivered"
    assert judge(forward, back).kind == ("asymmetric" if stateful else "delivered")


def test_r39_a_gateway_s_table_that_lacks_the_spoke_makes_the_appliance_see_one_way_only() -> None:
    net = Net()
    hub(net, gateway_routes=(("10.99.0.0/24", "10.0.1.4"),))
    net.machine("nva", ("hub", "nva", "10.0.1.4"), forward=True)
    assert judge(*trace(net.estate(site(router())), IN)).kind == "asymmetric"


def test_e45_a_prepended_link_is_left_for_the_other() -> None:
    net = direct(("er", "Hong Kong", 0))
    home = site(
        replace(router("ce1", "er"), links=("primary",), prepend=2),
        Router(name="ce2", circuit=resource_id(id_of("expressRouteCircuits", "er")), links=("secondary",)),
    )
    back = trace_one_way(net.estate(home), OUT)
    assert back.disposition.value == "Delivered"
    assert not any("ce1" in hop.name for hop in back.hops)


def test_e10_a_circuit_carries_nothing_from_site_to_site() -> None:
    net = direct(*TWO)
    first, second = site(router("ce1", "er1")), site(router("ce2", "er2"), name="branch", prefix="172.30.0.0/16")
    found = trace_one_way(net.estate(first, second), flow("dc", "192.168.1.1", "172.30.0.1"))
    assert found.disposition.value != "Delivered"


def test_r47_a_tunnel_s_routes_reach_the_expressroute_gateway_of_its_network() -> None:
    net = direct(("er", "Hong Kong", 0))
    vpn = net.gateway("vpn", "hub", kind="Vpn", bgpSettings={"asn": 65515, "bgpPeeringAddress": "10.0.255.30"})
    told = Advertisement(
        to=vpn.lower(), peer=ip_address("203.0.113.9"), prefix=ip_network("172.30.0.0/16"), as_path=(65020,)
    )
    heard = learned_routes(net.estate(site(router()), outside=Outside(advertised=(told,))), GATEWAY)
    assert "172.30.0.0/16" in {str(route.network) for route in heard}


@pytest.mark.parametrize("flags", [(True, True), (True, False), (False, False)])
def test_e38_networks_on_one_circuit_hear_each_other_where_both_gateways_let_them(flags: tuple[bool, bool]) -> None:
    net = direct(("er", "Hong Kong", 0))
    net.network("other", "10.8.0.0/16", app="10.8.0.0/24", GatewaySubnet="10.8.255.0/27")
    net.gateway("gw2", "other", allowRemoteVnetTraffic=flags[1])
    net.bodies[GATEWAY]["properties"]["allowRemoteVnetTraffic"] = flags[0]
    net.connect("gw2", "er")
    net.machine("vm2", ("other", "app", "10.8.0.4"))
    estate = net.estate(site(router()))
    heard = {str(route.network) for route in learned_routes(estate, id_of("virtualNetworkGateways", "gw2"))}
    assert ("10.0.0.0/16" in heard) is all(flags)
    found = trace_one_way(estate, flow(id_of("networkInterfaces", "vm2-nic"), "10.8.0.4", "10.0.1.9"))
    assert (found.disposition.value in ("NoMachine", "Delivered")) is all(flags), found.because
