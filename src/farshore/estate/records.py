"""The records of DNS zones whose addresses a failover makes wrong: said once, for whoever plans and whoever assesses.

private      a machine's own address, where the project maps it
public       a machine's public address: it is never kept (S35)
endpoint     a private endpoint in a mirrored network: the target's is another resource, with another address
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from farshore.arm.decode import Address, Reader
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.arm.network import NetworkInterface
from farshore.estate.counterparts import mapped_address
from farshore.estate.estate import Estate
from farshore.estate.project import Project

ZONES = ("Microsoft.Network/privateDnsZones", "Microsoft.Network/dnsZones")
PRIVATE_ENDPOINTS = "Microsoft.Network/privateEndpoints"


def records(estate: Estate) -> Iterator[tuple[Body, tuple[Address, ...]]]:
    """Every A record of the estate with its addresses."""
    for zone in ZONES:
        for body in estate.of_type(f"{zone}/A"):
            yield body, tuple(_addresses(body))


def private(project: Project, nic: NetworkInterface) -> Iterator[tuple[Address, Address]]:
    """The private addresses of a NIC that are others in the target, each with what it becomes."""
    for configuration in nic.ip_configurations:
        own = configuration.private_ip_address
        if own is not None and (there := mapped_address(project, own)) != own:
            yield own, there


def public(estate: Estate, nic: NetworkInterface) -> Iterator[tuple[Address, ResourceId]]:
    """The public addresses of a NIC, each with its resource."""
    for configuration in nic.ip_configurations:
        id_ = configuration.public_ip_address
        own = None if id_ is None else Reader(estate.get(id_)).address("properties.ipAddress")
        if id_ is not None and own is not None:
            yield own, id_


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An address of a private endpoint of the source, which is another one in the target."""

    name: str
    network: ResourceId
    address: Address
    there: Address | None
    """The address of the target's endpoint; None where it does not stand yet."""


def endpoints(estate: Estate, networks: Mapping[ResourceId, ResourceId]) -> Iterator[Endpoint]:
    """Those of the networks given, each with its counterpart: the zone's record names the address of one endpoint, and
    the target's is whichever leads to the same service there."""
    bodies = tuple(estate.of_type(PRIVATE_ENDPOINTS))
    theirs = set(networks.values())
    there = {
        (target, service): body
        for body in bodies
        for service in _services(body)
        if (target := _network(body)) in theirs
    }
    for body in bodies:
        home = _network(body)
        if home is None or home not in networks:
            continue
        stands = next(
            (found for service in _services(body) if (found := there.get((networks[home], service))) is not None), None
        )
        others = () if stands is None else _held(estate, stands)
        for place, address in enumerate(_held(estate, body)):
            other = others[place] if place < len(others) else None
            if other != address:
                yield Endpoint(name=str(body.get("name")), network=home, address=address, there=other)


def _addresses(body: Body) -> Iterator[Address]:
    properties = body.get("properties") or {}
    # Private zones write aRecords, public ones ARecords.
    for key in ("aRecords", "ARecords"):
        for record in properties.get(key) or ():
            text = record.get("ipv4Address") if isinstance(record, dict) else None
            try:
                yield ip_address(str(text))
            except ValueError:
                continue


def _network(body: Body) -> ResourceId | None:
    subnet = Reader(body).id("properties.subnet")
    return None if subnet is None else subnet.parent


def _services(body: Body) -> list[str]:
    """What an endpoint leads to, in lower case."""
    read = Reader(body)
    kinds = ("privateLinkServiceConnections", "manualPrivateLinkServiceConnections")
    found = [
        item.text("properties.privateLinkServiceId") for kind in kinds for item in read.items(f"properties.{kind}")
    ]
    return [text.lower() for text in found if text]


def _held(estate: Estate, body: Body) -> tuple[Address, ...]:
    """An endpoint's addresses as it shows them for its names, else as its NIC has them."""
    read = Reader(body)
    shown = [address for item in read.items("properties.customDnsConfigs") for address in item.addresses("ipAddresses")]
    nics = [estate.network_interface(id_) for id_ in read.ids("properties.networkInterfaces")]
    held = [
        configuration.private_ip_address
        for nic in nics
        if nic is not None
        for configuration in nic.ip_configurations
        if configuration.private_ip_address is not None
    ]
    return tuple(dict.fromkeys(shown or held))
