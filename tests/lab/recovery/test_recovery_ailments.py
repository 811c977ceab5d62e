"""Replication that ails because the lab was told so, and jobs that fail or find no room (S22, S29, S57)."""

from __future__ import annotations

import pytest

from farshore.arm.http import Request
from farshore.arm.json import Body
from lab.recovery.estate import AWAY, TARGET, VAULT, vm_id
from lab.recovery.world import World

WEB1 = vm_id("web1")


@pytest.fixture
def world() -> World:
    made = World("web1")
    made.protect("web1")
    made.wait(minutes=20)
    return made


def fault(world: World, **wanted: object) -> None:
    answer = world.cloud.handle(Request(method="POST", url="/_lab/faults", body=wanted), world.cloud.now)
    assert answer.ok, answer.body


def codes(world: World) -> dict[str, str]:
    item: Body = world.item("web1")
    return {error["errorCode"]: error["errorLevel"] for error in item["healthErrors"]}


def test_a_machine_that_is_cut_off_is_critical_at_once_and_ages(world: World) -> None:
    assert codes(world) == {"161011": "Warning"}
    fault(world, kind="replication", id=WEB1)
    assert codes(world)["151037"] == "Critical" and world.item("web1")["replicationHealth"] == "Critical"
    world.wait(minutes=70)
    assert {"151037", "153007"} <= set(codes(world))
    assert world.item("web1")["providerSpecificDetails"]["rpoInSeconds"] > 3600
    fault(world, kind="replication", id=WEB1, state="up")
    world.wait(minutes=15)
    assert codes(world) == {"161011": "Warning"} and world.item("web1")["replicationHealth"] == "Normal"


def test_another_code_may_be_given(world: World) -> None:
    fault(world, kind="replication", id=WEB1, code="151197", message="Endpoints are blocked.")
    assert codes(world)["151197"] == "Critical"
    fault(world, kind="clear")
    assert "151197" not in codes(world)


def test_the_vaults_health_tells_of_every_error_that_its_items_have(world: World) -> None:
    fault(world, kind="replication", id=WEB1)
    found = world.get(f"{VAULT}/replicationVaultHealth")["properties"]["protectedItemsHealth"]["issues"]
    told = {issue["summaryCode"]: (issue["severity"], issue["summaryMessage"]) for issue in found}
    assert told["161011"] == ("Warning", "No successful test failover")
    assert told["151037"] == ("Error", "The virtual machine 'web1' does not send its changes to Site Recovery.")


def test_churn_above_the_limit_makes_no_more_points_and_below_it_does(world: World) -> None:
    """S29: 54 MB/s a machine."""
    fault(world, kind="churn", id=WEB1, bytes_per_second=53_000_000)
    world.wait(minutes=70)
    assert codes(world) == {"161011": "Warning"}
    fault(world, kind="churn", id=WEB1, bytes_per_second=55_000_000)
    assert codes(world)["ChurnAboveLimit"] == "Warning" and world.item("web1")["replicationHealth"] == "Warning"
    world.wait(minutes=70)
    assert codes(world)["153007"] == "Critical"
    fault(world, kind="churn", id=WEB1, state="up")
    world.wait(minutes=15)
    assert codes(world) == {"161011": "Warning"}


def test_without_its_data_plane_a_region_ships_nothing(world: World) -> None:
    fault(world, kind="data-plane", region="eastasia")
    world.wait(minutes=70)
    assert "153007" in codes(world)


def test_without_its_control_plane_a_source_region_goes_on_replicating(world: World) -> None:
    fault(world, kind="control-plane", region="eastasia")
    world.wait(minutes=70)
    assert "153007" not in codes(world)


def test_a_failover_that_finds_no_room_leaves_nothing_and_can_be_done_again(world: World) -> None:
    """S57: capacity in the target is best effort."""
    size = world.get(WEB1)["properties"]["hardwareProfile"]["vmSize"]
    fault(world, kind="capacity", region=AWAY, size=size)
    job = world.done(world.failover("web1"))
    assert job["state"] == "Failed" and "AllocationFailed" in str(job["errors"])
    assert not world.exists(vm_id("web1", TARGET))
    fault(world, kind="capacity", region=AWAY, size=size, state="up")
    assert world.done(world.failover("web1"))["state"] == "Succeeded"


@pytest.mark.parametrize("verb", [None, "unplannedFailover"])
def test_a_failover_fails_with_the_code_that_was_asked_for(world: World, verb: str | None) -> None:
    fault(
        world,
        kind="fail-operation",
        code="150097",
        path="replicationProtectedItems",
        **({"verb": verb} if verb else {}),
    )
    job = world.done(world.failover("web1"))
    assert job["state"] == "Failed" and "150097" in str(job["errors"])
    assert world.done(world.failover("web1"))["state"] == "Succeeded"


def test_a_commit_that_fails_says_so_in_its_job(world: World) -> None:
    world.done(world.failover("web1"))
    fault(world, kind="fail-operation", code="InternalError", path="replicationProtectedItems")
    job = world.done(world.commit("web1"))
    assert job["state"] == "Failed" and "InternalError" in str(job["errors"])
    assert world.done(world.commit("web1"))["state"] == "Succeeded"


def test_a_failover_that_hangs_is_in_progress_until_it_is_let_go(world: World) -> None:
    fault(world, kind="hang-operation", path="replicationProtectedItems")
    answer = world.failover("web1")
    world.wait(hours=5)
    name = answer.headers["location"].split("?")[0].rsplit("/", 1)[-1]
    assert world.job(name)["state"] == "InProgress"
    fault(world, kind="hang-operation", state="up")
    assert world.done(answer)["state"] == "Succeeded"
