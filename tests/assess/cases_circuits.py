"""FS1xx and FS3xx: project, topology, geography, sites; gateways, circuits, connections, ranges that would meet."""

from __future__ import annotations

import copy
from typing import Any

from .bench import CIRCUIT_GROUP, NEAR, NEW, ONE, SUBSCRIPTION, TARGET_GROUP, Bench
from .casebook import Case, both, case
from .cases_networks import HUB, network_id

GATEWAY, CONNECTION = "ergw-source-hub", "cn-source-hub"
HONG_KONG, SINGAPORE = "er-hongkong", "er-singapore"
CE1, CE2 = "sites/datacenter/routers/ce1", "sites/datacenter/routers/ce2"


def circuit_id(name: str) -> str:
    group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{CIRCUIT_GROUP}"
    return f"{group}/providers/Microsoft.Network/expressRouteCircuits/{name}"


def private(bench: Bench, circuit: str) -> dict[str, Any]:
    return bench.child(circuit, "peerings", "AzurePrivatePeering")


def provider(bench: Bench, circuit: str) -> dict[str, Any]:
    found: dict[str, Any] = bench.properties(circuit)["serviceProviderProperties"]
    return found


def tier(bench: Bench, circuit: str, name: str) -> None:
    bench[circuit]["sku"].update(tier=name, name=f"{name}_MeteredData")


def second_site(bench: Bench, *prefixes: str) -> None:
    bench.project["sites"].append(
        {
            "name": "office",
            "asn": 65010,
            "prefixes": list(prefixes),
            "routers": [{"name": "ce9", "circuit": HONG_KONG, "links": ["primary"]}],
        }
    )
    bench.router("ce1")["links"] = ["secondary"]


def without_router(bench: Bench, name: str) -> None:
    routers = bench.project["sites"][0]["routers"]
    routers[:] = [router for router in routers if router["name"] != name]


def spokes_many(bench: Bench, count: int) -> None:
    """Spokes with nothing in them that use the hub's gateway, so that it announces many ranges."""
    for number in range(count):
        name = f"empty{number}"
        bench.add(
            "Microsoft.Network/virtualNetworks",
            name,
            properties={
                "addressSpace": {"addressPrefixes": [f"10.50.{number}.0/24"]},
                "virtualNetworkPeerings": [
                    {
                        "name": "to-hub",
                        "properties": {
                            "peeringState": "Connected",
                            "useRemoteGateways": True,
                            "remoteVirtualNetwork": {"id": network_id(HUB)},
                        },
                    }
                ],
            },
        )


def sixes_many(bench: Bench, count: int) -> None:
    """So many IPv6 ranges of the hub itself."""
    space = bench.properties("Source-Hub-vNet")["addressSpace"]["addressPrefixes"]
    space += [f"fd10:{number:x}::/48" for number in range(count)]


def connect_many(bench: Bench, count: int, circuit: str) -> None:
    for number in range(count):
        made = bench.copy_of(CONNECTION, f"cn-more{number}")
        made["properties"]["peer"] = {"id": circuit_id(circuit)}


def swap(bench: Bench) -> None:
    """Source to Singapore: the target is left with Hong Kong."""
    bench.properties(CONNECTION)["peer"] = {"id": circuit_id(SINGAPORE)}


def on_both(bench: Bench, *claims: str) -> None:
    bench.project["objectives"][0]["survive"] = list(claims)


def fastpath(bench: Bench, sku: str) -> None:
    bench.properties(GATEWAY)["sku"]["name"] = sku
    bench.properties(CONNECTION)["expressRouteGatewayBypass"] = True


