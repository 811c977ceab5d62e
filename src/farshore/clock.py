"""Time as an argument.

Two clocks, one protocol. `WallClock` is the machine's. `LabClock` is simulated: it stands still while any actor is
busy and jumps to the next due time when all of them wait.

An actor is a task that waits on the clock: one that `spawn` started, or one inside `async with clock.actor()`. It
holds a token, its own task, from its turn until it sleeps, and whoever wakes a sleeper gives it the token before it
wakes. So no instant exists in which time could run past a task that can run. When nobody holds a token, in this order:

    1. who is due now gets a turn, one at a time, by (due, name): what two actors do at one instant has an order,
       and it is not the order in which they were started
    2. an inbox that has mail is handed to its owner: all that the others did at this instant in one piece
    3. the clock moves to the next due time; `on_advance` hears of it before anyone wakes

Names must tell actors apart. A task that ends keeps its token until whoever waits for it has had the chance to wake.
A wait for something else than the clock is `async with clock.idle()`; what ends it must be an actor's doing, or time
goes on meanwhile, as it should. Where nothing is due, nobody is idle and an inbox is waited for, that wait raises: it
would never end.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

T = TypeVar("T")


class Clock(Protocol):
    """What the client and the lab know of time."""

    def now(self) -> datetime:
        """The moment it is, aware, UTC."""

    async def sleep(self, duration: timedelta, name: str = "") -> None:
        """Wait. `name` orders sleepers that are due at the same instant; an actor's own name if none is given."""


class Inbox(Protocol[T]):
    """Where tasks leave what they found for the one that collects it."""

    def put(self, item: T) -> None: ...

    async def take(self) -> list[T]:
        """Wait until there is something and nobody else has anything left to do at this instant; then all of it."""


