"""A virtual WAN hub and what stands in it, read from bodies: connections, gateways, VPN sites, NAT rules.

Children stand inside their parent's body or by themselves, as exports have them; both are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from farshore.arm.decode import Address, Network, Reader
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.arm.network import VIRTUAL_HUBS, normal_location
from farshore.estate.door import marker_places
from farshore.routing.index import Index

VPN_GATEWAYS = "Microsoft.Network/vpnGateways"
VPN_SITES = "Microsoft.Network/vpnSites"
EXPRESS_ROUTE_GATEWAYS = "Microsoft.Network/expressRouteGateways"
DEFAULT_TABLE = "defaultroutetable"
_KINDS = (
    *(VIRTUAL_HUBS + child for child in ("", "/hubVirtualNetworkConnections", "/hubRouteTables")),
    *(VPN_GATEWAYS + child for child in ("", "/natRules", "/vpnConnections")),
    *(EXPRESS_ROUTE_GATEWAYS + child for child in ("", "/expressRouteConnections")),
    VPN_SITES,
)
"""What routes of a hub are made of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HubConnection:
    id: ResourceId
    network: str
    """The connected network's lower-case id."""
    associated: str
    """The route table that it learns from, by its name in lower case."""
    propagated: frozenset[str]
    """The route tables that learn from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualHub:
    id: ResourceId
    location: str
    wan: str
    prefix: Network | None
    preference: str
    router: tuple[Address, ...]
    connections: tuple[HubConnection, ...]
    unclear: tuple[str, ...] = ()
    """What of it is not known here: tables with routes of their own, routing intent."""


def virtual_hubs(index: Index) -> dict[str, VirtualHub]:
    """Every hub of a virtual WAN, by lower-case id. A Route Server is no hub."""
    servers = {_parent(body) for body in index.bodies(VIRTUAL_HUBS + "/ipConfigurations")}
    found = {}
    for body in index.bodies(VIRTUAL_HUBS):
        id_, read = resource_id(str(body["id"])), Reader(body)
        prefixes = read.networks("properties.addressPrefix")
        if id_.key not in servers and (prefixes or read.id("properties.virtualWan") is not None):
            wan = read.id("properties.virtualWan")
            found[id_.key] = VirtualHub(
                id=id_,
                location=normal_location(read.text("location")),
                wan=id_.key if wan is None else wan.key,
                prefix=prefixes[0] if prefixes else None,
                preference=(read.text("properties.hubRoutingPreference") or "ExpressRoute").lower(),
                router=tuple(_each_address(read.texts("properties.virtualRouterIps"))),
                connections=tuple(_connections(index, id_, read)),
                unclear=tuple(_unclear(index, id_)),
            )
    return found


def unread_in_wans(index: Index, hubs: Iterable[str]) -> tuple[str, ...]:
    """What can't be read of hubs and of what stands in them; a Route Server is none. `hubs`: lower-case ids."""
    known = frozenset(hubs)
    found = []
    for kind in _KINDS:
        for body in index.bodies(kind):
            id_ = resource_id(str(body["id"]))
            if not kind.startswith(VIRTUAL_HUBS) or id_.key in known or _parent(body) in known:
                places = (place for place in marker_places(body) if place.startswith("properties"))
                found += [f"{id_.short} {place.removeprefix('properties.')}" for place in places]
    return tuple(found)


def circuits_of(index: Index, gateway: ResourceId, read: Reader) -> Iterator[str]:
    """The circuits that a hub's ExpressRoute gateway is connected to."""
    children = [
        Reader(b)
        for b in index.bodies(EXPRESS_ROUTE_GATEWAYS + "/expressRouteConnections")
        if _parent(b) == gateway.key
    ]
    for item in (*read.items("properties.expressRouteConnections"), *children):
        peering = item.id("properties.expressRouteCircuitPeering")
        if peering is not None:
            yield (peering.parent or peering).key


def ingress_nat(index: Index, gateway: ResourceId, read: Reader) -> Iterator[tuple[Network, Network]]:
    children = [Reader(body) for body in index.bodies(VPN_GATEWAYS + "/natRules") if _parent(body) == gateway.key]
    for rule in (*read.items("properties.natRules"), *children):
        if (rule.text("properties.mode") or "").lower() == "ingresssnat":
            inner = [p for item in rule.items("properties.internalMappings") for p in item.networks("addressSpace")]
            outer = [p for item in rule.items("properties.externalMappings") for p in item.networks("addressSpace")]
            yield from zip(inner, outer, strict=False)


def sites_of(index: Index, gateway: ResourceId, read: Reader) -> Iterator[Body]:
    """The VPN sites that a gateway is connected to."""
    children = [Reader(body) for body in index.bodies(VPN_GATEWAYS + "/vpnConnections") if _parent(body) == gateway.key]
    named = {
        site.key
        for item in (*read.items("properties.connections"), *children)
        if (site := item.id("properties.remoteVpnSite")) is not None
    }
    for body in index.bodies(VPN_SITES):
        if resource_id(str(body["id"])).key in named:
            yield body


def default_addresses(read: Reader) -> tuple[Address, ...]:
    """The BGP addresses of a VPN gateway's instances."""
    held = read.items("properties.bgpSettings.bgpPeeringAddresses")
    return tuple(_each_address([text for item in held for text in item.texts("defaultBgpIpAddresses")]))


def _connections(index: Index, hub: ResourceId, read: Reader) -> Iterator[HubConnection]:
    kind = VIRTUAL_HUBS + "/hubVirtualNetworkConnections"
    children = [(resource_id(str(b["id"])), Reader(b)) for b in index.bodies(kind) if _parent(b) == hub.key]
    known = {id_.key for id_, _ in children}
    for item in read.items("properties.virtualNetworkConnections"):
        own = hub.child("hubVirtualNetworkConnections", item.text("name") or "connection")
        if own.key not in known:
            children.append((own, item))
    for id_, item in children:
        network = item.id("properties.remoteVirtualNetwork")
        if network is not None:
            yield HubConnection(
                id=id_,
                network=network.key,
                associated=_name(item.id("properties.routingConfiguration.associatedRouteTable")),
                propagated=_propagated(item),
            )


def _propagated(item: Reader) -> frozenset[str]:
    held = item.ids("properties.routingConfiguration.propagatedRouteTables.ids")
    named = {_name(id_) for id_ in held} or {DEFAULT_TABLE}
    labels = {text.lower() for text in item.texts("properties.routingConfiguration.propagatedRouteTables.labels")}
    return frozenset(named | ({DEFAULT_TABLE} if "default" in labels else set()))


def _name(id_: ResourceId | None) -> str:
    return DEFAULT_TABLE if id_ is None else id_.name.lower()


def _unclear(index: Index, hub: ResourceId) -> Iterator[str]:
    for body in index.bodies(VIRTUAL_HUBS + "/hubRouteTables"):
        if _parent(body) == hub.key and any(True for _ in Reader(body).items("properties.routes")):
            yield f"the routes of {resource_id(str(body['id'])).short}"
    for body in index.bodies(VIRTUAL_HUBS + "/routingIntent"):
        if _parent(body) == hub.key:
            yield f"the routing intent of {hub.short}"


def _parent(body: Body) -> str:
    parent = resource_id(str(body["id"])).parent
    return "" if parent is None else parent.key


def _each_address(texts: tuple[str, ...] | list[str]) -> Iterator[Address]:
    for text in texts:
        found = Reader({"a": text}).address("a")
        if found is not None:
            yield found
