"""Microsoft.Authorization/roleDefinitions: the built-in ones, at every scope, and those that somebody makes."""

from __future__ import annotations

import re
from typing import Any

from farshore.arm.http import Response
from farshore.arm.ids import resource_id
from farshore.arm.json import Body
from farshore.lab.answers import Refused, not_implemented
from farshore.lab.authorization.door import ASSIGNMENTS, DEFINITIONS
from farshore.lab.authorization.extension import Extension, known_scope, scope_of
from farshore.lab.authorization.roles import BUILT_IN, BY_GUID
from farshore.lab.call import Call
from farshore.lab.registry import resource_type, tenant
from farshore.times import stamp

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@resource_type(DEFINITIONS)
class RoleDefinitions(Extension):
    def get(self, call: Call) -> Response:
        role = BY_GUID.get(call.id.name.lower())
        if role is not None:
            return Response(status=200, body=role.body(f"/subscriptions/{call.id.subscription}"))
        body = call.cloud.body(call.id)
        if body is None:
            raise _nowhere(call.id.name)
        return Response(status=200, body=body)

    def rows(self, call: Call, found: list[Body]) -> list[Body]:
        built_in = [role.body(f"/subscriptions/{call.id.subscription}") for role in BUILT_IN]
        own = [
            body
            for body in call.cloud.of_type(DEFINITIONS)
            if any(_covers(scope, call.id.key) for scope in body["properties"]["assignableScopes"])
        ]
        return filtered(call, [*built_in, *own])

    def put(self, call: Call) -> Response:
        cloud = call.cloud
        known_scope(call, scope_of(call.id))
        if not GUID.fullmatch(call.id.name) or call.id.name.lower() in BY_GUID:
            raise Refused(
                400, "RoleDefinitionIdInvalid", f"'{call.id.name}' is no GUID, or it is that of a built-in role."
            )
        properties = call.object().get("properties")
        if not isinstance(properties, dict) or not isinstance(properties.get("roleName"), str):
            raise Refused(400, "InvalidRequestContent", "The role definition has no roleName.")
        scopes, permissions = properties.get("assignableScopes"), properties.get("permissions")
        if not isinstance(scopes, list) or not scopes or not all(isinstance(scope, str) for scope in scopes):
            raise Refused(400, "MissingAssignableScopes", "The role definition has no assignableScopes.")
        kept = _permissions(permissions)
        before = cloud.body(call.id)
        made = (before or {}).get("properties", {}).get("createdOn") or stamp(cloud.now)
        who = call.caller.object_id or cloud.guid("owner of the lab")
        shown: Body = {
            "roleName": properties["roleName"],
            "type": "CustomRole",
            "description": properties.get("description"),
            "assignableScopes": scopes,
            "permissions": kept,
            "createdOn": made,
            "updatedOn": stamp(cloud.now),
            "createdBy": (before or {}).get("properties", {}).get("createdBy") or who,
            "updatedBy": who,
        }
        id_ = resource_id(f"/subscriptions/{call.id.subscription}/providers/{DEFINITIONS}/{call.id.name}")
        cloud.write(id_, {"properties": shown, "id": id_.text, "type": DEFINITIONS, "name": id_.name}, forwards=False)
        # Recorded: who made it is shown from the next answer on.
        now = {"properties": {**shown, "createdBy": None}, "id": id_.text, "type": DEFINITIONS, "name": id_.name}
        return Response(status=201, body=now)

    def delete(self, call: Call) -> Response:
        cloud, name = call.cloud, call.id.name.lower()
        if name in BY_GUID:
            raise Refused(400, "RoleDefinitionIsBuiltIn", f"The role definition '{call.id.name}' can't be deleted.")
        body = cloud.body(call.id)
        if body is None:
            return Response(status=204)
        used = [
            held
            for held in cloud.of_type(ASSIGNMENTS)
            if held["properties"]["roleDefinitionId"].lower().rsplit("/", 1)[-1] == name
        ]
        if used:
            raise Refused(
                400, "RoleDefinitionHasAssignments", f"There are existing role assignments referencing role '{name}'."
            )
        cloud.remove(call.id)
        return Response(status=200, body=body)


@tenant("GET", "providers/Microsoft.Authorization/roleDefinitions")
def of_the_tenant(call: Call) -> Response:
    """All built-in ones, or the one whose id follows."""
    if call.rest:
        role = BY_GUID.get(call.rest.lower())
        if role is None:
            raise _nowhere(call.rest)
        return Response(status=200, body=role.body(""))
    return Response(status=200, body={"value": filtered(call, [role.body("") for role in BUILT_IN])})


def filtered(call: Call, found: list[Body]) -> list[Body]:
    """`roleName eq 'Reader'`, `type eq 'BuiltInRole'`, `atScopeAndBelow()` (which excludes nothing here)."""
    for part in re.split(r"\s+and\s+", call.query.get("$filter", "").strip(), flags=re.IGNORECASE):
        if not part or part.lower() in ("atscopeandbelow()", "atscope()"):
            continue
        match = re.fullmatch(r"(roleName|type)\s+eq\s+'([^']*)'", part, re.IGNORECASE)
        if match is None:
            raise not_implemented(f"the filter {part}")
        key = "roleName" if match[1].lower() == "rolename" else "type"
        found = [body for body in found if str(body["properties"][key]).lower() == match[2].lower()]
    return found


def _permissions(permissions: Any) -> list[Body]:
    names = ("actions", "notActions", "dataActions", "notDataActions")
    if not isinstance(permissions, list) or not all(isinstance(one, dict) for one in permissions):
        raise Refused(400, "InvalidRequestContent", "The permissions of a role definition are a list of objects.")
    for one in permissions:
        for name in names:
            texts = one.get(name) or []
            if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
                raise Refused(400, "InvalidActionOrNotAction", f"{name} must be a list of texts.")
    return [{name: one.get(name) or [] for name in names} for one in permissions]


def _covers(scope: str, key: str) -> bool:
    clean = scope.lower().rstrip("/")
    return not clean or key == clean or key.startswith(clean + "/") or clean.startswith(key + "/")


def _nowhere(name: str) -> Refused:
    return Refused(404, "RoleDefinitionDoesNotExist", f"The specified role definition with ID '{name}' does not exist.")
