"""`az`, unmodified, builds the published example by its own commands, and what it built is the example.

The commands are those of somebody who reads the article; names, sizes and addresses come from the example's own estate.
What is there in the end is compared with that estate in the lab: the same resources, the same effective routes.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from farshore import examples
from farshore.arm.ids import resource_id
from farshore.arm.json import Body
from lab.core.bench import example_lab
from real.az import PROGRAM, Az, AzError
from real.bare_lab import EXAMPLE, RECOVERY_GROUP, BareLab

SOURCE, CIRCUITS = "rg-source", "rg-expressroute"
HUB, SPOKES = "Source-Hub-vNet", ("Source-vNet1", "Source-vNet2")
CIRCUIT = "Microsoft.Network/expressRouteCircuits"
IMAGE = "Canonical:ubuntu-24_04-lts:server:latest"
TEMPLATE = """{
  // A network for drills: nothing else has its addresses.
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "parameters": {
    "name": {"type": "string"},
    "prefix": {"type": "string", "defaultValue": "10.201.0.0/24"}, /* with room for one subnet */
  },
  "resources": [
    {
      "type": "Microsoft.Network/virtualNetworks",
      "apiVersion": "2024-05-01",
      "name": "[parameters('name')]",
      "location": "[resourceGroup().location]",
      "properties": {
        "addressSpace": {"addressPrefixes": ["[parameters('prefix')]"]},
        "subnets": [{"name": "app", "properties": {"addressPrefix": "[cidrSubnet(parameters('prefix'), 25, 0)]"}}]
      }
    }
  ],
  "outputs": {
    "network": {"type": "string", "value": "[resourceId('Microsoft.Network/virtualNetworks', parameters('name'))]"}
  }
}
"""


@pytest.fixture
def az(tmp_path: Path) -> Iterator[Az]:
    if not shutil.which(PROGRAM):
        pytest.skip("az is not installed: make conformance-az installs it")
    with BareLab(tmp_path / "lab") as lab:
        yield Az(lab, tmp_path)


def bodies(kind: str) -> list[Body]:
    """The example's resources of a type."""
    _, estate = examples.read(EXAMPLE)
    return [body for body in estate.resources.values() if str(body["type"]).lower() == kind.lower()]


def test_the_published_example(az: Az, record_property: Callable[[str, object], None]) -> None:
    (account,) = az.login()
    assert account["state"] == "Enabled" and account["cloudName"] == "lab"
    for group, region in ((SOURCE, "eastasia"), (CIRCUITS, "southeastasia")):
        made = az("group", "create", "--name", group, "--location", region)
        assert made["properties"]["provisioningState"] == "Succeeded" and "/resourceGroups/" in made["id"]
    _network(az)
    _gateway(az)
    _peerings(az)
    _circuits(az)
    _machines(az)
    _is_the_example(az)
    _shows(az)
    _deploys(az)
    _vault(az)
    _refusals(az)
    record_property("calls", az.calls)


def test_a_wrong_secret_is_refused(az: Az) -> None:
    with pytest.raises(AzError, match="AADSTS7000215"):
        az.login("wrong")


def _network(az: Az) -> None:
    for table in bodies("Microsoft.Network/routeTables"):
        held = table["properties"]
        off = str(held["disableBgpRoutePropagation"]).lower()
        named = ("--resource-group", SOURCE, "--name", table["name"])
        made = az("network", "route-table", "create", *named, "--disable-bgp-route-propagation", off)
        assert made["location"] == "eastasia", "a resource is where its group is unless it is told"
        for route in held["routes"]:
            hop = route["properties"]
            to = ("--next-hop-type", hop["nextHopType"], "--next-hop-ip-address", hop["nextHopIpAddress"])
            where = ("--resource-group", SOURCE, "--route-table-name", table["name"], "--name", route["name"])
            route = az(
                "network", "route-table", "route", "create", *where, "--address-prefix", hop["addressPrefix"], *to
            )
            assert route["provisioningState"] == "Succeeded"
    for group in bodies("Microsoft.Network/networkSecurityGroups"):
        az("network", "nsg", "create", "--resource-group", SOURCE, "--name", group["name"])
        for rule in group["properties"]["securityRules"]:
            _rule(az, group["name"], rule["name"], rule["properties"])
        shown = az("network", "nsg", "show", "--resource-group", SOURCE, "--name", group["name"])
        assert len(shown["defaultSecurityRules"]) == 6
        assert len(shown["securityRules"]) == len(group["properties"]["securityRules"])
    for network in bodies("Microsoft.Network/virtualNetworks"):
        named = ("--resource-group", SOURCE, "--name", network["name"])
        spaces = network["properties"]["addressSpace"]["addressPrefixes"]
        az("network", "vnet", "create", *named, "--address-prefixes", *spaces)
        for subnet in network["properties"]["subnets"]:
            _subnet(az, network["name"], subnet)


