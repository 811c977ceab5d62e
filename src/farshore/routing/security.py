"""Network security groups: may this packet pass this NIC (R42 to R45)?

Inbound the subnet's group is asked before the NIC's, outbound the NIC's before the subnet's; each that is there must
allow (R43). Within a group the rule with the lowest priority number that matches decides; the default rules come last:

    inbound   65000 AllowVnetInBound   65001 AllowAzureLoadBalancerInBound   65500 DenyAllInBound
    outbound  65000 AllowVnetOutBound  65001 AllowInternetOutBound           65500 DenyAllOutBound

The tag `VirtualNetwork` is wider than the network (R44): its peers, as far as the peering's flags let them in (R30),
all that its gateway learned, and the prefixes of user-defined routes, so that a 0/0 route makes it everything. An
appliance sees the original addresses of what it forwards, and so do its groups (R45).

Groups are stateful: the reply of a flow that passed a NIC passes it again, whatever the rules say. That is the
caller's business: it asks only where no flow record exists.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_network
from typing import TYPE_CHECKING

from farshore.arm.decode import Address, Network
from farshore.arm.ids import ResourceId
from farshore.arm.network import NetworkSecurityGroup, SecurityRule
from farshore.routing.doubts import marked
from farshore.routing.index import Holder, network_key
from farshore.routing.places import unknown_addresses
from farshore.routing.prefixes import covered, distinct, is_public

if TYPE_CHECKING:
    from farshore.routing.world import World

HOST = ip_network("168.63.129.16/32")
"""The host's virtual address: source of probes, part of VirtualNetwork (R44)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    source: Address
    destination: Address
    protocol: str
    source_port: int | None
    destination_port: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A group's no, or that nobody can tell."""

    group: ResourceId
    """The group, or the NIC whose groups can't be read."""
    rule: str
    """Its rule; empty where none can be read."""
    missing: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.missing and not self.rule:
            return f"nobody can tell what the groups of {self.group.short} let pass"
        if self.missing:
            return f"{self.group.short} decides by a tag whose prefixes are not known"
        return f"{self.group.short} says no by {self.rule}"


def refusal(world: World, holder: Holder, direction: str, packet: Packet) -> Refusal | None:
    """Why the packet does not pass a NIC in this direction (`Inbound`, `Outbound`); None when it does. A group that
    says no is heard before one that nobody can read."""
    asked, unread = _groups(world, holder)
    for group in asked if direction == "Outbound" else reversed(asked):
        found = _refused_by(world, group, holder, direction, packet)
        if found is not None:
            return found
    return Refusal(group=holder.nic.id, rule="", missing=unread) if unread else None


def decider(world: World, holder: Holder, direction: str, packet: Packet) -> tuple[ResourceId, SecurityRule] | None:
    """The group and rule that let a packet pass a NIC which nothing refuses: the last that is asked. None where no
    group stands there."""
    asked, _ = _groups(world, holder)
    for group in reversed(asked if direction == "Outbound" else asked[::-1]):
        for rule in _rules(group, direction):
            if _matches(world, rule, holder, packet):
                return group.id, rule
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A rule that was asked about a packet, and which of its parts are about it."""

    rule: SecurityRule
    own: bool
    """Not a default rule."""
    protocol: bool
    source: bool
    source_port: bool
    destination: bool
    destination_port: bool

    @property
    def matches(self) -> bool:
        return self.protocol and self.source and self.source_port and self.destination and self.destination_port


def asked(
    world: World, holder: Holder, direction: str, packet: Packet
) -> Iterator[tuple[ResourceId, tuple[Asked, ...]]]:
    """Each group in the order in which it is asked, as long as they let the packet pass: its rules down to the one that
    decides. What nobody can tell does not match."""
    found, _ = _groups(world, holder)
    for group in found if direction == "Outbound" else reversed(found):
        rows: list[Asked] = []
        for rule in _rules(group, direction):
            rows.append(_asked(world, rule, holder, packet, own=rule in group.security_rules))
            if rows[-1].matches:
                break
        yield group.id, tuple(rows)
        if not rows[-1].matches or rows[-1].rule.access.lower() != "allow":
            return


def _asked(world: World, rule: SecurityRule, holder: Holder, packet: Packet, *, own: bool) -> Asked:
    sources = (rule.source_address_prefixes, rule.source_application_security_groups, packet.source)
    destinations = (
        rule.destination_address_prefixes,
        rule.destination_application_security_groups,
        packet.destination,
    )
    return Asked(
        rule=rule,
        own=own,
        protocol=rule.protocol == "*" or rule.protocol.lower() == packet.protocol.lower(),
        source=_end(world, *sources, holder) is True,
        source_port=_port(rule.source_port_ranges, packet.source_port),
        destination=_end(world, *destinations, holder) is True,
        destination_port=_port(rule.destination_port_ranges, packet.destination_port),
    )


def _groups(world: World, holder: Holder) -> tuple[tuple[NetworkSecurityGroup, ...], tuple[str, ...]]:
    """The groups of a NIC and of its subnet, those that can be read; and what of them can't be."""
    key = ("groups", holder.nic.id.key, holder.subnet.key)
    found: tuple[tuple[NetworkSecurityGroup, ...], tuple[str, ...]] | None = world.settled.memo.get(key)
    if found is None:
        found = world.settled.memo[key] = _read(world, holder)
    return found


