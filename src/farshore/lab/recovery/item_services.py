"""What else a protected item offers: sizes that its machine could have, its agent's update, repair (S6).

targetComputeSizes      the sizes of the region that it goes to
updateMobilityService   the agent is as new as it can be in this lab: the job finds nothing to change
repairReplication       a replica that is gone, or that somebody has written to, is made anew and filled again;
                        for as long as there is one, the item allows `RepairReplication` and its disk says
                        `resyncRequired`. A cluster's repairs what its nodes have
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab import operations
from farshore.lab.answers import Refused
from farshore.lab.call import Call
from farshore.lab.compute.sizes import SIZES
from farshore.lab.paging import page
from farshore.lab.recovery import item_jobs, jobs, records, shipping
from farshore.lab.recovery.clusters import nodes
from farshore.lab.recovery.disks import make_replicas
from farshore.lab.recovery.names import CLUSTERS, ITEMS
from farshore.lab.recovery.records import enter
from farshore.lab.recovery.states import REPLICATING
from farshore.lab.registry import action, view
from farshore.lab.storage import volumes
from farshore.lab.types import unmake

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

NICS_FOR_CORES = 4
"""At most so many NICs in this list; a machine of the lab may have any number."""


@view(ITEMS, "targetComputeSizes")
def target_compute_sizes(call: Call) -> Response:
    call.must_exist()
    return page(call, [_size(*size) for size in SIZES])


def _size(name: str, cores: int, memory: int, temporary: int, disks: int) -> Body:
    properties = {
        "name": name,
        "friendlyName": name,
        "cpuCoresCount": cores,
        "vCPUsAvailable": cores,
        "memoryInGB": memory / 1024,
        "maxDataDiskCount": disks,
        "maxNicsCount": min(max(2, cores), NICS_FOR_CORES),
        "errors": [],
        "highIopsSupported": "Yes",
        "hyperVGenerations": ["V1", "V2"],
    }
    return {"id": None, "name": name, "type": "TargetComputeSize", "properties": properties}


@action(ITEMS, "updateMobilityService")
def update_mobility_service(call: Call) -> Response:
    item, _, _ = enter(call, "UnplannedFailover")
    return item_jobs.begin(
        call,
        item,
        "updateMobilityService",
        scenario="UpdateMobilityService",
        title="Update the mobility service",
        takes="recovery.update",
    )


@jobs.job_done(ITEMS, "updateMobilityService")
def updated(cloud: Cloud, operation: Operation) -> Body | None:
    records.idle(cloud, operation.resource_id)
    return None


@action(ITEMS, "repairReplication")
def repair_replication(call: Call) -> Response:
    call.id = resource_id(str(call.must_exist()["id"]))
    _must_need_repair(call.cloud, call.id)
    return item_jobs.begin(
        call,
        call.id,
        "repairReplication",
        scenario="RepairReplication",
        title="Resynchronize",
        takes="recovery.compare",
    )


@jobs.job_done(ITEMS, "repairReplication")
def repaired(cloud: Cloud, operation: Operation) -> Body | None:
    records.idle(cloud, operation.resource_id)
    _repair(cloud, operation.resource_id)
    return None


@action(CLUSTERS, "repairReplication")
def repair_cluster(call: Call) -> Response:
    call.id = resource_id(str(call.must_exist()["id"]))
    cloud, broken = call.cloud, []
    for item in nodes(cloud, call.id):
        with suppress(Refused):
            _must_need_repair(cloud, item)
            broken.append(item)
    if not broken:
        raise Refused(409, "OperationNotAllowed", f"No node of {call.id.name} has a replica to repair now.")
    response, job = jobs.begin(
        call,
        "repairReplication",
        scenario="RepairReplication",
        title="Resynchronize",
        target=("ProtectionCluster", cloud.guid("entity", call.id.key), call.id.name),
        takes=cloud.duration("recovery.compare", call.id.key, cloud.count("attempt", call.id.key, "repair")),
        data={"items": [item.text for item in broken]},
    )
    jobs.start_task(cloud, job, "RepairReplicationTask", "Resynchronize")
    for item in broken:
        records.scenario(cloud, item, "RepairReplication", job)
    return response


@jobs.job_done(CLUSTERS, "repairReplication")
def cluster_repaired(cloud: Cloud, operation: Operation) -> Body | None:
    items = [resource_id(text) for text in operation.data["items"]]
    for item in items:
        records.idle(cloud, item)
    for item in items:
        _repair(cloud, item)
    return None


def _must_need_repair(cloud: Cloud, item: ResourceId) -> None:
    record = records.of(cloud, item)
    if operations.busy(cloud, item) is not None or records.phase_of(record) not in REPLICATING:
        raise Refused(409, "OperationNotAllowed", f"{item.name} is not replicated now, or another job holds it.")
    if not shipping.broken(cloud, record):
        raise Refused(409, "OperationNotAllowed", f"The replication of {item.name} needs no repair.")


def _repair(cloud: Cloud, item: ResourceId) -> None:
    """The replicas that are not the service's own give way to new ones. Raises `Refused` for one that is in use."""
    record = records.get(cloud, item)
    if record is None:
        return
    for disk in shipping.broken(cloud, record):
        if disk["managed"]:
            unmake(cloud, resource_id(disk["replica"]))
        volumes.forget(cloud, disk["replica"])
    make_replicas(cloud, record)
    shipping.look(cloud, item, record)
