"""Failover of one item (S15, S43).

    0             the job begins; prerequisites are checked
    shutdown      only if asked for (`sourceSiteOperations: Required`) and if the present region answers: the machine
                  is stopped and ships the rest, so that nothing is lost; that it can't be stopped stops nothing (S43)
    sync          what has been shipped is processed: the point of a `Latest` failover is settled
    create        disks of the point, NICs, the machine
    end           the machine runs; the old one, wherever it is, is stale from now on

Failover is in the item's own direction: `PrimaryToRecovery`, also for an item that reprotection has switched, where
some clients say `RecoveryToPrimary` and are understood (S51); an item reprotected by `reProtect` has kept its roles and
goes `RecoveryToPrimary`.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab import machines, operations
from farshore.lab.answers import Refused, bad_request, quoted
from farshore.lab.call import Call
from farshore.lab.compute import power
from farshore.lab.durations import NEVER
from farshore.lab.recovery import jobs, landing, records, shipping
from farshore.lab.recovery.item_settings import details_of
from farshore.lab.recovery.names import ITEMS, shown_id
from farshore.lab.recovery.points import Point
from farshore.lab.recovery.records import Record, enter
from farshore.lab.recovery.states import Phase
from farshore.lab.registry import action, event
from farshore.lab.storage import volumes
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

STEP = "recovery.failover"
CHECK = timedelta(seconds=3)
"""How long the prerequisites are looked at: no page says, here and below it is the lab's choice."""
NO_ANSWER = timedelta(seconds=15)
"""How long the service waits for a region that does not answer before it goes on without."""
CREATED_AT = 0.7
"""When the machine is made, as a part of the job's time: recorded, 105 of 139 seconds."""
WAIT_FOR_REGION = timedelta(seconds=30)
"""How often a job looks whether the region that it goes to answers again."""


@action(ITEMS, "unplannedFailover")
def unplanned_failover(call: Call) -> Response:
    item, record, _ = enter(call, "UnplannedFailover")
    sent = call.properties()
    check_direction(record, sent.get("failoverDirection"))
    wanted = details_of(sent).get("recoveryPointId")
    if wanted is not None:
        shipping.find(call.cloud, item, str(wanted))
    shutdown = str(sent.get("sourceSiteOperations") or "NotRequired").lower() == "required"
    response, job = _begin(call, item, record, wanted, shutdown)
    start(call.cloud, item, job, wanted, shutdown)
    return response


def check_direction(record: Record, direction: object) -> None:
    """Raise `Refused` for a direction that an item can't be failed over in now."""
    own = record["direction"]
    if direction == own or (record["switched"] and direction in ("PrimaryToRecovery", "RecoveryToPrimary")):
        return
    raise bad_request(
        "InvalidFailoverDirection", f"The direction must be {own}, not {quoted(direction)}.", "failoverDirection"
    )


def start(cloud: Cloud, item: ResourceId, job: str, wanted: str | None, shutdown: bool, *, hold: bool = False) -> None:
    """The failover of an item within a job: its own, or a recovery plan's, which says when the machine starts."""
    rest = cloud.duration("recovery.failover", item.key, cloud.count("failover", item.key))
    state = {"job": job, "point": wanted, "shutdown": shutdown, "rest_seconds": rest.total_seconds(), "hold": hold}
    records.change(cloud, item, phase=Phase.FAILING_OVER, failover=state, landed=None)
    records.scenario(cloud, item, "UnplannedFailover", job)
    _step(cloud, item, "shutdown" if shutdown else "sync", CHECK)


def _begin(call: Call, item: ResourceId, record: Record, wanted: str | None, shutdown: bool) -> tuple[Response, str]:
    response, job = jobs.begin(
        call,
        "unplannedFailover",
        scenario="UnplannedFailover",
        title="Failover",
        target=jobs.item_target(call.cloud, item),
        takes=NEVER,
        data={"item": item.text},
        details=job_details([]),
    )
    jobs.start_task(
        call.cloud, job, "PreFailoverPrerequisitesCheckTask", "Prerequisites check for failover", about=item.name
    )
    return response, job


# The steps. ----------------------------------------------------------------------------------------------------------


