"""What Azure answers about storage accounts and what lies in them, as recorded by its own clients."""

from __future__ import annotations

import pytest

from farshore.arm.json import Body
from lab.core.bench import SUBSCRIPTION, Lab, refusal, rid

ACCOUNT = rid("Microsoft.Storage/storageAccounts", "stkept")
CONTAINER = f"{ACCOUNT}/blobServices/default/containers/logs"
EARLY = "2021-01-01"


def made(lab: Lab, *, version: str | None = None, sku: str = "Standard_LRS", **more: object) -> Body:
    url = ACCOUNT if version is None else f"{ACCOUNT}?api-version={version}"
    sent = {"location": "eastasia", "kind": "StorageV2", "sku": {"name": sku}, "properties": {}, **more}
    end = lab.follow(lab.must(lab.put(url, sent)))
    return dict(end.body)


def test_an_account_has_unasked_what_accounts_had_when_its_version_was_new() -> None:
    names = {"minimumTlsVersion", "allowBlobPublicAccess", "keyCreationTime", "allowCrossTenantReplication"}
    shown = {version: names & set(made(Lab(), version=version)["properties"]) for version in (EARLY, "2021-09-01")}
    assert shown == {EARLY: set(), "2021-09-01": names - {"allowCrossTenantReplication"}}
    assert names <= set(made(Lab())["properties"])
    lab = Lab()
    made(lab, version=EARLY, properties={"minimumTlsVersion": "TLS1_2"})
    assert lab.properties(f"{ACCOUNT}?api-version={EARLY}")["minimumTlsVersion"] == "TLS1_2"


@pytest.mark.parametrize(
    ("kind", "services"),
    [
        ("Storage", {"blob", "queue", "table", "file"}),
        ("BlobStorage", {"dfs", "blob", "table"}),
        ("FileStorage", {"file"}),
    ],
)
def test_an_account_has_the_services_of_its_kind(kind: str, services: set[str]) -> None:
    lab = Lab()
    properties = made(lab, kind=kind)["properties"]
    assert set(properties["primaryEndpoints"]) == services
    assert ("accessTier" in properties) == (kind != "Storage")
    rows = lab.body(f"{ACCOUNT}/privateLinkResources")["value"]
    assert {row["properties"]["groupId"] for row in rows} == services


def test_an_account_that_can_be_read_elsewhere_says_where() -> None:
    there = made(Lab(), sku="Standard_RAGRS")["properties"]["secondaryEndpoints"]
    assert set(there) == {"dfs", "web", "blob", "queue", "table"} and "stkept-secondary" in there["blob"]
    assert "secondaryEndpoints" not in made(Lab(), sku="Standard_GRS")["properties"]


def test_rules_of_the_firewall_are_filled_in() -> None:
    rules = {"defaultAction": "Deny", "ipRules": [{"value": "192.0.2.7"}]}
    shown = made(Lab(), properties={"networkAcls": rules})["properties"]["networkAcls"]
    assert (shown["bypass"], shown["virtualNetworkRules"], shown["defaultAction"]) == ("AzureServices", [], "Deny")
    assert shown["ipRules"] == [{"value": "192.0.2.7", "action": "Allow"}] and shown["ipv6Rules"] == []
    early = made(Lab(), version="2022-09-01", properties={"networkAcls": rules})
    assert "ipv6Rules" not in early["properties"]["networkAcls"]


def test_a_key_is_made_anew_and_the_other_stays() -> None:
    lab = Lab()
    made(lab)
    before = lab.must(lab.post(f"{ACCOUNT}/listKeys")).body["keys"]
    lab.wait(minutes=5)
    after = lab.must(lab.post(f"{ACCOUNT}/regenerateKey", {"keyName": "key1"})).body["keys"]
    assert after[1] == before[1] and after[0]["value"] != before[0]["value"]
    assert after[0]["creationTime"] > before[0]["creationTime"]
    assert lab.post(f"{ACCOUNT}/listKeys").body["keys"] == after
    early = lab.post(f"{ACCOUNT}/listKeys?api-version={EARLY}").body["keys"]
    assert all("creationTime" not in row for row in early)
    refused = lab.post(f"{ACCOUNT}/regenerateKey", {"keyName": "key3"})
    assert refusal(refused) == "InvalidValuesForRequestParameters"
    assert lab.post(f"{ACCOUNT}/revokeUserDelegationKeys").status == 200


def test_accounts_are_counted_where_they_are() -> None:
    lab = Lab()
    made(lab)
    place = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Storage/locations"
    counts = [lab.body(f"{place}/{region}/usages")["value"][0]["currentValue"] for region in ("eastasia", "westus")]
    assert counts == [1, 0]
    assert refusal(lab.get(f"{place}/nowhere/usages")) == "InvalidLocation"


