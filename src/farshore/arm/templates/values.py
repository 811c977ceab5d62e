"""Template functions on arrays, objects, numbers and truth.

Where a function takes a text, an array or an object (`length`, `contains`, `empty`...) there is one of that name, and
it looks at what it got.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from farshore.arm.templates.errors import TemplateError
from farshore.arm.templates.table import (
    function,
    must_be_list,
    must_be_number,
    must_be_object,
    must_be_text,
    must_be_truth,
    same,
    wrong,
)

MOST = 10_000
"""Items of an array that an expression may make (`range`, ARM's own limit)."""


# Arrays, texts, objects. ---------------------------------------------------------------------------------------------


@function("array", 1)
def array(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@function("createArray", 0, None)
def create_array(*items: Any) -> list[Any]:
    return list(items)


@function("createObject", 0, None)
def create_object(*parts: Any) -> dict[str, Any]:
    if len(parts) % 2:
        raise TemplateError("Unable to evaluate template language function 'createObject': a value is missing.")
    return {must_be_text("createObject", key): value for key, value in zip(parts[::2], parts[1::2], strict=True)}


@function("length", 1)
def length(value: Any) -> int:
    if not isinstance(value, str | list | dict):
        raise wrong("length", "a string, an array or an object", value)
    return len(value)


@function("empty", 1)
def empty(value: Any) -> bool:
    if value is not None and not isinstance(value, str | list | dict):
        raise wrong("empty", "a string, an array or an object", value)
    return not value


@function("contains", 2)
def contains(holder: Any, item: Any) -> bool:
    """A text in a text, an item in an array, a key in an object (whatever its case)."""
    if isinstance(holder, str):
        return str(item) in holder if isinstance(item, str | int) else False
    if isinstance(holder, list):
        return any(same(item, held) for held in holder)
    wanted = must_be_text("contains", item).lower()
    return any(key.lower() == wanted for key in must_be_object("contains", holder))


@function("first", 1)
def first(value: Any) -> Any:
    return _end("first", value, 0)


@function("last", 1)
def last(value: Any) -> Any:
    return _end("last", value, -1)


def _end(name: str, value: Any, at: int) -> Any:
    if not isinstance(value, str | list):
        raise wrong(name, "a string or an array", value)
    return value[at] if value else "" if isinstance(value, str) else None


@function("skip", 2)
def skip(value: Any, count: Any) -> Any:
    if not isinstance(value, str | list):
        raise wrong("skip", "a string or an array", value)
    return value[max(0, must_be_number("skip", count)) :]


@function("take", 2)
def take(value: Any, count: Any) -> Any:
    if not isinstance(value, str | list):
        raise wrong("take", "a string or an array", value)
    return value[: max(0, must_be_number("take", count))]


@function("indexOf", 2)
def index_of(value: Any, item: Any) -> int:
    if isinstance(value, list):
        return next((at for at, held in enumerate(value) if same(held, item)), -1)
    return must_be_text("indexOf", value).lower().find(must_be_text("indexOf", item).lower())


@function("lastIndexOf", 2)
def last_index_of(value: Any, item: Any) -> int:
    if isinstance(value, list):
        return next((at for at in range(len(value) - 1, -1, -1) if same(value[at], item)), -1)
    return must_be_text("lastIndexOf", value).lower().rfind(must_be_text("lastIndexOf", item).lower())


@function("range", 2)
def range_(start: Any, count: Any) -> list[int]:
    begin, many = must_be_number("range", start), must_be_number("range", count)
    if not 0 <= many <= MOST:
        raise wrong("range", f"a count of 0 to {MOST}", count)
    return list(range(begin, begin + many))


@function("union", 1, None)
def union(*parts: Any) -> Any:
    """Arrays without repetitions, or objects merged deep; the later one wins."""
    if isinstance(parts[0], list):
        found: list[Any] = []
        for part in parts:
            found += [item for item in must_be_list("union", part) if not any(same(item, held) for held in found)]
        return found
    merged: dict[str, Any] = {}
    for part in parts:
        merged = _merged(merged, must_be_object("union", part))
    return merged


def _merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    found = dict(one)
    for key, value in other.items():
        held = found.get(key)
        found[key] = _merged(held, value) if isinstance(held, dict) and isinstance(value, dict) else value
    return found


@function("intersection", 1, None)
def intersection(*parts: Any) -> Any:
    if isinstance(parts[0], list):
        rest = [must_be_list("intersection", part) for part in parts[1:]]
        found: list[Any] = []
        for item in parts[0]:
            everywhere = all(any(same(item, held) for held in part) for part in rest)
            if everywhere and not any(same(item, held) for held in found):
                found.append(item)
        return found
    objects = [must_be_object("intersection", part) for part in parts]
    return {
        key: value
        for key, value in objects[0].items()
        if all(key in other and same(other[key], value) for other in objects[1:])
    }


@function("flatten", 1)
def flatten(value: Any) -> list[Any]:
    return [item for inner in must_be_list("flatten", value) for item in must_be_list("flatten", inner)]


@function("items", 1)
def items(value: Any) -> list[dict[str, Any]]:
    """Key and value of each property, in order of the keys."""
    found = must_be_object("items", value)
    return [{"key": key, "value": found[key]} for key in sorted(found, key=str.lower)]


@function("objectKeys", 1)
def object_keys(value: Any) -> list[str]:
    return sorted(must_be_object("objectKeys", value), key=str.lower)


@function("shallowMerge", 1)
def shallow_merge(parts: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in must_be_list("shallowMerge", parts):
        found |= must_be_object("shallowMerge", part)
    return found


@function("tryGet", 2, None)
def try_get(value: Any, *keys: Any) -> Any:
    for key in keys:
        value = member(value, key, safe=True)
    return value


@function("indexFromEnd", 2)
def index_from_end(value: Any, count: Any) -> Any:
    held, back = must_be_list("indexFromEnd", value), must_be_number("indexFromEnd", count)
    if not 1 <= back <= len(held):
        raise wrong("indexFromEnd", f"1 to {len(held)}", count)
    return held[-back]


@function("tryIndexFromEnd", 2)
def try_index_from_end(value: Any, count: Any) -> Any:
    back = must_be_number("tryIndexFromEnd", count)
    return value[-back] if isinstance(value, list) and 1 <= back <= len(value) else None


def member(target: Any, key: Any, *, safe: bool = False) -> Any:
    """`target[key]`; keys of objects count without regard to case."""
    if isinstance(target, dict) and isinstance(key, str):
        if key in target:
            return target[key]
        wanted = key.lower()
        for name, value in target.items():
            if name.lower() == wanted:
                return value
        if safe:
            return None
        known = ", ".join(target)
        raise TemplateError(
            f"The language expression property '{key}' doesn't exist, available properties are '{known}'."
        )
    if isinstance(target, list) and isinstance(key, int) and not isinstance(key, bool):
        if 0 <= key < len(target):
            return target[key]
        if safe:
            return None
        raise TemplateError(
            f"The language expression property array index '{key}' is out of bounds: the array has {len(target)}."
        )
    if safe and target is None:
        return None
    raise TemplateError(f"The language expression property '{key}' can't be evaluated on what is no array or object.")


# Numbers. ------------------------------------------------------------------------------------------------------------


def _arithmetic(name: str, work: Callable[[int, int], int]) -> None:
    def calculate(one: Any, other: Any) -> int:
        found = work(must_be_number(name, one), must_be_number(name, other))
        if not -(1 << 63) <= found < 1 << 63:
            raise TemplateError(f"Unable to evaluate template language function '{name}': the result is too large.")
        return found

    function(name, 2)(calculate)


def _divisor(name: str, value: int) -> int:
    if value == 0:
        raise TemplateError(f"Unable to evaluate template language function '{name}': division by zero.")
    return value


def _quotient(one: int, other: int) -> int:
    found = abs(one) // abs(_divisor("div", other))
    return found if (one < 0) == (other < 0) else -found


_arithmetic("add", lambda one, other: one + other)
_arithmetic("sub", lambda one, other: one - other)
_arithmetic("mul", lambda one, other: one * other)
_arithmetic("div", _quotient)
_arithmetic("mod", lambda one, other: one - other * _quotient(one, _divisor("mod", other)))


@function("min", 1, None)
def least(*values: Any) -> int:
    return min(_numbers("min", values))


@function("max", 1, None)
def greatest(*values: Any) -> int:
    return max(_numbers("max", values))


def _numbers(name: str, values: tuple[Any, ...]) -> list[int]:
    found = values[0] if len(values) == 1 and isinstance(values[0], list) else list(values)
    if not found:
        raise wrong(name, "an array that is not empty", found)
    return [must_be_number(name, value) for value in found]


# Truth. --------------------------------------------------------------------------------------------------------------


@function("true", 0)
def true() -> bool:
    return True


@function("false", 0)
def false() -> bool:
    return False


@function("null", 0)
def null() -> None:
    return None


@function("not", 1)
def not_(value: Any) -> bool:
    return not must_be_truth("not", value)


@function("equals", 2)
def equals(one: Any, other: Any) -> bool:
    return same(one, other)


def _comparison(name: str, holds: Callable[[Any, Any], bool]) -> None:
    def compare(one: Any, other: Any) -> bool:
        if isinstance(one, str) and isinstance(other, str):
            return holds(one, other)
        return holds(must_be_number(name, one), must_be_number(name, other))

    function(name, 2)(compare)


_comparison("less", lambda one, other: one < other)
_comparison("lessOrEquals", lambda one, other: one <= other)
_comparison("greater", lambda one, other: one > other)
_comparison("greaterOrEquals", lambda one, other: one >= other)