CASES: tuple[Case, ...] = (
    # Project and topology.
    case("FS101", "machines", lambda b: b.project["machines"].update(exclude=["*"])),
    case("FS102", "topology", lambda b: without_router(b, "ce2")),
    case("FS102", "topology", lambda b: b.project.update(topology="single-circuit-kept-addresses", link="cold")),
    case("FS103", "topology", lambda b: provider(b, SINGAPORE).update(peeringLocation="Hong Kong")),
    case(
        "FS103",
        "topology",
        lambda b: provider(b, "er-hongkong-second").update(peeringLocation="Singapore"),
        example=NEAR,
    ),
    case("FS104", "topology", lambda b: b.project.update(topology="two-circuits-new-addresses")),
    case("FS104", "topology", lambda b: b.project.update(addresses="keep"), example=NEW),
    case("FS105", "addresses", lambda b: None, example=ONE, quiet_example=NEW, severity="warning"),
    case("FS106", "topology", lambda b: None, example=ONE, quiet_example=NEAR, severity="warning"),
    case(
        "FS107",
        "objectives/datacenter to machines",
        lambda b: (
            b.project.update(provision_ahead="none"),
            b.project["objectives"][0].update(recovery_time_minutes=30),
        ),
        severity="warning",
    ),
    case(
        "FS108",
        "virtualNetworks/Source-vNet1-asr",
        lambda b: _as_site_recovery_makes(b),
        example=NEW,
        severity="warning",
    ),
    case(
        "FS108",
        "virtualNetworks/Source-vNet1-asr",
        lambda b: _as_site_recovery_makes(b, jump="10.1.0.240/28"),
        example=NEW,
    ),
    # Geography.
    case(
        "FS121",
        "expressRouteCircuits/er-singapore",
        both(
            lambda b: tier(b, SINGAPORE, "Local"), lambda b: provider(b, SINGAPORE).update(peeringLocation="Hong Kong2")
        ),
    ),
    case("FS121", "expressRouteCircuits/er-hongkong", lambda b: tier(b, HONG_KONG, "Local"), example=NEW),
    case(
        "FS122", "expressRouteCircuits/er-singapore", lambda b: provider(b, SINGAPORE).update(peeringLocation="Tokyo")
    ),
    case(
        "FS123",
        "expressRouteCircuits/er-hongkong-second",
        lambda b: None,
        example=NEAR,
        quiet_example=ONE,
        severity="warning",
    ),
    case(
        "FS124",
        "expressRouteCircuits/er-singapore",
        lambda b: provider(b, SINGAPORE).update(peeringLocation="Reykjavik"),
        severity="info",
    ),
    case("FS125", "connections/cn-source-hub", swap),
    # Sites.
    case("FS131", CE2, lambda b: b.router("ce2").update(readvertise=[HONG_KONG])),
    case(
        "FS132",
        CE1,
        lambda b: b.router("ce1").update(filters=[{"direction": "in", "prefix": "10.1.0.0/24", "action": "deny"}]),
    ),
    case(
        "FS132",
        CE1,
        lambda b: b.router("ce1").update(filters=[{"direction": "out", "prefix": "192.168.0.0/16", "action": "deny"}]),
    ),
    case("FS133", CE2, lambda b: b.router("ce2").update(filters=[], local_preference=500), target=True),
    case("FS134", "sites/datacenter/routers/ce3", lambda b: _third_circuit(b), severity="warning"),
    # E13, R41.
    case(
        "FS135",
        "sites/datacenter",
        lambda b: b.project["sites"][0].update(prefixes=[f"172.{16 + n // 256}.{n % 256}.0/24" for n in range(4001)]),
    ),
    case(
        "FS135",
        "sites/datacenter",
        lambda b: b.project["sites"][0].update(prefixes=[f"fd00:{n:x}::/48" for n in range(101)]),
        quiet=lambda b: b.project["sites"][0].update(prefixes=[f"fd00:{n:x}::/48" for n in range(100)]),
    ),
    # Gateways.
    case("FS301", "virtualNetworks/Source-Hub-vNet", lambda b: b.remove(GATEWAY)),
    case("FS302", "virtualNetworkGateways/ergw-source-hub", lambda b: b.properties(GATEWAY).pop("sku")),
    case(
        "FS302",
        "virtualNetworkGateways/ergw-source-hub",
        lambda b: b.properties(GATEWAY)["sku"].update(name="VpnGw1AZ"),
    ),
    case(
        "FS302",
        "virtualNetworkGateways/ergw-source-hub-asr",
        lambda b: b.properties(GATEWAY + "-asr").pop("sku"),
        target=True,
    ),
    case(
        "FS303",
        "virtualNetworkGateways/ergw-source-hub",
        lambda b: b.properties(GATEWAY).update(provisioningState="Failed"),
    ),
    case(
        "FS303",
        "virtualNetworkGateways/ergw-source-hub-asr",
        lambda b: b.properties(GATEWAY + "-asr").update(provisioningState="Updating"),
        target=True,
    ),
    case("FS304", "virtualNetworkGateways/ergw-source-hub", lambda b: b[GATEWAY].update(location="japaneast")),
    case("FS304", "virtualNetworkGateways/ergw-source-hub", lambda b: _gateway_subnet(b, "nva")),
    case("FS305", "virtualNetworkGateways/ergw-two", lambda b: b.copy_of(GATEWAY, "ergw-two")),
    case("FS306", "virtualNetworkGateways/ergw-source-hub", lambda b: b.properties(GATEWAY).update(gatewayType="Vpn")),
    case(
        "FS307",
        "publicIPAddresses/pip-ergw-source-hub",
        lambda b: b["pip-ergw-source-hub"].update(sku={"name": "Basic"}),
        severity="warning",
    ),
    case(
        "FS308",
        "provision_ahead",
        lambda b: b.project.update(provision_ahead="none"),
        severity="warning",
        quiet=lambda b: b.remove(GATEWAY),
    ),
    case("FS309", "connections/cn-source-hub", lambda b: fastpath(b, "ErGw1AZ")),
    case("FS309", "connections/cn-source-hub", lambda b: fastpath(b, "ErGw3AZ"), severity="warning"),
    case("FS310", "virtualNetworkGateways/ergw-source-hub", lambda b: connect_many(b, 4, HONG_KONG)),
    case(
        "FS310",
        "virtualNetworkGateways/ergw-source-hub",
        both(lambda b: fastpath(b, "ErGw3AZ"), lambda b: connect_many(b, 4, HONG_KONG)),
        quiet=both(lambda b: fastpath(b, "ErGw3AZ"), lambda b: connect_many(b, 3, HONG_KONG)),
    ),
    # Circuits.
    case(
        "FS311",
        "expressRouteCircuits/er-hongkong",
        lambda b: b.properties(HONG_KONG).update(serviceProviderProvisioningState="NotProvisioned"),
    ),
    case(
        "FS311",
        "expressRouteCircuits/er-singapore",
        lambda b: b.properties(SINGAPORE).update(circuitProvisioningState="Disabled"),
    ),
    case("FS312", "expressRouteCircuits/er-singapore", lambda b: b.properties(SINGAPORE).update(peerings=[])),
    case("FS312", "er-hongkong/peerings/AzurePrivatePeering", lambda b: private(b, HONG_KONG).update(state="Disabled")),
    case("FS313", "er-hongkong/peerings/AzurePrivatePeering", lambda b: private(b, HONG_KONG).update(peerASN=65099)),
    case("FS313", "er-singapore/peerings/AzurePrivatePeering", lambda b: private(b, SINGAPORE).update(peerASN=65515)),
    case("FS313", "sites/datacenter", lambda b: b.project["sites"][0].update(asn=65099)),
    case(
        "FS314",
        "er-hongkong/peerings/AzurePrivatePeering",
        lambda b: private(b, HONG_KONG).update(primaryPeerAddressPrefix="10.1.0.0/30"),
    ),
    case(
        "FS314",
        "er-hongkong/peerings/AzurePrivatePeering",
        lambda b: private(b, HONG_KONG).update(secondaryPeerAddressPrefix="172.30.0.0/24"),
    ),
    case(
        "FS314",
        "er-singapore/peerings/AzurePrivatePeering",
        lambda b: private(b, SINGAPORE).update(
            secondaryPeerAddressPrefix=private(b, SINGAPORE)["primaryPeerAddressPrefix"]
        ),
    ),
    case("FS315", "sites", lambda b: without_router(b, "ce1")),
    case("FS316", CE1, lambda b: b.router("ce1").update(links=["primary"]), severity="warning"),
    case("FS317", CE2, lambda b: b.router("ce2").update(circuit=HONG_KONG)),
    case(
        "FS318",
        "expressRouteCircuits/er-singapore",
        lambda b: None,
        severity="warning",
        quiet=lambda b: provider(b, SINGAPORE).update(bandwidthInMbps=1000),
    ),
    # Connections.
    case(
        "FS321",
        "connections/cn-source-hub",
        lambda b: b.properties(CONNECTION).update(peer={"id": circuit_id("er-gone")}),
    ),
    case("FS321", "connections/cn-source-hub", lambda b: b.remove(GATEWAY)),
    case("FS322", "connections/cn-source-hub", lambda b: b.properties(CONNECTION).update(provisioningState="Failed")),
    case(
        "FS322",
        "connections/cn-source-hub-asr",
        lambda b: b.properties(CONNECTION + "-asr").update(provisioningState="Failed"),
        target=True,
    ),
    case("FS323", "virtualNetworkGateways/ergw-source-hub", lambda b: b.remove(CONNECTION)),
    case("FS324", "connections/cn-source-hub", lambda b: b.properties(CONNECTION).update(connectionType="IPsec")),
    case("FS324", "connections/cn-source-hub", lambda b: b[CONNECTION].update(location="japaneast")),
    case(
        "FS325",
        "connections/cn-source-hub-asr",
        lambda b: b.properties(CONNECTION + "-asr").update(peer={"id": circuit_id(HONG_KONG)}),
        target=True,
    ),
    case("FS326", "link", lambda b: None, severity="info", quiet=lambda b: b.remove(CONNECTION)),
    case(
        "FS327",
        "connections/cn-source-hub",
        lambda b: b.properties(CONNECTION).update(connectionStatus="NotConnected"),
        severity="warning",
    ),
    case(
        "FS328",
        "connections/cn-source-hub-asr",
        lambda b: b.project.update(link="cold"),
        target=True,
        severity="warning",
    ),
    case("FS329", "expressRouteCircuits/er-singapore", lambda b: _other_subscription(b), severity="warning"),
    # Ranges that would meet.
    case(
        "FS331",
        "connections/cn-source-hub-asr",
        lambda b: b.properties(CONNECTION + "-asr").update(peer={"id": circuit_id(HONG_KONG)}),
        target=True,
    ),
    case("FS331", "connections/cn-target", lambda b: _connect_target(b), target=True, example=ONE),
    case("FS332", "link", lambda b: b.project.update(link="armed"), example=ONE),
    case("FS332", "addresses", lambda b: b.project.update(addresses="keep"), example=NEW),
    case("FS332", "addresses/map", lambda b: b.project["addresses"]["map"].pop(2), example=NEW),
    case(
        "FS333", "sites/datacenter", lambda b: b.project["sites"][0].update(prefixes=["192.168.0.0/16", "10.2.0.0/16"])
    ),
    case(
        "FS333",
        "sites/datacenter",
        lambda b: b.project["sites"][0].update(prefixes=["192.168.0.0/16", "10.101.0.0/16"]),
        example=NEW,
    ),
    case(
        "FS334",
        "sites/office",
        lambda b: second_site(b, "192.168.0.0/16"),
        quiet=lambda b: second_site(b, "192.169.0.0/16"),
    ),
    case("FS334", "sites/office", lambda b: second_site(b, "192.168.7.0/24"), severity="warning"),
    case(
        "FS335", "addresses/map/0", lambda b: b.project["addresses"]["map"][0].update(to="10.10.10.0/24"), example=NEW
    ),
    case(
        "FS335", "addresses/map/1", lambda b: b.project["addresses"]["map"][1].update(to="192.168.9.0/24"), example=NEW
    ),
    case(
        "FS336",
        "addresses/map/3",
        lambda b: b.project["addresses"]["map"].append({"from": "10.77.0.0/24", "to": "10.177.0.0/24"}),
        example=NEW,
        severity="warning",
    ),
    case("FS337", "Source-vNet1-asr/virtualNetworkPeerings/home", lambda b: _peer_home(b), target=True),
    case(
        "FS339",
        "virtualNetworks/Source-vNet2",
        lambda b: b.properties("Source-vNet2")["addressSpace"]["addressPrefixes"].append("10.1.0.0/16"),
    ),
    case(
        "FS339",
        "virtualNetworks/Source-vNet1/subnets/app",
        lambda b: b.child("Source-vNet1", "subnets", "app").update(addressPrefix="10.3.0.0/25"),
    ),
    case("FS338", "Source-Hub-vNet/virtualNetworkPeerings/to-shared", lambda b: _shared(b), severity="warning"),
    # What an objective claims, by circuits.
    case("FS908", "objectives/datacenter to machines", lambda b: on_both(b, "circuit")),
    case("FS908", "objectives/datacenter to machines", lambda b: on_both(b, "peering-location"), example=NEW),
    case("FS908", "objectives/datacenter to machines", lambda b: on_both(b, "appliance")),
    case(
        "FS908",
        "objectives/datacenter to machines",
        both(lambda b: on_both(b, "circuit-link"), lambda b: b.router("ce1").update(links=["primary"])),
    ),
    # Limits of gateways and circuits.
    # E14, R40.
    case(
        "FS813",
        "virtualNetworkGateways/ergw-source-hub",
        lambda b: spokes_many(b, 200),
        quiet=lambda b: spokes_many(b, 20),
    ),
    case(
        "FS813",
        "virtualNetworkGateways/ergw-source-hub",
        lambda b: sixes_many(b, 101),
        quiet=lambda b: sixes_many(b, 100),
    ),
    # E15.
    case("FS814", "expressRouteCircuits/er-hongkong", lambda b: connect_many(b, 10, HONG_KONG)),
)


