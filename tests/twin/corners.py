"""Small estates, each with one thing that generated ones seldom have; and the engine's words that must come up in it.

`CORNERS` is by name: an estate, and words. A corner whose word does not come up tests nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_network

from farshore.arm.ids import resource_id
from farshore.estate.estate import Estate
from farshore.estate.outside import Filter, Outside, Router, Site
from farshore.estate.project_reading import parse_project
from routing.small import Net, id_of

CORNERS: dict[str, tuple[Callable[[], Estate], frozenset[str]]] = {}


def corner(*words: str) -> Callable[[Callable[[], Estate]], Callable[[], Estate]]:
    def keep(make: Callable[[], Estate]) -> Callable[[], Estate]:
        CORNERS[make.__name__] = (make, frozenset(words))
        return make

    return keep


def router(name: str = "ce1", circuit: str = "er", preference: int = 100, prepend: int = 0) -> Router:
    return Router(
        name=name,
        circuit=resource_id(id_of("expressRouteCircuits", circuit)),
        local_preference=preference,
        prepend=prepend,
    )


def site(*routers: Router, prefixes: tuple[str, ...] = ("192.168.0.0/16",), name: str = "dc", asn: int = 65010) -> Site:
    return Site(name=name, asn=asn, prefixes=tuple(map(ip_network, prefixes)), routers=routers)


def hub(*routes: tuple[str, str], spoke: tuple[tuple[str, str], ...] | None = None, propagate: bool = False) -> Net:
    """A hub with a gateway and an appliance at 10.0.1.4, a spoke with two machines, one circuit. `routes`: of the
    GatewaySubnet; `spoke`: of the spoke's subnet, by default all to the appliance."""
    net = Net()
    gateway_routes = routes or (("10.1.0.0/24", "10.0.1.4"),)
    table = net.table("rt-gateway", *gateway_routes)
    net.network(
        "hub",
        "10.0.0.0/16",
        nva="10.0.1.0/24",
        GatewaySubnet={"addressPrefix": "10.0.255.0/27", "routeTable": table},
    )
    own = net.table("rt-spoke", *((("0.0.0.0/0", "10.0.1.4"),) if spoke is None else spoke), propagate=propagate)
    net.network("spoke", "10.1.0.0/24", app={"addressPrefix": "10.1.0.0/24", "routeTable": own})
    net.peer("hub", "spoke", lend=True)
    net.machine("fw", ("hub", "nva", "10.0.1.4"), forward=True)
    net.machine("vm1", ("spoke", "app", "10.1.0.4"))
    net.machine("vm2", ("spoke", "app", "10.1.0.5"))
    net.gateway("gw", "hub")
    net.circuit("er", "Hong Kong")
    net.connect("gw", "er")
    return net


def two_hubs(*, allow: bool = False, same_space: bool = False) -> Net:
    """Two hubs with a gateway each on one circuit."""
    net = Net()
    for number, name in enumerate(("one", "two")):
        base = 20 if same_space else 20 + number
        net.network(name, f"10.{base}.0.0/24", app=f"10.{base}.0.0/25", GatewaySubnet=f"10.{base}.0.224/27")
        net.machine(f"vm-{name}", (name, "app", f"10.{base}.0.{4 + number}"))
        net.gateway(f"gw-{name}", name, allowRemoteVnetTraffic=allow)
    net.circuit("er", "Hong Kong")
    net.connect("gw-one", "er")
    net.connect("gw-two", "er")
    return net


STATELESS = f"""
version: 1
name: corner
source: {{region: eastasia}}
target: {{region: southeastasia, resourceGroup: rg-dr}}
topology: single-circuit-kept-addresses
sites: [{{name: dc, asn: 65010, prefixes: [192.168.0.0/16], routers: [{{name: ce1, circuit: er}}]}}]
appliances: [{{source: "{id_of("networkInterfaces", "fw-nic")}", target: manual, stateful: false}}]
"""


@corner("delivered")
def through_an_appliance() -> Estate:
    return hub().estate(site(router()))


@corner("asymmetric")
def past_the_appliance_on_the_way_in() -> Estate:
    """No route on the GatewaySubnet: the flow from the site meets no appliance, its reply does (R39)."""
    return hub(("10.9.0.0/24", "10.0.1.4")).estate(site(router()))


@corner("asymmetric")
def past_the_appliance_on_the_way_out() -> Estate:
    return hub(spoke=(), propagate=True).estate(site(router()))


