"""replicationJobs: read, waited for, resumed, cancelled, restarted, exported (S8, S23).

GET  .../replicationJobs[?$filter=...]     the vault's jobs, without their tasks (recorded); `$filter` joins
                                           `name eq 'value'` and `startTime ge 'time'` by `and`, over
                                           scenarioName, state, stateDescription, targetObjectId, targetObjectName,
                                           targetInstanceType, startTime, endTime
GET  .../replicationJobs/{j}               one job with its tasks
POST .../replicationJobs/{j}/resume        a recovery plan that waits for a person goes on (S54)
POST .../replicationJobs/{j}/cancel        a plan that waits is given up; nothing else can be cancelled
POST .../replicationJobs/{j}/restart       the same again, of any job that failed
POST .../replicationJobs/export
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from farshore.arm.http import Request, Response
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.lab import operations, registry
from farshore.lab.answers import Refused, child_not_found, not_implemented
from farshore.lab.call import Call
from farshore.lab.paging import page
from farshore.lab.recovery import filters, jobs
from farshore.lab.recovery.names import VAULTS
from farshore.lab.recovery.objects import Shown
from farshore.lab.registry import action, resource_type, view

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

RESTART = "RestartJob"
UNDER_WAY = "0001-01-01T00:00:00"
WRITES = ("put", "patch", "delete")
_NAMES = {"jobstatus": "state", "jobname": "scenarioname", "affectedobjecttypes": "targetinstancetype"}


@resource_type(jobs.TYPE)
class Jobs(Shown):
    noun = "job"
    kind = "Job"

    def get(self, call: Call) -> Response:
        return Response(status=200, body=_shown(_one(call)))


@view(VAULTS, "replicationJobs")
def listed(call: Call) -> Response:
    """All jobs of the vault, newest first; tasks and details are only in the job itself (recorded)."""
    call.must_exist()
    prefix = call.id.key + "/"
    tests = filters.tests(call.query.get("$filter", ""), _NAMES)
    rows = [row for row in call.cloud.table(jobs.TABLE).values() if row["id"].lower().startswith(prefix)]
    newest = sorted(rows, key=lambda row: str(row["properties"]["startTime"]), reverse=True)
    return page(call, [_shown(_short(row)) for row in newest if all(test(row) for test in tests)])


@action(jobs.TYPE, "resume")
def resume(call: Call) -> Response:
    row = _one(call)
    if row["properties"]["state"] != "Suspended":
        raise Refused(
            409, "OperationNotAllowed", f"Job {row['name']} does not wait: it is {row['properties']['state']}."
        )
    response = _handling(call, row, "ResumeJob", "Resume job")
    call.cloud.tell("recovery.resumed", str(row["name"]), {"comments": call.properties().get("comments")})
    return response


@action(jobs.TYPE, "cancel")
def cancel(call: Call) -> Response:
    row = _one(call)
    if "Cancel" not in row["properties"]["allowedActions"]:
        raise Refused(409, "OperationNotAllowed", f"Job {row['name']} can't be cancelled.")
    response = _handling(call, row, "CancelJob", "Cancel job")
    call.cloud.tell("recovery.cancelled", str(row["name"]))
    return response


@action(jobs.TYPE, "restart")
def restart(call: Call) -> Response:
    """What failed is asked for again, as it was asked for; it must be allowed now. What is asked for is a job of its
    own, beside the one that restarts (Azure's description: scenario `RestartJob`)."""
    row = _one(call)
    operation = operations.find(call.cloud, str(row["name"]))
    if "Restart" not in row["properties"]["allowedActions"] or operation is None:
        raise Refused(409, "OperationNotAllowed", f"Job {row['name']} can't be restarted.")
    about, asked = call.id, call.request
    call.id, verb = operation.resource_id, operation.verb.lower()
    method = verb.upper() if verb in WRITES else "POST"
    sent = (operation.data or {}).get("sent")
    call.request = Request(method=method, url=asked.url, body=sent, headers=asked.headers)
    if method == "POST":
        registry.ACTIONS[(operation.type.lower(), verb)](call)
    else:
        getattr(call.cloud.type_of(call.id), verb)(call)
    call.id, call.request = about, asked
    return _handling(call, row, RESTART, "Restart job")


@action(VAULTS, jobs.EXPORT)
def export(call: Call) -> Response:
    if (call.argument or "").lower() != "export":
        raise not_implemented(f"POST replicationJobs/{call.argument or ''}")
    call.must_exist()
    target = ("Vault", call.cloud.guid("entity", call.id.key), "")
    response, _ = jobs.begin(
        call,
        jobs.EXPORT,
        scenario="ExportJobs",
        title="Export jobs",
        target=target,
        takes=call.cloud.duration("recovery.quick", call.id.key, call.cloud.count("export", call.id.key)),
    )
    return response


@jobs.job_done(VAULTS, jobs.EXPORT)
def exported(cloud: Cloud, operation: Operation) -> Body | None:
    """Where Azure puts a sheet for the portal to fetch; the lab makes none, and names no place for it."""
    details: Body = {"instanceType": "ExportJobDetails", "affectedObjectDetails": {}, "blobUri": None, "sasToken": None}
    jobs.change(cloud, operation.id, customDetails=details)
    return None


def _handling(call: Call, row: Body, scenario: str, title: str) -> Response:
    """What is done to a job is a job itself."""
    response, job = jobs.begin(
        call,
        scenario,
        scenario=scenario,
        title=title,
        target=("Job", str(row["name"]), str(row["name"])),
        takes=call.cloud.duration("recovery.quick", call.id.key, call.cloud.count("job", call.id.key)),
    )
    jobs.start_task(call.cloud, job, f"{scenario}Task", title)
    return response


@jobs.job_done(jobs.TYPE, "ResumeJob")
def resumed(cloud: Cloud, operation: Operation) -> Body | None:
    return None


@jobs.job_done(jobs.TYPE, "CancelJob")
def cancelled(cloud: Cloud, operation: Operation) -> Body | None:
    return None


@jobs.job_done(jobs.TYPE, RESTART)
def restarted(cloud: Cloud, operation: Operation) -> Body | None:
    """The job that restarted the other."""
    jobs.end_job(cloud, operation.id)
    return jobs.get(cloud, operation.id)


def _one(call: Call) -> Body:
    row = jobs.get(call.cloud, call.id.name)
    if row is None or not row["id"].lower().startswith(_vault(call).key):
        raise child_not_found(call.id)
    return row


def _vault(call: Call) -> ResourceId:
    return call.id.top


def _shown(row: Body) -> Body:
    """Recorded: a job under way has no `endTime`, and a task under way ends at the beginning of time."""
    properties = row["properties"]
    tasks = [{**task, "endTime": task["endTime"] or UNDER_WAY} for task in properties["tasks"]]
    kept = {key: item for key, item in properties.items() if key != "endTime" or item is not None}
    return {**row, "properties": {**kept, "tasks": tasks}}


def _short(row: Body) -> Body:
    return {**row, "properties": {**row["properties"], "activityId": None, "tasks": [], "customDetails": None}}