def _gateway_subnet(bench: Bench, name: str) -> None:
    configuration = bench.properties(GATEWAY)["ipConfigurations"][0]["properties"]
    configuration["subnet"] = {"id": network_id(HUB) + f"/subnets/{name}"}


def _third_circuit(bench: Bench) -> None:
    bench.copy_of(SINGAPORE, "er-osaka")
    target = copy.deepcopy(bench[CONNECTION])
    target["id"] = target["id"].replace("cn-source-hub", "cn-target").replace("rg-source", TARGET_GROUP)
    bench.project["sites"][0]["routers"].append({"name": "ce3", "circuit": "er-osaka"})
    # The target's circuit is known by its connection; the third then belongs to nobody.
    bench.add(
        "Microsoft.Network/virtualNetworks",
        "Source-Hub-vNet-asr",
        group=TARGET_GROUP,
        location="southeastasia",
        properties={
            "addressSpace": {"addressPrefixes": ["10.10.10.0/24"]},
            "subnets": [{"name": "GatewaySubnet", "properties": {"addressPrefix": "10.10.10.128/25"}}],
        },
    )
    gateway = copy.deepcopy(bench[GATEWAY])
    gateway["id"] = gateway["id"].replace(GATEWAY, GATEWAY + "-asr").replace("rg-source", TARGET_GROUP)
    gateway["name"], gateway["location"] = GATEWAY + "-asr", "southeastasia"
    configuration = gateway["properties"]["ipConfigurations"][0]["properties"]
    configuration["subnet"] = {"id": network_id(HUB + "-asr", TARGET_GROUP) + "/subnets/GatewaySubnet"}
    target["location"], target["name"] = "southeastasia", "cn-target"
    target["properties"]["virtualNetworkGateway1"] = {"id": gateway["id"]}
    target["properties"]["peer"] = {"id": circuit_id(SINGAPORE)}
    bench.resources += [gateway, target]


