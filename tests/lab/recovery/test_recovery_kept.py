"""A lab that is closed and opened again in the middle of things goes on as if nothing had been: all state is kept.

The same story is told twice with one seed, once in one go and once with the lab closed and opened again before every
step. Jobs, items, points, writes and bytes must be the same, to the microsecond.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lab.recovery.estate import AWAY, HOME, TARGET, VAULT, item_id, vm_id
from lab.recovery.world import World


def story(world: World, reopen: bool) -> dict[str, Any]:
    def step(seconds: float) -> None:
        for part in (seconds / 3, seconds * 2 / 3):
            world.wait(part)
            if reopen:
                world.reopen()

    world.protect("web1", "file1")
    step(600)
    test = world.test("web1")
    step(60)
    world.succeeds(test)
    world.succeeds(world.verb("web1", "testFailoverCleanup"))
    failover = world.failover("web1", shutdown=True)
    step(20)
    world.fault(HOME, "lost")
    step(90)
    world.succeeds(failover)
    world.succeeds(world.failover("file1"))
    for name in ("web1", "file1"):
        world.succeeds(world.commit(name))
    world.fault(HOME, "returned")
    step(700)
    switch, reprotect = world.switch("web1"), world.reprotect("file1")
    step(45)
    step(600)
    world.succeeds(switch)
    world.succeeds(reprotect)
    step(6000)
    return {
        "now": world.now,
        "jobs": world.rows(f"{VAULT}/replicationJobs"),
        "items": [world.get(item_id("web1", AWAY)), world.get(item_id("file1"))],
        "points": world.handle("recovery-points")["value"],
        "writes": world.writes(),
        "machine": world.get(vm_id("web1", TARGET)),
    }


@pytest.mark.parametrize("seed", [1, 7])
def test_opened_again_before_every_step_it_tells_the_same_story(tmp_path: Path, seed: int) -> None:
    straight = story(World("web1", "file1", seed=seed), reopen=False)
    world = World("web1", "file1", seed=seed, path=tmp_path / "lab.db")
    broken = story(world, reopen=True)
    world.cloud.store.close()
    for what, value in straight.items():
        assert broken[what] == value, what


def test_another_seed_tells_another_story() -> None:
    one, two = (story(World("web1", "file1", seed=seed), reopen=False) for seed in (1, 2))
    assert one["jobs"] != two["jobs"] and one["writes"] != two["writes"]


def test_looking_often_changes_nothing() -> None:
    """Time that passes in one leap or in steps of a second is the same time."""
    shown = []
    for pace in (1.0, 1800.0):
        world = World("web1")
        world.protect("web1")
        begin = world.now
        while (world.now - begin).total_seconds() < 1800:
            world.wait(pace)
        shown.append((world.now, world.get(item_id("web1")), world.handle("recovery-points"), world.writes()))
    assert shown[0] == shown[1]
