"""A job that does one thing with a protected item and holds it meanwhile."""

from __future__ import annotations

from typing import Any

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId
from farshore.lab.call import Call
from farshore.lab.recovery import jobs, records


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
