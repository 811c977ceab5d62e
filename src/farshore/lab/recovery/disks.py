"""The disks of a protected machine, on both sides (S12, S28).

A managed disk is replicated to a replica disk in the target, `<name>-ASRReplica`; an unmanaged one to a page blob in
a storage account. A replica holds what has been shipped (`shipping.py`). The record of each disk says what a failover
and a test would call the disks that they make: the source's own name, and `<name>-ASRtest` (recorded).
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from farshore.arm.ids import ResourceId, make_id, resource_id
from farshore.arm.json import Body
from farshore.lab.answers import Refused, bad_request
from farshore.lab.compute import attached
from farshore.lab.compute.attached import Attached
from farshore.lab.compute.disks import DISKS, GIB
from farshore.lab.recovery.objects import must_find, objects
from farshore.lab.recovery.records import Record
from farshore.lab.storage import volumes
from farshore.lab.types import make, unmake
from farshore.times import moment

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

REPLICA, TEST = "-ASRReplica", "-ASRtest"
CUSTOMERS_KEY = "EncryptionAtRestWithCustomerKey"


def protected_disks(cloud: Cloud, vm: ResourceId, details: Body, region: str, into: str) -> list[Record]:
    """The records of the disks that a request protects, from one region into another. Raises `Refused`."""
    found = disk_records(cloud, vm, details, region, into)
    if not any(disk["lun"] is None for disk in found):
        raise bad_request("OsDiskNotProtected", f"The operating system's disk of {vm.name} must be protected.")
    return in_place(found)


def disk_records(cloud: Cloud, vm: ResourceId, details: Body, region: str, into: str) -> list[Record]:
    """The records of the disks that a request names, whichever they are. Raises `Refused`."""
    body = cloud.body(vm) or {}
    there = {disk.key.lower(): disk for disk in attached.disks(body)}
    managed = objects(details.get("vmManagedDisks"), "vmManagedDisks")
    unmanaged = objects(details.get("vmDisks"), "vmDisks")
    if not managed and not unmanaged:
        raise bad_request("VMDisksMissing", "Managed disk details not provided.", "vmManagedDisks")
    found = []
    for given in managed:
        disk = _named(there, str(given.get("diskId") or ""), vm)
        found.append({**_managed(cloud, disk, given, details, region), "region": into})
    for given in unmanaged:
        disk = _named(there, str(given.get("diskUri") or ""), vm)
        found.append({**_unmanaged(cloud, disk, given, region, into), "region": into})
    return found


def in_place(disks: Iterable[Record]) -> list[Record]:
    """Disks by where they are attached: the operating system's, then the others by LUN."""
    return sorted(disks, key=lambda disk: -1 if disk["lun"] is None else int(disk["lun"]))


