"""Microsoft.Compute/proximityPlacementGroups: a name for machines and availability sets that stand close together.

A group shows who refers to it (`proximityPlacementGroup`), and with `includeColocationStatus=true` that all of them
stand together: the lab has no datacenters that could be apart. A machine or set and its group are in one region, a
machine that runs does not change it, and one that is referred to can't be deleted. Site Recovery lets a machine land in
the group of its item (S12) if the group is there: no page calls it more than an attempt.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab import machines
from farshore.lab.answers import Refused, bad_request
from farshore.lab.bodies import Link
from farshore.lab.cloud import must_have
from farshore.lab.compute.attached import VIRTUAL_MACHINES
from farshore.lab.compute.gathered import Gathering, without
from farshore.lab.network.references import ref
from farshore.lab.patterns import PLACES
from farshore.lab.registry import resource_type
from farshore.lab.types import Put

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

GROUPS = "Microsoft.Compute/proximityPlacementGroups"
MEMBER = "close"
"""Kind of link from a machine or a set to its group."""
ALIGNED: Body = {"code": "ColocationStatus/Aligned", "level": "Info", "displayStatus": "Aligned"}


@resource_type(GROUPS)
class ProximityPlacementGroups(Gathering):
    pattern = PLACES
    gathers = ("virtualMachines", "virtualMachineScaleSets", "availabilitySets")
    read_only = (
        "provisioningState",
        "virtualMachines",
        "virtualMachineScaleSets",
        "availabilitySets",
        "colocationStatus",
    )

    def validate(self, put: Put) -> None:
        kind = put.properties.get("proximityPlacementGroupType", "Standard")
        if kind not in ("Standard", "Ultra"):
            raise bad_request("InvalidParameter", f"The value {kind} of proximityPlacementGroupType is invalid.")

    def on_put(self, put: Put) -> Body:
        body = self.standard(put)
        return {**body, "properties": {"proximityPlacementGroupType": "Standard", **body["properties"]}}

    def on_delete(self, cloud: Cloud, id_: ResourceId) -> None:
        used = cloud.bodies.linked(MEMBER, id_.key)
        if used:
            raise Refused(
                409,
                "OperationNotAllowed",
                f"Proximity placement group '{id_.name}' cannot be deleted: {', '.join(used)} belong to it.",
            )

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        told = query.get("includecolocationstatus", "").lower() == "true"
        status = {"colocationStatus": ALIGNED} if told else {}
        members: dict[str, list[Body]] = {"virtualMachines": [], "virtualMachineScaleSets": [], "availabilitySets": []}
        for text in cloud.bodies.linked(MEMBER, id_.key):
            kind = "virtualMachines" if resource_id(text).is_a(VIRTUAL_MACHINES) else "availabilitySets"
            members[kind].append({"id": text, **status})
        properties = without(body, ("provisioningState",)).get("properties") or {}
        return {**body, "properties": {**properties, **members, **status}}


def place_links(body: Body) -> Iterator[Link]:
    """Of a machine or a set: the group that it is in."""
    group = ref(body, "proximityPlacementGroup")
    if group is not None:
        yield Link(MEMBER, group.lower(), str(body["id"]))


def check_place(put: Put) -> None:
    """The group that a machine or set names is there, in its region; one that runs stays where it is."""
    group, before = ref(put.body, "proximityPlacementGroup"), ref(put.before, "proximityPlacementGroup")
    if group is not None:
        must_have(put.cloud, group, put.id.text)
        id_ = resource_id(group)
        if not id_.is_a(GROUPS) or put.cloud.region_of(id_) != put.location:
            raise bad_request("InvalidParameter", f"{group} is no proximity placement group of region {put.location}.")
    moves = not put.created and str(group).lower() != str(before).lower()
    if moves and machines.power(put.cloud, put.id) not in (None, "deallocated"):
        raise Refused(
            409,
            "OperationNotAllowed",
            f"VM '{put.id.name}' must be deallocated to change its proximity placement group.",
        )
