"""The order of a plan turned round: what came later is undone first, and nothing else waits for anything."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from farshore.plan import actions
from farshore.plan.abandon import turned
from farshore.plan.abandon.values import Undo
from farshore.plan.draft import Draft
from farshore.plan.durations import LOOK
from farshore.plan.model import Phase, Plan, Step
from plan.estates import example
from prove.plans import plan, step


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    number = draw(st.integers(1, 7))
    steps = [step(str(at), after=[str(before) for before in range(at) if draw(st.booleans())]) for at in range(number)]
    return plan(steps)


def below(steps: tuple[Step, ...] | list[Step], of: str) -> set[str]:
    by_id = {item.id: item for item in steps}
    found: set[str] = set()
    waiting = list(by_id[of].after)
    while waiting:
        id_ = waiting.pop()
        if id_ not in found:
            found.add(id_)
            waiting += by_id[id_].after
    return found


def undone(given_plan: Plan, done: set[str]) -> list[Step]:
    """The steps that undo each of these, one for one."""
    draft = Draft(example())
    draft.begin(Phase.ABANDON, ())

    def undo(id_: str) -> Undo:
        def add(to: Draft, after: list[str]) -> str:
            return to.add(id_, actions.person("undo"), title=id_, subject=id_, expected=LOOK, after=after)

        return Undo(anchors=(id_,), add=add)

    turned.undo(draft, given_plan, [undo(id_) for id_ in sorted(done)])
    return draft.steps


@given(plans(), st.sets(st.integers(0, 6)))
def test_whoever_undoes_passes_through_moments_of_the_plan(given_plan: Plan, tips: set[int]) -> None:
    """Whatever is done of a plan is closed downwards, and stays so with each step undone."""
    names = {item.id for item in given_plan.steps}
    done = {str(tip) for tip in tips} & names
    done |= {id_ for tip in done for id_ in below(given_plan.steps, tip)}
    steps = undone(given_plan, done)
    for one in done:
        for other in done:
            waits = f"abandon/{other}" in below(steps, f"abandon/{one}")
            assert waits == (one in below(given_plan.steps, other)), (one, other)


def test_what_several_steps_wrote_is_as_late_as_the_last() -> None:
    given_plan = plan([step("put"), step("between", after=["put"]), step("again", after=["between"])])
    draft = Draft(example())
    draft.begin(Phase.ABANDON, ())

    def undo(name: str, *anchors: str) -> Undo:
        return Undo(
            anchors=anchors,
            add=lambda to, after: to.add(
                name, actions.person(name), title=name, subject=name, expected=LOOK, after=after
            ),
        )

    turned.undo(draft, given_plan, [undo("between", "between"), undo("twice", "put", "again")])
    assert {item.id: item.after for item in draft.steps} == {
        "abandon/twice": (),
        "abandon/between": ("abandon/twice",),
    }
