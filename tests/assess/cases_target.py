"""FS4xx, FS5xx, FS7xx, FS8xx: the target that stands, Site Recovery, the drill, groups."""

from __future__ import annotations

from typing import Any

from .bench import CIRCUIT_GROUP, NEW, ONE, SOURCE_GROUP, SUBSCRIPTION, TARGET_GROUP, Bench
from .casebook import Case, both, case
from .cases_circuits import HONG_KONG, SINGAPORE, circuit_id
from .cases_networks import (
    HUB,
    RT1,
    SPOKE1,
    SPOKE2,
    add_route,
    network_id,
    subnet_name,
    table_id,
)

GROUPS = f"/subscriptions/{SUBSCRIPTION}/resourceGroups"
VAULT = f"{GROUPS}/{TARGET_GROUP}/providers/Microsoft.RecoveryServices/vaults/vault1"
FABRIC = f"{VAULT}/replicationFabrics/east"
CONTAINER = f"{FABRIC}/replicationProtectionContainers/east-container"
NIC = f"{GROUPS}/{SOURCE_GROUP}/providers/Microsoft.Network/networkInterfaces"


def vault(bench: Bench, *, group: str = TARGET_GROUP, location: str = "southeastasia", name: str = "vault1") -> None:
    bench.add("Microsoft.RecoveryServices/vaults", name, group=group, location=location, sku={"name": "RS0"})


def item(bench: Bench, **details: Any) -> None:
    """A protected item of web1; capitalised keys are its properties."""
    vault(bench)
    own = ("protectionState", "replicationHealth", "healthErrors")
    properties = {key: details.pop(key) for key in own if key in details}
    vm = f"{GROUPS}/{SOURCE_GROUP}/providers/Microsoft.Compute/virtualMachines/web1"
    bench.resources.append(
        {
            "id": f"{CONTAINER}/replicationProtectedItems/web1",
            "name": "web1",
            "properties": {
                "protectionState": "Protected",
                "replicationHealth": "Normal",
                "providerSpecificDetails": {"instanceType": "A2A", "fabricObjectId": vm, **details},
                **properties,
            },
        }
    )


def mapping(bench: Bench, to: str) -> None:
    vault(bench)
    bench.resources.append(
        {
            "id": f"{FABRIC}/replicationNetworks/azureNetwork/replicationNetworkMappings/m1",
            "properties": {
                "recoveryNetworkId": network_id(to, TARGET_GROUP),
                "fabricSpecificDetails": {"instanceType": "AzureToAzure", "primaryNetworkId": network_id(SPOKE1)},
            },
        }
    )


def policy(bench: Bench, minutes: int) -> None:
    vault(bench)
    details = {"instanceType": "A2A", "recoveryPointHistory": minutes}
    bench.resources.append(
        {"id": f"{VAULT}/replicationPolicies/p1", "properties": {"providerSpecificDetails": details}}
    )


def cache(bench: Bench, location: str) -> None:
    bench.add("Microsoft.Storage/storageAccounts", "stcache", location=location)
    account = bench["stcache"]["id"]
    item(bench, protectedManagedDisks=[{"diskId": "d", "primaryStagingAzureStorageAccountId": account}])


def network(bench: Bench, name: str, *prefixes: str, group: str = TARGET_GROUP, **subnets: str) -> None:
    """A network in the target region, with subnets by name."""
    bench.add(
        "Microsoft.Network/virtualNetworks",
        name,
        group=group,
        location="southeastasia",
        properties={
            "addressSpace": {"addressPrefixes": list(prefixes)},
            "subnets": [{"name": key, "properties": {"addressPrefix": prefix}} for key, prefix in subnets.items()],
        },
    )


def _too_small(bench: Bench, *, used: bool) -> None:
    """What Site Recovery made and somebody has made smaller, with something in it or not."""
    network(bench, SPOKE1 + "-asr", "10.1.0.0/24", app="10.1.0.0/29")
    if used:
        place = {"subnet": {"id": f"{network_id(SPOKE1 + '-asr', TARGET_GROUP)}/subnets/app"}, "primary": True}
        bench.add(
            "Microsoft.Network/networkInterfaces",
            "resident",
            group=TARGET_GROUP,
            location="southeastasia",
            properties={"ipConfigurations": [{"name": "a", "properties": {**place, "privateIPAddress": "10.1.0.5"}}]},
        )


