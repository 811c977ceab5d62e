"""What stands around a resource, nearest first: its parts, what it is part of, what it refers to, what refers to it.

A finding names one subject, and what must change may be its neighbour: the table of a subnet, the other half of a
peering, the machine behind a NIC. Two steps away is where the search ends; what is farther is somebody else's fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.errors import InputError
from farshore.estate.estate import Estate

STEPS = 2
PARTS = ("subnets", "virtualNetworkPeerings", "peerings")


def around(estate: Estate, subjects: Iterable[ResourceId]) -> Iterator[ResourceId]:
    """The subjects, and what stands around them, each once."""
    seen: dict[str, ResourceId] = {}
    ring = [id_ for id_ in subjects if estate.get(id_) is not None]
    back = _references(estate)
    for _ in range(STEPS + 1):
        for id_ in ring:
            if id_.key not in seen:
                seen[id_.key] = id_
                yield id_
        ring = [near for id_ in ring for near in _neighbours(estate, id_, back) if near.key not in seen]


def _neighbours(estate: Estate, id_: ResourceId, back: dict[str, list[ResourceId]]) -> Iterator[ResourceId]:
    body = estate.get(id_)
    if body is None:
        return
    yield from _parts(id_, body)
    yield from (found for found in _ids_in(body) if estate.get(found) is not None)
    yield from back.get(id_.key, ())
    if id_.parent is not None:
        yield id_.parent


def _parts(id_: ResourceId, body: Body) -> Iterator[ResourceId]:
    properties = body.get("properties")
    for kind in PARTS:
        for child in (properties.get(kind) or ()) if isinstance(properties, dict) else ():
            if isinstance(child, dict) and child.get("name"):
                yield id_.child(kind, str(child["name"]))


def _ids_in(value: Any) -> Iterator[ResourceId]:
    if isinstance(value, dict):
        text = value.get("id")
        if isinstance(text, str) and text.startswith("/subscriptions/"):
            with suppress(InputError):
                yield resource_id(text)
        for item in value.values():
            yield from _ids_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from _ids_in(item)


def _references(estate: Estate) -> dict[str, list[ResourceId]]:
    """Who refers to an id."""
    found: dict[str, list[ResourceId]] = {}
    for key, body in estate.resources.items():
        own = resource_id(str(body.get("id") or key))
        for part in (own, *_parts(own, body)):
            for named in _ids_in(estate.get(part) or {}):
                if named.key != part.key:
                    found.setdefault(named.key, []).append(part)
    return found
