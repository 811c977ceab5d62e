"""From the text of a query to a tree.

    query      = [table] { "|" operator }
    expression = or > and > comparison > + - > * / % > - > .name [index] > literal, column, function(..), (..)

A text is quoted by ' or "; `@` before it makes backslashes plain. `// ...` is a comment. What is known of the operators
is in `OPERATORS`; one that isn't is refused by its name, not passed over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any


class QueryError(Exception):
    """The query is wrong at a place; `missing` says that Kusto knows it, and the lab does not."""

    def __init__(self, message: str, *, at: int = 0, token: str = "", missing: bool = False) -> None:
        super().__init__(message)
        self.message, self.at, self.token, self.missing = message, at, token, missing


@dataclass(frozen=True, slots=True)
class Literal:
    value: Any


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    at: int = 0


@dataclass(frozen=True, slots=True)
class Member:
    target: Expression
    key: Expression


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    arguments: tuple[Expression, ...]
    at: int = 0


@dataclass(frozen=True, slots=True)
class Operation:
    """`left operator right`; `not` and `-` have no left."""

    operator: str
    left: Expression | None
    right: Expression


@dataclass(frozen=True, slots=True)
class Items:
    """The values of `in (..)` and `between (a .. b)`."""

    values: tuple[Expression, ...]


Expression = Literal | Column | Member | Function | Operation | Items


@dataclass(frozen=True, slots=True)
class Named:
    """`name = expression`, or an expression that gets its name from what it is."""

    name: str | None
    value: Expression


@dataclass(frozen=True, slots=True)
class Operator:
    name: str
    parts: dict[str, Any]
    at: int


@dataclass(frozen=True, slots=True)
class Query:
    table: str | None
    operators: tuple[Operator, ...]
    at: int = 0


_TOKEN = re.compile(
    r"""(?P<text>@?'(?:[^'\\]|\\.)*'|@?"(?:[^"\\]|\\.)*")
    |(?P<span>\d+(?:\.\d+)?(?:ms|[dhms])\b)
    |(?P<number>\d+\.\d+|\d+)
    |(?P<word>[A-Za-z_$][\w$]*(?:-(?:away|rename|keep|reorder|expand|apply|series|where)\b)?)
    |(?P<mark>!in~|!has_cs|!has|!contains_cs|!contains|!startswith_cs|!startswith|!endswith_cs|!endswith|!between|!in
        |==|!=|=~|!~|<=|>=|\.\.|[-+*/%<>=|(),.:;\[\]{}])""",
    re.VERBOSE,
)
_COMPARED = [
    "==",
    "!=",
    "=~",
    "!~",
    "<",
    "<=",
    ">",
    ">=",
    "in",
    "!in",
    "contains",
    "!contains",
    "contains_cs",
    "!contains_cs",
    "has",
    "!has",
    "has_cs",
    "!has_cs",
    "has_any",
    "has_all",
    "startswith",
    "!startswith",
    "startswith_cs",
    "!startswith_cs",
    "endswith",
    "!endswith",
    "endswith_cs",
    "!endswith_cs",
    "matches",
    "between",
    "!between",
]
_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds", "ms": "milliseconds"}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_DEEP = 80
"""Expressions inside each other, so that no query exhausts Python's stack."""


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str
    at: int


def tokens(text: str) -> list[Token]:
    found, place = [], 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        if text.startswith("//", place):
            end = text.find("\n", place)
            place = len(text) if end < 0 else end
            continue
        match = _TOKEN.match(text, place)
        if match is None:
            raise QueryError(f"'{text[place]}' was not expected", at=place, token=text[place])
        kind, said = str(match.lastgroup), match.group(0)
        if said == "in" and text.startswith("~", match.end()):
            said, kind = "in~", "mark"
        found.append(Token(kind, said, place))
        place += len(said)
    return found


