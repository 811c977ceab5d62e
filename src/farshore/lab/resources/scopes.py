"""What is no provider's: tenants, subscriptions and their regions, tags in use, and the lists of groups and resources.

    /tenants                                     /subscriptions[/{s}[/locations | /tagNames]]  (`tag_names.py`)
    /subscriptions/{s}/resourcegroups            /subscriptions/{s}/resources
    .../resourcegroups/{g}/resources             [/subscriptions/{s}]/providers[/{namespace}]  (`providers.py`)

A subscription is there when a group of it is, or when the lab was begun with it; a lab without any shows one, so that
a login finds something. A lab that was begun with some has no others: 404 `SubscriptionNotFound` (L9). Resources are
not moved between groups; a group is exported as a template (`exporting.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.arm.regions import REGIONS
from farshore.lab import paging, registry
from farshore.lab.answers import Refused, group_not_found, not_implemented
from farshore.lab.authorization.door import knows_of, must_have_right
from farshore.lab.call import Call
from farshore.lab.resources import exporting, providers, region_facts, tag_names
from farshore.lab.resources.filters import condition
from farshore.lab.resources.tags import subscription_tags

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

GROUPS = "Microsoft.Resources/resourceGroups"
LISTED = ("id", "name", "type", "kind", "location", "tags", "sku", "plan", "identity", "managedBy", "zones")
"""What ARM's own list shows of a resource."""
EXPANDED = ("provisioningState", "createdTime", "changedTime")
MISSING = {
    "moveresources": "moving resources to another group",
    "validatemoveresources": "moving resources to another group",
}
DEFAULT_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"


def answer(call: Call, method: str, parts: list[str]) -> Response:
    """The answer to a path that names no provider, or none of a subscription."""
    lower = [part.lower() for part in parts]
    if len(parts) == 2 and lower[0] == "providers" and method == "GET":
        return providers.of_the_tenant(call, parts[1])
    if lower[0] != "subscriptions" and lower not in (["tenants"], ["providers"]):
        return _of_the_tenant(call, method, parts)
    if len(parts) == 5 and method == "POST" and lower[-1] in MISSING:
        raise not_implemented(MISSING[lower[-1]])
    if len(parts) == 5 and method == "POST" and lower[2] == "resourcegroups" and lower[4] == "exporttemplate":
        return exporting.export(call, resource_id(f"/subscriptions/{parts[1]}/resourceGroups/{parts[3]}"))
    if len(parts) > 3 and lower[2] == "tagnames" and method != "GET":
        return tag_names.changed(call, method, parts[1], parts[3:])
    if method != "GET":
        raise not_implemented(f"{method} /{'/'.join(parts)}")
    if lower == ["providers"]:
        return providers.listed(call, None)
    if lower == ["tenants"]:
        tenant = call.cloud.guid("tenant")
        return Response(status=200, body={"value": [{"id": f"/tenants/{tenant}", "tenantId": tenant}]})
    if len(parts) == 1:
        cloud, found = call.cloud, subscriptions(call.cloud)
        known = [_with_tags(call, item) for item in found if knows_of(cloud, call.caller, item["subscriptionId"])]
        return Response(status=200, body={"value": known, "count": {"type": "Total", "value": len(known)}})
    if len(parts) == 2:
        return _subscription(call, parts[1])
    below = f"/subscriptions/{lower[1]}/"
    if len(parts) == 3 and lower[2] == "resources":
        return _all_under(call, below)
    if len(parts) == 3 and lower[2] == "resourcegroups":
        meets = condition(call.query.get("$filter", ""))
        kind = registry.TYPES[GROUPS.lower()]
        return paging.of_place(call, kind, f"{below}resourcegroups", lambda body: meets(call.cloud.id_of(body), body))
    if len(parts) == 3 and lower[2] == "locations":
        return Response(status=200, body={"value": _locations(parts[1])})
    if len(parts) == 3 and lower[2] == "tagnames":
        return tag_names.listed(call, parts[1])
    if len(parts) == 5 and lower[2] == "resourcegroups" and lower[4] == "resources":
        group = resource_id(f"/subscriptions/{parts[1]}/resourceGroups/{parts[3]}")
        must_have_right(call, "Microsoft.Resources/subscriptions/resourceGroups/resources/read", group)
        if not call.cloud.exists(group):
            raise group_not_found(group.name)
        return _all_under(call, group.key + "/")
    raise not_implemented(f"{method} /{'/'.join(parts)}")


