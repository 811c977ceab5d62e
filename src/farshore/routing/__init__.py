"""Azure's routing as mathematics: a pure library on an `Estate`, useful on its own.

effective_routes(estate, nic_or_subnet_id)  -> tuple[EffectiveRoute, ...]   the table of R1 to R23
learned_routes(estate, id)                  -> tuple[BgpRoute, ...]         what a gateway or circuit heard
advertised_routes(estate, id, to=None)      -> tuple[BgpRoute, ...]         what it says
select(routes, address)                     -> Choice                       which row, and why not the others
trace(estate, flow)                         -> (forward, back)              both ways, with reasons
judge(forward, back)                        -> Verdict                      is that good?
elements(estate)                            -> tuple[Element, ...]          what can fail
describe(value)                             -> str                          the plain-text figure

Each takes an estate as a value and waits for nothing. Whoever asks much about one estate makes a `Routing(estate)`,
which has the same questions as methods and builds each table once.
"""

from __future__ import annotations

from farshore.arm.ids import ResourceId
from farshore.estate.estate import Estate
from farshore.routing.context import Routing, routing_of
from farshore.routing.describe import describe
from farshore.routing.failures import Element, elements
from farshore.routing.judge import Verdict, judge
from farshore.routing.select import select
from farshore.routing.values import (
    BgpRoute,
    Choice,
    Disposition,
    EffectiveRoute,
    Flow,
    Hop,
    PassedOver,
    RouteSource,
    RouteState,
    Trace,
)


def effective_routes(estate: Estate, nic_or_subnet_id: ResourceId | str) -> tuple[EffectiveRoute, ...]:
    """The effective table of a NIC or subnet. Raises `InputError` where there is no such thing."""
    return routing_of(estate).effective_routes(nic_or_subnet_id)


def learned_routes(
    estate: Estate, gateway_or_circuit_id: ResourceId | str, instance: str | None = None, peer: str | None = None
) -> tuple[BgpRoute, ...]:
    """What a gateway, Route Server or circuit has been told by its neighbours. `instance`: `primary` or `secondary` of
    a circuit; `peer`: one neighbour of a Route Server."""
    return routing_of(estate).learned_routes(gateway_or_circuit_id, instance, peer)


def advertised_routes(
    estate: Estate, gateway_or_circuit_id: ResourceId | str, to: str | None = None
) -> tuple[BgpRoute, ...]:
    """What a gateway, Route Server or circuit tells its neighbours, or the one at address `to`."""
    return routing_of(estate).advertised_routes(gateway_or_circuit_id, to)


def trace(estate: Estate, flow: Flow) -> tuple[Trace, Trace]:
    """A flow's way, and its reply's."""
    return routing_of(estate).trace(flow)


def trace_one_way(estate: Estate, flow: Flow) -> Trace:
    """A flow's way, one direction."""
    return routing_of(estate).trace_one_way(flow)


__all__ = [
    "BgpRoute",
    "Choice",
    "Disposition",
    "EffectiveRoute",
    "Element",
    "Flow",
    "Hop",
    "PassedOver",
    "RouteSource",
    "RouteState",
    "Routing",
    "Trace",
    "Verdict",
    "advertised_routes",
    "describe",
    "effective_routes",
    "elements",
    "judge",
    "learned_routes",
    "routing_of",
    "select",
    "trace",
    "trace_one_way",
]
