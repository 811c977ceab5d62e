"""A machine or its NIC changed, and proven again: new, gone, elsewhere, or turned off.

Whoever has an address that the NIC had or has is looked at with it: two that answer for one address are an ambiguity,
and a packet that comes to another network's machine has come to the wrong one.

By an appliance packets under way go on, and others' tables find it: it can be turned off and on (appliances.py), and
what else is changed of one has no short way.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from farshore.arm.json import Body
from farshore.routing.scale.changes.anew import Anew, announced_over, collides, counted_anew
from farshore.routing.scale.changes.appliances import turned_appliance
from farshore.routing.scale.changes.proven import Difference, Proven
from farshore.routing.scale.columns import Machines, columns, powered

Longs = npt.NDArray[np.int64]


def placed(proven: Proven, key: str, body: Body | None) -> Difference | None:
    """What comes of a NIC, by lower-case id, having this body, or of it being there no more. A body that names no
    machine leaves the NIC with the one that it has. None for an appliance's and a private endpoint's, and where an
    address is a site's, too."""
    model = proven.reach.model
    machines = model.columns.machines
    old = proven.rows_of_nic(key)
    new = machines.taken(old[:0])
    if body is not None:
        read = columns([(key, body)], model.columns.skeleton)
        if key in read.skeleton.resources:
            return None
        new = read.machines
        held = [name or (machines.holders[old[0]] if len(old) else "") for name in new.holders]
        runs = [bool(name) and _runs(proven, name, key) for name in held]
        new = replace(new, holders=held, runs=np.array(runs, dtype=bool))
    if (
        key in model.world.index.nics
        or key in model.world.index.endpoint_of
        or _forwards(proven, machines.holders[old[0]] if len(old) else "")
    ):
        return None
    return _instead(proven, old, new)


def turned(proven: Proven, key: str, body: Body | None) -> Difference | None:
    """What comes of a machine, by lower-case id, having this body: its power, and which NICs are its own. Without one
    its NICs are nobody's, as Azure leaves them. None where an appliance goes or has other NICs, and where an address is
    a site's, too."""
    model = proven.reach.model
    if _forwards(proven, key):
        return None if body is None else turned_appliance(proven, key, body)
    machines, outside = model.columns.machines, model.world.outside
    nics, on = (frozenset[str](), False) if body is None else powered(body)
    before = proven.rows_of_machine(key)
    of_nics = [proven.rows_of_nic(nic) for nic in sorted(nics)]
    rows = np.unique(np.concatenate([before, *of_nics])).astype(np.int64)
    names = {machines.nics[row] for row in rows.tolist()}
    holders = {machines.holders[row] for row in rows.tolist()}
    if not names.isdisjoint(model.world.index.nics) or any(_forwards(proven, name) for name in {key, *holders}):
        return None
    off = outside.stopped | outside.down
    new = machines.taken(rows)
    held = [
        key if nic in nics else "" if name == key else name for nic, name in zip(new.nics, new.holders, strict=True)
    ]
    runs = [
        on and key not in off and nic not in outside.stopped if name == key else bool(name) and bool(was)
        for nic, name, was in zip(new.nics, held, new.runs.tolist(), strict=True)
    ]
    return _instead(proven, rows, replace(new, holders=held, runs=np.array(runs, dtype=bool)))


def _forwards(proven: Proven, machine: str) -> bool:
    return machine in proven.kept("appliances", lambda: set(proven.reach.model.appliances))


def _runs(proven: Proven, machine: str, nic: str) -> bool:
    """Whether a machine would answer at a NIC, as far as its other NICs tell; one of which nothing is known runs."""
    model = proven.reach.model
    outside = model.world.outside
    if machine in outside.stopped | outside.down or nic in outside.stopped:
        return False
    return bool(model.columns.machines.runs[proven.rows_of_machine(machine)].all())


def _instead(proven: Proven, old: Longs, new: Machines) -> Difference | None:
    """What comes of some machines standing where others did."""
    model = proven.reach.model
    machines = model.columns.machines
    held = np.concatenate([machines.addresses[old], new.addresses])
    beside = np.setdiff1d(np.flatnonzero(np.isin(machines.addresses, held)), old)
    rows = np.concatenate([old, beside]).astype(np.int64)
    after = machines.taken(beside).and_then(new)
    if collides(model, held):
        return None
    return counted_anew(
        proven,
        Anew(
            rows=rows,
            columns=replace(model.columns, machines=after),
            networks=model.networks,
            announced=announced_over(proven, after.addresses),
        ),
    )
