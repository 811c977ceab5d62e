"""Microsoft.Network/expressRouteCircuits/peerings, and what can be asked of them (E8, E9, E11).

`routeTables/{link}`, `routeTablesSummary/{link}` and `arpTables/{link}` are POSTs that take a few seconds; their rows
come from `farshore.routing` on the lab's own resources and sites at the moment when the answer is made: what the MSEE
of that link knows, from the site and from the gateways that are connected. Locations are those of the edge, not of
the circuit's ARM region, but the answer is given by the circuit's control plane.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab import operations
from farshore.lab.answers import Refused, bad_request
from farshore.lab.call import Call
from farshore.lab.network import asns, router_tables
from farshore.lab.network.addresses import overlapping, prefix, space_of
from farshore.lab.network.circuit_links import connections_of
from farshore.lab.network.circuits import CIRCUITS, COUNTERS, OfCircuit
from farshore.lab.network.references import ref
from farshore.lab.registry import action, completion, resource_type, view
from farshore.lab.types import Put

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

PEERINGS = CIRCUITS + "/peerings"
KINDS = ("AzurePrivatePeering", "MicrosoftPeering")
LINKS = ("primary", "secondary")


@resource_type(PEERINGS)
class CircuitPeerings(OfCircuit):
    forwards = True
    nested = ("connections",)
    keep_omitted = ("connections",)
    put_takes = "expressRouteCircuits.peerings.put"
    read_only = (
        "provisioningState",
        "azureASN",
        "primaryAzurePort",
        "secondaryAzurePort",
        "lastModifiedBy",
        "gatewayManagerEtag",
        "peeredConnections",
    )

    def validate(self, put: Put) -> None:
        kind = put.properties.get("peeringType") or put.id.name
        if kind not in KINDS or put.id.name != kind:
            raise bad_request("InvalidPeeringType", f"Peering {put.id.text}: peeringType and name must be of {KINDS}.")
        ranges = []
        for name in ("primaryPeerAddressPrefix", "secondaryPeerAddressPrefix"):
            text = put.properties.get(name)
            if not text:
                raise bad_request("InvalidRequestFormat", f"Peering {put.id.text} has no {name}.")
            ranges.append(prefix(text, put.id.text))
        if overlapping(ranges[:1], ranges[1:]):
            raise bad_request("InvalidPeerAddressPrefix", f"The two ranges of peering {put.id.text} overlap.")
        if not isinstance(put.properties.get("peerASN"), int) or not isinstance(put.properties.get("vlanId"), int):
            raise bad_request("InvalidRequestFormat", f"Peering {put.id.text} needs a peerASN and a vlanId.")
        if put.properties["peerASN"] in asns.RESERVED:
            raise bad_request("InvalidPeerASN", f"ASN {put.properties['peerASN']} is reserved (65515 to 65520).")
        _check_networks(put, ranges)

    def on_put(self, put: Put) -> Body:
        body = self.standard(put)
        defaults = {"azureASN": 0, "state": "Enabled", "lastModifiedBy": "", "peeredConnections": []}
        properties = {**defaults, "peeringType": put.id.name, **body["properties"]}
        before = put.before_properties
        if properties.get("microsoftPeeringConfig") is not None:
            properties["microsoftPeeringConfig"] = _microsoft(properties, before)
        second = properties.get("ipv6PeeringConfig")
        if second is not None:
            second = {"state": "Enabled", **second}
            if second.get("microsoftPeeringConfig") is not None:
                second["microsoftPeeringConfig"] = _microsoft(second, before.get("ipv6PeeringConfig") or {})
            properties["ipv6PeeringConfig"] = second
        return {**body, "properties": properties}

    def on_ready(self, cloud: Cloud, id_: ResourceId) -> None:
        body = cloud.body(id_)
        assert body is not None
        parent = id_.parent
        circuit = parent.name if parent is not None else ""
        properties = {
            **body["properties"],
            "azureASN": asns.MICROSOFT,
            "primaryAzurePort": f"{circuit}-primary",
            "secondaryAzurePort": f"{circuit}-secondary",
            "lastModifiedBy": "Customer",
        }
        properties.setdefault("gatewayManagerEtag", "")
        for place in (properties, properties.get("ipv6PeeringConfig") or {}):
            config = place.get("microsoftPeeringConfig")
            if config and config.get("advertisedPublicPrefixes"):
                # Recorded: whose the prefixes are is checked after the peering is there.
                place["microsoftPeeringConfig"] = {**config, "advertisedPublicPrefixesState": "ValidationNeeded"}
        cloud.write(id_, {**body, "properties": properties})

    def on_delete(self, cloud: Cloud, id_: ResourceId) -> None:
        """Connections go first (the page on routing for circuits); it does not name the code: ours."""
        circuit = id_.parent
        assert circuit is not None
        used = connections_of(cloud, circuit) if id_.name == "AzurePrivatePeering" else []
        if used:
            raise Refused(
                400,
                "PeeringInUseCannotBeDeleted",
                f"Peering {id_.text} is in use by connection {used[0]['id']} and cannot be deleted.",
            )


def _microsoft(place: Body, before: Body) -> Body:
    """What Azure shows of the prefixes that a site announces to Microsoft."""
    config = place["microsoftPeeringConfig"]
    held = before.get("microsoftPeeringConfig") or {}
    state = held.get("advertisedPublicPrefixesState", "NotConfigured")
    return {
        "customerASN": 0,
        "legacyMode": 0,
        "routingRegistryName": "NONE",
        **config,
        "advertisedPublicPrefixesState": state,
    }


def _check_networks(put: Put, ranges: list[Any]) -> None:
    """E9: the ranges must not overlap a connected network's space."""
    circuit = put.id.parent
    assert circuit is not None
    from farshore.lab.network.connections import network_of

    for connection in connections_of(put.cloud, circuit):
        network = network_of(put.cloud, ref(connection, "virtualNetworkGateway1"))
        if network is not None and overlapping(ranges, space_of(put.cloud.body(network))):
            raise bad_request(
                "PeerAddressPrefixOverlapsVnet",
                f"The ranges of peering {put.id.text} overlap the address space of {network.text}.",
            )


