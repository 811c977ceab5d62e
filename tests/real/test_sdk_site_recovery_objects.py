"""What azure-mgmt-recoveryservicessiterecovery does beside the way to the far shore and back: intents, clusters, disks,
events, health, settings, plans and jobs (S8, S23, S52 to S54)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from farshore.arm.json import Body
from lab.core.bench import rid
from real.clients import done
from real.test_sdk_site_recovery import AWAY, HOME, NETWORK, VAULT, WEB1, Vault

A2A: Body = {"instanceType": "A2A"}
PLACE = (AWAY, VAULT, "near", "near-c")


@pytest.fixture
def vault() -> Vault:
    return Vault()


def group_id(name: str) -> str:
    return str(rid("x/y", "z", group=name).split("/providers/")[0])


def cluster(vault: Vault) -> Any:
    return vault.client.replication_protection_clusters.get(*PLACE, "pair")


def test_an_intent_protects_a_machine_by_one_call(vault: Vault) -> None:
    details = {
        **A2A,
        "fabricObjectId": WEB1,
        "primaryLocation": "eastasia",
        "recoveryLocation": "southeastasia",
        "recoverySubscriptionId": WEB1.split("/")[2],
        "recoveryAvailabilityType": "Single",
        "recoveryResourceGroupId": group_id(AWAY),
    }
    intents = vault.client.replication_protection_intents
    made = intents.create(AWAY, VAULT, "intent", {"properties": {"providerSpecificDetails": details}})
    assert made.properties.is_active and made.properties.job_state == "InProgress"
    assert made.properties.provider_specific_details.recovery_location == "southeastasia"
    vault.azure.lab.wait(hours=2)
    assert intents.get(AWAY, VAULT, "intent").properties.job_state == "Succeeded"
    assert [item.name for item in intents.list(AWAY, VAULT)] == ["intent"]
    (item,) = vault.client.replication_protected_items.list(AWAY, VAULT)
    assert item.properties.protection_state == "Protected"
    names = {item.name for item in vault.azure.network.virtual_networks.list(AWAY)}
    assert names == {"Source-vNet1-asr"}


def test_disks_errors_events_and_what_a_vault_says(vault: Vault) -> None:
    vault.prepare()
    vault.protect()
    client, items = vault.client, vault.client.replication_protected_items
    leaving = {**A2A, "vmManagedDisksIds": [rid("Microsoft.Compute/disks", "web1-data0", group=HOME)]}
    done(items.begin_remove_disks(*PLACE, "web1", {"properties": {"providerSpecificDetails": leaving}}))
    assert len(vault.item().properties.provider_specific_details.protected_managed_disks) == 1
    assert len(vault.item().properties.provider_specific_details.unprotected_disks) == 1
    joining = {
        "diskId": rid("Microsoft.Compute/disks", "web1-data0", group=HOME),
        "primaryStagingAzureStorageAccountId": rid("Microsoft.Storage/storageAccounts", "stcache", group=HOME),
        "recoveryResourceGroupId": group_id(AWAY),
    }
    given = {**A2A, "vmManagedDisks": [joining]}
    done(items.begin_add_disks(*PLACE, "web1", {"properties": {"providerSpecificDetails": given}}))
    assert len(vault.item().properties.provider_specific_details.protected_managed_disks) == 2
    wanted = {"properties": {"healthErrors": [{"healthErrorId": "6:153039"}]}}
    done(items.begin_resolve_health_errors(*PLACE, "web1", wanted))
    events = client.replication_events
    (event,) = events.list(AWAY, VAULT)
    assert event.properties.event_type == "VmHealth" and event.properties.time_of_occurrence is not None
    assert events.get(AWAY, VAULT, event.name).properties.provider_specific_details.remote_fabric_name == "far"
    health = client.replication_vault_health.get(AWAY, VAULT)
    assert [issue.summary_code for issue in health.properties.protected_items_health.issues] == ["161011"]
    done(client.replication_vault_health.begin_refresh(AWAY, VAULT))
    setting = {"properties": {"vmwareToAzureProviderType": "Rcm"}}
    done(client.replication_vault_setting.begin_create(AWAY, VAULT, "default", setting))
    assert [item.name for item in client.replication_vault_setting.list(AWAY, VAULT)] == ["default"]
    assert client.supported_operating_systems.get(AWAY, VAULT).properties.supported_os_list
    (provider,) = client.replication_recovery_services_providers.list_by_replication_fabrics(AWAY, VAULT, "near")
    found = client.replication_recovery_services_providers.get(AWAY, VAULT, "near", provider.name)
    assert found.properties.fabric_type == "Azure"
    sizes = list(client.target_compute_sizes.list_by_replication_protected_items(*PLACE, "web1"))
    assert sizes and all(size.properties.cpu_cores_count for size in sizes)
    done(items.begin_update_mobility_service(*PLACE, "web1", {"properties": {}}))
    (usage,) = vault.azure.vaults.replication_usages.list(AWAY, VAULT)
    assert usage.protected_item_count == 1
    assert list(vault.azure.vaults.usages.list_by_vaults(AWAY, VAULT))
    extended = vault.azure.vaults.vault_extended_info
    with pytest.raises(ResourceNotFoundError):
        extended.get(AWAY, VAULT)
    extended.create_or_update(AWAY, VAULT, {"properties": {"algorithm": "None"}})
    assert extended.get(AWAY, VAULT).properties.algorithm == "None"


def test_what_is_not_for_azure_to_azure_is_an_error_that_the_client_shows(vault: Vault) -> None:
    vault.prepare()
    vault.protect()
    items = vault.client.replication_protected_items
    planned = {"properties": {"failoverDirection": "PrimaryToRecovery"}}
    asked: tuple[Callable[[], Any], ...] = (
        lambda: items.begin_planned_failover(*PLACE, "web1", planned),
        lambda: items.begin_failover_cancel(*PLACE, "web1"),
        lambda: items.begin_switch_provider(*PLACE, "web1", {"properties": {"targetInstanceType": "InMageRcm"}}),
        lambda: vault.client.replication_fabrics.begin_migrate_to_aad(AWAY, VAULT, "near"),
    )
    for ask in asked:
        with pytest.raises(HttpResponseError) as refused:
            ask()
        assert refused.value.error is not None and "Azure to Azure" in str(refused.value.error.message)
    assert list(vault.client.replicationv_centers.list(AWAY, VAULT)) == []
    assert list(vault.client.replication_protectable_items.list_by_replication_protection_containers(*PLACE)) == []


def test_a_cluster_is_drilled_failed_over_and_switched(vault: Vault) -> None:
    vault.prepare()
    clusters = vault.client.replication_protection_clusters
    body = {
        "properties": {
            "policyId": vault.policy.id,
            "recoveryContainerId": vault.containers["far-c"].id,
            "providerSpecificDetails": A2A,
        }
    }
    made = done(clusters.begin_create(*PLACE, "pair", body))
    assert made.properties.provisioning_state == "Created"
    vault.protect(protectionClusterId=made.id)
    assert cluster(vault).properties.protection_state == "Protected"
    taken = list(vault.client.cluster_recovery_points.list_by_replication_protection_cluster(*PLACE, "pair"))
    assert taken and taken[0].properties.provider_specific_details.nodes
    point = vault.client.cluster_recovery_point.get(*PLACE, "pair", taken[0].name)
    vault.azure.lab.made(
        rid(NETWORK, "drill", group=AWAY),
        {
            "location": "southeastasia",
            "properties": {
                "addressSpace": {"addressPrefixes": ["10.1.0.0/24"]},
                "subnets": [{"name": "app", "properties": {"addressPrefix": "10.1.0.0/25"}}],
            },
        },
    )
    drill = {
        "failoverDirection": "PrimaryToRecovery",
        "networkType": "VmNetworkAsInput",
        "networkId": rid(NETWORK, "drill", group=AWAY),
        "providerSpecificDetails": {**A2A, "clusterRecoveryPointId": point.id},
    }
    done(clusters.begin_test_failover(*PLACE, "pair", {"properties": drill}))
    done(clusters.begin_test_failover_cleanup(*PLACE, "pair", {"properties": {"comments": "ok"}}))
    failover = {"failoverDirection": "PrimaryToRecovery", "providerSpecificDetails": A2A}
    done(clusters.begin_unplanned_failover(*PLACE, "pair", {"properties": failover}))
    wanted = list(vault.client.cluster_recovery_points.list_by_replication_protection_cluster(*PLACE, "pair"))
    other = {"clusterRecoveryPointId": wanted[0].id, "providerSpecificDetails": A2A}
    done(clusters.begin_apply_recovery_point(*PLACE, "pair", {"properties": other}))
    done(clusters.begin_failover_commit(*PLACE, "pair"))
    assert "ReverseReplicate" in cluster(vault).properties.allowed_operations
    switch = {
        "replicationProtectionClusterName": "pair",
        "providerSpecificDetails": {
            **A2A,
            "recoveryContainerId": vault.containers["near-c"].id,
            "policyId": vault.policy.id,
            "protectedItemsDetail": [_homeward(vault)],
        },
    }
    containers = vault.client.replication_protection_containers
    done(containers.begin_switch_cluster_protection(AWAY, VAULT, "near", "near-c", {"properties": switch}))
    vault.azure.lab.wait(hours=3)
    assert list(clusters.list_by_replication_protection_containers(*PLACE)) == []
    far = (AWAY, VAULT, "far", "far-c")
    (after,) = clusters.list_by_replication_protection_containers(*far)
    assert after.properties.protection_state == "Protected"
    done(clusters.begin_purge(*far, "pair"))
    assert list(clusters.list(AWAY, VAULT)) == []


def test_a_plan_that_waits_for_a_person_is_resumed_and_committed(vault: Vault) -> None:
    vault.prepare()
    item = vault.protect()
    client, plans = vault.client, vault.client.replication_recovery_plans
    manual = {
        "actionName": "look",
        "failoverTypes": ["TestFailover", "UnplannedFailover"],
        "failoverDirections": ["PrimaryToRecovery"],
        "customDetails": {"instanceType": "ManualActionDetails", "description": "look"},
    }
    boot = {"groupType": "Boot", "replicationProtectedItems": [{"id": item.id}], "startGroupActions": [manual]}
    fabrics = {fabric.name: fabric.id for fabric in client.replication_fabrics.list(AWAY, VAULT)}
    body = {"primaryFabricId": fabrics["near"], "recoveryFabricId": fabrics["far"], "groups": [boot]}
    done(plans.begin_create(AWAY, VAULT, "plan", {"properties": body}))
    failover = {
        "failoverDirection": "PrimaryToRecovery",
        "sourceSiteOperations": "NotRequired",
        "providerSpecificDetails": [{**A2A, "recoveryPointType": "Latest"}],
    }

    def wait_for_person() -> str:
        plans.begin_unplanned_failover(AWAY, VAULT, "plan", {"properties": failover}, polling=False)
        vault.azure.lab.wait(minutes=30)
        (job,) = client.replication_jobs.list(AWAY, VAULT, filter="state eq 'Suspended'")
        return str(job.name)

    job = wait_for_person()
    done(client.replication_jobs.begin_resume(AWAY, VAULT, job, {"properties": {"comments": "seen"}}))
    vault.azure.lab.wait(minutes=30)
    assert client.replication_jobs.get(AWAY, VAULT, job).properties.state == "Succeeded"
    done(plans.begin_failover_commit(AWAY, VAULT, "plan"))
    with pytest.raises(HttpResponseError):
        plans.begin_reprotect(AWAY, VAULT, "plan")
    with pytest.raises(HttpResponseError):
        plans.begin_failover_cancel(AWAY, VAULT, "plan")
    query = {"startTime": "2020-01-01T00:00:00Z", "endTime": "2040-01-01T00:00:00Z", "jobStatus": "Succeeded"}
    exported = done(client.replication_jobs.begin_export(AWAY, VAULT, query))
    assert exported.properties.custom_details.instance_type == "ExportJobDetails"


def _homeward(vault: Vault) -> Body:
    """What a switch says of the machine that runs on the far side now."""
    account = {"location": "southeastasia", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}
    done(vault.azure.storage.storage_accounts.begin_create(AWAY, "stcachefar", account))
    machine = vault.azure.compute.virtual_machines.get(AWAY, "web1")
    disks = [machine.storage_profile.os_disk, *machine.storage_profile.data_disks]
    staging = rid("Microsoft.Storage/storageAccounts", "stcachefar", group=AWAY)
    return {
        "replicationProtectedItemName": "web1",
        "recoveryResourceGroupId": group_id(HOME),
        "vmManagedDisks": [
            {
                "diskId": disk.managed_disk.id,
                "primaryStagingAzureStorageAccountId": staging,
                "recoveryResourceGroupId": group_id(HOME),
            }
            for disk in disks
        ],
    }
