"""Reading one body leniently: what is there is used, what is a marker is unknown, nothing is guessed.

ARM bodies come from many hands. Templates hold booleans as strings, and an export holds markers that are no value:
`<param:x>`, `<reference ..>`, a template's own expression `[parameters('x')]`. A field that can't be used is left at
its default and its path is added to `Reader.unknown`, so that an answer that rests on it can say that information is
missing (style 11).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from farshore.arm.ids import ResourceId, resource_id
from farshore.errors import InputError

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


def holds_marker(value: object) -> bool:
    """Whether a marker, which only stands for a value that a deployment would know, is in a text:
    `10.<param:site>.0.0/16` is as unknown as `<param:range>`. A template's expression is the whole of a text, and `[[`
    begins one that only looks like it."""
    if not isinstance(value, str):
        return False
    if value[:1] == "[" and _EXPRESSION.fullmatch(value):
        return True
    return "<" in value and ">" in value[value.index("<") :]


_EXPRESSION = re.compile(r"\[\s*[A-Za-z_][\w.]*\s*\(.*\]\s*", re.DOTALL)
"""A function's call in brackets: `[concat('10.', parameters('site'), '.0.0/16')]`."""


@lru_cache(maxsize=4096)
def _keys(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))


class Reader:
    """Reads fields of one JSON object by dotted path and remembers which of them are unknown."""

    __slots__ = ("body", "place", "unknown")

    def __init__(self, body: Any, place: str = "", unknown: set[str] | None = None) -> None:
        self.body: dict[str, Any] = body if isinstance(body, dict) else {}
        self.place = place
        self.unknown: set[str] = set() if unknown is None else unknown

    def raw(self, path: str) -> Any:
        value: Any = self.body
        keys = _keys(path)
        for at, key in enumerate(keys):
            value = value.get(key) if isinstance(value, dict) else None
            if holds_marker(value):
                # It may stand for the object that the field would be in.
                self.unknown.add(self._at(".".join(keys[: at + 1])))
                return None
        return value

    def text(self, path: str) -> str | None:
        value = self.raw(path)
        return value if isinstance(value, str) and value else None

    def flag(self, path: str, default: bool = False) -> bool:
        """A boolean; "true" and "false" as text are accepted, as real templates hold them."""
        value = self.raw(path)
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        return default

    def number(self, path: str) -> int | None:
        value = self.raw(path)
        if isinstance(value, bool):
            return None
        if isinstance(value, int):
            return value
        return int(value) if isinstance(value, str) and value.isdecimal() else None

    def thousands(self, path: str) -> int | None:
        """A number of thousands, like Gbps, as one of ones; it may have a fraction."""
        value = self.raw(path)
        return round(value * 1000) if isinstance(value, int | float) and not isinstance(value, bool) else None

    def id(self, path: str) -> ResourceId | None:
        """The id at `path.id`."""
        return self._id_at(path + ".id")

    def _own_id(self) -> ResourceId | None:
        return self._id_at("id")

    def _id_at(self, path: str) -> ResourceId | None:
        text = self.text(path)
        if text is None:
            return None
        try:
            return resource_id(text)
        except InputError:
            self.unknown.add(self._at(path))
            return None

    def ids(self, path: str) -> tuple[ResourceId, ...]:
        return tuple(found for item in self.items(path) if (found := item._own_id()) is not None)

    def networks(self, path: str) -> tuple[Network, ...]:
        """The prefixes in the list (or the one text) at `path`. Host bits set are an input error (L22)."""
        value = self.raw(path)
        texts = [value] if isinstance(value, str) else value if isinstance(value, list) else []
        return tuple(found for text in texts if (found := self._network(text, path)) is not None)

    def network(self, path: str) -> Network | None:
        found = self.networks(path)
        return found[0] if found else None

    def address(self, path: str) -> Address | None:
        text = self.text(path)
        if text is None:
            return None
        if holds_marker(text):
            self.unknown.add(self._at(path))
            return None
        return _address(text)

    def addresses(self, path: str) -> tuple[Address, ...]:
        return tuple(map(_address, self.texts(path)))

    def texts(self, path: str) -> tuple[str, ...]:
        value = self.raw(path)
        held = [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
        if any(map(holds_marker, held)):
            self.unknown.add(self._at(path))
        return tuple(item for item in held if not holds_marker(item))

    def items(self, path: str) -> Iterator[Reader]:
        """A reader for each object in the list at `path`."""
        value = self.raw(path)
        for index, item in enumerate(value if isinstance(value, list) else []):
            if isinstance(item, dict):
                yield Reader(item, self._at(f"{path}[{index}]"), self.unknown)
            elif holds_marker(item):
                self.unknown.add(self._at(f"{path}[{index}]"))

    def _network(self, text: object, path: str) -> Network | None:
        if not isinstance(text, str) or holds_marker(text):
            self.unknown.add(self._at(path))
            return None
        try:
            return ip_network(text)
        except ValueError:
            expected = "a prefix like 10.1.0.0/24 with no host bits set"
            raise InputError("This is not an address range", value=text, expected=expected) from None

    def _at(self, path: str) -> str:
        return f"{self.place}.{path}" if self.place else path


def is_address(text: str) -> bool:
    """Whether a text is an IP address, of either version."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _address(text: str) -> Address:
    try:
        return ip_address(text)
    except (AddressValueError, ValueError):
        raise InputError("This is not an address", value=text, expected="an address like 10.1.0.4") from None
