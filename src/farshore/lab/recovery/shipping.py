"""Replication: what has arrived on the other side, and the recovery points that are made of it (S25, S26).

Changes are shipped all the time; what is on the other side lags by some seconds. A source that stops in good order
ships the rest. A region that is lost ships nothing more, nor does a machine that is dead: what was written in the last
seconds before is gone, and those are the bytes that a failover loses. So it is with a way that is cut: a cache account
that was deleted, a replica that is gone or that somebody else wrote to, a recovery region that does not answer.
Replication stands still, the points get old, and goes on when the way is open again.

Every five minutes a crash-consistent point is ready: all disks of the machine as of one write. `Latest` at a failover
makes one more of what has been shipped since; if that is nothing, the last one is the latest.

`GET /_lab/recovery-points` tells what no client of Azure can see: which write each point is, on each disk.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from farshore.arm.ids import ResourceId, resource_id
from farshore.lab import machines
from farshore.lab.answers import Refused
from farshore.lab.recovery import ailments, groups, records
from farshore.lab.recovery.disks import disks_at
from farshore.lab.recovery.names import shown_id
from farshore.lab.recovery.points import EVERY, Point, kept, lives
from farshore.lab.recovery.policies import app_consistent_every, retention
from farshore.lab.recovery.records import Record
from farshore.lab.recovery.states import REPLICATING
from farshore.lab.regions import is_dark
from farshore.lab.registry import event, listener
from farshore.lab.storage import volumes
from farshore.times import moment, stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

POINT = "recovery.point"
HISTORY = "recovery.history"
_KINDS = {"LatestProcessed": "", "LatestCrashConsistent": "Crash", "LatestApplicationConsistent": "Application"}


def begin(cloud: Cloud, item: ResourceId, first: datetime | None = None) -> None:
    """From now on: the first point is ready, changes are shipped, and a point follows every five minutes. The first
    is of as long ago as a point takes to be ready, or of a moment that is given."""
    record = records.of(cloud, item)
    ships = _can_ship(cloud, record)
    lag = cloud.duration("recovery.lag", item.key, cloud.count("lag", item.key)).total_seconds()
    record = records.change(
        cloud, item, shipping=ships, shipped_until=None if ships else stamp(cloud.now), lag_seconds=lag
    )
    take(cloud, item, record, first or cloud.now - _ready_after(cloud, item))
    cloud.at(cloud.now + EVERY, POINT, item.key, None)


def end(cloud: Cloud, item: ResourceId) -> None:
    """Nothing is shipped any more: a failover has begun."""
    record = records.get(cloud, item)
    cloud.cancel(POINT, item.key)
    if record is not None and record["shipping"]:
        records.change(cloud, item, shipping=False, shipped_until=stamp(shipped_until(cloud, record)))


def resume(cloud: Cloud, item: ResourceId) -> None:
    """A failover came to nothing: changes are shipped again if they can be, and points follow."""
    look(cloud, item, records.of(cloud, item))
    cloud.at(cloud.now + EVERY, POINT, item.key, None)


def shipped_until(cloud: Cloud, record: Record) -> datetime:
    """The moment up to which everything written is on the other side."""
    before = records.time_of(record, "shipped_until")
    if record["shipping"]:
        until = cloud.now - timedelta(seconds=record["lag_seconds"])
        return until if before is None else max(before, until)
    return before or cloud.now


def latest(cloud: Cloud, item: ResourceId) -> Point:
    """The latest point there can be: what has been shipped is processed first (S26)."""
    record = records.of(cloud, item)
    until = shipped_until(cloud, record)
    last = records.time_of(record, "last_point")
    if last is None or until > last:
        record = take(cloud, item, record, until)
    return records.points(record)[-1]


def find(cloud: Cloud, item: ResourceId, wanted: str | None) -> Point:
    """The recovery point that a request means: an id or a name, or a word of S16; None is `Latest`."""
    if wanted is None or wanted == "Latest":
        return latest(cloud, item)
    there = listed(cloud, records.of(cloud, item))
    if wanted in _KINDS:
        there = [point for point in there if point.kind.startswith(_KINDS[wanted])]
    else:
        name = wanted.rstrip("/").rsplit("/", 1)[-1].lower()
        there = [point for point in there if point.name.lower() == name]
    if not there:
        raise Refused(404, "RecoveryPointNotFound", f"The recovery point '{wanted}' is not there (any more).")
    return there[-1]


def listed(cloud: Cloud, record: Record) -> list[Point]:
    """The points that a client can choose now."""
    return kept(records.points(record), cloud.now, retention(cloud, record["policy"]))


def delete_points(cloud: Cloud, item: ResourceId) -> None:
    """S44: commit deletes them."""
    records.change(cloud, item, points=[])


def use(cloud: Cloud, item: ResourceId, point: Point, used: Record) -> None:
    """Remember what a point has been used for: the job, and the disks that were made of it."""
    key = f"{item.key}|{point.name}"
    row = cloud.table(HISTORY)[key]
    cloud.table(HISTORY)[key] = {**row, "used_by": [*row["used_by"], used]}


@event(POINT)
def every_five_minutes(cloud: Cloud, subject: str, data: Any) -> None:
    record = records.get(cloud, subject)
    body = cloud.body(subject)
    if record is None or body is None or records.phase_of(record) not in REPLICATING:
        return
    item = resource_id(str(body["id"]))
    record = look(cloud, item, record)
    group = groups.together(cloud, item)
    if group is not None:
        if group[0][0] == item:
            _of_one_moment(cloud, group)
    elif record["shipping"]:
        # Never more than what has been shipped: a point that is ready sooner than that is ready with less.
        ready = cloud.now - _ready_after(cloud, item)
        take(cloud, item, record, min(ready, shipped_until(cloud, record)))
    cloud.at(cloud.now + EVERY, POINT, item.key, None)
    cloud.tell("recovery.looked", item.key)


def _of_one_moment(cloud: Cloud, group: list[tuple[ResourceId, Record]]) -> None:
    """A point of one moment for every machine of a replication group: what all of them have shipped by then."""
    at = min(min(cloud.now - _ready_after(cloud, item), shipped_until(cloud, record)) for item, record in group)
    if any((last := records.time_of(record, "last_point")) is not None and at <= last for _, record in group):
        return
    kind = _kind(cloud, group[0][1], at)
    for item, record in group:
        take(cloud, item, record, at, kind=kind, shared=True)


@listener("machine.power")
def follow_the_machine(cloud: Cloud, subject: str, data: Any) -> None:
    """A machine that stops ships the rest, unless its region is gone; one that starts ships again."""
    for item, record in records.for_machine(cloud, subject):
        look(cloud, item, record)


@listener("machine.dead")
def follow_its_death(cloud: Cloud, subject: str, data: Any) -> None:
    """A machine that is dead ships nothing, and one that is there again goes on."""
    follow_the_machine(cloud, subject, data)


@listener("region.lost")
@listener("region.answers")
@listener("region.dark")
def follow_the_region(cloud: Cloud, subject: str, data: Any) -> None:
    """Nothing arrives in a recovery region that does not answer."""
    for item, record in records.items(cloud):
        look(cloud, item, record)


@listener("replication.way")
def follow_what_ails(cloud: Cloud, subject: str, data: Any) -> None:
    """A machine can't send as fast as it writes, or can again."""
    follow_the_machine(cloud, subject, data)


