"""Microsoft.Network/virtualNetworks: address space, and the subnets and peerings inside.

A PUT replaces; subnets and peerings that it does not mention are kept, as newer api-versions do (L12). A change of
the space needs no teardown of peerings: each of them is out of sync until it is synced (R31).
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab.answers import Refused, bad_request
from farshore.lab.call import Call
from farshore.lab.network import asns
from farshore.lab.network.addresses import (
    RESERVED,
    free_addresses,
    inside,
    is_reserved,
    overlapping,
    prefix,
    prefixes_of,
    space_of,
    subnet_prefixes,
)
from farshore.lab.network.bgp_communities import regional_community
from farshore.lab.network.references import PEERINGS, holder, in_use, ref
from farshore.lab.paging import page
from farshore.lab.registry import resource_type, view
from farshore.lab.types import Put, ResourceType, child_of

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud


@resource_type("Microsoft.Network/virtualNetworks")
class VirtualNetworks(ResourceType):
    forwards = True
    nested = ("subnets", "virtualNetworkPeerings")
    keep_omitted = ("subnets", "virtualNetworkPeerings")

    def validate(self, put: Put) -> None:
        space = _space(put)
        _check_remaining_subnets(put, space)
        seen: list[Any] = []
        for child in put.properties.get("subnets") or []:
            inner = child_of(put, "subnets", child)
            put.cloud.type_of(inner.id).check(inner, space, [own for _, own in seen])
            seen.append((inner.id, prefixes_of(inner.properties, inner.id.text)))
        _check_peers(put, space)
        for child in put.properties.get("virtualNetworkPeerings") or []:
            inner = child_of(put, "virtualNetworkPeerings", child)
            put.cloud.type_of(inner.id).check(inner, space)

    def on_put(self, put: Put) -> Body:
        body = self.standard(put)
        properties = {"enableDdosProtection": False, **body["properties"]}
        properties.pop("enableVmProtection", None)
        if properties.get("dhcpOptions") is not None:
            properties["dhcpOptions"] = {"dnsServers": [], **properties["dhcpOptions"]}
        if properties.get("bgpCommunities") is not None:
            regional = f"{asns.MICROSOFT}:{regional_community(put.location, public=False)}"
            properties["bgpCommunities"] = {**properties["bgpCommunities"], "regionalCommunity": regional}
        return {**body, "properties": properties}

    def on_delete(self, cloud: Cloud, id_: ResourceId) -> None:
        for subnet in cloud.children(id_, "subnets"):
            cloud.type_of(id_.child("subnets", "x")).on_delete(cloud, resource_id(str(subnet["id"])))

    def take_away(self, cloud: Cloud, id_: ResourceId) -> None:
        """Its peerings go one by one, so that their other halves learn of it (R28)."""
        for peering in cloud.children(id_, "virtualNetworkPeerings"):
            half = resource_id(str(peering["id"]))
            cloud.type_of(half).take_away(cloud, half)
        super().take_away(cloud, id_)


def _space(put: Put) -> tuple[Any, ...]:
    texts = (put.properties.get("addressSpace") or {}).get("addressPrefixes")
    if not texts:
        raise bad_request(
            "InvalidRequestFormat", f"Resource {put.id.text} has no address space: addressPrefixes must not be empty."
        )
    space = tuple(prefix(text, put.id.text) for text in texts)
    for at, one in enumerate(space):
        if overlapping([one], space[:at]):
            raise bad_request("InvalidAddressSpace", f"Address prefixes of {put.id.text} overlap each other: {one}.")
    return space


def _check_remaining_subnets(put: Put, space: tuple[Any, ...]) -> None:
    """Subnets that stay must lie in the new space (L20), those that go must be empty (L23)."""
    sent = put.properties.get("subnets")
    named = None if sent is None else {str(child.get("name", "")).lower() for child in sent}
    for subnet in put.cloud.children(put.id, "subnets"):
        id_ = resource_id(str(subnet["id"]))
        if named is not None and id_.name.lower() not in named:
            put.cloud.type_of(id_).on_delete(put.cloud, id_)
        elif named is None and not all(inside(own, space) for own in prefixes_of(subnet["properties"], id_.text)):
            raise Refused(
                400,
                "NetcfgSubnetRangeOutsideVnet",
                f"Subnet '{id_.name}' is not valid because its IP address range is outside the IP address range of "
                f"virtual network '{put.id.name}'.",
            )


def _check_peers(put: Put, space: tuple[Any, ...]) -> None:
    """A changed space must not meet a peer's (L28)."""
    if put.created or space == space_of(put.before):
        return
    for peering in put.cloud.children(put.id, "virtualNetworkPeerings"):
        remote = ref(peering, "remoteVirtualNetwork")
        met = overlapping(space, space_of(put.cloud.body(str(remote)))) if remote else []
        if met:
            raise bad_request(
                "VnetAddressSpacesOverlap",
                f"Cannot update virtual network {put.id.text}: its address space overlaps with that of peered "
                f"virtual network {remote}. Overlapping address prefixes: {', '.join(map(str, met))}.",
            )


