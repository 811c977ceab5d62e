"""Microsoft.Authorization/locks at a subscription, a group or a resource: CanNotDelete and ReadOnly.

What they hold up is told in `authorization/door.py` (409 `ScopeLocked`). A lock may be taken away by who may write
locks; itself it locks no lock.
"""

from __future__ import annotations

from farshore.arm.http import Response
from farshore.arm.ids import resource_id
from farshore.arm.json import Body
from farshore.lab.answers import Refused, not_implemented, quoted
from farshore.lab.authorization.door import LOCKS
from farshore.lab.authorization.extension import Extension, id_as_asked, known_scope, scope_of
from farshore.lab.call import Call
from farshore.lab.registry import resource_type

LEVELS = ("NotSpecified", "CanNotDelete", "ReadOnly")


@resource_type(LOCKS)
class Locks(Extension):
    def put(self, call: Call) -> Response:
        cloud = call.cloud
        known_scope(call, scope_of(call.id))
        properties = call.object().get("properties")
        level = properties.get("level") if isinstance(properties, dict) else None
        found = next((one for one in LEVELS if isinstance(level, str) and one.lower() == level.lower()), None)
        if found is None:
            raise Refused(
                400, "LockLevelInvalid", f"The lock level is one of {', '.join(LEVELS)}, not {quoted(level)}."
            )
        assert isinstance(properties, dict)
        id_ = id_as_asked(call, LOCKS)
        before = cloud.body(id_)
        kept: Body = {"level": found}
        for name in ("notes", "owners"):
            if properties.get(name) is not None:
                kept[name] = properties[name]
        cloud.write(id_, {"properties": kept, "id": id_.text, "type": LOCKS, "name": id_.name}, forwards=False)
        return Response(status=201 if before is None else 200, body=cloud.show(id_))

    def rows(self, call: Call, found: list[Body]) -> list[Body]:
        """Of the scope and everything below; with `atScope()` of the scope alone."""
        said = call.query.get("$filter", "").strip()
        if said.lower() == "atscope()":
            found = [body for body in found if scope_of(resource_id(str(body["id"]))) == call.id]
        elif said:
            raise not_implemented(f"the filter {said}")
        return found
