"""Global Reach: Microsoft.Network/expressRouteCircuits/peerings/connections, and `peerConnections` seen from there.

A connection joins the private peerings of two circuits, so that their sites reach each other over Microsoft's edge
(E46). It is made below one of them; the other shows it as a peer connection, which nobody writes. Both peerings must
be there, `addressPrefix` is a /29 for the links between the edges. Whether the circuits can be joined is found out
after the PUT was taken: its operation fails where the provider has not done its part for the circuit that it is made
below (recorded, of two circuits at one place too); no page names the other codes: ours. Packets of this lab don't take
that way yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab.answers import Refused, bad_request, child_not_found
from farshore.lab.call import Call
from farshore.lab.cloud import must_have
from farshore.lab.network.addresses import prefix
from farshore.lab.network.circuit_links import CIRCUIT_CONNECTIONS, is_joined, joined_with, must_have_room, must_join
from farshore.lab.network.circuit_peerings import PEERINGS
from farshore.lab.network.circuits import OfCircuit
from farshore.lab.network.references import ref
from farshore.lab.registry import resource_type
from farshore.lab.types import Put, ResourceType

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

PEER_CONNECTIONS = PEERINGS + "/peerConnections"
ENDS = ("expressRouteCircuitPeering", "peerExpressRouteCircuitPeering")
LINKS_PREFIX_LENGTH = 29
"""Of `addressPrefix`, which the two MSEEs share out."""


@resource_type(CIRCUIT_CONNECTIONS)
class CircuitConnections(OfCircuit):
    put_takes = "expressRouteCircuits.peerings.put"
    read_only = ("provisioningState", "circuitConnectionStatus")

    def validate(self, put: Put) -> None:
        own = put.id.parent
        for end in ENDS:
            text = ref(put.body, end)
            if text is None and end == ENDS[0]:
                continue
            must_have(put.cloud, text, put.id.text)
            if resource_id(str(text)).name != "AzurePrivatePeering":
                raise bad_request("InvalidCircuitConnection", f"{text} of {put.id.text} is no private peering.")
        if ref(put.body, ENDS[1]) and own is not None and resource_id(str(ref(put.body, ENDS[1]))) == own:
            raise bad_request("InvalidCircuitConnection", f"{put.id.text} connects a circuit with itself.")
        if own is not None and put.created:
            _check_room(put, own)
        text = put.properties.get("addressPrefix")
        if not text or prefix(text, put.id.text).prefixlen != LINKS_PREFIX_LENGTH:
            raise bad_request("InvalidAddressPrefix", f"addressPrefix {text} of {put.id.text} is no /29.")

    def on_put(self, put: Put) -> Body:
        body = self.standard(put)
        own = put.id.parent
        assert own is not None
        ends = {ENDS[0]: {"id": ref(put.body, ENDS[0]) or own.text}, ENDS[1]: {"id": ref(put.body, ENDS[1])}}
        properties = {"circuitConnectionStatus": "Disconnected", **body["properties"], **ends}
        return {**body, "properties": properties}

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        """Recorded: one that has failed shows itself as connected."""
        if body["properties"].get("provisioningState") != "Failed":
            return body
        return {**body, "properties": {**body["properties"], "circuitConnectionStatus": "Connected"}}

    def on_ready(self, cloud: Cloud, id_: ResourceId) -> None:
        body = cloud.body(id_)
        assert body is not None
        _must_be_provisioned(cloud, id_)
        must_join(*_circuits(cloud, body))
        cloud.write(id_, {**body, "properties": {**body["properties"], "circuitConnectionStatus": "Connected"}})


def _circuits(cloud: Cloud, body: Body) -> tuple[Body, Body]:
    """Those at both ends of a connection that has been kept."""
    one, other = (cloud.body(resource_id(str(ref(body, end))).top) for end in ENDS)
    assert one is not None
    if other is None:
        raise bad_request("InvalidCircuitConnection", f"The other circuit of {body['id']} has gone.")
    return one, other


def _check_room(put: Put, own: ResourceId) -> None:
    """E15."""
    cloud = put.cloud
    other = resource_id(str(ref(put.body, ENDS[1]))).top
    if other not in joined_with(cloud, own.top):
        for circuit in (own.top, other):
            body = cloud.body(circuit)
            assert body is not None
            must_have_room(cloud, body, more=1)


def _must_be_provisioned(cloud: Cloud, connection: ResourceId) -> None:
    circuit = (cloud.body(connection.top) or {}).get("properties") or {}
    state = circuit.get("serviceProviderProvisioningState")
    if state == "NotProvisioned":
        raise Refused(
            409,
            "InitiatingCircuitNotProvisioned",
            f"Put Global Reach Connection Initiating Circuit Subscription = {connection.subscription}, ServiceKey = "
            f"{circuit.get('serviceKey')} is Not Provisioned. Current Status {state}",
        )


@resource_type(PEER_CONNECTIONS)
class PeerConnections(ResourceType):
    """Read from the connections of other circuits; there is nothing to keep."""

    tracked = False

    def get(self, call: Call) -> Response:
        parent = call.id.parent
        assert parent is not None
        for body in _seen_from(call.cloud, parent):
            if str(body["name"]).lower() == call.id.name.lower():
                return Response(status=200, body=body)
        raise child_not_found(call.id)

    def rows(self, call: Call, found: list[Body]) -> list[Body]:
        return _seen_from(call.cloud, call.id)

    def put(self, call: Call) -> Response:
        raise Refused(405, "MethodNotAllowed", f"{self.type} is made by a connection of the other circuit.")

    patch = put
    delete = put


def _seen_from(cloud: Cloud, peering: ResourceId) -> list[Body]:
    found = []
    for body in cloud.of_type(CIRCUIT_CONNECTIONS):
        if (ref(body, ENDS[1]) or "").lower() != peering.key:
            continue
        if not is_joined(body):
            continue
        properties = body["properties"]
        found.append(
            {
                "name": body["name"],
                "id": f"{peering.text}/peerConnections/{body['name']}",
                "etag": cloud.etag(peering),
                "type": PEER_CONNECTIONS,
                "properties": {
                    "provisioningState": properties.get("provisioningState", "Succeeded"),
                    ENDS[0]: {"id": peering.text},
                    ENDS[1]: {"id": ref(body, ENDS[0])},
                    "addressPrefix": properties.get("addressPrefix"),
                    "circuitConnectionStatus": properties.get("circuitConnectionStatus", "Connected"),
                    "connectionName": body["name"],
                },
            }
        )
    return found
