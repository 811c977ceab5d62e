"""Microsoft.Resources/deployments at a group and at a subscription: templates that are really deployed (L13).

PUT answers 201 or 200 with the deployment and azure-asyncoperation; the operation's body goes Accepted, Running, and
Succeeded, Failed or Canceled (recorded). What the template itself has wrong is refused before anything is kept:
`InvalidTemplate`. There are no linked templates, no key vault references and no deployments of a management group.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.arm.network import normal_location
from farshore.arm.regions import find_region
from farshore.arm.templates import Declared, Inner, TemplateError, plain
from farshore.lab import operations
from farshore.lab.answers import Refused, group_going, group_not_found, not_implemented
from farshore.lab.authorization.door import has_right, kind_of
from farshore.lab.call import Call
from farshore.lab.durations import NEVER
from farshore.lab.identity import Caller
from farshore.lab.patterns import DEPLOYMENTS as PATTERN
from farshore.lab.registry import action, completion, resource_type
from farshore.lab.resources import deploying
from farshore.lab.resources.templates import (
    DEPLOYMENTS,
    as_json,
    checked,
    dependencies_of,
    place_of,
    providers_of,
    refused,
    shown_parameters,
    template_hash,
)
from farshore.lab.types import ResourceType
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

MOST = 800
"""Deployments that one group keeps (L13)."""
_GROUPS = re.compile(r"(?<=/)resourcegroups(?=/)", re.IGNORECASE)
_NAME = re.compile(r"[-\w.()]{1,64}")


@resource_type(DEPLOYMENTS)
class Deployments(ResourceType):
    pattern = PATTERN
    tracked = False
    formed = False
    delete_takes = "deployments.delete"

    def region(self, cloud: Cloud, id_: ResourceId) -> str | None:
        return None

    def lock(self, cloud: Cloud, id_: ResourceId) -> ResourceId:
        return id_

    def put(self, call: Call) -> Response:
        body = call.object()
        inner = inner_sent(body)
        answer = begin(
            call.cloud,
            canonical(call.cloud, call.id),
            body,
            inner,
            caller=call.caller,
            api_version=call.api_version,
            base=call.base,
        )
        return _as_spelled(answer, call.request.url)

    def get(self, call: Call) -> Response:
        must_be_there(call)
        return super().get(call)

    def on_delete(self, cloud: Cloud, id_: ResourceId) -> None:
        row = cloud.table(deploying.TABLE).get(id_.key)
        if row is not None and row["state"] in ("Accepted", "Running"):
            raise _still_active(row)

    def delete(self, call: Call) -> Response:
        body = call.cloud.body(call.id)
        if body is None:
            return Response(status=204)
        id_ = resource_id(str(body["id"]))
        self.on_delete(call.cloud, id_)
        operation = self.begin(call, id_, "delete", created=False)
        return Response(status=202, headers=operations.headers(operation, ("location",), call.base))

    def rows(self, call: Call, found: list[Body]) -> list[Body]:
        """Of the scope itself: a subscription's list does not hold those of its groups."""
        group = call.id.group_id
        held = [body for body in found if resource_id(str(body["id"])).group_id == group]
        said = call.query.get("$filter")
        if said:
            match = re.fullmatch(r"\s*provisioningState\s+eq\s+'(\w+)'\s*", said, re.IGNORECASE)
            if match is None:
                raise not_implemented(f"the filter {said}")
            held = [body for body in held if body["properties"]["provisioningState"].lower() == match[1].lower()]
        return super().rows(call, held)


def _as_spelled(answer: Response, url: str) -> Response:
    """Recorded: where to poll repeats the client's spelling of `resourceGroups`, though the body has ARM's own."""
    word = _GROUPS.search(url)
    polled = answer.headers.get("azure-asyncoperation")
    if word is None or polled is None:
        return answer
    spelled = _GROUPS.sub(lambda _: word[0], polled, count=1)
    return replace(answer, headers={**answer.headers, "azure-asyncoperation": spelled})


