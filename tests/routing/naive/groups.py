"""May a packet pass a NIC: the subnet's group and the NIC's, each must allow (R43).

The rules in their order, then the three default rules of the direction (R42). `VirtualNetwork` is the own space, the
peers' where the peering grants access, what those forward where it accepts that (R30), all that gateways in reach have
learned, the table's prefixes and the host (R44). `Internet` is everything else that is public: what is both, by a
0/0 or a tag in the table, the facts don't put on either side.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from .bgp import Speech, covers
from .rows import by_gateways, peers
from .words import SERVICES, Group, Hub, Rule, Spoke, Table

HOST = "168.63.129.16/32"
DEFAULTS = (
    Rule("Inbound", "Allow", "*", "VirtualNetwork", "VirtualNetwork", "*"),
    Rule("Inbound", "Allow", "*", "AzureLoadBalancer", "*", "*"),
    Rule("Inbound", "Deny", "*", "*", "*", "*"),
    Rule("Outbound", "Allow", "*", "VirtualNetwork", "VirtualNetwork", "*"),
    Rule("Outbound", "Allow", "*", "*", "Internet", "*"),
    Rule("Outbound", "Deny", "*", "*", "*", "*"),
)


class Undecided(Exception):  # noqa: N818 - no error: an answer
    """The facts don't say."""


@dataclass(frozen=True)
class Packet:
    source: str
    destination: str
    protocol: str
    source_port: int
    port: int

    def reply(self) -> Packet:
        turned = replace(self, source=self.destination, destination=self.source)
        return replace(turned, source_port=self.port, port=self.source_port)


def passes(
    speech: Speech,
    network: Hub | Spoke,
    table: Table | None,
    groups: tuple[Group | None, ...],
    direction: str,
    it: Packet,
) -> bool:
    """Whether all the groups of a NIC in this network allow the packet."""
    for group in groups:
        if group is not None:
            rules = [rule for rule in (*group, *DEFAULTS) if rule.direction == direction]
            said = next(rule.access for rule in rules if _about(speech, network, table, rule, it))
            if said == "Deny":
                return False
    return True


def _about(speech: Speech, network: Hub | Spoke, table: Table | None, rule: Rule, it: Packet) -> bool:
    if rule.protocol not in ("*", it.protocol.capitalize()):
        return False
    if rule.ports != "*":
        low, _, high = rule.ports.partition("-")
        if not int(low) <= it.port <= int(high or low):
            return False
    return all(
        _named(speech, network, table, said, address)
        for said, address in ((rule.source, it.source), (rule.destination, it.destination))
    )


def _named(speech: Speech, network: Hub | Spoke, table: Table | None, said: str, address: str) -> bool:
    if said == "*":
        return True
    if said in ("Internet", "VirtualNetwork") and public(address):
        tags = (prefix for name, _ in (() if table is None else table.routes) for prefix in SERVICES.get(name, ()))
        mine = any(covers(prefix, address) for prefix in (*tag(speech, network, table), *tags))
        if mine:
            raise Undecided
        return said == "Internet"
    if said == "Internet":
        return False
    if said in SERVICES:
        return any(covers(prefix, address) for prefix in SERVICES[said])
    if said == "mine":
        # Only spokes' machines are in such a group, with their first address.
        return isinstance(network, Spoke) and address == network.machine[0]
    if said == "nobody's":
        return False
    if said == "VirtualNetwork":
        return any(covers(prefix, address) for prefix in tag(speech, network, table))
    return covers(HOST if said == "AzureLoadBalancer" else said, address)


def public(address: str) -> bool:
    """Of the addresses that are drawn."""
    return address.startswith(("20.", "8.", "2603:"))


def tag(speech: Speech, network: Hub | Spoke, table: Table | None) -> Iterator[str]:
    """What `VirtualNetwork` covers in a subnet."""
    yield from (*network.spaces, HOST)
    yield from (prefix for prefix, _ in (() if table is None else table.routes) if prefix not in SERVICES)
    yield from (row.prefix for row in by_gateways(speech, network))
    # A hub's half of a peering grants and accepts everything in these drawings.
    access, forwarded = (True, True) if isinstance(network, Hub) else (network.access, network.forwarded)
    for other, _ in peers(speech, network) if access else ():
        yield from other.known
        if forwarded:
            yield from (space for further, _ in peers(speech, other) for space in further.known)
            yield from (row.prefix for row in by_gateways(speech, other))
