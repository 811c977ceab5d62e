"""What a deployment would change: `whatIf` of Microsoft.Resources/deployments.

The lab forks its own state, makes there at once what the template declares, and compares: what a PUT fills in by
itself is then no difference. Where a resource can't be made so (Site Recovery's, or one that would be refused) it is
reported by what the template says of it, as ARM does, which asks no provider either.

    202 with a location ─► 200 {"status": "Succeeded", "properties": {"changes": [...]}}
    changeType   Create, Modify, NoChange, Deploy; Ignore (incremental) or Delete (complete) for what is not named
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.arm.templates import Declared, Deferred, Scope, TemplateError
from farshore.lab import operations, shapes
from farshore.lab.answers import NoAnswer, Refused
from farshore.lab.call import Call
from farshore.lab.patterns import DEPLOYMENTS as PATTERN
from farshore.lab.registry import TYPES, action, completion
from farshore.lab.resources.deploying import unlisted
from farshore.lab.resources.deployments import canonical, inner_sent, must_be_possible
from farshore.lab.resources.templates import (
    DEPLOYMENTS,
    World,
    everything,
    is_nested,
    place_of,
    refused,
)
from farshore.lab.types import ResourceType, make
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

FORMATS = ("FullResourcePayloads", "ResourceIdOnly")
NO_CHANGE = ("etag", "properties.provisioningState", "properties.resourceGuid")
"""What every write makes anew."""


@action(DEPLOYMENTS, "whatIf")
def what_if(call: Call) -> Response:
    cloud, id_, body = call.cloud, canonical(call.cloud, call.id), call.object()
    inner = inner_sent(body)
    mode = must_be_possible(cloud, id_, body)
    settings = body["properties"].get("whatIfSettings")
    form = (settings.get("resultFormat") if isinstance(settings, dict) else None) or FORMATS[0]
    if form not in FORMATS:
        raise Refused(400, "InvalidRequestContent", f"resultFormat is one of {', '.join(FORMATS)}, not '{form}'.")
    seed = cloud.guid("what if", id_.key, stamp(cloud.now))
    try:
        scope = inner.scope(place_of(cloud, id_, body, cloud.now, seed, caller=call.caller), None)
        items = list(everything(cloud, scope))
    except TemplateError as error:
        return _begin(call, id_, seed, {"error": _told(refused(error))})
    except RecursionError:
        return _begin(call, id_, seed, {"error": _told(refused(TemplateError("it is nested too deeply")))})
    changes = list(_changes(call, items, full=form == FORMATS[0]))
    named = {item.key for item, _ in items}
    group = id_.group_id
    if group is not None:
        for other in unlisted(cloud, group, named):
            change = {"resourceId": other.text, "changeType": "Delete" if mode == "Complete" else "Ignore"}
            changes.append({**change, "before": cloud.show(other)} if form == FORMATS[0] else change)
    return _begin(call, id_, seed, {"correlationId": seed, "changes": changes})


def _begin(call: Call, id_: ResourceId, seed: str, data: Body) -> Response:
    cloud = call.cloud
    operation = operations.start(
        cloud,
        id_,
        "whatIf",
        takes=cloud.duration("deployments.whatIf", id_.key, seed),
        pattern=PATTERN,
        type_=DEPLOYMENTS,
        api_version=call.api_version,
        data=data,
    )
    return Response(status=202, headers=operations.headers(operation, ("location",), call.base))


def _told(fault: Refused) -> Body:
    """A template's fault: the question is accepted all the same, and this is its answer (recorded). Azure says where
    in the text it lies; the lab knows no lines."""
    where = {"type": "TemplateViolation", "info": {"lineNumber": 0, "linePosition": 0, "path": ""}}
    return {"code": fault.error["code"], "message": fault.error["message"], "additionalInfo": [where]}


@completion(DEPLOYMENTS, "whatIf")
def known(cloud: Cloud, operation: Operation) -> Body | None:
    if "error" in operation.data:
        return {"status": "Failed", **operation.data}
    return {"status": "Succeeded", "properties": operation.data}


def _changes(call: Call, items: list[tuple[Declared, Scope]], *, full: bool) -> Iterator[Body]:
    cloud = call.cloud
    if not full:
        for item, _ in items:
            if not is_nested(item):
                yield {"resourceId": item.id, "changeType": "Deploy"}
        return
    fork = forked(cloud)
    for item, scope in items:
        if is_nested(item):
            continue
        id_ = resource_id(item.id)
        said = _said(fork, call, item, scope)
        before = cloud.show(id_)
        after = _made(fork, id_, said)
        if before is None:
            yield {"resourceId": item.id, "changeType": "Create", "after": _payload(item, said)}
            continue
        if after is None:
            yield {"resourceId": item.id, "changeType": "Deploy"}
            continue
        delta = list(differences(_clean(before), _clean(after)))
        change = {"resourceId": item.id, "changeType": "Modify" if delta else "NoChange", "before": before}
        yield {**change, "after": after, "delta": delta} if delta else {**change, "after": after}


def forked(cloud: Cloud) -> Cloud:
    """A lab that begins as this one is now."""
    kind = type(cloud)
    return kind(cloud.store.fork(), now=cloud.now)


def _said(fork: Cloud, call: Call, item: Declared, scope: Scope) -> Body:
    """What the template says of a resource, with what can be asked of the fork; the rest stays an expression."""
    before = scope.world
    scope.world = World(cloud=fork, caller=call.caller)
    try:
        return item.body(scope)
    except (Refused, NoAnswer, TemplateError, Deferred):
        scope.world, scope.lenient = None, True
        return item.body(scope)
    finally:
        scope.world, scope.lenient = before, False


def _made(fork: Cloud, id_: ResourceId, said: Body) -> Body | None:
    """The resource as the fork shows it after the PUT; None where it can't be made at once."""
    kind = TYPES.get(id_.type.lower())
    if kind is None or type(kind).put is not ResourceType.put or _has_expressions(said):
        return None
    body = {key: value for key, value in said.items() if value is not None}
    try:
        if kind.formed and id_.namespace.lower() in shapes.NAMESPACES:
            shapes.check(body)
        before = fork.body(id_)
        make(fork, {**body, "id": id_.text if before is None else before["id"], "name": id_.name})
    except (Refused, NoAnswer, KeyError, TypeError, ValueError, AttributeError):
        # A body that no check at the door has seen: the provider would say so when it is deployed.
        return None
    return fork.show(id_)


