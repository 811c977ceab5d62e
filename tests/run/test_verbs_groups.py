"""`shared_point`: the newest moment that all of a group have a point of; and the machines' steps take it from there."""

from __future__ import annotations

from typing import Any

from farshore.arm.http import Response
from farshore.arm.ids import resource_id
from farshore.plan import actions
from farshore.run.verbs import VERBS
from farshore.run.verbs.base import Present
from run.talk import answer, hold, situation

VAULT = "/subscriptions/s/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/v"
CONTAINER = f"{VAULT}/replicationFabrics/f/replicationProtectionContainers/c"
ONE, OTHER = (f"{CONTAINER}/replicationProtectedItems/{name}" for name in ("one", "other"))
ITEMS = [resource_id(ONE), resource_id(OTHER)]


SYNC = {"MultiVm": "MultiVmSyncRecoveryPoint", "PerVm": "PerVmRecoveryPoint"}


def points(item: str, *rows: tuple[str, str, str]) -> Response:
    return answer(200, {"value": [point(item, *row) for row in rows]})


def point(item: str, time: str, sync: str = "MultiVm", kind: str = "CrashConsistent") -> dict[str, Any]:
    return {
        "id": f"{item}/recoveryPoints/{time}",
        "properties": {
            "recoveryPointTime": f"2026-01-05T{time}:00.0000000Z",
            "recoveryPointType": kind,
            "providerSpecificDetails": {"instanceType": "A2A", "recoveryPointSyncType": SYNC[sync]},
        },
    }


def looked(wanted: str, one: Response, other: Response) -> Any:
    arguments = actions.shared_point(ITEMS, wanted).arguments
    return hold(VERBS["shared_point"].look(situation(arguments)), [one, other])


CRASH, APP = "CrashConsistent", "ApplicationConsistent"


def test_the_newest_moment_that_all_have() -> None:
    """What is newer on one side only, and what is no point of the group's, is passed over."""
    one = points(ONE, ("07:00", "MultiVm", CRASH), ("07:10", "MultiVm", CRASH), ("07:05", "MultiVm", APP))
    other = points(OTHER, ("07:10", "PerVm", CRASH), ("07:05", "MultiVm", APP), ("07:00", "MultiVm", CRASH))
    result = looked("Latest", one, other).result
    assert isinstance(result, Present)
    assert result.result["time"].startswith("2026-01-05T07:05:00")
    assert result.result["points"] == {
        ONE.lower(): f"{ONE}/recoveryPoints/07:05",
        OTHER.lower(): f"{OTHER}/recoveryPoints/07:05",
    }
    assert looked("LatestApplicationConsistent", one, other).result.result["time"].startswith("2026-01-05T07:05")


def test_no_moment_that_all_have() -> None:
    held = looked("Latest", points(ONE, ("07:00", "MultiVm", CRASH)), points(OTHER, ("07:05", "MultiVm", CRASH)))
    assert held.code == "NoSharedPoint" and "one, other" in str(held.error)


def test_a_failover_takes_the_point_that_was_chosen() -> None:
    vm = resource_id("/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/one")
    arguments = actions.failover(
        ITEMS[0], vm, direction="PrimaryToRecovery", shutdown=False, point="OfStep:failover/shared-point/erp"
    ).arguments
    before = {"failover/shared-point/erp": {"points": {ONE.lower(): f"{ONE}/recoveryPoints/p"}}}
    held = hold(VERBS["failover"].act(situation(arguments, before=before)), [answer(202, None)])
    [request] = held.requests
    skipped = hold(
        VERBS["failover"].act(situation(arguments, before={"failover/shared-point/erp": {}})), [answer(202, None)]
    )
    assert skipped.requests[0].body["properties"]["providerSpecificDetails"]["recoveryPointId"] is None, (
        "its own latest"
    )
    assert request.body["properties"]["providerSpecificDetails"]["recoveryPointId"] == f"{ONE}/recoveryPoints/p"
