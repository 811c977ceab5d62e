"""ARM templates: reading an appliance's into bodies, and writing the target network as one.

An appliance that is deployed from a template (S32) is part of the plan like everything else: its resources become
puts, so that they are proven, looked at before they are written, and resumed. `expand` evaluates such a template
(`farshore.arm.templates`). What needs a deployment that runs (`reference`), or makes no sense, is an input error that
names the expression, never a guess.

Parameters that a plan gives by their names, where the template has them: `location`; `name`, `subnetId`,
`privateIPAddress` and `networkSecurityGroupId` of the appliance's NIC (of several, the first); `machineName`;
`frontendIPAddress`, which tables name: the load balancer's in front of several, else the NIC's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.arm.jsonc import RelaxedJsonError, loads_relaxed
from farshore.arm.templates import Declared, Deferred, Place, Scope, TemplateError, declared
from farshore.arm.templates.parameters import declarations
from farshore.arm.versions import api_version
from farshore.errors import InputError
from farshore.plan.model import Phase, Plan

SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"


def read_template(project_file: str, template: str) -> Body:
    """The template named in farshore.yaml, relative to its folder."""
    path = Path(project_file).parent / template
    try:
        value = loads_relaxed(path.read_bytes())
    except OSError as error:
        raise InputError(
            "The appliance's template can't be read",
            file=str(path),
            value=template,
            expected="an ARM template in JSON, beside farshore.yaml",
            remedy=f"put it there ({error.strerror}), or make the appliance `existing` or `manual`",
        ) from None
    except RelaxedJsonError as error:
        raise InputError(f"The appliance's template is not JSON: {error}", file=str(path)) from None
    if not isinstance(value, dict) or not isinstance(value.get("resources"), list):
        raise InputError("The appliance's template has no resources", file=str(path), expected="an ARM template")
    return value


def expand(template: Body, group: ResourceId, location: str, parameters: Mapping[str, Any], *, file: str) -> list[Body]:
    """The resources of a template as bodies with ids, each after those it depends on."""
    place = Place(
        subscription=group.subscription,
        group=group,
        resource_group={"id": group.text, "name": group.name, "location": location},
        about_subscription={"id": f"/subscriptions/{group.subscription}", "subscriptionId": group.subscription},
    )
    try:
        asked = declarations(template)
        scope = Scope(template, place, {name: value for name, value in parameters.items() if name.lower() in asked})
        return [_body(item, scope, location) for item in declared(scope, strict=False) if item.deployed]
    except (TemplateError, Deferred) as error:
        raise InputError(
            f"The appliance's template can't be evaluated: {_why(error)}",
            file=file,
            value=error.expression,
            expected="an ARM template whose expressions need nothing but parameters, variables and functions; given"
            f" are {', '.join(sorted(parameters)) or 'no parameters'}",
            remedy="write the value out, or deploy the appliance by hand (`target: manual`)",
        ) from None


def _body(item: Declared, scope: Scope, location: str) -> Body:
    body = item.body(scope)
    name = item.name.rsplit("/", 1)[-1]
    if "location" not in body and "/" not in item.name:
        body["location"] = location
    return {"id": item.id, "type": item.type, **body, "name": name}


def _why(error: TemplateError | Deferred) -> str:
    return error.message if isinstance(error, TemplateError) else "only a deployment that runs knows this"


def as_template(plan: Plan) -> Body:
    """What the plan provisions ahead, as one ARM template for a deployment into the target's resource group."""
    resources = []
    steps = [s for s in plan.of_phase(Phase.PROVISION) if s.action.verb == "put"]
    written = {step.id: resource_id(step.subject) for step in steps}
    groups = {id_ for id_ in written.values() if not id_.pairs}
    before = {step.id: step.after for step in plan.steps}
    for step in steps:
        id_ = written[step.id]
        if id_ in groups:
            continue
        body = step.action.arguments["body"]
        assert isinstance(body, dict)
        kept = {key: value for key, value in body.items() if key not in ("id", "name", "type")}
        depends = _nearest(step.id, before, written, groups)
        resources.append(
            {
                "type": id_.type,
                "apiVersion": api_version(id_.type),
                "name": "/".join(name for _, name in id_.pairs),
                **kept,
                **({"dependsOn": depends} if depends else {}),
            }
        )
    return {"$schema": SCHEMA, "contentVersion": "1.0.0.0", "parameters": {}, "resources": resources}


def _nearest(
    step: str, before: Mapping[str, Sequence[str]], written: Mapping[str, ResourceId], groups: set[ResourceId]
) -> list[str]:
    """The resources that the nearest puts below a step write, through checks and people's steps."""
    found: dict[str, None] = {}
    waiting, seen = list(before[step]), set[str]()
    while waiting:
        id_ = waiting.pop(0)
        if id_ in seen:
            continue
        seen.add(id_)
        if id_ in written and written[id_] not in groups:
            found[written[id_].text] = None
        else:
            waiting += before.get(id_, ())
    return list(found)
