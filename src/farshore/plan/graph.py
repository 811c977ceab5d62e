"""Time on the plan's graph: when each step can end, which chain decides, and when a machine is served again.

Steps run as soon as what they come after has ended; as many at once as the graph allows (the run's width and Azure's
limits are wider than any plan here). So a step's end is its own duration after the latest end below it, and the
critical path is found backwards from the step that ends last.

A machine's recovery begins with the end of its service (`interruption.py`). Where a disaster is that end, `DECISION`
passes before anybody acts; then its own failover and the waves before it, and the steps that bring its network to the
sites. It is served when both are done. A fence is a part of it only where the source goes on announcing: a lost region
announces nothing to be fenced off yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from farshore.arm.ids import resource_id
from farshore.arm.network import CONNECTIONS, PEERINGS
from farshore.plan.durations import CONVERGENCE, DECISION
from farshore.plan.interruption import cut_by, lost_at_once, struck, takes_effect_at_its_end
from farshore.plan.model import Event, Lose, Phase, Plan, PutResource, SetRouter, Step, order


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """A chain of steps, first to last, and how long it takes."""

    steps: tuple[str, ...]
    duration: timedelta


def finish_times(steps: Iterable[Step], events: Iterable[Event] = ()) -> dict[str, timedelta]:
    """Each step's earliest end, from the moment when the first can start. Events take no time; what is not among
    these steps counts as done."""
    steps, events = tuple(steps), tuple(events)
    here = {step.id for step in steps} | {event.id for event in events}
    alone = tuple(replace(step, after=tuple(id_ for id_ in step.after if id_ in here)) for step in steps)
    silent = tuple(replace(event, after=tuple(id_ for id_ in event.after if id_ in here)) for event in events)
    both: tuple[Step | Event, ...] = (*alone, *silent)
    nodes = {node.id: node for node in both}
    ends: dict[str, timedelta] = {}
    for id_ in order(alone, silent):
        node = nodes[id_]
        begin = max((ends[before] for before in node.after), default=timedelta(0))
        ends[id_] = begin + (node.expected_duration if isinstance(node, Step) else timedelta(0))
    return ends


def critical_path(plan: Plan, *phases: Phase) -> Path:
    """The chain that decides how long these phases take (all of them where none is named)."""
    steps = plan.of_phase(*phases) if phases else plan.steps
    events = () if phases else plan.events
    ends = finish_times(steps, events)
    if not ends:
        return Path(steps=(), duration=timedelta(0))
    last = max(ends, key=lambda id_: ends[id_])
    real = {step.id for step in steps}
    chain = _chain(last, (*steps, *events), ends)
    return Path(steps=tuple(id_ for id_ in chain if id_ in real), duration=ends[last])


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """When a machine is served again, and the chain that decides it."""

    machine: str
    """The machine's id in lower case."""
    boot_group: int
    seconds: float
    """From the end of its service."""
    begins: timedelta
    """From the start of the failover until its service ends; nothing where the disaster ends it."""
    cut: str | None
    """The step that ends its service (`takes_effect_at_its_end`); None where the disaster does."""
    path: Path
    """Steps of FAILOVER, the last of them the machine's own or the network's, whichever ends later."""


def predicted_recovery(plan: Plan) -> dict[str, float]:
    """Machine (id in lower case) to the seconds from the end of its service until it is served again; without those
    whose service never ends."""
    return {found.machine: found.seconds for found in recoveries(plan)}


def recoveries(plan: Plan) -> tuple[Recovered, ...]:
    """Every machine whose service ends and begins again, in the plan's order."""
    steps = plan.of_phase(Phase.FAILOVER)
    ends = finish_times(steps)
    begins = {
        step.id: ends[step.id] - (timedelta(0) if takes_effect_at_its_end(step) else step.expected_duration)
        for step in steps
    }
    network = max((step.id for step in bringing_steps(plan)), key=lambda id_: ends[id_], default=None)
    path = timedelta(0) if network is None else ends[network]
    if path:
        path += CONVERGENCE.duration
    moves = {str(step.action.arguments["vm"]).lower(): step.id for step in steps if step.action.verb == "failover"}
    found = []
    for machine in plan.machines:
        move = moves.get(machine.target_id.key)
        cut = min(cut_by(plan, machine), key=lambda id_: begins[id_], default=None)
        if lost_at_once(plan, machine):
            begin = -DECISION.duration
        elif cut is not None and move is not None:
            begin = begins[cut]
        else:
            continue
        own = timedelta(0) if move is None else ends[move]
        last = network if path > own else move
        if last is not None:
            served = max(own, path)
            found.append(
                Recovered(
                    machine=machine.id.key,
                    boot_group=machine.boot_group,
                    seconds=(served - begin).total_seconds(),
                    begins=max(begin, timedelta(0)),
                    cut=cut,
                    path=Path(steps=_chain(last, steps, ends), duration=served),
                )
            )
    return tuple(found)


def _chain(last: str, nodes: Iterable[Step | Event], ends: Mapping[str, timedelta]) -> tuple[str, ...]:
    """What a step waits for, first to last: of all that it comes after, always what ends last."""
    after = {node.id: node.after for node in nodes}
    chain = [last]
    while before := [id_ for id_ in after[chain[-1]] if id_ in ends]:
        chain.append(max(before, key=lambda id_: ends[id_]))
    return tuple(reversed(chain))


def bringing_steps(plan: Plan) -> tuple[Step, ...]:
    """The steps of the failover that make sites meet the machines where they are promised."""
    announced = _serves_on(plan)
    return tuple(step for step in plan.of_phase(Phase.FAILOVER) if _brings_the_network(step, fences=announced))


def _serves_on(plan: Plan) -> bool:
    """Whether the source's gateways go on announcing after the disaster, so that sites must be turned away from it."""
    event = struck(plan)
    lost = [] if event is None else [effect for effect in event.effects if isinstance(effect, Lose)]
    return not any(name.startswith("region:") for effect in lost for name in effect.elements)


def _brings_the_network(step: Step, *, fences: bool) -> bool:
    """Whether the step makes a site meet the target: a connection, a peering with transit; with `fences` a router."""
    for effect in step.effects:
        if isinstance(effect, SetRouter) and fences:
            return True
        if isinstance(effect, PutResource):
            id_ = resource_id(str(effect.body["id"]))
            transit = (effect.body.get("properties") or {}).get("useRemoteGateways") is True
            if id_.is_a(CONNECTIONS) or (id_.is_a(PEERINGS) and transit):
                return True
    return False
