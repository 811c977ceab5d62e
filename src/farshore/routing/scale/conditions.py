"""What works: all that a failure can change, before anybody asks what it changes.

    heard      by gateway, which sessions reach it over a connection that works
    states     who stands at each next hop
    silence    which units have nobody to answer, or may have nobody for all that can be read; and whether anything is
               known at all

A failure takes sessions, appliances and machines away and gives none back, so a condition under two failures is the
meet of the conditions under each; but not where both may touch one gateway's instances (E26) or one load balancer's
members: there the last one that works counts, and the pair is asked for as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from farshore.routing.failures import Deciding, Element
from farshore.routing.scale.columns import UNREAD
from farshore.routing.scale.line import Bools
from farshore.routing.scale.model import Model
from farshore.routing.scale.targets import State, state_of
from farshore.routing.world import World

Silence = npt.NDArray[np.int8]
ANSWERS, UNCLEAR, SILENT, UNTOLD = 0, 1, 2, 3
"""Of two failures the greater holds. `UNTOLD`: something is down by what nobody can read of what all hang on, so that
nothing is known, not even who is silent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """See the theory above."""

    heard: tuple[Bools, ...]
    """By gateway, over its columns (`egress.Gateway`)."""
    states: tuple[State, ...]
    """By target."""
    silence: Silence
    """By unit."""


def condition_of(model: Model, down: frozenset[str]) -> Condition:
    """The condition with some things down, by the names of `Outside.down`, beside what is down already."""
    estate = model.columns.skeleton
    outside = estate.outside
    world = model.world if not down else World(estate.with_outside(replace(outside, down=outside.down | down)))
    up = model.sessions.up(world)
    return Condition(
        heard=tuple(gateway.working(world, up, down) for gateway in model.gateways),
        states=tuple(state_of(world, model.networks, target) for target in model.targets),
        silence=silence_of(model, outside.down | down),
    )


def silence_of(model: Model, down: frozenset[str]) -> Silence:
    """Which units have nobody to answer, or may have nobody; `down`: all that is."""
    units = model.units
    found = np.where(units.runs, ANSWERS, SILENT).astype(np.int8)
    regions = {name.removeprefix("region:") for name in down if name.startswith("region:")}
    if regions:
        names = model.columns.machines.region_names
        found[np.isin(units.region, [number for number, name in enumerate(names) if name == UNREAD])] = UNCLEAR
        found[np.isin(units.region, [number for number, name in enumerate(names) if name in regions])] = SILENT
    lost = [number for number, key in enumerate(model.appliances) if key in down]
    if lost:
        found[np.isin(units.appliance, lost)] = SILENT
    outside = model.world.outside
    if outside.unknown - outside.down - down:
        # What nobody can tell about is tried both ways by a trace alone.
        found = np.maximum(found, UNCLEAR)
    if model.world.doubts.unplaced(Deciding.of(down)):
        found[:] = UNTOLD
    return found


def met(one: Condition, other: Condition, cold: Condition) -> Condition:
    """The condition under two failures that do not touch one gateway's instances or one target's members."""
    return Condition(
        heard=tuple(first & second for first, second in zip(one.heard, other.heard, strict=True)),
        states=tuple(
            second if first == usual else first
            for first, second, usual in zip(one.states, other.states, cold.states, strict=True)
        ),
        silence=np.maximum(one.silence, other.silence),
    )


def together(model: Model, one: Element, other: Element) -> bool:
    """Whether two failures must be looked at as one: see the theory above."""
    if one.kind == other.kind == "gateway-instance":
        return one.id == other.id
    touched = _members(model, one.down)
    return bool(touched) and bool(touched & _members(model, other.down))


def _members(model: Model, down: frozenset[str]) -> frozenset[int]:
    """The targets that a failure may touch."""
    return frozenset(target for target, held in enumerate(model.members) if not down.isdisjoint(held))


def differ(one: Sequence[Bools], other: Sequence[Bools]) -> list[int]:
    """Where two conditions hear different sessions, by gateway."""
    return [
        number
        for number, (first, second) in enumerate(zip(one, other, strict=True))
        if not np.array_equal(first, second)
    ]
