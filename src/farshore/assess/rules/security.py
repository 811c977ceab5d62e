"""Security groups in sight of route tables (R42 to R45).

The tag `VirtualNetwork` covers the prefixes of user-defined routes too (R44). A 0/0 route to an appliance makes it
everything, and then the default rule AllowVnetInBound admits whatever the appliance passes on. In the target a group
that stands already must let through what the objectives promise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address
from itertools import islice

from farshore.arm.ids import ResourceId
from farshore.arm.network import NetworkSecurityGroup, SecurityRule, Subnet
from farshore.assess.context import Context
from farshore.assess.findings import Finding, error, rule, warning
from farshore.assess.objectives import Endpoint, conversations
from farshore.estate.counterparts import mapped_address
from farshore.routing.context import routing_of
from farshore.routing.index import Holder
from farshore.routing.security import Packet, refusal

ANY = ("*", "0.0.0.0/0", "any")
Needs = tuple[tuple[str, ...], ...]
MOST_FLOWS = 2000
"""Of an objective, at most so many conversations are tried: machines of one subnet share its group."""


@rule("FS251", "A default route widens the tag VirtualNetwork to everything", "R44", "R42")
def widened(context: Context) -> Iterator[Finding]:
    seen = set()
    for side in context.sides:
        for spoke in side.spokes:
            for subnet in spoke.subnets:
                group = context.estate.network_security_group(subnet.network_security_group)
                if group is None or group.id in seen or not _has_default(context, subnet):
                    continue
                if not _denies_the_rest(group):
                    seen.add(group.id)
                    yield warning(
                        group.id,
                        f"{group.id.name} admits any source that the appliance passes on to {subnet.id.short}",
                        "the subnet's table has 0.0.0.0/0, which belongs to the tag VirtualNetwork",
                        "no rule of its own denies the rest before AllowVnetInBound (65000)",
                        remedy=f"end {group.id.name} with a rule that denies all other inbound traffic",
                    )


@rule("FS252", "A security group of the target denies what an objective promises", "R42", "R43", "D79")
def denied_in_target(context: Context) -> Iterator[Finding]:
    world = routing_of(context.estate).world
    seen = set()
    appliances = tuple(
        Holder(nic=holder.nic, subnet=holder.subnet, address=holder.address)
        for address in context.target.appliances
        for hub in context.target.hubs
        for holder in context.index.at(hub.id.key, address)
    )
    for objective in context.objectives:
        for talk in islice(conversations(context, objective), 0 if objective.deny else MOST_FLOWS):
            packet = Packet(
                source=_moved(context, talk.source),
                destination=_moved(context, talk.destination),
                protocol=talk.protocol,
                source_port=None,
                destination_port=talk.port,
            )
            ways = [(_in_target(context, talk.source), "Outbound"), (_in_target(context, talk.destination), "Inbound")]
            if objective.through is not None:
                ways += [(holder, way) for holder in appliances for way in ("Inbound", "Outbound")]
            for holder, direction in ways:
                no = None if holder is None else refusal(world, holder, direction, packet)
                if no is None or no.missing or (no.group, no.rule) in seen:
                    continue
                if holder in appliances and not _is_written(context, no.group, no.rule):
                    continue  # a default rule: what the tag VirtualNetwork covers is not built yet
                seen.add((no.group, no.rule))
                yield error(
                    no.group,
                    f"{no.group.name} in the target denies what objective {objective.name} promises",
                    f"{packet.source} -> {packet.destination} {talk.protocol}/{talk.port}: {direction}, {no.rule}",
                    remedy=f"allow {packet.source} -> {packet.destination} in {no.group.name}, as the source does",
                )


@rule("FS253", "A security group keeps a machine from Site Recovery", "S39", "D88", "R42")
def no_way_out(context: Context) -> Iterator[Finding]:
    """Replication needs TCP 443 to Azure's own services, from the source and, before reprotection, from the target
    too; a rule of the group denies one of them, and none before allows it."""
    seen = set()
    home, away = context.project.source_region, context.project.target.region
    for group, whom, needs in (*_groups_of_machines(context, home, away), *_groups_of_target(context, home, away)):
        if group.id in seen:
            continue
        seen.add(group.id)
        denied = _denied_service(group, needs)
        if denied is not None:
            name, service = denied
            yield error(
                group.id,
                f"{group.id.name} keeps {whom} from Site Recovery: {name} denies TCP 443 to {service}",
                "replication needs TCP 443 to " + ", ".join(tags[0] for tags in needs),
                remedy=f"allow these tags by a rule before {name}",
            )


def _groups_of_machines(context: Context, home: str, away: str) -> Iterator[tuple[NetworkSecurityGroup, str, Needs]]:
    """The groups of the machines that will be replicated, on their NICs and subnets."""
    for machine in context.machines:
        for nic in machine.nics:
            subnets = (context.estate.subnet(item.subnet) for item in nic.ip_configurations)
            for id_ in (nic.network_security_group, *(s.network_security_group for s in subnets if s is not None)):
                group = context.estate.network_security_group(id_)
                if group is not None:
                    yield group, machine.name, _needs(home, away)


def _groups_of_target(context: Context, home: str, away: str) -> Iterator[tuple[NetworkSecurityGroup, str, Needs]]:
    """The groups of a target that stands: what runs there is to be replicated back."""
    for spoke in context.target.spokes:
        for subnet in spoke.subnets:
            group = context.estate.network_security_group(subnet.network_security_group)
            if group is not None:
                yield group, f"machines in {subnet.id.short}", _needs(away, home)


@rule("FS254", "A security group is not in the estate", "R42", "R9")
def absent_group(context: Context) -> Iterator[Finding]:
    """What it denies is not known; a trace would pass where Azure may not."""
    for side in context.sides:
        for network in side.networks:
            for subnet in network.subnets:
                if _is_absent(context, subnet.network_security_group):
                    yield _not_read(subnet.id, subnet.network_security_group)
    for nic in (*(nic for machine in context.machines for nic in machine.nics), *context.appliance_nics):
        if _is_absent(context, nic.network_security_group):
            yield _not_read(nic.id, nic.network_security_group)


def _is_absent(context: Context, group: ResourceId | None) -> bool:
    return group is not None and context.estate.get(group) is None


def _not_read(subject: ResourceId, group: ResourceId | None) -> Finding:
    name = "nobody" if group is None else group.name
    return warning(
        subject,
        f"{subject.short} has the security group {name}, which the estate does not hold: what it denies is not known",
        remedy=f"read {name} into the estate, or correct the reference",
    )


def _needs(region: str, other: str) -> Needs:
    """The tags that a machine in `region` must reach, each by its own name and its name in a region (S39)."""
    return (
        (f"Storage.{region}", "storage"),
        ("AzureActiveDirectory",),
        (f"EventHub.{other}", "eventhub"),
        ("AzureSiteRecovery",),
    )


def _denied_service(group: NetworkSecurityGroup, needs: Needs) -> tuple[str, str] | None:
    """The first outbound rule that denies 443 to a needed tag which none before it allows, and the tag."""
    rules = [
        own
        for own in sorted(group.security_rules, key=lambda item: item.priority)
        if own.direction.lower() == "outbound"
        and own.protocol.lower() in ("tcp", "*")
        and any(_holds_443(ports) for ports in own.destination_port_ranges)
    ]
    for tags in needs:
        names = {*ANY, "internet", "azurecloud", *(tag.lower() for tag in tags)}
        for own in rules:
            if not {prefix.lower() for prefix in own.destination_address_prefixes} & names:
                continue
            if own.access.lower() == "allow":
                break
            if _from_anywhere(own):
                return own.name, tags[0]
    return None


def _holds_443(ports: str) -> bool:
    low, _, high = ports.partition("-")
    return ports == "*" or (low.isdecimal() and int(low) <= 443 <= int(high if high.isdecimal() else low))


def _from_anywhere(own: SecurityRule) -> bool:
    return any(prefix.lower() in (*ANY, "virtualnetwork") for prefix in own.source_address_prefixes)


def _moved(context: Context, end: Endpoint) -> IPv4Address | IPv6Address:
    return end.address if end.machine is None else mapped_address(context.project, end.address)


def _is_written(context: Context, group: ResourceId, rule: str) -> bool:
    found = context.estate.network_security_group(group)
    return found is not None and any(own.name == rule for own in found.security_rules)


def _in_target(context: Context, end: Endpoint) -> Holder | None:
    """The machine's NIC as it will stand in a target subnet that exists; None where none does."""
    nic = context.estate.network_interface(end.nic)
    primary = None if nic is None else nic.primary
    if nic is None or primary is None or primary.subnet is None:
        return None
    there = context.counterparts.of(primary.subnet)
    if there == primary.subnet or context.estate.subnet(there) is None:
        return None
    group = None if nic.network_security_group is None else context.counterparts.of(nic.network_security_group)
    moved = replace(nic, id=context.counterparts.of(nic.id), network_security_group=group)
    return Holder(nic=moved, subnet=there, address=mapped_address(context.project, end.address))


def _has_default(context: Context, subnet: Subnet) -> bool:
    return any(
        not isinstance(route.address_prefix, str)
        and route.address_prefix.prefixlen == 0
        and route.next_hop_type.lower() == "virtualappliance"
        for route in context.routes_of(subnet)
    )


def _denies_the_rest(group: NetworkSecurityGroup) -> bool:
    return any(
        rule.direction.lower() == "inbound"
        and rule.access.lower() == "deny"
        and any(prefix.lower() in ANY for prefix in rule.source_address_prefixes)
        and any(prefix.lower() in (*ANY, "virtualnetwork") for prefix in rule.destination_address_prefixes)
        and "*" in rule.destination_port_ranges
        for rule in group.security_rules
    )
