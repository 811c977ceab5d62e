"""Machines of the examples as Azure returns them: interfaces, disks, machines, and the account of unmanaged disks."""

from __future__ import annotations

import hashlib

from example_bodies import REGION, Body, etag, guid, id_of, resource

GIB = 1024**3
CREATED = "2026-03-02T08:00:00.0000000+00:00"


def nic_configuration(machine: str) -> str:
    return f"{id_of('Microsoft.Network/networkInterfaces', machine + '-nic')}/ipConfigurations/ipconfig1"


def network_interface(machine: str, subnet_: str, address: str, *, forwarding: bool = False) -> Body:
    kind, name = "Microsoft.Network/networkInterfaces", f"{machine}-nic"
    configuration = nic_configuration(machine)
    mac = hashlib.sha256(machine.encode()).hexdigest()[:6].upper()
    return resource(
        kind,
        name,
        {
            "ipConfigurations": [
                {
                    "id": configuration,
                    "name": "ipconfig1",
                    "type": f"{kind}/ipConfigurations",
                    "etag": etag(configuration),
                    "properties": {
                        "provisioningState": "Succeeded",
                        "privateIPAddress": address,
                        "privateIPAllocationMethod": "Static",
                        "subnet": {"id": subnet_},
                        "primary": True,
                        "privateIPAddressVersion": "IPv4",
                    },
                }
            ],
            "dnsSettings": {"dnsServers": [], "appliedDnsServers": []},
            "macAddress": f"00-22-48-{mac[0:2]}-{mac[2:4]}-{mac[4:6]}",
            "enableAcceleratedNetworking": False,
            "enableIPForwarding": forwarding,
            "primary": True,
            "virtualMachine": {"id": id_of("Microsoft.Compute/virtualMachines", machine)},
            "hostedWorkloads": [],
            "nicType": "Standard",
        },
    )


def disk_name(machine: str, lun: int | None) -> str:
    return f"{machine}-os" if lun is None else f"{machine}-data{lun}"


def managed_disk(machine: str, lun: int | None) -> Body:
    name = disk_name(machine, lun)
    id_ = id_of("Microsoft.Compute/disks", name)
    system: Body = {"osType": "Linux", "hyperVGeneration": "V2"} if lun is None else {}
    return {
        "id": id_,
        "name": name,
        "type": "Microsoft.Compute/disks",
        "location": REGION,
        "sku": {"name": "StandardSSD_LRS", "tier": "Standard"},
        "managedBy": id_of("Microsoft.Compute/virtualMachines", machine),
        "properties": system
        | {
            "creationData": {"createOption": "FromImage" if lun is None else "Empty"},
            "diskSizeGB": 1,
            "diskSizeBytes": GIB,
            "diskIOPSReadWrite": 500,
            "diskMBpsReadWrite": 60,
            "encryption": {"type": "EncryptionAtRestWithPlatformKey"},
            "networkAccessPolicy": "AllowAll",
            "publicNetworkAccess": "Enabled",
            "timeCreated": CREATED,
            "uniqueId": guid(id_),
            "diskState": "Attached",
            "provisioningState": "Succeeded",
        },
    }


def virtual_machine(name: str, data_disks: int, *, size: str = "Standard_D2s_v5", account: str | None = None) -> Body:
    """A running Linux machine; with `account` its disks are page blobs there and not managed (D3, S28)."""
    id_ = id_of("Microsoft.Compute/virtualMachines", name)

    def disk(lun: int | None) -> Body:
        called = disk_name(name, lun)
        place: Body
        if account is None:
            place = {
                "managedDisk": {"id": id_of("Microsoft.Compute/disks", called), "storageAccountType": "StandardSSD_LRS"}
            }
        else:
            place = {"vhd": {"uri": f"https://{account}.blob.core.windows.net/vhds/{called}.vhd"}}
        option = {"createOption": "FromImage" if lun is None else "Empty", "caching": "None", "diskSizeGB": 1}
        return ({"osType": "Linux"} if lun is None else {"lun": lun}) | {"name": called} | option | place

    return {
        "id": id_,
        "name": name,
        "type": "Microsoft.Compute/virtualMachines",
        "location": REGION,
        "properties": {
            "vmId": guid(id_),
            "hardwareProfile": {"vmSize": size},
            "storageProfile": {
                "imageReference": {
                    "publisher": "Canonical",
                    "offer": "ubuntu-24_04-lts",
                    "sku": "server",
                    "version": "latest",
                },
                "osDisk": disk(None),
                "dataDisks": [disk(lun) for lun in range(data_disks)],
            },
            "osProfile": {
                "computerName": name,
                "adminUsername": "operator",
                "linuxConfiguration": {"disablePasswordAuthentication": True, "provisionVMAgent": True},
                "allowExtensionOperations": True,
            },
            "networkProfile": {
                "networkInterfaces": [
                    {
                        "id": id_of("Microsoft.Network/networkInterfaces", f"{name}-nic"),
                        "properties": {"primary": True},
                    }
                ]
            },
            "provisioningState": "Succeeded",
            "timeCreated": CREATED,
            "instanceView": {
                "computerName": name,
                "osName": "ubuntu",
                "statuses": [
                    {
                        "code": "ProvisioningState/succeeded",
                        "level": "Info",
                        "displayStatus": "Provisioning succeeded",
                        "time": CREATED,
                    },
                    {"code": "PowerState/running", "level": "Info", "displayStatus": "VM running"},
                ],
            },
        },
    }


def storage_account(name: str) -> Body:
    return {
        "id": id_of("Microsoft.Storage/storageAccounts", name),
        "name": name,
        "type": "Microsoft.Storage/storageAccounts",
        "location": REGION,
        "sku": {"name": "Standard_LRS", "tier": "Standard"},
        "kind": "StorageV2",
        "properties": {
            "provisioningState": "Succeeded",
            "creationTime": CREATED,
            "primaryLocation": REGION,
            "statusOfPrimary": "available",
            "primaryEndpoints": {"blob": f"https://{name}.blob.core.windows.net/"},
            "allowSharedKeyAccess": True,
            "allowBlobPublicAccess": False,
            "minimumTlsVersion": "TLS1_2",
            "supportsHttpsTrafficOnly": True,
            "networkAcls": {"bypass": "AzureServices", "defaultAction": "Allow"},
        },
    }
