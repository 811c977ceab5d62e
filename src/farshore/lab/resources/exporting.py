"""POST /subscriptions/{s}/resourcegroups/{g}/exportTemplate: a group's resources as a template that would make them.

    {resources: ["*"] or ids, options?} -> {template}

At once in the api-versions of 2019, an operation with location alone in those since then (recorded). Every resource is
itself without what only Azure writes; its name is a parameter that has it as its default, unless the options say to
skip that. What stands below a resource is shown inside it or not at all, and references stay ids.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.errors import InputError
from farshore.lab.answers import Refused, group_not_found
from farshore.lab.authorization.door import must_have_right
from farshore.lab.call import Call
from farshore.lab.registry import completion
from farshore.lab.resources.api_versions import default_version

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

GROUPS = "Microsoft.Resources/resourceGroups"
VERB = "exportTemplate"
WAITS_SINCE = "2020-01-01"
SCHEMA = "https://schema.management.azure.com/schemas/{}/deploymentTemplate.json#"
OLD, NEW = "2015-01-01", "2019-04-01"
SKIPS = ("skipallparameterization", "skipresourcenameparameterization")
AZURES_OWN = ("id", "etag", "provisioningState", "resourceGuid", "systemData")
"""What no template says."""


def export(call: Call, group: ResourceId) -> Response:
    must_have_right(call, "Microsoft.Resources/subscriptions/resourceGroups/exportTemplate/action", group)
    if not call.cloud.exists(group):
        raise group_not_found(group.name)
    asked = call.object()
    wanted = asked.get("resources")
    if not isinstance(wanted, list) or not wanted or not all(isinstance(one, str) for one in wanted):
        raise Refused(400, "InvalidRequestContent", "The resources to export are ids, or '*' for all of them.")
    skips = any(word.strip().lower() in SKIPS for word in str(asked.get("options") or "").split(","))
    waits = call.api_version >= WAITS_SINCE
    template = _template(call.cloud, group, wanted, named=not skips, schema=NEW if waits else OLD)
    if not waits:
        return Response(status=200, body={"template": template})
    call.id = group
    return call.accept(VERB, duration="network.query", headers=("location",), data={"template": template})


@completion(GROUPS, VERB)
def told(cloud: Cloud, operation: Operation) -> Body:
    found: Body = operation.data
    return found


def _template(cloud: Cloud, group: ResourceId, wanted: list[str], *, named: bool, schema: str) -> Body:
    inside = [body for body in cloud.bodies.under(group.key + "/") if len(cloud.id_of(body).pairs) == 1]
    chosen = [body for body in inside if cloud.type_of(cloud.id_of(body)).tracked]
    if "*" not in wanted:
        keys = {_key(text, group) for text in wanted}
        chosen = [body for body in chosen if str(body["id"]).lower() in keys]
    parameters: dict[str, Any] = {}
    resources = []
    for body in chosen:
        id_ = cloud.id_of(body)
        name = id_.name
        if named:
            label = re.sub(r"[^A-Za-z0-9]", "_", f"{id_.pairs[-1][0]}_{id_.name}_name")
            parameters[label] = {"defaultValue": id_.name, "type": "String"}
            name = f"[parameters('{label}')]"
        shown = _cleaned(cloud.show(id_) or body)
        rest = {key: value for key, value in shown.items() if key not in ("name", "type")}
        resources.append({"type": id_.type, "apiVersion": default_version(id_.type), "name": name, **rest})
    return {
        "$schema": SCHEMA.format(schema),
        "contentVersion": "1.0.0.0",
        "parameters": parameters,
        "variables": {},
        "resources": resources,
    }


def _key(text: str, group: ResourceId) -> str:
    try:
        found = resource_id(text)
    except InputError:
        raise Refused(400, "InvalidResourceId", f"'{text}' is no resource id.") from None
    if found.group_id is None or found.group_id.key != group.key:
        raise Refused(400, "InvalidResourceId", f"'{text}' is no resource of the group '{group.name}'.")
    return found.key


def _cleaned(value: Any, *, top: bool = True) -> Any:
    """Without what only Azure writes. A reference is nothing but an id, and stays."""
    if isinstance(value, list):
        return [_cleaned(item, top=False) for item in value]
    if not isinstance(value, dict) or (set(value) == {"id"} and not top):
        return value
    return {key: _cleaned(item, top=False) for key, item in value.items() if key not in AZURES_OWN}
