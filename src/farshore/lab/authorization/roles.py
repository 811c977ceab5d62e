"""Built-in roles with Azure's own ids, and whether a role allows an action.

Permissions are lists of patterns (`Microsoft.Network/*`, `*/read`): an action is allowed that one of `actions` fits
and none of `notActions`. Letters count without regard to case. The lab knows the roles of this field; a definition of
the subscription's own is a resource (`role_definitions.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from farshore.arm.json import Body

TYPE = "Microsoft.Authorization/roleDefinitions"
MADE = "2015-02-02T21:55:09.8806423Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    name: str
    guid: str
    description: str
    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()

    def body(self, prefix: str) -> Body:
        return {
            "properties": {
                "roleName": self.name,
                "type": "BuiltInRole",
                "description": self.description,
                "assignableScopes": ["/"],
                "permissions": [
                    {
                        "actions": list(self.actions),
                        "notActions": list(self.not_actions),
                        "dataActions": [],
                        "notDataActions": [],
                    }
                ],
                "createdOn": MADE,
                "updatedOn": MADE,
                "createdBy": None,
                "updatedBy": None,
            },
            "id": f"{prefix}/providers/{TYPE}/{self.guid}",
            "type": TYPE,
            "name": self.guid,
        }


_EVERY_WORKER = (
    "Microsoft.Authorization/*/read",
    "Microsoft.Insights/alertRules/*",
    "Microsoft.ResourceHealth/availabilityStatuses/read",
    "Microsoft.Resources/deployments/*",
    "Microsoft.Resources/subscriptions/resourceGroups/read",
    "Microsoft.Support/*",
)
"""What every role of a service's workers has besides its own."""
_VAULT = "Microsoft.RecoveryServices/vaults"
_VAULT_READ = (
    f"{_VAULT}/read",
    f"{_VAULT}/usages/read",
    f"{_VAULT}/extendedInformation/read",
    f"{_VAULT}/vaultTokens/read",
    f"{_VAULT}/replicationOperationStatus/read",
    "Microsoft.Network/virtualNetworks/read",
    "Microsoft.Storage/storageAccounts/read",
)
_PARTS = ("replicationAlertSettings", "replicationEvents", "replicationFabrics", "replicationJobs")
_PLANS = ("replicationPolicies", "replicationRecoveryPlans", "replicationVaultSettings")
_ITEMS = f"{_VAULT}/replicationFabrics/replicationProtectionContainers/replicationProtectedItems"

