"""`start`: a machine that a run has stopped runs again; a second start does no harm."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from farshore.arm.http import Request, Wait
from farshore.azure.conversation import pause
from farshore.azure.lro import follow
from farshore.errors import ArmError, Fault
from farshore.run.verbs.base import (
    BEAT,
    VIEW,
    Absent,
    Acted,
    Looked,
    Present,
    Situation,
    Talk,
    Verb,
    get,
    operation_times,
    power_state,
    service_time,
    url,
    write,
)

APART = timedelta(seconds=20)
LOOKS = 30


class Start(Verb):
    name = "start"

    def grace(self, situation: Situation) -> Wait:
        return Wait(duration=APART, since=situation.intended_at)

    def look(self, situation: Situation) -> Talk[Looked]:
        response = yield from get(situation.id, VIEW)
        return Present(result={"found": True}) if power_state(response) == "running" else Absent()

    def act(self, situation: Situation) -> Talk[Acted]:
        request = Request(method="POST", url=url(situation.id, "/start"), repeatable=False)
        return (yield from write(request, retryable=frozenset({"operationnotallowed"})))

    def follow(self, situation: Situation) -> Talk[Mapping[str, Any]]:
        times: dict[str, Any] = {}
        if situation.pending:
            times = operation_times((yield from follow(situation.pending, since=situation.since)))
        for _ in range(LOOKS):
            response = yield from get(situation.id, VIEW)
            if power_state(response) == "running":
                return times or {"ended_at": service_time(response)}
            yield from pause(BEAT, situation.since)
        raise ArmError(
            Fault(code="NotRunning", message=f"{situation.id.short} is {power_state(response)} after it was started")
        )
