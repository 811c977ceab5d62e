"""What a NIC's table and rules come to: `effectiveRouteTable` and `effectiveNetworkSecurityGroups` (R9, R10).

POSTs that take some seconds: 202 with location alone, and the result at operationResults (recorded). The NIC must be
that of a running machine (R10 calls that known behaviour; its code is ours).
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network, ip_network
from typing import TYPE_CHECKING, Any

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab import dataplane, machines, operations
from farshore.lab.answers import bad_request
from farshore.lab.call import Call
from farshore.lab.network import router_tables
from farshore.lab.network.application_security_groups import SIDES, of_side
from farshore.lab.network.application_security_groups import addresses as group_addresses
from farshore.lab.network.references import NICS, ref, subnet_of
from farshore.lab.network.security_groups import DEFAULT_RULES
from farshore.lab.registry import action, completion
from farshore.routing.security import virtual_network_tag

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

ANY = "0.0.0.0/0"
PORTS = "0-65535"
PRIVATE = ("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12")
PRIVATE_TOO = ("168.63.129.16/32", "192.168.0.0/16", "224.0.0.0/3")


def _public() -> list[str]:
    """What is on the internet: all of IPv4 without what is nobody's there."""
    left = [IPv4Network("0.0.0.0/0")]
    for text in (*PRIVATE, *PRIVATE_TOO):
        hole = IPv4Network(text)
        left = [part for space in left for part in (space.address_exclude(hole) if hole.subnet_of(space) else (space,))]
    return [str(space) for space in sorted(left)]


TAGS = {"AzureLoadBalancer": ["168.63.129.16/32", "fe80::1234:5678:9abc/128"], "Internet": _public()}
"""Service tags that the default rules name, as a NIC's rules show them (recorded); Azure's own ranges are not taken out
of the internet here."""


@action(NICS, "effectiveRouteTable")
def route_table(call: Call) -> Response:
    _must_run(call)
    return call.accept("effectiveRouteTable", duration="network.query")


@action(NICS, "effectiveNetworkSecurityGroups")
def security_groups(call: Call) -> Response:
    _must_run(call)
    return call.accept("effectiveNetworkSecurityGroups", duration="network.query")


@completion(NICS, "effectiveRouteTable")
def told_routes(cloud: Cloud, operation: Operation) -> Body:
    operations.must_be_there(cloud, operation)
    return {"value": router_tables.effective(cloud, operation.resource_id)}


@completion(NICS, "effectiveNetworkSecurityGroups")
def told_groups(cloud: Cloud, operation: Operation) -> Body:
    operations.must_be_there(cloud, operation)
    return {"value": groups_of(cloud, operation.resource_id)}


def groups_of(cloud: Cloud, nic: ResourceId) -> list[Body]:
    """The groups of a NIC and of its subnet, each with its effective rules."""
    body = cloud.body(nic) or {}
    subnet = subnet_of(body)
    found = []
    own = ref(body, "networkSecurityGroup")
    if own is not None:
        found.append(_group(cloud, resource_id(own), {"networkInterface": {"id": nic.text}}, subnet))
    theirs = None if subnet is None else ref(cloud.body(subnet), "networkSecurityGroup")
    if theirs is not None:
        found.append(_group(cloud, resource_id(theirs), {"subnet": {"id": subnet}}, subnet))
    return found


def has_group(cloud: Cloud, nic: ResourceId) -> bool:
    """Whether a NIC or its subnet has a group."""
    body = cloud.body(nic) or {}
    own, subnet = ref(body, "networkSecurityGroup"), subnet_of(body)
    return own is not None or (subnet is not None and ref(cloud.body(subnet), "networkSecurityGroup") is not None)


def _must_run(call: Call) -> None:
    body = call.must_exist()
    machine = ref(body, "virtualMachine")
    if machine is None or machines.power(call.cloud, resource_id(machine)) != machines.RUNNING:
        raise bad_request(
            "NetworkInterfaceNotAttachedToRunningVm",
            f"Network interface {call.id.text} is not attached to a running virtual machine.",
        )


