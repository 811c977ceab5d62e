"""Microsoft.Network/publicIPAddresses (L25, E25)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.arm.network import normal_location
from farshore.lab.answers import Refused
from farshore.lab.call import Call
from farshore.lab.network.references import in_use, sku_of
from farshore.lab.registry import resource_type, view
from farshore.lab.types import Put, ResourceType

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud


DDOS: Body = {"protectionMode": "VirtualNetworkInherited"}


@resource_type("Microsoft.Network/publicIPAddresses")
class PublicIpAddresses(ResourceType):
    forwards = True
    read_only = ("provisioningState", "resourceGuid", "ipAddress", "ipConfiguration")

    def on_put(self, put: Put) -> Body:
        body = self.standard(put)
        body = {**body, "sku": sku_of(put.body, {"name": "Basic", "tier": "Regional"})}
        defaults = {
            "publicIPAddressVersion": "IPv4",
            "publicIPAllocationMethod": "Dynamic",
            "idleTimeoutInMinutes": 4,
            "ipTags": [],
        }
        properties = {**defaults, **put.unasked({"ddosSettings": DDOS}), **body["properties"]}
        label = (properties.get("dnsSettings") or {}).get("domainNameLabel")
        if label:
            names = {"domainNameLabel": label, "fqdn": f"{label}.{put.location}.cloudapp.azure.com"}
            properties["dnsSettings"] = {**properties["dnsSettings"], **names}
        return {**body, "properties": properties}

    def on_ready(self, cloud: Cloud, id_: ResourceId) -> None:
        """A static address is there at once, a dynamic one when something has it."""
        body = cloud.body(id_)
        assert body is not None
        properties = body["properties"]
        if properties.get("publicIPAllocationMethod") == "Static" and "ipAddress" not in properties:
            cloud.write(id_, {**body, "properties": {**properties, "ipAddress": address_of(cloud, id_)}})

    def seed(self, cloud: Cloud, body: Body) -> Body:
        properties = {key: item for key, item in body["properties"].items() if key != "ipConfiguration"}
        if properties.get("publicIPAllocationMethod") == "Static":
            properties.setdefault("ipAddress", address_of(cloud, resource_id(str(body["id"]))))
        return {**body, "properties": properties}

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        used = in_use(cloud, id_)
        if not used:
            return body
        properties = {**body["properties"], "ipConfiguration": {"id": used[0]}}
        properties.setdefault("ipAddress", address_of(cloud, id_))
        return {**body, "properties": properties}

    def on_delete(self, cloud: Cloud, id_: ResourceId) -> None:
        used = in_use(cloud, id_)
        if used:
            raise Refused(
                400,
                "PublicIPAddressCannotBeDeleted",
                f"Public IP address {id_.text} can not be deleted since it is still allocated to resource {used[0]}.",
            )


def address_of(cloud: Cloud, id_: ResourceId) -> str:
    """A public address that this lab gives to this thing."""
    number = int(cloud.chance("public address", id_.key) * (1 << 16))
    return f"20.{192 + number % 64}.{(number >> 6) % 256}.{1 + (number >> 8) % 254}"


@view("Microsoft.Network/locations", "CheckDnsNameAvailability")
def check_name(call: Call) -> Response:
    """Whether a public address in a region could have this label."""
    label = call.query.get("domainnamelabel", "").lower()
    taken = any(
        ((body["properties"].get("dnsSettings") or {}).get("domainNameLabel") or "").lower() == label
        and normal_location(body.get("location")) == normal_location(call.id.name)
        for body in call.cloud.of_type("Microsoft.Network/publicIPAddresses")
    )
    return Response(status=200, body={"available": not taken})
