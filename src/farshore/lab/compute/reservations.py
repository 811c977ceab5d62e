"""Microsoft.Compute/capacityReservationGroups and capacityReservations: room that is kept for machines of a size.

    a group        a name that machines refer to (`capacityReservation.capacityReservationGroup`); in no zone or in some
    a reservation  one size, one zone or none, so many places (`sku: {name, capacity}`)

A machine of a group takes a place in the reservation of its size and zone for as long as it is allocated (running or
stopped, not deallocated), and finds it whatever else the region has no room for (`lab/shortages.py`); beyond the last
place it must find room like any other. A reservation that finds no room, made or enlarged, is Failed and keeps nothing
until it is put again. Places count in the quota whether they are taken or not; the machines in them not again.

What is refused is as the pages on capacity reservations say: a machine joins or leaves a group while it is deallocated,
or while the reservation has no places; a size without a reservation in the group; deleting what machines refer to. The
codes are those of Microsoft.Compute; the sentences are ours. Site Recovery puts a machine that fails over into the
group of its item (S12, S57: what a reservation is a guarantee of); no page says that a test does, and here it does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.arm.network import normal_location
from farshore.lab import machines
from farshore.lab.answers import Refused, bad_request
from farshore.lab.cloud import must_have
from farshore.lab.compute import attached, quotas
from farshore.lab.compute.gathered import Gathering
from farshore.lab.compute.reserved import (
    DEALLOCATED,
    GROUPS,
    GROWING,
    RESERVATIONS,
    allocated,
    associated,
    capacity_of,
    group_of,
    kept,
    members_of,
    places,
    reservation_of,
    reservations_in,
    size_of,
    zone_of,
)
from farshore.lab.compute.sizes import must_be_sold
from farshore.lab.patterns import COMPUTE, PLACES
from farshore.lab.registry import resource_type
from farshore.lab.shortages import must_have_room
from farshore.lab.types import Put, ResourceType
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud


FAULT_DOMAINS = 3
"""In how many fault domains Azure puts a reservation that does not say."""


@resource_type(GROUPS)
class CapacityReservationGroups(Gathering):
    pattern = PLACES
    gathers = ("capacityReservations", "virtualMachinesAssociated")
    read_only = ("provisioningState", "capacityReservations", "virtualMachinesAssociated", "instanceView")

    def on_delete(self, cloud: Cloud, id_: ResourceId) -> None:
        used = [str(body["id"]) for body in (*reservations_in(cloud, id_), *members_of(cloud, id_))]
        if used:
            raise Refused(
                409,
                "OperationNotAllowed",
                f"Capacity reservation group '{id_.name}' cannot be deleted: {', '.join(used)} belong to it.",
            )

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        held = reservations_in(cloud, id_)
        members = {"capacityReservations": held, "virtualMachinesAssociated": members_of(cloud, id_)}
        properties: Body = {name: [{"id": item["id"]} for item in found] for name, found in members.items() if found}
        if "instanceview" in query.get("$expand", "").lower():
            views = [{"name": item["name"], **_instance_view(cloud, item)} for item in held]
            properties["instanceView"] = {"capacityReservations": views}
        return {**body, "properties": properties}


@resource_type(RESERVATIONS)
class CapacityReservations(ResourceType):
    pattern = COMPUTE
    patches = True
    read_only = (
        "provisioningState",
        "reservationId",
        "provisioningTime",
        "timeCreated",
        "virtualMachinesAssociated",
        "instanceView",
    )

    def validate(self, put: Put) -> None:
        group, name, before = put.id.parent, size_of(put.body), put.before
        assert group is not None
        if not name or not _is_count((put.body.get("sku") or {}).get("capacity")):
            raise bad_request("InvalidParameter", "A capacity reservation needs sku.name and a sku.capacity.", "sku")
        if before is not None and (size_of(before).lower(), zone_of(before)) != (name.lower(), zone_of(put.body)):
            raise Refused(409, "PropertyChangeNotAllowed", "Size and zone of a capacity reservation can't be changed.")
        held = put.cloud.body(group) or {}
        if normal_location(held.get("location")) != put.location:
            raise bad_request("InvalidParameter", f"The group {group.text} is not in region {put.location}.")
        if len(put.body.get("zones") or []) > 1 or not set(put.body.get("zones") or []) <= set(held.get("zones") or []):
            raise bad_request("InvalidParameter", "A capacity reservation has one of its group's zones.", "zones")
        for other in reservations_in(put.cloud, group):
            same = (size_of(other).lower(), zone_of(other)) == (name.lower(), zone_of(put.body))
            if same and str(other["id"]).lower() != put.id.key:
                message = f"'{other['name']}' reserves {name} in this group already."
                raise Refused(409, "OperationNotAllowed", message)
        must_be_sold(put.cloud, put.location, name)
        new = max(capacity_of(put.body), len(associated(put.cloud, before)) if before else 0)
        more = new - (0 if before is None else places(put.cloud, before))
        quotas.must_fit(put.cloud, str(put.id.subscription), put.location, quotas.of_size(name, more))

    def on_put(self, put: Put) -> Body:
        cloud, body = put.cloud, self.standard(put)
        made = {
            **put.unasked({"platformFaultDomainCount": FAULT_DOMAINS}),
            "reservationId": cloud.guid("reservation", put.id.key),
            "timeCreated": stamp(cloud.now),
        }
        grown = capacity_of(put.body) - (0 if put.before is None else kept(cloud, put.before))
        cloud.table(GROWING)[put.id.key] = grown
        return {**body, "properties": {**made, **body["properties"]}}

    def on_ready(self, cloud: Cloud, id_: ResourceId) -> None:
        body = cloud.body(id_)
        grown = cloud.table(GROWING).pop(id_.key, 0)
        if body is None:
            return
        if grown > 0:
            must_have_room(cloud, str(body["location"]), size_of(body))
        if grown == 0 and "provisioningTime" in body["properties"]:
            return
        cloud.write(id_, {**body, "properties": {**body["properties"], "provisioningTime": stamp(cloud.now)}})

    def on_delete(self, cloud: Cloud, id_: ResourceId) -> None:
        used = [str(item["id"]) for item in associated(cloud, cloud.body(id_) or {})]
        if used:
            raise Refused(
                409,
                "OperationNotAllowed",
                f"Capacity reservation '{id_.name}' cannot be deleted: {', '.join(used)} are associated with it.",
            )

    def on_gone(self, cloud: Cloud, id_: ResourceId, body: Body) -> None:
        cloud.table(GROWING).pop(id_.key, None)

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        members = [{"id": item["id"]} for item in associated(cloud, body)]
        properties = {**body["properties"], **({"virtualMachinesAssociated": members} if members else {})}
        if "instanceview" in query.get("$expand", "").lower():
            properties["instanceView"] = _instance_view(cloud, body)
        return {**body, "properties": properties}


def _instance_view(cloud: Cloud, body: Body) -> Body:
    state = str(body["properties"].get("provisioningState", "Succeeded"))
    status = {
        "code": f"ProvisioningState/{state.lower()}",
        "level": "Error" if state == "Failed" else "Info",
        "displayStatus": f"Provisioning {state.lower()}",
        "time": str(body["properties"].get("provisioningTime") or body["properties"].get("timeCreated") or ""),
    }
    taken = [{"id": item["id"]} for item in allocated(cloud, body)]
    return {
        "utilizationInfo": {"currentCapacity": kept(cloud, body), "virtualMachinesAllocated": taken},
        "statuses": [status],
    }


def check_machine(put: Put) -> None:
    """The group of a machine is there and has its size; it is joined and left by a machine without a place."""
    cloud, wanted, before = put.cloud, group_of(put.body), group_of(put.before or {})
    if wanted is not None:
        must_have(cloud, wanted.text, put.id.text)
        if not wanted.is_a(GROUPS) or cloud.region_of(wanted) != put.location:
            raise bad_request(
                "InvalidParameter", f"{wanted} is no capacity reservation group of region {put.location}."
            )
        if reservation_of(cloud, put.body) is None:
            raise Refused(
                409,
                "OperationNotAllowed",
                f"Capacity reservation group '{wanted.name}' has no reservation of size {attached.size_of(put.body)} "
                f"in the zone of VM '{put.id.name}'.",
            )
    if put.created or wanted == before:
        return
    if machines.power(cloud, put.id) in (DEALLOCATED, None):
        return
    for body in (put.body, put.before or {}):
        held = reservation_of(cloud, body)
        if held is not None and kept(cloud, held):
            raise Refused(
                409,
                "OperationNotAllowed",
                f"VM '{put.id.name}' must be deallocated to change its capacity reservation group, or the capacity "
                f"of reservation '{held['name']}' must be zero.",
            )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
