"""Corners of BGP: circuits, weights, paths, sites and what their routers say and prefer."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network

from farshore.arm.ids import resource_id
from farshore.estate.estate import Estate
from farshore.estate.outside import Filter, Outside, Router
from routing.small import id_of
from twin.corners.base import corner, hub, router, site, two_circuits, two_hubs


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
def one_range_ontwo_circuits() -> Estate:
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


@corner("delivered")
def a_weight_decides() -> Estate:
    """Weight before path (E41)."""
    return two_circuits(10, 100).estate(site(router("ce1", "er", 100), router("ce2", "er2", 200, prepend=2)))


@corner("delivered")
def a_path_decides() -> Estate:
    return two_circuits().estate(site(router("ce1", "er", 200), router("ce2", "er2", prepend=2)))


@corner("delivered")
def equal_circuits_share() -> Estate:
    return two_circuits().estate(site(router("ce1", "er"), router("ce2", "er2")))


@corner("asymmetric")
def equal_circuits_behind_a_firewall_at_the_site() -> Estate:
    """Two routers share the traffic, and each has a state of its own (E44)."""
    made = site(router("ce1", "er"), router("ce2", "er2"))
    return two_circuits().estate(replace(made, stateful_firewall=True))


@corner("asymmetric")
def out_by_one_router_home_by_another() -> Estate:
    """The site prefers one circuit, Azure the other (E42)."""
    made = site(router("ce1", "er", 200), router("ce2", "er2", 100))
    return two_circuits(0, 100).estate(replace(made, stateful_firewall=True))


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


@corner("delivered")
def two_sites_on_one_circuit() -> Estate:
    other = site(router("ce9", "er"), prefixes=("172.20.0.0/16",), name="branch", asn=65020)
    return hub().estate(site(router()), other)


@corner("ambiguous")
def two_sites_of_one_range() -> Estate:
    """Nothing decides at the edge between two sites that say one prefix."""
    other = site(router("ce9", "er"), name="branch", asn=65020)
    return hub().estate(site(router()), other)


@corner("unreachable")
def a_circuit_that_is_not_provisioned() -> Estate:
    """E33: no edge, no routes."""
    net = hub()
    circuit = net.bodies[id_of("expressRouteCircuits", "er")]["properties"]
    circuit["serviceProviderProvisioningState"] = "Provisioning"
    return net.estate(site(router()))


@corner("delivered", "unreachable")
def states_of_connections() -> Estate:
    """An update does not interrupt a connection, a failed one never began."""
    net = two_circuits()
    net.bodies[id_of("connections", "gw-er")]["properties"]["provisioningState"] = "Updating"
    net.bodies[id_of("connections", "gw-er2")]["properties"]["provisioningState"] = "Failed"
    first = site(router("ce1", "er"))
    return net.estate(first, site(router("ce2", "er2"), prefixes=("172.20.0.0/16",), name="branch", asn=65020))


@corner("delivered")
def a_site_with_a_public_number() -> Estate:
    """A number that is not stripped from paths (R48)."""
    return two_circuits().estate(site(router("ce1", "er", 200), router("ce2", "er2"), asn=3303))


@corner("delivered")
def a_med_decides() -> Estate:
    """After preference and path the lowest MED (E42)."""
    return two_circuits().estate(site(replace(router("ce1", "er"), med=20), replace(router("ce2", "er2"), med=10)))
