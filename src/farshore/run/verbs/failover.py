"""`failover`: POST unplannedFailover on one item (S15). Never sent twice.

A disaster waits for no drill, and the item may still be busy with one: another job of it is in progress, or a test
failover stands, which has to be cleaned up before anything else (S19, S42). Either is a refusal that passes. Such a job
is waited for, as long as one may take (`PATIENCE`: a refusal every few seconds would use the attempts up); what a test
has made is told to go, which does no harm where somebody has told it already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from farshore.arm.http import Request
from farshore.arm.recovery import COMMIT_PENDING, COMMITTED
from farshore.azure.conversation import pause
from farshore.run.verbs.base import BEAT, Accepted, Acted, Refused, Situation, Talk, get, properties, url, write
from farshore.run.verbs.points import LATEST, point_named
from farshore.run.verbs.recovery import BUSY, ItemVerb, under_way
from farshore.run.verbs.test_failover_cleanup import TestFailoverCleanup

DONE = frozenset({COMMIT_PENDING, COMMITTED})


PATIENCE = timedelta(hours=1)
"""S57: so long a job of an item may take."""


class Failover(ItemVerb):
    name = "failover"
    scenarios = frozenset({"UnplannedFailover", "PlannedFailover", "Failover"})

    def is_done(self, situation: Situation, item: Mapping[str, Any]) -> bool:
        return item.get("protectionState") in DONE

    def request(self, situation: Situation) -> Talk[Request]:
        arguments = situation.arguments
        point = yield from point_named(situation, str(arguments.get("point") or LATEST))
        body = {
            "properties": {
                "failoverDirection": arguments["direction"],
                "sourceSiteOperations": "Required" if arguments.get("shutdown") else "NotRequired",
                "providerSpecificDetails": {"instanceType": "A2A", "recoveryPointId": point},
            }
        }
        return Request(method="POST", url=url(situation.id, "/unplannedFailover"), body=body, repeatable=False)

    def act(self, situation: Situation) -> Talk[Acted]:
        acted = yield from super().act(situation)
        if not isinstance(acted, Refused) or acted.fault.code.lower() not in BUSY:
            return acted
        until, waited = situation.now + PATIENCE, False
        while True:
            item = properties((yield from get(situation.id)))
            job = yield from under_way(situation.id, item)
            if job is None:
                break
            if (yield from pause(BEAT, situation.since)) >= until:
                return acted
            waited = True
        if item.get("testFailoverState") == "WaitingForCompletion":
            return (yield from _cleaned_first(situation, acted))
        return replace(acted, wait=timedelta(0)) if waited else acted


def _cleaned_first(situation: Situation, refused: Refused) -> Talk[Acted]:
    """A test failover's cleanup is begun; the failover is tried again behind it."""
    request = yield from TestFailoverCleanup().request(situation)
    begun = yield from write(request, retryable=BUSY)
    if not isinstance(begun, Accepted):
        return begun
    name = situation.id.name
    said = f"A test failover of {name} still stood; its cleanup has begun (S19, S42), and the failover comes after it"
    return replace(refused, fault=replace(refused.fault, message=said))
