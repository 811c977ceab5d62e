"""The records of DNS zones in the estate whose addresses a failover changes: what to write, and what stands there now.

Private addresses change where the project maps them. Public ones always do (S35): the new value is known once the
target's public address stands, and the row says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from farshore.arm.decode import Address, Reader
from farshore.arm.ids import resource_id
from farshore.arm.json import Body
from farshore.arm.network import PUBLIC_IP_ADDRESSES
from farshore.estate.counterparts import mapped_address
from farshore.plan.carried.references import references
from farshore.plan.carried.values import NameChange
from farshore.plan.design import Design

RECORDS = ("Microsoft.Network/privateDnsZones/A", "Microsoft.Network/dnsZones/A")
LATER = "the value of the target's public address"


def changes(design: Design) -> tuple[NameChange, ...]:
    """A row for each address in a record that is another one after the failover."""
    new = dict(_private(design)) | dict(_public(design))
    rows = []
    for type_ in RECORDS:
        for body in design.estate.of_type(type_):
            for address in _addresses(body):
                if address in new:
                    there, because = new[address]
                    rows.append(
                        NameChange(record=str(body["id"]), type="A", old=str(address), new=there, because=because)
                    )
    return tuple(rows)


def _private(design: Design) -> Iterator[tuple[Address, tuple[str, str]]]:
    for machine in design.machines:
        for card in machine.cards:
            for configuration in card.nic.ip_configurations:
                own = configuration.private_ip_address
                there = None if own is None else mapped_address(design.project, own)
                if own is not None and there != own:
                    yield own, (str(there), f"{machine.label} has another address in {design.project.target.region}")


def _public(design: Design) -> Iterator[tuple[Address, tuple[str, str]]]:
    for machine in design.machines:
        for card in machine.cards:
            for _, text in references(design.estate.get(card.nic.id) or {}):
                id_ = resource_id(text)
                body = design.estate.get(id_) if id_.is_a(PUBLIC_IP_ADDRESSES) else None
                own = None if body is None else Reader(body).address("properties.ipAddress")
                if own is not None:
                    yield own, (LATER, f"{id_.name} of {machine.label} is not kept (S35)")


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
