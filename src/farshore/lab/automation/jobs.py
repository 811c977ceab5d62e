"""automationAccounts/jobs: a runbook at work, and what it has written.

A PUT of a new job answers 201 and is the start of it: there is no operation to poll, a job's `status` says how it goes
(`lab/automation/queue.py`). A job is made once; another PUT of its name is refused. `stop`, `suspend` and `resume`
answer 200 without a body. `output` is what it has written to its output, `streams` has every line of output and error
by itself. Statuses are those that Azure's client of 2024-10-23 knows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.lab.answers import Refused, bad_request, child_not_found, not_implemented
from farshore.lab.automation import queue
from farshore.lab.automation.asset import Asset, name_in, spelled, text_or_none, there
from farshore.lab.automation.queue import JOBS
from farshore.lab.automation.runbooks import TEXT
from farshore.lab.call import Call
from farshore.lab.paging import page
from farshore.lab.patterns import AUTOMATION
from farshore.lab.registry import action, resource_type, view
from farshore.lab.types import ResourceType

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

IN_A_LIST = [
    "runbook",
    "jobId",
    "creationTime",
    "status",
    "startTime",
    "endTime",
    "lastModifiedTime",
    "provisioningState",
    "runOn",
]
SUMMARY = 200
"""Characters of a stream's row that a list shows."""
_OF_TYPE = re.compile(r"\s*properties/streamType\s+eq\s+'(\w+)'\s*", re.IGNORECASE)


@resource_type(JOBS)
class Jobs(Asset):
    patches = False

    def put(self, call: Call) -> Response:
        cloud, id_ = call.cloud, self.full_id(call)
        self.check_place(call, id_, call.object(), None)
        if cloud.exists(id_):
            raise Refused(409, "Conflict", f"A job {id_.name} is there already.")
        sent = call.properties()
        queue.create(
            cloud,
            id_,
            name_in(sent, "runbook"),
            _parameters(sent),
            run_on=text_or_none(sent, "runOn") or "",
            started_by=call.caller.name,
        )
        shown = cloud.show(id_, call.query) or {}
        # Who started it is known a moment later (recorded).
        body = {**shown, "properties": {**shown["properties"], "startedBy": None}}
        return there(call, Response(status=201, body=body))

    def patch(self, call: Call) -> Response:
        raise Refused(405, "MethodNotAllowed", "A job is not changed; stop, suspend and resume are its actions.")

    def delete(self, call: Call) -> Response:
        raise Refused(405, "MethodNotAllowed", "A job is not deleted; it goes with its account.")

    def rows(self, call: Call, found: list[Body]) -> list[Body]:
        """A list shows less of each job."""
        if "$filter" in call.query:
            raise not_implemented("a filter of jobs")
        return [
            {**body, "properties": {name: body["properties"][name] for name in IN_A_LIST}}
            for body in super().rows(call, found)
        ]

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        properties = body["properties"]
        return {**body, "type": spelled(self.type), "properties": {**properties, "runOn": properties["runOn"] or None}}


@resource_type(f"{JOBS}/streams")
class Streams(ResourceType):
    """One row of a job's streams; they are no bodies of their own."""

    pattern = AUTOMATION
    tracked = False

    def get(self, call: Call) -> Response:
        job = call.id.parent
        assert job is not None
        for row in queue.streams_of(call.cloud, job.key):
            if row["id"] == call.id.name:
                whole = {"streamText": row["text"], "value": {}}
                shown = _row(job, row)
                return Response(status=200, body={**shown, "properties": {**shown["properties"], **whole}})
        raise child_not_found(call.id)

    def put(self, call: Call) -> Response:
        raise Refused(405, "MethodNotAllowed", "What a job has written is not written by others.")

    patch = put
    delete = put


@view(JOBS, "streams")
def streams(call: Call) -> Response:
    call.must_exist()
    rows = queue.streams_of(call.cloud, call.id.key)
    if (wanted := call.query.get("$filter")) is not None:
        found = _OF_TYPE.fullmatch(wanted)
        if found is None:
            raise not_implemented(f"the filter {wanted} of a job's streams")
        rows = [row for row in rows if found[1].lower() in ("any", row["type"].lower())]
    return page(call, [_row(call.id, row) for row in rows])


@view(JOBS, "output")
def output(call: Call) -> Response:
    call.must_exist()
    rows = queue.streams_of(call.cloud, call.id.key)
    text = "\n".join(row["text"] for row in rows if row["type"] == "Output")
    return Response(status=200, headers={"content-type": "text/plain; charset=utf-8"}, body=text.encode())


@view(JOBS, "runbookContent")
def runbook_content(call: Call) -> Response:
    call.must_exist()
    return Response(status=200, headers=TEXT, body=queue.text_of_job(call.cloud, call.id.key).encode())


def _acts(name: str, function: Callable[[Cloud, str], None]) -> None:
    @action(JOBS, name)
    def act(call: Call) -> Response:
        call.must_exist()
        function(call.cloud, call.id.key)
        return Response(status=200)


_acts("stop", queue.stop)
_acts("suspend", queue.suspend)
_acts("resume", queue.resume)


def _parameters(sent: Body) -> dict[str, str]:
    found = sent.get("parameters") or {}
    if not isinstance(found, dict) or not all(isinstance(value, str | None) for value in found.values()):
        raise bad_request("BadRequest", "parameters is an object of texts by name.", "parameters")
    return {name: value or "" for name, value in found.items()}


def _row(job: ResourceId, row: Body) -> Body:
    return {
        "id": f"{job.text}/streams/{row['id']}",
        "properties": {
            "jobStreamId": row["id"],
            "time": row["time"],
            "streamType": row["type"],
            "summary": row["text"][:SUMMARY],
        },
    }
