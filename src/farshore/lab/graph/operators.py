"""The operators of a query, from table to table.

A table is its columns, in order, and its rows; a row holds what it has, and a column that a row lacks is null.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cmp_to_key
from typing import Any

from farshore.arm.json import dumps
from farshore.lab.graph import functions
from farshore.lab.graph.aggregates import aggregate
from farshore.lab.graph.expressions import Compiler, Row, Worker
from farshore.lab.graph.syntax import Column, Named, Operator, Query, QueryError, shown_name

MOST_EXPANDED = 2_000
"""Values that one row is expanded into at most, as in Azure."""
MOST_ROWS = 1_000_000
"""Of a table on the way: a join of everything with everything is refused, and does not take the lab's memory."""


@dataclass(frozen=True, slots=True)
class Table:
    columns: tuple[str, ...]
    rows: list[Row]


Source = Callable[[str | None, int], Table]


class Runner:
    """`source` gives the table of a name (None: the one that a query begins with when it says nothing)."""

    def __init__(self, source: Source, now: datetime) -> None:
        self._source, self._now = source, now

    def run(self, query: Query) -> Table:
        first = query.operators[0].name if query.operators else ""
        alone = query.table is None and first == "union"
        table = Table((), []) if alone else self._source(query.table, query.at)
        for operator in query.operators:
            table = self._apply(operator, table)
            if len(table.rows) > MOST_ROWS:
                raise QueryError("the query makes too many rows", at=operator.at)
        return table

    def _apply(self, operator: Operator, table: Table) -> Table:
        work: Callable[[Table, dict[str, Any]], Table] = getattr(self, "_" + operator.name.replace("-", "_"))
        return work(table, operator.parts)

    def _compiler(self, table: Table) -> Compiler:
        return Compiler(table.columns, self._now)

    def _named(self, table: Table, parts: Iterable[Named]) -> list[tuple[str, Worker]]:
        compiler, found = self._compiler(table), []
        for at, part in enumerate(parts, 1):
            found.append((part.name or shown_name(part.value, at), compiler.worker(part.value)))
        return found

    # Rows. ---------------------------------------------------------------------------------------------------------

    def _where(self, table: Table, parts: dict[str, Any]) -> Table:
        meets = self._compiler(table).worker(parts["condition"])
        return Table(table.columns, [row for row in table.rows if meets(row) is True])

    def _take(self, table: Table, parts: dict[str, Any]) -> Table:
        return Table(table.columns, table.rows[: parts["count"]])

    def _order(self, table: Table, parts: dict[str, Any]) -> Table:
        compiler, rows = self._compiler(table), list(table.rows)
        for value, ascends, nulls_first in reversed(parts["keys"]):
            rows.sort(key=_sort_key(compiler.worker(value), ascends, nulls_first))
        return Table(table.columns, rows)

    def _top(self, table: Table, parts: dict[str, Any]) -> Table:
        return self._take(self._order(table, parts), parts)

    def _count(self, table: Table, parts: dict[str, Any]) -> Table:
        return Table(("Count",), [{"Count": len(table.rows)}])

    def _distinct(self, table: Table, parts: dict[str, Any]) -> Table:
        found = table if parts["columns"] is None else self._project(table, parts)
        seen: dict[bytes, Row] = {}
        for row in found.rows:
            seen.setdefault(_key([row.get(name) for name in found.columns]), row)
        return Table(found.columns, list(seen.values()))

    # Columns. ------------------------------------------------------------------------------------------------------

    def _project(self, table: Table, parts: dict[str, Any]) -> Table:
        named = self._named(table, parts["columns"])
        columns = tuple(dict.fromkeys(name for name, _ in named))
        return Table(columns, [{name: work(row) for name, work in named} for row in table.rows])

    def _extend(self, table: Table, parts: dict[str, Any]) -> Table:
        named = self._named(table, parts["columns"])
        columns = tuple(dict.fromkeys([*table.columns, *(name for name, _ in named)]))
        return Table(columns, [{**row, **{name: work(row) for name, work in named}} for row in table.rows])

    def _project_away(self, table: Table, parts: dict[str, Any]) -> Table:
        away = _matching(table.columns, parts["names"])
        return _only(table, [name for name in table.columns if name not in away])

    def _project_keep(self, table: Table, parts: dict[str, Any]) -> Table:
        keep = _matching(table.columns, parts["names"])
        return _only(table, [name for name in table.columns if name in keep])

    def _project_rename(self, table: Table, parts: dict[str, Any]) -> Table:
        new = {part.value.name: part.name for part in parts["columns"] if isinstance(part.value, Column)}
        missing = [name for name in new if name not in table.columns]
        if missing:
            raise QueryError(f"Failed to resolve column named '{missing[0]}'")
        columns = tuple(str(new.get(name, name)) for name in table.columns)
        rows = [{str(new.get(name, name)): value for name, value in row.items()} for row in table.rows]
        return Table(columns, rows)

    def _parse(self, table: Table, parts: dict[str, Any]) -> Table:
        value = self._compiler(table).worker(parts["value"])
        pattern, names = _pattern(parts["parts"])

        def parsed(row: Row) -> Row:
            match = pattern.fullmatch(functions.text(value(row)))
            if match is None:
                return {**row, **{name: "" if kind == "string" else None for name, kind in names}}
            return {**row, **{name: _typed(kind, match[f"g{at}"]) for at, (name, kind) in enumerate(names)}}

        columns = tuple(dict.fromkeys([*table.columns, *(name for name, _ in names)]))
        return Table(columns, [parsed(row) for row in table.rows])

    def _mv_expand(self, table: Table, parts: dict[str, Any]) -> Table:
        named = self._named(table, parts["columns"])
        limit = min(parts["limit"] or MOST_EXPANDED, MOST_EXPANDED)
        rows: list[Row] = []
        for row in table.rows:
            lists = {
                name: [_typed(kind, item) for item in _expanded(work(row))[:limit]]
                for (name, work), kind in zip(named, parts["types"], strict=True)
            }
            for at in range(max(1, *map(len, lists.values()))):
                rows.append({**row, **{name: held[at] if at < len(held) else None for name, held in lists.items()}})
            if len(rows) > MOST_ROWS:
                raise QueryError("the query makes too many rows")
        return Table(tuple(dict.fromkeys([*table.columns, *(name for name, _ in named)])), rows)

    _mvexpand = _mv_expand

    # Groups. -------------------------------------------------------------------------------------------------------

    def _summarize(self, table: Table, parts: dict[str, Any]) -> Table:
        by = self._named(table, parts["by"])
        compiler = self._compiler(table)
        made = [aggregate(part, at, compiler, table.columns) for at, part in enumerate(parts["aggregates"], 1)]
        groups: dict[bytes, tuple[Row, list[Row]]] = {}
        for row in table.rows:
            key = {name: work(row) for name, work in by}
            groups.setdefault(_key(list(key.values())), (key, []))[1].append(row)
        if not by and not groups:
            groups[b""] = ({}, [])
        rows = []
        for key, held in groups.values():
            row = dict(key)
            for one in made:
                row |= one.of(held)
            rows.append(row)
        columns = [name for name, _ in by] + [name for one in made for name in one.names]
        return Table(tuple(dict.fromkeys(columns)), rows)

    # Tables. -------------------------------------------------------------------------------------------------------

    def _union(self, table: Table, parts: dict[str, Any]) -> Table:
        others = [self.run(part) for part in parts["parts"]]
        columns = dict.fromkeys(table.columns)
        for other in others:
            columns |= dict.fromkeys(other.columns)
        return Table(tuple(columns), [*table.rows, *(row for other in others for row in other.rows)])

    def _join(self, table: Table, parts: dict[str, Any]) -> Table:
        right, kind, keys = self.run(parts["right"]), parts["kind"], parts["keys"]
        for ours, theirs in keys:
            for name, columns in ((ours, table.columns), (theirs, right.columns)):
                if name not in columns:
                    raise QueryError(f"Failed to resolve column named '{name}' of a join")
        found: dict[bytes, list[Row]] = {}
        for row in right.rows:
            if (key := _join_key(row, [theirs for _, theirs in keys])) is not None:
                found.setdefault(key, []).append(row)
        ours_rows = table.rows
        if kind == "innerunique":
            unique: dict[bytes | None, Row] = {}
            for row in ours_rows:
                unique.setdefault(_join_key(row, [ours for ours, _ in keys]), row)
            ours_rows = list(unique.values())
        renamed = {name: _free(name, table.columns) for name in right.columns}
        rows: list[Row] = []
        met: set[bytes] = set()
        for row in ours_rows:
            key = _join_key(row, [ours for ours, _ in keys])
            partners = found.get(key, []) if key is not None else []
            if key is not None and partners:
                met.add(key)
            if kind in ("leftsemi", "leftanti", "anti"):
                if bool(partners) == (kind == "leftsemi"):
                    rows.append(row)
            elif partners:
                rows += [{**row, **{renamed[name]: value for name, value in other.items()}} for other in partners]
            elif kind in ("leftouter", "fullouter"):
                rows.append(row)
            if len(rows) > MOST_ROWS:
                raise QueryError("the query makes too many rows")
        if kind == "rightanti":
            return Table(right.columns, [row for key, held in found.items() if key not in met for row in held])
        if kind in ("rightouter", "fullouter"):
            alone = [row for key, held in found.items() if key not in met for row in held]
            rows += [{renamed[name]: value for name, value in row.items()} for row in alone]
        if kind in ("leftsemi", "leftanti", "anti"):
            return Table(table.columns, rows)
        return Table((*table.columns, *renamed.values()), rows)


