"""From all that was found wrong to the smallest example of each kind.

The same fault shows at many moments: it comes with one step and stays until another takes it away, and it shows again
with this or that besides having failed. One counterexample is kept for each (claim, kind, objective, step that brought
it): at the moment with the least failed, then the fewest steps done; it says at how many moments the same was found.

Which step brought it: a fault at a moment comes from the moment before if it was there too, whichever step was the
last; else the last step brought it. Where several steps were last at once (each of them is needed), it is the one that
stands last in the plan's order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from farshore.plan.model import Event, Plan, Step
from farshore.prove.cuts import Moment, Poset, members
from farshore.prove.evaluation import Outcome
from farshore.prove.flows import PromisedFlow
from farshore.prove.values import Counterexample, Cut


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong at one moment."""

    claim: str
    kind: str
    flow: PromisedFlow
    failed: tuple[str, ...]
    outcome: Outcome
    exempt: bool = False

    @property
    def signature(self) -> object:
        """What makes it the same fault at another moment."""
        return self.claim, self.kind, self.flow, self.failed


@dataclass(slots=True)
class _Case:
    moment: Moment
    fault: Fault
    after: str
    moments: set[Moment] = field(default_factory=set)


class Collector:
    """Faults, as they are found: moments in the order of how much is done, slice by slice."""

    def __init__(self, plan: Plan, poset: Poset) -> None:
        self._plan = plan
        self._poset = poset
        items: tuple[Step | Event, ...] = (*plan.steps, *plan.events)
        self._items: Mapping[str, Step | Event] = {item.id: item for item in items}
        self._brought: dict[Moment, dict[object, str]] = {}
        self._cases: dict[tuple[str, str, str, str], _Case] = {}

    def begin(self) -> None:
        """A new slice: moments begin again."""
        self._brought = {}

    def see(self, moment: Moment, faults: Iterable[Fault]) -> None:
        brought = self._brought.setdefault(moment, {})
        for fault in faults:
            after = brought.get(fault.signature)
            if after is None:
                after = brought[fault.signature] = self._after(moment, fault.signature)
            key = (fault.claim, fault.kind, fault.flow.objective.name, after)
            case = self._cases.get(key)
            if case is None:
                case = self._cases[key] = _Case(moment, fault, after)
            elif _size(moment, fault) < _size(case.moment, case.fault):
                case.moment, case.fault = moment, fault
            case.moments.add(moment)

    def counterexamples(self) -> tuple[Counterexample, ...]:
        """The smallest of each, those that fail the proof first."""
        made = [self._made(case) for case in self._cases.values()]
        return tuple(
            sorted(made, key=lambda item: (item.exempt, item.claim != "safety", len(item.failed), len(item.cut.done)))
        )

    def _after(self, moment: Moment, signature: object) -> str:
        last: list[int] = []
        for index, before in self._predecessors(moment):
            earlier = self._brought.get(before, {}).get(signature)
            if earlier is not None:
                return earlier
            last.append(index)
        return self._poset.nodes[max(last)].id if last else ""

    def _predecessors(self, moment: Moment) -> Iterator[tuple[int, Moment]]:
        covered = 0
        for index in members(moment.done):
            covered |= self._poset.below[index]
        for index in members(moment.done & ~covered):
            bit = 1 << index
            yield index, Moment(moment.done & ~bit, moment.failed & ~bit)

    def _made(self, case: _Case) -> Counterexample:
        fault = case.fault
        return Counterexample(
            claim=fault.claim,
            kind=fault.kind,
            objective=fault.flow.objective.name,
            flow=fault.outcome.forward.flow,
            machine=", ".join(fault.flow.ends),
            cut=Cut(done=self._everything_below(case.moment)),
            after=case.after,
            failed=fault.failed,
            forward=fault.outcome.forward,
            back=fault.outcome.back,
            summary=self._summary(case),
            moments=len(case.moments),
            exempt=fault.exempt,
        )

    def _everything_below(self, moment: Moment) -> frozenset[str]:
        """The whole cut: the nodes' steps, with the steps without effects that they come after."""
        found: set[str] = set()
        stack = list(self._poset.ids(moment.done))
        while stack:
            id_ = stack.pop()
            if id_ not in found:
                found.add(id_)
                stack += self._items[id_].after
        return frozenset(found)

    def _summary(self, case: _Case) -> str:
        fault = case.fault
        if case.after:
            item = self._items[case.after]
            when = f"Once {case.after} is done ({item.title})" if isinstance(item, Step) else f"After {item.title}"
        else:
            when = "Before the first step"
        refused = self._poset.ids(case.moment.failed)
        if refused:
            when += f", {' and '.join(refused)} having failed"
        if fault.failed:
            when += f", when {' and '.join(fault.failed)} fails"
        decided = fault.outcome.verdict
        way = " (the reply)" if decided.direction == "back" else ""
        return f"{when}, {fault.outcome.forward.flow}{way} is {_WORDS.get(fault.kind, fault.kind)}: {decided.because}."


_WORDS = {
    "looped": "in a loop",
    "stale": "taken by a machine with old data",
    "wrong-owner": "taken by another machine",
    "bypass": "past the appliance",
    "unknown": "not decidable",
    "admitted": "let in",
}


def _size(moment: Moment, fault: Fault) -> tuple[bool, int, int]:
    return fault.exempt, len(fault.failed), moment.done.bit_count()
