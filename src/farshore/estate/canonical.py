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
from farshore.estate.folding import SHOWN, VOLATILE

NOBODY_S = frozenset({"defaultSecurityRules", "macAddress", "remoteGateways"})
"""Built in, made up, or shown on a peering because of the gateway behind it: chosen by nobody."""
EVERY_NICS_KIND = "Regular"
"""The `kind` that newer api-versions show of a NIC: there is no other."""
NOT_CHOSEN = (SHOWN | NOBODY_S) - {"id", "name", "delegations"}


def canonical_resources(resources: Mapping[str, Body]) -> list[Any]:
    """Bodies in id order, each as `chosen_body` has it: what a fingerprint is made over."""
    return [chosen_body(resources[key]) for key in sorted(resources)]


def chosen_body(body: Body) -> Any:
    """What somebody chose of a body, so that a file and a cloud's own telling of one estate have one fingerprint:
    without what is shown because of other resources, and without what is empty."""
    return _chosen(canonical_body(body))


def _chosen(value: Any) -> Any:
    if isinstance(value, dict):
        items = ((name, _chosen(item)) for name, item in one_prefix(value).items() if name not in NOT_CHOSEN)
        return {name: item for name, item in items if item not in (None, [], {}, "")}
    if isinstance(value, list):
        return [_chosen(item) for item in value]
    return value


def one_prefix(value: dict[str, Any]) -> dict[str, Any]:
    """`addressPrefix: x` and `addressPrefixes: [x]` tell the same; the plural stands for both."""
    one, many = value.get("addressPrefix"), value.get("addressPrefixes")
    if not isinstance(one, str) or (many and many != [one]):
        return value
    return {name: item for name, item in value.items() if name != "addressPrefix"} | {"addressPrefixes": [one]}


def canonical_body(body: Body) -> Any:
    """One body, for comparing: see the theory above."""
    if body.get("kind") == EVERY_NICS_KIND:
        body = {name: item for name, item in body.items() if name != "kind"}
    return _canonical(body, "")


def lasting(value: Any) -> Any:
    """A body without what Azure changes by itself: what can be asked for again."""
    if isinstance(value, dict):
        return {name: lasting(item) for name, item in value.items() if name not in VOLATILE}
    return [lasting(item) for item in value] if isinstance(value, list) else value


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
