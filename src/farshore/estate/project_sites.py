"""The sites of a farshore.yaml, their routers, and how appliances get to the target.

A circuit that a router names by name is kept as a placeholder id until an estate resolves it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from farshore.arm.ids import ResourceId, make_id
from farshore.errors import InputError
from farshore.estate.outside import Filter, Router, Site, SiteLink
from farshore.estate.project import Appliance, Raise, SiteChange
from farshore.estate.yaml_lists import each, named, prefixes, words
from farshore.estate.yaml_nodes import Place, Section

UNRESOLVED = "unresolved"
"""The subscription of a circuit's id while only its name is known."""

RESERVED_NAMES = ("machines", "internet")
"""What an objective's `from` and `to` can say beside sites, ranges and machines."""

SITE_KEYS = ("name", "asn", "prefixes", "routers", "links", "stateful_firewall", "change", "load_mbps")
ROUTER_KEYS = ("name", "circuit", "links", "local_preference", "prepend", "med", "readvertise", "filters")
LINK_KEYS = ("to", "local_preference", "transit")
BANDWIDTHS = (50, 100, 200, 500, 1000, 2000, 5000, 10000)
"""E3: of a provider's circuit, in Mbps."""
MOST_MED = 2**31 - 1
"""Half of what BGP can say: so that a preference and a MED fit one number of 64 bits (routing/scale/ingress.py)."""


def sites_of(
    top: Section,
) -> tuple[tuple[Site, ...], tuple[tuple[str, SiteChange], ...], tuple[tuple[str, float], ...]]:
    """The sites, how each is changed, and the load of those for which one is told."""
    place = top.need("sites", "a list of sites")
    found = named(place, SITE_KEYS, _site)
    if not found:
        place.fail(
            "there is no site",
            expected="at least one site: ExpressRoute joins Azure with something",
            remedy="add a site with name, asn, prefixes and routers",
        )
    _check_links(found)
    changes = tuple((site.name, _change(section.get("change"))) for site, section in found)
    told = ((site.name, section.get("load_mbps")) for site, section in found)
    loads = tuple((name, place.number(0)) for name, place in told if place is not None)
    return tuple(site for site, _ in found), changes, loads


def raises_of(place: Place | None) -> tuple[Raise, ...]:
    """Rows of `raise_bandwidth`; two for one circuit are an error."""
    found: dict[str, Raise] = {}
    for at in () if place is None else place.items():
        section = at.section("circuit", "mbps")
        named = section.need("circuit", "a circuit's id or name")
        circuit, mbps = _circuit(named), section.need("mbps", "megabits a second")
        number = mbps.integer(1, BANDWIDTHS[-1])
        if number not in BANDWIDTHS:
            mbps.fail(f"no circuit has {number} Mbps (E3)", expected="one of " + ", ".join(map(str, BANDWIDTHS)))
        if circuit.key in found:
            named.fail(
                f"{named.written} is raised twice", expected="each circuit once", remedy="remove one of the rows"
            )
        found[circuit.key] = Raise(circuit=circuit, mbps=number)
    return tuple(found.values())


def unresolved_circuit(name: str) -> ResourceId:
    return make_id(UNRESOLVED, UNRESOLVED, "Microsoft.Network/expressRouteCircuits", name)


def _site(name: str, section: Section) -> Site:
    if name.lower() in RESERVED_NAMES:
        section.place.fail(
            f"a site can't be called {name}: objectives mean something else by it",
            value=name,
            expected=f"another name than {' or '.join(RESERVED_NAMES)}",
            remedy="call it by its place, such as datacenter",
        )
    asn = section.need("asn", "the site's BGP number")
    number = asn.integer(1, 4294967295)
    if number == 12076 or 65515 <= number <= 65520:
        asn.fail(
            f"{number} is reserved for Azure (E9)",
            expected="another number than 12076 and 65515 to 65520",
            remedy="write the number that the circuit's private peering has as peerASN",
        )
    links = each(section.get("links"), _link)
    routers_at = section.get("routers") if links else section.need("routers", "a list of routers")
    routers = [] if routers_at is None else named(routers_at, ROUTER_KEYS, _router)
    if routers_at is not None and not routers:
        what = "the site has no router"
        routers_at.fail(what, expected="at least one router", remedy="add one: {name: ce1, circuit: NAME}")
    firewall = section.get("stateful_firewall")
    return Site(
        name=name,
        asn=number,
        prefixes=prefixes(section.need("prefixes", "a list of address ranges")),
        routers=tuple(router for router, _ in routers),
        # What is not known to be stateless is taken as stateful: an asymmetric path then counts (R39, E44).
        stateful_firewall=True if firewall is None else firewall.boolean(),
        links=links,
    )


def _link(place: Place) -> SiteLink:
    section = place.section(*LINK_KEYS)
    preference, transit = section.get("local_preference"), section.get("transit")
    return SiteLink(
        to=section.need("to", "another site's name").text(),
        local_preference=100 if preference is None else preference.integer(0, 4294967295),
        transit=False if transit is None else transit.boolean(),
    )


