"""One BGP route on its way, as the speakers of this package hand it on.

A `Heard` is what one speaker has been told by a neighbour. Beside what a BGP table prints it keeps who answers in the
end (`leads_to`): two routes of one prefix that lead to two networks are an ambiguity, two that lead to one are only
two ways (E40).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from farshore.arm.decode import Address, Network
from farshore.routing.values import BgpRoute

MSEE_ASN = 12076
AZURE_ASN = 65515
"""Every virtual network gateway's and Route Server's own, unless configured (E9, E20, R46)."""

Link = tuple[str, str]
"""A circuit's lower-case id, and `primary` or `secondary`."""

REACH = "reach:"
"""Before the lower-case id of the circuit by whose edge Global Reach told a route."""


class Heard(NamedTuple):
    """A named tuple, because a proof makes very many of them."""

    prefix: Network
    as_path: tuple[int, ...]
    next_hops: tuple[Address, ...]
    said_by: str
    """The neighbour: a gateway's lower-case id, `router:site/name`, `peer:address`, `reach:circuit`."""
    leads_to: str
    """Who answers: a virtual network's lower-case id, `site:name`, `peer:address`."""
    link: Link | None = None
    weight: int = 0
    connection: str = ""


def shortest(routes: Iterable[Heard]) -> tuple[Heard, ...]:
    """Those with the shortest AS path: what a speaker without further policy uses and passes on."""
    held = tuple(routes)
    length = min((len(route.as_path) for route in held), default=0)
    return tuple(route for route in held if len(route.as_path) == length)


def by_prefix(routes: Iterable[Heard]) -> dict[Network, list[Heard]]:
    found: dict[Network, list[Heard]] = {}
    for route in routes:
        found.setdefault(route.prefix, []).append(route)
    return found


def private(asn: int) -> bool:
    """RFC 6996: 64512 to 65534, and the long range."""
    return 64512 <= asn <= 65534 or 4200000000 <= asn <= 4294967294


def without_private(path: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(asn for asn in path if not private(asn))


def rows(routes: Iterable[Heard]) -> tuple[BgpRoute, ...]:
    """The printed form: one row a next hop, in the order of prefix."""
    found = [
        BgpRoute(
            network=route.prefix,
            next_hop=hop,
            as_path=route.as_path,
            weight=route.weight,
            source_peer=hop,
            by=route.connection or route.said_by,
        )
        for route in routes
        for hop in (route.next_hops or (None,))
    ]
    found.sort(key=lambda row: (row.network.version, row.network, len(row.as_path), str(row.next_hop)))
    return tuple(dict.fromkeys(found))
