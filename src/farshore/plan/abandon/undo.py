"""What is there now and was not before the run goes; what was there before and is not is made again.

The journal says which resources the run's steps were about, the two readings say what has become of them: so a step
in doubt needs no answer, and one that somebody has undone by hand is done. What a put has changed in a resource that
was there before is written back as far as a write can (a list's new members stay, and are told).

Not here: the planned machines and their NICs (they come home by their own way), and what Site Recovery makes and takes
away by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from farshore.arm.compute import VIRTUAL_MACHINES
from farshore.arm.decode import Network
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.arm.network import CONNECTIONS, EXPRESS_ROUTE_CIRCUITS
from farshore.estate.canonical import lasting
from farshore.estate.estate import Estate
from farshore.plan import actions, durations
from farshore.plan.abandon.values import Add, Begun, Undo
from farshore.plan.builders import looks
from farshore.plan.builders.failback import writable
from farshore.plan.carried import renaming
from farshore.plan.design import Design
from farshore.plan.draft import Draft
from farshore.plan.machines import drilled_id, drilled_nic_id
from farshore.plan.merge import says
from farshore.plan.model import (
    DeleteResource,
    Effect,
    Lose,
    PutResource,
    Remains,
    Restore,
    Step,
    StepKind,
    order,
)
from farshore.plan.recovery import ITEMS

GROUPS = "Microsoft.Resources/resourceGroups"
ATTEMPTS = 30
"""20 s apart: what held a resource lets go of it a while after it is gone."""


def written(begun: Begun) -> dict[ResourceId, list[Step]]:
    """The resources that the run's steps have written or deleted, but for those that people did, each with these
    steps, in the plan's order."""
    found: dict[ResourceId, list[Step]] = {}
    for step in _touched(begun):
        if step.kind is StepKind.PERSON:
            continue
        ids = [effect_id for effect in step.effects if (effect_id := _of_effect(effect)) is not None]
        if step.action.verb in ("put", "delete", "enable_replication", "raise_bandwidth"):
            ids.append(resource_id(str(step.action.arguments["id"])))
        for id_ in dict.fromkeys(ids):
            found.setdefault(id_, []).append(step)
    return found


def added(begun: Begun, now: Estate, design: Design) -> dict[ResourceId, list[Step]]:
    """What the run has built and is there, with the steps that did."""
    own = machines_own(design)
    return {
        id_: steps
        for id_, steps in written(begun).items()
        if id_ not in own and begun.before.get(id_) is None and _there(now, design, id_) is not None
    }


def machines_own(design: Design) -> frozenset[ResourceId]:
    """Ids of the planned machines and their NICs, on both shores and in a test."""
    found: set[ResourceId] = set()
    for machine in design.machines:
        found |= {machine.id, machine.planned.target_id, drilled_id(machine)}
        for card in machine.cards:
            found |= {card.nic.id, card.target_id, drilled_nic_id(card)}
    return frozenset(found)


def undos(
    begun: Begun, now: Estate, design: Design, gone: Iterable[ResourceId], lent: Iterable[ResourceId]
) -> Iterator[Undo]:
    """The resources. `gone`: those that are to be taken down; `lent`: those that the way home takes away itself before
    anything is undone, and that have to be there again at its end."""
    going, away = set(gone), set(lent)
    own = machines_own(design)
    for id_, steps in written(begun).items():
        if id_ in own:
            continue
        was, is_ = begun.before.get(id_), _there(now, design, id_)
        anchors = tuple(step.id for step in steps)
        if is_ is not None and was is None:
            if id_ in going and not _goes_with_its_parent(id_, going):
                yield Undo(anchors=anchors, add=_taker(design, now, id_, steps[0]))
        elif id_.is_a(ITEMS):
            continue  # `remains` tells of one that is gone
        elif was is not None and id_ not in away and (is_ is None or _differs(was, is_, steps)):
            # What was deleted twice was gone after the first time: everything since has been without it.
            yield Undo(anchors=anchors[:1] if is_ is None else anchors, add=_maker(design, id_, was, steps[0]))
    for id_ in away:
        body = begun.before.get(id_)
        first = next(step for step in begun.plan.steps if DeleteResource(id=id_) in step.effects)
        assert body is not None
        yield Undo(anchors=(first.id,), add=_maker(design, id_, body, first))
    yield from _tests(begun, now, design)
    yield from _people(begun, now, away)
    yield from _names(begun, design)


