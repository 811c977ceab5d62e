"""`delete`: take one resource away. A second DELETE does no harm, so nothing is looked at first: it leaves at once.

A protection container takes no DELETE: it goes by POST `remove` (recorded), which a second time does no harm either. So
does a protected item, whose DELETE purges (S6): it would leave the machine set up for a vault that has forgotten it.

A refusal or silence is tried again, `attempts` times in all, 20 seconds apart from the first one; then the step has
failed. Where the plan expected that (D62), its obligation stands and the run goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from farshore.arm.http import Request, Wait, fault_of
from farshore.azure.conversation import ask, pause
from farshore.azure.lro import follow, pending_of
from farshore.errors import ArmError, Fault
from farshore.run.verbs.base import (
    BEAT,
    Accepted,
    Acted,
    AgainError,
    Refused,
    Situation,
    Talk,
    Verb,
    get,
    operation_times,
    service_time,
    url,
)
from farshore.times import stamp

CONTAINERS = "Microsoft.RecoveryServices/vaults/replicationFabrics/replicationProtectionContainers"
ITEMS = f"{CONTAINERS}/replicationProtectedItems"
DISABLE = {"properties": {"disableProtectionReason": "NotSpecified"}}
APART = timedelta(seconds=20)
TIMEOUT = timedelta(seconds=15)
"""Shorter than the time between two attempts, so that they keep their beat."""
LOOKS = 12


class Delete(Verb):
    name = "delete"

    def attempts(self, situation: Situation) -> int:
        return int(situation.arguments.get("attempts", 3))

    def grace(self, situation: Situation) -> Wait:
        return Wait(duration=APART, since=situation.sent_at or situation.intended_at)

    def act(self, situation: Situation) -> Talk[Acted]:
        removed = situation.id.is_a(CONTAINERS) or situation.id.is_a(ITEMS)
        method, tail = ("POST", "/remove") if removed else ("DELETE", "")
        url_ = url(situation.id, tail, version=situation.arguments["api_version"])
        body = DISABLE if situation.id.is_a(ITEMS) else None
        request = Request(method=method, url=url_, body=body, repeatable=False, timeout=TIMEOUT)
        response = yield from ask(request)
        if response.ok or response.status == 404:
            return Accepted(pending=pending_of(response))
        return Refused(fault=fault_of(response), wait=_until_next(situation))

    def follow(self, situation: Situation) -> Talk[Mapping[str, Any]]:
        sent = {"sent_at": stamp(situation.sent_at or situation.intended_at)}
        times: dict[str, Any] = {}
        if situation.pending:
            try:
                times = operation_times((yield from follow(situation.pending, since=situation.since)))
            except ArmError as error:
                raise AgainError(Refused(fault=error.fault, wait=APART)) from error
        for _ in range(LOOKS):
            response = yield from get(situation.id)
            if response.status == 404:
                return {**sent, **({"ended_at": service_time(response)} if not times else {}), **times}
            yield from pause(BEAT, situation.since)
        raise ArmError(Fault(code="StillThere", message=f"{situation.id.short} was deleted, and is still there"))


def _until_next(situation: Situation) -> timedelta:
    """To the next of the moments that stand 20 seconds apart."""
    elapsed = situation.now - (situation.sent_at or situation.intended_at)
    return APART - elapsed % APART