@corner("delivered")
def past_a_stateless_appliance() -> Estate:
    """Half a way through an appliance that keeps no state does no harm."""
    estate = hub(("10.9.0.0/24", "10.0.1.4")).estate()
    return estate.with_project(parse_project(STATELESS))


@corner("unreachable")
def an_appliance_that_does_not_forward() -> Estate:
    net = hub()
    net.bodies[id_of("networkInterfaces", "fw-nic")]["properties"]["enableIPForwarding"] = False
    return net.estate(site(router()))


@corner("unreachable", "delivered")
def an_appliance_that_is_down() -> Estate:
    return hub().estate(site(router()), outside=Outside(down=frozenset({id_of("virtualMachines", "fw").lower()})))


@corner("looped")
def two_appliances_that_send_to_each_other() -> Estate:
    net = hub(("10.1.0.0/24", "10.0.1.4"))
    subnets = net.bodies[id_of("virtualNetworks", "hub")]["properties"]["subnets"]
    subnets[0]["properties"]["routeTable"] = net.table("rt-nva", ("10.1.0.0/24", "10.0.2.4"))
    other = net.table("rt-other", ("10.1.0.0/24", "10.0.1.4"))
    subnets.append({"name": "other", "properties": {"addressPrefix": "10.0.2.0/24", "routeTable": other}})
    net.machine("fw2", ("hub", "other", "10.0.2.4"), forward=True)
    return net.estate(site(router()))


@corner("delivered", "unreachable")
def a_hairpin_allowed() -> Estate:
    """Two networks on one circuit see each other where both gateways allow it (E38)."""
    estate = two_hubs(allow=True).estate(site(router()))
    return estate.with_outside(Outside(stopped=frozenset({id_of("virtualMachines", "vm-two").lower()})))


@corner("delivered")
def a_hairpin_between_running_machines() -> Estate:
    return two_hubs(allow=True).estate(site(router()))


@corner("unreachable")
def a_hairpin_not_allowed() -> Estate:
    return two_hubs().estate(site(router()))


@corner("ambiguous")
def one_range_twice_on_a_circuit() -> Estate:
    """Two networks of one range on one circuit: nothing decides (E40)."""
    return two_hubs(same_space=True).estate(site(router()))


@corner("ambiguous")
def one_range_on_two_circuits() -> Estate:
    """Two circuits offer one range, and the site prefers neither (D51)."""
    return _on_two(router("ce1", "er"), router("ce2", "er2"))


@corner("delivered")
def one_range_on_two_circuits_with_a_preference() -> Estate:
    return _on_two(router("ce1", "er", 200), router("ce2", "er2"))


@corner("delivered")
def one_range_on_two_circuits_with_a_filter() -> Estate:
    deny = Filter(direction="in", prefix=ip_network("10.20.0.0/16"), action="deny")
    return _on_two(router("ce1", "er"), replace(router("ce2", "er2"), filters=(deny,)))


@corner("delivered")
def a_filter_that_spares_a_part() -> Estate:
    """The longest filter that covers a prefix decides."""
    deny = Filter(direction="in", prefix=ip_network("10.0.0.0/8"), action="deny")
    spare = Filter(direction="in", prefix=ip_network("10.20.0.0/24"), action="allow")
    return _on_two(replace(router("ce1", "er"), filters=(deny, spare)), replace(router("ce2", "er2"), filters=(deny,)))


def _on_two(*routers: Router) -> Estate:
    net = two_hubs(same_space=True)
    net.circuit("er2", "Singapore", third=1)
    del net.bodies[id_of("connections", "gw-two-er")]
    net.connect("gw-two", "er2")
    return net.estate(site(*routers))


def _two_circuits(weight: int = 0, other: int = 0) -> Net:
    net = hub()
    net.circuit("er2", "Singapore", third=1)
    net.bodies[id_of("connections", "gw-er")]["properties"]["routingWeight"] = weight
    net.connect("gw", "er2", weight=other)
    return net


@corner("delivered")
def a_weight_decides() -> Estate:
    """Weight before path (E41)."""
    return _two_circuits(10, 100).estate(site(router("ce1", "er", 100), router("ce2", "er2", 200, prepend=2)))


@corner("delivered")
def a_path_decides() -> Estate:
    return _two_circuits().estate(site(router("ce1", "er", 200), router("ce2", "er2", prepend=2)))


