"""A recovery plan at work (S53, S54).

    start actions of Shutdown and Failover
    all machines: fail over in parallel, each by itself (`failover.py`, `testing.py`), and stop before they start
    for each Boot group in order:  its start actions, its machines start in parallel, its end actions

An action runs if it names this kind of failover and this direction. A manual action suspends the job until somebody
resumes it; a runbook is a job of its account that the plan waits for (`plan_scripts.py`). A machine or a runbook that
fails makes the job fail when all others are done; they go on. So does one that has been taken further by itself, or
whose protection was disabled, while the plan waited. A plan that is given up starts what it has made.

Commit and cleanup of a plan do all its machines within one job.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab import operations
from farshore.lab.answers import Refused, bad_request
from farshore.lab.call import Call
from farshore.lab.durations import NEVER
from farshore.lab.recovery import committing, failover, jobs, one_job, plan_scripts, records, shipping, testing
from farshore.lab.recovery.names import PLANS
from farshore.lab.recovery.objects import must_be_ours, objects
from farshore.lab.recovery.records import Record
from farshore.lab.recovery.states import Phase, require
from farshore.lab.registry import action, event, listener
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

TABLE = "recovery.plans"
NEXT = "recovery.plan"
POINTS = {
    "Latest": None,
    "LatestProcessed": "LatestProcessed",
    "LatestCrashConsistent": "LatestCrashConsistent",
    "LatestApplicationConsistent": "LatestApplicationConsistent",
}


def members(plan: Body) -> list[str]:
    """The keys of a plan's items, in the order of its groups."""
    groups = plan["properties"]["groups"]
    return [str(entry["id"]).lower() for group in groups for entry in group["replicationProtectedItems"]]


@action(PLANS, "unplannedFailover")
def unplanned_failover(call: Call) -> Response:
    sent = call.properties()
    shutdown = str(sent.get("sourceSiteOperations") or "NotRequired").lower() == "required"
    given = _ours(objects(sent.get("providerSpecificDetails"), "providerSpecificDetails"))
    kind = str(given.get("recoveryPointType") or "Latest")
    if kind not in POINTS:
        raise bad_request("InvalidParameter", f"recoveryPointType {kind} is none of {', '.join(POINTS)} (S16).")
    options = {"shutdown": shutdown, "point": POINTS[kind]}
    return _start(call, "UnplannedFailover", str(sent.get("failoverDirection") or ""), options)


def _ours(details: list[Body]) -> Body:
    """A plan is told of each of its providers; what is for others only is none of this lab's."""
    found = next((each for each in details if each.get("instanceType") in (None, "A2A")), None)
    if found is None and details:
        must_be_ours(details[0])
    return found or {}


@action(PLANS, "testFailover")
def test_failover(call: Call) -> Response:
    sent = call.properties()
    network = testing.network_of(call.cloud, sent)
    options = {"network": network.text, "point": None}
    return _start(call, "TestFailover", str(sent.get("failoverDirection") or "PrimaryToRecovery"), options)


@action(PLANS, "failoverCommit")
def failover_commit(call: Call) -> Response:
    return _at_once(call, "failoverCommit", "Commit", "CommitFailover", "recovery.commit")


@action(PLANS, "testFailoverCleanup")
def test_failover_cleanup(call: Call) -> Response:
    return _at_once(call, "testFailoverCleanup", "TestFailoverCleanup", "TestFailoverCleanup", "recovery.testCleanup")


