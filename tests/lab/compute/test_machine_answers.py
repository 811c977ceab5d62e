"""What Azure answers about machines, their extensions and images, as recorded by its own clients."""

from __future__ import annotations

import pytest

from farshore.arm.json import Body
from lab.compute.test_disks import body as disk_body
from lab.compute.test_disks import disk, snapshot
from lab.core.bench import COMPUTE, Lab, machine_body, net, network_body, nic_body, refusal, rid, vnet
from lab.core.bench import subnet as subnet_of

VM = rid(f"{COMPUTE}/virtualMachines", "press")
AGENT = f"{VM}/extensions/watcher"
IMAGE = rid(f"{COMPUTE}/images", "golden")


@pytest.fixture
def lab() -> Lab:
    """A machine with two data disks."""
    found = Lab()
    found.made(vnet("works"), network_body("10.8.0.0/24", hall="10.8.0.0/25"))
    nic = net("press-nic", kind="networkInterfaces")
    found.made(nic, nic_body(subnet_of("works", "hall")))
    found.made(VM, machine_body(nic, data_disks=2))
    return found


def agent(**properties: object) -> Body:
    named = {"publisher": "Contoso.Tools", "type": "Meter", "typeHandlerVersion": "2.1"}
    return {"location": "eastasia", "properties": {**named, **properties}}


def power(lab: Lab) -> str:
    return str(lab.body(f"{VM}/instanceView")["statuses"][-1]["code"])


def test_disks_entries_show_what_nobody_wrote(lab: Lab) -> None:
    for entry in lab.properties(VM)["storageProfile"]["dataDisks"]:
        assert entry["caching"] == "None" and entry["toBeDetached"] is False and entry["deleteOption"] == "Detach"
    old = lab.send("GET", f"{VM}?api-version=2020-06-01").body["properties"]["storageProfile"]
    assert all("deleteOption" not in entry for entry in [old["osDisk"], *old["dataDisks"]])


def test_a_disk_that_is_being_made_has_no_id_yet(lab: Lab) -> None:
    nic = net("second", kind="networkInterfaces")
    lab.made(nic, nic_body(subnet_of("works", "hall")))
    lab.made(disk("had"), disk_body(size=4))
    asked = machine_body(nic, data_disks=1)
    asked["properties"]["storageProfile"]["dataDisks"] += [
        {"lun": 1, "createOption": "Attach", "managedDisk": {"id": disk("had")}},
        {"lun": 2, "createOption": "Empty", "diskSizeGB": 1, "name": "named"},
    ]
    profile = lab.put(VM.replace("press", "second"), asked).body["properties"]["storageProfile"]
    made, had, named = profile["dataDisks"]
    assert set(made["managedDisk"]) == set(profile["osDisk"]["managedDisk"]) == {"storageAccountType"}
    assert "name" not in made and named["name"] == "named" and "id" not in named["managedDisk"]
    assert had["managedDisk"]["id"] == disk("had") and had["name"] == "had"


def test_a_machine_says_who_it_is(lab: Lab) -> None:
    own = lab.patch(VM, {"identity": {"type": "SystemAssigned"}})
    assert set(own.body["identity"]) == {"type", "principalId", "tenantId"}
    lab.follow(own)
    crew = rid("Microsoft.ManagedIdentity/userAssignedIdentities", "crew")
    borrowed = {"type": "UserAssigned", "userAssignedIdentities": {crew: {}}}
    shown = lab.patch(VM, {"identity": borrowed}).body["identity"]
    assert set(shown) == {"type", "userAssignedIdentities"}
    assert set(shown["userAssignedIdentities"][crew]) == {"principalId", "clientId"}


def test_a_machine_is_created_once_and_updated_from_then_on(lab: Lab) -> None:
    answer = lab.patch(VM, {"properties": {"licenseType": "None"}})
    assert answer.status == 200 and answer.body["properties"]["provisioningState"] == "Updating"


