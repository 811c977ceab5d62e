"""azure-mgmt-compute, -storage and -resource as clients of the lab."""

from __future__ import annotations

import pytest

from farshore.arm.json import Body
from lab.core.bench import COMPUTE, GROUP, Lab, machine_body, net, network_body, nic_body, rid, subnet
from real.clients import Azure, done

EMPTY: Body = {"location": "eastasia", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 2}}
ACCOUNT: Body = {"location": "eastasia", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}


@pytest.fixture
def azure() -> Azure:
    return Azure()


def machine(azure: Azure, data_disks: int = 0) -> Body:
    """The body of a machine whose network is there."""
    network = azure.network
    done(network.virtual_networks.begin_create_or_update(GROUP, "n", network_body("10.1.0.0/24", app="10.1.0.0/25")))
    done(network.network_interfaces.begin_create_or_update(GROUP, "nic", nic_body(subnet("n", "app"))))
    return machine_body(net("nic", kind="networkInterfaces"), data_disks=data_disks)


def test_disks_and_snapshots(azure: Azure) -> None:
    disks, snapshots = azure.compute.disks, azure.compute.snapshots
    made = done(disks.begin_create_or_update(GROUP, "d", EMPTY))
    assert (made.disk_size_gb, made.disk_state, made.provisioning_state) == (2, "Unattached", "Succeeded")
    again = done(disks.begin_create_or_update(GROUP, "d", EMPTY))
    assert again.unique_id == made.unique_id
    grown = done(disks.begin_update(GROUP, "d", {"properties": {"diskSizeGB": 3}, "tags": {"a": "b"}}))
    assert (grown.disk_size_gb, grown.tags) == (3, {"a": "b"})
    lent = done(disks.begin_grant_access(GROUP, "d", {"access": "Read", "durationInSeconds": 300}))
    url = lent["accessSAS"]
    assert azure.lab.send("GET", url, range="bytes=0-511").status == 206
    assert disks.get(GROUP, "d").disk_state == "ActiveSAS"
    done(disks.begin_revoke_access(GROUP, "d"))
    assert azure.lab.send("GET", url, range="bytes=0-511").status == 403
    copy: Body = {
        "location": "eastasia",
        "properties": {"creationData": {"createOption": "Copy", "sourceResourceId": made.id}},
    }
    shot = done(snapshots.begin_create_or_update(GROUP, "s", copy))
    assert shot.disk_size_gb == 3 and [item.name for item in snapshots.list()] == ["s"]
    assert [item.name for item in disks.list_by_resource_group(GROUP)] == ["d"]
    done(snapshots.begin_delete(GROUP, "s"))
    done(disks.begin_delete(GROUP, "d"))
    assert list(disks.list()) == list(snapshots.list_by_resource_group(GROUP)) == []


def test_a_machine_from_its_making_to_its_end(azure: Azure) -> None:
    machines = azure.compute.virtual_machines
    made = done(machines.begin_create_or_update(GROUP, "vm", machine(azure, data_disks=2)))
    assert made.provisioning_state == "Succeeded" and made.os_profile.admin_password is None
    assert [disk.lun for disk in made.storage_profile.data_disks] == [0, 1]
    assert azure.compute.disks.get(GROUP, made.storage_profile.os_disk.name).managed_by == made.id

    def power() -> str:
        return str(machines.instance_view(GROUP, "vm").statuses[1].code)

    assert power() == "PowerState/running"
    expanded = machines.get(GROUP, "vm", expand="instanceView")
    assert expanded.instance_view.statuses[1].code == "PowerState/running"
    for begin, state in (
        (machines.begin_power_off, "stopped"),
        (machines.begin_start, "running"),
        (machines.begin_restart, "running"),
        (machines.begin_deallocate, "deallocated"),
    ):
        done(begin(GROUP, "vm"))
        assert power() == f"PowerState/{state}"
    changed = {"properties": {"hardwareProfile": {"vmSize": "Standard_D4s_v3"}}, "tags": {"a": "b"}}
    after = done(machines.begin_update(GROUP, "vm", changed))
    assert (after.hardware_profile.vm_size, after.tags) == ("Standard_D4s_v3", {"a": "b"})
    # Read and written back, a disk less: what is detached is nobody's.
    held = machines.get(GROUP, "vm")
    gone = held.storage_profile.data_disks.pop()
    done(machines.begin_create_or_update(GROUP, "vm", held))
    assert azure.compute.disks.get(GROUP, gone.name).managed_by is None
    assert [item.name for item in machines.list(GROUP)] == [item.name for item in machines.list_all()] == ["vm"]
    done(machines.begin_delete(GROUP, "vm"))
    assert list(machines.list_all()) == []
    assert len(list(azure.compute.disks.list())) == 3


