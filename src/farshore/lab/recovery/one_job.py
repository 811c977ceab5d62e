"""Several protected items within one job: what recovery plans (`plan_runs.py`) and clusters (`cluster_runs.py`) share.

Each item goes by its own steps (`failover.py`, `testing.py`) and tells the run with `recovery.member`. One that fails
does not keep the others: the job fails when all are done, with the first reason. The job tells of each machine that it
has moved (`protectedItemDetails`, S23), whatever is done with that machine afterwards.

A run is a row of its table by the job's id; `waiting_for` has the keys of the items that are under way, `refused` the
first refusal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.lab.answers import Refused
from farshore.lab.recovery import failover, jobs, testing
from farshore.lab.recovery.records import Record

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation


def heard(run: Record, data: Any) -> Record:
    """A run that has heard of an item: it waits for it no longer, and remembers the first refusal."""
    waiting = [key for key in run["waiting_for"] if key != str(data["item"]).lower()]
    return {**run, "waiting_for": waiting, "refused": run["refused"] or data.get("refused")}


def tell_of(cloud: Cloud, job: str, item: ResourceId, *, test: bool) -> None:
    """The job tells of a machine that it has moved."""
    details = _details(cloud, job)
    member = testing.member_details(cloud, item) if test else failover.member_details(cloud, item)
    jobs.change(
        cloud, job, customDetails={**details, "protectedItemDetails": [*details["protectedItemDetails"], member]}
    )


def done(cloud: Cloud, operation: Operation) -> None:
    """The end of a failover's or a test's job. Raises the `Refused` that a step left behind; a test waits for its
    cleanup."""
    if (refused := jobs.refusal_of(operation)) is not None:
        raise refused
    if operation.verb == "testFailover":
        details = {**_details(cloud, operation.id), "testFailoverStatus": "WaitingForCompletion"}
        jobs.change(cloud, operation.id, customDetails=details)


def each(cloud: Cloud, items: Iterable[ResourceId], do: Callable[[Cloud, ResourceId], None]) -> Refused | None:
    """Do it with all of them; the first refusal, if one refuses."""
    refused = None
    for item in items:
        try:
            do(cloud, item)
        except Refused as why:
            refused = refused or why
    return refused


def _details(cloud: Cloud, job: str) -> Body:
    row = jobs.get(cloud, job)
    assert row is not None
    found: Body = row["properties"]["customDetails"]
    return found
