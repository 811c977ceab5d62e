"""One change to an estate, proven again under every failure, at the cost of what it touches.

A change is a resource's body put, or the resource deleted, as ARM has it. What kind it is says where it is felt:

    a route table                 its routes, its propagation
    a network security group      its rules
    a network                     its peerings; where nothing stands in it, what its subnets are associated with
    a NIC, a machine              all of it; of an appliance's, whether it is on
    a connection                  its weight, and that it goes

A peering, a subnet or a security rule that is put by itself changes what it is a part of. What routing never asks for
changes nothing. What comes out is a difference of cells by word, with nothing failed and under each element.
Everything else, and what is about something that can't be read, has no short way: the answer is None, and the estate is
to be counted anew.

What sites say and prefer is no resource of Azure's: told.py.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from farshore.arm import compute
from farshore.arm.connectivity import connection
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.arm.network import (
    CONNECTIONS,
    NETWORK_INTERFACES,
    NETWORK_SECURITY_GROUPS,
    ROUTE_TABLES,
    VIRTUAL_NETWORKS,
    network_interface,
    virtual_network,
)
from farshore.estate.door import marker_places
from farshore.estate.estate import Change
from farshore.estate.reading import apply_changes
from farshore.routing.scale.changes.guarded import guarded
from farshore.routing.scale.changes.peered import peered
from farshore.routing.scale.changes.placed import placed, turned
from farshore.routing.scale.changes.proven import Difference, Proven
from farshore.routing.scale.changes.routed import routed
from farshore.routing.scale.changes.weighed import disconnected, weighed
from farshore.routing.scale.columns import powered, table_of
from farshore.routing.scale.outcomes import WORDS


def changed(proven: Proven, change: Change) -> Difference | None:
    """What comes of a change: cells more or fewer by word (`outcomes.WORDS`), with nothing failed and under each
    element of the proof. None where it has no short way, and the estate is to be counted anew. A body is the whole
    resource, as a PUT takes it (L12)."""
    id_ = change.delete if change.put is None else resource_id(str(change.put["id"]))
    assert id_ is not None, "a change puts or deletes"
    top, body = _whole(proven, id_, change)
    kind = top.type.lower()
    if _in_doubt(proven, top, body) or top.key in proven.reach.model.world.ground.speaking:
        return None
    if kind == NETWORK_SECURITY_GROUPS.lower():
        return guarded(proven, top.key, body)
    if kind == NETWORK_INTERFACES.lower():
        return None if _joins_an_appliance(proven, top.key, body) else placed(proven, top.key, body)
    if kind == compute.VIRTUAL_MACHINES.lower():
        return turned(proven, top.key, body) if _holds_the_same(proven, top.key, body) else None
    if not kind.startswith("microsoft.network/"):
        return np.zeros((len(proven.elements) + 1, len(WORDS)), dtype=np.int64)
    if body is None:
        return disconnected(proven, top.key) if kind == CONNECTIONS.lower() else None
    if kind == ROUTE_TABLES.lower():
        return routed(proven, table_of(top.key, body))
    if kind == VIRTUAL_NETWORKS.lower():
        network = virtual_network(body)
        known = all(half.remote_virtual_network is not None for half in network.peerings)
        return peered(proven, network) if known else None
    if kind == CONNECTIONS.lower():
        return _connected(proven, top, body)
    return None


def _in_doubt(proven: Proven, id_: ResourceId, body: Body | None) -> bool:
    """Whether a change brings or takes away what can't be read, other than in a security rule: what hangs on that is
    more than what is counted again here (doubts.py)."""
    model, kind = proven.reach.model, id_.type.lower()
    if kind == NETWORK_SECURITY_GROUPS.lower():
        return False
    if body is not None and any(path.startswith(DOUBTFUL) for path in marker_places(body)):
        return True
    doubts, columns = model.world.doubts, model.columns
    if kind in (VIRTUAL_NETWORKS.lower(), CONNECTIONS.lower()):
        return bool(doubts.routes or doubts.hidden)
    if kind == ROUTE_TABLES.lower():
        known = columns.tables.get(id_.key)
        return known is not None and known.unclear
    rows = np.concatenate([proven.rows_of_nic(id_.key), proven.rows_of_machine(id_.key)])
    return id_.key in columns.unread or bool(columns.machines.unclear[rows].any())


DOUBTFUL = ("properties.", "location")
"""Where a marker stands for more than a label."""


def _whole(proven: Proven, id_: ResourceId, change: Change) -> tuple[ResourceId, Body | None]:
    """The top-level resource that a change is about, and its body then; None for one that is gone or not known."""
    top = id_.top
    if top == id_:
        return top, change.put
    columns = proven.reach.model.columns
    known = columns.groups.get(top.key) or columns.skeleton.resources.get(top.key)
    return top, None if known is None else apply_changes({top.key: known}, [change]).get(top.key)


def _joins_an_appliance(proven: Proven, nic: str, body: Body | None) -> bool:
    """Whether a NIC says that it is an appliance's, and is not yet."""
    if body is None:
        return False
    held_by = network_interface(body).virtual_machine
    known = proven.reach.model.world.index.machine_of.get(nic)
    return held_by is not None and held_by.key in proven.reach.model.appliances and held_by.key != known


def _holds_the_same(proven: Proven, machine: str, body: Body | None) -> bool:
    """Whether a machine has the NICs that it had: one that lets go of a NIC, or is gone, leaves that to say whose it
    is."""
    machines = proven.reach.model.columns.machines
    held = {machines.nics[row] for row in proven.rows_of_machine(machine).tolist()}
    return body is not None and powered(body)[0] >= held


def _connected(proven: Proven, id_: ResourceId, body: Body) -> Difference | None:
    known = proven.reach.model.world.index.connections.get(id_.key)
    given = connection(body)
    if known is None or replace(known, routing_weight=given.routing_weight) != given:
        return None
    return weighed(proven, id_.key, given.routing_weight)
