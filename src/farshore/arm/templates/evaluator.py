"""Evaluating expressions: the functions of the table, the ones of a scope, and the forms that look before they leap.

`if`, `and`, `or` and `coalesce` evaluate what they need and no more, as ARM does: `if(x, reference(..), '')` asks
nothing where x is false. `map`, `filter`, `sort`, `reduce`, `groupBy`, `mapValues` and `toObject` take a
`lambda('name', .., body)`, whose names `lambdaVariables('name')` reads.

A template that computes without end is refused: evaluation has a budget of steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cmp_to_key
from typing import Any

from farshore.arm.templates import cidr, dates, text, values  # noqa: F401 - they register their functions
from farshore.arm.templates.errors import Deferred, TemplateError
from farshore.arm.templates.expressions import Call, Expression, Index, Literal, is_expression, parse, unescaped
from farshore.arm.templates.table import (
    FUNCTIONS,
    apply,
    must_be_list,
    must_be_number,
    must_be_object,
    must_be_text,
    must_be_truth,
)
from farshore.arm.templates.values import member

BUDGET = 400_000
"""Steps that one scope may take; the largest template of this field takes some thousands."""
_DEEP = 120
_MOST_COPIES = 800


class Evaluator:
    """Expressions with functions of one's own (`own`, by name in lower case) and the template's (`namespace.name`)."""

    def __init__(self, own: Mapping[str, Callable[..., Any]], members: Mapping[str, Any] | None = None) -> None:
        self.own = own
        self.members = dict(members or {})
        self.lenient = False
        """Whether what only a deployment knows stays as it is written, in place of raising `Deferred`."""
        self.steps = 0
        self._names: dict[str, Any] = {}
        self._depth = 0
        self._loops: dict[str, int] = {}
        self._current: int | None = None
        self._forms: dict[str, Callable[[tuple[Expression, ...]], Any]] = {
            "if": self._if,
            "and": self._and,
            "or": self._or,
            "coalesce": self._coalesce,
            "map": self._map,
            "filter": self._filter,
            "sort": self._sort,
            "reduce": self._reduce,
            "groupby": self._group_by,
            "mapvalues": self._map_values,
            "toobject": self._to_object,
            "lambdavariables": self._lambda_variable,
        }

    # Values. -------------------------------------------------------------------------------------------------------

    def value(self, value: Any) -> Any:
        """A JSON value with its expressions evaluated and its `copy` lists unrolled."""
        if isinstance(value, str):
            if not is_expression(value):
                return unescaped(value)
            try:
                return self.evaluate(value)
            except Deferred:
                if not self.lenient:
                    raise
                return value
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if not isinstance(value, dict):
            return value
        self._deeper()
        found: dict[str, Any] = {}
        for key, item in value.items():
            if key == "copy" and is_copy_list(item):
                for loop in item:
                    found[str(loop["name"])] = self.unrolled(loop)
            else:
                found[self._key(key)] = self.value(item)
        self._depth -= 1
        return found

    def _key(self, key: str) -> str:
        """Names of properties may be expressions (tags by a parameter's name)."""
        return must_be_text("property name", self.evaluate(key)) if is_expression(key) else key

    def evaluate(self, expression: str) -> Any:
        try:
            return self.run(parse(expression))
        except (TemplateError, Deferred) as error:
            if error.expression is None:
                error.expression = expression
            raise

    def unrolled(self, loop: Mapping[str, Any]) -> list[Any]:
        """The items of one `copy` of a property, variable or output: `name`, `count`, `input`."""
        name = str(loop.get("name", ""))
        count = self.count_of(loop, name)
        found = []
        for index in range(count):
            with_index = self.looped(name, index)
            found.append(with_index(lambda: self.value(loop.get("input"))))
        return found

    def count_of(self, loop: Mapping[str, Any], name: str) -> int:
        count = self.value(loop.get("count"))
        if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= _MOST_COPIES:
            raise TemplateError(
                f"The copy count of '{name}' must be a non-negative integer of at most {_MOST_COPIES}, not '{count}'."
            )
        return count

    def looped(self, name: str, index: int, *, current: bool = False) -> Callable[[Callable[[], Any]], Any]:
        """`evaluator.looped("nic", 2)(work)`: what `work` gives while `copyIndex('nic')` is 2."""

        def do(work: Callable[[], Any]) -> Any:
            loops, before = self._loops, self._current
            self._loops = {**loops, name.lower(): index}
            if current or not loops:
                self._current = index
            try:
                return work()
            finally:
                self._loops, self._current = loops, before

        return do

    def copy_index(self, *arguments: Any) -> int:
        """`copyIndex([loop,] [offset])`."""
        parts = list(arguments)
        if len(parts) > 2:
            raise TemplateError("Unable to evaluate template language function 'copyIndex': at most 2 arguments.")
        if parts and isinstance(parts[0], str):
            name = parts.pop(0)
            index = self._loops.get(name.lower())
            if index is None:
                raise TemplateError(
                    f"The template function 'copyIndex' is not expected here: there is no loop '{name}'."
                )
        else:
            index = self._current
            if index is None:
                raise TemplateError(
                    "The template function 'copyIndex' is not expected at this location. The function can only be "
                    "used in a resource with copy specified."
                )
        return index + (must_be_number("copyIndex", parts[0]) if parts else 0)

    # The tree. -----------------------------------------------------------------------------------------------------

    def run(self, node: Expression) -> Any:
        self.steps += 1
        if self.steps > BUDGET:
            raise TemplateError("The template's expressions take too long to evaluate.")
        if isinstance(node, Literal):
            return node.value
        self._deeper()
        try:
            if isinstance(node, Index):
                target = self.run(node.target)
                return member(target, self.run(node.key), safe=node.safe)
            return self._call(node)
        finally:
            self._depth -= 1

    def _call(self, node: Call) -> Any:
        form = self._forms.get(node.key)
        if form is not None:
            return form(node.arguments)
        if node.key in self.members:
            return self._member(node)
        own = self.own.get(node.key)
        if own is None and node.key.startswith("list"):
            own = self.own.get("list*")
            if own is not None:
                return own(node.name, *(self.run(argument) for argument in node.arguments))
        if own is not None:
            arguments = [self.run(argument) for argument in node.arguments]
            try:
                return own(*arguments)
            except TypeError as error:
                if "argument" not in str(error):
                    raise
                raise TemplateError(
                    f"Unable to evaluate template language function '{node.name}': it takes other arguments."
                ) from None
        found = FUNCTIONS.get(node.key)
        if found is None:
            raise TemplateError(f"The template function '{node.name}' is not valid.")
        return apply(found, [self.run(argument) for argument in node.arguments])

    def _member(self, node: Call) -> Any:
        """A function of the template's own: it sees its parameters and nothing else."""
        declared = self.members[node.key]
        names = [str(item.get("name", "")).lower() for item in declared.get("parameters") or []]
        if len(names) != len(node.arguments):
            raise TemplateError(f"The function '{node.name}' takes {len(names)} argument(s).")
        given = dict(zip(names, (self.run(argument) for argument in node.arguments), strict=True))

        def parameter(name: Any) -> Any:
            wanted = must_be_text("parameters", name).lower()
            if wanted not in given:
                raise TemplateError(f"The function '{node.name}' has no parameter '{name}'.")
            return given[wanted]

        inner = Evaluator({"parameters": parameter})
        inner.steps, inner._depth = self.steps, self._depth
        try:
            return inner.value((declared.get("output") or {}).get("value"))
        finally:
            self.steps = inner.steps

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > _DEEP:
            self._depth = 0
            raise TemplateError("The template's expressions are nested too deeply.")

    # Forms. --------------------------------------------------------------------------------------------------------

    def _if(self, nodes: tuple[Expression, ...]) -> Any:
        self._needs("if", nodes, 3, 3)
        return self.run(nodes[1] if must_be_truth("if", self.run(nodes[0])) else nodes[2])

    def _and(self, nodes: tuple[Expression, ...]) -> bool:
        self._needs("and", nodes, 2, None)
        return all(must_be_truth("and", self.run(node)) for node in nodes)

    def _or(self, nodes: tuple[Expression, ...]) -> bool:
        self._needs("or", nodes, 2, None)
        return any(must_be_truth("or", self.run(node)) for node in nodes)

    def _coalesce(self, nodes: tuple[Expression, ...]) -> Any:
        self._needs("coalesce", nodes, 1, None)
        return next((found for node in nodes if (found := self.run(node)) is not None), None)

    def _map(self, nodes: tuple[Expression, ...]) -> list[Any]:
        self._needs("map", nodes, 2, 2)
        work = self._lambda("map", nodes[1], 1, 2)
        return [work(item, at) for at, item in enumerate(must_be_list("map", self.run(nodes[0])))]

    def _filter(self, nodes: tuple[Expression, ...]) -> list[Any]:
        self._needs("filter", nodes, 2, 2)
        work = self._lambda("filter", nodes[1], 1, 2)
        found = must_be_list("filter", self.run(nodes[0]))
        return [item for at, item in enumerate(found) if must_be_truth("filter", work(item, at))]

    def _sort(self, nodes: tuple[Expression, ...]) -> list[Any]:
        self._needs("sort", nodes, 2, 2)
        before = self._lambda("sort", nodes[1], 2, 2)

        def compare(one: Any, other: Any) -> int:
            if must_be_truth("sort", before(one, other)):
                return -1
            return 1 if must_be_truth("sort", before(other, one)) else 0

        return sorted(must_be_list("sort", self.run(nodes[0])), key=cmp_to_key(compare))

    def _reduce(self, nodes: tuple[Expression, ...]) -> Any:
        self._needs("reduce", nodes, 3, 3)
        work, found = self._lambda("reduce", nodes[2], 2, 3), self.run(nodes[1])
        for at, item in enumerate(must_be_list("reduce", self.run(nodes[0]))):
            found = work(found, item, at)
        return found

    def _group_by(self, nodes: tuple[Expression, ...]) -> dict[str, list[Any]]:
        self._needs("groupBy", nodes, 2, 2)
        work = self._lambda("groupBy", nodes[1], 1, 1)
        found: dict[str, list[Any]] = {}
        for item in must_be_list("groupBy", self.run(nodes[0])):
            found.setdefault(must_be_text("groupBy", work(item)), []).append(item)
        return found

    def _map_values(self, nodes: tuple[Expression, ...]) -> dict[str, Any]:
        self._needs("mapValues", nodes, 2, 2)
        work = self._lambda("mapValues", nodes[1], 1, 1)
        return {key: work(value) for key, value in must_be_object("mapValues", self.run(nodes[0])).items()}

    def _to_object(self, nodes: tuple[Expression, ...]) -> dict[str, Any]:
        self._needs("toObject", nodes, 2, 3)
        key = self._lambda("toObject", nodes[1], 1, 1)
        value = self._lambda("toObject", nodes[2], 1, 1) if len(nodes) == 3 else None
        found = must_be_list("toObject", self.run(nodes[0]))
        return {must_be_text("toObject", key(item)): item if value is None else value(item) for item in found}

    def _lambda(self, name: str, node: Expression, least: int, most: int) -> Callable[..., Any]:
        parts = node.arguments if isinstance(node, Call) and node.key == "lambda" else ()
        names = [part.value for part in parts[:-1] if isinstance(part, Literal) and isinstance(part.value, str)]
        if not least <= len(names) <= most or len(names) != len(parts) - 1:
            raise TemplateError(f"Unable to evaluate template language function '{name}': a lambda was expected.")

        def work(*given: Any) -> Any:
            before = self._names
            self._names = before | dict(zip(names, given, strict=False))
            try:
                return self.run(parts[-1])
            finally:
                self._names = before

        return work

    def _lambda_variable(self, nodes: tuple[Expression, ...]) -> Any:
        self._needs("lambdaVariables", nodes, 1, 1)
        name = self.run(nodes[0])
        if not isinstance(name, str) or name not in self._names:
            raise TemplateError(f"The lambda variable '{name}' is not there.")
        return self._names[name]

    def _needs(self, name: str, nodes: tuple[Expression, ...], least: int, most: int | None) -> None:
        if len(nodes) < least or (most is not None and len(nodes) > most):
            raise TemplateError(
                f"Unable to evaluate template language function '{name}': it takes other arguments, not {len(nodes)}."
            )


def is_copy_list(item: Any) -> bool:
    """Whether a `copy` is a property's, and no property that is called so."""
    return isinstance(item, list) and all(
        isinstance(loop, dict) and isinstance(loop.get("name"), str) and "count" in loop for loop in item
    )
