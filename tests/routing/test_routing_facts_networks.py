"""What networks have by themselves and by their peers, and what a circuit can and can't steer, fact by fact."""

from __future__ import annotations

from dataclasses import fields, replace
from ipaddress import ip_network

import pytest

from farshore.arm.ids import resource_id
from farshore.estate.outside import Outside
from farshore.routing import Disposition, EffectiveRoute, advertised_routes, effective_routes, learned_routes, trace
from farshore.routing.region_pairs import paired_with

from .small import Net, flow, id_of
from .test_routing_facts_tables import GATEWAY_SUBNET, NVA, SPOKE, hops, one_spoke, rows
from .test_routing_traces import router, site

RESERVED = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")


def half(net: Net, network: str, at: int = 0) -> dict[str, object]:
    """One half of a peering, as its own network has it."""
    peerings = net.bodies[id_of("virtualNetworks", network)]["properties"]["virtualNetworkPeerings"]
    found: dict[str, object] = peerings[at]["properties"]
    return found


def test_r1_a_subnet_has_its_network_s_prefixes_the_internet_and_four_reserved_ranges() -> None:
    net = Net()
    net.network("alone", "10.5.0.0/16", "10.6.0.0/24", app="10.5.1.0/24", other="10.5.2.0/24")
    four = {row for row in rows(net.estate(), id_of("virtualNetworks/subnets", "alone", "app")) if "." in row[2]}
    assert four == {
        ("Default", "Active", "10.5.0.0/16", "VnetLocal"),
        ("Default", "Active", "10.6.0.0/24", "VnetLocal"),
        ("Default", "Active", "0.0.0.0/0", "Internet"),
        *(("Default", "Active", prefix, "None") for prefix in RESERVED),
    }


@pytest.mark.parametrize(
    ("space", "gone"),
    [
        ("10.0.0.0/16", set()),
        ("10.0.0.0/8", {"10.0.0.0/8"}),
        ("10.0.0.0/7", {"10.0.0.0/8"}),
        ("172.0.0.0/11", {"172.16.0.0/12"}),
        ("100.64.0.0/10", {"100.64.0.0/10"}),
    ],
)
def test_r2_a_range_that_is_a_reserved_one_or_holds_it_takes_its_place_and_one_inside_leaves_it(
    space: str, gone: set[str]
) -> None:
    net = Net()
    net.network("wide", space, app=str(next(ip_network(space).subnets(new_prefix=24))))
    found = rows(net.estate(), id_of("virtualNetworks/subnets", "wide", "app"))
    assert {row[2] for row in found if row[3] == "None"} == set(RESERVED) - gone
    assert {row[2] for row in found if row[3] == "VnetLocal"} == {space}


def test_r5_a_peer_s_and_a_gateway_s_prefixes_are_on_all_subnets_of_both_networks() -> None:
    estate = one_spoke().estate(site(router()))
    for subnet, peer in ((SPOKE, "10.0.0.0/16"), (NVA, "10.1.0.0/24"), (GATEWAY_SUBNET, "10.1.0.0/24")):
        found = rows(estate, subnet)
        assert ("Default", "Active", peer, "VNetPeering") in found
        assert ("VirtualNetworkGateway", "Active", "192.168.0.0/16", "VirtualNetworkGateway") in found


def test_r5_r6_a_service_s_prefixes_are_on_subnets_with_its_endpoint_and_pass_a_default_to_an_appliance() -> None:
    net = one_spoke(("0.0.0.0/0", "10.0.1.4"))
    app = net.bodies[id_of("virtualNetworks", "spoke")]["properties"]["subnets"][0]["properties"]
    app["serviceEndpoints"] = [{"service": "Microsoft.Storage"}]
    told = {"Storage.eastasia": "20.150.0.0/16", "Storage.southeastasia": "20.38.0.0/16"}
    outside = Outside(service_prefixes={tag: (ip_network(prefix),) for tag, prefix in told.items()})
    estate = net.estate(outside=outside)
    assert hops(estate, "20.150.0.9") == "VirtualNetworkServiceEndpoint"
    assert hops(estate, "20.151.0.9") == "10.0.1.4", "another service goes to the appliance with all the rest"
    assert not any(row[3] == "VirtualNetworkServiceEndpoint" for row in rows(estate, NVA))


