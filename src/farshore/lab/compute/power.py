"""Machines that start and stop when they are told to.

    start       deallocated|stopped ─► starting ─► running      restart     running ─► starting ─► running
    deallocate  ─► deallocated                                   powerOff    ─► stopped

A running machine writes to its disks; one that does not run writes nothing. What a lost region does to its machines,
and that they start again by themselves with the data that they had (D92), is told in `lab/faults.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.lab import machines
from farshore.lab.call import Call
from farshore.lab.compute.attached import VIRTUAL_MACHINES, disk_names
from farshore.lab.registry import action, completion, listener
from farshore.lab.storage import volumes
from farshore.lab.types import free

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

AFTER = {"start": "running", "restart": "running", "deallocate": "deallocated", "powerOff": "stopped"}


def halt(cloud: Cloud, id_: ResourceId, to: str) -> None:
    """Stop a machine now."""
    machines.set_power(cloud, id_, to)


@listener("machine.power")
def writes_while_it_runs(cloud: Cloud, subject: str, data: Any) -> None:
    body = cloud.body(subject)
    if body is None:
        return
    numbers = [n for name in disk_names(body) if (n := volumes.volume_of(cloud, name)) is not None]
    if data["power"] == "running":
        volumes.start(cloud, numbers)
    else:
        volumes.stop(cloud, numbers)


def _begin(call: Call, verb: str) -> Response:
    call.must_exist()
    call.must_be_free()
    if verb in ("start", "restart"):
        machines.set_power(call.cloud, call.id, "starting")
    return call.accept(verb, duration=f"virtualMachines.{verb}", lock=True)


def _done(cloud: Cloud, operation: Operation) -> Body | None:
    id_ = operation.resource_id
    free(cloud, operation, cloud.type_of(id_).lock(cloud, id_))
    if cloud.exists(id_):
        machines.set_power(cloud, id_, AFTER[operation.verb])
    return None


def _register(verb: str) -> None:
    action(VIRTUAL_MACHINES, verb)(lambda call: _begin(call, verb))
    completion(VIRTUAL_MACHINES, verb)(_done)


for _verb in AFTER:
    _register(_verb)
