"""A deployment's template in the lab: where it goes, what its expressions may ask, and what it is found to declare.

`reference` and the `list...` functions ask the lab itself, in the name of whoever deploys; what is not there, or not
to be read, fails the deployment as ARM would fail it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from farshore.arm.http import Request
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body, dumps
from farshore.arm.network import normal_location
from farshore.arm.templates import Declared, Inner, Place, Scope, TemplateError, declared, inner_of
from farshore.arm.templates.hashing import hash_64
from farshore.arm.templates.parameters import SECURE, SHOWN
from farshore.lab import registry
from farshore.lab.answers import Refused, not_implemented
from farshore.lab.identity import OWNER, Caller
from farshore.lab.versions import USUAL

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

DEPLOYMENTS = "Microsoft.Resources/deployments"
ENVIRONMENT: Mapping[str, Any] = {
    "name": "AzureCloud",
    "gallery": "https://gallery.azure.com/",
    "graph": "https://graph.windows.net/",
    "portal": "https://portal.azure.com",
    "graphAudience": "https://graph.windows.net/",
    "activeDirectoryDataLake": "https://datalake.azure.net/",
    "batch": "https://batch.core.windows.net/",
    "media": "https://rest.media.azure.net",
    "sqlManagement": "https://management.core.windows.net:8443/",
    "resourceManager": "https://management.azure.com/",
    "authentication": {
        "loginEndpoint": "https://login.microsoftonline.com/",
        "audiences": ["https://management.core.windows.net/", "https://management.azure.com/"],
        "tenant": "common",
        "identityProvider": "AAD",
    },
    "suffixes": {
        "acrLoginServer": ".azurecr.io",
        "azureDatalakeAnalyticsCatalogAndJob": "azuredatalakeanalytics.net",
        "azureDatalakeStoreFileSystem": "azuredatalakestore.net",
        "keyvaultDns": ".vault.azure.net",
        "sqlServerHostname": ".database.windows.net",
        "storage": "core.windows.net",
    },
}
"""What `environment()` gives: public Azure's, so that a template makes the names that it makes there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What expressions may ask while a deployment runs."""

    cloud: Cloud
    caller: Caller

    def reference(self, id_: str, api_version: str | None, full: bool) -> Any:
        body = self._ask("GET", id_, api_version or USUAL)
        if not full:
            return body.get("properties", {})
        found = resource_id(id_)
        return {
            "apiVersion": api_version or USUAL,
            **{key: value for key, value in body.items() if key not in ("id", "name", "type", "etag")},
            "subscriptionId": found.subscription,
            "resourceGroupName": found.resource_group,
            "resourceId": found.text.split("/providers/", 1)[-1],
            "scope": "" if found.resource_group is None else str(found.group_id),
        }

    def listing(self, function: str, id_: str, api_version: str, body: Any) -> Any:
        return self._ask("POST", f"{id_}/{function}", api_version, body)

    def _ask(self, method: str, path: str, api_version: str, body: Any = None) -> Body:
        from farshore.lab.router import within

        request = Request(method=method, url=f"{path}?api-version={api_version}", body=body)
        found = within(self.cloud, request, self.caller)
        return found.body if isinstance(found.body, dict) else {}


def place_of(
    cloud: Cloud,
    id_: ResourceId,
    sent: Mapping[str, Any],
    now: datetime,
    seed: str,
    *,
    expected: str = "",
    caller: Caller = OWNER,
) -> Place:
    """Where a deployment of this id and body goes; a group that is still to be made is `expected` in that region."""
    properties = sent["properties"]
    group = id_.group_id
    body = cloud.body(group) if group is not None else None
    tenant = cloud.guid("tenant")
    known = resource_id(str(body["id"])) if body is not None else group
    return Place(
        subscription=id_.subscription,
        group=known,
        resource_group=_group(known, body, expected),
        about_subscription={
            "id": f"/subscriptions/{id_.subscription}",
            "subscriptionId": id_.subscription,
            "tenantId": tenant,
            "displayName": "Farshore lab",
        },
        about_tenant={"tenantId": tenant, "displayName": "Farshore lab", "countryCode": "DK"},
        deployment={
            "name": id_.name,
            **({} if group is not None else {"location": normal_location(sent.get("location"))}),
            "properties": {
                "template": properties.get("template"),
                "templateHash": template_hash(properties.get("template")),
                "parameters": properties.get("parameters") or {},
                "mode": properties.get("mode"),
                "provisioningState": "Accepted",
            },
        },
        environment=ENVIRONMENT,
        deployer={"tenantId": tenant, "objectId": caller.object_id or tenant},
        now=now,
        seed=seed,
    )


def _group(known: ResourceId | None, body: Body | None, expected: str) -> Body:
    """What `resourceGroup()` gives."""
    if body is not None:
        return {key: value for key, value in body.items() if key != "managedBy"}
    if known is None:
        return {}
    return {"id": known.text, "name": known.name, "type": "Microsoft.Resources/resourceGroups", "location": expected}


