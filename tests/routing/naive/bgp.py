"""Who says what to whom over circuits and tunnels, and who prefers what.

an appliance says its words to the hub's Route Server while it runs, whether it forwards or not; of each prefix the
                  shortest path counts, and equal ones share the traffic (R46)
a gateway says    its network's whole space, and its guests' (R29, R40); where its Route Server talks to branches, what
                  that was told, too, but for what circuits lead to (R19, R46); nothing with propagation off (R23); a
                  VPN gateway the same to another, and nothing of what its other tunnels or a circuit lead to (R47)
a site says       its prefixes to each of its circuits, with its number more times where it prepends; what it takes from
                  another circuit only by a router that passes that on, and does not hear as good itself (E48); what
                  another site has, where a line between them is transit
a line says       a site's prefixes to the other one, and by transit what that takes from its circuits; within one AS
                  the path doesn't grow (exchange.py)
an edge passes    the shortest path of each prefix on (E38), sites' words to gateways and gateways' to sites; what its
                  own site said to the other edge where Global Reach joins the two, and that to its site alone (E46)
a gateway takes   by prefix: the heaviest connection, the shortest path, and shares what is equal (E41)
a site takes      by prefix: the highest preference, the shortest path, the lowest MED, its circuits before a line, and
                  shares what is equal (E42); the edges strip what gateways had in their paths (R48), so that paths
                  differ by a line alone
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address, ip_network

from .exchange import Offer, settled, taken
from .words import Home, Hub, Speaker, Spoke, Words

Link = tuple[int, str]


@dataclass(frozen=True)
class Said:
    """One prefix as an edge hears it."""

    prefix: str
    who: str
    """A site's or a gateway's hub's name; `reach N`: the edge of a joined circuit."""
    owner: str
    """Who answers in the end: the site or the network."""
    path: int
    link: Link


@cache
def covers(prefix: str, address: str) -> bool:
    """An address is in no prefix of the other family."""
    return ip_address(address) in ip_network(prefix)


@cache
def inside(prefix: str, other: str) -> bool:
    one, two = ip_network(prefix), ip_network(other)
    return one.version == two.version and one.subnet_of(two)  # type: ignore[arg-type]


def length(prefix: str) -> int:
    return int(prefix.split("/")[1])


