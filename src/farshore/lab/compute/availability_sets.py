"""Microsoft.Compute/availabilitySets: a name that machines refer to (S12: a target may be one)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.lab.answers import Refused
from farshore.lab.bodies import Link
from farshore.lab.compute import quotas
from farshore.lab.patterns import SETS
from farshore.lab.registry import resource_type
from farshore.lab.types import Put, ResourceType

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

AVAILABILITY_SETS = "Microsoft.Compute/availabilitySets"


@resource_type(AVAILABILITY_SETS)
class AvailabilitySets(ResourceType):
    pattern = SETS
    patches = True

    def validate(self, put: Put) -> None:
        if put.created:
            quotas.must_fit(put.cloud, str(put.id.subscription), put.location, {quotas.SETS: 1})

    def on_put(self, put: Put) -> Body:
        body = self.standard(put)
        counts = {"platformUpdateDomainCount": 5, "platformFaultDomainCount": 2}
        return {**body, "properties": {**counts, **body["properties"]}}

    def on_delete(self, cloud: Cloud, id_: ResourceId) -> None:
        if members(cloud, id_):
            raise Refused(
                409, "OperationNotAllowed", f"Availability Set {id_.name} cannot be deleted: it has virtual machines."
            )

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        shown = [{"id": member} for member in members(cloud, id_)]
        return {**body, "properties": {**(body.get("properties") or {}), "virtualMachines": shown}}


def members(cloud: Cloud, id_: ResourceId) -> list[str]:
    """The ids of the machines in a set."""
    return cloud.bodies.linked("member", id_.key)


def member_links(body: Body) -> Iterator[Link]:
    """Of a machine: the set that it is in."""
    named = ((body.get("properties") or {}).get("availabilitySet") or {}).get("id")
    if named:
        yield Link("member", str(named).lower(), str(body["id"]))
