"""Managed identities of resources: who a resource is, to whom rights can be given.

ARM fills in what a request can't know: the principal and tenant of a resource's own identity, the principal and client
of each identity that it borrows, whatever the provider. One that stands in the lab with a principal of its own is
shown with that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from farshore.arm.ids import ResourceId
from farshore.arm.json import Body

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

FILLED = ("principalId", "tenantId")
"""What ARM fills in, whatever was sent."""


def identity_shown(cloud: Cloud, id_: ResourceId, sent: Any) -> Any:
    """`identity` of a resource as ARM shows it. What has no kind that it knows is left as it was sent."""
    kinds = str(sent.get("type") or "").lower() if isinstance(sent, dict) else ""
    if "assigned" not in kinds:
        return sent
    found = {key: value for key, value in sent.items() if key not in FILLED}
    if "systemassigned" in kinds:
        found |= {"principalId": cloud.guid("principal", id_.key), "tenantId": cloud.guid("tenant")}
    borrowed = found.pop("userAssignedIdentities", None)
    if "userassigned" in kinds and isinstance(borrowed, dict):
        shown = {text: _borrowed(cloud, text) for text, item in borrowed.items() if item is not None}
        found["userAssignedIdentities"] = shown
    return found


def _borrowed(cloud: Cloud, text: str) -> Body:
    held = ((cloud.body(text) if text.startswith("/") else None) or {}).get("properties") or {}
    return {name: held.get(name) or cloud.guid(name, text.lower()) for name in ("principalId", "clientId")}
