"""What happens to requests: who answered, by which hosts they went, and what stopped those that were lost.

Every request has a port of its own at the asker's end, so that what each host remembers of packets (groups.py) tells
requests, their replies and one another apart. A request that nobody answered is made once more before it counts as
lost: on a busy machine a packet may be late.

With each request goes a ping between the same ends, with an identifier in the port's place. It says nobody's name: the
host that saw it last is the one that replied. When both are back a traceroute follows the ping, one probe for each host
that saw it. Its hops are what the answers come from, not what hosts remember: a place that answers with another's
address, or lets itself not be counted, is seen by it alone.

A packet takes one of several equal ways. What decides between two networks that announce one range is then chance, and
so is which of two routers sees a reply. Both are read from the kernel's own routes: all that lie ahead of a packet.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address, ip_network
from struct import pack
from typing import Any

from farshore.arm.decode import Address
from farshore.twin.blueprint import Blueprint
from farshore.twin.echoes import REPLY, REQUEST, checksum
from farshore.twin.groups import FIRST_TTL, PING
from farshore.twin.running import Twin

FIRST_PORT = 20000
QUIET = (0.3, 0.8)
"""Seconds without any answer after which what is unanswered is lost, in the first round and in the second. Nothing here
takes more than a few milliseconds, unless the machine has other things to do."""
MOST_ASKS = 10000
"""Of one observation: a host remembers 131,072 packets (groups.py), of a request, a ping and their replies, in two
rounds."""
MOST_HOPS = 30
"""Of a traceroute, as the tool of that name has it."""


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


@dataclass(frozen=True)
class Observed:
    """What became of all that was sent for one ask."""

    asked: Fate
    pinged: Fate
    traced: tuple[frozenset[str], ...]
    """A traceroute's hops: the hosts that have the address that each came from; empty where none came."""
    mute: frozenset[str] = frozenset()
    """Hosts on the way that have no way themselves to whoever asked: what they say of a probe can't come."""


def observe(twin: Twin, blueprint: Blueprint, asks: Sequence[Ask]) -> list[Observed]:
    """Make all requests at once, and tell what became of each. The blueprint must be built."""
    assert len(asks) <= MOST_ASKS, f"at most {MOST_ASKS} at once"
    twin.do("listen", ports=sorted({ask.port for ask in asks}))
    twin.do("seen")
    answers, pings, ports = _requests(twin, asks, range(len(asks)), FIRST_PORT, QUIET[0])
    lost = [number for number in range(len(asks)) if answers[number] is None or not pings[number]]
    if lost:
        # Both again, whichever was lost: they are then remembered under one number.
        again, pings_again, other_ports = _requests(twin, asks, lost, FIRST_PORT + MOST_ASKS, QUIET[1])
        answers.update(again)
        pings.update(pings_again)
        ports.update(other_ports)
    memory = _Memory(twin.do("seen")["hosts"])
    kernel = _Kernel(twin, blueprint)
    asked = [
        _fate(ask, answers[number], _by_tcp(ask, ports[number]), memory, kernel) for number, ask in enumerate(asks)
    ]
    pinged = []
    for number, ask in enumerate(asks):
        fate = _fate(ask, None, _by_echo(ask, ports[number]), memory, kernel)
        pinged.append(replace(fate, answered_by=fate.way[-1]) if pings[number] and fate.way else fate)
    traced = _traceroutes(twin, blueprint, asks, pinged, ports)
    mute = _mute(twin, blueprint, asks, pinged, traced)
    return [Observed(*four) for four in zip(asked, pinged, traced, mute, strict=True)]


def _requests(
    twin: Twin, asks: Sequence[Ask], which: Iterable[int], first: int, quiet: float
) -> tuple[dict[int, str | None], dict[int, bool], dict[int, int]]:
    """Who has answered, whose ping was replied to, and the number that each was sent under."""
    flows: dict[str, list[list[Any]]] = {}
    echoes: dict[str, list[list[Any]]] = {}
    ports = {}
    for number in which:
        ask = asks[number]
        ports[number] = first + number
        row = [str(number), str(ask.source), str(ask.destination), ports[number]]
        flows.setdefault(ask.host, []).append([*row, ask.port])
        echoes.setdefault(ask.host, []).append([*row, PING, FIRST_TTL])
    told = twin.do("probe", flows=flows, echoes=echoes, quiet=quiet)
    answers = {int(key): value for key, value in told["answers"].items()}
    return answers, {int(key): value is not None and value[1] for key, value in told["echoes"].items()}, ports


def _fate(ask: Ask, answered: str | None, ways: tuple[Tuple, Tuple], memory: _Memory, kernel: _Kernel) -> Fate:
    there, home = ways
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


def _by_tcp(ask: Ask, port: int) -> tuple[Tuple, Tuple]:
    there = (str(ask.source), str(ask.destination), port, ask.port)
    return there, (there[1], there[0], there[3], there[2])


