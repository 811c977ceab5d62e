"""Replication that ails because the lab was told so: `POST /_lab/faults` (`lab/faults.py`).

    {"kind": "replication", "id": MACHINE, "state": ..., "code": "151037"?, "message": ...?}
    {"kind": "churn", "id": MACHINE, "bytes_per_second": 60000000, "state": ...}

`replication`: what the machine writes no longer leaves it, as when its agent is cut off. The item is Critical at once,
with the error that was given, and after an hour without a point with 153007 as well (S22). Undone, it ships again.

`churn`: the machine writes at that rate. Above what Site Recovery takes from one machine, 54 MB/s or 100 MB/s with
high churn (S27, S29), changes can't be shipped as fast as they come: no more points, a warning at once, 153007 after an
hour. The rate also counts as bytes: a failover loses what was written since the last point. Below the limit it is just
a busy machine.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from farshore.arm.ids import resource_id
from farshore.arm.json import Body
from farshore.lab import machines
from farshore.lab.answers import bad_request
from farshore.lab.compute.attached import VIRTUAL_MACHINES
from farshore.lab.fault_kinds import Wanted, clearing, fault_kind, mark, showing
from farshore.lab.recovery import records
from farshore.lab.recovery.records import Record
from farshore.times import moment

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

TABLE = "ailing"
NORMAL, HIGH = 54_000_000, 100_000_000
"""Bytes a second of one machine (S29)."""
CUT_OFF = "151037"
"""Shown where no code is given."""


def can_send(cloud: Cloud, record: Record) -> bool:
    """Whether what a machine writes leaves it as fast as it is written."""
    return _row(cloud, "replication", record["vm"]) is None and not _too_fast(cloud, record)


def errors(cloud: Cloud, record: Record, name: str) -> list[dict[str, Any]]:
    """What an item says of it: `code`, `level`, `message`, `causes`, `action`, `since`."""
    found: list[dict[str, Any]] = []
    cut = _row(cloud, "replication", record["vm"])
    if cut is not None:
        found.append(
            {
                "code": cut["code"],
                "level": "Critical",
                "message": cut["message"]
                or f"The virtual machine '{name}' does not send its changes to Site Recovery.",
                "causes": "The machine can't reach Site Recovery or its cache storage account.",
                "action": "See that the machine's way to Site Recovery and to the cache storage account is open.",
                "since": _since(cut),
            }
        )
    fast = _row(cloud, "churn", record["vm"])
    if fast is not None and _too_fast(cloud, record):
        rate = fast["bytes_per_second"] / 1_000_000
        found.append(
            {
                # No page names the code of the rate itself: ours.
                "code": "ChurnAboveLimit",
                "level": "Warning",
                "message": f"The virtual machine '{name}' changes {rate:.0f} MB/s, more than Site Recovery takes: "
                f"{_limit(cloud, record) / 1_000_000:.0f} MB/s.",
                "causes": "The machine writes faster than its changes can be replicated.",
                "action": "Lower the rate, or protect the machine with high churn.",
                "since": _since(fast),
            }
        )
    return found


def check(cloud: Cloud, wanted: Wanted) -> None:
    if next(records.for_machine(cloud, str(wanted["id"])), None) is None:
        raise bad_request("InvalidFault", f"{wanted['id']} is no machine that Site Recovery replicates now.")


@fault_kind("replication", needs=("id",), of=(VIRTUAL_MACHINES,), check=check)
def replication(cloud: Cloud, wanted: Wanted, up: bool) -> None:
    more = {"code": str(wanted.get("code") or CUT_OFF), "message": str(wanted.get("message") or "")}
    _set(cloud, "replication", str(wanted["id"]), more, up)


@fault_kind("churn", needs=("id", "bytes_per_second"), of=(VIRTUAL_MACHINES,))
def churn(cloud: Cloud, wanted: Wanted, up: bool) -> None:
    machine = resource_id(str(wanted["id"]))
    rate = 0.0 if up else float(wanted["bytes_per_second"])
    machines.set_write_rate(cloud, machine, None if up else rate)
    _set(cloud, "churn", machine.key, {"bytes_per_second": rate}, up)


@clearing
def clear(cloud: Cloud) -> None:
    for row in list(cloud.table(TABLE).values()):
        wanted = {"id": row["machine"], "bytes_per_second": 0}
        churn(cloud, wanted, True) if row["kind"] == "churn" else replication(cloud, wanted, True)


@showing("ailing")
def shown(cloud: Cloud) -> list[Any]:
    return list(cloud.table(TABLE).values())


def _set(cloud: Cloud, kind: str, machine: str, more: Body, up: bool) -> None:
    mark(cloud, TABLE, f"{kind}|{machine.lower()}", up, kind=kind, machine=machine, **more)
    cloud.tell("replication.way", machine.lower())


def _row(cloud: Cloud, kind: str, machine: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = cloud.table(TABLE).get(f"{kind}|{machine.lower()}")
    return found


def _since(row: Body) -> datetime:
    return moment(str(row["since"]))


def _limit(cloud: Cloud, record: Record) -> int:
    """High churn is what goes through a cache account of premium block blobs (S27)."""
    caches = [cloud.body(disk["staging"]) or {} for disk in record["disks"]]
    return HIGH if caches and all(cache.get("kind") == "BlockBlobStorage" for cache in caches) else NORMAL


def _too_fast(cloud: Cloud, record: Record) -> bool:
    row = _row(cloud, "churn", record["vm"])
    return row is not None and row["bytes_per_second"] > _limit(cloud, record)
