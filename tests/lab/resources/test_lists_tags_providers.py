"""Lists with their filters, tags by themselves, providers, and what ARM has that the lab has not."""

from __future__ import annotations

from typing import Any

import pytest

from farshore.lab import Settings
from lab.core.bench import GROUP, SUBSCRIPTION, Lab, network_body, refusal, subnet, vnet
from lab.resources.deployed import GROUP_ID, IP

HERE = f"/subscriptions/{SUBSCRIPTION}"
EMPTY = {"location": "eastasia", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 1}}
TAGS = "/providers/Microsoft.Resources/tags/default"


@pytest.fixture
def lab() -> Lab:
    lab = Lab(groups={GROUP: "eastasia", "other": "southeastasia"})
    lab.made(vnet("hub-1"), {**network_body("10.0.0.0/16", a="10.0.0.0/24"), "tags": {"Env": "prod", "x": "y"}})
    lab.made(vnet("spoke", group="other"), {**network_body("10.1.0.0/16"), "tags": {"env": "test"}})
    lab.made(f"{GROUP_ID}/providers/{IP}/ip-1", {"location": "southeastasia"})
    return lab


def names(lab: Lab, url: str) -> list[str]:
    return sorted(item["name"] for item in lab.body(url)["value"])


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("", ["hub-1", "ip-1", "spoke"]),
        ("resourceType eq 'microsoft.network/VirtualNetworks'", ["hub-1", "spoke"]),
        ("resourceType eq 'Microsoft.Network/virtualNetworks' and location eq 'East Asia'", ["hub-1", "spoke"]),
        ("resourceGroup eq 'other'", ["spoke"]),
        ("name eq 'ip-1' or name eq 'spoke'", ["ip-1", "spoke"]),
        ("(resourceType ne 'Microsoft.Network/virtualNetworks')", ["ip-1"]),
        ("tagName eq 'env'", ["hub-1", "spoke"]),
        ("tagName eq 'env' and tagValue eq 'PROD'", ["hub-1"]),
        ("tagName eq 'x' and tagValue eq 'prod'", []),
        ("tagValue eq 'test'", ["spoke"]),
        ("substringof('-1', name)", ["hub-1", "ip-1"]),
        ("startswith(tagName, 'E')", ["hub-1", "spoke"]),
    ],
)
def test_lists_are_filtered(lab: Lab, said: str, expected: list[str]) -> None:
    assert names(lab, f"{HERE}/resources?$filter={said}") == expected


def test_a_list_of_resources_is_short_and_may_be_expanded_and_paged(lab: Lab) -> None:
    first = lab.body(f"{HERE}/resources?$top=2&$expand=provisioningState")
    assert len(first["value"]) == 2 and "nextLink" in first
    assert first["value"][0]["provisioningState"] == "Succeeded" and "properties" not in first["value"][0]
    assert len(lab.body(first["nextLink"])["value"]) == 1
    lab.wait(60)
    lab.must(lab.patch(vnet("hub-1"), {"tags": {"a": "b"}}))
    times = lab.body(f"{HERE}/resources?$expand=createdTime,changedTime,provisioningState")["value"][0]
    assert times["createdTime"] < times["changedTime"] and times["provisioningState"] == "Succeeded"
    assert refusal(lab.get(f"{HERE}/resources?$expand=weather"), 501) == "NotImplementedByLab"
    assert refusal(lab.get(f"{HERE}/resources?$filter=name like 'a'"), 501) == "NotImplementedByLab"
    assert names(lab, f"{HERE}/resourcegroups?$filter=tagName eq 'a'") == []
    lab.must(lab.put(GROUP_ID, {"location": "eastasia", "tags": {"a": "b"}}))
    assert names(lab, f"{HERE}/resourcegroups?$filter=tagName eq 'a' and tagValue eq 'b'") == [GROUP]


def test_what_the_lab_has_not_is_said(lab: Lab) -> None:
    for verb in ("moveResources", "validateMoveResources"):
        answer = lab.post(f"{GROUP_ID}/{verb}", {"resources": [], "targetResourceGroup": GROUP_ID})
        assert refusal(answer, 501) == "NotImplementedByLab"
        assert "group" in answer.body["error"]["message"]


