"""Every reference in a body: ids as values, and ids as keys (`userAssignedIdentities`), each with its path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from farshore.arm.ids import ResourceId, resource_id
from farshore.errors import InputError

_OWN = 9
"""Segments of a top-level resource's id, the empty one before the first slash included."""


def references(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """`(path, id)` of every resource id in a body but those of the body itself and of what it holds."""
    own = str(body.get("id") or "").lower()
    for path, text in _walk(body, ""):
        key = text.lower()
        if key != own and not key.startswith(own + "/"):
            yield path, text


def root(text: str) -> str:
    """The top-level resource of an id, in lower case: a NIC of one of its configurations."""
    return "/".join(text.lower().split("/")[:_OWN])


def named(text: str) -> ResourceId | None:
    """The id as a value; None for a text that only looks like one."""
    try:
        return resource_id(text)
    except InputError:
        return None


def _walk(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if _is_id(key):
                yield f"{path}[{key}]", str(key)
            yield from _walk(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _walk(item, f"{path}[{index}]")
    elif _is_id(value):
        yield path, str(value)


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and value.lower().startswith("/subscriptions/") and "/providers/" in value.lower()
