"""The latest values that were asked for, by a key.

Values here are kept by the identity of what they were made from (`id`): comparing an estate's resources would cost more
than making its tables anew. So a value must hold on to that itself; then no other thing can get the same identity while
the value is kept.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Latest(Generic[Key, Value]):
    """Keeps so many; what was not asked for the longest goes first."""

    __slots__ = ("_held", "_most")

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: OrderedDict[Key, Value] = OrderedDict()

    def get(self, key: Key, make: Callable[[], Value]) -> Value:
        """The value of a key, made where it is not kept."""
        found = self._held.get(key)
        if found is None:
            found = self._held[key] = make()
            if len(self._held) > self._most:
                self._held.popitem(last=False)
        else:
            self._held.move_to_end(key)
        return found
