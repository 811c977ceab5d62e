"""Long-running operations, followed by a generator.

What ARM answers to a write that takes time (L5, L6, S17):

    Azure-AsyncOperation   a status document to poll: {"status": "InProgress" | "Succeeded" | "Failed" | "Canceled",
                           "error"}; anything else counts as running. It comes before Location where both are given
    Location               to poll: 202 until done, then 200 with the result, or 204
    neither                the resource's own `provisioningState`, until it is terminal

The pause between polls is what the service last asked for (`retry-after-ms`, else `Retry-After`), else ten seconds;
polls stand on a grid from the moment of acceptance. `Failed` is an `ArmError` with the operation's own error object.

    pending = pending_of(response)                 what to keep, so that another process can go on
    final = yield from follow(pending, since=...)  the last answer: a result, a status document, or a resource

A poll that is not answered, or answered 408, 429 or 5xx, is missed and tried again, `MISSES` times in a row at most.
An operation that its service no longer knows (404) is over, how, the resource must tell: the answer is returned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from farshore.arm.http import Request, Response, checked, fault_of
from farshore.azure.conversation import Conversation, ask, pause
from farshore.errors import ArmError, Fault, TransportError

INTERVAL = timedelta(seconds=10)
LONGEST = timedelta(days=1)
"""A longer wait than that is no wait, but a mistake."""
MISSES = 30
TERMINAL = frozenset({"succeeded", "failed", "canceled", "cancelled"})
NO_ANSWER_YET = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """Where an operation can be asked for. JSON through `as_json` and `pending_from`."""

    operation: str | None = None
    location: str | None = None
    resource: str | None = None
    """Polled by `provisioningState` where there is no other way."""

    def as_json(self) -> dict[str, str]:
        pairs = (("operation", self.operation), ("location", self.location), ("resource", self.resource))
        return {key: url for key, url in pairs if url is not None}

    def __bool__(self) -> bool:
        return bool(self.operation or self.location or self.resource)


def pending_from(value: Mapping[str, Any]) -> Pending:
    return Pending(operation=value.get("operation"), location=value.get("location"), resource=value.get("resource"))


def pending_of(response: Response, resource: str | None = None) -> Pending:
    """What an accepted write left to follow: nothing, where it is done already."""
    operation = response.headers.get("azure-asyncoperation")
    location = response.headers.get("location") if response.status in (201, 202) or operation else None
    if operation is None and location is None and resource is not None and not _is_settled(response):
        return Pending(resource=resource)
    return Pending(operation=operation, location=location)


def follow(
    started: Pending | Response | str, *, since: datetime, resource: str | None = None, result: bool = False
) -> Conversation[Response]:
    """The last answer of an operation, once it is done. Raises `ArmError` where it failed.

    `since` is the moment of acceptance. `result`: after a status document says Succeeded, the result is read from
    `location` (what a POST asked for, R10, E11).
    """
    interval = INTERVAL
    if isinstance(started, Response):
        pending = pending_of(started, resource)
        if not pending:
            return started
        interval = retry_after(started) or interval
        yield from pause(interval, since)
    else:
        pending = Pending(operation=started) if isinstance(started, str) else started
    url = pending.operation or pending.location or pending.resource
    assert url is not None, "there is nothing to follow"
    response = yield from _polled(url, interval, since, moves=pending.operation is None)
    if result and pending.operation and pending.location and response.status != 404:
        return checked((yield from _polled(pending.location, INTERVAL, since, moves=True)))
    return response


def _polled(url: str, interval: timedelta, since: datetime, *, moves: bool) -> Conversation[Response]:
    """The first answer that is no "not yet". `moves`: a 202 may name a newer Location to poll."""
    misses = 0
    while True:
        try:
            response = yield from ask(Request(method="GET", url=url))
            missed = response.status in NO_ANSWER_YET
        except TransportError:
            misses += 1
            if misses > MISSES:
                raise
            yield from pause(interval, since)
            continue
        misses = misses + 1 if missed else 0
        if response.status == 404:
            return response
        if not missed or misses > MISSES:
            checked(response)
        if not missed and not running(response):
            return response
        if response.status == 202 and moves:
            url = response.headers.get("location", url)
        interval = retry_after(response) or interval
        yield from pause(interval, since)


def running(response: Response) -> bool:
    """Whether an answer says that the operation goes on. Raises `ArmError` where it says that it failed."""
    if response.status == 202:
        return True
    body = response.body
    if not isinstance(body, dict):
        return False
    status = body.get("status")
    if not isinstance(status, str):
        status = state_of(body)
    if status is None or status.lower() == "succeeded":
        return False
    if status.lower() in TERMINAL:
        if isinstance(body.get("error"), dict):
            raise ArmError(fault_of(response))
        raise ArmError(Fault(code=f"Operation{status}", message=f"the operation ended as {status} and says no more"))
    return True


def state_of(body: Any) -> str | None:
    """`properties.provisioningState` of a resource."""
    properties = body.get("properties") if isinstance(body, dict) else None
    state = properties.get("provisioningState") if isinstance(properties, dict) else None
    return state if isinstance(state, str) else None


def retry_after(response: Response) -> timedelta | None:
    """How long the service wants to be left alone: so many seconds, or until a date by its own clock (its Date
    header). None where it does not say, says zero, or says what can't be waited for."""
    for header, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        text = response.headers.get(header, "").strip()
        try:
            seconds = float(text) * unit
        except ValueError:
            seconds = _seconds_until(text, response.headers.get("date", "")) if text else 0.0
        if 0 < seconds <= LONGEST.total_seconds():
            return timedelta(seconds=seconds)
    return None


def _seconds_until(date: str, now: str) -> float:
    try:
        return (parsedate_to_datetime(date) - parsedate_to_datetime(now)).total_seconds()
    except (ValueError, TypeError):
        return 0.0


def _is_settled(response: Response) -> bool:
    state = state_of(response.body)
    return state is None or state.lower() in TERMINAL
