"""A deployment that runs: resources are put one by one, each when what it waits for is there.

    Accepted ─► Running ─► each resource: waiting ─► running ─► succeeded | failed
                       ─► Succeeded | Failed | Canceled

Every resource goes the way that a client's own PUT goes (`router.within`), in the name of whoever deploys, and the
deployment waits for its operation on the lab's clock. When one fails what waits for it is never begun, what does not
is; then the deployment has failed, with the reasons in `details` (L13). A resource that another operation holds is
tried again for a while, as ARM does with what a provider calls retryable (L3). `Complete` mode takes away at the end
what the group holds and the template does not name.

The row of a deployment, in the table `deployments`, by its key:

    template, given, seen, loops     what makes its scope again (`arm/templates/nested.py`)
    sent                             the template as it came, for exportTemplate
    steps                            key -> {id, type, name, state, operation, tries, not_before, began, ended...}
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from farshore.arm.http import Request, Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body, Json
from farshore.arm.templates import Declared, Deferred, Inner, Scope, TemplateError, declared, inner_of
from farshore.arm.templates.parameters import SHOWN
from farshore.arm.templates.table import kind_of
from farshore.lab import operations
from farshore.lab.answers import NoAnswer, Refused
from farshore.lab.identity import Caller
from farshore.lab.registry import event, listener
from farshore.lab.resources.templates import DEPLOYMENTS, World, from_json, is_nested, place_of
from farshore.lab.versions import USUAL
from farshore.times import moment, stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

TABLE, WAITING_FOR = "deployments", "deployments.operations"
EVENT = "deployment"
RETRIED = ("AnotherOperationInProgress", "RetryableErrorDueToAnotherOperation", "ServiceUnavailable")
MOST_TRIES = 40
LEAST_ROUNDS = 4
PAUSE = timedelta(seconds=15)
"""How often a held resource is put again, and how many times Complete mode goes round at least (what one resource holds
may go with the next), with what pause. No page says how ARM does it: the lab's choice."""


def scope_of(cloud: Cloud, id_: ResourceId, row: Body) -> Scope:
    """The scope of a deployment that runs, made again from its row."""
    now = moment(row["began"])
    inner = Inner(template=row["template"], given=row["given"], seen=from_json(row["seen"], now), loops=row["loops"])
    place = place_of(cloud, id_, row["body"], now, row["correlation"], caller=caller_of(row))
    return inner.scope(place, World(cloud=cloud, caller=caller_of(row)))


def caller_of(row: Body) -> Caller:
    kept = row["caller"]
    return Caller(object_id=kept["object_id"], name=kept["name"], groups=tuple(kept["groups"]))


def kept_caller(caller: Caller) -> Body:
    return asdict(caller) | {"groups": list(caller.groups)}


@event(EVENT)
def go_on(cloud: Cloud, subject: str, data: Json) -> None:
    """See what is over, begin what can begin, and end when nothing can."""
    held = cloud.table(TABLE).get(subject)
    if held is None or held["state"] not in ("Accepted", "Running"):
        return
    row, id_ = dict(held), resource_id(held["id"])
    row["steps"] = {key: _looked_at(cloud, step) for key, step in row["steps"].items()}
    _set_state(cloud, id_, row, "Running")
    try:
        scope = scope_of(cloud, id_, row)
        items = {item.key: item for item in declared(scope)}
        while ready := _ready(cloud, row):
            for key in ready:
                row["steps"] = {**row["steps"], key: _begun(cloud, row, items[key], scope)}
        paused = [step["not_before"] for step in row["steps"].values() if step["not_before"] > stamp(cloud.now)]
        if paused:
            look_again(cloud, subject, moment(min(paused)) - cloud.now)
        if paused or any(step["state"] == "running" for step in row["steps"].values()):
            _keep(cloud, id_, row)
        elif _failures(row) or row["mode"] != "Complete" or _cleared(cloud, id_, row, items):
            _end(cloud, id_, row, scope)
        else:
            _keep(cloud, id_, row)
    except (TemplateError, Deferred, RecursionError) as error:
        said = error.message if isinstance(error, TemplateError) else "it can't be evaluated"
        _fail(cloud, id_, row, {"code": "InvalidTemplate", "message": said})


@listener("operation.ended")
def heard(cloud: Cloud, subject: str, data: Json) -> None:
    """An operation that a deployment waits for is over: the deployment looks again a moment later."""
    key = cloud.table(WAITING_FOR).pop(subject, None)
    if key is not None and key in cloud.table(TABLE):
        look_again(cloud, key, cloud.duration("deployments.notice", key, subject))


