"""What a vault says of what is in it: events, health issues, usages, settings (S8, S21, S22)."""

from __future__ import annotations

import pytest

from farshore.arm.json import Body
from lab.recovery.estate import AWAY, HOME, TARGET, VAULT, container, fabric, item_id, plan_id, vm_id
from lab.recovery.world import World, refusal


@pytest.fixture
def world() -> World:
    world = World("web1")
    world.protect("web1")
    return world


def events(world: World, text: str = "") -> list[Body]:
    found = world.send("GET", f"{VAULT}/replicationEvents", **({"$filter": text} if text else {}))
    assert found.status == 200, found
    rows: list[Body] = found.body["value"]
    return [row["properties"] for row in rows]


def issues(world: World) -> dict[str, Body]:
    found = world.get(f"{VAULT}/replicationVaultHealth")["properties"]["protectedItemsHealth"]["issues"]
    return {issue["summaryCode"]: issue for issue in found}


def test_a_machine_that_is_not_replicated_any_more_is_an_event_once(world: World) -> None:
    assert events(world, "severity eq 'Critical'") == []
    world.fault(HOME, "lost")
    world.wait(hours=3)
    [event] = events(world, "eventType eq 'VmHealth' and severity eq 'Critical'")
    assert (event["eventCode"], event["affectedObjectFriendlyName"]) == ("153007", "web1")
    assert event["providerSpecificDetails"]["remoteFabricLocation"] == AWAY
    assert event["fabricId"].lower() == fabric(HOME).lower()
    assert [error["errorCode"] for error in event["healthErrors"]] == ["153007"]
    assert events(world, f"startTime ge '{event['timeOfOccurrence']}'")[-1] == event
    world.fault(HOME, "returned")
    world.wait(hours=1)
    world.fault(HOME, "lost")
    world.wait(hours=3)
    assert len(events(world, "severity eq 'Critical'")) == 2, "it was well in between"


def test_an_event_is_found_by_its_name_and_none_other(world: World) -> None:
    world.wait(hours=1)
    [row] = world.rows(f"{VAULT}/replicationEvents")
    assert row["properties"]["eventCode"] == "161011"
    assert world.get(row["id"]) == row
    assert world.send("GET", f"{VAULT}/replicationEvents/nobody").status == 404


def test_a_machine_that_is_well_again_is_an_event(world: World) -> None:
    world.wait(hours=1)
    world.succeeds(world.test("web1"))
    world.succeeds(world.verb("web1", "testFailoverCleanup"))
    world.wait(hours=1)
    assert [event["severity"] for event in events(world)] == ["OK", "Warning"], "the newest first (recorded)"
    assert events(world)[0]["eventCode"] == "SRSVMHealthChanged"


def test_a_job_that_fails_is_an_event(world: World) -> None:
    world.delete(f"{TARGET}/providers/Microsoft.Network/virtualNetworks/vnet-target")
    code = world.fails(world.failover("web1"))
    [event] = events(world, "eventType eq 'JobFailure'")
    assert (event["eventCode"], event["severity"]) == (code, "Critical")
    details = event["eventSpecificDetails"]
    assert (details["jobStatus"], details["jobFriendlyName"]) == ("Failed", "Failover")
    assert world.get(details["jobId"])["properties"]["state"] == "Failed"


def test_a_vaults_health_tells_what_its_items_suffer_from(world: World) -> None:
    assert set(issues(world)) == {"161011"}
    world.fault(HOME, "lost")
    world.wait(hours=2)
    found = issues(world)
    assert {code: issue["severity"] for code, issue in found.items()} == {"161011": "Warning", "153007": "Error"}
    item = world.item("web1")
    assert found["153007"]["affectedResourceCorrelationIds"] == [item["healthErrors"][-1]["entityId"]]
    world.fault(HOME, "returned")
    world.wait(hours=1)
    assert set(issues(world)) == {"161011"}


def test_usages_count_what_there_is(world: World) -> None:
    (row,) = world.rows(f"{VAULT}/replicationUsages")
    assert (row["protectedItemCount"], row["recoveryPlanCount"]) == (1, 0)
    assert row["monitoringSummary"]["unHealthyVmCount"] == 0 and row["jobsSummary"]["failedJobs"] == 0
    assert {usage["name"]["value"] for usage in world.rows(f"{VAULT}/usages")} >= {"GRSStorageUsage"}


