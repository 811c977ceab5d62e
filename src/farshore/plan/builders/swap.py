"""Connectivity goes over to another circuit, and back; no machine moves (D48, D53, D91).

With kept addresses the other circuit is connected to the target hub, and a circuit can't hold both networks (D20, D60):
the target's connection goes first, and only when its networks are gone from the circuit does the source join it. The
sites prefer the primary, so that traffic is home again by itself when it returns, both ways at once.

As a drill nothing is lost: the second connection is made while the first one carries everything, then the sites deny
the primary, so that all traffic passes the other circuit, and believe it again at the end.
"""

from __future__ import annotations

from collections.abc import Iterable

from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.plan.builders import checks, looks, sites
from farshore.plan.builders.capacity import raise_bandwidth
from farshore.plan.builders.failback import writable
from farshore.plan.builders.outage import DISASTER
from farshore.plan.builders.provision import NetworkBuilder
from farshore.plan.design import Design, Machine
from farshore.plan.draft import Draft
from farshore.plan.model import Phase, Promise
from farshore.plan.scenario.outages import connected_twice, primary_circuit
from farshore.plan.scenario.scenario import Scenario
from farshore.plan.scenario.words import Outage


def over(design: Design, scenario: Scenario, draft: Draft, network: NetworkBuilder) -> None:
    draft.begin(Phase.FAILOVER, [DISASTER])
    ready = [*_withdraw_target(design, draft, network), *_prefer(design, draft)]
    if not connected_twice(design):
        ready = [step for circuit in _others(design) for step in _connect(design, draft, circuit, ready)]
    if scenario.outage is Outage.SWAP:
        once = not connected_twice(design)
        ready = sites.deny(design, draft, _primary(design), design.announced, ready, preferring=once)
    for circuit in _others(design):
        ready = [_announced(design, draft, "announced", circuit, ready)]
    standing: dict[ResourceId, checks.Stand] = {}
    for machine in design.machines:
        again = Promise(machine=machine.id, nic=machine.planned.nic)
        read = looks.routes(draft, machine, machine.planned.nic, "has the routes that were proven", ready, [again])
        standing[machine.id] = _stands(machine, read)
    checks.build(design, draft, standing, inside=False, outside=True)
    draft.begin(Phase.FAILOVER, [DISASTER])
    raise_bandwidth(design, draft, _others(design), arm=True)


def restored(design: Design, draft: Draft, events: Iterable[str]) -> None:
    """RETURN: the primary announces again."""
    draft.begin(Phase.RETURN, events)
    circuit = primary_circuit(design)
    if circuit is not None:
        _announced(design, draft, "restored", circuit, ())


def back(design: Design, scenario: Scenario, draft: Draft, network: NetworkBuilder) -> None:
    draft.begin(Phase.FAILBACK)
    primary = primary_circuit(design)
    ready: list[str] = []
    if scenario.outage is Outage.SWAP:
        once = not connected_twice(design)
        ready = sites.believe(design, draft, _primary(design), design.announced, ready, preferring=once)
    if primary is not None:
        ready = [_announced(design, draft, "home", primary, ready)]
    if not connected_twice(design):
        for circuit in _others(design):
            ready = _disconnect(design, draft, circuit, ready)
        if design.kept and "connection" in design.ahead:
            network.build_connections(ready)
            ready = list(draft.ends())
    standing: dict[ResourceId, checks.Stand] = {}
    for machine in design.machines:
        read = looks.routes(draft, machine, machine.planned.nic, "has its routes as before", ready)
        standing[machine.id] = _stands(machine, read)
    checks.build(design, draft, standing, inside=False, outside=True)


# Parts. ------------------------------------------------------------------------------------------------------------


def _stands(machine: Machine, looked: str) -> checks.Stand:
    """No machine moves: it is asked where it is, now that the way to it is another."""
    return checks.Stand(vm=machine.id, address=machine.planned.address, looked=looked)


def _primary(design: Design) -> list[ResourceId]:
    circuit = primary_circuit(design)
    return [] if circuit is None else [circuit]


def _others(design: Design) -> list[ResourceId]:
    """The circuits that are left."""
    primary = primary_circuit(design)
    return [id_ for id_ in dict.fromkeys((*design.source_circuits, *design.target_circuits)) if id_ != primary]


def _withdraw_target(design: Design, draft: Draft, network: NetworkBuilder) -> list[str]:
    """The target leaves the circuit that the source will join (D91); nothing where their ranges differ (D66)."""
    if not design.kept:
        return []
    deleted = [
        draft.delete(f"disconnect/{id_.name}", id_, title=f"Delete the target's connection {id_.name} (D91)")
        for id_ in network.connection_ids()
    ]
    if not deleted:
        return []
    absent = [str(prefix) for prefix in design.kept]
    return [looks.read_circuit(draft, f"circuit-clear/{c.name}", c, [], absent, deleted) for c in _others(design)]


def _prefer(design: Design, draft: Draft) -> list[str]:
    """The sites prefer the primary for when it returns; where the target is connected ahead they do so already."""
    return [] if "connection" in design.ahead else sites.prefer_primary(design, draft)


def _patterns(design: Design) -> list[tuple[ResourceId, Body]]:
    primary = primary_circuit(design)
    found = ((c.id, design.estate.get(c.id)) for c in design.connections if c.peer == primary)
    return [(id_, body) for id_, body in found if body is not None]


def _second(id_: ResourceId, circuit: ResourceId) -> ResourceId:
    return ResourceId(f"{id_.text}-{circuit.name}")


def _connect(design: Design, draft: Draft, circuit: ResourceId, after: Iterable[str]) -> list[str]:
    steps = []
    for id_, body in _patterns(design):
        own = _second(id_, circuit)
        properties = {**body["properties"], "peer": {"id": circuit.text}}
        put = {**writable({**body, "properties": properties}), "id": own.text, "name": own.name}
        shown = {**put, "properties": {**properties, "provisioningState": "Succeeded"}}
        steps.append(
            draft.put(
                f"connection/{own.name}",
                put,
                title=f"Connect the source's gateway to circuit {circuit.name}",
                after=after,
                shown=shown,
            )
        )
    return steps


def _disconnect(design: Design, draft: Draft, circuit: ResourceId, after: Iterable[str]) -> list[str]:
    gone = [
        draft.delete(
            f"disconnect/{own.name}",
            own,
            title=f"Delete the source's connection to circuit {circuit.name}: it was made for the outage",
            after=after,
        )
        for own in (_second(id_, circuit) for id_, _ in _patterns(design))
    ]
    absent = [str(prefix) for prefix in design.announced]
    return [looks.read_circuit(draft, f"circuit-clear/{circuit.name}", circuit, [], absent, gone)]


def _announced(design: Design, draft: Draft, name: str, circuit: ResourceId, after: Iterable[str]) -> str:
    present = [str(prefix) for prefix in design.announced]
    return looks.read_circuit(draft, f"{name}/{circuit.name}", circuit, present, [], after)
