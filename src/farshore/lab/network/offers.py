"""What Microsoft.Network offers in a region: lists below `locations/{region}` that show no resources.

    availablePrivateEndpointTypes     what a private endpoint may lead to
    autoApprovedPrivateLinkServices   services of others that take this subscription's endpoints unasked: none

The lists are short: what the lab knows, and some of the usual. Every region has them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from farshore.arm.http import Response
from farshore.arm.json import Body
from farshore.lab.call import Call
from farshore.lab.compute.sizes import region_of_path
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


LISTS: Mapping[str, Callable[[Call], list[Body]]] = {
    "availablePrivateEndpointTypes": _linked,
    "autoApprovedPrivateLinkServices": _approved,
}


def _list(call: Call, name: str) -> Response:
    region_of_path(call)
    return page(call, LISTS[name](call))


for _name in LISTS:
    view(f"{NAMESPACE}/locations", _name)(partial(_list, name=_name))
