"""`raise_bandwidth`: a circuit gets at least so many Mbps, once somebody has approved it; it never shrinks again (E6).

Nothing is written before a person has said so (whose word counts, the run's machine knows). The approval leads back to
the act, so that the one write is an intention like any other, with its etag, its doubt and its look. A circuit that
has grown so far by then, or further, is left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from farshore.arm.http import Response
from farshore.azure.lro import TERMINAL, Pending, state_of
from farshore.errors import ArmError, Fault
from farshore.run.verbs.base import (
    Absent,
    Accepted,
    Acted,
    AgainError,
    Asked,
    InProgress,
    Looked,
    Present,
    Refused,
    Situation,
    Talk,
    get,
    properties,
    url,
)
from farshore.run.verbs.put import Put


class RaiseBandwidth(Put):
    name = "raise_bandwidth"

    def look(self, situation: Situation) -> Talk[Looked]:
        there = yield from _read(situation)
        state = (state_of(there.body) or "succeeded").lower()
        if not _is_large(situation, there):
            return Absent()
        if state != "succeeded" and state not in TERMINAL:
            return InProgress(pending=Pending(resource=url(situation.id)))
        return Present(result={"found": True, "mbps": _mbps(there)})

    def act(self, situation: Situation) -> Talk[Acted]:
        if situation.approved_by is None:
            return Asked(instruction=str(situation.arguments["instruction"]))
        there = yield from _read(situation)
        if _is_large(situation, there):
            return Accepted()
        return (yield from super().act(situation))

    def follow(self, situation: Situation) -> Talk[Mapping[str, Any]]:
        if not situation.pending:
            there = yield from _read(situation)
            if not _is_large(situation, there):
                # Approved just now: what is left is the act.
                by = situation.approved_by
                raise AgainError(Refused(fault=Fault(code="Approved", message=f"by {by}"), wait=timedelta(0)))
            if _mbps(there) != situation.arguments["mbps"]:
                return {"by": situation.approved_by, "found": True, "mbps": _mbps(there)}
        result = yield from super().follow(situation)
        return {"by": situation.approved_by, **result}


def _read(situation: Situation) -> Talk[Response]:
    there = yield from get(situation.id)
    if there.status == 404:
        raise ArmError(Fault(code="CircuitNotFound", message=f"{situation.id.short} is not there"))
    return there


def _mbps(there: Response) -> int | None:
    found = (properties(there).get("serviceProviderProperties") or {}).get("bandwidthInMbps")
    return found if isinstance(found, int) else None


def _is_large(situation: Situation, there: Response) -> bool:
    return (_mbps(there) or 0) >= int(situation.arguments["mbps"])
