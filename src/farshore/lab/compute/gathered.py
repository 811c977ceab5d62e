"""Availability sets, proximity placement groups, capacity reservation groups: names that machines refer to.

A GET tells who is in one. The answer to a PUT or PATCH does not, and none of them shows a `provisioningState`; a PATCH
replaces what it names, tags too (recorded).
"""

from __future__ import annotations

from typing import ClassVar

from farshore.arm.http import Response
from farshore.arm.json import Body
from farshore.lab.call import Call
from farshore.lab.merging import merged
from farshore.lab.types import Put, ResourceType


class Gathering(ResourceType):
    """A type of them."""

    patches = True
    gathers: ClassVar[tuple[str, ...]] = ()
    """Properties that only a GET shows."""

    def first_answer(self, put: Put) -> Body | None:
        shown = put.cloud.show(put.id, put.query)
        return None if shown is None else without(shown, self.gathers)

    def patch(self, call: Call) -> Response:
        body, sent = call.must_exist(), call.object()
        return self.write(call, {**merged(body, sent), **({"tags": sent["tags"]} if "tags" in sent else {})})


def without(body: Body, names: tuple[str, ...]) -> Body:
    """A body without these properties, and without any where there are no others."""
    left = {key: value for key, value in (body.get("properties") or {}).items() if key not in names}
    rest = {key: value for key, value in body.items() if key != "properties"}
    return {**rest, "properties": left} if left else rest
