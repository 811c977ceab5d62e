"""Microsoft.Resources/tags/default: the tags of a subscription, a group or a resource, apart from the rest of it.

PUT replaces them all, PATCH merges, replaces or deletes some, DELETE takes them all away. A group's and a resource's
are those of its own body; a subscription's are kept here.
"""

from __future__ import annotations

from typing import Any

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.lab.answers import Refused
from farshore.lab.authorization.extension import Extension, known_scope, scope_of
from farshore.lab.call import Call
from farshore.lab.registry import resource_type
from farshore.lab.resources.tag_rules import must_be_few, must_be_tags

TAGS = "Microsoft.Resources/tags"
OPERATIONS = ("Merge", "Replace", "Delete")
_TABLE = "subscription.tags"


@resource_type(TAGS)
class Tags(Extension):
    def get(self, call: Call) -> Response:
        scope = self._scope(call)
        return _answer(scope, read(call, scope))

    def put(self, call: Call) -> Response:
        scope = self._scope(call)
        _write(call, scope, _sent(call.object()))
        return _answer(scope, read(call, scope))

    def patch(self, call: Call) -> Response:
        scope, body = self._scope(call), call.object()
        said = body.get("operation")
        how = next((one for one in OPERATIONS if isinstance(said, str) and one.lower() == said.lower()), None)
        if how is None:
            raise Refused(
                400, "InvalidTagsOperation", f"The operation is one of {', '.join(OPERATIONS)}, not '{said}'."
            )
        sent, held = _sent(body), read(call, scope)
        if how == "Merge":
            sent = {**{name: value for name, value in held.items() if not _has(sent, name)}, **sent}
        elif how == "Delete":
            # A tag goes whose name was sent, and where a value was sent too, whose value it is.
            sent = {name: value for name, value in held.items() if not (_has(sent, name) and _same(sent, name, value))}
        _write(call, scope, sent)
        return _answer(scope, read(call, scope))

    def delete(self, call: Call) -> Response:
        _write(call, self._scope(call), {})
        return Response(status=200)

    def rows(self, call: Call, found: list[Body]) -> list[Body]:
        return [_body(call.id, read(call, call.id))]

    def _scope(self, call: Call) -> ResourceId:
        if call.id.name.lower() != "default":
            raise Refused(
                400, "InvalidTagsResourceName", f"The tags of a scope are called 'default', not '{call.id.name}'."
            )
        return known_scope(call, scope_of(call.id))


def read(call: Call, scope: ResourceId) -> dict[str, str]:
    if scope.resource_group is None and not scope.pairs:
        found = call.cloud.table(_TABLE).get(scope.key)
    else:
        found = (call.cloud.body(scope) or {}).get("tags")
    return dict(found or {})


def subscription_tags(call: Call, subscription: str) -> dict[str, str]:
    return dict(call.cloud.table(_TABLE).get(f"/subscriptions/{subscription.lower()}") or {})


def _write(call: Call, scope: ResourceId, tags: dict[str, str]) -> None:
    must_be_few(tags)
    if scope.resource_group is None and not scope.pairs:
        call.cloud.table(_TABLE)[scope.key] = tags
        return
    if scope.pairs and not call.cloud.type_of(scope).tracked:
        raise Refused(400, "TagsNotSupported", f"The resource type '{scope.type}' does not support tags.")
    if scope.pairs:
        held, call.id = call.id, scope
        call.must_be_free()
        call.id = held
    body = dict(call.cloud.body(scope) or {})
    body.pop("tags", None)
    call.cloud.write(scope, {**body, "tags": tags} if tags else body, forwards=False)


def _sent(body: Body) -> dict[str, str]:
    properties = body.get("properties")
    tags = properties.get("tags") if isinstance(properties, dict) else None
    if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
        raise Refused(400, "InvalidRequestContent", "The tags must be an object of texts in 'properties.tags'.")
    must_be_tags(tags)
    return tags


def _has(tags: dict[str, str], name: str) -> bool:
    return any(other.lower() == name.lower() for other in tags)


def _same(tags: dict[str, str], name: str, value: str) -> bool:
    return any(other.lower() == name.lower() and held in ("", value) for other, held in tags.items())


def _answer(scope: ResourceId, tags: dict[str, str]) -> Response:
    return Response(status=200, body=_body(scope, tags))


def _body(scope: ResourceId, tags: Any) -> Body:
    return {
        "id": f"{scope.text}/providers/{TAGS}/default",
        "name": "default",
        "type": TAGS,
        "properties": {"tags": tags},
    }
