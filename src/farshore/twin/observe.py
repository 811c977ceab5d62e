"""What happens to requests: who answered, by which hosts they went, and what stopped those that were lost.

Every request has a port of its own at the asker's end, so that what each host remembers of packets (groups.py) tells
requests, their replies and one another apart. A request that nobody answered is made once more before it counts as
lost: on a busy machine a packet may be late.

A packet takes one of several equal ways. What decides between two networks that announce one range is then chance, and
so is which of two routers sees a reply. Both are read from the kernel's own routes: all that lie ahead of a packet.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from farshore.arm.decode import Address
from farshore.twin.blueprint import Blueprint
from farshore.twin.running import Twin

FIRST_PORT = 20000
QUIET = (0.3, 0.8)
"""Seconds without any answer after which what is unanswered is lost, in the first round and in the second. Nothing here
takes more than a few milliseconds, unless the machine has other things to do."""
MOST_ASKS = 10000
"""Of one observation: a host remembers 65,535 packets (groups.py), of a request and its reply, in two rounds."""


@dataclass(frozen=True)
class Ask:
    """A request: from an address of a host, to an address and port."""

    host: str
    source: Address
    destination: Address
    port: int


@dataclass(frozen=True)
class Ahead:
    """All that lies ahead of a packet on equal routes, from the first host that has a choice."""

    networks: frozenset[str] = frozenset()
    """Gateways, or sites, that it may come to. More than one: nothing decides."""
    routers: frozenset[str] = frozenset()
    """The site routers that it may pass."""


@dataclass(frozen=True)
class Fate:
    """What became of one request."""

    answered_by: str | None
    way: tuple[str, ...]
    """The hosts that saw it, in order."""
    back: tuple[str, ...]
    """Those that saw the reply."""
    ahead: Ahead
    ahead_back: Ahead
    denied_at: str | None = None
    """The host whose groups said no, to it or to its reply."""
    stateless_at: str | None = None
    """The host that dropped it, or its reply, as part of no flow that it knew."""


def observe(twin: Twin, blueprint: Blueprint, asks: Sequence[Ask]) -> list[Fate]:
    """Make all requests at once, and tell what became of each. The blueprint must be built."""
    assert len(asks) <= MOST_ASKS, f"at most {MOST_ASKS} at once"
    twin.do("listen", ports=sorted({ask.port for ask in asks}))
    twin.do("seen")
    answers, ports = _requests(twin, asks, range(len(asks)), FIRST_PORT, QUIET[0])
    lost = [number for number in range(len(asks)) if answers[number] is None]
    if lost:
        again, other_ports = _requests(twin, asks, lost, FIRST_PORT + MOST_ASKS, QUIET[1])
        answers.update(again)
        ports.update(other_ports)
    memory = _Memory(twin.do("seen")["hosts"])
    kernel = _Kernel(twin, blueprint)
    return [_fate(ask, answers[number], ports[number], memory, kernel) for number, ask in enumerate(asks)]


def _requests(
    twin: Twin, asks: Sequence[Ask], which: Iterable[int], first: int, quiet: float
) -> tuple[dict[int, str | None], dict[int, int]]:
    flows: dict[str, list[list[Any]]] = {}
    ports = {}
    for number in which:
        ask = asks[number]
        ports[number] = first + number
        row = [str(number), str(ask.source), str(ask.destination), ports[number], ask.port]
        flows.setdefault(ask.host, []).append(row)
    answers = twin.do("probe", flows=flows, quiet=quiet)["answers"]
    return {int(key): value for key, value in answers.items()}, ports


def _fate(ask: Ask, answered: str | None, port: int, memory: _Memory, kernel: _Kernel) -> Fate:
    there = (str(ask.source), str(ask.destination), port, ask.port)
    home = (there[1], there[0], there[3], there[2])
    way = memory.way(there, ask.host)
    back = memory.way(home, way[-1] if way else "")
    return Fate(
        answered_by=answered,
        way=way,
        back=back,
        ahead=kernel.ahead(way, ask.destination),
        ahead_back=kernel.ahead(back, ask.source),
        denied_at=memory.where("denied", there, home),
        stateless_at=memory.where("stateless", there, home),
    )


Tuple = tuple[str, str, int, int]
"""Addresses and ports of one direction."""


class _Memory:
    """What all hosts remember."""

    def __init__(self, hosts: dict[str, Any]) -> None:
        self._seen: dict[Tuple, list[tuple[int, str]]] = {}
        self._dropped: dict[tuple[str, Tuple], str] = {}
        for name, kept in hosts.items():
            for *flow, ttl in kept["seen"]:
                self._seen.setdefault(_tuple(flow), []).append((-ttl, name))
            for kind in ("denied", "stateless"):
                for flow in kept[kind]:
                    self._dropped[kind, _tuple(flow)] = name

    def way(self, flow: Tuple, first: str) -> tuple[str, ...]:
        """The hosts in order. The sender and its first neighbour see the same time to live."""
        found = sorted(self._seen.get(flow, ()), key=lambda item: (item[0], item[1] != first))
        return tuple(name for _, name in found)

    def where(self, kind: str, *flows: Tuple) -> str | None:
        return next((name for flow in flows if (name := self._dropped.get((kind, flow))) is not None), None)


def _tuple(flow: Sequence[Any]) -> Tuple:
    return str(flow[0]), str(flow[1]), int(flow[2]), int(flow[3])


class _Kernel:
    """The main routes of gateways, edges, routers and sites."""

    def __init__(self, twin: Twin, blueprint: Blueprint) -> None:
        names = [name for name in blueprint.hosts if name.split(":")[0] in ("gateway", "circuit", "router", "site")]
        self._other = {}
        for wire, one, other in blueprint.plan["wires"]:
            self._other[one, wire] = other
            self._other[other, wire] = one
        self._routes = {}
        for name, families in (twin.do("routes", hosts=names)["hosts"] if names else {}).items():
            rows = [row for family in families.values() for row in family if row.get("table", "main") == "main"]
            self._routes[name] = [(_network(row["dst"], row), row) for row in rows]
        self._known: dict[tuple[str, Address], Ahead] = {}

    def ahead(self, way: tuple[str, ...], destination: Address) -> Ahead:
        """What lies ahead of a packet, from the first place where BGP decides."""
        for number, name in enumerate(way):
            then = way[number + 1] if number + 1 < len(way) else ""
            kind = name.partition(":")[0]
            if kind == "site" or (kind == "gateway" and not then.startswith("network:")):
                return self._from(name, destination, frozenset())
        return Ahead()

    def _from(self, name: str, destination: Address, been: frozenset[str]) -> Ahead:
        kind, _, rest = name.partition(":")
        if kind == "gateway" and been:
            # Into a network, also where that is the one that it came from.
            return Ahead(frozenset({f"gateway:{rest.partition('#')[0]}"}))
        if kind == "router" and any(past.startswith("circuit:") for past in been):
            site = f"site:{rest.partition('/')[0]}"
            return Ahead(self._sites_from(site, destination, frozenset()), frozenset({name}))
        if kind == "site" and been:
            return Ahead(self._sites_from(name, destination, frozenset()))
        held = None if been else self._known.get((name, destination))
        if held is not None or name in been:
            return held or Ahead()
        parts = [self._from(other, destination, been | {name}) for other in self._nexts(name, destination)]
        found = Ahead(
            frozenset().union(*(part.networks for part in parts)),
            frozenset({name} if kind == "router" else ()).union(*(part.routers for part in parts)),
        )
        if not been:
            self._known[name, destination] = found
        return found

    def _sites_from(self, site: str, destination: Address, been: frozenset[str]) -> frozenset[str]:
        """The sites that a packet may come to from one, by lines between them."""
        others = [name for name in self._nexts(site, destination) if name.startswith("site:") and name not in been]
        found = (self._sites_from(name, destination, been | {site}) for name in others)
        return frozenset().union(*found) if others else frozenset({site})

    def _nexts(self, name: str, destination: Address) -> list[str]:
        """The hosts that the kernel would take next."""
        matching = [
            (prefix.prefixlen, -int(row.get("metric", 0)), row)
            for prefix, row in self._routes.get(name, ())
            if prefix.version == destination.version and destination in prefix
        ]
        if not matching:
            return []
        length, metric, _ = max(matching, key=lambda item: item[:2])
        rows = [row for *rank, row in matching if rank == [length, metric] and row.get("type", "unicast") == "unicast"]
        wires = [hop["dev"] for row in rows for hop in row.get("nexthops", (row,)) if "dev" in hop]
        return [self._other[name, wire] for wire in wires if (name, wire) in self._other]


def _network(text: str, row: dict[str, Any]) -> Any:
    if text == "default":
        six = ":" in row.get("gateway", "") or ":" in row.get("via", {}).get("host", "")
        return ip_network("::/0" if six else "0.0.0.0/0")
    return ip_network(text if "/" in text else f"{ip_address(text)}")
