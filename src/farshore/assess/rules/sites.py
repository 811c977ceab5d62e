"""What the sites' routers do (D51, D55, D90, E42, E47, E48).

Azure steers a site only by withdrawing; which of two networks a site goes to is its routers' policy. A policy that is
not there yet is no error: the plan's first steps set it, before the target is connected. One that cuts the source off,
or a target that is connected with nothing to decide, is.
"""

from __future__ import annotations

from collections.abc import Iterator

from farshore.arm.decode import Network
from farshore.arm.ids import ResourceId
from farshore.assess.context import Context
from farshore.assess.findings import Finding, error, rule, warning
from farshore.estate.outside import Router, Site
from farshore.routing.prefixes import inside, overlap


@rule("FS131", "A router passes one circuit's routes on to another", "E48", "E10")
def readvertises(context: Context) -> Iterator[Finding]:
    for site, router in _routers(context):
        if router.readvertise:
            names = ", ".join(circuit.name for circuit in router.readvertise)
            yield error(
                _path(site, router),
                f"{router.name} tells {router.circuit.name} what it heard from {names}: transit between regions"
                f" through {site.name}",
                "the circuit accepts such paths, and removes what would let the far gateway see the loop",
                remedy=f"have {router.name} announce only {', '.join(map(str, site.prefixes))}",
            )


@rule("FS132", "A router's filter cuts the site off from the source", "D51", "E42")
def filtered(context: Context) -> Iterator[Finding]:
    """Only where no other router of the site on a circuit of the source lets it pass."""
    announced = {
        p for g in context.express_route_gateways(context.source) for p in context.announced(context.source, g)
    }
    for site in context.estate.sites:
        routers = [router for router in site.routers if router.circuit in context.source_circuits]
        for direction, prefixes in (("in", announced), ("out", set(site.prefixes))):
            for prefix in sorted(prefixes, key=str):
                if routers and all(denied_part(router, direction, prefix) is not None for router in routers):
                    router = routers[0]
                    hit = denied_part(router, direction, prefix)
                    what = "does not accept" if direction == "in" else "does not announce"
                    yield error(
                        _path(site, router),
                        f"{router.name} {what} {hit} on {router.circuit.name}: {site.name} and the source lose each"
                        " other",
                        f"filter {direction} {hit} deny",
                        remedy=f"remove the filter until the failover; the plan sets and lifts what it needs on"
                        f" {router.name}",
                    )
                    break


@rule(
    "FS133", "Two networks announce one range to a site, and nothing there decides", "D51", "D55", "D90", "E41", "E42"
)
def undecided(context: Context) -> Iterator[Finding]:
    here = {p for g in context.express_route_gateways(context.source) for p in context.announced(context.source, g)}
    joined = {c.peer for c in context.connections(context.target) if c.peer not in context.source_circuits}
    gateways = {c.virtual_network_gateway1 for c in context.connections(context.target)}
    there = {
        p
        for g in context.express_route_gateways(context.target)
        if g.id in gateways
        for p in context.announced(context.target, g)
    }
    twice = sorted({prefix for prefix in here if any(overlap(prefix, other) for other in there)}, key=str)
    for site in context.estate.sites if twice and joined else ():
        mine = [r for r in site.routers if r.circuit in context.source_circuits]
        others = [r for r in site.routers if r.circuit in joined]
        for prefix in twice:
            best = max((_rank(r) for r in mine if denied_part(r, "in", prefix) is None), default=None)
            rivals = [r for r in others if denied_part(r, "in", prefix) is None]
            worst = next((r for r in rivals if best is None or _rank(r) >= best), None)
            if worst is not None:
                yield error(
                    _path(site, worst),
                    f"{site.name} hears {prefix} from both networks, and {worst.name} is as good as the source's router"
                    " or better",
                    *(
                        f"{r.name} on {r.circuit.name}: local preference {r.local_preference}, prepend {r.prepend}"
                        for r in (*mine, worst)
                    ),
                    "production traffic goes to a network where the machines do not run",
                    remedy=f"prefer the source's router, or deny {prefix} on {worst.name}, before the target is"
                    " connected; if a run has set the routers so, say it in farshore.yaml",
                )
                break


