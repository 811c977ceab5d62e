"""The operators of a query, read: what stands behind each `|`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from farshore.lab.graph.syntax import Column, Named, Operator, Query, QueryError, Reader

KINDS = ("innerunique", "inner", "leftouter", "rightouter", "fullouter", "leftsemi", "leftanti", "anti", "rightanti")
KNOWN_ELSEWHERE = [
    "as",
    "consume",
    "evaluate",
    "externaldata",
    "facet",
    "find",
    "fork",
    "getschema",
    "invoke",
    "lookup",
    "make-series",
    "mv-apply",
    "parse-kv",
    "parse-where",
    "partition",
    "print",
    "project-reorder",
    "range",
    "reduce",
    "render",
    "sample",
    "sample-distinct",
    "scan",
    "search",
    "serialize",
    "top-hitters",
    "top-nested",
    "let",
]
"""Kusto's, and not the lab's."""


def parse(text: str) -> Query:
    reader = Reader(text)
    if not reader.tokens:
        raise QueryError("the query is empty")
    found = _query(reader)
    reader.may(";")
    if reader.place < len(reader.tokens):
        token = reader.any()
        raise QueryError(f"'{token.text}' was not expected", at=token.at, token=token.text)
    return found


def _query(reader: Reader) -> Query:
    at, table = reader.at, None
    operators: list[Operator] = []
    starts = reader.tokens[reader.place].text.lower() if reader.place < len(reader.tokens) else ""
    if starts in READ or starts in KNOWN_ELSEWHERE:
        operators.append(_operator(reader))
    else:
        table = reader.word()
    while reader.may("|"):
        operators.append(_operator(reader))
    return Query(table, tuple(operators), at)


def _operator(reader: Reader) -> Operator:
    token = reader.any()
    name = token.text.lower()
    read = READ.get(name)
    if read is None:
        missing = name in KNOWN_ELSEWHERE
        raise QueryError(f"the operator '{token.text}'", at=token.at, token=token.text, missing=missing)
    return Operator({"filter": "where", "sort": "order", "limit": "take"}.get(name, name), read(reader), token.at)


def _where(reader: Reader) -> dict[str, Any]:
    return {"condition": reader.expression()}


def _columns(reader: Reader) -> dict[str, Any]:
    return {"columns": reader.named_list()}


def _names(reader: Reader) -> dict[str, Any]:
    """Names, `*` for any letters in them."""
    found = [_pattern(reader)]
    while reader.may(","):
        found.append(_pattern(reader))
    return {"names": tuple(found)}


def _pattern(reader: Reader) -> str:
    found = "*" if reader.may("*") else reader.word()
    while reader.peek("*"):
        found += reader.any().text
        if reader.peek_kind("word"):
            found += reader.word()
    return found


def _summarize(reader: Reader) -> dict[str, Any]:
    aggregates = () if reader.peek("by") else reader.named_list()
    by = reader.named_list() if reader.may("by") else ()
    return {"aggregates": aggregates, "by": by}


def _order(reader: Reader) -> dict[str, Any]:
    reader.take("by")
    return {"keys": _keys(reader)}


def _keys(reader: Reader) -> tuple[tuple[Any, bool, bool], ...]:
    """Expression, whether it ascends, whether nulls come first; Kusto descends unless told otherwise."""
    found = []
    while True:
        value = reader.expression()
        ascends = reader.peek("asc")
        if reader.peek("asc", "desc"):
            reader.any()
        first = ascends
        if reader.may("nulls"):
            first = reader.take("first", "last").text.lower() == "first"
        found.append((value, ascends, first))
        if not reader.may(","):
            return tuple(found)


def _take(reader: Reader) -> dict[str, Any]:
    return {"count": reader.number()}


def _top(reader: Reader) -> dict[str, Any]:
    count = reader.number()
    reader.take("by")
    return {"count": count, "keys": _keys(reader)}


def _count(reader: Reader) -> dict[str, Any]:
    return {}


def _distinct(reader: Reader) -> dict[str, Any]:
    if reader.may("*"):
        return {"columns": None}
    return {"columns": reader.named_list()}


def _expand(reader: Reader) -> dict[str, Any]:
    if reader.may("bagexpansion", "kind"):
        reader.take("=")
        if reader.word().lower() != "array":
            raise QueryError("bagexpansion other than 'array'", at=reader.at, missing=True)
    parts: list[Named] = []
    types: list[str | None] = []
    while True:
        parts.append(reader.named())
        kind = None
        if reader.may("to"):
            reader.take("typeof")
            reader.take("(")
            kind = reader.word().lower()
            reader.take(")")
        types.append(kind)
        if not reader.may(","):
            break
    limit = reader.number() if reader.may("limit") else None
    return {"columns": tuple(parts), "types": tuple(types), "limit": limit}


def _join(reader: Reader) -> dict[str, Any]:
    kind = "innerunique"
    while reader.peek("kind", "hint"):
        word = reader.any().text.lower()
        if word == "hint":
            raise QueryError("hints of a join", at=reader.at, missing=True)
        reader.take("=")
        kind = reader.word().lower()
    if kind not in KINDS:
        raise QueryError(f"a join of kind '{kind}'", at=reader.at, missing=True)
    right = _inner(reader)
    reader.take("on")
    keys = [_key(reader)]
    while reader.may(",", "and"):
        keys.append(_key(reader))
    return {"kind": kind, "right": right, "keys": tuple(keys)}


def _key(reader: Reader) -> tuple[str, str]:
    """`name`, or `$left.a == $right.b` either way round."""
    if not reader.peek("$left", "$right"):
        name = reader.word()
        return name, name
    first, one = _sided(reader)
    reader.take("==")
    second, other = _sided(reader)
    if first == second:
        raise QueryError("one side of a join's key is $left, the other $right", at=reader.at)
    return (one, other) if first == "$left" else (other, one)


def _sided(reader: Reader) -> tuple[str, str]:
    side = reader.take("$left", "$right").text.lower()
    reader.take(".")
    return side, reader.word()


def _union(reader: Reader) -> dict[str, Any]:
    while reader.peek("kind", "withsource", "isfuzzy"):
        word = reader.any().text
        reader.take("=")
        if word != "kind" or reader.word().lower() != "outer":
            raise QueryError(f"a union's {word}", at=reader.at, missing=True)
    parts = [_inner(reader)]
    while reader.may(","):
        parts.append(_inner(reader))
    return {"parts": tuple(parts)}


def _inner(reader: Reader) -> Query:
    """`(query)`, or a table's name."""
    if not reader.may("("):
        return Query(reader.word(), (), reader.at)
    found = _query(reader)
    reader.take(")")
    return found


