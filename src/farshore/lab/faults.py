"""What can be taken away and given back, now or at a time: `GET|POST /_lab/faults`.

    {"kind": "region", "region": "eastasia", "state": "lost" | "returned", "at": time?}
    {"kind": "control-plane", "region": ..., "state": ...}     half of it: ARM is silent, everything goes on working
    {"kind": "data-plane", "region": ..., "state": ...}        the other half: ARM answers, no packet passes
    {"kind": "location", "location": "Hong Kong", "state": "down" | "up"}
    {"kind": "circuit" | "gateway" | "connection" | "nic" | "appliance" | "machine", "id": ..., "state": ...}
    {"kind": "circuit-link", "id": ..., "link": "primary" | "secondary", "state": ...}
    {"kind": "gateway-instance", "id": ..., "instance": 0 | 1, "state": ...}
    {"kind": "router", "site": ..., "router": ..., "state": ...}
    {"kind": "site-deaf", "site": ..., "router": ... | null, "state": ...}       says done and does nothing
    {"kind": "clear"}                                                            all of it: planned, made, to come

    throttle, reply-lost, late-answer, no-answer, twice, refuse, fail-operation, hang-operation   lab/mishaps.py
    capacity                                                                                      lab/shortages.py
    restriction, quota                                        lab/compute/sizes.py, lab/compute/quotas.py
    replication, churn                                                            lab/recovery/ailments.py
    edit                                                                                          lab/edits.py

A lost region: its control plane is silent at once (and with it, for writes, what is in a group located there, L36),
its machines stop, each of its gateways falls silent in BGP after its own seeded while (E12), its operations stand
still. A region that returns: ARM, every gateway and every machine come back each after a seeded while of its own
within a couple of minutes, and the machines that ran start by themselves, with the data that they had (D92). So ARM
may answer before the first gateway announces, or after it: nobody may count on an order.

Half of an outage begins and ends at once. Without its control plane a region's operations stand still, and machines,
gateways and replication work. Without its data plane machines run and write, and nothing of theirs gets out: packets
are lost, gateways are silent, replication stands still.

A planned fault that can't be made when it is due (an edit that the resource's own rules refuse) changes nothing and is
shown under `refused`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body, Json
from farshore.arm.network import normal_location
from farshore.arm.regions import find_region
from farshore.errors import InputError
from farshore.lab import machines, simulated
from farshore.lab.answers import NoAnswer, Refused, bad_request, quoted
from farshore.lab.call import Call
from farshore.lab.fault_kinds import CLEARS, KINDS, SHOWS, Check, fault_kind
from farshore.lab.registry import event, handle
from farshore.times import moment, stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

GATEWAYS = "Microsoft.Network/virtualNetworkGateways"
UP = ("up", "returned", "ok")
DOWN = ("down", "lost")
OF_MAKING = ("seconds", "code", "bytes_per_second", "limit")
"""What need not be said again to undo a fault."""
ELEMENTS = ("circuit", "gateway", "connection", "nic", "appliance", "machine")
_CIRCUIT, _NIC = "microsoft.network/expressroutecircuits", "microsoft.network/networkinterfaces"
OF_TYPE: Mapping[str, tuple[str, ...]] = {
    "circuit": (_CIRCUIT,),
    "circuit-link": (_CIRCUIT,),
    "gateway": (GATEWAYS.lower(),),
    "gateway-instance": (GATEWAYS.lower(),),
    "connection": ("microsoft.network/connections",),
    "nic": (_NIC,),
    "machine": ("microsoft.compute/virtualmachines",),
    "churn": ("microsoft.compute/virtualmachines",),
    "replication": ("microsoft.compute/virtualmachines",),
}
"""What the id of a fault names; an appliance may be many things."""


# What the rest of the lab asks. --------------------------------------------------------------------------------------


def down(cloud: Cloud) -> frozenset[str]:
    """What does not work, by the names of `Outside.down`, whoever took it away."""
    return frozenset(cloud.table("down")) | simulated.down(cloud)


def is_deaf(cloud: Cloud, site: str, router: str) -> bool:
    deaf = cloud.table("deaf")
    return f"{site}/*" in deaf or f"{site}/{router}" in deaf


def is_dark(cloud: Cloud, region: str | None) -> bool:
    """Whether nothing in a region works: it is lost, or its data plane is."""
    if region is None:
        return False
    name = normal_location(region)
    return name in cloud.table("regions") or f"region:{name}" in cloud.table("down")


def must_reach(cloud: Cloud, region: str | None) -> None:
    """Raise where a region's control plane is out of reach: refused, or no answer at all."""
    if region is None or not cloud.is_lost(region):
        return
    if cloud.settings.lost_region_answers:
        raise Refused(503, "ServiceUnavailable", f"The service in region {region} is unavailable.")
    raise NoAnswer(region)


