"""Microsoft.Network/privateLinkServices: a service behind a balancer, offered to private endpoints of others.

    PUT          it gets an alias, and a NIC in its subnet at once: `{name}.nic.{guid}` (recorded)
    connections  one for each endpoint that leads to it, `{endpoint}.{guid of the endpoint}`. What its owner says to
                 one is shown at the endpoint; one that is deleted leaves the endpoint Disconnected

No packet is carried through it: what an endpoint leads to is not looked at (`docs/lab-fidelity.md`).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from farshore.arm.ids import ResourceId, make_id, resource_id
from farshore.arm.json import Body
from farshore.lab import shapes
from farshore.lab.answers import Refused
from farshore.lab.network.references import FRONTENDS, NICS, ref
from farshore.lab.network.shape_only import Shape, ShapeOnly
from farshore.lab.patterns import NETWORK
from farshore.lab.registry import resource_type
from farshore.lab.types import Put, make

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

SERVICES = "Microsoft.Network/privateLinkServices"
CONNECTIONS = f"{SERVICES}/privateEndpointConnections"
AUTOMATIC, MANUAL = "privateLinkServiceConnections", "manualPrivateLinkServiceConnections"
STATE = "privateLinkServiceConnectionState"
DISCONNECTED: Body = {"status": "Disconnected", "description": "Deleted state", "actionsRequired": "None"}


@resource_type(SERVICES)
class PrivateLinkServices(ShapeOnly):
    shape = Shape(shown={"enableProxyProtocol": False, "fqdns": []})
    nested = ("privateEndpointConnections",)
    keep_omitted = nested
    labels = {"privateEndpointConnections": "privateEndpointConnections"}  # noqa: RUF012
    read_only = ("provisioningState", "resourceGuid", "alias", "networkInterfaces", "privateEndpointConnections")

    def on_put(self, put: Put) -> Body:
        body = super().on_put(put)
        properties = body["properties"]
        guid = put.cloud.guid("private link alias", put.id.key)
        properties.setdefault("alias", f"{put.id.name}.{guid}.{put.location}.azure.privatelinkservice")
        properties.setdefault("networkInterfaces", [])
        fronts = properties.get("loadBalancerFrontendIpConfigurations")
        shapes.must_be_objects(fronts or [], "properties.loadBalancerFrontendIpConfigurations")
        properties["loadBalancerFrontendIpConfigurations"] = [_front(item) for item in fronts or []]
        places = properties.get("ipConfigurations")
        properties["ipConfigurations"] = [_place(item, at == 0) for at, item in enumerate(places or [])]
        return body

    def after_put(self, put: Put) -> None:
        """It is there without a NIC where the subnet has no room for one."""
        cloud, body = put.cloud, put.cloud.body(put.id)
        if body is None or body["properties"]["networkInterfaces"]:
            return
        with suppress(Refused):
            nic = {"id": _make_nic(cloud, put.id, body).text}
            cloud.write(put.id, {**body, "properties": {**body["properties"], "networkInterfaces": [nic]}})

    def on_gone(self, cloud: Cloud, id_: ResourceId, body: Body) -> None:
        for item in body["properties"].get("networkInterfaces") or []:
            nic = resource_id(str(item["id"]))
            if cloud.exists(nic):
                cloud.type_of(nic).take_away(cloud, nic)


@resource_type(CONNECTIONS)
class Connections(ShapeOnly):
    shape = Shape()
    tracked = False
    pattern = replace(NETWORK, put_created=200)
    read_only = ("provisioningState", "privateEndpoint", "linkIdentifier")

    def on_put(self, put: Put) -> Body:
        body = super().on_put(put)
        properties = body["properties"]
        told = {"status": "Pending", "description": "", "actionsRequired": ""}
        properties[STATE] = {**told, **(put.properties.get(STATE) or {})}
        return body

    def after_put(self, put: Put) -> None:
        body = put.cloud.body(put.id)
        if body is not None:
            tell(put.cloud, put.id, body, body["properties"][STATE])

    def on_gone(self, cloud: Cloud, id_: ResourceId, body: Body) -> None:
        tell(cloud, id_, body, DISCONNECTED)


def connect(cloud: Cloud, endpoint: ResourceId, body: Body) -> None:
    """Show an endpoint at the services that it leads to, as its body has the connection now."""
    for connection, item in _connections(endpoint, body):
        if connection.parent is None or not cloud.exists(connection.parent):
            continue
        state = dict(item["properties"][STATE])
        held = cloud.body(connection)
        if held is not None:
            cloud.write(connection, {**held, "properties": {**held["properties"], STATE: state}})
            continue
        number = cloud.chance("link identifier", connection.key)
        properties = {
            "provisioningState": "Succeeded",
            "privateEndpoint": {"id": endpoint.text},
            STATE: state,
            "linkIdentifier": str(int(number * (1 << 30))),
        }
        shown = {"name": connection.name, "id": connection.text, "type": CONNECTIONS, "properties": properties}
        cloud.write(connection, shown)


def disconnect(cloud: Cloud, endpoint: ResourceId, body: Body) -> None:
    for connection, _ in _connections(endpoint, body):
        cloud.remove(connection)


def _connections(endpoint: ResourceId, body: Body) -> list[tuple[ResourceId, Body]]:
    """Each of an endpoint's connections to a service, with the name that it has there."""
    found = []
    for kind in (AUTOMATIC, MANUAL):
        for item in body["properties"].get(kind) or []:
            target = str((item.get("properties") or {}).get("privateLinkServiceId"))
            if f"/{SERVICES}/".lower() in target.lower() and STATE in item["properties"]:
                name = f"{endpoint.name}.{body['properties'].get('resourceGuid')}"
                found.append((resource_id(target).child("privateEndpointConnections", name), item))
    return found


