"""`failover`: POST unplannedFailover on one item (S15). Never sent twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from farshore.arm.http import Request
from farshore.arm.versions import SITE_RECOVERY
from farshore.errors import ArmError, Fault
from farshore.run.verbs.base import Situation, Talk, get_url, url
from farshore.run.verbs.recovery import ItemVerb
from farshore.times import moment

DONE = frozenset({"UnplannedFailoverCommitPendingStatesBegin", "UnplannedFailoverCommitted"})
LATEST = "Latest"


class Failover(ItemVerb):
    name = "failover"
    scenarios = frozenset({"UnplannedFailover", "PlannedFailover", "Failover"})

    def is_done(self, situation: Situation, item: Mapping[str, Any]) -> bool:
        return item.get("protectionState") in DONE

    def request(self, situation: Situation) -> Talk[Request]:
        arguments = situation.arguments
        point = yield from _point(situation, str(arguments.get("point") or LATEST))
        body = {
            "properties": {
                "failoverDirection": arguments["direction"],
                "sourceSiteOperations": "Required" if arguments.get("shutdown") else "NotRequired",
                "providerSpecificDetails": {"instanceType": "A2A", "recoveryPointId": point},
            }
        }
        return Request(method="POST", url=url(situation.id, "/unplannedFailover"), body=body, repeatable=False)


def _point(situation: Situation, wanted: str) -> Talk[str | None]:
    """The id of the wanted recovery point; None means Latest to the service (S15, S26)."""
    if wanted == LATEST:
        return None
    if wanted not in ("LatestProcessed", "LatestApplicationConsistent"):
        return wanted
    best: tuple[Any, str] | None = None
    page: str | None = f"{situation.id.text}/recoveryPoints?api-version={SITE_RECOVERY}"
    while page is not None:
        body = (yield from get_url(page)).body or {}
        for point in body.get("value") or ():
            about = point.get("properties") or {}
            kind = str(about.get("recoveryPointType") or "").lower()
            if wanted == "LatestApplicationConsistent" and "app" not in kind:
                continue
            # S25: points are listed in no order.
            time = moment(str(about["recoveryPointTime"]))
            if best is None or time > best[0]:
                best = (time, str(point["id"]))
        page = body.get("nextLink")
    if best is None:
        raise ArmError(Fault(code="NoRecoveryPoint", message=f"{situation.id.name} has no point that is {wanted}"))
    return best[1]
