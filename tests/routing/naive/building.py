"""The estate that an engine is given of a network in words (words.py): bodies as Azure shows them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from ipaddress import ip_address, ip_network
from typing import Any

from farshore.arm.ids import resource_id
from farshore.arm.json import Body
from farshore.estate.estate import Estate
from farshore.estate.outside import Advertisement, Filter, Outside, Router, Site, SiteLink
from farshore.estate.project import Appliance, Project
from farshore.estate.project_reading import parse_project
from routing.small import Net, id_of

from .words import SERVICES, Group, Home, Hub, Spoke, Table, Words

PLACES = ("Hong Kong", "Singapore", "Tokyo")
PROJECT = """
version: 1
name: drawn
source: {region: eastasia}
target: {region: southeastasia, resourceGroup: rg-dr}
topology: two-circuits-two-locations
sites: [{name: dc0, asn: 65010, prefixes: [192.168.0.0/16], routers: [{name: ce1, circuit: er0}]}]
"""
"""What the drawn networks take of it is its appliances alone."""

KNOWN = {tag: tuple(map(ip_network, prefixes)) for tag, prefixes in SERVICES.items()}


def estate_of(drawn: Words) -> Estate:
    """The resources that the words describe."""
    net = Net()
    six = drawn.hubs[0].six
    for number in range(drawn.circuits):
        id_ = net.circuit(f"er{number}", PLACES[number], 100 + number)
        if six:
            peering = net.bodies[id_.text]["properties"]["peerings"][0]["properties"]
            peering["ipv6PeeringConfig"] = {"state": "Enabled"}
    for pair in drawn.reach:
        _reach(net, *pair)
    for hub in drawn.hubs:
        _hub(net, hub)
    for number in (0, 1) if drawn.joined else ():
        other = {"id": id_of("virtualNetworkGateways", f"vpn{1 - number}")}
        _tunnel(net, f"half{number}", number, "Vnet2Vnet", virtualNetworkGateway2=other)
    for spoke in drawn.spokes:
        _spoke(net, spoke)
    said = tuple(word for hub in drawn.hubs for word in _said(hub))
    outside = Outside(down=frozenset(map(_name, drawn.down)), advertised=said, service_prefixes=KNOWN)
    project = replace(_project(), appliances=tuple(_stateless(drawn)))
    return replace(net.estate(*_sites(drawn), outside=outside), project=project)


@cache
def _project() -> Project:
    return parse_project(PROJECT)


def _stateless(drawn: Words) -> Iterator[Appliance]:
    """What the project says keeps no state."""
    for hub in drawn.hubs:
        if not hub.stateful:
            for member in hub.members:
                yield Appliance(source=resource_id(id_of("networkInterfaces", f"{member}-nic")), stateful=False)
            if hub.fronts:
                yield Appliance(source=resource_id(id_of("loadBalancers", f"lb{hub.number}")), stateful=False)


def _reach(net: Net, one: int, other: int) -> None:
    """Global Reach, held by the first of two circuits."""
    far = {"id": f"{id_of('expressRouteCircuits', f'er{other}')}/peerings/AzurePrivatePeering"}
    said = {"peerExpressRouteCircuitPeering": far, "addressPrefix": f"172.31.{10 * one + other}.0/29"}
    peering = net.bodies[id_of("expressRouteCircuits", f"er{one}")]["properties"]["peerings"][0]["properties"]
    held = {"name": f"to{other}", "properties": {**said, "circuitConnectionStatus": "Connected"}}
    peering.setdefault("connections", []).append(held)


def _subnet(
    net: Net, prefixes: tuple[str, ...], name: str, table: Table | None, services: tuple[str, ...] = ()
) -> dict[str, Any]:
    found: dict[str, Any] = {"addressPrefixes": list(prefixes)}
    if services:
        found["serviceEndpoints"] = [{"service": f"Microsoft.{service}"} for service in services]
    if table is not None:
        found["routeTable"] = net.table(f"rt-{name}", *table.routes, propagate=table.propagates)
    return found


def _hub(net: Net, hub: Hub) -> None:
    def within(four: str, six: int) -> tuple[str, ...]:
        return (f"10.{hub.range}.0.{four}", *((f"fd00:{hub.range}:0:{six}::/64",) if hub.six else ()))

    nva = _subnet(net, within("64/27", 1), f"{hub.name}-nva", hub.tables[1], hub.services)
    if hub.appliance_group is not None:
        nva["networkSecurityGroup"] = _group(net, f"nsg-{hub.name}", hub.appliance_group, hub.name)
    net.network(
        hub.name,
        *hub.spaces,
        location=hub.region,
        GatewaySubnet=_subnet(net, within("0/26", 0), f"{hub.name}-gateway", hub.tables[0]),
        nva=nva,
        aside=_subnet(net, within("96/27", 3), f"{hub.name}-aside", hub.aside, hub.services),
        app=_subnet(net, within("128/27", 2), f"{hub.name}-app", hub.tables[2], hub.services),
        endpoints={"addressPrefix": f"10.{hub.range}.0.192/28", "privateEndpointNetworkPolicies": hub.endpoint},
        RouteServerSubnet=f"10.{hub.range}.0.224/27",
    )
    if hub.server is not None:
        _server(net, hub)
    if hub.endpoint is not None:
        subnet = {"id": id_of("virtualNetworks/subnets", hub.name, "endpoints")}
        address = {"privateIPAddress": hub.endpoint_address, "subnet": subnet, "primary": True}
        nic = net.add(
            "networkInterfaces", f"pe{hub.number}-nic", ipConfigurations=[{"name": "a", "properties": address}]
        )
        net.add("privateEndpoints", f"pe{hub.number}", subnet=subnet, networkInterfaces=[{"id": nic}])
    _machine(net, f"{hub.name}vm", hub.name, "app", hub.machine, location=hub.region)
    for at, (name, addresses) in enumerate(hub.members.items()):
        works = hub.appliance in ("works", "pool", "apart") or (hub.appliance == "half" and not at)
        where = "aside" if hub.is_aside(name) else "nva"
        _machine(net, name, hub.name, where, addresses, forward=works, location=hub.region)
        if hub.fronts and not hub.bare:
            pool = id_of("loadBalancers", f"lb{hub.number}") + "/backendAddressPools/all"
            for held in net.bodies[id_of("networkInterfaces", f"{name}-nic")]["properties"]["ipConfigurations"]:
                if held["name"] != "second":
                    suffix = "6" if held["name"] == "six" else ""
                    held["properties"]["loadBalancerBackendAddressPools"] = [{"id": pool + suffix}]
    if hub.fronts:
        _balancer(net, hub)
    if hub.gateway:
        net.gateway(f"gw{hub.number}", hub.name, allowRemoteVnetTraffic=hub.open)
        for circuit, weight in enumerate(hub.weights):
            if weight is not None:
                net.connect(f"gw{hub.number}", f"er{circuit}", weight)
    if hub.vpn is not None:
        net.gateway(f"vpn{hub.number}", hub.name, kind="Vpn")
        for tunnel, prefixes in enumerate(hub.vpn):
            local = net.add(
                "localNetworkGateways",
                f"branch{hub.number}{tunnel}",
                gatewayIpAddress=f"203.0.113.{9 + tunnel}",
                localNetworkAddressSpace={"addressPrefixes": list(prefixes)},
            )
            _tunnel(net, f"tunnel{hub.number}{tunnel}", hub.number, "IPsec", localNetworkGateway2={"id": local})


def _balancer(net: Net, hub: Hub) -> None:
    """A frontend, a pool and a rule for all ports in each family."""
    name = f"lb{hub.number}"
    own = id_of("loadBalancers", name)
    subnet = {"id": id_of("virtualNetworks/subnets", hub.name, "nva")}
    fronts: list[Body] = []
    pools: list[Body] = []
    rules: list[Body] = []
    for suffix, version, address in zip(("", "6"), ("IPv4", "IPv6"), hub.fronts, strict=False):
        front = {"privateIPAddress": address, "privateIPAddressVersion": version, "subnet": subnet}
        fronts.append({"name": f"f{suffix}", "properties": front})
        pools.append({"name": f"all{suffix}", "properties": _bare(hub, len(pools)) if hub.bare else {}})
        rule = {
            "frontendIPConfiguration": {"id": f"{own}/frontendIPConfigurations/f{suffix}"},
            "backendAddressPool": {"id": f"{own}/backendAddressPools/all{suffix}"},
            "protocol": "All",
            "frontendPort": 0,
            "backendPort": 0,
        }
        rules.append({"name": f"r{suffix}", "properties": rule})
    net.add("loadBalancers", name, frontendIPConfigurations=fronts, backendAddressPools=pools, loadBalancingRules=rules)


def _bare(hub: Hub, family: int) -> Body:
    """A pool's members by their addresses and the network that these are in."""
    network = {"id": id_of("virtualNetworks", hub.name)}
    held = [{"ipAddress": addresses[family], "virtualNetwork": network} for addresses in hub.members.values()]
    return {"loadBalancerBackendAddresses": [{"properties": item} for item in held]}