def _as_site_recovery_makes(bench: Bench, **own: str) -> None:
    """S31: a network `-asr` with the source's own ranges; `own` are subnets that somebody has added."""
    made = copy.deepcopy(bench["Source-vNet1"])
    made["id"], made["name"], made["location"] = (
        network_id("Source-vNet1-asr", TARGET_GROUP),
        "Source-vNet1-asr",
        "southeastasia",
    )
    made["properties"]["virtualNetworkPeerings"] = []
    for item in made["properties"]["subnets"]:
        item.pop("id", None)
        item["properties"] = {"addressPrefix": item["properties"]["addressPrefix"]}
    made["properties"]["subnets"] += [{"name": n, "properties": {"addressPrefix": p}} for n, p in own.items()]
    bench.resources.append(made)


def _other_subscription(bench: Bench) -> None:
    other = "00000000-0000-0000-0000-0000000000ff"
    body = bench[SINGAPORE]
    for item in (body, *body["properties"]["peerings"], *body["properties"].get("authorizations", [])):
        if "id" in item:
            item["id"] = item["id"].replace(SUBSCRIPTION, other)
    body["properties"]["authorizations"] = []


def _connect_target(bench: Bench) -> None:
    made = copy.deepcopy(bench[CONNECTION])
    made["id"] = made["id"].replace("cn-source-hub", "cn-target").replace("rg-source", TARGET_GROUP)
    made["name"], made["location"] = "cn-target", "southeastasia"
    made["properties"]["virtualNetworkGateway1"] = {"id": bench[GATEWAY + "-asr"]["id"]}
    bench.resources.append(made)


def _peer_home(bench: Bench) -> None:
    bench.properties("Source-vNet1-asr")["virtualNetworkPeerings"].append(
        {
            "name": "home",
            "properties": {"peeringState": "Initiated", "remoteVirtualNetwork": {"id": network_id("Source-vNet1")}},
        }
    )


def _shared(bench: Bench) -> None:
    bench.add(
        "Microsoft.Network/virtualNetworks",
        "shared",
        location="japaneast",
        properties={"addressSpace": {"addressPrefixes": ["10.80.0.0/24"]}},
    )
    bench.properties(HUB)["virtualNetworkPeerings"].append(
        {
            "name": "to-shared",
            "properties": {"peeringState": "Connected", "remoteVirtualNetwork": {"id": network_id("shared")}},
        }
    )
