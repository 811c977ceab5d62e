"""Site Recovery of the article's machines, by Azure's Python clients."""

from __future__ import annotations

from typing import Any

from farshore.arm.json import Body
from real.clients import done
from real.life.clients import AWAY, FAR, HOME, MACHINES, NEAR, SPOKES, VAULT, Clients, group_id, rid, until


def vault(clients: Clients) -> None:
    """Vault, cache accounts, fabrics, containers, policy, and mappings both ways."""
    body: Body = {"location": FAR, "sku": {"name": "RS0", "tier": "Standard"}, "properties": {}}
    made = done(clients.vaults.vaults.begin_create_or_update(AWAY, VAULT, body))
    assert made.properties.provisioning_state == "Succeeded"
    recovery = clients.recovery
    for name, region, group in (("near", NEAR, HOME), ("far", FAR, AWAY)):
        account = {"location": region, "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}
        assert done(clients.storage.storage_accounts.begin_create(group, f"stcache{name}", account)).name
        fabric = {"properties": {"customDetails": {"instanceType": "Azure", "location": region}}}
        assert done(recovery.replication_fabrics.begin_create(AWAY, VAULT, name, fabric)).name == name
        container = {"properties": {"providerSpecificInput": [{"instanceType": "A2A"}]}}
        containers = recovery.replication_protection_containers
        assert done(containers.begin_create(AWAY, VAULT, name, f"{name}-c", container)).name == f"{name}-c"
    details = {
        "instanceType": "A2A",
        "multiVmSyncStatus": "Enable",
        "recoveryPointHistory": 1440,
        "appConsistentFrequencyInMinutes": 60,
        "crashConsistentFrequencyInMinutes": 5,
    }
    policy = {"properties": {"providerSpecificInput": details}}
    assert done(recovery.replication_policies.begin_create(AWAY, VAULT, "policy", policy)).name == "policy"
    for one, other in (("near", "far"), ("far", "near")):
        mapping = {
            "properties": {
                "targetProtectionContainerId": site(other) + f"/replicationProtectionContainers/{other}-c",
                "policyId": rid(AWAY, "Microsoft.RecoveryServices/vaults", f"{VAULT}/replicationPolicies/policy"),
                "providerSpecificInput": {"instanceType": "A2A"},
            }
        }
        mappings = recovery.replication_protection_container_mappings
        paired = done(mappings.begin_create(AWAY, VAULT, one, f"{one}-c", f"{one}-to-{other}", mapping))
        assert paired.properties.state == "Paired"
        for spoke, _ in SPOKES.values():
            ends = {"near": (HOME, spoke), "far": (AWAY, f"{spoke}-asr")}
            network = {
                "properties": {
                    "recoveryFabricName": other,
                    "recoveryNetworkId": rid(ends[other][0], "Microsoft.Network/virtualNetworks", ends[other][1]),
                    "fabricSpecificDetails": {
                        "instanceType": "AzureToAzure",
                        "primaryNetworkId": rid(ends[one][0], "Microsoft.Network/virtualNetworks", ends[one][1]),
                    },
                }
            }
            networks = recovery.replication_network_mappings
            made = done(networks.begin_create(AWAY, VAULT, one, "azureNetwork", f"{spoke}-map", network))
            assert made.properties.state == "Paired"


def site(side: str) -> str:
    return rid(AWAY, "Microsoft.RecoveryServices/vaults", f"{VAULT}/replicationFabrics/{side}")


def disks(clients: Clients, name: str, group: str, side: str, target: str) -> list[Body]:
    """A machine's disks as Site Recovery wants them told."""
    profile = clients.compute.virtual_machines.get(group, name).storage_profile
    home = HOME if side == "near" else AWAY
    return [
        {
            "diskId": disk.managed_disk.id,
            "primaryStagingAzureStorageAccountId": rid(home, "Microsoft.Storage/storageAccounts", f"stcache{side}"),
            "recoveryResourceGroupId": group_id(target),
            "recoveryReplicaDiskAccountType": "StandardSSD_LRS",
            "recoveryTargetDiskAccountType": "StandardSSD_LRS",
        }
        for disk in (profile.os_disk, *profile.data_disks)
    ]


def protect(clients: Clients, name: str) -> None:
    details = {
        "instanceType": "A2A",
        "fabricObjectId": rid(HOME, "Microsoft.Compute/virtualMachines", name),
        "recoveryContainerId": site("far") + "/replicationProtectionContainers/far-c",
        "recoveryResourceGroupId": group_id(AWAY),
        "recoveryAzureNetworkId": rid(AWAY, "Microsoft.Network/virtualNetworks", f"{SPOKES[name][0]}-asr"),
        "recoverySubnetName": "app",
        "vmManagedDisks": disks(clients, name, HOME, "near", AWAY),
    }
    policy = rid(AWAY, "Microsoft.RecoveryServices/vaults", f"{VAULT}/replicationPolicies/policy")
    body = {"properties": {"policyId": policy, "providerSpecificDetails": details}}
    items = clients.recovery.replication_protected_items
    assert done(items.begin_create(AWAY, VAULT, "near", "near-c", name, body)).name == name


def item(clients: Clients, name: str, side: str) -> Any:
    return clients.recovery.replication_protected_items.get(AWAY, VAULT, side, f"{side}-c", name)


def protected(clients: Clients, name: str, side: str) -> None:
    until(lambda: item(clients, name, side).properties.protection_state == "Protected")
    assert "UnplannedFailover" in item(clients, name, side).properties.allowed_operations
    points = clients.recovery.recovery_points
    until(lambda: bool(list(points.list_by_replication_protected_items(AWAY, VAULT, side, f"{side}-c", name))))


def drill(clients: Clients, name: str, side: str, network: str) -> None:
    body: Body = {
        "location": FAR,
        "properties": {
            "addressSpace": {"addressPrefixes": ["10.201.0.0/24"]},
            "subnets": [{"name": "app", "properties": {"addressPrefix": "10.201.0.0/25"}}],
        },
    }
    made = done(clients.network.virtual_networks.begin_create_or_update(AWAY, network, body))
    test = {
        "failoverDirection": "PrimaryToRecovery",
        "networkType": "VmNetworkAsInput",
        "networkId": made.id,
        "providerSpecificDetails": {"instanceType": "A2A"},
    }
    items, place = clients.recovery.replication_protected_items, (AWAY, VAULT, side, f"{side}-c", name)
    done(items.begin_test_failover(*place, {"properties": test}))
    machines = clients.compute.virtual_machines
    assert machines.instance_view(AWAY, f"{name}-test").statuses[1].code == "PowerState/running"
    nic = machines.get(AWAY, f"{name}-test").network_profile.network_interfaces[0].id.rsplit("/", 1)[1]
    held = clients.network.network_interfaces.get(AWAY, nic)
    assert held.ip_configurations[0].subnet.id.lower().startswith(made.id.lower())
    assert "TestFailoverCleanup" in item(clients, name, side).properties.allowed_operations
    done(items.begin_test_failover_cleanup(*place, {"properties": {"comments": "the drill is over"}}))
    assert f"{name}-test" not in {vm.name for vm in machines.list(AWAY)}
    done(clients.network.virtual_networks.begin_delete(AWAY, network))


def fail_over(clients: Clients, name: str, side: str, group: str) -> None:
    """With the old machine shut down first: nothing is lost. Committed at once."""
    items, place = clients.recovery.replication_protected_items, (AWAY, VAULT, side, f"{side}-c", name)
    failover = {
        "failoverDirection": "PrimaryToRecovery",
        "sourceSiteOperations": "Required",
        "providerSpecificDetails": {"instanceType": "A2A"},
    }
    done(items.begin_unplanned_failover(*place, {"properties": failover}))
    machines = clients.compute.virtual_machines
    assert machines.instance_view(group, name).statuses[1].code == "PowerState/running"
    nic = machines.get(group, name).network_profile.network_interfaces[0].id.rsplit("/", 1)[1]
    configuration = clients.network.network_interfaces.get(group, nic).ip_configurations[0]
    assert configuration.private_ip_address == MACHINES[name]
    assert "Commit" in item(clients, name, side).properties.allowed_operations
    done(items.begin_failover_commit(*place))
    assert "ReverseReplicate" in item(clients, name, side).properties.allowed_operations


def switch(clients: Clients, name: str, old: str, new: str, group: str, target: str) -> None:
    """The machine that runs in `group` is protected towards `target` (S45)."""
    details = {
        "instanceType": "A2A",
        "policyId": rid(AWAY, "Microsoft.RecoveryServices/vaults", f"{VAULT}/replicationPolicies/policy"),
        "recoveryContainerId": site(old) + f"/replicationProtectionContainers/{old}-c",
        "recoveryResourceGroupId": group_id(target),
        "vmManagedDisks": disks(clients, name, group, new, target),
    }
    body = {"properties": {"replicationProtectedItemName": name, "providerSpecificDetails": details}}
    containers = clients.recovery.replication_protection_containers
    done(containers.begin_switch_protection(AWAY, VAULT, old, f"{old}-c", body))
    assert item(clients, name, new).properties.provider_specific_details.instance_type == "A2A"


def what_the_jobs_say(clients: Clients) -> None:
    jobs = list(clients.recovery.replication_jobs.list(AWAY, VAULT))
    assert {job.properties.state for job in jobs} == {"Succeeded"}
    ran = [job.properties.scenario_name for job in jobs]
    assert [ran.count(name) for name in ("TestFailover", "UnplannedFailover", "CommitFailover")] == [1, 4, 4]
    events = list(clients.recovery.replication_events.list(AWAY, VAULT))
    assert all(event.properties.event_code for event in events)


def taken_away(clients: Clients) -> None:
    items = clients.recovery.replication_protected_items
    for name in MACHINES:
        done(items.begin_purge(AWAY, VAULT, "near", "near-c", name))
    assert list(items.list(AWAY, VAULT)) == []
    done(clients.network.virtual_network_gateway_connections.begin_delete(HOME, "cn-source-hub"))
    assert clients.lab.verdict("datacenter", MACHINES["web1"]) != "delivered"
