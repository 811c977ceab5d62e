"""What the verbs of Site Recovery share: items, jobs, and how a POST that must not be sent twice is found again.

ARM knows no POST that it has seen before. So a look asks what there is to show for it: the item's own state, the
scenario that runs on it now, and the vault's jobs: one of this scenario, on this item, begun since the intention
(a job that failed counts for nothing, S23). The vault's clock may differ from ours by `SKEW`.

An operation that says Succeeded may hide a job that failed (S17): the job is read, and then the item.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from farshore.arm.http import Request, Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.arm.recovery import PROTECTED, has_failed
from farshore.arm.versions import SITE_RECOVERY
from farshore.azure.conversation import pause
from farshore.azure.lro import Pending, follow
from farshore.errors import ArmError, Fault
from farshore.run.verbs.base import (
    Absent,
    Acted,
    InProgress,
    Looked,
    Present,
    Situation,
    Talk,
    Verb,
    get,
    get_url,
    properties,
    service_time,
    write,
)
from farshore.times import moment

SKEW = timedelta(seconds=60)
LONG_AGO = datetime(1753, 1, 1, tzinfo=UTC)
SLOW = timedelta(seconds=30)
BAD = frozenset({"Failed", "Cancelled"})
BUSY = frozenset({"operationnotallowed"})
"""Another job runs on the item; a state that will never allow it is refused until the attempts are used up."""


class JobVerb(Verb):
    """What is accepted at once and carried out by a job of the vault (S17)."""

    scenarios: frozenset[str]

    def attempts(self, situation: Situation) -> int:
        return 10

    def job_done(self, situation: Situation) -> Talk[Body | None]:
        """The job behind what was accepted, once it has ended; raises `ArmError` where it failed."""
        pending = situation.pending
        if pending.resource is None and pending:
            # Of an operation that is over both URLs end in the job's id (S17).
            yield from follow(pending, since=situation.since)
        return (yield from ended_job(situation.id, job_id(pending), situation.since))


class ItemVerb(JobVerb, ABC):
    """A POST on a protected item, done when `is_done` says so of the item."""

    @abstractmethod
    def is_done(self, situation: Situation, item: Mapping[str, Any]) -> bool:
        """Whether the item's properties show that nothing is left to do."""

    @abstractmethod
    def request(self, situation: Situation) -> Talk[Request]:
        """The POST; what it needs to know is asked for first."""

    def watched(self, situation: Situation) -> ResourceId:
        """The item that shows how far it is."""
        return situation.id

    def look(self, situation: Situation) -> Talk[Looked]:
        shown = yield from get(self.watched(situation))
        item = properties(shown)
        job = yield from find_job(situation, item, self.scenarios)
        if shown.status != 404 and self.is_done(situation, item):
            return Present(result=told(job, shown, item))
        if job is not None:
            return InProgress(pending=Pending(resource=_job_url(situation.id, str(job["name"]))))
        return Absent()

    def act(self, situation: Situation) -> Talk[Acted]:
        request = yield from self.request(situation)
        return (yield from write(request, retryable=BUSY))

    def follow(self, situation: Situation) -> Talk[Mapping[str, Any]]:
        job = yield from self.job_done(situation)
        while True:
            shown = yield from get(self.watched(situation))
            if shown.status != 404 and self.is_done(situation, properties(shown)):
                return told(job, shown, properties(shown))
            fail_if_failed(shown)
            yield from pause(SLOW, situation.since)


# Jobs. -------------------------------------------------------------------------------------------------------------


def find_job(situation: Situation, item: Mapping[str, Any], scenarios: frozenset[str]) -> Talk[Body | None]:
    """The latest job of these scenarios on this item since the step was intended, unless it failed."""
    since = situation.intended_at - SKEW
    current = item.get("currentScenario") or {}
    if current.get("scenarioName") in scenarios and _began(current) >= since:
        response = yield from _job(situation.id, str(current["jobId"]).rsplit("/", 1)[-1])
        if response.status != 404 and properties(response).get("state") not in BAD:
            return dict(response.body)
    if situation.attempt == 0 and situation.sent_at is None and not situation.doubted:
        # Nothing was ever sent for this step. (One that a person retries counts its attempts anew, and was sent.)
        return None
    names = {situation.id.name.lower(), str(item.get("friendlyName") or "").lower()} - {""}
    found: Body | None = None
    page: str | None = f"{_vault(situation.id).text}/replicationJobs?api-version={SITE_RECOVERY}"
    while page is not None:
        response = yield from get_url(page)
        body = response.body if isinstance(response.body, dict) else {}
        for job in body.get("value") or ():
            about = job.get("properties") or {}
            if (
                about.get("scenarioName") in scenarios
                and names & {str(about.get(key) or "").lower() for key in ("targetObjectName", "targetObjectId")}
                and about.get("state") not in BAD
                and _began(about) >= since
                and (found is None or _began(about) > _began(found["properties"]))
            ):
                found = job
        page = body.get("nextLink")
    return found


