"""One network asked both: its tables row by row, and conversations with their ways and verdicts.

Conversations are between every machine and an address in each of a site's prefixes, begun by either, from each machine
or appliance to the next one, and between sites that are joined, in every family that both ends have; and one way from
every machine to addresses of services and of nobody. Of BGP that does not come to one end nothing is compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from itertools import permutations, product

from farshore.arm.ids import ResourceId
from farshore.routing import Disposition, EffectiveRoute, Flow, Routing, Trace, judge
from routing.small import id_of

from .bgp import Speech, inside
from .building import estate_of
from .drawing import BEHIND
from .groups import Packet, public
from .replies import NOBODY, conversation, verdict
from .rows import Row, rows
from .walker import End, Walker
from .words import Home, Hub, Spoke, Table, Words

WORDS = {
    Disposition.DELIVERED: "delivered",
    Disposition.NO_ROUTE: "no route",
    Disposition.NO_MACHINE: "no machine",
    Disposition.PATH_DEAD: "dead",
    Disposition.DENIED: "denied",
    Disposition.LOOPED: "looped",
    Disposition.AMBIGUOUS: "ambiguous",
    Disposition.LEFT_ESTATE: "left",
    Disposition.INSUFFICIENT_INFORMATION: "unknown",
}
PUBLIC = ("20.60.0.9", "20.60.7.9", "20.61.0.9", "20.62.0.9", "20.64.0.9", "8.8.8.8", "2603:1040:60::9", "2603:1:1::9")
PORT = 50000
"""Where conversations begin."""


def compared(drawn: Words) -> Counter[str]:
    """Everything that was met; an assertion fails where the two disagree."""
    routing, walker = Routing(estate_of(drawn)), Walker(drawn)
    met = Counter[str]()
    if not walker.speech.settles:
        return Counter(["BGP that does not settle"])
    for network in drawn.networks:
        met += _compared_rows(routing, walker.speech, network)
    for start, packet in (*_to_endpoints(drawn), *_to_appliances(drawn), *_to_public(drawn)):
        met += _compared_one_way(routing, walker, start, packet)
    for start, nic, promised, packet in _conversations(drawn):
        met += _compared_ways(routing, walker, start, nic, promised, packet)
    return met


# Tables


def _compared_rows(routing: Routing, speech: Speech, network: Hub | Spoke) -> Counter[str]:
    met = Counter[str]()
    for id_, table, six, services in _tables(network):
        listed = [row for row in rows(speech, network, table, services) if six or ":" not in row.prefix]
        covered = [row.prefix for row in listed if row.kind == "VirtualNetworkServiceEndpoint"]
        paired = [row.prefix for row in listed if row.leads == "paired"]

        def told(row: Shown, covered: list[str] = covered, paired: list[str] = paired) -> bool:
            """How rows that an endpoint's shadow (R14) are shown the facts don't say; nor the pair's of R22."""
            _, prefix, kind, _, _ = row
            if kind == "VirtualNetworkServiceEndpoint":
                return prefix not in paired
            return not any(inside(prefix, other) for other in covered)

        expected = list(filter(told, (_shown(speech, row) for row in listed)))
        met["row of a Route Server"] += sum(row.leads.startswith("server ") for row in listed)
        found = list(filter(told, map(_read, routing.effective_routes(id_))))
        assert sorted(found) == sorted(expected), f"{id_}: {sorted(set(found) ^ set(expected))}"
        met.update(f"row {source} {kind} {state}" for source, _, kind, state, _ in found)
    return met


def _tables(network: Hub | Spoke) -> Iterator[tuple[str, Table | None, bool, tuple[str, ...]]]:
    """The subnets of a network and its machine's NIC, the table of each, whether it has a second family (R10a), and its
    service endpoints."""
    services = network.services
    if isinstance(network, Spoke):
        yield id_of("virtualNetworks/subnets", network.name, "app"), network.table, network.six, services
        both = any(":" in address for address in network.machine)
        yield id_of("networkInterfaces", f"{network.name}vm-nic"), network.table, both, services
    else:
        for subnet, table in zip(("GatewaySubnet", "nva", "app"), network.tables, strict=True):
            endpoints = () if subnet == "GatewaySubnet" else services
            yield id_of("virtualNetworks/subnets", network.name, subnet), table, network.six, endpoints
        for member in network.members:
            table = network.aside if network.is_aside(member) else network.tables[1]
            yield id_of("networkInterfaces", f"{member}-nic"), table, network.six, services


