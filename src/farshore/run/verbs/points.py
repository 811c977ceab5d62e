"""Which recovery point is meant (S15, S26): the newest of its kind, the newest that is old enough, or one by its id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from farshore.arm.versions import SITE_RECOVERY
from farshore.errors import ArmError, Fault
from farshore.run.verbs.base import Situation, Talk, get_url
from farshore.times import moment

LATEST = "Latest"
PROCESSED, APPLICATION = "LatestProcessed", "LatestApplicationConsistent"
OLDER = "Older:"
"""`Older:900`: the newest point that is at least so many seconds old when it is asked for."""


def point_named(situation: Situation, wanted: str) -> Talk[str | None]:
    """The id of the wanted recovery point; None means Latest to the service. Raises `ArmError` where none fits."""
    if wanted == LATEST:
        return None
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
        if wanted == APPLICATION and "app" not in str(about.get("recoveryPointType") or "").lower():
            continue
        if wanted.startswith(OLDER) and situation.now - time < timedelta(seconds=float(wanted.removeprefix(OLDER))):
            continue
        yield time, str(point["id"])
