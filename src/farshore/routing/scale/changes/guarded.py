"""A security group changed, and proven again.

It is felt by the machines that it stands before, its subnets' and its NICs'; and where it stands before an appliance,
by whoever is reached or answers by way of that one: by the whole of its islands. How flows arrive and replies go stays
as it was.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from farshore.arm.json import Body
from farshore.routing.scale.changes.proven import Difference, Proven
from farshore.routing.scale.checks import Checks
from farshore.routing.scale.classes import group_of, subnet_group
from farshore.routing.scale.columns import Columns
from farshore.routing.scale.model import Model
from farshore.routing.scale.outcomes import WORDS
from farshore.routing.scale.tally import Counts


def guarded(proven: Proven, key: str, body: Body | None) -> Difference:
    """What comes of a security group, by lower-case id, having this body, or of it being there no more."""
    reach, model = proven.reach, proven.reach.model
    columns = model.columns
    groups = {name: held for name, held in columns.groups.items() if name != key}
    if body is not None:
        groups[key] = body
    after = _checked(model, replace(columns, groups=groups), _behind(proven, key))
    found = np.zeros((len(proven.elements) + 1, len(WORDS)), dtype=np.int64)
    touched = proven.islands_of(after.parts)
    islands = list(reach.islands)
    for number, rows in touched.items():
        places = proven.places_of(after.parts[rows])
        islands[number] = replace(islands[number], units=rows, meant=islands[number].meant[places])
    again = reach.apart(after.model, islands, reach.answers)
    for number, rows in touched.items():
        places, machines = proven.places_of(after.parts[rows]), after.model.units.count[rows].astype(np.int64)
        known: dict[tuple[object, ...], Counts] = {}
        for moment in proven.moments[number]:
            was = reach.count(number, moment.condition)[places]
            ways_in = moment.ways_in[places]
            again.with_old_data(ways_in, rows)
            now = again.tallied(number, moment.condition, ways_in, reach.answers, known)
            found[moment.who] += machines @ (now - was)
    return found


class _After(NamedTuple):
    """Some machines behind what then stands before them, as a model's only units."""

    model: Model
    parts: npt.NDArray[np.int64]
    """By unit the one of the proven model that it is a part of."""


def _checked(model: Model, columns: Columns, rows: npt.NDArray[np.int64]) -> _After:
    machines = columns.machines.taken(rows)
    checks = Checks(columns, model.ends, model.service, model.world.service_tags)
    of_machine = checks.of_machines(machines, [subnet_group(model.networks, key) for key in machines.subnet_keys])
    stale = model.units.stale[model.units.of_machine[rows]]
    of_machine[stale] = checks.before_all_old_data(of_machine[stale])
    keys = model.units.of_machine[rows].astype(np.int64) << 32 | of_machine
    parts, count = np.unique(keys, return_counts=True)
    unit = parts >> 32
    kinds = tuple(held[unit] for held in model.units.kinds)
    units = model.units.parts(unit, count.astype(np.int32), model.units.cls[unit], kinds)
    units = replace(units, check=(parts & 0xFFFFFFFF).astype(np.int32))
    return _After(replace(model, columns=columns, checks=checks, units=units), unit)


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
        guards = {guard for moment in moments for target in targets for guard in moment.condition.states[target].guards}
        for guard in guards:
            for key in proven.reach.groups_of(guard):
                found.setdefault(key, set()).add(number)
    return found
