"""Faults of an estate and of its project, one a row: what was done, on which ground, and what must be named for it.

Each is one thing that a person might have got wrong, in one of the five examples: in the source as shipped, or in a
target that stands beforehand. `subject` is what must change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from assess.balanced import balanced
from assess.bench import BOTH, NEAR, NEW, ONE, TWO
from assess.broken import (
    CONNECTION,
    GATEWAY,
    HANDMADE,
    HUB,
    NSG1,
    PLANNED,
    RT1,
    RT2,
    RTG,
    SHIPPED,
    SPOKE1,
    SPOKE2,
    At,
    Ground,
    Subject,
    own,
    path,
    peering_from,
    private_peering,
    subnet_of,
)
from assess.paired import PAIRED, weigh

NVA = "10.10.10.10"
DATACENTER = "192.168.0.0/16"


@dataclass(frozen=True)
class Fault:
    name: str
    example: str
    edit: Callable[[At], object]
    subject: Subject
    ground: Ground = SHIPPED


def _setting(found: dict[str, Any], **values: Any) -> None:
    for key, value in values.items():
        if value is None:
            found.pop(key, None)
        else:
            found[key] = value


def _tables() -> Iterator[Fault]:
    yield Fault("a spoke's default route is gone", TWO, lambda at: at.drop_route(RT1, "0.0.0.0/0"), own(RT1))
    yield Fault(
        "a spoke's default route leads to the internet",
        NEAR,
        lambda at: _setting(at.route(RT2, "0.0.0.0/0"), nextHopType="Internet", nextHopIpAddress=None),
        own(RT2),
    )
    yield Fault(
        "a spoke's default route is a black hole",
        ONE,
        lambda at: _setting(at.route(RT1, "0.0.0.0/0"), nextHopType="None", nextHopIpAddress=None),
        own(RT1),
    )
    yield Fault(
        "a spoke's next hop is one digit off",
        NEW,
        lambda at: _setting(at.route(RT1, "0.0.0.0/0"), nextHopIpAddress="10.10.10.11"),
        own(RT1),
    )
    yield Fault(
        "a spoke's default covers half of everything",
        TWO,
        lambda at: _setting(at.route(RT2, "0.0.0.0/0"), addressPrefix="128.0.0.0/1"),
        own(RT2),
    )
    yield Fault(
        "the site's part goes straight to the gateway",
        NEAR,
        lambda at: at.add_route(RT1, "192.168.4.0/22", "VirtualNetworkGateway"),
        own(RT1),
    )
    yield Fault("the site's part is dropped", NEW, lambda at: at.add_route(RT2, "192.168.0.0/17", "None"), own(RT2))
    yield Fault("the other spoke is local", TWO, lambda at: at.add_route(RT1, "10.2.0.0/25", "VnetLocal"), own(RT1))
    yield Fault(
        "a spoke learns what the gateway knows",
        ONE,
        lambda at: at.properties(RT1).update(disableBgpRoutePropagation=False),
        own(RT1),
    )
    yield Fault(
        "the table of a spoke is off",
        NEW,
        lambda at: _setting(at.subnet(SPOKE1, "app"), routeTable=None),
        subnet_of(SPOKE1, "app"),
    )
    yield Fault(
        "a prepared target's spoke learns too",
        TWO,
        lambda at: at.properties(RT2).update(disableBgpRoutePropagation=False),
        own(RT2),
        PLANNED,
    )
    yield Fault(
        "a prepared target's route leads nowhere",
        NEAR,
        lambda at: at.route(RT1, "0.0.0.0/0").update(nextHopIpAddress="10.10.10.99"),
        own(RT1),
        HANDMADE,
    )


def _gateway_subnets() -> Iterator[Fault]:
    edge = subnet_of(HUB, "GatewaySubnet")
    yield Fault("the GatewaySubnet forgets a spoke", TWO, lambda at: at.drop_route(RTG, "10.1.0.0/24"), own(RTG))
    yield Fault("the GatewaySubnet's table is empty", ONE, lambda at: at.routes(RTG).clear(), own(RTG))
    yield Fault(
        "the GatewaySubnet has no table",
        NEAR,
        lambda at: _setting(at.subnet(HUB, "GatewaySubnet"), routeTable=None),
        edge,
    )
    yield Fault(
        "the GatewaySubnet propagates nothing",
        NEW,
        lambda at: at.properties(RTG).update(disableBgpRoutePropagation=True),
        own(RTG),
    )
    yield Fault(
        "the GatewaySubnet has a default route",
        TWO,
        lambda at: at.add_route(RTG, "0.0.0.0/0", "VirtualAppliance", NVA),
        own(RTG),
    )
    yield Fault(
        "the GatewaySubnet passes the appliance by for half a spoke",
        ONE,
        lambda at: at.add_route(RTG, "10.2.0.128/25", "VnetLocal"),
        own(RTG),
    )
    yield Fault(
        "the GatewaySubnet is too small",
        NEAR,
        lambda at: at.subnet(HUB, "GatewaySubnet").update(addressPrefix="10.10.10.128/29"),
        edge,
    )
    yield Fault(
        "the GatewaySubnet has a security group",
        NEW,
        lambda at: at.subnet(HUB, "GatewaySubnet").update(networkSecurityGroup={"id": at.id(NSG1)}),
        edge,
    )
    yield Fault(
        "a prepared GatewaySubnet has no table",
        TWO,
        lambda at: _setting(at.subnet(HUB, "GatewaySubnet"), routeTable=None),
        edge,
        PLANNED,
    )


def _peerings() -> Iterator[Fault]:
    out, home = peering_from(HUB, SPOKE1), peering_from(SPOKE1, HUB)
    yield Fault(
        "useRemoteGateways is off", TWO, lambda at: at.peering(SPOKE1, HUB).update(useRemoteGateways=False), home
    )
    yield Fault(
        "allowGatewayTransit is off", NEAR, lambda at: at.peering(HUB, SPOKE1).update(allowGatewayTransit=False), out
    )
    yield Fault(
        "allowForwardedTraffic is off at the spoke",
        ONE,
        lambda at: at.peering(SPOKE1, HUB).update(allowForwardedTraffic=False),
        home,
    )
    yield Fault(
        "allowForwardedTraffic is off at the hub",
        NEW,
        lambda at: at.peering(HUB, SPOKE1).update(allowForwardedTraffic=False),
        out,
    )
    yield Fault(
        "allowVirtualNetworkAccess is off",
        TWO,
        lambda at: at.peering(HUB, SPOKE1).update(allowVirtualNetworkAccess=False),
        out,
    )
    yield Fault(
        "a peering is Disconnected", NEAR, lambda at: at.peering(SPOKE1, HUB).update(peeringState="Disconnected"), home
    )
    yield Fault(
        "a peering is out of sync",
        ONE,
        lambda at: at.peering(HUB, SPOKE1).update(
            peeringSyncLevel="RemoteNotInSync",
            remoteAddressSpace={"addressPrefixes": ["10.9.0.0/24"]},
            remoteVirtualNetworkAddressSpace={"addressPrefixes": ["10.9.0.0/24"]},
        ),
        out,
    )
    yield Fault("half of a peering is missing", NEW, lambda at: _unpeered(at, SPOKE2), own(SPOKE2))
    yield Fault(
        "a prepared target's transit is off",
        TWO,
        lambda at: at.peering(HUB, SPOKE2).update(allowGatewayTransit=False),
        peering_from(HUB, SPOKE2),
        HANDMADE,
    )


def _unpeered(at: At, network: str) -> None:
    at.properties(network)["virtualNetworkPeerings"].clear()


def _appliances() -> Iterator[Fault]:
    nic = own("nva-nic")
    yield Fault("IP forwarding is off", TWO, lambda at: at.properties("nva-nic").update(enableIPForwarding=False), nic)
    yield Fault(
        "the appliance is deallocated",
        NEAR,
        lambda at: at.properties("nva")["instanceView"].update(statuses=[{"code": "PowerState/deallocated"}]),
        own("nva"),
    )
    yield Fault(
        "the appliance's subnet has a spoke's table",
        ONE,
        lambda at: at.subnet(HUB, "nva").update(routeTable={"id": at.id(RT1)}),
        subnet_of(HUB, "nva"),
    )
    yield Fault(
        "the appliance's address is dynamic",
        NEW,
        lambda at: at.bench.ip("nva-nic").update(privateIPAllocationMethod="Dynamic"),
        nic,
    )
    yield Fault(
        "the appliance has moved to another address",
        TWO,
        lambda at: at.bench.ip("nva-nic").update(privateIPAddress="10.10.10.12"),
        nic,
    )
    yield Fault("a balancer of appliances has no members", NEAR, _balanced, lambda at: at.bench["ilb"]["id"], HANDMADE)
    yield Fault(
        "a prepared appliance does not forward",
        ONE,
        lambda at: at.properties("nva-nic").update(enableIPForwarding=False),
        nic,
        HANDMADE,
    )


def _balanced(at: At) -> None:
    """Tables lead to a balancer in front of the appliance, and its pool is empty; the target has an appliance alone."""
    balanced(at.bench, members=False, existing=at.id("nva-nic"))


def _edges() -> Iterator[Fault]:
    yield Fault(
        "the gateway is of type Vpn", TWO, lambda at: at.properties(GATEWAY).update(gatewayType="Vpn"), own(GATEWAY)
    )
    yield Fault(
        "the gateway failed", NEAR, lambda at: at.properties(GATEWAY).update(provisioningState="Failed"), own(GATEWAY)
    )
    yield Fault(
        "the circuit is not provisioned",
        ONE,
        lambda at: at.properties("er-hongkong").update(serviceProviderProvisioningState="NotProvisioned"),
        own("er-hongkong"),
    )
    yield Fault(
        "the circuit's private peering is off",
        NEW,
        lambda at: at.properties("er-hongkong")["peerings"][0]["properties"].update(state="Disabled"),
        private_peering("er-hongkong"),
    )
    yield Fault(
        "the far end has another number",
        TWO,
        lambda at: at.properties("er-singapore")["peerings"][0]["properties"].update(peerASN=65099),
        private_peering("er-singapore"),
    )
    yield Fault("the connection is missing", NEAR, lambda at: at.bench.remove(CONNECTION), own(GATEWAY))
    yield Fault(
        "the connection leads to no circuit",
        ONE,
        lambda at: _setting(at.properties(CONNECTION), peer=None),
        own(CONNECTION),
    )
    yield Fault(
        "the connection failed",
        NEW,
        lambda at: at.properties(CONNECTION).update(provisioningState="Failed"),
        own(CONNECTION),
    )
    yield Fault(
        "the connection is on the target's circuit",
        TWO,
        lambda at: at.properties(CONNECTION).update(peer={"id": at.bench["er-singapore"]["id"]}),
        own(CONNECTION),
    )
    for words, weights in (("the other way round", (0, 100)), ("missing", (0, 0)), ("equal", (100, 100))):
        yield Fault(
            f"the weights of two connections are {words}",
            TWO,
            lambda at, held=weights: weigh(at.bench, *held),  # type: ignore[misc]
            own(CONNECTION),
            PAIRED,
        )
    yield Fault(
        "the site prefers neither of two circuits, and the gateway does",
        TWO,
        lambda at: at.bench.router("ce1").update(local_preference=100),
        path("sites/datacenter/routers/ce1"),
        PAIRED,
    )
    yield from _shared()


def _shared() -> Iterator[Fault]:
    """Both hubs are on both circuits, and the site mirrors the weights (D91, E42)."""
    first = path("sites/datacenter/routers/ce1")
    for words, weights in (("the other way round", (0, 100)), ("missing", (0, 0))):
        yield Fault(
            f"the weights of both circuits are {words}",
            BOTH,
            lambda at, held=weights: weigh(at.bench, *held, second=f"{CONNECTION}-singapore"),  # type: ignore[misc]
            own(CONNECTION),
        )
    yield Fault(
        "the site prefers neither circuit", BOTH, lambda at: at.bench.router("ce1").update(local_preference=100), first
    )
    for direction, prefix in (("in", "10.1.0.0/24"), ("out", DATACENTER)):
        yield Fault(
            f"a filter {direction} at the circuit that is preferred",
            BOTH,
            lambda at, held=(direction, prefix): at.bench.router("ce1").update(  # type: ignore[misc]
                filters=[{"direction": held[0], "prefix": held[1], "action": "deny"}]
            ),
            first,
        )
    yield Fault(
        "the topology speaks of one circuit less",
        BOTH,
        lambda at: at.bench.project.update(topology="single-circuit-new-addresses"),
        path("topology"),
    )


def _hosts() -> Iterator[Fault]:
    yield Fault(
        "a service endpoint is lost",
        TWO,
        lambda at: _setting(at.subnet(SPOKE2, "app"), serviceEndpoints=None),
        subnet_of(SPOKE2, "app"),
    )
    yield Fault("a machine lets nobody in", NEAR, lambda at: _denied(at, NSG1), own(NSG1), PLANNED)
    yield Fault(
        "two NICs have one address",
        ONE,
        lambda at: at.bench.ip("web2-nic").update(privateIPAddress="10.1.0.4"),
        own("web2-nic"),
    )
    yield Fault(
        "a machine's address is dynamic",
        NEW,
        lambda at: at.bench.ip("db1-nic").update(privateIPAllocationMethod="Dynamic"),
        own("db1-nic"),
    )
    yield Fault(
        "a machine's address is out of its subnet",
        TWO,
        lambda at: at.bench.ip("web1-nic").update(privateIPAddress="10.1.0.200"),
        own("web1-nic"),
    )
    yield Fault(
        "a prepared target's endpoint is lost",
        NEAR,
        lambda at: _setting(at.subnet(SPOKE1, "app"), serviceEndpoints=None),
        subnet_of(SPOKE1, "app"),
        HANDMADE,
    )


def _denied(at: At, group: str) -> None:
    rule = {
        "priority": 100,
        "direction": "Inbound",
        "access": "Deny",
        "protocol": "*",
        "sourceAddressPrefix": "*",
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
        "destinationPortRange": "*",
    }
    rules = at.properties(group)["securityRules"]
    for number, held in enumerate(rules):
        held["properties"]["priority"] = 200 + 10 * number
    rules.insert(0, {"name": "deny-everything", "properties": rule})


def _sites() -> Iterator[Fault]:
    first = path("sites/datacenter/routers/ce1")
    yield Fault("a router denies a spoke", TWO, lambda at: _filter(at, "in", "10.1.0.0/24"), first)
    yield Fault("a router keeps the site's range back", NEAR, lambda at: _filter(at, "out", DATACENTER), first)
    yield Fault(
        "a router passes on the other circuit's routes",
        TWO,
        lambda at: at.bench.router("ce2").update(readvertise=["er-hongkong"]),
        path("sites/datacenter/routers/ce2"),
    )
    yield Fault(
        "the site has a spoke's range",
        ONE,
        lambda at: at.bench.project["sites"][0].update(prefixes=[DATACENTER, "10.1.0.0/24"]),
        path("sites/datacenter"),
    )
    yield Fault(
        "the site has another number",
        NEW,
        lambda at: at.bench.project["sites"][0].update(asn=65099),
        private_peering("er-hongkong"),
    )
    yield Fault(
        "one circuit, kept addresses, armed", ONE, lambda at: at.bench.project.update(link="armed"), path("link")
    )
    yield Fault(
        "the topology speaks of one circuit more",
        NEW,
        lambda at: at.bench.project.update(topology="two-circuits-new-addresses"),
        path("topology"),
    )
    yield Fault(
        "one machine is left behind",
        NEAR,
        lambda at: at.bench.project["machines"].update(exclude=["db1"], boot_order=[]),
        path("machines"),
    )
    yield Fault(
        "the drill stands in the source's range",
        TWO,
        lambda at: at.bench.project.update(drill={"address_space": ["10.1.0.0/24"]}),
        path("drill/address_space"),
    )
    yield Fault(
        "a machine's range has no row in the map",
        NEW,
        lambda at: at.bench.project["addresses"]["map"].pop(1),
        path("addresses/map"),
    )
    yield Fault(
        "an objective survives what it can't",
        ONE,
        lambda at: at.bench.project["objectives"][0].update(survive=["circuit-link", "circuit"]),
        path("objectives/datacenter to machines"),
    )


def _filter(at: At, direction: str, prefix: str) -> None:
    at.bench.router("ce1")["filters"] = [{"direction": direction, "prefix": prefix, "action": "deny"}]


PLANTED: tuple[Fault, ...] = (
    *_tables(),
    *_gateway_subnets(),
    *_peerings(),
    *_appliances(),
    *_edges(),
    *_hosts(),
    *_sites(),
)