@rule("FS134", "A router is on a circuit that neither side uses", "D48", "D57")
def unused_router(context: Context) -> Iterator[Finding]:
    used = {circuit.id for circuit in context.circuits}
    for site, router in _routers(context):
        if router.circuit not in used:
            yield warning(
                _path(site, router),
                f"{router.name} is on {router.circuit.name}, to which neither the source nor the target is connected",
                remedy="check that the circuit's connection is in the estate, or leave the router out",
            )


@rule("FS135", "A site announces more prefixes than a circuit or gateway takes", "E13", "R41", "E28")
def too_many_prefixes(context: Context) -> Iterator[Finding]:
    yield from _more_than_circuits_accept(context)
    for side in context.sides:
        for gateway in context.express_route_gateways(side):
            most = LEARNED.get((gateway.sku or "").lower())
            joined = {c.peer for c in context.connections(side) if c.virtual_network_gateway1 == gateway.id}
            told = {
                prefix
                for circuit in joined
                if circuit is not None
                for site in context.estate.sites
                for version in (4, 6)
                for prefix in _told(site, circuit, version)
            }
            if most is not None and len(told) > most:
                yield error(
                    gateway.id,
                    f"{gateway.id.name} is told {len(told)} prefixes by its circuits; a {gateway.sku} gateway learns"
                    f" {most}",
                    remedy="summarise the prefixes, or resize the gateway",
                )


def _more_than_circuits_accept(context: Context) -> Iterator[Finding]:
    for circuit in context.circuits:
        premium = (circuit.sku_tier or "").lower() == "premium"
        for version, most in ((4, FOURS_PREMIUM if premium else FOURS), (6, SIXES)):
            held = {site.name: _told(site, circuit.id, version) for site in context.estate.sites}
            together = set[Network]().union(*held.values())
            if len(together) > most:
                first = max(held, key=lambda name: len(held[name]))
                others = sorted(name for name in held if held[name] and name != first)
                family = "IPv6 prefixes" if version == 6 else "prefixes"
                yield error(
                    f"sites/{first}",
                    f"{' and '.join([first, *others])} announce{'' if others else 's'} {len(together)} {family};"
                    f" {circuit.id.name} drops its BGP session beyond {most}",
                    remedy="summarise the prefixes"
                    + ("" if premium or version == 6 else ", or raise the circuit to Premium"),
                )


FOURS, FOURS_PREMIUM, SIXES = 4_000, 10_000, 100
"""E13."""
LEARNED = {
    **dict.fromkeys(("standard", "ergw1az"), 4_000),
    **dict.fromkeys(("highperformance", "ergw2az", "ultraperformance", "ergw3az"), 9_500),
    "ergwscale": 60_000,
}
"""E28: routes that a gateway learns, by SKU."""


def _told(site: Site, circuit: ResourceId, version: int) -> set[Network]:
    """The prefixes of one family that a site's routers tell a circuit. Filters are asked where there are too many."""
    prefixes = {prefix for prefix in site.prefixes if prefix.version == version}
    routers = [router for router in site.routers if router.circuit == circuit]
    if not routers or len(prefixes) <= SIXES:
        return prefixes if routers else set()
    return {prefix for prefix in prefixes if any(denied_part(router, "out", prefix) != prefix for router in routers)}


def denied_part(router: Router, direction: str, prefix: Network) -> Network | None:
    """What a filter denies of a prefix: all of it, or a part; None where nothing. The longest filter decides."""
    ours = [item for item in router.filters if item.direction == direction and item.prefix.version == prefix.version]
    around = [item for item in ours if inside(prefix, item.prefix)]
    if around:
        longest = max(around, key=lambda item: item.prefix.prefixlen)
        if longest.action.lower() == "deny":
            return prefix
    within = [item.prefix for item in ours if inside(item.prefix, prefix) and item.action.lower() == "deny"]
    return within[0] if within else None


def _rank(router: Router) -> tuple[int, int]:
    """Higher wins: local preference, then the shorter path."""
    return router.local_preference, -router.prepend


def _routers(context: Context) -> Iterator[tuple[Site, Router]]:
    for site in context.estate.sites:
        for router in site.routers:
            yield site, router


def _path(site: Site, router: Router) -> str:
    return f"sites/{site.name}/routers/{router.name}"
