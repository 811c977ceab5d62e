"""/subscriptions/{s}/tagNames: the tags in use, and names and values that somebody wrote down before any use.

GET     all of them, with how often each value is in use
PUT     tagNames/{name}, tagNames/{name}/tagValues/{value}: 201 when it is new, 200 when it was there
DELETE  200, or 204 where there was none; tags in use stay in use
"""

from __future__ import annotations

from collections import Counter

from farshore.arm.http import Response
from farshore.arm.ids import resource_id
from farshore.arm.json import Body
from farshore.lab.answers import Refused, not_implemented
from farshore.lab.authorization.door import must_have_right
from farshore.lab.call import Call
from farshore.lab.paging import page
from farshore.lab.resources.tag_rules import must_be_tags

WRITTEN = "tagNames.written"
"""Subscription -> {name: [value]}: what was written down, whether in use or not."""


def listed(call: Call, subscription: str) -> Response:
    return page(call, [_name(subscription, name, counts) for name, counts in _counted(call, subscription).items()])


def changed(call: Call, method: str, subscription: str, tail: list[str]) -> Response:
    """The answer to a PUT or DELETE of a name, or of a value of one."""
    of_value = len(tail) == 3 and tail[1].lower() == "tagvalues"
    if method not in ("PUT", "DELETE") or not (of_value or len(tail) == 1):
        raise not_implemented(f"{method} of tagNames/{'/'.join(tail)}")
    right = "write" if method == "PUT" else "delete"
    must_have_right(call, f"Microsoft.Resources/tags/{right}", resource_id(f"/subscriptions/{subscription}"))
    must_be_tags({tail[0]: tail[-1] if of_value else ""})
    written = {
        name: list(values) for name, values in (call.cloud.table(WRITTEN).get(subscription.lower()) or {}).items()
    }
    before = _counted(call, subscription)
    name = next((held for held in before if held.lower() == tail[0].lower()), tail[0])
    there = name in before and (not of_value or tail[2] in before[name])
    if of_value and name not in before:
        raise Refused(404, "TagNameNotFound", f"The tag name '{tail[0]}' could not be found.")
    if method == "PUT":
        values = written.setdefault(name, [])
        if of_value and tail[2] not in values:
            values.append(tail[2])
    elif of_value:
        written[name] = [value for value in written.get(name, []) if value != tail[2]]
    else:
        written.pop(name, None)
    call.cloud.table(WRITTEN)[subscription.lower()] = written
    if method == "DELETE":
        return Response(status=200 if there else 204)
    counts = _counted(call, subscription)[name]
    body = _value(subscription, name, tail[2], counts[tail[2]]) if of_value else _name(subscription, name, counts)
    return Response(status=200 if there else 201, body=body)


def _counted(call: Call, subscription: str) -> dict[str, Counter[str]]:
    """Name to value to how often it is in use."""
    found: dict[str, Counter[str]] = {}
    for body in call.cloud.bodies.under(f"/subscriptions/{subscription.lower()}/"):
        for name, value in (body.get("tags") or {}).items():
            found.setdefault(name, Counter())[str(value)] += 1
    for name, values in (call.cloud.table(WRITTEN).get(subscription.lower()) or {}).items():
        counts = found.setdefault(name, Counter())
        for value in values:
            counts[value] += 0
    return found


def _name(subscription: str, name: str, counts: Counter[str]) -> Body:
    return {
        "id": f"/subscriptions/{subscription}/tagNames/{name}",
        "tagName": name,
        "count": {"type": "Total", "value": counts.total()},
        "values": [_value(subscription, name, value, count) for value, count in counts.items()],
    }


def _value(subscription: str, name: str, value: str, count: int) -> Body:
    return {
        "id": f"/subscriptions/{subscription}/tagNames/{name}/tagValues/{value}",
        "tagValue": value,
        "count": {"type": "Total", "value": count},
    }
