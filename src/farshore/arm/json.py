"""JSON at the door: msgspec in, msgspec out, one canonical form for fingerprints."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

Json = Any
"""A value that JSON can hold: None, bool, int, float, str, list, dict."""

Body = dict[str, Any]
"""A resource body as ARM returns it."""


def loads(text: bytes | str) -> Json:
    """The value in `text`; raises `msgspec.DecodeError`."""
    return msgspec.json.decode(text)


def dumps(value: Json) -> bytes:
    """Compact JSON, keys in the order given."""
    return msgspec.json.encode(value)


def pretty(value: Json) -> str:
    """Indented JSON with a newline at the end: files that people read and review."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"


def canonical(value: Json) -> bytes:
    """One text for one value: keys sorted, no white space."""
    return msgspec.json.encode(value, order="sorted")


def fingerprint(value: Json) -> str:
    """`sha256:` and the hex digest of the canonical form."""
    return "sha256:" + hashlib.sha256(canonical(value)).hexdigest()
