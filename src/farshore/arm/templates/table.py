"""The table of template functions, and what they ask of their arguments.

    @function("padLeft", 2, 3)
    def pad_left(text, width, filler=" "): ...

A function is called with values; what it can't work with it refuses by `must_be_text` and its sisters, in ARM's words.
Names count without regard to case.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from farshore.arm.templates.errors import TemplateError

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    least: int
    most: int | None
    call: Callable[..., Any]


FUNCTIONS: dict[str, Function] = {}
"""By name in lower case."""


def function(name: str, least: int, most: int | None = -1) -> Callable[[F], F]:
    """Register; `most` None is any number of arguments, and left out it is `least`."""

    def register(call: F) -> F:
        assert name.lower() not in FUNCTIONS, f"{name} is registered twice"
        FUNCTIONS[name.lower()] = Function(name, least, least if most == -1 else most, call)
        return call

    return register


def apply(found: Function, arguments: list[Any]) -> Any:
    count, least, most = len(arguments), found.least, found.most
    if count < least or (most is not None and count > most):
        wanted = f"{least}" if least == most else f"at least {least}" if most is None else f"{least} to {most}"
        raise TemplateError(
            f"Unable to evaluate template language function '{found.name}': function requires {wanted} argument(s) "
            f"while {count} were provided."
        )
    return found.call(*arguments)


def wrong(name: str, wanted: str, value: Any) -> TemplateError:
    return TemplateError(
        f"Unable to evaluate template language function '{name}': the argument must be {wanted}, not "
        f"{kind_of(value)} '{shown(value)}'."
    )


def must_be_text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise wrong(name, "a string", value)
    return value


def must_be_number(name: str, value: Any) -> int:
    """A whole number; ARM takes one that is written as a text too."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong(name, "an integer", value)
    return value


def must_be_truth(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise wrong(name, "a boolean", value)
    return value


def must_be_list(name: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise wrong(name, "an array", value)
    return value


def must_be_object(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise wrong(name, "an object", value)
    return value


def kind_of(value: Any) -> str:
    """ARM's name of a value's type."""
    if value is None:
        return "Null"
    kinds: tuple[tuple[type, str], ...] = (
        (bool, "Boolean"),
        (int, "Integer"),
        (float, "Float"),
        (str, "String"),
        (list, "Array"),
        (dict, "Object"),
    )
    return next(name for kind, name in kinds if isinstance(value, kind))


def shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def same(one: Any, other: Any) -> bool:
    """Equal as JSON is: true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return bool(one == other)
