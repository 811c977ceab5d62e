"""Appliances: does what routes lead to exist, forward and run, and does it get to the target (R21, R24, R25, S32)?

A route to an appliance stays Active when nothing answers there (R25), so every next hop is checked: a NIC or a load
balancer's frontend in the network itself or in one peered with it directly. The appliance's own subnet must not carry
the spokes' table, or it sends what it forwards to itself; it learns sites by BGP and spokes by peering (R36). In the
target a next hop that nobody holds is an error only if no appliance is planned for that address.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from farshore.arm.compute import RUNNING
from farshore.arm.decode import Address
from farshore.arm.network import NetworkInterface, Route, RouteTable, Subnet, VirtualNetwork
from farshore.assess.blame import table_or_subnet
from farshore.assess.context import GATEWAY_SUBNET, Context, Side, is_appliance_route
from farshore.assess.findings import Finding, error, rule, warning
from farshore.routing.index import Frontend
from farshore.routing.prefixes import covered

RUNS = (None, *RUNNING)
"""Power states of an appliance that forwards, as far as the estate says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _NextHop:
    """One appliance route of a subnet, and who holds its address."""

    side: Side
    network: VirtualNetwork
    subnet: Subnet
    table: RouteTable
    route: Route
    address: Address
    near: tuple[VirtualNetwork, ...]
    """The networks in which the address could be: the own, and those peered with it."""
    nics: tuple[NetworkInterface, ...]
    frontend: Frontend | None

    @property
    def held(self) -> bool:
        return bool(self.nics) or self.frontend is not None


@rule("FS211", "A route leads to an appliance address that nobody holds", "R21", "R25")
def nobody(context: Context) -> Iterator[Finding]:
    yield from _without_address(context)
    seen = set()
    strayed = {address for _, _, addresses in _strayed(context) for address in addresses}
    for hop in _next_hops(context):
        key = (hop.table.id, hop.route.name)
        if hop.address in strayed and not hop.side.is_target:
            continue  # the appliance has left its address: FS220
        planned = hop.side.is_target and hop.address in hop.side.appliances
        reachable = any(covered(hop.address, network.address_space) for network in hop.near)
        if key in seen or (hop.held and reachable) or (planned and reachable):
            continue
        seen.add(key)
        why = (
            f"no NIC or internal load balancer in {' or '.join(n.name for n in hop.near)} has this address"
            if reachable
            else f"it is no address of {hop.network.name} or of a network peered with it"
        )
        appliances = " or ".join(map(str, hop.side.appliances)) or "an appliance"
        yield error(
            hop.table.id,
            f"{hop.table.id.short} sends {hop.route.address_prefix} to {hop.address}, where there is no appliance",
            why,
            "the route stays Active and the traffic is lost",
            remedy=f"set the next hop of {hop.route.address_prefix} to {appliances}",
        )


@rule("FS212", "The appliance's NIC does not forward", "R24", "D37")
def no_forwarding(context: Context) -> Iterator[Finding]:
    seen = set()
    named = {nic.id for item in context.project.appliances for nic in context.nics_of(item.source)}
    named |= {nic.id for item in context.project.appliances if item.existing for nic in context.nics_of(item.existing)}
    nics = [(nic, hop.address) for hop in _next_hops(context) for nic in _behind(hop)]
    nics += [
        (nic, address)
        for item in context.project.appliances
        for id_ in (item.source, item.existing)
        if id_ is not None
        for nic in context.nics_of(id_)
        for address in context.addresses_of(id_)[:1]
    ]
    for nic, address in nics:
        if nic.id not in seen and not nic.enable_ip_forwarding and (nic.id in named or not named):
            seen.add(nic.id)
            yield error(
                nic.id,
                f"{nic.id.name} is the next hop {address} and drops every packet that is not for itself",
                "enableIPForwarding is false",
                remedy=f"set enableIPForwarding to true on {nic.id.name}, and forward in its operating system",
            )


@rule("FS213", "A route leads to a machine that is no appliance", "R21", "R24")
def not_an_appliance(context: Context) -> Iterator[Finding]:
    named = {nic.id for item in context.project.appliances for nic in context.nics_of(item.source)}
    named |= {nic.id for item in context.project.appliances if item.existing for nic in context.nics_of(item.existing)}
    seen = set()
    for hop in _next_hops(context):
        for nic in hop.nics:
            key = (hop.table.id, hop.route.name)
            if hop.side.is_target and hop.address in hop.side.appliances:
                continue  # the route is right, and who holds the appliance's place is FS605's
            if named and nic.id not in named and not nic.enable_ip_forwarding and key not in seen:
                seen.add(key)
                yield error(
                    hop.table.id,
                    f"{hop.table.id.short} sends {hop.route.address_prefix} to {hop.address}, which is {nic.id.name}"
                    " and no appliance",
                    f"{nic.id.name} does not forward, and `appliances` does not name it",
                    remedy=f"set the next hop to {' or '.join(map(str, hop.side.appliances)) or 'the appliance'}",
                )


