"""Microsoft.Network/connections between a gateway and a circuit (E32 to E40); VPN: `vpn_connections.py`.

A connection is a write to the control plane of its gateway's region: with that region lost neither it nor its
deletion can be done (E36, D62). Two networks with overlapping space can't be connected to one circuit; the code for
that is not published, ours is `ExpressRouteCircuitVnetAddressSpaceOverlap` (E39). With the first gateway's region lost
the second connection is taken, and when the region returns two networks answer for one range (E40).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from farshore.arm.decode import Network
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab import regions
from farshore.lab.answers import bad_request, quoted
from farshore.lab.call import Call
from farshore.lab.cloud import must_have
from farshore.lab.network import vpn_connections
from farshore.lab.network.addresses import overlapping, space_of
from farshore.lab.network.circuit_links import connections_of, must_have_room, must_reach, place_of
from farshore.lab.network.references import CONNECTIONS, ref, subnet_of
from farshore.lab.network.virtual_networks import peerings_of
from farshore.lab.registry import resource_type
from farshore.lab.types import Put, ResourceType, is_young

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

LINKS_PER_GATEWAY = {
    "Standard": 4,
    "ErGw1AZ": 4,
    "HighPerformance": 8,
    "ErGw2AZ": 8,
    "UltraPerformance": 16,
    "ErGw3AZ": 16,
}
"""E27; ErGwScale is not stated."""
SAME_PLACE = 4
"""E16: circuits of one peering location for one network, whatever the gateway's size."""


@resource_type(CONNECTIONS)
class Connections(ResourceType):
    forwards = True
    put_takes = "connections.put"
    update_takes = "network.put"
    delete_takes = "connections.delete"
    read_only = (
        "provisioningState",
        "resourceGuid",
        "connectionStatus",
        "ingressBytesTransferred",
        "egressBytesTransferred",
    )

    def validate(self, put: Put) -> None:
        cloud = put.cloud
        gateway = must_have(cloud, ref(put.body, "virtualNetworkGateway1"), put.id.text)
        gateway_id = resource_id(str(gateway["id"]))
        kind = vpn_connections.kind_of(put.properties)
        if kind not in ("ExpressRoute", *vpn_connections.FAR_END):
            raise bad_request("InvalidRequestFormat", f"Connection {put.id.text}: connectionType is {quoted(kind)}.")
        if cloud.region_of(gateway_id) != put.location:
            raise bad_request(
                "InvalidResourceReference",
                f"Connection {put.id.text} is in {put.location}, its gateway {gateway_id.text} is not.",
            )
        _check_provisioned(put, gateway_id, gateway)
        weight = put.properties.get("routingWeight") or 0
        if not isinstance(weight, int) or not 0 <= weight <= 32000:
            raise bad_request("InvalidRoutingWeight", f"Connection {put.id.text}: routingWeight {weight} (0 to 32000).")
        if vpn_connections.is_vpn(put.properties):
            vpn_connections.check(put, gateway)
            return
        circuit = must_have(cloud, ref(put.body, "peer"), put.id.text)
        circuit_id = resource_id(str(circuit["id"]))
        regions.must_reach(cloud, cloud.region_of(circuit_id))
        if put.before is not None:
            _check_same(put, gateway_id, circuit_id)
            _check_key(put, circuit_id)
            return
        _check_circuit(put, circuit)
        _check_key(put, circuit_id)
        must_reach(circuit, put.location)
        _check_numbers(put, gateway_id, gateway, circuit_id, circuit)
        _check_overlap(put, gateway_id, circuit_id)

    def on_put(self, put: Put) -> Body:
        body = self.standard(put)
        sent = body["properties"]
        if vpn_connections.is_vpn(sent):
            return {**body, "properties": vpn_connections.kept(body, put.before_properties)}
        properties = {
            "packetCaptureDiagnosticState": "None",
            "routingWeight": 0,
            "enableBgp": False,
            "expressRouteGatewayBypass": False,
            "enablePrivateLinkFastPath": False,
            "connectionStatus": "Unknown",
            "ingressBytesTransferred": 0,
            "egressBytesTransferred": 0,
            **{name: put.before_properties[name] for name in ("authorizationKey",) if name in put.before_properties},
            **sent,
            "virtualNetworkGateway1": {"id": ref(put.body, "virtualNetworkGateway1")},
            "peer": {"id": ref(put.body, "peer")},
        }
        return {**body, "properties": properties}

    def on_ready(self, cloud: Cloud, id_: ResourceId) -> None:
        body = cloud.body(id_)
        assert body is not None
        if not vpn_connections.is_vpn(body["properties"]):
            cloud.write(id_, {**body, "properties": {**body["properties"], "connectionStatus": "Connected"}})

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        properties = body["properties"]
        if not vpn_connections.is_vpn(properties) or properties.get("provisioningState") != "Succeeded":
            return body
        status = properties.get("connectionStatus") or vpn_connections.status(cloud, id_, body)
        return {**body, "properties": {**properties, "connectionStatus": status}}

    def rows(self, call: Call, found: list[Body]) -> list[Body]:
        return [vpn_connections.listed(body) for body in super().rows(call, found)]

    def seed(self, cloud: Cloud, body: Body) -> Body:
        return {**body, "properties": {"connectionStatus": "Connected", "routingWeight": 0, **body["properties"]}}


def network_of(cloud: Cloud, gateway: str | None) -> ResourceId | None:
    """The network that a gateway stands in."""
    subnet = None if gateway is None else subnet_of(cloud.body(gateway))
    return None if subnet is None else resource_id(subnet).parent