def _group(cloud: Cloud, group: ResourceId, association: Body, subnet: str | None) -> Body:
    tag = [] if subnet is None else virtual_network_tag(dataplane.plane(cloud).routing.world, resource_id(subnet))
    network = [str(prefix) for prefix in tag]
    return {
        "networkSecurityGroup": {"id": group.text},
        "association": association,
        "effectiveSecurityRules": [
            *(_own(cloud, rule, network, subnet) for rule in cloud.children(group, "securityRules")),
            *_defaults(network),
        ],
        "tagMap": {**TAGS, "VirtualNetwork": network},
    }


def _own(cloud: Cloud, rule: Body, network: list[str], subnet: str | None) -> Body:
    """A group of applications is shown as the addresses of its members. No recording has one: the form is ours."""
    properties = rule["properties"]
    members = {side: _members(cloud, rule, side, subnet) for side in SIDES}
    sources = members["source"] or _both(properties, "sourceAddressPrefix", "sourceAddressPrefixes")
    destinations = members["destination"] or _both(properties, "destinationAddressPrefix", "destinationAddressPrefixes")
    found = _rule(
        f"securityRules/{rule['name']}",
        str(properties.get("protocol", "*")),
        [_ports(text) for text in _both(properties, "sourcePortRange", "sourcePortRanges")],
        [_ports(text) for text in _both(properties, "destinationPortRange", "destinationPortRanges")],
        sources,
        destinations,
        properties,
        network,
    )
    return found | {
        f"expanded{side.capitalize()}AddressPrefix": addresses
        for side, addresses in members.items()
        if of_side(rule, side)
    }


def _members(cloud: Cloud, rule: Body, side: str, subnet: str | None) -> list[str]:
    """The addresses of the members of the groups that a rule names at one end."""
    place = None if subnet is None else resource_id(subnet).parent
    if place is None:
        return []
    return [address for group in of_side(rule, side) for address in group_addresses(cloud, group, place)]


def _defaults(network: list[str]) -> Iterator[Body]:
    for name, _, source, destination, access, priority, direction in DEFAULT_RULES:
        rest = {"access": access, "priority": priority, "direction": direction}
        yield _rule(f"defaultSecurityRules/{name}", "*", [PORTS], [PORTS], [source], [destination], rest, network)


def _rule(
    name: str,
    protocol: str,
    source_ports: list[str],
    destination_ports: list[str],
    sources: list[str],
    destinations: list[str],
    rest: Body,
    network: list[str],
) -> Body:
    body: Body = {
        "name": name,
        "protocol": "All" if protocol == "*" else protocol,
        "sourcePortRanges": source_ports,
        "destinationPortRanges": destination_ports,
        "sourceAddressPrefixes": [_shown(text) for text in sources],
        "destinationAddressPrefixes": [_shown(text) for text in destinations],
        "access": rest.get("access"),
        "priority": rest.get("priority"),
        "direction": rest.get("direction"),
    }
    for plural, singular in (
        ("sourcePortRanges", "sourcePortRange"),
        ("destinationPortRanges", "destinationPortRange"),
        ("sourceAddressPrefixes", "sourceAddressPrefix"),
        ("destinationAddressPrefixes", "destinationAddressPrefix"),
    ):
        if len(body[plural]) == 1:
            body[singular] = body[plural][0]
    known = {**TAGS, "VirtualNetwork": network}
    for key, texts in (("Source", sources), ("Destination", destinations)):
        expanded = [prefix for text in texts for prefix in known.get(text, [])]
        if expanded:
            body[f"expanded{key}AddressPrefix"] = expanded
    return body


def _both(properties: Body, singular: str, plural: str) -> list[str]:
    one: Any = properties.get(singular)
    return ([one] if one else []) + list(properties.get(plural) or [])


def _ports(text: str) -> str:
    return PORTS if text == "*" else text if "-" in text else f"{text}-{text}"


def _shown(text: str) -> str:
    if text == "*":
        return ANY
    try:
        return str(ip_network(text, strict=False))
    except ValueError:
        return text