def test_a_provider_is_known_to_the_tenant_too(lab: Lab) -> None:
    found = lab.body("/providers/microsoft.network")
    assert found["id"] == "/providers/Microsoft.Network" and "registrationState" not in found
    assert refusal(lab.get("/providers/Microsoft.Nowhere"), 404) == "InvalidResourceNamespace"


def test_ids_are_in_arms_spelling_however_they_were_asked_for(lab: Lab) -> None:
    lower = f"{HERE}/resourcegroups/Fresh"
    lab.must(lab.put(lower, {"location": "eastasia"}))
    assert lab.body(lower)["id"] == f"{HERE}/resourceGroups/Fresh"
    network = "/providers/Microsoft.Network/virtualNetworks/v"
    made = lab.made(f"{HERE}/resourcegroups/FRESH{network}", network_body("10.5.0.0/16"))
    assert made["id"] == f"{HERE}/resourceGroups/Fresh{network}"


def test_a_lab_begun_with_subscriptions_has_no_others() -> None:
    """L9."""
    other = "00000000-0000-0000-0000-0000000000ff"
    lab = Lab(settings=Settings(throttling=False, subscriptions=(SUBSCRIPTION.upper(),)))
    made = {"location": "eastasia"}
    for path, method in (
        ("", "GET"),
        ("/resourceGroups", "GET"),
        ("/resources", "GET"),
        ("/providers/Microsoft.Network/virtualNetworks", "GET"),
        ("/resourceGroups/g", "PUT"),
        ("/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v", "PUT"),
        ("/providers/Microsoft.Network/register", "POST"),
    ):
        body = made if method == "PUT" else None
        assert refusal(lab.send(method, f"/subscriptions/{other}{path}", body), 404) == "SubscriptionNotFound"
    assert [item["subscriptionId"] for item in lab.body("/subscriptions")["value"]] == [SUBSCRIPTION.upper()]
    lab.made(vnet("v"), network_body("10.0.0.0/16"))


def test_two_slashes_are_one(lab: Lab) -> None:
    assert lab.get(vnet("hub-1").replace("Microsoft.Network/", "Microsoft.Network//")).body["name"] == "hub-1"
    assert names(lab, f"{HERE}//resources/") == ["hub-1", "ip-1", "spoke"]


# Tags. ---------------------------------------------------------------------------------------------------------------


def tags(lab: Lab, scope: str) -> Any:
    return lab.properties(scope + TAGS)["tags"]


@pytest.mark.parametrize("scope", [HERE, GROUP_ID, vnet("hub-1")])
def test_tags_by_themselves(lab: Lab, scope: str) -> None:
    made = lab.must(lab.put(scope + TAGS, {"properties": {"tags": {"a": "1", "b": "2"}}}))
    assert made.body == {
        "id": scope + TAGS,
        "name": "default",
        "type": "Microsoft.Resources/tags",
        "properties": {"tags": {"a": "1", "b": "2"}},
    }

    def patch(operation: str, sent: dict[str, str]) -> Any:
        body = {"operation": operation, "properties": {"tags": sent}}
        return lab.must(lab.patch(scope + TAGS, body)).body["properties"]["tags"]

    assert patch("Merge", {"B": "3", "c": "4"}) == {"a": "1", "B": "3", "c": "4"}
    assert patch("Delete", {"a": "other", "B": "3"}) == {"a": "1", "c": "4"}
    assert patch("delete", {"A": ""}) == {"c": "4"}
    assert patch("Replace", {"z": "9"}) == {"z": "9"} == tags(lab, scope)
    if scope != HERE:
        assert lab.body(scope)["tags"] == {"z": "9"}
    assert lab.delete(scope + TAGS).status == 200 and tags(lab, scope) == {}


