"""Places and keys that a request names for the recovery region: the machine and its disks that are made have them."""

from __future__ import annotations

from lab.recovery.estate import AWAY, HOME, TARGET, vm_id
from lab.recovery.world import World

KEYS = f"{TARGET}/providers/Microsoft.Compute/diskEncryptionSets/keys"


def test_a_zone_and_a_disks_key_are_those_of_the_request() -> None:
    """S12, S63: the source's key is one region's, and is not carried where another is named."""
    world = World("web1")

    first, *rest = world.disks_of(vm_id("web1"), HOME, AWAY)["vmManagedDisks"]
    disks = [{**first, "recoveryDiskEncryptionSetId": KEYS}, *rest]
    world.succeeds(world.enable("web1", recoveryAvailabilityZone="2", vmManagedDisks=disks))
    world.until(lambda: world.state("web1") == "Protected")
    shown = world.item("web1")["providerSpecificDetails"]["protectedManagedDisks"]
    assert [disk["recoveryDiskEncryptionSetId"] for disk in shown] == [KEYS, None]
    world.succeeds(world.failover("web1"))
    machine = world.get(vm_id("web1", TARGET))
    assert machine["zones"] == ["2"]
    profile = machine["properties"]["storageProfile"]
    made = world.get(profile["osDisk"]["managedDisk"]["id"])["properties"]["encryption"]
    assert made == {"type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSetId": KEYS}
    other = world.get(profile["dataDisks"][0]["managedDisk"]["id"])["properties"]
    assert "diskEncryptionSetId" not in other.get("encryption", {})
