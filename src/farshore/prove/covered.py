"""A run against its proof: was every state that this cut can be in among the moments that were looked at?

A cut is what is done, what is under way, and what has happened. Each slice (`slices.py`) sees its own part of it; a
step under way may have taken effect or not, and one that may fail (D62) may be behind us without effect. A cut is
covered when for each slice every one of these moments has its key in `Proof.enumerated`. A cut that the plan's order
does not allow has no keys, and is not covered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations

from farshore.plan.model import Plan
from farshore.prove.cuts import Moment, poset_of, states_of
from farshore.prove.slices import Slice, Slices
from farshore.prove.values import Cut, Proof

MOST_IN_PAIRS = 40
"""Among more machines only single slices are checked: an allowed cut leaves an allowed moment in every pair."""


def covered(
    proof: Proof, plan: Plan, done: Iterable[str], under_way: Iterable[str] = (), events: Iterable[str] = ()
) -> bool:
    """Whether every state that this cut can be in was among the moments that the proof looked at.

    `done` holds ids of steps (one that failed as the plan allows is done too), `under_way` those begun and not known
    to have ended, `events` those that have happened.
    """
    return _coverage(proof, plan).holds(done, under_way, events)


def uncovered_cut(proof: Proof, plan: Plan, cut: Cut) -> str | None:
    """A sentence that says which cut was not looked at; None where it was."""
    if _coverage(proof, plan).holds(cut.done, cut.under_way):
        return None
    going = f" with {', '.join(sorted(cut.under_way))} under way" if cut.under_way else ""
    last = [node.id for nodes in (plan.steps, plan.events) for node in nodes if node.id in cut.done]
    done = f"{len(cut.done)} steps and events done" + (f" (the last in the plan's order {last[-1]})" if last else "")
    return f"The run passed a moment that the proof had not looked at: {done}{going}"


def key_of(
    plan: Plan, done: Iterable[str], under_way: Iterable[str] = (), events: Iterable[str] = ()
) -> frozenset[str]:
    """The keys of one cut of a plan: one for each slice of a machine and of a pair, each choice of what the steps
    under way have already done, each outcome of a step that may fail. Empty where this is no cut of the plan."""
    slices = Slices(plan, poset_of(plan))
    cut = (frozenset(done) | frozenset(events), frozenset(under_way))
    return frozenset(part.key(moment) for part in _every(plan, slices) for moment in _moments(slices, part, *cut))


class Coverage:
    """`covered` for many cuts of one plan: what is computed once is kept."""

    def __init__(self, proof: Proof, plan: Plan) -> None:
        self.proof = proof
        self.plan = plan
        self._slices = Slices(plan, poset_of(plan))
        # A pair of machines that no objective joins was not looked at as a pair, and need not be.
        shapes = {key.partition(":")[0] for key in proof.enumerated}
        self._parts = [part for part in _every(plan, self._slices) if len(part.machines) < 2 or part.shape in shapes]

    def holds(self, done: Iterable[str], under_way: Iterable[str] = (), events: Iterable[str] = ()) -> bool:
        finished, begun = frozenset(done) | frozenset(events), frozenset(under_way)
        for part in self._parts:
            keys = {part.key(moment) for moment in _moments(self._slices, part, finished, begun)}
            if not keys or not keys <= self.proof.enumerated:
                return False
        return True


_latest: list[Coverage] = []


def _coverage(proof: Proof, plan: Plan) -> Coverage:
    """The coverage of a proof, the same while the same proof is asked about."""
    if not _latest or _latest[0].proof is not proof or _latest[0].plan is not plan:
        _latest[:] = [Coverage(proof, plan)]
    return _latest[0]


def _every(plan: Plan, slices: Slices) -> list[Slice]:
    machines = [machine.id.key for machine in plan.machines]
    singles = [slices.of(), *map(slices.of, machines)]
    if len(machines) > MOST_IN_PAIRS:
        return singles
    return [*singles, *(slices.of(*pair) for pair in combinations(machines, 2))]


def _moments(slices: Slices, part: Slice, done: frozenset[str], under_way: frozenset[str]) -> Iterator[Moment]:
    return states_of(slices.poset, done, under_way, (), part.bits)
