"""The prover against a twin that knows no slices, no classes, no keys, no memo and no choice among failures.

The twin walks every order of a small plan, one step after another, builds each world anew, fails every element that the
routing library knows, traces every flow of every machine, and writes down all that is wrong. Hypothesis chooses which
steps there are and in which order they may happen: most of these plans are bad, each in its own way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import ip_address

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from farshore.estate.estate import Estate
from farshore.plan.effects import World, apply, start
from farshore.plan.model import Event, Phase, Plan, PlannedMachine, Promise, SetRouter, Step
from farshore.prove import Proof, prove
from farshore.prove.evaluation import names_on
from farshore.routing import Flow, Routing, elements, judge
from farshore.routing.failures import Element
from prove.estates import (
    FAR,
    HOME,
    connect,
    deallocate,
    disaster,
    disconnect,
    estate,
    failover,
    fence,
    planned,
    prefer,
    put,
    reach,
    returns,
)
from prove.plans import nodes_of, plan

MACHINES = (planned("vm1", "10.1.0.4"), planned("vm2", "10.1.0.5"))
SITE_HOST = "192.168.0.10"
UNSAFE = {"ambiguous", "looped", "stale", "wrong-owner", "bypass", "asymmetric", "unknown"}


@dataclass(frozen=True)
class Wrong:
    claim: str
    kind: str
    failed: int
    done: int


class Twin:
    def __init__(self, estate_: Estate, plan_: Plan) -> None:
        self.plan = plan_
        self.nodes = nodes_of(plan_)
        self.first = start(estate_, plan_)
        self.found: list[Wrong] = []
        self.seen: set[tuple[frozenset[str], frozenset[str], tuple[str, ...]]] = set()
        self._walk((), frozenset())

    def _walk(self, path: tuple[str, ...], failed: frozenset[str]) -> None:
        """`path` holds steps and single router changes in the order in which they took effect."""
        done = frozenset(path)
        # Orders that differ only in steps that touch nothing in common come to one world; routers are set twice.
        state = (done, failed, tuple(piece for piece in path if piece.startswith(("prefer/", "fence/"))))
        if state in self.seen:
            return
        self.seen.add(state)
        self._look(path, failed)
        for id_, node in self.nodes.items():
            whole = [f"{id_}/{index}" for index in range(self._parts(node))]
            for piece in whole:
                if piece not in done and all(self._finished(before, done) for before in node.after):
                    self._walk((*path, piece), failed)
                    if isinstance(node, Step) and node.may_fail:
                        self._walk((*path, piece), failed | {piece})

    def _finished(self, id_: str, done: frozenset[str]) -> bool:
        return all(f"{id_}/{index}" in done for index in range(self._parts(self.nodes[id_])))

    @staticmethod
    def _parts(node: Step | Event) -> int:
        if isinstance(node, Step) and node.effects and all(isinstance(e, SetRouter) for e in node.effects):
            return len(node.effects)
        return 1

    def _world(self, path: tuple[str, ...], failed: frozenset[str]) -> World:
        world = self.first
        for piece in path:
            if piece not in failed:
                id_, _, index = piece.rpartition("/")
                effects = self.nodes[id_].effects
                world = apply(
                    world, effects if self._parts(self.nodes[id_]) == 1 else effects[int(index) : int(index) + 1]
                )
        return world

    def _look(self, path: tuple[str, ...], failed_steps: frozenset[str]) -> None:
        world = self._world(path, failed_steps)
        done = frozenset(path)
        ends = [phase for phase in Phase if self._ends(phase, done)]
        for machine in MACHINES:
            flow = self._flow(machine, world)
            good_cold = True
            for failed in ((), *((element,) for element in elements(world.estate))):
                kind = self._kind(machine, world, flow, failed)
                if kind in UNSAFE:
                    # A flow that is unsafe as it stands is said to be so once.
                    if not failed or good_cold:
                        self._write("safety", kind, failed, path)
                    good_cold = good_cold and bool(failed)
                elif kind != "delivered" and good_cold:
                    claimed = bool(ends) or (self._runs(machine, world) and self._path_done(machine, done))
                    if claimed and (not failed or failed[0].kind in self.plan.objectives[0].survive):
                        self._write("reachability", "unreachable", failed, path)

    def _write(self, claim: str, kind: str, failed: tuple[Element, ...], path: tuple[str, ...]) -> None:
        self.found.append(Wrong(claim, kind, len(failed), len(path)))

    def _flow(self, machine: PlannedMachine, world: World) -> Flow:
        return Flow(
            source="datacenter", source_address=ip_address(SITE_HOST), destination_address=ip_address(machine.address)
        )

    def _kind(self, machine: PlannedMachine, world: World, flow: Flow, failed: tuple[Element, ...]) -> str:
        down = world.estate.outside.down
        for element in failed:
            down = down | element.down
        here = world.estate.with_outside(replace(world.estate.outside, down=down))
        forward, back = Routing(here).trace(flow)
        nvas = [shore.id("networkInterfaces", "nva-nic") for shore in (HOME, FAR)]
        return judge(forward, back, through=nvas, promised=world.promises[machine.id.key]).kind

    def _runs(self, machine: PlannedMachine, world: World) -> bool:
        nic = world.promises[machine.id.key]
        outside, there = world.estate.outside, world.estate.network_interface(nic)
        if there is None or there.virtual_machine is None or f"region:{there.location}" in outside.down:
            return False
        return there.virtual_machine.key not in outside.stopped | outside.stale

    def _path_done(self, machine: PlannedMachine, done: frozenset[str]) -> bool:
        moved = any(
            isinstance(effect, Promise)
            for id_, node in self.nodes.items()
            if f"{id_}/0" in done
            for effect in node.effects
        )
        if not moved:
            return True
        answering = [step.phase for step in self.plan.steps if "disaster" in self._beneath(step.id)]
        last = min(map(list(Phase).index, answering), default=len(Phase))
        return all(
            self._finished(step.id, done)
            for step in self.plan.steps
            if list(Phase).index(step.phase) <= last and not step.id.startswith(("failover-", "deallocate-"))
        )

    def _beneath(self, id_: str) -> set[str]:
        found: set[str] = set()
        stack = list(self.nodes[id_].after)
        while stack:
            before = stack.pop()
            if before not in found:
                found.add(before)
                stack += self.nodes[before].after
        return found

    def _ends(self, phase: Phase, done: frozenset[str]) -> bool:
        """Whether this is the moment at the end of a phase: its steps and all before, and nothing else."""
        if not any(step.phase is phase for step in self.plan.steps):
            return False
        wanted: set[str] = set()
        for step in self.plan.steps:
            if list(Phase).index(step.phase) <= list(Phase).index(phase):
                wanted |= {step.id} | self._beneath(step.id)
        pieces = {f"{id_}/{index}" for id_ in wanted for index in range(self._parts(self.nodes[id_]))}
        return pieces == done


def smallest(found: Iterator[tuple[str, str, int, int]]) -> dict[tuple[str, str], tuple[int, int]]:
    best: dict[tuple[str, str], tuple[int, int]] = {}
    for claim, kind, failed, done in found:
        best[claim, kind] = min(best.get((claim, kind), (99, 99)), (failed, done))
    return best


def agree(estate_: Estate, plan_: Plan) -> Proof:
    proof = prove(estate_, plan_)
    twin = Twin(estate_, plan_)
    said = {
        (item.claim, item.kind) for item in proof.counterexamples if item.kind in UNSAFE or item.claim == "reachability"
    }
    heard = smallest((wrong.claim, wrong.kind, wrong.failed, wrong.done) for wrong in twin.found)
    assert said == set(heard), ([item.summary for item in proof.counterexamples], heard)
    for (claim, kind), (failed, _) in heard.items():
        least = min(len(item.failed) for item in proof.counterexamples if (item.claim, item.kind) == (claim, kind))
        assert least == failed
    assert proof.ok is (not heard)
    return proof


BARE = [FAR.hub(table=False), FAR.spoke(table=False), *FAR.appliance(), FAR.gateway_table(), FAR.spoke_table()]


def pool() -> list[Step | Event]:
    first = MACHINES[0]
    late = [machine for machine in MACHINES if machine is not first]
    return [
        prefer(),
        connect(),
        put("table", FAR.gateway_subnet_with_table()),
        put("spoke-table", FAR.spoke_subnet_with_table()),
        put("gateway", FAR.gateway()),
        put("peer-hub", FAR.peering("hub", "spoke")),
        put("peer-spoke", FAR.peering("spoke", "hub")),
        disaster(MACHINES),
        failover(first, after=()),
        *(failover(machine, after=()) for machine in late),
        fence(after=()),
        returns(MACHINES, after=()),
        deallocate(first, after=()),
        disconnect(after=()),
    ]


NATURAL = {
    "failover-vm1": ["disaster"],
    "failover-vm2": ["disaster"],
    "fence": ["disaster"],
    "disconnect": ["disaster"],
    "return": ["disaster"],
    "deallocate-vm1": ["return"],
}


@st.composite
def stories(draw: st.DrawFn) -> tuple[Estate, Plan]:
    """Some steps of the pool in some order: a step's natural predecessors stay, others are drawn."""
    ready = draw(st.booleans())
    all_steps = pool()
    chosen = draw(st.lists(st.sampled_from(range(len(all_steps))), min_size=1, max_size=6, unique=True))
    items = [all_steps[index] for index in sorted(chosen)]
    names = [item.id for item in items]
    steps: list[Step] = []
    events: list[Event] = []
    for index, item in enumerate(items):
        drawn = draw(st.lists(st.sampled_from(names[:index]), unique=True, max_size=2)) if index else []
        before = [name for name in NATURAL.get(item.id, []) if name in names[:index]]
        placed = replace(item, after=tuple(dict.fromkeys([*before, *drawn])))
        if isinstance(placed, Event):
            events.append(placed)
        else:
            steps.append(placed)
    survive = draw(st.sampled_from([(), ("circuit-link",), ("circuit", "gateway-instance")]))
    made = plan(
        steps,
        events,
        machines=MACHINES,
        objectives=(reach(survive=survive),),
        source_region="eastasia",
        target_region="southeastasia",
    )
    far = [*FAR.network()] if ready else BARE
    return estate(far, machines=("vm1", "vm2"), prefer_home=draw(st.booleans())), made


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(stories())
def test_the_prover_agrees_with_its_twin(story: tuple[Estate, Plan]) -> None:
    agree(*story)


