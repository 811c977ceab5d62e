"""Microsoft.Compute: machines and disks, as far as recovery reads them."""

from __future__ import annotations

from dataclasses import dataclass

from farshore.arm.decode import Reader
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.arm.network import normal_location

VIRTUAL_MACHINES = "Microsoft.Compute/virtualMachines"
DISKS = "Microsoft.Compute/disks"
SNAPSHOTS = "Microsoft.Compute/snapshots"
AVAILABILITY_SETS = "Microsoft.Compute/availabilitySets"
RUNNING = frozenset({"running", "starting"})
"""Power states in which a machine runs, or is about to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachedDisk:
    """A machine's disk: managed (`managed_disk`), or a page blob in a storage account (`vhd_uri`, S28)."""

    name: str
    lun: int | None
    managed_disk: ResourceId | None
    vhd_uri: str | None
    disk_size_gb: int | None
    write_accelerator_enabled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualMachine:
    id: ResourceId
    location: str
    vm_size: str | None
    os_type: str | None
    os_disk: AttachedDisk | None
    data_disks: tuple[AttachedDisk, ...]
    network_interfaces: tuple[ResourceId, ...]
    zones: tuple[str, ...]
    availability_set: ResourceId | None
    power_state: str | None
    """`running`, `deallocated`, `stopped`, from the instance view; None where the body has none."""
    provisioning_state: str
    unknown: frozenset[str] = frozenset()

    @property
    def disks(self) -> tuple[AttachedDisk, ...]:
        """The OS disk first, then the data disks by logical unit."""
        return (() if self.os_disk is None else (self.os_disk,)) + self.data_disks


def virtual_machine(body: Body) -> VirtualMachine:
    read = Reader(body)
    statuses = [item.text("code") or "" for item in read.items("properties.instanceView.statuses")]
    power = [code.split("/", 1)[1] for code in statuses if code.startswith("PowerState/")]
    os_disk = Reader(read.raw("properties.storageProfile.osDisk"), "osDisk", read.unknown)
    return VirtualMachine(
        id=resource_id(str(body["id"])),
        location=normal_location(read.text("location")),
        vm_size=read.text("properties.hardwareProfile.vmSize"),
        os_type=os_disk.text("osType"),
        os_disk=_attached(os_disk) if os_disk.body else None,
        data_disks=tuple(_attached(item) for item in read.items("properties.storageProfile.dataDisks")),
        network_interfaces=read.ids("properties.networkProfile.networkInterfaces"),
        zones=read.texts("zones"),
        availability_set=read.id("properties.availabilitySet"),
        power_state=power[0] if power else None,
        provisioning_state=read.text("properties.provisioningState") or "Succeeded",
        unknown=frozenset(read.unknown),
    )


def _attached(read: Reader) -> AttachedDisk:
    return AttachedDisk(
        name=read.text("name") or "unnamed",
        lun=read.number("lun"),
        managed_disk=read.id("managedDisk"),
        vhd_uri=read.text("vhd.uri"),
        disk_size_gb=read.number("diskSizeGB"),
        write_accelerator_enabled=read.flag("writeAcceleratorEnabled"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    id: ResourceId
    location: str
    sku: str | None
    disk_size_gb: int | None
    managed_by: ResourceId | None
    encryption_type: str | None
    unknown: frozenset[str] = frozenset()


def disk(body: Body) -> Disk:
    read = Reader(body)
    managed_by = read.text("managedBy")
    return Disk(
        id=resource_id(str(body["id"])),
        location=normal_location(read.text("location")),
        sku=read.text("sku.name"),
        disk_size_gb=read.number("properties.diskSizeGB"),
        managed_by=None if managed_by is None else resource_id(managed_by),
        encryption_type=read.text("properties.encryption.type"),
        unknown=frozenset(read.unknown),
    )
