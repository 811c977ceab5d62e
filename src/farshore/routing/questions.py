"""The library's questions as functions of an estate, for whoever asks one and goes on."""

from __future__ import annotations

from farshore.arm.ids import ResourceId
from farshore.estate.estate import Estate
from farshore.routing.context import routing_of
from farshore.routing.values import BgpRoute, EffectiveRoute, Flow, Trace


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


def unread(estate: Estate, id_: ResourceId | str) -> tuple[str, ...]:
    """What the tables of a NIC, subnet, gateway, Route Server or circuit hang on and nobody can read; empty where
    everything can be."""
    return routing_of(estate).unread(id_)


def trace(estate: Estate, flow: Flow) -> tuple[Trace, Trace]:
    """A flow's way, and its reply's."""
    return routing_of(estate).trace(flow)


def trace_one_way(estate: Estate, flow: Flow) -> Trace:
    """A flow's way, one direction."""
    return routing_of(estate).trace_one_way(flow)
