"""Microsoft.Network/networkInterfaces: IP configurations and their addresses (L17 to L19, L25).

A static address must be free; a dynamic one is kept for as long as the NIC stays in its subnet. The machine's side of
an attachment is `attach`, called by whoever makes machines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from farshore.arm.decode import Address
from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab.answers import Refused, bad_request, child_not_found
from farshore.lab.bodies import Link
from farshore.lab.call import Call
from farshore.lab.cloud import must_have
from farshore.lab.compute.quotas import must_fit_interface
from farshore.lab.network import application_security_groups
from farshore.lab.network.addresses import check_static, next_free
from farshore.lab.network.references import configuration_links, configurations, in_use, ref, subnet_of
from farshore.lab.paging import page
from farshore.lab.registry import named_view, resource_type, view
from farshore.lab.types import Put, ResourceType

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud


INTERFACES = "Microsoft.Network/networkInterfaces"
BALANCED = ("loadBalancerBackendAddressPools", "loadBalancerInboundNatRules")
"""Where an IP configuration names the parts of balancers that it stands behind."""
UNASKED: Body = {
    "vnetEncryptionSupported": False,
    "disableTcpStateTracking": False,
    "hostedWorkloads": [],
    "tapConfigurations": [],
    "allowPort25Out": True,
}
DELETED_AT_ONCE = "2021-02-01"
"""The api-version from which a deletion is answered 200: between 2020-07-01 (202) and 2022-01-01 (200), recorded."""


@resource_type(INTERFACES)
class NetworkInterfaces(ResourceType):
    forwards = True
    read_only = (
        *("provisioningState", "resourceGuid", "virtualMachine", "macAddress", "primary"),
        *("privateEndpoint", "privateLinkService"),
    )

    def validate(self, put: Put) -> None:
        items = configurations(put.body)
        if not items:
            raise bad_request("InvalidRequestFormat", f"Network interface {put.id.text} has no ipConfigurations.")
        networks = set()
        asked: dict[tuple[str, str], str] = {}
        for item in items:
            label = _label(put.id, item)
            subnet_text = ref(item, "subnet")
            if subnet_text is None:
                raise bad_request("InvalidRequestFormat", f"IP configuration {label} has no subnet.")
            must_have(put.cloud, subnet_text, label)
            subnet = resource_id(subnet_text)
            if subnet.name.lower() == "gatewaysubnet":
                raise bad_request(
                    "SubnetIsReservedForGateway", f"Subnet {subnet.text} is reserved for virtual network gateways."
                )
            networks.add(subnet.parent)
            if put.cloud.region_of(subnet) != put.location:
                raise bad_request(
                    "InvalidResourceReference",
                    f"Resource {subnet.text} referenced by resource {put.id.text} was not found in region "
                    f"{put.location}. Please make sure that both resources are in the same region.",
                )
            if (public := ref(item, "publicIPAddress")) is not None:
                must_have(put.cloud, public, label)
                _check_public(put.cloud, public, label)
            if _method(item) == "Static":
                address = check_static(put.cloud, subnet, item["properties"].get("privateIPAddress"), label)
                other = asked.setdefault((subnet.key, str(address)), label)
                if other != label:
                    raise bad_request(
                        "PrivateIPAddressIsAllocated",
                        f"IP configuration {label} is using the private IP address {address} which is already "
                        f"allocated to resource {other}.",
                    )
        if len(networks) > 1:
            raise bad_request(
                "SubnetsNotInSameVnet", f"IP configurations of {put.id.text} are in different virtual networks."
            )
        if (group := ref(put.body, "networkSecurityGroup")) is not None:
            must_have(put.cloud, group, put.id.text)
        application_security_groups.check_interface(put)
        if put.created:
            must_fit_interface(put.cloud, str(put.id.subscription), put.location)

    def on_put(self, put: Put) -> Body:
        body = self.standard(put)
        before = {str(item.get("name")).lower(): item for item in configurations(put.before or {})}
        given = {
            ip_address(str(item["properties"].get("privateIPAddress")))
            for item in configurations(put.body)
            if _method(item) == "Static"
        }
        items = []
        for at, item in enumerate(configurations(put.body)):
            items.append(_completed(put, item, before.get(str(item.get("name")).lower()), at == 0, given))
        properties = {
            "enableAcceleratedNetworking": False,
            "enableIPForwarding": False,
            "nicType": "Standard",
            **put.unasked(UNASKED),
            **body["properties"],
            "dnsSettings": _names(put),
            "ipConfigurations": items,
        }
        return {**body, **put.unasked({"kind": "Regular"}), "properties": properties}

    def is_quick(self, put: Put) -> bool:
        """Recorded: a NIC that no machine has is Succeeded when it is answered, unless it joins or leaves a group."""
        moved = put.before is not None and _groups(put.before) != _groups(put.body)
        return ref(put.before, "virtualMachine") is None and not moved

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        etag, state = cloud.etag(id_), body["properties"].get("provisioningState")
        items = [_as_now(item, etag, state) for item in configurations(body)]
        return {**body, "properties": {**body["properties"], "ipConfigurations": items}}

    def delete_status(self, call: Call) -> int:
        """Recorded: in newer api-versions the 200 of what is over, with the addresses to poll of what is not."""
        return 200 if call.api_version >= DELETED_AT_ONCE else super().delete_status(call)

    def links(self, body: Body) -> Iterator[Link]:
        yield from configuration_links(body)
        yield from application_security_groups.member_links(body)

    def seed(self, cloud: Cloud, body: Body) -> Body:
        """An address that the estate does not give is given now."""
        id_ = resource_id(str(body["id"]))
        items = []
        for at, item in enumerate(configurations(body)):
            properties = dict(item.get("properties") or {})
            subnet = ref(item, "subnet")
            if "privateIPAddress" not in properties and subnet is not None and cloud.exists(resource_id(subnet)):
                properties["privateIPAddress"] = str(next_free(cloud, resource_id(subnet)))
            properties.setdefault("primary", at == 0)
            items.append({**item, "id": item.get("id") or _label(id_, item), "properties": properties})
        return {**body, "properties": {**body["properties"], "ipConfigurations": items}}

    def on_delete(self, cloud: Cloud, id_: ResourceId) -> None:
        for kind in ("privateEndpoint", "privateLinkService"):
            holder = ref(cloud.body(id_), kind)
            if holder is not None and cloud.exists(resource_id(holder)):
                # No page names the code: as for a machine's.
                raise Refused(400, "NicInUse", f"Network Interface {id_.text} is used by {holder}.")
        machine = ref(cloud.body(id_), "virtualMachine")
        if machine is not None and cloud.exists(resource_id(machine)):
            raise Refused(
                400,
                "NicInUse",
                f"Network Interface {id_.text} is used by existing resource {machine}. In order to delete the network "
                "interface, it must be dissociated from the resource.",
            )


def _names(put: Put) -> Body:
    """The name service's part: a suffix that Azure makes for each network and region."""
    sent = put.properties.get("dnsSettings") or {}
    subnet = subnet_of(put.body) or ""
    guid = put.cloud.guid("internal domain", put.location, subnet.lower().split("/subnets/")[0]).replace("-", "")
    made = {"internalDomainNameSuffix": f"{guid[:26]}.{guid[26]}x.internal.cloudapp.net"}
    if sent.get("internalDnsNameLabel"):
        made["internalFqdn"] = f"{sent['internalDnsNameLabel']}.{made['internalDomainNameSuffix']}"
    told = put.created or "internalDomainNameSuffix" in (put.before_properties.get("dnsSettings") or {})
    return {"dnsServers": [], "appliedDnsServers": [], **sent, **(made if told else {})}


