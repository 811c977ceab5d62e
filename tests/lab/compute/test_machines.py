"""Machines: made of NICs and disks, started, stopped, changed, deleted; and what hangs on them afterwards."""

from __future__ import annotations

import pytest

from farshore.arm.json import Body
from lab.core.bench import COMPUTE, Lab, machine_body, net, network_body, nic_body, refusal, rid, subnet, vnet

VM = rid(f"{COMPUTE}/virtualMachines", "vm")
NIC = net("nic", kind="networkInterfaces")


def disk(name: str) -> str:
    return rid(f"{COMPUTE}/disks", name)


def empty(size: int = 1) -> Body:
    return {"location": "eastasia", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": size}}


@pytest.fixture
def lab() -> Lab:
    made = Lab()
    made.made(vnet("spoke"), network_body("10.1.0.0/24", app="10.1.0.0/25"))
    made.made(NIC, nic_body(subnet("spoke", "app")))
    return made


def power(lab: Lab) -> str:
    shown = lab.body(VM + "?$expand=instanceView")["properties"]["instanceView"]["statuses"]
    return str(shown[1]["code"])


def disks(lab: Lab) -> set[str]:
    return {row["name"] for row in lab.body(rid(f"{COMPUTE}/disks", "x").rsplit("/", 1)[0])["value"]}


def test_a_machine_starts_when_it_is_made(lab: Lab) -> None:
    answer = lab.put(VM, machine_body(NIC, data_disks=1))
    assert answer.status == 201 and answer.body["properties"]["provisioningState"] == "Creating"
    assert power(lab) == "PowerState/starting"
    lab.follow(answer)
    assert power(lab) == "PowerState/running"
    shown = lab.properties(VM)
    assert len(shown["vmId"]) == 36 and "instanceView" not in shown
    profile = shown["storageProfile"]
    for entry in (profile["osDisk"], *profile["dataDisks"]):
        held = lab.body(entry["managedDisk"]["id"])
        assert held["managedBy"] == VM and held["properties"]["diskState"] == "Attached"
    assert lab.body(VM + "/instanceView")["statuses"][0]["code"] == "ProvisioningState/succeeded"


def test_a_password_is_never_shown_again(lab: Lab) -> None:
    lab.put(VM, machine_body(NIC))
    assert "Secret-of-the-lab-1" not in str(lab.body(VM))
    assert "Secret-of-the-lab-1" not in str(lab.journal())
    assert lab.properties(VM)["osProfile"]["computerName"] == "vm"


def test_power_goes_where_it_is_told(lab: Lab) -> None:
    lab.made(VM, machine_body(NIC))
    for action, end in (
        ("powerOff", "stopped"),
        ("start", "running"),
        ("restart", "running"),
        ("deallocate", "deallocated"),
        ("start", "running"),
    ):
        answer = lab.post(f"{VM}/{action}")
        assert answer.status == 202 and {"azure-asyncoperation", "location"} <= set(answer.headers)
        status = lab.get(answer.headers["azure-asyncoperation"]).body
        assert status["status"] == "InProgress" and status["startTime"] and "endTime" not in status
        assert lab.get(answer.headers["location"]).status == 202
        assert refusal(lab.post(f"{VM}/start"), 409) == "AnotherOperationInProgress"
        end_of_it = lab.follow(answer).body
        assert end_of_it["status"] == "Succeeded" and end_of_it["endTime"] >= end_of_it["startTime"]
        assert lab.get(answer.headers["location"]).status in (200, 204)
        assert power(lab) == f"PowerState/{end}"
    assert refusal(lab.post(VM.replace("/vm", "/none") + "/start"), 404) == "ResourceNotFound"


def test_a_stopped_machine_writes_nothing(lab: Lab) -> None:
    def count() -> int:
        return len(lab.get("/_lab/writes?limit=100000").body["value"])

    lab.made(VM, machine_body(NIC, data_disks=2))
    before = count()
    lab.wait(minutes=5)
    running = count()
    assert running > before
    lab.follow(lab.post(VM + "/deallocate"))
    stopped = count()
    lab.wait(hours=1)
    assert count() == stopped
    lab.follow(lab.post(VM + "/start"))
    lab.wait(minutes=5)
    assert count() > stopped


def test_a_second_put_keeps_the_machine_and_its_disks(lab: Lab) -> None:
    first = lab.made(VM, machine_body(NIC, data_disks=2))
    held = disks(lab)
    again = lab.made(VM, machine_body(NIC, data_disks=2))
    assert again == first and disks(lab) == held and power(lab) == "PowerState/running"


def test_disks_are_attached_and_detached_by_the_list(lab: Lab) -> None:
    lab.made(disk("d"), empty())
    body = lab.made(VM, machine_body(NIC))
    entry = {"lun": 3, "createOption": "Attach", "managedDisk": {"id": disk("d").upper()}}
    body["properties"]["storageProfile"]["dataDisks"] = [entry]
    made = lab.made(VM, body)
    shown = made["properties"]["storageProfile"]["dataDisks"][0]
    assert (shown["name"], shown["lun"], shown["diskSizeGB"], shown["managedDisk"]["id"]) == ("d", 3, 1, disk("d"))
    assert lab.body(disk("d"))["managedBy"] == VM
    refused = lab.delete(disk("d"))
    assert refusal(refused, 409) == "OperationNotAllowed" and VM in refused.body["error"]["message"]
    body["properties"]["storageProfile"]["dataDisks"] = []
    lab.made(VM, body)
    assert "managedBy" not in lab.body(disk("d"))
    assert lab.properties(disk("d"))["diskState"] == "Unattached"
    lab.gone(disk("d"))


def test_a_disk_belongs_to_one_machine(lab: Lab) -> None:
    lab.made(disk("d"), empty())
    body = machine_body(NIC)
    entry: Body = {"lun": 0, "createOption": "Attach", "managedDisk": {"id": disk("d")}}
    body["properties"]["storageProfile"]["dataDisks"] = [entry]
    lab.made(VM, body)
    lab.made(net("nic2", kind="networkInterfaces"), nic_body(subnet("spoke", "app")))
    other = machine_body(net("nic2", kind="networkInterfaces"))
    other["properties"]["storageProfile"]["dataDisks"] = [entry]
    refused = lab.put(VM + "2", other)
    assert refusal(refused, 409) == "ConflictingUserInput"
    assert lab.get(VM + "2").status == 404
    missing: Body = {"lun": 0, "createOption": "Attach", "managedDisk": {"id": disk("none")}}
    other["properties"]["storageProfile"]["dataDisks"] = [missing]
    assert refusal(lab.put(VM + "2", other), 404) == "NotFound"
    twice = machine_body(net("nic2", kind="networkInterfaces"))
    twice["properties"]["storageProfile"]["dataDisks"] = [
        {"lun": 0, "createOption": "Empty", "diskSizeGB": 1},
        {"lun": 0, "createOption": "Empty", "diskSizeGB": 1},
    ]
    assert refusal(lab.put(VM + "2", twice)) == "InvalidParameter"


def test_a_machine_needs_an_interface_that_is_there(lab: Lab) -> None:
    body = machine_body(NIC)
    body["properties"]["networkProfile"] = {"networkInterfaces": []}
    assert refusal(lab.put(VM, body)) == "NetworkProfileNotSpecified"
    assert refusal(lab.put(VM, machine_body(NIC + "x"))) == "InvalidResourceReference"
    assert disks(lab) == set()


def test_a_machine_its_interfaces_and_its_disks_are_in_one_place(lab: Lab) -> None:
    """One region, and one network for all interfaces (L17)."""
    refused = lab.put(VM, machine_body(NIC, location="southeastasia"))
    assert refusal(refused) == "InvalidResourceReference"
    lab.made(vnet("far"), network_body("10.9.0.0/24", app="10.9.0.0/25"))
    lab.made(net("nic2", kind="networkInterfaces"), nic_body(subnet("far", "app")))
    two = machine_body(NIC)
    two["properties"]["networkProfile"]["networkInterfaces"] = [
        {"id": NIC, "properties": {"primary": True}},
        {"id": net("nic2", kind="networkInterfaces"), "properties": {"primary": False}},
    ]
    assert refusal(lab.put(VM, two)) == "SubnetsNotInSameVnet"
    lab.made(disk("there"), {**empty(), "location": "southeastasia"})
    body = machine_body(NIC)
    entry: Body = {"lun": 0, "createOption": "Attach", "managedDisk": {"id": disk("there")}}
    body["properties"]["storageProfile"]["dataDisks"] = [entry]
    assert refusal(lab.put(VM, body)) == "InvalidParameter"
    assert lab.get(VM).status == 404 and disks(lab) == {"there"}
    lab.made(net("nic2", kind="networkInterfaces"), nic_body(subnet("spoke", "app")))
    lab.made(VM, two)
    assert lab.properties(NIC)["primary"] is True


def test_interfaces_are_changed_while_a_machine_is_deallocated_and_let_go_then(lab: Lab) -> None:
    second = net("nic2", kind="networkInterfaces")
    lab.made(second, nic_body(subnet("spoke", "app")))
    lab.made(VM, machine_body(NIC))
    other = machine_body(second)
    code = "AddingOrDeletingNetworkInterfacesOnARunningVirtualMachineNotSupported"
    assert refusal(lab.put(VM, other)) == code
    lab.follow(lab.post(VM + "/powerOff"))
    assert refusal(lab.put(VM, other)) == code
    lab.follow(lab.post(VM + "/deallocate"))
    lab.made(VM, other)
    assert lab.properties(second)["virtualMachine"]["id"] == VM
    assert "virtualMachine" not in lab.properties(NIC)
    lab.gone(NIC)


def test_of_several_interfaces_one_is_the_primary(lab: Lab) -> None:
    second = net("nic2", kind="networkInterfaces")
    lab.made(second, nic_body(subnet("spoke", "app")))
    body = machine_body(NIC)
    entries: list[Body] = [{"id": NIC}, {"id": second}]
    body["properties"]["networkProfile"]["networkInterfaces"] = entries
    code = "VirtualMachineMustHaveOneNetworkInterfaceAsPrimary"
    assert refusal(lab.put(VM, body)) == code
    entries[0]["properties"] = entries[1]["properties"] = {"primary": True}
    assert refusal(lab.put(VM, body)) == code
    entries[0]["properties"] = {"primary": False}
    lab.made(VM, body)
    assert (lab.properties(NIC)["primary"], lab.properties(second)["primary"]) == (False, True)


def test_a_patch_changes_what_it_names(lab: Lab) -> None:
    first = lab.made(VM, machine_body(NIC, data_disks=1))
    answer = lab.patch(VM, {"tags": {"a": "1"}, "properties": {"hardwareProfile": {"vmSize": "Standard_D4s_v3"}}})
    assert answer.status == 200 and "azure-asyncoperation" in answer.headers
    lab.follow(answer)
    after = lab.body(VM)
    assert after["properties"]["hardwareProfile"] == {"vmSize": "Standard_D4s_v3"} and after["tags"] == {"a": "1"}
    assert after["properties"]["storageProfile"] == first["properties"]["storageProfile"]
    assert power(lab) == "PowerState/running"


def test_what_hangs_on_a_machine_stays_or_goes_as_it_says(lab: Lab) -> None:
    body = machine_body(NIC, data_disks=1, name="system", deleteOption="Delete")
    lab.made(VM, body)
    data = lab.properties(VM)["storageProfile"]["dataDisks"][0]["name"]
    lab.gone(VM)
    assert disks(lab) == {data}
    assert lab.get(NIC).status == 200 and "managedBy" not in lab.body(disk(data))
    # The same name again is another machine.
    lab.made(VM, machine_body(NIC))
    body["properties"]["networkProfile"]["networkInterfaces"][0]["properties"] = {"deleteOption": "Delete"}
    lab.made(VM, body)
    lab.gone(VM)
    assert lab.get(NIC).status == 404


def test_a_machine_made_anew_has_another_identity(lab: Lab) -> None:
    first = lab.made(VM, machine_body(NIC))["properties"]["vmId"]
    lab.gone(VM)
    assert lab.made(VM, machine_body(NIC))["properties"]["vmId"] != first


def test_a_set_knows_its_members(lab: Lab) -> None:
    url = rid(f"{COMPUTE}/availabilitySets", "set")
    lab.made(url, {"location": "eastasia"})
    body = machine_body(NIC)
    body["properties"]["availabilitySet"] = {"id": url}
    lab.made(VM, body)
    assert [row["id"] for row in lab.properties(url)["virtualMachines"]] == [VM]
    assert refusal(lab.delete(url), 409) == "OperationNotAllowed"
    lab.gone(VM)
    lab.gone(url)


def test_verbs_that_the_lab_does_not_have_say_so(lab: Lab) -> None:
    lab.made(VM, machine_body(NIC))
    for verb in ("capture", "assessPatches", "simulateEviction"):
        assert refusal(lab.post(f"{VM}/{verb}"), 501) == "NotImplementedByLab"
