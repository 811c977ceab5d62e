"""A flow and its reply.

The reply is a flow of its own: it starts where the first one ended, by the taker's own table, and nothing leads it back
the way it came. Only security groups remember: a NIC that the flow passed lets the reply pass (R43).

What left for the internet took a public address on the way, from the last appliance that it passed, or from Azure where
it passed none: the reply comes to that one, and goes on by its table. What nobody took has no reply, and nobody on the
internet takes what goes to a private address.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from farshore.arm.ids import ResourceId
from farshore.routing.index import Holder
from farshore.routing.places import holders_of
from farshore.routing.prefixes import is_public
from farshore.routing.values import Disposition, Flow, Trace
from farshore.routing.walk import trace_one_way

if TYPE_CHECKING:
    from farshore.routing.world import World


def both_ways(world: World, flow: Flow) -> tuple[Trace, Trace]:
    """A flow's way, and its reply's."""
    forward = trace_one_way(world, flow)
    passed = frozenset(hop.id.key for hop in forward.hops if isinstance(hop.id, ResourceId))
    reply = Flow(
        source=forward.hops[-1].name if forward.hops else flow.source,
        source_address=flow.destination_address,
        destination_address=flow.source_address,
        protocol=flow.protocol,
        destination_port=flow.source_port,
        source_port=flow.destination_port,
    )
    if forward.disposition in (Disposition.DELIVERED, Disposition.STALE):
        if forward.delivered_to is None:
            return forward, trace_one_way(world, reply, established=passed)
        reply = replace(reply, source=forward.delivered_to.text)
        if forward.hops[-1].kind == "endpoint":
            return forward, _same_way_back(forward, reply)
        return forward, trace_one_way(world, reply, established=passed, start=_taker(world, forward))
    answered = forward.disposition == Disposition.LEFT_ESTATE and is_public(flow.destination_address)
    if answered and forward.hops[-1].kind in ("internet", "endpoint"):
        return forward, _from_outside(world, forward, reply, passed)
    because = f"the flow was not taken ({forward.disposition}), so nobody replies"
    return forward, Trace(flow=reply, hops=(), disposition=Disposition.NO_MACHINE, because=because)


def _taker(world: World, forward: Trace) -> Holder | None:
    nic = None if forward.delivered_to is None else world.index.nics.get(forward.delivered_to.key)
    held = () if nic is None else tuple(holders_of(nic))
    named = [holder for holder in held if holder.address == forward.flow.destination_address]
    return next(iter((*named, *held)), None)


def _from_outside(world: World, forward: Trace, reply: Flow, passed: frozenset[str]) -> Trace:
    """A reply from the internet comes to whoever gave the flow its public address: the last appliance on the way out,
    else the machine itself (Azure's own translation)."""
    last = next((hop for hop in reversed(forward.hops) if hop.kind == "appliance"), None)
    outside = replace(forward.hops[-1], choice=None)
    nic = None if last is None or not isinstance(last.id, ResourceId) else world.index.nics.get(last.id.key)
    holder = None if nic is None else next(iter(holders_of(nic)), None)
    if last is None or holder is None:
        return _same_way_back(forward, reply)
    rest = trace_one_way(world, reply, established=passed, start=holder)
    begin = replace(last, choice=rest.hops[0].choice if rest.hops else None)
    return replace(rest, hops=(outside, begin, *rest.hops[1:]))


def _same_way_back(forward: Trace, reply: Flow) -> Trace:
    hops = tuple(replace(hop, choice=None) for hop in reversed(forward.hops))
    first = forward.hops[0]
    taken = first.id if isinstance(first.id, ResourceId) else None
    because = "the reply of a flow that left comes back the way it went"
    return Trace(flow=reply, hops=hops, disposition=Disposition.DELIVERED, because=because, delivered_to=taken)
