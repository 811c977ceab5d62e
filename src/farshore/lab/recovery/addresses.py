"""Which subnet and address a machine gets on the other side (S34 to S36).

At failover a NIC goes into the subnet that its item names, else the one of the same name, else the first by the
alphabet. A configured address is taken if the subnet holds it and nobody has it; a static source without one keeps
its own under the same conditions. Where that is not to be had the machine gets the next free address without any
error: that is the trap which D68 warns of. A dynamic source stays dynamic and gets whatever is free.

A test failover must never take an address that the real failover needs. In another network than the failover's it
gets the reserved address if that is free; in the failover's own network, or where it is taken, one from the end of
the range (S36: the older, safer behaviour; X8 makes it switchable).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from farshore.lab.network.addresses import RESERVED_AT_START, is_reserved

NOT_FOR_MACHINES = frozenset({"gatewaysubnet", "azurefirewallsubnet", "azurebastionsubnet", "routeserversubnet"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Subnet:
    """What the choice needs to know of a subnet: its name, its ranges, the addresses taken in it."""

    name: str
    prefixes: tuple[IPv4Network, ...]
    taken: Collection[IPv4Address] = ()

    def free(self, address: IPv4Address) -> bool:
        return address not in self.taken and any(_usable(address, prefix) for prefix in self.prefixes)

    def first_free(self) -> IPv4Address | None:
        return next((address for address in self._all() if address not in self.taken), None)

    def last_free(self, avoid: IPv4Address | None = None) -> IPv4Address | None:
        everywhere = (
            range(int(p.broadcast_address) - 1, int(p.network_address) + RESERVED_AT_START - 1, -1)
            for p in self.prefixes[::-1]
        )
        addresses = (IPv4Address(number) for numbers in everywhere for number in numbers)
        return next((address for address in addresses if address != avoid and address not in self.taken), None)

    def _all(self) -> Iterator[IPv4Address]:
        for prefix in self.prefixes:
            for number in range(int(prefix.network_address) + RESERVED_AT_START, int(prefix.broadcast_address)):
                yield IPv4Address(number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """An address and how it is allocated; None where the subnet is full."""

    address: IPv4Address | None
    static: bool


def pick_subnet(names: Sequence[str], *, configured: str | None, source: str | None) -> str | None:
    """S34. None: there is no subnet a machine can be in."""
    by_key = {name.lower(): name for name in names}
    for wanted in (configured, source):
        if wanted and wanted.lower() in by_key:
            return by_key[wanted.lower()]
    usable = sorted((name for name in names if name.lower() not in NOT_FOR_MACHINES), key=str.lower)
    return usable[0] if usable else None


def failover_address(
    subnet: Subnet, *, configured: IPv4Address | None, source: IPv4Address | None, source_static: bool
) -> Placed:
    """S35. `source` is the address that the machine has now."""
    static = configured is not None or source_static
    wanted = configured if configured is not None else source if source_static else None
    if wanted is not None and subnet.free(wanted):
        return Placed(address=wanted, static=True)
    return Placed(address=subnet.first_free(), static=static)


def test_address(
    subnet: Subnet, *, reserved: IPv4Address | None, failover_network: bool, may_take_reserved: bool = False
) -> Placed:
    """S36. `reserved` is the address that failover would use; `failover_network` whether this is its network."""
    allowed = reserved is not None and (may_take_reserved or not failover_network)
    if allowed and reserved is not None and subnet.free(reserved):
        return Placed(address=reserved, static=True)
    return Placed(address=subnet.last_free(avoid=reserved), static=reserved is not None)


def _usable(address: IPv4Address, prefix: IPv4Network) -> bool:
    """Azure keeps the first four addresses of a subnet and its last for itself (L19)."""
    return address in prefix and not is_reserved(address, prefix)
