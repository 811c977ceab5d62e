"""What the steps and events of a plan do to the world, as a proof sees it.

A world is an estate (resources, sites, what is down, stopped or stale) and the promises: behind which NIC each
machine is due to answer. `apply` is pure; everything that did not change is shared, so that thousands of worlds cost
little.

Two things follow from a write without being said by it, in Azure as here:

  * a peering is `Connected` when both halves are there, `Initiated` when its peer is not, and `Disconnected` when the
    peer was deleted (R28); a Connected half holds the peer's address space as of then (R31)
  * a put keeps what its body does not say (`plan/merge.py`)

So the order in which steps happen is free to be any order, also one that a person wrote by hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from farshore.arm.compute import RUNNING, VIRTUAL_MACHINES
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.arm.network import PEERINGS, VIRTUAL_NETWORKS
from farshore.errors import InputError
from farshore.estate.estate import Change, Estate
from farshore.estate.outside import names_of
from farshore.plan.merge import merged
from farshore.plan.model import (
    DeleteResource,
    Effect,
    Lose,
    MachineState,
    Plan,
    Promise,
    PutResource,
    Restore,
    SetMachine,
    SetRouter,
    Suspend,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One moment: what there is, and who is promised where."""

    estate: Estate
    promises: Mapping[str, ResourceId] = field(default_factory=dict)
    """Machine (its id in the source, lower case) to the NIC behind which it is promised."""


def start(estate: Estate, plan: Plan) -> World:
    """The world before the first step: every machine promised where it is, machines that do not run marked so, and
    those stale whose twin on the other shore is the promised one."""
    off = {vm.id.key for vm in estate.virtual_machines if vm.power_state is not None and vm.power_state not in RUNNING}
    old = {m.twin.key for m in plan.machines if m.twin.key not in off and estate.get(m.twin) is not None}
    outside = estate.outside
    if off or old:
        outside = replace(outside, stopped=outside.stopped | off, stale=outside.stale | old)
    return World(
        estate=estate.with_outside(outside),
        promises={machine.id.key: machine.promised_nic for machine in plan.machines},
    )


def apply(world: World, effects: Iterable[Effect]) -> World:
    """The world after these effects, in their order."""
    for effect in effects:
        world = _apply(world, effect)
    return world


def _apply(world: World, effect: Effect) -> World:
    estate = world.estate
    match effect:
        case PutResource(body=body):
            return replace(world, estate=_put(estate, body))
        case DeleteResource(id=id_):
            return replace(world, estate=_delete(estate, id_))
        case SetRouter(site=name, router=router):
            site = estate.site(name)
            if site is None or site.router(router.name) is None:
                raise InputError(
                    f"The plan changes router {router.name} at {name}, which farshore.yaml does not have",
                    value=f"sites/{name}/routers/{router.name}",
                    expected="a site and router of farshore.yaml",
                )
            sites = tuple(site.with_router(router) if held.name == name else held for held in estate.sites)
            return replace(world, estate=estate.with_sites(sites))
        case SetMachine(id=id_, state=state):
            return replace(world, estate=_set_machine(estate, id_, state))
        case Promise(machine=machine, nic=nic):
            return replace(world, promises={**world.promises, machine.key: nic})
        case Suspend():
            return world  # a claim, and nothing that a packet meets (`prove/claims.py`)
        case Lose(elements=elements):
            return replace(world, estate=_down(estate, estate.outside.down | frozenset(elements)))
        case Restore(elements=elements):
            return replace(world, estate=_down(estate, estate.outside.down - names_of(elements)))


def _put(estate: Estate, body: Body) -> Estate:
    id_ = resource_id(str(body["id"]))
    changed = estate.with_changes([Change(put=merged(estate.get(id_), body))])
    if id_.is_a(PEERINGS):
        return _paired(changed, id_)
    if id_.is_a(VIRTUAL_NETWORKS):
        for peering in _peerings(body):
            changed = _paired(changed, id_.child("virtualNetworkPeerings", str(peering["name"])))
    if id_.is_a(VIRTUAL_MACHINES):
        # A machine that a put brings is there to run; what stops it or makes it stale says so by its own effect.
        return _set_machine(changed, id_, MachineState.RUNNING)
    return changed


