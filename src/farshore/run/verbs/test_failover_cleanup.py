"""test_failover_cleanup: done when the item allows a test again and the test machine is gone; only now it counts
(S42)."""

from __future__ import annotations

from typing import Any

from farshore.arm.json import Body
from farshore.arm.versions import COMPUTE
from farshore.azure.conversation import Conversation
from farshore.run.verbs.base import Task, read_patiently, url_of
from farshore.run.verbs.item_actions import ItemAction


class TestFailoverCleanup(ItemAction):
    path = "testFailoverCleanup"
    scenarios = frozenset({"TestFailoverCleanup", "CompleteTestFailover"})

    def body(self, task: Task) -> Body:
        return {"comments": f"Farshore, step {task.step.id}"}

    def is_done(self, task: Task, item: Body) -> bool:
        return "TestFailover" in (item.get("allowedOperations") or ())

    def proof(self, task: Task) -> Conversation[dict[str, Any] | None]:
        response = yield from read_patiently(url_of(task.text("vm"), COMPUTE))
        return {} if response.status == 404 else None
