"""The write log against a naive twin: whole disks as byte arrays, copied at every branch."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from farshore.lab.storage.blocks import BLOCK, Hasher, block_bytes, block_header, origin_of
from farshore.lab.storage.write_log import WriteLog

START = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
BLOCKS = 12
SIZE = BLOCKS * BLOCK


def a_log() -> WriteLog:
    return WriteLog(seed=7, start=START)


actions = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(0, 5), st.integers(0, BLOCKS - 1), st.integers(1, 4)),
        st.tuples(st.just("branch"), st.integers(0, 5), st.integers(0, 30), st.just(0)),
        st.tuples(st.just("create"), st.just(0), st.just(0), st.just(0)),
    ),
    max_size=30,
)


class Twin:
    """What a disk is when nobody is clever: all its bytes after every write."""

    def __init__(self) -> None:
        self.disks: list[list[tuple[int, bytearray]]] = []

    def as_of(self, disk: int, sequence: int) -> bytearray:
        """The disk's bytes after the last change numbered at most `sequence`; a disk's first state is always there."""
        history = self.disks[disk]
        return next((data for number, data in reversed(history) if number <= sequence), history[0][1])


@settings(max_examples=150, deadline=None)
@given(actions)
def test_every_moment_of_every_disk_is_what_a_naive_twin_holds(script: list[tuple[str, int, int, int]]) -> None:
    log, twin = a_log(), Twin()
    volumes: list[int] = []
    now = START
    for verb, which, place, length in script:
        now += timedelta(seconds=1)
        if verb == "create" or not volumes:
            volumes.append(log.create(f"disk{len(volumes)}", SIZE, now))
            twin.disks.append([(0, bytearray(SIZE))])
        elif verb == "branch":
            parent, sequence = which % len(volumes), place % (log.last_sequence + 1)
            volumes.append(log.branch(volumes[parent], sequence, name=f"disk{len(volumes)}", size=SIZE, now=now))
            past = [(n, data) for n, data in twin.disks[parent] if n <= sequence] or twin.disks[parent][:1]
            twin.disks.append(list(past))
        else:
            disk, blocks = which % len(volumes), min(length, BLOCKS - place)
            sequence = log.write(volumes[disk], place * BLOCK, blocks * BLOCK, now)
            data = bytearray(twin.disks[disk][-1][1])
            origin = origin_of(f"disk{disk}#{volumes[disk]}")
            for index in range(place, place + blocks):
                data[index * BLOCK : (index + 1) * BLOCK] = block_bytes(origin, sequence, index)
            twin.disks[disk].append((sequence, data))
    for disk, volume in enumerate(volumes):
        for sequence in range(log.last_sequence + 1):
            expected = twin.as_of(disk, sequence)
            assert log.read(volume, 0, SIZE, sequence) == expected
            assert log.sha256(volume, sequence) == hashlib.sha256(expected).hexdigest()
            assert log.read(volume, 1000, 9000, sequence) == expected[1000:10000]
        whole = bytearray(SIZE)
        for offset, length in log.ranges(volume):
            whole[offset : offset + length] = log.read(volume, offset, length)
        assert whole == twin.disks[disk][-1][1]


def test_a_block_says_who_wrote_it() -> None:
    log = a_log()
    volume = log.create("os", SIZE, START)
    log.write(volume, 0, BLOCK, START)
    sequence = log.write(volume, 2 * BLOCK, BLOCK, START)
    assert block_header(log.read(volume, 2 * BLOCK, BLOCK)) == (origin_of(f"os#{volume}"), sequence, 2)
    assert log.read(volume, BLOCK, BLOCK) == bytes(BLOCK)


@given(st.lists(st.integers(1, 200), max_size=12), st.integers(1, 400))
@settings(max_examples=50, deadline=None)
def test_looking_more_often_changes_nothing(looks: list[int], end: int) -> None:
    """Writes of running machines are a function of time: any number of looks on the way gives the same rows."""
    often, once = a_log(), a_log()
    for log in (often, once):
        for name in ("a", "b"):
            log.start(log.create(name, 64 * SIZE, START), START, 800)
    for minute in sorted(looks):
        if minute <= end:
            often.advance(START + timedelta(minutes=minute))
    finish = START + timedelta(minutes=end)
    often.advance(finish)
    once.advance(finish)
    assert often.rows() == once.rows()
    assert [row.time for row in once.rows()] == sorted(row.time for row in once.rows())


def test_a_stopped_machine_writes_nothing_and_a_started_one_goes_on() -> None:
    log = a_log()
    volume = log.create("os", 64 * SIZE, START)
    log.start(volume, START, 4096)
    log.stop(volume, START + timedelta(minutes=10))
    stopped = log.head(volume)
    log.start(volume, START + timedelta(minutes=20), 4096)
    log.advance(START + timedelta(minutes=30))
    times = [row.time for row in log.rows(disk="os")]
    quiet = [at for at in times if START + timedelta(minutes=10) < at <= START + timedelta(minutes=20)]
    assert not quiet
    assert stopped == sum(at <= START + timedelta(minutes=10) for at in times)
    assert log.written_after(volume, stopped) == sum(row.length for row in log.rows(since=stopped)) > 0
    assert log.sequence_at(START + timedelta(minutes=15)) == stopped


def test_rows_are_paged_and_filtered() -> None:
    log = a_log()
    one, two = log.create("one", SIZE, START), log.create("two", SIZE, START)
    for index in range(6):
        log.write(one if index % 2 else two, 0, BLOCK, START)
    assert [row.sequence for row in log.rows(since=2, limit=3)] == [3, 4, 5]
    assert [row.sequence for row in log.rows(disk="ONE", since=2, limit=1)] == [4]
    assert [row.disk for row in log.rows(disk="two")] == ["two"] * 3


def test_restoring_gives_the_same_log() -> None:
    log = a_log()
    parent = log.create("one", 64 * SIZE, START)
    log.start(parent, START, 500)
    log.advance(START + timedelta(hours=1))
    child = log.branch(parent, 20, name="two", size=64 * SIZE, now=START + timedelta(hours=1))
    log.start(child, START + timedelta(hours=1), 500)
    volumes, rows = log.unsaved()
    again = a_log()
    again.restore([replace(held, sequences=[], times=[], offsets=[], lengths=[]) for held in volumes], rows, log.now)
    for each in (log, again):
        each.advance(START + timedelta(hours=2))
    assert again.rows() == log.rows()
    assert again.sha256(child) == log.sha256(child)
    assert log.unsaved()[1] == again.unsaved()[1]


def test_ten_hours_of_thirteen_disks_are_cheap() -> None:
    log = WriteLog(seed=1, start=START)
    volumes = [log.create(f"disk{n}", 1 << 30, START) for n in range(13)]
    began = time.perf_counter()
    for volume in volumes:
        log.start(volume, START)
    for minute in range(0, 600, 2):
        log.advance(START + timedelta(minutes=minute))
    assert 13 * 2300 < log.last_sequence < 13 * 2500
    assert time.perf_counter() - began < 2


def test_hashing_a_whole_disk_is_plain_sha256_and_goes_on_from_what_it_knows() -> None:
    log = a_log()
    size = 48 << 20
    image = log.create("image", size, START)
    log.write(image, 0, 64 * BLOCK, START)
    volume = log.create("os", size, START, image=image)
    log.start(volume, START)
    log.advance(START + timedelta(hours=1))
    expected = hashlib.sha256(log.read(volume, 0, size)).hexdigest()
    assert log.sha256(volume) == expected
    assert Hasher().content_sha256(log.content(volume), size) == expected
    assert Hasher().content_sha256({}, 5000) == hashlib.sha256(bytes(5000)).hexdigest()
    log.write(volume, 0, BLOCK, START + timedelta(hours=1))
    assert log.sha256(volume) == hashlib.sha256(log.read(volume, 0, size)).hexdigest() != expected
