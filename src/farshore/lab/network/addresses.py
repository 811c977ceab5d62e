"""Prefixes and addresses as Microsoft.Network checks and gives them (L17 to L22).

The first four addresses of a subnet and its last are Azure's own; a dynamic address is the lowest that is free.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache
from ipaddress import IPv4Network, ip_address, ip_network
from itertools import islice
from typing import TYPE_CHECKING, Any

from farshore.arm.decode import Address, Network
from farshore.arm.ids import ResourceId
from farshore.lab.answers import Refused, bad_request
from farshore.lab.network.references import holder, taken

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

RESERVED_AT_START = 4
RESERVED = RESERVED_AT_START + 1
"""Of each range of a subnet, with the last."""


def prefix(text: object, where: str) -> Network:
    """A prefix without host bits (L22)."""
    try:
        return _network(str(text))
    except ValueError:
        raise bad_request(
            "InvalidAddressPrefixFormat",
            f"Address prefix {text} of resource {where} is not formatted correctly. It should follow CIDR notation, "
            "for example 10.0.0.0/24.",
        ) from None


@lru_cache(maxsize=4096)
def _network(text: str) -> Network:
    """Parsed once: the same prefixes and next hops stand in one table after another."""
    return ip_network(text)


def prefixes_of(properties: dict[str, Any], where: str) -> tuple[Network, ...]:
    """`addressPrefixes` or `addressPrefix` of a subnet."""
    texts = properties.get("addressPrefixes") or [properties.get("addressPrefix")]
    return tuple(prefix(text, where) for text in texts if text)


def space_of(body: Any) -> tuple[Network, ...]:
    """A network's address space."""
    space = ((body or {}).get("properties") or {}).get("addressSpace") or {}
    return tuple(_network(str(text)) for text in space.get("addressPrefixes") or [])


def inside(inner: Network, outer: Iterable[Network]) -> bool:
    for space in outer:
        if isinstance(inner, IPv4Network) and isinstance(space, IPv4Network):
            if inner.subnet_of(space):
                return True
        elif not isinstance(inner, IPv4Network) and not isinstance(space, IPv4Network) and inner.subnet_of(space):
            return True
    return False


def overlapping(one: Iterable[Network], other: Iterable[Network]) -> list[Network]:
    """The prefixes of `one` that meet a prefix of `other`."""
    others = tuple(other)
    return [item for item in one if any(item.overlaps(there) for there in others if there.version == item.version)]


def is_reserved(address: Address, space: Network) -> bool:
    offset = int(address) - int(space.network_address)
    return offset < RESERVED_AT_START or address == space.broadcast_address


def subnet_prefixes(cloud: Cloud, subnet: ResourceId) -> tuple[Network, ...]:
    body = cloud.body(subnet)
    return () if body is None else prefixes_of(body.get("properties") or {}, subnet.text)


def check_static(cloud: Cloud, subnet: ResourceId, text: object, who: str) -> Address:
    """The address, if it can be had: in the subnet (L19), not Azure's own, not another's."""
    try:
        address = ip_address(str(text))
    except ValueError:
        raise bad_request("InvalidIPAddressFormat", f"{text} of {who} is not an IP address.") from None
    home = next((space for space in subnet_prefixes(cloud, subnet) if address in space), None)
    if home is None:
        raise bad_request(
            "PrivateIPAddressNotInSubnet",
            f"Private static IP address {address} does not belong to the range of subnet prefix of {subnet.text}.",
        )
    if is_reserved(address, home):
        raise bad_request(
            "PrivateIPAddressInReservedRange",
            f"Private static IP address {address} falls within reserved IP range of subnet prefix {home}.",
        )
    other = holder(cloud, subnet, address)
    if other is not None and other.lower() != who.lower():
        raise bad_request(
            "PrivateIPAddressIsAllocated",
            f"IP configuration {who} is using the private IP address {address} which is already allocated to "
            f"resource {other}.",
        )
    return address


def next_free(
    cloud: Cloud,
    subnet: ResourceId,
    *,
    from_end: bool = False,
    without: Collection[Address] = (),
    version: int = 4,
) -> Address:
    """The lowest free address, or the highest (S36 takes test addresses from the end); L18 where none is left."""
    found = next(_free(cloud, subnet, from_end, without, version), None)
    if found is None:
        raise Refused(400, "SubnetIsFull", f"Subnet {subnet.name} with address prefix is full: {subnet.text}.")
    return found


def free_addresses(cloud: Cloud, subnet: ResourceId, most: int) -> list[Address]:
    """The lowest free addresses, as many as there are and are wanted."""
    return list(islice(_free(cloud, subnet, False, (), 4), most))


def _free(
    cloud: Cloud, subnet: ResourceId, from_end: bool, without: Collection[Address], version: int
) -> Iterator[Address]:
    held = taken(cloud, subnet)
    for space in subnet_prefixes(cloud, subnet):
        if space.version != version:
            continue
        first, last = int(space.network_address) + RESERVED_AT_START, int(space.broadcast_address) - 1
        numbers = range(last, first - 1, -1) if from_end else range(first, last + 1)
        for number in numbers:
            address = ip_address(number) if space.version == 4 else space.network_address + (number - int(space[0]))
            if address not in held and address not in without:
                yield address
