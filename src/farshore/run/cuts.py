"""The moments that a run passed through, from its journal: what the proof must have looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from farshore.plan.model import Plan
from farshore.prove.covered import uncovered_cut
from farshore.prove.values import Cut, Proof
from farshore.run import machine
from farshore.run.events import RunEvent
from farshore.run.states import UNDER_WAY, StepState


def cuts_of(plan: Plan, events: Iterable[RunEvent]) -> Iterator[Cut]:
    """Each distinct cut in the order of the journal. A step that failed unexpectedly may have taken effect: it counts
    as under way. Its event is over when the step is settled."""
    state = machine.initial(plan)
    last: Cut | None = None
    for event in events:
        state, _ = machine.step(state, event)
        done = {id_ for id_ in state.steps if state.is_behind(id_)} | set(state.happened)
        going = {
            id_
            for id_, record in state.steps.items()
            if record.state in UNDER_WAY or (record.state is StepState.FAILED and not record.expected)
        }
        cut = Cut(done=frozenset(done), under_way=frozenset(going))
        if cut != last:
            yield cut
            last = cut


def uncovered(proof: Proof, plan: Plan, events: Iterable[RunEvent]) -> str | None:
    """The first moment of the run that was not among the proof's cuts, as a sentence; None when all were."""
    missed = (uncovered_cut(proof, plan, cut) for cut in cuts_of(plan, events))
    return next((said for said in missed if said), None)