def _start(call: Call, kind: str, direction: str, options: Record) -> Response:
    cloud, plan, items = _enter(call, kind)
    for item in items:
        failover.check_direction(records.of(cloud, item), direction)
        if options["point"] is not None:
            shipping.find(cloud, item, options["point"])
    verb = kind[:1].lower() + kind[1:]
    details = failover.job_details([])
    if kind == "TestFailover":
        details = testing.job_details("InProgress", resource_id(options["network"]), [])
    response, job = jobs.begin(
        call,
        verb,
        scenario=kind,
        title="Failover" if kind == "UnplannedFailover" else "Test failover",
        target=_target(cloud, call.id),
        takes=NEVER,
        data={"plan": call.id.text},
        details=details,
    )
    run = {
        "plan": call.id.text,
        "kind": kind,
        "direction": direction,
        "options": options,
        "steps": _steps(plan, kind, direction),
        "waiting_for": [],
        "refused": None,
        "items": [item.text for item in items],
    }
    cloud.table(TABLE)[job] = run
    _current(cloud, call.id, kind, job, "InProgress")
    cloud.hold(call.id, job)
    cloud.at(cloud.now, NEXT, job, None)
    return response


def _steps(plan: Body, kind: str, direction: str) -> list[Record]:
    """What a run does, in order."""
    steps: list[Record] = []
    groups = plan["properties"]["groups"]
    before = [group for group in groups if group["groupType"] != "Boot"]
    boot = [group for group in groups if group["groupType"] == "Boot"]
    for group in before:
        steps += _actions(group, str(group["groupType"]), "startGroupActions", kind, direction)
    steps.append({"do": "failover"})
    for group in before:
        steps += _actions(group, str(group["groupType"]), "endGroupActions", kind, direction)
    for number, group in enumerate(boot, 1):
        steps += _actions(group, str(number), "startGroupActions", kind, direction)
        members_ = [str(entry["id"]).lower() for entry in group["replicationProtectedItems"]]
        steps.append({"do": "boot", "group": number, "items": members_})
        steps += _actions(group, str(number), "endGroupActions", kind, direction)
    return steps


def _actions(group: Body, number: str, where: str, kind: str, direction: str) -> list[Record]:
    found = []
    about = {
        "group": number,
        "items": [str(entry["id"]).lower() for entry in group["replicationProtectedItems"]],
        "after": where == "endGroupActions",
    }
    for item in group[where]:
        if kind in (item.get("failoverTypes") or []) and direction in (item.get("failoverDirections") or []):
            details = item.get("customDetails") or {}
            found.append({"do": "action", "name": item.get("actionName"), "details": details, "about": about})
    return found


@event(NEXT)
def next_step(cloud: Cloud, subject: str, data: Any) -> None:
    """Begin the next step of a run, or end it."""
    run: Record | None = cloud.table(TABLE).get(subject)
    if run is None:
        return
    if not run["steps"]:
        _end(cloud, subject, run)
        return
    step, rest = run["steps"][0], run["steps"][1:]
    cloud.table(TABLE)[subject] = run = {**run, "steps": rest}
    {"action": _act, "failover": _fail_over, "boot": _boot}[step["do"]](cloud, subject, run, step)


def _act(cloud: Cloud, job: str, run: Record, step: Record) -> None:
    kind = str(step["details"].get("instanceType"))
    name = str(step["name"])
    if kind == "ManualActionDetails":
        what = {"instanceType": "ManualActionTaskDetails", "description": step["details"].get("description")}
        jobs.start_task(cloud, job, name, f"Manual action: {name}", what)
        jobs.change(cloud, job, state="Suspended", stateDescription="Suspended", allowedActions=["Resume", "Cancel"])
        _current(cloud, resource_id(run["plan"]), run["kind"], job, "Suspended")
        return
    plan_scripts.start(cloud, job, run, step)


@listener("recovery.script")
def script_is_over(cloud: Cloud, subject: str, data: Any) -> None:
    """A run's runbook has ended, well or not; `data` is the refusal of one that failed."""
    run: Record | None = cloud.table(TABLE).get(subject)
    if run is not None:
        cloud.table(TABLE)[subject] = {**run, "refused": run["refused"] or data}
        cloud.at(cloud.now, NEXT, subject, None)


