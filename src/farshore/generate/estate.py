"""The estate itself: circuits, then hub by hub, then spoke by spoke with its machines.

A hub is one of three kinds: its appliance is one NIC, two behind an internal load balancer, or an Azure Firewall. A
spoke goes *through* it, both ways: a default route to it with gateway routes kept out, and a route back to it in the
GatewaySubnet's table; or *direct*, with gateway routes and nothing in their way. A GatewaySubnet's table has no room
for more than 400 routes (R11), so the spokes beyond are direct.

Some spokes have drifted, a few in a thousand and at least one of each kind where there are enough: a peering that was
never synced (R31), one half disconnected (R28), a default route to an appliance that is gone, gateway routes kept out
of a table that has nothing instead (R23), machines that are off. `Shape.drift` turns them off.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from random import Random
from typing import Any

from farshore.generate import bodies
from farshore.generate.shape import LOCATIONS, MOST_ROUTES, REGIONS, RESERVED_HOSTS, Shape

Body = dict[str, Any]
DRIFTS = ("unsynced", "disconnected", "dead-appliance", "kept-out", "off")
PARTS = ("app", "data")
SHARED_GROUPS = ("nsg-web", "nsg-app", "nsg-data", "nsg-closed")


def generate(shape: Shape) -> Iterator[Body]:
    """The bodies of an estate, one by one."""
    for number in range(shape.circuit_count):
        at = number % len(LOCATIONS)
        yield bodies.circuit(number, REGIONS[at], LOCATIONS[at])
    yield from _shared_groups(shape)
    for hub in range(shape.hub_count):
        yield from _hub(shape, hub)
    for spoke in range(shape.spokes):
        yield from _spoke(shape, spoke)


def region_of(hub: int) -> str:
    return REGIONS[hub % len(REGIONS)]


def through(shape: Shape, spoke: int) -> bool:
    """Whether a spoke goes through its hub's appliance."""
    room = spoke // shape.hub_count < MOST_ROUTES
    return room and Random(f"{shape.seed}/through/{spoke}").random() < 0.6


def drift_of(shape: Shape, spoke: int) -> str:
    """What has drifted in a spoke; empty for most."""
    if not shape.drift:
        return ""
    if shape.spokes >= 20 and 3 <= spoke < 3 + len(DRIFTS):
        return DRIFTS[spoke - 3]
    draw = Random(f"{shape.seed}/drift/{spoke}")
    return draw.choice(DRIFTS) if draw.random() < 0.005 else ""


def _shared_groups(shape: Shape) -> Iterator[Body]:
    """Security groups that many subnets use."""
    near = str(shape.site(0))
    allow: Body = {"direction": "Inbound", "access": "Allow", "protocol": "Tcp"}
    deny: Body = {"direction": "Inbound", "access": "Deny", "protocol": "*"}
    https = {"destinationPortRange": "443"}
    guarded = [str(prefix) for prefix in shape.site_prefixes(0)[1:9]]
    rules = {
        "nsg-web": [{**allow, **https, "sourceAddressPrefix": "VirtualNetwork"}],
        "nsg-app": [
            {**deny, "destinationPortRange": "*", "sourceAddressPrefixes": guarded},
            {**allow, "destinationPortRanges": ["443", "8080-8090"], "sourceAddressPrefix": "*"},
        ],
        "nsg-data": [
            {**allow, **https, "sourceAddressPrefix": near},
            {**deny, "destinationPortRange": "*", "sourceAddressPrefix": "172.16.0.0/12"},
        ],
        "nsg-closed": [{**deny, "destinationPortRange": "*", "sourceAddressPrefix": "Internet"}],
    }
    for name, held in rules.items():
        yield bodies.security_group(name, REGIONS[0], held)


