"""FAILOVER and COMMIT: machines run in the target, and the target is what a site reaches. The order is the outage's.

    the source's ARM is lost        the fence waits for nothing but the disaster: it must hold before the region can
                                    return (D51). Machines go at once where nothing serves any more; where the source
                                    serves on (grey), only once the site can't meet it
    its data plane alone is lost    ARM answers: the source's machines are deallocated now, so that they never return
    the source is healthy           machines are stopped and moved in their waves, and only then what reaches them: at
                                    no moment do two networks answer for one prefix with nothing that decides

With one circuit there is no fence at the site, since the circuit splits one prefix between two networks by itself
(E47); there the source's connection is deleted. Where its ARM is lost that probably fails (D62, E36): the failure is
expected and leaves an obligation. What decides is the circuit's own tables: only when the lost network is gone from
both links is the target connected. A grey region's network is not gone: the run stops there, and asks a person.

Machines go in waves of boot groups (`waves.py`); the network's steps that the project did not want ahead follow the
machines of a disaster, and come before those that are moved on purpose. Where the user asks something of machines they
follow the first wave, so that it can be asked over them before the second goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta

from farshore.arm.ids import ResourceId
from farshore.estate.project import Link
from farshore.plan import actions, durations
from farshore.plan.builders import checks, sites
from farshore.plan.builders.capacity import raise_bandwidth
from farshore.plan.builders.checks import Stand
from farshore.plan.builders.looks import read_circuit
from farshore.plan.builders.outage import DISASTER, gives_up_at_once
from farshore.plan.builders.provision import NetworkBuilder, check_circuits
from farshore.plan.builders.waves import Settle, Waves
from farshore.plan.carried import cards, renaming
from farshore.plan.design import Design, Machine
from farshore.plan.draft import Draft
from farshore.plan.machines import arrives_there, promised_there
from farshore.plan.model import (
    DeleteResource,
    Effect,
    Lose,
    MachineState,
    Obligation,
    Phase,
    SetMachine,
    StepKind,
)
from farshore.plan.scenario.outages import Taken
from farshore.plan.scenario.scenario import Scenario
from farshore.plan.scenario.words import Over

GUARD = "guard"
APPROVED = "approved"
"""The step by which those who must approve a failover do."""
GIVEN_UP = "given-up"
"""The step with which the source's machines are no longer the ones."""
LATEST = "Latest"
OLDER = actions.older(timedelta(minutes=15))
"""A point at least so old: what a person chooses who knows when it went wrong."""
_POINTS = {
    Over.PROCESSED: "LatestProcessed",
    Over.APPLICATION: "LatestApplicationConsistent",
    Over.CHOSEN: OLDER,
}


def build(design: Design, scenario: Scenario, taken: Taken, draft: Draft, network: NetworkBuilder) -> None:
    draft.begin(Phase.FAILOVER, [DISASTER])
    begun = _approved(design, draft)
    draft.begin(Phase.FAILOVER, begun)
    going = Waves(design, draft, "has the routes that were proven")

    def go(after: Iterable[str], settle: Settle | None) -> list[str]:
        return going.go(lambda machine, before: _over(design, scenario, taken, draft, machine, before), after, settle)

    if taken.arm and taken.runs:
        looks = _on_purpose(design, draft, network, going, go)
    else:
        looks = _in_a_disaster(design, scenario, taken, draft, network, going, go, begun)
    path = [step for step in draft.ends(but=going.asked) if step not in looks]
    renaming.there(design, draft, [*looks, *path])
    going.read_routes(path)
    going.ask(inside=False, outside=True)
    check_circuits(design, draft)
    draft.begin(Phase.FAILOVER, begun)
    raise_bandwidth(design, draft, design.target_circuits, arm=taken.arm)