def ended_job(item: ResourceId, job: str | None, since: datetime) -> Talk[Body | None]:
    """A job once it has ended or waits for somebody; None where the vault does not know it."""
    if job is None:
        return None
    while True:
        response = yield from _job(item, job)
        if response.status == 404:
            return None
        if _has_ended(job, response):
            return dict(response.body)
        yield from pause(timedelta(seconds=10), since)


def job_runs(item: ResourceId, job: str) -> Talk[bool]:
    """Whether a job goes on by itself; raises `ArmError` where it failed."""
    response = yield from _job(item, job)
    return response.status != 404 and not _has_ended(job, response)


def under_way(item: ResourceId, shown: Mapping[str, Any]) -> Talk[str | None]:
    """The job that an item is busy with, by its properties; None where it is idle. A job that failed is over."""
    job = str((shown.get("currentScenario") or {}).get("jobId") or "").rsplit("/", 1)[-1]
    if job in ("", "None"):
        return None
    response = yield from _job(item, job)
    about = properties(response)
    over = response.status == 404 or about.get("endTime") or about.get("state") in (*BAD, "Succeeded", "Suspended")
    return None if over else job


def _has_ended(job: str, response: Response) -> bool:
    about = properties(response)
    if about.get("state") in BAD:
        raise ArmError(_fault_of(job, about), request=f"job {job}")
    return bool(about.get("endTime")) or about.get("state") in ("Succeeded", "Suspended")


def told(job: Body | None, shown: Response, item: Mapping[str, Any]) -> dict[str, Any]:
    """A step's result: the job and its own times, else the moment at which the item showed it."""
    about = (job or {}).get("properties") or {}
    result = {
        "job": (job or {}).get("name"),
        "started_at": about.get("startTime"),
        "ended_at": about.get("endTime") or service_time(shown),
        "recovery_point": item.get("failoverRecoveryPointId"),
    }
    return {key: value for key, value in result.items() if value is not None}


def protected(situation: Situation, id_: ResourceId) -> Talk[Response]:
    """Wait until an item is Protected; replication of whole disks takes hours, and a minute is no matter."""
    while True:
        response = yield from get(id_)
        if properties(response).get("protectionState") == PROTECTED:
            return response
        fail_if_failed(response)
        yield from pause(SLOW, situation.since)


def fail_if_failed(response: Response) -> None:
    state = str(properties(response).get("protectionState") or "")
    if not has_failed(state):
        return
    errors = properties(response).get("healthErrors") or ()
    message = next((str(item.get("errorMessage")) for item in errors if item.get("errorMessage")), state)
    raise ArmError(Fault(code=state, message=message))


def machine_disks(vm: Response) -> list[Mapping[str, Any]]:
    """The OS disk and the data disks of a machine, as its storage profile has them."""
    profile = properties(vm).get("storageProfile") or {}
    return [disk for disk in (profile.get("osDisk"), *(profile.get("dataDisks") or ())) if disk]


def _began(about: Mapping[str, Any]) -> datetime:
    """When a job or a scenario began; long ago where it does not say (of an idle item: "None", or the year 1753)."""
    try:
        return moment(str(about.get("startTime")))
    except ValueError:
        return LONG_AGO


def _fault_of(job: str, about: Mapping[str, Any]) -> Fault:
    for error in about.get("errors") or ():
        said = error.get("serviceErrorDetails") or {}
        if said.get("code"):
            return Fault(code=str(said["code"]), message=str(said.get("message") or ""))
    return Fault(code=f"Job{about.get('state')}", message=f"{about.get('friendlyName') or 'the job'} {job} has failed")


def _job(item: ResourceId, job: str) -> Talk[Response]:
    return (yield from get_url(_job_url(item, job)))


def _job_url(item: ResourceId, job: str) -> str:
    return f"{_vault(item).text}/replicationJobs/{job}?api-version={SITE_RECOVERY}"


def job_id(pending: Pending) -> str | None:
    """The last part of the path of whatever is followed (S17)."""
    for address in (pending.resource, pending.location, pending.operation):
        if address is not None:
            return address.split("?")[0].rstrip("/").rsplit("/", 1)[-1]
    return None


def _vault(item: ResourceId) -> ResourceId:
    assert item.resource_group is not None
    parts = item.text.split("/")
    return resource_id("/".join(parts[: [part.lower() for part in parts].index("vaults") + 2]))
