"""Which row of a table takes a packet (R14), and why the others don't.

1. The longest prefix that contains the destination wins.
2. Among equal prefixes: user-defined, then BGP (VirtualNetworkGateway), then system (Default).
3. The exception: system routes to the virtual network itself, to its peerings and to service endpoints are preferred
   over BGP routes *even if the BGP route is more specific*. They shield their whole prefix from BGP.
4. A service endpoint's route cannot be overridden at all, not even by a user-defined route.

Only Active rows take part. One question is open (R20): does a virtual network's row that an equal user-defined route
made Invalid still shield its prefix from BGP? We say yes, the user-defined route then owns the prefix; pass
`shield_when_overridden=False` for the other answer.

Source: Learn, "Virtual network traffic routing", sections "How Azure selects a route" and "Optional default routes".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from farshore.arm.decode import Address
from farshore.arm.network import NextHopType
from farshore.routing.prefixes import LongestMatch, covers
from farshore.routing.values import Choice, EffectiveRoute, PassedOver, RouteSource, RouteState

RANK = {RouteSource.USER: 0, RouteSource.VIRTUAL_NETWORK_GATEWAY: 1, RouteSource.DEFAULT: 2}
"""Rule 2: the lower wins."""

SHIELDS = frozenset(
    {
        NextHopType.VNET_LOCAL,
        NextHopType.VNET_PEERING,
        NextHopType.VNET_GLOBAL_PEERING,
        NextHopType.VIRTUAL_NETWORK_SERVICE_ENDPOINT,
    }
)
"""Rule 3: the system rows that BGP does not get past."""

_ENDPOINTS = frozenset({NextHopType.VIRTUAL_NETWORK_SERVICE_ENDPOINT, NextHopType.INTERFACE_ENDPOINT})
"""Rule 4. A private endpoint's row that a user-defined route may override is Invalid where one does (R49)."""


def select(routes: Iterable[EffectiveRoute], address: Address, *, shield_when_overridden: bool = True) -> Choice:
    """The row that takes a packet to `address`, with every other row that contains it and why it was passed over."""
    matching = [route for route in routes if covers(route.address_prefix, address)]
    matching.sort(key=lambda route: -route.address_prefix.prefixlen)
    return choose(matching, shield_when_overridden=shield_when_overridden)


def table(routes: Sequence[EffectiveRoute]) -> LongestMatch[EffectiveRoute]:
    """Rows prepared for many look-ups: `choose(table(rows).all(address))` equals `select(rows, address)`."""
    return LongestMatch((route.address_prefix, route) for route in routes)


def choose(matching: Sequence[EffectiveRoute], *, shield_when_overridden: bool = True) -> Choice:
    """`select` among rows that all contain the address, longest prefix first."""
    active = [route for route in matching if route.state == RouteState.ACTIVE]
    endpoints = [route for route in active if route.next_hop_type in _ENDPOINTS]
    shields = [
        route
        for route in (matching if shield_when_overridden else active)
        if route.source == RouteSource.DEFAULT and route.next_hop_type in SHIELDS
    ]
    open_to = endpoints or [
        route for route in active if not (shields and route.source == RouteSource.VIRTUAL_NETWORK_GATEWAY)
    ]
    if not open_to:
        return Choice(chosen=None, passed_over=tuple(_passed(route, None, shields) for route in matching))
    longest = max(route.address_prefix.prefixlen for route in open_to)
    chosen = min((route for route in open_to if route.address_prefix.prefixlen == longest), key=_rank)
    others = tuple(_passed(route, chosen, shields) for route in matching if route is not chosen)
    return Choice(chosen=chosen, passed_over=others)


def _rank(route: EffectiveRoute) -> int:
    return RANK.get(RouteSource(route.source), 3) if route.source in _SOURCES else 3


_SOURCES = frozenset(source.value for source in RouteSource)


def _passed(route: EffectiveRoute, chosen: EffectiveRoute | None, shields: Sequence[EffectiveRoute]) -> PassedOver:
    return PassedOver(route=route, reason=_reason(route, chosen, shields))


def _reason(route: EffectiveRoute, chosen: EffectiveRoute | None, shields: Sequence[EffectiveRoute]) -> str:
    if route.state != RouteState.ACTIVE:
        return "invalid: overridden by a route of the same prefix"
    if chosen is None:
        return f"{shields[0].next_hop_type} {shields[0].address_prefix} is preferred over BGP, and is overridden itself"
    if chosen.next_hop_type in _ENDPOINTS:
        return "an endpoint's route cannot be overridden"
    if route.source == RouteSource.VIRTUAL_NETWORK_GATEWAY and shields:
        return f"{shields[0].next_hop_type} {shields[0].address_prefix} is preferred over BGP"
    if route.address_prefix.prefixlen < chosen.address_prefix.prefixlen:
        return "shorter prefix"
    if _rank(route) > _rank(chosen):
        return f"{chosen.source} is preferred over {route.source}"
    return "equal: the traffic is shared among both"