def remains(begun: Begun, now: Estate) -> Iterator[Remains]:
    """What no plan can or may undo, of what the run has written."""
    for id_, steps in written(begun).items():
        was, is_ = begun.before.get(id_), now.get(id_)
        if id_.is_a(GROUPS) and was is None and is_ is not None:
            yield Remains(id=id_.text, why="deleting a group takes whatever lies in it by then: it stays, and is free")
        elif id_.is_a(EXPRESS_ROUTE_CIRCUITS) and _mbps(now, id_) > _mbps(begun.before, id_) > 0:
            yield Remains(id=id_.text, why="a circuit's bandwidth can be raised, and never lowered (E6)")
        elif id_.is_a(ITEMS) and is_ is None and any(step.action.verb == "delete" for step in steps):
            yield Remains(id=id_.text, why="a replication that was disabled is made anew, never put back: protect it")


# One thing each. ---------------------------------------------------------------------------------------------------


def _taker(design: Design, now: Estate, id_: ResourceId, step: Step) -> Add:
    def add(draft: Draft, after: list[str]) -> str:
        gone = draft.add(
            step.id,
            actions.delete(id_, attempts=ATTEMPTS),
            title=f"Take away {id_.short}: the run made it",
            subject=id_,
            expected=durations.for_delete(id_.type),
            after=after,
            effects=[DeleteResource(id=id_)] if _of_effects(step) else [],
        )
        if id_.is_a(VIRTUAL_MACHINES):
            for disk in _disks(now, id_):
                gone = draft.add(
                    f"{step.id}/{disk.name}",
                    actions.delete(disk, attempts=ATTEMPTS),
                    title=f"Take away {disk.short}, which {id_.name} had",
                    subject=disk,
                    expected=durations.for_delete(disk.type),
                    after=[gone],
                )
        return _clear(design, draft, id_, now.get(id_) or {}, step, gone)

    return add


def _maker(design: Design, id_: ResourceId, was: Body, step: Step) -> Add:
    def add(draft: Draft, after: list[str]) -> str:
        connection = id_.is_a(CONNECTIONS)
        made = draft.put(
            step.id,
            writable(was) if connection else lasting(was),
            title=f"Make {id_.short} again as it was before the run",
            after=after,
            shown=was,
            forwarding=bool(_of_effects(step)),
        )
        circuit = _circuit(was) if connection else None
        if circuit is None:
            return made
        present = [str(prefix) for prefix in _announced(design, was)]
        return looks.read_circuit(draft, f"{step.id}/announced", circuit, present, [], [made])

    return add


def _clear(design: Design, draft: Draft, id_: ResourceId, body: Body, step: Step, gone: str) -> str:
    """After a connection its circuit is read: what it told is gone before anything else is."""
    circuit = _circuit(body) if id_.is_a(CONNECTIONS) else None
    if circuit is None:
        return gone
    others = {
        prefix
        for connection in draft.estate.connections
        if connection.id != id_ and connection.peer == circuit
        for prefix in _announced(design, draft.estate.get(connection.id) or {})
    }
    absent = [str(prefix) for prefix in _announced(design, body) if prefix not in others]
    if not absent:
        return gone
    return looks.read_circuit(draft, f"{step.id}/clear", circuit, [], absent, [gone])


def _announced(design: Design, connection: Body) -> tuple[Network, ...]:
    """What the gateway of a connection tells its circuit."""
    gateway = ((connection.get("properties") or {}).get("virtualNetworkGateway1") or {}).get("id")
    home = {gateway.id for gateway in design.gateways}
    return design.announced if gateway and resource_id(gateway) in home else design.announced_there


def _circuit(connection: Body) -> ResourceId | None:
    peer = ((connection.get("properties") or {}).get("peer") or {}).get("id")
    return resource_id(peer) if isinstance(peer, str) else None


def _tests(begun: Begun, now: Estate, design: Design) -> Iterator[Undo]:
    """Test failovers that wait for their cleanup."""
    machines = {machine.planned.item: machine for machine in design.machines}
    tests: dict[ResourceId, list[str]] = {}
    for step in _touched(begun):
        if step.action.verb in ("test_failover", "test_failover_cleanup"):
            tests.setdefault(resource_id(str(step.action.arguments["id"])), []).append(step.id)
    for item, anchors in tests.items():
        state = ((now.get(item) or {}).get("properties") or {}).get("testFailoverState")
        machine = machines.get(item)
        if state != "WaitingForCompletion" or machine is None:
            continue

        def add(draft: Draft, after: list[str], item: ResourceId = item, first: str = anchors[0]) -> str:
            test = drilled_id(machines[item])
            return draft.add(
                first,
                actions.test_failover_cleanup(item, test),
                title=f"Clean up the test of machine {machines[item].label} (S42)",
                subject=item,
                expected=durations.TEST_CLEANUP,
                after=after,
            )

        yield Undo(anchors=tuple(anchors), add=add)