def test_extended_information_is_there_when_it_was_written(world: World) -> None:
    path = f"{VAULT}/extendedInformation/vaultExtendedInfo"
    assert world.send("GET", path).status == 404
    for method in ("PUT", "PATCH"):
        answer = world.send(method, path, {"properties": {"integrityKey": method, "algorithm": "None"}})
        assert answer.status == 200
        assert world.get(path)["properties"]["integrityKey"] == method
    assert world.send("PUT", path, {"properties": {"integrityKey": 7}}).status == 400


def test_vault_settings_are_kept(world: World) -> None:
    path = f"{VAULT}/replicationVaultSettings/default"
    assert world.send("PUT", path, {"properties": {"vmwareToAzureProviderType": "Rcm"}}).status == 200
    assert world.get(path)["properties"] == {"migrationSolutionId": None, "vmwareToAzureProviderType": "Rcm"}
    assert [row["name"] for row in world.rows(f"{VAULT}/replicationVaultSettings")] == ["default"]


def test_operating_systems_of_another_provider_are_none(world: World) -> None:
    path = f"{VAULT}/replicationSupportedOperatingSystems"
    assert world.get(path)["properties"]["supportedOsList"][0]["instanceType"] == "A2A"
    assert world.send("GET", path, instanceType="InMage").body["properties"]["supportedOsList"] == []


def test_a_fabric_has_the_provider_that_its_items_name(world: World) -> None:
    [row] = world.rows(f"{fabric(HOME)}/replicationRecoveryServicesProviders")
    assert row["id"] == world.item("web1")["recoveryServicesProviderId"]
    assert world.get(row["id"]) == row
    assert len(world.rows(f"{VAULT}/replicationRecoveryServicesProviders")) == 2
    assert world.send("GET", f"{fabric(HOME)}/replicationRecoveryServicesProviders/x").status == 404


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (f"{fabric(HOME)}/renewCertificate", "Hyper-V"),
        (f"{fabric(HOME)}/reassociateGateway", "VMware"),
        (f"{container(HOME)}/discoverProtectableItem", "physical"),
        (f"{item_id('web1')}/switchProvider", "VMware"),
    ],
)
def test_an_operation_for_other_providers_says_whose_it_is(world: World, path: str, words: str) -> None:
    answer = world.send("POST", path, {"properties": {}})
    assert refusal(answer) == (501, "NotImplementedByLab") and words in answer.body["error"]["message"]


def test_lists_of_other_providers_are_empty(world: World) -> None:
    for place in (
        f"{fabric(HOME)}/replicationLogicalNetworks",
        f"{fabric(HOME)}/replicationvCenters",
        f"{container(HOME)}/replicationProtectableItems",
        f"{container(HOME)}/replicationMigrationItems",
    ):
        assert world.rows(place) == []


def test_there_is_no_planned_failover_and_so_none_to_cancel(world: World) -> None:
    """S15."""
    fabrics = {"primaryFabricId": fabric(HOME), "recoveryFabricId": fabric(AWAY)}
    boot = {"groupType": "Boot", "replicationProtectedItems": [{"id": item_id("web1")}]}
    world.succeeds(world.send("PUT", plan_id("plan"), {"properties": {**fabrics, "groups": [boot]}}))
    for place in (item_id("web1"), plan_id("plan")):
        planned = world.send("POST", f"{place}/plannedFailover", {"properties": {}})
        assert refusal(planned) == (400, "OperationNotSupported")
        assert "sourceSiteOperations" in planned.body["error"]["message"]
        assert refusal(world.send("POST", f"{place}/failoverCancel")) == (409, "OperationNotAllowed")
        assert world.send("POST", f"{place}x/plannedFailover").status == 404
    assert world.power(vm_id("web1")) == "running"


def test_whether_a_vaults_name_is_free(world: World) -> None:
    path = VAULT.rsplit("/vaults/", 1)[0] + f"/locations/{AWAY}/checkNameAvailability"
    asked = {"type": "Microsoft.RecoveryServices/vaults", "name": "vault"}
    assert world.send("POST", path, asked).body["reason"] == "AlreadyExists"
    assert world.send("POST", path, {**asked, "name": "another"}).body["nameAvailable"] is True
    assert refusal(world.send("POST", path, {"name": "another"})) == (400, "InvalidParameter")
