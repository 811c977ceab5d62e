"""FAILOVER and COMMIT: the region is lost; machines run in the target, and the target is what a site reaches.

The fence waits for nothing but the disaster: it must hold before the region can return (D51). With one circuit there
is no fence at the site, since the circuit splits one prefix between two networks by itself (E47); there the source's
connection is deleted. That is a write to the lost region and probably fails (D62, E36): the failure is expected and
leaves an obligation. What decides is the circuit's own tables: only when the lost network is gone from both links is
the target connected.

Machines go in waves of boot groups; the network's steps that the project did not want ahead follow the machines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from farshore.arm.ids import ResourceId
from farshore.plan import actions, durations
from farshore.plan.builders import sites
from farshore.plan.builders.provision import NetworkBuilder, check_circuits
from farshore.plan.design import Design, Machine
from farshore.plan.draft import Draft
from farshore.plan.machines import arrives_there
from farshore.plan.model import DeleteResource, Effect, Lose, Obligation, Phase, Promise, StepKind

DISASTER = "disaster"
GUARD = "guard"


def disaster(design: Design, draft: Draft) -> None:
    """The event: the source region is gone, and from now on the machines are promised in the target."""
    region = design.project.source_region
    effects: list[Effect] = [Lose(elements=(f"region:{region}",))]
    effects += [Promise(machine=m.id, nic=m.planned.target_nic) for m in design.machines]
    draft.event(DISASTER, f"Region {region} is lost", effects)


def build(design: Design, draft: Draft, network: NetworkBuilder) -> None:
    draft.begin(Phase.FAILOVER, [DISASTER])
    guards = sites.fence(design, draft)
    if disconnects(design):
        guards += _disconnect(design, draft)
    network.build_transit()
    checks = waves(design, draft, lambda machine, after: _over(design, draft, machine, after))
    if not design.ahead >= {"routeTables", "appliances", "gateway", "peerings"}:
        draft.begin(Phase.FAILOVER, checks)
        network.build(ahead=False)
        draft.begin(Phase.FAILOVER, [DISASTER])
    if "connection" not in design.ahead:
        network.build_connections(guards)
    path = [step for step in draft.ends() if step not in checks]
    for machine, check in zip(design.machines, checks, strict=True):
        draft.add(
            f"routes/{machine.label}",
            actions.check_routes(machine.planned.target_nic, []),
            title=f"Machine {machine.label} has the routes that were proven",
            subject=machine.planned.target_nic,
            expected=durations.LOOK,
            kind=StepKind.CHECK,
            after=[check, *path],
        )
    check_circuits(design, draft)


def commit(design: Design, draft: Draft) -> None:
    draft.begin(Phase.COMMIT)
    for machine in design.machines:
        draft.add(
            f"machine/{machine.label}",
            actions.commit(machine.planned.item),
            title=f"Commit the failover of machine {machine.label}: its recovery points go (S44)",
            subject=machine.planned.item,
            expected=durations.COMMIT,
        )


Move = Callable[[Machine, list[str]], tuple[str, ResourceId, ResourceId, str]]
"""Adds the step that moves a machine; says its id, and the machine, NIC and address to find afterwards."""


def waves(design: Design, draft: Draft, move: Move) -> list[str]:
    """Fail machines over in their boot groups, each group after the one before has been looked at (S53); returns the
    checks, in the order of `design.machines`."""
    checks: dict[ResourceId, str] = {}
    before: list[str] = []
    for group in sorted({machine.planned.boot_group for machine in design.machines}):
        members = [machine for machine in design.machines if machine.planned.boot_group == group]
        for machine in members:
            moved, vm, nic, address = move(machine, before)
            checks[machine.id] = draft.add(
                f"check/{machine.label}",
                actions.check_machine(vm, nic, address),
                title=f"Machine {machine.label} runs with its address {address}",
                subject=vm,
                expected=durations.CHECK_MACHINE,
                kind=StepKind.CHECK,
                after=[moved],
            )
        before = [checks[machine.id] for machine in members]
    return [checks[machine.id] for machine in design.machines]


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


def _disconnect(design: Design, draft: Draft) -> list[str]:
    steps = []
    for connection in design.connections:
        if connection.peer not in design.target_circuits:
            continue
        deleted = draft.add(
            f"disconnect/{design.label(connection.id)}",
            actions.delete(connection.id),
            title=f"Delete the lost region's connection {connection.id.name}; this may fail (D62)",
            subject=connection.id,
            expected=durations.REFUSED_DELETE,
            effects=[DeleteResource(id=connection.id)],
            may_fail=True,
            obligation=GUARD,
        )
        assert connection.peer is not None
        steps.append(
            draft.add(
                f"circuit-clear/{connection.peer.name}",
                actions.read_circuit(
                    actions.expect_circuit(connection.peer, absent=[str(prefix) for prefix in design.kept])
                ),
                title=f"Read circuit {connection.peer.name}: the lost networks are gone from both links (D62)",
                subject=connection.peer,
                expected=durations.LOOK,
                kind=StepKind.CHECK,
                after=[deleted],
            )
        )
    return steps


def _over(design: Design, draft: Draft, machine: Machine, after: list[str]) -> tuple[str, ResourceId, ResourceId, str]:
    planned = machine.planned
    step = draft.add(
        f"machine/{machine.label}",
        actions.failover(planned.item, planned.target_id, direction="PrimaryToRecovery", shutdown=False),
        title=f"Fail machine {machine.label} over to {design.project.target.region}",
        subject=planned.item,
        expected=durations.FAILOVER,
        after=after,
        effects=arrives_there(design, machine),
    )
    return step, planned.target_id, planned.target_nic, planned.target_address
