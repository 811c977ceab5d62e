"""The machines of an abandoned run: where each is now, and its way home.

    home       nothing, or no more than a start: what it has is the newest
    over       failed over                                     commit
    committed                                                  reprotect
    reversed   protected towards home                          failback
    back       failed back                                     commit
    settled    committed at home                               reprotect

Site Recovery knows no way back from a failover but this one: an item that has failed over allows Commit and ChangePit
and no CancelFailover (S19, S44). So each machine goes on from where it is, by the steps of any return.

What a region left running when it was lost is older than what has been promised since: it is stopped first of all, and
where one circuit would hold both networks the source's connection goes at once (D60, D64, D92). Nobody stood guard
until then: that is owed from the beginning (`Obligation.standing`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from farshore.arm.compute import RUNNING
from farshore.arm.connectivity import Connection
from farshore.arm.ids import ResourceId
from farshore.arm.recovery import COMMIT_PENDING, COMMITTED
from farshore.estate.estate import Estate
from farshore.plan import actions, durations
from farshore.plan.abandon import undo
from farshore.plan.abandon.values import Begun, Undo
from farshore.plan.builders import failback, guard, reprotect
from farshore.plan.builders.failover import disconnects
from farshore.plan.builders.waves import Waves
from farshore.plan.design import Design, Machine
from farshore.plan.draft import Draft
from farshore.plan.model import (
    DeleteResource,
    Obligation,
    Phase,
    PlannedMachine,
    PutResource,
    Shore,
    Step,
)
from farshore.plan.scenario.outages import Answer, answer_of
from farshore.plan.scenario.scenario import scenario_named


class Stage(StrEnum):
    HOME = "home"
    OVER = "over"
    COMMITTED = "committed"
    REVERSED = "reversed"
    BACK = "back"
    SETTLED = "settled"


AWAY = frozenset({Stage.OVER, Stage.COMMITTED, Stage.REVERSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """Every machine's stage, by its id in lower case."""

    stages: Mapping[str, Stage]

    def at(self, machine: Machine, *stages: Stage) -> bool:
        return self.stages[machine.id.key] in stages

    def those(self, design: Design, *stages: Stage) -> tuple[Machine, ...]:
        return tuple(machine for machine in design.machines if self.at(machine, *stages))


def whereabouts(design: Design, now: Estate) -> Whereabouts:
    """Where each machine is, by the items as they are read."""
    return Whereabouts(stages={machine.id.key: _stage(machine.planned, now) for machine in design.machines})


def _stage(planned: PlannedMachine, now: Estate) -> Stage:
    item = (now.get(planned.item) or {}).get("properties") or {}
    if planned.managed and (switched := now.get(planned.reverse_item)) is not None:
        state = (switched.get("properties") or {}).get("protectionState")
        return {COMMIT_PENDING: Stage.BACK, COMMITTED: Stage.SETTLED}.get(str(state), Stage.REVERSED)
    state = item.get("protectionState")
    if not planned.managed and item.get("activeLocation") == "Primary":
        return {COMMIT_PENDING: Stage.BACK, COMMITTED: Stage.SETTLED}.get(str(state), Stage.HOME)
    known = {COMMIT_PENDING: Stage.OVER, COMMITTED: Stage.COMMITTED}
    away = Stage.REVERSED if not planned.managed and item.get("activeLocation") == "Recovery" else Stage.HOME
    return known.get(str(state), away)


def placed(begun: Begun, design: Design, where: Whereabouts) -> tuple[PlannedMachine, ...]:
    """The machines with where they are, and whether anybody may count on them there."""
    settled = _is_settled(begun, design)
    return tuple(
        replace(m.planned, at=Shore.THERE if where.at(m, *AWAY) else Shore.HOME, settled=settled)
        for m in design.machines
    )


def _is_settled(begun: Begun, design: Design) -> bool:
    """Nobody counts on what is on its way: from the first step of a failover to its last, and on the way home."""
    plan = begun.plan
    if answer_of(scenario_named(plan.scenario), design) is Answer.HOLD:
        return True
    moving = {step.id for step in plan.of_phase(Phase.FAILOVER)}
    home = {step.id for step in plan.of_phase(Phase.FAILBACK)}
    happened = any(event.id in begun.done for event in plan.events)
    return not happened or (moving <= begun.done and not home & begun.touched)


# The way. ----------------------------------------------------------------------------------------------------------


def build(begun: Begun, now: Estate, design: Design, where: Whereabouts, draft: Draft) -> tuple[Obligation, ...]:
    """All machines at home, and looked at; what the network needs to be undone stands on that."""
    draft.begin(Phase.RETURN, ())
    owed = _guard(now, design, where, draft)
    for machine in where.those(design, Stage.HOME):
        _started(begun, now, draft, machine)
    draft.begin(Phase.COMMIT)
    for machine in where.those(design, Stage.OVER):
        draft.add(
            f"machine/{machine.label}",
            actions.commit(machine.planned.item),
            title=f"Commit the failover of machine {machine.label}: only then it can come home (S45)",
            subject=machine.planned.item,
            expected=durations.COMMIT,
        )
    going = where.those(design, *AWAY)
    if not going:
        return owed
    reprotected = where.those(design, Stage.OVER, Stage.COMMITTED)
    reprotect.build(replace(design, machines=reprotected), draft)
    draft.begin(Phase.FAILBACK)
    own = replace(design, machines=going)
    waves = Waves(own, draft, "has its routes at home")
    waves.go(lambda machine, after: failback.home(own, draft, machine, after), settle=waves.settled_inside())
    return owed


