"""`commit`: POST failoverCommit on one item; its recovery points go (S44)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from farshore.arm.http import Request
from farshore.arm.recovery import COMMITTED
from farshore.run.verbs.base import Situation, Talk, url
from farshore.run.verbs.recovery import ItemVerb


class Commit(ItemVerb):
    name = "commit"
    scenarios = frozenset({"CommitFailover", "Commit"})

    def is_done(self, situation: Situation, item: Mapping[str, Any]) -> bool:
        return item.get("protectionState") == COMMITTED

    def request(self, situation: Situation) -> Talk[Request]:
        yield from ()
        return Request(method="POST", url=url(situation.id, "/failoverCommit"), repeatable=False)