def _only(table: Table, names: list[str]) -> Table:
    return Table(tuple(names), [{name: row.get(name) for name in names} for row in table.rows])


def _matching(columns: tuple[str, ...], patterns: tuple[str, ...]) -> set[str]:
    found: set[str] = set()
    for pattern in patterns:
        like = re.compile(".*".join(re.escape(part) for part in pattern.split("*")))
        named = {name for name in columns if like.fullmatch(name)}
        if not named and "*" not in pattern:
            raise QueryError(f"Failed to resolve column named '{pattern}'", token=pattern)
        found |= named
    return found


def _key(values: list[Any]) -> bytes:
    return dumps([functions.text(value) if isinstance(value, datetime) else _plain(value) for value in values])


def _plain(value: Any) -> Any:
    return functions.text(value) if not isinstance(value, dict | list | str | int | float | bool | None) else value


def _join_key(row: Row, names: list[str]) -> bytes | None:
    values = [row.get(name) for name in names]
    return None if any(value is None for value in values) else _key(values)


def _free(name: str, taken: tuple[str, ...]) -> str:
    if name not in taken:
        return name
    at = 1
    while f"{name}{at}" in taken:
        at += 1
    return f"{name}{at}"


def _sort_key(work: Worker, ascends: bool, nulls_first: bool) -> Callable[[Row], Any]:
    def compare(one: Any, other: Any) -> int:
        if one is None or other is None:
            if one is other:
                return 0
            return -1 if (one is None) == nulls_first else 1
        found = functions.ordered(one, other)
        if found is None:
            found = functions.ordered(functions.text(one), functions.text(other)) or 0
        return found if ascends else -found

    key = cmp_to_key(compare)
    return lambda row: key(work(row))


