"""What Microsoft.Network offers in a region: lists below `locations/{region}` that show no resources.

    availablePrivateEndpointTypes             what a private endpoint may lead to
    virtualNetworkAvailableEndpointServices   what a subnet's service endpoint may be for
    availableDelegations                      to whom a subnet may be given
    availableServiceAliases                   what a policy of service endpoints may name beside resources
    autoApprovedPrivateLinkServices           services of others that take this subscription's endpoints unasked: none

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
SERVICES = ("Microsoft.Storage", "Microsoft.Sql", "Microsoft.KeyVault", "Microsoft.ServiceBus", "Microsoft.EventHub")
DELEGATES = ("Microsoft.Web/serverFarms", "Microsoft.Sql/managedInstances", "Microsoft.NetApp/volumes")
JOIN = "Microsoft.Network/virtualNetworks/subnets/action"
ALIASES = ("Azure", "Azure/Batch", "Azure/DataFactory", "Azure/ManagedInstance")


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


def _services(call: Call) -> list[Body]:
    return [_row(call, "virtualNetworkEndpointServices", name) for name in SERVICES]


def _delegates(call: Call) -> list[Body]:
    kind = "availableDelegations"
    return [_row(call, kind, name.replace("/", "."), serviceName=name, actions=[JOIN]) for name in DELEGATES]


def _aliases(call: Call) -> list[Body]:
    kind = "AvailableServiceAliases"
    return [_row(call, kind, "services" + name.replace("/", ""), resourceName=f"/services/{name}") for name in ALIASES]


def _approved(call: Call) -> list[Body]:
    return []


LISTS: Mapping[str, Callable[[Call], list[Body]]] = {
    "availablePrivateEndpointTypes": _linked,
    "virtualNetworkAvailableEndpointServices": _services,
    "availableDelegations": _delegates,
    "availableServiceAliases": _aliases,
    "autoApprovedPrivateLinkServices": _approved,
}


def _list(call: Call, name: str) -> Response:
    region_of_path(call)
    return page(call, LISTS[name](call))


for _name in LISTS:
    view(f"{NAMESPACE}/locations", _name)(partial(_list, name=_name))
