"""A size of machine that a region has no room for: `{"kind": "capacity", "region": ..., "size": ..., "state": ...}`.

A machine of that size that is made or started there while it lasts ends as Azure's allocation does: the operation
fails with `AllocationFailed` (L15; S57: capacity in the target is best effort), a machine that was to start stays
deallocated, one that is being made is Failed, and a failover of Site Recovery fails. Machines that run go on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from farshore.arm.network import normal_location
from farshore.lab.answers import Refused
from farshore.lab.fault_kinds import Wanted, fault_kind, kept_in, mark

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

TABLE = "shortages"


def must_have_room(cloud: Cloud, region: str, size: str) -> None:
    """Raise where a region has no room for one more machine of this size."""
    if _name(region, size) in cloud.table(TABLE):
        raise Refused(
            409,
            "AllocationFailed",
            f"Allocation failed. We do not have sufficient capacity for the requested VM size {size} in the region "
            f"{region}.",
        )


@fault_kind("capacity", needs=("region", "size"))
def capacity(cloud: Cloud, wanted: Wanted, up: bool) -> None:
    region, size = normal_location(str(wanted["region"])), str(wanted["size"])
    mark(cloud, TABLE, _name(region, size), up, region=region, size=size)


kept_in(TABLE)


def _name(region: str, size: str) -> str:
    return f"{normal_location(region)}|{size.lower()}"
