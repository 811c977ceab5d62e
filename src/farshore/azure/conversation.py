"""A conversation with ARM as a generator: it asks, somebody else sends.

It yields a `Request` and is sent the `Response`, or yields a `Wait` and is sent the moment at which the wait ended.
When no answer came, `TransportError` is raised at the place where it asked. So a conversation can be read from top to
bottom, holds no client and no clock, and the driver of a run, a simulator and a unit test each hold the same one.

`ask`, `pause` and `read` give the two yields their types:

    response = yield from ask(Request(method="GET", url=...))
    now = yield from pause(timedelta(seconds=10))

A wait with `since` ends on a grid: at the next whole number of durations after that moment. A conversation that is
begun anew after a crash then keeps the beat of the first one.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from farshore.arm.http import Request, Response, Wait, checked
from farshore.clock import Clock
from farshore.errors import TransportError

T = TypeVar("T")

Conversation = Generator[Request | Wait, Any, T]


class Sender(Protocol):
    """What sends a request: the client. Raises `TransportError` when no answer comes."""

    async def send(self, request: Request) -> Response: ...


def ask(request: Request) -> Conversation[Response]:
    """The answer, whatever it says."""
    response: Response = yield request
    return response


def pause(duration: timedelta, since: datetime | None = None) -> Conversation[datetime]:
    """Let time pass; the moment afterwards. With `since`, until the next multiple of `duration` after it."""
    now: datetime = yield Wait(duration=duration, since=since)
    return now


def read(url: str) -> Conversation[Response]:
    """A GET that must succeed; raises `ArmError`."""
    request = Request(method="GET", url=url)
    return checked((yield from ask(request)), request)


async def converse(conversation: Conversation[T], client: Sender, clock: Clock, name: str = "") -> T:
    """Hold a conversation to its end and give what it returns."""
    said: Any = None
    try:
        while True:
            try:
                wanted = conversation.send(said)
                while isinstance(wanted, Request):
                    try:
                        said = await client.send(wanted)
                    except TransportError as error:
                        wanted = conversation.throw(error)
                    else:
                        wanted = conversation.send(said)
            except StopIteration as end:
                result: T = end.value
                return result
            await clock.sleep(length(wanted, clock.now()), name)
            said = clock.now()
    finally:
        conversation.close()


def length(wait: Wait, now: datetime) -> timedelta:
    """How long a wait that begins now is."""
    if wait.since is None or wait.duration <= timedelta(0):
        return wait.duration
    beats = math.floor((now - wait.since) / wait.duration) + 1
    return max(wait.since + max(beats, 1) * wait.duration - now, timedelta(0))
