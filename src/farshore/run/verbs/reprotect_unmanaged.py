"""`reprotect_unmanaged`: POST reProtect on the item, the way of machines with unmanaged disks (S50).

The item keeps its id, and after it is Protected again its failover goes the other way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from farshore.arm.http import Request
from farshore.arm.ids import resource_id
from farshore.arm.recovery import PROTECTED
from farshore.errors import ArmError, Fault
from farshore.run.verbs.base import Situation, Talk, get, properties, url
from farshore.run.verbs.recovery import ItemVerb, machine_disks


class ReprotectUnmanaged(ItemVerb):
    name = "reprotect_unmanaged"
    scenarios = frozenset({"ReprotectReplication", "ReverseReplication", "Reprotect", "SwitchProtection"})

    def is_done(self, situation: Situation, item: Mapping[str, Any]) -> bool:
        return item.get("protectionState") == PROTECTED

    def request(self, situation: Situation) -> Talk[Request]:
        arguments = situation.arguments
        vm_id = resource_id(str(arguments["vm"]))
        vm = yield from get(vm_id)
        uris = [disk["vhd"]["uri"] for disk in machine_disks(vm) if (disk.get("vhd") or {}).get("uri")]
        if not uris:
            raise ArmError(Fault(code="NoUnmanagedDisks", message=f"{vm_id.short} has no unmanaged disk to protect"))
        item = properties((yield from get(situation.id)))
        back = item.get("activeLocation") != "Primary"
        details = {
            "instanceType": "A2A",
            "recoveryContainerId": arguments["container"],
            "policyId": arguments["policy"],
            "recoveryResourceGroupId": arguments["recovery_group"],
            "vmDisks": [
                {
                    "diskUri": uri,
                    "primaryStagingAzureStorageAccountId": arguments["staging_account"],
                    "recoveryAzureStorageAccountId": arguments["recovery_account"],
                }
                for uri in uris
            ],
        }
        direction = "RecoveryToPrimary" if back else "PrimaryToRecovery"
        body = {"properties": {"failoverDirection": direction, "providerSpecificDetails": details}}
        return Request(method="POST", url=url(situation.id, "/reProtect"), body=body, repeatable=False)
