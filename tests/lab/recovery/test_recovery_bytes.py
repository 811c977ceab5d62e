"""Every write accounted for: what a failover kept, what it lost, and that the outside handles say the same.

The machine writes all along. A random story stops and starts it, cuts its way to the cache, loses its region, lets
time pass and fails it over; then everything is computed again from `/_lab/writes` and `/_lab/recovery-points` alone:

- sequence numbers have no gaps and no number twice, and follow time;
- the point is one instant: exactly the writes up to its time;
- a disk that was made holds, block by block, the last write at or before the point, and none after it;
- `bytes_lost` is the sum of the source's writes between the point and the moment at which it was used;
- nothing that the service says it has shipped is lost, and nothing that it had not is kept.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from farshore.arm.http import Request
from farshore.arm.json import Body
from farshore.lab.storage import volumes
from lab.recovery.estate import AWAY, CACHES, HOME, TARGET, disk_id, item_id, vm_id
from lab.recovery.world import World, when

BLOCK = 4096
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["wait", "wait", "stop", "start", "cut", "mend", "lose", "return"]), st.integers(1, 1500)
    ),
    max_size=5,
)


def happen(world: World, what: str, name: str = "web1") -> None:
    """One turn of the story; what is refused or out of reach does not happen."""
    if what == "stop":
        world.send("POST", f"{vm_id(name)}/deallocate")
    elif what == "start":
        world.send("POST", f"{vm_id(name)}/start")
    elif what == "cut":
        world.send("DELETE", CACHES[HOME])
    elif what == "mend":
        body = {"location": HOME, "sku": {"name": "Standard_LRS"}, "kind": "StorageV2", "properties": {}}
        world.send("PUT", CACHES[HOME], body)
    elif what == "lose":
        world.fault(HOME, "lost")
    elif what == "return":
        world.fault(HOME, "returned")


def blocks(rows: list[Any], volume: int, until: int) -> dict[int, int]:
    """Block to the number of the write that it holds, from the rows of one volume alone."""
    found: dict[int, int] = {}
    for row in rows:
        if row["volume"] == volume and row["sequence"] <= until:
            first = row["offset"] // BLOCK
            found |= dict.fromkeys(range(first, first + row["length"] // BLOCK), row["sequence"])
    return found


def check_log(rows: list[Body]) -> None:
    assert [row["sequence"] for row in rows] == list(range(1, len(rows) + 1))
    times = [row["time"] for row in rows]
    assert times == sorted(times)
    assert all(row["offset"] % BLOCK == row["length"] % BLOCK == 0 < row["length"] for row in rows)


def check_use(world: World, rows: list[Body], point: Body, used: Body) -> int:
    """What one use of a point must be; the bytes that it lost."""
    log = volumes.log(world.cloud)
    at, cut = when(point["time"]), point["sequence"]
    before = [row["sequence"] for row in rows if when(row["time"]) <= at]
    assert cut == (before[-1] if before else 0), "a point is an instant"
    lost = 0
    for source, made in zip(point["disks"], used["disks"], strict=True):
        own = [row for row in rows if row["volume"] == source["volume"]]
        assert all(row["disk"].lower() == source["disk"].lower() for row in own)
        after = [row for row in own if row["sequence"] > cut and when(row["time"]) <= when(used["time"])]
        assert made["bytes_lost"] == sum(row["length"] for row in after)
        lost += made["bytes_lost"]
        expected = blocks(rows, source["volume"], cut)
        held = {index: number for index, (_, number) in log.content(made["volume"], cut).items()}
        assert {index: held[index] for index in expected} == expected, "the last write at or before the point"
        assert log.content(made["volume"], cut) == log.content(source["volume"], cut)
        assert made["sequence"] == source["sequence"] == max([*expected.values(), 0]) or not expected
        begun = [row for row in rows if row["volume"] == made["volume"]]
        assert all(row["sequence"] > cut and when(row["time"]) >= when(used["time"]) for row in begun)
    return lost


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    seed=st.integers(1, 10_000),
    rate=st.sampled_from([8 * 1024, 64 * 1024, 700 * 1024]),
    story=STEPS,
    shutdown=st.booleans(),
    choice=st.sampled_from(["latest", "latest", "oldest", "newest"]),
)
def test_every_write_is_kept_or_counted_as_lost(
    seed: int, rate: int, story: list[tuple[str, int]], shutdown: bool, choice: str
) -> None:
    world = World("web1", "file2", seed=seed, write_rate_bytes_per_second=rate)
    world.protect("web1", "file2")
    for what, seconds in story:
        happen(world, what)
        world.wait(seconds)
    shown = [point["id"] for point in world.points("web1")]
    point = {"latest": None, "oldest": shown[0], "newest": shown[-1]}[choice]
    for name in ("web1", "file2"):
        world.succeeds(world.failover(name, shutdown=shutdown, point=point if name == "web1" else None))
    world.wait(minutes=5)
    rows = world.writes()
    check_log(rows)
    for name in ("web1", "file2"):
        [row] = world.used(name)
        [used] = row["used_by"]
        lost = check_use(world, rows, row, used)
        if not {"lose", "cut"} & {what for what, _ in story} and shutdown and (name == "file2" or point is None):
            assert lost == 0, "a machine that was stopped in good order ships the rest"
        if point is not None and name == "web1":
            assert row["id"] == point


@settings(max_examples=6, deadline=None, derandomize=True)
@given(
    seed=st.integers(1, 10_000),
    waits=st.lists(st.integers(1, 2000), min_size=3, max_size=3),
    losses=st.lists(st.booleans(), min_size=3, max_size=3),
)
def test_there_and_back_no_write_is_counted_twice(seed: int, waits: list[int], losses: list[bool]) -> None:
    """A write that one failover lost is on no later disk; one that it kept is on all of them."""
    world = World("web1", seed=seed, vault_in="japaneast")
    world.protect("web1")
    here, there = HOME, AWAY
    for seconds, lose in zip(waits, losses, strict=True):
        world.wait(seconds)
        if lose:
            world.fault(here, "lost")
        world.fail_over("web1", here, shutdown=not lose)
        world.fault(here, "returned")
        world.wait(minutes=10)
        world.succeeds(world.switch("web1", there, here))
        world.until(lambda there=there: world.state("web1", there) == "Protected")  # type: ignore[misc]
        here, there = there, here
    rows = world.writes()
    check_log(rows)
    points = [
        (point, used) for point in world.handle("recovery-points", used="true")["value"] for used in point["used_by"]
    ]
    points.sort(key=lambda both: str(both[1]["time"]))
    log = volumes.log(world.cloud)
    gone: set[int] = set()
    for point, used in points:
        check_use(world, rows, point, used)
        for source in point["disks"]:
            gone |= {
                row["sequence"]
                for row in rows
                if row["volume"] == source["volume"] and row["sequence"] > point["sequence"]
            }
        for made in used["disks"]:
            assert not gone & {number for _, number in log.content(made["volume"], point["sequence"]).values()}


def test_a_stale_machine_s_later_writes_are_no_loss_of_the_failover() -> None:
    world = World("web1")
    world.protect("web1")
    world.wait(minutes=10)
    world.fault(HOME, "lost")
    world.succeeds(world.failover("web1"))
    before = world.used("web1")[-1]["used_by"]
    world.fault(HOME, "returned")
    world.wait(hours=1)
    written = [row for row in world.writes(disk_id("web1-data")) if when(row["time"]) > when(before[0]["time"])]
    assert written
    assert world.used("web1")[-1]["used_by"] == before


def test_what_is_shipped_is_what_a_loss_keeps() -> None:
    """The recovery point of a `Latest` failover lies a lag before the loss, not five minutes."""
    gaps = []
    for seed in range(1, 13):
        world = World("web1", seed=seed)
        world.protect("web1")
        world.wait(minutes=23)
        world.fault(HOME, "lost")
        lost = world.now
        world.wait(minutes=7)
        world.succeeds(world.failover("web1"))
        gaps.append((lost - when(world.used("web1")[-1]["time"])).total_seconds())
    assert all(0 < gap < 150 for gap in gaps), gaps
    assert 15 < sorted(gaps)[len(gaps) // 2] < 70


def test_points_hold_no_more_than_was_shipped() -> None:
    """At any moment: every point is older than what is still on its way."""
    for seed in range(1, 9):
        world = World("web1", seed=seed)
        world.protect("web1")
        for _ in range(60):
            world.wait(47)
            record = next(iter(world.cloud.table("recovery.items").values()))
            newest = when(world.points("web1")[-1]["properties"]["recoveryPointTime"])
            assert (world.now - newest).total_seconds() >= record["lag_seconds"] - 1e-3 or len(
                world.points("web1")
            ) == 1


def test_the_bytes_themselves_before_and_after_the_point() -> None:
    """Read by ranges, with the lab's `sequence`: a lost block differs, a kept one is the same."""
    world = World("web1")
    world.protect("web1")
    world.wait(minutes=10)
    world.fault(HOME, "lost")
    world.fail_over("web1")
    world.fault(HOME, "returned")
    world.wait(minutes=10)
    point = world.used("web1")[-1]
    source, made = disk_id("web1-data"), disk_id("web1-data", TARGET)
    own = [row for row in world.writes(source) if row["volume"] == point["disks"][1]["volume"]]
    kept = next(row for row in reversed(own) if row["sequence"] <= point["sequence"])
    lost = next(row for row in own if row["sequence"] > point["sequence"])
    urls = {disk: sas(world, disk) for disk in (source, made)}

    def block(disk: str, offset: int, sequence: int) -> bytes:
        headers = {"x-ms-range": f"bytes={offset}-{offset + BLOCK - 1}"}
        url = f"{urls[disk]}&sequence={sequence}"
        answer = world.cloud.handle(Request(method="GET", url=url, headers=headers), world.now)
        assert answer.status == 206
        return bytes(answer.body)

    cut = point["sequence"]
    assert block(made, kept["offset"], cut) == block(source, kept["offset"], cut) != bytes(BLOCK)
    assert block(made, lost["offset"], cut) == block(source, lost["offset"], cut)
    assert block(source, lost["offset"], lost["sequence"]) != block(made, lost["offset"], cut)