def _as_now(item: Body, etag: str, state: Any) -> Body:
    """An IP configuration is under way as long as its NIC is (recorded)."""
    properties = item.get("properties")
    if state == "Updating" and isinstance(properties, dict):
        item = {**item, "properties": {**properties, "provisioningState": state}}
    return {**{key: item[key] for key in ("name", "id") if key in item}, "etag": etag, **item}


def attach(cloud: Cloud, nic: ResourceId, machine: ResourceId | None, *, primary: bool = True) -> None:
    """Make a NIC a machine's, or (with None) nobody's. Raises `Refused` where it is another's."""
    body = cloud.body(nic)
    if body is None:
        return
    properties = dict(body["properties"])
    holder = ref(body, "virtualMachine")
    if machine is None:
        properties.pop("virtualMachine", None)
        properties.pop("primary", None)
    else:
        if holder is not None and holder.lower() != machine.key and cloud.exists(resource_id(holder)):
            raise Refused(
                400,
                "NicInUse",
                f"Network Interface {nic.text} is used by existing resource {holder}.",
            )
        properties["virtualMachine"] = {"id": machine.text}
        properties["primary"] = primary
        number = int(cloud.chance("mac", nic.key) * (1 << 24))
        properties.setdefault("macAddress", f"00-0D-3A-{number >> 16:02X}-{number >> 8 & 255:02X}-{number & 255:02X}")
    cloud.write(nic, {**body, "properties": properties})


