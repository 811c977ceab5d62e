"""Template expressions: from `[concat('a', parameters('b').c[0])]` to a tree.

    expression = literal | call, each followed by any number of .name, .?name, [expression], [?expression]
    literal    = 'text with '' for a quote' | whole number
    call       = name(expression, ...) | namespace.name(expression, ...)

A text is an expression when it begins with `[` and ends with `]`; one that begins with `[[` is itself without the
first bracket. White space, line breaks too, counts for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from farshore.arm.templates.errors import TemplateError


@dataclass(frozen=True, slots=True)
class Literal:
    value: str | int


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    """As it was written; `namespace.name` for a function of the template's own."""
    arguments: tuple[Expression, ...]

    @property
    def key(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Index:
    """`target[key]` or `target.key`; `safe` gives null where there is none."""

    target: Expression
    key: Expression
    safe: bool = False


Expression = Literal | Call | Index

_TOKEN = re.compile(
    r"(?P<text>'(?:[^']|'')*')|(?P<number>[+-]?\d+)|(?P<word>[A-Za-z_$][\w$]*)|(?P<mark>\.\?|\[\?|[()\[\],.])"
)
_DEEP = 100


def is_expression(text: str) -> bool:
    return text.startswith("[") and text.endswith("]") and not text.startswith("[[")


def unescaped(text: str) -> str:
    """A text that is no expression, without the bracket that says so."""
    return text[1:] if text.startswith("[[") else text


@lru_cache(maxsize=4096)
def parse(text: str) -> Expression:
    """The tree of `[..]`; raises `TemplateError` that says where it ends to make sense."""
    return _Parser(text).whole()


def calls(node: Expression) -> Iterator[Call]:
    """All calls in a tree, the outer ones first."""
    if isinstance(node, Call):
        yield node
        for argument in node.arguments:
            yield from calls(argument)
    elif isinstance(node, Index):
        yield from calls(node.target)
        yield from calls(node.key)


def calls_in(value: Any) -> Iterator[Call]:
    """All calls in the expressions of a JSON value."""
    if isinstance(value, str):
        if is_expression(value):
            yield from calls(parse(value))
    elif isinstance(value, dict):
        for inner in value.values():
            yield from calls_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from calls_in(inner)


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._split(text[1:-1])
        self._at = 0
        self._depth = 0

    def whole(self) -> Expression:
        found = self._expression()
        if self._at != len(self._tokens):
            raise self._wrong(f"'{self._tokens[self._at]}' was not expected")
        return found

    def _split(self, inner: str) -> list[str]:
        tokens, place = [], 0
        while place < len(inner):
            if inner[place].isspace():
                place += 1
                continue
            match = _TOKEN.match(inner, place)
            if match is None:
                raise self._wrong(f"'{inner[place]}' was not expected at position {place + 1}")
            tokens.append(match.group(0))
            place = match.end()
        return tokens

    def _expression(self) -> Expression:
        self._depth += 1
        if self._depth > _DEEP:
            raise self._wrong("it is nested too deeply")
        token = self._take()
        found: Expression
        if token.startswith("'"):
            found = Literal(token[1:-1].replace("''", "'"))
        elif token.lstrip("+-").isdecimal():
            found = Literal(int(token))
        elif token[0].isalpha() or token[0] in "_$":
            found = self._call(token)
        else:
            raise self._wrong(f"'{token}' was not expected")
        found = self._followed(found)
        self._depth -= 1
        return found

    def _call(self, name: str) -> Expression:
        if self._peek() == "." and self._at + 2 < len(self._tokens) and self._tokens[self._at + 2] == "(":
            name = f"{name}.{self._tokens[self._at + 1]}"
            self._at += 2
        if self._take() != "(":
            raise self._wrong(f"'{name}' must be a function with its arguments in parentheses")
        arguments = []
        if self._peek() == ")":
            self._at += 1
            return Call(name, ())
        while True:
            arguments.append(self._expression())
            mark = self._take()
            if mark == ")":
                return Call(name, tuple(arguments))
            if mark != ",":
                raise self._wrong(f"'{mark}' was not expected")

    def _followed(self, found: Expression) -> Expression:
        while (mark := self._peek()) in (".", ".?", "[", "[?"):
            self._at += 1
            key: Expression
            if mark.startswith("."):
                name = self._take()
                if not (name[0].isalpha() or name[0] in "_$"):
                    raise self._wrong(f"'{name}' is no property's name")
                key = Literal(name)
            else:
                key = self._expression()
                if self._take() != "]":
                    raise self._wrong("']' was expected")
            found = Index(found, key, safe=mark.endswith("?"))
        return found

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        if self._at >= len(self._tokens):
            raise self._wrong("it ends too early")
        self._at += 1
        return self._tokens[self._at - 1]

    def _wrong(self, why: str) -> TemplateError:
        return TemplateError(f"Unable to parse language expression '{self._text[1:-1]}': {why}.", expression=self._text)