def _delete(estate: Estate, id_: ResourceId) -> Estate:
    if estate.get(id_) is None:
        return estate
    gone = [id_]
    if id_.is_a(VIRTUAL_NETWORKS):
        network = estate.get(id_) or {}
        gone = [id_.child("virtualNetworkPeerings", str(item["name"])) for item in _peerings(network)] + gone
    partners = [peer for item in gone if item.is_a(PEERINGS) and (peer := _partner(estate, item)) is not None]
    changes = [Change(delete=id_)] + [Change(put=_with_state(peer, "Disconnected")) for peer in partners]
    changed = estate.with_changes(changes)
    return _set_machine(changed, id_, MachineState.RUNNING) if id_.is_a(VIRTUAL_MACHINES) else changed


def _set_machine(estate: Estate, id_: ResourceId, state: MachineState) -> Estate:
    outside = estate.outside
    stopped, stale = outside.stopped - {id_.key}, outside.stale - {id_.key}
    if state is MachineState.STOPPED:
        stopped |= {id_.key}
    elif state is MachineState.STALE:
        stale |= {id_.key}
    if stopped == outside.stopped and stale == outside.stale:
        return estate
    return estate.with_outside(replace(outside, stopped=stopped, stale=stale))


def _down(estate: Estate, down: frozenset[str]) -> Estate:
    return estate.with_outside(replace(estate.outside, down=down))


# Peerings come in halves. ------------------------------------------------------------------------------------------


def _paired(estate: Estate, id_: ResourceId) -> Estate:
    """Both halves of a peering in the state that Azure gives them once this one has been put (R28, R31)."""
    own = estate.get(id_)
    assert own is not None
    partner = _partner(estate, id_)
    if partner is None:
        return estate.with_changes([Change(put=_with_state(own, "Initiated"))])
    partner_network = resource_id(str(partner["id"])).parent
    return estate.with_changes(
        [
            Change(put=_connected(own, estate.get(partner_network))),
            Change(put=_connected(partner, estate.get(id_.parent))),
        ]
    )


def _partner(estate: Estate, id_: ResourceId) -> Body | None:
    """The other half of a peering: the one in the remote network that points back."""
    own = estate.get(id_)
    remote_id = _remote(own or {})
    remote = None if remote_id is None else estate.get(remote_id)
    if remote is None or remote_id is None or id_.parent is None:
        return None
    for item in _peerings(remote):
        if _remote(item) == id_.parent:
            return {**item, "id": remote_id.child("virtualNetworkPeerings", str(item["name"])).text}
    return None


def _peerings(network: Body) -> list[Body]:
    found = (network.get("properties") or {}).get("virtualNetworkPeerings")
    return [item for item in found if isinstance(item, dict) and item.get("name")] if isinstance(found, list) else []


def _remote(peering: Body) -> ResourceId | None:
    remote = (peering.get("properties") or {}).get("remoteVirtualNetwork")
    text = remote.get("id") if isinstance(remote, dict) else None
    return resource_id(text) if isinstance(text, str) and text.startswith("/") else None


def _connected(peering: Body, remote: Body | None) -> Body:
    space = ((remote or {}).get("properties") or {}).get("addressSpace")
    extra: dict[str, Any] = {"peeringSyncLevel": "FullyInSync"}
    if space is not None:
        extra |= {"remoteAddressSpace": space, "remoteVirtualNetworkAddressSpace": space}
    return _with_state(peering, "Connected", extra)


def _with_state(peering: Body, state: str, extra: Mapping[str, Any] | None = None) -> Body:
    return {**peering, "properties": {**(peering.get("properties") or {}), "peeringState": state, **(extra or {})}}