def _completed(put: Put, item: Body, before: Body | None, first: bool, given: set[Address]) -> Body:
    """One IP configuration with an id, a method and an address."""
    properties = dict(item.get("properties") or {})
    subnet = resource_id(str(ref(item, "subnet")))
    properties["provisioningState"] = "Succeeded"
    properties["privateIPAllocationMethod"] = _method(item)
    properties["subnet"] = {"id": subnet.text}
    if (public := ref(item, "publicIPAddress")) is not None:
        properties["publicIPAddress"] = {"id": public}
    properties.setdefault("primary", first)
    properties.setdefault("privateIPAddressVersion", "IPv4")
    if properties["privateIPAllocationMethod"] != "Static":
        held = (before or {}).get("properties", {})
        same = before is not None and str(ref(before, "subnet")).lower() == subnet.key
        if same and held.get("privateIPAddress"):
            properties["privateIPAddress"] = held["privateIPAddress"]
        else:
            version = 6 if properties["privateIPAddressVersion"] == "IPv6" else 4
            # Nor what this NIC has or asks for in another configuration.
            address = next_free(put.cloud, subnet, without=given, version=version)
            given.add(address)
            properties["privateIPAddress"] = str(address)
    return {
        "name": str(item.get("name") or "ipconfig1"),
        "id": _label(put.id, item),
        "type": "Microsoft.Network/networkInterfaces/ipConfigurations",
        "properties": properties,
    }


def _check_public(cloud: Cloud, public: str, label: str) -> None:
    """A public address has one holder. No page names the code: ours."""
    others = [held for held in in_use(cloud, resource_id(public)) if held.lower() != label.lower()]
    if others:
        raise bad_request(
            "PublicIPAddressInUse",
            f"Resource {label} is referencing public IP address {public} that is already allocated to resource "
            f"{others[0]}.",
        )


def _groups(body: Body) -> set[str]:
    items = configurations(body)
    return {group.lower() for item in items for group in application_security_groups.of_configuration(item)}


def _method(item: Body) -> str:
    text: Any = (item.get("properties") or {}).get("privateIPAllocationMethod") or "Dynamic"
    return "Static" if str(text).lower() == "static" else "Dynamic"


def _label(nic: ResourceId, item: Body) -> str:
    return f"{nic.text}/ipConfigurations/{item.get('name') or 'ipconfig1'}"


# What is asked below a NIC. ------------------------------------------------------------------------------------------


@view(INTERFACES, "ipConfigurations")
def ip_configurations(call: Call) -> Response:
    return page(call, configurations(call.show()))


@named_view(INTERFACES, "ipConfigurations")
def ip_configuration(call: Call) -> Response:
    asked = str(call.argument)
    for item in configurations(call.show()):
        if str(item.get("name")).lower() == asked.lower():
            return Response(status=200, body=item)
    raise child_not_found(call.id.child("ipConfigurations", asked))


@view(INTERFACES, "loadBalancers")
def balancers(call: Call) -> Response:
    """The balancers that a NIC stands behind."""
    items = [item.get("properties") or {} for item in configurations(call.must_exist())]
    parts = [part for properties in items for name in BALANCED for part in properties.get(name) or []]
    keys = dict.fromkeys(resource_id(str(part["id"])).top.key for part in parts)
    shown = [call.cloud.show(resource_id(key), call.query) for key in keys]
    return page(call, [body for body in shown if body is not None])
