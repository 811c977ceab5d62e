"""How Hypothesis draws a network in words (words.py).

One drawing has hubs in two regions with gateways on up to three circuits, an appliance or two or none, two in one
subnet or in two with tables of their own, at times a VPN gateway with tunnels to branches and to the other hub's, a
Route Server or a private endpoint, spokes peered well or badly, tables that lead to the appliance, past it and nowhere,
security groups, sites with preferences, filters and firewalls, both address families at times, and things that are
down. Most of it is as it should be: where all is broken, only what broke first is seen.

Not drawn, because the facts don't decide it:
* a 0/0 route with next hop Internet or VnetLocal (R3 measures None and appliances);
* a site that says what a gateway announces too, or something longer around a machine: which of them an edge takes;
* a route wider than a private endpoint's network where policies govern it (R49), and a security group before one;
* a fifth equal circuit: which four share (E41);
* a network's prefix that equals a reserved range and is peered (R2 tells of the own network alone);
* a tunnel between gateways where there is IPv6;
* a Route Server beside a VPN gateway: R19 puts ExpressRoute before both, and says nothing of the two;
* a Route Server beside sites that pass on what they hear: which of two words comes first, theirs or its appliances';
* Global Reach beside those, or beside a router that prepends: its paths have not been measured (E46);
* a tag whose prefixes the estate has not been told: everything public is unknown then.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from hypothesis import strategies as st

from .words import DEFAULT, POOLS, REGIONS, SERVICES, Group, Home, Hub, Line, Rule, Speaker, Spoke, Table, Word, Words

SITE_PREFIXES = ("172.16.0.0/16", "172.16.1.0/24", "172.20.0.0/16", "192.168.0.0/16", "192.168.7.0/24")
SITE_SIX = ("fd10:16::/32", "fd10:16:1::/48")
INSIDE = "10.1.1.128/25"
"""A part of the first spoke's space, where no machine is: a site may say it (R14)."""
WIDE = "10.0.0.0/8"
BEHIND = ("172.24.0.0/16", "172.24.3.0/24")
"""What only appliances say."""
SERVICE = "20.60.7.0/24"
"""A part of a service's range, which a site or a table may name."""
APPLIANCES = ("works", "works", "works", "works", "off", "none", "pool", "pool", "half", "apart", "apart")
SPEAKERS = ("works", "pool", "pool", "pool", "off", "half")
"""Those of a hub with a Route Server: mostly two, in one subnet."""


@lru_cache(maxsize=None, typed=True)
def _mostly(usual: Any, *rest: Any, times: int = 3) -> st.SearchStrategy[Any]:
    return st.sampled_from([usual] * times + list(rest))


