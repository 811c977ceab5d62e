"""A region that is lost, or half of it, and its return.

    {"kind": "region", "region": "eastasia", "state": "lost" | "returned", "at": time?}
    {"kind": "control-plane", "region": ..., "state": ...}     half of it: ARM is silent, everything goes on working
    {"kind": "data-plane", "region": ..., "state": ...}        the other half: ARM answers, no packet passes

A lost region: its control plane is silent at once (and with it, for writes, what is in a group located there, L36),
its machines stop, each of its gateways falls silent in BGP after its own seeded while (E12), its operations stand
still. A region that returns: ARM, every gateway and every machine come back each after a seeded while of its own
within a couple of minutes, and the machines that ran start by themselves, with the data that they had (D92). So ARM
may answer before the first gateway announces, or after it: nobody may count on an order.

Half of an outage begins and ends at once. Without its control plane a region's operations stand still, and machines,
gateways and replication work. Without its data plane machines run and write, and nothing of theirs gets out: packets
are lost, gateways are silent, replication stands still.

    regions    a lost region -> since when; there until its ARM answers again
    silent     a region without its control plane -> since when
    waiting    what a region's return lets happen (`Cloud.wait_for_region`)
    down       `region:{name}` without its data plane, a gateway by its key: with all else that does not work
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from farshore.arm.compute import RUNNING
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body, Json
from farshore.arm.network import normal_location
from farshore.lab import machines
from farshore.lab.answers import NoAnswer, Refused
from farshore.lab.fault_kinds import Wanted, clearing, fault_kind, mark, showing
from farshore.lab.registry import event
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

GATEWAYS = "Microsoft.Network/virtualNetworkGateways"


# What the rest of the lab asks. --------------------------------------------------------------------------------------


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


def to_return(cloud: Cloud) -> set[str]:
    """Of what is `down`: what a region takes along when it returns, each thing in its own time."""
    down = cloud.table("down")
    gateways = {str(body["id"]).lower() for region in cloud.table("regions") for body in _gateways(cloud, region)}
    speaking = {name for name in down if cloud.pending("gateway.speaks", name) is not None}
    return gateways | speaking | {name for name in down if name.startswith("region:")}


# The faults. ---------------------------------------------------------------------------------------------------------


@fault_kind("region", needs=("region",))
def region_fault(cloud: Cloud, wanted: Wanted, up: bool) -> None:
    region = normal_location(str(wanted["region"]))
    give_back(cloud, region) if up else lose(cloud, region)


@fault_kind("control-plane", needs=("region",))
def control_plane(cloud: Cloud, wanted: Wanted, up: bool) -> None:
    region = normal_location(str(wanted["region"]))
    if not up:
        cloud.table("silent")[region] = {"since": stamp(cloud.now)}
    elif cloud.table("silent").pop(region, None) is not None:
        _go_on(cloud, region)


@fault_kind("data-plane", needs=("region",))
def data_plane(cloud: Cloud, wanted: Wanted, up: bool) -> None:
    region = normal_location(str(wanted["region"]))
    mark(cloud, "down", f"region:{region}", up)
    cloud.tell("region.dark", region, {"at": stamp(cloud.now), "over": up})


@clearing
def clear(cloud: Cloud) -> None:
    """A half is back at once. A lost region returns as regions do: in its own time, and its gateways with it."""
    for region in list(cloud.table("silent")):
        control_plane(cloud, {"region": region}, True)
    for name in list(cloud.table("down")):
        if name.startswith("region:"):
            data_plane(cloud, {"region": name.removeprefix("region:")}, True)
    for region in list(cloud.table("regions")):
        give_back(cloud, region)


@showing("regions")
def shown(cloud: Cloud) -> list[Any]:
    return [
        {"region": name, **row, "returning": cloud.pending("region.arm", name) is not None}
        for name, row in cloud.table("regions").items()
    ]


@showing("silent")
def shown_silent(cloud: Cloud) -> list[Any]:
    return [{"region": name, **row} for name, row in cloud.table("silent").items()]


# Losing and returning. -----------------------------------------------------------------------------------------------


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
        ran = machines.power(cloud, id_) in RUNNING or cloud.table("machines")[id_.key]["ran"]
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
    mark(cloud, "down", subject, data["up"])


@event("machine.returns")
def machine_returns(cloud: Cloud, subject: str, data: Json) -> None:
    """It starts by itself, unless somebody has taken it in hand meanwhile."""
    body, row = cloud.body(subject), cloud.table("machines").get(subject)
    if body is not None and row is not None and row["ran"]:
        machines.set_power(cloud, resource_id(str(body["id"])), "running")


def _gateways(cloud: Cloud, region: str) -> list[Body]:
    return [body for body in cloud.of_type(GATEWAYS) if normal_location(body.get("location")) == region]
