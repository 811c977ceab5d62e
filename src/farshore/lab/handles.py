"""The lab's own handles under `/_lab/` (docs/guide/lab.md) that belong to no provider.

GET  /_lab/requests            every write, with its client request id and answer
GET  /_lab/clock               {"now", "next_due", "speed"}
POST /_lab/clock               {"advance_seconds": 60} | {"to": time} | {"to_next": true}; served by hand only
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from farshore.arm.http import Response
from farshore.lab.answers import bad_request, quoted
from farshore.lab.call import Call, whole_number
from farshore.lab.registry import handle
from farshore.times import moment, stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud


@handle("GET", "_lab/requests")
def requests(call: Call) -> Response:
    said = call.query.get("since", "0")
    since = whole_number(said)
    if since is None:
        raise bad_request("InvalidQuery", f"since is the number of the first write to show, not {quoted(said)}.")
    return Response(status=200, body={"value": list(call.cloud.store.shelf("requests").since(f"{since:08d}"))})


@handle("GET", "_lab/clock")
def clock(call: Call) -> Response:
    return Response(status=200, body=clock_body(call))


@handle("POST", "_lab/clock")
def turn(call: Call) -> Response:
    """Turn the clock by hand. A server that runs its own clock answers this itself."""
    cloud = call.cloud
    wanted: dict[str, Any] = call.object()
    try:
        to = _asked(cloud, wanted)
    except (ValueError, TypeError, OverflowError):
        raise bad_request("InvalidClock", f"This is no time and no number of seconds: {quoted(wanted)}.") from None
    if to < cloud.now:
        raise bad_request("InvalidClock", f"Time does not go back: it is {stamp(cloud.now)}.")
    cloud.advance(to)
    return Response(status=200, body=clock_body(call))


def _asked(cloud: Cloud, wanted: dict[str, Any]) -> datetime:
    if "advance_seconds" in wanted:
        return cloud.now + timedelta(seconds=float(wanted["advance_seconds"]))
    if "to" in wanted:
        return moment(str(wanted["to"]))
    if wanted.get("to_next"):
        return cloud.next_due() or cloud.now
    raise bad_request("InvalidClock", "Say advance_seconds, to, or to_next.")


def clock_body(call: Call) -> dict[str, Any]:
    due = call.cloud.next_due()
    return {"now": stamp(call.cloud.now), "next_due": None if due is None else stamp(due)}
