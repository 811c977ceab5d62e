"""commit: POST failoverCommit; done when the item is UnplannedFailoverCommitted (S44)."""

from __future__ import annotations

from farshore.arm.http import Request
from farshore.arm.json import Body
from farshore.arm.versions import SITE_RECOVERY
from farshore.azure.conversation import Conversation
from farshore.run.verbs.base import Task, url_of
from farshore.run.verbs.item_actions import ItemAction


class Commit(ItemAction):
    path = "failoverCommit"
    scenarios = frozenset({"CommitFailover", "FailoverCommit", "Commit"})

    def request(self, task: Task, item: Body) -> Conversation[Request]:
        yield from ()
        return Request(method="POST", url=url_of(task.text("id"), SITE_RECOVERY, self.path), repeatable=False)

    def is_done(self, task: Task, item: Body) -> bool:
        return item.get("protectionState") == "UnplannedFailoverCommitted"
