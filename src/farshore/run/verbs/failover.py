"""`failover`: POST unplannedFailover on one item (S15). Never sent twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from farshore.arm.http import Request
from farshore.arm.recovery import COMMIT_PENDING, COMMITTED
from farshore.run.verbs.base import Situation, Talk, url
from farshore.run.verbs.points import LATEST, point_named
from farshore.run.verbs.recovery import ItemVerb

DONE = frozenset({COMMIT_PENDING, COMMITTED})


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
