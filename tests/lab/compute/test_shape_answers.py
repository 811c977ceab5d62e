"""What Azure shows of galleries and dedicated hosts, as recorded by its own clients."""

from __future__ import annotations

from lab.core.bench import COMPUTE, SUBSCRIPTION, Lab, rid

GALLERY = rid(f"{COMPUTE}/galleries", "prints")
HOSTS = rid(f"{COMPUTE}/hostGroups", "rack")
HERE = {"location": "eastasia", "tags": {"a": "b"}}


def test_a_gallery_has_a_name_of_all_azures_and_operations_of_its_own() -> None:
    lab = Lab()
    answer = lab.put(GALLERY, {"location": "eastasia", "properties": {"description": "all of them"}})
    assert answer.status == 201 and "/locations/eastasia/capsOperations/" in answer.headers["azure-asyncoperation"]
    assert lab.follow(answer).body["status"] == "Succeeded"
    shown = lab.properties(GALLERY)
    assert shown["identifier"] == {"uniqueName": f"{SUBSCRIPTION}-PRINTS"} and "softDeletePolicy" in shown


def test_what_lies_in_a_gallery_has_a_location_and_tags() -> None:
    lab = Lab()
    lab.made(GALLERY, {"location": "eastasia", "properties": {}})
    application = lab.put(f"{GALLERY}/applications/tool", {**HERE, "properties": {"supportedOSType": "Windows"}})
    assert application.status == 201 and "azure-asyncoperation" not in application.headers
    assert application.body["location"] == "eastasia" and "provisioningState" not in application.body["properties"]
    image = lab.made(f"{GALLERY}/images/base", {**HERE, "properties": {"osType": "Linux"}})
    assert (image["location"], image["tags"]) == ("eastasia", {"a": "b"})
    assert (image["properties"]["hyperVGeneration"], image["properties"]["architecture"]) == ("V1", "x64")
    version = lab.made(f"{GALLERY}/images/base/versions/1.0.0", {**HERE, "properties": {}})["properties"]
    usual = {"replicaCount": 1, "excludeFromLatest": False, "storageAccountType": "Standard_LRS"}
    assert usual.items() <= version["publishingProfile"].items() and version["publishingProfile"]["publishedDate"]
    untold = lab.made(f"{GALLERY}/images/untold", {"properties": {"osType": "Linux"}})
    assert untold["location"] == "eastasia", "its gallery's"


def test_a_host_has_a_number_and_its_group_tells_it_on_a_get() -> None:
    lab = Lab()
    group = lab.put(HOSTS, {**HERE, "properties": {"platformFaultDomainCount": 3}}).body["properties"]
    assert group == {"platformFaultDomainCount": 3, "supportAutomaticPlacement": False}
    host = f"{HOSTS}/hosts/one"
    answer = lab.put(host, {**HERE, "sku": {"name": "DSv3-Type1"}, "properties": {"platformFaultDomain": 1}})
    ordered = answer.body["properties"]
    assert ordered["autoReplaceOnFailure"] is True and not {"virtualMachines", "provisioningTime"} & set(ordered)
    lab.follow(answer)
    shown = lab.body(host)
    assert shown["location"] == "eastasia" and shown["properties"]["hostId"] == ordered["hostId"]
    assert shown["properties"]["virtualMachines"] == [] and shown["properties"]["provisioningTime"]
    assert lab.properties(HOSTS)["hosts"] == [{"id": host}]
