"""Consistency groups: machines whose recovery points are to be of one moment (S26, S39).

Their agents agree on the moment with each other, over TCP 20004. Where a security group of the source refuses that,
replication goes on and no point is shared.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

from farshore.assess.context import Context, Machine
from farshore.assess.findings import Finding, rule, warning
from farshore.estate.resolving import means
from farshore.routing.context import routing_of
from farshore.routing.index import Holder
from farshore.routing.security import Packet, refusal

PORT = 20004


@rule("FS509", "Machines of a consistency group can't agree on a moment", "S39", "S26")
def agreed(context: Context) -> Iterator[Finding]:
    world = routing_of(context.estate).world
    for names in context.project.machines.consistency_groups:
        members = [machine for machine in context.machines if means(machine.id, names)]
        seen = set()
        for one, other in permutations(members, 2):
            sender, receiver = _holder(one), _holder(other)
            if sender is None or receiver is None:
                continue
            packet = Packet(
                source=sender.address,
                destination=receiver.address,
                protocol="tcp",
                source_port=None,
                destination_port=PORT,
            )
            for holder, direction in ((sender, "Outbound"), (receiver, "Inbound")):
                no = refusal(world, holder, direction, packet)
                if no is None or no.missing or (no.group, no.rule) in seen:
                    continue
                seen.add((no.group, no.rule))
                yield warning(
                    no.group,
                    f"{one.name} can't reach {other.name} on tcp/{PORT}: {', '.join(names)} would share no recovery"
                    " point",
                    f"{direction.lower()}, rule {no.rule} of {no.group.name}",
                    remedy=f"let the machines of {', '.join(names)} reach each other on tcp/{PORT}",
                )


def _holder(machine: Machine) -> Holder | None:
    primary = None if machine.nic is None else machine.nic.primary
    if machine.nic is None or primary is None or primary.subnet is None or primary.private_ip_address is None:
        return None
    return Holder(nic=machine.nic, subnet=primary.subnet, address=primary.private_ip_address)
