"""A connection's weight changed, and proven again: its gateway's islands are counted again, and nothing else is."""

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


def _weighed(gateway: Gateway, connection: str, weight: int) -> Gateway:
    """A gateway with another weight on one connection."""
    rank = gateway.rank.copy()
    for column, key in enumerate(gateway.connections):
        if key == connection:
            session = gateway.sessions.all[int(gateway.columns[column])]
            rank[column] = rank_of(weight, session.router.prepend)
    return replace(gateway, rank=rank, _held={}, _ways=[], _numbers={})
