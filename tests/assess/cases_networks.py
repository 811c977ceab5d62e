"""FS2xx: route tables, appliances, peerings, endpoints, security groups; in the source and in a target that stands."""

from __future__ import annotations

from typing import Any

from .balanced import balanced
from .bench import NEW, SOURCE_GROUP, SUBSCRIPTION, TARGET_GROUP, Bench
from .casebook import Case, both, case

RT1, RT2, RTG = "rt-source-vnet1", "rt-source-vnet2", "rt-source-gateway"
HUB, SPOKE1, SPOKE2 = "Source-Hub-vNet", "Source-vNet1", "Source-vNet2"


def route(bench: Bench, table: str, prefix: str) -> dict[str, Any]:
    return next(
        r["properties"] for r in bench.properties(table)["routes"] if r["properties"]["addressPrefix"] == prefix
    )


def drop_route(bench: Bench, table: str, prefix: str) -> None:
    routes = bench.properties(table)["routes"]
    routes[:] = [item for item in routes if item["properties"]["addressPrefix"] != prefix]


def add_route(bench: Bench, table: str, prefix: str, kind: str, hop: str | None = None) -> None:
    properties = {"addressPrefix": prefix, "nextHopType": kind} | ({"nextHopIpAddress": hop} if hop else {})
    routes = bench.properties(table)["routes"]
    routes.append({"name": f"added{len(routes)}", "properties": properties})


def subnet(bench: Bench, network: str, name: str) -> dict[str, Any]:
    return bench.child(network, "subnets", name)


def peering(bench: Bench, network: str, name: str) -> dict[str, Any]:
    return bench.child(network, "virtualNetworkPeerings", name)


def set_in(mapping: dict[str, Any], **values: Any) -> None:
    mapping.update(values)


def table_id(name: str, group: str = SOURCE_GROUP) -> str:
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/Microsoft.Network/routeTables/{name}"


def network_id(name: str, group: str = SOURCE_GROUP) -> str:
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/Microsoft.Network/virtualNetworks/{name}"


def subnet_name(network: str, name: str) -> str:
    return f"virtualNetworks/{network}/subnets/{name}"


def peering_name(network: str, name: str) -> str:
    return f"virtualNetworks/{network}/virtualNetworkPeerings/{name}"


def peered_spokes(bench: Bench) -> None:
    for one, other, space in ((SPOKE1, SPOKE2, "10.2.0.0/24"), (SPOKE2, SPOKE1, "10.1.0.0/24")):
        bench.properties(one)["virtualNetworkPeerings"].append(
            {
                "name": f"to-{other}",
                "properties": {
                    "peeringState": "Connected",
                    "remoteVirtualNetwork": {"id": network_id(other)},
                    "allowVirtualNetworkAccess": True,
                    "allowForwardedTraffic": True,
                    "remoteAddressSpace": {"addressPrefixes": [space]},
                },
            }
        )


def existing_appliance(bench: Bench, **nic: Any) -> None:
    """The target's appliance stands and farshore.yaml names it."""
    bench.project["appliances"][0]["target"] = {
        "existing": bench[f"{TARGET_GROUP}/nva-nic"]["id"],
    }
    bench.properties(f"{TARGET_GROUP}/nva-nic").update(nic)


def appliance_into_spoke(bench: Bench) -> None:
    bench.ip("nva-nic")["subnet"]["id"] = network_id(SPOKE1) + "/subnets/app"
    bench.ip("nva-nic")["privateIPAddress"] = "10.1.0.100"
    for table in (RT1, RT2, RTG):
        for item in bench.properties(table)["routes"]:
            item["properties"]["nextHopIpAddress"] = "10.1.0.100"


def own_table_of_appliance(bench: Bench, *routes: tuple[str, str, str | None], off: bool = False) -> None:
    bench.add(
        "Microsoft.Network/routeTables",
        "rt-nva",
        properties={"disableBgpRoutePropagation": off, "routes": []},
    )
    for prefix, kind, hop in routes:
        add_route(bench, "rt-nva", prefix, kind, hop)
    subnet(bench, HUB, "nva")["routeTable"] = {"id": table_id("rt-nva")}