@event(STEP)
def step(cloud: Cloud, subject: str, data: Any) -> None:
    body, record = cloud.body(subject), records.get(cloud, subject)
    if body is None or record is None or records.phase_of(record) != Phase.FAILING_OVER:
        return
    item = resource_id(str(body["id"]))
    if cloud.is_lost(landing.target_region(body, record)):
        _step(cloud, item, data, WAIT_FOR_REGION)
        return
    try:
        jobs.must_succeed(cloud, record["failover"]["job"])
        _STEPS[data](cloud, item, record, body)
    except Refused as refused:
        _failed(cloud, item, record, refused)


def _shutdown(cloud: Cloud, item: ResourceId, record: Record, body: Body) -> None:
    """Stop the present machine if its region answers."""
    state = record["failover"]
    jobs.start_task(
        cloud, state["job"], "SourceVmShutdownTask", f"Shut down the virtual machine ({item.name})", about=item.name
    )
    lost = cloud.is_lost(cloud.region_of(resource_id(record["vm"])))
    takes = NO_ANSWER if lost else cloud.duration("recovery.shutdown", item.key, cloud.count("shutdown", item.key))
    _step(cloud, item, "sync", takes)


def _sync(cloud: Cloud, item: ResourceId, record: Record, body: Body) -> None:
    """Settle the point. A machine that was to be stopped is stopped by now, or could not be (S43)."""
    state = record["failover"]
    vm = resource_id(record["vm"])
    if state["shutdown"]:
        stopped = not cloud.is_lost(cloud.region_of(vm)) and cloud.exists(vm)
        if stopped:
            power.halt(cloud, vm, "deallocated")
        outcome = ("Succeeded", "Completed") if stopped else ("Failed", "Skipped")
        jobs.end_task(cloud, state["job"], *outcome, about=item.name)
    jobs.start_task(
        cloud,
        state["job"],
        "ProcessRecoveryPointTask",
        f"Synchronize the latest changes ({item.name})",
        about=item.name,
    )
    point = shipping.find(cloud, item, state["point"])
    shipping.end(cloud, item)
    records.change(cloud, item, failover={**state, "used": records.point_row(point)})
    _step(cloud, item, "create", timedelta(seconds=state["rest_seconds"] * CREATED_AT))


def _create(cloud: Cloud, item: ResourceId, record: Record, body: Body) -> None:
    state = record["failover"]
    jobs.start_task(
        cloud, state["job"], "CreateVirtualMachineTask", f"Create the virtual machine ({item.name})", about=item.name
    )
    point = used_point(record)
    make_way(cloud, record)
    landed = landing.land(cloud, body, record, point, network=landing.target_network(cloud, body), test=False)
    remember(cloud, item, point, landed, state["job"], "UnplannedFailover")
    records.change(cloud, item, landed=landed_row(landed))
    if state["hold"]:
        cloud.tell("recovery.member", state["job"], {"item": item.text, "made": True})
    else:
        boot(cloud, item)


def boot(cloud: Cloud, item: ResourceId) -> None:
    """The machine that was made starts: at once, or when its group's turn has come in a recovery plan."""
    state = records.of(cloud, item)["failover"]
    jobs.start_task(
        cloud, state["job"], "StartVirtualMachineTask", f"Start the virtual machine ({item.name})", about=item.name
    )
    _step(cloud, item, "run", timedelta(seconds=state["rest_seconds"] * (1 - CREATED_AT)))


def _run(cloud: Cloud, item: ResourceId, record: Record, body: Body) -> None:
    """The machine runs: the failover is complete."""
    state, landed = record["failover"], record["landed"]
    vm, old = resource_id(landed["vm"]), resource_id(record["vm"])
    landing.must_be_there(cloud, vm)
    machines.set_power(cloud, vm, "running")
    if cloud.exists(old):
        machines.supersede(cloud, old)
    machines.supersede(cloud, vm, False)
    point = used_point(record)
    records.change(cloud, item, phase=Phase.FAILED_OVER, other=vm.text)
    records.properties(
        cloud,
        item,
        {"recoveryFabricObjectId": vm.key},
        activeLocation="Primary" if to_primary(record) else "Recovery",
        failoverRecoveryPointId=shown_id(item.child("recoveryPoints", point.name)),
        lastSuccessfulFailoverTime=stamp(cloud.now),
    )
    records.idle(cloud, item)
    jobs.end_task(cloud, state["job"], about=item.name)
    over(cloud, item, state["job"])