def _people(begun: Begun, now: Estate, away: set[ResourceId]) -> Iterator[Undo]:
    """What people were asked for is theirs to take back; but what they had taken off and is made anew needs nobody."""
    for step in _touched(begun):
        if step.kind is not StepKind.PERSON:
            continue
        there = [id_ for e in step.effects if (id_ := _of_effect(e)) is not None and now.get(id_) is not None]
        built = [id_ for id_ in there if begun.before.get(id_) is None]
        lost = tuple(
            name
            for effect in step.effects
            if isinstance(effect, Lose)
            for name in effect.elements
            if now.get(name) is not None and resource_id(name) not in away
        )
        if not built and not lost:
            continue
        said = [f"Take away {', '.join(id_.short for id_ in built)}."] if built else []
        said += [f"Have {', '.join(resource_id(name).short for name in lost)} put back, if taken off."] if lost else []

        def add(
            draft: Draft,
            after: list[str],
            step: Step = step,
            text: str = " ".join(said),
            built: tuple[ResourceId, ...] = tuple(built),
            lost: tuple[str, ...] = lost,
        ) -> str:
            effects: list[Effect] = [DeleteResource(id=id_) for id_ in reversed(built)]
            effects += [Restore(elements=lost)] if lost else []
            return draft.add(
                step.id,
                actions.person(f"The run that you were asked for this by was given up: {step.title}. {text}"),
                title=f"A person takes back: {step.title[:1].lower()}{step.title[1:]}",
                subject=step.subject,
                expected=durations.APPLIANCE_PERSON,
                kind=StepKind.PERSON,
                after=after,
                effects=effects,
            )

        yield Undo(anchors=(step.id,), add=add)


def _names(begun: Begun, design: Design) -> Iterator[Undo]:
    """Records that led to the target lead home again; who changed them is told so again where they do already."""
    anchors = tuple(step.id for step in _touched(begun) if step.id in renaming.STEPS)

    def add(draft: Draft, after: list[str]) -> str:
        return renaming.home(design, draft, after)[-1]

    if anchors:
        yield Undo(anchors=anchors, add=add)


# Parts. ------------------------------------------------------------------------------------------------------------


def _touched(begun: Begun) -> list[Step]:
    nodes = {step.id: step for step in begun.plan.steps}
    return [nodes[id_] for id_ in order(begun.plan.steps, begun.plan.events) if id_ in begun.touched]


def _there(now: Estate, design: Design, id_: ResourceId) -> Body | None:
    """A resource as it is now. Where a machine's item has been switched to the other fabric, that one: by the time that
    it is taken away the machine is home again, and so is its item."""
    switched = {machine.planned.item: machine.planned.reverse_item for machine in design.machines}
    found = now.get(id_)
    return now.get(switched[id_]) if found is None and id_ in switched else found


def _mbps(estate: Estate, circuit: ResourceId) -> int:
    """A circuit's bandwidth; 0 where nothing says it."""
    found = estate.express_route_circuit(circuit)
    return 0 if found is None else found.bandwidth_in_mbps or 0


def _of_effect(effect: Effect) -> ResourceId | None:
    match effect:
        case PutResource(body=body):
            return resource_id(str(body["id"]))
        case DeleteResource(id=id_):
            return id_
        case _:
            return None


def _of_effects(step: Step) -> bool:
    """Whether the step has a part in forwarding."""
    return any(_of_effect(effect) is not None for effect in step.effects)


def _goes_with_its_parent(id_: ResourceId, going: set[ResourceId]) -> bool:
    """A subnet goes with its network; a peering is the other network's business too, and goes by itself."""
    return id_.type.lower().endswith("/subnets") and id_.parent in going


def _differs(was: Body, is_: Body, steps: list[Step]) -> bool:
    """Whether a write of the run has changed a resource that was there before it: what its put says was not so."""
    said = [step.action.arguments["body"] for step in steps if step.action.verb == "put"]
    return any(not says(was, body) for body in said) and not says(is_, lasting(was))


def _disks(now: Estate, vm: ResourceId) -> list[ResourceId]:
    return [
        resource_id(str(body["id"]))
        for body in now.resources.values()
        if str(body.get("managedBy") or "").lower() == vm.key
    ]
