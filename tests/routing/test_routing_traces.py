"""Traces through what the examples do not have: tunnels, Route Servers, load balancers, firewalls, IPv6, markers."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network

import numpy as np
import pytest

from farshore.arm.ids import resource_id
from farshore.errors import InputError
from farshore.estate.outside import Advertisement, Outside, Router, Site
from farshore.routing import (
    Disposition,
    effective_routes,
    elements,
    judge,
    learned_routes,
    select,
    trace,
    trace_one_way,
)
from farshore.routing.scale.ingress import preferring, rank_of
from routing.small import Net, flow, id_of


def hub(net: Net, *, appliance: str = "10.0.1.4", gateway_routes: tuple[tuple[str, str], ...] = ()) -> None:
    """A hub with an ExpressRoute gateway and one spoke whose traffic goes to `appliance`."""
    routes = gateway_routes or (("10.1.0.0/24", appliance),)
    net.network(
        "hub",
        "10.0.0.0/16",
        nva="10.0.1.0/24",
        GatewaySubnet={"addressPrefix": "10.0.255.0/27", "routeTable": net.table("rt-gateway", *routes)},
    )
    table = net.table("rt-spoke", ("0.0.0.0/0", appliance), propagate=False)
    net.network("spoke", "10.1.0.0/24", app={"addressPrefix": "10.1.0.0/24", "routeTable": table})
    net.peer("hub", "spoke", lend=True)
    net.machine("vm", ("spoke", "app", "10.1.0.4"))
    net.gateway("gw", "hub")
    net.circuit("er", "Hong Kong")
    net.connect("gw", "er")


def site(*routers: Router, name: str = "dc", prefix: str = "192.168.0.0/16") -> Site:
    return Site(name=name, asn=65010, prefixes=(ip_network(prefix),), routers=routers)


def router(name: str = "ce1", circuit: str = "er") -> Router:
    return Router(name=name, circuit=resource_id(id_of("expressRouteCircuits", circuit)))


IN = flow("dc", "192.168.1.1", "10.1.0.4")


def test_an_azure_firewall_is_an_appliance_without_a_nic() -> None:
    net = Net()
    hub(net)
    place = {"privateIPAddress": "10.0.1.4", "subnet": {"id": id_of("virtualNetworks/subnets", "hub", "nva")}}
    firewall = net.add("azureFirewalls", "fw", ipConfigurations=[{"name": "a", "properties": place}])
    estate = net.estate(site(router()))
    assert judge(*trace(estate, IN), through=firewall).good
    down = estate.with_outside(Outside(down=frozenset({firewall.lower()})))
    assert trace(down, IN)[0].disposition == Disposition.PATH_DEAD


def test_an_appliance_with_two_nics_is_one_stateful_thing() -> None:
    """In by one, out by the other: what keeps the state is the machine. Where its own choice matters we can't know."""
    net = Net()
    hub(net)
    net.machine("fw", ("hub", "nva", "10.0.1.4"), ("hub", "nva", "10.0.1.5"), forward=True)
    assert judge(*trace(net.estate(site(router())), IN)).good
    two = Net()
    hub(two)
    dead_end = two.table("rt-outer", ("10.1.0.0/24", "None"))
    subnets = two.bodies[id_of("virtualNetworks", "hub")]["properties"]["subnets"]
    subnets.append({"name": "outer", "properties": {"addressPrefix": "10.0.2.0/24", "routeTable": dead_end}})
    two.machine("fw", ("hub", "nva", "10.0.1.4"), ("hub", "outer", "10.0.2.4"), forward=True)
    forward, _ = trace(two.estate(site(router())), IN)
    assert forward.disposition == Disposition.INSUFFICIENT_INFORMATION
    assert forward.missing == ("by which NIC fw sends to 10.1.0.4",)


def test_an_appliance_elsewhere_on_each_way_is_asymmetric() -> None:
    net = Net()
    hub(net, gateway_routes=(("10.1.0.0/24", "10.0.1.5"),))
    net.machine("fw1", ("hub", "nva", "10.0.1.4"), forward=True)
    net.machine("fw2", ("hub", "nva", "10.0.1.5"), forward=True)
    verdict = judge(*trace(net.estate(site(router())), IN))
    assert verdict.kind == "asymmetric" and verdict.unsafe
    assert verdict.because == "only the flow passes fw2-nic, only the reply passes fw1-nic"


