"""`start`: a machine that a run has stopped runs again; a second start does no harm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from farshore.arm.http import Request, Wait
from farshore.run.verbs import power
from farshore.run.verbs.base import (
    VIEW,
    Absent,
    Acted,
    Looked,
    Present,
    Situation,
    Talk,
    Verb,
    get,
    power_state,
    url,
    write,
)


class Start(Verb):
    name = "start"

    def grace(self, situation: Situation) -> Wait:
        return Wait(duration=power.APART, since=situation.intended_at)

    def look(self, situation: Situation) -> Talk[Looked]:
        response = yield from get(situation.id, VIEW)
        return Present(result={"found": True}) if power_state(response) == "running" else Absent()

    def act(self, situation: Situation) -> Talk[Acted]:
        request = Request(method="POST", url=url(situation.id, "/start"), repeatable=False)
        return (yield from write(request, retryable=frozenset({"operationnotallowed"})))

    def follow(self, situation: Situation) -> Talk[Mapping[str, Any]]:
        return (yield from power.shown(situation, "running", code="NotRunning"))