@pytest.mark.parametrize("missing", [None, "prefer", "fence", "deallocate-vm1"])
def test_the_prover_agrees_with_its_twin_on_the_whole_story(missing: str | None) -> None:
    wanted: list[Step | Event] = [
        prefer(),
        connect(after=["prefer"]),
        disaster(MACHINES, after=["connect"]),
        *(failover(machine) for machine in MACHINES),
        fence(),
        returns(MACHINES, after=["failover-vm1", "failover-vm2", "fence"]),
        deallocate(MACHINES[0]),
    ]
    kept = [item for item in wanted if item.id != missing]
    names = {item.id for item in kept}
    kept = [replace(item, after=tuple(name for name in item.after if name in names)) for item in kept]
    made = plan(
        [item for item in kept if isinstance(item, Step)],
        [item for item in kept if isinstance(item, Event)],
        machines=MACHINES,
        objectives=(reach(survive=("circuit-link",)),),
        source_region="eastasia",
        target_region="southeastasia",
    )
    agree(estate(FAR.network(), machines=("vm1", "vm2")), made)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(stories())
def test_what_a_flow_does_not_pass_can_fail_beside_anything(story: tuple[Estate, Plan]) -> None:
    """The prover tries a pair of failures only where each lies on the way that the other leaves: no other counts."""
    estate_, plan_ = story
    twin = Twin.__new__(Twin)
    twin.plan = plan_
    world = start(estate_, plan_)
    for item in plan_.steps:
        world = apply(world, item.effects)
    machine = MACHINES[0]
    flow = twin._flow(machine, world)
    every = elements(world.estate)
    good = [one for one in every if twin._kind(machine, world, flow, (one,)) == "delivered"]
    for one in good[:6]:
        here = world.estate.with_outside(replace(world.estate.outside, down=world.estate.outside.down | one.down))
        forward, back = Routing(here).trace(flow)
        passed = frozenset(names_on(here, forward.hops + back.hops))
        for other in good:
            if passed.isdisjoint(other.down):
                assert twin._kind(machine, world, flow, (one, other)) == "delivered", (one, other)
