"""What there is to query: the lab's resources as Resource Graph shows them.

    Resources                 what has a region and tags of its own
    ResourceContainers        subscriptions and groups
    AuthorizationResources    role assignments and definitions
    RecoveryServicesResources what is in a vault: protected items, policies, jobs, plans

Types, groups and regions are in lower case there, ids as they are; a machine's `properties.extended.instanceView` says
whether it runs. Whoever asks sees what he may read.
"""

from __future__ import annotations

from collections.abc import Iterator

from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.arm.network import normal_location
from farshore.lab.authorization.door import ASSIGNMENTS, DEFINITIONS, readable
from farshore.lab.authorization.roles import BUILT_IN
from farshore.lab.call import Call
from farshore.lab.cloud import Cloud
from farshore.lab.compute.attached import VIRTUAL_MACHINES
from farshore.lab.compute.virtual_machines import instance_view
from farshore.lab.graph.expressions import Row
from farshore.lab.graph.operators import Table
from farshore.lab.graph.syntax import QueryError
from farshore.lab.resources.scopes import GROUPS, subscriptions

COLUMNS = (
    "id",
    "name",
    "type",
    "tenantId",
    "kind",
    "location",
    "resourceGroup",
    "subscriptionId",
    "managedBy",
    "sku",
    "plan",
    "properties",
    "tags",
    "identity",
    "zones",
    "extendedLocation",
)
VAULTS = "microsoft.recoveryservices/vaults"
TABLES = ("resources", "resourcecontainers", "authorizationresources", "recoveryservicesresources")
OTHERS = [
    "advisorresources",
    "alertsmanagementresources",
    "healthresources",
    "policyresources",
    "securityresources",
    "maintenanceresources",
    "patchassessmentresources",
    "servicehealthresources",
    "networkresources",
    "resourcechanges",
    "resourcecontainerchanges",
    "desktopvirtualizationresources",
    "kubernetesconfigurationresources",
    "costmanagementresources",
]
"""Resource Graph's, and not the lab's."""


def table(call: Call, name: str | None, at: int, wanted: frozenset[str] | None) -> Table:
    """The table of that name, of these subscriptions (None: of all)."""
    key = (name or TABLES[0]).lower()
    makers = {
        "resources": _resources,
        "resourcecontainers": _containers,
        "authorizationresources": _authorization,
        "recoveryservicesresources": _recovery,
    }
    maker = makers.get(key)
    if maker is None:
        raise QueryError(f"the table '{name}'", at=at, token=str(name), missing=key in OTHERS)
    rows = [row for row in maker(call) if wanted is None or str(row["subscriptionId"]).lower() in wanted]
    return Table(COLUMNS, rows)


def _resources(call: Call) -> Iterator[Row]:
    cloud = call.cloud
    for body in readable(call, cloud.bodies.under("/subscriptions/")):
        id_ = resource_id(str(body["id"]))
        if len(id_.pairs) == 1 and cloud.type_of(id_).tracked:
            shown = cloud.show(id_) or body
            yield _row(call, id_, _running(cloud, id_, shown) if id_.is_a(VIRTUAL_MACHINES) else shown)


def _running(cloud: Cloud, id_: ResourceId, body: Body) -> Body:
    """A machine with what Resource Graph alone shows in its properties: whether it runs, and what in it."""
    view = instance_view(cloud, id_, body)
    power = next(status for status in view["statuses"] if status["code"].startswith("PowerState/"))
    extended = {name: view[name] for name in ("computerName", "osName", "osVersion") if name in view}
    return {
        **body,
        "properties": {**body["properties"], "extended": {"instanceView": {**extended, "powerState": power}}},
    }


def _containers(call: Call) -> Iterator[Row]:
    cloud = call.cloud
    groups = readable(call, cloud.of_type(GROUPS))
    seen = {resource_id(str(body["id"])).subscription.lower() for body in groups}
    for body in subscriptions(cloud):
        if body["subscriptionId"].lower() in seen or not call.caller.object_id:
            id_ = resource_id(body["id"])
            row = _row(call, id_, {**body, "name": body["displayName"], "properties": {"state": body["state"]}})
            yield {**row, "type": "microsoft.resources/subscriptions"}
    for body in groups:
        id_ = resource_id(str(body["id"]))
        yield {**_row(call, id_, body), "type": "microsoft.resources/subscriptions/resourcegroups"}


def _authorization(call: Call) -> Iterator[Row]:
    cloud = call.cloud
    for body in readable(call, [*cloud.of_type(ASSIGNMENTS), *cloud.of_type(DEFINITIONS)]):
        yield _row(call, resource_id(str(body["id"])), body)
    for subscription in subscriptions(cloud):
        for role in BUILT_IN:
            body = role.body(subscription["id"])
            yield _row(call, resource_id(body["id"]), body)


def _recovery(call: Call) -> Iterator[Row]:
    cloud = call.cloud
    for type_ in cloud.bodies.types():
        if not type_.startswith(VAULTS + "/"):
            continue
        for body in readable(call, cloud.of_type(type_)):
            id_ = resource_id(str(body["id"]))
            yield _row(call, id_, cloud.show(id_) or body)


def _row(call: Call, id_: ResourceId, body: Body) -> Row:
    location = body.get("location")
    return {
        **{name: body.get(name) for name in COLUMNS},
        "id": body["id"],
        "name": body.get("name") or id_.name,
        "type": id_.type.lower(),
        "tenantId": call.cloud.guid("tenant"),
        "kind": body.get("kind") or "",
        "location": normal_location(str(location)) if location else "",
        "resourceGroup": (id_.resource_group or "").lower(),
        "subscriptionId": id_.subscription,
        "managedBy": body.get("managedBy") or "",
    }
