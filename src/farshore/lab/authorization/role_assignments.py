"""Microsoft.Authorization/roleAssignments at a subscription, a group or a resource.

The first one that is made turns authorization on for the whole lab (`authorization/door.py`). There is no directory:
any principal id will do.
"""

from __future__ import annotations

import re

from farshore.arm.http import Response
from farshore.arm.json import Body
from farshore.lab.answers import Refused, not_implemented, quoted
from farshore.lab.authorization.door import ASSIGNMENTS, definition
from farshore.lab.authorization.door import scope_of as scope_key
from farshore.lab.authorization.extension import Extension, id_as_asked, known_scope, scope_of
from farshore.lab.authorization.role_definitions import GUID
from farshore.lab.call import Call
from farshore.lab.registry import resource_type
from farshore.times import stamp


@resource_type(ASSIGNMENTS)
class RoleAssignments(Extension):
    def put(self, call: Call) -> Response:
        cloud = call.cloud
        scope = known_scope(call, scope_of(call.id))
        if not GUID.fullmatch(call.id.name):
            raise Refused(
                400,
                "InvalidRoleAssignmentId",
                f"The role assignment ID '{call.id.name}' is not valid. The role assignment ID must be a GUID.",
            )
        sent = call.object().get("properties")
        if not isinstance(sent, dict):
            raise Refused(400, "InvalidRequestContent", "The role assignment has no properties.")
        role, principal = sent.get("roleDefinitionId"), sent.get("principalId")
        if not isinstance(principal, str) or not GUID.fullmatch(principal):
            raise Refused(400, "InvalidPrincipalId", f"A principal ID is a GUID, not {quoted(principal)}.")
        found = definition(cloud, role) if isinstance(role, str) else None
        if found is None:
            raise Refused(
                404,
                "RoleDefinitionDoesNotExist",
                f"The specified role definition with ID {quoted(role)} does not exist.",
            )
        id_ = id_as_asked(call, ASSIGNMENTS)
        before = cloud.body(id_)
        role_id = f"/subscriptions/{id_.subscription}/providers/Microsoft.Authorization/roleDefinitions/{found['name']}"
        self._must_be_new(call, id_.key, scope.key, role_id, principal, before)
        who = call.caller.object_id or cloud.guid("owner of the lab")
        made = (before or {}).get("properties", {}).get("createdOn") or stamp(cloud.now)
        properties: Body = {
            "roleDefinitionId": role_id,
            "principalId": principal,
            "principalType": sent.get("principalType") or "ServicePrincipal",
            "scope": scope_of(id_).text,
            "condition": sent.get("condition"),
            "conditionVersion": sent.get("conditionVersion"),
            "createdOn": made,
            "updatedOn": stamp(cloud.now),
            "createdBy": who,
            "updatedBy": who,
            "delegatedManagedIdentityResourceId": sent.get("delegatedManagedIdentityResourceId"),
            "description": sent.get("description"),
        }
        body: Body = {"properties": properties, "id": id_.text, "type": ASSIGNMENTS, "name": id_.name}
        cloud.write(id_, body, forwards=False)
        shown = cloud.show(id_, call.query) or body
        if before is None:
            # Recorded: who made it is shown from the next answer on.
            shown = {**shown, "properties": {**shown["properties"], "createdBy": None}}
        return Response(status=201 if before is None else 200, body=shown)

    def _must_be_new(self, call: Call, key: str, scope: str, role_id: str, principal: str, before: Body | None) -> None:
        wanted = (principal.lower(), role_id.lower())
        if before is not None:
            if _granted(before) != wanted:
                raise Refused(
                    400,
                    "RoleAssignmentUpdateNotPermitted",
                    "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
                )
            return
        for body in call.cloud.of_type(ASSIGNMENTS):
            same = _granted(body) == wanted and scope_key(body) == scope
            if same and str(body["id"]).lower() != key:
                raise Refused(
                    409,
                    "RoleAssignmentExists",
                    f"The role assignment already exists. The ID of the existing role assignment is {body['name']}.",
                )

    def delete(self, call: Call) -> Response:
        body = call.cloud.body(call.id)
        if body is None:
            return Response(status=204)
        shown = call.cloud.show(call.id, call.query)
        call.cloud.remove(call.id)
        return Response(status=200, body=shown)

    def rows(self, call: Call, found: list[Body]) -> list[Body]:
        """At the scope, above it and below it; `atScope()` leaves out what is below."""
        key = call.id.key
        above = [body for body in call.cloud.of_type(ASSIGNMENTS) if f"{key}/".startswith(scope_key(body) + "/")]
        below = [body for body in found if body not in above]
        wanted = [*above, *below]
        for part in re.split(r"\s+and\s+", call.query.get("$filter", "").strip(), flags=re.IGNORECASE):
            if not part:
                continue
            match = re.fullmatch(r"principalId\s+eq\s+'([^']*)'|assignedTo\('([^']*)'\)", part, re.IGNORECASE)
            if part.lower() == "atscope()":
                wanted = [body for body in wanted if body in above]
            elif match is not None:
                who = (match[1] or match[2]).lower()
                wanted = [body for body in wanted if body["properties"]["principalId"].lower() == who]
            else:
                raise not_implemented(f"the filter {part}")
        return wanted


def _granted(body: Body) -> tuple[str, str]:
    """To whom an assignment gives what, in small letters."""
    held = body["properties"]
    return str(held["principalId"]).lower(), str(held["roleDefinitionId"]).lower()
