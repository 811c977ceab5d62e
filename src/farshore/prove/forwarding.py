"""Worlds as forwarding states: which moments are the same to a packet.

Many orders of a plan lead to one world, and many worlds differ only where no promised packet can come: a target
network that is still being built hangs on nothing. Two keys say so.

A world's key stands for everything in it: bodies, sites, what is down, stopped and stale, promises.

Its forwarding key, for some machines, keeps what their packets could meet. Start from the circuits that a site's
router is on, from the networks of these machines' NICs, and from the networks of hosts that an objective names. Go
along peerings in any state, connections, and gateways to their networks. What is not reached is an island: a packet
moves from network to network only along these, so no flow between the site and these machines, in either direction,
can enter it, whatever fails (a failure takes edges away). Its bodies, and the route tables and security groups that
only it uses, change no verdict.

A failure is tried on a state only if its element is on that part: a circuit that no reached gateway is connected to
carries nothing, a router on it hears and says nothing, a location with only such circuits is as good as absent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property, lru_cache

from farshore.arm.compute import VIRTUAL_MACHINES
from farshore.arm.ids import ResourceId, references, resource_id
from farshore.arm.json import Body, canonical
from farshore.arm.network import (
    CONNECTIONS,
    NETWORK_INTERFACES,
    NETWORK_SECURITY_GROUPS,
    PUBLIC_IP_ADDRESSES,
    ROUTE_TABLES,
    VIRTUAL_NETWORK_GATEWAYS,
    VIRTUAL_NETWORKS,
)
from farshore.estate.estate import Estate
from farshore.plan.effects import World, apply
from farshore.prove.cuts import Poset
from farshore.routing.failures import Element, elements

_BY_REACH = {
    kind.lower()
    for kind in (
        CONNECTIONS,
        NETWORK_INTERFACES,
        NETWORK_SECURITY_GROUPS,
        ROUTE_TABLES,
        VIRTUAL_MACHINES,
        VIRTUAL_NETWORK_GATEWAYS,
        VIRTUAL_NETWORKS,
    )
}
"""Types of which only what is reached counts."""


class Worlds:
    """All worlds of one proof, each once, by a small number."""

    def __init__(self, first: World, poset: Poset) -> None:
        self._poset = poset
        self._worlds: list[World] = []
        self._keys: dict[object, int] = {}
        self._after: dict[tuple[int, int], int] = {}
        self._prints = _Prints()
        self.first = self._intern(first)

    def __getitem__(self, key: int) -> World:
        return self._worlds[key]

    def __len__(self) -> int:
        return len(self._worlds)

    def advance(self, key: int, index: int) -> int:
        """The world after one more node."""
        step = (key, index)
        found = self._after.get(step)
        if found is None:
            found = self._after[step] = self._intern(apply(self._worlds[key], self._poset.nodes[index].effects))
        return found

    def _intern(self, world: World) -> int:
        estate = world.estate
        content = (
            frozenset((id_, self._prints.of(body)) for id_, body in estate.resources.items()),
            estate.sites,
            _outside(estate),
            frozenset(world.promises.items()),
        )
        key = self._keys.setdefault(content, len(self._worlds))
        if key == len(self._worlds):
            self._worlds.append(world)
        return key


class Forwarding:
    """Forwarding keys of worlds, and the failures that matter to each."""

    def __init__(self, worlds: Worlds, hosts: Iterable[ResourceId] = ()) -> None:
        self._worlds = worlds
        self._hosts = tuple(hosts)
        self._prints = _Prints()
        self._book = _Book()
        self._keys: dict[object, int] = {}
        self._known: dict[tuple[int, tuple[str, ...]], int] = {}
        self._elements: dict[int, tuple[Element, ...]] = {}
        self.networks: set[object] = set()
        """Distinct states of the network alone, machines left out."""

    def key(self, world: int, machines: tuple[str, ...], nics: tuple[ResourceId, ...]) -> int:
        """The forwarding key of a world for these machines, whose NICs (on either side) are `nics`."""
        ask = (world, machines)
        found = self._known.get(ask)
        if found is None:
            found = self._known[ask] = self._key(self._worlds[world], machines, nics)
        return found

    def failures(self, key: int, world: int, nics: tuple[ResourceId, ...]) -> tuple[Element, ...]:
        """The elements whose failure could change a verdict in this forwarding state."""
        if key not in self._elements:
            estate = self._worlds[world].estate
            reach = _Reach(estate, (*nics, *self._hosts), self._book)
            self._elements[key] = tuple(item for item in elements(estate) if reach.concerns(item))
        return self._elements[key]

    def _key(self, world: World, machines: tuple[str, ...], nics: tuple[ResourceId, ...]) -> int:
        estate = world.estate
        reach = _Reach(estate, (*nics, *self._hosts), self._book)
        bodies = frozenset((id_, self._prints.of(body)) for id_, body in reach.bodies())
        outside = _outside(estate)
        promises = tuple(world.promises.get(machine) for machine in machines)
        content = (bodies, estate.sites, outside, promises)
        self.networks.add((frozenset(b for b in bodies if not _is_host(b[0])), estate.sites, outside[:2]))
        return self._keys.setdefault(content, len(self._keys))


class _Prints:
    """Small numbers for bodies, equal for equal content. Worlds share bodies, so most are met again by identity."""

    def __init__(self) -> None:
        self._by_content: dict[bytes, int] = {}
        self._by_identity: dict[int, tuple[Body, int]] = {}

    def of(self, body: Body) -> int:
        held = self._by_identity.get(id(body))
        if held is None or held[0] is not body:
            number = self._by_content.setdefault(canonical(body), len(self._by_content))
            held = self._by_identity[id(body)] = (body, number)
        return held[1]


class _Facts:
    """What one body joins to what, and what it brings along; read once for each body."""

    __slots__ = ("brings", "joins", "within")

    def __init__(self, estate: Estate, key: str, body: Body) -> None:
        self.joins: tuple[str, ...] = ()
        """Keys that this one lies beside: whoever reaches one reaches the others."""
        self.within: tuple[str, ...] = ()
        """Networks that it stands in (NICs), or NICs that it has (machines): with one of them it counts."""
        self.brings: tuple[str, ...] = ()
        """What counts where this one does."""
        kind, id_ = _kind(key), resource_id(key)
        if kind == VIRTUAL_NETWORKS.lower():
            network = estate.virtual_network(id_)
            assert network is not None
            self.joins = _keys(id_, *(peering.remote_virtual_network for peering in network.peerings))
            used = ((subnet.route_table, subnet.network_security_group) for subnet in network.subnets)
            self.brings = _keys(*(item for pair in used for item in pair))
        elif kind == VIRTUAL_NETWORK_GATEWAYS.lower():
            gateway = estate.virtual_network_gateway(id_)
            assert gateway is not None
            self.joins = _keys(id_, None if gateway.subnet is None else gateway.subnet.parent)
        elif kind == CONNECTIONS.lower():
            item = estate.connection(id_)
            assert item is not None
            ends = (
                item.virtual_network_gateway1,
                item.virtual_network_gateway2,
                item.local_network_gateway2,
                item.peer,
            )
            self.joins = _keys(id_, *ends)
        elif kind == NETWORK_INTERFACES.lower():
            nic = estate.network_interface(id_)
            assert nic is not None
            self.within = tuple(_parent(item.subnet) for item in nic.ip_configurations if item.subnet is not None)
            self.brings = _keys(nic.network_security_group, nic.virtual_machine)
        elif kind == VIRTUAL_MACHINES.lower():
            machine = estate.virtual_machine(id_)
            assert machine is not None
            self.within = _keys(*machine.network_interfaces)
        elif _is_other(key):
            # Types that few estates have (virtual hubs, load balancers, circuits joined to circuits): whatever their
            # bodies name is taken to be joined.
            self.joins = _keys(id_, *references(body))


class _Book:
    """Facts of bodies that have been read."""

    def __init__(self) -> None:
        self._facts: dict[int, tuple[Body, _Facts]] = {}

    def of(self, estate: Estate, key: str, body: Body) -> _Facts:
        held = self._facts.get(id(body))
        if held is None or held[0] is not body:
            held = self._facts[id(body)] = (body, _Facts(estate, key, body))
        return held[1]


class _Reach:
    """What packets of a site and of some NICs could meet. See the theory above."""

    def __init__(self, estate: Estate, nics: Iterable[ResourceId], book: _Book) -> None:
        self.estate = estate
        facts = {key: book.of(estate, key, body) for key, body in estate.resources.items()}
        edges: dict[str, list[tuple[str, ...]]] = {}
        for fact in facts.values():
            for one in fact.joins:
                edges.setdefault(one, []).append(fact.joins)
        stack = [router.circuit.key for site in estate.sites for router in site.routers]
        stack += [item.to.split("#", 1)[0] for item in estate.outside.advertised]
        for id_ in nics:
            if id_.key in facts:
                stack += facts[id_.key].within
        reached: set[str] = set()
        while stack:
            key = stack.pop()
            if key not in reached:
                reached.add(key)
                for joined in edges.get(key, ()):
                    stack += joined
        self.reached = frozenset(reached)
        # NICs stand in networks, machines have NICs: two rounds bring everything.
        counted = set(reached)
        for kind in (NETWORK_INTERFACES.lower(), VIRTUAL_MACHINES.lower()):
            counted.update(
                key for key, fact in facts.items() if _kind(key) == kind and not counted.isdisjoint(fact.within)
            )
        for key in tuple(counted):
            if key in facts:
                counted.update(facts[key].brings)
        self._counted = counted

    def bodies(self) -> Iterator[tuple[str, Body]]:
        """Every body that counts, with its id."""
        for key, body in self.estate.resources.items():
            if _is_other(key) or (key in self._counted and _kind(key) in _BY_REACH):
                yield key, body

    def concerns(self, element: Element) -> bool:
        """Whether the element's failure could change what a packet meets."""
        if element.down <= self.estate.outside.down:
            return False
        key = None if element.id is None else element.id.key
        match element.kind:
            case "circuit" | "circuit-link":
                return self._carries(element.id)
            case "gateway" | "gateway-instance" | "connection":
                return key in self.reached
            case "peering-location":
                place = element.name.lower()
                return any(
                    (item.peering_location or "").lower() == place and self._carries(item.id)
                    for item in self.estate.express_route_circuits
                )
            case "router":
                return any(
                    f"{site.name}/{router.name}" == element.name and self._carries(router.circuit)
                    for site in self.estate.sites
                    for router in site.routers
                )
            case "region":
                return any(
                    item.location == element.name and item.id.key in self.reached
                    for item in self.estate.virtual_networks
                )
            case "appliance":
                return key in self._counted
        return True

    def _carries(self, circuit: ResourceId | None) -> bool:
        """A circuit that a reached gateway is connected to, or that other circuits or neighbours may speak through."""
        if circuit is None or circuit in self._carrying:
            return True
        found = self.estate.express_route_circuit(circuit)
        joined = found is not None and any(
            circuit == other.id or reach.peer == circuit
            for other in self.estate.express_route_circuits
            for reach in (() if other.private_peering is None else other.private_peering.connections)
        )
        spoken = any(item.to.startswith(circuit.key) for item in self.estate.outside.advertised)
        return found is None or joined or spoken

    @cached_property
    def _carrying(self) -> frozenset[ResourceId]:
        return frozenset(
            connection.peer
            for connection in self.estate.connections
            if connection.id.key in self.reached and connection.peer is not None
        )


def with_failed(estate: Estate, failed: Iterable[Element]) -> Estate:
    """The same estate with some elements out of order."""
    down = estate.outside.down
    for element in failed:
        down |= element.down
    return estate if down == estate.outside.down else estate.with_outside(replace(estate.outside, down=down))


def _outside(estate: Estate) -> tuple[frozenset[str], ...]:
    """What effects change of what no body shows."""
    outside = estate.outside
    return (outside.down, outside.unknown, outside.stopped, outside.stale)


def _keys(*ids: ResourceId | None) -> tuple[str, ...]:
    return tuple(id_.key for id_ in ids if id_ is not None)


def _parent(subnet: ResourceId) -> str:
    return subnet.key.rsplit("/", 2)[0]


@lru_cache(maxsize=65536)
def _is_other(key: str) -> bool:
    kind = _kind(key)
    return kind not in _BY_REACH and kind.startswith("microsoft.network/") and kind != PUBLIC_IP_ADDRESSES.lower()


@lru_cache(maxsize=65536)
def _kind(key: str) -> str:
    return resource_id(key).type.lower()


def _is_host(key: str) -> bool:
    return _kind(key) in (NETWORK_INTERFACES.lower(), VIRTUAL_MACHINES.lower())