@corner("delivered")
def equal_circuits_share() -> Estate:
    return _two_circuits().estate(site(router("ce1", "er"), router("ce2", "er2")))


@corner("asymmetric")
def equal_circuits_behind_a_firewall_at_the_site() -> Estate:
    """Two routers share the traffic, and each has a state of its own (E44)."""
    made = site(router("ce1", "er"), router("ce2", "er2"))
    return _two_circuits().estate(replace(made, stateful_firewall=True))


@corner("asymmetric")
def out_by_one_router_home_by_another() -> Estate:
    """The site prefers one circuit, Azure the other (E42)."""
    made = site(router("ce1", "er", 200), router("ce2", "er2", 100))
    return _two_circuits(0, 100).estate(replace(made, stateful_firewall=True))


@corner("delivered")
def a_site_in_transit() -> Estate:
    """A router that passes one circuit's routes on to the other joins two regions (E48)."""
    net = two_hubs()
    net.circuit("er2", "Singapore", third=1)
    del net.bodies[id_of("connections", "gw-two-er")]
    net.connect("gw-two", "er2")
    circuits = [resource_id(id_of("expressRouteCircuits", name)) for name in ("er", "er2")]
    first = replace(router("ce1", "er"), readvertise=(circuits[1],))
    second = replace(router("ce2", "er2"), readvertise=(circuits[0],))
    return net.estate(site(first, second))


@corner("delivered")
def a_default_route_from_the_site() -> Estate:
    """0/0 by BGP takes the place of Azure's None rows (R4): what nobody knows goes to the site."""
    net = hub(("10.9.0.0/24", "10.0.1.4"), spoke=(), propagate=True)
    return net.estate(site(router(), prefixes=("192.168.0.0/16", "0.0.0.0/0")))


@corner("delivered")
def a_summary_at_the_site() -> Estate:
    """The site's own 10/8 is shorter than what Azure offers."""
    return hub(spoke=(), propagate=True).estate(site(router(), prefixes=("10.0.0.0/8",)))


@corner("delivered")
def the_site_says_a_part_of_a_network() -> Estate:
    """A network's own space and its peers' come before what BGP says, more specific or not (R14.3)."""
    net = hub(spoke=(), propagate=True)
    return net.estate(site(router(), prefixes=("192.168.0.0/16", "10.1.0.0/28", "10.0.1.0/28")))


@corner("delivered", "unreachable")
def a_route_of_none_and_one_home() -> Estate:
    """A route longer than the network's own takes its traffic (R17), VnetLocal gives it back."""
    net = hub(spoke=(("10.1.0.0/24", "None"), ("10.1.0.4/32", "VnetLocal"), ("0.0.0.0/0", "10.0.1.4")))
    net.machine("vm3", ("spoke", "app", "10.1.0.6"))
    return net.estate(site(router()))


@corner("delivered")
def between_machines_of_one_network_through_an_appliance() -> Estate:
    return hub(spoke=(("10.1.0.0/24", "10.0.1.4"), ("0.0.0.0/0", "10.0.1.4"))).estate(site(router()))


@corner("unreachable")
def a_subnet_that_hears_no_bgp() -> Estate:
    return hub(spoke=(), propagate=False).estate(site(router()))


@corner("unreachable")
def a_gateway_subnet_that_hears_no_bgp() -> Estate:
    """R23: the gateway stops working."""
    net = hub()
    table = net.bodies[id_of("routeTables", "rt-gateway")]
    table["properties"]["disableBgpRoutePropagation"] = True
    return net.estate(site(router()))


@corner("unreachable")
def a_peering_that_was_never_synced() -> Estate:
    """The hub still has the spoke's old space (R31)."""
    net = hub(spoke=(), propagate=True)
    half = net.bodies[id_of("virtualNetworks", "hub")]["properties"]["virtualNetworkPeerings"][0]["properties"]
    half["remoteAddressSpace"] = {"addressPrefixes": ["10.9.0.0/24"]}
    return net.estate(site(router()))


@corner("unreachable")
def a_disconnected_peering() -> Estate:
    net = hub()
    half = net.bodies[id_of("virtualNetworks", "spoke")]["properties"]["virtualNetworkPeerings"][0]["properties"]
    half["peeringState"] = "Disconnected"
    return net.estate(site(router()))


