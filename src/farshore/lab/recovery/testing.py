"""Test failover and its cleanup (S14, S36, S42).

A test makes a machine `<name>-test` beside a replication that goes on: nothing of production is touched. While it
stands nothing else can be done with the item, and it counts as done only when it has been cleaned up: then the
health error 161011 goes. The network is the one in the request; one that the item presets wins (S37).
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab import machines
from farshore.lab.answers import Refused, bad_request
from farshore.lab.call import Call
from farshore.lab.durations import NEVER
from farshore.lab.recovery import jobs, landing, records, shipping
from farshore.lab.recovery.failover import (
    CHECK,
    WAIT_FOR_REGION,
    check_direction,
    landed_row,
    member_row,
    over,
    remember,
)
from farshore.lab.recovery.item_settings import details_of
from farshore.lab.recovery.names import ITEMS, shown_id
from farshore.lab.recovery.objects import must_find
from farshore.lab.recovery.records import Record, enter
from farshore.lab.recovery.states import Phase
from farshore.lab.registry import action, event
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

STEP = "recovery.test"
CREATED_AT = 0.45
"""When the test machine is made, as a part of the job's time (S24 has the whole): the lab's choice."""
_WAITING: Body = {
    "testFailoverState": "WaitingForCompletion",
    "testFailoverStateDescription": "Waiting for user input",
}


@action(ITEMS, "testFailover")
def test_failover(call: Call) -> Response:
    item, record, _ = enter(call, "TestFailover")
    sent = call.properties()
    check_direction(record, sent.get("failoverDirection") or "PrimaryToRecovery")
    network = network_of(call.cloud, sent)
    wanted = details_of(sent).get("recoveryPointId")
    if wanted is not None:
        shipping.find(call.cloud, item, str(wanted))
    response, job = jobs.begin(
        call,
        "testFailover",
        scenario="TestFailover",
        title="Test failover",
        target=jobs.item_target(call.cloud, item),
        takes=NEVER,
        data={"item": item.text},
        details=job_details("InProgress", network, []),
    )
    jobs.start_task(
        call.cloud, job, "TestFailoverPrerequisitesCheckTask", "Prerequisites check for test failover", about=item.name
    )
    start(call.cloud, item, job, wanted, network)
    return response


def network_of(cloud: Cloud, sent: Body) -> ResourceId:
    """The network that a request names (S14)."""
    if sent.get("networkType") not in (None, "VmNetworkAsInput"):
        message = "The lab tests into a network: networkType VmNetworkAsInput."
        raise bad_request("InvalidParameter", message, "networkType")
    return must_find(cloud, sent.get("networkId"), "networkId")


def start(
    cloud: Cloud, item: ResourceId, job: str, wanted: str | None, network: ResourceId, *, hold: bool = False
) -> None:
    """The test of an item within a job: its own, or a recovery plan's."""
    body = cloud.body(item) or {}
    preset = body["properties"]["providerSpecificDetails"].get("selectedTfoAzureNetworkId")
    takes = cloud.duration("recovery.testFailover", item.key, cloud.count("testFailover", item.key))
    test = {
        "job": job,
        "point": wanted,
        "network": str(preset or network.text),
        "seconds": takes.total_seconds(),
        "vm": None,
        "hold": hold,
    }
    records.change(cloud, item, test=test)
    records.scenario(cloud, item, "TestFailover", job)
    _step(cloud, item, "create", CHECK)


@event(STEP)
def step(cloud: Cloud, subject: str, data: Any) -> None:
    body, record = cloud.body(subject), records.get(cloud, subject)
    if body is None or record is None or record["test"] is None:
        return
    item = resource_id(str(body["id"]))
    if cloud.is_lost(landing.target_region(body, record)):
        _step(cloud, item, data, WAIT_FOR_REGION)
        return
    try:
        jobs.must_succeed(cloud, record["test"]["job"])
        {"create": _create, "land": _land, "run": _run}[data](cloud, item, record, body)
    except Refused as refused:
        if record["test"]["vm"] is not None:
            with suppress(Refused):
                landing.undo(cloud, record["test"])
        records.change(cloud, item, test=None)
        records.idle(cloud, item)
        over(cloud, item, record["test"]["job"], refused)


def _create(cloud: Cloud, item: ResourceId, record: Record, body: Body) -> None:
    test = record["test"]
    title = f"Create the test virtual machine ({item.name})"
    jobs.start_task(cloud, test["job"], "CreateTestVirtualMachineTask", title, about=item.name)
    point = shipping.find(cloud, item, test["point"])
    records.change(cloud, item, test={**test, "used": records.point_row(point)})
    _step(cloud, item, "land", timedelta(seconds=test["seconds"] * CREATED_AT))


def _land(cloud: Cloud, item: ResourceId, record: Record, body: Body) -> None:
    test = record["test"]
    jobs.start_task(
        cloud,
        test["job"],
        "PrepareTestVirtualMachineTask",
        f"Prepare the virtual machine ({item.name})",
        about=item.name,
    )
    point = records.point_of(test["used"])
    landed = landing.land(cloud, body, record, point, network=resource_id(test["network"]), test=True)
    remember(cloud, item, point, landed, test["job"], "TestFailover")
    records.change(cloud, item, test={**test, **landed_row(landed)})
    if test["hold"]:
        cloud.tell("recovery.member", test["job"], {"item": item.text, "made": True})
    else:
        boot(cloud, item)