def _rule(az: Az, group: str, name: str, rule: Body) -> None:
    made = az(
        *("network", "nsg", "rule", "create", "--resource-group", SOURCE, "--nsg-name", group, "--name", name),
        *("--priority", rule["priority"], "--direction", rule["direction"], "--access", rule["access"]),
        *("--protocol", rule["protocol"], "--source-port-ranges", rule["sourcePortRange"]),
        *("--destination-port-ranges", rule["destinationPortRange"]),
        *("--source-address-prefixes", rule["sourceAddressPrefix"]),
        *("--destination-address-prefixes", rule["destinationAddressPrefix"]),
    )
    assert (made["priority"], made["access"]) == (rule["priority"], rule["access"])


def _subnet(az: Az, network: str, subnet: Body) -> None:
    held = subnet["properties"]
    more: list[str] = []
    if "routeTable" in held:
        more += ["--route-table", resource_id(held["routeTable"]["id"]).name]
    if "networkSecurityGroup" in held:
        more += ["--network-security-group", resource_id(held["networkSecurityGroup"]["id"]).name]
    if held.get("serviceEndpoints"):
        more += ["--service-endpoints", *(item["service"] for item in held["serviceEndpoints"])]
    where = ("--resource-group", SOURCE, "--vnet-name", network, "--name", subnet["name"])
    made = az("network", "vnet", "subnet", "create", *where, "--address-prefixes", held["addressPrefix"], *more)
    assert made["addressPrefix"] == held["addressPrefix"]


def _gateway(az: Az) -> None:
    (public,), (gateway,) = (
        bodies("Microsoft.Network/publicIPAddresses"),
        bodies("Microsoft.Network/virtualNetworkGateways"),
    )
    named = ("--resource-group", SOURCE, "--name", public["name"])
    az("network", "public-ip", "create", *named, "--sku", "Standard", "--zone", 1, 2, 3)
    az(
        *("network", "vnet-gateway", "create", "--resource-group", SOURCE, "--name", gateway["name"]),
        *("--vnet", HUB, "--gateway-type", "ExpressRoute", "--sku", gateway["properties"]["sku"]["name"]),
        *("--public-ip-addresses", public["name"]),
    )
    shown = az("network", "vnet-gateway", "show", "--resource-group", SOURCE, "--name", gateway["name"])
    assert (shown["gatewayType"], shown["provisioningState"]) == ("ExpressRoute", "Succeeded")


def _peerings(az: Az) -> None:
    """D40 to D47."""
    both = ("--allow-vnet-access", "--allow-forwarded-traffic")
    create = ("network", "vnet", "peering", "create", "--resource-group", SOURCE)
    for spoke in SPOKES:
        first = ("--name", f"hub-to-{spoke}", "--vnet-name", HUB, "--remote-vnet", spoke, "--allow-gateway-transit")
        assert az(*create, *first, *both)["peeringState"] == "Initiated"
        second = ("--name", f"{spoke}-to-hub", "--vnet-name", spoke, "--remote-vnet", HUB, "--use-remote-gateways")
        assert az(*create, *second, *both)["peeringState"] == "Connected"
    listed = az("network", "vnet", "peering", "list", "--resource-group", SOURCE, "--vnet-name", HUB)
    assert [item["peeringSyncLevel"] for item in listed] == ["FullyInSync"] * 2


def _circuits(az: Az) -> None:
    for circuit in bodies(CIRCUIT):
        held, named = circuit["properties"], ("--resource-group", CIRCUITS, "--name", circuit["name"])
        service = held["serviceProviderProperties"]
        ordered = az(
            *("network", "express-route", "create", *named, "--provider", service["serviceProviderName"]),
            *("--peering-location", service["peeringLocation"], "--bandwidth", service["bandwidthInMbps"]),
            *("--sku-family", "MeteredData", "--sku-tier", "Standard"),
        )
        assert ordered["serviceProviderProvisioningState"] == "NotProvisioned"
        there = "properties.serviceProviderProvisioningState=='Provisioned'"
        az("network", "express-route", "wait", *named, "--custom", there, "--interval", 1, "--timeout", 60)
        peering = held["peerings"][0]["properties"]
        made = az(
            *("network", "express-route", "peering", "create", "--resource-group", CIRCUITS),
            *("--circuit-name", circuit["name"], "--peering-type", peering["peeringType"]),
            *("--peer-asn", peering["peerASN"], "--vlan-id", peering["vlanId"]),
            *("--primary-peer-subnet", peering["primaryPeerAddressPrefix"]),
            *("--secondary-peer-subnet", peering["secondaryPeerAddressPrefix"]),
        )
        assert made["azureASN"] == 12076
    (connection,) = bodies("Microsoft.Network/connections")
    ends = connection["properties"]
    named = ("--resource-group", SOURCE, "--name", connection["name"])
    az(
        *("network", "vpn-connection", "create", *named, "--routing-weight", 0),
        *("--vnet-gateway1", resource_id(ends["virtualNetworkGateway1"]["id"]).name),
        *("--express-route-circuit2", ends["peer"]["id"]),
    )
    assert az("network", "vpn-connection", "show", *named)["connectionStatus"] == "Connected"


