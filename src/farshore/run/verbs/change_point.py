"""`change_point`: POST applyRecoveryPoint on an item that has been failed over and not committed (S44)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from farshore.arm.http import Request
from farshore.run.verbs.base import Situation, Talk, url
from farshore.run.verbs.points import point_named
from farshore.run.verbs.recovery import ItemVerb


class ChangePoint(ItemVerb):
    name = "change_point"
    scenarios = frozenset({"ChangePit", "ApplyRecoveryPoint"})

    def is_done(self, situation: Situation, item: Mapping[str, Any]) -> bool:
        """Before and after it the item looks the same but for the point; so only a job that has ended speaks for it."""
        return bool(situation.pending) and "Commit" in (item.get("allowedOperations") or ())

    def request(self, situation: Situation) -> Talk[Request]:
        point = yield from point_named(situation, str(situation.arguments["point"]))
        details = {"instanceType": "A2A"}
        body = {"properties": {"recoveryPointId": point, "providerSpecificDetails": details}}
        return Request(method="POST", url=url(situation.id, "/applyRecoveryPoint"), body=body, repeatable=False)
