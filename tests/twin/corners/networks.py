"""Corners of tables, peerings, appliances and machines."""

from __future__ import annotations

from farshore.estate.estate import Estate
from farshore.estate.outside import Outside
from farshore.estate.project_reading import parse_project
from routing.small import Net, id_of
from twin.corners.base import corner, hub, router, site

STATELESS = f"""
version: 1
name: corner
source: {{region: eastasia}}
target: {{region: southeastasia, resourceGroup: rg-dr}}
topology: single-circuit-kept-addresses
sites: [{{name: dc, asn: 65010, prefixes: [192.168.0.0/16], routers: [{{name: ce1, circuit: er}}]}}]
appliances: [{{source: "{id_of("networkInterfaces", "fw-nic")}", target: manual, stateful: false}}]
"""


@corner("delivered")
def through_an_appliance() -> Estate:
    return hub().estate(site(router()))


@corner("asymmetric")
def past_the_appliance_on_the_way_in() -> Estate:
    """No route on the GatewaySubnet: the flow from the site meets no appliance, its reply does (R39)."""
    return hub(("10.9.0.0/24", "10.0.1.4")).estate(site(router()))


@corner("asymmetric")
def past_the_appliance_on_the_way_out() -> Estate:
    return hub(spoke=(), propagate=True).estate(site(router()))


@corner("delivered")
def past_a_stateless_appliance() -> Estate:
    """Half a way through an appliance that keeps no state does no harm."""
    estate = hub(("10.9.0.0/24", "10.0.1.4")).estate()
    return estate.with_project(parse_project(STATELESS))


@corner("unreachable")
def an_appliance_that_does_not_forward() -> Estate:
    net = hub()
    net.bodies[id_of("networkInterfaces", "fw-nic")]["properties"]["enableIPForwarding"] = False
    return net.estate(site(router()))


@corner("unreachable", "delivered")
def an_appliance_that_is_down() -> Estate:
    return hub().estate(site(router()), outside=Outside(down=frozenset({id_of("virtualMachines", "fw").lower()})))


@corner("looped")
def two_appliances_that_send_to_each_other() -> Estate:
    net = hub(("10.1.0.0/24", "10.0.1.4"))
    subnets = net.bodies[id_of("virtualNetworks", "hub")]["properties"]["subnets"]
    subnets[0]["properties"]["routeTable"] = net.table("rt-nva", ("10.1.0.0/24", "10.0.2.4"))
    other = net.table("rt-other", ("10.1.0.0/24", "10.0.1.4"))
    subnets.append({"name": "other", "properties": {"addressPrefix": "10.0.2.0/24", "routeTable": other}})
    net.machine("fw2", ("hub", "other", "10.0.2.4"), forward=True)
    return net.estate(site(router()))


@corner("delivered", "unreachable")
def a_route_of_none_and_one_home() -> Estate:
    """A route longer than the network's own takes its traffic (R17), VnetLocal gives it back."""
    net = hub(spoke=(("10.1.0.0/24", "None"), ("10.1.0.4/32", "VnetLocal"), ("0.0.0.0/0", "10.0.1.4")))
    net.machine("vm3", ("spoke", "app", "10.1.0.6"))
    return net.estate(site(router()))


@corner("delivered")
def between_machines_of_one_network_through_an_appliance() -> Estate:
    return hub(spoke=(("10.1.0.0/24", "10.0.1.4"), ("0.0.0.0/0", "10.0.1.4"))).estate(site(router()))


@corner("unreachable")
def a_subnet_that_hears_no_bgp() -> Estate:
    return hub(spoke=(), propagate=False).estate(site(router()))


@corner("unreachable")
def a_gateway_subnet_that_hears_no_bgp() -> Estate:
    """R23: the gateway stops working."""
    net = hub()
    table = net.bodies[id_of("routeTables", "rt-gateway")]
    table["properties"]["disableBgpRoutePropagation"] = True
    return net.estate(site(router()))


