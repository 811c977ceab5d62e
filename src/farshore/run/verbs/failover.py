"""failover: POST unplannedFailover (S15). Never sent twice: a look finds the job that this step began, or its work."""

from __future__ import annotations

from typing import Any

from farshore.arm.json import Body
from farshore.azure.conversation import Conversation
from farshore.run.verbs.base import Task
from farshore.run.verbs.item_actions import ItemAction, machine_runs

DONE = frozenset({"UnplannedFailoverCommitPendingStatesBegin", "UnplannedFailoverCommitted"})
NAMED = {
    "LatestProcessed": "LatestProcessed",
    "LatestApplicationConsistent": "LatestApplicationConsistent",
}


class Failover(ItemAction):
    path = "unplannedFailover"
    scenarios = frozenset({"UnplannedFailover", "Failover", "PlannedFailover"})

    def body(self, task: Task) -> Body:
        point = task.text("point")
        details: Body = {"instanceType": "A2A"}
        # Latest is no point at all: the service makes one of what has reached it (S15, S26).
        if point != "Latest":
            details["recoveryPointId"] = NAMED.get(point, point)
        return {
            "failoverDirection": task.text("direction"),
            "sourceSiteOperations": "Required" if task.arguments["shutdown"] else "NotRequired",
            "providerSpecificDetails": details,
        }

    def is_done(self, task: Task, item: Body) -> bool:
        return item.get("protectionState") in DONE

    def proof(self, task: Task) -> Conversation[dict[str, Any] | None]:
        return (yield from machine_runs(task.text("vm")))
