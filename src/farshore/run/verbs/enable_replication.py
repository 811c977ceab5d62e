"""`enable_replication`: PUT a protected item (S12) and wait until it is Protected: first the job, then whole disks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from farshore.arm.http import Request
from farshore.arm.recovery import PROTECTED
from farshore.azure.lro import Pending
from farshore.run.verbs.base import (
    Absent,
    Acted,
    InProgress,
    Looked,
    Present,
    Situation,
    Talk,
    get,
    properties,
    url,
    write,
)
from farshore.run.verbs.recovery import BUSY, JobVerb, ended_job, fail_if_failed, job_id, protected, told


class EnableReplication(JobVerb):
    name = "enable_replication"
    scenarios = frozenset({"EnableDr", "EnableReplication", "ProtectEntity"})

    def look(self, situation: Situation) -> Talk[Looked]:
        response = yield from get(situation.id)
        if response.status == 404:
            return Absent()
        fail_if_failed(response)
        if properties(response).get("protectionState") == PROTECTED:
            return Present(result=told(None, response, properties(response)))
        return InProgress(pending=Pending())

    def act(self, situation: Situation) -> Talk[Acted]:
        body = {"properties": situation.arguments["properties"]}
        headers = {"if-none-match": "*"}
        request = Request(method="PUT", url=url(situation.id), body=body, headers=headers, repeatable=False)
        return (yield from write(request, retryable=BUSY))

    def follow(self, situation: Situation) -> Talk[Mapping[str, Any]]:
        yield from self.job_done(situation)
        response = yield from protected(situation, situation.id)
        job = yield from ended_job(situation.id, job_id(situation.pending), situation.since)
        # Protected comes long after the job's end, and that is what the step is for.
        return {**told(job, response, properties(response)), **told(None, response, properties(response))}
