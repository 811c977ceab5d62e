"""Rulesets: security groups as nftables chains, state kept by the kernel, and a memory of every packet that passed.

Inbound the subnet's group is asked before the NIC's, outbound the NIC's before the subnet's (R43). What belongs to a
flow that was let through passes; the kernel's connection tracking knows which. A rule is `return` (on to the next
group) or leads to a drop that is remembered in `denied`. A stateful host drops what belongs to no flow that it saw
begin, and remembers that in `stateless`.

`seen` holds, for each TCP packet and each ping, addresses, ports and the time to live that it came with: put in the
order of falling times to live, the hosts that saw a packet are its way. An echo has no ports: where TCP has them it has
its type and its checksum, which is another for each identifier (observe.py). A traceroute's probes are not remembered:
they die on purpose.

The tag VirtualNetwork is a set of each subnet (R30, R44): what follows from the estate is written into it here, what a
gateway must learn first is put in once BGP has settled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import collapse_addresses, ip_network

from farshore.arm.decode import Address, Network
from farshore.arm.ids import ResourceId
from farshore.arm.network import NetworkSecurityGroup, SecurityRule
from farshore.twin.draft import Host
from farshore.twin.ground import Ground
from farshore.twin.machines import Port, Standing

HOST = "168.63.129.16/32"
NOT_PUBLIC = {
    4: ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", HOST),
    6: ("fc00::/7", "fe80::/10", "::1/128"),
}
FAMILY = {4: ("ip", "ipv4", "ttl"), 6: ("ip6", "ipv6", "hoplimit")}
FIRST_TTL = 64
"""Linux's, for both families."""
TUPLE = {
    4: "ip saddr . ip daddr . th sport . th dport",
    6: "ip6 saddr . ip6 daddr . th sport . th dport",
}
PING = 1
"""The sequence of an echo that is remembered."""
ECHOES = {
    4: f"icmp type {{ echo-request, echo-reply }} icmp sequence {PING}",
    6: f"icmpv6 type {{ echo-request, echo-reply }} icmpv6 sequence {PING}",
}
CARRIED = {4: "{ tcp, icmp }", 6: "{ tcp, ipv6-icmp }"}


def memory() -> list[str]:
    """What every host remembers."""
    lines = ["add table inet twin"]
    for family, (_, kind, _) in FAMILY.items():
        key = f"{kind}_addr . {kind}_addr . inet_service . inet_service"
        more = "size 131072; flags dynamic;"
        lines.append(f"add set inet twin seen{family} {{ type {key} . mark; {more} }}")
        for name in ("denied", "stateless"):
            lines.append(f"add set inet twin {name}{family} {{ type {key}; {more} }}")
    lines.append("add chain inet twin seen { type filter hook prerouting priority -300; }")
    lines.append("add chain inet twin sent { type filter hook output priority 300; }")
    # A time to live as a packet's mark: nft 1.0.6 can't print a set whose key holds a bare number.
    numbers = ", ".join(f"{number} : {number}" for number in range(1, FIRST_TTL + 1))
    for chain in ("seen", "sent"):
        lines.append(f"add rule inet twin {chain} tcp dport 179 return")
        lines.append(f"add rule inet twin {chain} tcp sport 179 return")
        for family, (word, kind, ttl) in FAMILY.items():
            for packet in (f"meta nfproto {kind} meta l4proto tcp", ECHOES[family]):
                lines.append(f"add rule inet twin {chain} {packet} meta mark set {word} {ttl} map {{ {numbers} }}")
                lines.append(f"add rule inet twin {chain} {packet} add @seen{family} {{ {TUPLE[family]} . meta mark }}")
    return lines


def remember(where: str) -> list[str]:
    """Statements that keep a packet's flow in `denied` or `stateless`."""
    return [
        f"meta nfproto {name} meta l4proto {CARRIED[family]} add @{where}{family} {{ {TUPLE[family]} }}"
        for family, (_, name, _) in FAMILY.items()
    ]


