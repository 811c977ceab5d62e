"""From a request's method and path to the handler that answers it.

    /_lab/..., /_blob/...                              the lab's own handles (docs/guide/lab.md)
    .../locations/{l}/operations/{id} and the like     an operation: found by its id wherever its URL lies
    /subscriptions, /tenants, /providers...            what is no provider's (`lab/resources/scopes.py`)
    /subscriptions/{s}/resourcegroups/{g}              a group is a resource
    .../providers/{ns}/{type}[/{name}/{type}...]       an even tail is a resource, an odd one a list, a view, an action

ARM's own checks come first and in its order: api-version, subscription, is anybody there (a lost region), quota.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from farshore.arm.http import Request, Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.errors import InputError
from farshore.estate.door import REDACTED, is_secret
from farshore.lab import identity, mishaps, operations, paging, regions, registry, shapes, throttle
from farshore.lab.answers import NoAnswer, Refused, group_not_found, not_implemented
from farshore.lab.authorization.door import must_be_allowed, must_have_right
from farshore.lab.authorization.linked import must_have_links
from farshore.lab.call import Call
from farshore.lab.cloud import Delivery
from farshore.lab.identity import Caller
from farshore.lab.inert import INERT
from farshore.lab.resources import providers, scopes
from farshore.lab.resources.secure import without_secure_values
from farshore.lab.resources.tag_rules import must_be_few, must_be_tags
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

WRITES = ("PUT", "PATCH", "POST", "DELETE")


def deliver(cloud: Cloud, request: Request) -> Delivery:
    """Answer, log what was written, and let the network do its worst."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        call = _call(cloud, request, headers)
    except Refused as refused:
        return Delivery(response=refused.response())
    method = request.method.upper()
    if not call.rest and mishaps.arrives_twice(call, method):
        _delivered(replace(call), method, headers, heard=False)
    return _delivered(call, method, headers)


def _delivered(call: Call, method: str, headers: Mapping[str, str], *, heard: bool = True) -> Delivery:
    is_arm = not call.rest
    response: Response | None
    try:
        if is_arm:
            mishaps.on_the_way(call, method)
        response = _answer(call, method)
    except Refused as refused:
        response = refused.response()
    except NoAnswer:
        response = None
    if not is_arm:
        return Delivery(response=response)
    if response is not None:
        response = replace(response, headers={**_common_headers(call, headers), **response.headers})
    mishap = mishaps.on_the_way_back(call, method) if heard else mishaps.Mishap(lost=True)
    if method in WRITES:
        _log(call, method, headers, response, answered=response is not None and not mishap.lost)
    return Delivery(response=None if mishap.lost else response, delay=mishap.delay)


def _call(cloud: Cloud, request: Request, headers: Mapping[str, str]) -> Call:
    """Raises `Refused` for a URL that is none."""
    try:
        parts = urlsplit(request.url)
    except ValueError as error:
        raise Refused(400, "InvalidRequestUri", f"The request URI is invalid: {error}.") from None
    base = f"{parts.scheme}://{parts.netloc}" if parts.netloc else cloud.base_url
    query = {key.lower(): value for key, value in parse_qsl(parts.query, keep_blank_values=True)}
    path = unquote(parts.path)
    first = path.strip("/").split("/", 1)[0]
    return Call(
        cloud=cloud,
        request=request,
        id=_NOWHERE,
        query=query,
        base=base,
        headers=headers,
        caller=identity.caller(headers),
        path=path,
        rest=path.strip("/") if first.startswith("_") else "",
    )


