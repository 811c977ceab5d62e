"""Microsoft.Compute/availabilitySets: machines that stand in different racks and are serviced at different times.

A machine names its set when it is made (S12: a target may be one) and stays in it. It gets the next of the set's fault
and update domains, which its instance view shows; what Azure fills in of a set is two and five. A set with machines
can't be deleted. The sentences of refusals are ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab.answers import Refused, bad_request
from farshore.lab.bodies import Link
from farshore.lab.compute import quotas
from farshore.lab.compute.gathered import Gathering, without
from farshore.lab.compute.placement_groups import check_place, place_links
from farshore.lab.network.references import ref
from farshore.lab.patterns import SETS
from farshore.lab.registry import listener, resource_type
from farshore.lab.types import Put

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

AVAILABILITY_SETS = "Microsoft.Compute/availabilitySets"
UPDATE, FAULT = "platformUpdateDomainCount", "platformFaultDomainCount"
COUNTS = {UPDATE: 5, FAULT: 2}
MOST = {UPDATE: 20, FAULT: 3}
DOMAINS = "domains"
"""Table: a machine in a set -> its number there, from 0."""


@resource_type(AVAILABILITY_SETS)
class AvailabilitySets(Gathering):
    pattern = SETS
    gathers = ("virtualMachines",)
    read_only = ("provisioningState", "virtualMachines", "statuses")

    def validate(self, put: Put) -> None:
        for name, most in MOST.items():
            value = put.properties.get(name, 1)
            if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
                raise bad_request("InvalidParameter", f"{name} must fall in the range 1 to {most}, not {value}.", name)
        check_place(put)
        if put.created:
            quotas.must_fit(put.cloud, str(put.id.subscription), put.location, {quotas.SETS: 1})

    def on_put(self, put: Put) -> Body:
        body = self.standard(put)
        sku = body.get("sku") or {"name": "Classic"}
        return {**body, "sku": sku, "properties": {**COUNTS, **body["properties"]}}

    def on_delete(self, cloud: Cloud, id_: ResourceId) -> None:
        if members(cloud, id_):
            raise Refused(
                409, "OperationNotAllowed", f"Availability Set {id_.name} cannot be deleted: it has virtual machines."
            )

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        shown = [{"id": member} for member in members(cloud, id_)]
        body = without(body, ("provisioningState",))
        return {**body, "properties": {**(body.get("properties") or {}), "virtualMachines": shown}}

    def links(self, body: Body) -> Iterator[Link]:
        return place_links(body)


def members(cloud: Cloud, id_: ResourceId) -> list[str]:
    """The ids of the machines in a set."""
    return cloud.bodies.linked("member", id_.key)


def member_links(body: Body) -> Iterator[Link]:
    """Of a machine: the set that it is in."""
    if (named := ref(body, "availabilitySet")) is not None:
        yield Link("member", named.lower(), str(body["id"]))


def check_set(put: Put) -> None:
    """The set that a machine names is there, in its region, and the one that it was made in."""
    named, before = ref(put.body, "availabilitySet"), ref(put.before, "availabilitySet")
    if not put.created and named is not None and named.lower() != str(before).lower():
        raise Refused(
            409, "PropertyChangeNotAllowed", "Changing property 'availabilitySet.id' is not allowed.", target="id"
        )
    if named is None or not put.created:
        return
    id_ = resource_id(named)
    if not id_.is_a(AVAILABILITY_SETS) or put.cloud.region_of(id_) != put.location or not put.cloud.exists(id_):
        raise Refused(404, "NotFound", f"Availability set {named} is not found in region {put.location}.")


def take_domain(cloud: Cloud, machine: ResourceId, body: Body) -> None:
    """Give a machine its number in its set, once."""
    named = ref(body, "availabilitySet")
    if named is not None and machine.key not in cloud.table(DOMAINS):
        cloud.table(DOMAINS)[machine.key] = cloud.count("domain", named.lower())


def domains_of(cloud: Cloud, machine: ResourceId, body: Body) -> Body:
    """The domains that a machine's instance view shows; nothing for one in no set."""
    number, named = cloud.table(DOMAINS).get(machine.key), ref(body, "availabilitySet")
    held = None if named is None else cloud.body(named)
    if number is None or held is None:
        return {}
    counts = {**COUNTS, **(held.get("properties") or {})}
    return {"platformUpdateDomain": number % counts[UPDATE], "platformFaultDomain": number % counts[FAULT]}


@listener("resource.gone")
def forget(cloud: Cloud, subject: str, data: Body) -> None:
    cloud.table(DOMAINS).pop(subject, None)
