"""Microsoft.Authorization/permissions: what the caller's roles say at a scope."""

from __future__ import annotations

from farshore.arm.http import Response
from farshore.arm.json import Body
from farshore.lab.answers import Refused
from farshore.lab.authorization.door import permissions_of
from farshore.lab.authorization.extension import Extension
from farshore.lab.call import Call
from farshore.lab.registry import resource_type


@resource_type("Microsoft.Authorization/permissions")
class Permissions(Extension):
    def rows(self, call: Call, found: list[Body]) -> list[Body]:
        return permissions_of(call.cloud, call.caller, call.id.key)

    def put(self, call: Call) -> Response:
        raise Refused(405, "MethodNotAllowed", "Permissions are read, and nothing else.")

    patch = put
    delete = put
