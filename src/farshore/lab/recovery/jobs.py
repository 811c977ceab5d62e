"""Jobs: what Site Recovery does, task by task, with times (S23, S24).

Every write to Site Recovery is a job, and the job's id is the operation's: the last part of its polling URLs (S17).
An operation says Succeeded or Failed; the job says what happened, when each task began and ended, and whether it
waits for somebody. Recovery times are read from here, never from a local clock.

A flow asks `begin` for the 202 that a client sees; while it goes on it opens and closes tasks; its `@job_done`
function runs when the operation is due, and what it raises makes both fail.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import wraps
from typing import TYPE_CHECKING, Any

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.lab import mishaps, operations
from farshore.lab.answers import Refused
from farshore.lab.call import Call
from farshore.lab.operations import EVENT, Operation
from farshore.lab.patterns import SITE_RECOVERY
from farshore.lab.recovery.names import shown_id
from farshore.lab.registry import completion
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

TABLE = "recovery.jobs"
TYPE = "Microsoft.RecoveryServices/vaults/replicationJobs"
EXPORT = "replicationJobs"
"""The verb of an export: it is asked of the vault, and its result is its job."""

Done = Callable[["Cloud", Operation], Body | None]


def begin(
    call: Call,
    verb: str,
    *,
    scenario: str,
    title: str,
    target: tuple[str, str, str],
    takes: timedelta,
    data: Any = None,
    details: Body | None = None,
) -> tuple[Response, str]:
    """The 202 with both headers and no body (S17), and the id of the job. `target` is kind, id and name; what was sent
    is kept, so that it can be asked for again (`restart`)."""
    operation = operations.start(
        call.cloud,
        call.id,
        verb,
        takes=takes,
        pattern=SITE_RECOVERY,
        type_=call.id.type,
        api_version=call.api_version,
        data={**(data or {}), "sent": call.body},
    )
    open_job(call.cloud, operation.id, call.id, scenario=scenario, title=title, target=target, details=details)
    headers = operations.headers(operation, SITE_RECOVERY.post_headers, call.base)
    return Response(status=202, headers=headers), operation.id


def open_job(
    cloud: Cloud,
    job: str,
    about: ResourceId,
    *,
    scenario: str,
    title: str,
    target: tuple[str, str, str],
    details: Body | None = None,
) -> None:
    """A job in progress."""
    kind, target_id, target_name = target
    vault = about.top
    cloud.table(TABLE)[job] = {
        "id": shown_id(vault.child("replicationJobs", job)),
        "name": job,
        "type": TYPE,
        "properties": {
            "activityId": f"{cloud.guid('activity', job)} ActivityId: {cloud.guid('activity', job, 2)}",
            "scenarioName": scenario,
            "friendlyName": title,
            "state": "InProgress",
            "stateDescription": "InProgress",
            "tasks": [],
            "errors": [],
            "startTime": stamp(cloud.now),
            "endTime": None,
            "allowedActions": [],
            "targetObjectId": target_id,
            "targetObjectName": target_name,
            "targetInstanceType": kind,
            "customDetails": details or {"instanceType": "AsrJobDetails", "affectedObjectDetails": {}},
        },
    }


def get(cloud: Cloud, job: str) -> Body | None:
    found: Body | None = cloud.table(TABLE).get(job)
    return found


def change(cloud: Cloud, job: str, **properties: Any) -> None:
    row = cloud.table(TABLE)[job]
    cloud.table(TABLE)[job] = {**row, "properties": {**row["properties"], **properties}}


def start_task(cloud: Cloud, job: str, name: str, title: str, details: Body | None = None, *, about: str = "") -> None:
    """Open a task; the one before it, of the same machine (`about`), is closed."""
    end_task(cloud, job, about=about)
    tasks = [*cloud.table(TABLE)[job]["properties"]["tasks"]]
    tasks.append(
        {
            "taskId": f"{name}/{about}" if about else name,
            "name": name,
            "startTime": stamp(cloud.now),
            "endTime": None,
            "allowedActions": [],
            "friendlyName": title,
            "state": "InProgress",
            "stateDescription": "InProgress",
            "taskType": "TaskDetails",
            "customDetails": details or {"instanceType": "TaskDetails"},
            "groupTaskCustomDetails": None,
            "errors": [],
        }
    )
    change(cloud, job, tasks=tasks)


def end_task(
    cloud: Cloud, job: str, state: str = "Succeeded", description: str = "Completed", *, about: str | None = None
) -> None:
    """Close the open task of a machine, or all that are open."""
    tasks = cloud.table(TABLE)[job]["properties"]["tasks"]
    ended = [
        _ended(task, stamp(cloud.now), state, description)
        if task["endTime"] is None and (about is None or task["taskId"].partition("/")[2] == about)
        else task
        for task in tasks
    ]
    change(cloud, job, tasks=ended)


def end_job(cloud: Cloud, job: str, refused: Refused | None = None, description: str = "Completed") -> None:
    """The job is over; with `refused` it has failed, and says why as the service does."""
    if refused is None:
        end_task(cloud, job)
        state = {"state": "Succeeded", "stateDescription": description, "allowedActions": []}
        change(cloud, job, **state, endTime=stamp(cloud.now))
        return
    end_task(cloud, job, "Failed", "Failed")
    tasks = cloud.table(TABLE)[job]["properties"]["tasks"]
    error = {
        "serviceErrorDetails": {
            "code": refused.code,
            "message": refused.message,
            "possibleCauses": refused.target or "",
            "recommendedAction": "",
            "activityId": cloud.guid("activity", job),
        },
        "providerErrorDetails": None,
        "errorLevel": "Error",
        "creationTime": stamp(cloud.now),
        "taskId": tasks[-1]["taskId"] if tasks else None,
    }
    errors = [*cloud.table(TABLE)[job]["properties"]["errors"], error]
    state = {"state": "Failed", "stateDescription": "Failed", "allowedActions": ["Restart"]}
    change(cloud, job, **state, errors=errors, endTime=stamp(cloud.now))
    operation = operations.find(cloud, job)
    if operation is not None:
        cloud.tell("recovery.jobFailed", job, {"about": operation.resource})


def job_done(type_: str, verb: str) -> Callable[[Done], Done]:
    """Registers what finishes an operation of Site Recovery; the job ends as it does."""

    def register(function: Done) -> Done:
        @wraps(function)
        def finish(cloud: Cloud, operation: Operation) -> Body | None:
            try:
                result = function(cloud, operation)
            except Refused as refused:
                if not _has_ended(cloud, operation.id):
                    end_job(cloud, operation.id, refused)
                raise
            if not _has_ended(cloud, operation.id):
                end_job(cloud, operation.id)
            return _shown(cloud, operation) if result is None else result

        completion(type_, verb)(finish)
        return finish

    return register


def _shown(cloud: Cloud, operation: Operation) -> Body | None:
    """What the result's place answers (Azure's description of each verb): the object that the verb was about, or the
    job; nothing where there is none."""
    about = operation.resource_id
    if about.is_a(TYPE):
        return get(cloud, about.name)
    return get(cloud, operation.id) if operation.verb == EXPORT else cloud.show(about)


def _has_ended(cloud: Cloud, job: str) -> bool:
    """Whether somebody has said already how it ended: a job that was cancelled has not failed."""
    row = get(cloud, job)
    return row is None or row["properties"]["endTime"] is not None


def finish_now(cloud: Cloud, job: str) -> None:
    """The operation is over before it was due."""
    operation = operations.find(cloud, job)
    if operation is not None and operation.running:
        cloud.cancel(EVENT, job)
        operations.finish(cloud, operation)


def fail_now(cloud: Cloud, job: str, refused: Refused) -> None:
    """The operation has failed before it was due: a step on its way found that it can't be done."""
    operation = operations.find(cloud, job)
    if operation is not None and operation.running:
        operations.keep(cloud, _with_refusal(operation, refused))
        finish_now(cloud, job)


