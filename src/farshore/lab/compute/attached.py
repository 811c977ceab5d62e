"""What hangs on a machine: its disks, managed or blobs, and its NICs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.errors import InputError

VIRTUAL_MACHINES = "Microsoft.Compute/virtualMachines"
NETWORK_INTERFACES = "Microsoft.Network/networkInterfaces"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """One disk of a machine. `id` for a managed disk, `uri` for a page blob (S28)."""

    name: str
    lun: int | None
    """None for the operating system's disk."""
    id: ResourceId | None
    uri: str | None
    entry: Body
    """The disk's object in the storage profile."""

    @property
    def key(self) -> str:
        """What the lab knows its bytes by."""
        return self.id.text if self.id is not None else str(self.uri)


def disks(body: Body) -> list[Attached]:
    """The disks of a machine's body, the system's first; entries that name no bytes yet are left out."""
    profile = (body.get("properties") or {}).get("storageProfile") or {}
    return [found for entry in _entries(profile) if (found := _attached(entry)) is not None]


def disk_names(body: Body) -> list[str]:
    return [disk.key for disk in disks(body)]


def nics(body: Body) -> list[ResourceId]:
    """The NICs of a machine's body, the primary first."""
    profile = (body.get("properties") or {}).get("networkProfile") or {}
    entries = [entry for entry in profile.get("networkInterfaces") or [] if isinstance(entry, dict) and entry.get("id")]
    entries.sort(key=lambda entry: not (entry.get("properties") or {}).get("primary", len(entries) == 1))
    return [id_ for entry in entries if (id_ := _id(entry["id"])) is not None]


def size_of(body: Body) -> str:
    """`hardwareProfile.vmSize`; empty where none is given."""
    return str(((body.get("properties") or {}).get("hardwareProfile") or {}).get("vmSize") or "")


def _entries(profile: dict[str, Any]) -> Iterator[tuple[Body, int | None]]:
    if isinstance(profile.get("osDisk"), dict):
        yield profile["osDisk"], None
    for entry in sorted(profile.get("dataDisks") or [], key=lambda item: int(item.get("lun") or 0)):
        yield entry, int(entry.get("lun") or 0)


def _attached(found: tuple[Body, int | None]) -> Attached | None:
    entry, lun = found
    id_ = _id((entry.get("managedDisk") or {}).get("id"))
    uri = (entry.get("vhd") or {}).get("uri")
    if id_ is None and not uri:
        return None
    name = str(entry.get("name") or (id_.name if id_ is not None else str(uri).rsplit("/", 1)[-1]))
    return Attached(name=name, lun=lun, id=id_, uri=str(uri) if uri else None, entry=entry)


def _id(text: Any) -> ResourceId | None:
    try:
        return resource_id(str(text)) if text else None
    except InputError:
        return None
