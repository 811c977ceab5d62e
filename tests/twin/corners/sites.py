"""Corners of sites that are joined: lines of their own, and Global Reach between their circuits (E46)."""

from __future__ import annotations

from dataclasses import replace

from farshore.estate.estate import Estate
from farshore.estate.outside import Outside, Site, SiteLink
from routing.small import Net, id_of
from twin.corners.base import corner, router, site

EAST, WEST = "192.168.1.0/24", "192.168.2.0/24"


def two_regions(*, joined: bool = False) -> Net:
    """A network on each of two circuits, in two places; with Global Reach between the circuits where `joined`."""
    net = Net()
    for number, (name, place) in enumerate((("er1", "Hong Kong"), ("er2", "Singapore")), 1):
        hub = f"hub{number}"
        net.network(hub, f"10.{number}.0.0/16", app=f"10.{number}.1.0/24", GatewaySubnet=f"10.{number}.255.0/27")
        net.machine(f"vm{number}", (hub, "app", f"10.{number}.1.4"))
        net.gateway(f"gw{number}", hub)
        net.circuit(name, place, third=number)
        net.connect(f"gw{number}", name)
    if joined:
        far = {"id": f"{id_of('expressRouteCircuits', 'er2')}/peerings/AzurePrivatePeering"}
        properties = {"peerExpressRouteCircuitPeering": far, "addressPrefix": "172.16.9.0/29"}
        peering = net.bodies[id_of("expressRouteCircuits", "er1")]["properties"]["peerings"][0]
        peering["properties"]["connections"] = [
            {"name": "reach", "properties": {**properties, "circuitConnectionStatus": "Connected"}}
        ]
    return net


def two_sites(
    link: SiteLink | None = None, *, one_as: bool = False, east: tuple[str, ...] = (EAST,)
) -> tuple[Site, Site]:
    """A site on each circuit, the first with a line to the second."""
    first = site(router("ce1", "er1"), prefixes=east, name="east", asn=65010)
    second = site(router("ce2", "er2"), prefixes=(WEST,), name="west", asn=65010 if one_as else 65020)
    return replace(first, links=() if link is None else (link,), stateful_firewall=False), second


@corner("delivered", "unreachable")
def a_line_between_two_sites() -> Estate:
    return two_regions().estate(*two_sites(SiteLink(to="west")))


@corner("delivered", "unreachable")
def a_transit_line() -> Estate:
    return two_regions().estate(*two_sites(SiteLink(to="west", transit=True)))


@corner("delivered", "unreachable")
def a_transit_line_within_one_as() -> Estate:
    return two_regions().estate(*two_sites(SiteLink(to="west", transit=True), one_as=True))


@corner("delivered", "unreachable")
def a_line_that_is_preferred() -> Estate:
    net = two_regions()
    net.connect("gw1", "er2")
    return net.estate(*two_sites(SiteLink(to="west", transit=True, local_preference=200)))


@corner("delivered", "unreachable")
def a_site_that_lost_its_circuit_and_has_a_line() -> Estate:
    net = two_regions()
    net.connect("gw1", "er2")
    down = Outside(down=frozenset({id_of("expressRouteCircuits", "er1").lower()}))
    return net.estate(*two_sites(SiteLink(to="west", transit=True)), outside=down)


@corner("delivered", "unreachable")
def a_line_that_is_cut() -> Estate:
    down = Outside(down=frozenset({"link:east/west"}))
    return two_regions().estate(*two_sites(SiteLink(to="west", transit=True)), outside=down)


def chain(*numbers: int) -> Estate:
    """Three sites in a row; the last alone is on a circuit."""
    first = replace(site(prefixes=(EAST,), name="a", asn=numbers[0]), links=(SiteLink(to="b", transit=True),))
    second = replace(
        site(prefixes=("192.168.3.0/24",), name="b", asn=numbers[1]), links=(SiteLink(to="c", transit=True),)
    )
    third = site(router("ce2", "er2"), prefixes=(WEST,), name="c", asn=numbers[2])
    return two_regions().estate(*(replace(item, stateful_firewall=False) for item in (first, second, third)))


@corner("delivered", "unreachable")
def a_chain_of_three_ases() -> Estate:
    return chain(65010, 65020, 65030)


@corner("delivered", "unreachable")
def a_chain_within_one_as() -> Estate:
    return chain(65010, 65010, 65010)


@corner("delivered", "unreachable")
def global_reach() -> Estate:
    return two_regions(joined=True).estate(*two_sites())


@corner("delivered", "unreachable")
def global_reach_over_one_link() -> Estate:
    down = Outside(down=frozenset({f"{id_of('expressRouteCircuits', 'er1').lower()}#primary"}))
    return two_regions(joined=True).estate(*two_sites(), outside=down)


@corner("delivered", "unreachable")
def global_reach_beside_a_line() -> Estate:
    return two_regions(joined=True).estate(*two_sites(SiteLink(to="west", transit=True, local_preference=50)))


@corner("delivered", "unreachable")
def a_range_of_both_sites_with_global_reach() -> Estate:
    first, second = two_sites(east=(EAST, "10.99.0.0/16"))
    return two_regions(joined=True).estate(first, replace(second, prefixes=(*second.prefixes, first.prefixes[1])))


def round_and_round() -> Estate:
    """West tells both circuits what a line brings of east, the second by a longer path. Global Reach brings the shorter
    to the second, whose edge strips it of private numbers and tells it to west, where it is better than the line. So
    west takes it, and tells east's range no more; then nothing brings it, and west takes the line again."""
    first, second = two_sites(SiteLink(to="west", transit=True))
    prepended = replace(router("ce4", "er1"), prepend=1)
    west = replace(second, routers=(*second.routers, prepended))
    return two_regions(joined=True).estate(replace(first, routers=()), west)
