"""What a plan is made of, read from the estate once: networks to mirror, circuits, machines, and what comes ahead.

    networks   those of the source region that machines live in, and everything peered with them there
    gateways   their ExpressRoute gateways, with their connections
    circuits   the source's and the target's; one circuit may be both (D57)
    machines   those that `machines` chooses, appliances never (S32)
    kept       prefixes that both networks would announce: what needs deciding (D51, D60, D90)

Builders (`plan/builders/`) turn a design into steps, one file a phase.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NoReturn

from farshore.arm.compute import VirtualMachine
from farshore.arm.connectivity import Connection, VirtualNetworkGateway
from farshore.arm.decode import Address, Network, Reader
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.arm.network import IpConfiguration, NetworkInterface, VirtualNetwork
from farshore.errors import InputError
from farshore.estate.counterparts import Counterparts, mapped_address, mapped_network
from farshore.estate.estate import Estate
from farshore.estate.project import PROVISIONABLE, Appliance, Project
from farshore.estate.resolving import means
from farshore.plan.model import PlannedMachine
from farshore.plan.recovery import Recovery, slug
from farshore.plan.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A machine's NIC, and what it becomes."""

    nic: NetworkInterface
    target_id: ResourceId

    @property
    def configuration(self) -> IpConfiguration:
        primary = self.nic.primary
        assert primary is not None, "a NIC without configurations is left out of the design"
        return primary


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A planned machine with what its steps need to know."""

    planned: PlannedMachine
    label: str
    vm: VirtualMachine
    body: Body
    cards: tuple[Card, ...]
    """The primary NIC first."""
    group: str | None = None
    """The consistency group that its recovery points are shared in (S58)."""

    @property
    def id(self) -> ResourceId:
        return self.planned.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    estate: Estate
    project: Project
    counterparts: Counterparts
    target: Target
    recovery: Recovery
    networks: tuple[VirtualNetwork, ...]
    gateways: tuple[VirtualNetworkGateway, ...]
    connections: tuple[Connection, ...]
    """The source's ExpressRoute connections, one of them a pattern for the target's."""
    source_circuits: tuple[ResourceId, ...]
    target_circuits: tuple[ResourceId, ...]
    announced: tuple[Network, ...]
    """What the source's gateways tell the circuits (R40): whole address spaces, the spokes' with transit."""
    machines: tuple[Machine, ...]
    ahead: frozenset[str]
    labels: dict[ResourceId, str]

    @property
    def kept(self) -> tuple[Network, ...]:
        """Prefixes that the target will announce too."""
        there = set(self.announced_there)
        return tuple(prefix for prefix in self.announced if prefix in there)

    @property
    def announced_there(self) -> tuple[Network, ...]:
        return tuple(dict.fromkeys(mapped_network(self.project, prefix) for prefix in self.announced))

    @property
    def one_circuit(self) -> bool:
        """Source and target share a circuit: with kept prefixes they can't both be connected (D60)."""
        return bool(set(self.source_circuits) & set(self.target_circuits))

    def label(self, id_: ResourceId) -> str:
        return self.labels.get(id_) or id_.name

    def storage_subnets(self, network: ResourceId) -> tuple[str, ...]:
        """Subnets of replicated machines in a network: they need the storage endpoint (D32, S40)."""
        names = (
            subnet.name
            for machine in self.machines
            for card in machine.cards
            if (subnet := card.configuration.subnet) is not None and subnet.parent == network
        )
        return tuple(dict.fromkeys(names))


