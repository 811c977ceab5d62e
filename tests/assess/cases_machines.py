"""FS6xx, FS8xx, FS9xx: addresses, machines, disks, who goes; limits; objectives by traces."""

from __future__ import annotations

import copy
from typing import Any

from .bench import NEW, SOURCE_GROUP, SUBSCRIPTION, TARGET_GROUP, Bench
from .casebook import Case, both, case
from .cases_networks import (
    HUB,
    RT1,
    SPOKE1,
    SPOKE2,
    add_route,
    network_id,
    route,
    set_in,
    subnet,
    subnet_name,
    table_id,
)
from .cases_target import network

GROUPS = f"/subscriptions/{SUBSCRIPTION}/resourceGroups"
VAULT = f"{GROUPS}/{TARGET_GROUP}/providers/Microsoft.RecoveryServices/vaults/vault1"
FABRIC = f"{VAULT}/replicationFabrics/east"
CONTAINER = f"{FABRIC}/replicationProtectionContainers/east-container"
NIC = f"{GROUPS}/{SOURCE_GROUP}/providers/Microsoft.Network/networkInterfaces"


def nic_in(bench: Bench, subnet_id: str, address: str, *, name: str = "other-nic", group: str = TARGET_GROUP) -> None:
    made = copy.deepcopy(bench["web1-nic"])
    made["id"] = made["id"].replace("web1-nic", name).replace(SOURCE_GROUP, group)
    made["name"], made["location"] = name, "southeastasia"
    made["properties"].pop("virtualMachine")
    configuration = made["properties"]["ipConfigurations"][0]
    configuration.pop("id")
    configuration["properties"].update(privateIPAddress=address, subnet={"id": subnet_id})
    bench.resources.append(made)


def objective(bench: Bench, **fields: Any) -> None:
    bench.project["objectives"].append({"name": "extra", "from": "datacenter", "to": "machines"} | fields)


def deny(bench: Bench, group: str, prefix: str) -> None:
    bench.properties(group)["securityRules"].insert(
        0,
        {
            "name": "deny-it",
            "properties": {
                "protocol": "*",
                "access": "Deny",
                "priority": 90,
                "direction": "Inbound",
                "sourceAddressPrefix": prefix,
                "destinationAddressPrefix": "*",
                "sourcePortRange": "*",
                "destinationPortRange": "*",
            },
        },
    )