def _asked(call: Call, verb: str) -> Response:
    call.must_exist()
    link = (call.argument or "").lower()
    if link not in LINKS:
        raise bad_request("InvalidDevicePath", f"'{call.argument or ''}' is no device path: primary or secondary.")
    return call.accept(verb, duration="network.query", data={"link": link})


@view(PEERINGS, "stats")
def stats(call: Call) -> Response:
    call.must_exist()
    return Response(status=200, body=dict.fromkeys(COUNTERS, 0))


@action(PEERINGS, "routeTables")
def route_tables(call: Call) -> Response:
    return _asked(call, "routeTables")


@action(PEERINGS, "routeTablesSummary")
def route_tables_summary(call: Call) -> Response:
    return _asked(call, "routeTablesSummary")


@action(PEERINGS, "arpTables")
def arp_tables(call: Call) -> Response:
    return _asked(call, "arpTables")


@completion(PEERINGS, "routeTables")
def told_routes(cloud: Cloud, operation: Operation) -> Body:
    """Rows `network, nextHop, locPrf, weight, path` (E11); a route to a private address in text, as it is shown."""
    operations.must_be_there(cloud, operation)
    return {"value": router_tables.circuit_rows(cloud, _circuit(operation), operation.data["link"])}


@completion(PEERINGS, "routeTablesSummary")
def told_summary(cloud: Cloud, operation: Operation) -> Body:
    operations.must_be_there(cloud, operation)
    return {"value": router_tables.circuit_summary(cloud, _circuit(operation), operation.data["link"])}


@completion(PEERINGS, "arpTables")
def told_neighbours(cloud: Cloud, operation: Operation) -> Body:
    """Ours and the customer's side of the link's /30 (E9)."""
    operations.must_be_there(cloud, operation)
    body = cloud.body(operation.resource_id) or {}
    text = (body.get("properties") or {}).get(f"{operation.data['link']}PeerAddressPrefix")
    if not text:
        return {"value": []}
    network = prefix(text, operation.resource)
    alive = router_tables.link_is_up(cloud, _circuit(operation), operation.data["link"])
    rows = [{"age": 0, "interface": "Microsoft", "ipAddress": str(network[2]), "macAddress": "0000.0c00.0002"}]
    if alive:
        rows.append({"age": 10, "interface": "On-Prem", "ipAddress": str(network[1]), "macAddress": "0000.0c00.0001"})
    return {"value": rows}


def _circuit(operation: Operation) -> ResourceId:
    parent = resource_id(operation.resource).parent
    assert parent is not None
    return parent
