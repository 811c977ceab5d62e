"""Subnets' tables, laid over the ends; what is alike becomes one.

A *class* is a way to answer: subnets whose tables look alike from every end share one. A table is painted once for
each content, whatever it is called; its next hops become *targets*, found again from each network that names them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from farshore.arm.network import VirtualNetwork
from farshore.routing.scale.arrivals import Place, parsed
from farshore.routing.scale.columns import UNREAD, Columns, Table
from farshore.routing.scale.ends import Ends
from farshore.routing.scale.line import Bools, span
from farshore.routing.scale.networks import Networks, Source
from farshore.routing.scale.prefixes import of_networks
from farshore.routing.scale.tables import APPLIANCE, UNCLEAR, Painted, Routes, laid, painted, unclear_tags
from farshore.routing.scale.targets import Target
from farshore.routing.service_endpoints import endpoint_prefixes, paired_doubts

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


@dataclass(slots=True)
class Tables:
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
    _tags_of: dict[str, bool] = field(default_factory=dict)
    _has_public: bool = field(init=False)
    next_hops: dict[tuple[int, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._has_public = bool(self.ends.public.any())

    def network(self, number: int) -> None:
        """Every subnet of a network."""
        taken = self._taken(number)
        for place in range(len(self.networks.all[number].subnets)):
            self._subnet(number, place, taken)

    def subnet(self, number: int, key: str) -> None:
        """One subnet of a network."""
        subnets = self.networks.all[number].subnets
        place = next(place for place, subnet in enumerate(subnets) if subnet.id.key == key)
        self._subnet(number, place, self._taken(number))

    def _subnet(self, number: int, place: int, taken: npt.NDArray[np.int16] | None) -> None:
        found = self.networks.all[number]
        subnet = found.subnets[place]
        key = "" if subnet.route_table is None else subnet.route_table.key
        table = self.columns.tables.get(key)
        propagates = table is None or table.propagates
        if (table is not None and table.unclear) or self._doubtful(number, place, propagates):
            cls = Class(-1, self._unclear(), (UNKNOWN_ROW,))
        else:
            at = self.source(number)
            painted = self._hidden(self._paint(key, number, taken), found, place, table)
            rows = tuple(self.row(number, way) for way in self.painted[painted].kinds)
            cls = Class(at if propagates else -1, painted, rows)
        self.class_of[subnet.id.key] = self.classes.setdefault(cls, len(self.classes))
        group = group_of(found, place)
        if group:
            self.group_of[subnet.id.key] = group

    def source(self, number: int) -> int:
        """The number of what a network's BGP rows come from."""
        return self.sources.setdefault(self.networks.source(number), len(self.sources))

    def place(self, key: str) -> Place:
        """A subnet as a place on the way to a machine."""
        table = self.table_of(key)
        held = self.columns.tables.get(table)
        number = self.networks.numbers[network_key(key)]
        network = self.networks.all[number]
        place = next(at for at, subnet in enumerate(network.subnets) if subnet.id.key == key)
        doubts = self.networks.world.doubts.networks.get(network.id.key, ())
        unclear = held is not None and held.unclear
        return Place(
            key=key,
            network=number,
            routes=self.routes.get(table, NO_ROUTES),
            unclear=unclear or self._doubtful(number, place, held is None or held.propagates),
            doubted=of_networks([prefix for doubt in doubts for prefix in doubt.ranges or ()])[0],
        )

    def table_of(self, subnet: str) -> str:
        """The key of a subnet's route table; empty for none."""
        network = self.networks.all[self.networks.numbers[network_key(subnet)]]
        found = network.subnet(subnet.rsplit("/", 1)[-1])
        assert found is not None, "a subnet with a class is there"
        return "" if found.route_table is None else found.route_table.key

    def row(self, network: int, way: tuple[str, str]) -> int:
        """What a next hop is, as a network's tables name it: a target, or one of the rows above."""
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
            # A row without a type is one of type None; of a type that nobody knows nobody knows where it leads.
            return LOST_ROW if kind in ("none", "internet", "") else UNKNOWN_ROW
        address = parsed(text)
        where = -1 if address is None else self.networks.located(network, address)
        if address is None:
            return LOST_ROW
        if where < 0:
            return UNKNOWN_ROW if self.networks.hidden_near(network) else LOST_ROW
        return self.targets.setdefault(Target(where, address), len(self.targets))

    def _doubtful(self, number: int, place: int, propagates: bool) -> bool:
        """Whether something can't be read that a subnet's whole table hangs on (doubts.py)."""
        world, network = self.networks.world, self.networks.all[number]
        own = tuple(f"properties.subnets[{place}].properties.{name}" for name in ("routeTable", "serviceEndpoints"))
        if any(path.startswith(own) for path in network.unknown):
            return True
        if propagates and any(key in world.doubts.gateways for key in self.networks.source(number).gateways):
            return True
        doubts = world.doubts.networks.get(network.id.key, ())
        if not doubts:
            return False
        contested = self.ends.first[self.ends.contested]
        ranges, _ = of_networks([prefix for doubt in doubts for prefix in doubt.ranges or ()])
        return any(doubt.ranges is None for doubt in doubts) or bool((ranges.match(contested) >= 0).any())

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

    def _hidden(self, painted: int, network: VirtualNetwork, place: int, table: Table | None) -> int:
        """A table where a service's endpoint, or a tag whose prefixes nobody told, may take some of the ends: what
        public addresses of a site are to a subnet then is for `routing.walk` (R18, R22)."""
        if not self._has_public:
            return painted
        services, tags = network.subnets[place].service_endpoints, table is not None and self._names_unclear_tags(table)
        if not (services or tags):
            return painted
        key = ("hidden", painted, services, network.location if services else "", tags)
        found = self._painted_of.get(key)
        if found is None:
            hidden = self._may_be_taken(services, network.location, tags)
            found = self._painted_of[key] = len(self.painted) if hidden.any() else painted
            if hidden.any():
                self.painted.append(_without(self.painted[painted], hidden))
        return found

    def _names_unclear_tags(self, table: Table) -> bool:
        found = self._tags_of.get(table.key)
        if found is None:
            known = self.networks.world.outside.service_prefixes
            found = self._tags_of[table.key] = bool(unclear_tags(table, known))
        return found

    def _may_be_taken(self, services: tuple[str, ...], location: str, anything: bool) -> Bools:
        """The ends that a subnet's service endpoints may take; of a tag that nobody knows, `anything` public."""
        known, public = self.networks.world.outside.service_prefixes, self.ends.public
        if anything:
            return public
        held = [prefix for service in services for prefix in endpoint_prefixes(service, location, known)]
        held += [prefix for doubt in paired_doubts(services, location, known) for prefix in doubt.ranges or ()]
        found = np.zeros(len(self.ends), dtype=bool)
        for first, last in map(span, held):
            found |= (self.ends.first <= np.uint64(last)) & (self.ends.last >= np.uint64(first))
        return found

    def _unclear(self) -> int:
        """A table of which nothing can be said, whatever BGP gives."""
        if "unclear" not in self._painted_of:
            self._painted_of["unclear"] = len(self.painted)
            size = len(self.ends)
            whole = np.full(size, 127, dtype=np.int8)
            self.painted.append(laid(whole, np.zeros(size, dtype=np.int16), (UNCLEAR,)))
        return self._painted_of["unclear"]

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