@listener("resource.gone")
def forget(cloud: Cloud, subject: str, data: Json) -> None:
    if cloud.table(TABLE).pop(subject, None) is not None:
        cloud.cancel(EVENT, subject)


def look_again(cloud: Cloud, key: str, delay: timedelta) -> None:
    pending, due = cloud.pending(EVENT, key), cloud.now + delay
    if pending is None or pending > due:
        cloud.at(due, EVENT, key, None)


def _looked_at(cloud: Cloud, step: Body) -> Body:
    """A step as its operation has left it."""
    if step["state"] != "running":
        return dict(step)
    operation = operations.find(cloud, step["operation"])
    if operation is not None and operation.running:
        return dict(step)
    ended = {**step, "ended": stamp(cloud.now)}
    if operation is None or operation.status == "Succeeded":
        return ended | {"state": "succeeded", "status": "OK"}
    error = operation.error or {"code": operation.status, "message": f"The operation was {operation.status}."}
    return ended | _failed("Conflict", _terminal(step, error))


def _ready(cloud: Cloud, row: Body) -> list[str]:
    """Keys of what is waiting for nothing any more."""
    steps, now = row["steps"], stamp(cloud.now)
    return [
        key
        for key, step in steps.items()
        if step["state"] == "waiting"
        and step["not_before"] <= now
        and all(steps[other]["state"] == "succeeded" for other in step["waits_for"])
    ]


def _begun(cloud: Cloud, row: Body, item: Declared, scope: Scope) -> Body:
    """The step of a resource that has been put."""
    step = dict(row["steps"][item.key])
    step["began"] = step["began"] or stamp(cloud.now)
    try:
        step |= _followed(cloud, row, _put(cloud, row, item, scope))
    except TemplateError as error:
        said = (
            f"Unable to process template language expressions for resource '{item.id}' at line '1' and column '1'. "
            f"'{error.message}'"
        )
        step |= _failed("BadRequest", {"code": "InvalidTemplate", "target": item.id, "message": said})
    except Refused as refused:
        if refused.code in RETRIED and step["tries"] < MOST_TRIES:
            return step | {"tries": step["tries"] + 1, "not_before": stamp(cloud.now + PAUSE)}
        found = {"code": refused.code, "message": refused.message, "target": item.id, "details": list(refused.details)}
        step |= _failed(_reason(refused.status), found)
    except NoAnswer:
        return step | {"not_before": stamp(cloud.now + PAUSE)}
    if step["state"] != "running":
        step["ended"] = stamp(cloud.now)
    return step


def _put(cloud: Cloud, row: Body, item: Declared, scope: Scope) -> Response:
    from farshore.lab.resources.deployments import begin
    from farshore.lab.router import within

    body = item.body(scope)
    if is_nested(item):
        return begin(
            cloud,
            resource_id(item.id),
            body,
            inner_of(scope, item, body["properties"]),
            caller=caller_of(row),
            api_version=item.api_version,
            base="",
        )
    body = {key: value for key, value in body.items() if value is not None}
    request = Request(method="PUT", url=f"{item.id}?api-version={item.api_version or USUAL}", body=body)
    return within(cloud, request, caller_of(row))


def _followed(cloud: Cloud, row: Body, response: Response) -> Body:
    """What an answer says of a step: it is over, or an operation is waited for."""
    status = {200: "OK", 201: "Created", 202: "Accepted"}.get(response.status, "OK")
    url = response.headers.get("azure-asyncoperation") or response.headers.get("location") or ""
    operation = operations.find(cloud, url.split("?")[0].rsplit("/", 1)[-1])
    if operation is None or not operation.running:
        return {"state": "succeeded", "status": status}
    cloud.table(WAITING_FOR)[operation.id] = row["key"]
    return {"state": "running", "status": status, "operation": operation.id}


def _failed(status: str, error: Body) -> Body:
    return {"state": "failed", "status": status, "error": error}


def _reason(status: int) -> str:
    names = {400: "BadRequest", 403: "Forbidden", 404: "NotFound", 409: "Conflict", 412: "PreconditionFailed"}
    return names.get(status, "InternalServerError" if status >= 500 else "BadRequest")


