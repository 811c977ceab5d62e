"""Small questions about a world that a walk asks on its way: who is where, what is it called, what can't we see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from farshore.arm.connectivity import VirtualNetworkGateway
from farshore.arm.decode import Address, Network, Reader
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.network import PUBLIC_IP_ADDRESSES, NetworkInterface, RouteTable, Subnet, VirtualNetwork
from farshore.estate.outside import Site
from farshore.routing.bgp import Heard, Link
from farshore.routing.doubts import Doubt, marked
from farshore.routing.index import Holder
from farshore.routing.prefixes import is_public
from farshore.routing.sites import SiteTable
from farshore.routing.values import EffectiveRoute, Flow
from farshore.routing.vpn import far_gateway, is_vpn

if TYPE_CHECKING:
    from farshore.routing.world import World


def source_of(world: World, flow: Flow) -> Holder | None:
    """The NIC that a flow leaves from: the source's that holds the source address, or its first."""
    key = flow.source.lower()
    nic = world.index.nics.get(key)
    if nic is not None:
        held = tuple(holders_of(nic))
    else:
        machine = world.index.machines.get(key)
        ids = () if machine is None else machine.network_interfaces
        held = tuple(h for id_ in ids if id_.key in world.index.nics for h in holders_of(world.index.nics[id_.key]))
        if not any(holder.address == flow.source_address for holder in held):
            # Either side may say whose a NIC is.
            own = (nic for nic_key, nic in world.index.nics.items() if world.index.machine_of.get(nic_key) == key)
            held += tuple(holder for other in own for holder in holders_of(other))
    named = [holder for holder in held if holder.address == flow.source_address]
    return next(iter((*named, *held)), None)


def open_to_internet(world: World, address: Address) -> tuple[str, ...]:
    """By which public addresses the internet may come to an address, its own or a load balancer's; we don't follow it
    there."""
    found = [
        f"who may come to {id_.name} from the internet"
        for id_, body in ((resource_id(str(body["id"])), body) for body in world.index.bodies(PUBLIC_IP_ADDRESSES))
        if Reader(body).address("properties.ipAddress") == address
    ]
    for nic in world.index.nics.values():
        for item in nic.ip_configurations:
            public = item.public_ip_address is not None
            balanced = any(_is_public(world, pool) for pool in item.load_balancer_backend_address_pools)
            if item.private_ip_address == address and (public or balanced):
                found.append(f"who may come to {nic.id.name} from the internet")
    return tuple(dict.fromkeys(found))


def _is_public(world: World, pool: ResourceId) -> bool:
    """Whether a pool's load balancer has a public front."""
    balancer = pool.parent
    fronts = () if balancer is None else world.index.raw(balancer).items("properties.frontendIPConfigurations")
    return any(front.id("properties.publicIPAddress") is not None for front in fronts)


def holders_of(nic: NetworkInterface) -> Iterator[Holder]:
    """A NIC's hold on each of its addresses, the primary first."""
    for item in sorted(nic.ip_configurations, key=lambda item: item is not nic.primary):
        if item.subnet is not None and item.private_ip_address is not None:
            yield Holder(nic=nic, subnet=item.subnet, address=item.private_ip_address)


def peer_of(world: World, network: VirtualNetwork, row: EffectiveRoute) -> VirtualNetwork | None:
    """The network behind a peering's row."""
    for live in world.ground.peerings.get(network.id.key, ()):
        if live.peering.id.text == row.by:
            return live.remote
    return None


def vpn_gateway_of(world: World, network: VirtualNetwork) -> VirtualNetworkGateway | None:
    """The VPN gateway that a user's VirtualNetworkGateway row leads to: not where ExpressRoute coexists (R21)."""
    keys = [network.id.key, *(live.remote_key for live in world.ground.remote_of.get(network.id.key, ()))]
    found = [gateway for key in keys for gateway in world.index.gateways_in.get(key, ())]
    return found[0] if found and all(is_vpn(gateway) for gateway in found) else None


