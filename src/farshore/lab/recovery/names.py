"""Ids and names as Site Recovery writes them.

The service shows its own ids with a capital `/Subscriptions/` and what it has looked up in Azure in lower case
(recorded); both name the same resources, and the lab keeps the habit because clients must bear it.
"""

from __future__ import annotations

from farshore.arm.ids import ResourceId
from farshore.arm.regions import find_region

VAULTS = "Microsoft.RecoveryServices/vaults"
FABRICS = f"{VAULTS}/replicationFabrics"
CONTAINERS = f"{FABRICS}/replicationProtectionContainers"
CONTAINER_MAPPINGS = f"{CONTAINERS}/replicationProtectionContainerMappings"
ITEMS = f"{CONTAINERS}/replicationProtectedItems"
POINTS = f"{ITEMS}/recoveryPoints"
POLICIES = f"{VAULTS}/replicationPolicies"
NETWORKS = f"{FABRICS}/replicationNetworks"
NETWORK_MAPPINGS = f"{NETWORKS}/replicationNetworkMappings"
PROVIDERS = f"{FABRICS}/replicationRecoveryServicesProviders"
CLUSTERS = f"{CONTAINERS}/replicationProtectionClusters"
INTENTS = f"{VAULTS}/replicationProtectionIntents"
EVENTS = f"{VAULTS}/replicationEvents"
PLANS = f"{VAULTS}/replicationRecoveryPlans"


def shown_id(id_: ResourceId) -> str:
    """`/Subscriptions/...`"""
    return "/Subscriptions/" + id_.text.split("/", 2)[2]


def looked_up(id_: ResourceId) -> str:
    """An id as the service found it in Azure: lower case."""
    return id_.key


def region_name(location: str) -> str:
    """`East US 2` for `eastus2`."""
    found = find_region(location)
    return location if found is None else found.display_name
