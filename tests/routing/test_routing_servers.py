"""Whom a Route Server hears, and whom it tells: nobody is heard who is not there (R46)."""

from __future__ import annotations

from typing import Any

import pytest

from farshore.arm.json import Body
from farshore.estate.outside import Outside
from farshore.routing import (
    Disposition,
    advertised_routes,
    effective_routes,
    judge,
    learned_routes,
    trace,
    trace_one_way,
)
from farshore.routing.scale import WORDS, Reach
from routing.small import Net, flow, id_of
from routing.test_routing_silence import FIRST, SECOND, SERVER, VM, hops, says, with_route_server
from routing.test_routing_traces import router, site

FAR = "10.5.1.4"
"""An appliance's address in a network beside the Route Server's."""


def halves(net: Net, network: str) -> list[Any]:
    found: list[Any] = net.bodies[id_of("virtualNetworks", network)]["properties"]["virtualNetworkPeerings"]
    return found


def with_far_appliance(state: str = "Connected") -> Net:
    """A Route Server with a neighbour in a peered network."""
    net = with_route_server()
    net.network("beside", "10.5.0.0/16", nva="10.5.1.0/24")
    net.peer("hub", "beside", state=state)
    net.machine("nva3", ("beside", "nva", FAR), forward=True)
    net.add("virtualHubs/bgpConnections", "rs", "nva3", peerIp=FAR, peerAsn=65001)
    return net


def said_by(net: Net, peer: str) -> set[str]:
    """Next hops to what one neighbour alone says."""
    return hops(net.estate(outside=Outside(advertised=(says(peer),))))


def reached(net: Net, peer: str) -> Disposition:
    estate = net.estate(outside=Outside(advertised=(says(peer),)))
    return trace_one_way(estate, flow(VM, "10.0.2.4", "172.20.1.1")).disposition


def nic(net: Net, name: str) -> Body:
    return net.bodies[id_of("networkInterfaces", name)]


def test_r46_nothing_is_learned_from_a_neighbour_that_nobody_is() -> None:
    """A plan that deletes an appliance ends its session, and what it said is withdrawn."""
    net = with_route_server()
    assert said_by(net, FIRST) == {FIRST}
    del net.bodies[id_of("networkInterfaces", "nva1-nic")]
    assert said_by(net, FIRST) == set()
    assert learned_routes(net.estate(outside=Outside(advertised=(says(FIRST),))), SERVER) == ()
    assert reached(net, FIRST) == Disposition.NO_ROUTE, "of what Azure reserves (R2)"


@pytest.mark.parametrize("loss", ["none", "disconnected", "one half gone", "both halves gone"])
def test_r46_a_neighbour_in_a_network_that_is_no_longer_peered_is_not_heard(loss: str) -> None:
    net = with_far_appliance("Disconnected" if loss == "disconnected" else "Connected")
    for network in {"one half gone": ("beside",), "both halves gone": ("hub", "beside")}.get(loss, ()):
        halves(net, network).clear()
    assert said_by(net, FAR) == ({FAR} if loss == "none" else set())


def test_a_neighbour_in_a_peered_network_out_of_sight_is_taken_at_its_word() -> None:
    """A reading of one subscription has a peering with a network that it does not hold."""
    net = with_far_appliance()
    for half in halves(net, "hub"):
        half["properties"]["remoteAddressSpace"] = {"addressPrefixes": ["10.5.0.0/16"]}
    for key in [key for key in net.bodies if key.endswith(("/beside", "/nva3-nic", "/nva3"))]:
        if "bgpConnections" not in key:
            del net.bodies[key]
    assert said_by(net, FAR) == {FAR}
    halves(net, "hub").clear()
    assert said_by(net, FAR) == set()


def test_who_a_neighbour_is_that_a_marker_hides_is_not_known() -> None:
    net = with_route_server()
    nic(net, "nva1-nic")["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"] = "<param:address>"
    assert reached(net, FIRST) == Disposition.INSUFFICIENT_INFORMATION


