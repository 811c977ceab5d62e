"""The write log: what every disk held at every moment.

A *volume* is what a managed disk, a snapshot or a page blob keeps its bytes in. The log has one row a write: volume,
sequence number, offset, length, time. Sequence numbers run over the whole lab without gaps, in the order of time, so
one number cuts all disks at one instant: a crash-consistent point of a machine with five disks is one number.

A volume may descend from another *as of* a number: a failed-over disk from the disk that was replicated, a snapshot
from its disk, a replica from what has been shipped to it. It holds what its parent held then, and its own writes on
top. `content` walks that line and answers which write each block holds; nothing is ever copied.

A machine that runs keeps writing. Its writes are not events that someone queues: they are a function of the seed, the
volume and an index, made for all running volumes at once, in the order of time, whenever somebody looks (`advance`).
Looking more often changes nothing. Each volume writes once in every interval, at a place in its *hot set*, the last
blocks of the disk; a higher rate makes larger writes, not more of them (a rate that a hot set can't take in is cut).

The log lives in memory; `unsaved` hands over what a database has not seen, `restore` takes it back.
"""

from __future__ import annotations

import hashlib
import struct
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from farshore.lab.storage.blocks import (
    BLOCK,
    Content,
    Hasher,
    content_bytes,
    origin_of,
    written_ranges,
    written_sha256,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INTERVAL_SECONDS = 15
HOT_BLOCKS = 1024
"""A running volume writes once in so many seconds, into so many of its last blocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One row. `volume` is the log's own number; `disk` the name of the volume when it was written."""

    sequence: int
    volume: int
    disk: str
    offset: int
    length: int
    time: datetime


@dataclass(slots=True, kw_only=True)
class Volume:
    """A volume's identity and its own rows, as parallel lists in the order of sequence."""

    number: int
    name: str
    size: int
    parent: int | None = None
    parent_sequence: int = 0
    writing_since: int | None = None
    """Microseconds since 1970 when its machine last started to write; None while nobody does."""
    rate: float = 0.0
    """Bytes a second while its machine writes."""
    origin: bytes = b""
    sequences: list[int] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)