@listener("resource.gone")
def follow_the_way(cloud: Cloud, subject: str, data: Any) -> None:
    """A machine, a cache account or a replica was deleted."""
    if any(kind in subject for kind in ("/virtualmachines/", "/storageaccounts/", "/disks/")):
        for item, record in records.items(cloud):
            parts = [disk[name] for disk in record["disks"] for name in ("staging", "account", "replica")]
            if subject in (str(part).lower() for part in (record["vm"], *parts)):
                look(cloud, item, record)


def look(cloud: Cloud, item: ResourceId, record: Record) -> Record:
    """Begin or stop to ship, as things are now."""
    ships = _can_ship(cloud, record)
    if record["shipping"] and not ships:
        vm = resource_id(record["vm"])
        lost = is_dark(cloud, cloud.region_of(vm)) or machines.is_dead(cloud, vm)
        until = shipped_until(cloud, record) if lost or not _way_is_open(cloud, record) else cloud.now
        return records.change(cloud, item, shipping=False, shipped_until=stamp(until))
    if ships and not record["shipping"] and records.phase_of(record) in REPLICATING:
        return records.change(cloud, item, shipping=True)
    return record


def _can_ship(cloud: Cloud, record: Record) -> bool:
    vm = resource_id(record["vm"])
    runs = cloud.exists(vm) and machines.power(cloud, vm) == "running"
    alive = runs and not machines.is_dead(cloud, vm) and not is_dark(cloud, cloud.region_of(vm))
    return alive and _way_is_open(cloud, record)


