"""The objects of Site Recovery that a plan makes, and their names (S1 to S6).

Names are the ones that the portal gives when it enables replication. What a vault has already is adopted and never
doubled, whatever it is called: the vault that protects the machines, its fabric of a region, which is the only one it
can have (S1), that fabric's container, the mapping of a pair of containers with our policy (S3), a network's mapping
(S33), and the item of a machine, which can't be protected twice.

But a vault in the source's region is left alone, whatever it protects (`estate/vaults.py`): the plan makes another.
Where farshore.yaml says `replace_vault`, machines are let go of there before they are protected anew; else they are in
the way (FS501).
"""

from __future__ import annotations

import hashlib
from typing import Any

from farshore.arm.ids import ResourceId, make_id, resource_id
from farshore.arm.json import Body
from farshore.arm.network import normal_location
from farshore.estate.counterparts import NETWORK_MAPPINGS, Counterparts, mapping_ends
from farshore.estate.estate import Estate
from farshore.estate.vaults import VAULTS, lies_in

FABRICS = "Microsoft.RecoveryServices/vaults/replicationFabrics"
CONTAINERS = f"{FABRICS}/replicationProtectionContainers"
CONTAINER_MAPPINGS = f"{CONTAINERS}/replicationProtectionContainerMappings"
ITEMS = f"{CONTAINERS}/replicationProtectedItems"
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
        self._items, self._misplaced = dict[ResourceId, ResourceId](), dict[ResourceId, ResourceId]()
        for vm, item in _items_of(counterparts.estate).items():
            held = self._misplaced if lies_in(counterparts.estate, item, self.source) else self._items
            held[vm] = item
        self.vault = self._existing_vault() or self._new_vault(anchor)
        self._groups = _groups_of(counterparts.estate, self.vault)
        self.policy = self.vault.child("replicationPolicies", APPLICATION_POLICY if application_consistent else POLICY)
        self.fabrics = {region: self._fabric(region) for region in (self.source, self.target)}
        self.containers = {region: self._container(fabric) for region, fabric in self.fabrics.items()}

    def item(self, region: str, name: str) -> ResourceId:
        """A protected item lives under the fabric of the region where its machine runs (S50)."""
        return self.containers[region].child("replicationProtectedItems", name)

    def protecting(self, vm: ResourceId) -> ResourceId | None:
        """The item that protects a machine of the source already; its name is whatever somebody chose (S12)."""
        found = self._items.get(vm)
        return found if found is not None and found.parent == self.containers[self.source] else None

    def misplaced(self, vm: ResourceId) -> ResourceId | None:
        """The item that protects a machine from a vault in the source's region, where it must not be (S10); None where
        nobody has said that it may be let go of there."""
        return self._misplaced.get(vm) if self.project.replace_vault else None

    def account(self, group: ResourceId, region: str, purpose: str) -> ResourceId:
        """A storage account's id: its name is one of all Azure's, so it holds a digest of where it is."""
        digest = hashlib.sha256(f"{group.key}/{region}/{purpose}".encode()).hexdigest()[:12]
        name = f"{purpose}{digest}"
        return resource_id(f"{group.text}/providers/{STORAGE_ACCOUNTS}/{name}")

    def group_of(self, vm: ResourceId) -> str | None:
        """The consistency group that a machine's item is in; None of one that is alone, or not replicated."""
        return self._groups.get(vm)

    def members(self, group: str) -> frozenset[ResourceId]:
        """The machines of a group that are replicated already."""
        return frozenset(vm for vm, name in self._groups.items() if name == group)

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
        own = self.containers[from_].child("replicationProtectionContainerMappings", name)
        return _body(
            self._mapping(from_, to) or own,
            {
                "targetProtectionContainerId": self.containers[to].text,
                "policyId": self.policy.text,
                "providerSpecificInput": {"instanceType": "A2A", "agentAutoUpdateStatus": "Disabled"},
            },
        )

    def network_mapping_body(self, from_: str, to: str, label: str, here: ResourceId, there: ResourceId) -> Body:
        """S5: the segment between fabric and mapping is the literal `azureNetwork`."""
        networks = self.fabrics[from_].child("replicationNetworks", "azureNetwork")
        own = networks.child("replicationNetworkMappings", f"{from_}-{to}-{label}")
        return _body(
            self._network_mapping(self.fabrics[from_], here) or own,
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
        """The vault that protects machines of ours, from where it may; else one in the target's region and group: what
        is there is used."""
        for vm, item in self._items.items():
            machine = self.counterparts.estate.virtual_machine(vm)
            if machine is not None and machine.location == self.source and item.top.is_a(VAULTS):
                return item.top
        for body in self.counterparts.estate.of_type(VAULTS):
            id_ = resource_id(str(body["id"]))
            in_group = id_.group_id is not None and id_.group_id == self.group
            if in_group and normal_location(body.get("location")) == self.target:
                return id_
        return None

    def _new_vault(self, anchor: ResourceId) -> ResourceId:
        name, group = f"{slug(self.project.name)}-vault", self.project.target.resource_group
        usual = make_id(anchor.subscription, group, VAULTS, name)
        if self.counterparts.estate.get(usual) is None:
            return usual
        # One of this name stands in another region, and a vault can't be moved.
        return make_id(anchor.subscription, group, VAULTS, f"{name}-{self.target}")

    def _fabric(self, region: str) -> ResourceId:
        for body in self.counterparts.estate.of_type(FABRICS):
            id_ = resource_id(str(body["id"]))
            details = (body.get("properties") or {}).get("customDetails") or {}
            if id_.parent == self.vault and normal_location(details.get("location")) == region:
                return id_
        return self.vault.child("replicationFabrics", f"asr-a2a-default-{region}")

    def _container(self, fabric: ResourceId) -> ResourceId:
        for body in self.counterparts.estate.of_type(CONTAINERS):
            id_ = resource_id(str(body["id"]))
            if id_.parent == fabric:
                return id_
        return fabric.child("replicationProtectionContainers", f"{fabric.name}-container")

    def _mapping(self, from_: str, to: str) -> ResourceId | None:
        for body in self.counterparts.estate.of_type(CONTAINER_MAPPINGS):
            id_, properties = resource_id(str(body["id"])), body.get("properties") or {}
            ends = (properties.get("targetProtectionContainerId"), properties.get("policyId"))
            wanted = (self.containers[to].key, self.policy.key)
            if id_.parent == self.containers[from_] and tuple(str(end).lower() for end in ends) == wanted:
                return id_
        return None

    def _network_mapping(self, fabric: ResourceId, network: ResourceId) -> ResourceId | None:
        for body in self.counterparts.estate.of_type(NETWORK_MAPPINGS):
            id_, ends = resource_id(str(body["id"])), mapping_ends(body)
            if ends is not None and ends[0] == network and id_.key.startswith(fabric.key + "/"):
                return id_
        return None


def _items_of(estate: Estate) -> dict[ResourceId, ResourceId]:
    """Machines to the items that protect them."""
    found: dict[ResourceId, ResourceId] = {}
    for body in estate.of_type(ITEMS):
        details = (body.get("properties") or {}).get("providerSpecificDetails") or {}
        text = details.get("fabricObjectId")
        if details.get("instanceType") == "A2A" and isinstance(text, str) and text.startswith("/"):
            found.setdefault(resource_id(text), resource_id(str(body["id"])))
    return found


def _groups_of(estate: Estate, vault: ResourceId) -> dict[ResourceId, str]:
    """Machines of a vault to the replication groups that somebody has named: a group is one vault's (S12, S58). Azure
    does not mind the case of a name; a group gets the first spelling for all who are in it."""
    found: dict[ResourceId, str] = {}
    spelled: dict[str, str] = {}
    for body in estate.of_type(ITEMS):
        details = (body.get("properties") or {}).get("providerSpecificDetails") or {}
        text, name = details.get("fabricObjectId"), details.get("multiVmGroupName")
        own = resource_id(str(body["id"])).top == vault and details.get("instanceType") == "A2A"
        if own and name and isinstance(text, str) and text.startswith("/"):
            found[resource_id(text)] = spelled.setdefault(str(name).lower(), str(name))
    return found


def _body(id_: ResourceId, properties: dict[str, Any]) -> Body:
    return {"id": id_.text, "name": id_.name, "properties": properties}


def slug(name: str) -> str:
    kept = "".join(letter if letter.isalnum() else "-" for letter in name.lower()).strip("-")
    return "-".join(part for part in kept.split("-") if part)[:40] or "farshore"
