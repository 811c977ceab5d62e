"""Time as an argument.

Two clocks, one protocol. `WallClock` is the machine's. `LabClock` is simulated: it stands still while any actor is
busy and jumps to the next due time when all of them wait. An actor is a task that will call `sleep`; it holds a
busy token from the moment it is started until it sleeps, and whoever wakes a sleeper takes the token on its behalf
before it wakes, so that no instant exists in which the clock could run past it. Sleepers due at one instant wake in
order of (due, name): the same story has the same timings whatever the machine's speed.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What the driver, the client and the lab know of time."""

    def now(self) -> datetime:
        """The moment it is, aware, UTC."""

    async def sleep(self, duration: timedelta, name: str = "") -> None:
        """Wait. `name` orders sleepers that are due at the same instant."""


class WallClock:
    """Real time, or real time run `speed` times as fast for a lab that is served so."""

    def __init__(self, speed: float = 1.0, origin: datetime | None = None) -> None:
        self._speed = speed
        self._started = datetime.now(UTC)
        self._origin = origin or self._started

    def now(self) -> datetime:
        return self._origin + (datetime.now(UTC) - self._started) * self._speed

    async def sleep(self, duration: timedelta, name: str = "") -> None:
        await asyncio.sleep(max(0.0, duration.total_seconds()) / self._speed)


class LabClock:
    """Simulated time for actors in one event loop. See the theory above.

    `on_advance` is called with the new time before anyone wakes, so that the lab's own events happen first.
    """

    def __init__(self, start: datetime, on_advance: Callable[[datetime], None] | None = None) -> None:
        assert start.tzinfo is not None, "lab time is aware"
        self._now = start
        self._busy = 0
        self._sleepers: list[tuple[datetime, str, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self.on_advance = on_advance

    def now(self) -> datetime:
        return self._now

    @asynccontextmanager
    async def actor(self) -> AsyncIterator[None]:
        """Hold a busy token for the length of the block. Every task that sleeps on this clock needs one."""
        self._busy += 1
        try:
            yield
        finally:
            self._release()

    def take(self) -> None:
        """Take a token on behalf of a task about to be started; that task gives it back with `give`."""
        self._busy += 1

    def give(self) -> None:
        self._release()

    async def sleep(self, duration: timedelta, name: str = "") -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        due = self._now + max(duration, timedelta(0))
        heapq.heappush(self._sleepers, (due, name, next(self._order), future))
        self._release()
        try:
            await future
        except asyncio.CancelledError:
            if not future.done() or future.cancelled():
                self._busy += 1  # the token that the waker would have taken
            raise

    @asynccontextmanager
    async def idle(self) -> AsyncIterator[None]:
        """Give the token up for a wait that is not on the clock (a queue, other tasks), and take it back after."""
        self._release()
        try:
            yield
        finally:
            self._busy += 1

    def _release(self) -> None:
        self._busy -= 1
        assert self._busy >= 0, "a busy token was given back twice"
        if self._busy == 0:
            asyncio.get_running_loop().call_soon(self._advance)

    def _advance(self) -> None:
        """Nobody is busy: move to the next due time and wake one sleeper."""
        if self._busy:
            return
        while self._sleepers:
            due, _, _, future = heapq.heappop(self._sleepers)
            if future.done():
                continue
            if due > self._now:
                self._now = due
                if self.on_advance is not None:
                    self.on_advance(due)
            self._busy += 1
            future.set_result(None)
            return
