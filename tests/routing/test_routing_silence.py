"""What has failed falls silent, whoever it is and by whichever of its names; and equal next hops share traffic."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest

from farshore.arm.ids import resource_id
from farshore.errors import InputError
from farshore.estate.estate import Change, Estate
from farshore.estate.outside import Advertisement, Outside
from farshore.routing import (
    Disposition,
    advertised_routes,
    describe,
    effective_routes,
    elements,
    judge,
    learned_routes,
    trace,
    trace_one_way,
    unread,
)
from farshore.routing.scale import WORDS, Proven, Reach, changed
from routing.small import Net, flow, id_of
from routing.test_routing_hubs import hub as virtual_hub
from routing.test_routing_hubs import learned, published, spokes
from routing.test_routing_traces import hub, router, site

VM = id_of("networkInterfaces", "vm-nic")
SERVER = id_of("virtualHubs", "rs")
FIRST, SECOND = "10.0.1.4", "10.0.1.5"


def with_route_server(*, branches: bool = False) -> Net:
    """A hub with a Route Server that two appliances speak to; `branches`: and a gateway that it speaks to."""
    net = Net()
    ranges = {"nva": "10.0.1.0/24", "app": "10.0.2.0/24", "RouteServerSubnet": "10.0.3.0/27"}
    net.network("hub", "10.0.0.0/16", GatewaySubnet="10.0.255.0/27", **ranges)
    for number, address in enumerate((FIRST, SECOND), 1):
        net.machine(f"nva{number}", ("hub", "nva", address), forward=True)
        net.add("virtualHubs/bgpConnections", "rs", f"nva{number}", peerIp=address, peerAsn=65001)
    net.machine("vm", ("hub", "app", "10.0.2.4"))
    net.add("virtualHubs", "rs", virtualRouterIps=["10.0.3.4", "10.0.3.5"], allowBranchToBranchTraffic=branches)
    place = {"id": id_of("virtualNetworks/subnets", "hub", "RouteServerSubnet")}
    net.add("virtualHubs/ipConfigurations", "rs", "ip", subnet=place)
    if branches:
        net.gateway("gw", "hub")
        net.circuit("er", "Hong Kong")
        net.connect("gw", "er")
    return net


def says(peer: str, prefix: str = "172.20.0.0/16", to: str = SERVER, **more: str) -> Advertisement:
    hop = {name: ip_address(text) for name, text in more.items()}
    return Advertisement(
        to=to.lower(), peer=ip_address(peer), prefix=ip_network(prefix), as_path=(65001,), next_hop=hop.get("next_hop")
    )


def hops(estate: Estate, prefix: str = "172.20.0.0/16") -> set[str]:
    rows = effective_routes(estate, VM)
    return {str(hop) for row in rows if row.address_prefix == ip_network(prefix) for hop in row.next_hop_ip_addresses}


NVA1 = id_of("virtualMachines", "nva1").lower()
DOWN = {
    "its machine": Outside(down=frozenset({NVA1})),
    "its NIC": Outside(down=frozenset({id_of("networkInterfaces", "nva1-nic").lower()})),
    "its address": Outside(down=frozenset({FIRST})),
    "its session": Outside(down=frozenset({id_of("virtualHubs/bgpConnections", "rs", "nva1").lower()})),
    "stopped": Outside(stopped=frozenset({NVA1})),
}


@pytest.mark.parametrize("named", DOWN)
def test_r46_what_a_dead_appliance_told_a_route_server_is_withdrawn(named: str) -> None:
    """Unlike a row of a user's table, which stays (R25)."""
    said = (says(FIRST), says(SECOND))
    estate = with_route_server(branches=True).estate(site(router()), outside=Outside(advertised=said))
    assert hops(estate) == {FIRST, SECOND}
    lost = estate.with_outside(replace(DOWN[named], advertised=said))
    assert hops(lost) == {SECOND}
    alone = estate.with_outside(replace(DOWN[named], advertised=said[:1]))
    assert hops(alone) == set()
    told = {str(route.network) for route in advertised_routes(alone, id_of("virtualNetworkGateways", "gw"))}
    assert told == {"10.0.0.0/16"}


