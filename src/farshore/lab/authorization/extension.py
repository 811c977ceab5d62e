"""What stands on something else: ids of Microsoft.Authorization below a subscription, a group or a resource.

An extension's scope must be there; it goes when what it stands on goes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body, Json
from farshore.lab import registry
from farshore.lab.answers import group_not_found, not_found
from farshore.lab.call import Call
from farshore.lab.patterns import RESOURCES
from farshore.lab.registry import listener
from farshore.lab.types import ResourceType

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

ON_ANYTHING = ("Microsoft.Authorization/locks", "Microsoft.Authorization/roleAssignments", "Microsoft.Resources/tags")


class Extension(ResourceType):
    pattern = RESOURCES
    tracked = False
    formed = False
    extends = True

    def region(self, cloud: Cloud, id_: ResourceId) -> str | None:
        return None

    def lock(self, cloud: Cloud, id_: ResourceId) -> ResourceId:
        return id_


def scope_of(id_: ResourceId) -> ResourceId:
    """What an extension's id stands on."""
    at = id_.key.rindex("/providers/")
    return resource_id(id_.text[:at])


def known_scope(call: Call, scope: ResourceId) -> ResourceId:
    """The scope in the spelling in which it is kept; refused where it is not there. A subscription always is."""
    if scope.resource_group is None and not scope.pairs:
        return scope
    body = call.cloud.body(scope)
    if body is None:
        raise group_not_found(scope.name) if not scope.pairs else not_found(scope)
    return resource_id(str(body["id"]))


def id_as_asked(call: Call, type_: str) -> ResourceId:
    """The id of what is there, and of something new the one that was asked for: its scope stays spelled like that
    (recorded)."""
    body = call.cloud.body(call.id)
    text = f"{scope_of(call.id).text}/providers/{type_}/{call.id.name}" if body is None else str(body["id"])
    return resource_id(text)


@listener("resource.gone")
def goes_along(cloud: Cloud, subject: str, data: Json) -> None:
    """Locks, assignments and the like of what has gone."""
    prefix = subject + "/providers/"
    for type_ in ON_ANYTHING:
        if type_.lower() not in registry.TYPES:
            continue
        bodies: list[Body] = cloud.of_type(type_)
        for body in bodies:
            if str(body["id"]).lower().startswith(prefix):
                cloud.remove(resource_id(str(body["id"])))
