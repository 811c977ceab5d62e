"""The bytes of a disk: sparse blocks whose content is a function of who wrote them and when.

A disk is a run of 4 KiB blocks as long as the size that ARM shows. A block that nobody wrote is zeros. A block that
was written holds, for ever, the bytes that `block_bytes` makes of three things: the disk that was written to (its
*origin*), the sequence number of the write, and the block's index. The first 32 bytes say just that, so that anyone
who reads a block knows which write he is looking at; the rest is a stream that only these three make.

So no byte is ever stored. What a disk holds at a moment is a `Content`: for each written block, its origin and
sequence. Two disks hold the same bytes exactly when their contents are equal, and `content_sha256` is the plain
SHA-256 of the whole disk, zeros included. Hashing zeros is what takes the time (a GiB is over half a second), and
disks of one lineage differ only in few blocks: the hash's state is kept before each written run that follows a long
gap, under a digest of all that came before it, and any later disk that begins alike goes on from there.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Mapping
from typing import Any

BLOCK = 4096

Content = Mapping[int, tuple[bytes, int]]
"""For each written block's index: the origin (16 bytes) and the sequence number of the write that it holds."""

_HEADER = struct.Struct(">16sQQ")
RUN = struct.Struct(">QQ")
_ENTRY = struct.Struct(">Q16sQ")
_ZEROS = bytes(16 << 20)
_LONG_GAP = 64
_KEPT_STATES = 8192


def origin_of(name: str) -> bytes:
    """The 16 bytes that stand for a disk in its blocks' headers."""
    return hashlib.blake2b(name.lower().encode(), digest_size=16).digest()


def block_bytes(origin: bytes, sequence: int, index: int) -> bytes:
    """The 4096 bytes of one written block: a header of origin, sequence and index, then their stream."""
    header = _HEADER.pack(origin, sequence, index)
    return header + hashlib.shake_128(header).digest(BLOCK - _HEADER.size)


def block_header(data: bytes) -> tuple[bytes, int, int]:
    """Origin, sequence and index of a written block, as its first 32 bytes say."""
    origin, sequence, index = _HEADER.unpack_from(data)
    return origin, sequence, index


def content_bytes(content: Content, size: int, offset: int, length: int) -> bytes:
    """Bytes `offset` to `offset + length` of a disk of `size` bytes; what lies beyond its end is left out."""
    end = min(offset + length, size)
    if offset >= end:
        return b""
    first, last = offset // BLOCK, (end - 1) // BLOCK
    if last - first > len(content):
        indexes = sorted(index for index in content if first <= index <= last)
    else:
        indexes = [index for index in range(first, last + 1) if index in content]
    parts: list[bytes | memoryview] = []
    position = offset
    for index in indexes:
        data = block_bytes(*content[index], index)
        start = index * BLOCK
        begin, stop = max(start, offset), min(start + BLOCK, end)
        parts += _zeros(begin - position)
        parts.append(data[begin - start : stop - start])
        position = stop
    if not parts and end - offset == len(_ZEROS):
        return _ZEROS
    return b"".join([*parts, *_zeros(end - position)])


def written_ranges(content: Content, size: int) -> Iterator[tuple[int, int]]:
    """(offset, length) of each run of written blocks, in order."""
    start = previous = None
    for index in sorted(content):
        if previous is not None and index == previous + 1:
            previous = index
            continue
        if start is not None and previous is not None:
            yield start * BLOCK, min((previous + 1) * BLOCK, size) - start * BLOCK
        start = previous = index
    if start is not None and previous is not None:
        yield start * BLOCK, min((previous + 1) * BLOCK, size) - start * BLOCK


def written_sha256(content: Content, size: int) -> str:
    """SHA-256 of what was written: each run's offset and length (8 bytes each, the highest first), then its bytes. It
    tells disks of one size apart as their whole digests do, and no zeros are hashed."""
    state = hashlib.sha256()
    for offset, length in written_ranges(content, size):
        state.update(RUN.pack(offset, length))
        state.update(content_bytes(content, size, offset, length))
    return state.hexdigest()


class Hasher:
    """SHA-256 of whole disks, remembering states and results. One for a lab."""

    def __init__(self) -> None:
        self._states: dict[tuple[int, bytes], Any] = {}

    def content_sha256(self, content: Content, size: int) -> str:
        """The hex SHA-256 of all `size` bytes."""
        indexes = sorted(content)
        stops = self._stops(content, indexes, size)
        done, position, state = 0, 0, hashlib.sha256()
        for count, stop, key in reversed(stops):
            if (known := self._states.get((stop, key))) is not None:
                done, position, state = count, stop, known.copy()
                break
        keys = {count: (stop, key) for count, stop, key in stops}
        for number in range(done, len(indexes)):
            index = indexes[number]
            _feed_zeros(state, index * BLOCK - position)
            position = index * BLOCK
            if number in keys:
                self._keep(keys[number], state)
            data = block_bytes(*content[index], index)
            state.update(data if position + BLOCK <= size else data[: size - position])
            position = min(position + BLOCK, size)
        _feed_zeros(state, size - position)
        self._keep((size, keys[len(indexes)][1]), state)
        return str(state.hexdigest())

    def _stops(self, content: Content, indexes: list[int], size: int) -> list[tuple[int, int, bytes]]:
        """(blocks before, byte position, digest of the blocks before) wherever a state is worth keeping."""
        running = hashlib.blake2b(digest_size=16)
        stops: list[tuple[int, int, bytes]] = []
        previous = -1
        for number, index in enumerate(indexes):
            if index - previous > _LONG_GAP:
                stops.append((number, index * BLOCK, running.digest()))
            running.update(_ENTRY.pack(index, *content[index]))
            previous = index
        stops.append((len(indexes), size, running.digest()))
        return stops

    def _keep(self, key: tuple[int, bytes], state: Any) -> None:
        if len(self._states) >= _KEPT_STATES:
            self._states.pop(next(iter(self._states)))
        self._states[key] = state.copy()


def _feed_zeros(state: Any, count: int) -> None:
    for part in _zeros(count):
        state.update(part)


def _zeros(count: int) -> Iterator[bytes | memoryview]:
    """So many zeros, in parts of one object that is never copied."""
    while count > 0:
        part = min(count, len(_ZEROS))
        yield _ZEROS if part == len(_ZEROS) else memoryview(_ZEROS)[:part]
        count -= part
