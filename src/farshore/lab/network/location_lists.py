"""Lists of a region of Microsoft.Network: what a subnet can be delegated to, and which services it can be told of.

    availableDelegations                    services to which a subnet can be given
    virtualNetworkAvailableEndpointServices services that a subnet can reach by an endpoint
    availableServiceAliases                 names under which policies of endpoints know parts of a service
    serviceTags                             names of ranges, as the rules of security groups use them

The lists are in Azure's form and not as long: the services of the field, and of the tags those that mean something
without Azure's own ranges, which the lab does not have.
"""

from __future__ import annotations

from farshore.arm.http import Response
from farshore.arm.json import Body
from farshore.lab.call import Call
from farshore.lab.network.effective import TAGS
from farshore.lab.paging import page
from farshore.lab.registry import view

LOCATIONS = "Microsoft.Network/locations"
NAMESPACE = "Microsoft.Network"
ACTIONS: dict[str, tuple[str, ...]] = {
    "Microsoft.ContainerInstance/containerGroups": ("action",),
    "Microsoft.DBforPostgreSQL/flexibleServers": ("join/action",),
    "Microsoft.Netapp/volumes": ("networkinterfaces/*", "join/action"),
    "Microsoft.Network/dnsResolvers": ("join/action",),
    "Microsoft.Sql/managedInstances": (
        "join/action",
        "prepareNetworkPolicies/action",
        "unprepareNetworkPolicies/action",
    ),
    "Microsoft.Web/serverFarms": ("action",),
}
"""A service to what it may do with a subnet that was given to it."""
SERVICES = (
    "Microsoft.AzureActiveDirectory",
    "Microsoft.KeyVault",
    "Microsoft.ServiceBus",
    "Microsoft.Sql",
    "Microsoft.Storage",
)
ALIASES = ("/services/Azure", "/services/Azure/Batch", "/services/Azure/MachineLearning")
CHANGE = "1"
"""Of the tags: they never change here."""


@view(LOCATIONS, "availableDelegations")
def delegations(call: Call) -> Response:
    kind = f"{NAMESPACE}/availableDelegations"
    rows: list[Body] = []
    for service, verbs in ACTIONS.items():
        name = service.replace("/", ".")
        actions = [f"{NAMESPACE}/virtualNetworks/subnets/{verb}" for verb in verbs]
        id_ = f"{_root(call)}/availableDelegations/{name}"
        rows.append({"name": name, "id": id_, "type": kind, "serviceName": service, "actions": actions})
    return page(call, rows)


@view(LOCATIONS, "virtualNetworkAvailableEndpointServices")
def endpoint_services(call: Call) -> Response:
    kind = "virtualNetworkEndpointServices"
    return page(
        call,
        [{"name": name, "id": f"{_root(call)}/{kind}/{name}", "type": f"{NAMESPACE}/{kind}"} for name in SERVICES],
    )


@view(LOCATIONS, "availableServiceAliases")
def aliases(call: Call) -> Response:
    kind = "availableServiceAliases"
    rows: list[Body] = []
    for alias in ALIASES:
        name = alias.strip("/").replace("/", ".")
        id_ = f"{_root(call)}/{kind}/{name}"
        rows.append({"name": name, "id": id_, "type": f"{NAMESPACE}/{kind}", "resourceName": alias})
    return page(call, rows)


@view(LOCATIONS, "serviceTags")
def service_tags(call: Call) -> Response:
    values = [
        {
            "name": name,
            "id": name,
            "serviceTagChangeNumber": CHANGE,
            "properties": {"changeNumber": CHANGE, "region": "", "systemService": "", "addressPrefixes": prefixes},
        }
        for name, prefixes in TAGS.items()
    ]
    body: Body = {
        "name": "Public",
        "id": f"{_root(call)}/serviceTags/Public",
        "type": f"{NAMESPACE}/serviceTags",
        "changeNumber": CHANGE,
        "cloud": "Public",
        "values": values,
    }
    return Response(status=200, body=body)


def _root(call: Call) -> str:
    return f"/subscriptions/{call.id.subscription}/providers/{NAMESPACE}"
