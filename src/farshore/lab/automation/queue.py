"""The life of a job, and what runs it.

    New ─► Activating ─► Running ─► Completed or Failed
      └────────┴─ suspend ─► Suspended ─ resume ─┘      stop: Stopped (a program that runs is Stopping until it ended)

The cloud computes and runs no programs. A job whose time has come lies in `WAITING` as Activating and says in its
`statusDetails` what it waits for; whoever drives the lab and may run programs (`lab/programs.py`) takes it from there:

    while (program := take(cloud)) is not None:   # Running from now on
        ...                                       # told(cloud, key, "Output", line)...
    ended(cloud, program.job, 0)                  # its exit status; or `ended(cloud, key, None, "why it has none")`

and looks at `wanted(cloud, key)` from time to time. Each of these is a change of the state like a request: who calls
turns the clock before and commits after. Whoever does so for as long as a lab is served says it first (`attend`). A
job that was Running when a lab is opened runs nowhere any more (`abandon`), and is Failed.

Runbooks of other languages than Python 3 fail at once, and say why. What else a job says when it is over, others hear
as `automation.ended` (a recovery plan waits for it).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body, Json
from farshore.lab.answers import Refused
from farshore.lab.automation.accounts import principal_of
from farshore.lab.automation.asset import ACCOUNTS
from farshore.lab.automation.runbooks import JOB_COUNTS, is_elsewhere, is_python, published_text
from farshore.lab.automation.variables import for_runbooks
from farshore.lab.registry import event, listener
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

JOBS = f"{ACCOUNTS}/jobs"
BEGIN = "automation.job"
BEGIN_TAKES = "automation.begin"
WAITING = "automation.waiting"
RUNNING = "automation.running"
ATTENDED = "automation.attended"
"""Holds a row while somebody is there who runs programs."""
LIMITS = "automation.limits"
"""Key of a job -> seconds that its program may take, where somebody has said so."""
TEXTS = "automation.jobTexts"
STREAMS = "automation.streams"
"""Key of a job -> the text that it runs, and the rows of its streams."""
OVER = ("Completed", "Failed", "Stopped")
MOST = 1 << 20
"""Characters that a job's streams keep; what comes after is not kept."""
LONGEST_NUMBER = 6
"""Digits of a parameter's place."""
STOOD_STILL = timedelta(seconds=20)
"""After its region's return, until a job is placed that could not be while it was lost."""
NOBODY = (
    "The job waits for somebody who runs its program. This lab runs none unless it is told to: "
    "farshore lab up --runbooks, or lab: {runbooks: true} in farshore.yaml."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What a driver needs to run a job. It holds secrets."""

    job: str
    """The job's key."""
    account: str
    runbook: str
    text: str
    arguments: tuple[str, ...]
    principal: str | None
    """The object id of the account's own identity, if it has one."""
    assets: Body
    """Variables and credentials of the account, by name (`variables.for_runbooks`)."""
    limit_seconds: float | None
    subscription: str


def create(
    cloud: Cloud,
    job: ResourceId,
    runbook: str,
    parameters: Body,
    *,
    run_on: str = "",
    started_by: str = "",
    limit_seconds: float | None = None,
) -> None:
    """A new job of a runbook, by name. Raises `Refused` where the runbook is not there or not published."""
    account = job.parent
    assert account is not None
    id_ = account.child("runbooks", runbook)
    found = cloud.body(id_)
    if found is None:
        raise Refused(404, "NotFound", f"The runbook {runbook} of the account {account.name} was not found.")
    text = published_text(cloud, id_)
    if text is None and not is_elsewhere(found):
        raise Refused(400, "BadRequest", f"The runbook {runbook} has no published version to run.")
    now = stamp(cloud.now)
    properties = {
        "jobId": cloud.guid("job", job.key, cloud.count("job", job.key)),
        "creationTime": now,
        "provisioningState": "Processing",
        "status": "New",
        "statusDetails": "None",
        "startedBy": started_by,
        "startTime": None,
        "endTime": None,
        "lastModifiedTime": now,
        "lastStatusModifiedTime": now,
        "exception": None,
        "parameters": parameters,
        "runOn": run_on,
        "runbook": {"name": str(found["name"])},
    }
    cloud.write(job, {"id": job.text, "name": job.name, "type": JOBS, "properties": properties}, forwards=False)
    cloud.store.shelf(TEXTS)[job.key] = {"text": text or ""}
    counts = cloud.table(JOB_COUNTS)
    counts[id_.key] = counts.get(id_.key, 0) + 1
    if limit_seconds is not None:
        cloud.table(LIMITS)[job.key] = limit_seconds
    cloud.at(cloud.now + cloud.duration(BEGIN_TAKES, job.key, cloud.count("attempt", job.key)), BEGIN, job.key, None)


@event(BEGIN)
def begin(cloud: Cloud, subject: str, data: Json) -> None:
    """A place for the job has been found."""
    body = cloud.body(subject)
    if body is None or body["properties"]["status"] != "New":
        return
    account = _account(body)
    region = cloud.region_of(account)
    if region is not None and cloud.is_lost(region):
        cloud.wait_for_region(region, BEGIN, subject, STOOD_STILL)
        return
    runbook = cloud.body(account.child("runbooks", body["properties"]["runbook"]["name"]))
    if runbook is None:
        _end(cloud, subject, "Failed", "The runbook was deleted before the job began.")
    elif published_text(cloud, ResourceId(str(runbook["id"]))) is None:
        _end(cloud, subject, "Failed", "The runbook's text was published by a link, which the lab does not follow.")
    elif not is_python(runbook):
        kind = runbook["properties"]["runbookType"]
        _end(cloud, subject, "Failed", f"The lab runs runbooks of Python 3 only; this one is {kind}.")
    else:
        details = "None" if attended(cloud) else NOBODY
        _change(cloud, subject, status="Activating", statusDetails=details)
        cloud.table(WAITING)[subject] = True


# What a driver calls. ------------------------------------------------------------------------------------------------


def attend(cloud: Cloud) -> None:
    """Somebody is there who takes jobs, until the lab is opened again."""
    cloud.table(ATTENDED)["here"] = True


def attended(cloud: Cloud) -> bool:
    return "here" in cloud.table(ATTENDED)


def take(cloud: Cloud) -> Program | None:
    """The job that has waited longest; it is Running from now on. None where none waits."""
    for key in list(cloud.table(WAITING)):
        body = cloud.body(key)
        if body is None:
            del cloud.table(WAITING)[key]
            continue
        account = _account(body)
        if cloud.is_lost(cloud.region_of(account)):
            continue
        del cloud.table(WAITING)[key]
        cloud.table(RUNNING)[key] = True
        _change(cloud, key, status="Running", statusDetails="None", startTime=stamp(cloud.now))
        return Program(
            job=key,
            account=account.text,
            runbook=str(body["properties"]["runbook"]["name"]),
            text=text_of_job(cloud, key),
            arguments=arguments(body["properties"]["parameters"]),
            principal=principal_of(cloud.body(account) or {}),
            assets=for_runbooks(cloud, account),
            limit_seconds=cloud.table(LIMITS).get(key),
            subscription=account.subscription,
        )
    return None


def wanted(cloud: Cloud, key: str) -> str:
    """What a program that runs should do: `Running`, `Suspended` (stand still) or `Stopping` (end)."""
    body = cloud.body(key)
    return "Stopping" if body is None else str(body["properties"]["status"])


def told(cloud: Cloud, key: str, stream: str, lines: list[str]) -> None:
    """The program has written: `stream` is Output or Error."""
    if cloud.body(key) is None:
        return
    rows = list(streams_of(cloud, key))
    room = MOST - sum(len(row["text"]) for row in rows)
    for line in lines:
        if room <= 0:
            break
        rows.append({"id": f"{len(rows):020d}", "time": stamp(cloud.now), "type": stream, "text": line[:room]})
        room -= max(len(line), 1)
    cloud.store.shelf(STREAMS)[key] = {"rows": rows}


def ended(cloud: Cloud, key: str, exit_status: int | None, why: str = "") -> None:
    """The program is over. `why`: what it died of, where its exit status does not say."""
    cloud.table(RUNNING).pop(key, None)
    body = cloud.body(key)
    if body is None or body["properties"]["status"] in OVER:
        return
    if body["properties"]["status"] == "Stopping":
        _end(cloud, key, "Stopped", None)
    elif exit_status == 0:
        _end(cloud, key, "Completed", None)
    else:
        _end(cloud, key, "Failed", why or f"The runbook ended with exit status {exit_status}.")


def abandon(cloud: Cloud) -> None:
    """Nobody runs what was running: the lab is opened anew."""
    cloud.table(ATTENDED).pop("here", None)
    for key in list(cloud.table(RUNNING)):
        ended(cloud, key, None, "The lab ended while the runbook ran; how far it came is not known.")


# What a client asks for. ---------------------------------------------------------------------------------------------


def stop(cloud: Cloud, key: str) -> None:
    """Raises `Refused` for a job that is over."""
    status = _status_before(cloud, key, "stopped", OVER)
    if key in cloud.table(RUNNING):
        _change(cloud, key, status="Stopping")
    elif status != "Stopping":
        _end(cloud, key, "Stopped", None)


def suspend(cloud: Cloud, key: str) -> None:
    _status_before(cloud, key, "suspended", (*OVER, "Suspended", "Stopping"))
    cloud.cancel(BEGIN, key)
    cloud.table(WAITING).pop(key, None)
    _change(cloud, key, status="Suspended", statusDetails="The job was suspended by a client.")


def resume(cloud: Cloud, key: str) -> None:
    status = _status_before(cloud, key, "resumed", OVER)
    if status != "Suspended":
        raise Refused(409, "Conflict", f"The job is {status}; only a suspended one can be resumed.")
    if key in cloud.table(RUNNING):
        _change(cloud, key, status="Running", statusDetails="None")
    else:
        _change(cloud, key, status="New", statusDetails="None")
        cloud.at(cloud.now + cloud.duration(BEGIN_TAKES, key, cloud.count("attempt", key)), BEGIN, key, None)


def streams_of(cloud: Cloud, key: str) -> list[Body]:
    """Rows of `id`, `time`, `type` and `text`, in the order in which they came."""
    found: list[Body] = (cloud.store.shelf(STREAMS).get(key) or {"rows": []})["rows"]
    return found


def text_of_job(cloud: Cloud, key: str) -> str:
    """The text as it was published when the job was made."""
    return str((cloud.store.shelf(TEXTS).get(key) or {"text": ""})["text"])


def arguments(parameters: Body) -> tuple[str, ...]:
    """`sys.argv[1:]` of a Python runbook: values in the order of `[PARAMETER 1]`, `[PARAMETER 2]`..., as Azure names
    the parameters of one; other names after them, in the order in which they were sent."""

    def place(name: str) -> tuple[int, int]:
        number = name.strip("[]").upper().removeprefix("PARAMETER").strip()
        known = name.upper().startswith("[PARAMETER") and number.isdecimal() and len(number) < LONGEST_NUMBER
        return (0, int(number)) if known else (1, 0)

    return tuple(str(parameters[name]) for name in sorted(parameters, key=place))


@listener("resource.gone")
def forget(cloud: Cloud, subject: str, data: Any) -> None:
    """Who runs the program of a job that has gone is told to stop it (`wanted`)."""
    if "/jobs/" in subject:
        cloud.table(WAITING).pop(subject, None)
        cloud.table(LIMITS).pop(subject, None)
        for shelf in (TEXTS, STREAMS):
            cloud.store.shelf(shelf).pop(subject, None)


def _status_before(cloud: Cloud, key: str, what: str, never: tuple[str, ...]) -> str:
    body = cloud.body(key)
    assert body is not None
    status = str(body["properties"]["status"])
    if status in never:
        raise Refused(409, "Conflict", f"The job is {status} and can't be {what}.")
    return status


def _end(cloud: Cloud, key: str, status: str, exception: str | None) -> None:
    cloud.cancel(BEGIN, key)
    for table in (WAITING, LIMITS):
        cloud.table(table).pop(key, None)
    over = "Succeeded" if status == "Completed" else "Failed" if status == "Failed" else "Suspended"
    _change(
        cloud,
        key,
        status=status,
        statusDetails="None",
        provisioningState=over,
        endTime=stamp(cloud.now),
        exception=exception,
    )
    cloud.tell("automation.ended", key, {"status": status, "exception": exception})


def _change(cloud: Cloud, key: str, **properties: Any) -> None:
    body = cloud.body(key)
    assert body is not None
    now = stamp(cloud.now)
    kept = {**body["properties"], **properties, "lastModifiedTime": now, "lastStatusModifiedTime": now}
    cloud.write(resource_id(str(body["id"])), {**body, "properties": kept}, forwards=False)


def _account(body: Body) -> ResourceId:
    found = resource_id(str(body["id"])).parent
    assert found is not None
    return found
