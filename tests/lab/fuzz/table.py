"""The lab's operation table, read from its own registry: what can be asked of it, and of what.

An operation names a method, what it is asked of, and what stands behind that in the path:

    at "resource"   a resource of `type`; `tail` is an action's or a view's name
    at "parent"     what a resource of `type` lies in; `tail` is the last part of the type
    at "group", "subscription"   likewise, a list of `type` there
    at "path"       a door that no resource has, `tail` is the path
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from farshore.lab import catalog, registry
from lab.authorization.callers import AT_SUBSCRIPTION
from lab.resources.deployed import GROUP_ID

METHODS = ("GET", "PUT", "PATCH", "DELETE", "HEAD")


@dataclass(frozen=True, slots=True)
class Operation:
    method: str
    at: str
    type: str
    tail: str = ""
    argument: bool = False
    """Whether something more stands behind the tail (`routeTables/primary`)."""

    def __str__(self) -> str:
        return f"{self.method} {self.type}{'/' if self.tail and self.type else ''}{self.tail} ({self.at})"


DOORS = {
    "GET": (
        "/",
        "/subscriptions",
        "/tenants",
        "/providers",
        AT_SUBSCRIPTION,
        f"{AT_SUBSCRIPTION}/locations",
        f"{AT_SUBSCRIPTION}/tagNames",
        f"{AT_SUBSCRIPTION}/resources",
        f"{AT_SUBSCRIPTION}/resourcegroups",
        f"{GROUP_ID}/resources",
        f"{AT_SUBSCRIPTION}/providers",
        f"{AT_SUBSCRIPTION}/providers/Microsoft.Network",
        f"{AT_SUBSCRIPTION}/providers/Microsoft.Network/locations/eastasia/operations/x",
        f"{GROUP_ID}/deployments/main/operations",
        "/metadata/endpoints",
        "/metadata/identity/oauth2/token",
        "/common/.well-known/openid-configuration",
        "/common/oauth2/v2.0/token",
    ),
    "POST": (
        f"{AT_SUBSCRIPTION}/providers/Microsoft.Storage/register",
        f"{AT_SUBSCRIPTION}/providers/Microsoft.Storage/unregister",
        f"{GROUP_ID}/moveResources",
        f"{GROUP_ID}/validateMoveResources",
        f"{GROUP_ID}/exportTemplate",
        "/common/oauth2/v2.0/token",
        "/common/oauth2/token",
    ),
    "PUT": (AT_SUBSCRIPTION, "/"),
    "OPTIONS": (GROUP_ID, f"{AT_SUBSCRIPTION}/resources"),
}


@functools.cache
def operations() -> tuple[Operation, ...]:
    """Every one, once, in an order that does not change."""
    catalog.load()
    found: list[Operation] = []
    for kind in registry.TYPES.values():
        found += [Operation(method, "resource", kind.type) for method in METHODS]
        found += [Operation("GET", at, kind.type) for at in ("parent", "group", "subscription")]
    spelled = {name: kind.type for name, kind in registry.TYPES.items()}
    for method, table, argument in (
        ("POST", registry.ACTIONS, False),
        ("POST", registry.ACTIONS, True),
        ("GET", registry.VIEWS, False),
        ("GET", registry.NAMED_VIEWS, True),
        ("PUT", registry.SUB_PUTS, False),
    ):
        for type_, name in table:
            found.append(Operation(method, "resource", spelled.get(type_, type_), name, argument))
    found += [Operation("GET", "subscription", name) for name in registry.PROVIDER_LISTS]
    found += [
        Operation("GET", "path", "", f"{AT_SUBSCRIPTION}/providers/{name}", True) for name in registry.PROVIDER_ONES
    ]
    for method, path in (*registry.HANDLES, *registry.TENANT):
        found += [Operation(method, "path", "", f"/{path}", argument) for argument in (False, True)]
    for method, paths in DOORS.items():
        found += [Operation(method, "path", "", path) for path in paths]
    return tuple(dict.fromkeys(found))