class WriteLog:
    """All volumes of a lab."""

    def __init__(self, *, seed: int = 1, start: datetime) -> None:
        self._seed = seed
        self._now = _micros(start)
        self._volumes: dict[int, Volume] = {}
        self._running: set[int] = set()
        self._times: list[int] = []
        self._owners: list[int] = []
        self._contents: dict[tuple[int, int], Content] = {}
        self._hasher = Hasher()
        self._unsaved: list[tuple[int, int, int, int, int]] = []
        self._touched: set[int] = set()

    @property
    def last_sequence(self) -> int:
        """The number of the last write of all."""
        return len(self._times)

    def create(self, name: str, size: int, now: datetime, *, image: int | None = None) -> int:
        """A new volume: zeros, or what the volume `image` holds."""
        return self.branch(image, self.last_sequence, name=name, size=size, now=now)

    def branch(self, parent: int | None, sequence: int, *, name: str, size: int, now: datetime) -> int:
        """A new volume that holds what `parent` held right after write `sequence`."""
        self.advance(now)
        number = len(self._volumes) + 1
        origin = origin_of(f"{name}#{number}")
        self._volumes[number] = Volume(
            number=number, name=name, size=size, parent=parent, parent_sequence=sequence, origin=origin
        )
        self._touched.add(number)
        return number

    def write(self, volume: int, offset: int, length: int, now: datetime) -> int:
        """Append one write of whole blocks; its sequence number."""
        self.advance(now)
        held = self._volumes[volume]
        inside = offset >= 0 and length > 0 and offset + length <= -(-held.size // BLOCK) * BLOCK
        assert offset % BLOCK == 0 and length % BLOCK == 0 and inside, "a write covers whole blocks of its disk"
        return self._append(held, self._now, offset, length)

    def start(self, volume: int, now: datetime, rate: float = BLOCK / INTERVAL_SECONDS) -> None:
        """A machine runs on this volume and writes `rate` bytes a second from now on."""
        self.advance(now)
        held = self._volumes[volume]
        if held.writing_since is None:
            held.writing_since, held.rate = self._now, rate
            self._running.add(volume)
            self._touched.add(volume)

    def stop(self, volume: int, now: datetime) -> None:
        """Nobody writes to this volume any more."""
        self.advance(now)
        held = self._volumes[volume]
        if held.writing_since is not None:
            held.writing_since = None
            self._running.discard(volume)
            self._touched.add(volume)

    def writing(self, volume: int) -> bool:
        """Whether a machine runs on this volume."""
        return volume in self._running

    def advance(self, now: datetime) -> None:
        """Bring the log up to `now`: all that running machines have written since the last look."""
        until = _micros(now)
        since = self._now
        if until <= since:
            return
        self._now = until
        due = [entry for volume in self._running for entry in self._due(self._volumes[volume], since, until)]
        due.sort()
        for at, volume, offset, length in due:
            self._append(self._volumes[volume], at, offset, length)

    def head(self, volume: int, sequence: int | None = None) -> int:
        """The number of the last write that `volume` holds (as of `sequence`); 0 if it holds none."""
        for held, limit in self._line(volume, sequence):
            if count := bisect_right(held.sequences, limit):
                return held.sequences[count - 1]
        return 0

    def sequence_at(self, moment: datetime) -> int:
        """The number of the last write of all at or before `moment`, which the log has reached."""
        at = _micros(moment)
        assert at <= self._now, "the log has not reached this moment"
        return bisect_right(self._times, at)

    def content(self, volume: int, sequence: int | None = None) -> Content:
        """Which write each block of a volume holds (as of `sequence`)."""
        key = (volume, self.head(volume, sequence))
        if (known := self._contents.get(key)) is not None:
            return known
        content: dict[int, tuple[bytes, int]] = {}
        for held, limit in reversed(list(self._line(volume, sequence))):
            for row in range(bisect_right(held.sequences, limit)):
                first = held.offsets[row] // BLOCK
                mark = (held.origin, held.sequences[row])
                for index in range(first, first + held.lengths[row] // BLOCK):
                    content[index] = mark
        if len(self._contents) >= 512:
            self._contents.pop(next(iter(self._contents)))
        self._contents[key] = content
        return content

    def read(self, volume: int, offset: int, length: int, sequence: int | None = None) -> bytes:
        """Bytes of a volume (as of `sequence`); what lies beyond its end is left out."""
        return content_bytes(self.content(volume, sequence), self.size(volume), offset, length)

    def sha256(self, volume: int, sequence: int | None = None) -> str:
        """The plain SHA-256 of the whole volume (as of `sequence`), zeros included."""
        return self._hasher.content_sha256(self.content(volume, sequence), self.size(volume))

    def written_sha256(self, volume: int, sequence: int | None = None) -> str:
        """The SHA-256 of what was written to it alone (`blocks.written_sha256`)."""
        return written_sha256(self.content(volume, sequence), self.size(volume))

    def ranges(self, volume: int, sequence: int | None = None) -> list[tuple[int, int]]:
        """(offset, length) of every run of written blocks."""
        return list(written_ranges(self.content(volume, sequence), self.size(volume)))

    def size(self, volume: int) -> int:
        return self._volumes[volume].size

    def name(self, volume: int) -> str:
        return self._volumes[volume].name

    def named(self, name: str) -> int | None:
        """The latest volume that had this name."""
        wanted = name.lower()
        return max((held.number for held in self._volumes.values() if held.name.lower() == wanted), default=None)

    def follow(self, volume: int, parent: int, sequence: int) -> None:
        """Let a volume that nobody writes to hold what `parent` held after write `sequence`: a replica moves on."""
        held = self._volumes[volume]
        assert not held.sequences, "a replica has no writes of its own"
        held.parent, held.parent_sequence = parent, sequence
        self._contents = {key: content for key, content in self._contents.items() if key[0] != volume}
        self._touched.add(volume)

    def resize(self, volume: int, size: int) -> None:
        """A disk can only grow."""
        held = self._volumes[volume]
        held.size = max(held.size, size)
        self._touched.add(volume)

    def written_after(self, volume: int, sequence: int, until: int | None = None) -> int:
        """Bytes of the volume's own writes after `sequence` (and not after `until`)."""
        held = self._volumes[volume]
        stop = len(held.sequences) if until is None else bisect_right(held.sequences, until)
        return sum(held.lengths[bisect_right(held.sequences, sequence) : stop])

    def rows(self, *, disk: str | None = None, since: int = 0, limit: int | None = None) -> list[Write]:
        """Writes after number `since`, in order; of the volumes named `disk` only, if given."""
        if disk is None:
            stop = len(self._times) if limit is None else min(len(self._times), since + limit)
            owners = [self._volumes[number] for number in self._owners[since:stop]]
            return [_row(held, since + 1 + place) for place, held in enumerate(owners)]
        named = [held for held in self._volumes.values() if held.name.lower() == disk.lower()]
        found = sorted(
            (sequence, held.number)
            for held in named
            for sequence in held.sequences[bisect_right(held.sequences, since) :]
        )
        return [_row(self._volumes[number], sequence) for sequence, number in found[:limit]]

    def unsaved(self) -> tuple[list[Volume], list[tuple[int, int, int, int, int]]]:
        """Volumes that changed and rows (sequence, volume, time, offset, length) made since the last call."""
        volumes, rows = [self._volumes[number] for number in sorted(self._touched)], self._unsaved
        self._touched, self._unsaved = set(), []
        return volumes, rows

    def restore(self, volumes: Iterable[Volume], rows: Iterable[tuple[int, int, int, int, int]], now: datetime) -> None:
        """Take the place of everything: volumes, rows in order, and the moment that they had been made up to."""
        self._volumes = {held.number: held for held in volumes}
        self._running = {held.number for held in self._volumes.values() if held.writing_since is not None}
        self._now = _micros(now)
        self._times, self._owners = [], []
        self._contents, self._unsaved, self._touched = {}, [], set()
        for sequence, number, at, offset, length in rows:
            assert sequence == self.last_sequence + 1, "the write log has no gaps"
            self._push(self._volumes[number], at, offset, length)

    @property
    def now(self) -> datetime:
        """The moment that the log has reached."""
        return EPOCH + timedelta(microseconds=self._now)

    def _line(self, volume: int, sequence: int | None) -> Iterator[tuple[Volume, int]]:
        """A volume and its ancestors, youngest first, each with the last number that counts in it."""
        limit = self.last_sequence if sequence is None else sequence
        held: Volume | None = self._volumes[volume]
        while held is not None:
            yield held, limit
            limit = min(limit, held.parent_sequence)
            held = None if held.parent is None else self._volumes[held.parent]

    def _append(self, held: Volume, at: int, offset: int, length: int) -> int:
        sequence = self._push(held, at, offset, length)
        self._unsaved.append((sequence, held.number, at, offset, length))
        return sequence

    def _push(self, held: Volume, at: int, offset: int, length: int) -> int:
        self._times.append(at)
        self._owners.append(held.number)
        held.sequences.append(len(self._times))
        held.times.append(at)
        held.offsets.append(offset)
        held.lengths.append(length)
        return len(self._times)

    def _due(self, held: Volume, since: int, until: int) -> Iterator[tuple[int, int, int, int]]:
        """The writes of one running volume in (since, until]: (time, volume, offset, length)."""
        since = max(since, held.writing_since or 0)
        blocks = held.size // BLOCK
        hot = min(HOT_BLOCKS, blocks)
        if held.rate <= 0 or hot == 0:
            return
        interval = int(max(INTERVAL_SECONDS, BLOCK / held.rate) * 1_000_000)
        length = min(hot, max(1, int(held.rate * INTERVAL_SECONDS / BLOCK + 1e-6)))
        for index in range(since // interval, until // interval + 1):
            key = struct.pack(">qq", self._seed, index)
            shift, place = struct.unpack(">II", hashlib.blake2b(key, digest_size=8, key=held.origin).digest())
            at = index * interval + shift * interval // (1 << 32)
            if since < at <= until:
                yield at, held.number, (blocks - hot + place % (hot - length + 1)) * BLOCK, length * BLOCK


def _micros(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


def _row(held: Volume, sequence: int) -> Write:
    row = bisect_left(held.sequences, sequence)
    return Write(
        sequence=sequence,
        volume=held.number,
        disk=held.name,
        offset=held.offsets[row],
        length=held.lengths[row],
        time=EPOCH + timedelta(microseconds=held.times[row]),
    )