def keep_state(host: Host) -> list[str]:
    """A stateful host that passes packets on drops what belongs to no flow (R39, E44)."""
    lines = ["add chain inet twin state { type filter hook forward priority -10; }"]
    lines += [f"add rule inet twin state ct state invalid {text}" for text in remember("stateless")]
    lines.append("add rule inet twin state ct state invalid drop")
    return lines if host.stateful and host.forwards else []


class Groups:
    """The chains of every host that has a group."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    def guard(self, standing: Standing) -> None:
        """Put the groups of a host's NICs into its ruleset."""
        host = standing.host
        inward, outward, lines = [], [], []
        for number, port in enumerate(standing.ports):
            subnet = self.ground.subnet(port.subnet)
            of_subnet = None if subnet is None else subnet.network_security_group
            for direction, ids in (
                ("Inbound", (of_subnet, port.security_group)),
                ("Outbound", (port.security_group, of_subnet)),
            ):
                groups = [found for id_ in ids if (found := self.ground.estate.network_security_group(id_)) is not None]
                if not groups:
                    continue
                chain = f"nic{number}_{direction.lower()}"
                lines.append(f"add chain inet twin {chain}")
                for place, group in enumerate(groups):
                    lines.append(f"add chain inet twin {chain}_{place}")
                    for text in self._group(group, direction, port, number):
                        lines.append(f"add rule inet twin {chain}_{place} {text}")
                    lines.append(f"add rule inet twin {chain} jump {chain}_{place}")
                wires = ", ".join(f'"{wire}"' for wire in port.wires)
                if direction == "Inbound":
                    inward.append(f"iifname {{ {wires} }} jump {chain}")
                else:
                    outward.append(f"oifname {{ {wires} }} jump {chain}")
        if not lines:
            return
        refused = ["add chain inet twin refused"]
        refused += [f"add rule inet twin refused {text}" for text in (*remember("denied"), "drop")]
        known = "ct state established,related accept"
        hooks = []
        for name, rules in (("input", inward), ("output", outward), ("forward", inward + outward)):
            hooks.append(f"add chain inet twin {name} {{ type filter hook {name} priority 0; }}")
            hooks += [f"add rule inet twin {name} {text}" for text in (known, *rules)]
        host.nft += [*self._tags(standing), *refused, *lines, *hooks]

    # Rules

    def _group(self, group: NetworkSecurityGroup, direction: str, port: Port, number: int) -> Iterator[str]:
        own = [rule for rule in group.security_rules if rule.direction.lower() == direction.lower()]
        for rule in sorted(own, key=lambda rule: rule.priority):
            for match in self._matches(rule, port, number):
                yield _verdict(match, rule.access.lower() == "allow")
        for family in FAMILY:
            tag = f"@tag{number}_{family}"
            word = FAMILY[family][0]
            yield _verdict(f"{word} saddr {tag} {word} daddr {tag}", True)
        if direction == "Inbound":
            yield _verdict(f"ip saddr {HOST}", True)
        else:
            for family in FAMILY:
                yield _verdict(f"{FAMILY[family][0]} daddr != {{ {', '.join(NOT_PUBLIC[family])} }}", True)
        yield _verdict("", False)

    def _matches(self, rule: SecurityRule, port: Port, number: int) -> Iterator[str]:
        """What a rule is about, as matches of which any will do."""
        what = _transport(rule)
        for family in FAMILY:
            sources = self._end(
                rule.source_address_prefixes, rule.source_application_security_groups, "saddr", family, port, number
            )
            ends = self._end(
                rule.destination_address_prefixes,
                rule.destination_application_security_groups,
                "daddr",
                family,
                port,
                number,
            )
            for source in sources:
                for end in ends:
                    yield " ".join(t for t in (f"meta nfproto {FAMILY[family][1]}", source, end, what) if t)

    def _end(
        self,
        prefixes: tuple[str, ...],
        groups: tuple[ResourceId, ...],
        field: str,
        family: int,
        port: Port,
        number: int,
    ) -> list[str]:
        """Matches for one end of a packet; an empty text matches all, an empty list nothing."""
        word = FAMILY[family][0]
        if groups:
            members = [ip_network(a) for a in self._members(groups, port) if a.version == family]
            return [f"{word} {field} {_set(members)}"] if members else []
        found, plain = [], []
        for text in prefixes:
            name = text.lower()
            if name in ("*", "any"):
                return [""]
            if name == "virtualnetwork":
                found.append(f"{word} {field} @tag{number}_{family}")
            elif name == "internet":
                found.append(f"{word} {field} != {{ {', '.join(NOT_PUBLIC[family])} }}")
            elif name == "azureloadbalancer":
                plain.append(ip_network(HOST))
            elif text[0].isdigit() or ":" in text:
                plain.append(ip_network(text, strict=False))
            # Another service tag covers public addresses, and no flow of the twin has one (limits.py).
        mine = [prefix for prefix in plain if prefix.version == family]
        return [*found, f"{word} {field} {_set(mine)}"] if mine else found

    def _members(self, groups: tuple[ResourceId, ...], port: Port) -> Iterator[Address]:
        for place in self.ground.places:
            if place.network == port.network:
                for item in place.nic.ip_configurations:
                    if item.private_ip_address == place.address and set(groups) & set(item.application_security_groups):
                        yield place.address

    # The tag VirtualNetwork

    def _tags(self, standing: Standing) -> list[str]:
        lines = []
        for number, port in enumerate(standing.ports):
            fixed, learned = self._tag(port)
            for family in FAMILY:
                name = f"tag{number}_{family}"
                mine = [prefix for prefix in fixed if prefix.version == family]
                elements = f" elements = {_set(mine)};" if mine else ""
                kind = FAMILY[family][1]
                lines.append(f"add set inet twin {name} {{ type {kind}_addr; flags interval; auto-merge;{elements} }}")
                standing.host.tags[name] = learned
        return lines

    def _tag(self, port: Port) -> tuple[list[Network], list[str]]:
        """What the tag holds by the estate, and the hosts whose learned prefixes come on top."""
        network = self.ground.networks[port.network]
        fixed = [*network.address_space, ip_network(HOST)]
        learned = [f"network:{port.network}"]
        for item in self.ground.peered.get(port.network, ()):
            if item.half.allow_virtual_network_access:
                fixed += item.prefixes
                if item.half.allow_forwarded_traffic:
                    for further in self.ground.peered.get(item.remote, ()):
                        fixed += further.prefixes
                    learned.append(f"network:{item.remote}")
        subnet = network.subnet(port.subnet.name)
        table = self.ground.estate.route_table(None if subnet is None else subnet.route_table)
        for route in () if table is None else table.routes:
            if not isinstance(route.address_prefix, str):
                fixed.append(route.address_prefix)
        return fixed, learned