def must_be_there(call: Call) -> None:
    if not call.cloud.exists(call.id):
        raise Refused(404, "DeploymentNotFound", f"Deployment '{call.id.name}' could not be found.")


def canonical(cloud: Cloud, id_: ResourceId) -> ResourceId:
    """The id as ARM shows it."""
    body = cloud.body(id_)
    if body is not None:
        return resource_id(str(body["id"]))
    root = f"/subscriptions/{id_.subscription}"
    group = id_.group_id
    if group is not None:
        kept = cloud.body(group)
        root = str(kept["id"]) if kept is not None else group.text
    return resource_id(f"{root}/providers/{DEPLOYMENTS}/{id_.name}")


def inner_sent(body: Body) -> Inner:
    """The template and parameters of a request; raises `Refused` where they are none."""
    properties = body.get("properties")
    if not isinstance(properties, dict):
        raise Refused(400, "InvalidRequestContent", "The request content was invalid: 'properties' is not an object.")
    for key in ("templateLink", "parametersLink"):
        if properties.get(key) is not None:
            raise not_implemented(f"deployments with a {key}")
    if properties.get("onErrorDeployment") is not None:
        raise not_implemented("deployments with onErrorDeployment")
    template = properties.get("template")
    if not isinstance(template, dict):
        raise Refused(
            400,
            "InvalidRequestContent",
            "The request content was invalid and could not be deserialized: 'template' must be an object.",
        )
    if not isinstance(template.get("$schema"), str) or not isinstance(template.get("contentVersion"), str):
        raise Refused(
            400,
            "InvalidTemplate",
            "Deployment template validation failed: 'The template must have a $schema and a contentVersion.'.",
        )
    try:
        return Inner(template=template, given=plain(properties.get("parameters")))
    except TemplateError as error:
        raise refused(error) from None


def must_be_possible(cloud: Cloud, id_: ResourceId, body: Body) -> str:
    """The mode; raises `Refused` for a place or a form that no deployment can have."""
    properties = body["properties"]
    group, location = id_.group_id, body.get("location")
    if not _NAME.fullmatch(id_.name):
        raise Refused(
            400,
            "InvalidDeploymentName",
            f"The deployment name '{id_.name}' is invalid: it has at most 64 characters, letters, digits, and '-._()'.",
        )
    if group is not None:
        kept = cloud.body(group)
        if kept is None:
            raise group_not_found(str(id_.resource_group))
        if kept["properties"].get("provisioningState") == "Deleting":
            raise group_going(str(id_.resource_group))
    elif not isinstance(location, str) or find_region(location) is None:
        raise Refused(
            400,
            "LocationRequired" if not location else "LocationNotAvailableForDeployment",
            "The location property is required for this definition."
            if not location
            else f"The provided location '{location}' is not available for deployment.",
        )
    mode = properties.get("mode") or "Incremental"
    if str(mode).lower() not in ("incremental", "complete"):
        raise Refused(
            400, "InvalidRequestContent", f"The mode of a deployment is Incremental or Complete, not '{mode}'."
        )
    if str(mode).lower() == "complete" and group is None:
        raise Refused(
            400, "InvalidDeployment", "The deployment mode 'Complete' is not supported at the scope of a subscription."
        )
    before = cloud.body(id_)
    if before is not None and group is None and normal_location(location) != normal_location(before.get("location")):
        raise Refused(
            409,
            "InvalidDeploymentLocation",
            f"Invalid deployment location '{location}'. The deployment '{id_.name}' already exists in location "
            f"'{before.get('location')}'.",
        )
    return str(mode).capitalize()


