"""Microsoft.Network/networkSecurityGroups and their rules (R42, L25). The six default rules are shown, never kept.

A rule's ports and prefixes are what they should be, or it is refused with the codes that users report; a word in place
of a prefix may be any service's tag.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab.answers import Refused, bad_request, child_not_found
from farshore.lab.bodies import Link
from farshore.lab.call import Call
from farshore.lab.network.application_security_groups import check_rule_groups, rule_links
from farshore.lab.network.references import interfaces_with, subnets_with
from farshore.lab.registry import resource_type
from farshore.lab.types import Put, ResourceType, child_of

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

NETWORK, PROBE, INTERNET = "VirtualNetwork", "AzureLoadBalancer", "Internet"
DEFAULT_RULES = (
    ("AllowVnetInBound", "all VMs in VNET", NETWORK, NETWORK, "Allow", 65000, "Inbound"),
    ("AllowAzureLoadBalancerInBound", "azure load balancer", PROBE, "*", "Allow", 65001, "Inbound"),
    ("DenyAllInBound", "", "*", "*", "Deny", 65500, "Inbound"),
    ("AllowVnetOutBound", "all VMs to all VMs in VNET", NETWORK, NETWORK, "Allow", 65000, "Outbound"),
    ("AllowInternetOutBound", "all VMs to Internet", "*", INTERNET, "Allow", 65001, "Outbound"),
    ("DenyAllOutBound", "", "*", "*", "Deny", 65500, "Outbound"),
)
PLURALS = ("sourcePortRanges", "destinationPortRanges", "sourceAddressPrefixes", "destinationAddressPrefixes")
SHOWN = ("defaultSecurityRules", "subnets", "networkInterfaces")
SIDES = ("source", "destination")
PORTS = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")
LAST_PORT = 65535


@resource_type("Microsoft.Network/networkSecurityGroups")
class NetworkSecurityGroups(ResourceType):
    forwards = True
    nested = ("securityRules",)
    read_only = ("provisioningState", "resourceGuid", *SHOWN)

    def validate(self, put: Put) -> None:
        rules = [child_of(put, "securityRules", rule) for rule in put.properties.get("securityRules") or []]
        seen: dict[tuple[str, int], str] = {}
        for rule in rules:
            check_rule(rule, seen)

    def seed(self, cloud: Cloud, body: Body) -> Body:
        return {**body, "properties": {key: item for key, item in body["properties"].items() if key not in SHOWN}}

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        properties = {**body["properties"], "defaultSecurityRules": list(_defaults(id_, body, cloud.etag(id_)))}
        for name, used in (
            ("subnets", subnets_with(cloud, id_)),
            ("networkInterfaces", interfaces_with(cloud, id_)),
        ):
            if used:
                properties[name] = [{"id": item} for item in used]
        return {**body, "properties": properties}

    def on_delete(self, cloud: Cloud, id_: ResourceId) -> None:
        used = subnets_with(cloud, id_) + interfaces_with(cloud, id_)
        if used:
            raise Refused(
                400,
                "InUseNetworkSecurityGroupCannotBeDeleted",
                f"Network security group {id_.name} cannot be deleted because it is in use by the following resources: "
                f"{', '.join(used)}. In order to delete the Network security group, remove the association with the "
                "resource(s).",
            )


@resource_type("Microsoft.Network/networkSecurityGroups/securityRules")
class SecurityRules(ResourceType):
    tracked = False
    forwards = True

    def validate(self, put: Put) -> None:
        group = put.id.parent
        assert group is not None
        others = {
            (str(body["properties"].get("direction")), int(body["properties"].get("priority") or 0)): str(body["name"])
            for body in put.cloud.children(group, "securityRules")
            if str(body["id"]).lower() != put.id.key
        }
        check_rule(put, others)

    def on_put(self, put: Put) -> Body:
        body = self.standard(put)
        return {**body, "properties": {**{name: [] for name in PLURALS}, **body["properties"]}}

    def links(self, body: Body) -> Iterator[Link]:
        return rule_links(body)


@resource_type("Microsoft.Network/networkSecurityGroups/defaultSecurityRules")
class DefaultSecurityRules(ResourceType):
    """Read, one by one and as a list; nobody writes them."""

    tracked = False

    def get(self, call: Call) -> Response:
        for body in self.rows_of(call, call.id.parent):
            if str(body["name"]).lower() == call.id.name.lower():
                return Response(status=200, headers={"etag": body["etag"]}, body=body)
        raise child_not_found(call.id)

    def rows(self, call: Call, found: list[Body]) -> list[Body]:
        return self.rows_of(call, call.id)

    def rows_of(self, call: Call, group: ResourceId | None) -> list[Body]:
        body = None if group is None else call.cloud.body(group)
        if group is None or body is None:
            raise child_not_found(call.id)
        return list(_defaults(resource_id(str(body["id"])), body, call.cloud.etag(group)))

    def put(self, call: Call) -> Response:
        raise Refused(405, "MethodNotAllowed", f"{self.type} is written by Azure alone.")

    patch = put
    delete = put


def check_rule(put: Put, seen: dict[tuple[str, int], str]) -> None:
    """Priority 100 to 4096, once a direction (R42)."""
    properties = put.properties
    for name in ("direction", "access", "protocol"):
        if not properties.get(name):
            raise bad_request("SecurityRuleParameterMissing", f"Security rule {put.id.text} has no {name}.")
    priority = properties.get("priority")
    if not isinstance(priority, int) or not 100 <= priority <= 4096:
        raise bad_request(
            "SecurityRuleInvalidPriority",
            f"Security rule {put.id.name} has invalid Priority. Value provided: {priority} Allowed range 100-4096.",
        )
    key = (str(properties["direction"]), priority)
    if key in seen:
        raise bad_request(
            "SecurityRuleConflict",
            f"Security rule {put.id.name} conflicts with rule {seen[key]}. Rules cannot have the same Priority and "
            "Direction.",
        )
    seen[key] = put.id.name
    for value in _values(properties, "PortRange", "PortRanges"):
        if not _are_ports(value):
            raise bad_request(
                "SecurityRuleInvalidPortRange",
                f"Security rule has invalid Port range. Value provided: {value}. Value should be an integer OR integer "
                f"range with '-' delimiter. Valid range 0-{LAST_PORT}.",
            )
    for value in _values(properties, "AddressPrefix", "AddressPrefixes"):
        if not _is_prefix(value):
            raise bad_request(
                "SecurityRuleInvalidAddressPrefix",
                f"Security rule has invalid Address prefix. Value provided: {value}",
            )
    check_rule_groups(put)


def _values(properties: Body, one: str, many: str) -> Iterator[str]:
    """What a rule says at both ends, once or in a list; an empty text says nothing (recorded)."""
    for side in SIDES:
        listed = properties.get(f"{side}{many}")
        for value in (properties.get(f"{side}{one}"), *(listed if isinstance(listed, list) else ())):
            if value not in (None, ""):
                yield str(value)


def _are_ports(text: str) -> bool:
    found = PORTS.fullmatch(text)
    if found is None:
        return text == "*"
    first, last = int(found[1]), int(found[2] or found[1])
    return first <= last <= LAST_PORT


def _is_prefix(text: str) -> bool:
    if text == "*" or (text[0].isalpha() and ":" not in text):
        return True
    try:
        ip_network(text)
    except ValueError:
        return False
    return True


def _defaults(id_: ResourceId, body: Body, etag: str) -> Any:
    for name, whose, source, destination, access, priority, direction in DEFAULT_RULES:
        yield {
            "name": name,
            "id": f"{id_.text}/defaultSecurityRules/{name}",
            "etag": etag,
            "type": "Microsoft.Network/networkSecurityGroups/defaultSecurityRules",
            "properties": {
                "provisioningState": body["properties"].get("provisioningState", "Succeeded"),
                "description": (
                    f"Allow {direction.lower()} traffic from {whose}"
                    if whose
                    else f"Deny all {direction.lower()} traffic"
                ),
                "protocol": "*",
                "sourcePortRange": "*",
                "destinationPortRange": "*",
                "sourceAddressPrefix": source,
                "destinationAddressPrefix": destination,
                "access": access,
                "priority": priority,
                "direction": direction,
                **{plural: [] for plural in PLURALS},
            },
        }
