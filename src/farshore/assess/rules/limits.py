"""Azure's limits, where an estate or its target meets them (R34, R40, E7, E14, E15), and what could not be read."""

from __future__ import annotations

from collections.abc import Iterator

from farshore.arm.connectivity import ExpressRouteCircuit, global_reach
from farshore.assess.context import Context
from farshore.assess.findings import Finding, error, info, rule, warning

ARM = "https://learn.microsoft.com/azure/azure-resource-manager"

ROUTES_IN_A_TABLE = 400
ROUTES_UNDER_A_MANAGER = 1000
"""Under Virtual Network Manager, which an estate does not show (X15)."""
PEERINGS_OF_A_NETWORK = 500
RULES_IN_A_GROUP = 1000
TAG_ROUTES_IN_A_TABLE = 25
ANNOUNCED_AT_CREATION = 200
ANNOUNCED_AT_ALL = 1000
ANNOUNCED_SIXES = 100
LINKS_STANDARD = 10
LINKS_PREMIUM = {50: 20, 100: 25, 200: 25, 500: 40, 1000: 50, 2000: 60, 5000: 75, 10_000: 100}
"""E15: virtual networks on a Premium circuit, by bandwidth in Mbps; those of 40 and 100 Gbps take no more than 10."""


@rule("FS811", "A route table holds more than Azure takes", "R34", "R18", "X15")
def routes(context: Context) -> Iterator[Finding]:
    used = {subnet.route_table for side in context.sides for n in side.networks for subnet in n.subnets}
    for table in context.estate.route_tables:
        if table.id not in used:
            continue
        tags = sum(1 for route in table.routes if isinstance(route.address_prefix, str))
        if len(table.routes) > ROUTES_IN_A_TABLE:
            yield (error if len(table.routes) > ROUTES_UNDER_A_MANAGER else warning)(
                table.id,
                f"{table.id.name} has {len(table.routes)} routes; a table takes {ROUTES_IN_A_TABLE}, or 1,000 under"
                " Virtual Network Manager",
                remedy="merge prefixes",
            )
        if tags > TAG_ROUTES_IN_A_TABLE:
            yield error(
                table.id,
                f"{table.id.name} has {tags} routes with service tags; a table takes {TAG_ROUTES_IN_A_TABLE}",
                remedy="remove or merge routes with tags",
            )


@rule("FS812", "A network has more than Azure takes", "R34")
def networks(context: Context) -> Iterator[Finding]:
    for side in context.sides:
        for network in side.networks:
            if len(network.peerings) > PEERINGS_OF_A_NETWORK:
                yield error(
                    network.id,
                    f"{network.name} has {len(network.peerings)} peerings; a network takes {PEERINGS_OF_A_NETWORK}",
                    remedy="spread the spokes over several hubs",
                )
    used = {s.network_security_group for side in context.sides for n in side.networks for s in n.subnets}
    for group in context.estate.network_security_groups:
        if group.id in used and len(group.security_rules) > RULES_IN_A_GROUP:
            yield error(
                group.id,
                f"{group.id.name} has {len(group.security_rules)} rules; a group takes {RULES_IN_A_GROUP}",
                remedy="merge rules",
            )


@rule("FS813", "A connection would announce more prefixes than it may", "R40", "E14", "E33")
def announced(context: Context) -> Iterator[Finding]:
    for side in context.sides:
        for gateway in context.express_route_gateways(side):
            families = [prefix.version for prefix in context.announced(side, gateway)]
            count, sixes = families.count(4), families.count(6)
            if sixes > ANNOUNCED_SIXES:
                yield error(
                    gateway.id,
                    f"{gateway.id.name} announces {sixes} IPv6 prefixes; the connection drops beyond {ANNOUNCED_SIXES}",
                    remedy="merge the IPv6 address spaces of the spokes",
                )
            if count > ANNOUNCED_AT_ALL:
                yield error(
                    gateway.id,
                    f"{gateway.id.name} announces {count} prefixes; the connection drops beyond {ANNOUNCED_AT_ALL}",
                    remedy="merge the address spaces of the spokes",
                )
            elif count > ANNOUNCED_AT_CREATION and not side.is_target and not context.connections(context.target):
                yield error(
                    gateway.id,
                    f"{gateway.id.name} announces {count} prefixes, and a new connection takes {ANNOUNCED_AT_CREATION}:"
                    " the target's could not be made",
                    "a connection that stands may grow to 1,000",
                    remedy="connect the target before its spokes use the gateway, or merge address spaces",
                )


@rule("FS814", "A circuit is linked to more networks than it takes", "E15")
def links(context: Context) -> Iterator[Finding]:
    for circuit in context.circuits:
        connections = sum(1 for c in context.estate.connections if c.peer == circuit.id)
        reaches = sum(circuit.id in pair for pair, _ in global_reach(context.estate.express_route_circuits))
        joined = connections + reaches
        coming = circuit.id in context.target_circuits and not context.connections(context.target)
        most = _links(circuit)
        if joined + (1 if coming else 0) > most:
            yield error(
                circuit.id,
                f"{circuit.id.name} has {connections} connections{_and(reaches)}"
                f"{' and the target would be one more' if coming else ''}; it takes {most}",
                f"{circuit.sku_tier}, {circuit.bandwidth_in_mbps or '?'} Mbps",
                remedy="raise the circuit to Premium or to more bandwidth, or remove a connection",
            )


def _links(circuit: ExpressRouteCircuit) -> int:
    """How many links a circuit takes. A bandwidth that can't be read is taken for the greatest: nothing is said of it
    that may be wrong."""
    if (circuit.sku_tier or "").lower() != "premium":
        return LINKS_STANDARD
    most = max(LINKS_PREMIUM)
    smaller = [mbps for mbps in LINKS_PREMIUM if mbps <= (circuit.bandwidth_in_mbps or most)]
    return LINKS_PREMIUM[max(smaller, default=min(LINKS_PREMIUM))]


def _and(reaches: int) -> str:
    return f" and {reaches} of Global Reach" if reaches else ""


@rule("FS821", "Resources that were not understood", f"{ARM}/management/resource-providers-and-types")
def unread(context: Context) -> Iterator[Finding]:
    if context.estate.unread:
        kept = sorted(context.estate.unread)
        yield info(
            "estate.json",
            f"{len(kept)} resources were kept and not understood: no rule and no route takes them into account",
            *kept[:8],
            remedy="farshore estate show lists them all",
        )


@rule("FS822", "Values that are only markers", f"{ARM}/templates/parameters")
def markers(context: Context) -> Iterator[Finding]:
    if context.estate.unknown:
        yield info(
            "estate.json",
            f"{len(context.estate.unknown)} values are markers of a template: what rests on them can't be known",
            *sorted(context.estate.unknown)[:8],
            remedy="read the estate from Azure, where they have their values",
        )