def _tunnel(net: Net, name: str, hub: int, kind: str, **to: Any) -> None:
    gateway = {"id": id_of("virtualNetworkGateways", f"vpn{hub}")}
    net.add("connections", name, connectionType=kind, virtualNetworkGateway1=gateway, **to)


def _server(net: Net, hub: Hub) -> None:
    addresses = [f"10.{hub.range}.0.{last}" for last in (228, 229)]
    name, subnet = f"rs{hub.number}", {"id": id_of("virtualNetworks/subnets", hub.name, "RouteServerSubnet")}
    net.add("virtualHubs", name, virtualRouterIps=addresses, allowBranchToBranchTraffic=hub.branches)
    net.add("virtualHubs/ipConfigurations", name, "one", subnet=subnet)
    for member, held in hub.members.items():
        net.add("virtualHubs/bgpConnections", name, member, peerIp=held[0], peerAsn=65001)


def _said(hub: Hub) -> Iterator[Advertisement]:
    """What the appliances that are there tell the Route Server."""
    members = list(hub.members.values())
    for word in hub.server or ():
        if word.member < len(members):
            yield Advertisement(
                to=id_of("virtualHubs", f"rs{hub.number}").lower(),
                peer=ip_address(members[word.member][0]),
                prefix=ip_network(word.prefix),
                as_path=(65001,) * word.path,
            )


