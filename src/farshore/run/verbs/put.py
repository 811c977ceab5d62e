"""put: create or correct one resource.

Looking again is safe: a GET that shows everything the body says means done, whoever did it. Writing again is safe: the
same merge of the same body. A create says `If-None-Match: *` where nothing was there, so that a write that got lost on
the way and arrives later creates nothing twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from farshore.arm.http import Request, Response
from farshore.arm.json import Body
from farshore.azure.conversation import Conversation, pause
from farshore.azure.lro import follow, state_of
from farshore.plan.merge import merged, says
from farshore.run.verbs.base import (
    Absent,
    Did,
    Ended,
    Failed,
    Found,
    Present,
    Task,
    UnderWay,
    judged,
    pending_in,
    read_patiently,
    said,
    send_once,
    times_of,
    url_of,
)

RUNNING = frozenset({"creating", "updating", "accepted", "running", "provisioning", "resolvingdns"})
SETTLING = timedelta(seconds=10)
LOOKS = 30
"""How often a resource that is not yet as it should be is looked at, after its operation has ended."""


class Put:
    def look(self, task: Task) -> Conversation[Found]:
        response = yield from read_patiently(self._url(task))
        if response.status == 404:
            return Absent()
        state = (state_of(response.body) or "Succeeded").lower()
        if state in RUNNING:
            return UnderWay(pending={"resource": self._url(task)})
        if state == "succeeded" and says(response.body, _wanted(task)):
            return Present(result={"found": True})
        return Absent()

    def act(self, task: Task) -> Conversation[Did]:
        there: Response = yield from read_patiently(self._url(task))
        absent = there.status == 404
        body = merged(None if absent else there.body, _wanted(task))
        headers = {"if-none-match": "*"} if absent else {}
        if not absent and isinstance(there.body, dict) and there.body.get("etag"):
            headers = {"if-match": str(there.body["etag"])}
        request = Request(method="PUT", url=self._url(task), body=body, headers=headers, repeatable=False)
        response = yield from send_once(request)
        did = judged(response, request, self._url(task))
        assert did is not None
        return did

    def follow(self, task: Task, pending: Mapping[str, Any], accepted_at: datetime) -> Conversation[Ended]:
        operation = pending_in(pending)
        ended = None if operation is None else (yield from follow(operation, since=accepted_at))
        for _ in range(LOOKS):
            response = yield from read_patiently(self._url(task))
            state = (state_of(response.body) or "Succeeded").lower() if response.ok else "absent"
            if state == "succeeded" and says(response.body, _wanted(task)):
                return Present(result=times_of(ended))
            if state == "failed":
                return Failed(fault=said("ProvisioningFailed", f"{task.text('id')} is Failed after its operation"))
            yield from pause(SETTLING)
        return Failed(
            fault=said("NotAsWritten", f"{task.text('id')} does not show what was written, five minutes after")
        )

    def _url(self, task: Task) -> str:
        return url_of(task.text("id"), task.text("api_version"))


def _wanted(task: Task) -> Body:
    body: Body = task.arguments["body"]
    return body