def test_a_tunnel_between_two_networks_carries_both_ways() -> None:
    net = Net()
    for name, number in (("one", 1), ("two", 2)):
        net.network(name, f"10.{number}.0.0/16", app=f"10.{number}.0.0/24", GatewaySubnet=f"10.{number}.255.0/27")
        net.gateway(f"gw-{name}", name, kind="Vpn")
        net.machine(f"vm-{name}", (name, "app", f"10.{number}.0.4"))
    for own, far in (("one", "two"), ("two", "one")):
        net.add(
            "connections",
            f"{own}-to-{far}",
            connectionType="Vnet2Vnet",
            virtualNetworkGateway1={"id": id_of("virtualNetworkGateways", f"gw-{own}")},
            virtualNetworkGateway2={"id": id_of("virtualNetworkGateways", f"gw-{far}")},
        )
    estate = net.estate()
    there = flow(id_of("networkInterfaces", "vm-one-nic"), "10.1.0.4", "10.2.0.4")
    forward, back = trace(estate, there)
    assert [hop.kind for hop in forward.hops] == ["machine", "gateway", "tunnel", "gateway", "machine"]
    assert judge(forward, back).good
    half = estate.with_outside(Outside(down=frozenset({id_of("connections", "two-to-one").lower()})))
    assert trace(half, there)[0].disposition == Disposition.NO_ROUTE


def test_a_route_server_sends_traffic_to_the_appliance_that_announced_it() -> None:
    """R46."""
    net = Net()
    net.network("hub", "10.0.0.0/16", nva="10.0.1.0/24", app="10.0.2.0/24", RouteServerSubnet="10.0.3.0/27")
    net.machine("nva", ("hub", "nva", "10.0.1.4"), forward=True)
    net.machine("vm", ("hub", "app", "10.0.2.4"))
    server = net.add("virtualHubs", "rs", virtualRouterIps=["10.0.3.4", "10.0.3.5"])
    place = {"id": id_of("virtualNetworks/subnets", "hub", "RouteServerSubnet")}
    net.add("virtualHubs/ipConfigurations", "rs", "ip", subnet=place)
    net.add("virtualHubs/bgpConnections", "rs", "nva", peerIp="10.0.1.4", peerAsn=65001)
    says = Advertisement(
        to=server.lower(), peer=ip_address("10.0.1.4"), prefix=ip_network("172.20.0.0/16"), as_path=(65001,)
    )
    estate = net.estate(outside=Outside(advertised=(says,)))
    vm = id_of("networkInterfaces", "vm-nic")
    row = select(effective_routes(estate, vm), ip_address("172.20.1.1")).chosen
    assert row is not None and row.next_hop_ip_addresses == (ip_address("10.0.1.4"),)
    forward, _ = trace(estate, flow(vm, "10.0.2.4", "172.20.1.1"))
    assert [hop.name for hop in forward.hops][:2] == ["vm-nic", "nva-nic"]
    assert [str(route.network) for route in learned_routes(estate, server, peer="10.0.1.4")] == ["172.20.0.0/16"]


def test_two_sites_that_say_one_range_are_ambiguous_for_azure() -> None:
    net = Net()
    hub(net)
    net.machine("fw", ("hub", "nva", "10.0.1.4"), forward=True)
    net.circuit("er2", "Singapore", 1)
    net.connect("gw", "er2")
    two = (site(router()), site(router("ce2", "er2"), name="branch"))
    out = flow(id_of("networkInterfaces", "vm-nic"), "10.1.0.4", "192.168.1.1")
    forward = trace_one_way(net.estate(*two), out)
    assert forward.disposition == Disposition.AMBIGUOUS and set(forward.missing) == {"dc", "branch"}
    longer = (two[0], site(router("ce2", "er2"), name="branch", prefix="192.168.1.0/24"))
    assert trace_one_way(net.estate(*longer), out).hops[-1].name == "branch"


def test_a_range_that_only_overlaps_is_decided_by_length() -> None:
    """E40: the edge follows the longest prefix, so the machine behind the shorter one is not reached."""
    net = Net()
    hub(net)
    net.machine("fw", ("hub", "nva", "10.0.1.4"), forward=True)
    net.network("far", "10.1.0.0/25", GatewaySubnet="10.1.0.96/27", location="southeastasia")
    net.gateway("gw-far", "far")
    net.connect("gw-far", "er")
    forward = trace_one_way(net.estate(site(router())), IN)
    assert forward.disposition == Disposition.NO_MACHINE and "far" in forward.because