def tell(cloud: Cloud, id_: ResourceId, body: Body, state: Body) -> None:
    """Write what became of a connection to the endpoint that has it."""
    endpoint = ref(body, "privateEndpoint")
    held = None if endpoint is None else cloud.body(resource_id(endpoint))
    if held is None:
        return
    service = str(id_.parent).lower()
    properties = dict(held["properties"])
    for kind in (AUTOMATIC, MANUAL):
        properties[kind] = [_told(item, service, state) for item in properties.get(kind) or []]
    cloud.write(resource_id(str(held["id"])), {**held, "properties": properties})


def _told(item: Body, service: str, state: Body) -> Body:
    if str((item.get("properties") or {}).get("privateLinkServiceId")).lower() != service:
        return item
    return {**item, "properties": {**item["properties"], STATE: dict(state)}}


def _front(item: Body) -> Body:
    """A frontend by its id, whose kind is shown in Azure's spelling, however it was sent (recorded)."""
    if not item.get("id"):
        return item
    id_ = resource_id(str(item["id"]))
    if id_.type.lower() == FRONTENDS.lower() and id_.parent is not None:
        id_ = id_.parent.child(FRONTENDS.rsplit("/", 1)[1], id_.name)
    return {"id": id_.text}


def _place(item: Body, first: bool) -> Body:
    shown = {"privateIPAllocationMethod": "Dynamic", "primary": first, "privateIPAddressVersion": "IPv4"}
    return {**item, "properties": {**shown, **(item.get("properties") or {})}}


def _make_nic(cloud: Cloud, service: ResourceId, body: Body) -> ResourceId:
    """Raises `Refused` where its subnet has no address for it."""
    guid = cloud.guid("service nic", service.key, cloud.count("service nic", service.key))
    nic = make_id(service.subscription, str(service.resource_group), NICS, f"{service.name}.nic.{guid}")
    places = [
        {
            "name": str(item.get("name")),
            "properties": {"subnet": {"id": ref(item, "subnet")}, "primary": item["properties"]["primary"]},
        }
        for item in body["properties"].get("ipConfigurations") or []
    ]
    make(cloud, {"id": nic.text, "location": body["location"], "properties": {"ipConfigurations": places}})
    made = cloud.body(nic)
    assert made is not None
    cloud.write(nic, {**made, "properties": {**made["properties"], "privateLinkService": {"id": service.text}}})
    return nic
