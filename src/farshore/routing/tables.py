"""The BGP tables that Azure prints: what a gateway, a Route Server or a circuit's edge learned, and what it says (E11).

A gateway's own networks stand first, without a next hop and with an empty path. Next hops of circuit routes are the
edge's addresses in the gateway's own subnet, where they are known; only the gateway itself shows those.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from farshore.arm.connectivity import VirtualNetworkGateway
from farshore.arm.decode import Address, Network
from farshore.arm.ids import ResourceId
from farshore.errors import InputError
from farshore.routing.bgp import AZURE_ASN, Heard, rows
from farshore.routing.branches import reached, said_by_gateways
from farshore.routing.doubts import marked
from farshore.routing.failures import LINKS
from farshore.routing.gateways import addressed, customer_addresses, instances, link_prefix, msee_at_gateway
from farshore.routing.places import server_doubts
from farshore.routing.route_servers import RouteServer, heard_from_appliances
from farshore.routing.speakers import speaker
from farshore.routing.values import BgpRoute
from farshore.routing.vpn import is_vpn
from farshore.routing.world import World


def learned_by(world: World, id_: ResourceId, instance: str | None, peer: str | None = None) -> tuple[BgpRoute, ...]:
    """What a gateway, Route Server or circuit has been told."""
    _neighbour(peer)
    server = world.ground.route_servers.get(id_.key)
    if server is not None:
        heard = heard_from_appliances(server, world.outside, world.health)
        return rows(route for route in heard if peer is None or route.said_by == f"peer:{peer}")
    if peer is not None:
        expected = "the id of a Route Server; of a gateway or circuit the table is one, of all its neighbours"
        raise InputError("What one neighbour said is told of Route Servers alone", value=id_.text, expected=expected)
    gateway = world.index.gateways.get(id_.key)
    if gateway is not None:
        _known_instance(world, gateway, instance)
        return rows(_gateway_learned(world, gateway)) if world.works(gateway) else ()
    if id_.key in world.index.circuits:
        return rows(_circuit_learned(world, id_, _link(instance)))
    raise _nothing(id_)


def advertised_by(world: World, id_: ResourceId, instance: str | None, to: str | None) -> tuple[BgpRoute, ...]:
    """What a gateway, Route Server or circuit says."""
    _neighbour(to)
    gateway = world.index.gateways.get(id_.key)
    if gateway is not None:
        _known_instance(world, gateway, instance)
        return rows(_gateway_says(world, gateway, instance))
    if id_.key in world.index.circuits:
        sides = [side for side in _towards(world, id_, to) if _link(instance) in (None, side)]
        edges = [world.exchange.edges[id_.key, side] for side in sides if (id_.key, side) in world.exchange.edges]
        return rows(route for edge in edges for route in edge.towards_site())
    server = world.ground.route_servers.get(id_.key)
    if server is not None:
        return rows(_server_says(world, server, instance, to))
    raise _nothing(id_)


def unread_by(world: World, id_: ResourceId) -> tuple[str, ...]:
    """What a table hangs on and nobody can read (doubts.py): a NIC's or subnet's, or a BGP speaker's."""
    doubts = world.doubts
    bgp = (*doubts.routes, *doubts.instances, *(text for _, _, texts in server_doubts(world) for text in texts))
    if id_.key in world.index.gateways or id_.key in world.index.circuits or id_.key in world.ground.route_servers:
        return tuple(dict.fromkeys(bgp))
    subnet = world.subnet_of(id_)
    network, own = world.subnet_in(subnet)
    table = world.subnet_table(subnet)
    near = (network, *(live.remote for live in world.ground.peerings.get(network.id.key, ())))
    # Whether a peering is global is told by the regions (R8): the row's type hangs on it, no way does.
    found = [text for held in near if held is not None for text in doubts.where(held)]
    nic = world.index.nics.get(id_.key)
    # Only rows of the families in which it has an address are shown.
    found += [] if nic is None else marked(nic.id, nic.unknown, ("ipConfigurations",))
    found += doubts.of_subnet(network, own, ("addressPrefix",))
    found += (doubt.text for doubt in (*table.doubts, *table.paired))
    found += (f"the prefixes of {tag}" for tag in table.unknown_tags)
    found += bgp if world.takes_bgp(subnet) else ()
    return tuple(dict.fromkeys(found))


def _towards(world: World, circuit: ResourceId, to: str | None) -> tuple[str, ...]:
    """The links at whose other end a customer's router has this address (E9); both for none."""
    held = world.index.circuits[circuit.key]
    ends = {side: customer_addresses(link_prefix(held, side)) for side in LINKS}
    found = tuple(side for side in LINKS if to is None or ip_address(to) in ends[side])
    if not found:
        known = ", ".join(str(address) for end in ends.values() for address in end)
        expected = f"one of {known}" if known else "none: the private peering gives no link's prefix"
        raise InputError(f"{circuit.name} has no such neighbour", value=to, expected=expected)
    return found


def _link(instance: str | None) -> str | None:
    if instance is not None and instance not in LINKS:
        raise InputError("A circuit has no such link", value=instance, expected=" or ".join(LINKS))
    return instance