def _approved(design: Design, draft: Draft) -> list[str]:
    """What the failover's first steps come after: the disaster, and the word of those who have to approve."""
    approvals = design.project.approvals
    if not approvals.failover:
        return [DISASTER]
    return [
        draft.add(
            APPROVED,
            actions.decision(
                f"{design.project.source_region} is to be given up, and its machines go to"
                f" {design.project.target.region}. Nothing has been done yet. Approve it, or leave the run as it is.",
                approvals,
            ),
            title=f"{approvals.quorum} of {', '.join(approvals.failover)} approve the failover",
            subject=f"approvals/{'/'.join(approvals.failover)}",
            expected=durations.APPROVAL,
            kind=StepKind.PERSON,
        )
    ]


Go = Callable[[Iterable[str], Settle | None], list[str]]
"""Sends the waves after these steps; returns the looks at the machines."""


def _in_a_disaster(
    design: Design,
    scenario: Scenario,
    taken: Taken,
    draft: Draft,
    network: NetworkBuilder,
    going: Waves,
    go: Go,
    begun: list[str],
) -> list[str]:
    guards = sites.fence(design, draft)
    # What is lost announces nothing that a site would follow: the fence is for its return, and no wave waits for it.
    beside = [] if taken.announces else list(guards)
    if disconnects(design):
        guards += _disconnect(design, taken, draft)
    if taken.arm:
        _stop(design, draft)
    network.build_transit()
    way: list[str] = []

    def build_way(after: Iterable[str]) -> None:
        if not _whole_network_ahead(design):
            draft.begin(Phase.FAILOVER, after)
            network.build(ahead=False)
            draft.begin(Phase.FAILOVER, begun)
        if "connection" not in design.ahead:
            network.build_connections(guards)

    def way_to(members: Sequence[Machine]) -> list[str]:
        """The way is asked for by the first wave, and then it is there: it is built once that one has gone over."""
        first = [going.looked[machine.id] for machine in members]
        if len(going.looked) == len(members):
            build_way(first)
            way.extend(step for step in draft.ends() if step not in first and step not in beside)
        return way

    settle = going.settled_on_the_way(way_to)
    looks = go(() if gives_up_at_once(design, scenario, taken) else [_given_up(design, draft, guards)], settle)
    if settle is None:
        build_way(looks)
    return looks


def _on_purpose(design: Design, draft: Draft, network: NetworkBuilder, going: Waves, go: Go) -> list[str]:
    if not _whole_network_ahead(design):
        network.build(ahead=False)
    open_already = not design.kept and design.project.link is not Link.SILENT and "connection" in design.ahead
    settle = going.settled_on_the_way(lambda members: []) if open_already else going.settled_inside()
    looks = go(draft.ends(), settle)
    draft.begin(Phase.FAILOVER, looks)
    guards = sites.fence(design, draft)
    if disconnects(design):
        guards += _disconnect(design, None, draft)
    network.build_transit()
    if "connection" not in design.ahead:
        network.build_connections(guards or looks)
    return looks


def _whole_network_ahead(design: Design) -> bool:
    return design.ahead >= {"routeTables", "appliances", "gateway", "peerings"}


def commit(design: Design, scenario: Scenario, draft: Draft) -> None:
    """The choice is final; where the point is changed before, machines are looked at and asked again first (S44)."""
    draft.begin(Phase.COMMIT)
    looked: dict[ResourceId, str] = {}
    if scenario.over is Over.CHANGED:
        looked = {machine.id: _changed(design, draft, machine) for machine in design.machines}
    standing = {
        machine.id: Stand(
            vm=machine.planned.target_id, address=machine.planned.target_address, looked=looked[machine.id]
        )
        for machine in design.machines
        if machine.id in looked
    }
    asked = checks.build(design, draft, standing, inside=True, outside=True)
    for machine in design.machines:
        draft.add(
            f"machine/{machine.label}",
            actions.commit(machine.planned.item),
            title=f"Commit the failover of machine {machine.label}: its recovery points go (S44)",
            subject=machine.planned.item,
            expected=durations.COMMIT,
            after=[looked.get(machine.id), *asked],
        )


