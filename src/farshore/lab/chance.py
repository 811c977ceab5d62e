"""Chance without a stream: hashes of (seed, what, attempt).

The same thing in the same lab always has the same luck, whatever else happens around it and in whatever order:
nothing depends on a client's request id, and a crash does not shift anyone's timings.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache


def digest(seed: int, *parts: object) -> bytes:
    text = "\x1f".join([str(seed), *(str(part) for part in parts)])
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def chance(seed: int, *parts: object) -> float:
    """A number in [0, 1)."""
    return int.from_bytes(digest(seed, *parts)[:7], "big") / 2**56


@lru_cache(maxsize=8192)
def guid(seed: int, *parts: object) -> str:
    """A GUID (version 4) that this lab gives to this thing. An etag is asked for by each child of a resource."""
    number = int.from_bytes(digest(seed, *parts), "big") & ~(0xF << 76 | 0x3 << 62) | 4 << 76 | 0x2 << 62
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
