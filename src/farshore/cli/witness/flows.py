"""Which flows a state is asked about: every machine and every part of the sites' prefixes, both ways, and every machine
to every other."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from farshore.arm.decode import Address, Network
from farshore.estate.estate import Estate
from farshore.estate.outside import Site

if TYPE_CHECKING:
    from farshore.routing import Flow
    from farshore.twin.observe import Ask

MOST_OF_A_SITE = 4
"""Parts of one site's prefixes."""


@dataclass(frozen=True)
class End:
    """One end of flows."""

    name: str
    """For the engine: a NIC's id, or a site's name."""
    host: str
    """For the twin."""
    address: Address
    sends: bool = True


def ends_of(estate: Estate, hosts: frozenset[str]) -> list[End]:
    """All ends; those without a host in the twin are only asked."""
    from farshore.routing.index import Index

    machines = Index(estate).machine_of
    found = []
    for nic in estate.network_interfaces:
        host = f"machine:{machines.get(nic.id.key, nic.id.key)}"
        for item in nic.ip_configurations:
            if item.private_ip_address is not None:
                found.append(End(nic.id.text, host, item.private_ip_address, host in hosts))
    for site in estate.sites:
        host = f"site:{site.name.lower()}"
        found += [End(site.name, host, address) for address in site_addresses(site)]
    return found


def site_addresses(site: Site) -> Iterator[Address]:
    """An address of each prefix that is in no longer one, the first few."""
    given = 0
    for prefix in sorted(site.prefixes, key=lambda p: (-p.prefixlen, int(p.network_address))):
        address = _own(prefix, [p for p in site.prefixes if p.prefixlen > prefix.prefixlen])
        if address is not None and prefix.prefixlen and given < MOST_OF_A_SITE:
            given += 1
            yield address


def _own(prefix: Network, longer: list[Network]) -> Address | None:
    at = int(prefix.network_address) + (1 if prefix.num_addresses > 2 else 0)
    kind = type(prefix.network_address)
    while at <= int(prefix.broadcast_address):
        inside = next((p for p in longer if p.version == prefix.version and kind(at) in p), None)
        if inside is None:
            return kind(at)
        at = int(inside.broadcast_address) + 1
    return None


def flows_of(ends: list[End], port: int, most: int, seed: int) -> tuple[list[tuple[Flow, Ask]], int]:
    """The flows with what the twin is asked, at most so many by the seed; and how many there are."""
    from farshore.routing import Flow
    from farshore.twin.observe import Ask

    pairs = [
        (one, other)
        for one in ends
        for other in ends
        if one.sends
        and one.host != other.host
        and one.address.version == other.address.version
        and not (one.host.startswith("site:") and other.host.startswith("site:"))
    ]
    chosen = pairs if len(pairs) <= most else random.Random(seed).sample(pairs, most)
    found = []
    for one, other in chosen:
        flow = Flow(
            source=one.name,
            source_address=one.address,
            destination_address=other.address,
            protocol="tcp",
            destination_port=port,
        )
        found.append((flow, Ask(one.host, one.address, other.address, port)))
    return found, len(pairs)