def with_endpoint(*routes: tuple[str, str]) -> Net:
    """A network with a machine and a private endpoint that user-defined routes govern (R49)."""
    net = Net()
    subnet = {"addressPrefix": "10.0.2.0/24", "privateEndpointNetworkPolicies": "Enabled"}
    app = {"addressPrefix": "10.0.1.0/24", "routeTable": net.table("rt", *routes)}
    net.network("hub", "10.0.0.0/16", location="westeurope", app=app, ends=subnet)
    net.machine("vm", ("hub", "app", "10.0.1.4"))
    place = {"id": id_of("virtualNetworks/subnets", "hub", "ends")}
    address = {"privateIPAddress": "10.0.2.4", "subnet": place, "primary": True}
    nic = net.add("networkInterfaces", "pe-nic", ipConfigurations=[{"name": "a", "properties": address}])
    net.add("privateEndpoints", "pe", subnet=place, networkInterfaces=[{"id": nic}])
    return net


@pytest.mark.parametrize("routes", [(), (("10.0.0.0/16", "VnetLocal"),)])
def test_a_private_endpoint_takes_what_comes_by_its_own_row_or_by_the_network_s(
    routes: tuple[tuple[str, str], ...],
) -> None:
    """R49: where a route governs the endpoint its own row is Invalid, and the route leads to it all the same."""
    net = with_endpoint(*routes)
    there = flow(id_of("networkInterfaces", "vm-nic"), "10.0.1.4", "10.0.2.4")
    taken = trace_one_way(net.estate(), there)
    assert taken.disposition == Disposition.DELIVERED and taken.because == "to privateEndpoints/pe"


def test_another_endpoint_at_the_same_address_is_governed_by_its_own_subnet_s_policies() -> None:
    """R49 in a target that kept the addresses."""
    net = with_endpoint(("10.0.0.0/16", "VnetLocal"))
    hub_ = net.bodies[id_of("virtualNetworks", "hub")]["properties"]
    off = {"privateEndpointNetworkPolicies": "Disabled"}
    copy = [item | {"properties": item["properties"] | off} for item in hub_["subnets"]]
    net.network("copy", "10.0.0.0/16")
    net.bodies[id_of("virtualNetworks", "copy")]["properties"]["subnets"] = copy
    place = {"id": id_of("virtualNetworks/subnets", "copy", "ends")}
    address = {"privateIPAddress": "10.0.2.4", "subnet": place, "primary": True}
    nic = net.add("networkInterfaces", "pe2-nic", ipConfigurations=[{"name": "a", "properties": address}])
    net.add("privateEndpoints", "pe2", subnet=place, networkInterfaces=[{"id": nic}])
    estate = net.estate()
    for network, state in (("hub", "Invalid"), ("copy", "Active")):
        held = effective_routes(estate, id_of("virtualNetworks/subnets", network, "app"))
        assert [row.state for row in held if row.next_hop_type == "InterfaceEndpoint"] == [state]


def test_a_private_endpoint_goes_down_with_its_region() -> None:
    net = with_endpoint()
    net.network("far", "10.1.0.0/16", app="10.1.0.0/24")
    net.machine("vm2", ("far", "app", "10.1.0.4"))
    net.peer("hub", "far")
    estate = net.estate(outside=Outside(down=frozenset({"region:westeurope"})))
    lost = trace_one_way(estate, flow(id_of("networkInterfaces", "vm2-nic"), "10.1.0.4", "10.0.2.4"))
    assert lost.disposition == Disposition.PATH_DEAD


def test_nobody_on_the_internet_replies_to_what_goes_to_a_private_address() -> None:
    """The reply would go in circles at the appliance; there is none."""
    net = Net()
    own = net.table("rt-nva", ("192.168.0.0/16", "Internet"), ("10.1.0.0/24", "10.0.1.4"), propagate=False)
    net.network("hub", "10.0.0.0/16", nva={"addressPrefix": "10.0.1.0/24", "routeTable": own})
    table = net.table("rt-spoke", ("0.0.0.0/0", "10.0.1.4"))
    net.network("spoke", "10.1.0.0/24", app={"addressPrefix": "10.1.0.0/24", "routeTable": table})
    net.peer("hub", "spoke")
    net.machine("nva", ("hub", "nva", "10.0.1.4"), forward=True)
    net.machine("vm", ("spoke", "app", "10.1.0.4"))
    forward, back = trace(net.estate(), flow(id_of("networkInterfaces", "vm-nic"), "10.1.0.4", "192.168.0.9"))
    assert forward.disposition == Disposition.LEFT_ESTATE
    assert not back.hops and judge(forward, back).kind == "unreachable"