@listener("recovery.resumed")
def resumed(cloud: Cloud, subject: str, data: Any) -> None:
    if (run := cloud.table(TABLE).get(subject)) is None:
        return
    jobs.end_task(cloud, subject)
    jobs.change(cloud, subject, state="InProgress", stateDescription="InProgress", allowedActions=[])
    _current(cloud, resource_id(run["plan"]), run["kind"], subject, "InProgress")
    cloud.at(cloud.now + timedelta(seconds=2), NEXT, subject, None)


@listener("recovery.cancelled")
def cancelled(cloud: Cloud, subject: str, data: Any) -> None:
    """A waiting plan is given up; machines that have been failed over stay so."""
    run = cloud.table(TABLE).get(subject)
    if run is not None:
        _end(cloud, subject, {**run, "steps": [], "cancelled": True})
        for text in run["items"]:
            if _is_made(cloud, text, run["kind"], subject):
                _start_machine(cloud, text, run["kind"])


def _fail_over(cloud: Cloud, job: str, run: Record, step: Record) -> None:
    options = run["options"]
    ready, refused = [], run["refused"]
    for text in run["items"]:
        try:
            ready.append(_member(cloud, text, run["kind"]))
        except Refused as why:
            refused = refused or failover.row_of(why)
    cloud.table(TABLE)[job] = {**run, "waiting_for": [item.key for item in ready], "refused": refused}
    for item in ready:
        if run["kind"] == "TestFailover":
            testing.start(cloud, item, job, None, resource_id(options["network"]), hold=True)
        else:
            failover.start(cloud, item, job, options["point"], options["shutdown"], hold=True)
    if not ready:
        cloud.at(cloud.now, NEXT, job, None)


def _boot(cloud: Cloud, job: str, run: Record, step: Record) -> None:
    ready = [key for key in step["items"] if _is_made(cloud, key, run["kind"], job)]
    cloud.table(TABLE)[job] = {**run, "waiting_for": ready}
    for key in ready:
        _start_machine(cloud, key, run["kind"])
    if not ready:
        cloud.at(cloud.now, NEXT, job, None)


def _start_machine(cloud: Cloud, key: str, kind: str) -> None:
    body = cloud.body(key) or {}
    (testing if kind == "TestFailover" else failover).boot(cloud, resource_id(str(body["id"])))


@listener("recovery.member")
def member_is_ready(cloud: Cloud, subject: str, data: Any) -> None:
    """A machine of a run has been made, has started, or has failed."""
    run: Record | None = cloud.table(TABLE).get(subject)
    if run is None:
        return
    cloud.table(TABLE)[subject] = run = one_job.heard(run, data)
    if not data.get("made") and not data.get("refused"):
        one_job.tell_of(cloud, subject, resource_id(data["item"]), test=run["kind"] == "TestFailover")
    if not run["waiting_for"]:
        cloud.at(cloud.now, NEXT, subject, None)


def _is_made(cloud: Cloud, key: str, kind: str, job: str) -> bool:
    """Whether this run has made a member's machine, and has not started it."""
    record = records.get(cloud, key)
    if record is None:
        return False
    if kind == "TestFailover":
        test = record["test"]
        pending = records.phase_of(record) == Phase.TEST_PENDING
        return test is not None and test["job"] == job and test["vm"] is not None and not pending
    ours = record["failover"] is not None and record["failover"]["job"] == job
    return ours and records.phase_of(record) == Phase.FAILING_OVER and record["landed"] is not None


def _end(cloud: Cloud, job: str, run: Record) -> None:
    plan = resource_id(run["plan"])
    del cloud.table(TABLE)[job]
    cloud.let_go(plan)
    if run.get("cancelled"):
        jobs.end_task(cloud, job, "Cancelled", "Cancelled")
        jobs.change(
            cloud, job, state="Cancelled", stateDescription="Cancelled", endTime=stamp(cloud.now), allowedActions=[]
        )
        _current(cloud, plan, run["kind"], job, "Cancelled")
        jobs.fail_now(cloud, job, Refused(409, "JobCancelled", "The job was cancelled."))
        return
    _current(cloud, plan, run["kind"], job, "Failed" if run["refused"] else "Succeeded")
    if run["refused"]:
        jobs.fail_now(cloud, job, Refused(**run["refused"]))
    else:
        jobs.finish_now(cloud, job)


