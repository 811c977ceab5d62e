"""The exchange of routes over circuits, from what everybody has to say until nothing changes any more.

    gateways ──►  edges (MSEE, one a link)  ──►  sites ──► (only with readvertise) other edges
    sites    ──►  edges                     ──►  gateways
    edges    ──►  edges of a circuit that Global Reach joins (E46)        sites    ──►  sites, over lines of their own

Without a router that re-advertises one circuit to another (E48), and without lines, a single pass is the whole of it.
The inputs (speakers.py) hold all that matters and nothing else, so one result serves every state of an estate in which
the same speakers say the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from farshore.arm.decode import Address, Network
from farshore.estate.outside import Advertisement, Site
from farshore.routing.bgp import AZURE_ASN, Heard, Link
from farshore.routing.circuits import Attachment, EdgeTable
from farshore.routing.failures import LINKS
from farshore.routing.sites import Line, SiteTable, accepted, lines_of, over, said

MOST_ROUNDS = 8
"""More than any chain of sites that pass on to each other: each round adds one to the paths."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """An ExpressRoute gateway that speaks: what it says, from which instances."""

    gateway: str
    says: tuple[tuple[Network, tuple[int, ...], str], ...]
    """Prefix, the path behind the gateway's own number, and the network that answers."""
    instances: tuple[Address, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLink:
    """A link with a working edge: the addresses of both ends, whether the customer's side works, what it carries."""

    link: Link
    customer_works: bool
    families: tuple[int, ...]
    customer: tuple[Address, ...]
    microsoft: tuple[Address, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    speakers: tuple[Speaker, ...]
    attachments: tuple[Attachment, ...]
    links: tuple[OpenLink, ...]
    sites: tuple[Site, ...]
    silent_routers: frozenset[str]
    advertised: tuple[Advertisement, ...]
    reaches: tuple[tuple[str, str], ...] = ()
    """Circuits that Global Reach joins, by lower-case id."""
    cut_lines: frozenset[str] = frozenset()
    """Lines between sites that don't work, as `failures.line_name` has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What everybody knows in the end."""

    edges: Mapping[Link, EdgeTable]
    sites: Mapping[str, SiteTable]
    learned: Mapping[str, tuple[Heard, ...]]
    """By gateway: everything its circuits told it, before its own choice."""
    settles: bool = True
    """Whether it is an end. Sites that pass on to each other what they then no longer take go round for ever; the
    tables are of one moment of it, and nobody knows which moment a packet meets."""


@lru_cache(maxsize=4096)
def converge(inputs: Inputs) -> Exchange:
    """The state in which nobody has anything new to say."""
    from_azure = _from_azure(inputs)
    sites: dict[str, SiteTable] = {}
    edges = _edges(inputs, from_azure, sites)
    lines = [line for line in lines_of(inputs.sites) if line.name not in inputs.cut_lines]
    passes_on = bool(lines) or any(router.readvertise for site in inputs.sites for router in site.routers)
    settles = not passes_on
    for _ in range(MOST_ROUNDS + len(inputs.sites)):
        before, sites = sites, _sites(inputs, edges, lines, sites)
        if not passes_on:
            break
        settled = _edges(inputs, from_azure, sites)
        same = before and all(before[name].offers == table.offers for name, table in sites.items())
        settles = bool(same) and all(settled[link].heard == edges[link].heard for link in settled)
        if settles:
            break
        edges = settled
    return Exchange(edges=edges, sites=sites, learned=_learned(inputs, edges), settles=settles)


def _from_azure(inputs: Inputs) -> dict[str, list[Heard]]:
    """By circuit: what its gateways say, and what neighbours outside the estate are known to say on both links."""
    speakers = {speaker.gateway: speaker for speaker in inputs.speakers}
    found: dict[str, list[Heard]] = defaultdict(list)
    for attachment in inputs.attachments:
        speaker = speakers.get(attachment.gateway)
        if speaker is None:
            continue
        for prefix, tail, leads_to in speaker.says:
            hops = tuple(hop for hop in speaker.instances if hop.version == prefix.version)
            found[attachment.circuit].append(Heard(prefix, (AZURE_ASN, *tail), hops, speaker.gateway, leads_to))
    return found


def _edges(
    inputs: Inputs, from_azure: Mapping[str, list[Heard]], sites: Mapping[str, SiteTable]
) -> dict[Link, EdgeTable]:
    heard: dict[Link, list[Heard]] = {item.link: list(from_azure.get(item.link[0], ())) for item in inputs.links}
    for item in inputs.links:
        circuit, side = item.link
        if not item.customer_works:
            continue
        for site in inputs.sites:
            for router in site.routers:
                if router.circuit.key == circuit and side in router.links and _speaks(inputs, site, router.name):
                    heard[item.link] += said(site, router, sites.get(site.name), item.customer, item.link)
        for advert in inputs.advertised:
            if _hears(advert, item):
                hop = (advert.next_hop or advert.peer,)
                by = f"peer:{advert.peer}"
                heard[item.link].append(Heard(advert.prefix, advert.as_path, hop, by, by, item.link))
    carries = {item.link: item.families for item in inputs.links}
    found = {
        link: EdgeTable.of(link, (route for route in routes if route.prefix.version in carries[link]))
        for link, routes in heard.items()
    }
    return _joined(inputs, found, carries) if inputs.reaches else found


def _joined(
    inputs: Inputs, edges: Mapping[Link, EdgeTable], carries: Mapping[Link, tuple[int, ...]]
) -> dict[Link, EdgeTable]:
    """The edges with what Global Reach brings them, the first link's to the first and the second's to the second.

    An edge tells what its own customer says where that is the best that it has. So the shortest are told first, and who
    has heard a shorter one keeps its own to itself."""
    microsoft = {item.link: item.microsoft for item in inputs.links}
    beside: dict[Link, list[Link]] = {link: [] for link in edges}
    for one, other in inputs.reaches:
        for side in LINKS:
            if (one, side) in edges and (other, side) in edges:
                beside[one, side].append((other, side))
                beside[other, side].append((one, side))
    own = [
        (len(routes[0].as_path), link, prefix)
        for link, edge in edges.items()
        if beside[link]
        for prefix, routes in edge.best.items()
    ]
    told: dict[Link, list[Heard]] = {link: [] for link in edges}
    shortest_told: dict[tuple[Link, Network], int] = {}
    for length, link, prefix in sorted(own, key=lambda item: item[0]):
        if shortest_told.get((link, prefix), length) < length:
            continue
        for there in beside[link]:
            routes = [
                route
                for route in edges[link].towards_reach(prefix, there, microsoft[link])
                if prefix.version in carries[there]
            ]
            if routes:
                told[there] += routes
                shortest_told.setdefault((there, prefix), length)
    return {link: EdgeTable.of(link, (*edge.heard, *told[link])) for link, edge in edges.items()}


def _hears(advert: Advertisement, item: OpenLink) -> bool:
    """Whether an advert is meant for this link: it names the circuit with the link, or comes from the link's own
    customer end, or from nowhere that a link would know."""
    circuit, side = item.link
    to, _, instance = advert.to.partition("#")
    if to != circuit:
        return False
    if instance:
        return instance in (side, *map(str, item.microsoft))
    return not item.customer or advert.peer in item.customer


def _speaks(inputs: Inputs, site: Site, router: str) -> bool:
    return f"router:{site.name}/{router}".lower() not in inputs.silent_routers


def _sites(
    inputs: Inputs, edges: Mapping[Link, EdgeTable], lines: Sequence[Line], known: Mapping[str, SiteTable]
) -> dict[str, SiteTable]:
    open_to = {item.link for item in inputs.links if item.customer_works}
    found = {}
    for site in inputs.sites:
        offers = [
            offer
            for router in site.routers
            if _speaks(inputs, site, router.name)
            for side in router.links
            if (router.circuit.key, side) in open_to
            for offer in accepted(router, edges[router.circuit.key, side].towards_site())
        ]
        mine = [line for line in lines if line.site.name == site.name]
        for line in mine:
            offers += over(line, known.get(line.other.name))
        found[site.name] = SiteTable(site, offers, frozenset(line.other.name for line in mine if line.transit))
    return found


def _learned(inputs: Inputs, edges: Mapping[Link, EdgeTable]) -> dict[str, tuple[Heard, ...]]:
    own = {speaker.gateway: frozenset(prefix for prefix, _, _ in speaker.says) for speaker in inputs.speakers}
    microsoft = {item.link: item.microsoft for item in inputs.links}
    found: dict[str, list[Heard]] = {speaker.gateway: [] for speaker in inputs.speakers}
    for attachment in inputs.attachments:
        if attachment.gateway not in found:
            continue
        for link, edge in edges.items():
            if link[0] == attachment.circuit:
                told = edge.towards(attachment, inputs.attachments, microsoft[link])
                found[attachment.gateway] += (r for r in told if r.prefix not in own[attachment.gateway])
    return {gateway: tuple(routes) for gateway, routes in found.items()}