CASES: tuple[Case, ...] = (
    # Addresses.
    case("FS601", "networkInterfaces/web2-nic", lambda b: b.ip("web2-nic").update(privateIPAllocationMethod="Dynamic")),
    case(
        "FS601",
        "networkInterfaces/web2-nic",
        lambda b: b.ip("web2-nic").update(privateIPAllocationMethod="Dynamic"),
        example=NEW,
    ),
    case("FS602", "networkInterfaces/web1-nic", lambda b: b.ip("web1-nic").update(privateIPAddress="10.1.0.200")),
    case("FS602", "networkInterfaces/web1-nic", lambda b: b.ip("web1-nic").update(privateIPAddress="10.1.0.3")),
    case("FS602", "networkInterfaces/web1-nic", lambda b: b.ip("web1-nic").pop("privateIPAddress")),
    case(
        "FS602",
        "networkInterfaces/app2-nic",
        lambda b: b.ip("app2-nic").update(subnet={"id": network_id(SPOKE2) + "/subnets/gone"}),
    ),
    case(
        "FS603",
        "networkInterfaces/web2-nic",
        lambda b: b.ip("web2-nic").update(privateIPAddress=b.ip("web1-nic")["privateIPAddress"]),
    ),
    case("FS604", "addresses/map", lambda b: b.project["addresses"]["map"].pop(1), example=NEW),
    case(
        "FS605",
        "networkInterfaces/other-nic",
        lambda b: nic_in(b, network_id(SPOKE1 + "-asr", TARGET_GROUP) + "/subnets/app", "10.1.0.5"),
        target=True,
        quiet=lambda b: nic_in(b, network_id(SPOKE1 + "-asr", TARGET_GROUP) + "/subnets/app", "10.1.0.77"),
    ),
    case("FS605", "networkInterfaces/other-nic", lambda b: _appliance_place_taken(b)),
    case(
        "FS606",
        subnet_name(SPOKE1 + "-asr", "app"),
        lambda b: _elsewhere(b, used=True),
        target=True,
    ),
    case(
        "FS606",
        subnet_name(SPOKE1 + "-asr", "app"),
        lambda b: _elsewhere(b, used=False),
        target=True,
        severity="warning",
    ),
    case("FS607", "networkInterfaces/web1-nic", lambda b: _second_address(b), severity="warning"),
    case(
        "FS608",
        "networkInterfaces/web1-nic",
        lambda b: b.ip("web1-nic").update(
            publicIPAddress={"id": f"{GROUPS}/{SOURCE_GROUP}/providers/Microsoft.Network/publicIPAddresses/pip1"}
        ),
        severity="warning",
    ),
    # Machines.
    case("FS611", "virtualMachines/web1", lambda b: b.remove("web1-nic")),
    case("FS612", "virtualMachines/app1", lambda b: b.properties("app1").update(provisioningState="Failed")),
    case(
        "FS613",
        "virtualMachines/app1",
        lambda b: b.properties("app1")["instanceView"].update(statuses=[{"code": "PowerState/deallocated"}]),
    ),
    case("FS614", "networkInterfaces/stray-nic", lambda b: _stray_nic(b)),
    case("FS615", "networkInterfaces/web1-nic", lambda b: b["web1-nic"].update(location="japaneast")),
    case("FS616", "virtualMachines/db1", lambda b: b["db1"].update(zones=["1"]), severity="warning"),
    case("FS617", "virtualMachines/web1", lambda b: _namesake(b)),
    case("FS618", "rg-farshore-dr/providers/Microsoft.Compute/virtualMachines/web1", lambda b: _stands_there(b)),
    case("FS619", "machines/include", lambda b: b.project["machines"].update(include=["*", "nva"]), severity="warning"),
    # Disks.
    case(
        "FS631",
        "virtualMachines/file1",
        lambda b: None,
        severity="warning",
        quiet=lambda b: b.project["machines"].update(exclude=["file1"]),
    ),
    case("FS632", "disks/db1-data0", lambda b: b["db1-data0"].update(sku={"name": "UltraSSD_LRS"})),
    case(
        "FS632",
        "virtualMachines/db1",
        lambda b: b.properties("db1")["storageProfile"]["dataDisks"][0].update(writeAcceleratorEnabled=True),
    ),
    case(
        "FS632",
        "virtualMachines/db1",
        lambda b: b.properties("db1")["storageProfile"].update(diskControllerType="NVMe"),
    ),
    case(
        "FS633",
        "disks/db1-os",
        lambda b: (
            b.properties("db1")["storageProfile"]["osDisk"].update(diskSizeGB=8192),
            b.properties("db1-os").update(diskSizeGB=8192),
        ),
    ),
    case("FS633", "virtualMachines/db1", lambda b: _many_disks(b)),
    case(
        "FS634",
        "disks/web1-os",
        lambda b: b.properties("web1-os").update(encryption={"type": "EncryptionAtRestWithCustomerKey"}),
        severity="warning",
    ),
    case("FS635", "virtualMachines/web1", lambda b: b.remove("web1-data0"), severity="warning"),
    # Who goes.
    case("FS641", "machines", lambda b: b.project["machines"].update(exclude=["app*", "file1"], boot_order=[])),
    case("FS641", "machines", lambda b: b.project["machines"].update(include=["web1"], boot_order=[])),
    case("FS642", "machines/boot_order/1", lambda b: b.project["machines"].update(exclude=["app1"])),
    case("FS643", "machines", lambda b: _hundred(b), severity="warning"),
    # Limits and what could not be read.
    case("FS811", "routeTables/rt-source-vnet1", lambda b: _tags(b)),
    # R34.
    case("FS812", "virtualNetworks/Source-Hub-vNet", lambda b: _many_peerings(b)),
    case("FS821", "estate.json", lambda b: b.add("Microsoft.Compute/virtualMachineScaleSets", "set"), severity="info"),
    case(
        "FS822",
        "estate.json",
        lambda b: b.properties(SPOKE2)["addressSpace"]["addressPrefixes"].append("<param:x>"),
        severity="info",
    ),
    # Objectives, by traces.
    case(
        "FS901",
        "routeTables/rt-source-vnet1",
        both(
            lambda b: objective(b, **{"from": "web2", "to": "web1"}), lambda b: add_route(b, RT1, "10.1.0.4/32", "None")
        ),
    ),
    case(
        "FS902",
        "networkSecurityGroups/nsg-source-vnet1-app",
        lambda b: deny(b, "nsg-source-vnet1-app", "192.168.0.0/16"),
    ),
    case("FS903", subnet_name(HUB, "GatewaySubnet"), lambda b: _without_tables(b)),
    case(
        "FS904",
        "routeTables/rt-source-gateway",
        lambda b: _machine_in_hub(b, RT1),
        quiet=lambda b: _machine_in_hub(b, None),
    ),
    case(
        "FS905",
        "networkSecurityGroups/nsg-source-vnet1-app",
        lambda b: objective(b, deny=True, to="web1", ports=["tcp/443"]),
        quiet=lambda b: objective(b, deny=True, to="web1", ports=["tcp/22"]),
    ),
    case(
        "FS906",
        "objectives/datacenter to machines",
        lambda b: set_in(route(b, RT1, "0.0.0.0/0"), nextHopIpAddress="<param:nva>"),
        severity="warning",
    ),
    case("FS907", "objectives/extra", lambda b: objective(b, to="10.99.0.0/24")),
    case("FS909", "objectives/extra", lambda b: objective(b, recovery_point_minutes=1), severity="info"),
)


