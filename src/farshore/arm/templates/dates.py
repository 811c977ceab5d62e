"""Template functions on times: `dateTimeAdd` and Unix seconds. What time it is, a deployment knows."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from farshore.arm.templates.errors import TemplateError
from farshore.arm.templates.table import function, must_be_number, must_be_text, wrong

_DURATION = re.compile(
    r"(?P<sign>-?)P(?:(?P<years>\d{1,4})Y)?(?:(?P<months>\d{1,4})M)?(?:(?P<weeks>\d{1,4})W)?(?:(?P<days>\d{1,6})D)?"
    r"(?:T(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,8})M)?(?:(?P<seconds>\d{1,9}(?:\.\d{1,6})?)S)?)?"
)
_FORMS = (
    ("yyyy", "%Y"),
    ("yy", "%y"),
    ("MM", "%m"),
    ("dd", "%d"),
    ("HH", "%H"),
    ("mm", "%M"),
    ("ss", "%S"),
)


@function("dateTimeAdd", 2, 3)
def date_time_add(base: Any, duration: Any, form: Any = None) -> str:
    begin = _moment("dateTimeAdd", base)
    match = _DURATION.fullmatch(must_be_text("dateTimeAdd", duration))
    if match is None or match[0].lstrip("-") in ("P", "PT"):
        raise wrong("dateTimeAdd", "an ISO 8601 duration such as P1D or -PT2H", duration)
    parts = {key: float(value or 0) for key, value in match.groupdict().items() if key != "sign"}
    months = int(parts["years"] * 12 + parts["months"])
    sign = -1 if match["sign"] else 1
    span = timedelta(
        weeks=parts["weeks"],
        days=parts["days"],
        hours=parts["hours"],
        minutes=parts["minutes"],
        seconds=parts["seconds"],
    )
    try:
        return written(_later(begin, sign * months) + sign * span, form)
    except (OverflowError, ValueError):
        raise TemplateError("Unable to evaluate template language function 'dateTimeAdd': no such time.") from None


@function("dateTimeFromEpoch", 1)
def from_epoch(seconds: Any) -> str:
    try:
        return written(datetime.fromtimestamp(must_be_number("dateTimeFromEpoch", seconds), UTC), None)
    except (OverflowError, ValueError, OSError):
        raise wrong("dateTimeFromEpoch", "seconds since 1970", seconds) from None


@function("dateTimeToEpoch", 1)
def to_epoch(text: Any) -> int:
    return int(_moment("dateTimeToEpoch", text).timestamp())


def written(moment: datetime, form: Any) -> str:
    """A time in a form of .NET's: its letters, or `u`, `o` and `d`; without one as ISO 8601."""
    if form is None or form == "o":
        return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
    text = must_be_text("utcNow", form)
    if text == "u":
        return f"{moment:%Y-%m-%d %H:%M:%SZ}"
    if text == "d":
        return f"{moment.month}/{moment.day}/{moment.year}"
    text = text.replace("%", "%%")
    for letters, code in _FORMS:
        text = text.replace(letters, code)
    return moment.strftime(text)


def _moment(name: str, text: Any) -> datetime:
    try:
        found = datetime.fromisoformat(must_be_text(name, text))
    except ValueError:
        raise wrong(name, "a time in ISO 8601", text) from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _later(moment: datetime, months: int) -> datetime:
    """So many months later, on the same day or the month's last."""
    index = moment.year * 12 + moment.month - 1 + months
    year, month = index // 12, index % 12 + 1
    first_of_next = datetime(year + month // 12, month % 12 + 1, 1)
    last = (first_of_next - timedelta(days=1)).day
    return moment.replace(year=year, month=month, day=min(moment.day, last))
