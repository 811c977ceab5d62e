"""Services of Azure that may be in a subnet: the lists of a region, and what each may do where it is let in.

    GET locations/{region}/virtualNetworkAvailableEndpointServices    what a service endpoint can lead to
    GET locations/{region}/availableDelegations                       to whom a subnet can be delegated, and what that
                                                                      service then may do there; of a group, too

Every region of the lab has the same ones. A delegation shows its service's actions, whatever was sent; of a service
that is not in the list those of most. The lists have the form in which they are recorded, with the word
`resourceGroup` in the ids of a group's.
"""

from __future__ import annotations

from collections.abc import Mapping

from farshore.arm.http import Response
from farshore.lab.call import Call
from farshore.lab.compute.sizes import region_of_path
from farshore.lab.paging import page
from farshore.lab.registry import view

LOCATIONS = "Microsoft.Network/locations"
ENDPOINTS = (
    "Microsoft.Storage",
    "Microsoft.Sql",
    "Microsoft.AzureActiveDirectory",
    "Microsoft.AzureCosmosDB",
    "Microsoft.Web",
    "Microsoft.KeyVault",
    "Microsoft.EventHub",
    "Microsoft.ServiceBus",
    "Microsoft.ContainerRegistry",
    "Microsoft.CognitiveServices",
    "Microsoft.Storage.Global",
)
SUBNETS = "Microsoft.Network/virtualNetworks/subnets"
USUAL = (f"{SUBNETS}/action",)
JOINS = (f"{SUBNETS}/join/action",)
CARDS = ("Microsoft.Network/networkinterfaces/*", *JOINS)
"""Of a service whose hardware stands in the subnet."""
POLICIES = (*JOINS, f"{SUBNETS}/prepareNetworkPolicies/action", f"{SUBNETS}/unprepareNetworkPolicies/action")
"""Of a service that sees to the subnet's security group and route table itself."""
DELEGATIONS: Mapping[str, tuple[str, ...]] = {
    "Microsoft.Web/serverFarms": USUAL,
    "Microsoft.ContainerInstance/containerGroups": USUAL,
    "Microsoft.Netapp/volumes": CARDS,
    "Microsoft.HardwareSecurityModules/dedicatedHSMs": CARDS,
    "Microsoft.Logic/integrationServiceEnvironments": USUAL,
    "Microsoft.Batch/batchAccounts": USUAL,
    "Microsoft.Sql/managedInstances": POLICIES,
    "Microsoft.Web/hostingEnvironments": USUAL,
    "Microsoft.Databricks/workspaces": POLICIES,
    "Microsoft.BareMetal/AzureVMware": CARDS,
    "Microsoft.StreamAnalytics/streamingJobs": JOINS,
    "Microsoft.DBforPostgreSQL/flexibleServers": JOINS,
}
"""By the service: what it may do in a subnet that is delegated to it."""
_ACTIONS = {service.lower(): actions for service, actions in DELEGATIONS.items()}


def actions_of(service: str) -> list[str]:
    """What a service may do in a subnet that is delegated to it."""
    return list(_ACTIONS.get(service.lower(), USUAL))


@view(LOCATIONS, "virtualNetworkAvailableEndpointServices")
def endpoint_services(call: Call) -> Response:
    region_of_path(call)
    above = f"/subscriptions/{call.id.subscription}/providers/Microsoft.Network/virtualNetworkEndpointServices"
    kind = "Microsoft.Network/virtualNetworkEndpointServices"
    return page(call, [{"name": name, "id": f"{above}/{name}", "type": kind} for name in ENDPOINTS])


@view(LOCATIONS, "availableDelegations")
def available_delegations(call: Call) -> Response:
    region_of_path(call)
    group = call.id.resource_group
    scope = f"/subscriptions/{call.id.subscription}" + ("" if group is None else f"/resourceGroup/{group}")
    rows = []
    for service, actions in DELEGATIONS.items():
        name = service.replace("/", ".")
        rows.append(
            {
                "name": name,
                "id": f"{scope}/providers/Microsoft.Network/availableDelegations/{name}",
                "type": "Microsoft.Network/availableDelegations",
                "serviceName": service,
                "actions": list(actions),
            }
        )
    return page(call, rows)
