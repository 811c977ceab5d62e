"""Machines that start and stop when they are told to.

    start       deallocated|stopped ─► starting ─► running      restart     running ─► starting ─► running
    deallocate  ─► deallocated                                   powerOff    ─► stopped
    redeploy    running ─► starting ─► running, else as it was   reapply     as it was
    generalize  a machine that does not run: 200 at once

A running machine writes to its disks; one that does not run, or is dead, writes nothing. What a lost region does to its
machines, and that they start again by themselves with the data that they had (D92), is told in `lab/regions.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from farshore.arm.compute import RUNNING
from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab import machines, operations
from farshore.lab.answers import Refused
from farshore.lab.call import Call
from farshore.lab.compute.attached import VIRTUAL_MACHINES, disk_names
from farshore.lab.compute.disks import holders
from farshore.lab.compute.reserved import must_find_room
from farshore.lab.registry import action, completion, listener
from farshore.lab.storage import volumes

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

AFTER = {
    **{"start": "running", "restart": "running", "deallocate": "deallocated", "powerOff": "stopped"},
    **{"redeploy": None, "reapply": None},
}
"""Action to the power that it leads to; None: the one that there is."""


def halt(cloud: Cloud, id_: ResourceId, to: str) -> None:
    """Stop a machine now."""
    machines.set_power(cloud, id_, to)


@listener("machine.power")
def writes_while_it_runs(cloud: Cloud, subject: str, data: Any) -> None:
    body = cloud.body(subject)
    if body is None:
        return
    id_ = resource_id(str(body["id"]))
    let_go(cloud, id_, body)
    if data["power"] == "running" and not machines.is_dead(cloud, id_):
        numbers = [n for name in disk_names(body) if (n := volumes.volume_of(cloud, name)) is not None]
        volumes.start(cloud, numbers, machines.write_rate(cloud, id_))


@listener("machine.dead")
def writes_while_it_lives(cloud: Cloud, subject: str, data: Any) -> None:
    if cloud.body(subject) is not None:
        writes_while_it_runs(cloud, subject, {"power": machines.power(cloud, resource_id(subject))})


def let_go(cloud: Cloud, id_: ResourceId, body: Body) -> None:
    """A machine writes to its disks no longer; others that share one and run go on."""
    numbers = []
    for name in disk_names(body):
        number, held = volumes.volume_of(cloud, name), cloud.body(name) if name.startswith("/") else None
        others = [resource_id(text) for text in holders(held or {}) if text.lower() != id_.key]
        if number is not None and not any(machines.power(cloud, other) == machines.RUNNING for other in others):
            numbers.append(number)
    volumes.stop(cloud, numbers)


@listener("machine.rate")
def writes_faster_or_slower(cloud: Cloud, subject: str, data: Any) -> None:
    body = cloud.body(subject)
    if body is not None:
        power = machines.power(cloud, resource_id(str(body["id"])))
        writes_while_it_runs(cloud, subject, {"power": power})


@listener("operation.failed")
def does_not_start(cloud: Cloud, subject: str, data: Any) -> None:
    """What was to start and found no room, or was made to fail, is deallocated."""
    operation = operations.find(cloud, subject)
    if operation is None or operation.type != VIRTUAL_MACHINES:
        return
    if cloud.exists(operation.resource_id) and machines.power(cloud, operation.resource_id) == "starting":
        machines.set_power(cloud, operation.resource_id, "deallocated")


def _begin(call: Call, verb: str) -> Response:
    call.must_exist()
    call.must_be_free()
    moves = verb == "redeploy" and machines.power(call.cloud, call.id) == "running"
    if verb in ("start", "restart") or moves:
        machines.set_power(call.cloud, call.id, "starting")
    return call.accept(verb, duration=f"virtualMachines.{verb}", lock=True)


def _done(cloud: Cloud, operation: Operation) -> Body | None:
    id_ = operation.resource_id
    cloud.let_go(cloud.type_of(id_).lock(cloud, id_), operation.id)
    body = cloud.body(id_)
    if body is not None:
        if operation.verb == "start":
            must_find_room(cloud, body)
        was = machines.power(cloud, id_)
        power = AFTER[operation.verb] or ("running" if was == "starting" else was)
        if power is not None:
            machines.set_power(cloud, id_, power)
    return None


@action(VIRTUAL_MACHINES, "generalize")
def generalize(call: Call) -> Response:
    """Its system disk is an image's from now on; the lab remembers nothing of it."""
    call.must_exist()
    call.must_be_free()
    if machines.power(call.cloud, call.id) in RUNNING:
        raise Refused(
            409, "OperationNotAllowed", f"The VM '{call.id.name}' is running; stop it before it is generalized."
        )
    return Response(status=200)


def _register(verb: str) -> None:
    action(VIRTUAL_MACHINES, verb)(lambda call: _begin(call, verb))
    completion(VIRTUAL_MACHINES, verb)(_done)


for _verb in AFTER:
    _register(_verb)
