"""Everything about an estate that no failure changes, built once.

    columns ─► networks, sessions ─► ends ─► tables painted over the ends ─► targets ─► classes ─► units

A *class* is a way to answer: subnets whose tables look alike from every end share one. A *unit* is some machines that
nothing in the network tells apart, neither on the way in nor on the way back, nor by a security group: a proof counts
units and multiplies.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from farshore.arm.decode import Network
from farshore.routing.scale.arrivals import Arrivals, Machinery, Place, arrivals, parsed
from farshore.routing.scale.checks import Checks
from farshore.routing.scale.columns import Columns, Indexes
from farshore.routing.scale.egress import Gateway, gateways_of
from farshore.routing.scale.ends import Ends, ends_of
from farshore.routing.scale.groups import Service
from farshore.routing.scale.line import Bools, Lengths, Positions
from farshore.routing.scale.networks import Networks, Source, networks_of
from farshore.routing.scale.outcomes import UNKNOWN, UNREACHABLE, WRONG_OWNER, Outcomes
from farshore.routing.scale.prefixes import Prefixes, of_networks
from farshore.routing.scale.sessions import Sessions, sessions_of
from farshore.routing.scale.tables import APPLIANCE, UNCLEAR, Painted, Routes, laid, painted, routes_of
from farshore.routing.scale.targets import Target
from farshore.routing.scale.whereabouts import may_send_by, members_of
from farshore.routing.system import RESERVED
from farshore.routing.world import World

LOST_ROW, UNKNOWN_ROW, OWN_ROW = -1, -2, -3
"""Rows of next hops that are no target: what they make of every end never changes."""


class Class(NamedTuple):
    """How a subnet's table answers every end."""

    source: int
    """Where its BGP rows come from; -1 where it takes none (R23)."""
    table: int
    """Into `Model.painted`."""
    rows: tuple[int, ...]
    """By the table's next hops: a target, or one of the rows above."""


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
    stale: Bools
    kinds: tuple[Indexes, ...]
    """By gateway: which kind of arrival; -1 where the gateway does not announce it."""

    def __len__(self) -> int:
        return len(self.count)


@dataclass(slots=True, kw_only=True)
class Model:
    """See the theory above."""

    columns: Columns
    service: Service
    world: World
    outcomes: Outcomes
    networks: Networks
    sessions: Sessions
    ends: Ends
    contested: npt.NDArray[np.int64]
    """Ends that lie in the range of a network, too."""
    line: npt.NDArray[np.int32]
    """The ends' own numbers."""
    blocks: tuple[slice, ...]
    places: dict[str, Place]
    """Subnets whose table may decide about a packet under way: gateways' and appliances'."""
    painted: list[Painted]
    classes: list[Class]
    class_of: dict[str, int]
    """By subnet."""
    sources: list[Source]
    blind: list[npt.NDArray[np.int8]]
    """By source: the length of the longest route that only a VPN gateway or a Route Server gives; -1 for none."""
    targets: list[Target]
    leads: list[tuple[str, ...]]
    """By target: the subnets that it may ever send on by."""
    members: list[frozenset[str]]
    """By target: everything whose failure may change who stands there, by the names of `Outside.down`."""
    gateways: tuple[Gateway, ...]
    gateway_numbers: dict[str, int]
    announced: tuple[list[tuple[Network, int]], ...]
    """By gateway: what it announces, and the network that answers (R40)."""
    announced_prefixes: Prefixes
    announcing: list[tuple[int, ...]]
    """By announced prefix: the gateways that do."""
    answering: Indexes
    """By announced prefix: a network that answers for it; -1 for one that is not in the estate."""
    next_hops: dict[tuple[int, str], int]
    """By network and next hop, as tables name it: a target, or one of the rows above."""
    arrivals: tuple[Arrivals, ...]
    """By gateway."""
    checks: Checks
    units: Units
    appliances: list[str]
    """Machines that forward, by lower-case id."""
    by_source: list[list[int]] = field(default_factory=list)
    """By source: the classes that take their BGP rows from it."""
    by_target: list[list[int]] = field(default_factory=list)
    """By target: the classes with a route to it."""
    constant: dict[int, npt.NDArray[np.int16]] = field(default_factory=dict)
    """What `LOST_ROW` and its like make of every end."""
    reserved: npt.NDArray[np.int8]
    """By end: the length of the reserved range that it lies in; -1 for none."""