def gateways_in(cloud: Cloud, network: ResourceId, kind: str | None = None) -> list[Body]:
    """The gateways whose configurations lie in a network's GatewaySubnet, of one `gatewayType` or all."""
    found: list[Body] = []
    for label in in_use(cloud, network.child("subnets", "GatewaySubnet")):
        id_ = label.lower().split("/ipconfigurations/")[0]
        body = cloud.body(id_)
        if body is not None and (kind is None or body["properties"].get("gatewayType") == kind) and body not in found:
            found.append(body)
    return found


def peerings_of(cloud: Cloud, network: ResourceId) -> list[Body]:
    return cloud.children(network, PEERINGS.rsplit("/", 1)[1])


@view("Microsoft.Network/virtualNetworks", "CheckIPAddressAvailability")
def check_address(call: Call) -> Response:
    """Whether an address of a network is free; where it is not, up to five that are."""
    call.must_exist()
    text = call.query.get("ipaddress", "")
    try:
        address = ip_address(text)
    except ValueError:
        raise bad_request("InvalidIPAddressFormat", f"'{text}' is not an IP address.", "ipAddress") from None
    for subnet in call.cloud.children(call.id, "subnets"):
        id_ = resource_id(str(subnet["id"]))
        space = next((one for one in subnet_prefixes(call.cloud, id_) if address in one), None)
        if space is None:
            continue
        reserved = is_reserved(address, space)
        if not reserved and holder(call.cloud, id_, address) is None:
            return Response(status=200, body={"available": True, "isPlatformReserved": False})
        others = free_addresses(call.cloud, id_, 5)
        return Response(
            status=200,
            body={
                "available": False,
                "isPlatformReserved": reserved,
                "availableIPAddresses": [str(item) for item in others],
            },
        )
    raise bad_request(
        "PrivateIPAddressNotInAnySubnet",
        f"Private static IP address {text} does not belong to the range of any subnet in virtual network "
        f"{call.id.text}.",
    )


@view("Microsoft.Network/virtualNetworks", "usages")
def usages(call: Call) -> Response:
    """How many addresses of each subnet are taken."""
    call.must_exist()
    rows = []
    for subnet in call.cloud.children(call.id, "subnets"):
        id_ = resource_id(str(subnet["id"]))
        size = sum(space.num_addresses - RESERVED for space in subnet_prefixes(call.cloud, id_))
        rows.append(
            {
                "currentValue": float(len(in_use(call.cloud, id_))),
                "id": id_.text,
                "limit": float(size),
                "name": {"localizedValue": "Subnet size and usage", "value": "SubnetSpace"},
                "unit": "Count",
            }
        )
    return page(call, rows)
