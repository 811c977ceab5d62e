"""FAILBACK: home again, and the estate as it was, with the target kept ready (S47, D65).

Machines first, then the way to them: at no moment do two networks answer for one prefix with nothing that decides.

    two circuits   machines run at home and are looked at -> the fence is lifted; the preference for the primary stays
    one circuit    the target's connection is deleted -> its routes are gone from both links -> the source's is made
                   again -> its routes are there (D65)
    new addresses  nothing to switch: both networks are connected all the time

Then commit, and protect towards the target once more. With new addresses some may go home and others stay (`some`):
both networks are connected before and after, and nothing of the way to those who stay is taken away.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from farshore.arm.ids import ResourceId
from farshore.estate.project import Link
from farshore.plan import actions, durations
from farshore.plan.builders import looks, reprotect, sites
from farshore.plan.builders.failover import disconnects
from farshore.plan.builders.provision import NetworkBuilder
from farshore.plan.builders.waves import Waves
from farshore.plan.carried import cards, renaming
from farshore.plan.design import Design, Machine
from farshore.plan.draft import Draft
from farshore.plan.machines import arrives_home
from farshore.plan.model import MachineState, Phase, SetMachine


def build(design: Design, draft: Draft, network: NetworkBuilder) -> None:
    draft.begin(Phase.FAILBACK)
    ready = _ready(design, draft)
    if ready:
        draft.begin(Phase.FAILBACK, ready)
    going, checks = _waves(design, draft)
    _way_home(design, draft, network, checks)
    _settled(design, draft, going)


def some(design: Design, draft: Draft) -> None:
    """The machines of the first boot group go home; those who stay are protected towards home already."""
    first = min(machine.planned.boot_group for machine in design.machines)
    going = replace(design, machines=tuple(m for m in design.machines if m.planned.boot_group == first))
    draft.begin(Phase.FAILBACK)
    draft.begin(Phase.FAILBACK, _ready(going, draft))
    waves, _ = _waves(going, draft, [machine for machine in design.machines if machine not in going.machines])
    _settled(going, draft, waves, whole=False)


def _waves(design: Design, draft: Draft, staying: Sequence[Machine] = ()) -> tuple[Waves, list[str]]:
    """The way home goes over after the last wave, or is there all the time: where both networks have their own
    addresses all that the user asks of a wave is asked before the next one."""
    going = Waves(design, draft, "has its routes at home", staying=staying)
    open_already = not design.kept and design.project.link is not Link.SILENT
    settle = going.settled_on_the_way(lambda members: []) if open_already else going.settled_inside()
    return going, going.go(lambda machine, after: home(design, draft, machine, after), settle=settle)


def _settled(design: Design, draft: Draft, going: Waves, *, whole: bool = True) -> None:
    """Machines that run at home have their routes, are announced, and do what the user asks of them; then it is final,
    and they are protected. `whole`: nobody stays in the target's networks, so records of endpoints lead home too."""
    path = draft.ends(but=going.asked)
    renaming.home(design, draft, path, endpoints=whole)
    going.read_routes(path, own=False)
    going.ask(inside=False, outside=True)
    last = _announced(design, draft, "home", draft.ends()) or list(draft.ends())
    for machine in design.machines:
        committed = draft.add(
            f"commit/{machine.label}",
            actions.commit(machine.planned.reverse_item),
            title=f"Commit the failback of machine {machine.label}",
            subject=machine.planned.reverse_item,
            expected=durations.COMMIT,
            after=last,
        )
        reprotect.forward(design, draft, machine, [committed])


def home(design: Design, draft: Draft, machine: Machine, after: list[str]) -> tuple[str, ResourceId, ResourceId, str]:
    """One machine fails back: a move as `Waves.go` takes it."""
    planned = machine.planned
    step = draft.add(
        f"machine/{machine.label}",
        actions.failover(
            planned.reverse_item,
            planned.id,
            # S51: a switched item is failed over in its own direction; an unmanaged one has kept its roles.
            direction="PrimaryToRecovery" if planned.managed else "RecoveryToPrimary",
            shutdown=True,
        ),
        title=f"Fail machine {machine.label} back to {design.project.source_region}, stopping it in the target first",
        subject=planned.reverse_item,
        expected=durations.FAILOVER_STOPPED,
        after=after,
        effects=[SetMachine(id=planned.target_id, state=MachineState.STOPPED), *arrives_home(design, machine)],
    )
    done = cards.home(design, draft, machine, step)
    return done, planned.id, planned.nic, planned.address


def _ready(design: Design, draft: Draft) -> list[str]:
    """Before anything moves: what should be announced now is."""
    if disconnects(design):
        return [
            looks.read_circuit(
                draft, f"ready/{circuit.name}", circuit, [str(p) for p in design.announced_there], [], ()
            )
            for circuit in design.target_circuits
        ]
    return _announced(design, draft, "ready", ())


def _announced(design: Design, draft: Draft, name: str, after: Iterable[str]) -> list[str]:
    """Each source circuit shows the source's networks."""
    return [
        looks.read_circuit(draft, f"{name}/{circuit.name}", circuit, [str(p) for p in design.announced], [], after)
        for circuit in design.source_circuits
    ]


def _way_home(design: Design, draft: Draft, network: NetworkBuilder, checks: list[str]) -> None:
    """Connectivity, once every machine runs at home."""
    after = network.build_silence(checks) or checks
    if "connection" not in design.ahead and design.kept:
        # A connection that was not wanted ahead goes, and its routes with it, before home is announced again.
        deleted = [
            draft.delete(
                f"disconnect/{id_.name}",
                id_,
                title=f"Delete the target's connection {id_.name}: it was made for the disaster",
                after=after,
            )
            for id_ in network.connection_ids()
        ]
        after = [
            looks.read_circuit(
                draft, f"circuit-clear/{c.name}", c, [], [str(prefix) for prefix in design.kept], deleted
            )
            for c in design.target_circuits
        ] or after
    if disconnects(design):
        for connection in design.connections:
            body = design.estate.get(connection.id)
            if connection.peer in design.target_circuits and body is not None:
                draft.put(
                    f"connection/{design.label(connection.id)}",
                    writable(body),
                    title=f"Make the source's connection {connection.id.name} again (D65)",
                    after=after,
                    shown=body,
                )
    sites.lift(design, draft, after)


def writable(body: dict[str, object]) -> dict[str, object]:
    """The source's own connection without what Azure adds to it."""
    properties = body.get("properties")
    assert isinstance(properties, dict)
    kept = {
        key: properties[key]
        for key in (
            "virtualNetworkGateway1",
            "connectionType",
            "peer",
            "routingWeight",
            "expressRouteGatewayBypass",
            "enablePrivateLinkFastPath",
        )
        if properties.get(key) is not None
    }
    return {
        **{key: body[key] for key in ("id", "name", "type", "location", "tags") if key in body},
        "properties": kept,
    }
