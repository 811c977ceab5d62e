"""Which machines run, and with whose data: what the core and the data plane need to know of a machine.

A row of the table `machines` by the machine's id key: `power` (`running`, `starting`, `stopped`, `deallocated`),
`superseded` (its data has been promised elsewhere since: a failover of it completed; when it runs it is stale, D92),
after a region's loss `ran` (it ran, and will start by itself when the region returns), and `write_rate` where the lab
was told of one (`lab/recovery/ailments.py`).

`lab/compute` says when power changes, `lab/recovery` what is superseded; listeners of `machine.power`,
`machine.rate` and `machine.dead` hear of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from farshore.arm.ids import ResourceId, resource_id
from farshore.lab.registry import listener

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

RUNNING = "running"


def power(cloud: Cloud, id_: ResourceId) -> str | None:
    """None for a machine that nobody has started yet."""
    row = cloud.table("machines").get(id_.key)
    found: str | None = None if row is None else row["power"]
    return found


def set_power(cloud: Cloud, id_: ResourceId, to: str, **more: Any) -> None:
    """Change a machine's power and tell everyone."""
    before = power(cloud, id_)
    _change(cloud, id_, power=to, **{"ran": False, **more})
    if before != to:
        cloud.epoch += 1
        cloud.tell("machine.power", id_.key, {"power": to, "before": before})


def write_rate(cloud: Cloud, id_: ResourceId) -> float:
    """Bytes a second that it writes while it runs: what the lab was told of this machine, or of all."""
    row = cloud.table("machines").get(id_.key)
    told = None if row is None else row.get("write_rate")
    return float(cloud.settings.write_rate_bytes_per_second if told is None else told)


def set_write_rate(cloud: Cloud, id_: ResourceId, rate: float | None) -> None:
    """Let one machine write at a rate of its own, or (with None) as all do."""
    _change(cloud, id_, write_rate=rate)
    cloud.tell("machine.rate", id_.key)


def supersede(cloud: Cloud, id_: ResourceId, yes: bool = True) -> None:
    """Its data has been promised elsewhere since (or, with False, is what is promised again)."""
    _change(cloud, id_, superseded=yes)
    cloud.epoch += 1


def is_stale(cloud: Cloud, id_: ResourceId) -> bool:
    row = cloud.table("machines").get(id_.key)
    return bool(row and row["superseded"])


def is_dead(cloud: Cloud, id_: ResourceId) -> bool:
    """Whether it is lost by itself (`lab/faults.py`): ARM shows it as it was, and it does nothing."""
    return id_.key in cloud.table("down")


def in_region(cloud: Cloud, region: str) -> Iterator[ResourceId]:
    """The machines located in a region, in the order of their ids."""
    for key in sorted(cloud.table("machines")):
        body = cloud.body(key)
        if body is not None and cloud.region_of(resource_id(str(body["id"]))) == region:
            yield resource_id(str(body["id"]))


@listener("resource.gone")
def forget(cloud: Cloud, subject: str, data: Any) -> None:
    cloud.table("machines").pop(subject, None)


def _change(cloud: Cloud, id_: ResourceId, **fields: Any) -> None:
    rows = cloud.table("machines")
    row = rows.get(id_.key, {"power": None, "superseded": False, "ran": False})
    rows[id_.key] = {**row, **fields}