def must_serve(cloud: Cloud, id_: ResourceId, method: str, body: Any) -> None:
    """A call on a resource: its own region must answer, and for a write its group's too (L36)."""
    region = cloud.region_of(id_)
    if region is None and isinstance(body, dict) and body.get("location"):
        region = normal_location(str(body["location"]))
    must_reach(cloud, region)
    group = id_.group_id
    if method not in ("GET", "HEAD") and group is not None:
        must_reach(cloud, cloud.region_of(group))


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


def check(cloud: Cloud, wanted: Mapping[str, Any]) -> None:
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
    if (types := OF_TYPE.get(str(name))) and _id(wanted).type.lower() not in types:
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


def _must_have_location(cloud: Cloud, wanted: Mapping[str, Any]) -> None:
    location = str(wanted["location"])
    circuits = [body.get("properties") or {} for body in cloud.of_type("Microsoft.Network/expressRouteCircuits")]
    names = {str((item.get("serviceProviderProperties") or {}).get("peeringLocation")) for item in circuits}
    if location.lower() not in {name.lower() for name in names}:
        said = ", ".join(sorted(names)) or "no circuit"
        raise Refused(404, "UnknownLocation", f"No circuit of the lab ends in {location}: it has {said}.")


def apply(cloud: Cloud, wanted: Mapping[str, Any]) -> None:
    """Make a fault, or undo it (`state` up or returned). Raises `Refused` for an edit that the resource refuses."""
    KINDS[str(wanted["kind"])].apply(cloud, wanted, _is_up(wanted))


def _is_up(wanted: Mapping[str, Any]) -> bool:
    return str(wanted.get("state", "down")).lower() in UP


@fault_kind("region", needs=("region",))
def region_fault(cloud: Cloud, wanted: Mapping[str, Any], up: bool) -> None:
    region = normal_location(str(wanted["region"]))
    give_back(cloud, region) if up else lose(cloud, region)


@fault_kind("control-plane", needs=("region",))
def control_plane(cloud: Cloud, wanted: Mapping[str, Any], up: bool) -> None:
    region = normal_location(str(wanted["region"]))
    if not up:
        cloud.table("silent")[region] = {"since": stamp(cloud.now)}
    elif cloud.table("silent").pop(region, None) is not None:
        _go_on(cloud, region)


@fault_kind("data-plane", needs=("region",))
def data_plane(cloud: Cloud, wanted: Mapping[str, Any], up: bool) -> None:
    region = normal_location(str(wanted["region"]))
    _set(cloud, "down", f"region:{region}", up)
    cloud.tell("region.dark", region, {"at": stamp(cloud.now), "over": up})


@fault_kind("site-deaf", needs=("site",))
def deaf(cloud: Cloud, wanted: Mapping[str, Any], up: bool) -> None:
    _set(cloud, "deaf", f"{wanted['site']}/{wanted.get('router') or '*'}", up)


@fault_kind("clear")
def clear(cloud: Cloud, wanted: Mapping[str, Any] | None = None, up: bool = False) -> None:
    """Nothing is planned, nothing is broken any more. A lost region returns as regions do: in its own time, and its
    gateways with it."""
    for row in list(cloud.table("events").values()):
        if row["kind"] == "fault":
            cloud.cancel("fault", row["subject"])
    for region in list(cloud.table("silent")):
        control_plane(cloud, {"region": region}, True)
    returning = {str(body["id"]).lower() for region in cloud.table("regions") for body in _gateways(cloud, region)}
    for name in list(cloud.table("down")):
        if name.startswith("region:"):
            data_plane(cloud, {"region": name.removeprefix("region:")}, True)
        elif name not in returning and cloud.pending("gateway.speaks", name) is None:
            _set(cloud, "down", name, True)
    for table in ("deaf", "refused"):
        for name in list(cloud.table(table)):
            _set(cloud, table, name, True)
    for function in CLEARS:
        function(cloud)
    for region in list(cloud.table("regions")):
        give_back(cloud, region)


def _element(kind: str, *needs: str, check: Check | None = None) -> None:
    @fault_kind(kind, needs=needs, check=check)
    def make(cloud: Cloud, wanted: Mapping[str, Any], up: bool) -> None:
        _set(cloud, "down", _name(kind, wanted), up)


for _kind in ELEMENTS:
    _element(_kind, "id")
_element("location", "location", check=_must_have_location)
_element("circuit-link", "id", "link")
_element("gateway-instance", "id", "instance")
_element("router", "site", "router")


