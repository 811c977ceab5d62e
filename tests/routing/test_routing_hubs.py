"""Virtual WAN hubs, as far as effective routes go (R50): a published table's estate, and what its neighbours imply."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any

from farshore.arm.ids import resource_id
from farshore.estate.estate import Estate
from farshore.estate.outside import Advertisement, Outside, Router, Site
from farshore.routing import Disposition, Routing, effective_routes, trace_one_way, unread
from routing.cases import flat
from routing.small import Net, flow, id_of

HUB = id_of("virtualHubs", "vhub1")
VPN = id_of("vpnGateways", "vpn")
ER = id_of("expressRouteGateways", "erg")
ROUTER = ip_address("40.74.161.110")
"""What spokes see of the router is an address of its own, not one of its instances in the hub."""


def spokes(net: Net, hub: str, *names: tuple[str, str], **routing: Any) -> None:
    for name, prefix in names:
        net.network(name, prefix, main=prefix)
        first = ip_network(prefix).network_address + 4
        net.machine(f"vm-{name}", (name, "main", str(first)))
        own = id_of("virtualHubs/hubVirtualNetworkConnections", hub, f"{name}conn")
        properties = {"remoteVirtualNetwork": {"id": id_of("virtualNetworks", name)}, **routing}
        net.bodies[own] = {"id": own, "name": f"{name}conn", "properties": properties}


def hub(net: Net, name: str = "vhub1", prefix: str = "192.168.1.0/24", **more: Any) -> None:
    wan = {"id": id_of("virtualWans", "wan")}
    router = [str(ip_network(prefix).network_address + n) for n in (68, 69)]
    net.add("virtualHubs", name, addressPrefix=prefix, virtualWan=wan, virtualRouterIps=router, **more)


def published(**more: Any) -> tuple[Net, Outside]:
    """Four spokes, a circuit to a branch, and a VPN site behind it whose range a NAT rule rewrites."""
    net = Net()
    hub(net, **more)
    spokes(
        net,
        "vhub1",
        ("spoke1", "172.16.1.0/24"),
        ("spoke2", "172.16.2.0/24"),
        ("spoke3", "172.16.3.0/24"),
        ("spoke4", "10.3.0.0/24"),
    )
    net.circuit("er", "Chicago")
    peering = {"id": id_of("expressRouteCircuits/peerings", "er", "AzurePrivatePeering")}
    connection = {"name": "er-conn", "properties": {"expressRouteCircuitPeering": peering}}
    net.add("expressRouteGateways", "erg", virtualHub={"id": HUB}, expressRouteConnections=[connection])
    rule = {
        "name": "extbranch",
        "properties": {
            "mode": "IngressSnat",
            "type": "Static",
            "internalMappings": [{"addressSpace": "10.3.0.0/24"}],
            "externalMappings": [{"addressSpace": "100.64.2.0/24"}],
        },
    }
    instances = [{"defaultBgpIpAddresses": [f"192.168.1.{n}"]} for n in (14, 15)]
    bgp = {"asn": 65515, "bgpPeeringAddresses": instances}
    net.add("vpnGateways", "vpn", virtualHub={"id": HUB}, natRules=[rule], bgpSettings=bgp)
    said: list[tuple[str, str, str, tuple[int, ...]]]
    said = [(VPN, "10.200.0.1", "10.3.0.0/24", (65510,)), (VPN, "10.200.0.1", "10.0.0.0/8", (65510,))]
    said.append((id_of("expressRouteCircuits", "er") + "#primary", "172.16.0.1", "10.100.0.0/24", (133937, 12076)))
    outside = Outside(
        advertised=tuple(
            Advertisement(to=to.lower(), peer=ip_address(peer), prefix=ip_network(prefix), as_path=path)
            for to, peer, prefix, path in said
        ),
        msee={id_of("expressRouteCircuits", "er").lower(): {"primary": ip_address("10.20.78.139")}},
        gateway_instances={HUB.lower(): {"public": (ROUTER,)}},
    )
    return net, outside


def learned(estate: Estate, network: str) -> set[tuple[str, str]]:
    """Prefix and next hop of the rows that a hub gives."""
    rows = flat(effective_routes(estate, id_of("networkInterfaces", f"vm-{network}-nic")))
    return {(prefix, hop) for source, _, prefix, _, hop in rows if source == "VirtualNetworkGateway"}


def test_r50_a_spoke_sees_what_the_published_table_shows() -> None:
    net, outside = published()
    rows = flat(effective_routes(net.estate(outside=outside), id_of("networkInterfaces", "vm-spoke1-nic")))
    assert {row for row in rows if row[3] != "None"} == {
        ("Default", "Active", "172.16.1.0/24", "VnetLocal", ""),
        ("Default", "Active", "192.168.1.0/24", "VNetPeering", ""),
        ("Default", "Active", "0.0.0.0/0", "Internet", ""),
        *(
            ("VirtualNetworkGateway", "Active", prefix, "VirtualNetworkGateway", hop)
            for prefix, hop in (
                ("172.16.2.0/24", "40.74.161.110"),
                ("172.16.3.0/24", "40.74.161.110"),
                ("10.3.0.0/24", "40.74.161.110"),
                ("10.100.0.0/24", "10.20.78.139"),
                ("100.64.2.0/24", "192.168.1.14"),
                ("100.64.2.0/24", "192.168.1.15"),
            )
        ),
        *(
            ("VirtualNetworkGateway", "Active", "10.0.0.0/8", "VirtualNetworkGateway", f"192.168.1.{n}")
            for n in (14, 15)
        ),
    }


def test_r50_without_a_seen_router_its_instances_are_shown() -> None:
    net, _ = published()
    hops = {hop for prefix, hop in learned(net.estate(), "spoke1") if prefix == "172.16.2.0/24"}
    assert hops == {"192.168.1.68", "192.168.1.69"}


def test_a_connected_network_comes_before_a_branch_and_a_rule_out_of_use_rewrites_nothing() -> None:
    """Without its NAT rule the site's range is the same as spoke4's, which is nearer."""
    net, outside = published()
    net.bodies[VPN]["properties"]["natRules"] = []
    hops = {hop for prefix, hop in learned(net.estate(outside=outside), "spoke1") if prefix == "10.3.0.0/24"}
    assert hops == {"40.74.161.110"}


def test_hub_routing_preference_decides_between_branches() -> None:
    """R19: ExpressRoute, unless the hub prefers its VPN gateway or the shorter path."""
    for preference, expected in (
        ("ExpressRoute", {"10.20.78.139"}),
        ("VpnGateway", {"192.168.1.14", "192.168.1.15"}),
        ("ASPath", {"192.168.1.14", "192.168.1.15"}),
    ):
        net, outside = published(hubRoutingPreference=preference)
        same = Advertisement(
            to=VPN.lower(), peer=ip_address("10.200.0.1"), prefix=ip_network("10.100.0.0/24"), as_path=(65510,)
        )
        estate = net.estate(
            outside=Outside(
                advertised=(*outside.advertised, same), msee=outside.msee, gateway_instances=outside.gateway_instances
            )
        )
        hops = {hop for prefix, hop in learned(estate, "spoke1") if prefix == "10.100.0.0/24"}
        assert hops == expected, preference


def test_networks_of_another_hub_of_the_wan_are_seen_by_the_own_router() -> None:
    net, outside = published()
    hub(net, "vhub2", "192.168.2.0/24")
    spokes(net, "vhub2", ("far", "172.17.1.0/24"))
    near, far = learned(net.estate(outside=outside), "spoke1"), learned(net.estate(outside=outside), "far")
    assert ("172.17.1.0/24", "40.74.161.110") in near
    assert {("172.16.1.0/24", "192.168.2.68"), ("10.100.0.0/24", "192.168.2.69")} <= far


def test_a_connection_sees_what_propagates_to_its_table() -> None:
    """Isolated networks: each learns from a table that the others don't propagate to."""
    net, outside = published()
    table = {"id": id_of("virtualHubs/hubRouteTables", "vhub1", "isolated")}
    spokes(net, "vhub1", ("alone", "172.18.0.0/24"), routingConfiguration={"associatedRouteTable": table})
    estate = net.estate(outside=outside)
    assert learned(estate, "alone") == set()
    assert ("172.18.0.0/24", "40.74.161.110") in learned(estate, "spoke1")


