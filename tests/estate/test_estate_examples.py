"""The examples: what the tool makes, what the article says, what a farshore.yaml has to say."""

from __future__ import annotations

import subprocess
import sys
from ipaddress import ip_address, ip_network
from pathlib import Path

import jsonschema
import pytest
import yaml

from farshore import examples, schemas
from farshore.arm.json import loads
from farshore.arm.regions import geopolitical_region_at
from farshore.errors import InputError
from farshore.estate import Estate
from farshore.estate.project import Project, Topology

TOOL = Path(__file__).parents[2] / "tools" / "make_examples.py"
KEPT = [name for name in examples.names() if "new" not in name]


@pytest.fixture(params=examples.names())
def read(request: pytest.FixtureRequest) -> tuple[Project, Estate]:
    name: str = request.param
    return examples.read(name)


def test_the_shipped_files_are_what_the_tool_makes() -> None:
    done = subprocess.run([sys.executable, str(TOOL), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_names_titles_and_an_unknown_one() -> None:
    assert examples.names()[0] == examples.PUBLISHED and all(examples.title(name) for name in examples.names())
    with pytest.raises(InputError, match="no example nothing"):
        examples.path("nothing")


def test_everything_is_understood(read: tuple[Project, Estate]) -> None:
    _, estate = read
    assert estate.unread == () and estate.unknown == ()


@pytest.mark.parametrize("name", examples.names())
def test_the_files_fit_their_schemas(name: str) -> None:
    project = yaml.safe_load((examples.path(name) / "farshore.yaml").read_text())
    jsonschema.Draft202012Validator(schemas.read("project")).validate(project)
    estate = loads((examples.path(name) / "estate.json").read_bytes())
    jsonschema.Draft202012Validator(schemas.read("estate")).validate(estate)
    assert set(project) == set(schemas.read("project")["properties"]), "everything is written out"


def test_the_article(read: tuple[Project, Estate]) -> None:
    """D33 to D43: the hub, the spokes, both peering tables, the route tables."""
    project, estate = read
    networks = {network.id.name: network for network in estate.virtual_networks}
    spaces = {name: str(network.address_space[0]) for name, network in networks.items()}
    assert spaces == {
        "Source-Hub-vNet": "10.10.10.0/24",
        "Source-vNet1": "10.1.0.0/24",
        "Source-vNet2": "10.2.0.0/24",
    }
    assert project.source_region == "eastasia" and project.target.region == "southeastasia"
    hub = networks["Source-Hub-vNet"]
    assert {s.name: str(s.address_prefixes[0]) for s in hub.subnets} == {
        "nva": "10.10.10.0/25",
        "GatewaySubnet": "10.10.10.128/25",
    }
    for network in networks.values():
        for peering in network.peerings:
            assert peering.allow_virtual_network_access and peering.allow_forwarded_traffic
            assert peering.allow_gateway_transit == (network is hub)
            assert peering.use_remote_gateways == (network is not hub)
            assert peering.peering_state == "Connected" and peering.peering_sync_level == "FullyInSync"
        assert len(network.peerings) == (2 if network is hub else 1)
        for subnet in network.subnets:
            table = estate.route_table(subnet.route_table)
            if network is not hub:
                assert table is not None and table.disable_bgp_route_propagation
                assert [(str(r.address_prefix), str(r.next_hop_ip_address)) for r in table.routes] == [
                    ("0.0.0.0/0", "10.10.10.10")
                ]
                assert "Microsoft.Storage" in subnet.service_endpoints, "D32"
                assert estate.network_security_group(subnet.network_security_group) is not None
            elif subnet.name == "GatewaySubnet":
                assert table is not None and not table.disable_bgp_route_propagation
                assert {str(r.address_prefix) for r in table.routes} == {"10.1.0.0/24", "10.2.0.0/24"}
            else:
                assert table is None


def test_machines(read: tuple[Project, Estate]) -> None:
    project, estate = read
    assert len(estate.virtual_machines) == 7
    appliances = {appliance.source for appliance in project.appliances}
    machines = [vm for vm in estate.virtual_machines if vm.network_interfaces[0] not in appliances]
    assert len(machines) == 6
    unmanaged = [vm for vm in machines if vm.os_disk is not None and vm.os_disk.vhd_uri is not None]
    assert [vm.id.name for vm in unmanaged] == ["file1"], "D3"
    for vm in machines:
        assert vm.power_state == "running" and vm.data_disks
        for disk in vm.disks:
            assert disk.disk_size_gb == 1
            held = disk.managed_disk is None or estate.get(disk.managed_disk) is not None
            assert held and (disk.vhd_uri is None or disk.vhd_uri.startswith("https://stsourcevhds.blob."))
        nic = estate.network_interface(vm.network_interfaces[0])
        assert nic is not None and nic.virtual_machine == vm.id and nic.primary is not None
        assert nic.primary.private_ip_allocation_method == "Static", "D68"
        subnet = estate.subnet(nic.primary.subnet)
        assert subnet is not None and nic.primary.private_ip_address in subnet.address_prefixes[0]
    nva = estate.network_interface(project.appliances[0].source)
    assert nva is not None and nva.enable_ip_forwarding and nva.primary is not None
    assert nva.primary.private_ip_address == ip_address("10.10.10.10")


def test_circuits_connection_and_places(read: tuple[Project, Estate]) -> None:
    project, estate = read
    circuits = estate.express_route_circuits
    assert len(circuits) == (1 if project.single_circuit else 2)
    assert {router.circuit for site in project.sites for router in site.routers} == {c.id for c in circuits}
    for circuit in circuits:
        assert circuit.location != "eastasia", "L36: a circuit's ARM location is not its peering location"
        assert circuit.sku_tier == "Standard" and geopolitical_region_at(circuit.peering_location or "") == "Asia"
        peering = circuit.private_peering
        assert peering is not None and peering.peer_asn == project.sites[0].asn
    places = {circuit.peering_location for circuit in circuits}
    both = project.topology is Topology.TWO_CIRCUITS_NEW_ADDRESSES
    assert len(places) == (2 if both or project.topology is Topology.TWO_CIRCUITS_TWO_LOCATIONS else 1)
    connections = sorted(estate.connections, key=lambda connection: -connection.routing_weight)
    assert len(connections) == (2 if both else 1), "D91"
    assert len({connection.routing_weight for connection in connections}) == len(connections), "E41"
    (gateway,) = {connection.virtual_network_gateway1 for connection in connections}
    found = estate.virtual_network_gateway(gateway)
    assert found is not None and found.sku == "ErGw1AZ" and found.subnet is not None
    primary = estate.express_route_circuit(connections[0].peer)
    assert primary is not None and primary.peering_location == "Hong Kong"
    groups = {body["name"]: body["location"] for body in estate.of_type("Microsoft.Resources/resourceGroups")}
    assert groups == {"rg-source": "eastasia", "rg-expressroute": "southeastasia", "rg-farshore-dr": "southeastasia"}


def test_the_site_decides_as_the_hub_s_weights_do_and_the_drill_is_alone(read: tuple[Project, Estate]) -> None:
    """E42. With one connection nothing decides yet."""
    project, estate = read
    routers = [router for site in project.sites for router in site.routers]
    assert {(router.prepend, router.filters) for router in routers} == {(0, ())}
    weights = {connection.peer: connection.routing_weight for connection in estate.connections}
    for router in routers:
        assert router.local_preference == 100 + (weights.get(router.circuit, 0) if len(weights) > 1 else 0)
    taken = [network for vnet in estate.virtual_networks for network in vnet.address_space]
    taken += [row.to for row in project.address_map]
    taken += [prefix for site in project.sites for prefix in site.prefixes]
    assert not any(drill.overlaps(network) for drill in project.drill.address_space for network in taken)
    for objective in project.objectives:
        assert objective.through == project.appliances[0].source.text
        for claim in ("circuit", "peering-location"):
            assert (claim in objective.survive) is (len(weights) > 1), "D91"


def test_addresses() -> None:
    for name in KEPT:
        assert examples.read(name)[0].keep_addresses
    for name in set(examples.names()) - set(KEPT):
        project, estate = examples.read(name)
        rows = {row.from_: row.to for row in project.address_map}
        assert rows[ip_network("10.10.10.0/24")] == ip_network("10.110.10.0/24"), "D79: the hub's own range too"
        assert set(rows) == {network for vnet in estate.virtual_networks for network in vnet.address_space}


@pytest.mark.parametrize("name", examples.names())
def test_the_appliance_template_is_one(name: str) -> None:
    template = loads((examples.path(name) / "nva.json").read_bytes())
    nic, vm = template["resources"]
    assert nic["properties"]["enableIPForwarding"] is True and vm["dependsOn"]
    address = template["parameters"]["privateIPAddress"]["defaultValue"]
    assert address == ("10.110.10.10" if "new" in name else "10.10.10.10")