def _parse(reader: Reader) -> dict[str, Any]:
    if reader.peek("kind"):
        raise QueryError("kinds of parse", at=reader.at, missing=True)
    value = reader.expression()
    reader.take("with")
    parts: list[tuple[str, str]] = []
    while reader.place < len(reader.tokens) and not reader.peek("|", ")", ";"):
        if reader.may("*"):
            parts.append(("any", ""))
        elif reader.peek_kind("text"):
            parts.append(("text", reader.text_of(reader.any())))
        else:
            parts.append(("name", reader.word()))
            if reader.may(":"):
                parts[-1] = (f"name:{reader.word().lower()}", parts[-1][1])
    if not parts:
        raise QueryError("parse has no pattern", at=reader.at)
    return {"value": value, "parts": tuple(parts)}


def _rename(reader: Reader) -> dict[str, Any]:
    found = reader.named_list()
    for one in found:
        if one.name is None or not isinstance(one.value, Column):
            raise QueryError("project-rename takes new = old", at=reader.at)
    return {"columns": found}


READ: dict[str, Callable[[Reader], dict[str, Any]]] = {
    "where": _where,
    "filter": _where,
    "project": _columns,
    "extend": _columns,
    "project-away": _names,
    "project-keep": _names,
    "project-rename": _rename,
    "summarize": _summarize,
    "order": _order,
    "sort": _order,
    "take": _take,
    "limit": _take,
    "top": _top,
    "count": _count,
    "distinct": _distinct,
    "mv-expand": _expand,
    "mvexpand": _expand,
    "join": _join,
    "union": _union,
    "parse": _parse,
}
