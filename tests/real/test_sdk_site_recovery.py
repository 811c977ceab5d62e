"""azure-mgmt-recoveryservices and azure-mgmt-recoveryservicessiterecovery protect a machine of the published example
and take it to the far region: the whole life cycle by Azure's own clients (S1 to S24, S31 to S40)."""

from __future__ import annotations

from typing import Any

import pytest

from farshore.arm.json import Body
from lab.core.bench import example_lab, network_body, rid
from real.clients import Azure, done

HOME, AWAY = "rg-source", "rg-farshore-dr"
VAULT = "vault"
WEB1 = rid("Microsoft.Compute/virtualMachines", "web1", group=HOME)
NETWORK = "Microsoft.Network/virtualNetworks"


class Vault:
    """One vault of one lab, and what its clients say of it."""

    def __init__(self) -> None:
        self.azure = Azure(example_lab())
        body: Body = {"location": "southeastasia", "sku": {"name": "RS0", "tier": "Standard"}, "properties": {}}
        self.made = done(self.azure.vaults.vaults.begin_create_or_update(AWAY, VAULT, body))
        self.client = self.azure.recovery

    def provider(self, kind: str, **more: Any) -> Body:
        return {"properties": {"providerSpecificInput": {"instanceType": "A2A", **more}, "kind": kind}}

    def prepare(self) -> None:
        """Fabrics, containers, policy, mappings both ways, networks."""
        client, lab = self.client, self.azure.lab
        far = rid(NETWORK, "far-vnet1", group=AWAY)
        lab.made(far, network_body("10.1.0.0/24", location="southeastasia", app="10.1.0.0/25"))
        account = {"location": "eastasia", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}
        done(self.azure.storage.storage_accounts.begin_create(HOME, "stcache", account))
        for name, region in (("near", "eastasia"), ("far", "southeastasia")):
            fabric = {"properties": {"customDetails": {"instanceType": "Azure", "location": region}}}
            done(client.replication_fabrics.begin_create(AWAY, VAULT, name, fabric))
            container = {"properties": {"providerSpecificInput": [{"instanceType": "A2A"}]}}
            containers = client.replication_protection_containers
            done(containers.begin_create(AWAY, VAULT, name, f"{name}-c", container))
        policy = {
            "properties": {
                "providerSpecificInput": {
                    "instanceType": "A2A",
                    "multiVmSyncStatus": "Enable",
                    "recoveryPointHistory": 1440,
                    "appConsistentFrequencyInMinutes": 60,
                    "crashConsistentFrequencyInMinutes": 5,
                }
            }
        }
        self.policy = done(client.replication_policies.begin_create(AWAY, VAULT, "policy", policy))
        self.containers = {item.name: item for item in client.replication_protection_containers.list(AWAY, VAULT)}
        for one, other in (("near", "far"), ("far", "near")):
            mapping = {
                "properties": {
                    "targetProtectionContainerId": self.containers[f"{other}-c"].id,
                    "policyId": self.policy.id,
                    "providerSpecificInput": {"instanceType": "A2A"},
                }
            }
            mappings = client.replication_protection_container_mappings
            done(mappings.begin_create(AWAY, VAULT, one, f"{one}-c", f"{one}-to-{other}", mapping))
        network = {
            "properties": {
                "recoveryFabricName": "far",
                "recoveryNetworkId": far,
                "fabricSpecificDetails": {
                    "instanceType": "AzureToAzure",
                    "primaryNetworkId": rid(NETWORK, "Source-vNet1", group=HOME),
                },
            }
        }
        networks = client.replication_network_mappings
        done(networks.begin_create(AWAY, VAULT, "near", "azureNetwork", "vnet1", network))

    def protect(self, **more: Any) -> Any:
        disks = [
            {
                "diskId": rid("Microsoft.Compute/disks", name, group=HOME),
                "primaryStagingAzureStorageAccountId": rid("Microsoft.Storage/storageAccounts", "stcache", group=HOME),
                "recoveryResourceGroupId": rid("x/y", "z", group=AWAY).split("/providers/")[0],
                "recoveryReplicaDiskAccountType": "StandardSSD_LRS",
                "recoveryTargetDiskAccountType": "StandardSSD_LRS",
            }
            for name in ("web1-os", "web1-data0")
        ]
        details = {
            "instanceType": "A2A",
            "fabricObjectId": WEB1,
            "recoveryContainerId": self.containers["far-c"].id,
            "recoveryResourceGroupId": rid("x/y", "z", group=AWAY).split("/providers/")[0],
            "vmManagedDisks": disks,
            **more,
        }
        body = {"properties": {"policyId": self.policy.id, "providerSpecificDetails": details}}
        items = self.client.replication_protected_items
        done(items.begin_create(AWAY, VAULT, "near", "near-c", "web1", body))
        self.azure.lab.wait(hours=1)
        return self.item()

    def item(self, side: str = "near") -> Any:
        return self.client.replication_protected_items.get(AWAY, VAULT, side, f"{side}-c", "web1")


