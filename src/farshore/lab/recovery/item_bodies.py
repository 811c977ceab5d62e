"""The body of a protected item, field by field as recorded (S12, S21).

`properties_of` is what the service shows while protection is being enabled; what it learns later (NICs, the network,
`lifecycleId`) is empty until the item is protected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab.recovery import groups
from farshore.lab.recovery.fabric_providers import provider_id
from farshore.lab.recovery.names import looked_up, region_name, shown_id
from farshore.lab.recovery.objects import fabric_location, fabric_of
from farshore.lab.recovery.records import Record, no_scenario
from farshore.lab.recovery.states import SHOWN, Phase
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud


def properties_of(
    cloud: Cloud,
    item: ResourceId,
    record: Record,
    *,
    into: ResourceId,
    group: str,
    vm_name: str,
    vm_size: str,
    os_type: str,
    nics: list[Body],
    settings: Body,
    first: tuple[str, str] | None = None,
) -> Body:
    """A new item's properties. `into` is the container it is protected into, `first` the regions it began with."""
    here, there = fabric_of(item), fabric_of(into)
    regions = fabric_location(cloud, here), fabric_location(cloud, there)
    began = first or regions
    container = item.parent
    assert container is not None
    policy = resource_id(record["policy"])
    vm = resource_id(record["vm"])
    shown = SHOWN[Phase.ENABLING]
    provider = shown_id(provider_id(cloud, here))
    details: Body = {
        "instanceType": "A2A",
        "fabricObjectId": looked_up(vm),
        "initialPrimaryZone": "",
        "initialPrimaryFabricLocation": began[0],
        "initialRecoveryZone": "",
        "initialPrimaryExtendedLocation": None,
        "initialRecoveryExtendedLocation": None,
        "initialRecoveryFabricLocation": began[1],
        "multiVmGroupId": groups.id_of(cloud, item, settings.get("multiVmGroupName"), record["lifecycle"]),
        "multiVmGroupName": settings.get("multiVmGroupName") or "",
        "multiVmGroupCreateOption": "UserSpecified" if settings.get("multiVmGroupName") else "AutoCreated",
        "managementId": cloud.guid("management", item.key, record["lifecycle"], stamp(cloud.now)),
        "protectedDisks": unmanaged(record),
        "unprotectedDisks": None,
        "protectedManagedDisks": managed(record),
        "recoveryBootDiagStorageAccountId": settings.get("recoveryBootDiagStorageAccountId"),
        "primaryFabricLocation": regions[0],
        "recoveryFabricLocation": regions[1],
        "osType": os_type,
        "recoveryAzureVMSize": vm_size,
        "recoveryAzureVMName": vm_name,
        "recoveryAzureResourceGroupId": group,
        "recoveryCloudService": None,
        "recoveryAvailabilitySet": settings.get("recoveryAvailabilitySetId"),
        "selectedRecoveryAzureNetworkId": None,
        "selectedTfoAzureNetworkId": None,
        "vmNics": nics,
        "vmSyncedConfigDetails": {"tags": {}, "inputEndpoints": []},
        "monitoringPercentageCompletion": None,
        "monitoringJobType": None,
        "lastHeartbeat": None,
        "agentVersion": "9.52.6522.1",
        "agentExpiryDate": "9999-12-31T23:59:59.9999999",
        "isReplicationAgentUpdateRequired": False,
        "isReplicationAgentCertificateUpdateRequired": False,
        "recoveryFabricObjectId": None,
        "vmProtectionState": shown.state,
        "vmProtectionStateDescription": shown.description,
        "lifecycleId": None,
        "testFailoverRecoveryFabricObjectId": None,
        "rpoInSeconds": None,
        "lastRpoCalculatedTime": None,
        "rtoInSeconds": None,
        "primaryAvailabilityZone": None,
        "recoveryAvailabilityZone": settings.get("recoveryAvailabilityZone"),
        "primaryExtendedLocation": None,
        "recoveryExtendedLocation": None,
        "vmEncryptionType": "NotEncrypted",
        "tfoAzureVMName": f"{vm_name}-test",
        "recoveryAzureGeneration": "V1",
        "recoveryProximityPlacementGroupId": settings.get("recoveryProximityPlacementGroupId"),
        "autoProtectionOfDataDisk": settings.get("autoProtectionOfDataDisk") or "Disabled",
        "recoveryVirtualMachineScaleSetId": settings.get("recoveryVirtualMachineScaleSetId"),
        "recoveryCapacityReservationGroupId": settings.get("recoveryCapacityReservationGroupId"),
    }
    if record["cluster"] is not None:
        details |= {"protectionClusterId": shown_id(resource_id(record["cluster"])), "isClusterInfraReady": True}
    return {
        "friendlyName": vm.name,
        "protectedItemType": "",
        "protectableItemId": None,
        "recoveryServicesProviderId": provider,
        "primaryFabricFriendlyName": region_name(regions[0]),
        "primaryFabricProvider": "AzureFabric",
        "recoveryFabricFriendlyName": region_name(regions[1]),
        "recoveryFabricId": shown_id(there),
        "primaryProtectionContainerFriendlyName": container.name,
        "recoveryProtectionContainerFriendlyName": into.name,
        "protectionState": shown.state,
        "protectionStateDescription": shown.description,
        "activeLocation": "Primary",
        "testFailoverState": "None",
        "testFailoverStateDescription": "None",
        "switchProviderState": "None",
        "switchProviderStateDescription": None,
        "allowedOperations": [],
        "replicationHealth": "Normal",
        "failoverHealth": "Normal",
        "healthErrors": [],
        "policyId": shown_id(policy),
        "policyFriendlyName": policy.name,
        "currentScenario": no_scenario(item),
        "failoverRecoveryPointId": None,
        "providerSpecificDetails": details,
        "recoveryContainerId": shown_id(into),
        "eventCorrelationId": cloud.guid("correlation", item.key, stamp(cloud.now)),
    }