def lose(cloud: Cloud, region: str) -> None:
    """Everything in the region stops, each thing in its own way. Losing it twice is losing it once, and a region that
    was about to return stays away."""
    if region in cloud.table("regions") and cloud.pending("region.arm", region) is None:
        return
    attempt = cloud.count("region.lost", region)
    cloud.table("regions")[region] = {"lost_at": stamp(cloud.now)}
    for id_ in list(machines.in_region(cloud, region)):
        cloud.cancel("machine.returns", id_.key)
        # One that had not started again since the last time has still to do so.
        ran = machines.power(cloud, id_) in ("running", "starting") or cloud.table("machines")[id_.key]["ran"]
        machines.set_power(cloud, id_, "stopped" if ran else machines.power(cloud, id_) or "stopped", ran=ran)
    for body in _gateways(cloud, region):
        key = str(body["id"]).lower()
        due = cloud.now + cloud.duration("bgp.withdraw", key, attempt)
        cloud.at(due, "gateway.speaks", key, {"up": False})
    cloud.cancel("region.arm", region)
    cloud.epoch += 1
    cloud.tell("region.lost", region, {"at": stamp(cloud.now)})


def give_back(cloud: Cloud, region: str) -> None:
    if region not in cloud.table("regions") or cloud.pending("region.arm", region) is not None:
        return
    attempt = cloud.count("region.returned", region)
    cloud.at(cloud.now + cloud.duration("region.arm", region, attempt), "region.arm", region, None)
    for body in _gateways(cloud, region):
        key = str(body["id"]).lower()
        cloud.at(cloud.now + cloud.duration("region.gateway", key, attempt), "gateway.speaks", key, {"up": True})
    for id_ in list(machines.in_region(cloud, region)):
        if cloud.table("machines")[id_.key]["ran"]:
            due = cloud.now + cloud.duration("region.machine", id_.key, attempt)
            cloud.at(due, "machine.returns", id_.key, None)
    cloud.tell("region.returned", region, {"at": stamp(cloud.now)})


@event("region.arm")
def arm_answers(cloud: Cloud, subject: str, data: Json) -> None:
    """The control plane is back, and what waited for it goes on."""
    cloud.table("regions").pop(subject, None)
    _go_on(cloud, subject)


def _go_on(cloud: Cloud, region: str) -> None:
    """What waited for a region's control plane happens, unless there is another reason for its silence."""
    if cloud.is_lost(region):
        return
    waiting = cloud.table("waiting")
    for key in [key for key in waiting if key.startswith(f"{region}|")]:
        row = waiting.pop(key)
        cloud.at(cloud.now + timedelta(seconds=row["delay_seconds"]), row["kind"], row["subject"], row.get("data"))
    cloud.tell("region.answers", region, {"at": stamp(cloud.now)})


@event("gateway.speaks")
def gateway_speaks(cloud: Cloud, subject: str, data: Json) -> None:
    """BGP notices that a gateway has gone, or that it is there again."""
    _set(cloud, "down", subject, data["up"])


@event("machine.returns")
def machine_returns(cloud: Cloud, subject: str, data: Json) -> None:
    """It starts by itself, unless somebody has taken it in hand meanwhile."""
    body, row = cloud.body(subject), cloud.table("machines").get(subject)
    if body is not None and row is not None and row["ran"]:
        machines.set_power(cloud, resource_id(str(body["id"])), "running")


def _set(cloud: Cloud, table: str, name: str, up: bool) -> None:
    rows = cloud.table(table)
    if up:
        rows.pop(name, None)
    else:
        rows[name] = {"since": stamp(cloud.now)}
    cloud.epoch += 1


def _name(kind: str, wanted: Mapping[str, Any]) -> str:
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


def _id(wanted: Mapping[str, Any]) -> ResourceId:
    try:
        return resource_id(str(wanted["id"]))
    except InputError:
        raise bad_request("InvalidFault", f"{quoted(wanted['id'])} is no resource id.") from None


def _gateways(cloud: Cloud, region: str) -> list[Body]:
    return [body for body in cloud.of_type(GATEWAYS) if normal_location(body.get("location")) == region]


def _shown(cloud: Cloud) -> dict[str, Any]:
    events = cloud.table("events")
    return {
        "now": stamp(cloud.now),
        "regions": [
            {"region": name, **row, "returning": cloud.pending("region.arm", name) is not None}
            for name, row in cloud.table("regions").items()
        ],
        "down": [{"name": name, **row} for name, row in cloud.table("down").items()],
        "deaf": list(cloud.table("deaf")),
        "silent": [{"region": name, **row} for name, row in cloud.table("silent").items()],
        "mishaps": list(cloud.table("mishaps").values()),
        "hung": [{"operation": id_, **row} for id_, row in cloud.table("hung").items()],
        **{name: function(cloud) for name, function in SHOWS.items()},
        "refused": list(cloud.table("refused").values()),
        "planned": [{"at": row["due"], **row["data"]} for row in events.values() if row["kind"] == "fault"],
    }
