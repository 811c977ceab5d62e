"""The records of DNS zones in the estate whose addresses a failover changes: what to write, and what stands there now.

Which those are `estate/records.py` says. A public address is known once the target's stands, and the row says so; the
address of a private endpoint that a person makes, nobody can know before.
"""

from __future__ import annotations

from collections.abc import Iterator

from farshore.arm.decode import Address
from farshore.estate import records
from farshore.plan.carried import fronts
from farshore.plan.carried.values import NameChange
from farshore.plan.design import Design

LATER = "the value of the target's public address"
LATER_ENDPOINT = "the address of the target's private endpoint"


def changes(design: Design, *, endpoints: bool = True) -> tuple[NameChange, ...]:
    """A row for each address in a record that is another one after the failover. Without `endpoints` only those of
    machines: private endpoints are of networks, which whoever stays goes on using."""
    new = dict(_private(design)) | (dict(_endpoints(design)) if endpoints else {}) | dict(_public(design))
    rows = []
    for body, addresses in records.records(design.estate):
        for address in addresses:
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
            for own, there in records.private(design.project, card.nic):
                because = f"{machine.label} has another address in {design.project.target.region}"
                yield own, (str(there), because, None)


def _endpoints(design: Design) -> Iterator[tuple[Address, New]]:
    networks = {network.id: design.counterparts.of(network.id) for network in design.networks}
    for found in records.endpoints(design.estate, networks):
        new = LATER_ENDPOINT if found.there is None else str(found.there)
        because = f"{found.name} is a private endpoint in {found.network.name}, and not the target's"
        yield found.address, (new, because, None)


def _public(design: Design) -> Iterator[tuple[Address, New]]:
    for machine in design.machines:
        for card in machine.cards:
            for own, id_ in records.public(design.estate, card.nic):
                there = design.counterparts.of(id_).text if fronts.carried(design, id_) else None
                yield own, (LATER, f"{id_.name} of {machine.label} is not kept (S35)", there)
