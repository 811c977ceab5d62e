"""`deallocate`: a returned machine is stopped, never deleted (D92): reprotect needs it.

Its region may answer for it later than for other things, so this is tried for long; a second deallocate does no harm.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from farshore.arm.http import Request, Wait
from farshore.azure.lro import NO_ANSWER_YET
from farshore.errors import ArmError, TransportError
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

TIMEOUT = timedelta(seconds=15)
ATTEMPTS = 90


class Deallocate(Verb):
    name = "deallocate"

    def attempts(self, situation: Situation) -> int:
        return ATTEMPTS

    def grace(self, situation: Situation) -> Wait:
        return Wait(duration=power.APART, since=situation.intended_at)

    def look(self, situation: Situation) -> Talk[Looked]:
        try:
            response = yield from get(situation.id, VIEW, TIMEOUT)
        except TransportError:
            return Absent()
        except ArmError as error:
            if error.fault.status not in NO_ANSWER_YET:
                raise
            return Absent()
        if response.status == 404 and situation.arguments.get("if_there", True):
            return Present(result={"absent": True})
        if power_state(response) == "deallocated":
            return Present(result={"found": True})
        return Absent()

    def act(self, situation: Situation) -> Talk[Acted]:
        request = Request(method="POST", url=url(situation.id, "/deallocate"), repeatable=False, timeout=TIMEOUT)
        return (yield from write(request, retryable=frozenset({"operationnotallowed"})))

    def follow(self, situation: Situation) -> Talk[Mapping[str, Any]]:
        return (yield from power.shown(situation, "deallocated", code="NotDeallocated", or_gone=True))
