"""A flow and its reply.

The reply is a flow of its own: it starts where the first one ended, by the taker's own table, and nothing leads it back
the way it came. Only security groups remember: a NIC that the flow passed lets the reply pass (R43).

What left for the internet took a public address on the way, from the last appliance that it passed, or from Azure where
it passed none: the reply comes to that one, and goes on by its table. What nobody took has no reply, and nobody on the
internet takes what goes to a private address. Where any member of a load balancer's pool may have taken it, each
replies, and the worst of that counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from farshore.arm.ids import ResourceId
from farshore.routing.hops import shared
from farshore.routing.places import holders_of
from farshore.routing.prefixes import is_public
from farshore.routing.values import Disposition, Flow, Hop, Trace
from farshore.routing.walk import trace_one_way

if TYPE_CHECKING:
    from farshore.routing.world import World


def both_ways(world: World, flow: Flow) -> tuple[Trace, Trace]:
    """A flow's way, and its reply's."""
    forward = trace_one_way(world, flow)
    passed = frozenset(_record(hop) for hop in forward.hops)
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
        if forward.hops[-1].kind == "endpoint":
            return forward, _same_way_back(forward, replace(reply, source=forward.delivered_to.text))
        return forward, _of_all(forward.hops[-1], partial(_from_taker, world, forward, reply, passed))
    answered = forward.disposition == Disposition.LEFT_ESTATE and is_public(flow.destination_address)
    if answered and forward.hops[-1].kind in ("internet", "endpoint"):
        last = next((hop for hop in reversed(forward.hops) if hop.kind == "appliance"), None)
        if last is None:
            return forward, _same_way_back(forward, reply)
        return forward, _of_all(last, partial(_from_outside, world, forward, reply, passed, last))
    because = f"the flow was not taken ({forward.disposition}), so nobody replies"
    return forward, Trace(flow=reply, hops=(), disposition=Disposition.NO_MACHINE, because=because)


def _record(hop: Hop) -> str:
    """By what a reply is known there: the NIC, or the frontend that leads it to the member that the flow came to."""
    return hop.hashed_by or (hop.id.key if isinstance(hop.id, ResourceId) else "")


def _of_all(hop: Hop, reply: Callable[[ResourceId | None], Trace]) -> Trace:
    """The reply from a hop: from any member where a load balancer has several."""
    own = hop.id if isinstance(hop.id, ResourceId) else None
    if not hop.front or not hop.others:
        return reply(own)
    members = [id_ for id_ in (own, *hop.others) if id_ is not None]
    ends = [reply(id_) for id_ in members]
    return shared(ends, [id_.name for id_ in members], hop.front.rpartition("/")[2], ())


def _from_taker(world: World, forward: Trace, reply: Flow, passed: frozenset[str], taken: ResourceId | None) -> Trace:
    """The reply of the machine that took it."""
    assert taken is not None, "a machine has an id"
    nic = world.index.nics.get(taken.key)
    held = () if nic is None else tuple(holders_of(nic))
    named = [holder for holder in held if holder.address == forward.flow.destination_address]
    start = next(iter((*named, *held)), None)
    return trace_one_way(world, replace(reply, source=taken.text), established=passed | {taken.key}, start=start)


def _from_outside(
    world: World, forward: Trace, reply: Flow, passed: frozenset[str], last: Hop, left_by: ResourceId | None
) -> Trace:
    """A reply from the internet comes to whoever gave the flow its public address: the last appliance on the way out,
    else the machine itself (Azure's own translation)."""
    outside = replace(forward.hops[-1], choice=None)
    nic = None if left_by is None else world.index.nics.get(left_by.key)
    holder = None if nic is None else next(iter(holders_of(nic)), None)
    if holder is None:
        return _same_way_back(forward, reply)
    rest = trace_one_way(world, reply, established=passed | {holder.nic.id.key}, start=holder)
    begin = replace(last, choice=rest.hops[0].choice if rest.hops else None)
    return replace(rest, hops=(outside, begin, *rest.hops[1:]))


def _same_way_back(forward: Trace, reply: Flow) -> Trace:
    hops = tuple(replace(hop, choice=None) for hop in reversed(forward.hops))
    first = forward.hops[0]
    taken = first.id if isinstance(first.id, ResourceId) else None
    because = "the reply of a flow that left comes back the way it went"
    return Trace(flow=reply, hops=hops, disposition=Disposition.DELIVERED, because=because, delivered_to=taken)
