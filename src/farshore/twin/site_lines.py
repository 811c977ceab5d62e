"""Lines between sites: their cores speak BGP to each other.

    core ──BGP──► core

A core says its site's prefixes; over a line that is transit also all that it takes. Sites of one number are one AS: the
routers are the core's reflected clients, so that what circuits say is passed on and what came by a line is not. MED is
doubled, and a line's is 1: of equals the circuit's wins. What is of another site carries (64603, 1) where the line is
transit, and Azure is told of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from farshore.estate.outside import Site, SiteLink
from farshore.twin.bird import Session, protocol, says
from farshore.twin.draft import Draft, Host
from farshore.twin.gateways import MSEE
from farshore.twin.ground import Ground
from farshore.twin.networks import FAMILIES

OF_ANOTHER_SITE = "(64603, 1)"


@dataclass(frozen=True)
class Line:
    """A line that works."""

    ends: dict[str, Site]
    preference: dict[str, int]
    """By site: what it gives what comes."""
    transit: bool


def lines_of(ground: Ground) -> list[Line]:
    """Said at one end, a line holds for both; it is transit where either says so."""
    sites = {site.name: site for site in ground.estate.sites}
    said: dict[tuple[str, ...], dict[str, SiteLink]] = {}
    for site in sites.values():
        for link in site.links:
            if link.to in sites and link.to != site.name:
                said.setdefault(tuple(sorted((site.name, link.to))), {})[site.name] = link
    return [
        Line(
            ends={name: sites[name] for name in pair},
            preference={name: links[name].local_preference if name in links else 100 for name in pair},
            transit=any(link.transit for link in links.values()),
        )
        for pair, links in said.items()
        if f"link:{'/'.join(sorted(name.lower() for name in pair))}" not in ground.down
    ]


def join(draft: Draft, line: Line, cores: dict[str, Host]) -> None:
    """Wires the two cores and lets them speak."""
    one, other = line.ends
    draft.wire(cores[one], cores[other])
    for here, there in ((one, other), (other, one)):
        for family in FAMILIES:
            _speak(line, here, there, cores, family)


def _speak(line: Line, here: str, there: str, cores: dict[str, Host], family: int) -> None:
    core, site = cores[here], line.ends[here]
    if not any(row.startswith(f"protocol static own{family} ") for row in core.bird):
        core.bird += says(family, "own", site.prefixes)
    accept = (
        f"bgp_local_pref = {line.preference[here]}; bgp_med = 1; bgp_community.delete([(64603, *)]);"
        f" if !(bgp_path ~ [= * {MSEE} * =]) || (64604, 1) ~ bgp_community"
        f" then bgp_community.add((64603, {int(line.transit)})); accept;"
    )
    say = "if source = RTS_STATIC then accept;" + (" if source = RTS_BGP then accept;" if line.transit else "")
    core.bird += protocol(
        Session(core, cores[there], family, site.asn, line.ends[there].asn, accept, say, "med metric;")
    )
