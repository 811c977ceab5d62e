"""Prefixes as numbers: who contains whom, and the longest match.

A proof looks up millions of addresses, so a table is turned once into rows of three integers (family, network, mask)
and scanned from the longest prefix down. Tables of a subnet hold some tens of rows: a scan beats a trie there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import ip_network
from typing import Generic, TypeVar

from farshore.arm.decode import Address, Network

Row = TypeVar("Row")


class LongestMatch(Generic[Row]):
    """Rows by prefix, longest first; rows of one length keep the order in which they were given."""

    __slots__ = ("_found", "_rows")

    def __init__(self, rows: Iterable[tuple[Network, Row]]) -> None:
        numbered = [(*numbers(prefix), row) for prefix, row in rows]
        self._rows: Sequence[tuple[int, int, int, Row]] = sorted(numbered, key=lambda row: -row[2])
        self._found: dict[tuple[int, int], tuple[Row, ...]] = {}

    def all(self, address: Address) -> tuple[Row, ...]:
        """Every row that contains the address, longest prefix first."""
        key = (address.version, int(address))
        found = self._found.get(key)
        if found is None:
            version, value = key
            found = tuple(
                row for family, network, mask, row in self._rows if family == version and value & mask == network
            )
            self._found[key] = found
        return found


@lru_cache(maxsize=65536)
def numbers(prefix: Network) -> tuple[int, int, int]:
    """Family, network and mask of a prefix, as integers."""
    return prefix.version, int(prefix.network_address), int(prefix.netmask)


def inside(inner: Network, outer: Network) -> bool:
    """Whether `inner` equals `outer` or is a part of it."""
    family, network, mask = numbers(inner)
    other_family, other_network, other_mask = numbers(outer)
    return family == other_family and mask >= other_mask and network & other_mask == other_network


def covers(prefix: Network, address: Address) -> bool:
    family, network, mask = numbers(prefix)
    return family == address.version and int(address) & mask == network


def covered(address: Address, prefixes: Iterable[Network]) -> bool:
    """Whether any of the prefixes contains the address."""
    return any(covers(prefix, address) for prefix in prefixes)


def within(inner: Network, prefixes: Iterable[Network]) -> bool:
    """Whether one of the prefixes contains all of `inner`."""
    return any(inside(inner, outer) for outer in prefixes)


def is_public(address: Address) -> bool:
    """Whether an address is none of those that only mean something inside: what the internet might answer to."""
    return not covered(address, INSIDE)


INSIDE: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "168.63.129.16/32",
        "fc00::/7",
        "fe80::/10",
        "::1/128",
    )
)
"""What means nothing to the internet."""


def overlap(one: Network, other: Network) -> bool:
    return inside(one, other) or inside(other, one)


def distinct(prefixes: Iterable[Network]) -> tuple[Network, ...]:
    """Each prefix once, in the order of first mention."""
    return tuple(dict.fromkeys(prefixes))
