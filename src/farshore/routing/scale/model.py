"""Everything about an estate that no failure changes, built once.

    columns ─► networks, sessions ─► ends ─► tables painted over the ends ─► targets ─► classes ─► units

What failures leave as it is stands here; what they change is asked of it under a condition (answers.py, reach.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from farshore.arm.connectivity import VirtualNetworkGateway
from farshore.arm.decode import Network
from farshore.routing.branches import exchanged
from farshore.routing.hubs import hub_rows
from farshore.routing.scale.arrivals import Arrivals, Place, arrivals
from farshore.routing.scale.checks import Checks
from farshore.routing.scale.classes import LOST_ROW, NO_ROUTES, OWN_ROW, UNKNOWN_ROW, Class, Tables
from farshore.routing.scale.columns import Columns, Indexes
from farshore.routing.scale.egress import Gateway, gateways_of
from farshore.routing.scale.ends import Ends, ends_of
from farshore.routing.scale.groups import Service
from farshore.routing.scale.line import Bools, Positions
from farshore.routing.scale.networks import Networks, Source, networks_of
from farshore.routing.scale.outcomes import GOOD, UNKNOWN, UNREACHABLE, WRONG_OWNER, Codes, Outcomes
from farshore.routing.scale.prefixes import Prefixes, of_networks
from farshore.routing.scale.sessions import Sessions, sessions_of
from farshore.routing.scale.tables import Painted, Routes, routes_of
from farshore.routing.scale.targets import Target
from farshore.routing.scale.units import Units, machinery_of, units_of
from farshore.routing.scale.whereabouts import may_send_by, members_of
from farshore.routing.sites import lines_of
from farshore.routing.speakers import reaches
from farshore.routing.system import RESERVED
from farshore.routing.vpn import far_gateways
from farshore.routing.world import World

T = TypeVar("T", covariant=True)


class Numbered(Protocol[T]):
    """Things by number."""

    def __getitem__(self, number: int, /) -> T: ...


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
    painted: Numbered[Painted]
    classes: list[Class]
    class_of: dict[str, int]
    """By subnet."""
    sources: list[Source]
    blind: Numbered[npt.NDArray[np.int8]]
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
    in_doubt: Prefixes
    """Of which nobody can tell who announces them (doubts.py)."""
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

    @property
    def passes_on(self) -> bool:
        """Whether sites pass on to each other what Azure tells them. That is for `routing.walk`: here nothing is known
        of any site's flows then."""
        return any(line.transit for line in lines_of(self.world.estate.sites))

    def doubted(self, codes: Codes) -> Codes:
        """Where a site's range and a network's collide, only what surely arrives, or surely comes to another, is said:
        edges and gateways that know both are for `routing.walk`."""
        outcomes = self.outcomes
        unknown = outcomes.simple(UNKNOWN)
        sure = [code if outcomes.known[code].word in (GOOD, WRONG_OWNER) else unknown for code in codes.tolist()]
        return np.array(sure, dtype=np.int16)


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
        joined = bool(reaches(world)) or any(True for _ in lines_of(world.estate.sites))
        outcomes = Outcomes.new(joined=joined, blind=bool(world.doubts.routes))
        networks = networks_of(world)
        sessions = sessions_of(world)
        used = self._used_tables(networks)
        held = dict(
            zip(used, routes_of((columns.tables[key] for key in used), world.outside.service_prefixes), strict=True)
        )
        ends = ends_of(sessions, networks.ranges, *_cuts(held.values(), sessions))
        blocks = tuple(ends.of_site(site) for site in range(len(sessions.sites)))
        tables = Tables(networks, ends, blocks, columns, held)
        for network in range(len(networks)):
            tables.network(network)
        speaking = _speaking(world)
        announced = tuple(networks.announced(key) for key in speaking)
        told, which = of_networks([prefix for pairs in announced for prefix, _ in pairs])
        doubtful = [prefix for ranges, _ in world.doubtful_ranges for prefix in ranges]
        in_doubt, _ = of_networks([*doubtful, *said_to_branches(world)])
        unclear = _same(sessions, told) | _same(sessions, in_doubt) | _uneven(sessions, reaches(world))
        gateways = gateways_of(world, speaking, sessions, ends, outcomes, unclear)
        machinery = machinery_of(columns, networks, outcomes, sessions, tables.targets)
        leads = [may_send_by(world, networks, target) for target in tables.targets]
        places = {key: tables.place(key) for key in _passing(world, leads) if key in tables.class_of}
        ways_in = tuple(
            arrivals(machinery, _entrance(world, key), [prefix for prefix, _ in pairs], places, leads)
            for key, pairs in zip(speaking, announced, strict=True)
        )
        checks = Checks(columns, ends, self.service, world.service_tags)
        appliances = sorted({world.index.machine_of.get(key, key) for key in world.index.nics})
        units = units_of(
            columns, tables.class_of, tables.group_of, checks, told, in_doubt, machinery, ways_in, appliances
        )
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
            blind=[blind_of(world, source, ends) for source in tables.sources],
            targets=list(tables.targets),
            leads=leads,
            members=[members_of(world, networks, target) for target in tables.targets],
            gateways=gateways,
            gateway_numbers={key: number for number, key in enumerate(speaking)},
            announced=announced,
            announced_prefixes=told,
            in_doubt=in_doubt,
            announcing=_announcing(announced, which, len(told)),
            answering=_answering(announced, which, len(told)),
            next_hops=tables.next_hops,
            arrivals=ways_in,
            checks=checks,
            units=units,
            appliances=appliances,
            constant=constant_of(ends, outcomes, self.columns.machines.addresses),
            reserved=reserved_of(ends),
        )

    def _used_tables(self, networks: Networks) -> list[str]:
        keys = {
            subnet.route_table.key
            for network in networks.all
            for subnet in network.subnets
            if subnet.route_table is not None
        }
        return sorted(key for key in keys if key in self.columns.tables)


