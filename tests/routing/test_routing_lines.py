"""Sites that are joined: by lines of their own, and by Global Reach between their circuits (E46)."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from farshore.arm.ids import resource_id
from farshore.estate.estate import Estate
from farshore.estate.outside import Outside, SiteLink
from farshore.routing import advertised_routes, elements, judge, learned_routes, trace, trace_one_way
from farshore.routing.values import Flow, Trace
from twin.corners import router, site
from twin.corners.sites import EAST, WEST, chain, round_and_round, two_regions, two_sites

from .small import flow, id_of


def way(estate: Estate, asked: Flow) -> list[str]:
    return [hop.name for hop in trace_one_way(estate, asked).hops]


def to_site(estate: Estate, machine: str, own: str, address: str) -> Trace:
    return trace_one_way(estate, flow(id_of("virtualMachines", machine), own, address))


BETWEEN = flow("east", "192.168.1.9", "192.168.2.9")


# Lines


def test_sites_reach_each_other_by_a_line_and_azure_not_by_way_of_the_other() -> None:
    estate = two_regions().estate(*two_sites(SiteLink(to="west")))
    assert judge(*trace(estate, BETWEEN)).kind == "delivered"
    assert way(estate, BETWEEN) == ["east", "west"]
    assert judge(*trace(estate, flow("east", "192.168.1.9", "10.2.1.4"))).kind == "unreachable"
    assert to_site(estate, "vm1", "10.1.1.4", "192.168.2.9").disposition == "NoRoute"


@pytest.mark.parametrize("one_as", [False, True])
def test_by_a_transit_line_a_site_reaches_azure_through_the_other_and_azure_it(one_as: bool) -> None:
    estate = two_regions().estate(*two_sites(SiteLink(to="west", transit=True), one_as=one_as))
    asked = flow("east", "192.168.1.9", "10.2.1.4")
    assert judge(*trace(estate, asked)).kind == "delivered"
    assert way(estate, asked)[:4] == ["east", "west", "ce2", "er2"]
    back = to_site(estate, "vm2", "10.2.1.4", "192.168.1.9")
    assert [hop.name for hop in back.hops][-3:] == ["ce2", "west", "east"]


def test_a_circuit_of_its_own_comes_before_a_line() -> None:
    net = two_regions()
    net.connect("gw1", "er2")
    for one_as in (False, True):
        estate = net.estate(*two_sites(SiteLink(to="west", transit=True), one_as=one_as))
        assert way(estate, flow("east", "192.168.1.9", "10.1.1.4"))[:3] == ["east", "ce1", "er1"]


def test_a_site_may_prefer_what_a_line_brings() -> None:
    net = two_regions()
    net.connect("gw1", "er2")
    estate = net.estate(*two_sites(SiteLink(to="west", transit=True, local_preference=200)))
    assert way(estate, flow("east", "192.168.1.9", "10.1.1.4"))[:4] == ["east", "west", "ce2", "er2"]


def test_with_its_circuit_down_a_site_goes_by_the_line_and_without_both_not_at_all() -> None:
    net = two_regions()
    net.connect("gw1", "er2")
    estate = net.estate(*two_sites(SiteLink(to="west", transit=True)))
    asked = flow("east", "192.168.1.9", "10.1.1.4")
    circuit = id_of("expressRouteCircuits", "er1").lower()
    lost = estate.with_outside(Outside(down=frozenset({circuit})))
    assert way(lost, asked)[:4] == ["east", "west", "ce2", "er2"]
    assert judge(*trace(lost, asked)).kind == "delivered"
    cut = estate.with_outside(Outside(down=frozenset({circuit, "link:east/west"})))
    assert judge(*trace(cut, asked)).kind == "unreachable"


def test_a_line_s_failure_is_an_element_of_its_own() -> None:
    estate = two_regions(joined=True).estate(*two_sites(SiteLink(to="west")))
    found = {(item.kind, item.name): item.down for item in elements(estate)}
    assert found["site-link", "east/west"] == {"link:east/west"}
    reach = f"{id_of('expressRouteCircuits', 'er1')}/peerings/AzurePrivatePeering/connections/reach".lower()
    assert found["global-reach", "er1/reach"] == {reach}


def test_azure_is_told_of_the_other_site_with_both_numbers_and_of_nothing_it_said_itself() -> None:
    estate = two_regions().estate(*two_sites(SiteLink(to="west", transit=True)))
    heard = {
        (str(row.network), row.as_path)
        for row in learned_routes(estate, id_of("expressRouteCircuits", "er2"), "primary")
    }
    assert heard == {
        ("10.2.0.0/16", (65515,)),
        (WEST, (65020,)),
        (EAST, (65020, 65010)),
    }


def test_what_azure_told_one_circuit_is_not_passed_to_another_by_a_line() -> None:
    """E48 is an error that takes `readvertise`: a transit line alone is none."""
    estate = two_regions().estate(*two_sites(SiteLink(to="west", transit=True)))
    learned = {str(row.network) for row in learned_routes(estate, id_of("virtualNetworkGateways", "gw1"))}
    assert learned == {"10.1.0.0/16", EAST, WEST}


def test_a_chain_of_sites_passes_on_where_the_numbers_differ() -> None:
    """Three sites in a row, the outer ones reach Azure through the last: within one AS what a line brought is not
    passed on by another."""
    for numbers, expected in (((65010, 65020, 65030), "delivered"), ((65010, 65010, 65010), "unreachable")):
        found = judge(*trace(chain(*numbers), flow("a", "192.168.1.9", "10.2.1.4")))
        assert found.kind == expected, numbers


# Global Reach


def test_e46_global_reach_joins_the_sites_of_two_circuits() -> None:
    apart, joined = (two_regions(joined=joined).estate(*two_sites()) for joined in (False, True))
    assert judge(*trace(apart, BETWEEN)).kind == "unreachable"
    assert judge(*trace(joined, BETWEEN)).kind == "delivered"
    assert way(joined, BETWEEN) == ["east", "ce1", "er1", "er2", "ce2", "west"]


def test_two_circuits_of_one_name_in_two_groups_are_two() -> None:
    far = id_of("expressRouteCircuits", "er2")
    namesake = far.replace("/rg/", "/rg2/").replace("er2", "er1")
    bodies = json.loads(json.dumps(list(two_regions(joined=True).bodies.values())).replace(far, namesake))
    east, west = two_sites()
    west = replace(west, routers=tuple(replace(item, circuit=resource_id(namesake)) for item in west.routers))
    estate = Estate.from_resources(bodies).with_sites((east, west))
    assert judge(*trace(estate, BETWEEN)).kind == "delivered"
    assert way(estate, BETWEEN) == ["east", "ce1", "er1", "er1", "ce2", "west"]


def test_e46_global_reach_joins_sites_and_no_network_to_the_other_site() -> None:
    estate = two_regions(joined=True).estate(*two_sites())
    assert to_site(estate, "vm1", "10.1.1.4", "192.168.2.9").disposition == "NoRoute"
    assert judge(*trace(estate, flow("east", "192.168.1.9", "10.2.1.4"))).kind == "unreachable"
    learned = {str(row.network) for row in learned_routes(estate, id_of("virtualNetworkGateways", "gw1"))}
    assert learned == {"10.1.0.0/16", EAST}
    told = {str(row.network) for row in advertised_routes(estate, id_of("expressRouteCircuits", "er1"))}
    assert told == {"10.1.0.0/16", WEST}


@pytest.mark.parametrize("status", ["Disconnected", "Connecting"])
def test_e46_global_reach_that_is_not_connected_joins_nothing(status: str) -> None:
    net = two_regions(joined=True)
    peering = net.bodies[id_of("expressRouteCircuits", "er1")]["properties"]["peerings"][0]
    peering["properties"]["connections"][0]["properties"]["circuitConnectionStatus"] = status
    assert judge(*trace(net.estate(*two_sites()), BETWEEN)).kind == "unreachable"


def test_e46_each_link_is_joined_to_the_same_of_the_other_circuit() -> None:
    """Both first links down, the second ones still carry; one first and one second down, nothing does."""
    estate = two_regions(joined=True).estate(*two_sites())
    er1, er2 = (id_of("expressRouteCircuits", name).lower() for name in ("er1", "er2"))
    for down, word in (
        ({f"{er1}#primary"}, "delivered"),
        ({f"{er1}#primary", f"{er2}#primary"}, "delivered"),
        ({f"{er1}#primary", f"{er2}#secondary"}, "unreachable"),
        ({er2}, "unreachable"),
    ):
        assert judge(*trace(estate.with_outside(Outside(down=frozenset(down))), BETWEEN)).kind == word, down


def test_e46_it_is_not_transitive() -> None:
    """er1 with er2 and er2 with er3 join no site of er1 with one of er3."""
    net = two_regions(joined=True)
    net.circuit("er3", "Tokyo", third=3)
    far = {"id": f"{id_of('expressRouteCircuits', 'er3')}/peerings/AzurePrivatePeering"}
    peering = net.bodies[id_of("expressRouteCircuits", "er2")]["properties"]["peerings"][0]
    peering["properties"]["connections"] = [{"name": "on", "properties": {"peerExpressRouteCircuitPeering": far}}]
    third = replace(site(router("ce3", "er3"), prefixes=("192.168.3.0/24",), name="north", asn=65030))
    estate = net.estate(*two_sites(), third)
    assert judge(*trace(estate, flow("west", "192.168.2.9", "192.168.3.9"))).kind == "delivered"
    assert judge(*trace(estate, flow("east", "192.168.1.9", "192.168.3.9"))).kind == "unreachable"


def test_e46_what_a_summary_draws_over_global_reach_goes_to_the_site_and_into_azure_is_not_known() -> None:
    """East says a range that holds more than its own: whether an edge leads what comes over Global Reach to a network
    of its own circuit, nobody has measured."""
    net = two_regions(joined=True)
    estate = net.estate(*two_sites(east=(EAST, "10.0.0.0/8")))
    asked = flow("west", "192.168.2.9", "10.77.0.4")
    assert way(estate, asked) == ["west", "ce2", "er2", "er1", "ce1", "east"]
    found = trace_one_way(estate, flow("west", "192.168.2.9", "10.1.1.4"))
    assert found.disposition == "InsufficientInformation"
    assert found.missing == ("whether Global Reach leads through er1 into Azure",)


def test_the_circuit_s_own_site_is_heard_before_the_one_behind_global_reach() -> None:
    net = two_regions(joined=True)
    first, second = two_sites(east=(EAST, "10.99.0.0/16"))
    estate = net.estate(first, replace(second, prefixes=(*second.prefixes, first.prefixes[1])))
    for machine, own, name in (("vm1", "10.1.1.4", "east"), ("vm2", "10.2.1.4", "west")):
        assert to_site(estate, machine, own, "10.99.0.9").hops[-1].name == name


def test_what_global_reach_brings_is_taken_where_the_path_is_shorter_and_no_gateway_is_told_of_it() -> None:
    """West passes on what a line brought of east, with a longer path than Global Reach brings it by: the edge has that,
    and a gateway is told neither."""
    estate = two_regions(joined=True).estate(*two_sites(SiteLink(to="west", transit=True)))
    learned = {str(row.network) for row in learned_routes(estate, id_of("virtualNetworkGateways", "gw2"))}
    assert learned == {"10.2.0.0/16", WEST}


def test_a_connection_s_body_may_stand_alone() -> None:
    """Azure shows it in the circuit's peering, a template beside it."""
    net = two_regions(joined=True)
    peering = net.bodies[id_of("expressRouteCircuits", "er1")]["properties"]["peerings"][0]
    held = peering["properties"].pop("connections")[0]
    id_ = f"{id_of('expressRouteCircuits', 'er1')}/peerings/AzurePrivatePeering/connections/reach"
    net.bodies[id_] = {**held, "id": id_}
    assert judge(*trace(net.estate(*two_sites()), BETWEEN)).kind == "delivered"
    assert resource_id(id_).parent is not None


# What never ends


def test_where_bgp_never_settles_nothing_that_hangs_on_it_is_claimed() -> None:
    estate = round_and_round()
    found = trace_one_way(estate, flow("west", "192.168.2.9", "10.2.1.4"))
    assert found.disposition == "InsufficientInformation" and "without end" in found.because
    assert found.missing == ("a state in which BGP between the sites and circuits settles",)
    inside = trace_one_way(estate, flow(id_of("virtualMachines", "vm1"), "10.1.1.4", "10.1.1.4"))
    assert inside.disposition == "Delivered"