@corner("delivered", "unreachable")
def a_spoke_without_a_gateway() -> Estate:
    net = hub(spoke=(), propagate=True)
    for name in ("hub", "spoke"):
        half = net.bodies[id_of("virtualNetworks", name)]["properties"]["virtualNetworkPeerings"][0]["properties"]
        half |= {"allowGatewayTransit": False, "useRemoteGateways": False}
    return net.estate(site(router()))


@corner("delivered")
def behind_a_load_balancer() -> Estate:
    return _balanced()


@corner("delivered", "unreachable")
def the_last_member_of_a_load_balancer() -> Estate:
    return _balanced(Outside(down=frozenset({id_of("virtualMachines", "fw").lower()})))


def _balanced(outside: Outside | None = None) -> Estate:
    net = hub(("10.1.0.0/24", "10.0.1.100"), spoke=(("0.0.0.0/0", "10.0.1.100"),))
    net.machine("fw2", ("hub", "nva", "10.0.1.5"), forward=True)
    pool = id_of("loadBalancers", "lb") + "/backendAddressPools/all"
    for name in ("fw-nic", "fw2-nic"):
        properties = net.bodies[id_of("networkInterfaces", name)]["properties"]["ipConfigurations"][0]["properties"]
        properties["loadBalancerBackendAddressPools"] = [{"id": pool}]
    frontend = {"privateIPAddress": "10.0.1.100", "subnet": {"id": id_of("virtualNetworks/subnets", "hub", "nva")}}
    net.add("loadBalancers", "lb", frontendIPConfigurations=[{"name": "f", "properties": frontend}])
    return net.estate(site(router()), outside=outside)


@corner("delivered")
def an_azure_firewall() -> Estate:
    net = hub()
    del net.bodies[id_of("virtualMachines", "fw")], net.bodies[id_of("networkInterfaces", "fw-nic")]
    place = {"privateIPAddress": "10.0.1.4", "subnet": {"id": id_of("virtualNetworks/subnets", "hub", "nva")}}
    net.add("azureFirewalls", "fw", ipConfigurations=[{"name": "a", "properties": place}])
    return net.estate(site(router()))


@corner("delivered", "denied")
def groups_of_every_kind() -> Estate:
    """Ports, ranges, plural prefixes, application groups, both groups of a NIC, the order of priorities (R42, R43)."""
    net = hub()
    web = net.add("applicationSecurityGroups", "web")
    for name in ("vm1-nic", "vm2-nic"):
        properties = net.bodies[id_of("networkInterfaces", name)]["properties"]["ipConfigurations"][0]["properties"]
        properties["applicationSecurityGroups"] = [{"id": web}] if name == "vm1-nic" else []
    of_subnet = _group(
        net,
        "nsg-subnet",
        (100, "Inbound", "Allow", "Tcp", ["192.168.0.0/17", "10.0.0.0/16"], "*", ["443", "8000-8100"]),
        (200, "Inbound", "Deny", "*", ["192.168.0.0/16"], "*", ["*"]),
        (300, "Outbound", "Deny", "Tcp", ["10.1.0.5/32"], "192.168.128.0/17", ["400-500"]),
    )
    of_nic = _group(net, "nsg-nic", (100, "Inbound", "Deny", "Tcp", ["VirtualNetwork"], "ASG", ["443"]))
    rule = net.bodies[of_nic]["properties"]["securityRules"][0]["properties"]
    del rule["destinationAddressPrefix"]
    rule["destinationApplicationSecurityGroups"] = [{"id": web}]
    subnet = net.bodies[id_of("virtualNetworks", "spoke")]["properties"]["subnets"][0]["properties"]
    subnet["networkSecurityGroup"] = {"id": of_subnet}
    for name in ("vm1-nic", "vm2-nic"):
        net.bodies[id_of("networkInterfaces", name)]["properties"]["networkSecurityGroup"] = {"id": of_nic}
    return net.estate(site(router(), prefixes=("192.168.0.0/17", "192.168.128.0/17")))


