"""Template functions on texts, and on what a text can be made of or made into."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any
from urllib.parse import quote, unquote, urljoin

import msgspec

from farshore.arm.json import dumps, loads
from farshore.arm.templates.errors import TemplateError
from farshore.arm.templates.hashing import template_guid, unique_string
from farshore.arm.templates.table import (
    function,
    kind_of,
    must_be_list,
    must_be_number,
    must_be_text,
    shown,
    wrong,
)

LONGEST = 1 << 20
"""Characters of a text that an expression may make; Azure has its own limit of 4 MB for a whole template."""


def as_text(value: Any) -> str:
    """A value as ARM writes it into a text: `True`, `3`, JSON for arrays and objects."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "True" if value else "False"
    if value is None:
        return ""
    return dumps(value).decode()


@function("string", 1)
def string(value: Any) -> str:
    return as_text(value)


@function("concat", 1, None)
def concat(*parts: Any) -> Any:
    """Texts in a row, or arrays one behind the other."""
    if any(isinstance(part, list) for part in parts):
        return [item for part in parts for item in must_be_list("concat", part)]
    for part in parts:
        if isinstance(part, dict) or part is None:
            raise wrong("concat", "a string, a number or an array", part)
    return _bounded("concat", "".join(as_text(part) for part in parts))


@function("format", 1, None)
def format_(form: Any, *values: Any) -> str:
    """.NET's composite format: `{0}`, `{1:D3}`, `{2,8}`, `{{`."""

    def put(match: re.Match[str]) -> str:
        if match[0] in ("{{", "}}"):
            return match[0][0]
        at = int(match["at"])
        if at >= len(values):
            raise TemplateError(f"Unable to evaluate template language function 'format': there is no argument {at}.")
        text = _formatted(values[at], match["how"])
        width = int(match["width"] or 0)
        if abs(width) > 1000:
            raise wrong("format", "a width of at most 1000", width)
        return text.rjust(width) if width > 0 else text.ljust(-width)

    return _bounded(
        "format",
        re.sub(
            r"\{\{|\}\}|\{(?P<at>\d{1,3})(?:,(?P<width>-?\d{1,4}))?(?::(?P<how>[^{}]*))?\}",
            put,
            must_be_text("format", form),
        ),
    )


def _formatted(value: Any, how: str | None) -> str:
    number = isinstance(value, int) and not isinstance(value, bool)
    match = re.fullmatch(r"([DdXxNnFf])(\d{0,2})", how or "")
    if not number or match is None:
        if how and number:
            raise TemplateError(f"Unable to evaluate template language function 'format': the format '{how}'.")
        return as_text(value)
    kind, digits = match[1], int(match[2] or 0)
    if kind in "Dd":
        return f"{value:0{digits + (value < 0)}d}"
    if kind in "Xx":
        return f"{value:0{digits}{kind}}"
    digits = digits if match[2] else 2
    return f"{value:,.{digits}f}" if kind in "Nn" else f"{value:.{digits}f}"


@function("toLower", 1)
def to_lower(text: Any) -> str:
    return must_be_text("toLower", text).lower()


@function("toUpper", 1)
def to_upper(text: Any) -> str:
    return must_be_text("toUpper", text).upper()


@function("trim", 1)
def trim(text: Any) -> str:
    return must_be_text("trim", text).strip()


@function("replace", 3)
def replace(text: Any, old: Any, new: Any) -> str:
    texts = [must_be_text("replace", part) for part in (text, old, new)]
    if not texts[1]:
        raise wrong("replace", "a string that is not empty", old)
    return _bounded("replace", texts[0].replace(texts[1], texts[2]))


@function("split", 2)
def split(text: Any, delimiters: Any) -> list[str]:
    marks = [delimiters] if isinstance(delimiters, str) else must_be_list("split", delimiters)
    pattern = "|".join(re.escape(must_be_text("split", mark)) for mark in marks if mark != "")
    return re.split(pattern, must_be_text("split", text)) if pattern else [must_be_text("split", text)]


@function("join", 2)
def join(parts: Any, mark: Any) -> str:
    return must_be_text("join", mark).join(as_text(part) for part in must_be_list("join", parts))


