"""`switch_protection`: reprotect a machine with managed disks (S50).

POST switchprotection on the container where the item lives now; a new item appears under the other fabric's container,
with the same name. The machine's disks are read at that moment, because Site Recovery named them. Done when the new
item is Protected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from farshore.arm.http import Request
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.recovery import PROTECTED
from farshore.azure.lro import Pending
from farshore.errors import ArmError, Fault
from farshore.run.verbs.base import InProgress, Looked, Situation, Talk, get, properties, url
from farshore.run.verbs.recovery import ItemVerb, machine_disks


class SwitchProtection(ItemVerb):
    name = "switch_protection"
    scenarios = frozenset(
        {
            *("SwitchReplicationGroupProtection", "SwitchProtection"),
            *("ReprotectReplication", "ReverseReplication", "Reprotect"),
        }
    )

    def watched(self, situation: Situation) -> ResourceId:
        return resource_id(str(situation.arguments["reverse_item"]))

    def is_done(self, situation: Situation, item: Mapping[str, Any]) -> bool:
        return item.get("protectionState") == PROTECTED

    def look(self, situation: Situation) -> Talk[Looked]:
        found = yield from super().look(situation)
        if not isinstance(found, InProgress):
            there = yield from get(self.watched(situation))
            if there.status != 404 and not self.is_done(situation, properties(there)):
                # The item has been switched already; what is left is to wait for it.
                return InProgress(pending=Pending())
        return found

    def request(self, situation: Situation) -> Talk[Request]:
        arguments = situation.arguments
        container = situation.id.parent
        assert container is not None
        vm_id = resource_id(str(arguments["vm"]))
        vm = yield from get(vm_id)
        disks = [disk["managedDisk"]["id"] for disk in machine_disks(vm) if (disk.get("managedDisk") or {}).get("id")]
        if not disks:
            raise ArmError(Fault(code="NoManagedDisks", message=f"{vm_id.short} has no managed disk to protect"))
        sets = arguments.get("encryption_sets") or {}
        named = (yield from _sets_for(disks, sets)) if sets else {}
        details = {
            "instanceType": "A2A",
            **(arguments.get("settings") or {}),
            "policyId": arguments["policy"],
            "recoveryContainerId": arguments["container"],
            "recoveryResourceGroupId": arguments["recovery_group"],
            "vmManagedDisks": [
                {
                    "diskId": disk,
                    "primaryStagingAzureStorageAccountId": arguments["staging_account"],
                    "recoveryResourceGroupId": arguments["recovery_group"],
                    **named.get(disk, {}),
                }
                for disk in disks
            ],
        }
        body = {"properties": {"replicationProtectedItemName": situation.id.name, "providerSpecificDetails": details}}
        return Request(method="POST", url=url(container, "/switchprotection"), body=body, repeatable=False)


def _sets_for(disks: Sequence[str], sets: Mapping[str, str]) -> Talk[dict[str, dict[str, str]]]:
    """The disk encryption set for the copy of each disk of a customer's key (S12)."""
    found = {}
    for disk in disks:
        own = (properties((yield from get(resource_id(disk)))).get("encryption") or {}).get("diskEncryptionSetId")
        if own and (chosen := sets.get(str(own).lower())) is not None:
            found[disk] = {"recoveryDiskEncryptionSetId": chosen}
    return found
