"""A security group changed, and proven again.

It is felt by the machines that it stands before, its subnets' and its NICs'; and where it stands before an appliance,
by whoever is reached or answers by way of that one: by the whole of its islands.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from farshore.arm.json import Body
from farshore.routing.scale.changes.anew import Anew, announced_over, closed, counted_anew
from farshore.routing.scale.changes.proven import Difference, Proven
from farshore.routing.scale.classes import group_of


def guarded(proven: Proven, key: str, body: Body | None) -> Difference:
    """What comes of a security group, by lower-case id, having this body, or of it being there no more."""
    model = proven.reach.model
    columns = model.columns
    groups = {name: held for name, held in columns.groups.items() if name != key}
    if body is not None:
        groups[key] = body
    rows = closed(proven, _behind(proven, key))
    machines = columns.machines.taken(rows)
    return counted_anew(
        proven,
        Anew(
            rows=rows,
            columns=replace(columns, groups=groups, machines=machines),
            networks=model.networks,
            announced=announced_over(proven, machines.addresses),
        ),
    )


def _behind(proven: Proven, key: str) -> npt.NDArray[np.int64]:
    """The machines that may feel a group."""
    model = proven.reach.model
    machines = model.columns.machines
    held: dict[str, frozenset[str]] = proven.kept("subnets_behind", lambda: _subnets_behind(proven))
    subnets = held.get(key, frozenset())
    felt = np.isin(machines.subnets, [number for number, name in enumerate(machines.subnet_keys) if name in subnets])
    felt |= np.isin(machines.groups, [number for number, name in enumerate(machines.group_keys) if name == key])
    through = proven.kept("islands_behind", lambda: _islands_behind(proven)).get(key)
    if through is not None:
        felt |= np.isin(proven.island_of[model.units.of_machine], sorted(through))
    return np.flatnonzero(felt)


def _subnets_behind(proven: Proven) -> dict[str, frozenset[str]]:
    """By security group its subnets."""
    found: dict[str, set[str]] = {}
    for network in proven.reach.model.networks.all:
        for place, subnet in enumerate(network.subnets):
            found.setdefault(group_of(network, place), set()).add(subnet.id.key)
    return {key: frozenset(subnets) for key, subnets in found.items()}


def _islands_behind(proven: Proven) -> dict[str, set[int]]:
    """By security group the islands in which it stands before an appliance."""
    found: dict[str, set[int]] = {}
    for number, moments in enumerate(proven.moments):
        targets = proven.reach.islands[number].targets
        guards = {moment.condition.states[target].guard for moment in moments for target in targets} - {""}
        for guard in guards:
            for key in proven.reach.groups_of(guard):
                found.setdefault(key, set()).add(number)
    return found
