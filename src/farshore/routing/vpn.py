"""A VPN gateway's routes: what its tunnels lead to.

* A local network gateway gives its prefixes as static routes. With BGP there is a host route to the neighbour's BGP
  address too, over which the neighbour says its own (`Outside.advertised`).
* Where a local network gateway describes another gateway of the estate (by public or BGP address), and for connections
  of type Vnet2Vnet, the other side is known: it says its network and the networks that use it (R40); by BGP what the
  Route Server of its network tells it, too (branches.py). Such a tunnel needs a connection on each side.
* The pool of point-to-site clients; two active instances hold half of it each.

Next hops in a subnet's table: the instances' private addresses when active-active, else the public address (measured).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import ip_network

from farshore.arm.connectivity import Connection, VirtualNetworkGateway
from farshore.arm.decode import Address, Network, Reader
from farshore.arm.ids import ResourceId
from farshore.estate.outside import Outside
from farshore.routing.bgp import Heard
from farshore.routing.failures import Health
from farshore.routing.gateways import addressed
from farshore.routing.index import Index

Said = tuple[Network, tuple[int, ...], str]
"""Prefix, the path behind the gateway's own number, and who answers: as `exchange.Speaker.says` has it."""

SpokenFor = Callable[[VirtualNetworkGateway, bool], tuple[Said, ...]]
"""What a gateway says in a tunnel, with BGP or without."""


def is_vpn(gateway: VirtualNetworkGateway) -> bool:
    return gateway.gateway_type.lower() == "vpn"


def tunnel_routes(
    gateway: VirtualNetworkGateway, index: Index, outside: Outside, health: Health, spoken_for: SpokenFor
) -> Iterator[Heard]:
    """What a VPN gateway knows beyond its own network; `next_hops` is empty where no BGP neighbour named one."""
    own = (item for item in index.connections.values() if item.virtual_network_gateway1 == gateway.id)
    open_ = [connection for connection in own if _carries(connection, gateway, index, outside, health)]
    for connection in open_:
        yield from _over(connection, index, outside, health, spoken_for)
    heard_by = {gateway.id.key: ""} | {connection.id.key: connection.id.key for connection in open_}
    for advert in outside.advertised:
        to = advert.to.partition("#")[0]
        if to in heard_by and health.neighbour(advert.peer) and health.named(advert.to):
            hop, by = (advert.next_hop or advert.peer,), f"peer:{advert.peer}"
            yield Heard(advert.prefix, advert.as_path, hop, by, by, connection=heard_by[to])
    for pool in client_pools(gateway.id, index):
        yield Heard(pool, (), (), "clients", "clients")


def _carries(
    connection: Connection, gateway: VirtualNetworkGateway, index: Index, outside: Outside, health: Health
) -> bool:
    """Whether any of a connection's tunnels works: one from each instance, which fails with its instance or alone."""
    held = list(addressed(gateway, index, outside))
    # One address is that of whichever instance is active (E26).
    tunnels = [
        health.named(f"{connection.id.key}#{address}") and (len(held) < 2 or health.instance(gateway.id, number))
        for number, address in held
    ]
    return health.connection(connection) and (not tunnels or any(tunnels))


def client_pools(gateway: ResourceId, index: Index) -> tuple[Network, ...]:
    return index.raw(gateway).networks("properties.vpnClientConfiguration.vpnClientAddressPool.addressPrefixes")


def _over(
    connection: Connection, index: Index, outside: Outside, health: Health, spoken_for: SpokenFor
) -> Iterator[Heard]:
    by = connection.id.key
    local = connection.local_network_gateway2
    if local is not None:
        read = index.raw(local)
        other = _described(read, index)
        bgp = read.address("properties.bgpSettings.bgpPeeringAddress")
        prefixes = set(read.networks("properties.localNetworkAddressSpace.addressPrefixes"))
        if connection.enable_bgp and bgp is not None:
            prefixes.add(ip_network(bgp))
        if other is not None and not _answered(connection, other, index, outside, health):
            return
        for prefix in sorted(prefixes, key=str):
            yield Heard(prefix, (), (), by, f"peer:{local.key}", connection=by)
        if other is not None and connection.enable_bgp:
            yield from _from_gateway(other, connection, prefixes, spoken_for, bgp)
    elif connection.virtual_network_gateway2 is not None:
        found = index.gateways.get(connection.virtual_network_gateway2.key)
        if found is not None and _answered(connection, found, index, outside, health):
            for address in found.bgp_peering_addresses if connection.enable_bgp else ():
                yield Heard(ip_network(address), (), (), by, f"peer:{found.id.key}", connection=by)
            yield from _from_gateway(found, connection, set(), spoken_for, None)


