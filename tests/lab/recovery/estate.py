"""The estate of the tests of Site Recovery: ids and bodies. `world.py` tells what it is."""

from __future__ import annotations

from collections.abc import Iterable

from farshore.arm.json import Body

HOME, AWAY = "eastasia", "southeastasia"
GROUPS = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups"
SOURCE, TARGET = f"{GROUPS}/rg-source", f"{GROUPS}/rg-target"
VAULT = f"{GROUPS}/rg-vault/providers/Microsoft.RecoveryServices/vaults/vault"
NETWORK, COMPUTE, STORAGE = "Microsoft.Network", "Microsoft.Compute", "Microsoft.Storage"
CACHES = {HOME: f"{SOURCE}/providers/{STORAGE}/storageAccounts/cachehome"}
CACHES[AWAY] = f"{TARGET}/providers/{STORAGE}/storageAccounts/cacheaway"
BLOBS = {HOME: f"{SOURCE}/providers/{STORAGE}/storageAccounts/blobshome"}
BLOBS[AWAY] = f"{TARGET}/providers/{STORAGE}/storageAccounts/blobsaway"
POLICY = f"{VAULT}/replicationPolicies/policy"


def vm_id(name: str, group: str = SOURCE) -> str:
    return f"{group}/providers/{COMPUTE}/virtualMachines/{name}"


def nic_id(name: str, group: str = SOURCE) -> str:
    return f"{group}/providers/{NETWORK}/networkInterfaces/{name}"


def disk_id(name: str, group: str = SOURCE) -> str:
    return f"{group}/providers/{COMPUTE}/disks/{name}"


def network_id(name: str) -> str:
    return f"{SOURCE if name == 'vnet-source' else TARGET}/providers/{NETWORK}/virtualNetworks/{name}"


def fabric(region: str) -> str:
    return f"{VAULT}/replicationFabrics/fabric-{region}"


def container(region: str) -> str:
    return f"{fabric(region)}/replicationProtectionContainers/container-{region}"


def item_id(name: str, region: str = HOME) -> str:
    return f"{container(region)}/replicationProtectedItems/{name}"


def mapping(region: str) -> str:
    return f"{container(region)}/replicationProtectionContainerMappings/from-{region}"


def plan_id(name: str) -> str:
    return f"{VAULT}/replicationRecoveryPlans/{name}"


def is_managed(name: str) -> bool:
    return not name.startswith("file")


def mapping_body(there: str) -> Body:
    given = {"instanceType": "A2A", "agentAutoUpdateStatus": "Disabled"}
    return {
        "properties": {
            "targetProtectionContainerId": container(there),
            "policyId": POLICY,
            "providerSpecificInput": given,
        }
    }


def network_mapping(here: str) -> str:
    return f"{fabric(here)}/replicationNetworks/azureNetwork/replicationNetworkMappings/networks"


def network_mapping_body(here: str) -> Body:
    ends = ("vnet-source", "vnet-target") if here == HOME else ("vnet-target", "vnet-source")
    return {
        "properties": {
            "recoveryFabricName": f"fabric-{AWAY if here == HOME else HOME}",
            "recoveryNetworkId": network_id(ends[1]),
            "fabricSpecificDetails": {"instanceType": "AzureToAzure", "primaryNetworkId": network_id(ends[0])},
        }
    }


# The estate. ---------------------------------------------------------------------------------------------------------


def estate(names: Iterable[str], dynamic: bool) -> list[Body]:
    found = [group_body(SOURCE, HOME), group_body(TARGET, AWAY)]
    found += [
        network_body("vnet-source", HOME, "10.1.0.0/24"),
        network_body("vnet-target", AWAY, "10.1.0.0/24"),
        network_body("vnet-drill", AWAY, "10.1.0.0/24"),
    ]
    for region, group in ((HOME, SOURCE), (AWAY, TARGET)):
        found += [{"id": held[region], "location": region, "sku": {"name": "Standard_LRS"}} for held in (CACHES, BLOBS)]
        assert all(str(each["id"]).startswith(group) for each in found[-2:])
    for number, name in enumerate(names):
        found += _machine(name, f"10.1.0.{4 + number}", dynamic)
    return found


def network_body(name: str, region: str, prefix: str, *subnets: tuple[str, str]) -> Body:
    held = subnets or (("app", prefix),)
    return {
        "id": network_id(name),
        "location": region,
        "properties": {
            "addressSpace": {"addressPrefixes": [prefix]},
            "subnets": [{"name": each, "properties": {"addressPrefix": space}} for each, space in held],
        },
    }


def nic_body(name: str, group: str, region: str, subnet: str, address: str | None) -> Body:
    where = {"subnet": {"id": subnet}, "privateIPAllocationMethod": "Static" if address else "Dynamic"}
    config = {"name": "ipconfig1", "properties": {**where, **({"privateIPAddress": address} if address else {})}}
    return {"id": nic_id(name, group), "location": region, "properties": {"ipConfigurations": [config]}}


def group_body(id_: str, region: str) -> Body:
    return {"id": id_, "location": region}


def _machine(name: str, address: str, dynamic: bool) -> list[Body]:
    disks = (f"{name}-os", f"{name}-data")
    subnet = f"{network_id('vnet-source')}/subnets/app"
    vm = vm_id(name)
    found = [nic_body(f"{name}-nic", SOURCE, HOME, subnet, None if dynamic else address)]
    found[0]["properties"]["virtualMachine"] = {"id": vm}
    entries: list[Body] = []
    for lun, disk in enumerate(disks, -1):
        entry: Body = {"name": disk, "createOption": "Attach", "diskSizeGB": 1, "caching": "None"}
        if lun >= 0:
            entry["lun"] = lun
        else:
            entry["osType"] = "Linux"
        if is_managed(name):
            entry["managedDisk"] = {"id": disk_id(disk)}
            body: Body = {"creationData": {"createOption": "Empty"}, "diskSizeGB": 1}
            if lun < 0:
                body["osType"] = "Linux"
            found.append(
                {
                    "id": disk_id(disk),
                    "location": HOME,
                    "sku": {"name": "Premium_LRS"},
                    "managedBy": vm,
                    "properties": body,
                }
            )
        else:
            entry["vhd"] = {"uri": f"https://blobshome.blob.core.windows.net/vhds/{disk}.vhd"}
        entries.append(entry)
    profile = {"osDisk": entries[0], "dataDisks": entries[1:]}
    found.append(
        {
            "id": vm,
            "location": HOME,
            "tags": {"tier": "web"},
            "properties": {
                "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
                "storageProfile": profile,
                "networkProfile": {
                    "networkInterfaces": [{"id": nic_id(f"{name}-nic"), "properties": {"primary": True}}]
                },
            },
        }
    )
    return found