def _hub(shape: Shape, hub: int) -> Iterator[Body]:
    name, location, space = f"hub-{hub}", region_of(hub), shape.hub(hub)
    gateways, trust, firewall = _parts(space)
    mine = range(hub, shape.spokes, shape.hub_count)
    kind = hub % 3
    table = [(str(shape.spoke(spoke)), _appliance(shape, hub)) for spoke in mine if through(shape, spoke)]
    yield bodies.route_table(f"rt-gateway-{hub}", location, table[:MOST_ROUTES], propagate=True)
    subnets = [
        bodies.subnet(name, "GatewaySubnet", gateways, f"rt-gateway-{hub}"),
        bodies.subnet(name, "trust", trust),
        bodies.subnet(name, "AzureFirewallSubnet", firewall),
    ]
    peerings = [_to_spoke(shape, name, spoke) for spoke in mine]
    yield bodies.virtual_network(name, location, [str(space)], subnets, peerings)
    yield from _appliances(shape, hub, kind)
    yield bodies.public_ip_address(f"pip-ergw-{hub}", location)
    yield bodies.gateway(f"ergw-{hub}", location, name)
    for order, number in enumerate(shape.circuits_of_hub(hub)):
        yield bodies.connection(f"cn-{hub}-{number}", location, f"ergw-{hub}", number, (100, 100, 10, 0)[order])


def _parts(space: IPv4Network) -> tuple[IPv4Network, IPv4Network, IPv4Network]:
    """GatewaySubnet, the appliances' subnet, AzureFirewallSubnet."""
    found = list(space.subnets(new_prefix=26))
    return found[0], found[4], found[8]


def _appliance(shape: Shape, hub: int) -> str:
    """The address that routes to a hub's appliance name."""
    _, trust, firewall = _parts(shape.hub(hub))
    return str((firewall if hub % 3 == 2 else trust).network_address + 4)


def _appliances(shape: Shape, hub: int, kind: int) -> Iterator[Body]:
    name, location = f"hub-{hub}", region_of(hub)
    _, trust, _ = _parts(shape.hub(hub))
    subnet_id = f"{bodies.network_id('virtualNetworks', name)}/subnets/"
    if kind == 2:
        yield bodies.azure_firewall(f"afw-{hub}", location, subnet_id + "AzureFirewallSubnet", _appliance(shape, hub))
        return
    pool = ""
    if kind == 1:
        balancer = bodies.load_balancer(f"lb-{hub}", location, subnet_id + "trust", _appliance(shape, hub))
        pool = str(balancer["properties"]["backendAddressPools"][0]["id"])
        yield balancer
    for member in range(1 + kind):
        own = f"nva-{hub}-{member}"
        address = str(trust.network_address + (4 + member if kind == 0 else 10 + member))
        yield bodies.network_interface(
            own, location, subnet_id + "trust", address, forward=True, machine=own, pool=pool
        )
        yield bodies.virtual_machine(own, location, [own])


def _to_spoke(shape: Shape, hub: str, spoke: int) -> Body:
    drift, space = drift_of(shape, spoke), shape.spoke(spoke)
    # A spoke that grew and was not synced is known to its hub by its first half (R31).
    known = next(space.subnets()) if drift == "unsynced" else space
    state = "Disconnected" if drift == "disconnected" else "Connected"
    return bodies.peering(hub, f"spoke-{spoke}", [str(known)], state, allowGatewayTransit=True)


def _spoke(shape: Shape, spoke: int) -> Iterator[Body]:
    hub = shape.hub_of(spoke)
    name, location, space = f"spoke-{spoke}", region_of(hub), shape.spoke(spoke)
    draw = Random(f"{shape.seed}/spoke/{spoke}")
    halves = list(space.subnets())
    own: list[Body] = []
    subnets = []
    for part, prefix in zip(PARTS, halves, strict=True):
        table, body = _table(shape, spoke, part, draw)
        own += [body] if body else []
        group, body = _group(shape, spoke, part, draw)
        own += [body] if body else []
        subnets.append(bodies.subnet(name, part, prefix, table, group))
    yield from own
    known = [str(shape.hub(hub))]
    peerings = [bodies.peering(name, f"hub-{hub}", known, useRemoteGateways=True)]
    yield bodies.virtual_network(name, location, [str(space)], subnets, peerings)
    yield from _machines(shape, spoke, halves, draw)


