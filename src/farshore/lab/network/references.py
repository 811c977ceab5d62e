"""Who refers to whom: subnets to tables and groups, NICs and gateways to subnets, addresses and groups.

Azure shows these the other way round (a route table lists its subnets, a subnet its IP configurations), and refuses
to delete what is in use. A type says with `links` what its body refers to; they are kept beside the bodies
(`lab/bodies.py`) and asked for by their target:

    configuration   subnet or public address <- IP configuration
    address         subnet <- IP configuration, with the address that it has there
    subnet          route table or security group <- subnet
    interface       security group <- NIC
    balanced        backend pool or inbound NAT rule <- IP configuration of a NIC
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from farshore.arm.decode import Address
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.lab.bodies import Link

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

SUBNETS = "Microsoft.Network/virtualNetworks/subnets"
NICS = "Microsoft.Network/networkInterfaces"
GATEWAYS = "Microsoft.Network/virtualNetworkGateways"
CONNECTIONS = "Microsoft.Network/connections"
FRONTENDS = "Microsoft.Network/loadBalancers/frontendIPConfigurations"
PEERINGS = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings"
REFERENCES = (
    *("subnet", "publicIPAddress", "routeTable", "networkSecurityGroup", "virtualNetwork", "virtualHub", "natGateway"),
    *("frontendIPConfiguration", "backendAddressPool", "probe"),
)
"""Properties that hold the id of another resource."""


def ref(body: Body | None, *path: str) -> str | None:
    """The id at `properties.<path>.id`."""
    value: Any = (body or {}).get("properties")
    for key in (*path, "id"):
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) and value else None


def sku_of(body: Body, usual: Mapping[str, Any]) -> Body:
    """What a body says of its SKU beside what is usual, in Azure's spelling, however it was sent (recorded)."""
    sent = {key: value for key, value in (body.get("sku") or {}).items() if value is not None}
    return {key: _SKUS.get(str(value).lower(), value) for key, value in {**usual, **sent}.items()}


_SKUS = {name.lower(): name for name in ("Basic", "Standard", "StandardV2", "Gateway", "Regional", "Global")}


def only_ids(body: Body) -> Body:
    """The body with nothing left but the id of what it refers to: a client may send that whole, and Azure shows where
    it is (recorded)."""
    found: Body = _only_ids(body)
    return found


def _only_ids(value: Any) -> Any:
    if isinstance(value, list):
        return [_only_ids(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: {"id": item["id"]} if key in REFERENCES and isinstance(item, dict) and item.get("id") else _only_ids(item)
        for key, item in value.items()
    }


def configurations(body: Body) -> list[Body]:
    """The IP configurations of a NIC or gateway."""
    found = (body.get("properties") or {}).get("ipConfigurations")
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def subnet_of(body: Body | None) -> str | None:
    """The subnet of a NIC's or gateway's first IP configuration that has one."""
    return next((text for item in configurations(body or {}) if (text := ref(item, "subnet"))), None)


def in_use(cloud: Cloud, target: ResourceId) -> list[str]:
    """The IP configurations in a subnet or at a public address."""
    return cloud.bodies.linked("configuration", target.key)


def subnets_with(cloud: Cloud, target: ResourceId) -> list[str]:
    """The subnets that have a route table or a security group."""
    return cloud.bodies.linked("subnet", target.key)


def interfaces_with(cloud: Cloud, target: ResourceId) -> list[str]:
    """The NICs that have a security group."""
    return cloud.bodies.linked("interface", target.key)


def balanced(cloud: Cloud, target: ResourceId) -> list[str]:
    """The IP configurations in a backend pool or behind an inbound NAT rule."""
    return cloud.bodies.linked("balanced", target.key)


def holder(cloud: Cloud, subnet: ResourceId, address: Address) -> str | None:
    """The IP configuration that has an address in a subnet."""
    found = cloud.bodies.linked("address", subnet.key, str(address))
    return found[-1] if found else None


def taken(cloud: Cloud, subnet: ResourceId) -> set[Address]:
    """The addresses in a subnet that somebody has."""
    return {ip_address(text) for text in cloud.bodies.values("address", subnet.key)}


def subnet_links(body: Body) -> Iterator[Link]:
    for kind in ("routeTable", "networkSecurityGroup"):
        if (target := ref(body, kind)) is not None:
            yield Link("subnet", target.lower(), str(body["id"]))


def configuration_links(body: Body) -> Iterator[Link]:
    """Of a NIC or a gateway."""
    if (group := ref(body, "networkSecurityGroup")) is not None:
        yield Link("interface", group.lower(), str(body["id"]))
    for item in configurations(body):
        label = str(item.get("id") or f"{body['id']}/ipConfigurations/{item.get('name')}")
        yield from place_links(item, label)
        for kind in ("loadBalancerBackendAddressPools", "loadBalancerInboundNatRules"):
            for pool in (item.get("properties") or {}).get(kind) or []:
                yield Link("balanced", str(pool.get("id")).lower(), label)


def place_links(item: Body, label: str) -> Iterator[Link]:
    """Of an IP configuration: where it stands, and with which addresses."""
    if (public := ref(item, "publicIPAddress")) is not None:
        yield Link("configuration", public.lower(), label)
    if (subnet := ref(item, "subnet")) is None:
        return
    yield Link("configuration", subnet.lower(), label)
    with contextlib.suppress(ValueError):  # an estate may not know it; then nobody has it
        yield Link("address", subnet.lower(), label, str(ip_address(item["properties"].get("privateIPAddress", ""))))