def _has_expressions(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_expressions, value.values()))
    if isinstance(value, list):
        return any(map(_has_expressions, value))
    return isinstance(value, str) and value.startswith("[") and value.endswith("]")


def _payload(item: Declared, said: Body) -> Body:
    id_ = resource_id(item.id)
    after: Body = {"id": item.id, "type": item.type, "name": id_.name, "apiVersion": item.api_version}
    if id_.resource_group is not None and id_.pairs:
        after["resourceGroup"] = id_.resource_group
    return {**after, **{key: value for key, value in said.items() if value is not None}}


def _clean(body: Body) -> Body:
    """Without what every write makes anew, at any depth."""
    hidden = {name.rsplit(".", 1)[-1] for name in NO_CHANGE}

    def without(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: without(item) for key, item in value.items() if key not in hidden}
        return [without(item) for item in value] if isinstance(value, list) else value

    return dict(without(body))


def differences(before: Any, after: Any, path: str = "") -> Iterator[Body]:
    """`delta` of a change: objects by their properties, arrays by position with children."""
    for key in [*before, *(key for key in after if key not in before)]:
        here = f"{path}.{key}" if path else key
        one, other = before.get(key), after.get(key)
        if one == other:
            continue
        if isinstance(one, dict) and isinstance(other, dict):
            yield from differences(one, other, here)
        elif isinstance(one, list) and isinstance(other, list):
            yield _change(here, "Array", None, None, list(_items(one, other)))
        else:
            yield _change(here, _kind(key, before, after), one, other)


def _items(before: list[Any], after: list[Any]) -> Iterator[Body]:
    for at in range(max(len(before), len(after))):
        if at >= len(after):
            yield _change(str(at), "Delete", before[at], None)
        elif at >= len(before):
            yield _change(str(at), "Create", None, after[at])
        elif before[at] != after[at]:
            if isinstance(before[at], dict) and isinstance(after[at], dict):
                yield _change(str(at), "Modify", None, None, list(differences(before[at], after[at])))
            else:
                yield _change(str(at), "Modify", before[at], after[at])


def _kind(key: str, before: Body, after: Body) -> str:
    return "Create" if key not in before else "Delete" if key not in after else "Modify"


def _change(path: str, kind: str, before: Any, after: Any, children: list[Body] | None = None) -> Body:
    return {"path": path, "propertyChangeType": kind, "before": before, "after": after, "children": children}
