"""Machines, as Site Recovery needs them (S35, S62, S63, L17)."""

from __future__ import annotations

from collections.abc import Iterator

from farshore.arm.compute import RUNNING
from farshore.arm.ids import ResourceId
from farshore.assess.context import Context
from farshore.assess.findings import Finding, error, rule, warning

INTERFACES = "https://learn.microsoft.com/azure/virtual-network/virtual-network-network-interface"
"""A NIC lies in its network's region and subscription."""


@rule("FS611", "A machine has no NIC that the estate shows", "S35", "S11")
def no_nic(context: Context) -> Iterator[Finding]:
    for machine in context.machines:
        named = [id_ for id_ in machine.vm.network_interfaces if context.estate.network_interface(id_) is None]
        if not machine.nics or named:
            yield error(
                machine.id,
                f"{machine.name} has "
                + (f"the NIC {named[0].name}, which is not in the estate" if named else "no NIC"),
                remedy="read the NIC into the estate, or exclude the machine",
            )


@rule("FS612", "A machine is not whole", "S62", "L7")
def failed(context: Context) -> Iterator[Finding]:
    for machine in context.machines:
        if machine.vm.provisioning_state.lower() in ("failed", "canceled"):
            yield error(
                machine.id,
                f"{machine.name} is {machine.vm.provisioning_state}: Site Recovery refuses it (150019)",
                f"provisioningState is {machine.vm.provisioning_state}",
                remedy=f"bring {machine.name} to Succeeded",
            )


@rule("FS613", "A machine does not run", "S11", "S62")
def stopped(context: Context) -> Iterator[Finding]:
    for machine in context.machines:
        if machine.vm.power_state not in (None, *RUNNING):
            yield error(
                machine.id,
                f"{machine.name} is {machine.vm.power_state}: replication can't be enabled until it runs",
                remedy=f"start {machine.name}, or exclude it",
            )


@rule("FS614", "A machine's NICs are in two networks", "L17")
def two_networks(context: Context) -> Iterator[Finding]:
    for machine in context.machines:
        parents = list(dict.fromkeys(subnet.parent for subnet in machine.subnets if subnet.parent is not None))
        if len(parents) > 1:
            strays = [
                nic.id
                for nic in machine.nics
                if any(item.subnet is not None and item.subnet.parent != parents[0] for item in nic.ip_configurations)
            ]
            yield error(
                strays[0] if strays else machine.id,
                f"{machine.name} has NICs in {' and '.join(parent.name for parent in parents)}",
                "the NICs of one machine must be in one network",
                remedy="move the NIC to the machine's network",
            )


@rule("FS615", "A machine's NIC is in another region than its network", INTERFACES)
def elsewhere(context: Context) -> Iterator[Finding]:
    for machine in context.machines:
        for nic in machine.nics:
            network = context.index.network_of(nic.id)
            if nic.location != machine.vm.location or (network is not None and network.location != nic.location):
                where = "nowhere" if network is None else network.location
                yield error(
                    nic.id,
                    f"{nic.id.name} of {machine.name} is in {nic.location}, its network in {where}, the machine in"
                    f" {machine.vm.location}",
                    remedy="put the NIC into a network of the machine's region",
                )

    for vm in context.estate.virtual_machines:
        # It is not selected then, and nobody would miss it.
        held = [found for id_ in vm.network_interfaces if (found := context.estate.network_interface(id_)) is not None]
        home = context.project.source_region
        if vm.location != home and any(found.location == home for found in held):
            yield error(
                vm.id,
                f"{vm.id.name} is in {vm.location}, and its NIC {held[0].id.name} in {held[0].location}",
                "a machine and its NICs are in one region",
                remedy=f"correct the location of {vm.id.name}",
            )


@rule("FS616", "Where a machine stands does not come along by itself", "S63", "S12", "S31")
def placement(context: Context) -> Iterator[Finding]:
    for machine in context.machines:
        body = context.index.raw(machine.id)
        placed = [f"zone {', '.join(machine.vm.zones)}"] if machine.vm.zones else []
        for path, what in (
            ("properties.proximityPlacementGroup", "proximity placement group"),
            ("properties.host", "dedicated host"),
            ("properties.hostGroup", "host group"),
            ("properties.virtualMachineScaleSet", "scale set"),
            ("properties.capacityReservation.capacityReservationGroup", "capacity reservation"),
        ):
            found = body.id(path)
            if found is not None:
                placed.append(f"{what} {found.name}")
        if placed:
            yield warning(
                machine.id,
                f"{machine.name} stands in {' and '.join(placed)}; the target's has to be chosen",
                remedy="set the target's zone or group on the item",
            )


@rule("FS617", "Two machines would have one name in the target", "S13", "L15")
def one_name(context: Context) -> Iterator[Finding]:
    seen: dict[ResourceId, ResourceId] = {}
    ids = [machine.id for machine in context.machines]
    ids += [nic.id for machine in context.machines for nic in machine.nics]
    ids += [network.id for network in context.source.networks]
    for id_ in dict.fromkeys(ids):
        there = context.counterparts.of(id_)
        if there in seen and seen[there] != id_:
            yield error(
                id_,
                f"{seen[there].short} in {seen[there].resource_group} and {id_.short} in {id_.resource_group} would"
                f" both be {there.name} in {there.resource_group}",
                remedy="rename one of them, or recover them with two projects",
            )
        seen.setdefault(there, id_)


@rule("FS618", "A machine of that name stands in the target already", "S13", "S60")
def stands_already(context: Context) -> Iterator[Finding]:
    """Not a machine that this project failed over before: its NIC then has the promised counterpart's id."""
    for machine in context.machines:
        there = context.estate.virtual_machine(context.counterparts.of(machine.id))
        expected = {context.counterparts.of(nic.id) for nic in machine.nics}
        if there is not None and there.id != machine.id and not expected & set(there.network_interfaces):
            yield error(
                there.id,
                f"{there.id.name} stands in {there.id.resource_group} already, where {machine.name} will fail over to",
                remedy="choose another target group, or remove the machine that stands there",
            )


@rule("FS619", "An appliance is among the machines to replicate", "S32", "D87")
def appliance_included(context: Context) -> Iterator[Finding]:
    for pattern in context.project.machines.include:
        for key in sorted(context.appliance_machines):
            machine = context.index.machines.get(key)
            if machine is not None and pattern.lower() in (key, machine.id.name.lower()):
                yield warning(
                    "machines/include",
                    f"{machine.id.name} is an appliance: it is redeployed in the target, never replicated",
                    remedy=f"remove {machine.id.name} from `machines` and say in `appliances` how it gets there",
                )