@st.composite
def words(draw: st.DrawFn) -> Words:
    """One network."""
    joins = draw(_mostly(None, "passes", "passes", "line", "reach", times=12))
    serviced, doubled = draw(_mostly(False, True, times=4)), draw(_mostly(False, True, times=7))
    circuits, count = (
        draw(st.integers(1 if joins in (None, "line") else 2, 3)),
        draw(st.integers(2 if joins == "passes" else 1, 2)),
    )
    ranges = (1, draw(_mostly(2, 1))) if count == 2 else (1,)
    regions = [REGIONS[number if draw(_mostly(True, False)) else 0] for number in range(count)]
    six = draw(_mostly(False, True))
    servers = [draw(_server(range_)) if joins is None and draw(_mostly(False, True)) else None for range_ in ranges]
    served = any(server is not None for server in servers)
    appliances = [draw(st.sampled_from(APPLIANCES if server is None else SPEAKERS)) for server in servers]
    joined = len(set(ranges)) == 2 and not six and not served and draw(_mostly(False, True))
    vpns = [joined or (server is None and draw(_mostly(False, True))) for server in servers]
    endpoints = [draw(_mostly(None, "Enabled", "Disabled")) for _ in ranges]
    governed = "Enabled" in endpoints
    seconds = [doubled and draw(st.booleans()) for _ in ranges]
    by_range = dict(zip(ranges, appliances, strict=True))
    inspected = (
        {range_: _front(range_, kind) for range_, kind in by_range.items()} if draw(_mostly(False, True)) else {}
    )
    table, gateway_table = _tables(by_range, six, any(vpns), governed, served, any(seconds), serviced)
    services = _services() if serviced else st.just(())
    group = _groups(ranges)
    tunnel = st.lists(st.sampled_from(SITE_PREFIXES), min_size=1, max_size=2, unique=True).map(tuple)
    vpn = st.lists(tunnel, min_size=1, max_size=2).map(tuple)
    grouped = draw(_mostly(False, True, times=1))
    groups = st.one_of(st.none(), group, group) if grouped else st.none()
    guards = st.one_of(group, _one_way(ranges), _one_way(ranges)) if grouped and inspected else groups
    hubs = tuple(
        Hub(
            number=number,
            range=range_,
            region=regions[number],
            six=six,
            gateway=draw(_mostly(True, False)),
            open=draw(_mostly(False, True)),
            vpn=draw(vpn) if vpns[number] else None,
            weights=tuple(
                # A site that passes on matters to who is not on the same circuits.
                draw(_mostly(None, 0) if joins == "passes" and circuit != number else _mostly(0, 10, None))
                for circuit in range(circuits)
            ),
            appliance=appliances[number],
            stateful=draw(_mostly(True, False)),
            bare=draw(_mostly(False, True)),
            tables=(_inward(draw(gateway_table), inspected.get(range_), range_), draw(table), draw(table)),
            aside=draw(table),
            appliance_group=draw(guards),
            endpoint=endpoints[number],
            server=servers[number],
            branches=draw(st.booleans()),
            second=seconds[number],
            services=draw(services),
        )
        for number, range_ in enumerate(ranges)
    )
    spokes = tuple(
        Spoke(
            hub=hub,
            range=range_,
            number=number,
            six=six,
            single=draw(_mostly(False, True)),
            region=draw(_mostly(regions[hub], *REGIONS, times=2)),
            grown=draw(_mostly(False, True, times=4)),
            table=_outward(draw(table), inspected.get(range_)),
            connected=draw(_mostly(True, False)),
            lends=draw(_mostly(True, False, times=2)),
            uses=draw(_mostly(True, False, times=2)),
            access=draw(_mostly(True, False)) if grouped else True,
            forwarded=draw(_mostly(True, False)) if grouped else True,
            group=draw(groups),
            nic_group=draw(groups),
            second=doubled and draw(st.booleans()),
            services=draw(services),
        )
        for hub, range_ in enumerate(ranges)
        for number in range(1, 1 + draw(st.integers(0, 2)))
    )
    more = _mostly(
        (),
        (INSIDE,),
        (DEFAULT,),
        (INSIDE, DEFAULT),
        (WIDE,),
        tuple(_unannounced(hubs, spokes)[:1]),
        *([(SERVICE,)] * 3 if serviced else []),
        times=4,
    )
    homes = _homes(draw, circuits, ranges, six, joins, draw(more))
    line = (
        draw(_line())
        if len(homes) > 1 and (joins == "line" or (joins == "passes" and draw(_mostly(False, True))))
        else None
    )
    pairs = [(0, 1), (1, 2)][: circuits - 1] if joins == "reach" else []
    reach = tuple(draw(st.lists(st.sampled_from(pairs), min_size=1, unique=True))) if pairs else ()
    return Words(
        circuits=circuits,
        hubs=hubs,
        spokes=spokes,
        homes=homes,
        joined=joined,
        line=line,
        reach=reach,
        protocol=draw(st.sampled_from(["tcp", "udp"])) if grouped else "tcp",
        port=draw(st.sampled_from([443, 53])) if grouped else 443,
        down=_down(draw, circuits, hubs, spokes, homes, joined, line, reach),
    )


def _tables(
    appliances: dict[int, str], six: bool, vpn: bool, governed: bool, served: bool, second: bool, serviced: bool
) -> tuple[st.SearchStrategy[Any], st.SearchStrategy[Any]]:
    """Tables for subnets, and for a GatewaySubnet. Most routes lead to an appliance by the address that it goes by."""
    spaces = [f"10.{range_}.{spoke}.0/24" for range_ in appliances for spoke in range(3)]
    fronts = [_front(range_, kind) for range_, kind in appliances.items()]
    direct = [f"10.{range_}.0.68" for range_ in appliances]
    direct += [f"10.{range_}.0.{last}" for range_ in appliances for last in (80, 81)] * 2 if second else []
    # Where policies govern an endpoint: routes for its own network, and into it past the endpoint's row.
    more = [f"10.{range_}.0.0/24" for range_ in appliances] * 4 if governed else [WIDE]
    # Where appliances say what is behind them: a way on for what comes to them.
    more += [*BEHIND * 2, "172.24.0.0/13"] if served else []
    # Where an appliance has several addresses: a route for its own subnet leads what is for one of them to another.
    more += [f"10.{range_}.0.64/27" for range_ in appliances] * 6 if second else []
    usual = st.sampled_from([*SITE_PREFIXES, *spaces, DEFAULT, DEFAULT, *more, "172.16.1.128/25"])
    # Tags as often as all else, since two of them in one table are to have prefixes in common; explicit prefixes equal
    # to some of theirs, longer and wider.
    tags = st.sampled_from([*SERVICES, "Storage.eastasia", "20.60.0.0/16", "20.62.0.0/16", SERVICE, "20.0.0.0/8"])
    plain = [
        "None",
        "Internet",
        *["VnetLocal"] * (4 if governed else 1),
        *["VirtualNetworkGateway"] * (2 if vpn else 1),
    ]
    four = st.tuples(
        usual | tags if serviced else usual,
        st.sampled_from([*fronts * 3, *direct, *plain]),
    )
    fronts6 = [f"fd00:{range_}:0:1::{6 if kind in POOLS else 4}" for range_, kind in appliances.items()]
    spaces6 = [f"fd00:{range_}:{spoke}::/48" for range_ in appliances for spoke in (1, 2)]
    both = st.tuples(
        st.sampled_from([*SITE_SIX, *spaces6, "::/0"]),
        st.sampled_from([*fronts6 * 2, *(f"fd00:{range_}:0:1::4" for range_ in appliances), "None"]),
    )
    route = (four | both if six else four).filter(
        lambda route: (
            (route[0] != DEFAULT and not route[0].startswith("AzureCloud")) or route[1] not in ("Internet", "VnetLocal")
        )
    )
    routes = st.lists(route, max_size=3, unique_by=lambda route: route[0]).map(tuple)
    table = st.none() | st.none() | st.builds(Table, routes, st.booleans())
    return table, st.none() | st.builds(Table, routes, _mostly(True, False))


