"""A job that does one thing with a protected item and holds it meanwhile.

The item is let go when the job ends, also where the operation was made to fail (`lab/mishaps.py`) before anything of
the job could say so: the job then says the same, and the item stands again where it stood before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId
from farshore.arm.json import Json
from farshore.lab import operations
from farshore.lab.answers import Refused
from farshore.lab.call import Call
from farshore.lab.recovery import jobs, records
from farshore.lab.recovery.states import Phase
from farshore.lab.registry import listener

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

BEFORE = {Phase.COMMITTING: Phase.FAILED_OVER, Phase.REPROTECTING: Phase.COMMITTED}
"""Where an item stands again after a job on it that came to nothing."""


def begin(
    call: Call, item: ResourceId, verb: str, *, scenario: str, title: str, takes: str, data: Any = None
) -> Response:
    """The 202; the item is held until the job ends."""
    cloud = call.cloud
    response, job = jobs.begin(
        call,
        verb,
        scenario=scenario,
        title=title,
        target=jobs.item_target(cloud, item),
        takes=cloud.duration(takes, item.key, cloud.count("attempt", item.key, verb)),
        data=data,
    )
    jobs.start_task(cloud, job, f"{scenario}Task", title)
    records.scenario(cloud, item, scenario, job)
    return response


@listener("operation.failed")
def came_to_nothing(cloud: Cloud, subject: str, data: Json) -> None:
    """An operation that was made to fail before its job could say anything."""
    row = jobs.get(cloud, subject)
    if row is None or row["properties"]["endTime"] is not None:
        return
    jobs.end_job(cloud, subject, Refused(data["status"], data["code"], data["message"]))
    operation = operations.find(cloud, subject)
    record = None if operation is None else records.get(cloud, operation.resource_id.key)
    if operation is not None and record is not None:
        phase = records.phase_of(record)
        records.change(cloud, operation.resource_id, phase=BEFORE.get(phase, phase))
        records.idle(cloud, operation.resource_id)