def test_a_route_server_falls_silent_with_its_region_and_by_its_name() -> None:
    said = (says(FIRST),)
    net = with_route_server()
    net.network("far", "10.9.0.0/16", location="southeastasia", app="10.9.1.0/24")
    net.peer("hub", "far", lend=True)
    net.machine("remote", ("far", "app", "10.9.1.4"), location="southeastasia")
    for name in ("region:eastasia", SERVER.lower()):
        for down, expected in ((frozenset[str](), {"172.20.0.0/16"}), (frozenset({name}), set())):
            estate = net.estate(outside=Outside(advertised=said, down=down))
            rows = effective_routes(estate, id_of("networkInterfaces", "remote-nic"))
            assert {str(row.address_prefix) for row in rows if row.source == "VirtualNetworkGateway"} == expected


def test_r19_expressroute_comes_before_an_appliance_s_word_whatever_branches_do() -> None:
    """A Route Server that prefers the circuit's route tells the gateway no other: it is not said back."""
    for branches in (False, True):
        net = with_route_server(branches=True)
        net.bodies[SERVER]["properties"]["allowBranchToBranchTraffic"] = branches
        said = (says(FIRST, "192.168.0.0/16"), says(FIRST))
        estate = net.estate(site(router()), outside=Outside(advertised=said))
        assert hops(estate, "192.168.0.0/16") == {"172.16.0.2", "172.16.0.6"}, branches
        assert hops(estate) == {FIRST}
        told = {str(route.network) for route in advertised_routes(estate, id_of("virtualNetworkGateways", "gw"))}
        assert told == {"10.0.0.0/16"} | ({"172.20.0.0/16"} if branches else set())


def test_whether_an_appliance_speaks_that_nobody_can_read_is_not_known() -> None:
    net = with_route_server()
    machine = net.bodies[id_of("virtualMachines", "nva1")]
    machine["properties"]["instanceView"] = {"$unknown": "nva1's power"}
    estate = net.estate(outside=Outside(advertised=(says(FIRST), says(SECOND))))
    there = trace_one_way(estate, flow(VM, "10.0.2.4", "172.20.1.1"))
    assert there.disposition == Disposition.INSUFFICIENT_INFORMATION
    assert "nva1" in " ".join(there.missing)
    elsewhere = trace_one_way(estate, flow(VM, "10.0.2.4", "203.0.113.1"))
    assert elsewhere.disposition == Disposition.LEFT_ESTATE, "nothing was said of it"


def test_r19_another_preference_of_a_route_server_is_not_followed() -> None:
    net = with_route_server()
    net.bodies[SERVER]["properties"]["hubRoutingPreference"] = "ASPath"
    found = trace_one_way(net.estate(outside=SHARED), THERE)
    assert found.disposition == Disposition.INSUFFICIENT_INFORMATION
    assert found.missing == ("how virtualHubs/rs chooses by hubRoutingPreference aspath",)
    net.bodies[SERVER]["properties"]["hubRoutingPreference"] = "ExpressRoute"
    assert "chooses" not in str(trace_one_way(net.estate(outside=SHARED), THERE).missing)


def test_a_marker_in_a_neighbour_hides_what_it_says() -> None:
    net = with_route_server()
    net.bodies[id_of("virtualHubs/bgpConnections", "rs", "nva2")]["properties"]["peerIp"] = "[parameters('peer')]"
    estate = net.estate(outside=Outside(advertised=(says(FIRST), says(SECOND, "172.21.0.0/16"))))
    there = trace_one_way(estate, flow(VM, "10.0.2.4", "172.21.1.1"))
    assert there.disposition == Disposition.INSUFFICIENT_INFORMATION
    assert any("peerIp" in text for text in there.missing)


# Equal next hops


OUT = "198.51.100.0/24"
SHARED = Outside(advertised=(says(FIRST, OUT), says(SECOND, OUT)))
THERE = flow(VM, "10.0.2.4", "198.51.100.4")


def with_table(net: Net, subnet: str, hop: str) -> None:
    """A table of one route, to the range that the appliances say, on a subnet of the hub."""
    subnets = net.bodies[id_of("virtualNetworks", "hub")]["properties"]["subnets"]
    held = next(item for item in subnets if item["name"] == subnet)
    held["properties"]["routeTable"] = net.table(f"rt-{subnet}", (OUT, hop))


