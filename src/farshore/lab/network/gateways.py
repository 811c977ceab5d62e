"""Microsoft.Network/virtualNetworkGateways: the long wait of a recovery (E20 to E25, E24 above all).

A PUT takes about 38 minutes; until then the gateway can be seen, is Updating and does nothing. Then it has its BGP
addresses, at the top of GatewaySubnet (`gateway_bodies.py`). What can be asked of it: learned and advertised routes
and its BGP peers, POSTs that take some seconds (E11; recorded: 202 with location alone).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from farshore.arm.decode import is_address
from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab import operations, registry
from farshore.lab.answers import Refused, bad_request, quoted
from farshore.lab.bodies import Link
from farshore.lab.call import Call
from farshore.lab.cloud import must_have
from farshore.lab.network import gateway_bodies, router_tables, vpn_peers
from farshore.lab.network.addresses import subnet_prefixes
from farshore.lab.network.peerings import uses_remote_gateways
from farshore.lab.network.references import CONNECTIONS, GATEWAYS, configuration_links, configurations, ref
from farshore.lab.network.virtual_networks import gateways_in, peerings_of
from farshore.lab.paging import page
from farshore.lab.registry import action, completion, resource_type, view
from farshore.lab.types import Put, ResourceType, is_young, set_state

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

EXPRESS_ROUTE_SKUS = (
    "Standard",
    "HighPerformance",
    "UltraPerformance",
    "ErGw1AZ",
    "ErGw2AZ",
    "ErGw3AZ",
    "ErGwScale",
)
"""E21."""
BASIC_REFUSED_SINCE = datetime(2024, 1, 1, tzinfo=UTC)
RESIZES = {
    ("Standard", "HighPerformance"),
    ("HighPerformance", "UltraPerformance"),
    ("Standard", "UltraPerformance"),
    ("HighPerformance", "Standard"),
    ("ErGw1AZ", "ErGw2AZ"),
    ("ErGw2AZ", "ErGw3AZ"),
    ("ErGw1AZ", "ErGw3AZ"),
    ("ErGw2AZ", "ErGw1AZ"),
}
"""E22: anything else is delete and recreate."""


@resource_type(GATEWAYS)
class VirtualNetworkGateways(ResourceType):
    forwards = True
    nested = ("natRules",)
    keep_omitted = ("natRules",)
    put_takes = "virtualNetworkGateways.put"
    update_takes = "virtualNetworkGateways.update"
    delete_takes = "virtualNetworkGateways.delete"

    def validate(self, put: Put) -> None:
        kind = gateway_bodies.kind_of(put.properties)
        if kind is None:
            told = quoted(put.properties.get("gatewayType"))
            raise bad_request("InvalidRequestFormat", f"Gateway {put.id.text}: gatewayType is {told}.")
        sku = (put.properties.get("sku") or {}).get("name")
        if kind == "ExpressRoute" and sku not in EXPRESS_ROUTE_SKUS:
            raise bad_request(
                "InvalidGatewaySkuSpecifiedForGatewayDeploymentType",
                f"Virtual network gateway Sku specified is not valid for gateway {put.id.text} with DeploymentType "
                f"VMScaleSet. The allowed Skus are {', '.join(EXPRESS_ROUTE_SKUS)}.",
            )
        _check_same(put, kind)
        _check_resize(put, str(sku))
        items = configurations(put.body)
        if not items:
            raise bad_request("InvalidRequestFormat", f"Gateway {put.id.text} has no ipConfigurations.")
        for item in items:
            _check_configuration(put, item, kind)

    def on_put(self, put: Put) -> Body:
        body = self.standard(put)
        return {**body, "properties": gateway_bodies.kept(put, body)}

    def on_ready(self, cloud: Cloud, id_: ResourceId) -> None:
        body = cloud.body(id_)
        assert body is not None
        cloud.write(id_, {**body, "properties": gateway_bodies.ready(cloud, body)})

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        return gateway_bodies.shown(body, cloud.etag(id_))

    def patch(self, call: Call) -> Response:
        """Recorded: 200 with the gateway Updating, and no address to poll."""
        super().patch(call)
        takes = call.cloud.duration("virtualNetworkGateways.tags", call.id.key)
        set_state(call.cloud, call.id, "Updating")
        self.begin(call, call.id, "put", created=False, takes=takes)
        return self.get(call)

    def links(self, body: Body) -> Iterator[Link]:
        return configuration_links(body)

    def seed(self, cloud: Cloud, body: Body) -> Body:
        items = [
            {**item, "id": item.get("id") or f"{body['id']}/ipConfigurations/{item.get('name') or 'default'}"}
            for item in configurations(body)
        ]
        return {**body, "properties": {**body["properties"], "ipConfigurations": items}}

    def on_delete(self, cloud: Cloud, id_: ResourceId) -> None:
        used = _connections(cloud, id_)
        if used:
            raise Refused(
                400,
                "VirtualNetworkGatewayCannotBeDeleted",
                f"Virtual network gateway {id_.text} cannot be deleted because it has connections: {used[0]['id']}.",
            )


def _connections(cloud: Cloud, gateway: ResourceId) -> list[Body]:
    """Those that have it at either end."""
    ends = ("virtualNetworkGateway1", "virtualNetworkGateway2")
    return [
        item for item in cloud.of_type(CONNECTIONS) if gateway.key in {(ref(item, end) or "").lower() for end in ends}
    ]


def _check_same(put: Put, kind: str) -> None:
    """E22: what is no change of size is a new gateway."""
    before = put.before_properties.get("gatewayType")
    if before is not None and before != kind:
        raise bad_request(
            "PropertyChangeNotAllowed",
            f"Gateway {put.id.text}: gatewayType cannot be changed from {before} to {kind}: delete and recreate it.",
        )


def _check_resize(put: Put, sku: str) -> None:
    before = (put.before_properties.get("sku") or {}).get("name")
    if before is not None and before != sku and (before, sku) not in RESIZES:
        # E22; no page names the code: ours.
        raise bad_request(
            "GatewaySkuChangeNotAllowed",
            f"Gateway {put.id.text} cannot be resized from {before} to {sku}: delete and recreate it.",
        )


def _check_configuration(put: Put, item: Body, kind: str) -> None:
    cloud = put.cloud
    subnet_text = ref(item, "subnet")
    must_have(cloud, subnet_text, put.id.text)
    subnet = resource_id(str(subnet_text))
    network = subnet.parent
    assert network is not None
    if subnet.name.lower() != "gatewaysubnet":
        raise bad_request(
            "InvalidGatewaySubnet", f"Gateway {put.id.text}: its subnet must be named GatewaySubnet, not {subnet.name}."
        )
    if cloud.region_of(subnet) != put.location:
        raise bad_request(
            "InvalidResourceReference",
            f"Resource {subnet.text} referenced by resource {put.id.text} was not found in region {put.location}.",
        )
    small = [space for space in subnet_prefixes(cloud, subnet) if space.version == 4 and space.prefixlen > 27]
    if put.created and small:
        # E23: /27 or larger for new deployments; no page names the code: ours.
        raise bad_request("GatewaySubnetTooSmall", f"GatewaySubnet {small[0]} is smaller than /27.")
    _check_address(put, item, kind)
    others = [body for body in gateways_in(cloud, network, kind) if str(body["id"]).lower() != put.id.key]
    if others:
        raise bad_request(
            "ParentVnetAlreadyHasGateways",
            f"Virtual network {network.text} already has a gateway of type {kind}: {others[0]['id']}.",
        )
    user = next((half for half in peerings_of(cloud, network) if uses_remote_gateways(half)), None)
    if user is not None:
        raise bad_request(
            "ParentVnetAlreadyHasGateways",
            f"Virtual network {network.text} uses the gateways of a peer by {user['id']} and can have none of its own.",
        )
    if put.created:
        _check_table(put, subnet)


def _check_address(put: Put, item: Body, kind: str) -> None:
    """E25: a Basic public address is refused, since 2024."""
    public = ref(item, "publicIPAddress")
    if public is None:
        return
    body = must_have(put.cloud, public, put.id.text)
    basic = (body.get("sku") or {}).get("name") == "Basic"
    if kind == "ExpressRoute" and basic and put.cloud.now >= BASIC_REFUSED_SINCE:
        raise bad_request(
            "PublicIpWithBasicSkuNotAllowedOnExpressRouteGateways",
            f"Basic IP configuration for Express Route gateways is not supported: {public}.",
        )


def _check_table(put: Put, subnet: ResourceId) -> None:
    """R35: a 0/0 route on GatewaySubnet blocks the creation; no page names the code (L33): ours."""
    table = ref(put.cloud.body(subnet), "routeTable")
    if table is None:
        return
    for route in put.cloud.children(resource_id(table), "routes"):
        if route["properties"].get("addressPrefix") in ("0.0.0.0/0", "::/0"):
            raise bad_request(
                "DefaultRouteNotAllowedOnGatewaySubnet",
                f"Route {route['id']} on {subnet.text} is a default route: a gateway cannot be created there.",
            )


def _asked(call: Call, verb: str) -> Response:
    body = call.must_exist()
    state = body["properties"].get("provisioningState")
    if is_young(call.cloud, call.id) or state not in ("Succeeded", "Updating"):
        raise Refused(409, "GatewayNotProvisioned", f"Gateway {call.id.text} is not provisioned.")
    peer = call.query.get("peer")
    if peer is not None and not is_address(peer):
        raise bad_request("InvalidRequestFormat", f"peer is a neighbour's address, not {quoted(peer)}.")
    return call.accept(verb, duration="network.query", data={"peer": peer})


@action(GATEWAYS, "getLearnedRoutes")
def learned(call: Call) -> Response:
    return _asked(call, "getLearnedRoutes")


@action(GATEWAYS, "getAdvertisedRoutes")
def advertised(call: Call) -> Response:
    return _asked(call, "getAdvertisedRoutes")


@action(GATEWAYS, "getBgpPeerStatus")
def peers(call: Call) -> Response:
    return _asked(call, "getBgpPeerStatus")


@action(GATEWAYS, "getVpnClientConnectionHealth")
def clients(call: Call) -> Response:
    return _asked(call, "getVpnClientConnectionHealth")


@action(GATEWAYS, "reset")
def reset(call: Call) -> Response:
    """Its instances start anew, one after the other: forwarding goes on."""
    call.must_exist()
    call.must_be_free()
    headers = ("azure-asyncoperation", "location")
    return call.accept("reset", duration="virtualNetworkGateways.reset", headers=headers, lock=True)


@action(GATEWAYS, "supportedVpnDevices")
def devices(call: Call) -> Response:
    """The list of routers that Azure writes configurations for: this lab knows of none."""
    call.must_exist()
    return Response(
        status=200, body='<?xml version="1.0" encoding="utf-8"?><RpVpnDeviceList version="1.0"></RpVpnDeviceList>'
    )


@view(GATEWAYS, "connections")
def connections(call: Call) -> Response:
    """The connections of a gateway."""
    call.must_exist()
    kind = registry.TYPES[CONNECTIONS.lower()]
    return page(call, kind.rows(call, _connections(call.cloud, call.id)))


@completion(GATEWAYS, "getLearnedRoutes")
def told_learned(cloud: Cloud, operation: Operation) -> Body:
    operations.must_be_there(cloud, operation)
    return {"value": router_tables.gateway_learned(cloud, operation.resource_id)}


@completion(GATEWAYS, "getAdvertisedRoutes")
def told_advertised(cloud: Cloud, operation: Operation) -> Body:
    operations.must_be_there(cloud, operation)
    data: Any = operation.data
    return {"value": router_tables.gateway_advertised(cloud, operation.resource_id, data.get("peer"))}


@completion(GATEWAYS, "getBgpPeerStatus")
def told_peers(cloud: Cloud, operation: Operation) -> Body:
    operations.must_be_there(cloud, operation)
    rows = router_tables.gateway_peers(cloud, operation.resource_id)
    rows += vpn_peers.silent(cloud, operation.resource_id, {str(row["neighbor"]) for row in rows})
    data: Any = operation.data
    return {"value": [row for row in rows if data.get("peer") in (None, row["neighbor"])]}


@completion(GATEWAYS, "getVpnClientConnectionHealth")
def told_clients(cloud: Cloud, operation: Operation) -> Body:
    """Nobody dials in to this lab."""
    operations.must_be_there(cloud, operation)
    return {"value": []}


@completion(GATEWAYS, "reset")
def was_reset(cloud: Cloud, operation: Operation) -> None:
    operations.must_be_there(cloud, operation)
    cloud.let_go(operation.resource_id, operation.id)
