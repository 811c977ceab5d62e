"""Echo requests from within a host, and what comes back: pings, and the probes of a traceroute.

A ping is an echo request whose reply comes home. A traceroute is the same request with a time to live of one, two,
three and so on: the host where it has run out says so, or the last one replies. All are sent at once from one raw
socket for each family; an identifier and a sequence, which every answer repeats, tell them apart. What comes for
another identifier is not ours.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import struct
import time
from typing import Any

ICMP_FILTER, ICMP6_FILTER, IP_PKTINFO, SOL_RAW = 1, 1, 8, 255
"""Linux's numbers, where Python has no name for them."""
IP_TRANSPARENT, IPV6_TRANSPARENT = 19, 75
REQUEST, REPLY = {4: 8, 6: 128}, {4: 0, 6: 129}
ERRORS = {4: (3, 11), 6: (1, 3)}
"""Destination unreachable, time exceeded."""
INNER = {4: 20, 6: 40}
"""The header of the packet that an error is about; nobody here sends options."""
AT_ONCE = 16
"""Sent before what has come is read: a socket holds a few hundred."""


class Echoes:
    """Requests under way: rows `[key, from, to, identifier, sequence, time to live]`."""

    def __init__(self, rows: list[list[Any]]) -> None:
        self.rows = rows
        self.answers: dict[str, tuple[str, bool] | None] = {row[0]: None for row in rows}
        """The address that has answered, and whether with a reply: else that the packet has ended there."""
        self.latest = time.monotonic()
        self._keys = {(row[3], row[4]): row[0] for row in rows}
        self._destinations = {row[0]: ipaddress.ip_address(row[2]) for row in rows}
        self._waiting = set(self.answers)
        self._done = asyncio.Event()
        versions: set[int] = {address.version for address in self._destinations.values()}
        self._sockets = {version: _socket(version) for version in versions}

    async def all(self) -> None:
        """Send, and wait until every request has its answer."""
        loop = asyncio.get_running_loop()
        for version, held in self._sockets.items():
            loop.add_reader(held, self._read, version)
        for number, (_, source, to, identifier, sequence, left) in enumerate(self.rows):
            self._send(source, to, identifier, sequence, left)
            if not number % AT_ONCE:
                await asyncio.sleep(0)
        if self._waiting:
            await self._done.wait()

    def close(self) -> None:
        for held in self._sockets.values():
            asyncio.get_running_loop().remove_reader(held)
            held.close()

    def _send(self, source: str, to: str, identifier: int, sequence: int, left: int) -> None:
        address = ipaddress.ip_address(source)
        packet = bytearray(struct.pack("!BBHHH", REQUEST[address.version], 0, 0, identifier, sequence))
        hops = struct.pack("i", left)
        if address.version == 4:
            packet[2:4] = struct.pack("!H", checksum(bytes(packet)))
            more = [
                (socket.IPPROTO_IP, IP_PKTINFO, struct.pack("i4s4s", 0, address.packed, b"")),
                (socket.IPPROTO_IP, socket.IP_TTL, hops),
            ]
        else:
            more = [
                (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, struct.pack("16si", address.packed, 0)),
                (socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT, hops),
            ]
        # Without a route from here it is a request that nobody answers.
        with contextlib.suppress(OSError):
            self._sockets[address.version].sendmsg([packet], more, 0, (to, 0))

    def _read(self, version: int) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                packet, came_from = self._sockets[version].recvfrom(2048)
                # IPv4 hands its own header over too.
                self._take(version, packet[20:] if version == 4 else packet, came_from[0])

    def _take(self, version: int, packet: bytes, came_from: str) -> None:
        is_reply = packet[0] == REPLY[version]
        echo = packet if is_reply else packet[8 + INNER[version] :]
        if len(echo) < 8:
            return
        key = self._keys.get(struct.unpack("!HH", echo[4:8]))
        # A reply is from whom was asked: else it is of somebody's who numbers as we do.
        if key not in self._waiting or (is_reply and ipaddress.ip_address(came_from) != self._destinations[key]):
            return
        self.answers[key] = (came_from, is_reply)
        self.latest = time.monotonic()
        self._waiting.discard(key)
        if not self._waiting:
            self._done.set()


def checksum(packet: bytes) -> int:
    """Of the Internet's protocols (RFC 1071), over a packet whose own field is zero."""
    total: int = sum(struct.unpack(f"!{len(packet) // 2}H", packet))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _socket(version: int) -> socket.socket:
    """Hears replies and errors only, and speaks from any address that the host answers for."""
    wanted = (REPLY[version], *ERRORS[version])
    if version == 4:
        held = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        held.setsockopt(socket.SOL_IP, IP_TRANSPARENT, 1)
        blocked = ~sum(1 << kind for kind in wanted) & 0xFFFFFFFF
        held.setsockopt(SOL_RAW, ICMP_FILTER, struct.pack("=I", blocked))
    else:
        held = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        held.setsockopt(socket.IPPROTO_IPV6, IPV6_TRANSPARENT, 1)
        words = [0xFFFFFFFF] * 8
        for kind in wanted:
            words[kind >> 5] &= ~(1 << (kind & 31))
        held.setsockopt(socket.IPPROTO_ICMPV6, ICMP6_FILTER, struct.pack("=8I", *words))
    held.setblocking(False)
    return held