def _read(world: World, holder: Holder) -> tuple[tuple[NetworkSecurityGroup, ...], tuple[str, ...]]:
    network, subnet = world.index.network_of(holder.subnet), world.index.subnet(holder.subnet)
    ids = [holder.nic.network_security_group, None if subnet is None else subnet.network_security_group]
    held: list[NetworkSecurityGroup] = []
    unread: list[str] = []
    if marked(holder.nic.id, holder.nic.unknown, ("networkSecurityGroup",)):
        unread.append(f"which group {holder.nic.id.short} has")
    if network is not None and subnet is not None:
        hidden = world.doubts.of_subnet(network, subnet, ("networkSecurityGroup",))
        unread += (f"which group {holder.subnet.short} has",) if hidden else ()
    for id_ in ids:
        group = world.estate.network_security_group(id_)
        if group is not None:
            missing = marked(group.id, group.unknown, ("securityRules",))
            unread += missing
            held += () if missing else (group,)
        elif id_ is not None:
            unread.append(f"{id_.short}, which is not in the estate")
    return tuple(held), tuple(unread)


def virtual_network_tag(world: World, subnet_id: ResourceId) -> tuple[Network, ...]:
    """What `VirtualNetwork` means in a subnet (R30, R44)."""
    network = world.index.network_of(subnet_id)
    if network is None:
        return (HOST,)
    held: list[Network] = [*network.address_space, HOST]
    for live in world.ground.peerings.get(network.id.key, ()):
        if live.peering.allow_virtual_network_access:
            held += live.prefixes
            if live.peering.allow_forwarded_traffic:
                # What the peer forwards comes from its own peers, and from behind its gateway.
                for further in world.ground.peerings.get(live.remote_key, ()):
                    held += further.prefixes
                if live.remote is not None:
                    held += (row.address_prefix for row in world.bgp_rows(live.remote))
    held += (row.address_prefix for row in world.bgp_rows(network))
    subnet = network.subnet(subnet_id.name)
    table = world.estate.route_table(None if subnet is None else subnet.route_table)
    routes = () if table is None else table.routes
    held += (route.address_prefix for route in routes if not isinstance(route.address_prefix, str))
    return distinct(held)


def _refused_by(
    world: World, group: NetworkSecurityGroup, holder: Holder, direction: str, packet: Packet
) -> Refusal | None:
    rules = world.settled.memo.get((group.id.key, direction))
    if rules is None:
        rules = world.settled.memo[(group.id.key, direction)] = _rules(group, direction)
    for rule in rules:
        verdict = _matches(world, rule, holder, packet)
        if verdict is None:
            tags = tuple(_unknown_tags(world, rule)) or ("VirtualNetwork or of an application security group",)
            missing = tuple(f"the prefixes of {tag} in {group.id.short}, rule {rule.name}" for tag in tags)
            return Refusal(group=group.id, rule=rule.name, missing=missing)
        if verdict:
            return None if rule.access.lower() == "allow" else Refusal(group=group.id, rule=rule.name)
    return Refusal(group=group.id, rule="no rule")


def _rules(group: NetworkSecurityGroup, direction: str) -> tuple[SecurityRule, ...]:
    own = [rule for rule in group.security_rules if rule.direction.lower() == direction.lower()]
    return (*sorted(own, key=lambda rule: rule.priority), *_DEFAULTS[direction])


def _default(name: str, priority: int, direction: str, source: str, destination: str, access: str) -> SecurityRule:
    return SecurityRule(
        name=name,
        priority=priority,
        direction=direction,
        access=access,
        protocol="*",
        source_address_prefixes=(source,),
        destination_address_prefixes=(destination,),
        source_port_ranges=("*",),
        destination_port_ranges=("*",),
    )


