"""Who holds a conversation sends its requests and lets its time pass; waits stand on a grid."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from farshore.arm.http import Request, Response, Wait
from farshore.azure.conversation import Conversation, ask, converse, length, pause, read
from farshore.clock import LabClock
from farshore.errors import ArmError, TransportError
from run.talk import NOW, answer, gone

SECONDS = st.integers(0, 10**9).map(lambda micro: timedelta(microseconds=micro))


@given(duration=SECONDS.filter(bool), elapsed=SECONDS)
def test_a_wait_with_since_ends_on_its_grid(duration: timedelta, elapsed: timedelta) -> None:
    now = NOW + elapsed
    waited = length(Wait(duration=duration, since=NOW), now)
    assert timedelta(0) < waited <= duration
    assert (now + waited - NOW) % duration == timedelta(0)


@given(duration=SECONDS, early=SECONDS)
def test_a_grid_that_has_not_begun(duration: timedelta, early: timedelta) -> None:
    """Clocks differ: a moment of acceptance can lie ahead."""
    waited = length(Wait(duration=duration, since=NOW), NOW - early)
    assert waited == (duration + early if duration else duration)


def test_a_wait_without_since_is_as_long_as_it_says() -> None:
    assert length(Wait(duration=timedelta(seconds=7)), NOW) == timedelta(seconds=7)


class Sender:
    def __init__(self, *script: Response | Exception) -> None:
        self.script = list(script)
        self.asked: list[str] = []

    async def send(self, request: Request) -> Response:
        self.asked.append(request.url)
        said = self.script.pop(0)
        if isinstance(said, Exception):
            raise said
        return said


def held(talk: Conversation[object], sender: Sender) -> tuple[object, float]:
    clock = LabClock(NOW)

    async def whole() -> object:
        async with clock.actor("test"):
            return await converse(talk, sender, clock)

    return asyncio.run(whole()), (clock.now() - NOW).total_seconds()


def test_silence_is_raised_where_it_was_asked() -> None:
    def talk() -> Conversation[object]:
        try:
            yield from ask(Request(method="GET", url="/a"))
        except TransportError:
            now = yield from pause(timedelta(seconds=30))
            return (now - NOW).total_seconds(), (yield from read("/b")).body
        raise AssertionError("it was silent")

    sender = Sender(TransportError("silence"), answer(200, "x"))
    assert held(talk(), sender) == ((30.0, "x"), 30.0)
    assert sender.asked == ["/a", "/b"]


def test_two_silences_in_a_row() -> None:
    def talk() -> Conversation[object]:
        for url in ("/a", "/b", "/c"):
            try:
                return (yield from ask(Request(method="GET", url=url))).status
            except TransportError:
                continue
        return None

    assert held(talk(), Sender(TransportError("1"), TransportError("2"), answer(200)))[0] == 200


def test_what_a_conversation_raises_comes_out_and_it_is_closed() -> None:
    closed = []

    def talk() -> Conversation[object]:
        try:
            return (yield from read("/a")).body
        finally:
            closed.append(True)

    for said, kind in ((gone(), ArmError), (TransportError("silence"), TransportError)):
        try:
            held(talk(), Sender(said))
        except (ArmError, TransportError) as error:
            assert isinstance(error, kind)
        else:
            raise AssertionError("nothing was raised")
    assert closed == [True, True]
