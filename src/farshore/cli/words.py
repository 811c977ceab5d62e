"""Counts as people say them."""

from __future__ import annotations


def many(count: int, one: str, more: str = "") -> str:
    """`1 subscription`, `1,204 subscriptions`: the number, and its noun to go with it. `more`: where the plural is not
    `one` and an s."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"
