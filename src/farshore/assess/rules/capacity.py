"""Whether what carries the traffic after the move can carry it: circuits and gateways, and the load that was measured.

The load is what farshore.yaml tells of a site (`load_mbps`); Azure shows no history of it. A site's load goes over the
circuits of the target that its routers prefer. Where it prefers several equally each of them may have to carry all of
it, since one of them may be lost.
"""

from __future__ import annotations

from collections.abc import Iterator

from farshore.arm.connectivity import VirtualNetworkGateway
from farshore.arm.ids import ResourceId
from farshore.assess.context import Context
from farshore.assess.findings import Finding, rule, warning

CEILINGS = {
    "standard": 1_000,
    "ergw1az": 1_000,
    "highperformance": 2_000,
    "ergw2az": 2_000,
    "ultraperformance": 10_000,
    "ergw3az": 10_000,
}
"""E28, in Mbps."""
SCALE, UNIT, MOST_UNITS = "ergwscale", 1_000, 40


@rule("FS319", "A circuit is smaller than the load that it will carry", "D49", "E3", "E6")
def small_circuit(context: Context) -> Iterator[Finding]:
    raised = {item.circuit: item.mbps for item in context.project.raise_bandwidth}
    for id_, sites in _carried(context).items():
        circuit = context.estate.express_route_circuit(id_)
        own = None if circuit is None else circuit.bandwidth_in_mbps
        if circuit is None or own is None:
            continue
        load = sum(sites.values())
        here = circuit.location == context.project.source_region
        after = own if here else max(own, raised.get(id_, 0))
        if after >= load:
            continue
        evidence = [_loads(sites), "both links together may carry twice as much for a while, which nobody guarantees"]
        if id_ in raised:
            evidence.append(
                f"raise_bandwidth can't be written while {circuit.location} is lost: the circuit is located there"
                if here
                else f"raise_bandwidth raises it to {raised[id_]} Mbps"
            )
        yield warning(
            id_,
            f"{id_.name} has {own} Mbps and will have to carry {load:g}",
            *evidence,
            remedy=f"raise {id_.name} ahead of a disaster, or in one by raise_bandwidth; it can't be lowered again",
        )


@rule("FS320", "A gateway is smaller than the load that it will carry", "E28", "E22")
def small_gateway(context: Context) -> Iterator[Finding]:
    """One gateway on each side: among several nobody can tell whose share is which."""
    there = context.express_route_gateways(context.target)
    gateways = there or context.express_route_gateways(context.source)
    loads = dict(context.project.loads)
    carrying = {site for sites in _carried(context).values() for site in sites}
    load = sum(loads[site] for site in carrying)
    if len(gateways) != 1 or not load:
        return
    gateway = gateways[0]
    most = _ceiling(context, gateway)
    if most is not None and most < load:
        made = () if there else ("the target's gateway is made with the same SKU",)
        yield warning(
            gateway.id,
            f"{gateway.id.name} is {gateway.sku}, which carries {most:,} Mbps at most, and will have to carry {load:g}",
            _loads({site: loads[site] for site in sorted(carrying)}),
            *made,
            remedy="give the gateway a larger SKU before a disaster; a resize within one family keeps it",
        )


def _carried(context: Context) -> dict[ResourceId, dict[str, float]]:
    """Of each circuit of the target the sites whose load will be on it."""
    found: dict[ResourceId, dict[str, float]] = {}
    loads = dict(context.project.loads)
    for site in context.estate.sites:
        routers = [router for router in site.routers if router.circuit in context.target_circuits]
        best = max((router.local_preference for router in routers), default=0)
        for router in routers:
            if site.name in loads and router.local_preference == best:
                found.setdefault(router.circuit, {})[site.name] = loads[site.name]
    return found


def _ceiling(context: Context, gateway: VirtualNetworkGateway) -> int | None:
    sku = (gateway.sku or "").lower()
    if sku == SCALE:
        units = context.index.raw(gateway.id).number("properties.autoScaleConfiguration.bounds.max")
        return UNIT * (units or MOST_UNITS)
    return CEILINGS.get(sku)


def _loads(sites: dict[str, float]) -> str:
    return "measured (load_mbps): " + ", ".join(f"{name} {load:g} Mbps" for name, load in sites.items())