def undos(now: Estate, design: Design, where: Whereabouts, begin: Mapping[str, tuple[str, ...]]) -> list[Undo]:
    """The end of each machine's way: the failback is final, it is protected as before, and what Site Recovery leaves
    of it on the far shore goes. `begin`: the steps of the abandoned plan that each machine's failover was, by its id in
    lower case."""
    found = []
    for machine in design.machines:
        anchors = begin.get(machine.id.key, ())
        left = not machine.planned.managed and now.get(machine.planned.target_id) is not None
        if not anchors or (where.at(machine, Stage.HOME) and not left):
            continue

        def add(draft: Draft, after: list[str], machine: Machine = machine) -> str:
            if where.at(machine, Stage.HOME):
                return _left_there(draft, machine, after)
            if not where.at(machine, Stage.SETTLED):
                after = [
                    draft.add(
                        f"commit/{machine.label}",
                        actions.commit(machine.planned.reverse_item),
                        title=f"Commit the failback of machine {machine.label}",
                        subject=machine.planned.reverse_item,
                        expected=durations.COMMIT,
                        after=after,
                    )
                ]
            protected = reprotect.forward(design, draft, machine, after)
            return protected if machine.planned.managed else _left_there(draft, machine, [protected])

        found.append(Undo(anchors=anchors, add=add))
    return found


def _left_there(draft: Draft, machine: Machine, after: list[str]) -> str:
    """Where disks are unmanaged the machine in the target stays behind (S47), and holds its subnet."""
    last = ""
    for id_ in (machine.planned.target_id, *(card.target_id for card in machine.cards)):
        last = draft.add(
            f"left/{machine.label}/{id_.pairs[-1][0]}/{id_.name}",
            actions.delete(id_, attempts=undo.ATTEMPTS),
            title=f"Take away {id_.short} in the target: Site Recovery leaves it where disks are unmanaged (S47)",
            subject=id_,
            expected=durations.for_delete(id_.type),
            after=after,
            effects=[DeleteResource(id=id_)],
        )
        after = [last]
    return last


def failovers(begun: Begun, design: Design) -> dict[str, tuple[str, ...]]:
    """The steps by which each machine has failed over, by its id in lower case."""
    machines = {machine.planned.item.key: machine.id.key for machine in design.machines}
    found: dict[str, tuple[str, ...]] = {}
    for step in begun.plan.of_phase(Phase.FAILOVER):
        key = machines.get(str(step.action.arguments.get("id", "")).lower())
        if step.action.verb == "failover" and step.id in begun.touched and key is not None:
            found[key] = (*found.get(key, ()), step.id)
    return found


def lent(now: Estate, design: Design, where: Whereabouts) -> tuple[ResourceId, ...]:
    """The source's connections that have to go until the machines are home: on a circuit that the target is on, too."""
    if not where.those(design, *AWAY) or not disconnects(design):
        return ()
    joined = {connection.peer for connection in _others(now, design)}
    return tuple(c.id for c in design.connections if now.get(c.id) is not None and c.peer in joined)


def doubled(now: Estate, design: Design, away: Iterable[ResourceId], steps: Iterable[Step]) -> Iterator[Obligation]:
    """Where one circuit holds both networks and every machine is at home, it is the target that leaves it: until then
    nothing decides between them (E40, D60)."""
    if list(away) or not disconnects(design):
        return
    held = {c.peer for c in design.connections if now.get(c.id) is not None}
    joined = {c.id.text for c in _others(now, design) if c.peer in held}
    ends = tuple(step.id for step in steps if step.action.verb == "delete" and step.subject in joined)
    if ends:
        yield Obligation(
            id="doubled",
            title="Take the target off the circuit that the source is on",
            because="The run was given up while one circuit held two networks of the same addresses.",
            discharged_by=ends,
            source=("E40", "D60"),
            standing=True,
        )


def _others(now: Estate, design: Design) -> list[Connection]:
    own = {connection.id for connection in design.connections}
    return [connection for connection in now.connections if connection.id not in own]


def _guard(now: Estate, design: Design, where: Whereabouts, draft: Draft) -> tuple[Obligation, ...]:
    """Old machines are stopped before anything else; returns what is owed until then."""
    old = [m for m in where.those(design, Stage.OVER, Stage.COMMITTED) if _runs(now, m)]
    fenced = [guard.disconnect(design, draft, id_, [], "the source's connection") for id_ in lent(now, design, where)]
    stopped = [guard.stop(draft, machine, fenced, f"machine {machine.label} in the source") for machine in old]
    steps = [*fenced, *stopped]
    if not steps:
        return ()
    owed = Obligation(
        id="guard",
        title="Stop what still runs in the source with old data, before anything else",
        because="The run was given up while nobody stood guard: machines that have failed over run in both regions.",
        discharged_by=tuple(steps),
        source=("D60", "D64", "D92"),
        standing=True,
    )
    return (owed,)


def _runs(now: Estate, machine: Machine) -> bool:
    vm = now.virtual_machine(machine.id)
    return vm is not None and (vm.power_state is None or vm.power_state in RUNNING)


def _started(begun: Begun, now: Estate, draft: Draft, machine: Machine) -> None:
    """A machine that never left, and that the run, or an outage, has stopped."""
    before, there = begun.before.virtual_machine(machine.id), now.virtual_machine(machine.id)
    if there is None or _runs(now, machine) or before is None or before.power_state not in (None, *RUNNING):
        return
    draft.add(
        f"start/{machine.label}",
        actions.start(machine.id),
        title=f"Start machine {machine.label}: it never left, and what it has is the newest",
        subject=machine.id,
        expected=durations.START,
        # Its body says that it is stopped; as it was, it says that it runs.
        effects=[PutResource(body=machine.body)],
    )
