"""Aggregates of `summarize`: many rows to one value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from farshore.arm.json import dumps
from farshore.lab.graph import functions
from farshore.lab.graph.expressions import Compiler, Row, Worker
from farshore.lab.graph.syntax import Column, Function, Named, QueryError, shown_name


@dataclass(frozen=True, slots=True)
class Aggregate:
    names: tuple[str, ...]
    of: Callable[[list[Row]], Row]


def aggregate(part: Named, at: int, compiler: Compiler, columns: tuple[str, ...]) -> Aggregate:
    """Of `name = f(..)`; raises `QueryError` for what is none."""
    node = part.value
    if not isinstance(node, Function):
        raise QueryError("summarize takes aggregates such as count() or sum(x)")
    if node.name in ("arg_max", "arg_min"):
        return _extreme(part, node, compiler, columns)
    known = AGGREGATES.get(node.name)
    if known is None:
        raise QueryError(f"the aggregate '{node.name}'", at=node.at, token=node.name, missing=True)
    prefix, least, most, work = known
    if not least <= len(node.arguments) <= most:
        raise QueryError(f"{node.name}() takes other arguments, not {len(node.arguments)}", at=node.at, token=node.name)
    workers = [compiler.worker(argument) for argument in node.arguments]
    own = shown_name(node.arguments[0], at) if node.arguments and "if" not in node.name else ""
    name = part.name or (own if node.name in ("any", "take_any") else f"{prefix}_{own}")
    return Aggregate((name,), lambda rows: {name: work(rows, workers)})


def _extreme(part: Named, node: Function, compiler: Compiler, columns: tuple[str, ...]) -> Aggregate:
    """`arg_max(x, *)`: the row in which x is greatest."""
    if len(node.arguments) < 2:
        raise QueryError(f"{node.name}() takes what to compare and what to return", at=node.at, token=node.name)
    value = compiler.worker(node.arguments[0])
    first = part.name or shown_name(node.arguments[0], 1)
    rest = node.arguments[1:]
    everything = isinstance(rest[0], Column) and rest[0].name == "*"
    named: list[tuple[str, Worker]] = (
        [(name, compiler.worker(Column(name))) for name in columns if name != first]
        if everything
        else [(shown_name(one, at), compiler.worker(one)) for at, one in enumerate(rest, 2)]
    )
    wanted = 1 if node.name == "arg_max" else -1

    def of(rows: list[Row]) -> Row:
        best: Row | None = None
        for row in rows:
            if value(row) is None:
                continue
            if best is None or functions.ordered(value(row), value(best)) == wanted:
                best = row
        if best is None:
            return {first: None, **{name: None for name, _ in named}}
        return {first: value(best), **{name: work(best) for name, work in named}}

    return Aggregate((first, *(name for name, _ in named)), of)


def _numbers(rows: list[Row], work: Worker) -> list[float]:
    return [found for row in rows if (found := functions.number(work(row))) is not None]


def _values(rows: list[Row], work: Worker) -> list[Any]:
    return [found for row in rows if (found := work(row)) is not None]


def _set(rows: list[Row], work: Worker) -> list[Any]:
    found: dict[bytes, Any] = {}
    for value in _values(rows, work):
        plain = value if isinstance(value, dict | list | str | int | float | bool) else functions.text(value)
        found.setdefault(dumps(plain), value)
    return list(found.values())


def _best(rows: list[Row], work: Worker, wanted: int) -> Any:
    best = None
    for value in _values(rows, work):
        if best is None or functions.ordered(value, best) == wanted:
            best = value
    return best


def _mean(rows: list[Row], work: Worker) -> float | None:
    found = _numbers(rows, work)
    return sum(found) / len(found) if found else None


Work = Callable[[list[Row], list[Worker]], Any]
AGGREGATES: dict[str, tuple[str, int, int, Work]] = {
    "count": ("count", 0, 0, lambda rows, work: len(rows)),
    "countif": ("countif", 1, 1, lambda rows, work: sum(work[0](row) is True for row in rows)),
    "sum": ("sum", 1, 1, lambda rows, work: sum(_numbers(rows, work[0]))),
    "sumif": ("sumif", 2, 2, lambda rows, work: sum(_numbers([r for r in rows if work[1](r) is True], work[0]))),
    "avg": ("avg", 1, 1, lambda rows, work: _mean(rows, work[0])),
    "min": ("min", 1, 1, lambda rows, work: _best(rows, work[0], -1)),
    "max": ("max", 1, 1, lambda rows, work: _best(rows, work[0], 1)),
    "dcount": ("dcount", 1, 1, lambda rows, work: len(_set(rows, work[0]))),
    "make_list": ("list", 1, 1, lambda rows, work: _values(rows, work[0])),
    "makelist": ("list", 1, 1, lambda rows, work: _values(rows, work[0])),
    "make_set": ("set", 1, 1, lambda rows, work: _set(rows, work[0])),
    "makeset": ("set", 1, 1, lambda rows, work: _set(rows, work[0])),
    "any": ("any", 1, 1, lambda rows, work: next((work[0](row) for row in rows), None)),
    "take_any": ("any", 1, 1, lambda rows, work: next((work[0](row) for row in rows), None)),
}
"""By name: what its column is called by, how many arguments, and the work."""