def make_design(
    estate: Estate, provision_ahead: Iterable[str] | None = None, *, application_consistent: bool = False
) -> Design:
    """`application_consistent`: replication makes such recovery points too. Raises `InputError` where there is
    no project, no machine, or a machine that can't be planned."""
    project = estate.project
    if project is None:
        raise InputError(
            "A plan needs a project beside the estate",
            expected="farshore.yaml with source, target, topology and sites",
            remedy="write one with `farshore new`",
        )
    counterparts = Counterparts(estate)
    chosen = _chosen_machines(estate, project)
    networks = _networks(estate, project, chosen)
    held = {network.id for network in networks}
    gateways = tuple(
        gateway
        for gateway in estate.virtual_network_gateways
        if gateway.gateway_type.lower() == "expressroute"
        and gateway.subnet is not None
        and gateway.subnet.parent in held
    )
    own = {gateway.id for gateway in gateways}
    connections = tuple(
        connection
        for connection in estate.connections
        if connection.virtual_network_gateway1 in own and connection.connection_type.lower() == "expressroute"
    )
    recovery = Recovery(counterparts, chosen[0].id, application_consistent=application_consistent)
    labels = _labels(estate)
    return Design(
        estate=estate,
        project=project,
        counterparts=counterparts,
        target=Target(counterparts, appliance_addresses(estate, project)),
        recovery=recovery,
        networks=networks,
        gateways=gateways,
        connections=connections,
        source_circuits=counterparts.source_circuits(),
        target_circuits=counterparts.circuits() if gateways else (),
        announced=_announced(networks, gateways),
        machines=grouped(project, recovery, _machines(estate, project, counterparts, recovery, chosen, labels)),
        ahead=ahead_of(project, provision_ahead),
        labels=labels,
    )


def ahead_of(project: Project, provision_ahead: Iterable[str] | None) -> frozenset[str]:
    """What is provisioned ahead: the argument, else the project's; `link` wins for the connection."""
    asked = tuple(project.provision_ahead if provision_ahead is None else provision_ahead)
    known = {name.lower(): name for name in PROVISIONABLE}
    # Replication needs networks and what their subnets name (S11).
    ahead = {"securityGroups", "networks"}
    for name in asked:
        if name not in ("all", "none") and name.lower() not in known:
            raise InputError(
                f"{name} is nothing that can be provisioned ahead",
                value=name,
                expected="all, none, or some of " + ", ".join(PROVISIONABLE),
                file=project.file if provision_ahead is None else None,
            )
    told = replace(project, provision_ahead=tuple(known.get(name.lower(), name) for name in asked))
    return frozenset(ahead | {kind for kind in PROVISIONABLE if told.provisions_ahead(kind)})


def appliance_addresses(estate: Estate, project: Project) -> dict[Address, Address]:
    """Each source appliance's addresses to the ones that its traffic goes to in the target."""
    found: dict[Address, Address] = {}
    for appliance in project.appliances:
        here = addresses_of(estate, appliance.source)
        there = () if appliance.existing is None else addresses_of(estate, appliance.existing)
        for index, address in enumerate(here):
            if there:
                found[address] = there[min(index, len(there) - 1)]
            else:
                found[address] = mapped_address(project, address)
    return found


def addresses_of(estate: Estate, id_: ResourceId) -> tuple[Address, ...]:
    """The private addresses of a NIC or of an internal load balancer's frontends."""
    nic = estate.network_interface(id_)
    if nic is not None:
        ordered = sorted(nic.ip_configurations, key=lambda item: not item.primary)
        return tuple(item.private_ip_address for item in ordered if item.private_ip_address is not None)
    read = Reader(estate.get(id_))
    frontends = (
        item.address("properties.privateIPAddress") for item in read.items("properties.frontendIPConfigurations")
    )
    return tuple(address for address in frontends if address is not None)


def appliance_nics(estate: Estate, appliance: Appliance) -> tuple[NetworkInterface, ...]:
    """The NICs of an appliance: itself, or those behind the load balancer."""
    nic = estate.network_interface(appliance.source)
    if nic is not None:
        return (nic,)
    return tuple(
        nic
        for nic in estate.network_interfaces
        if any(
            pool.parent == appliance.source
            for configuration in nic.ip_configurations
            for pool in configuration.load_balancer_backend_address_pools
        )
    )