Shown = tuple[str, str, str, str, str]


def _shown(speech: Speech, row: Row) -> Shown:
    """What Azure would print of a row. The next hops of gateways' rows are the edges' ends of the links (E9), where it
    is told: not of a tunnel, and not for IPv6."""
    hops = row.leads if row.kind == "VirtualAppliance" else ""
    if row.leads.startswith("server "):
        hub = speech.words.hubs[int(row.leads.split()[1])]
        names, _ = speech.served(hub)[row.prefix]
        hops = " ".join(sorted(hub.members[name][0] for name in names))
    if row.leads.startswith("gateway ") and ":" not in row.prefix:
        chosen = speech.by_gateway(speech.words.hubs[int(row.leads.split()[1])], row.prefix)
        ends = {f"172.16.{100 + said.link[0]}.{2 if said.link[1] == 'primary' else 6}" for said in chosen}
        hops = " ".join(sorted(ends))
    return row.source, row.prefix, row.kind, row.state, hops


def _read(row: EffectiveRoute) -> Shown:
    hops = " ".join(sorted(map(str, row.next_hop_ip_addresses)))
    if row.source == "VirtualNetworkGateway" and row.address_prefix.version == 6:
        hops = ""
    return row.source, str(row.address_prefix), row.next_hop_type, row.state, hops


# Ways


def _conversations(drawn: Words) -> Iterator[tuple[str, str | None, str | None, Packet]]:
    """(who begins, the machine it is about, whose it is to take it, the first packet)."""
    machines = drawn.machines()
    for nic, held in machines.items():
        for home, outside, address in _pairs(drawn, held):
            if not public(outside):
                yield home.name, nic, nic, Packet(outside, address, drawn.protocol, PORT, drawn.port)
                yield nic, nic, None, Packet(address, outside, drawn.protocol, PORT, drawn.port)
    for home, far in permutations(drawn.homes, 2) if drawn.line is not None or drawn.reach else ():
        for here, there in product(drawn.addresses(home)[-2:], drawn.addresses(far)):
            if (":" in here) == (":" in there) and not public(here) and not public(there):
                yield home.name, None, None, Packet(here, there, drawn.protocol, PORT, drawn.port)
    everybody = {nic: held for network in drawn.networks for nic, held in drawn.nics(network).items()}
    names = list(everybody)
    for one, other in zip(names, (*names[1:], names[0]), strict=True):
        for address, there in _alike(everybody[one], everybody[other]):
            if one != other:
                yield one, other, other, Packet(address, there, drawn.protocol, PORT, drawn.port)