def _by_echo(ask: Ask, identifier: int) -> tuple[Tuple, Tuple]:
    """What the two packets of a ping have where TCP has its ports: type and code, and the checksum."""
    request, reply = (_type_and_checksum(ask, kind[ask.source.version], identifier) for kind in (REQUEST, REPLY))
    source, destination = str(ask.source), str(ask.destination)
    return (source, destination, *request), (destination, source, *reply)


def _type_and_checksum(ask: Ask, kind: int, identifier: int) -> tuple[int, int]:
    packet = pack("!BBHHH", kind, 0, 0, identifier, PING)
    if ask.source.version == 4:
        return kind << 8, checksum(packet)
    # IPv6 sums up both addresses too, the length, and the protocol's number (RFC 8200).
    ends = ask.source.packed + ask.destination.packed + pack("!II", len(packet), socket.IPPROTO_ICMPV6)
    return kind << 8, checksum(ends + packet)


def _traceroutes(
    twin: Twin, blueprint: Blueprint, asks: Sequence[Ask], pinged: Sequence[Fate], ports: dict[int, int]
) -> list[tuple[frozenset[str], ...]]:
    """One probe for each host that saw a ping after its sender."""
    lengths = [min(len(fate.way) - 1, MOST_HOPS) for fate in pinged]
    due = [(number, left) for number, length in enumerate(lengths) for left in range(1, length + 1)]
    came: dict[tuple[int, int], str] = {}
    for quiet in QUIET:
        echoes: dict[str, list[list[Any]]] = {}
        for number, left in due:
            ask = asks[number]
            row = [f"{number}/{left}", str(ask.source), str(ask.destination), ports[number], PING + left, left]
            echoes.setdefault(ask.host, []).append(row)
        told = twin.do("probe", flows={}, echoes=echoes, quiet=quiet)["echoes"] if echoes else {}
        for number, left in due:
            answer = told[f"{number}/{left}"]
            if answer is not None:
                came[number, left] = answer[0]
        # Once more only where somebody has to answer. What refused a ping may keep silent, and so may a network: it has
        # no route of its own to what only its subnets' tables know.
        due = [
            (number, left)
            for number, left in due
            if (number, left) not in came
            and pinged[number].answered_by is not None
            and not pinged[number].way[left].startswith("network:")
        ]
    holders = _holders(blueprint)

    def named(number: int, left: int) -> frozenset[str]:
        address = came.get((number, left), "")
        found = frozenset(holders.get(address, ()))
        # A site answers for all its prefixes, and has none of those addresses to itself.
        last = pinged[number].answered_by
        return found | {last} if last is not None and address == str(asks[number].destination) else found

    return [tuple(named(number, left) for left in range(1, length + 1)) for number, length in enumerate(lengths)]


def _mute(
    twin: Twin,
    blueprint: Blueprint,
    asks: Sequence[Ask],
    pinged: Sequence[Fate],
    traced: Sequence[tuple[frozenset[str], ...]],
) -> list[frozenset[str]]:
    """The places that were passed and kept silent, and from which nothing of their own comes to whoever asked: each
    sends an echo there, from an address that it has. Of very many silent ones the first are asked."""
    due: dict[tuple[str, Ask], int] = {}
    for ask, fate, hops in zip(asks, pinged, traced, strict=True):
        for host, hop in zip(fate.way[1:], hops, strict=False):
            if not hop and fate.answered_by is not None and not host.startswith("network:") and len(due) < MOST_ASKS:
                due.setdefault((host, ask), len(due))
    if not due:
        return [frozenset()] * len(asks)
    own = {
        (host, ip_address(address).version): address for address, hosts in _holders(blueprint).items() for host in hosts
    }
    sent: dict[tuple[str, Ask], Ask] = {}
    echoes: dict[str, list[list[Any]]] = {}
    for (host, ask), number in due.items():
        held = own.get((host, ask.source.version))
        if held is not None:
            sent[host, ask] = Ask(host, ip_address(held), ask.source, 0)
            row = [str(number), held, str(ask.source), FIRST_PORT + number, PING, FIRST_TTL]
            echoes.setdefault(host, []).append(row)
    twin.do("seen")
    twin.do("probe", flows={}, echoes=echoes, quiet=QUIET[1])
    memory = _Memory(twin.do("seen")["hosts"])
    unheard: dict[Ask, set[str]] = {}
    for (host, ask), echo in sent.items():
        if ask.host not in memory.way(_by_echo(echo, FIRST_PORT + due[host, ask])[0], host):
            unheard.setdefault(ask, set()).add(host)
    return [frozenset(unheard.get(ask, ())) for ask in asks]


def _holders(blueprint: Blueprint) -> dict[str, set[str]]:
    """Who has an address: of its own, or as the number of its wires."""
    found: dict[str, set[str]] = {}
    for host in blueprint.plan["hosts"]:
        for line in host["ip"]:
            _, what, _, address, *_ = line.split()
            if what == "address":
                found.setdefault(address.partition("/")[0], set()).add(host["name"])
    return found


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
