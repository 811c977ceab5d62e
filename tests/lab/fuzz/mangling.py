"""Requests that make sense, with something wrong in their path, query, headers or body: Hypothesis chooses what."""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from lab.authorization.callers import AT_SUBSCRIPTION
from lab.fuzz import corpus, junk
from lab.fuzz.rig import TOKEN, Sent
from lab.fuzz.table import Operation, operations
from lab.resources.deployed import GROUP_ID

SAFE = "/:@!$&'()*+,;=~-._"
"""What a client leaves as it is in a path."""
WRONG = ("", "", "path", "raw", "query", "version", "headers", "body", "body", "body", "content")
"""What is wrong with a request. Most of it is right, or nothing is ever looked at but its first mistake."""
MANGLED = ("junk", "junk", "junk", "gone", "other", "double", "deep", "text", "id", "more")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A request and what it was made of."""

    operation: Operation
    sent: Sent
    target: str = ""
    """The resource that the path names, where nothing in it was mangled."""

    def __str__(self) -> str:
        return f"{self.operation}: {self.sent}"


@st.composite
def requests(draw: st.DrawFn, only: tuple[Operation, ...] | None = None) -> Case:
    operation = draw(st.sampled_from(only or draw(st.sampled_from(_by_kind()))))
    # Most of a request is right, or nothing of it is ever looked at but its first mistake.
    wrong = draw(
        st.sampled_from(("", "", "path", "raw", "query", "version", "headers", "body", "body", "body", "content"))
    )
    target = _target(draw, operation, odd=wrong == "path")
    path = quoted(target) + _tail(draw, operation)
    if wrong == "raw":
        at = draw(st.sampled_from([at for at, letter in enumerate(path) if letter == "/"] or [0]))
        path = path[:at] + draw(st.sampled_from(junk.PATHS)) + path[at:]
    query = draw(st.sampled_from(junk.WRONG_VERSIONS if wrong == "version" else junk.VERSIONS))
    if operation.tail.lower() in corpus.QUERIES:
        query += f"&{corpus.QUERIES[operation.tail.lower()]}"
    if wrong == "query" or (operation.method == "GET" and not wrong and draw(st.booleans())):
        query += "&" + "&".join(draw(st.lists(st.sampled_from(junk.QUERIES), min_size=1, max_size=2)))
    headers = {"authorization": TOKEN, "content-type": "application/json"}
    if operation.tail in corpus.openings() and wrong != "path":
        path, opening, more = corpus.openings()[operation.tail]
        query, headers = f"{query}&{opening}", headers | more
    if wrong == "headers":
        for more in draw(st.lists(st.sampled_from(junk.HEADERS), min_size=1, max_size=2)):
            headers |= more
    content = b""
    if wrong == "content":
        content = draw(st.sampled_from(junk.CONTENTS))
    elif operation.method in ("PUT", "PATCH", "POST"):
        content = encoded(draw(bodies(operation, mangled=wrong == "body")))
    sent = Sent(method=operation.method, path=path, query=query, headers=headers, content=content)
    plain = operation.at == "resource" and wrong not in ("path", "raw")
    return Case(operation=operation, sent=sent, target=target if plain else "")


@functools.cache
def _by_kind() -> list[tuple[Operation, ...]]:
    """Operations by kind: there are many reads, and more is to be found where something is written."""
    kinds: dict[str, list[Operation]] = {}
    for operation in operations():
        kinds.setdefault("path" if operation.at == "path" else operation.method, []).append(operation)
    writes = [kinds[method] for method in ("PUT", "PATCH", "POST", "DELETE", "path")]
    return [tuple(held) for held in (*kinds.values(), *writes, kinds["PUT"], kinds["POST"], kinds["POST"])]


def quoted(path: str) -> str:
    """A path as a client writes it."""
    return quote(path, safe=SAFE)


def encoded(body: Any) -> bytes:
    """As Python writes JSON: NaN and lone surrogates too."""
    return json.dumps(body).encode()


def _target(draw: st.DrawFn, operation: Operation, *, odd: bool) -> str:
    """The id that an operation is asked of, or the path of a door."""
    if operation.at == "path":
        return operation.tail
    found = draw(st.sampled_from(targets(operation)))
    return _wrong(draw, found) if odd else found


@functools.cache
def targets(operation: Operation) -> tuple[str, ...]:
    """What an operation can be asked of: what is there first, what could be made last."""
    if operation.at in ("group", "subscription"):
        return (f"{GROUP_ID if operation.at == 'group' else AT_SUBSCRIPTION}/providers/{operation.type}",)
    last = operation.type.rsplit("/", 1)[-1]
    held = corpus.ids().get(operation.type.lower(), ())
    found = (*held, *held, *held, *(f"{above}/{last}/new" for above in _above(operation.type)))
    return tuple(id_.rsplit("/", 1)[0] for id_ in found) if operation.at == "parent" else found


def of_resources(*methods: str) -> tuple[Operation, ...]:
    return tuple(each for each in operations() if each.method in methods and each.at == "resource")


def on_the_same(case: Case) -> tuple[Operation, ...]:
    """Writes to resources of the type that a request is for."""
    return tuple(each for each in of_resources("PUT", "POST", "DELETE") if each.type == case.operation.type)


@st.composite
def plain(draw: st.DrawFn, of: tuple[Operation, ...]) -> Case:
    """A request with nothing wrong in it."""
    operation = draw(st.sampled_from(of))
    target = _target(draw, operation, odd=False)
    path = quoted(target) + _tail(draw, operation)
    content = b"" if operation.method == "DELETE" else encoded(draw(bodies(operation, mangled=False)))
    return Case(operation=operation, sent=Sent(method=operation.method, path=path, content=content), target=target)


def _above(type_: str) -> list[str]:
    """What a new resource of a type could lie in: what is there, and one that is not."""
    parent = type_.rsplit("/", 1)[0]
    if "/" not in parent:
        return [f"{GROUP_ID}/providers/{parent}"]
    held = list(corpus.ids().get(parent.lower(), ()))[:3]
    kinds = parent.split("/")
    return held or [f"{GROUP_ID}/providers/{kinds[0]}/" + "/".join(f"{kind}/absent" for kind in kinds[1:])]


def _wrong(draw: st.DrawFn, id_: str) -> str:
    parts = id_.split("/")
    how = draw(st.sampled_from(("name", "any", "case", "lower", "group", "subscription", "gone", "twice")))
    if how == "name":
        parts[-1] = draw(st.sampled_from(junk.NAMES))
    elif how == "any":
        parts[draw(st.integers(1, len(parts) - 1))] = draw(st.sampled_from(junk.NAMES))
    elif how in ("case", "lower"):
        return id_.upper() if how == "case" else id_.lower()
    elif how == "group" and len(parts) > 4:
        parts[4] = draw(st.sampled_from(("absent", "rg-source", "rg-target", "rg-vault", "RG-LAB")))
    elif how == "subscription":
        parts[2] = draw(st.sampled_from(("x", "00000000-0000-0000-0000-000000000002", "")))
    elif how == "gone":
        del parts[draw(st.integers(1, len(parts) - 1))]
    else:
        parts *= 2
    return "/".join(parts)


def _tail(draw: st.DrawFn, operation: Operation) -> str:
    found = f"/{operation.tail}" if operation.tail and operation.at == "resource" else ""
    if operation.argument:
        arguments = ("primary", "secondary", "x", "10.0.0.4", "1", *map(quote, junk.NAMES))
        found += "/" + draw(st.sampled_from(arguments))
    return found


@st.composite
def bodies(draw: st.DrawFn, operation: Operation, *, mangled: bool) -> Any:
    body = draw(st.sampled_from(corpus.of(operation)))
    for _ in range(draw(st.integers(1, 2)) if mangled else 0):
        body = draw(_mangled(body))
    return body


@st.composite
def _mangled(draw: st.DrawFn, body: Any) -> Any:
    path = draw(st.sampled_from(list(places(body))))
    how = draw(st.sampled_from(MANGLED))
    if not path or how == "more":
        if isinstance(body, dict) and how == "more":
            return {**body, draw(st.sampled_from(("properties", "x", "id", "tags", "location", "sku"))): draw(_junk)}
        return draw(_junk)
    found = copy.deepcopy(body)
    where: Any = found
    for step in path[:-1]:
        where = where[step]
    last = path[-1]
    held = where[last]
    if how == "gone":
        del where[last]
    elif how == "other":
        known = corpus.values().get(str(last), ()) if isinstance(last, str) else ()
        where[last] = draw(st.sampled_from(known or junk.VALUES))
    elif how == "double" and isinstance(held, list):
        where[last] = held * 2
    elif how == "deep":
        where[last] = _deep(draw(st.sampled_from((list, dict))))
    elif how == "text" and isinstance(held, str):
        where[last] = draw(
            st.sampled_from((held.upper(), held + "x", held[:-1], held * 2, f" {held} ", [held], {held: held}))
        )
    elif how == "id":
        where[last] = draw(st.sampled_from(_some_ids()))
    else:
        where[last] = draw(_junk)
    return found


_junk = st.sampled_from(junk.VALUES)


def _some_ids() -> list[str]:
    """One or two of each type."""
    return [id_ for held in corpus.ids().values() for id_ in held[:2]]


def _deep(kind: type) -> Any:
    found: Any = "x"
    for _ in range(180):
        found = [found] if kind is list else {"properties": found}
    return found


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a body, the whole first."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*path, key))
