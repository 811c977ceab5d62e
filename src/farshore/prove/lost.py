"""Steps and orders that the planner's plan has and this one lacks.

A plan is a file, and people edit it: a step is taken out, one is let run earlier. What the planner makes of the same
estate and story is a plan that held; what it has and this one has not is tried one by one, nearest to the step that
brought the fault first, then all together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from farshore.errors import InputError
from farshore.estate.estate import Estate
from farshore.plan.make import make_plan
from farshore.plan.model import Event, Plan, Step
from farshore.prove.values import Counterexample

LOST_TRIED = 5
"""Steps and orders that are tried one by one; all of them together come last."""


def lost_of(estate: Estate, plan: Plan, example: Counterexample) -> Iterator[tuple[str, Plan]]:
    """Steps and orders that the plan of this estate and story has and this one lacks: a plan edited by hand. An order
    that speaks of the step that brought the fault comes first, then steps on the network, then the rest."""
    if estate.project is None:
        return
    try:
        whole = make_plan(estate, None, plan.scenario)
    except InputError:
        return
    here: dict[str, Step | Event] = {node.id: node for nodes in (plan.steps, plan.events) for node in nodes}
    lost = [step for step in whole.steps if step.id not in here]
    if lost:
        phase = step.phase if (step := plan.step(example.after)) is not None else None
        lost.sort(key=lambda step: (not step.effects, step.phase is not phase, moves_a_machine(plan, step)))
        for step in lost[:LOST_TRIED]:
            changed = _with_steps(plan, whole, [step])
            if step.effects and changed is not None:
                yield f"put back {step.id} ({step.title})", changed
        changed = _with_steps(plan, whole, lost)
        if len(lost) > 1 and changed is not None:
            yield f"put back {listed(step.id for step in lost)}", changed
    edges = [
        (before, node.id)
        for nodes in (whole.steps, whole.events)
        for node in nodes
        if node.id in here
        for before in node.after
        if before in here and before not in here[node.id].after and before not in below(here, node.id)
    ]
    edges.sort(key=lambda edge: example.after not in edge)
    for before, later in edges[:LOST_TRIED]:
        changed = _with_edges(plan, [(before, later)])
        if changed is not None:
            yield f"let {later} come after {before}", changed
    changed = _with_edges(plan, edges)
    if len(edges) > 1 and changed is not None:
        yield "let " + ", ".join(f"{later} come after {before}" for before, later in edges), changed
    # Steps that stand the wrong way round have to be turned: all of them take the planner's order.
    if edges:
        order_of = {node.id: node.after for nodes in (whole.steps, whole.events) for node in nodes}
        steps = tuple(replace(s, after=order_of[s.id]) if s.id in order_of else s for s in plan.steps)
        moved = [s.id for s, t in zip(plan.steps, steps, strict=True) if s.after != t.after]
        try:
            yield f"give {listed(moved)} back the planner's order", replace(plan, steps=steps)
        except InputError:
            return


def _with_steps(plan: Plan, whole: Plan, lost: list[Step]) -> Plan | None:
    """The plan with steps put back, before what came after them."""
    back = {step.id for step in lost}
    there = {node.id for nodes in (plan.steps, plan.events) for node in nodes} | back
    after = {node.id: node.after for nodes in (whole.steps, whole.events) for node in nodes}
    made = tuple(replace(step, after=tuple(b for b in step.after if b in there)) for step in lost)

    def needed(id_: str, held: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*held, *(b for b in after.get(id_, ()) if b in back))))

    try:
        steps = tuple(replace(step, after=needed(step.id, step.after)) for step in plan.steps)
        events = tuple(replace(event, after=needed(event.id, event.after)) for event in plan.events)
        return replace(plan, steps=(*steps, *made), events=events)
    except InputError:
        return None


def _with_edges(plan: Plan, edges: list[tuple[str, str]]) -> Plan | None:
    def more(id_: str, held: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*held, *(before for before, later in edges if later == id_))))

    try:
        steps = tuple(replace(step, after=more(step.id, step.after)) for step in plan.steps)
        events = tuple(replace(event, after=more(event.id, event.after)) for event in plan.events)
        return replace(plan, steps=steps, events=events)
    except InputError:
        return None


def below(items: dict[str, Step | Event], id_: str) -> set[str]:
    found: set[str] = set()
    stack = list(items[id_].after)
    while stack:
        before = stack.pop()
        if before not in found:
            found.add(before)
            stack += items[before].after
    return found


def moves_a_machine(plan: Plan, step: Step) -> bool:
    return step.subject.lower() in {machine.item.key for machine in plan.machines}


def listed(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
