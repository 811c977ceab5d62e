"""Where a resource may be: its group and its parent are there, and its location is one that Azure has (L9, L15)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farshore.arm.ids import ResourceId, resource_id
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


def spelled(cloud: Cloud, id_: ResourceId, type_: str | None) -> ResourceId:
    """An id as it will be shown; `type_` is the type in its provider's spelling where that counts."""
    body = cloud.body(id_)
    if body is not None:
        return resource_id(str(body["id"]))
    parent = id_.parent
    if parent is not None and (held := cloud.body(parent)) is not None:
        kind = id_.pairs[-1][0] if type_ is None else type_.rsplit("/", 1)[-1]
        return resource_id(f"{held['id']}/{kind}/{id_.name}")
    group = id_.group_id
    if parent is None and group is not None and (held := cloud.body(group)) is not None:
        below = id_.text[len(group.text) :] if type_ is None else f"/providers/{type_}/{id_.name}"
        return resource_id(str(held["id"]) + below)
    return id_