def test_a_hub_with_routes_of_its_own_makes_its_spokes_tables_unknown() -> None:
    net, outside = published()
    own = id_of("virtualHubs/hubRouteTables", "vhub1", "defaultRouteTable")
    net.bodies[own] = {"id": own, "name": "defaultRouteTable", "properties": {"routes": [{"name": "all_traffic"}]}}
    found = trace_one_way(net.estate(outside=outside), spoke_flow("172.16.2.4"))
    assert found.disposition == Disposition.INSUFFICIENT_INFORMATION
    assert any("defaultRouteTable" in text for text in found.missing)


def spoke_flow(destination: str) -> Any:
    return flow(id_of("networkInterfaces", "vm-spoke1-nic"), "172.16.1.4", destination)


def test_a_walk_crosses_the_hub_to_a_network_and_ends_at_a_branch() -> None:
    net, outside = published()
    estate = net.estate(outside=outside)
    across = trace_one_way(estate, spoke_flow("172.16.2.4"))
    assert across.disposition == Disposition.DELIVERED
    assert [hop.name for hop in across.hops] == ["vm-spoke1-nic", "vhub1", "vm-spoke2-nic"]
    beyond = trace_one_way(estate, spoke_flow("10.100.0.4"))
    assert beyond.disposition == Disposition.INSUFFICIENT_INFORMATION
    assert beyond.missing == ("the branches of vhub1",)


