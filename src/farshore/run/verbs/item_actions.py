"""What can be asked of a protected item once and not twice: failover, commit, tests, reprotection.

ARM does not recognise a POST that was sent before. So a look has to find out by itself: from the item's state, from
the scenario that it says is going on, and from the vault's jobs, whether a job of this scenario on this item began
after the step was intended (S17, S23). What such a job says is what the step did.

A job is followed to its end, and then the item is read until it shows what the step is for: an operation that says
Succeeded does not by itself prove that the job was a success (S17).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from farshore.arm.http import Request, Response
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.arm.versions import COMPUTE, SITE_RECOVERY
from farshore.azure.conversation import Conversation, pause
from farshore.azure.lro import follow
from farshore.run.events import moment
from farshore.run.verbs.base import (
    Absent,
    Did,
    Ended,
    Failed,
    Found,
    Present,
    Refused,
    Task,
    UnderWay,
    judged,
    pending_in,
    properties,
    read_patiently,
    said,
    send_once,
    times_of,
    url_of,
)

POLL = timedelta(seconds=15)
SETTLE = timedelta(seconds=30)
ENDED = frozenset({"succeeded", "failed", "cancelled", "suspended"})
SKEW = timedelta(seconds=1)
"""The service's clock against ours: a job that began this much before the intention is not another's."""


class ItemAction:
    """One POST on an item. Subclasses say which, what its body is, and how the item looks when it is done."""

    path: str
    scenarios: frozenset[str]
    looks = 40
    """How often the item is read after its job, `SETTLE` apart, until it shows that the step is done."""

    def request(self, task: Task, item: Body) -> Conversation[Request]:
        """The POST. A generator, because some bodies have to be read first."""
        yield from ()
        url = url_of(task.text("id"), SITE_RECOVERY, self.path)
        return Request(method="POST", url=url, body={"properties": self.body(task)}, repeatable=False)

    def body(self, task: Task) -> Body:
        return {}

    def is_done(self, task: Task, item: Body) -> bool:
        """Whether the item's properties show that this has been done."""
        raise NotImplementedError(self.path)

    def proof(self, task: Task) -> Conversation[dict[str, Any] | None]:
        """What else must be so, read; None when it is not yet. What it returns goes into the result."""
        yield from ()
        return {}

    def where(self, task: Task) -> str:
        """The item that shows whether it is done."""
        return task.text("id")

    # The three conversations. --------------------------------------------------------------------------------------

    def look(self, task: Task) -> Conversation[Found]:
        shown = yield from read_patiently(url_of(self.where(task), SITE_RECOVERY))
        item = properties(shown.body) if shown.ok else {}
        if item and self.is_done(task, item):
            found = yield from self.proof(task)
            if found is not None:
                job = yield from self._job(task, item, since=task.intended_at)
                return Present(result={**_of_job(job), **found, **_point(item)})
        own = yield from read_patiently(url_of(task.text("id"), SITE_RECOVERY))
        job = yield from self._job(task, properties(own.body) if own.ok else item, since=task.intended_at)
        if job is not None and str(properties(job)["state"]).lower() != "failed":
            return UnderWay(pending={"job": str(job["id"])})
        return Absent()

    def act(self, task: Task) -> Conversation[Did]:
        own = yield from read_patiently(url_of(task.text("id"), SITE_RECOVERY))
        if not own.ok:
            return Failed(fault=said("NoSuchItem", f"{task.text('id')} is not a protected item"))
        request = yield from self.request(task, properties(own.body))
        response = yield from send_once(request)
        did = judged(response, request)
        assert did is not None
        if isinstance(did, UnderWay) and isinstance(response, Response):
            place = response.headers.get("location") or response.headers.get("azure-asyncoperation") or ""
            job = place.split("?")[0].rstrip("/").rsplit("/", 1)[-1]
            return UnderWay(pending={**did.pending, "job": vault_of(task.text("id")) + f"/replicationJobs/{job}"})
        return did

    def follow(self, task: Task, pending: Mapping[str, Any], accepted_at: datetime) -> Conversation[Ended]:
        operation = {key: value for key, value in pending.items() if key != "job"}
        if operation:
            followed = pending_in(operation)
            if followed is not None:
                yield from follow(followed, since=accepted_at)
        job: Body | None = None
        if pending.get("job"):
            job = yield from job_to_its_end(str(pending["job"]), accepted_at)
            if job is not None and str(properties(job).get("state")).lower() in ("failed", "cancelled"):
                return Failed(fault=_fault_of(job))
        for _ in range(self.looks):
            shown = yield from read_patiently(url_of(self.where(task), SITE_RECOVERY))
            item = properties(shown.body) if shown.ok else {}
            if item and self.is_done(task, item):
                found = yield from self.proof(task)
                if found is not None:
                    return Present(result={**_of_job(job), **found, **_point(item)})
            yield from pause(SETTLE, accepted_at)
        return Failed(fault=said("NotAsAsked", f"{self.where(task)} does not show that {self.path} is done"))

    def _job(self, task: Task, item: Body, since: datetime) -> Conversation[Body | None]:
        """The latest job of these scenarios on this item that began after `since`."""
        vault = vault_of(task.text("id"))
        running = item.get("currentScenario") or {}
        if running.get("scenarioName") in self.scenarios and running.get("jobId"):
            started = running.get("startTime")
            if started and moment(str(started)) >= since - SKEW:
                name = str(running["jobId"]).rstrip("/").rsplit("/", 1)[-1]
                response = yield from read_patiently(url_of(f"{vault}/replicationJobs/{name}", SITE_RECOVERY))
                if response.ok:
                    return _as_body(response)
        name = str(item.get("friendlyName") or ResourceId(task.text("id")).name).lower()
        jobs: list[Body] = []
        link: str | None = url_of(f"{vault}/replicationJobs", SITE_RECOVERY)
        while link:
            response = yield from read_patiently(link)
            page = _as_body(response) if response.ok else {}
            jobs += page.get("value") or []
            link = page.get("nextLink")
        mine = [
            job
            for job in jobs
            if properties(job).get("scenarioName") in self.scenarios
            and str(properties(job).get("targetObjectName") or "").lower() == name
            and properties(job).get("startTime")
            and moment(str(properties(job)["startTime"])) >= since - SKEW
        ]
        return max(mine, key=lambda job: moment(str(properties(job)["startTime"])), default=None)