@pytest.fixture
def vault() -> Vault:
    return Vault()


def test_a_vault(vault: Vault) -> None:
    vaults = vault.azure.vaults.vaults
    assert vault.made.properties.provisioning_state == "Succeeded" and vault.made.sku.name == "RS0"
    assert [item.name for item in vaults.list_by_resource_group(AWAY)] == [VAULT]
    assert [item.name for item in vaults.list_by_subscription_id()] == [VAULT]
    assert list(vault.client.replication_fabrics.list(AWAY, VAULT)) == []
    assert list(vault.client.replication_protected_items.list(AWAY, VAULT)) == []
    done(vaults.begin_delete(AWAY, VAULT))
    assert list(vaults.list_by_subscription_id()) == []


def test_the_objects_of_site_recovery(vault: Vault) -> None:
    vault.prepare()
    client = vault.client
    assert {item.name for item in client.replication_fabrics.list(AWAY, VAULT)} == {"near", "far"}
    assert set(vault.containers) == {"near-c", "far-c"}
    policy = client.replication_policies.get(AWAY, VAULT, "policy")
    assert policy.properties.provider_specific_details.instance_type == "A2A"
    mappings = client.replication_protection_container_mappings
    assert [
        item.name for item in mappings.list_by_replication_protection_containers(AWAY, VAULT, "near", "near-c")
    ] == ["near-to-far", "far-to-near"]
    networks = client.replication_network_mappings
    assert [item.name for item in networks.list_by_replication_networks(AWAY, VAULT, "near", "azureNetwork")] == [
        "vnet1"
    ]
    jobs = list(client.replication_jobs.list(AWAY, VAULT))
    assert len(jobs) >= 8 and {job.properties.state for job in jobs} == {"Succeeded"}
    assert client.replication_jobs.get(AWAY, VAULT, jobs[0].name).name == jobs[0].name


