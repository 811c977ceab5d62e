"""An appliance turned off or on (R25), and proven again: who works at the next hops that it may stand at is asked of
the estate after the change, under each failure, and its islands are counted again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from farshore.arm.json import Body
from farshore.estate.estate import Change, Estate
from farshore.routing.scale.changes.proven import Difference, Proven
from farshore.routing.scale.columns import powered
from farshore.routing.scale.conditions import silence_of
from farshore.routing.scale.outcomes import WORDS
from farshore.routing.scale.targets import State, state_of
from farshore.routing.world import World


def turned_appliance(proven: Proven, key: str, body: Body) -> Difference | None:
    """What comes of a machine that forwards, by lower-case id, having the power that a body says. None where the body
    says other NICs."""
    reach, model = proven.reach, proven.reach.model
    known = model.world.index.machines.get(key)
    nics, on = powered(body)
    if known is None or {id_.key for id_ in known.network_interfaces} != nics:
        return None
    down = [model.world.outside.down | failed for failed in (frozenset(), *(item.down for item in proven.elements))]
    mine = model.units.appliance == model.appliances.index(key)
    runs = np.where(mine, on and key not in model.world.outside.stopped, model.units.runs)
    told = replace(model, units=replace(model.units, runs=runs))
    targets = [target for target, members in enumerate(model.members) if key in members]
    states = _states(proven, _powered(model.columns.skeleton, key, on), targets, down)
    found = np.zeros((len(proven.elements) + 1, len(WORDS)), dtype=np.int64)
    for number, island in enumerate(reach.islands):
        if set(targets).isdisjoint(island.targets) and not mine[island.units].any():
            continue
        counts = model.units.count[island.units].astype(np.int64)
        for moment in proven.moments[number]:
            before = reach.count(number, moment.condition)
            for who in moment.who:
                held = list(moment.condition.states)
                for target, state in zip(targets, states[who], strict=True):
                    held[target] = state
                condition = replace(moment.condition, states=tuple(held), silence=silence_of(told, down[who]))
                found[who] += counts @ (reach.count(number, condition) - before)
    return found


def _powered(skeleton: Estate, key: str, on: bool) -> Estate:
    known = skeleton.resources[key]
    view = {"statuses": [{"code": f"PowerState/{'running' if on else 'deallocated'}"}]}
    return skeleton.with_changes([Change(put={**known, "properties": {**known["properties"], "instanceView": view}})])


def _states(
    proven: Proven, after: Estate, targets: Sequence[int], down: Sequence[frozenset[str]]
) -> list[tuple[State, ...]]:
    """With nothing failed and under each element: who works at each of the targets."""
    model = proven.reach.model
    found = []
    for held in down:
        world = World(after.with_outside(replace(after.outside, down=held)))
        found.append(tuple(state_of(world, model.networks, model.targets[target]) for target in targets))
    return found