def _machines(az: Az) -> None:
    for account in bodies("Microsoft.Storage/storageAccounts"):
        named = ("--resource-group", SOURCE, "--name", account["name"])
        az("storage", "account", "create", *named, "--sku", "Standard_LRS", "--kind", "StorageV2")
    for nic in bodies("Microsoft.Network/networkInterfaces"):
        inside = nic["properties"]["ipConfigurations"][0]["properties"]
        subnet = resource_id(inside["subnet"]["id"])
        made = az(
            *("network", "nic", "create", "--resource-group", SOURCE, "--name", nic["name"]),
            *("--subnet", subnet.text, "--private-ip-address", inside["privateIPAddress"]),
            *("--ip-forwarding", str(nic["properties"]["enableIPForwarding"]).lower()),
        )
        assert made["NewNIC"]["ipConfigurations"][0]["privateIPAddress"] == inside["privateIPAddress"]
    for machine in bodies("Microsoft.Compute/virtualMachines"):
        _machine(az, machine["name"], machine["properties"])
    powers = {vm["name"]: vm["powerState"] for vm in az("vm", "list", "--show-details")}
    assert powers == {body["name"]: "VM running" for body in bodies("Microsoft.Compute/virtualMachines")}


def _machine(az: Az, name: str, held: Body) -> None:
    profile = held["storageProfile"]
    disk = profile["osDisk"]
    if "managedDisk" in disk:
        more = ["--storage-sku", disk["managedDisk"]["storageAccountType"]]
    else:
        account, container, _ = _blob(disk["vhd"]["uri"])
        more = ["--use-unmanaged-disk", "--storage-account", account, "--storage-container-name", container]
    az(
        *("vm", "create", "--resource-group", SOURCE, "--name", name, "--size", held["hardwareProfile"]["vmSize"]),
        *("--nics", resource_id(held["networkProfile"]["networkInterfaces"][0]["id"]).name, "--image", IMAGE),
        *("--admin-username", "operator", "--admin-password", "Secret-of-the-lab-1"),
        *("--os-disk-name", disk["name"], "--os-disk-size-gb", disk["diskSizeGB"], *more),
    )
    for data in profile["dataDisks"]:
        at = ("--resource-group", SOURCE, "--vm-name", name, "--name", data["name"])
        new = ("--new", "--size-gb", data["diskSizeGB"], "--lun", data["lun"])
        if "managedDisk" in data:
            az("vm", "disk", "attach", *at, *new, "--sku", data["managedDisk"]["storageAccountType"])
        else:
            az("vm", "unmanaged-disk", "attach", *at, *new)


def _blob(uri: str) -> tuple[str, str, str]:
    host, container, name = uri.removeprefix("https://").split("/", 2)
    return host.split(".")[0], container, name


def _is_the_example(az: Az) -> None:
    """The same resources, and the same effective routes at every machine."""
    listed = {item["id"].lower() for item in az("resource", "list")}
    _, estate = examples.read(EXAMPLE)
    wanted = {
        str(body["id"]).lower()
        for body in estate.resources.values()
        if "/providers/" in str(body["id"]) and "/resourcegroups/rg-farshore" not in str(body["id"]).lower()
    }
    assert listed == wanted
    lab = example_lab()
    for nic in bodies("Microsoft.Network/networkInterfaces"):
        named = ("--resource-group", SOURCE, "--name", nic["name"])
        shown = az("network", "nic", "show-effective-route-table", *named)
        wanted_rows = lab.follow(lab.post(f"{nic['id']}/effectiveRouteTable")).body["value"]
        assert _rows(shown["value"]) == _rows(wanted_rows), nic["name"]
    for address in ("10.1.0.4", "10.2.0.4"):
        assert az.lab.verdict("datacenter", address) == "delivered"


def _rows(table: list[Body]) -> list[str]:
    keys = ("source", "state", "addressPrefix", "nextHopType", "nextHopIpAddress")
    return sorted(json.dumps({key: row.get(key) for key in keys}) for row in table)