@rule("FS214", "The appliance does not run", "R25")
def not_running(context: Context) -> Iterator[Finding]:
    existing = [
        nic
        for item in context.project.appliances
        if item.existing is not None
        for nic in context.nics_of(item.existing)
    ]
    for nic in dict.fromkeys((*context.appliance_nics, *existing)):
        key = context.index.machine_of.get(nic.id.key)
        machine = None if key is None else context.index.machines.get(key)
        if key is None:
            yield error(
                nic.id,
                f"{nic.id.name} is the appliance's NIC and belongs to no machine",
                "the route to it stays Active and the traffic is lost",
                remedy=f"attach {nic.id.name} to the appliance",
            )
        elif machine is not None and (
            machine.power_state not in RUNS or machine.provisioning_state.lower() == "failed"
        ):
            state = machine.power_state if machine.power_state not in RUNS else machine.provisioning_state
            yield error(
                machine.id,
                f"The appliance {machine.id.name} is {state}: the routes to it stay Active and the traffic is lost",
                f"powerState {machine.power_state}, provisioningState {machine.provisioning_state}",
                remedy=f"start {machine.id.name}",
            )


@rule("FS227", "A load balancer that routes lead to has no appliance behind it", "R24", "R25")
def no_members(context: Context) -> Iterator[Finding]:
    seen = set()
    for hop in _next_hops(context):
        front = hop.frontend
        if front is None or front.kind != "loadBalancer" or front.members or front.missing or front.id in seen:
            continue
        seen.add(front.id)
        yield error(
            front.id,
            f"{front.id.name} answers for the next hop {hop.address} and has no NIC in its pool",
            f"{hop.table.id.short} sends {hop.route.address_prefix} there",
            "the route stays Active and the traffic is lost",
            remedy=f"put the appliances' NICs into the backend pool of {front.id.name}",
        )


@rule("FS215", "The appliance's subnet sends what it forwards back to the appliance", "R36", "R24")
def own_table(context: Context) -> Iterator[Finding]:
    for side, _, subnet, nic in _appliance_subnets(context):
        table = context.table_of(subnet)
        own = {item.private_ip_address for item in nic.ip_configurations} | set(side.appliances)
        routes = [] if table is None else [r for r in table.routes if is_appliance_route(r)]
        loops = [r for r in routes if r.next_hop_ip_address in own]
        if table is None or not loops:
            continue
        shared = any(other.route_table == table.id for other in _workload_subnets(side))
        yield error(
            table_or_subnet(context, subnet, table),
            f"{subnet.id.short} holds the appliance and carries"
            f" {'the table of the spokes' if shared else 'a table that leads to it'}: what it forwards comes back",
            *(f"{r.address_prefix} -> VirtualAppliance {r.next_hop_ip_address}" for r in loops),
            remedy=f"take {table.id.short} off {subnet.id.short}: the appliance learns sites by BGP and spokes by"
            " peering",
        )


@rule("FS216", "The appliance's subnet does not learn what the gateway knows", "R36", "R23")
def no_propagation(context: Context) -> Iterator[Finding]:
    for side, _, subnet, _ in _appliance_subnets(context):
        table = context.table_of(subnet)
        if table is None or not table.disable_bgp_route_propagation or not context.site_prefixes:
            continue
        if any(other.route_table == table.id for other in _workload_subnets(side)):
            continue  # the spokes' table: FS215
        yield error(
            table_or_subnet(context, subnet, table),
            f"{table.id.short} keeps the gateway's routes from {subnet.id.short}: the appliance can't reach any site",
            "disableBgpRoutePropagation is true on the appliance's subnet",
            remedy=f"set disableBgpRoutePropagation to false on {table.id.short}",
        )


@rule("FS217", "The appliance stands in a subnet whose traffic it is meant to see", "R24")
def among_workloads(context: Context) -> Iterator[Finding]:
    if not context.steered:
        return
    for side, _, subnet, nic in _appliance_subnets(context):
        if any(other.id == subnet.id for other in _workload_subnets(side)):
            yield error(
                nic.id,
                f"{nic.id.name} stands in {subnet.id.short} together with machines that are routed through it",
                "a route to the appliance in its own subnet makes a loop",
                remedy=f"move {nic.id.name} to a subnet of its own in the hub",
            )


