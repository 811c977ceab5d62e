"""Addresses of machines, here and in the target (D52, D68, S34, S35, S36, L18, L19).

Site Recovery gives a failed-over machine another address without an error when the promised one is taken or doesn't
fit its subnet; so both are found before.
"""

from __future__ import annotations

from collections.abc import Iterator

from farshore.arm.decode import Address
from farshore.arm.ids import ResourceId
from farshore.arm.network import IpConfiguration, NetworkInterface, Subnet, VirtualNetwork
from farshore.assess.context import Context, Machine
from farshore.assess.findings import Finding, error, rule, warning
from farshore.estate.counterparts import is_mapped, mapped_address
from farshore.estate.standing import ranges_after, stuck
from farshore.routing.prefixes import covered, covers, inside


@rule("FS601", "A machine that is promised its address has a dynamic one", "D68", "S35")
def dynamic(context: Context) -> Iterator[Finding]:
    """With new addresses too: a row of the map promises one for each that a machine has at home, where the guard
    deallocates it when the region returns (D92), and a dynamic address is free to go then."""
    for machine, nic, item in _configurations(context):
        if item.private_ip_allocation_method.lower() == "static":
            continue
        yield error(
            nic.id,
            f"{machine.name} has {item.private_ip_address or 'an address'} by dynamic allocation:"
            " nothing pins it here, or when it comes back",
            f"{nic.id.name}/{item.name}: privateIPAllocationMethod is {item.private_ip_allocation_method}",
            remedy=f"set privateIPAllocationMethod to Static on {nic.id.name}",
        )

    named = {nic.id for item in context.project.appliances for nic in context.nics_of(item.source)}
    for nic in context.appliance_nics:
        for item in nic.ip_configurations if nic.id in named else ():
            if item.private_ip_allocation_method.lower() != "static":
                yield error(
                    nic.id,
                    f"The appliance {nic.id.name} has {item.private_ip_address or 'an address'} by dynamic allocation:"
                    " routes lead to an address that nothing pins",
                    f"{nic.id.name}/{item.name}: privateIPAllocationMethod is {item.private_ip_allocation_method}",
                    remedy=f"set privateIPAllocationMethod to Static on {nic.id.name}",
                )


@rule("FS602", "A NIC's address does not fit its subnet", "L19", "S35")
def outside_subnet(context: Context) -> Iterator[Finding]:
    for machine in context.machines:
        for nic in machine.nics:
            if not nic.ip_configurations:
                yield error(
                    nic.id,
                    f"{nic.id.name} of {machine.name} has no address at all",
                    "ipConfigurations is empty",
                    remedy="read the NIC again; a machine's address is what is promised",
                )
    for machine, nic, item in _configurations(context):
        subnet = context.estate.subnet(item.subnet)
        if item.subnet is None or subnet is None:
            where = "no subnet" if item.subnet is None else f"{item.subnet.short}, which does not exist"
            yield error(
                nic.id,
                f"{nic.id.name} of {machine.name} is in {where}",
                remedy="read the network into the estate, or correct the NIC's subnet",
            )
        elif _misplaced(context, subnet):
            continue  # FS339 tells, once
        elif item.private_ip_address is None:
            yield error(
                nic.id,
                f"{nic.id.name} of {machine.name} shows no private address",
                remedy="read the NIC again; a machine's address is what is promised",
            )
        elif not covered(item.private_ip_address, subnet.address_prefixes):
            yield error(
                nic.id,
                f"{nic.id.name} of {machine.name} has {item.private_ip_address}, outside {subnet.id.short}",
                f"{subnet.id.short} is {', '.join(map(str, subnet.address_prefixes))}",
                remedy="correct the NIC's address or subnet",
            )
        elif reserved(item.private_ip_address, context, subnet.id):
            yield error(
                nic.id,
                f"{nic.id.name} of {machine.name} has {item.private_ip_address}, which Azure reserves",
                "the first four addresses and the last of a subnet are Azure's own",
                remedy="give it another address",
            )


