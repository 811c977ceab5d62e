"""The effective route table of a subnet: every row that applies, and its state (R1 to R23, measured where not told).

Three sources are laid over each other, prefix by prefix:

    Default                 system routes (system.py)
    VirtualNetworkGateway   what the network's gateways or Route Servers learned, or those of the peered network whose
                            gateway it uses; none of it where the subnet's table has disableBgpRoutePropagation (R23)
    User                    the routes of the subnet's route table

Where a prefix occurs twice (R15):
* a User row makes the others Invalid, and they stay listed;
* a VirtualNetworkGateway row *replaces* Internet and the reserved None rows, nothing Invalid is left, and is not listed
  at all when it equals or lies inside the own or a peered address space (R14: it could never win);
* a reserved None row never shows as Invalid: what equals it takes its place (R3);
* a service endpoint's rows are always Active (R14);
* a private endpoint's row becomes Invalid under any User row but 0/0 that contains it, where its subnet's network
  policies say so (R49).

And 0.0.0.0/0 is special: taken by a User row to an appliance or a gateway, or by BGP, it removes all reserved None rows
(R3, R4), so that unknown private destinations follow it. With next hop None or Internet they stay.

Rows of a NIC are those of its subnet; a family in which the NIC has no address is not shown (R10a).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from farshore.arm.decode import Address, Network
from farshore.arm.network import NextHopType, Route, RouteTable
from farshore.routing.prefixes import inside, within
from farshore.routing.values import EffectiveRoute, RouteSource, RouteState

KEEPS_RESERVED = frozenset({NextHopType.NONE.value.lower(), NextHopType.INTERNET.value.lower()})
"""Next hops of a 0/0 route that leave the reserved None rows in place (R3)."""

OWN_OR_PEERED = frozenset({NextHopType.VNET_LOCAL, NextHopType.VNET_PEERING, NextHopType.VNET_GLOBAL_PEERING})


def effective(
    system: Iterable[EffectiveRoute],
    bgp: Iterable[EffectiveRoute],
    user: Iterable[EffectiveRoute],
    governed: frozenset[str] = frozenset(),
) -> tuple[EffectiveRoute, ...]:
    """The three sources laid over each other; rows in the order Default, VirtualNetworkGateway, User. `governed`: the
    private endpoints that user-defined routes may override."""
    defaults = list(system)
    users = _one_a_prefix(user)
    shielded = [row.address_prefix for row in defaults if row.next_hop_type in OWN_OR_PEERED]
    learned = [row for row in bgp if not within(row.address_prefix, shielded)]
    by_user = {row.address_prefix: row for row in users if row.state == RouteState.ACTIVE}
    by_bgp = {row.address_prefix for row in learned}
    drops_reserved = {
        prefix.version
        for prefix, row in by_user.items()
        if prefix.prefixlen == 0 and row.next_hop_type.lower() not in KEEPS_RESERVED
    } | {prefix.version for prefix in by_bgp if prefix.prefixlen == 0}

    found: list[EffectiveRoute] = []
    for row in defaults:
        prefix = row.address_prefix
        if row.next_hop_type == NextHopType.NONE and prefix.prefixlen > 0:
            if prefix not in by_user and prefix not in by_bgp and prefix.version not in drops_reserved:
                found.append(row)
        elif row.next_hop_type == NextHopType.INTERNET and prefix in by_bgp:
            continue
        elif _overridden(row, by_user, governed):
            found.append(replace(row, state=RouteState.INVALID.value))
        else:
            found.append(row)
    for row in learned:
        taken = row.address_prefix in by_user
        found.append(replace(row, state=RouteState.INVALID.value) if taken else row)
    return (*found, *users)


def _overridden(row: EffectiveRoute, by_user: Mapping[Network, EffectiveRoute], governed: frozenset[str]) -> bool:
    """Whether User rows make a system row Invalid."""
    prefix = row.address_prefix
    if row.next_hop_type == NextHopType.VIRTUAL_NETWORK_SERVICE_ENDPOINT:
        return False
    if row.next_hop_type == NextHopType.INTERFACE_ENDPOINT:
        return row.by in governed and any(outer.prefixlen > 0 and inside(prefix, outer) for outer in by_user)
    return prefix in by_user


def user_routes(
    table: RouteTable | None, service_prefixes: Mapping[str, tuple[Network, ...]]
) -> tuple[list[EffectiveRoute], tuple[str, ...]]:
    """The rows of a route table, and the service tags in it whose prefixes nobody has told us (R18)."""
    if table is None:
        return [], ()
    tags = {name.lower(): prefixes for name, prefixes in service_prefixes.items()}
    rows: list[EffectiveRoute] = []
    unknown = []
    for route in table.routes:
        if not isinstance(route.address_prefix, str):
            rows.append(_user(route, route.address_prefix, table))
    for route in sorted(table.routes, key=_tag_rank):
        if isinstance(route.address_prefix, str):
            known = tags.get(route.address_prefix.lower())
            if known is None:
                unknown.append(route.address_prefix)
            rows += [_user(route, prefix, table) for prefix in known or ()]
    return rows, tuple(unknown)


def of_families(rows: Iterable[EffectiveRoute], families: frozenset[int]) -> tuple[EffectiveRoute, ...]:
    return tuple(row for row in rows if row.address_prefix.version in families)


def _user(route: Route, prefix: Network, table: RouteTable) -> EffectiveRoute:
    hop = route.next_hop_ip_address
    hops: tuple[Address, ...] = route.next_hop_ip_addresses if hop is None else (hop,)
    return EffectiveRoute(
        source=RouteSource.USER.value,
        state=RouteState.ACTIVE.value,
        address_prefix=prefix,
        next_hop_type=_spelled(route.next_hop_type),
        next_hop_ip_addresses=hops,
        name=route.name,
        by=table.id.text,
    )


_SPELLING = {kind.value.lower(): kind.value for kind in NextHopType}


def _spelled(kind: str) -> str:
    """Azure's own case, whatever the table says (R7)."""
    return _SPELLING.get(kind.lower(), kind)


def _tag_rank(route: Route) -> tuple[int, str]:
    """R18: regional tag, then global tag, then AzureCloud.<region>, then AzureCloud."""
    tag = str(route.address_prefix).lower()
    cloud, regional = tag.split(".")[0] == "azurecloud", "." in tag
    return (2 if cloud else 0) + (0 if regional else 1), tag


def _one_a_prefix(rows: Iterable[EffectiveRoute]) -> list[EffectiveRoute]:
    """The first row of each prefix stays Active: an explicit prefix comes before a tag, tags in their order (R18)."""
    seen: set[Network] = set()
    found = []
    for row in rows:
        found.append(replace(row, state=RouteState.INVALID.value) if row.address_prefix in seen else row)
        seen.add(row.address_prefix)
    return found