@function("padLeft", 2, 3)
def pad_left(text: Any, width: Any, filler: Any = " ") -> str:
    if isinstance(text, bool) or not isinstance(text, str | int):
        raise wrong("padLeft", "a string or an integer", text)
    letter = must_be_text("padLeft", filler)
    if len(letter) != 1:
        raise wrong("padLeft", "one character", filler)
    wide = must_be_number("padLeft", width)
    if not 0 <= wide <= 4096:
        raise wrong("padLeft", "a width of 0 to 4096", width)
    return str(text).rjust(wide, letter)


@function("startsWith", 2)
def starts_with(text: Any, start: Any) -> bool:
    """Without regard to case, as ARM does."""
    return must_be_text("startsWith", text).lower().startswith(must_be_text("startsWith", start).lower())


@function("endsWith", 2)
def ends_with(text: Any, end: Any) -> bool:
    return must_be_text("endsWith", text).lower().endswith(must_be_text("endsWith", end).lower())


@function("substring", 2, 3)
def substring(text: Any, start: Any, length: Any = None) -> str:
    whole, first = must_be_text("substring", text), must_be_number("substring", start)
    count = len(whole) - first if length is None else must_be_number("substring", length)
    if first < 0 or count < 0 or first + count > len(whole):
        raise TemplateError(
            "Unable to evaluate template language function 'substring': the index and length parameters must refer "
            f"to a location within the string. The index parameter: '{first}', the length parameter: '{count}', the "
            f"length of the string parameter: '{len(whole)}'."
        )
    return whole[first : first + count]


@function("uniqueString", 1, None)
def unique(*parts: Any) -> str:
    return unique_string(*(must_be_text("uniqueString", part) for part in parts))


@function("guid", 1, None)
def guid(*parts: Any) -> str:
    return template_guid(*(must_be_text("guid", part) for part in parts))


@function("base64", 1)
def to_base64(text: Any) -> str:
    return base64.b64encode(must_be_text("base64", text).encode()).decode()


@function("base64ToString", 1)
def from_base64(text: Any) -> str:
    try:
        return base64.b64decode(must_be_text("base64ToString", text), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise wrong("base64ToString", "a base64 string", text) from None


@function("base64ToJson", 1)
def json_from_base64(text: Any) -> Any:
    return json(from_base64(text))


@function("json", 1)
def json(text: Any) -> Any:
    try:
        return loads(must_be_text("json", text))
    except (msgspec.DecodeError, RecursionError):
        raise wrong("json", "a JSON string", text) from None


@function("dataUri", 1)
def data_uri(text: Any) -> str:
    return "data:text/plain;charset=utf8;base64," + to_base64(text)


@function("dataUriToString", 1)
def from_data_uri(text: Any) -> str:
    head, comma, content = must_be_text("dataUriToString", text).partition(",")
    if not head.startswith("data:") or not comma:
        raise wrong("dataUriToString", "a data URI", text)
    return from_base64(content) if head.endswith(";base64") else unquote(content)


@function("uri", 2)
def uri(base: Any, relative: Any) -> str:
    return urljoin(must_be_text("uri", base), must_be_text("uri", relative))


@function("uriComponent", 1)
def uri_component(text: Any) -> str:
    return quote(must_be_text("uriComponent", text), safe="")


@function("uriComponentToString", 1)
def from_uri_component(text: Any) -> str:
    return unquote(must_be_text("uriComponentToString", text))


@function("int", 1)
def to_int(value: Any) -> int:
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d{1,18}\s*", value):
        return int(value)
    if isinstance(value, float) and value == int(value):
        return int(value)
    return must_be_number("int", value)


@function("float", 1)
def to_float(value: Any) -> float:
    try:
        if isinstance(value, bool):
            raise ValueError
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise wrong("float", "a number", value) from None


@function("bool", 1)
def to_bool(value: Any) -> bool:
    if isinstance(value, str) and value.strip().lower() in ("true", "false", "1", "0"):
        return value.strip().lower() in ("true", "1")
    if isinstance(value, int) and value in (0, 1):
        return bool(value)
    raise TemplateError(
        f"Unable to evaluate template language function 'bool': {kind_of(value)} '{shown(value)}' is no boolean."
    )


def _bounded(name: str, text: str) -> str:
    if len(text) > LONGEST:
        raise TemplateError(f"Unable to evaluate template language function '{name}': the result is too long.")
    return text
