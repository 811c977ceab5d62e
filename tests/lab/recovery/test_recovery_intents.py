"""A machine protected by one call: what the service makes on its way, and what it never makes (S17, S31 to S33)."""

from __future__ import annotations

from typing import Any

import pytest

from farshore.arm.json import Body
from lab.recovery.estate import AWAY, GROUPS, HOME, TARGET, VAULT, item_id, network_id, vm_id
from lab.recovery.world import World, refusal

INTENT = f"{VAULT}/replicationProtectionIntents/intent"
MADE = f"{GROUPS}/rg-made-asr"


def intent(name: str = "web1", **more: Any) -> Body:
    details = {
        "instanceType": "A2A",
        "fabricObjectId": vm_id(name),
        "primaryLocation": HOME,
        "recoveryLocation": AWAY,
        "recoverySubscriptionId": GROUPS.split("/")[2],
        "recoveryAvailabilityType": "Single",
        "recoveryResourceGroupId": MADE,
        **more,
    }
    return {"properties": {"providerSpecificDetails": details}}


def bare() -> World:
    """A vault with nothing in it."""
    world = World("web1", bare=True)
    world.put(VAULT, {"location": AWAY, "sku": {"name": "RS0", "tier": "Standard"}, "properties": {}})
    return world


def items(world: World) -> list[Body]:
    return world.rows(f"{VAULT}/replicationProtectedItems")


def test_all_that_is_needed_is_made_and_the_machine_is_protected() -> None:
    world = bare()
    answer = world.send("PUT", INTENT, intent())
    assert answer.status == 200, answer
    shown = answer.body["properties"]
    assert (shown["friendlyName"], shown["jobState"], shown["isActive"]) == ("web1", "InProgress", True)
    job = shown["jobId"].rsplit("/", 1)[1]
    world.until(lambda: world.job(job)["state"] == "Succeeded")
    assert world.get(INTENT)["properties"]["jobState"] == "Succeeded"
    assert world.get(INTENT)["properties"]["isActive"] is False
    world.until(lambda: items(world)[0]["properties"]["protectionState"] == "Protected")
    assert {row["properties"]["customDetails"]["location"] for row in world.rows(f"{VAULT}/replicationFabrics")} == {
        HOME,
        AWAY,
    }
    assert len(world.rows(f"{VAULT}/replicationProtectionContainerMappings")) == 2, "both ways"
    assert len(world.rows(f"{VAULT}/replicationNetworkMappings")) == 2, "both ways"
    network = world.get(f"{MADE}/providers/Microsoft.Network/virtualNetworks/vnet-source-asr")
    assert network["location"] == AWAY
    [subnet] = network["properties"]["subnets"]
    assert (subnet["name"], subnet["properties"]["addressPrefix"]) == ("app", "10.1.0.0/24")
    assert "networkSecurityGroup" not in subnet["properties"], "S32"
    [item] = items(world)
    details = item["properties"]["providerSpecificDetails"]
    assert details["selectedRecoveryAzureNetworkId"].lower() == network["id"].lower()
    assert len(details["protectedManagedDisks"]) == 2, "all of the machine's"
    world.succeeds(world.send("POST", f"{item['id']}/unplannedFailover", failover()))
    assert world.power(vm_id("web1", MADE)) == "running"


def failover() -> Body:
    details = {"instanceType": "A2A"}
    return {"properties": {"failoverDirection": "PrimaryToRecovery", "providerSpecificDetails": details}}


def test_what_is_there_is_used_again() -> None:
    world = World("web1", "web2")
    accounts = [row["id"] for row in world.rows(f"{TARGET}/providers/Microsoft.Storage/storageAccounts")]
    before = world.rows(f"{VAULT}/replicationProtectionContainers")
    for name in ("web1", "web2"):
        answer = world.send("PUT", f"{INTENT}-{name}", intent(name, recoveryResourceGroupId=TARGET))
        assert answer.status == 200, answer
    assert [row["id"] for row in world.rows(f"{VAULT}/replicationProtectionContainers")] == [r["id"] for r in before]
    assert len(world.rows(f"{VAULT}/replicationFabrics")) == 2
    world.wait(hours=2)
    networks = {
        row["properties"]["providerSpecificDetails"]["selectedRecoveryAzureNetworkId"].lower() for row in items(world)
    }
    assert networks == {network_id("vnet-target").lower()}, "the mapping's (S33)"
    assert [row["id"] for row in world.rows(f"{TARGET}/providers/Microsoft.Storage/storageAccounts")] == accounts
    assert len(world.rows(f"{VAULT}/replicationProtectionIntents")) == 2


def test_existing_things_are_taken_where_they_are_named() -> None:
    world = World("web1")
    drill = {"resourceType": "Existing", "recoveryVirtualNetworkId": network_id("vnet-drill")}
    wanted = intent(
        recoveryVirtualNetworkCustomInput=drill,
        protectionProfileCustomInput={
            "resourceType": "New",
            "policyName": "three-days",
            "recoveryPointHistory": 4320,
            "multiVmSyncStatus": "Enable",
        },
    )
    assert world.send("PUT", INTENT, wanted).status == 200
    world.wait(hours=2)
    [item] = items(world)
    assert item["properties"]["policyFriendlyName"] == "three-days"
    details = item["properties"]["providerSpecificDetails"]
    assert details["selectedRecoveryAzureNetworkId"].lower() == network_id("vnet-drill").lower()


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"fabricObjectId": vm_id("nobody")}, (400, "InvalidParameter")),
        ({"primaryLocation": AWAY}, (400, "InvalidParameter")),
        ({"recoveryLocation": HOME}, (400, "InvalidParameter")),
        ({"recoveryResourceGroupId": "nowhere"}, (400, "InvalidParameter")),
        ({"recoveryAvailabilityType": None}, (400, "InvalidParameter")),
        ({"vmManagedDisks": [{"diskId": "elsewhere"}]}, (400, "DiskNotAttached")),
        ({"protectionProfileCustomInput": {"resourceType": "Odd"}}, (400, "InvalidParameter")),
        ({"primaryStagingStorageAccountCustomInput": {"resourceType": "Existing"}}, (400, "InvalidParameter")),
        ({"protectionProfileCustomInput": {"recoveryPointHistory": 10**6}}, (400, "InvalidParameter")),
        ({"instanceType": "InMageRcm"}, (501, "NotImplementedByLab")),
    ],
)
def test_what_cannot_be_protected_is_refused_before_anything_is_made(more: Body, code: tuple[int, str]) -> None:
    world = bare()
    assert refusal(world.send("PUT", INTENT, intent(**more))) == code
    assert world.rows(f"{VAULT}/replicationFabrics") == [] and not world.exists(MADE)
    assert not world.exists(INTENT)


def test_a_machine_is_protected_once() -> None:
    world = World("web1")
    world.protect("web1")
    assert refusal(world.send("PUT", INTENT, intent())) == (409, "MachineAlreadyProtected")
    assert world.state("web1") == "Protected" and world.exists(item_id("web1"))