@rule("FS218", "Nothing says how an appliance gets to the target", "S32", "D87")
def not_planned(context: Context) -> Iterator[Finding]:
    named = {address for item in context.project.appliances for address in context.addresses_of(item.source)}
    if any(context.estate.get(item.source) is None for item in context.project.appliances):
        return  # one is named wrongly: FS219
    seen = set()
    for hop in _next_hops(context):
        if hop.side.is_target or hop.address in named or hop.address in seen:
            continue
        if not any(nic.enable_ip_forwarding for nic in _behind(hop)) and hop.frontend is None:
            continue
        seen.add(hop.address)
        there = context.appliance_address_in_target(hop.address)
        built = any(
            nic.nic.enable_ip_forwarding for hub in context.target.hubs for nic in context.index.at(hub.id.key, there)
        )
        if not built:
            holder = hop.frontend.id.name if hop.frontend is not None else hop.nics[0].id.name
            yield error(
                "appliances",
                f"Routes lead through {holder} ({hop.address}), and farshore.yaml does not say how it gets to the"
                " target",
                f"{hop.table.id.short}: {hop.route.address_prefix} -> {hop.address}",
                "appliances are redeployed, never replicated",
                remedy=f"add {holder} to `appliances` with a target: an existing NIC, a template, or manual",
            )


@rule("FS219", "An appliance of farshore.yaml is not what the estate holds", "S32", "R24", "D79")
def misnamed(context: Context) -> Iterator[Finding]:
    for place, item in enumerate(context.project.appliances):
        path = f"appliances/{place}"
        nics = context.nics_of(item.source)
        if not nics and context.estate.get(item.source) is None:
            yield error(
                f"{path}/source",
                f"The estate holds no {item.source.short}, which farshore.yaml names as an appliance",
                remedy="give the id of the appliance's NIC, or of its internal load balancer",
            )
            continue
        strays = [nic for nic in nics if nic.location != context.project.source_region]
        if strays:
            yield error(
                f"{path}/source",
                f"{strays[0].id.name} is in {strays[0].location}, not in the source region",
                remedy=f"name the appliance of {context.project.source_region}",
            )
        if item.existing is not None:
            yield from _judge_existing(context, f"{path}/target/existing", place)


@rule("FS220", "An appliance of farshore.yaml sees no traffic", "D41", "R25")
def idle(context: Context) -> Iterator[Finding]:
    strayed = {place: (nic, addresses) for place, nic, addresses in _strayed(context)}
    for nic, addresses in strayed.values():
        own = ", ".join(str(item.private_ip_address) for item in nic.ip_configurations)
        yield error(
            nic.id,
            f"{nic.id.name} has {own}, and routes lead to {', '.join(map(str, addresses))}, which nobody has",
            "the routes stay Active and the traffic is lost",
            remedy=f"give {nic.id.name} the address that routes lead to, or change the routes",
        )
    hops = {hop.address for hop in _next_hops(context)}
    for place, item in enumerate(context.project.appliances):
        addresses = context.addresses_of(item.source)
        if addresses and not hops & set(addresses) and place not in strayed:
            yield warning(
                f"appliances/{place}",
                f"No route of the networks in scope leads to {item.source.name} ({addresses[0]})",
                remedy="name the NIC or load balancer that routes lead to, or leave it out",
            )


def _without_address(context: Context) -> Iterator[Finding]:
    """Routes to an appliance that give no address at all; a marker is unknown and not absent (R9)."""
    tables = dict.fromkeys(s.route_table for side in context.sides for n in side.networks for s in n.subnets)
    for id_ in tables:
        for route in () if id_ is None else context.index.raw(id_).items("properties.routes"):
            kind = (route.text("properties.nextHopType") or "").lower()
            if kind == "virtualappliance" and route.raw("properties.nextHopIpAddress") in (None, ""):
                marked = any("nexthopipaddress" in place.lower() for place in route.unknown)
                table = context.estate.route_table(id_)
                if table is not None and not marked:
                    prefix = route.text("properties.addressPrefix")
                    yield error(
                        table.id,
                        f"{table.id.short} sends {prefix} to an appliance and does not say which",
                        "nextHopType is VirtualAppliance, nextHopIpAddress is absent",
                        remedy=f"set nextHopIpAddress of {prefix}",
                    )


def _strayed(context: Context) -> Iterator[tuple[int, NetworkInterface, tuple[Address, ...]]]:
    """Appliances of farshore.yaml that no route leads to, where routes lead to addresses of their own subnet that
    nobody has: by its place in `appliances`, the NIC, and those addresses."""
    hops = [hop for hop in _next_hops(context) if not hop.side.is_target]
    dead = tuple(dict.fromkeys(hop.address for hop in hops if not hop.held))
    for place, item in enumerate(context.project.appliances):
        nic = context.estate.network_interface(item.source)
        own = context.addresses_of(item.source)
        if nic is None or nic.primary is None or {hop.address for hop in hops} & set(own):
            continue
        subnet = context.estate.subnet(nic.primary.subnet)
        beside = tuple(address for address in dead if subnet is not None and covered(address, subnet.address_prefixes))
        if beside:
            yield place, nic, beside


