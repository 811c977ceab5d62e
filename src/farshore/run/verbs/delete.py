"""delete: take one resource away. Looking again is safe: 404 means done.

A delete that is refused, or that nothing answers, is tried again 20 seconds apart, `attempts` times in all (D62: the
region that would have to do it may be lost). A silent delete may still take effect later; that does no harm, and a
look decides before each further attempt.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from farshore.arm.http import Request
from farshore.azure.conversation import Conversation, ask, pause
from farshore.azure.lro import follow
from farshore.errors import TransportError
from farshore.run.verbs.base import (
    Absent,
    Did,
    Doubted,
    Ended,
    Failed,
    Found,
    Present,
    Refused,
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

APART = timedelta(seconds=20)
SHORT = timedelta(seconds=15)
"""A delete whose region is gone is not waited for long: its silence is the answer that the plan expects (D62)."""


class Delete:
    def look(self, task: Task) -> Conversation[Found]:
        try:
            response = yield from ask(Request(method="GET", url=self._url(task), timeout=SHORT))
        except TransportError:
            return Absent()
        return Present(result={"found": True}) if response.status == 404 else Absent()

    def act(self, task: Task) -> Conversation[Did]:
        sent_at = yield from pause(timedelta(0))
        request = Request(method="DELETE", url=self._url(task), repeatable=False, timeout=SHORT)
        response = yield from send_once(request)
        did = judged(response, request)
        if isinstance(did, UnderWay):
            return UnderWay(pending={**did.pending, "sent_at": sent_at.isoformat()})
        last = task.attempt >= int(task.arguments.get("attempts", 3))
        if isinstance(did, Doubted):
            fault = said("NoAnswer", did.why)
            return Failed(fault=fault) if last else Refused(fault=fault, wait=APART)
        if isinstance(did, Refused | Failed):
            return Failed(fault=did.fault) if last else Refused(fault=did.fault, wait=APART)
        assert did is not None
        return did

    def follow(self, task: Task, pending: Mapping[str, Any], accepted_at: datetime) -> Conversation[Ended]:
        operation = pending_in({key: value for key, value in pending.items() if key != "sent_at"})
        ended = None if operation is None else (yield from follow(operation, since=accepted_at))
        for _ in range(30):
            response = yield from read_patiently(self._url(task))
            if response.status == 404:
                now = yield from pause(timedelta(0))
                times = {"ended_at": now.isoformat(), **times_of(ended)}
                return Present(result={"sent_at": pending.get("sent_at"), **times})
            yield from pause(timedelta(seconds=10))
        return Failed(fault=said("StillThere", f"{task.text('id')} is still there five minutes after its delete ended"))

    def _url(self, task: Task) -> str:
        return url_of(task.text("id"), task.text("api_version"))
