"""Trees of expressions made into functions of a row, once for a whole table."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

from farshore.lab.graph import functions
from farshore.lab.graph.syntax import Column, Expression, Function, Items, Literal, Member, Operation, QueryError

Row = dict[str, Any]
Worker = Callable[[Row], Any]


class Compiler:
    """`columns` are those of the table; a name that is none of them is refused."""

    def __init__(self, columns: Collection[str], now: datetime) -> None:
        self.columns, self.now = columns, now

    def worker(self, node: Expression) -> Worker:
        if isinstance(node, Literal):
            value = node.value
            return lambda row: value
        if isinstance(node, Column):
            return self._column(node)
        if isinstance(node, Member):
            return self._member(node)
        if isinstance(node, Function):
            return self._function(node)
        if isinstance(node, Operation):
            return self._operation(node)
        raise QueryError("a list stands where a value was expected")

    def _column(self, node: Column) -> Worker:
        name = node.name
        if name not in self.columns:
            known = next((one for one in self.columns if one.lower() == name.lower()), None)
            hint = "" if known is None else f"; did you mean '{known}'?"
            raise QueryError(f"Failed to resolve scalar expression named '{name}'{hint}", at=node.at, token=name)
        return lambda row: row.get(name)

    def _member(self, node: Member) -> Worker:
        target, key = self.worker(node.target), self.worker(node.key)

        def work(row: Row) -> Any:
            value, name = target(row), key(row)
            if isinstance(value, dict):
                return value.get(name) if isinstance(name, str) else None
            if isinstance(value, list) and isinstance(name, int) and not isinstance(name, bool):
                return value[name] if -len(value) <= name < len(value) else None
            return None

        return work

    def _function(self, node: Function) -> Worker:
        if node.name in ("now", "ago"):
            spans = [self.worker(argument) for argument in node.arguments]
            if len(spans) > 1 or (node.name == "ago" and not spans):
                raise QueryError(f"{node.name}() takes a timespan", at=node.at, token=node.name)
            sign = -1 if node.name == "ago" else 1

            def then(row: Row) -> Any:
                moved = functions.span(spans[0](row)) if spans else None
                try:
                    return self.now if moved is None else self.now + sign * moved
                except OverflowError:
                    return None

            return then
        found = functions.FUNCTIONS.get(node.name)
        if found is None:
            raise QueryError(f"the function '{node.name}'", at=node.at, token=node.name, missing=True)
        call, least, most = found
        count = len(node.arguments)
        if count < least or (most is not None and count > most):
            raise QueryError(f"{node.name}() takes other arguments, not {count}", at=node.at, token=node.name)
        workers = [self.worker(argument) for argument in node.arguments]
        return lambda row: call(*(work(row) for work in workers))

    def _operation(self, node: Operation) -> Worker:
        operator, right = node.operator, node.right
        if node.left is None:
            value = self.worker(right)
            return lambda row: functions.arithmetic("-", 0, value(row))
        left = self.worker(node.left)
        if isinstance(right, Items):
            return self._listed(operator, left, [self.worker(item) for item in right.values])
        other = self.worker(right)
        if operator == "and":
            return lambda row: left(row) is True and other(row) is True
        if operator == "or":
            return lambda row: left(row) is True or other(row) is True
        if operator in ("+", "-", "*", "/", "%"):
            return lambda row: functions.arithmetic(operator, left(row), other(row))
        return lambda row: functions.compare(operator, left(row), other(row))

    def _listed(self, operator: str, left: Worker, items: list[Worker]) -> Worker:
        word, negated = operator.lstrip("!"), operator.startswith("!")

        def work(row: Row) -> bool:
            value, listed = left(row), [item(row) for item in items]
            if word == "between":
                low, high = (functions.ordered(value, one) for one in listed)
                return (low is not None and high is not None and low >= 0 >= high) != negated
            flat = [one for item in listed for one in (item if isinstance(item, list) else [item])]
            if word in ("has_any", "has_all"):
                some = any if word == "has_any" else all
                return some(functions.compare("has", value, one) for one in flat) != negated
            how = "=~" if word == "in~" else "=="
            return any(functions.compare(how, value, one) for one in flat) != negated

        return work
