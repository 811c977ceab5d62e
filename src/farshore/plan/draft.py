"""A plan in the making: builders add steps to a draft, phase by phase.

A phase begins when the one before it has ended, because a run carries out whole phases: `Draft.begin` makes the last
steps of the phase before (or an event) the floor of what follows, and every step without a predecessor of its own
stands on it.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence

from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.estate.estate import Estate
from farshore.plan import actions, durations
from farshore.plan.durations import Expected
from farshore.plan.merge import says
from farshore.plan.model import Action, DeleteResource, Effect, Event, Phase, PutResource, Step, StepKind


class Draft:
    """Steps and events so far, in order."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.steps: list[Step] = []
        self.events: list[Event] = []
        self.phase = Phase.PROVISION
        self._floor: tuple[str, ...] = ()

    def begin(self, phase: Phase, after: Iterable[str] | None = None) -> None:
        """Start a phase, after the ends of the last phase that has steps, or after the ids given. Again within a
        phase: what follows stands on these ids."""
        self._floor = tuple(after) if after is not None else self.ends()
        self.phase = phase

    def ends(self, but: Container[str] = ()) -> tuple[str, ...]:
        """The last steps of the phase that is being built: those that none of its steps comes after; where it has
        none, what it stands on. `but`: as if these steps were not there."""
        own = [step for step in self.steps if step.phase is self.phase and step.id not in but]
        followed = {before for step in own for before in step.after}
        return tuple(step.id for step in own if step.id not in followed) or self._floor

    def add(
        self,
        name: str,
        action: Action,
        *,
        title: str,
        subject: ResourceId | str,
        expected: Expected,
        kind: StepKind = StepKind.ARM,
        after: Iterable[str | None] = (),
        effects: Sequence[Effect] = (),
        letter: str | None = None,
        may_fail: bool = False,
        obligation: str | None = None,
    ) -> str:
        """Add `<phase>/<name>` and return its id. None in `after` is left out, and so is what an earlier phase has
        done; a step that then comes after nothing stands on the floor."""
        own = f"{self.phase.value}/"
        wanted = tuple(dict.fromkeys(id_ for id_ in after if id_ is not None and id_.startswith(own)))
        step = Step(
            id=f"{self.phase.value}/{name}",
            kind=kind,
            phase=self.phase,
            title=title,
            subject=str(subject),
            action=action,
            after=wanted or self._floor,
            expected_duration=expected.duration,
            duration_source=expected.source,
            letter=letter,
            effects=tuple(effects),
            may_fail=may_fail,
            obligation=obligation,
        )
        self.steps.append(step)
        return step.id

    def put(
        self,
        name: str,
        body: Body,
        *,
        title: str,
        after: Iterable[str | None] = (),
        letter: str | None = None,
        shown: Body | None = None,
        forwarding: bool = True,
    ) -> str:
        """Add a put. `shown` is the body as a GET will show it, where that says more than what is written; a resource
        that does not take part in forwarding has no effects."""
        id_ = resource_id(str(body["id"]))
        there = self.estate.get(id_)
        ready = there is not None and says(there, body)
        return self.add(
            name,
            actions.put(body),
            title=title,
            subject=id_,
            expected=durations.ALREADY_THERE if ready else durations.for_put(id_.type),
            after=after,
            effects=(PutResource(body=shown or body),) if forwarding else (),
            letter=letter,
        )

    def delete(self, name: str, id_: ResourceId, *, title: str, after: Iterable[str | None] = ()) -> str:
        return self.add(
            name,
            actions.delete(id_),
            title=title,
            subject=id_,
            expected=durations.for_delete(id_.type),
            after=after,
            effects=(DeleteResource(id=id_),),
        )

    def event(self, id_: str, title: str, effects: Sequence[Effect]) -> str:
        """Something happens after the phase that is being built, and the next begins after it."""
        return self.follows(id_, title, effects, *self.ends())

    def follows(self, id_: str, title: str, effects: Sequence[Effect], *after: str) -> str:
        """Something happens after these steps or events, whatever phase is being built."""
        self.events.append(Event(id=id_, title=title, after=after, effects=tuple(effects)))
        return id_