def _set(prefixes: Iterable[Network]) -> str:
    merged = collapse_addresses(sorted(set(prefixes)))  # type: ignore[type-var]
    return f"{{ {', '.join(map(str, merged))} }}"


def _verdict(match: str, allowed: bool) -> str:
    return f"{match} {'return' if allowed else 'goto refused'}".strip()


def _transport(rule: SecurityRule) -> str:
    """Protocol and ports."""
    protocol = rule.protocol.lower()
    words = {"icmp": "meta l4proto { icmp, ipv6-icmp }", "*": ""}
    parts = [words.get(protocol, f"meta l4proto {protocol}")]
    for field, ranges in (("sport", rule.source_port_ranges), ("dport", rule.destination_port_ranges)):
        if ranges and not {"*", "0-65535"} & set(ranges):
            if protocol == "*" and "meta l4proto { tcp, udp }" not in parts:
                parts.append("meta l4proto { tcp, udp }")
            parts.append(f"th {field} {{ {', '.join(_distinct(ranges))} }}")
    return " ".join(part for part in parts if part)


def _distinct(ranges: Iterable[str]) -> list[str]:
    """Port ranges without overlap, as a set wants them."""
    pairs = sorted((int(low), int(high or low)) for low, _, high in (text.partition("-") for text in ranges))
    merged: list[tuple[int, int]] = []
    for low, high in pairs:
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return [f"{low}-{high}" if high > low else str(low) for low, high in merged]