def _terminal(step: Body, error: Body) -> Body:
    if step["type"].lower() == DEPLOYMENTS.lower():
        return {**error, "target": step["id"]}
    return {
        "code": "ResourceDeploymentFailure",
        "target": step["id"],
        "message": "The resource write operation failed to complete successfully, because it reached terminal "
        "provisioning state 'Failed'.",
        "details": [error],
    }


def _failures(row: Body) -> list[Body]:
    return [step["error"] for step in row["steps"].values() if step["state"] == "failed"]


# The end. ------------------------------------------------------------------------------------------------------------


def _cleared(cloud: Cloud, id_: ResourceId, row: Body, items: dict[str, Declared]) -> bool:
    """Complete mode: whether what the template does not name has gone; what is still there is deleted now."""
    from farshore.lab.router import within

    group = id_.group_id
    assert group is not None
    left = unlisted(cloud, group, set(items))
    waits, deleted = False, row["deleted"]
    for other in reversed(left):
        operation = operations.find(cloud, deleted.get(other.key, ""))
        if operation is not None and operation.running:
            waits = True
        elif row["rounds"] < MOST_TRIES:
            try:
                found = within(cloud, Request(method="DELETE", url=f"{other.text}?api-version={USUAL}"), caller_of(row))
            except NoAnswer:
                waits = True
                continue
            except Refused as refused:
                error = {"code": refused.code, "message": refused.message, "target": other.text}
                row["refused"] = {**row["refused"], other.key: error}
                continue
            url = found.headers.get("azure-asyncoperation") or found.headers.get("location") or ""
            deleted = {**deleted, other.key: url.split("?")[0].rsplit("/", 1)[-1]}
            waits = True
    row["deleted"], row["rounds"] = deleted, row["rounds"] + 1
    if waits or (left and row["rounds"] < LEAST_ROUNDS):
        look_again(cloud, row["key"], PAUSE)
        return False
    for other in left:
        key = f"delete|{other.key}"
        error = row["refused"].get(other.key, {"code": "Conflict", "message": "It could not be deleted."})
        step = {**new_step(other.text, other.type, other.name, ()), "provisioning": "Delete"}
        row["steps"] = {**row["steps"], key: step | _failed("Conflict", error)}
    return True


def unlisted(cloud: Cloud, group: ResourceId, named: set[str]) -> list[ResourceId]:
    """Top-level resources of a group that a template does not name, the oldest first."""
    found = []
    for body in cloud.bodies.under(group.key + "/"):
        id_ = resource_id(str(body["id"]))
        kind = cloud.type_of(id_)
        if (
            len(id_.pairs) == 1
            and kind.tracked
            and id_.key not in named
            and not any(key.startswith(id_.key + "/") for key in named)
        ):
            found.append(id_)
    return found


def _end(cloud: Cloud, id_: ResourceId, row: Body, scope: Scope) -> None:
    failures = _failures(row)
    if failures:
        _fail(cloud, id_, row, None)
        return
    try:
        outputs = _outputs(scope)
    except TemplateError as error:
        said = f"Unable to evaluate template outputs: {error.message}"
        detail = {"code": "DeploymentOutputEvaluationFailed", "message": said}
        _fail(cloud, id_, row, {"code": "DeploymentOutputEvaluationFailed", "message": said, "details": [detail]})
        return
    except Refused as refused:
        detail = {"code": refused.code, "message": refused.message}
        said = "The template output can't be evaluated."
        _fail(cloud, id_, row, {"code": "DeploymentOutputEvaluationFailed", "message": said, "details": [detail]})
        return
    except NoAnswer:
        look_again(cloud, row["key"], PAUSE)
        _keep(cloud, id_, row)
        return
    resources = sorted(set(_made(cloud, row)), key=lambda text: text.split("/providers/")[-1].lower())
    _set_state(cloud, id_, row, "Succeeded", outputs=outputs, outputResources=[{"id": text} for text in resources])
    _finish(cloud, row)


def _made(cloud: Cloud, row: Body) -> Iterator[str]:
    """Ids of what was deployed, in nested deployments too."""
    for step in row["steps"].values():
        if step["type"].lower() != DEPLOYMENTS.lower():
            yield step["id"]
            continue
        body = cloud.body(step["id"]) or {}
        for item in (body.get("properties") or {}).get("outputResources") or []:
            yield item["id"]


