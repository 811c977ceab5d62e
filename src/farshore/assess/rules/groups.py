"""What lies in the region that will be lost, and must not (L36).

Writes to a resource may be refused while the region of its resource group's location is down. So the groups of the
vault, of the circuit that the target uses, of the target's networks and appliances must be located elsewhere; a pair's
primary circuit only matters for the guard's comfort and is a warning. Where a group holds resources of the source
region it is at its place, and the resource is in the wrong group; else the group is what is located wrongly.
"""

from __future__ import annotations

from collections.abc import Iterator

from farshore.arm.decode import Address
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.network import normal_location
from farshore.assess.context import Context
from farshore.assess.findings import Finding, error, rule, warning
from farshore.assess.rules.recovery import is_ours
from farshore.estate import records
from farshore.estate.vaults import VAULTS

AUTOMATION = "Microsoft.Automation/automationAccounts"


@rule("FS801", "The target's resource group is located in the source region", "L36")
def target_group(context: Context) -> Iterator[Finding]:
    for group in _target_groups(context):
        if location(context, group) != context.project.source_region:
            continue
        at_home = _serves_source(context, group)
        yield error(
            "target/resourceGroup" if at_home else group.text,
            f"The target's group {group.name} is located in {context.project.source_region}: nothing in it can be"
            " changed while that region is lost",
            f"location of {group.name} is {context.project.source_region}",
            remedy=f"use a group that is located in {context.project.target.region}; a group can't be moved",
        )


@rule("FS802", "What the target needs is in a group that is located in the source region", "L36", "S10", "S35")
def in_lost_group(context: Context) -> Iterator[Finding]:
    targets = set(_target_groups(context))
    told: set[ResourceId] = set()
    # What is severe first: a group is told of once.
    for id_, what, severe in sorted(_needed(context), key=lambda need: not need[2]):
        group = id_.group_id
        if group is None or group in targets or location(context, group) != context.project.source_region:
            continue
        at_home = _serves_source(context, group)
        if not at_home and group in told:
            continue
        told.add(group)
        finding = error if severe else warning
        yield finding(
            id_ if at_home else group,
            f"{id_.short} {what}, and its group {group.name} is located in {context.project.source_region}",
            "writes to it may be refused while that region is lost",
            remedy=f"move {id_.name} to a group that is located elsewhere",
        )


@rule("FS803", "What the target needs is itself located in the source region", "L36")
def in_lost_region(context: Context) -> Iterator[Finding]:
    for id_, what, severe in _needed(context):
        body = context.estate.get(id_)
        if body is None or normal_location(body.get("location")) != context.project.source_region:
            continue
        if id_ in {network.id for network in context.target.networks}:
            continue  # FS403
        finding = error if severe else warning
        yield finding(
            id_,
            f"{id_.short} {what} and is located in {context.project.source_region}",
            "a circuit's location in Azure is not its peering location" if severe else "it carries the source only",
            remedy=f"recreate {id_.name} in {context.project.target.region} or a third region",
        )


@rule("FS804", "An automation account lies in the source region", "S55", "L36")
def automation(context: Context) -> Iterator[Finding]:
    for body in context.estate.of_type(AUTOMATION):
        id_ = resource_id(str(body["id"]))
        places = {normal_location(body.get("location")), location(context, id_.group_id)}
        if context.project.source_region in places:
            yield warning(
                id_,
                f"{id_.name} can't run the recovery plan's runbooks when {context.project.source_region} is lost",
                remedy="keep what a recovery runs outside the source region",
            )


def location(context: Context, group: ResourceId | None) -> str | None:
    """Where a resource group is located; None where the estate does not say."""
    body = None if group is None else context.estate.get(group)
    return None if body is None else normal_location(body.get("location"))


def _target_groups(context: Context) -> tuple[ResourceId, ...]:
    """The target group, in each subscription that has machines; as the estate spells it."""
    found: dict[ResourceId, None] = {}
    for machine in context.machines:
        group = context.counterparts.group(machine.id)
        body = context.estate.get(group)
        found[group if body is None else resource_id(str(body["id"]))] = None
    return tuple(found)


def _serves_source(context: Context, group: ResourceId) -> bool:
    """Whether the group holds resources of the source region that are not the target's needs."""
    needed = {id_ for id_, _, _ in _needed(context)}
    inside = group.key + "/"
    for key, body in context.estate.resources.items():
        here = key.startswith(inside) and normal_location(body.get("location")) == context.project.source_region
        if here and resource_id(key) not in needed:
            return True
    return False


def _needed(context: Context) -> Iterator[tuple[ResourceId, str, bool]]:
    """What has to work when the source region is lost: id, what it is, and whether that is an error."""
    for body in context.estate.of_type(VAULTS):
        id_ = resource_id(str(body["id"]))
        if is_ours(context, id_):
            yield id_, "is the vault", True
    for circuit in context.circuits:
        if circuit.id in context.target_circuits:
            yield circuit.id, "is the circuit that the target uses", True
        else:
            yield circuit.id, "is the source's circuit", False
    for network in context.target.networks:
        yield network.id, "is the target's network", True
    for gateway in context.express_route_gateways(context.target):
        yield gateway.id, "is the target's gateway", True
    for connection in context.connections(context.target):
        yield connection.id, "is the target's connection", True
    tables = dict.fromkeys(s.route_table for n in context.target.networks for s in n.subnets if s.route_table)
    yield from ((id_, "is a route table of the target", True) for id_ in tables if context.estate.get(id_) is not None)
    for item in context.project.appliances:
        if item.existing is not None and context.estate.get(item.existing) is not None:
            yield item.existing, "is the target's appliance", True
    yield from ((zone, "has records that a failover changes", False) for zone in _zones(context))


def _zones(context: Context) -> dict[ResourceId, None]:
    """DNS zones with a record that a failover makes wrong (S35)."""
    return context.remember(_zones, lambda: dict.fromkeys(_wrong(context)))


def _wrong(context: Context) -> Iterator[ResourceId]:
    moved: set[Address] = set()
    for nic in (nic for machine in context.machines for nic in machine.nics):
        moved |= {own for own, _ in records.private(context.project, nic)}
        moved |= {own for own, _ in records.public(context.estate, nic)}
    networks = {network.id: context.counterparts.of(network.id) for network in context.source.networks}
    moved |= {found.address for found in records.endpoints(context.estate, networks)}
    for body, addresses in records.records(context.estate):
        if not moved.isdisjoint(addresses):
            yield resource_id(str(body["id"])).top
