"""Protected items of an estate that was read where machines are protected already: live, from the state they are in.

Each test brings one lab into a state, reads it as Azure is read, and begins another lab from what was read.
"""

from __future__ import annotations

import asyncio
from copy import deepcopy
from datetime import datetime

import pytest

from farshore.arm.json import Body
from farshore.azure.inventory import read_estate
from farshore.clock import LabClock
from farshore.lab import open_lab
from farshore.lab.transport import lab_client
from lab.recovery.estate import AWAY, CACHES, HOME, SOURCE, TARGET, VAULT, disk_id, item_id, vm_id
from lab.recovery.plans import planned
from lab.recovery.test_recovery_clusters import NODES, clustered, fail_over, shown
from lab.recovery.test_recovery_clusters import points as cluster_points
from lab.recovery.world import World, refusal

CHANGING = (
    "agentCertificateExpiryDate",
    "creationTimeUtc",
    "dataPendingAtSourceAgentInMB",
    "failoverRecoveryPointId",
    "jobId",
    "lastHeartbeat",
    "lastRpoCalculatedTime",
    "rpoInSeconds",
)
"""What is of the moment; and, where a test stands, the point's name."""


def read(world: World) -> list[Body]:
    clock = LabClock(world.now)

    async def reading() -> list[Body]:
        async with lab_client(world.cloud, clock) as client, clock.actor("reader"):
            return await read_estate(client, ["00000000-0000-0000-0000-000000000001"])

    return asyncio.run(reading())


def read_again(world: World, *without: str) -> World:
    """A lab that begins from what is read of this one, save the ids that are not in scope."""
    bodies = [body for body in read(world) if str(body["id"]).lower() not in {id_.lower() for id_ in without}]
    return begun_from(deepcopy(bodies), world.now)


def begun_from(bodies: list[Body], now: datetime) -> World:
    found = World(bare=True)
    found.now = now
    found.cloud = open_lab(None, now=now, settings=found.cloud.settings)
    found.cloud.seed(bodies)
    return found


def steady(value: object) -> object:
    if isinstance(value, dict):
        return {key: steady(item) for key, item in value.items() if key not in CHANGING}
    return [steady(item) for item in value] if isinstance(value, list) else value


@pytest.fixture
def world() -> World:
    made = World("web1")
    made.protect("web1")
    return made


def test_an_item_that_is_read_shows_the_same_again(world: World) -> None:
    other = read_again(world)
    assert steady(other.item("web1")) == steady(world.item("web1"))
    assert len(other.points("web1")) == 1


def test_it_can_be_tested_cleaned_up_and_failed_over(world: World) -> None:
    other = read_again(world)
    other.succeeds(other.test("web1"))
    assert other.allowed("web1") == {"TestFailoverCleanup"}
    other.succeeds(other.verb("web1", "testFailoverCleanup"))
    other.fail_over("web1", shutdown=True)
    assert other.power(vm_id("web1", TARGET)) == "running"
    other.succeeds(other.switch("web1"))
    other.until(lambda: other.state("web1", AWAY) == "Protected")
    other.fail_over("web1", region=AWAY)
    assert other.power(vm_id("web1")) == "running"


def test_a_failover_brings_the_bytes_of_the_point(world: World) -> None:
    other = read_again(world)
    other.wait(minutes=20)
    assert len(other.points("web1")) > 3
    before = {disk: other.sha256(disk_id(disk)) for disk in ("web1-os", "web1-data")}
    other.succeeds(other.failover("web1", point=other.points("web1")[0]["name"]))
    (used,) = other.used("web1")
    point = other.handle("recovery-points")["value"]
    row = next(each for each in point if each["used_by"])
    assert other.holds_all(row, used)
    assert other.sha256(disk_id("web1-os", TARGET)) != before["web1-os"], "it has been written to since"


