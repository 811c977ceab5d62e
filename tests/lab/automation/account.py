"""An automation account on the bench, and short verbs for it."""

from __future__ import annotations

from typing import Any

from farshore.arm.json import Body
from lab.core.bench import Lab, rid

ACCOUNT = rid("Microsoft.Automation/automationAccounts", "auto")


class Automation:
    """An account in a lab. `runs` stands in for what runs programs beside a lab."""

    def __init__(self, lab: Lab | None = None, **more: Any) -> None:
        self.lab = lab or Lab()
        body = {"location": "southeastasia", "properties": {"sku": {"name": "Basic"}}, **more}
        assert self.lab.put(ACCOUNT, body).status == 201

    def runbook(self, name: str, text: str, kind: str = "Python3") -> str:
        """A published runbook."""
        place = f"{ACCOUNT}/runbooks/{name}"
        self.lab.must(self.lab.put(place, {"location": "southeastasia", "properties": {"runbookType": kind}}))
        self.lab.follow(self.lab.put(f"{place}/draft/content", text))
        self.lab.follow(self.lab.post(f"{place}/publish"))
        return place

    def start(self, runbook: str, job: str = "job1", **properties: Any) -> str:
        place = f"{ACCOUNT}/jobs/{job}"
        answer = self.lab.put(place, {"properties": {"runbook": {"name": runbook}, **properties}})
        assert answer.status == 201, answer.body
        return place

    def status(self, job: str) -> str:
        return str(self.lab.properties(job)["status"])

    def asset(self, kind: str, name: str, **properties: Any) -> Body:
        place = f"{ACCOUNT}/{kind}/{name}"
        answer = self.lab.must(self.lab.put(place, {"name": name, "properties": properties}))
        return dict(answer.body)
