"""`$filter` of Site Recovery's lists: `name eq 'value'` and the like, joined by `and`, over a row's properties."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from farshore.arm.json import Body
from farshore.lab.answers import bad_request
from farshore.times import moment, stamp

_TERM = re.compile(r"\s*(\w+)\s+(eq|ne|ge|gt|le|lt)\s+'([^']*)'\s*$", re.IGNORECASE)
_TIMES = ("starttime", "endtime", "timeofoccurrence")


def tests(text: str, names: Mapping[str, str]) -> list[Callable[[Body], bool]]:
    """What a row must meet. `names` are a client's words, in lower case, for properties that are called otherwise.
    Raises `Refused`."""
    found = []
    for part in re.split(r"\s+and\s+", text.strip(), flags=re.IGNORECASE) if text.strip() else []:
        term = _TERM.match(part.strip("() "))
        if term is None:
            raise bad_request("InvalidFilter", f"The lab does not understand the filter '{part}'.", "$filter")
        found.append(_test(names.get(term[1].lower(), term[1].lower()), term[2].lower(), term[3]))
    return found


def _test(name: str, operator: str, wanted: str) -> Callable[[Body], bool]:
    def holds(row: Body) -> bool:
        held = {key.lower(): value for key, value in row["properties"].items()}.get(name)
        if held is None:
            return False
        one, two = (str(held).lower(), wanted.lower())
        if name in _TIMES:
            one, two = stamp(moment(str(held))), stamp(moment(wanted))
        return {
            "eq": one == two,
            "ne": one != two,
            "ge": one >= two,
            "gt": one > two,
            "le": one <= two,
            "lt": one < two,
        }[operator]

    return holds