@corner("unreachable")
def a_peering_that_was_never_synced() -> Estate:
    """The hub still has the spoke's old space (R31)."""
    net = hub(spoke=(), propagate=True)
    half = net.bodies[id_of("virtualNetworks", "hub")]["properties"]["virtualNetworkPeerings"][0]["properties"]
    half["remoteAddressSpace"] = {"addressPrefixes": ["10.9.0.0/24"]}
    return net.estate(site(router()))


@corner("unreachable")
def a_disconnected_peering() -> Estate:
    net = hub()
    half = net.bodies[id_of("virtualNetworks", "spoke")]["properties"]["virtualNetworkPeerings"][0]["properties"]
    half["peeringState"] = "Disconnected"
    return net.estate(site(router()))


@corner("delivered", "unreachable")
def a_spoke_without_a_gateway() -> Estate:
    net = hub(spoke=(), propagate=True)
    for name in ("hub", "spoke"):
        half = net.bodies[id_of("virtualNetworks", name)]["properties"]["virtualNetworkPeerings"][0]["properties"]
        half |= {"allowGatewayTransit": False, "useRemoteGateways": False}
    return net.estate(site(router()))


@corner("delivered")
def behind_a_load_balancer() -> Estate:
    return _balanced()


@corner("delivered", "unreachable")
def the_last_member_of_a_load_balancer() -> Estate:
    return _balanced(Outside(down=frozenset({id_of("virtualMachines", "fw").lower()})))


def _balanced(outside: Outside | None = None) -> Estate:
    net = hub(("10.1.0.0/24", "10.0.1.100"), spoke=(("0.0.0.0/0", "10.0.1.100"),))
    net.machine("fw2", ("hub", "nva", "10.0.1.5"), forward=True)
    pool = id_of("loadBalancers", "lb") + "/backendAddressPools/all"
    for name in ("fw-nic", "fw2-nic"):
        properties = net.bodies[id_of("networkInterfaces", name)]["properties"]["ipConfigurations"][0]["properties"]
        properties["loadBalancerBackendAddressPools"] = [{"id": pool}]
    frontend = {"privateIPAddress": "10.0.1.100", "subnet": {"id": id_of("virtualNetworks/subnets", "hub", "nva")}}
    net.add("loadBalancers", "lb", frontendIPConfigurations=[{"name": "f", "properties": frontend}])
    return net.estate(site(router()), outside=outside)


def _in_two_subnets(*second: tuple[str, str]) -> Net:
    """A balancer's pool of addresses, its members in two subnets; the second one's table has these routes."""
    net = hub(("10.1.0.0/24", "10.0.1.100"), spoke=(("0.0.0.0/0", "10.0.1.100"),))
    subnets = net.bodies[id_of("virtualNetworks", "hub")]["properties"]["subnets"]
    subnets.append(
        {"name": "two", "properties": {"addressPrefix": "10.0.2.0/24", "routeTable": net.table("rt", *second)}}
    )
    net.machine("fw2", ("hub", "two", "10.0.2.4"), forward=True)
    network = {"id": id_of("virtualNetworks", "hub")}
    held = [{"properties": {"ipAddress": one, "virtualNetwork": network}} for one in ("10.0.1.4", "10.0.2.4")]
    front = {"privateIPAddress": "10.0.1.100", "subnet": {"id": id_of("virtualNetworks/subnets", "hub", "nva")}}
    net.add(
        "loadBalancers",
        "lb",
        frontendIPConfigurations=[{"name": "f", "properties": front}],
        backendAddressPools=[{"name": "p", "properties": {"loadBalancerBackendAddresses": held}}],
    )
    return net


@corner("delivered")
def behind_a_load_balancer_of_addresses_in_two_subnets() -> Estate:
    return _in_two_subnets().estate(site(router()))


@corner("unreachable")
def a_load_balancer_of_whose_members_one_loses_its_share() -> Estate:
    return _in_two_subnets(("192.168.0.0/16", "None")).estate(site(router()))


