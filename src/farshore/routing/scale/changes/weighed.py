"""A connection's weight changed, or the connection gone, and proven again: its gateway's islands are counted again, and
nothing else is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from farshore.routing.scale.answers import Answers
from farshore.routing.scale.changes.proven import Difference, Proven
from farshore.routing.scale.egress import Gateway, rank_of
from farshore.routing.scale.outcomes import WORDS
from farshore.routing.scale.tally import Counts


def weighed(proven: Proven, connection: str, weight: int) -> Difference | None:
    """What comes of a connection, by lower-case id, having another weight. None where there is no such thing."""
    model = proven.reach.model
    found = np.zeros((len(proven.elements) + 1, len(WORDS)), dtype=np.int64)
    touched = [number for number, gateway in enumerate(model.gateways) if connection in gateway.connections]
    if not touched:
        # None of a site's routers is on its circuit, or it is no gateway's: nothing is heard over it.
        return found if connection in model.world.index.connections else None
    gateways = list(model.gateways)
    for number in touched:
        gateways[number] = _weighed(gateways[number], connection, weight)
    answers = Answers(replace(model, gateways=tuple(gateways)))
    for number, island in enumerate(proven.reach.islands):
        if not set(touched).isdisjoint(island.gateways):
            counts = model.units.count[island.units].astype(np.int64)
            known: dict[tuple[object, ...], Counts] = {}
            for moment in proven.moments[number]:
                after = proven.reach.tallied(number, moment.condition, moment.ways_in, answers, known)
                before = proven.reach.count(number, moment.condition)
                if after is not before:
                    found[moment.who] += counts @ (after - before)
    return found


def disconnected(proven: Proven, connection: str) -> Difference | None:
    """What comes of a connection, by lower-case id, being there no more. None where there is no such thing, and where
    its gateway then speaks no more while what it said and what a site says collide."""
    reach, model = proven.reach, proven.reach.model
    found = np.zeros((len(proven.elements) + 1, len(WORDS)), dtype=np.int64)
    if connection not in model.world.index.connections:
        return None
    touched = [number for number, gateway in enumerate(model.gateways) if connection in gateway.connections]
    if any(
        set(model.gateways[number].connections) == {connection} and bool(model.gateways[number].mute.any())
        for number in touched
    ):
        return None
    for number, island in enumerate(reach.islands):
        counts = model.units.count[island.units].astype(np.int64)
        for moment in proven.moments[number] if not set(touched).isdisjoint(island.gateways) else ():
            heard = list(moment.condition.heard)
            for gateway in touched:
                over = np.array([key == connection for key in model.gateways[gateway].connections], dtype=bool)
                heard[gateway] = heard[gateway] & ~over
            after = reach.count(number, replace(moment.condition, heard=tuple(heard)))
            found[moment.who] += counts @ (after - reach.count(number, moment.condition))
    return found


def _weighed(gateway: Gateway, connection: str, weight: int) -> Gateway:
    """A gateway with another weight on one connection."""
    rank = gateway.rank.copy()
    for column, key in enumerate(gateway.connections):
        if key == connection:
            session = gateway.sessions.all[int(gateway.columns[column])]
            rank[column] = rank_of(weight, session.router.prepend)
    return gateway.ranking(rank)