def far_end(world: World, route: Heard) -> VirtualNetworkGateway | None:
    """The gateway of the estate at the other end of a tunnel."""
    connection = world.index.connections.get(route.connection)
    found = None if connection is None else far_gateway(connection, world.index)
    if found is not None:
        return found
    for gateway in world.index.gateways_in.get(route.leads_to, ()):
        if is_vpn(gateway):
            return gateway
    for live in world.ground.remote_of.get(route.leads_to, ()):
        for gateway in world.index.gateways_in.get(live.remote_key, ()):
            if is_vpn(gateway):
                return gateway
    return None


def at_edges(world: World, links: tuple[Link, ...], address: Address) -> tuple[Heard, ...]:
    """What the edges on these links do with an address: their best routes, the longest prefix among all of them."""
    key = ("edges", links, address)
    found: tuple[Heard, ...] | None = world.settled.memo.get(key)
    if found is None:
        edges = world.exchange.edges
        best = [edges[link].lookup.all(address)[:1] for link in links if link in edges]
        routes = [route for group in best for routes in group for route in routes]
        found = world.settled.memo[key] = tuple(dict.fromkeys(routes))
    return found


def site_table(world: World, site: Site) -> SiteTable:
    return world.exchange.sites[site.name]


def site_of(world: World, router: str) -> Site | None:
    """The site of a router named `site/router`, in lower case."""
    name = router.partition("/")[0]
    return next((site for site in world.estate.sites if site.name.lower() == name), None)


def site_is_connected(world: World, site: Site) -> bool:
    """Whether any router of the site has a link that carries BGP."""
    return any(
        world.health.router(site.name, router.name) and world.health.link(circuit, side)
        for router in site.routers
        for side in router.links
        for circuit in (world.index.circuits.get(router.circuit.key),)
        if circuit is not None
    )


def is_stale(world: World, nic: NetworkInterface) -> bool:
    """Whether the machine may run with data older than what has been promised (D92)."""
    stale = world.outside.stale
    return bool(stale) and (nic.id.key in stale or world.index.machine_of.get(nic.id.key, "") in stale)


def is_stateful(world: World, *keys: str) -> bool:
    """What the project says of an appliance, by its NIC, machine or load balancer; stateful where it says nothing."""
    project = world.estate.project
    for appliance in () if project is None else project.appliances:
        existing = None if appliance.existing is None else appliance.existing.key
        if appliance.source.key in keys or (existing is not None and existing in keys):
            return appliance.stateful
    return True


def label(world: World, key: str) -> str:
    """What a person calls a thing: the name in Azure's own case."""
    index = world.index
    for held in (index.networks, index.circuits, index.gateways, index.connections, index.nics):
        found = held.get(key)
        if found is not None:
            return found.id.name
    return key.removeprefix("site:").removeprefix("router:").removeprefix("peer:").rsplit("/", 1)[-1]


def labels(world: World, keys: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(label(world, key) for key in keys))


def missing_in(world: World, subnet: ResourceId, address: Address) -> tuple[str, ...]:
    """What a subnet's table can't tell about an address: markers in what it is made of, tags without prefixes (R18),
    what an endpoint may cover (R22)."""
    table = world.subnet_table(subnet)
    missing = tuple(doubt.text for doubt in (*table.doubts, *table.paired) if doubt.of(address))
    if not table.unknown_tags or not is_public(address):
        return missing
    return (*missing, *(f"the prefixes of {tag}" for tag in table.unknown_tags))


def unknown_addresses(world: World, network: VirtualNetwork) -> tuple[str, ...]:
    """NICs that might hold any address of a network: those whose address or subnet is a marker."""
    return world.doubts.hidden_in((network.id.key,))


def addresses_unread(world: World, source: str) -> tuple[str, ...]:
    """What can't be read of a machine's or a NIC's addresses."""
    key = source.lower()
    machine = world.index.machines.get(key)
    nics = {key, *(id_.key for id_ in (() if machine is None else machine.network_interfaces))}
    nics |= {nic for nic, held in world.index.machine_of.items() if held == key}
    held = [world.index.nics[nic] for nic in sorted(nics) if nic in world.index.nics]
    found = [text for nic in held for text in marked(nic.id, nic.unknown, ("ipConfigurations",))]
    if machine is not None:
        found += marked(machine.id, machine.unknown, ("networkProfile",))
    return tuple(found)