def _zone(bench: Bench, group: str, address: str = "10.1.0.4") -> None:
    """A private zone that names web1, or whoever has an address."""
    bench.add("Microsoft.Network/privateDnsZones", "corp", group=group, location="global", properties={})
    zone = bench["corp"]["id"]
    bench.resources.append(
        {"id": f"{zone}/A/web1", "name": "web1", "properties": {"aRecords": [{"ipv4Address": address}]}}
    )


def _public(bench: Bench, group: str) -> None:
    """web1 has a public address, and a zone names it: it is never kept (S35)."""
    bench.add("Microsoft.Network/publicIPAddresses", "pip-web1", properties={"ipAddress": "203.0.113.7"})
    configuration = bench["web1-nic"]["properties"]["ipConfigurations"][0]
    configuration["properties"]["publicIPAddress"] = {"id": bench["pip-web1"]["id"]}
    _zone(bench, group, "203.0.113.7")


def _endpoint(bench: Bench, group: str) -> None:
    """A private endpoint stands in a network of the source's, and a zone names it."""
    properties = {
        "subnet": {"id": f"{network_id(SPOKE1)}/subnets/app"},
        "customDnsConfigs": [{"fqdn": "keys.vault.azure.net", "ipAddresses": ["10.1.0.40"]}],
    }
    bench.add("Microsoft.Network/privateEndpoints", "pe", properties=properties)
    _zone(bench, group, "10.1.0.40")


def _together(bench: Bench, *, opened: bool) -> None:
    """web1 and app1, in two spokes, as one consistency group: with the port that they need, or without it."""
    bench.project["machines"]["consistency_groups"] = [["web1", "app1"]]
    for group, source, destination in (
        ("vnet1", "10.2.0.0/24", "10.1.0.0/24"),
        ("vnet2", "10.1.0.0/24", "10.2.0.0/24"),
    ):
        rule = {
            "priority": 105,
            "direction": "Inbound",
            "access": "Allow",
            "protocol": "Tcp",
            "sourceAddressPrefix": source,
            "sourcePortRange": "*",
            "destinationAddressPrefix": destination,
            "destinationPortRange": "20004",
        }
        if opened:
            rules = bench.properties(f"nsg-source-{group}-app")["securityRules"]
            rules.append({"name": "allow-consistency", "properties": rule})


def drill(bench: Bench, name: str, group: str = TARGET_GROUP) -> None:
    bench.project["drill"] = {"network": network_id(name, group)}


def drill_network(bench: Bench, *prefixes: str, **subnets: str) -> None:
    network(bench, "drill", *prefixes, **subnets)
    drill(bench, "drill")


def joined_drill(bench: Bench) -> None:
    drill_network(bench, "10.201.0.0/24", app="10.201.0.0/25")
    bench.properties("drill")["virtualNetworkPeerings"] = [
        {"name": "h", "properties": {"peeringState": "Connected", "remoteVirtualNetwork": {"id": network_id(HUB)}}}
    ]


def rename_subnet(bench: Bench, of: str, old: str, new: str) -> None:
    body = bench.child_body(of, "subnets", old)
    body["name"] = new
    body.pop("id", None)


