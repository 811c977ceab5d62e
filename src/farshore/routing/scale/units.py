"""Machines that nothing in the network tells apart, counted together.

Neither on the way in nor on the way back, nor by a security group: a proof counts *units* and multiplies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from farshore.routing.scale.arrivals import Arrivals, Machinery
from farshore.routing.scale.checks import Checks
from farshore.routing.scale.classes import network_key
from farshore.routing.scale.columns import Columns, Indexes
from farshore.routing.scale.line import Bools, Lengths, Positions
from farshore.routing.scale.networks import Networks
from farshore.routing.scale.outcomes import Outcomes
from farshore.routing.scale.prefixes import Prefixes
from farshore.routing.scale.sessions import Sessions
from farshore.routing.scale.targets import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """Machines that nothing tells apart. One row each."""

    count: Indexes
    of_machine: Indexes
    """By machine row: its unit."""
    cls: Indexes
    """Into `Model.classes`; -1 for a subnet that is not there."""
    check: Indexes
    """Into `Checks.all`."""
    meant: Indexes
    """Into `Model.announced_prefixes`: the longest that covers it; -1 for none."""
    place: Positions
    """The address of one machine of it."""
    home: Indexes
    """The network; -1 for one that is not there."""
    contested: Lengths
    """The length of the longest prefix of a site that covers it; -1 for none."""
    region: Indexes
    appliance: Indexes
    """Into `Model.appliances`; -1 for what is none."""
    runs: Bools
    unclear: Bools
    """Nobody can tell how flows come to it: who announces it, or whether it runs, can't be read."""
    stale: Bools
    kinds: tuple[Indexes, ...]
    """By gateway: which kind of arrival; -1 where the gateway does not announce it."""

    def __len__(self) -> int:
        return len(self.count)

    def parts(self, unit: npt.NDArray[np.int64], count: Indexes, cls: Indexes, kinds: tuple[Indexes, ...]) -> Units:
        """Parts of units, a row each, that count so many machines, answer by these classes and arrive as these kinds.
        Which machines they are is not told."""
        return replace(
            self,
            count=count,
            of_machine=np.zeros(0, dtype=np.int32),
            cls=cls,
            kinds=kinds,
            **{name: getattr(self, name)[unit] for name in _KEPT},
        )


_KEPT = ("check", "meant", "place", "home", "contested", "region", "appliance", "runs", "unclear", "stale")


def machinery_of(
    columns: Columns, networks: Networks, outcomes: Outcomes, sessions: Sessions, targets: dict[Target, int]
) -> Machinery:
    """What the ways in are found with."""
    machines = columns.machines
    homes_of = [networks.numbers.get(network_key(key), -1) for key in machines.subnet_keys]
    homes = np.array(homes_of, dtype=np.int32)[machines.subnets] if len(machines) else np.zeros(0, dtype=np.int32)
    order = np.lexsort((machines.addresses, homes))
    same = (homes[order][1:] == homes[order][:-1]) & (machines.addresses[order][1:] == machines.addresses[order][:-1])
    twice = np.zeros(len(machines), dtype=bool)
    twice[order[1:][same]] = True
    twice[order[:-1][same]] = True
    return Machinery(
        networks=networks,
        outcomes=outcomes,
        addresses=machines.addresses,
        homes=homes,
        twice=twice,
        claimed=sessions.prefixes.lengths_at(machines.addresses),
        held=_Held(homes, machines.addresses),
        also=_several(machines.nics, homes, machines.addresses),
        targets=targets,
    )


def _several(nics: Sequence[str], homes: Indexes, addresses: Positions) -> dict[tuple[int, int], tuple[int, ...]]:
    """NICs with several addresses, as `Machinery.also` has them. A NIC's rows stand together."""
    found: dict[tuple[int, int], tuple[int, ...]] = {}
    again = [row for row in range(1, len(nics)) if nics[row] == nics[row - 1]]
    rows: dict[str, list[int]] = {}
    for row in again:
        rows.setdefault(nics[row], [row - 1]).append(row)
    for held in rows.values():
        own = tuple(int(addresses[row]) for row in held)
        found.update(((int(homes[row]), int(addresses[row])), own) for row in held)
    return found


