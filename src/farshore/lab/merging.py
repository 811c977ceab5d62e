"""Two bodies of one resource: what a PATCH makes of them, and whether a PUT changed anything."""

from __future__ import annotations

from typing import Any

from farshore.arm.json import Body


def merged(body: Body, sent: Body) -> Body:
    """A body with what a PATCH sent: objects merge, everything else is replaced, null takes away."""
    found = dict(body)
    for key, value in sent.items():
        if value is None:
            found.pop(key, None)
        elif isinstance(value, dict) and isinstance(found.get(key), dict):
            found[key] = merged(found[key], value)
        else:
            found[key] = value
    return found


def stayed(before: Body, after: Body | None) -> bool:
    """Whether nothing but tags differs between two shown bodies."""
    return after is not None and _settled(before["properties"]) == _settled(after["properties"])


def _settled(value: Any) -> Any:
    """Without what a write changes by itself."""
    if isinstance(value, dict):
        return {key: _settled(item) for key, item in value.items() if key not in ("provisioningState", "etag")}
    return [_settled(item) for item in value] if isinstance(value, list) else value
