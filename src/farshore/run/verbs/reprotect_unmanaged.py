"""reprotect_unmanaged: POST reProtect on the item, the way of machines with unmanaged disks (S50).

The item keeps its id; done when it is Protected again. Its disks are page blobs: their URLs are read from the machine
as it runs now.
"""

from __future__ import annotations

from farshore.arm.http import Request
from farshore.arm.json import Body
from farshore.arm.versions import COMPUTE, SITE_RECOVERY
from farshore.azure.conversation import Conversation
from farshore.run.verbs.base import Task, properties, read_patiently, url_of
from farshore.run.verbs.item_actions import ItemAction


class ReprotectUnmanaged(ItemAction):
    path = "reProtect"
    scenarios = frozenset({"ReProtect", "Reprotect", "ReverseReplication", "SwitchProtection"})
    looks = 1440

    def request(self, task: Task, item: Body) -> Conversation[Request]:
        machine = yield from read_patiently(url_of(task.text("vm"), COMPUTE))
        profile = properties(machine.body).get("storageProfile") or {} if machine.ok else {}
        disks = [disk for disk in (profile.get("osDisk"), *(profile.get("dataDisks") or ())) if disk]
        details = {
            "instanceType": "A2A",
            "recoveryContainerId": task.text("container"),
            "policyId": task.text("policy"),
            "recoveryResourceGroupId": task.text("recovery_group"),
            "vmDisks": [
                {
                    "diskUri": str(disk["vhd"]["uri"]),
                    "recoveryAzureStorageAccountId": task.text("recovery_account"),
                    "primaryStagingAzureStorageAccountId": task.text("staging_account"),
                }
                for disk in disks
                if disk.get("vhd")
            ],
        }
        body = {"properties": {"failoverDirection": "RecoveryToPrimary", "providerSpecificDetails": details}}
        url = url_of(task.text("id"), SITE_RECOVERY, self.path)
        return Request(method="POST", url=url, body=body, repeatable=False)

    def is_done(self, task: Task, item: Body) -> bool:
        return item.get("protectionState") == "Protected"