@corner("delivered", "unreachable")
def the_last_member_of_a_load_balancer_of_addresses() -> Estate:
    """The one whose table loses it; before that is seen, that the other is gone."""
    down = Outside(down=frozenset({id_of("virtualMachines", "fw").lower()}))
    return _in_two_subnets(("192.168.0.0/16", "None")).estate(site(router()), outside=down)


@corner("delivered")
def a_frontend_with_a_pool_of_its_own() -> Estate:
    """Beside another, whose rule leads to a machine that forwards nothing."""
    net = hub(("10.1.0.0/24", "10.0.1.100"), spoke=(("0.0.0.0/0", "10.0.1.100"),))
    net.machine("aside", ("hub", "nva", "10.0.1.5"))
    own, place = id_of("loadBalancers", "lb"), {"id": id_of("virtualNetworks/subnets", "hub", "nva")}
    fronts, rules = [], []
    for name, nic, address in (("a", "aside-nic", "10.0.1.101"), ("b", "fw-nic", "10.0.1.100")):
        pool = {"id": f"{own}/backendAddressPools/{name}"}
        at = net.bodies[id_of("networkInterfaces", nic)]["properties"]["ipConfigurations"][0]["properties"]
        at["loadBalancerBackendAddressPools"] = [pool]
        fronts.append({"name": name, "properties": {"privateIPAddress": address, "subnet": place}})
        front = {"id": f"{own}/frontendIPConfigurations/{name}"}
        rules.append({"name": name, "properties": {"frontendIPConfiguration": front, "backendAddressPool": pool}})
    net.add("loadBalancers", "lb", frontendIPConfigurations=fronts, loadBalancingRules=rules)
    return net.estate(site(router()))


@corner("delivered")
def an_azure_firewall() -> Estate:
    net = hub()
    del net.bodies[id_of("virtualMachines", "fw")], net.bodies[id_of("networkInterfaces", "fw-nic")]
    place = {"privateIPAddress": "10.0.1.4", "subnet": {"id": id_of("virtualNetworks/subnets", "hub", "nva")}}
    net.add("azureFirewalls", "fw", ipConfigurations=[{"name": "a", "properties": place}])
    return net.estate(site(router()))


@corner("delivered")
def both_families() -> Estate:
    """IPv6 beside IPv4: networks, routes, the circuit's second session, an appliance."""
    net = Net()
    table = net.table("rt-gateway", ("10.1.0.0/24", "10.0.1.4"), ("fd00:1::/64", "fd00:0:0:1::4"))
    gateway = {"addressPrefixes": ["10.0.255.0/27", "fd00:0:0:ff::/64"], "routeTable": table}
    nva = {"addressPrefixes": ["10.0.1.0/24", "fd00:0:0:1::/64"]}
    net.network("hub", "10.0.0.0/16", "fd00::/48", nva=nva, GatewaySubnet=gateway)
    own = net.table("rt-spoke", ("0.0.0.0/0", "10.0.1.4"), ("::/0", "fd00:0:0:1::4"), propagate=False)
    app = {"addressPrefixes": ["10.1.0.0/24", "fd00:1::/64"], "routeTable": own}
    net.network("spoke", "10.1.0.0/24", "fd00:1::/64", app=app)
    net.peer("hub", "spoke", lend=True)
    for name, network, subnet, four, six in (
        ("fw", "hub", "nva", "10.0.1.4", "fd00:0:0:1::4"),
        ("vm1", "spoke", "app", "10.1.0.4", "fd00:1::4"),
    ):
        nic = net.machine(name, (network, subnet, four), forward=name == "fw")
        configurations = net.bodies[nic]["properties"]["ipConfigurations"]
        second = {**configurations[0]["properties"], "privateIPAddress": six, "primary": False}
        configurations.append({"name": "b", "properties": second})
    net.gateway("gw", "hub")
    circuit = net.circuit("er", "Hong Kong")
    peering = net.bodies[circuit.text]["properties"]["peerings"][0]["properties"]
    peering["ipv6PeeringConfig"] = {
        "primaryPeerAddressPrefix": "fd00:ffff::/126",
        "secondaryPeerAddressPrefix": "fd00:ffff::4/126",
        "state": "Enabled",
    }
    net.connect("gw", "er")
    return net.estate(site(router(), prefixes=("192.168.0.0/16", "fd00:dc::/48")))


