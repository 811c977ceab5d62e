"""Microsoft.Network/applicationSecurityGroups: a name for machines, which security rules use in place of addresses.

    NIC ipConfigurations[].applicationSecurityGroups     who is a member; all configurations of a NIC name the same ones
    rule source/destinationApplicationSecurityGroups     meant are the members' addresses, as they are at that moment

The members of a group are in one virtual network, that of its first one; a rule's groups are of one network, too, and
a rule names groups or prefixes at each end, not both. A group that somebody names can't be deleted. Packets, IP flow
verify and effective rules see the members (`farshore.routing.security`).

Two codes are known from reports of users, `AllIpConfigurationsOnANicMustBelongToTheSameApplicationSecurityGroups` and
`AllApplicationSecurityGroupsInSecurityRuleMustBeFromSameVnet`, and the sentence with which a deletion is refused; the
other codes are ours. Site Recovery carries no group over (S13 has no place for one): a machine that lands is a member
of nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab.answers import Refused, bad_request
from farshore.lab.bodies import Link
from farshore.lab.cloud import must_have
from farshore.lab.network.references import configurations, ref
from farshore.lab.registry import resource_type
from farshore.lab.types import Put, ResourceType

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

APPLICATION_SECURITY_GROUPS = "Microsoft.Network/applicationSecurityGroups"
SIDES = ("source", "destination")
MEMBER, RULE = "grouped", "ruled"
"""Kinds of link to a group: from an IP configuration, and from a security rule."""


@resource_type(APPLICATION_SECURITY_GROUPS)
class ApplicationSecurityGroups(ResourceType):
    read_only = ("provisioningState",)

    def on_put(self, put: Put) -> Body:
        body = self.standard(put)
        properties = {key: value for key, value in body["properties"].items() if key != "resourceGuid"}
        return {**body, "properties": properties}

    def on_delete(self, cloud: Cloud, id_: ResourceId) -> None:
        for kind, whose in ((MEMBER, "IpConfiguration(s)"), (RULE, "SecurityRule(s)")):
            used = cloud.bodies.linked(kind, id_.key)
            if used:
                raise bad_request(
                    "ApplicationSecurityGroupInUse",
                    f"Application Security Group {id_.name} cannot be deleted because it is referenced by {whose} "
                    f"{', '.join(used)}.",
                )


# Who names a group. --------------------------------------------------------------------------------------------------


def of_configuration(item: Body) -> list[str]:
    """The groups that an IP configuration is in."""
    return _ids((item.get("properties") or {}).get("applicationSecurityGroups"))


def of_side(rule: Body, side: str) -> list[str]:
    """The groups that a rule names at one end (`source`, `destination`)."""
    return _ids((rule.get("properties") or {}).get(f"{side}ApplicationSecurityGroups"))


def member_links(nic: Body) -> Iterator[Link]:
    for item in configurations(nic):
        label = str(item.get("id") or f"{nic['id']}/ipConfigurations/{item.get('name')}")
        for group in of_configuration(item):
            yield Link(MEMBER, group.lower(), label, str(nic["id"]))


def rule_links(body: Body) -> Iterator[Link]:
    for side in SIDES:
        for group in of_side(body, side):
            yield Link(RULE, group.lower(), str(body["id"]))


def addresses(cloud: Cloud, group: str, network: ResourceId) -> list[str]:
    """The addresses of a group's members in a virtual network, each a prefix of one address."""
    found = []
    for nic in _members(cloud, group):
        for item in configurations(cloud.body(nic) or {}):
            address = (item.get("properties") or {}).get("privateIPAddress")
            mine = group.lower() in (text.lower() for text in of_configuration(item))
            if mine and address and _network(item) == network:
                found.append(f"{address}/{128 if ':' in address else 32}")
    return found


# What is refused. ----------------------------------------------------------------------------------------------------