@pytest.mark.parametrize("network", ["hub", "beside"])
def test_whether_a_neighbour_s_network_is_peered_that_a_marker_hides_is_not_known(network: str) -> None:
    net = with_far_appliance()
    halves(net, network)[0]["properties"]["peeringState"] = "<param:state>"
    assert reached(net, FAR) == Disposition.INSUFFICIENT_INFORMATION


# Branch to branch


def beyond(net: Net, number: int, *, bgp: bool = True) -> None:
    """A network with a VPN gateway and a machine, and both halves of a tunnel to the gateway `vpn` of the hub."""
    name = f"far{number}"
    net.network(name, f"10.{number}.0.0/16", GatewaySubnet=f"10.{number}.255.0/27", app=f"10.{number}.2.0/24")
    net.machine(f"vm{number}", (name, "app", f"10.{number}.2.4"))
    net.gateway(f"vpn{number}", name, kind="Vpn", bgpSettings={"asn": 65100 + number})
    for own, far in (("vpn", f"vpn{number}"), (f"vpn{number}", "vpn")):
        net.add(
            "connections",
            f"{own}-{far}",
            connectionType="Vnet2Vnet",
            enableBgp=bgp,
            virtualNetworkGateway1={"id": id_of("virtualNetworkGateways", own)},
            virtualNetworkGateway2={"id": id_of("virtualNetworkGateways", far)},
        )


def joined(*, branches: bool, bgp: bool = True) -> Net:
    """A site on the circuit of a hub with both kinds of gateway and a Route Server, and a network at the end of a
    tunnel."""
    net = with_route_server(branches=True)
    net.bodies[SERVER]["properties"]["allowBranchToBranchTraffic"] = branches
    net.gateway("vpn", "hub", kind="Vpn")
    beyond(net, 6, bgp=bgp)
    return net


def told(net: Net, gateway: str, outside: Outside | None = None) -> set[str]:
    routes = learned_routes(net.estate(site(router()), outside=outside), id_of("virtualNetworkGateways", gateway))
    return {str(route.network) for route in routes}


def at_the_circuit(net: Net) -> dict[str, tuple[int, ...]]:
    """What the hub's ExpressRoute gateway says, with its paths."""
    routes = advertised_routes(net.estate(site(router())), id_of("virtualNetworkGateways", "gw"))
    return {str(route.network): route.as_path for route in routes}


IN = flow("dc", "192.168.0.9", "10.6.2.4")
HOME = flow(id_of("networkInterfaces", "vm6-nic"), "10.6.2.4", "192.168.0.9")


@pytest.mark.parametrize("branches", [True, False])
def test_r46_where_branches_talk_a_site_on_a_circuit_reaches_what_is_behind_a_tunnel(branches: bool) -> None:
    net = joined(branches=branches)
    said = at_the_circuit(net)
    assert said == {"10.0.0.0/16": (65515,)} | ({"10.6.0.0/16": (65515, 65106)} if branches else {})
    assert ("192.168.0.0/16" in told(net, "vpn6")) is ("192.168.0.0/16" in told(net, "vpn")) is branches
    forward, back = trace(net.estate(site(router())), IN)
    assert judge(forward, back).kind == ("delivered" if branches else "unreachable")
    if branches:
        assert [hop.kind for hop in forward.hops] == [
            *("site", "router", "circuit", "gateway", "gateway", "tunnel", "gateway", "machine")
        ]


def test_r46_what_a_route_server_tells_a_vpn_gateway_goes_on_through_its_tunnels() -> None:
    said = Outside(advertised=(says(FIRST),))
    assert "172.20.0.0/16" in told(joined(branches=True), "vpn6", said)
    assert "172.20.0.0/16" not in told(joined(branches=True, bgp=False), "vpn6", said), "it takes BGP"
    assert "172.20.0.0/16" not in told(joined(branches=False), "vpn6", said)
    down = Outside(advertised=(says(FIRST),), down=frozenset({SERVER.lower()}))
    assert told(joined(branches=True), "vpn6", down) == {"10.0.0.0/16", "10.6.0.0/16"}