def _table(shape: Shape, spoke: int, part: str, draw: Random) -> tuple[str, Body | None]:
    """The name of a subnet's table, and its body where it is the first to use it."""
    hub = shape.hub_of(spoke)
    kind = {"dead-appliance": "dead", "kept-out": "kept-out"}.get(drift_of(shape, spoke), "")
    kind = kind or ("through" if through(shape, spoke) else "direct")
    if shape.adversarial:
        name, first = f"rt-{spoke}-{part}", True
    else:
        name = f"rt-{kind}-{hub}"
        first = part == "app" and spoke == _first(shape, hub, kind)
    if not first:
        return name, None
    appliance = _appliance(shape, hub)
    routes = {"through": [("0.0.0.0/0", appliance)], "dead": [("0.0.0.0/0", _gone(shape, hub))]}.get(kind, [])
    count = shape.routes_per_table or (draw.randrange(8) if shape.adversarial else 0)
    if kind in ("through", "direct"):
        # What a direct spoke has to itself never lies in a site's range: it would bend one way only.
        hop = appliance if kind == "through" else "None"
        chosen = draw.sample(shape.told, min(count, len(shape.told)))
        routes += [
            (str(prefix) if kind == "through" else _elsewhere(number), hop) for number, prefix in enumerate(chosen)
        ]
    return name, bodies.route_table(name, region_of(hub), routes, propagate=kind == "direct")


def _first(shape: Shape, hub: int, kind: str) -> int:
    """The first spoke of a hub whose tables are of a kind."""
    for spoke in range(hub, shape.spokes, shape.hub_count):
        here = {"dead-appliance": "dead", "kept-out": "kept-out"}.get(drift_of(shape, spoke), "")
        if kind == (here or ("through" if through(shape, spoke) else "direct")):
            return spoke
    return -1


def _gone(shape: Shape, hub: int) -> str:
    _, trust, _ = _parts(shape.hub(hub))
    return str(trust.network_address + 60)


def _elsewhere(number: int) -> str:
    """A range that nobody in the estate has."""
    return str(IPv4Network(((198 << 24) + (18 << 16) + (number << 8), 24)))


def _group(shape: Shape, spoke: int, part: str, draw: Random) -> tuple[str, Body | None]:
    if not shape.adversarial:
        return ("", None) if draw.random() < 0.3 else (draw.choice(SHARED_GROUPS[:3]), None)
    name = f"nsg-{spoke}-{part}"
    rules = [
        {
            "direction": "Inbound",
            "access": draw.choice(("Allow", "Allow", "Deny")),
            "protocol": draw.choice(("*", "Tcp")),
            "sourceAddressPrefix": str(draw.choice(shape.told)),
            "destinationPortRange": draw.choice(("*", "443", "80-90")),
        }
        for _ in range(draw.randrange(4, 12))
    ]
    return name, bodies.security_group(name, region_of(shape.hub_of(spoke)), rules)


def _machines(shape: Shape, spoke: int, halves: list[IPv4Network], draw: Random) -> Iterator[Body]:
    location = region_of(shape.hub_of(spoke))
    count = shape.machines // shape.spokes + (spoke < shape.machines % shape.spokes)
    network = bodies.network_id("virtualNetworks", f"spoke-{spoke}")
    off = drift_of(shape, spoke) == "off"
    for number in range(count):
        half = number % 2
        name = f"vm-{spoke}-{number}"
        subnet_id = f"{network}/subnets/{PARTS[half]}"
        address = str(halves[half].network_address + RESERVED_HOSTS - 1 + number // 2)
        nic = f"{name}-nic"
        group = SHARED_GROUPS[3] if draw.random() < 0.05 else ""
        yield bodies.network_interface(
            nic, location, subnet_id, address, machine=name, group=group, application="asg-app" if half else ""
        )
        stopped = off or (shape.drift and draw.random() < 0.002)
        yield bodies.virtual_machine(name, location, [nic], power="deallocated" if stopped else "running")