def test_a_replica_that_was_read_is_the_services_own(world: World) -> None:
    assert any(str(body["id"]).endswith("web1-os-ASRReplica") for body in read(world))
    other = read_again(world)
    assert "RepairReplication" not in other.allowed("web1")
    alone = read_again(world, disk_id("web1-os-ASRReplica", TARGET), disk_id("web1-data-ASRReplica", TARGET))
    assert "RepairReplication" not in alone.allowed("web1"), "one that was not in scope is made"
    assert alone.exists(disk_id("web1-os-ASRReplica", TARGET))


def test_a_tested_item_says_so_and_is_cleaned_up(world: World) -> None:
    world.succeeds(world.test("web1"))
    other = read_again(world)
    assert steady(other.item("web1")) == steady(world.item("web1"))
    assert other.send("POST", f"{item_id('web1')}/testFailover", {"properties": {}}).status == 409
    other.succeeds(other.verb("web1", "testFailoverCleanup"))
    assert not other.exists(vm_id("web1-test", TARGET)) and not other.exists(disk_id("web1-os-ASRtest", TARGET))
    third = read_again(other)
    assert steady(third.item("web1")) == steady(other.item("web1")), "the test counts"


def test_a_failed_over_item_takes_another_point_or_is_committed(world: World) -> None:
    world.succeeds(world.failover("web1"))
    other = read_again(world)
    assert steady(other.item("web1")) == steady(world.item("web1"))
    assert other.item("web1")["failoverRecoveryPointId"] == world.item("web1")["failoverRecoveryPointId"]
    other.succeeds(other.verb("web1", "applyRecoveryPoint", {"recoveryPointId": other.points("web1")[0]["id"]}))
    (used,) = [each for row in other.handle("recovery-points")["value"] for each in row["used_by"]]
    assert used["scenario"] == "ChangePit", "the machine is made again"
    assert other.power(vm_id("web1", TARGET)) == "running"
    other.succeeds(other.commit("web1"))
    assert other.points("web1") == []


def test_a_committed_item_is_reprotected_and_comes_home(world: World) -> None:
    world.fail_over("web1")
    other = read_again(world)
    assert steady(other.item("web1")) == steady(world.item("web1"))
    other.succeeds(other.switch("web1"))
    other.until(lambda: other.state("web1", AWAY) == "Protected")
    again = read_again(other)
    assert steady(again.item("web1", AWAY)) == steady(other.item("web1", AWAY))
    again.fail_over("web1", region=AWAY)
    assert again.exists(vm_id("web1")) and again.power(vm_id("web1")) == "running"
    assert again.addresses(f"{SOURCE}/providers/Microsoft.Network/networkInterfaces/web1-nic") == ["10.1.0.4"]


def test_reprotection_that_was_read_before_its_end_goes_on_and_comes_home(world: World) -> None:
    world.fail_over("web1")
    world.succeeds(world.switch("web1"))
    assert world.state("web1", AWAY) == "InitialReplicationInProgress"
    other = read_again(world)
    other.until(lambda: other.state("web1", AWAY) == "Protected")
    other.fail_over("web1", region=AWAY)
    assert other.addresses(f"{SOURCE}/providers/Microsoft.Network/networkInterfaces/web1-nic") == ["10.1.0.4"]


def test_a_job_that_was_under_way_has_not_begun(world: World) -> None:
    answer = world.failover("web1")
    assert world.state("web1") == "UnplannedFailoverInitiated"
    other = read_again(world)
    assert other.state("web1") == "Protected"
    assert other.item("web1")["currentScenario"]["scenarioName"] == "None"
    other.fail_over("web1")
    world.succeeds(answer)
    answer = world.commit("web1")
    assert read_again(world).allowed("web1") >= {"Commit"}
    world.succeeds(answer)
    world.switch("web1")
    assert read_again(world).allowed("web1") == {"ReverseReplicate", "DisableProtection"}


def test_initial_replication_is_begun_again() -> None:
    world = World("web1")
    world.enable("web1")
    world.until(lambda: world.state("web1") == "InitialReplicationInProgress")
    other = read_again(world)
    assert other.state("web1") == "InitialReplicationInProgress"
    other.until(lambda: other.state("web1") == "Protected")
    assert other.item("web1")["providerSpecificDetails"]["vmNics"]
    other.fail_over("web1")