# Machines. ---------------------------------------------------------------------------------------------------------


def _chosen_machines(estate: Estate, project: Project) -> tuple[VirtualMachine, ...]:
    appliances = {nic.virtual_machine for appliance in project.appliances for nic in appliance_nics(estate, appliance)}
    chosen = tuple(
        vm
        for vm in estate.virtual_machines
        if vm.location == project.source_region
        and vm.id not in appliances
        and means(vm.id, project.machines.include)
        and not means(vm.id, project.machines.exclude)
    )
    if not chosen:
        raise InputError(
            f"There is no machine in {project.source_region} to plan for",
            value=list(project.machines.include),
            expected="machines of the source region that `machines` includes",
            file=project.file,
        )
    return chosen


def _machines(
    estate: Estate,
    project: Project,
    counterparts: Counterparts,
    recovery: Recovery,
    chosen: tuple[VirtualMachine, ...],
    labels: dict[ResourceId, str],
) -> tuple[Machine, ...]:
    made = []
    for vm in chosen:
        cards = tuple(Card(nic=nic, target_id=counterparts.of(nic.id)) for nic in _cards(estate, vm))
        address = cards[0].configuration.private_ip_address if cards else None
        if address is None:
            raise InputError(
                f"Machine {vm.id.name} has no NIC with an address that the estate shows",
                value=vm.id.text,
                expected="a NIC in the estate with a private address",
            )
        label = labels[vm.id]
        managed = all(disk.managed_disk is not None or disk.vhd_uri is None for disk in vm.disks)
        item = recovery.protecting(vm.id) or recovery.item(recovery.source, label)
        planned = PlannedMachine(
            id=vm.id,
            nic=cards[0].nic.id,
            address=str(address),
            target_id=counterparts.of(vm.id),
            target_nic=cards[0].target_id,
            target_address=str(mapped_address(project, address)),
            item=item,
            # An item of unmanaged disks keeps its id through reprotect (S50).
            reverse_item=recovery.item(recovery.target, item.name) if managed else item,
            managed=managed,
            boot_group=_boot_group(project, vm.id),
        )
        body = estate.get(vm.id)
        assert body is not None
        made.append(Machine(planned=planned, label=label, vm=vm, body=body, cards=cards))
    return tuple(sorted(made, key=lambda machine: (machine.planned.boot_group, machine.id.key)))


def grouped(project: Project, recovery: Recovery, machines: tuple[Machine, ...]) -> tuple[Machine, ...]:
    """The machines with their consistency groups: the group that an item is in already, else what farshore.yaml names.
    Raises `InputError` where a group can't fail over as a whole (S58)."""
    found: dict[ResourceId, str] = {}
    for index, members in enumerate(project.machines.consistency_groups):
        own = [machine for machine in machines if means(machine.id, members)]
        line = project.line_of(f"machines/consistency_groups/{index}")
        standing = {name for machine in own if (name := recovery.group_of(machine.id)) is not None}
        name = standing.pop() if len(standing) == 1 else f"{slug(project.name)}-group-{index + 1}"
        late = [m.label for m in own if recovery.protecting(m.id) is not None and recovery.group_of(m.id) != name]
        if late:
            _whole(
                project, line, f"{', '.join(late)} is replicated already and not in it: none joins later (S58)", late
            )
        if len(own) < len(members):
            _whole(project, line, f"it names {len(members)} machines, and {len(own)} of them move", list(members))
        found |= {machine.id: name for machine in own}
    for machine in machines:
        if machine.id not in found and (name_ := recovery.group_of(machine.id)) is not None:
            found[machine.id] = name_
    for name in dict.fromkeys(found.values()):
        own = [machine for machine in machines if found.get(machine.id) == name]
        labels = [machine.label for machine in own]
        if missing := recovery.members(name) - {machine.id for machine in own}:
            _whole(project, None, f"{', '.join(sorted(m.name for m in missing))} of it does not move", labels)
        if len({machine.planned.boot_group for machine in own}) > 1:
            _whole(project, None, "machines: boot_order puts its machines into several groups", labels)
        if not all(machine.planned.managed for machine in own):
            _whole(
                project, None, "a machine of it has unmanaged disks, which are reprotected another way (S50)", labels
            )
        if len(own) == 1:
            found.pop(own[0].id)
    return tuple(replace(machine, group=found.get(machine.id)) for machine in machines)