@corner("delivered", "denied")
def a_group_that_goes_by_the_tag() -> Estate:
    """VirtualNetwork holds what the gateway learned and what routes name (R44): with a spoke's table without 0/0 and
    a peering that does not let forwarded traffic in, an appliance's own group refuses what it should pass on (R45)."""
    net = hub()
    group = _group(net, "nsg-fw", (100, "Inbound", "Allow", "Tcp", ["VirtualNetwork"], "VirtualNetwork", ["*"]))
    more = net.bodies[group]["properties"]["securityRules"]
    more.append(_rule(200, "Inbound", "Deny", "*", ["*"], "*", ["*"]))
    net.bodies[id_of("networkInterfaces", "fw-nic")]["properties"]["networkSecurityGroup"] = {"id": group}
    net.network("far", "10.2.0.0/24", app="10.2.0.0/24")
    net.peer("hub", "far", allowVirtualNetworkAccess=False)
    net.machine("vm-far", ("far", "app", "10.2.0.4"))
    return net.estate(site(router()))


def _group(net: Net, name: str, *rules: tuple[int, str, str, str, list[str], str, list[str]]) -> str:
    return net.add("networkSecurityGroups", name, securityRules=[_rule(*rule) for rule in rules])


def _rule(
    priority: int, direction: str, access: str, protocol: str, sources: list[str], to: str, ports: list[str]
) -> dict[str, object]:
    return {
        "name": f"rule-{priority}",
        "properties": {
            "priority": priority,
            "direction": direction,
            "access": access,
            "protocol": protocol,
            "sourceAddressPrefixes": sources,
            "destinationAddressPrefix": to,
            "sourcePortRange": "*",
            "destinationPortRanges": ports,
        },
    }


@corner("delivered")
def both_families() -> Estate:
    """IPv6 beside IPv4: networks, routes, the circuit's second session, an appliance."""
    net = Net()
    table = net.table("rt-gateway", ("10.1.0.0/24", "10.0.1.4"), ("fd00:1::/64", "fd00:0:0:1::4"))
    gateway = {"addressPrefixes": ["10.0.255.0/27", "fd00:0:0:ff::/64"], "routeTable": table}
    nva = {"addressPrefixes": ["10.0.1.0/24", "fd00:0:0:1::/64"]}
    net.network("hub", "10.0.0.0/16", "fd00::/48", nva=nva, GatewaySubnet=gateway)
    own = net.table("rt-spoke", ("0.0.0.0/0", "10.0.1.4"), ("::/0", "fd00:0:0:1::4"), propagate=False)
    app = {"addressPrefixes": ["10.1.0.0/24", "fd00:1::/64"], "routeTable": own}
    net.network("spoke", "10.1.0.0/24", "fd00:1::/64", app=app)
    net.peer("hub", "spoke", lend=True)
    for name, network, subnet, four, six in (
        ("fw", "hub", "nva", "10.0.1.4", "fd00:0:0:1::4"),
        ("vm1", "spoke", "app", "10.1.0.4", "fd00:1::4"),
    ):
        nic = net.machine(name, (network, subnet, four), forward=name == "fw")
        configurations = net.bodies[nic]["properties"]["ipConfigurations"]
        second = {**configurations[0]["properties"], "privateIPAddress": six, "primary": False}
        configurations.append({"name": "b", "properties": second})
    net.gateway("gw", "hub")
    circuit = net.circuit("er", "Hong Kong")
    peering = net.bodies[circuit.text]["properties"]["peerings"][0]["properties"]
    peering["ipv6PeeringConfig"] = {
        "primaryPeerAddressPrefix": "fd00:ffff::/126",
        "secondaryPeerAddressPrefix": "fd00:ffff::4/126",
        "state": "Enabled",
    }
    net.connect("gw", "er")
    return net.estate(site(router(), prefixes=("192.168.0.0/16", "fd00:dc::/48")))


@corner("delivered", "unreachable")
def a_region_that_is_lost() -> Estate:
    net = two_hubs(allow=True)
    for kind, name in (("virtualNetworks", "two"), ("virtualNetworkGateways", "gw-two"), ("virtualMachines", "vm-two")):
        net.bodies[id_of(kind, name)]["location"] = "southeastasia"
    net.bodies[id_of("networkInterfaces", "vm-two-nic")]["location"] = "southeastasia"
    net.peer("one", "two")
    return net.estate(site(router()), outside=Outside(down=frozenset({"region:southeastasia"})))


@corner("delivered")
def over_a_global_peering_and_a_circuit() -> Estate:
    """Joined both ways, traffic takes the peering (R33)."""
    net = two_hubs(allow=True)
    net.bodies[id_of("virtualNetworks", "two")]["location"] = "southeastasia"
    net.peer("one", "two")
    return net.estate(site(router()))