def test_the_internet_by_way_of_a_site_that_says_default() -> None:
    """R27: a 0/0 from on-premises draws everything there."""
    net = Net()
    net.network("hub", "10.0.0.0/16", app="10.0.1.0/24", GatewaySubnet="10.0.255.0/27")
    net.machine("vm", ("hub", "app", "10.0.1.4"))
    net.gateway("gw", "hub")
    net.circuit("er", "Hong Kong")
    net.connect("gw", "er")
    vm = id_of("networkInterfaces", "vm-nic")
    pulls = replace(site(router()), prefixes=(ip_network("192.168.0.0/16"), ip_network("0.0.0.0/0")))
    forward, back = trace(net.estate(pulls), flow(vm, "10.0.1.4", "8.8.8.8"))
    assert forward.because == "to the internet through dc" and judge(forward, back).good
    silent = net.estate(replace(pulls, prefixes=(ip_network("192.168.0.0/16"),)))
    assert trace(silent, flow(vm, "10.0.1.4", "8.8.8.8"))[0].because == "to the internet"


def test_a_marker_that_decides_ends_in_not_knowing() -> None:
    net = Net()
    hub(net)
    net.machine("fw", ("hub", "nva", "10.0.1.4"), forward=True)
    net.bodies[id_of("routeTables", "rt-gateway")]["properties"]["routes"][0]["properties"]["addressPrefix"] = (
        "<param:x>"
    )
    forward, _ = trace(net.estate(site(router())), IN)
    assert forward.disposition == Disposition.INSUFFICIENT_INFORMATION
    assert forward.missing == ("routeTables/rt-gateway routes[0].properties.addressPrefix",)
    known = Net()
    hub(known)
    known.machine("fw", ("hub", "nva", "10.0.1.4"), forward=True)
    known.bodies[id_of("connections", "gw-er")]["properties"]["peer"] = {"id": "<reference er>"}
    forward, _ = trace(known.estate(site(router())), IN)
    assert forward.disposition == Disposition.INSUFFICIENT_INFORMATION
    assert forward.missing == ("connections/gw-er peer.id",)


def test_a_network_that_is_not_in_the_estate_is_not_known() -> None:
    net = Net()
    net.network("hub", "10.0.0.0/16", app="10.0.1.0/24")
    half = {
        "remoteVirtualNetwork": {"id": id_of("virtualNetworks", "shared")},
        "remoteAddressSpace": {"addressPrefixes": ["10.9.0.0/16"]},
        "peeringState": "Connected",
    }
    net.bodies[id_of("virtualNetworks", "hub")]["properties"]["virtualNetworkPeerings"] = [
        {"name": "to-shared", "properties": half}
    ]
    vm = net.machine("vm", ("hub", "app", "10.0.1.4"))
    forward = trace_one_way(net.estate(), flow(vm, "10.0.1.4", "10.9.0.4"))
    assert forward.disposition == Disposition.INSUFFICIENT_INFORMATION


def test_the_address_is_looked_for_in_the_network_that_was_reached() -> None:
    """A source and its target hold the same addresses; a reply that comes to the other one is nobody's."""
    net = Net()
    net.network("one", "10.1.0.0/24", app="10.1.0.0/24")
    net.network("two", "10.1.0.0/24", app="10.1.0.0/24")
    vm = net.machine("vm", ("one", "app", "10.1.0.4"))
    net.machine("other", ("one", "app", "10.1.0.5"))
    net.machine("copy", ("two", "app", "10.1.0.5"))
    forward = trace_one_way(net.estate(), flow(vm, "10.1.0.4", "10.1.0.5"))
    assert str(forward.delivered_to).endswith("other-nic")


def test_wrong_owner_is_whoever_was_not_promised() -> None:
    net = Net()
    hub(net)
    net.machine("fw", ("hub", "nva", "10.0.1.4"), forward=True)
    pair = trace(net.estate(site(router())), IN)
    assert judge(*pair, promised=id_of("networkInterfaces", "VM-nic")).good
    assert judge(*pair, promised=id_of("networkInterfaces", "vm-nic-asr")).kind == "wrong-owner"


def test_unknown_things_that_do_not_matter_do_not_matter() -> None:
    net = Net()
    hub(net)
    net.machine("fw", ("hub", "nva", "10.0.1.4"), forward=True)
    estate = net.estate(site(router()))
    link = id_of("expressRouteCircuits", "er").lower()
    one = estate.with_outside(Outside(unknown=frozenset({f"{link}#primary"})))
    assert judge(*trace(one, IN)).good
    both = estate.with_outside(Outside(unknown=frozenset({f"{link}#primary", f"{link}#secondary", "region:elsewhere"})))
    forward, _ = trace(both, IN)
    assert forward.disposition == Disposition.INSUFFICIENT_INFORMATION
    assert forward.missing == ("whether er#primary works", "whether er#secondary works")