def _outputs(scope: Scope) -> Body:
    found: Body = {}
    for name, output in (scope.template.get("outputs") or {}).items():
        condition = scope.value(output.get("condition", True))
        if condition is False:
            continue
        kind = str(output["type"]).lower()
        loop = output.get("copy")
        value = scope.unrolled({"name": name, **loop}) if isinstance(loop, dict) else scope.value(output.get("value"))
        if kind in SHOWN and not _is(kind, value):
            raise TemplateError(
                f"The template output '{name}' is not valid: Template output JToken type is not valid. Expected "
                f"'{SHOWN[kind]}'. Actual '{kind_of(value)}'."
            )
        found[name] = {"type": SHOWN.get(kind, output["type"]), "value": value}
        if kind.startswith("secure"):
            del found[name]["value"]
    return found


def _is(kind: str, value: Any) -> bool:
    kinds = {"string": str, "int": int, "bool": bool, "array": list, "object": dict}
    wanted = kinds[kind.removeprefix("secure")]
    return isinstance(value, wanted) and (wanted is bool or not isinstance(value, bool))


def _fail(cloud: Cloud, id_: ResourceId, row: Body, error: Body | None) -> None:
    """Failed, with the failures of the resources, or for a reason of its own."""
    found = error or {
        "code": "DeploymentFailed",
        "target": id_.text,
        "message": "At least one resource deployment operation failed. Please list deployment operations for details. "
        "Please see https://aka.ms/arm-deployment-operations for usage details.",
        "details": _failures(row),
    }
    row["error"] = found
    _set_state(cloud, id_, row, "Failed", error=found)
    _finish(cloud, row)


def cancel(cloud: Cloud, id_: ResourceId, row: Body) -> None:
    """What is under way goes on by itself; nothing more is begun, here or in nested deployments."""
    row = dict(row)
    said = f"The deployment '{id_.name}' was canceled."
    row["error"] = {"code": "DeploymentCanceled", "message": said}
    _set_state(cloud, id_, row, "Canceled", error=row["error"])
    for key, step in row["steps"].items():
        nested = cloud.table(TABLE).get(key)
        if step["state"] == "running" and nested is not None and nested["state"] in ("Accepted", "Running"):
            cancel(cloud, resource_id(nested["id"]), nested)
    _finish(cloud, row)


def _finish(cloud: Cloud, row: Body) -> None:
    """The deployment's own operation is over; what it was given it needs no more."""
    cloud.table(TABLE)[row["key"]] = {**row, "given": {}, "seen": None, "body": {}}
    operation = operations.find(cloud, row["operation"])
    if operation is None or not operation.running:
        return
    cloud.cancel(operations.EVENT, operation.id)
    status, error = row["state"], row.get("error")
    operations.keep(cloud, replace(operation, status=status, ended=stamp(cloud.now), error=error))
    cloud.let_go(operation.resource_id, operation.id)
    cloud.tell("operation.ended", operation.id)


def _keep(cloud: Cloud, id_: ResourceId, row: Body) -> None:
    cloud.table(TABLE)[id_.key] = row


def _set_state(cloud: Cloud, id_: ResourceId, row: Body, state: str, **properties: Any) -> None:
    row["state"] = state
    _keep(cloud, id_, row)
    body = cloud.body(id_)
    if body is not None:
        shown = body["properties"]
        took = (cloud.now - moment(row["began"])).total_seconds()
        changed = {
            **shown,
            **properties,
            "provisioningState": state,
            "timestamp": stamp(cloud.now),
            "duration": in_iso(took),
        }
        cloud.write(id_, {**body, "properties": changed}, forwards=False)
    operation = operations.find(cloud, row["operation"])
    if state == "Running" and operation is not None and operation.running:
        operations.keep(cloud, replace(operation, status="Running"))


def in_iso(seconds: float) -> str:
    """`PT34M56.2637345S`, as recorded."""
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    parts = [
        f"{int(hours)}H" if hours else "",
        f"{int(minutes)}M" if minutes else "",
        f"{rest:.7f}".rstrip("0").rstrip(".") + "S",
    ]
    return "PT" + "".join(parts)


def new_step(id_: str, type_: str, name: str, waits_for: tuple[str, ...]) -> Body:
    return {
        "id": id_,
        "type": type_,
        "name": name,
        "waits_for": list(waits_for),
        "state": "waiting",
        "provisioning": "Create",
        "operation": "",
        "tries": 0,
        "not_before": "",
        "began": None,
        "ended": None,
        "status": None,
        "error": None,
    }
