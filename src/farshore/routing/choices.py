"""The choices of gateways and sites in the form of a `Choice`: what was taken, what was passed over, and why (style 8).

A gateway's order is E41, a site's is E42. Their rows are BGP routes; they are shown as rows with source `BGP`, the next
hop type says who takes it on, `by` which circuit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from farshore.arm.connectivity import VirtualNetworkGateway
from farshore.arm.decode import Address
from farshore.estate.outside import Site
from farshore.routing.bgp import Heard
from farshore.routing.places import labels, site_table
from farshore.routing.prefixes import LongestMatch
from farshore.routing.sites import Offer
from farshore.routing.values import Choice, EffectiveRoute, PassedOver, RouteState

if TYPE_CHECKING:
    from farshore.routing.world import World


def by_gateway(world: World, gateway: VirtualNetworkGateway, address: Address) -> tuple[tuple[Heard, ...], Choice]:
    """A gateway's way out: the equal best routes, and the choice to show."""
    key = ("gateway", gateway.id.key, address)
    found = world.settled.memo.get(key)
    if found is None:
        found = world.settled.memo[key] = _by_gateway(world, gateway, address)
    answer: tuple[tuple[Heard, ...], Choice] = found
    return answer


def by_site(world: World, site: Site, address: Address) -> tuple[tuple[Offer, ...], Choice]:
    """A site's way out: the equal best offers, and the choice to show."""
    key = ("site", site.name, address)
    found = world.settled.memo.get(key)
    if found is None:
        found = world.settled.memo[key] = _by_site(world, site, address)
    answer: tuple[tuple[Offer, ...], Choice] = found
    return answer


def _by_gateway(world: World, gateway: VirtualNetworkGateway, address: Address) -> tuple[tuple[Heard, ...], Choice]:
    match_key = ("match", gateway.id.key)
    match: LongestMatch[tuple[Heard, ...]] | None = world.settled.memo.get(match_key)
    if match is None:
        match = world.settled.memo[match_key] = LongestMatch(world.gateway_routes(gateway).items())
    matching = match.all(address)
    if not matching:
        return (), Choice(chosen=None)
    best = matching[0]
    everything = world.heard_by(gateway)
    others = [route for route in everything if route.prefix == best[0].prefix and route not in best]
    passed = [PassedOver(route=_row(world, [route], _way(route)), reason=_why_not(route, best[0])) for route in others]
    passed += [
        PassedOver(route=_row(world, routes, _way(routes[0])), reason="shorter prefix") for routes in matching[1:]
    ]
    return best, Choice(chosen=_row(world, best, _way(best[0])), passed_over=tuple(passed))


def _way(route: Heard) -> str:
    return "Tunnel" if route.link is None else "ExpressRoute"


def _why_not(route: Heard, best: Heard) -> str:
    if route.weight < best.weight:
        return f"weight {route.weight} is less than {best.weight}"
    if len(route.as_path) > len(best.as_path):
        return f"AS path of {len(route.as_path)} is longer than {len(best.as_path)}"
    return "equal, beyond the four circuits that share traffic"


def _row(world: World, routes: Sequence[Heard], kind: str) -> EffectiveRoute:
    hops = tuple(dict.fromkeys(hop for route in routes for hop in route.next_hops))
    named = [route.link[0] if route.link is not None else route.connection for route in routes]
    return EffectiveRoute(
        source="BGP",
        state=RouteState.ACTIVE.value,
        address_prefix=routes[0].prefix,
        next_hop_type=kind,
        next_hop_ip_addresses=hops,
        name=labels(world, named),
        by=named[0] or None,
    )


def _by_site(world: World, site: Site, address: Address) -> tuple[tuple[Offer, ...], Choice]:
    table = site_table(world, site)
    best, matching = table.best(address), table.all(address)
    if not best:
        own = "the site's own prefix is as long"
        return (), Choice(chosen=None, passed_over=tuple(_passed(world, group, own) for group in _grouped(matching)))
    rest = [offer for offer in matching if offer not in best]
    passed = tuple(_passed(world, group, _less(group[0], best[0])) for group in _grouped(rest))
    return best, Choice(chosen=_offer_row(world, best), passed_over=passed)


def _grouped(offers: Iterable[Offer]) -> list[list[Offer]]:
    found: dict[tuple[object, ...], list[Offer]] = {}
    for offer in offers:
        found.setdefault((offer.prefix, offer.router, offer.link[0], offer.as_path), []).append(offer)
    return list(found.values())


def _passed(world: World, offers: Sequence[Offer], reason: str) -> PassedOver:
    return PassedOver(route=_offer_row(world, offers), reason=reason)


def _less(offer: Offer, best: Offer) -> str:
    if offer.prefix.prefixlen < best.prefix.prefixlen:
        return "shorter prefix"
    if offer.local_preference < best.local_preference:
        return f"local preference {offer.local_preference} is less than {best.local_preference}"
    if len(offer.as_path) > len(best.as_path):
        return f"AS path of {len(offer.as_path)} is longer than {len(best.as_path)}"
    return f"MED {offer.med} is more than {best.med}"


def _offer_row(world: World, offers: Sequence[Offer]) -> EffectiveRoute:
    return EffectiveRoute(
        source="BGP",
        state=RouteState.ACTIVE.value,
        address_prefix=offers[0].prefix,
        next_hop_type="ExpressRoute",
        name=labels(world, (offer.link[0] for offer in offers)),
        by=offers[0].link[0],
    )