class Speech:
    def __init__(self, words: Words) -> None:
        self.words = words
        self.at_edge = cache(self._at_edge)
        """What an edge holds to be the best for each prefix: asked so often that it is kept."""
        self.offers = cache(self._offers)
        """What a site is offered by its circuits."""
        self.heard, self.settles = settled(words, self.offers)

    # What works

    def speaks(self, hub: Hub) -> bool:
        table = hub.tables[0]
        up = not {f"gateway {hub.number}", f"region {hub.region}"} & self.words.down
        return hub.gateway and up and (table is None or table.propagates)

    def tunnels(self, hub: Hub) -> bool:
        table = hub.tables[0]
        up = not {f"vpn {hub.number}", f"region {hub.region}"} & self.words.down
        return hub.vpn is not None and up and (table is None or table.propagates)

    def by_tunnels(self, hub: Hub) -> dict[str, str]:
        """What a VPN gateway's tunnels lead to, by prefix: a hub's name, or `branch`."""
        if not self.tunnels(hub):
            return {}
        found = {
            prefix: "branch"
            for number, prefixes in enumerate(hub.vpn or ())
            if f"tunnel {hub.number} {number}" not in self.words.down
            for prefix in prefixes
        }
        if self.words.joined and not {"half 0", "half 1"} & self.words.down:
            # The other one says its network and those that use it (R29).
            other = self.words.hubs[1 - hub.number]
            if self.tunnels(other):
                for space in (*other.spaces, *(space for guest in self.guests(other) for space in guest.known)):
                    found[space] = other.name
        return found

    def links(self, home: Home) -> Iterator[tuple[Speaker, Link]]:
        """The sessions that a site's routers have."""
        for speaker in home.speakers:
            for side in ("primary", "secondary") if speaker.both_links else ("primary",):
                broken = {
                    f"router {home.name} {speaker.circuit}",
                    f"circuit {speaker.circuit}",
                    f"link {speaker.circuit} {side}",
                }
                if not broken & self.words.down:
                    yield speaker, (speaker.circuit, side)

    # What is said

    def guests(self, hub: Hub) -> list[Spoke]:
        """Spokes that use a hub's gateways (R29)."""
        return [s for s in self.words.spokes if s.hub == hub.number and s.connected and s.lends and s.uses]

    def served(self, hub: Hub) -> dict[str, tuple[list[str], int]]:
        """By prefix: the appliances that a Route Server has it from, by name, and the length of their path."""
        if hub.server is None or {f"server {hub.number}", f"region {hub.region}"} & self.words.down:
            return {}
        members = list(hub.members)
        alive = [
            word
            for word in hub.server
            if word.member < len(members) and f"machine {members[word.member]}" not in self.words.down
        ]
        found = {}
        for prefix in {word.prefix for word in alive}:
            shortest = min(word.path for word in alive if word.prefix == prefix)
            best = [word for word in alive if word.prefix == prefix and word.path == shortest]
            found[prefix] = sorted(members[word.member] for word in best), shortest
        return found

    def passed_on(self, hub: Hub) -> dict[str, int]:
        """What a gateway says of a Route Server's, with the length of the path behind its own number."""
        if not hub.branches or hub.server is None:
            return {}
        held = [*hub.known, *(space for guest in self.guests(hub) for space in guest.known)]
        held += [said.prefix for said in self.told(hub, bare=True)]
        return {prefix: path for prefix, (_, path) in self.served(hub).items() if prefix not in held}

    def _at_edge(self, link: Link, bare: bool = False, passed: bool = True) -> list[Said]:
        """`bare`: without what Route Servers say; `passed`: with what sites pass on."""
        circuit, _ = link
        if f"circuit {circuit}" in self.words.down:
            return []
        found = []
        for hub in self.words.hubs:
            if self.speaks(hub) and hub.weights[circuit] is not None:
                found += [Said(prefix, hub.name, hub.name, 1, link) for prefix in hub.spaces]
                for guest in self.guests(hub):
                    found += [Said(prefix, hub.name, guest.name, 1, link) for prefix in guest.known]
                more = {} if bare else self.passed_on(hub)
                found += [Said(prefix, hub.name, hub.name, 1 + path, link) for prefix, path in more.items()]
        for home in self.words.homes:
            for speaker, there in self.links(home):
                if there == link:
                    told = [Said(prefix, home.name, home.name, 1 + speaker.prepend, link) for prefix in home.prefixes]
                    told += self._passed_by(home, speaker, link) if passed else ()
                    out = speaker.denied_out
                    found += [said for said in told if out is None or not inside(said.prefix, out)]
        best = [said for said in found if said.path == min(s.path for s in found if s.prefix == said.prefix)]
        held = {said.prefix for said in best}
        return best + [said for said in self._by_reach(link) if said.prefix not in held]

    def _passed_by(self, home: Home, speaker: Speaker, link: Link) -> Iterator[Said]:
        """What a router tells its edge of others' prefixes."""
        transit = self.words.line is not None and self.words.line.transit
        if not speaker.passes and not transit:
            return
        homes = {home.name for home in self.words.homes}
        for prefix, best in taken(self.heard[home.name]).items():
            itself = any(offer.link is not None and offer.link[0] == speaker.circuit for offer in best)
            for offer in best if prefix not in home.prefixes else ():
                if offer.link is None:
                    passes = transit and offer.owner in homes
                else:
                    passes = not itself and offer.link[0] in speaker.passes
                if passes:
                    yield Said(prefix, home.name, offer.owner, 1 + speaker.prepend + offer.path, link)

    def _by_reach(self, link: Link) -> Iterator[Said]:
        """What sites say to the same link of circuits that are joined to this one, and no further."""
        circuit, side = link
        for pair in self.words.reach:
            if circuit in pair and f"reach {pair[0]} {pair[1]}" not in self.words.down:
                other = pair[0] + pair[1] - circuit
                for home in self.words.homes:
                    for speaker, there in self.links(home):
                        told = home.prefixes if there == (other, side) else ()
                        out = speaker.denied_out
                        for prefix in told:
                            if out is None or not inside(prefix, out):
                                yield Said(prefix, f"reach {other}", home.name, 1, link)

    def _offers(self, home: Home) -> list[Offer]:
        """What a site's routers let in of what the edges of its circuits tell. That never hangs on what sites pass on:
        an edge tells a site nothing that sites said, and gateways' own paths are the shortest."""
        homes = {home.name for home in self.words.homes}
        return [
            Offer(said.prefix, said.who, said.owner, 1, speaker.preference, speaker.med, link)
            for speaker, link in self.links(home)
            for said in self._at_edge(link, passed=False)
            if said.who not in homes and (speaker.denied_in is None or not inside(said.prefix, speaker.denied_in))
        ]

    def told(self, hub: Hub, bare: bool = False) -> list[Said]:
        """Everything that a gateway hears from sites, and from other gateways where both are open: of these their
        networks' own space (E38)."""
        if not self.speaks(hub):
            return []
        homes = {home.name for home in self.words.homes}
        others = {other.name for other in self.words.hubs if hub.open and other.open} - {hub.name}
        own = [*hub.known, *(space for guest in self.guests(hub) for space in guest.known)]
        own += [] if bare else self.passed_on(hub)
        connected = [circuit for circuit, weight in enumerate(hub.weights) if weight is not None]
        edges = [self.at_edge((circuit, side), bare) for circuit in connected for side in ("primary", "secondary")]
        told = [said for edge in edges for said in edge if said.prefix not in own]
        return [said for said in told if said.who in homes or (said.who in others and said.path == 1)]

    # What is preferred

    def by_gateway(self, hub: Hub, prefix: str) -> list[Said]:
        """What a gateway uses for one prefix (E41)."""
        told = [said for said in self.told(hub) if said.prefix == prefix]
        heaviest = max(hub.weights[said.link[0]] or 0 for said in told)
        told = [said for said in told if (hub.weights[said.link[0]] or 0) == heaviest]
        return [said for said in told if said.path == min(other.path for other in told)]

    def by_site(self, home: Home, address: str) -> list[Offer]:
        """What a site uses for an address elsewhere (E42)."""
        offers = [offer for offer in self.heard[home.name] if covers(offer.prefix, address)]
        longest = max((length(offer.prefix) for offer in offers), default=0)
        return next(iter(taken(offer for offer in offers if length(offer.prefix) == longest).values()), [])
