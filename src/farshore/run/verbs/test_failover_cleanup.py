"""`test_failover_cleanup`: the test machine goes, and only now the test counts (S42)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from farshore.arm.http import Request
from farshore.run.verbs.base import Situation, Talk, url
from farshore.run.verbs.recovery import ItemVerb


class TestFailoverCleanup(ItemVerb):
    __test__ = False
    name = "test_failover_cleanup"
    scenarios = frozenset({"TestFailoverCleanup"})

    def is_done(self, situation: Situation, item: Mapping[str, Any]) -> bool:
        waiting = item.get("testFailoverState") == "WaitingForCompletion"
        return not waiting and "TestFailover" in (item.get("allowedOperations") or ())

    def request(self, situation: Situation) -> Talk[Request]:
        yield from ()
        body = {"properties": {"comments": "cleaned up by the run that tested it"}}
        return Request(method="POST", url=url(situation.id, "/testFailoverCleanup"), body=body, repeatable=False)