def test_a_machine_goes_to_the_far_shore_and_back(vault: Vault) -> None:
    vault.prepare()
    item = vault.protect()
    assert item.properties.protection_state == "Protected"
    assert item.properties.provider_specific_details.recovery_azure_vm_name is not None
    items, lab = vault.client.replication_protected_items, vault.azure.lab
    points = vault.client.recovery_points
    taken = list(points.list_by_replication_protected_items(AWAY, VAULT, "near", "near-c", "web1"))
    assert taken and all(point.properties.recovery_point_time for point in taken)
    drill = {
        "properties": {
            "failoverDirection": "PrimaryToRecovery",
            "networkType": "VmNetworkAsInput",
            "networkId": _drill_network(lab),
            "providerSpecificDetails": {"instanceType": "A2A", "recoveryPointId": taken[-1].id},
        }
    }
    done(items.begin_test_failover(AWAY, VAULT, "near", "near-c", "web1", drill))
    names = {vm.name for vm in vault.azure.compute.virtual_machines.list(AWAY)}
    assert names == {"web1-test"}
    assert "TestFailoverCleanup" in vault.item().properties.allowed_operations
    done(items.begin_test_failover_cleanup(AWAY, VAULT, "near", "near-c", "web1", {"properties": {"comments": "ok"}}))
    assert list(vault.azure.compute.virtual_machines.list(AWAY)) == []
    lab.fault(kind="region", region="eastasia", state="lost")
    failover = {
        "properties": {
            "failoverDirection": "PrimaryToRecovery",
            "sourceSiteOperations": "NotRequired",
            "providerSpecificDetails": {"instanceType": "A2A"},
        }
    }
    done(items.begin_unplanned_failover(AWAY, VAULT, "near", "near-c", "web1", failover))
    after = vault.azure.compute.virtual_machines.get(AWAY, "web1", expand="instanceView")
    assert after.location == "southeastasia" and after.instance_view.statuses[1].code == "PowerState/running"
    done(items.begin_failover_commit(AWAY, VAULT, "near", "near-c", "web1"))
    assert "ReverseReplicate" in vault.item().properties.allowed_operations
    jobs = {job.properties.scenario_name: job.name for job in vault.client.replication_jobs.list(AWAY, VAULT)}
    job = vault.client.replication_jobs.get(AWAY, VAULT, jobs["UnplannedFailover"])
    assert job.properties.state == "Succeeded" and {task.state for task in job.properties.tasks} == {"Succeeded"}


def test_protection_turns_round_when_the_region_is_back(vault: Vault) -> None:
    """Reprotect: the far machine is the one that is protected, towards home."""
    vault.prepare()
    vault.protect()
    items, lab = vault.client.replication_protected_items, vault.azure.lab
    failover = {
        "properties": {
            "failoverDirection": "PrimaryToRecovery",
            "providerSpecificDetails": {"instanceType": "A2A"},
        }
    }
    done(items.begin_unplanned_failover(AWAY, VAULT, "near", "near-c", "web1", failover))
    done(items.begin_failover_commit(AWAY, VAULT, "near", "near-c", "web1"))
    account = {"location": "southeastasia", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}
    done(vault.azure.storage.storage_accounts.begin_create(AWAY, "stcachefar", account))
    machine = vault.azure.compute.virtual_machines.get(AWAY, "web1")
    disks = [machine.storage_profile.os_disk, *machine.storage_profile.data_disks]
    home = rid("x/y", "z", group=HOME).split("/providers/")[0]
    switch = {
        "properties": {
            "replicationProtectedItemName": "web1",
            "providerSpecificDetails": {
                "instanceType": "A2A",
                "policyId": vault.policy.id,
                "recoveryContainerId": vault.containers["near-c"].id,
                "recoveryResourceGroupId": home,
                "vmManagedDisks": [
                    {
                        "diskId": disk.managed_disk.id,
                        "primaryStagingAzureStorageAccountId": rid(
                            "Microsoft.Storage/storageAccounts", "stcachefar", group=AWAY
                        ),
                        "recoveryResourceGroupId": home,
                    }
                    for disk in disks
                ],
            },
        }
    }
    containers = vault.client.replication_protection_containers
    done(containers.begin_switch_protection(AWAY, VAULT, "near", "near-c", switch))
    lab.wait(hours=3)
    (item,) = vault.client.replication_protected_items.list(AWAY, VAULT)
    assert item.properties.protection_state == "Protected"
    assert item.properties.provider_specific_details.primary_fabric_location == "southeastasia"
    done(vault.client.replication_protected_items.begin_purge(AWAY, VAULT, *_place(item)))
    assert list(vault.client.replication_protected_items.list(AWAY, VAULT)) == []


def _place(item: Any) -> tuple[str, str, str]:
    """Fabric, container and name of a protected item."""
    parts = item.id.split("/")
    return parts[-5], parts[-3], parts[-1]


def _drill_network(lab: Any) -> str:
    url = rid(NETWORK, "drill", group=AWAY)
    lab.made(url, network_body("10.1.0.0/24", location="southeastasia", app="10.1.0.0/25"))
    return url