def model_of(columns: Columns, service: Service) -> Model:
    """The model of an estate for one service."""
    return _Building(columns, service).model()


@dataclass(slots=True)
class _Building:
    columns: Columns
    service: Service

    def model(self) -> Model:
        columns = self.columns
        world = World(columns.skeleton)
        outcomes = Outcomes.new()
        networks = networks_of(world)
        sessions = sessions_of(world)
        used = self._used_tables(networks)
        held = dict(
            zip(used, routes_of((columns.tables[key] for key in used), world.outside.service_prefixes), strict=True)
        )
        ends = ends_of(sessions, networks.ranges, *_cuts(held.values(), sessions))
        blocks = tuple(ends.of_site(site) for site in range(len(sessions.sites)))
        tables = _Tables(networks, ends, blocks, columns, held)
        for network in range(len(networks)):
            tables.network(network)
        speaking = _speaking(world)
        announced = tuple(networks.announced(key) for key in speaking)
        told, which = of_networks([prefix for pairs in announced for prefix, _ in pairs])
        gateways = gateways_of(world, speaking, sessions, ends, outcomes, _same(sessions, told))
        machinery = self._machinery(networks, outcomes, sessions, tables)
        leads = [may_send_by(world, networks, target) for target in tables.targets]
        places = {key: tables.place(key) for key in _passing(world, leads) if key in tables.class_of}
        ways_in = tuple(
            arrivals(machinery, _entrance(world, key), [prefix for prefix, _ in pairs], places, leads)
            for key, pairs in zip(speaking, announced, strict=True)
        )
        checks = Checks(columns, ends, self.service, world.service_tags)
        appliances = sorted({world.index.machine_of.get(key, key) for key in world.index.nics})
        units = self._units(tables, checks, told, machinery, ways_in, appliances)
        by_source: list[list[int]] = [[] for _ in tables.sources]
        by_target: list[list[int]] = [[] for _ in tables.targets]
        for number, cls in enumerate(tables.classes):
            if cls.source >= 0:
                by_source[cls.source].append(number)
            for row in set(cls.rows):
                if row >= 0:
                    by_target[row].append(number)
        return Model(
            by_source=by_source,
            by_target=by_target,
            columns=columns,
            service=self.service,
            world=world,
            outcomes=outcomes,
            networks=networks,
            sessions=sessions,
            ends=ends,
            contested=np.flatnonzero(ends.contested),
            line=np.arange(len(ends), dtype=np.int32),
            blocks=blocks,
            places=places,
            painted=tables.painted,
            classes=list(tables.classes),
            class_of=tables.class_of,
            sources=list(tables.sources),
            blind=[_blind(world, source, ends) for source in tables.sources],
            targets=list(tables.targets),
            leads=leads,
            members=[members_of(world, networks, target) for target in tables.targets],
            gateways=gateways,
            gateway_numbers={key: number for number, key in enumerate(speaking)},
            announced=announced,
            announced_prefixes=told,
            announcing=_announcing(announced, which, len(told)),
            answering=_answering(announced, which, len(told)),
            next_hops=tables.next_hops,
            arrivals=ways_in,
            checks=checks,
            units=units,
            appliances=appliances,
            constant=_constant(ends, outcomes, self.columns.machines.addresses),
            reserved=_reserved(ends),
        )

    def _used_tables(self, networks: Networks) -> list[str]:
        keys = {
            subnet.route_table.key
            for network in networks.all
            for subnet in network.subnets
            if subnet.route_table is not None
        }
        return sorted(key for key in keys if key in self.columns.tables)

    def _machinery(self, networks: Networks, outcomes: Outcomes, sessions: Sessions, tables: _Tables) -> Machinery:
        machines = self.columns.machines
        homes_of = [networks.numbers.get(_network_key(key), -1) for key in machines.subnet_keys]
        homes = np.array(homes_of, dtype=np.int32)[machines.subnets] if len(machines) else np.zeros(0, dtype=np.int32)
        order = np.lexsort((machines.addresses, homes))
        same = (homes[order][1:] == homes[order][:-1]) & (
            machines.addresses[order][1:] == machines.addresses[order][:-1]
        )
        twice = np.zeros(len(machines), dtype=bool)
        twice[order[1:][same]] = True
        twice[order[:-1][same]] = True
        return Machinery(
            networks=networks,
            outcomes=outcomes,
            addresses=machines.addresses,
            homes=homes,
            twice=twice,
            contested=sessions.prefixes.match(machines.addresses) >= 0,
            held=_Held(homes, machines.addresses),
            targets=tables.targets,
        )

    def _units(
        self,
        tables: _Tables,
        checks: Checks,
        told: Prefixes,
        machinery: Machinery,
        ways_in: Sequence[Arrivals],
        appliances: Sequence[str],
    ) -> Units:
        machines = self.columns.machines
        size = len(machines)
        classes = np.array([tables.class_of.get(key, -1) for key in machines.subnet_keys], dtype=np.int32)
        network_groups = [tables.group_of.get(key, "") for key in machines.subnet_keys]
        check = checks.of_machines(machines, network_groups)
        numbers = {key: number for number, key in enumerate(appliances)}
        appliance = _few(machines.holders, machines.nics, numbers, size)
        stale_keys = self.columns.skeleton.outside.stale
        stale = np.zeros(size, dtype=bool)
        if stale_keys:
            stale[:] = [
                nic in stale_keys or held in stale_keys
                for nic, held in zip(machines.nics, machines.holders, strict=True)
            ]
        contested = self._contested(machinery)
        columns: list[npt.NDArray[np.int64]] = [
            classes[machines.subnets].astype(np.int64) if size else np.zeros(0, dtype=np.int64),
            check.astype(np.int64),
            told.match(machines.addresses).astype(np.int64),
            contested.astype(np.int64),
            machines.regions.astype(np.int64),
            appliance.astype(np.int64),
            machines.runs.astype(np.int64),
            stale.astype(np.int64),
            machinery.homes.astype(np.int64),
        ]
        key = np.zeros(size, dtype=np.int64)
        for column in columns:
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
        at = [column[first] for column in columns]
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
            place=machines.addresses[first],
            kinds=tuple(kinds),
        )

    def _contested(self, machinery: Machinery) -> Lengths:
        sites = self.columns.skeleton.sites
        prefixes, _ = of_networks([prefix for site in sites for prefix in site.prefixes])
        return prefixes.lengths_at(machinery.addresses)


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