def check_interface(put: Put) -> None:
    """A NIC's groups are there, in its region, the same in all its IP configurations, and of its network."""
    items = configurations(put.body)
    first = items[0]
    wanted = {text.lower() for text in of_configuration(first)}
    for item in items[1:]:
        if {text.lower() for text in of_configuration(item)} != wanted:
            raise bad_request(
                "AllIpConfigurationsOnANicMustBelongToTheSameApplicationSecurityGroups",
                "All IPConfigurations on a Network Interface should reference the same set of Application Security "
                f"Groups. IPConfiguration {_label(put.id, first)} references ASG(s) "
                f"{','.join(of_configuration(first))}, whereas IPConfiguration {_label(put.id, item)} references "
                f"ASG(s) {','.join(of_configuration(item))}.",
            )
    network = _network(first)
    for group in of_configuration(first):
        _must_be_near(put, group)
        others = [text for text in _networks(put.cloud, [group], without=put.id) if text != network]
        if others:
            raise bad_request(
                "ApplicationSecurityGroupMembersNotInSameVnet",
                f"Network interface {put.id.text} can't be in Application Security Group {group}: its members are in "
                f"virtual network {others[0].text}.",
            )
        for rule in put.cloud.bodies.linked(RULE, group.lower()):
            held = put.cloud.body(rule) or {}
            named = [text for side in SIDES for text in of_side(held, side)]
            _must_be_one(rule, {*_networks(put.cloud, named, without=put.id), *([network] if network else [])})


def check_rule_groups(put: Put) -> None:
    """A rule's groups are there, stand alone at their end, and have their members in one network."""
    named: list[str] = []
    for side in SIDES:
        groups = of_side(put.body, side)
        prefixes = put.properties.get(f"{side}AddressPrefix") or put.properties.get(f"{side}AddressPrefixes")
        if groups and prefixes:
            name = side.capitalize()
            raise bad_request(
                "SecurityRuleParameterContainsMoreThanOneValue",
                f"Security rule with Id {put.id.text} must specify a non empty value for exactly one of: "
                f"{name}AddressPrefixes, {name}AddressPrefix, {name}ApplicationSecurityGroups.",
            )
        for group in groups:
            _must_be_near(put, group)
        named += groups
    _must_be_one(put.id.text, set(_networks(put.cloud, named)))


def _must_be_near(put: Put, group: str) -> None:
    must_have(put.cloud, group, put.id.text)
    id_ = resource_id(group)
    if not id_.is_a(APPLICATION_SECURITY_GROUPS) or put.cloud.region_of(id_) != put.location:
        raise bad_request(
            "InvalidResourceReference",
            f"Resource {group} referenced by resource {put.id.text} was not found. Please make sure that the "
            "referenced resource exists, and that both resources are in the same region.",
        )


def _must_be_one(rule: str, networks: set[ResourceId]) -> None:
    if len(networks) > 1:
        raise Refused(
            400,
            "AllApplicationSecurityGroupsInSecurityRuleMustBeFromSameVnet",
            f"Security Rule {rule} has Application Security Groups (ASGs) from multiple virtual networks "
            f"({', '.join(sorted(network.text for network in networks))}). All ASGs on the Security Rule must be from "
            "the same virtual network.",
        )


def _networks(cloud: Cloud, groups: Iterable[str], without: ResourceId | None = None) -> Iterator[ResourceId]:
    """The networks that members of groups are in."""
    for group in groups:
        for nic in _members(cloud, group):
            if nic == without:
                continue
            for item in configurations(cloud.body(nic) or {}):
                if (network := _network(item)) is not None:
                    yield network


def _members(cloud: Cloud, group: str) -> list[ResourceId]:
    """The NICs in a group."""
    return sorted({resource_id(text) for text in cloud.bodies.values(MEMBER, group.lower())})


def _network(item: Body) -> ResourceId | None:
    subnet = ref(item, "subnet")
    return None if subnet is None else resource_id(subnet).parent


def _label(nic: ResourceId, item: Body) -> str:
    return f"{nic.text}/ipConfigurations/{item.get('name') or 'ipconfig1'}"


def _ids(given: Any) -> list[str]:
    return [str(item["id"]) for item in given or [] if isinstance(item, dict) and item.get("id")]