def test_r46_two_appliances_that_say_the_same_share_the_traffic_and_no_state() -> None:
    forward = trace_one_way(with_route_server().estate(outside=SHARED), THERE)
    first = forward.hops[1]
    assert first.kind == "appliance" and first.name == "nva1-nic, nva2-nic"
    keys = [id_of("virtualMachines", name).lower() for name in ("nva1", "nva2")]
    assert forward.stateful_hops[0] == "|".join(keys)
    assert "nva1-nic, nva2-nic" in describe(forward)


def test_what_an_appliance_does_with_what_it_announced_itself_is_not_known() -> None:
    """By Azure's tables it has the packet back; behind it is a tunnel, or whatever it spoke for."""
    for outside in (SHARED, Outside(advertised=SHARED.advertised[:1])):
        found = trace_one_way(with_route_server().estate(outside=outside), THERE)
        assert found.disposition == Disposition.INSUFFICIENT_INFORMATION
        assert found.missing == ("where nva1-nic sends what it announced",)


def test_of_equal_next_hops_one_that_does_not_forward_loses_its_share() -> None:
    """It goes on speaking BGP, so nothing is withdrawn (R24)."""
    net = with_route_server()
    net.bodies[id_of("networkInterfaces", "nva2-nic")]["properties"]["enableIPForwarding"] = False
    found = trace_one_way(net.estate(outside=SHARED), THERE)
    assert found.disposition == Disposition.PATH_DEAD and "nva2-nic has IP forwarding off" in found.because


def test_equal_next_hops_that_lead_to_different_ends_are_not_known() -> None:
    net = with_route_server()
    net.machine("nva2", ("hub", "app", "10.0.2.5"), forward=True)
    net.bodies[id_of("virtualHubs/bgpConnections", "rs", "nva2")]["properties"]["peerIp"] = "10.0.2.5"
    with_table(net, "nva", "Internet")
    said = (says(FIRST, OUT), says("10.0.2.5", OUT))
    found = trace_one_way(net.estate(outside=Outside(advertised=said)), THERE)
    assert found.disposition == Disposition.INSUFFICIENT_INFORMATION
    assert found.missing == ("which of nva1-nic and nva2-nic it takes",)


def test_an_objective_through_one_of_two_that_share_the_traffic_is_not_met() -> None:
    net = with_route_server()
    with_table(net, "nva", "Internet")
    forward = trace_one_way(net.estate(outside=SHARED), THERE)
    assert forward.disposition == Disposition.LEFT_ESTATE
    nics = [id_of("networkInterfaces", f"nva{number}-nic") for number in (1, 2)]
    machines = [id_of("virtualMachines", f"nva{number}") for number in (1, 2)]
    mixed = [machines[0], nics[1]]
    expected = {"bypass": (nics[:1], machines[1:]), "asymmetric": (nics, machines, mixed)}
    for word, ways in expected.items():
        assert {judge(forward, forward, through=through).kind for through in ways} == {word}


# Circuits, gateways, hubs


def test_a_neighbour_of_a_circuit_that_is_down_is_not_heard() -> None:
    net = Net()
    hub(net)
    circuit = id_of("expressRouteCircuits", "er")
    said = (says("172.16.0.1", "192.168.0.0/16", to=f"{circuit}#primary"),)
    gateway = id_of("virtualNetworkGateways", "gw")
    heard = [
        {str(route.network) for route in learned_routes(net.estate(outside=outside), gateway)}
        for outside in (Outside(advertised=said), Outside(advertised=said, down=frozenset({"172.16.0.1"})))
    ]
    assert heard[0] - heard[1] == {"192.168.0.0/16"}


def test_e26_a_gateway_both_of_whose_instances_are_down_by_address_is_silent() -> None:
    net = Net()
    hub(net)
    gateway = id_of("virtualNetworkGateways", "gw").lower()
    both = frozenset({f"{gateway}#10.0.255.12", f"{gateway}#10.0.255.13"})
    for down in (both, frozenset({f"{gateway}#0", f"{gateway}#10.0.255.13"})):
        estate = net.estate(site(router()), outside=Outside(down=down))
        assert (
            learned_routes(estate, gateway) == ()
            and advertised_routes(estate, id_of("expressRouteCircuits", "er")) == ()
        )
    one = net.estate(site(router()), outside=Outside(down=frozenset({f"{gateway}#10.0.255.13"})))
    said = advertised_routes(one, gateway)
    assert {str(route.next_hop) for route in said} == {"10.0.255.12"}


