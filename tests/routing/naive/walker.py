"""One packet at a time through a network in words: no tables kept, no classes, nothing shared with the engine.

At each place every row that could say anything is listed anew and the best is taken by R14's words. A way ends in
`delivered` to somebody, in `ambiguous` where two answer and nothing decides, or it is `lost`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network

from .networks import Home, Hub, Speaker, Spoke, Table, Words

RESERVED = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
SYSTEM, BGP, USER = 0, 1, 2


@dataclass(frozen=True)
class End:
    """How a way ended, where, and the appliances that it crossed."""

    word: str
    at: str = ""
    crossed: tuple[str, ...] = ()
    circuits: frozenset[int] = frozenset()
    """By which of them it may have gone: what is equal shares the traffic."""


@dataclass(frozen=True)
class Row:
    prefix: str
    rank: int
    hop: str
    """`local`, `peer NAME`, `gateway NUMBER`, `None`, `Internet`, `VnetLocal`, an address."""


def covers(prefix: str, address: str) -> bool:
    return IPv4Address(address) in IPv4Network(prefix)


def length(prefix: str) -> int:
    return int(prefix.split("/")[1])


class Walker:
    """Follows packets through the words."""

    def __init__(self, words: Words) -> None:
        self.words = words

    # What works

    def _link(self, circuit: int, side: str) -> bool:
        return not {f"circuit {circuit}", f"link {circuit} {side}"} & self.words.down

    def _gateway(self, hub: Hub) -> bool:
        """R23: propagation off on its subnet stops it."""
        table = hub.tables[0]
        return hub.gateway and f"gateway {hub.number}" not in self.words.down and (table is None or table.propagates)

    def _sessions(self, home: Home) -> Iterator[tuple[Speaker, str]]:
        for speaker in home.speakers:
            if f"router {home.name} {speaker.circuit}" not in self.words.down:
                for side in ("primary", "secondary") if speaker.both_links else ("primary",):
                    if self._link(speaker.circuit, side):
                        yield speaker, side

    # What is said

    def _users(self, hub: Hub) -> list[Spoke]:
        """Spokes that use a hub's gateway (R29)."""
        return [s for s in self.words.spokes if s.hub == hub.number and s.connected and s.lends and s.uses]

    def _announced(self, hub: Hub) -> list[str]:
        return [f"{hub.base}.0/24", *(spoke.space for spoke in self._users(hub))] if self._gateway(hub) else []

    def _told(self, hub: Hub) -> Iterator[tuple[str, Home, Speaker]]:
        """Everything that sites tell a hub's gateway."""
        if not self._gateway(hub):
            return
        for home in self.words.homes:
            for speaker, _ in self._sessions(home):
                if hub.weights[speaker.circuit] is not None:
                    for prefix in home.prefixes:
                        if speaker.denied_out is None or not _inside(prefix, speaker.denied_out):
                            yield prefix, home, speaker

    # A subnet's rows

    def _rows(self, network: str, table: Table | None) -> list[Row]:
        rows = [Row(prefix, SYSTEM, "None") for prefix in RESERVED] + [Row("0.0.0.0/0", SYSTEM, "Internet")]
        hub = next((hub for hub in self.words.hubs if hub.name == network), None)
        spoke = next((spoke for spoke in self.words.spokes if spoke.name == network), None)
        givers: list[Hub] = []
        if hub is not None:
            rows.append(Row(f"{hub.base}.0/24", SYSTEM, "local"))
            mine = [s for s in self.words.spokes if s.hub == hub.number and s.connected]
            rows += [Row(s.space, SYSTEM, f"peer {s.name}") for s in mine]
            givers.append(hub)
        if spoke is not None:
            rows.append(Row(spoke.space, SYSTEM, "local"))
            if spoke.connected:
                far = self.words.hubs[spoke.hub]
                rows.append(Row(f"{far.base}.0/24", SYSTEM, f"peer {far.name}"))
                givers += [far] if spoke in self._users(far) else []
        if table is None or table.propagates:
            told = [(prefix, giver) for giver in givers for prefix, _, _ in self._told(giver)]
            # R14.3: the network's own space and its peers' come before BGP, more specific or not.
            near = [row.prefix for row in rows if row.hop == "local" or row.hop.startswith("peer ")]
            told = [(prefix, giver) for prefix, giver in told if not any(_inside(prefix, own) for own in near)]
            if any(length(prefix) == 0 for prefix, _ in told):
                # R4: a default by BGP takes the reserved rows out.
                rows = [row for row in rows if row.prefix not in RESERVED]
            rows += [Row(prefix, BGP, f"gateway {giver.number}") for prefix, giver in told]
        for prefix, hop in () if table is None else table.routes:
            rows.append(Row(prefix, USER, hop))
            if prefix == "0.0.0.0/0" and hop not in ("None", "Internet"):
                # R3: a default to an appliance or into the network takes the reserved rows out.
                rows = [row for row in rows if row.rank != SYSTEM or row.prefix not in RESERVED]
        return rows

    def _best(self, network: str, table: Table | None, address: str) -> Row:
        matching = [row for row in self._rows(network, table) if covers(row.prefix, address)]
        return max(matching, key=lambda row: (length(row.prefix), row.rank))

    # Ways

    def inward(self, home: Home, source: str, address: str) -> End:
        """From a site to an address in Azure."""
        offers = [
            (prefix, speaker, hub)
            for speaker, _ in self._sessions(home)
            for hub in self.words.hubs
            if hub.weights[speaker.circuit] is not None
            for prefix in self._announced(hub)
            if covers(prefix, address) and (speaker.denied_in is None or not _inside(prefix, speaker.denied_in))
        ]
        if not offers:
            return End("lost")
        longest = max(length(prefix) for prefix, _, _ in offers)
        offers = [offer for offer in offers if length(offer[0]) == longest]
        preferred = max(speaker.preference for _, speaker, _ in offers)
        offers = [offer for offer in offers if offer[1].preference == preferred]
        hubs = {hub.number: hub for _, _, hub in offers}
        ends = {self._from(hub.name, hub.tables[0], source, address, ()) for hub in hubs.values()}
        circuits = frozenset(speaker.circuit for _, speaker, _ in offers)
        return replace(ends.pop(), circuits=circuits) if len(ends) == 1 else End("ambiguous")

    def outward(self, nic: str, address: str) -> End:
        """From a machine to an address of a site."""
        name = nic.removesuffix("vm-nic")
        hub = next((hub for hub in self.words.hubs if hub.name == name), None)
        spoke = next((spoke for spoke in self.words.spokes if spoke.name == name), None)
        table = hub.tables[2] if hub is not None else spoke.table if spoke is not None else None
        return self._from(name, table, self.words.machines()[nic], address, ())

    def _from(self, network: str, table: Table | None, source: str, address: str, crossed: tuple[str, ...]) -> End:
        if len(crossed) > 6:
            return End("lost")
        row = self._best(network, table, address)
        if row.hop in ("local", "VnetLocal") or row.hop.startswith("peer "):
            there = network if not row.hop.startswith("peer ") else row.hop.split()[1]
            return self._arrived(there, source, address, crossed)
        if row.hop.startswith("gateway "):
            return self._left(self.words.hubs[int(row.hop.split()[1])], row.prefix, address, crossed)
        if row.hop in ("None", "Internet"):
            return End("lost")
        near = [network, *(row.hop.split()[1] for row in self._rows(network, None) if row.hop.startswith("peer "))]
        for hub in self.words.hubs:
            works = hub.appliance == "works" and f"appliance {hub.number}" not in self.words.down
            if row.hop == f"{hub.base}.68" and hub.name in near and works:
                return self._from(hub.name, hub.tables[1], source, address, (*crossed, f"nva{hub.number}"))
        return End("lost")

    def _arrived(self, network: str, source: str, address: str, crossed: tuple[str, ...]) -> End:
        for nic, held in self.words.machines().items():
            if held == address and nic == f"{network}vm-nic":
                for spoke in self.words.spokes:
                    if spoke.name == network:
                        said = [access for access, prefix in spoke.rules if covers(prefix, source)]
                        if said and said[0] == "Deny":
                            return End("lost")
                return End("delivered", nic, crossed)
        return End("lost")

    def _left(self, hub: Hub, prefix: str, address: str, crossed: tuple[str, ...]) -> End:
        """A gateway's choice among those that told a prefix (E41), then the site's own."""
        told = [(home, speaker) for said, home, speaker in self._told(hub) if said == prefix]
        heaviest = max(hub.weights[speaker.circuit] or 0 for _, speaker in told)
        told = [(home, speaker) for home, speaker in told if (hub.weights[speaker.circuit] or 0) == heaviest]
        shortest = min(speaker.prepend for _, speaker in told)
        told = [(home, speaker) for home, speaker in told if speaker.prepend == shortest]
        homes = {home.name: home for home, _ in told}
        if len(homes) > 1:
            return End("ambiguous")
        home = next(iter(homes.values()))
        held = any(length(own) > 0 and covers(own, address) for own in home.prefixes)
        circuits = frozenset(speaker.circuit for _, speaker in told)
        return End("delivered", home.name, crossed, circuits) if held else End("lost")


def _inside(prefix: str, other: str) -> bool:
    return IPv4Network(prefix).subnet_of(IPv4Network(other))