def must_succeed(cloud: Cloud, job: str) -> None:
    """Raise the `Refused` with which the lab was told to let this job fail (`lab/mishaps.py`)."""
    operation = operations.find(cloud, job)
    if operation is not None:
        mishaps.must_succeed(cloud, operation)


def refusal_of(operation: Operation) -> Refused | None:
    """What a step on the way left behind (`fail_now`)."""
    found = (operation.data or {}).get("refused") if isinstance(operation.data, dict) else None
    return None if found is None else Refused(found["status"], found["code"], found["message"])


def _with_refusal(operation: Operation, refused: Refused) -> Operation:
    data = {**(operation.data or {})}
    data["refused"] = {"status": refused.status, "code": refused.code, "message": refused.message}
    return replace(operation, data=data)


def _ended(task: Body, now: str, state: str, description: str) -> Body:
    return {**task, "endTime": now, "state": state, "stateDescription": description}


def item_target(cloud: Cloud, item: ResourceId) -> tuple[str, str, str]:
    """Whom a job about a protected item is about."""
    body = cloud.body(item) or {}
    name = (body.get("properties") or {}).get("friendlyName") or item.name
    return "Vm", entity_id(cloud, item), str(name)


def entity_id(cloud: Cloud, item: ResourceId) -> str:
    """Site Recovery's own id of a protected machine: plans and health errors use it (recorded)."""
    return cloud.guid("entity", item.key)
