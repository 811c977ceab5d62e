"""What befalls calls and operations: faults of a client's nerves (`lab/faults.py` has the others).

    {"kind": "throttle", "seconds": 60}                       every call answers 429 for so long
    {"kind": "reply-lost", ...}                               it takes effect, nobody hears of it
    {"kind": "late-answer", "seconds": 30, ...}               the answer is so late
    {"kind": "no-answer", ...}                                it never arrives: no effect, and no answer
    {"kind": "twice", ...}                                    it arrives twice, as when a proxy tries again; the
                                                              second answer is heard
    {"kind": "refuse", "code": ..., "status": 500, ...}       it is answered with this error, without effect
    {"kind": "fail-operation", "code": ..., "verb": ..., ...} an operation ends Failed with this error
    {"kind": "hang-operation", "verb": ..., ...}              an operation never ends, until `"state": "up"`

The rows `...` of calls take `method`, `path` (any part of the URL) and `count` (how many; 1), those of operations
`verb` (`put`, `delete`, an action's name), `path` (any part of the resource's id) and `count`. A row that has been
used up is gone. What an operation meets is looked up when it would end, so a fault may come while it is under way.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from farshore.lab.answers import NoAnswer, Refused
from farshore.lab.fault_kinds import Wanted, clearing, fault_kind, showing
from farshore.times import moment, stamp

if TYPE_CHECKING:
    from farshore.lab.call import Call
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

BACK = ("reply-lost", "late-answer")
OF_OPERATIONS = ("fail-operation", "hang-operation")
HUNG = "hung"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mishap:
    """What becomes of an answer on its way: lost, or late."""

    lost: bool = False
    delay: timedelta = timedelta(0)


# Calls. --------------------------------------------------------------------------------------------------------------


def throttled_for(cloud: Cloud) -> int:
    """Seconds for which every call is refused with 429."""
    row = cloud.table("mishaps").get("throttle")
    return 0 if row is None else max(0, round((moment(row["until"]) - cloud.now).total_seconds()))


def arrives_twice(call: Call, method: str) -> bool:
    """Whether this call comes a second time. It is asked before the call is taken, once."""
    return _used(call, method, ("twice",)) is not None


def on_the_way(call: Call, method: str) -> None:
    """Raise `NoAnswer` or `Refused` for a call that does not come through."""
    row = _used(call, method, ("no-answer", "refuse"))
    if row is None:
        return
    if row["kind"] == "no-answer":
        raise NoAnswer(call.request.url)
    raise Refused(row["status"], row["code"], row["message"])


def on_the_way_back(call: Call, method: str) -> Mishap:
    """The first planned mishap that this answer fits."""
    row = _used(call, method, BACK)
    if row is None:
        return Mishap()
    return Mishap(lost=True) if row["kind"] == "reply-lost" else Mishap(delay=timedelta(seconds=row["seconds"]))


def _used(call: Call, method: str, kinds: tuple[str, ...]) -> dict[str, Any] | None:
    for key, row in call.cloud.table("mishaps").items():
        if row["kind"] not in kinds or row["method"] not in (None, method):
            continue
        if row["path"].lower() in call.request.url.lower():
            return _take(call.cloud, key)
    return None


def _take(cloud: Cloud, key: str) -> dict[str, Any]:
    """One of a row, which is gone with the last."""
    rows = cloud.table("mishaps")
    row: dict[str, Any] = rows[key]
    if row["count"] > 1:
        rows[key] = {**row, "count": row["count"] - 1}
    else:
        del rows[key]
    return row


# Operations. ---------------------------------------------------------------------------------------------------------


def must_succeed(cloud: Cloud, operation: Operation) -> None:
    """Raise the `Refused` with which an operation is to fail."""
    key = _fitting(cloud, operation, "fail-operation")
    if key is not None:
        row = _take(cloud, key)
        raise Refused(row["status"], row["code"], row["message"])


def hangs(cloud: Cloud, operation: Operation) -> bool:
    """Whether an operation that is due stands still instead, from now on."""
    if operation.id in cloud.table(HUNG):
        return True
    key = _fitting(cloud, operation, "hang-operation")
    if key is None:
        return False
    row = _take(cloud, key)
    cloud.table(HUNG)[operation.id] = {
        "since": stamp(cloud.now),
        "resource": operation.resource,
        "verb": operation.verb,
        "path": row["path"],
    }
    return True


def _fitting(cloud: Cloud, operation: Operation, kind: str) -> str | None:
    for key, row in cloud.table("mishaps").items():
        if row["kind"] != kind or (row["verb"] or operation.verb).lower() != operation.verb.lower():
            continue
        if row["path"].lower() in operation.resource.lower():
            return str(key)
    return None


# What makes them. ----------------------------------------------------------------------------------------------------


@fault_kind("throttle", needs=("seconds",))
def throttle(cloud: Cloud, wanted: Wanted, up: bool) -> None:
    if up:
        cloud.table("mishaps").pop("throttle", None)
        return
    until = cloud.now + timedelta(seconds=float(wanted["seconds"]))
    cloud.table("mishaps")["throttle"] = {"kind": "throttle", "until": stamp(until)}


def _of_calls(kind: str, *needs: str) -> None:
    @fault_kind(kind, needs=needs)
    def make(cloud: Cloud, wanted: Wanted, up: bool) -> None:
        _drop(cloud, wanted) if up else _keep(cloud, wanted, method=wanted.get("method"))


for _kind, _needs in (
    ("reply-lost", ()),
    ("late-answer", ("seconds",)),
    ("no-answer", ()),
    ("twice", ()),
    ("refuse", ("code",)),
):
    _of_calls(_kind, *_needs)


@fault_kind("fail-operation", needs=("code",))
def fail(cloud: Cloud, wanted: Wanted, up: bool) -> None:
    _drop(cloud, wanted) if up else _keep(cloud, wanted, verb=wanted.get("verb"))


@fault_kind("hang-operation")
def hang(cloud: Cloud, wanted: Wanted, up: bool) -> None:
    """Undone, what stood still because of it goes on at once."""
    if not up:
        _keep(cloud, wanted, verb=wanted.get("verb"))
        return
    _drop(cloud, wanted)
    release(cloud, str(wanted.get("path") or ""), wanted.get("verb"))


def release(cloud: Cloud, path: str = "", verb: str | None = None) -> None:
    """Let operations that stand still end."""
    from farshore.lab.operations import EVENT

    hung = cloud.table(HUNG)
    for id_, row in list(hung.items()):
        if path.lower() in row["resource"].lower() and (verb or row["verb"]).lower() == row["verb"].lower():
            del hung[id_]
            cloud.at(cloud.now, EVENT, id_, None)


@clearing
def clear(cloud: Cloud) -> None:
    cloud.table("mishaps").clear()
    release(cloud)


@showing("mishaps")
def shown(cloud: Cloud) -> list[Any]:
    return list(cloud.table("mishaps").values())


@showing("hung")
def shown_hung(cloud: Cloud) -> list[Any]:
    return [{"operation": id_, **row} for id_, row in cloud.table(HUNG).items()]


def _keep(cloud: Cloud, wanted: Wanted, **more: Any) -> None:
    kind, number = str(wanted["kind"]), cloud.count("mishap")
    row: dict[str, Any] = {
        "kind": kind,
        **more,
        "path": str(wanted.get("path") or ""),
        "count": int(wanted.get("count") or 1),
    }
    if kind in BACK:
        row["seconds"] = float(wanted.get("seconds") or 0)
    if wanted.get("code"):
        # 409 is how Azure's own failed operations read at their result's place.
        row["status"] = int(wanted.get("status") or (409 if kind in OF_OPERATIONS else 500))
        row["code"] = str(wanted["code"])
        row["message"] = str(wanted.get("message") or f"The lab was told to fail this: {wanted['code']}.")
    cloud.table("mishaps")[f"{number:06d}"] = row


def _drop(cloud: Cloud, wanted: Wanted) -> None:
    """Take back what was planned of this kind for these calls or operations."""
    rows = cloud.table("mishaps")
    asked = {name: wanted[name] for name in ("method", "verb", "path", "code") if wanted.get(name)}
    for key, row in list(rows.items()):
        if row["kind"] == wanted["kind"] and all(row.get(name) == value for name, value in asked.items()):
            del rows[key]
