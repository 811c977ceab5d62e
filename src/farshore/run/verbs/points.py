"""Which recovery point is meant (S15, S26): the newest of its kind, the newest that is old enough, or one by its id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from farshore.arm.versions import SITE_RECOVERY
from farshore.errors import ArmError, Fault
from farshore.run.verbs.base import Situation, Talk, get_url
from farshore.times import moment

LATEST = "Latest"
PROCESSED, APPLICATION = "LatestProcessed", "LatestApplicationConsistent"
OF_STEP = "OfStep:"
"""`OfStep:failover/point/databases`: what that step has chosen for the item (`shared_point`)."""
OLDER = "Older:"
"""`Older:900`: the newest point that is at least so many seconds old when it is asked for."""


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
    fitting: list[tuple[Any, str]] = []
    page: str | None = f"{situation.id.text}/recoveryPoints?api-version={SITE_RECOVERY}"
    while page is not None:
        body = (yield from get_url(page)).body or {}
        fitting += _fitting(situation, wanted, body)
        page = body.get("nextLink")
    if not fitting:
        raise ArmError(Fault(code="NoRecoveryPoint", message=f"{situation.id.name} has no point that is {wanted}"))
    # S25: points are listed in no order.
    return max(fitting)[1]


def _fitting(situation: Situation, wanted: str, body: Mapping[str, Any]) -> Iterator[tuple[Any, str]]:
    for point in body.get("value") or ():
        about = point.get("properties") or {}
        time = moment(str(about["recoveryPointTime"]))
        if fits(situation, wanted, about, time):
            yield time, str(point["id"])


def fits(situation: Situation, wanted: str, about: Mapping[str, Any], time: datetime) -> bool:
    """Whether a point is of the kind and age that is wanted; its own properties and its time are given."""
    if wanted == APPLICATION and "app" not in str(about.get("recoveryPointType") or "").lower():
        return False
    return not (
        wanted.startswith(OLDER) and situation.now - time < timedelta(seconds=float(wanted.removeprefix(OLDER)))
    )