def _without_tables(bench: Bench) -> None:
    """Nothing is led through the appliance any more, and the objectives still ask for it."""
    for where, name in ((SPOKE1, "app"), (SPOKE2, "app"), (HUB, "GatewaySubnet")):
        subnet(bench, where, name).pop("routeTable")


def _machine_in_hub(bench: Bench, table: str | None) -> None:
    """web1 moves into the hub; its answers pass the appliance when its subnet has a spoke's table."""
    subnet(bench, HUB, "nva")["addressPrefix"] = "10.10.10.0/26"
    properties: dict[str, Any] = {
        "addressPrefix": "10.10.10.64/26",
        "serviceEndpoints": [{"service": "Microsoft.Storage"}],
    }
    if table is not None:
        properties["routeTable"] = {"id": table_id(table)}
    bench.properties(HUB)["subnets"].append({"name": "mgmt", "properties": properties})
    bench.ip("web1-nic").update(privateIPAddress="10.10.10.70", subnet={"id": network_id(HUB) + "/subnets/mgmt"})
    bench.project["objectives"] = [{"name": "to web1", "from": "datacenter", "to": "web1"}]


def _appliance_place_taken(bench: Bench) -> None:
    network(bench, HUB + "-asr", "10.10.10.0/24", nva="10.10.10.0/25", GatewaySubnet="10.10.10.128/25")
    nic_in(bench, network_id(HUB + "-asr", TARGET_GROUP) + "/subnets/nva", "10.10.10.10")


def _elsewhere(bench: Bench, *, used: bool) -> None:
    """The target's subnet has the other half of the network, with something in it or not."""
    own = subnet(bench, SPOKE1 + "-asr", "app")
    own.update(addressPrefix="10.1.0.128/25")
    if used:
        nic = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/networkInterfaces/n"
        own.update(ipConfigurations=[{"id": f"{nic}/ipConfigurations/a"}])


def _second_address(bench: Bench) -> None:
    configurations = bench.properties("web1-nic")["ipConfigurations"]
    more = copy.deepcopy(configurations[0])
    more.pop("id", None)
    more["name"] = "second"
    more["properties"].update(privateIPAddress="10.1.0.50", primary=False)
    configurations.append(more)


def _stray_nic(bench: Bench) -> None:
    bench.copy_of("web1-nic", "stray-nic")
    bench.ip("stray-nic").update(privateIPAddress="10.2.0.60", subnet={"id": network_id(SPOKE2) + "/subnets/app"})
    bench.properties("web1")["networkProfile"]["networkInterfaces"].append({"id": f"{NIC}/stray-nic"})


def _namesake(bench: Bench) -> None:
    """A machine of the same name in another group."""
    for name in ("web1", "web1-nic"):
        made = copy.deepcopy(bench[f"{SOURCE_GROUP}/{name}"])
        made["id"] = made["id"].replace(SOURCE_GROUP, "rg-second")
        bench.resources.append(made)
    vm, nic = bench["rg-second/web1"], bench["rg-second/web1-nic"]
    vm["properties"]["networkProfile"]["networkInterfaces"][0]["id"] = nic["id"]
    nic["properties"]["virtualMachine"] = {"id": vm["id"]}
    nic["properties"]["ipConfigurations"][0].pop("id")
    nic["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"] = "10.1.0.70"


def _stands_there(bench: Bench) -> None:
    made = copy.deepcopy(bench["web1"])
    made["id"] = made["id"].replace(SOURCE_GROUP, TARGET_GROUP)
    made["location"] = "southeastasia"
    made["properties"]["networkProfile"]["networkInterfaces"] = []
    bench.resources.append(made)


def _many_disks(bench: Bench) -> None:
    disks = bench.properties("db1")["storageProfile"]["dataDisks"]
    disks += [disks[0] | {"lun": 2 + number, "name": f"more{number}"} for number in range(64)]


def _hundred(bench: Bench) -> None:
    for number in range(100):
        nic, vm = bench.copy_of("app1-nic", f"more{number}-nic"), bench.copy_of("app1", f"more{number}")
        vm["properties"]["networkProfile"]["networkInterfaces"] = [{"id": nic["id"]}]
        nic["properties"]["virtualMachine"] = {"id": vm["id"]}
        configuration = nic["properties"]["ipConfigurations"][0]
        configuration.pop("id")
        configuration["properties"]["privateIPAddress"] = f"10.2.0.{20 + number}"


def _tags(bench: Bench) -> None:
    for number in range(26):
        add_route(bench, RT1, f"Tag{number}", "Internet")


def _many_peerings(bench: Bench) -> None:
    peerings = bench.properties(HUB)["virtualNetworkPeerings"]
    for number in range(500):
        remote = {"id": network_id(f"spoke{number}", "rg-other")}
        peerings.append(
            {"name": f"p{number}", "properties": {"peeringState": "Initiated", "remoteVirtualNetwork": remote}}
        )