def boot(cloud: Cloud, item: ResourceId) -> None:
    """The test machine starts: at once, or when its group's turn has come in a recovery plan."""
    test = records.of(cloud, item)["test"]
    jobs.start_task(
        cloud, test["job"], "StartTestVirtualMachineTask", f"Start the virtual machine ({item.name})", about=item.name
    )
    _step(cloud, item, "run", timedelta(seconds=test["seconds"] * (1 - CREATED_AT)))


def _run(cloud: Cloud, item: ResourceId, record: Record, body: Body) -> None:
    test = record["test"]
    vm = resource_id(test["vm"])
    landing.must_be_there(cloud, vm)
    machines.set_power(cloud, vm, "running")
    records.change(cloud, item, phase=Phase.TEST_PENDING)
    records.properties(
        cloud,
        item,
        {"testFailoverRecoveryFabricObjectId": vm.key},
        **_WAITING,
        failoverRecoveryPointId=shown_id(item.child("recoveryPoints", test["used"]["name"])),
    )
    records.idle(cloud, item)
    jobs.end_task(cloud, test["job"], about=item.name)
    over(cloud, item, test["job"])


@jobs.job_done(ITEMS, "testFailover")
def done(cloud: Cloud, operation: Operation) -> Body | None:
    if (refused := jobs.refusal_of(operation)) is not None:
        raise refused
    item = operation.resource_id
    test = records.of(cloud, item)["test"]
    details = job_details("WaitingForCompletion", resource_id(test["network"]), [member_details(cloud, item)])
    jobs.change(cloud, operation.id, customDetails=details)
    return None


def member_details(cloud: Cloud, item: ResourceId) -> Body:
    """What the job says of one test machine."""
    test = records.of(cloud, item)["test"]
    vm, network = resource_id(test["vm"]), resource_id(test["network"])
    return member_row(cloud, item, records.point_of(test["used"]), test_vm=vm.name, network=network.name)


def job_details(status: str, network: ResourceId, members: list[Body]) -> Body:
    """What a test's job says of itself (S23)."""
    return {
        "instanceType": "TestFailoverJobDetails",
        "affectedObjectDetails": {},
        "testFailoverStatus": status,
        "comments": "",
        "networkName": network.text,
        "networkFriendlyName": network.name,
        "networkType": "VmNetworkAsInput",
        "protectedItemDetails": members,
    }


# Cleanup. ------------------------------------------------------------------------------------------------------------


@action(ITEMS, "testFailoverCleanup")
def test_failover_cleanup(call: Call) -> Response:
    item, _, _ = enter(call, "TestFailoverCleanup")
    cloud = call.cloud
    response, job = jobs.begin(
        call,
        "testFailoverCleanup",
        scenario="TestFailoverCleanup",
        title="Test failover cleanup",
        target=jobs.item_target(cloud, item),
        takes=cloud.duration("recovery.testCleanup", item.key, cloud.count("cleanup", item.key)),
        data={"comments": call.properties().get("comments")},
    )
    jobs.start_task(cloud, job, "DeleteTestVirtualMachineTask", "Deleting the test virtual machine")
    begin_cleanup(cloud, item, job)
    return response


def begin_cleanup(cloud: Cloud, item: ResourceId, job: str) -> None:
    records.scenario(cloud, item, "TestFailoverCleanup", job)
    records.properties(
        cloud, item, testFailoverState="MarkedForDeletion", testFailoverStateDescription="Cleaning up test environment"
    )


@jobs.job_done(ITEMS, "testFailoverCleanup")
def cleaned(cloud: Cloud, operation: Operation) -> Body | None:
    clean(cloud, operation.resource_id)
    return None


def clean(cloud: Cloud, item: ResourceId) -> None:
    """The test machine is gone, and the test counts (S42). Raises `Refused`, and everything is as it was."""
    record, body = records.of(cloud, item), cloud.body(item)
    assert body is not None
    try:
        landing.must_answer(cloud, landing.target_region(body, record))
        if record["test"] is not None and record["test"]["vm"] is not None:
            landing.undo(cloud, record["test"])
    except Refused:
        records.properties(cloud, item, **_WAITING)
        records.idle(cloud, item)
        raise
    records.change(cloud, item, test=None, tested=True, phase=Phase.PROTECTED)
    records.properties(
        cloud,
        item,
        {"testFailoverRecoveryFabricObjectId": None},
        testFailoverState="None",
        testFailoverStateDescription="None",
        failoverRecoveryPointId=None,
        lastSuccessfulTestFailoverTime=stamp(cloud.now),
    )
    records.idle(cloud, item)


def _step(cloud: Cloud, item: ResourceId, name: str, after: timedelta) -> None:
    cloud.at(cloud.now + after, STEP, item.key, name)