def test_at_scale_an_instance_is_down_by_its_address_too() -> None:
    net = Net()
    hub(net)
    net.machine("nva", ("hub", "nva", "10.0.1.4"), forward=True)
    reach = Reach.of(net.estate(site(router())))
    gateway = id_of("virtualNetworkGateways", "gw").lower()
    by_address = reach.when(frozenset({f"{gateway}#10.0.255.12", f"{gateway}#10.0.255.13"}))
    by_number = reach.when(frozenset({f"{gateway}#0", f"{gateway}#1"}))
    assert reach.totals(by_address) == reach.totals(by_number) != reach.totals()


def test_at_scale_one_machine_of_many_that_are_counted_together_is_refused() -> None:
    net = Net()
    hub(net)
    with pytest.raises(InputError, match="counted together"):
        Reach.of(net.estate(site(router()))).when(frozenset({id_of("virtualMachines", "vm").lower()}))


def test_r50_a_hub_in_a_lost_region_tells_the_other_hubs_nothing() -> None:
    net, outside = published()
    virtual_hub(net, "vhub2", "192.168.2.0/24", location="southeastasia")
    spokes(net, "vhub2", ("far", "172.17.1.0/24"))
    near = learned(net.estate(outside=outside), "spoke1")
    assert "172.17.1.0/24" in {prefix for prefix, _ in near}
    lost = net.estate(outside=replace(outside, down=frozenset({"region:southeastasia"})))
    assert learned(lost, "spoke1") == {(prefix, hop) for prefix, hop in near if prefix != "172.17.1.0/24"}
    away = net.estate(outside=replace(outside, down=frozenset({"region:eastasia"})))
    assert learned(away, "far") == set(), "all that it knew came from the lost hub"


def test_what_a_local_gateway_stands_for_that_can_t_be_read_is_not_known() -> None:
    net = Net()
    net.network("hub", "10.0.0.0/16", GatewaySubnet="10.0.255.0/27", app="10.0.2.0/24")
    net.machine("vm", ("hub", "app", "10.0.2.4"))
    gateway = net.gateway("vpn", "hub", kind="Vpn")
    branch = net.add("localNetworkGateways", "lng", localNetworkAddressSpace={"addressPrefixes": ["<param:range>"]})
    ends = {"virtualNetworkGateway1": {"id": gateway}, "localNetworkGateway2": {"id": branch}}
    own = net.add("connections", "s2s")
    net.bodies[own]["properties"] |= {"connectionType": "IPsec", **ends}
    estate = net.estate()
    found = trace_one_way(estate, flow(VM, "10.0.2.4", "192.168.1.1"))
    assert found.disposition == Disposition.INSUFFICIENT_INFORMATION
    assert any("localNetworkAddressSpace" in text for text in unread(estate, gateway))


def test_a_tunnel_falls_with_its_instance_and_by_its_name() -> None:
    """`CONNECTION#ADDRESS` is the tunnel of one instance: the connection carries while one is left."""
    net = Net()
    net.network("hub", "10.0.0.0/16", GatewaySubnet="10.0.255.0/27")
    gateway = net.gateway("vpn", "hub", kind="Vpn", activeActive=True)
    branch = net.add("localNetworkGateways", "lng", localNetworkAddressSpace={"addressPrefixes": ["192.168.0.0/16"]})
    tunnel = net.add(
        "connections",
        "s2s",
        connectionType="IPsec",
        virtualNetworkGateway1={"id": gateway},
        localNetworkGateway2={"id": branch},
    )
    said = (says("192.168.255.1", "192.168.64.0/18", to=tunnel),)

    def heard(*down: str) -> set[str]:
        outside = Outside(advertised=said, down=frozenset(name.lower() for name in down))
        return {str(route.network) for route in learned_routes(net.estate(outside=outside), gateway)} - {"10.0.0.0/16"}

    both = {"192.168.0.0/16", "192.168.64.0/18"}
    assert heard() == heard(f"{tunnel}#10.0.255.12") == both
    assert heard(f"{tunnel}#10.0.255.12", f"{gateway}#1") == heard(tunnel) == set()
    assert heard("192.168.255.1") == {"192.168.0.0/16"}


