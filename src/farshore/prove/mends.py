"""Mends for all that a proof found, such that they can be had together.

They are looked for one after the other, each on the plan with the ones before it done, and proven there: whoever does
all that is offered, in this order, has a plan in which all of it is gone. A later change may not turn round an order
that an earlier one asked for.

Where a counterexample has a mend in the plan as it stands but none beside those found before it, the two exclude each
other. Then the other way round is tried once, the excluded first; if that mends more, it is what is offered. What still
has no mend beside the others is told with the change that would mend it alone, and that it can't be had with them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from farshore.estate.estate import Estate
from farshore.plan.model import Event, Plan, Step
from farshore.prove.lost import below
from farshore.prove.mend import Mend, faults_of, place_of, search
from farshore.prove.values import Counterexample, Proof

MOST = 5
"""So many counterexamples are looked at: each takes several proofs."""


def with_mends(estate: Estate, plan: Plan, proof: Proof, most: int = MOST) -> Proof:
    """The proof with a mend for its first counterexamples, where there is one; also for the others that these take
    away."""
    failing = [item for item in proof.counterexamples if not item.exempt]
    series = _series(estate, plan, proof, failing[:most])
    if series.excluded:
        rest = [item for item in failing[:most] if item not in series.excluded]
        other = _series(estate, plan, proof, [*series.excluded, *rest])
        if len(faults_of(other.proof)) < len(faults_of(series.proof)):
            series = other
    texts = {place_of(item): text for item, text in series.texts}
    joint = "; then ".join(series.done)
    left = faults_of(series.proof)
    for item in failing:
        if series.done and place_of(item) not in left:
            texts.setdefault(place_of(item), joint)
    told = tuple(
        item if item.exempt else replace(item, mend=texts.get(place_of(item), item.mend))
        for item in proof.counterexamples
    )
    return replace(proof, counterexamples=told)


@dataclass(slots=True)
class _Series:
    """Changes done one after the other, what they come to, and what is said of each counterexample."""

    proof: Proof
    done: list[str] = field(default_factory=list)
    texts: list[tuple[Counterexample, str]] = field(default_factory=list)
    excluded: list[Counterexample] = field(default_factory=list)


def _series(estate: Estate, plan: Plan, proof: Proof, examples: Sequence[Counterexample]) -> _Series:
    series = _Series(proof)
    now = plan
    asked: set[tuple[str, str]] = set()
    for item in examples:
        # The plan as changed so far shows the same fault at a moment of its own.
        open_ = (held for held in series.proof.counterexamples if not held.exempt)
        still = next((held for held in open_ if place_of(held) == place_of(item)), None)
        if still is None:
            continue
        found = search(estate, now, still, series.proof, _keeping(frozenset(asked)))
        if found is not None:
            after = f" (once the others are done: {'; then '.join(series.done)})" if series.done else ""
            series.texts.append((item, found.text + after))
            asked |= _asked(now, found)
            now, series.proof = found.plan, found.proof
            series.done.append(found.text)
        elif series.done:
            alone = search(estate, plan, item, proof)
            if alone is not None:
                series.excluded.append(item)
                others = "; then ".join(series.done)
                series.texts.append((item, f"{alone.text}; this can't be had together with: {others}"))
    return series


def _items(plan: Plan) -> dict[str, Step | Event]:
    return {node.id: node for nodes in (plan.steps, plan.events) for node in nodes}


def _asked(before: Plan, found: Mend) -> set[tuple[str, str]]:
    """The orders, as (earlier, later), that the change asks for and the plan before it had not."""
    had, has = _items(before), _items(found.plan)
    return {
        (earlier, id_)
        for id_, item in has.items()
        for earlier in item.after
        if id_ not in had or (earlier not in had[id_].after and earlier not in below(had, id_))
    }


def _keeping(asked: frozenset[tuple[str, str]]) -> Callable[[Plan], bool]:
    return lambda changed: asked <= _orders(changed, asked)


def _orders(plan: Plan, wanted: frozenset[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of the wanted orders that the plan keeps."""
    items = _items(plan)
    return {(earlier, later) for earlier, later in wanted if later in items and earlier in below(items, later)}
