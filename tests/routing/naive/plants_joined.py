"""Errors to plant in what the engine makes of sites that pass on what they hear, of lines, and of Global Reach."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from farshore.routing import exchange, sites, world
from farshore.routing.bgp import REACH, Heard
from farshore.routing.circuits import Attachment, EdgeTable
from farshore.routing.sites import Line, Offer, SiteTable

Patch = pytest.MonkeyPatch


def nobody_passes_on(patch: Patch) -> None:
    """E48 forgotten."""
    patch.setattr(SiteTable, "passed_on", lambda *_: iter(()))


def edges_refuse_their_own_number(patch: Patch) -> None:
    """E48 turned round: an edge drops paths with 12076, as BGP would."""
    right = EdgeTable.of
    kept = staticmethod(lambda link, heard: right(link, (route for route in heard if 12076 not in route.as_path)))
    patch.setattr(EdgeTable, "of", kept)


def sites_hear_each_other(patch: Patch) -> None:
    """E10 forgotten: an edge tells one site what another said."""

    def wrong(edge: EdgeTable) -> Iterator[Heard]:
        for routes in edge.best.values():
            yield from (route._replace(as_path=(12076,), link=edge.link) for route in routes)

    patch.setattr(EdgeTable, "towards_site", wrong)


def no_line_is_transit(patch: Patch) -> None:
    patch.setattr(exchange, "lines_of", lambda held: [replace(line, transit=False) for line in sites.lines_of(held)])


def every_line_is_transit(patch: Patch) -> None:
    patch.setattr(exchange, "lines_of", lambda held: [replace(line, transit=True) for line in sites.lines_of(held)])


def lines_before_circuits(patch: Patch) -> None:
    def wrong(offer: Offer) -> tuple[int, int, int, bool]:
        return -offer.local_preference, len(offer.as_path), offer.med, not offer.line

    patch.setattr(sites, "_order", wrong)


def one_number_for_all(patch: Patch) -> None:
    """Sites of two numbers are taken for one AS: a line makes no path longer."""
    right = sites.over

    def wrong(line: Line, knows: Any) -> Iterator[Offer]:
        return right(replace(line, other=replace(line.other, asn=line.site.asn)), knows)

    patch.setattr(exchange, "over", wrong)


def broken_lines_speak(patch: Patch) -> None:
    patch.setattr(world, "converge", lambda inputs: exchange.converge(replace(inputs, cut_lines=frozenset())))


def no_global_reach(patch: Patch) -> None:
    """E46 forgotten."""
    patch.setattr(exchange, "_joined", lambda inputs, edges, carries: dict(edges))


def global_reach_on_one_link(patch: Patch) -> None:
    """E46 by half: the first links are joined alone."""
    patch.setattr(exchange, "LINKS", ("primary",))


def global_reach_told_to_gateways(patch: Patch) -> None:
    """E46 turned round: what comes over Global Reach goes on to networks."""
    right = EdgeTable.towards

    def wrong(edge: EdgeTable, attachment: Attachment, others: Iterable[Attachment], msee: Any) -> Iterator[Heard]:
        best = {
            prefix: tuple(route._replace(said_by=route.said_by.replace(REACH, "router:")) for route in routes)
            for prefix, routes in edge.best.items()
        }
        return right(replace(edge, best=best), attachment, others, msee)

    patch.setattr(EdgeTable, "towards", wrong)


JOINED = (
    nobody_passes_on,
    edges_refuse_their_own_number,
    sites_hear_each_other,
    no_line_is_transit,
    every_line_is_transit,
    lines_before_circuits,
    one_number_for_all,
    broken_lines_speak,
    no_global_reach,
    global_reach_on_one_link,
    global_reach_told_to_gateways,
)
