"""Sites and their routers, as the lab plays them: what they are set to, and what they know.

    GET  /_lab/sites     {"value": [{"name", "asn", "prefixes", "routers": [{settings, "learned", "announces"}],
                          "chosen"}]}
    POST /_lab/sites     {"site", "routers": [{"name", "local_preference"?, "prepend"?, "filters"?}]}

A router says done at once and follows within a few seconds; one with the fault `site-deaf` says done and does nothing
(docs/guide/lab.md, "Sites"). A setting that is not mentioned stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from farshore.arm.http import Response
from farshore.arm.ids import resource_id
from farshore.arm.json import Json
from farshore.estate.outside import Filter, Router, Site, SiteLink
from farshore.lab import faults
from farshore.lab.answers import Refused, bad_request, quoted
from farshore.lab.call import Call
from farshore.lab.registry import event, handle
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

TABLE = "sites"
CHANGE = "site.change"
SETTINGS = ("local_preference", "prepend", "filters")
MOST = 2**32 - 1


def keep(cloud: Cloud, sites: Iterable[Site]) -> None:
    """Put sites into the lab, in steady state."""
    for site in sites:
        cloud.table(TABLE)[site.name] = as_row(site)
    cloud.epoch += 1


def all_sites(cloud: Cloud) -> tuple[Site, ...]:
    """The sites as they are now; the same objects as long as their rows are the same."""
    rows = tuple(cloud.table(TABLE).values())
    held = _held.get(cloud)
    if held is None or len(held[0]) != len(rows) or any(a is not b for a, b in zip(held[0], rows, strict=True)):
        held = (rows, tuple(from_row(row) for row in rows))
        _held[cloud] = held
    return held[1]


_held: WeakKeyDictionary[Cloud, tuple[tuple[Any, ...], tuple[Site, ...]]] = WeakKeyDictionary()


def as_row(site: Site) -> dict[str, Any]:
    return {
        "name": site.name,
        "asn": site.asn,
        "prefixes": [str(prefix) for prefix in site.prefixes],
        "stateful_firewall": site.stateful_firewall,
        "links": [
            {"to": link.to, "local_preference": link.local_preference, "transit": link.transit} for link in site.links
        ],
        "routers": [
            {
                "name": router.name,
                "circuit": router.circuit.text,
                "links": list(router.links),
                "local_preference": router.local_preference,
                "prepend": router.prepend,
                "med": router.med,
                "readvertise": [circuit.text for circuit in router.readvertise],
                "filters": [
                    {"direction": item.direction, "prefix": str(item.prefix), "action": item.action}
                    for item in router.filters
                ],
            }
            for router in site.routers
        ],
    }


def from_row(row: Mapping[str, Any]) -> Site:
    return Site(
        name=row["name"],
        asn=row["asn"],
        prefixes=tuple(ip_network(text) for text in row["prefixes"]),
        stateful_firewall=row["stateful_firewall"],
        links=tuple(SiteLink(**link) for link in row.get("links", ())),
        routers=tuple(
            Router(
                name=router["name"],
                circuit=resource_id(router["circuit"]),
                links=tuple(router["links"]),
                local_preference=router["local_preference"],
                prepend=router["prepend"],
                med=router.get("med", 0),
                readvertise=tuple(resource_id(text) for text in router["readvertise"]),
                filters=tuple(
                    Filter(direction=item["direction"], prefix=ip_network(item["prefix"]), action=item["action"])
                    for item in router["filters"]
                ),
            )
            for router in row["routers"]
        ),
    )


@handle("GET", "_lab/sites")
def show(call: Call) -> Response:
    return Response(status=200, body={"value": [_shown(call.cloud, site) for site in all_sites(call.cloud)]})


@handle("POST", "_lab/sites")
def change(call: Call) -> Response:
    """Tell routers what to do, or (`by: person`) the people who look after them; the answer proves nothing."""
    cloud, asked = call.cloud, call.object()
    name, sites = asked.get("site"), cloud.table(TABLE)
    if not isinstance(name, str) or name not in sites:
        raise Refused(404, "UnknownSite", f"The lab has no site {quoted(name)}: it has {', '.join(sites)}.")
    row = sites[name]
    wanted = asked.get("routers")
    if not isinstance(wanted, list) or not wanted:
        raise bad_request("InvalidSiteChange", "routers must be a list of settings, each with the router's name.")
    known = {router["name"] for router in row["routers"]}
    checked = [_checked(settings, known) for settings in wanted]
    last = cloud.now
    for settings in checked:
        router = str(settings["name"])
        if faults.is_deaf(cloud, name, router):
            continue
        subject = f"{name}/{router}"
        pending = cloud.table("events").get(f"{CHANGE}|{subject}")
        attempt = cloud.count(CHANGE, subject)
        takes = "site.person" if asked.get("by") == "person" else CHANGE
        due = cloud.now + cloud.duration(takes, subject, attempt)
        cloud.at(due, CHANGE, subject, {**(pending["data"] if pending else {}), **settings})
        last = max(last, due)
    return Response(status=200, body={"site": name, "status": "done", "time": stamp(cloud.now), "by": stamp(last)})


@event(CHANGE)
def changed(cloud: Cloud, subject: str, data: Json) -> None:
    """A router follows what it was told."""
    name, _, router = subject.partition("/")
    row = cloud.table(TABLE).get(name)
    if row is None:
        return
    routers = [{**held, **data} if held["name"] == router else held for held in row["routers"]]
    cloud.table(TABLE)[name] = {**row, "routers": routers}
    cloud.epoch += 1


def _checked(settings: Any, known: set[str]) -> dict[str, Any]:
    if not isinstance(settings, dict) or not isinstance(settings.get("name"), str) or settings["name"] not in known:
        raise bad_request("UnknownRouter", f"The site has no such router; it has {', '.join(sorted(known))}.")
    strange = sorted(set(settings) - {"name", *SETTINGS})
    if strange:
        raise bad_request("InvalidSiteChange", f"A router has no {strange[0]}; it has {', '.join(SETTINGS)}.")
    found: dict[str, Any] = {"name": settings["name"]}
    for key in ("local_preference", "prepend"):
        if key in settings:
            number = settings[key]
            if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= MOST:
                raise bad_request("InvalidSiteChange", f"{key} must be a number from 0, not {quoted(number)}.")
            found[key] = number
    if "filters" in settings:
        filters = settings["filters"] or []
        if not isinstance(filters, list):
            raise bad_request("InvalidSiteChange", f"filters is a list, not {quoted(filters)}.")
        found["filters"] = [_filter(item) for item in filters]
    return found


def _filter(item: Any) -> dict[str, str]:
    try:
        prefix = str(ip_network(str(item["prefix"])))
        direction, action = str(item["direction"]), str(item["action"])
    except (KeyError, TypeError, ValueError):
        raise bad_request(
            "InvalidSiteChange", f"A filter has direction, prefix and action; not {quoted(item)}."
        ) from None
    if direction not in ("in", "out") or action not in ("allow", "deny"):
        raise bad_request("InvalidSiteChange", "direction is in or out, action is allow or deny.")
    return {"direction": direction, "prefix": prefix, "action": action}


def _shown(cloud: Cloud, site: Site) -> dict[str, Any]:
    """Settings, and the tables of this moment: what each router was offered and let in, and what the site chose."""
    from farshore.lab import dataplane
    from farshore.routing.places import site_table
    from farshore.routing.sites import allowed, preferred

    world = dataplane.plane(cloud).routing.world
    offers = site_table(world, site).offers
    by_prefix: dict[Any, list[Any]] = {}
    for offer in offers:
        by_prefix.setdefault(offer.prefix, []).append(offer)
    chosen = [offer for held in by_prefix.values() for offer in preferred(held)]
    row = as_row(site)
    for router, settings in zip(row["routers"], site.routers, strict=True):
        router["announces"] = [str(prefix) for prefix in site.prefixes if allowed(settings, "out", prefix)]
        router["learned"] = [_offer(offer) for offer in offers if offer.router == router["name"]]
    return {**row, "chosen": [_offer(offer) for offer in chosen]}


def _offer(offer: Any) -> dict[str, Any]:
    return {
        "network": str(offer.prefix),
        "router": offer.router,
        "circuit": "" if offer.line else offer.link[0],
        "link": offer.link[1],
        "line": offer.line,
        "local_preference": offer.local_preference,
        "path": " ".join(str(number) for number in offer.as_path),
        "gateway": offer.gateway,
    }
