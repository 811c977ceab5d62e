"""Scalar functions and operators of Kusto on the values of JSON, with times and spans besides.

A text operator takes null as an empty text; a comparison of order with null is false; `==` of two nulls too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any

import msgspec

from farshore.arm.json import dumps, loads
from farshore.lab.graph.syntax import QueryError

Value = Any


def text(value: Value) -> str:
    """`tostring`."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%S.%f}0Z"
    if isinstance(value, timedelta):
        return str(value)
    if isinstance(value, dict | list):
        return dumps(value).decode()
    return str(value)


def number(value: Value) -> int | float | None:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float):
        return value
    if isinstance(value, str):
        try:
            found = float(value) if re.search(r"[.eE]", value) else int(value[:40])
        except ValueError:
            return None
        return found if not isinstance(found, float) or math.isfinite(found) else None
    return None


def whole(value: Value) -> int | None:
    found = number(value)
    return None if found is None else int(found)


def truth(value: Value) -> bool | None:
    if isinstance(value, str):
        return {"true": True, "1": True, "false": False, "0": False}.get(value.strip().lower())
    return bool(value) if isinstance(value, bool | int | float) else None


def moment(value: Value) -> datetime | None:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value.strip()))
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def span(value: Value) -> timedelta | None:
    if isinstance(value, timedelta):
        return value
    match = re.fullmatch(r"\s*(?:(\d{1,6})\.)?(\d{1,2}):(\d{2}):(\d{2})\s*", value) if isinstance(value, str) else None
    if match is not None:
        days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    match = re.fullmatch(r"\s*(\d{1,9})(ms|d|h|m|s)\s*", value) if isinstance(value, str) else None
    if match is None:
        return None
    unit = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds", "ms": "milliseconds"}[match[2]]
    try:
        return timedelta(**{unit: int(match[1])})
    except OverflowError:
        return None


def dynamic(value: Value) -> Value:
    if not isinstance(value, str):
        return value
    try:
        return loads(value)
    except (msgspec.DecodeError, RecursionError):
        return value


def empty(value: Value) -> bool:
    return value is None or value == ""


# Comparison. ---------------------------------------------------------------------------------------------------------


def equal(one: Value, other: Value) -> bool:
    if one is None or other is None:
        return False
    if isinstance(one, bool) != isinstance(other, bool):
        # What is dynamic may be compared with a text: true and 'true'.
        return text(one).lower() == text(other).lower() if isinstance(one, str) or isinstance(other, str) else False
    if isinstance(one, str) != isinstance(other, str):
        return text(one) == text(other)
    return bool(one == other)


def ordered(one: Value, other: Value) -> int | None:
    """-1, 0, 1; None where there is no order."""
    if isinstance(one, datetime) or isinstance(other, datetime):
        one, other = moment(one), moment(other)
    elif isinstance(one, timedelta) or isinstance(other, timedelta):
        one, other = span(one), span(other)
    elif isinstance(one, bool | int | float) or isinstance(other, bool | int | float):
        one, other = number(one), number(other)
    elif not (isinstance(one, str) and isinstance(other, str)):
        return None
    if one is None or other is None:
        return None
    return int(one > other) - int(one < other)


def has(whole_text: str, term: str) -> bool:
    """Whether a text holds another one as whole words."""
    return re.search(rf"(?<![A-Za-z0-9]){re.escape(term)}(?![A-Za-z0-9])", whole_text) is not None


_TEXTS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda one, other: other in one,
    "has": has,
    "startswith": lambda one, other: one.startswith(other),
    "endswith": lambda one, other: one.endswith(other),
}