def _alike(held: tuple[str, ...], others: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Pairs of one family, each address in one of them at least."""
    for six in (False, True):
        mine, theirs = ([address for address in some if (":" in address) == six] for some in (held, others))
        for at in range(max(len(mine), len(theirs)) if mine and theirs else 0):
            yield mine[at % len(mine)], theirs[at % len(theirs)]


def _pairs(drawn: Words, held: tuple[str, ...]) -> Iterator[tuple[Home, str, str]]:
    """The sites, an address in each prefix of theirs, and each of some addresses in Azure of the same family."""
    for address in held:
        for home in drawn.homes:
            for outside in drawn.addresses(home):
                if (":" in outside) == (":" in address):
                    yield home, outside, address


def _to_endpoints(drawn: Words) -> Iterator[tuple[str, Packet]]:
    """To every private endpoint, from all machines and sites. Which way its replies take the facts don't say."""
    for hub in drawn.hubs:
        if hub.endpoint_address is not None:
            for home, outside, address in _pairs(drawn, (hub.endpoint_address,)):
                yield home.name, Packet(outside, address, drawn.protocol, PORT, drawn.port)
            for nic, held in drawn.machines().items():
                yield nic, Packet(held[0], hub.endpoint_address, drawn.protocol, PORT, drawn.port)


def _to_appliances(drawn: Words) -> Iterator[tuple[str, Packet]]:
    """To what appliances told Route Servers and no site has."""
    for prefix in sorted({word.prefix for hub in drawn.hubs for word in hub.server or ()} & set(BEHIND)):
        address = str(ip_network(prefix)[9])
        for nic, held in drawn.machines().items():
            yield nic, Packet(held[0], address, drawn.protocol, PORT, drawn.port)
        for home in drawn.homes:
            yield home.name, Packet(drawn.addresses(home)[0], address, drawn.protocol, PORT, drawn.port)


def _to_public(drawn: Words) -> Iterator[tuple[str, Packet]]:
    """From every machine to addresses of services, where any endpoint or tag is drawn, and to what sites say of them.
    A machine's conversation with such an address a site begins one way."""
    for home in drawn.homes:
        for address in filter(public, drawn.addresses(home)):
            for held in drawn.machines().values():
                yield home.name, Packet(address, held[0], drawn.protocol, PORT, drawn.port)
    for nic, held in drawn.machines().items() if drawn.serviced else ():
        for source in held:
            for address in PUBLIC:
                if (":" in source) == (":" in address):
                    yield nic, Packet(source, address, drawn.protocol, PORT, drawn.port)


def _flow(start: str, packet: Packet) -> Flow:
    return Flow(
        source=id_of("networkInterfaces", start) if start.endswith("-nic") else start,
        source_address=ip_address(packet.source),
        destination_address=ip_address(packet.destination),
        protocol=packet.protocol,
        source_port=packet.source_port,
        destination_port=packet.port,
    )


def _compared_one_way(routing: Routing, walker: Walker, start: str, packet: Packet) -> Counter[str]:
    expected, trace = walker.walk(start, packet), routing.trace_one_way(_flow(start, packet))
    if expected.word != "undecided":
        assert agrees(said(trace), expected), f"{trace.flow}: {trace.disposition}, {trace.because}; {expected}"
    return Counter([f"one way {expected.word}", *(["shared by appliances"] if "|" in str(expected.crossed) else [])])


def _compared_ways(
    routing: Routing, walker: Walker, start: str, nic: str | None, promised: str | None, packet: Packet
) -> Counter[str]:
    there, back = conversation(walker, start, packet)
    forward, reply = routing.trace(_flow(start, packet))
    if there.word == "undecided":
        return Counter(["undecided"])
    assert agrees(said(forward), there), f"{forward.flow}: {forward.disposition}, {forward.because}; {there}"
    if back.word == "undecided":
        return Counter([there.word, "undecided"])
    if back != NOBODY:
        assert agrees(said(reply), back), f"reply {reply.flow}: {reply.disposition}, {reply.because}; {back}"
    met = Counter([there.word, back.word, *(f"delivered {what}" for what in there.over if there.word == "delivered")])
    for through in {None, None if nic is None else _through(walker.words, nic)}:
        found = judge(
            forward,
            reply,
            promised=None if promised is None else id_of("networkInterfaces", promised),
            through=None if through is None else _id(through),
        )
        expected = verdict(start, there, back, promised, through)
        assert found.kind == expected, f"{forward.flow}: {found}; {expected}, {there}, {back}"
        met[f"verdict {expected}"] += 1
    return met


def _through(drawn: Words, nic: str) -> str | None:
    """The appliance that a machine's hub has, in its conversations with sites and others."""
    network = drawn.network_of(nic)
    hub = network if isinstance(network, Hub) else drawn.hubs[network.hub]
    return f"lb{hub.number}" if hub.fronts else next(iter(hub.members), None)


def _id(through: str) -> str:
    return id_of("loadBalancers", through) if through.startswith("lb") else id_of("networkInterfaces", f"{through}-nic")


def said(trace: Trace) -> End:
    """A trace in the walker's words."""
    word = WORDS.get(trace.disposition, str(trace.disposition))
    if word == "left" and trace.hops[-1].kind == "endpoint":
        word = "service"
    appliances = tuple(
        "|".join(sorted(id_.name.removesuffix("-nic") for id_ in (hop.id, *hop.others)))
        for hop in trace.hops
        if isinstance(hop.id, ResourceId) and hop.kind == "appliance"
    )
    if word != "delivered":
        return End(word, crossed=appliances)
    at = trace.hops[-1].name if trace.delivered_to is None else trace.delivered_to.name
    circuits = frozenset(int(hop.name.removeprefix("er")[:1]) for hop in trace.hops if hop.kind == "circuit")
    return End(word, at, crossed=appliances, circuits=circuits)


def agrees(found: End, expected: End) -> bool:
    """The engine may show one of several equal circuits, and the appliance that a way ends at."""
    if expected.word in ("left", "service", "no route"):
        return (found.word, found.crossed) == (expected.word, expected.crossed)
    if expected.word != "delivered":
        return found.word == expected.word
    alike = (found.word, found.at, found.crossed) == (expected.word, expected.at, expected.crossed)
    return alike and bool(found.circuits) == bool(expected.circuits) and found.circuits <= expected.circuits