def _known_instance(world: World, gateway: VirtualNetworkGateway, instance: str | None) -> None:
    """Whatever works at the moment: an instance that has failed is one all the same."""
    held = [address for _, address in addressed(gateway, world.index, world.outside)]
    if instance is not None and instance not in map(str, held):
        expected = f"one of its addresses: {', '.join(map(str, held))}" if held else "none: its addresses are not known"
        raise InputError(f"{gateway.id.name} has no such instance", value=instance, expected=expected)


def _neighbour(to: str | None) -> None:
    if to is not None:
        try:
            ip_address(to)
        except ValueError:
            raise InputError("This is no neighbour", value=to, expected="a neighbour's address") from None


def _nothing(id_: ResourceId) -> InputError:
    return InputError(
        "Nothing in the estate speaks BGP under this id",
        value=id_.text,
        expected="the id of a virtual network gateway, an ExpressRoute circuit, or a Route Server",
    )


def _circuit_learned(world: World, id_: ResourceId, instance: str | None) -> Iterator[Heard]:
    for side in [instance] if instance else LINKS:
        edge = world.exchange.edges.get((id_.key, side))
        if edge is not None:
            yield from edge.heard


def _gateway_learned(world: World, gateway: VirtualNetworkGateway) -> Iterator[Heard]:
    """A gateway's own networks; its circuits or tunnels; and what stands beside it in the same network."""
    vpn = is_vpn(gateway)
    for prefix, network in world.announced(gateway):
        if prefix.version == 4 or not vpn:
            yield Heard(prefix, (), (), gateway.id.key, network)
    for route in world.heard_by(gateway):
        if route.link is None:
            yield from _in_tunnel(world, gateway, route)
        else:
            seen = msee_at_gateway(world.outside, route.link, gateway.id.key, route.prefix.version)
            yield route._replace(next_hops=seen or route.next_hops)
    where = world.index.network_of(gateway.subnet)
    if where is not None:
        for other in world.index.gateways_in.get(where.id.key, ()):
            if other.id != gateway.id and world.works(other):
                yield from _told_by_sibling(world, gateway, other)
        for server in world.servers_for(where.id.key):
            yield from heard_from_appliances(server, world.outside, world.health)
            yield from _of_circuits(world, where.id.key) if vpn else ()


def _in_tunnel(world: World, gateway: VirtualNetworkGateway, route: Heard) -> Iterator[Heard]:
    """A tunnel's route as both instances see it: the one that has the tunnel, and the other by the first (measured)."""
    yield route
    if gateway.active_active:
        yield route._replace(next_hops=_instances(world, gateway, route.prefix.version))


def _told_by_sibling(world: World, gateway: VirtualNetworkGateway, other: VirtualNetworkGateway) -> Iterator[Heard]:
    """R47: an ExpressRoute gateway learns the VPN gateway's tunnels, all but the neighbours' own host routes; a VPN
    gateway gets the networks' space back, in the families in which the other has an address."""
    if is_vpn(other) and not is_vpn(gateway):
        for route in world.heard_by(other):
            if not _is_neighbour(route) and route.prefix.version == 4:
                yield route._replace(next_hops=_instances(world, other, 4))
    elif is_vpn(gateway):
        for prefix, network in world.announced(other):
            hops = _instances(world, other, prefix.version)
            if hops:
                yield Heard(prefix, (), hops, other.id.key, network)


def _of_circuits(world: World, network: str) -> Iterator[Heard]:
    """What a VPN gateway is told of a network's circuits where branches talk (R46)."""
    for other in world.index.gateways_in.get(network, ()):
        for prefix, routes in world.preferred_of(() if is_vpn(other) else reached(world, other)).items():
            yield routes[0]._replace(next_hops=_instances(world, other, prefix.version), link=None, weight=0)


def _is_neighbour(route: Heard) -> bool:
    return route.prefix.prefixlen == route.prefix.max_prefixlen and not route.next_hops


def _instances(world: World, gateway: VirtualNetworkGateway, family: int) -> tuple[Address, ...]:
    held = instances(gateway, world.index, world.outside, world.health)
    return tuple(address for address in held if address.version == family)


def _gateway_says(world: World, gateway: VirtualNetworkGateway, instance: str | None) -> Iterator[Heard]:
    for prefix, tail, network in speaker(world, gateway).says:
        own = _instances(world, gateway, prefix.version)
        path = (gateway.asn if is_vpn(gateway) else AZURE_ASN, *tail)
        yield Heard(prefix, path, _only(own, instance), gateway.id.key, network)


def _server_says(world: World, server: RouteServer, instance: str | None, to: str | None) -> Iterator[Heard]:
    hops = _only(server.addresses, instance)
    for prefix, network in world.ground.spoken_for(world.index.networks[server.network]):
        yield Heard(prefix, (AZURE_ASN,), hops, server.id.key, network)
    taken: set[Network] = set()
    for prefix, path, leads_to in said_by_gateways(world, server.network) if server.branch_to_branch else ():
        if prefix not in taken:
            taken.add(prefix)
            yield Heard(prefix, (AZURE_ASN, *path), hops, server.id.key, leads_to)
    for prefix, routes in world.server_routes(server).items():
        if prefix not in taken and not any(route.said_by == f"peer:{to}" for route in routes):
            yield Heard(prefix, (AZURE_ASN, *routes[0].as_path), hops, server.id.key, server.network)


def _only(addresses: tuple[Address, ...], instance: str | None) -> tuple[Address, ...]:
    return addresses if instance is None else tuple(address for address in addresses if str(address) == instance)