def begin(
    cloud: Cloud,
    id_: ResourceId,
    body: Body,
    inner: Inner,
    *,
    caller: Caller,
    api_version: str,
    base: str,
) -> Response:
    """Keep a deployment and start it; the answer to its PUT. Raises `Refused`, and then nothing has changed."""
    mode = must_be_possible(cloud, id_, body)
    before, rows = cloud.body(id_), cloud.table(deploying.TABLE)
    held = rows.get(id_.key)
    if held is not None and held["state"] in ("Accepted", "Running"):
        raise _still_active(held)
    if before is None and _siblings(cloud, id_) >= MOST:
        raise Refused(
            409,
            "DeploymentQuotaExceeded",
            f"Creating the deployment '{id_.name}' would exceed the quota of '{MOST}'. The current deployment count is "
            f"'{MOST}'. Please delete some deployments before creating a new one, or see https://aka.ms/800LimitFix.",
        )
    correlation = cloud.guid("deployment", id_.key, cloud.count("deployment", id_.key))
    items, properties = looked_through(cloud, id_, body, inner, mode, correlation, caller)
    must_be_permitted(cloud, caller, items)
    properties["provisioningState"] = "Accepted"
    kept: Body = {"id": id_.text, "name": id_.name, "type": DEPLOYMENTS}
    if id_.group_id is None:
        kept["location"] = normal_location(body["location"])
    if isinstance(body.get("tags"), dict):
        kept["tags"] = body["tags"]
    cloud.write(id_, {**kept, "properties": properties}, forwards=False)
    operation = operations.start(
        cloud,
        id_,
        "put",
        takes=NEVER,
        pattern=PATTERN,
        type_=DEPLOYMENTS,
        api_version=api_version,
        status="Accepted",
    )
    rows[id_.key] = {
        "key": id_.key,
        "id": id_.text,
        "template": inner.template,
        "given": dict(inner.given),
        "seen": as_json(inner.seen),
        "loops": dict(inner.loops),
        "sent": body["properties"]["template"],
        "body": {
            "location": body.get("location"),
            "properties": {key: body["properties"].get(key) for key in ("template", "parameters", "mode")},
        },
        "mode": mode,
        "caller": deploying.kept_caller(caller),
        "operation": operation.id,
        "correlation": correlation,
        "began": stamp(cloud.now),
        "state": "Accepted",
        "deleted": {},
        "refused": {},
        "rounds": 0,
        "steps": {
            item.key: deploying.new_step(item.id, item.type, item.name, item.waits_for)
            for item in items
            if item.deployed
        },
    }
    delay = cloud.duration("deployments.begin", id_.key, correlation)
    cloud.at(cloud.now + delay, deploying.EVENT, id_.key, None)
    return Response(
        status=201 if before is None else 200,
        headers=operations.headers(operation, PATTERN.put_headers, base),
        body=cloud.show(id_),
    )


def looked_through(
    cloud: Cloud, id_: ResourceId, body: Body, inner: Inner, mode: str, correlation: str, caller: Caller
) -> tuple[list[Declared], Body]:
    """What the template declares, and the deployment's properties; raises `Refused` for what it has wrong."""
    try:
        scope = inner.scope(place_of(cloud, id_, body, cloud.now, correlation, caller=caller), None)
        items = checked(scope)
        scope.lenient = True
        bodies = [(item, item.body(scope)) for item in items if item.deployed]
        shown = shown_parameters(scope)
    except TemplateError as error:
        raise refused(error) from None
    except RecursionError:
        raise refused(TemplateError("it is nested too deeply")) from None
    return items, {
        "templateHash": template_hash(body["properties"]["template"]),
        "parameters": shown,
        "mode": mode,
        "provisioningState": "Succeeded",
        "timestamp": stamp(cloud.now),
        "duration": "PT0S",
        "correlationId": correlation,
        "providers": providers_of(bodies),
        "dependencies": dependencies_of(items),
    }


def must_be_permitted(cloud: Cloud, caller: Caller, items: list[Declared]) -> None:
    """ARM asks beforehand whether everything of a template may be written; raises `Refused` 403."""
    said = [
        f"Authorization failed for template resource '{item.name}' of type '{item.type}'. The client '{caller.name}' "
        f"with object id '{caller.object_id}' does not have permission to perform action '{action}' at scope "
        f"'{item.id}'."
        for item in items
        if item.deployed and not has_right(cloud, caller, action := f"{kind_of(resource_id(item.id))}/write", item.key)
    ]
    if said:
        many = f"Deployment failed with multiple errors: '{':'.join(said)}'"
        raise Refused(403, "InvalidTemplateDeployment", many if len(said) > 1 else said[0])