def _without(made: Painted, hidden: Bools) -> Painted:
    """A table of which nothing can be said at some ends, whatever BGP gives."""
    length, hop = made.length.copy(), made.hop.copy()
    length[hidden], hop[hidden] = 127, len(made.kinds)
    return laid(length, hop, (*made.kinds, UNCLEAR))


_NONE = np.zeros(0, dtype=np.uint64)
NO_ROUTES = Routes(first=_NONE, last=_NONE, length=np.zeros(0, dtype=np.int16), hops=(), kinds=())


def group_of(network: VirtualNetwork, place: int) -> str:
    """The key of the security group of a network's subnet, by its place; empty for none."""
    group = network.subnets[place].network_security_group
    if group is not None:
        return group.key
    unread = f"properties.subnets[{place}].properties.networkSecurityGroup.id" in network.unknown
    return UNREAD if unread else ""


def subnet_group(networks: Networks, subnet: str) -> str:
    """The key of a subnet's security group, by the subnet's own; empty for none."""
    number = networks.numbers.get(network_key(subnet), -1)
    held = () if number < 0 else networks.all[number].subnets
    places = (place for place, item in enumerate(held) if item.id.key == subnet)
    return next((group_of(networks.all[number], place) for place in places), "")


def network_key(subnet: str) -> str:
    """The key of a subnet's network."""
    return subnet.rpartition("/subnets/")[0]