def second_hub(bench: Bench) -> None:
    """A network in the source region that another peering of the spoke uses as its gateway's home."""
    bench.add(
        "Microsoft.Network/virtualNetworks",
        "other",
        properties={"addressSpace": {"addressPrefixes": ["10.66.0.0/24"]}, "subnets": []},
    )
    bench.properties(SPOKE1)["virtualNetworkPeerings"].append(
        {
            "name": "to-other",
            "properties": {
                "peeringState": "Connected",
                "remoteVirtualNetwork": {"id": network_id("other")},
                "allowForwardedTraffic": True,
                "useRemoteGateways": True,
            },
        }
    )


def no_way_out(
    bench: Bench, *, first: str | None = None, to: str = "Internet", group: str = "nsg-source-vnet1-app"
) -> None:
    """443 to the internet, or to one tag, is denied, after what `first` allows."""
    for name, prefix, access, priority in (("tags", first, "Allow", 3000), ("out", to, "Deny", 3001)):
        if prefix is not None:
            rule = {"protocol": "Tcp", "access": access, "priority": priority, "direction": "Outbound"}
            rule |= {"sourceAddressPrefix": "*", "destinationAddressPrefix": prefix, "sourcePortRange": "*"}
            item = {"name": name, "properties": rule | {"destinationPortRange": "443"}}
            bench.properties(group)["securityRules"].append(item)


def guarded_appliance(bench: Bench) -> None:
    """The target's appliance stands, and a group of its subnet denies what comes in."""
    rule = {"protocol": "*", "access": "Deny", "priority": 100, "direction": "Inbound", "sourceAddressPrefix": "*"}
    rule |= {"destinationAddressPrefix": "*", "sourcePortRange": "*", "destinationPortRange": "*"}
    made = bench.add(
        "Microsoft.Network/networkSecurityGroups",
        "nsg-nva",
        group=TARGET_GROUP,
        location="southeastasia",
        properties={"securityRules": [{"name": "nothing-in", "properties": rule}]},
    )
    subnet(bench, HUB + "-asr", "nva")["networkSecurityGroup"] = {"id": made["id"]}