def _expanded(value: Any) -> list[Any]:
    """What a value is expanded into; an empty list and null keep their row, with null in it."""
    value = functions.dynamic(value)
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        return [{key: item} for key, item in value.items()]
    return [] if value is None else [value]


_TYPES: dict[str, Callable[[Any], Any]] = {
    "string": functions.text,
    "int": functions.whole,
    "long": functions.whole,
    "real": functions.number,
    "double": functions.number,
    "bool": functions.truth,
    "datetime": functions.moment,
}


def _typed(kind: str | None, value: Any) -> Any:
    if kind in (None, "dynamic"):
        return value
    work = _TYPES.get(str(kind))
    if work is None:
        raise QueryError(f"the type '{kind}'", missing=True)
    return work(value)


def _pattern(parts: tuple[tuple[str, str], ...]) -> tuple[re.Pattern[str], list[tuple[str, str]]]:
    """A pattern of `parse` as a regular expression, and the names in it with their types."""
    names: list[tuple[str, str]] = []
    text = ""
    for at, (kind, said) in enumerate(parts):
        last = at == len(parts) - 1
        if kind == "text":
            text += re.escape(said)
        elif kind == "any":
            text += ".*" if last else ".*?"
        else:
            type_ = kind.partition(":")[2] or "string"
            text += f"(?P<g{len(names)}>{'.*' if last else '.*?'})"
            names.append((said, type_))
    return re.compile(text, re.DOTALL), names