@rule("FS603", "Two NICs of one network have one address", "S35", "L19")
def twice(context: Context) -> Iterator[Finding]:
    networks = {network.id.key: network for side in context.sides for network in side.networks}
    for (key, address), holders in sorted(
        context.index.holders.items(), key=lambda item: (item[0][0], str(item[0][1]))
    ):
        nics = list(dict.fromkeys(holder.nic.id for holder in holders))
        if key in networks and len(nics) > 1:
            # The one that belongs to fewest others is the likelier slip; among equals the later by name.
            ours = {nic.id for machine in context.machines for nic in machine.nics}
            subject = next((id_ for id_ in reversed(nics) if id_ not in ours), nics[-1])
            yield error(
                subject,
                f"{' and '.join(id_.name for id_ in nics)} both have {address} in {networks[key].name}",
                remedy="give each NIC an address of its own",
            )


@rule("FS604", "A machine's range is left out of the address map", "D79", "D66")
def left_out(context: Context) -> Iterator[Finding]:
    if context.project.keep_addresses:
        return
    seen = set()
    for machine, _, item in _configurations(context):
        subnet = context.estate.subnet(item.subnet)
        for prefix in () if subnet is None or _misplaced(context, subnet) else subnet.address_prefixes:
            if not is_mapped(context.project, prefix) and prefix not in seen:
                seen.add(prefix)
                yield error(
                    "addresses/map",
                    f"No row of the map holds {prefix}, where {machine.name} ({item.private_ip_address}) lives",
                    f"rows: {', '.join(f'{row.from_} -> {row.to}' for row in context.project.address_map)}",
                    remedy=f"add a row whose `from` holds {prefix}",
                )


@rule("FS605", "A machine's address in the target is taken", "D68", "S35")
def taken(context: Context) -> Iterator[Finding]:
    for machine, nic, item in _configurations(context):
        there = _there(context, item)
        address = item.private_ip_address
        if there is None or address is None:
            continue
        promised = mapped_address(context.project, address)
        for holder in _holders(context, there, promised):
            if holder not in (context.counterparts.of(nic.id), nic.id):
                yield error(
                    holder,
                    f"{promised}, which {machine.name} is promised in the target, belongs to {holder.name}",
                    f"in {there.name}",
                    "Site Recovery would give the machine another address, without an error",
                    remedy=f"give {holder.name} another address",
                )
                break
    for appliance in context.project.appliances:
        nic_there = context.estate.network_interface(context.counterparts.of(appliance.source))
        wanted = {
            context.appliance_address_in_target(address) for address in context.addresses_of(appliance.source)[:1]
        }
        if nic_there is None or nic_there.id == appliance.source or appliance.existing is not None or not wanted:
            continue
        own = {configuration.private_ip_address for configuration in nic_there.ip_configurations}
        if not wanted & own:
            yield error(
                nic_there.id,
                f"{nic_there.id.name} stands in the target with {', '.join(map(str, own)) or 'no address'}; routes"
                f" there lead to {', '.join(map(str, wanted))}",
                "it has the name that the appliance's NIC gets",
                remedy=f"give {nic_there.id.name} the address {', '.join(map(str, wanted))}, or name the appliance as"
                " existing",
            )
    for address in context.source.appliances:
        promised = context.appliance_address_in_target(address)
        for there in context.target.hubs:
            for found in context.index.at(there.id.key, promised):
                if not found.nic.enable_ip_forwarding and not _is_named_there(context, found.nic.id):
                    yield error(
                        found.nic.id,
                        f"{promised}, where the target's appliance will stand, belongs to {found.nic.id.name}",
                        f"in {there.name}",
                        remedy=f"give {found.nic.id.name} another address",
                    )


