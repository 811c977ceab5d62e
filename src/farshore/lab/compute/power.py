"""Machines that start and stop: what a client asks for, and what a lost region does to them.

    start       deallocated|stopped ─► starting ─► running      restart     running ─► starting ─► running
    deallocate  ─► deallocated                                   powerOff    ─► stopped

A running machine writes to its disks; one that does not run writes nothing. A region that is lost takes its machines
down as they stand. When it returns, those that ran start again by themselves, each in its own time, and go on with
the data that they had: nobody tells them that they have been replaced (D92).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab import machines
from farshore.lab.call import Call
from farshore.lab.compute.attached import VIRTUAL_MACHINES, disk_names
from farshore.lab.registry import action, completion, event, listener
from farshore.lab.storage import volumes
from farshore.lab.types import free

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

BOOT = "compute.boot"
AFTER = {"start": "running", "restart": "running", "deallocate": "deallocated", "powerOff": "stopped"}


def boot(cloud: Cloud, id_: ResourceId, after: timedelta) -> None:
    """Let a machine start, and run after `after`."""
    machines.set_power(cloud, id_, "starting")
    cloud.at(cloud.now + after, BOOT, id_.key, None)


def halt(cloud: Cloud, id_: ResourceId, to: str) -> None:
    """Stop a machine now, whatever it was about to do."""
    cloud.cancel(BOOT, id_.key)
    machines.set_power(cloud, id_, to)


@event(BOOT)
def booted(cloud: Cloud, subject: str, data: Any) -> None:
    body = cloud.body(subject)
    if body is None or machines.power(cloud, id_ := resource_id(str(body["id"]))) != "starting":
        return
    if cloud.is_lost(cloud.region_of(id_)):
        return
    machines.set_power(cloud, id_, "running")


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