CASES: tuple[Case, ...] = (
    # Tables of spokes.
    case("FS201", "routeTables/rt-source-vnet1", lambda b: drop_route(b, RT1, "0.0.0.0/0")),
    case("FS201", subnet_name(SPOKE2, "app"), lambda b: subnet(b, SPOKE2, "app").pop("routeTable")),
    case("FS201", "routeTables/rt-source-vnet2-asr", lambda b: drop_route(b, RT2 + "-asr", "0.0.0.0/0"), target=True),
    case("FS202", "routeTables/rt-source-vnet1", lambda b: add_route(b, RT1, "192.168.128.0/17", "Internet")),
    case("FS202", "routeTables/rt-source-vnet1", lambda b: add_route(b, RT1, "10.2.0.0/25", "None")),
    case(
        "FS202",
        "routeTables/rt-source-vnet2",
        lambda b: set_in(route(b, RT2, "0.0.0.0/0"), nextHopType="VirtualNetworkGateway", nextHopIpAddress=None),
    ),
    case(
        "FS202",
        "routeTables/rt-source-vnet1-asr",
        lambda b: set_in(route(b, RT1 + "-asr", "0.0.0.0/0"), nextHopType="Internet", nextHopIpAddress=None),
        target=True,
    ),
    case("FS203", "routeTables/rt-source-vnet1", lambda b: set_in(b.properties(RT1), disableBgpRoutePropagation=False)),
    case(
        "FS203",
        "routeTables/rt-source-vnet2-asr",
        lambda b: set_in(b.properties(RT2 + "-asr"), disableBgpRoutePropagation=False),
        target=True,
    ),
    case("FS204", peering_name(SPOKE1, "to-Source-vNet2"), peered_spokes),
    # The GatewaySubnet's table.
    case("FS205", "routeTables/rt-source-gateway", lambda b: drop_route(b, RTG, "10.2.0.0/24")),
    case(
        "FS205",
        "routeTables/rt-source-gateway",
        lambda b: set_in(route(b, RTG, "10.1.0.0/24"), addressPrefix="10.1.0.0/16"),
    ),
    case("FS205", subnet_name(HUB, "GatewaySubnet"), lambda b: subnet(b, HUB, "GatewaySubnet").pop("routeTable")),
    case(
        "FS205",
        "routeTables/rt-source-gateway-asr",
        lambda b: drop_route(b, RTG + "-asr", "10.101.0.0/24"),
        target=True,
        example=NEW,
    ),
    case("FS206", "routeTables/rt-source-gateway", lambda b: add_route(b, RTG, "10.1.0.0/25", "VnetLocal")),
    case(
        "FS206",
        "routeTables/rt-source-gateway",
        lambda b: set_in(route(b, RTG, "10.1.0.0/24"), nextHopType="Internet", nextHopIpAddress=None),
    ),
    # Appliances.
    case(
        "FS211",
        "routeTables/rt-source-vnet1",
        lambda b: set_in(route(b, RT1, "0.0.0.0/0"), nextHopIpAddress="10.10.10.11"),
    ),
    case(
        "FS211",
        "routeTables/rt-source-gateway",
        lambda b: set_in(route(b, RTG, "10.2.0.0/24"), nextHopIpAddress="10.9.9.9"),
    ),
    case(
        "FS211",
        "routeTables/rt-source-vnet1-asr",
        lambda b: set_in(route(b, RT1 + "-asr", "0.0.0.0/0"), nextHopIpAddress="10.10.10.10"),
        target=True,
        example=NEW,
    ),
    case(
        "FS212",
        "rg-source/providers/Microsoft.Network/networkInterfaces/nva-nic",
        lambda b: set_in(b.properties("nva-nic"), enableIPForwarding=False),
    ),
    case(
        "FS212",
        "rg-farshore-dr/providers/Microsoft.Network/networkInterfaces/nva-nic",
        lambda b: existing_appliance(b, enableIPForwarding=False),
        target=True,
        quiet=existing_appliance,
    ),
    case(
        "FS213",
        "routeTables/rt-source-vnet1",
        lambda b: set_in(route(b, RT1, "0.0.0.0/0"), nextHopIpAddress="10.1.0.5"),
    ),
    case(
        "FS214",
        "virtualMachines/nva",
        lambda b: b.properties("nva")["instanceView"].update(statuses=[{"code": "PowerState/deallocated"}]),
    ),
    case(
        "FS214",
        "networkInterfaces/nva-nic",
        both(lambda b: b.remove("nva"), lambda b: b.properties("nva-nic").pop("virtualMachine")),
    ),
    case("FS215", subnet_name(HUB, "nva"), lambda b: subnet(b, HUB, "nva").update(routeTable={"id": table_id(RT1)})),
    case(
        "FS215",
        "routeTables/rt-nva",
        lambda b: own_table_of_appliance(b, ("0.0.0.0/0", "VirtualAppliance", "10.10.10.10")),
        quiet=lambda b: own_table_of_appliance(b, ("0.0.0.0/0", "Internet", None)),
    ),
    case(
        "FS215",
        subnet_name(HUB + "-asr", "nva"),
        lambda b: subnet(b, HUB + "-asr", "nva").update(routeTable={"id": table_id(RT1 + "-asr", TARGET_GROUP)}),
        target=True,
    ),
    case(
        "FS216",
        "routeTables/rt-nva",
        lambda b: own_table_of_appliance(b, off=True),
        quiet=own_table_of_appliance,
    ),
    case("FS217", "networkInterfaces/nva-nic", appliance_into_spoke),
    case("FS218", "appliances", lambda b: _no_appliances(b)),
    case("FS219", "appliances/0/source", lambda b: _missing_source(b)),
    case(
        "FS219",
        "appliances/0/target/existing",
        lambda b: b.project["appliances"][0].update(
            target={"existing": b["nva-nic"]["id"].replace("nva-nic", "nobody")}
        ),
    ),
    case("FS220", "appliances/1", lambda b: _idle_appliance(b), severity="warning"),
    # The GatewaySubnet.
    case(
        "FS221",
        subnet_name(HUB, "GatewaySubnet"),
        lambda b: subnet(b, HUB, "GatewaySubnet").update(networkSecurityGroup={"id": b["nsg-source-vnet1-app"]["id"]}),
    ),
    case(
        "FS222",
        "routeTables/rt-source-gateway",
        lambda b: add_route(b, RTG, "0.0.0.0/0", "VirtualAppliance", "10.10.10.10"),
    ),
    case(
        "FS223", "routeTables/rt-source-gateway", lambda b: set_in(b.properties(RTG), disableBgpRoutePropagation=True)
    ),
    case(
        "FS223",
        "routeTables/rt-source-gateway-asr",
        lambda b: set_in(b.properties(RTG + "-asr"), disableBgpRoutePropagation=True),
        target=True,
    ),
    case(
        "FS224",
        subnet_name(HUB, "GatewaySubnet"),
        lambda b: subnet(b, HUB, "GatewaySubnet").update(addressPrefix="10.10.10.128/28"),
    ),
    case(
        "FS225",
        "routeTables/rt-source-gateway",
        lambda b: add_route(b, RTG, "10.10.10.128/25", "VirtualAppliance", "10.10.10.10"),
    ),
    case("FS226", "networkInterfaces/web1-nic", lambda b: _move(b, "web1-nic", HUB, "GatewaySubnet", "10.10.10.150")),
    case(
        "FS227",
        "loadBalancers/ilb",
        lambda b: balanced(b, members=False),
        quiet=lambda b: balanced(b, members=True),
    ),
    # Peerings.
    case("FS231", "virtualNetworks/Source-Hub-vNet", lambda b: _unpeer(b, HUB, "hub-to-Source-vNet1")),
    case("FS231", "virtualNetworks/Source-vNet2", lambda b: _unpeer(b, SPOKE2, "Source-vNet2-to-hub")),
    case(
        "FS232",
        peering_name(SPOKE1, "Source-vNet1-to-hub"),
        lambda b: set_in(peering(b, SPOKE1, "Source-vNet1-to-hub"), peeringState="Disconnected"),
    ),
    case(
        "FS232",
        peering_name(HUB, "hub-to-Source-vNet2"),
        lambda b: set_in(peering(b, HUB, "hub-to-Source-vNet2"), peeringState="Initiated"),
    ),
    case(
        "FS233",
        peering_name(HUB, "hub-to-Source-vNet1"),
        lambda b: set_in(peering(b, HUB, "hub-to-Source-vNet1"), peeringSyncLevel="RemoteNotInSync"),
    ),
    case(
        "FS233",
        peering_name(HUB, "hub-to-Source-vNet1"),
        lambda b: set_in(
            peering(b, HUB, "hub-to-Source-vNet1"), remoteAddressSpace={"addressPrefixes": ["10.1.0.0/25"]}
        ),
    ),
    case(
        "FS234",
        peering_name(SPOKE2, "Source-vNet2-to-hub"),
        lambda b: set_in(peering(b, SPOKE2, "Source-vNet2-to-hub"), allowVirtualNetworkAccess=False),
    ),
    case(
        "FS235",
        peering_name(SPOKE1, "Source-vNet1-to-hub"),
        lambda b: set_in(peering(b, SPOKE1, "Source-vNet1-to-hub"), allowForwardedTraffic=False),
    ),
    case(
        "FS236",
        peering_name(HUB, "hub-to-Source-vNet1"),
        lambda b: set_in(peering(b, HUB, "hub-to-Source-vNet1"), allowGatewayTransit=False),
    ),
    case(
        "FS236",
        peering_name(HUB + "-asr", "hub-to-Source-vNet1"),
        lambda b: set_in(peering(b, HUB + "-asr", "hub-to-Source-vNet1"), allowGatewayTransit=False),
        target=True,
    ),
    case(
        "FS237",
        peering_name(SPOKE1, "Source-vNet1-to-hub"),
        lambda b: set_in(peering(b, SPOKE1, "Source-vNet1-to-hub"), useRemoteGateways=False),
    ),
    case(
        "FS237",
        peering_name(SPOKE2 + "-asr", "Source-vNet2-to-hub"),
        lambda b: set_in(peering(b, SPOKE2 + "-asr", "Source-vNet2-to-hub"), useRemoteGateways=False),
        target=True,
    ),
    case(
        "FS238",
        peering_name(HUB, "hub-to-Source-vNet1"),
        lambda b: set_in(peering(b, HUB, "hub-to-Source-vNet1"), useRemoteGateways=True),
    ),
    case("FS238", peering_name(SPOKE1, "to-other"), second_hub),
    case(
        "FS239",
        peering_name(SPOKE1, "Source-vNet1-to-hub"),
        lambda b: set_in(peering(b, SPOKE1, "Source-vNet1-to-hub"), allowGatewayTransit=True),
        severity="warning",
    ),
    # Endpoints and groups.
    case("FS241", subnet_name(SPOKE1, "app"), lambda b: subnet(b, SPOKE1, "app").pop("serviceEndpoints")),
    case(
        "FS241",
        subnet_name(SPOKE1 + "-asr", "app"),
        lambda b: subnet(b, SPOKE1 + "-asr", "app").pop("serviceEndpoints"),
        target=True,
    ),
    case("FS242", subnet_name(SPOKE1, "app"), lambda b: _forced(b)),
    case(
        "FS242", "sites/datacenter", lambda b: b.project["sites"][0].update(prefixes=["0.0.0.0/0"]), severity="warning"
    ),
    case(
        "FS243",
        subnet_name(SPOKE2, "app"),
        lambda b: subnet(b, SPOKE2, "app")["serviceEndpoints"].append({"service": "Microsoft.Storage.Global"}),
    ),
    case(
        "FS251",
        "networkSecurityGroups/nsg-source-vnet1-app",
        lambda b: _drop_rule(b, "nsg-source-vnet1-app", "deny-the-rest"),
        severity="warning",
    ),
    case(
        "FS252",
        "networkSecurityGroups/nsg-source-vnet1-app-asr",
        lambda b: _drop_rule(b, "nsg-source-vnet1-app-asr", "allow-datacenter-https"),
        target=True,
    ),
    case(
        "FS254",
        subnet_name(SPOKE1, "app"),
        lambda b: subnet(b, SPOKE1, "app").update(networkSecurityGroup={"id": table_id("gone")}),
        severity="warning",
    ),
    case("FS252", "networkSecurityGroups/nsg-nva", guarded_appliance, target=True),
    case(
        "FS253",
        "networkSecurityGroups/nsg-source-vnet1-app",
        no_way_out,
        quiet=lambda b: no_way_out(b, first="AzureCloud"),
    ),
    case(
        "FS253",
        "networkSecurityGroups/nsg-source-vnet1-app",
        lambda b: no_way_out(b, to="EventHub.southeastasia"),
        quiet=lambda b: no_way_out(b, to="EventHub.eastasia"),
    ),
    case(
        "FS253",
        "networkSecurityGroups/nsg-source-vnet1-app-asr",
        lambda b: no_way_out(b, to="AzureSiteRecovery", group="nsg-source-vnet1-app-asr"),
        quiet=lambda b: no_way_out(b, to="AzureDevOps", group="nsg-source-vnet1-app-asr"),
        target=True,
    ),
)