def sas(world: World, disk: str) -> str:
    asked = world.send("POST", f"{disk}/beginGetAccess", {"access": "Read", "durationInSeconds": 600})
    world.wait(seconds=30)
    return str(world.result(asked)["accessSAS"])


def test_a_machine_that_is_dead_writes_nothing_and_has_not_sent_the_last_of_it() -> None:
    """Its host is gone (a zone's is): what it had not shipped is lost, though ARM answers and it is stopped first."""
    world = World("web1")
    world.protect("web1")
    world.wait(minutes=12)
    world.element("machine", vm_id("web1"), "lost")
    died = world.now
    world.wait(minutes=3)
    source = world.writes(disk_id("web1-os"))
    assert source and all(when(row["time"]) <= died for row in source)
    world.fail_over("web1", shutdown=True)
    (point,) = [row for row in world.handle("recovery-points", used="true")["value"] if row["used_by"]]
    lost = [row for row in source if row["sequence"] > point["sequence"]]
    assert lost and when(point["time"]) < died
    before = len(world.writes(disk_id("web1-os")))
    world.element("machine", vm_id("web1"), "returned")
    world.wait(minutes=3)
    assert world.power(vm_id("web1")) == "deallocated"
    assert len(world.writes(disk_id("web1-os"))) == before, "it was stopped meanwhile, and stays so"


def test_a_machine_that_was_dead_goes_on_by_itself_and_ships_again() -> None:
    """D92, for one machine."""
    world = World("web1")
    world.protect("web1")
    world.wait(minutes=12)
    world.element("machine", vm_id("web1"), "lost")
    world.wait(minutes=3)
    before = len(world.writes(disk_id("web1-os")))
    world.element("machine", vm_id("web1"), "returned")
    world.wait(minutes=12)
    assert world.power(vm_id("web1")) == "running"
    rows = world.writes(disk_id("web1-os"))
    assert len(rows) > before
    points = world.handle("recovery-points", item=item_id("web1"))["value"]
    assert max(point["sequence"] for point in points) > rows[before]["sequence"]