@dataclass(slots=True)
class _Tables:
    """Subnets' tables, painted; the classes and targets that turn up."""

    networks: Networks
    ends: Ends
    blocks: tuple[slice, ...]
    columns: Columns
    routes: dict[str, Routes]
    painted: list[Painted] = field(default_factory=list)
    classes: dict[Class, int] = field(default_factory=dict)
    class_of: dict[str, int] = field(default_factory=dict)
    group_of: dict[str, str] = field(default_factory=dict)
    sources: dict[Source, int] = field(default_factory=dict)
    targets: dict[Target, int] = field(default_factory=dict)
    _painted_of: dict[object, int] = field(default_factory=dict)
    next_hops: dict[tuple[int, str], int] = field(default_factory=dict)

    def network(self, number: int) -> None:
        """Every subnet of a network."""
        found = self.networks.all[number]
        source = self.networks.source(number)
        at = self.sources.setdefault(source, len(self.sources))
        taken = self._taken(number)
        for subnet in found.subnets:
            key = "" if subnet.route_table is None else subnet.route_table.key
            table = self.columns.tables.get(key)
            painted = self._paint(key, number, taken)
            propagates = table is None or table.propagates
            unclear = bool(found.unknown) or (table is not None and table.unclear)
            rows = tuple(UNKNOWN_ROW if unclear else self._row(number, way) for way in self.painted[painted].kinds)
            cls = Class(at if propagates else -1, painted, rows)
            self.class_of[subnet.id.key] = self.classes.setdefault(cls, len(self.classes))
            if subnet.network_security_group is not None:
                self.group_of[subnet.id.key] = subnet.network_security_group.key

    def place(self, key: str) -> Place:
        """A subnet as a place on the way to a machine."""
        number = self.networks.numbers[_network_key(key)]
        found = self.networks.all[number].subnet(key.rsplit("/", 1)[-1])
        assert found is not None, "a subnet with a class is there"
        table = "" if found.route_table is None else found.route_table.key
        held = self.columns.tables.get(table)
        return Place(
            key=key, network=number, routes=self.routes.get(table, NO_ROUTES), unclear=held is not None and held.unclear
        )

    def _row(self, network: int, way: tuple[str, str]) -> int:
        known = self.next_hops.get((network, way[0] + way[1]))
        if known is None:
            known = self.next_hops[(network, way[0] + way[1])] = self._found_row(network, way)
        return known

    def _found_row(self, network: int, way: tuple[str, str]) -> int:
        kind, text = way
        if way == UNCLEAR:
            return UNKNOWN_ROW
        if way == OWN or kind == "vnetlocal":
            return OWN_ROW
        if kind == "virtualnetworkgateway":
            return UNKNOWN_ROW if self.networks.source(network).others else LOST_ROW
        if kind != APPLIANCE:
            return LOST_ROW
        address = parsed(text)
        where = -1 if address is None else self.networks.located(network, address)
        if address is None or where < 0:
            return LOST_ROW
        return self.targets.setdefault(Target(where, address), len(self.targets))

    def _paint(self, key: str, number: int, taken: npt.NDArray[np.int16] | None) -> int:
        shared = (key, None if taken is None else number)
        found = self._painted_of.get(shared)
        if found is not None:
            return found
        routes = self.routes.get(key, NO_ROUTES)
        content = (
            (routes.first.tobytes(), routes.length.tobytes(), routes.hops, routes.kinds) if taken is None else shared
        )
        found = self._painted_of.get(content)
        if found is None:
            made = painted(routes, self.ends, self.blocks)
            self.painted.append(made if taken is None else _with_own(made, taken))
            found = len(self.painted) - 1
        self._painted_of[content] = self._painted_of[shared] = found
        return found

    def _taken(self, number: int) -> npt.NDArray[np.int16] | None:
        """By end the length of the network's own or a peer's range that it lies in: rows that BGP does not get past
        (R14). None where there is no such end."""
        contested = np.flatnonzero(self.ends.contested)
        if not len(contested):
            return None
        held = [*self.networks.all[number].address_space]
        held += [prefix for peer in self.networks.near(number, frozenset()) for prefix in peer.prefixes]
        prefixes, _ = of_networks(held)
        lengths = np.full(len(self.ends), -1, dtype=np.int16)
        lengths[contested] = prefixes.lengths_at(self.ends.first[contested])
        return lengths if (lengths >= 0).any() else None


