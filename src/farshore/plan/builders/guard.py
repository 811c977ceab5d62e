"""RETURN: what was lost comes back, and old machines with it (D63, D64, D92).

Where the source's ARM was lost the watch is on before the region shows life, asks ARM and the circuit at most ten
seconds apart, and never gives up. Then, in this order: where one circuit holds both networks, the source's connection
is deleted at once; the returned machines are deallocated, never deleted, because reprotect needs them (S46, X19); and
it is read, not believed, that the fence still holds. Of a grey region the circuit can't tell: it announced all along.

Where ARM answered all along, nothing is left that could return: it is read once more.

Of a region that may return early the guard is on from the loss on, beside the failover: the connection goes with the
first sign of life, machines are deallocated once they have been given up, and what holds is read when all is done.
"""

from __future__ import annotations

from collections.abc import Iterable

from farshore.arm.connectivity import Connection
from farshore.arm.ids import ResourceId
from farshore.plan import actions, durations
from farshore.plan.builders import looks
from farshore.plan.builders.failover import GIVEN_UP, disconnects
from farshore.plan.design import Design, Machine
from farshore.plan.draft import Draft
from farshore.plan.model import DeleteResource, Effect, MachineState, Phase, Restore, SetMachine, StepKind
from farshore.plan.scenario.outages import Taken
from farshore.plan.scenario.scenario import Scenario
from farshore.plan.scenario.words import Returns

PERSISTENT = 90
"""Attempts 20 s apart to delete the returned region's connection: its gateway may answer later than its ARM."""


def build(
    design: Design,
    scenario: Scenario,
    taken: Taken,
    draft: Draft,
    events: tuple[str, ...],
    moved: tuple[str, ...],
) -> list[str]:
    """Returns the steps that discharge the guard's obligation; none where nothing is owed. `moved`: the last steps of
    the failover."""
    if not events:
        return []
    early = scenario.returns is Returns.EARLY
    draft.begin(Phase.RETURN, events if early else events[:1])
    if taken.arm:
        verify(design, draft)
        return []
    cut = disconnects(design)
    fenced = [_watch(design, taken, draft, cut)]
    if events[1:] and scenario.returns is Returns.DATA_FIRST:
        # Its machines can be met, and its ARM can't be asked to stop them yet: the fence stands, and nothing else does.
        fenced = [_watch_arm(design, draft, events[-1], fenced)]
    discharging = []
    if cut:
        fenced = [
            disconnect(
                design, draft, connection.id, fenced, "the returned region's connection", _healed(taken, connection)
            )
            for connection in design.connections
            if connection.peer in design.target_circuits
        ]
        discharging += fenced
    if early:
        given_up = [step.id for step in draft.steps if step.id.startswith(f"{Phase.FAILOVER.value}/{GIVEN_UP}/")]
        draft.begin(Phase.RETURN, [*fenced, *given_up])
        fenced = []
    for machine in design.machines:
        discharging.append(stop(draft, machine, fenced, f"the returned machine {machine.label}"))
    if early:
        draft.begin(Phase.RETURN, [*draft.ends(), *moved])
        verify(design, draft, ())
        return discharging
    verify(design, draft)
    if events[1:] and scenario.returns is not Returns.DATA_FIRST:
        _watch_arm(design, draft, events[-1], draft.ends())
    return discharging


def _watch(design: Design, taken: Taken, draft: Draft, cut: bool) -> str:
    region = design.project.source_region
    circuit = None if taken.announces else next(iter(design.source_circuits), None)
    return draft.add(
        f"watch/{region}",
        actions.await_region(
            region,
            probe=probe_of(design),
            circuit=circuit,
            prefixes=[str(prefix) for prefix in design.announced],
            rows="more" if cut else "any",
        ),
        title=f"Watch for the first sign of life of {region}: its ARM"
        + ("" if circuit is None else ", or its networks on the circuit"),
        subject=probe_of(design),
        expected=durations.WATCH,
        kind=StepKind.CHECK,
    )


def _watch_arm(design: Design, draft: Draft, event: str, after: Iterable[str]) -> str:
    """Where a region comes back in parts: nothing of it is written before its ARM answers for good."""
    region = design.project.source_region
    draft.begin(Phase.RETURN, [*after, event])
    return draft.add(
        f"watch-arm/{region}",
        actions.await_region(region, probe=probe_of(design), circuit=None, prefixes=[]),
        title=f"Watch until ARM of {region} answers for good",
        subject=probe_of(design),
        expected=durations.WATCH,
        kind=StepKind.CHECK,
    )


def _healed(taken: Taken, connection: Connection) -> list[Effect]:
    """What a person had taken off the circuit may be put on again: the connection is gone by then."""
    return [Restore(elements=(connection.id.key,))] if taken.announces else []


def stop(draft: Draft, machine: Machine, after: list[str], called: str) -> str:
    """Deallocated, never deleted: reprotect needs it (S46, X19)."""
    return draft.add(
        f"deallocate/{machine.label}",
        actions.deallocate(machine.id),
        title=f"Deallocate {called}; it has old data (D92)",
        subject=machine.id,
        expected=durations.DEALLOCATE,
        after=after,
        effects=[SetMachine(id=machine.id, state=MachineState.STOPPED)],
    )


def disconnect(
    design: Design,
    draft: Draft,
    connection: ResourceId,
    after: list[str],
    called: str,
    effects: Iterable[Effect] = (),
) -> str:
    """Deleted however late the gateway answers; `effects`: what else it means."""
    return draft.add(
        f"disconnect/{design.label(connection)}",
        actions.delete(connection, attempts=PERSISTENT),
        title=f"Delete {called} {connection.name} at once (D64)",
        subject=connection,
        expected=durations.for_delete(connection.type),
        after=after,
        effects=[DeleteResource(id=connection), *effects],
    )


def verify(design: Design, draft: Draft, after: Iterable[str] | None = None) -> None:
    """Read every circuit once all else of the phase is done (`after`: what else it stands on): the site hears the
    target, and where a fence stands the source's circuit hears nothing of the site's."""
    ends = draft.ends() if after is None else after
    expected: dict[ResourceId, tuple[list[str], list[str]]] = {}
    for circuit in design.target_circuits:
        expected[circuit] = ([str(prefix) for prefix in design.announced_there], [])
    if design.kept and not design.one_circuit:
        for site in design.estate.sites:
            for router in site.routers:
                if router.circuit in design.source_circuits:
                    expected[router.circuit] = ([], [str(prefix) for prefix in site.prefixes])
    for circuit, (present, absent) in expected.items():
        says = "the fence holds" if absent else "the target is announced on both links"
        looks.read_circuit(draft, f"verify/{circuit.name}", circuit, present, absent, ends, says=says)


def probe_of(design: Design) -> ResourceId:
    """A resource that lives in the region: the gateway whose return matters, else a machine."""
    return design.gateways[0].id if design.gateways else design.machines[0].id