@pytest.mark.parametrize(
    ("endpoint", "covered"),
    [
        ("Microsoft.Storage", {"20.150.0.0/16"}),
        ("Microsoft.Storage.Global", {"20.150.0.0/16", "20.38.0.0/16", "52.239.0.0/16"}),
        ("Microsoft.Sql", set()),
    ],
)
def test_r22_an_endpoint_covers_its_own_region_and_a_global_one_every(endpoint: str, covered: set[str]) -> None:
    net = one_spoke()
    app = net.bodies[id_of("virtualNetworks", "spoke")]["properties"]["subnets"][0]["properties"]
    app["serviceEndpoints"] = [{"service": endpoint}]
    regions = {"Storage.eastasia": "20.150.0.0/16", "Storage.SoutheastAsia": "20.38.0.0/16", "Storage": "52.239.0.0/16"}
    outside = Outside(service_prefixes={tag: (ip_network(prefix),) for tag, prefix in regions.items()})
    found = rows(net.estate(outside=outside), SPOKE)
    assert {row[2] for row in found if row[3] == "VirtualNetworkServiceEndpoint"} == covered


SILENT_OF_PAIRS = {"Storage.eastasia": "20.150.0.0/16", "Storage.japaneast": "20.60.0.0/16"}
WITH_PAIR = {**SILENT_OF_PAIRS, "Storage.SoutheastAsia": "20.38.0.0/16"}


@pytest.mark.parametrize(
    ("endpoints", "told", "address", "missing"),
    [
        (["Microsoft.Storage"], WITH_PAIR, "20.38.0.9", "whether Microsoft.Storage covers southeastasia"),
        (["Microsoft.Storage"], WITH_PAIR, "20.60.0.9", ""),
        (["Microsoft.Storage"], WITH_PAIR, "20.150.0.9", ""),
        (["Microsoft.Storage.Global"], WITH_PAIR, "20.38.0.9", ""),
        (["Microsoft.Sql"], WITH_PAIR | {"Sql": "20.62.0.0/16"}, "20.38.0.9", ""),
        (["Microsoft.Storage"], SILENT_OF_PAIRS, "8.8.8.8", ""),
        (["Microsoft.Storage"], {}, "8.8.8.8", ""),
        (["Microsoft.Storage.Global"], {}, "8.8.8.8", ""),
        (["Microsoft.Storage"], {"Storage": "52.239.0.0/16"}, "52.239.0.9", ""),
        (["Microsoft.Sql"], WITH_PAIR, "8.8.8.8", ""),
        (["Microsoft.AzureActiveDirectory"], {"AzureActiveDirectory": "20.190.0.0/16"}, "8.8.8.8", ""),
        (["Microsoft.Storage"], {}, "192.168.0.9", ""),
        ([], {}, "8.8.8.8", ""),
    ],
)
def test_r22_what_an_endpoint_may_cover_is_not_known(
    endpoints: list[str], told: dict[str, str], address: str, missing: str
) -> None:
    """The paired region's prefixes (U); where nobody told a service's, its endpoint is as if it were not there."""
    net = one_spoke()
    app = net.bodies[id_of("virtualNetworks", "spoke")]["properties"]["subnets"][0]["properties"]
    app["serviceEndpoints"] = [{"service": endpoint} for endpoint in endpoints]
    outside = Outside(service_prefixes={tag: (ip_network(prefix),) for tag, prefix in told.items()})
    forward, _ = trace(
        net.estate(site(router()), outside=outside), flow(id_of("virtualMachines", "vm"), "10.1.0.4", address)
    )
    unknown = forward.disposition is Disposition.INSUFFICIENT_INFORMATION
    assert unknown == bool(missing)
    assert not missing or forward.missing[0].startswith(missing)


@pytest.mark.parametrize(
    ("region", "pair"), [("eastasia", "southeastasia"), ("brazilsouth", "southcentralus"), ("qatarcentral", None)]
)
def test_r22_regions_have_the_pairs_that_azure_lists(region: str, pair: str | None) -> None:
    assert paired_with(region) == pair


