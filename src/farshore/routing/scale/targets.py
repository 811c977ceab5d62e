"""What stands at the next hops of user-defined routes, and what it makes of a packet.

A target is an address in a network: a NIC, a load balancer's frontend, an Azure Firewall. Who works there under a
failure is asked of the scalar engine (`routing.machines`); what its own subnet's table makes of every end, or of every
machine, is an array. A pool's members whose tables come to different ends make that end unknown here. Targets send to
targets: ways are followed back from where they end, one appliance a round, and what no round reaches goes in circles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from farshore.arm.decode import Address
from farshore.routing.machines import Appliance, appliance_at, exits_of
from farshore.routing.places import next_hop_unread
from farshore.routing.scale.networks import Networks
from farshore.routing.scale.outcomes import LOOPED, UNKNOWN, Codes, Outcomes
from farshore.routing.world import World


class Target(NamedTuple):
    """A next hop that exists, by number."""

    network: int
    address: Address


class State(NamedTuple):
    """What stands there under a failure. `subnets`: by which it may send on, lower-case; empty where it is dead."""

    id: str
    state_key: str
    guards: tuple[str, ...]
    """The NICs whose groups are asked, lower-case; of a pool each member's, with the frontend after `#`: a flow's
    record is on one of them alone."""
    subnets: tuple[str, ...]
    lame: bool = False
    """Whether a pool has members that forward nothing, which lose their share."""
    unread: bool = False
    """Whether nobody can tell who works there."""


DEAD = State("", "", (), ())
UNREAD = DEAD._replace(unread=True)


def state_of(world: World, networks: Networks, target: Target) -> State:
    """Who works at a target (R24, R25)."""
    found = appliance_at(world, networks.all[target.network], target.address)
    network = networks.all[target.network]
    if found.missing if isinstance(found, Appliance) else next_hop_unread(world, network):
        return UNREAD
    if not isinstance(found, Appliance):
        return DEAD
    members = found.members or (found,)
    standing = [member for member in members if member.why is None]
    subnets: dict[str, None] = {}
    for member in standing:
        exits = () if member.holder is None else exits_of(world, member.holder)
        subnets.update(dict.fromkeys([holder.subnet.key for holder in exits] or [member.subnet.key]))
    return State(
        id=found.id.key,
        state_key=found.state_key if found.stateful else "",
        guards=tuple(guard for member in standing for guard in _guards(world, member)),
        subnets=tuple(subnets),
        lame=len(standing) < len(members),
    )


def _guards(world: World, appliance: Appliance) -> Iterator[str]:
    if appliance.holder is None:
        return
    subnet = world.index.subnet(appliance.holder.subnet)
    if appliance.holder.nic.network_security_group or (subnet is not None and subnet.network_security_group):
        yield f"{appliance.id.key}#{appliance.hashed_by}" if appliance.hashed_by else appliance.id.key


Step = Callable[[str], tuple[Codes, Codes]]
"""For a subnet, over a whole axis: the outcome where its table ends a way itself, and the number of the target that it
sends to, -1 where it ends."""


def followed(states: Sequence[State], step: Step, outcomes: Outcomes, size: int, dead: int) -> list[Codes]:
    """What each target makes of everything on an axis of `size`."""
    nodes = list(dict.fromkeys(subnet for state in states for subnet in state.subnets))
    steps = {subnet: step(subnet) for subnet in nodes}
    unset = np.int16(-1)
    unknown = outcomes.simple(UNKNOWN)
    at_target = [
        np.full(size, unknown if state.unread else unset if state.subnets else dead, dtype=np.int16) for state in states
    ]
    at_subnet = {subnet: np.where(sends < 0, ends, unset).astype(np.int16) for subnet, (ends, sends) in steps.items()}
    for closing in (False, True):
        while True:
            moved = _round(states, steps, at_target, at_subnet, outcomes, dead)
            if not moved:
                break
        if not closing:
            _close(states, at_target, at_subnet, outcomes)
    return at_target


def _close(states: Sequence[State], at_target: list[Codes], at_subnet: dict[str, Codes], outcomes: Outcomes) -> None:
    """What no round reached goes in circles; unless an appliance with several NICs is part of it, which may leave the
    circle by another one."""
    doubtful = np.zeros(len(at_target[0]) if at_target else 0, dtype=bool)
    for state, codes in zip(states, at_target, strict=True):
        if len(state.subnets) > 1:
            doubtful |= codes < 0
    for codes in at_subnet.values():
        codes[(codes < 0) & doubtful] = outcomes.simple(UNKNOWN)
        codes[codes < 0] = outcomes.simple(LOOPED)


def _round(
    states: Sequence[State],
    steps: dict[str, tuple[Codes, Codes]],
    at_target: list[Codes],
    at_subnet: dict[str, Codes],
    outcomes: Outcomes,
    dead: int,
) -> bool:
    """One appliance further back; says whether anything became known."""
    moved = False
    for number, state in enumerate(states):
        if not state.subnets:
            continue
        first = at_subnet[state.subnets[0]]
        known, value = first >= 0, first
        for subnet in state.subnets[1:]:
            other = at_subnet[subnet]
            known = known & (other >= 0)
            value = np.where(other == value, value, outcomes.simple(UNKNOWN)).astype(np.int16)
        new = known & (at_target[number] < 0)
        if new.any():
            coming = outcomes.through(value[new], state.state_key, state.guards)
            at_target[number][new] = outcomes.partly_lost(coming, dead) if state.lame else coming
            moved = True
    for subnet, (_, sends) in steps.items():
        codes = at_subnet[subnet]
        for number in np.unique(sends[(sends >= 0) & (codes < 0)]).tolist():
            new = (sends == number) & (codes < 0) & (at_target[number] >= 0)
            if new.any():
                codes[new] = at_target[number][new]
                moved = True
    return moved