def test_an_availability_set(azure: Azure) -> None:
    sets = azure.compute.availability_sets
    made = sets.create_or_update(GROUP, "set", {"location": "eastasia", "sku": {"name": "Aligned"}})
    assert made.platform_fault_domain_count == 2
    assert sets.update(GROUP, "set", {"tags": {"a": "b"}}).tags == {"a": "b"}
    body = machine(azure)
    body["properties"]["availabilitySet"] = {"id": made.id}
    vm = done(azure.compute.virtual_machines.begin_create_or_update(GROUP, "vm", body))
    assert [item.id for item in sets.get(GROUP, "set").virtual_machines] == [vm.id]
    done(azure.compute.virtual_machines.begin_delete(GROUP, "vm"))
    sets.delete(GROUP, "set")
    assert list(sets.list_by_subscription()) == list(sets.list(GROUP)) == []


def test_a_storage_account(azure: Azure) -> None:
    accounts = azure.storage.storage_accounts
    asked = {"name": "stlab", "type": "Microsoft.Storage/storageAccounts"}
    assert accounts.check_name_availability(asked).name_available is True
    made = done(accounts.begin_create(GROUP, "stlab", ACCOUNT))
    assert made.provisioning_state == "Succeeded" and made.primary_endpoints.blob.startswith("https://stlab.blob.")
    assert accounts.check_name_availability(asked).name_available is False
    assert done(accounts.begin_create(GROUP, "stlab", ACCOUNT)).id == made.id
    keys = accounts.list_keys(GROUP, "stlab").keys_property
    assert [key.key_name for key in keys] == ["key1", "key2"] and len({key.value for key in keys}) == 2
    changed = accounts.update(GROUP, "stlab", {"tags": {"a": "b"}, "properties": {"minimumTlsVersion": "TLS1_2"}})
    assert (changed.tags, changed.minimum_tls_version) == ({"a": "b"}, "TLS1_2")
    assert accounts.get_properties(GROUP, "stlab").minimum_tls_version == "TLS1_2"
    assert [item.name for item in accounts.list()] == ["stlab"]
    assert [item.name for item in accounts.list_by_resource_group(GROUP)] == ["stlab"]
    accounts.delete(GROUP, "stlab")
    accounts.delete(GROUP, "stlab")
    assert list(accounts.list()) == []


def test_groups_resources_and_providers() -> None:
    azure = Azure(Lab(groups={}))
    groups, resources = azure.resources.resource_groups, azure.resources.resources
    made = groups.create_or_update("rg-new", {"location": "eastasia", "tags": {"a": "b"}})
    assert made.properties.provisioning_state == "Succeeded" and groups.check_existence("rg-new") is True
    assert groups.check_existence("rg-none") is False
    assert groups.update("rg-new", {"tags": {"c": "d"}}).tags == {"c": "d"}
    assert [item.name for item in groups.list()] == ["rg-new"]
    url = rid("Microsoft.Network/routeTables", "rt", group="rg-new")
    kept = done(
        resources.begin_create_or_update_by_id(
            url, api_version="2024-05-01", parameters={"location": "eastasia", "properties": {}}
        )
    )
    assert kept.name == "rt" and resources.get_by_id(url, api_version="2024-05-01").location == "eastasia"
    assert resources.check_existence_by_id(url, api_version="2024-05-01") is True
    disk = rid(f"{COMPUTE}/disks", "d", group="rg-new")
    done(resources.begin_create_or_update_by_id(disk, api_version="2024-03-02", parameters=EMPTY))
    assert {item.type for item in resources.list()} == {"Microsoft.Network/routeTables", f"{COMPUTE}/disks"}
    wanted = "resourceType eq 'Microsoft.Network/routeTables'"
    assert [item.name for item in resources.list(filter=wanted)] == ["rt"]
    assert len(list(resources.list_by_resource_group("rg-new"))) == 2
    done(resources.begin_delete_by_id(url, api_version="2024-05-01"))
    assert resources.check_existence_by_id(url, api_version="2024-05-01") is False
    assert "Microsoft.Network" in {item.namespace for item in azure.resources.providers.list()}
    assert azure.resources.providers.register("Microsoft.Compute").registration_state == "Registered"
    done(groups.begin_delete("rg-new"))
    assert list(groups.list()) == [] and groups.check_existence("rg-new") is False