OWN = ("own", "")


def _with_own(made: Painted, taken: npt.NDArray[np.int16]) -> Painted:
    """A table whose network has some of the ends in its own or its peers' ranges: they never leave Azure."""
    kept = (taken >= 0) & (taken > made.length)
    length, hop = made.length.copy(), made.hop.copy()
    length[kept] = 127
    hop[kept] = len(made.kinds)
    # A user's route as long as the range wins, and BGP does not get past either of them.
    length[(taken >= 0) & ~kept] = 127
    return laid(length, hop, (*made.kinds, OWN))


_NONE = np.zeros(0, dtype=np.uint64)
NO_ROUTES = Routes(first=_NONE, last=_NONE, length=np.zeros(0, dtype=np.int16), hops=(), kinds=())


def _cuts(routes: Iterable[Routes], sessions: Sessions) -> tuple[Positions, Positions]:
    """The borders of routes inside what sites have."""
    held = list(routes)
    if not held or not len(sessions.prefixes):
        return _NONE, _NONE
    first = np.concatenate([item.first for item in held])
    last = np.concatenate([item.last for item in held])
    inside = (sessions.prefixes.match(first) >= 0) | (sessions.prefixes.match(last) >= 0)
    return first[inside], last[inside]


def _speaking(world: World) -> list[str]:
    """ExpressRoute gateways with a connection to a circuit."""
    joined = {
        connection.virtual_network_gateway1.key
        for connection in world.index.connections.values()
        if connection.virtual_network_gateway1 is not None and connection.peer is not None
    }
    return [
        key for key, gateway in world.index.gateways.items() if key in joined and gateway.gateway_type.lower() != "vpn"
    ]


