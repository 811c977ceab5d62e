"""Chance without a stream: hashes of (seed, what, attempt).

The same thing in the same lab always has the same luck, whatever else happens around it and in whatever order
(notes: behaviour must not depend on the client's request id, and a crash must not shift anyone's timings).
"""

from __future__ import annotations

import hashlib
from uuid import UUID


def digest(seed: int, *parts: object) -> bytes:
    text = "\x1f".join([str(seed), *(str(part) for part in parts)])
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def chance(seed: int, *parts: object) -> float:
    """A number in [0, 1)."""
    return int.from_bytes(digest(seed, *parts)[:7], "big") / 2**56


def guid(seed: int, *parts: object) -> str:
    """A GUID that this lab gives to this thing."""
    return str(UUID(bytes=digest(seed, *parts), version=4))