def test_e26_an_active_standby_gateway_has_one_address_whichever_instance_has_it() -> None:
    net = Net()
    net.network("hub", "10.0.0.0/16", GatewaySubnet="10.0.255.0/27")
    gateway = net.gateway("vpn", "hub", kind="Vpn", bgpSettings={"bgpPeeringAddress": "10.0.255.30", "asn": 65515})
    branch = net.add("localNetworkGateways", "lng", localNetworkAddressSpace={"addressPrefixes": ["192.168.0.0/16"]})
    ends = (gateway, branch)
    tunnel = net.add(
        "connections",
        "s2s",
        connectionType="IPsec",
        virtualNetworkGateway1={"id": ends[0]},
        localNetworkGateway2={"id": ends[1]},
    )

    def heard(*down: str) -> bool:
        outside = Outside(down=frozenset(name.lower() for name in down))
        found = learned_routes(net.estate(outside=outside), gateway)
        return ip_network("192.168.0.0/16") in {route.network for route in found}

    assert heard() and heard(f"{gateway}#0") and heard(f"{gateway}#1")
    assert not heard(f"{gateway}#0", f"{gateway}#1") and not heard(f"{tunnel}#10.0.255.30")


def test_a_tunnel_between_gateways_needs_the_far_side_s_tunnels_too() -> None:
    net = Net()
    for number in (1, 2):
        net.network(f"n{number}", f"10.{number}.0.0/16", GatewaySubnet=f"10.{number}.255.0/27")
        net.gateway(f"g{number}", f"n{number}", kind="Vpn")
    for own, far in ((1, 2), (2, 1)):
        net.add(
            "connections",
            f"c{own}",
            connectionType="Vnet2Vnet",
            virtualNetworkGateway1={"id": id_of("virtualNetworkGateways", f"g{own}")},
            virtualNetworkGateway2={"id": id_of("virtualNetworkGateways", f"g{far}")},
        )
    other = id_of("connections", "c2").lower()
    both = frozenset({f"{other}#10.2.255.12", f"{other}#10.2.255.13"})
    for down, heard in ((frozenset[str](), True), (both, False)):
        found = learned_routes(net.estate(outside=Outside(down=down)), id_of("virtualNetworkGateways", "g1"))
        assert (ip_network("10.2.0.0/16") in {route.network for route in found}) is heard


def test_a_next_hop_in_a_peer_whose_peering_can_t_be_read_is_not_known() -> None:
    net = with_route_server()
    net.network("beyond", "10.1.0.0/16", nva="10.1.1.0/24")
    net.machine("far", ("beyond", "nva", "10.1.1.4"), forward=True)
    net.peer("hub", "beyond", state="<param:state>")
    with_table(net, "app", "10.1.1.4")
    found = trace_one_way(net.estate(), THERE)
    assert found.disposition == Disposition.INSUFFICIENT_INFORMATION and "peeringState" in found.missing[0]


# At scale


def words(estate: Estate) -> set[str]:
    return {word for word, cells in Reach.of(estate).totals().items() if cells}


def test_at_scale_whom_sites_are_sent_to_by_a_route_server_s_word_is_not_known() -> None:
    """R46: the gateway announces it beside the network that has it."""
    net = with_route_server(branches=True)
    net.network("s", "10.2.0.0/16", GatewaySubnet="10.2.255.0/27", app="10.2.2.0/24")
    net.machine("vm2", ("s", "app", "10.2.2.4"))
    net.gateway("gw2", "s")
    net.connect("gw2", "er")
    net.bodies[id_of("networkInterfaces", "nva1-nic")]["properties"]["enableIPForwarding"] = False
    estate = net.estate(site(router()), outside=Outside(advertised=(says(FIRST, "10.2.2.0/24"),)))
    there = flow("dc", "192.168.0.5", "10.2.2.4")
    assert judge(*trace(estate, there)).kind == "unreachable"
    reach = Reach.of(estate)
    row = reach.model.columns.machines.nics.index(id_of("networkInterfaces", "vm2-nic").lower())
    assert WORDS[int(reach.words(reach.cold)[reach.model.units.of_machine[row]][0])] == "unknown"