def announced_by(cloud: Cloud, gateway: str | None) -> dict[Network, ResourceId]:
    """What a gateway says of Azure: its network's space and that of every network that uses it (R40)."""
    network = network_of(cloud, gateway)
    if network is None:
        return {}
    found = dict.fromkeys(space_of(cloud.body(network)), network)
    for half in peerings_of(cloud, network):
        if not half["properties"].get("allowGatewayTransit") or half["properties"].get("peeringState") != "Connected":
            continue
        remote = resource_id(str(ref(half, "remoteVirtualNetwork")))
        for other in peerings_of(cloud, remote):
            back = ref(other, "remoteVirtualNetwork")
            if back and back.lower() == network.key and other["properties"].get("useRemoteGateways"):
                found |= dict.fromkeys(space_of(cloud.body(remote)), remote)
    return found


def _check_provisioned(put: Put, gateway_id: ResourceId, gateway: Body) -> None:
    state = gateway["properties"].get("provisioningState")
    if is_young(put.cloud, gateway_id) or state not in ("Succeeded", "Updating"):
        raise bad_request(
            "ReferencedResourceNotProvisioned",
            f"Cannot proceed with operation because resource {gateway_id.text} used by resource {put.id.text} is not "
            f"in Succeeded state. Resource is in {state} state and the last operation that updated/is updating the "
            "resource is PutVirtualNetworkGatewayOperation.",
        )


def _check_same(put: Put, gateway: ResourceId, circuit: ResourceId) -> None:
    before = put.before or {}
    if (ref(before, "virtualNetworkGateway1") or "").lower() != gateway.key or (
        ref(before, "peer") or ""
    ).lower() != circuit.key:
        raise bad_request(
            "PropertyChangeNotAllowed", f"Connection {put.id.text}: its gateway and its circuit cannot be changed."
        )


def _check_circuit(put: Put, circuit: Body) -> None:
    """E33; no page names the codes: ours."""
    state = circuit["properties"].get("serviceProviderProvisioningState")
    if state != "Provisioned":
        raise bad_request(
            "ExpressRouteCircuitNotProvisioned", f"Circuit {circuit['id']} is not provisioned by its provider: {state}."
        )
    circuit_id = resource_id(str(circuit["id"]))
    private = put.cloud.body(circuit_id.child("peerings", "AzurePrivatePeering"))
    if private is None or private["properties"].get("state", "Enabled") != "Enabled":
        raise bad_request(
            "ExpressRouteCircuitPrivatePeeringNotConfigured", f"Circuit {circuit_id.text} has no private peering."
        )


def _check_key(put: Put, circuit_id: ResourceId) -> None:
    """E34: a circuit of another subscription needs an authorization that nobody has used; a connection stays with the
    one that it was made with."""
    key, held = put.properties.get("authorizationKey"), put.before_properties.get("authorizationKey")
    ours = circuit_id.subscription.lower() == put.id.subscription.lower()
    if (key and key == held) or (not key and (ours or put.before is not None)):
        return
    known = {
        body["properties"].get("authorizationKey"): body for body in put.cloud.children(circuit_id, "authorizations")
    }
    used = [
        body["id"]
        for body in put.cloud.of_type(CONNECTIONS)
        if key and body["properties"].get("authorizationKey") == key
    ]
    if key not in known or used:
        raise bad_request(
            "AuthorizationKeyInvalid",
            f"Connection {put.id.text}: circuit {circuit_id.text} knows no free authorization with this key"
            + (f", it is used by {used[0]}." if used else "."),
        )


def _check_numbers(put: Put, gateway_id: ResourceId, gateway: Body, circuit_id: ResourceId, circuit: Body) -> None:
    """E15, E16, E27; no page names the codes: ours."""
    for other in connections_of(put.cloud, circuit_id):
        if (ref(other, "virtualNetworkGateway1") or "").lower() == gateway_id.key:
            raise bad_request(
                "ConnectionAlreadyExists", f"{other['id']} already connects {gateway_id.text} with {circuit_id.text}."
            )
    must_have_room(put.cloud, circuit, more=1)
    of_gateway = [
        item
        for item in put.cloud.of_type(CONNECTIONS)
        if (ref(item, "virtualNetworkGateway1") or "").lower() == gateway_id.key
    ]
    limit = LINKS_PER_GATEWAY.get(str((gateway["properties"].get("sku") or {}).get("name")))
    if limit is not None and len(of_gateway) >= limit:
        raise bad_request("GatewayConnectionLimit", f"Gateway {gateway_id.text} has {limit} connections already (E27).")
    place = place_of(circuit)
    there = [place_of(put.cloud.body(peer) or {}).lower() for item in of_gateway if (peer := ref(item, "peer"))]
    if place and there.count(place.lower()) >= SAME_PLACE:
        raise bad_request(
            "GatewayConnectionLimit",
            f"Gateway {gateway_id.text} has connections to {SAME_PLACE} circuits at {place} already (E16).",
        )


def _check_overlap(put: Put, gateway_id: ResourceId, circuit_id: ResourceId) -> None:
    """E39."""
    cloud = put.cloud
    mine = announced_by(cloud, gateway_id.text)
    for other in connections_of(cloud, circuit_id):
        theirs_id = ref(other, "virtualNetworkGateway1")
        if theirs_id is None or cloud.is_lost(cloud.region_of(resource_id(theirs_id))):
            continue
        met = overlapping(mine, announced_by(cloud, theirs_id))
        if met:
            raise bad_request(
                "ExpressRouteCircuitVnetAddressSpaceOverlap",
                f"Connection {put.id.text} cannot be created: the address space of the networks behind gateway "
                f"{gateway_id.text} overlaps with that of connection {other['id']} on the same circuit. Overlapping "
                f"address prefixes: {', '.join(map(str, met))}.",
            )