def job_to_its_end(job: str, since: datetime) -> Conversation[Body | None]:
    """The job once it is over, or waits for somebody; None where the vault does not know it."""
    while True:
        response = yield from read_patiently(url_of(job, SITE_RECOVERY))
        if not response.ok:
            return None
        body = _as_body(response)
        if str(properties(body).get("state")).lower() in ENDED:
            return body
        yield from pause(POLL, since)


def machine_runs(vm: str) -> Conversation[dict[str, Any] | None]:
    """`{"vm"}` once the machine's instance view says running."""
    response = yield from read_patiently(url_of(vm, COMPUTE, query="$expand=instanceView"))
    if not response.ok:
        return None
    statuses = (properties(response.body).get("instanceView") or {}).get("statuses") or []
    running = any(status.get("code") == "PowerState/running" for status in statuses)
    return {"vm": str(_as_body(response)["id"])} if running else None


def vault_of(id_: str) -> str:
    """The vault of anything in it."""
    parts = id_.split("/")
    lower = [part.lower() for part in parts]
    return "/".join(parts[: lower.index("vaults") + 2])


def poll_item(id_: str, wanted: frozenset[str], wrong: frozenset[str], since: datetime) -> Conversation[Ended]:
    """Read an item every minute until its protection state is one of `wanted`."""
    while True:
        response = yield from read_patiently(url_of(id_, SITE_RECOVERY))
        state = str(properties(response.body).get("protectionState")) if response.ok else "absent"
        if state in wanted:
            now = yield from pause(timedelta(0))
            return Present(result={"ended_at": now.isoformat()})
        if state in wrong or state.endswith("Failed"):
            return Failed(fault=said("ReplicationFailed", f"{id_} is {state}"))
        yield from pause(timedelta(minutes=1), since)


def refused_or(did: Did) -> Refused | None:
    return did if isinstance(did, Refused) else None


def _as_body(response: Response) -> Body:
    return response.body if isinstance(response.body, dict) else {}


def _of_job(job: Body | None) -> dict[str, Any]:
    if job is None:
        return {}
    return {"job": str(job.get("id")), **times_of(Response(status=200, body=job))}


def _point(item: Body) -> dict[str, Any]:
    point = item.get("failoverRecoveryPointId")
    return {"recovery_point": str(point)} if point else {}


def _fault_of(job: Body) -> dict[str, Any]:
    errors = properties(job).get("errors") or []
    details = (errors[0].get("serviceErrorDetails") or {}) if errors else {}
    code, message = details.get("code") or "JobFailed", details.get("message") or f"job {job.get('name')} failed"
    return said(str(code), str(message))
