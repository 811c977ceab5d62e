"""A model that differs in a little from one that is known: more next hops, other tables, more sources.

Nothing that is known is copied: what is new is numbered after it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, TypeVar

from farshore.routing.scale.classes import Class, Tables
from farshore.routing.scale.model import Model, Numbered, blind_of
from farshore.routing.scale.networks import Source
from farshore.routing.scale.tables import Painted, routes_of
from farshore.routing.scale.targets import State, Target, state_of
from farshore.routing.scale.whereabouts import may_send_by, members_of
from farshore.routing.world import World

if TYPE_CHECKING:
    from farshore.routing.scale.changes.proven import Proven

T = TypeVar("T")


def with_targets(model: Model, targets: Sequence[Target]) -> Model:
    """The model with next hops that it had no need of."""
    world, networks = model.world, model.networks
    leads = [may_send_by(world, networks, target) for target in targets]
    tables = Tables(networks, model.ends, model.blocks, model.columns, {})
    places = dict(model.places)
    for subnet in {subnet for held in leads for subnet in held if subnet in model.class_of} - places.keys():
        own = model.columns.tables.get(tables.table_of(subnet))
        if own is not None:
            tables.routes[own.key], *_ = routes_of((own,), world.outside.service_prefixes)
        places[subnet] = tables.place(subnet)
    return replace(
        model,
        targets=[*model.targets, *targets],
        leads=[*model.leads, *leads],
        members=[*model.members, *(members_of(world, networks, target) for target in targets)],
        places=places,
    )


def standing(proven: Proven, targets: Sequence[Target], who: Sequence[int]) -> dict[tuple[State, ...], list[int]]:
    """Who works at new next hops, with nothing failed and under elements: by that, the conditions."""
    model = proven.reach.model
    found: dict[tuple[State, ...], list[int]] = {}
    estate, networks = model.columns.skeleton, model.networks
    for number in who:
        world, down = model.world, frozenset[str]() if number == 0 else proven.elements[number - 1].down
        if any(not down.isdisjoint(members_of(world, networks, target)) for target in targets):
            world = World(estate.with_outside(replace(estate.outside, down=estate.outside.down | down)))
        found.setdefault(tuple(state_of(world, networks, target) for target in targets), []).append(number)
    return found


def with_classes(
    model: Model, classes: Mapping[str, Class], painted: Sequence[Painted]
) -> tuple[Model, dict[str, int]]:
    """The model with other classes for some subnets, and by subnet their numbers. `painted`: what these classes' tables
    are numbered in. Its units are still of the old ones."""
    first = 1 + max((cls.table for cls in model.classes), default=-1)
    held: dict[Class, int] = {}
    for cls in classes.values():
        held.setdefault(cls._replace(table=first + cls.table), len(model.classes) + len(held))
    numbers = {subnet: held[cls._replace(table=first + cls.table)] for subnet, cls in classes.items()}
    changed = replace(
        model,
        classes=[*model.classes, *held],
        class_of={**model.class_of, **numbers},
        painted=Longer(model.painted, painted, first),
    )
    return changed, numbers


def with_sources(model: Model, sources: Sequence[Source]) -> Model:
    """The model with more sources of BGP rows."""
    if not sources:
        return model
    more = [blind_of(model.world, source, model.ends) for source in sources]
    return replace(model, sources=[*model.sources, *sources], blind=Longer(model.blind, more, len(model.sources)))


@dataclass(frozen=True, slots=True)
class Longer(Generic[T]):
    """Things by number, and more of them."""

    known: Numbered[T]
    more: Sequence[T]
    first: int

    def __getitem__(self, number: int) -> T:
        return self.known[number] if number < self.first else self.more[number - self.first]
