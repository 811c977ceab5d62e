"""Times and lengths of time as people type them.

90, 90s, 5m, 2h, 1d, 1h30m          a length
2026-01-05T08:30, ...Z, ...+08:00   a moment; without a zone it is UTC, as the lab's own times are
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from farshore.times import moment

_PARTS = re.compile(r"(\d+(?:\.\d+)?)(d|h|m|s)")
_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


def duration(text: str) -> timedelta:
    """The length; raises `ValueError`."""
    plain = text.strip().lower().replace(" ", "")
    if re.fullmatch(r"\d+(\.\d+)?", plain):
        plain += "s"
    if not plain or _PARTS.sub("", plain):
        raise ValueError(text)
    parts = [timedelta(**{_UNITS[unit]: float(number)}) for number, unit in _PARTS.findall(plain)]
    return sum(parts, timedelta(0))


if TYPE_CHECKING:
    _Duration = click.ParamType[timedelta]
    _Instant = click.ParamType[datetime]
else:
    # Only newer editions of click say so at run time.
    _Duration = _Instant = click.ParamType


class DurationType(_Duration):
    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        try:
            return duration(str(value))
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no length of time; say 90s, 5m, 2h, 1d or 1h30m.", param, ctx)


class InstantType(_Instant):
    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            return moment(str(value))
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time; say 2026-01-05T08:30 (UTC) or 2026-01-05T08:30+08:00.", param, ctx)


DURATION = DurationType()
INSTANT = InstantType()
