"""Edits that make an estate interesting: what drifts, what fails, what somebody sets wrongly. By seed, any estate."""

from __future__ import annotations

import random
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from ipaddress import ip_network

from farshore.arm.decode import Network
from farshore.arm.json import Body
from farshore.estate.estate import Change, Estate
from farshore.estate.outside import Filter, Router, Site, SiteLink
from farshore.routing import elements

Chance = random.Random


def edited(estate: Estate, seed: int) -> tuple[Estate, list[str]]:
    """The estate after some edits and failures, and what they were."""
    chance = random.Random(seed)
    told = []
    for _ in range(chance.randint(0, 4)):
        edit = chance.choice(EDITS)
        after = edit(estate, chance)
        if after is not None:
            estate = after
            told.append(edit.__name__)
    for _ in range(chance.choice((0, 0, 1, 2))):
        element = chance.choice(elements(estate))
        estate = estate.with_outside(replace(estate.outside, down=estate.outside.down | element.down))
        told.append(f"{element} failed")
    return estate, told


def _put(estate: Estate, kind: str, chance: Chance, change: Callable[[Body], bool]) -> Estate | None:
    """One body of a type changed in place of its copy; None where none can be."""
    bodies = list(estate.of_type(f"Microsoft.Network/{kind}"))
    for body in chance.sample(bodies, len(bodies)):
        after = deepcopy(body)
        if change(after):
            return estate.with_changes([Change(put=after)])
    return None


def a_route_lost(estate: Estate, chance: Chance) -> Estate | None:
    def change(body: Body) -> bool:
        routes = body["properties"].get("routes") or []
        return bool(routes and [routes.pop(chance.randrange(len(routes)))])

    return _put(estate, "routeTables", chance, change)


def a_next_hop_changed(estate: Estate, chance: Chance) -> Estate | None:
    addresses = [str(i.private_ip_address) for n in estate.network_interfaces for i in n.ip_configurations]

    def change(body: Body) -> bool:
        routes = body["properties"].get("routes") or []
        if not routes:
            return False
        properties = chance.choice(routes)["properties"]
        kind = chance.choice(("VirtualAppliance", "None", "Internet", "VnetLocal", "VirtualNetworkGateway"))
        properties["nextHopType"] = kind
        properties.pop("nextHopIpAddress", None)
        if kind == "VirtualAppliance":
            properties["nextHopIpAddress"] = chance.choice(addresses)
        return True

    return _put(estate, "routeTables", chance, change)


def a_route_added(estate: Estate, chance: Chance) -> Estate | None:
    hops = [n.primary for n in estate.network_interfaces if n.enable_ip_forwarding]
    spaces = [str(p) for n in estate.virtual_networks for p in n.address_space]
    prefixes = [*spaces, *(str(p) for s in estate.sites for p in s.prefixes), "0.0.0.0/0", "10.0.0.0/8"]

    def change(body: Body) -> bool:
        routes = body["properties"].setdefault("routes", [])
        prefix = chance.choice(prefixes)
        hop = chance.choice(hops) if hops else None
        if hop is None or any(item["properties"]["addressPrefix"] == prefix for item in routes):
            return False
        properties = {"addressPrefix": prefix, "nextHopType": "VirtualAppliance"}
        routes.append(
            {
                "name": f"added-{len(routes)}",
                "properties": {**properties, "nextHopIpAddress": str(hop.private_ip_address)},
            }
        )
        return True

    return _put(estate, "routeTables", chance, change)


def propagation_turned(estate: Estate, chance: Chance) -> Estate | None:
    def change(body: Body) -> bool:
        old = body["properties"].get("disableBgpRoutePropagation", False)
        body["properties"]["disableBgpRoutePropagation"] = not old
        return True

    return _put(estate, "routeTables", chance, change)


def forwarding_off(estate: Estate, chance: Chance) -> Estate | None:
    def change(body: Body) -> bool:
        was = bool(body["properties"].get("enableIPForwarding"))
        body["properties"]["enableIPForwarding"] = False
        return was

    return _put(estate, "networkInterfaces", chance, change)


