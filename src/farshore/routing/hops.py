"""What a walk writes down on its way, and what it makes of its end (walk.py)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from farshore.estate.outside import Site
from farshore.routing.bgp import Heard
from farshore.routing.index import Holder
from farshore.routing.values import Disposition, Hop, Trace
from farshore.routing.verdicts import arrived

if TYPE_CHECKING:
    from farshore.routing.world import World


def router_hop(site: Site, routers: tuple[str, ...]) -> Hop:
    """The routers that share the traffic. Behind a stateful firewall each keeps its own state (E42, E44)."""
    keys = "|".join(sorted(f"{site.name}/{router}".lower() for router in routers))
    return Hop(
        kind="router",
        name=", ".join(routers),
        id=f"router:{site.name}/{routers[0]}",
        stateful=site.stateful_firewall,
        state_key=keys if site.stateful_firewall else "",
    )


def comes_to(trace: Trace) -> tuple[object, ...]:
    """What two ways have in common that come to the same. What a packet met matters only where it arrives: a circle is
    one wherever it is entered."""
    site = trace.because if trace.disposition is Disposition.DELIVERED and trace.delivered_to is None else ""
    met = trace.stateful_hops if trace.disposition in (Disposition.DELIVERED, Disposition.LEFT_ESTATE) else ()
    return trace.disposition, trace.delivered_to, site, met


def alike(ends: Sequence[Trace]) -> bool:
    return len({comes_to(end) for end in ends}) == 1


def shared(ends: Sequence[Trace], members: Sequence[str], balancer: str, hops: Sequence[Hop]) -> Trace:
    """What comes of a flow to a load balancer, of which each member has a share: where all come to the same it is said
    once, else the worst that a share comes to. Where it arrives in different ways nobody can say in which. `hops`: the
    way that they have in common."""
    if alike(ends):
        return ends[0]
    worst = min(range(len(ends)), key=lambda number: _rank(ends[number]))
    found = ends[worst]
    if len({comes_to(end) for end in ends if arrived(end)}) > 1 and _rank(found) > _rank(None):
        either = " and ".join(members)
        return replace(
            ends[0],
            hops=tuple(hops),
            disposition=Disposition.INSUFFICIENT_INFORMATION,
            because=f"{either} are members of {balancer}, and they lead to different ends",
            missing=(f"which of {either} {balancer} takes",),
            delivered_to=None,
        )
    return replace(found, because=f"by {members[worst]}, a member of {balancer}: {found.because}")


def _rank(end: Trace | None) -> int:
    """The order of verdicts: what is unsafe, what is not known (None), what is lost, what leaves, what arrives."""
    if end is None:
        return _ORDER.index(Disposition.INSUFFICIENT_INFORMATION)
    if end.disposition in _ORDER:
        return _ORDER.index(end.disposition)
    return len(_ORDER) + (2 if arrived(end) else end.disposition == Disposition.LEFT_ESTATE)


_ORDER = (
    Disposition.AMBIGUOUS,
    Disposition.LOOPED,
    Disposition.STALE,
    Disposition.WRONG_OWNER,
    Disposition.INSUFFICIENT_INFORMATION,
    Disposition.DENIED,
)


def speakers(heard: Sequence[Heard]) -> str:
    return ", ".join(
        dict.fromkeys(r.said_by.removeprefix("router:").removeprefix("peer:").rpartition("/")[2] for r in heard)
    )


def dead(world: World, holder: Holder) -> Disposition:
    return Disposition.NO_MACHINE if world.health.region(holder.nic.location) else Disposition.PATH_DEAD


def hangs_on_bgp(trace: Trace) -> bool:
    """Whether a way came by what BGP says, or ended where it says nothing."""
    return trace.disposition is Disposition.NO_ROUTE or any(hop.kind in _BY_BGP for hop in trace.hops)


_BY_BGP = frozenset({"gateway", "circuit", "router", "site"})
