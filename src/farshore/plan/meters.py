"""What stands before any disaster and is billed for it, by meter, read from a plan and its estate.

A posture costs what it has standing: the target's gateway and connection, a circuit that the source is not on, the
appliances, and replication, which every posture has. What the source has is not counted: that is paid in any case.

A meter is a kind, a key within it, and how many there are. Disks are billed by the tier that holds them
(learn.microsoft.com, "Azure managed disk types": 4, 8, 16, ... GiB; standard HDDs begin at 32), premium SSD v2 and
ultra disks by the GiB. Months are Azure's own, of 730 hours. What a plan does not say (the size of a machine that a
person deploys) is None, and nobody guesses it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from farshore.arm.compute import DISKS, VIRTUAL_MACHINES
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.arm.network import CONNECTIONS, PEERINGS, PUBLIC_IP_ADDRESSES, ROUTE_TABLES, VIRTUAL_NETWORK_GATEWAYS
from farshore.estate.estate import Estate
from farshore.plan.design import Design, appliance_nics
from farshore.plan.model import Phase, Plan, PutResource, Step
from farshore.plan.recovery import STORAGE_ACCOUNTS

HOURS = 730
"""Hours of a month, as Azure's price pages count them."""
TIERS = (4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32767)
"""GiB, the sizes by which SSDs are billed."""
SMALLEST_HDD = 32
BY_THE_GIB = ("premiumv2_lrs", "ultrassd_lrs")

KINDS = {
    "gateway": 1,
    "public_ip": 0,
    "connection": 0,
    "circuit": 1,
    "machine": 1,
    "disk": 2,
    "page_blob_gib": 1,
    "cache_storage": 0,
    "site_recovery_instance": 0,
    "route_table": 0,
    "peering": 0,
}
"""Each kind of meter, and how many keys it has: a gateway's SKU; a disk's SKU and GiB."""
FREE = frozenset({"route_table", "peering"})
"""Billed by nobody while they stand; a peering's traffic is, and nobody can expect how much there will be."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Meter:
    """One kind of thing, and how many of it stand ahead. `key` has None where nobody says what it is."""

    kind: str
    key: tuple[str | None, ...]
    quantity: int
    """Things, each for a whole month; of `page_blob_gib` GiB."""

    @property
    def free(self) -> bool:
        return self.kind in FREE

    @property
    def hours(self) -> int | None:
        """What the quantity comes to in hours, of what is billed by the hour."""
        return self.quantity * HOURS if self.kind in ("machine", "gateway", "public_ip") else None


def meters(plan: Plan, design: Design) -> tuple[Meter, ...]:
    """What stands once PROVISION and PROTECT have ended, in the order of `KINDS`."""
    counted: Counter[tuple[str, tuple[str | None, ...]]] = Counter()
    for kind, key, quantity in _standing(plan, design):
        counted[kind, key] += quantity
    rank = list(KINDS)
    ordered = sorted(counted.items(), key=lambda item: (rank.index(item[0][0]), [part or "" for part in item[0][1]]))
    return tuple(Meter(kind=kind, key=key, quantity=count) for (kind, key), count in ordered)


_One = tuple[str, tuple[str | None, ...], int]


def _standing(plan: Plan, design: Design) -> Iterator[_One]:
    for body in _bodies(plan).values():
        yield from _of_body(body, design)
    for appliance in design.project.appliances:
        there = None if appliance.existing is None else replace(appliance, source=appliance.existing)
        for nic in () if there is None else appliance_nics(design.estate, there):
            standing = None if nic.virtual_machine is None else design.estate.get(nic.virtual_machine)
            if standing is not None:
                yield from _machine(standing, design.estate)
    for id_ in design.target_circuits:
        if id_ not in design.source_circuits:
            yield "circuit", (_circuit(design.estate.get(id_) or {}),), 1
    for machine in design.machines:
        yield "site_recovery_instance", (), 1
        for disk in machine.vm.disks:
            if disk.managed_disk is not None:
                yield "disk", _disk(design.estate.get(disk.managed_disk) or {}, disk.disk_size_gb), 1
            elif disk.vhd_uri is not None and disk.disk_size_gb is not None:
                yield "page_blob_gib", ("Standard_LRS",), disk.disk_size_gb


def _bodies(plan: Plan) -> dict[ResourceId, Body]:
    """What is written ahead, each once and as it is written last; what a person deploys by its effects."""
    found: dict[ResourceId, Body] = {}
    for step in plan.of_phase(Phase.PROVISION, Phase.PROTECT):
        for body in _written(step):
            found[resource_id(str(body["id"]))] = body
    return found


def _written(step: Step) -> Iterator[Body]:
    if step.action.verb == "put":
        body = step.action.arguments["body"]
        assert isinstance(body, dict)
        yield body
    elif step.action.verb == "person":
        yield from (effect.body for effect in step.effects if isinstance(effect, PutResource))


def _of_body(body: Body, design: Design) -> Iterator[_One]:
    id_, properties = resource_id(str(body["id"])), body.get("properties") or {}
    if id_.is_a(VIRTUAL_NETWORK_GATEWAYS):
        yield "gateway", (_text((properties.get("sku") or {}).get("name")),), 1
    elif id_.is_a(PUBLIC_IP_ADDRESSES):
        yield "public_ip", (), 1
    elif id_.is_a(CONNECTIONS):
        yield "connection", (), 1
    elif id_.is_a(ROUTE_TABLES):
        yield "route_table", (), 1
    elif id_.is_a(PEERINGS):
        yield "peering", (), 1
    elif id_.is_a(VIRTUAL_MACHINES):
        yield from _machine(body, design.estate)
    elif id_.is_a(STORAGE_ACCOUNTS) and id_.name.startswith("cache"):
        yield "cache_storage", (), 1


def _machine(body: Body, estate: Estate) -> Iterator[_One]:
    properties = body.get("properties") or {}
    yield "machine", (_text((properties.get("hardwareProfile") or {}).get("vmSize")),), 1
    profile = properties.get("storageProfile") or {}
    for disk in (profile.get("osDisk"), *(profile.get("dataDisks") or ())):
        if not isinstance(disk, dict):
            continue
        managed = disk.get("managedDisk") or {}
        there = estate.get(resource_id(str(managed["id"]))) if managed.get("id") else None
        said: Body = {"type": DISKS, "sku": {"name": managed.get("storageAccountType")}, **(there or {})}
        yield "disk", _disk(said, disk.get("diskSizeGB")), 1


def _disk(body: Body, attached: Any) -> tuple[str | None, str | None]:
    """A disk's SKU, and the GiB that it is billed by."""
    sku = _text((body.get("sku") or {}).get("name"))
    size = (body.get("properties") or {}).get("diskSizeGB") or attached
    if sku is None or not isinstance(size, int):
        return sku, None
    if sku.lower() in BY_THE_GIB:
        return sku, str(size)
    smallest = SMALLEST_HDD if sku.lower().startswith("standard_") else TIERS[0]
    return sku, str(next((tier for tier in TIERS if tier >= max(size, smallest)), TIERS[-1]))


def _circuit(body: Body) -> str | None:
    sku = _text((body.get("sku") or {}).get("name"))
    properties = body.get("properties") or {}
    megabits = (properties.get("serviceProviderProperties") or {}).get("bandwidthInMbps")
    if sku is None or not isinstance(megabits, int):
        return None
    return f"{sku}/{megabits}"


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
