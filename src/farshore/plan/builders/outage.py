"""The events of a scenario: what is taken away, what that does to who is promised where, and what comes back.

Whom a site should meet after the loss is said here and nowhere else:

    nothing serves (a dead region, dead machines),  from the loss on every machine is promised in the target
    or new addresses decide by themselves
    machines serve on, and the way to them is       they are suspended where they are: nobody may count on them
    broken, or will be cut (grey, a dead            until they have moved, or connectivity has (`Suspend`)
    appliance, a dead circuit)
    machines serve on and are reached               nothing changes until they move by themselves

A machine that was not stopped runs again with what it had once it can (D92): stale, unless it has been deallocated. A
region that returns in halves does so in two events, and what flaps in three.

One that returns early may do so at any moment after the loss, each half by itself: its two events come after the
disaster and after nothing else. What comes back before anybody has been promised elsewhere is not old. So where
addresses are kept machines are suspended, as in a grey region, and given up once no site can meet them.
"""

from __future__ import annotations

from farshore.plan.design import Design
from farshore.plan.draft import Draft
from farshore.plan.model import (
    CONTROL_PLANE,
    Effect,
    Lose,
    MachineState,
    Promise,
    Restore,
    SetMachine,
    Suspend,
)
from farshore.plan.scenario.outages import Answer, Taken, cut_off
from farshore.plan.scenario.scenario import Scenario
from farshore.plan.scenario.words import TITLES, Outage, Returns

DISASTER = "disaster"
RETURN = "return"


def strikes(design: Design, scenario: Scenario, taken: Taken, draft: Draft) -> None:
    """The event with which everything begins; where nothing is lost, the decision."""
    effects: list[Effect] = [Lose(elements=taken.elements)] if taken.elements else []
    machines = design.machines
    if taken.answer is Answer.MOVE and gives_up_at_once(design, scenario, taken):
        left = [SetMachine(id=m.id, state=MachineState.STALE) for m in machines] if taken.runs else []
        effects += [*left, *(Promise(machine=m.id, nic=m.planned.target_nic) for m in machines)]
    elif taken.answer is not Answer.HOLD and scenario.outage is not Outage.MAINTENANCE:
        effects += [Suspend(machine=m.id) for m in cut_off(scenario, design, taken)]
    draft.event(DISASTER, _lost(design, scenario), effects)


def gives_up_at_once(design: Design, scenario: Scenario, taken: Taken) -> bool:
    """Whether the loss alone settles that the target's machines are the ones: nothing serves in the source any more
    (nor may come back meanwhile), or what does can't be stopped and no site has to be turned away from it, since
    addresses are new."""
    settled = not taken.runs and scenario.returns is not Returns.EARLY
    return settled or (not taken.arm and not design.kept)


def returns(design: Design, scenario: Scenario, taken: Taken, draft: Draft) -> tuple[str, ...]:
    """What was lost comes back; the events, the first of them the one that the guard waits for. Empty where nothing
    was lost."""
    if not taken.elements:
        return ()
    region = design.project.source_region
    stale: list[Effect] = []
    if taken.answer is Answer.MOVE and not taken.arm and not (taken.runs and taken.announces):
        stale = [SetMachine(id=machine.id, state=MachineState.STALE) for machine in design.machines]
    control = tuple(name for name in taken.elements if name.startswith(CONTROL_PLANE))
    data = tuple(name for name in taken.elements if not name.startswith(CONTROL_PLANE))
    whole: list[Effect] = [Restore(elements=taken.elements), *stale]
    old = ", its machines with old data" if stale else ""
    match scenario.returns:
        case Returns.CONTROL_FIRST:
            first = draft.event(RETURN, f"ARM of {region} answers again", [Restore(elements=control)])
            data_back: list[Effect] = [Restore(elements=data), *stale]
            return first, draft.follows(f"{RETURN}-data", f"Packets pass in {region} again{old}", data_back, first)
        case Returns.DATA_FIRST:
            first = draft.event(RETURN, f"Packets pass in {region} again{old}", [Restore(elements=data), *stale])
            answers: list[Effect] = [Restore(elements=control)]
            return first, draft.follows(f"{RETURN}-control", f"ARM of {region} answers again", answers, first)
        case Returns.EARLY:
            old = old if gives_up_at_once(design, scenario, taken) else ""
            met: list[Effect] = [Restore(elements=data), *(stale if old else [])]
            first = draft.follows(RETURN, f"Packets pass in {region} again{old}", met, DISASTER)
            asked: list[Effect] = [Restore(elements=control)]
            return first, draft.follows(f"{RETURN}-control", f"ARM of {region} answers again", asked, DISASTER)
        case Returns.FLAPPING:
            first = draft.event(RETURN, f"Region {region} returns{old}", whole)
            again = draft.follows(f"{RETURN}-lost", f"{region} is lost again", [Lose(elements=taken.elements)], first)
            restored: list[Effect] = [Restore(elements=taken.elements)]
            return first, again, draft.follows(f"{RETURN}-again", f"{region} returns for good", restored, again)
        case _:
            return (draft.event(RETURN, f"{_what(design, scenario)} returns{old}", whole),)


def _what(design: Design, scenario: Scenario) -> str:
    region = f"Region {design.project.source_region}"
    if scenario.outage in (Outage.REGION, Outage.GREY_DEAD, Outage.DATA_PLANE):
        return region
    return f"ARM of {region}" if scenario.outage is Outage.GREY else "What was lost"


def _lost(design: Design, scenario: Scenario) -> str:
    region = design.project.source_region
    if scenario.outage is Outage.REGION:
        return f"Region {region} is lost"
    return f"{region}: {TITLES[scenario.outage]}"
