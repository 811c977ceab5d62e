"""What is no provider's: tenants, subscriptions, the lists of groups and of resources, and the providers themselves.

    /tenants                                     /subscriptions[/{s}]
    /subscriptions/{s}/resourcegroups            /subscriptions/{s}/resources
    .../resourcegroups/{g}/resources             [/subscriptions/{s}]/providers[/{namespace}]

A subscription is there when a group of it is; a lab without any shows one, so that a login finds something.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from farshore.arm.http import Response
from farshore.arm.ids import resource_id
from farshore.arm.json import Body
from farshore.lab import paging, registry
from farshore.lab.answers import Refused, group_not_found, not_implemented
from farshore.lab.authorization.door import knows_of, must_have_right
from farshore.lab.call import Call
from farshore.lab.paging import page

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

GROUPS = "Microsoft.Resources/resourceGroups"
REGISTERING = ("register", "unregister")
_DEFAULT_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"


def answer(call: Call, method: str, parts: list[str]) -> Response:
    """The answer to a path that names no provider, or none of a subscription."""
    lower = [part.lower() for part in parts]
    if method == "GET" and lower[-1] == "providers":
        return page(call, [_provider(parts[1] if len(parts) > 1 else None, name) for name in _namespaces()])
    if lower == ["tenants"]:
        tenant = call.cloud.guid("tenant")
        return Response(status=200, body={"value": [{"id": f"/tenants/{tenant}", "tenantId": tenant}]})
    if lower[0] != "subscriptions":
        return _of_the_tenant(call, method, parts)
    if len(parts) == 1:
        known = [
            item for item in _subscriptions(call.cloud) if knows_of(call.cloud, call.caller, item["subscriptionId"])
        ]
        return Response(status=200, body={"value": known})
    if len(parts) == 2:
        return _subscription(call, parts[1])
    below = f"/subscriptions/{lower[1]}/"
    if len(parts) == 3 and lower[2] == "resources":
        return paging.of_everything(call, below)
    if len(parts) == 3 and lower[2] == "resourcegroups":
        return paging.of_place(call, registry.TYPES[GROUPS.lower()], f"{below}resourcegroups")
    if len(parts) == 5 and lower[2] == "resourcegroups" and lower[4] == "resources":
        group = resource_id(f"/subscriptions/{parts[1]}/resourceGroups/{parts[3]}")
        must_have_right(call, "Microsoft.Resources/subscriptions/resourceGroups/resources/read", group)
        if not call.cloud.exists(group):
            raise group_not_found(group.name)
        return paging.of_everything(call, group.key + "/")
    raise not_implemented(f"{method} /{'/'.join(parts)}")


def providers(call: Call, method: str, subscription: str, tail: list[str]) -> Response:
    """A provider of a subscription, asked for or registered: all are, always."""
    if not tail:
        if method == "GET":
            return page(call, [_provider(subscription, name) for name in _namespaces()])
        raise Refused(405, "MethodNotAllowed", f"The method {method} is not allowed here.")
    return Response(status=200, body=_provider(subscription, tail[0]))


def _of_the_tenant(call: Call, method: str, parts: list[str]) -> Response:
    """The longest registered path wins; what is behind it is in `call.rest`."""
    for length in range(len(parts), 0, -1):
        function = registry.TENANT.get((method, "/".join(parts[:length]).lower()))
        if function is not None:
            call.rest = "/".join(parts[length:])
            return function(call)
    raise not_implemented(f"{method} /{'/'.join(parts)}")


def _subscription(call: Call, subscription: str) -> Response:
    found = [item for item in _subscriptions(call.cloud) if item["subscriptionId"].lower() == subscription.lower()]
    if not found:
        raise Refused(404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")
    if not knows_of(call.cloud, call.caller, subscription):
        must_have_right(call, "Microsoft.Resources/subscriptions/read", resource_id(f"/subscriptions/{subscription}"))
    return Response(status=200, body=found[0])


def _subscriptions(cloud: Cloud) -> list[Body]:
    ids: dict[str, str] = {}
    for body in cloud.of_type("Microsoft.Resources/resourceGroups"):
        subscription = resource_id(str(body["id"])).subscription
        ids.setdefault(subscription.lower(), subscription)
    ids = ids or {_DEFAULT_SUBSCRIPTION: _DEFAULT_SUBSCRIPTION}
    tenant = cloud.guid("tenant")
    return [
        {
            "id": f"/subscriptions/{text}",
            "subscriptionId": text,
            "tenantId": tenant,
            "displayName": "Farshore lab",
            "state": "Enabled",
            "managedByTenants": [],
        }
        for text in ids.values()
    ]


def _namespaces() -> list[str]:
    return list(dict.fromkeys(kind.type.split("/", 1)[0] for kind in registry.TYPES.values()))


def _provider(subscription: str | None, namespace: str) -> Body:
    """What a client asks a provider for: its types, with api-versions."""
    prefix = namespace.lower() + "/"
    types = [kind.type for name, kind in registry.TYPES.items() if name.startswith(prefix)]
    if not types:
        raise Refused(404, "InvalidResourceNamespace", f"The resource namespace '{namespace}' is invalid.")
    namespace = types[0].split("/", 1)[0]
    scope = "" if subscription is None else f"/subscriptions/{subscription}"
    return {
        "id": f"{scope}/providers/{namespace}",
        "namespace": namespace,
        "registrationState": "Registered",
        "resourceTypes": [
            {"resourceType": name.split("/", 1)[1], "locations": [], "apiVersions": ["2024-05-01"]} for name in types
        ],
    }