def _failed(cloud: Cloud, item: ResourceId, record: Record, refused: Refused) -> None:
    """Nothing is left of it; the item can be failed over again."""
    state = record["failover"]
    if record["landed"] is not None:
        with suppress(Refused):
            landing.undo(cloud, record["landed"])
    records.change(cloud, item, phase=Phase.FAILOVER_FAILED, failover=None, landed=None)
    shipping.resume(cloud, item)
    records.idle(cloud, item)
    over(cloud, item, state["job"], refused)


def over(cloud: Cloud, item: ResourceId, job: str, refused: Refused | None = None) -> None:
    """The item's part of a job is over: the job, if it was the item's own; a plan goes on by itself."""
    operation = operations.find(cloud, job)
    if operation is None:
        return
    if operation.resource_id == item:
        if refused is not None:
            jobs.fail_now(cloud, job, refused)
        else:
            jobs.finish_now(cloud, job)
        return
    cloud.tell("recovery.member", job, {"item": item.text, "refused": refused and row_of(refused)})


@jobs.job_done(ITEMS, "unplannedFailover")
def done(cloud: Cloud, operation: Operation) -> Body | None:
    if (refused := jobs.refusal_of(operation)) is not None:
        raise refused
    item = operation.resource_id
    jobs.change(cloud, operation.id, customDetails=job_details([member_details(cloud, item)]))
    return None


def job_details(members: list[Body]) -> Body:
    """What a failover's job says of itself (S23)."""
    return {"instanceType": "FailoverJobDetails", "affectedObjectDetails": {}, "protectedItemDetails": members}


def member_details(cloud: Cloud, item: ResourceId) -> Body:
    """What the job says of one machine that it moved."""
    return member_row(cloud, item, used_point(records.of(cloud, item)))


def member_row(cloud: Cloud, item: ResourceId, point: Point, *, test_vm: str = "", network: str = "") -> Body:
    """A machine in a job's details, and the point that it was made of."""
    body = cloud.body(item) or {}
    return {
        "name": item.name,
        "friendlyName": body["properties"]["friendlyName"],
        "testVmName": test_vm,
        "testVmFriendlyName": test_vm,
        "networkConnectionStatus": "Connected",
        "networkFriendlyName": network,
        "subnet": "",
        "recoveryPointId": shown_id(item.child("recoveryPoints", point.name)),
        "recoveryPointTime": stamp(point.time),
    }


# Parts. --------------------------------------------------------------------------------------------------------------


def make_way(cloud: Cloud, record: Record) -> None:
    """Take away what the service itself left on the other side: the machine that this one came from."""
    other = record["other"]
    if other is not None and cloud.exists(resource_id(other)):
        landing.take_off(cloud, resource_id(other), with_disks=True)


def remember(cloud: Cloud, item: ResourceId, point: Point, landed: landing.Landed, job: str, scenario: str) -> None:
    """Which point was used for what (`/_lab/recovery-points`)."""
    used = {
        "job": job,
        "scenario": scenario,
        "machine": landed.vm.text,
        "time": stamp(cloud.now),
        "disks": [{key: disk[key] for key in ("source", "disk", "volume")} for disk in landed.disks],
        "last_sequence": volumes.log(cloud).last_sequence,
    }
    shipping.use(cloud, item, point, used)


def used_point(record: Record) -> Point:
    return records.point_of(record["failover"]["used"])


def to_primary(record: Record) -> bool:
    """Whether the item goes back in its own roles (an unmanaged machine after `reProtect`)."""
    return bool(record["direction"] == "RecoveryToPrimary")


def _step(cloud: Cloud, item: ResourceId, name: str, after: timedelta) -> None:
    cloud.at(cloud.now + after, STEP, item.key, name)


def landed_row(landed: landing.Landed) -> Record:
    """What a landing made, for the record."""
    return {"vm": landed.vm.text, "nics": [nic.text for nic in landed.nics], "disks": list(landed.disks)}


def row_of(refused: Refused) -> Record:
    """A refusal as it is kept until the job that it belongs to is over."""
    return {"status": refused.status, "code": refused.code, "message": refused.message}


_STEPS = {"shutdown": _shutdown, "sync": _sync, "create": _create, "run": _run}
