"""One packet at a time through a network in words: each place lists its own rows (rows.py, bgp.py) and takes the best.

A way ends in one of these words:

    delivered   a machine or a site took it             looped      it comes to the same places for ever
    no route    None, or nobody says the prefix         ambiguous   two networks answer (E40)
    no machine  nobody there has the address            denied      a security group said no
    dead        an appliance or link does not work      left        out to the internet, or through a tunnel
    service     to an Azure service by its endpoint
    undecided   the facts don't say: an edge that would carry traffic between sites (E10) or between gateways whose
                words it does not pass on (E38), or over Global Reach into Azure (E46); BGP between sites that comes to
                no end, or to several; equal sites whose ways differ; what an appliance does with that which it told
                the Route Server, and which of several equal ones a flow and its reply come to (R46); whether a plain
                endpoint covers the paired region (R22), and what `VirtualNetwork` makes of a tag's prefixes (R44).
                Nobody compares such a way.
    unknown     it arrives by either of a load balancer's members, and meets other things on the way

An appliance is one by the address that leads to it (R21): it must be near, forward (R24) and run (R25). A load balancer
takes any member that runs: each has a share, and the worst that becomes of one is the word. Its hash gives a flow to
one member, however often it comes, and the reply to the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from .bgp import Link, Said, Speech, covers, length
from .exchange import Offer
from .groups import Packet, Undecided, passes
from .rows import Row, best, peers, rows
from .words import Group, Home, Hub, Spoke, Table, Words

ENOUGH = 24
"""More steps than any way without a loop has here."""


@dataclass(frozen=True)
class End:
    """How a way ended and where, and what it met."""

    word: str
    at: str = ""
    crossed: tuple[str, ...] = ()
    """Appliances."""
    fronts: tuple[str, ...] = ()
    """The load balancers that chose them."""
    guards: tuple[str, ...] = ()
    """What keeps state on the way: appliances' machines or pools, and sites' routers where a firewall is."""
    torn: bool = False
    """Several routers share the traffic and no state."""
    passed: frozenset[str] = frozenset()
    """NICs that hold a record of the flow (R43)."""
    circuits: frozenset[int] = frozenset()
    """By which of them it may have gone: what is equal shares the traffic."""
    over: frozenset[str] = field(default=frozenset(), compare=False)
    """What joined sites or regions on the way: `by a line`, `by Global Reach`, `by what a site passed on`."""


@dataclass(frozen=True)
class Under:
    """A packet under way: what it is, what it has met, and the NICs that know it."""

    packet: Packet
    met: End = field(default_factory=lambda: End(""))
    known: frozenset[str] = frozenset()
    fronts: frozenset[str] = frozenset()
    """Load balancers that it has been to."""
    steps: int = 0

    def ends(self, word: str, at: str = "") -> End:
        return replace(self.met, word=word, at=at)

    def on(self, **met: object) -> Under:
        return replace(self, steps=self.steps + 1, met=replace(self.met, **met))  # type: ignore[arg-type]


WORST = ("ambiguous", "looped", "unknown", "denied", "lost", "left", "delivered")
"""Of what becomes of shares, as verdicts rank it; whatever left the estate was not meant to."""
LOST = {"no route": "lost", "no machine": "lost", "dead": "lost", "service": "left"}


def _comes_to(end: End) -> tuple[object, ...]:
    return end.word, end.at, end.guards if end.word in ("delivered", "left") else ()


class Walker:
    def __init__(self, words: Words) -> None:
        self.words = words
        self.speech = Speech(words)

    def walk(self, start: str, packet: Packet, known: frozenset[str] = frozenset()) -> End:
        """The way of one packet; `start`: a site's name or a NIC's, `known`: NICs that hold a record of its flow."""
        way = Under(packet, known=known)
        home = next((home for home in self.words.homes if home.name == start), None)
        try:
            return self._leaves(start, way) if home is None else self._at_site(home, way)
        except Undecided:
            return way.ends("undecided")

    def _leaves(self, nic: str, way: Under) -> End:
        network = self.words.network_of(nic)
        table, groups = _own(network, nic)
        if self._lost(network):
            return way.ends("dead")
        if f"machine {nic.removesuffix('-nic')}" in self.words.down:
            return way.ends("no machine")
        if not self._passes(nic, network, table, groups, "Outbound", way):
            return way.ends("denied")
        return self._by_table(network, table, way.on(passed=frozenset({nic})), network.services)

    # In Azure

    def _by_table(self, network: Hub | Spoke, table: Table | None, way: Under, services: tuple[str, ...] = ()) -> End:
        """`services`: the endpoints of the subnet."""
        if way.steps > ENOUGH:
            return way.ends("looped")
        row = best(rows(self.speech, network, table, services), way.packet.destination)
        if row.kind == "VirtualNetworkServiceEndpoint":
            if row.leads == "paired":
                raise Undecided
            return way.ends("service")
        if row.kind == "None":
            return way.ends("no route")
        if row.kind == "Internet":
            return way.ends("left")
        if row.kind == "VirtualAppliance":
            return self._by_appliance(network, row.leads, way)
        if row.kind == "VirtualNetworkGateway":
            return self._by_gateway(network, row, way)
        return self._arrives(network if row.source == "User" else self.words.network(row.leads), way)

    def _arrives(self, network: Hub | Spoke, way: Under) -> End:
        if self._lost(network):
            return way.ends("dead")
        if isinstance(network, Hub) and way.packet.destination == network.endpoint_address:
            return way.ends("delivered", f"pe{network.number}")
        nic = next((nic for nic, held in self.words.nics(network).items() if way.packet.destination in held), None)
        if nic is None or f"machine {nic.removesuffix('-nic')}" in self.words.down:
            return way.ends("no machine")
        if not self._passes(nic, network, *_own(network, nic), "Inbound", way):
            return way.ends("denied")
        return way.on(passed=way.met.passed | {nic}).ends("delivered", nic)

    def _by_appliance(self, network: Hub | Spoke, address: str, way: Under) -> End:
        near = [network, *(other for other, _ in peers(self.speech, network))]
        hub = next((held for held in near if isinstance(held, Hub) and _at(held, address)), None)
        if hub is None or self._lost(hub):
            return way.ends("dead")
        alive = [name for name in hub.members if f"machine {name}" not in self.words.down]
        used = [name for name in alive if address in hub.fronts or address in hub.members[name]]
        if any({address, way.packet.destination} <= set(held) for held in (*hub.members.values(), hub.fronts)):
            # For the next hop itself, by this address of its or by another: nobody forwards it (R24).
            return self._arrives(hub, way)
        if any(way.packet.destination in hub.members[name] for name in used):
            # By a load balancer to one of its members, first to itself or to the other: nobody knows.
            return way.ends("undecided")
        front = f"lb{hub.number}" if address in hub.fronts else None
        return self._over(hub, used, front, way) if used else way.ends("dead")

    def _over(self, hub: Hub, used: list[str], front: str | None, way: Under) -> End:
        """Over appliances of a hub that share the traffic: any member of a load balancer's pool, which has one state,
        or any that told a Route Server the same, which have one each (R46). One that forwards nothing loses its
        share."""
        if front is not None and len(used) > 1:
            return self._shared(hub, used, front, way)
        if any(self._is_off(hub, name) for name in used):
            return way.ends("dead")
        equal = len(used) > 1
        onward = way.on(torn=way.met.torn or (equal and hub.stateful))
        return self._by_one(hub, used[0], "|".join(used), front, onward)

    def _shared(self, hub: Hub, used: list[str], front: str, way: Under) -> End:
        """By each member of a pool, the worst first."""
        if front in way.fronts:
            return way.ends("looped")
        at, ends = len(way.met.crossed), []
        for name in used:
            known = {f"{name}-nic"} if front in way.known else set()
            its = replace(way, known=way.known | known, fronts=way.fronts | {front})
            ends.append(way.ends("dead") if self._is_off(hub, name) else self._by_one(hub, name, front, front, its))
        if any(end.word == "undecided" for end in ends):
            return way.ends("undecided")
        first = ends[0]
        if len({_comes_to(end) for end in ends}) == 1:
            both = (*first.crossed[:at], "|".join(used), *first.crossed[at + 1 :])
            return replace(first, crossed=both) if len(first.crossed) > at else first
        worst = min(ends, key=lambda end: WORST.index(LOST.get(end.word, end.word)))
        return way.ends("unknown") if worst.word == "delivered" else worst

    def _is_off(self, hub: Hub, name: str) -> bool:
        return hub.appliance == "off" or (hub.appliance == "half" and name == f"nva{hub.number}b")

    def _by_one(self, hub: Hub, name: str, state: str, front: str | None, way: Under) -> End:
        """Over one. `state`: what has the state, or the several that have one each."""
        nic = f"{name}-nic"
        table, groups = _own(hub, nic)
        if not all(self._passes(nic, hub, table, groups, direction, way) for direction in ("Inbound", "Outbound")):
            return way.ends("denied")
        met = way.met
        onward = way.on(
            crossed=(*met.crossed, state if "|" in state else name),
            fronts=met.fronts if front is None else (*met.fronts, front),
            guards=(*met.guards, state) if hub.stateful else met.guards,
            passed=met.passed | {front if state == front and front else nic},
        )
        return self._by_table(hub, table, onward, hub.services)

    def _passes(
        self,
        nic: str,
        network: Hub | Spoke,
        table: Table | None,
        groups: tuple[Group | None, ...],
        direction: str,
        way: Under,
    ) -> bool:
        return nic in way.known or passes(self.speech, network, table, groups, direction, way.packet)

    def _lost(self, network: Hub | Spoke) -> bool:
        return f"region {network.region}" in self.words.down

    def _by_gateway(self, network: Hub | Spoke, row: Row, way: Under) -> End:
        if row.source == "User":
            # R21: only a VPN gateway can be meant, and not where ExpressRoute is too.
            hub = network if isinstance(network, Hub) else self.words.hubs[network.hub]
            mine = network is hub or network in self.speech.guests(hub)
            if not mine or hub.gateway or not self.speech.tunnels(hub):
                return way.ends("dead")
            return self._by_tunnel(hub, way)
        kind, number = row.leads.split()
        hub = self.words.hubs[int(number)]
        if kind == "vpn":
            return self._by_tunnel(hub, way)
        if kind == "server":
            names, _ = self.speech.served(hub)[row.prefix]
            if set(names) & {name for held in way.met.crossed for name in held.split("|")}:
                # It said the prefix itself, and has it back: what it does with it Azure doesn't know.
                return way.ends("undecided")
            return self._over(hub, names, None, way)
        chosen = self.speech.by_gateway(hub, row.prefix)
        return self._at_edges({said.link for said in chosen}, hub.name, way)

    def _by_tunnel(self, hub: Hub, way: Under) -> End:
        led = self.speech.by_tunnels(hub)
        known = [prefix for prefix in led if covers(prefix, way.packet.destination)]
        if not known:
            return way.ends("no route")
        to = led[max(known, key=length)]
        if to == "branch":
            return way.ends("left")
        other = self.words.hubs[1 - hub.number]
        return self._by_table(other, other.tables[0], way.on())

    # Outside

    def _at_edges(self, links: set[Link], came_from: str, way: Under) -> End:
        """The edges of some equal links: each takes its own longest prefix. From a site, or from a hub's gateway."""
        if way.steps > ENOUGH:
            return way.ends("looped")
        found: list[Said] = []
        for link in links:
            held = [said for said in self.speech.at_edge(link) if covers(said.prefix, way.packet.destination)]
            found += [said for said in held if length(said.prefix) == max(length(s.prefix) for s in held)]
        if not found:
            return way.ends("no route")
        if any(self._untold(came_from, said, way) for said in found):
            return way.ends("undecided")
        if len({said.owner for said in found}) > 1:
            return way.ends("ambiguous")
        onward = way.on(circuits=way.met.circuits | {circuit for circuit, _ in links})
        ends = [self._from_edge(who, found, onward) for who in dict.fromkeys(said.who for said in found)]
        # Equal ways that lead to the same end are one.
        return ends[0] if len(set(ends)) == 1 else way.ends("undecided")

    def _from_edge(self, who: str, found: list[Said], way: Under) -> End:
        home = next((home for home in self.words.homes if home.name == who), None)
        said = [said for said in found if said.who == who]
        if who.startswith("reach "):
            way = way.on(over=way.met.over | {"by Global Reach"})
            return self._at_edges({(int(who.split()[1]), said.link[1]) for said in said}, "reach", way)
        if home is not None:
            passed = (
                {"by what a site passed on"} if said[0].owner not in [held.name for held in self.words.homes] else set()
            )
            way = way.on(over=way.met.over | passed)
            return self._at_site(home, self._guarded(home, {said.link[0] for said in said}, way))
        hub = self.words.network(who)
        assert isinstance(hub, Hub)
        return self._by_table(hub, hub.tables[0], way)

    def _untold(self, came_from: str, said: Said, way: Under) -> bool:
        """Whether an edge would carry what it told the other side nothing of. Over Global Reach IPv6 may have to be
        asked for on its own, and it joins sites alone (E46)."""
        homes = {home.name for home in self.words.homes}
        if said.who.startswith("reach "):
            return came_from not in homes or ":" in way.packet.destination
        if came_from in homes and said.who in homes:
            return True
        if came_from == "reach":
            return said.who not in homes
        open_to = {hub.name for hub in self.words.hubs if hub.open}
        return not {came_from, said.who} & homes and (not {came_from, said.who} <= open_to or said.path > 1)

    def _at_site(self, home: Home, way: Under) -> End:
        if way.steps > ENOUGH:
            return way.ends("looped")
        own = max((length(p) for p in home.prefixes if covers(p, way.packet.destination)), default=-1)
        offers = self.speech.by_site(home, way.packet.destination)
        if not offers or own >= length(offers[0].prefix):
            if own > 0:
                return way.ends("delivered", home.name)
            if own == 0:
                return way.ends("left")
            told = any(self.speech.links(home)) or self.speech.heard[home.name]
            return way.ends("no route" if told else "dead")
        return self._out_of_site(home, offers, way)

    def _out_of_site(self, home: Home, offers: list[Offer], way: Under) -> End:
        if len({offer.owner for offer in offers}) > 1:
            return way.ends("ambiguous")
        links = {offer.link for offer in offers if offer.link is not None}
        if not links:
            other = next(there for there in self.words.homes if there.name == offers[0].who)
            return self._at_site(other, way.on(over=way.met.over | {"by a line"}))
        return self._at_edges(links, home.name, self._guarded(home, {circuit for circuit, _ in links}, way.on()))

    def _guarded(self, home: Home, circuits: set[int], way: Under) -> Under:
        """A site's firewall sees it, a state a router (E44)."""
        if not home.firewall:
            return way
        names = "|".join(f"{home.name} {circuit}" for circuit in sorted(circuits))
        return way.on(guards=(*way.met.guards, names), torn=way.met.torn or len(circuits) > 1)


def _own(network: Hub | Spoke, nic: str) -> tuple[Table | None, tuple[Group | None, ...]]:
    """The table and groups of a NIC in a network."""
    if isinstance(network, Hub):
        if network.is_aside(nic.removesuffix("-nic")):
            return network.aside, ()
        return (network.tables[1], (network.appliance_group,)) if nic.startswith("nva") else (network.tables[2], ())
    return network.table, (network.group, network.nic_group)


def _at(hub: Hub, address: str) -> bool:
    return address in hub.fronts or any(address in held for held in hub.members.values())