@rule("FS606", "A target subnet does not hold the address that a machine is promised", "D68", "S35", "D87")
def does_not_fit(context: Context) -> Iterator[Finding]:
    seen = set()
    for machine, _, item in _configurations(context):
        there = _there(context, item)
        subnet = None if there is None or item.subnet is None else there.subnet(item.subnet.name)
        if subnet is None or item.private_ip_address is None or subnet.id in seen:
            continue
        promised = mapped_address(context.project, item.private_ip_address)
        if not covered(promised, subnet.address_prefixes) or reserved(promised, context, subnet.id):
            seen.add(subnet.id)
            held = _corrected(context, item, subnet, promised)
            yield (warning if held else error)(
                subnet.id,
                f"{subnet.id.short} can't hold {promised}, which {machine.name} is promised there",
                f"{subnet.id.short} is {', '.join(map(str, subnet.address_prefixes))}",
                remedy=("provision gives " if held else "give ") + f"{subnet.id.short} a range that holds {promised}",
            )


def _corrected(context: Context, item: IpConfiguration, there: Subnet, promised: Address) -> bool:
    """Whether the plan's PUT gives a subnet that stands the range that it needs: nothing is in it, or over it."""
    home = context.index.network_of(item.subnet)
    own = None if home is None or item.subnet is None else home.subnet(item.subnet.name)
    network = context.index.network_of(there.id)
    if home is None or own is None or network is None:
        return False
    if any(found.subject in (there.id, network.id) for found in stuck(context.estate, context.project, home, network)):
        return False
    return covered(promised, ranges_after(context.project, own, there))


@rule("FS607", "A NIC has more than one address", "S35", "S37")
def secondary(context: Context) -> Iterator[Finding]:
    for machine in context.machines:
        for nic in machine.nics:
            if len(nic.ip_configurations) > 1:
                others = [str(item.private_ip_address) for item in nic.ip_configurations if item is not nic.primary]
                yield warning(
                    nic.id,
                    f"{nic.id.name} of {machine.name} has {len(others)} more addresses: Site Recovery keeps them only"
                    " where each is set on its item",
                    f"secondary {', '.join(others)}",
                    remedy="check the item's NIC settings after replication is enabled",
                )


@rule("FS608", "A machine's public address is not kept", "S35", "S37")
def public(context: Context) -> Iterator[Finding]:
    for machine, nic, item in _configurations(context):
        if item.public_ip_address is not None:
            yield warning(
                nic.id,
                f"{machine.name} has the public address {item.public_ip_address.name}, which does not go with it",
                remedy="create one in the target and set it on the item, or reach the machine privately",
            )


def reserved(address: Address, context: Context, subnet: ResourceId) -> bool:
    """The first four addresses and the last of a subnet are Azure's own (L19)."""
    found = context.estate.subnet(subnet)
    for prefix in () if found is None else found.address_prefixes:
        if covers(prefix, address) and prefix.version == 4:
            place = int(address) - int(prefix.network_address)
            return place < 4 or place == prefix.num_addresses - 1
    return False


def _misplaced(context: Context, subnet: Subnet) -> bool:
    """Whether a subnet has a range that its network does not have."""
    network = context.estate.virtual_network(subnet.id.parent)
    if network is None or not network.address_space:
        return False
    return not all(any(inside(p, space) for space in network.address_space) for p in subnet.address_prefixes)


def _configurations(context: Context) -> Iterator[tuple[Machine, NetworkInterface, IpConfiguration]]:
    for machine in context.machines:
        for nic in machine.nics:
            for item in nic.ip_configurations:
                yield machine, nic, item


def _there(context: Context, item: IpConfiguration) -> VirtualNetwork | None:
    if item.subnet is None or item.subnet.parent is None:
        return None
    there = context.counterparts.of(item.subnet.parent)
    return None if there == item.subnet.parent else context.estate.virtual_network(there)


def _holders(context: Context, there: VirtualNetwork, address: Address) -> Iterator[ResourceId]:
    yield from (holder.nic.id for holder in context.index.at(there.id.key, address))
    front = context.frontend_at(there, address)
    if front is not None:
        yield front.id


def _is_named_there(context: Context, id_: ResourceId) -> bool:
    """Whether farshore.yaml says that this is the appliance; then FS212 judges it."""
    return any(
        nic.id == id_ for item in context.project.appliances if item.existing for nic in context.nics_of(item.existing)
    )