@pytest.mark.parametrize(
    "path", [("virtualHubs/ipConfigurations", ("rs", "ip")), ("virtualHubs/bgpConnections", ("rs", "nva2"))]
)
def test_at_scale_a_marker_in_a_route_server_is_noticed(path: tuple[str, tuple[str, str]]) -> None:
    net = with_route_server(branches=True)
    kind, names = path
    properties = net.bodies[id_of(kind, *names)]["properties"]
    if "subnet" in properties:
        properties["subnet"] = {"id": "<param:subnet>"}
    else:
        properties["peerIp"] = "<param:peer>"
    estate = net.estate(site(router()), outside=Outside(advertised=(says(SECOND, "192.168.0.0/17"),)))
    out = flow(VM, "10.0.2.4", "192.168.0.5")
    assert judge(*trace(estate, out)).kind == "unknown"
    reach = Reach.of(estate)
    row = reach.model.columns.machines.nics.index(VM.lower())
    ends = reach.model.ends
    inside = [at for at, first in enumerate(ends.first.tolist()) if first == int(ip_address("192.168.0.0"))]
    found = {WORDS[int(reach.words(reach.cold)[reach.model.units.of_machine[row]][at])] for at in inside}
    assert inside and found == {"unknown"}


def test_at_scale_what_nobody_can_tell_about_makes_everything_unknown() -> None:
    """A trace tries it both ways; cells don't."""
    unknown = Outside(unknown=frozenset({id_of("virtualNetworkGateways", "gw").lower()}))
    estate = with_route_server(branches=True).estate(site(router()))
    assert words(estate.with_outside(unknown)) == {"unknown"} != words(estate)


def test_a_change_of_who_speaks_bgp_has_no_short_way() -> None:
    net = with_route_server(branches=True)
    estate = net.estate(site(router()), outside=Outside(advertised=(says(SECOND, "192.168.0.0/17"),)))
    proven = Proven.of(Reach.of(estate), elements(estate))
    off = {"statuses": [{"code": "PowerState/deallocated"}]}
    for name in ("virtualMachines", "networkInterfaces"):
        body = net.bodies[id_of(name, "nva2" if name == "virtualMachines" else "nva2-nic")]
        put = Change(put={**body, "properties": {**body["properties"], "instanceView": off}})
        assert changed(proven, put) is None


def test_a_machine_that_is_gone_or_lets_go_of_its_nic_has_no_short_way() -> None:
    net = Net()
    hub(net)
    estate = net.estate(site(router()))
    proven = Proven.of(Reach.of(estate), elements(estate))
    machine = net.bodies[id_of("virtualMachines", "vm")]
    bare = {**machine, "properties": {**machine["properties"], "networkProfile": {"networkInterfaces": []}}}
    assert changed(proven, Change(delete=resource_id(str(machine["id"])))) is None
    assert changed(proven, Change(put=bare)) is None
    assert changed(proven, Change(put=machine)) is not None


def test_a_table_of_one_neighbour_is_refused_where_there_is_none() -> None:
    net = Net()
    hub(net)
    estate = net.estate(site(router()))
    gateway, circuit = id_of("virtualNetworkGateways", "gw"), id_of("expressRouteCircuits", "er")
    for id_ in (gateway, circuit):
        with pytest.raises(InputError, match="Route Servers alone"):
            learned_routes(estate, id_, peer="10.0.1.4")
    first = advertised_routes(estate, circuit, "172.16.0.1")
    assert first and first == advertised_routes(estate, f"{circuit}#primary")
    with pytest.raises(InputError, match="no such neighbour") as failure:
        advertised_routes(estate, circuit, "10.0.1.4")
    assert "172.16.0.1, 172.16.0.5" in str(failure.value.expected)
    assert advertised_routes(estate, f"{circuit}#secondary", "172.16.0.1") == ()
