"""Reading JSON with a place for every complaint: `steps[3].after` is neither a list nor missing, it is wrong there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from ipaddress import ip_network
from typing import Any, NoReturn, TypeVar

from farshore.arm.decode import Network
from farshore.arm.ids import ResourceId
from farshore.errors import InputError

Kind = TypeVar("Kind")
Member = TypeVar("Member", bound=StrEnum)


class Place:
    """One value of a document, and where it stands."""

    def __init__(self, value: Any, path: str, file: str) -> None:
        self.value, self.path, self.file = value, path, file

    def fail(self, what: str, expected: str, remedy: str | None = None) -> NoReturn:
        where = f"{self.path}: " if self.path else ""
        cure = remedy or "mend it there, or make the plan again with `farshore plan`"
        raise InputError(f"{where}{what}", file=self.file, value=self.value, expected=expected, remedy=cure)

    def object(self) -> Place:
        if not isinstance(self.value, dict):
            self.fail("this is no object", "an object")
        return self

    def has(self, key: str) -> bool:
        return self.value.get(key) is not None

    def at(self, key: str) -> Place:
        """A key that must be there."""
        if key not in self.object().value:
            self.fail(f"{key} is missing", f"an object with {key}")
        return self._child(key)

    def maybe(self, key: str) -> Place | None:
        return self._child(key) if self.object().has(key) else None

    def text(self) -> str:
        return self._of(str, "a text")

    def flag(self) -> bool:
        return self._of(bool, "true or false")

    def number(self) -> float:
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            self.fail("this is no number", "a number")
        return self.value

    def whole(self) -> int:
        if isinstance(self.value, bool):
            self.fail("this is no number", "a whole number")
        return self._of(int, "a whole number")

    def mapping(self) -> dict[str, Any]:
        found: dict[str, Any] = self.object().value
        return found

    def items(self) -> Iterator[Place]:
        if not isinstance(self.value, list):
            self.fail("this is no list", "a list")
        for index, item in enumerate(self.value):
            yield Place(item, f"{self.path}[{index}]", self.file)

    def texts(self) -> tuple[str, ...]:
        return tuple(item.text() for item in self.items())

    def each(self, read: Callable[[Place], Kind]) -> tuple[Kind, ...]:
        return tuple(read(item) for item in self.items())

    def id(self) -> ResourceId:
        try:
            return ResourceId(self.text())
        except InputError as error:
            self.fail(error.message, error.expected or "a resource id")

    def network(self) -> Network:
        try:
            return ip_network(self.text())
        except ValueError:
            self.fail("this is not an address range", "a prefix like 10.1.0.0/24 with no host bits set")

    def member(self, enum: type[Member]) -> Member:
        try:
            return enum(self.text())
        except ValueError:
            self.fail(f"{self.value} is not known here", "one of " + ", ".join(enum))

    def _child(self, key: str) -> Place:
        return Place(self.value[key], f"{self.path}.{key}" if self.path else key, self.file)

    def _of(self, kind: type[Kind], what: str) -> Kind:
        if not isinstance(self.value, kind):
            self.fail(f"this is not {what}", what)
        return self.value
