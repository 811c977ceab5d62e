"""The article's network and machines, built and asked by Azure's Python clients."""

from __future__ import annotations

from typing import Any

from farshore.arm.json import Body
from real.clients import done
from real.life.clients import AWAY, CIRCUITS, FAR, HOME, MACHINES, NEAR, PRIVATE, SPOKES, Clients, ref, rid, until


def groups(clients: Clients) -> None:
    groups = clients.resources.resource_groups
    for name, region in ((HOME, NEAR), (CIRCUITS, FAR)):
        assert not groups.check_existence(name)
        made = groups.create_or_update(name, {"location": region})
        assert (made.name, made.location, made.properties.provisioning_state) == (name, region, "Succeeded")
    assert {group.name for group in groups.list()} == {HOME, CIRCUITS, AWAY}


def networks(clients: Clients, group: str, region: str, hub: str, suffix: str) -> None:
    """Hub and spokes with their route tables: everything between networks passes the appliance."""
    network = clients.network
    to_appliance = {"nextHopType": "VirtualAppliance", "nextHopIpAddress": "10.10.10.10"}
    spokes = [
        {"name": f"to-{spoke}", "properties": {"addressPrefix": f"{prefix}.0/24", **to_appliance}}
        for spoke, prefix in SPOKES.values()
    ]
    gateway = {"location": region, "properties": {"routes": spokes}}
    table = done(network.route_tables.begin_create_or_update(group, f"rt-gateway{suffix}", gateway))
    assert [route.provisioning_state for route in table.routes] == ["Succeeded"] * 2
    everything = {"name": "everything", "properties": {"addressPrefix": "0.0.0.0/0", **to_appliance}}
    body: Body = {
        "location": region,
        "properties": {
            "addressSpace": {"addressPrefixes": ["10.10.10.0/24"]},
            "subnets": [
                {"name": "nva", "properties": {"addressPrefix": "10.10.10.0/25"}},
                {
                    "name": "GatewaySubnet",
                    "properties": {"addressPrefix": "10.10.10.128/25", "routeTable": {"id": table.id}},
                },
            ],
        },
    }
    made = done(network.virtual_networks.begin_create_or_update(group, hub, body))
    assert made.subnets[1].route_table.id == table.id
    for spoke, prefix in SPOKES.values():
        rules = {"location": region, "properties": {"disableBgpRoutePropagation": True, "routes": [everything]}}
        table = done(network.route_tables.begin_create_or_update(group, f"rt-{spoke}{suffix}", rules))
        subnet = {"name": "app", "properties": {"addressPrefix": f"{prefix}.0/25", "routeTable": {"id": table.id}}}
        body = {
            "location": region,
            "properties": {"addressSpace": {"addressPrefixes": [f"{prefix}.0/24"]}, "subnets": [subnet]},
        }
        made = done(network.virtual_networks.begin_create_or_update(group, f"{spoke}{suffix}", body))
        assert made.provisioning_state == "Succeeded"
    assert len(list(network.virtual_networks.list(group))) == 3 and len(list(network.route_tables.list(group))) == 3


def peerings(clients: Clients, group: str, hub: str, suffix: str) -> None:
    """D40 to D47: the hub lends its gateway."""
    peerings = clients.network.virtual_network_peerings
    kind = "Microsoft.Network/virtualNetworks"
    for spoke, _ in SPOKES.values():
        name = f"{spoke}{suffix}"
        common = {"allowVirtualNetworkAccess": True, "allowForwardedTraffic": True}
        lends = {"remoteVirtualNetwork": ref(group, kind, name), "allowGatewayTransit": True, **common}
        uses = {"remoteVirtualNetwork": ref(group, kind, hub), "useRemoteGateways": True, **common}
        first = done(peerings.begin_create_or_update(group, hub, f"hub-to-{name}", {"properties": lends}))
        assert first.peering_state == "Initiated"
        second = done(peerings.begin_create_or_update(group, name, f"{name}-to-hub", {"properties": uses}))
        assert second.peering_state == "Connected" and second.use_remote_gateways
    assert {item.peering_state for item in peerings.list(group, hub)} == {"Connected"}


def appliance(clients: Clients, group: str, region: str, hub: str, name: str) -> None:
    subnet = rid(group, "Microsoft.Network/virtualNetworks", f"{hub}/subnets/nva")
    made = nic(clients, group, region, f"{name}-nic", subnet, "10.10.10.10", forwards=True)
    assert made.enable_ip_forwarding
    machine(clients, group, region, name, made.id, [])


def gateway(clients: Clients, group: str, region: str, hub: str, name: str) -> None:
    address: Body = {
        "location": region,
        "sku": {"name": "Standard"},
        "zones": ["1", "2", "3"],
        "properties": {"publicIPAllocationMethod": "Static"},
    }
    public = done(clients.network.public_ip_addresses.begin_create_or_update(group, f"pip-{name}", address))
    inside = {
        "subnet": ref(group, "Microsoft.Network/virtualNetworks", f"{hub}/subnets/GatewaySubnet"),
        "publicIPAddress": {"id": public.id},
    }
    body: Body = {
        "location": region,
        "properties": {
            "gatewayType": "ExpressRoute",
            "sku": {"name": "ErGw1AZ", "tier": "ErGw1AZ"},
            "ipConfigurations": [{"name": "default", "properties": inside}],
        },
    }
    made = done(clients.network.virtual_network_gateways.begin_create_or_update(group, name, body))
    assert (made.provisioning_state, made.bgp_settings.asn) == ("Succeeded", 65515)