def as_json(place: Place | None) -> Body | None:
    """A place as it can be kept: a nested deployment's expressions speak of the outer one's."""
    if place is None:
        return None
    return {
        "subscription": place.subscription,
        "group": None if place.group is None else place.group.text,
        "resource_group": dict(place.resource_group),
        "about_subscription": dict(place.about_subscription),
        "about_tenant": dict(place.about_tenant),
        "deployment": dict(place.deployment),
        "environment": dict(place.environment),
        "deployer": dict(place.deployer),
        "seed": place.seed,
    }


def from_json(body: Body | None, now: datetime) -> Place | None:
    if body is None:
        return None
    group = body["group"]
    return Place(**{**body, "group": None if group is None else resource_id(group)}, now=now)


def template_hash(template: Any) -> str:
    """Made as ARM makes it, of the template in capitals without white space."""
    return str(hash_64(dumps(template).decode().upper().encode()))


def shown_parameters(scope: Scope) -> Body:
    """The parameters as a deployment shows them: secure ones without a value (recorded)."""
    found = {}
    for name, value in scope.parameter_values().items():
        kind = scope.declared[name.lower()]["type"].lower()
        found[name] = {"type": SHOWN[kind]} if kind in SECURE else {"type": SHOWN[kind], "value": value}
    return found


# What it declares, before anything is made. --------------------------------------------------------------------------


def checked(scope: Scope) -> list[Declared]:
    """The resources of a template whose every expression has been looked at; what only the run knows is left out.
    Raises `TemplateError`, and `Refused` for types that the lab does not have."""
    scope.check_parameters()
    found = declared(scope)
    scope.lenient = True
    for item in found:
        if not item.deployed:
            continue
        _must_be_ours(item)
        body = item.body(scope)
        if is_nested(item):
            inner_of(scope, item, body["properties"])
    for name, output in (scope.template.get("outputs") or {}).items():
        if "value" in output:
            scope.value(output["value"])
        elif not isinstance(output.get("copy"), dict):
            raise TemplateError(f"The template output '{name}' must have a value.")
    scope.lenient = False
    return found


def everything(cloud: Cloud, scope: Scope, depth: int = 0) -> Iterator[tuple[Declared, Scope]]:
    """What a deployment makes, nested ones' own included where they can be known beforehand; each with its scope."""
    if depth > 5:
        raise TemplateError("Deployments are nested too deeply.")
    for item in checked(scope):
        if not item.deployed:
            continue
        yield item, scope
        if is_nested(item):
            scope.lenient = True
            sent = item.body(scope)
            scope.lenient = False
            yield from everything(cloud, nested_scope(cloud, scope, item, sent), depth + 1)


def nested_scope(cloud: Cloud, scope: Scope, item: Declared, sent: Mapping[str, Any]) -> Scope:
    assert scope.place.now is not None
    seed, region = f"{scope.place.seed}/{item.name}", str(scope.place.deployment.get("location") or "")
    place = place_of(cloud, resource_id(item.id), sent, scope.place.now, seed, expected=region)
    inner: Inner = inner_of(scope, item, sent["properties"])
    return inner.scope(place, scope.world)


def is_nested(item: Declared) -> bool:
    return item.type.lower() == DEPLOYMENTS.lower()


def _must_be_ours(item: Declared) -> None:
    id_ = resource_id(item.id)
    if id_.type.lower() not in registry.TYPES:
        raise not_implemented(f"the resource type {id_.type}, which the template deploys as '{item.name}'")


def providers_of(items: list[tuple[Declared, Body]]) -> list[Body]:
    """`properties.providers`: namespaces, types and regions in the order in which the template names them."""
    found: dict[str, dict[str, list[str | None]]] = {}
    for item, body in items:
        namespace, kind = item.type.split("/", 1)
        location = body.get("location")
        place = normal_location(location) if isinstance(location, str) and not location.startswith("[") else None
        places = found.setdefault(namespace, {}).setdefault(kind, [])
        if place not in places:
            places.append(place)
    return [
        {
            "namespace": namespace,
            "resourceTypes": [{"resourceType": kind, "locations": places} for kind, places in kinds.items()],
        }
        for namespace, kinds in found.items()
    ]


def dependencies_of(items: list[Declared]) -> list[Body]:
    by_key = {item.key: item for item in items}
    return [
        {"dependsOn": [_named(by_key[key]) for key in item.waits_for], **_named(item)}
        for item in items
        if item.deployed and item.waits_for
    ]


def _named(item: Declared) -> Body:
    return {"id": item.id, "resourceType": item.type, "resourceName": item.name}


def refused(error: TemplateError) -> Refused:
    """A template's fault as ARM says it."""
    return Refused(400, error.code, f"Deployment template validation failed: '{error.message}'.")
