"""The plan that brings an abandoned run's estate back: first the machines, then what was built for them.

Where every machine is at home, and stayed there, nothing is left but to undo what the run has done, the last thing
first. The claims are those of any plan: at every moment of the way the promised flows are safe, and at its end they
arrive. What nothing can undo, or somebody else uses by now, is in `remains`.
"""

from __future__ import annotations

from dataclasses import replace

from farshore.arm.connectivity import Connection
from farshore.errors import InputError
from farshore.estate.estate import Estate
from farshore.plan.abandon import homeward, sites, turned, undo, used
from farshore.plan.abandon.values import Begun
from farshore.plan.builders import looks
from farshore.plan.design import Design
from farshore.plan.draft import Draft
from farshore.plan.drift import digests
from farshore.plan.make import designed, with_expected_routes
from farshore.plan.model import Effect, Phase, Plan, PlannedMachine, Promise, Remains
from farshore.plan.scenario.scenario import scenario_named


def make_abandonment(begun: Begun, now: Estate) -> Plan:
    """The plan from `now` (as `as_left` says) back to how it was before the run. Raises `InputError` where there is
    nothing to undo."""
    design = designed(begun.before, scenario_named(begun.plan.scenario))
    built = undo.added(begun, now, design)
    staying = used.kept(begun.before, now, built, undo.machines_own(design))
    groups = {id_ for id_ in built if id_.is_a(undo.GROUPS)}
    gone = [id_ for id_ in built if id_ not in staying and id_ not in groups]
    where = homeward.whereabouts(design, now)
    away = homeward.lent(now, design, where)
    undos = [
        *undo.undos(begun, now, design, gone, away),
        *sites.undos(begun, now, design),
        *homeward.undos(now, design, where, homeward.failovers(begun, design)),
    ]
    if not undos:
        raise InputError(
            "There is nothing to undo: everything is as it was before the run",
            expected="a run that has changed something",
            remedy="farshore runs cancel ends it",
        )
    draft = Draft(now)
    machines = homeward.placed(begun, design, where)
    owed = homeward.build(begun, now, design, where, draft)
    _ready(begun, [c for c in design.connections if now.get(c.id) is not None and c.id not in away], design, draft)
    draft.begin(Phase.ABANDON)
    turned.undo(draft, begun.plan, undos)
    _settled(design, draft, machines)
    remains = [*undo.remains(begun, now), *(Remains(id=i.text, why=why) for i, why in sorted(staying.items()))]
    plan = Plan(
        estate=now.fingerprint,
        scenario=begun.plan.scenario,
        topology=begun.plan.topology,
        # One phase: what is promised at the end of it is promised when all is undone.
        steps=tuple(replace(step, phase=Phase.ABANDON) for step in draft.steps),
        obligations=(*owed, *homeward.doubled(now, design, away, draft.steps)),
        machines=machines,
        objectives=begun.plan.objectives,
        source_region=begun.plan.source_region,
        target_region=begun.plan.target_region,
        made_from=digests(now),
        remains=tuple(remains),
    )
    return replace(plan, steps=with_expected_routes(plan, now))


def _ready(begun: Begun, standing: list[Connection], design: Design, draft: Draft) -> None:
    """Where something was lost: what is to be relied on again is there, before anything else that serves is taken."""
    if not any(event.id in begun.done for event in begun.plan.events):
        return
    draft.begin(Phase.ABANDON)
    present = [str(prefix) for prefix in design.announced]
    for circuit in dict.fromkeys(connection.peer for connection in standing):
        if circuit is not None:
            looks.read_circuit(draft, f"ready/{circuit.name}", circuit, present, [], ())


def _settled(design: Design, draft: Draft, machines: tuple[PlannedMachine, ...]) -> None:
    """What is looked at when all is undone: the circuits announce the source, the machines have their routes."""
    ends = draft.ends()
    present = [str(prefix) for prefix in design.announced]
    reads = [looks.read_circuit(draft, f"home/{c.name}", c, present, [], ends) for c in design.source_circuits]
    settled = {planned.id: planned.settled for planned in machines}
    for machine in design.machines:
        nic = machine.planned.nic
        again: list[Effect] = [] if settled[machine.id] else [Promise(machine=machine.id, nic=nic)]
        looks.routes(draft, machine, nic, "has its routes as before", reads or ends, again)
