"""The GatewaySubnet itself: what Azure refuses on it, and what stops a gateway (R35, R23, E23)."""

from __future__ import annotations

from collections.abc import Iterator

from farshore.arm.network import Subnet, VirtualNetwork
from farshore.assess.blame import table_or_subnet
from farshore.assess.context import GATEWAY_SUBNET, Context, Side
from farshore.assess.findings import Finding, error, rule
from farshore.routing.prefixes import overlap

SMALLEST = 27
"""E23: the longest prefix with which a new ExpressRoute gateway can be made."""


@rule("FS221", "A security group is on the GatewaySubnet", "R35", "L33")
def security_group(context: Context) -> Iterator[Finding]:
    for _, hub, subnet in _gateway_subnets(context):
        if subnet.network_security_group is not None:
            yield error(
                subnet.id,
                f"The GatewaySubnet of {hub.name} has the security group {subnet.network_security_group.name}:"
                " Azure supports none there",
                "the gateway may stop working, and a new one is refused",
                remedy="take the security group off the GatewaySubnet",
            )


@rule("FS222", "The GatewaySubnet's table has a default route", "R35", "L33")
def default_route(context: Context) -> Iterator[Finding]:
    for _, hub, subnet in _gateway_subnets(context):
        table = context.table_of(subnet)
        for route in () if table is None else table.routes:
            prefix = route.address_prefix
            if table is not None and not isinstance(prefix, str) and prefix.prefixlen == 0:
                yield error(
                    table_or_subnet(context, subnet, table),
                    f"{table.id.short} has {prefix} and is on the GatewaySubnet of {hub.name}:"
                    " a gateway can't be made, or loses its management path",
                    f"{prefix} -> {route.next_hop_type}",
                    remedy=f"remove {prefix} from {table.id.short}; name each spoke's prefix instead",
                )


@rule("FS223", "Route propagation is off on the GatewaySubnet", "R23", "R35")
def propagation_off(context: Context) -> Iterator[Finding]:
    for _, hub, subnet in _gateway_subnets(context):
        table = context.table_of(subnet)
        if table is not None and table.disable_bgp_route_propagation:
            yield error(
                table_or_subnet(context, subnet, table),
                f"{table.id.short} switches route propagation off on the GatewaySubnet of {hub.name}:"
                " the gateway stops working",
                "disableBgpRoutePropagation is true",
                remedy=f"set disableBgpRoutePropagation to false on {table.id.short}, or give the GatewaySubnet a"
                " table of its own",
            )


@rule("FS224", "The GatewaySubnet is too small for a new gateway", "E23")
def too_small(context: Context) -> Iterator[Finding]:
    """A gateway that stands keeps working in a small one; the target's has still to be made."""
    there = {gateway.subnet.parent for gateway in context.express_route_gateways(context.target) if gateway.subnet}
    for hub in context.source.hubs:
        counterpart = context.counterparts.of(hub.id)
        if counterpart in there:
            continue
        built = context.estate.virtual_network(counterpart)
        subnet = (built or hub).subnet(GATEWAY_SUBNET)
        for prefix in () if subnet is None else subnet.address_prefixes:
            if subnet is not None and prefix.version == 4 and prefix.prefixlen > SMALLEST:
                yield error(
                    subnet.id,
                    f"The GatewaySubnet {prefix} is too small for the gateway that the target needs",
                    f"/{prefix.prefixlen}; new ExpressRoute gateways need /{SMALLEST} or larger",
                    remedy=f"make it /{SMALLEST} or larger"
                    + ("" if built is not None else ", here or in a target hub built beforehand"),
                )


@rule("FS225", "A route of the GatewaySubnet's table overlaps the GatewaySubnet", "R35")
def overlapping_route(context: Context) -> Iterator[Finding]:
    for _, hub, subnet in _gateway_subnets(context):
        table = context.table_of(subnet)
        for route in () if table is None else table.routes:
            prefix = route.address_prefix
            if table is None or isinstance(prefix, str) or prefix.prefixlen == 0:
                continue
            if any(overlap(prefix, own) for own in subnet.address_prefixes):
                yield error(
                    table_or_subnet(context, subnet, table),
                    f"{table.id.short} routes {prefix}, which overlaps the GatewaySubnet of {hub.name} itself",
                    f"GatewaySubnet {', '.join(map(str, subnet.address_prefixes))}",
                    "the gateway's instances may lose each other or the platform",
                    remedy=f"replace {prefix} by routes that leave the GatewaySubnet's range out",
                )


@rule("FS226", "Something else stands in the GatewaySubnet", "R35")
def something_else(context: Context) -> Iterator[Finding]:
    ours = {subnet.id: hub for _, hub, subnet in _gateway_subnets(context)}
    for nic in context.estate.network_interfaces:
        for item in nic.ip_configurations:
            if item.subnet in ours:
                yield error(
                    nic.id,
                    f"{nic.id.name} stands in the GatewaySubnet of {ours[item.subnet].name}, where only gateways may",
                    f"address {item.private_ip_address}",
                    remedy=f"move {nic.id.name} to another subnet",
                )


def _gateway_subnets(context: Context) -> Iterator[tuple[Side, VirtualNetwork, Subnet]]:
    for side in context.sides:
        for network in side.networks:
            subnet = network.subnet(GATEWAY_SUBNET)
            if subnet is not None:
                yield side, network, subnet