def a_peering_down(estate: Estate, chance: Chance) -> Estate | None:
    return _peering(estate, chance, "peeringState", lambda _: "Disconnected")


def a_peering_flag(estate: Estate, chance: Chance) -> Estate | None:
    flags = ("useRemoteGateways", "allowGatewayTransit", "allowForwardedTraffic", "allowVirtualNetworkAccess")
    return _peering(estate, chance, chance.choice(flags), lambda old: not old)


def _peering(estate: Estate, chance: Chance, name: str, new: Callable[[object], object]) -> Estate | None:
    def change(body: Body) -> bool:
        peerings = body["properties"].get("virtualNetworkPeerings") or []
        if not peerings:
            return False
        properties = chance.choice(peerings)["properties"]
        properties[name] = new(properties.get(name))
        return True

    return _put(estate, "virtualNetworks", chance, change)


def a_weight(estate: Estate, chance: Chance) -> Estate | None:
    def change(body: Body) -> bool:
        body["properties"]["routingWeight"] = chance.choice((0, 10, 100))
        return True

    return _put(estate, "connections", chance, change)


def remote_traffic_allowed(estate: Estate, chance: Chance) -> Estate | None:
    changes = []
    for body in estate.of_type("Microsoft.Network/virtualNetworkGateways"):
        after = deepcopy(body)
        after["properties"]["allowRemoteVnetTraffic"] = True
        changes.append(Change(put=after))
    return estate.with_changes(changes)


def a_circuit_joined(estate: Estate, chance: Chance) -> Estate | None:
    """A gateway connected to one more circuit: two networks may then say the same prefix (E40)."""
    connections = list(estate.of_type("Microsoft.Network/connections"))
    circuits = list(estate.express_route_circuits)
    if not connections or not circuits:
        return None
    body = deepcopy(chance.choice(connections))
    body["id"] = f"{body['id']}-more"
    body["name"] = f"{body['name']}-more"
    circuit = chance.choice(circuits).id
    gateway = body["properties"]["virtualNetworkGateway1"]["id"].lower()
    for other in estate.connections:
        own = other.virtual_network_gateway1
        if other.peer == circuit and own is not None and own.key == gateway:
            return None
    body["properties"]["peer"] = {"id": circuit.text}
    return estate.with_changes([Change(put=body)])


def an_overlap(estate: Estate, chance: Chance) -> Estate | None:
    """A network's space gets a part of another's: two gateways say it."""
    networks = list(estate.virtual_networks)
    if len(networks) < 2:
        return None
    one, other = chance.sample(networks, 2)
    # Peered networks can't overlap, nor two that are peered with a third (R33, L29).
    near = [
        {n.id.key, *(p.remote_virtual_network.key for p in n.peerings if p.remote_virtual_network)}
        for n in (one, other)
    ]
    if near[0] & near[1]:
        return None
    body = deepcopy(estate.get(one.id))
    assert body is not None
    space = body["properties"]["addressSpace"]["addressPrefixes"]
    prefix = str(other.address_space[0])
    if prefix in space:
        return None
    space.append(prefix)
    return estate.with_changes([Change(put=body)])


# Sites


def a_preference(estate: Estate, chance: Chance) -> Estate | None:
    return _router(estate, chance, lambda router: replace(router, local_preference=chance.choice((50, 100, 200))))


def prepended(estate: Estate, chance: Chance) -> Estate | None:
    return _router(estate, chance, lambda router: replace(router, prepend=chance.choice((0, 1, 3))))


def a_filter(estate: Estate, chance: Chance) -> Estate | None:
    spaces = [p for n in estate.virtual_networks for p in n.address_space]
    prefixes: list[Network] = [*spaces, *(p for s in estate.sites for p in s.prefixes), ip_network("10.0.0.0/8")]
    made = Filter(
        direction=chance.choice(("in", "out")), prefix=chance.choice(prefixes), action=chance.choice(("deny", "allow"))
    )
    return _router(estate, chance, lambda router: replace(router, filters=(*router.filters, made)))


