"""Microsoft.Network/privateEndpoints: a NIC of Azure's own in a subnet, and a /32 to it in its network and the peers'.

    PUT     the subnet and what it leads to are looked at; 201 and an operation. Its NIC is there at once (recorded):
            `{name}.nic.{guid}`, or `customNetworkInterfaceName`, with the lowest free address, or the one that
            `ipConfigurations` gives
    ready   for services whose names are known, `customDnsConfigs` are shown; effective routes have an
            InterfaceEndpoint row (R8)
    DELETE  the NIC goes with it; by itself it can't be deleted

`privateLinkServiceConnections` are Approved at once, manual ones Pending until the other side's owner says yes; nobody
here does. A user-defined route governs an endpoint where its subnet's network policies are on (R49).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from farshore.arm.ids import ResourceId, make_id, resource_id
from farshore.arm.json import Body
from farshore.errors import InputError
from farshore.lab import registry, shapes
from farshore.lab.answers import Refused, bad_request, quoted
from farshore.lab.bodies import Link
from farshore.lab.cloud import must_have
from farshore.lab.network.addresses import check_static
from farshore.lab.network.private_link_services import (
    AUTOMATIC,
    DISCONNECTED,
    MANUAL,
    STATE,
    connect,
    disconnect,
)
from farshore.lab.network.references import NICS, configurations, ref
from farshore.lab.network.shape_only import Shape, ShapeOnly
from farshore.lab.registry import resource_type
from farshore.lab.types import Put, make

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

ENDPOINTS = "Microsoft.Network/privateEndpoints"
APPROVED: Body = {"status": "Approved", "description": "Auto-Approved", "actionsRequired": "None"}
PENDING: Body = {"status": "Pending", "description": "Awaiting approval", "actionsRequired": "None"}
SUFFIXES = {
    "blob": "blob.core.windows.net",
    "file": "file.core.windows.net",
    "queue": "queue.core.windows.net",
    "table": "table.core.windows.net",
    "dfs": "dfs.core.windows.net",
    "web": "web.core.windows.net",
    "vault": "vault.azure.net",
}
"""Group of a private link resource to the zone of its public names."""


@resource_type(ENDPOINTS)
class PrivateEndpoints(ShapeOnly):
    """See above."""

    shape = Shape(
        shown={
            AUTOMATIC: [],
            MANUAL: [],
            "customDnsConfigs": [],
            "networkInterfaces": [],
            "customNetworkInterfaceName": "",
            "ipConfigurations": [],
        }
    )
    shape_only = False
    read_only = ("provisioningState", "resourceGuid", "networkInterfaces")

    def validate(self, put: Put) -> None:
        subnet = ref(put.body, "subnet")
        if subnet is None:
            raise bad_request("InvalidRequestFormat", f"Private endpoint {put.id.text} has no subnet.")
        must_have(put.cloud, subnet, put.id.text)
        if put.cloud.region_of(resource_id(subnet)) != put.location:
            raise bad_request(
                "InvalidResourceReference",
                f"Resource {subnet} referenced by resource {put.id.text} was not found in region {put.location}.",
            )
        before = ref(put.before, "subnet")
        if before is not None and before.lower() != subnet.lower():
            # No page names the code: ours.
            raise bad_request(
                "PrivateEndpointSubnetCannotBeChanged",
                f"The subnet of private endpoint {put.id.text} cannot be changed.",
            )
        links = [*_connections(put.properties, AUTOMATIC), *_connections(put.properties, MANUAL)]
        if not links:
            raise bad_request("InvalidRequestFormat", f"Private endpoint {put.id.text} has no connection.")
        for item in links:
            _check_target(put, item)
        _check_addresses(put, resource_id(subnet))

    def on_put(self, put: Put) -> Body:
        body = super().on_put(put)
        properties = body["properties"]
        held = put.before_properties
        for kind, state in ((AUTOMATIC, APPROVED), (MANUAL, PENDING)):
            before = {item.get("name"): item["properties"].get(STATE) for item in _connections(held, kind)}
            properties[kind] = [
                _connection(item, state, before.get(item.get("name"))) for item in properties.get(kind) or []
            ]
        properties["networkInterfaces"] = held.get("networkInterfaces") or []
        return body

    def after_put(self, put: Put) -> None:
        """A NIC that can't be made fails the operation, not the PUT."""
        body = put.cloud.body(put.id)
        if body is not None:
            connect(put.cloud, put.id, body)
        if body is None or body["properties"].get("networkInterfaces"):
            return
        with suppress(Refused):
            nic = {"id": _make_nic(put.cloud, put.id, body).text}
            put.cloud.write(put.id, {**body, "properties": {**body["properties"], "networkInterfaces": [nic]}})

    def links(self, body: Body) -> Iterator[Link]:
        for kind in (AUTOMATIC, MANUAL):
            for item in _connections(body["properties"], kind):
                target = (item.get("properties") or {}).get("privateLinkServiceId")
                if target:
                    yield Link("endpoint", str(target).lower(), str(body["id"]))

    def on_ready(self, cloud: Cloud, id_: ResourceId) -> None:
        body = cloud.body(id_)
        assert body is not None
        properties = dict(body["properties"])
        if not properties.get("networkInterfaces"):
            properties["networkInterfaces"] = [{"id": _make_nic(cloud, id_, body).text}]
        nic = resource_id(properties["networkInterfaces"][0]["id"])
        addresses = [item["properties"].get("privateIPAddress") for item in configurations(cloud.body(nic) or {})]
        if not properties.get("customDnsConfigs"):
            properties["customDnsConfigs"] = list(_names(properties, [text for text in addresses if text]))
        cloud.write(id_, {**body, "properties": properties})

    def on_gone(self, cloud: Cloud, id_: ResourceId, body: Body) -> None:
        disconnect(cloud, id_, body)
        for item in body["properties"].get("networkInterfaces") or []:
            nic = resource_id(str(item["id"]))
            if cloud.exists(nic):
                cloud.type_of(nic).take_away(cloud, nic)

    def seed(self, cloud: Cloud, body: Body) -> Body:
        return body