def _from_gateway(
    other: VirtualNetworkGateway,
    connection: Connection,
    known: set[Network],
    spoken_for: SpokenFor,
    neighbour: Address | None,
) -> Iterator[Heard]:
    bgp = connection.enable_bgp
    hops = () if neighbour is None else (neighbour,)
    for prefix, tail, leads_to in spoken_for(other, bgp):
        if prefix.version == 4 and prefix not in known:
            path = (other.asn, *tail) if bgp else ()
            yield Heard(prefix, path, hops, connection.id.key, leads_to, connection=connection.id.key)


def _answered(
    connection: Connection, far: VirtualNetworkGateway, index: Index, outside: Outside, health: Health
) -> bool:
    """A tunnel between gateways has a connection on each side, and falls with either."""
    near = None if connection.virtual_network_gateway1 is None else connection.virtual_network_gateway1.key
    gateway = index.gateways.get(near or "")
    return (
        gateway is not None
        and health.gateway(far)
        and any(
            other.virtual_network_gateway1 == far.id
            and (other.local_network_gateway2 is None) == (connection.local_network_gateway2 is None)
            and _leads_to(other, gateway, index)
            and _carries(other, far, index, outside, health)
            for other in index.connections.values()
        )
    )


def _leads_to(connection: Connection, gateway: VirtualNetworkGateway, index: Index) -> bool:
    """Whether a connection's other end is a gateway, as far as its addresses and its local network gateway's tell."""
    end = far_gateway(connection, index)
    if end is not None or connection.local_network_gateway2 is None:
        return end == gateway
    public, bgp = _addresses_of(index.raw(connection.local_network_gateway2))
    known = public_addresses_read(gateway, index)
    another = public is not None and known and len(known) == len(gateway.public_ip_addresses)
    return not another and (bgp is None or not gateway.bgp_peering_addresses)


def far_gateway(connection: Connection, index: Index) -> VirtualNetworkGateway | None:
    """The gateway of the estate at the other end of a connection."""
    if connection.local_network_gateway2 is not None:
        return _described(index.raw(connection.local_network_gateway2), index)
    end = connection.virtual_network_gateway2
    return None if end is None else index.gateways.get(end.key)


def far_gateways(gateway: VirtualNetworkGateway, index: Index) -> Iterator[VirtualNetworkGateway]:
    """Those at the other ends of a gateway's connections."""
    for connection in index.connections.values():
        far = far_gateway(connection, index) if connection.virtual_network_gateway1 == gateway.id else None
        if far is not None:
            yield far


def _described(local: Reader, index: Index) -> VirtualNetworkGateway | None:
    """The gateway of the estate that a local network gateway stands for."""
    public, bgp = _addresses_of(local)
    for gateway in index.gateways.values():
        if bgp is not None and bgp in gateway.bgp_peering_addresses:
            return gateway
        if public is not None and public in public_addresses_read(gateway, index):
            return gateway
    return None


def _addresses_of(local: Reader) -> tuple[Address | None, Address | None]:
    """By which a local network gateway says whom it stands for: the public address, and the BGP neighbour's."""
    bgp = local.address("properties.bgpSettings.bgpPeeringAddress")
    return local.address("properties.gatewayIpAddress"), bgp


def public_addresses(gateway: VirtualNetworkGateway, index: Index, outside: Outside) -> tuple[Address, ...]:
    given = outside.gateway_instances.get(gateway.id.key, {}).get("public")
    if given:
        return tuple(given)
    return public_addresses_read(gateway, index)


def public_addresses_read(gateway: VirtualNetworkGateway, index: Index) -> tuple[Address, ...]:
    """A gateway's public addresses, as its resources say."""
    found = (index.raw(id_).address("properties.ipAddress") for id_ in gateway.public_ip_addresses)
    return tuple(address for address in found if address is not None)
