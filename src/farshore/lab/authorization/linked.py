"""What a write refers to: a right of its own is needed there (403 `LinkedAuthorizationFailed`, L15).

A NIC joins a subnet, a machine a NIC, a subnet a route table, a peering another network. Whoever writes the one must be
allowed to `join` (or `peer`) the other, which may be somebody else's. What else is referred to is not looked at.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from farshore.arm.ids import ResourceId, resource_id
from farshore.errors import InputError
from farshore.lab.answers import Refused
from farshore.lab.authorization.door import has_right, kind_of
from farshore.lab.call import Call

NETWORK = "Microsoft.Network"
LINKS: Mapping[str, str] = {
    kind.lower(): f"{kind}/join/action"
    for kind in (
        f"{NETWORK}/virtualNetworks/subnets",
        f"{NETWORK}/publicIPAddresses",
        f"{NETWORK}/networkSecurityGroups",
        f"{NETWORK}/applicationSecurityGroups",
        f"{NETWORK}/routeTables",
        f"{NETWORK}/networkInterfaces",
        f"{NETWORK}/expressRouteCircuits",
        f"{NETWORK}/loadBalancers/backendAddressPools",
        f"{NETWORK}/natGateways",
    )
} | {f"{NETWORK}/virtualNetworks".lower(): f"{NETWORK}/virtualNetworks/peer/action"}
"""By the type that is referred to: the right that is needed."""


def must_have_links(call: Call, id_: ResourceId) -> None:
    """Raise `Refused` 403 where the body of a write refers to what its caller may not join."""
    cloud, caller = call.cloud, call.caller
    if not caller.object_id or not isinstance(call.body, dict):
        return
    missing: dict[str, str] = {}
    for other in _references(call.body):
        action = LINKS.get(other.type.lower())
        outside = not f"{other.key}/".startswith(f"{id_.top.key}/")
        if action is not None and outside and not has_right(cloud, caller, action, other.key):
            missing[other.text] = action
    if missing:
        raise Refused(
            403,
            "LinkedAuthorizationFailed",
            f"The client '{caller.name}' with object id '{caller.object_id}' has permission to perform action "
            f"'{kind_of(id_)}/write' on scope '{id_.text}'; however, it does not have permission to perform action(s) "
            f"'{', '.join(missing.values())}' on the linked scope(s) '{', '.join(missing)}' (respectively) or the "
            "linked scope(s) are invalid.",
        )


def _references(value: Any) -> Iterator[ResourceId]:
    if isinstance(value, dict):
        text = value.get("id")
        if isinstance(text, str):
            with contextlib.suppress(InputError):  # the type's own check says so
                yield resource_id(text)
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)