class Reader:
    """Tokens read one after the other, and expressions of them."""

    def __init__(self, text: str) -> None:
        self.text, self.tokens, self.place, self._depth = text, tokens(text), 0, 0

    # Tokens. -------------------------------------------------------------------------------------------------------

    def peek(self, *texts: str) -> bool:
        return self.place < len(self.tokens) and self._plain(self.tokens[self.place]).lower() in texts

    def peek_kind(self, kind: str) -> bool:
        return self.place < len(self.tokens) and self.tokens[self.place].kind == kind

    def next_is(self, text: str) -> bool:
        """Whether the token after the next is this."""
        at = self.place + 1
        return at < len(self.tokens) and self._plain(self.tokens[at]) == text

    def take(self, *texts: str) -> Token:
        token = self.any()
        if texts and self._plain(token).lower() not in texts:
            raise QueryError(f"'{token.text}' was not expected; {_either(texts)} was", at=token.at, token=token.text)
        return token

    def may(self, *texts: str) -> bool:
        if self.peek(*texts):
            self.place += 1
            return True
        return False

    def any(self) -> Token:
        if self.place >= len(self.tokens):
            raise QueryError("the query ends too early", at=len(self.text))
        self.place += 1
        return self.tokens[self.place - 1]

    def word(self) -> str:
        """A name: a word, or any text as `['name']`."""
        if self.may("["):
            found = self.text_of(self.any())
            self.take("]")
            return found
        token = self.any()
        if token.kind != "word":
            raise QueryError(f"'{token.text}' is no name", at=token.at, token=token.text)
        return token.text

    def number(self) -> int:
        token = self.any()
        if token.kind != "number" or not token.text.isdecimal():
            raise QueryError(f"'{token.text}' is no whole number", at=token.at, token=token.text)
        return int(token.text[:18])

    @property
    def at(self) -> int:
        return self.tokens[self.place].at if self.place < len(self.tokens) else len(self.text)

    def text_of(self, token: Token) -> str:
        if token.kind != "text":
            raise QueryError(f"'{token.text}' is no text", at=token.at, token=token.text)
        if token.text.startswith("@"):
            return token.text[2:-1]
        return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), token.text[1:-1], flags=re.DOTALL)

    @staticmethod
    def _plain(token: Token) -> str:
        return "" if token.kind == "text" else token.text

    # Expressions. --------------------------------------------------------------------------------------------------

    def expression(self) -> Expression:
        self._depth += 1
        if self._depth > _DEEP:
            raise QueryError("the query is nested too deeply", at=self.at)
        found = self._and()
        while self.may("or"):
            found = Operation("or", found, self._and())
        self._depth -= 1
        return found

    def _and(self) -> Expression:
        found = self._compared()
        while self.may("and"):
            found = Operation("and", found, self._compared())
        return found

    def _compared(self) -> Expression:
        found = self._sum()
        while self.peek(*_COMPARED, "in~", "!in~"):
            operator = self.any().text.lower()
            if operator.lstrip("!") in ("in", "in~", "has_any", "has_all"):
                found = Operation(operator, found, self._listed())
            elif operator.lstrip("!") == "between":
                self.take("(")
                low = self._sum()
                self.take("..")
                found = Operation(operator, found, Items((low, self._sum())))
                self.take(")")
            else:
                if operator == "matches":
                    self.take("regex")
                found = Operation(operator, found, self._sum())
        return found

    def _listed(self) -> Expression:
        self.take("(")
        values = [self.expression()]
        while self.may(","):
            values.append(self.expression())
        self.take(")")
        return Items(tuple(values))

    def _sum(self) -> Expression:
        found = self._product()
        while self.peek("+", "-"):
            found = Operation(self.any().text, found, self._product())
        return found

    def _product(self) -> Expression:
        found = self._unary()
        while self.peek("*", "/", "%"):
            found = Operation(self.any().text, found, self._unary())
        return found

    def _unary(self) -> Expression:
        if self.may("-"):
            return Operation("-", None, self._postfix())
        return self._postfix()

    def _postfix(self) -> Expression:
        found = self._primary()
        while self.peek(".", "["):
            if self.any().text == ".":
                found = Member(found, Literal(self.word()))
            else:
                found = Member(found, self.expression())
                self.take("]")
        return found

    def _primary(self) -> Expression:
        token = self.any()
        if token.kind == "text":
            return Literal(self.text_of(token))
        if token.kind == "number":
            return Literal(float(token.text) if "." in token.text else int(token.text[:18]))
        if token.kind == "span":
            match = re.fullmatch(r"([\d.]+)(\w+)", token.text)
            assert match is not None
            try:
                return Literal(timedelta(**{_UNITS[match[2]]: float(match[1])}))
            except OverflowError:
                raise QueryError(f"'{token.text}' is too long", at=token.at, token=token.text) from None
        if token.text == "(":
            found = self.expression()
            self.take(")")
            return found
        if token.text == "[" and self.peek_kind("text"):
            found = Column(self.text_of(self.any()), token.at)
            self.take("]")
            return found
        if token.text == "*":
            return Column("*", token.at)
        if token.kind != "word":
            raise QueryError(f"'{token.text}' was not expected", at=token.at, token=token.text)
        if token.text in ("true", "false"):
            return Literal(token.text == "true")
        if self.peek("("):
            return self._function(token)
        return Column(token.text, token.at)

    def _function(self, token: Token) -> Expression:
        opened = self.any()
        if token.text.lower() in ("dynamic", "datetime", "timespan", "int", "long", "real", "bool"):
            return Function(token.text.lower(), (Literal(self._raw(opened)),), token.at)
        arguments: list[Expression] = []
        if not self.may(")"):
            arguments.append(self.expression())
            while self.may(","):
                arguments.append(self.expression())
            self.take(")")
        return Function(token.text.lower(), tuple(arguments), token.at)

    def _raw(self, opened: Token) -> str:
        """The text between parentheses as it stands (`dynamic([1])`, `datetime(2026-03-01)`)."""
        depth, begin = 1, opened.at + 1
        while depth:
            token = self.any()
            depth += {"(": 1, ")": -1}.get(token.text, 0)
        return self.text[begin : self.tokens[self.place - 1].at].strip()

    def named(self) -> Named:
        """`name = expression` or an expression alone."""
        if (self.peek_kind("word") and self.next_is("=")) or (self.peek("[") and self._quoted_name()):
            name = self.word()
            self.take("=")
            return Named(name, self.expression())
        return Named(None, self.expression())

    def _quoted_name(self) -> bool:
        return self.place + 3 < len(self.tokens) and self.tokens[self.place + 3].text == "="

    def named_list(self) -> tuple[Named, ...]:
        found = [self.named()]
        while self.may(","):
            found.append(self.named())
        return tuple(found)


def _either(texts: tuple[str, ...]) -> str:
    return " or ".join(f"'{text}'" for text in texts)


def shown_name(value: Expression, number: int) -> str:
    """The name that a column gets from its expression: `properties.a.b` is `properties_a_b`."""
    if isinstance(value, Column):
        return value.name
    if isinstance(value, Member) and isinstance(value.key, Literal):
        above = shown_name(value.target, number)
        return above if above == f"Column{number}" else f"{above}_{value.key.value}"
    if isinstance(value, Function) and len(value.arguments) == 1 and value.name.startswith("to"):
        return shown_name(value.arguments[0], number)
    if isinstance(value, Function) and value.name in ("bin", "floor"):
        return shown_name(value.arguments[0], number) if value.arguments else f"Column{number}"
    return f"Column{number}"