def _answer(call: Call, method: str) -> Response:
    if call.rest:
        return _handle(call, method)
    version = call.query.get("api-version")
    if not version:
        raise Refused(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    if not _VERSION.fullmatch(version):
        raise Refused(400, "InvalidApiVersionParameter", f"The api-version '{version}' is invalid.")
    throttle.take(call, method)
    return _routed(call, method)


def within(cloud: Cloud, request: Request, caller: Caller) -> Response:
    """What a service inside Azure asks for somebody: the same road, without quotas, mishaps and the journal. Raises
    `Refused` and `NoAnswer`."""
    call = _call(cloud, request, {})
    call.caller = caller
    return _routed(call, request.method)


def _routed(call: Call, method: str) -> Response:
    # Two slashes are one, as in Azure: clients leave a part of a path empty.
    parts = [part for part in call.path.split("/") if part] or [""]
    operation = operations.find(call.cloud, parts[-1]) if method == "GET" and len(parts) > 2 else None
    if operation is not None and "operation" in parts[-2].lower():
        regions.must_reach(call.cloud, operation.location)
        return operations.poll(operation, parts[-2], call.query, call.base)
    of_deployment = len(parts) > 4 and parts[-4].lower() == "deployments" and parts[-2].lower() == "operations"
    if method == "GET" and len(parts) > 3 and parts[-2].lower().startswith("operation") and not of_deployment:
        raise Refused(404, "OperationNotFound", f"The operation {parts[-1]} was not found.")
    return _resource(call, method, parts)


def _handle(call: Call, method: str) -> Response:
    """The longest registered path wins; what is behind it stays in `call.rest`."""
    segments = call.rest.split("/")
    for length in range(len(segments), 0, -1):
        function = registry.HANDLES.get((method, "/".join(segments[:length])))
        if function is not None:
            call.rest = "/".join(segments[length:])
            return function(call)
    raise not_implemented(f"{method} /{call.rest}")


def _resource(call: Call, method: str, parts: list[str]) -> Response:
    lower = [part.lower() for part in parts]
    if lower[0] == "subscriptions" and len(parts) > 1:
        scopes.must_be_there(call.cloud, parts[1])
    if len(parts) == 4 and lower[0] == "subscriptions" and lower[2] == "resourcegroups":
        return _one(call, method, "/" + "/".join(parts))
    if len(parts) > 5 and lower[2] == "resourcegroups" and lower[4] == "deployments":
        # Operations of a deployment have an older path without their provider.
        return _resource(call, method, [*parts[:4], "providers", "Microsoft.Resources", *parts[4:]])
    if lower[0] != "subscriptions" or "providers" not in lower:
        return scopes.answer(call, method, parts)
    at = len(lower) - 1 - lower[::-1].index("providers")
    if at == 4 and lower[2:4] == ["providers", "microsoft.features"]:
        # The one provider whose paths stand on it and on no resource (recorded), so that they are no resource ids.
        raise not_implemented(f"{method} /{'/'.join(parts)}")
    tail = parts[at + 1 :]
    if len(tail) < 2 or (len(tail) == 2 and method == "POST" and at == 2 and lower[-1] in providers.REGISTERING):
        return providers.answer(call, method, parts[1], tail)
    if len(tail) % 2 == 1:
        return _one(call, method, "/" + "/".join(parts))
    return _below(call, method, parts, at)


def _one(call: Call, method: str, path: str) -> Response:
    """A whole resource id; a POST to one is an action with an argument (`routeTables/primary`)."""
    cloud = call.cloud
    id_ = _parse(path)
    if method == "POST" and id_.parent is not None:
        kind, argument = id_.pairs[-1]
        call.id, call.argument = _known(cloud, id_.parent), argument
        return _action(call, kind)
    if method == "GET" and id_.parent is not None:
        kind, argument = id_.pairs[-1]
        named = registry.NAMED_VIEWS.get((id_.parent.type.lower(), kind.lower()))
        if named is not None:
            call.id, call.argument = _known(cloud, id_.parent), argument
            must_be_allowed(call, method, call.id)
            return named(call)
    offered = registry.PROVIDER_ONES.get(id_.type.lower()) if method == "GET" and id_.resource_group is None else None
    if offered is not None:
        call.id, call.argument = _parse("/".join(path.split("/")[:3])), id_.name
        return offered(call)
    call.id = _known(cloud, id_)
    type_ = cloud.type_of(id_)
    must_be_allowed(call, method, call.id)
    if method == "PUT":
        providers.must_be_registered(cloud, call.id)
    formed = type_.formed and id_.namespace.lower() in shapes.NAMESPACES
    if formed and method in ("PUT", "PATCH") and isinstance(call.body, dict):
        shapes.check(call.body, apart=shapes.AMBIGUOUS if type_.shape_only else ())
    if method in ("PUT", "PATCH") and type_.tracked and isinstance(call.body, dict):
        must_be_tags(call.body.get("tags"))
        must_be_few(call.body.get("tags"))
    if method in ("PUT", "PATCH") and type_.formed:
        must_have_links(call, call.id)
    regions.must_serve(cloud, call.id, method, call.request.body)
    methods = {"GET": type_.get, "PUT": type_.put, "PATCH": type_.patch, "DELETE": type_.delete, "HEAD": _is_there}
    function = methods.get(method)
    if function is None:
        raise Refused(405, "MethodNotAllowed", f"The method {method} is not allowed on {path}.")
    response: Response = function(call)
    return response


def _is_there(call: Call) -> Response:
    """ARM answers a question for mere existence without a body."""
    return Response(status=204 if call.cloud.exists(call.id) else 404)


def _below(call: Call, method: str, parts: list[str], at: int) -> Response:
    """An odd tail: a list of a type in a scope, or an action or view of the resource before it."""
    cloud, last = call.cloud, parts[-1]
    tail = parts[at + 1 :]
    if len(tail) > 2:
        parent = _known(cloud, _parse("/" + "/".join(parts[:-1])))
        call.id = parent
        if method == "POST":
            return _action(call, last)
        table = {"GET": registry.VIEWS, "PUT": registry.SUB_PUTS}.get(method, {})
        below = table.get((parent.type.lower(), last.lower()))
        if method == "GET" or below is not None:
            must_be_allowed(call, method, parent)
        if below is not None:
            regions.must_serve(cloud, parent, method, None)
            return below(call)
        name = f"{parent.type}/{last}"
        place: str | None = f"{parent.key}/{last.lower()}"
        if name.lower() in registry.TYPES and not cloud.exists(parent):
            call.must_exist()
        regions.must_serve(cloud, parent, method, None)
    else:
        name = f"{tail[0]}/{last}"
        scope = "/" + "/".join(parts[:at])
        call.id = _parse(scope)
        place = f"{scope}/providers/{name}".lower() if call.id.resource_group is not None else None
        if method == "POST":
            return _action_of(call, tail[0], last)
        offered = registry.PROVIDER_LISTS.get(name.lower())
        if offered is not None and method == "GET":
            return offered(call)
        if call.id.resource_group is not None:
            must_have_right(call, f"{name}/read", call.id)
            _must_have_group(cloud, call.id)
    if method != "GET":
        raise Refused(405, "MethodNotAllowed", f"The method {method} is not allowed here.")
    type_ = registry.TYPES.get(name.lower(), INERT)
    if type_ is INERT and name.lower() not in cloud.bodies.types():
        raise not_implemented(f"a list of {name}")
    if place is not None and not type_.extends:
        return paging.of_place(call, type_, place)
    return paging.of_type(call, type_, name, f"{call.id.key}/")


def _action(call: Call, name: str) -> Response:
    cloud, id_ = call.cloud, call.id
    regions.must_serve(cloud, id_, "POST", None)
    return _action_of(call, id_.type, name)


def _action_of(call: Call, type_: str, name: str) -> Response:
    """An action of a resource, or of a provider (`Microsoft.Storage/checkNameAvailability`)."""
    function = registry.ACTIONS.get((type_.lower(), name.lower()))
    if function is None:
        raise not_implemented(f"the action {name} of {type_}")
    if call.id.type.lower() == type_.lower():
        must_be_allowed(call, "POST", call.id, name)
    elif not name.lower().startswith("check"):
        must_have_right(call, f"{type_}/{name}/action", call.id)
    return function(call)


def _must_have_group(cloud: Cloud, id_: ResourceId) -> None:
    group = id_.group_id
    if group is not None and not cloud.exists(group):
        raise group_not_found(str(id_.resource_group))


def _parse(path: str) -> ResourceId:
    try:
        return resource_id(path)
    except InputError as error:
        raise Refused(400, "InvalidRequestUri", f"{error.message}: {path}") from None


def _known(cloud: Cloud, id_: ResourceId) -> ResourceId:
    """The id in the spelling in which the resource is kept."""
    body = cloud.body(id_)
    return id_ if body is None else resource_id(str(body["id"]))


# Headers and log. ----------------------------------------------------------------------------------------------------


def _common_headers(call: Call, headers: Mapping[str, str]) -> dict[str, str]:
    """L4. The request's own id is echoed and nothing depends on it."""
    cloud = call.cloud
    request_id = cloud.guid("request", stamp(cloud.now), call.request.method, call.request.url)
    found = {
        "cache-control": "no-cache",
        "pragma": "no-cache",
        "expires": "-1",
        "strict-transport-security": "max-age=31536000; includeSubDomains",
        "x-content-type-options": "nosniff",
        "x-ms-request-id": request_id,
        "x-ms-correlation-request-id": headers.get("x-ms-correlation-request-id", request_id),
        "x-ms-routing-request-id": f"LAB:{cloud.now:%Y%m%dT%H%M%SZ}:{request_id}",
        "date": f"{cloud.now:%a, %d %b %Y %H:%M:%S} GMT",
        **throttle.remaining(call),
    }
    if "x-ms-client-request-id" in headers:
        found["x-ms-client-request-id"] = headers["x-ms-client-request-id"]
    return found


def _log(call: Call, method: str, headers: Mapping[str, str], response: Response | None, *, answered: bool) -> None:
    """Every write, with who asked and what the answer was (`/_lab/requests`)."""
    cloud = call.cloud
    number = cloud.count("requests")
    answer, body = None if response is None else response.body, call.request.body
    error = answer.get("error") if isinstance(answer, dict) else None
    cloud.store.shelf("requests")[f"{number:08d}"] = {
        "number": number,
        "time": stamp(cloud.now),
        "method": method,
        "url": call.request.url,
        "clientRequestId": headers.get("x-ms-client-request-id"),
        "body": REDACTED if is_secret(call.request.url.split("?")[0].rsplit("/", 1)[-1]) else _clean_body(call, body),
        "status": None if response is None else response.status,
        "answered": answered,
        "error": error,
        "operation": None if response is None else response.headers.get("azure-asyncoperation"),
    }


def _clean_body(call: Call, body: Any) -> Any:
    """The body as it may be shown, without secrets; what is no JSON (a blob's bytes) is left out."""
    kind = registry.TYPES.get(call.id.type.lower())
    secrets = () if kind is None else kind.secrets
    return _clean(without_secure_values(body), secrets) if isinstance(body, dict) else None


def _clean(value: Any, secrets: Collection[str]) -> Any:
    if isinstance(value, dict):
        return {
            key: REDACTED if item and (key in secrets or is_secret(key)) else _clean(item, secrets)
            for key, item in value.items()
        }
    return [_clean(item, secrets) for item in value] if isinstance(value, list) else value


_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-[A-Za-z.]+)?")
_NOWHERE = resource_id("/subscriptions/00000000-0000-0000-0000-000000000000")