def test_what_of_a_hub_can_t_be_read_is_not_known() -> None:
    """Which network hangs on a connection, which table it learns from, where a hub's gateway stands."""
    ways = {
        ("virtualHubs/hubVirtualNetworkConnections", "vhub1", "spoke1conn"): {
            "remoteVirtualNetwork": {"id": "<param:n>"}
        },
        ("virtualHubs", "vhub1"): {"virtualWan": {"id": "<param:wan>"}},
        ("vpnGateways", "vpn"): {"virtualHub": {"id": "[parameters('hub')]"}},
    }
    for (kind, *names), hidden in ways.items():
        net, outside = published()
        net.bodies[id_of(kind, *names)]["properties"] |= hidden
        estate = net.estate(outside=outside)
        asked = flow(id_of("networkInterfaces", "vm-spoke2-nic"), "172.16.2.4", "172.16.1.4")
        assert trace_one_way(estate, asked).disposition == Disposition.INSUFFICIENT_INFORMATION, names
        assert unread(estate, asked.source), names


def test_a_hub_that_is_down_gives_nothing() -> None:
    net, outside = published()
    down = Outside(advertised=outside.advertised, msee=outside.msee, down=frozenset({HUB.lower()}))
    assert learned(net.estate(outside=down), "spoke1") == set()


def test_a_route_server_is_no_hub() -> None:
    net = Net()
    net.network("n", "10.0.0.0/16", app="10.0.1.0/24", RouteServerSubnet="10.0.2.0/26")
    rs = net.add("virtualHubs", "rs", virtualRouterIps=["10.0.2.4", "10.0.2.5"])
    own = f"{rs}/ipConfigurations/ip"
    subnet = {"id": id_of("virtualNetworks/subnets", "n", "RouteServerSubnet")}
    net.bodies[own] = {"id": own, "name": "ip", "properties": {"subnet": subnet}}
    routing = Routing(net.estate())
    assert routing.world.ground.hubs == {} and resource_id(rs).key in routing.world.ground.route_servers


def test_the_scale_engine_says_that_it_does_not_follow_hubs() -> None:
    """What only a hub gives is unknown there: `trace` follows it."""
    from farshore.routing.scale.reach import Reach

    net, outside = published()
    router = Router(name="ce1", circuit=resource_id(id_of("expressRouteCircuits", "er")))
    site = Site(name="dc", asn=65010, prefixes=(ip_network("10.100.0.0/24"),), routers=(router,))
    reach = Reach.of(net.estate(site, outside=outside))
    assert any("spoke1conn" in key for source in reach.model.sources for key in source.others)


def test_a_gateway_is_found_by_what_the_hub_names_too() -> None:
    """Exports differ in which of the two names the other, and may leave the gateway out."""
    net, outside = published()
    before = learned(net.estate(outside=outside), "spoke1")
    hub_body = net.bodies[HUB]["properties"]
    hub_body["vpnGateway"], hub_body["expressRouteGateway"] = {"id": VPN}, {"id": ER}
    for gateway in (VPN, ER):
        del net.bodies[gateway]["properties"]["virtualHub"]
    assert learned(net.estate(outside=outside), "spoke1") == before
    del net.bodies[VPN]
    seen = replace(
        outside,
        gateway_instances={**outside.gateway_instances, VPN.lower(): {"private": (ip_address("192.168.1.14"),)}},
    )
    assert ("10.0.0.0/8", "192.168.1.14") in learned(net.estate(outside=seen), "spoke1")


def test_only_the_edges_that_were_seen_are_next_hops() -> None:
    """What a circuit says on both links shows with the edge's address that the table has."""
    net, outside = published()
    both = [replace(item, to=item.to.partition("#")[0]) for item in outside.advertised]
    told = learned(net.estate(outside=replace(outside, advertised=tuple(both))), "spoke1")
    assert {hop for prefix, hop in told if prefix == "10.100.0.0/24"} == {"10.20.78.139"}
