"""What the run has built and somebody else uses by now: it stays, and what it needs stays with it.

Somebody else's is what the estate did not hold before the run and the run did not make: a NIC that was put into one
of its subnets, a peering of another network with one of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from farshore.arm.ids import ResourceId, references, resource_id
from farshore.arm.json import Body
from farshore.estate.estate import Estate

BY_SITE_RECOVERY = ("microsoft.recoveryservices/", "microsoft.compute/disks", "microsoft.compute/snapshots")
"""Made and taken away along with replication."""


def kept(before: Estate, now: Estate, built: Iterable[ResourceId], own: Iterable[ResourceId]) -> dict[ResourceId, str]:
    """Those of `built` that have to stay, each with the reason. `own`: what else is the run's (its machines)."""
    ours = set(built)
    mine = ours | set(own)
    found: dict[ResourceId, str] = {}
    waiting: list[tuple[ResourceId, str]] = []
    for user, body in _others(before, now, mine):
        for id_ in references(body):
            if (held := _held(id_, ours)) is not None:
                waiting.append((held, f"{user.short} uses it"))
    while waiting:
        id_, why = waiting.pop()
        if id_ in found:
            continue
        found[id_] = why
        for needed in references(_own_words(now.get(id_) or {})):
            held = _held(needed, ours)
            if held is not None and held not in found and held != id_:
                waiting.append((held, f"{id_.short} needs it, which stays"))
        if id_.parent is not None and id_.parent in ours:
            waiting.append((id_.parent, f"{id_.short} is a part of it, and stays"))
    return found


def _others(before: Estate, now: Estate, mine: set[ResourceId]) -> Iterator[tuple[ResourceId, Body]]:
    """Resources, and peerings in networks that were there, which nobody had before and the run did not make."""
    for key, body in now.resources.items():
        id_ = resource_id(str(body.get("id") or key))
        if (
            key not in before.resources
            and _held(id_, mine) is None
            and not id_.type.lower().startswith(BY_SITE_RECOVERY)
        ):
            yield id_, body
        if key in before.resources or id_ in mine:
            for peering in (body.get("properties") or {}).get("virtualNetworkPeerings") or ():
                own = id_.child("virtualNetworkPeerings", str(peering.get("name")))
                if own not in mine and before.get(own) is None:
                    yield own, peering


def _held(id_: ResourceId, among: set[ResourceId]) -> ResourceId | None:
    """The resource itself, or what it is a part of."""
    here: ResourceId | None = id_
    while here is not None:
        if here in among:
            return here
        here = here.parent
    return None


def _own_words(value: Any, *, subnets: bool = False) -> Any:
    """A body without what Azure lists in it of those that refer to it, and without its peerings."""
    if isinstance(value, dict):
        listed = {*_LISTED, "ipConfigurations"} if subnets else _LISTED
        return {k: _own_words(v, subnets=subnets or k == "subnets") for k, v in value.items() if k not in listed}
    if isinstance(value, list):
        return [_own_words(inner, subnets=subnets) for inner in value]
    return value


_LISTED = frozenset({"virtualNetworkPeerings", "networkInterfaces", "connections"})