class ActorClock(Clock, Protocol):
    """What the driver of a run needs besides: tasks that wait on this clock, and a place to hear from them."""

    def spawn(self, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        """Start an actor. `name` is its place among those that are due at the same instant."""

    def actor(self, name: str = "") -> Any:
        """`async with clock.actor():` makes the present task an actor; nothing changes where it is one."""

    def idle(self) -> Any:
        """`async with clock.idle():` a wait for something else than the clock."""

    def inbox(self, name: str) -> Inbox[Any]: ...


class WallClock:
    """Real time, or real time run `speed` times as fast for a lab that is served so."""

    def __init__(self, speed: float = 1.0, origin: datetime | None = None) -> None:
        self._speed = speed
        self._real = speed == 1.0 and origin is None
        self._started = time.monotonic()
        self._origin = origin or datetime.now(UTC)

    def now(self) -> datetime:
        if self._real:
            return datetime.now(UTC)
        return self._origin + timedelta(seconds=(time.monotonic() - self._started) * self._speed)

    async def sleep(self, duration: timedelta, name: str = "") -> None:
        await asyncio.sleep(max(0.0, duration.total_seconds()) / self._speed)

    def spawn(self, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        return asyncio.get_running_loop().create_task(work, name=name)

    @asynccontextmanager
    async def actor(self, name: str = "") -> AsyncIterator[None]:
        yield

    @asynccontextmanager
    async def idle(self) -> AsyncIterator[None]:
        yield

    def inbox(self, name: str) -> Inbox[Any]:
        return _WallInbox()


class _WallInbox(Generic[T]):
    def __init__(self) -> None:
        self._items: list[T] = []
        self._filled = asyncio.Event()

    def put(self, item: T) -> None:
        self._items.append(item)
        self._filled.set()

    async def take(self) -> list[T]:
        await self._filled.wait()
        # One turn of the loop, so that tasks that end together are heard together.
        await asyncio.sleep(0)
        self._filled.clear()
        items, self._items = self._items, []
        return items


@dataclass(slots=True, eq=False)
class _Turn:
    """A place in the queue: granted when its future has a result or an error, dead when it was cancelled."""

    future: asyncio.Future[None]
    task: asyncio.Task[Any] | None

    @property
    def granted(self) -> bool:
        return self.future.done() and not self.future.cancelled()


class LabClock:
    """Simulated time for actors in one event loop. See the theory above."""

    def __init__(self, start: datetime, on_advance: Callable[[datetime], datetime | None] | None = None) -> None:
        assert start.tzinfo is not None, "lab time is aware"
        self.on_advance = on_advance
        self._now = start
        self._holders: dict[asyncio.Task[Any], None] = {}
        self._sleepers: list[tuple[datetime, str, int, _Turn]] = []
        self._order = itertools.count()
        self._waiting: list[_LabInbox[Any]] = []
        self._idle = 0
        self._settling = False

    def now(self) -> datetime:
        return self._now

    async def sleep(self, duration: timedelta, name: str = "") -> None:
        task = self._holder()
        turn = self._enqueue(self._now + max(duration, timedelta(0)), name or _NAME.get(), task)
        self._drop(task)
        await self._granted(turn)

    def spawn(self, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        turn = self._enqueue(self._now, name, None)
        task = asyncio.get_running_loop().create_task(self._live(work, turn, name), name=name)
        turn.task = task
        task.add_done_callback(partial(self._ended, turn, work))
        self._settle()
        return task

    @asynccontextmanager
    async def actor(self, name: str = "") -> AsyncIterator[None]:
        task = _current()
        if task in self._holders:
            yield
            return
        self._holders[task] = None
        token = _NAME.set(name or _NAME.get())
        try:
            yield
        finally:
            _NAME.reset(token)
            self._drop(task)

    @asynccontextmanager
    async def idle(self) -> AsyncIterator[None]:
        """Give the token up for a wait that is not on the clock (other tasks), and take it back after."""
        task = self._holder()
        self._idle += 1
        self._drop(task)
        try:
            yield
        finally:
            self._idle -= 1
            self._holders[task] = None

    def inbox(self, name: str) -> Inbox[Any]:
        return _LabInbox(self, name)

    # Turns and tokens. ---------------------------------------------------------------------------------------------

    async def _live(self, work: Coroutine[Any, Any, T], turn: _Turn, name: str) -> T:
        _NAME.set(name)
        await self._granted(turn)
        return await work

    def _ended(self, turn: _Turn, work: Coroutine[Any, Any, Any], task: asyncio.Task[Any]) -> None:
        work.close()  # it has not begun where the task was cancelled before its turn
        turn.future.cancel()
        # Not at once: who waits for the task is woken by a callback that stands behind this one.
        asyncio.get_running_loop().call_soon(self._drop, task)

    def _enqueue(self, due: datetime, name: str, task: asyncio.Task[Any] | None) -> _Turn:
        turn = _Turn(asyncio.get_running_loop().create_future(), task)
        heapq.heappush(self._sleepers, (due, name, next(self._order), turn))
        return turn

    async def _granted(self, turn: _Turn) -> None:
        try:
            await turn.future
        except asyncio.CancelledError:
            if not turn.granted:
                # Nobody woke it, so nobody gave it the token; it is busy all the same while it unwinds.
                self._holders[_current()] = None
            raise

    def _grant(self, turn: _Turn, error: BaseException | None = None) -> None:
        assert turn.task is not None
        self._holders[turn.task] = None
        if error is None:
            turn.future.set_result(None)
        else:
            turn.future.set_exception(error)

    def _holder(self) -> asyncio.Task[Any]:
        task = _current()
        assert task in self._holders, (
            f"{task.get_name()} waits on the lab's clock and is no actor of it: start it with `spawn`, "
            "or put `async with clock.actor():` around what it does"
        )
        return task

    def _drop(self, task: asyncio.Task[Any]) -> None:
        self._holders.pop(task, None)
        self._settle()

    def _settle(self) -> None:
        """If nobody is busy, look again after two turns of the loop: as many as it takes for the end of a task to
        reach, through a gather or a group, the task that waits for it. Then go on."""
        if not self._holders and not self._settling:
            self._settling = True
            asyncio.get_running_loop().call_soon(self._settled, 2)

    def _settled(self, more: int) -> None:
        if self._holders:
            self._settling = False
        elif more:
            asyncio.get_running_loop().call_soon(self._settled, more - 1)
        else:
            self._settling = False
            self._go_on()

    def _go_on(self) -> None:
        """Nobody is busy: one turn to whom it belongs, by the rules at the top."""
        sleepers = self._sleepers
        while sleepers and sleepers[0][3].future.done():
            heapq.heappop(sleepers)
        if not (sleepers and sleepers[0][0] <= self._now):
            full = [box for box in self._waiting if box.items and not box.turn.future.done()]
            if full:
                self._grant(min(full, key=lambda box: box.name).turn)
                return
        if not sleepers:
            self._tell_of_deadlock()
            return
        due, _, _, turn = heapq.heappop(sleepers)
        if due > self._now:
            self._now = due
            if self.on_advance is not None:
                try:
                    # A clock that others turn too may stand further by now.
                    self._now = max(due, self.on_advance(due) or due)
                except BaseException as error:
                    # Raised where somebody waits for it: an exception in a callback of the loop is nobody's.
                    self._grant(turn, error)
                    return
        self._grant(turn)

    def _tell_of_deadlock(self) -> None:
        """Nothing is due and nobody waits for the outside: who waits for mail waits for ever, and is told so."""
        waiting = [box for box in self._waiting if not box.turn.future.done()]
        if waiting and not self._idle:
            box = min(waiting, key=lambda box: box.name)
            why = f"the lab's clock stands still: {box.name} waits for mail, and nobody is left who could send it"
            self._grant(box.turn, RuntimeError(why))


class _LabInbox(Generic[T]):
    turn: _Turn

    def __init__(self, clock: LabClock, name: str) -> None:
        self.name = name
        self.items: list[T] = []
        self._clock = clock

    def put(self, item: T) -> None:
        self.items.append(item)
        self._clock._settle()

    async def take(self) -> list[T]:
        clock = self._clock
        task = clock._holder()
        assert self not in clock._waiting, f"two tasks wait for the inbox {self.name}"
        self.turn = _Turn(asyncio.get_running_loop().create_future(), task)
        clock._waiting.append(self)
        clock._drop(task)
        try:
            await clock._granted(self.turn)
        finally:
            clock._waiting.remove(self)
        items, self.items = self.items, []
        return items


_NAME: ContextVar[str] = ContextVar("farshore_actor", default="")


def _current() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None, "the clock is used inside a task"
    return task
