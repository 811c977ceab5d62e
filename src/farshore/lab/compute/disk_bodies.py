"""What Azure shows of a disk that nobody wrote: how fast it is, how it is encrypted, who may reach it, where a copy is
from.

How fast a disk is follows from its kind and its size: each kind has steps, and a disk is as fast as the smallest step
that holds it (the page "Azure managed disk types"). Nothing in the lab runs at that speed; the numbers are shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from farshore.arm.json import Body

STEPS: Mapping[str, tuple[tuple[int, int, int], ...]] = {
    "Standard": ((4096, 500, 60), (8192, 1300, 300), (32767, 2000, 500)),
    "StandardSSD": ((4096, 500, 60), (8192, 2000, 400), (16384, 4000, 600), (32767, 6000, 750)),
    "Premium": (
        *((32, 120, 25), (64, 240, 50), (128, 500, 100), (256, 1100, 125), (512, 2300, 150), (1024, 5000, 200)),
        *((4096, 7500, 250), (8192, 16000, 500), (16384, 18000, 750), (32767, 20000, 900)),
    ),
    "PremiumV2": ((65536, 3000, 125),),
}
"""Kind of disk to (GiB at most, operations a second, MB a second)."""
TIERS = (
    *(("P1", 4), ("P2", 8), ("P3", 16), ("P4", 32), ("P6", 64), ("P10", 128), ("P15", 256), ("P20", 512)),
    *(("P30", 1024), ("P40", 2048), ("P50", 4096), ("P60", 8192), ("P70", 16384), ("P80", 32767)),
)
"""Performance tiers of premium disks to GiB at most."""
CHOSEN = ("PremiumV2", "Ultra")
"""Kinds whose speed the owner chooses."""
WITH_ID = "2022-07-02"
"""The first api-version whose answers to orders were recorded with the id of what was ordered."""
ECHOED = ("creationData", "diskSizeGB", "osType", "hyperVGeneration")
"""What an answer to an order shows of a disk that is there already."""


def speed(sku: str, size_gb: int) -> Body:
    """`diskIOPSReadWrite` and `diskMBpsReadWrite` of a kind and size; nothing of kinds whose owner chooses."""
    steps = STEPS.get(sku.partition("_")[0], ())
    found = next((step for step in steps if size_gb <= step[0]), None)
    return {} if found is None else {"diskIOPSReadWrite": found[1], "diskMBpsReadWrite": found[2]}


def tier(sku: str, size_gb: int) -> Body:
    """`tier` of a premium disk, by its size."""
    found = next((name for name, most in TIERS if size_gb <= most), None)
    return {} if found is None or sku.partition("_")[0] != "Premium" else {"tier": found}


def chosen(properties: Body, sku: str) -> Body:
    """The properties that count: how fast a disk is, its owner chooses of some kinds only."""
    if sku.startswith(CHOSEN):
        return properties
    return {key: value for key, value in properties.items() if key not in ("diskIOPSReadWrite", "diskMBpsReadWrite")}


def open_to_all() -> Body:
    """What a disk or snapshot shows when its order says nothing else."""
    return {
        "encryption": {"type": "EncryptionAtRestWithPlatformKey"},
        "networkAccessPolicy": "AllowAll",
        "publicNetworkAccess": "Enabled",
    }


def origin(sent: Mapping[str, Any], source: Body | None) -> Body:
    """`creationData` of a copy: its source by id, however it was named, and the source's own number."""
    if source is None:
        return dict(sent)
    data = {key: value for key, value in sent.items() if key != "sourceUri"}
    return {**data, "sourceResourceId": source["id"], "sourceUniqueId": source["properties"].get("uniqueId")}


def ordered(kept: Body, sent: Body, *, patched: bool, named: bool, version: str) -> Body:
    """The answer to an order that is being carried out: what was ordered, and nothing of what Azure finds out
    meanwhile. A disk's shows its name, a snapshot's does not. Later api-versions show its id and type, earlier ones
    `isArmResource` and the number of what it copies (recorded)."""
    late = not version or version >= WITH_ID
    first = (*(("name",) if named else ()), *(("id", "type") if late else ()))
    shown = {key: kept[key] for key in (*first, "location", "tags", "zones") if key in kept}
    if patched:
        shown["sku"] = kept["sku"]
    elif isinstance(sent.get("sku"), dict):
        shown["sku"] = {key: value for key, value in sent["sku"].items() if key != "tier"}
    properties = kept["properties"]
    ordered_here = chosen(sent.get("properties") or {}, str(kept["sku"].get("name")))
    found = {key: properties[key] for key in (ECHOED if patched else ordered_here) if key in properties}
    data = (sent.get("properties") or {}).get("creationData")
    if late and "creationData" in found:
        told = data if data and not patched else found["creationData"]
        found["creationData"] = {key: value for key, value in told.items() if key != "sourceUniqueId"}
    elif data and not patched and "sourceUri" in data:
        found["creationData"] = {**data, "sourceUniqueId": properties["creationData"].get("sourceUniqueId")}
    early = {} if late else {"isArmResource": True}
    return {**shown, "properties": {**found, "provisioningState": "Updating", **early}}