def _of_the_tenant(call: Call, method: str, parts: list[str]) -> Response:
    """The longest registered path wins; what is behind it is in `call.rest`."""
    for length in range(len(parts), 0, -1):
        function = registry.TENANT.get((method, "/".join(parts[:length]).lower()))
        if function is not None:
            call.rest = "/".join(parts[length:])
            return function(call)
    raise not_implemented(f"{method} /{'/'.join(parts)}")


def must_be_there(cloud: Cloud, subscription: str) -> None:
    """Raise `Refused` 404 for a subscription that is none of those which the lab was begun with."""
    begun_with = cloud.settings.subscriptions
    if begun_with and subscription.lower() not in (text.lower() for text in begun_with):
        raise _not_found(subscription)


def _not_found(subscription: str) -> Refused:
    return Refused(404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")


def _subscription(call: Call, subscription: str) -> Response:
    found = [item for item in subscriptions(call.cloud) if item["subscriptionId"].lower() == subscription.lower()]
    if not found:
        raise _not_found(subscription)
    if not knows_of(call.cloud, call.caller, subscription):
        must_have_right(call, "Microsoft.Resources/subscriptions/read", resource_id(f"/subscriptions/{subscription}"))
    return Response(status=200, body=_with_tags(call, found[0]))


def _all_under(call: Call, scope: str) -> Response:
    """Top-level resources of a scope, as ARM's own list shows them: without properties, but for `$expand`."""
    meets = condition(call.query.get("$filter", ""))
    expand = [name.strip() for name in call.query.get("$expand", "").split(",") if name.strip()]
    unknown = [name for name in expand if name not in EXPANDED]
    if unknown:
        raise not_implemented(f"$expand={unknown[0]} of a list of resources")

    def row(body: Body) -> Body | None:
        id_ = call.cloud.id_of(body)
        if len(id_.pairs) != 1 or not call.cloud.type_of(id_).tracked or not meets(id_, body):
            return None
        found = {key: body[key] for key in LISTED if body.get(key) is not None}
        for name in expand:
            found[name] = _expanded(call.cloud, id_, body)[name]
        return found

    return paging.of_everything(call, scope, row)


def _expanded(cloud: Cloud, id_: ResourceId, body: Body) -> Body:
    made, changed = cloud.times(id_)
    state = (body.get("properties") or {}).get("provisioningState", "Succeeded")
    return dict(zip(EXPANDED, (state, made, changed), strict=True))


def _locations(subscription: str) -> list[Body]:
    found = [region for region in REGIONS.values() if region.display_name in providers.LOCATIONS]
    return [region_facts.shown(subscription, region) for region in found]


def _with_tags(call: Call, body: Body) -> Body:
    tags = subscription_tags(call, str(body["subscriptionId"]))
    return {**body, "tags": tags} if tags else body


def subscriptions(cloud: Cloud) -> list[Body]:
    """The subscriptions of which there is a group, or that the lab was begun with, as they are shown."""
    ids = {text.lower(): text for text in cloud.settings.subscriptions}
    for body in cloud.of_type(GROUPS):
        subscription = resource_id(str(body["id"])).subscription
        ids.setdefault(subscription.lower(), subscription)
    ids = ids or {DEFAULT_SUBSCRIPTION: DEFAULT_SUBSCRIPTION}
    tenant = cloud.guid("tenant")
    return [
        {
            "id": f"/subscriptions/{text}",
            "subscriptionId": text,
            "tenantId": tenant,
            "displayName": "Farshore lab",
            "state": "Enabled",
            "managedByTenants": [],
            "authorizationSource": "RoleBased",
            "subscriptionPolicies": {
                "locationPlacementId": "Public_2014-09-01",
                "quotaId": "PayAsYouGo_2014-09-01",
                "spendingLimit": "Off",
            },
        }
        for text in ids.values()
    ]