def next_hop_unread(world: World, network: VirtualNetwork) -> tuple[str, ...]:
    """NICs that might stand at a next hop, as seen from a network (R21), and what hides which networks it is peered
    with."""
    near = (live.remote_key for live in world.ground.peerings.get(network.id.key, ()))
    hidden = world.doubts.hidden_in((network.id.key, *near))
    return (*hidden, *(doubt.text for doubt in world.doubts.networks.get(network.id.key, ())))


def table_doubts(world: World, network: VirtualNetwork, subnet: Subnet, propagated: bool) -> tuple[Doubt, ...]:
    """What a subnet's table is made of and can't be read. `propagated`: whether it has BGP rows."""
    doubts = world.doubts
    found = list(doubts.networks.get(network.id.key, ()))
    found += map(Doubt, doubts.of_subnet(network, subnet, ("routeTable", "serviceEndpoints")))
    peered = [network.id.key, *(live.remote_key for live in world.ground.peerings.get(network.id.key, ()))]
    found += (doubt for where, doubt in doubts.endpoints if where in ("", *peered))
    if subnet.service_endpoints:
        found += map(Doubt, doubts.where(network))
    table = world.estate.route_table(subnet.route_table)
    if table is not None and table.unknown:
        fields = ("routes", "disableBgpRoutePropagation", "disablePeeringRoute")
        found += map(Doubt, marked(table.id, table.unknown, fields))
    if table is not None:
        found += _unmeasured(world, network, table, propagated)
    if propagated:
        near = [network.id.key, *(live.remote_key for live in world.ground.remote_of.get(network.id.key, ()))]
        held = (gateway.id.key for key in near for gateway in world.index.gateways_in.get(key, ()))
        found += (Doubt(text) for key in held for text in doubts.gateways.get(key, ()))
        for where, said, texts in server_doubts(world):
            found += (Doubt(text, said) for text in texts if where in ("", *near))
    return tuple(dict.fromkeys(found))


def _unmeasured(world: World, network: VirtualNetwork, table: RouteTable, propagated: bool) -> Iterator[Doubt]:
    """What a table's newer fields do to the rows of others (R12): that they do something is all that is known."""
    if table.disable_peering_route.lower() != "none":
        given = tuple(prefix for live in world.ground.peerings.get(network.id.key, ()) for prefix in live.prefixes)
        yield Doubt(f"what {table.id.short} keeps of peerings by disablePeeringRoute", given)
    for route in table.routes if propagated else ():
        if route.has_bgp_override:
            prefix = None if isinstance(route.address_prefix, str) else (route.address_prefix,)
            yield Doubt(f"what {table.id.short} keeps of BGP in {route.address_prefix} by hasBgpOverride", prefix)


def server_texts(world: World) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """By Route Server, lower-case id: the network, empty for any, and what can't be read of it, of how it chooses and
    of whether its neighbours speak."""
    doubts, servers = world.doubts, world.ground.route_servers
    for key in {**doubts.servers, **servers}:
        where, texts = doubts.servers.get(key, ("", ()))
        if key in servers:
            where = servers[key].network
            network = world.index.networks.get(where)
            texts += () if network is None else doubts.stands(network)
            if servers[key].preference not in ("", "expressroute"):
                texts += (f"how {servers[key].id.short} chooses by hubRoutingPreference {servers[key].preference}",)
            texts += tuple(text for nic in servers[key].peers.values() if nic for text in doubts.of_nic(nic))
        yield key, where, texts


def server_doubts(world: World) -> Iterator[tuple[str, tuple[Network, ...], tuple[str, ...]]]:
    """What can't be read of Route Servers and of whether their neighbours speak: the network, empty for any; what is
    said to it, of which nobody can tell whether it is heard; and why."""
    for key, where, texts in server_texts(world):
        adverts = [advert for advert in world.outside.advertised if advert.to.partition("#")[0] == key]
        said = tuple(dict.fromkeys(advert.prefix for advert in adverts))
        if texts and said:
            yield where, said, texts
        server = world.ground.route_servers.get(key)
        if server is not None and server.nobody:
            # Nobody stands there, unless a marker hides who, or that the network is a peer.
            network = world.index.networks.get(where)
            hidden = () if network is None else next_hop_unread(world, network)
            lost = tuple(dict.fromkeys(advert.prefix for advert in adverts if advert.peer in server.nobody))
            if hidden and lost:
                yield where, lost, hidden
