"""By which subnets a target may ever send on, whatever works at the moment."""

from __future__ import annotations

from farshore.routing.index import Holder
from farshore.routing.places import holders_of
from farshore.routing.scale.networks import Networks
from farshore.routing.scale.targets import Target
from farshore.routing.world import World


def may_send_by(world: World, networks: Networks, target: Target) -> tuple[str, ...]:
    """Lower-case subnet ids: of the NIC and its machine's other NICs, of every member, of the firewall."""
    key = networks.all[target.network].id.key
    found: dict[str, None] = {}
    members: list[Holder] = list(world.index.at(key, target.address))
    frontend = world.index.frontend(key, target.address)
    if frontend is not None:
        members += frontend.members
        found[frontend.subnet.key] = None
    for member in members:
        found[member.subnet.key] = None
        machine = world.index.machines.get(world.index.machine_of.get(member.nic.id.key, ""))
        for id_ in () if machine is None else machine.network_interfaces:
            nic = world.index.nics.get(id_.key)
            for holder in () if nic is None else holders_of(nic):
                found[holder.subnet.key] = None
    return tuple(found)