def test_r9_a_row_has_azure_s_own_fields_and_words() -> None:
    """Source of peering rows is Default; states are Active and Invalid."""
    found = effective_routes(one_spoke(("10.1.0.0/24", "10.0.1.4")).estate(site(router())), SPOKE)
    assert {row.source for row in found} == {"Default", "User", "VirtualNetworkGateway"}
    assert {row.state for row in found} == {"Active", "Invalid"}
    assert {row.source for row in found if row.next_hop_type == "VNetPeering"} == {"Default"}
    names = {field.name for field in fields(EffectiveRoute)}
    assert {"source", "state", "address_prefix", "next_hop_type", "next_hop_ip_addresses", "name"} <= names


def test_r13_summarized_gateway_prefixes_take_the_place_of_the_network_s_own() -> None:
    net = one_spoke()
    net.bodies[id_of("virtualNetworks", "hub")]["properties"]["summarizedGatewayPrefixes"] = ["10.0.0.0/12"]
    said = {str(row.network) for row in advertised_routes(net.estate(), id_of("virtualNetworkGateways", "gw"))}
    assert said == {"10.0.0.0/12", "10.1.0.0/24"}


@pytest.mark.parametrize("state", ["Initiated", "Disconnected", "Connected"])
def test_r28_only_a_peering_connected_on_both_sides_carries_traffic(state: str) -> None:
    net = one_spoke()
    half(net, "hub")["peeringState"] = state
    found = {row[3] for row in rows(net.estate(), SPOKE)}
    assert ("VNetPeering" in found) == (state == "Connected")


def test_r28_peerings_are_not_transitive() -> None:
    net = one_spoke()
    net.network("far", "10.2.0.0/24", app="10.2.0.0/24")
    net.peer("hub", "far")
    assert not any(row[2] == "10.2.0.0/24" for row in rows(net.estate(), SPOKE))


@pytest.mark.parametrize(("lends", "uses"), [(True, True), (True, False), (False, True)])
@pytest.mark.parametrize("where", ["eastasia", "southeastasia"])
def test_r29_a_spoke_has_the_hub_s_gateway_where_both_halves_say_so_in_any_region(
    lends: bool, uses: bool, where: str
) -> None:
    net = one_spoke()
    net.bodies[id_of("virtualNetworks", "spoke")]["location"] = where
    half(net, "hub")["allowGatewayTransit"] = lends
    half(net, "spoke")["useRemoteGateways"] = uses
    estate = net.estate(site(router()))
    learned = {row[2] for row in rows(estate, SPOKE) if row[0] == "VirtualNetworkGateway"}
    assert learned == ({"192.168.0.0/16"} if lends and uses else set())
    said = {str(row.network) for row in advertised_routes(estate, id_of("virtualNetworkGateways", "gw"))}
    assert ("10.1.0.0/24" in said) is (lends and uses)


def test_r31_until_it_is_synced_a_peering_has_the_ranges_that_it_had() -> None:
    """Each side has its own copy of what the other is."""
    net = one_spoke()
    space = net.bodies[id_of("virtualNetworks", "hub")]["properties"]["addressSpace"]
    space["addressPrefixes"] = ["10.0.0.0/16", "10.7.0.0/16"]
    half(net, "spoke")["remoteAddressSpace"] = {"addressPrefixes": ["10.0.0.0/16"]}
    half(net, "spoke")["remoteVirtualNetworkAddressSpace"] = {"addressPrefixes": ["10.0.0.0/16", "10.7.0.0/16"]}
    assert {row[2] for row in rows(net.estate(), SPOKE) if row[3] == "VNetPeering"} == {"10.0.0.0/16"}
    half(net, "spoke")["remoteAddressSpace"] = {"addressPrefixes": ["10.0.0.0/16", "10.7.0.0/16"]}
    assert {row[2] for row in rows(net.estate(), SPOKE) if row[3] == "VNetPeering"} == {"10.0.0.0/16", "10.7.0.0/16"}


@pytest.mark.parametrize("flag", ["allowVirtualNetworkAccess", "allowForwardedTraffic"])
def test_r30_the_access_flags_block_no_packet_where_no_group_asks(flag: str) -> None:
    net = one_spoke()
    half(net, "hub")[flag] = half(net, "spoke")[flag] = False
    forward, back = trace(net.estate(), flow(id_of("networkInterfaces", "vm-nic"), "10.1.0.4", "10.0.1.4"))
    assert forward.disposition == back.disposition == Disposition.DELIVERED


