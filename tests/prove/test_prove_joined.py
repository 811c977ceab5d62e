"""A proof where sites are joined: what breaks a way that goes by another site."""

from __future__ import annotations

from farshore.estate.outside import SiteLink
from farshore.prove.evaluation import names_on
from farshore.routing import trace_one_way
from routing.small import flow, id_of
from twin.corners.sites import two_regions, two_sites


def test_a_line_breaks_the_way_that_goes_by_it() -> None:
    estate = two_regions().estate(*two_sites(SiteLink(to="west", transit=True)))
    trace = trace_one_way(estate, flow("east", "192.168.1.9", "10.2.1.4"))
    assert "link:east/west" in set(names_on(estate, trace.hops))


def test_e46_global_reach_breaks_the_way_that_goes_by_it() -> None:
    estate = two_regions(joined=True).estate(*two_sites())
    trace = trace_one_way(estate, flow("east", "192.168.1.9", "192.168.2.9"))
    held = f"{id_of('expressRouteCircuits', 'er1')}/peerings/AzurePrivatePeering/connections/reach".lower()
    assert held in set(names_on(estate, trace.hops))
