"""Why a resource may differ after a way there and back."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from farshore.arm.ids import resource_id
from farshore.cli.exercise.compare import UNEXPLAINED, _Reasons

GROUP = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/works/providers"
VM = resource_id(f"{GROUP}/Microsoft.Compute/virtualMachines/press")
NIC = resource_id(f"{GROUP}/Microsoft.Network/networkInterfaces/press")
DISK = resource_id(f"{GROUP}/Microsoft.Compute/disks/press-data")
OTHER = resource_id(f"{GROUP}/Microsoft.Compute/disks/archive")


def test_a_failed_over_machines_disk_may_be_told_another_speed_and_no_other_size() -> None:
    estate: Any = SimpleNamespace(resources={DISK.key: {"managedBy": VM.text}, OTHER.key: {}}, network_interfaces=())
    machine = SimpleNamespace(id=VM, nic=NIC, target_id=VM, target_nic=NIC)
    plan: Any = SimpleNamespace(
        steps=(), events=(), machines=[machine], source_region="eastasia", target_region="westus"
    )
    reasons = _Reasons(estate, estate, plan)
    assert reasons.of_path(DISK.key, "properties.diskMBpsReadWrite") != UNEXPLAINED
    assert reasons.of_path(DISK.key, "properties.diskSizeGB") == UNEXPLAINED
    assert reasons.of_path(OTHER.key, "properties.diskMBpsReadWrite") == UNEXPLAINED


def test_a_vault_that_is_let_go_of_has_fewer_items() -> None:
    vault = resource_id(f"{GROUP}/Microsoft.RecoveryServices/vaults/beside")
    container = vault.child("replicationFabrics", "f").child("replicationProtectionContainers", "c")
    item = container.child("replicationProtectedItems", "press")
    step = SimpleNamespace(
        id="protect/let-go/press", kind="arm", subject=item.text, title="Disable it", effects=(), after=()
    )
    estate: Any = SimpleNamespace(resources={}, network_interfaces=())
    machine = SimpleNamespace(id=VM, nic=NIC, target_id=VM, target_nic=NIC)
    plan: Any = SimpleNamespace(
        steps=[step], events=(), machines=[machine], source_region="eastasia", target_region="westus"
    )
    reasons = _Reasons(estate, estate, plan)
    assert reasons.of_resource(item.key, added=False) == "the plan's own: Disable it"
    assert "S10" in reasons.of_path(container.key, "properties.protectedItemCount")
    other = resource_id(f"{GROUP}/Microsoft.RecoveryServices/vaults/other")
    assert reasons.of_path(other.key, "properties.protectedItemCount") == UNEXPLAINED