_DEFAULTS = {
    "Inbound": (
        _default("AllowVnetInBound", 65000, "Inbound", "VirtualNetwork", "VirtualNetwork", "Allow"),
        _default("AllowAzureLoadBalancerInBound", 65001, "Inbound", "AzureLoadBalancer", "*", "Allow"),
        _default("DenyAllInBound", 65500, "Inbound", "*", "*", "Deny"),
    ),
    "Outbound": (
        _default("AllowVnetOutBound", 65000, "Outbound", "VirtualNetwork", "VirtualNetwork", "Allow"),
        _default("AllowInternetOutBound", 65001, "Outbound", "*", "Internet", "Allow"),
        _default("DenyAllOutBound", 65500, "Outbound", "*", "*", "Deny"),
    ),
}


def _matches(world: World, rule: SecurityRule, holder: Holder, packet: Packet) -> bool | None:
    """Whether a rule is about this packet; None when that hangs on a tag whose prefixes nobody has told us."""
    if rule.protocol != "*" and rule.protocol.lower() != packet.protocol.lower():
        return False
    if not _port(rule.source_port_ranges, packet.source_port):
        return False
    if not _port(rule.destination_port_ranges, packet.destination_port):
        return False
    ends = (
        (rule.source_address_prefixes, rule.source_application_security_groups, packet.source),
        (rule.destination_address_prefixes, rule.destination_application_security_groups, packet.destination),
    )
    answers = [_end(world, prefixes, groups, address, holder) for prefixes, groups, address in ends]
    if False in answers:
        return False
    return None if None in answers else True


def _port(ranges: Iterable[str], port: int | None) -> bool:
    """An empty list means any; a packet without a known port is matched by `*` and by the whole range only."""
    held = tuple(ranges)
    for text in held:
        low, _, high = text.partition("-")
        if text == "*" or (low == "0" and high == "65535"):
            return True
        if port is not None and low.isdecimal() and int(low) <= port <= int(high or low):
            return True
    return not held


def _end(
    world: World, prefixes: tuple[str, ...], groups: tuple[ResourceId, ...], address: Address, holder: Holder
) -> bool | None:
    if groups:
        members = world.index.at(network_key(holder.subnet), address)
        if any(
            item.private_ip_address == address and set(groups) & set(item.application_security_groups)
            for found in members
            for item in found.nic.ip_configurations
        ):
            return True
        marked = any("applicationSecurityGroups" in path for found in members for path in found.nic.unknown)
        return None if marked or unknown_addresses(world, world.index.networks[network_key(holder.subnet)]) else False
    unknown = False
    for text in prefixes:
        answer = _named(world, text, address, holder)
        if answer:
            return True
        unknown = unknown or answer is None
    return None if unknown else False


def _named(world: World, text: str, address: Address, holder: Holder) -> bool | None:
    """Whether a prefix or tag of a rule contains an address."""
    name = text.lower()
    if name in ("*", "any"):
        return True
    if name == "virtualnetwork":
        return None if _doubtful(world, holder.subnet, address) else covered(address, world.tag(holder.subnet))
    if name == "azureloadbalancer":
        return covered(address, (HOST,))
    if name == "internet":
        return is_public(address)
    if name[0].isdigit() or ":" in name:
        return covered(address, (_prefix(text),))
    if not is_public(address):
        return False
    known = world.service_tags.get(name)
    return None if known is None else covered(address, known)


def _doubtful(world: World, subnet: ResourceId, address: Address) -> bool:
    """Whether nobody can say that `VirtualNetwork` means an address in a subnet: its network's tables or its peers'
    hang on what can't be read."""
    if not world.doubts.networks and not world.doubts.gateways and not world.subnet_table(subnet).doubts:
        return False
    network = world.index.network_of(subnet)
    if network is not None and covered(address, network.address_space):
        return False
    if world.subnet_table(subnet).doubts:
        # What a peer forwards counts, too: whom it is peered with in turn.
        return True
    near = [] if network is None else [network.id.key]
    near += [live.remote_key for key in near for live in world.ground.peerings.get(key, ())]
    if any(doubt.of(address) for key in near[1:] for doubt in world.doubts.networks.get(key, ())):
        return True
    near += [live.remote_key for key in near for live in world.ground.remote_of.get(key, ())]
    gateways = (gateway.id.key for key in near for gateway in world.index.gateways_in.get(key, ()))
    return any(key in world.doubts.gateways for key in gateways)


def _unknown_tags(world: World, rule: SecurityRule) -> Iterator[str]:
    for text in (*rule.source_address_prefixes, *rule.destination_address_prefixes):
        special = text.lower() in ("*", "any", "virtualnetwork", "azureloadbalancer", "internet")
        if not special and not text[0].isdigit() and ":" not in text and text.lower() not in world.service_tags:
            yield text


@lru_cache(maxsize=4096)
def _prefix(text: str) -> Network:
    return ip_network(text, strict=False)
