"""Lists, page by page (L11): `nextLink` where there is more, `$top` makes pages shorter.

What lies in the store is read a page at a time, and `$skiptoken` is the place of the last row of the page before: a
list goes on where it was though things came or went meanwhile. What a handler has made itself (`page`) is counted from
the beginning.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from farshore.arm.http import Response
from farshore.arm.json import Body
from farshore.lab.answers import Refused, quoted
from farshore.lab.authorization.door import readable
from farshore.lab.bodies import Page
from farshore.lab.call import Call, whole_number

if TYPE_CHECKING:
    from farshore.lab.types import ResourceType

MOST_READ = 5_000
"""Rows of the store that are looked at together where a filter passes few of them."""


def page(call: Call, rows: list[Body]) -> Response:
    """One page of rows that are all at hand."""
    size, start = _asked(call)
    more = start + size < len(rows)
    return _answer(call, rows[start : start + size], start + size if more else None)


def of_place(call: Call, kind: ResourceType, place: str, meets: Callable[[Body], bool] | None = None) -> Response:
    """One page of a collection, by its key: a type in a group, or a kind of child."""
    return _shown(call, kind, lambda after, limit: call.cloud.bodies.page_in(place, after, limit), meets)


def of_type(call: Call, kind: ResourceType, type_: str, scope: str) -> Response:
    """One page of what there is of a type under a scope, a key that ends in `/`."""
    return _shown(call, kind, lambda after, limit: call.cloud.bodies.page_of_type(type_, scope, after, limit), None)


def of_everything(call: Call, scope: str, row: Callable[[Body], Body | None]) -> Response:
    """One page of what lies under a scope, each as `row` makes it; None is not in the list."""
    size, after = _asked(call)
    rows: list[tuple[int, Body]] = []
    read = None
    while len(rows) <= size and (read is None or len(read) == MOST_READ):
        read = call.cloud.bodies.page_under(scope, after, MOST_READ)
        with call.cloud.bodies.passing():
            for after, body in read:
                shown = row(body)
                if shown is not None and readable(call, [body]):
                    rows.append((after, shown))
    more = rows[size - 1][0] if len(rows) > size else None
    return _answer(call, [shown for _, shown in rows[:size]], more)


def _shown(
    call: Call, kind: ResourceType, read: Callable[[int, int], Page], meets: Callable[[Body], bool] | None
) -> Response:
    """A page may have fewer rows than it could where the caller may not read all, or asked for some."""
    size, after = _asked(call)
    found = read(after, size + 1)
    with call.cloud.bodies.passing():
        wanted = [body for _, body in found[:size] if meets is None or meets(body)]
        rows = kind.rows(call, readable(call, wanted))
    return _answer(call, rows, found[size - 1][0] if len(found) > size else None)


def _asked(call: Call) -> tuple[int, int]:
    """How many rows a page has, and behind which place it begins."""
    size, start = call.cloud.settings.page_size, 0
    for name in ("$top", "$skiptoken"):
        text = call.query.get(name)
        if text is None:
            continue
        number = whole_number(text)
        if number is None or (name == "$top" and number == 0):
            raise Refused(400, "InvalidParameter", f"{name} is a number, not {quoted(text)}.", target=name)
        size, start = (min(size, number), start) if name == "$top" else (size, number)
    return size, start


def _answer(call: Call, rows: list[Body], goes_on: int | None) -> Response:
    body: Body = {"value": rows}
    if goes_on is not None:
        # The path as it came: an escape in it must not be escaped again.
        parts = urlsplit(call.request.url)
        kept = [(key, value) for key, value in parse_qsl(parts.query) if key.lower() != "$skiptoken"]
        query = urlencode([*kept, ("$skiptoken", str(goes_on))], quote_via=quote, safe="$")
        body["nextLink"] = f"{call.base}{parts.path}?{query}"
    elif _OF_RECOVERY.search(call.request.url):
        body["nextLink"] = None
    return Response(status=200, body=body)


_OF_RECOVERY = re.compile(r"/vaults/[^/?]+/replication", re.IGNORECASE)
"""Whose lists say that there is no more (recorded); other providers say nothing then."""
