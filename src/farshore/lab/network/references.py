"""Who refers to whom: subnets to tables and groups, addresses to subnets.

Azure shows these the other way round (a route table lists its subnets, a subnet its IP configurations), and refuses
to delete what is in use. Read from the bodies as they are and kept for as long as nothing in the network changes.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from farshore.arm.decode import Address
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

SUBNETS = "Microsoft.Network/virtualNetworks/subnets"
NICS = "Microsoft.Network/networkInterfaces"
GATEWAYS = "Microsoft.Network/virtualNetworkGateways"
CONNECTIONS = "Microsoft.Network/connections"
PEERINGS = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings"


@dataclass(slots=True)
class References:
    """Keys are lower-case ids, values ids as they are shown."""

    configurations: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Subnet or public address to IP configurations."""
    addresses: dict[str, dict[Address, str]] = field(default_factory=lambda: defaultdict(dict))
    """Subnet to the addresses taken in it, and by whom."""
    subnets: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Route table or security group to subnets."""
    interfaces: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Security group to NICs."""


_held: WeakKeyDictionary[Cloud, tuple[int, References]] = WeakKeyDictionary()


def references(cloud: Cloud) -> References:
    held = _held.get(cloud)
    if held is None or held[0] != cloud.epoch:
        held = (cloud.epoch, _read(cloud))
        _held[cloud] = held
    return held[1]


def ref(body: Body | None, *path: str) -> str | None:
    """The id at `properties.<path>.id`."""
    value: Any = (body or {}).get("properties")
    for key in (*path, "id"):
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) and value else None


def configurations(body: Body) -> list[Body]:
    """The IP configurations of a NIC or gateway."""
    found = (body.get("properties") or {}).get("ipConfigurations")
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def in_use(cloud: Cloud, subnet: ResourceId) -> list[str]:
    """The IP configurations in a subnet."""
    return references(cloud).configurations.get(subnet.key, [])


def _read(cloud: Cloud) -> References:
    found = References()
    for body in cloud.of_type(SUBNETS):
        for kind in ("routeTable", "networkSecurityGroup"):
            if (target := ref(body, kind)) is not None:
                found.subnets[target.lower()].append(str(body["id"]))
    for type_ in (NICS, GATEWAYS):
        for body in cloud.of_type(type_):
            if (group := ref(body, "networkSecurityGroup")) is not None:
                found.interfaces[group.lower()].append(str(body["id"]))
            for item in configurations(body):
                label = str(item.get("id") or f"{body['id']}/ipConfigurations/{item.get('name')}")
                subnet = ref(item, "subnet")
                public = ref(item, "publicIPAddress")
                if public is not None:
                    found.configurations[public.lower()].append(label)
                if subnet is None:
                    continue
                found.configurations[subnet.lower()].append(label)
                text = (item.get("properties") or {}).get("privateIPAddress")
                if text:
                    found.addresses[subnet.lower()][ip_address(text)] = label
    return found
