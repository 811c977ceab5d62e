"""Resource providers: their types with regions and api-versions, registered or not.

All are registered in every subscription until somebody takes one back; then nothing new of it is made there (409
`MissingSubscriptionRegistration`, L15).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.arm.regions import REGIONS
from farshore.lab import registry
from farshore.lab.answers import Refused
from farshore.lab.authorization.door import must_have_right
from farshore.lab.call import Call
from farshore.lab.paging import page
from farshore.lab.resources.api_versions import api_versions, default_version

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

REGISTERING = ("register", "unregister")
ALWAYS = ("microsoft.resources", "microsoft.authorization")
"""Namespaces that nobody has to register."""
ELSEWHERE = ("Government", "China")
_TABLE = "providers.taken.back"
LOCATIONS = [
    region.display_name
    for region in REGIONS.values()
    if not any(word in (region.geopolitical_region or "") for word in ELSEWHERE) and "STG" not in region.display_name
]
"""The regions of public Azure."""


def listed(call: Call, subscription: str | None) -> Response:
    """All providers, page by page."""
    return page(call, [body(call.cloud, subscription, name) for name in namespaces()])


def of_the_tenant(call: Call, namespace: str) -> Response:
    """A provider as it is before anybody registers it."""
    return Response(status=200, body=body(call.cloud, None, _known(namespace)))


def answer(call: Call, method: str, subscription: str, tail: list[str]) -> Response:
    """A provider of a subscription: asked for, registered, taken back; or one of the list of them."""
    if not tail:
        if method != "GET":
            raise Refused(405, "MethodNotAllowed", f"The method {method} is not allowed here.")
        return listed(call, subscription)
    namespace = _known(tail[0])
    if len(tail) == 1:
        if method != "GET":
            raise Refused(405, "MethodNotAllowed", f"The method {method} is not allowed here.")
        return Response(status=200, body=body(call.cloud, subscription, namespace))
    at = resource_id(f"/subscriptions/{subscription}")
    must_have_right(call, f"{namespace}/{tail[1]}/action", at)
    taken = call.cloud.table(_TABLE)
    key = f"{subscription.lower()}|{namespace.lower()}"
    if tail[1].lower() == "register":
        taken.pop(key, None)
    elif namespace.lower() in ALWAYS:
        raise Refused(409, "ProviderUnregistrationNotAllowed", f"'{namespace}' is registered always.")
    else:
        taken[key] = True
    return Response(status=200, body=body(call.cloud, subscription, namespace))


def must_be_registered(cloud: Cloud, id_: ResourceId) -> None:
    """Raise `Refused` 409 for a new resource of a provider that was taken back."""
    if cloud.table(_TABLE) and f"{id_.subscription.lower()}|{id_.namespace.lower()}" in cloud.table(_TABLE):
        raise Refused(
            409,
            "MissingSubscriptionRegistration",
            f"The subscription is not registered to use namespace '{id_.namespace}'. See https://aka.ms/rps-not-found "
            "for how to register subscriptions.",
        )


def namespaces() -> list[str]:
    return list(dict.fromkeys(kind.type.split("/", 1)[0] for kind in registry.TYPES.values()))


def body(cloud: Cloud, subscription: str | None, namespace: str) -> Body:
    prefix = namespace.lower() + "/"
    types = [kind for name, kind in registry.TYPES.items() if name.startswith(prefix)]
    found: Body = {
        "namespace": namespace,
        "resourceTypes": [
            {
                "resourceType": kind.type.split("/", 1)[1],
                "locations": LOCATIONS if kind.tracked else [],
                "apiVersions": api_versions(kind.type),
                "defaultApiVersion": default_version(kind.type),
                "capabilities": "SupportsTags, SupportsLocation" if kind.tracked else "None",
            }
            for kind in types
        ],
    }
    if subscription is None:
        return {"id": f"/providers/{namespace}", **found}
    taken = f"{subscription.lower()}|{namespace.lower()}" in cloud.table(_TABLE)
    free = namespace.lower() in ALWAYS
    return {
        "id": f"/subscriptions/{subscription}/providers/{namespace}",
        **found,
        "registrationState": "Unregistered" if taken else "Registered",
        "registrationPolicy": "RegistrationFree" if free else "RegistrationRequired",
    }


def _known(namespace: str) -> str:
    for name in namespaces():
        if name.lower() == namespace.lower():
            return name
    raise Refused(404, "InvalidResourceNamespace", f"The resource namespace '{namespace}' is invalid.")
