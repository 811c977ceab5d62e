"""Who says what to whom over circuits and tunnels, and who prefers what.

an appliance says its words to the hub's Route Server while it runs, whether it forwards or not; of each prefix the
                  shortest path counts, and equal ones share the traffic (R46)
a gateway says    its network's whole space, and its guests' (R29, R40); where its Route Server talks to branches, what
                  that was told, too, but for what circuits lead to (R19, R46); nothing with propagation off (R23); a
                  VPN gateway the same to another, and nothing of what its other tunnels or a circuit lead to (R47)
a site says       its prefixes to each of its circuits, with its number more times where it prepends
an edge passes    the shortest path of each prefix on (E38), sites' words to gateways and gateways' to sites
a gateway takes   by prefix: the heaviest connection, the shortest path, and shares what is equal (E41)
a site takes      by prefix: the highest preference, then the lowest MED, and shares what is equal (E42); the edges
                  strip what gateways had in their paths (R48), so that paths never decide here
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address, ip_network

from .words import Home, Hub, Speaker, Spoke, Words

Link = tuple[int, str]


@dataclass(frozen=True)
class Said:
    """One prefix as an edge hears it."""

    prefix: str
    who: str
    """A site's or a gateway's hub's name."""
    owner: str
    """Who answers in the end: the site or the network."""
    path: int
    link: Link


@dataclass(frozen=True)
class Offer:
    """One prefix as a site hears it."""

    said: Said
    speaker: Speaker


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
        if not hub.branches:
            return {}
        held = [*hub.known, *(space for guest in self.guests(hub) for space in guest.known)]
        held += [said.prefix for said in self.told(hub, bare=True)]
        return {prefix: path for prefix, (_, path) in self.served(hub).items() if prefix not in held}

    def _at_edge(self, link: Link, bare: bool = False) -> list[Said]:
        """`bare`: without what Route Servers say."""
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
                    for prefix in home.prefixes:
                        if speaker.denied_out is None or not inside(prefix, speaker.denied_out):
                            found.append(Said(prefix, home.name, home.name, 1 + speaker.prepend, link))
        return [said for said in found if said.path == min(s.path for s in found if s.prefix == said.prefix)]

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
        """What a site uses for an address in Azure (E42)."""
        hubs = {hub.name for hub in self.words.hubs}
        offers = [
            Offer(said, speaker)
            for speaker, link in self.links(home)
            for said in self.at_edge(link)
            if said.who in hubs and covers(said.prefix, address)
            if speaker.denied_in is None or not inside(said.prefix, speaker.denied_in)
        ]
        order = [(-length(o.said.prefix), -o.speaker.preference, o.speaker.med) for o in offers]
        return [offer for offer, held in zip(offers, order, strict=True) if held == min(order)]