def test_r30_without_access_a_peer_leaves_the_tag_and_the_default_rules_refuse_it() -> None:
    net = one_spoke()
    group = net.add("networkSecurityGroups", "nsg", securityRules=[])
    net.bodies[id_of("networkInterfaces", "nva-nic")]["properties"]["networkSecurityGroup"] = {"id": group}
    asked = flow(id_of("networkInterfaces", "vm-nic"), "10.1.0.4", "10.0.1.4")
    assert trace(net.estate(), asked)[0].disposition == Disposition.DELIVERED
    half(net, "hub")["allowVirtualNetworkAccess"] = False
    assert trace(net.estate(), asked)[0].disposition == Disposition.DENIED


def test_r32_a_subnet_peering_reaches_the_named_subnets_alone() -> None:
    net = one_spoke()
    half(net, "spoke").update(peerCompleteVnets=False, localSubnetNames=["app"], remoteSubnetNames=["nva"])
    found = {row[2] for row in rows(net.estate(), SPOKE) if row[3] == "VNetPeering"}
    assert found == {"10.0.1.0/24"}


def test_r33_joined_by_peering_and_by_gateways_traffic_takes_the_peering() -> None:
    net = one_spoke()
    net.network("far", "10.2.0.0/24", app="10.2.0.0/25", GatewaySubnet="10.2.0.224/27")
    net.gateway("gw-far", "far", allowRemoteVnetTraffic=True)
    net.bodies[id_of("virtualNetworkGateways", "gw")]["properties"]["allowRemoteVnetTraffic"] = True
    net.connect("gw-far", "er")
    assert hops(net.estate(site(router())), "10.2.0.4", NVA) == "VirtualNetworkGateway"
    net.peer("hub", "far")
    assert hops(net.estate(site(router())), "10.2.0.4", NVA) == "VNetPeering"


def test_e47_azure_steers_a_site_by_withdrawing_and_a_circuit_has_no_lever_between_two_networks() -> None:
    net = one_spoke()
    gateway = id_of("virtualNetworkGateways", "gw")
    assert "10.1.0.0/24" in {str(row.network) for row in advertised_routes(net.estate(), gateway)}
    half(net, "spoke")["useRemoteGateways"] = False
    assert "10.1.0.0/24" not in {str(row.network) for row in advertised_routes(net.estate(), gateway)}

    two = Net()
    for name in ("one", "two"):
        two.network(name, "10.3.0.0/24", app="10.3.0.0/25", GatewaySubnet="10.3.0.224/27")
        two.gateway(f"gw-{name}", name)
    two.circuit("er", "Hong Kong")
    for weight, name in ((0, "one"), (100, "two")):
        two.connect(f"gw-{name}", "er", weight)
    forward, _ = trace(two.estate(site(router())), flow("dc", "192.168.1.1", "10.3.0.4"))
    assert forward.disposition == Disposition.AMBIGUOUS, "a weight is looked at on the way out alone"


def test_e48_an_edge_takes_a_path_with_its_own_number_and_the_far_gateway_too() -> None:
    """A router that passes one circuit's routes on to another is transit between regions."""
    net = one_spoke()
    net.network("far", "10.2.0.0/24", app="10.2.0.0/25", GatewaySubnet="10.2.0.224/27")
    net.gateway("gw-far", "far")
    net.circuit("er2", "Singapore", third=1)
    net.connect("gw-far", "er2")
    passes = replace(router("ce2", "er2"), readvertise=(resource_id(id_of("expressRouteCircuits", "er")),))
    estate = net.estate(site(router(), passes))
    paths = {str(row.network): row.as_path for row in learned_routes(estate, id_of("virtualNetworkGateways", "gw-far"))}
    assert paths["10.1.0.0/24"] == (12076, 65010, 12076)
    assert hops(estate, "10.1.0.4", id_of("virtualNetworks/subnets", "far", "app")) == "VirtualNetworkGateway"


@pytest.mark.parametrize("state", ["NotProvisioned", "Provisioning", "Provisioned", "Deprovisioning"])
def test_e2_a_circuit_that_its_provider_has_not_provisioned_carries_no_routes(state: str) -> None:
    net = one_spoke()
    net.bodies[id_of("expressRouteCircuits", "er")]["properties"]["serviceProviderProvisioningState"] = state
    learned = {
        str(row.network) for row in learned_routes(net.estate(site(router())), id_of("virtualNetworkGateways", "gw"))
    }
    assert ("192.168.0.0/16" in learned) == (state == "Provisioned")