def circuit(clients: Clients, name: str, location: str, mbps: int, primary: str, secondary: str, vlan: int) -> None:
    circuits = clients.network.express_route_circuits
    service = {"serviceProviderName": "Equinix", "peeringLocation": location, "bandwidthInMbps": mbps}
    body: Body = {
        "location": FAR,
        "sku": {"name": "Standard_MeteredData", "tier": "Standard", "family": "MeteredData"},
        "properties": {"serviceProviderProperties": service},
    }
    ordered = done(circuits.begin_create_or_update(CIRCUITS, name, body))
    assert (ordered.circuit_provisioning_state, ordered.service_provider_provisioning_state) == (
        "Enabled",
        "NotProvisioned",
    )
    assert len(ordered.service_key) == 36
    # The provider has its own hours: who waits for it asks until it is done.
    until(lambda: circuits.get(CIRCUITS, name).service_provider_provisioning_state == "Provisioned")
    peering = {
        "peeringType": PRIVATE,
        "peerASN": 65010,
        "primaryPeerAddressPrefix": primary,
        "secondaryPeerAddressPrefix": secondary,
        "vlanId": vlan,
    }
    peerings = clients.network.express_route_circuit_peerings
    made = done(peerings.begin_create_or_update(CIRCUITS, name, PRIVATE, {"properties": peering}))
    assert (made.azure_asn, made.state) == (12076, "Enabled")


def connection(clients: Clients, group: str, region: str, name: str, gateway: str, circuit: str) -> None:
    body: Body = {
        "location": region,
        "properties": {
            "connectionType": "ExpressRoute",
            "virtualNetworkGateway1": ref(group, "Microsoft.Network/virtualNetworkGateways", gateway),
            "peer": ref(CIRCUITS, "Microsoft.Network/expressRouteCircuits", circuit),
        },
    }
    connections = clients.network.virtual_network_gateway_connections
    assert done(connections.begin_create_or_update(group, name, body)).provisioning_state == "Succeeded"
    until(lambda: connections.get(group, name).connection_status == "Connected")


def move_connection(clients: Clients, old: tuple[str, str], new: tuple[str, str, str, str, str]) -> None:
    connections = clients.network.virtual_network_gateway_connections
    done(connections.begin_delete(*old))
    assert list(connections.list(old[0])) == []
    connection(clients, *new)


def reaches(clients: Clients) -> None:
    """The datacenter reaches every machine at the address it has always had, and the spokes each other."""
    web, app = MACHINES.values()
    for source, target in (("datacenter", web), ("datacenter", app), (web, app), (app, web)):
        assert clients.lab.verdict(source, target) == "delivered", (source, target)


def routes(clients: Clients) -> None:
    """What the network says of itself, asked through the clients."""
    network = clients.network
    effective = done(network.network_interfaces.begin_get_effective_route_table(HOME, "web1-nic"))
    hops = {(row.source, row.address_prefix[0]): row.next_hop_type for row in effective.value if row.state == "Active"}
    assert hops["User", "0.0.0.0/0"] == "VirtualAppliance" and hops["Default", "10.1.0.0/24"] == "VnetLocal"
    learned = done(network.virtual_network_gateways.begin_get_learned_routes(HOME, "ergw-source-hub"))
    assert "192.168.0.0/16" in {row.network for row in learned.value}
    table = done(network.express_route_circuits.begin_list_routes_table(CIRCUITS, "er-hongkong", PRIVATE, "primary"))
    assert {row.network for row in table.value} >= {"10.10.10.0/24", "10.1.0.0/24", "10.2.0.0/24"}


# Machines. -----------------------------------------------------------------------------------------------------------


def nic(
    clients: Clients, group: str, region: str, name: str, subnet: str, address: str, *, forwards: bool = False
) -> Any:
    inside = {"subnet": {"id": subnet}, "privateIPAllocationMethod": "Static", "privateIPAddress": address}
    body: Body = {
        "location": region,
        "properties": {
            "enableIPForwarding": forwards,
            "ipConfigurations": [{"name": "ipconfig1", "properties": inside}],
        },
    }
    return done(clients.network.network_interfaces.begin_create_or_update(group, name, body))


def machine(clients: Clients, group: str, region: str, name: str, nic: str, disks: list[Body]) -> None:
    image = {"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"}
    system = {"name": f"{name}-os", "createOption": "FromImage", "diskSizeGB": 1}
    body: Body = {
        "location": region,
        "properties": {
            "hardwareProfile": {"vmSize": "Standard_D2s_v3"},
            "storageProfile": {"imageReference": image, "osDisk": system, "dataDisks": disks},
            "osProfile": {"computerName": name, "adminUsername": "operator", "adminPassword": "Secret-of-the-lab-1"},
            "networkProfile": {"networkInterfaces": [{"id": nic}]},
        },
    }
    machines = clients.compute.virtual_machines
    assert done(machines.begin_create_or_update(group, name, body)).provisioning_state == "Succeeded"
    assert machines.instance_view(group, name).statuses[1].code == "PowerState/running"


def machines(clients: Clients) -> None:
    for name, (spoke, _) in SPOKES.items():
        subnet = rid(HOME, "Microsoft.Network/virtualNetworks", f"{spoke}/subnets/app")
        made = nic(clients, HOME, NEAR, f"{name}-nic", subnet, MACHINES[name])
        data = {"lun": 0, "name": f"{name}-data0", "createOption": "Empty", "diskSizeGB": 1}
        machine(clients, HOME, NEAR, name, made.id, [data])
    assert {vm.name for vm in clients.compute.virtual_machines.list(HOME)} == {"nva", *MACHINES}
