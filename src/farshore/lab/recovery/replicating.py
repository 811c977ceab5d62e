"""From enabled to Protected: initial replication, the first recovery point (S18, S30).

Enabling takes minutes (the agent), initial replication as long as there are bytes, then a first recovery point is
waited for; only then is the item Protected and shows its NICs, its network and its `lifecycleId` (recorded). A source
that does not run, or whose region is lost, holds all of this up. A reprotection goes the same way; there the disks
that are still on the other side are compared instead of copied, and become the replicas (S46).
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab import machines
from farshore.lab.answers import Refused
from farshore.lab.recovery import ailments, records, shipping
from farshore.lab.recovery.disks import make_replicas
from farshore.lab.recovery.health import unprotected
from farshore.lab.recovery.item_nics import nics_of, remembered
from farshore.lab.recovery.records import Record
from farshore.lab.recovery.states import Phase
from farshore.lab.regions import is_dark
from farshore.lab.registry import event
from farshore.lab.storage import volumes
from farshore.lab.types import unmake
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

PHASE = "recovery.phase"
BYTES_A_SECOND = 14 << 20
"""S30: initial replication runs at about 23 % of a disk's throughput (here of a standard disk's 60 MB/s)."""
HELD_UP = timedelta(seconds=60)
"""How often a replication that is held up looks whether it can go on: the lab's choice."""


def begin_replication(cloud: Cloud, item: ResourceId, takes: str) -> None:
    """Initial replication, or the comparison of disks that are there already (S46), begins."""
    make_replicas(cloud, records.of(cloud, item))
    record = records.change(cloud, item, phase=Phase.INITIAL_REPLICATION)
    log = volumes.log(cloud)
    size = sum(length for disk in record["disks"] for _, length in log.ranges(disk["volume"]))
    after = cloud.duration(takes, item.key, cloud.count("seed", item.key)) + timedelta(seconds=size / BYTES_A_SECOND)
    records.properties(cloud, item, {"monitoringJobType": "InitialReplication", "monitoringPercentageCompletion": 0})
    cloud.at(cloud.now + after, PHASE, item.key, Phase.FIRST_POINT_PENDING)


@event(PHASE)
def next_phase(cloud: Cloud, subject: str, data: Any) -> None:
    record, body = records.get(cloud, subject), cloud.body(subject)
    if record is None or body is None:
        return
    item = resource_id(str(body["id"]))
    vm = resource_id(record["vm"])
    away = is_dark(cloud, cloud.region_of(vm)) or any(is_dark(cloud, disk["region"]) for disk in record["disks"])
    if machines.power(cloud, vm) != "running" or away or not ailments.can_send(cloud, record):
        cloud.at(cloud.now + HELD_UP, PHASE, subject, data)
        return
    if data == Phase.FIRST_POINT_PENDING:
        records.change(cloud, item, phase=Phase.FIRST_POINT_PENDING)
        after = cloud.duration("recovery.firstPoint", item.key, cloud.count("firstPoint", item.key))
        cloud.at(cloud.now + after, PHASE, subject, Phase.PROTECTED)
        return
    _become_protected(cloud, item, record)


def _become_protected(cloud: Cloud, item: ResourceId, record: Record) -> None:
    """The first point is there: the item shows what the service knows by now."""
    vm = cloud.body(record["vm"]) or {}
    network = record["network"]
    nics = nics_of(cloud, item, vm, network, record["subnet"])
    if record.get("home_nics"):
        nics = remembered(nics, record["home_nics"])
    shown = (cloud.body(item) or {})["properties"]["providerSpecificDetails"]["protectedManagedDisks"]
    details = {
        "selectedRecoveryAzureNetworkId": network,
        "vmNics": nics,
        "protectedManagedDisks": shown and [_seed_consumed(disk) for disk in shown],
        "vmSyncedConfigDetails": {"tags": vm.get("tags") or {}, "inputEndpoints": []},
        "lifecycleId": record["lifecycle"],
        "agentCertificateExpiryDate": "2029-01-15T08:53:51Z",
    }
    # Recorded, three times: of its initial replication the item goes on telling; of the disks nothing is told any more.
    _drop_seeds(cloud, record)
    left = [disk.key.lower() for disk in unprotected(cloud, record)]
    records.change(cloud, item, phase=Phase.PROTECTED, protected_at=stamp(cloud.now), excluded=left)
    records.properties(cloud, item, details)
    shipping.begin(cloud, item)


def _drop_seeds(cloud: Cloud, record: Record) -> None:
    """The disks that reprotection found have given way to the replicas; with X19 they stay with their machine. So
    does one that cannot be deleted, for a person still reads it by a SAS."""
    for disk in record["disks"]:
        if disk["original"] is not None and not cloud.settings.keep_source_after_reprotect:
            with suppress(Refused):
                unmake(cloud, resource_id(disk["original"]))


def _seed_consumed(disk: Body) -> Body:
    """The old disk has become the replica: it is no longer named (recorded as an empty text)."""
    return {**disk, "recoveryOrignalTargetDiskId": ""} if disk["recoveryOrignalTargetDiskId"] else disk
