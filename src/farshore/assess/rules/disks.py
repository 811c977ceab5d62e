"""Disks: what Site Recovery replicates, how, and what it doesn't (D2, D3, S28, S63)."""

from __future__ import annotations

from collections.abc import Iterator

from farshore.arm.compute import DISKS, AttachedDisk, Disk, disk
from farshore.assess.context import Context, Machine
from farshore.assess.findings import Finding, error, rule, warning

UNSUPPORTED = ("ultrassd_lrs",)
MOST_DATA_DISKS = 64
LARGEST_OS_GIB = 4095
LARGEST_DATA_GIB = 32 * 1024


@rule("FS631", "A machine has unmanaged disks", "D3", "S28", "S50")
def unmanaged(context: Context) -> Iterator[Finding]:
    for machine in context.machines:
        blobs = [item for item in machine.vm.disks if item.vhd_uri is not None]
        if blobs:
            yield warning(
                machine.id,
                f"{machine.name} has unmanaged disks: they replicate to a storage account in the target",
                *(f"{item.name}: {item.vhd_uri}" for item in blobs),
                "Azure retired unmanaged disks on 30 September 2025",
                remedy=f"convert {machine.name} to managed disks",
            )


@rule("FS632", "A disk that Site Recovery does not replicate", "S63", "S28", "S52")
def unsupported(context: Context) -> Iterator[Finding]:
    for machine, item, body in _disks(context):
        sku = (body.sku or "") if body is not None else ""
        if sku.lower() in UNSUPPORTED and body is not None:
            yield error(
                body.id,
                f"{body.id.name} of {machine.name} is {sku}, which Site Recovery does not replicate",
                remedy="move its data to a supported disk, or exclude the machine",
            )
        if item.write_accelerator_enabled:
            yield error(
                machine.id,
                f"{item.name} of {machine.name} has write acceleration, which Site Recovery does not replicate",
                "writeAcceleratorEnabled is true",
                remedy=f"switch write acceleration off on {item.name}",
            )
        shares = None if body is None else context.index.raw(body.id).number("properties.maxShares")
        if body is not None and shares is not None and shares > 1:
            yield error(
                body.id,
                f"{body.id.name} of {machine.name} may be shared by {shares} machines: a recovery plan takes no"
                " shared disks",
                f"maxShares is {shares}",
                remedy="exclude the cluster and recover it by its own means",
            )
    for machine in context.machines:
        if (context.index.raw(machine.id).text("properties.storageProfile.diskControllerType") or "").lower() == "nvme":
            yield error(
                machine.id,
                f"{machine.name} uses the NVMe disk controller, which Site Recovery does not support",
                "diskControllerType is NVMe",
                remedy="use SCSI, or exclude the machine",
            )


@rule("FS633", "More or larger disks than Site Recovery takes", "S28")
def too_large(context: Context) -> Iterator[Finding]:
    for machine in context.machines:
        if len(machine.vm.data_disks) > MOST_DATA_DISKS:
            yield error(
                machine.id,
                f"{machine.name} has {len(machine.vm.data_disks)} data disks; Site Recovery takes {MOST_DATA_DISKS}",
                remedy="merge disks, or exclude the machine",
            )
    for machine, item, body in _disks(context):
        # Both tell: after a resize the machine's own telling may lag.
        size = max(item.disk_size_gb or 0, 0 if body is None else body.disk_size_gb or 0)
        most = LARGEST_OS_GIB if item is machine.vm.os_disk else LARGEST_DATA_GIB
        if size > most:
            yield error(
                machine.id if body is None else body.id,
                f"{item.name} of {machine.name} has {size} GiB; Site Recovery takes {most}",
                remedy="shrink or split the disk, or exclude the machine",
            )


@rule("FS634", "A disk's keys do not come along", "S63")
def keys(context: Context) -> Iterator[Finding]:
    for machine, _, body in _disks(context):
        if body is not None and "customerkey" in (body.encryption_type or "").lower():
            yield warning(
                body.id,
                f"{body.id.name} of {machine.name} is encrypted with your own key: the target needs an encryption set",
                f"encryption type {body.encryption_type}",
                remedy="create a disk encryption set in the target and name it when replication is enabled",
            )
    for machine in context.machines:
        if context.index.raw(machine.id).flag("properties.securityProfile.encryptionAtHost"):
            yield warning(
                machine.id,
                f"{machine.name} has encryption at host, which is not carried over",
                remedy="switch it on again in the target after a failover",
            )


@rule("FS635", "A machine's disk is not in the estate", "D2", "S28")
def missing(context: Context) -> Iterator[Finding]:
    if not any(True for _ in context.estate.of_type(DISKS)):
        return  # an estate without any disks was read without them
    for machine, item, body in _disks(context):
        if item.managed_disk is not None and body is None:
            yield warning(
                machine.id,
                f"{item.name} of {machine.name} is not in the estate: its size and kind are not known",
                f"{item.managed_disk.short}",
                remedy="read the disk into the estate",
            )
        elif item.managed_disk is None and item.vhd_uri is None and machine.vm.os_disk is not None:
            yield warning(
                machine.id,
                f"{item.name} of {machine.name} shows neither a managed disk nor a blob",
                remedy="read the machine again",
            )


def _disks(context: Context) -> Iterator[tuple[Machine, AttachedDisk, Disk | None]]:
    for machine in context.machines:
        for item in machine.vm.disks:
            yield machine, item, context.estate.view(item.managed_disk, disk)
