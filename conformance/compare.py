"""Two answers side by side.

    status    equal
    headers   which of azure-asyncoperation and location there are, and what their paths look like
    paths     each key path of the recorded body, with the JSON type there; `[]` is every place of a list
    words     texts that look like the value of an enumeration, at their paths
    ids       keywords of resource ids, in their casing
    code      the error's code

A key path that only the lab has is a difference too; it is counted beside the score, not in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from conformance.names import GUID, POLLED

WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
TYPE = re.compile(r"[Mm]icrosoft\.[A-Za-z]+/[A-Za-z/]+")
FREE = (
    *("name", "displayname", "friendlyname", "description", "id", "code", "message", "location", "etag", "activity"),
    *("peeringlocations", "communityname", "servicename", "servicesupportedregion"),
)
"""Keys, in lower case, whose texts are nobody's enumeration."""
OPEN = ("tags", "tagmap", "parameters", "outputs")
"""Keys below which the keys are somebody's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    where: str
    """file:seq."""
    path: str
    expected: str
    got: str

    def __str__(self) -> str:
        return f"{self.where} {self.path}: expected {self.expected}, got {self.got}"


@dataclass(slots=True, kw_only=True)
class Count:
    matched: int = 0
    total: int = 0

    def add(self, right: bool) -> None:
        self.total += 1
        self.matched += right

    @property
    def share(self) -> float:
        return self.matched / self.total if self.total else 1.0


@dataclass(slots=True, kw_only=True)
class Score:
    """What was compared in one recording, or in one answer."""

    statuses: Count = field(default_factory=Count)
    codes: Count = field(default_factory=Count)
    headers: Count = field(default_factory=Count)
    paths: Count = field(default_factory=Count)
    words: Count = field(default_factory=Count)
    ids: Count = field(default_factory=Count)
    more: int = 0
    """Key paths that only the lab has."""
    skipped: int = 0
    """Rows that are not scored: first reads of what was seeded, polls of what the lab had done already."""
    outside: int = 0
    differences: list[Difference] = field(default_factory=list)


def status(score: Score, where: str, expected: int, got: int, error: Any) -> bool:
    score.statuses.add(expected == got)
    if expected != got:
        said = f" {error.get('code')}: {error.get('message')}" if isinstance(error, dict) else ""
        score.differences.append(
            Difference(where=where, path="status", expected=str(expected), got=f"{got}{said[:200]}")
        )
    return expected == got


def code(score: Score, where: str, expected: Any, got: Any) -> None:
    theirs, ours = error_code(expected), error_code(got)
    score.codes.add(theirs == ours)
    if theirs != ours:
        score.differences.append(Difference(where=where, path="error.code", expected=str(theirs), got=str(ours)))


def error_code(body: Any) -> str | None:
    error = body.get("error") if isinstance(body, dict) else None
    found = error.get("code") if isinstance(error, dict) else None
    return str(found) if found is not None else None


def headers(score: Score, where: str, expected: dict[str, str], got: dict[str, str]) -> None:
    """The polling headers of an answer to a write, and the form of their addresses."""
    for name in POLLED:
        theirs, ours = _form(expected.get(name)), _form(got.get(name))
        if theirs is None and ours is None:
            continue
        score.headers.add(theirs == ours)
        if theirs != ours:
            score.differences.append(Difference(where=where, path=name, expected=str(theirs), got=str(ours)))


def _form(url: str | None) -> str | None:
    """The keywords of an address, with every name taken out of it."""
    return None if url is None else "/".join(_keywords(unquote(urlsplit(url).path)))


def bodies(score: Score, where: str, expected: Any, got: Any) -> None:
    theirs, ours = paths(expected), paths(got)
    for path, kind in sorted(theirs):
        right = (path, kind) in ours
        score.paths.add(right)
        if not right:
            other = "/".join(sorted(there for at, there in ours if at == path)) or "nothing"
            score.differences.append(Difference(where=where, path=path or ".", expected=kind, got=other))
    known = {path for path, _ in theirs}
    for path in sorted({path for path, _ in ours} - known):
        if _parent(path) in known:
            score.more += 1
            score.differences.append(Difference(where=where, path=path, expected="nothing", got="more"))
    _texts(score, where, expected, got)


def paths(value: Any, at: str = "") -> set[tuple[str, str]]:
    """(key path, JSON type) of everything in a body."""
    found = {(at, kind_of(value))}
    if isinstance(value, dict):
        for key, item in value.items():
            if key != "__truncated__":
                found |= paths(item, f"{at}.{key}" if at else key)
    elif isinstance(value, list):
        for item in value:
            found |= paths(item, f"{at}[]")
    return found


def kind_of(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def _parent(path: str) -> str:
    return path[:-2] if path.endswith("[]") else path.rpartition(".")[0]


def _texts(score: Score, where: str, expected: Any, got: Any) -> None:
    """Words and ids, compared as what is seen at a path: an item of a list has no place of its own."""
    theirs, ours = _leaves(expected), _leaves(got)
    for path, texts in sorted(theirs.items()):
        there = ours.get(path)
        if there is None:
            continue
        key = re.split(r"[.\[]", path.rstrip("[]"))[-1].lower()
        if any(part.lower() in OPEN for part in re.split(r"[.\[]", path)):
            continue
        for text in sorted(texts):
            if text.lower().startswith("/subscriptions/"):
                form = _keywords(text)
                right = any(_keywords(other) == form for other in there)
                score.ids.add(right)
                kind, shown = "/".join(form), "/".join(_keywords(sorted(there)[0]))
            elif TYPE.fullmatch(text) or (WORD.fullmatch(text) and key not in FREE and not GUID.fullmatch(text)):
                right = text in there
                score.words.add(right)
                kind, shown = text, ", ".join(sorted(there))[:80]
            else:
                continue
            if not right:
                score.differences.append(Difference(where=where, path=path, expected=kind, got=shown))


def _leaves(value: Any, at: str = "") -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for path, text in _walk(value, at):
        found.setdefault(path, set()).add(text)
    return found


def _walk(value: Any, at: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key != "__truncated__":
                yield from _walk(item, f"{at}.{key}" if at else key)
    elif isinstance(value, list):
        for item in value:
            yield from _walk(item, f"{at}[]")
    elif isinstance(value, str):
        yield at, value


def _keywords(text: str) -> list[str]:
    """A path with its names taken out: subscriptions/{}/resourceGroups/{}/providers/Namespace/type/{}."""
    found = []
    parts = ["{}" if GUID.fullmatch(part) else part for part in text.strip("/").split("/")]
    at = 0
    while at < len(parts):
        word = parts[at]
        found.append(word)
        if word.lower() == "providers" and at + 1 < len(parts):
            found.append(parts[at + 1])
        elif at + 1 < len(parts):
            found.append("{}")
        at += 2
    return found