def _front(range_: int, kind: str) -> str:
    """By which address a hub's appliance goes: a load balancer's, or its own."""
    return f"10.{range_}.0.{70 if kind in POOLS else 68}"


def _inward(table: Table | None, front: str | None, range_: int) -> Table | None:
    """A GatewaySubnet's table that leads what is for the spokes to the hub's appliance, whatever else it says."""
    return table if front is None else _led(table, [f"10.{range_}.{spoke}.0/24" for spoke in (1, 2)], front, True)


def _outward(table: Table | None, front: str | None) -> Table | None:
    """A spoke's table that leads everything there and takes nothing of BGP, whatever else it says."""
    return table if front is None else _led(table, [DEFAULT], front, False)


def _led(table: Table | None, prefixes: list[str], front: str, propagates: bool) -> Table:
    others = () if table is None else tuple(route for route in table.routes if route[0] not in prefixes)
    return Table((*((prefix, front) for prefix in prefixes), *others), propagates)


@lru_cache
def _server(range_: int) -> st.SearchStrategy[tuple[Word, ...]]:
    """What appliances tell a Route Server: prefixes of sites, their own, everything, and a spoke's, which steer nothing
    inside Azure (R14)."""
    prefixes = st.sampled_from([*SITE_PREFIXES, *BEHIND * 3, DEFAULT, f"10.{range_}.1.0/24"])
    path = st.integers(1, 2)

    def words(prefix: str, paths: tuple[int | None, int | None]) -> list[Word]:
        return [Word(member, prefix, path) for member, path in enumerate(paths) if path is not None]

    # By one of two appliances, or by both, often alike.
    both = (
        st.tuples(path, st.none())
        | st.tuples(st.none(), path)
        | st.tuples(path, path)
        | st.just((1, 1))
        | st.just((1, 1))
    )
    said = st.lists(st.builds(words, prefixes, both), min_size=1, max_size=3, unique_by=lambda held: held[0].prefix)
    return said.map(lambda held: tuple(word for every in held for word in every))


def _groups(ranges: tuple[int, ...]) -> st.SearchStrategy[Group]:
    spaces = [f"10.{range_}.{spoke}.0/24" for range_ in ranges for spoke in range(3)]
    prefixes = st.sampled_from([*SITE_PREFIXES, *spaces, WIDE])
    tags = st.sampled_from(["VirtualNetwork", "VirtualNetwork", "Internet", "AzureLoadBalancer"])
    end = prefixes | tags | st.sampled_from(["*", "mine", "mine", "nobody's"])
    # One end is mostly any: rules that are particular about both seldom meet a packet.
    ends = st.tuples(st.just("*"), end) | st.tuples(end, st.just("*")) | st.tuples(end, end)
    rule = st.tuples(
        st.sampled_from(["Allow", "Deny"]),
        _mostly("*", "Tcp", "Udp", "Icmp"),
        ends,
        _mostly("*", "443", "50-60", "400-500", "0-65535"),
    )

    def group(direction: str, rules: list[tuple[str, str, tuple[str, str], str]]) -> Group:
        return tuple(Rule(direction, access, protocol, *ends, ports) for access, protocol, ends, ports in rules)

    # A group speaks of one direction, so that its rules meet each other.
    return st.builds(group, st.sampled_from(["Inbound", "Outbound"]), st.lists(rule, min_size=1, max_size=3))


