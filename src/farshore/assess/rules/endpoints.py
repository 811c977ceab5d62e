"""Replication's own way out: what a default route through an appliance, or to a site, does to it (D27 to D32, S40).

Replication writes to a storage account of the source region and follows the subnet's routes. Where those send 0/0 to
an appliance or to a site, the appliance or the circuit carries every byte of it; a service endpoint for storage on the
subnet takes it out again, and can't be overridden (R14). Reprotect needs the same in the target (D88).
"""

from __future__ import annotations

from collections.abc import Iterator

from farshore.arm.network import Subnet, VirtualNetwork
from farshore.assess.context import Context, Side, is_appliance_route
from farshore.assess.findings import Finding, error, rule, warning

STORAGE = "microsoft.storage"
GLOBAL = "microsoft.storage.global"


@rule("FS241", "Replication goes through the appliance: the subnet has no storage endpoint", "D32", "D30", "S40", "R22")
def no_endpoint(context: Context) -> Iterator[Finding]:
    for side, _, subnet in _subnets(context):
        table = context.table_of(subnet)
        default = next(
            (
                route
                for route in (() if table is None else table.routes)
                if not isinstance(route.address_prefix, str)
                and route.address_prefix.prefixlen == 0
                and is_appliance_route(route)
            ),
            None,
        )
        if default is not None and table is not None and not _has_endpoint(subnet):
            when = "reprotect" if side.is_target else "replication"
            yield error(
                subnet.id,
                f"{subnet.id.short} has no storage endpoint: all {when} traffic passes the appliance"
                f" {default.next_hop_ip_address}",
                f"{table.id.short}: {default.address_prefix} -> VirtualAppliance {default.next_hop_ip_address}",
                f"service endpoints: {', '.join(subnet.service_endpoints) or 'none'}",
                remedy=f"add the service endpoint Microsoft.Storage to {subnet.id.short}",
            )


@rule("FS242", "Replication goes to a site: it announces a default route", "D31", "D32", "R27", "S40")
def forced_tunnelling(context: Context) -> Iterator[Finding]:
    everything = [site for site in context.estate.sites if any(p.prefixlen == 0 for p in site.prefixes)]
    if not everything:
        return
    for _, _, subnet in _subnets(context):
        table = context.table_of(subnet)
        own_default = any(
            not isinstance(route.address_prefix, str) and route.address_prefix.prefixlen == 0
            for route in (() if table is None else table.routes)
        )
        off = table is not None and table.disable_bgp_route_propagation
        if not off and not own_default and not _has_endpoint(subnet):
            yield error(
                subnet.id,
                f"{subnet.id.short} sends replication to {everything[0].name}, which announces 0.0.0.0/0",
                f"service endpoints: {', '.join(subnet.service_endpoints) or 'none'}",
                remedy=f"add the service endpoint Microsoft.Storage to {subnet.id.short}",
            )
    for site in everything:
        yield warning(
            f"sites/{site.name}",
            f"{site.name} announces 0.0.0.0/0: all internet traffic of the networks goes there, and falls back to"
            " Azure's own way without a word when the circuit fails",
            remedy="deny Internet outbound by a security group if that must not happen",
        )


@rule("FS243", "A subnet has both storage endpoints", "R22")
def both_endpoints(context: Context) -> Iterator[Finding]:
    for _, _, subnet in _subnets(context):
        services = {service.lower() for service in subnet.service_endpoints}
        if {STORAGE, GLOBAL} <= services:
            yield error(
                subnet.id,
                f"{subnet.id.short} has Microsoft.Storage and Microsoft.Storage.Global, which exclude each other",
                remedy="keep one: Microsoft.Storage is enough, replication writes to its own region",
            )


def _subnets(context: Context) -> Iterator[tuple[Side, VirtualNetwork, Subnet]]:
    """Subnets of selected machines, and their counterparts that stand; the hub's too."""
    seen = set()
    for machine in context.machines:
        for id_ in machine.subnets:
            network, subnet = context.estate.virtual_network(id_.parent), context.estate.subnet(id_)
            if network is None or subnet is None or subnet.id in seen:
                continue
            seen.add(subnet.id)
            yield context.source, network, subnet
            there = context.estate.virtual_network(context.counterparts.of(network.id))
            counterpart = None if there is None or there.id == network.id else there.subnet(subnet.name)
            # Without a table, the subnet is half built and the plan adds table and endpoint in one.
            if there is not None and counterpart is not None and counterpart.route_table is not None:
                yield context.target, there, counterpart


def _has_endpoint(subnet: Subnet) -> bool:
    return any(service.lower() in (STORAGE, GLOBAL) for service in subnet.service_endpoints)
