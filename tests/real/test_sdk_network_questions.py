"""azure-mgmt-network 33.1 asks the lab's data plane: watchers, failover tests, resilience, Route Servers."""

from __future__ import annotations

from typing import Any

import pytest

from farshore.arm.json import Body
from lab.core.bench import COMPUTE, example_lab, network_body, rid, vnet
from real.clients import Azure, done

WEB1 = rid(f"{COMPUTE}/virtualMachines", "web1", group="rg-source")
GATEWAY = ("rg-source", "ergw-source-hub")
CIRCUIT = ("rg-expressroute", "er-hongkong")
SITE = "192.168.4.20"


@pytest.fixture
def azure() -> Azure:
    return Azure(example_lab())


def test_a_watcher_answers_in_the_models_words(azure: Azure) -> None:
    watchers, own = azure.network.network_watchers, ("rg-source", "watcher")
    watchers.create_or_update(*own, {"location": "eastasia"})
    ends = {"sourceIPAddress": "10.1.0.4", "destinationIPAddress": SITE}
    hop = done(watchers.begin_get_next_hop(*own, {"targetResourceId": WEB1, **ends}))
    assert (hop.next_hop_type, hop.next_hop_ip_address) == ("VirtualAppliance", "10.10.10.10")
    flow: Body = {"targetResourceId": WEB1, "direction": "Inbound", "protocol": "TCP"}
    flow |= {"localPort": "443", "remotePort": "50000", "localIPAddress": "10.1.0.4", "remoteIPAddress": SITE}
    assert done(watchers.begin_verify_ip_flow(*own, flow)).access == "Allow"
    check = {"source": {"resourceId": WEB1}, "destination": {"address": SITE, "port": 443}}
    found = done(watchers.begin_check_connectivity(*own, check))
    # Recorded: not a word of the model's.
    assert found.connection_status == "Reachable" and [found.hops[0].type, found.hops[-1].type] == [
        "Source",
        "Destination",
    ]
    view = done(watchers.begin_get_vm_security_rules(*own, {"targetResourceId": WEB1}))
    assert view.network_interfaces[0].security_rule_associations.effective_security_rules
    place = watchers.get_topology(*own, {"targetResourceGroupName": "rg-source"})
    assert len(place.resources) > 5 and place.created_date_time is not None


def test_a_site_failover_is_simulated_stopped_and_told(azure: Azure) -> None:
    gateways = azure.network.virtual_network_gateways
    start = gateways.begin_start_express_route_site_failover_simulation
    test = done(start(*GATEWAY, peering_location="Hong Kong"))
    [row] = done(gateways.begin_get_failover_all_test_details(*GATEWAY, type="All", fetch_latest=True))
    assert (row.test_guid, row.status, row.connections[0].status) == (test, "Running", "Disconnected")
    assert azure.lab.packet("datacenter", "10.1.0.4", port=443)["disposition"] != "Delivered"
    stop: Any = {"peeringLocation": "Hong Kong", "wasSimulationSuccessful": True}
    assert done(gateways.begin_stop_express_route_site_failover_simulation(*GATEWAY, stop)) == test
    single = gateways.begin_get_failover_single_test_details
    [row] = done(single(*GATEWAY, peering_location="Hong Kong", failover_test_id=test))
    assert row.status == "Completed" and row.was_simulation_successful
    assert row.non_redundant_routes == ["192.168.0.0/16"]
    shown = done(gateways.begin_get_resiliency_information(*GATEWAY))
    assert shown.last_computed_time and len(shown.components) == 4
    sets = done(gateways.begin_get_routes_information(*GATEWAY)).route_sets
    assert list(sets[0].details) == ["192.168.0.0/16"] and sets[0].locations == ["Hong Kong"]


def test_a_link_failover_is_simulated_and_told(azure: Azure) -> None:
    circuits, link = azure.network.express_route_circuits, {"link_type": "Primary"}
    kind = {"circuit_test_category": "BgpDisconnect"}
    test = done(circuits.begin_start_circuit_link_failover_test(*CIRCUIT, **link, **kind))
    single = circuits.begin_get_circuit_link_failover_single_test_details
    [row] = done(single(*CIRCUIT, **link, **kind, failover_test_id=test))
    assert row.status == "Running" and row.redundant_routes.before_simulation[0].route == "192.168.0.0/16"
    done(circuits.begin_stop_circuit_link_failover_test(*CIRCUIT, {"linkType": "Primary"}))
    [row] = done(circuits.begin_get_circuit_link_failover_all_tests_details(*CIRCUIT))
    assert (row.test_guid, row.status) == (test, "Completed")


def test_a_route_server_and_a_private_endpoint(azure: Azure) -> None:
    network, group = azure.network, "rg-source"
    space = network_body("10.99.0.0/16", RouteServerSubnet="10.99.0.0/27", ends="10.99.1.0/24")
    done(network.virtual_networks.begin_create_or_update(group, "rsnet", space))
    place = vnet("rsnet", "subnets", "RouteServerSubnet", group=group)
    done(network.virtual_hubs.begin_create_or_update(group, "rs", {"location": "eastasia", "properties": {}}))
    own = {"properties": {"subnet": {"id": place}}}
    done(network.virtual_hub_ip_configuration.begin_create_or_update(group, "rs", "one", own))
    assert network.virtual_hubs.get(group, "rs").virtual_router_ips == ["10.99.0.4", "10.99.0.5"]
    session = {"properties": {"peerIp": "10.99.1.9", "peerAsn": 65001}}
    done(network.virtual_hub_bgp_connection.begin_create_or_update(group, "rs", "nva", session))
    learned = done(network.virtual_hub_bgp_connections.begin_list_learned_routes(group, "rs", "nva"))
    assert learned == {"RouteServiceRole_IN_0": [], "RouteServiceRole_IN_1": []}
    told = done(network.virtual_hub_bgp_connections.begin_list_advertised_routes(group, "rs", "nva"))
    assert told["RouteServiceRole_IN_0"][0].network == "10.99.0.0/16"
    link = {"privateLinkServiceId": rid("Microsoft.Elsewhere/things", "thing"), "groupIds": ["blob"]}
    ends: Body = {
        "subnet": {"id": vnet("rsnet", "subnets", "ends", group=group)},
        "privateLinkServiceConnections": [{"name": "to", "properties": link}],
    }
    body = {"location": "eastasia", "properties": ends}
    made = done(network.private_endpoints.begin_create_or_update(group, "pe", body))
    assert made.network_interfaces and made.custom_dns_configs[0].ip_addresses == ["10.99.1.4"]
