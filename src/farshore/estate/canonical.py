"""One form for one content: what ties a plan to its estate, and what a comparison after a failback is made over.

Left out is what Azure changes by itself (etags, GUIDs, times, provisioning and polling states). Ids are compared
without regard to case, so they are written in lower case; lists of things that have an id or a name are in that order,
because ARM promises none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from farshore.arm.json import Body
from farshore.arm.network import normal_location
from farshore.estate.folding import VOLATILE


def canonical_resources(resources: Mapping[str, Body]) -> list[Any]:
    """Bodies in id order without what changes by itself: etags, GUIDs of state, times, provisioning states."""
    return [canonical_body(resources[key]) for key in sorted(resources)]


def canonical_body(body: Body) -> Any:
    """One body, for comparing: see the theory above."""
    return _canonical(body, "")


def _canonical(value: Any, key: str) -> Any:
    if isinstance(value, dict):
        return {
            name: _canonical(item, name)
            for name, item in value.items()
            if name not in VOLATILE and name != "apiVersion"
        }
    if isinstance(value, list):
        items = [_canonical(item, key) for item in value]
        if items and all(isinstance(item, dict) and _sign(item) for item in items):
            return sorted(items, key=_sign)
        return items
    if isinstance(value, str):
        if key == "location":
            return normal_location(value)
        if key == "type" or value[:15].lower() == "/subscriptions/":
            return value.lower()
    return value


def _sign(item: dict[str, Any]) -> str:
    sign = item.get("id") or item.get("name")
    return sign.lower() if isinstance(sign, str) else ""
