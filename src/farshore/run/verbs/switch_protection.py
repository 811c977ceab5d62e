"""switch_protection: reprotect a machine with managed disks (S50).

The POST goes to the container where the item lives now and names the disks of the machine as it runs now: Site
Recovery named them, so they are read at this moment. Its fruit is another item, under the other container; done when
that one is Protected, which takes as long as the differences are large (S46).
"""

from __future__ import annotations

from farshore.arm.http import Request
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.arm.versions import COMPUTE, SITE_RECOVERY
from farshore.azure.conversation import Conversation
from farshore.run.verbs.base import Task, properties, read_patiently, url_of
from farshore.run.verbs.item_actions import ItemAction


class SwitchProtection(ItemAction):
    path = "switchprotection"
    scenarios = frozenset({"SwitchProtection", "Reprotect", "ReverseReplication"})
    looks = 1440

    def request(self, task: Task, item: Body) -> Conversation[Request]:
        machine = yield from read_patiently(url_of(task.text("vm"), COMPUTE))
        profile = properties(machine.body).get("storageProfile") or {} if machine.ok else {}
        disks = [disk for disk in (profile.get("osDisk"), *(profile.get("dataDisks") or ())) if disk]
        container = str(ResourceId(task.text("id")).parent)
        details = {
            "instanceType": "A2A",
            "recoveryContainerId": task.text("container"),
            "policyId": task.text("policy"),
            "recoveryResourceGroupId": task.text("recovery_group"),
            "vmManagedDisks": [
                {
                    "diskId": str(disk["managedDisk"]["id"]),
                    "primaryStagingAzureStorageAccountId": task.text("staging_account"),
                    "recoveryResourceGroupId": task.text("recovery_group"),
                }
                for disk in disks
                if disk.get("managedDisk")
            ],
        }
        name = ResourceId(task.text("id")).name
        body = {"properties": {"replicationProtectedItemName": name, "providerSpecificDetails": details}}
        url = url_of(container, SITE_RECOVERY, self.path)
        return Request(method="POST", url=url, body=body, repeatable=False)

    def where(self, task: Task) -> str:
        return task.text("reverse_item")

    def is_done(self, task: Task, item: Body) -> bool:
        return item.get("protectionState") == "Protected"
