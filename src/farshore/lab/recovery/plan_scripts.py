"""A plan's script actions: a runbook of an Automation account, started, waited for, and heard out (S54, S55).

The runbook gets one parameter, `RecoveryPlanContext`, an object as JSON. `VmMap` has the group's machines by the
service's own ids; before a group has started nobody knows where they will be, so an action at its start sees empty
fields (S55). `fabricLocation` says whose side the script is on; the account is the same.

What a plan does when a runbook fails is not documented (S56, unmeasured). The lab treats it as a machine that fails:
the plan goes on, because machines that don't start help nobody, and its job has failed when all is done.

A `timeout` (seconds, or hh:mm:ss; an hour without one) counts on the lab's clock while the job waits to begin, and on
the wall's for the program itself (`lab/programs.py`). In a lab that runs no programs a job never begins, so the action
fails when it is over, and says why. An action that names no runbook the lab has fails at once; a path instead of one
(`ScriptActionDetails`) is of a site's own server, which the lab has not.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body, dumps
from farshore.errors import InputError
from farshore.lab.answers import Refused
from farshore.lab.automation import queue
from farshore.lab.automation.runbooks import RUNBOOKS
from farshore.lab.recovery import failover, jobs, records
from farshore.lab.recovery.records import Record
from farshore.lab.registry import event, listener

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

SCRIPTS = "recovery.scripts"
"""Key of an Automation job -> the plan's job that waits for it."""
TIMEOUT = "recovery.scriptTimeout"
USUAL = timedelta(hours=1)
"""How long a plan waits for a runbook that says no timeout: the lab's choice (S56)."""
KINDS = {"TestFailover": "Test", "UnplannedFailover": "Unplanned", "PlannedFailover": "Planned"}
DIRECTIONS = {"PrimaryToRecovery": "PrimaryToSecondary", "RecoveryToPrimary": "SecondaryToPrimary"}
MOST_OUTPUT = 1 << 16
"""Characters of a runbook's output that the plan's task shows."""
_HOURS = re.compile(r"(\d{1,3}):(\d{2}):(\d{2})")


def start(cloud: Cloud, job: str, run: Record, step: Record) -> None:
    """Begin a step's script; `recovery.script` is told when it is over."""
    name, details = str(step["name"]), step["details"]
    task: Body = {
        "instanceType": "AutomationRunbookTaskDetails",
        "name": name,
        "cloudServiceName": None,
        "subscriptionId": None,
        "accountName": None,
        "runbookId": details.get("runbookId"),
        "runbookName": None,
        "jobId": None,
        "jobOutput": "",
        "isPrimarySideScript": details.get("fabricLocation") == "Primary",
    }
    jobs.start_task(cloud, job, name, f"Script: {name}", task)
    try:
        runbook, account = _runbook(cloud, details)
        made = account.child("jobs", cloud.guid("script", job, cloud.count("script", job)))
        timeout = _timeout(details)
        queue.create(
            cloud,
            made,
            runbook.name,
            {"RecoveryPlanContext": dumps(context(cloud, run, step.get("about") or {})).decode()},
            started_by="Azure Site Recovery",
            limit_seconds=timeout.total_seconds(),
        )
    except Refused as refused:
        _over(cloud, job, refused)
        return
    named = {"subscriptionId": account.subscription, "accountName": account.name, "runbookName": runbook.name}
    _tell(cloud, job, {**named, "jobId": made.name})
    cloud.table(SCRIPTS)[made.key] = job
    cloud.at(cloud.now + timeout, TIMEOUT, made.key, None)


def context(cloud: Cloud, run: Record, about: Record) -> Body:
    """`RecoveryPlanContext` (S55)."""
    machines = {}
    for key in about.get("items") or []:
        body = cloud.body(key)
        if body is not None:
            item = resource_id(str(body["id"]))
            machines[jobs.entity_id(cloud, item)] = _machine(cloud, item, run["kind"], bool(about.get("after")))
    return {
        "RecoveryPlanName": resource_id(run["plan"]).name,
        "FailoverType": KINDS[run["kind"]],
        "FailoverDirection": DIRECTIONS.get(run["direction"], run["direction"]),
        "GroupId": about.get("group", ""),
        "VmMap": machines,
    }


