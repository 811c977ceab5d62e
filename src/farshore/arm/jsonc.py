"""JSON as Azure Resource Manager reads it, which is more than JSON: comments, names and texts without their quotes or
in single ones, commas too many, texts over several lines.

Templates are written so, and `az deployment` sends them so: it puts a template's own text behind a bare `template:`.
Whoever reads a request or a template tries `json.loads` first, which is fast, and this where it fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from farshore.arm.json import Json

_SPACE = re.compile(r"(?:\s+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
_NAME = re.compile(r"[A-Za-z_$][\w$]*")
_PLAIN = {'"': re.compile(r'[^"\\]*'), "'": re.compile(r"[^'\\]*")}
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "\n": ""}
_WORDS = {"true": True, "false": False, "null": None}
_DEEP = 200


class RelaxedJsonError(ValueError):
    """The text is no JSON, however one looks at it; the message says at which line and column."""


def loads_relaxed(text: str | bytes) -> Json:
    """The value in `text`; raises `RelaxedJsonError`."""
    try:
        whole = text.decode("utf-8-sig") if isinstance(text, bytes) else text.removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise RelaxedJsonError(f"it is no UTF-8: {error}") from None
    reader = _Reader(whole)
    found = reader.value(0)
    reader.space()
    if reader.at < len(whole):
        raise reader.wrong("nothing more was expected")
    return found


def must_not_be_deep(value: Json) -> None:
    """Raises `RelaxedJsonError` for a value that is nested deeper than ours may be: whoever walks it calls himself."""
    level = [value]
    for _ in range(_DEEP + 1):
        level = [inner for item in level for inner in _inside(item)]
        if not level:
            return
    raise RelaxedJsonError("it is nested too deeply")


def _inside(value: Json) -> Iterable[Json]:
    """What in a value could hold more."""
    held = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [item for item in held if isinstance(item, (dict, list))]


class _Reader:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def value(self, depth: int) -> Any:
        self.space()
        if depth > _DEEP:
            raise self.wrong("it is nested too deeply")
        letter = self.peek()
        if letter == "{":
            return self._object(depth)
        if letter == "[":
            return self._array(depth)
        if letter in ('"', "'") and letter:
            return self._string(letter)
        if (match := _NUMBER.match(self.text, self.at)) is not None:
            self.at = match.end()
            return float(match[0]) if match[1] or match[2] else int(match[0][:400])
        match = _NAME.match(self.text, self.at)
        if match is None or match[0] not in _WORDS:
            raise self.wrong("a value was expected")
        self.at = match.end()
        return _WORDS[match[0]]

    def space(self) -> None:
        match = _SPACE.match(self.text, self.at)
        self.at = self.at if match is None else match.end()

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def wrong(self, why: str) -> RelaxedJsonError:
        before = self.text[: self.at]
        line, column = before.count("\n") + 1, self.at - before.rfind("\n")
        return RelaxedJsonError(f"{why}, at line {line}, column {column}")

    def _object(self, depth: int) -> dict[str, Any]:
        self.at += 1
        found: dict[str, Any] = {}
        while True:
            self.space()
            if self.peek() == "}":
                self.at += 1
                return found
            key = self._key()
            self.space()
            if self.peek() != ":":
                raise self.wrong("':' was expected")
            self.at += 1
            found[key] = self.value(depth + 1)
            self._comma("}")

    def _array(self, depth: int) -> list[Any]:
        self.at += 1
        found: list[Any] = []
        while True:
            self.space()
            if self.peek() == "]":
                self.at += 1
                return found
            found.append(self.value(depth + 1))
            self._comma("]")

    def _comma(self, end: str) -> None:
        self.space()
        if self.peek() == ",":
            self.at += 1
        elif self.peek() != end:
            raise self.wrong(f"',' or '{end}' was expected")

    def _key(self) -> str:
        letter = self.peek()
        if letter in ('"', "'") and letter:
            return self._string(letter)
        match = _NAME.match(self.text, self.at)
        if match is None:
            raise self.wrong("a name was expected")
        self.at = match.end()
        return match[0]

    def _string(self, quote: str) -> str:
        self.at += 1
        parts: list[str] = []
        while True:
            match = _PLAIN[quote].match(self.text, self.at)
            assert match is not None
            parts.append(match[0])
            self.at = match.end()
            letter = self.peek()
            if letter == quote:
                self.at += 1
                return _joined("".join(parts))
            if not letter:
                raise self.wrong("the text does not end")
            parts.append(self._escape())

    def _escape(self) -> str:
        letter = self.text[self.at + 1 : self.at + 2]
        if letter == "u":
            digits = self.text[self.at + 2 : self.at + 6]
            if not re.fullmatch(r"[0-9a-fA-F]{4}", digits):
                raise self.wrong("four hexadecimal digits were expected")
            self.at += 6
            return chr(int(digits, 16))
        if not letter:
            raise self.wrong("the text does not end")
        self.at += 2
        return _ESCAPES.get(letter, letter)


def _joined(text: str) -> str:
    """Halves of a letter that were escaped one by one put together; a half alone can't be written and is replaced."""
    if not re.search(r"[\ud800-\udfff]", text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
