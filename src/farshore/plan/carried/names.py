"""The records of DNS zones in the estate whose addresses a failover changes: what to write, and what stands there now.

Private addresses change where the project maps them. Public ones always do (S35): the new value is known once the
target's public address stands, and the row says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from farshore.arm.decode import Address, Reader
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.arm.network import PUBLIC_IP_ADDRESSES
from farshore.estate.counterparts import mapped_address
from farshore.plan.carried import fronts
from farshore.plan.carried.references import references
from farshore.plan.carried.values import NameChange
from farshore.plan.design import Design

RECORDS = ("Microsoft.Network/privateDnsZones/A", "Microsoft.Network/dnsZones/A")
LATER = "the value of the target's public address"
LATER_ENDPOINT = "the address of the target's private endpoint"
PRIVATE_ENDPOINTS = "Microsoft.Network/privateEndpoints"


def changes(design: Design, *, endpoints: bool = True) -> tuple[NameChange, ...]:
    """A row for each address in a record that is another one after the failover. Without `endpoints` only those of
    machines: private endpoints are of networks, which whoever stays goes on using."""
    new = dict(_private(design)) | (dict(_endpoints(design)) if endpoints else {}) | dict(_public(design))
    rows = []
    for type_ in RECORDS:
        for body in design.estate.of_type(type_):
            for address in _addresses(body):
                if address in new:
                    there, because, of = new[address]
                    record = str(body["id"])
                    rows.append(
                        NameChange(record=record, type="A", old=str(address), new=there, because=because, new_of=of)
                    )
    return tuple(rows)


New = tuple[str, str, str | None]
"""The new address, or words for it; why; and the public address that will have it."""


def _private(design: Design) -> Iterator[tuple[Address, New]]:
    for machine in design.machines:
        for card in machine.cards:
            for configuration in card.nic.ip_configurations:
                own = configuration.private_ip_address
                there = None if own is None else mapped_address(design.project, own)
                if own is not None and there != own:
                    because = f"{machine.label} has another address in {design.project.target.region}"
                    yield own, (str(there), because, None)


def _endpoints(design: Design) -> Iterator[tuple[Address, New]]:
    """Private endpoints of the mirrored networks: the zone's record names the address of one of them, and the target's
    is another resource. Where it stands already its address is known, else a person makes it."""
    networks = {network.id: design.counterparts.of(network.id) for network in design.networks}
    there = {
        (target, service): body
        for body in design.estate.of_type(PRIVATE_ENDPOINTS)
        for service in _services(body)
        if (target := _network(body)) in networks.values()
    }
    for body in design.estate.of_type(PRIVATE_ENDPOINTS):
        home = _network(body)
        if home not in networks:
            continue
        own = _endpoint_addresses(design, body)
        stands = next(
            (found for service in _services(body) if (found := there.get((networks[home], service))) is not None), None
        )
        others = () if stands is None else _endpoint_addresses(design, stands)
        for place, address in enumerate(own):
            new = str(others[place]) if place < len(others) else LATER_ENDPOINT
            if new != str(address):
                name = str(body.get("name"))
                yield address, (new, f"{name} is a private endpoint in {home.name}, and not the target's", None)


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


def _endpoint_addresses(design: Design, body: Body) -> tuple[Address, ...]:
    """As the endpoint shows them for its names, else as its NIC has them."""
    read = Reader(body)
    shown = [address for item in read.items("properties.customDnsConfigs") for address in item.addresses("ipAddresses")]
    nics = [design.estate.network_interface(id_) for id_ in read.ids("properties.networkInterfaces")]
    held = [
        configuration.private_ip_address
        for nic in nics
        if nic is not None
        for configuration in nic.ip_configurations
        if configuration.private_ip_address is not None
    ]
    return tuple(dict.fromkeys(shown or held))


def _public(design: Design) -> Iterator[tuple[Address, New]]:
    for machine in design.machines:
        for card in machine.cards:
            for _, text in references(design.estate.get(card.nic.id) or {}):
                id_ = resource_id(text)
                body = design.estate.get(id_) if id_.is_a(PUBLIC_IP_ADDRESSES) else None
                own = None if body is None else Reader(body).address("properties.ipAddress")
                if own is not None:
                    there = design.counterparts.of(id_).text if fronts.carried(design, id_) else None
                    yield own, (LATER, f"{id_.name} of {machine.label} is not kept (S35)", there)


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