@listener("automation.ended")
def ended(cloud: Cloud, subject: str, data: Any) -> None:
    job = cloud.table(SCRIPTS).pop(subject, None)
    if job is None or jobs.get(cloud, job) is None:
        return
    cloud.cancel(TIMEOUT, subject)
    rows = [row["text"] for row in queue.streams_of(cloud, subject) if row["type"] == "Output"]
    _tell(cloud, job, {"jobOutput": "\n".join(rows)[:MOST_OUTPUT]})
    if data["status"] == "Completed":
        _over(cloud, job, None)
        return
    name = resource_id(subject).name
    why = data["exception"] or f"it was {data['status'].lower()}"
    _over(cloud, job, Refused(409, "RunbookFailed", f"The runbook's job {name} has not completed: {why}"))


@event(TIMEOUT)
def too_late(cloud: Cloud, subject: str, data: Any) -> None:
    """One that has begun is ended by whoever runs it."""
    job, body = cloud.table(SCRIPTS).get(subject), cloud.body(subject)
    if job is None or body is None or subject in cloud.table(queue.RUNNING):
        return
    if queue.attended(cloud) and subject in cloud.table(queue.WAITING):
        # It is about to begin: the lab's clock has only been turned so far that there was no moment for it.
        cloud.at(cloud.now + USUAL, TIMEOUT, subject, None)
        return
    said = body["properties"]["statusDetails"]
    cloud.table(SCRIPTS).pop(subject)
    queue.stop(cloud, subject)
    why = f"The runbook's job {body['name']} has not begun in time."
    _over(cloud, job, Refused(409, "RunbookTimedOut", why if said == "None" else f"{why} {said}"))


@listener("resource.gone")
def job_has_gone(cloud: Cloud, subject: str, data: Any) -> None:
    job = cloud.table(SCRIPTS).pop(subject, None) if "/jobs/" in subject else None
    if job is not None and jobs.get(cloud, job) is not None:
        cloud.cancel(TIMEOUT, subject)
        _over(cloud, job, Refused(409, "RunbookFailed", "The automation account was deleted while the plan waited."))


def _runbook(cloud: Cloud, details: Body) -> tuple[ResourceId, ResourceId]:
    """The runbook that an action names, and its account."""
    said = details.get("runbookId")
    try:
        id_ = resource_id(str(said))
    except InputError:
        id_ = None
    if id_ is None or not id_.is_a(RUNBOOKS) or id_.parent is None:
        raise Refused(400, "RunbookNotFound", f"The action's runbookId is no runbook of an account: {said}")
    body = cloud.body(id_)
    if body is None:
        raise Refused(404, "RunbookNotFound", f"The lab has no runbook {id_.text}; nothing was run.")
    id_ = resource_id(str(body["id"]))
    assert id_.parent is not None
    return id_, id_.parent


def _machine(cloud: Cloud, item: ResourceId, kind: str, after: bool) -> Body:
    """What a runbook is told of one machine: after its group has started, where it is now."""
    empty = {
        "SubscriptionId": "",
        "ResourceGroupName": "",
        "CloudServiceName": "",
        "RoleName": "",
        "RecoveryPointId": "",
    }
    record = records.get(cloud, item.key) if after else None
    if record is None:
        return empty
    test = kind == "TestFailover"
    made = record["test"] if test else record["landed"]
    if not made or not made.get("vm"):
        return empty
    vm = resource_id(made["vm"])
    used = (made if test else record["failover"] or {}).get("used") or {}
    return {
        "SubscriptionId": vm.subscription,
        "ResourceGroupName": vm.resource_group,
        "CloudServiceName": vm.resource_group,
        "RoleName": vm.name,
        "RecoveryPointId": used.get("name", ""),
    }


def _timeout(details: Body) -> timedelta:
    said = str(details.get("timeout") or "")
    if said.isdecimal() and 0 < int(said) <= 86_400:
        return timedelta(seconds=int(said))
    if (found := _HOURS.fullmatch(said)) is not None:
        hours, minutes, seconds = map(int, found.groups())
        return timedelta(hours=hours, minutes=minutes, seconds=seconds) or USUAL
    return USUAL


def _tell(cloud: Cloud, job: str, changed: Body) -> None:
    """More of the script's task, the last that was begun."""
    row = jobs.get(cloud, job)
    assert row is not None
    *before, task = row["properties"]["tasks"]
    jobs.change(cloud, job, tasks=[*before, {**task, "customDetails": {**task["customDetails"], **changed}}])


def _over(cloud: Cloud, job: str, refused: Refused | None) -> None:
    if refused is None:
        jobs.end_task(cloud, job)
    else:
        jobs.end_task(cloud, job, "Failed", "Failed")
    cloud.tell("recovery.script", job, None if refused is None else failover.row_of(refused))
