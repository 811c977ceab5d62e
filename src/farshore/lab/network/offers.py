"""What Microsoft.Network offers in a region: lists below `locations/{region}` that show no resources.

    availablePrivateEndpointTypes     what a private endpoint may lead to
    autoApprovedPrivateLinkServices   services of others that take this subscription's endpoints unasked: none
    availableServiceAliases           names under which policies of endpoints know parts of a service
    serviceTags                       names of ranges, as the rules of security groups use them; no list, but one thing

The lists are short: what the lab knows, and some of the usual; of the tags those that mean something without Azure's
own ranges. Every region has them. What may be in a subnet is listed by `subnet_services.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from farshore.arm.http import Response
from farshore.arm.json import Body
from farshore.lab.call import Call
from farshore.lab.compute.sizes import region_of_path
from farshore.lab.network.effective import TAGS
from farshore.lab.paging import page
from farshore.lab.registry import view

NAMESPACE = "Microsoft.Network"
LINKED: Mapping[str, str] = {
    "Microsoft.Network/privateLinkServices": "2018-08-01",
    "Microsoft.Storage/storageAccounts": "2019-04-01",
    "Microsoft.Compute/diskAccesses": "2020-05-01",
    "Microsoft.KeyVault/vaults": "2018-02-14",
    "Microsoft.Sql/servers": "2018-06-01-preview",
    "Microsoft.Web/sites": "2018-11-01",
    "Microsoft.Automation/automationAccounts": "2020-01-13-preview",
    "Microsoft.RecoveryServices/vaults": "2020-02-02-preview",
}
"""Type to the api-version in which its provider is asked."""
ALIASES = ("/services/Azure", "/services/Azure/Batch", "/services/Azure/MachineLearning")
CHANGE = "1"
"""Of the tags: they never change here."""


def _row(call: Call, kind: str, name: str, **more: object) -> Body:
    own = f"{NAMESPACE}/{kind}"
    return {"name": name, "id": f"/subscriptions/{call.id.subscription}/providers/{own}/{name}", "type": own, **more}


def _linked(call: Call) -> list[Body]:
    return [
        _row(
            call,
            "AvailablePrivateEndpointTypes",
            type_.replace("/", "."),
            resourceName=type_,
            displayName=type_,
            apiVersion=version,
        )
        for type_, version in LINKED.items()
    ]


def _approved(call: Call) -> list[Body]:
    return []


def _aliases(call: Call) -> list[Body]:
    names = {alias: alias.strip("/").replace("/", ".") for alias in ALIASES}
    return [_row(call, "availableServiceAliases", name, resourceName=alias) for alias, name in names.items()]


LISTS: Mapping[str, Callable[[Call], list[Body]]] = {
    "availablePrivateEndpointTypes": _linked,
    "autoApprovedPrivateLinkServices": _approved,
    "availableServiceAliases": _aliases,
}


def _list(call: Call, name: str) -> Response:
    region_of_path(call)
    return page(call, LISTS[name](call))


for _name in LISTS:
    view(f"{NAMESPACE}/locations", _name)(lambda call, name=_name: _list(call, name))


@view(f"{NAMESPACE}/locations", "serviceTags")
def service_tags(call: Call) -> Response:
    region_of_path(call)
    own = {"serviceTagChangeNumber": CHANGE}
    about: Body = {"changeNumber": CHANGE, "region": "", "systemService": ""}
    values = [
        {"name": name, "id": name, **own, "properties": {**about, "addressPrefixes": prefixes}}
        for name, prefixes in TAGS.items()
    ]
    return Response(
        status=200,
        body=_row(call, "serviceTags", "Public", changeNumber=CHANGE, cloud="Public", values=values),
    )