@corner("delivered", "unreachable")
def a_subnet_peering() -> Estate:
    """Only the named subnets of the other side are reached (R32)."""
    net = hub(spoke=(), propagate=True)
    subnets = net.bodies[id_of("virtualNetworks", "hub")]["properties"]["subnets"]
    subnets.append({"name": "other", "properties": {"addressPrefix": "10.0.3.0/24"}})
    net.machine("vm-other", ("hub", "other", "10.0.3.4"))
    half = net.bodies[id_of("virtualNetworks", "spoke")]["properties"]["virtualNetworkPeerings"][0]["properties"]
    half |= {"peerCompleteVnets": False, "localSubnetNames": ["app"], "remoteSubnetNames": ["nva", "GatewaySubnet"]}
    return net.estate(site(router()))


@corner("delivered")
def machines_with_several_nics_and_addresses() -> Estate:
    """Each address answers by the NIC that has it, by that NIC's table."""
    net = hub()
    subnets = net.bodies[id_of("virtualNetworks", "spoke")]["properties"]["subnets"]
    net.bodies[id_of("virtualNetworks", "spoke")]["properties"]["addressSpace"]["addressPrefixes"].append("10.1.1.0/24")
    table = net.bodies[id_of("routeTables", "rt-gateway")]["properties"]["routes"]
    table.append({"name": "more", "properties": {**table[0]["properties"], "addressPrefix": "10.1.1.0/24"}})
    own = {"id": id_of("routeTables", "rt-spoke")}
    subnets.append({"name": "back", "properties": {"addressPrefix": "10.1.1.0/24", "routeTable": own}})
    nic = net.machine("vm3", ("spoke", "app", "10.1.0.9"), ("spoke", "back", "10.1.1.9"))
    configurations = net.bodies[nic]["properties"]["ipConfigurations"]
    more = {**configurations[0]["properties"], "privateIPAddress": "10.1.0.10", "primary": False}
    configurations.append({"name": "b", "properties": more})
    return net.estate(site(router()))


@corner("delivered")
def words_in_another_case() -> Estate:
    """Azure compares names and kinds without regard to case (R7)."""
    net = hub(spoke=(("0.0.0.0/0", "10.0.1.4"), ("10.1.0.0/24", "VNetLocal")))
    for route in net.bodies[id_of("routeTables", "rt-spoke")]["properties"]["routes"]:
        route["properties"]["nextHopType"] = route["properties"]["nextHopType"].upper()
    spoke = net.bodies[id_of("virtualNetworks", "spoke")]["properties"]["subnets"][0]["properties"]
    spoke["routeTable"]["id"] = spoke["routeTable"]["id"].upper()
    return net.estate(site(router()))


@corner("delivered")
def nics_of_one_machine_with_different_families() -> Estate:
    net = Net()
    both = {"addressPrefixes": ["10.0.0.0/25", "fd00::/64"]}
    net.network("n", "10.0.0.0/24", "fd00::/48", app=both)
    net.machine("vm", ("n", "app", "10.0.0.4"), ("n", "app", "fd00::4"))
    nic = net.machine("other", ("n", "app", "10.0.0.5"))
    configurations = net.bodies[nic]["properties"]["ipConfigurations"]
    more = {**configurations[0]["properties"], "privateIPAddress": "fd00::5", "primary": False}
    configurations.append({"name": "b", "properties": more})
    return net.estate()
