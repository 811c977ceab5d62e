"""Microsoft.Network/publicIPAddresses (L25, E25).

An address of a prefix is the one that its PUT asks for, or the prefix's lowest that is free. A Standard address is
static, and a Basic one of version 6 is not; a name is free in its region or refused. The codes are those that users
report.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_network
from typing import TYPE_CHECKING

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.arm.network import normal_location
from farshore.lab.answers import Refused, bad_request
from farshore.lab.call import Call
from farshore.lab.network.references import in_use, ref, sku_of
from farshore.lab.registry import resource_type, view
from farshore.lab.types import Put, ResourceType

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud


DDOS: Body = {"ddosSettings": {"protectionMode": "VirtualNetworkInherited"}}
"""Shown of a Standard address; a Basic one has no protection to inherit (recorded)."""


ADDRESSES = "Microsoft.Network/publicIPAddresses"
LABEL = re.compile(r"[a-z][a-z0-9-]{1,61}[a-z0-9]")


@resource_type(ADDRESSES)
class PublicIpAddresses(ResourceType):
    forwards = True
    read_only = ("provisioningState", "resourceGuid", "ipAddress", "ipConfiguration")

    def validate(self, put: Put) -> None:
        sku = str(((put.body.get("sku") or (put.before or {}).get("sku")) or {}).get("name") or "Basic").lower()
        method = str(put.properties.get("publicIPAllocationMethod") or "").lower()
        if sku == "standard" and method == "dynamic":
            raise bad_request(
                "StandardSkuPublicIPAddressesMustBeStatic",
                f"Standard sku publicIp {put.id.text} must have AllocationMethod set to Static.",
            )
        if sku == "basic" and method == "static" and put.properties.get("publicIPAddressVersion") == "IPv6":
            raise bad_request(
                "CannotSpecifyPublicIpAllocationMethodAsStaticForIpV6PublicIp",
                "Cannot specify publicIpAllocationMethod as Static for IPv6 PublicIp.",
            )
        label = (put.properties.get("dnsSettings") or {}).get("domainNameLabel")
        if label:
            _check_label(put, str(label))

    def on_put(self, put: Put) -> Body:
        body = self.standard(put)
        body = {**body, "sku": sku_of(put.body, {"name": "Basic", "tier": "Regional"})}
        defaults = {
            "publicIPAddressVersion": "IPv4",
            "publicIPAllocationMethod": "Dynamic",
            "idleTimeoutInMinutes": 4,
            "ipTags": [],
        }
        protected = put.unasked(DDOS) if str(body["sku"].get("name")).lower() == "standard" else {}
        properties = {**defaults, **protected, **body["properties"]}
        label = (properties.get("dnsSettings") or {}).get("domainNameLabel")
        if label:
            names = {"domainNameLabel": label, "fqdn": f"{label}.{put.location}.cloudapp.azure.com"}
            properties["dnsSettings"] = {**properties["dnsSettings"], **names}
        if put.created and ref(put.body, "publicIPPrefix") is not None and put.properties.get("ipAddress"):
            properties["ipAddress"] = put.properties["ipAddress"]
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


def _check_label(put: Put, label: str) -> None:
    if LABEL.fullmatch(label) is None:
        raise bad_request(
            "InvalidDomainNameLabel",
            f"The domain name label {label} is invalid. It must conform to the following regular expression: "
            f"^{LABEL.pattern}$.",
        )
    holder = _named(put.cloud, label, put.location)
    if holder is not None and resource_id(str(holder["id"])) != put.id:
        raise bad_request(
            "DnsRecordInUse",
            f"DNS record {label}.{put.location}.cloudapp.azure.com is already used by another public IP.",
        )


def _named(cloud: Cloud, label: str, region: str) -> Body | None:
    """The address that has a name in a region."""
    for body in cloud.of_type(ADDRESSES):
        own = ((body["properties"].get("dnsSettings") or {}).get("domainNameLabel") or "").lower()
        if own == label.lower() and normal_location(body.get("location")) == region:
            return body
    return None


def address_of(cloud: Cloud, id_: ResourceId) -> str:
    """A public address that this lab gives to this thing."""
    within = ref(cloud.body(id_), "publicIPPrefix")
    prefix = None if within is None else cloud.body(resource_id(within))
    if prefix is not None and within is not None and prefix["properties"].get("ipPrefix"):
        taken = {
            body["properties"].get("ipAddress")
            for body in cloud.of_type(ADDRESSES)
            if str(ref(body, "publicIPPrefix")).lower() == within.lower()
        }
        for address in ip_network(prefix["properties"]["ipPrefix"]):
            if str(address) not in taken:
                return str(address)
    number = int(cloud.chance("public address", id_.key) * (1 << 16))
    return f"20.{192 + number % 64}.{(number >> 6) % 256}.{1 + (number >> 8) % 254}"


@view("Microsoft.Network/locations", "CheckDnsNameAvailability")
def check_name(call: Call) -> Response:
    """Whether a public address in a region could have this label."""
    label = call.query.get("domainnamelabel", "")
    return Response(status=200, body={"available": _named(call.cloud, label, normal_location(call.id.name)) is None})
