"""The api-version that Farshore pins for each type: a plan made today speaks the same words tomorrow."""

from __future__ import annotations

from collections.abc import Mapping

NETWORK = "2024-05-01"
COMPUTE = "2024-07-01"
DISKS = "2024-03-02"
STORAGE = "2023-05-01"
RECOVERY_SERVICES = "2024-04-01"
SITE_RECOVERY = "2024-10-01"
RESOURCES = "2022-09-01"

DNS_ZONES = "2018-05-01"
PRIVATE_DNS_ZONES = "2020-06-01"

_BY_NAMESPACE: Mapping[str, str] = {
    "microsoft.network": NETWORK,
    "microsoft.compute": COMPUTE,
    "microsoft.storage": STORAGE,
    "microsoft.resources": RESOURCES,
}


def api_version(type_: str) -> str:
    """The pinned version of a type (`Microsoft.Compute/disks`); raises `KeyError` for a namespace we do not write."""
    kind = type_.lower()
    if kind.startswith("microsoft.compute/disks") or kind.startswith("microsoft.compute/snapshots"):
        return DISKS
    if kind.startswith("microsoft.network/dnszones"):
        return DNS_ZONES
    if kind.startswith("microsoft.network/privatednszones"):
        return PRIVATE_DNS_ZONES
    if kind.startswith("microsoft.recoveryservices/vaults/replication"):
        return SITE_RECOVERY
    if kind.startswith("microsoft.recoveryservices/"):
        return RECOVERY_SERVICES
    return _BY_NAMESPACE[kind.split("/", 1)[0]]