def _judge_existing(context: Context, path: str, place: int) -> Iterator[Finding]:
    item = context.project.appliances[place]
    existing = item.existing
    assert existing is not None
    nics = context.nics_of(existing)
    if not nics and context.estate.get(existing) is None:
        yield error(
            path,
            f"The target's appliance {existing.name} does not exist",
            f"{existing.short} is not in the estate",
            remedy="create it, or give a template, or `manual`",
        )
        return
    for nic in nics:
        if nic.location != context.project.target.region:
            yield error(
                path,
                f"The target's appliance {existing.name} is in {nic.location}",
                f"target region {context.project.target.region}",
                remedy="name an appliance in the target region",
            )
    hubs = context.target.hubs
    where = {item.subnet.parent for nic in nics for item in nic.ip_configurations if item.subnet is not None}
    near = {hub.id for hub in hubs} | {p.remote_virtual_network for hub in hubs for p in hub.peerings}
    if hubs and where and not where & near:
        yield error(
            path,
            f"The target's appliance {existing.name} stands outside the target hub",
            f"hub {', '.join(hub.name for hub in hubs)}",
            "a next hop must be in the network itself or in one peered with it directly",
            remedy="deploy the appliance in the target hub",
        )


def _next_hops(context: Context) -> Iterator[_NextHop]:
    for side in context.sides:
        spokes = {subnet.id for spoke in side.spokes for subnet in spoke.subnets}
        for network in side.networks:
            near = [network]
            for peering in network.peerings:
                remote = context.estate.virtual_network(peering.remote_virtual_network)
                if remote is not None:
                    near.append(remote)
            # Half a peering is FS231's to tell; the table that relies on the whole one is right.
            near += [
                other
                for other in side.networks
                if other not in near and any(p.remote_virtual_network == network.id for p in other.peerings)
            ]
            if network not in side.hubs and (side.is_target or not any(hub in near for hub in side.hubs)):
                near += [hub for hub in side.hubs if hub not in near]  # the plan's to peer, or FS231's to miss
            for subnet in network.subnets:
                table = context.table_of(subnet)
                relevant = subnet.id in spokes or subnet.name.lower() == GATEWAY_SUBNET or network in side.hubs
                for route in () if table is None or not relevant else table.routes:
                    if table is not None and is_appliance_route(route) and route.next_hop_ip_address is not None:
                        yield _next_hop(context, side, network, subnet, table, route, tuple(near))


def _next_hop(
    context: Context,
    side: Side,
    network: VirtualNetwork,
    subnet: Subnet,
    table: RouteTable,
    route: Route,
    near: tuple[VirtualNetwork, ...],
) -> _NextHop:
    address = route.next_hop_ip_address
    assert address is not None
    fronts = (context.frontend_at(where, address) for where in near)
    return _NextHop(
        side=side,
        network=network,
        subnet=subnet,
        table=table,
        route=route,
        address=address,
        near=near,
        nics=tuple(holder.nic for where in near for holder in context.index.at(where.id.key, address)),
        frontend=next((front for front in fronts if front is not None), None),
    )


def _behind(hop: _NextHop) -> tuple[NetworkInterface, ...]:
    return (*hop.nics, *(() if hop.frontend is None else (member.nic for member in hop.frontend.members)))


def _appliance_subnets(context: Context) -> Iterator[tuple[Side, VirtualNetwork, Subnet, NetworkInterface]]:
    """The subnets that appliances stand in, each with one of its NICs."""
    for side in context.sides:
        networks = {network.id: network for network in side.networks}
        seen = set()
        nics = list(context.appliance_nics) if not side.is_target else []
        nics += [holder.nic for n in side.networks for a in side.appliances for holder in context.index.at(n.id.key, a)]
        for nic in nics:
            for item in nic.ip_configurations:
                network = networks.get(item.subnet.parent) if item.subnet is not None and item.subnet.parent else None
                subnet = None if network is None or item.subnet is None else network.subnet(item.subnet.name)
                if network is not None and subnet is not None and subnet.id not in seen:
                    seen.add(subnet.id)
                    yield side, network, subnet, nic


def _workload_subnets(side: Side) -> tuple[Subnet, ...]:
    return tuple(subnet for spoke in side.spokes for subnet in spoke.subnets)
