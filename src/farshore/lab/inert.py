"""What an estate brought and the lab has no type for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.lab.answers import not_implemented
from farshore.lab.call import Call
from farshore.lab.types import ResourceType

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud


class Inert(ResourceType):
    """It can be read, and nothing else can be done with it."""

    apart = True
    forwards = True

    def put(self, call: Call) -> Response:
        raise not_implemented(f"writing {call.id.type}")

    patch = put
    delete = put

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        return body


INERT = Inert()