def compare(operator: str, one: Value, other: Value) -> bool:
    """Every comparison but `in`, `has_any` and `between`."""
    if operator.startswith("!") and operator not in ("!=", "!~"):
        return not compare(operator[1:], one, other)
    if operator == "==":
        return equal(one, other)
    if operator == "!=":
        return not equal(one, other)
    if operator == "=~":
        return text(one).lower() == text(other).lower() and one is not None
    if operator == "!~":
        return text(one).lower() != text(other).lower()
    if operator == "matches":
        return _search(text(other), text(one)) is not None
    if operator in ("<", "<=", ">", ">="):
        found = ordered(one, other)
        holds = {"<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (0, 1)}[operator]
        return found in holds
    word = operator.removesuffix("_cs")
    if operator.endswith("_cs"):
        return _TEXTS[word](text(one), text(other))
    return _TEXTS[word](text(one).lower(), text(other).lower())


def arithmetic(operator: str, one: Value, other: Value) -> Value:
    try:
        if isinstance(one, datetime | timedelta) or isinstance(other, datetime | timedelta):
            if operator == "+":
                return one + other
            return one - other if operator == "-" else None
        left, right = number(one), number(other)
        if left is None or right is None:
            return None
        if operator == "+":
            return left + right
        if operator == "-":
            return left - right
        if operator == "*":
            return left * right
        if right == 0:
            return None
        if operator == "%":
            return math.fmod(left, right) if isinstance(left, float) or isinstance(right, float) else left % right
        if isinstance(left, int) and isinstance(right, int):
            return int(left / right) if abs(left) < 1 << 52 else left // right
        return left / right
    except (TypeError, OverflowError):
        return None


def _search(pattern: str, whole_text: str) -> re.Match[str] | None:
    if len(pattern) > 500 or re.search(r"[*+}]\)?[*+{]", pattern):
        raise QueryError(f"the regular expression '{pattern[:60]}'", missing=True)
    try:
        return re.search(pattern, whole_text[:10_000])
    except (re.error, OverflowError):
        raise QueryError(f"'{pattern[:60]}' is no regular expression") from None


# Functions. ----------------------------------------------------------------------------------------------------------


def _substring(value: Value, start: Value, length: Value = None) -> str:
    begin = max(0, whole(start) or 0)
    found = text(value)[begin:]
    return found if length is None else found[: max(0, whole(length) or 0)]


def _split(value: Value, mark: Value, at: Value = None) -> Value:
    parts = text(value).split(text(mark)) if text(mark) else [text(value)]
    if at is None:
        return parts
    index = whole(at)
    return [parts[index]] if index is not None and -len(parts) <= index < len(parts) else []


def _extract(pattern: Value, group: Value, value: Value) -> str:
    match = _search(text(pattern), text(value))
    index = whole(group) or 0
    return "" if match is None or not 0 <= index <= len(match.groups()) else match.group(index) or ""


def _replace(value: Value, old: Value, new: Value) -> str:
    return text(value).replace(text(old), text(new)) if text(old) else text(value)


def _replace_regex(value: Value, pattern: Value, new: Value) -> str:
    _search(text(pattern), "")
    try:
        return re.sub(text(pattern), text(new).replace("$", "\\"), text(value)[:10_000])
    except (re.error, IndexError):
        raise QueryError(f"'{text(new)}' is no replacement") from None


def _trim(both: bool, start: bool) -> Callable[[Value, Value], str]:
    def work(pattern: Value, value: Value) -> str:
        found = text(value)
        _search(text(pattern), "")
        if start or both:
            found = re.sub(rf"^(?:{text(pattern)})", "", found)
        if not start or both:
            found = re.sub(rf"(?:{text(pattern)})$", "", found)
        return found

    return work


def _array_length(value: Value) -> int | None:
    value = dynamic(value)
    return len(value) if isinstance(value, list) else None


def _index_of(value: Value, item: Value) -> int:
    return text(value).find(text(item))


def _array_index_of(value: Value, item: Value) -> int | None:
    if not isinstance(value, list):
        return None
    return next((at for at, held in enumerate(value) if equal(held, item)), -1)


def _bin(value: Value, size: Value) -> Value:
    if isinstance(value, datetime) and (step := span(size)):
        begin = datetime(1, 1, 1, tzinfo=UTC)
        return begin + ((value - begin) // step) * step
    one, other = number(value), number(size)
    return None if one is None or not other else math.floor(one / other) * other


def _pack(*parts: Value) -> Value:
    return {text(key): value for key, value in zip(parts[::2], parts[1::2], strict=False)}


def _in_range(address: Value, *ranges: Value) -> bool | None:
    try:
        held = ip_address(text(address).split("/")[0])
        return any(held in ip_network(text(one), strict=False) for one in ranges)
    except ValueError:
        return None


def _case(*parts: Value) -> Value:
    for condition, value in zip(parts[::2], parts[1::2], strict=False):
        if condition is True:
            return value
    return parts[-1] if len(parts) % 2 else None


def _round(value: Value, digits: Value = 0) -> Value:
    found = number(value)
    return None if found is None else round(found, min(12, max(0, whole(digits) or 0)))


def _numeric(work: Callable[[float], Any]) -> Callable[[Value], Value]:
    return lambda value: None if (found := number(value)) is None else work(found)


def _diff(unit: Value, one: Value, other: Value) -> int | None:
    late, early = moment(one), moment(other)
    seconds = {"day": 86400, "hour": 3600, "minute": 60, "second": 1, "week": 604800}.get(text(unit).lower())
    return None if late is None or early is None or seconds is None else int((late - early).total_seconds() / seconds)


def _numbers(parts: tuple[Value, ...]) -> list[int | float]:
    return [found for part in parts if (found := number(part)) is not None]


def _array_concat(*parts: Value) -> list[Value]:
    return [item for part in parts if isinstance(part, list) for item in part]


def _kind(value: Value) -> str:
    kinds = ((bool, "bool"), (int, "long"), (float, "double"), (str, "string"), (list, "array"), (dict, "dictionary"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "null")


FUNCTIONS: dict[str, tuple[Callable[..., Value], int, int | None]] = {
    "tostring": (text, 1, 1),
    "toint": (whole, 1, 1),
    "tolong": (whole, 1, 1),
    "int": (whole, 1, 1),
    "long": (whole, 1, 1),
    "todouble": (number, 1, 1),
    "toreal": (number, 1, 1),
    "real": (number, 1, 1),
    "tobool": (truth, 1, 1),
    "toboolean": (truth, 1, 1),
    "bool": (truth, 1, 1),
    "todatetime": (moment, 1, 1),
    "datetime": (moment, 1, 1),
    "totimespan": (span, 1, 1),
    "timespan": (span, 1, 1),
    "dynamic": (dynamic, 1, 1),
    "todynamic": (dynamic, 1, 1),
    "parse_json": (dynamic, 1, 1),
    "tolower": (lambda value: text(value).lower(), 1, 1),
    "toupper": (lambda value: text(value).upper(), 1, 1),
    "isempty": (empty, 1, 1),
    "isnotempty": (lambda value: not empty(value), 1, 1),
    "isnull": (lambda value: value is None, 1, 1),
    "isnotnull": (lambda value: value is not None, 1, 1),
    "not": (lambda value: None if truth(value) is None else not truth(value), 1, 1),
    "strlen": (lambda value: len(text(value)), 1, 1),
    "strcat": (lambda *parts: "".join(map(text, parts)), 1, None),
    "strcat_array": (
        lambda parts, mark: text(mark).join(map(text, parts or [])) if isinstance(parts, list) else "",
        2,
        2,
    ),
    "strcat_delim": (lambda mark, *parts: text(mark).join(map(text, parts)), 2, None),
    "split": (_split, 2, 3),
    "substring": (_substring, 2, 3),
    "replace_string": (_replace, 3, 3),
    "replace": (lambda pattern, new, value: _replace_regex(value, pattern, new), 3, 3),
    "replace_regex": (_replace_regex, 3, 3),
    "trim": (_trim(True, True), 2, 2),
    "trim_start": (_trim(False, True), 2, 2),
    "trim_end": (_trim(False, False), 2, 2),
    "indexof": (_index_of, 2, 2),
    "extract": (_extract, 3, 3),
    "array_length": (_array_length, 1, 1),
    "array_concat": (_array_concat, 1, None),
    "array_index_of": (_array_index_of, 2, 2),
    "set_has_element": (lambda value, item: isinstance(value, list) and any(equal(one, item) for one in value), 2, 2),
    "array_sort_asc": (lambda value: sorted(value, key=text) if isinstance(value, list) else None, 1, 1),
    "bag_keys": (lambda value: list(value) if isinstance(value, dict) else None, 1, 1),
    "bag_has_key": (lambda value, key: isinstance(value, dict) and text(key) in value, 2, 2),
    "pack": (_pack, 2, None),
    "bag_pack": (_pack, 2, None),
    "pack_array": (lambda *parts: list(parts), 1, None),
    "iff": (lambda condition, one, other: one if condition is True else other, 3, 3),
    "iif": (lambda condition, one, other: one if condition is True else other, 3, 3),
    "case": (_case, 3, None),
    "coalesce": (lambda *parts: next((part for part in parts if not empty(part)), None), 1, None),
    "bin": (_bin, 2, 2),
    "floor": (_bin, 2, 2),
    "round": (_round, 1, 2),
    "ceiling": (_numeric(math.ceil), 1, 1),
    "abs": (_numeric(abs), 1, 1),
    "min_of": (lambda *parts: min(_numbers(parts), default=None), 2, None),
    "max_of": (lambda *parts: max(_numbers(parts), default=None), 2, None),
    "datetime_diff": (_diff, 3, 3),
    "ipv4_is_in_range": (_in_range, 2, 2),
    "ipv4_is_in_any_range": (_in_range, 2, None),
    "gettype": (_kind, 1, 1),
}
"""By name: the function, and how many arguments it takes at least and at most."""