def test_an_item_with_unmanaged_disks_goes_and_comes_home() -> None:
    world = World("file1")
    world.protect("file1")
    there = read_again(world)
    assert steady(there.item("file1")) == steady(world.item("file1"))
    there.fail_over("file1")
    there.succeeds(there.reprotect("file1"))
    there.until(lambda: there.state("file1") == "Protected")
    back = read_again(there)
    assert back.failover("file1").status == 400, "it goes the other way"
    back.succeeds(back.failover("file1", direction="RecoveryToPrimary"))
    assert back.item("file1")["activeLocation"] == "Primary"


def test_a_recovery_plan_that_was_read_fails_its_machines_over() -> None:
    world = planned(["web1", "web2"])
    other = read_again(world)
    body = {"failoverDirection": "PrimaryToRecovery", "sourceSiteOperations": "NotRequired"}
    path = f"{VAULT}/replicationRecoveryPlans/plan/unplannedFailover"
    other.succeeds(other.send("POST", path, {"properties": {**body, "providerSpecificDetails": []}}))
    assert all(other.power(vm_id(name, TARGET)) == "running" for name in ("web1", "web2"))


def test_a_cluster_that_was_read_has_its_nodes_and_points_and_fails_over_as_one() -> None:
    world = clustered()
    other = read_again(world)
    assert steady(shown(other)) == steady(shown(world))
    other.wait(minutes=20)
    assert len(cluster_points(other)) > 2
    other.succeeds(fail_over(other))
    assert all(other.power(vm_id(name, TARGET)) == "running" for name in NODES)


def test_a_machine_out_of_scope_is_as_one_that_is_lost(world: World) -> None:
    other = read_again(world, vm_id("web1"), disk_id("web1-os"), disk_id("web1-data"))
    other.wait(hours=2)
    assert other.item("web1")["replicationHealth"] == "Critical"
    other.fail_over("web1")
    assert other.power(vm_id("web1", TARGET)) == "running"


def test_without_its_cache_account_an_item_does_not_ship(world: World) -> None:
    other = read_again(world, CACHES[HOME])
    other.wait(minutes=30)
    assert len(other.points("web1")) == 1


@pytest.mark.parametrize(
    ("details", "state", "refused"),
    [
        ({"instanceType": "HyperVReplicaAzure"}, "Protected", (501, "NotImplementedByLab")),
        ({"instanceType": "A2A"}, "Protected", (409, "OperationNotAllowed")),
        (None, "PlannedFailoverInitiated", (409, "OperationNotAllowed")),
    ],
)
def test_what_can_not_be_acted_on_is_shown_as_it_was(
    world: World, details: Body | None, state: str, refused: tuple[int, str]
) -> None:
    bodies = read(world)
    (item,) = [body for body in bodies if str(body["id"]).lower() == item_id("web1").lower()]
    item["properties"] |= {"protectionState": state}
    if details is not None:
        item["properties"]["providerSpecificDetails"] = details
    other = begun_from(bodies, world.now)
    assert other.state("web1") == state
    assert (
        other.item("web1")["providerSpecificDetails"]["instanceType"]
        == (details or {"instanceType": "A2A"})["instanceType"]
    )
    for verb in ("unplannedFailover", "failoverCommit", "testFailover", "addDisks"):
        assert refusal(other.verb("web1", verb)) == refused, verb


def test_views_of_a_vault_bear_an_item_of_which_little_was_told(world: World) -> None:
    bodies = read(world)
    (item,) = [body for body in bodies if str(body["id"]).lower() == item_id("web1").lower()]
    item["properties"] = {"friendlyName": "web1", "protectionState": "Protected"}
    other = begun_from(bodies, world.now)
    views = ("replicationVaultHealth", "replicationProtectedItems", "replicationEvents", "replicationUsages", "usages")
    for view in ("", *(f"/{name}" for name in views)):
        assert other.send("GET", f"{VAULT}{view}").status in (200, 404), view
    other.wait(hours=1)
    assert other.item("web1")["allowedOperations"] == []
