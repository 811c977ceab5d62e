"""What the rules look at: the estate sorted into what recovery means by it.

    source side    the networks of the selected machines and of the appliances, and all that is peered with them in
                   the source region: hubs (with the ExpressRoute gateway or the appliance) and spokes (with machines)
    target side    their counterparts that stand already (`estate/counterparts.py`); the plan builds the others
    machines       those of the source region that `machines` selects, appliances left out (S32)
    steered        whether the design sends spoke traffic through an appliance (D41): what the tables of the source say,
                   one broken table notwithstanding

Sorting is by structure and tolerates what is broken, because a rule must still find its subject: a peering that is
disconnected leads to its hub, a network with a GatewaySubnet is a hub when its gateway is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from farshore.arm.compute import VirtualMachine
from farshore.arm.connectivity import Connection, ExpressRouteCircuit, VirtualNetworkGateway
from farshore.arm.decode import Address, Network
from farshore.arm.ids import ResourceId
from farshore.arm.network import NetworkInterface, Peering, Route, RouteTable, Subnet, VirtualNetwork
from farshore.errors import InputError
from farshore.estate.counterparts import Counterparts, mapped_address
from farshore.estate.estate import Estate
from farshore.estate.project import Objective, Project
from farshore.estate.resolving import means
from farshore.routing.balancers import Behind
from farshore.routing.index import Frontend, Index
from farshore.routing.prefixes import LongestMatch, overlap, within

Found = TypeVar("Found")

GATEWAY_SUBNET = "gatewaysubnet"
EXPRESS_ROUTE = "expressroute"
VIRTUAL_APPLIANCE = "virtualappliance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A selected machine and its NICs that the estate shows, the primary one first."""

    vm: VirtualMachine
    nics: tuple[NetworkInterface, ...]

    @property
    def id(self) -> ResourceId:
        return self.vm.id

    @property
    def name(self) -> str:
        return self.vm.id.name

    @property
    def nic(self) -> NetworkInterface | None:
        return self.nics[0] if self.nics else None

    @property
    def address(self) -> Address | None:
        primary = None if self.nic is None else self.nic.primary
        return None if primary is None else primary.private_ip_address

    @property
    def subnets(self) -> tuple[ResourceId, ...]:
        return tuple(item.subnet for nic in self.nics for item in nic.ip_configurations if item.subnet is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoke:
    """A network with machines that is no hub. `subnets` hold them; `home` is its network in the source."""

    network: VirtualNetwork
    home: VirtualNetwork
    hub: VirtualNetwork | None
    subnets: tuple[Subnet, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One region's part. `homes` gives the source network of each of `networks`, in order."""

    name: str
    region: str
    networks: tuple[VirtualNetwork, ...]
    homes: tuple[VirtualNetwork, ...]
    hubs: tuple[VirtualNetwork, ...]
    spokes: tuple[Spoke, ...]
    appliances: tuple[Address, ...]
    """Addresses that traffic is meant to go through, here."""

    @property
    def is_target(self) -> bool:
        return self.name == "target"

    def spokes_of(self, hub: VirtualNetwork) -> tuple[Spoke, ...]:
        return tuple(spoke for spoke in self.spokes if spoke.hub is not None and spoke.hub.id == hub.id)


class Context:
    """See the theory above. Raises `InputError` where the estate has no project."""

    def __init__(self, estate: Estate, objectives: tuple[Objective, ...] = ()) -> None:
        if estate.project is None:
            raise InputError(
                "An assessment needs a project beside the estate",
                expected="farshore.yaml with source, target, topology and sites",
                remedy="write one with `farshore new`",
            )
        self.estate = estate
        self.project: Project = estate.project
        self.objectives = objectives
        self._memo: dict[object, Any] = {}
        self.index = Index(estate)
        self.counterparts = Counterparts(estate)
        self.machines = tuple(self._machine(vm) for vm in self._in_source if self._is_selected(vm))
        self.source = self._source_side()
        self.target = self._target_side()

    @property
    def sides(self) -> tuple[Side, Side]:
        return self.source, self.target

    def remember(self, key: object, work: Callable[[], Found]) -> Found:
        """What a rule has worked out and others ask again, worked out once."""
        if key not in self._memo:
            self._memo[key] = work()
        found: Found = self._memo[key]
        return found

    # Machines. -----------------------------------------------------------------------------------------------------

    @cached_property
    def _in_source(self) -> tuple[VirtualMachine, ...]:
        region = self.project.source_region
        return tuple(vm for vm in self.estate.virtual_machines if vm.location == region)

    @cached_property
    def appliance_nics(self) -> tuple[NetworkInterface, ...]:
        """NICs of the appliances: those that farshore.yaml names, and those that tables of the source lead to and that
        forward."""
        found: dict[ResourceId, NetworkInterface] = {}
        for appliance in self.project.appliances:
            found |= {nic.id: nic for nic in self.nics_of(appliance.source)}
        for address in self._next_hops_in_source:
            for nic in self._forwarders(address):
                found.setdefault(nic.id, nic)
        return tuple(found.values())

    @cached_property
    def appliance_machines(self) -> frozenset[str]:
        """Machines that are appliances, by lower-case id: redeployed, never replicated (S32)."""
        found = (self.index.machine_of.get(nic.id.key) for nic in self.appliance_nics)
        return frozenset(key for key in found if key is not None)

    @cached_property
    def bystanders(self) -> tuple[Machine, ...]:
        """Machines of the source region that are neither selected nor appliances: they stay behind (D93)."""
        selected = {machine.id for machine in self.machines}
        return tuple(
            self._machine(vm)
            for vm in self._in_source
            if vm.id not in selected and vm.id.key not in self.appliance_machines
        )

    def _is_selected(self, vm: VirtualMachine) -> bool:
        machines = self.project.machines
        return (
            vm.id.key not in self.appliance_machines
            and means(vm.id, machines.include)
            and not means(vm.id, machines.exclude)
        )

    def _machine(self, vm: VirtualMachine) -> Machine:
        body = self.index.raw(vm.id)
        items = body.items("properties.networkProfile.networkInterfaces")
        primary = {(item.text("id") or "").lower() for item in items if item.flag("properties.primary")}
        nics = [nic for id_ in vm.network_interfaces if (nic := self.estate.network_interface(id_)) is not None]
        named = {nic.id for nic in nics}
        # From either side: hand-written estates often show only one of them.
        nics += [nic for nic in self._nics_by_machine.get(vm.id.key, ()) if nic.id not in named]
        return Machine(vm=vm, nics=tuple(sorted(nics, key=lambda nic: nic.id.key not in primary)))

    @cached_property
    def _nics_by_machine(self) -> dict[str, list[NetworkInterface]]:
        found: dict[str, list[NetworkInterface]] = {}
        for nic in self.estate.network_interfaces:
            if nic.virtual_machine is not None:
                found.setdefault(nic.virtual_machine.key, []).append(nic)
        return found

    def nics_of(self, id_: ResourceId) -> tuple[NetworkInterface, ...]:
        """The NICs of an appliance: itself, or those behind its load balancer."""
        nic = self.estate.network_interface(id_)
        if nic is not None:
            return (nic,)
        named = {holder.nic.id for holder in self._behind.in_pools(self.index.raw(id_).body)}
        return tuple(
            nic
            for nic in self.estate.network_interfaces
            if nic.id in named
            or any(
                pool.parent == id_
                for item in nic.ip_configurations
                for pool in item.load_balancer_backend_address_pools
            )
        )

    @cached_property
    def _behind(self) -> Behind:
        return Behind(self.index.nics, self.index.holders)

    def addresses_of(self, id_: ResourceId) -> tuple[Address, ...]:
        """The private addresses of a NIC, or of a load balancer's frontends, the primary one first."""
        nic = self.estate.network_interface(id_)
        if nic is not None:
            ordered = sorted(nic.ip_configurations, key=lambda item: not item.primary)
            return tuple(item.private_ip_address for item in ordered if item.private_ip_address is not None)
        frontends = self.index.raw(id_).items("properties.frontendIPConfigurations")
        return tuple(found for item in frontends if (found := item.address("properties.privateIPAddress")) is not None)

    # Sides. --------------------------------------------------------------------------------------------------------

    def _source_side(self) -> Side:
        here = {n.id: n for n in self.estate.virtual_networks if n.location == self.project.source_region}
        waiting = [subnet.parent for machine in self.machines for subnet in machine.subnets]
        waiting += [
            item.subnet.parent
            for nic in self.appliance_nics
            for item in nic.ip_configurations
            if item.subnet is not None
        ]
        found: dict[ResourceId, VirtualNetwork] = {}
        while waiting:
            id_ = waiting.pop()
            if id_ is None or id_ in found or id_ not in here:
                continue
            found[id_] = here[id_]
            waiting += [peering.remote_virtual_network for peering in here[id_].peerings]
            waiting += [n.id for n in here.values() if any(p.remote_virtual_network == id_ for p in n.peerings)]
        networks = tuple(sorted(found.values(), key=lambda network: network.id.key))
        hubs = self._hubs(networks)
        with_machines: dict[ResourceId, dict[str, Subnet]] = {}
        for machine in self.machines:
            for id_ in machine.subnets:
                subnet = self.estate.subnet(id_)
                if subnet is not None and id_.parent is not None:
                    with_machines.setdefault(id_.parent, {})[subnet.id.key] = subnet
        hub_ids = {hub.id for hub in hubs}
        spokes = tuple(
            Spoke(
                network=network,
                home=network,
                hub=self._hub_of(network, hubs),
                subnets=tuple(with_machines[network.id].values()),
            )
            for network in networks
            if network.id in with_machines and network.id not in hub_ids
        )
        return Side(
            name="source",
            region=self.project.source_region,
            networks=networks,
            homes=networks,
            hubs=hubs,
            spokes=spokes,
            appliances=self._expected_in_source(),
        )

    def _target_side(self) -> Side:
        pairs = [
            (network, there)
            for network in self.source.networks
            if (there := self.estate.virtual_network(self.counterparts.of(network.id))) is not None
            and there.id != network.id
        ]
        by_home = {home.id: there for home, there in pairs}
        spokes = tuple(
            Spoke(
                network=by_home[spoke.home.id],
                home=spoke.home,
                hub=None if spoke.hub is None else by_home.get(spoke.hub.id),
                subnets=tuple(
                    found for s in spoke.subnets if (found := by_home[spoke.home.id].subnet(s.name)) is not None
                ),
            )
            for spoke in self.source.spokes
            if spoke.home.id in by_home
        )
        return Side(
            name="target",
            region=self.project.target.region,
            networks=tuple(there for _, there in pairs),
            homes=tuple(home for home, _ in pairs),
            hubs=tuple(by_home[hub.id] for hub in self.source.hubs if hub.id in by_home),
            spokes=spokes,
            appliances=tuple(dict.fromkeys(self.appliance_address_in_target(a) for a in self.source.appliances)),
        )

    def _hubs(self, networks: Iterable[VirtualNetwork]) -> tuple[VirtualNetwork, ...]:
        networks = tuple(networks)
        # An appliance among machines makes no hub of their network (it is a mistake, R24).
        with_machines = {subnet.parent for machine in self.machines for subnet in machine.subnets}
        held = {item.subnet.parent for nic in self.appliance_nics for item in nic.ip_configurations if item.subnet}
        with_gateway = {
            gateway.subnet.parent
            for gateway in self.estate.virtual_network_gateways
            if gateway.subnet is not None and gateway.gateway_type.lower() == EXPRESS_ROUTE
        }
        found = tuple(n for n in networks if n.id in with_gateway or n.id in held - with_machines)
        return (
            found
            or tuple(n for n in networks if n.id in held)
            or tuple(n for n in networks if n.subnet(GATEWAY_SUBNET) is not None)
        )

    def _hub_of(self, network: VirtualNetwork, hubs: Iterable[VirtualNetwork]) -> VirtualNetwork | None:
        """The hub that a network is peered with, from either side; the one whose gateway it uses first."""
        asked = sorted(network.peerings, key=lambda peering: not peering.use_remote_gateways)
        by_id = {hub.id: hub for hub in hubs}
        for peering in asked:
            if peering.remote_virtual_network in by_id:
                return by_id[peering.remote_virtual_network]
        back = (hub for hub in by_id.values() if any(p.remote_virtual_network == network.id for p in hub.peerings))
        return next(back, None)

    def peering_between(self, network: VirtualNetwork, other: VirtualNetwork) -> Peering | None:
        """The side of a peering that `network` owns."""
        return next((p for p in network.peerings if p.remote_virtual_network == other.id), None)

    def home_of(self, network: VirtualNetwork) -> VirtualNetwork:
        """The source network of a network of the target side; of one of the source, itself."""
        pairs = zip(self.target.networks, self.target.homes, strict=True)
        return next((home for there, home in pairs if there.id == network.id), network)

    # Appliances and tables. ----------------------------------------------------------------------------------------

    @cached_property
    def _next_hops_in_source(self) -> tuple[Address, ...]:
        """Next hops of type VirtualAppliance in tables that subnets of the source region have."""
        found: dict[Address, None] = {}
        for network in self.estate.virtual_networks:
            if network.location == self.project.source_region:
                for subnet in network.subnets:
                    for route in self.routes_of(subnet):
                        if is_appliance_route(route) and route.next_hop_ip_address is not None:
                            found[route.next_hop_ip_address] = None
        return tuple(found)

    def _forwarders(self, address: Address) -> tuple[NetworkInterface, ...]:
        """NICs in the source region that hold an address and forward, or stand behind a load balancer that holds it."""
        found: list[NetworkInterface] = []
        for network in self.estate.virtual_networks:
            if network.location == self.project.source_region:
                holders = self.index.at(network.id.key, address)
                front = self.index.frontend(network.id.key, address)
                held = [holder.nic for holder in (*holders, *(() if front is None else front.members))]
                found += [nic for nic in held if nic.enable_ip_forwarding]
        return tuple(found)

    def _expected_in_source(self) -> tuple[Address, ...]:
        held = [self.addresses_of(item.source) for item in self.project.appliances]
        named = [next((a for a in addresses if a.version == family), None) for addresses in held for family in (4, 6)]
        found = [address for address in named if address is not None] or [
            address for address in self._next_hops_in_source if self._stands_for_an_appliance(address)
        ]
        return tuple(dict.fromkeys(found))

    def _stands_for_an_appliance(self, address: Address) -> bool:
        if self._forwarders(address):
            return True
        here = (n for n in self.estate.virtual_networks if n.location == self.project.source_region)
        return any(self.index.frontend(network.id.key, address) is not None for network in here)

    def appliance_address_in_target(self, address: Address) -> Address:
        """Where traffic that goes to an appliance's address here has to go in the target (D79)."""
        for item in self.project.appliances:
            here = self.addresses_of(item.source)
            if address in here and item.existing is not None:
                there = self.addresses_of(item.existing)
                if there:
                    return there[min(here.index(address), len(there) - 1)]
        return mapped_address(self.project, address)

    def table_of(self, subnet: Subnet) -> RouteTable | None:
        return self.estate.route_table(subnet.route_table)

    def routes_of(self, subnet: Subnet) -> tuple[Route, ...]:
        table = self.table_of(subnet)
        return () if table is None else table.routes

    @cached_property
    def routed(self) -> LongestMatch[Network]:
        """Every prefix of a user-defined route."""
        routes = (route for table in self.estate.route_tables for route in table.routes)
        prefixes = dict.fromkeys(r.address_prefix for r in routes if not isinstance(r.address_prefix, str))
        return LongestMatch((prefix, prefix) for prefix in prefixes)

    @cached_property
    def steered(self) -> bool:
        """Whether the source is designed so that a site's traffic with spokes passes an appliance (D41): some
        GatewaySubnet's table leads a spoke's prefix to it, or some spoke's table leads a site's there (R36, R37)."""
        side = self.source
        for hub in side.hubs:
            subnet = hub.subnet(GATEWAY_SUBNET)
            prefixes = [prefix for spoke in side.spokes_of(hub) for prefix in spoke.network.address_space]
            routes = () if subnet is None else self.routes_of(subnet)
            if any(self._leads(route, side, prefixes) for route in routes):
                return True
        for spoke in side.spokes:
            for subnet in spoke.subnets:
                table = self.table_of(subnet)
                off = table is not None and table.disable_bgp_route_propagation
                if any(
                    self._leads(route, side, self.site_prefixes) and (off or self._wins_over_bgp(route))
                    for route in self.routes_of(subnet)
                ):
                    return True
        return False

    def _wins_over_bgp(self, route: Route) -> bool:
        """A user route equal to or longer than what the gateway learned wins without propagation off (R37)."""
        return not isinstance(route.address_prefix, str) and within(route.address_prefix, self.site_prefixes)

    def _leads(self, route: Route, side: Side, prefixes: Iterable[Network]) -> bool:
        return (
            is_appliance_route(route)
            and route.next_hop_ip_address in side.appliances
            and not isinstance(route.address_prefix, str)
            and any(overlap(route.address_prefix, prefix) for prefix in prefixes)
        )

    # Sites, circuits, connections. ---------------------------------------------------------------------------------

    @cached_property
    def site_prefixes(self) -> tuple[Network, ...]:
        return tuple(dict.fromkeys(prefix for site in self.estate.sites for prefix in site.prefixes))

    def express_route_gateways(self, side: Side) -> tuple[VirtualNetworkGateway, ...]:
        """ExpressRoute gateways in the side's networks."""
        held = {network.id for network in side.networks}
        return tuple(
            gateway
            for gateway in self.estate.virtual_network_gateways
            if gateway.gateway_type.lower() == EXPRESS_ROUTE
            and gateway.subnet is not None
            and gateway.subnet.parent in held
        )

    def connections(self, side: Side) -> tuple[Connection, ...]:
        """ExpressRoute connections of the side's gateways."""
        gateways = {gateway.id for gateway in self.express_route_gateways(side)}
        return tuple(
            connection
            for connection in self.estate.connections
            if connection.virtual_network_gateway1 in gateways
            and connection.connection_type.lower() in (EXPRESS_ROUTE, "")
        )

    @cached_property
    def source_circuits(self) -> tuple[ResourceId, ...]:
        return self.counterparts.source_circuits()

    @cached_property
    def target_circuits(self) -> tuple[ResourceId, ...]:
        return self.counterparts.circuits()

    @cached_property
    def circuits(self) -> tuple[ExpressRouteCircuit, ...]:
        """The circuits that source or target are reached by."""
        wanted = dict.fromkeys((*self.source_circuits, *self.target_circuits))
        return tuple(c for id_ in wanted if (c := self.estate.express_route_circuit(id_)) is not None)

    def announced(self, side: Side, gateway: VirtualNetworkGateway) -> tuple[Network, ...]:
        """What a gateway says about Azure: its network, and those that use it (R40)."""
        own = next((n for n in side.networks if gateway.subnet is not None and n.id == gateway.subnet.parent), None)
        if own is None:
            return ()
        found = dict.fromkeys(own.address_space)
        for network in side.networks:
            if any(p.use_remote_gateways and p.remote_virtual_network == own.id for p in network.peerings):
                found |= dict.fromkeys(network.address_space)
        return tuple(found)

    def frontend_at(self, network: VirtualNetwork, address: Address) -> Frontend | None:
        return self.index.frontend(network.id.key, address)


def is_appliance_route(route: Route) -> bool:
    return route.next_hop_type.lower() == VIRTUAL_APPLIANCE