def test_tags_in_use_are_counted(lab: Lab) -> None:
    found = {item["tagName"]: item for item in lab.body(f"{HERE}/tagNames")["value"]}
    assert found["Env"]["count"]["value"] == 1 and found["env"]["values"][0]["tagValue"] == "test"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "InvalidRequestContent"),
        ({"properties": {"tags": {"a": 1}}}, "InvalidRequestContent"),
        ({"properties": {"tags": {"a": None}}}, "InvalidRequestContent"),
        ({"properties": {"tags": ["a"]}}, "InvalidRequestContent"),
        ({"properties": {"tags": {"a<": "b"}}}, "InvalidTagNameCharacters"),
        ({"properties": {"tags": {"a": "b" * 257}}}, "InvalidTagValueLength"),
        ({"properties": {"tags": {f"t{n}": "x" for n in range(51)}}}, "TooManyTags"),
    ],
)
def test_what_are_no_tags_is_refused(lab: Lab, body: Any, code: str) -> None:
    before = lab.body(vnet("hub-1"))
    assert refusal(lab.put(vnet("hub-1") + TAGS, body)) == code
    assert refusal(lab.patch(vnet("hub-1") + TAGS, {"operation": "Replace", **body})) == code
    assert refusal(lab.patch(vnet("hub-1") + TAGS, {"operation": "Add"})) == "InvalidTagsOperation"
    assert refusal(lab.put(subnet("hub-1", "a") + TAGS, {"properties": {"tags": {}}})) == "TagsNotSupported"
    assert refusal(lab.put(vnet("none") + TAGS, {"properties": {"tags": {}}}), 404) == "ResourceNotFound"
    assert lab.body(vnet("hub-1")) == before


@pytest.mark.parametrize("url", [GROUP_ID, vnet("hub-1")])
@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"a<": "b"}, "InvalidTagNameCharacters"),
        ({"a" * 513: "b"}, "InvalidTagNameCharacters"),
        ({"a": "b" * 257}, "InvalidTagValueLength"),
        ({f"t{n}": "x" for n in range(51)}, "TooManyTags"),
    ],
)
def test_a_body_of_its_own_brings_no_other_tags_than_these(lab: Lab, url: str, sent: Any, code: str) -> None:
    before = lab.body(url)
    assert refusal(lab.put(url, {**before, "tags": sent})) == code
    assert refusal(lab.patch(url, {"tags": sent})) == code
    assert lab.body(url) == before
    link = {"hidden-link:/subscriptions/x": "Resource"}
    assert lab.must(lab.patch(url, {"tags": link})).body["tags"] == link


# Providers. ----------------------------------------------------------------------------------------------------------


def test_a_provider_tells_types_regions_and_versions(lab: Lab) -> None:
    found = lab.body(f"{HERE}/providers/microsoft.network")
    assert (found["namespace"], found["registrationState"]) == ("Microsoft.Network", "Registered")
    kinds = {item["resourceType"]: item for item in found["resourceTypes"]}
    networks = kinds["virtualNetworks"]
    assert "East Asia" in networks["locations"] and "2024-05-01" in networks["apiVersions"]
    assert networks["apiVersions"] == sorted(networks["apiVersions"], reverse=True)
    assert "preview" not in networks["defaultApiVersion"]
    assert kinds["virtualNetworks/subnets"]["locations"] == []
    assert lab.body("/providers")["value"] and "registrationState" not in lab.body("/providers")["value"][0]
    disks = {item["resourceType"]: item for item in lab.body(f"{HERE}/providers/Microsoft.Compute")["resourceTypes"]}
    assert disks["disks"]["apiVersions"] != disks["virtualMachines"]["apiVersions"]
    places = lab.body(f"{HERE}/locations")["value"]
    assert {"eastasia", "southeastasia"} <= {item["name"] for item in places}
    assert not any(item["name"].startswith(("usgov", "china")) for item in places)


def test_a_provider_that_was_taken_back_makes_nothing_new(lab: Lab) -> None:
    at = f"{HERE}/providers/Microsoft.Network"
    assert lab.must(lab.post(at + "/unregister")).body["registrationState"] == "Unregistered"
    assert refusal(lab.put(vnet("new"), network_body("10.9.0.0/16")), 409) == "MissingSubscriptionRegistration"
    assert lab.get(vnet("hub-1")).status == 200
    assert lab.must(lab.post(at + "/register")).body["registrationState"] == "Registered"
    lab.made(vnet("new"), network_body("10.9.0.0/16"))
    assert refusal(lab.post(f"{HERE}/providers/Microsoft.Resources/unregister"), 409)
    assert refusal(lab.get(f"{HERE}/providers/Microsoft.Nothing"), 404) == "InvalidResourceNamespace"
    assert refusal(lab.delete(at), 405) == "MethodNotAllowed"


