"""Writing one resource as Farshore does: read, merged, written.

What a body says is what there will be; what it does not say is kept. Objects merge key by key. A list of named
things (subnets, routes, rules, ip configurations) merges by name: a subnet that the plan never heard of stays. Two
routes of one prefix, and two rules of one direction and priority, are one to Azure whatever they are called: what is
said takes the place of its namesake and of its equal. Every other list is one value and is replaced.

The run's `put` and the proof's effects use the same function, so that what was proven is what gets written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from farshore.arm.json import Body, Json


def merged(there: Body | None, said: Body) -> Body:
    """The body after a put of `said` where `there` is what a GET shows now; neither is changed."""
    if there is None:
        return said
    result: Body = _merge(there, said)
    return result


def says(there: Json, said: Json) -> bool:
    """Whether `there` already shows everything that `said` says. Ids, names and locations ignore case."""
    if isinstance(said, Mapping):
        return isinstance(there, Mapping) and all(says(there.get(key), value) for key, value in said.items())
    if isinstance(said, list):
        if not isinstance(there, list):
            return not said and there is None
        if _named(said) and _named(there):
            held = {_name(item): item for item in there}
            return all(_name(item) in held and says(held[_name(item)], item) for item in said)
        return len(there) == len(said) and all(says(a, b) for a, b in zip(there, said, strict=True))
    if isinstance(said, str) and isinstance(there, str):
        return _text(there) == _text(said)
    return bool(there == said)


def _merge(there: Any, said: Any) -> Any:
    if isinstance(there, Mapping) and isinstance(said, Mapping):
        return {**there, **{key: _merge(there.get(key), value) for key, value in said.items()}}
    if isinstance(there, list) and isinstance(said, list) and there and said and _named(there) and _named(said):
        names, equals = {_name(item) for item in said}, {_equal(item) for item in said} - {None}
        held = {_name(item): item for item in there if _name(item) in names or _equal(item) not in equals}
        for item in said:
            held[_name(item)] = _merge(held.get(_name(item)), item)
        return list(held.values())
    return said


def _named(items: list[Any]) -> bool:
    return all(isinstance(item, Mapping) and (item.get("name") or item.get("id")) for item in items)


def _name(item: Mapping[str, Any]) -> str:
    return str(item.get("name") or str(item["id"]).rsplit("/", 1)[-1]).lower()


def _equal(item: Mapping[str, Any]) -> tuple[str, ...] | None:
    """What Azure allows once in a list beside the name: a route's prefix, a rule's direction and priority."""
    properties = item.get("properties")
    if not isinstance(properties, Mapping):
        return None
    if "nextHopType" in properties and "addressPrefix" in properties:
        return ("route", str(properties["addressPrefix"]).lower())
    if "priority" in properties and "direction" in properties:
        return ("rule", str(properties["direction"]).lower(), str(properties["priority"]))
    return None


def _text(value: str) -> str:
    """`East Asia` and `eastasia` are one region, `/Subscriptions/` and `/subscriptions/` one id."""
    return value.replace(" ", "").lower()