jobs.job_done(PLANS, "unplannedFailover")(one_job.done)
jobs.job_done(PLANS, "testFailover")(one_job.done)


def _at_once(call: Call, verb: str, allowed: str, scenario: str, takes: str) -> Response:
    """A verb that does all the plan's machines in one job."""
    cloud, _, items = _enter(call, allowed)
    response, job = jobs.begin(
        call,
        verb,
        scenario=scenario,
        title="Commit" if allowed == "Commit" else "Test failover cleanup",
        target=_target(cloud, call.id),
        takes=cloud.duration(takes, call.id.key, cloud.count("attempt", call.id.key, verb)),
        data={"items": [item.text for item in items]},
    )
    jobs.start_task(cloud, job, f"{scenario}Task", "Commit" if allowed == "Commit" else "Clean up test environment")
    for item in items:
        if allowed == "Commit":
            records.scenario(cloud, item, scenario, job)
            records.change(cloud, item, phase=Phase.COMMITTING)
        else:
            testing.begin_cleanup(cloud, item, job)
    return response


@jobs.job_done(PLANS, "failoverCommit")
def committed(cloud: Cloud, operation: Operation) -> Body | None:
    _each(cloud, operation, committing.commit)
    return None


@jobs.job_done(PLANS, "testFailoverCleanup")
def cleaned(cloud: Cloud, operation: Operation) -> Body | None:
    _each(cloud, operation, testing.clean)
    return None


def _each(cloud: Cloud, operation: Operation, do: Callable[[Cloud, ResourceId], None]) -> None:
    refused = one_job.each(cloud, map(resource_id, operation.data["items"]), do)
    if refused is not None:
        raise refused


def _enter(call: Call, allowed: str) -> tuple[Cloud, Body, list[ResourceId]]:
    """The plan and its items, each of which must allow the operation."""
    cloud, body = call.cloud, call.must_exist()
    call.id = resource_id(str(body["id"]))
    if operations.busy(cloud, call.id) is not None:
        raise Refused(409, "OperationNotAllowed", f"A job is in progress on the recovery plan {call.id.name}.")
    return cloud, body, [_member(cloud, key, allowed) for key in members(body)]


def _member(cloud: Cloud, key: str, allowed: str) -> ResourceId:
    """A plan's item, if it is there and allows the operation."""
    shown = cloud.body(key)
    if shown is None:
        raise Refused(409, "ProtectedItemNotFound", f"The plan's item {key} is not there any more.")
    item = resource_id(str(shown["id"]))
    busy = operations.busy(cloud, item) is not None
    phase = records.phase_of(records.of(cloud, item))
    require(phase, allowed, str(shown["properties"]["friendlyName"]), busy)
    return item


def _current(cloud: Cloud, plan: ResourceId, kind: str, job: str, status: str) -> None:
    body = cloud.body(plan)
    if body is None:
        return
    row = jobs.get(cloud, job)
    assert row is not None
    scenario = {"scenarioName": kind, "jobId": row["id"], "startTime": row["properties"]["startTime"]}
    changed = {
        "currentScenario": scenario,
        "currentScenarioStatus": status,
        "currentScenarioStatusDescription": "Completed" if status == "Succeeded" else status,
    }
    cloud.write(plan, {**body, "properties": {**body["properties"], **changed}}, forwards=False)


def _target(cloud: Cloud, plan: ResourceId) -> tuple[str, str, str]:
    return "RecoveryPlan", cloud.guid("entity", plan.key), plan.name