def test_services_are_there_unasked_and_show_the_accounts_kind_on_a_get() -> None:
    lab = Lab()
    made(lab)
    blobs = f"{ACCOUNT}/blobServices/default"
    assert lab.body(blobs)["sku"] == {"name": "Standard_LRS", "tier": "Standard"}
    assert lab.body(f"{ACCOUNT}/fileServices")["value"] == [lab.body(f"{ACCOUNT}/fileServices/default")]
    tracking = {"properties": {"lastAccessTimeTrackingPolicy": {"enable": True}}}
    answer = lab.must(lab.put(f"{blobs}?api-version={EARLY}", tracking)).body
    assert "sku" not in answer and "allowPermanentDelete" not in answer["properties"]["deleteRetentionPolicy"]
    policy = answer["properties"]["lastAccessTimeTrackingPolicy"]
    assert (policy["name"], policy["trackingGranularityInDays"]) == ("AccessTimeTracking", 1)
    lab.must(lab.put(blobs, {"properties": {"lastAccessTimeTrackingPolicy": {"enable": False}}}))
    assert "lastAccessTimeTrackingPolicy" not in lab.properties(blobs)
    assert "sku" not in lab.body(f"{ACCOUNT}/queueServices/default")


def test_a_containers_orders_are_answered_with_what_was_set() -> None:
    lab = Lab()
    made(lab)
    assert set(lab.put(CONTAINER, {}).body) == {"id", "name", "type"}
    shown = lab.body(CONTAINER)
    assert shown["etag"] and shown["properties"]["legalHold"] == {"hasLegalHold": False, "tags": []}
    patched = lab.patch(CONTAINER, {"properties": {"publicAccess": "Container"}}).body["properties"]
    assert patched["publicAccess"] == "Container" and "leaseState" not in patched


def test_a_container_is_held_and_leased() -> None:
    lab = Lab()
    made(lab)
    lab.must(lab.put(CONTAINER, {}))
    held = lab.post(f"{CONTAINER}/setLegalHold", {"tags": ["a", "b"]})
    assert held.body == {"hasLegalHold": True, "tags": ["a", "b"]}
    assert [row["tag"] for row in lab.properties(CONTAINER)["legalHold"]["tags"]] == ["a", "b"]
    cleared = lab.post(f"{CONTAINER}/clearLegalHold", {"tags": ["a", "b"]})
    assert cleared.body == {"hasLegalHold": False, "tags": []}
    assert refusal(lab.post(f"{CONTAINER}/setLegalHold", {"tags": "a"})) == "InvalidValuesForRequestParameters"
    number = lab.post(f"{CONTAINER}/lease", {"action": "Acquire", "leaseDuration": -1}).body["leaseId"]
    assert lab.properties(CONTAINER)["leaseDuration"] == "Infinite"
    assert lab.post(f"{CONTAINER}/lease", {"action": "Break", "leaseId": number}).body == {"leaseTimeSeconds": "0"}
    assert lab.properties(CONTAINER)["leaseState"] == "Broken"
    assert refusal(lab.post(f"{CONTAINER}/lease", {})) == "InvalidValuesForRequestParameters"


def test_an_immutability_policy_is_unlocked_until_it_is_locked_and_shows_its_end() -> None:
    lab = Lab()
    made(lab)
    lab.must(lab.put(CONTAINER, {}))
    policy = f"{CONTAINER}/immutabilityPolicies/default"
    answer = lab.must(lab.put(policy, {"properties": {"immutabilityPeriodSinceCreationInDays": 3}})).body
    assert answer["properties"]["state"] == "Unlocked" and answer["etag"]
    assert lab.properties(CONTAINER)["immutabilityPolicy"]["properties"]["state"] == "Unlocked"
    assert lab.post(f"{policy}/lock").body["properties"]["state"] == "Locked"
    longer = lab.post(f"{policy}/extend", {"properties": {"immutabilityPeriodSinceCreationInDays": 9}}).body
    assert longer["properties"]["immutabilityPeriodSinceCreationInDays"] == 9
    gone = lab.delete(policy)
    assert gone.status == 200 and gone.body["properties"]["state"] == "Deleted" and lab.get(policy).status == 404


def test_scopes_and_policies_say_when_they_were_changed() -> None:
    lab = Lab()
    made(lab)
    scope = f"{ACCOUNT}/encryptionScopes/one"
    answer = lab.must(lab.put(scope, {"properties": {"source": "Microsoft.Storage"}})).body["properties"]
    assert answer["keyVaultProperties"] == {} and "keyVaultProperties" not in lab.properties(scope)
    assert {"creationTime", "lastModifiedTime"} <= set(lab.properties(scope))
    rules = lab.must(lab.put(f"{ACCOUNT}/managementPolicies/default", {"properties": {"policy": {"rules": []}}}))
    assert "lastModifiedTime" in rules.body["properties"]