CASES: tuple[Case, ...] = (
    # The target that stands.
    case(
        "FS401",
        subnet_name(SPOKE1 + "-asr", "applications"),
        lambda b: rename_subnet(b, SPOKE1 + "-asr", "app", "applications"),
        target=True,
    ),
    case(
        "FS402",
        "virtualNetworks/Source-vNet2-asr",
        lambda b: b.properties(SPOKE2 + "-asr").update(addressSpace={"addressPrefixes": ["10.3.0.0/24"]}),
        target=True,
    ),
    case(
        "FS403",
        "virtualNetworks/Source-vNet1-asr",
        lambda b: b[SPOKE1 + "-asr"].update(location="japaneast"),
        target=True,
    ),
    case("FS404", "routeTables/rt-source-vnet1-asr", lambda b: add_route(b, RT1, "10.99.0.0/16", "None"), target=True),
    case(
        "FS404",
        "routeTables/rt-source-vnet1-asr",
        lambda b: add_route(b, RT1 + "-asr", "10.99.0.0/16", "None"),
        target=True,
        severity="warning",
    ),
    case(
        "FS405",
        subnet_name(SPOKE1 + "-asr", "spare"),
        lambda b: _spare(b, table=True),
        target=True,
        severity="warning",
        quiet=lambda b: _spare(b, table=False),
    ),
    case(
        "FS406",
        "virtualNetworks/a",
        both(lambda b: network(b, "a", "10.1.0.0/24"), lambda b: network(b, "b", "10.1.0.0/24")),
        severity="warning",
    ),
    case(
        "FS407",
        subnet_name(SPOKE1 + "-asr", "app"),
        lambda b: _too_small(b, used=True),
        quiet=lambda b: _too_small(b, used=False),
    ),
    case(
        "FS408",
        "virtualNetworks/Source-vNet1-asr",
        lambda b: _too_small(b, used=False),
        severity="warning",
        quiet=lambda b: network(b, SPOKE1 + "-asr", "10.1.0.0/24", app="10.1.0.0/24"),
    ),
    case("FS411", "target", lambda b: None, severity="info", quiet_target=True),
    case("FS412", "appliances/0", lambda b: None, severity="info", quiet_target=True),
    # Site Recovery.
    case("FS501", "vaults/vault1", lambda b: vault(b, location="eastasia"), quiet=vault),
    case(
        "FS501",
        "vaults/backups",
        lambda b: vault(b, location="eastasia", group=SOURCE_GROUP, name="backups"),
        severity="warning",
    ),
    case(
        "FS502",
        "replicationNetworkMappings/m1",
        lambda b: mapping(b, "elsewhere"),
        quiet=lambda b: mapping(b, "Source-vNet1-asr"),
    ),
    case("FS503", "replicationPolicies/p1", lambda b: policy(b, 4 * 24 * 60), quiet=lambda b: policy(b, 24 * 60)),
    case("FS504", "replicationProtectedItems/web1", lambda b: item(b, replicationHealth="Critical"), quiet=item),
    case(
        "FS504",
        "replicationProtectedItems/web1",
        lambda b: item(b, protectionState="UnplannedFailoverFailed"),
        quiet=item,
    ),
    case(
        "FS508",
        "replicationProtectedItems/web1",
        lambda b: item(b, healthErrors=[{"errorCode": "161011"}]),
        severity="warning",
        quiet=lambda b: item(b, healthErrors=[{"errorCode": "153007"}]),
    ),
    case(
        "FS505",
        "replicationProtectedItems/web1",
        lambda b: item(
            b,
            selectedTfoAzureNetworkId=network_id("n", TARGET_GROUP),
            selectedRecoveryAzureNetworkId=network_id("n", TARGET_GROUP),
        ),
        quiet=item,
    ),
    case(
        "FS506",
        "replicationProtectedItems/web1",
        lambda b: item(b, selectedRecoveryAzureNetworkId=network_id("n", TARGET_GROUP)),
        quiet=item,
    ),
    case(
        "FS506",
        "replicationProtectedItems/web1",
        lambda b: item(
            b,
            vmNics=[
                {
                    "ipConfigs": [
                        {"isPrimary": True, "staticIPAddress": "10.1.0.4", "recoveryStaticIPAddress": "10.1.0.99"}
                    ]
                }
            ],
        ),
        quiet=item,
        severity="warning",
    ),
    case(
        "FS509",
        "networkSecurityGroups/nsg-source-vnet1-app",
        lambda b: _together(b, opened=False),
        severity="warning",
        quiet=lambda b: _together(b, opened=True),
    ),
    case("FS507", "storageAccounts/stcache", lambda b: cache(b, "southeastasia"), quiet=lambda b: cache(b, "eastasia")),
    # The drill.
    case("FS701", "drill/network", lambda b: drill(b, "Source-vNet1-asr")),
    case("FS701", "drill/network", lambda b: drill(b, SPOKE2, SOURCE_GROUP)),
    case("FS702", "drill/network", lambda b: drill(b, "nowhere")),
    case("FS703", "drill/address_space", lambda b: b.project.update(drill={"address_space": ["10.2.0.0/16"]})),
    case(
        "FS703",
        "drill/address_space",
        lambda b: b.project.update(drill={"address_space": ["10.101.0.0/24"]}),
        example=NEW,
    ),
    case("FS703", "drill/address_space", lambda b: b.project.update(drill={"address_space": ["192.168.7.0/24"]})),
    case(
        "FS704",
        "virtualNetworks/drill",
        joined_drill,
        quiet=lambda b: drill_network(b, "10.201.0.0/24", app="10.201.0.0/25"),
    ),
    case(
        "FS705",
        "virtualNetworks/drill",
        lambda b: drill_network(b, "10.201.0.0/24"),
        quiet=lambda b: drill_network(b, "10.201.0.0/24", app="10.201.0.0/25"),
    ),
    case(
        "FS706",
        "virtualNetworks/drill",
        lambda b: drill_network(b, "10.1.0.0/24", app="10.1.0.0/25"),
        example=ONE,
        severity="warning",
        quiet=lambda b: drill_network(b, "10.201.0.0/24", app="10.201.0.0/25"),
    ),
    # Groups and regions.
    case("FS801", "resourceGroups/rg-farshore-dr", lambda b: b[TARGET_GROUP].update(location="eastasia")),
    case("FS801", "target/resourceGroup", lambda b: b.project["target"].update(resourceGroup=SOURCE_GROUP)),
    case(
        "FS802", "resourceGroups/rg-expressroute", lambda b: b[CIRCUIT_GROUP].update(location="eastasia"), example=ONE
    ),
    case("FS802", "vaults/vault1", lambda b: vault(b, group=SOURCE_GROUP), quiet=vault),
    case(
        "FS802",
        "rg-source/providers/Microsoft.Network/expressRouteCircuits/er-singapore",
        lambda b: _circuit_into_source_group(b, SINGAPORE),
    ),
    case(
        "FS802",
        "rg-source/providers/Microsoft.Network/expressRouteCircuits/er-hongkong",
        lambda b: _circuit_into_source_group(b, HONG_KONG),
        severity="warning",
    ),
    case(
        "FS802",
        "rg-source/providers/Microsoft.Network/privateDnsZones/corp",
        lambda b: _zone(b, SOURCE_GROUP),
        example=NEW,
        severity="warning",
        quiet=lambda b: _zone(b, TARGET_GROUP),
    ),
    case(
        "FS802",
        "rg-source/providers/Microsoft.Network/privateDnsZones/corp",
        lambda b: _public(b, SOURCE_GROUP),
        severity="warning",
        quiet=lambda b: _public(b, TARGET_GROUP),
    ),
    case(
        "FS802",
        "rg-source/providers/Microsoft.Network/privateDnsZones/corp",
        lambda b: _endpoint(b, SOURCE_GROUP),
        severity="warning",
        quiet=lambda b: _endpoint(b, TARGET_GROUP),
    ),
    case("FS803", "expressRouteCircuits/er-singapore", lambda b: b[SINGAPORE].update(location="eastasia")),
    case(
        "FS803",
        "expressRouteCircuits/er-hongkong",
        lambda b: b[HONG_KONG].update(location="eastasia"),
        severity="warning",
    ),
    case(
        "FS804",
        "automationAccounts/auto",
        lambda b: b.add("Microsoft.Automation/automationAccounts", "auto"),
        severity="warning",
    ),
)


def _spare(bench: Bench, *, table: bool) -> None:
    """A subnet of both sides that has no table at home."""
    for name, group in ((SPOKE1, SOURCE_GROUP), (SPOKE1 + "-asr", TARGET_GROUP)):
        properties: dict[str, Any] = {"addressPrefix": "10.1.0.128/26"}
        if table and group == TARGET_GROUP:
            properties["routeTable"] = {"id": table_id(RT1 + "-asr", TARGET_GROUP)}
        bench.properties(name)["subnets"].append({"name": "spare", "properties": properties})


def _circuit_into_source_group(bench: Bench, name: str) -> None:
    old = circuit_id(name)
    new = old.replace(CIRCUIT_GROUP, SOURCE_GROUP)
    body = bench[name]
    for part in (body, *body["properties"]["peerings"]):
        if "id" in part:
            part["id"] = part["id"].replace(old, new)
    connection = bench.properties("cn-source-hub")["peer"]
    connection["id"] = connection["id"].replace(old, new)
