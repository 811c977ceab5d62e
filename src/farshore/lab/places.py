"""Where a resource may be: its group and its parent are there, and its location is one that Azure has (L9, L15)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.arm.network import normal_location
from farshore.arm.regions import find_region
from farshore.lab.answers import Refused, group_going, group_not_found, quoted

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

GLOBAL = "global"


def check(
    cloud: Cloud, id_: ResourceId, body: Body, before: Body | None, *, tracked: bool, everywhere: bool = False
) -> None:
    """Raise `Refused` for a PUT to a place that there isn't. `before` is what the PUT replaces; what is `tracked` has a
    location of its own, which never changes, and what may be `everywhere` is of no region."""
    group = id_.group_id
    if group is not None and not cloud.exists(group):
        raise group_not_found(str(id_.resource_group))
    if group is not None and (cloud.body(group) or {}).get("properties", {}).get("provisioningState") == "Deleting":
        raise group_going(str(id_.resource_group))
    parent = id_.parent
    if parent is not None and not cloud.exists(parent):
        raise Refused(
            404,
            "ParentResourceNotFound",
            f"Failed to perform 'write' on resource(s) of type '{id_.type.split('/', 1)[1]}', because the parent "
            f"resource '{parent.text}' could not be found.",
        )
    if not tracked:
        return
    location = body.get("location")
    if not location and before is None:
        raise Refused(400, "LocationRequired", "The location property is required for this definition.")
    of_no_region = everywhere and str(location).lower() == GLOBAL
    if location and not of_no_region and find_region(str(location)) is None:
        raise Refused(
            400,
            "LocationNotAvailableForResourceType",
            f"The provided location {quoted(location)} is not available for resource type '{id_.type}'.",
        )
    if before is not None and location and normal_location(location) != normal_location(before.get("location")):
        raise Refused(
            409,
            "InvalidResourceLocation",
            f"The resource '{id_.name}' already exists in location '{before.get('location')}' in resource group "
            f"'{id_.resource_group}'. A resource with the same name cannot be created in location '{location}'.",
        )
