"""Time on the graph, against a twin that walks every chain."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farshore.errors import InputError
from farshore.plan import DECISION, critical_path, finish_times, make_plan
from farshore.plan.durations import CONVERGENCE, for_put
from farshore.plan.graph import predicted_recovery
from farshore.plan.model import Action, Event, Phase, Plan, Step, StepKind
from plan.estates import ONE, TWO, example


def step(id_: str, seconds: int = 0, after: tuple[str, ...] = (), phase: Phase = Phase.FAILOVER) -> Step:
    return Step(
        id=id_,
        kind=StepKind.CHECK,
        phase=phase,
        title=id_,
        subject="sites/x",
        action=Action(verb="person", arguments={}),
        after=after,
        expected_duration=timedelta(seconds=seconds),
    )


def plan(*steps: Step, events: tuple[Event, ...] = ()) -> Plan:
    return Plan(estate="sha256:0", scenario="test", topology="", steps=steps, events=events)


@st.composite
def graphs(draw: st.DrawFn) -> Plan:
    count = draw(st.integers(1, 8))
    steps = []
    for number in range(count):
        befores = draw(st.sets(st.integers(0, number - 1), max_size=3)) if number else set()
        after = tuple(f"s{before}" for before in sorted(befores))
        steps.append(step(f"s{number}", draw(st.integers(0, 50)), after))
    return plan(*draw(st.permutations(steps)))


def naive(plan: Plan) -> int:
    """The longest of all chains, each walked by itself."""
    nodes = {item.id: item for item in plan.steps}

    def chains(id_: str) -> list[int]:
        own = int(nodes[id_].expected_duration.total_seconds())
        return [own + rest for before in nodes[id_].after for rest in chains(before)] or [own]

    return max(length for id_ in nodes for length in chains(id_))


@settings(max_examples=100, deadline=None)
@given(found=graphs())
def test_the_critical_path_is_the_longest_chain(found: Plan) -> None:
    path = critical_path(found)
    assert path.duration.total_seconds() == naive(found)
    nodes = {item.id: item for item in found.steps}
    assert sum((nodes[id_].expected_duration for id_ in path.steps), timedelta(0)) == path.duration
    assert all(before in nodes[id_].after for before, id_ in pairwise(path.steps))


def test_events_take_no_time_and_earlier_phases_are_done() -> None:
    event = Event(id="disaster", title="", after=("a",))
    found = plan(step("a", 7, phase=Phase.DRILL), step("b", 5, ("disaster",)), events=(event,))
    assert critical_path(found).duration == timedelta(seconds=12)
    assert finish_times(found.of_phase(Phase.FAILOVER)) == {"b": timedelta(seconds=5)}
    assert critical_path(plan()).steps == ()


def test_a_cycle_names_its_members_in_order() -> None:
    with pytest.raises(InputError, match=r"wait for each other: (a -> b -> c -> a|b -> c -> a -> b|c -> a -> b -> c)"):
        plan(step("a", after=("c",)), step("b", after=("a",)), step("c", after=("b",)))


def test_a_machine_is_served_when_it_runs_and_its_network_is_heard() -> None:
    two = make_plan(example(TWO)).predicted_recovery_seconds
    decision = DECISION.duration.total_seconds()
    assert sorted(set(two.values())) == [decision + 154, decision + 154 + 10 + 154]
    one = make_plan(example(ONE)).predicted_recovery_seconds
    connection = for_put("Microsoft.Network/connections").duration + CONVERGENCE.duration
    assert min(one.values()) == decision + 40 + 10 + connection.total_seconds()


def test_nothing_is_predicted_for_a_machine_whose_step_was_removed() -> None:
    found = make_plan(example(TWO))
    left = tuple(item for item in found.of_phase(Phase.FAILOVER) if item.action.verb != "failover")
    alone = tuple(replace(item, after=()) for item in left)
    assert predicted_recovery(replace(found, steps=alone, events=())) == {}
