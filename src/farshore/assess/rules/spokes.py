"""Tables of subnets with machines, and of GatewaySubnets: does the traffic of spokes pass the appliance (D40, D41)?

From a spoke to a site, and to another spoke, the subnet's table must choose the appliance. Azure takes the longest
prefix (R14), so a 0/0 to the appliance serves only where nothing longer is in the table: no prefix that the gateway
learned (propagation off, R37), no peering with the other spoke itself (R16), no longer user route elsewhere.

From a site to a spoke, the GatewaySubnet's table must have each spoke's prefix, or parts that cover it, with the
appliance as next hop: a shorter route does not capture a peered prefix (R16, R36).

Nothing is claimed where the source is not designed that way (`Context.steered`). A subnet of the target that has no
table yet is the plan's to complete, unless the target is announced already.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from farshore.arm.decode import Network
from farshore.arm.ids import ResourceId
from farshore.arm.network import NextHopType, RouteTable, Subnet, VirtualNetwork
from farshore.assess.blame import table_or_subnet
from farshore.assess.context import GATEWAY_SUBNET, Context, Side, Spoke
from farshore.assess.findings import Finding, error, rule
from farshore.assess.tables import Answer, Design, describe_row
from farshore.routing.values import RouteSource

_PEERINGS = (NextHopType.VNET_PEERING, NextHopType.VNET_GLOBAL_PEERING)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Misled:
    """A subnet that sends something past the appliance."""

    side: Side
    network: VirtualNetwork
    subnet: Subnet
    table: RouteTable | None
    answer: Answer
    blamed: ResourceId
    """The table, or the subnet that has none or a wrong one."""

    @property
    def kind(self) -> str:
        row = self.answer.chosen
        if row is None or row.source == RouteSource.DEFAULT:
            return "peering" if row is not None and row.next_hop_type in _PEERINGS else "none"
        return "gateway" if row.source == RouteSource.VIRTUAL_NETWORK_GATEWAY else "user"

    @property
    def does(self) -> str:
        """What becomes of the traffic without a route to the appliance."""
        row = self.answer.chosen
        if row is None or row.next_hop_type == NextHopType.NONE:
            return f"drops what goes to {self.answer.prefix}"
        return f"sends {self.answer.prefix} past the appliance"

    @property
    def to_appliance_elsewhere(self) -> bool:
        """A wrong address of type VirtualAppliance: `rules/appliances.py` judges who holds it."""
        row = self.answer.chosen
        return row is not None and row.next_hop_type == NextHopType.VIRTUAL_APPLIANCE

    @property
    def appliance(self) -> str:
        """The addresses that a route may name: of the prefix's own family."""
        version = self.answer.prefix.version
        held = [str(address) for address in self.side.appliances if address.version == version]
        return " or ".join(held) or f"(an IPv{version} address, which the appliance needs first)"

    @property
    def default(self) -> str:
        """The route that leads everything of the prefix's family to the appliance."""
        everything = "0.0.0.0/0" if self.answer.prefix.version == 4 else "::/0"
        return f"{everything} -> VirtualAppliance {self.appliance}"


@rule("FS201", "A subnet with machines has no route to the appliance", "D28", "D33", "D40", "D41", "R37", "R38")
def no_route(context: Context) -> Iterator[Finding]:
    for misled in _in_spokes(context):
        without_table = misled.table is None
        if misled.kind == "none" or (without_table and misled.kind == "gateway"):
            yield error(
                misled.blamed,
                f"{misled.subnet.id.short} {misled.does}:"
                f" {'it has no route table' if without_table else 'its table has no route to the appliance'}",
                *misled.answer.because,
                remedy=(
                    f"associate a table with {misled.default} and propagation off"
                    if misled.table is None
                    else f"add the route {misled.default} to {misled.table.id.short}"
                ),
            )


@rule("FS202", "A route of a subnet with machines leads away from the appliance", "D41", "R14", "R21")
def leads_away(context: Context) -> Iterator[Finding]:
    for misled in _in_spokes(context):
        if misled.kind == "user" and not misled.to_appliance_elsewhere and misled.table is not None:
            row = misled.answer.chosen
            assert row is not None
            why = (
                "a user route can't lead to an ExpressRoute gateway"
                if row.next_hop_type.lower() == "virtualnetworkgateway"
                else f"{misled.answer.prefix} does not reach the appliance"
            )
            yield error(
                misled.blamed,
                f"{misled.table.id.short} sends {row.address_prefix} to {row.next_hop_type}: {why}",
                *misled.answer.because,
                remedy=f"set the next hop of {row.address_prefix} to VirtualAppliance {misled.appliance},"
                " or remove the route",
            )


@rule("FS203", "Route propagation is on in a spoke", "R37", "D41", "R14", "R39")
def propagation_on(context: Context) -> Iterator[Finding]:
    for misled in _in_spokes(context):
        if misled.kind == "gateway" and misled.table is not None:
            yield error(
                misled.blamed,
                f"{misled.table.id.short} lets the gateway's routes into {misled.subnet.id.short}:"
                f" {misled.answer.prefix} bypasses the appliance",
                *misled.answer.because,
                remedy=f"set disableBgpRoutePropagation to true on {misled.table.id.short}",
            )


