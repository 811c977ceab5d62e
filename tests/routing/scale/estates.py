"""Small estates drawn by seed, aimed at corners: what an engine that shares work could get wrong.

Hubs and spokes in two regions, gateways on several circuits with weights, appliances alone, with two NICs, or behind a
load balancer in one subnet or two, tables that send to them, past them and nowhere, security groups, sites whose
prefixes nest, overlap each other and Azure, filters and preferences, unsynced and missing peerings, machines that are
stopped, stale or doubled.
"""

from __future__ import annotations

import random
from ipaddress import ip_network
from typing import Any

from farshore.arm.ids import ResourceId
from farshore.estate.estate import Estate
from farshore.estate.outside import Filter, Outside, Router, Site
from routing.small import Net, id_of

PREFIXES = (
    "10.0.0.0/8",
    "10.1.1.0/25",
    "172.16.0.0/16",
    "172.16.1.0/24",
    "172.16.1.128/25",
    "172.16.2.0/24",
    "192.168.0.0/16",
    "192.168.7.0/24",
    "203.0.113.0/24",
    "0.0.0.0/0",
)
ROUTES = (*PREFIXES, "172.16.1.64/26", "192.168.7.8/32", "10.1.1.0/24", "10.2.0.0/16", "10.1.1.4/32", "8.0.0.0/6")
REGIONS = ("eastasia", "southeastasia")


def estate_of(seed: int) -> Estate:
    """The estate of a seed."""
    return _Drawing(random.Random(seed)).estate()


