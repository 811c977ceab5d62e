"""Machines that are replicated and failed over as one: protection clusters (S8, S26, S52)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from farshore.arm.http import Response
from farshore.arm.json import Body
from lab.recovery.estate import (
    AWAY,
    HOME,
    POLICY,
    SOURCE,
    TARGET,
    VAULT,
    container,
    disk_id,
    fabric,
    item_id,
    network_id,
    plan_id,
    vm_id,
)
from lab.recovery.world import World, refusal

NODES = ("web1", "web2")


def cluster_id(region: str = HOME, name: str = "pair") -> str:
    return f"{container(region)}/replicationProtectionClusters/{name}"


def cluster_body(**more: Any) -> Body:
    details = {"instanceType": "A2A"}
    return {
        "properties": {
            "policyId": POLICY,
            "recoveryContainerId": container(AWAY),
            "providerSpecificDetails": details,
            **more,
        }
    }


def clustered(path: Path | None = None) -> World:
    """Two machines, nodes of one cluster, Protected."""
    world = World(*NODES, path=path)
    world.succeeds(world.send("PUT", cluster_id(), cluster_body()))
    for answer in [world.enable(name, protectionClusterId=cluster_id()) for name in NODES]:
        world.succeeds(answer)
    world.until(lambda: shown(world)["protectionState"] == "Protected")
    world.wait(minutes=20)
    return world


def shown(world: World, region: str = HOME) -> Body:
    found: Body = world.get(cluster_id(region))["properties"]
    return found


def ask(world: World, verb: str, region: str = HOME, **properties: Any) -> Response:
    return world.send("POST", f"{cluster_id(region)}/{verb}", {"properties": properties})


def fail_over(world: World, region: str = HOME, **details: Any) -> Response:
    given = {"instanceType": "A2A", **details}
    return ask(world, "unplannedFailover", region, failoverDirection="PrimaryToRecovery", providerSpecificDetails=given)


def points(world: World) -> list[Body]:
    found = world.rows(f"{cluster_id()}/recoveryPoints")
    return sorted(found, key=lambda row: str(row["properties"]["recoveryPointTime"]))


def used_times(world: World) -> set[str]:
    """The moments of the points from which the nodes were made."""
    history = world.handle("recovery-points")["value"]
    return {str(row["time"]) for row in history if row["used_by"]}


def test_a_new_cluster_has_no_nodes_and_nothing_to_do() -> None:
    world = World(*NODES)
    made = world.send("PUT", cluster_id(), cluster_body(), **{"api-version": "2024-04-01"})
    assert made.status == 201 and made.body["properties"]["provisioningState"] == "Created"
    assert "azure-asyncoperation" in made.headers and "location" in made.headers
    world.wait(minutes=1)
    assert (shown(world)["protectionState"], shown(world)["clusterProtectedItemIds"]) == ("NotProtected", [])
    assert refusal(fail_over(world)) == (409, "OperationNotAllowed")
    assert refusal(world.send("PUT", cluster_id(), cluster_body())) == (409, "ProtectionClusterExists")
    assert [row["name"] for row in world.rows(f"{VAULT}/replicationProtectionClusters")] == ["pair"]
    assert [row["name"] for row in world.rows(f"{container(HOME)}/replicationProtectionClusters")] == ["pair"]
    world.succeeds(world.send("DELETE", cluster_id()))
    assert not world.exists(cluster_id())


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"policyId": "nothing"}, (400, "InvalidParameter")),
        ({"recoveryContainerId": container(HOME)}, (400, "ContainersNotPaired")),
        ({"providerSpecificDetails": {"instanceType": "InMageRcm"}}, (501, "NotImplementedByLab")),
    ],
)
def test_a_cluster_that_cannot_be_is_refused(more: Body, code: tuple[int, str]) -> None:
    world = World(*NODES)
    assert refusal(world.send("PUT", cluster_id(), cluster_body(**more))) == code
    assert not world.exists(cluster_id())


def test_a_cluster_is_protected_when_its_nodes_are() -> None:
    world = clustered()
    cluster = shown(world)
    assert {text.lower() for text in cluster["clusterProtectedItemIds"]} == {item_id(name).lower() for name in NODES}
    assert cluster["areAllClusterNodesRegistered"] and len(cluster["clusterRegisteredNodes"]) == 2
    assert set(cluster["allowedOperations"]) == {"UnplannedFailover", "DisableProtection", "TestFailover"}
    details = world.item("web1")["providerSpecificDetails"]
    assert details["protectionClusterId"].lower() == cluster_id().lower()
    assert cluster["providerSpecificDetails"]["rpoInSeconds"] >= 0


def test_a_node_is_of_a_cluster_of_its_own_containers_only() -> None:
    world = World(*NODES)
    assert refusal(world.enable("web1", protectionClusterId=cluster_id())) == (400, "InvalidParameter")
    assert not world.exists(item_id("web1"))


def test_points_of_a_cluster_are_one_moment_of_all_nodes() -> None:
    world = clustered()
    found = points(world)
    assert len(found) >= 3
    details = found[-1]["properties"]["providerSpecificDetails"]
    assert details["recoveryPointSyncType"] == "MultiVmSyncRecoveryPoint" and len(details["nodes"]) == 2
    moment = found[-1]["properties"]["recoveryPointTime"]
    for name in NODES:
        assert moment in {point["properties"]["recoveryPointTime"] for point in world.points(name)}
    assert world.get(found[-1]["id"]) == found[-1]
    assert world.send("GET", f"{cluster_id()}/recoveryPoints/none").status == 404


@pytest.mark.parametrize("which", ["latest", "oldest", "single"])
def test_all_nodes_are_failed_over_within_one_job(which: str) -> None:
    world = clustered()
    given: Body = {}
    if which == "oldest":
        given = {"clusterRecoveryPointId": points(world)[0]["id"]}
    elif which == "single":
        given = {"individualNodeRecoveryPoints": [world.points(name)[0]["id"] for name in NODES]}
    answer = fail_over(world, **given)
    assert refusal(fail_over(world)) == (409, "OperationNotAllowed"), "while a job runs nothing else does"
    job = world.succeeds(answer)
    assert len(job["customDetails"]["protectedItemDetails"]) == 2
    assert job["customDetails"]["instanceType"] == "ClusterFailoverJobDetails"
    assert {world.power(vm_id(name, TARGET)) for name in NODES} == {"running"}
    if which != "single":
        assert len(used_times(world)) == 1, "the same moment"
    cluster = shown(world)
    assert "Commit" in cluster["allowedOperations"] and cluster["activeLocation"] == "Recovery"
    assert cluster["lastSuccessfulFailoverTime"] is not None
    world.succeeds(ask(world, "failoverCommit"))
    assert {world.state(name) for name in NODES} == {"UnplannedFailoverCommitted"}


def test_a_region_that_is_lost_leaves_one_moment_of_all_nodes() -> None:
    world = clustered()
    world.fault(HOME, "lost")
    world.wait(hours=1)
    world.succeeds(fail_over(world))
    assert len(used_times(world)) == 1


def test_another_point_is_applied_to_all_nodes_before_commit() -> None:
    world = clustered()
    wanted = points(world)[0]
    world.succeeds(fail_over(world))
    assert refusal(ask(world, "applyRecoveryPoint")) == (400, "InvalidParameter")
    given = {"instanceType": "A2A"}
    world.succeeds(ask(world, "applyRecoveryPoint", clusterRecoveryPointId=wanted["id"], providerSpecificDetails=given))
    assert wanted["properties"]["recoveryPointTime"] in used_times(world)
    assert {world.power(vm_id(name, TARGET)) for name in NODES} == {"running"}


def test_a_drill_of_a_cluster_and_its_cleanup() -> None:
    world = clustered()
    answer = ask(
        world,
        "testFailover",
        failoverDirection="PrimaryToRecovery",
        networkType="VmNetworkAsInput",
        networkId=network_id("vnet-drill"),
        providerSpecificDetails={"instanceType": "A2A"},
    )
    job = world.succeeds(answer)
    assert job["customDetails"]["testFailoverStatus"] == "WaitingForCompletion"
    assert {world.power(vm_id(f"{name}-test", TARGET)) for name in NODES} == {"running"}
    assert shown(world)["allowedOperations"] == ["TestFailoverCleanup"]
    world.succeeds(ask(world, "testFailoverCleanup", comments="seen"))
    assert not any(world.exists(vm_id(f"{name}-test", TARGET)) for name in NODES)
    assert shown(world)["lastSuccessfulTestFailoverTime"] is not None
    assert shown(world)["protectionState"] == "Protected" and shown(world)["healthErrors"] == []


def test_a_node_that_fails_makes_the_job_fail_and_the_other_goes_on() -> None:
    world = clustered()
    world.put(
        disk_id("web1-os", TARGET),
        {
            "location": AWAY,
            "sku": {"name": "Premium_LRS"},
            "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 1},
        },
    )
    world.fails(fail_over(world))
    assert world.state("web1") == "UnplannedFailoverFailed"
    assert world.power(vm_id("web2", TARGET)) == "running"


def test_a_cluster_is_reprotected_and_comes_home() -> None:
    world = clustered()
    world.succeeds(fail_over(world))
    world.succeeds(ask(world, "failoverCommit"))
    members = [
        {
            "replicationProtectedItemName": name,
            "recoveryResourceGroupId": SOURCE,
            **world.disks_of(vm_id(name, TARGET), AWAY, HOME),
        }
        for name in NODES
    ]
    details = {"instanceType": "A2A", "recoveryContainerId": container(HOME), "policyId": POLICY}
    path = f"{container(HOME)}/switchClusterProtection"
    body = {"replicationProtectionClusterName": "pair", "providerSpecificDetails": details}
    assert refusal(world.send("POST", path, {"properties": body})) == (400, "InvalidParameter"), "no node is told of"
    details["protectedItemsDetail"] = members  # type: ignore[assignment]
    job = world.succeeds(world.send("POST", path, {"properties": body}))
    assert job["customDetails"]["newReplicationProtectionClusterId"].lower() == cluster_id(AWAY).lower()
    assert (job["scenarioName"], job["friendlyName"]) == ("SwitchProtectionCluster", "Cluster reprotect"), "recorded"
    assert job["customDetails"]["affectedObjectDetails"]["protectionClusterName"] == "pair"
    assert not world.exists(cluster_id())
    world.until(lambda: shown(world, AWAY)["protectionState"] == "Protected")
    world.wait(minutes=20)
    world.succeeds(fail_over(world, AWAY))
    assert {world.power(vm_id(name)) for name in NODES} == {"running"}


def test_a_cluster_that_is_deleted_leaves_its_machines_unprotected_and_running() -> None:
    world = clustered()
    world.succeeds(world.send("DELETE", cluster_id()))
    assert not any(world.exists(item_id(name)) for name in NODES) and not world.exists(cluster_id())
    assert {world.power(vm_id(name)) for name in NODES} == {"running"}
    assert not world.exists(disk_id("web1-os-ASRReplica", TARGET))


def test_no_recovery_plan_takes_a_node() -> None:
    """S52."""
    world = clustered()
    fabrics = {"primaryFabricId": fabric(HOME), "recoveryFabricId": fabric(AWAY)}
    boot = {"groupType": "Boot", "replicationProtectedItems": [{"id": item_id("web1")}]}
    answer = world.send("PUT", plan_id("plan"), {"properties": {**fabrics, "groups": [boot]}})
    assert refusal(answer) == (400, "InvalidItem")


def test_a_clusters_broken_replicas_are_repaired_in_one_job() -> None:
    world = clustered()
    assert refusal(ask(world, "repairReplication")) == (409, "OperationNotAllowed")
    world.delete(disk_id("web2-os-ASRReplica", TARGET))
    world.wait(hours=2)
    assert shown(world)["replicationHealth"] == "Critical"
    world.succeeds(ask(world, "repairReplication"))
    world.wait(minutes=20)
    assert shown(world)["replicationHealth"] == "Normal" and world.exists(disk_id("web2-os-ASRReplica", TARGET))


def test_a_run_of_a_cluster_goes_on_in_a_lab_that_is_opened_again(tmp_path: Path) -> None:
    world = clustered(tmp_path / "lab.db")
    answer = fail_over(world)
    world.wait(seconds=30)
    world.reopen()
    assert len(points(world)) >= 3
    world.succeeds(answer)
    assert {world.power(vm_id(name, TARGET)) for name in NODES} == {"running"}
    world.cloud.store.close()