def connections_of(cloud: Cloud, target: ResourceId) -> list[Body]:
    """What a resource shows of the endpoints that lead to it."""
    found = []
    for text in cloud.bodies.linked("endpoint", target.key):
        body = cloud.body(text)
        for kind in (AUTOMATIC, MANUAL):
            for item in _connections((body or {}).get("properties") or {}, kind):
                properties = item["properties"]
                if str(properties.get("privateLinkServiceId")).lower() != target.key:
                    continue
                state = dict(properties[STATE])
                if state.get("status") == DISCONNECTED["status"]:
                    continue
                state["actionRequired"] = state.pop("actionsRequired", "None")
                name = f"{target.name}.{cloud.guid('endpoint connection', text.lower(), item.get('name'))}"
                inner = {"provisioningState": "Succeeded", "privateEndpoint": {"id": text}}
                found.append(
                    {
                        "id": f"{target.text}/privateEndpointConnections/{name}",
                        "name": name,
                        "type": f"{target.type}/privateEndpointConnections",
                        "properties": {**inner, STATE: state},
                    }
                )
    return found


def _connections(properties: Body, kind: str) -> list[Body]:
    return [item for item in properties.get(kind) or [] if isinstance(item, dict)]


def _check_target(put: Put, item: Body) -> None:
    """What it leads to is there, where the lab has resources of its kind."""
    groups = (item.get("properties") or {}).get("groupIds") or []
    if not isinstance(groups, list) or not all(isinstance(group, str) for group in groups):
        raise bad_request("InvalidRequestFormat", f"{put.id.text}: groupIds is a list of names, not {quoted(groups)}.")
    text = (item.get("properties") or {}).get("privateLinkServiceId")
    try:
        target = resource_id(str(text))
    except InputError:
        raise bad_request(
            "LinkedInvalidPropertyId", f"Property id '{text}' at path 'privateLinkServiceId' is invalid."
        ) from None
    if target.type.lower() in registry.TYPES:
        must_have(put.cloud, target.text, put.id.text)


def _check_addresses(put: Put, subnet: ResourceId) -> None:
    """What is said of its NIC can be made."""
    name = put.properties.get("customNetworkInterfaceName")
    if name:
        shapes.must_be_name(str(name))
    items = put.properties.get("ipConfigurations") or []
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise bad_request("InvalidRequestFormat", f"{put.id.text}: ipConfigurations is a list of objects.")
    for item in items if put.created else ():
        asked = (item.get("properties") or {}).get("privateIPAddress")
        if asked is not None:
            check_static(put.cloud, subnet, asked, f"{put.id.text}/ipConfigurations/{item.get('name')}")


def _connection(item: Body, state: Body, before: Body | None) -> Body:
    """What became of it is its owner's word, whatever the endpoint's says later."""
    properties = item.get("properties") or {}
    now = before or properties.get(STATE) or state
    return {**item, "properties": {**properties, STATE: now, "provisioningState": "Succeeded"}}


def _make_nic(cloud: Cloud, endpoint: ResourceId, body: Body) -> ResourceId:
    """Raises `Refused` where the subnet has no address for it, or somebody has its name."""
    properties = body["properties"]
    guid = cloud.guid("endpoint nic", endpoint.key, cloud.count("endpoint nic", endpoint.key))
    name = properties.get("customNetworkInterfaceName") or f"{endpoint.name}.nic.{guid}"
    nic = make_id(endpoint.subscription, str(endpoint.resource_group), NICS, str(name))
    if cloud.exists(nic):
        raise Refused(409, "NetworkInterfaceNameInUse", f"A network interface named {name} is there already.")
    given: list[Any] = properties.get("ipConfigurations") or [{"name": "privateEndpointIpConfig"}]
    items = []
    for at, item in enumerate(given):
        asked = (item.get("properties") or {}).get("privateIPAddress")
        place: Body = {"subnet": {"id": ref(body, "subnet")}, "primary": at == 0}
        if asked:
            place |= {"privateIPAddress": asked, "privateIPAllocationMethod": "Static"}
        items.append({"name": str(item.get("name") or f"privateEndpointIpConfig{at}"), "properties": place})
    make(cloud, {"id": nic.text, "location": body["location"], "properties": {"ipConfigurations": items}})
    made = cloud.body(nic)
    assert made is not None
    cloud.write(nic, {**made, "properties": {**made["properties"], "privateEndpoint": {"id": endpoint.text}}})
    return nic


def _names(properties: Body, addresses: list[str]) -> Iterator[Body]:
    for item in [*properties[AUTOMATIC], *properties[MANUAL]]:
        inner = item["properties"]
        target = str(inner.get("privateLinkServiceId") or "").rsplit("/", 1)[-1]
        for group in inner.get("groupIds") or []:
            zone = SUFFIXES.get(str(group).lower())
            if zone is not None:
                yield {"fqdn": f"{target.lower()}.{zone}", "ipAddresses": addresses}
