"""JSON at the door: msgspec in, msgspec out, one canonical form for fingerprints.

msgspec is imported when it is first used: a tenth of what `import farshore.routing` would cost, which needs none of it.
"""

from __future__ import annotations

from typing import Any

Json = Any
"""A value that JSON can hold: None, bool, int, float, str, list, dict."""

Body = dict[str, Any]
"""A resource body as ARM returns it."""


def loads(text: bytes | str) -> Json:
    """The value in `text`; raises `msgspec.DecodeError`."""
    import msgspec

    return msgspec.json.decode(text)


def dumps(value: Json) -> bytes:
    """Compact JSON, keys in the order given."""
    import msgspec

    return msgspec.json.encode(value)


def pretty(value: Json) -> str:
    """Indented JSON with a newline at the end: files that people read and review."""
    import msgspec

    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"


def canonical(value: Json) -> bytes:
    """One text for one value: keys sorted, no white space."""
    import msgspec

    return msgspec.json.encode(value, order="sorted")


def fingerprint(value: Json) -> str:
    """`sha256:` and the hex digest of the canonical form."""
    import hashlib

    return "sha256:" + hashlib.sha256(canonical(value)).hexdigest()