def _shared(design: Design, draft: Draft, group: str, point: str, after: Iterable[str] = ()) -> str:
    """The step that chooses the point of one moment for a consistency group: one for all of its machines (S58)."""
    name = f"shared-point/{group}"
    there = f"{draft.phase.value}/{name}"
    if any(step.id == there for step in draft.steps):
        return there
    members = [machine for machine in design.machines if machine.group == group]
    return draft.add(
        name,
        actions.shared_point([machine.planned.item for machine in members], point),
        title=f"One recovery point for {', '.join(machine.label for machine in members)}: of one moment (S26)",
        subject=members[0].planned.item,
        expected=durations.LOOK,
        kind=StepKind.CHECK,
        after=after,
    )


def _changed(design: Design, draft: Draft, machine: Machine) -> str:
    planned = machine.planned
    chosen = None if machine.group is None else _shared(design, draft, machine.group, OLDER)
    changed = draft.add(
        f"point/{machine.label}",
        actions.change_point(planned.item, planned.target_id, OLDER if chosen is None else actions.of_step(chosen)),
        title=f"Machine {machine.label} is made again of an older recovery point (S44)",
        subject=planned.item,
        expected=durations.FAILOVER,
        after=[chosen],
        effects=arrives_there(design, machine),
    )
    return draft.add(
        f"check/{machine.label}",
        actions.check_machine(planned.target_id, planned.target_nic, planned.target_address),
        title=f"Machine {machine.label} runs with its address {planned.target_address}",
        subject=planned.target_id,
        expected=durations.CHECK_MACHINE,
        kind=StepKind.CHECK,
        after=[changed],
    )


def disconnects(design: Design) -> bool:
    """One circuit that would hold both networks with kept prefixes: the source must be disconnected first (D60)."""
    return bool(design.kept) and design.one_circuit


def obligation(design: Design, steps: Iterable[str]) -> Obligation:
    """What is owed once the region is lost, whatever else happens (D62 to D64, D92)."""
    region = design.project.source_region
    because = f"When {region} returns, its machines start again by themselves with the data they had when it was lost."
    if disconnects(design):
        because += " Its gateway is still connected to the circuit that the target uses now, and packets would split."
    elif design.kept:
        because += " Its gateway announces the networks that have moved; the sites' fence keeps traffic from them."
    return Obligation(
        id=GUARD,
        title=f"Watch for {region}'s return; then "
        + ("delete its connection at once and " if disconnects(design) else "")
        + "deallocate its machines before anything else",
        because=because,
        discharged_by=tuple(steps),
        source=("D51", "D62", "D63", "D64", "D92"),
    )


def _disconnect(design: Design, taken: Taken | None, draft: Draft) -> list[str]:
    """The source leaves the circuit that the target will use, and the circuit's tables say that it has. `taken` where
    its ARM may be lost: then the delete may fail, and a network that announces on is a person's to end."""
    lost = taken is not None and not taken.arm
    steps = []
    for connection in design.connections:
        if connection.peer not in design.target_circuits:
            continue
        assert connection.peer is not None
        before = draft.add(
            f"disconnect/{design.label(connection.id)}",
            actions.delete(connection.id),
            title=f"Delete the lost region's connection {connection.id.name}; this may fail (D62)"
            if lost
            else f"Delete the source's connection {connection.id.name}: one circuit holds one network (D60)",
            subject=connection.id,
            expected=durations.REFUSED_DELETE if lost else durations.for_delete(connection.id.type),
            effects=[DeleteResource(id=connection.id)],
            may_fail=lost,
            obligation=GUARD if lost else None,
        )
        if lost and taken is not None and taken.announces:
            before = _asked(design, draft, connection.id, connection.peer, before)
        steps.append(
            read_circuit(
                draft,
                f"circuit-clear/{connection.peer.name}",
                connection.peer,
                [],
                [str(prefix) for prefix in design.kept],
                [before],
                says="the lost networks are gone from both links (D62)"
                if taken is not None
                else "the source's networks are gone from both links (D60)",
            )
        )
    return steps


