"""May a packet pass a NIC: the subnet's group and the NIC's, each must allow (R43).

The rules in their order, then the three default rules of the direction (R42). `VirtualNetwork` is the own space, the
peers' where the peering grants access, what those forward where it accepts that (R30), all that gateways in reach have
learned, the table's prefixes and the host (R44). Addresses here are private, so `Internet` is none of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from .bgp import Speech, covers
from .rows import by_gateways, peers
from .words import Group, Hub, Rule, Spoke, Table

HOST = "168.63.129.16/32"
DEFAULTS = (
    Rule("Inbound", "Allow", "*", "VirtualNetwork", "VirtualNetwork", "*"),
    Rule("Inbound", "Allow", "*", "AzureLoadBalancer", "*", "*"),
    Rule("Inbound", "Deny", "*", "*", "*", "*"),
    Rule("Outbound", "Allow", "*", "VirtualNetwork", "VirtualNetwork", "*"),
    Rule("Outbound", "Allow", "*", "*", "Internet", "*"),
    Rule("Outbound", "Deny", "*", "*", "*", "*"),
)


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
    if said in ("*", "Internet"):
        return said == "*"
    if said == "mine":
        # Only spokes' machines are in such a group, with their first address.
        return isinstance(network, Spoke) and address == network.machine[0]
    if said == "nobody's":
        return False
    if said == "VirtualNetwork":
        return any(covers(prefix, address) for prefix in tag(speech, network, table))
    return covers(HOST if said == "AzureLoadBalancer" else said, address)


def tag(speech: Speech, network: Hub | Spoke, table: Table | None) -> Iterator[str]:
    """What `VirtualNetwork` covers in a subnet."""
    yield from (*network.spaces, HOST)
    yield from (prefix for prefix, _ in (() if table is None else table.routes))
    yield from (row.prefix for row in by_gateways(speech, network))
    # A hub's half of a peering grants and accepts everything in these drawings.
    access, forwarded = (True, True) if isinstance(network, Hub) else (network.access, network.forwarded)
    for other, _ in peers(speech, network) if access else ():
        yield from other.known
        if forwarded:
            yield from (space for further, _ in peers(speech, other) for space in further.known)
            yield from (row.prefix for row in by_gateways(speech, other))
