"""The objects of Site Recovery that a plan makes, and their names (S1 to S6).

Names are the ones that the portal gives when it enables replication, so that a vault somebody already uses is
adopted and not doubled; a fabric that the vault has for a region is the only one it can have (S1).
"""

from __future__ import annotations

import hashlib
from typing import Any

from farshore.arm.ids import ResourceId, make_id, resource_id
from farshore.arm.json import Body
from farshore.arm.network import normal_location
from farshore.estate.counterparts import Counterparts

VAULTS = "Microsoft.RecoveryServices/vaults"
FABRICS = "Microsoft.RecoveryServices/vaults/replicationFabrics"
STORAGE_ACCOUNTS = "Microsoft.Storage/storageAccounts"
POLICY = "24-hour-retention-policy"
APPLICATION_POLICY = f"{POLICY}-application-consistent"
APPLICATION_CONSISTENT_IN_MINUTES = 60
"""S25: at least an hour apart."""
RETENTION_IN_MINUTES = 24 * 60
"""S25: a day of recovery points, as the portal's default."""
CRASH_CONSISTENT_IN_MINUTES = 5
"""S25: fixed by the service."""


class Recovery:
    """Ids and bodies in the vault. `anchor` is any source resource: it gives the subscription."""

    def __init__(self, counterparts: Counterparts, anchor: ResourceId, *, application_consistent: bool = False) -> None:
        self.application_minutes = APPLICATION_CONSISTENT_IN_MINUTES if application_consistent else 0
        self.counterparts = counterparts
        self.project = counterparts.project
        self.source, self.target = self.project.source_region, self.project.target.region
        self.group = counterparts.group(anchor)
        self.vault = self._existing_vault() or make_id(
            anchor.subscription, self.project.target.resource_group, VAULTS, f"{slug(self.project.name)}-vault"
        )
        self.policy = self.vault.child("replicationPolicies", APPLICATION_POLICY if application_consistent else POLICY)
        self.fabrics = {region: self._fabric(region) for region in (self.source, self.target)}
        self.containers = {
            region: fabric.child("replicationProtectionContainers", f"{fabric.name}-container")
            for region, fabric in self.fabrics.items()
        }

    def item(self, region: str, name: str) -> ResourceId:
        """A protected item lives under the fabric of the region where its machine runs (S50)."""
        return self.containers[region].child("replicationProtectedItems", name)

    def account(self, group: ResourceId, region: str, purpose: str) -> ResourceId:
        """A storage account's id: its name is one of all Azure's, so it holds a digest of where it is."""
        digest = hashlib.sha256(f"{group.key}/{region}/{purpose}".encode()).hexdigest()[:12]
        name = f"{purpose}{digest}"
        return resource_id(f"{group.text}/providers/{STORAGE_ACCOUNTS}/{name}")

    # Bodies. -------------------------------------------------------------------------------------------------------

    def vault_body(self) -> Body:
        return {
            "id": self.vault.text,
            "name": self.vault.name,
            "type": VAULTS,
            "location": self.target,
            "sku": {"name": "RS0", "tier": "Standard"},
            "properties": {"publicNetworkAccess": "Enabled"},
        }

    def fabric_body(self, region: str) -> Body:
        return _body(self.fabrics[region], {"customDetails": {"instanceType": "Azure", "location": region}})

    def container_body(self, region: str) -> Body:
        return _body(self.containers[region], {"providerSpecificInput": [{"instanceType": "A2A"}]})

    def policy_body(self) -> Body:
        return _body(
            self.policy,
            {
                "providerSpecificInput": {
                    "instanceType": "A2A",
                    "multiVmSyncStatus": "Enable",
                    "recoveryPointHistory": RETENTION_IN_MINUTES,
                    "crashConsistentFrequencyInMinutes": CRASH_CONSISTENT_IN_MINUTES,
                    "appConsistentFrequencyInMinutes": self.application_minutes,
                }
            },
        )

    def mapping_body(self, from_: str, to: str) -> Body:
        """S3: one for each direction, or reprotect has nowhere to go."""
        name = f"{from_}-{to}-{self.policy.name}"
        return _body(
            self.containers[from_].child("replicationProtectionContainerMappings", name),
            {
                "targetProtectionContainerId": self.containers[to].text,
                "policyId": self.policy.text,
                "providerSpecificInput": {"instanceType": "A2A", "agentAutoUpdateStatus": "Disabled"},
            },
        )

    def network_mapping_body(self, from_: str, to: str, label: str, here: ResourceId, there: ResourceId) -> Body:
        """S5: the segment between fabric and mapping is the literal `azureNetwork`."""
        networks = self.fabrics[from_].child("replicationNetworks", "azureNetwork")
        return _body(
            networks.child("replicationNetworkMappings", f"{from_}-{to}-{label}"),
            {
                "recoveryFabricName": self.fabrics[to].name,
                "recoveryNetworkId": there.text,
                "fabricSpecificDetails": {"instanceType": "AzureToAzure", "primaryNetworkId": here.text},
            },
        )

    def account_body(self, id_: ResourceId, region: str) -> Body:
        """S27: standard and general purpose, open to shared keys, no soft delete (which is off unless asked for)."""
        return {
            "id": id_.text,
            "name": id_.name,
            "type": STORAGE_ACCOUNTS,
            "location": region,
            "kind": "StorageV2",
            "sku": {"name": "Standard_LRS"},
            "properties": {"minimumTlsVersion": "TLS1_2", "allowBlobPublicAccess": False, "allowSharedKeyAccess": True},
        }

    # What there is already. ----------------------------------------------------------------------------------------

    def _existing_vault(self) -> ResourceId | None:
        """A vault in the target's region and group: one that is there is used."""
        for body in self.counterparts.estate.of_type(VAULTS):
            id_ = resource_id(str(body["id"]))
            in_group = id_.group_id is not None and id_.group_id == self.group
            if in_group and normal_location(body.get("location")) == self.target:
                return id_
        return None

    def _fabric(self, region: str) -> ResourceId:
        for body in self.counterparts.estate.of_type(FABRICS):
            id_ = resource_id(str(body["id"]))
            details = (body.get("properties") or {}).get("customDetails") or {}
            if id_.parent == self.vault and normal_location(details.get("location")) == region:
                return id_
        return self.vault.child("replicationFabrics", f"asr-a2a-default-{region}")


def _body(id_: ResourceId, properties: dict[str, Any]) -> Body:
    return {"id": id_.text, "name": id_.name, "properties": properties}


def slug(name: str) -> str:
    kept = "".join(letter if letter.isalnum() else "-" for letter in name.lower()).strip("-")
    return "-".join(part for part in kept.split("-") if part)[:40] or "farshore"