def managed(record: Record) -> list[Body] | None:
    """`protectedManagedDisks`."""
    return [_disk(disk) for disk in record["disks"] if disk["managed"]] or None


def unmanaged(record: Record) -> list[Body] | None:
    """`protectedDisks`: page blobs."""
    found = []
    for disk in record["disks"]:
        if not disk["managed"]:
            shared = _shared(disk)
            own = {
                "diskUri": disk["source"],
                "recoveryAzureStorageAccountId": disk["account"],
                "primaryDiskAzureStorageAccountId": None,
                "recoveryDiskUri": disk["target_uri"],
            }
            found.append({**own, **shared})
    return found or None


def _disk(disk: Record) -> Body:
    return {
        "diskId": str(disk["source"]).lower(),
        "recoveryResourceGroupId": disk["group"],
        "recoveryTargetDiskId": None,
        "recoveryReplicaDiskId": disk["replica"],
        "recoveryOrignalTargetDiskId": disk["original"],
        "recoveryReplicaDiskAccountType": disk["replica_type"],
        "recoveryTargetDiskAccountType": disk["account_type"],
        "recoveryDiskEncryptionSetId": disk.get("encryption_set"),
        "primaryDiskEncryptionSetId": None,
        **_shared(disk),
    }


def _shared(disk: Record) -> Body:
    return {
        "diskName": disk["name"],
        "diskCapacityInBytes": disk["size"],
        "primaryStagingAzureStorageAccountId": disk["staging"],
        "diskType": "OperatingSystem" if disk["lun"] is None else "Data",
        "resyncRequired": False,
        "monitoringPercentageCompletion": None,
        "monitoringJobType": None,
        "dataPendingInStagingStorageAccountInMB": 0.0,
        "dataPendingAtSourceAgentInMB": 0.0,
        "diskState": "InitialReplicationPending",
        "allowedDiskLevelOperation": [],
        "isDiskEncrypted": False,
        "secretIdentifier": None,
        "dekKeyVaultArmId": None,
        "isDiskKeyEncrypted": False,
        "keyIdentifier": None,
        "kekKeyVaultArmId": None,
        "failoverDiskName": disk["target_name"],
        "tfoDiskName": disk["test_name"],
    }