def _siblings(cloud: Cloud, id_: ResourceId) -> int:
    prefix = id_.key.rsplit("/", 1)[0] + "/"
    return sum(str(body["id"]).lower().startswith(prefix) for body in cloud.of_type(DEPLOYMENTS))


def _still_active(row: Body) -> Refused:
    name = row["id"].rsplit("/", 1)[-1]
    return Refused(
        409,
        "DeploymentActiveAndUneditable",
        f"Unable to edit or replace deployment '{name}': previous deployment from '{row['began']}' is still active. "
        "Please see https://aka.ms/arm-deploy for usage details.",
    )


# Actions. ------------------------------------------------------------------------------------------------------------


@action(DEPLOYMENTS, "validate")
def validate(call: Call) -> Response:
    """What a PUT would be told, and nothing is kept."""
    cloud, id_, body = call.cloud, canonical(call.cloud, call.id), call.object()
    inner = inner_sent(body)
    mode = must_be_possible(cloud, id_, body)
    correlation = cloud.guid("validation", id_.key, stamp(cloud.now))
    items, properties = looked_through(cloud, id_, body, inner, mode, correlation, call.caller)
    must_be_permitted(cloud, call.caller, items)
    properties["validatedResources"] = [{"id": item.id} for item in items if item.deployed]
    return Response(status=200, body={"id": id_.text, "name": id_.name, "type": DEPLOYMENTS, "properties": properties})


@action(DEPLOYMENTS, "cancel")
def cancel(call: Call) -> Response:
    must_be_there(call)
    row = call.cloud.table(deploying.TABLE).get(call.id.key)
    if row is None or row["state"] not in ("Accepted", "Running"):
        state = "Succeeded" if row is None else row["state"]
        raise Refused(
            409,
            "DeploymentCannotBeCancelled",
            f"The deployment '{call.id.name}' cannot be cancelled because it is in the provisioning state '{state}'.",
        )
    deploying.cancel(call.cloud, call.id, row)
    return Response(status=204)


@action(DEPLOYMENTS, "exportTemplate")
def export(call: Call) -> Response:
    must_be_there(call)
    row = call.cloud.table(deploying.TABLE).get(call.id.key)
    return Response(status=200, body={"template": {} if row is None else _as_kept(row["sent"])})


def _as_kept(template: Body) -> Body:
    """Types of parameters and outputs begin with a capital once ARM has read them (recorded)."""
    found = dict(template)
    for name in ("parameters", "outputs"):
        if isinstance(found.get(name), dict):
            found[name] = {key: _typed(item) for key, item in found[name].items()}
    return found


def _typed(item: Any) -> Any:
    if not isinstance(item, dict) or not isinstance(item.get("type"), str):
        return item
    return {**item, "type": item["type"][:1].upper() + item["type"][1:]}


@completion(DEPLOYMENTS, "delete")
def deleted(cloud: Cloud, operation: Operation) -> Body | None:
    id_ = operation.resource_id
    kind = cloud.type_of(id_)
    cloud.let_go(id_)
    if cloud.exists(id_):
        kind.on_delete(cloud, id_)
        kind.take_away(cloud, id_)
    return None


@completion(DEPLOYMENTS, "put")
def ended(cloud: Cloud, operation: Operation) -> Body | None:
    """A deployment ends its own operation; where something else ends it, it has failed."""
    row = cloud.table(deploying.TABLE).get(operation.resource_id.key)
    if row is not None:
        cloud.table(deploying.TABLE)[row["key"]] = {**row, "state": "Failed"}
    raise Refused(504, "DeploymentTimedOut", f"The deployment '{operation.resource_id.name}' did not end.")