BUILT_IN: tuple[Role, ...] = (
    Role(
        name="Owner",
        guid="8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
        description="Grants full access to manage all resources, including the ability to assign roles in Azure RBAC.",
        actions=("*",),
    ),
    Role(
        name="Contributor",
        guid="b24988ac-6180-42a0-ab88-20f7382dd24c",
        description="Grants full access to manage all resources, but does not allow you to assign roles in Azure RBAC.",
        actions=("*",),
        not_actions=(
            "Microsoft.Authorization/*/Delete",
            "Microsoft.Authorization/*/Write",
            "Microsoft.Authorization/elevateAccess/Action",
            "Microsoft.Blueprint/blueprintAssignments/write",
            "Microsoft.Blueprint/blueprintAssignments/delete",
            "Microsoft.Compute/galleries/share/action",
        ),
    ),
    Role(
        name="Reader",
        guid="acdd72a7-3385-48ef-bd42-f606fba81ae7",
        description="View all resources, but does not allow you to make any changes.",
        actions=("*/read",),
    ),
    Role(
        name="User Access Administrator",
        guid="18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
        description="Lets you manage user access to Azure resources.",
        actions=("*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"),
    ),
    Role(
        name="Network Contributor",
        guid="4d97b98b-1d4f-4787-a291-c67834d212e7",
        description="Lets you manage networks, but not access to them.",
        actions=(*_EVERY_WORKER, "Microsoft.Network/*"),
    ),
    Role(
        name="Virtual Machine Contributor",
        guid="9980e02c-c2be-4d73-94e8-173b1dc7cf3c",
        description="Lets you manage virtual machines, but not access to them, and not the virtual network or storage "
        "account they're connected to.",
        actions=(
            *_EVERY_WORKER,
            "Microsoft.Compute/availabilitySets/*",
            "Microsoft.Compute/locations/*",
            "Microsoft.Compute/virtualMachines/*",
            "Microsoft.Compute/virtualMachineScaleSets/*",
            "Microsoft.Compute/disks/write",
            "Microsoft.Compute/disks/read",
            "Microsoft.Compute/disks/delete",
            "Microsoft.Network/applicationSecurityGroups/read",
            "Microsoft.Network/loadBalancers/read",
            "Microsoft.Network/locations/*",
            "Microsoft.Network/networkInterfaces/*",
            "Microsoft.Network/networkSecurityGroups/join/action",
            "Microsoft.Network/networkSecurityGroups/read",
            "Microsoft.Network/publicIPAddresses/join/action",
            "Microsoft.Network/publicIPAddresses/read",
            "Microsoft.Network/virtualNetworks/read",
            "Microsoft.Network/virtualNetworks/subnets/join/action",
            "Microsoft.RecoveryServices/locations/*",
            "Microsoft.Storage/storageAccounts/listKeys/action",
            "Microsoft.Storage/storageAccounts/read",
        ),
    ),
    Role(
        name="Storage Account Contributor",
        guid="17d1049b-9a84-46fb-8f53-869881c3d3ab",
        description="Lets you manage storage accounts, including accessing storage account keys.",
        actions=(*_EVERY_WORKER, "Microsoft.Storage/storageAccounts/*"),
    ),
    Role(
        name="Site Recovery Contributor",
        guid="6670b86e-a3f7-4917-ac9b-5d6ab1be4567",
        description="Lets you manage Site Recovery service except vault creation and role assignment.",
        actions=(
            *_EVERY_WORKER,
            *_VAULT_READ,
            f"{_VAULT}/certificates/write",
            f"{_VAULT}/extendedInformation/*",
            f"{_VAULT}/registeredIdentities/*",
            f"{_VAULT}/storageConfig/*",
            f"{_VAULT}/monitoringAlerts/*",
            *(f"{_VAULT}/{part}/*" for part in (*_PARTS, *_PLANS)),
        ),
    ),
    Role(
        name="Site Recovery Operator",
        guid="494ae006-db33-4328-bf46-533a6560a3ca",
        description="Lets you failover and failback but not perform other Site Recovery management operations.",
        actions=(
            *_EVERY_WORKER,
            *_VAULT_READ,
            *(f"{_VAULT}/{part}/*/read" for part in (*_PARTS, *_PLANS)),
            *(f"{_VAULT}/{part}/read" for part in (*_PARTS, *_PLANS)),
            f"{_VAULT}/replicationFabrics/checkConsistency/action",
            f"{_VAULT}/replicationFabrics/reassociateGateway/action",
            f"{_VAULT}/replicationFabrics/renewcertificate/action",
            f"{_VAULT}/replicationFabrics/replicationProtectionContainers/switchprotection/action",
            *(
                f"{_ITEMS}/{verb}/action"
                for verb in (
                    "applyRecoveryPoint",
                    "failoverCommit",
                    "plannedFailover",
                    "repairReplication",
                    "reProtect",
                    "testFailover",
                    "testFailoverCleanup",
                    "unplannedFailover",
                    "updateMobilityService",
                )
            ),
            f"{_VAULT}/replicationJobs/*",
            *(
                f"{_VAULT}/replicationRecoveryPlans/{verb}/action"
                for verb in (
                    "failoverCommit",
                    "plannedFailover",
                    "reProtect",
                    "testFailover",
                    "testFailoverCleanup",
                    "unplannedFailover",
                )
            ),
        ),
    ),
    Role(
        name="Site Recovery Reader",
        guid="dbaa88c4-0c30-4179-9fb3-46319faa6149",
        description="Lets you view Site Recovery status but not perform other management operations.",
        actions=(
            "Microsoft.Authorization/*/read",
            *_VAULT_READ[:-2],
            *(f"{_VAULT}/{part}/*/read" for part in (*_PARTS, *_PLANS)),
            *(f"{_VAULT}/{part}/read" for part in (*_PARTS, *_PLANS)),
            "Microsoft.Support/*",
        ),
    ),
    Role(
        name="Automation Operator",
        guid="d3881f73-407a-4167-8283-e981cbba0404",
        description="Automation Operators are able to start, stop, suspend, and resume jobs.",
        actions=(
            *_EVERY_WORKER,
            "Microsoft.Automation/automationAccounts/read",
            "Microsoft.Automation/automationAccounts/jobs/*",
            "Microsoft.Automation/automationAccounts/runbooks/read",
        ),
    ),
    Role(
        name="Tag Contributor",
        guid="4a9ae827-6dc8-4573-8ac7-8239d42aa03f",
        description="Lets you manage tags on entities, without providing access to the entities themselves.",
        actions=(
            "Microsoft.Authorization/*/read",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
            "Microsoft.Resources/subscriptions/resourceGroups/resources/read",
            "Microsoft.Resources/subscriptions/resources/read",
            "Microsoft.Resources/deployments/*",
            "Microsoft.Resources/tags/*",
            "Microsoft.Support/*",
        ),
    ),
)
BY_GUID: Mapping[str, Role] = {role.guid: role for role in BUILT_IN}


def allows(permissions: Iterable[Mapping[str, Any]], action: str) -> bool:
    """Whether one of a definition's permissions allows the action."""
    return any(
        any(fits(pattern, action) for pattern in one.get("actions") or ())
        and not any(fits(pattern, action) for pattern in one.get("notActions") or ())
        for one in permissions
    )


def fits(pattern: object, action: str) -> bool:
    return _compiled(str(pattern)).fullmatch(action) is not None


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")), re.IGNORECASE)
