"""azure-mgmt-network builds the article's hub and spoke in the lab, connects it, asks it and takes it away."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any

import pytest

from farshore.arm.json import Body
from lab.core.bench import GROUP, Lab, example_lab, net, network_body, nic_body, subnet, vnet
from lab.core.kinds import CIRCUIT, GATEWAY, PEERING, ROUTE, RULE
from real.clients import Azure, done

PRIVATE = "AzurePrivatePeering"


@pytest.fixture
def azure() -> Azure:
    return Azure()


def code(error: Any) -> str:
    """ARM's own code in an SDK's error."""
    return str(error.error.code)


def hub(azure: Azure) -> Any:
    body = network_body("10.10.10.0/24", nva="10.10.10.0/25", GatewaySubnet="10.10.10.128/25")
    return done(azure.network.virtual_networks.begin_create_or_update(GROUP, "hub", body))


def connected(azure: Azure) -> None:
    """Hub, gateway, circuit with private peering, connection."""
    network = azure.network
    hub(azure)
    done(network.virtual_network_gateways.begin_create_or_update(GROUP, "gw", GATEWAY))
    done(network.express_route_circuits.begin_create_or_update(GROUP, "er", CIRCUIT))
    done(network.express_route_circuit_peerings.begin_create_or_update(GROUP, "er", PRIVATE, PEERING))
    azure.lab.wait(days=1)
    body: Body = {
        "location": "eastasia",
        "properties": {
            "connectionType": "ExpressRoute",
            "virtualNetworkGateway1": {"id": net("gw", kind="virtualNetworkGateways")},
            "peer": {"id": net("er", kind="expressRouteCircuits")},
        },
    }
    done(network.virtual_network_gateway_connections.begin_create_or_update(GROUP, "cn", body))


def test_networks_and_subnets(azure: Azure) -> None:
    from azure.mgmt.network import models

    made = hub(azure)
    assert made.provisioning_state == "Succeeded" and made.address_space.address_prefixes == ["10.10.10.0/24"]
    assert [item.name for item in made.subnets] == ["nva", "GatewaySubnet"]
    model = models.VirtualNetwork(
        location="eastasia",
        address_space=models.AddressSpace(address_prefixes=["10.1.0.0/24"]),
        subnets=[models.Subnet(name="app", address_prefix="10.1.0.0/25")],
        tags={"from": "a model"},
    )
    spoke = done(azure.network.virtual_networks.begin_create_or_update(GROUP, "spoke", model))
    assert spoke.tags == {"from": "a model"} and spoke.subnets[0].address_prefix == "10.1.0.0/25"
    db = {"properties": {"addressPrefix": "10.1.0.128/25", "serviceEndpoints": [{"service": "Microsoft.Storage"}]}}
    assert done(azure.network.subnets.begin_create_or_update(GROUP, "spoke", "db", db)).service_endpoints[0].locations
    assert {item.name for item in azure.network.subnets.list(GROUP, "spoke")} == {"app", "db"}
    assert {item.name for item in azure.network.virtual_networks.list(GROUP)} == {"hub", "spoke"}
    assert {item.name for item in azure.network.virtual_networks.list_all()} == {"hub", "spoke"}
    tagged = azure.network.virtual_networks.update_tags(GROUP, "spoke", {"tags": {"now": "else"}})
    assert tagged.tags == {"now": "else"} and len(tagged.subnets) == 2
    # Read, change, write back, as the SDK gives it.
    held = azure.network.virtual_networks.get(GROUP, "spoke")
    held.address_space.address_prefixes.append("10.1.1.0/24")
    grown = done(azure.network.virtual_networks.begin_create_or_update(GROUP, "spoke", held))
    assert grown.address_space.address_prefixes == ["10.1.0.0/24", "10.1.1.0/24"] and len(grown.subnets) == 2
    done(azure.network.subnets.begin_delete(GROUP, "spoke", "db"))
    done(azure.network.virtual_networks.begin_delete(GROUP, "spoke"))
    done(azure.network.virtual_networks.begin_delete(GROUP, "spoke"))
    assert [item.name for item in azure.network.virtual_networks.list(GROUP)] == ["hub"]


def test_tables_groups_and_their_parts(azure: Azure) -> None:
    network = azure.network
    table = done(
        network.route_tables.begin_create_or_update(
            GROUP, "rt", {"location": "eastasia", "properties": {"disableBgpRoutePropagation": True}}
        )
    )
    assert table.disable_bgp_route_propagation is True
    route = done(network.routes.begin_create_or_update(GROUP, "rt", "all", ROUTE))
    assert (route.next_hop_type, route.next_hop_ip_address) == ("VirtualAppliance", "10.10.10.10")
    assert [item.name for item in network.routes.list(GROUP, "rt")] == ["all"]
    assert [item.name for item in network.route_tables.get(GROUP, "rt").routes] == ["all"]
    group = done(network.network_security_groups.begin_create_or_update(GROUP, "nsg", {"location": "eastasia"}))
    assert len(group.default_security_rules) == 6
    rule = done(network.security_rules.begin_create_or_update(GROUP, "nsg", "web", RULE))
    assert (rule.priority, rule.access) == (200, "Allow")
    assert [item.name for item in network.security_rules.list(GROUP, "nsg")] == ["web"]
    done(network.security_rules.begin_delete(GROUP, "nsg", "web"))
    done(network.network_security_groups.begin_delete(GROUP, "nsg"))
    done(network.routes.begin_delete(GROUP, "rt", "all"))
    done(network.route_tables.begin_delete(GROUP, "rt"))
    assert list(network.route_tables.list_all()) == list(network.network_security_groups.list_all()) == []


def test_peerings(azure: Azure) -> None:
    hub(azure)
    done(azure.network.virtual_networks.begin_create_or_update(GROUP, "spoke", network_body("10.1.0.0/24")))
    peerings = azure.network.virtual_network_peerings
    for own, remote in (("hub", "spoke"), ("spoke", "hub")):
        body = {"properties": {"remoteVirtualNetwork": {"id": vnet(remote)}, "allowForwardedTraffic": True}}
        made = done(peerings.begin_create_or_update(GROUP, own, "p", body))
    assert (made.peering_state, made.peering_sync_level) == ("Connected", "FullyInSync")
    assert [item.peering_state for item in peerings.list(GROUP, "hub")] == ["Connected"]
    done(peerings.begin_delete(GROUP, "spoke", "p"))
    assert peerings.get(GROUP, "hub", "p").peering_state == "Disconnected"


def test_interfaces_and_public_addresses(azure: Azure) -> None:
    network = azure.network
    hub(azure)
    pip = {"location": "eastasia", "sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}}
    address = done(network.public_ip_addresses.begin_create_or_update(GROUP, "pip", pip))
    assert address.ip_address.count(".") == 3
    nic = done(network.network_interfaces.begin_create_or_update(GROUP, "nic", nic_body(subnet("hub", "nva"))))
    assert nic.ip_configurations[0].private_ip_address == "10.10.10.4"
    nic.ip_configurations[0].private_ip_allocation_method = "Static"
    nic.ip_configurations[0].private_ip_address = "10.10.10.10"
    nic.ip_configurations[0].public_ip_address = {"id": address.id}
    nic.enable_ip_forwarding = True
    again = done(network.network_interfaces.begin_create_or_update(GROUP, "nic", nic))
    assert again.enable_ip_forwarding and again.ip_configurations[0].private_ip_address == "10.10.10.10"
    assert network.public_ip_addresses.get(GROUP, "pip").ip_configuration.id == again.ip_configurations[0].id
    assert [item.name for item in network.network_interfaces.list_all()] == ["nic"]
    done(network.network_interfaces.begin_delete(GROUP, "nic"))
    done(network.public_ip_addresses.begin_delete(GROUP, "pip"))
    assert list(network.public_ip_addresses.list(GROUP)) == []


def test_gateway_circuit_and_connection(azure: Azure) -> None:
    network = azure.network
    began = azure.lab.now
    connected(azure)
    assert timedelta(days=1, minutes=25) < azure.lab.now - began < timedelta(days=1, minutes=60)
    gateway = network.virtual_network_gateways.get(GROUP, "gw")
    assert (gateway.gateway_type, gateway.sku.name) == ("ExpressRoute", "ErGw1AZ")
    circuit = network.express_route_circuits.get(GROUP, "er")
    assert circuit.service_provider_provisioning_state == "Provisioned" and circuit.peerings[0].azure_asn == 12076
    connection = network.virtual_network_gateway_connections.get(GROUP, "cn")
    assert (connection.connection_status, connection.peer.id) == ("Connected", circuit.id)
    # Recorded as primaryBytesIn; the SDK's model has another spelling of it.
    assert dict(network.express_route_circuits.get_stats(GROUP, "er"))["primaryBytesIn"] == 0
    assert [item.name for item in network.express_route_circuits.list_all()] == ["er"]
    assert [item.name for item in network.virtual_network_gateways.list(GROUP)] == ["gw"]
    assert [item.name for item in network.virtual_network_gateway_connections.list(GROUP)] == ["cn"]
    assert [item.name for item in network.virtual_network_gateways.list_connections(GROUP, "gw")] == ["cn"]
    authorizations = network.express_route_circuit_authorizations
    made = done(authorizations.begin_create_or_update(GROUP, "er", "far", {"properties": {}}))
    assert made.authorization_use_status == "Available" and len(made.authorization_key) == 36
    done(authorizations.begin_delete(GROUP, "er", "far"))
    done(network.virtual_network_gateway_connections.begin_update_tags(GROUP, "cn", {"tags": {"a": "b"}}))
    done(network.virtual_network_gateways.begin_update_tags(GROUP, "gw", {"tags": {"a": "b"}}))
    done(network.virtual_network_gateway_connections.begin_delete(GROUP, "cn"))
    done(network.express_route_circuit_peerings.begin_delete(GROUP, "er", PRIVATE))
    done(network.virtual_network_gateways.begin_delete(GROUP, "gw"))
    assert list(network.virtual_network_gateways.list(GROUP)) == []


def test_what_circuits_gateways_and_interfaces_know() -> None:
    azure = Azure(example_lab())
    network, there = azure.network, "rg-expressroute"
    ours = {"10.10.10.0/24", "10.1.0.0/24", "10.2.0.0/24"}
    circuits = network.express_route_circuits
    table = done(circuits.begin_list_routes_table(there, "er-hongkong", PRIVATE, "primary"))
    assert {row.network for row in table.value} == ours | {"192.168.0.0/16"}
    assert {row.path for row in table.value} == {"65515", "65010"}
    summary = done(circuits.begin_list_routes_table_summary(there, "er-hongkong", PRIVATE, "primary"))
    assert {row.neighbor for row in summary.value} >= {"172.16.0.1"}
    arp = done(circuits.begin_list_arp_table(there, "er-hongkong", PRIVATE, "secondary"))
    assert {row.interface for row in arp.value} == {"Microsoft", "On-Prem"}
    gateways = network.virtual_network_gateways
    learned = done(gateways.begin_get_learned_routes("rg-source", "ergw-source-hub"))
    assert {row.network for row in learned.value} == ours | {"192.168.0.0/16"}
    advertised = done(gateways.begin_get_advertised_routes("rg-source", "ergw-source-hub", peer="172.16.0.2"))
    assert {row.network for row in advertised.value} == ours
    peers = done(gateways.begin_get_bgp_peer_status("rg-source", "ergw-source-hub"))
    assert {row.asn for row in peers.value} == {12076}
    effective = done(network.network_interfaces.begin_get_effective_route_table("rg-source", "web1-nic"))
    hops = {(row.source, row.address_prefix[0]): row.next_hop_type for row in effective.value if row.state == "Active"}
    assert hops["User", "0.0.0.0/0"] == "VirtualAppliance" and hops["Default", "10.1.0.0/24"] == "VnetLocal"
    rules = done(network.network_interfaces.begin_list_effective_network_security_groups("rg-source", "web1-nic"))
    assert rules.value[0].effective_security_rules


def test_refusals_become_the_sdks_own_errors(azure: Azure) -> None:
    from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

    network = azure.network
    with pytest.raises(ResourceNotFoundError) as missing:
        network.virtual_networks.get(GROUP, "none")
    assert code(missing.value) == "ResourceNotFound"
    with pytest.raises(ResourceNotFoundError) as group:
        network.virtual_networks.begin_create_or_update("none", "hub", network_body("10.0.0.0/24"))
    assert code(group.value) == "ResourceGroupNotFound"
    hub(azure)
    with pytest.raises(HttpResponseError) as bad:
        network.subnets.begin_create_or_update(GROUP, "hub", "s", {"properties": {"addressPrefix": "10.9.0.0/24"}})
    assert (bad.value.status_code, code(bad.value)) == (400, "NetcfgSubnetRangeOutsideVnet")
    with pytest.raises(HttpResponseError) as strange:
        network.application_gateways.begin_backend_health(GROUP, "none")
    assert code(strange.value) == "NotImplementedByLab"


def test_a_client_waits_until_another_operation_is_over(azure: Azure) -> None:
    """L16: the SDK repeats what was refused with a time to wait."""
    networks = azure.network.virtual_networks
    networks.begin_create_or_update(GROUP, "slow", network_body("10.20.0.0/24"), polling=False)
    done(networks.begin_delete(GROUP, "slow"))
    refused = [row for row in azure.lab.journal() if row["method"] == "DELETE" and row["status"] == 409]
    assert refused and refused[0]["error"]["code"] == "AnotherOperationInProgress"
    assert list(networks.list_all()) == []


def test_pollers_that_run_at_once_take_turns(azure: Azure) -> None:
    """Each poller has a thread of its own, and threads change as often as they can."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        networks = azure.network.virtual_networks
        pollers = [
            networks.begin_create_or_update(GROUP, f"n{number}", network_body(f"10.{number}.0.0/24"))
            for number in range(24)
        ]
        assert {done(poller).provisioning_state for poller in pollers} == {"Succeeded"}
    finally:
        sys.setswitchinterval(usual)
    assert len(list(networks.list(GROUP))) == 24


