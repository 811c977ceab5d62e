"""The order in which things are undone: the plan's own, turned round.

A run's plan was proven at every downward-closed set of its steps. Whoever undoes them from the top passes through
such sets again: what was safe on the way up is safe on the way down. (That holds as far as an undoing is exact, and
the way back is proven by itself besides.)

So of two things, the one that a later step brought about is undone first, wherever the plan says later. What several
steps have written counts as late as the last of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from farshore.plan.abandon.values import Undo
from farshore.plan.draft import Draft
from farshore.plan.model import Event, Plan, Step, order


def undo(draft: Draft, plan: Plan, undos: Iterable[Undo]) -> None:
    """Add the steps of all undos to the draft, in turned order."""
    places = {id_: index for index, id_ in enumerate(order(plan.steps, plan.events))}
    below = _below(plan, places)
    latest = sorted(undos, key=lambda item: -_top(item, places))
    own = [_bits(item.anchors, places) for item in latest]
    under = [_union(below[id_] for id_ in item.anchors) for item in latest]
    added: list[str] = []
    closed: list[int] = []
    for index, item in enumerate(latest):
        before = [
            other
            for other in range(index)
            if own[index] & under[other] and _top(latest[other], places) > _top(item, places)
        ]
        direct = [one for one in before if not any(closed[other] >> one & 1 for other in before if other != one)]
        closed.append(_union([1 << one for one in before] + [closed[one] for one in before]))
        added.append(item.add(draft, [added[one] for one in direct]))


def _below(plan: Plan, places: Mapping[str, int]) -> dict[str, int]:
    """For each step and event the places of all that it comes after."""
    both: Sequence[Step | Event] = (*plan.steps, *plan.events)
    found: dict[str, int] = {}
    for node in sorted(both, key=lambda item: places[item.id]):
        found[node.id] = _union(found[before] | 1 << places[before] for before in node.after)
    return found


def _top(item: Undo, places: Mapping[str, int]) -> int:
    return max(places[id_] for id_ in item.anchors)


def _bits(ids: Iterable[str], places: Mapping[str, int]) -> int:
    return _union(1 << places[id_] for id_ in ids)


def _union(bits: Iterable[int]) -> int:
    found = 0
    for one in bits:
        found |= one
    return found
