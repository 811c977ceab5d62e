"""Plans for the proof's tests: random small orders, and a helper that says a step in one line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from hypothesis import strategies as st

from farshore.arm.ids import make_id
from farshore.plan.model import Action, Effect, Event, Phase, Plan, PutResource, Step, StepKind

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
NOTHING = Action(verb="person", arguments={"instruction": "look"})


def step(
    id_: str,
    *effects: Effect,
    after: Sequence[str] = (),
    phase: Phase = Phase.PROVISION,
    may_fail: bool = False,
    action: Action = NOTHING,
) -> Step:
    return Step(
        id=id_,
        kind=StepKind.ARM,
        phase=phase,
        title=id_,
        subject=f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg",
        action=action,
        after=tuple(after),
        effects=effects,
        may_fail=may_fail,
    )


def plan(steps: Iterable[Step], events: Iterable[Event] = (), **fields: Any) -> Plan:
    given: dict[str, Any] = {"estate": "sha256:0", "scenario": "test", "topology": "two-circuits-two-locations"}
    return Plan(steps=tuple(steps), events=tuple(events), **(given | fields))


def nodes_of(plan_: Plan) -> dict[str, Step | Event]:
    items: tuple[Step | Event, ...] = (*plan_.steps, *plan_.events)
    return {item.id: item for item in items}


def tag(name: str, value: str = "1") -> Effect:
    """An effect that can be told from any other: a resource that routing does not read."""
    id_ = make_id(SUBSCRIPTION, "rg", "Microsoft.Network/publicIPAddresses", name)
    return PutResource(body={"id": id_.text, "name": name, "tags": {"value": value}})


@st.composite
def orders(draw: st.DrawFn, most: int = 7) -> Plan:
    """A random order of a few steps, some without effects, some that may fail, one event somewhere."""
    count = draw(st.integers(1, most))
    phases = list(Phase)
    steps: list[Step] = []
    events: list[Event] = []
    names: list[str] = []
    event_at = draw(st.integers(0, count))
    for number in range(count):
        if number == event_at:
            before = draw(st.lists(st.sampled_from(names), unique=True, max_size=2)) if names else []
            events.append(Event(id="happens", title="happens", after=tuple(before), effects=(tag("event"),)))
            names.append("happens")
        name = f"s{number}"
        before = draw(st.lists(st.sampled_from(names), unique=True, max_size=3)) if names else []
        effects = draw(st.sampled_from([(), (tag(name),), (tag(name),)]))
        may_fail = bool(effects) and draw(st.integers(0, 4)) == 0
        phase = phases[min(number // 2, len(phases) - 1)]
        steps.append(step(name, *effects, after=before, may_fail=may_fail, phase=phase))
        names.append(name)
    return plan(steps, events)