def _no_appliances(bench: Bench) -> None:
    bench.project.pop("appliances")
    _no_through(bench)


def _no_through(bench: Bench) -> None:
    for objective in bench.project["objectives"]:
        objective.pop("through")


def _missing_source(bench: Bench) -> None:
    bench.project["appliances"][0]["source"] = bench["nva-nic"]["id"].replace("nva-nic", "gone-nic")
    _no_through(bench)


def _idle_appliance(bench: Bench) -> None:
    bench.copy_of("nva-nic", "idle-nic")
    bench.ip("idle-nic")["privateIPAddress"] = "10.10.10.20"
    bench.properties("idle-nic").pop("virtualMachine")
    bench.project["appliances"].append({"source": bench["idle-nic"]["id"], "target": "manual"})


def _move(bench: Bench, nic: str, network: str, name: str, address: str) -> None:
    bench.ip(nic)["subnet"]["id"] = network_id(network) + f"/subnets/{name}"
    bench.ip(nic)["privateIPAddress"] = address


def _unpeer(bench: Bench, network: str, name: str) -> None:
    peerings = bench.properties(network)["virtualNetworkPeerings"]
    peerings[:] = [item for item in peerings if item["name"] != name]


def _forced(bench: Bench) -> None:
    """The site announces a default, and the spokes have neither table nor endpoint: all goes on-premises."""
    bench.project["sites"][0]["prefixes"] = ["0.0.0.0/0"]
    for network in (SPOKE1, SPOKE2):
        subnet(bench, network, "app").pop("routeTable")
        subnet(bench, network, "app").pop("serviceEndpoints")


def _drop_rule(bench: Bench, group: str, name: str) -> None:
    rules = bench.properties(group)["securityRules"]
    rules[:] = [rule for rule in rules if rule["name"] != name]
