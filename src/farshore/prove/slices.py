"""What matters to one machine: the network's nodes, and its own.

Most nodes of a plan start, stop, move or promise one machine. They change nothing for a flow between others, so a
claim about a machine (or a pair of them) is decided over a slice: all nodes of the network, and the nodes of these
machines. The downsets of the slice are exactly what the downsets of the whole plan leave in it (`cuts.py`), so nothing
is lost, and the product of all machines' moments is never listed.

Which nodes are a machine's own: those whose every effect is on machines and on NICs that only hold an address. Such a
node belongs to a planned machine when it touches its ids, or puts a NIC with one of its addresses anywhere (whoever
else might answer for it matters most of all). One that belongs to no planned machine is a bystander, in no slice.
A NIC that forwards, stands in a backend pool, or is a next hop of some route is the network's, and so is its machine.

Machines whose slices have one shape (the same order among the same nodes, but for the names) pass through the same
moments; a moment's key is the shape with the bits of what is done and what has failed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from farshore.arm.compute import VIRTUAL_MACHINES
from farshore.arm.ids import resource_id
from farshore.arm.json import Body, fingerprint
from farshore.arm.network import NETWORK_INTERFACES, ROUTE_TABLES
from farshore.plan.model import DeleteResource, Plan, PlannedMachine, Promise, PutResource, SetMachine, Suspend
from farshore.prove.cuts import Moment, Poset, members


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A subset of the nodes. `order` lists them so that machines of one shape have their nodes at equal places."""

    machines: tuple[str, ...]
    bits: int
    order: tuple[int, ...]
    shape: str

    def key(self, moment: Moment) -> str:
        """The moment's key in this shape."""
        return f"{self.shape}:{self._gather(moment.done):x}:{self._gather(moment.failed):x}"

    def _gather(self, bits: int) -> int:
        gathered = 0
        for place, index in enumerate(self.order):
            if bits >> index & 1:
                gathered |= 1 << place
        return gathered


class Slices:
    """The slices of one plan."""

    def __init__(self, plan: Plan, poset: Poset) -> None:
        self.poset = poset
        self.network, self.own = _split(plan, poset)
        self._known: dict[tuple[str, ...], Slice] = {}

    def of(self, *machines: str) -> Slice:
        """The slice of these machines, named by their source ids in lower case; of none, the network's."""
        names = tuple(sorted(machines))
        if names not in self._known:
            self._known[names] = self._make(names)
        return self._known[names]

    def _make(self, machines: tuple[str, ...]) -> Slice:
        ordered = list(members(self.network))
        roles: list[int] = [-1] * len(ordered)
        bits = self.network
        for role, machine in enumerate(machines):
            for index in members(self.own.get(machine, 0) & ~bits):
                ordered.append(index)
                roles.append(role)
            bits |= self.own.get(machine, 0)
        places = {index: place for place, index in enumerate(ordered)}
        rows = [
            [
                role,
                self.poset.nodes[index].may_fail,
                sorted(places[i] for i in members(self.poset.stated[index] & bits)),
            ]
            for index, role in zip(ordered, roles, strict=True)
        ]
        return Slice(
            machines=machines, bits=bits, order=tuple(ordered), shape=fingerprint([len(machines), rows])[7 : 7 + 12]
        )


# Whose a node is. --------------------------------------------------------------------------------------------------


def _split(plan: Plan, poset: Poset) -> tuple[int, dict[str, int]]:
    """The bits of the network's nodes, and those of each machine's own."""
    hosts = _Hosts(plan, poset)
    network = 0
    own = {machine.id.key: 0 for machine in plan.machines}
    for index, node in enumerate(poset.nodes):
        touched = [hosts.touched(effect) for effect in node.effects]
        if any(ids is None for ids in touched):
            network |= 1 << index
            continue
        ids = frozenset(id_ for some in touched for id_ in some or ())
        for machine in plan.machines:
            if ids & hosts.interest[machine.id.key]:
                own[machine.id.key] |= 1 << index
    return network, own


class _Hosts:
    """Which NICs and machines of a plan are only hosts, and which of them each planned machine must watch."""

    def __init__(self, plan: Plan, poset: Poset) -> None:
        puts = [effect.body for node in poset.nodes for effect in node.effects if isinstance(effect, PutResource)]
        nics = {resource_id(str(body["id"])).key: body for body in puts if _is_a(body, NETWORK_INTERFACES)}
        machines = {resource_id(str(body["id"])).key: body for body in puts if _is_a(body, VIRTUAL_MACHINES)}
        planned = {key for machine in plan.machines for key in _ids(machine)}
        hops = frozenset(hop for body in puts for hop in _next_hops(body))
        busy = {key for key, body in nics.items() if _forwards(body) or hops & set(_addresses(body))}
        carried = {key: _nics_of(body) for key, body in machines.items()}
        busy |= {key for key, held in carried.items() if held & busy}
        self._hosts = (planned | nics.keys() | machines.keys()) - busy
        self.interest: dict[str, frozenset[str]] = {}
        for machine in plan.machines:
            watched = set(_ids(machine))
            wanted = {machine.address, machine.target_address}
            watched |= {key for key, body in nics.items() if wanted & set(_addresses(body))}
            watched |= {key for key, held in carried.items() if held & watched}
            self.interest[machine.id.key] = frozenset(watched)

    def touched(self, effect: object) -> tuple[str, ...] | None:
        """Ids of hosts that the effect is on; None when it is on anything else."""
        match effect:
            case PutResource(body=body):
                ids = (resource_id(str(body["id"])).key,)
            case DeleteResource(id=id_) | SetMachine(id=id_):
                ids = (id_.key,)
            case Promise(machine=machine, nic=nic):
                return (machine.key, nic.key)
            case Suspend(machine=machine):
                return (machine.key,)
            case _:
                return None
        return ids if self._hosts.issuperset(ids) else None


def _ids(machine: PlannedMachine) -> tuple[str, ...]:
    return (machine.id.key, machine.nic.key, machine.target_id.key, machine.target_nic.key)


def _is_a(body: Body, kind: str) -> bool:
    return resource_id(str(body["id"])).is_a(kind)


def _properties(body: Mapping[str, Any]) -> Mapping[str, Any]:
    found = body.get("properties")
    return found if isinstance(found, Mapping) else {}


def _configurations(body: Body) -> Iterator[Mapping[str, Any]]:
    for item in _properties(body).get("ipConfigurations") or ():
        if isinstance(item, Mapping):
            yield _properties(item)


def _addresses(body: Body) -> Iterator[str]:
    for item in _configurations(body):
        if isinstance(item.get("privateIPAddress"), str):
            yield item["privateIPAddress"]


def _forwards(body: Body) -> bool:
    pools = any(item.get("loadBalancerBackendAddressPools") for item in _configurations(body))
    return bool(_properties(body).get("enableIPForwarding")) or pools


def _next_hops(body: Body) -> Iterator[str]:
    id_ = resource_id(str(body["id"]))
    routes = _properties(body).get("routes") if id_.is_a(ROUTE_TABLES) else [body]
    for route in routes or ():
        hop = _properties(route).get("nextHopIpAddress") if isinstance(route, Mapping) else None
        if isinstance(hop, str):
            yield hop


def _nics_of(body: Body) -> frozenset[str]:
    profile = _properties(body).get("networkProfile") or {}
    named = profile.get("networkInterfaces") or () if isinstance(profile, Mapping) else ()
    texts = (item.get("id") for item in named if isinstance(item, Mapping))
    return frozenset(resource_id(text).key for text in texts if isinstance(text, str) and text.startswith("/"))