def readvertised(estate: Estate, chance: Chance) -> Estate | None:
    def change(router: Router) -> Router:
        others = [c.id for c in estate.express_route_circuits if c.id.key != router.circuit.key]
        return replace(router, readvertise=tuple(chance.sample(others, min(1, len(others)))))

    return _router(estate, chance, change)


def one_link_only(estate: Estate, chance: Chance) -> Estate | None:
    return _router(estate, chance, lambda router: replace(router, links=(chance.choice(("primary", "secondary")),)))


def _router(estate: Estate, chance: Chance, change: Callable[[Router], Router]) -> Estate | None:
    routed = [site for site in estate.sites if site.routers]
    if not routed:
        return None
    site = chance.choice(routed)
    changed = site.with_router(change(chance.choice(site.routers)))
    return estate.with_sites(tuple(changed if item is site else item for item in estate.sites))


def a_firewall(estate: Estate, chance: Chance) -> Estate | None:
    return _site(estate, chance, lambda site: replace(site, stateful_firewall=not site.stateful_firewall))


def a_default_route(estate: Estate, chance: Chance) -> Estate | None:
    return _site(estate, chance, lambda site: replace(site, prefixes=(*site.prefixes, ip_network("0.0.0.0/0"))))


def a_summary(estate: Estate, chance: Chance) -> Estate | None:
    return _site(estate, chance, lambda site: replace(site, prefixes=(*site.prefixes, ip_network("10.0.0.0/8"))))


def inside_a_network(estate: Estate, chance: Chance) -> Estate | None:
    """A site says a part of a network's own space (R14.3)."""
    space = chance.choice([p for n in estate.virtual_networks for p in n.address_space])
    part = ip_network(f"{space.network_address}/{min(space.prefixlen + 1, space.max_prefixlen)}")
    return _site(estate, chance, lambda site: replace(site, prefixes=(*site.prefixes, part)))


def _site(estate: Estate, chance: Chance, change: Callable[[Site], Site]) -> Estate | None:
    if not estate.sites:
        return None
    chosen = chance.choice(estate.sites)
    after = change(chosen)
    if len(set(after.prefixes)) < len(after.prefixes):
        return None
    return estate.with_sites(tuple(after if item is chosen else item for item in estate.sites))


def a_line(estate: Estate, chance: Chance) -> Estate | None:
    """Between two sites, transit or not (docs/guide/project-file.md)."""
    if len(estate.sites) < 2:
        return None
    site, other = chance.sample(estate.sites, 2)
    if any(link.to in (site.name, other.name) for end in (site, other) for link in end.links):
        return None
    link = SiteLink(to=other.name, local_preference=chance.choice((50, 100, 300)), transit=chance.random() < 0.6)
    after = replace(site, links=(*site.links, link))
    return estate.with_sites(tuple(after if item is site else item for item in estate.sites))


def global_reach(estate: Estate, chance: Chance) -> Estate | None:
    """Between two circuits (E46)."""
    if len(estate.express_route_circuits) < 2:
        return None
    far = chance.choice(estate.express_route_circuits).id

    def change(body: Body) -> bool:
        if body["id"].lower() == far.key:
            return False
        to = {"id": far.child("peerings", "AzurePrivatePeering").text}
        reach = {"name": "reach", "properties": {"peerExpressRouteCircuitPeering": to}}
        body["properties"]["peerings"][0]["properties"]["connections"] = [reach]
        return True

    return _put(estate, "expressRouteCircuits", chance, change)


EDITS = (
    a_route_lost,
    a_next_hop_changed,
    a_route_added,
    propagation_turned,
    forwarding_off,
    a_peering_down,
    a_peering_flag,
    a_weight,
    remote_traffic_allowed,
    a_circuit_joined,
    an_overlap,
    a_preference,
    prepended,
    a_filter,
    readvertised,
    one_link_only,
    a_firewall,
    a_default_route,
    a_summary,
    inside_a_network,
    a_line,
    global_reach,
)
