"""A circuit's edge: the pair of Microsoft routers (MSEE), one on each link, and what they pass on.

An MSEE hears the customer's router on its link, and every gateway that is connected to the circuit (E38: one routing
domain). It takes the shortest AS path and passes its best on:

* towards gateways, with 12076 in front. What one gateway said goes to another only where both allow it
  (`allowRemoteVnetTraffic`, E38), with 65515 turned into 12076 (R48), and of that only the gateway's own networks.
  A gateway is not told what it said itself.
* towards the customer's router, what gateways said: 12076 alone, private numbers are stripped (R48). Never what the
  other customer router said (E10).
* towards the same link of a circuit that Global Reach joins to this one, what the customer's router said, and no
  further (E46: it joins sites, two by two). There it comes after what is as short and of that edge's own neighbours,
  and is told to the customer's router like a gateway's route, and to no gateway. Its paths have not been measured.

It accepts paths that hold its own number (E48), and where two gateways say the same prefix it splits the traffic
between them (E40): nothing on one circuit decides between two networks (E47).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from farshore.arm.decode import Address, Network
from farshore.routing.bgp import AZURE_ASN, MSEE_ASN, REACH, Heard, Link, by_prefix, shortest, without_private
from farshore.routing.prefixes import LongestMatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A gateway's connection to a circuit, as far as BGP sees it."""

    connection: str
    gateway: str
    circuit: str
    weight: int
    allow_remote_vnet_traffic: bool


def _nearest(routes: tuple[Heard, ...]) -> tuple[Heard, ...]:
    """Of equals what the edge's own neighbours say, before what Global Reach brings."""
    return tuple(route for route in routes if not route.said_by.startswith(REACH)) or routes


@dataclass(frozen=True, kw_only=True)
class EdgeTable:
    """One MSEE's table."""

    link: Link
    heard: tuple[Heard, ...]
    best: dict[Network, tuple[Heard, ...]] = field(default_factory=dict)

    @staticmethod
    def of(link: Link, heard: Iterable[Heard]) -> EdgeTable:
        held = tuple(heard)
        return EdgeTable(link=link, heard=held, best={p: _nearest(shortest(r)) for p, r in by_prefix(held).items()})

    def towards_reach(self, prefix: Network, link: Link, hops: tuple[Address, ...]) -> Iterator[Heard]:
        """What the edge on the same link of a joined circuit is told of a prefix; its next hops are this edge's
        addresses."""
        for route in self.best[prefix]:
            if not route.said_by.startswith("/"):
                same = tuple(hop for hop in hops if hop.version == prefix.version)
                yield route._replace(said_by=f"{REACH}{self.link[0]}", link=link, next_hops=same)

    @cached_property
    def lookup(self) -> LongestMatch[tuple[Heard, ...]]:
        return LongestMatch(self.best.items())

    def towards_site(self) -> Iterator[Heard]:
        """What the customer's router on this link is told: one route a prefix, with all who answer for it."""
        for routes in self.best.values():
            for route in routes:
                if route.said_by.startswith(("/", REACH)):
                    yield route._replace(as_path=(MSEE_ASN, *without_private(route.as_path)), link=self.link)

    def towards(
        self, attachment: Attachment, others: Iterable[Attachment], msee: tuple[Address, ...]
    ) -> Iterator[Heard]:
        """What a connected gateway is told."""
        open_to = frozenset(
            other.gateway
            for other in others
            if other.circuit == attachment.circuit
            and other.allow_remote_vnet_traffic
            and attachment.allow_remote_vnet_traffic
        )
        for prefix, routes in self.best.items():
            if any(route.said_by == attachment.gateway or route.said_by.startswith(REACH) for route in routes):
                continue
            hops = tuple(hop for hop in msee if hop.version == prefix.version) or msee
            for route in routes:
                from_gateway = route.said_by.startswith("/")
                if from_gateway and not (route.said_by in open_to and route.as_path == (AZURE_ASN,)):
                    continue
                path = tuple(MSEE_ASN if asn == AZURE_ASN else asn for asn in route.as_path)
                yield route._replace(
                    as_path=(MSEE_ASN, *path),
                    next_hops=hops,
                    link=self.link,
                    weight=attachment.weight,
                    connection=attachment.connection,
                )