def _check_links(found: Sequence[tuple[Site, Section]]) -> None:
    """Each link leads to another site of the file, once, and its two ends agree on what it carries."""
    sites = {site.name: site for site, _ in found}
    for site, section in found:
        place = section.get("links")
        seen = set[str]()
        for at, link in zip(() if place is None else place.items(), site.links, strict=True):
            if link.to not in sites or link.to == site.name:
                others = ", ".join(name for name in sites if name != site.name) or "there is none"
                at.fail(f"{link.to} is no other site", value=link.to, expected=f"one of the other sites: {others}")
            if link.to in seen:
                at.fail(f"there are two links to {link.to}", value=link.to, expected="one link between two sites")
            seen.add(link.to)
            back = next((other for other in sites[link.to].links if other.to == site.name), None)
            if back is not None and back.transit != link.transit:
                at.fail(
                    f"{site.name} and {link.to} differ on whether their link is transit",
                    expected="the same at both ends, or the link at one end alone",
                )


def _router(name: str, section: Section) -> Router:
    links = section.get("links")
    preference, prepend, med = (section.get(key) for key in ("local_preference", "prepend", "med"))
    return Router(
        name=name,
        circuit=_circuit(section.need("circuit", "a circuit's id or name")),
        links=("primary", "secondary") if links is None else words(links, ("primary", "secondary")),
        local_preference=100 if preference is None else preference.integer(0, 4294967295),
        prepend=0 if prepend is None else prepend.integer(0, 64),
        med=0 if med is None else med.integer(0, MOST_MED),
        readvertise=each(section.get("readvertise"), _circuit),
        filters=each(section.get("filters"), _filter),
    )


def _circuit(place: Place) -> ResourceId:
    text = place.text()
    if text.startswith("/"):
        id_ = place.id()
        if not id_.is_a("Microsoft.Network/expressRouteCircuits"):
            place.fail(f"{id_.short} is no circuit", expected="the id of an ExpressRoute circuit")
        return id_
    if "/" in text:
        place.fail(f"{text} is neither an id nor a name", expected="a circuit's id or name")
    return unresolved_circuit(text)


def _filter(place: Place) -> Filter:
    section = place.section("direction", "prefix", "action")
    return Filter(
        direction=section.need("direction", "in or out").one_of(["in", "out"]),
        prefix=section.need("prefix", "an address range").network(),
        action=section.need("action", "deny or allow").one_of(["deny", "allow"]),
    )


def _change(place: Place | None) -> SiteChange:
    if place is None:
        return SiteChange()
    if not place.is_mapping:
        if place.value != "manual":
            place.fail(f"{place.written} is no way to change a site", expected="manual, or {command: [...]}")
        return SiteChange()
    command = place.section("command").need("command", "a list of texts, the program first")
    command_words = tuple(item.text() for item in command.items())
    if not command_words:
        command.fail("the command is empty", expected="a list of texts, the program first")
    return SiteChange(command=command_words)


def appliance(place: Place, folder: Path | None) -> Appliance:
    section = place.section("source", "target", "stateful")
    source_at = section.need("source", "the id of a network interface or load balancer")
    source = source_at.id()
    if not (source.is_a("Microsoft.Network/networkInterfaces") or source.is_a("Microsoft.Network/loadBalancers")):
        source_at.fail(f"{source.type} is no appliance's front", expected="a network interface or a load balancer")
    stateful = section.get("stateful")
    flag = True if stateful is None else stateful.boolean()
    target = section.get("target")
    if target is None:
        return Appliance(source=source, manual=True, stateful=flag)
    if target.is_mapping:
        existing, template = (target.section("existing", "template").get(key) for key in ("existing", "template"))
        if (existing is None) == (template is None):
            target.fail("this names no one way", expected="either {existing: ID} or {template: FILE}")
        if existing is not None:
            return Appliance(source=source, existing=existing.id(), stateful=flag)
        assert template is not None
        return Appliance(source=source, template=_template(template, folder), stateful=flag)
    text = target.text()
    if text == "manual":
        return Appliance(source=source, manual=True, stateful=flag)
    word, _, rest = text.partition(" ")
    if word != "existing" or not rest.strip():
        target.fail(f"{text} is no way to the target", expected="existing ID, {template: FILE} or manual")
    try:
        return Appliance(source=source, existing=ResourceId(rest.strip()), stateful=flag)
    except InputError as error:
        target.fail("what follows `existing` is no resource id", expected=error.expected or "a resource id")


def _template(place: Place, folder: Path | None) -> str:
    text = place.text()
    if folder is not None and not (folder / text).is_file():
        place.fail(
            f"there is no file {text} beside the project file",
            expected="a template in the project's folder",
            remedy=f"put {text} into {folder}, or write manual",
        )
    return text
