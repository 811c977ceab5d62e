"""`test_failover`: POST testFailover on one item (S14). Done when it waits for its cleanup (S19): the operation may
go on until then, so the item decides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from farshore.arm.http import Request
from farshore.arm.json import Body
from farshore.azure.conversation import ask, pause
from farshore.azure.lro import NO_ANSWER_YET, running
from farshore.errors import ArmError, Fault, TransportError
from farshore.run.verbs.base import BEAT, Situation, Talk, get, properties, url
from farshore.run.verbs.recovery import ItemVerb, ended_job, job_id, job_runs

AFTER = 12
"""How often the item is read after its operation has ended."""


class TestFailover(ItemVerb):
    __test__ = False
    name = "test_failover"
    scenarios = frozenset({"TestFailover"})

    def is_done(self, situation: Situation, item: Mapping[str, Any]) -> bool:
        return item.get("testFailoverState") == "WaitingForCompletion"

    def request(self, situation: Situation) -> Talk[Request]:
        yield from ()
        body = {
            "properties": {
                "failoverDirection": "PrimaryToRecovery",
                "networkType": "VmNetworkAsInput",
                "networkId": situation.arguments["network"],
                "providerSpecificDetails": {"instanceType": "A2A", "recoveryPointId": None},
            }
        }
        return Request(method="POST", url=url(situation.id, "/testFailover"), body=body, repeatable=False)

    def job_done(self, situation: Situation) -> Talk[Body | None]:
        left = AFTER
        while left:
            item = yield from get(situation.id)
            if self.is_done(situation, properties(item)):
                break
            if not (yield from _goes_on(situation)):
                left -= 1
            yield from pause(BEAT, situation.since)
        else:
            raise ArmError(Fault(code="NoTest", message=f"{situation.id.name} does not wait for a test's cleanup"))
        return (yield from ended_job(situation.id, job_id(situation.pending), situation.since))


def _goes_on(situation: Situation) -> Talk[bool]:
    """Whether the operation goes on, or the job, where the answer that named the operation was lost; raises
    `ArmError` where it failed."""
    operation = situation.pending.operation or situation.pending.location
    if operation is None:
        job = job_id(situation.pending)
        return job is not None and (yield from job_runs(situation.id, job))
    try:
        response = yield from ask(Request(method="GET", url=operation))
    except TransportError:
        return True
    return response.status in NO_ANSWER_YET or (response.ok and running(response))
