"""Addresses and prefixes as positions on one line, parsed many at a time.

A proof about a hundred thousand machines spends its time reading texts like `10.1.0.0/24` unless it reads them in
arrays: `ipaddress.ip_network` costs some microseconds a call, a column of texts a few hundredths of one each.

Both families share one line of 64-bit positions. An IPv4 address stands at its own value, below 2^32. An IPv6 address
stands at its upper 64 bits, all of which lie above 2^33 for any address that is routed; so the finest that can be told
apart in IPv6 is a /64, Azure's only subnet size. A longer IPv6 prefix keeps its length, which still decides between
routes, and covers its whole /64.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import numpy as np
import numpy.typing as npt

from farshore.arm.decode import Address, Network
from farshore.errors import InputError
from farshore.routing.prefixes import INSIDE

Positions = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int64]
Lengths = npt.NDArray[np.int16]
Bools = npt.NDArray[np.bool_]

SIXES = 1 << 33
"""Where IPv6 begins on the line."""

LAST = (1 << 64) - 1


def position(address: Address) -> int:
    """Where an address stands."""
    return int(address) if address.version == 4 else max(SIXES, int(address) >> 64)


def span(prefix: Network) -> tuple[int, int]:
    """The first and the last position of a prefix."""
    first = int(prefix.network_address)
    if prefix.version == 4:
        return first, first | (1 << (32 - prefix.prefixlen)) - 1
    last = first | (1 << (128 - prefix.prefixlen)) - 1
    return max(SIXES, first >> 64), max(SIXES, last >> 64)


def positions(texts: Sequence[str]) -> Positions:
    """Where each address stands. Raises `InputError` for the first text that is no address."""
    found = _fours(texts, 4)
    if found is not None:
        return _joined(found)
    return np.array([position(_address(text)) for text in texts], dtype=np.uint64)


def spans(texts: Sequence[str], *, strict: bool = True) -> tuple[Positions, Positions, Lengths]:
    """First and last position and length of each prefix; a lone address is a whole one. Raises `InputError` for the
    first text that is no prefix, or, where `strict`, has host bits set."""
    whole = [text if "/" in text else text + ("/128" if ":" in text else "/32") for text in texts]
    found = _fours([text.replace("/", ".", 1) for text in whole], 5)
    if found is not None and not (found[:, 4] > 32).any():
        first = _joined(found)
        lengths = found[:, 4].astype(np.int16)
        hosts = (np.uint64(1) << (np.uint64(32) - found[:, 4])) - np.uint64(1)
        if not strict:
            first = first & ~hosts
        if not (first & hosts).any():
            return first, first | hosts, lengths
    parsed = [_network(text, strict) for text in texts]
    pairs = [span(prefix) for prefix in parsed]
    return (
        np.array([first for first, _ in pairs], dtype=np.uint64),
        np.array([last for _, last in pairs], dtype=np.uint64),
        np.array([prefix.prefixlen for prefix in parsed], dtype=np.int16),
    )


def address_at(place: int) -> Address:
    """An address that stands at a position."""
    return IPv4Address(place) if place < SIXES else IPv6Address(place << 64)


def public(places: Positions) -> Bools:
    """Which positions mean something to the internet, as `routing.prefixes.is_public` has it."""
    inside = np.zeros(len(places), dtype=bool)
    for prefix in INSIDE:
        first, last = span(prefix)
        inside |= (places >= np.uint64(first)) & (places <= np.uint64(last))
    return ~inside


def _fours(texts: Sequence[str], parts: int) -> Positions | None:
    """The numbers of dotted texts, or None where any of them is something else."""
    joined = ".".join(texts)
    if not all(text.count(".") == parts - 1 for text in texts) or not joined.replace(".", "").isdecimal():
        return None
    numbers = np.fromstring(joined, dtype=np.uint64, sep=".")
    if numbers.size != len(texts) * parts or (numbers > 255).any():
        return None
    return numbers.reshape(len(texts), parts)


def _joined(found: Positions) -> Positions:
    a, b, c, d = (found[:, part] for part in range(4))
    joined: Positions = (a << np.uint64(24)) | (b << np.uint64(16)) | (c << np.uint64(8)) | d
    return joined


def _address(text: str) -> Address:
    try:
        return ip_address(text)
    except ValueError:
        raise InputError("This is not an address", value=text, expected="an address like 10.1.0.4") from None


def _network(text: str, strict: bool) -> Network:
    try:
        return ip_network(text, strict=strict)
    except ValueError:
        expected = "a prefix like 10.1.0.0/24 with no host bits set"
        raise InputError("This is not an address range", value=text, expected=expected) from None
