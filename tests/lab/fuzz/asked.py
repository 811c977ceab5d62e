"""What the lab looks for in a body: sent to an operation, such a body remembers each name that was asked of it.

An action has no resource whose body could be copied. Its body is found by asking: an empty one is sent, what the lab
looked for in vain is filled in, by a value that has this name elsewhere in the estate or one that looks like it, and
the body is sent again, until nothing more is looked for.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from farshore.arm.http import Request
from farshore.arm.json import Body
from farshore.lab import Cloud

ROUNDS = 6
OF_THE_JOURNAL = [("properties", "template"), ("properties", "parameters")]
"""Where the journal looks for a deployment's secrets in every body."""


class Asked(dict[str, Any]):
    """A JSON object that writes down what is asked of it and of all in it."""

    def __init__(self, body: Body, missed: list[tuple[Any, ...]], path: tuple[Any, ...] = ()) -> None:
        super().__init__({key: _watched(value, missed, (*path, key)) for key, value in body.items()})
        self._missed, self._path = missed, path

    def get(self, key: str, default: Any = None) -> Any:
        self._miss(key)
        return super().get(key, default)

    def __getitem__(self, key: str) -> Any:
        self._miss(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self._miss(key)
        return super().__contains__(key)

    def _miss(self, key: Any) -> None:
        if not super().__contains__(key) and isinstance(key, str) and (*self._path, key) not in self._missed:
            self._missed.append((*self._path, key))


def _watched(value: Any, missed: list[tuple[Any, ...]], path: tuple[Any, ...]) -> Any:
    if isinstance(value, dict):
        return Asked(value, missed, path)
    if isinstance(value, list):
        return [_watched(item, missed, (*path, at)) for at, item in enumerate(value)]
    return value


def body_for(cloud: Cloud, method: str, url: str, value: Callable[[str], Any]) -> Body:
    """A body with all that the lab looks for in one; `value` gives one for a name."""
    body: Body = {}
    for _ in range(ROUNDS):
        missed: list[tuple[Any, ...]] = []
        with contextlib.suppress(Exception):
            cloud.handle(Request(method=method, url=url, body=Asked(body, missed)), cloud.now)
        missed = [path for path in missed if path not in OF_THE_JOURNAL]
        if not missed:
            break
        for path in missed:
            where: Any = body
            for step in path[:-1]:
                where = where[step]
            where[path[-1]] = value(path[-1])
    return body