def _one_way(ranges: tuple[int, ...]) -> st.SearchStrategy[Group]:
    """An appliance's group that keeps out what one side begins: only what it remembers of the other's flows lets the
    replies in (R43)."""
    sides = st.sampled_from([WIDE, WIDE, *SITE_PREFIXES, *(f"10.{range_}.1.0/24" for range_ in ranges)])
    return sides.map(lambda side: (Rule("Inbound", "Deny", "*", side, "*", "*"),))


def _unannounced(hubs: tuple[Hub, ...], spokes: tuple[Spoke, ...]) -> list[str]:
    """Spokes' spaces that no gateway says, which a site may say too (R15)."""
    said = {s.spaces[0] for s in spokes if s.connected and s.lends and s.uses and hubs[s.hub].gateway}
    return sorted({spoke.spaces[0] for spoke in spokes} - said)


@lru_cache
def _services() -> st.SearchStrategy[tuple[str, ...]]:
    return st.sampled_from([(), (), ("Storage",), ("Storage",), ("Storage.Global",), ("Sql",), ("Sql", "Storage")])


@lru_cache
def _line() -> st.SearchStrategy[Line]:
    preference = _mostly(100, 50, 200)
    return st.builds(Line, st.tuples(preference, preference), _mostly(True, False, times=2))


def _homes(
    draw: st.DrawFn, circuits: int, ranges: tuple[int, ...], six: bool, joins: str | None, more: tuple[str, ...]
) -> tuple[Home, ...]:
    """`more`: what the first one says, too."""
    spaces = [f"10.{range_}.{spoke}.0/24" for range_ in ranges for spoke in range(3)]
    denied = _mostly(None, *SITE_PREFIXES, times=8)
    refused = _mostly(None, WIDE, *spaces, times=8)
    return tuple(
        Home(
            name=f"dc{number}",
            prefixes=(
                *draw(st.lists(st.sampled_from(SITE_PREFIXES), min_size=1, max_size=3, unique=True)),
                *(more if not number else ()),
                *((draw(st.sampled_from(SITE_SIX)),) if six else ()),
            ),
            speakers=tuple(
                Speaker(
                    circuit=circuit,
                    preference=draw(_mostly(100, 200)),
                    med=draw(_mostly(0, 5, times=4)),
                    prepend=0 if joins == "reach" else draw(_mostly(0, 1, 2)),
                    both_links=draw(st.booleans()),
                    denied_out=draw(denied),
                    denied_in=draw(refused),
                    passes=draw(_passes(circuits, circuit)) if joins == "passes" else (),
                )
                for circuit in range(circuits)
                if draw(_mostly(True, False))
            ),
            firewall=draw(_mostly(False, True)),
            asn=draw(_mostly(65010, 65020, times=1)) if number and joins is not None else 65010,
        )
        for number in range(draw(st.integers(2 if joins in ("line", "reach") else 1, 2)))
    )


@lru_cache
def _passes(circuits: int, own: int) -> st.SearchStrategy[tuple[int, ...]]:
    """The circuits that a router tells its own of."""
    others = tuple(number for number in range(circuits) if number != own)
    return st.sampled_from([(), others, *((number,) for number in others)])


def _down(
    draw: st.DrawFn,
    circuits: int,
    hubs: tuple[Hub, ...],
    spokes: tuple[Spoke, ...],
    homes: tuple[Home, ...],
    joined: bool,
    line: Line | None,
    reach: tuple[tuple[int, int], ...],
) -> frozenset[str]:
    if draw(st.booleans()):
        return frozenset()
    things = [f"circuit {n}" for n in range(circuits)]
    things += [f"link {n} {side}" for n in range(circuits) for side in ("primary", "secondary")]
    things += [f"{kind} {hub.number}" for hub in hubs for kind in ("gateway", "vpn", "server")]
    things += [f"tunnel {hub.number} {tunnel}" for hub in hubs for tunnel in range(len(hub.vpn or ()))]
    things += ["half 0", "half 1"] * 4 if joined else []
    things += ["line"] * 12 if line is not None else []
    things += [f"reach {one} {other}" for one, other in reach] * 2
    things += [f"machine {member}" for hub in hubs for member in hub.members] * 2
    things += [f"machine {spoke.name}vm" for spoke in spokes]
    things += [f"router {home.name} {speaker.circuit}" for home in homes for speaker in home.speakers]
    things += [f"region {region}" for region in REGIONS]
    return frozenset(draw(st.lists(st.sampled_from(things), max_size=2)))
