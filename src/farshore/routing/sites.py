"""A site: what its routers say to Azure, and which router and circuit it takes to an address there.

A site's router tells its circuit the prefixes of the site, with the site's number `prepend` times more in the path, and
nothing it learned from another circuit, unless `readvertise` says so: then the site is a transit between regions, which
the edges accept (E48). Filters decide by the longest match: `out` what Azure is told, `in` what the site takes from it.

Towards Azure the choice is the site's alone (E42). Its routers share what they hear, and the best is, in this order:

1. the longest prefix,
2. the highest local preference of the router that heard it,
3. the shortest AS path,
4. the lowest MED, which here is what the hearing router gave it (all neighbours are of one number),
5. and what is still equal shares the traffic, over links and routers (ECMP).

A site may have lines of its own to other sites, and speaks BGP over them: it tells its prefixes, and over a line that
is `transit` whatever else it takes. Sites of one number are one AS, and pass nothing on that came by a line; others put
their number in front and refuse what has it already. Equal otherwise, a circuit comes before a line. Azure is told what
a `transit` line brought of another site's prefixes, and nothing else of it.

Nothing in this order asks which network is behind a prefix. That is why two circuits that offer one kept range are an
ambiguity unless the site prefers or denies one of them (D51, D90).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from farshore.arm.decode import Address, Network
from farshore.estate.outside import Router, Site
from farshore.routing.bgp import Heard, Link
from farshore.routing.failures import line_name
from farshore.routing.prefixes import LongestMatch, numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One way that a site has been offered to a prefix in Azure, and that its filters let in."""

    prefix: Network
    router: str
    link: Link
    local_preference: int
    as_path: tuple[int, ...]
    gateway: str
    leads_to: str
    med: int = 0
    line: str = ""
    """The other site, where it came by a line: `link` and `router` say nothing then."""


class SiteTable:
    """What a site knows: its own prefixes, and the offers of its circuits."""

    __slots__ = ("_match", "_transit", "offers", "site")

    def __init__(self, site: Site, offers: Iterable[Offer], transit: frozenset[str] = frozenset()) -> None:
        self.site = site
        self._transit = transit
        self.offers = tuple(offers)
        self._match: LongestMatch[Offer] | None = None

    def all(self, address: Address) -> tuple[Offer, ...]:
        """Every offer that contains the address, longest prefix first."""
        if self._match is None:
            self._match = LongestMatch((offer.prefix, offer) for offer in self.offers)
        return self._match.all(address)

    def of_other_sites(self) -> Iterator[Offer]:
        """What of other sites' prefixes a transit line brought, and is best: it is told to Azure."""
        for best in self.taken():
            yield from (offer for offer in best if offer.line in self._transit and offer.leads_to.startswith("site:"))

    def best(self, address: Address) -> tuple[Offer, ...]:
        """The equal best offers; none where the site's own prefixes are as long, or nothing was offered."""
        matching = self.all(address)
        if not matching:
            return ()
        longest = matching[0].prefix.prefixlen
        if self.own(address) >= longest:
            return ()
        return preferred(offer for offer in matching if offer.prefix.prefixlen == longest)

    def own(self, address: Address) -> int:
        """The length of the site's own longest prefix that contains the address, or -1."""
        lengths = [p.prefixlen for p in self.site.prefixes if p.version == address.version and address in p]
        return max(lengths, default=-1)

    def taken(self) -> Iterator[tuple[Offer, ...]]:
        """By prefix the best offers."""
        grouped: dict[Network, list[Offer]] = {}
        for offer in self.offers:
            grouped.setdefault(offer.prefix, []).append(offer)
        yield from map(preferred, grouped.values())

    def passed_on(self, router: str, circuits: frozenset[str]) -> Iterator[Offer]:
        """The site's best offers that came by these circuits: what a router with `readvertise` passes on. A router that
        has one of the best offers itself takes its own (what it heard from outside, before what the site's others tell
        it), and passes none of theirs on."""
        for best in self.taken():
            if not any(offer.router == router for offer in best):
                yield from (offer for offer in best if offer.link[0] in circuits)


def preferred(offers: Iterable[Offer]) -> tuple[Offer, ...]:
    """Points 2 to 5 of the order, among offers of one prefix."""
    held = tuple(offers)
    best = min(map(_order, held), default=None)
    return tuple(offer for offer in held if _order(offer) == best)


