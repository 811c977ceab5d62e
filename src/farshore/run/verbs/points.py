"""Which recovery point is meant (S15, S26): the newest of its kind, the newest that is old enough, or one by its id."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from farshore.arm.ids import resource_id
from farshore.arm.recovery import COMMIT_PENDING
from farshore.arm.versions import SITE_RECOVERY
from farshore.errors import ArmError, Fault
from farshore.plan.actions import OF_STEP, OLDER
from farshore.run.verbs.base import Situation, Talk, get, get_url, properties
from farshore.times import moment, span

LATEST = "Latest"
PROCESSED, APPLICATION = "LatestProcessed", "LatestApplicationConsistent"


def point_named(situation: Situation, wanted: str) -> Talk[str | None]:
    """The id of the wanted recovery point; None means Latest to the service. Raises `ArmError` where none fits."""
    if wanted == LATEST:
        return None
    if wanted.startswith(OF_STEP):
        # A person who has skipped the choice lets each machine go to its own latest.
        chosen = (situation.before.get(wanted.removeprefix(OF_STEP)) or {}).get("points") or {}
        found: str | None = chosen.get(situation.id.key)
        return found
    if wanted not in (PROCESSED, APPLICATION) and not wanted.startswith(OLDER):
        return wanted
    fitting = yield from listed(situation, situation.id.text, wanted)
    if not fitting:
        message = f"{situation.id.name} has no point that is {said(wanted)}"
        raise ArmError(Fault(code="NoRecoveryPoint", message=message))
    # S25: points are listed in no order.
    return max(fitting)[1]


def said(wanted: str) -> str:
    """A kind of point in words."""
    if wanted.startswith(OLDER):
        age = span(float(wanted.removeprefix(OLDER)))
        return f"at least {age} old and, once it has failed over, older than the one it is made of"
    return wanted


def listed(
    situation: Situation, item: str, wanted: str, *, sync: str | None = None
) -> Talk[list[tuple[datetime, str]]]:
    """Every point of an item that is of the wanted kind and age, its time first; `sync`: of that sync type alone."""
    made = (yield from _made_of(item)) if wanted.startswith(OLDER) else None
    found: list[tuple[datetime, str]] = []
    page: str | None = f"{item}/recoveryPoints?api-version={SITE_RECOVERY}"
    while page is not None:
        body = (yield from get_url(page)).body or {}
        for point in body.get("value") or ():
            about = point.get("properties") or {}
            time = moment(str(about["recoveryPointTime"]))
            kind = (about.get("providerSpecificDetails") or {}).get("recoveryPointSyncType")
            if (sync is None or kind == sync) and _fits(situation, wanted, about, time) and (not made or time < made):
                found.append((time, str(point["id"])))
        page = body.get("nextLink")
    return found


def _made_of(item: str) -> Talk[datetime | None]:
    """The time of the point that a machine is made of whose failover is not committed. A while after a loss that point
    is old enough itself, and who changes it means one before it (S44)."""
    shown = properties((yield from get(resource_id(item))))
    made = shown.get("failoverRecoveryPointId")
    if not made or shown.get("protectionState") != COMMIT_PENDING:
        return None
    time = properties((yield from get(resource_id(str(made))))).get("recoveryPointTime")
    return None if time is None else moment(str(time))


def _fits(situation: Situation, wanted: str, about: Mapping[str, Any], time: datetime) -> bool:
    """Whether a point is of the kind and age that is wanted; its own properties and its time are given."""
    if wanted == APPLICATION and "app" not in str(about.get("recoveryPointType") or "").lower():
        return False
    return not (
        wanted.startswith(OLDER) and situation.now - time < timedelta(seconds=float(wanted.removeprefix(OLDER)))
    )