def make_replicas(cloud: Cloud, record: Record) -> None:
    """The replica disks are there when the agent is (recorded); they are filled as changes arrive."""
    for disk in record["disks"]:
        if disk["managed"] and cloud.body(disk["group"]) is None:
            group = resource_id(disk["group"]).name
            raise Refused(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")
        volumes.ensure(cloud, disk["replica"], disk["size"])
        if disk["managed"] and cloud.body(disk["replica"]) is None:
            properties = {"creationData": {"createOption": "Empty"}, "diskSizeGB": disk["size"] // GIB}
            sku = {"name": disk["replica_type"]}
            make(cloud, {"id": disk["replica"], "location": disk["region"], "sku": sku, "properties": properties})


def arrived(disk: Record, at: datetime) -> bool:
    """Whether a disk that joined later (`addDisks`) was replicated whole by a moment; points before are without."""
    return disk.get("since") is None or at >= moment(disk["since"])


def disks_at(record: Record, at: datetime) -> list[Record]:
    """The disks that a recovery point of this moment is of."""
    return [disk for disk in record["disks"] if arrived(disk, at)]


def forget_replicas(cloud: Cloud, record: Record) -> None:
    """Replication is off: the replicas go. One that cannot be deleted, for a person reads it by a SAS, stays his."""
    for disk in record["disks"]:
        if disk["managed"]:
            with suppress(Refused):
                unmake(cloud, resource_id(disk["replica"]))
        else:
            volumes.forget(cloud, disk["replica"])


def _managed(cloud: Cloud, disk: Attached, given: Body, details: Body, region: str) -> Record:
    assert disk.id is not None
    text = given.get("recoveryResourceGroupId") or details.get("recoveryResourceGroupId")
    group = must_find(cloud, text, "recoveryResourceGroupId")
    body = cloud.body(disk.id) or {}
    sku = str((body.get("sku") or {}).get("name") or "Standard_LRS")
    replica = make_id(group.subscription, str(group.resource_group), DISKS, disk.id.name + REPLICA)
    return {
        **_common(cloud, disk, given, region),
        "managed": True,
        "source": disk.id.text,
        "group": group.text,
        "replica": replica.text,
        "replica_type": given.get("recoveryReplicaDiskAccountType") or sku,
        "account_type": given.get("recoveryTargetDiskAccountType") or sku,
        "carried": {**carried(body, given.get("recoveryTargetDiskAccountType") or sku), **_encrypted(given)},
        "encryption_set": given.get("recoveryDiskEncryptionSetId"),
        "account": None,
        "target_uri": None,
    }


def carried(source: Body, account_type: str) -> Body:
    """What a disk made of the replica has from its source: what its bytes need to boot, how it is kept, and, where
    its kind is the same, how fast it is."""
    properties = source.get("properties") or {}
    names = ["hyperVGeneration", "encryption", "networkAccessPolicy", "publicNetworkAccess"]
    if account_type == (source.get("sku") or {}).get("name"):
        names += ["diskIOPSReadWrite", "diskMBpsReadWrite"]
    return {name: properties[name] for name in names if name in properties}


def _encrypted(given: Body) -> Body:
    """The key of a customer's that the copy has, of the recovery region (S12, S63)."""
    set_ = given.get("recoveryDiskEncryptionSetId")
    return {"encryption": {"type": CUSTOMERS_KEY, "diskEncryptionSetId": set_}} if set_ else {}


def _unmanaged(cloud: Cloud, disk: Attached, given: Body, region: str, into: str) -> Record:
    account = must_find(cloud, given.get("recoveryAzureStorageAccountId"), "recoveryAzureStorageAccountId")
    if cloud.region_of(account) != into:
        raise bad_request(
            "StorageAccountNotInRegion", f"The storage account {account.name} must be in the recovery region, {into}."
        )
    target, replica = blobs_of(str(disk.uri), account)
    return {
        **_common(cloud, disk, given, region),
        "managed": False,
        "source": disk.uri,
        "group": None,
        "replica": replica,
        "replica_type": None,
        "account_type": None,
        "carried": {},
        "account": account.text,
        "target_uri": target,
    }


def blobs_of(uri: str, account: ResourceId) -> tuple[str, str]:
    """The blob that a failover makes of an unmanaged disk, and its replica, in a storage account of the other side."""
    path = uri.split("://", 1)[-1].split("/", 1)[-1]
    there = f"https://{account.name}.blob.core.windows.net"
    return f"{there}/{path}", f"{there}/asr-replica/{path}"


def _common(cloud: Cloud, disk: Attached, given: Body, region: str) -> Record:
    staging = must_find(cloud, given.get("primaryStagingAzureStorageAccountId"), "primaryStagingAzureStorageAccountId")
    if cloud.region_of(staging) != region:
        raise bad_request(
            "StagingAccountNotInRegion", f"The cache account {staging.name} must be in the machine's region, {region}."
        )
    number = volumes.volume_of(cloud, disk.key)
    if number is None:
        raise Refused(400, "DiskNotFound", f"Disk {disk.key} was not found.")
    return {
        "name": disk.name,
        "lun": disk.lun,
        "size": volumes.log(cloud).size(number),
        "volume": number,
        "os_type": disk.entry.get("osType"),
        "caching": disk.entry.get("caching") or ("ReadWrite" if disk.lun is None else "None"),
        "staging": staging.text,
        "original": None,
        "target_name": disk.name,
        "test_name": f"{disk.name}{TEST}",
    }


def _named(there: dict[str, Attached], key: str, vm: ResourceId) -> Attached:
    disk = there.get(key.lower())
    if disk is None:
        raise bad_request("DiskNotAttached", f"Disk {key} is not attached to machine {vm.name}.")
    return disk
