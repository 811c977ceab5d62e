"""The lab's clock: time stands still while any actor is busy, and what happens at one instant has an order."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farshore.clock import LabClock, WallClock

START = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)


def seconds(value: float) -> timedelta:
    return timedelta(seconds=value)


def run(work: Callable[[LabClock], Coroutine[Any, Any, Any]], clock: LabClock | None = None) -> Any:
    """Hold it as an actor; a hang is a failure, not a wait."""
    lab = clock or LabClock(START)

    async def whole() -> Any:
        async def held() -> Any:
            async with lab.actor("main"):
                return await work(lab)

        return await asyncio.wait_for(held(), 5)

    return asyncio.run(whole())


def since(clock: LabClock) -> float:
    return (clock.now() - START).total_seconds()


# Time and tokens. ----------------------------------------------------------------------------------------------------


def test_a_day_costs_nothing() -> None:
    async def work(clock: LabClock) -> float:
        await clock.sleep(timedelta(days=1))
        return since(clock)

    assert run(work) == 86400


def test_time_stands_still_while_any_actor_is_busy() -> None:
    async def work(clock: LabClock) -> list[tuple[str, float]]:
        seen: list[tuple[str, float]] = []

        async def quick() -> None:
            await clock.sleep(seconds(1))
            seen.append(("quick", since(clock)))

        async def busy() -> None:
            for _ in range(50):  # what a real wait looks like: turns of the loop, a thread, a socket
                await asyncio.sleep(0)
            await asyncio.to_thread(lambda: None)
            seen.append(("busy", since(clock)))

        tasks = [clock.spawn(quick(), "quick"), clock.spawn(busy(), "busy")]
        async with clock.idle():
            await asyncio.gather(*tasks)
        return seen

    assert run(work) == [("busy", 0.0), ("quick", 1.0)]


def test_the_end_of_a_task_reaches_who_waits_before_time_goes_on() -> None:
    async def work(clock: LabClock) -> list[float]:
        async def late() -> None:
            await clock.sleep(seconds(100))

        async def early() -> None:
            await clock.sleep(seconds(1))

        other = clock.spawn(late(), "late")
        async with clock.idle():
            await asyncio.gather(clock.spawn(early(), "a"), clock.spawn(early(), "b"))
        heard = since(clock)
        async with clock.idle():
            await other
        return [heard, since(clock)]

    assert run(work) == [1.0, 100.0]


def test_who_is_no_actor_may_not_wait_on_it() -> None:
    async def whole() -> None:
        clock = LabClock(START)
        for wait in (clock.sleep(seconds(1)), clock.inbox("x").take()):
            with pytest.raises(AssertionError, match="no actor"):
                await wait

    asyncio.run(whole())


def test_an_actor_within_an_actor_changes_nothing() -> None:
    async def work(clock: LabClock) -> float:
        async with clock.actor("again"):
            await clock.sleep(seconds(1))
        await clock.sleep(seconds(1))  # it still has its token
        return since(clock)

    assert run(work) == 2.0


def test_a_wait_of_nothing_and_of_less_than_nothing_ends_at_once() -> None:
    async def work(clock: LabClock) -> float:
        await clock.sleep(seconds(0))
        await clock.sleep(seconds(-3))
        return since(clock)

    assert run(work) == 0.0


# Order. --------------------------------------------------------------------------------------------------------------


@given(order=st.permutations(["a", "b", "c", "d", "e"]))
@settings(max_examples=30, deadline=None)
def test_equal_times_wake_by_name_and_not_by_who_was_started_first(order: list[str]) -> None:
    async def work(clock: LabClock) -> list[str]:
        seen: list[str] = []

        async def actor(name: str) -> None:
            await clock.sleep(seconds(5 - ord(name) % 3))
            await clock.sleep(seconds(ord(name) % 3))
            seen.append(name)

        async with clock.idle():
            await asyncio.gather(*(clock.spawn(actor(name), name) for name in order))
        return seen

    assert run(work) == ["a", "b", "c", "d", "e"]


@given(seed=st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_one_story_whatever_real_time_does(seed: int) -> None:
    """Actors with their own delays, and real waits of random length between: the log is the same."""

    def told(real: random.Random) -> list[tuple[str, float]]:
        async def work(clock: LabClock) -> list[tuple[str, float]]:
            seen: list[tuple[str, float]] = []
            mine = random.Random(seed)
            delays = {name: [mine.choice((0, 1, 1, 2, 5)) for _ in range(4)] for name in "abcd"}

            async def actor(name: str) -> None:
                for delay in delays[name]:
                    for _ in range(real.randrange(4)):
                        await asyncio.sleep(0)
                    await clock.sleep(seconds(delay))
                    seen.append((name, since(clock)))

            names = list("abcd")
            real.shuffle(names)
            async with clock.idle():
                await asyncio.gather(*(clock.spawn(actor(name), name) for name in names))
            return seen

        found: list[tuple[str, float]] = run(work)
        return found

    first = told(random.Random(1))
    assert first == told(random.Random(2)) == told(random.Random(3))
    assert [at for _, at in first] == sorted(at for _, at in first)


# Inboxes. ------------------------------------------------------------------------------------------------------------


def test_an_inbox_is_handed_over_when_the_instant_is_done() -> None:
    async def work(clock: LabClock) -> list[tuple[float, list[str]]]:
        box = clock.inbox("driver")
        heard: list[tuple[float, list[str]]] = []

        async def actor(name: str, delay: float) -> None:
            await clock.sleep(seconds(delay))
            await asyncio.sleep(0)
            box.put(name)

        for name, delay in (("c", 1), ("a", 1), ("b", 1), ("d", 2)):
            clock.spawn(actor(name, delay), name)
        while sum(len(items) for _, items in heard) < 4:
            items = await box.take()
            heard.append((since(clock), items))
        return heard

    assert run(work) == [(1.0, ["a", "b", "c"]), (2.0, ["d"])]


def test_mail_that_is_there_already_does_not_wait_for_time() -> None:
    async def work(clock: LabClock) -> tuple[list[int], float]:
        box = clock.inbox("x")

        async def later() -> None:
            await clock.sleep(seconds(9))

        clock.spawn(later(), "later")
        box.put(1)
        box.put(2)
        return await box.take(), since(clock)

    assert run(work) == ([1, 2], 0.0)


def test_two_may_not_wait_for_one_inbox() -> None:
    async def work(clock: LabClock) -> None:
        box = clock.inbox("x")

        async def other() -> None:
            with pytest.raises(AssertionError, match="two tasks"):
                await box.take()
            box.put(1)

        task = clock.spawn(other(), "other")
        await box.take()
        await task

    run(work)


def test_a_wait_for_mail_that_nobody_can_send_is_told_and_does_not_hang() -> None:
    async def work(clock: LabClock) -> None:
        box = clock.inbox("driver")

        async def dies() -> None:
            raise ValueError("before it put anything")

        task = clock.spawn(dies(), "dies")
        with pytest.raises(RuntimeError, match="driver"):
            await box.take()
        with pytest.raises(ValueError):
            await task
        await clock.sleep(seconds(1))  # the clock goes on

    run(work)


def test_who_waits_for_the_outside_may_still_send() -> None:
    async def work(clock: LabClock) -> list[str]:
        box = clock.inbox("driver")

        async def outside() -> None:
            async with clock.idle():
                await asyncio.sleep(0.02)  # real time: a person, a program
            box.put("said")

        clock.spawn(outside(), "outside")
        return await box.take()

    assert run(work) == ["said"]


# What goes wrong. ----------------------------------------------------------------------------------------------------


def test_what_goes_wrong_while_time_moves_reaches_who_waits() -> None:
    def on_advance(now: datetime) -> None:
        if now >= START + seconds(2):
            raise LookupError("the lab fell over")

    async def work(clock: LabClock) -> None:
        await clock.sleep(seconds(1))
        with pytest.raises(LookupError, match="fell over"):
            await clock.sleep(seconds(1))

    run(work, LabClock(START, on_advance))


def test_on_advance_hears_of_each_instant_before_anyone_wakes() -> None:
    told: list[str] = []

    async def work(clock: LabClock) -> None:
        async def actor(name: str, delay: float) -> None:
            await clock.sleep(seconds(delay))
            told.append(f"{name} {since(clock):.0f}")

        async with clock.idle():
            await asyncio.gather(*(clock.spawn(actor(name, at), name) for name, at in (("a", 1), ("b", 1), ("c", 3))))

    run(work, LabClock(START, lambda now: told.append(f"advance {(now - START).total_seconds():.0f}")))
    assert told == ["advance 1", "a 1", "b 1", "advance 3", "c 3"]


def test_a_cancelled_sleeper_leaves_no_hole() -> None:
    async def work(clock: LabClock) -> list[str]:
        seen: list[str] = []

        async def sleeper() -> None:
            try:
                await clock.sleep(seconds(50))
            except asyncio.CancelledError:
                seen.append(f"cancelled at {since(clock):.0f}")
                await clock.sleep(seconds(2))  # unwinding takes its time too
                seen.append(f"unwound at {since(clock):.0f}")
                raise

        async def other() -> None:
            await clock.sleep(seconds(60))
            seen.append(f"other at {since(clock):.0f}")

        task = clock.spawn(sleeper(), "sleeper")
        last = clock.spawn(other(), "other")
        await clock.sleep(seconds(10))
        task.cancel()
        async with clock.idle():
            await asyncio.gather(task, last, return_exceptions=True)
        return seen

    assert run(work) == ["cancelled at 10", "unwound at 12", "other at 60"]


def test_an_actor_cancelled_before_its_first_turn_never_begins() -> None:
    async def work(clock: LabClock) -> list[str]:
        seen: list[str] = []

        async def actor() -> None:
            seen.append("began")

        task = clock.spawn(actor(), "actor")
        task.cancel()
        async with clock.idle():
            await asyncio.gather(task, return_exceptions=True)
        await clock.sleep(seconds(1))
        return seen

    assert run(work) == []


def test_a_cancelled_wait_for_mail_leaves_the_inbox_usable() -> None:
    async def work(clock: LabClock) -> list[int]:
        box = clock.inbox("x")

        async def waits() -> None:
            await box.take()

        task = clock.spawn(waits(), "waits")
        await clock.sleep(seconds(1))
        task.cancel()
        async with clock.idle():
            await asyncio.gather(task, return_exceptions=True)
        box.put(1)
        return await box.take()

    assert run(work) == [1]


def test_an_actor_that_fails_gives_its_token_back() -> None:
    async def work(clock: LabClock) -> float:
        async def fails() -> None:
            raise ValueError("no")

        task = clock.spawn(fails(), "fails")
        await clock.sleep(seconds(3))
        with pytest.raises(ValueError):
            await task
        return since(clock)

    assert run(work) == 3.0


# The wall's clock. ---------------------------------------------------------------------------------------------------


def test_the_walls_clock_runs_as_fast_as_it_is_told() -> None:
    async def whole() -> tuple[float, list[int]]:
        clock = WallClock(1000, START)
        box = clock.inbox("x")

        async def actor(number: int) -> None:
            await clock.sleep(seconds(10))
            box.put(number)

        async with clock.actor(), clock.idle():
            clock.spawn(actor(1), "1")
            clock.spawn(actor(2), "2")
            items = await box.take()
            if len(items) < 2:
                items += await box.take()
        return (clock.now() - START).total_seconds(), sorted(items)

    elapsed, items = asyncio.run(asyncio.wait_for(whole(), 5))
    assert items == [1, 2]
    assert 10 <= elapsed < 2000


def test_the_walls_clock_is_now() -> None:
    assert abs(WallClock().now() - datetime.now(UTC)) < seconds(1)