class _Drawing:
    def __init__(self, draw: random.Random) -> None:
        self.draw = draw
        self.net = Net()
        self.hops: list[str] = []
        self.groups: list[str] = []
        self.machines: list[str] = []

    def estate(self) -> Estate:
        draw, net = self.draw, self.net
        circuits = [
            net.circuit(f"er{n}", draw.choice(("Hong Kong", "Singapore")), n) for n in range(draw.randint(1, 3))
        ]
        hubs = draw.randint(1, 2)
        # Tables name next hops, so what stands at them is decided first.
        self.hops = [f"10.{hub + 1}.0.{host}" for hub in range(hubs) for host in (68, 69, 100)]
        for number in range(draw.randint(0, 3)):
            self._group(f"nsg{number}")
        for hub in range(hubs):
            self._hub(hub, circuits)
            for spoke in range(draw.randint(1, 3)):
                self._spoke(hub, spoke)
        self._more_peerings(hubs)
        sites = tuple(self._site(number, circuits) for number in range(draw.randint(1, 2)))
        stale = frozenset(draw.sample(self.machines, 1)) if draw.random() < 0.2 else frozenset()
        down = frozenset({draw.choice(circuits).key + "#primary"}) if draw.random() < 0.2 else frozenset()
        return net.estate(*sites, outside=Outside(stale=frozenset(key.lower() for key in stale), down=down))

    def _hub(self, hub: int, circuits: list[ResourceId]) -> None:
        draw, net, name = self.draw, self.net, f"hub{hub}"
        base = f"10.{hub + 1}.0"
        gateway_subnet: dict[str, Any] = {"addressPrefix": f"{base}.0/26"}
        if draw.random() < 0.6:
            gateway_subnet["routeTable"] = self._table(f"rt-gw{hub}", propagate=draw.random() < 0.93)
        net.network(
            name,
            f"{base}.0/24",
            location=REGIONS[hub % 2],
            GatewaySubnet=gateway_subnet,
            nva=self._subnet(f"{base}.64/27", f"rt-nva{hub}", 0.5),
            inner=self._subnet(f"{base}.96/27", f"rt-inner{hub}", 0.5),
            app=self._subnet(f"{base}.128/27", f"rt-app{hub}", 0.5),
        )
        if draw.random() < 0.9:
            state = draw.choice(("Succeeded",) * 9 + ("Failed",))
            net.gateway(f"gw{hub}", name, provisioningState=state)
            for number in range(len(circuits)):
                if draw.random() < 0.7:
                    net.connect(f"gw{hub}", f"er{number}", draw.choice((0, 0, 10)))
        self._appliances(hub)
        self._machine(f"hubvm{hub}", name, "app", f"{base}.132")

    def _appliances(self, hub: int) -> None:
        draw, net, base, where = self.draw, self.net, f"10.{hub + 1}.0", REGIONS[hub % 2]
        kind = draw.choice(("one", "two-nics", "balanced", "bare", "off", "none"))
        if kind == "none":
            return
        nics = [(f"hub{hub}", "nva", f"{base}.68")]
        if kind == "two-nics":
            nics.append((f"hub{hub}", "inner", f"{base}.100"))
        net.machine(f"nva{hub}", *nics, forward=kind != "off", location=where)
        if kind in ("balanced", "bare"):
            self._balanced(hub, kind)
        if draw.random() < 0.25 and self.groups:
            nic = net.bodies[id_of("networkInterfaces", f"nva{hub}-nic")]
            nic["properties"]["networkSecurityGroup"] = {"id": draw.choice(self.groups)}
        if draw.random() < 0.1:
            self._stop(f"nva{hub}")

    def _balanced(self, hub: int, kind: str) -> None:
        """A second member in one subnet or another, which forwards mostly; the pool holds NICs, one of them by both of
        its addresses at times, or bare addresses, of which one may be nobody's."""
        draw, net, base, where = self.draw, self.net, f"10.{hub + 1}.0", REGIONS[hub % 2]
        second = f"nva{hub}b-nic"
        subnet = draw.choice(("nva", "inner"))
        place = (f"hub{hub}", subnet, f"{base}.{70 if subnet == 'nva' else 101}")
        net.machine(f"nva{hub}b", place, forward=draw.random() < 0.8, location=where)
        if self.groups and draw.random() < 0.3:
            net.bodies[id_of("networkInterfaces", second)]["properties"]["networkSecurityGroup"] = {
                "id": draw.choice(self.groups)
            }
        front = {"privateIPAddress": f"{base}.69", "subnet": {"id": id_of("virtualNetworks/subnets", place[0], "nva")}}
        held: dict[str, Any] = {"frontendIPConfigurations": [{"name": "f", "properties": front}]}
        if kind == "bare":
            network = {"id": id_of("virtualNetworks", place[0])}
            named = [f"{base}.68", place[2], *([f"{base}.90"] if draw.random() < 0.2 else [])]
            addresses = [{"properties": {"ipAddress": one, "virtualNetwork": network}} for one in named]
            held["backendAddressPools"] = [
                {"name": "pool", "properties": {"loadBalancerBackendAddresses": addresses}},
            ]
        id_ = net.add("loadBalancers", f"lb{hub}", location=where, **held)
        for name in (f"nva{hub}-nic", second) if kind == "balanced" else ():
            items = net.bodies[id_of("networkInterfaces", name)]["properties"]["ipConfigurations"]
            items[0]["properties"]["loadBalancerBackendAddressPools"] = [{"id": f"{id_}/backendAddressPools/pool"}]
            if name == second and draw.random() < 0.3:
                more = {**items[0]["properties"], "privateIPAddress": f"{base}.102", "primary": False}
                items.append({"name": "b", "properties": more})

    def _spoke(self, hub: int, spoke: int) -> None:
        draw, net, name = self.draw, self.net, f"spoke{hub}{spoke}"
        space = f"10.{hub + 1}.{spoke + 1}"
        net.network(
            name, f"{space}.0/24", location=REGIONS[hub % 2], app=self._subnet(f"{space}.0/24", f"rt-{name}", 0.8)
        )
        if draw.random() < 0.93:
            flags: dict[str, Any] = {}
            if draw.random() < 0.1:
                flags["remoteAddressSpace"] = {"addressPrefixes": [f"{space}.0/25"]}
            lend = draw.random() < 0.9
            state = draw.choice(("Connected",) * 12 + ("Disconnected",))
            net.peer(f"hub{hub}", name, lend=lend, state=state)
            if flags:
                halves = net.bodies[id_of("virtualNetworks", f"hub{hub}")]["properties"]["virtualNetworkPeerings"]
                halves[-1]["properties"] |= flags
        for number in range(draw.randint(1, 2)):
            self._machine(f"{name}vm{number}", name, "app", f"{space}.{draw.choice((4, 5, 200)) + number}")

    def _machine(self, name: str, network: str, subnet: str, address: str) -> None:
        draw, net = self.draw, self.net
        location = net.bodies[id_of("virtualNetworks", network)]["location"]
        nic = net.machine(name, (network, subnet, address), location=location)
        self.machines.append(nic)
        if self.groups and draw.random() < 0.4:
            net.bodies[nic]["properties"]["networkSecurityGroup"] = {"id": draw.choice(self.groups)}
        if draw.random() < 0.3:
            group = {"id": id_of("applicationSecurityGroups", "asg")}
            net.bodies[nic]["properties"]["ipConfigurations"][0]["properties"]["applicationSecurityGroups"] = [group]
        if draw.random() < 0.08:
            self._stop(name)

    def _stop(self, name: str) -> None:
        view = {"statuses": [{"code": "PowerState/deallocated"}]}
        self.net.bodies[id_of("virtualMachines", name)]["properties"]["instanceView"] = view

    def _more_peerings(self, hubs: int) -> None:
        draw, net = self.draw, self.net
        names = [id_.rsplit("/", 1)[-1] for id_ in net.bodies if "/virtualNetworks/" in id_]
        for _ in range(draw.randint(0, 2)):
            one, other = draw.sample(names, 2) if len(names) > 1 else (names[0], names[0])
            halves = net.bodies[id_of("virtualNetworks", one)]["properties"]["virtualNetworkPeerings"]
            if one != other and not any(half["name"] == f"to-{other}" for half in halves):
                net.peer(one, other)

    def _subnet(self, prefix: str, table: str, likely: float) -> dict[str, Any]:
        found: dict[str, Any] = {"addressPrefix": prefix}
        if self.draw.random() < likely:
            found["routeTable"] = self._table(table, propagate=self.draw.random() < 0.75)
        if self.groups and self.draw.random() < 0.3:
            found["networkSecurityGroup"] = {"id": self.draw.choice(self.groups)}
        return found

    def _table(self, name: str, *, propagate: bool) -> dict[str, str]:
        draw = self.draw
        prefixes = draw.sample(ROUTES, draw.randint(0, 4))
        if draw.random() < 0.5:
            prefixes = ["0.0.0.0/0", *(p for p in prefixes if p != "0.0.0.0/0")]
        kinds = [*self.hops * 2, "10.9.9.9", "None", "Internet", "VnetLocal", "VirtualNetworkGateway"]
        return self.net.table(name, *((prefix, draw.choice(kinds)) for prefix in prefixes), propagate=propagate)

    def _group(self, name: str) -> None:
        draw = self.draw
        rules = []
        for number in range(draw.randint(1, 4)):
            rule: dict[str, Any] = {
                "priority": 100 + draw.randint(0, 3) * 10 + number,
                "direction": draw.choice(("Inbound", "Inbound", "Outbound")),
                "access": draw.choice(("Allow", "Deny")),
                "protocol": draw.choice(("*", "Tcp", "Udp")),
                "sourceAddressPrefix": draw.choice((*ROUTES, "*", "VirtualNetwork", "Internet", "Storage")),
                "destinationAddressPrefix": draw.choice(("*", "*", "VirtualNetwork", "10.1.1.4", "10.1.0.0/16")),
                "sourcePortRange": draw.choice(("*", "*", "*", "1000-2000")),
                "destinationPortRange": draw.choice(("*", "443", "80", "400-500")),
            }
            if draw.random() < 0.2:
                del rule["destinationAddressPrefix"]
                rule["destinationApplicationSecurityGroups"] = [{"id": id_of("applicationSecurityGroups", "asg")}]
            rules.append({"name": f"r{number}", "properties": rule})
        self.groups.append(self.net.add("networkSecurityGroups", name, securityRules=rules))

    def _site(self, number: int, circuits: list[ResourceId]) -> Site:
        draw = self.draw
        prefixes = draw.sample(PREFIXES, draw.randint(1, 4))
        routers = tuple(
            Router(
                name=f"ce{at}",
                circuit=circuit,
                links=draw.choice((("primary", "secondary"), ("primary",))),
                local_preference=draw.choice((100, 100, 200)),
                med=draw.choice((0, 0, 0, 10)),
                prepend=draw.choice((0, 0, 1)),
                filters=tuple(
                    Filter(
                        direction=draw.choice(("in", "out")),
                        prefix=ip_network(draw.choice(ROUTES)),
                        action=draw.choice(("allow", "deny")),
                    )
                    for _ in range(draw.choice((0, 0, 1, 2)))
                ),
            )
            for at, circuit in enumerate(circuits)
            if draw.random() < 0.85
        )
        return Site(
            name=f"dc{number}",
            asn=65010 + number,
            prefixes=tuple(map(ip_network, prefixes)),
            routers=routers,
            stateful_firewall=draw.random() < 0.3,
        )
