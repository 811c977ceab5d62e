"""What is to be built: hosts, wires, and the text that each host's tools are given.

A host is one network namespace. All its wires carry one address of its own (198.18.0.0/15, RFC 2544, and an IPv6 twin)
as point to point: the wire's other end is a neighbour, and no subnet has to be thought of. A route `via` the other
host's address leaves by the wire to it.

The numbers of routing tables are the same everywhere, so that a ruleset can be read:

    DELIVER     who is on the spot: the addresses of a network's machines, or the way home of a gateway or router
    SUBNET + n  the table of a network's n-th subnet
    LAST + n    what counts when all else is silent: Azure's own None and Internet rows
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from farshore.arm.decode import Address, Network
from farshore.errors import InputError

DELIVER = 50
SUBNET = 1000
LAST = 20000

WIRES_4 = int(IPv4Address("198.18.0.0"))
WIRES_6 = int(IPv6Address("fd18::"))
MOST_HOSTS = 1 << 16
WIRES = {4: "198.18.0.0/15", 6: "fd18::/112"}


@dataclass
class Host:
    """One namespace. The texts are whole lines, for `ip -batch`, BIRD and nftables."""

    name: str
    """`kind:id`, the id in lower case: `network:/subscriptions/...`, `gateway:...#0`, `circuit:...#primary`,
    `router:site/name`, `site:name`, `machine:...`."""
    number: int
    ip: list[str] = field(default_factory=list)
    """Each begins with its family, `-4` or `-6`."""
    bird: list[str] = field(default_factory=list)
    """Protocols, filters and tables; what every BIRD needs is put before them (bird.py)."""
    nft: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    """Addresses at which it answers requests."""
    forwards: bool = True
    stateful: bool = False
    """Whether it drops what belongs to no flow that it has seen begin."""
    tags: dict[str, list[str]] = field(default_factory=dict)
    """By set of the ruleset: the hosts whose learned prefixes are put in once BGP has settled (R44)."""

    @property
    def at(self) -> dict[int, Address]:
        """Its address on all its wires, by family."""
        return {4: IPv4Address(WIRES_4 + self.number), 6: IPv6Address(WIRES_6 + self.number)}


@dataclass
class Draft:
    """Hosts and wires so far."""

    hosts: dict[str, Host] = field(default_factory=dict)
    wires: dict[tuple[frozenset[str], str], str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    """What of the estate is not stood for, and why: by id or name (limits.py)."""

    def host(self, name: str, **more: Any) -> Host:
        """A new host. Raises `InputError` when there are more than the wires have addresses for."""
        assert name not in self.hosts, f"{name} stands already"
        if len(self.hosts) + 1 >= MOST_HOSTS:
            raise InputError("This estate is too large for a twin", expected=f"fewer than {MOST_HOSTS} hosts")
        found = self.hosts[name] = Host(name=name, number=len(self.hosts) + 1, **more)
        return found

    def wire(self, one: Host, other: Host, label: str = "") -> str:
        """The interface between two hosts, of one name at both ends; made when first asked for. Two hosts may have
        several, with labels of their own: a machine with two NICs in one network."""
        key = (frozenset((one.name, other.name)), label)
        found = self.wires.get(key)
        if found is None:
            found = self.wires[key] = f"w{len(self.wires)}"
            for here, there in ((one, other), (other, one)):
                for family, address in here.at.items():
                    more = " nodad" if family == 6 else ""
                    here.ip.append(f"-{family} address add {address} peer {there.at[family]} dev {found}{more}")
        return found

    def finished(self) -> dict[str, Any]:
        """All of it as JSON, for the process inside."""
        wires = [[name, *sorted(ends)] for (ends, _), name in self.wires.items()]
        several = Counter(ends for ends, _ in self.wires)
        doubled = {f" dev {name} onlink" for (ends, _), name in self.wires.items() if several[ends] > 1}
        for host in self.hosts.values():
            host.ip = [_checked(line, doubled) for line in host.ip]
        return {"hosts": [asdict(host) for host in self.hosts.values()], "wires": wires}


def via(there: Host, prefix: Network, wire: str) -> str:
    """`PREFIX via THERE dev WIRE`, for `ip route`."""
    return f"{prefix} via {there.at[prefix.version]} dev {wire} onlink"


def told_apart(prefixes: Iterable[Network]) -> None:
    """Raises `InputError` where an estate uses the range that the wires are numbered from."""
    for prefix in prefixes:
        low, high = int(prefix.network_address), int(prefix.broadcast_address)
        base, size = (WIRES_4, 1 << 17) if prefix.version == 4 else (WIRES_6, 1 << 16)
        if low < base + size and high >= base and prefix.prefixlen > 8:
            raise InputError(
                "The twin numbers its own wires from this range",
                value=str(prefix),
                expected=f"an estate without {WIRES[4]} and {WIRES[6]}",
            )


def _checked(line: str, doubled: set[str]) -> str:
    """Two wires between two hosts have one address at their ends. For IPv6 the kernel then takes no route on trust
    (`onlink`): it has to see for itself that the wire leads there."""
    found = next((text for text in doubled if text in line), None)
    return line if found is None or not line.startswith("-6") else line.replace(" onlink", "")