def test_a_group_is_shown_by_its_own_spelling_whatever_the_client_wrote(lab: Lab) -> None:
    """az writes `resourcegroups`; the answer says `resourceGroups` (recorded)."""
    made = lab.must(lab.put(f"{HERE}/resourcegroups/New", {"location": "eastasia"}))
    assert made.body["id"] == f"{HERE}/resourceGroups/New" == lab.body(f"{HERE}/RESOURCEGROUPS/new")["id"]


def test_locations_tell_where_they_lie_and_which_is_their_pair() -> None:
    """As recorded; every pair is a region of the list, and most are each other's."""
    listed = {row["name"]: row for row in Lab().body(f"{HERE}/locations")["value"]}
    pairs = {name: [other["name"] for other in row["metadata"]["pairedRegion"]] for name, row in listed.items()}
    assert pairs["eastasia"] == ["southeastasia"] and pairs["westus3"] == ["eastus"] and pairs["eastus"] == ["westus"]
    assert {other for names in pairs.values() for other in names} <= set(listed)
    metadata = listed["southeastasia"]["metadata"]
    assert metadata["geographyGroup"] == "Asia Pacific" and metadata["physicalLocation"] == "Singapore"
    assert (float(metadata["latitude"]), float(metadata["longitude"])) == (1.3, 103.8)
    assert listed["southeastasia"]["regionalDisplayName"] == "(Asia Pacific) Southeast Asia"


def test_a_tag_can_be_written_down_before_it_is_used(lab: Lab) -> None:
    """Recorded: 201 when it is new; nothing of it is in use."""
    name, value = f"{HERE}/tagNames/team", f"{HERE}/tagNames/team/tagValues/blue"
    assert refusal(lab.put(value, None), 404) == "TagNameNotFound"
    made = lab.put(name, None)
    assert made.status == 201 and made.body["values"] == [] and made.body["count"] == {"type": "Total", "value": 0}
    made = lab.put(value, None)
    assert made.status == 201 and made.body == {
        "id": value,
        "tagValue": "blue",
        "count": {"type": "Total", "value": 0},
    }
    assert lab.put(name, None).status == lab.put(value, None).status == 200
    lab.must(lab.put(GROUP_ID, {"location": "eastasia", "tags": {"team": "red"}}))
    [row] = [row for row in lab.body(f"{HERE}/tagNames")["value"] if row["tagName"] == "team"]
    assert {item["tagValue"]: item["count"]["value"] for item in row["values"]} == {"red": 1, "blue": 0}
    assert lab.delete(value).status == 200 and lab.delete(value).status == 204
    lab.must(lab.put(GROUP_ID, {"location": "eastasia"}))
    assert lab.delete(name).status == 200 and lab.delete(name).status == 204


def test_a_group_is_a_template_of_what_stands_in_it(lab: Lab) -> None:
    """At once in the api-versions of 2019, and an operation since then (recorded)."""
    network = f"{GROUP_ID}/providers/Microsoft.Network/virtualNetworks/v"
    lab.made(network, network_body("10.5.0.0/16", a="10.5.0.0/24"))
    old = lab.post(f"{GROUP_ID}/exportTemplate?api-version=2019-10-01", {"resources": ["*"]})
    assert old.status == 200 and old.body["template"]["variables"] == {}
    parameters = old.body["template"]["parameters"]
    assert parameters["virtualNetworks_v_name"] == {"defaultValue": "v", "type": "String"}
    asked = {"resources": [network], "options": "SkipAllParameterization"}
    answer = lab.post(f"{GROUP_ID}/exportTemplate?api-version=2022-09-01", asked)
    assert answer.status == 202 and "azure-asyncoperation" not in answer.headers
    found = lab.follow(answer).body["template"]
    [resource] = found["resources"]
    assert found["parameters"] == {} and resource["name"] == "v" and resource["location"] == "eastasia"
    assert list(resource)[:3] == ["type", "apiVersion", "name"] and "id" not in resource
    assert "provisioningState" not in resource["properties"] and "etag" not in resource["properties"]["subnets"][0]
    assert refusal(lab.post(f"{GROUP_ID}/exportTemplate", {"resources": []})) == "InvalidRequestContent"
    elsewhere = {"resources": [network.replace(GROUP, "other")]}
    assert refusal(lab.post(f"{GROUP_ID}/exportTemplate", elsewhere)) == "InvalidResourceId"
