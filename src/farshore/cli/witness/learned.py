"""What BIRD has learned, beside what the engine says that gateways and circuits were told: prefixes with their paths.

Two instances of a gateway are told the same, and so is one by both links of a circuit: sets are compared. Of several
equal routes a BGP speaker hands on one, and which is chance; the engine keeps them all. So a route may be the engine's
alone where BIRD has another of its prefix with as long a path, and where a site's router would pass on what came by
other circuits (E48).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from farshore.arm.ids import ResourceId
from farshore.estate.estate import Estate

if TYPE_CHECKING:
    from farshore.routing import BgpRoute, Routing
    from farshore.twin.blueprint import Blueprint
    from farshore.twin.running import Twin

Told = frozenset[tuple[str, tuple[int, ...]]]
MSEE = 12076
SIDES = ("primary", "secondary")


@dataclass(frozen=True)
class Table:
    """One speaker's, from both."""

    name: str
    engine: Told
    twin: Told

    @property
    def differs(self) -> str:
        only = [("the engine", self.engine - self.twin), ("BIRD", self.twin - self.engine)]
        only[0] = (only[0][0], frozenset(route for route in only[0][1] if not self._one_of_equals(*route)))
        if not any(what for _, what in only):
            return ""
        parts = [f"only {who} has {', '.join(map(_shown, sorted(what)))}" for who, what in only if what]
        return f"{self.name}: {'; '.join(parts)}"

    def _one_of_equals(self, prefix: str, path: tuple[int, ...]) -> bool:
        """Whether another route as good may have been handed on instead of this one."""
        return _passed_on(path) or any(p == prefix and len(other) == len(path) for p, other in self.twin)


def tables(twin: Twin, blueprint: Blueprint, estate: Estate, routing: Routing) -> list[Table]:
    """The tables of all gateways and edges that stand."""
    speakers = [name for name in blueprint.hosts if name.startswith(("gateway:", "circuit:"))]
    heard = twin.do("bgp", hosts=speakers)["hosts"] if speakers else {}
    return list(_tables(blueprint, estate, routing, heard))


def _tables(blueprint: Blueprint, estate: Estate, routing: Routing, heard: dict[str, Any]) -> Iterator[Table]:
    numbers = {str(number): name for number, name in enumerate(blueprint.hosts, start=1)}
    for gateway in estate.virtual_network_gateways:
        hosts = [name for name in blueprint.hosts if name.startswith(f"gateway:{gateway.id.key}#")]
        told = [_told(heard.get(name, {}), numbers, ("circuit:",)) for name in hosts]
        for name, found in zip(hosts, told, strict=True):
            yield Table(name.rpartition("/")[2], _said(routing.learned_routes(gateway.id)), found)
    for circuit in estate.express_route_circuits:
        for side in SIDES:
            name = f"circuit:{circuit.id.key}#{side}"
            if name in blueprint.hosts:
                mine = _told(heard.get(name, {}), numbers, ("gateway:", "router:", "circuit:"))
                yield Table(f"{circuit.id.name}#{side}", _edge(routing, circuit.id, side), mine)


def _edge(routing: Routing, circuit: ResourceId, side: str) -> Told:
    return _said(routing.learned_routes(circuit, side))


def _said(routes: tuple[BgpRoute, ...]) -> Told:
    # A gateway lists its own prefixes too, with an empty path: nobody told it those.
    return frozenset((str(route.network), route.as_path) for route in routes if route.as_path)


def _told(heard: dict[str, Any], numbers: dict[str, str], kinds: tuple[str, ...]) -> Told:
    """What came by the sessions with some kinds of neighbours."""
    found: set[tuple[str, tuple[int, ...]]] = set()
    for session, rows in heard.get("sessions", {}).items():
        number = session.removeprefix("waits").removeprefix("calls").partition("_")[0]
        if numbers[number].startswith(kinds):
            found.update((prefix, tuple(path)) for prefix, path in rows)
    return frozenset(found)


def _passed_on(path: tuple[int, ...]) -> bool:
    """Whether a site passed on what it had heard: Microsoft's number lies behind another."""
    return MSEE in path and any(asn != MSEE for asn in path[: path.index(MSEE)])


def _shown(route: tuple[str, tuple[int, ...]]) -> str:
    prefix, path = route
    return f"{prefix} by {' '.join(map(str, path))}"