def _order(offer: Offer) -> tuple[int, int, int, bool]:
    return -offer.local_preference, len(offer.as_path), offer.med, bool(offer.line)


def accepted(router: Router, heard: Iterable[Heard]) -> Iterator[Offer]:
    """What a router's `in` filters let through of what the edge on one of its links says."""
    for route in heard:
        assert route.link is not None, "an edge says on which link it speaks"
        if allowed(router, "in", route.prefix):
            yield Offer(
                prefix=route.prefix,
                router=router.name,
                link=route.link,
                local_preference=router.local_preference,
                as_path=route.as_path,
                gateway=route.said_by if route.said_by.startswith("/") else "",
                leads_to=route.leads_to,
                med=router.med,
            )


def said(
    site: Site, router: Router, knows: SiteTable | None, customer: tuple[Address, ...], link: Link
) -> Iterator[Heard]:
    """What a router tells the edge on one link, after its `out` filters."""
    path = (site.asn,) * (1 + router.prepend)
    by = f"router:{site.name}/{router.name}".lower()
    for prefix in site.prefixes:
        if allowed(router, "out", prefix):
            yield Heard(prefix, path, customer, by, f"site:{site.name}", link)
    others = frozenset(id_.key for id_ in router.readvertise)
    if knows is None:
        return
    passed = list(knows.passed_on(router.name, others)) if others else []
    passed += knows.of_other_sites()
    for prefix, learned, leads_to in dict.fromkeys((o.prefix, o.as_path, o.leads_to) for o in passed):
        if allowed(router, "out", prefix) and prefix not in site.prefixes:
            yield Heard(prefix, (*path, *learned), customer, by, leads_to, link)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line between two sites as one end sees it."""

    site: Site
    other: Site
    local_preference: int
    transit: bool

    @property
    def name(self) -> str:
        return line_name(self.site.name, self.other.name)


def lines_of(sites: Iterable[Site]) -> Iterator[Line]:
    """All lines, from both ends each. The far end's preference is its own to say; transit holds for both."""
    known = {site.name: site for site in sites}
    for site in known.values():
        own = {link.to: link for link in site.links}
        theirs = {name: link for name, other in known.items() for link in other.links if link.to == site.name}
        for name in dict.fromkeys((*own, *theirs)):
            if name in known and name != site.name:
                ends = [held[name] for held in (own, theirs) if name in held]
                yield Line(
                    site=site,
                    other=known[name],
                    local_preference=own[name].local_preference if name in own else 100,
                    transit=any(end.transit for end in ends),
                )


def over(line: Line, knows: SiteTable | None) -> Iterator[Offer]:
    """What the other end tells over a line, as far as this end lets it in. `knows`: what the other end takes."""
    one_as = line.site.asn == line.other.asn
    path = () if one_as else (line.other.asn,)
    told = [(prefix, path, f"site:{line.other.name}", "") for prefix in line.other.prefixes]
    for best in knows.taken() if knows is not None and line.transit else ():
        for offer in best:
            if offer.line != line.site.name and not (one_as and offer.line) and offer.prefix not in line.other.prefixes:
                told.append((offer.prefix, (*path, *offer.as_path), offer.leads_to, offer.gateway))
    for prefix, learned, leads_to, gateway in dict.fromkeys(told):
        if one_as or line.site.asn not in learned:
            yield Offer(
                prefix=prefix,
                router="",
                link=(f"site:{line.other.name}", ""),
                local_preference=line.local_preference,
                as_path=learned,
                gateway=gateway,
                leads_to=leads_to,
                line=line.other.name,
            )


def allowed(router: Router, direction: str, prefix: Network) -> bool:
    """A filter covers its prefix and everything inside; the longest match decides, no match allows."""
    family, network, mask = numbers(prefix)
    longest, action = -1, "allow"
    for item in router.filters:
        item_family, item_network, item_mask = numbers(item.prefix)
        if (
            item.direction == direction
            and item_family == family
            and mask >= item_mask
            and network & item_mask == item_network
            and item.prefix.prefixlen > longest
        ):
            longest, action = item.prefix.prefixlen, item.action
    return action == "allow"