@rule("FS204", "Spokes are peered with each other and pass the appliance by", "R16", "D41", "D36")
def peered_directly(context: Context) -> Iterator[Finding]:
    for misled in _in_spokes(context):
        row = misled.answer.chosen
        if misled.kind == "peering" and row is not None:
            yield error(
                row.by,
                f"{misled.subnet.id.short} reaches {misled.answer.prefix} by a direct peering, past the appliance",
                *misled.answer.because,
                remedy=f"delete the peering, or add a route {misled.answer.prefix} -> VirtualAppliance"
                f" {misled.appliance} on both sides",
            )


@rule("FS205", "The GatewaySubnet has no route to the appliance for a spoke's prefix", "R36", "R16", "R39")
def gateway_route_missing(context: Context) -> Iterator[Finding]:
    for misled in _in_gateways(context):
        if misled.kind in ("peering", "gateway", "none"):
            where = "a table on the GatewaySubnet" if misled.table is None else misled.table.id.short
            yield error(
                misled.blamed,
                f"The GatewaySubnet of {misled.network.name} has no route for {misled.answer.prefix}:"
                " a site's traffic passes the appliance by, and the answers don't",
                *misled.answer.because,
                remedy=f"add the route {misled.answer.prefix} -> VirtualAppliance {misled.appliance} to {where}",
            )


@rule("FS206", "A route of the GatewaySubnet leads a spoke's traffic away from the appliance", "R36", "R14", "R39")
def gateway_route_elsewhere(context: Context) -> Iterator[Finding]:
    for misled in _in_gateways(context):
        if misled.kind == "user" and not misled.to_appliance_elsewhere and misled.table is not None:
            row = misled.answer.chosen
            assert row is not None
            yield error(
                misled.blamed,
                f"{misled.table.id.short} sends {row.address_prefix}, a part of a spoke, to {row.next_hop_type}",
                *misled.answer.because,
                remedy=f"set the next hop of {row.address_prefix} to VirtualAppliance {misled.appliance},"
                " or remove the route",
            )


def _in_spokes(context: Context) -> tuple[_Misled, ...]:
    return context.remember("misled in spokes", lambda: tuple(_first_of_each(_every_in_spokes(context))))


def _every_in_spokes(context: Context) -> Iterator[_Misled]:
    if not context.steered:
        return
    for side in context.sides:
        design = Design(context, side)
        for spoke in side.spokes:
            for subnet in spoke.subnets:
                table = context.table_of(subnet)
                if side.is_target and subnet.route_table is None and not _is_announced(context, spoke):
                    continue  # the plan associates the table that it builds
                for answer in design.answers(spoke.network, subnet, _destinations(context, side, spoke)):
                    if not answer.appliance and not _is_own(answer):
                        yield _Misled(
                            side=side,
                            network=spoke.network,
                            subnet=subnet,
                            table=table,
                            answer=answer,
                            blamed=table_or_subnet(context, subnet, table),
                        )


def _in_gateways(context: Context) -> tuple[_Misled, ...]:
    return context.remember("misled in gateway subnets", lambda: tuple(_in_gateway_subnets(context)))


def _in_gateway_subnets(context: Context) -> Iterator[_Misled]:
    if not context.steered:
        return
    for side in context.sides:
        design = Design(context, side)
        for hub in side.hubs:
            subnet = hub.subnet(GATEWAY_SUBNET)
            live = any(_is_announced(context, spoke) for spoke in side.spokes_of(hub))
            if subnet is None or (side.is_target and subnet.route_table is None and not live):
                continue
            prefixes = [prefix for spoke in side.spokes_of(hub) for prefix in spoke.network.address_space]
            found = (
                _Misled(
                    side=side,
                    network=hub,
                    subnet=subnet,
                    table=context.table_of(subnet),
                    answer=answer,
                    blamed=table_or_subnet(context, subnet, context.table_of(subnet)),
                )
                for answer in design.answers(hub, subnet, prefixes)
                if not answer.appliance and not _is_own(answer)
            )
            yield from _first_of_each(found, per_prefix=True)


def _is_announced(context: Context, spoke: Spoke) -> bool:
    """Whether a site can meet the spoke by now: its hub's gateway is connected and lent to it. A table that is absent
    then is not one to build in time: the order was wrong already (D85)."""
    if spoke.hub is None:
        return False
    peering = context.peering_between(spoke.network, spoke.hub)
    connected = {connection.virtual_network_gateway1 for connection in context.connections(context.target)}
    lent = context.index.gateways_in.get(spoke.hub.id.key, ())
    return peering is not None and peering.use_remote_gateways and any(gateway.id in connected for gateway in lent)


def _destinations(context: Context, side: Side, spoke: Spoke) -> list[Network]:
    others = [] if spoke.hub is None else [other for other in side.spokes_of(spoke.hub) if other != spoke]
    return [*context.site_prefixes, *(prefix for other in others for prefix in other.network.address_space)]


def _is_own(answer: Answer) -> bool:
    """An address inside the network itself: overlapping ranges are another finding."""
    row = answer.chosen
    return row is not None and row.source == RouteSource.DEFAULT and row.next_hop_type == NextHopType.VNET_LOCAL


def _first_of_each(found: Iterable[_Misled], *, per_prefix: bool = False) -> Iterator[_Misled]:
    """One for each table (or subnet) and kind of mistake: the rest would say the same again."""
    seen: set[object] = set()
    for misled in found:
        row = misled.answer.chosen
        what = misled.answer.prefix if per_prefix else describe_row(row) if misled.kind in ("user", "peering") else ""
        key = (misled.subnet.id if misled.table is None else misled.table.id, misled.kind, what)
        if key not in seen:
            seen.add(key)
            yield misled
