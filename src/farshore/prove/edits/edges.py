"""Edits of the way out: gateways and their connections, circuits and their private peerings, public addresses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from farshore.arm.connectivity import ExpressRouteCircuit, VirtualNetworkGateway
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.arm.network import CONNECTIONS
from farshore.estate.estate import Change, Estate
from farshore.prove.edits.values import (
    Edit,
    at_top,
    changed,
    children_of,
    properties_of,
    reference,
    states,
    with_property,
)

SKU = "ErGw1AZ"
PRIVATE = "azureprivatepeering"
HEAVIEST = 32_000
"""The greatest weight of a connection (E35)."""


def _gateway(estate: Estate, id_: ResourceId, body: Body) -> Iterator[Edit]:
    gateway = estate.virtual_network_gateway(id_)
    if gateway is None:
        return
    if gateway.gateway_type != "ExpressRoute":
        yield with_property(id_, body, "gatewayType", "ExpressRoute")
    skus = dict.fromkeys(g.sku for g in estate.virtual_network_gateways if g.sku and g.id != id_)
    for sku in dict.fromkeys((*skus, SKU, "ErGw2AZ", "ErGw3AZ")):
        if sku != gateway.sku:
            yield with_property(id_, body, "sku", {"name": sku, "tier": sku})
    for network in estate.virtual_networks:
        subnet = next((s for s in network.subnets if s.name.lower() == "gatewaysubnet"), None)
        if subnet is None:
            continue
        location = str((estate.get(network.id) or {}).get("location"))
        if network.location != gateway.location and subnet.id == gateway.subnet:
            yield at_top(id_, body, "location", location)
        if subnet.id != gateway.subnet:
            words = f"put {id_.short} into {subnet.id.short}"
            yield changed(id_, body, _placed({"subnet": {"id": subnet.id.text}}), words)
    connected = {c.peer for c in estate.connections if c.virtual_network_gateway1 == id_}
    for circuit in estate.express_route_circuits:
        if circuit.id not in connected:
            yield _connected(gateway, str(body.get("location")), circuit)


def _placed(values: dict[str, Any]) -> Any:
    def edit(properties: dict[str, Any]) -> None:
        held = properties.setdefault("ipConfigurations", [])
        if not held:
            held.append({"name": "default"})
        held[0].setdefault("properties", {}).update(values)

    return edit


def _connected(gateway: VirtualNetworkGateway, location: str, circuit: ExpressRouteCircuit) -> Edit:
    group = gateway.id.text.partition("/providers/")[0]
    id_ = f"{group}/providers/{CONNECTIONS}/cn-{gateway.id.name}"
    body = {
        "id": id_,
        "name": id_.rsplit("/", 1)[-1],
        "type": CONNECTIONS,
        "location": location,
        "properties": {
            "provisioningState": "Succeeded",
            "connectionType": "ExpressRoute",
            "virtualNetworkGateway1": {"id": gateway.id.text},
            "peer": {"id": circuit.id.text},
            "routingWeight": 0,
        },
    }
    text = f"connect {gateway.id.short} to circuit {circuit.id.name}"
    return Edit(subject=gateway.id.text, text=text, changes=(Change(put=body),))


def _connection(estate: Estate, id_: ResourceId, body: Body) -> Iterator[Edit]:
    properties = properties_of(body)
    if properties.get("connectionType") != "ExpressRoute":
        yield with_property(id_, body, "connectionType", "ExpressRoute")
    own = reference(properties, "virtualNetworkGateway1").lower()
    beside = [c for c in estate.connections if (at := c.virtual_network_gateway1) and at.key == own and c.id != id_]
    yield from _weighed(id_, body, [connection.routing_weight for connection in beside])
    reached = {reference(properties, "peer").lower(), *(c.peer.key for c in beside if c.peer is not None)}
    for circuit in estate.express_route_circuits:
        if circuit.id.key not in reached:
            words = f"connect {id_.short} to circuit {circuit.id.name}"
            yield with_property(id_, body, "peer", {"id": circuit.id.text}, words)
    for gateway in estate.virtual_network_gateways:
        location = str((estate.get(gateway.id) or {}).get("location"))
        if reference(properties, "virtualNetworkGateway1").lower() != gateway.id.key:
            words = f"connect {id_.short} to {gateway.id.short}"
            yield with_property(id_, body, "virtualNetworkGateway1", {"id": gateway.id.text}, words)
        elif location != str(body.get("location")):
            yield at_top(id_, body, "location", location)
    if properties.get("expressRouteGatewayBypass"):
        yield with_property(id_, body, "expressRouteGatewayBypass", False)
    yield from _swapped(estate, id_, body)


def _weighed(id_: ResourceId, body: Body, others: list[int]) -> Iterator[Edit]:
    """The weight of one of a gateway's connections: the greatest of them, or none."""
    weight = properties_of(body).get("routingWeight") or 0
    if others and weight <= max(others) < HEAVIEST:
        yield with_property(id_, body, "routingWeight", min(max(others) + 100, HEAVIEST))
    if weight:
        yield with_property(id_, body, "routingWeight", 0)


