"""The states that are built: an estate as it is, with something failed, or at a cut of a plan.

Two states are the same where the same hosts, wires, routes and rules stand for them: the blueprint is the forwarding
state. A plan's moments are drawn from the proof's own slices, so that each machine is seen on its way, and from one
order of all steps, so that all are seen together; each as it is, and with one thing failed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from farshore.arm.json import fingerprint
from farshore.cli.failing import failed, like
from farshore.errors import InputError
from farshore.estate.estate import Estate

if TYPE_CHECKING:
    from farshore.plan.model import Plan
    from farshore.prove.cuts import Poset
    from farshore.routing import Element
    from farshore.twin.blueprint import Blueprint


@dataclass(frozen=True)
class State:
    """One state, with the name that a person knows it by."""

    name: str
    estate: Estate
    blueprint: Blueprint


def as_it_is(estate: Estate, names: Sequence[str]) -> State:
    """The estate, with what has failed."""
    from farshore.twin.blueprint import blueprint_of

    after = failed(estate, names)
    name = "as it is" if not names else f"{', '.join(names)} failed"
    return State(name, after, blueprint_of(after))


def at_cut(estate: Estate, plan: Plan, step: str, names: Sequence[str]) -> State:
    """The moment in which one step and all that it comes after are done. Raises `InputError` for an unknown step."""
    from farshore.prove.cuts import poset_of
    from farshore.twin.blueprint import blueprint_of

    poset = poset_of(plan, estate)
    if step not in poset.bits:
        raise InputError("The plan has no such step or event", value=step, expected=like(step, list(poset.bits)))
    bits = poset.closure(poset.bits[step] | poset.beneath[step])
    after = failed(_world(estate, plan, poset, bits), names)
    more = "".join(f", {name} failed" for name in names)
    return State(f"{step} done{more}", after, blueprint_of(after))


def of_plan(estate: Estate, plan: Plan, most: int, seed: int) -> Iterator[State]:
    """Distinct states of a plan, at most so many: by the seed, half of them with nothing failed if there are enough."""
    from farshore.routing import elements
    from farshore.twin.blueprint import blueprint_of

    chance = random.Random(seed)
    moments = list(_moments(estate, plan))
    chance.shuffle(moments)
    seen: set[str] = set()

    def new(name: str, after: Estate) -> State | None:
        blueprint = blueprint_of(after)
        key = fingerprint(blueprint.plan)
        if key in seen:
            return None
        seen.add(key)
        return State(name, after, blueprint)

    cold = []
    for name, after in moments:
        state = new(name, after)
        if state is not None:
            cold.append((name, after))
            yield state
            if len(seen) >= max(1, most // 2):
                break
    pairs: list[tuple[str, Estate, Element]] = [
        (name, after, element) for name, after in cold for element in elements(after)
    ]
    chance.shuffle(pairs)
    for name, after, element in pairs:
        if len(seen) >= most:
            return
        down = after.outside.down | element.down
        state = new(f"{name}, {element} failed", after.with_outside(replace(after.outside, down=down)))
        if state is not None:
            yield state


def _moments(estate: Estate, plan: Plan) -> Iterator[tuple[str, Estate]]:
    from farshore.plan.effects import start
    from farshore.prove.cuts import LIMIT, explore, poset_of
    from farshore.prove.forwarding import Worlds
    from farshore.prove.slices import Slices

    poset = poset_of(plan, estate)
    worlds = Worlds(start(estate, plan), poset)
    slices = Slices(plan, poset)
    seen = set()

    def named(bits: int, world: int) -> tuple[str, Estate]:
        ids = poset.ids(bits)
        return (f"{ids[-1]} done" if ids else "as it is"), worlds[world].estate

    world = worlds.first
    done = 0
    yield named(0, world)
    for index in range(len(poset.nodes)):
        if poset.all >> index & 1:
            world, done = worlds.advance(world, index), done | 1 << index
            seen.add(world)
            yield named(done, world)
    for machine in plan.machines:
        part = slices.of(machine.id.key)
        for moment, world in explore(poset, part.bits, worlds.first, worlds.advance, LIMIT).moments:
            if world not in seen:
                seen.add(world)
                yield named(moment.done, world)


def _world(estate: Estate, plan: Plan, poset: Poset, bits: int) -> Estate:
    from farshore.plan.effects import apply, start
    from farshore.prove.cuts import members

    world = start(estate, plan)
    for index in members(bits):
        world = apply(world, poset.nodes[index].effects)
    return world.estate