def _shows(az: Az) -> None:
    """Tables as people read them, and what is asked of circuits and gateways."""
    table = az.text(
        *("network", "nic", "show-effective-route-table", "--resource-group", SOURCE, "--name", "web1-nic"),
        *("--output", "table"),
    )
    assert "0.0.0.0/0" in table and "VirtualAppliance" in table and "10.10.10.10" in table
    rules = az("network", "nic", "list-effective-nsg", "--resource-group", SOURCE, "--name", "web1-nic")
    assert rules["value"][0]["effectiveSecurityRules"]
    learned = az(
        "network", "vnet-gateway", "list-learned-routes", "--resource-group", SOURCE, "--name", "ergw-source-hub"
    )
    assert "192.168.0.0/16" in {row["network"] for row in learned["value"]}
    routes = az(
        *("network", "express-route", "list-route-tables", "--resource-group", CIRCUITS, "--name", "er-hongkong"),
        *("--path", "primary", "--peering-name", "AzurePrivatePeering"),
    )
    assert {row["network"] for row in routes["value"]} >= {"10.1.0.0/24", "10.2.0.0/24", "10.10.10.0/24"}
    assert {group["name"] for group in az("group", "list")} == {SOURCE, CIRCUITS, RECOVERY_GROUP}
    assert len(az("network", "vnet", "list", "--resource-group", SOURCE)) == 3
    assert {row["name"] for row in az("network", "express-route", "list")} == {"er-hongkong", "er-singapore"}
    shown = az("resource", "show", "--ids", bodies(CIRCUIT)[0]["id"])
    assert shown["properties"]["circuitProvisioningState"] == "Enabled"


def _deploys(az: Az) -> None:
    file = az.lab.folder / "drill.json"
    file.write_text(TEMPLATE)
    what = (
        "--resource-group",
        RECOVERY_GROUP,
        "--name",
        "drill",
        "--template-file",
        file,
        "--parameters",
        "name=drill",
    )
    assert az("deployment", "group", "validate", *what)["properties"]["provisioningState"] == "Succeeded"
    (change,) = az("deployment", "group", "what-if", *what, "--no-pretty-print")["changes"]
    assert change["changeType"] == "Create" and change["resourceId"].endswith("/virtualNetworks/drill")
    made = az("deployment", "group", "create", *what)
    assert made["properties"]["provisioningState"] == "Succeeded"
    assert made["properties"]["outputs"]["network"]["value"].endswith("/virtualNetworks/drill")
    subnet = ("--resource-group", RECOVERY_GROUP, "--vnet-name", "drill", "--name", "app")
    assert az("network", "vnet", "subnet", "show", *subnet)["addressPrefix"] == "10.201.0.0/25"
    done = az("deployment", "operation", "group", "list", "--resource-group", RECOVERY_GROUP, "--name", "drill")
    assert "Succeeded" in {row["properties"]["provisioningState"] for row in done}
    az("network", "vnet", "delete", "--resource-group", RECOVERY_GROUP, "--name", "drill")
    assert az("network", "vnet", "list", "--resource-group", RECOVERY_GROUP) == []


def _vault(az: Az) -> None:
    """The vault by its own command; what is Site Recovery's by `az rest`, for its extension is no part of az."""
    named = ("--resource-group", RECOVERY_GROUP, "--name", "vault")
    made = az("backup", "vault", "create", *named, "--location", "southeastasia")
    assert made["properties"]["provisioningState"] == "Succeeded"
    fabric = f"{made['id']}/replicationFabrics/near?api-version=2025-08-01"
    body = {"properties": {"customDetails": {"instanceType": "Azure", "location": "eastasia"}}}
    az("rest", "--method", "put", "--url", fabric, "--body", json.dumps(body))
    listed: Any = None
    for _ in range(20):
        listed = az("rest", "--method", "get", "--url", f"{made['id']}/replicationFabrics?api-version=2025-08-01")
        if listed["value"]:
            break
    assert [item["name"] for item in listed["value"]] == ["near"]


def _refusals(az: Az) -> None:
    """What Azure says no to, az says in Azure's words."""
    with pytest.raises(AzError, match="ResourceNotFound"):
        az("network", "vnet", "show", "--resource-group", SOURCE, "--name", "none")
    with pytest.raises(AzError, match="NetcfgSubnetRangeOutsideVnet"):
        where = ("--resource-group", SOURCE, "--vnet-name", HUB, "--name", "far")
        az("network", "vnet", "subnet", "create", *where, "--address-prefixes", "10.99.0.0/24")
    with pytest.raises(AzError, match="InUse"):
        az("network", "vnet", "delete", "--resource-group", SOURCE, "--name", HUB)
