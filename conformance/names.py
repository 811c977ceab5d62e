"""What a service makes up: the recording's names beside the lab's.

Operation ids, GUIDs, etags and the names that Site Recovery and others invent differ each time. They are learned by
laying a recorded answer beside the lab's, and put into later requests: whole texts, segments of ids, polling URLs.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote, urlsplit

GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
POLLED = ("azure-asyncoperation", "location")


class Names:
    """`given` are texts that the client chose (its subscriptions): they mean themselves wherever they stand."""

    def __init__(self, given: frozenset[str] = frozenset()) -> None:
        self._given = given
        self._texts: dict[str, str] = {}
        self._urls: dict[tuple[str, bool], str] = {}
        self._paths: dict[str, str] = {}

    def learn(self, recorded: Any, ours: Any) -> None:
        """Walk two bodies side by side."""
        if isinstance(recorded, dict) and isinstance(ours, dict):
            for key in recorded.keys() & ours.keys():
                self.learn(recorded[key], ours[key])
        elif isinstance(recorded, list) and isinstance(ours, list):
            for one, other in zip(recorded, _in_order(recorded, ours), strict=False):
                self.learn(one, other)
        elif isinstance(recorded, str) and isinstance(ours, str) and recorded != ours:
            self._learn_text(recorded, ours)

    def learn_headers(self, recorded: dict[str, str], ours: dict[str, str]) -> None:
        for name in POLLED:
            if name in recorded and name in ours:
                there = unquote(urlsplit(recorded[name]).path)
                self._urls[_polled(recorded[name])] = ours[name]
                self._texts.setdefault(there.rsplit("/", 1)[-1].lower(), urlsplit(ours[name]).path.rsplit("/", 1)[-1])

    def scrubbed(self, path: str, shown: str) -> None:
        """Some recorders wrote another name into paths than the answer shows: the answer's is meant."""
        self._paths[path.lower()] = shown

    def url(self, url: str) -> str:
        """The lab's address for a recorded one."""
        parts = urlsplit(url)
        polled = self._urls.get(_polled(url))
        if polled is not None:
            return polled
        for scrubbed, shown in self._paths.items():
            if unquote(parts.path).lower() == scrubbed:
                head, name = shown.rsplit("/", 1)
                sent = parts.path.rsplit("/", 1)[0]
                # The name is another; what stands before it is as the client spelled it, where that is the same.
                parts = parts._replace(path=f"{sent if unquote(sent).lower() == head.lower() else head}/{name}")
        path = "/".join(self._texts.get(unquote(segment).lower(), segment) for segment in parts.path.split("/"))
        return f"{path}?{parts.query}" if parts.query else path

    def body(self, value: Any) -> Any:
        """A request body with the lab's names in it."""
        if isinstance(value, dict):
            return {key: self.body(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.body(item) for item in value]
        if not isinstance(value, str):
            return value
        if value.lower() in self._texts:
            return self._texts[value.lower()]
        if value.startswith("/"):
            return "/".join(self._texts.get(segment.lower(), segment) for segment in value.split("/"))
        return value

    def _learn_text(self, recorded: str, ours: str) -> None:
        if recorded.startswith("/") and ours.startswith("/"):
            one, other = recorded.split("/"), ours.split("/")
            if len(one) == len(other):
                for left, right in zip(one, other, strict=True):
                    if left.lower() != right.lower():
                        self._keep(left, right)
        elif GUID.search(recorded) and GUID.search(ours):
            self._keep(recorded, ours)

    def _keep(self, recorded: str, ours: str) -> None:
        if recorded.lower() not in self._given:
            self._texts[recorded.lower()] = ours


def _polled(url: str) -> tuple[str, bool]:
    """What a polling address is about: the operation, and whether its result is asked for (Compute's `monitor`)."""
    parts = urlsplit(url)
    return unquote(parts.path).lower(), "monitor=true" in parts.query.lower()


def _in_order(recorded: list[Any], ours: list[Any]) -> list[Any]:
    """Our items in the order of the recorded ones of the same name; by place where there are no names."""
    if not all(isinstance(item, dict) and "name" in item for item in [*recorded, *ours]):
        return ours
    named = {str(item["name"]).lower(): item for item in ours}
    rest = [item for item in ours if str(item["name"]).lower() not in {str(one["name"]).lower() for one in recorded}]
    return [named.get(str(item["name"]).lower()) or (rest.pop(0) if rest else None) for item in recorded]
