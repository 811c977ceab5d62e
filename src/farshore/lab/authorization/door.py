"""Whether a call may do what it asks: role assignments first, then locks, before anything else is looked at.

**Assignments.** As long as a lab has none, everybody is Owner of everything. From the first one on, who calls has what
is assigned to it or to its groups, at the scope or above. Who calls is told by the token's claims (`lab/identity.py`);
the lab's owner, and a client in the lab's own process, may do everything always, so that nobody locks himself out.

    GET, HEAD  {type}/read      PUT, PATCH  {type}/write      DELETE  {type}/delete      POST  {type}/{name}/action

A list of a whole subscription is not refused: it shows what may be read. What a write refers to (a subnet that a NIC
joins) needs a right too (`authorization/linked.py`).

**Locks.** `CanNotDelete` and `ReadOnly` hold for their scope and everything below; a delete is also refused by a lock
on something inside what would go. A read-only scope takes no POST either, but for questions (`validate`, `whatIf`...).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.lab.answers import Refused
from farshore.lab.authorization.roles import BY_GUID, allows
from farshore.lab.identity import Caller

if TYPE_CHECKING:
    from farshore.lab.call import Call
    from farshore.lab.cloud import Cloud

ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"
DEFINITIONS = "Microsoft.Authorization/roleDefinitions"
LOCKS = "Microsoft.Authorization/locks"
VERBS = {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}
QUESTIONS = ("validate", "whatif", "exporttemplate", "validatemoveresources")


def must_be_allowed(call: Call, method: str, id_: ResourceId, action: str | None = None) -> None:
    """Raise `Refused` 403 or 409. `action` is the name of a POST's."""
    verb = f"{action}/action" if action is not None else VERBS.get(method, "action")
    if call.caller.object_id:
        must_have_right(call, f"{kind_of(id_)}/{verb}", id_)
    if action is not None and (action.lower() in QUESTIONS or action.lower().startswith("check")):
        return
    if verb != "read" and call.cloud.of_type(LOCKS) and not id_.is_a(LOCKS):
        _must_be_unlocked(call.cloud, id_, "delete" if verb == "delete" else "write")


def must_have_right(call: Call, action: str, id_: ResourceId) -> None:
    """Raise `Refused` 403 where the caller may not do `action` at that scope."""
    if has_right(call.cloud, call.caller, action, id_.key):
        return
    raise Refused(
        403,
        "AuthorizationFailed",
        f"The client '{call.caller.name}' with object id '{call.caller.object_id}' does not have authorization to "
        f"perform action '{action}' over scope '{id_.text}' or the scope is invalid. If access was recently granted, "
        "please refresh your credentials.",
    )


def has_right(cloud: Cloud, caller: Caller, action: str, key: str) -> bool:
    """Whether a caller may do `action` at a scope, given by its lower-case text."""
    if not caller.object_id:
        return True
    assignments = cloud.of_type(ASSIGNMENTS)
    if not assignments:
        return True
    return any(allows(permissions, action) for permissions in _held(cloud, caller, assignments, key))


def readable(call: Call, bodies: list[Body]) -> list[Body]:
    """Those of the bodies that the caller may read."""
    cloud, caller = call.cloud, call.caller
    if not caller.object_id or not cloud.of_type(ASSIGNMENTS):
        return bodies
    found = []
    for body in bodies:
        id_ = cloud.id_of(body)
        if has_right(cloud, caller, f"{kind_of(id_)}/read", id_.key):
            found.append(body)
    return found


def knows_of(cloud: Cloud, caller: Caller, subscription: str) -> bool:
    """Whether a caller has anything to do with a subscription: it is listed for who has a role anywhere in it."""
    assignments = cloud.of_type(ASSIGNMENTS)
    if not caller.object_id or not assignments:
        return True
    root, who = f"/subscriptions/{subscription.lower()}", _names(caller)
    return any(_assigned(body, who) and f"{scope_of(body)}/".startswith(f"{root}/") for body in assignments)


def permissions_of(cloud: Cloud, caller: Caller, key: str) -> list[Body]:
    """What the caller's roles say at a scope."""
    assignments = cloud.of_type(ASSIGNMENTS)
    if not caller.object_id or not assignments:
        return [{"actions": ["*"], "notActions": [], "dataActions": [], "notDataActions": []}]
    return [one for permissions in _held(cloud, caller, assignments, key) for one in permissions]


def scope_of(body: Body) -> str:
    """Where an assignment or a lock stands, in lower case."""
    return str(body["id"]).lower().rsplit("/providers/microsoft.authorization/", 1)[0]


def definition(cloud: Cloud, text: str) -> Body | None:
    """The role definition that an id names."""
    guid = text.lower().rsplit("/", 1)[-1]
    if guid in BY_GUID:
        return BY_GUID[guid].body("")
    for body in cloud.of_type(DEFINITIONS):
        if str(body["name"]).lower() == guid:
            return body
    return None


def _held(cloud: Cloud, caller: Caller, assignments: list[Body], key: str) -> Iterator[list[Body]]:
    """Permissions of every role that is assigned to the caller at the scope or above it."""
    who = _names(caller)
    for body in assignments:
        scope = scope_of(body)
        if not _assigned(body, who) or not (key == scope or key.startswith(scope + "/")):
            continue
        role = definition(cloud, body["properties"]["roleDefinitionId"])
        if role is not None:
            yield role["properties"]["permissions"]


def _names(caller: Caller) -> set[str]:
    """The caller's object id and its groups'; a GUID is the same in small letters and in capitals."""
    return {caller.object_id.lower(), *(group.lower() for group in caller.groups)}


def _assigned(body: Body, who: set[str]) -> bool:
    return str(body["properties"]["principalId"]).lower() in who


def kind_of(id_: ResourceId) -> str:
    """The type as actions name it."""
    if id_.pairs:
        return id_.type
    return "Microsoft.Resources/subscriptions" + ("/resourceGroups" if id_.resource_group is not None else "")


def _must_be_unlocked(cloud: Cloud, id_: ResourceId, operation: str) -> None:
    holding = []
    for lock in cloud.of_type(LOCKS):
        scope = scope_of(lock)
        covers = id_.key == scope or id_.key.startswith(scope + "/")
        inside = operation == "delete" and scope.startswith(id_.key + "/")
        if (covers or inside) and (operation == "delete" or lock["properties"]["level"] == "ReadOnly"):
            holding.append(str(lock["id"])[: len(scope)])
    if holding:
        said = ",".join(f"'{text}'" for text in dict.fromkeys(holding))
        raise Refused(
            409,
            "ScopeLocked",
            f"The scope '{id_.text}' cannot perform {operation} operation because following scope(s) are locked: "
            f"{said}. Please remove the lock and try again.",
        )