def _swapped(estate: Estate, id_: ResourceId, body: Body) -> Iterator[Edit]:
    """Two connections that have each other's circuit."""
    mine = reference(properties_of(body), "peer")
    for other in estate.connections:
        theirs = "" if other.peer is None else other.peer.text
        if other.id == id_ or not mine or not theirs or theirs.lower() == mine.lower():
            continue
        one = with_property(id_, body, "peer", {"id": theirs})
        two = with_property(other.id, estate.get(other.id) or {}, "peer", {"id": mine})
        text = f"let {id_.short} and {other.id.short} change circuits"
        yield Edit(subject=id_.text, text=text, changes=(*one.changes, *two.changes))


def _circuit(estate: Estate, id_: ResourceId, body: Body) -> Iterator[Edit]:
    for peering in children_of(body, "peerings"):
        own = id_.child("peerings", str(peering.get("name")))
        yield from states(own, peering)
        yield from _circuit_peering(estate, own, peering)
    if not any(str(p.get("name", "")).lower() == PRIVATE for p in children_of(body, "peerings")):
        for site in estate.sites:
            yield _private_peering(estate, id_, site.asn)
    sku = body.get("sku") if isinstance(body.get("sku"), dict) else {}
    for tier in ("Standard", "Premium"):
        family = str((sku or {}).get("family") or "MeteredData")
        if str((sku or {}).get("tier")) != tier or not str((sku or {}).get("name", "")).startswith(tier):
            yield at_top(id_, body, "sku", {"name": f"{tier}_{family}", "tier": tier, "family": family})
    places = {c.peering_location for c in estate.express_route_circuits if c.peering_location}
    for place in sorted(places):
        yield with_property(id_, body, "serviceProviderProperties.peeringLocation", place)
    locations = {str(held.get("location")) for held in estate.resources.values() if held.get("location")}
    for location in sorted(locations - {str(body.get("location"))}):
        yield at_top(id_, body, "location", location)


def _circuit_peering(estate: Estate, id_: ResourceId, body: Body) -> Iterator[Edit]:
    properties = properties_of(body)
    if str(properties.get("state", "")).lower() != "enabled":
        yield with_property(id_, body, "state", "Enabled")
    for site in estate.sites:
        if properties.get("peerASN") != site.asn:
            yield with_property(id_, body, "peerASN", site.asn)
    for key in ("primaryPeerAddressPrefix", "secondaryPeerAddressPrefix"):
        for wanted in _free_links(estate):
            if properties.get(key) != wanted:
                yield with_property(id_, body, key, wanted)


def _free_links(estate: Estate) -> Iterator[str]:
    """/30 ranges for links that no circuit has."""
    taken = {
        str(prefix)
        for circuit in estate.express_route_circuits
        for peering in circuit.peerings
        for prefix in (peering.primary_peer_address_prefix, peering.secondary_peer_address_prefix)
    }
    found = (f"172.16.{third}.{fourth}/30" for third in range(8) for fourth in (0, 4))
    yield from [prefix for prefix in found if prefix not in taken][:2]


def _private_peering(estate: Estate, circuit: ResourceId, asn: int) -> Edit:
    id_ = circuit.child("peerings", "AzurePrivatePeering")
    primary, secondary = _free_links(estate)
    properties = {
        "peeringType": "AzurePrivatePeering",
        "state": "Enabled",
        "azureASN": 12076,
        "peerASN": asn,
        "primaryPeerAddressPrefix": primary,
        "secondaryPeerAddressPrefix": secondary,
        "provisioningState": "Succeeded",
    }
    body = {"id": id_.text, "name": id_.name, "properties": properties}
    text = f"configure private peering on {circuit.short} (ASN {asn}, links {primary} and {secondary})"
    return Edit(subject=circuit.text, text=text, changes=(Change(put=body),))


def _public_address(estate: Estate, id_: ResourceId, body: Body) -> Iterator[Edit]:
    yield at_top(id_, body, "sku", {"name": "Standard", "tier": "Regional"})


EDITS = {
    "microsoft.network/virtualnetworkgateways": _gateway,
    "microsoft.network/connections": _connection,
    "microsoft.network/expressroutecircuits": _circuit,
    "microsoft.network/expressroutecircuits/peerings": _circuit_peering,
    "microsoft.network/publicipaddresses": _public_address,
}
