"""Requests that make no sense are answered, and change nothing: no crash, whatever stands where something should."""

from __future__ import annotations

from typing import Any

import pytest

from farshore.arm.json import Body
from lab.recovery.estate import (
    AWAY,
    CACHES,
    HOME,
    POLICY,
    TARGET,
    VAULT,
    container,
    disk_id,
    item_id,
    network_id,
    vm_id,
)
from lab.recovery.world import World

ODD: tuple[Any, ...] = (None, 7, "nothing", "/", [], ["x"], [7], {}, {"x": 1}, [{}], [{"diskId": 3}])
CLUSTER = f"{container(HOME)}/replicationProtectionClusters/pair"
A2A = {"instanceType": "A2A"}
MANAGED = {"vmManagedDisks": [{"diskId": disk_id("web1-data")}], "vmDisks": []}
INTENT = {
    **A2A,
    "fabricObjectId": vm_id("web2"),
    "primaryLocation": HOME,
    "recoveryLocation": AWAY,
    "recoverySubscriptionId": "x",
    "recoveryAvailabilityType": "Single",
    "recoveryResourceGroupId": TARGET,
    "recoveryVirtualNetworkCustomInput": {
        "resourceType": "New",
        "recoveryVirtualNetworkName": "vnet-x",
        "recoveryVirtualNetworkResourceGroupName": "rg-x",
        "recoverySubnetName": "app",
    },
    "primaryStagingStorageAccountCustomInput": {"resourceType": "Existing", "azureStorageAccountId": CACHES[HOME]},
    "protectionProfileCustomInput": {"resourceType": "New", "policyName": "x", "recoveryPointHistory": 60},
    "recoveryAvailabilitySetCustomInput": {"resourceType": "New", "recoveryAvailabilitySetName": "x"},
    "recoveryBootDiagStorageAccount": {},
    "multiVmGroupName": "x",
    "agentAutoUpdateStatus": "Disabled",
    "recoveryAvailabilityZone": "1",
    "autoProtectionOfDataDisk": "Disabled",
    "vmManagedDisks": [],
    "vmDisks": [],
}
SENT: dict[str, tuple[str, str, Body]] = {
    "addDisks": ("POST", f"{item_id('web1')}/addDisks", {"providerSpecificDetails": {**A2A, **MANAGED}}),
    "removeDisks": (
        "POST",
        f"{item_id('web1')}/removeDisks",
        {"providerSpecificDetails": {**A2A, "vmManagedDisksIds": ["x"], "vmDisksUris": ["x"]}},
    ),
    "resolve": ("POST", f"{item_id('web1')}/resolveHealthErrors", {"healthErrors": [{"healthErrorId": "x"}]}),
    "intent": ("PUT", f"{VAULT}/replicationProtectionIntents/odd", {"providerSpecificDetails": INTENT}),
    "cluster": (
        "PUT",
        f"{CLUSTER}-odd",
        {"policyId": "x", "recoveryContainerId": container(AWAY), "providerSpecificDetails": A2A},
    ),
    "clusterFailover": (
        "POST",
        f"{CLUSTER}/unplannedFailover",
        {
            "failoverDirection": "x",
            "sourceSiteOperations": "x",
            "providerSpecificDetails": {
                **A2A,
                "clusterRecoveryPointId": "x",
                "individualNodeRecoveryPoints": ["x"],
            },
        },
    ),
    "clusterTest": (
        "POST",
        f"{CLUSTER}/testFailover",
        {
            "failoverDirection": "PrimaryToRecovery",
            "networkType": "x",
            "networkId": network_id("vnet-drill"),
            "providerSpecificDetails": {**A2A, "clusterRecoveryPointId": "x"},
        },
    ),
    "clusterPoint": (
        "POST",
        f"{CLUSTER}/applyRecoveryPoint",
        {"clusterRecoveryPointId": "x", "individualNodeRecoveryPoints": ["x"], "providerSpecificDetails": A2A},
    ),
    "clusterSwitch": (
        "POST",
        f"{container(HOME)}/switchClusterProtection",
        {
            "replicationProtectionClusterName": "pair",
            "providerSpecificDetails": {
                **A2A,
                "recoveryContainerId": container(HOME),
                "policyId": POLICY,
                "protectedItemsDetail": [{"replicationProtectedItemName": "web1"}],
            },
        },
    ),
    "settings": ("PUT", f"{VAULT}/replicationVaultSettings/odd", {"migrationSolutionId": "x"}),
    "extended": ("PUT", f"{VAULT}/extendedInformation/vaultExtendedInfo", {"integrityKey": "x", "algorithm": "x"}),
}


@pytest.mark.parametrize("name", SENT)
def test_what_makes_no_sense_is_answered(name: str) -> None:
    world = World("web1", "web2")
    world.succeeds(
        world.send(
            "PUT",
            CLUSTER,
            {
                "properties": {
                    "policyId": POLICY,
                    "recoveryContainerId": container(AWAY),
                    "providerSpecificDetails": A2A,
                }
            },
        )
    )
    world.succeeds(world.enable("web1", protectionClusterId=CLUSTER))
    world.until(lambda: world.state("web1") == "Protected")
    world.wait(minutes=20)
    method, path, properties = SENT[name]
    before = _state(world)
    bodies: list[Any] = [
        None,
        [],
        "x",
        {"properties": 3},
        {"properties": None},
        *({"properties": odd} for odd in _odd(properties)),
    ]
    for body in bodies:
        answer = world.send(method, path, body)
        assert answer.status < 500 or answer.status == 501, (body, answer)
        if answer.status >= 400:
            assert answer.body["error"]["code"] and _state(world) == before, body
        else:
            world.wait(minutes=15)
            for row in world.rows(f"{VAULT}/replicationProtectedItems"):
                if row["properties"]["friendlyName"] == "web2":
                    world.succeeds(world.send("DELETE", row["id"]))
            before = _state(world)


def _odd(value: Body) -> list[Body]:
    """The body with each of its parts replaced by each odd thing, one at a time."""
    found: list[Body] = []
    for key, held in value.items():
        found += [{**value, key: odd} for odd in ODD]
        if isinstance(held, dict):
            found += [{**value, key: inner} for inner in _odd(held)]
    return found


def _state(world: World) -> list[Any]:
    lists = (
        "replicationFabrics",
        "replicationProtectionContainers",
        "replicationPolicies",
        "replicationProtectedItems",
    )
    more = ("replicationProtectionClusters", "replicationProtectionIntents", "replicationVaultSettings")
    found = [[row["id"] for row in world.rows(f"{VAULT}/{name}")] for name in (*lists, *more)]
    item = world.send("GET", item_id("web1")).body.get("properties")
    disks = item and [disk["diskId"] for disk in item["providerSpecificDetails"]["protectedManagedDisks"]]
    return [*found, disks, item and (item["protectionState"], item["currentScenario"]["scenarioName"])]