def _spoke(net: Net, spoke: Spoke) -> None:
    subnet = _subnet(net, spoke.spaces, spoke.name, spoke.table, spoke.services)
    if spoke.group is not None:
        subnet["networkSecurityGroup"] = _group(net, f"nsg-{spoke.name}", spoke.group, spoke.name)
    net.network(spoke.name, *spoke.spaces, location=spoke.region, app=subnet)
    hub = f"hub{spoke.hub}"
    net.peer(hub, spoke.name, state="Connected" if spoke.connected else "Disconnected", allowVirtualNetworkAccess=True)
    flags = {
        hub: {
            "allowGatewayTransit": spoke.lends,
            "remoteAddressSpace": {"addressPrefixes": list(spoke.known)},
        },
        spoke.name: {
            "useRemoteGateways": spoke.uses,
            "allowVirtualNetworkAccess": spoke.access,
            "allowForwardedTraffic": spoke.forwarded,
        },
    }
    for name, said in flags.items():
        net.bodies[id_of("virtualNetworks", name)]["properties"]["virtualNetworkPeerings"][-1]["properties"] |= said
    machine = f"{spoke.name}vm"
    _machine(net, machine, spoke.name, "app", spoke.machine, location=spoke.region)
    _configuration(net, machine)["applicationSecurityGroups"] = [{"id": _asg("mine", spoke.name)}]
    if spoke.nic_group is not None:
        nic = net.bodies[id_of("networkInterfaces", f"{machine}-nic")]
        nic["properties"]["networkSecurityGroup"] = _group(net, f"nsg-{machine}", spoke.nic_group, spoke.name)


def _machine(net: Net, name: str, network: str, subnet: str, addresses: tuple[str, ...], **more: Any) -> None:
    net.machine(name, (network, subnet, addresses[0]), **more)
    held = net.bodies[id_of("networkInterfaces", f"{name}-nic")]["properties"]["ipConfigurations"]
    first = held[0]["properties"]
    for address in addresses[1:]:
        six = ":" in address
        more = {"privateIPAddress": address, "subnet": first["subnet"], "primary": False}
        more["privateIPAddressVersion"] = "IPv6" if six else "IPv4"
        held.insert(len(held) if six else 0, {"name": "six" if six else "second", "properties": more})


