"""Which machines have a place in a capacity reservation: those of its group with its size and zone.

A place is taken while a machine is allocated: running or stopped, not deallocated. The theory is that of
`reservations.py`, whose types these are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.errors import InputError
from farshore.lab import machines
from farshore.lab.bodies import Link
from farshore.lab.compute import attached
from farshore.lab.shortages import must_have_room

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

GROUPS = "Microsoft.Compute/capacityReservationGroups"
RESERVATIONS = f"{GROUPS}/capacityReservations"
MEMBER = "reserved"
"""Kind of link from a machine to its group."""
DEALLOCATED = "deallocated"
GROWING = "reserving"
"""Table: a reservation whose PUT is under way -> by how many places it grows."""


def member_links(machine: Body) -> Iterator[Link]:
    group = group_of(machine)
    if group is not None:
        yield Link(MEMBER, group.key, str(machine["id"]))


def must_find_room(cloud: Cloud, machine: Body) -> None:
    """Raise where a machine that is to run finds neither a place of its own group's nor room in its region."""
    held = reservation_of(cloud, machine)
    if held is not None:
        others = [item for item in allocated(cloud, held) if item["id"] != machine["id"]]
        if len(others) < kept(cloud, held):
            return
    must_have_room(cloud, str(machine.get("location")), attached.size_of(machine))


def reservation_of(cloud: Cloud, machine: Body) -> Body | None:
    """The reservation that a machine has its place in: that of its group for its size and zone."""
    group = group_of(machine)
    if group is None:
        return None
    wanted = (attached.size_of(machine).lower(), zone_of(machine))
    held = reservations_in(cloud, group)
    return next((body for body in held if (size_of(body).lower(), zone_of(body)) == wanted), None)


def places(cloud: Cloud, reservation: Body) -> int:
    """How many machines it counts for in the quota: its places, or those who refer to it if they are more."""
    return max(capacity_of(reservation), len(associated(cloud, reservation)))


def size_of(reservation: Body) -> str:
    return str((reservation.get("sku") or {}).get("name") or "")


def group_of(machine: Body) -> ResourceId | None:
    named = (machine.get("properties") or {}).get("capacityReservation") or {}
    found = (named.get("capacityReservationGroup") or {}).get("id")
    try:
        return resource_id(str(found)) if found else None
    except InputError:  # an estate's; a request's ids are looked at before
        return None


def reservations_in(cloud: Cloud, group: ResourceId) -> list[Body]:
    return list(cloud.children(group, "capacityReservations"))


def members_of(cloud: Cloud, group: ResourceId) -> list[Body]:
    found = (cloud.body(text) for text in cloud.bodies.linked(MEMBER, group.key))
    return [body for body in found if body is not None]


def associated(cloud: Cloud, reservation: Body) -> list[Body]:
    group = resource_id(str(reservation["id"])).parent if reservation else None
    wanted = (size_of(reservation).lower(), zone_of(reservation))
    members = [] if group is None else members_of(cloud, group)
    return [body for body in members if (attached.size_of(body).lower(), zone_of(body)) == wanted]


def allocated(cloud: Cloud, reservation: Body) -> list[Body]:
    found = associated(cloud, reservation)
    return [body for body in found if machines.power(cloud, resource_id(str(body["id"]))) not in (DEALLOCATED, None)]


def capacity_of(reservation: Body) -> int:
    return int((reservation.get("sku") or {}).get("capacity") or 0)


def kept(cloud: Cloud, reservation: Body) -> int:
    """The places that it really has: none once it has Failed, and what it grows by only when it has grown."""
    if (reservation.get("properties") or {}).get("provisioningState") == "Failed":
        return 0
    growing = cloud.table(GROWING).get(str(reservation["id"]).lower(), 0)
    return capacity_of(reservation) - max(0, int(growing))


def zone_of(body: Body) -> str:
    zones: Any = body.get("zones") or []
    return str(zones[0]) if zones else ""
