"""Random runs of random plans: a world that takes effect, refuses, falls silent and is crashed at any moment.

The world is truthful to looks and to nobody else: an act may have taken effect though its answer was lost, or its
sender died. What must hold, whatever happens, is written in `Story`, next to where it can be seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from farshore.errors import JournalError
from farshore.plan.model import Event, Phase, Plan
from farshore.run import machine
from farshore.run.cuts import cuts_of
from farshore.run.events import Kind, RunEvent
from farshore.run.machine import Act, Command, Look
from farshore.run.states import ACTIVE, SETTLED, RunStatus, StepState
from prove.plans import orders
from run.talk import NOW


@dataclass(slots=True)
class World:
    """What has really happened: how often each act took effect, and whether its operation has ended."""

    effects: dict[str, int] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)

    def take_effect(self, step: str) -> None:
        self.effects[step] = self.effects.get(step, 0) + 1
        assert self.effects[step] == 1, f"{step} took effect twice"

    def undo(self, step: str) -> None:
        self.effects.pop(step, None)
        self.ended.discard(step)

    def copy(self) -> World:
        return World(effects=dict(self.effects), ended=set(self.ended))


class Story:
    """One run: its journal, its state, and the commands that are open. `kind` bends the world to no failures."""

    def __init__(
        self, plan: Plan, random: Random, *, kind: bool = False, told: list[RunEvent] | None = None, world: World | None
    ) -> None:
        self.plan, self.random, self.kind = plan, random, kind
        self.world = world or World()
        self.journal: list[RunEvent] = []
        self.state = machine.initial(plan)
        self.open: dict[str, Command] = {}
        self.width = random.choice((1, 3, 10))
        self.moments: list[tuple[int, World]] = []
        if told:
            self.journal, self.state = list(told), machine.fold(plan, told)
        else:
            self.tell("", Kind.RUN_STARTED)
        self.take_over()
        for phase in Phase:
            if phase not in self.state.started:
                self.tell("", Kind.PHASE_STARTED, phase=phase.value)
        self.settle()

    # Telling, and what must hold whenever something is told. ---------------------------------------------------------

    def tell(self, step: str, kind: Kind, **body: Any) -> None:
        self.take_in(machine.event(self.state, step, kind, NOW + timedelta(seconds=len(self.journal)), body))

    def take_in(self, event: RunEvent) -> None:
        before = self.state
        if event.kind is Kind.INTENDED:
            item = self.plan.step(event.step)
            assert item is not None and all(before.is_behind(id_) for id_ in item.after), "intended before its time"
            assert item.phase in before.started and before.status is RunStatus.RUNNING
            assert sum(record.state in ACTIVE for record in before.steps.values()) < self.width
        self.state, commands = machine.step(before, event)
        self.journal.append(event)
        for command in commands:
            record = self.state.steps[command.step]
            assert record.intended_at is not None, "a command without an intention"
            assert self.open.get(command.step) is None, "two commands of one step are open at once"
            self.open[command.step] = command
        if event.step and event.kind not in (Kind.RETRIED, Kind.SKIPPED):
            assert before.steps[event.step].state not in (StepState.DONE, StepState.SKIPPED), "done is done"
        self.moments.append((len(self.journal), self.world.copy()))

    def settle(self) -> None:
        """What follows from a round, as the driver lets it follow."""
        while following := machine.follow_up(self.state, NOW, self.width):
            for event in following:
                self.take_in(event)
        assert set(self.open) == {id_ for id_, r in self.state.steps.items() if r.state in ACTIVE}

    def take_over(self) -> None:
        """The process is new: what it knows is what it can fold."""
        assert machine.fold(self.plan, self.journal) == self.state
        self.tell("", Kind.DRIVER_STARTED)
        self.open = {}
        for event in machine.takeover(self.state, NOW):
            self.take_in(event)
        self.open = {command.step: command for command in machine.commands(self.state)}
        for command in self.open.values():
            assert not isinstance(command, Act), "who takes over acts on nothing that he has not looked at"

    # The world's answers. --------------------------------------------------------------------------------------------

    def chance(self, probability: float) -> bool:
        return not self.kind and self.random.random() < probability

    def answer(self, command: Command) -> None:
        del self.open[command.step]
        id_, world = command.step, self.world
        if isinstance(command, Look):
            if self.chance(0.05):
                self.fail(id_)
            elif not world.effects.get(id_):
                self.tell(id_, Kind.ABSENT)
            elif id_ in world.ended:
                self.tell(id_, Kind.DONE)
            else:
                self.tell(id_, Kind.ACCEPTED, pending={"operation": "u"}, found=True)
        elif isinstance(command, Act):
            self.act(id_)
        elif self.chance(0.1):
            world.undo(id_)
            self.tell(id_, Kind.REFUSED, wait_seconds=1)
        elif self.chance(0.1):
            self.fail(id_)
        else:
            if not world.effects.get(id_):
                world.take_effect(id_)  # a person has said so
            world.ended.add(id_)
            self.tell(id_, Kind.DONE)

    def act(self, id_: str) -> None:
        if self.chance(0.15):
            self.tell(id_, Kind.REFUSED, wait_seconds=1)
        elif self.chance(0.1):
            self.tell(id_, Kind.ASKED)
        elif self.chance(0.5 if self.may_fail(id_) else 0.05):
            self.fail(id_)
        elif self.chance(0.1):
            self.tell(id_, Kind.DOUBTED)  # it never arrived
        else:
            self.world.take_effect(id_)
            self.moments.append((len(self.journal), self.world.copy()))
            if self.chance(0.3):
                self.tell(id_, Kind.DOUBTED)  # its answer never arrived
            else:
                self.tell(id_, Kind.ACCEPTED, pending={"operation": "u"})

    def fail(self, id_: str) -> None:
        self.tell(id_, Kind.FAILED, fault={"code": "X"}, expected=self.may_fail(id_))

    def may_fail(self, id_: str) -> bool:
        item = self.plan.step(id_)
        assert item is not None
        return item.may_fail

    # What else happens. ----------------------------------------------------------------------------------------------

    def crash(self) -> None:
        """Acts in flight may arrive all the same."""
        for command in self.open.values():
            if isinstance(command, Act) and self.random.random() < 0.5:
                self.world.take_effect(command.step)
        self.take_over()
        self.settle()

    def people(self) -> None:
        """Somebody asks for something; what makes no sense is refused and changes nothing."""
        failed = [id_ for id_, record in self.state.steps.items() if record.state is StepState.FAILED]
        id_ = self.random.choice([step.id for step in self.plan.steps] + failed * 3)
        kind = self.random.choice((Kind.PAUSED, Kind.RESUMED, Kind.RETRIED, Kind.SKIPPED, Kind.APPROVED))
        before = self.state
        try:
            self.tell(id_, kind, by="somebody")
        except JournalError:
            assert self.state == before

    def happen(self) -> None:
        for event in self.plan.events:
            if event.id not in self.state.happened and all(self.state.is_behind(id_) for id_ in event.after):
                self.tell("", Kind.HAPPENED, event=event.id)

    def run(self, turns: int) -> None:
        """Some turns of anything, then none but answers until nothing is under way."""
        for _ in range(turns):
            luck = self.random.random()
            if luck < 0.1:
                self.crash()
            elif luck < 0.25:
                self.people()
            elif luck < 0.35:
                self.happen()
            else:
                self.round()
            self.settle()
        self.finish()

    def round(self) -> None:
        ready = sorted(self.open)
        for id_ in sorted(self.random.sample(ready, min(len(ready), self.random.randint(1, 3)))):
            self.answer(self.open[id_])

    def finish(self) -> None:
        self.kind = True
        if self.state.status is RunStatus.PAUSED:
            self.tell("", Kind.RESUMED)
        for _ in range(500):
            self.happen()
            for id_, record in self.state.steps.items():
                if record.state is StepState.ASKED:
                    self.tell(id_, Kind.APPROVED)
            self.settle()
            if not self.open:
                break
            self.round()
            self.settle()
        assert machine.is_over(self.state)


PLANS = orders(most=6)


def befores(plan: Plan) -> dict[str, tuple[str, ...]]:
    nodes: tuple[Any, ...] = (*plan.steps, *plan.events)
    return {node.id: node.after for node in nodes if not isinstance(node, Event)}


@given(plan=PLANS, seed=st.integers(0, 2**32))
@settings(max_examples=120, deadline=None)
def test_whatever_happens(plan: Plan, seed: int) -> None:
    story = Story(plan, Random(seed), world=None)
    story.run(40)
    assert machine.fold(plan, story.journal) == story.state
    for id_, record in story.state.steps.items():
        if record.state is StepState.DONE:
            assert story.world.effects.get(id_) == 1
        elif record.state is StepState.WAITING:
            # Only a failure, or an event that can't come because of one, holds a step up.
            held = [before for before in befores(plan)[id_] if not story.state.is_behind(before)]
            assert held
        else:
            assert record.state in SETTLED
    after = befores(plan)
    for cut in cuts_of(plan, story.journal):
        for id_ in cut.done | cut.under_way:
            assert set(after.get(id_, ())) <= cut.done, f"{id_} in a moment that no proof holds"


@given(plan=PLANS, seed=st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_resuming_from_every_moment_comes_to_the_same_end(plan: Plan, seed: int) -> None:
    """Of a run in which nothing fails: crashed after any event and after any effect, it ends as if nothing had been."""
    whole = Story(plan, Random(seed), kind=True, world=None)
    whole.finish()
    assert {record.state for record in whole.state.steps.values()} == {StepState.DONE}
    for length, world in whole.moments:
        again = Story(plan, Random(seed), kind=True, told=whole.journal[:length], world=world.copy())
        again.finish()
        assert {id_: r.state for id_, r in again.state.steps.items()} == {
            id_: r.state for id_, r in whole.state.steps.items()
        }
        assert again.world.effects == whole.world.effects
        assert set(again.state.ended) == set(whole.state.ended)


@given(plan=PLANS, seed=st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_a_run_that_crashes_twice_in_a_row_at_every_moment(plan: Plan, seed: int) -> None:
    whole = Story(plan, Random(seed), kind=True, world=None)
    whole.finish()
    for length, world in whole.moments[:: max(1, len(whole.moments) // 12)]:
        again = Story(plan, Random(seed), kind=True, told=whole.journal[:length], world=world.copy())
        again.crash()
        if again.open:
            again.round()
        again.crash()
        again.finish()
        assert again.world.effects == whole.world.effects
