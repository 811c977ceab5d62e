"""What can be taken away and given back, now or at a time: `GET|POST /_lab/faults`.

    {"kind": "location", "location": "Hong Kong", "state": "down" | "up"}
    {"kind": "circuit" | "gateway" | "connection" | "nic" | "appliance" | "machine", "id": ..., "state": ...}
    {"kind": "circuit-link", "id": ..., "link": "primary" | "secondary", "state": ...}
    {"kind": "gateway-instance", "id": ..., "instance": 0 | 1, "state": ...}
    {"kind": "router", "site": ..., "router": ..., "state": ...}
    {"kind": "site-deaf", "site": ..., "router": ... | null, "state": ...}       says done and does nothing
    {"kind": "clear"}                                                            all of it: planned, made, to come

    region, control-plane, data-plane                                                             lab/regions.py
    throttle, reply-lost, late-answer, no-answer, twice, refuse, fail-operation, hang-operation   lab/mishaps.py
    capacity                                                                                      lab/shortages.py
    restriction, quota                                        lab/compute/sizes.py, lab/compute/quotas.py
    replication, churn                                                            lab/recovery/ailments.py
    edit                                                                                          lab/edits.py

A machine that is lost is dead, as one is whose host has gone: ARM goes on showing what it was last told, and it writes
nothing; what it had not shipped is gone with it. Given back it goes on with what it had, unless it was stopped.

A planned fault that can't be made when it is due (an edit that the resource's own rules refuse) changes nothing and is
shown under `refused`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Json
from farshore.arm.regions import find_region
from farshore.errors import InputError
from farshore.lab import regions, simulated
from farshore.lab.answers import Refused, bad_request, quoted
from farshore.lab.call import Call
from farshore.lab.fault_kinds import CLEARS, KINDS, SHOWS, Check, Wanted, fault_kind, mark, showing
from farshore.lab.registry import event, handle
from farshore.times import moment, stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

CIRCUITS = "Microsoft.Network/expressRouteCircuits"
GATEWAYS = "Microsoft.Network/virtualNetworkGateways"
MACHINES = "Microsoft.Compute/virtualMachines"
UP = ("up", "returned", "ok")
DOWN = ("down", "lost")
OF_MAKING = ("seconds", "code", "bytes_per_second", "limit")
"""What need not be said again to undo a fault."""


# What the rest of the lab asks. --------------------------------------------------------------------------------------


def down(cloud: Cloud) -> frozenset[str]:
    """What does not work, by the names of `Outside.down`, whoever took it away."""
    return frozenset(cloud.table("down")) | simulated.down(cloud)


def is_deaf(cloud: Cloud, site: str, router: str) -> bool:
    deaf = cloud.table("deaf")
    return f"{site}/*" in deaf or f"{site}/{router}" in deaf


# What makes faults. --------------------------------------------------------------------------------------------------


@handle("GET", "_lab/faults")
def show(call: Call) -> Response:
    return Response(status=200, body=_shown(call.cloud))


@handle("POST", "_lab/faults")
def make(call: Call) -> Response:
    cloud, wanted = call.cloud, call.object()
    check(cloud, wanted)
    at = wanted.get("at")
    if at is not None and moment(str(at)) > cloud.now:
        number = cloud.count("fault")
        cloud.at(moment(str(at)), "fault", f"{number:06d}", {k: v for k, v in wanted.items() if k != "at"})
    else:
        apply(cloud, wanted)
    return Response(status=200, body=_shown(cloud))


@event("fault")
def planned(cloud: Cloud, subject: str, data: Json) -> None:
    try:
        apply(cloud, data)
    except Refused as refused:
        said = {"code": refused.code, "message": refused.message}
        cloud.table("refused")[subject] = {"at": stamp(cloud.now), "fault": data, "error": said}


def check(cloud: Cloud, wanted: Wanted) -> None:
    """A fault that can't be made is refused when it is asked for, not when it is due."""
    name = wanted.get("kind")
    kind = KINDS.get(str(name))
    if kind is None:
        raise bad_request("UnknownFault", f"The lab has no fault {quoted(name)}: it has {', '.join(sorted(KINDS))}.")
    needs = [need for need in kind.needs if not (_is_up(wanted) and need in OF_MAKING)]
    missing = [need for need in needs if wanted.get(need) is None]
    if missing:
        raise bad_request("InvalidFault", f"A fault of kind {name} needs {', '.join(missing)}.")
    for key, good in _VALUES.items():
        if wanted.get(key) is not None and not good(str(wanted[key])):
            raise bad_request("InvalidFault", f"{key} can't be {quoted(wanted[key])}.")
    # What is gone by now can still be given back: nobody is to find it broken when it is made again.
    if "id" in kind.needs and not _is_up(wanted) and not cloud.exists(_id(wanted)):
        raise Refused(404, "ResourceNotFound", f"The lab has no resource {wanted['id']}.")
    if kind.of and _id(wanted).type.lower() not in kind.of:
        raise bad_request("InvalidFault", f"{wanted['id']} is no {name}.")
    if "site" in kind.needs:
        _must_have_router(cloud, str(wanted["site"]), wanted.get("router"))
    if kind.check is not None:
        kind.check(cloud, wanted)


def _must_have_router(cloud: Cloud, site: str, router: object) -> None:
    row = cloud.table("sites").get(site)
    if row is None:
        raise Refused(
            404, "UnknownSite", f"The lab has no site {quoted(site)}: it has {', '.join(cloud.table('sites'))}."
        )
    names = [held["name"] for held in row["routers"]]
    if router is not None and router not in names:
        raise Refused(404, "UnknownRouter", f"The site {site} has no router {router}: it has {', '.join(names)}.")