def _cuts(routes: Iterable[Routes], sessions: Sessions) -> tuple[Positions, Positions]:
    """The borders of routes inside what sites have."""
    held = list(routes)
    if not held or not len(sessions.prefixes):
        return NO_ROUTES.first, NO_ROUTES.last
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


def _uneven(sessions: Sessions, reaches: Iterable[tuple[str, str]]) -> Bools:
    """The sites' prefixes that are told on both of two circuits that Global Reach joins, by paths of unequal length:
    the shorter comes to the other's edge too, which then does not tell its gateways the longer."""
    found = np.zeros(len(sessions.says), dtype=bool)
    lengths = np.array([session.router.prepend for session in sessions.all], dtype=np.int64)
    for pair in reaches:
        on = [np.array([session.circuit == circuit for session in sessions.all], dtype=bool) for circuit in pair]
        says = sessions.says & (on[0] | on[1])
        least = np.where(says, lengths, np.iinfo(np.int64).max).min(axis=1, initial=np.iinfo(np.int64).max)
        most = np.where(says, lengths, -1).max(axis=1, initial=-1)
        found |= (least < most) & (sessions.says & on[0]).any(axis=1) & (sessions.says & on[1]).any(axis=1)
    return found


def said_to_branches(world: World) -> Iterator[Network]:
    """What appliances and VPN gateways tell Route Servers that talk to gateways (R46): whom sites are sent to for it is
    not followed here."""
    servers = {key: server for key, server in world.ground.route_servers.items() if server.branch_to_branch}
    for advert in world.outside.advertised:
        if advert.to.partition("#")[0] in servers:
            yield advert.prefix
    for server in servers.values():
        yield from exchanged(world, server.network)


def said_in_tunnels(world: World, gateway: VirtualNetworkGateway) -> Iterator[Network]:
    """What a VPN gateway hears, and what it may hear of a Route Server at the other end of a tunnel once something
    fails (R46)."""
    yield from world.gateway_routes(gateway)
    servers = {server.network for server in world.ground.route_servers.values() if server.branch_to_branch}
    ends = (world.index.network_of(far.subnet) for far in far_gateways(gateway, world.index))
    if any(end is not None and end.id.key in servers for end in ends):
        yield from said_to_branches(world)
        yield from (prefix for site in world.estate.sites for prefix in site.prefixes)


def blind_of(world: World, source: Source, ends: Ends) -> npt.NDArray[np.int8]:
    held: list[Network] = []
    for key in source.others:
        gateway = world.index.gateways.get(key)
        if gateway is not None:
            held += said_in_tunnels(world, gateway)
        elif key in world.ground.route_servers or key in world.doubts.servers:
            # Whoever is heard at the moment, and whoever may be: what is said to it.
            held += (advert.prefix for advert in world.outside.advertised if advert.to.partition("#")[0] == key)
        else:
            held += (row.address_prefix for row in hub_rows(world, *world.ground.by_connection[key]))
    prefixes, _ = of_networks(held)
    return prefixes.lengths_at(ends.first).astype(np.int8)


def constant_of(ends: Ends, outcomes: Outcomes, machines: Positions) -> dict[int, npt.NDArray[np.int16]]:
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


def reserved_of(ends: Ends) -> npt.NDArray[np.int8]:
    prefixes, _ = of_networks(list(RESERVED))
    return prefixes.lengths_at(ends.first).astype(np.int8)