def units_of(
    columns: Columns,
    class_of: Mapping[str, int],
    group_of: Mapping[str, str],
    checks: Checks,
    told: Prefixes,
    doubted: Prefixes,
    machinery: Machinery,
    ways_in: Sequence[Arrivals],
    appliances: Sequence[str],
) -> Units:
    """The units of an estate's machines. `class_of` and `group_of`: by subnet."""
    machines = columns.machines
    size = len(machines)
    classes = np.array([class_of.get(key, -1) for key in machines.subnet_keys], dtype=np.int32)
    network_groups = [group_of.get(key, "") for key in machines.subnet_keys]
    check = checks.of_machines(machines, network_groups)
    numbers = {key: number for number, key in enumerate(appliances)}
    appliance = _few(machines.holders, machines.nics, numbers, size)
    stale_keys = columns.skeleton.outside.stale
    stale = np.zeros(size, dtype=bool)
    if stale_keys:
        stale[:] = [
            nic in stale_keys or held in stale_keys for nic, held in zip(machines.nics, machines.holders, strict=True)
        ]
        check[stale] = checks.before_all_old_data(check[stale])
    told_apart: list[npt.NDArray[np.int64]] = [
        classes[machines.subnets].astype(np.int64) if size else np.zeros(0, dtype=np.int64),
        check.astype(np.int64),
        told.match(machines.addresses).astype(np.int64),
        machinery.claimed.astype(np.int64),
        machines.regions.astype(np.int64),
        appliance.astype(np.int64),
        machines.runs.astype(np.int64),
        stale.astype(np.int64),
        machinery.homes.astype(np.int64),
        (machines.unclear | (doubted.match(machines.addresses) >= 0)).astype(np.int64),
    ]
    key = np.zeros(size, dtype=np.int64)
    for column in told_apart:
        key = _joined(key, column)
    for way in ways_in:
        if len(way.rows):
            more = np.full(size, -1, dtype=np.int64)
            more[way.rows] = way.kinds
            key = _joined(key, more)
    _, first, of_machine, count = np.unique(key, return_index=True, return_inverse=True, return_counts=True)
    kinds = []
    for way in ways_in:
        more32 = np.full(size, -1, dtype=np.int32)
        more32[way.rows] = way.kinds
        kinds.append(more32[first])
    at = [column[first] for column in told_apart]
    return Units(
        count=count.astype(np.int32),
        of_machine=of_machine.astype(np.int32).reshape(-1),
        cls=at[0].astype(np.int32),
        check=at[1].astype(np.int32),
        meant=at[2].astype(np.int32),
        contested=at[3].astype(np.int16),
        region=at[4].astype(np.int32),
        appliance=at[5].astype(np.int32),
        runs=at[6].astype(bool),
        stale=at[7].astype(bool),
        home=at[8].astype(np.int32),
        unclear=at[9].astype(bool),
        place=machines.addresses[first],
        kinds=tuple(kinds),
    )


class _Held:
    """Every (network, position) that a NIC holds: asked for by few, and only then counted out."""

    def __init__(self, homes: Indexes, addresses: Positions) -> None:
        self._columns = homes, addresses

    @cached_property
    def _all(self) -> frozenset[tuple[int, int]]:
        homes, addresses = self._columns
        return frozenset(zip(homes.tolist(), addresses.tolist(), strict=True))

    def __contains__(self, held: object) -> bool:
        return held in self._all


def _few(holders: Sequence[str], nics: Sequence[str], numbers: dict[str, int], size: int) -> Indexes:
    """The number of each machine row's holder (or NIC, where it has none), -1 for most."""
    found = np.full(size, -1, dtype=np.int32)
    for row, (holder, nic) in enumerate(zip(holders, nics, strict=True)):
        number = numbers.get(holder or nic)
        if number is not None:
            found[row] = number
    return found


def _joined(key: npt.NDArray[np.int64], column: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """One number for two."""
    if not len(column) or column.min() == column.max():
        return key
    low, high = int(column.min()), int(column.max())
    joined = key * (high - low + 1) + (column - low)
    _, inverse = np.unique(joined, return_inverse=True)
    numbers: npt.NDArray[np.int64] = inverse.reshape(-1).astype(np.int64)
    return numbers