def test_an_operation_is_taken_up_again_by_another_process(azure: Azure) -> None:
    hub(azure)
    gateways = azure.network.virtual_network_gateways
    poller = gateways.begin_create_or_update(GROUP, "gw", GATEWAY)
    token = poller.continuation_token()
    other = Azure(azure.lab)
    again = other.network.virtual_network_gateways.begin_create_or_update(GROUP, "gw", {}, continuation_token=token)
    assert done(again).provisioning_state == "Succeeded"
    puts = [row for row in azure.lab.journal() if row["method"] == "PUT" and "/virtualNetworkGateways/" in row["url"]]
    assert len(puts) == 1


def test_a_client_waits_as_it_is_told_when_there_are_too_many_requests(azure: Azure) -> None:
    hub(azure)
    azure.lab.fault(kind="throttle", seconds=17)
    assert azure.network.virtual_networks.get(GROUP, "hub").name == "hub"
    assert 17 in azure.transport.slept


def test_a_lost_reply_and_a_retry_make_one_network(azure: Azure) -> None:
    """The SDK sends a PUT again by itself; the lab takes it as the same."""
    azure.lab.fault(kind="reply-lost", method="PUT", path="virtualNetworks/hub")
    body = network_body("10.10.10.0/24", nva="10.10.10.0/25")
    from azure.core.exceptions import HttpResponseError

    try:
        made = done(azure.network.virtual_networks.begin_create_or_update(GROUP, "hub", body))
    except HttpResponseError as error:
        # The first PUT is still under way when the second comes: an answer that Azure gives too.
        assert code(error) == "AnotherOperationInProgress"
        azure.lab.wait(60)
        made = done(azure.network.virtual_networks.begin_create_or_update(GROUP, "hub", body))
    assert made.provisioning_state == "Succeeded"
    assert len(list(azure.network.virtual_networks.list_all())) == 1


def test_a_lost_region_is_silence(azure: Azure) -> None:
    from azure.core.exceptions import ServiceRequestError, ServiceResponseError

    hub(azure)
    azure.lab.fault(kind="region", region="eastasia", state="lost")
    with pytest.raises((ServiceRequestError, ServiceResponseError)):
        azure.network.virtual_networks.get(GROUP, "hub")
    azure.lab.fault(kind="region", region="eastasia", state="returned")
    azure.lab.wait(minutes=5)
    assert azure.network.virtual_networks.get(GROUP, "hub").name == "hub"


def test_long_lists_are_followed_to_their_end() -> None:
    from farshore.lab import Settings

    lab = Lab(settings=Settings(throttling=False, page_size=3))
    for number in range(8):
        lab.made(net(f"rt{number}", kind="routeTables"), {"location": "eastasia"})
    azure = Azure(lab)
    names = [f"rt{number}" for number in range(8)]
    assert [item.name for item in azure.network.route_tables.list(GROUP)] == names
    assert [item.name for item in azure.network.route_tables.list_all()] == names