def test_an_extension_is_shown_by_its_machine_and_by_the_agent(lab: Lab) -> None:
    assert "resources" not in lab.body(VM) and "extensions" not in lab.body(f"{VM}/instanceView")
    answer = lab.put(AGENT, agent(protectedSettings={"key": "hidden"}, settings={"rate": 3}))
    assert answer.status == 201 and answer.body["properties"]["provisioningState"] == "Creating"
    assert "/locations/eastasia/operations/" in answer.headers["azure-asyncoperation"]
    lab.follow(answer)
    shown = lab.body(AGENT)
    assert shown["properties"]["settings"] == {"rate": 3} and "protectedSettings" not in shown["properties"]
    assert lab.body(VM)["resources"] == [shown] == lab.body(f"{VM}/extensions")["value"]
    view = lab.body(f"{VM}/instanceView")
    assert [item["name"] for item in view["extensions"]] == ["watcher"]
    assert view["vmAgent"]["extensionHandlers"][0]["type"] == "Contoso.Tools.Meter"
    lab.follow(lab.delete(AGENT))
    assert "resources" not in lab.body(VM)


def test_an_extension_needs_its_names_and_a_machine_that_runs(lab: Lab) -> None:
    assert refusal(lab.put(AGENT, {"location": "eastasia", "properties": {}})) == "InvalidParameter"
    lab.follow(lab.post(f"{VM}/deallocate"))
    assert refusal(lab.put(AGENT, agent()), 409) == "OperationNotAllowed"


def test_redeploying_starts_what_ran_and_reapplying_nothing(lab: Lab) -> None:
    for verb in ("reapply", "redeploy"):
        answer = lab.post(f"{VM}/{verb}")
        assert answer.status == 202 and "monitor=true" in answer.headers["location"]
        lab.follow(answer)
        assert lab.get(answer.headers["location"]).status == 200
        assert power(lab) == "PowerState/running"
    lab.follow(lab.post(f"{VM}/powerOff"))
    lab.follow(lab.post(f"{VM}/redeploy"))
    assert power(lab) == "PowerState/stopped"


def test_only_a_machine_that_does_not_run_is_generalized(lab: Lab) -> None:
    assert refusal(lab.post(f"{VM}/generalize"), 409) == "OperationNotAllowed"
    lab.follow(lab.post(f"{VM}/deallocate"))
    assert lab.post(f"{VM}/generalize").status == 200


def test_an_image_shows_its_disks_and_knows_their_size_when_it_is_ready(lab: Lab) -> None:
    lab.made(disk("archive"), disk_body(size=24))
    lab.made(snapshot("monday"), disk_body("Copy", None, sourceResourceId=disk("archive")))
    system = {"osType": "Linux", "osState": "Generalized", "snapshot": {"id": snapshot("monday")}}
    sent = {**system, "snapshot": {"id": snapshot("monday").lstrip("/")}}
    answer = lab.put(IMAGE, {"location": "eastasia", "properties": {"storageProfile": {"osDisk": sent}}})
    assert answer.status == 201 and "diskSizeGB" not in answer.body["properties"]["storageProfile"]["osDisk"]
    lab.follow(answer)
    properties = lab.properties(IMAGE)
    assert properties["hyperVGeneration"] == "V1" and properties["storageProfile"]["dataDisks"] == []
    usual = {"caching": "None", "storageAccountType": "Standard_LRS", "diskSizeGB": 24}
    assert properties["storageProfile"]["osDisk"] == {**usual, **system}
    tagged = lab.patch(IMAGE, {"tags": {"line": "7"}})
    assert tagged.status == 200 and "azure-asyncoperation" in tagged.headers
    lab.follow(tagged)
    gone = {"osType": "Linux", "snapshot": {"id": snapshot("never")}}
    answer = lab.put(IMAGE, {"location": "eastasia", "properties": {"storageProfile": {"osDisk": gone}}})
    assert refusal(answer) == "InvalidResourceReference"
