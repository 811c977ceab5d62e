"""A vault by itself, as recordings of 2020 to 2025 show it: what each api-version tells, and whom it acts as."""

from __future__ import annotations

import pytest

from farshore.arm.http import Response
from farshore.arm.json import Body
from lab.core.bench import Lab, refusal, rid

VAULTS = "Microsoft.RecoveryServices/vaults"
VAULT = rid(VAULTS, "vault")
IDENTITIES = [rid("Microsoft.ManagedIdentity/userAssignedIdentities", name) for name in ("one", "two")]
LEAST = {"provisioningState", "privateEndpointStateForBackup", "privateEndpointStateForSiteRecovery"}
BODY = {"location": "eastasia", "properties": {}, "sku": {"name": "Standard"}}
OLD, LAST_AT_ONCE, WITH_A_WAIT, NEW = "2016-06-01", "2021-03-01", "2023-02-01", "2025-08-01"


def at(path: str, version: str = NEW) -> str:
    return f"{path}?api-version={version}"


def made(version: str = NEW) -> Lab:
    lab = Lab()
    lab.follow(lab.put(at(VAULT, version), BODY))
    return lab


def polled(answer: Response) -> set[str]:
    return {"azure-asyncoperation", "location", "retry-after"} & set(answer.headers)


@pytest.mark.parametrize("version", [OLD, LAST_AT_ONCE])
def test_to_an_early_version_a_vault_is_there_at_once_and_tells_three_things(version: str) -> None:
    lab = Lab()
    answer = lab.put(at(VAULT, version), BODY)
    assert answer.status == 201 and not polled(answer)
    assert set(answer.body["properties"]) == LEAST and answer.body["properties"]["provisioningState"] == "Succeeded"
    assert set(lab.body(at(VAULT, version))["properties"]) == LEAST
    [row] = lab.body(at(VAULT.rsplit("/", 1)[0], version))["value"]
    assert set(row["properties"]) == LEAST


def test_later_versions_wait_and_tell_more_each() -> None:
    lab = Lab()
    answer = lab.put(at(VAULT, WITH_A_WAIT), BODY)
    assert answer.status == 201 and "azure-asyncoperation" in polled(answer)
    assert not {"backupStorageVersion", "securitySettings"} & set(answer.body["properties"])
    lab.follow(answer)
    then = lab.properties(at(VAULT, WITH_A_WAIT))
    told = {"backupStorageVersion", "securitySettings", "publicNetworkAccess", "restoreSettings"}
    assert set(then) == LEAST | told and then["securitySettings"]["immutabilitySettings"] is None
    now = lab.properties(at(VAULT))
    assert set(now) == set(then) | {"redundancySettings", "secureScore", "bcdrSecurityLevel"}
    assert now["securitySettings"]["immutabilitySettings"] == {"state": "Disabled"}
    assert now["securitySettings"]["softDeleteSettings"].keys() - then["securitySettings"]["softDeleteSettings"] == {
        "enhancedSecurityState"
    }


def test_a_vault_needs_properties_if_only_empty_ones() -> None:
    assert refusal(Lab().put(at(VAULT, OLD), {**BODY, "properties": None})) == "InvalidRestApiParameter"


def identity(lab: Lab, sent: Body) -> Body:
    """What a vault shows of its identity after a PATCH of it."""
    answer = lab.patch(at(VAULT), {"identity": sent})
    assert (answer.status, answer.body) == (202, None)
    assert "/operationStatus/" in answer.headers["azure-asyncoperation"]
    assert "/operationResults/" in answer.headers["location"]
    assert lab.follow(answer).body["status"] == "Succeeded"
    return dict(lab.body(at(VAULT))["identity"])


def test_identities_come_and_go_by_patch() -> None:
    lab = made()
    tag = lab.body(at(VAULT))["etag"]
    found = identity(lab, {"type": "userassigned", "userAssignedIdentities": {IDENTITIES[0]: {}}})
    assert set(found) == {"tenantId", "type", "userAssignedIdentities"} and found["type"] == "UserAssigned"
    assert set(found["userAssignedIdentities"][IDENTITIES[0]]) == {"clientId", "principalId"}
    assert lab.body(at(VAULT))["etag"] != tag
    both = identity(lab, {"type": "systemassigned,userassigned", "userAssignedIdentities": {IDENTITIES[1]: {}}})
    assert both["type"] == "SystemAssigned, UserAssigned" and both["principalId"]
    assert list(both["userAssignedIdentities"]) == IDENTITIES, "one is added, none replaced"
    left = identity(lab, {"type": "userassigned", "userAssignedIdentities": {IDENTITIES[0]: None}})
    assert list(left["userAssignedIdentities"]) == [IDENTITIES[1]] and "principalId" not in left
    assert set(identity(lab, {"type": "SystemAssigned"})) == {"tenantId", "type", "principalId"}


def test_that_a_vault_has_no_identity_any_more_is_so_at_once() -> None:
    lab = made()
    identity(lab, {"type": "SystemAssigned"})
    answer = lab.patch(at(VAULT), {"identity": {"type": "none"}})
    assert answer.status == 200 and not polled(answer)
    assert answer.body["identity"] == lab.body(at(VAULT))["identity"] == {"type": "None"}


def test_tags_alone_are_changed_at_once() -> None:
    lab = made()
    answer = lab.patch(at(VAULT), {"tags": {"a": "b"}})
    assert (answer.status, answer.body["tags"]) == (200, {"a": "b"})


def test_to_an_early_version_an_operation_says_how_far_it_is() -> None:
    lab = made(LAST_AT_ONCE)
    sent = {"identity": {"type": "SystemAssigned"}}
    assert lab.follow(lab.patch(at(VAULT, LAST_AT_ONCE), sent)).body["percentComplete"] == 0.0
    assert "percentComplete" not in lab.follow(lab.patch(at(VAULT, WITH_A_WAIT), sent)).body


def test_usages_are_a_long_list_and_replication_usages_were_one_object() -> None:
    lab = made()
    found = lab.body(at(f"{VAULT}/usages"))
    rows = {row["name"]["value"]: row for row in found["value"]}
    assert set(found) == {"value"} and {"ProtectedItem", "AzureToAzureProtectedItemsCount", "RAGZRSStorageUsage"} < set(
        rows
    )
    assert set(rows["ProtectedItem"]) == {"unit", "currentValue", "limit", "name"}
    assert {name for name, row in rows.items() if "quotaPeriod" in row} == {"InProgressJobsCount", "FailedJobsCount"}
    summary = lab.body(at(f"{VAULT}/replicationUsages", "2016-06-01"))
    assert lab.body(at(f"{VAULT}/replicationUsages"))["value"] == [summary]
    assert summary["protectedItemsSummary"]["azureToAzureProtectedItemsCount"] == 0
    assert summary["storageAccountsCountSummary"]["azureToAzureStagingStorageAccountsCount"] == 0


def test_extended_information_shows_what_was_written_under_an_id_without_a_slash() -> None:
    lab = made()
    path = at(f"{VAULT}/extendedInformation/vaultExtendedInfo")
    none = lab.get(path)
    assert (none.status, none.body["ErrorCode"]) == (404, "ResourceExtendedInfoNotFound") and "error" not in none.body
    lab.must(lab.put(path, {"properties": {"integrityKey": "key", "algorithm": "None"}}))
    body = lab.body(path)
    assert body["properties"] == {"integrityKey": "key", "algorithm": "None"} and body["etag"]
    assert body["id"] == f"{VAULT}extendedInformation/vaultExtendedInfo"