def _entrance(world: World, gateway: str) -> str:
    subnet = world.index.gateways[gateway].subnet
    return "" if subnet is None else subnet.key


def _announcing(announced: Sequence[Sequence[tuple[Network, int]]], which: Indexes, size: int) -> list[tuple[int, ...]]:
    """By distinct prefix the gateways that announce it."""
    found: list[dict[int, None]] = [{} for _ in range(size)]
    gateways = [number for number, pairs in enumerate(announced) for _ in pairs]
    for at, gateway in zip(which.tolist(), gateways, strict=True):
        found[at][gateway] = None
    return [tuple(held) for held in found]


def _answering(announced: Sequence[Sequence[tuple[Network, int]]], which: Indexes, size: int) -> Indexes:
    found = np.full(size, -1, dtype=np.int32)
    found[which] = [network for pairs in announced for _, network in pairs]
    return found


def _same(sessions: Sessions, announced: Prefixes) -> Bools:
    """The sites' prefixes that gateways announce as well."""
    told = set(zip(announced.first.tolist(), announced.length.tolist(), strict=True))
    whole = sessions.prefixes
    return np.array([key in told for key in zip(whole.first.tolist(), whole.length.tolist(), strict=True)], dtype=bool)


def _passing(world: World, leads: Sequence[tuple[str, ...]]) -> set[str]:
    """The subnets of gateways and of appliances."""
    found = {gateway.subnet.key for gateway in world.index.gateways.values() if gateway.subnet is not None}
    return found | {subnet for held in leads for subnet in held}


def _blind(world: World, source: Source, ends: Ends) -> npt.NDArray[np.int8]:
    held: list[Network] = []
    for key in source.others:
        gateway = world.index.gateways.get(key)
        if gateway is not None:
            held += world.gateway_routes(gateway)
        else:
            held += world.server_routes(world.ground.route_servers[key])
    prefixes, _ = of_networks(held)
    return prefixes.lengths_at(ends.first).astype(np.int8)


def _constant(ends: Ends, outcomes: Outcomes, machines: Positions) -> dict[int, npt.NDArray[np.int16]]:
    lost = np.full(len(ends), outcomes.simple(UNREACHABLE), dtype=np.int16)
    # What a table keeps inside Azure comes to a machine there, where one holds an address of the end.
    own = lost.copy()
    held = np.sort(machines)
    own[np.searchsorted(held, ends.first) < np.searchsorted(held, ends.last, side="right")] = outcomes.simple(
        WRONG_OWNER
    )
    return {
        OWN_ROW: own,
        LOST_ROW: lost,
        UNKNOWN_ROW: np.full(len(ends), outcomes.simple(UNKNOWN), dtype=np.int16),
    }


def _reserved(ends: Ends) -> npt.NDArray[np.int8]:
    prefixes, _ = of_networks(list(RESERVED))
    return prefixes.lengths_at(ends.first).astype(np.int8)


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


def _network_key(subnet: str) -> str:
    return subnet.rpartition("/subnets/")[0]