def _must_have_location(cloud: Cloud, wanted: Wanted) -> None:
    location = str(wanted["location"])
    circuits = [body.get("properties") or {} for body in cloud.of_type(CIRCUITS)]
    names = {str((item.get("serviceProviderProperties") or {}).get("peeringLocation")) for item in circuits}
    if location.lower() not in {name.lower() for name in names}:
        said = ", ".join(sorted(names)) or "no circuit"
        raise Refused(404, "UnknownLocation", f"No circuit of the lab ends in {location}: it has {said}.")


def apply(cloud: Cloud, wanted: Wanted) -> None:
    """Make a fault, or undo it (`state` up or returned). Raises `Refused` for an edit that the resource refuses."""
    KINDS[str(wanted["kind"])].apply(cloud, wanted, _is_up(wanted))


def _is_up(wanted: Wanted) -> bool:
    return str(wanted.get("state", "down")).lower() in UP


@fault_kind("site-deaf", needs=("site",))
def deaf(cloud: Cloud, wanted: Wanted, up: bool) -> None:
    mark(cloud, "deaf", f"{wanted['site']}/{wanted.get('router') or '*'}", up)


@fault_kind("clear")
def clear(cloud: Cloud, wanted: Wanted | None = None, up: bool = False) -> None:
    """Nothing is planned, nothing is broken any more, but for what comes back with its region in its own time."""
    for row in list(cloud.table("events").values()):
        if row["kind"] == "fault":
            cloud.cancel("fault", row["subject"])
    kept = regions.to_return(cloud)
    for name in list(cloud.table("down")):
        if name not in kept:
            _mark_down(cloud, name, True)
    for name in list(cloud.table("deaf")):
        mark(cloud, "deaf", name, True)
    cloud.table("refused").clear()
    for function in CLEARS:
        function(cloud)


def _element(kind: str, *needs: str, of: str | None = None, check: Check | None = None) -> None:
    @fault_kind(kind, needs=needs, of=() if of is None else (of,), check=check)
    def make(cloud: Cloud, wanted: Wanted, up: bool) -> None:
        _mark_down(cloud, _name(kind, wanted), up)


def _mark_down(cloud: Cloud, name: str, up: bool) -> None:
    mark(cloud, "down", name, up)
    if name in cloud.table("machines"):
        cloud.tell("machine.dead", name, {"over": up})


_element("circuit", "id", of=CIRCUITS)
_element("gateway", "id", of=GATEWAYS)
_element("connection", "id", of="Microsoft.Network/connections")
_element("nic", "id", of="Microsoft.Network/networkInterfaces")
_element("appliance", "id")
_element("machine", "id", of=MACHINES)
_element("location", "location", check=_must_have_location)
_element("circuit-link", "id", "link", of=CIRCUITS)
_element("gateway-instance", "id", "instance", of=GATEWAYS)
_element("router", "site", "router")


def _name(kind: str, wanted: Wanted) -> str:
    if kind == "location":
        return f"location:{str(wanted['location']).lower()}"
    if kind == "router":
        return f"router:{wanted['site']}/{wanted['router']}".lower()
    key = _id(wanted).key
    if kind == "circuit-link":
        return f"{key}#{str(wanted['link']).lower()}"
    if kind == "gateway-instance":
        return f"{key}#{wanted['instance']}"
    return key


def _is_number(text: str) -> bool:
    try:
        return 0 <= float(text) <= 10**9
    except ValueError:
        return False


def _is_moment(text: str) -> bool:
    try:
        moment(text)
    except (ValueError, OverflowError):
        return False
    return True


_VALUES: Mapping[str, Callable[[str], bool]] = {
    "state": lambda text: text.lower() in (*UP, *DOWN),
    "link": lambda text: text.lower() in ("primary", "secondary"),
    "instance": lambda text: text in ("0", "1"),
    "region": lambda text: find_region(text) is not None,
    "seconds": _is_number,
    "count": lambda text: text.isdecimal() and int(text) > 0,
    "at": _is_moment,
    "method": lambda text: text in ("GET", "HEAD", "PUT", "PATCH", "POST", "DELETE"),
    "status": lambda text: text.isdecimal() and 400 <= int(text) <= 599,
    "code": lambda text: text.isascii() and text.isalnum(),
    "size": lambda text: bool(text.strip()),
    "limit": lambda text: text.isdecimal() and len(text) < 10,
    "bytes_per_second": _is_number,
}
"""What the values of a fault may be, so that a slip of the pen is not a disaster of another kind."""


def _id(wanted: Wanted) -> ResourceId:
    try:
        return resource_id(str(wanted["id"]))
    except InputError:
        raise bad_request("InvalidFault", f"{quoted(wanted['id'])} is no resource id.") from None


@showing("down")
def shown_down(cloud: Cloud) -> list[Any]:
    return [{"name": name, **row} for name, row in cloud.table("down").items()]


@showing("deaf")
def shown_deaf(cloud: Cloud) -> list[Any]:
    return list(cloud.table("deaf"))


@showing("refused")
def shown_refused(cloud: Cloud) -> list[Any]:
    return list(cloud.table("refused").values())


@showing("planned")
def shown_planned(cloud: Cloud) -> list[Any]:
    return [{"at": row["due"], **row["data"]} for row in cloud.table("events").values() if row["kind"] == "fault"]


def _shown(cloud: Cloud) -> dict[str, Any]:
    return {"now": stamp(cloud.now), **{name: SHOWS[name](cloud) for name in sorted(SHOWS)}}
