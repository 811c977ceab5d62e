"""test_failover: a test machine in a network of its own (S14); done when the item waits for cleanup and it runs."""

from __future__ import annotations

from typing import Any

from farshore.arm.json import Body
from farshore.azure.conversation import Conversation
from farshore.run.verbs.base import Task
from farshore.run.verbs.item_actions import ItemAction, machine_runs


class TestFailover(ItemAction):
    path = "testFailover"
    scenarios = frozenset({"TestFailover"})

    def body(self, task: Task) -> Body:
        return {
            "failoverDirection": "PrimaryToRecovery",
            "networkType": "VmNetworkAsInput",
            "networkId": task.text("network"),
            "providerSpecificDetails": {"instanceType": "A2A"},
        }

    def is_done(self, task: Task, item: Body) -> bool:
        return "TestFailoverCleanup" in (item.get("allowedOperations") or ())

    def proof(self, task: Task) -> Conversation[dict[str, Any] | None]:
        return (yield from machine_runs(task.text("vm")))