def _whole(project: Project, line: int | None, why: str, value: list[str]) -> NoReturn:
    raise InputError(
        f"A consistency group fails over as a whole: {why}",
        file=project.file,
        line=line or project.line_of("machines/consistency_groups") or project.line_of("machines"),
        value=value,
        expected="machines that move together, in one boot group",
        remedy="change machines: consistency_groups, boot_order, include or exclude",
    )


def _cards(estate: Estate, vm: VirtualMachine) -> tuple[NetworkInterface, ...]:
    body = Reader(estate.get(vm.id))
    primary = {
        resource_id(text)
        for item in body.items("properties.networkProfile.networkInterfaces")
        if item.flag("properties.primary") and (text := item.text("id")) is not None
    }
    found = [nic for id_ in vm.network_interfaces if (nic := estate.network_interface(id_)) is not None]
    return tuple(sorted((nic for nic in found if nic.ip_configurations), key=lambda nic: nic.id not in primary))


def _boot_group(project: Project, id_: ResourceId) -> int:
    """S53: groups start in order; a machine that no group names starts with the last."""
    groups = project.machines.boot_order
    for number, patterns in enumerate(groups, 1):
        if means(id_, patterns):
            return number
    return max(1, len(groups))


def _labels(estate: Estate) -> dict[ResourceId, str]:
    """A short name for each resource, unique among those of its type."""
    names: dict[tuple[str, str], int] = {}
    ids = [resource_id(key) for key in estate.resources]
    for id_ in ids:
        names[id_.type.lower(), id_.name.lower()] = names.get((id_.type.lower(), id_.name.lower()), 0) + 1
    labels = {}
    for key, body in estate.resources.items():
        id_ = resource_id(str(body.get("id") or key))
        alone = names[id_.type.lower(), id_.name.lower()] == 1
        labels[id_] = id_.name if alone else f"{id_.resource_group}.{id_.name}"
    return labels


# Networks. ---------------------------------------------------------------------------------------------------------


def _networks(estate: Estate, project: Project, machines: tuple[VirtualMachine, ...]) -> tuple[VirtualNetwork, ...]:
    """Where machines and appliances live, and all that is peered with it in the source region."""
    here = {network.id: network for network in estate.virtual_networks if network.location == project.source_region}
    nics = [nic for vm in machines for nic in _cards(estate, vm)]
    nics += [nic for appliance in project.appliances for nic in appliance_nics(estate, appliance)]
    waiting = [
        configuration.subnet.parent
        for nic in nics
        for configuration in nic.ip_configurations
        if configuration.subnet is not None
    ]
    found: dict[ResourceId, VirtualNetwork] = {}
    while waiting:
        id_ = waiting.pop()
        if id_ is None or id_ in found or id_ not in here:
            continue
        found[id_] = here[id_]
        waiting += [peering.remote_virtual_network for peering in here[id_].peerings]
    return tuple(sorted(found.values(), key=lambda network: network.id.key))


def _announced(
    networks: tuple[VirtualNetwork, ...], gateways: tuple[VirtualNetworkGateway, ...]
) -> tuple[Network, ...]:
    hubs = {gateway.subnet.parent for gateway in gateways if gateway.subnet is not None}
    found: dict[Network, None] = {}
    for network in networks:
        transit = any(
            peering.use_remote_gateways and peering.remote_virtual_network in hubs for peering in network.peerings
        )
        if network.id in hubs or transit:
            found.update(dict.fromkeys(network.address_space))
    return tuple(found)