def _way_is_open(cloud: Cloud, record: Record) -> bool:
    """Whether what leaves the machine arrives: cache accounts, recovery region, replicas that are the service's own."""
    return ailments.can_send(cloud, record) and all(
        cloud.body(disk["staging"]) is not None and not is_dark(cloud, disk["region"]) and _is_ours(cloud, disk)
        for disk in record["disks"]
    )


def broken(cloud: Cloud, record: Record) -> list[Record]:
    """The disks whose replica is gone, or is not the service's own any more."""
    return [disk for disk in record["disks"] if not _is_ours(cloud, disk)]


def _is_ours(cloud: Cloud, disk: Record) -> bool:
    if not disk["managed"]:
        return cloud.body(disk["account"]) is not None
    body, number = cloud.body(disk["replica"]), volumes.volume_of(cloud, disk["replica"])
    if body is None or number is None or body.get("managedBy"):
        return False
    return not volumes.log(cloud).written_after(number, 0)


def take(
    cloud: Cloud,
    item: ResourceId,
    record: Record,
    at: datetime,
    name: str | None = None,
    *,
    kind: str | None = None,
    shared: bool = False,
) -> Record:
    """Make the point of a moment, and let the replicas follow. Its name is made up unless it has one already, and its
    kind is what is due."""
    log = volumes.log(cloud)
    previous = records.time_of(record, "last_point")
    if previous is not None and at <= previous:
        return record
    sequence = log.sequence_at(at)
    point = Point(
        name=name or cloud.guid("point", item.key, stamp(at)),
        time=at,
        sequence=sequence,
        lives=lives(at, previous),
        kind=kind or _kind(cloud, record, at),
        shared=shared,
    )
    left = kept([*records.points(record), point], cloud.now, retention(cloud, record["policy"]))
    cloud.table(HISTORY)[f"{item.key}|{point.name}"] = {
        "id": shown_id(item.child("recoveryPoints", point.name)),
        "item": shown_id(item),
        "machine": record["vm"],
        **records.point_row(point),
        "disks": [{"disk": disk["source"], "volume": disk["volume"]} for disk in disks_at(record, at)],
        "used_by": [],
    }
    if _way_is_open(cloud, record):
        for disk in record["disks"]:
            volumes.follow(cloud, disk["replica"], disk["volume"], sequence)
    rows = [records.point_row(each) for each in left]
    app = stamp(at) if point.kind == "ApplicationConsistent" else record.get("last_app_point")
    return records.change(cloud, item, points=rows, last_point=stamp(at), last_app_point=app)


def _ready_after(cloud: Cloud, item: ResourceId) -> timedelta:
    """How long a point takes until it can be used."""
    return cloud.duration("recovery.pointReady", item.key, cloud.count("point", item.key))


def _kind(cloud: Cloud, record: Record, at: datetime) -> str:
    every = app_consistent_every(cloud, record["policy"])
    last = record.get("last_app_point")
    due = bool(every) and (last is None or at - moment(last) >= every)
    return "ApplicationConsistent" if due else "CrashConsistent"