def _asked(design: Design, draft: Draft, connection: ResourceId, circuit: ResourceId, after: str) -> str:
    """A grey region and no fence at hand: a person decides, and nothing is connected before the circuit is clear."""
    region = design.project.source_region
    return draft.add(
        f"withdrawn/{design.label(connection)}",
        actions.decision(
            f"ARM of {region} does not answer, and its gateway goes on announcing to circuit {circuit.name}. Two"
            " networks of the same addresses on one circuit split its traffic, so the target is not connected. Decide:"
            f" wait, or have Microsoft take connection {connection.name} off the circuit. Approve once that is done;"
            " the circuit's tables are read before anything goes on. If ARM answers again while you wait, delete that"
            " connection yourself, and approve; or, where the region serves again, end the run (farshore runs cancel).",
            design.project.approvals,
        ),
        title=f"A person decides about {region}, whose gateway still announces (D62, E36)",
        subject=connection,
        expected=durations.WITHDRAWN_PERSON,
        kind=StepKind.PERSON,
        after=[after],
        effects=[Lose(elements=(connection.key,))],
    )


def _given_up(design: Design, draft: Draft, after: list[str]) -> str:
    """A grey region's machines can't be stopped, and serve each other besides the site; those of one that may return
    any time would. So all of them are given up at one moment, once no site can meet them: what they write from then on
    is lost, and the target's are the machines."""
    region = design.project.source_region
    own = [str(prefix) for site in design.estate.sites for prefix in site.prefixes]
    circuits, absent = (
        (design.target_circuits, [str(prefix) for prefix in design.kept])
        if design.one_circuit
        else (design.source_circuits, own)
    )
    for circuit in circuits[:-1]:
        read = read_circuit(draft, f"unmet/{circuit.name}", circuit, [], absent, after)
        after = [*after, read]
    effects: list[Effect] = [SetMachine(id=machine.id, state=MachineState.STALE) for machine in design.machines]
    return read_circuit(
        draft,
        f"{GIVEN_UP}/{region}",
        circuits[-1],
        [],
        absent,
        after,
        says=f"no site meets the machines in {region}; they are given up (D92)",
        effects=[*effects, *(promised_there(machine) for machine in design.machines)],
    )


def _stop(design: Design, draft: Draft) -> None:
    """ARM answers, so the source's machines can be kept from ever returning with old data (D92)."""
    for machine in design.machines:
        draft.add(
            f"deallocate/{machine.label}",
            actions.deallocate(machine.id),
            title=f"Deallocate machine {machine.label} in the source, so that it never returns with old data (D92)",
            subject=machine.id,
            expected=durations.DEALLOCATE,
            effects=[SetMachine(id=machine.id, state=MachineState.STOPPED)],
        )


def _over(
    design: Design, scenario: Scenario, taken: Taken, draft: Draft, machine: Machine, after: list[str]
) -> tuple[str, ResourceId, ResourceId, str]:
    planned = machine.planned
    shutdown = taken.arm and taken.runs
    effects: list[Effect] = list(arrives_there(design, machine))
    if shutdown:
        # It serves until now.
        stopped = SetMachine(id=machine.id, state=MachineState.STOPPED)
        effects = [stopped, *effects, promised_there(machine)]
    point, chosen = _POINTS.get(scenario.over, LATEST), None
    if machine.group is not None and not shutdown:
        chosen = _shared(design, draft, machine.group, point, after)
        point = actions.of_step(chosen)
    step = draft.add(
        f"machine/{machine.label}",
        actions.failover(
            planned.item, planned.target_id, direction="PrimaryToRecovery", shutdown=shutdown, point=point
        ),
        title=f"Fail machine {machine.label} over to {design.project.target.region}"
        + (", stopping it first" if shutdown else ""),
        subject=planned.item,
        expected=durations.FAILOVER_STOPPED if shutdown else durations.FAILOVER,
        after=[*after, chosen],
        effects=effects,
    )
    done = cards.there(design, draft, machine, step)
    return done, planned.target_id, planned.target_nic, planned.target_address