def test_ipv6_goes_its_own_way() -> None:
    """A circuit without an IPv6 session carries IPv4 only; a NIC without an IPv6 address shows no IPv6 rows (R10a)."""
    net = Net()
    net.network("hub", "10.0.0.0/16", "fd00:a::/56", app={"addressPrefixes": ["10.0.1.0/24", "fd00:a:0:1::/64"]})
    one = net.machine("one", ("hub", "app", "fd00:a:0:1::4"))
    net.machine("two", ("hub", "app", "fd00:a:0:1::5"))
    four = net.machine("four", ("hub", "app", "10.0.1.4"))
    estate = net.estate()
    assert trace_one_way(estate, flow(one, "fd00:a:0:1::4", "fd00:a:0:1::5")).disposition == Disposition.DELIVERED
    assert {row.address_prefix.version for row in effective_routes(estate, four)} == {4}
    assert {row.address_prefix.version for row in effective_routes(estate, one)} == {6}


def test_every_failure_names_what_is_down_and_each_is_felt_or_not() -> None:
    net = Net()
    hub(net)
    net.machine("fw", ("hub", "nva", "10.0.1.4"), forward=True)
    estate = net.estate(site(router()))
    felt = {}
    for element in elements(estate):
        world = estate.with_outside(replace(estate.outside, down=element.down))
        felt[str(element)] = judge(*trace(world, IN)).kind
    assert felt == {
        "circuit-link er primary": "delivered",
        "circuit-link er secondary": "delivered",
        "circuit er": "unreachable",
        "peering-location Hong Kong": "unreachable",
        "gateway-instance gw 0": "delivered",
        "gateway-instance gw 1": "delivered",
        "gateway gw": "unreachable",
        "connection gw-er": "unreachable",
        "appliance fw": "unreachable",
        "region eastasia": "unreachable",
        "router dc/ce1": "unreachable",
    }


@pytest.mark.parametrize("name", ["networkInterfaces", "virtualNetworkGateways"])
def test_what_is_not_there_is_bad_input(name: str) -> None:
    estate = Net().estate()
    with pytest.raises(InputError, match=r"There is no such|Nothing in the estate"):
        effective_routes(estate, id_of(name, "no"))
    with pytest.raises(InputError, match="Nothing in the estate speaks BGP"):
        learned_routes(estate, id_of(name, "no"))


def test_an_appliance_and_its_namesake_in_the_target_are_named_once() -> None:
    net = Net()
    hub(net, gateway_routes=(("10.9.0.0/24", "10.0.1.4"),))
    net.bodies[id_of("routeTables", "rt-spoke")]["properties"].update(routes=[], disableBgpRoutePropagation=False)
    nic = net.machine("fw", ("hub", "nva", "10.0.1.4"), forward=True)
    there = nic.replace("/resourceGroups/", "/resourceGroups/dr-")
    verdict = judge(*trace(net.estate(site(router())), IN), through=(nic, there))
    assert verdict.kind == "bypass" and verdict.because == "192.168.1.1 reaches 10.1.0.4 past fw-nic"


def test_e42_a_site_takes_preference_then_path_then_the_lowest_med() -> None:
    net = Net()
    hub(net)
    net.machine("fw", ("hub", "nva", "10.0.1.4"), forward=True)
    net.circuit("er2", "Singapore", third=1)
    net.connect("gw", "er2")

    def circuit(first: Router, second: Router) -> str:
        forward, _ = trace(net.estate(site(first, second)), IN)
        return next(hop.name for hop in forward.hops if hop.kind == "circuit")

    one, other = replace(router(), med=20), replace(router("ce2", "er2"), med=10)
    assert circuit(one, other) == "er2"
    assert circuit(replace(one, local_preference=200), other) == "er"
    assert circuit(replace(one, med=10), other) == "er, er2"
    forward, _ = trace(net.estate(site(one, other)), IN)
    reasons = [passed.reason for hop in forward.hops if hop.choice for passed in hop.choice.passed_over]
    assert "MED 20 is more than 10" in reasons


def test_e42_the_scale_engine_has_the_same_order() -> None:
    order = [rank_of(preference, med) for preference, med in ((2**32 - 1, 0), (200, 5), (200, 2**31 - 1), (100, 0))]
    assert order == sorted(order)
    assert preferring(np.array([rank_of(100, 7)]), 300).tolist() == [rank_of(300, 7)]
