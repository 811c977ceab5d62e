"""What a plan asks of Site Recovery that it refuses: steps that come where a machine's protection doesn't allow them.

A machine is protected by an item, and what may be asked of an item depends on what was asked before (S19, S42 to S45):

    enable          not protected            -> protected
    test            protected                -> waiting for the cleanup
    clean up        waiting for the cleanup  -> protected
    fail over       protected                -> failed over
    change a point  failed over              -> failed over
    commit          failed over              -> committed
    reprotect       committed                -> protected, by the other item where disks are managed (S50)

A step that finds its work done asks for nothing, so the end of each is also allowed at its beginning; and a failover
cleans up after a test by itself (`run/verbs/failover.py`). A proof follows packets, which meet nothing of this: a plan
without its commit is as safe as another, and a run of it halts at the reprotection.

Nobody knows how far an item is when the plan begins, so every state is followed in which a machine can be that is where
the plan says. A step is refused where none of them allows it. A plan is a partial order, and a machine's few steps are
met in each order that it allows: a step that is refused in one of them is told. A disaster waits for no drill, so no
order stands between the two; but nobody begins a drill behind a failover, and its steps are looked at by themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from farshore.plan.model import Below, Phase, Plan, PlannedMachine, Shore, Step, below_of


class State(StrEnum):
    NONE = "not protected"
    PROTECTED = "protected"
    TESTED = "waiting for the cleanup of a test failover"
    FAILED_OVER = "failed over and not committed"
    COMMITTED = "committed"


@dataclass(frozen=True, slots=True)
class Held:
    """A machine's protection: the item (its id in lower case), and how far it is."""

    item: str
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Of what states a verb makes what, and the facts that say so."""

    allowed: frozenset[State]
    makes: State
    source: str


def _rule(makes: State, *allowed: State, source: str) -> Rule:
    return Rule(allowed=frozenset(allowed), makes=makes, source=source)


RULES: Mapping[str, Rule] = {
    "enable_replication": _rule(State.PROTECTED, State.NONE, source="S12"),
    "test_failover": _rule(State.TESTED, State.PROTECTED, source="S19, S42"),
    "test_failover_cleanup": _rule(State.PROTECTED, State.TESTED, source="S19, S42"),
    "failover": _rule(State.FAILED_OVER, State.PROTECTED, State.TESTED, source="S15"),
    "change_point": _rule(State.FAILED_OVER, source="S15, S44"),
    "commit": _rule(State.COMMITTED, State.FAILED_OVER, source="S44"),
    "switch_protection": _rule(State.PROTECTED, State.COMMITTED, source="S45, S50"),
    "reprotect_unmanaged": _rule(State.PROTECTED, State.COMMITTED, source="S45, S50"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A step that Site Recovery refuses, or can refuse, where it stands."""

    step: str
    title: str
    machine: str
    """ARM id."""
    state: str
    """How far the machine's protection is then."""
    wanted: str
    """How far it has to be."""
    after: str
    """The step before it, of those that concern the item; empty where there is none."""
    source: str

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__} | {"said": str(self)}

    def __str__(self) -> str:
        name = self.machine.rsplit("/", 1)[-1]
        where = f"where it comes behind {self.after}" if self.after else "where the plan begins with it"
        return (
            f"Site Recovery refuses {self.step} ({self.title}) {where}: {name} is then {self.state}, and has to be"
            f" {self.wanted} ({self.source})"
        )


def refusals(plan: Plan) -> tuple[Refusal, ...]:
    """Every step that Site Recovery refuses in some order that the plan allows, in the plan's order; each once."""
    concerned = _steps_of(plan)
    below = below_of(plan, [step.id for steps in concerned.values() for step in steps])
    found: dict[str, Refusal] = {}
    for machine in plan.machines:
        steps = concerned[machine.id.key]
        for drill in (False, True):
            for refusal in _of(machine, [step for step in steps if (step.phase is Phase.DRILL) == drill], below):
                found.setdefault(refusal.step, refusal)
    return tuple(found[step.id] for step in plan.steps if step.id in found)


def _steps_of(plan: Plan) -> dict[str, list[Step]]:
    """For each machine (its id in lower case) the steps that ask something of its items."""
    owners = {item.key: machine.id.key for machine in plan.machines for item in (machine.item, machine.reverse_item)}
    found: dict[str, list[Step]] = {machine.id.key: [] for machine in plan.machines}
    for step in plan.steps:
        owner = owners.get(str(step.action.arguments.get("id")).lower())
        if owner is not None and step.action.verb in RULES:
            found[owner].append(step)
    return found


def _beginnings(machine: PlannedMachine) -> frozenset[Held]:
    """How far a machine's protection may be when the plan begins."""
    here, there = machine.item.key, machine.reverse_item.key
    if not machine.settled:
        return frozenset(Held(item, state) for item in (here, there) for state in State)
    if machine.at is Shore.THERE:
        here, there = there, here
    ahead = {Held(here, state) for state in (State.NONE, State.PROTECTED, State.TESTED)}
    return frozenset(ahead | {Held(there, state) for state in (State.FAILED_OVER, State.COMMITTED)})


def _of(machine: PlannedMachine, steps: list[Step], below: Below) -> Iterator[Refusal]:
    """Each order of one machine's steps, by what has been done (bits) and how far the machine may be then: breadth
    first, each with the step that led there."""
    own = sum(below.bit[step.id] for step in steps)
    reached: dict[tuple[int, frozenset[Held]], str] = {(0, _beginnings(machine)): ""}
    while reached:
        following: dict[tuple[int, frozenset[Held]], str] = {}
        for (done, states), last in reached.items():
            for step in steps:
                bit = below.bit[step.id]
                if done & bit or below.under[step.id] & own & ~done:
                    continue
                after = _after(step, states)
                if after:
                    following.setdefault((done | bit, after), step.id)
                else:
                    yield _refusal(machine, step, states, last)
        reached = following


def _after(step: Step, states: Iterable[Held]) -> frozenset[Held]:
    """What a step makes of those states that allow it."""
    rule = RULES[step.action.verb]
    item = str(step.action.arguments["id"]).lower()
    becomes = str(step.action.arguments.get("reverse_item") or item).lower()
    made = Held(becomes, rule.makes)
    return frozenset(made for held in states if held == made or (held.item == item and held.state in rule.allowed))


def _refusal(machine: PlannedMachine, step: Step, states: Iterable[Held], last: str) -> Refusal:
    rule = RULES[step.action.verb]
    return Refusal(
        step=step.id,
        title=step.title,
        machine=machine.id.text,
        state=_words(held.state for held in states),
        wanted=_words(rule.allowed),
        after=last,
        source=rule.source,
    )


def _words(states: Iterable[State]) -> str:
    return " or ".join(sorted({state.value for state in states}))