def _configuration(net: Net, machine: str) -> Body:
    nic = net.bodies[id_of("networkInterfaces", f"{machine}-nic")]
    found: Body = next(held["properties"] for held in nic["properties"]["ipConfigurations"] if held["name"] == "a")
    return found


def _group(net: Net, name: str, group: Group, network: str) -> Body:
    """The rules in another order than their priorities'."""
    rules = []
    for at, rule in enumerate(group):
        properties = {
            "priority": 100 + at,
            "direction": rule.direction,
            "access": rule.access,
            "protocol": rule.protocol,
            "sourcePortRange": "*",
            "destinationPortRange": rule.ports,
        }
        for end, said in (("source", rule.source), ("destination", rule.destination)):
            if said in ("mine", "nobody's"):
                properties[f"{end}ApplicationSecurityGroups"] = [{"id": _asg(said, network)}]
            else:
                properties[f"{end}AddressPrefix"] = said
        rules.append({"name": f"r{at}", "properties": properties})
    return {"id": net.add("networkSecurityGroups", name, securityRules=rules[::-1])}


def _asg(said: str, network: str) -> str:
    return id_of("applicationSecurityGroups", f"{said.replace(chr(39), '')}-{network}")


def _sites(drawn: Words) -> Iterator[Site]:
    """The line is said at the first one's end; where the other has a preference of its own, at both."""
    for number, site in enumerate(map(_site, drawn.homes)):
        if drawn.line is None or number > 1 or (number == 1 and drawn.line.preferences[1] == 100):
            yield site
        else:
            preference = drawn.line.preferences[number]
            link = SiteLink(
                to=drawn.homes[1 - number].name,
                local_preference=preference,
                transit=drawn.line.transit and number == 0,
            )
            yield replace(site, links=(link,))


def _site(home: Home) -> Site:
    routers = []
    for speaker in home.speakers:
        made = Router(
            name=f"ce{speaker.circuit}",
            circuit=resource_id(id_of("expressRouteCircuits", f"er{speaker.circuit}")),
            links=("primary", "secondary") if speaker.both_links else ("primary",),
            local_preference=speaker.preference,
            med=speaker.med,
            prepend=speaker.prepend,
            readvertise=tuple(resource_id(id_of("expressRouteCircuits", f"er{number}")) for number in speaker.passes),
        )
        filters = [
            Filter(direction=direction, prefix=ip_network(prefix), action="deny")
            for direction, prefix in (("out", speaker.denied_out), ("in", speaker.denied_in))
            if prefix is not None
        ]
        routers.append(replace(made, filters=tuple(filters)))
    prefixes = tuple(ip_network(prefix) for prefix in home.prefixes)
    return Site(
        name=home.name, asn=home.asn, prefixes=prefixes, routers=tuple(routers), stateful_firewall=home.firewall
    )


def _name(down: str) -> str:
    """A thing as `Outside.down` calls it."""
    kind, *rest = down.split()
    if kind == "region":
        return f"region:{rest[0]}"
    if kind == "router":
        return f"router:{rest[0]}/ce{rest[1]}"
    if kind == "line":
        return "link:dc0/dc1"
    if kind == "reach":
        circuit = id_of("expressRouteCircuits", f"er{rest[0]}").lower()
        return f"{circuit}/peerings/azureprivatepeering/connections/to{rest[1]}"
    id_ = {
        "circuit": id_of("expressRouteCircuits", f"er{rest[0]}"),
        "link": id_of("expressRouteCircuits", f"er{rest[0]}"),
        "gateway": id_of("virtualNetworkGateways", f"gw{rest[0]}"),
        "vpn": id_of("virtualNetworkGateways", f"vpn{rest[0]}"),
        "server": id_of("virtualHubs", f"rs{rest[0]}"),
        "tunnel": id_of("connections", f"tunnel{''.join(rest)}"),
        "half": id_of("connections", f"half{rest[0]}"),
        "machine": id_of("virtualMachines", rest[0]),
    }[kind].lower()
    return f"{id_}#{rest[1]}" if kind == "link" else id_