def test_r19_of_equal_prefixes_a_circuit_s_comes_before_a_tunnel_s_and_is_not_said_back() -> None:
    net = joined(branches=True)
    branch = net.add(
        "localNetworkGateways",
        "lng",
        localNetworkAddressSpace={"addressPrefixes": ["192.168.0.0/16", "192.168.9.0/24"]},
    )
    end = {"id": id_of("virtualNetworkGateways", "vpn")}
    branch_end = {"id": branch}
    net.add("connections", "s2s", connectionType="IPsec", virtualNetworkGateway1=end, localNetworkGateway2=branch_end)
    assert set(at_the_circuit(net)) == {"10.0.0.0/16", "10.6.0.0/16", "192.168.9.0/24"}
    rows = effective_routes(net.estate(site(router())), VM)
    by = {str(row.address_prefix): (row.by or "").rpartition("/")[2] for row in rows}
    assert (by["192.168.0.0/16"], by["192.168.9.0/24"]) == ("gw", "vpn")


def test_r19_a_route_server_tells_its_appliances_one_route_a_prefix_a_circuit_s_first() -> None:
    net = joined(branches=True)
    estate = net.estate(site(router()), outside=Outside(advertised=(says(FIRST, "192.168.0.0/16"), says(FIRST))))
    routes = advertised_routes(estate, SERVER, SECOND)
    assert {str(route.network): route.as_path[1:] for route in routes} == {
        "10.0.0.0/16": (),
        "192.168.0.0/16": (12076, 65010),
        "10.6.0.0/16": (65106,),
        "172.20.0.0/16": (65001,),
    }
    assert len(routes) == 2 * 4, "from both of its addresses"


def test_e38_another_gateway_on_the_circuit_hears_no_tunnel_of_the_first() -> None:
    net = joined(branches=True)
    branch = net.add("localNetworkGateways", "lng", localNetworkAddressSpace={"addressPrefixes": ["172.31.0.0/24"]})
    end = {"id": id_of("virtualNetworkGateways", "vpn")}
    branch_end = {"id": branch}
    net.add("connections", "s2s", connectionType="IPsec", virtualNetworkGateway1=end, localNetworkGateway2=branch_end)
    net.network("other", "10.8.0.0/16", GatewaySubnet="10.8.255.0/27")
    net.gateway("gw2", "other", allowRemoteVnetTraffic=True)
    net.connect("gw2", "er")
    net.bodies[id_of("virtualNetworkGateways", "gw")]["properties"]["allowRemoteVnetTraffic"] = True
    assert at_the_circuit(net)["172.31.0.0/24"] == (65515, 65515)
    assert told(net, "gw2") == {"10.8.0.0/16", "10.0.0.0/16", "192.168.0.0/16"}


@pytest.mark.parametrize("marked", ["allowBranchToBranchTraffic", "hubRoutingPreference"])
def test_whether_branches_talk_that_a_marker_hides_is_not_known(marked: str) -> None:
    net = joined(branches=True)
    net.bodies[SERVER]["properties"][marked] = "<param:hidden>"
    estate = net.estate(site(router()))
    forward, back = trace_one_way(estate, IN), trace_one_way(estate, HOME)
    assert forward.disposition == back.disposition == Disposition.INSUFFICIENT_INFORMATION
    assert marked in str(forward.missing) and marked in str(back.missing)
    assert trace_one_way(estate, flow("dc", "192.168.0.9", "10.0.2.4")).disposition == Disposition.DELIVERED


def test_at_scale_what_gateways_tell_each_other_is_not_known() -> None:
    for branches, word in ((True, "unknown"), (False, "unreachable")):
        reach = Reach.of(joined(branches=branches).estate(site(router())))
        row = reach.model.columns.machines.nics.index(id_of("networkInterfaces", "vm6-nic").lower())
        found = reach.words(reach.cold)[reach.model.units.of_machine[row]]
        assert {WORDS[int(one)] for one in found} == {word}
