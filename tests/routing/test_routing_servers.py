"""Whom a Route Server hears, and whom it tells: nobody is heard who is not there (R46)."""

from __future__ import annotations

from typing import Any

import pytest

from farshore.arm.json import Body
from farshore.estate.outside import Outside
from farshore.routing import Disposition, learned_routes, trace_one_way
from routing.small import Net, flow, id_of
from routing.test_routing_silence import FIRST, SERVER, VM, hops, says, with_route_server

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
