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
from functools import lru_cache

from farshore.arm.compute import VIRTUAL_MACHINES
from farshore.arm.ids import ResourceId, resource_id
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
            reach = _Reach(estate, (*nics, *self._hosts))
            self._elements[key] = tuple(item for item in elements(estate) if reach.concerns(item))
        return self._elements[key]

    def _key(self, world: World, machines: tuple[str, ...], nics: tuple[ResourceId, ...]) -> int:
        estate = world.estate
        reach = _Reach(estate, (*nics, *self._hosts))
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


class _Reach:
    """What packets of a site and of some NICs could meet. See the theory above."""

    def __init__(self, estate: Estate, nics: Iterable[ResourceId]) -> None:
        self.estate = estate
        self.reached: set[str] = set()
        edges = self._edges()
        stack = [router.circuit.key for site in estate.sites for router in site.routers]
        stack += [item.to.split("#", 1)[0] for item in estate.outside.advertised]
        stack += [key for id_ in nics if (key := _network_of_nic(estate, id_)) is not None]
        while stack:
            key = stack.pop()
            if key not in self.reached:
                self.reached.add(key)
                stack += edges.get(key, ())
        self._carrying = {
            circuit
            for connection in estate.connections
            if connection.id.key in self.reached
            for circuit in (connection.peer, connection.virtual_network_gateway2)
            if circuit is not None
        }

    def bodies(self) -> Iterator[tuple[str, Body]]:
        """Every body that counts, with its id."""
        wanted = {key for key in (*self.reached, *self._attached()) if _kind(key) in _BY_REACH}
        for key, body in self.estate.resources.items():
            if key in wanted or _is_other(key):
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
                return key in set(self._attached())
        return True

    def _carries(self, circuit: ResourceId | None) -> bool:
        """A circuit that a reached gateway is connected to, or that other circuits or neighbours may speak through."""
        if circuit is None or circuit in self._carrying:
            return True
        found = self.estate.express_route_circuit(circuit)
        body = self.estate.get(circuit) or {}
        joined = any(
            (peering.get("properties") or {}).get("connections")
            for peering in (body.get("properties") or {}).get("peerings") or ()
        )
        spoken = any(item.to.startswith(circuit.key) for item in self.estate.outside.advertised)
        return found is None or joined or spoken

    def _edges(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}

        def join(*ids: ResourceId | None) -> None:
            keys = [id_.key for id_ in ids if id_ is not None]
            for one in keys:
                found.setdefault(one, []).extend(other for other in keys if other != one)

        for network in self.estate.virtual_networks:
            for peering in network.peerings:
                join(network.id, peering.remote_virtual_network)
        for gateway in self.estate.virtual_network_gateways:
            join(gateway.id, None if gateway.subnet is None else gateway.subnet.parent)
        for item in self.estate.connections:
            join(item.id, item.virtual_network_gateway1, item.virtual_network_gateway2)
            join(item.id, item.local_network_gateway2, item.peer)
        # Types that few estates have (virtual hubs, load balancers, circuits joined to circuits): whatever their
        # bodies name is taken to be joined.
        for key, body in self.estate.resources.items():
            if _is_other(key):
                join(resource_id(key), *_references(body))
        return found

    def _attached(self) -> Iterator[str]:
        """NICs in what is reached, their machines, and the tables and groups that subnets and NICs there use."""
        for network in self.estate.virtual_networks:
            if network.id.key in self.reached:
                for subnet in network.subnets:
                    for used in (subnet.route_table, subnet.network_security_group):
                        if used is not None:
                            yield used.key
        for nic in self.estate.network_interfaces:
            if any(item.subnet is not None and _parent(item.subnet) in self.reached for item in nic.ip_configurations):
                yield nic.id.key
                if nic.network_security_group is not None:
                    yield nic.network_security_group.key
                if nic.virtual_machine is not None:
                    yield nic.virtual_machine.key
        for machine in self.estate.virtual_machines:
            if any(_network_of_nic(self.estate, nic) in self.reached for nic in machine.network_interfaces):
                yield machine.id.key


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


def _network_of_nic(estate: Estate, id_: ResourceId) -> str | None:
    nic = estate.network_interface(id_)
    return None if nic is None or nic.primary is None or nic.primary.subnet is None else _parent(nic.primary.subnet)


def _parent(subnet: ResourceId) -> str:
    return subnet.key.rsplit("/", 2)[0]


def _references(value: object) -> Iterator[ResourceId]:
    """The top-level resources whose ids stand anywhere in a body."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)
    elif isinstance(value, str) and value[:15].lower() == "/subscriptions/" and "/providers/" in value.lower():
        id_ = resource_id(value)
        while id_.parent is not None:
            id_ = id_.parent
        yield id_


def _is_other(key: str) -> bool:
    kind = _kind(key)
    return kind not in _BY_REACH and kind.startswith("microsoft.network/") and kind != PUBLIC_IP_ADDRESSES.lower()


@lru_cache(maxsize=65536)
def _kind(key: str) -> str:
    return resource_id(key).type.lower()


def _is_host(key: str) -> bool:
    id_ = resource_id(key)
    return id_.is_a(NETWORK_INTERFACES) or id_.is_a(VIRTUAL_MACHINES)
